/* Transfer learning: a network learns five kinds of clothes from many pictures. Its convolutions, frozen, then serve to tell
 * the other five apart, from few pictures, under a new head that alone is trained. Beside it the same network learns the
 * same few pictures from scratch. */
#include "classify.h"

enum { CONVOLUTIONS = 6, KNOWN = 5, FEATURES = 64 * 3 * 3, UNITS = 64, BATCH = 100, FEW_BATCH = 25, TEST_BATCH = 250 };

/* ---- the network: convolutions called "features.*", and a head of two layers --------------------------------------- */

typedef struct network {
    rg_conv_layer conv[CONVOLUTIONS];
    rg_linear hidden, out;
} network;

static void features_new(network *net, rg_params *ps)
{
    static const char *const names[CONVOLUTIONS] = {"c1", "c2", "c3", "c4", "c5", "c6"};
    static const int64_t channels[CONVOLUTIONS + 1] = {1, 16, 16, 32, 32, 64, 64};
    rg_params_scope_push(ps, "features");
    for (int i = 0; i < CONVOLUTIONS; i++) {
        net->conv[i] = rg_conv_layer_new(ps, names[i], channels[i], channels[i + 1], RG_SHAPE(3, 3),
                                         &(rg_conv_layer_config){.padding = RG_SHAPE(1)});
        rg_init_he_normal(net->conv[i].weight, rg_gain(RG_RELU));
        rg_init_constant(net->conv[i].bias, 0);
    }
    rg_params_scope_pop(ps);
}

static void head_new(network *net, rg_params *ps)
{
    rg_params_scope_push(ps, "head");
    net->hidden = rg_linear_new(ps, "hidden", FEATURES, UNITS);
    net->out = rg_linear_new(ps, "out", UNITS, KNOWN);
    rg_params_scope_pop(ps);
}

static rg_tensor forward(rg_tape *t, const void *network_, rg_tensor x)
{
    const network *net = network_;
    for (int i = 0; i < CONVOLUTIONS; i++) {
        x = rg_relu(t, rg_conv_layer_forward(t, &net->conv[i], x));
        if (i % 2 == 1)
            x = rg_max_pool2d(t, x, RG_SHAPE(2), NULL);
    }
    x = rg_relu(t, rg_linear_forward(t, &net->hidden, rg_flatten(t, x, 1, -1)));
    return rg_linear_forward(t, &net->out, rg_dropout_layer(t, x, 0.5));
}

/* A store of its own for each: the features and the head of a new network, its optimizer, its tape. */
static classifier learner_new(network *net, const options *o)
{
    classifier c = {.tape = rg_tape_new(&(rg_tape_config){.seed = (uint64_t)o->seed, .threads = (int)o->threads}),
                    .params = rg_params_new((uint64_t)o->seed),
                    .forward = forward,
                    .network = net};
    features_new(net, c.params);
    head_new(net, c.params);
    c.optim = rg_adam_new(c.params, &(rg_adam_config){.lr = 1e-3});
    return c;
}

/* ---- the data ------------------------------------------------------------------------------------------------------ */

/* At most `most` pictures of the classes 0-4, or 5-9, which are then called 0-4. NULL, with the reason said, on error. */
static rg_dataset *half_of(const rg_dataset *data, bool second, int64_t most)
{
    char error[256] = "";
    int64_t *index = calloc((size_t)data->count, sizeof *index), count = 0;
    for (int64_t i = 0; index && i < data->count && count < most; i++)
        if ((data->y[i] >= KNOWN) == second)
            index[count++] = i;
    rg_dataset *half = index ? rg_dataset_take(data, index, count, error, sizeof error) : NULL;
    free(index);
    if (!half) {
        complain("%s", error[0] ? error : "out of memory");
        return NULL;
    }
    for (int64_t i = 0; second && i < count; i++)
        half->y[i] -= KNOWN;
    return half;
}

static rg_loader *loader_of(const rg_dataset *data, int64_t batch, bool shuffle, const options *o)
{
    char error[256] = "";
    const rg_loader_config config = {.batch = batch, .shuffle = shuffle, .seed = (uint64_t)o->seed};
    rg_loader *loader = rg_loader_new(data, &config, error, sizeof error);
    if (!loader)
        complain("%s", error);
    return loader;
}

/* ---- what each way costs and gives --------------------------------------------------------------------------------- */

typedef struct outcome {
    int64_t trained;  /* parameters */
    double seconds;   /* of training */
    double accuracy;  /* percent, after the last epoch */
    rg_history epoch; /* the course */
} outcome;

static bool learn_few(classifier *c, rg_loader *few, rg_loader *test, const options *o, outcome *result)
{
    result->trained = rg_params_count_matching(c->params, "*").trainable;
    const bool good = classifier_train(c, few, test, o->epochs, &result->epoch);
    for (int64_t i = 0; i < result->epoch.epochs; i++) {
        result->seconds += result->epoch.epoch[i].seconds;
        result->accuracy = 100 * result->epoch.epoch[i].validation.metric;
    }
    return good;
}

