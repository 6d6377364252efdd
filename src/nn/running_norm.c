/* Layers: batch and instance norm, which keep running statistics. Recorded with the public ops alone. */
#include "layer.h"

#include <inttypes.h>

static bool check_new(rg_params *ps, const char *function, const char *name, int64_t channels)
{
    if (channels <= 0)
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "%s: '%s' has %" PRId64 " channels; there must be one or more", function,
                       name, channels);
    return rg_params_status(ps) == RG_OK;
}

/* The entry of the count is a whole number whatever the store's dtype. */
static rg_param *new_count(rg_params *ps)
{
    return rg_buffer_new(ps, "num_batches_tracked", RG_I64, RG_SCALAR, NULL);
}

/* Running statistics as tensors; false where the layer keeps none. */
static bool read_running(rg_tape *t, rg_param *mean, rg_param *var, rg_running *running)
{
    if (mean == NULL || var == NULL)
        return false;
    running->mean = rg_leaf(t, mean);
    running->var = rg_leaf(t, var);
    return true;
}

/* ---- batch norm ----------------------------------------------------------------------------------------------------- */

rg_batch_norm_layer rg_batch_norm_layer_new(rg_params *ps, const char *name, int64_t channels,
                                            const rg_batch_norm_config *config)
{
    const rg_batch_norm_config c = config != NULL ? *config : (rg_batch_norm_config){0};
    rg_batch_norm_layer layer = {.name = rg__layer_open(ps, "batch_norm_layer_new", name),
                                 .eps = rg__or_default(c.eps, 1e-5),
                                 .momentum = rg__or_default(c.momentum, 0.1),
                                 .cumulative = c.cumulative};
    if (layer.name == NULL)
        return layer;
    const rg_shape shape = RG_SHAPE(channels);
    if (check_new(ps, "batch_norm_layer_new", name, channels)) {
        if (!c.no_affine)
            layer.weight = rg__layer_param(ps, "weight", shape, 1);
        if (!c.no_affine && !c.no_bias)
            layer.bias = rg__layer_param(ps, "bias", shape, 0);
        if (!c.no_tracking) {
            layer.running_mean = rg__layer_buffer(ps, "running_mean", shape, 0);
            layer.running_var = rg__layer_buffer(ps, "running_var", shape, 1);
            layer.num_batches_tracked = new_count(ps);
        }
        layer.channels = rg_params_status(ps) == RG_OK ? channels : 0;
    }
    rg_params_scope_pop(ps);
    return layer;
}

/* (1 - share) old + share new, assigned. */
static void assign_mixed(rg_tape *t, rg_param *p, rg_tensor new_share, rg_tensor old_share, rg_tensor value)
{
    const rg_dtype dtype = rg_param_dtype(p);
    const rg_tensor old = rg_mul(t, rg_leaf(t, p), rg_cast(t, old_share, dtype));
    rg_assign(t, p, rg_add(t, old, rg_mul(t, value, rg_cast(t, new_share, dtype))));
}

/* The running statistics after a batch. `updated` is what the op made of them; for the mean over all batches it was told
 * to take those of the batch alone (momentum 1). */
static void assign_running(rg_tape *t, const rg_batch_norm_layer *layer, const rg_running *updated)
{
    rg_mode_push(t, RG_NO_GRAD);
    rg_tensor count = RG_NIL;
    if (layer->num_batches_tracked != NULL) {
        count = rg_add_scalar(t, rg_leaf(t, layer->num_batches_tracked), 1);
        rg_assign(t, layer->num_batches_tracked, count);
    }
    if (layer->cumulative) {
        const rg_tensor share = rg_reciprocal(t, rg_cast(t, count, RG_F64));
        const rg_tensor rest = rg_add_scalar(t, rg_neg(t, share), 1);
        assign_mixed(t, layer->running_mean, share, rest, updated->mean);
        assign_mixed(t, layer->running_var, share, rest, updated->var);
    } else {
        rg_assign(t, layer->running_mean, updated->mean);
        rg_assign(t, layer->running_var, updated->var);
    }
    rg_mode_pop(t);
}

