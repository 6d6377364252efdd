/* Writing and reducing at computed positions along an axis. Sums are scatter_add's (index.c). */
#include "ops/at_index.h"
#include "ops/call.h"
#include "ops/family.h"

#include <math.h>
#include <string.h>

#define ROWS(ROW)                                                                                                      \
    ROW(scatter, 3, RG__DIFF, RG__KERNEL, "x with source at index along an axis", .fallible = true, RG__ATTR(scatter), \
        RG__CALLED(scatter, "x: any, index: integer, source: any, axis: int"))                                         \
    ROW(scatter_scalar, 2, RG__THROUGH, RG__COMPOSITE, "x with a number at index along an axis",                       \
        RG__CALLED(scatter_scalar, "x: any, index: integer, axis: int, value: real"))                                  \
    ROW(scatter_fold, 3, RG__DIFF, RG__KERNEL, "x and source multiplied, or the largest or smallest of them",          \
        .fallible = true, RG__ATTR(scatter_fold))                                                                      \
    ROW(scatter_reduce, 3, RG__THROUGH, RG__COMPOSITE, "x with source reduced into it at index along an axis",         \
        RG__CALLED(scatter_reduce, "x: number, index: integer, source: number, axis: int, "                            \
                                   "reduce: sum|prod|mean|amax|amin, include_self: flag = true"))                      \
    ROW(take_along_dim, 2, RG__THROUGH, RG__COMPOSITE, "x at index along an axis, broadcast",                          \
        RG__CALLED(take_along_dim, "x: any, index: integer, axis: int"))                                               \
    ROW(index_add, 3, RG__THROUGH, RG__COMPOSITE, "x with slices of alpha source added at index",                      \
        RG__CALLED(index_add, "x: number, index: integer, source: number, axis: int, alpha: real = 1"))                \
    ROW(index_copy, 3, RG__THROUGH, RG__COMPOSITE, "x with slices of source at index",                                 \
        RG__CALLED(index_copy, "x: any, index: integer, source: any, axis: int"))                                      \
    ROW(index_fill, 3, RG__THROUGH, RG__COMPOSITE, "x with a value in the slices at index",                            \
        RG__CALLED(index_fill, "x: any, index: integer, value: any, axis: int"))                                       \
    ROW(index_fill_scalar, 2, RG__THROUGH, RG__COMPOSITE, "x with a number in the slices at index",                    \
        RG__CALLED(index_fill_scalar, "x: any, index: integer, axis: int, value: real"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_scatter[OP_##name])

struct scatter {
    int64_t axis;
};
static const rg__field fields_scatter[] = {RG__FIELD(struct scatter, axis, RG__INT), {0}};

struct scatter_fold {
    int64_t axis;
    int64_t reduce; /* rg_scatter_reduction: prod, amax or amin */
    int64_t include_self;
};
static const rg__field fields_scatter_fold[] = {RG__FIELD(struct scatter_fold, axis, RG__INT),
                                                RG__FIELD(struct scatter_fold, reduce, RG__INT),
                                                RG__FIELD(struct scatter_fold, include_self, RG__INT),
                                                {0}};

/* ---- kernels ---- */

static void copy_first(const rg__run *run)
{
    rg__copy_shared(run->threads, run->out.rank, run->out.dims, rg__strided_of(&run->out), rg__strided_of(&run->in[0]));
}

static bool kernel_scatter(const rg__run *run)
{
    const struct scatter *a = run->node->attr;
    copy_first(run);
    return rg__move_at(run, RG__AT_SET, (int)a->axis, &run->out, &run->in[1], &run->in[2]);
}

/* What a fold begins with. */
static void store_first(rg_dtype dtype, int64_t reduce, void *out)
{
    const double sign = reduce == RG_SCATTER_AMAX ? -1 : 1, first = reduce == RG_SCATTER_PROD ? 1 : sign * INFINITY;
    if (dtype == RG_I32 && reduce != RG_SCATTER_PROD)
        *(int32_t *)out = sign < 0 ? INT32_MIN : INT32_MAX;
    else if (dtype == RG_I64 && reduce != RG_SCATTER_PROD)
        *(int64_t *)out = sign < 0 ? INT64_MIN : INT64_MAX;
    else
        rg__store_number(dtype, out, first);
}

static bool kernel_scatter_fold(const rg__run *run)
{
    const struct scatter_fold *a = run->node->attr;
    const rg__at_mode mode = a->reduce == RG_SCATTER_PROD   ? RG__AT_MUL
                             : a->reduce == RG_SCATTER_AMAX ? RG__AT_MAX
                                                            : RG__AT_MIN;
    int64_t number;
    store_first(run->out.dtype, a->reduce, &number);
    const rg__array_view first = {&number, run->in[1].dims, {0}, run->in[1].rank, run->out.dtype};
    copy_first(run);
    if (!a->include_self && !rg__move_at(run, RG__AT_SET, (int)a->axis, &run->out, &run->in[1], &first))
        return false;
    return rg__move_at(run, mode, (int)a->axis, &run->out, &run->in[1], &run->in[2]);
}

/* ---- gradients ---- */

/* Without the axes other than this one that it is repeated along: what is found out of it can be broadcast. */
static rg_tensor narrow(rg_tape *t, rg_tensor index, int axis)
{
    const rg__node *n = rg__arg(t, OP(scatter), index);
    if (!n || !n->strides)
        return index;
    int64_t strides[RG_MAX_RANK];
    rg__node_strides(n, strides);
    for (int i = 0; i < n->rank; i++)
        if (i != axis && strides[i] == 0 && rg_dim(t, index, i) > 1)
            index = rg_slice(t, index, i, 0, 1, 1);
    return index;
}

/* The value in each place that the index may name: in its shape, with x's extent along the axis. */
static rg_tensor places(rg_tape *t, rg_tensor x, rg_tensor index, int axis, rg_tensor value)
{
    rg_shape s = rg_shape_of(t, index);
    if (s.rank)
        s.dims[axis] = rg_dim(t, x, axis);
    return rg_expand(t, value, s);
}

/* Where the elements of the index stand along the axis, in its shape. */
static rg_tensor order_along(rg_tape *t, rg_tensor index, int axis)
{
    const rg_shape s = rg_shape_of(t, index);
    if (s.rank == 0)
        return rg_zeros(t, RG_I64, s);
    return rg__along_axis(t, rg_arange(t, RG_I64, 0, (double)s.dims[axis], 1), s, axis);
}

/* Is this element of the index the last that names its place? */
static rg_tensor wins(rg_tape *t, rg_tensor x, rg_tensor index, int axis)
{
    index = narrow(t, index, axis);
    const rg_tensor order = order_along(t, index, axis);
    const rg_tensor last = rg_scatter(t, places(t, x, index, axis, rg_constant(t, RG_I64, 0)), axis, index, order);
    return rg_eq(t, rg_gather(t, last, axis, index), order);
}

static void vjp_scatter(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const int axis = (int)((const struct scatter *)v->attr)->axis;
    RG__GRAD(v, 0, rg_scatter_scalar(t, v->g, axis, v->in[1], 0));
    RG__GRAD(v, 2,
             rg_where(t, wins(t, v->in[0], v->in[1], axis), rg_gather(t, v->g, axis, v->in[1]), rg__like(t, v->g, 0)));
}

/* x where no index goes, else the value. */
static rg_tensor where_named(rg_tape *t, rg_tensor x, int axis, rg_tensor index, double value)
{
    return rg_scatter_scalar(t, x, axis, index, value);
}

/* The product of all but this element of source, or of x, without dividing by a zero. Where two zeros go to one place,
 * leaving out the first gives the second's derivative, and the other way round; of three, any two derivatives are 0. */
static void vjp_prod(const rg__vjp *v, int axis, bool include_self)
{
    rg_tape *t = v->t;
    const rg_tensor x = v->in[0], index = v->in[1], source = v->in[2], one = rg__like(t, x, 1);
    if (v->wanted[0]) {
        const rg_tensor all = rg_scatter_reduce(t, rg_ones_like(t, x), axis, index, source, RG_SCATTER_PROD, true);
        const rg_tensor g = rg_mul(t, v->g, all);
        v->grad[0] = include_self ? g : where_named(t, g, axis, index, 0);
    }
    if (!v->wanted[2])
        return;
    const rg_tensor zero = rg_eq(t, source, rg__like(t, x, 0)), order = order_along(t, index, axis);
    const double far = (double)INT32_MAX * INT32_MAX;
    const rg_tensor never = rg_constant(t, RG_I64, -1), after = rg_constant(t, RG_I64, far);
    const rg_tensor last = rg_scatter_reduce(t, places(t, x, index, axis, never), axis, index,
                                             rg_where(t, zero, order, never), RG_SCATTER_AMAX, true);
    const rg_tensor first = rg_scatter_reduce(t, places(t, x, index, axis, after), axis, index,
                                              rg_where(t, zero, order, after), RG_SCATTER_AMIN, true);
    const rg_tensor is_last = rg_eq(t, rg_gather(t, last, axis, index), order);
    const rg_tensor is_first = rg_eq(t, rg_gather(t, first, axis, index), order);
    const rg_tensor but_first =
        rg_scatter_reduce(t, x, axis, index, rg_where(t, is_first, one, source), RG_SCATTER_PROD, include_self);
    const rg_tensor but_last =
        rg_scatter_reduce(t, x, axis, index, rg_where(t, is_last, one, source), RG_SCATTER_PROD, include_self);
    const rg_tensor of_zero =
        rg_where(t, is_first, rg_gather(t, but_first, axis, index), rg_gather(t, but_last, axis, index));
    const rg_tensor of_other = rg_div(t, rg_gather(t, v->out, axis, index), rg_where(t, zero, one, source));
    v->grad[2] = rg_mul(t, rg_gather(t, v->g, axis, index), rg_where(t, zero, of_zero, of_other));
}

/* Ties share evenly. */
static void vjp_largest(const rg__vjp *v, int axis, bool include_self)
{
    rg_tape *t = v->t;
    const rg_tensor x = v->in[0], index = v->in[1], source = v->in[2];
    const rg_dtype dtype = rg_dtype_of(t, x);
    rg_tensor own = rg_cast(t, rg_eq(t, x, v->out), dtype);
    own = include_self ? own : where_named(t, own, axis, index, 0);
    const rg_tensor other = rg_cast(t, rg_eq(t, source, rg_gather(t, v->out, axis, index)), dtype);
    const rg_tensor share = rg_div(t, v->g, rg_scatter_add(t, own, axis, index, other));
    RG__GRAD(v, 0, rg_mul(t, own, share));
    RG__GRAD(v, 2, rg_mul(t, other, rg_gather(t, share, axis, index)));
}

static void vjp_scatter_fold(const rg__vjp *v)
{
    const struct scatter_fold *a = v->attr;
    (a->reduce == RG_SCATTER_PROD ? vjp_prod : vjp_largest)(v, (int)a->axis, a->include_self);
}

/* ---- recording: an index for each element ---- */

/* Checks what scatters have in common; the axis, or -1 and an error. */
static int checked(rg_tape *t, const rg__op *op, rg_tensor x, int axis, rg_tensor *index, rg_tensor *source,
                   rg__dtype_class allowed)
{
    const rg__node *n = rg__arg_of(t, op, x, allowed);
    const int at = n ? rg__axis_for(t, op, n, axis) : -1;
    *index = at >= 0 ? rg__index_for(t, op, n, *index, at) : RG_NIL;
    *source = at >= 0 ? rg__source_for(t, op, n, *index, *source) : RG_NIL;
    return rg_is_nil(*source) ? -1 : at;
}

rg_tensor rg_scatter(rg_tape *t, rg_tensor x, int axis, rg_tensor index, rg_tensor source)
{
    const int at = checked(t, OP(scatter), x, axis, &index, &source, RG__ANY);
    const rg__node *n = at >= 0 ? rg__arg(t, OP(scatter), x) : NULL;
    if (!n)
        return RG_NIL;
    return rg__record(t, OP(scatter), (rg_tensor[]){x, index, source}, 3, (rg_dtype)n->dtype, n->rank, n->dims,
                      &(struct scatter){at});
}

/* A number as a scalar of x's dtype; nil and an error where that cannot hold it. */
static rg_tensor number_for(rg_tape *t, const rg__op *op, rg_tensor x, double value)
{
    const rg__node *n = rg__arg(t, op, x);
    if (!n)
        return RG_NIL;
    if (rg__dtype_holds((rg_dtype)n->dtype, value))
        return rg_constant(t, (rg_dtype)n->dtype, value);
    rg__fail(t, op, RG_ERROR_ARGUMENT, "%g is not a whole number that %s can hold", value,
             rg_dtype_name((rg_dtype)n->dtype));
    return RG_NIL;
}

rg_tensor rg_scatter_scalar(rg_tape *t, rg_tensor x, int axis, rg_tensor index, double value)
{
    const rg_tensor number = number_for(t, OP(scatter_scalar), x, value);
    if (rg_is_nil(number) || !rg__arg_of(t, OP(scatter_scalar), index, RG__INTEGER))
        return RG_NIL;
    return rg_scatter(t, x, axis, index, rg_expand(t, number, rg_shape_of(t, index)));
}

/* How many elements go to each place, at least 1; in a shape that broadcasts to x's. */
static rg_tensor counts(rg_tape *t, rg_tensor x, int axis, rg_tensor index, bool include_self)
{
    const rg_tensor one = rg__like(t, x, 1);
    bool covers = true; /* then what is the same along an axis need not be counted again and again */
    for (int i = 0; i < rg_shape_of(t, x).rank; i++)
        covers = covers && (i == axis || rg_dim(t, x, i) == rg_dim(t, index, i));
    if (covers)
        index = narrow(t, index, axis);
    rg_tensor n = include_self ? one : rg__like(t, x, 0);
    n = covers ? places(t, x, index, axis, n) : rg_expand(t, n, rg_shape_of(t, x));
    n = rg_scatter_add(t, n, axis, index, rg_expand(t, one, rg_shape_of(t, index)));
    return rg_maximum(t, n, one);
}

rg_tensor rg_scatter_reduce(rg_tape *t, rg_tensor x, int axis, rg_tensor index, rg_tensor source,
                            rg_scatter_reduction reduce, bool include_self)
{
    const rg__op *op = OP(scatter_reduce);
    if ((unsigned)reduce > RG_SCATTER_AMIN) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "reduce is %d; sum, prod, mean, amax and amin are 0 to 4", (int)reduce);
        return RG_NIL;
    }
    const int at = checked(t, op, x, axis, &index, &source, reduce == RG_SCATTER_MEAN ? RG__FLOATS : RG__NUMBER);
    const rg__node *n = at >= 0 ? rg__arg(t, op, x) : NULL;
    if (!n)
        return RG_NIL;
    if (reduce != RG_SCATTER_SUM && reduce != RG_SCATTER_MEAN)
        return rg__record(t, OP(scatter_fold), (rg_tensor[]){x, index, source}, 3, (rg_dtype)n->dtype, n->rank, n->dims,
                          &(struct scatter_fold){at, reduce, include_self});
    rg_tensor sum = rg_scatter_add(t, include_self ? x : where_named(t, x, at, index, 0), at, index, source);
    if (reduce == RG_SCATTER_SUM)
        return sum;
    return rg_div(t, sum, counts(t, x, at, index, include_self));
}

rg_tensor rg_take_along_dim(rg_tape *t, rg_tensor x, rg_tensor index, int axis)
{
    const rg__op *op = OP(take_along_dim);
    const rg__node *n = rg__arg(t, op, x), *ni = n ? rg__arg_of(t, op, index, RG__INTEGER) : NULL;
    const int at = ni ? rg__axis_for(t, op, n, axis) : -1;
    if (at < 0)
        return RG_NIL;
    rg_shape of_x = rg_shape_of(t, x), of_index = rg_shape_of(t, index);
    bool fits = n->rank == ni->rank;
    for (int i = 0; fits && i < n->rank; i++) {
        if (i == at)
            continue;
        fits = n->dims[i] == ni->dims[i] || n->dims[i] == 1 || ni->dims[i] == 1;
        of_x.dims[i] = of_index.dims[i] = n->dims[i] == 1 ? ni->dims[i] : n->dims[i];
    }
    if (!fits) {
        rg__fail(t, op, RG_ERROR_SHAPE, "x %s and index %s do not broadcast off axis %d", RG__NODE_TEXT(n),
                 RG__NODE_TEXT(ni), axis);
        return RG_NIL;
    }
    return rg_gather(t, rg_expand(t, x, of_x), at, rg_expand(t, index, of_index));
}

/* ---- recording: an index for each slice ---- */

/* The index as a vector; nil and an error where it is none. */
static rg_tensor vector_of(rg_tape *t, const rg__op *op, rg_tensor index)
{
    const rg__node *n = rg__arg_of(t, op, index, RG__INTEGER);
    if (!n || n->rank == 1)
        return n ? index : RG_NIL;
    if (n->rank == 0)
        return rg_reshape(t, index, RG_SHAPE(1));
    rg__fail(t, op, RG_ERROR_SHAPE, "index %s must be a vector or a scalar", RG__NODE_TEXT(n));
    return RG_NIL;
}

/* What a scatter needs to do the same; false and an error where source does not fit. Scalars become vectors of one. */
static bool spread(rg_tape *t, const rg__op *op, rg_tensor *x, int *axis, rg_tensor *index, rg_tensor *source,
                   rg__dtype_class allowed)
{
    const rg__node *n = rg__arg_of(t, op, *x, allowed), *s = n ? rg__arg(t, op, *source) : NULL;
    *axis = s ? rg__axis_for(t, op, n, *axis) : -1;
    *index = *axis >= 0 ? vector_of(t, op, *index) : RG_NIL;
    if (rg_is_nil(*index))
        return false;
    const int64_t count = rg_numel(t, *index);
    bool fits = s->rank == n->rank && (n->rank > 0 || count == 1);
    for (int i = 0; fits && i < n->rank; i++)
        fits = s->dims[i] == (i == *axis ? count : n->dims[i]);
    if (!fits || s->dtype != n->dtype) {
        rg__fail(t, op, fits ? RG_ERROR_DTYPE : RG_ERROR_SHAPE,
                 "source %s of %s does not fit x, %s of %s, with %lld indices along axis %d",
                 rg_dtype_name((rg_dtype)s->dtype), RG__NODE_TEXT(s), rg_dtype_name((rg_dtype)n->dtype),
                 RG__NODE_TEXT(n), (long long)count, *axis);
        return false;
    }
    if (n->rank == 0) {
        *x = rg_reshape(t, *x, RG_SHAPE(1));
        *source = rg_reshape(t, *source, RG_SHAPE(1));
    }
    *index = rg__along_axis(t, *index, rg_shape_of(t, *x), *axis);
    return !rg_failed(t);
}

rg_tensor rg_index_add(rg_tape *t, rg_tensor x, int axis, rg_tensor index, rg_tensor source, double alpha)
{
    rg_tensor to = x;
    if (!spread(t, OP(index_add), &to, &axis, &index, &source, RG__NUMBER))
        return RG_NIL;
    const rg_tensor number = number_for(t, OP(index_add), x, alpha);
    if (alpha != 1)
        source = rg_mul(t, source, number);
    return rg_reshape(t, rg_scatter_add(t, to, axis, index, source), rg_shape_of(t, x));
}

rg_tensor rg_index_copy(rg_tape *t, rg_tensor x, int axis, rg_tensor index, rg_tensor source)
{
    rg_tensor to = x;
    if (!spread(t, OP(index_copy), &to, &axis, &index, &source, RG__ANY))
        return RG_NIL;
    return rg_reshape(t, rg_scatter(t, to, axis, index, source), rg_shape_of(t, x));
}

static rg_tensor fill(rg_tape *t, const rg__op *op, rg_tensor x, int axis, rg_tensor index, rg_tensor value)
{
    const rg__node *n = rg__arg(t, op, x), *nv = n ? rg__arg(t, op, value) : NULL;
    const int at = nv ? rg__axis_for(t, op, n, axis) : -1;
    index = at >= 0 ? vector_of(t, op, index) : RG_NIL;
    if (rg_is_nil(index))
        return RG_NIL;
    if (nv->rank != 0 || nv->dtype != n->dtype) {
        rg__fail(t, op, nv->rank ? RG_ERROR_SHAPE : RG_ERROR_DTYPE, "value is %s of %s; a scalar of x's %s is needed",
                 rg_dtype_name((rg_dtype)nv->dtype), RG__NODE_TEXT(nv), rg_dtype_name((rg_dtype)n->dtype));
        return RG_NIL;
    }
    const int64_t extent = n->rank ? n->dims[at] : 1;
    rg_shape line = {n->rank, {0}};
    for (int i = 0; i < n->rank; i++)
        line.dims[i] = i == at ? extent : 1;
    index = rg__linear_index(t, op, &index, 1, &extent);
    const rg_tensor named = rg_scatter_scalar(t, rg_zeros(t, RG_BOOL, RG_SHAPE(extent)), 0, index, 1);
    return rg_where(t, rg_reshape(t, named, line), value, x);
}

rg_tensor rg_index_fill(rg_tape *t, rg_tensor x, int axis, rg_tensor index, rg_tensor value)
{
    return fill(t, OP(index_fill), x, axis, index, value);
}

rg_tensor rg_index_fill_scalar(rg_tape *t, rg_tensor x, int axis, rg_tensor index, double value)
{
    const rg__op *op = OP(index_fill_scalar);
    const rg_tensor number = number_for(t, op, x, value);
    return rg_is_nil(number) ? RG_NIL : fill(t, op, x, axis, index, number);
}

/* ---- by name ---- */

RG__CALL(scatter, rg_scatter(t, in[0], RG__AXIS_OF(axis), in[1], in[2]))
RG__CALL(scatter_scalar, rg_scatter_scalar(t, in[0], RG__AXIS_OF(axis), in[1], RG__REAL_OF(value)))
RG__CALL(scatter_reduce, rg_scatter_reduce(t, in[0], RG__AXIS_OF(axis), in[1], in[2],
                                           (rg_scatter_reduction)RG__WORD_OF(reduce), RG__FLAG_OF(include_self)))
RG__CALL(take_along_dim, rg_take_along_dim(t, in[0], in[1], RG__AXIS_OF(axis)))
RG__CALL(index_add, rg_index_add(t, in[0], RG__AXIS_OF(axis), in[1], in[2], RG__REAL_OF(alpha)))
RG__CALL(index_copy, rg_index_copy(t, in[0], RG__AXIS_OF(axis), in[1], in[2]))
RG__CALL(index_fill, rg_index_fill(t, in[0], RG__AXIS_OF(axis), in[1], in[2]))
RG__CALL(index_fill_scalar, rg_index_fill_scalar(t, in[0], RG__AXIS_OF(axis), in[1], RG__REAL_OF(value)))

/* ---- samples ---- */

static const int64_t some[] = {2, 0, 1, 2, 2, 0, 1, 1}, few[] = {2, 0, 2};

/* x and source with an index along an axis: rows, columns, of a transposed x, empty, of scalars. */
typedef struct scattered {
    rg_tensor x, index, source;
    int axis;
} scattered;
enum { SCATTERED = 6 };

static scattered draw_scattered(rg__draw *draw, int which, rg__domain domain)
{
    rg_tape *t = draw->t;
    scattered s = {.axis = which == 1 ? 1 : which == 5 ? -1 : 0};
    const rg_shape index = which == 1   ? RG_SHAPE(2, 4)
                           : which == 3 ? RG_SHAPE(0, 3)
                           : which == 4 ? RG_SHAPE(2, 2)
                           : which == 5 ? RG_SCALAR
                                        : RG_SHAPE(4, 2);
    s.x = RG__DRAW(draw, which == 5 ? RG_SCALAR : RG_SHAPE(3, 3), domain);
    s.source = RG__DRAW(draw, which == 4 ? RG_SHAPE(3, 4) : index, domain);
    s.index = rg_input_i64(t, index, which == 5 ? &some[1] : some);
    if (which == 2) {
        s.x = rg_transpose(t, s.x, 0, 1);
        s.source = rg_flip(t, s.source, RG_ALL);
    }
    return s;
}

static rg_tensor sample_scatter(rg__draw *draw, int index)
{
    if (index >= SCATTERED)
        return RG_NIL;
    const scattered s = draw_scattered(draw, index, RG__REAL);
    return rg_scatter(draw->t, s.x, s.axis, s.index, s.source);
}

static rg_tensor sample_scatter_scalar(rg__draw *draw, int index)
{
    if (index > 1)
        return RG_NIL;
    return rg_scatter_scalar(draw->t, RG__DRAW(draw, RG_SHAPE(3, 3), RG__REAL), index,
                             rg_input_i64(draw->t, index ? RG_SHAPE(2, 4) : RG_SHAPE(4, 2), some), .5);
}

/* Distinct values: the largest is smooth there. */
static rg_tensor sample_scatter_reduce(rg__draw *draw, int index)
{
    const int which = index / 10, reduce = index % 10 / 2;
    if (which >= SCATTERED)
        return RG_NIL;
    const scattered s = draw_scattered(draw, which, (rg__domain){RG__DISTINCT, -1.05, 2});
    return rg_scatter_reduce(draw->t, s.x, s.axis, s.index, s.source, (rg_scatter_reduction)reduce, index % 2);
}

/* Products with one, two and three zeros in a place, and one in x. */
static rg_tensor sample_scatter_fold(rg__draw *draw, int index)
{
    static const int64_t at[] = {1, 0, 0, 2, 2, 2, 1, 1, 0, 2, 3};
    const rg__domain zero = {RG__INTERVAL, 0, 0};
    rg_tape *t = draw->t;
    if (index > 1)
        return RG_NIL;
    const rg_tensor x[] = {RG__DRAW(draw, RG_SHAPE(3), RG__REAL), RG__DRAW(draw, RG_SHAPE(1), zero)};
    const rg_tensor source[] = {RG__DRAW(draw, RG_SHAPE(6), zero), RG__DRAW(draw, RG_SHAPE(5), RG__REAL)};
    return rg_scatter_reduce(t, rg_cat(t, x, 2, 0), 0, rg_input_i64(t, RG_SHAPE(11), at), rg_cat(t, source, 2, 0),
                             RG_SCATTER_PROD, index);
}

static rg_tensor sample_take_along_dim(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    if (index > 2)
        return RG_NIL;
    const rg_tensor x = RG__DRAW(draw, index == 1 ? RG_SHAPE(1, 3) : RG_SHAPE(3, 3), RG__REAL);
    return index == 1 ? rg_take_along_dim(t, x, rg_input_i64(t, RG_SHAPE(4, 2), some), -1)
                      : rg_take_along_dim(t, index ? rg_transpose(t, x, 0, 1) : x,
                                          rg_input_i64(t, index ? RG_SHAPE(4, 1) : RG_SHAPE(2, 3), some), 0);
}

/* Slices of x: rows, columns, of a transposed x, none. */
#define SLICES(name, ...)                                       \
    static rg_tensor sample_##name(rg__draw *draw, int index)   \
    {                                                           \
        rg_tape *t = draw->t;                                   \
        if (index > 3)                                          \
            return RG_NIL;                                      \
        const int axis = index == 1, n = index == 3 ? 0 : 3;    \
        rg_tensor x = RG__DRAW(draw, RG_SHAPE(3, 3), RG__REAL); \
        x = index == 2 ? rg_transpose(t, x, 0, 1) : x;          \
        const rg_tensor i = rg_input_i64(t, RG_SHAPE(n), few);  \
        return __VA_ARGS__;                                     \
    }
#define SOURCE RG__DRAW(draw, n ? RG_SHAPE(3, 3) : RG_SHAPE(0, 3), RG__REAL)
SLICES(index_add, rg_index_add(t, x, axis, i, SOURCE, index ? 1 : -2.5))
SLICES(index_copy, rg_index_copy(t, x, axis, i, SOURCE))
SLICES(index_fill, rg_index_fill(t, x, axis, i, RG__DRAW(draw, RG_SCALAR, RG__REAL)))
SLICES(index_fill_scalar, rg_index_fill_scalar(t, x, axis, i, 2))

RG__FAMILY(scatter, ROWS(RG__ROW))
