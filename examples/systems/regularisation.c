/* What keeps a network from learning its few samples by heart. A network 784-100-100-10 is trained on 500 pictures, which it
 * soon knows all, while others fool it. Then: an L1 penalty (sum of |w|), an L2 penalty (sum of w²), dropout (Srivastava et al.,
 * JMLR 2014), and stopping as soon as the loss on 500 other pictures no longer falls; a learning rate that falls there instead;
 * how good it is by cross validation; and for each class its ROC curve, whose area is the chance that a picture of the class
 * gets a higher score than one of another. */
#include "common.h"

#include <math.h>

enum { UNITS = 100, BATCH = 50, TEST_BATCH = 1000, BRIEF_TEST = 2000, FOLDS = 5, SIDE = 100 };
enum { PATIENCE = 5, BRIEF_PATIENCE = 3 }; /* epochs without improvement */
static const double first_rate = 0.02;

typedef struct recipe {
    const char *name;
    double l1, l2, dropout;
    int64_t patience; /* stop after so many epochs without a lower validation loss; 0: never */
} recipe;

enum { NOTHING, L1, L2, DROPOUT, EARLY_STOPPING, RECIPES };
static const recipe recipes[RECIPES] = {
    [NOTHING] = {.name = "nothing"},
    [L1] = {.name = "L1, 0.003", .l1 = 0.003},
    [L2] = {.name = "L2, 0.02", .l2 = 0.02},
    [DROPOUT] = {.name = "dropout, 0.5", .dropout = 0.5},
    [EARLY_STOPPING] = {.name = "early stopping", .patience = PATIENCE},
};

/* ---- the network ------------------------------------------------------------------------------------------------- */

typedef struct network {
    rg_params *params;
    rg_tape *tape;
    rg_optim *optim;
    rg_linear hidden[2], out;
    const recipe *recipe;
} network;

static network network_new(const recipe *how, const options *o)
{
    network net = {.params = rg_params_new((uint64_t)o->seed), .recipe = how};
    net.tape = rg_tape_new(&(rg_tape_config){.seed = (uint64_t)o->seed, .threads = (int)o->threads});
    net.hidden[0] = rg_linear_new(net.params, "l1", PIXELS, UNITS);
    net.hidden[1] = rg_linear_new(net.params, "l2", UNITS, UNITS);
    net.out = rg_linear_new(net.params, "out", UNITS, CLASSES);
    net.optim = rg_sgd_new(net.params, &(rg_sgd_config){.lr = first_rate, .momentum = 0.9});
    return net;
}

static void network_free(network *net)
{
    rg_optim_free(net->optim);
    rg_tape_free(net->tape);
    rg_params_free(net->params);
}

static rg_tensor forward(rg_tape *t, const network *net, const rg_batch *batch)
{
    rg_tensor h = rg_input_f32(t, RG_SHAPE(batch->count, PIXELS), batch->x);
    for (int i = 0; i < 2; i++) {
        h = rg_relu(t, rg_linear_forward(t, &net->hidden[i], h));
        h = rg_dropout(t, h, net->recipe->dropout, rg_training(t));
    }
    return rg_linear_forward(t, &net->out, h);
}

static rg_tensor objective(rg_tape *t, void *model, const rg_batch *batch, rg_tensor *accuracy)
{
    const network *net = model;
    const rg_tensor logits = forward(t, net, batch), y = rg_input_i64(t, RG_SHAPE(batch->count), batch->y);
    *accuracy = rg_accuracy(t, logits, y);
    rg_tensor loss = rg_cross_entropy(t, logits, y, NULL);
    if (rg_training(t) && net->recipe->l1 > 0)
        loss = rg_add(t, loss, rg_l1_penalty(t, net->params, "*.weight", net->recipe->l1));
    if (rg_training(t) && net->recipe->l2 > 0)
        loss = rg_add(t, loss, rg_l2_penalty(t, net->params, "*.weight", net->recipe->l2));
    return loss;
}

