/* Convolutional networks on Fashion-MNIST: LeNet-5 as of 1998 (LeCun et al., Proceedings of the IEEE), tanh, means of
 * four pixels and nothing else; the deep one of six convolutions of 3 x 3, with what was learnt since: ReLU, He's first weights,
 * dropout, Adam; and one with batch norm, which learns from pictures that are shifted and mirrored. */
#include "classify.h"

enum { DEEP = 6, BATCH = 100, BRIEF_BATCH = 10 };

/* ---- LeNet-5: 28 -> 14 -> 10 -> 5 ---------------------------------------------------------------------------------- */

typedef struct network {
    rg_conv_layer conv[DEEP];
    normed normed[4];
    rg_linear hidden[2], out;
} network;

static void lenet_new(network *net, rg_params *ps)
{
    net->conv[0] = rg_conv_layer_new(ps, "c1", 1, 6, RG_SHAPE(5, 5), &(rg_conv_layer_config){.padding = RG_SHAPE(2)});
    net->conv[1] = rg_conv_layer_new(ps, "c2", 6, 16, RG_SHAPE(5, 5), NULL);
    net->hidden[0] = rg_linear_new(ps, "h1", 16 * 5 * 5, 120);
    net->hidden[1] = rg_linear_new(ps, "h2", 120, 84);
    net->out = rg_linear_new(ps, "out", 84, CLASSES);
    rg_param *const weights[] = {net->conv[0].weight, net->conv[1].weight, net->hidden[0].weight, net->hidden[1].weight,
                                 net->out.weight};
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        rg_init_xavier_uniform(weights[i], rg_gain(RG_TANH)); /* PyTorch's first weights are too small for tanh */
}

static rg_tensor lenet_forward(rg_tape *t, const void *network_, rg_tensor x)
{
    const network *net = network_;
    for (int i = 0; i < 2; i++)
        x = rg_avg_pool2d(t, rg_tanh(t, rg_conv_layer_forward(t, &net->conv[i], x)), RG_SHAPE(2), NULL);
    x = rg_flatten(t, x, 1, -1);
    for (int i = 0; i < 2; i++)
        x = rg_tanh(t, rg_linear_forward(t, &net->hidden[i], x));
    return rg_linear_forward(t, &net->out, x);
}

/* ---- the deep one: 28 -> 14 -> 16 -> 8 -> 4 -------------------------------------------------------------------------- */

static void deep_new(network *net, rg_params *ps)
{
    static const char *const names[DEEP] = {"c1", "c2", "c3", "c4", "c5", "c6"};
    static const int64_t channels[DEEP + 1] = {1, 16, 16, 32, 32, 64, 64};
    for (int i = 0; i < DEEP; i++) {
        const int64_t padding = i == 3 ? 2 : 1; /* so that each pooling finds an even extent */
        net->conv[i] = rg_conv_layer_new(ps, names[i], channels[i], channels[i + 1], RG_SHAPE(3, 3),
                                         &(rg_conv_layer_config){.padding = RG_SHAPE(padding)});
        rg_init_he_normal(net->conv[i].weight, rg_gain(RG_RELU));
        rg_init_constant(net->conv[i].bias, 0);
    }
    net->hidden[0] = rg_linear_new(ps, "hidden", 64 * 4 * 4, 50);
    net->out = rg_linear_new(ps, "out", 50, CLASSES);
    rg_linear *const dense[] = {&net->hidden[0], &net->out};
    for (int i = 0; i < 2; i++) {
        rg_init_he_normal(dense[i]->weight, rg_gain(RG_RELU));
        rg_init_constant(dense[i]->bias, 0);
    }
}

static rg_tensor deep_forward(rg_tape *t, const void *network_, rg_tensor x)
{
    const network *net = network_;
    for (int i = 0; i < DEEP; i++) {
        x = rg_relu(t, rg_conv_layer_forward(t, &net->conv[i], x));
        if (i % 2 == 1)
            x = rg_max_pool2d(t, x, RG_SHAPE(2), NULL);
    }
    x = rg_relu(t, rg_linear_forward(t, &net->hidden[0], rg_flatten(t, x, 1, -1)));
    x = rg_linear_forward(t, &net->out, rg_dropout_layer(t, x, 0.5));
    return rg_dropout_layer(t, x, 0.5);
}

/* ---- with batch norm: 28 -> 14 -> 7 -> 3 ----------------------------------------------------------------------------- */

