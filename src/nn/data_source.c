/* Sources of samples: a data set or arrays as one, views of others, and reading one into memory. */
#include "data_check.h"

#include <retrograd/data.h>
#include <stdlib.h>
#include <string.h>

int64_t rg__source_x(const rg_source *source)
{
    return rg_shape_numel(source->x_shape);
}

int64_t rg__source_y(const rg_source *source)
{
    return rg_shape_numel(source->y_shape);
}

bool rg__check_source(const rg_source *source, const char *call, char *error, size_t size)
{
    if (!source)
        return rg__data_fail(error, size, "%s: found no source, expected one", call);
    if (source->count < 0 || !source->get)
        return rg__data_fail(error, size, "%s: found a source of %lld samples %s get, expected 0 or more with it", call,
                             (long long)source->count, source->get ? "with" : "without");
    if (rg_dtype_size(source->x_dtype) == 0 || rg_dtype_size(source->y_dtype) == 0)
        return rg__data_fail(error, size, "%s: found a source of dtypes %d and %d, expected known ones", call,
                             (int)source->x_dtype, (int)source->y_dtype);
    const rg_shape x = source->x_shape, y = source->y_shape;
    if (x.rank < 0 || x.rank >= RG_MAX_RANK || y.rank < 0 || y.rank >= RG_MAX_RANK || rg__source_x(source) < 0 ||
        rg__source_y(source) < 0)
        return rg__data_fail(error, size,
                             "%s: found samples of ranks %d and %d, %lld and %lld elements, expected rank 0 to %d and "
                             "extents that can be counted",
                             call, x.rank, y.rank, (long long)rg__source_x(source), (long long)rg__source_y(source),
                             RG_MAX_RANK - 1);
    return true;
}

bool rg__source_get(const rg_source *source, int64_t i, void *x, void *y, char *error, size_t size)
{
    char none[1] = "";
    if (!error || size == 0) {
        error = none;
        size = sizeof none;
    }
    const char kept = *error;
    *error = '\0';
    if (source->get(source->user, i, x, y, error, size)) {
        *error = kept;
        return true;
    }
    return *error ? false : rg__data_fail(error, size, "data: sample %lld could not be read, expected it", (long long)i);
}

void rg_source_free(rg_source *source)
{
    if (!source)
        return;
    if (source->close)
        source->close(source->user);
    free(source);
}

/* ---- a data set as a source ---- */

static bool get_from_dataset(void *user, int64_t i, void *x, void *y, char *error, size_t size)
{
    (void)error, (void)size;
    const rg_dataset *data = user;
    const size_t width = (size_t)data->features, targets = (size_t)data->targets;
    if (width > 0)
        memcpy(x, data->x + (size_t)i * width, width * sizeof *data->x);
    if (targets > 0)
        memcpy(y, data->t + (size_t)i * targets, targets * sizeof *data->t);
    else
        memcpy(y, data->y + i, sizeof *data->y);
    return true;
}

rg_source rg_dataset_source(const rg_dataset *data)
{
    rg_source source = {.count = -1, .y_dtype = RG_I64, .get = get_from_dataset, .concurrent = true};
    if (!rg__check_dataset(data, "rg_dataset_source", NULL, 0))
        return source;
    source.count = data->count;
    source.x_shape = data->shape.rank > 0 ? data->shape : RG_SHAPE(data->features);
    source.classes = data->classes;
    source.user = (void *)data; /* it is only read */
    if (data->targets > 0) {
        source.y_dtype = RG_F32;
        source.y_shape = RG_SHAPE(data->targets);
    }
    return source;
}

/* ---- arrays as a source ---- */

typedef struct arrays {
    const char *x, *y;       /* borrowed or ours          */
    size_t x_bytes, y_bytes; /* of one sample             */
    void *own_x, *own_y;     /* the copies; NULL for none */
} arrays;

static bool get_from_arrays(void *user, int64_t i, void *x, void *y, char *error, size_t size)
{
    (void)error, (void)size;
    const arrays *a = user;
    if (a->x_bytes > 0)
        memcpy(x, a->x + (size_t)i * a->x_bytes, a->x_bytes);
    if (a->y_bytes > 0)
        memcpy(y, a->y + (size_t)i * a->y_bytes, a->y_bytes);
    return true;
}

static void close_arrays(void *user)
{
    arrays *a = user;
    free(a->own_x);
    free(a->own_y);
    free(a);
}

/* The shape of one of an array's samples. */
static rg_shape behind_first(rg_shape shape)
{
    rg_shape sample = {.rank = shape.rank - 1};
    memcpy(sample.dims, shape.dims + 1, (size_t)sample.rank * sizeof *sample.dims);
    return sample;
}

