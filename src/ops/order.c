/* Order statistics: which element is the k-th, the median, the most frequent; and what lies between two of them. */
#include "ops/call.h"
#include "ops/family.h"
#include "ops/items.h"
#include "ops/lanes.h"

#include <retrograd/ops/sort.h>
#include <retrograd/ops/statistics.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALONG "x: number, axis: int = -1, keepdim: flag = false -> values, indices"
#define OVER  "x: number, axes: ints = all, keepdim: flag = false"
#define BETWEEN                                                                   \
    "x: float, q: text, axes: ints = all, keepdim: flag = false, interpolation: " \
    "linear|lower|higher|midpoint|nearest = linear"
#define ROWS(ROW)                                                                                                      \
    ROW(kth_index, 1, RG__NODIFF, RG__KERNEL, "position of the k-th smallest along the last axis", .fallible = true,   \
        RG__ATTR(kth_index))                                                                                           \
    ROW(mode_index, 1, RG__NODIFF, RG__KERNEL, "position of the most frequent along the last axis", .fallible = true)  \
    ROW(tied, 2, RG__DIFF, RG__KERNEL, "y, which equal elements of x share")                                           \
    ROW(kthvalue, 1, RG__THROUGH, RG__COMPOSITE, "the k-th smallest along the axis",                                   \
        RG__CALLED(kthvalue, "x: number, k: int, axis: int = -1, keepdim: flag = false -> values, indices"))           \
    ROW(max_with_index, 1, RG__THROUGH, RG__COMPOSITE, "largest x along the axis", RG__CALLED(max_with_index, ALONG))  \
    ROW(min_with_index, 1, RG__THROUGH, RG__COMPOSITE, "smallest x along the axis", RG__CALLED(min_with_index, ALONG)) \
    ROW(median, 1, RG__THROUGH, RG__COMPOSITE, "the middle of x over the axes", RG__CALLED(median, OVER))              \
    ROW(nanmedian, 1, RG__THROUGH, RG__COMPOSITE, "the middle of what is not NaN", RG__CALLED(nanmedian, OVER))        \
    ROW(median_with_index, 1, RG__THROUGH, RG__COMPOSITE, "the middle of x along the axis",                            \
        RG__CALLED(median_with_index, ALONG))                                                                          \
    ROW(nanmedian_with_index, 1, RG__THROUGH, RG__COMPOSITE, "the middle of what is not NaN along the axis",           \
        RG__CALLED(nanmedian_with_index, ALONG))                                                                       \
    ROW(quantile, 1, RG__THROUGH, RG__COMPOSITE, "x at (n - 1) q in order", RG__CALLED(quantile, BETWEEN))             \
    ROW(nanquantile, 1, RG__THROUGH, RG__COMPOSITE, "what is not NaN at (n - 1) q in order",                           \
        RG__CALLED(nanquantile, BETWEEN))                                                                              \
    ROW(mode_with_index, 1, RG__THROUGH, RG__COMPOSITE, "the most frequent x along the axis",                          \
        RG__CALLED(mode_with_index, ALONG))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_order[OP_##name])

/* ---- kernels: along the last axis ---- */

enum rule { KTH, MEDIAN, NANMEDIAN };
struct kth_index {
    int64_t rule, k; /* k from 0 */
};
static const rg__field fields_kth_index[] = {
    RG__FIELD(struct kth_index, rule, RG__INT), RG__FIELD(struct kth_index, k, RG__INT), {0}};

static void kth_of_row(const rg__run *run, const rg__items *k, void *items, void *spare, int64_t n, int64_t *out)
{
    (void)spare;
    const struct kth_index *a = run->node->attr;
    int64_t first = 0;
    const int64_t nans = a->rule != KTH && run->in[0].dtype <= RG_F64 ? k->nans(items, n, &first) : 0;
    if (nans == n || (nans && a->rule == MEDIAN))
        *out = first;
    else
        *out = k->select(items, n, a->rule == KTH ? a->k : (n - nans - 1) / 2);
}

static bool kernel_kth_index(const rg__run *run)
{
    return rg__each_row(run, false, 1, kth_of_row);
}

static void mode_of_row(const rg__run *run, const rg__items *k, void *items, void *spare, int64_t n, int64_t *out)
{
    (void)run;
    k->sort(items, spare, n);
    *out = k->mode(items, n);
}

static bool kernel_mode_index(const rg__run *run)
{
    return rg__each_row(run, false, 1, mode_of_row);
}

static bool kernel_tied(const rg__run *run)
{
    rg__copy(run->out.rank, run->out.dims, rg__strided_of(&run->out), rg__strided_of(&run->in[1]));
    return true;
}

/* y is the value of some element, found without a gradient. Those that are equal to it, or NaN like it, share. */
static void vjp_tied(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const rg_tensor x = v->in[0], y = v->in[1];
    const rg_tensor nan = rg_logical_and(t, rg_ne(t, x, x), rg_ne(t, y, y));
    const rg_tensor won = rg_cast(t, rg_logical_or(t, rg_eq(t, x, y), nan), rg_dtype_of(t, v->g));
    RG__GRAD(v, 0, rg_mul(t, won, rg_div(t, v->g, rg_sum(t, won, RG_AXES(-1), true))));
}

/* ---- recording ---- */

static void give(rg_tensor *index, rg_tensor found)
{
    if (index)
        *index = found;
}

/* The axis, of a tensor that has elements along it; -1 and an error otherwise. */
static int axis_with_elements(rg_tape *t, const rg__op *op, rg_tensor x, int axis)
{
    const rg__node *n = rg__arg_of(t, op, x, RG__NUMBER);
    const int at = n ? rg__lane_axis(t, op, n, axis) : -1;
    if (at >= 0 && n->rank && n->dims[at] == 0) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s has no elements along axis %d", RG__NODE_TEXT(n), axis);
        return -1;
    }
    return at;
}

