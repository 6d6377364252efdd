/* What the vector loops are written with. The element functions are branch-free C, which gcc and clang turn into vector
 * code: conditions are selections between values that are both computed, and the conversions between numbers and their
 * bits cost nothing. A file that defines RG__VECTOR_TARGET as a target attribute gets them for that instruction set.
 *
 * The bits must not depend on the instruction set: nothing here may be contracted to a fused multiply-add, which
 * -ffp-contract=off ensures. */
#ifndef RG__EXEC_KERNELS_VECTOR_MATH_H
#define RG__EXEC_KERNELS_VECTOR_MATH_H

#include "exec/kernels/vector_rows.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__FAST_MATH__) || FLT_EVAL_METHOD != 0
#error "the vector loops need IEEE arithmetic of each type: no -ffast-math, and on 32-bit x86 -mfpmath=sse -msse2"
#endif

#define INLINE static inline __attribute__((always_inline)) RG__VECTOR_TARGET

/* The next loop's iterations are independent: the result is either apart from the arguments or exactly on one. */
#ifdef __clang__
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

INLINE uint32_t bits_f32(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

INLINE float of_bits_f32(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

INLINE uint64_t bits_f64(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

INLINE double of_bits_f64(uint64_t u)
{
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* odd is a whole number: a where its last bit is set, b where not. */
INLINE float by_parity_f32(uint32_t odd, float a, float b)
{
    const uint32_t mask = 0 - (odd & 1);
    return of_bits_f32((bits_f32(a) & mask) | (bits_f32(b) & ~mask));
}

INLINE double by_parity_f64(uint64_t odd, double a, double b)
{
    const uint64_t mask = 0 - (odd & 1);
    return of_bits_f64((bits_f64(a) & mask) | (bits_f64(b) & ~mask));
}

#endif
