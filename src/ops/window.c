/* Windows: views in which elements may appear several times, and what adds or puts elements back where a view has them.
 * Diagonals are such views, too. A place is said as in rg_as_strided: strides and offset in the row-major elements of x. */
#include "ops/call.h"
#include "ops/family.h"

#include <stdlib.h>
#include <string.h>

#define ROWS(ROW)                                                                                                   \
    ROW(as_strided, 1, RG__DIFF, RG__NOKERNEL, "elements of x at strides and an offset", .again = again_as_strided, \
        RG__ATTR(places), RG__CALLED(as_strided, "x: any, shape: ints, strides: ints, offset: int = 0"))            \
    ROW(overlap_add, 1, RG__DIFF, RG__KERNEL, "zeros, with the elements of x added at strides and an offset",       \
        RG__ATTR(places))                                                                                           \
    ROW(strided_put, 2, RG__DIFF, RG__KERNEL, "x with the elements of source at strides and an offset",             \
        RG__ATTR(places))                                                                                           \
    ROW(unfold, 1, RG__THROUGH, RG__COMPOSITE, "windows of x along an axis",                                        \
        RG__CALLED(unfold, "x: any, axis: int, size: int, step: int"))                                              \
    ROW(diagonal, 1, RG__THROUGH, RG__COMPOSITE, "diagonals of x",                                                  \
        RG__CALLED(diagonal, "x: any, offset: int = 0, axis0: int = 0, axis1: int = 1"))                            \
    ROW(diag_embed, 1, RG__THROUGH, RG__COMPOSITE, "x on diagonals",                                                \
        RG__CALLED(diag_embed, "x: any, offset: int = 0, axis0: int = -2, axis1: int = -1"))                        \
    ROW(diag, 1, RG__THROUGH, RG__COMPOSITE, "a vector on a diagonal; the diagonal of a matrix",                    \
        RG__CALLED(diag, "x: any, diagonal: int = 0"))                                                              \
    ROW(slice_scatter, 2, RG__THROUGH, RG__COMPOSITE, "x with source in the place of a slice",                      \
        RG__CALLED(slice_scatter,                                                                                   \
                   "x: any, source: any, axis: int = 0, start: int = none, stop: int = none, step: int = 1"))       \
    ROW(select_scatter, 2, RG__THROUGH, RG__COMPOSITE, "x with source in the place of x[index] along an axis",      \
        RG__CALLED(select_scatter, "x: any, source: any, axis: int, index: int"))                                   \
    ROW(diagonal_scatter, 2, RG__THROUGH, RG__COMPOSITE, "x with source in the place of diagonals",                 \
        RG__CALLED(diagonal_scatter, "x: any, source: any, offset: int = 0, axis0: int = 0, axis1: int = 1"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_window[OP_##name])

struct places {
    int64_t strides[RG_MAX_RANK]; /* 0 past the rank */
    int64_t offset;
};
static const rg__field fields_places[] = {
    RG__FIELD(struct places, strides, RG__EXTENTS), RG__FIELD(struct places, offset, RG__INT), {0}};

/* ---- kernels ---- */

#define ADD(T, ...)                                                                  \
    do                                                                               \
        for (int64_t i = 0; i < w.run; i++) {                                        \
            T *to = (T *)(void *)(w.p[0] + i * w.step[0]);                           \
            const T v = *(const T *)(const void *)(w.p[1] + i * w.step[1]), r = *to; \
            *to = (T)(__VA_ARGS__);                                                  \
        }                                                                            \
    while (rg__walk_next(&w));                                                       \
    break

static void add_all(rg_dtype dtype, int rank, const int64_t *dims, rg__strided out, rg__strided in)
{
    rg__walk w;
    rg__walk_start(&w, rank, dims, 2, (rg__strided[]){out, in});
    switch (dtype) {
    case RG_F32: ADD(float, r + v);
    case RG_F64: ADD(double, r + v);
    case RG_I32: ADD(int32_t, r + v);
    case RG_I64: ADD(int64_t, r + v);
    case RG_BOOL: ADD(bool, r | v);
    }
}

/* A space of the input, in which the axis that goes fastest is a long one. */
typedef struct space {
    int rank;
    int64_t dims[RG_MAX_RANK], in[RG_MAX_RANK], out[RG_MAX_RANK]; /* strides in elements */
} space;

#define SHORT 16

static space space_of(const rg__run *run)
{
    const struct places *a = run->node->attr;
    const rg__array_view *x = &run->in[0];
    space s = {.rank = x->rank};
    memcpy(s.dims, x->dims, (size_t)x->rank * sizeof *s.dims);
    memcpy(s.in, x->strides, (size_t)x->rank * sizeof *s.in);
    memcpy(s.out, a->strides, (size_t)x->rank * sizeof *s.out);
    int longest = x->rank - 1; /* the innermost one that is long enough, if any is */
    for (int i = x->rank - 2; i >= 0 && s.dims[longest] < SHORT; i--)
        longest = s.dims[i] > s.dims[longest] ? i : longest;
    for (int i = longest; i >= 0 && i < x->rank - 1; i++) { /* to the end */
        int64_t *const list[] = {s.dims, s.in, s.out};
        for (int k = 0; k < 3; k++) {
            const int64_t moved = list[k][i];
            list[k][i] = list[k][i + 1];
            list[k][i + 1] = moved;
        }
    }
    return s;
}

/* The outermost axis whose steps are so wide that what lies behind two of them is apart; -1 for none. */
static int separating_axis(const space *s)
{
    for (int i = 0; i < s->rank; i++) {
        int64_t span = 0;
        for (int k = 0; k < s->rank; k++)
            span += k == i ? 0 : llabs(s->out[k]) * (s->dims[k] - 1);
        if (s->dims[i] > 1 && llabs(s->out[i]) > span)
            return i;
    }
    return -1;
}

#define PARALLEL_ELEMENTS 65536 /* below, a second thread costs more than it gives */

static bool kernel_overlap_add(const rg__run *run)
{
    const size_t size = rg_dtype_size(run->out.dtype);
    const int64_t offset = ((const struct places *)run->node->attr)->offset;
    const space s = space_of(run);
    if (run->node->numel)
        memset(run->out.data, 0, (size_t)run->node->numel * size);
    const int64_t numel = rg__numel(s.rank, s.dims);
    if (numel == 0)
        return true;
    const rg__strided in = {run->in[0].data, s.in, size};
    const rg__strided out = {(char *)run->out.data + offset * (int64_t)size, s.out, size};
    const int axis = run->threads > 1 && numel >= PARALLEL_ELEMENTS ? separating_axis(&s) : -1;
    if (axis < 0) {
        add_all(run->out.dtype, s.rank, s.dims, out, in);
        return true;
    }
    const int64_t n = s.dims[axis], parts = run->threads < n ? run->threads : n;
#pragma omp parallel for num_threads((int)parts) schedule(static, 1)
    for (int64_t i = 0; i < parts; i++) {
        const int64_t first = n / parts * i, end = i + 1 == parts ? n : first + n / parts;
        int64_t dims[RG_MAX_RANK];
        memcpy(dims, s.dims, sizeof dims);
        dims[axis] = end - first;
        rg__strided to = out, from = in;
        to.data = (char *)out.data + first * s.out[axis] * (int64_t)size;
        from.data = (char *)in.data + first * s.in[axis] * (int64_t)size;
        add_all(run->out.dtype, s.rank, dims, to, from);
    }
    return true;
}

/* The places are all different: the functions below see to it. */
static bool kernel_strided_put(const rg__run *run)
{
    const struct places *a = run->node->attr;
    const rg__array_view *source = &run->in[1];
    rg__strided out = rg__strided_of(&run->out);
    rg__copy_shared(run->threads, run->out.rank, run->out.dims, out, rg__strided_of(&run->in[0]));
    out.data = (char *)out.data + a->offset * (int64_t)out.size;
    out.strides = a->strides;
    rg__copy_shared(run->threads, source->rank, source->dims, out, rg__strided_of(source));
    return true;
}

/* ---- gradients ---- */

static rg_tensor overlap_add(rg_tape *t, rg_tensor x, int rank, const int64_t *dims, const struct places *at)
{
    const rg__node *n = rg__arg(t, OP(overlap_add), x);
    return n ? rg__record(t, OP(overlap_add), &x, 1, (rg_dtype)n->dtype, rank, dims, at) : RG_NIL;
}

static void vjp_as_strided(const rg__vjp *v)
{
    const rg_shape s = rg_shape_of(v->t, v->in[0]);
    v->grad[0] = overlap_add(v->t, v->g, s.rank, s.dims, v->attr);
}

static void vjp_overlap_add(const rg__vjp *v)
{
    const struct places *a = v->attr;
    v->grad[0] = rg_as_strided(v->t, v->g, rg_shape_of(v->t, v->in[0]), a->strides, a->offset);
}

static rg_tensor strided_put(rg_tape *t, rg_tensor x, rg_tensor source, const struct places *at)
{
    const rg__node *n = rg__arg(t, OP(strided_put), x);
    if (!n || rg_is_nil(source))
        return RG_NIL;
    return rg__record(t, OP(strided_put), (rg_tensor[]){x, source}, 2, (rg_dtype)n->dtype, n->rank, n->dims, at);
}

static void vjp_strided_put(const rg__vjp *v)
{
    const struct places *a = v->attr;
    const rg_shape s = rg_shape_of(v->t, v->in[1]);
    RG__GRAD(v, 0, strided_put(v->t, v->g, rg_expand(v->t, rg__like(v->t, v->g, 0), s), a));
    RG__GRAD(v, 1, rg_as_strided(v->t, v->g, s, a->strides, a->offset));
}

/* ---- views ---- */

/* A view whose axes are steps along those of x: in elements of x's storage, and in its row-major elements. */
typedef struct steps {
    int rank;
    int64_t dims[RG_MAX_RANK];
    int64_t stored[RG_MAX_RANK], counted[RG_MAX_RANK];
    int64_t stored_offset, counted_offset;
} steps;

/* All of x. */
static steps steps_of(const rg__node *x)
{
    steps s = {.rank = x->rank, .stored_offset = x->offset};
    memcpy(s.dims, x->dims, x->rank * sizeof *s.dims);
    rg__node_strides(x, s.stored);
    rg__row_major(x->rank, x->dims, s.counted);
    return s;
}

static struct places places_of(const steps *s)
{
    struct places at = {{0}, s->counted_offset};
    memcpy(at.strides, s->counted, (size_t)s->rank * sizeof *at.strides);
    return at;
}

static rg_tensor view(rg_tape *t, rg_tensor x, const steps *s)
{
    const struct places at = places_of(s);
    return rg__record_view(t, OP(as_strided), x, s->rank, s->dims, s->stored, s->stored_offset, &at);
}

/* Do all places lie among n elements? */
static bool lie_within(const rg_shape *shape, const struct places *at, int64_t n)
{
    int64_t low = at->offset, high = at->offset;
    if (rg_shape_numel(*shape) == 0)
        return low >= 0 && low <= n;
    bool ok = true;
    for (int i = 0; i < shape->rank && ok; i++) {
        int64_t span = 0;
        ok = !__builtin_mul_overflow(at->strides[i], shape->dims[i] - 1, &span);
        ok = ok && (span < 0 ? !__builtin_add_overflow(low, span, &low) : !__builtin_add_overflow(high, span, &high));
    }
    return ok && low >= 0 && high < n;
}

rg_tensor rg_as_strided(rg_tape *t, rg_tensor x, rg_shape shape, const int64_t *strides, int64_t offset)
{
    const rg__op *op = OP(as_strided);
    const rg__node *n = rg__arg(t, op, x);
    if (!n)
        return RG_NIL;
    struct places at = {{0}, offset};
    const bool valid = rg_shape_numel(shape) >= 0 && (strides || shape.rank == 0);
    if (valid && shape.rank)
        memcpy(at.strides, strides, (size_t)shape.rank * sizeof *strides);
    if (!valid) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s%s is no valid shape with a stride for each axis",
                 RG__DIMS_TEXT(shape.rank, shape.dims), strides ? "" : " with strides at NULL");
        return RG_NIL;
    }
    if (!lie_within(&shape, &at, n->numel)) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%s with strides %s from %lld on does not lie within the %lld elements of %s",
                 RG__DIMS_TEXT(shape.rank, shape.dims), RG__DIMS_TEXT(shape.rank, at.strides), (long long)offset,
                 (long long)n->numel, RG__NODE_TEXT(n));
        return RG_NIL;
    }
    x = rg_contiguous(t, x);
    n = rg__arg(t, op, x);
    return n ? rg__record_view(t, op, x, shape.rank, shape.dims, at.strides, n->offset + offset, &at) : RG_NIL;
}

