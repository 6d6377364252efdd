/* Several tensors made one, and one made several: composed of cat, slices and views. */
#include "ops/call.h"
#include "ops/family.h"

#include <string.h>

#define ROWS(ROW)                                                                                                     \
    ROW(atleast_1d, 1, RG__THROUGH, RG__COMPOSITE, "x with one axis or more", RG__CALLED(atleast_1d, "x: any"))       \
    ROW(atleast_2d, 1, RG__THROUGH, RG__COMPOSITE, "x with two axes or more", RG__CALLED(atleast_2d, "x: any"))       \
    ROW(atleast_3d, 1, RG__THROUGH, RG__COMPOSITE, "x with three axes or more", RG__CALLED(atleast_3d, "x: any"))     \
    ROW(hstack, -1, RG__THROUGH, RG__COMPOSITE, "joined side by side", RG__CALLED(hstack, "x...: any"))               \
    ROW(vstack, -1, RG__THROUGH, RG__COMPOSITE, "joined as rows", RG__CALLED(vstack, "x...: any"))                    \
    ROW(dstack, -1, RG__THROUGH, RG__COMPOSITE, "joined along the third axis", RG__CALLED(dstack, "x...: any"))       \
    ROW(column_stack, -1, RG__THROUGH, RG__COMPOSITE, "joined as columns", RG__CALLED(column_stack, "x...: any"))     \
    ROW(block_diag, -1, RG__THROUGH, RG__COMPOSITE, "matrices along a diagonal", RG__CALLED(block_diag, "x...: any")) \
    ROW(cartesian_prod, -1, RG__THROUGH, RG__COMPOSITE, "all combinations of elements",                               \
        RG__CALLED(cartesian_prod, "x...: any"))                                                                      \
    ROW(vander, 1, RG__THROUGH, RG__COMPOSITE, "powers of x, as columns",                                             \
        RG__CALLED(vander, "x: number, columns: int = none, increasing: flag = false"))                               \
    ROW(chunk, 1, RG__THROUGH, RG__COMPOSITE, "x in so many parts along an axis",                                     \
        RG__CALLED(chunk, "x: any, chunks: int, axis: int = 0 -> ..."))                                               \
    ROW(tensor_split, 1, RG__THROUGH, RG__COMPOSITE, "x in even parts along an axis",                                 \
        RG__CALLED(tensor_split, "x: any, sections: int, axis: int = 0 -> ..."))                                      \
    ROW(tensor_split_at, 1, RG__THROUGH, RG__COMPOSITE, "x cut at places along an axis",                              \
        RG__CALLED(tensor_split_at, "x: any, places: ints, axis: int = 0 -> ..."))                                    \
    ROW(unbind, 1, RG__THROUGH, RG__COMPOSITE, "x[0], x[1], ... along an axis",                                       \
        RG__CALLED(unbind, "x: any, axis: int = 0 -> ..."))                                                           \
    ROW(broadcast_tensors, -1, RG__THROUGH, RG__COMPOSITE, "all in one shape",                                        \
        RG__CALLED(broadcast_tensors, "x...: any -> ..."))                                                            \
    ROW(meshgrid, -1, RG__THROUGH, RG__COMPOSITE, "coordinates of a grid",                                            \
        RG__CALLED(meshgrid, "x...: any, indexing: ij|xy = ij -> ..."))

enum { ROWS(RG__ENUM) };
enum { MOST = 256 }; /* tensors that are joined */
#define OP(name) (&rg__ops_stacks[OP_##name])

/* ---- at least so many axes ---- */

static rg_tensor atleast(rg_tape *t, const rg__op *op, rg_tensor x, int rank)
{
    const rg__node *n = rg__arg(t, op, x);
    if (!n || n->rank >= rank)
        return n ? x : RG_NIL;
    rg_shape s = {rank, {1, 1, 1}};
    for (int i = 0; i < n->rank; i++) /* vectors are rows, but matrices lie in the first two axes of three */
        s.dims[i + (rank > 1 && n->rank == 1)] = n->dims[i];
    return rg_reshape(t, x, s);
}

