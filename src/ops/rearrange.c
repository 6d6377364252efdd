/* Rearranging: axes moved, joined and divided, turns, triangles, padding. All are composed of views, joins and
 * selections. */
#include "ops/call.h"
#include "ops/cube.h"
#include "ops/family.h"

#include <stdlib.h>
#include <string.h>

#define ROWS(ROW)                                                                                       \
    ROW(movedim, 1, RG__THROUGH, RG__COMPOSITE, "x with axes in other places",                          \
        RG__CALLED(movedim, "x: any, source: ints, destination: ints"))                                 \
    ROW(swapaxes, 1, RG__THROUGH, RG__COMPOSITE, "x with two axes exchanged",                           \
        RG__CALLED(swapaxes, "x: any, axis0: int, axis1: int"))                                         \
    ROW(broadcast_to, 1, RG__THROUGH, RG__COMPOSITE, "x repeated along axes of extent 1",               \
        RG__CALLED(broadcast_to, "x: any, shape: ints"))                                                \
    ROW(flatten, 1, RG__THROUGH, RG__COMPOSITE, "x with neighbouring axes as one",                      \
        RG__CALLED(flatten, "x: any, start: int = 0, end: int = -1"))                                   \
    ROW(ravel, 1, RG__THROUGH, RG__COMPOSITE, "x with all axes as one", RG__CALLED(ravel, "x: any"))    \
    ROW(unflatten, 1, RG__THROUGH, RG__COMPOSITE, "x with an axis as several",                          \
        RG__CALLED(unflatten, "x: any, axis: int, sizes: ints"))                                        \
    ROW(rot90, 1, RG__THROUGH, RG__COMPOSITE, "x turned in a plane",                                    \
        RG__CALLED(rot90, "x: any, k: int = 1, axis0: int = 0, axis1: int = 1"))                        \
    ROW(fliplr, 1, RG__THROUGH, RG__COMPOSITE, "x with axis 1 backwards", RG__CALLED(fliplr, "x: any")) \
    ROW(flipud, 1, RG__THROUGH, RG__COMPOSITE, "x with axis 0 backwards", RG__CALLED(flipud, "x: any")) \
    ROW(tril, 1, RG__THROUGH, RG__COMPOSITE, "x on and below a diagonal, else 0",                       \
        RG__CALLED(tril, "x: any, diagonal: int = 0"))                                                  \
    ROW(triu, 1, RG__THROUGH, RG__COMPOSITE, "x on and above a diagonal, else 0",                       \
        RG__CALLED(triu, "x: any, diagonal: int = 0"))                                                  \
    ROW(tril_indices, 0, RG__NODIFF, RG__COMPOSITE, "rows and columns of a lower triangle",             \
        RG__CALLED(tril_indices, "rows: int, columns: int, offset: int = 0"))                           \
    ROW(triu_indices, 0, RG__NODIFF, RG__COMPOSITE, "rows and columns of an upper triangle",            \
        RG__CALLED(triu_indices, "rows: int, columns: int, offset: int = 0"))                           \
    ROW(roll, 1, RG__THROUGH, RG__COMPOSITE, "x moved along axes, round the ends",                      \
        RG__CALLED(roll, "x: any, shifts: ints, axes: ints = none"))                                    \
    ROW(pad_mode, 1, RG__THROUGH, RG__COMPOSITE, "x with more of itself, or a value, around it",        \
        RG__CALLED(pad_mode, "x: any, pad: ints, mode: constant|reflect|replicate|circular = constant, value: real = 0"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_rearrange[OP_##name])

/* ---- axes ---- */

rg_tensor rg_movedim(rg_tape *t, rg_tensor x, rg_axes source, rg_axes destination)
{
    const rg__op *op = OP(movedim);
    const rg__node *n = rg__arg(t, op, x);
    uint32_t from, to;
    if (!n)
        return RG_NIL;
    if (source.count != destination.count) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%d axes of x and %d of the result: as many are needed", source.count,
                 destination.count);
        return RG_NIL;
    }
    if (source.count == 0)
        return x;
    if (!rg__axis_set(t, op, n, source, &from) || !rg__axis_set(t, op, n, destination, &to))
        return RG_NIL;
    rg_axes order = {n->rank, {0}};
    for (int i = 0, next = 0; i < n->rank; i++) {
        if (to >> i & 1)
            continue;
        while (from >> next & 1)
            next++;
        order.axis[i] = next++;
    }
    for (int i = 0; i < source.count && n->rank; i++)
        order.axis[rg__axis(destination.axis[i], n->rank)] = rg__axis(source.axis[i], n->rank);
    return rg_permute(t, x, order);
}

rg_tensor rg_swapaxes(rg_tape *t, rg_tensor x, int axis0, int axis1)
{
    return rg__arg(t, OP(swapaxes), x) ? rg_transpose(t, x, axis0, axis1) : RG_NIL;
}

rg_tensor rg_broadcast_to(rg_tape *t, rg_tensor x, rg_shape shape)
{
    return rg__arg(t, OP(broadcast_to), x) ? rg_expand(t, x, shape) : RG_NIL;
}

rg_tensor rg_flatten(rg_tape *t, rg_tensor x, int start, int end)
{
    const rg__op *op = OP(flatten);
    const rg__node *n = rg__arg(t, op, x);
    if (!n)
        return RG_NIL;
    const int rank = n->rank ? n->rank : 1, a = rg__axis(start, rank), b = rg__axis(end, rank);
    if (a < 0 || b < a) {
        rg__fail(t, op, RG_ERROR_SHAPE, "axes %d to %d are no range of those of %s", start, end, RG__NODE_TEXT(n));
        return RG_NIL;
    }
    rg_shape s = {0, {0}};
    int64_t joined = 1;
    for (int i = 0; i < n->rank; i++) {
        if (i >= a && i <= b)
            joined *= n->dims[i];
        if (i < a || i >= b)
            s.dims[s.rank++] = i == b ? joined : n->dims[i];
    }
    return rg_reshape(t, x, n->rank ? s : RG_SHAPE(1));
}

rg_tensor rg_ravel(rg_tape *t, rg_tensor x)
{
    const rg__node *n = rg__arg(t, OP(ravel), x);
    return n ? rg_reshape(t, x, RG_SHAPE(n->numel)) : RG_NIL;
}

rg_tensor rg_unflatten(rg_tape *t, rg_tensor x, int axis, rg_shape sizes)
{
    const rg__op *op = OP(unflatten);
    const rg__node *n = rg__arg(t, op, x);
    const int at = n ? rg__axis_of(t, op, n, axis) : -1;
    if (at < 0)
        return RG_NIL;
    int unknown = -1;
    int64_t known = 1;
    bool fits = sizes.rank >= 1 && n->rank - 1 + sizes.rank <= RG_MAX_RANK;
    for (int i = 0; fits && i < sizes.rank; i++) {
        if (sizes.dims[i] == -1 && unknown < 0)
            unknown = i;
        else
            fits = sizes.dims[i] >= 0 && !__builtin_mul_overflow(known, sizes.dims[i], &known);
    }
    fits = fits && (unknown < 0 ? known == n->dims[at] : known > 0 && n->dims[at] % known == 0);
    if (!fits) {
        rg__fail(t, op, RG_ERROR_SHAPE, "axis %d of %s cannot become %s", axis, RG__NODE_TEXT(n),
                 RG__DIMS_TEXT(sizes.rank, sizes.dims));
        return RG_NIL;
    }
    if (unknown >= 0)
        sizes.dims[unknown] = n->dims[at] / known;
    rg_shape s = {0, {0}};
    for (int i = 0; i < n->rank; i++)
        for (int k = 0; k < (i == at ? sizes.rank : 1); k++)
            s.dims[s.rank++] = i == at ? sizes.dims[k] : n->dims[i];
    return rg_reshape(t, x, s);
}

/* ---- turns ---- */

rg_tensor rg_rot90(rg_tape *t, rg_tensor x, int64_t k, int axis0, int axis1)
{
    const rg__op *op = OP(rot90);
    const rg__node *n = rg__arg(t, op, x);
    if (!n)
        return RG_NIL;
    const int a = rg__axis(axis0, n->rank), b = rg__axis(axis1, n->rank);
    if (a < 0 || b < 0 || a == b) {
        rg__fail(t, op, RG_ERROR_SHAPE, "axes %d and %d are not two axes of %s", axis0, axis1, RG__NODE_TEXT(n));
        return RG_NIL;
    }
    switch ((k % 4 + 4) % 4) {
    case 1: return rg_transpose(t, rg_flip(t, x, RG_AXES(b)), a, b);
    case 2: return rg_flip(t, x, RG_AXES(a, b));
    case 3: return rg_transpose(t, rg_flip(t, x, RG_AXES(a)), a, b);
    default: return x;
    }
}

static rg_tensor flip_axis(rg_tape *t, const rg__op *op, rg_tensor x, int axis)
{
    const rg__node *n = rg__arg(t, op, x);
    if (!n)
        return RG_NIL;
    if (n->rank > axis)
        return rg_flip(t, x, RG_AXES(axis));
    rg__fail(t, op, RG_ERROR_SHAPE, "%s has no axis %d", RG__NODE_TEXT(n), axis);
    return RG_NIL;
}

rg_tensor rg_fliplr(rg_tape *t, rg_tensor x)
{
    return flip_axis(t, OP(fliplr), x, 1);
}

rg_tensor rg_flipud(rg_tape *t, rg_tensor x)
{
    return flip_axis(t, OP(flipud), x, 0);
}

/* ---- triangles ---- */

static int64_t clip(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

static rg_tensor triangle(rg_tape *t, const rg__op *op, rg_tensor x, int64_t diagonal, bool lower)
{
    const rg__node *n = rg__arg(t, op, x);
    if (!n)
        return RG_NIL;
    if (n->rank < 2) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s is no matrix, nor a batch of them", RG__NODE_TEXT(n));
        return RG_NIL;
    }
    if (n->numel == 0)
        return x;
    const int64_t rows = n->dims[n->rank - 2], columns = n->dims[n->rank - 1], d = clip(diagonal, -rows, columns);
    /* Row i reaches to column i + d, or begins there. */
    const rg_tensor end = rg_arange(t, RG_I64, (double)d, (double)(d + rows), 1);
    const rg_tensor column = rg_arange(t, RG_I64, 0, (double)columns, 1);
    const rg_tensor keep = (lower ? rg_le : rg_ge)(t, column, rg_reshape(t, end, RG_SHAPE(rows, 1)));
    return rg_where(t, keep, x, rg__like(t, x, 0));
}

rg_tensor rg_tril(rg_tape *t, rg_tensor x, int64_t diagonal)
{
    return triangle(t, OP(tril), x, diagonal, true);
}

rg_tensor rg_triu(rg_tape *t, rg_tensor x, int64_t diagonal)
{
    return triangle(t, OP(triu), x, diagonal, false);
}

/* Elements of a [rows, columns] matrix in columns below i + end of row i, for end within -rows and columns. */
static int64_t elements_before(int64_t rows, int64_t columns, int64_t end)
{
    const int64_t first = end < 0 ? -end : 0;                       /* row that has any      */
    const int64_t full = clip(columns - end, first, rows);          /* from here on, all     */
    const int64_t low = first + end, high = low + full - first - 1; /* of the rows that grow */
    return (low + high) * (full - first) / 2 + (rows - full) * columns;
}

static rg_tensor triangle_indices(rg_tape *t, const rg__op *op, int64_t rows, int64_t columns, int64_t offset, bool lower)
{
    if (rg_failed(t))
        return RG_NIL;
    const int64_t numel = rg_shape_numel(RG_SHAPE(rows, columns));
    if (numel < 0) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%lld rows and %lld columns are no valid matrix", (long long)rows,
                 (long long)columns);
        return RG_NIL;
    }
    /* A lower triangle ends before column i + end; an upper one begins there. */
    const int64_t end = clip(lower && offset < INT64_MAX ? offset + 1 : offset, -rows, columns);
    const int64_t before = elements_before(rows, columns, end), n = lower ? before : numel - before;
    int64_t *const at = n > 0 ? malloc((size_t)n * 2 * sizeof *at) : NULL;
    if (n > 0 && !at) {
        rg__fail(t, op, RG_ERROR_MEMORY, "out of memory for %lld elements", (long long)n);
        return RG_NIL;
    }
    int64_t k = 0;
    for (int64_t i = lower && end < 0 ? -end : 0; k < n; i++) {
        const int64_t edge = clip(i + end, 0, columns);
        for (int64_t c = lower ? 0 : edge; c < (lower ? edge : columns); c++, k++) {
            at[k] = i;
            at[n + k] = c;
        }
    }
    const rg_tensor out = rg_input_i64(t, RG_SHAPE(2, n), at);
    free(at);
    return out;
}

