/* Fast loops of the transcendental element-wise ops, for the fused chains of the executor.
 *
 * Each is within 4 ulp of the exact result over the whole range and treats NaN, infinities, signed zeros and subnormals
 * as the C library does. An element's result depends on its arguments alone: it is bitwise the same on every processor,
 * with every instruction set below, at every place of the array and for any strides. */
#ifndef RG__EXEC_KERNELS_VECTOR_H
#define RG__EXEC_KERNELS_VECTOR_H

#include "ops/op.h"

/* The loop of an op for this processor; NULL where there is none: the reference loop is as good, or the dtype is not a
 * float. The result may lie exactly on an argument, address and stride; it must not overlap one otherwise. */
rg__loop rg__vector_loop(const rg__op *op, rg_dtype dtype);

/* The sources are compiled once for each of these instruction sets. */
typedef enum rg__vector_level {
    RG__VECTOR_BASE, /* what the compiler assumes: SSE2 on x86-64 */
    RG__VECTOR_AVX2,
    RG__VECTOR_AVX512,
    RG__VECTOR_LEVELS
} rg__vector_level;
const char *rg__vector_level_name(rg__vector_level level);

/* The loop of the op of this name for one instruction set; NULL also where this processor lacks it. */
rg__loop rg__vector_loop_at(rg__vector_level level, const char *name, rg_dtype dtype);

#endif