static rg_tensor again_as_strided(rg_tape *t, rg_tensor x, const rg__node *like)
{
    const struct places *a = like->attr;
    rg_shape shape = {like->rank, {0}};
    memcpy(shape.dims, like->dims, like->rank * sizeof *like->dims);
    return rg_as_strided(t, x, shape, a->strides, a->offset);
}

rg_tensor rg_unfold(rg_tape *t, rg_tensor x, int axis, int64_t size, int64_t step)
{
    const rg__op *op = OP(unfold);
    const rg__node *n = rg__arg(t, op, x);
    const int at = !n ? -1 : n->rank == 0 && (axis == 0 || axis == -1) ? 0 : rg__axis_of(t, op, n, axis);
    if (at < 0)
        return RG_NIL;
    const int64_t extent = n->rank ? n->dims[at] : 1;
    if (size < 0 || size > extent || step < 1 || n->rank == RG_MAX_RANK) {
        rg__fail(t, op, n->rank == RG_MAX_RANK ? RG_ERROR_SHAPE : RG_ERROR_ARGUMENT,
                 "windows of %lld every %lld along axis %d of %s: a size of 0 to %lld, a step of 1 or more and rank 0 to %d "
                 "are needed",
                 (long long)size, (long long)step, axis, RG__NODE_TEXT(n), (long long)extent, RG_MAX_RANK - 1);
        return RG_NIL;
    }
    if (n->rank == 0)
        return rg_expand(t, x, RG_SHAPE(size));
    steps s = steps_of(n);
    const int64_t count = (extent - size) / step + 1;
    s.dims[at] = count;
    s.dims[s.rank] = size;
    s.stored[s.rank] = s.stored[at];
    s.counted[s.rank] = s.counted[at];
    s.stored[at] *= count > 1 ? step : 1;
    s.counted[at] *= count > 1 ? step : 1;
    s.rank++;
    return view(t, x, &s);
}

