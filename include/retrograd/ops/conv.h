/* Retrograd: convolution, as PyTorch defines it (a cross-correlation), over one to three axes. */
#ifndef RETROGRAD_OPS_CONV_H
#define RETROGRAD_OPS_CONV_H

#include <retrograd/ops/rearrange.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers for the axes: RG_SHAPE(2) stands for all of them, RG_SHAPE(2, 1) names each; left out, the default. */
typedef struct rg_conv_config {
    rg_shape stride;         /* 1 */
    rg_shape padding;        /* 0: on both sides */
    rg_shape dilation;       /* 1: distance of the kernel's elements */
    rg_shape output_padding; /* 0: transposed convolutions: added to one side of the result, less than stride or dilation */
    int64_t groups;          /* 1: parts of the channels that do not mix */
    bool same;               /* instead of padding: as much as keeps the extents; an odd one more behind; stride 1 */
    rg_pad_kind mode; /* what lies outside of x: RG_PAD_CONSTANT for zeros; that alone for transposed convolutions */
} rg_conv_config;

/* y[n, o, p] = bias[o] + sum over c, k of x[n, c, p stride + k dilation - padding] weight[o, c, k], float.
 * x [n, in, extents...] or [in, extents...]; weight [out, in / groups, kernel...]; bias [out] or nil; config may be NULL.
 * The result has extents (extent + 2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded down. The matrix of windows
 * is never stored. */
RG_API rg_tensor rg_conv1d(rg_tape *t, rg_tensor x, rg_tensor weight, rg_tensor bias, const rg_conv_config *config);
RG_API rg_tensor rg_conv2d(rg_tape *t, rg_tensor x, rg_tensor weight, rg_tensor bias, const rg_conv_config *config);
RG_API rg_tensor rg_conv3d(rg_tape *t, rg_tensor x, rg_tensor weight, rg_tensor bias, const rg_conv_config *config);

/* The transpose of the linear map above (its gradient with respect to x): weight [in, out / groups, kernel...]; extents
 * (extent - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1. */
RG_API rg_tensor rg_conv_transpose1d(rg_tape *t, rg_tensor x, rg_tensor weight, rg_tensor bias,
                                     const rg_conv_config *config);
RG_API rg_tensor rg_conv_transpose2d(rg_tape *t, rg_tensor x, rg_tensor weight, rg_tensor bias,
                                     const rg_conv_config *config);
RG_API rg_tensor rg_conv_transpose3d(rg_tape *t, rg_tensor x, rg_tensor weight, rg_tensor bias,
                                     const rg_conv_config *config);

#ifdef __cplusplus
}
#endif
#endif
