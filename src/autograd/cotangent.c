/* Ops that let the value alone and change the gradient. See retrograd/ops/cotangent.h and retrograd/custom.h. */
#include "autograd/tape.h"
#include "ops/call.h"
#include "ops/family.h"

#include <retrograd/custom.h>
#include <retrograd/ops/cotangent.h>

#define ROWS(ROW)                                                                                             \
    ROW(straight_through, 2, RG__DIFF, RG__NOKERNEL, "forward, with the gradient of backward",                \
        .again = again_straight_through, RG__CALLED(straight_through, "forward: float, backward: float"))     \
    ROW(grad_scale, 1, RG__DIFF, RG__NOKERNEL, "x, with a factor on its gradient", RG__ATTR(grad_scale),      \
        .again = again_grad_scale, RG__CALLED(grad_scale, "x: float, factor: real"))                          \
    ROW(grad_reverse, 1, RG__THROUGH, RG__COMPOSITE, "x, with its gradient negated",                          \
        RG__CALLED(grad_reverse, "x: float, factor: real = 1"))                                               \
    ROW(grad_clip, 1, RG__DIFF, RG__NOKERNEL, "x, with its gradient held within bounds", RG__ATTR(grad_clip), \
        .again = again_grad_clip, RG__CALLED(grad_clip, "x: float, low: real, high: real"))                   \
    ROW(hook, 1, RG__DIFF, RG__NOKERNEL, "x, with a function of the program's own called with its cotangent", \
        .again = again_hook)

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_cotangent[OP_##name])

struct grad_scale {
    double factor;
};
static const rg__field fields_grad_scale[] = {RG__FIELD(struct grad_scale, factor, RG__FLOAT), {0}};

struct grad_clip {
    double low, high;
};
static const rg__field fields_grad_clip[] = {
    RG__FIELD(struct grad_clip, low, RG__FLOAT), RG__FIELD(struct grad_clip, high, RG__FLOAT), {0}};

/* A hook's function, in the tape's arena. */
struct hook {
    rg_hook_function function;
    void *user;
};

/* A view of in[0], all of it. */
static rg_tensor same_view(rg_tape *t, const rg__op *op, const rg_tensor *in, int n_in, const void *attr,
                           const struct hook *hook)
{
    for (int i = 0; i < n_in; i++)
        if (!rg__arg_of(t, op, in[i], RG__FLOATS))
            return RG_NIL;
    const rg__node *x = rg__at(t, (uint32_t)in[0].id);
    const rg__source source = {
        .slot = (uint64_t)(uintptr_t)hook, .flags = RG__VIEW, .offset = x->offset, .strides = x->strides};
    return rg__record_slot(t, op, in, n_in, (rg_dtype)x->dtype, x->rank, x->dims, attr, &source);
}

/* ---- straight through ---- */

rg_tensor rg_straight_through(rg_tape *t, rg_tensor forward, rg_tensor backward)
{
    const rg__op *op = OP(straight_through);
    const rg__node *f = rg__arg_of(t, op, forward, RG__FLOATS), *b = f ? rg__arg_of(t, op, backward, RG__FLOATS) : NULL;
    if (!b)
        return RG_NIL;
    if (f->dtype != b->dtype || !rg__dims_equal(f->rank, f->dims, b->rank, b->dims)) {
        rg__fail(t, op, f->dtype != b->dtype ? RG_ERROR_DTYPE : RG_ERROR_SHAPE,
                 "%s of %s and %s of %s: one dtype and one shape are needed", rg_dtype_name((rg_dtype)f->dtype),
                 RG__NODE_TEXT(f), rg_dtype_name((rg_dtype)b->dtype), RG__NODE_TEXT(b));
        return RG_NIL;
    }
    return same_view(t, op, (const rg_tensor[]){forward, backward}, 2, NULL, NULL);
}

static rg_tensor again_straight_through(rg_tape *t, rg_tensor x, const rg__node *like)
{
    (void)like;
    return rg_straight_through(t, x, rg_zeros_like(t, x));
}

static void vjp_straight_through(const rg__vjp *v)
{
    RG__GRAD(v, 1, v->g);
}

/* ---- scaled, clipped ---- */

rg_tensor rg_grad_scale(rg_tape *t, rg_tensor x, double factor)
{
    return same_view(t, OP(grad_scale), &x, 1, &(struct grad_scale){factor}, NULL);
}

rg_tensor rg_grad_reverse(rg_tape *t, rg_tensor x, double factor)
{
    return rg__arg_of(t, OP(grad_reverse), x, RG__FLOATS) ? rg_grad_scale(t, x, -factor) : RG_NIL;
}

static rg_tensor again_grad_scale(rg_tape *t, rg_tensor x, const rg__node *like)
{
    return rg_grad_scale(t, x, ((const struct grad_scale *)like->attr)->factor);
}

static void vjp_grad_scale(const rg__vjp *v)
{
    RG__GRAD(v, 0, rg_mul_scalar(v->t, v->g, ((const struct grad_scale *)v->attr)->factor));
}

rg_tensor rg_grad_clip(rg_tape *t, rg_tensor x, double low, double high)
{
    if (!rg__arg_of(t, OP(grad_clip), x, RG__FLOATS))
        return RG_NIL;
    if (!(low <= high)) {
        rg__fail(t, OP(grad_clip), RG_ERROR_ARGUMENT, "[%g, %g] is empty", low, high);
        return RG_NIL;
    }
    return same_view(t, OP(grad_clip), &x, 1, &(struct grad_clip){low, high}, NULL);
}

static rg_tensor again_grad_clip(rg_tape *t, rg_tensor x, const rg__node *like)
{
    const struct grad_clip *a = like->attr;
    return rg_grad_clip(t, x, a->low, a->high);
}

static void vjp_grad_clip(const rg__vjp *v)
{
    const struct grad_clip *a = v->attr;
    RG__GRAD(v, 0, rg_clamp(v->t, v->g, a->low, a->high));
}

/* ---- hooks ---- */

rg_tensor rg_hook(rg_tape *t, rg_tensor x, rg_hook_function function, void *user)
{
    if (!rg__arg_of(t, OP(hook), x, RG__FLOATS))
        return RG_NIL;
    if (!function) {
        rg__fail(t, OP(hook), RG_ERROR_ARGUMENT, "the function is NULL");
        return RG_NIL;
    }
    struct hook *hook = rg__arena_alloc(&t->arena, sizeof *hook);
    if (!hook) {
        rg__fail(t, OP(hook), RG_ERROR_MEMORY, "out of memory");
        return RG_NIL;
    }
    *hook = (struct hook){function, user};
    return same_view(t, OP(hook), &x, 1, NULL, hook);
}

static rg_tensor again_hook(rg_tape *t, rg_tensor x, const rg__node *like)
{
    const struct hook *hook = like->slot.given;
    return rg_hook(t, x, hook->function, hook->user);
}

static void vjp_hook(const rg__vjp *v)
{
    const struct hook *hook = v->node->slot.given;
    if (!v->wanted[0])
        return;
    const rg_tensor changed = hook->function(v->t, v->g, hook->user);
    v->grad[0] = rg_is_nil(changed) ? v->g : changed;
}

/* ---- by name ---- */

RG__CALL(straight_through, rg_straight_through(t, in[0], in[1]))
RG__CALL(grad_scale, rg_grad_scale(t, in[0], RG__REAL_OF(factor)))
RG__CALL(grad_reverse, rg_grad_reverse(t, in[0], RG__REAL_OF(factor)))
RG__CALL(grad_clip, rg_grad_clip(t, in[0], RG__REAL_OF(low), RG__REAL_OF(high)))

/* ---- samples: as they are where the gradient is right after all ---- */

#define SAMPLE(name, ...)                                                         \
    static rg_tensor sample_##name(rg__draw *draw, int index)                     \
    {                                                                             \
        if (index > 1)                                                            \
            return RG_NIL;                                                        \
        rg_tape *t = draw->t;                                                     \
        const rg_tensor x = RG__DRAW(draw, RG_SHAPE(index ? 0 : 2, 3), RG__REAL); \
        const rg_tensor strided = rg_transpose(t, x, 0, 1);                       \
        return rg_square(t, __VA_ARGS__);                                         \
    }
SAMPLE(straight_through, rg_straight_through(t, strided, strided))
SAMPLE(grad_scale, rg_grad_scale(t, strided, 1))
SAMPLE(grad_reverse, rg_grad_reverse(t, strided, -1))
SAMPLE(grad_clip, rg_grad_clip(t, strided, -1e3, 1e3))

static rg_tensor unchanged(rg_tape *t, rg_tensor cotangent, void *user)
{
    (void)t, (void)cotangent, (void)user;
    return RG_NIL;
}

static rg_tensor sample_hook(rg__draw *draw, int index)
{
    return index > 0 ? RG_NIL : rg_hook(draw->t, RG__DRAW(draw, RG_SHAPE(2, 3), RG__REAL), unchanged, NULL);
}

RG__FAMILY(cotangent, ROWS(RG__ROW))