/* ---- diagonals ---- */

/* The diagonal of a plane of rows and columns: where it begins, and how long it is. */
typedef struct line {
    int64_t row, column, length;
} line;

static line diagonal_of(int64_t rows, int64_t columns, int64_t offset)
{
    if (offset <= -rows || offset >= columns)
        return (line){0, 0, 0};
    const line l = {offset < 0 ? -offset : 0, offset > 0 ? offset : 0, 0};
    const int64_t down = rows - l.row, right = columns - l.column;
    return (line){l.row, l.column, down < right ? down : right};
}

/* The axes of a plane; false and an error where they are no two axes of so many. */
static bool plane(rg_tape *t, const rg__op *op, const rg__node *x, int rank, int *axis0, int *axis1)
{
    const int a = rg__axis(*axis0, rank), b = rg__axis(*axis1, rank);
    if (a < 0 || b < 0 || a == b) {
        rg__fail(t, op, RG_ERROR_SHAPE, "axes %d and %d are not two of the %d axes, for %s", *axis0, *axis1, rank,
                 RG__NODE_TEXT(x));
        return false;
    }
    *axis0 = a;
    *axis1 = b;
    return true;
}

static bool find_diagonal(rg_tape *t, const rg__op *op, const rg__node *x, int64_t offset, int a, int b, steps *s)
{
    if (!plane(t, op, x, x->rank, &a, &b))
        return false;
    const steps all = steps_of(x);
    const line l = diagonal_of(all.dims[a], all.dims[b], offset);
    *s = (steps){.stored_offset = all.stored_offset + l.row * all.stored[a] + l.column * all.stored[b],
                 .counted_offset = l.row * all.counted[a] + l.column * all.counted[b]};
    for (int i = 0; i < all.rank; i++)
        if (i != a && i != b) {
            s->dims[s->rank] = all.dims[i];
            s->stored[s->rank] = all.stored[i];
            s->counted[s->rank++] = all.counted[i];
        }
    s->dims[s->rank] = l.length;
    s->stored[s->rank] = all.stored[a] + all.stored[b];
    s->counted[s->rank++] = all.counted[a] + all.counted[b];
    return true;
}

