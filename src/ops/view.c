/* Shape ops. Most are views: the same storage under other strides. */
#include "ops/call.h"
#include "ops/family.h"

#include <stdlib.h>
#include <string.h>

#define ROWS(ROW)                                                                                                        \
    ROW(reshape, 1, RG__DIFF, RG__NOKERNEL, "the elements of x in another shape", .again = again_reshape,                \
        RG__CALLED(reshape, "x: any, shape: ints"))                                                                      \
    ROW(permute, 1, RG__DIFF, RG__NOKERNEL, "x with its axes in another order", .again = again_permute,                  \
        RG__ATTR(permute), RG__CALLED(permute, "x: any, order: ints"))                                                   \
    ROW(expand, 1, RG__DIFF, RG__NOKERNEL, "x repeated along axes of extent 1", .again = again_expand,                   \
        RG__CALLED(expand, "x: any, shape: ints"))                                                                       \
    ROW(slice, 1, RG__DIFF, RG__NOKERNEL, "x[start], x[start + step], ... along an axis", .again = again_slice,          \
        RG__ATTR(slice), RG__CALLED(slice, "x: any, axis: int, start: int = none, stop: int = none, step: int = 1"))     \
    ROW(copy, 1, RG__DIFF, RG__KERNEL, "x, row-major")                                                                   \
    ROW(view, 1, RG__THROUGH, RG__COMPOSITE, "reshape that never copies", RG__CALLED(view, "x: any, shape: ints"))       \
    ROW(transpose, 1, RG__THROUGH, RG__COMPOSITE, "x with two axes exchanged",                                           \
        RG__CALLED(transpose, "x: any, axis0: int, axis1: int"))                                                         \
    ROW(squeeze, 1, RG__THROUGH, RG__COMPOSITE, "x without axes of extent 1",                                            \
        RG__CALLED(squeeze, "x: any, axes: ints = all"))                                                                 \
    ROW(unsqueeze, 1, RG__THROUGH, RG__COMPOSITE, "x with one more axis of extent 1",                                    \
        RG__CALLED(unsqueeze, "x: any, axis: int"))                                                                      \
    ROW(select, 1, RG__THROUGH, RG__COMPOSITE, "x[index] along an axis",                                                 \
        RG__CALLED(select, "x: any, axis: int, index: int"))                                                             \
    ROW(flip, 1, RG__THROUGH, RG__COMPOSITE, "x backwards along the axes", RG__CALLED(flip, "x: any, axes: ints = all")) \
    ROW(split, 1, RG__THROUGH, RG__COMPOSITE, "x in parts along an axis",                                                \
        RG__CALLED(split, "x: any, size: int, axis: int = 0 -> ..."))                                                    \
    ROW(contiguous, 1, RG__THROUGH, RG__COMPOSITE, "x, copied unless it is row-major", RG__CALLED(contiguous, "x: any"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_view[OP_##name])

const rg__op *const rg__op_copy = &rg__ops_view[OP_copy], *const rg__op_expand = &rg__ops_view[OP_expand];

/* ---- reshape ---- */

/* Fills in an extent of -1; false and an error where the number of elements does not come out. */
static bool complete(rg_tape *t, const rg__op *op, const rg__node *x, rg_shape *shape)
{
    int unknown = -1;
    int64_t known = 1;
    bool valid = shape->rank >= 0 && shape->rank <= RG_MAX_RANK;
    for (int i = 0; valid && i < shape->rank; i++) {
        if (shape->dims[i] == -1 && unknown < 0)
            unknown = i;
        else
            valid = shape->dims[i] >= 0 && !__builtin_mul_overflow(known, shape->dims[i], &known);
    }
    if (valid && unknown >= 0) {
        valid = known > 0 && x->numel % known == 0;
        shape->dims[unknown] = valid ? x->numel / known : -1;
    } else {
        valid = valid && known == x->numel;
    }
    if (!valid)
        rg__fail(t, op, RG_ERROR_SHAPE, "%s cannot become %s", RG__NODE_TEXT(x), RG__DIMS_TEXT(shape->rank, shape->dims));
    return valid;
}

static bool reshaped(const rg__node *x, rg_shape shape, int64_t *strides)
{
    int64_t old[RG_MAX_RANK];
    rg__node_strides(x, old);
    return rg__reshape_strides(x->rank, x->dims, old, shape.rank, shape.dims, strides);
}

rg_tensor rg_reshape(rg_tape *t, rg_tensor x, rg_shape shape)
{
    const rg__node *n = rg__arg(t, OP(reshape), x);
    int64_t strides[RG_MAX_RANK];
    if (!n || !complete(t, OP(reshape), n, &shape))
        return RG_NIL;
    if (rg__dims_equal(n->rank, n->dims, shape.rank, shape.dims))
        return x;
    if (!reshaped(n, shape, strides)) {
        x = rg_contiguous(t, x);
        n = rg__arg(t, OP(reshape), x);
        if (!n)
            return RG_NIL;
        rg__row_major(shape.rank, shape.dims, strides);
    }
    return rg__record_view(t, OP(reshape), x, shape.rank, shape.dims, strides, n->offset, NULL);
}

rg_tensor rg_view(rg_tape *t, rg_tensor x, rg_shape shape)
{
    const rg__node *n = rg__arg(t, OP(view), x);
    int64_t strides[RG_MAX_RANK];
    if (!n || !complete(t, OP(view), n, &shape))
        return RG_NIL;
    if (!reshaped(n, shape, strides)) {
        rg__fail(t, OP(view), RG_ERROR_SHAPE, "%s is not laid out so that %s needs no copy; reshape copies where it must",
                 RG__NODE_TEXT(n), RG__DIMS_TEXT(shape.rank, shape.dims));
        return RG_NIL;
    }
    return rg_reshape(t, x, shape);
}

static void vjp_reshape(const rg__vjp *v)
{
    v->grad[0] = rg_reshape(v->t, v->g, rg_shape_of(v->t, v->in[0]));
}

rg_tensor rg_squeeze(rg_tape *t, rg_tensor x, rg_axes axes)
{
    const rg__node *n = rg__arg(t, OP(squeeze), x);
    uint32_t set;
    if (!n || !rg__axis_set(t, OP(squeeze), n, axes, &set))
        return RG_NIL;
    rg_shape shape = {0, {0}};
    for (int i = 0; i < n->rank; i++)
        if (!(set >> i & 1) || n->dims[i] != 1)
            shape.dims[shape.rank++] = n->dims[i];
    return rg_reshape(t, x, shape);
}

rg_tensor rg_unsqueeze(rg_tape *t, rg_tensor x, int axis)
{
    const rg__node *n = rg__arg(t, OP(unsqueeze), x);
    if (!n)
        return RG_NIL;
    int at = rg__axis(axis, n->rank + 1);
    if (at < 0 || n->rank == RG_MAX_RANK) {
        rg__fail(t, OP(unsqueeze), RG_ERROR_SHAPE,
                 at < 0 ? "axis %d is out of range for a new axis of %s" : "a new axis %d in %s would be one too many",
                 axis, RG__NODE_TEXT(n));
        return RG_NIL;
    }
    rg_shape shape = {n->rank + 1, {0}};
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = i == at ? 1 : n->dims[i - (i > at)];
    return rg_reshape(t, x, shape);
}

/* ---- copy ---- */

static bool kernel_copy(const rg__run *run)
{
    rg__copy_shared(run->threads, run->out.rank, run->out.dims, rg__strided_of(&run->out), rg__strided_of(&run->in[0]));
    return true;
}

static void vjp_copy(const rg__vjp *v)
{
    v->grad[0] = v->g;
}

rg_tensor rg__copy_of(rg_tape *t, rg_tensor x)
{
    const rg__node *n = rg__arg(t, OP(copy), x);
    return n ? rg__record(t, OP(copy), &x, 1, (rg_dtype)n->dtype, n->rank, n->dims, NULL) : RG_NIL;
}

rg_tensor rg_contiguous(rg_tape *t, rg_tensor x)
{
    const rg__node *n = rg__arg(t, OP(contiguous), x);
    return n && n->strides ? rg__copy_of(t, x) : n ? x : RG_NIL;
}

/* ---- permute ---- */

struct permute {
    int8_t order[RG_MAX_RANK]; /* axis i of the result is axis order[i] of x; -1 past the rank */
};
static const rg__field fields_permute[] = {RG__FIELD(struct permute, order, RG__AXIS_ORDER), {0}};

rg_tensor rg_permute(rg_tape *t, rg_tensor x, rg_axes order)
{
    const rg__node *n = rg__arg(t, OP(permute), x);
    if (!n)
        return RG_NIL;
    if (order.count != n->rank) {
        rg__fail(t, OP(permute), RG_ERROR_SHAPE, "%d axes given for %s, which has %d", order.count, RG__NODE_TEXT(n),
                 n->rank);
        return RG_NIL;
    }
    uint32_t set;
    if (n->rank && !rg__axis_set(t, OP(permute), n, order, &set))
        return RG_NIL;
    struct permute attr;
    memset(attr.order, -1, sizeof attr.order);
    int64_t old[RG_MAX_RANK], dims[RG_MAX_RANK], strides[RG_MAX_RANK];
    rg__node_strides(n, old);
    bool moved = false;
    for (int i = 0; i < n->rank; i++) {
        int axis = rg__axis(order.axis[i], n->rank);
        attr.order[i] = (int8_t)axis;
        dims[i] = n->dims[axis];
        strides[i] = old[axis];
        moved = moved || axis != i;
    }
    return moved ? rg__record_view(t, OP(permute), x, n->rank, dims, strides, n->offset, &attr) : x;
}

static void vjp_permute(const rg__vjp *v)
{
    const struct permute *a = v->attr;
    rg_axes back = {v->node->rank, {0}};
    for (int i = 0; i < back.count; i++)
        back.axis[a->order[i]] = i;
    v->grad[0] = rg_permute(v->t, v->g, back);
}

rg_tensor rg_transpose(rg_tape *t, rg_tensor x, int axis0, int axis1)
{
    const rg__node *n = rg__arg(t, OP(transpose), x);
    int a = n ? rg__axis_of(t, OP(transpose), n, axis0) : -1, b = a >= 0 ? rg__axis_of(t, OP(transpose), n, axis1) : -1;
    if (b < 0)
        return RG_NIL;
    rg_axes order = {n->rank, {0}};
    for (int i = 0; i < n->rank; i++)
        order.axis[i] = i == a ? b : i == b ? a : i;
    return rg_permute(t, x, order);
}

/* ---- expand ---- */

rg_tensor rg_expand(rg_tape *t, rg_tensor x, rg_shape shape)
{
    const rg__node *n = rg__arg(t, OP(expand), x);
    if (!n)
        return RG_NIL;
    int new_axes = shape.rank - n->rank;
    bool fits = new_axes >= 0 && shape.rank <= RG_MAX_RANK;
    for (int i = 0; fits && i < shape.rank; i++) {
        int64_t old = i < new_axes ? 1 : n->dims[i - new_axes];
        if (shape.dims[i] == -1 && i >= new_axes)
            shape.dims[i] = old;
        fits = shape.dims[i] >= 0 && (old == 1 || old == shape.dims[i]);
    }
    if (!fits || rg__numel(shape.rank, shape.dims) < 0) {
        rg__fail(t, OP(expand), RG_ERROR_SHAPE, "%s cannot be repeated to %s", RG__NODE_TEXT(n),
                 RG__DIMS_TEXT(shape.rank, shape.dims));
        return RG_NIL;
    }
    if (rg__dims_equal(n->rank, n->dims, shape.rank, shape.dims))
        return x;
    int64_t old[RG_MAX_RANK], strides[RG_MAX_RANK];
    rg__node_strides(n, old);
    rg__broadcast_strides(n->rank, n->dims, old, shape.rank, shape.dims, strides);
    return rg__record_view(t, OP(expand), x, shape.rank, shape.dims, strides, n->offset, NULL);
}

static void vjp_expand(const rg__vjp *v)
{
    v->grad[0] = v->g; /* the engine sums it back */
}

/* ---- slice ---- */

struct slice {
    int64_t axis, start, count, step;
};
static const rg__field fields_slice[] = {RG__FIELD(struct slice, axis, RG__INT),
                                         RG__FIELD(struct slice, start, RG__INT),
                                         RG__FIELD(struct slice, count, RG__INT),
                                         RG__FIELD(struct slice, step, RG__INT),
                                         {0}};

static int64_t clip(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

int64_t rg__slice_range(int64_t extent, int64_t *start, int64_t stop, int64_t step)
{
    const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? extent : extent - 1;
    if (stop == RG_END)
        stop = step > 0 ? high : low;
    else
        stop = clip(stop < 0 ? stop + extent : stop, low, high);
    *start = clip(*start < 0 && *start >= -extent ? *start + extent : *start, low, high);
    const int64_t distance = step > 0 ? stop - *start : *start - stop;
    return distance > 0 ? (distance - 1) / llabs(step) + 1 : 0;
}

rg_tensor rg_slice(rg_tape *t, rg_tensor x, int axis, int64_t start, int64_t stop, int64_t step)
{
    const rg__node *n = rg__arg(t, OP(slice), x);
    int at = n ? rg__axis_of(t, OP(slice), n, axis) : -1;
    if (at < 0)
        return RG_NIL;
    if (step == 0 || step == INT64_MIN) {
        rg__fail(t, OP(slice), RG_ERROR_ARGUMENT, "a step of %lld is not allowed", (long long)step);
        return RG_NIL;
    }
    const int64_t extent = n->dims[at], count = rg__slice_range(extent, &start, stop, step);
    struct slice attr = {at, start, count, step};
    if (attr.count == 0)
        attr.start = 0;
    if (attr.count <= 1)
        attr.step = 1;
    if (attr.count == extent && attr.step == 1)
        return x;
    int64_t dims[RG_MAX_RANK], strides[RG_MAX_RANK];
    memcpy(dims, n->dims, sizeof *dims * n->rank);
    rg__node_strides(n, strides);
    int64_t offset = n->offset + attr.start * strides[at];
    dims[at] = attr.count;
    strides[at] *= attr.step;
    return rg__record_view(t, OP(slice), x, n->rank, dims, strides, offset, &attr);
}

/* g back in its places, zeros around and between. */
static void vjp_slice(const rg__vjp *v)
{
    const struct slice *a = v->attr;
    int64_t before[RG_MAX_RANK] = {0}, after[RG_MAX_RANK] = {0}, interior[RG_MAX_RANK] = {0};
    int64_t extent = rg_dim(v->t, v->in[0], (int)a->axis), stride = llabs(a->step);
    int64_t span = a->count ? (a->count - 1) * stride + 1 : 0;
    before[a->axis] = a->step > 0 ? a->start : a->start - span + 1;
    after[a->axis] = extent - span - before[a->axis];
    interior[a->axis] = stride - 1;
    rg_tensor g = a->step > 0 ? v->g : rg_flip(v->t, v->g, RG_AXES((int)a->axis));
    v->grad[0] = rg__pad(v->t, g, before, after, interior, 0);
}

rg_tensor rg_select(rg_tape *t, rg_tensor x, int axis, int64_t index)
{
    const rg__node *n = rg__arg(t, OP(select), x);
    int at = n ? rg__axis_of(t, OP(select), n, axis) : -1;
    if (at < 0)
        return RG_NIL;
    int64_t extent = n->dims[at], i = index < 0 ? index + extent : index;
    if (i < 0 || i >= extent) {
        rg__fail(t, OP(select), RG_ERROR_ARGUMENT, "index %lld is out of range for axis %d of %s", (long long)index,
                 axis, RG__NODE_TEXT(n));
        return RG_NIL;
    }
    return rg_squeeze(t, rg_slice(t, x, at, i, i + 1, 1), RG_AXES(at));
}

rg_tensor rg_flip(rg_tape *t, rg_tensor x, rg_axes axes)
{
    const rg__node *n = rg__arg(t, OP(flip), x);
    uint32_t set;
    if (!n || !rg__axis_set(t, OP(flip), n, axes, &set))
        return RG_NIL;
    for (int i = 0; i < RG_MAX_RANK; i++)
        if (set >> i & 1)
            x = rg_slice(t, x, i, -1, RG_END, -1);
    return x;
}

int rg_split(rg_tape *t, rg_tensor x, int64_t size, int axis, rg_tensor *parts, int capacity)
{
    const rg__node *n = rg__arg(t, OP(split), x);
    int at = n ? rg__axis_of(t, OP(split), n, axis) : -1;
    if (at < 0)
        return 0;
    int64_t extent = n->dims[at], count = size > 0 && extent > 0 ? (extent - 1) / size + 1 : 1;
    if (size < 1 || count > capacity || !parts) {
        rg__fail(
            t, OP(split), RG_ERROR_ARGUMENT,
            "axis %d of %s in parts of %lld: the size must be 1 or more and the parts at most the %d there is room for",
            axis, RG__NODE_TEXT(n), (long long)size, capacity);
        return 0;
    }
    for (int64_t i = 0; i < count; i++)
        parts[i] = rg_slice(t, x, at, i * size, (i + 1) * size < extent ? (i + 1) * size : extent, 1);
    return rg_failed(t) ? 0 : (int)count;
}

/* ---- the same of another x, for the gradient checker ---- */

static rg_shape shape_of(const rg__node *n)
{
    rg_shape shape = {n->rank, {0}};
    memcpy(shape.dims, n->dims, n->rank * sizeof *n->dims);
    return shape;
}

static rg_tensor again_reshape(rg_tape *t, rg_tensor x, const rg__node *like)
{
    return rg_reshape(t, x, shape_of(like));
}

static rg_tensor again_permute(rg_tape *t, rg_tensor x, const rg__node *like)
{
    rg_axes order = {like->rank, {0}};
    for (int i = 0; i < order.count; i++)
        order.axis[i] = ((const struct permute *)like->attr)->order[i];
    return rg_permute(t, x, order);
}

static rg_tensor again_expand(rg_tape *t, rg_tensor x, const rg__node *like)
{
    return rg_expand(t, x, shape_of(like));
}

static rg_tensor again_slice(rg_tape *t, rg_tensor x, const rg__node *like)
{
    const struct slice *a = like->attr;
    int64_t stop = a->start + a->count * a->step;
    return rg_slice(t, x, (int)a->axis, a->start, stop < 0 ? RG_END : stop, a->step);
}

/* ---- by name ---- */

RG__CALL(reshape, rg_reshape(t, in[0], RG__SHAPE_OF(shape)))
RG__CALL(permute, rg_permute(t, in[0], RG__AXES_OF(order)))
RG__CALL(expand, rg_expand(t, in[0], RG__SHAPE_OF(shape)))
RG__CALL(view, rg_view(t, in[0], RG__SHAPE_OF(shape)))
RG__CALL(transpose, rg_transpose(t, in[0], RG__AXIS_OF(axis0), RG__AXIS_OF(axis1)))
RG__CALL(squeeze, rg_squeeze(t, in[0], RG__AXES_OF(axes)))
RG__CALL(unsqueeze, rg_unsqueeze(t, in[0], RG__AXIS_OF(axis)))
RG__CALL(select, rg_select(t, in[0], RG__AXIS_OF(axis), RG__INT_OF(index)))
RG__CALL(flip, rg_flip(t, in[0], RG__AXES_OF(axes)))
RG__CALL(contiguous, rg_contiguous(t, in[0]))
static int call_slice(const rg__call *c, rg_tensor *out)
{
    /* Without a start, from the first element in the step's direction. */
    const int64_t step = RG__INT_OF(step), stop = rg__call_given(c, "stop") ? RG__INT_OF(stop) : RG_END;
    const int64_t start = rg__call_given(c, "start") ? RG__INT_OF(start) : step < 0 ? -1 : 0;
    out[0] = rg_slice(c->t, c->in[0], RG__AXIS_OF(axis), start, stop, step);
    return 1;
}

static int call_split(const rg__call *c, rg_tensor *out)
{
    return rg_split(c->t, c->in[0], RG__INT_OF(size), RG__AXIS_OF(axis), out, c->capacity);
}

/* ---- samples ---- */

#define SAMPLE(name, n, ...)                                                            \
    static rg_tensor sample_##name(rg__draw *draw, int index)                           \
    {                                                                                   \
        rg_tape *t = draw->t;                                                           \
        rg_tensor x = index < n ? RG__DRAW(draw, RG_SHAPE(2, 3, 4), RG__REAL) : RG_NIL; \
        return index < n ? (__VA_ARGS__) : RG_NIL;                                      \
    }
SAMPLE(reshape, 2, rg_reshape(t, index ? rg_transpose(t, x, 0, 2) : x, RG_SHAPE(4, -1)))
SAMPLE(permute, 1, rg_permute(t, x, RG_AXES(2, 0, -2)))
SAMPLE(copy, 1, rg_contiguous(t, rg_transpose(t, x, 0, 1)))
SAMPLE(view, 1, rg_view(t, x, RG_SHAPE(6, 2, 2)))
SAMPLE(transpose, 2, rg_transpose(t, x, index, -1))
SAMPLE(squeeze, 2, rg_squeeze(t, rg_slice(t, x, 1, 1, 2, 1), index ? RG_AXES(1) : RG_ALL))
SAMPLE(unsqueeze, 4, rg_unsqueeze(t, x, index ? -index : 0))
SAMPLE(select, 3, rg_select(t, x, index, -1))
SAMPLE(flip, 3, rg_flip(t, x, index ? RG_AXES(index) : RG_ALL))
SAMPLE(contiguous, 1, rg_contiguous(t, rg_flip(t, x, RG_ALL)))
SAMPLE(slice, 6,
       index == 0   ? rg_slice(t, x, 2, 1, 3, 1)
       : index == 1 ? rg_slice(t, x, -1, 0, RG_END, 3)
       : index == 2 ? rg_slice(t, x, 2, -1, 0, -2)
       : index == 3 ? rg_slice(t, x, 1, -1, RG_END, -1)
       : index == 4 ? rg_slice(t, x, 1, 2, 2, 1)
                    : rg_slice(t, rg_slice(t, rg_transpose(t, x, 0, 1), 0, 2, RG_END, -2), 2, 1, -1, 1))

static rg_tensor sample_expand(rg__draw *draw, int index)
{
    return index > 1 ? RG_NIL
                     : rg_expand(draw->t, RG__DRAW(draw, RG_SHAPE(3, 1), RG__REAL),
                                 index ? RG_SHAPE(2, -1, 4) : RG_SHAPE(3, 2));
}

static rg_tensor sample_split(rg__draw *draw, int index)
{
    rg_tensor parts[3];
    if (index > 0 || rg_split(draw->t, RG__DRAW(draw, RG_SHAPE(2, 5), RG__REAL), 2, 1, parts, 3) != 3)
        return RG_NIL;
    return rg_mul(draw->t, rg_mul(draw->t, parts[0], parts[1]), parts[2]);
}

RG__FAMILY(view, ROWS(RG__ROW))
