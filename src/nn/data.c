/* Data sets in memory: from IDX files, as parts of others, and the checks that they share with sources. */
#include "data_check.h"

#include <math.h>
#include <retrograd/random.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The stream of a seed that splits are drawn from. */
#define SPLIT_STREAM UINT64_C(0x73706C6974000000)

bool rg__data_fail(char *error, size_t size, const char *format, ...)
{
    if (error && size > 0) {
        va_list args;
        va_start(args, format);
        vsnprintf(error, size, format, args);
        va_end(args);
    }
    return false;
}

void *rg__data_alloc(int64_t count, int64_t width, size_t size)
{
    if (count < 0 || width < 0)
        return NULL;
    if (width > 0 && (uint64_t)count > PTRDIFF_MAX / size / (uint64_t)width)
        return NULL;
    const size_t bytes = (size_t)count * (size_t)width * size;
    return malloc(bytes ? bytes : 1);
}

bool rg__check_index(const int64_t *index, int64_t n, int64_t count, const char *call, char *error, size_t size)
{
    if (n < 0 || (n > 0 && !index))
        return rg__data_fail(error, size, "%s: found a list of %lld samples%s, expected indices", call, (long long)n,
                             n > 0 ? " without data" : "");
    for (int64_t i = 0; i < n; i++)
        if (index[i] < 0 || index[i] >= count)
            return rg__data_fail(error, size, "%s: found sample %lld at place %lld of the list, expected one of %lld",
                                 call, (long long)index[i], (long long)i, (long long)count);
    return true;
}

/* ---- making and freeing ---- */

rg_dataset *rg__dataset_new(int64_t count, rg_shape shape, int64_t targets, char *error, size_t size)
{
    rg_dataset *data = calloc(1, sizeof *data);
    if (data) {
        *data = (rg_dataset){.count = count, .features = rg_shape_numel(shape), .shape = shape, .targets = targets};
        data->x = rg__data_alloc(count, data->features, sizeof *data->x);
        data->y = targets > 0 ? NULL : rg__data_alloc(count, 1, sizeof *data->y);
        data->t = targets > 0 ? rg__data_alloc(count, targets, sizeof *data->t) : NULL;
    }
    if (!data || !data->x || !(data->y || data->t)) {
        rg_dataset_free(data);
        rg__data_fail(error, size, "data set: out of memory for %lld samples of %lld features", (long long)count,
                      (long long)rg_shape_numel(shape));
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
    free(data->t);
    free(data);
}

bool rg__check_dataset(const rg_dataset *data, const char *call, char *error, size_t size)
{
    if (!data)
        return rg__data_fail(error, size, "%s: found no data set, expected one", call);
    if (data->count < 0 || data->features < 0 || data->targets < 0)
        return rg__data_fail(error, size,
                             "%s: found a data set of %lld samples of %lld features and %lld targets, expected no "
                             "negative sizes",
                             call, (long long)data->count, (long long)data->features, (long long)data->targets);
    if (data->count > 0 &&
        ((data->features > 0 && !data->x) || (data->targets > 0 && !data->t) || (data->targets == 0 && !data->y)))
        return rg__data_fail(error, size, "%s: found a data set of %lld samples without data, expected x and y", call,
                             (long long)data->count);
    if (data->shape.rank == 0)
        return true;
    if (data->shape.rank >= RG_MAX_RANK || rg_shape_numel(data->shape) != data->features)
        return rg__data_fail(error, size,
                             "%s: found samples of rank %d with %lld numbers, expected rank 1 to %d with %lld, as many as "
                             "features",
                             call, data->shape.rank, (long long)rg_shape_numel(data->shape), RG_MAX_RANK - 1,
                             (long long)data->features);
    return true;
}

/* ---- IDX ---- */

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
        return rg__data_fail(error, size,
                             "%s: found IDX type %02x of rank %d, expected images: type 08 (u8) of rank 2 or more",
                             image_name, (unsigned)images->type, images->shape.rank);
    if (image_size(images) < 0)
        return rg__data_fail(error, size, "%s: found images of more values than can be counted, expected fewer",
                             image_name);
    if (labels->type != RG_IDX_U8 || labels->shape.rank != 1)
        return rg__data_fail(error, size, "%s: found IDX type %02x of rank %d, expected labels: type 08 (u8) of rank 1",
                             label_name, (unsigned)labels->type, labels->shape.rank);
    if (images->shape.dims[0] != labels->shape.dims[0])
        return rg__data_fail(error, size, "%s: found %lld labels, expected %lld, one for each image of %s", label_name,
                             (long long)labels->shape.dims[0], (long long)images->shape.dims[0], image_name);
    return true;
}

