/* Retrograd: augmentation of images: random changes that leave the label true. Errors: see data.h. */
#ifndef RETROGRAD_DATA_AUGMENT_H
#define RETROGRAD_DATA_AUGMENT_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Images in memory that are changed in place: x [count, channels, height, width]. What image i becomes depends on x, seed,
 * epoch and index[i] alone (and, of mixup, on its batch); NULL index: 0, 1, 2, ... Each function draws from streams of its
 * own. False is an error: sizes and amounts that cannot be, no memory. */
typedef struct rg_augment {
    int64_t count, channels, height, width;
    float *x;
    const int64_t *index; /* [count], >= 0 */
    uint64_t seed;
    int64_t epoch;
} rg_augment;

/* Moves each image by whole pixels, both drawn from -pixels .. pixels; what comes in is `fill`. */
RG_API bool rg_augment_shift(const rg_augment *a, int64_t pixels, float fill, char *error, size_t size);
/* Mirrors each image with the given probabilities: left and right, top and bottom. */
RG_API bool rg_augment_flip(const rg_augment *a, double horizontal, double vertical, char *error, size_t size);
/* Pads every side by `padding` pixels of `fill` and cuts a part [height, width] out, at a place drawn, into `out`
 * [count, channels, height, width], which does not overlap x. */
RG_API bool rg_augment_crop(const rg_augment *a, int64_t padding, int64_t height, int64_t width, float fill, float *out,
                            char *error, size_t size);
/* Turns each image about its centre by an angle drawn from -degrees .. degrees. Pixels are interpolated bilinearly,
 * `fill` is what lies around the image. */
RG_API bool rg_augment_rotate(const rg_augment *a, double degrees, float fill, char *error, size_t size);
/* Multiplies by a factor drawn from [max(0, 1 - amount), 1 + amount), and clamps to 0 and 1. */
RG_API bool rg_augment_brightness(const rg_augment *a, double amount, char *error, size_t size);
/* x f + m (1 - f), clamped to 0 and 1, f drawn as above, m the mean of the image (of its grey, if channels are 3). */
RG_API bool rg_augment_contrast(const rg_augment *a, double amount, char *error, size_t size);
/* Adds normal noise of this standard deviation. */
RG_API bool rg_augment_noise(const rg_augment *a, double std, char *error, size_t size);
/* (x - mean[channel]) / std[channel]; std > 0. Nothing is drawn. */
RG_API bool rg_augment_normalize(const rg_augment *a, const float *mean, const float *std, char *error, size_t size);
/* Sets a square of side `side` to `fill`; its centre is any pixel, so that parts may lie outside. DeVries and Taylor,
 * arXiv 1708.04552. */
RG_API bool rg_augment_cutout(const rg_augment *a, int64_t side, float fill, char *error, size_t size);
/* x_i becomes lambda x_i + (1 - lambda) x_j, j = partner[i] a permutation of the batch, lambda from Beta(alpha, alpha), one
 * for the batch; both are drawn from seed, epoch and index[0]. The loss is lambda L(y_i) + (1 - lambda) L(y_j). partner
 * [count] and lambda are written. Zhang et al., arXiv 1710.09412. */
RG_API bool rg_augment_mixup(const rg_augment *a, double alpha, int64_t *partner, double *lambda, char *error,
                             size_t size);

enum { RG_AUGMENT_CHANNELS = 4 };

/* What a loader does to each batch, in this order; what is 0 is left out. */
typedef struct rg_augment_config {
    int64_t shift;                         /* pixels                                                               */
    int64_t crop_padding;                  /* pixels ...                                                           */
    int64_t crop_height, crop_width;       /* ... of a crop to this size; 0: the image's own                       */
    double flip_horizontal, flip_vertical; /* probabilities                                                       */
    double rotation;                       /* degrees                                                              */
    double brightness, contrast, noise;    /* amounts, standard deviation                                          */
    bool normalize;                        /* by ...                                                               */
    float mean[RG_AUGMENT_CHANNELS], std[RG_AUGMENT_CHANNELS]; /* ... these of at most 4 channels                 */
    int64_t cutout;    /* side                                                                 */
    double mixup;      /* alpha                                                                */
    float fill;        /* of shift, crop and rotation                                          */
    float cutout_fill; /* 0 after `normalize` is the mean, as in the paper                     */
} rg_augment_config;

#ifdef __cplusplus
}
#endif
#endif