/* Of rows, one position each. */
static rg_tensor position(rg_tape *t, const rg__op *find, rg_tensor rows, const void *attr)
{
    rg_shape s = rg_shape_of(t, rows);
    if (s.rank)
        s.dims[s.rank - 1] = 1;
    return rg__record(t, find, &rows, 1, RG_I64, s.rank, s.dims, attr);
}

/* x there; `found` has extent 1 along the axis. */
static rg_tensor read_at(rg_tape *t, rg_tensor x, int axis, rg_tensor found, bool keepdim, rg_tensor *index)
{
    rg_tensor value = rg_gather(t, x, axis, found);
    if (!keepdim && rg_shape_of(t, x).rank) {
        value = rg_squeeze(t, value, RG_AXES(axis));
        found = rg_squeeze(t, found, RG_AXES(axis));
    }
    give(index, found);
    return value;
}

static rg_tensor one_along(rg_tape *t, const rg__op *op, const rg__op *find, rg_tensor x, int axis, const void *attr,
                           bool keepdim, rg_tensor *index)
{
    give(index, RG_NIL);
    const int at = axis_with_elements(t, op, x, axis);
    if (at < 0)
        return RG_NIL;
    const rg_tensor found = rg__axis_back(t, position(t, find, rg__axis_last(t, x, at), attr), at);
    return read_at(t, x, at, found, keepdim, index);
}

rg_tensor rg_kthvalue(rg_tape *t, rg_tensor x, int64_t k, int axis, bool keepdim, rg_tensor *index)
{
    const rg__op *op = OP(kthvalue);
    give(index, RG_NIL);
    const int at = axis_with_elements(t, op, x, axis);
    if (at < 0)
        return RG_NIL;
    const int64_t extent = rg_shape_of(t, x).rank ? rg_dim(t, x, at) : 1;
    if (k < 1 || k > extent) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "k is %lld; 1 to %lld are allowed along axis %d", (long long)k,
                 (long long)extent, axis);
        return RG_NIL;
    }
    return one_along(t, op, OP(kth_index), x, at, &(struct kth_index){KTH, k - 1}, keepdim, index);
}

rg_tensor rg_median_with_index(rg_tape *t, rg_tensor x, int axis, bool keepdim, rg_tensor *index)
{
    return one_along(t, OP(median_with_index), OP(kth_index), x, axis, &(struct kth_index){MEDIAN, 0}, keepdim, index);
}

