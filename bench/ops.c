/* Cases of one function: forward only, or forward and backward from a ready-made cotangent. Both start from tensors
 * that are there already and leave the result, and the gradients, as tensors. */
#include "cases.h"
#include "product.h"
#include <retrograd/retrograd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INPUTS = 5, CHAIN = 1000, CLASSES = 1000, WORDS = 50000 };

/* Normally distributed f32, or i64 below a number. */
typedef struct input {
    rg_dtype dtype;
    rg_shape shape;
    int64_t below;
} input;

typedef struct op_case {
    const char *name, *about;
    rg_tensor (*record)(rg_tape *t, const rg_tensor *x);
    rg_mode mode; /* RG_INFERENCE: forward only, nothing kept for gradients */
    int wanted;   /* the first so many inputs get gradients                 */
    int per;      /* ops in the chain; 0: one                               */
    int count;    /* of inputs                                              */
    input inputs[MAX_INPUTS];
} op_case;

/* ---- what is recorded ---------------------------------------------------------------------------------------------- */

static rg_tensor add(rg_tape *t, const rg_tensor *x)
{
    return rg_add(t, x[0], x[1]);
}

static rg_tensor add_chain(rg_tape *t, const rg_tensor *x)
{
    rg_tensor y = x[0];
    for (int i = 0; i < CHAIN; i++)
        y = rg_add(t, y, x[1]);
    return y;
}

/* x sigmoid(x) + tanh(x)/2 */
static rg_tensor composite(rg_tape *t, const rg_tensor *x)
{
    rg_tensor swish = rg_mul(t, x[0], rg_sigmoid(t, x[0]));
    return rg_add(t, swish, rg_mul_scalar(t, rg_tanh(t, x[0]), 0.5));
}

static rg_tensor softmax(rg_tape *t, const rg_tensor *x)
{
    return rg_softmax(t, x[0], 1);
}

static rg_tensor cross_entropy(rg_tape *t, const rg_tensor *x)
{
    return rg_cross_entropy(t, x[0], x[1], NULL);
}

static rg_tensor normalise(rg_tape *t, const rg_tensor *x)
{
    rg_tensor centred = rg_sub(t, x[0], rg_mean(t, x[0], RG_AXES(-1), true));
    rg_tensor variance = rg_mean(t, rg_square(t, centred), RG_AXES(-1), true);
    return rg_mul(t, centred, rg_rsqrt(t, rg_add_scalar(t, variance, 1e-5)));
}

static rg_tensor layer_norm(rg_tape *t, const rg_tensor *x)
{
    return rg_add(t, rg_mul(t, normalise(t, x), x[1]), x[2]);
}

static rg_tensor gelu(rg_tape *t, const rg_tensor *x)
{
    return rg_gelu(t, x[0]);
}

static rg_tensor relu(rg_tape *t, const rg_tensor *x)
{
    return rg_relu(t, x[0]);
}

static rg_tensor dropout(rg_tape *t, const rg_tensor *x)
{
    return rg_dropout(t, x[0], 0.5, true);
}

static rg_tensor exponential(rg_tape *t, const rg_tensor *x)
{
    return rg_exp(t, x[0]);
}

static rg_tensor sum_columns(rg_tape *t, const rg_tensor *x)
{
    return rg_sum(t, x[0], RG_AXES(0), false);
}

static rg_tensor sum_rows(rg_tape *t, const rg_tensor *x)
{
    return rg_sum(t, x[0], RG_AXES(1), false);
}

static rg_tensor sum_all(rg_tape *t, const rg_tensor *x)
{
    return rg_sum(t, x[0], RG_ALL, false);
}

static rg_tensor transpose_copy(rg_tape *t, const rg_tensor *x)
{
    return rg_contiguous(t, rg_transpose(t, x[0], 0, 1));
}

/* What is row-major already is not copied, so the rows come from a slightly wider matrix. */
static rg_tensor copy(rg_tape *t, const rg_tensor *x)
{
    return rg_contiguous(t, rg_slice(t, x[0], 1, 0, 4096, 1));
}

static rg_tensor product_nn(rg_tape *t, const rg_tensor *x)
{
    return rg_matmul(t, x[0], x[1]);
}

static rg_tensor product_tn(rg_tape *t, const rg_tensor *x)
{
    return rg_matmul(t, rg_transpose(t, x[0], 0, 1), x[1]);
}

