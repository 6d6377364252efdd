/* Reductions over sets of axes, and the index of the largest and smallest element. */
#include "ops/call.h"
#include "ops/family.h"

#include <math.h>

#define ROWS(ROW)                                                                                             \
    ROW(sum, 1, RG__DIFF, RG__KERNEL, "sum of x over the axes", .fold = 1 + RG__FOLD_SUM, .laws = &sums,      \
        RG__ATTR(reduce), RG__CALLED(sum, "x: number, axes: ints = all, keepdim: flag = false"))              \
    ROW(prod, 1, RG__DIFF, RG__KERNEL, "product of x over the axes", RG__ATTR(reduce),                        \
        RG__CALLED(prod, "x: number, axes: ints = all, keepdim: flag = false"))                               \
    ROW(max, 1, RG__DIFF, RG__KERNEL, "largest x over the axes", .fold = 1 + RG__FOLD_MAX, .laws = &selects,  \
        RG__ATTR(reduce), RG__CALLED(max, "x: number, axes: ints = all, keepdim: flag = false"))              \
    ROW(min, 1, RG__DIFF, RG__KERNEL, "smallest x over the axes", .fold = 1 + RG__FOLD_MIN, .laws = &selects, \
        RG__ATTR(reduce), RG__CALLED(min, "x: number, axes: ints = all, keepdim: flag = false"))              \
    ROW(any, 1, RG__NODIFF, RG__KERNEL, "x or x or ... over the axes", .laws = &selects, RG__ATTR(reduce),    \
        RG__CALLED(any, "x: bool, axes: ints = all, keepdim: flag = false"))                                  \
    ROW(all, 1, RG__NODIFF, RG__KERNEL, "x and x and ... over the axes", .laws = &selects, RG__ATTR(reduce),  \
        RG__CALLED(all, "x: bool, axes: ints = all, keepdim: flag = false"))                                  \
    ROW(argmax, 1, RG__NODIFF, RG__KERNEL, "index of the first largest x along the axis", RG__ATTR(reduce),   \
        RG__CALLED(argmax, "x: number, axis: int, keepdim: flag = false"))                                    \
    ROW(argmin, 1, RG__NODIFF, RG__KERNEL, "index of the first smallest x along the axis", RG__ATTR(reduce),  \
        RG__CALLED(argmin, "x: number, axis: int, keepdim: flag = false"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_reduce[OP_##name])

const rg__op *const rg__op_sum = &rg__ops_reduce[OP_sum];

/* Of equal elements the largest, the smallest, ... is the element; sums begin with 0. */
static const rg__laws selects = {.idempotent = true, .zero = RG__ZERO_FIRST}, sums = {.zero = RG__ZERO_PLUS};

struct reduce {
    uint32_t axes; /* bit i: axis i */
    uint32_t keepdim;
};
static const rg__field fields_reduce[] = {
    RG__FIELD(struct reduce, axes, RG__AXIS_SET), RG__FIELD(struct reduce, keepdim, RG__FLAG), {0}};

bool rg__op_fold(const rg__op *op, rg__fold *fold)
{
    *fold = (rg__fold)(op->fold - 1);
    return op->fold > 0;
}

uint32_t rg__op_axes(const rg__node *node)
{
    return ((const struct reduce *)node->attr)->axes;
}

void rg__op_set_axes(void *attr, uint32_t axes)
{
    ((struct reduce *)attr)->axes = axes;
}

/* ---- kernels ---- */

/* The reduced axes of one result element. */
typedef struct lanes {
    int rank;                                        /* at least 1 */
    int64_t dims[RG_MAX_RANK], strides[RG_MAX_RANK]; /* bytes */
} lanes;

typedef void (*fold)(char *out, const char *x, const lanes *l);

/* Runs `step` for every element v of type T, in row-major order. */
#define EACH(T, ...)                                                                                     \
    do {                                                                                                 \
        int64_t index[RG_MAX_RANK] = {0}, last = l->dims[l->rank - 1], stride = l->strides[l->rank - 1]; \
        for (int axis = 0; axis >= 0;) {                                                                 \
            for (int64_t i = 0; i < last; i++) {                                                         \
                const T v = *(const T *)(x + i * stride);                                                \
                __VA_ARGS__;                                                                             \
            }                                                                                            \
            for (axis = l->rank - 2; axis >= 0; axis--) {                                                \
                x += l->strides[axis];                                                                   \
                if (++index[axis] < l->dims[axis])                                                       \
                    break;                                                                               \
                x -= l->strides[axis] * l->dims[axis];                                                   \
                index[axis] = 0;                                                                         \
            }                                                                                            \
        }                                                                                                \
    } while (0)

#define FOLD(name, T, Sum, first, step)                        \
    static void name(char *out, const char *x, const lanes *l) \
    {                                                          \
        Sum r = (first);                                       \
        EACH(T, step);                                         \
        *(T *)out = (T)r;                                      \
    }
/* The first NaN wins: once r is NaN, no comparison replaces it. */
#define LARGER(v, r)  ((v) > (r) || ((v) != (v) && (r) == (r)))
#define SMALLER(v, r) ((v) < (r) || ((v) != (v) && (r) == (r)))
#define FOLD_INDEX(name, T, BETTER)                                    \
    static void name(char *out, const char *x, const lanes *l)         \
    {                                                                  \
        T r = *(const T *)x;                                           \
        int64_t best = 0, position = -1;                               \
        EACH(T, if (position++, BETTER(v, r)) r = v, best = position); \
        *(int64_t *)out = best;                                        \
    }
#define NUMBER_FOLDS(suffix, T, Sum)                                  \
    FOLD(sum_##suffix, T, Sum, 0, r += v)                             \
    FOLD(prod_##suffix, T, Sum, 1, r *= v)                            \
    FOLD(max_##suffix, T, T, *(const T *)x, if (LARGER(v, r)) r = v)  \
    FOLD(min_##suffix, T, T, *(const T *)x, if (SMALLER(v, r)) r = v) \
    FOLD_INDEX(argmax_##suffix, T, LARGER)                            \
    FOLD_INDEX(argmin_##suffix, T, SMALLER)
NUMBER_FOLDS(f32, float, double)
NUMBER_FOLDS(f64, double, double)
NUMBER_FOLDS(i32, int32_t, int32_t)
NUMBER_FOLDS(i64, int64_t, int64_t)
FOLD(any_bool, bool, bool, false, r |= v)
FOLD(all_bool, bool, bool, true, r &= v)

/* Splits x into kept axes, over which the result is walked, and lanes. */
static bool reduce_with(const rg__run *run, fold f)
{
    const rg__array_view *x = &run->in[0];
    const struct reduce *a = run->node->attr;
    const size_t size = rg_dtype_size(x->dtype);
    lanes l = {0};
    int kept = 0;
    int64_t kept_dims[RG_MAX_RANK], kept_strides[RG_MAX_RANK], index[RG_MAX_RANK] = {0};
    int64_t numel = 1, reduced = 1;
    for (int i = 0; i < x->rank; i++) {
        int64_t stride = x->strides[i] * (int64_t)size;
        if (a->axes >> i & 1) {
            reduced *= x->dims[i];
            l.dims[l.rank] = x->dims[i];
            l.strides[l.rank++] = stride;
        } else {
            numel *= x->dims[i];
            kept_dims[kept] = x->dims[i];
            kept_strides[kept++] = stride;
        }
    }
    if (l.rank == 0 || reduced == 0) { /* one element, or none: the fold's first value */
        l.dims[0] = l.rank == 0;
        l.rank = 1;
    }
    char *out = run->out.data;
    const char *p = x->data;
    for (int64_t i = 0; i < numel; i++, out += rg_dtype_size(run->out.dtype)) {
        f(out, p, &l);
        for (int axis = kept - 1; axis >= 0; axis--) {
            p += kept_strides[axis];
            if (++index[axis] < kept_dims[axis])
                break;
            p -= kept_strides[axis] * kept_dims[axis];
            index[axis] = 0;
        }
    }
    return true;
}

#define NUMBER_KERNEL(name)                                                                              \
    static bool kernel_##name(const rg__run *run)                                                        \
    {                                                                                                    \
        static const fold folds[RG_DTYPES] = {                                                           \
            [RG_F32] = name##_f32, [RG_F64] = name##_f64, [RG_I32] = name##_i32, [RG_I64] = name##_i64}; \
        return reduce_with(run, folds[run->in[0].dtype]);                                                \
    }
NUMBER_KERNEL(sum)
NUMBER_KERNEL(prod)
NUMBER_KERNEL(max)
NUMBER_KERNEL(min)
NUMBER_KERNEL(argmax)
NUMBER_KERNEL(argmin)

static bool kernel_any(const rg__run *run)
{
    return reduce_with(run, any_bool);
}

static bool kernel_all(const rg__run *run)
{
    return reduce_with(run, all_bool);
}

/* ---- gradients: all of them in the shape with the reduced axes kept, which the engine expands ---- */

static rg_axes axes_of(const rg__vjp *v)
{
    const struct reduce *a = v->attr;
    rg_axes axes = {0, {0}};
    for (int i = 0; i < RG_MAX_RANK; i++)
        if (a->axes >> i & 1)
            axes.axis[axes.count++] = i;
    return axes;
}

/* The result, or its cotangent, with the reduced axes put back as extent 1. */
static rg_tensor kept(const rg__vjp *v, rg_tensor y)
{
    const struct reduce *a = v->attr;
    rg_shape s = rg_shape_of(v->t, v->in[0]);
    for (int i = 0; i < s.rank; i++)
        if (a->axes >> i & 1)
            s.dims[i] = 1;
    return rg_reshape(v->t, y, s);
}

static void vjp_sum(const rg__vjp *v)
{
    v->grad[0] = kept(v, v->g);
}

/* Ties share evenly. */
static void vjp_max(const rg__vjp *v)
{
    rg_tape *t = v->t;
    rg_axes axes = axes_of(v);
    rg_tensor won = rg_cast(t, rg_eq(t, v->in[0], kept(v, v->out)), rg_dtype_of(t, v->g));
    rg_tensor winners = axes.count ? rg_sum(t, won, axes, true) : won;
    v->grad[0] = rg_mul(t, won, rg_div(t, kept(v, v->g), winners));
}

static void vjp_min(const rg__vjp *v)
{
    vjp_max(v);
}

/* Products of x[..0], x[..1], ... up to each element of the last axis, but not including it; doubling the distance. */
static rg_tensor products_before(rg_tape *t, rg_tensor x)
{
    int64_t n = rg_dim(t, x, -1);
    rg_tensor shifted[2] = {rg_ones_like(t, rg_slice(t, x, -1, 0, 1, 1)), rg_slice(t, x, -1, 0, n - 1, 1)};
    rg_tensor p = rg_cat(t, shifted, 2, -1);
    for (int64_t s = 1; s < n; s *= 2) {
        rg_tensor head = rg_slice(t, p, -1, 0, s, 1);
        rg_tensor tail = rg_mul(t, rg_slice(t, p, -1, s, n, 1), rg_slice(t, p, -1, 0, n - s, 1));
        p = rg_cat(t, (rg_tensor[]){head, tail}, 2, -1);
    }
    return p;
}

/* g times the product of all the others, without a division: exact where x is 0, and so are its own derivatives. */
static void vjp_prod(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const struct reduce *a = v->attr;
    rg_shape s = rg_shape_of(t, v->in[0]);
    rg_axes order = {s.rank, {0}}, back = {s.rank, {0}};
    rg_shape moved = {s.rank, {0}}, rows = {1, {1}};
    int at = 0;
    int64_t reduced = 1;
    for (int pass = 0; pass < 2; pass++) /* the kept axes, then the reduced ones */
        for (int i = 0; i < s.rank; i++)
            if ((int)(a->axes >> i & 1) == pass) {
                order.axis[at] = i;
                back.axis[i] = at;
                moved.dims[at++] = s.dims[i];
                reduced *= pass ? s.dims[i] : 1;
            }
    if (reduced == 0 || rg_numel(t, v->in[0]) == 0) {
        v->grad[0] = rg_zeros_like(t, v->in[0]);
        return;
    }
    rows = RG_SHAPE(rg_numel(t, v->in[0]) / reduced, reduced);
    rg_tensor x = s.rank ? rg_permute(t, v->in[0], order) : v->in[0];
    x = rg_reshape(t, x, rows);
    rg_tensor after = rg_flip(t, products_before(t, rg_flip(t, x, RG_AXES(1))), RG_AXES(1));
    rg_tensor others = rg_reshape(t, rg_mul(t, products_before(t, x), after), moved);
    v->grad[0] = rg_mul(t, kept(v, v->g), s.rank ? rg_permute(t, others, back) : others);
}

/* ---- recording ---- */

static rg_tensor reduce(rg_tape *t, const rg__op *op, rg_tensor x, rg__dtype_class allowed, rg_axes axes, bool keepdim,
                        bool needs_elements, rg_dtype dtype)
{
    const rg__node *n = rg__arg_of(t, op, x, allowed);
    struct reduce attr = {0, keepdim};
    if (!n || !rg__axis_set(t, op, n, axes, &attr.axes))
        return RG_NIL;
    int rank = 0;
    int64_t dims[RG_MAX_RANK], reduced = 1;
    for (int i = 0; i < n->rank; i++) {
        bool gone = attr.axes >> i & 1;
        reduced *= gone ? n->dims[i] : 1;
        if (!gone || keepdim)
            dims[rank++] = gone ? 1 : n->dims[i];
    }
    if (needs_elements && reduced == 0 && rg__numel(rank, dims) > 0) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s has no elements along the reduced axes", RG__NODE_TEXT(n));
        return RG_NIL;
    }
    return rg__record(t, op, &x, 1, dtype, rank, dims, &attr);
}

#define RECORD(name, allowed, needs_elements)                                                                   \
    rg_tensor rg_##name(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim)                                    \
    {                                                                                                           \
        const rg__node *n = rg__arg(t, OP(name), x);                                                            \
        return n ? reduce(t, OP(name), x, allowed, axes, keepdim, needs_elements, (rg_dtype)n->dtype) : RG_NIL; \
    }
RECORD(prod, RG__NUMBER, false)
RECORD(max, RG__NUMBER, true)
RECORD(min, RG__NUMBER, true)
RECORD(any, RG__BOOLS, false)
RECORD(all, RG__BOOLS, false)

/* Axes at both ends, with others between them that stay (0, 2 and 3 of images): the last ones first, for executors go
 * through rows, or through columns. */
static bool at_both_ends(const rg__node *n, uint32_t set, rg_axes *last)
{
    const int rank = n->rank;
    int inner = rank, kept = 0;
    for (; inner > 0 && (set >> (inner - 1) & 1); inner--)
        ;
    for (int i = 0; i < inner; i++)
        kept += !(set >> i & 1);
    *last = (rg_axes){0, {0}};
    for (int i = inner; i < rank; i++)
        last->axis[last->count++] = i;
    return last->count > 0 && kept > 0 && kept < inner;
}

rg_tensor rg_sum(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim)
{
    const rg__node *n = rg__arg_of(t, OP(sum), x, RG__NUMBER);
    uint32_t set;
    rg_axes last;
    if (!n || !rg__axis_set(t, OP(sum), n, axes, &set))
        return RG_NIL;
    if (n->numel > 0 && at_both_ends(n, set, &last)) {
        const rg_tensor rows = reduce(t, OP(sum), x, RG__NUMBER, last, true, false, (rg_dtype)n->dtype);
        return reduce(t, OP(sum), rows, RG__NUMBER, axes, keepdim, false, (rg_dtype)n->dtype);
    }
    return reduce(t, OP(sum), x, RG__NUMBER, axes, keepdim, false, (rg_dtype)n->dtype);
}

rg_tensor rg_argmax(rg_tape *t, rg_tensor x, int axis, bool keepdim)
{
    return reduce(t, OP(argmax), x, RG__NUMBER, RG_AXES(axis), keepdim, true, RG_I64);
}

rg_tensor rg_argmin(rg_tape *t, rg_tensor x, int axis, bool keepdim)
{
    return reduce(t, OP(argmin), x, RG__NUMBER, RG_AXES(axis), keepdim, true, RG_I64);
}

/* ---- by name ---- */

RG__CALL(sum, rg_sum(t, in[0], RG__AXES_OF(axes), RG__FLAG_OF(keepdim)))
RG__CALL(prod, rg_prod(t, in[0], RG__AXES_OF(axes), RG__FLAG_OF(keepdim)))
RG__CALL(max, rg_max(t, in[0], RG__AXES_OF(axes), RG__FLAG_OF(keepdim)))
RG__CALL(min, rg_min(t, in[0], RG__AXES_OF(axes), RG__FLAG_OF(keepdim)))
RG__CALL(any, rg_any(t, in[0], RG__AXES_OF(axes), RG__FLAG_OF(keepdim)))
RG__CALL(all, rg_all(t, in[0], RG__AXES_OF(axes), RG__FLAG_OF(keepdim)))
RG__CALL(argmax, rg_argmax(t, in[0], RG__AXIS_OF(axis), RG__FLAG_OF(keepdim)))
RG__CALL(argmin, rg_argmin(t, in[0], RG__AXIS_OF(axis), RG__FLAG_OF(keepdim)))

/* ---- samples ---- */

typedef rg_tensor (*reduction)(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim);

static rg_tensor sample(rg__draw *draw, int index, reduction f, rg__domain domain, bool empty)
{
    rg_tape *t = draw->t;
    switch (index) {
    case 0: return f(t, RG__DRAW(draw, RG_SHAPE(2, 3, 4), domain), RG_AXES(1), false);
    case 1: return f(t, RG__DRAW(draw, RG_SHAPE(2, 3, 4), domain), RG_AXES(-1, 0), true);
    case 2: return f(t, RG__DRAW(draw, RG_SHAPE(5), domain), RG_ALL, false);
    case 3: return f(t, rg_transpose(t, RG__DRAW(draw, RG_SHAPE(3, 4), domain), 0, 1), RG_AXES(1), false);
    case 4: return f(t, RG__DRAW(draw, RG_SCALAR, domain), RG_ALL, false);
    case 5: return f(t, rg_flip(t, RG__DRAW(draw, RG_SHAPE(4, 3), domain), RG_ALL), RG_ALL, true);
    case 6: return empty ? f(t, RG__DRAW(draw, RG_SHAPE(3, 0), domain), RG_AXES(1), false) : RG_NIL;
    default: return RG_NIL;
    }
}

static const rg__domain apart = {RG__DISTINCT, -1, 0}, nonzero = {RG__SIGNED, .5, 1.5};

static rg_tensor sample_sum(rg__draw *draw, int index)
{
    return sample(draw, index, rg_sum, RG__REAL, true);
}

static rg_tensor sample_prod(rg__draw *draw, int index)
{
    return sample(draw, index, rg_prod, nonzero, true);
}

static rg_tensor sample_max(rg__draw *draw, int index)
{
    return sample(draw, index, rg_max, apart, false);
}

static rg_tensor sample_min(rg__draw *draw, int index)
{
    return sample(draw, index, rg_min, apart, false);
}

static rg_tensor positive_any(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim)
{
    return rg_any(t, rg_gt(t, x, rg__like(t, x, 0)), axes, keepdim);
}

static rg_tensor positive_all(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim)
{
    return rg_all(t, rg_gt(t, x, rg__like(t, x, 0)), axes, keepdim);
}

static rg_tensor sample_any(rg__draw *draw, int index)
{
    return sample(draw, index, positive_any, RG__REAL, true);
}

static rg_tensor sample_all(rg__draw *draw, int index)
{
    return sample(draw, index, positive_all, RG__REAL, true);
}

static rg_tensor sample_argmax(rg__draw *draw, int index)
{
    return index < 3 ? rg_argmax(draw->t, RG__DRAW(draw, RG_SHAPE(2, 3, 4), apart), index, index == 1) : RG_NIL;
}

static rg_tensor sample_argmin(rg__draw *draw, int index)
{
    return index < 3 ? rg_argmin(draw->t, RG__DRAW(draw, RG_SHAPE(2, 3, 4), apart), index, index == 1) : RG_NIL;
}

RG__FAMILY(reduce, ROWS(RG__ROW))
