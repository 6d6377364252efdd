/* Gradient clipping: by the norm of all gradients together, and by value. */
#include "check.h"

#include <math.h>

/* The gradient of entry i, nil where it has none or is no parameter. */
static rg_tensor gradient_at(rg_tape *t, rg_params *ps, int i)
{
    rg_param *p = rg_params_at(ps, i);
    return rg_param_kind_of(p) == RG_PARAM ? rg_param_grad(t, p) : RG_NIL;
}

static bool check_limit(rg_tape *t, rg_params *ps, const char *function, const char *name, double limit)
{
    if (ps == NULL)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: the store is NULL", function);
    if (!(limit >= 0))
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: %s is %g; it must not be negative", function, name, limit);
    return !rg_failed(t);
}

/* sqrt of the sum of all squares; f64 if one of the gradients is. */
static rg_tensor gradient_norm(rg_tape *t, rg_params *ps)
{
    const int count = rg_params_count(ps);
    rg_tensor total = RG_NIL;
    for (int i = 0; i < count; i++) {
        const rg_tensor g = gradient_at(t, ps, i);
        if (rg_is_nil(g))
            continue;
        rg_tensor squares = rg_sum(t, rg_square(t, g), RG_ALL, false);
        if (rg_is_nil(total)) {
            total = squares;
            continue;
        }
        if (rg_dtype_of(t, total) != rg_dtype_of(t, squares)) {
            total = rg_cast(t, total, RG_F64);
            squares = rg_cast(t, squares, RG_F64);
        }
        total = rg_add(t, total, squares);
    }
    return rg_is_nil(total) ? rg_constant(t, rg_params_dtype(ps), 0) : rg_sqrt(t, total);
}

rg_tensor rg_clip_grad_norm(rg_tape *t, rg_params *ps, double max_norm)
{
    if (!check_limit(t, ps, "clip_grad_norm", "max_norm", max_norm))
        return RG_NIL;
    rg_mode_push(t, RG_NO_GRAD);
    rg_scope_push(t, "clip");
    const rg_tensor norm = gradient_norm(t, ps);
    const rg_tensor limit = rg_constant(t, rg_dtype_of(t, norm), max_norm);
    const rg_tensor scale = rg_clamp(t, rg_div(t, limit, rg_add_scalar(t, norm, 1e-6)), -INFINITY, 1);
    const int count = rg_params_count(ps);
    for (int i = 0; i < count; i++) {
        const rg_tensor g = gradient_at(t, ps, i);
        if (!rg_is_nil(g))
            rg_param_set_grad(t, rg_params_at(ps, i), rg_mul(t, g, rg_cast(t, scale, rg_dtype_of(t, g))));
    }
    rg_scope_pop(t);
    rg_mode_pop(t);
    return norm;
}

void rg_clip_grad_value(rg_tape *t, rg_params *ps, double limit)
{
    if (!check_limit(t, ps, "clip_grad_value", "limit", limit))
        return;
    rg_mode_push(t, RG_NO_GRAD);
    rg_scope_push(t, "clip");
    const int count = rg_params_count(ps);
    for (int i = 0; i < count; i++) {
        const rg_tensor g = gradient_at(t, ps, i);
        if (!rg_is_nil(g))
            rg_param_set_grad(t, rg_params_at(ps, i), rg_clamp(t, g, -limit, limit));
    }
    rg_scope_pop(t);
    rg_mode_pop(t);
}