static rg_tensor product_nt(rg_tape *t, const rg_tensor *x)
{
    return rg_matmul(t, x[0], rg_transpose(t, x[1], 0, 1));
}

static rg_tensor product_tt(rg_tape *t, const rg_tensor *x)
{
    return rg_matmul(t, rg_transpose(t, x[0], 0, 1), rg_transpose(t, x[1], 0, 1));
}

static rg_tensor conv3(rg_tape *t, const rg_tensor *x)
{
    return rg_conv2d(t, x[0], x[1], x[2], &(rg_conv_config){.padding = RG_SHAPE(1)});
}

static rg_tensor conv5(rg_tape *t, const rg_tensor *x)
{
    return rg_conv2d(t, x[0], x[1], x[2], NULL);
}

static rg_tensor depthwise(rg_tape *t, const rg_tensor *x)
{
    return rg_conv2d(t, x[0], x[1], x[2], &(rg_conv_config){.padding = RG_SHAPE(1), .groups = rg_dim(t, x[0], 1)});
}

static rg_tensor max_pool(rg_tape *t, const rg_tensor *x)
{
    return rg_max_pool2d(t, x[0], RG_SHAPE(2), NULL);
}

/* With running statistics, which are kept up to date. */
static rg_tensor batch_norm(rg_tape *t, const rg_tensor *x)
{
    rg_running running = {x[3], x[4]};
    const rg_tensor y = rg_batch_norm(t, x[0], &running, x[1], x[2], true, 0.1, 1e-5);
    rg_keep(t, running.mean);
    rg_keep(t, running.var);
    return y;
}

static rg_tensor embedding(rg_tape *t, const rg_tensor *x)
{
    return rg_embedding(t, x[1], x[0], NULL);
}

static rg_tensor attention(rg_tape *t, const rg_tensor *x)
{
    return rg_scaled_dot_product_attention(t, x[0], x[1], x[2], RG_NIL, &(rg_attention_config){.causal = true});
}

static rg_tensor gather(rg_tape *t, const rg_tensor *x)
{
    return rg_gather(t, x[0], 1, x[1]);
}

static rg_tensor scatter_add(rg_tape *t, const rg_tensor *x)
{
    return rg_scatter_add(t, x[0], 1, x[2], x[1]);
}

static rg_tensor cumsum(rg_tape *t, const rg_tensor *x)
{
    return rg_cumsum(t, x[0], 1);
}

static rg_tensor sort(rg_tape *t, const rg_tensor *x)
{
    return rg_sort(t, x[0], 1, false, NULL);
}

/* ---- the table ----------------------------------------------------------------------------------------------------- */

// clang-format off
#define NUMBER       {RG_F32, {0, {0}}, 0}
#define VECTOR(n)    {RG_F32, {1, {n}}, 0}
#define MATRIX(m, n) {RG_F32, {2, {m, n}}, 0}
#define LABELS(n)    {RG_I64, {1, {n}}, CLASSES}
#define INDEX(limit, m, n) {RG_I64, {2, {m, n}}, limit}
#define IMAGES(n, c, h, w) {RG_F32, {4, {n, c, h, w}}, 0}

