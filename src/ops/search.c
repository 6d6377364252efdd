/* Searching, counting and telling apart: where values belong, which there are, and how often. */
#include "ops/call.h"
#include "ops/family.h"
#include "ops/lanes.h"

#include <retrograd/ops/scan.h>
#include <retrograd/ops/sort.h>
#include <retrograd/tape.h>

#include <math.h>
#include <string.h>

#define ROWS(ROW)                                                                                             \
    ROW(searchsorted, 2, RG__NODIFF, RG__KERNEL, "where each value belongs in order", RG__ATTR(searchsorted), \
        RG__CALLED(searchsorted, "sorted: number, values: number, right: flag = false"))                      \
    ROW(bucketize, 2, RG__NODIFF, RG__COMPOSITE, "which interval each x lies in",                             \
        RG__CALLED(bucketize, "x: number, boundaries: number, right: flag = false"))                          \
    ROW(isin, 2, RG__NODIFF, RG__COMPOSITE, "is x one of these?",                                             \
        RG__CALLED(isin, "x: number, of: number, invert: flag = false"))                                      \
    ROW(unique, 1, RG__NODIFF, RG__COMPOSITE, "the distinct elements of x in order",                          \
        RG__CALLED(unique, "x: any -> values, inverse, counts"))                                              \
    ROW(unique_consecutive, 1, RG__NODIFF, RG__COMPOSITE, "the first of each run of equal elements of x",     \
        RG__CALLED(unique_consecutive, "x: any -> values, inverse, counts"))                                  \
    ROW(bincount, 2, RG__THROUGH, RG__COMPOSITE, "how often 0, 1, ... occur in x",                            \
        RG__CALLED(bincount, "x: integer, weights?: number, minlength: int = 0"))                             \
    ROW(histc, 1, RG__NODIFF, RG__KERNEL, "how many x lie in each of the intervals", .fallible = true,        \
        RG__ATTR(histc), RG__CALLED(histc, "x: float, bins: int = 100, min: real = 0, max: real = 0"))        \
    ROW(histogram, -1, RG__THROUGH, RG__COMPOSITE, "how many x, or their weights, between each two edges",    \
        RG__CALLED(histogram, "x: float, edges: float, weights?: float, density: flag = false"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_search[OP_##name])

/* ---- searchsorted ---- */

struct searchsorted {
    int64_t right;
};
static const rg__field fields_searchsorted[] = {RG__FIELD(struct searchsorted, right, RG__FLAG), {0}};

/* Not (x >= v) rather than x < v: NaN is behind all numbers. */
#define SEARCH(name, T)                                                                                \
    static int64_t search_##name(const char *row, int64_t step, int64_t n, const char *at, bool right) \
    {                                                                                                  \
        const T v = *(const T *)(const void *)at;                                                      \
        int64_t low = 0, high = n;                                                                     \
        while (low < high) {                                                                           \
            const int64_t middle = low + (high - low) / 2;                                             \
            const T x = *(const T *)(const void *)(row + middle * step);                               \
            if (right ? !(x > v) : !(x >= v))                                                          \
                low = middle + 1;                                                                      \
            else                                                                                       \
                high = middle;                                                                         \
        }                                                                                              \
        return low;                                                                                    \
    }
SEARCH(f32, float)
SEARCH(f64, double)
SEARCH(i32, int32_t)
SEARCH(i64, int64_t)

static bool kernel_searchsorted(const rg__run *run)
{
    static int64_t (*const searches[RG_DTYPES])(const char *, int64_t, int64_t, const char *, bool) = {
        [RG_F32] = search_f32, [RG_F64] = search_f64, [RG_I32] = search_i32, [RG_I64] = search_i64};
    const rg__array_view *sorted = &run->in[0], *values = &run->in[1];
    const bool right = ((const struct searchsorted *)run->node->attr)->right;
    const rg__lanes rows = rg__lanes_of(sorted, sorted->rank - 1), l = rg__lanes_of(values, values->rank - 1);
    const int64_t numel = run->node->numel;
    int64_t *out = run->out.data;
    const bool shared = run->threads > 1 && numel >= RG__LANES_PARALLEL;
#pragma omp parallel for num_threads(run->threads) schedule(static) if (shared)
    for (int64_t i = 0; i < numel; i++) {
        const int64_t lane = i / l.length, row = sorted->rank > 1 ? rg__lane_at(&rows, lane) : 0;
        out[i] =
            searches[values->dtype]((const char *)sorted->data + row, rows.step, rows.length,
                                    (const char *)values->data + rg__lane_at(&l, lane) + i % l.length * l.step, right);
    }
    return true;
}

static rg_tensor search(rg_tape *t, const rg__op *op, rg_tensor sorted, rg_tensor values, bool right, bool one_row)
{
    const rg__node *ns = rg__arg_of(t, op, sorted, RG__NUMBER), *nv = ns ? rg__arg_of(t, op, values, RG__NUMBER) : NULL;
    if (!nv)
        return RG_NIL;
    const bool fits = ns->rank == 1 || (ns->rank > 1 && ns->rank == nv->rank && !one_row &&
                                        rg__dims_equal(ns->rank - 1, ns->dims, nv->rank - 1, nv->dims));
    if (!fits || ns->dtype != nv->dtype) {
        rg__fail(t, op, fits ? RG_ERROR_DTYPE : RG_ERROR_SHAPE,
                 "%s of %s to be searched for values %s of %s: a vector%s of one dtype is needed",
                 rg_dtype_name((rg_dtype)ns->dtype), RG__NODE_TEXT(ns), rg_dtype_name((rg_dtype)nv->dtype),
                 RG__NODE_TEXT(nv), one_row ? "" : ", or rows with the same leading axes,");
        return RG_NIL;
    }
    return rg__record(t, OP(searchsorted), (rg_tensor[]){sorted, values}, 2, RG_I64, nv->rank, nv->dims,
                      &(struct searchsorted){right});
}

rg_tensor rg_searchsorted(rg_tape *t, rg_tensor sorted, rg_tensor values, bool right)
{
    return search(t, OP(searchsorted), sorted, values, right, false);
}

rg_tensor rg_bucketize(rg_tape *t, rg_tensor x, rg_tensor boundaries, bool right)
{
    return search(t, OP(bucketize), boundaries, x, right, true);
}

/* What is at the place where x belongs is x, or nothing is. */
rg_tensor rg_isin(rg_tape *t, rg_tensor x, rg_tensor of, bool invert)
{
    const rg__op *op = OP(isin);
    const rg__node *n = rg__arg_of(t, op, x, RG__NUMBER), *no = n ? rg__arg_of(t, op, of, RG__NUMBER) : NULL;
    if (!no)
        return RG_NIL;
    if (n->dtype != no->dtype) {
        rg__fail(t, op, RG_ERROR_DTYPE, "x is %s of %s, and what it is looked up in %s of %s; one dtype is needed",
                 rg_dtype_name((rg_dtype)n->dtype), RG__NODE_TEXT(n), rg_dtype_name((rg_dtype)no->dtype),
                 RG__NODE_TEXT(no));
        return RG_NIL;
    }
    if (no->numel == 0)
        return rg_full(t, RG_BOOL, rg_shape_of(t, x), invert);
    const rg_tensor sorted = rg_sort(t, rg_reshape(t, of, RG_SHAPE(-1)), 0, false, NULL);
    const rg_tensor last = rg_constant(t, RG_I64, (double)(no->numel - 1));
    const rg_tensor found = rg_take(t, sorted, rg_minimum(t, rg_searchsorted(t, sorted, x, false), last));
    return invert ? rg_ne(t, found, x) : rg_eq(t, found, x);
}

/* ---- what the shape of the result depends on is computed at once ---- */

static void give(rg_tensor *where, rg_tensor x)
{
    if (where)
        *where = x;
}

/* Runs of equal elements of `x` [n], n > 0; element i was, or is, at index[i], nil: at i. */
static rg_tensor runs(rg_tape *t, rg_tensor x, rg_tensor index, rg_shape shape, rg_tensor *inverse, rg_tensor *counts)
{
    const int64_t n = rg_numel(t, x);
    const rg_tensor begins = rg_ne(t, rg_slice(t, x, 0, 1, RG_END, 1), rg_slice(t, x, 0, 0, -1, 1));
    const rg_tensor run =
        rg_cumsum(t, rg_cat(t, (rg_tensor[]){rg_zeros(t, RG_I64, RG_SHAPE(1)), rg_cast(t, begins, RG_I64)}, 2, 0), 0);
    const int64_t *last = rg_data_i64(t, rg_slice(t, run, 0, n - 1, n, 1));
    if (!last)
        return RG_NIL;
    const int64_t count = *last + 1;
    const rg_tensor first = rg_searchsorted(t, run, rg_arange(t, RG_I64, 0, (double)count, 1), false);
    if (counts)
        *counts = rg_diff(t, first, 1, 0, RG_NIL, rg_full(t, RG_I64, RG_SHAPE(1), (double)n));
    if (inverse) {
        const rg_tensor own = rg_is_nil(index) ? run : rg_scatter_add(t, rg_zeros_like(t, run), 0, index, run);
        *inverse = rg_reshape(t, own, shape);
    }
    return rg_gather(t, x, 0, first);
}

static rg_tensor distinct(rg_tape *t, const rg__op *op, rg_tensor x, bool sorted, rg_tensor *inverse, rg_tensor *counts)
{
    const rg__node *n = rg__arg(t, op, x);
    give(inverse, RG_NIL);
    give(counts, RG_NIL);
    if (!n)
        return RG_NIL;
    const rg_shape shape = rg_shape_of(t, x);
    rg_tensor flat = rg_detach(t, rg_reshape(t, x, RG_SHAPE(n->numel))), index = RG_NIL;
    if (rg_numel(t, flat) == 0) {
        give(inverse, rg_zeros(t, RG_I64, shape));
        give(counts, rg_zeros(t, RG_I64, RG_SHAPE(0)));
        return flat;
    }
    if (sorted)
        flat = rg_sort(t, flat, 0, false, &index);
    return runs(t, flat, index, shape, inverse, counts);
}

rg_tensor rg_unique(rg_tape *t, rg_tensor x, rg_tensor *inverse, rg_tensor *counts)
{
    return distinct(t, OP(unique), x, true, inverse, counts);
}

rg_tensor rg_unique_consecutive(rg_tape *t, rg_tensor x, rg_tensor *inverse, rg_tensor *counts)
{
    return distinct(t, OP(unique_consecutive), x, false, inverse, counts);
}

/* The largest of x, or -1 where there is none; below that, and an error, where one is negative or on other errors. */
static int64_t largest_count(rg_tape *t, const rg__op *op, rg_tensor x)
{
    if (rg_numel(t, x) == 0)
        return -1;
    const rg_tensor high = rg_keep(t, rg_cast(t, rg_max(t, x, RG_ALL, false), RG_I64));
    const int64_t *low = rg_data_i64(t, rg_cast(t, rg_min(t, x, RG_ALL, false), RG_I64));
    const int64_t *largest = low ? rg_data_i64(t, high) : NULL;
    if (largest && *low >= 0 && *largest < INT64_MAX)
        return *largest;
    if (largest)
        rg__fail(t, op, RG_ERROR_VALUE, "x has %lld; 0 or more, and less than %lld, is needed",
                 (long long)(*low < 0 ? *low : *largest), (long long)INT64_MAX);
    return -2;
}

rg_tensor rg_bincount(rg_tape *t, rg_tensor x, rg_tensor weights, int64_t minlength)
{
    const rg__op *op = OP(bincount);
    const rg__node *n = rg__arg_of(t, op, x, RG__INTEGER);
    const bool plain = rg_is_nil(weights);
    const rg__node *nw = n && !plain ? rg__arg_of(t, op, weights, RG__NUMBER) : NULL;
    if (!n || (!plain && !nw))
        return RG_NIL;
    if (n->rank != 1 || (nw && !rg__dims_equal(n->rank, n->dims, nw->rank, nw->dims)) || minlength < 0) {
        rg__fail(t, op, minlength < 0 ? RG_ERROR_ARGUMENT : RG_ERROR_SHAPE,
                 "x %s, weights %s, minlength %lld given: a vector, weights of its shape and 0 or more are needed",
                 RG__NODE_TEXT(n), nw ? RG__NODE_TEXT(nw) : "nil", (long long)minlength);
        return RG_NIL;
    }
    const rg_dtype dtype = nw ? (rg_dtype)nw->dtype : RG_I64;
    const rg_shape shape = rg_shape_of(t, x);
    const int64_t largest = largest_count(t, op, x);
    if (largest < -1)
        return RG_NIL;
    const rg_tensor none = rg_zeros(t, dtype, RG_SHAPE(largest + 1 > minlength ? largest + 1 : minlength));
    return rg_scatter_add(t, none, 0, x, plain ? rg_ones(t, RG_I64, shape) : weights);
}

/* ---- histc ---- */

struct histc {
    int64_t bins;
    double low, high;
};
static const rg__field fields_histc[] = {RG__FIELD(struct histc, bins, RG__INT),
                                         RG__FIELD(struct histc, low, RG__FLOAT),
                                         RG__FIELD(struct histc, high, RG__FLOAT),
                                         {0}};

/* Runs `step` for each x. */
#define EACH(T, ...)                                                                    \
    do {                                                                                \
        rg__walk w;                                                                     \
        rg__walk_start(&w, in->rank, in->dims, 1, (rg__strided[]){rg__strided_of(in)}); \
        do                                                                              \
            for (int64_t i = 0; i < w.run; i++) {                                       \
                const T x = *(const T *)(const void *)(w.p[0] + i * w.step[0]);         \
                __VA_ARGS__;                                                            \
            }                                                                           \
        while (rg__walk_next(&w));                                                      \
    } while (0)
#define COUNT_BINS(T)                                                                                 \
    do {                                                                                              \
        T *out = run->out.data;                                                                       \
        if (low == high) {                                                                            \
            low = INFINITY;                                                                           \
            high = -INFINITY;                                                                         \
            EACH(T, low = x < low || x != x ? x : low; high = x > high || x != x ? x : high);         \
            if (low > high)                                                                           \
                low = high = 0;                                                                       \
            if (!isfinite(low) || !isfinite(high))                                                    \
                return rg__run_fail(run, RG_ERROR_VALUE,                                              \
                                    "x goes from %g to %g; finite numbers are needed where no range " \
                                    "is given",                                                       \
                                    low, high);                                                       \
            if (low == high)                                                                          \
                low -= 1, high += 1;                                                                  \
        }                                                                                             \
        EACH(                                                                                         \
            T, if (x >= low && x <= high) {                                                           \
                const int64_t bin = (int64_t)((x - low) * (double)a->bins / (high - low));            \
                count[bin < a->bins ? bin : a->bins - 1]++;                                           \
            });                                                                                       \
        for (int64_t i = 0; i < a->bins; i++)                                                         \
            out[i] = (T)count[i];                                                                     \
    } while (0)

static bool count_bins(const rg__run *run, int64_t *count)
{
    const struct histc *a = run->node->attr;
    const rg__array_view *in = &run->in[0];
    double low = a->low, high = a->high;
    memset(count, 0, (size_t)a->bins * sizeof *count);
    if (in->dtype == RG_F32)
        COUNT_BINS(float);
    else
        COUNT_BINS(double);
    return true;
}

static bool kernel_histc(const rg__run *run)
{
    const size_t bytes = (size_t)run->node->numel * sizeof(int64_t);
    int64_t *count = rg__pool_get(run->pool, bytes);
    if (!count)
        return rg__run_fail(run, RG_ERROR_MEMORY, "out of memory for %zu bytes", bytes);
    const bool ok = count_bins(run, count);
    rg__pool_put(run->pool, count, bytes);
    return ok;
}

rg_tensor rg_histc(rg_tape *t, rg_tensor x, int64_t bins, double low, double high)
{
    const rg__op *op = OP(histc);
    const rg__node *n = rg__arg_of(t, op, x, RG__FLOATS);
    if (!n)
        return RG_NIL;
    if (bins < 1 || rg__numel(1, &bins) < 0 || !isfinite(low) || !isfinite(high) || low > high) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%lld bins from %g to %g: 1 or more and finite numbers in order are needed",
                 (long long)bins, low, high);
        return RG_NIL;
    }
    return rg__record(t, op, &x, 1, (rg_dtype)n->dtype, 1, &bins, &(struct histc){bins, low, high});
}

/* ---- histogram ---- */

static bool check_histogram(rg_tape *t, rg_tensor x, rg_tensor edges, rg_tensor weights)
{
    const rg__op *op = OP(histogram);
    const rg__node *n = rg__arg_of(t, op, x, RG__FLOATS), *e = n ? rg__arg_of(t, op, edges, RG__FLOATS) : NULL;
    const rg__node *w = e && !rg_is_nil(weights) ? rg__arg_of(t, op, weights, RG__FLOATS) : NULL;
    if (!e || (!w && !rg_is_nil(weights)))
        return false;
    if (e->dtype != n->dtype || (w && w->dtype != n->dtype)) {
        rg__fail(t, op, RG_ERROR_DTYPE, "x is %s, edges %s, weights %s: one dtype is needed",
                 rg_dtype_name((rg_dtype)n->dtype), rg_dtype_name((rg_dtype)e->dtype),
                 w ? rg_dtype_name((rg_dtype)w->dtype) : "nil");
        return false;
    }
    const bool fits = !w || rg__dims_equal(w->rank, w->dims, n->rank, n->dims);
    if (e->rank != 1 || e->dims[0] < 2 || !fits)
        rg__fail(t, op, RG_ERROR_SHAPE, "edges %s, x %s, weights %s: edges [2 or more] and weights like x are needed",
                 RG__NODE_TEXT(e), RG__NODE_TEXT(n), w ? RG__NODE_TEXT(w) : "nil");
    return !rg_failed(t);
}

rg_tensor rg_histogram(rg_tape *t, rg_tensor x, rg_tensor edges, rg_tensor weights, bool density)
{
    if (!check_histogram(t, x, edges, weights))
        return RG_NIL;
    const int64_t bins = rg_dim(t, edges, 0) - 1;
    const rg_dtype dtype = rg_dtype_of(t, x);
    x = rg_detach(t, rg_reshape(t, x, RG_SHAPE(-1)));
    edges = rg_detach(t, edges);
    const rg_tensor last = rg_eq(t, x, rg_select(t, edges, 0, -1)), none = rg_constant(t, dtype, 0);
    const rg_tensor found = rg_add_scalar(t, rg_searchsorted(t, edges, x, true), -1);
    const rg_tensor place = rg_where(t, last, rg_constant(t, RG_I64, (double)(bins - 1)), found);
    const rg_tensor bin = rg_clamp(t, place, 0, (double)(bins - 1)), inside = rg_eq(t, bin, place);
    rg_tensor each = rg_is_nil(weights) ? rg_ones_like(t, x) : rg_reshape(t, weights, RG_SHAPE(-1));
    each = rg_where(t, inside, each, none);
    const rg_tensor sums = rg_scatter_add(t, rg_zeros(t, dtype, RG_SHAPE(bins)), 0, bin, each);
    if (!density)
        return sums;
    const rg_tensor widths = rg_sub(t, rg_slice(t, edges, 0, 1, RG_END, 1), rg_slice(t, edges, 0, 0, bins, 1));
    return rg_div(t, rg_div(t, sums, rg_sum(t, sums, RG_ALL, false)), widths);
}

RG__CALL(histogram, rg_histogram(t, in[0], in[1], in[2], RG__FLAG_OF(density)))

/* ---- by name ---- */

RG__CALL(searchsorted, rg_searchsorted(t, in[0], in[1], RG__FLAG_OF(right)))
RG__CALL(bucketize, rg_bucketize(t, in[0], in[1], RG__FLAG_OF(right)))
RG__CALL(isin, rg_isin(t, in[0], in[1], RG__FLAG_OF(invert)))
RG__CALL(bincount, rg_bincount(t, in[0], in[1], RG__INT_OF(minlength)))
RG__CALL(histc, rg_histc(t, in[0], RG__INT_OF(bins), RG__REAL_OF(min), RG__REAL_OF(max)))

static int call_unique(const rg__call *c, rg_tensor *out)
{
    out[0] = rg_unique(c->t, c->in[0], &out[1], &out[2]);
    return 3;
}

static int call_unique_consecutive(const rg__call *c, rg_tensor *out)
{
    out[0] = rg_unique_consecutive(c->t, c->in[0], &out[1], &out[2]);
    return 3;
}

/* ---- samples ---- */

/* Whole numbers in floats, so that some are equal. */
static rg_tensor whole(rg__draw *draw, rg_shape shape)
{
    return rg_round(draw->t, RG__DRAW(draw, shape, RG__REAL));
}

static rg_tensor sample_searchsorted(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    if (index > 3)
        return RG_NIL;
    const rg_tensor rows = rg_sort(t, whole(draw, index == 1 ? RG_SHAPE(2, 7) : RG_SHAPE(7)), -1, false, NULL);
    const rg_tensor x = index == 2   ? whole(draw, RG_SCALAR)
                        : index == 3 ? rg_transpose(t, whole(draw, RG_SHAPE(3, 0)), 0, 1)
                                     : whole(draw, RG_SHAPE(2, 5));
    return rg_searchsorted(t, rows, x, index == 1);
}

#define SAMPLE(name, n, ...)                                  \
    static rg_tensor sample_##name(rg__draw *draw, int index) \
    {                                                         \
        rg_tape *t = draw->t;                                 \
        return index < n ? (__VA_ARGS__) : RG_NIL;            \
    }
SAMPLE(bucketize, 2,
       rg_bucketize(t, rg_transpose(t, whole(draw, RG_SHAPE(4, 3)), 0, 1),
                    rg_sort(t, whole(draw, RG_SHAPE(5)), 0, false, NULL), index))
SAMPLE(isin, 3,
       rg_isin(t, whole(draw, RG_SHAPE(3, 4)), whole(draw, index == 2 ? RG_SHAPE(0) : RG_SHAPE(2, 2)), index == 1))
SAMPLE(histc, 4,
       rg_histc(t, rg_flip(t, RG__DRAW(draw, index == 2 ? RG_SHAPE(0) : RG_SHAPE(5, 4), RG__REAL), RG_ALL), index + 3,
                index == 1 ? -1 : 0, index == 1 ? 1.5 : 0))

/* Two arguments that count: x lies clear of the edges, and only the weights have a gradient that is not 0. */
static rg_tensor sample_histogram(rg__draw *draw, int index)
{
    static const double edges[] = {-2.5, -1.25, 0, 3};
    rg_tape *t = draw->t;
    const rg__domain clear = {RG__SIGNED, .2, 1};
    if (index > 2)
        return RG_NIL;
    const rg_shape s = index == 2 ? RG_SHAPE(0, 3) : RG_SHAPE(4, 3);
    rg_tensor x = RG__DRAW(draw, s, clear), w = RG__DRAW(draw, s, ((rg__domain){RG__INTERVAL, .5, 2}));
    const rg_tensor e = rg_cast(t, rg_input_f64(t, RG_SHAPE(4), edges), rg_dtype_of(t, x));
    return rg_histogram(t, rg_flip(t, x, RG_ALL), e, w, index == 1);
}

static rg_tensor sample_unique(rg__draw *draw, int index)
{
    rg_tensor inverse = RG_NIL;
    if (index > 1)
        return RG_NIL;
    const rg_tensor values = rg_unique(draw->t, whole(draw, index ? RG_SHAPE(0) : RG_SHAPE(4, 3)), &inverse, NULL);
    return index ? values : inverse; /* of a shape that does not depend on what is drawn */
}

static rg_tensor sample_unique_consecutive(rg__draw *draw, int index)
{
    rg_tensor inverse = RG_NIL;
    if (index == 0)
        rg_unique_consecutive(draw->t, whole(draw, RG_SHAPE(4, 3)), &inverse, NULL);
    return inverse;
}

static rg_tensor sample_bincount(rg__draw *draw, int index)
{
    static const int64_t some[] = {2, 0, 5, 2, 2, 0};
    rg_tape *t = draw->t;
    if (index > 2)
        return RG_NIL;
    const rg_tensor weights = RG__DRAW(draw, index == 2 ? RG_SHAPE(0) : RG_SHAPE(6), RG__REAL);
    return rg_bincount(t, rg_input_i64(t, rg_shape_of(t, weights), some), weights, index ? 8 : 0);
}

RG__FAMILY(search, ROWS(RG__ROW))
