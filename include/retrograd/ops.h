/* Retrograd: the ops. Each call checks its arguments, records and returns at once; values come when asked for.
 *
 * Throughout: the tape is the first argument; nil in, nil out; the first error stays on the tape. Arguments of one
 * op have one dtype (rg_cast converts; nothing converts by itself), shapes broadcast as NumPy's do, axes may be
 * negative. "float" is f32 or f64, "number" those and i32, i64. Results have the dtype of the arguments unless said
 * otherwise. Names, defaults and gradients at ties and kinks are PyTorch's; where they differ it says so.
 *
 * Ops are recorded when they are called. Where two calls are arguments of a third, C leaves open which comes first, and
 * with it their order on the tape and that of random draws. */
#ifndef RETROGRAD_OPS_H
#define RETROGRAD_OPS_H

#include <retrograd/base.h>
#include <retrograd/ops/activation.h>
#include <retrograd/ops/attention.h>
#include <retrograd/ops/bitwise.h>
#include <retrograd/ops/contract.h>
#include <retrograd/ops/conv.h>
#include <retrograd/ops/cotangent.h>
#include <retrograd/ops/ctc.h>
#include <retrograd/ops/distance.h>
#include <retrograd/ops/draw.h>
#include <retrograd/ops/fft.h>
#include <retrograd/ops/indexing.h>
#include <retrograd/ops/linalg.h>
#include <retrograd/ops/math.h>
#include <retrograd/ops/normalise.h>
#include <retrograd/ops/pool.h>
#include <retrograd/ops/rearrange.h>
#include <retrograd/ops/resize.h>
#include <retrograd/ops/scan.h>
#include <retrograd/ops/sort.h>
#include <retrograd/ops/statistics.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- element by element, two arguments: number ------------------------------------------------------------- */
RG_API rg_tensor rg_add(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_sub(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_mul(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_div(rg_tape *t, rg_tensor a, rg_tensor b); /* float only: cast integers first       */
/* a^b, float; d/da is 0 where b = 0, d/db is 0 where a = 0 and b >= 0 */
RG_API rg_tensor rg_pow(rg_tape *t, rg_tensor a, rg_tensor b);
/* NaN wins; half the gradient each at a tie, all of it to both where one is NaN */
RG_API rg_tensor rg_maximum(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_minimum(rg_tape *t, rg_tensor a, rg_tensor b);

/* With a number: as with rg_constant(t, dtype of x, c), so c is part of the recorded structure. A number that
 * changes from step to step belongs into an rg_scalar. Integer tensors take whole numbers only. */
RG_API rg_tensor rg_add_scalar(rg_tape *t, rg_tensor x, double c);
RG_API rg_tensor rg_mul_scalar(rg_tape *t, rg_tensor x, double c);
RG_API rg_tensor rg_pow_scalar(rg_tape *t, rg_tensor x, double c);

/* ---- element by element, one argument: number --------------------------------------------------------------- */
RG_API rg_tensor rg_neg(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_abs(rg_tape *t, rg_tensor x);  /* gradient 0 at 0 */
RG_API rg_tensor rg_sign(rg_tape *t, rg_tensor x); /* -1, 0, 1; gradient 0 everywhere */
RG_API rg_tensor rg_square(rg_tape *t, rg_tensor x);
/* x held within [low, high]; NaN stays; gradient 1 within, borders included, else 0. Infinite bounds leave a side open */
RG_API rg_tensor rg_clamp(rg_tape *t, rg_tensor x, double low, double high);

/* ---- element by element, one argument: float ----------------------------------------------------------------- */
RG_API rg_tensor rg_sqrt(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_rsqrt(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_reciprocal(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_exp(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_expm1(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_log(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_log1p(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_sin(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_cos(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_tan(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_tanh(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_erf(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_sigmoid(rg_tape *t, rg_tensor x); /* 1 / (1 + e^-x)                          */
/* max(x, 0); gradient 0 at 0; NaN stays, gradient 1 */
RG_API rg_tensor rg_relu(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_leaky_relu(rg_tape *t, rg_tensor x, double slope); /* x > 0 ? x : slope x; gradient slope at 0 */
/* log(1 + e^x), exact where PyTorch turns linear at 20 */
RG_API rg_tensor rg_softplus(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_gelu(rg_tape *t, rg_tensor x); /* x/2 (1 + erf(x/sqrt 2))                 */
RG_API rg_tensor rg_silu(rg_tape *t, rg_tensor x); /* x sigmoid(x)                            */
/* these three: gradient 0 everywhere */
RG_API rg_tensor rg_floor(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_ceil(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_round(rg_tape *t, rg_tensor x); /* halves to even */

/* ---- comparisons and logic: the result is bool, without gradient ---------------------------------------------- */
/* any dtype */
RG_API rg_tensor rg_eq(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_ne(rg_tape *t, rg_tensor a, rg_tensor b);
/* number; false where one is NaN */
RG_API rg_tensor rg_lt(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_le(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_gt(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_ge(rg_tape *t, rg_tensor a, rg_tensor b);
/* bool */
RG_API rg_tensor rg_logical_and(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_logical_or(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_logical_xor(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_logical_not(rg_tape *t, rg_tensor x);

/* ---- selection and conversion --------------------------------------------------------------------------------- */
/* condition ? a : b, element by element; condition is bool, a and b any one dtype; all three broadcast. */
RG_API rg_tensor rg_where(rg_tape *t, rg_tensor condition, rg_tensor a, rg_tensor b);
/* To another dtype. Floats to integers truncate towards zero and saturate (NaN gives 0); to bool is x != 0.
 * Differs from PyTorch in the saturation: there, and in C, the result is undefined. Gradient: between floats. */
RG_API rg_tensor rg_cast(rg_tape *t, rg_tensor x, rg_dtype dtype);

/* ---- reductions ----------------------------------------------------------------------------------------------
 * Over the given axes (RG_ALL: every one); keepdim leaves them in the shape with extent 1. The order of summation
 * depends on the shape alone. */
RG_API rg_tensor rg_sum(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim);  /* number; 0 for no elements         */
RG_API rg_tensor rg_mean(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim); /* float; NaN for no elements        */
/* number; 1 for no elements; exact gradients of any order at zeros */
RG_API rg_tensor rg_prod(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim);
/* number; NaN wins; no elements is an error; ties share the gradient evenly, as torch.amax */
RG_API rg_tensor rg_max(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim);
RG_API rg_tensor rg_min(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim);
/* sum((x - mean)^2) / (n - correction): correction 1 is the unbiased estimate, PyTorch's default. float.
 * Nothing to divide by (n <= correction) gives NaN or infinity, as in PyTorch. */
RG_API rg_tensor rg_var(rg_tape *t, rg_tensor x, rg_axes axes, double correction, bool keepdim);
/* sqrt(var); the gradient is 0 where nothing varies. */
RG_API rg_tensor rg_std(rg_tape *t, rg_tensor x, rg_axes axes, double correction, bool keepdim);
/* float; shifted by the maximum */
RG_API rg_tensor rg_logsumexp(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim);
RG_API rg_tensor rg_any(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim); /* bool; false for no elements */
RG_API rg_tensor rg_all(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim); /* bool; true for no elements  */
/* Index (i64) of the first largest element along one axis; NaN counts as largest for argmax, smallest for argmin. */
RG_API rg_tensor rg_argmax(rg_tape *t, rg_tensor x, int axis, bool keepdim); /* number */
RG_API rg_tensor rg_argmin(rg_tape *t, rg_tensor x, int axis, bool keepdim);

RG_API rg_tensor rg_softmax(rg_tape *t, rg_tensor x, int axis);     /* float; e^x / sum e^x along the axis          */
RG_API rg_tensor rg_log_softmax(rg_tape *t, rg_tensor x, int axis); /* float; x - logsumexp(x)                      */

/* ---- shape: any dtype. Those marked "view" share storage with x ----------------------------------------------- */
/* one extent may be -1; a view where possible, else a copy */
RG_API rg_tensor rg_reshape(rg_tape *t, rg_tensor x, rg_shape shape);
/* the same, but an error where a copy would be needed */
RG_API rg_tensor rg_view(rg_tape *t, rg_tensor x, rg_shape shape);
/* view; order names every axis once */
RG_API rg_tensor rg_permute(rg_tape *t, rg_tensor x, rg_axes order);
/* view */
RG_API rg_tensor rg_transpose(rg_tape *t, rg_tensor x, int axis0, int axis1);
/* view; drops those of the axes that have extent 1 */
RG_API rg_tensor rg_squeeze(rg_tape *t, rg_tensor x, rg_axes axes);
/* view; a new axis of extent 1 at this place of the result */
RG_API rg_tensor rg_unsqueeze(rg_tape *t, rg_tensor x, int axis);
/* view; broadcasts to the shape; -1 keeps an extent */
RG_API rg_tensor rg_expand(rg_tape *t, rg_tensor x, rg_shape shape);
/* View: elements start, start+step, ... before stop along the axis, as Python's x[start:stop:step]: negative ones
 * count from the end and are clipped. step is not 0. RG_END as stop runs through to the end in step's direction. */
#define RG_END INT64_MIN
RG_API rg_tensor rg_slice(rg_tape *t, rg_tensor x, int axis, int64_t start, int64_t stop, int64_t step);
RG_API rg_tensor rg_select(rg_tape *t, rg_tensor x, int axis, int64_t index); /* view; x[index], the axis dropped */
RG_API rg_tensor rg_flip(rg_tape *t, rg_tensor x, rg_axes axes);              /* view; none given flips all       */
RG_API rg_tensor rg_contiguous(rg_tape *t, rg_tensor x);                      /* x itself if row-major, else a copy */
/* joined along an axis */
RG_API rg_tensor rg_cat(rg_tape *t, const rg_tensor *x, int count, int axis);
/* joined along a new axis */
RG_API rg_tensor rg_stack(rg_tape *t, const rg_tensor *x, int count, int axis);
/* Views of `size` along the axis, the last one smaller where it does not divide. Writes at most `capacity` handles to
 * parts and returns how many there are; more than `capacity` is an error. 0 on error. */
RG_API int rg_split(rg_tape *t, rg_tensor x, int64_t size, int axis, rg_tensor *parts, int capacity);
/* `before[i]` and `after[i]` elements of `value` around axis i, for all axes of x; negative ones cut off. */
RG_API rg_tensor rg_pad(rg_tape *t, rg_tensor x, const int64_t *before, const int64_t *after, double value);

/* ---- products: float ------------------------------------------------------------------------------------------- */
/* Matrix product [..., m, k] x [..., k, n] -> [..., m, n]; leading axes broadcast. A vector [k] on the left is a row,
 * on the right a column, and its axis is dropped from the result. */
RG_API rg_tensor rg_matmul(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_outer(rg_tape *t, rg_tensor a, rg_tensor b); /* [m] x [n] -> [m, n] */
RG_API rg_tensor rg_dot(rg_tape *t, rg_tensor a, rg_tensor b);   /* [n] x [n] -> []     */
/* x weight^T + bias: x [..., in], weight [out, in], bias [out] or nil -> [..., out]. PyTorch's functional linear;
 * rg_linear is the layer (nn.h). */
RG_API rg_tensor rg_affine(rg_tape *t, rg_tensor x, rg_tensor weight, rg_tensor bias);

/* ---- indexing: index is i64 or i32; out of range is an error when the value is computed, negative ones included - */
/* out[.., i, ..] = x[.., index[.., i, ..], ..] along the axis; index has x's rank and, off the axis, extents at most x's. */
RG_API rg_tensor rg_gather(rg_tape *t, rg_tensor x, int axis, rg_tensor index);
/* index [n]: rows of x in that order */
RG_API rg_tensor rg_index_select(rg_tape *t, rg_tensor x, int axis, rg_tensor index);
/* of x flattened; the shape of index; here negative ones count from the end */
RG_API rg_tensor rg_take(rg_tape *t, rg_tensor x, rg_tensor index);
/* x, with source[.., i, ..] added at [.., index[.., i, ..], ..], in the order of i. source has at least
 * the index's extents. */
RG_API rg_tensor rg_scatter_add(rg_tape *t, rg_tensor x, int axis, rg_tensor index, rg_tensor source);
/* [...] -> [..., classes] of the given dtype, 1 at the index, else 0. */
RG_API rg_tensor rg_one_hot(rg_tape *t, rg_tensor index, int64_t classes, rg_dtype dtype);

/* ---- creation ---------------------------------------------------------------------------------------------------- */
RG_API rg_tensor rg_zeros(rg_tape *t, rg_dtype dtype, rg_shape shape);
RG_API rg_tensor rg_ones(rg_tape *t, rg_dtype dtype, rg_shape shape);
RG_API rg_tensor rg_full(rg_tape *t, rg_dtype dtype, rg_shape shape, double value);
/* [ceil((stop - start)/step)]; number */
RG_API rg_tensor rg_arange(rg_tape *t, rg_dtype dtype, double start, double stop, double step);
/* both ends included; float */
RG_API rg_tensor rg_linspace(rg_tape *t, rg_dtype dtype, double start, double stop, int64_t count);
RG_API rg_tensor rg_eye(rg_tape *t, rg_dtype dtype, int64_t rows, int64_t columns);
/* Random: float. Each call draws anew from the tape's seed; equal seeds and programs give equal draws. */
RG_API rg_tensor rg_rand(rg_tape *t, rg_dtype dtype, rg_shape shape);               /* uniform in [0, 1)   */
RG_API rg_tensor rg_randn(rg_tape *t, rg_dtype dtype, rg_shape shape);              /* standard normal     */
RG_API rg_tensor rg_bernoulli(rg_tape *t, rg_shape shape, double p);                /* bool, true with probability p */
RG_API rg_tensor rg_randint(rg_tape *t, rg_shape shape, int64_t low, int64_t high); /* i64 in [low, high) */
RG_API rg_tensor rg_randperm(rg_tape *t, int64_t n); /* i64, 0 .. n-1 in random order   */
/* With the dtype and shape of x. */
RG_API rg_tensor rg_zeros_like(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_ones_like(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_full_like(rg_tape *t, rg_tensor x, double value);
RG_API rg_tensor rg_rand_like(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_randn_like(rg_tape *t, rg_tensor x);

#ifdef __cplusplus
}
#endif

#endif
