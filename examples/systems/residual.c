/* Three ways to build deep networks, small, on Fashion-MNIST: nothing but 3 x 3 convolutions one after the other (Simonyan
 * and Zisserman, ICLR 2015), kernels of several sizes side by side (Szegedy et al., CVPR 2015), and blocks that learn what
 * is to be added to their input (He et al., CVPR 2016). */
#include "classify.h"

enum { BATCH = 100, BRIEF_BATCH = 10 };

/* ---- VGG: 28 -> 14 -> 7 -> 3, without batch norm --------------------------------------------------------------------- */

enum { VGG_CONVOLUTIONS = 6 };

typedef struct vgg {
    rg_conv_layer conv[VGG_CONVOLUTIONS];
    rg_linear hidden, out;
} vgg;

static vgg vgg_new(rg_params *ps)
{
    static const char *const names[VGG_CONVOLUTIONS] = {"c1", "c2", "c3", "c4", "c5", "c6"};
    static const int64_t channels[VGG_CONVOLUTIONS + 1] = {1, 16, 16, 32, 32, 64, 64};
    vgg net = {.hidden = rg_linear_new(ps, "hidden", 64 * 3 * 3, 128), .out = rg_linear_new(ps, "out", 128, CLASSES)};
    for (int i = 0; i < VGG_CONVOLUTIONS; i++) {
        net.conv[i] = rg_conv_layer_new(ps, names[i], channels[i], channels[i + 1], RG_SHAPE(3, 3),
                                        &(rg_conv_layer_config){.padding = RG_SHAPE(1)});
        rg_init_he_normal(net.conv[i].weight, rg_gain(RG_RELU));
        rg_init_constant(net.conv[i].bias, 0);
    }
    rg_init_he_normal(net.hidden.weight, rg_gain(RG_RELU));
    return net;
}

static rg_tensor vgg_forward(rg_tape *t, const vgg *net, rg_tensor x)
{
    for (int i = 0; i < VGG_CONVOLUTIONS; i++) {
        x = rg_relu(t, rg_conv_layer_forward(t, &net->conv[i], x));
        if (i % 2 == 1)
            x = rg_max_pool2d(t, x, RG_SHAPE(2), NULL);
    }
    x = rg_relu(t, rg_linear_forward(t, &net->hidden, rg_flatten(t, x, 1, -1)));
    return rg_linear_forward(t, &net->out, rg_dropout_layer(t, x, 0.5));
}

/* ---- GoogLeNet: 28 -> 14 -> 7, two inception blocks ------------------------------------------------------------------- */

typedef struct inception_widths {
    int64_t one, reduce_three, three, reduce_five, five, pooled;
} inception_widths;

typedef struct inception {
    const char *name;
    normed one, reduce_three, three, reduce_five, five, pooled;
} inception;

static int64_t inception_out(const inception_widths *w)
{
    return w->one + w->three + w->five + w->pooled;
}

static inception inception_new(rg_params *ps, const char *name, int64_t in, const inception_widths *w)
{
    rg_params_scope_push(ps, name);
    const inception block = {.name = name,
                             .one = normed_new(ps, "one", in, w->one, 1, 1),
                             .reduce_three = normed_new(ps, "reduce_three", in, w->reduce_three, 1, 1),
                             .three = normed_new(ps, "three", w->reduce_three, w->three, 3, 1),
                             .reduce_five = normed_new(ps, "reduce_five", in, w->reduce_five, 1, 1),
                             .five = normed_new(ps, "five", w->reduce_five, w->five, 5, 1),
                             .pooled = normed_new(ps, "pooled", in, w->pooled, 1, 1)};
    rg_params_scope_pop(ps);
    return block;
}

static rg_tensor rectified(rg_tape *t, const normed *n, rg_tensor x)
{
    return rg_relu(t, normed_forward(t, n, x));
}

/* Four paths see the same input; their channels stand one after the other in the result. */
static rg_tensor inception_forward(rg_tape *t, const inception *block, rg_tensor x)
{
    const rg_pool_config pool = {.stride = RG_SHAPE(1), .padding = RG_SHAPE(1)};
    rg_scope_push(t, block->name);
    const rg_tensor paths[] = {
        rectified(t, &block->one, x),
        rectified(t, &block->three, rectified(t, &block->reduce_three, x)),
        rectified(t, &block->five, rectified(t, &block->reduce_five, x)),
        rectified(t, &block->pooled, rg_max_pool2d(t, x, RG_SHAPE(3), &pool)),
    };
    const rg_tensor y = rg_cat(t, paths, 4, 1);
    rg_scope_pop(t);
    return y;
}

typedef struct googlenet {
    normed stem[2];
    inception block[2];
    rg_linear out;
} googlenet;

static googlenet googlenet_new(rg_params *ps)
{
    static const inception_widths widths[2] = {{16, 16, 32, 4, 8, 8}, {32, 32, 64, 8, 16, 16}};
    return (googlenet){
        .stem = {normed_new(ps, "stem1", 1, 16, 3, 1), normed_new(ps, "stem2", 16, 32, 3, 1)},
        .block = {inception_new(ps, "block1", 32, &widths[0]),
                  inception_new(ps, "block2", inception_out(&widths[0]), &widths[1])},
        .out = rg_linear_new(ps, "out", inception_out(&widths[1]), CLASSES),
    };
}

static rg_tensor googlenet_forward(rg_tape *t, const googlenet *net, rg_tensor x)
{
    x = rg_max_pool2d(t, rectified(t, &net->stem[0], x), RG_SHAPE(2), NULL);
    x = inception_forward(t, &net->block[0], rectified(t, &net->stem[1], x));
    x = inception_forward(t, &net->block[1], rg_max_pool2d(t, x, RG_SHAPE(2), NULL));
    x = rg_mean(t, x, RG_AXES(2, 3), false);
    return rg_linear_forward(t, &net->out, rg_dropout_layer(t, x, 0.4));
}

