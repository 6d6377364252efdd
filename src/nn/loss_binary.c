/* Losses of two outcomes, of one label or of several: binary cross-entropy and what is built on it, focal, dice. */
#include "losses.h"

#include <math.h>

/* x weighted; x itself where there is no weight. */
static rg_tensor weighted(rg_tape *t, rg_tensor x, rg_tensor weight)
{
    return rg_is_nil(weight) ? x : rg_mul(t, x, weight);
}

static rg_tensor one_minus(rg_tape *t, rg_tensor x)
{
    return rg_add_scalar(t, rg_neg(t, x), 1);
}

/* ---- of probabilities -------------------------------------------------------------------------------------------- */

/* The least x (1 - x) that the gradient of bce divides by: PyTorch's 1e-12, which is a float. */
static const double LEAST_SPREAD = 1e-12f;

/* 0, with the derivative (x - y) / LEAST_SPREAD by x, and none by y: x is held against itself as a constant. */
static rg_tensor steep(rg_tape *t, rg_tensor x, rg_tensor y)
{
    const rg_tensor fixed = rg_detach(t, x);
    const rg_tensor middle = rg_mul_scalar(t, rg_add(t, x, fixed), 0.5);
    return rg_mul_scalar(t, rg_mul(t, rg_sub(t, x, fixed), rg_sub(t, middle, y)), 1 / LEAST_SPREAD);
}

/* -(y a + (1 - y) b) */
static rg_tensor mixed_log(rg_tape *t, rg_tensor y, rg_tensor a, rg_tensor b)
{
    return rg_neg(t, rg_add(t, rg_mul(t, y, a), rg_mul(t, one_minus(t, y), b)));
}

rg_tensor rg_bce_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_tensor weight, rg_reduction r)
{
    const char *const function = "bce_loss";
    if (!rg__check_pair(t, function, "x", x, "y", y) || !rg__check_weight(t, function, "weight", weight, x))
        return RG_NIL;
    const rg_dtype dtype = rg_dtype_of(t, x);
    /* Within, the formula is its own derivative's. At the ends the logarithms are infinite or nearly so: there x is a
     * constant to the clamped ones, and a 0 is added that has the gradient which PyTorch defines. */
    const rg_tensor spread = rg_mul(t, x, one_minus(t, x));
    const rg_tensor within = rg_ge(t, spread, rg_constant(t, dtype, LEAST_SPREAD));
    const rg_tensor inner = rg_where(t, within, x, rg_constant(t, dtype, 0.5));
    const rg_tensor inside = mixed_log(t, y, rg_log(t, inner), rg_log1p(t, rg_neg(t, inner)));

    const rg_tensor fixed = rg_detach(t, x);
    const rg_tensor low = rg_clamp(t, rg_log(t, fixed), -100, INFINITY);
    const rg_tensor high = rg_clamp(t, rg_log1p(t, rg_neg(t, fixed)), -100, INFINITY);
    const rg_tensor outer = rg_where(t, within, rg_constant(t, dtype, 0), x);
    const rg_tensor outside = rg_add(t, mixed_log(t, y, low, high), steep(t, outer, y));
    return rg__reduce_loss(t, function, weighted(t, rg_where(t, within, inside, outside), weight), r);
}

/* ---- of logits --------------------------------------------------------------------------------------------------- */

/* -log s = softplus(-x) and -log(1 - s) = softplus(x). Two softplus instead of one and a term in x: neither end
 * cancels, so a loss of 1e-9 is right to all its digits, and so is its gradient. */
static rg_tensor bce_of_logits(rg_tape *t, rg_tensor x, rg_tensor y, rg_tensor pos_weight)
{
    const rg_tensor if_true = weighted(t, rg_mul(t, y, rg_softplus(t, rg_neg(t, x))), pos_weight);
    const rg_tensor if_false = rg_mul(t, one_minus(t, y), rg_softplus(t, x));
    return rg_add(t, if_true, if_false);
}

rg_tensor rg_bce_with_logits(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r)
{
    if (!rg__check_pair(t, "bce_with_logits", "x", x, "y", y))
        return RG_NIL;
    return rg__reduce_loss(t, "bce_with_logits", bce_of_logits(t, x, y, RG_NIL), r);
}

rg_tensor rg_bce_with_logits_weighted(rg_tape *t, rg_tensor x, rg_tensor y, rg_tensor weight, rg_tensor pos_weight,
                                      rg_reduction r)
{
    const char *const function = "bce_with_logits_weighted";
    if (!rg__check_pair(t, function, "x", x, "y", y) || !rg__check_weight(t, function, "weight", weight, x) ||
        !rg__check_weight(t, function, "pos_weight", pos_weight, x))
        return RG_NIL;
    return rg__reduce_loss(t, function, weighted(t, bce_of_logits(t, x, y, pos_weight), weight), r);
}