static rg_tensor diagonal(rg_tape *t, const rg__op *op, rg_tensor x, int64_t offset, int axis0, int axis1)
{
    const rg__node *n = rg__arg(t, op, x);
    steps s;
    return n && find_diagonal(t, op, n, offset, axis0, axis1, &s) ? view(t, x, &s) : RG_NIL;
}

rg_tensor rg_diagonal(rg_tape *t, rg_tensor x, int64_t offset, int axis0, int axis1)
{
    return diagonal(t, OP(diagonal), x, offset, axis0, axis1);
}

static rg_tensor embed(rg_tape *t, const rg__op *op, rg_tensor x, int64_t offset, int a, int b)
{
    const rg__node *n = rg__arg(t, op, x);
    if (!n)
        return RG_NIL;
    const int rank = n->rank + 1;
    const int64_t length = n->rank ? n->dims[n->rank - 1] : 1;
    int64_t side;
    const int64_t away = offset < 0 ? (offset == INT64_MIN ? INT64_MAX : -offset) : offset;
    if (n->rank == 0 || rank > RG_MAX_RANK || __builtin_add_overflow(length, away, &side)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s on a diagonal at %lld has no valid size: rank 1 to %d is needed",
                 RG__NODE_TEXT(n), (long long)offset, RG_MAX_RANK - 1);
        return RG_NIL;
    }
    if (!plane(t, op, n, rank, &a, &b))
        return RG_NIL;
    int64_t dims[RG_MAX_RANK], strides[RG_MAX_RANK];
    for (int i = 0, from = 0; i < rank; i++)
        dims[i] = i == a || i == b ? side : n->dims[from++];
    if (rg__numel(rank, dims) < 0) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s on a diagonal at %lld is too large", RG__NODE_TEXT(n), (long long)offset);
        return RG_NIL;
    }
    rg__row_major(rank, dims, strides);
    struct places at = {{0}, offset < 0 ? away * strides[a] : away * strides[b]};
    int to = 0;
    for (int i = 0; i < rank; i++)
        if (i != a && i != b)
            at.strides[to++] = strides[i];
    at.strides[to] = strides[a] + strides[b];
    return overlap_add(t, x, rank, dims, &at);
}

