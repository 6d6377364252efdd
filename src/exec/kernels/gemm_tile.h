/* The micro-kernels of the matrix product: each computes one tile of C from one block of k, in registers. */
#ifndef RG__EXEC_KERNELS_GEMM_TILE_H
#define RG__EXEC_KERNELS_GEMM_TILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RG__GEMM_DOT_ROWS = 4,
    RG__GEMM_TILE_BYTES = 8192, /* the largest tile */
    RG__GEMM_SLACK = 256,       /* bytes that a kernel may read past the end of a packed panel */
    RG__GEMM_LINE = 64          /* bytes of a cache line */
};

/* Memory that is wanted soon: `left` cache lines, some side by side, then as many `step` bytes on. A kernel fetches `share` of
 * them into the second cache, one every few steps of k where it is ours: many at once would hold it up. */
typedef struct rg__gemm_ahead {
    const char *data, *end; /* the next line, and where those beside it end */
    int64_t left;
    int64_t gap, step; /* bytes from there to the next ones, and from their start to that of the next ones */
    int64_t share;
} rg__gemm_ahead;

/* How many lines to fetch while this tile is computed. */
static inline int64_t rg__gemm_take(rg__gemm_ahead *x)
{
    const int64_t lines = x->share < x->left ? x->share : x->left;
    x->left -= lines;
    return lines;
}

/* The next one of them. Inlined, for gcc drops calls of a function that does nothing else. */
static inline __attribute__((always_inline)) void rg__gemm_fetch(rg__gemm_ahead *x)
{
    __builtin_prefetch(x->data, 0, 2);
    x->data += RG__GEMM_LINE;
    if (x->data == x->end) {
        x->data += x->gap;
        x->end += x->step;
    }
}

/* A tile of C of `rows` rows, at most those of the kernel, and all its columns: c = a b, or c += a b with `add`. Rows of
 * b and c are contiguous. Strides are in elements. An element is summed in the order of k, whichever tile it lies in:
 * where C is cut does not show in the result.
 *
 * half: the second half of the columns is not wanted. Garbage may be left in it. */
typedef void rg__gemm_tile(int rows, bool half, int64_t k, const void *a, int64_t a_row, int64_t a_column,
                           const void *b, int64_t b_row, void *c, int64_t c_row, bool add, rg__gemm_ahead *ahead);

/* c = a b for one to four rows of a, and any number of columns of b, that are contiguous: dot products. */
typedef void rg__gemm_dots(int rows, int64_t columns, int64_t k, const void *a, int64_t a_row, const void *b,
                           int64_t b_column, void *c, int64_t c_row, int64_t c_column);

/* For convolutions, whose second factor has no rows of its own: row p of it begins at b + offset[p]. c, packed in rows of
 * c_row, is a tile of `rows` rows and 2 `wider` registers, at most as rg__taps_wider says. a is packed: the a_step weights of
 * each p lie side by side. */
typedef void rg__conv_taps(int rows, int wider, int64_t k, const void *a, int64_t a_step, const void *b,
                           const int64_t *offset, void *c, int64_t c_row);

/* Few rows fill the registers with more columns. */
static inline int rg__taps_wider(int64_t rows)
{
    return rows == 1 ? 4 : rows <= 3 ? 2 : 1;
}

/* c[i, j] = sum over p < n of a[i, p] (b + offset[j])[p], for one to four rows and one to three columns; n is a multiple of
 * taps_columns. */
typedef void rg__conv_lags(int rows, int columns, int64_t n, const void *a, int64_t a_row, const void *b,
                           const int64_t *offset, void *c, int64_t c_row);

/* c[place[i], j] += sum over lines and columns of (a + offset[i])[line a_line + column] b[line, column, j], for one to six rows
 * of c; the j of b and c are two registers, side by side. */
typedef void rg__conv_outer(int rows, int64_t lines, int64_t columns, const void *a, const int64_t *offset,
                            int64_t a_line, const void *b, void *c, const int64_t *place);

typedef struct rg__gemm_kernel {
    const char *name;
    rg__gemm_tile *tile;
    rg__gemm_dots *dots;             /* of our own kernels */
    int rows, columns;               /* of the largest tile */
    int packed_rows, packed_columns; /* strides of packed panels of a and of b: at least rows and columns */
    bool in_place;       /* a and b may have any strides; else both must be packed, and padded to whole tiles */
    rg__conv_taps *taps; /* of our own kernels */
    rg__conv_lags *lags;
    rg__conv_outer *outer;
    int taps_columns; /* of two registers */
} rg__gemm_kernel;

/* Ours, one for each instruction set; [0] for f32, [1] for f64. */
extern const rg__gemm_kernel rg__gemm_base[2], rg__gemm_avx2[2], rg__gemm_avx512[2];

/* The kernel of ours for this processor. */
const rg__gemm_kernel *rg__gemm_own_kernel(size_t size);

/* For large products: that of BLIS, from the sub-configuration that runs; ours with AVX-512, or where BLIS's does not fit. */
const rg__gemm_kernel *rg__gemm_large_kernel(size_t size);

#endif
