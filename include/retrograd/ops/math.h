/* Retrograd: more functions element by element. The rules of ops.h hold: arguments of one dtype, shapes broadcast, names
 * and edge cases are PyTorch's. */
#ifndef RETROGRAD_OPS_MATH_H
#define RETROGRAD_OPS_MATH_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- one argument: float ---------------------------------------------------------------------------------------- */
RG_API rg_tensor rg_exp2(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_log2(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_log10(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_asin(rg_tape *t, rg_tensor x); /* NaN beyond [-1, 1]; gradient infinite at its ends */
RG_API rg_tensor rg_acos(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_atan(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_sinh(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_cosh(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_asinh(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_acosh(rg_tape *t, rg_tensor x); /* NaN below 1 */
RG_API rg_tensor rg_atanh(rg_tape *t, rg_tensor x); /* infinite at -1 and 1, NaN beyond */
/* sin(pi x) / (pi x), 1 at 0. Its derivatives of any order are exact at 0 and near it: PyTorch's second one is 0 at 0,
 * where it is -pi^2/3. */
RG_API rg_tensor rg_sinc(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_deg2rad(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_rad2deg(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_trunc(rg_tape *t, rg_tensor x); /* towards 0; gradient 0 everywhere */
RG_API rg_tensor rg_frac(rg_tape *t, rg_tensor x); /* x - trunc(x), with the sign of x; gradient 1; NaN for infinities */

/* ---- two arguments: float --------------------------------------------------------------------------------------- */
/* The angle of the point (b, a), in (-pi, pi]. */
RG_API rg_tensor rg_atan2(rg_tape *t, rg_tensor a, rg_tensor b);
/* sqrt(a^2 + b^2) without overflow; the gradient at (0, 0) is NaN. */
RG_API rg_tensor rg_hypot(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_logaddexp(rg_tape *t, rg_tensor a, rg_tensor b);  /* ln(e^a + e^b)    */
RG_API rg_tensor rg_logaddexp2(rg_tape *t, rg_tensor a, rg_tensor b); /* log_2(2^a + 2^b) */
/* |a| with the sign of b, be it that of a zero or a NaN. Gradient of a: 1 or -1, 0 at 0. */
RG_API rg_tensor rg_copysign(rg_tape *t, rg_tensor a, rg_tensor b);

/* ---- two arguments: number --------------------------------------------------------------------------------------
 * An integer divisor of 0 is an error when the value is computed; the least integer over -1 is itself, as it wraps. */
/* a - trunc(a/b) b: the sign of a. Gradient of b: -trunc(a/b) */
RG_API rg_tensor rg_fmod(rg_tape *t, rg_tensor a, rg_tensor b);
/* a - floor(a/b) b: the sign of b, as Python's %. Gradient of b: -floor(a/b) */
RG_API rg_tensor rg_remainder(rg_tape *t, rg_tensor a, rg_tensor b);
/* floor(a/b), as Python's //; no gradient. */
RG_API rg_tensor rg_floor_divide(rg_tape *t, rg_tensor a, rg_tensor b);
/* 0 where x < 0 or NaN, values where x = 0, 1 where x > 0. Gradient: of values, where x = 0; PyTorch has none. */
RG_API rg_tensor rg_heaviside(rg_tape *t, rg_tensor x, rg_tensor values);
/* As rg_maximum and rg_minimum, but a number wins over NaN; all the gradient to a at a tie. */
RG_API rg_tensor rg_fmax(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_fmin(rg_tape *t, rg_tensor a, rg_tensor b);
/* a^b in f64, whatever the dtypes, which may differ. */
RG_API rg_tensor rg_float_power(rg_tape *t, rg_tensor a, rg_tensor b);

/* ---- several arguments ------------------------------------------------------------------------------------------ */
/* min(max(x, low), high), with bounds that broadcast; one of them may be nil. NaN wins, high wins over low. The gradient is
 * x's within, borders included, else the bound's. number */
RG_API rg_tensor rg_clamp_tensor(rg_tape *t, rg_tensor x, rg_tensor low, rg_tensor high);
/* a + weight (b - a), exact at weights 0 and 1. float */
RG_API rg_tensor rg_lerp(rg_tape *t, rg_tensor a, rg_tensor b, rg_tensor weight);
RG_API rg_tensor rg_lerp_scalar(rg_tape *t, rg_tensor a, rg_tensor b, double weight);
/* x + value a b; number, of integers with a whole value */
RG_API rg_tensor rg_addcmul(rg_tape *t, rg_tensor x, rg_tensor a, rg_tensor b, double value);
/* x + value a / b; float */
RG_API rg_tensor rg_addcdiv(rg_tape *t, rg_tensor x, rg_tensor a, rg_tensor b, double value);

/* ---- kinds of numbers: any dtype; integers and bools are finite. The result is bool, without gradient ------------ */
RG_API rg_tensor rg_isnan(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_isinf(rg_tape *t, rg_tensor x); /* of either sign */
RG_API rg_tensor rg_isposinf(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_isneginf(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_isfinite(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_signbit(rg_tape *t, rg_tensor x); /* number; true of -0.0, and of NaN as its sign is */
/* x with NaN, infinity and minus infinity replaced; number, integers stay as they are. NaN as posinf or neginf stands for
 * the largest and the least finite number of the dtype. Gradient 0 where it was replaced. */
RG_API rg_tensor rg_nan_to_num(rg_tape *t, rg_tensor x, double nan, double posinf, double neginf);

/* ---- special functions: float; those of f32 are computed in f64 --------------------------------------------------- */
RG_API rg_tensor rg_lgamma(rg_tape *t, rg_tensor x); /* ln |Gamma(x)|; infinite at 0, -1, -2 .. */
/* The derivative of lgamma; NaN at -1, -2 .., infinite with the other sign at the zeros. */
RG_API rg_tensor rg_digamma(rg_tape *t, rg_tensor x);
/* The n-th derivative of digamma, (-1)^(n+1) n! sum over k of 1/(x+k)^(n+1) for n > 0, infinite with this sign at 0, -1 ..
 * To 1e-14 or so, where PyTorch's for n = 1 is 1e-9 beside the truth. */
RG_API rg_tensor rg_polygamma(rg_tape *t, int64_t n, rg_tensor x);
RG_API rg_tensor rg_erfc(rg_tape *t, rg_tensor x);   /* 1 - erf(x), exact where that would be 0            */
RG_API rg_tensor rg_erfinv(rg_tape *t, rg_tensor x); /* infinite at -1 and 1, NaN beyond                   */
/* ln(x / (1 - x)). With 0 <= eps <= 0.5, x is clamped to [eps, 1 - eps] first; with eps < 0 (PyTorch's None) it is not. */
RG_API rg_tensor rg_logit(rg_tape *t, rg_tensor x, double eps);
/* x ln y and x ln(1 + y), 0 where x is 0 and y is not NaN. There the gradient is 0 where the logarithm is infinite or NaN;
 * PyTorch's of y is NaN at (0, 0). */
RG_API rg_tensor rg_xlogy(rg_tape *t, rg_tensor x, rg_tensor y);
RG_API rg_tensor rg_xlog1py(rg_tape *t, rg_tensor x, rg_tensor y);

#ifdef __cplusplus
}
#endif
#endif