/* The first epoch, counted from 1, that reaches the accuracy; 0: none. */
static int64_t epochs_to(const outcome *r, double accuracy)
{
    for (int64_t i = 0; i < r->epoch.epochs; i++)
        if (100 * r->epoch.epoch[i].validation.metric >= accuracy)
            return i + 1;
    return 0;
}

static void describe(const char *name, const outcome *r, double accuracy)
{
    printf("%-12s %10" PRId64 "  %7.1f  %6.2f %%  ", name, r->trained, r->seconds, r->accuracy);
    const int64_t epochs = epochs_to(r, accuracy);
    if (epochs > 0)
        printf("%10" PRId64 "\n", epochs);
    else
        printf("%10s\n", "never");
}

static bool judge(const outcome *transferred, const outcome *scratch, const options *o)
{
    printf("\n%-12s %10s  %7s  %8s  epochs to %g %%\n", "", "trained", "seconds", "accuracy", o->require);
    describe("transferred", transferred, o->require);
    describe("from scratch", scratch, o->require);
    const int64_t with = epochs_to(transferred, o->require), without = epochs_to(scratch, o->require);
    if (!(transferred->accuracy >= o->require))
        return complain("transferred: the test accuracy is below %g %%", o->require);
    if (!o->brief && without > 0 && with > without) /* a second teaches the features too little */
        return complain("from scratch it took fewer epochs to %g %%", o->require);
    return transferred->trained < scratch->trained || complain("nothing was frozen");
}

/* ---- the experiment ------------------------------------------------------------------------------------------------ */

typedef struct loaders {
    rg_loader *many, *known;  /* classes 0-4: to train on, to test on */
    rg_loader *few, *unknown; /* classes 5-9                          */
} loaders;

/* Learns the first five classes; then everything is frozen, and there is a new head. */
static bool pretrain(classifier *c, network *net, const loaders *l, const options *o)
{
    puts("classes 0-4, many pictures");
    if (!all_well(c->tape, c->params) || !classifier_train(c, l->many, l->known, o->brief ? 1 : 3, NULL))
        return false;
    rg_params_set_trainable(c->params, "*", false);
    rg_params_scope_push(c->params, "new");
    head_new(net, c->params); /* "new.head.*": trainable, as everything is that is made */
    rg_params_scope_pop(c->params);
    return all_well(c->tape, c->params);
}

static bool compare(const loaders *l, const options *o)
{
    network first = {0}, second = {0};
    classifier transferred = learner_new(&first, o), scratch = learner_new(&second, o);
    outcome with = {0}, without = {0};
    bool good = pretrain(&transferred, &first, l, o) && all_well(scratch.tape, scratch.params);
    if (good) {
        puts("\nclasses 5-9, few pictures, a new head on frozen features");
        classifier_summary(&transferred);
        good = learn_few(&transferred, l->few, l->unknown, o, &with);
    }
    if (good) {
        puts("\nclasses 5-9, few pictures, from scratch");
        good = learn_few(&scratch, l->few, l->unknown, o, &without) && judge(&with, &without, o);
    }
    rg_history_free(&with.epoch);
    rg_history_free(&without.epoch);
    classifier_free(&transferred);
    classifier_free(&scratch);
    return good;
}

int main(int argc, char **argv)
{
    static const options full = {.epochs = 20, .seed = 1, .limit = 0, .require = 92, .data = FASHION_MNIST};
    static const options brief = {
        .brief = true, .epochs = 6, .seed = 1, .limit = 600, .require = 50, .data = FASHION_MNIST};
    const options o = read_options(argc, argv,
                                   "Transfer learning: from five classes of Fashion-MNIST to the other five.\n"
                                   "The result is the transferred network's test accuracy on those, in percent.",
                                   &full, &brief);
    rg_dataset *train_set = load_images(&o, "train"), *test_set = load_images(&o, "t10k");
    rg_dataset *part[4] = {NULL};
    if (train_set && test_set) {
        part[0] = half_of(train_set, false, train_set->count);
        part[1] = half_of(test_set, false, test_set->count);
        part[2] = half_of(train_set, true, o.brief ? 100 : 500);
        part[3] = half_of(test_set, true, test_set->count);
    }
    bool good = false;
    if (part[0] && part[1] && part[2] && part[3]) {
        const loaders l = {.many = loader_of(part[0], o.brief ? FEW_BATCH : BATCH, true, &o),
                           .known = loader_of(part[1], TEST_BATCH, false, &o),
                           .few = loader_of(part[2], FEW_BATCH, true, &o),
                           .unknown = loader_of(part[3], TEST_BATCH, false, &o)};
        good = l.many && l.known && l.few && l.unknown && compare(&l, &o);
        rg_loader_free(l.many);
        rg_loader_free(l.known);
        rg_loader_free(l.few);
        rg_loader_free(l.unknown);
    }
    for (int i = 0; i < 4; i++)
        rg_dataset_free(part[i]);
    rg_dataset_free(train_set);
    rg_dataset_free(test_set);
    return good ? 0 : 1;
}