static rg_tensor batch_norm(rg_tape *t, const rg_batch_norm_layer *layer, rg_tensor x)
{
    if (!rg__layer_channels(t, "batch_norm_layer_forward", x, layer->channels))
        return RG_NIL;
    const rg_tensor weight = rg__layer_leaf(t, layer->weight), bias = rg__layer_leaf(t, layer->bias);
    rg_running running;
    const bool tracked = read_running(t, layer->running_mean, layer->running_var, &running);
    const bool update = tracked && rg_training(t);
    if (update && layer->cumulative && layer->num_batches_tracked == NULL) {
        rg_tape_fail(t, RG_ERROR_STATE, "batch_norm_layer_forward: a mean over all batches needs num_batches_tracked");
        return RG_NIL;
    }
    const rg_tensor y = rg_batch_norm(t, x, tracked ? &running : NULL, weight, bias, update || !tracked,
                                      layer->cumulative ? 1 : layer->momentum, layer->eps);
    if (update)
        assign_running(t, layer, &running);
    return y;
}

rg_tensor rg_batch_norm_layer_forward(rg_tape *t, const rg_batch_norm_layer *layer, rg_tensor x)
{
    if (layer == NULL || layer->channels == 0)
        return rg__layer_unusable(t, "batch_norm_layer_forward", layer, layer != NULL ? layer->name : NULL);
    rg__layer_enter(t, layer->name);
    return rg__layer_leave(t, layer->name, batch_norm(t, layer, x));
}

/* ---- instance norm -------------------------------------------------------------------------------------------------- */

rg_instance_norm_layer rg_instance_norm_layer_new(rg_params *ps, const char *name, int64_t channels,
                                                  const rg_instance_norm_config *config)
{
    const rg_instance_norm_config c = config != NULL ? *config : (rg_instance_norm_config){0};
    rg_instance_norm_layer layer = {.name = rg__layer_open(ps, "instance_norm_layer_new", name),
                                    .eps = rg__or_default(c.eps, 1e-5),
                                    .momentum = rg__or_default(c.momentum, 0.1)};
    if (layer.name == NULL)
        return layer;
    const rg_shape shape = RG_SHAPE(channels);
    if (check_new(ps, "instance_norm_layer_new", name, channels)) {
        if (c.affine) {
            layer.weight = rg__layer_param(ps, "weight", shape, 1);
            layer.bias = rg__layer_param(ps, "bias", shape, 0);
        }
        if (c.tracking) {
            layer.running_mean = rg__layer_buffer(ps, "running_mean", shape, 0);
            layer.running_var = rg__layer_buffer(ps, "running_var", shape, 1);
            layer.num_batches_tracked = new_count(ps);
        }
        layer.channels = rg_params_status(ps) == RG_OK ? channels : 0;
    }
    rg_params_scope_pop(ps);
    return layer;
}

static rg_tensor instance_norm(rg_tape *t, const rg_instance_norm_layer *layer, rg_tensor x)
{
    if (!rg__layer_channels(t, "instance_norm_layer_forward", x, layer->channels))
        return RG_NIL;
    const rg_tensor weight = rg__layer_leaf(t, layer->weight), bias = rg__layer_leaf(t, layer->bias);
    rg_running running;
    const bool tracked = read_running(t, layer->running_mean, layer->running_var, &running);
    const bool update = tracked && rg_training(t);
    const rg_tensor y =
        rg_instance_norm(t, x, tracked ? &running : NULL, weight, bias, update || !tracked, layer->momentum, layer->eps);
    if (update) {
        rg_assign(t, layer->running_mean, running.mean);
        rg_assign(t, layer->running_var, running.var);
    }
    return y;
}

rg_tensor rg_instance_norm_layer_forward(rg_tape *t, const rg_instance_norm_layer *layer, rg_tensor x)
{
    if (layer == NULL || layer->channels == 0)
        return rg__layer_unusable(t, "instance_norm_layer_forward", layer, layer != NULL ? layer->name : NULL);
    rg__layer_enter(t, layer->name);
    return rg__layer_leave(t, layer->name, instance_norm(t, layer, x));
}
