/* The loader: orders of samples, and batches of them. */
#include "data_check.h"

#include <retrograd/random.h>
#include <retrograd/tape.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_BATCH 64

/* Streams of a seed: one for each epoch. */
#define SHUFFLE_STREAM UINT64_C(0x7368756666000000)

enum { ERROR_SIZE = 1024 };

struct rg_loader {
    rg_source source;
    rg_loader_config config;
    int64_t next;   /* number of the next batch                       */
    int64_t *order; /* [count]                                        */
    void *x, *y;    /* the batch                                      */
    bool failed;    /* a sample of this epoch could not be read       */
    char error[ERROR_SIZE];
};

/* ---- making and freeing ---- */

/* The samples of a whole batch: no more than there are. */
static int64_t batch_room(const rg_loader *loader)
{
    return loader->config.batch < loader->source.count ? loader->config.batch : loader->source.count;
}

rg_loader *rg_loader_new_source(const rg_source *source, const rg_loader_config *config, char *error, size_t size)
{
    if (!rg__check_source(source, "rg_loader_new", error, size))
        return NULL;
    const rg_loader_config wanted = config ? *config : (rg_loader_config){0};
    if (wanted.batch < 0) {
        rg__data_fail(error, size, "rg_loader_new: found a batch of %lld, expected 1 or more (0: %d)",
                      (long long)wanted.batch, DEFAULT_BATCH);
        return NULL;
    }
    rg_loader *loader = calloc(1, sizeof *loader);
    if (loader) {
        *loader = (rg_loader){.source = *source, .config = wanted};
        if (wanted.batch == 0)
            loader->config.batch = DEFAULT_BATCH;
        const int64_t room = batch_room(loader), x = rg__source_x(source), y = rg__source_y(source);
        loader->order = rg__data_alloc(source->count, 1, sizeof *loader->order);
        loader->x = rg__data_alloc(room, x, rg_dtype_size(source->x_dtype));
        loader->y = rg__data_alloc(room, y, rg_dtype_size(source->y_dtype));
    }
    if (!loader || !loader->order || !loader->x || !loader->y) {
        rg_loader_free(loader);
        rg__data_fail(error, size, "rg_loader_new: out of memory for batches of %lld samples of %lld numbers",
                      (long long)(wanted.batch ? wanted.batch : DEFAULT_BATCH), (long long)rg__source_x(source));
        return NULL;
    }
    rg_loader_start(loader, 0);
    return loader;
}

rg_loader *rg_loader_new(const rg_dataset *data, const rg_loader_config *config, char *error, size_t size)
{
    if (!rg__check_dataset(data, "rg_loader_new", error, size))
        return NULL;
    const rg_source source = rg_dataset_source(data);
    if (rg__source_x(&source) < 0) {
        rg__data_fail(error, size, "rg_loader_new: out of memory for batches of samples of %lld features",
                      (long long)data->features);
        return NULL;
    }
    return rg_loader_new_source(&source, config, error, size);
}

void rg_loader_free(rg_loader *loader)
{
    if (!loader)
        return;
    free(loader->order);
    free(loader->x);
    free(loader->y);
    free(loader);
}

/* ---- an epoch ---- */

void rg_loader_start(rg_loader *loader, int64_t epoch)
{
    if (!loader)
        return;
    loader->next = 0;
    loader->failed = false;
    loader->error[0] = '\0';
    const int64_t count = loader->source.count;
    if (loader->config.shuffle) {
        rg_rng rng = rg_rng_new(loader->config.seed, SHUFFLE_STREAM + (uint64_t)epoch);
        rg_rng_permutation(&rng, loader->order, (size_t)count);
    } else {
        for (int64_t i = 0; i < count; i++)
            loader->order[i] = i;
    }
}

/* [count, sample's shape] */
static rg_shape batch_shape(int64_t count, rg_shape sample)
{
    rg_shape shape = {.rank = sample.rank + 1, .dims = {count}};
    memcpy(shape.dims + 1, sample.dims, (size_t)sample.rank * sizeof *sample.dims);
    return shape;
}

bool rg_loader_next(rg_loader *loader, rg_batch *batch)
{
    if (!batch)
        return false;
    *batch = (rg_batch){0};
    if (!loader || loader->failed || loader->next >= rg_loader_batches(loader))
        return false;
    const rg_source *s = &loader->source;
    const int64_t first = loader->next * loader->config.batch, left = s->count - first;
    const int64_t count = left < loader->config.batch ? left : loader->config.batch;
    const int64_t *index = loader->order + first;
    const size_t x_bytes = (size_t)rg__source_x(s) * rg_dtype_size(s->x_dtype);
    const size_t y_bytes = (size_t)rg__source_y(s) * rg_dtype_size(s->y_dtype);
    for (int64_t i = 0; i < count; i++) {
        if (!rg__source_get(s, index[i], (char *)loader->x + (size_t)i * x_bytes,
                            (char *)loader->y + (size_t)i * y_bytes, loader->error, sizeof loader->error)) {
            loader->failed = true;
            return false;
        }
    }
    *batch = (rg_batch){.count = count, .index = index};
    batch->x = s->x_dtype == RG_F32 ? loader->x : NULL;
    batch->y = s->y_dtype == RG_I64 && y_bytes > 0 ? loader->y : NULL;
    batch->inputs = (rg_array){s->x_dtype, batch_shape(count, s->x_shape), loader->x};
    batch->labels = (rg_array){s->y_dtype, batch_shape(count, s->y_shape), y_bytes > 0 ? loader->y : NULL};
    loader->next++;
    return true;
}

const char *rg_loader_error(const rg_loader *loader)
{
    return loader ? loader->error : "";
}

int64_t rg_loader_batches(const rg_loader *loader)
{
    if (!loader)
        return 0;
    const int64_t count = loader->source.count, batch = loader->config.batch;
    return count / batch + (!loader->config.drop_last && count % batch != 0);
}

/* ---- onto the tape ---- */

/* The array, or nothing, which a tape refuses. */
static rg_tensor to_tape(rg_tape *t, const rg_array *array)
{
    static const rg_array none = {RG_F32, {1, {1}}, NULL};
    if (!array)
        array = &none;
    return rg_input(t, array->dtype, array->shape, array->data);
}

rg_tensor rg_batch_x(rg_tape *t, const rg_batch *batch)
{
    return to_tape(t, batch ? &batch->inputs : NULL);
}

rg_tensor rg_batch_y(rg_tape *t, const rg_batch *batch)
{
    return to_tape(t, batch ? &batch->labels : NULL);
}
