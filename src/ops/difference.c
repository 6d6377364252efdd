/* Differences along an axis, and the areas of the trapezoidal rule: made of slices and sums. */
#include "ops/call.h"
#include "ops/family.h"

#define ROWS(ROW)                                                                                    \
    ROW(diff, 3, RG__THROUGH, RG__COMPOSITE, "x less the x before along the axis",                   \
        RG__CALLED(diff, "x: any, prepend?: any, append?: any, n: int = 1, axis: int = -1"))         \
    ROW(trapezoid, 2, RG__THROUGH, RG__COMPOSITE, "sum of (y + the y before) dx / 2 along the axis", \
        RG__CALLED(trapezoid, "y: float, x?: float, dx: real = 1, axis: int = -1"))                  \
    ROW(cumulative_trapezoid, 2, RG__THROUGH, RG__COMPOSITE,                                         \
        "sum of (y + the y before) dx / 2 up to here along the axis",                                \
        RG__CALLED(cumulative_trapezoid, "y: float, x?: float, dx: real = 1, axis: int = -1"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_difference[OP_##name])

static rg_tensor without_first(rg_tape *t, rg_tensor x, int axis)
{
    return rg_slice(t, x, axis, 1, RG_END, 1);
}

static rg_tensor without_last(rg_tape *t, rg_tensor x, int axis)
{
    return rg_slice(t, x, axis, 0, -1, 1);
}

/* An argument of diff that may be left out: joined to x at one end; nil and an error where it does not fit. */
static rg_tensor joined(rg_tape *t, rg_tensor x, rg_tensor more, int axis, bool before)
{
    const rg__node *m = rg_is_nil(more) ? NULL : rg__arg(t, OP(diff), more), *n = m ? rg__arg(t, OP(diff), x) : NULL;
    if (!n)
        return rg_is_nil(more) ? x : RG_NIL;
    bool fits = m->rank == n->rank;
    for (int i = 0; fits && i < n->rank; i++)
        fits = i == axis || m->dims[i] == n->dims[i];
    if (!fits || m->dtype != n->dtype) {
        rg__fail(t, OP(diff), m->dtype != n->dtype ? RG_ERROR_DTYPE : RG_ERROR_SHAPE,
                 "%s is %s of %s; to be joined along axis %d to x, %s of %s", before ? "prepend" : "append",
                 rg_dtype_name((rg_dtype)m->dtype), RG__NODE_TEXT(m), axis, rg_dtype_name((rg_dtype)n->dtype),
                 RG__NODE_TEXT(n));
        return RG_NIL;
    }
    return rg_cat(t, before ? (rg_tensor[]){more, x} : (rg_tensor[]){x, more}, 2, axis);
}

rg_tensor rg_diff(rg_tape *t, rg_tensor x, int64_t n, int axis, rg_tensor prepend, rg_tensor append)
{
    const rg__op *op = OP(diff);
    const rg__node *node = rg__arg(t, op, x);
    const int at = node ? rg__axis_of(t, op, node, axis) : -1;
    if (at < 0)
        return RG_NIL;
    if (n < 0) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "n is %lld; 0 or more is needed", (long long)n);
        return RG_NIL;
    }
    if (n > 0)
        x = joined(t, joined(t, x, prepend, at, true), append, at, false);
    for (; n > 0 && !rg_failed(t) && rg_dim(t, x, at) > 0; n--) {
        const rg_tensor next = without_first(t, x, at), last = without_last(t, x, at);
        x = rg_dtype_of(t, x) == RG_BOOL ? rg_logical_xor(t, next, last) : rg_sub(t, next, last);
    }
    return x;
}

/* The areas between neighbours: y [.., n, ..] -> [.., n - 1, ..]; x has one number for each y, or for each place along
 * the axis; nil: they are dx apart. */
static rg_tensor areas(rg_tape *t, const rg__op *op, rg_tensor y, rg_tensor x, double dx, int axis, int *at)
{
    const rg__node *n = rg__arg_of(t, op, y, RG__FLOATS),
                   *nx = n && !rg_is_nil(x) ? rg__arg_of(t, op, x, RG__FLOATS) : NULL;
    *at = n ? rg__axis_of(t, op, n, axis) : -1;
    if (*at < 0 || (!nx && !rg_is_nil(x)))
        return RG_NIL;
    const rg_tensor both = rg_add(t, without_first(t, y, *at), without_last(t, y, *at));
    if (!nx)
        return rg_mul_scalar(t, both, dx / 2);
    const bool line = nx->rank == 1, same = rg__dims_equal(n->rank, n->dims, nx->rank, nx->dims);
    if (nx->dtype != n->dtype || !(same || (line && nx->dims[0] == n->dims[*at]))) {
        rg__fail(t, op, nx->dtype != n->dtype ? RG_ERROR_DTYPE : RG_ERROR_SHAPE,
                 "x is %s of %s; y, along axis %d, is %s of %s", rg_dtype_name((rg_dtype)nx->dtype), RG__NODE_TEXT(nx),
                 axis, rg_dtype_name((rg_dtype)n->dtype), RG__NODE_TEXT(n));
        return RG_NIL;
    }
    const int along = same ? *at : 0;
    rg_tensor apart = rg_sub(t, without_first(t, x, along), without_last(t, x, along));
    if (!same) {
        rg_shape s = {n->rank, {1, 1, 1, 1, 1, 1, 1, 1}};
        s.dims[*at] = rg_dim(t, apart, 0);
        apart = rg_reshape(t, apart, s);
    }
    return rg_mul_scalar(t, rg_mul(t, both, apart), .5);
}

rg_tensor rg_trapezoid(rg_tape *t, rg_tensor y, rg_tensor x, double dx, int axis)
{
    int at;
    const rg_tensor a = areas(t, OP(trapezoid), y, x, dx, axis, &at);
    return rg_is_nil(a) ? RG_NIL : rg_sum(t, a, RG_AXES(at), false);
}

rg_tensor rg_cumulative_trapezoid(rg_tape *t, rg_tensor y, rg_tensor x, double dx, int axis)
{
    int at;
    const rg_tensor a = areas(t, OP(cumulative_trapezoid), y, x, dx, axis, &at);
    return rg_is_nil(a) ? RG_NIL : rg_cumsum(t, a, at);
}

/* ---- by name ---- */

RG__CALL(diff, rg_diff(t, in[0], RG__INT_OF(n), RG__AXIS_OF(axis), in[1], in[2]))
RG__CALL(trapezoid, rg_trapezoid(t, in[0], in[1], RG__REAL_OF(dx), RG__AXIS_OF(axis)))
RG__CALL(cumulative_trapezoid, rg_cumulative_trapezoid(t, in[0], in[1], RG__REAL_OF(dx), RG__AXIS_OF(axis)))

/* ---- samples ---- */

static rg_tensor input_of(rg__draw *draw, int index, int *axis)
{
    rg_tape *t = draw->t;
    *axis = index == 1 ? 0 : index == 2 ? 1 : -1;
    switch (index) {
    case 0:
    case 1: return RG__DRAW(draw, RG_SHAPE(3, 5), RG__REAL);
    case 2: return RG__DRAW(draw, RG_SHAPE(2, 4, 3), RG__REAL);
    case 3: return rg_transpose(t, RG__DRAW(draw, RG_SHAPE(4, 6), RG__REAL), 0, 1);
    case 4: return rg_flip(t, RG__DRAW(draw, RG_SHAPE(5, 4), RG__REAL), RG_ALL);
    case 5: return RG__DRAW(draw, RG_SHAPE(3, 0), RG__REAL);
    default: return RG_NIL;
    }
}

static rg_tensor sample_diff(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    int axis;
    const rg_tensor x = input_of(draw, index, &axis);
    const rg_tensor more = index == 1   ? RG__DRAW(draw, RG_SHAPE(2, 5), RG__REAL)
                           : index == 3 ? RG__DRAW(draw, RG_SHAPE(6, 1), RG__REAL)
                                        : RG_NIL;
    return rg_is_nil(x) ? RG_NIL : rg_diff(t, x, index % 3 + 1, axis, more, index == 1 ? more : RG_NIL);
}

/* With the places given for each y, along the axis, and at even distances. */
static rg_tensor sample_areas(rg__draw *draw, int index,
                              rg_tensor (*f)(rg_tape *t, rg_tensor y, rg_tensor x, double dx, int axis))
{
    int axis;
    const rg_tensor y = input_of(draw, index, &axis);
    const rg_tensor x = index == 0   ? RG__DRAW(draw, RG_SHAPE(3, 5), RG__REAL)
                        : index == 2 ? RG__DRAW(draw, RG_SHAPE(4), RG__REAL)
                                     : RG_NIL;
    return rg_is_nil(y) ? RG_NIL : f(draw->t, y, x, .5, axis);
}

static rg_tensor sample_trapezoid(rg__draw *draw, int index)
{
    return sample_areas(draw, index, rg_trapezoid);
}

static rg_tensor sample_cumulative_trapezoid(rg__draw *draw, int index)
{
    return sample_areas(draw, index, rg_cumulative_trapezoid);
}

RG__FAMILY(difference, ROWS(RG__ROW))
