/* What the files of layers share. See layer.h. */
#include "layer.h"

rg_param *rg__layer_param(rg_params *ps, const char *name, rg_shape shape, double value)
{
    rg_param *p = rg_param_new(ps, name, rg_params_dtype(ps), shape, NULL);
    if (value != 0)
        rg_init_constant(p, value);
    return p;
}

rg_param *rg__layer_buffer(rg_params *ps, const char *name, rg_shape shape, double value)
{
    rg_param *p = rg_buffer_new(ps, name, rg_params_dtype(ps), shape, NULL);
    if (value != 0)
        rg_init_constant(p, value);
    return p;
}

rg_tensor rg__layer_unusable(rg_tape *t, const char *function, const void *layer, const char *name)
{
    if (layer == NULL)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: the layer is NULL", function);
    else
        rg_tape_fail(t, RG_ERROR_STATE, "%s: layer '%s' could not be made: see the error of its store", function,
                     name != NULL ? name : "");
    return RG_NIL;
}

void rg__layer_enter(rg_tape *t, const char *name)
{
    if (name != NULL)
        rg_scope_push(t, name);
}

rg_tensor rg__layer_leave(rg_tape *t, const char *name, rg_tensor y)
{
    if (name != NULL)
        rg_scope_pop(t);
    return y;
}

bool rg__layer_channels(rg_tape *t, const char *function, rg_tensor x, int64_t channels)
{
    if (!rg__check_float(t, function, "x", x))
        return false;
    const rg_shape shape = rg_shape_of(t, x);
    if (shape.rank < 2 || shape.dims[1] != channels)
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: x %s must be [n, channels, ...] with %lld channels", function,
                     RG__SHAPE_TEXT(shape), (long long)channels);
    return !rg_failed(t);
}

rg_tensor rg__layer_leaf(rg_tape *t, rg_param *p)
{
    return p != NULL ? rg_leaf(t, p) : RG_NIL;
}