/* Does what rg_fit says it will, and says what went wrong. history may be NULL. */
static bool fit(network *net, rg_loader *train, rg_loader *validation, rg_fit_callback on_epoch, void *user,
                int64_t epochs, rg_history *history)
{
    const rg_fit_config config = {.objective = objective,
                                  .model = net,
                                  .train = train,
                                  .validation = validation,
                                  .epochs = epochs,
                                  .patience = net->recipe->patience,
                                  .keep_best = net->recipe->patience > 0,
                                  .on_epoch = on_epoch,
                                  .user = user};
    rg_fit(net->tape, net->params, net->optim, &config, history);
    return all_well(net->tape, net->params);
}

/* Accuracy in percent, NaN on error. */
static double accuracy_on(network *net, rg_loader *loader)
{
    rg_score score;
    rg_evaluate(net->tape, objective, net, loader, &score);
    return all_well(net->tape, net->params) ? 100 * score.metric : NAN;
}

/* ---- penalties and dropout --------------------------------------------------------------------------------------- */

static bool compare_recipes(rg_loader *train, rg_loader *validation, rg_loader *test, const options *o)
{
    double gap[RECIPES];
    bool good = true;
    printf("%-14s %9s  %9s  %9s  epochs\n", "regularised by", "training", "test", "gap");
    for (int i = 0; i < RECIPES; i++) {
        network net = network_new(&recipes[i], o);
        rg_history history = {0};
        const bool fitted = fit(&net, train, validation, NULL, NULL, o->epochs, &history);
        const double known = fitted ? accuracy_on(&net, train) : NAN, unknown = fitted ? accuracy_on(&net, test) : NAN;
        gap[i] = known - unknown;
        printf("%-14s %7.2f %%  %7.2f %%  %9.2f  %6" PRId64 "\n", recipes[i].name, known, unknown, gap[i],
               history.epochs);
        if (!(unknown >= o->require))
            good = complain("%s: the test accuracy is below %g %%", recipes[i].name, o->require);
        if (i != NOTHING && !(gap[i] < gap[NOTHING]))
            good = complain("%s does not bring training and test accuracy together", recipes[i].name);
        rg_history_free(&history);
        network_free(&net);
    }
    return gap[NOTHING] > 15 ? good : complain("nothing: training and test accuracy do not part; try more epochs");
}

/* ---- decay on a plateau ------------------------------------------------------------------------------------------ */

static bool slow_down(const rg_fit_state *s, void *user)
{
    rg_plateau *plateau = user;
    const double before = rg_optim_lr(s->optim);
    rg_optim_set_lr(s->optim, rg_plateau_step(plateau, s->result->validation.loss, before));
    if (rg_optim_lr(s->optim) < before)
        printf("  epoch %3" PRId64 ": validation loss %.4f, learning rate %g\n", s->epoch + 1,
               s->result->validation.loss, rg_optim_lr(s->optim));
    return true;
}

static bool try_plateau(rg_loader *train, rg_loader *validation, const options *o)
{
    rg_plateau plateau = {.patience = o->brief ? BRIEF_PATIENCE : PATIENCE, .factor = 0.2, .min_lr = 1e-4};
    double last[2] = {0}, rate = first_rate;
    bool good = true;
    puts("\nlearning rate decayed where the validation loss stands still:");
    for (int decayed = 0; decayed < 2 && good; decayed++) {
        network net = network_new(&recipes[DROPOUT], o);
        rg_history history;
        good = fit(&net, train, validation, decayed ? slow_down : NULL, &plateau, o->epochs, &history);
        if (good)
            last[decayed] = history.epoch[history.epochs - 1].validation.loss;
        rate = rg_optim_lr(net.optim);
        rg_history_free(&history);
        network_free(&net);
    }
    printf("  validation loss at the end %.4f; %.4f with a constant rate\n", last[1], last[0]);
    if (good && !(rate < first_rate))
        good = complain("the learning rate has not fallen; try more epochs");
    if (good && !o->brief && !(last[1] < last[0]))
        good = complain("the decay does not lower the last validation loss");
    return good;
}

/* ---- cross validation -------------------------------------------------------------------------------------------- */

/* Copies of the samples whose part is (or is not) this one. */
static rg_dataset *samples_of(const rg_dataset *data, const int64_t *part, int64_t which, bool is, char *error, size_t n)
{
    int64_t count = 0, *index = malloc((size_t)data->count * sizeof *index);
    for (int64_t i = 0; index && i < data->count; i++)
        if ((part[i] == which) == is)
            index[count++] = i;
    rg_dataset *some = index ? rg_dataset_take(data, index, count, error, n) : NULL;
    free(index);
    return some;
}

