/* What the files of data sets share: errors, memory, and checks of what users put together. */
#ifndef RG__NN_DATA_CHECK_H
#define RG__NN_DATA_CHECK_H

#include <retrograd/data.h>

/* Writes the line where there is room for it. Returns false, for `return rg__data_fail(...)`. */
__attribute__((format(printf, 3, 4))) bool rg__data_fail(char *error, size_t size, const char *format, ...);

/* Memory for count * width elements of `size` bytes, never of 0 bytes; NULL where that overflows or there is none. */
void *rg__data_alloc(int64_t count, int64_t width, size_t size);

/* The fields are the user's to set: a data set or a source that was put together by hand must be one. `call` is named in
 * the error. */
bool rg__check_dataset(const rg_dataset *data, const char *call, char *error, size_t size);
bool rg__check_source(const rg_source *source, const char *call, char *error, size_t size);

/* Calls the source's get; where that fails without a word, says which sample it was. */
bool rg__source_get(const rg_source *source, int64_t i, void *x, void *y, char *error, size_t size);

/* Elements of x and y of one sample of a source that was checked. */
int64_t rg__source_x(const rg_source *source);
int64_t rg__source_y(const rg_source *source);

/* Every index is in [0, count). */
bool rg__check_index(const int64_t *index, int64_t n, int64_t count, const char *call, char *error, size_t size);

/* A data set with memory for its samples: x, targets where targets > 0, labels otherwise. */
rg_dataset *rg__dataset_new(int64_t count, rg_shape shape, int64_t targets, char *error, size_t size);

#endif
