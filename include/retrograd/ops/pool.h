/* Retrograd: pooling. x is [N, C, spatial...] or, without the batch axis, [C, spatial...]; the result has the same leading
 * axes, which may be of extent 0. "2d" ops have two spatial axes, and so on.
 *
 * Lists that name a number for each spatial axis are shapes: RG_SHAPE(3, 2), RG_SHAPE(3) for the same along all of them, or
 * {0} (nothing given) for the default. Their numbers are at most 2^31 - 1.
 *
 * A window covers kernel_size elements, `dilation` apart, and begins at i stride - padding. There are
 *
 *     floor((extent + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1
 *
 * of them; with ceil_mode the quotient is rounded up, less one where the last window would begin behind the elements and the
 * padding before them. padding is at most half of what a window spans. Errors: a shape or a list that does not fit, a
 * number out of range, no window at all, a window that holds nothing but padding. */
#ifndef RETROGRAD_OPS_POOL_H
#define RETROGRAD_OPS_POOL_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rg_pool_config {
    rg_shape stride;          /* default: kernel_size                                                    */
    rg_shape padding;         /* default: 0. Not lp                                                      */
    rg_shape dilation;        /* default: 1. Max only                                                    */
    bool ceil_mode;           /* round the number of windows up                                          */
    bool count_exclude_pad;   /* average: divide by the elements there are; count_include_pad=False      */
    int64_t divisor_override; /* average 2d, 3d: divide by this instead; 0: no                           */
} rg_pool_config;

/* ---- maximum: number -------------------------------------------------------------------------------------------
 * NaN wins. The gradient goes to the first of equal elements; of several NaN to the last, as in PyTorch. PyTorch has no
 * integers in 1d and adaptive ops. Planes of f32 and i32 have at most 2^31 - 1 elements. */
RG_API rg_tensor rg_max_pool1d(rg_tape *t, rg_tensor x, rg_shape kernel_size, const rg_pool_config *config);
RG_API rg_tensor rg_max_pool2d(rg_tape *t, rg_tensor x, rg_shape kernel_size, const rg_pool_config *config);
RG_API rg_tensor rg_max_pool3d(rg_tape *t, rg_tensor x, rg_shape kernel_size, const rg_pool_config *config);

/* The same, and where each maximum lies in its plane, flattened (return_indices): i64, the shape of the result. */
RG_API rg_tensor rg_max_pool1d_with_indices(rg_tape *t, rg_tensor x, rg_shape kernel_size, const rg_pool_config *config,
                                            rg_tensor *indices);
RG_API rg_tensor rg_max_pool2d_with_indices(rg_tape *t, rg_tensor x, rg_shape kernel_size, const rg_pool_config *config,
                                            rg_tensor *indices);
RG_API rg_tensor rg_max_pool3d_with_indices(rg_tape *t, rg_tensor x, rg_shape kernel_size, const rg_pool_config *config,
                                            rg_tensor *indices);

/* Window i of output_size windows covers floor(i extent / output_size) up to ceil((i + 1) extent / output_size). -1 in
 * output_size keeps the extent (None in PyTorch), 0 gives an empty result. */
RG_API rg_tensor rg_adaptive_max_pool1d(rg_tape *t, rg_tensor x, rg_shape output_size);
RG_API rg_tensor rg_adaptive_max_pool2d(rg_tape *t, rg_tensor x, rg_shape output_size);
RG_API rg_tensor rg_adaptive_max_pool3d(rg_tape *t, rg_tensor x, rg_shape output_size);
RG_API rg_tensor rg_adaptive_max_pool1d_with_indices(rg_tape *t, rg_tensor x, rg_shape output_size, rg_tensor *indices);
RG_API rg_tensor rg_adaptive_max_pool2d_with_indices(rg_tape *t, rg_tensor x, rg_shape output_size, rg_tensor *indices);
RG_API rg_tensor rg_adaptive_max_pool3d_with_indices(rg_tape *t, rg_tensor x, rg_shape output_size, rg_tensor *indices);

/* x back at the places that `indices` (i64 or i32, the shape of x) names in planes of output_size, zeros elsewhere. The
 * default of output_size is (extent - 1) stride - 2 padding + kernel_size; it may differ from that by less than the stride.
 * Where an index occurs more than once the last one stays, in row-major order (PyTorch leaves open which), and the gradient
 * goes to all of them, as in PyTorch. float; an index out of range is an error when the value is computed. */
typedef struct rg_unpool_config {
    rg_shape stride;      /* default: kernel_size */
    rg_shape padding;     /* default: 0           */
    rg_shape output_size; /* of the spatial axes  */
} rg_unpool_config;
RG_API rg_tensor rg_max_unpool1d(rg_tape *t, rg_tensor x, rg_tensor indices, rg_shape kernel_size,
                                 const rg_unpool_config *config);
RG_API rg_tensor rg_max_unpool2d(rg_tape *t, rg_tensor x, rg_tensor indices, rg_shape kernel_size,
                                 const rg_unpool_config *config);
RG_API rg_tensor rg_max_unpool3d(rg_tape *t, rg_tensor x, rg_tensor indices, rg_shape kernel_size,
                                 const rg_unpool_config *config);

/* ---- averages: float -------------------------------------------------------------------------------------------
 * The sum of a window divided by how many elements it has, padding counted unless count_exclude_pad, but not what ceil_mode
 * adds behind the padding. */
RG_API rg_tensor rg_avg_pool1d(rg_tape *t, rg_tensor x, rg_shape kernel_size, const rg_pool_config *config);
RG_API rg_tensor rg_avg_pool2d(rg_tape *t, rg_tensor x, rg_shape kernel_size, const rg_pool_config *config);
RG_API rg_tensor rg_avg_pool3d(rg_tape *t, rg_tensor x, rg_shape kernel_size, const rg_pool_config *config);

/* Windows as in rg_adaptive_max_pool2d. */
RG_API rg_tensor rg_adaptive_avg_pool1d(rg_tape *t, rg_tensor x, rg_shape output_size);
RG_API rg_tensor rg_adaptive_avg_pool2d(rg_tape *t, rg_tensor x, rg_shape output_size);
RG_API rg_tensor rg_adaptive_avg_pool3d(rg_tape *t, rg_tensor x, rg_shape output_size);

/* (k mean(x^p))^(1/p) of each window, k the product of kernel_size: the sum's root where no window is cut off, p = norm_type
 * not 0. Infinite p: the largest magnitude, or with -infinity the smallest. Gradient 0 where the sum is 0. As in PyTorch x^p
 * is of x, not of its magnitude. No padding. */
RG_API rg_tensor rg_lp_pool1d(rg_tape *t, rg_tensor x, double norm_type, rg_shape kernel_size,
                              const rg_pool_config *config);
RG_API rg_tensor rg_lp_pool2d(rg_tape *t, rg_tensor x, double norm_type, rg_shape kernel_size,
                              const rg_pool_config *config);
RG_API rg_tensor rg_lp_pool3d(rg_tape *t, rg_tensor x, double norm_type, rg_shape kernel_size,
                              const rg_pool_config *config);

#ifdef __cplusplus
}
#endif
#endif
