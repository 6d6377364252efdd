/* Losses that ask for a margin: between embeddings, between ranks, between distances. Those between classes are with
 * the classes. */
#include "losses.h"

#include <math.h>

static bool check_margin(rg_tape *t, const char *function, double margin)
{
    if (!isfinite(margin))
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: margin is %g; it must be finite", function, margin);
    return !rg_failed(t);
}

/* loss where y is not the given label, else 0. */
static rg_tensor unless(rg_tape *t, rg_tensor y, double label, rg_tensor loss)
{
    const rg_dtype dtype = rg_dtype_of(t, y);
    return rg_where(t, rg_ne(t, y, rg_constant(t, dtype, label)), loss, rg_constant(t, dtype, 0));
}

rg_tensor rg_hinge_embedding_loss(rg_tape *t, rg_tensor x, rg_tensor y, double margin, rg_reduction r)
{
    const char *const function = "hinge_embedding_loss";
    if (!check_margin(t, function, margin) || !rg__check_pair(t, function, "x", x, "y", y))
        return RG_NIL;
    const rg_tensor apart = unless(t, y, 1, rg__hinge(t, rg_add_scalar(t, rg_neg(t, x), margin)));
    return rg__reduce_loss(t, function, rg_add(t, apart, unless(t, y, -1, x)), r);
}

rg_tensor rg_margin_ranking_loss(rg_tape *t, rg_tensor x1, rg_tensor x2, rg_tensor y, double margin, rg_reduction r)
{
    const char *const function = "margin_ranking_loss";
    if (!check_margin(t, function, margin) || !rg__check_pair(t, function, "x1", x1, "x2", x2) ||
        !rg__check_pair(t, function, "x1", x1, "y", y))
        return RG_NIL;
    const rg_tensor ahead = rg_mul(t, y, rg_sub(t, x1, x2));
    return rg__reduce_loss(t, function, rg__hinge(t, rg_add_scalar(t, rg_neg(t, ahead), margin)), r);
}

/* 1 / sqrt(|x|^2 + 1e-12) of rows; PyTorch's 1e-12 is a float. */
static rg_tensor inverse_length(rg_tape *t, rg_tensor x)
{
    return rg_rsqrt(t, rg_add_scalar(t, rg_sum(t, rg_square(t, x), RG_AXES(-1), false), 1e-12f));
}

rg_tensor rg_cosine_embedding_loss(rg_tape *t, rg_tensor x1, rg_tensor x2, rg_tensor y, double margin, rg_reduction r)
{
    const char *const function = "cosine_embedding_loss";
    if (!check_margin(t, function, margin) || !rg__check_pair(t, function, "x1", x1, "x2", x2) ||
        !rg__check_float(t, function, "y", y))
        return RG_NIL;
    const rg_shape shape = rg_shape_of(t, x1), of_y = rg_shape_of(t, y);
    const rg_dtype dtype = rg_dtype_of(t, x1);
    if (shape.rank != 1 && shape.rank != 2)
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: x1 has the shape %s; it must be [n, d] or [d]", function,
                     RG__SHAPE_TEXT(shape));
    else if (of_y.rank != shape.rank - 1 || (of_y.rank == 1 && of_y.dims[0] != shape.dims[0]))
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: y has the shape %s; x1 %s needs one label a row", function,
                     RG__SHAPE_TEXT(of_y), RG__SHAPE_TEXT(shape));
    if (rg_dtype_of(t, y) != dtype)
        rg_tape_fail(t, RG_ERROR_DTYPE, "%s: y is %s and x1 is %s; they must have one dtype", function,
                     rg_dtype_name(rg_dtype_of(t, y)), rg_dtype_name(dtype));
    if (rg_failed(t))
        return RG_NIL;
    /* Each length by itself: their product would overflow first. */
    const rg_tensor product = rg_sum(t, rg_mul(t, x1, x2), RG_AXES(-1), false);
    const rg_tensor cosine = rg_mul(t, rg_mul(t, product, inverse_length(t, x1)), inverse_length(t, x2));
    const rg_tensor near = rg_add_scalar(t, rg_neg(t, cosine), 1), zero = rg_constant(t, dtype, 0);
    const rg_tensor far = rg__hinge(t, rg_add_scalar(t, cosine, -margin));
    const rg_tensor other = rg_where(t, rg_eq(t, y, rg_constant(t, dtype, -1)), far, zero);
    return rg__reduce_loss(t, function, rg_where(t, rg_eq(t, y, rg_constant(t, dtype, 1)), near, other), r);
}

rg_tensor rg_triplet_margin_loss(rg_tape *t, rg_tensor anchor, rg_tensor positive, rg_tensor negative,
                                 const rg_triplet_margin_config *config)
{
    const char *const function = "triplet_margin_loss";
    const rg_triplet_margin_config c = config != NULL ? *config : (rg_triplet_margin_config){0};
    const double margin = c.margin == 0 ? 1 : c.margin, p = c.p == 0 ? 2 : c.p, eps = c.eps == 0 ? 1e-6 : c.eps;
    if (!(margin > 0 && isfinite(margin)))
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: margin is %g; it must be finite and above 0", function, margin);
    if (!(p > 0))
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: p is %g; it must be above 0", function, p);
    if (!isfinite(eps))
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: eps is %g; it must be finite", function, eps);
    if (!rg__check_pair(t, function, "anchor", anchor, "positive", positive) ||
        !rg__check_pair(t, function, "anchor", anchor, "negative", negative))
        return RG_NIL;
    if (rg_shape_of(t, anchor).rank == 0) {
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: anchor is a scalar; it must be [..., d]", function);
        return RG_NIL;
    }
    const rg_tensor near = rg_pairwise_distance(t, anchor, positive, p, eps, false);
    rg_tensor far = rg_pairwise_distance(t, anchor, negative, p, eps, false);
    if (c.swap)
        far = rg_minimum(t, far, rg_pairwise_distance(t, positive, negative, p, eps, false));
    return rg__reduce_loss(t, function, rg__hinge(t, rg_add_scalar(t, rg_sub(t, near, far), margin)), c.reduction);
}