static rg_dataset *from_pair(const rg_idx *images, const rg_idx *labels, char *error, size_t size)
{
    const int64_t count = labels->shape.dims[0], features = image_size(images);
    rg_shape shape = {.rank = images->shape.rank - 1};
    memcpy(shape.dims, images->shape.dims + 1, (size_t)shape.rank * sizeof *shape.dims);
    if (shape.rank == 2)
        shape = RG_SHAPE(1, shape.dims[0], shape.dims[1]);
    rg_dataset *data = rg__dataset_new(count, shape, 0, error, size);
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

/* ---- parts ---- */

/* The shape of a sample, spelt out. */
static rg_shape sample_shape(const rg_dataset *data)
{
    return data->shape.rank > 0 ? data->shape : RG_SHAPE(data->features);
}

static rg_dataset *part_new(const rg_dataset *data, int64_t count, char *error, size_t size)
{
    rg_dataset *part = rg__dataset_new(count, sample_shape(data), data->targets, error, size);
    if (part)
        part->classes = data->classes;
    return part;
}

/* Copies one sample to place `to` of a part. */
static void copy_sample(const rg_dataset *data, int64_t from, rg_dataset *part, int64_t to)
{
    const size_t width = (size_t)data->features, targets = (size_t)data->targets;
    if (width > 0)
        memcpy(part->x + (size_t)to * width, data->x + (size_t)from * width, width * sizeof *data->x);
    if (targets > 0)
        memcpy(part->t + (size_t)to * targets, data->t + (size_t)from * targets, targets * sizeof *data->t);
    else
        part->y[to] = data->y[from];
}

rg_dataset *rg_dataset_slice(const rg_dataset *data, int64_t first, int64_t count, char *error, size_t size)
{
    if (!rg__check_dataset(data, "rg_dataset_slice", error, size))
        return NULL;
    if (first < 0 || count < 0 || first > data->count || count > data->count - first) {
        rg__data_fail(error, size, "rg_dataset_slice: found %lld samples from %lld on, expected a part of %lld",
                      (long long)count, (long long)first, (long long)data->count);
        return NULL;
    }
    rg_dataset *slice = part_new(data, count, error, size);
    for (int64_t i = 0; slice && i < count; i++)
        copy_sample(data, first + i, slice, i);
    return slice;
}

rg_dataset *rg_dataset_take(const rg_dataset *data, const int64_t *index, int64_t count, char *error, size_t size)
{
    if (!rg__check_dataset(data, "rg_dataset_take", error, size) ||
        !rg__check_index(index, count, data->count, "rg_dataset_take", error, size))
        return NULL;
    rg_dataset *taken = part_new(data, count, error, size);
    for (int64_t i = 0; taken && i < count; i++)
        copy_sample(data, index[i], taken, i);
    return taken;
}

bool rg_dataset_split(const rg_dataset *data, double share, uint64_t seed, rg_dataset **training,
                      rg_dataset **validation, char *error, size_t size)
{
    if (training)
        *training = NULL;
    if (validation)
        *validation = NULL;
    if (!training || !validation)
        return rg__data_fail(error, size, "rg_dataset_split: found no place for a part, expected two");
    if (!rg__check_dataset(data, "rg_dataset_split", error, size))
        return false;
    if (!(share >= 0 && share <= 1))
        return rg__data_fail(error, size, "rg_dataset_split: found the share %g, expected 0 to 1", share);
    const int64_t count = data->count;
    const double wanted = round((double)count * share);
    const int64_t held_out = wanted < (double)count ? (int64_t)wanted : count;
    int64_t *order = rg__data_alloc(count, 1, sizeof *order);
    rg_dataset *held = part_new(data, held_out, error, size);
    rg_dataset *rest = part_new(data, count - held_out, error, size);
    if (order && held && rest) {
        rg_rng rng = rg_rng_new(seed, SPLIT_STREAM);
        rg_rng_permutation(&rng, order, (size_t)count);
        for (int64_t i = 0; i < count; i++)
            copy_sample(data, order[i], i < held_out ? held : rest, i < held_out ? i : i - held_out);
        *training = rest;
        *validation = held;
    } else {
        rg__data_fail(error, size, "rg_dataset_split: out of memory for %lld samples of %lld features",
                      (long long)count, (long long)data->features);
        rg_dataset_free(held);
        rg_dataset_free(rest);
    }
    free(order);
    return *training != NULL;
}
