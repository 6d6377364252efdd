/* Joining and padding. */
#include "ops/call.h"
#include "ops/family.h"

#include <string.h>

#define ROWS(ROW)                                                                                      \
    ROW(cat, -1, RG__DIFF, RG__KERNEL, "the inputs one after the other along an axis", RG__ATTR(cat),  \
        RG__CALLED(cat, "x...: any, axis: int = 0"))                                                   \
    ROW(stack, -1, RG__THROUGH, RG__COMPOSITE, "the inputs one after the other along a new axis",      \
        RG__CALLED(stack, "x...: any, axis: int = 0"))                                                 \
    ROW(pad, 1, RG__DIFF, RG__KERNEL, "x with a value around and between its elements", RG__ATTR(pad), \
        RG__CALLED(pad, "x: any, before: ints, after: ints, value: real = 0"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_join[OP_##name])

/* ---- cat ---- */

struct cat {
    int64_t axis;
};
static const rg__field fields_cat[] = {RG__FIELD(struct cat, axis, RG__INT), {0}};

/* Many inputs are shared out whole, few are copied by all threads. */
static bool kernel_cat(const rg__run *run)
{
    enum { FEW = 1024, WORTH_THREADS = 1 << 16 };
    const struct cat *a = run->node->attr;
    const int64_t along = run->out.strides[a->axis] * (int64_t)rg_dtype_size(run->out.dtype);
    int64_t first[FEW];
    const int n = run->node->n_in;
    const bool shared = run->threads > 1 && run->node->numel >= WORTH_THREADS && n <= FEW && n >= run->threads;
    rg__strided out = rg__strided_of(&run->out);
    for (int i = 0; i < n; i++) {
        const rg__array_view *x = &run->in[i];
        if (shared)
            first[i] = (char *)out.data - (char *)run->out.data;
        else
            rg__copy_shared(run->threads, x->rank, x->dims, out, rg__strided_of(x));
        out.data = (char *)out.data + x->dims[a->axis] * along;
    }
    if (shared)
#pragma omp parallel for num_threads(run->threads) schedule(dynamic)
        for (int i = 0; i < n; i++) {
            const rg__array_view *x = &run->in[i];
            rg__copy(x->rank, x->dims,
                     (rg__strided){(char *)run->out.data + first[i], run->out.strides, rg_dtype_size(x->dtype)},
                     rg__strided_of(x));
        }
    return true;
}

rg_tensor rg_cat(rg_tape *t, const rg_tensor *x, int count, int axis)
{
    if (count < 1 || count > UINT16_MAX || !x) {
        rg__fail(t, OP(cat), RG_ERROR_ARGUMENT, "%d tensors given; 1 to %d are allowed", count, UINT16_MAX);
        return RG_NIL;
    }
    const rg__node *first = rg__arg(t, OP(cat), x[0]);
    int at = first ? rg__axis_of(t, OP(cat), first, axis) : -1;
    if (at < 0)
        return RG_NIL;
    int64_t dims[RG_MAX_RANK];
    memcpy(dims, first->dims, sizeof *dims * first->rank);
    for (int i = 1; i < count; i++) {
        const rg__node *n = rg__arg(t, OP(cat), x[i]);
        if (!n)
            return RG_NIL;
        bool fits = n->rank == first->rank;
        for (int k = 0; fits && k < n->rank; k++)
            fits = k == at || n->dims[k] == first->dims[k];
        if (!fits || n->dtype != first->dtype) {
            rg__fail(t, OP(cat), fits ? RG_ERROR_DTYPE : RG_ERROR_SHAPE,
                     "%s of %s and %s of %s do not join along axis %d (inputs 0 and %d)",
                     rg_dtype_name((rg_dtype)first->dtype), RG__NODE_TEXT(first), rg_dtype_name((rg_dtype)n->dtype),
                     RG__NODE_TEXT(n), axis, i);
            return RG_NIL;
        }
        if (__builtin_add_overflow(dims[at], n->dims[at], &dims[at]))
            dims[at] = -1;
    }
    if (count == 1)
        return x[0];
    return rg__record(t, OP(cat), x, count, (rg_dtype)first->dtype, first->rank, dims, &(struct cat){at});
}

static void vjp_cat(const rg__vjp *v)
{
    const struct cat *a = v->attr;
    int64_t start = 0;
    for (int i = 0; i < v->node->n_in; i++) {
        int64_t stop = start + rg_dim(v->t, v->in[i], (int)a->axis);
        RG__GRAD(v, i, rg_slice(v->t, v->g, (int)a->axis, start, stop, 1));
        start = stop;
    }
}

rg_tensor rg_stack(rg_tape *t, const rg_tensor *x, int count, int axis)
{
    enum { MOST = 256 };
    if (count < 1 || count > MOST || !x) {
        rg__fail(t, OP(stack), RG_ERROR_ARGUMENT, "%d tensors given; 1 to %d are allowed", count, MOST);
        return RG_NIL;
    }
    rg_tensor rows[MOST];
    const rg__node *first = rg__arg(t, OP(stack), x[0]);
    if (!first)
        return RG_NIL;
    const int at = rg__axis(axis, first->rank + 1);
    if (at < 0 || first->rank == RG_MAX_RANK) {
        rg__fail(t, OP(stack), RG_ERROR_SHAPE,
                 at < 0 ? "axis %d is out of range for a new axis of %s" : "a new axis %d in %s would be one too many",
                 axis, RG__NODE_TEXT(first));
        return RG_NIL;
    }
    for (int i = 0; i < count; i++) {
        const rg__node *n = rg__arg(t, OP(stack), x[i]);
        if (!n)
            return RG_NIL;
        bool fits = rg__dims_equal(n->rank, n->dims, first->rank, first->dims);
        if (!fits || n->dtype != first->dtype) {
            rg__fail(t, OP(stack), fits ? RG_ERROR_DTYPE : RG_ERROR_SHAPE,
                     "%s of %s and %s of %s differ (inputs 0 and %d)", rg_dtype_name((rg_dtype)first->dtype),
                     RG__NODE_TEXT(first), rg_dtype_name((rg_dtype)n->dtype), RG__NODE_TEXT(n), i);
            return RG_NIL;
        }
        rows[i] = rg_unsqueeze(t, x[i], at);
    }
    return rg_cat(t, rows, count, at);
}

/* ---- pad ---- */

struct pad {
    double value;
    int64_t before[RG_MAX_RANK], after[RG_MAX_RANK], interior[RG_MAX_RANK]; /* none negative; 0 past the rank */
};
static const rg__field fields_pad[] = {RG__FIELD(struct pad, before, RG__EXTENTS),
                                       RG__FIELD(struct pad, after, RG__EXTENTS),
                                       RG__FIELD(struct pad, interior, RG__EXTENTS),
                                       RG__FIELD(struct pad, value, RG__FLOAT),
                                       {0}};

#define FILL(T)                                    \
    for (int64_t i = 0; i < run->node->numel; i++) \
        ((T *)run->out.data)[i] = (T)a->value;     \
    break

static bool kernel_pad(const rg__run *run)
{
    const struct pad *a = run->node->attr;
    switch (run->out.dtype) {
    case RG_F32: FILL(float);
    case RG_F64: FILL(double);
    case RG_I32: FILL(int32_t);
    case RG_I64: FILL(int64_t);
    case RG_BOOL: FILL(bool);
    }
    rg__strided out = rg__strided_of(&run->out);
    int64_t strides[RG_MAX_RANK], offset = 0;
    for (int i = 0; i < run->out.rank; i++) {
        offset += a->before[i] * run->out.strides[i];
        strides[i] = run->out.strides[i] * (a->interior[i] + 1);
    }
    out.data = (char *)out.data + offset * (int64_t)out.size;
    out.strides = strides;
    if (run->in[0].rank == 0 || rg__numel(run->in[0].rank, run->in[0].dims) > 0)
        rg__copy(run->out.rank, run->in[0].dims, out, rg__strided_of(&run->in[0]));
    return true;
}

rg_tensor rg__pad(rg_tape *t, rg_tensor x, const int64_t *before, const int64_t *after, const int64_t *interior,
                  double value)
{
    const rg__node *n = rg__arg(t, OP(pad), x);
    if (!n)
        return RG_NIL;
    struct pad attr = {value, {0}, {0}, {0}};
    int64_t dims[RG_MAX_RANK];
    bool valid = true, changed = false;
    for (int i = 0; i < n->rank; i++) {
        attr.before[i] = before[i];
        attr.after[i] = after[i];
        attr.interior[i] = n->dims[i] > 1 ? interior[i] : 0;
        int64_t gaps = 0;
        valid = valid && !__builtin_mul_overflow(attr.interior[i], n->dims[i] - 1, &gaps) &&
                !__builtin_add_overflow(n->dims[i], n->dims[i] > 0 ? gaps : 0, &dims[i]) &&
                !__builtin_add_overflow(dims[i], before[i], &dims[i]) &&
                !__builtin_add_overflow(dims[i], after[i], &dims[i]);
        changed = changed || before[i] || after[i] || attr.interior[i];
    }
    if (!valid || rg__numel(n->rank, dims) < 0) {
        rg__fail(t, OP(pad), RG_ERROR_SHAPE, "%s padded by %s before and %s after has no valid size", RG__NODE_TEXT(n),
                 RG__DIMS_TEXT(n->rank, before), RG__DIMS_TEXT(n->rank, after));
        return RG_NIL;
    }
    return changed ? rg__record(t, OP(pad), &x, 1, (rg_dtype)n->dtype, n->rank, dims, &attr) : x;
}

rg_tensor rg_pad(rg_tape *t, rg_tensor x, const int64_t *before, const int64_t *after, double value)
{
    const rg__node *n = rg__arg(t, OP(pad), x);
    if (!n)
        return RG_NIL;
    if (!rg__dtype_holds((rg_dtype)n->dtype, value)) {
        rg__fail(t, OP(pad), RG_ERROR_ARGUMENT, "%g is not a whole number that %s can hold", value,
                 rg_dtype_name((rg_dtype)n->dtype));
        return RG_NIL;
    }
    int64_t add_before[RG_MAX_RANK] = {0}, add_after[RG_MAX_RANK] = {0}, none[RG_MAX_RANK] = {0};
    for (int i = 0; i < n->rank; i++) {
        if (!before || !after) {
            rg__fail(t, OP(pad), RG_ERROR_ARGUMENT, "before and after must name one number for each axis");
            return RG_NIL;
        }
        int64_t start = before[i] < 0 ? (before[i] > -n->dims[i] ? -before[i] : n->dims[i]) : 0;
        int64_t stop = after[i] < 0 ? (after[i] > -n->dims[i] ? n->dims[i] + after[i] : 0) : n->dims[i];
        if (start > stop) {
            rg__fail(t, OP(pad), RG_ERROR_ARGUMENT, "%lld before and %lld after cut off more than axis %d of %s has",
                     (long long)before[i], (long long)after[i], i, RG__NODE_TEXT(n));
            return RG_NIL;
        }
        x = rg_slice(t, x, i, start, stop, 1);
        add_before[i] = before[i] > 0 ? before[i] : 0;
        add_after[i] = after[i] > 0 ? after[i] : 0;
    }
    return rg__pad(t, x, add_before, add_after, none, value);
}

bool rg__pad_part(const rg__node *node, int *axis, int64_t *first)
{
    const struct pad *a = node->attr;
    if (node->op != OP(pad) || a->value != 0)
        return false;
    *axis = -1;
    for (int i = 0; i < node->rank; i++) {
        const bool padded = a->before[i] || a->after[i];
        if (a->interior[i] || (padded && *axis >= 0))
            return false;
        *axis = padded ? i : *axis;
    }
    *first = *axis < 0 ? 0 : a->before[*axis];
    return *axis >= 0;
}

static void vjp_pad(const rg__vjp *v)
{
    const struct pad *a = v->attr;
    rg_shape s = rg_shape_of(v->t, v->in[0]);
    rg_tensor g = v->g;
    for (int i = 0; i < s.rank; i++) {
        int64_t step = a->interior[i] + 1, stop = a->before[i] + (s.dims[i] - 1) * step + 1;
        g = rg_slice(v->t, g, i, a->before[i], s.dims[i] ? stop : a->before[i], step);
    }
    v->grad[0] = g;
}

/* ---- by name ---- */

RG__CALL(cat, rg_cat(t, in, c->count, RG__AXIS_OF(axis)))
RG__CALL(stack, rg_stack(t, in, c->count, RG__AXIS_OF(axis)))
static int call_pad(const rg__call *c, rg_tensor *out)
{
    int64_t before[RG_MAX_RANK] = {0}, after[RG_MAX_RANK] = {0};
    const rg__node *n = rg__arg(c->t, c->op, c->in[0]);
    if (n && n->rank) {
        rg__call_each(c, "before", n->rank, before);
        rg__call_each(c, "after", n->rank, after);
    }
    out[0] = rg_pad(c->t, c->in[0], before, after, RG__REAL_OF(value));
    return 1;
}

/* ---- samples ---- */

static rg_tensor sample_cat(rg__draw *draw, int index)
{
    if (index > 1)
        return RG_NIL;
    rg_tensor x[3];
    for (int i = 0; i < 3; i++)
        x[i] = index ? rg_transpose(draw->t, RG__DRAW(draw, RG_SHAPE(i, 2), RG__REAL), 0, 1)
                     : RG__DRAW(draw, RG_SHAPE(i + 1, 2), RG__REAL);
    return rg_cat(draw->t, x, 3, index ? -1 : 0);
}

static rg_tensor sample_stack(rg__draw *draw, int index)
{
    if (index > 2)
        return RG_NIL;
    rg_tensor x[2];
    for (int i = 0; i < 2; i++)
        x[i] = RG__DRAW(draw, RG_SHAPE(2, 3), RG__REAL);
    return rg_stack(draw->t, x, 2, index - 1);
}

static rg_tensor sample_pad(rg__draw *draw, int index)
{
    static const int64_t before[][2] = {{1, 0}, {0, -1}, {2, 1}}, after[][2] = {{0, 2}, {-1, 0}, {1, 1}};
    static const int64_t interior[] = {1, 2};
    if (index > 3)
        return RG_NIL;
    rg_tensor x = RG__DRAW(draw, RG_SHAPE(3, 4), RG__REAL);
    return index < 3 ? rg_pad(draw->t, x, before[index], after[index], .5)
                     : rg__pad(draw->t, x, before[0], after[0], interior, -1);
}

RG__FAMILY(join, ROWS(RG__ROW))
