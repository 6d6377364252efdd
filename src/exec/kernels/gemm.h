/* C = A B, the matrix product, through BLIS's micro-kernels and ours. */
#ifndef RG__EXEC_KERNELS_GEMM_H
#define RG__EXEC_KERNELS_GEMM_H

#include "core/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* a [m, k], b [k, n], c [m, n], each with any strides in elements between its rows and between its columns: transposed,
 * sliced, reversed, overlapping and broadcast views go in as they are. c is only written, so it may hold anything; it
 * must not overlap a or b, and its elements must be distinct. k = 0 makes c zero.
 *
 * threads: the most to use; less when there is little to do, one inside a parallel region. The result does not depend
 * on it: it is bitwise the same for any number, given the sizes and strides.
 *
 * False: out of memory, c holds garbage; also where a matrix has more elements than there are addresses. */
bool rg__gemm_f32(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, int64_t a_col, const float *b,
                  int64_t b_row, int64_t b_col, float *c, int64_t c_row, int64_t c_col, int threads);
bool rg__gemm_f64(int64_t m, int64_t n, int64_t k, const double *a, int64_t a_row, int64_t a_col, const double *b,
                  int64_t b_row, int64_t b_col, double *c, int64_t c_row, int64_t c_col, int threads);

/* Work on rows of c while they are in a cache. done is called once for each strip of c, from row 0 on, `strip` rows each
 * and the last maybe fewer, after all of its elements have their final values: on the thread that has finished it, in
 * any order, at the same time as for other strips. thread: from 0 up to the number of threads. It may change its rows.
 * Nothing is called if the product fails or c is empty. */
typedef struct rg__gemm_rows {
    void (*done)(void *user, int64_t first_row, int64_t rows, int thread);
    void *user;
    int64_t strip; /* at least 1 */
} rg__gemm_rows;

typedef struct rg__gemm_matrix {
    char *data;
    int64_t row, column; /* strides in elements */
} rg__gemm_matrix;

/* b in the order in which the kernel reads it, for products of one b and of equal sizes and strides: the first fills, the
 * others need not pack. */
typedef struct rg__gemm_kept {
    char *data; /* of as many bytes as rg__gemm_kept_bytes says, aligned to RG__ALIGN */
    bool fill;
} rg__gemm_kept;

/* 0 where nothing is gained. For c of contiguous rows. */
size_t rg__gemm_kept_bytes(size_t size, int64_t m, int64_t n, int64_t k, int64_t b_row, int64_t b_column);

/* The same for elements of `size` bytes, 4 for f32 and 8 for f64. pool: where the memory to pack into comes from and goes
 * back to, on the calling thread; NULL takes it from the system, where fresh pages cost more than packing. rows and kept may
 * be NULL. */
bool rg__gemm(size_t size, int64_t m, int64_t n, int64_t k, rg__gemm_matrix a, rg__gemm_matrix b, rg__gemm_matrix c,
              int threads, rg__pool *pool, const rg__gemm_rows *rows, const rg__gemm_kept *kept);

#endif
