/* Draws that are primitives: open uniform numbers, gamma variates, and the discrete distributions. See
 * retrograd/ops/draw.h. Element i is a function of the tape's seed and of the node's counter + i. */
#include "ops/call.h"
#include "ops/draw.h"
#include "ops/family.h"

#include "core/distribution.h"
#include "core/random.h"

#include <retrograd/ops/draw.h>

#include <float.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#define BY_REJECTION .no_sample = "differences of draws by rejection are no derivatives"

#define ROWS(ROW)                                                                                                    \
    ROW(rand_open, 0, RG__NODIFF, RG__KERNEL, "uniform in (0, 1)", .random = true)                                   \
    ROW(gamma_variate, 1, RG__DIFF, RG__KERNEL, "a gamma variate of rate 1, or its logarithm", .random = true,       \
        RG__ATTR(gamma_variate), BY_REJECTION)                                                                       \
    ROW(gamma_slope, 2, RG__DIFF, RG__KERNEL, "its derivative by the concentration", RG__ATTR(gamma_variate),        \
        .no_sample = "has no gradient, which is an error")                                                           \
    ROW(draw_poisson, 1, RG__NODIFF, RG__KERNEL, "a Poisson variate", .random = true, .fallible = true,              \
        RG__CALLED(draw_poisson, "rate: float"))                                                                     \
    ROW(draw_binomial, 2, RG__NODIFF, RG__KERNEL, "successes of count trials", .random = true, .fallible = true,     \
        RG__CALLED(draw_binomial, "count: float, probability: float"))                                               \
    ROW(draw_bernoulli, 1, RG__NODIFF, RG__KERNEL, "true with the probability", .random = true, .fallible = true,    \
        RG__CALLED(draw_bernoulli, "probability: float"))                                                            \
    ROW(draw_multinomial, 1, RG__NODIFF, RG__KERNEL, "indices in proportion to weights", .random = true,             \
        .fallible = true, RG__ATTR(draw_multinomial),                                                                \
        RG__CALLED(draw_multinomial, "weights: float, samples: int, replacement: flag = false"))                     \
    ROW(draw_categorical, 1, RG__NODIFF, RG__COMPOSITE, "an index with probability softmax(logits)", .random = true, \
        RG__CALLED(draw_categorical, "logits: float"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_draw_kernel[OP_##name])

/* ---- reading parameters ------------------------------------------------------------------------------------------ */

/* Element i, counted row by row, of an array of any strides. */
static double element(const rg__array_view *v, int64_t i)
{
    int64_t at = 0;
    for (int axis = v->rank - 1; axis >= 0; axis--) {
        at += i % v->dims[axis] * v->strides[axis];
        i /= v->dims[axis];
    }
    return v->dtype == RG_F64 ? ((const double *)v->data)[at] : ((const float *)v->data)[at];
}

static void store(const rg__array_view *out, int64_t i, double value)
{
    if (out->dtype == RG_F64)
        ((double *)out->data)[i] = value;
    else
        ((float *)out->data)[i] = (float)value;
}

static rg__bits bits_of(const rg__run *run, int64_t i)
{
    return rg__bits_of(rg__tape_seed(run->t), run->node->slot.counter + (uint64_t)i);
}

#define FEW 1024 /* elements that are not worth a second thread */

/* Runs the statement for every i below n on the threads of the run. */
#define EACH(n, ...)                                                                                                   \
    do {                                                                                                               \
        const int64_t each_n = (n);                                                                                    \
        _Pragma("omp parallel for num_threads(run->threads) schedule(static) if (each_n > FEW)") for (int64_t i = 0;   \
                                                                                                      i < each_n; i++) \
        {                                                                                                              \
            __VA_ARGS__;                                                                                               \
        }                                                                                                              \
    } while (0)

/* The first of n elements for which the statement sets `wrong`, or n. */
#define FIRST_WRONG(first, n, ...)                                                                                             \
    do {                                                                                                                       \
        int64_t first_ = (n);                                                                                                  \
        const int64_t each_n = (n);                                                                                            \
        _Pragma("omp parallel for num_threads(run->threads) schedule(static) reduction(min : first_) if (each_n > FEW)") for ( \
            int64_t i = 0; i < each_n; i++)                                                                                    \
        {                                                                                                                      \
            bool wrong = false;                                                                                                \
            __VA_ARGS__;                                                                                                       \
            if (wrong && i < first_)                                                                                           \
                first_ = i;                                                                                                    \
        }                                                                                                                      \
        (first) = first_;                                                                                                      \
    } while (0)

/* The parameters in the shape of the result. */
static rg_tensor record(rg_tape *t, const rg__op *op, rg_tensor a, rg_tensor b, rg_dtype dtype, rg_shape shape)
{
    const rg_tensor in[2] = {rg_expand(t, a, shape), rg_is_nil(b) ? RG_NIL : rg_expand(t, b, shape)};
    if (rg_failed(t))
        return RG_NIL;
    return rg__record_draw(t, op, in, rg_is_nil(b) ? 1 : 2, dtype, shape.rank, shape.dims, NULL);
}

/* ---- open uniform numbers ---------------------------------------------------------------------------------------- */

static bool kernel_rand_open(const rg__run *run)
{
    rg__uniform_open(rg__tape_seed(run->t), 0, run->node->slot.counter, (size_t)run->node->numel, run->out.data);
    return true;
}

rg_tensor rg__rand_open(rg_tape *t, rg_shape shape)
{
    return rg__record_random(t, OP(rand_open), RG_F64, shape.rank, shape.dims, NULL);
}

/* ---- gamma variates ---------------------------------------------------------------------------------------------- */

struct gamma_variate {
    int64_t logarithm;
};
static const rg__field fields_gamma_variate[] = {RG__FIELD(struct gamma_variate, logarithm, RG__INT), {0}};

static bool kernel_gamma_variate(const rg__run *run)
{
    const bool logarithm = ((const struct gamma_variate *)run->node->attr)->logarithm;
    const double least = run->out.dtype == RG_F32 ? FLT_MIN : DBL_MIN;
    EACH(run->node->numel, {
        rg__bits bits = bits_of(run, i);
        const double x = rg__log_gamma_variate(&bits, element(&run->in[0], i)), e = exp(x);
        store(&run->out, i, logarithm ? x : e < least ? least : e);
    });
    return true;
}

static bool kernel_gamma_slope(const rg__run *run)
{
    const bool logarithm = ((const struct gamma_variate *)run->node->attr)->logarithm;
    EACH(run->node->numel, {
        const double y = element(&run->in[1], i),
                     slope = rg__log_gamma_slope(element(&run->in[0], i), logarithm ? y : log(y));
        store(&run->out, i, logarithm ? slope : slope * y);
    });
    return true;
}

rg_tensor rg__gamma_variate(rg_tape *t, const rg__op *op, rg_tensor concentration, bool logarithm)
{
    const rg__node *n = rg__arg_of(t, op, concentration, RG__FLOATS);
    if (!n)
        return RG_NIL;
    return rg__record_draw(t, OP(gamma_variate), &concentration, 1, (rg_dtype)n->dtype, n->rank, n->dims,
                           &(struct gamma_variate){logarithm});
}

static void vjp_gamma_variate(const rg__vjp *v)
{
    const rg__node *n = v->node;
    const rg_tensor slope = rg__record(v->t, OP(gamma_slope), (const rg_tensor[]){v->in[0], v->out}, 2,
                                       (rg_dtype)n->dtype, n->rank, n->dims, v->attr);
    RG__GRAD(v, 0, rg_mul(v->t, v->g, slope));
}

static void vjp_gamma_slope(const rg__vjp *v)
{
    rg__fail(v->t, v->node->op, RG_ERROR_STATE,
             "the derivative of a gamma variate by its concentration cannot be differentiated again");
}

/* ---- Poisson, binomial, Bernoulli -------------------------------------------------------------------------------- */

static bool kernel_draw_poisson(const rg__run *run)
{
    int64_t first;
    FIRST_WRONG(first, run->node->numel, {
        const double rate = element(&run->in[0], i);
        wrong = !(rate >= 0 && rate < INFINITY);
        rg__bits bits = bits_of(run, i);
        store(&run->out, i, wrong ? 0 : rg__poisson_variate(&bits, rate));
    });
    return first == run->node->numel ||
           rg__run_fail(run, RG_ERROR_VALUE, "rate %g is not a finite number of 0 or more", element(&run->in[0], first));
}

rg_tensor rg_draw_poisson(rg_tape *t, rg_tensor rate)
{
    const rg__node *n = rg__arg_of(t, OP(draw_poisson), rate, RG__FLOATS);
    return n ? record(t, OP(draw_poisson), rate, RG_NIL, (rg_dtype)n->dtype, rg_shape_of(t, rate)) : RG_NIL;
}

static bool kernel_draw_binomial(const rg__run *run)
{
    int64_t first;
    FIRST_WRONG(first, run->node->numel, {
        const double count = element(&run->in[0], i), p = element(&run->in[1], i);
        wrong = !(count >= 0 && count < INFINITY && count == floor(count) && p >= 0 && p <= 1);
        rg__bits bits = bits_of(run, i);
        store(&run->out, i, wrong ? 0 : rg__binomial_variate(&bits, count, p));
    });
    return first == run->node->numel ||
           rg__run_fail(run, RG_ERROR_VALUE,
                        "count %g and probability %g: a whole number of 0 or more, and one in [0, 1]",
                        element(&run->in[0], first), element(&run->in[1], first));
}

rg_tensor rg_draw_binomial(rg_tape *t, rg_tensor count, rg_tensor probability)
{
    rg_dtype dtype;
    rg_shape shape;
    if (!rg__draw_shape(t, OP(draw_binomial), count, probability, &dtype, &shape))
        return RG_NIL;
    return record(t, OP(draw_binomial), count, probability, dtype, shape);
}

static bool kernel_draw_bernoulli(const rg__run *run)
{
    int64_t first;
    FIRST_WRONG(first, run->node->numel, {
        const double p = element(&run->in[0], i);
        rg__bits bits = bits_of(run, i);
        wrong = !(p >= 0 && p <= 1);
        ((bool *)run->out.data)[i] = rg__bits_uniform(&bits) < p;
    });
    return first == run->node->numel ||
           rg__run_fail(run, RG_ERROR_VALUE, "probability %g is not in [0, 1]", element(&run->in[0], first));
}

rg_tensor rg_draw_bernoulli(rg_tape *t, rg_tensor probability)
{
    if (!rg__arg_of(t, OP(draw_bernoulli), probability, RG__FLOATS))
        return RG_NIL;
    return record(t, OP(draw_bernoulli), probability, RG_NIL, RG_BOOL, rg_shape_of(t, probability));
}

/* ---- multinomial ------------------------------------------------------------------------------------------------- */

struct draw_multinomial {
    int64_t samples;
    uint32_t replacement, logits;
};
static const rg__field fields_draw_multinomial[] = {RG__FIELD(struct draw_multinomial, samples, RG__INT),
                                                    RG__FIELD(struct draw_multinomial, replacement, RG__FLAG),
                                                    RG__FIELD(struct draw_multinomial, logits, RG__FLAG),
                                                    {0}};

/* What is wrong with a row. */
typedef enum fault { NONE, INVALID, ALL_ZERO, TOO_FEW } row_fault;

/* An index with its weight, or a sum of weights, or the time of its arrival. */
typedef struct entry {
    double value;
    int64_t index;
} entry;

/* The weights of a row, relative to the largest. */
static row_fault read_weights(const rg__run *run, int64_t row, int64_t k, entry *e)
{
    const struct draw_multinomial *a = run->node->attr;
    double largest = a->logits ? -INFINITY : 0;
    int64_t some = 0;
    for (int64_t j = 0; j < k; j++) {
        e[j] = (entry){element(&run->in[0], row * k + j), j};
        if (isnan(e[j].value) || e[j].value == INFINITY || (!a->logits && e[j].value < 0))
            return INVALID;
        largest = fmax(largest, e[j].value);
    }
    if (largest == (a->logits ? -INFINITY : 0))
        return ALL_ZERO;
    for (int64_t j = 0; j < k; j++) {
        e[j].value = a->logits ? exp(e[j].value - largest) : e[j].value / largest;
        some += e[j].value > 0;
    }
    return !a->replacement && some < a->samples ? TOO_FEW : NONE;
}

/* Independent of each other, each from its own stream: where a uniform number falls among the sums of weights. */
static void draw_with_replacement(const rg__run *run, int64_t first, int64_t samples, int64_t k, entry *e, int64_t *out)
{
    int64_t last = 0; /* a rounded product never falls behind the last weight that is not 0 */
    for (int64_t j = 0; j < k; j++) {
        last = e[j].value > 0 ? j : last;
        e[j].value += j ? e[j - 1].value : 0;
    }
    for (int64_t s = 0; s < samples; s++) {
        rg__bits bits = bits_of(run, first + s);
        const double at = rg__bits_uniform(&bits) * e[k - 1].value;
        int64_t low = 0, high = last;
        while (low < high) {
            const int64_t middle = low + (high - low) / 2;
            if (e[middle].value > at)
                high = middle;
            else
                low = middle + 1;
        }
        out[s] = low;
    }
}

static bool is_before(entry a, entry b)
{
    return a.value < b.value || (a.value == b.value && a.index < b.index);
}

/* Restores the order of a heap of n below its entry i. */
static void sink(entry *e, int64_t n, int64_t i)
{
    for (int64_t child; (child = 2 * i + 1) < n; i = child) {
        child += child + 1 < n && is_before(e[child + 1], e[child]);
        if (is_before(e[i], e[child]))
            return;
        const entry swapped = e[i];
        e[i] = e[child];
        e[child] = swapped;
    }
}

/* A race: each index arrives after a time that is exponential with its weight as the rate, and the first are taken
 * (Efraimidis and Spirakis 2006). The row has one stream. */
static void draw_without_replacement(const rg__run *run, int64_t first, int64_t samples, int64_t k, entry *e, int64_t *out)
{
    rg__bits bits = bits_of(run, first);
    for (int64_t j = 0; j < k; j++) {
        const double wait = -log(rg__bits_uniform(&bits));
        e[j].value = e[j].value > 0 ? wait / e[j].value : INFINITY;
    }
    for (int64_t i = k / 2; i-- > 0;)
        sink(e, k, i);
    for (int64_t s = 0, n = k; s < samples; s++) {
        out[s] = e[0].index;
        e[0] = e[--n];
        sink(e, n, 0);
    }
}

static row_fault draw_row(const rg__run *run, int64_t row, int64_t k, entry *e)
{
    const struct draw_multinomial *a = run->node->attr;
    const int64_t first = row * a->samples;
    const row_fault fault = read_weights(run, row, k, e);
    if (fault == NONE)
        (a->replacement ? draw_with_replacement : draw_without_replacement)(run, first, a->samples, k, e,
                                                                            (int64_t *)run->out.data + first);
    return fault;
}

static bool kernel_draw_multinomial(const rg__run *run)
{
    static const char *const faults[] = {[INVALID] = "holds what is negative or not a finite number",
                                         [ALL_ZERO] = "sums to 0",
                                         [TOO_FEW] = "has fewer weights other than 0 than there are samples"};
    const struct draw_multinomial *a = run->node->attr;
    const rg__array_view *w = &run->in[0];
    const int64_t k = w->dims[w->rank - 1], rows = run->node->numel / a->samples;
    const bool alone = rows == 1 || rows * (k + a->samples) <= FEW;
    const size_t bytes = (size_t)k * (alone ? 1 : (size_t)run->threads) * sizeof(entry);
    entry *room = rg__pool_get(run->pool, bytes);
    if (!room)
        return rg__run_fail(run, RG_ERROR_MEMORY, "out of memory for %zu bytes", bytes);
    int64_t first = rows; /* the first row that is at fault */
#pragma omp parallel for num_threads(run->threads) schedule(static) reduction(min : first) if (!alone)
    for (int64_t row = 0; row < rows; row++)
        if (draw_row(run, row, k, room + (size_t)k * (size_t)omp_get_thread_num()) != NONE && row < first)
            first = row;
    const row_fault fault = first < rows ? read_weights(run, first, k, room) : NONE;
    rg__pool_put(run->pool, room, bytes);
    return fault == NONE || rg__run_fail(run, RG_ERROR_VALUE, "row %lld of the %s %s", (long long)first,
                                         a->logits ? "logits" : "weights",
                                         a->logits && fault == ALL_ZERO ? "holds nothing but -inf" : faults[fault]);
}

static rg_tensor multinomial(rg_tape *t, const rg__op *op, rg_tensor weights, struct draw_multinomial attr)
{
    const rg__node *n = rg__arg_of(t, op, weights, RG__FLOATS);
    if (!n)
        return RG_NIL;
    if (n->rank == 0 || (n->dims[n->rank - 1] == 0)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s given; [..., k] with k of 1 or more is needed", RG__NODE_TEXT(n));
        return RG_NIL;
    }
    const int64_t k = n->dims[n->rank - 1];
    if (attr.samples < 1 || (!attr.replacement && attr.samples > k)) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%lld samples of %lld weights: 1 or more%s", (long long)attr.samples,
                 (long long)k,
                 attr.replacement ? "" : " are allowed, and without replacement no more than there are weights");
        return RG_NIL;
    }
    int64_t dims[RG_MAX_RANK];
    memcpy(dims, n->dims, n->rank * sizeof *dims);
    dims[n->rank - 1] = attr.samples;
    return rg__record_draw(t, OP(draw_multinomial), &weights, 1, RG_I64, n->rank, dims, &attr);
}

rg_tensor rg_draw_multinomial(rg_tape *t, rg_tensor weights, int64_t samples, bool replacement)
{
    return multinomial(t, OP(draw_multinomial), weights, (struct draw_multinomial){samples, replacement, false});
}

rg_tensor rg_draw_categorical(rg_tape *t, rg_tensor logits)
{
    const rg_tensor index = multinomial(t, OP(draw_categorical), logits, (struct draw_multinomial){1, true, true});
    return rg_is_nil(index) ? RG_NIL : rg_squeeze(t, index, RG_AXES(-1));
}

/* ---- by name ----------------------------------------------------------------------------------------------------- */

RG__CALL(draw_poisson, rg_draw_poisson(t, in[0]))
RG__CALL(draw_binomial, rg_draw_binomial(t, in[0], in[1]))
RG__CALL(draw_bernoulli, rg_draw_bernoulli(t, in[0]))
RG__CALL(draw_multinomial, rg_draw_multinomial(t, in[0], RG__INT_OF(samples), RG__FLAG_OF(replacement)))
RG__CALL(draw_categorical, rg_draw_categorical(t, in[0]))

/* ---- samples: fixed parameters, for the least change of one may change what is drawn ------------------------------ */

static rg_tensor spread(rg_tape *t, rg_shape shape, double low, double high)
{
    return rg_reshape(t, rg_linspace(t, RG_F32, low, high, rg_shape_numel(shape)), shape);
}

#define SAMPLE(name, n, ...)                                  \
    static rg_tensor sample_##name(rg__draw *draw, int index) \
    {                                                         \
        rg_tape *t = draw->t;                                 \
        return index < n ? (__VA_ARGS__) : RG_NIL;            \
    }
SAMPLE(rand_open, 2, rg__rand_open(t, RG_SHAPE(index ? 0 : 3, 4)))
SAMPLE(draw_poisson, 3,
       rg_draw_poisson(t, index == 2 ? spread(t, RG_SHAPE(0, 2), 1, 2)
                                     : rg_transpose(t, spread(t, RG_SHAPE(3, 4), 0, index ? 40 : 3), 0, 1)))
SAMPLE(draw_binomial, 3,
       rg_draw_binomial(t,
                        index == 2 ? spread(t, RG_SHAPE(0), 1, 2)
                                   : rg_floor(t, spread(t, RG_SHAPE(3, 1), 0, index ? 400 : 9)),
                        index == 2 ? spread(t, RG_SHAPE(0), 0, 1) : spread(t, RG_SHAPE(4), 0, 1)))
SAMPLE(draw_bernoulli, 2, rg_draw_bernoulli(t, rg_flip(t, spread(t, RG_SHAPE(index ? 0 : 3, 4), 0, 1), RG_ALL)))
SAMPLE(draw_multinomial, 4,
       rg_draw_multinomial(t,
                           index == 3 ? spread(t, RG_SHAPE(0, 4), 1, 2)
                                      : rg_transpose(t, spread(t, RG_SHAPE(5, 2), .1, 3), 0, 1),
                           1 + index, index != 1))
SAMPLE(draw_categorical, 3,
       rg_draw_categorical(t, index ? spread(t, RG_SHAPE(index == 2 ? 0 : 3, 4), -2, 2) : spread(t, RG_SHAPE(4), -2, 2)))
#define sample_gamma_variate NULL
#define sample_gamma_slope   NULL

RG__FAMILY(draw_kernel, ROWS(RG__ROW))