#define ATLEAST(name, rank)                      \
    rg_tensor rg_##name(rg_tape *t, rg_tensor x) \
    {                                            \
        return atleast(t, OP(name), x, rank);    \
    }
ATLEAST(atleast_1d, 1)
ATLEAST(atleast_2d, 2)
ATLEAST(atleast_3d, 3)

/* ---- joining ---- */

static bool valid_count(rg_tape *t, const rg__op *op, const rg_tensor *x, int count, int most)
{
    if (!rg_failed(t) && count >= 1 && count <= most && x)
        return true;
    rg__fail(t, op, RG_ERROR_ARGUMENT, "%d tensors given%s; 1 to %d are allowed", count, x ? "" : " at NULL", most);
    return false;
}

/* Joined along the axis, where vectors go along axis 0 if `flat`. */
static rg_tensor join(rg_tape *t, const rg__op *op, const rg_tensor *x, int count, int rank, int axis)
{
    rg_tensor parts[MOST];
    if (!valid_count(t, op, x, count, MOST))
        return RG_NIL;
    for (int i = 0; i < count; i++)
        parts[i] = atleast(t, op, x[i], rank);
    return rg_failed(t) ? RG_NIL : rg_cat(t, parts, count, rg_shape_of(t, parts[0]).rank > axis ? axis : 0);
}

#define JOIN(name, rank, axis)                                     \
    rg_tensor rg_##name(rg_tape *t, const rg_tensor *x, int count) \
    {                                                              \
        return join(t, OP(name), x, count, rank, axis);            \
    }
JOIN(hstack, 1, 1)
JOIN(vstack, 2, 0)
JOIN(dstack, 3, 2)

rg_tensor rg_column_stack(rg_tape *t, const rg_tensor *x, int count)
{
    const rg__op *op = OP(column_stack);
    rg_tensor parts[MOST];
    if (!valid_count(t, op, x, count, MOST))
        return RG_NIL;
    for (int i = 0; i < count; i++) {
        const rg__node *n = rg__arg(t, op, x[i]);
        parts[i] = n && n->rank < 2 ? rg_reshape(t, x[i], RG_SHAPE(n->numel, 1)) : x[i];
    }
    return rg_failed(t) ? RG_NIL : rg_cat(t, parts, count, 1);
}

rg_tensor rg_block_diag(rg_tape *t, const rg_tensor *x, int count)
{
    const rg__op *op = OP(block_diag);
    rg_tensor rows[MOST];
    int64_t columns = 0, before = 0;
    if (!valid_count(t, op, x, count, MOST))
        return RG_NIL;
    for (int i = 0; i < count; i++) {
        const rg__node *n = rg__arg(t, op, x[i]);
        if (n && n->rank > 2)
            rg__fail(t, op, RG_ERROR_SHAPE, "block %d is %s; rank 0 to 2 is needed", i, RG__NODE_TEXT(n));
        rows[i] = atleast(t, op, x[i], 2);
        const int64_t more = rg_dim(t, rows[i], 1);
        if (rg_failed(t))
            return RG_NIL;
        if (__builtin_add_overflow(columns, more, &columns))
            rg__fail(t, op, RG_ERROR_SHAPE, "the blocks have too many columns");
    }
    for (int i = 0; i < count && !rg_failed(t); i++) {
        const int64_t own = rg_dim(t, rows[i], 1);
        rows[i] = rg_pad(t, rows[i], (int64_t[]){0, before}, (int64_t[]){0, columns - before - own}, 0);
        before += own;
    }
    return rg_failed(t) ? RG_NIL : rg_cat(t, rows, count, 0);
}

