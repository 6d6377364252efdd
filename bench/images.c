/* Training steps of networks over images: a deep convolutional network and ResNet-18, as peers_torch.py defines them. */
#include "cases.h"
#include <retrograd/retrograd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 10, LABEL_SETS = 61, MOST_BATCHES = 16, CONVOLUTIONS = 6, STAGES = 8 };

/* A convolution without bias, and its batch norm. */
typedef struct normed {
    rg_conv_layer conv;
    rg_batch_norm_layer norm;
} normed;

typedef struct residual {
    normed first, second, shortcut;
    bool projects; /* else the shortcut is x itself */
} residual;

typedef struct images {
    rg_tape *tape;
    rg_params *params;
    rg_optim *optim;
    int64_t steps, batches, batch;
    rg_shape shape;
    float *x;
    int64_t *y;
    rg_tensor (*forward)(struct images *s, rg_tensor x);
    /* the deep network */
    rg_conv_layer conv[CONVOLUTIONS];
    rg_linear hidden;
    /* ResNet */
    normed stem;
    residual stage[STAGES];
    rg_linear out;
} images;

/* ---- the deep network: Deep Learning from Scratch, chapter 8 ------------------------------------------------------- */

static void deep_new(images *s)
{
    static const int64_t channels[CONVOLUTIONS + 1] = {1, 16, 16, 32, 32, 64, 64};
    for (int i = 0; i < CONVOLUTIONS; i++) {
        const char name[] = {'c', (char)('0' + i), '\0'};
        s->conv[i] = rg_conv_layer_new(s->params, name, channels[i], channels[i + 1], RG_SHAPE(3, 3),
                                       &(rg_conv_layer_config){.padding = RG_SHAPE(i == 3 ? 2 : 1)});
        rg_init_he_normal(s->conv[i].weight, rg_gain(RG_RELU));
        rg_init_constant(s->conv[i].bias, 0);
    }
    s->hidden = rg_linear_new(s->params, "hidden", 1024, 50);
    s->out = rg_linear_new(s->params, "out", 50, CLASSES);
    s->optim = rg_adam_new(s->params, &(rg_adam_config){.lr = 1e-6});
}

static rg_tensor deep_forward(images *s, rg_tensor x)
{
    rg_tape *t = s->tape;
    for (int i = 0; i < CONVOLUTIONS; i++) {
        x = rg_relu(t, rg_conv_layer_forward(t, &s->conv[i], x));
        if (i % 2)
            x = rg_max_pool2d(t, x, RG_SHAPE(2), NULL);
    }
    x = rg_relu(t, rg_linear_forward(t, &s->hidden, rg_reshape(t, x, RG_SHAPE(s->batch, -1))));
    x = rg_linear_forward(t, &s->out, rg_dropout(t, x, 0.5, true));
    return rg_dropout(t, x, 0.5, true);
}

/* ---- ResNet-18 for 32 x 32: He et al., CVPR 2016 -------------------------------------------------------------------- */

static normed normed_new(rg_params *ps, const char *name, int64_t in, int64_t out, int64_t kernel, int64_t stride)
{
    const rg_conv_layer_config config = {.stride = RG_SHAPE(stride), .padding = RG_SHAPE(kernel / 2), .no_bias = true};
    rg_params_scope_push(ps, name);
    const normed n = {rg_conv_layer_new(ps, "conv", in, out, RG_SHAPE(kernel, kernel), &config),
                      rg_batch_norm_layer_new(ps, "norm", out, NULL)};
    rg_params_scope_pop(ps);
    return n;
}

static rg_tensor normed_forward(rg_tape *t, const normed *n, rg_tensor x)
{
    return rg_batch_norm_layer_forward(t, &n->norm, rg_conv_layer_forward(t, &n->conv, x));
}

