/* Retrograd: scans: every element becomes what it and those before it along an axis come to. Shapes stay. */
#ifndef RETROGRAD_OPS_SCAN_H
#define RETROGRAD_OPS_SCAN_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* number; sums of f32 are kept in double. Integers keep their dtype and wrap; PyTorch's i32 becomes i64. */
RG_API rg_tensor rg_cumsum(rg_tape *t, rg_tensor x, int axis);
/* number; exact gradients of any order at zeros, several of them in a lane, too */
RG_API rg_tensor rg_cumprod(rg_tape *t, rg_tensor x, int axis);
/* ln(e^x[0] + ... + e^x[i]), float; never larger than the largest x by more than ln n. Gradient 0 as long as all x are
 * -inf, where PyTorch has NaN. */
RG_API rg_tensor rg_logcumsumexp(rg_tape *t, rg_tensor x, int axis);

/* The largest or smallest element up to here, number, and where it is, i64, if index is not NULL: of equal ones the last;
 * NaN wins, the last of them, too. The gradient goes to that element. */
RG_API rg_tensor rg_cummax(rg_tape *t, rg_tensor x, int axis, rg_tensor *index);
RG_API rg_tensor rg_cummin(rg_tape *t, rg_tensor x, int axis, rg_tensor *index);

/* x[i + 1] - x[i] along the axis, n times over: an extent of n less, 0 at least; n = 0 gives x. Any dtype; of bools, where
 * the two differ. prepend and append, nil for none, are joined to x first: x's dtype and, off the axis, shape. */
RG_API rg_tensor rg_diff(rg_tape *t, rg_tensor x, int64_t n, int axis, rg_tensor prepend, rg_tensor append);

/* The trapezoidal rule: sum of (x[i + 1] - x[i]) (y[i + 1] + y[i]) / 2 along the axis, which is dropped; and its partial
 * sums, one less than y along the axis. float. x has y's shape, or is a vector along the axis; nil: dx apart. */
RG_API rg_tensor rg_trapezoid(rg_tape *t, rg_tensor y, rg_tensor x, double dx, int axis);
RG_API rg_tensor rg_cumulative_trapezoid(rg_tape *t, rg_tensor y, rg_tensor x, double dx, int axis);

#ifdef __cplusplus
}
#endif
#endif