rg_tensor rg_cartesian_prod(rg_tape *t, const rg_tensor *x, int count)
{
    const rg__op *op = OP(cartesian_prod);
    rg_tensor grid[RG_MAX_RANK];
    if (!valid_count(t, op, x, count, RG_MAX_RANK))
        return RG_NIL;
    for (int i = 0; i < count; i++) {
        const rg__node *n = rg__arg(t, op, x[i]);
        if (n && n->rank != 1)
            rg__fail(t, op, RG_ERROR_SHAPE, "input %d is %s; a vector is needed", i, RG__NODE_TEXT(n));
    }
    if (count == 1 || rg_meshgrid(t, x, count, RG_INDEXING_IJ, grid) != count)
        return rg_failed(t) ? RG_NIL : x[0];
    for (int i = 0; i < count; i++)
        grid[i] = rg_reshape(t, grid[i], RG_SHAPE(rg_numel(t, grid[i])));
    return rg_stack(t, grid, count, 1);
}

rg_tensor rg_vander(rg_tape *t, rg_tensor x, int64_t columns, bool increasing)
{
    const rg__op *op = OP(vander);
    const rg__node *n = rg__arg_of(t, op, x, RG__NUMBER);
    if (!n)
        return RG_NIL;
    const int64_t wanted = columns == -1 && n->rank == 1 ? n->numel : columns;
    if (n->rank != 1 || wanted < 0 || wanted > MOST) {
        rg__fail(t, op, n->rank != 1 ? RG_ERROR_SHAPE : RG_ERROR_ARGUMENT,
                 "%lld powers of %s: a vector and 0 to %d powers are needed", (long long)columns, RG__NODE_TEXT(n), MOST);
        return RG_NIL;
    }
    if (wanted == 0)
        return rg_reshape(t, rg_slice(t, x, 0, 0, 0, 1), RG_SHAPE(n->numel, 0));
    rg_tensor power[MOST], next = rg_ones_like(t, x);
    for (int64_t i = 0; i < wanted; i++) {
        power[increasing ? i : wanted - 1 - i] = next;
        next = i == 0 ? x : i + 1 < wanted ? rg_mul(t, next, x) : next;
    }
    return rg_stack(t, power, (int)wanted, 1);
}

/* ---- splitting ---- */

/* The axis, if so many parts can be written; -1 and an error otherwise. count: -1 for none. */
static int axis_for(rg_tape *t, const rg__op *op, rg_tensor x, int axis, int64_t count, const rg_tensor *parts,
                    int capacity)
{
    const rg__node *n = rg__arg(t, op, x);
    const int at = n ? rg__axis_of(t, op, n, axis) : -1;
    if (at < 0 || (count >= 0 && count <= capacity && parts))
        return at;
    if (count < 0)
        rg__fail(t, op, RG_ERROR_ARGUMENT, "axis %d of %s in no parts: 1 or more are needed", axis, RG__NODE_TEXT(n));
    else
        rg__fail(t, op, RG_ERROR_ARGUMENT, "axis %d of %s in %lld parts: there is room for %d", axis, RG__NODE_TEXT(n),
                 (long long)count, parts ? capacity : 0);
    return -1;
}

int rg_chunk(rg_tape *t, rg_tensor x, int64_t chunks, int axis, rg_tensor *parts, int capacity)
{
    const rg__op *op = OP(chunk);
    const rg__node *n = rg__arg(t, op, x);
    const int at = n ? rg__axis_of(t, op, n, axis) : -1;
    if (at < 0)
        return 0;
    if (chunks < 1) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%lld chunks; 1 or more are needed", (long long)chunks);
        return 0;
    }
    /* Of nothing there are as many empty parts as are asked for. */
    const int64_t extent = n->dims[at], size = extent ? (extent - 1) / chunks + 1 : 0;
    const int64_t count = size ? (extent - 1) / size + 1 : chunks;
    if (axis_for(t, op, x, axis, count, parts, capacity) < 0)
        return 0;
    for (int64_t i = 0; i < count; i++)
        parts[i] = rg_slice(t, x, at, i * size, i == count - 1 ? extent : (i + 1) * size, 1);
    return rg_failed(t) ? 0 : (int)count;
}

