/* What augmentations share: one stream of random numbers for each, checks, and all of them in the order of a
 * configuration. */
#ifndef RG__NN_DATA_AUGMENT_H
#define RG__NN_DATA_AUGMENT_H

#include "data_check.h"

#include <retrograd/random.h>

typedef enum rg__augment_kind {
    RG__SHIFT = 1,
    RG__CROP,
    RG__FLIP,
    RG__ROTATE,
    RG__BRIGHTNESS,
    RG__CONTRAST,
    RG__NOISE,
    RG__CUTOUT,
    RG__MIXUP,
} rg__augment_kind;

/* The generator of one image, at the first of the `draws` numbers that are its own. */
rg_rng rg__augment_rng(const rg_augment *a, rg__augment_kind kind, int64_t image, uint64_t draws);

/* The numbers of one image. */
int64_t rg__augment_pixels(const rg_augment *a);

bool rg__augment_check(const rg_augment *a, const char *call, char *error, size_t size);

/* value is in [0, most]. */
bool rg__augment_amount(const char *call, const char *name, double value, double most, char *error, size_t size);

/* Does the configuration fit samples of this shape? `out` is the shape that they have afterwards. */
bool rg__augment_check_config(const rg_augment_config *config, rg_shape sample, rg_shape *out, const char *call,
                              char *error, size_t size);

/* All of the configuration but mixup, on a->x; where it crops, the result is in `out`, which is NULL otherwise. */
bool rg__augment_apply(const rg_augment *a, const rg_augment_config *config, float *out, char *error, size_t size);

#endif
