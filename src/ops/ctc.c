/* Connectionist temporal classification: two recursions over time, each other's gradients, and the loss made of them.
 *
 * States of a target a b ..: blank a blank b blank .., L = 2 S + 1 of them. The forward variables alpha[t, s] are the log
 * probability of all ways to be in state s after step t. Their gradient is a linear recursion backwards over the shares
 * W_k[t, s] that came from state s - k; and the gradient of that is linear recursions again. */
#include "ops/call.h"
#include "ops/family.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(ROW)                                                                                                  \
    ROW(ctc_alpha, 2, RG__DIFF, RG__KERNEL, "emit[t, s] + ln sum over k of e^alpha[t-1, s-k]")                     \
    ROW(ctc_chain, 4, RG__DIFF, RG__KERNEL, "x[t, s] + sum over k of w_k[t, s] y[t-1, s-k], or its transpose",     \
        RG__ATTR(ctc_chain))                                                                                       \
    ROW(ctc_loss, 4, RG__THROUGH, RG__COMPOSITE, "-ln of the probability of the target",                           \
        RG__CALLED(ctc_loss, "log_prob: float, target: integer, input_lengths: integer, target_lengths: integer, " \
                             "blank: int = 0, reduction: mean|sum|none = mean, zero_infinity: flag = false"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_ctc[OP_##name])

enum { REACH = 3 }; /* a state is reached from itself and the two before it */

/* ---- kernels: f64 [samples, steps, states] ---- */

typedef struct grid {
    const double *at;
    int64_t step, state; /* strides */
} grid;

static grid grid_of(const rg__array_view *x, int64_t sample)
{
    return (grid){(const double *)x->data + sample * x->strides[0], x->strides[1], x->strides[2]};
}

#define AT(g, t, s) (g).at[(t) * (g).step + (s) * (g).state]

/* ln(e^a + e^b + e^c) */
static double log_sum(double a, double b, double c)
{
    const double top = fmax(a, fmax(b, c));
    if (top == -INFINITY)
        return a + b + c; /* NaN stays */
    return top + log(exp(a - top) + exp(b - top) + exp(c - top));
}

static void alphas(grid emit, const bool *skip, int64_t skip_step, int64_t steps, int64_t states, double *out)
{
    for (int64_t s = 0; s < states && steps > 0; s++)
        out[s] = s < 2 ? AT(emit, 0, s) : -INFINITY;
    for (int64_t t = 1; t < steps; t++) {
        const double *before = out;
        out += states;
        for (int64_t s = 0; s < states; s++) {
            const double one = s > 0 ? before[s - 1] : -INFINITY;
            const double two = s > 1 && skip[s * skip_step] ? before[s - 2] : -INFINITY;
            out[s] = AT(emit, t, s) + log_sum(before[s], one, two);
        }
    }
}

static int threads_for(const rg__run *run, int64_t samples)
{
    enum { WORTH_THREADS = 4096 };
    return run->node->numel < WORTH_THREADS || samples < 2 ? 1 : run->threads;
}

static bool kernel_ctc_alpha(const rg__run *run)
{
    const rg__array_view *emit = &run->in[0], *skip = &run->in[1];
    const int64_t samples = emit->dims[0], steps = emit->dims[1], states = emit->dims[2];
    const int threads = threads_for(run, samples);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t i = 0; i < samples; i++)
        alphas(grid_of(emit, i), (const bool *)skip->data + i * skip->strides[0], skip->strides[1], steps, states,
               (double *)run->out.data + i * steps * states);
    return true;
}

struct ctc_chain {
    int64_t backwards;
};
static const rg__field fields_ctc_chain[] = {RG__FIELD(struct ctc_chain, backwards, RG__FLAG), {0}};

static void chain_forwards(const grid *w, grid x, int64_t steps, int64_t states, double *out)
{
    for (int64_t t = 0; t < steps; t++)
        for (int64_t s = 0; s < states; s++) {
            double sum = AT(x, t, s);
            for (int64_t k = 0; k < REACH && k <= s && t > 0; k++)
                sum += AT(w[k], t, s) * out[(t - 1) * states + s - k];
            out[t * states + s] = sum;
        }
}

static void chain_backwards(const grid *w, grid x, int64_t steps, int64_t states, double *out)
{
    for (int64_t t = steps - 1; t >= 0; t--)
        for (int64_t s = 0; s < states; s++) {
            double sum = AT(x, t, s);
            for (int64_t k = 0; k < REACH && s + k < states && t + 1 < steps; k++)
                sum += AT(w[k], t + 1, s + k) * out[(t + 1) * states + s + k];
            out[t * states + s] = sum;
        }
}

/* in: w_0, w_1, w_2, x */
static bool kernel_ctc_chain(const rg__run *run)
{
    const struct ctc_chain *a = run->node->attr;
    const int64_t samples = run->out.dims[0], steps = run->out.dims[1], states = run->out.dims[2];
    const int threads = threads_for(run, samples);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t i = 0; i < samples; i++) {
        const grid w[REACH] = {grid_of(&run->in[0], i), grid_of(&run->in[1], i), grid_of(&run->in[2], i)};
        double *out = (double *)run->out.data + i * steps * states;
        (a->backwards ? chain_backwards : chain_forwards)(w, grid_of(&run->in[REACH], i), steps, states, out);
    }
    return true;
}

/* ---- gradients ---- */

/* x[t-1, s-k], and `value` where there is none. */
static rg_tensor earlier(rg_tape *t, rg_tensor x, int64_t k, double value)
{
    if (rg_dim(t, x, 2) <= k || rg_dim(t, x, 1) < 1)
        return rg_full_like(t, x, value);
    return rg_pad(t, x, (int64_t[]){0, 1, k}, (int64_t[]){0, -1, -k}, value);
}

static rg_tensor chain(rg_tape *t, const rg_tensor *w, rg_tensor x, bool backwards)
{
    const rg_tensor in[REACH + 1] = {w[0], w[1], w[2], x};
    const rg_shape s = rg_shape_of(t, x);
    if (rg_failed(t))
        return RG_NIL;
    return rg__record(t, OP(ctc_chain), in, REACH + 1, RG_F64, s.rank, s.dims, &(struct ctc_chain){backwards});
}

/* The shares e^(alpha[t-1, s-k] + emit[t, s] - alpha[t, s]); nothing comes from, or to, where nothing is. */
static void vjp_ctc_alpha(const rg__vjp *v)
{
    rg_tape *t = v->t;
    if (!v->wanted[0])
        return;
    const rg_tensor emit = v->in[0], skip = v->in[1], nowhere = rg__like(t, emit, -INFINITY), zero = rg__like(t, emit, 0);
    rg_tensor w[REACH];
    for (int k = 0; k < REACH; k++) {
        rg_tensor from = earlier(t, v->out, k, -INFINITY);
        if (k == 2)
            from = rg_where(t, rg_unsqueeze(t, skip, 1), from, nowhere);
        const rg_tensor there = rg_logical_and(t, rg_ne(t, from, nowhere), rg_ne(t, v->out, nowhere));
        const rg_tensor share = rg_sub(t, rg_add(t, from, emit), v->out);
        w[k] = rg_where(t, there, rg_exp(t, rg_where(t, there, share, zero)), zero);
    }
    v->grad[0] = chain(t, w, v->g, true);
}

/* y = x + B y: dx = x' with x' = u + B^T x', dB = x' y^T; and the same of the transpose. */
static void vjp_ctc_chain(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const bool backwards = ((const struct ctc_chain *)v->attr)->backwards;
    const rg_tensor other = chain(t, v->in, v->g, !backwards);
    const rg_tensor from = backwards ? other : v->out, to = backwards ? v->out : other;
    for (int k = 0; k < REACH; k++)
        RG__GRAD(v, k, rg_mul(t, earlier(t, from, k, 0), to));
    RG__GRAD(v, REACH, other);
}

/* ---- the targets, read ---- */

typedef struct targets {
    int64_t samples, steps, classes, most; /* most: labels of a target */
    int64_t *state;                        /* [samples, 2 most + 1]: the class of each state           */
    bool *skip;                            /* likewise: may the blank before it be left out?           */
    int64_t *last;                         /* [samples, 2]: where the alphas of the two last states are */
    bool *ends;                            /* likewise: are they there?                                */
    bool *nothing;                         /* [samples]: no input for no target                        */
    double *weight;                        /* [samples]: 1 / length                                    */
    bool any_nothing;
} targets;

static void free_targets(targets *s)
{
    free(s->state);
    free(s->skip);
    free(s->last);
    free(s->ends);
    free(s->nothing);
    free(s->weight);
}

static bool allocate(rg_tape *t, const rg__op *op, targets *s)
{
    const uint64_t states = 2 * (uint64_t)s->most + 1, n = (uint64_t)s->samples;
    s->state = calloc(states * n + 1, sizeof *s->state);
    s->skip = calloc(states * n + 1, sizeof *s->skip);
    s->last = calloc(2 * n + 1, sizeof *s->last);
    s->ends = calloc(2 * n + 1, sizeof *s->ends);
    s->nothing = calloc(n + 1, sizeof *s->nothing);
    s->weight = calloc(n + 1, sizeof *s->weight);
    const bool ok = s->state && s->skip && s->last && s->ends && s->nothing && s->weight;
    if (!ok)
        rg__fail(t, op, RG_ERROR_MEMORY, "no memory for %lld targets", (long long)s->samples);
    return ok;
}

/* One target as states. */
static bool write_target(rg_tape *t, const rg__op *op, targets *s, int64_t i, const int64_t *label, int64_t length,
                         int64_t input, int64_t blank)
{
    const int64_t states = 2 * s->most + 1;
    int64_t *state = s->state + i * states;
    for (int64_t k = 0; k < states; k++)
        state[k] = blank;
    for (int64_t k = 0; k < length; k++) {
        if (label[k] < 0 || label[k] >= s->classes || label[k] == blank) {
            rg__fail(t, op, RG_ERROR_VALUE,
                     "label %lld of target %lld is %lld: a class of 0 to %lld that is not the blank, "
                     "%lld, is needed",
                     (long long)k, (long long)i, (long long)label[k], (long long)s->classes - 1, (long long)blank);
            return false;
        }
        state[2 * k + 1] = label[k];
        s->skip[i * states + 2 * k + 1] = k > 0 && label[k] != label[k - 1];
    }
    const int64_t step = (input > 0 ? input - 1 : 0) * states;
    s->last[2 * i] = step + 2 * length;
    s->last[2 * i + 1] = step + (length > 0 ? 2 * length - 1 : 0);
    s->ends[2 * i] = input > 0;
    s->ends[2 * i + 1] = input > 0 && length > 0;
    s->nothing[i] = input == 0 && length == 0;
    s->any_nothing = s->any_nothing || s->nothing[i];
    s->weight[i] = 1 / (double)(length > 0 ? length : 1);
    return true;
}

/* The values of an integer tensor, of as many as there must be; NULL and an error otherwise. */
static const int64_t *integers(rg_tape *t, const rg__op *op, const char *name, rg_tensor x, rg_shape shape)
{
    const rg__node *n = rg__arg_of(t, op, x, RG__INTEGER);
    if (!n)
        return NULL;
    if (!rg__dims_equal(n->rank, n->dims, shape.rank, shape.dims)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s is %s; it must be %s", name, RG__NODE_TEXT(n),
                 RG__DIMS_TEXT(shape.rank, shape.dims));
        return NULL;
    }
    static const int64_t none = 0;
    const int64_t *values = rg_data_i64(t, rg_contiguous(t, rg_cast(t, x, RG_I64)));
    return values || rg_failed(t) ? values : &none;
}