static const op_case cases[] = {
    {"oh-add-scalar-fwd", "one of 1000 adds in a chain, scalars",       add_chain, RG_GRAD, 0, CHAIN, 2, {NUMBER, NUMBER}},
    {"oh-add-scalar-fb",  "the same, forward and backward",             add_chain, RG_GRAD, 2, CHAIN, 2, {NUMBER, NUMBER}},
    {"oh-add-16-fwd",     "one of 1000 adds in a chain, 16 elements",   add_chain, RG_GRAD, 0, CHAIN, 2, {VECTOR(16), VECTOR(16)}},
    {"oh-add-16-fb",      "the same, forward and backward",             add_chain, RG_GRAD, 2, CHAIN, 2, {VECTOR(16), VECTOR(16)}},
    {"composite-fwd",     "x sigmoid(x) + tanh(x)/2, [4096, 3072]",     composite, RG_INFERENCE, 0, 0, 1, {MATRIX(4096, 3072)}},
    {"composite",         "the same, forward and backward",             composite, RG_GRAD, 1, 0, 1, {MATRIX(4096, 3072)}},
    {"softmax-fwd",       "softmax, [4096, 1000]",                      softmax, RG_INFERENCE, 0, 0, 1, {MATRIX(4096, CLASSES)}},
    {"softmax",           "the same, forward and backward",             softmax, RG_GRAD, 1, 0, 1, {MATRIX(4096, CLASSES)}},
    {"cross_entropy",     "log-softmax and nll, [4096, 1000], forward and backward", cross_entropy, RG_GRAD, 1, 0, 2,
                          {MATRIX(4096, CLASSES), LABELS(4096)}},
    {"layer_norm-fwd",    "layer norm without weights, [4096, 768]",    normalise, RG_INFERENCE, 0, 0, 1, {MATRIX(4096, 768)}},
    {"layer_norm",        "layer norm, [4096, 768], forward and backward", layer_norm, RG_GRAD, 3, 0, 3,
                          {MATRIX(4096, 768), VECTOR(768), VECTOR(768)}},
    {"gelu-fwd",          "gelu, [4096, 3072]",                         gelu, RG_INFERENCE, 0, 0, 1, {MATRIX(4096, 3072)}},
    {"gelu",              "the same, forward and backward",             gelu, RG_GRAD, 1, 0, 1, {MATRIX(4096, 3072)}},
    {"relu",              "relu, [4096, 3072], forward and backward",   relu, RG_GRAD, 1, 0, 1, {MATRIX(4096, 3072)}},
    {"dropout",           "dropout 0.5, [4096, 3072], forward and backward", dropout, RG_GRAD, 1, 0, 1, {MATRIX(4096, 3072)}},
    {"exp-fwd",           "exp, [4096, 3072]",                          exponential, RG_INFERENCE, 0, 0, 1, {MATRIX(4096, 3072)}},
    {"add-fwd",           "a + b, [4096, 3072]",                        add, RG_INFERENCE, 0, 0, 2,
                          {MATRIX(4096, 3072), MATRIX(4096, 3072)}},
    {"sum0",              "sum over axis 0, [4096, 4096]",              sum_columns, RG_INFERENCE, 0, 0, 1, {MATRIX(4096, 4096)}},
    {"sum1",              "sum over axis 1, [4096, 4096]",              sum_rows, RG_INFERENCE, 0, 0, 1, {MATRIX(4096, 4096)}},
    {"sum-all",           "sum of all, [4096, 4096]",                   sum_all, RG_INFERENCE, 0, 0, 1, {MATRIX(4096, 4096)}},
    {"transpose-copy",    "the transpose made row-major, [4096, 4096]", transpose_copy, RG_INFERENCE, 0, 0, 1, {MATRIX(4096, 4096)}},
    {"conv-64x64x32x32-64-3-fwd",   "convolution of [64, 64, 32, 32], 64 filters of 3 x 3", conv3, RG_INFERENCE, 0, 0, 3,
                          {IMAGES(64, 64, 32, 32), IMAGES(64, 64, 3, 3), VECTOR(64)}},
    {"conv-64x64x32x32-64-3",       "the same, forward and backward", conv3, RG_GRAD, 3, 0, 3,
                          {IMAGES(64, 64, 32, 32), IMAGES(64, 64, 3, 3), VECTOR(64)}},
    {"conv-32x128x28x28-128-3",     "convolution of [32, 128, 28, 28], 128 filters of 3 x 3, forward and backward", conv3, RG_GRAD, 3, 0, 3,
                          {IMAGES(32, 128, 28, 28), IMAGES(128, 128, 3, 3), VECTOR(128)}},
    {"conv-100x1x28x28-16-5",       "convolution of [100, 1, 28, 28], 16 filters of 5 x 5, forward and backward", conv5, RG_GRAD, 3, 0, 3,
                          {IMAGES(100, 1, 28, 28), IMAGES(16, 1, 5, 5), VECTOR(16)}},
    {"conv-32x128x28x28-depthwise", "convolution of [32, 128, 28, 28], one filter of 3 x 3 a channel, forward and backward", depthwise,
                          RG_GRAD, 3, 0, 3, {IMAGES(32, 128, 28, 28), IMAGES(128, 1, 3, 3), VECTOR(128)}},
    {"max_pool2d",        "maxima of 2 x 2, [64, 64, 32, 32], forward and backward", max_pool, RG_GRAD, 1, 0, 1, {IMAGES(64, 64, 32, 32)}},
    {"batch_norm2d",      "batch norm in training, [64, 64, 32, 32], forward and backward", batch_norm, RG_GRAD, 3, 0, 5,
                          {IMAGES(64, 64, 32, 32), VECTOR(64), VECTOR(64), VECTOR(64), VECTOR(64)}},
    {"embedding",         "8192 rows of [50000, 512], forward and backward", embedding, RG_GRAD, 1, 0, 2,
                          {MATRIX(WORDS, 512), {RG_I64, {1, {8192}}, WORDS}}},
    {"attention",         "causal attention of 16 x 6 heads, [256, 64], forward and backward", attention, RG_GRAD, 3, 0, 3,
                          {IMAGES(16, 6, 256, 64), IMAGES(16, 6, 256, 64), IMAGES(16, 6, 256, 64)}},
    {"gather",            "[4096, 1024] at [4096, 1024] along axis 1, forward and backward", gather, RG_GRAD, 1, 0, 2,
                          {MATRIX(4096, 1024), INDEX(1024, 4096, 1024)}},
    {"scatter_add",       "[4096, 1024] added to [4096, 1024] along axis 1, forward and backward", scatter_add, RG_GRAD, 2, 0, 3,
                          {MATRIX(4096, 1024), MATRIX(4096, 1024), INDEX(1024, 4096, 1024)}},
    {"cumsum",            "sums up to each element, [4096, 1024], axis 1, forward and backward", cumsum, RG_GRAD, 1, 0, 1, {MATRIX(4096, 1024)}},
    {"sort",              "rows of [1024, 4096], forward and backward", sort, RG_GRAD, 1, 0, 1, {MATRIX(1024, 4096)}},
    {"copy",              "a copy, [4096, 4096]",                       copy, RG_INFERENCE, 0, 0, 1, {MATRIX(4096, 4096 + 16)}},
};

