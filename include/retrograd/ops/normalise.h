/* Retrograd: normalisation, as functions: affine parameters are arguments and may be nil. All is float, of one dtype.
 * eps, momentum and p are finite, eps and p not negative; PyTorch's defaults stand in the comments. */
#ifndef RETROGRAD_OPS_NORMALISE_H
#define RETROGRAD_OPS_NORMALISE_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* (x - mean) / sqrt(var + eps) weight + bias over the last axes of x, whose extents `normalized` states; var is the biased
 * one. weight, bias: nil or [normalized]. eps 1e-5. Ba, Kiros, Hinton 2016. */
RG_API rg_tensor rg_layer_norm(rg_tape *t, rg_tensor x, rg_shape normalized, rg_tensor weight, rg_tensor bias,
                               double eps);
/* x / sqrt(mean(x^2) + eps) weight over the last axes. A negative eps stands for PyTorch's default, the dtype's epsilon
 * (2^-23 or 2^-52). Zhang and Sennrich, NeurIPS 2019. */
RG_API rg_tensor rg_rms_norm(rg_tape *t, rg_tensor x, rg_shape normalized, rg_tensor weight, double eps);
/* x [n, channels, ...]: the statistics of each sample over `groups` groups of neighbouring channels, which divide them, and
 * all that follows. weight, bias: nil or [channels]. eps 1e-5. One value a group alone is an error. Wu and He, ECCV 2018. */
RG_API rg_tensor rg_group_norm(rg_tape *t, rg_tensor x, int64_t groups, rg_tensor weight, rg_tensor bias, double eps);

/* Running statistics, [channels] each, of x's dtype. */
typedef struct rg_running {
    rg_tensor mean, var;
} rg_running;
/* x [n, channels, ...] -> (x - mean[c]) / sqrt(var[c] + eps) weight[c] + bias[c]. weight, bias: nil or [channels].
 * Training: mean and biased variance of each channel over all but axis 1, through which gradients flow; fewer than two
 * values a channel is an error. Tensors do not change: `running`, where it is not NULL, is read and then set to the updated
 * statistics (1 - momentum) old + momentum new, new being the mean and the unbiased variance, without gradient; rg_assign
 * stores them. Otherwise mean and var are those of `running`, which is needed, and they are constants to gradients as in
 * PyTorch. momentum 0.1, eps 1e-5. Ioffe and Szegedy, ICML 2015. By name, the updated statistics are further results. */
RG_API rg_tensor rg_batch_norm(rg_tape *t, rg_tensor x, rg_running *running, rg_tensor weight, rg_tensor bias,
                               bool training, double momentum, double eps);
/* The same with the statistics of each sample and channel on its own (training: use_input_stats in PyTorch); `running` takes
 * their means over the samples. Ulyanov, Vedaldi, Lempitsky 2016. */
RG_API rg_tensor rg_instance_norm(rg_tape *t, rg_tensor x, rg_running *running, rg_tensor weight, rg_tensor bias,
                                  bool training, double momentum, double eps);

/* x / max(|x|_p, eps) along the axis; p = 0 counts what is not 0, infinity is the largest magnitude. p 2, eps 1e-12. */
RG_API rg_tensor rg_normalize(rg_tape *t, rg_tensor x, double p, int axis, double eps);
/* x [n, channels, ...] -> x / (k + alpha/size sum x^2)^beta, the sum over `size` neighbouring channels, size/2 of them before
 * (those that are not there count as 0). alpha 1e-4, beta 0.75, k 1. Krizhevsky et al., NIPS 2012. */
RG_API rg_tensor rg_local_response_norm(rg_tape *t, rg_tensor x, int64_t size, double alpha, double beta, double k);
/* g v / |v|, the 2-norm of each slice of v along the axis; g: extent 1 but for that axis, as v there. PyTorch's
 * _weight_norm. Salimans and Kingma, NIPS 2016. */
RG_API rg_tensor rg_weight_norm(rg_tape *t, rg_tensor v, rg_tensor g, int axis);

#ifdef __cplusplus
}
#endif
#endif