/* Are the lengths within what there is? */
static bool check_lengths(rg_tape *t, const rg__op *op, const char *name, const int64_t *length, int64_t n,
                          int64_t most, int64_t *sum, int64_t *longest)
{
    *sum = *longest = 0;
    for (int64_t i = 0; i < n; i++) {
        if (length[i] < 0 || length[i] > most - (name[0] == 'c' ? *sum : 0)) {
            rg__fail(t, op, RG_ERROR_VALUE, "%s %lld is %lld; there are %lld", name[0] == 'c' ? "target length" : name,
                     (long long)i, (long long)length[i], (long long)most);
            return false;
        }
        *sum += length[i];
        *longest = length[i] > *longest ? length[i] : *longest;
    }
    return true;
}

static bool read_targets(rg_tape *t, const rg__op *op, rg_tensor target, rg_tensor input_lengths,
                         rg_tensor target_lengths, bool batch, int64_t blank, targets *s)
{
    const rg__node *n = rg__arg_of(t, op, target, RG__INTEGER);
    if (!n)
        return false;
    const bool joined = batch && n->rank == 1;
    if (n->rank != 1 && !(batch && n->rank == 2 && n->dims[0] == s->samples)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "target %s does not fit %lld samples: %s is needed", RG__NODE_TEXT(n),
                 (long long)s->samples, batch ? "[n, most], or all in one vector," : "a vector");
        return false;
    }
    const rg_shape each = {batch, {s->samples}};
    const int64_t width = n->dims[n->rank - 1];
    const int64_t *label = integers(t, op, "target", target, rg_shape_of(t, target));
    const int64_t *input = label ? integers(t, op, "input_lengths", input_lengths, each) : NULL;
    const int64_t *length = input ? integers(t, op, "target_lengths", target_lengths, each) : NULL;
    int64_t sum, longest;
    if (!length || !check_lengths(t, op, "input length", input, s->samples, s->steps, &sum, &longest) ||
        !check_lengths(t, op, joined ? "concatenated" : "target length", length, s->samples, width, &sum, &longest))
        return false;
    s->most = joined ? longest : width;
    if (!allocate(t, op, s))
        return false;
    for (int64_t i = 0; i < s->samples; i++) {
        if (!write_target(t, op, s, i, label, length[i], input[i], blank))
            return false;
        label += joined ? length[i] : width;
    }
    return true;
}

