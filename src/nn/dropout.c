/* Layers without parameters, that behave otherwise in training: dropout and its kin. Recorded with the public ops alone. */
#include "check.h"

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

rg_tensor rg_dropout_layer(rg_tape *t, rg_tensor x, double p)
{
    return rg_dropout(t, x, p, rg_training(t));
}

rg_tensor rg_feature_dropout_layer(rg_tape *t, rg_tensor x, double p)
{
    return rg_feature_dropout(t, x, p, rg_training(t));
}

rg_tensor rg_alpha_dropout_layer(rg_tape *t, rg_tensor x, double p)
{
    return rg_alpha_dropout(t, x, p, rg_training(t));
}

rg_tensor rg_rrelu_layer(rg_tape *t, rg_tensor x, double lower, double upper)
{
    return rg_rrelu(t, x, lower, upper, rg_training(t));
}
