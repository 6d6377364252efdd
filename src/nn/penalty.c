/* Penalties on the size of parameters. */
#include "check.h"

#include <math.h>

static rg_tensor penalty(rg_tape *t, const char *function, rg_tensor (*size)(rg_tape *t, rg_tensor x), rg_params *ps,
                         const char *pattern, double strength)
{
    if (ps == NULL)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: the store is NULL", function);
    if (!rg__check_range(t, function, "strength", strength, INFINITY, true))
        return RG_NIL;
    const rg_dtype dtype = rg_params_dtype(ps);
    rg_tensor total = rg_constant(t, dtype, 0);
    int matches = 0;
    for (int i = 0; i < rg_params_count(ps); i++) {
        rg_param *const p = rg_params_at(ps, i);
        if (rg_param_kind_of(p) != RG_PARAM || (pattern != NULL && !rg_name_matches(rg_param_name(p), pattern)))
            continue;
        matches++;
        const rg_dtype of_p = rg_param_dtype(p);
        if (!rg_param_trainable(p) || (of_p != RG_F32 && of_p != RG_F64))
            continue;
        rg_tensor sum = rg_sum(t, size(t, rg_leaf(t, p)), RG_ALL, false);
        if (of_p != dtype)
            sum = rg_cast(t, sum, dtype);
        total = rg_add(t, total, sum);
    }
    if (pattern != NULL && matches == 0)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: no parameter's name matches '%s'", function, pattern);
    return rg_mul_scalar(t, total, strength);
}

rg_tensor rg_l1_penalty(rg_tape *t, rg_params *ps, const char *pattern, double strength)
{
    return penalty(t, "l1_penalty", rg_abs, ps, pattern, strength);
}

rg_tensor rg_l2_penalty(rg_tape *t, rg_params *ps, const char *pattern, double strength)
{
    return penalty(t, "l2_penalty", rg_square, ps, pattern, strength);
}