/* ---- ResNet: a convolution and a pooling, then two blocks, 28 -> 14 -> 7 -> 3 ------------------------------------------- */

enum { BLOCKS = 2 };

typedef struct residual {
    const char *name;
    normed first, second, shortcut;
    bool projects; /* else the shortcut is x itself */
} residual;

typedef struct resnet {
    normed stem;
    residual block[BLOCKS];
    rg_linear out;
} resnet;

static residual residual_new(rg_params *ps, const char *name, int64_t in, int64_t out, int64_t stride)
{
    rg_params_scope_push(ps, name);
    residual block = {.name = name,
                      .first = normed_new(ps, "first", in, out, 3, stride),
                      .second = normed_new(ps, "second", out, out, 3, 1),
                      .projects = in != out};
    if (block.projects)
        block.shortcut = normed_new(ps, "shortcut", in, out, 1, stride);
    rg_params_scope_pop(ps);
    return block;
}

static rg_tensor residual_forward(rg_tape *t, const residual *block, rg_tensor x)
{
    rg_scope_push(t, block->name);
    rg_tensor y = normed_forward(t, &block->second, rectified(t, &block->first, x));
    y = rg_relu(t, rg_add(t, y, block->projects ? normed_forward(t, &block->shortcut, x) : x));
    rg_scope_pop(t);
    return y;
}

static resnet resnet_new(rg_params *ps)
{
    static const char *const names[BLOCKS] = {"b1", "b2"};
    static const int64_t channels[BLOCKS + 1] = {32, 64, 128}, stride[BLOCKS] = {1, 2};
    resnet net = {.stem = normed_new(ps, "stem", 1, channels[0], 3, 1),
                  .out = rg_linear_new(ps, "out", channels[BLOCKS] * 3 * 3, CLASSES)};
    for (int i = 0; i < BLOCKS; i++)
        net.block[i] = residual_new(ps, names[i], channels[i], channels[i + 1], stride[i]);
    return net;
}

static rg_tensor resnet_forward(rg_tape *t, const resnet *net, rg_tensor x)
{
    x = rg_max_pool2d(t, rectified(t, &net->stem, x), RG_SHAPE(2), NULL);
    for (int i = 0; i < BLOCKS; i++)
        x = residual_forward(t, &net->block[i], x);
    x = rg_flatten(t, rg_max_pool2d(t, x, RG_SHAPE(2), NULL), 1, -1);
    return rg_linear_forward(t, &net->out, rg_dropout_layer(t, x, 0.3));
}

/* ---- how each is trained --------------------------------------------------------------------------------------------- */

enum { VGG, GOOGLENET, RESNET, VARIANTS };
static const char *const variants[VARIANTS + 1] = {"vgg", "googlenet", "resnet", NULL};

static const struct recipe {
    effort full, brief;
} recipes[VARIANTS] = {
    [VGG] = {.full = {0, 10, 91, 0.02}, .brief = {400, 2, 35, 0.02}},
    [GOOGLENET] = {.full = {0, 12, 91, 0.1}, .brief = {400, 2, 40, 0.1}},
    [RESNET] = {.full = {0, 20, 93.5, 0.1}, .brief = {200, 2, 40, 0.01}},
};

typedef struct network {
    int variant;
    vgg vgg;
    googlenet googlenet;
    resnet resnet;
} network;

static rg_tensor forward(rg_tape *t, const void *network_, rg_tensor x)
{
    const network *net = network_;
    switch (net->variant) {
    case VGG: return vgg_forward(t, &net->vgg, x);
    case GOOGLENET: return googlenet_forward(t, &net->googlenet, x);
    default: return resnet_forward(t, &net->resnet, x);
    }
}

static bool learn(const options *o)
{
    const rg_augment_config augment = {.shift = 1, .flip_horizontal = 0.5};
    const double high = o->brief ? recipes[o->variant].brief.high : recipes[o->variant].full.high;
    network net = {.variant = o->variant};
    classifier c = {.tape = rg_tape_new(&(rg_tape_config){.seed = (uint64_t)o->seed, .threads = (int)o->threads}),
                    .params = rg_params_new((uint64_t)o->seed),
                    .forward = forward,
                    .network = &net,
                    .smoothing = 0.05,
                    .high = high};
    switch (o->variant) {
    case VGG: net.vgg = vgg_new(c.params); break;
    case GOOGLENET: net.googlenet = googlenet_new(c.params); break;
    default: net.resnet = resnet_new(c.params);
    }
    c.optim = rg_sgd_new(c.params, &(rg_sgd_config){.lr = high, .momentum = 0.9, .nesterov = true, .weight_decay = 5e-4});
    const bool good = classifier_run(&c, o->brief ? BRIEF_BATCH : BATCH, &augment, o);
    classifier_free(&c);
    return good;
}

int main(int argc, char **argv)
{
    static const char about[] =
        "VGG, GoogLeNet and ResNet, small, on Fashion-MNIST. The result is the test accuracy after\n"
        "the last epoch, in percent. Each variant has its own --epochs, --limit and --require.";
    options full[VARIANTS], brief[VARIANTS];
    for (int v = 0; v < VARIANTS; v++) {
        full[v] = effort_options(recipes[v].full, false, variants);
        brief[v] = effort_options(recipes[v].brief, true, variants);
    }
    const options o = read_variant_options(argc, argv, about, full, brief, RESNET);
    return learn(&o) ? 0 : 1;
}
