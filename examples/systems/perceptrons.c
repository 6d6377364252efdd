/* The perceptrons of the textbooks on Fashion-MNIST: one, two and three layers of weights. Each is trained in two ways: with
 * sigmoid outputs and the mean squared error, as in chapter 1 of M. Nielsen's "Neural Networks and Deep Learning" (2015):
 * mini-batches of 10, learning rate 3, all weights and biases drawn from N(0, 1); and with softmax and cross-entropy, the
 * weights smaller, as in its chapter 3. */
#include "common.h"

#include <math.h>

enum { MAX_LAYERS = 3, BATCH = 10, TEST_BATCH = 1000 };

typedef struct setup {
    const char *shape;
    int64_t units[MAX_LAYERS + 1];
    int layers;
} setup;

static const setup setups[] = {
    {"784-10", {PIXELS, CLASSES}, 1},
    {"784-15-10", {PIXELS, 15, CLASSES}, 2},
    {"784-15-15-10", {PIXELS, 15, 15, CLASSES}, 3},
};
enum { SETUPS = sizeof setups / sizeof *setups };

/* ---- the network ------------------------------------------------------------------------------------------------- */

typedef struct perceptron {
    rg_linear layer[MAX_LAYERS];
    int layers;
    bool softmax; /* else sigmoid and mean squared error */
} perceptron;

static perceptron perceptron_new(rg_params *ps, const setup *setup, bool softmax)
{
    static const char *const names[MAX_LAYERS] = {"l1", "l2", "l3"};
    perceptron net = {.layers = setup->layers, .softmax = softmax};
    for (int i = 0; i < net.layers; i++) {
        net.layer[i] = rg_linear_new(ps, names[i], setup->units[i], setup->units[i + 1]);
        rg_init_normal(net.layer[i].weight, 0, softmax ? 1 / sqrt((double)setup->units[i]) : 1);
        rg_init_normal(net.layer[i].bias, 0, 1);
    }
    return net;
}

/* x [n, PIXELS] -> [n, CLASSES]: what the last layer adds up, before its sigmoid or softmax. */
static rg_tensor forward(rg_tape *t, const perceptron *net, rg_tensor x)
{
    for (int i = 0; i < net->layers; i++) {
        if (i > 0)
            x = rg_sigmoid(t, x);
        x = rg_linear_forward(t, &net->layer[i], x);
    }
    return x;
}

/* Half the squared distance to the vector that is 1 at the class and else 0; its mean over the batch. */
static rg_tensor squared_error(rg_tape *t, rg_tensor z, rg_tensor y)
{
    const rg_tensor wanted = rg_one_hot(t, y, CLASSES, RG_F32);
    return rg_mul_scalar(t, rg_mse_loss(t, rg_sigmoid(t, z), wanted, RG_MEAN), CLASSES / 2.0);
}

static rg_tensor objective(rg_tape *t, void *model, const rg_batch *batch, rg_tensor *accuracy)
{
    const perceptron *net = model;
    const rg_tensor x = rg_input_f32(t, RG_SHAPE(batch->count, PIXELS), batch->x);
    const rg_tensor y = rg_input_i64(t, RG_SHAPE(batch->count), batch->y);
    const rg_tensor z = forward(t, net, x);
    *accuracy = rg_accuracy(t, z, y); /* sigmoid and softmax leave the largest the largest */
    return net->softmax ? rg_cross_entropy(t, z, y, NULL) : squared_error(t, z, y);
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

/* Test accuracy in percent after the last epoch; NaN on error. */
static double train(const setup *setup, bool softmax, rg_loader *batches, rg_loader *test, const options *o)
{
    double accuracy = NAN;
    rg_history history;
    rg_params *ps = rg_params_new((uint64_t)o->seed);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = (int)o->threads});
    perceptron net = perceptron_new(ps, setup, softmax);
    rg_optim *opt = rg_sgd_new(ps, &(rg_sgd_config){.lr = softmax ? 0.2 : 3});
    const rg_fit_config config = {
        .objective = objective, .model = &net, .train = batches, .validation = test, .epochs = o->epochs};
    const bool good = rg_fit(t, ps, opt, &config, &history);
    if (all_well(t, ps) && good) {
        const rg_epoch *last = &history.epoch[history.epochs - 1];
        accuracy = 100 * last->validation.metric;
        printf("%-14s %-26s %8.4f  %8.2f %%  %8.2f %%\n", setup->shape,
               softmax ? "softmax, cross-entropy" : "sigmoid, squared error", last->training.loss,
               100 * last->training.metric, accuracy);
    }
    rg_history_free(&history);
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
    return accuracy;
}

static bool compare(rg_loader *batches, rg_loader *test, const options *o)
{
    bool good = true;
    printf("%-14s %-26s %8s  %10s  %10s\n", "network", "trained with", "loss", "training", "test");
    for (int i = 0; i < SETUPS; i++) {
        const double squared = train(&setups[i], false, batches, test, o);
        const double entropy = train(&setups[i], true, batches, test, o);
        /* A single layer that starts from N(0, 1) has outputs so near to 0 or 1 that some classes are never learnt. */
        if (!(entropy >= o->require && (squared >= o->require || setups[i].layers == 1)))
            good = complain("%s: a test accuracy is below %g %%", setups[i].shape, o->require);
        if (entropy <= squared)
            good = complain("%s: cross-entropy is not better than the squared error", setups[i].shape);
    }
    return good;
}

int main(int argc, char **argv)
{
    static const options full = {.epochs = 10, .seed = 1, .require = 78, .data = FASHION_MNIST};
    static const options brief = {.epochs = 2, .seed = 1, .limit = 6000, .require = 50, .data = FASHION_MNIST};
    const options o =
        read_options(argc, argv,
                     "Perceptrons of one to three layers, with squared error and with cross-entropy.\n"
                     "The result is the lowest test accuracy of the table, in percent, but for the first line.",
                     &full, &brief);
    rg_dataset *train_set = load_images(&o, "train"), *test_set = load_images(&o, "t10k");
    bool good = false;
    if (train_set && test_set) {
        char error[256] = "";
        const rg_loader_config shuffled = {.batch = BATCH, .shuffle = true, .seed = (uint64_t)o.seed};
        rg_loader *batches = rg_loader_new(train_set, &shuffled, error, sizeof error);
        rg_loader *test = rg_loader_new(test_set, &(rg_loader_config){.batch = TEST_BATCH}, error, sizeof error);
        good = batches && test ? compare(batches, test, &o) : complain("%s", error);
        rg_loader_free(batches);
        rg_loader_free(test);
    }
    rg_dataset_free(train_set);
    rg_dataset_free(test_set);
    return good ? 0 : 1;
}