static const char *const products[] = {
    "mm-16", "mm-32", "mm-64", "mm-128", "mm-256", "mm-512", "mm-1024", "mm-2048",
    "mm-NN-64x784x128",   "mm-TN-784x64x128",   "mm-NT-64x128x784",
    "mm-NN-128x768x3072", "mm-TN-768x128x3072", "mm-NT-128x3072x768",
    "mm-NN-256x3072x768", "mm-TN-3072x256x768", "mm-NT-256x768x3072",
};
// clang-format on

void list_ops(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        printf("%s\t%s\n", cases[i].name, cases[i].about);
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        printf("%s\tmatrix product\n", products[i]);
}

static op_case product_case(const char *name, const product *p)
{
    op_case c = {.name = name, .mode = RG_INFERENCE, .count = 2};
    c.inputs[0] = (input){RG_F32, p->transpose_a ? RG_SHAPE(p->inner, p->rows) : RG_SHAPE(p->rows, p->inner), 0};
    c.inputs[1] = (input){RG_F32, p->transpose_b ? RG_SHAPE(p->columns, p->inner) : RG_SHAPE(p->inner, p->columns), 0};
    if (p->transpose_a)
        c.record = p->transpose_b ? product_tt : product_tn;
    else
        c.record = p->transpose_b ? product_nt : product_nn;
    return c;
}

/* ---- a case that runs ---------------------------------------------------------------------------------------------- */

typedef struct op_run {
    op_case c;
    rg_tape *tape;
    void *data[MAX_INPUTS];
    float *cotangent;
} op_run;

static void borrow_inputs(const op_run *r, rg_tensor x[MAX_INPUTS])
{
    for (int i = 0; i < r->c.count; i++)
        x[i] = rg_borrow(r->tape, r->c.inputs[i].dtype, r->c.inputs[i].shape, NULL, r->data[i]);
}

/* A cotangent, or else a loss, whose gradients start from 1. */
static void record_gradients(const op_run *r, rg_tensor y, const rg_tensor *x)
{
    rg_tensor gradients[MAX_INPUTS];
    if (r->cotangent) {
        rg_tensor g = rg_borrow(r->tape, RG_F32, rg_shape_of(r->tape, y), NULL, r->cotangent);
        rg_grad_with(r->tape, y, g, x, r->c.wanted, gradients);
    } else {
        rg_grad(r->tape, y, x, r->c.wanted, gradients);
    }
    for (int i = 0; i < r->c.wanted; i++)
        rg_keep(r->tape, gradients[i]);
}

/* As a training loop uses the tape: forget the last step, record this one, run it. The result is kept along with the
 * gradients, for somebody uses it. */
