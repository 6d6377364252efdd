/* Searching hyper-parameters: the learning rate, the width and the weight decay of a small network, by a grid and by as many
 * random draws (Bergstra and Bengio, JMLR 2012). Each candidate is judged by stratified k-fold cross-validation on a part of
 * Fashion-MNIST; the best is trained on all of that part and, once, tested on images that played no role before. */
#include "common.h"

#include <math.h>

enum { FOLDS = 3, BATCH = 50, TRIALS = 16 };

typedef struct candidate {
    double lr, weight_decay;
    int64_t width;
    double accuracy; /* percent, the mean over the folds; negative after an error */
} candidate;

/* ---- one training ------------------------------------------------------------------------------------------------- */

/* features - width - CLASSES */
typedef struct network {
    rg_linear hidden, out;
} network;

/* Images [n, 1, 28, 28] -> logits [n, CLASSES] */
static rg_tensor forward(rg_tape *t, const network *net, rg_tensor images)
{
    rg_tensor h = rg_relu(t, rg_linear_forward(t, &net->hidden, rg_flatten(t, images, 1, -1)));
    return rg_linear_forward(t, &net->out, h);
}

static bool train(rg_tape *t, const network *net, rg_optim *optim, const rg_source *data, const options *o)
{
    rg_batch batch;
    const rg_loader_config config = {.batch = BATCH, .shuffle = true, .seed = (uint64_t)o->seed};
    rg_loader *loader = rg_loader_new_source(data, &config, NULL, 0);
    for (int64_t epoch = 0; loader && epoch < o->epochs; epoch++) {
        rg_loader_start(loader, epoch);
        while (!rg_failed(t) && rg_loader_next(loader, &batch)) {
            rg_tape_reset(t);
            rg_tensor logits = forward(t, net, rg_batch_x(t, &batch));
            rg_backward(t, rg_cross_entropy(t, logits, rg_batch_y(t, &batch), NULL));
            rg_optim_step(optim, t);
        }
    }
    rg_tape_reset(t); /* the last update runs now */
    rg_loader_free(loader);
    return loader && !rg_failed(t);
}

/* In percent. */
static double test(rg_tape *t, const network *net, const rg_source *data)
{
    rg_batch batch;
    int64_t right = 0;
    rg_loader *loader = rg_loader_new_source(data, &(rg_loader_config){.batch = 500}, NULL, 0);
    while (!rg_failed(t) && rg_loader_next(loader, &batch)) {
        rg_tape_reset(t);
        rg_mode_push(t, RG_INFERENCE);
        const int64_t *guess = rg_data_i64(t, rg_argmax(t, forward(t, net, rg_batch_x(t, &batch)), 1, false));
        for (int64_t i = 0; guess && i < batch.count; i++)
            right += guess[i] == batch.y[i];
        rg_mode_pop(t);
    }
    rg_loader_free(loader);
    return loader && !rg_failed(t) && data->count > 0 ? 100 * (double)right / (double)data->count : -1;
}

/* Trains a new network on one part and tests it on another. */
static double train_and_test(const candidate *c, const options *o, const rg_source *training, const rg_source *validation)
{
    rg_params *ps = rg_params_new((uint64_t)o->seed);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = (int)o->threads});
    const int64_t features = rg_shape_numel(training->x_shape);
    const network net = {rg_linear_new(ps, "hidden", features, c->width), rg_linear_new(ps, "out", c->width, CLASSES)};
    rg_optim *optim = rg_adam_new(ps, &(rg_adam_config){.lr = c->lr, .weight_decay = c->weight_decay});
    const bool trained = train(t, &net, optim, training, o);
    const double accuracy = trained ? test(t, &net, validation) : -1;
    const bool good = all_well(t, ps);
    rg_optim_free(optim);
    rg_tape_free(t);
    rg_params_free(ps);
    return good ? accuracy : -1;
}

/* ---- the search --------------------------------------------------------------------------------------------------- */

/* The mean accuracy over the folds: each sample is tested once, by a network that has not seen it. */
static double cross_validate(const candidate *c, const options *o, const rg_source *data, const int64_t *fold)
{
    double sum = 0;
    for (int64_t k = 0; k < FOLDS; k++) {
        rg_source *training, *validation;
        char error[200] = "";
        double accuracy = -1;
        if (rg_source_part(data, fold, k, &training, &validation, error, sizeof error))
            accuracy = train_and_test(c, o, training, validation);
        else
            complain("%s", error);
        rg_source_free(training);
        rg_source_free(validation);
        if (accuracy < 0)
            return -1;
        sum += accuracy;
    }
    return sum / FOLDS;
}

