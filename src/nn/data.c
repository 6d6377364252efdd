/* Labelled data sets in memory, and the loader that hands them out in batches. */
#include <math.h>
#include <retrograd/data.h>
#include <retrograd/random.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_BATCH 64

/* Streams of a seed: one for splits, and from SHUFFLE_STREAM on one for each epoch. */
#define SPLIT_STREAM   UINT64_C(0x73706C6974000000)
#define SHUFFLE_STREAM UINT64_C(0x7368756666000000)

__attribute__((format(printf, 3, 4))) static bool fail(char *error, size_t size, const char *format, ...)
{
    if (error && size > 0) {
        va_list args;
        va_start(args, format);
        vsnprintf(error, size, format, args);
        va_end(args);
    }
    return false;
}

/* Memory for count * width elements of `size` bytes, never of 0 bytes; NULL where that overflows or there is none. */
static void *alloc_array(int64_t count, int64_t width, size_t size)
{
    if (count < 0 || width < 0)
        return NULL;
    if (width > 0 && (uint64_t)count > PTRDIFF_MAX / size / (uint64_t)width)
        return NULL;
    const size_t bytes = (size_t)count * (size_t)width * size;
    return malloc(bytes ? bytes : 1);
}

/* ---- data sets ---- */

static rg_dataset *dataset_new(int64_t count, int64_t features, int64_t classes, char *error, size_t size)
{
    rg_dataset *data = calloc(1, sizeof *data);
    if (data) {
        *data = (rg_dataset){.count = count, .features = features, .classes = classes};
        data->x = alloc_array(count, features, sizeof *data->x);
        data->y = alloc_array(count, 1, sizeof *data->y);
    }
    if (!data || !data->x || !data->y) {
        rg_dataset_free(data);
        fail(error, size, "data set: out of memory for %lld samples of %lld features", (long long)count,
             (long long)features);
        return NULL;
    }
    return data;
}

void rg_dataset_free(rg_dataset *data)
{
    if (!data)
        return;
    free(data->x);
    free(data->y);
    free(data);
}

/* The fields are the user's to set: a data set that was put together by hand must be one. */
static bool check_dataset(const rg_dataset *data, const char *call, char *error, size_t size)
{
    if (!data)
        return fail(error, size, "%s: found no data set, expected one", call);
    if (data->count < 0 || data->features < 0)
        return fail(error, size, "%s: found a data set of %lld samples of %lld features, expected no negative sizes",
                    call, (long long)data->count, (long long)data->features);
    if (data->count > 0 && (!data->y || (data->features > 0 && !data->x)))
        return fail(error, size, "%s: found a data set of %lld samples without data, expected x and y", call,
                    (long long)data->count);
    return true;
}

/* Copies the samples that `index` names, `count` of them, to x and y. */
static void gather(const rg_dataset *data, const int64_t *index, int64_t count, float *x, int64_t *y)
{
    const size_t width = (size_t)data->features;
    for (int64_t i = 0; i < count; i++) {
        if (width > 0)
            memcpy(x + (size_t)i * width, data->x + (size_t)index[i] * width, width * sizeof *x);
        y[i] = data->y[index[i]];
    }
}

/* The values of one image; -1 where they are too many to count. */
static int64_t image_size(const rg_idx *images)
{
    rg_shape image = {.rank = images->shape.rank - 1};
    memcpy(image.dims, images->shape.dims + 1, (size_t)image.rank * sizeof *image.dims);
    return rg_shape_numel(image);
}

static bool check_pair(const rg_idx *images, const char *image_name, const rg_idx *labels, const char *label_name,
                       char *error, size_t size)
{
    if (images->type != RG_IDX_U8 || images->shape.rank < 2)
        return fail(error, size, "%s: found IDX type %02x of rank %d, expected images: type 08 (u8) of rank 2 or more",
                    image_name, (unsigned)images->type, images->shape.rank);
    if (image_size(images) < 0)
        return fail(error, size, "%s: found images of more values than can be counted, expected fewer", image_name);
    if (labels->type != RG_IDX_U8 || labels->shape.rank != 1)
        return fail(error, size, "%s: found IDX type %02x of rank %d, expected labels: type 08 (u8) of rank 1",
                    label_name, (unsigned)labels->type, labels->shape.rank);
    if (images->shape.dims[0] != labels->shape.dims[0])
        return fail(error, size, "%s: found %lld labels, expected %lld, one for each image of %s", label_name,
                    (long long)labels->shape.dims[0], (long long)images->shape.dims[0], image_name);
    return true;
}

static rg_dataset *from_pair(const rg_idx *images, const rg_idx *labels, char *error, size_t size)
{
    const int64_t count = labels->shape.dims[0], features = image_size(images);
    rg_dataset *data = dataset_new(count, features, 0, error, size);
    if (!data)
        return NULL;
    const unsigned char *pixels = images->data, *label = labels->data;
    for (int64_t i = 0; i < count * features; i++)
        data->x[i] = (float)pixels[i] / 255;
    for (int64_t i = 0; i < count; i++) {
        data->y[i] = label[i];
        if (data->y[i] >= data->classes)
            data->classes = data->y[i] + 1;
    }
    return data;
}

rg_dataset *rg_dataset_idx(const char *images, const char *labels, char *error, size_t size)
{
    rg_dataset *data = NULL;
    rg_idx *x = rg_idx_read(images, error, size);
    rg_idx *y = x ? rg_idx_read(labels, error, size) : NULL;
    if (x && y && check_pair(x, images, y, labels, error, size))
        data = from_pair(x, y, error, size);
    rg_idx_free(x);
    rg_idx_free(y);
    return data;
}

