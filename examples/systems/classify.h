/* What the programs share that tell the clothes of Fashion-MNIST apart by convolutions: the pair that their networks are
 * built of, and training with a line each epoch. */
#ifndef RETROGRAD_SYSTEMS_CLASSIFY_H
#define RETROGRAD_SYSTEMS_CLASSIFY_H

#include "common.h"

#include <math.h>

/* ---- what is asked of a variant ------------------------------------------------------------------------------------ */

typedef struct effort {
    int64_t limit, epochs; /* pictures, 0: all; passes over them */
    double require;        /* test accuracy in percent           */
    double high;           /* as below                           */
} effort;

static inline options effort_options(effort e, bool brief, const char *const *variants)
{
    return (options){.brief = brief,
                     .epochs = e.epochs,
                     .limit = e.limit,
                     .require = e.require,
                     .seed = 1,
                     .data = FASHION_MNIST,
                     .variants = variants};
}

/* ---- a convolution without bias, and its batch norm -------------------------------------------------------------- */

typedef struct normed {
    const char *name;
    rg_conv_layer conv;
    rg_batch_norm_layer norm;
} normed;

/* Odd kernels are padded so that the extents stay, divided by the stride. */
static inline normed normed_new(rg_params *ps, const char *name, int64_t in, int64_t out, int64_t kernel, int64_t stride)
{
    const rg_conv_layer_config config = {.stride = RG_SHAPE(stride), .padding = RG_SHAPE(kernel / 2), .no_bias = true};
    rg_params_scope_push(ps, name);
    const normed n = {.name = name,
                      .conv = rg_conv_layer_new(ps, "conv", in, out, RG_SHAPE(kernel, kernel), &config),
                      .norm = rg_batch_norm_layer_new(ps, "norm", out, NULL)};
    rg_init_he_normal(n.conv.weight, rg_gain(RG_RELU));
    rg_params_scope_pop(ps);
    return n;
}

static inline rg_tensor normed_forward(rg_tape *t, const normed *n, rg_tensor x)
{
    rg_scope_push(t, n->name);
    x = rg_batch_norm_layer_forward(t, &n->norm, rg_conv_layer_forward(t, &n->conv, x));
    rg_scope_pop(t);
    return x;
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

typedef struct classifier {
    rg_tape *tape;
    rg_params *params;
    rg_optim *optim;
    rg_tensor (*forward)(rg_tape *t, const void *network, rg_tensor x); /* [n, 1, 28, 28] -> logits */
    const void *network;
    double smoothing; /* of the labels in training                                                            */
    double high;      /* 0: the optimizer's rate all the time; else one cycle up to this and down to nearly 0 */
    int64_t total;    /* steps of that cycle                                                                  */
} classifier;

static inline void classifier_free(classifier *c)
{
    rg_optim_free(c->optim);
    rg_tape_free(c->tape);
    rg_params_free(c->params);
}

static inline rg_tensor classifier_objective(rg_tape *t, void *model, const rg_batch *batch, rg_tensor *accuracy)
{
    const classifier *c = model;
    const rg_tensor logits = c->forward(t, c->network, rg_batch_x(t, batch)), y = rg_batch_y(t, batch);
    *accuracy = rg_accuracy(t, logits, y);
    const double smoothing = rg_training(t) ? c->smoothing : 0;
    return rg_cross_entropy(t, logits, y, &(rg_cross_entropy_config){.label_smoothing = smoothing});
}

static inline double classifier_rate(int64_t epoch, int64_t step, void *user)
{
    const classifier *c = user;
    (void)epoch;
    return rg_schedule_one_cycle(&(rg_one_cycle_config){.high = c->high, .total = c->total, .rise = 0.25}, step);
}

static inline bool classifier_report(const rg_fit_state *state, void *user)
{
    const rg_epoch *e = state->result;
    (void)user;
    printf("%5" PRId64 "  %8.4f  %7.2f %%  %8.4f  %6.2f %%  %7.1f\n", state->epoch + 1, e->training.loss,
           100 * e->training.metric, e->validation.loss, 100 * e->validation.metric, e->seconds);
    return true;
}

/* Trains for so many epochs. `history` is the caller's to free, NULL for none. False, with the reason said, on error. */
static inline bool classifier_train(classifier *c, rg_loader *train, rg_loader *test, int64_t epochs, rg_history *history)
{
    c->total = epochs * rg_loader_batches(train);
    const rg_fit_config config = {.objective = classifier_objective,
                                  .model = c,
                                  .train = train,
                                  .validation = test,
                                  .epochs = epochs,
                                  .schedule = c->high > 0 ? classifier_rate : NULL,
                                  .on_epoch = classifier_report,
                                  .user = c};
    puts("epoch      loss   accuracy  test loss  accuracy  seconds");
    rg_fit(c->tape, c->params, c->optim, &config, history);
    return all_well(c->tape, c->params);
}

/* The layers, from one picture that is recorded and never computed. */
static inline void classifier_summary(classifier *c)
{
    rg_tape_reset(c->tape);
    rg_set_training(c->tape, false); /* so that nothing is drawn: training begins as though this had not been */
    c->forward(c->tape, c->network, rg_zeros(c->tape, RG_F32, RG_SHAPE(1, 1, 28, 28)));
    rg_summary_print(c->tape, c->params, stdout);
    rg_set_training(c->tape, true);
    rg_tape_reset(c->tape);
}

/* Trains on the one part of the data and tests on the other: true where the accuracy after the last epoch is o->require
 * or more. */
static inline bool classifier_run(classifier *c, int64_t batch, const rg_augment_config *augment, const options *o)
{
    char error[256] = "";
    rg_dataset *train_set = load_images(o, "train"), *test_set = load_images(o, "t10k");
    rg_loader *train = NULL, *test = NULL;
    if (train_set && test_set) {
        train = rg_loader_new(
            train_set,
            &(rg_loader_config){
                .batch = batch, .shuffle = true, .drop_last = true, .seed = (uint64_t)o->seed, .augment = augment},
            error, sizeof error);
        test = rg_loader_new(test_set, &(rg_loader_config){.batch = 250}, error, sizeof error);
        if (!train || !test)
            complain("%s", error);
    }
    rg_history history = {0};
    bool good = train && test && all_well(c->tape, c->params);
    if (good) {
        classifier_summary(c);
        printf("\n%s, %" PRId64 " steps an epoch\n", o->variants[o->variant], rg_loader_batches(train));
        good = classifier_train(c, train, test, o->epochs, &history);
    }
    if (good) {
        const double accuracy = 100 * history.epoch[history.epochs - 1].validation.metric;
        printf("test accuracy %.2f %%\n", accuracy);
        good = accuracy >= o->require || complain("the test accuracy is below %g %%", o->require);
    }
    rg_history_free(&history);
    rg_loader_free(train);
    rg_loader_free(test);
    rg_dataset_free(train_set);
    rg_dataset_free(test_set);
    return good;
}

#endif