rg_tensor rg_tril_indices(rg_tape *t, int64_t rows, int64_t columns, int64_t offset)
{
    return triangle_indices(t, OP(tril_indices), rows, columns, offset, true);
}

rg_tensor rg_triu_indices(rg_tape *t, int64_t rows, int64_t columns, int64_t offset)
{
    return triangle_indices(t, OP(triu_indices), rows, columns, offset, false);
}

/* ---- moving along ---- */

static rg_tensor roll(rg_tape *t, rg_tensor x, int64_t shift, int axis)
{
    const int64_t n = rg_dim(t, x, axis), by = n ? (shift % n + n) % n : 0;
    if (by == 0)
        return x;
    const rg_tensor parts[] = {rg_slice(t, x, axis, n - by, RG_END, 1), rg_slice(t, x, axis, 0, n - by, 1)};
    return rg_cat(t, parts, 2, axis);
}

rg_tensor rg_roll(rg_tape *t, rg_tensor x, const int64_t *shifts, rg_axes axes)
{
    const rg__op *op = OP(roll);
    const rg__node *n = rg__arg(t, op, x);
    if (!n)
        return RG_NIL;
    if (!shifts || axes.count < 0 || axes.count > RG_MAX_RANK) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "shifts %s for %d axes: one for each of 0 to %d axes is needed",
                 shifts ? "given" : "NULL", axes.count, RG_MAX_RANK);
        return RG_NIL;
    }
    if (axes.count == 0)
        return rg_reshape(t, roll(t, rg_reshape(t, x, RG_SHAPE(n->numel)), shifts[0], 0), rg_shape_of(t, x));
    for (int i = 0; i < axes.count; i++) {
        const int at = rg__axis_of(t, op, n, axes.axis[i]);
        if (at < 0)
            return RG_NIL;
        x = roll(t, x, shifts[i], at);
    }
    return x;
}