static void resnet_new(images *s)
{
    rg_params *ps = s->params;
    int64_t in = 64;
    s->stem = normed_new(ps, "stem", 3, in, 3, 1);
    for (int i = 0; i < STAGES; i++) {
        const char name[] = {'s', (char)('0' + i), '\0'};
        const int64_t out = INT64_C(64) << (i / 2), stride = i > 0 && i % 2 == 0 ? 2 : 1;
        residual *r = &s->stage[i];
        rg_params_scope_push(ps, name);
        r->first = normed_new(ps, "first", in, out, 3, stride);
        r->second = normed_new(ps, "second", out, out, 3, 1);
        r->projects = stride > 1;
        if (r->projects)
            r->shortcut = normed_new(ps, "shortcut", in, out, 1, stride);
        rg_params_scope_pop(ps);
        in = out;
    }
    s->out = rg_linear_new(ps, "out", in, CLASSES);
    s->optim = rg_sgd_new(ps, &(rg_sgd_config){.lr = 1e-4, .momentum = 0.9, .weight_decay = 5e-4});
}

static rg_tensor resnet_forward(images *s, rg_tensor x)
{
    rg_tape *t = s->tape;
    x = rg_relu(t, normed_forward(t, &s->stem, x));
    for (int i = 0; i < STAGES; i++) {
        const residual *r = &s->stage[i];
        const rg_tensor y = normed_forward(t, &r->second, rg_relu(t, normed_forward(t, &r->first, x)));
        x = rg_relu(t, rg_add(t, y, r->projects ? normed_forward(t, &r->shortcut, x) : x));
    }
    return rg_linear_forward(t, &s->out, rg_mean(t, x, RG_AXES(2, 3), false));
}

/* ---- a step ---------------------------------------------------------------------------------------------------------- */

static void step(void *opaque)
{
    images *s = opaque;
    rg_tape *t = s->tape;
    const int64_t at = s->steps++, size = rg_shape_numel(s->shape);
    rg_tape_reset(t);
    rg_tensor x = rg_borrow(t, RG_F32, s->shape, NULL, s->x + at % s->batches * size);
    rg_tensor y = rg_borrow(t, RG_I64, RG_SHAPE(s->batch), NULL, s->y + at % LABEL_SETS * s->batch);
    rg_tensor loss = rg_keep(t, rg_cross_entropy(t, s->forward(s, x), y, NULL));
    rg_backward(t, loss);
    rg_optim_step(s->optim, t);
    rg_tape_run(t);
}

static const char *error(const void *opaque)
{
    const images *s = opaque;
    const char *store = rg_params_error(s->params);
    return *store ? store : rg_tape_error(s->tape);
}

static void close_images(void *opaque)
{
    images *s = opaque;
    rg_optim_free(s->optim);
    rg_tape_free(s->tape);
    rg_params_free(s->params);
    free(s->x), free(s->y);
    free(s);
}

bool open_images(const char *name, int threads, subject *out)
{
    const bool deep = strcmp(name, "d3") == 0;
    images *s = deep || strcmp(name, "d4") == 0 ? calloc(1, sizeof *s) : NULL;
    if (!s)
        return false;
    s->tape = rg_tape_new(&(rg_tape_config){.threads = threads, .seed = 1});
    s->params = rg_params_new(1);
    s->shape = deep ? RG_SHAPE(100, 1, 28, 28) : RG_SHAPE(64, 3, 32, 32);
    s->batch = s->shape.dims[0];
    s->batches = deep ? MOST_BATCHES : 4;
    s->forward = deep ? deep_forward : resnet_forward;
    (deep ? deep_new : resnet_new)(s);
    const size_t pixels = (size_t)(s->batches * rg_shape_numel(s->shape)), labels = (size_t)(LABEL_SETS * s->batch);
    s->x = aligned_zeros(pixels * sizeof *s->x);
    s->y = aligned_zeros(labels * sizeof *s->y);
    if (!s->tape || !s->params || !s->optim || !s->x || !s->y) {
        close_images(s);
        return false;
    }
    rg_rng rng = rg_rng_new(2, 0);
    rg_rng_uniform_f32(&rng, s->x, pixels, 0, 1);
    rg_rng_integers(&rng, s->y, labels, 0, CLASSES);
    *out = (subject){s, step, error, close_images, .per = 1};
    return true;
}

void list_images(void)
{
    printf("d3\ttraining step, deep convolutional network of Fashion-MNIST, batch 100, Adam\n");
    printf("d4\ttraining step, ResNet-18 for 32 x 32, batch 64, SGD\n");
}