rg_tensor rg_soft_margin_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r)
{
    if (!rg__check_pair(t, "soft_margin_loss", "x", x, "y", y))
        return RG_NIL;
    return rg__reduce_loss(t, "soft_margin_loss", rg_softplus(t, rg_neg(t, rg_mul(t, y, x))), r);
}

rg_tensor rg_multilabel_soft_margin_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_tensor weight, rg_reduction r)
{
    const char *const function = "multilabel_soft_margin_loss";
    if (!rg__check_pair(t, function, "x", x, "y", y) || !rg__check_weight(t, function, "weight", weight, x))
        return RG_NIL;
    if (rg_shape_of(t, x).rank == 0) {
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: x is a scalar; it must be [..., classes]", function);
        return RG_NIL;
    }
    const rg_tensor each = weighted(t, bce_of_logits(t, x, y, RG_NIL), weight);
    return rg__reduce_loss(t, function, rg_mean(t, each, RG_AXES(-1), false), r);
}

/* ---- focal ------------------------------------------------------------------------------------------------------- */

bool rg__check_gamma(rg_tape *t, const char *function, double gamma)
{
    return rg__check_range(t, function, "gamma", gamma, INFINITY, true);
}

rg_tensor rg__focal_factor(rg_tape *t, rg_tensor base, double gamma)
{
    if (gamma == 1)
        return base;
    if (gamma == 2)
        return rg_square(t, base);
    /* The derivatives of other powers below 2 grow without limit towards 0. From a bound whose inverse square is still a
     * number they are those of a constant: the loss there is nothing. */
    if (gamma > 0 && gamma < 2)
        base = rg_clamp(t, base, rg_dtype_of(t, base) == RG_F32 ? 1e-18 : 1e-150, INFINITY);
    return rg_pow_scalar(t, base, gamma);
}

rg_tensor rg_sigmoid_focal_loss(rg_tape *t, rg_tensor x, rg_tensor y, const rg_sigmoid_focal_config *config)
{
    const char *const function = "sigmoid_focal_loss";
    const rg_sigmoid_focal_config c = config != NULL ? *config : (rg_sigmoid_focal_config){0};
    const double gamma = c.gamma != NULL ? *c.gamma : 2, alpha = c.alpha != NULL ? *c.alpha : 0.25;
    if (!rg__check_gamma(t, function, gamma))
        return RG_NIL;
    if (!(alpha <= 1 && isfinite(alpha)))
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: alpha is %g; it must be in [0, 1], or negative for none", function,
                     alpha);
    if (!rg__check_pair(t, function, "x", x, "y", y))
        return RG_NIL;
    const rg_tensor not_y = one_minus(t, y);
    /* 1 - p_t, from the two tails: neither is a difference. */
    const rg_tensor wrong = rg_add(t, rg_mul(t, y, rg_sigmoid(t, rg_neg(t, x))), rg_mul(t, not_y, rg_sigmoid(t, x)));
    rg_tensor loss = bce_of_logits(t, x, y, RG_NIL);
    if (gamma > 0)
        loss = rg_mul(t, loss, rg__focal_factor(t, wrong, gamma));
    if (alpha >= 0)
        loss = rg_mul(t, loss, rg_add(t, rg_mul_scalar(t, y, alpha), rg_mul_scalar(t, not_y, 1 - alpha)));
    return rg__reduce_loss(t, function, loss, c.reduction);
}

/* ---- overlap ----------------------------------------------------------------------------------------------------- */

rg_tensor rg_dice_loss(rg_tape *t, rg_tensor x, rg_tensor y, double smooth, rg_reduction r)
{
    const char *const function = "dice_loss";
    if (!rg__check_range(t, function, "smooth", smooth, INFINITY, true) || !rg__check_pair(t, function, "x", x, "y", y))
        return RG_NIL;
    const rg_shape shape = rg_shape_of(t, x);
    if (shape.rank == 0) {
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: x is a scalar; it must be [n, ...]", function);
        return RG_NIL;
    }
    rg_axes axes = {.count = shape.rank - 1};
    for (int i = 1; i < shape.rank; i++)
        axes.axis[i - 1] = i;
    const rg_tensor both = rg_mul_scalar(t, rg_sum(t, rg_mul(t, x, y), axes, false), 2);
    const rg_tensor sizes = rg_sum(t, rg_add(t, x, y), axes, false);
    const rg_tensor share = rg_div(t, rg_add_scalar(t, both, smooth), rg_add_scalar(t, sizes, smooth));
    return rg__reduce_loss(t, function, one_minus(t, share), r);
}
