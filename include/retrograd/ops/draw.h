/* Retrograd: random draws from distributions whose parameters are tensors.
 *
 * Parameters are float tensors of one dtype that broadcast; each element of the broadcast shape is drawn on its own, in
 * the dtype of the parameters unless said otherwise. For numbers use rg_constant or rg_full; for more draws of the same
 * parameters rg_expand them first. As rg_rand (ops.h), each call draws anew from the tape's seed, and equal seeds and
 * programs give equal draws: a draw depends on seed and position alone, whatever the number of threads and the executor.
 *
 * Continuous draws are reparameterised: gradients flow to the parameters, by the formula that is given, at a fixed draw
 * of the noise. The noise is made in f64 and rounded, so that draws in f32 are those in f64, up to rounding. Where a
 * parameter is outside of its range, the result is NaN; bounds are allowed where a formula has a limit there (scale 0,
 * rate 0). Discrete draws have no gradient; a parameter outside of its range is an error, found when they are computed.
 * Names of parameters, and their ranges, are those of torch.distributions. */
#ifndef RETROGRAD_OPS_DRAW_H
#define RETROGRAD_OPS_DRAW_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- continuous; z is standard normal, u uniform in (0, 1) with ends excluded -------------------------------- */
/* mean + std z, std >= 0 */
RG_API rg_tensor rg_draw_normal(rg_tape *t, rg_tensor mean, rg_tensor std);
/* low + (high - low) u, low <= high */
RG_API rg_tensor rg_draw_uniform(rg_tape *t, rg_tensor low, rg_tensor high);
/* e^(mean + std z), std >= 0 */
RG_API rg_tensor rg_draw_log_normal(rg_tape *t, rg_tensor mean, rg_tensor std);
/* -log(u) / rate, rate >= 0 */
RG_API rg_tensor rg_draw_exponential(rg_tape *t, rg_tensor rate);
/* Density e^(-|x - location| / scale) / (2 scale), scale >= 0: location - scale sign(v) log(1 - 2 |v|), v = u - 1/2 */
RG_API rg_tensor rg_draw_laplace(rg_tape *t, rg_tensor location, rg_tensor scale);
/* location - scale log(-log u), scale >= 0 */
RG_API rg_tensor rg_draw_gumbel(rg_tape *t, rg_tensor location, rg_tensor scale);
/* location + scale tan(pi (u - 1/2)), scale >= 0 */
RG_API rg_tensor rg_draw_cauchy(rg_tape *t, rg_tensor location, rg_tensor scale);

/* Density x^(c-1) e^(-rate x) rate^c / Gamma(c); concentration c > 0, rate >= 0; rate may be nil for 1. Marsaglia and
 * Tsang (2000). The gradient by the concentration is that of the quantile function: implicit reparameterisation, Figurnov,
 * Mohamed and Mnih (2018), accurate to about 1e-12 in f64. It cannot be differentiated again: a second derivative by a
 * concentration, of this draw and of those made of it below, is an error. What is smaller than any normal number is given
 * as the smallest one, as in PyTorch. */
RG_API rg_tensor rg_draw_gamma(rg_tape *t, rg_tensor concentration, rg_tensor rate);
/* X / (X + Y) of gamma variates with concentrations a and b, by their logarithms: nothing is lost where both are tiny. */
RG_API rg_tensor rg_draw_beta(rg_tape *t, rg_tensor a, rg_tensor b);
/* Along the last axis, [..., k] that sum to 1: gamma variates over their sum, by their logarithms. */
RG_API rg_tensor rg_draw_dirichlet(rg_tape *t, rg_tensor concentration);
RG_API rg_tensor rg_draw_chi2(rg_tape *t, rg_tensor df);      /* 2 gamma(df / 2), df > 0  */
RG_API rg_tensor rg_draw_student_t(rg_tape *t, rg_tensor df); /* z / sqrt(chi2(df) / df)  */

/* ---- discrete --------------------------------------------------------------------------------------------------- */
RG_API rg_tensor rg_draw_poisson(rg_tape *t, rg_tensor rate); /* whole numbers; rate finite, 0 or more           */
/* How many of `count` (whole, 0 or more) trials succeed, each with `probability`. */
RG_API rg_tensor rg_draw_binomial(rg_tape *t, rg_tensor count, rg_tensor probability);
RG_API rg_tensor rg_draw_bernoulli(rg_tape *t, rg_tensor probability); /* bool, true with the probability          */

/* weights [..., k], 0 or more, finite, with a sum that is not 0 -> i64 [..., samples]: indices 0 .. k-1, each drawn with a
 * probability in proportion to its weight. Without replacement no index comes twice, and there must be as many weights
 * other than 0 as samples: in order, each is drawn in proportion among those that are left. torch.multinomial. */
RG_API rg_tensor rg_draw_multinomial(rg_tape *t, rg_tensor weights, int64_t samples, bool replacement);
/* logits [..., k] -> i64 [...]: index i with probability softmax(logits)[i]. -inf is probability 0; at least one logit is
 * finite, none is NaN or +inf. */
RG_API rg_tensor rg_draw_categorical(rg_tape *t, rg_tensor logits);

#ifdef __cplusplus
}
#endif
#endif
