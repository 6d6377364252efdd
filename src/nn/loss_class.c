/* Losses of classes: likelihood, cross-entropy, focal, and the margins between classes. */
#include "losses.h"

#include <math.h>

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

/* weight is [classes] for the classes of x, and of x's dtype; nil passes. */
static bool check_class_weight(rg_tape *t, const char *function, const char *name, rg_tensor weight, rg_tensor x)
{
    if (rg_is_nil(weight))
        return !rg_failed(t);
    if (!rg__check_float(t, function, name, weight))
        return false;
    const rg_shape of_x = rg_shape_of(t, x), shape = rg_shape_of(t, weight);
    const rg_dtype dtype = rg_dtype_of(t, x), found = rg_dtype_of(t, weight);
    const rg_shape expected = RG_SHAPE(of_x.dims[class_axis(of_x)]);
    if (found != dtype)
        rg_tape_fail(t, RG_ERROR_DTYPE, "%s: %s is %s; it must be %s like the first argument", function, name,
                     rg_dtype_name(found), rg_dtype_name(dtype));
    if (!rg_shape_equal(shape, expected))
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: %s has the shape %s; one weight a class is %s", function, name,
                     RG__SHAPE_TEXT(shape), RG__SHAPE_TEXT(expected));
    return !rg_failed(t);
}

/* Targets of rows: which of them count, and the classes, where class 0 stands in for ignored targets, which need not be
 * a class. */
typedef struct targets {
    rg_tensor counted, index;
} targets;

/* The targets of x; false, and an error, where they are no class indices in the shape of x without its classes. */
static bool open_targets(rg_tape *t, const char *function, rg_tensor x, rg_tensor target, int64_t ignore_index,
                         targets *out)
{
    const rg_shape shape = rg_shape_of(t, x);
    if (!rg__check_labels(t, function, "target", target, without_axis(shape, class_axis(shape))))
        return false;
    if (rg_dtype_of(t, target) != RG_I64)
        target = rg_cast(t, target, RG_I64);
    out->counted = rg_ne(t, target, index_constant(t, ignore_index));
    out->index = rg_where(t, out->counted, target, rg_constant(t, RG_I64, 0));
    return !rg_failed(t);
}

/* x at the classes of the index: one element a row. */
static rg_tensor pick(rg_tape *t, rg_tensor x, rg_tensor index)
{
    const int axis = class_axis(rg_shape_of(t, x));
    return rg_squeeze(t, rg_gather(t, x, axis, rg_unsqueeze(t, index, axis)), RG_AXES(axis));
}

/* weight [classes] in a shape that broadcasts along the classes of x. */
static rg_tensor along_classes(rg_tape *t, rg_tensor weight, rg_shape of_x)
{
    rg_shape shape = {.rank = of_x.rank};
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = i == class_axis(of_x) ? of_x.dims[i] : 1;
    return rg_reshape(t, weight, shape);
}

/* ---- likelihood -------------------------------------------------------------------------------------------------- */

/* The loss of class indices: (1 - smoothing) times -log_prob at the target, plus smoothing times the mean over the
 * classes of -log_prob, each term weighted. A row whose target is ignored counts neither in the sum nor in the mean. */
static rg_tensor index_loss(rg_tape *t, const char *function, rg_tensor log_prob, rg_tensor target, rg_tensor weight,
                            double smoothing, int64_t ignore_index, rg_reduction r)
{
    const rg_shape shape = rg_shape_of(t, log_prob);
    const rg_dtype dtype = rg_dtype_of(t, log_prob);
    const int axis = class_axis(shape);
    targets of;
    if (!open_targets(t, function, log_prob, target, ignore_index, &of))
        return RG_NIL;
    const bool weighted = !rg_is_nil(weight);
    const rg_tensor factor = weighted ? rg_take(t, weight, of.index) : RG_NIL;
    const rg_tensor zero = rg_constant(t, dtype, 0);
    rg_tensor loss = rg_mul_scalar(t, pick(t, log_prob, of.index), smoothing - 1);
    if (weighted)
        loss = rg_mul(t, loss, factor);
    if (smoothing > 0) {
        const rg_tensor terms = weighted ? rg_mul(t, log_prob, along_classes(t, weight, shape)) : log_prob;
        const rg_tensor all = rg_sum(t, terms, RG_AXES(axis), false);
        loss = rg_sub(t, loss, rg_mul_scalar(t, all, smoothing / (double)shape.dims[axis]));
    }
    loss = rg_where(t, of.counted, loss, zero);
    if (r != RG_MEAN)
        return rg__reduce_loss(t, function, loss, r);
    const rg_tensor rows = weighted ? rg_where(t, of.counted, factor, zero) : rg_cast(t, of.counted, dtype);
    return rg_div(t, rg_sum(t, loss, RG_ALL, false), rg_sum(t, rows, RG_ALL, false));
}