/* ---- padding ---- */

/* What stands before, or after, x along an axis; n elements. */
static rg_tensor edge(rg_tape *t, rg_tensor x, int axis, int64_t n, rg_pad_kind mode, bool before)
{
    const int64_t extent = rg_dim(t, x, axis);
    rg_shape s = rg_shape_of(t, x);
    switch (mode) {
    case RG_PAD_REFLECT:
        x = before ? rg_slice(t, x, axis, 1, n + 1, 1) : rg_slice(t, x, axis, extent - 1 - n, extent - 1, 1);
        return rg_flip(t, x, RG_AXES(axis));
    case RG_PAD_CIRCULAR: return before ? rg_slice(t, x, axis, extent - n, extent, 1) : rg_slice(t, x, axis, 0, n, 1);
    default:
        s.dims[axis] = n;
        return rg_expand(t, rg_slice(t, x, axis, before ? 0 : extent - 1, before ? 1 : extent, 1), s);
    }
}

static rg_tensor pad_axis(rg_tape *t, rg_tensor x, int axis, int64_t before, int64_t after, rg_pad_kind mode)
{
    rg_tensor parts[3];
    int count = 0;
    const rg_tensor left = rg_slice(t, x, axis, before < 0 ? -before : 0, after < 0 ? after : RG_END, 1);
    x = mode == RG_PAD_CIRCULAR ? left : x; /* a circle of what is left; reflected is all that there was */
    if (before > 0)
        parts[count++] = edge(t, x, axis, before, mode, true);
    parts[count++] = left;
    if (after > 0)
        parts[count++] = edge(t, x, axis, after, mode, false);
    return rg_cat(t, parts, count, axis);
}