/* ---- the loss ---- */

/* The loss of each sample, f64 [samples], of log_prob [steps, samples, classes]. */
static rg_tensor losses(rg_tape *t, rg_tensor log_prob, const targets *s, bool zero_infinity)
{
    const int64_t n = s->samples, states = 2 * s->most + 1;
    const rg_tensor state = rg_input_i64(t, RG_SHAPE(n, 1, states), s->state);
    const rg_tensor skip = rg_input_bool(t, RG_SHAPE(n, states), s->skip);
    const rg_tensor last = rg_input_i64(t, RG_SHAPE(n, 2), s->last), ends = rg_input_bool(t, RG_SHAPE(n, 2), s->ends);
    const rg_tensor x = rg_cast(t, rg_transpose(t, log_prob, 0, 1), RG_F64);
    const rg_tensor emit = rg_gather(t, x, 2, rg_expand(t, state, RG_SHAPE(n, s->steps, states)));
    if (rg_failed(t))
        return RG_NIL;
    const int64_t dims[3] = {n, s->steps, states};
    const rg_tensor alpha = rg__record(t, OP(ctc_alpha), (rg_tensor[]){emit, skip}, 2, RG_F64, 3, dims, NULL);
    const rg_tensor nowhere = rg_constant(t, RG_F64, -INFINITY), zero = rg_constant(t, RG_F64, 0);
    rg_tensor found = rg_gather(t, rg_reshape(t, alpha, RG_SHAPE(n, s->steps * states)), 1, last);
    found = rg_where(t, ends, found, nowhere);
    const rg_tensor impossible = rg_all(t, rg_eq(t, found, nowhere), RG_AXES(1), true);
    const rg_tensor safe = rg_where(t, impossible, zero, found), none = rg_reshape(t, impossible, RG_SHAPE(n));
    rg_tensor loss = rg_neg(t, rg_logsumexp(t, safe, RG_AXES(1), false));
    loss = rg_where(t, none, rg_constant(t, RG_F64, zero_infinity ? 0 : INFINITY), loss);
    return s->any_nothing ? rg_where(t, rg_input_bool(t, RG_SHAPE(n), s->nothing), zero, loss) : loss;
}