rg_tensor rg_nanmedian_with_index(rg_tape *t, rg_tensor x, int axis, bool keepdim, rg_tensor *index)
{
    return one_along(t, OP(nanmedian_with_index), OP(kth_index), x, axis, &(struct kth_index){NANMEDIAN, 0}, keepdim,
                     index);
}

rg_tensor rg_mode_with_index(rg_tape *t, rg_tensor x, int axis, bool keepdim, rg_tensor *index)
{
    return one_along(t, OP(mode_with_index), OP(mode_index), x, axis, NULL, keepdim, index);
}

rg_tensor rg_max_with_index(rg_tape *t, rg_tensor x, int axis, bool keepdim, rg_tensor *index)
{
    give(index, RG_NIL);
    const int at = axis_with_elements(t, OP(max_with_index), x, axis);
    return at < 0 ? RG_NIL : read_at(t, x, at, rg_argmax(t, x, at, true), keepdim, index);
}

rg_tensor rg_min_with_index(rg_tape *t, rg_tensor x, int axis, bool keepdim, rg_tensor *index)
{
    give(index, RG_NIL);
    const int at = axis_with_elements(t, OP(min_with_index), x, axis);
    return at < 0 ? RG_NIL : read_at(t, x, at, rg_argmin(t, x, at, true), keepdim, index);
}

/* ---- over several axes: what is reduced becomes one last axis ---- */

/* [kept.., reduced], and the result's shape; nil and an error for bad arguments. */
static rg_tensor rows_of(rg_tape *t, const rg__op *op, rg_tensor x, rg__dtype_class allowed, rg_axes axes, bool keepdim,
                         rg_shape *result)
{
    const rg__node *n = rg__arg_of(t, op, x, allowed);
    uint32_t set;
    if (!n || !rg__axis_set(t, op, n, axes, &set))
        return RG_NIL;
    rg_axes order = {n->rank, {0}};
    rg_shape rows = {0, {0}};
    int64_t reduced = 1;
    int at = 0;
    result->rank = 0;
    for (int pass = 0; pass < 2; pass++) /* the kept axes, then the reduced ones */
        for (int i = 0; i < n->rank; i++) {
            const bool gone = set >> i & 1;
            if (gone == (pass == 1))
                order.axis[at++] = i;
            if (pass == 0 && !gone)
                rows.dims[rows.rank++] = n->dims[i];
            if (pass == 1 && gone)
                reduced *= n->dims[i];
            if (pass == 0 && (!gone || keepdim))
                result->dims[result->rank++] = gone ? 1 : n->dims[i];
        }
    if (rows.rank == RG_MAX_RANK) { /* nothing is reduced, and there is no room for an axis */
        rg__fail(t, op, RG_ERROR_SHAPE, "%s has no axis to reduce", RG__NODE_TEXT(n));
        return RG_NIL;
    }
    rows.dims[rows.rank++] = reduced;
    return rg_reshape(t, n->rank ? rg_permute(t, x, order) : x, rows);
}

static rg_tensor middle(rg_tape *t, const rg__op *op, enum rule rule, rg_tensor x, rg_axes axes, bool keepdim)
{
    rg_shape shape;
    const rg_tensor rows = rows_of(t, op, x, RG__NUMBER, axes, keepdim, &shape);
    if (rg_is_nil(rows))
        return RG_NIL;
    if (rg_dim(t, rows, -1) == 0 && rg_dtype_of(t, rows) <= RG_F64) /* of nothing */
        return rg_full(t, rg_dtype_of(t, rows), shape, NAN);
    if (axis_with_elements(t, op, rows, -1) < 0)
        return RG_NIL;
    const rg_tensor found = position(t, OP(kth_index), rows, &(struct kth_index){rule, 0});
    rg_tensor y = rg_gather(t, rows, -1, found);
    if (rg_dtype_of(t, rows) <= RG_F64) {
        const rg_shape s = rg_shape_of(t, y);
        y = rg__record(t, OP(tied), (rg_tensor[]){rows, rg_detach(t, y)}, 2, rg_dtype_of(t, rows), s.rank, s.dims, NULL);
    }
    return rg_reshape(t, y, shape);
}

rg_tensor rg_median(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim)
{
    return middle(t, OP(median), MEDIAN, x, axes, keepdim);
}

