/* Layers: linear, dropout. Recorded with the public ops alone. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

rg_linear rg_linear_new(rg_params *ps, const char *name, int64_t in, int64_t out)
{
    rg_linear layer = {.name = rg__layer_open(ps, "linear_new", name)};
    if (layer.name == NULL)
        return layer;
    rg_param *weight = rg_param_new(ps, "weight", rg_params_dtype(ps), RG_SHAPE(out, in), NULL);
    rg_param *bias = weight != NULL ? rg_param_new(ps, "bias", rg_params_dtype(ps), RG_SHAPE(out), NULL) : NULL;
    rg_params_scope_pop(ps);
    /* Without its bias the layer must not pass for one that has none: it gets no weight either, which forward reports. */
    if (bias == NULL)
        return layer;
    const double bound = in > 0 ? 1 / sqrt((double)in) : 0;
    rg_init_uniform(weight, -bound, bound);
    rg_init_uniform(bias, -bound, bound);
    layer.weight = weight;
    layer.bias = bias;
    return layer;
}

rg_tensor rg_linear_forward(rg_tape *t, const rg_linear *layer, rg_tensor x)
{
    if (layer == NULL) {
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "linear_forward: the layer is NULL");
        return RG_NIL;
    }
    if (layer->weight == NULL) {
        rg_tape_fail(t, RG_ERROR_STATE, "linear_forward: layer '%s' has no weight: see the error of its store",
                     layer->name != NULL ? layer->name : "");
        return RG_NIL;
    }
    if (layer->name != NULL)
        rg_scope_push(t, layer->name);
    const rg_tensor weight = rg_leaf(t, layer->weight);
    const rg_tensor bias = layer->bias != NULL ? rg_leaf(t, layer->bias) : RG_NIL;
    const rg_tensor y = rg_affine(t, x, weight, bias);
    if (layer->name != NULL)
        rg_scope_pop(t);
    return y;
}

rg_tensor rg_dropout(rg_tape *t, rg_tensor x, double p, bool training)
{
    if (!rg__check_range(t, "dropout", "p", p, 1, false) || !rg__check_float(t, "dropout", "x", x))
        return RG_NIL;
    if (!training || p == 0)
        return x;
    const rg_tensor kept = rg_bernoulli(t, rg_shape_of(t, x), 1 - p);
    /* At p = 1 nothing is kept, and 1 / (1 - p) would not be finite. */
    const rg_tensor scaled = rg_mul_scalar(t, x, p < 1 ? 1 / (1 - p) : 1);
    return rg_where(t, kept, scaled, rg_constant(t, rg_dtype_of(t, x), 0));
}