static bool try_fold(const rg_dataset *data, const int64_t *part, int64_t fold, const options *o, double *accuracy)
{
    char error[256] = "out of memory";
    const rg_loader_config shuffled = {.batch = BATCH, .shuffle = true, .seed = (uint64_t)o->seed};
    rg_dataset *rest = samples_of(data, part, fold, false, error, sizeof error);
    rg_dataset *held = samples_of(data, part, fold, true, error, sizeof error);
    rg_loader *train = rest ? rg_loader_new(rest, &shuffled, error, sizeof error) : NULL;
    rg_loader *validation = held ? rg_loader_new(held, NULL, error, sizeof error) : NULL;
    network net = network_new(&recipes[L2], o);
    bool good = train && validation ? fit(&net, train, NULL, NULL, NULL, o->epochs, NULL) : complain("%s", error);
    *accuracy = good ? accuracy_on(&net, validation) : NAN;
    network_free(&net);
    rg_loader_free(validation);
    rg_loader_free(train);
    rg_dataset_free(held);
    rg_dataset_free(rest);
    return good;
}

static bool cross_validate(const rg_dataset *data, const options *o)
{
    char error[256] = "out of memory";
    double accuracy[FOLDS], mean = 0, squares = 0;
    int64_t *part = malloc((size_t)data->count * sizeof *part);
    bool good =
        (part && rg_kfold_stratified(data->y, data->count, FOLDS, true, (uint64_t)o->seed, part, error, sizeof error)) ||
        complain("%s", error);
    printf("\n%d-fold cross validation with L2:", FOLDS);
    for (int fold = 0; fold < FOLDS && good; fold++) {
        good = try_fold(data, part, fold, o, &accuracy[fold]);
        mean += accuracy[fold] / FOLDS;
        printf(" %.1f", accuracy[fold]);
    }
    for (int fold = 0; fold < FOLDS && good; fold++)
        squares += (accuracy[fold] - mean) * (accuracy[fold] - mean) / (FOLDS - 1);
    printf("; mean %.2f %%, deviation %.2f\n", mean, sqrt(squares));
    free(part);
    return good;
}

/* ---- ROC curves -------------------------------------------------------------------------------------------------- */

/* probability[i][class] of each sample of the set, in the order of the loader, which is that of the set. */
static bool predict(const network *net, rg_loader *loader, float (*probability)[CLASSES])
{
    rg_tape *t = net->tape;
    rg_batch batch;
    rg_set_training(t, false);
    rg_loader_start(loader, 0);
    while (!rg_failed(t) && rg_loader_next(loader, &batch)) {
        rg_tape_reset(t);
        rg_mode_push(t, RG_INFERENCE);
        const rg_tensor p = rg_softmax(t, forward(t, net, &batch), 1);
        rg_read(t, p, probability, (size_t)batch.count * sizeof *probability);
        rg_mode_pop(t);
        probability += batch.count;
    }
    return all_well(t, net->params);
}

/* The largest share of the class that is found while at most `limit` of the others are taken for it. */
static double found_at(const rg_curve_point *curve, int64_t points, double limit)
{
    double found = 0;
    for (int64_t i = 0; i < points && curve[i].x <= limit; i++)
        found = curve[i].y;
    return found;
}

/* What is found, upwards, over what is taken for the class and is not; in grey the line of guessing. */
static void draw_curve(const rg_curve_point *curve, int64_t points, float picture[SIDE][SIDE])
{
    int from = 0;
    for (int column = 0; column < SIDE; column++) {
        const int to = (int)(found_at(curve, points, (double)column / (SIDE - 1)) * (SIDE - 1));
        for (int row = 0; row < SIDE; row++)
            picture[SIDE - 1 - row][column] = row >= from && row <= to ? 0 : row == column ? 0.7F : 1;
        from = to;
    }
}

