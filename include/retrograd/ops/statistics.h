/* Retrograd: norms, order statistics and further reductions. Axes and keepdim as in <retrograd/ops.h>; positions are i64,
 * and are written to `index` where it is not NULL. */
#ifndef RETROGRAD_OPS_STATISTICS_H
#define RETROGRAD_OPS_STATISTICS_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- norms: float ------------------------------------------------------------------------------------------------ */
/* (sum |x|^p)^(1/p) over the axes, as torch.linalg.vector_norm. p is any number: 0 counts what is not 0, without a gradient, infinity is the
 * largest and -infinity the smallest |x|. The gradient is 0 where x is 0, also where all of them are; among equal largest
 * it is shared evenly. No elements give 0, and are an error for p < 0 and p = infinity. */
RG_API rg_tensor rg_norm(rg_tape *t, rg_tensor x, double p, rg_axes axes, bool keepdim);

/* ---- the largest and smallest: number ------------------------------------------------------------------------------ */
RG_API rg_tensor rg_amax(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim); /* rg_max by PyTorch's name */
RG_API rg_tensor rg_amin(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim); /* rg_min                   */
/* Both at once: the smallest is returned, the largest written to *largest. Ties share the gradients evenly. */
RG_API rg_tensor rg_aminmax(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim, rg_tensor *largest);
/* torch.max(x, dim): along one axis, with the position of the first largest; NaN wins. All of the gradient goes there. */
RG_API rg_tensor rg_max_with_index(rg_tape *t, rg_tensor x, int axis, bool keepdim, rg_tensor *index);
RG_API rg_tensor rg_min_with_index(rg_tape *t, rg_tensor x, int axis, bool keepdim, rg_tensor *index);

/* ---- order statistics ---------------------------------------------------------------------------------------------- */
/* The median over the axes, the lower of two, number; NaN where one is NaN. Ties share the gradient evenly, as torch.median
 * of all elements does. No elements are an error, where PyTorch gives NaN. */
RG_API rg_tensor rg_median(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim);
RG_API rg_tensor rg_nanmedian(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim); /* of what is not NaN */
/* torch.median(x, dim): along one axis, with its position, which gets all of the gradient: of equal elements the one that
 * a stable sort puts there, of NaN the first. */
RG_API rg_tensor rg_median_with_index(rg_tape *t, rg_tensor x, int axis, bool keepdim, rg_tensor *index);
RG_API rg_tensor rg_nanmedian_with_index(rg_tape *t, rg_tensor x, int axis, bool keepdim, rg_tensor *index);

/* What lies between two elements, at (n - 1) q in order. */
typedef enum rg_quantile_between {
    RG_QUANTILE_LINEAR = 0,
    RG_QUANTILE_LOWER,
    RG_QUANTILE_HIGHER,
    RG_QUANTILE_MIDPOINT,
    RG_QUANTILE_NEAREST, /* half way: the even one */
} rg_quantile_between;
/* The q-quantiles over the axes, float, for `count` numbers q in [0, 1]: [count, ...]; the result with its first axis
 * selected is what PyTorch gives for a single number. Any NaN makes all of them NaN. The gradient goes to the elements that
 * they are made of: of equal ones, those that a stable sort puts there. */
RG_API rg_tensor rg_quantile(rg_tape *t, rg_tensor x, const double *q, int count, rg_axes axes, bool keepdim,
                             rg_quantile_between interpolation);
/* The same of what is not NaN; NaN where nothing is left. */
RG_API rg_tensor rg_nanquantile(rg_tape *t, rg_tensor x, const double *q, int count, rg_axes axes, bool keepdim,
                                rg_quantile_between interpolation);

/* torch.mode: the most frequent element along the axis, number, of several the smallest; its position is the last one, which gets the
 * gradient. All NaN count as one value. */
RG_API rg_tensor rg_mode_with_index(rg_tape *t, rg_tensor x, int axis, bool keepdim, rg_tensor *index);

/* ---- others -------------------------------------------------------------------------------------------------------- */
RG_API rg_tensor rg_count_nonzero(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim); /* any dtype; i64; NaN counts */
RG_API rg_tensor rg_nansum(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim);  /* number: NaN as 0              */
RG_API rg_tensor rg_nanmean(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim); /* float; NaN where nothing is left */
/* rg_var, or rg_std, and rg_mean, which is written to *mean. */
RG_API rg_tensor rg_var_mean(rg_tape *t, rg_tensor x, rg_axes axes, double correction, bool keepdim, rg_tensor *mean);
RG_API rg_tensor rg_std_mean(rg_tape *t, rg_tensor x, rg_axes axes, double correction, bool keepdim, rg_tensor *mean);

#ifdef __cplusplus
}
#endif
#endif
