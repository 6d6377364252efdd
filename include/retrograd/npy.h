/* Retrograd: NumPy's files of one array, .npy (the format of numpy.lib.format, NEP 1). */
#ifndef RETROGRAD_NPY_H
#define RETROGRAD_NPY_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Errors of this header: the call returns NULL or false and, where `error` is not NULL, writes one line into it (at most
 * `size` bytes with the NUL) that names the file, what was found and what was expected. */

typedef struct rg_npy {
    rg_dtype dtype;
    rg_shape shape;
    void *data; /* row-major, in the machine's byte order */
} rg_npy;

/* Reads versions 1.0, 2.0 and 3.0, in C and in Fortran order, of either byte order, rank 0 to 8. f4, f8, i4, i8 and b1
 * become f32, f64, i32, i64 and bool; f2 becomes f32, i1, u1, i2 and u2 become i32, u4 becomes i64. Other types (complex,
 * text, records, u8) are errors, and so are more bytes behind the array. The caller frees. */
RG_API rg_npy *rg_npy_read(const char *path, char *error, size_t size);
RG_API void rg_npy_free(rg_npy *npy);

/* Writes row-major `data` (NULL is allowed for empty shapes) as version 1.0, in the machine's byte order. A file that is
 * there is overwritten; after an error it is not whole. */
RG_API bool rg_npy_write(const char *path, rg_dtype dtype, rg_shape shape, const void *data, char *error, size_t size);

#ifdef __cplusplus
}
#endif
#endif