/* How much of itself an axis can be padded with. */
static int64_t most_padding(rg_pad_kind mode, int64_t extent)
{
    return mode == RG_PAD_REFLECT ? extent - 1 : mode == RG_PAD_CIRCULAR || extent == 0 ? extent : INT64_MAX - extent;
}

rg_tensor rg_pad_mode(rg_tape *t, rg_tensor x, const int64_t *pad, int count, rg_pad_kind mode, double value)
{
    const rg__op *op = OP(pad_mode);
    const rg__node *n = rg__arg(t, op, x);
    if (!n)
        return RG_NIL;
    if (count < 0 || count % 2 || count / 2 > n->rank || (count && !pad) || (unsigned)mode > RG_PAD_CIRCULAR) {
        rg__fail(t, op, RG_ERROR_ARGUMENT,
                 "%d numbers%s in mode %d for %s: two for each of at most %d axes, and a mode of 0 to 3 are needed",
                 count, count && !pad ? " at NULL" : "", (int)mode, RG__NODE_TEXT(n), n->rank);
        return RG_NIL;
    }
    int64_t before[RG_MAX_RANK] = {0}, after[RG_MAX_RANK] = {0};
    for (int i = 0; i < count / 2; i++) {
        const int axis = n->rank - 1 - i;
        const int64_t extent = n->dims[axis];
        before[axis] = pad[2 * i];
        after[axis] = pad[2 * i + 1];
        const int64_t left = before[axis] < 0 ? before[axis] : 0, right = after[axis] < 0 ? after[axis] : 0;
        const bool few = left < -extent || right < -extent - left;
        const int64_t most = few ? 0 : most_padding(mode, mode == RG_PAD_CIRCULAR ? extent + left + right : extent);
        if (few || (mode != RG_PAD_CONSTANT && (before[axis] > most || after[axis] > most))) {
            rg__fail(t, op, RG_ERROR_ARGUMENT, "%lld before and %lld after axis %d of %s are too %s for mode %d",
                     (long long)before[axis], (long long)after[axis], axis, RG__NODE_TEXT(n), few ? "few" : "many",
                     (int)mode);
            return RG_NIL;
        }
    }
    if (mode == RG_PAD_CONSTANT)
        return rg_pad(t, x, before, after, value);
    for (int axis = n->rank - 1; axis >= 0 && !rg_failed(t); axis--)
        if (before[axis] || after[axis])
            x = pad_axis(t, x, axis, before[axis], after[axis], mode);
    return x;
}

