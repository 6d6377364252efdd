/* Convolutional networks on Fashion-MNIST: LeNet-5 (LeCun et al. 1998) with ReLU and maxima; the deep network of "Deep
 * Learning from Scratch" (Saitoh 2016), chapter 8; and one with batch norm and augmented pictures. */
#include "common.h"

enum { SIDE = 28, MOST = 8, TEST_BATCH = 1000 };

/* A network: convolutions, some of them before a pooling that halves the picture, then at most one hidden layer. */
typedef struct design {
    const char *name;
    int convolutions;
    int64_t kernel, channels[MOST], padding[MOST];
    bool pooled[MOST]; /* maxima of 2 x 2 behind it    */
    int64_t features;  /* that come out of the last    */
    int64_t hidden;    /* 0: none                      */
    double dropout;    /* behind the hidden layer ...  */
    bool drops_logits; /* ... and behind the last      */
    bool normalises;   /* batch norm before each ReLU, the mean of each channel at the end */
    int64_t batch;
    double lr;
    bool anneals; /* the rate rises for a fifth of the time, then falls to almost 0 */
    double smoothing, decay;
    rg_augment_config augment;
} design;

static const design designs[] = {
    {.name = "lenet",
     .convolutions = 2,
     .kernel = 5,
     .channels = {6, 16},
     .padding = {2, 0},
     .pooled = {true, true},
     .features = 16 * 5 * 5,
     .hidden = 120,
     .batch = 64,
     .lr = 1e-3},
    {.name = "deep",
     .convolutions = 6,
     .kernel = 3,
     .channels = {16, 16, 32, 32, 64, 64},
     .padding = {1, 1, 1, 2, 1, 1},
     .pooled = {false, true, false, true, false, true},
     .features = 64 * 4 * 4,
     .hidden = 50,
     .dropout = 0.5,
     .drops_logits = true,
     .batch = 100,
     .lr = 1e-3},
    {.name = "normalised",
     .convolutions = 6,
     .kernel = 3,
     .channels = {32, 32, 64, 64, 128, 128},
     .padding = {1, 1, 1, 1, 1, 1},
     .pooled = {false, true, false, true, false, false},
     .features = 128,
     .normalises = true,
     .dropout = 0.3,
     .batch = 128,
     .lr = 4e-3,
     .anneals = true,
     .smoothing = 0.1,
     .decay = 0.02,
     .augment = {.shift = 2, .flip_horizontal = 0.5}},
};
static const char *const variants[] = {"lenet", "deep", "normalised", NULL};

/* ---- the network ------------------------------------------------------------------------------------------------- */

typedef struct network {
    const design *d;
    rg_conv_layer conv[MOST];
    rg_batch_norm_layer norm[MOST];
    rg_linear hidden, out;
    int64_t steps; /* of the whole training */
} network;

static network network_new(rg_params *ps, const design *d)
{
    static const char *const names[MOST] = {"c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"};
    network net = {.d = d};
    for (int i = 0; i < d->convolutions; i++) {
        rg_params_scope_push(ps, names[i]);
        net.conv[i] =
            rg_conv_layer_new(ps, "conv", i > 0 ? d->channels[i - 1] : 1, d->channels[i], RG_SHAPE(d->kernel, d->kernel),
                              &(rg_conv_layer_config){.padding = RG_SHAPE(d->padding[i]), .no_bias = d->normalises});
        rg_init_he_normal(net.conv[i].weight, rg_gain(RG_RELU));
        if (d->normalises)
            net.norm[i] = rg_batch_norm_layer_new(ps, "norm", d->channels[i], NULL);
        else
            rg_init_constant(net.conv[i].bias, 0);
        rg_params_scope_pop(ps);
    }
    if (d->hidden > 0) {
        net.hidden = rg_linear_new(ps, "hidden", d->features, d->hidden);
        rg_init_he_normal(net.hidden.weight, rg_gain(RG_RELU));
        rg_init_constant(net.hidden.bias, 0);
    }
    net.out = rg_linear_new(ps, "out", d->hidden > 0 ? d->hidden : d->features, CLASSES);
    rg_init_he_normal(net.out.weight, rg_gain(RG_LINEAR));
    rg_init_constant(net.out.bias, 0);
    return net;
}