rg_tensor rg_nll_loss(rg_tape *t, rg_tensor log_prob, rg_tensor target, int64_t ignore_index, rg_reduction r)
{
    if (!check_classes(t, "nll_loss", "log_prob", log_prob))
        return RG_NIL;
    return index_loss(t, "nll_loss", log_prob, target, RG_NIL, 0, ignore_index, r);
}

rg_tensor rg_nll_loss_weighted(rg_tape *t, rg_tensor log_prob, rg_tensor target, rg_tensor weight, int64_t ignore_index,
                               rg_reduction r)
{
    const char *const function = "nll_loss_weighted";
    if (!check_classes(t, function, "log_prob", log_prob) || !check_class_weight(t, function, "weight", weight, log_prob))
        return RG_NIL;
    return index_loss(t, function, log_prob, target, weight, 0, ignore_index, r);
}

/* The loss of probabilities, the target, which smoothing mixes with the uniform distribution. */
static rg_tensor probability_loss(rg_tape *t, rg_tensor logits, rg_tensor target, rg_tensor weight, double smoothing,
                                  rg_reduction r)
{
    const char *const function = "cross_entropy";
    if (!rg__check_pair(t, function, "logits", logits, "target", target))
        return RG_NIL;
    const rg_shape shape = rg_shape_of(t, logits);
    const int axis = class_axis(shape);
    if (smoothing > 0)
        target = rg_add_scalar(t, rg_mul_scalar(t, target, 1 - smoothing), smoothing / (double)shape.dims[axis]);
    rg_tensor terms = rg_mul(t, rg_log_softmax(t, logits, axis), target);
    if (!rg_is_nil(weight))
        terms = rg_mul(t, terms, along_classes(t, weight, shape));
    return rg__reduce_loss(t, function, rg_neg(t, rg_sum(t, terms, RG_AXES(axis), false)), r);
}

/* The target is there. */
static bool check_target(rg_tape *t, const char *function, rg_tensor target)
{
    if (rg_is_nil(target))
        rg_tape_fail(t, RG_ERROR_HANDLE, "%s: target is nil", function);
    return !rg_failed(t);
}

rg_tensor rg_cross_entropy(rg_tape *t, rg_tensor logits, rg_tensor target, const rg_cross_entropy_config *config)
{
    const char *const function = "cross_entropy";
    const rg_cross_entropy_config c = config != NULL ? *config : (rg_cross_entropy_config){0};
    if (!rg__check_range(t, function, "label_smoothing", c.label_smoothing, 1, false) ||
        !check_classes(t, function, "logits", logits) || !check_target(t, function, target) ||
        !check_class_weight(t, function, "weight", c.weight, logits))
        return RG_NIL;
    const rg_dtype dtype = rg_dtype_of(t, target);
    if (dtype == RG_F32 || dtype == RG_F64)
        return probability_loss(t, logits, target, c.weight, c.label_smoothing, c.reduction);
    const int64_t ignore_index = c.ignore_index != NULL ? *c.ignore_index : RG_IGNORE_INDEX;
    const rg_tensor log_prob = rg_log_softmax(t, logits, class_axis(rg_shape_of(t, logits)));
    return index_loss(t, function, log_prob, target, c.weight, c.label_smoothing, ignore_index, c.reduction);
}

rg_tensor rg_focal_loss(rg_tape *t, rg_tensor logits, rg_tensor target, const rg_focal_config *config)
{
    const char *const function = "focal_loss";
    const rg_focal_config c = config != NULL ? *config : (rg_focal_config){0};
    const double gamma = c.gamma != NULL ? *c.gamma : 2;
    const int64_t ignore_index = c.ignore_index != NULL ? *c.ignore_index : RG_IGNORE_INDEX;
    targets of;
    if (!rg__check_gamma(t, function, gamma) || !check_classes(t, function, "logits", logits) ||
        !check_class_weight(t, function, "alpha", c.alpha, logits) ||
        !open_targets(t, function, logits, target, ignore_index, &of))
        return RG_NIL;
    const rg_dtype dtype = rg_dtype_of(t, logits);
    const rg_tensor log_prob = pick(t, rg_log_softmax(t, logits, class_axis(rg_shape_of(t, logits))), of.index);
    rg_tensor loss = rg_neg(t, log_prob);
    if (gamma > 0) /* 1 - p without cancellation */
        loss = rg_mul(t, loss, rg__focal_factor(t, rg_neg(t, rg_expm1(t, log_prob)), gamma));
    if (!rg_is_nil(c.alpha))
        loss = rg_mul(t, loss, rg_take(t, c.alpha, of.index));
    loss = rg_where(t, of.counted, loss, rg_constant(t, dtype, 0));
    if (c.reduction != RG_MEAN)
        return rg__reduce_loss(t, function, loss, c.reduction);
    const rg_tensor rows = rg_sum(t, rg_cast(t, of.counted, dtype), RG_ALL, false);
    return rg_div(t, rg_sum(t, loss, RG_ALL, false), rows);
}

