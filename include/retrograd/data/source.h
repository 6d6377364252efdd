/* Retrograd: sources of samples: whatever can say how many there are and give the i-th. Errors: see data.h. */
#ifndef RETROGRAD_DATA_SOURCE_H
#define RETROGRAD_DATA_SOURCE_H

#include <retrograd/data/dataset.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A source is a small struct: fill one in to read samples of your own, from a file, a camera or a formula. The functions
 * that take one copy the struct, so it may be a temporary; what `user` points to must outlive its use. */
typedef struct rg_source {
    int64_t count;
    rg_shape x_shape; /* of one sample: rank 0 to 7; [C, H, W] of an image                                          */
    rg_shape y_shape; /* rank 0: one label; [T]: a label for each place; an extent of 0: there is no y              */
    rg_dtype x_dtype; /* {0}: f32                                                                                   */
    rg_dtype y_dtype; /* labels are i64, numbers to be predicted f32                                                */
    int64_t classes;  /* labels are 0 .. classes - 1; 0: not known, or no labels                                    */
    const char *const *class_names; /* [classes] or NULL                                                            */
    /* Writes sample i (0 <= i < count) into x and y, row-major, of the shapes and dtypes above; y may be left alone where
     * there is none. The same i gives the same sample each time. False is an error: one line in `error`, `size` bytes. */
    bool (*get)(void *user, int64_t i, void *x, void *y, char *error, size_t size);
    void (*close)(void *user); /* for rg_source_free; may be NULL                                                   */
    void *user;
    bool concurrent; /* several threads may be in `get` at once; otherwise a loader's threads take turns            */
} rg_source;

/* Sources that the functions of these headers return are freed here, and only they; NULL is nothing to free. */
RG_API void rg_source_free(rg_source *source);

/* A data set as a source: x f32, y i64 [] or, where it has targets, f32 [targets]. A view, nothing to free: the data set
 * must outlive it. Of a data set that is none, count is -1, which is an error wherever it is used. */
RG_API rg_source rg_dataset_source(const rg_dataset *data);

/* Arrays whose first axis counts the samples; y NULL: none. Where `copy`, their data are copied, or else must outlive the
 * source. Where y is i64 of rank 1 and all of it >= 0, `classes` is the largest + 1. */
RG_API rg_source *rg_source_arrays(const rg_array *x, const rg_array *y, bool copy, char *error, size_t size);

/* The samples index[0], ..., index[count - 1] of a source, as a view: samples are not copied, the list is. One may stand
 * there several times. */
RG_API rg_source *rg_source_subset(const rg_source *source, const int64_t *index, int64_t count, char *error,
                                   size_t size);

/* Those samples i whose part[i] is `which`, as validation, and all others, as training: views, in the order of the source.
 * `part` has source->count elements; rg_kfold and its companions write it. */
RG_API bool rg_source_part(const rg_source *source, const int64_t *part, int64_t which, rg_source **training,
                           rg_source **validation, char *error, size_t size);

/* Reads all samples into memory, as a data set. x of any dtype, y one i64 label, or real numbers of any
 * shape, which become targets, or none, which becomes label 0. */
RG_API rg_dataset *rg_source_load(const rg_source *source, char *error, size_t size);

#ifdef __cplusplus
}
#endif
#endif