/* x [n, 1, 28, 28] -> logits [n, CLASSES] */
static rg_tensor network_forward(rg_tape *t, const network *net, rg_tensor x)
{
    const design *d = net->d;
    for (int i = 0; i < d->convolutions; i++) {
        x = rg_conv_layer_forward(t, &net->conv[i], x);
        if (d->normalises)
            x = rg_batch_norm_layer_forward(t, &net->norm[i], x);
        x = rg_relu(t, x);
        if (d->pooled[i])
            x = rg_max_pool2d(t, x, RG_SHAPE(2), NULL);
    }
    if (d->normalises)
        x = rg_mean(t, x, RG_AXES(2, 3), false);
    x = rg_reshape(t, x, RG_SHAPE(rg_dim(t, x, 0), d->features));
    if (d->hidden > 0)
        x = rg_relu(t, rg_linear_forward(t, &net->hidden, x));
    x = rg_linear_forward(t, &net->out, rg_dropout_layer(t, x, d->dropout));
    return d->drops_logits ? rg_dropout_layer(t, x, d->dropout) : x;
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

static rg_tensor objective(rg_tape *t, void *model, const rg_batch *batch, rg_tensor *metric)
{
    const network *net = model;
    const rg_tensor x = rg_input_f32(t, RG_SHAPE(batch->count, 1, SIDE, SIDE), batch->x), y = rg_batch_y(t, batch);
    const rg_tensor logits = network_forward(t, net, x);
    *metric = rg_accuracy(t, logits, y);
    const double smoothing = rg_training(t) ? net->d->smoothing : 0;
    return rg_cross_entropy(t, logits, y, &(rg_cross_entropy_config){.label_smoothing = smoothing});
}

static double rate(int64_t epoch, int64_t step, void *user)
{
    const network *net = user;
    (void)epoch;
    if (!net->d->anneals)
        return net->d->lr;
    return rg_schedule_one_cycle(
        &(rg_one_cycle_config){.high = net->d->lr, .total = net->steps, .rise = 0.2, .div_factor = 10}, step);
}

static bool train(const options *o, const design *d, rg_loader *training, rg_loader *test, double *accuracy)
{
    rg_params *ps = rg_params_new((uint64_t)o->seed);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = (int)o->threads, .seed = (uint64_t)o->seed});
    network net = network_new(ps, d);
    net.steps = o->epochs * rg_loader_batches(training);
    rg_optim *opt = rg_adamw_new(ps, &(rg_adam_config){.lr = d->lr, .weight_decay = d->decay > 0 ? d->decay : RG_ZERO});
    const rg_fit_config fit = {.objective = objective,
                               .model = &net,
                               .train = training,
                               .validation = test,
                               .epochs = o->epochs,
                               .schedule = rate,
                               .user = &net,
                               .progress = stdout};
    printf("%s: %" PRId64 " parameters\n", d->name, rg_params_numel(ps));
    rg_history history;
    const bool good = opt && all_well(t, ps) && rg_fit(t, ps, opt, &fit, &history);
    if (good)
        *accuracy = 100 * history.epoch[history.epochs - 1].validation.metric;
    else if (t)
        complain("%s", rg_tape_error(t));
    rg_history_free(&history);
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
    return good;
}

int main(int argc, char **argv)
{
    const options full = {
        .epochs = 10, .seed = 1, .require = 90, .data = FASHION_MNIST, .variant = 1, .variants = variants};
    const options brief = {
        .brief = true, .epochs = 2, .seed = 1, .limit = 1000, .require = 50, .data = FASHION_MNIST, .variants = variants};
    const options o = read_options(argc, argv, "Trains a convolutional network on Fashion-MNIST.", &full, &brief);
    const design *d = &designs[o.variant];
    char error[256] = "";
    rg_dataset *training = load_images(&o, "train"), *test = training ? load_images(&o, "t10k") : NULL;
    rg_loader *batches = NULL, *tests = NULL;
    if (test) {
        training->shape = test->shape = RG_SHAPE(1, SIDE, SIDE);
        batches = rg_loader_new(
            training,
            &(rg_loader_config){.batch = d->batch, .shuffle = true, .seed = (uint64_t)o.seed, .augment = &d->augment},
            error, sizeof error);
        tests = rg_loader_new(test, &(rg_loader_config){.batch = TEST_BATCH}, error, sizeof error);
    }
    double accuracy = 0;
    bool good = batches && tests ? train(&o, d, batches, tests, &accuracy) : complain("%s", error);
    if (good) {
        printf("test accuracy %.2f %%\n", accuracy);
        good = accuracy >= o.require || complain("it is below %g %%", o.require);
    }
    rg_loader_free(tests);
    rg_loader_free(batches);
    rg_dataset_free(test);
    rg_dataset_free(training);
    return good ? 0 : 1;
}