rg_tensor rg_nanmedian(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim)
{
    return middle(t, OP(nanmedian), NANMEDIAN, x, axes, keepdim);
}

/* ---- quantiles ---- */

/* `rank` between two places: low, high, and the share of the second. */
static void place_of(double rank, rg_quantile_between interpolation, int64_t *low, int64_t *high, double *share)
{
    const double below = floor(rank), above = ceil(rank);
    *low = *high = (int64_t)below;
    *share = 0;
    switch (interpolation) {
    case RG_QUANTILE_LOWER: return;
    case RG_QUANTILE_HIGHER: *low = *high = (int64_t)above; return;
    case RG_QUANTILE_NEAREST: *low = *high = (int64_t)nearbyint(rank); return;
    case RG_QUANTILE_MIDPOINT: *share = .5; break;
    case RG_QUANTILE_LINEAR: *share = rank - below; break;
    }
    *high = (int64_t)above;
}

/* As PyTorch's lerp: from the nearer end. */
static rg_tensor between(rg_tape *t, rg_tensor a, rg_tensor b, rg_tensor share)
{
    const rg_tensor step = rg_sub(t, b, a), half = rg__like(t, a, .5), one = rg__like(t, a, 1);
    const rg_tensor up = rg_add(t, a, rg_mul(t, share, step));
    return rg_where(t, rg_lt(t, share, half), up, rg_sub(t, b, rg_mul(t, step, rg_sub(t, one, share))));
}

/* [kept.., count] at places known now; where the last element is NaN, that. */
static rg_tensor at_places(rg_tape *t, const rg__op *op, rg_tensor sorted, const double *q, int count,
                           rg_quantile_between interpolation)
{
    const int64_t n = rg_dim(t, sorted, -1);
    const size_t m = count ? (size_t)count : 1;
    int64_t *low = malloc(m * (2 * sizeof *low + sizeof(double)));
    if (!low) {
        rg__fail(t, op, RG_ERROR_MEMORY, "out of memory for %d numbers", count);
        return RG_NIL;
    }
    int64_t *high = low + m;
    double *share = (double *)(void *)(high + m);
    bool exact = true;
    for (int i = 0; i < count; i++) {
        place_of(q[i] * (double)(n - 1), interpolation, &low[i], &high[i], &share[i]);
        exact = exact && low[i] == high[i];
    }
    const rg_shape line = RG_SHAPE(count);
    const rg_tensor a = rg_index_select(t, sorted, -1, rg_input_i64(t, line, low));
    rg_tensor value = a;
    if (!exact) {
        const rg_tensor b = rg_index_select(t, sorted, -1, rg_input_i64(t, line, high));
        const rg_tensor shares = rg_cast(t, rg_input_f64(t, line, share), rg_dtype_of(t, sorted));
        value = between(t, a, b, shares);
    }
    free(low);
    const rg_tensor last = rg_slice(t, sorted, -1, -1, RG_END, 1);
    return rg_where(t, rg_ne(t, last, last), last, value);
}

/* The same where each row has as many elements as are not NaN. */
static rg_tensor at_own_places(rg_tape *t, rg_tensor sorted, const double *q, int count, rg_quantile_between interpolation)
{
    const rg_tensor there = rg_sum(t, rg_cast(t, rg_eq(t, sorted, sorted), RG_F64), RG_AXES(-1), true);
    const rg_tensor zero = rg_constant(t, RG_F64, 0);
    const rg_tensor n = rg_maximum(t, rg_add_scalar(t, there, -1), zero);
    rg_tensor rank = rg_mul(t, n, rg_input_f64(t, RG_SHAPE(count), q));
    if (interpolation == RG_QUANTILE_NEAREST)
        rank = rg_round(t, rank);
    const rg_tensor below = interpolation == RG_QUANTILE_HIGHER ? rg_ceil(t, rank) : rg_floor(t, rank);
    const rg_tensor a = rg_gather(t, sorted, -1, rg_cast(t, below, RG_I64));
    if (interpolation != RG_QUANTILE_LINEAR && interpolation != RG_QUANTILE_MIDPOINT)
        return a;
    const rg_tensor b = rg_gather(t, sorted, -1, rg_cast(t, rg_ceil(t, rank), RG_I64));
    const bool half = interpolation == RG_QUANTILE_MIDPOINT;
    const rg_tensor share = half ? rg_full_like(t, rank, .5) : rg_sub(t, rank, below);
    return between(t, a, b, rg_cast(t, share, rg_dtype_of(t, sorted)));
}

