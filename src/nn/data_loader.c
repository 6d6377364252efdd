/* The loader: the order of an epoch's samples, and batches of them. */
#include "data_loader.h"

#include <retrograd/tape.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_BATCH 64
#define MOST_THREADS  1024
#define MOST_PREFETCH 65536

/* Streams of a seed: one for each epoch. */
#define SHUFFLE_STREAM UINT64_C(0x7368756666000000)
#define DRAW_STREAM    UINT64_C(0x6472617700000000)

static const char *const call = "rg_loader_new";

/* ---- making and freeing ---- */

/* Bytes of x and y of one sample of the source. */
static size_t x_bytes(const rg_loader *loader)
{
    return (size_t)rg__source_x(&loader->source) * rg_dtype_size(loader->source.x_dtype);
}

static size_t y_bytes(const rg_loader *loader)
{
    return (size_t)rg__source_y(&loader->source) * rg_dtype_size(loader->source.y_dtype);
}

static bool check_config(const rg_loader_config *config, char *error, size_t size)
{
    if (config->batch < 0)
        return rg__data_fail(error, size, "%s: found a batch of %lld, expected 1 or more (0: %d)", call,
                             (long long)config->batch, DEFAULT_BATCH);
    if (config->prefetch < 0 || config->prefetch > MOST_PREFETCH || config->threads < 0 || config->threads > MOST_THREADS)
        return rg__data_fail(error, size, "%s: found %d batches ahead by %d threads, expected at most %d by %d", call,
                             config->prefetch, config->threads, MOST_PREFETCH, MOST_THREADS);
    if (config->draws < 0)
        return rg__data_fail(error, size, "%s: found %lld draws, expected 0 or more", call, (long long)config->draws);
    return true;
}

/* The configuration with its defaults, and what follows from it. */
static bool settle(rg_loader *loader, const rg_loader_config *config, char *error, size_t size)
{
    rg_loader_config *c = &loader->config;
    if (config)
        *c = *config;
    if (!check_config(c, error, size))
        return false;
    c->batch = c->batch ? c->batch : DEFAULT_BATCH;
    c->threads = c->prefetch == 0 ? 0 : c->threads ? c->threads : 1;
    loader->x_shape = loader->source.x_shape;
    if (c->augment) {
        loader->augment = *c->augment;
        c->augment = &loader->augment;
        if (loader->source.x_dtype != RG_F32)
            return rg__data_fail(error, size, "%s: found samples of %s to be augmented, expected f32", call,
                                 rg_dtype_name(loader->source.x_dtype));
        if (!rg__augment_check_config(c->augment, loader->source.x_shape, &loader->x_shape, call, error, size))
            return false;
    }
    loader->drawn = c->draws > 0 || c->weights;
    loader->samples = c->draws > 0 ? c->draws : loader->source.count;
    const double *weights = c->weights;
    c->weights = NULL; /* the sampler keeps a copy */
    return !loader->drawn || rg__sampler_make(&loader->sampler, weights, loader->source.count, loader->samples,
                                              !c->no_replacement, call, error, size);
}

static bool slot_make(rg_loader *loader, rg__slot *slot)
{
    const rg_source *s = &loader->source;
    const rg_augment_config *augment = loader->config.augment;
    const int64_t room = loader->config.batch < loader->samples ? loader->config.batch : loader->samples;
    slot->x = rg__data_alloc(room, rg__source_x(s), rg_dtype_size(s->x_dtype));
    slot->y = rg__data_alloc(room, rg__source_y(s), rg_dtype_size(s->y_dtype));
    if (!slot->x || !slot->y)
        return false;
    if (augment && (augment->crop_padding > 0 || augment->crop_height > 0 || augment->crop_width > 0)) {
        slot->cropped = rg__data_alloc(room, rg_shape_numel(loader->x_shape), sizeof *slot->cropped);
        if (!slot->cropped)
            return false;
    }
    if (augment && augment->mixup > 0) {
        slot->partner = rg__data_alloc(room, 1, sizeof *slot->partner);
        slot->mixed_y = rg__data_alloc(room, rg__source_y(s), rg_dtype_size(s->y_dtype));
        return slot->partner && slot->mixed_y;
    }
    return true;
}

