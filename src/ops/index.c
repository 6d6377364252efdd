/* Indexing: reading and adding at computed positions along an axis. */
#include "ops/at_index.h"
#include "ops/call.h"
#include "ops/family.h"

#include <string.h>

#define ROWS(ROW)                                                                                                  \
    ROW(gather, 2, RG__DIFF, RG__KERNEL, "x at index along an axis", .fallible = true, .at_index = RG__PICKS,      \
        RG__ATTR(gather), RG__CALLED(gather, "x: any, index: integer, axis: int"))                                 \
    ROW(scatter_add, 3, RG__DIFF, RG__KERNEL, "x with source added at index along an axis", .fallible = true,      \
        .at_index = RG__PLACES, RG__ATTR(gather),                                                                  \
        RG__CALLED(scatter_add, "x: number, index: integer, source: number, axis: int"))                           \
    ROW(index_select, 2, RG__THROUGH, RG__COMPOSITE, "x[index] along an axis",                                     \
        RG__CALLED(index_select, "x: any, index: integer, axis: int"))                                             \
    ROW(take, 2, RG__THROUGH, RG__COMPOSITE, "x, flattened, at index", RG__CALLED(take, "x: any, index: integer")) \
    ROW(one_hot, 1, RG__NODIFF, RG__KERNEL, "1 at the index, else 0", .fallible = true, RG__ATTR(one_hot),         \
        RG__CALLED(one_hot, "index: integer, classes: int, dtype: dtype = f32"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_index[OP_##name])

const rg__op *const rg__op_scatter_add = &rg__ops_index[OP_scatter_add];

struct gather {
    int64_t axis;
};
static const rg__field fields_gather[] = {RG__FIELD(struct gather, axis, RG__INT), {0}};

int rg__op_index_axis(const rg__node *node)
{
    return (int)((const struct gather *)node->attr)->axis;
}

/* ---- kernels: index is i64 ---- */

static bool out_of_range(const rg__run *run, int64_t index, int64_t extent)
{
    return rg__run_fail(run, RG_ERROR_VALUE, "index %lld is out of range 0 to %lld", (long long)index,
                        (long long)extent - 1);
}

static bool kernel_gather(const rg__run *run)
{
    return rg__move_at(run, RG__AT_READ, rg__op_index_axis(run->node), &run->in[0], &run->in[1], &run->out);
}

static bool kernel_scatter_add(const rg__run *run)
{
    rg__copy_shared(run->threads, run->out.rank, run->out.dims, rg__strided_of(&run->out), rg__strided_of(&run->in[0]));
    return rg__move_at(run, RG__AT_ADD, rg__op_index_axis(run->node), &run->out, &run->in[1], &run->in[2]);
}

struct one_hot {
    int64_t classes;
    int64_t dtype;
};
static const rg__field fields_one_hot[] = {
    RG__FIELD(struct one_hot, classes, RG__INT), RG__FIELD(struct one_hot, dtype, RG__INT), {0}};

static bool kernel_one_hot(const rg__run *run)
{
    const int64_t classes = ((const struct one_hot *)run->node->attr)->classes;
    const rg__array_view *index = &run->in[0];
    const size_t size = rg_dtype_size(run->out.dtype);
    memset(run->out.data, 0, (size_t)run->node->numel * size);
    char *row = run->out.data;
    rg__walk w;
    rg__walk_start(&w, index->rank, index->dims, 1, (rg__strided[]){rg__strided_of(index)});
    do
        for (int64_t i = 0; i < w.run; i++, row += classes * (int64_t)size) {
            int64_t at = *(const int64_t *)(w.p[0] + i * w.step[0]);
            if (at < 0 || at >= classes)
                return out_of_range(run, at, classes);
            switch (run->out.dtype) {
            case RG_F32: ((float *)(void *)row)[at] = 1; break;
            case RG_F64: ((double *)(void *)row)[at] = 1; break;
            case RG_I32: ((int32_t *)(void *)row)[at] = 1; break;
            case RG_I64: ((int64_t *)(void *)row)[at] = 1; break;
            case RG_BOOL: ((bool *)row)[at] = true; break;
            }
        }
    while (rg__walk_next(&w));
    return true;
}

/* ---- gradients ---- */

static void vjp_gather(const rg__vjp *v)
{
    int axis = (int)((const struct gather *)v->attr)->axis;
    RG__GRAD(v, 0, rg_scatter_add(v->t, rg_zeros_like(v->t, v->in[0]), axis, v->in[1], v->g));
}

static void vjp_scatter_add(const rg__vjp *v)
{
    int axis = (int)((const struct gather *)v->attr)->axis;
    RG__GRAD(v, 0, v->g);
    RG__GRAD(v, 2, rg_gather(v->t, v->g, axis, v->in[1]));
}

/* ---- recording ---- */

rg_tensor rg__index_for(rg_tape *t, const rg__op *op, const rg__node *x, rg_tensor index, int axis)
{
    const rg__node *n = rg__arg_of(t, op, index, RG__INTEGER);
    if (!n)
        return RG_NIL;
    bool fits = n->rank == x->rank;
    for (int i = 0; fits && i < n->rank; i++)
        fits = i == axis || n->dims[i] <= x->dims[i];
    if (!fits) {
        rg__fail(t, op, RG_ERROR_SHAPE, "index %s does not fit x %s along axis %d", RG__NODE_TEXT(n), RG__NODE_TEXT(x),
                 axis);
        return RG_NIL;
    }
    return rg_cast(t, index, RG_I64);
}

int rg__axis_for(rg_tape *t, const rg__op *op, const rg__node *x, int axis)
{
    return x->rank == 0 && (axis == 0 || axis == -1) ? 0 : rg__axis_of(t, op, x, axis);
}

rg_tensor rg__source_for(rg_tape *t, const rg__op *op, const rg__node *x, rg_tensor index, rg_tensor source)
{
    const rg__node *i = rg__arg(t, op, index), *s = i ? rg__arg(t, op, source) : NULL;
    if (!s)
        return RG_NIL;
    bool fits = s->rank == i->rank;
    for (int k = 0; fits && k < i->rank; k++)
        fits = s->dims[k] >= i->dims[k];
    if (!fits || s->dtype != x->dtype) {
        rg__fail(t, op, fits ? RG_ERROR_DTYPE : RG_ERROR_SHAPE, "source is %s of %s; x is %s and index is %s",
                 rg_dtype_name((rg_dtype)s->dtype), RG__NODE_TEXT(s), rg_dtype_name((rg_dtype)x->dtype),
                 RG__NODE_TEXT(i));
        return RG_NIL;
    }
    for (int k = 0; k < i->rank; k++)
        source = rg_slice(t, source, k, 0, i->dims[k], 1);
    return source;
}

rg_tensor rg__along_axis(rg_tape *t, rg_tensor vector, rg_shape like, int axis)
{
    rg_shape line = like;
    for (int i = 0; i < like.rank; i++)
        line.dims[i] = 1;
    line.dims[axis] = like.dims[axis] = rg_numel(t, vector);
    return rg_expand(t, rg_reshape(t, vector, line), like);
}

rg_tensor rg_gather(rg_tape *t, rg_tensor x, int axis, rg_tensor index)
{
    const rg__node *n = rg__arg(t, OP(gather), x);
    int at = n ? rg__axis_for(t, OP(gather), n, axis) : -1;
    rg_tensor i = at >= 0 ? rg__index_for(t, OP(gather), n, index, at) : RG_NIL;
    const rg__node *ni = at >= 0 && !rg_is_nil(i) ? rg__arg(t, OP(gather), i) : NULL;
    if (!ni)
        return RG_NIL;
    return rg__record(t, OP(gather), (rg_tensor[]){x, i}, 2, (rg_dtype)n->dtype, ni->rank, ni->dims,
                      &(struct gather){at});
}

rg_tensor rg_scatter_add(rg_tape *t, rg_tensor x, int axis, rg_tensor index, rg_tensor source)
{
    const rg__op *op = OP(scatter_add);
    const rg__node *n = rg__arg_of(t, op, x, RG__NUMBER);
    int at = n ? rg__axis_for(t, op, n, axis) : -1;
    rg_tensor i = at >= 0 ? rg__index_for(t, op, n, index, at) : RG_NIL;
    rg_tensor s = at >= 0 ? rg__source_for(t, op, n, i, source) : RG_NIL;
    if (rg_is_nil(s))
        return RG_NIL;
    return rg__record(t, op, (rg_tensor[]){x, i, s}, 3, (rg_dtype)n->dtype, n->rank, n->dims, &(struct gather){at});
}

rg_tensor rg_index_select(rg_tape *t, rg_tensor x, int axis, rg_tensor index)
{
    const rg__op *op = OP(index_select);
    const rg__node *n = rg__arg(t, op, x), *ni = n ? rg__arg_of(t, op, index, RG__INTEGER) : NULL;
    int at = ni ? rg__axis_of(t, op, n, axis) : -1;
    if (at < 0)
        return RG_NIL;
    if (ni->rank != 1) {
        rg__fail(t, op, RG_ERROR_SHAPE, "index %s must be a vector", RG__NODE_TEXT(ni));
        return RG_NIL;
    }
    return rg_gather(t, x, at, rg__along_axis(t, index, rg_shape_of(t, x), at));
}

rg_tensor rg_take(rg_tape *t, rg_tensor x, rg_tensor index)
{
    const rg__op *op = OP(take);
    const rg__node *n = rg__arg(t, op, x), *ni = n ? rg__arg_of(t, op, index, RG__INTEGER) : NULL;
    if (!ni)
        return RG_NIL;
    rg_shape shape = rg_shape_of(t, index);
    rg_tensor flat = rg_reshape(t, x, RG_SHAPE(n->numel)), at = rg__linear_index(t, op, &index, 1, &n->numel);
    return rg_reshape(t, rg_gather(t, flat, 0, rg_reshape(t, at, RG_SHAPE(ni->numel))), shape);
}

rg_tensor rg_one_hot(rg_tape *t, rg_tensor index, int64_t classes, rg_dtype dtype)
{
    const rg__op *op = OP(one_hot);
    const rg__node *n = rg__arg_of(t, op, index, RG__INTEGER);
    if (!n)
        return RG_NIL;
    if (classes < 1 || n->rank == RG_MAX_RANK || (unsigned)dtype >= RG_DTYPES) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%lld classes of %s for %s: 1 or more, a dtype and rank 0 to 7 are needed",
                 (long long)classes, rg_dtype_name(dtype), RG__NODE_TEXT(n));
        return RG_NIL;
    }
    rg_tensor i = rg_cast(t, index, RG_I64);
    int64_t dims[RG_MAX_RANK];
    memcpy(dims, n->dims, sizeof *dims * n->rank);
    dims[n->rank] = classes;
    return rg__record(t, op, &i, 1, dtype, n->rank + 1, dims, &(struct one_hot){classes, dtype});
}

/* ---- by name ---- */

RG__CALL(gather, rg_gather(t, in[0], RG__AXIS_OF(axis), in[1]))
RG__CALL(scatter_add, rg_scatter_add(t, in[0], RG__AXIS_OF(axis), in[1], in[2]))
RG__CALL(index_select, rg_index_select(t, in[0], RG__AXIS_OF(axis), in[1]))
RG__CALL(take, rg_take(t, in[0], in[1]))
RG__CALL(one_hot, rg_one_hot(t, in[0], RG__INT_OF(classes), RG__DTYPE_OF(dtype)))

/* ---- samples ---- */

static const int64_t some[] = {2, 0, 1, 2, 2, 0, 1, 1};

static rg_tensor sample_gather(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    if (index > 2)
        return RG_NIL;
    rg_tensor x = RG__DRAW(draw, index == 2 ? RG_SHAPE(2, 3) : RG_SHAPE(3, 3), RG__REAL);
    if (index == 2)
        return rg_gather(t, rg_transpose(t, x, 0, 1), 0, rg_input_i64(t, RG_SHAPE(4, 2), some));
    return rg_gather(t, x, index, rg_input_i64(t, index ? RG_SHAPE(2, 4) : RG_SHAPE(4, 2), some));
}

static rg_tensor sample_scatter_add(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    if (index > 1)
        return RG_NIL;
    rg_tensor x = RG__DRAW(draw, RG_SHAPE(3, 3), RG__REAL);
    rg_shape s = index ? RG_SHAPE(2, 4) : RG_SHAPE(4, 2);
    return rg_scatter_add(t, x, index, rg_input_i64(t, s, some), RG__DRAW(draw, s, RG__REAL));
}

static rg_tensor sample_index_select(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    return index > 1 ? RG_NIL
                     : rg_index_select(t, RG__DRAW(draw, RG_SHAPE(3, 3), RG__REAL), index - 1,
                                       rg_input_i64(t, RG_SHAPE(5), some));
}

static rg_tensor sample_take(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    static const int64_t either[] = {-1, 0, 3, -4, 1, 1};
    if (index > 1)
        return RG_NIL;
    rg_tensor x = RG__DRAW(draw, RG_SHAPE(2, 2), RG__REAL);
    return index ? rg_take(t, rg_transpose(t, x, 0, 1), rg_input_i64(t, RG_SHAPE(6), either))
                 : rg_take(t, x, rg_input_i64(t, RG_SHAPE(2, 4), some));
}

static rg_tensor sample_one_hot(rg__draw *draw, int index)
{
    return index > 0 ? RG_NIL : rg_one_hot(draw->t, rg_input_i64(draw->t, RG_SHAPE(2, 4), some), 3, RG_F32);
}

RG__FAMILY(index, ROWS(RG__ROW))