int rg_tensor_split(rg_tape *t, rg_tensor x, int64_t sections, int axis, rg_tensor *parts, int capacity)
{
    const int at = axis_for(t, OP(tensor_split), x, axis, sections < 1 ? -1 : sections, parts, capacity);
    if (at < 0)
        return 0;
    const int64_t extent = rg_dim(t, x, at), size = extent / sections, longer = extent % sections;
    int64_t start = 0;
    for (int64_t i = 0; i < sections; i++) {
        const int64_t stop = start + size + (i < longer);
        parts[i] = rg_slice(t, x, at, start, stop, 1);
        start = stop;
    }
    return rg_failed(t) ? 0 : (int)sections;
}

int rg_tensor_split_at(rg_tape *t, rg_tensor x, const int64_t *places, int count, int axis, rg_tensor *parts, int capacity)
{
    const rg__op *op = OP(tensor_split_at);
    if (count < 0 || (count > 0 && !places)) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%d places%s; 0 or more are needed", count, places ? "" : " at NULL");
        return 0;
    }
    const int at = axis_for(t, op, x, axis, (int64_t)count + 1, parts, capacity);
    for (int i = 0; at >= 0 && i <= count; i++) {
        const int64_t start = i ? places[i - 1] : 0, stop = i < count ? places[i] : RG_END;
        /* The end of an axis has a number here, for INT64_MIN is RG_END. */
        parts[i] = rg_slice(t, x, at, start, i < count && stop == RG_END ? RG_END + 1 : stop, 1);
    }
    return at < 0 || rg_failed(t) ? 0 : count + 1;
}

int rg_unbind(rg_tape *t, rg_tensor x, int axis, rg_tensor *parts, int capacity)
{
    const rg__op *op = OP(unbind);
    const rg__node *n = rg__arg(t, op, x);
    const int at = n ? rg__axis_of(t, op, n, axis) : -1;
    const int64_t count = at < 0 ? 0 : n->dims[at];
    if (at < 0 || axis_for(t, op, x, axis, count > 0 ? count : -1, parts, capacity) < 0)
        return 0;
    for (int64_t i = 0; i < count; i++)
        parts[i] = rg_select(t, x, at, i);
    return rg_failed(t) ? 0 : (int)count;
}

/* ---- grids ---- */

int rg_broadcast_tensors(rg_tape *t, const rg_tensor *x, int count, rg_tensor *out)
{
    const rg__op *op = OP(broadcast_tensors);
    rg_shape s = {0, {0}};
    if (!valid_count(t, op, x, count, MOST) || !out)
        return 0;
    for (int i = 0; i < count; i++) {
        const rg__node *n = rg__arg(t, op, x[i]);
        if (n && !rg__broadcast(&s.rank, s.dims, n->rank, n->dims))
            rg__fail(t, op, RG_ERROR_SHAPE, "input %d, %s, does not broadcast with %s", i, RG__NODE_TEXT(n),
                     RG__DIMS_TEXT(s.rank, s.dims));
    }
    for (int i = 0; i < count; i++)
        out[i] = rg_expand(t, x[i], s);
    return rg_failed(t) ? 0 : count;
}

int rg_meshgrid(rg_tape *t, const rg_tensor *x, int count, rg_indexing indexing, rg_tensor *out)
{
    const rg__op *op = OP(meshgrid);
    rg_shape s = {count, {0}};
    if (!valid_count(t, op, x, count, RG_MAX_RANK) || !out)
        return 0;
    if ((unsigned)indexing > RG_INDEXING_XY)
        rg__fail(t, op, RG_ERROR_ARGUMENT, "indexing is %d; ij and xy are 0 and 1", (int)indexing);
    for (int i = 0; i < count; i++) {
        const rg__node *n = rg__arg(t, op, x[i]), *first = rg__arg(t, op, x[0]);
        if (n && n->rank > 1)
            rg__fail(t, op, RG_ERROR_SHAPE, "input %d is %s; a vector or a scalar is needed", i, RG__NODE_TEXT(n));
        else if (n && first && n->dtype != first->dtype)
            rg__fail(t, op, RG_ERROR_DTYPE, "inputs 0 and %d are %s and %s: they must agree", i,
                     rg_dtype_name((rg_dtype)first->dtype), rg_dtype_name((rg_dtype)n->dtype));
        s.dims[i] = n ? n->numel : 0;
    }
    for (int i = 0; i < count; i++) {
        rg_shape line = {count, {1, 1, 1, 1, 1, 1, 1, 1}};
        line.dims[i] = s.dims[i];
        out[i] = rg_expand(t, rg_reshape(t, x[i], line), s);
        if (indexing == RG_INDEXING_XY && count > 1)
            out[i] = rg_transpose(t, out[i], 0, 1);
    }
    return rg_failed(t) ? 0 : count;
}