enum { NORMED = 4 };

static void norm_new(network *net, rg_params *ps)
{
    static const char *const names[NORMED] = {"c1", "c2", "c3", "c4"};
    static const int64_t channels[NORMED + 1] = {1, 32, 64, 128, 128};
    for (int i = 0; i < NORMED; i++)
        net->normed[i] = normed_new(ps, names[i], channels[i], channels[i + 1], 3, 1);
    net->out = rg_linear_new(ps, "out", 128 * 3 * 3, CLASSES);
}

static rg_tensor norm_forward(rg_tape *t, const void *network_, rg_tensor x)
{
    const network *net = network_;
    for (int i = 0; i < NORMED; i++) {
        x = rg_relu(t, normed_forward(t, &net->normed[i], x));
        if (i != 2)
            x = rg_max_pool2d(t, x, RG_SHAPE(2), NULL);
    }
    return rg_linear_forward(t, &net->out, rg_dropout_layer(t, rg_flatten(t, x, 1, -1), 0.3));
}

/* ---- how each is trained --------------------------------------------------------------------------------------------- */

enum { LENET, DEEP_PLAIN, DEEP_AUGMENTED, BATCH_NORM, VARIANTS };
static const char *const variants[VARIANTS + 1] = {"lenet", "deep", "deep-augmented", "batchnorm", NULL};

static const struct recipe {
    void (*make)(network *net, rg_params *ps);
    rg_tensor (*forward)(rg_tape *t, const void *net, rg_tensor x);
    effort full, brief;
    bool momentum; /* SGD with momentum, else Adam at 0.001 or, with a rate, on one cycle up to it */
    double smoothing;
    rg_augment_config augment;
} recipes[VARIANTS] = {
    [LENET] = {.make = lenet_new, .forward = lenet_forward, .full = {0, 10, 88, 0}, .brief = {1000, 4, 60, 0}},
    [DEEP_PLAIN] = {.make = deep_new, .forward = deep_forward, .full = {0, 10, 90.2, 0}, .brief = {400, 3, 30, 0}},
    [DEEP_AUGMENTED] = {.make = deep_new,
                        .forward = deep_forward,
                        .full = {0, 10, 90.2, 2e-3},
                        .brief = {400, 3, 25, 2e-3},
                        .augment = {.shift = 1, .flip_horizontal = 0.5}},
    [BATCH_NORM] = {.make = norm_new,
                    .forward = norm_forward,
                    .full = {0, 12, 93, 0.1},
                    .brief = {250, 2, 45, 0.01},
                    .momentum = true,
                    .smoothing = 0.05,
                    .augment = {.shift = 1, .flip_horizontal = 0.5}},
};

static rg_optim *optimizer_new(rg_params *ps, bool momentum, double high)
{
    if (momentum)
        return rg_sgd_new(ps, &(rg_sgd_config){.lr = high, .momentum = 0.9, .nesterov = true, .weight_decay = 5e-4});
    return rg_adam_new(ps, &(rg_adam_config){.lr = 1e-3});
}

static bool learn(const options *o)
{
    const struct recipe *r = &recipes[o->variant];
    const double high = o->brief ? r->brief.high : r->full.high;
    network net = {0};
    classifier c = {.tape = rg_tape_new(&(rg_tape_config){.seed = (uint64_t)o->seed, .threads = (int)o->threads}),
                    .params = rg_params_new((uint64_t)o->seed),
                    .forward = r->forward,
                    .network = &net,
                    .smoothing = r->smoothing,
                    .high = high};
    r->make(&net, c.params);
    c.optim = optimizer_new(c.params, r->momentum, high);
    const bool good = classifier_run(&c, o->brief ? BRIEF_BATCH : BATCH, &r->augment, o);
    classifier_free(&c);
    return good;
}

int main(int argc, char **argv)
{
    static const char about[] =
        "Convolutional networks on Fashion-MNIST. The result is the test accuracy after the last\n"
        "epoch, in percent. Each variant has its own --epochs, --limit and --require.";
    options full[VARIANTS], brief[VARIANTS];
    for (int v = 0; v < VARIANTS; v++) {
        full[v] = effort_options(recipes[v].full, false, variants);
        brief[v] = effort_options(recipes[v].brief, true, variants);
    }
    const options o = read_variant_options(argc, argv, about, full, brief, BATCH_NORM);
    return learn(&o) ? 0 : 1;
}
