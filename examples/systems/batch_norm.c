/* Batch normalisation (Ioffe and Szegedy, ICML 2015) against none: the same network of five hidden layers of 100, ReLU, from
 * good and bad scales of its first weights, few samples, plain SGD. Without it only scales near sqrt(2/100) = 0.14 let the
 * network learn; with it nearly all do. */
#include "common.h"

#include <math.h>

enum { HIDDEN = 5, UNITS = 100, BATCH = 100, TEST_BATCH = 1000 };

static const double scales[] = {1, 0.3, 0.14, 0.05, 0.01, 0.001};
enum { SCALES = sizeof scales / sizeof *scales };

/* ---- the network ------------------------------------------------------------------------------------------------- */

typedef struct network {
    rg_linear hidden[HIDDEN], out;
    rg_batch_norm_layer norm[HIDDEN];
    bool normalised;
} network;

static network network_new(rg_params *ps, double std, bool normalised)
{
    static const char *const names[HIDDEN] = {"1", "2", "3", "4", "5"};
    network net = {.normalised = normalised};
    for (int i = 0; i < HIDDEN; i++) {
        rg_params_scope_push(ps, names[i]);
        net.hidden[i] = rg_linear_new(ps, "linear", i > 0 ? UNITS : PIXELS, UNITS);
        rg_init_normal(net.hidden[i].weight, 0, std);
        rg_init_constant(net.hidden[i].bias, 0);
        if (normalised)
            net.norm[i] = rg_batch_norm_layer_new(ps, "norm", UNITS, NULL);
        rg_params_scope_pop(ps);
    }
    net.out = rg_linear_new(ps, "out", UNITS, CLASSES);
    rg_init_normal(net.out.weight, 0, std);
    rg_init_constant(net.out.bias, 0);
    return net;
}

static rg_tensor objective(rg_tape *t, void *model, const rg_batch *batch, rg_tensor *accuracy)
{
    const network *net = model;
    rg_tensor h = rg_input_f32(t, RG_SHAPE(batch->count, PIXELS), batch->x);
    const rg_tensor y = rg_input_i64(t, RG_SHAPE(batch->count), batch->y);
    for (int i = 0; i < HIDDEN; i++) {
        h = rg_linear_forward(t, &net->hidden[i], h);
        if (net->normalised)
            h = rg_batch_norm_layer_forward(t, &net->norm[i], h); /* in evaluation by the statistics of training */
        h = rg_relu(t, h);
    }
    const rg_tensor logits = rg_linear_forward(t, &net->out, h);
    *accuracy = rg_accuracy(t, logits, y);
    return rg_cross_entropy(t, logits, y, NULL);
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

/* A line of test accuracies, after 1, 2, 5, 10, 20, ... epochs and at the end, which is returned in percent. A loss that
 * explodes is a result here too, that of guessing; NaN on other errors. */
static double train(double std, bool normalised, rg_loader *batches, rg_loader *test, const options *o)
{
    rg_params *ps = rg_params_new((uint64_t)o->seed);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = (int)o->threads});
    network net = network_new(ps, std, normalised);
    rg_optim *opt = rg_sgd_new(ps, &(rg_sgd_config){.lr = 0.05});
    rg_history history;
    const rg_fit_config config = {
        .objective = objective, .model = &net, .train = batches, .validation = test, .epochs = o->epochs};
    rg_fit(t, ps, opt, &config, &history);
    const bool exploded = rg_tape_status(t) == RG_ERROR_VALUE;
    if (exploded)
        rg_tape_clear_error(t);
    double accuracy = all_well(t, ps) ? 100.0 / CLASSES : NAN;
    printf("%-6g %-10s", std, normalised ? "batch norm" : "none");
    for (int64_t i = 1; i <= history.epochs; i++) {
        accuracy = 100 * history.epoch[i - 1].validation.metric;
        const bool shown = i == 1 || i == 2 || i % 5 == 0 || i == history.epochs;
        if (shown)
            printf("  %2" PRId64 ": %4.1f %%", i, accuracy);
    }
    puts(exploded ? "  the loss is no longer finite" : "");
    rg_history_free(&history);
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
    return exploded ? 100.0 / CLASSES : accuracy;
}

static bool compare(rg_loader *batches, rg_loader *test, const options *o)
{
    double lowest = INFINITY, best = 0, worst = INFINITY;
    puts("scale  hidden      epoch: test accuracy");
    for (int i = 0; i < SCALES; i++) {
        const double with = train(scales[i], true, batches, test, o);
        const double without = train(scales[i], false, batches, test, o);
        if (isnan(with) || isnan(without))
            return false;
        lowest = fmin(lowest, with);
        best = fmax(best, without);
        worst = fmin(worst, without);
    }
    printf("\nlowest with batch norm %.1f %%; without it from %.1f to %.1f %%\n", lowest, worst, best);
    if (!(worst < 20))
        return complain("without batch norm every scale learns something: expected one below 20 %%");
    return lowest >= o->require || complain("a network with batch norm stays below %g %%", o->require);
}

int main(int argc, char **argv)
{
    static const options full = {.epochs = 20, .seed = 1, .limit = 2000, .require = 60, .data = FASHION_MNIST};
    static const options brief = {.epochs = 4, .seed = 1, .limit = 1000, .require = 30, .data = FASHION_MNIST};
    const options o = read_options(argc, argv,
                                   "Batch norm against none, from good and bad scales of the first weights.\n"
                                   "The result is the lowest test accuracy with batch norm, in percent.",
                                   &full, &brief);
    rg_dataset *train_set = load_images(&o, "train"), *test_set = load_images(&o, "t10k");
    bool good = false;
    if (train_set && test_set) {
        char error[256] = "";
        const rg_loader_config shuffled = {.batch = BATCH, .shuffle = true, .drop_last = true, .seed = (uint64_t)o.seed};
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