static candidate from_grid(int i, uint64_t seed)
{
    (void)seed;
    static const double rates[4] = {1e-4, 1e-3, 1e-2, 1e-1}, decays[2] = {0, 1e-3};
    static const int64_t widths[2] = {16, 128};
    return (candidate){.lr = rates[i % 4], .width = widths[i / 4 % 2], .weight_decay = decays[i / 8]};
}

/* Evenly on logarithmic scales: a rate in [1e-4, 1e-1), a width from 16 to 128, a decay in [1e-6, 1e-2). */
static candidate from_draw(int i, uint64_t seed)
{
    double u[3];
    rg_rng rng = rg_rng_new(seed, (uint64_t)i + 1);
    rg_rng_uniform_f64(&rng, u, 3, 0, 1);
    return (candidate){
        .lr = pow(10, -4 + 3 * u[0]), .width = (int64_t)exp2(4 + 3 * u[1]), .weight_decay = pow(10, -6 + 4 * u[2])};
}

static void print_candidate(const candidate *c)
{
    printf("lr %.5f  width %3" PRId64 "  decay %.1e  %5.2f %%\n", c->lr, c->width, c->weight_decay, c->accuracy);
}

/* Tries all candidates of a kind and returns the best. */
static candidate search(const char *title, candidate (*make)(int, uint64_t), const options *o, const rg_source *data,
                        const int64_t *fold)
{
    candidate best = {.accuracy = -1};
    printf("\n%s, mean accuracy of %d folds\n", title, FOLDS);
    for (int i = 0; i < TRIALS; i++) {
        candidate c = make(i, (uint64_t)o->seed);
        c.accuracy = cross_validate(&c, o, data, fold);
        if (c.accuracy < 0)
            return c;
        print_candidate(&c);
        if (c.accuracy > best.accuracy)
            best = c;
    }
    printf("best: ");
    print_candidate(&best);
    return best;
}

/* Both searches on `data`, then the test. Returns the test's accuracy, negative after an error. */
static double run(const options *o, const rg_source *data, const rg_source *unseen, const int64_t *fold)
{
    const candidate grid = search("Grid", from_grid, o, data, fold);
    const candidate drawn = grid.accuracy < 0 ? grid : search("Random", from_draw, o, data, fold);
    if (drawn.accuracy < 0)
        return -1;
    const candidate best = drawn.accuracy > grid.accuracy ? drawn : grid;
    const double accuracy = train_and_test(&best, o, data, unseen);
    if (accuracy >= 0)
        printf("\nthe better of both, trained on all %" PRId64 " images: test accuracy %.2f %% of %" PRId64 "\n",
               data->count, accuracy, unseen->count);
    return accuracy;
}

int main(int argc, char **argv)
{
    const options full = {.epochs = 5, .limit = 2000, .seed = 1, .require = 75, .data = FASHION_MNIST};
    const options brief = {.epochs = 2, .limit = 600, .seed = 1, .require = 60, .data = FASHION_MNIST};
    const options o = read_options(argc, argv,
                                   "Searches a learning rate, a width and a weight decay, by a grid and by draws.\n"
                                   "The result is the test accuracy of the best in percent.",
                                   &full, &brief);
    rg_dataset *data = load_images(&o, "train"), *unseen = data ? load_images(&o, "t10k") : NULL;
    int64_t *fold = unseen ? malloc((size_t)data->count * sizeof *fold) : NULL;
    char error[200] = "out of memory";
    double accuracy = -1;
    if (fold && rg_kfold_stratified(data->y, data->count, FOLDS, true, (uint64_t)o.seed, fold, error, sizeof error)) {
        const rg_source training = rg_dataset_source(data), testing = rg_dataset_source(unseen);
        printf("%" PRId64 " images, %" PRId64 " epochs, networks %d-width-%d, Adam\n", data->count, o.epochs, PIXELS,
               CLASSES);
        accuracy = run(&o, &training, &testing, fold);
    } else if (unseen) {
        complain("%s", error);
    }
    free(fold);
    rg_dataset_free(data);
    rg_dataset_free(unseen);
    if (accuracy < 0)
        return 1;
    return accuracy >= o.require || complain("test accuracy %.2f %% is below %g", accuracy, o.require) ? 0 : 1;
}