/* ---- by name ---- */

RG__CALL(atleast_1d, rg_atleast_1d(t, in[0]))
RG__CALL(atleast_2d, rg_atleast_2d(t, in[0]))
RG__CALL(atleast_3d, rg_atleast_3d(t, in[0]))
RG__CALL(hstack, rg_hstack(t, in, c->count))
RG__CALL(vstack, rg_vstack(t, in, c->count))
RG__CALL(dstack, rg_dstack(t, in, c->count))
RG__CALL(column_stack, rg_column_stack(t, in, c->count))
RG__CALL(block_diag, rg_block_diag(t, in, c->count))
RG__CALL(cartesian_prod, rg_cartesian_prod(t, in, c->count))
RG__CALL(vander, rg_vander(t, in[0], rg__call_given(c, "columns") ? RG__INT_OF(columns) : -1, RG__FLAG_OF(increasing)))

#define CALL_PARTS(name, ...)                                 \
    static int call_##name(const rg__call *c, rg_tensor *out) \
    {                                                         \
        rg_tape *t = c->t;                                    \
        const rg_tensor *in = c->in;                          \
        return __VA_ARGS__;                                   \
    }
CALL_PARTS(chunk, rg_chunk(t, in[0], RG__INT_OF(chunks), RG__AXIS_OF(axis), out, c->capacity))
CALL_PARTS(tensor_split, rg_tensor_split(t, in[0], RG__INT_OF(sections), RG__AXIS_OF(axis), out, c->capacity))
CALL_PARTS(unbind, rg_unbind(t, in[0], RG__AXIS_OF(axis), out, c->capacity))

static int call_tensor_split_at(const rg__call *c, rg_tensor *out)
{
    int64_t places[MOST];
    const int count = rg__call_ints(c, "places", places, MOST);
    return rg_tensor_split_at(c->t, c->in[0], places, count, RG__AXIS_OF(axis), out, c->capacity);
}

static bool has_room(const rg__call *c)
{
    if (c->count > c->capacity)
        rg__fail(c->t, c->op, RG_ERROR_ARGUMENT, "room for %d results given; %d needed", c->capacity, c->count);
    return c->count <= c->capacity;
}
CALL_PARTS(broadcast_tensors, has_room(c) ? rg_broadcast_tensors(t, in, c->count, out) : 0)
CALL_PARTS(meshgrid, has_room(c) ? rg_meshgrid(t, in, c->count, (rg_indexing)RG__WORD_OF(indexing), out) : 0)

/* ---- samples ---- */

#define DRAW(...) RG__DRAW(draw, RG_SHAPE(__VA_ARGS__), RG__REAL)
#define SCALAR    RG__DRAW(draw, RG_SCALAR, RG__REAL)

#define ONE(name, n, ...)                                                    \
    static rg_tensor sample_##name(rg__draw *draw, int index)                \
    {                                                                        \
        rg_tape *t = draw->t;                                                \
        if (index >= (n))                                                    \
            return RG_NIL;                                                   \
        const rg_tensor x = index == 0   ? DRAW(3)                           \
                            : index == 1 ? rg_transpose(t, DRAW(2, 3), 0, 1) \
                            : index == 2 ? DRAW(0)                           \
                                         : SCALAR;                           \
        return (__VA_ARGS__);                                                \
    }
