/* Several indices at once: reading and writing at the positions that they name together, and in arrays flattened. They
 * become one index into the indexed axes joined, of which the gathers and scatters along an axis do the rest. */
#include "ops/at_index.h"
#include "ops/call.h"
#include "ops/family.h"

#include <string.h>

#define ROWS(ROW)                                                                                                   \
    ROW(linear_index, -1, RG__NODIFF, RG__KERNEL, "positions in an array, flattened, from one index for each axis", \
        .fallible = true, RG__ATTR(linear_index))                                                                   \
    ROW(index, -1, RG__THROUGH, RG__COMPOSITE, "x[i, j, ...]", RG__CALLED(index, "x: any, index...?: whole"))       \
    ROW(index_put, -1, RG__THROUGH, RG__COMPOSITE, "x with values at [i, j, ...]",                                  \
        RG__CALLED(index_put, "x: any, values: any, index...?: whole, accumulate: flag = false"))                   \
    ROW(put, 3, RG__THROUGH, RG__COMPOSITE, "x with source at index of its elements, flattened",                    \
        RG__CALLED(put, "x: any, index: integer, source: any, accumulate: flag = false"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_advanced[OP_##name])

/* ---- positions ---- */

struct linear_index {
    int64_t extents[RG_MAX_RANK]; /* 0 past the indices */
};
static const rg__field fields_linear_index[] = {RG__FIELD(struct linear_index, extents, RG__EXTENTS), {0}};

/* Adds one index to the positions so far. The first one out of range, or the result's end. */
static const int64_t *add_index(int64_t *out, const int64_t *end, const char *index, int64_t step, int64_t extent,
                                bool first)
{
    for (; out < end; out++, index += step) {
        int64_t at = *(const int64_t *)(const void *)index;
        at += at < 0 ? extent : 0;
        if ((uint64_t)at >= (uint64_t)extent)
            return (const int64_t *)(const void *)index;
        *out = first ? at : *out * extent + at;
    }
    return NULL;
}

static bool kernel_linear_index(const rg__run *run)
{
    const struct linear_index *a = run->node->attr;
    for (int k = 0; k < run->node->n_in && run->node->numel > 0; k++) {
        const rg__array_view *in = &run->in[k];
        int64_t strides[RG_MAX_RANK];
        rg__broadcast_strides(in->rank, in->dims, in->strides, run->out.rank, run->out.dims, strides);
        rg__walk w;
        rg__walk_start(&w, run->out.rank, run->out.dims, 2,
                       (rg__strided[]){rg__strided_of(&run->out), {in->data, strides, sizeof(int64_t)}});
        do {
            int64_t *out = (int64_t *)(void *)w.p[0];
            const int64_t *bad = add_index(out, out + w.run, w.p[1], w.step[1], a->extents[k], k == 0);
            if (bad)
                return rg__run_fail(run, RG_ERROR_VALUE, "index %lld is out of range %lld to %lld", (long long)*bad,
                                    -(long long)a->extents[k], (long long)a->extents[k] - 1);
        } while (rg__walk_next(&w));
    }
    return true;
}

rg_tensor rg__linear_index(rg_tape *t, const rg__op *op, const rg_tensor *index, int count, const int64_t *extents)
{
    struct linear_index attr = {{0}};
    rg_tensor whole[RG_MAX_RANK];
    int rank = 0;
    int64_t dims[RG_MAX_RANK];
    for (int i = 0; i < count; i++) {
        const rg__node *n = rg__arg_of(t, op, index[i], RG__INTEGER);
        if (!n)
            return RG_NIL;
        if (!rg__broadcast(&rank, dims, n->rank, n->dims)) {
            rg__fail(t, op, RG_ERROR_SHAPE, "indices %s and %s do not broadcast", RG__DIMS_TEXT(rank, dims),
                     RG__NODE_TEXT(n));
            return RG_NIL;
        }
        attr.extents[i] = extents[i];
        whole[i] = rg_cast(t, index[i], RG_I64);
    }
    if (rg_failed(t))
        return RG_NIL;
    return rg__record(t, OP(linear_index), whole, count, RG_I64, rank, dims, &attr);
}

/* ---- lists of indices ---- */

/* One index for each axis of x, nil for whole axes; masks written out. */
typedef struct indices {
    rg_tensor at[RG_MAX_RANK];
} indices;

/* The positions where a mask is true become an index for each of its axes. */
static bool write_out(rg_tape *t, const rg__op *op, const rg__node *x, rg_tensor mask, int first, indices *all)
{
    const rg__node *m = rg__arg(t, op, mask);
    bool fits = m->rank > 0;
    for (int i = 0; fits && i < m->rank; i++)
        fits = first + i < x->rank && m->dims[i] == x->dims[first + i];
    if (!fits) {
        rg__fail(t, op, RG_ERROR_SHAPE, "the mask %s does not fit %s from axis %d on", RG__NODE_TEXT(m),
                 RG__NODE_TEXT(x), first);
        return false;
    }
    const rg_tensor positions = rg_nonzero(t, mask);
    for (int i = 0; i < m->rank; i++)
        all->at[first + i] = rg_select(t, positions, 1, i);
    return !rg_failed(t);
}

static bool read_indices(rg_tape *t, const rg__op *op, const rg__node *x, const rg_tensor *index, int count, indices *all)
{
    *all = (indices){{RG_NIL}};
    int axis = 0, named = 0;
    for (int i = 0; i < count && index; i++) {
        const rg__node *n = rg_is_nil(index[i]) ? NULL : rg__arg(t, op, index[i]);
        if (rg_failed(t))
            return false;
        const int axes = n && n->dtype == RG_BOOL && n->rank > 0 ? n->rank : 1;
        if (axis + axes > x->rank) {
            rg__fail(t, op, RG_ERROR_SHAPE, "index %d goes beyond the %d axes of x %s", i, x->rank, RG__NODE_TEXT(x));
            return false;
        }
        if (n && n->dtype != RG_BOOL && n->dtype != RG_I64 && n->dtype != RG_I32) {
            rg__fail(t, op, RG_ERROR_DTYPE, "index %d is %s of %s; i32, i64 or bool is needed", i,
                     rg_dtype_name((rg_dtype)n->dtype), RG__NODE_TEXT(n));
            return false;
        }
        if (n && n->dtype == RG_BOOL && !write_out(t, op, x, index[i], axis, all))
            return false;
        if (n && n->dtype != RG_BOOL)
            all->at[axis] = index[i];
        axis += axes;
        named += n != NULL;
    }
    if (named == 0)
        rg__fail(t, op, RG_ERROR_ARGUMENT, "no index given (%d, all nil); one is needed", count > 0 ? count : 0);
    return named > 0;
}

/* ---- where they lead ---- */

/* x with the indexed axes joined into one, which a single index goes along. */
typedef struct place {
    rg_axes order;    /* axes of x, the indexed ones one behind the other */
    rg_shape ordered; /* x in that order          */
    int axis;         /* the joined one           */
    rg_shape joined;  /* the shape with it        */
    rg_shape result;  /* of reading               */
    rg_tensor index;  /* a vector                 */
} place;

static bool find_place(rg_tape *t, const rg__op *op, const rg__node *x, const indices *all, place *p)
{
    rg_tensor given[RG_MAX_RANK];
    int64_t extents[RG_MAX_RANK], joined = 1;
    int count = 0, first = -1, last = 0;
    for (int i = 0; i < x->rank; i++) {
        if (rg_is_nil(all->at[i]))
            continue;
        first = first < 0 ? i : first;
        last = i;
        joined *= x->dims[i];
        extents[count] = x->dims[i];
        given[count++] = all->at[i];
    }
    const bool adjacent = last - first + 1 == count;
    *p = (place){.axis = adjacent ? first : 0};
    for (int i = 0; i < p->axis; i++)
        p->order.axis[p->order.count++] = i;
    for (int i = 0; i < x->rank; i++)
        if (!rg_is_nil(all->at[i]))
            p->order.axis[p->order.count++] = i;
    for (int i = p->axis; i < x->rank; i++)
        if (rg_is_nil(all->at[i]))
            p->order.axis[p->order.count++] = i;
    const rg_tensor index = rg__linear_index(t, op, given, count, extents);
    const rg_shape b = rg_shape_of(t, index);
    if (rg_failed(t))
        return false;
    if (x->rank - count + b.rank > RG_MAX_RANK) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s indexed by %s along %d axes would have more than %d axes", RG__NODE_TEXT(x),
                 RG__DIMS_TEXT(b.rank, b.dims), count, RG_MAX_RANK);
        return false;
    }
    for (int i = 0; i < x->rank; i++) {
        const int64_t extent = p->ordered.dims[p->ordered.rank++] = x->dims[p->order.axis[i]];
        if (i == p->axis) {
            p->joined.dims[p->joined.rank++] = joined;
            for (int k = 0; k < b.rank; k++)
                p->result.dims[p->result.rank++] = b.dims[k];
        }
        if (i >= p->axis && i < p->axis + count)
            continue;
        p->joined.dims[p->joined.rank++] = extent;
        p->result.dims[p->result.rank++] = extent;
    }
    p->index = rg_reshape(t, index, RG_SHAPE(rg_numel(t, index)));
    return !rg_failed(t);
}

static bool locate(rg_tape *t, const rg__op *op, rg_tensor x, const rg_tensor *index, int count, place *p)
{
    const rg__node *n = rg__arg(t, op, x);
    indices all;
    return n && read_indices(t, op, n, index, count, &all) && find_place(t, op, rg__arg(t, op, x), &all, p);
}

static rg_tensor joined(rg_tape *t, rg_tensor x, const place *p)
{
    return rg_reshape(t, rg_permute(t, x, p->order), p->joined);
}

/* ---- recording ---- */

rg_tensor rg_index(rg_tape *t, rg_tensor x, const rg_tensor *index, int count)
{
    place p;
    if (!locate(t, OP(index), x, index, count, &p))
        return RG_NIL;
    return rg_reshape(t, rg_index_select(t, joined(t, x, &p), p.axis, p.index), p.result);
}

rg_tensor rg_index_put(rg_tape *t, rg_tensor x, const rg_tensor *index, int count, rg_tensor values, bool accumulate)
{
    const rg__op *op = OP(index_put);
    const rg__node *n = rg__arg_of(t, op, x, accumulate ? RG__NUMBER : RG__ANY), *nv = n ? rg__arg(t, op, values) : NULL;
    place p;
    if (!nv || !locate(t, op, x, index, count, &p))
        return RG_NIL;
    int rank = p.result.rank;
    int64_t dims[RG_MAX_RANK];
    memcpy(dims, p.result.dims, sizeof dims);
    const bool fits =
        rg__broadcast(&rank, dims, nv->rank, nv->dims) && rg__dims_equal(rank, dims, p.result.rank, p.result.dims);
    if (!fits || nv->dtype != n->dtype) {
        rg__fail(t, op, fits ? RG_ERROR_DTYPE : RG_ERROR_SHAPE, "values %s of %s do not fit the places, %s of %s",
                 rg_dtype_name((rg_dtype)nv->dtype), RG__NODE_TEXT(nv), rg_dtype_name((rg_dtype)n->dtype),
                 RG__DIMS_TEXT(p.result.rank, p.result.dims));
        return RG_NIL;
    }
    const rg_tensor to = joined(t, x, &p), at = rg__along_axis(t, p.index, p.joined, p.axis);
    const rg_tensor source = rg_reshape(t, rg_expand(t, values, p.result), rg_shape_of(t, at));
    const rg_tensor out = (accumulate ? rg_scatter_add : rg_scatter)(t, to, p.axis, at, source);
    rg_axes back = {p.order.count, {0}};
    for (int i = 0; i < back.count; i++)
        back.axis[p.order.axis[i]] = i;
    return rg_permute(t, rg_reshape(t, out, p.ordered), back);
}

rg_tensor rg_put(rg_tape *t, rg_tensor x, rg_tensor index, rg_tensor source, bool accumulate)
{
    const rg__op *op = OP(put);
    const rg__node *n = rg__arg_of(t, op, x, accumulate ? RG__NUMBER : RG__ANY);
    const rg__node *ni = n ? rg__arg_of(t, op, index, RG__INTEGER) : NULL, *ns = ni ? rg__arg(t, op, source) : NULL;
    if (!ns)
        return RG_NIL;
    if (ns->numel != ni->numel || ns->dtype != n->dtype) {
        rg__fail(t, op, ns->numel != ni->numel ? RG_ERROR_SHAPE : RG_ERROR_DTYPE,
                 "source is %s of %s; x is %s and index is %s: as many elements are needed",
                 rg_dtype_name((rg_dtype)ns->dtype), RG__NODE_TEXT(ns), rg_dtype_name((rg_dtype)n->dtype),
                 RG__NODE_TEXT(ni));
        return RG_NIL;
    }
    const rg_shape shape = rg_shape_of(t, x), flat = RG_SHAPE(ni->numel);
    const rg_tensor at = rg_reshape(t, rg__linear_index(t, op, &index, 1, &n->numel), flat);
    const rg_tensor to = rg_reshape(t, x, RG_SHAPE(n->numel));
    return rg_reshape(t, (accumulate ? rg_scatter_add : rg_scatter)(t, to, 0, at, rg_reshape(t, source, flat)), shape);
}

/* ---- by name ---- */

RG__CALL(index, rg_index(t, in[0], in + 1, c->count - 1))
RG__CALL(index_put, rg_index_put(t, in[0], in + 2, c->count - 2, in[1], RG__FLAG_OF(accumulate)))
RG__CALL(put, rg_put(t, in[0], in[1], in[2], RG__FLAG_OF(accumulate)))

/* ---- samples ---- */

static rg_tensor sample_linear_index(rg__draw *draw, int index)
{
    static const int64_t at[] = {1, -2, 0, -1};
    rg_tape *t = draw->t;
    if (index > 1)
        return RG_NIL;
    const rg_tensor i[] = {rg_input_i64(t, RG_SHAPE(2, 2), at), rg_input_i64(t, index ? RG_SHAPE(2) : RG_SCALAR, at)};
    return rg__linear_index(t, OP(linear_index), i, 2, (int64_t[]){2, 3});
}

/* Adjacent, with a whole axis between, behind one, a mask, a scalar index, none of the positions. */
enum { INDEXED = 6 };
static int draw_index(rg__draw *draw, int which, rg_tensor *x, rg_tensor *index)
{
    static const int64_t rows[] = {1, 0, -1, 1}, columns[] = {2, 0, 1, -3};
    static const bool mask[] = {true, false, true, false, false, true};
    rg_tape *t = draw->t;
    const rg_tensor i = rg_input_i64(t, RG_SHAPE(2, 2), rows), j = rg_input_i64(t, RG_SHAPE(2), columns);
    *x = RG__DRAW(draw, RG_SHAPE(2, 3, 2), RG__REAL);
    index[0] = which == 2   ? RG_NIL
               : which == 3 ? rg_input_bool(t, RG_SHAPE(2, 3), mask)
               : which == 4 ? rg_input_i64(t, RG_SCALAR, rows)
               : which == 5 ? rg_input_i64(t, RG_SHAPE(0), rows)
                            : i;
    index[1] = which == 1 ? RG_NIL : j;
    index[2] = i;
    return which == 1 ? 3 : which >= 3 ? 1 : 2;
}

static rg_tensor sample_index(rg__draw *draw, int index)
{
    rg_tensor x, i[3];
    if (index >= INDEXED)
        return RG_NIL;
    const int count = draw_index(draw, index, &x, i);
    return rg_index(draw->t, x, i, count);
}

static rg_tensor sample_index_put(rg__draw *draw, int index)
{
    rg_tensor x, i[3];
    if (index >= 2 * INDEXED)
        return RG_NIL;
    const int count = draw_index(draw, index / 2, &x, i);
    const int which = index / 2;
    const rg_shape shape = which == 1 ? RG_SHAPE(2, 1) : which == 4 ? RG_SCALAR : RG_SHAPE(2);
    return rg_index_put(draw->t, x, i, count, RG__DRAW(draw, shape, RG__REAL), index % 2);
}

static rg_tensor sample_put(rg__draw *draw, int index)
{
    static const int64_t at[] = {5, -1, 0, 2, -6, 2};
    rg_tape *t = draw->t;
    if (index > 3)
        return RG_NIL;
    const rg_tensor x = RG__DRAW(draw, RG_SHAPE(3, 2), RG__REAL), source = RG__DRAW(draw, RG_SHAPE(2, 3), RG__REAL);
    return rg_put(t, index > 1 ? rg_transpose(t, x, 0, 1) : x, rg_input_i64(t, RG_SHAPE(6), at), source, index % 2);
}

RG__FAMILY(advanced, ROWS(RG__ROW))
