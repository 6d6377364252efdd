/* C = A B, the matrix product, through BLIS. */
#ifndef RG__EXEC_KERNELS_GEMM_H
#define RG__EXEC_KERNELS_GEMM_H

#include <stdbool.h>
#include <stdint.h>

/* a [m, k], b [k, n], c [m, n], each with any strides in elements between its rows and between its columns: transposed,
 * sliced, reversed and broadcast views go in as they are. c is only written, so it may hold anything; it must not
 * overlap a or b, and its elements must be distinct. k = 0 makes c zero.
 *
 * threads: the most to use; less when there is little to do, one inside a parallel region. The result does not depend
 * on it: it is bitwise the same for any number, given the sizes and strides. Strides that BLIS does not take (zero,
 * negative, overlapping) cost a copy of that operand, piece by piece.
 *
 * False: out of memory, c holds garbage. That of BLIS itself is not reported: BLIS aborts. */
bool rg__gemm_f32(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, int64_t a_col, const float *b,
                  int64_t b_row, int64_t b_col, float *c, int64_t c_row, int64_t c_col, int threads);
bool rg__gemm_f64(int64_t m, int64_t n, int64_t k, const double *a, int64_t a_row, int64_t a_col, const double *b,
                  int64_t b_row, int64_t b_col, double *c, int64_t c_row, int64_t c_col, int threads);

#endif
