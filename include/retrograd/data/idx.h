/* Retrograd: IDX, the format of MNIST (yann.lecun.com/exdb/mnist): big-endian header, then row-major elements. Errors: see
 * data.h. */
#ifndef RETROGRAD_DATA_IDX_H
#define RETROGRAD_DATA_IDX_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rg_idx_type {
    RG_IDX_U8 = 0x08,
    RG_IDX_I8 = 0x09,
    RG_IDX_I16 = 0x0B,
    RG_IDX_I32 = 0x0C,
    RG_IDX_F32 = 0x0D,
    RG_IDX_F64 = 0x0E,
} rg_idx_type;

typedef struct rg_idx {
    rg_idx_type type;
    rg_shape shape; /* rank 1 to 8 */
    void *data;     /* in the machine's byte order */
} rg_idx;

/* Reads a plain or gzip-compressed file. Where `path` does not exist, `path`.gz is tried. The caller frees. */
RG_API rg_idx *rg_idx_read(const char *path, char *error, size_t size);
RG_API void rg_idx_free(rg_idx *idx);

#ifdef __cplusplus
}
#endif
#endif