rg_tensor rg_diag_embed(rg_tape *t, rg_tensor x, int64_t offset, int axis0, int axis1)
{
    return embed(t, OP(diag_embed), x, offset, axis0, axis1);
}

rg_tensor rg_diag(rg_tape *t, rg_tensor x, int64_t diagonal_at)
{
    const rg__node *n = rg__arg(t, OP(diag), x);
    if (!n)
        return RG_NIL;
    if (n->rank == 1)
        return embed(t, OP(diag), x, diagonal_at, 0, 1);
    if (n->rank == 2)
        return diagonal(t, OP(diag), x, diagonal_at, 0, 1);
    rg__fail(t, OP(diag), RG_ERROR_SHAPE, "%s is neither a vector nor a matrix", RG__NODE_TEXT(n));
    return RG_NIL;
}

/* ---- parts replaced ---- */

/* x with source where the view s of it is, if it fits. */
static rg_tensor replace(rg_tape *t, const rg__op *op, rg_tensor x, rg_tensor source, const steps *s)
{
    const rg__node *n = rg__arg(t, op, x), *ns = n ? rg__arg(t, op, source) : NULL;
    if (!ns)
        return RG_NIL;
    const bool fits = rg__dims_equal(ns->rank, ns->dims, s->rank, s->dims);
    if (!fits || ns->dtype != n->dtype) {
        rg__fail(t, op, fits ? RG_ERROR_DTYPE : RG_ERROR_SHAPE, "source is %s of %s; %s of %s is needed",
                 rg_dtype_name((rg_dtype)ns->dtype), RG__NODE_TEXT(ns), rg_dtype_name((rg_dtype)n->dtype),
                 RG__DIMS_TEXT(s->rank, s->dims));
        return RG_NIL;
    }
    const struct places at = places_of(s);
    return ns->numel ? strided_put(t, x, source, &at) : x;
}

rg_tensor rg_slice_scatter(rg_tape *t, rg_tensor x, rg_tensor source, int axis, int64_t start, int64_t stop, int64_t step)
{
    const rg__op *op = OP(slice_scatter);
    const rg__node *n = rg__arg(t, op, x);
    const int at = n ? rg__axis_of(t, op, n, axis) : -1;
    if (at < 0)
        return RG_NIL;
    if (step < 1) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "a step of %lld is not allowed; 1 or more is", (long long)step);
        return RG_NIL;
    }
    steps s = steps_of(n);
    s.dims[at] = rg__slice_range(n->dims[at], &start, stop, step);
    s.counted_offset = start * s.counted[at];
    s.counted[at] *= s.dims[at] > 1 ? step : 1;
    return replace(t, op, x, source, &s);
}

