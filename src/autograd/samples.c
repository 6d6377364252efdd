/* Samples of every op of the table. See samples.h. */
#include "autograd/samples.h"

#include <retrograd/table.h>

#include <math.h>
#include <stdio.h>
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
        if (op->loop[RG_F32] == NULL) { /* of bools, or integers */
            rg__domain any = {RG__INTERVAL, -9, 9};
            in[i] = RG__DRAW(draw, forms[index].shape[i], any);
            in[i] = op->loop[RG_BOOL] ? rg_gt(t, in[i], rg_zeros_like(t, in[i])) : rg_cast(t, in[i], RG_I64);
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

rg_tensor rg__sample_of(rg__draw *draw, const rg__op *op, int index)
{
    return op->sample ? op->sample(draw, index) : op->arity > 0 ? record_pointwise(draw, op, index) : RG_NIL;
}

/* ---- drawing values ---- */

/* Distinct values 0.2 apart in random order; every second draw lies between those of the first. */
static bool distinct(rg_rng *rng, rg__domain d, int which, double *out, int64_t n)
{
    int64_t *order = malloc(((size_t)n + 1) * sizeof *order);
    if (!order)
        return false;
    rg_rng_permutation(rng, order, (size_t)n);
    for (int64_t i = 0; i < n; i++)
        out[i] = d.low + .2 * (double)order[i] + .1 * which;
    free(order);
    return true;
}

/* NULL without memory. */
static double *values(rg__domain d, int which, uint64_t seed, int64_t n)
{
    rg_rng rng = rg_rng_new(seed, (uint64_t)which);
    double *out = calloc((size_t)n + 1, sizeof *out);
    bool *negative = calloc((size_t)n + 1, sizeof *negative);
    bool ok = out && negative;
    if (ok && d.kind == RG__DISTINCT) {
        ok = distinct(&rng, d, which, out, n);
    } else if (ok) {
        rg_rng_uniform_f64(&rng, out, (size_t)n, d.low, d.high);
        rg_rng_bernoulli(&rng, negative, (size_t)n, .5);
        for (int64_t i = 0; i < n; i++)
            if (d.kind == RG__SIGNED && negative[i])
                out[i] = -out[i];
    }
    free(negative);
    if (!ok)
        free(out);
    return ok ? out : NULL;
}

/* While the sample is made: draws values, and gives them to the tape. */
static rg_tensor draw_new(rg__draw *draw, rg_shape shape, rg__domain domain)
{
    rg__trial *s = draw->user;
    const int64_t n = rg_shape_numel(shape);
    double *x = s->inputs < RG__TRIAL_INPUTS && n >= 0 ? values(domain, s->inputs, (uint64_t)s->index + 1, n) : NULL;
    s->failed = s->failed || !x;
    if (!x)
        return RG_NIL;
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

rg_tensor rg__trial_record(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count;
    const rg__trial *s = user;
    given g = {x, 0};
    return rg__sample_of(&(rg__draw){draw_given, t, &g}, s->op, s->index);
}

rg_tensor rg__trial_record_inputs(rg_tape *t, rg__trial *s)
{
    rg_tensor x[RG__TRIAL_INPUTS];
    for (int i = 0; i < s->inputs; i++)
        x[i] = rg_input(t, s->input[i].dtype, s->input[i].shape, s->input[i].data);
    return rg__trial_record(t, x, s->inputs, s);
}

bool rg__trial_new(rg__trial *s, const rg__op *op, int index, rg_dtype dtype)
{
    *s = (rg__trial){.op = op, .index = index, .dtype = dtype};
    rg_tape *t = rg_tape_new(NULL);
    rg_tensor y = rg__sample_of(&(rg__draw){draw_new, t, s}, op, index);
    bool there = (!rg_is_nil(y) || rg_failed(t)) && !s->failed;
    rg_tape_free(t);
    if (!there)
        rg__trial_free(s);
    return there;
}

void rg__trial_free(rg__trial *s)
{
    for (int i = 0; i < s->inputs; i++)
        free((void *)(uintptr_t)s->input[i].data);
    s->inputs = 0;
}

bool rg__trial_is_empty(const rg__trial *s)
{
    int64_t n = 0;
    for (int i = 0; i < s->inputs; i++)
        n += rg_shape_numel(s->input[i].shape);
    rg_tape *t = rg_tape_new(NULL);
    rg_tensor y = rg__trial_record_inputs(t, (rg__trial *)(uintptr_t)s);
    bool empty = n == 0 || rg_numel(t, y) == 0;
    rg_tape_free(t);
    return empty;
}

/* ---- the public checks ---- */

enum { MOST_SAMPLES = 1000 }; /* a sample that fails for want of memory does not end the count */

int rg_op_samples(const char *name)
{
    const rg__op *op = rg__op_find(name);
    int count = 0;
    rg__trial s;
    if (op && !op->no_sample)
        for (; count < MOST_SAMPLES && rg__trial_new(&s, op, count, RG_F64); count++)
            rg__trial_free(&s);
    return count;
}

static bool fail(rg_gradcheck_report *r, const rg__trial *s, const char *what)
{
    r->passed = false;
    snprintf(r->message, sizeof r->message, "sample %d of %s: %.400s", s->index, s->op->name, what);
    return false;
}

/* Nothing can be compared; but the gradients must be there, in the inputs' shapes. */
static bool check_shapes(const rg__trial *s, int order, rg_gradcheck_report *r)
{
    rg_tape *t = rg_tape_new(NULL);
    rg_tensor x[RG__TRIAL_INPUTS], grad[RG__TRIAL_INPUTS];
    for (int i = 0; i < s->inputs; i++)
        x[i] = rg_input(t, s->input[i].dtype, s->input[i].shape, s->input[i].data);
    rg_tensor y = rg__trial_record(t, x, s->inputs, (void *)(uintptr_t)s);
    r->passed = true;
    for (int k = 0; k < order && r->passed && s->inputs > 0; k++) {
        r->passed = rg_grad_with(t, y, rg_ones_like(t, y), x, s->inputs, grad);
        for (int i = 0; i < s->inputs && r->passed; i++)
            r->passed = rg_shape_equal(rg_shape_of(t, grad[i]), s->input[i].shape) && rg_data(t, grad[i]) != NULL;
        y = grad[0];
    }
    if (!r->passed)
        fail(r, s, rg_failed(t) ? rg_tape_error(t) : "a gradient without elements has not its input's shape");
    rg_tape_free(t);
    return r->passed;
}

/* The gradients of <y, cotangent>, as f64, in the precision of the trial. They must be freed. */
static double *gradients_of(const rg__trial *s, int64_t *count, rg_gradcheck_report *r)
{
    rg_tape *t = rg_tape_new(NULL);
    rg_tensor x[RG__TRIAL_INPUTS], grad[RG__TRIAL_INPUTS];
    *count = 0;
    for (int i = 0; i < s->inputs; i++) {
        x[i] = rg_input(t, s->input[i].dtype, s->input[i].shape, s->input[i].data);
        *count += rg_numel(t, x[i]);
    }
    rg_tensor y = rg__trial_record(t, x, s->inputs, (void *)(uintptr_t)s);
    const int64_t outputs = rg_numel(t, y);
    rg_rng rng = rg_rng_new(1, 2);
    double *cotangent = calloc((size_t)(outputs > 0 ? outputs : 0) + 1, sizeof *cotangent);
    double *all = calloc((size_t)*count + 1, sizeof *all);
    bool ok = cotangent && all && outputs >= 0;
    if (ok) {
        rg_rng_uniform_f64(&rng, cotangent, (size_t)outputs, -1, 1);
        rg_tensor w = rg_cast(t, rg_input_f64(t, rg_shape_of(t, y), cotangent), rg_dtype_of(t, y));
        ok = rg_grad_with(t, y, w, x, s->inputs, grad);
        for (int64_t i = 0, at = 0; ok && i < s->inputs; at += rg_numel(t, x[i]), i++)
            ok = rg_read(t, rg_cast(t, grad[i], RG_F64), all + at, (size_t)rg_numel(t, x[i]) * sizeof *all);
    }
    if (!ok)
        fail(r, s, rg_failed(t) ? rg_tape_error(t) : "out of memory");
    rg_tape_free(t);
    free(cotangent);
    if (!ok)
        free(all);
    return ok ? all : NULL;
}

/* The trial's inputs in f64, rounded as they are. */
static bool widen(rg__trial *wide, const rg__trial *s)
{
    *wide = *s;
    wide->dtype = RG_F64;
    bool ok = true;
    for (int i = 0; i < s->inputs; i++) {
        const int64_t n = rg_shape_numel(s->input[i].shape);
        double *x = calloc((size_t)n + 1, sizeof *x);
        for (int64_t k = 0; x && k < n; k++)
            x[k] = ((const float *)s->input[i].data)[k];
        wide->input[i] = (rg_array){RG_F64, s->input[i].shape, x};
        ok = ok && x;
    }
    return ok;
}

/* f32 against f64, relative to the largest finite gradient. */
static bool check_single(const rg__trial *s, rg_gradcheck_report *r)
{
    rg__trial wide;
    int64_t n = 0;
    const bool ready = widen(&wide, s);
    double *single = ready ? gradients_of(s, &n, r) : NULL, *exact = single ? gradients_of(&wide, &n, r) : NULL;
    double largest = 1e-2; /* inputs are about 1: below, gradients are what cancellation leaves */
    for (int64_t i = 0; exact && i < n; i++)
        largest = isfinite(exact[i]) ? fmax(largest, fabs(exact[i])) : largest;
    r->passed = exact != NULL;
    for (int64_t i = 0; exact && i < n; i++) {
        const double error = fabs(single[i] - exact[i]);
        const bool agree = single[i] == exact[i] || error <= 1e-4 * largest; /* false for NaN */
        if (r->compared++ == 0 || !(error <= r->error)) {
            r->index = i;
            r->analytic = single[i];
            r->numeric = exact[i];
            r->error = error;
        }
        if (!agree && r->passed)
            fail(r, s, "the gradients in f32 differ from those in f64");
    }
    if (!ready)
        fail(r, s, "out of memory");
    free(single);
    free(exact);
    rg__trial_free(&wide);
    return r->passed;
}

bool rg_op_check(const char *name, int sample, rg_dtype dtype, int order, rg_gradcheck_report *report)
{
    rg_gradcheck_report own, *r = report ? report : &own;
    *r = (rg_gradcheck_report){.index = -1, .output = -1};
    const rg__op *op = rg__op_find(name);
    rg__trial s;
    if (!op || !op->differentiable || op->no_sample || sample < 0 || dtype > RG_F64 || order < 1 || order > 2 ||
        (dtype == RG_F32 && order > 1) || !rg__trial_new(&s, op, sample, dtype)) {
        snprintf(r->message, sizeof r->message,
                 "there is no differentiable op '%.60s' with a sample %d to check in %s to order %d",
                 name ? name : "NULL", sample, rg_dtype_name(dtype), order);
        return false;
    }
    if (rg__trial_is_empty(&s))
        check_shapes(&s, order, r);
    else if (dtype == RG_F32)
        check_single(&s, r);
    else
        (order == 1 ? rg_gradcheck : rg_gradcheck2)(rg__trial_record, &s, s.input, s.inputs, NULL, r);
    rg__trial_free(&s);
    return r->passed;
}