/* ---- by name ---- */

RG__CALL(movedim, rg_movedim(t, in[0], RG__AXES_OF(source), RG__AXES_OF(destination)))
RG__CALL(swapaxes, rg_swapaxes(t, in[0], RG__AXIS_OF(axis0), RG__AXIS_OF(axis1)))
RG__CALL(broadcast_to, rg_broadcast_to(t, in[0], RG__SHAPE_OF(shape)))
RG__CALL(flatten, rg_flatten(t, in[0], RG__AXIS_OF(start), RG__AXIS_OF(end)))
RG__CALL(ravel, rg_ravel(t, in[0]))
RG__CALL(unflatten, rg_unflatten(t, in[0], RG__AXIS_OF(axis), RG__SHAPE_OF(sizes)))
RG__CALL(rot90, rg_rot90(t, in[0], RG__INT_OF(k), RG__AXIS_OF(axis0), RG__AXIS_OF(axis1)))
RG__CALL(fliplr, rg_fliplr(t, in[0]))
RG__CALL(flipud, rg_flipud(t, in[0]))
RG__CALL(tril, rg_tril(t, in[0], RG__INT_OF(diagonal)))
RG__CALL(triu, rg_triu(t, in[0], RG__INT_OF(diagonal)))
RG__CALL(tril_indices, rg_tril_indices(t, RG__INT_OF(rows), RG__INT_OF(columns), RG__INT_OF(offset)))
RG__CALL(triu_indices, rg_triu_indices(t, RG__INT_OF(rows), RG__INT_OF(columns), RG__INT_OF(offset)))