static bool check_array(const rg_array *array, const char *name, char *error, size_t size)
{
    const int64_t numel = rg_shape_numel(array->shape);
    const size_t width = rg_dtype_size(array->dtype);
    if (array->shape.rank < 1 || numel < 0 || width == 0 || (uint64_t)numel > PTRDIFF_MAX / (width ? width : 1) ||
        rg_shape_numel(behind_first(array->shape)) < 0)
        return rg__data_fail(error, size,
                             "rg_source_arrays: found %s of rank %d, dtype %s and %lld elements, expected rank 1 to %d, "
                             "a dtype and elements that memory can hold",
                             name, array->shape.rank, rg_dtype_name(array->dtype), (long long)numel, RG_MAX_RANK);
    return (numel == 0 || array->data) || rg__data_fail(error, size,
                                                        "rg_source_arrays: found %s of %lld elements without data, "
                                                        "expected them",
                                                        name, (long long)numel);
}

/* Largest label + 1; 0 where there are no labels. */
static int64_t count_classes(const rg_array *y)
{
    int64_t classes = 0;
    if (y->dtype != RG_I64 || y->shape.rank != 1)
        return 0;
    const int64_t *label = y->data;
    for (int64_t i = 0; i < y->shape.dims[0]; i++) {
        if (label[i] < 0 || label[i] == INT64_MAX)
            return 0;
        if (label[i] >= classes)
            classes = label[i] + 1;
    }
    return classes;
}

static bool keep(const rg_array *array, bool copy, const char **data, void **own)
{
    const size_t bytes = (size_t)rg_shape_numel(array->shape) * rg_dtype_size(array->dtype);
    *data = array->data;
    if (!copy || bytes == 0)
        return true;
    *data = *own = malloc(bytes);
    if (!*own)
        return false;
    memcpy(*own, array->data, bytes);
    return true;
}

rg_source *rg_source_arrays(const rg_array *x, const rg_array *y, bool copy, char *error, size_t size)
{
    if (!x) {
        rg__data_fail(error, size, "rg_source_arrays: found no x, expected an array");
        return NULL;
    }
    const rg_array none = {.dtype = RG_I64, .shape = {2, {x->shape.dims[0], 0}}};
    if (!y)
        y = &none;
    if (!check_array(x, "x", error, size) || !check_array(y, "y", error, size))
        return NULL;
    if (x->shape.dims[0] != y->shape.dims[0]) {
        rg__data_fail(error, size, "rg_source_arrays: found x of %lld samples and y of %lld, expected as many",
                      (long long)x->shape.dims[0], (long long)y->shape.dims[0]);
        return NULL;
    }
    rg_source *source = calloc(1, sizeof *source);
    arrays *a = source ? calloc(1, sizeof *a) : NULL;
    if (a)
        *source = (rg_source){.count = x->shape.dims[0],
                              .x_shape = behind_first(x->shape),
                              .y_shape = behind_first(y->shape),
                              .x_dtype = x->dtype,
                              .y_dtype = y->dtype,
                              .classes = count_classes(y),
                              .get = get_from_arrays,
                              .close = close_arrays,
                              .user = a,
                              .concurrent = true};
    if (!a || !keep(x, copy, &a->x, &a->own_x) || !keep(y, copy, &a->y, &a->own_y)) {
        rg_source_free(source);
        rg__data_fail(error, size, "rg_source_arrays: out of memory for %lld samples", (long long)x->shape.dims[0]);
        return NULL;
    }
    a->x_bytes = (size_t)rg__source_x(source) * rg_dtype_size(x->dtype);
    a->y_bytes = (size_t)rg__source_y(source) * rg_dtype_size(y->dtype);
    return source;
}

/* ---- views ---- */

typedef struct subset {
    rg_source of;
    int64_t index[];
} subset;

static bool get_from_subset(void *user, int64_t i, void *x, void *y, char *error, size_t size)
{
    const subset *s = user;
    return s->of.get(s->of.user, s->index[i], x, y, error, size);
}

/* The view with room for its list. */
static rg_source *subset_new(const rg_source *source, int64_t count, const char *call, char *error, size_t size)
{
    rg_source *view = malloc(sizeof *view);
    subset *s = NULL;
    if (view && (uint64_t)count <= (PTRDIFF_MAX - sizeof *s) / sizeof *s->index)
        s = malloc(sizeof *s + (size_t)count * sizeof *s->index);
    if (!s) {
        free(view);
        rg__data_fail(error, size, "%s: out of memory for a list of %lld samples", call, (long long)count);
        return NULL;
    }
    s->of = *source;
    *view = *source;
    view->count = count;
    view->get = get_from_subset;
    view->close = free;
    view->user = s;
    return view;
}

