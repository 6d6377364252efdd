/* Layers: embedding; and PReLU, which has a table of its own, one slope a channel. Recorded with the public ops alone. */
#include "layer.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Zeros in one row of a matrix. */
static void clear_row(rg_param *p, int64_t row)
{
    const rg_shape shape = rg_param_shape(p);
    const size_t size = rg_dtype_size(rg_param_dtype(p)), bytes = (size_t)rg_param_numel(p) * size;
    const size_t width = (size_t)shape.dims[1] * size;
    if (bytes == 0)
        return;
    char *values = malloc(bytes);
    if (values == NULL) {
        rg_params_fail(rg_param_store(p), RG_ERROR_MEMORY, "embedding_layer_new: no memory for the %zu bytes of '%s'",
                       bytes, rg_param_name(p));
        return;
    }
    memcpy(values, rg_param_data(p), bytes);
    memset(values + (size_t)row * width, 0, width);
    rg_param_set(p, values, bytes);
    free(values);
}

/* The configuration is one that PyTorch takes; *padding becomes the row counted from the beginning. */
static bool check_embedding(rg_params *ps, const char *name, int64_t rows, const rg_embedding_layer *layer)
{
    if (layer->padded && (layer->padding < 0 || layer->padding >= rows))
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "embedding_layer_new: '%s' has no row for its padding among its %" PRId64,
                       name, rows);
    if (!(layer->max_norm >= 0 && isfinite(layer->max_norm)))
        rg_params_fail(ps, RG_ERROR_ARGUMENT,
                       "embedding_layer_new: max_norm of '%s' is %g; it must be finite and not negative", name,
                       layer->max_norm);
    if (isnan(layer->norm_type))
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "embedding_layer_new: norm_type of '%s' is NaN", name);
    return rg_params_status(ps) == RG_OK;
}

rg_embedding_layer rg_embedding_layer_new(rg_params *ps, const char *name, int64_t rows, int64_t width,
                                          const rg_embedding_config *config)
{
    const rg_embedding_config c = config != NULL ? *config : (rg_embedding_config){0};
    rg_embedding_layer layer = {.name = rg__layer_open(ps, "embedding_layer_new", name),
                                .padded = c.padding != NULL,
                                .max_norm = c.max_norm,
                                .norm_type = rg__or_default(c.norm_type, 2),
                                .scale_grad_by_freq = c.scale_grad_by_freq};
    if (layer.name == NULL)
        return layer;
    if (c.padding != NULL)
        layer.padding = *c.padding < 0 && rows > 0 ? *c.padding + rows : *c.padding;
    if (check_embedding(ps, name, rows, &layer)) {
        rg_param *weight = rg__layer_param(ps, "weight", RG_SHAPE(rows, width), 0);
        rg_init_normal(weight, 0, 1);
        if (weight != NULL && layer.padded)
            clear_row(weight, layer.padding);
        if (rg_params_status(ps) == RG_OK)
            layer.weight = weight;
    }
    rg_params_scope_pop(ps);
    return layer;
}

/* Rows of the parameter that are looked up and longer than max_norm are scaled down to it. Where an index names a row
 * twice, both write the same. */
static void renormalise(rg_tape *t, const rg_embedding_layer *layer, rg_tensor rows)
{
    rg_mode_push(t, RG_NO_GRAD);
    const rg_tensor weight = rg_leaf(t, layer->weight);
    const rg_tensor found = rg_index_select(t, weight, 0, rows);
    const rg_tensor norm = rg_norm(t, found, layer->norm_type, RG_AXES(1), true);
    const rg_tensor limit = rg_constant(t, rg_dtype_of(t, weight), layer->max_norm);
    const rg_tensor scale = rg_div(t, limit, rg_add_scalar(t, norm, 1e-7));
    const rg_tensor shorter = rg_where(t, rg_gt(t, norm, limit), rg_mul(t, found, scale), found);
    rg_assign(t, layer->weight, rg_index_copy(t, weight, 0, rows, shorter));
    rg_mode_pop(t);
}

/* y with a gradient divided by how often the index names each row. */
static rg_tensor scale_by_frequency(rg_tape *t, rg_tensor weight, rg_tensor rows, rg_tensor y)
{
    const rg_dtype dtype = rg_dtype_of(t, y);
    rg_mode_push(t, RG_NO_GRAD);
    const rg_tensor none = rg_zeros(t, dtype, RG_SHAPE(rg_dim(t, weight, 0)));
    const rg_tensor ones = rg_ones(t, dtype, RG_SHAPE(rg_numel(t, rows)));
    const rg_tensor often = rg_index_select(t, rg_scatter_add(t, none, 0, rows, ones), 0, rows);
    rg_shape shape = rg_shape_of(t, y);
    shape.dims[shape.rank - 1] = 1;
    const rg_tensor share = rg_reshape(t, rg_reciprocal(t, often), shape);
    rg_mode_pop(t);
    return rg_straight_through(t, y, rg_mul(t, y, share));
}

rg_tensor rg_embedding_layer_forward(rg_tape *t, const rg_embedding_layer *layer, rg_tensor index)
{
    if (layer == NULL || layer->weight == NULL)
        return rg__layer_unusable(t, "embedding_layer_forward", layer, layer != NULL ? layer->name : NULL);
    rg__layer_enter(t, layer->name);
    rg_tensor rows = RG_NIL;
    if (layer->max_norm > 0 || layer->scale_grad_by_freq)
        rows = rg_reshape(t, index, RG_SHAPE(rg_numel(t, index)));
    if (layer->max_norm > 0)
        renormalise(t, layer, rows);
    const rg_tensor weight = rg_leaf(t, layer->weight);
    rg_tensor y = rg_embedding(t, index, weight, layer->padded ? &layer->padding : NULL);
    if (layer->scale_grad_by_freq && !rg_failed(t))
        y = scale_by_frequency(t, weight, rows, y);
    return rg__layer_leave(t, layer->name, y);
}

/* ---- PReLU ---------------------------------------------------------------------------------------------------------- */

rg_prelu_layer rg_prelu_layer_new(rg_params *ps, const char *name, int64_t count)
{
    rg_prelu_layer layer = {.name = rg__layer_open(ps, "prelu_layer_new", name)};
    if (layer.name == NULL)
        return layer;
    if (count <= 0)
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "prelu_layer_new: '%s' has %" PRId64 " slopes; there must be one or more",
                       name, count);
    layer.weight = rg__layer_param(ps, "weight", RG_SHAPE(count), 0.25);
    rg_params_scope_pop(ps);
    return layer;
}

rg_tensor rg_prelu_layer_forward(rg_tape *t, const rg_prelu_layer *layer, rg_tensor x)
{
    if (layer == NULL || layer->weight == NULL)
        return rg__layer_unusable(t, "prelu_layer_forward", layer, layer != NULL ? layer->name : NULL);
    rg__layer_enter(t, layer->name);
    return rg__layer_leave(t, layer->name, rg_prelu(t, x, rg_leaf(t, layer->weight)));
}