/* Memory, locks and threads. */
static bool equip(rg_loader *loader)
{
    loader->slots = loader->config.prefetch + 1;
    const int64_t count = loader->source.count > loader->samples ? loader->source.count : loader->samples;
    loader->order = rg__data_alloc(count, 1, sizeof *loader->order);
    loader->slot = calloc((size_t)loader->slots, sizeof *loader->slot);
    for (int64_t i = 0; loader->slot && i < loader->slots; i++)
        if (!slot_make(loader, &loader->slot[i]))
            return false;
    if (!loader->order || !loader->slot)
        return false;
    pthread_mutex_init(&loader->reading, NULL);
    pthread_mutex_init(&loader->crew.lock, NULL);
    pthread_cond_init(&loader->crew.work, NULL);
    pthread_cond_init(&loader->crew.done, NULL);
    loader->open = true;
    return loader->config.threads == 0 || rg__crew_start(loader);
}

rg_loader *rg_loader_new_source(const rg_source *source, const rg_loader_config *config, char *error, size_t size)
{
    if (!rg__check_source(source, call, error, size))
        return NULL;
    rg_loader *loader = calloc(1, sizeof *loader);
    if (!loader) {
        rg__data_fail(error, size, "%s: out of memory", call);
        return NULL;
    }
    loader->source = *source;
    bool good = settle(loader, config, error, size);
    if (good && !equip(loader))
        good = rg__data_fail(error, size, "%s: out of memory or threads for batches of %lld samples of %lld numbers",
                             call, (long long)loader->config.batch, (long long)rg__source_x(source));
    if (!good) {
        rg_loader_free(loader);
        return NULL;
    }
    rg_loader_start(loader, 0);
    return loader;
}

rg_loader *rg_loader_new(const rg_dataset *data, const rg_loader_config *config, char *error, size_t size)
{
    if (!rg__check_dataset(data, call, error, size))
        return NULL;
    const rg_source source = rg_dataset_source(data);
    if (rg__source_x(&source) < 0) {
        rg__data_fail(error, size, "%s: out of memory for batches of samples of %lld features", call,
                      (long long)data->features);
        return NULL;
    }
    return rg_loader_new_source(&source, config, error, size);
}

void rg_loader_free(rg_loader *loader)
{
    if (!loader)
        return;
    if (loader->open) {
        rg__crew_end(loader);
        pthread_cond_destroy(&loader->crew.done);
        pthread_cond_destroy(&loader->crew.work);
        pthread_mutex_destroy(&loader->crew.lock);
        pthread_mutex_destroy(&loader->reading);
    }
    for (int64_t i = 0; loader->slot && i < loader->slots; i++) {
        free(loader->slot[i].x);
        free(loader->slot[i].y);
        free(loader->slot[i].cropped);
        free(loader->slot[i].partner);
        free(loader->slot[i].mixed_y);
    }
    free(loader->slot);
    free(loader->order);
    rg__sampler_free(&loader->sampler);
    free(loader);
}

/* ---- an epoch ---- */

void rg_loader_start(rg_loader *loader, int64_t epoch)
{
    if (!loader)
        return;
    rg__crew_halt(loader);
    loader->next = 0;
    loader->epoch = epoch;
    loader->failed = false;
    loader->error[0] = '\0';
    const int64_t count = loader->source.count;
    if (loader->drawn) {
        rg_rng rng = rg_rng_new(loader->config.seed, DRAW_STREAM + (uint64_t)epoch);
        rg__sampler_draw(&loader->sampler, &rng, loader->order);
    } else if (loader->config.shuffle) {
        rg_rng rng = rg_rng_new(loader->config.seed, SHUFFLE_STREAM + (uint64_t)epoch);
        rg_rng_permutation(&rng, loader->order, (size_t)count);
    } else {
        for (int64_t i = 0; i < count; i++)
            loader->order[i] = i;
    }
}

/* ---- a batch ---- */

static bool read_sample(rg_loader *loader, int64_t i, void *x, void *y, char *error)
{
    const bool alone = loader->source.concurrent || loader->config.threads < 2;
    if (!alone)
        pthread_mutex_lock(&loader->reading);
    const bool good = rg__source_get(&loader->source, i, x, y, error, RG__LOADER_ERROR);
    if (!alone)
        pthread_mutex_unlock(&loader->reading);
    return good;
}

