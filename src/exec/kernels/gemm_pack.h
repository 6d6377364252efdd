/* Panels: a few rows of A, or a few columns of B, laid out in the order in which a micro-kernel reads them. */
#ifndef RG__EXEC_KERNELS_GEMM_PACK_H
#define RG__EXEC_KERNELS_GEMM_PACK_H

#include <stddef.h>
#include <stdint.h>

/* panel[p * stride + i] = source[i * across + p * along] for i < width and p < length, elements of `size` bytes; zero
 * for i from width up to stride, which rows or columns that nobody reads come from. */
void rg__gemm_pack(size_t size, void *panel, int64_t stride, int64_t width, int64_t length, const void *source,
                   int64_t across, int64_t along);

#endif