static rg_tensor quantiles(rg_tape *t, const rg__op *op, bool skip_nan, rg_tensor x, const double *q, int count,
                           rg_axes axes, bool keepdim, rg_quantile_between interpolation)
{
    rg_shape shape;
    const rg_tensor rows = rows_of(t, op, x, RG__FLOATS, axes, keepdim, &shape);
    if (rg_is_nil(rows) || axis_with_elements(t, op, rows, -1) < 0)
        return RG_NIL;
    bool valid = count >= 0 && (count == 0 || q) && (unsigned)interpolation <= RG_QUANTILE_NEAREST;
    if (!valid || shape.rank == RG_MAX_RANK) {
        rg__fail(
            t, op, RG_ERROR_ARGUMENT,
            "%d numbers%s, interpolation %d and a result of rank %d given; a list, 0 to %d and rank 0 to %d are allowed",
            count, q ? "" : " at NULL", (int)interpolation, shape.rank, RG_QUANTILE_NEAREST, RG_MAX_RANK - 1);
        return RG_NIL;
    }
    for (int i = 0; i < count; i++)
        if (!(q[i] >= 0 && q[i] <= 1)) {
            rg__fail(t, op, RG_ERROR_ARGUMENT, "q is %g; 0 to 1 are allowed", q[i]);
            return RG_NIL;
        }
    const rg_tensor sorted = rg_sort(t, rows, -1, false, NULL);
    rg_tensor value = skip_nan ? at_own_places(t, sorted, q, count, interpolation)
                               : at_places(t, op, sorted, q, count, interpolation);
    const int rank = rg_shape_of(t, rows).rank;
    rg_axes order = {rank, {rank - 1}};
    for (int i = 1; i < rank; i++)
        order.axis[i] = i - 1;
    rg_shape full = {shape.rank + 1, {count}};
    memcpy(full.dims + 1, shape.dims, (size_t)shape.rank * sizeof *shape.dims);
    return rg_reshape(t, rg_permute(t, value, order), full);
}

rg_tensor rg_quantile(rg_tape *t, rg_tensor x, const double *q, int count, rg_axes axes, bool keepdim,
                      rg_quantile_between interpolation)
{
    return quantiles(t, OP(quantile), false, x, q, count, axes, keepdim, interpolation);
}

rg_tensor rg_nanquantile(rg_tape *t, rg_tensor x, const double *q, int count, rg_axes axes, bool keepdim,
                         rg_quantile_between interpolation)
{
    return quantiles(t, OP(nanquantile), true, x, q, count, axes, keepdim, interpolation);
}

/* ---- by name ---- */

RG__CALL(median, rg_median(t, in[0], RG__AXES_OF(axes), RG__FLAG_OF(keepdim)))
RG__CALL(nanmedian, rg_nanmedian(t, in[0], RG__AXES_OF(axes), RG__FLAG_OF(keepdim)))

#define CALL_WITH_INDEX(name)                                                                 \
    static int call_##name(const rg__call *c, rg_tensor *out)                                 \
    {                                                                                         \
        out[0] = rg_##name(c->t, c->in[0], RG__AXIS_OF(axis), RG__FLAG_OF(keepdim), &out[1]); \
        return 2;                                                                             \
    }
CALL_WITH_INDEX(max_with_index)
CALL_WITH_INDEX(min_with_index)
CALL_WITH_INDEX(median_with_index)
CALL_WITH_INDEX(nanmedian_with_index)
CALL_WITH_INDEX(mode_with_index)

static int call_kthvalue(const rg__call *c, rg_tensor *out)
{
    out[0] = rg_kthvalue(c->t, c->in[0], RG__INT_OF(k), RG__AXIS_OF(axis), RG__FLAG_OF(keepdim), &out[1]);
    return 2;
}

