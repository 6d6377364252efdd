/* Retrograd: images in another size or form: interpolation, shuffled pixels, windows as columns, sampling along a grid. */
#ifndef RETROGRAD_OPS_RESIZE_H
#define RETROGRAD_OPS_RESIZE_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- interpolation: float ---------------------------------------------------------------------------------------- */
typedef enum rg_interpolation {
    RG_INTERPOLATE_NEAREST = 0,   /* element floor(i scale), as OpenCV                                            */
    RG_INTERPOLATE_NEAREST_EXACT, /* element floor((i + 1/2) scale): the nearest                                  */
    RG_INTERPOLATE_LINEAR,        /* between the 2, 4 or 8 elements around: one spatial axis,                     */
    RG_INTERPOLATE_BILINEAR,      /* two of them,                                                                 */
    RG_INTERPOLATE_TRILINEAR,     /* three                                                                        */
    RG_INTERPOLATE_BICUBIC,       /* of the 16 around, two axes: Keys, Cubic convolution interpolation for digital
                                     image processing (1981), with a = -3/4; edges repeated outwards              */
    RG_INTERPOLATE_AREA,          /* rg_adaptive_avg_pool                                                         */
} rg_interpolation;

typedef struct rg_interpolate_config {
    rg_interpolation mode;
    rg_shape size;               /* of the spatial axes, RG_SHAPE(8) for all of them; or:                          */
    double scale_factor[3];      /* size = floor(extent scale_factor); one for each axis, or the first for all     */
    bool align_corners;          /* linear and cubic: the corner elements keep their places                        */
    bool recompute_scale_factor; /* positions by extent / size instead of 1 / scale_factor                         */
} rg_interpolate_config;

/* x [N, C, spatial...], one to three spatial axes -> [N, C, size...]. Element i lies at (i + 1/2) scale - 1/2 of x, scale
 * 1 / scale_factor or extent / size; with align_corners at i (extent - 1) / (size - 1). Positions of both nearest modes are
 * rounded to f32 before they are cut off, as in PyTorch. There is no antialias. Errors: neither or both of size and
 * scale_factor, a result without elements, a mode that does not fit the number of axes, align_corners with a mode that has
 * none. */
RG_API rg_tensor rg_interpolate(rg_tape *t, rg_tensor x, const rg_interpolate_config *config);

/* ---- pixels and channels: any dtype ------------------------------------------------------------------------------ */
/* [..., C r^2, H, W] -> [..., C, H r, W r], and back: each r x r block of an image is r^2 channels. r = factor >= 1. */
RG_API rg_tensor rg_pixel_shuffle(rg_tape *t, rg_tensor x, int64_t upscale_factor);
RG_API rg_tensor rg_pixel_unshuffle(rg_tape *t, rg_tensor x, int64_t downscale_factor);
/* x [N, C, ...], at least one axis behind: channel k C/groups + i becomes channel i groups + k. */
RG_API rg_tensor rg_channel_shuffle(rg_tape *t, rg_tensor x, int64_t groups);

/* ---- windows as columns: float -----------------------------------------------------------------------------------
 * These are PyTorch's F.unfold and F.fold, each the gradient of the other. Lists as in pool.h: RG_SHAPE(3) for both axes. */
typedef struct rg_fold_config {
    rg_shape dilation; /* default: 1 */
    rg_shape padding;  /* default: 0 */
    rg_shape stride;   /* default: 1 */
} rg_fold_config;

/* F.unfold: x [N, C, H, W] or [C, H, W] -> [N, C kh kw, L] or [C kh kw, L]: column l is window l, L of them row by row, zeros
 * for padding. Along each axis (extent + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1, rounded down, which must
 * be 1 or more. */
RG_API rg_tensor rg_im2col(rg_tape *t, rg_tensor x, rg_shape kernel_size, const rg_fold_config *config);
/* F.fold: x [N, C kh kw, L] or [C kh kw, L] -> [N, C, H, W] or [C, H, W], [H, W] = output_size: each column added to its
 * window. */
RG_API rg_tensor rg_col2im(rg_tape *t, rg_tensor x, rg_shape output_size, rg_shape kernel_size,
                           const rg_fold_config *config);

/* ---- sampling along a grid: float -------------------------------------------------------------------------------- */
typedef enum rg_grid_mode { RG_GRID_BILINEAR = 0, RG_GRID_NEAREST, RG_GRID_BICUBIC } rg_grid_mode;
typedef enum rg_grid_padding {
    RG_GRID_ZEROS = 0,  /* 0 outside                                               */
    RG_GRID_BORDER,     /* positions outside are moved to the border               */
    RG_GRID_REFLECTION, /* or reflected at it, as often as it takes                */
} rg_grid_padding;
typedef struct rg_grid_config {
    rg_grid_mode mode;
    rg_grid_padding padding_mode;
    bool align_corners; /* -1 and 1 are the centres of the corner pixels, instead of their outer edges */
} rg_grid_config;

/* x [N, C, H, W], grid [N, H', W', 2] -> [N, C, H', W']; x [N, C, D, H, W], grid [N, D', H', W', 3] -> [N, C, D', H', W'].
 * grid holds positions (x, y) or (x, y, z), -1 to 1 over the image. Bilinear is trilinear in three dimensions; bicubic is
 * for two. Gradients flow to both, of any order, but none to the grid from nearest; PyTorch has the first alone. At a
 * position that is moved to the border the grid's gradient is 0. A NaN in the grid gives NaN with zeros unless nearest, and
 * is 0 in pixels otherwise. */
RG_API rg_tensor rg_grid_sample(rg_tape *t, rg_tensor x, rg_tensor grid, const rg_grid_config *config);

/* The grid of affine maps: theta [N, 2, 3] and size [N, C, H, W] -> [N, H, W, 2], theta [N, 3, 4] and size [N, C, D, H, W] ->
 * [N, D, H, W, 3]: theta (x, y, 1) at each position (x, y), -1 to 1 over the image as in rg_grid_sample. */
RG_API rg_tensor rg_affine_grid(rg_tape *t, rg_tensor theta, rg_shape size, bool align_corners);

#ifdef __cplusplus
}
#endif
#endif
