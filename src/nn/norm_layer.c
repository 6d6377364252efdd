/* Layers: layer, RMS and group norm, which keep no statistics. Recorded with the public ops alone. */
#include "layer.h"

#include <inttypes.h>

/* Makes the affine parameters that are wanted, ones and zeros; false where one could not be made. */
static bool make_affine(rg_params *ps, rg_shape shape, const rg_norm_config *c, rg_param **weight, rg_param **bias)
{
    if (c->no_affine)
        return rg_params_status(ps) == RG_OK;
    *weight = rg__layer_param(ps, "weight", shape, 1);
    if (bias != NULL && !c->no_bias)
        *bias = rg__layer_param(ps, "bias", shape, 0);
    return rg_params_status(ps) == RG_OK;
}

/* normalized is the shape of a parameter, with one axis at least. */
static bool check_normalized(rg_params *ps, const char *function, const char *name, rg_shape normalized)
{
    const bool fits = normalized.rank > 0 && rg_shape_numel(normalized) >= 0;
    if (!fits)
        rg_params_fail(ps, RG_ERROR_SHAPE,
                       "%s: '%s' is to normalise %s (rank %d); that must be the last extents of x, one or more",
                       function, name, RG__SHAPE_TEXT(normalized), normalized.rank);
    return fits && rg_params_status(ps) == RG_OK;
}

/* ---- layer norm --------------------------------------------------------------------------------------------------- */

rg_layer_norm_layer rg_layer_norm_layer_new(rg_params *ps, const char *name, rg_shape normalized,
                                            const rg_norm_config *config)
{
    const rg_norm_config c = config != NULL ? *config : (rg_norm_config){0};
    rg_layer_norm_layer layer = {.name = rg__layer_open(ps, "layer_norm_layer_new", name),
                                 .eps = rg__or_default(c.eps, 1e-5)};
    if (layer.name == NULL)
        return layer;
    if (check_normalized(ps, "layer_norm_layer_new", name, normalized) &&
        make_affine(ps, normalized, &c, &layer.weight, &layer.bias))
        layer.normalized = normalized;
    rg_params_scope_pop(ps);
    return layer;
}

rg_tensor rg_layer_norm_layer_forward(rg_tape *t, const rg_layer_norm_layer *layer, rg_tensor x)
{
    if (layer == NULL || layer->normalized.rank == 0)
        return rg__layer_unusable(t, "layer_norm_layer_forward", layer, layer != NULL ? layer->name : NULL);
    rg__layer_enter(t, layer->name);
    const rg_tensor weight = rg__layer_leaf(t, layer->weight), bias = rg__layer_leaf(t, layer->bias);
    return rg__layer_leave(t, layer->name, rg_layer_norm(t, x, layer->normalized, weight, bias, layer->eps));
}

/* ---- RMS norm ----------------------------------------------------------------------------------------------------- */

rg_rms_norm_layer rg_rms_norm_layer_new(rg_params *ps, const char *name, rg_shape normalized, const rg_norm_config *config)
{
    const rg_norm_config c = config != NULL ? *config : (rg_norm_config){0};
    rg_rms_norm_layer layer = {.name = rg__layer_open(ps, "rms_norm_layer_new", name), .eps = rg__or_default(c.eps, -1)};
    if (layer.name == NULL)
        return layer;
    if (check_normalized(ps, "rms_norm_layer_new", name, normalized) &&
        make_affine(ps, normalized, &c, &layer.weight, NULL))
        layer.normalized = normalized;
    rg_params_scope_pop(ps);
    return layer;
}

rg_tensor rg_rms_norm_layer_forward(rg_tape *t, const rg_rms_norm_layer *layer, rg_tensor x)
{
    if (layer == NULL || layer->normalized.rank == 0)
        return rg__layer_unusable(t, "rms_norm_layer_forward", layer, layer != NULL ? layer->name : NULL);
    rg__layer_enter(t, layer->name);
    const rg_tensor weight = rg__layer_leaf(t, layer->weight);
    return rg__layer_leave(t, layer->name, rg_rms_norm(t, x, layer->normalized, weight, layer->eps));
}

/* ---- group norm ---------------------------------------------------------------------------------------------------- */

rg_group_norm_layer rg_group_norm_layer_new(rg_params *ps, const char *name, int64_t groups, int64_t channels,
                                            const rg_norm_config *config)
{
    const rg_norm_config c = config != NULL ? *config : (rg_norm_config){0};
    rg_group_norm_layer layer = {.name = rg__layer_open(ps, "group_norm_layer_new", name),
                                 .eps = rg__or_default(c.eps, 1e-5)};
    if (layer.name == NULL)
        return layer;
    if (groups <= 0 || channels <= 0 || channels % groups != 0)
        rg_params_fail(ps, RG_ERROR_ARGUMENT,
                       "group_norm_layer_new: '%s' has %" PRId64 " groups of %" PRId64
                       " channels; both must be above 0, and the groups divide the channels",
                       name, groups, channels);
    else if (make_affine(ps, RG_SHAPE(channels), &c, &layer.weight, &layer.bias)) {
        layer.groups = groups;
        layer.channels = channels;
    }
    rg_params_scope_pop(ps);
    return layer;
}

rg_tensor rg_group_norm_layer_forward(rg_tape *t, const rg_group_norm_layer *layer, rg_tensor x)
{
    if (layer == NULL || layer->channels == 0)
        return rg__layer_unusable(t, "group_norm_layer_forward", layer, layer != NULL ? layer->name : NULL);
    rg__layer_enter(t, layer->name);
    const rg_tensor weight = rg__layer_leaf(t, layer->weight), bias = rg__layer_leaf(t, layer->bias);
    rg_tensor y = RG_NIL;
    if (rg__layer_channels(t, "group_norm_layer_forward", x, layer->channels))
        y = rg_group_norm(t, x, layer->groups, weight, bias, layer->eps);
    return rg__layer_leave(t, layer->name, y);
}