/* q as text: one number, or [several]. */
enum { MOST_Q = 64 };
static int call_between(const rg__call *c, rg_tensor *out,
                        rg_tensor (*f)(rg_tape *, rg_tensor, const double *, int, rg_axes, bool, rg_quantile_between))
{
    char text[1024], *at = text, *end;
    double q[MOST_Q];
    int count = 0;
    rg__call_text(c, "q", text, sizeof text);
    at += strspn(at, "[ ");
    for (; count < MOST_Q && *at && *at != ']'; at = end + strspn(end, ", ")) {
        q[count++] = strtod(at, &end);
        if (end == at)
            break;
    }
    at += strspn(at, "] ");
    if (*at && !rg_failed(c->t))
        rg__fail(c->t, c->op, RG_ERROR_ARGUMENT, "q=%.40s is no list of at most %d numbers", text, MOST_Q);
    out[0] = f(c->t, c->in[0], q, count, RG__AXES_OF(axes), RG__FLAG_OF(keepdim),
               (rg_quantile_between)RG__WORD_OF(interpolation));
    return 1;
}

static int call_quantile(const rg__call *c, rg_tensor *out)
{
    return call_between(c, out, rg_quantile);
}

static int call_nanquantile(const rg__call *c, rg_tensor *out)
{
    return call_between(c, out, rg_nanquantile);
}

/* ---- samples ---- */

static const rg__domain apart = {RG__DISTINCT, -1, 0};

static rg_tensor input_of(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    switch (index) {
    case 0: return RG__DRAW(draw, RG_SHAPE(3, 5), apart);
    case 1: return RG__DRAW(draw, RG_SHAPE(4, 2, 3), apart);
    case 2: return rg_transpose(t, RG__DRAW(draw, RG_SHAPE(3, 6), apart), 0, 1);
    case 3: return rg_flip(t, RG__DRAW(draw, RG_SHAPE(2, 40), apart), RG_ALL);
    case 4: return RG__DRAW(draw, RG_SCALAR, apart);
    case 5: return RG__DRAW(draw, RG_SHAPE(0, 3), apart);
    default: return RG_NIL;
    }
}
#define SAMPLE(name, ...)                                     \
    static rg_tensor sample_##name(rg__draw *draw, int index) \
    {                                                         \
        rg_tape *t = draw->t;                                 \
        const int axis = index == 1 ? 0 : -1;                 \
        const bool keep = index == 2;                         \
        const rg_tensor x = input_of(draw, index);            \
        (void)axis, (void)keep;                               \
        return rg_is_nil(x) ? RG_NIL : (__VA_ARGS__);         \
    }
#define OVER_AXES (index == 1 ? RG_AXES(0, 2) : index == 4 ? RG_ALL : RG_AXES(-1))
SAMPLE(kthvalue, rg_kthvalue(t, x, index < 3 ? 3 : 1, axis, keep, NULL))
SAMPLE(max_with_index, rg_max_with_index(t, x, axis, keep, NULL))
SAMPLE(min_with_index, rg_min_with_index(t, x, axis, keep, NULL))
SAMPLE(median_with_index, rg_median_with_index(t, x, axis, keep, NULL))
SAMPLE(nanmedian_with_index, rg_nanmedian_with_index(t, x, axis, keep, NULL))
SAMPLE(mode_with_index, rg_mode_with_index(t, x, axis, keep, NULL))
SAMPLE(median, rg_median(t, x, OVER_AXES, keep))
SAMPLE(nanmedian, rg_nanmedian(t, x, OVER_AXES, keep))
SAMPLE(tied, rg_median(t, x, OVER_AXES, keep))
SAMPLE(quantile, rg_quantile(t, x, (const double[]){.3, 0, .5}, 3, OVER_AXES, keep, (rg_quantile_between)(index % 5)))
SAMPLE(nanquantile, rg_nanquantile(t, x, (const double[]){.3, 1}, 2, OVER_AXES, keep, (rg_quantile_between)(index % 5)))
SAMPLE(kth_index, position(t, OP(kth_index), x, &(struct kth_index){index % 3, 0}))
SAMPLE(mode_index, position(t, OP(mode_index), x, NULL))

RG__FAMILY(order, ROWS(RG__ROW))
