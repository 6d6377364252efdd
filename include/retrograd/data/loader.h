/* Retrograd: mini-batches. Errors: see data.h. */
#ifndef RETROGRAD_DATA_LOADER_H
#define RETROGRAD_DATA_LOADER_H

#include <retrograd/data/source.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rg_loader_config {
    int64_t batch;  /* samples a batch; 0: 64 */
    bool shuffle;   /* a new order each epoch, a function of seed and epoch alone */
    bool drop_last; /* leave out a last batch that is smaller */
    uint64_t seed;
} rg_loader_config;

typedef struct rg_batch {
    int64_t count;
    const float *x;       /* [count, sample's shape] where x is f32, else NULL                         */
    const int64_t *y;     /* [count] (or [count, sample's shape]) where y is i64, else NULL            */
    const int64_t *index; /* [count]: where in the data set they stand                                 */
    rg_array inputs;      /* the same as x, of whatever dtype, with its shape [count, ...]             */
    rg_array labels;      /* the same as y; data is NULL where the source has none                     */
} rg_batch;

typedef struct rg_loader rg_loader;
/* The data set must outlive the loader. */
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

#ifdef __cplusplus
}
#endif
#endif
