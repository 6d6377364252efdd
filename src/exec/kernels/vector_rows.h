/* What the builds of the vector loops for each instruction set share. */
#ifndef RG__EXEC_KERNELS_VECTOR_ROWS_H
#define RG__EXEC_KERNELS_VECTOR_ROWS_H

#include "exec/kernels/vector.h"

#include <stddef.h>

/* Every op that has a vector loop: of one argument; those of angles; of two arguments. */
// clang-format off
#define RG__VECTOR_OPS(MAP, ANGLE, MAP2)                                                                               \
    MAP(sqrt) MAP(rsqrt) MAP(reciprocal)                                                                               \
    MAP(exp) MAP(expm1) MAP(log) MAP(log1p) MAP(tanh) MAP(sigmoid) MAP(softplus) MAP(erf)                              \
    ANGLE(sin) ANGLE(cos) ANGLE(tan)                                                                                   \
    MAP2(pow)
// clang-format on

#define RG__VECTOR_COUNT_ONE(name) +1
enum { RG__VECTOR_OP_COUNT = RG__VECTOR_OPS(RG__VECTOR_COUNT_ONE, RG__VECTOR_COUNT_ONE, RG__VECTOR_COUNT_ONE) };

typedef struct rg__vector_row {
    const char *name;
    rg__loop f32, f64;
} rg__vector_row;
extern const rg__vector_row rg__vector_rows_base[RG__VECTOR_OP_COUNT];
extern const rg__vector_row rg__vector_rows_avx2[RG__VECTOR_OP_COUNT];
extern const rg__vector_row rg__vector_rows_avx512[RG__VECTOR_OP_COUNT];

/* Bounds to which arguments are clamped. They are kept from the compilers' eyes: gcc 12 would split a clamp to a
 * constant into a branch for which it knows the result, and merge the branches again with five times the instructions. */
typedef struct rg__vector_bounds {
    float exp_low_f32, exp_high_f32, expm1_low_f32, tanh_f32, erf_f32, unit_f32;
    double exp_low_f64, exp_high_f64, expm1_low_f64, tanh_f64, erf_f64;
    double pow_f32, pow_f64, exponent_f64, unit_f64;
} rg__vector_bounds;
extern const rg__vector_bounds rg__vector_bound;

/* Elements that are gathered, or looked at before they are computed, together. */
#define RG__VECTOR_BLOCK 512

/* The loop over n elements of any strides, by copies of blocks; size is that of an element, 4 or 8. */
void rg__vector_strided(rg__loop loop, int arity, size_t size, int64_t n, char *const *p, const int64_t *stride);

/* Angles of any size. sin and cos: x, or x + pi/2, is q pi + r with |r| <= pi/2; tan: x is q pi/2 + r with |r| <= pi/4.
 * r is NaN for infinities and NaN. */
typedef struct rg__vector_angle {
    double r;
    uint32_t q; /* its last bit counts */
} rg__vector_angle;
rg__vector_angle rg__vector_reduce_sin(double x);
rg__vector_angle rg__vector_reduce_cos(double x);
rg__vector_angle rg__vector_reduce_tan(double x);

#endif
