/* Retrograd: reading data sets and handing them out in batches. */
#ifndef RETROGRAD_DATA_H
#define RETROGRAD_DATA_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Errors of this header: the call returns NULL or false and, where `error` is not NULL, writes one line into it (at most
 * `size` bytes with the NUL) that names the file, what was found and what was expected. */

/* ---- IDX, the format of MNIST (yann.lecun.com/exdb/mnist): big-endian header, then row-major elements ------------ */
typedef enum rg_idx_type {
    RG_IDX_U8 = 0x08,
    RG_IDX_I8 = 0x09,
    RG_IDX_I16 = 0x0B,
    RG_IDX_I32 = 0x0C,
    RG_IDX_F32 = 0x0D,
    RG_IDX_F64 = 0x0E,
} rg_idx_type;

typedef struct rg_idx {
    rg_idx_type type;
    rg_shape shape; /* rank 1 to 8 */
    void *data;     /* in the machine's byte order */
} rg_idx;

/* Reads a plain or gzip-compressed file. Where `path` does not exist, `path`.gz is tried. The caller frees. */
RG_API rg_idx *rg_idx_read(const char *path, char *error, size_t size);
RG_API void rg_idx_free(rg_idx *idx);

/* ---- labelled images --------------------------------------------------------------------------------------------- */
/* Samples in memory: features [count, features] as f32, labels [count]. Owned; free with rg_dataset_free. */
typedef struct rg_dataset {
    int64_t count;
    int64_t features;
    int64_t classes; /* largest label + 1; slices and splits keep it */
    float *x;
    int64_t *y;
} rg_dataset;

/* An image file and a label file of the MNIST kind (u8 images [count, ...], u8 labels [count]); pixels become value/255. */
RG_API rg_dataset *rg_dataset_idx(const char *images, const char *labels, char *error, size_t size);
/* Copies of the samples [first, first + count). */
RG_API rg_dataset *rg_dataset_slice(const rg_dataset *data, int64_t first, int64_t count, char *error, size_t size);
/* Cuts `data` into a training and a validation part of round(count * share) samples, drawn by a permutation from the seed.
 * 0 <= share <= 1. Both are new. */
RG_API bool rg_dataset_split(const rg_dataset *data, double share, uint64_t seed, rg_dataset **training,
                             rg_dataset **validation, char *error, size_t size);
RG_API void rg_dataset_free(rg_dataset *data);

/* ---- mini-batches ------------------------------------------------------------------------------------------------ */
typedef struct rg_loader_config {
    int64_t batch;  /* samples a batch; 0: 64 */
    bool shuffle;   /* a new order each epoch, a function of seed and epoch alone */
    bool drop_last; /* leave out a last batch that is smaller */
    uint64_t seed;
} rg_loader_config;

typedef struct rg_batch {
    int64_t count;
    const float *x;       /* [count, features] */
    const int64_t *y;     /* [count]           */
    const int64_t *index; /* [count]: where in the data set they stand */
} rg_batch;

typedef struct rg_loader rg_loader;
/* The data set must outlive the loader. */
RG_API rg_loader *rg_loader_new(const rg_dataset *data, const rg_loader_config *config, char *error, size_t size);
RG_API void rg_loader_free(rg_loader *loader);
RG_API void rg_loader_start(rg_loader *loader, int64_t epoch); /* before the first batch of each epoch */
/* The next batch of the epoch; false at its end. What `batch` points to is valid until the next call. */
RG_API bool rg_loader_next(rg_loader *loader, rg_batch *batch);
RG_API int64_t rg_loader_batches(const rg_loader *loader); /* an epoch's number of batches */

#ifdef __cplusplus
}
#endif
#endif
