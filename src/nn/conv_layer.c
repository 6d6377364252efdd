/* Layers: convolution and its transpose, over one to three axes. Recorded with the public ops alone. */
#include "layer.h"

#include <inttypes.h>
#include <math.h>

/* What the ops cannot say before there is an x. */
static bool check_conv(rg_params *ps, const char *function, const char *name, int64_t in, int64_t out, rg_shape kernel,
                       const rg_conv_layer_config *c, bool transposed)
{
    bool window = kernel.rank >= 1 && kernel.rank <= 3;
    for (int i = 0; window && i < kernel.rank; i++)
        window = kernel.dims[i] > 0;
    if (!window)
        rg_params_fail(ps, RG_ERROR_SHAPE,
                       "%s: '%s' has the kernel %s (rank %d); it must have one to three extents above 0", function,
                       name, RG__SHAPE_TEXT(kernel), kernel.rank);
    else if (c->groups <= 0 || in < 0 || out < 0 || in % c->groups != 0 || out % c->groups != 0)
        rg_params_fail(ps, RG_ERROR_ARGUMENT,
                       "%s: '%s' has %" PRId64 " groups, %" PRId64 " channels in and %" PRId64
                       " out; groups must be above 0 and divide both",
                       function, name, c->groups, in, out);
    else if (transposed && (c->same || c->mode != RG_PAD_CONSTANT))
        rg_params_fail(ps, RG_ERROR_ARGUMENT,
                       "%s: '%s': a transposed convolution has zeros around it alone, and no `same`", function, name);
    return window && rg_params_status(ps) == RG_OK;
}

static rg_conv_layer new_layer(rg_params *ps, const char *function, const char *name, int64_t in, int64_t out,
                               rg_shape kernel, const rg_conv_layer_config *config, bool transposed)
{
    rg_conv_layer_config c = config != NULL ? *config : (rg_conv_layer_config){0};
    if (c.groups == 0)
        c.groups = 1;
    rg_conv_layer layer = {.name = rg__layer_open(ps, function, name), .transposed = transposed};
    layer.config = (rg_conv_config){.stride = c.stride,
                                    .padding = c.padding,
                                    .dilation = c.dilation,
                                    .output_padding = c.output_padding,
                                    .groups = c.groups,
                                    .same = c.same,
                                    .mode = c.mode};
    if (layer.name == NULL)
        return layer;
    rg_param *weight = NULL, *bias = NULL;
    if (check_conv(ps, function, name, in, out, kernel, &c, transposed)) {
        rg_shape shape = {.rank = 2 + kernel.rank, .dims = {transposed ? in : out, (transposed ? out : in) / c.groups}};
        for (int i = 0; i < kernel.rank; i++)
            shape.dims[2 + i] = kernel.dims[i];
        weight = rg__layer_param(ps, "weight", shape, 0);
        bias = weight != NULL && !c.no_bias ? rg__layer_param(ps, "bias", RG_SHAPE(out), 0) : NULL;
    }
    rg_params_scope_pop(ps);
    if (weight == NULL || (bias == NULL && !c.no_bias))
        return layer;
    const rg_shape made = rg_param_shape(weight);
    double fan = 1;
    for (int i = 1; i < made.rank; i++)
        fan *= (double)made.dims[i];
    const double bound = fan > 0 ? 1 / sqrt(fan) : 0;
    rg_init_uniform(weight, -bound, bound);
    rg_init_uniform(bias, -bound, bound);
    layer.weight = weight;
    layer.bias = bias;
    return layer;
}

rg_conv_layer rg_conv_layer_new(rg_params *ps, const char *name, int64_t in, int64_t out, rg_shape kernel,
                                const rg_conv_layer_config *config)
{
    return new_layer(ps, "conv_layer_new", name, in, out, kernel, config, false);
}

rg_conv_layer rg_conv_transpose_layer_new(rg_params *ps, const char *name, int64_t in, int64_t out, rg_shape kernel,
                                          const rg_conv_layer_config *config)
{
    return new_layer(ps, "conv_transpose_layer_new", name, in, out, kernel, config, true);
}

rg_tensor rg_conv_layer_forward(rg_tape *t, const rg_conv_layer *layer, rg_tensor x)
{
    typedef rg_tensor convolution(rg_tape *, rg_tensor, rg_tensor, rg_tensor, const rg_conv_config *);
    static convolution *const OPS[2][3] = {{rg_conv1d, rg_conv2d, rg_conv3d},
                                           {rg_conv_transpose1d, rg_conv_transpose2d, rg_conv_transpose3d}};
    if (layer == NULL || layer->weight == NULL)
        return rg__layer_unusable(t, "conv_layer_forward", layer, layer != NULL ? layer->name : NULL);
    const int axes = rg_param_shape(layer->weight).rank - 2;
    if (axes < 1 || axes > 3) { /* somebody replaced the weight */
        rg_tape_fail(t, RG_ERROR_SHAPE, "conv_layer_forward: the weight '%s' has the shape %s; it must have rank 3 to 5",
                     rg_param_name(layer->weight), RG__SHAPE_TEXT(rg_param_shape(layer->weight)));
        return RG_NIL;
    }
    rg__layer_enter(t, layer->name);
    const rg_tensor weight = rg_leaf(t, layer->weight), bias = rg__layer_leaf(t, layer->bias);
    return rg__layer_leave(t, layer->name, OPS[layer->transposed][axes - 1](t, x, weight, bias, &layer->config));
}
