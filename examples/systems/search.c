/* Searching hyper-parameters: the learning rate, the width and the weight decay of a small network, by a grid and by as many
 * random draws (Bergstra and Bengio, JMLR 2012). Each candidate is judged by stratified k-fold cross-validation on a part of
 * Fashion-MNIST; the best is trained on all of that part and, once, tested on images that played no role before. */
#include <inttypes.h>
#include <math.h>
#include <retrograd/retrograd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 10, FOLDS = 3, BATCH = 50, TRIALS = 16 };

typedef struct options {
    const char *data;
    int64_t limit, epochs; /* images to search on, epochs of each training */
    double require;        /* percent                                       */
} options;

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

static bool train(rg_tape *t, const network *net, rg_optim *optim, const rg_source *data, int64_t epochs)
{
    rg_batch batch;
    const rg_loader_config config = {.batch = BATCH, .shuffle = true, .seed = 1};
    rg_loader *loader = rg_loader_new_source(data, &config, NULL, 0);
    for (int64_t epoch = 0; loader && epoch < epochs; epoch++) {
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
static double train_and_test(const candidate *c, const rg_source *training, const rg_source *validation, int64_t epochs)
{
    rg_params *ps = rg_params_new(1);
    rg_tape *t = rg_tape_new(NULL);
    const int64_t features = rg_shape_numel(training->x_shape);
    const network net = {rg_linear_new(ps, "hidden", features, c->width), rg_linear_new(ps, "out", c->width, CLASSES)};
    rg_optim *optim = rg_adam_new(ps, &(rg_adam_config){.lr = c->lr, .weight_decay = c->weight_decay});
    double accuracy = -1;
    if (train(t, &net, optim, training, epochs))
        accuracy = test(t, &net, validation);
    if (rg_failed(t))
        fprintf(stderr, "search: %s\n", rg_tape_error(t));
    rg_optim_free(optim);
    rg_tape_free(t);
    rg_params_free(ps);
    return accuracy;
}

/* ---- the search --------------------------------------------------------------------------------------------------- */

/* The mean accuracy over the folds: each sample is tested once, by a network that has not seen it. */
static double cross_validate(const candidate *c, const rg_source *data, const int64_t *fold, int64_t epochs)
{
    double sum = 0;
    for (int64_t k = 0; k < FOLDS; k++) {
        rg_source *training, *validation;
        char error[200] = "";
        double accuracy = -1;
        if (rg_source_part(data, fold, k, &training, &validation, error, sizeof error))
            accuracy = train_and_test(c, training, validation, epochs);
        else
            fprintf(stderr, "search: %s\n", error);
        rg_source_free(training);
        rg_source_free(validation);
        if (accuracy < 0)
            return -1;
        sum += accuracy;
    }
    return sum / FOLDS;
}

static candidate from_grid(int i)
{
    static const double rates[4] = {1e-4, 1e-3, 1e-2, 1e-1}, decays[2] = {0, 1e-3};
    static const int64_t widths[2] = {16, 128};
    return (candidate){.lr = rates[i % 4], .width = widths[i / 4 % 2], .weight_decay = decays[i / 8]};
}

/* Evenly on logarithmic scales: a rate in [1e-4, 1e-1), a width from 16 to 128, a decay in [1e-6, 1e-2). */
static candidate from_draw(int i)
{
    double u[3];
    rg_rng rng = rg_rng_new(2, (uint64_t)i);
    rg_rng_uniform_f64(&rng, u, 3, 0, 1);
    return (candidate){
        .lr = pow(10, -4 + 3 * u[0]), .width = (int64_t)exp2(4 + 3 * u[1]), .weight_decay = pow(10, -6 + 4 * u[2])};
}

static void print_candidate(const candidate *c)
{
    printf("lr %.5f  width %3" PRId64 "  decay %.1e  %5.2f %%\n", c->lr, c->width, c->weight_decay, c->accuracy);
}

/* Tries all candidates of a kind and returns the best. */
static candidate search(const char *title, candidate (*make)(int), const rg_source *data, const int64_t *fold,
                        int64_t epochs)
{
    candidate best = {.accuracy = -1};
    printf("\n%s, mean accuracy of %d folds\n", title, FOLDS);
    for (int i = 0; i < TRIALS; i++) {
        candidate c = make(i);
        c.accuracy = cross_validate(&c, data, fold, epochs);
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
static double run(const rg_source *data, const rg_source *unseen, const int64_t *fold, int64_t epochs)
{
    const candidate grid = search("Grid", from_grid, data, fold, epochs);
    const candidate drawn = grid.accuracy < 0 ? grid : search("Random", from_draw, data, fold, epochs);
    if (drawn.accuracy < 0)
        return -1;
    const candidate best = drawn.accuracy > grid.accuracy ? drawn : grid;
    const double accuracy = train_and_test(&best, data, unseen, epochs);
    printf("\nthe better of both, trained on all %" PRId64 " images: test accuracy %.2f %% of %" PRId64 "\n",
           data->count, accuracy, unseen->count);
    return accuracy;
}

/* ---- the data ------------------------------------------------------------------------------------------------------ */

/* The first `limit` images of a part. */
static rg_dataset *load(const options *o, const char *part)
{
    char images[4096], labels[4096], error[9000] = "";
    snprintf(images, sizeof images, "%s/%s-images-idx3-ubyte", o->data, part);
    snprintf(labels, sizeof labels, "%s/%s-labels-idx1-ubyte", o->data, part);
    rg_dataset *all = rg_dataset_idx(images, labels, error, sizeof error);
    if (!all) {
        fprintf(stderr, "search: %s\n", error);
        return NULL;
    }
    if (o->limit < all->count)
        all->count = o->limit;
    return all;
}

static options read_options(int count, char **words)
{
    options o = {.data = "/usr/share/datasets/fashion-mnist", .limit = 2000, .epochs = 5};
    for (int i = 1; i + 1 < count; i += 2) {
        if (strcmp(words[i], "--data") == 0)
            o.data = words[i + 1];
        else if (strcmp(words[i], "--limit") == 0)
            o.limit = strtoll(words[i + 1], NULL, 10);
        else if (strcmp(words[i], "--epochs") == 0)
            o.epochs = strtoll(words[i + 1], NULL, 10);
        else if (strcmp(words[i], "--require") == 0)
            o.require = strtod(words[i + 1], NULL);
        else
            o.limit = 0;
    }
    if (count % 2 == 0 || o.limit < 1 || o.epochs < 1) {
        fputs("usage: search [--data DIR] [--limit IMAGES] [--epochs N] [--require PERCENT]\n", stderr);
        exit(2);
    }
    return o;
}

int main(int count, char **words)
{
    const options o = read_options(count, words);
    rg_dataset *data = load(&o, "train"), *unseen = data ? load(&o, "t10k") : NULL;
    int64_t *fold = unseen ? malloc((size_t)data->count * sizeof *fold) : NULL;
    char error[200] = "out of memory";
    double accuracy = -1;
    if (fold && rg_kfold_stratified(data->y, data->count, FOLDS, true, 1, fold, error, sizeof error)) {
        const rg_source training = rg_dataset_source(data), testing = rg_dataset_source(unseen);
        printf("%" PRId64 " images, %" PRId64 " epochs, networks %" PRId64 "-width-%d, Adam\n", data->count, o.epochs,
               data->features, CLASSES);
        accuracy = run(&training, &testing, fold, o.epochs);
    } else if (unseen) {
        fprintf(stderr, "search: %s\n", error);
    }
    free(fold);
    rg_dataset_free(data);
    rg_dataset_free(unseen);
    return accuracy >= 0 && accuracy >= o.require ? 0 : 1;
}