rg_tensor rg_select_scatter(rg_tape *t, rg_tensor x, rg_tensor source, int axis, int64_t index)
{
    const rg__op *op = OP(select_scatter);
    const rg__node *n = rg__arg(t, op, x);
    const int at = n ? rg__axis_of(t, op, n, axis) : -1;
    if (at < 0)
        return RG_NIL;
    const int64_t extent = n->dims[at], i = index < 0 ? index + extent : index;
    if (i < 0 || i >= extent) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "index %lld is out of range for axis %d of %s", (long long)index, axis,
                 RG__NODE_TEXT(n));
        return RG_NIL;
    }
    steps s = steps_of(n);
    s.counted_offset = i * s.counted[at];
    s.rank--;
    for (int k = at; k < s.rank; k++) {
        s.dims[k] = s.dims[k + 1];
        s.counted[k] = s.counted[k + 1];
    }
    return replace(t, op, x, source, &s);
}

rg_tensor rg_diagonal_scatter(rg_tape *t, rg_tensor x, rg_tensor source, int64_t offset, int axis0, int axis1)
{
    const rg__op *op = OP(diagonal_scatter);
    const rg__node *n = rg__arg(t, op, x);
    steps s;
    return n && find_diagonal(t, op, n, offset, axis0, axis1, &s) ? replace(t, op, x, source, &s) : RG_NIL;
}

/* ---- by name ---- */

static int call_as_strided(const rg__call *c, rg_tensor *out)
{
    int64_t strides[RG_MAX_RANK] = {0};
    const rg_shape shape = RG__SHAPE_OF(shape);
    const int count = rg__call_ints(c, "strides", strides, RG_MAX_RANK);
    if (count != shape.rank)
        rg__fail(c->t, c->op, RG_ERROR_ARGUMENT, "%d strides given for a shape of rank %d", count, shape.rank);
    out[0] = rg_as_strided(c->t, c->in[0], shape, strides, RG__INT_OF(offset));
    return 1;
}

static int call_slice_scatter(const rg__call *c, rg_tensor *out)
{
    const int64_t stop = rg__call_given(c, "stop") ? RG__INT_OF(stop) : RG_END;
    out[0] = rg_slice_scatter(c->t, c->in[0], c->in[1], RG__AXIS_OF(axis), RG__INT_OF(start), stop, RG__INT_OF(step));
    return 1;
}

RG__CALL(unfold, rg_unfold(t, in[0], RG__AXIS_OF(axis), RG__INT_OF(size), RG__INT_OF(step)))
RG__CALL(diagonal, rg_diagonal(t, in[0], RG__INT_OF(offset), RG__AXIS_OF(axis0), RG__AXIS_OF(axis1)))
RG__CALL(diag_embed, rg_diag_embed(t, in[0], RG__INT_OF(offset), RG__AXIS_OF(axis0), RG__AXIS_OF(axis1)))
RG__CALL(diag, rg_diag(t, in[0], RG__INT_OF(diagonal)))
RG__CALL(select_scatter, rg_select_scatter(t, in[0], in[1], RG__AXIS_OF(axis), RG__INT_OF(index)))
RG__CALL(diagonal_scatter,
         rg_diagonal_scatter(t, in[0], in[1], RG__INT_OF(offset), RG__AXIS_OF(axis0), RG__AXIS_OF(axis1)))

/* ---- samples ---- */

#define DRAW(...) RG__DRAW(draw, RG_SHAPE(__VA_ARGS__), RG__REAL)
#define SAMPLE(name, n, ...)                                  \
    static rg_tensor sample_##name(rg__draw *draw, int index) \
    {                                                         \
        rg_tape *t = draw->t;                                 \
        return index < (n) ? (__VA_ARGS__) : RG_NIL;          \
    }
static const int64_t windows[] = {1, 2}, back[] = {-3, 1}, still[] = {0, 1}, none[] = {1, 1};

