/* Retrograd: sorting and searching. NaN counts as greater than every number; 0 and -0 are equal. Positions are i64, and
 * are written to `index` where it is not NULL. */
#ifndef RETROGRAD_OPS_SORT_H
#define RETROGRAD_OPS_SORT_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* x in ascending or descending order along the axis, any dtype; always stable: equal elements keep their order. The
 * gradient goes back to where each value came from. */
RG_API rg_tensor rg_sort(rg_tape *t, rg_tensor x, int axis, bool descending, rg_tensor *index);
RG_API rg_tensor rg_argsort(rg_tape *t, rg_tensor x, int axis, bool descending); /* the positions alone */
RG_API rg_tensor rg_msort(rg_tape *t, rg_tensor x);                              /* along axis 0 */

/* The k largest or smallest along the axis, number: best first, or in the order of x if not `sorted`. Of equal elements
 * the first ones are taken; PyTorch leaves open which. k lies between 0 and the extent. */
RG_API rg_tensor rg_topk(rg_tape *t, rg_tensor x, int64_t k, int axis, bool largest, bool sorted, rg_tensor *index);
/* The k-th smallest (k = 1: the smallest) along the axis, number; of equal elements the one that a stable sort puts
 * there. The gradient goes to it. */
RG_API rg_tensor rg_kthvalue(rg_tape *t, rg_tensor x, int64_t k, int axis, bool keepdim, rg_tensor *index);

/* Where each value belongs in its row of `sorted`, i64 in the shape of `values`: before equal elements, or behind them if
 * `right`. sorted is one row [n] for all values [...], or rows [..., n] for values [..., m] with the same leading axes; it
 * must be in ascending order. number, of one dtype. */
RG_API rg_tensor rg_searchsorted(rg_tape *t, rg_tensor sorted, rg_tensor values, bool right);
RG_API rg_tensor rg_bucketize(rg_tape *t, rg_tensor x, rg_tensor boundaries, bool right); /* boundaries [n] */

/* Is each element one of `of`? bool, in the shape of x; the opposite if `invert`. number, of one dtype; NaN is not equal
 * to anything. */
RG_API rg_tensor rg_isin(rg_tape *t, rg_tensor x, rg_tensor of, bool invert);

/* ---- the shape of the result depends on values: x is computed when these are recorded -------------------------------
 * What is asked for is found in x as it is then; no gradient flows. */
/* The distinct elements of x, flattened, in ascending order, any dtype: [m]. `inverse`, in x's shape: where in the result
 * each element is; `counts` [m]: how often. Either may be NULL. Each NaN is one of its own. */
RG_API rg_tensor rg_unique(rg_tape *t, rg_tensor x, rg_tensor *inverse, rg_tensor *counts);
/* The first of each run of equal elements, in x's order; otherwise as rg_unique. */
RG_API rg_tensor rg_unique_consecutive(rg_tape *t, rg_tensor x, rg_tensor *inverse, rg_tensor *counts);
/* How often each of 0, 1, ... occurs in x [n], integers of 0 or more: [max(x) + 1], at least minlength; i64. With weights
 * [n], number, not nil, their sums instead, in their dtype. Differs from PyTorch: the weights have a gradient. */
RG_API rg_tensor rg_bincount(rg_tape *t, rg_tensor x, rg_tensor weights, int64_t minlength);

/* How many elements of x lie in each of `bins` intervals of one width from low to high, which the last one includes: [bins]
 * of x's dtype, float. Others, and NaN, do not count. low = high: from the smallest to the largest x, which must be finite;
 * one to each side where these are equal. No gradient. */
RG_API rg_tensor rg_histc(rg_tape *t, rg_tensor x, int64_t bins, double low, double high);
/* The same between edges [bins + 1] that are given, in ascending order, the last one included: [bins], float; with weights
 * like x, not nil, the sums of them. density: divided by their sum and the widths. PyTorch's histogram without its copy of
 * the edges; rg_linspace makes even ones. Differs in that the weights have a gradient. */
RG_API rg_tensor rg_histogram(rg_tape *t, rg_tensor x, rg_tensor edges, rg_tensor weights, bool density);

#ifdef __cplusplus
}
#endif
#endif