rg_tensor rg_ctc_loss(rg_tape *t, rg_tensor log_prob, rg_tensor target, rg_tensor input_lengths,
                      rg_tensor target_lengths, const rg_ctc_config *config)
{
    const rg__op *op = OP(ctc_loss);
    const rg_ctc_config c = config ? *config : (rg_ctc_config){0};
    const rg__node *n = rg__arg_of(t, op, log_prob, RG__FLOATS);
    if (!n)
        return RG_NIL;
    const bool batch = n->rank == 3;
    if ((n->rank != 2 && !batch) || n->dims[0] < 1 || n->dims[n->rank - 1] < 1) {
        rg__fail(t, op, RG_ERROR_SHAPE, "log_prob %s: [steps, n, classes] or [steps, classes] is needed",
                 RG__NODE_TEXT(n));
        return RG_NIL;
    }
    targets s = {.samples = batch ? n->dims[1] : 1, .steps = n->dims[0], .classes = n->dims[n->rank - 1]};
    if (c.blank < 0 || c.blank >= s.classes || (unsigned)c.reduction > RG_NONE) {
        rg__fail(t, op, RG_ERROR_ARGUMENT,
                 "blank is %lld and reduction %d: one of %lld classes, and RG_MEAN, RG_SUM or "
                 "RG_NONE, are needed",
                 (long long)c.blank, (int)c.reduction, (long long)s.classes);
        return RG_NIL;
    }
    rg_tensor loss = RG_NIL;
    if (read_targets(t, op, target, input_lengths, target_lengths, batch, c.blank, &s)) {
        loss = losses(t, batch ? log_prob : rg_unsqueeze(t, log_prob, 1), &s, c.zero_infinity);
        if (c.reduction == RG_MEAN)
            loss = rg_mul(t, loss, rg_input_f64(t, RG_SHAPE(s.samples), s.weight));
    }
    free_targets(&s);
    if (c.reduction == RG_NONE)
        loss = batch ? loss : rg_reshape(t, loss, RG_SCALAR);
    else
        loss = (c.reduction == RG_MEAN ? rg_mean : rg_sum)(t, loss, RG_ALL, false);
    return rg_cast(t, loss, (rg_dtype)n->dtype);
}

