/* Samples of every op of the table. See samples.h. */
#include "samples.h"

#include <stdlib.h>
#include <string.h>

/* ---- element-wise ops: how the arguments are shaped ---- */

typedef enum form { AS_IT_IS, TRANSPOSED, REVERSED } form;
static const struct {
    rg_shape shape[3];
    form form;
} forms[] = {
    {{{0, {0}}, {0, {0}}, {0, {0}}}, AS_IT_IS},
    {{{1, {5}}, {1, {5}}, {1, {5}}}, AS_IT_IS},
    {{{2, {2, 3}}, {1, {3}}, {2, {2, 1}}}, AS_IT_IS},
    {{{3, {2, 1, 3}}, {2, {4, 1}}, {0, {0}}}, AS_IT_IS},
    {{{2, {3, 4}}, {2, {3, 4}}, {2, {3, 4}}}, TRANSPOSED},
    {{{2, {3, 4}}, {1, {4}}, {2, {3, 4}}}, REVERSED},
    {{{2, {0, 3}}, {1, {3}}, {2, {0, 3}}}, AS_IT_IS},
};

static rg_tensor record_pointwise(rg__draw *draw, const rg__op *op, int index)
{
    rg_tape *t = draw->t;
    rg_tensor in[3];
    if (index >= (int)(sizeof forms / sizeof *forms))
        return RG_NIL;
    for (int i = 0; i < op->arity; i++) {
        if (op->loop[RG_F32] == NULL) { /* logic: of bools */
            rg__domain any = {RG__INTERVAL, -1, 1};
            in[i] = RG__DRAW(draw, forms[index].shape[i], any);
            in[i] = rg_gt(t, in[i], rg_zeros_like(t, in[i]));
        } else {
            in[i] = RG__DRAW(draw, forms[index].shape[i], op->domain[i]);
        }
        if (forms[index].form == REVERSED)
            in[i] = rg_flip(t, in[i], RG_ALL);
        if (forms[index].form == TRANSPOSED)
            in[i] = rg_transpose(t, in[i], 0, 1);
    }
    return rg__record_pointwise(t, op, in, op->arity, NULL);
}

static rg_tensor record(rg__draw *draw, const rg__op *op, int index)
{
    return op->sample ? op->sample(draw, index) : op->arity > 0 ? record_pointwise(draw, op, index) : RG_NIL;
}

/* ---- drawing values ---- */

/* Distinct values 0.2 apart in random order; every second draw lies between those of the first. */
static void distinct(rg_rng *rng, rg__domain d, int which, double *out, int64_t n)
{
    int64_t *order = malloc(((size_t)n + 1) * sizeof *order);
    if (!order)
        abort();
    rg_rng_permutation(rng, order, (size_t)n);
    for (int64_t i = 0; i < n; i++)
        out[i] = d.low + .2 * (double)order[i] + .1 * which;
    free(order);
}

static double *values(rg__domain d, int which, uint64_t seed, int64_t n)
{
    rg_rng rng = rg_rng_new(seed, (uint64_t)which);
    double *out = calloc((size_t)n + 1, sizeof *out);
    bool *negative = calloc((size_t)n + 1, sizeof *negative);
    if (!out || !negative)
        abort();
    if (d.kind == RG__DISTINCT) {
        distinct(&rng, d, which, out, n);
    } else {
        rg_rng_uniform_f64(&rng, out, (size_t)n, d.low, d.high);
        rg_rng_bernoulli(&rng, negative, (size_t)n, .5);
        for (int64_t i = 0; i < n; i++)
            if (d.kind == RG__SIGNED && negative[i])
                out[i] = -out[i];
    }
    free(negative);
    return out;
}

/* While the sample is made: draws values, and gives them to the tape. */
static rg_tensor draw_new(rg__draw *draw, rg_shape shape, rg__domain domain)
{
    sample *s = draw->user;
    const int64_t n = rg_shape_numel(shape);
    if (s->inputs == SAMPLE_INPUTS || n < 0)
        abort();
    double *x = values(domain, s->inputs, (uint64_t)s->index + 1, n);
    if (s->dtype == RG_F32)
        for (int64_t i = 0; i < n; i++)
            ((float *)(void *)x)[i] = (float)x[i];
    s->input[s->inputs++] = (rg_array){s->dtype, shape, x};
    return rg_input(draw->t, s->dtype, shape, x);
}

/* Later: hands out given tensors. */
typedef struct given {
    const rg_tensor *x;
    int next;
} given;

static rg_tensor draw_given(rg__draw *draw, rg_shape shape, rg__domain domain)
{
    (void)shape, (void)domain;
    given *g = draw->user;
    return g->x[g->next++];
}

rg_tensor sample_record(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count;
    const sample *s = user;
    given g = {x, 0};
    return record(&(rg__draw){draw_given, t, &g}, s->op, s->index);
}

rg_tensor sample_record_inputs(rg_tape *t, sample *s)
{
    rg_tensor x[SAMPLE_INPUTS];
    for (int i = 0; i < s->inputs; i++)
        x[i] = rg_input(t, s->input[i].dtype, s->input[i].shape, s->input[i].data);
    return sample_record(t, x, s->inputs, s);
}

bool sample_new(sample *s, const rg__op *op, int index, rg_dtype dtype)
{
    *s = (sample){.op = op, .index = index, .dtype = dtype};
    rg_tape *t = rg_tape_new(NULL);
    rg_tensor y = record(&(rg__draw){draw_new, t, s}, op, index);
    bool there = !rg_is_nil(y) || rg_failed(t);
    rg_tape_free(t);
    if (!there)
        sample_free(s);
    return there;
}

void sample_free(sample *s)
{
    for (int i = 0; i < s->inputs; i++)
        free((void *)(uintptr_t)s->input[i].data);
    s->inputs = 0;
}

bool sample_is_empty(const sample *s)
{
    int64_t n = 0;
    for (int i = 0; i < s->inputs; i++)
        n += rg_shape_numel(s->input[i].shape);
    rg_tape *t = rg_tape_new(NULL);
    rg_tensor y = sample_record_inputs(t, (sample *)(uintptr_t)s);
    bool empty = n == 0 || rg_numel(t, y) == 0;
    rg_tape_free(t);
    return empty;
}
