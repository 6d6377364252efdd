/* Cases that update parameters: whole training steps of two networks, and Adam alone. */
#include "cases.h"
#include <retrograd/retrograd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LAYERS = 4, BATCHES = 16, LABEL_SETS = 61, ADAM_PARAMETERS = 10, ADAM_NUMEL = 1000000 };

/* Layers of widths[0] -> widths[1] -> ..., relu between them, cross entropy at the end. */
typedef struct network {
    const char *name, *about;
    int layers;
    int64_t widths[MAX_LAYERS + 1];
    int64_t batch;
    rg_optim *(*optim)(rg_params *ps);
} network;

/* The learning rates are a thousandth of the usual: a step costs the same, and the parameters stay where they began, so
 * that units neither die nor learn the few batches by heart, either of which would make gradients of zero. */
static rg_optim *slow_sgd(rg_params *ps)
{
    return rg_sgd_new(ps, &(rg_sgd_config){.lr = 0.1 * 1e-3});
}

static rg_optim *slow_adam(rg_params *ps)
{
    return rg_adam_new(ps, &(rg_adam_config){.lr = 1e-3 * 1e-3});
}

// clang-format off
static const network networks[] = {
    {"d1", "training step, 784-128-10, batch 64, SGD",       2, {784, 128, 10},      64,  slow_sgd},
    {"d2", "training step, 784-512-512-10, batch 128, Adam", 3, {784, 512, 512, 10}, 128, slow_adam},
};
static const network tiny = {"", "", 2, {8, 8, 4}, 4, slow_adam};
// clang-format on

void list_training(void)
{
    printf("adam-10M\tAdam over 10 parameters of a million elements\n");
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        printf("%s\t%s\n", networks[i].name, networks[i].about);
}

typedef struct training {
    rg_tape *tape;
    rg_params *params;
    rg_optim *optim;
    int64_t steps;
    /* of a network */
    network net;
    rg_linear layers[MAX_LAYERS];
    float *x;
    int64_t *y;
    /* of Adam alone */
    rg_param *alone[ADAM_PARAMETERS];
    float *gradients;
} training;

static const char *error(const void *opaque)
{
    const training *s = opaque;
    const char *store = rg_params_error(s->params);
    return *store ? store : rg_tape_error(s->tape);
}

static void close_training(void *opaque)
{
    training *s = opaque;
    rg_optim_free(s->optim);
    rg_tape_free(s->tape);
    rg_params_free(s->params);
    free(s->x), free(s->y), free(s->gradients);
    free(s);
}

static training *training_new(int threads)
{
    training *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->tape = rg_tape_new(&(rg_tape_config){.threads = threads, .seed = 1});
    s->params = rg_params_new(1);
    return s;
}

/* ---- a network ----------------------------------------------------------------------------------------------------- */

static void network_step(void *opaque)
{
    training *s = opaque;
    rg_tape *t = s->tape;
    const int64_t batch = s->net.batch, in = s->net.widths[0], at = s->steps++;
    rg_tape_reset(t);
    rg_tensor h = rg_borrow(t, RG_F32, RG_SHAPE(batch, in), NULL, s->x + at % BATCHES * batch * in);
    rg_tensor y = rg_borrow(t, RG_I64, RG_SHAPE(batch), NULL, s->y + at % LABEL_SETS * batch);
    for (int i = 0; i < s->net.layers; i++) {
        h = rg_linear_forward(t, &s->layers[i], h);
        if (i + 1 < s->net.layers)
            h = rg_relu(t, h);
    }
    rg_tensor loss = rg_keep(t, rg_cross_entropy(t, h, y, NULL));
    rg_backward(t, loss);
    rg_optim_step(s->optim, t);
    rg_tape_run(t);
}

/* Forward, and both gradients of each product but that of the input. */
static double network_flops(const network *net)
{
    double sum = 0;
    for (int i = 0; i < net->layers; i++)
        sum += (i == 0 ? 4.0 : 6.0) * (double)(net->batch * net->widths[i] * net->widths[i + 1]);
    return sum;
}

static bool open_network(const network *net, int threads, subject *out)
{
    static const char *const names[MAX_LAYERS] = {"l1", "l2", "l3", "l4"};
    const size_t images = (size_t)(BATCHES * net->batch * net->widths[0]), labels = (size_t)(LABEL_SETS * net->batch);
    training *s = training_new(threads);
    if (!s)
        return false;
    s->net = *net;
    for (int i = 0; i < net->layers; i++)
        s->layers[i] = rg_linear_new(s->params, names[i], net->widths[i], net->widths[i + 1]);
    s->optim = net->optim(s->params);
    s->x = aligned_zeros(images * sizeof *s->x);
    s->y = aligned_zeros(labels * sizeof *s->y);
    if (!s->tape || !s->optim || !s->x || !s->y) {
        close_training(s);
        return false;
    }
    rg_rng rng = rg_rng_new(2, 0);
    rg_rng_uniform_f32(&rng, s->x, images, 0, 1);
    rg_rng_integers(&rng, s->y, labels, 0, net->widths[net->layers]);
    *out = (subject){s, network_step, error, close_training, .per = 1, .flops = network_flops(net)};
    return true;
}

/* ---- Adam alone ---------------------------------------------------------------------------------------------------- */

/* The gradients are there already; the step clears them on the tape, so they are set each time. */
static void adam_step(void *opaque)
{
    training *s = opaque;
    rg_tape *t = s->tape;
    rg_tape_reset(t);
    for (int i = 0; i < ADAM_PARAMETERS; i++) {
        const float *gradient = s->gradients + (size_t)i * ADAM_NUMEL;
        rg_param_set_grad(t, s->alone[i], rg_borrow(t, RG_F32, RG_SHAPE(ADAM_NUMEL), NULL, gradient));
    }
    rg_optim_step(s->optim, t);
    rg_tape_run(t);
}

static bool open_adam(int threads, subject *out)
{
    const size_t all = (size_t)ADAM_PARAMETERS * ADAM_NUMEL;
    training *s = training_new(threads);
    if (!s)
        return false;
    for (int i = 0; i < ADAM_PARAMETERS; i++) {
        const char name[] = {'p', (char)('0' + i), '\0'};
        s->alone[i] = rg_param_new(s->params, name, RG_F32, RG_SHAPE(ADAM_NUMEL), NULL);
        rg_init_normal(s->alone[i], 0, 1);
    }
    s->optim = rg_adam_new(s->params, NULL);
    s->gradients = aligned_zeros(all * sizeof *s->gradients);
    if (!s->tape || !s->optim || !s->gradients) {
        close_training(s);
        return false;
    }
    rg_rng rng = rg_rng_new(3, 0);
    rg_rng_normal_f32(&rng, s->gradients, all, 0, 0.01f);
    /* Parameter and both moments are read and written, the gradient is read. */
    *out = (subject){s, adam_step, error, close_training, .per = 1, .bytes = 7 * 4 * (double)all};
    return true;
}

/* ---- opening ------------------------------------------------------------------------------------------------------- */

bool open_training(const char *name, int threads, subject *s)
{
    if (strcmp(name, "adam-10M") == 0)
        return open_adam(threads, s);
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        if (strcmp(networks[i].name, name) == 0)
            return open_network(&networks[i], threads, s);
    return false;
}

void warm_up(int threads)
{
    subject s;
    if (!open_network(&tiny, threads, &s))
        return;
    s.step(s.state);
    s.step(s.state);
    s.close(s.state);
}