static void step(void *opaque)
{
    const op_run *r = opaque;
    rg_tensor x[MAX_INPUTS];
    rg_tape_reset(r->tape);
    rg_mode_push(r->tape, r->c.mode);
    borrow_inputs(r, x);
    rg_tensor y = rg_keep(r->tape, r->c.record(r->tape, x));
    if (r->c.wanted > 0)
        record_gradients(r, y, x);
    rg_mode_pop(r->tape);
    rg_tape_run(r->tape);
}

static const char *error(const void *opaque)
{
    const op_run *r = opaque;
    return rg_tape_error(r->tape);
}

static void close_op(void *opaque)
{
    op_run *r = opaque;
    rg_tape_free(r->tape);
    for (int i = 0; i < MAX_INPUTS; i++)
        free(r->data[i]);
    free(r->cotangent);
    free(r);
}

static void *random_data(const input *in, rg_rng *rng)
{
    const size_t count = (size_t)rg_shape_numel(in->shape);
    void *data = aligned_zeros(count * rg_dtype_size(in->dtype));
    if (data && in->dtype == RG_F32)
        rg_rng_normal_f32(rng, data, count, 0, 1);
    else if (data)
        rg_rng_integers(rng, data, count, 0, in->below);
    return data;
}

static double input_bytes(const input *in)
{
    return (double)rg_shape_numel(in->shape) * (double)rg_dtype_size(in->dtype);
}

/* Elements of the result. Recorded only, not run: the first step is yet to come. */
static int64_t result_numel(const op_run *r)
{
    rg_tensor x[MAX_INPUTS];
    rg_mode_push(r->tape, RG_INFERENCE);
    borrow_inputs(r, x);
    const int64_t count = rg_numel(r->tape, r->c.record(r->tape, x));
    rg_mode_pop(r->tape);
    rg_tape_reset(r->tape);
    return count;
}

/* Makes the inputs and the cotangent, and counts the bytes: an input's gradient is as large as the input. */
static bool prepare(op_run *r, double *bytes)
{
    rg_rng rng = rg_rng_new(1, 0);
    for (int i = 0; i < r->c.count; i++) {
        r->data[i] = random_data(&r->c.inputs[i], &rng);
        if (!r->data[i])
            return false;
        *bytes += input_bytes(&r->c.inputs[i]) * (i < r->c.wanted ? 2 : 1);
    }
    const input result = {RG_F32, RG_SHAPE(result_numel(r)), 0};
    const bool loss = result.shape.dims[0] == 1 && r->c.per == 0;
    *bytes += input_bytes(&result);
    if (r->c.wanted == 0 || loss)
        return true;
    r->cotangent = random_data(&result, &rng);
    *bytes += input_bytes(&result);
    return r->cotangent;
}

/* Of a convolution: of its formula, and twice as many for its two gradients. */
static double convolution_flops(const op_run *r)
{
    const bool is = r->c.record == conv3 || r->c.record == conv5 || r->c.record == depthwise;
    const rg_shape *w = &r->c.inputs[1].shape;
    if (!is)
        return 0;
    return 2. * (double)result_numel(r) * (double)(w->dims[1] * w->dims[2] * w->dims[3]) * (r->c.wanted ? 3 : 1);
}

static bool find_case(const char *name, op_case *c, double *flops)
{
    product p;
    *flops = 0;
    if (product_parse(name, &p)) {
        *c = product_case(name, &p);
        *flops = product_flops(&p);
        return true;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(cases[i].name, name) == 0) {
            *c = cases[i];
            return true;
        }
    }
    return false;
}

bool open_op(const char *name, int threads, subject *s)
{
    op_run *r = calloc(1, sizeof *r);
    double flops, bytes = 0;
    if (!r || !find_case(name, &r->c, &flops)) {
        free(r);
        return false;
    }
    r->tape = rg_tape_new(&(rg_tape_config){.threads = threads, .seed = 1});
    if (!r->tape || !prepare(r, &bytes)) {
        close_op(r);
        return false;
    }
    flops += convolution_flops(r);
    *s = (subject){r, step, error, close_op, .per = 1, .flops = flops, .bytes = flops > 0 ? 0 : bytes};
    if (r->c.per > 0) /* what is measured there is not the arithmetic */
        s->per = r->c.per, s->bytes = 0;
    return true;
}