/* ---- by name ---- */

#define CONFIG &((rg_ctc_config){RG__INT_OF(blank), (rg_reduction)RG__WORD_OF(reduction), RG__FLAG_OF(zero_infinity)})
RG__CALL(ctc_loss, rg_ctc_loss(t, in[0], in[1], in[2], in[3], CONFIG))

/* ---- samples ---- */

static rg_tensor sample_ctc_loss(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    static const int64_t label[] = {1, 2, 1, 3, 3, 0}, joined[] = {1, 2, 1, 3, 3}, inputs[] = {5, 4}, lengths[] = {3, 2};
    static const rg_ctc_config configs[] = {{.reduction = RG_NONE}, {0}, {.reduction = RG_SUM}};
    const rg_tensor input = index < 3 ? rg_input_i64(t, RG_SHAPE(2), inputs) : rg_input_i64(t, RG_SCALAR, inputs);
    const rg_tensor length = index < 3 ? rg_input_i64(t, RG_SHAPE(2), lengths) : rg_input_i64(t, RG_SCALAR, lengths);
    rg_tensor x;
    switch (index) {
    case 0:
    case 1:
        x = rg_log_softmax(t, RG__DRAW(draw, RG_SHAPE(5, 2, 4), RG__REAL), -1);
        return rg_ctc_loss(t, x, rg_input_i64(t, RG_SHAPE(2, 3), label), input, length, &configs[index]);
    case 2: /* not normalised, and strided */
        x = rg_transpose(t, RG__DRAW(draw, RG_SHAPE(2, 5, 4), RG__REAL), 0, 1);
        return rg_ctc_loss(t, x, rg_input_i64(t, RG_SHAPE(5), joined), input, length, &configs[index]);
    case 3:
        return rg_ctc_loss(t, RG__DRAW(draw, RG_SHAPE(5, 4), RG__REAL), rg_input_i64(t, RG_SHAPE(3), label), input,
                           length, NULL);
    default: return RG_NIL;
    }
}

static rg_tensor sample_ctc_alpha(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    static const bool skip[] = {false, false, false, true, false, false, false, false, false, false};
    if (index > 0)
        return RG_NIL;
    const int64_t dims[3] = {2, 4, 5};
    const rg_tensor in[2] = {RG__DRAW(draw, RG_SHAPE(2, 4, 5), RG__REAL), rg_input_bool(t, RG_SHAPE(2, 5), skip)};
    const rg_tensor emit = rg_cast(t, in[0], RG_F64);
    const rg_tensor y = rg__record(t, OP(ctc_alpha), (rg_tensor[]){emit, in[1]}, 2, RG_F64, 3, dims, NULL);
    return rg_slice(t, y, 1, 3, RG_END, 1); /* every state can be reached by then */
}

static rg_tensor sample_ctc_chain(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    if (index > 1)
        return RG_NIL;
    rg_tensor x[REACH + 1];
    for (int i = 0; i <= REACH; i++)
        x[i] = rg_cast(t, RG__DRAW(draw, RG_SHAPE(2, 3, 4), RG__REAL), RG_F64);
    return chain(t, x, x[REACH], index);
}

RG__FAMILY(ctc, ROWS(RG__ROW))