SAMPLE(as_strided, 6,
       index == 0   ? rg_as_strided(t, DRAW(2, 3), RG_SHAPE(3, 2), windows, 1)
       : index == 1 ? rg_as_strided(t, rg_transpose(t, DRAW(2, 3), 0, 1), RG_SHAPE(2, 2), back, 3)
       : index == 2 ? rg_as_strided(t, DRAW(2, 3), RG_SHAPE(3, 4), still, 2)
       : index == 3 ? rg_as_strided(t, DRAW(2, 3), RG_SHAPE(0, 4), none, 6)
       : index == 4
           ? rg_as_strided(t, DRAW(2, 3), RG_SCALAR, NULL, 5)
           : rg_mul(t, rg_as_strided(t, rg_slice(t, DRAW(3, 3), 0, 1, RG_END, 1), RG_SHAPE(2, 3), none, 0), DRAW(2, 3)))
SAMPLE(overlap_add, 3,
       index == 0   ? overlap_add(t, DRAW(3, 2), 2, (int64_t[]){2, 3}, &(struct places){{1, 2}, 1})
       : index == 1 ? overlap_add(t, rg_transpose(t, DRAW(2, 2), 0, 1), 1, (int64_t[]){5}, &(struct places){{-3, 1}, 3})
                    : overlap_add(t, DRAW(0, 2), 1, (int64_t[]){3}, &(struct places){{1, 1}, 0}))
SAMPLE(strided_put, 2,
       index ? strided_put(t, rg_transpose(t, DRAW(2, 3), 0, 1), DRAW(2), &(struct places){{3}, 1})
             : strided_put(t, DRAW(2, 3), rg_flip(t, DRAW(2), RG_ALL), &(struct places){{-4}, 5}))
SAMPLE(unfold, 7,
       index == 0   ? rg_unfold(t, DRAW(7), 0, 3, 2)
       : index == 1 ? rg_unfold(t, DRAW(2, 5), -1, 3, 1)
       : index == 2 ? rg_unfold(t, rg_transpose(t, DRAW(2, 5), 0, 1), 0, 2, 2)
       : index == 3 ? rg_unfold(t, rg_unfold(t, DRAW(4, 4), 0, 2, 1), 1, 3, 1)
       : index == 4 ? rg_unfold(t, RG__DRAW(draw, RG_SCALAR, RG__REAL), 0, 1, 1)
       : index == 5 ? rg_unfold(t, DRAW(0, 3), 1, 2, 1)
                    : rg_unfold(t, rg_expand(t, DRAW(3, 1), RG_SHAPE(3, 4)), 1, 2, 1))
SAMPLE(diagonal, 6,
       index == 5   ? rg_diagonal(t, rg_flip(t, DRAW(3, 4), RG_ALL), -1, 1, 0)
       : index == 4 ? rg_diagonal(t, DRAW(2, 3, 3), 1, -1, 0)
                    : rg_diagonal(t, rg_transpose(t, DRAW(3, 4), 0, 1), index - 2, 0, 1))
SAMPLE(diag_embed, 4,
       index == 3 ? rg_diag_embed(t, DRAW(2, 2, 3), -1, 0, 2)
                  : rg_diag_embed(t, index ? rg_transpose(t, DRAW(3, 2), 0, 1) : DRAW(3), index - 1, -2, -1))
SAMPLE(diag, 4, index > 1 ? rg_diag(t, DRAW(3, 2), index - 3) : rg_diag(t, DRAW(3), index))
SAMPLE(slice_scatter, 4,
       index == 3   ? rg_slice_scatter(t, DRAW(4, 3), DRAW(0, 3), 0, 2, 2, 1)
       : index == 2 ? rg_slice_scatter(t, rg_transpose(t, DRAW(3, 5), 0, 1), DRAW(2, 3), 0, -4, RG_END, 2)
                    : rg_slice_scatter(t, DRAW(4, 3), index ? DRAW(4, 2) : DRAW(2, 3), index, 1, 3, 1))
SAMPLE(select_scatter, 2, rg_select_scatter(t, DRAW(2, 3), index ? DRAW(2) : DRAW(3), index, -1))
SAMPLE(diagonal_scatter, 3,
       rg_diagonal_scatter(t, rg_transpose(t, DRAW(3, 3), 0, 1), index == 1 ? DRAW(3) : DRAW(2), index - 1, 0, 1))

RG__FAMILY(window, ROWS(RG__ROW))
