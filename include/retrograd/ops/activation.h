/* Retrograd: activations beside those of ops.h (relu, leaky_relu, softplus, gelu, silu, sigmoid, tanh). float; names,
 * defaults and gradients at kinks are PyTorch's. NaN stays NaN. */
#ifndef RETROGRAD_OPS_ACTIVATION_H
#define RETROGRAD_OPS_ACTIVATION_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* x held within [low, high], PyTorch's defaults are -1 and 1. Gradient 1 within, 0 at the borders, other than rg_clamp's. */
RG_API rg_tensor rg_hardtanh(rg_tape *t, rg_tensor x, double low, double high);
RG_API rg_tensor rg_relu6(rg_tape *t, rg_tensor x);       /* hardtanh between 0 and 6                    */
RG_API rg_tensor rg_hardsigmoid(rg_tape *t, rg_tensor x); /* x/6 + 1/2 held within [0, 1]                */
RG_API rg_tensor rg_hardswish(rg_tape *t, rg_tensor x);   /* x hardsigmoid(x): Howard et al., ICCV 2019 */

/* These default to alpha = 1 in PyTorch. elu: Clevert et al., ICLR 2016; celu: Barron, arXiv 1704.07483, 2017. */
RG_API rg_tensor rg_elu(rg_tape *t, rg_tensor x, double alpha);  /* x > 0 ? x : alpha (e^x - 1)                     */
RG_API rg_tensor rg_celu(rg_tape *t, rg_tensor x, double alpha); /* x > 0 ? x : alpha (e^(x/alpha) - 1); alpha not 0 */
/* s (x > 0 ? x : a (e^x - 1)) with s = 1.0507.. and a = 1.6733..: Klambauer et al., NIPS 2017 */
RG_API rg_tensor rg_selu(rg_tape *t, rg_tensor x);

RG_API rg_tensor rg_mish(rg_tape *t, rg_tensor x);       /* x tanh(softplus(x)); Misra, 2019 */
RG_API rg_tensor rg_softsign(rg_tape *t, rg_tensor x);   /* x / (1 + |x|)                    */
RG_API rg_tensor rg_tanhshrink(rg_tape *t, rg_tensor x); /* x - tanh x                       */
RG_API rg_tensor rg_logsigmoid(rg_tape *t, rg_tensor x); /* ln sigmoid(x)                    */
/* PyTorch's gelu with approximate='tanh': x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). Hendrycks and Gimpel, arXiv
 * 1606.08415, 2016 */
RG_API rg_tensor rg_gelu_tanh(rg_tape *t, rg_tensor x);
/* PyTorch's softplus: beta x > threshold ? x : ln(1 + e^(beta x)) / beta, defaults 1 and 20; beta not 0. rg_softplus is the
 * function itself, without the jump of 2e-9 at the threshold. */
RG_API rg_tensor rg_softplus_scaled(rg_tape *t, rg_tensor x, double beta, double threshold);

/* x - lambda above it, x + lambda below -lambda, else 0; lambda 0 or more; default 0.5 */
RG_API rg_tensor rg_softshrink(rg_tape *t, rg_tensor x, double lambda);
/* |x| > lambda ? x : 0; default 0.5 */
RG_API rg_tensor rg_hardshrink(rg_tape *t, rg_tensor x, double lambda);
/* x > threshold ? x : value */
RG_API rg_tensor rg_threshold(rg_tape *t, rg_tensor x, double threshold, double value);

/* x > 0 ? x : weight x. weight has one element, or, as [C], one for each index along axis 1 of x. He et al.,
 * ICCV 2015. */
RG_API rg_tensor rg_prelu(rg_tape *t, rg_tensor x, rg_tensor weight);
/* x > 0 ? x : slope x. In training each element has a slope of its own, uniform in [lower, upper) and drawn from the tape's
 * seed (the same in f32 and f64); else it is (lower + upper) / 2. PyTorch's defaults are 1/8 and 1/3. Xu et al., arXiv
 * 1505.00853, 2015. */
RG_API rg_tensor rg_rrelu(rg_tape *t, rg_tensor x, double lower, double upper, bool training);

/* The first half of x along the axis times the sigmoid of the second: [.., 2n, ..] -> [.., n, ..]. PyTorch's default axis
 * is -1. Dauphin et al., ICML 2017. */
RG_API rg_tensor rg_glu(rg_tape *t, rg_tensor x, int axis);
RG_API rg_tensor rg_softmin(rg_tape *t, rg_tensor x, int axis); /* softmax(-x) */

#ifdef __cplusplus
}
#endif
#endif
