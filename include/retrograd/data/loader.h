/* Retrograd: mini-batches. Errors: see data.h. */
#ifndef RETROGRAD_DATA_LOADER_H
#define RETROGRAD_DATA_LOADER_H

#include <retrograd/data/augment.h>
#include <retrograd/data/source.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rg_loader_config {
    int64_t batch;  /* samples a batch; 0: 64 */
    bool shuffle;   /* a new order each epoch, a function of seed and epoch alone */
    bool drop_last; /* leave out a last batch that is smaller */
    uint64_t seed;
    int64_t draws; /* samples an epoch, drawn anew each time; 0: each sample once, or, by weights, as many draws */
    const double *weights; /* [count], copied: draw by them, see rg_sample_weighted; NULL: all alike                     */
    bool no_replacement; /* no sample is drawn twice in an epoch                                                       */
    const rg_augment_config *augment; /* copied; for f32 images [C, H, W]; NULL: none                                    */
    int prefetch; /* batches prepared ahead by threads of the loader's own; 0: none, by the caller. Same batches always  */
    int threads; /* how many threads do that; 0: 1                                                                      */
} rg_loader_config;

typedef struct rg_batch {
    int64_t count;
    const float *x;        /* [count, sample's shape] where x is f32, else NULL                          */
    const int64_t *y;      /* [count] (or [count, sample's shape]) where y is i64, else NULL             */
    const int64_t *index;  /* [count]: where in the data set they stand                                  */
    rg_array inputs;       /* the same as x, of whatever dtype, with its shape [count, ...]              */
    rg_array labels;       /* the same as y; data is NULL where the source has none                      */
    rg_array mixed_labels; /* with mixup the partners' labels, else the same                             */
    double lambda;         /* the share of `labels` in the mixture; 1 without mixup. See rg_augment_mixup */
} rg_batch;

typedef struct rg_loader rg_loader;
/* The data set must outlive the loader, and is not to be changed while the loader prepares batches ahead. A loader is used by one
 * thread at a time. */
RG_API rg_loader *rg_loader_new(const rg_dataset *data, const rg_loader_config *config, char *error, size_t size);
/* The same of any source; `source` itself is copied, what it reads from must outlive the loader. */
RG_API rg_loader *rg_loader_new_source(const rg_source *source, const rg_loader_config *config, char *error, size_t size);
RG_API void rg_loader_free(rg_loader *loader);
RG_API void rg_loader_start(rg_loader *loader, int64_t epoch); /* before the first batch of each epoch */
/* The next batch of the epoch; false at its end, and where a sample could not be read: rg_loader_error then says why, and
 * there are no batches until the next rg_loader_start. What `batch` points to is valid until the next call. */
RG_API bool rg_loader_next(rg_loader *loader, rg_batch *batch);
/* "" where there was none since the last rg_loader_start; lives until that is called. */
RG_API const char *rg_loader_error(const rg_loader *loader);
RG_API int64_t rg_loader_batches(const rg_loader *loader); /* an epoch's number of batches */

/* The batch's arrays as inputs of the tape, with their shapes and dtypes. */
RG_API rg_tensor rg_batch_x(rg_tape *t, const rg_batch *batch);
RG_API rg_tensor rg_batch_y(rg_tape *t, const rg_batch *batch);
RG_API rg_tensor rg_batch_mixed_y(rg_tape *t, const rg_batch *batch);

#ifdef __cplusplus
}
#endif
#endif
