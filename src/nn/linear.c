/* Layers: linear and bilinear. Recorded with the public ops alone. */
#include "layer.h"

#include <inttypes.h>
#include <math.h>

/* Uniform in +-1/sqrt(fan), PyTorch's default for products of matrices. */
static void spread(rg_param *p, int64_t fan)
{
    const double bound = fan > 0 ? 1 / sqrt((double)fan) : 0;
    rg_init_uniform(p, -bound, bound);
}

rg_linear rg_linear_new(rg_params *ps, const char *name, int64_t in, int64_t out)
{
    rg_linear layer = {.name = rg__layer_open(ps, "linear_new", name)};
    if (layer.name == NULL)
        return layer;
    rg_param *weight = rg__layer_param(ps, "weight", RG_SHAPE(out, in), 0);
    rg_param *bias = weight != NULL ? rg__layer_param(ps, "bias", RG_SHAPE(out), 0) : NULL;
    rg_params_scope_pop(ps);
    /* Without its bias the layer must not pass for one that has none: it gets no weight either, which forward reports. */
    if (bias == NULL)
        return layer;
    spread(weight, in);
    spread(bias, in);
    layer.weight = weight;
    layer.bias = bias;
    return layer;
}

rg_tensor rg_linear_forward(rg_tape *t, const rg_linear *layer, rg_tensor x)
{
    if (layer == NULL || layer->weight == NULL)
        return rg__layer_unusable(t, "linear_forward", layer, layer != NULL ? layer->name : NULL);
    rg__layer_enter(t, layer->name);
    const rg_tensor weight = rg_leaf(t, layer->weight), bias = rg__layer_leaf(t, layer->bias);
    return rg__layer_leave(t, layer->name, rg_affine(t, x, weight, bias));
}

rg_bilinear_layer rg_bilinear_layer_new(rg_params *ps, const char *name, int64_t in1, int64_t in2, int64_t out,
                                        bool no_bias)
{
    rg_bilinear_layer layer = {.name = rg__layer_open(ps, "bilinear_layer_new", name)};
    if (layer.name == NULL)
        return layer;
    if (in1 <= 0) /* as in PyTorch, for whose bounds there must be one */
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "bilinear_layer_new: '%s' has in1 = %" PRId64 "; it must be above 0",
                       name, in1);
    rg_param *weight = rg__layer_param(ps, "weight", RG_SHAPE(out, in1, in2), 0);
    rg_param *bias = weight != NULL && !no_bias ? rg__layer_param(ps, "bias", RG_SHAPE(out), 0) : NULL;
    rg_params_scope_pop(ps);
    if (weight == NULL || (bias == NULL && !no_bias))
        return layer;
    spread(weight, in1);
    spread(bias, in1);
    layer.weight = weight;
    layer.bias = bias;
    return layer;
}

/* x1 and x2 are [..., in1] and [..., in2] of the weight, and otherwise of one shape. */
static bool check_factors(rg_tape *t, rg_shape weight, rg_tensor x1, rg_tensor x2)
{
    if (!rg__check_float(t, "bilinear_layer_forward", "x1", x1) ||
        !rg__check_float(t, "bilinear_layer_forward", "x2", x2))
        return false;
    const rg_shape a = rg_shape_of(t, x1), b = rg_shape_of(t, x2);
    bool fit =
        a.rank > 0 && a.rank == b.rank && a.dims[a.rank - 1] == weight.dims[1] && b.dims[b.rank - 1] == weight.dims[2];
    for (int i = 0; fit && i < a.rank - 1; i++)
        fit = a.dims[i] == b.dims[i];
    if (!fit)
        rg_tape_fail(
            t, RG_ERROR_SHAPE,
            "bilinear_layer_forward: x1 %s, x2 %s and weight %s do not fit: [..., in1], [..., in2], [out, in1, in2]",
            RG__SHAPE_TEXT(a), RG__SHAPE_TEXT(b), RG__SHAPE_TEXT(weight));
    return !rg_failed(t);
}

/* x1 by all of the weight as one matrix product, then each row's out by in2 matrix by its x2. */
static rg_tensor bilinear(rg_tape *t, rg_tensor x1, rg_tensor x2, rg_tensor weight, rg_tensor bias)
{
    const rg_shape w = rg_shape_of(t, weight);
    if (!check_factors(t, w, x1, x2))
        return RG_NIL;
    rg_shape shape = rg_shape_of(t, x1);
    int64_t rows = 1;
    for (int i = 0; i < shape.rank - 1; i++)
        rows *= shape.dims[i];
    const int64_t out = w.dims[0], in1 = w.dims[1], in2 = w.dims[2];
    const rg_tensor by_in1 = rg_reshape(t, rg_permute(t, weight, RG_AXES(1, 0, 2)), RG_SHAPE(in1, out * in2));
    const rg_tensor left = rg_matmul(t, rg_reshape(t, x1, RG_SHAPE(rows, in1)), by_in1);
    const rg_tensor products =
        rg_matmul(t, rg_reshape(t, left, RG_SHAPE(rows, out, in2)), rg_reshape(t, x2, RG_SHAPE(rows, in2, 1)));
    shape.dims[shape.rank - 1] = out;
    const rg_tensor y = rg_reshape(t, products, shape);
    return rg_is_nil(bias) ? y : rg_add(t, y, bias);
}

rg_tensor rg_bilinear_layer_forward(rg_tape *t, const rg_bilinear_layer *layer, rg_tensor x1, rg_tensor x2)
{
    if (layer == NULL || layer->weight == NULL)
        return rg__layer_unusable(t, "bilinear_layer_forward", layer, layer != NULL ? layer->name : NULL);
    rg__layer_enter(t, layer->name);
    const rg_tensor weight = rg_leaf(t, layer->weight), bias = rg__layer_leaf(t, layer->bias);
    return rg__layer_leave(t, layer->name, bilinear(t, x1, x2, weight, bias));
}
