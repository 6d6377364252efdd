/* Retrograd: data sets in memory. Errors: see data.h. */
#ifndef RETROGRAD_DATA_DATASET_H
#define RETROGRAD_DATA_DATASET_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Samples in memory: features [count, features] as f32, and for each a label or numbers to be predicted. Made by the
 * functions below, it is owned and freed with rg_dataset_free; one put together by hand is its maker's. */
typedef struct rg_dataset {
    int64_t count;
    int64_t features;
    int64_t classes; /* largest label + 1; slices and splits keep it */
    float *x;
    int64_t *y;      /* [count] labels; may be NULL where there are targets                                 */
    rg_shape shape;  /* of one sample, `features` numbers: [C, H, W] of an image. Rank 0: [features]        */
    int64_t targets; /* numbers of a sample to be predicted, in place of a label; 0: none                   */
    float *t;        /* [count, targets]; NULL where there are none                                         */
} rg_dataset;

/* An image file and a label file of the MNIST kind (u8 images [count, ...], u8 labels [count]); pixels become value/255.
 * Images [count, H, W] are samples of shape [1, H, W], others of the file's. */
RG_API rg_dataset *rg_dataset_idx(const char *images, const char *labels, char *error, size_t size);
/* Copies of the samples [first, first + count). */
RG_API rg_dataset *rg_dataset_slice(const rg_dataset *data, int64_t first, int64_t count, char *error, size_t size);
/* Copies of the samples index[0], ..., index[count - 1]; one may stand there several times. */
RG_API rg_dataset *rg_dataset_take(const rg_dataset *data, const int64_t *index, int64_t count, char *error, size_t size);
/* Cuts `data` into a training and a validation part of round(count * share) samples, drawn by a permutation from the seed.
 * 0 <= share <= 1. Both are new. */
RG_API bool rg_dataset_split(const rg_dataset *data, double share, uint64_t seed, rg_dataset **training,
                             rg_dataset **validation, char *error, size_t size);
RG_API void rg_dataset_free(rg_dataset *data);

#ifdef __cplusplus
}
#endif
#endif
