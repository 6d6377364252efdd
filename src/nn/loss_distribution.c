/* Losses of distributions: the divergence of Kullback and Leibler, Poisson's and Gauss's likelihoods. */
#include "losses.h"

#include <math.h>

rg_tensor rg_kl_div(rg_tape *t, rg_tensor x, rg_tensor y, const rg_kl_div_config *config)
{
    const char *const function = "kl_div";
    const rg_kl_div_config c = config != NULL ? *config : (rg_kl_div_config){0};
    if (!rg__check_pair(t, function, "x", x, "y", y))
        return RG_NIL;
    rg_tensor loss;
    if (c.log_target)
        loss = rg_mul(t, rg_exp(t, y), rg_sub(t, y, x));
    else
        loss = rg_sub(t, rg_xlogy(t, y, y), rg_mul(t, y, x));
    if (!c.batch_mean)
        return rg__reduce_loss(t, function, loss, c.reduction);
    const rg_shape shape = rg_shape_of(t, x);
    const rg_tensor rows = rg_constant(t, rg_dtype_of(t, x), shape.rank > 0 ? (double)shape.dims[0] : 1);
    return rg_div(t, rg_sum(t, loss, RG_ALL, false), rows);
}

static double eps_or(double eps, double standard)
{
    return eps == 0 ? standard : eps;
}

rg_tensor rg_poisson_nll_loss(rg_tape *t, rg_tensor x, rg_tensor y, const rg_poisson_nll_config *config)
{
    const char *const function = "poisson_nll_loss";
    const rg_poisson_nll_config c = config != NULL ? *config : (rg_poisson_nll_config){0};
    const double eps = eps_or(c.eps, 1e-8);
    if (!rg__check_range(t, function, "eps", eps, INFINITY, true) || !rg__check_pair(t, function, "x", x, "y", y))
        return RG_NIL;
    rg_tensor loss;
    if (c.rate)
        loss = rg_sub(t, x, rg_mul(t, y, rg_log(t, rg_add_scalar(t, x, eps))));
    else
        loss = rg_sub(t, rg_exp(t, x), rg_mul(t, y, x));
    if (c.full) {
        const double pi = 3.14159265358979323846;
        const rg_dtype dtype = rg_dtype_of(t, y);
        /* Elsewhere a count of 1 stands in: its logarithm has a derivative, that of 0 has none to multiply by 0. */
        const rg_tensor many = rg_gt(t, y, rg_constant(t, dtype, 1));
        const rg_tensor k = rg_where(t, many, y, rg_constant(t, dtype, 1));
        const rg_tensor half_log = rg_mul_scalar(t, rg_log(t, rg_mul_scalar(t, k, 2 * pi)), 0.5);
        const rg_tensor stirling = rg_add(t, rg_sub(t, rg_mul(t, k, rg_log(t, k)), k), half_log);
        loss = rg_add(t, loss, rg_where(t, many, stirling, rg_constant(t, dtype, 0)));
    }
    return rg__reduce_loss(t, function, loss, c.reduction);
}

/* var in a shape that broadcasts to x's; nil, and an error, where it has none that may. */
static rg_tensor variance_like(rg_tape *t, const char *function, rg_tensor x, rg_tensor var)
{
    const rg_shape shape = rg_shape_of(t, var), of_x = rg_shape_of(t, x);
    int differ = 0, same = 0;
    for (int i = 0; i < shape.rank && i < of_x.rank; i++) {
        same += shape.dims[i] == of_x.dims[i];
        differ += shape.dims[i] != of_x.dims[i] && shape.dims[i] == 1;
    }
    if (shape.rank == of_x.rank && (same == shape.rank || (same == shape.rank - 1 && differ == 1)))
        return var;
    if (shape.rank == of_x.rank - 1 && same == shape.rank)
        return rg_unsqueeze(t, var, -1);
    rg_tape_fail(t, RG_ERROR_SHAPE,
                 "%s: var has the shape %s; it must be %s, that without the last axis, or with one extent 1", function,
                 RG__SHAPE_TEXT(shape), RG__SHAPE_TEXT(of_x));
    return RG_NIL;
}

rg_tensor rg_gaussian_nll_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_tensor var, const rg_gaussian_nll_config *config)
{
    const char *const function = "gaussian_nll_loss";
    const rg_gaussian_nll_config c = config != NULL ? *config : (rg_gaussian_nll_config){0};
    const double eps = eps_or(c.eps, 1e-6);
    if (!rg__check_range(t, function, "eps", eps, INFINITY, true) || !rg__check_pair(t, function, "x", x, "y", y) ||
        !rg__check_float(t, function, "var", var))
        return RG_NIL;
    if (rg_dtype_of(t, var) != rg_dtype_of(t, x))
        rg_tape_fail(t, RG_ERROR_DTYPE, "%s: var is %s and x is %s; they must have one dtype", function,
                     rg_dtype_name(rg_dtype_of(t, var)), rg_dtype_name(rg_dtype_of(t, x)));
    var = variance_like(t, function, x, var);
    if (rg_failed(t))
        return RG_NIL;
    const rg_tensor v = rg_straight_through(t, rg_clamp(t, var, eps, INFINITY), var);
    const rg_tensor ratio = rg_div(t, rg_square(t, rg_sub(t, x, y)), v);
    rg_tensor loss = rg_mul_scalar(t, rg_add(t, rg_log(t, v), ratio), 0.5);
    if (c.full)
        loss = rg_add_scalar(t, loss, 0.91893853320467274178); /* log(2 pi)/2 */
    return rg__reduce_loss(t, function, loss, c.reduction);
}