static int call_roll(const rg__call *c, rg_tensor *out)
{
    int64_t shifts[RG_MAX_RANK] = {0};
    const rg_axes axes = RG__AXES_OF(axes);
    const int count = rg__call_ints(c, "shifts", shifts, RG_MAX_RANK);
    if (count != (axes.count ? axes.count : 1))
        rg__fail(c->t, c->op, RG_ERROR_ARGUMENT, "%d shifts given for %d axes", count, axes.count);
    out[0] = rg_roll(c->t, c->in[0], shifts, axes);
    return 1;
}

static int call_pad_mode(const rg__call *c, rg_tensor *out)
{
    int64_t pad[2 * RG_MAX_RANK] = {0};
    const int count = rg__call_ints(c, "pad", pad, 2 * RG_MAX_RANK);
    out[0] = rg_pad_mode(c->t, c->in[0], pad, count, (rg_pad_kind)RG__WORD_OF(mode), RG__REAL_OF(value));
    return 1;
}

/* ---- samples ---- */

static const int64_t some[] = {1, -1, 2, 1, 1, 0};

RG__CUBE_SAMPLE(movedim, 3,
                index ? rg_movedim(t, x, RG_AXES(0, -1), RG_AXES(1, 0)) : rg_movedim(t, x, RG_AXES(0), RG_AXES(2)))
RG__CUBE_SAMPLE(swapaxes, 3, rg_swapaxes(t, x, 0, -1))
RG__CUBE_SAMPLE(broadcast_to, 4,
                rg_broadcast_to(t, rg_sum(t, x, index < 3 ? RG_AXES(0) : RG_ALL, false),
                                index == 2   ? RG_SHAPE(3, 0, 2)
                                : index == 1 ? RG_SHAPE(2, 2, 2)
                                             : RG_SHAPE(2, 3, 2)))
RG__CUBE_SAMPLE(flatten, 4, index ? rg_flatten(t, x, 0, -1) : rg_flatten(t, x, 1, 2))
RG__CUBE_SAMPLE(ravel, 4, rg_ravel(t, x))
RG__CUBE_SAMPLE(unflatten, 3, rg_unflatten(t, x, index == 2 ? 2 : 0, index == 1 ? RG_SHAPE(-1, 3) : RG_SHAPE(1, 2)))
RG__CUBE_SAMPLE(rot90, 3, rg_rot90(t, x, index - 3, 0, 1))
RG__CUBE_SAMPLE(fliplr, 3, rg_fliplr(t, x))
RG__CUBE_SAMPLE(flipud, 3, rg_flipud(t, x))
RG__CUBE_SAMPLE(tril, 3, rg_tril(t, x, index))
RG__CUBE_SAMPLE(triu, 3, rg_triu(t, x, -index))
RG__CUBE_SAMPLE(roll, 4, index == 0 || index == 3 ? rg_roll(t, x, some, RG_ALL) : rg_roll(t, x, some, RG_AXES(0, 1, 2)))
RG__CUBE_SAMPLE(pad_mode, 3,
                index == 2   ? rg_pad_mode(t, x, some, 2, RG_PAD_REPLICATE, 0)
                : index == 1 ? rg_pad_mode(t, x, some, 4, RG_PAD_CIRCULAR, 0)
                             : rg_add(t, rg_pad_mode(t, x, some, 6, RG_PAD_REPLICATE, 0),
                                      rg_pad_mode(t, x, some, 6, RG_PAD_CONSTANT, 1)))

static rg_tensor sample_tril_indices(rg__draw *draw, int index)
{
    return index > 1 ? RG_NIL : rg_tril_indices(draw->t, 3, 4, index - 1);
}

static rg_tensor sample_triu_indices(rg__draw *draw, int index)
{
    return index > 1 ? RG_NIL : rg_triu_indices(draw->t, 3, 4, index - 1);
}

RG__FAMILY(rearrange, ROWS(RG__ROW))