rg_source *rg_source_subset(const rg_source *source, const int64_t *index, int64_t count, char *error, size_t size)
{
    if (!rg__check_source(source, "rg_source_subset", error, size) ||
        !rg__check_index(index, count, source->count, "rg_source_subset", error, size))
        return NULL;
    rg_source *view = subset_new(source, count, "rg_source_subset", error, size);
    if (view && count > 0)
        memcpy(((subset *)view->user)->index, index, (size_t)count * sizeof *index);
    return view;
}

bool rg_source_part(const rg_source *source, const int64_t *part, int64_t which, rg_source **training,
                    rg_source **validation, char *error, size_t size)
{
    if (training)
        *training = NULL;
    if (validation)
        *validation = NULL;
    if (!training || !validation)
        return rg__data_fail(error, size, "rg_source_part: found no place for a part, expected two");
    if (!rg__check_source(source, "rg_source_part", error, size))
        return false;
    if (source->count > 0 && !part)
        return rg__data_fail(error, size, "rg_source_part: found no list of parts, expected one of %lld",
                             (long long)source->count);
    int64_t held_out = 0, held = 0, rest = 0;
    for (int64_t i = 0; i < source->count; i++)
        held_out += part[i] == which;
    rg_source *a = subset_new(source, source->count - held_out, "rg_source_part", error, size);
    rg_source *b = a ? subset_new(source, held_out, "rg_source_part", error, size) : NULL;
    if (!b) {
        rg_source_free(a);
        return false;
    }
    for (int64_t i = 0; i < source->count; i++) {
        if (part[i] == which)
            ((subset *)b->user)->index[held++] = i;
        else
            ((subset *)a->user)->index[rest++] = i;
    }
    *training = a;
    *validation = b;
    return true;
}

/* ---- into memory ---- */

/* One array of numbers, as f32. */
static void to_f32(rg_dtype dtype, const void *from, int64_t count, float *to)
{
    for (int64_t i = 0; i < count; i++)
        switch (dtype) {
        case RG_F32: to[i] = ((const float *)from)[i]; break;
        case RG_F64: to[i] = (float)((const double *)from)[i]; break;
        case RG_I32: to[i] = (float)((const int32_t *)from)[i]; break;
        case RG_I64: to[i] = (float)((const int64_t *)from)[i]; break;
        case RG_BOOL: to[i] = ((const bool *)from)[i]; break;
        }
}

/* Labels are integers of rank 0, or none. */
static bool has_labels(const rg_source *source)
{
    return rg__source_y(source) == 0 ||
           (source->y_shape.rank == 0 && (source->y_dtype == RG_I64 || source->y_dtype == RG_I32));
}

static bool load_sample(const rg_source *source, int64_t i, void *x, void *y, rg_dataset *data, char *error, size_t size)
{
    if (!rg__source_get(source, i, x, y, error, size))
        return false;
    to_f32(source->x_dtype, x, data->features, data->x + i * data->features);
    if (data->targets > 0) {
        to_f32(source->y_dtype, y, data->targets, data->t + i * data->targets);
        return true;
    }
    int64_t label = 0;
    if (rg__source_y(source) > 0)
        label = source->y_dtype == RG_I64 ? *(const int64_t *)y : *(const int32_t *)y;
    if (label < 0 || label == INT64_MAX)
        return rg__data_fail(error, size, "rg_source_load: found label %lld of sample %lld, expected 0 to 2^63 - 2",
                             (long long)label, (long long)i);
    data->y[i] = label;
    if (label >= data->classes)
        data->classes = label + 1;
    return true;
}

rg_dataset *rg_source_load(const rg_source *source, char *error, size_t size)
{
    if (!rg__check_source(source, "rg_source_load", error, size))
        return NULL;
    const int64_t targets = has_labels(source) ? 0 : rg__source_y(source);
    const rg_shape shape = source->x_shape.rank > 0 ? source->x_shape : RG_SHAPE(1);
    rg_dataset *data = rg__dataset_new(source->count, shape, targets, error, size);
    void *x = rg__data_alloc(rg__source_x(source), 1, rg_dtype_size(source->x_dtype));
    void *y = rg__data_alloc(rg__source_y(source), 1, rg_dtype_size(source->y_dtype));
    bool good = data && x && y;
    if (data && !good)
        rg__data_fail(error, size, "rg_source_load: out of memory for a sample");
    if (good)
        data->classes = source->classes;
    for (int64_t i = 0; good && i < source->count; i++)
        good = load_sample(source, i, x, y, data, error, size);
    free(x);
    free(y);
    if (good)
        return data;
    rg_dataset_free(data);
    return NULL;
}