/* Mixes the images, and puts the partners' labels beside theirs. */
static bool mix(rg_loader *loader, rg__slot *slot, const rg_augment *a)
{
    if (!rg_augment_mixup(a, loader->augment.mixup, slot->partner, &slot->lambda, slot->error, sizeof slot->error))
        return false;
    const size_t bytes = y_bytes(loader);
    for (int64_t i = 0; bytes > 0 && i < slot->count; i++)
        memcpy((char *)slot->mixed_y + (size_t)i * bytes, (const char *)slot->y + (size_t)slot->partner[i] * bytes,
               bytes);
    return true;
}

static bool augment_batch(rg_loader *loader, rg__slot *slot, const int64_t *index)
{
    const rg_shape in = loader->source.x_shape, out = loader->x_shape;
    rg_augment a = {.count = slot->count,
                    .channels = in.dims[0],
                    .height = in.dims[1],
                    .width = in.dims[2],
                    .x = slot->x,
                    .index = index,
                    .seed = loader->config.seed,
                    .epoch = loader->epoch};
    if (!rg__augment_apply(&a, &loader->augment, slot->cropped, slot->error, sizeof slot->error))
        return false;
    a.x = slot->cropped ? slot->cropped : slot->x;
    a.height = out.dims[1];
    a.width = out.dims[2];
    return loader->augment.mixup == 0 || mix(loader, slot, &a);
}

void rg__loader_fill(rg_loader *loader, int64_t n)
{
    rg__slot *slot = &loader->slot[n % loader->slots];
    const int64_t first = n * loader->config.batch, left = loader->samples - first;
    const int64_t *index = loader->order + first;
    slot->count = left < loader->config.batch ? left : loader->config.batch;
    slot->lambda = 1;
    slot->failed = false;
    slot->error[0] = '\0';
    for (int64_t i = 0; i < slot->count && !slot->failed; i++) {
        if (atomic_load(&loader->crew.abandon))
            return;
        slot->failed = !read_sample(loader, index[i], (char *)slot->x + (size_t)i * x_bytes(loader),
                                    (char *)slot->y + (size_t)i * y_bytes(loader), slot->error);
    }
    if (!slot->failed && loader->config.augment)
        slot->failed = !augment_batch(loader, slot, index);
}

/* [count, sample's shape] */
static rg_shape batch_shape(int64_t count, rg_shape sample)
{
    rg_shape shape = {.rank = sample.rank + 1, .dims = {count}};
    memcpy(shape.dims + 1, sample.dims, (size_t)sample.rank * sizeof *sample.dims);
    return shape;
}

/* What the slot of batch n holds, for the user. */
static rg_batch view(const rg_loader *loader, int64_t n)
{
    const rg__slot *slot = &loader->slot[n % loader->slots];
    const rg_source *s = &loader->source;
    const void *x = slot->cropped ? slot->cropped : slot->x, *y = y_bytes(loader) > 0 ? slot->y : NULL;
    rg_batch batch = {.count = slot->count, .index = loader->order + n * loader->config.batch, .lambda = slot->lambda};
    batch.x = s->x_dtype == RG_F32 ? x : NULL;
    batch.y = s->y_dtype == RG_I64 ? y : NULL;
    batch.inputs = (rg_array){s->x_dtype, batch_shape(slot->count, loader->x_shape), x};
    batch.labels = (rg_array){s->y_dtype, batch_shape(slot->count, s->y_shape), y};
    batch.mixed_labels = batch.labels;
    if (y && slot->mixed_y)
        batch.mixed_labels.data = slot->mixed_y;
    return batch;
}

bool rg_loader_next(rg_loader *loader, rg_batch *batch)
{
    if (!batch)
        return false;
    *batch = (rg_batch){0};
    if (!loader || loader->failed || loader->next >= rg_loader_batches(loader))
        return false;
    const int64_t n = loader->next;
    const rg__slot *slot = &loader->slot[n % loader->slots];
    if (loader->config.threads > 0)
        rg__crew_wait(loader, n);
    else
        rg__loader_fill(loader, n);
    if (slot->failed) {
        loader->failed = true;
        memcpy(loader->error, slot->error, sizeof loader->error);
        return false;
    }
    *batch = view(loader, n);
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
    const int64_t count = loader->samples, batch = loader->config.batch;
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

rg_tensor rg_batch_mixed_y(rg_tape *t, const rg_batch *batch)
{
    return to_tape(t, batch ? &batch->mixed_labels : NULL);
}