ONE(atleast_1d, 4, rg_atleast_1d(t, x))
ONE(atleast_2d, 4, rg_atleast_2d(t, x))
ONE(atleast_3d, 4, rg_atleast_3d(t, x))

static rg_tensor sample_vander(rg__draw *draw, int index)
{
    return index > 2 ? RG_NIL : rg_vander(draw->t, DRAW(index < 2 ? 3 : 0), index ? 4 : -1, index);
}

/* Three tensors: vectors, matrices of which one is transposed, with an empty one, scalars. */
#define SEVERAL(name, n, ...)                                 \
    static rg_tensor sample_##name(rg__draw *draw, int index) \
    {                                                         \
        rg_tape *t = draw->t;                                 \
        rg_tensor x[3];                                       \
        if (index >= (n))                                     \
            return RG_NIL;                                    \
        for (int i = 0; i < 3; i++)                           \
            x[i] = index == 0   ? DRAW(3)                     \
                   : index == 3 ? SCALAR                      \
                   : index == 2 ? DRAW(0, 2)                  \
                   : i          ? DRAW(2, 2)                  \
                                : rg_transpose(t, DRAW(2, 2), 0, 1);   \
        return (__VA_ARGS__);                                 \
    }
SEVERAL(hstack, 4, rg_hstack(t, x, 3))
SEVERAL(vstack, 4, rg_vstack(t, x, 3))
SEVERAL(dstack, 4, rg_dstack(t, x, 3))
SEVERAL(column_stack, 4, rg_column_stack(t, x, 3))
SEVERAL(block_diag, 4, rg_block_diag(t, x, 3))

/* The product of all parts, so that each of them counts. */
static rg_tensor product(rg_tape *t, const rg_tensor *parts, int count)
{
    rg_tensor y = count ? rg_sum(t, parts[0], RG_ALL, false) : RG_NIL;
    for (int i = 1; i < count; i++)
        y = rg_add(t, rg_mul(t, y, y), rg_sum(t, parts[i], RG_ALL, false));
    return y;
}

#define PARTS(name, n, ...)                                           \
    static rg_tensor sample_##name(rg__draw *draw, int index)         \
    {                                                                 \
        static const int64_t places[] = {1, 3, -1};                   \
        rg_tape *t = draw->t;                                         \
        rg_tensor parts[8], x[3];                                     \
        (void)places, (void)x;                                        \
        return index < (n) ? product(t, parts, __VA_ARGS__) : RG_NIL; \
    }
#define MATRIX (index ? rg_transpose(t, DRAW(5, 2), 0, 1) : DRAW(2, 5))
PARTS(chunk, 2, rg_chunk(t, MATRIX, 3, 1, parts, 8))
PARTS(tensor_split, 2, rg_tensor_split(t, MATRIX, 3, -1, parts, 8))
PARTS(tensor_split_at, 2, rg_tensor_split_at(t, MATRIX, places, 3, 1, parts, 8))
PARTS(unbind, 2, rg_unbind(t, MATRIX, index, parts, 8))
PARTS(broadcast_tensors, 2, (x[0] = MATRIX, x[1] = DRAW(5), x[2] = SCALAR, rg_broadcast_tensors(t, x, 3, parts)))
PARTS(meshgrid, 3, (x[0] = DRAW(2), x[1] = DRAW(3), x[2] = SCALAR, rg_meshgrid(t, x, 3, index == 1, parts)))

static rg_tensor sample_cartesian_prod(rg__draw *draw, int index)
{
    if (index > 2)
        return RG_NIL;
    const rg_tensor x[] = {DRAW(2), rg_flip(draw->t, DRAW(3), RG_ALL), DRAW(index == 2 ? 0 : 1)};
    return rg_cartesian_prod(draw->t, x, index ? 3 : 1);
}

RG__FAMILY(stacks, ROWS(RG__ROW))