/* ---- margins ----------------------------------------------------------------------------------------------------- */

/* x is float, [n, classes] or [classes], and has a class. */
static bool check_rows(rg_tape *t, const char *function, rg_tensor x)
{
    if (!check_classes(t, function, "x", x))
        return false;
    const rg_shape shape = rg_shape_of(t, x);
    if (shape.rank > 2 || shape.dims[shape.rank - 1] == 0)
        rg_tape_fail(t, RG_ERROR_SHAPE,
                     "%s: x has the shape %s; it must be [n, classes] or [classes], of one class or more", function,
                     RG__SHAPE_TEXT(shape));
    return !rg_failed(t);
}

rg_tensor rg_multi_margin_loss(rg_tape *t, rg_tensor x, rg_tensor target, const rg_multi_margin_config *config)
{
    const char *const function = "multi_margin_loss";
    const rg_multi_margin_config c = config != NULL ? *config : (rg_multi_margin_config){0};
    const double margin = c.margin != NULL ? *c.margin : 1;
    if (c.p < 0 || c.p > 2)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: p is %d; it must be 1 or 2", function, c.p);
    if (!isfinite(margin))
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: margin is %g; it must be finite", function, margin);
    if (!check_rows(t, function, x) || !check_class_weight(t, function, "weight", c.weight, x))
        return RG_NIL;
    const rg_shape shape = rg_shape_of(t, x);
    const rg_dtype dtype = rg_dtype_of(t, x);
    const int axis = class_axis(shape);
    if (!rg__check_labels(t, function, "target", target, without_axis(shape, axis)))
        return RG_NIL;
    if (rg_dtype_of(t, target) != RG_I64)
        target = rg_cast(t, target, RG_I64);
    const rg_tensor own = rg_unsqueeze(t, target, axis);
    const rg_tensor behind = rg_sub(t, rg_add_scalar(t, x, margin), rg_gather(t, x, axis, own));
    rg_tensor terms = rg_relu(t, behind);
    if (c.p == 2)
        terms = rg_square(t, terms);
    const rg_tensor classes = rg_arange(t, RG_I64, 0, (double)shape.dims[axis], 1);
    terms = rg_where(t, rg_eq(t, classes, own), rg_constant(t, dtype, 0), terms);
    rg_tensor loss = rg_mean(t, terms, RG_AXES(axis), false);
    if (!rg_is_nil(c.weight))
        loss = rg_mul(t, loss, rg_take(t, c.weight, target));
    return rg__reduce_loss(t, function, loss, c.reduction);
}

rg_tensor rg_multilabel_margin_loss(rg_tape *t, rg_tensor x, rg_tensor target, rg_reduction r)
{
    const char *const function = "multilabel_margin_loss";
    if (!check_rows(t, function, x))
        return RG_NIL;
    const rg_shape shape = rg_shape_of(t, x);
    const rg_dtype dtype = rg_dtype_of(t, x);
    if (!rg__check_labels(t, function, "target", target, shape))
        return RG_NIL;
    if (rg_dtype_of(t, target) != RG_I64)
        target = rg_cast(t, target, RG_I64);
    const rg_tensor none = rg_constant(t, RG_I64, 0), zero = rg_constant(t, dtype, 0);
    /* A place is a target where no -1 stands there or before. Elsewhere class 0 stands in, and adds nothing. */
    const rg_tensor end = rg_cast(t, rg_eq(t, target, rg_constant(t, RG_I64, -1)), RG_I64);
    const rg_tensor there = rg_eq(t, rg_cumsum(t, end, -1), none);
    const rg_tensor index = rg_where(t, there, target, none);
    const rg_tensor marks = rg_scatter_add(t, rg_zeros(t, RG_I64, shape), -1, index, rg_cast(t, there, RG_I64));
    const rg_tensor other = rg_eq(t, marks, none);

    /* [..., targets, classes] */
    const rg_tensor own = rg_unsqueeze(t, rg_gather(t, x, shape.rank - 1, index), -1);
    const rg_tensor behind = rg_relu(t, rg_add_scalar(t, rg_sub(t, rg_unsqueeze(t, x, -2), own), 1));
    const rg_tensor pairs = rg_logical_and(t, rg_unsqueeze(t, there, -1), rg_unsqueeze(t, other, -2));
    const rg_tensor sum = rg_sum(t, rg_where(t, pairs, behind, zero), RG_AXES(-2, -1), false);
    return rg__reduce_loss(t, function, rg_mul_scalar(t, sum, 1 / (double)shape.dims[shape.rank - 1]), r);
}
