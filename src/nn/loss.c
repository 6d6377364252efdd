/* Losses, and how they are reduced. Recorded with the public ops alone, so that they differentiate twice. */
#include "check.h"

#include <math.h>

static rg_tensor reduce(rg_tape *t, const char *function, rg_tensor loss, rg_reduction r)
{
    switch (r) {
    case RG_MEAN: return rg_mean(t, loss, RG_ALL, false);
    case RG_SUM: return rg_sum(t, loss, RG_ALL, false);
    case RG_NONE: return loss;
    }
    rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: reduction is %d; it must be RG_MEAN, RG_SUM or RG_NONE", function, (int)r);
    return RG_NIL;
}

rg_tensor rg_mse_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r)
{
    if (!rg__check_pair(t, "mse_loss", "x", x, "y", y))
        return RG_NIL;
    return reduce(t, "mse_loss", rg_square(t, rg_sub(t, x, y)), r);
}

rg_tensor rg_l1_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r)
{
    if (!rg__check_pair(t, "l1_loss", "x", x, "y", y))
        return RG_NIL;
    return reduce(t, "l1_loss", rg_abs(t, rg_sub(t, x, y)), r);
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
    return reduce(t, "huber_loss", rg_mul(t, c, rg_sub(t, d, rg_mul_scalar(t, c, 0.5))), r);
}

rg_tensor rg_bce_with_logits(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r)
{
    if (!rg__check_pair(t, "bce_with_logits", "x", x, "y", y))
        return RG_NIL;
    /* -log s = softplus(-x) and -log(1 - s) = softplus(x). Two softplus instead of one and a term in x: neither end
     * cancels, so a loss of 1e-9 is right to all its digits, and so is its gradient. */
    const rg_tensor if_true = rg_mul(t, y, rg_softplus(t, rg_neg(t, x)));
    const rg_tensor if_false = rg_mul(t, rg_add_scalar(t, rg_neg(t, y), 1), rg_softplus(t, x));
    return reduce(t, "bce_with_logits", rg_add(t, if_true, if_false), r);
}

/* ---- classes ----------------------------------------------------------------------------------------------------- */

/* A vector is one row of classes; otherwise they lie along the second axis. */
static int class_axis(rg_shape shape)
{
    return shape.rank == 1 ? 0 : 1;
}

static bool check_classes(rg_tape *t, const char *function, const char *name, rg_tensor x)
{
    if (!rg__check_float(t, function, name, x))
        return false;
    if (rg_shape_of(t, x).rank == 0)
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: %s is a scalar; it must be [classes] or [n, classes, ...]", function, name);
    return !rg_failed(t);
}

static rg_shape without_axis(rg_shape shape, int axis)
{
    rg_shape rest = {.rank = shape.rank - 1};
    for (int i = 0; i < rest.rank; i++)
        rest.dims[i] = shape.dims[i < axis ? i : i + 1];
    return rest;
}

static rg_tensor index_constant(rg_tape *t, int64_t value)
{
    /* A constant is given as a double, which holds every integer up to 2^53. */
    const int64_t exact = INT64_C(1) << 53;
    if (value >= -exact && value <= exact)
        return rg_constant(t, RG_I64, (double)value);
    return rg_input_i64(t, RG_SCALAR, &value);
}

/* The loss of class indices: (1 - smoothing) times -log_prob at the target, plus smoothing times the mean over the
 * classes of -log_prob. A row whose target is ignored counts neither in the sum nor in the mean. */
static rg_tensor index_loss(rg_tape *t, const char *function, rg_tensor log_prob, rg_tensor target, double smoothing,
                            int64_t ignore_index, rg_reduction r)
{
    const rg_shape shape = rg_shape_of(t, log_prob);
    const rg_dtype dtype = rg_dtype_of(t, log_prob);
    const int axis = class_axis(shape);
    if (!rg__check_labels(t, function, "target", target, without_axis(shape, axis)))
        return RG_NIL;
    if (rg_dtype_of(t, target) != RG_I64)
        target = rg_cast(t, target, RG_I64);

    /* Class 0 stands in for ignored targets, which need not be a class. */
    const rg_tensor counted = rg_ne(t, target, index_constant(t, ignore_index));
    const rg_tensor index = rg_where(t, counted, target, rg_constant(t, RG_I64, 0));
    const rg_tensor picked = rg_gather(t, log_prob, axis, rg_unsqueeze(t, index, axis));
    rg_tensor loss = rg_mul_scalar(t, rg_squeeze(t, picked, RG_AXES(axis)), smoothing - 1);
    if (smoothing > 0) {
        const rg_tensor all = rg_sum(t, log_prob, RG_AXES(axis), false);
        loss = rg_sub(t, loss, rg_mul_scalar(t, all, smoothing / (double)shape.dims[axis]));
    }
    loss = rg_where(t, counted, loss, rg_constant(t, dtype, 0));
    if (r != RG_MEAN)
        return reduce(t, function, loss, r);
    const rg_tensor rows = rg_sum(t, rg_cast(t, counted, dtype), RG_ALL, false);
    return rg_div(t, rg_sum(t, loss, RG_ALL, false), rows);
}

rg_tensor rg_nll_loss(rg_tape *t, rg_tensor log_prob, rg_tensor target, int64_t ignore_index, rg_reduction r)
{
    if (!check_classes(t, "nll_loss", "log_prob", log_prob))
        return RG_NIL;
    return index_loss(t, "nll_loss", log_prob, target, 0, ignore_index, r);
}

/* The loss of probabilities, the target, which smoothing mixes with the uniform distribution. */
static rg_tensor probability_loss(rg_tape *t, rg_tensor logits, rg_tensor target, double smoothing, rg_reduction r)
{
    const char *const function = "cross_entropy";
    if (!rg__check_pair(t, function, "logits", logits, "target", target))
        return RG_NIL;
    const rg_shape shape = rg_shape_of(t, logits);
    const int axis = class_axis(shape);
    if (smoothing > 0)
        target = rg_add_scalar(t, rg_mul_scalar(t, target, 1 - smoothing), smoothing / (double)shape.dims[axis]);
    const rg_tensor terms = rg_mul(t, rg_log_softmax(t, logits, axis), target);
    return reduce(t, function, rg_neg(t, rg_sum(t, terms, RG_AXES(axis), false)), r);
}

rg_tensor rg_cross_entropy(rg_tape *t, rg_tensor logits, rg_tensor target, const rg_cross_entropy_config *config)
{
    const char *const function = "cross_entropy";
    const rg_cross_entropy_config c = config != NULL ? *config : (rg_cross_entropy_config){0};
    if (!rg__check_range(t, function, "label_smoothing", c.label_smoothing, 1, false) ||
        !check_classes(t, function, "logits", logits))
        return RG_NIL;
    if (rg_is_nil(target)) {
        rg_tape_fail(t, RG_ERROR_HANDLE, "%s: target is nil", function);
        return RG_NIL;
    }
    const rg_dtype dtype = rg_dtype_of(t, target);
    if (dtype == RG_F32 || dtype == RG_F64)
        return probability_loss(t, logits, target, c.label_smoothing, c.reduction);
    const int64_t ignore_index = c.ignore_index != NULL ? *c.ignore_index : RG_IGNORE_INDEX;
    const rg_tensor log_prob = rg_log_softmax(t, logits, class_axis(rg_shape_of(t, logits)));
    return index_loss(t, function, log_prob, target, c.label_smoothing, ignore_index, c.reduction);
}