rg_dataset *rg_dataset_slice(const rg_dataset *data, int64_t first, int64_t count, char *error, size_t size)
{
    if (!check_dataset(data, "rg_dataset_slice", error, size))
        return NULL;
    if (first < 0 || count < 0 || first > data->count || count > data->count - first) {
        fail(error, size, "rg_dataset_slice: found %lld samples from %lld on, expected a part of %lld",
             (long long)count, (long long)first, (long long)data->count);
        return NULL;
    }
    rg_dataset *slice = dataset_new(count, data->features, data->classes, error, size);
    if (slice && count > 0) {
        const size_t values = (size_t)count * (size_t)data->features;
        if (values > 0)
            memcpy(slice->x, data->x + first * data->features, values * sizeof *slice->x);
        memcpy(slice->y, data->y + first, (size_t)count * sizeof *slice->y);
    }
    return slice;
}

bool rg_dataset_split(const rg_dataset *data, double share, uint64_t seed, rg_dataset **training,
                      rg_dataset **validation, char *error, size_t size)
{
    if (training)
        *training = NULL;
    if (validation)
        *validation = NULL;
    if (!training || !validation)
        return fail(error, size, "rg_dataset_split: found no place for a part, expected two");
    if (!check_dataset(data, "rg_dataset_split", error, size))
        return false;
    if (!(share >= 0 && share <= 1))
        return fail(error, size, "rg_dataset_split: found the share %g, expected 0 to 1", share);
    const int64_t count = data->count;
    const double wanted = round((double)count * share);
    const int64_t held_out = wanted < (double)count ? (int64_t)wanted : count;
    int64_t *order = alloc_array(count, 1, sizeof *order);
    rg_dataset *held = dataset_new(held_out, data->features, data->classes, error, size);
    rg_dataset *rest = dataset_new(count - held_out, data->features, data->classes, error, size);
    if (order && held && rest) {
        rg_rng rng = rg_rng_new(seed, SPLIT_STREAM);
        rg_rng_permutation(&rng, order, (size_t)count);
        gather(data, order, held_out, held->x, held->y);
        gather(data, order + held_out, count - held_out, rest->x, rest->y);
        *training = rest;
        *validation = held;
    } else {
        fail(error, size, "rg_dataset_split: out of memory for %lld samples of %lld features", (long long)count,
             (long long)data->features);
        rg_dataset_free(held);
        rg_dataset_free(rest);
    }
    free(order);
    return *training != NULL;
}

/* ---- loader ---- */

struct rg_loader {
    const rg_dataset *data;
    rg_loader_config config;
    int64_t next;   /* first sample of the next batch, counted in the epoch's order */
    int64_t *order; /* [count]                                                        */
    float *x;       /* the batch: [batch, features] and [batch]                      */
    int64_t *y;
};

rg_loader *rg_loader_new(const rg_dataset *data, const rg_loader_config *config, char *error, size_t size)
{
    if (!check_dataset(data, "rg_loader_new", error, size))
        return NULL;
    const rg_loader_config wanted = config ? *config : (rg_loader_config){0};
    if (wanted.batch < 0) {
        fail(error, size, "rg_loader_new: found a batch of %lld, expected 1 or more (0: %d)", (long long)wanted.batch,
             DEFAULT_BATCH);
        return NULL;
    }
    rg_loader *loader = calloc(1, sizeof *loader);
    if (loader) {
        *loader = (rg_loader){.data = data, .config = wanted};
        if (wanted.batch == 0)
            loader->config.batch = DEFAULT_BATCH;
        const int64_t most = loader->config.batch < data->count ? loader->config.batch : data->count;
        loader->order = alloc_array(data->count, 1, sizeof *loader->order);
        loader->x = alloc_array(most, data->features, sizeof *loader->x);
        loader->y = alloc_array(most, 1, sizeof *loader->y);
    }
    if (!loader || !loader->order || !loader->x || !loader->y) {
        rg_loader_free(loader);
        fail(error, size, "rg_loader_new: out of memory for batches of %lld samples of %lld features",
             (long long)(wanted.batch ? wanted.batch : DEFAULT_BATCH), (long long)data->features);
        return NULL;
    }
    rg_loader_start(loader, 0);
    return loader;
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

void rg_loader_start(rg_loader *loader, int64_t epoch)
{
    if (!loader)
        return;
    loader->next = 0;
    const int64_t count = loader->data->count;
    if (loader->config.shuffle) {
        rg_rng rng = rg_rng_new(loader->config.seed, SHUFFLE_STREAM + (uint64_t)epoch);
        rg_rng_permutation(&rng, loader->order, (size_t)count);
    } else {
        for (int64_t i = 0; i < count; i++)
            loader->order[i] = i;
    }
}

bool rg_loader_next(rg_loader *loader, rg_batch *batch)
{
    if (!batch)
        return false;
    *batch = (rg_batch){0};
    if (!loader)
        return false;
    const int64_t left = loader->data->count - loader->next;
    const int64_t count = left < loader->config.batch ? left : loader->config.batch;
    if (count <= 0 || (loader->config.drop_last && count < loader->config.batch))
        return false;
    const int64_t *index = loader->order + loader->next;
    gather(loader->data, index, count, loader->x, loader->y);
    *batch = (rg_batch){.count = count, .x = loader->x, .y = loader->y, .index = index};
    loader->next += count;
    return true;
}

int64_t rg_loader_batches(const rg_loader *loader)
{
    if (!loader)
        return 0;
    const int64_t count = loader->data->count, batch = loader->config.batch;
    return count / batch + (!loader->config.drop_last && count % batch != 0);
}
