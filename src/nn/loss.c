/* How losses are reduced, and the losses of differences. Like all losses they are recorded with the public ops alone,
 * so that they differentiate twice. */
#include "losses.h"

#include <math.h>

rg_tensor rg__reduce_loss(rg_tape *t, const char *function, rg_tensor loss, rg_reduction r)
{
    switch (r) {
    case RG_MEAN: return rg_mean(t, loss, RG_ALL, false);
    case RG_SUM: return rg_sum(t, loss, RG_ALL, false);
    case RG_NONE: return loss;
    }
    rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: reduction is %d; it must be RG_MEAN, RG_SUM or RG_NONE", function, (int)r);
    return RG_NIL;
}

bool rg__check_weight(rg_tape *t, const char *function, const char *name, rg_tensor weight, rg_tensor x)
{
    if (rg_is_nil(weight))
        return !rg_failed(t);
    if (!rg__check_float(t, function, name, weight))
        return false;
    const rg_dtype dtype = rg_dtype_of(t, weight), expected = rg_dtype_of(t, x);
    const rg_shape shape = rg_shape_of(t, weight), to = rg_shape_of(t, x);
    bool fits = shape.rank <= to.rank;
    for (int i = 0; i < shape.rank && fits; i++) {
        const int64_t extent = shape.dims[i];
        fits = extent == 1 || extent == to.dims[to.rank - shape.rank + i];
    }
    if (dtype != expected)
        rg_tape_fail(t, RG_ERROR_DTYPE, "%s: %s is %s; it must be %s like the first argument", function, name,
                     rg_dtype_name(dtype), rg_dtype_name(expected));
    if (!fits)
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: %s has the shape %s, which does not broadcast to %s", function, name,
                     RG__SHAPE_TEXT(shape), RG__SHAPE_TEXT(to));
    return !rg_failed(t);
}

rg_tensor rg__hinge(rg_tape *t, rg_tensor x)
{
    return rg_clamp(t, x, 0, INFINITY);
}

rg_tensor rg_mse_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r)
{
    if (!rg__check_pair(t, "mse_loss", "x", x, "y", y))
        return RG_NIL;
    return rg__reduce_loss(t, "mse_loss", rg_square(t, rg_sub(t, x, y)), r);
}

rg_tensor rg_l1_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r)
{
    if (!rg__check_pair(t, "l1_loss", "x", x, "y", y))
        return RG_NIL;
    return rg__reduce_loss(t, "l1_loss", rg_abs(t, rg_sub(t, x, y)), r);
}

rg_tensor rg_huber_loss(rg_tape *t, rg_tensor x, rg_tensor y, double delta, rg_reduction r)
{
    if (!(delta > 0 && isfinite(delta)))
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "huber_loss: delta is %g; it must be finite and above 0", delta);
    if (!rg__check_pair(t, "huber_loss", "x", x, "y", y))
        return RG_NIL;
    /* With c = clamp(d, -delta, delta), both branches are c (d - c/2). No absolute value: d = 0 is no kink, and the
     * second derivative there is 1 as it must be. */
    const rg_tensor d = rg_sub(t, x, y);
    const rg_tensor c = rg_clamp(t, d, -delta, delta);
    return rg__reduce_loss(t, "huber_loss", rg_mul(t, c, rg_sub(t, d, rg_mul_scalar(t, c, 0.5))), r);
}

rg_tensor rg_smooth_l1_loss(rg_tape *t, rg_tensor x, rg_tensor y, double beta, rg_reduction r)
{
    const char *const function = "smooth_l1_loss";
    if (!rg__check_range(t, function, "beta", beta, INFINITY, true) || !rg__check_pair(t, function, "x", x, "y", y))
        return RG_NIL;
    /* No difference of normal numbers lies below such a beta, and its reciprocal would not be finite. */
    const double least = rg_dtype_of(t, x) == RG_F32 ? 1e-37 : 1e-307;
    const rg_tensor d = rg_sub(t, x, y);
    if (beta < least)
        return rg__reduce_loss(t, function, rg_abs(t, d), r);
    /* As in huber_loss; c/beta, in [-1, 1], comes first, so that the product cannot underflow. */
    const rg_tensor c = rg_clamp(t, d, -beta, beta);
    const rg_tensor middle = rg_sub(t, d, rg_mul_scalar(t, c, 0.5));
    return rg__reduce_loss(t, function, rg_mul(t, rg_mul_scalar(t, c, 1 / beta), middle), r);
}