/* The class against the rest. Its area, NaN without memory. */
static double show_class(int class, const rg_dataset *test, float (*probability)[CLASSES], const options *o,
                         float picture[SIDE][SIDE])
{
    const size_t n = (size_t)test->count;
    double area = NAN, *score = malloc(n * sizeof *score);
    bool *is = malloc(n * sizeof *is);
    rg_curve_point *curve = malloc((n + 1) * sizeof *curve);
    if (score && is && curve) {
        for (size_t i = 0; i < n; i++) {
            score[i] = (double)probability[i][class];
            is[i] = test->y[i] == class;
        }
        const int64_t points = rg_roc_curve(score, is, test->count, curve, test->count + 1);
        area = rg_roc_auc(score, is, test->count);
        printf("%-12s %.4f  %9.1f %%  %9.1f %%  %9.1f %%\n", class_name(o, class), area,
               100 * found_at(curve, points, 0.01), 100 * found_at(curve, points, 0.05),
               100 * found_at(curve, points, 0.2));
        if (!isnan(area))
            draw_curve(curve, points, picture);
    }
    free(curve);
    free(is);
    free(score);
    return area;
}

static bool show_roc(rg_loader *train, rg_loader *test_batches, const rg_dataset *test, const options *o)
{
    static float pictures[CLASSES][SIDE][SIDE];
    char error[256];
    float(*probability)[CLASSES] = malloc((size_t)test->count * sizeof *probability);
    network net = network_new(&recipes[L2], o);
    double mean = 0;
    bool good =
        probability && fit(&net, train, NULL, NULL, NULL, o->epochs, NULL) && predict(&net, test_batches, probability);
    if (good)
        puts("\nclass         area     found, where of the others 1 %, 5 % and 20 % are taken for it");
    for (int class = 0; class < CLASSES && good; class ++)
        mean += show_class(class, test, probability, o, pictures[class]) / CLASSES;
    if (good && !rg_image_write_grid("roc.png", pictures[0][0], CLASSES, 1, SIDE, SIDE, 5, error, sizeof error))
        good = complain("%s", error);
    network_free(&net);
    free(probability);
    return good && (mean > (o->brief ? 0.9 : 0.95) || complain("the mean area under the ROC curves is %.3f", mean));
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    static const options full = {.epochs = 100, .seed = 1, .limit = 500, .require = 65, .data = FASHION_MNIST};
    static const options brief = {
        .brief = true, .epochs = 60, .seed = 1, .limit = 250, .require = 55, .data = FASHION_MNIST};
    const options o =
        read_options(argc, argv,
                     "Penalties, dropout, early stopping, learning-rate decay, cross validation and ROC curves on few\n"
                     "samples: --limit to learn from, as many again for validation.\n"
                     "Writes roc.png: the curves of the classes, five in a row.\n"
                     "The result is the lowest test accuracy of the first table, in percent.",
                     &full, &brief);
    options twice = o, many = o;
    twice.limit = 2 * o.limit; /* half to learn from, half for validation */
    many.limit = o.brief ? BRIEF_TEST : 0;
    char error[256] = "";
    const rg_loader_config shuffled = {.batch = BATCH, .shuffle = true, .seed = (uint64_t)o.seed};
    const rg_loader_config in_order = {.batch = TEST_BATCH};
    rg_dataset *both = load_images(&twice, "train"), *test_set = load_images(&many, "t10k");
    const int64_t half = both ? both->count / 2 : 0;
    rg_dataset *train_set = both ? rg_dataset_slice(both, 0, half, error, sizeof error) : NULL;
    rg_dataset *validation_set = train_set ? rg_dataset_slice(both, half, half, error, sizeof error) : NULL;
    rg_loader *train = train_set ? rg_loader_new(train_set, &shuffled, error, sizeof error) : NULL;
    rg_loader *validation = validation_set ? rg_loader_new(validation_set, &in_order, error, sizeof error) : NULL;
    rg_loader *test = test_set ? rg_loader_new(test_set, &in_order, error, sizeof error) : NULL;
    const bool good = train && validation && test && compare_recipes(train, validation, test, &o) &&
                      try_plateau(train, validation, &o) && cross_validate(train_set, &o) &&
                      show_roc(train, test, test_set, &o);
    if (*error)
        complain("%s", error);
    rg_loader_free(test);
    rg_loader_free(validation);
    rg_loader_free(train);
    rg_dataset_free(validation_set);
    rg_dataset_free(train_set);
    rg_dataset_free(test_set);
    rg_dataset_free(both);
    return good ? 0 : 1;
}
