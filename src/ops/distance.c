/* Distances: p-norms of differences. */
#include "ops/call.h"
#include "ops/family.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(ROW)                                                                                                  \
    ROW(cosine_similarity, 2, RG__THROUGH, RG__COMPOSITE, "<a, b> / (|a| |b|)",                                    \
        RG__CALLED(cosine_similarity, "a: float, b: float, axis: int = 1, eps: real = 1e-8"))                      \
    ROW(pairwise_distance, 2, RG__THROUGH, RG__COMPOSITE, "|a - b + eps|_p",                                       \
        RG__CALLED(pairwise_distance, "a: float, b: float, p: real = 2, eps: real = 1e-6, keepdim: flag = false")) \
    ROW(cdist, 2, RG__DIFF, RG__KERNEL, "|a_i - b_j|_p of all rows", .fallible = true, RG__ATTR(cdist),            \
        RG__CALLED(cdist, "a: float, b: float, p: real = 2"))                                                      \
    ROW(pdist, 1, RG__THROUGH, RG__COMPOSITE, "|x_i - x_j|_p of all pairs of rows",                                \
        RG__CALLED(pdist, "x: float, p: real = 2"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_distance[OP_##name])

static bool check_p(rg_tape *t, const rg__op *op, double p)
{
    if (!(p >= 0))
        rg__fail(t, op, RG_ERROR_ARGUMENT, "p is %g; it must not be negative", p);
    return p >= 0;
}

/* max(|x|, eps), whose gradient is that of |x| everywhere. */
static rg_tensor bounded(rg_tape *t, rg_tensor x, int axis, double eps)
{
    const rg_tensor norm = rg_norm(t, x, 2, RG_AXES(axis), true);
    return rg_add(t, norm, rg_detach(t, rg_sub(t, rg_maximum(t, norm, rg__like(t, x, eps)), norm)));
}

/* Both are float, of one dtype, and broadcast. */
static bool check_pair(rg_tape *t, const rg__op *op, rg_tensor a, rg_tensor b, const rg__node **na, const rg__node **nb)
{
    *na = rg__arg_of(t, op, a, RG__FLOATS);
    *nb = *na ? rg__arg_of(t, op, b, RG__FLOATS) : NULL;
    if (*nb && (*na)->dtype != (*nb)->dtype)
        rg__fail(t, op, RG_ERROR_DTYPE, "a is %s and b %s; they must agree", rg_dtype_name((rg_dtype)(*na)->dtype),
                 rg_dtype_name((rg_dtype)(*nb)->dtype));
    return *nb && (*na)->dtype == (*nb)->dtype;
}

static bool broadcast_pair(rg_tape *t, const rg__op *op, const rg__node *a, const rg__node *b, rg_shape *shape)
{
    *shape = (rg_shape){0, {0}};
    if (rg__broadcast(&shape->rank, shape->dims, a->rank, a->dims) &&
        rg__broadcast(&shape->rank, shape->dims, b->rank, b->dims))
        return true;
    rg__fail(t, op, RG_ERROR_SHAPE, "a %s and b %s do not broadcast", RG__NODE_TEXT(a), RG__NODE_TEXT(b));
    return false;
}

rg_tensor rg_cosine_similarity(rg_tape *t, rg_tensor a, rg_tensor b, int axis, double eps)
{
    const rg__op *op = OP(cosine_similarity);
    const rg__node *na, *nb;
    rg_shape shape;
    if (!check_pair(t, op, a, b, &na, &nb) || !broadcast_pair(t, op, na, nb, &shape))
        return RG_NIL;
    const int at = rg__axis(axis, shape.rank);
    if (at < 0 || !(eps >= 0 && eps < INFINITY)) {
        rg__fail(t, op, at < 0 ? RG_ERROR_SHAPE : RG_ERROR_ARGUMENT,
                 "axis %d of %s, eps %g: an axis there is and a finite eps that is not negative are needed", axis,
                 RG__DIMS_TEXT(shape.rank, shape.dims), eps);
        return RG_NIL;
    }
    a = rg_expand(t, a, shape);
    b = rg_expand(t, b, shape);
    return rg_sum(t, rg_mul(t, rg_div(t, a, bounded(t, a, at, eps)), rg_div(t, b, bounded(t, b, at, eps))), RG_AXES(at),
                  false);
}

rg_tensor rg_pairwise_distance(rg_tape *t, rg_tensor a, rg_tensor b, double p, double eps, bool keepdim)
{
    const rg__op *op = OP(pairwise_distance);
    const rg__node *na, *nb;
    rg_shape shape;
    if (!check_pair(t, op, a, b, &na, &nb) || !broadcast_pair(t, op, na, nb, &shape) || !check_p(t, op, p))
        return RG_NIL;
    const int last = shape.rank - 1;
    if (last < 0 || (p == INFINITY && shape.dims[last] == 0)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s and %s have no coordinates along the last axis", RG__NODE_TEXT(na),
                 RG__NODE_TEXT(nb));
        return RG_NIL;
    }
    return rg_norm(t, rg_add_scalar(t, rg_sub(t, a, b), eps), p, RG_AXES(last), keepdim);
}

/* ---- all rows with all rows ---- */

struct cdist {
    double p;
};
static const rg__field fields_cdist[] = {RG__FIELD(struct cdist, p, RG__FLOAT), {0}};

/* One distance: sums in f64, in the order of the coordinates, in four lanes. */
#define OVER(...)                                                           \
    do {                                                                    \
        int64_t i = 0;                                                      \
        for (; i + 4 <= n; i += 4)                                          \
            for (int k = 0; k < 4; k++) {                                   \
                const double d = fabs((double)a[i + k] - (double)b[i + k]); \
                __VA_ARGS__;                                                \
            }                                                               \
        for (int k = 0; i < n; i++, k++) {                                  \
            const double d = fabs((double)a[i] - (double)b[i]);             \
            __VA_ARGS__;                                                    \
        }                                                                   \
    } while (0)
#define DISTANCE(T)                                                                                      \
    static double distance_##T(int64_t n, const T *a, const T *b, double p)                              \
    {                                                                                                    \
        double s[4] = {0};                                                                               \
        if (p == INFINITY) {                                                                             \
            OVER(s[k] = d > s[k] || d != d ? d : s[k]);                                                  \
            for (int k = 1; k < 4; k++)                                                                  \
                s[0] = s[k] > s[0] || s[k] != s[k] ? s[k] : s[0];                                        \
            return s[0];                                                                                 \
        }                                                                                                \
        if (p == 2)                                                                                      \
            OVER(s[k] += d * d);                                                                         \
        else if (p == 1)                                                                                 \
            OVER(s[k] += d);                                                                             \
        else if (p == 0)                                                                                 \
            OVER(s[k] += d != 0);                                                                        \
        else                                                                                             \
            OVER(s[k] += pow(d, p));                                                                     \
        const double sum = (s[0] + s[1]) + (s[2] + s[3]);                                                \
        return p == 2 ? sqrt(sum) : p == 1 || p == 0 ? sum : pow(sum, 1 / p);                            \
    }                                                                                                    \
    static void distances_##T(const rows *r, int64_t first, int64_t end)                                 \
    {                                                                                                    \
        for (int64_t i = first; i < end; i++)                                                            \
            for (int64_t j = 0; j < r->m; j++)                                                           \
                ((T *)r->out)[i * r->m + j] =                                                            \
                    (T)distance_##T(r->k, (const T *)r->a + i * r->k, (const T *)r->b + j * r->k, r->p); \
    }

/* All pairs at one position of the leading axes; everything is row-major. */
typedef struct rows {
    char *out;
    const char *a, *b;
    int64_t m, k;
    double p;
} rows;
typedef float f32;
typedef double f64;
// clang-format off
DISTANCE(f32)
DISTANCE(f64)
// clang-format on

/* Rows that lie one after the other, if need be copied into the block. */
static const char *in_order(const rg__array_view *x, const char *at, char *block)
{
    const int64_t *dims = x->dims + x->rank - 2, *strides = x->strides + x->rank - 2;
    if (rg__is_row_major(2, dims, strides))
        return at;
    int64_t plain[2];
    rg__row_major(2, dims, plain);
    const size_t size = rg_dtype_size(x->dtype);
    rg__copy(2, dims, (rg__strided){block, plain, size}, (rg__strided){(void *)(uintptr_t)at, strides, size});
    return block;
}

static void all_distances(const rows *r, int64_t n, size_t size, int threads)
{
    enum { WORTH_THREADS = 100000 };
    void (*const distances)(const rows *, int64_t, int64_t) = size == sizeof(float) ? distances_f32 : distances_f64;
    if (threads < 2 || (double)n * (double)r->m * (double)r->k < WORTH_THREADS) {
        distances(r, 0, n);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int part = 0; part < 4 * threads; part++)
        distances(r, n * part / (4 * threads), n * (part + 1) / (4 * threads));
}

static bool kernel_cdist(const rg__run *run)
{
    const rg__array_view *a = &run->in[0], *b = &run->in[1], *out = &run->out;
    const int lead = out->rank - 2;
    const size_t size = rg_dtype_size(out->dtype);
    const int64_t n = out->dims[lead], m = out->dims[lead + 1], k = a->dims[lead + 1];
    if (run->node->numel == 0)
        return true;
    const size_t bytes = (size_t)(n + m) * (size_t)k * size + 1;
    char *const block = rg__pool_get(run->pool, bytes);
    if (!block)
        return rg__run_fail(run, RG_ERROR_MEMORY, "no memory for %zu bytes", bytes);
    rg__walk w;
    rg__walk_start(&w, lead, out->dims, 3,
                   (rg__strided[]){rg__strided_of(out), {a->data, a->strides, size}, {b->data, b->strides, size}});
    do
        for (int64_t i = 0; i < w.run; i++) {
            const rows r = {.out = w.p[0] + i * w.step[0],
                            .a = in_order(a, w.p[1] + i * w.step[1], block),
                            .b = in_order(b, w.p[2] + i * w.step[2], block + n * k * (int64_t)size),
                            .m = m,
                            .k = k,
                            .p = ((const struct cdist *)run->node->attr)->p};
            all_distances(&r, n, size, run->threads);
        }
    while (rg__walk_next(&w));
    rg__pool_put(run->pool, block, bytes);
    return true;
}

/* The leading axes as in `shape`. */
static rg_tensor repeated(rg_tape *t, rg_tensor x, rg_shape shape)
{
    const rg_shape own = rg_shape_of(t, x);
    for (int i = 0; i < 2; i++)
        shape.dims[shape.rank - 2 + i] = own.dims[own.rank - 2 + i];
    return rg_expand(t, x, shape);
}

rg_tensor rg_cdist(rg_tape *t, rg_tensor a, rg_tensor b, double p)
{
    const rg__op *op = OP(cdist);
    const rg__node *na, *nb;
    if (!check_pair(t, op, a, b, &na, &nb) || !check_p(t, op, p))
        return RG_NIL;
    rg_shape shape = {0, {0}};
    if (na->rank < 2 || nb->rank < 2 || na->rank == RG_MAX_RANK || nb->rank == RG_MAX_RANK ||
        na->dims[na->rank - 1] != nb->dims[nb->rank - 1] ||
        !rg__broadcast(&shape.rank, shape.dims, na->rank - 2, na->dims) ||
        !rg__broadcast(&shape.rank, shape.dims, nb->rank - 2, nb->dims)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "a %s and b %s do not fit: a [..., n, k] needs b [..., m, k], of rank 2 to %d",
                 RG__NODE_TEXT(na), RG__NODE_TEXT(nb), RG_MAX_RANK - 1);
        return RG_NIL;
    }
    const int lead = shape.rank;
    shape.rank += 2;
    shape.dims[lead] = na->dims[na->rank - 2];
    shape.dims[lead + 1] = nb->dims[nb->rank - 2];
    const rg_tensor in[2] = {repeated(t, a, shape), repeated(t, b, shape)};
    if (rg_failed(t))
        return RG_NIL;
    return rg__record(t, op, in, 2, (rg_dtype)na->dtype, shape.rank, shape.dims, &(struct cdist){p});
}

/* d out / d(a - b), less the factor that is the same for all coordinates; [..., n, k, m], so that sums run along rows. */
static rg_tensor direction(rg_tape *t, rg_tensor difference, rg_tensor distance, double p)
{
    const rg_tensor zero = rg__like(t, difference, 0), size = rg_abs(t, difference), sign = rg_sign(t, difference);
    if (p == 1 || p == 2)
        return p == 1 ? sign : difference;
    if (p == INFINITY)
        return rg_where(t, rg_eq(t, size, distance), sign, zero);
    const rg_tensor none = rg_eq(t, difference, zero);
    const rg_tensor power = rg_pow_scalar(t, rg_where(t, none, rg__like(t, difference, 1), size), p - 1);
    return rg_where(t, none, zero, rg_mul(t, sign, power));
}

/* The gradient of the rows of a: `scaled` is g times what is the same for all coordinates. */
static rg_tensor gradient_of_rows(rg_tape *t, rg_tensor a, rg_tensor b, rg_tensor distance, rg_tensor scaled, double p)
{
    const rg_tensor difference = rg_sub(t, rg_unsqueeze(t, a, -1), rg_unsqueeze(t, rg_transpose(t, b, -1, -2), -3));
    const rg_tensor along = direction(t, difference, rg_unsqueeze(t, distance, -2), p);
    return rg_sum(t, rg_mul(t, along, rg_unsqueeze(t, scaled, -2)), RG_AXES(-1), false);
}

static void vjp_cdist(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const double p = ((const struct cdist *)v->attr)->p;
    const rg_tensor a = v->in[0], b = v->in[1], zero = rg__like(t, v->out, 0);
    if (p == 0 || rg_numel(t, v->out) == 0 || rg_numel(t, a) == 0) {
        RG__GRAD(v, 0, rg_zeros_like(t, a));
        RG__GRAD(v, 1, rg_zeros_like(t, b));
        return;
    }
    rg_tensor scaled = v->g;
    if (p != 1 && p != INFINITY) { /* distance^(1 - p), 0 where there is none */
        const rg_tensor none = rg_eq(t, v->out, zero), safe = rg_where(t, none, rg__like(t, v->out, 1), v->out);
        scaled = p == 2 ? rg_div(t, v->g, safe) : rg_mul(t, v->g, rg_pow_scalar(t, safe, 1 - p));
        scaled = rg_where(t, none, zero, scaled);
    }
    RG__GRAD(v, 0, gradient_of_rows(t, a, b, v->out, scaled, p));
    RG__GRAD(v, 1, gradient_of_rows(t, b, a, rg_transpose(t, v->out, -1, -2), rg_transpose(t, scaled, -1, -2), p));
}

rg_tensor rg_pdist(rg_tape *t, rg_tensor x, double p)
{
    const rg__op *op = OP(pdist);
    const rg__node *n = rg__arg_of(t, op, x, RG__FLOATS);
    if (!n || !check_p(t, op, p))
        return RG_NIL;
    if (n->rank != 2) {
        rg__fail(t, op, RG_ERROR_SHAPE, "x %s must have rank 2: rows of coordinates", RG__NODE_TEXT(n));
        return RG_NIL;
    }
    const int64_t count = n->dims[0], pairs = count > 0 ? count * (count - 1) / 2 : 0;
    int64_t *at = count < (INT64_C(1) << 31) ? malloc((size_t)pairs * sizeof *at + 1) : NULL;
    if (!at) {
        rg__fail(t, op, RG_ERROR_MEMORY, "no memory for the pairs of %lld rows", (long long)count);
        return RG_NIL;
    }
    for (int64_t i = 0, k = 0; i < count; i++)
        for (int64_t j = i + 1; j < count; j++)
            at[k++] = i * count + j;
    const rg_tensor index = rg_input_i64(t, RG_SHAPE(pairs), at);
    free(at);
    return rg_take(t, rg_cdist(t, x, x, p), index);
}

/* ---- by name ---- */

RG__CALL(cosine_similarity, rg_cosine_similarity(t, in[0], in[1], RG__AXIS_OF(axis), RG__REAL_OF(eps)))
RG__CALL(pairwise_distance, rg_pairwise_distance(t, in[0], in[1], RG__REAL_OF(p), RG__REAL_OF(eps), RG__FLAG_OF(keepdim)))
RG__CALL(cdist, rg_cdist(t, in[0], in[1], RG__REAL_OF(p)))
RG__CALL(pdist, rg_pdist(t, in[0], RG__REAL_OF(p)))

/* ---- samples ---- */

static const rg__domain apart = {RG__DISTINCT, -1, 0};
#define DRAW(...)  RG__DRAW(draw, RG_SHAPE(__VA_ARGS__), RG__REAL)
#define APART(...) RG__DRAW(draw, RG_SHAPE(__VA_ARGS__), apart)

static rg_tensor sample_cosine_similarity(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    rg_tensor a;
    switch (index) {
    case 0: a = APART(2, 4); return rg_cosine_similarity(t, a, DRAW(2, 4), 1, 1e-8);
    case 1: a = APART(3, 2); return rg_cosine_similarity(t, rg_transpose(t, a, 0, 1), DRAW(3), -1, 1e-8);
    case 2: a = APART(3); return rg_cosine_similarity(t, a, DRAW(2, 3, 1), 1, 1e-8);
    case 3: a = DRAW(0, 3); return rg_cosine_similarity(t, a, DRAW(3), 1, 1e-8);
    default: return RG_NIL;
    }
}

/* Values whose differences differ in magnitude. */
static rg_tensor uneven(rg__draw *draw, rg_shape shape)
{
    return rg_exp(draw->t, RG__DRAW(draw, shape, apart));
}

static const double norms[] = {2, 1, INFINITY, 3, 1.5, 0};
enum { NORMS = sizeof norms / sizeof *norms };

static rg_tensor sample_pairwise_distance(rg__draw *draw, int index)
{
    if (index > NORMS)
        return RG_NIL;
    rg_tensor a = index < NORMS ? APART(2, 4) : DRAW(3, 0);
    const double p = index < NORMS ? norms[index] : 2;
    return rg_pairwise_distance(draw->t, a, index < NORMS ? uneven(draw, RG_SHAPE(2, 4)) : DRAW(0), p, 1e-6, index % 2);
}

static rg_tensor sample_cdist(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    rg_tensor a;
    if (index < NORMS) {
        a = APART(2, 5);
        return rg_cdist(t, a, uneven(draw, RG_SHAPE(3, 5)), norms[index]);
    }
    switch (index - NORMS) {
    case 0: a = APART(2, 1, 2, 3); return rg_cdist(t, a, APART(3, 2, 3), 2);
    case 1: a = rg_transpose(t, APART(3, 2), 0, 1); return rg_cdist(t, a, rg_flip(t, APART(2, 3), RG_ALL), 1);
    case 2: a = DRAW(0, 3); return rg_cdist(t, a, DRAW(2, 3), 2);
    case 3: a = DRAW(2, 0); return rg_cdist(t, a, DRAW(3, 0), 2);
    default: return RG_NIL;
    }
}

static rg_tensor sample_pdist(rg__draw *draw, int index)
{
    return index >= NORMS ? RG_NIL
                          : rg_pdist(draw->t, index == 1 ? DRAW(1, 3) : uneven(draw, RG_SHAPE(4, 3)), norms[index]);
}

RG__FAMILY(distance, ROWS(RG__ROW))
