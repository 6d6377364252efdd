/* The micro-kernels for AVX2 with FMA: 6 rows of 2 vectors fill 12 of 16 registers. */
#include "exec/kernels/gemm_tile.h"

#ifdef __x86_64__
#include <immintrin.h>

#define ROWS   6
#define EARLY  0
#define TARGET __attribute__((target("avx2,fma")))

#define TYPE     float
#define VECTOR   __m256
#define LOAD     _mm256_loadu_ps
#define STORE    _mm256_storeu_ps
#define SPLAT(x) _mm256_set1_ps(x)
#define FMA      _mm256_fmadd_ps
#define NAME     tile_f32
#define DOTS     dots_f32
#define TAPS     taps_f32
#define LAGS     lags_f32
#define OUTER    outer_f32
#include "exec/kernels/gemm_tile_loops.h"

#define TYPE     double
#define VECTOR   __m256d
#define LOAD     _mm256_loadu_pd
#define STORE    _mm256_storeu_pd
#define SPLAT(x) _mm256_set1_pd(x)
#define FMA      _mm256_fmadd_pd
#define NAME     tile_f64
#define DOTS     dots_f64
#define TAPS     taps_f64
#define LAGS     lags_f64
#define OUTER    outer_f64
#include "exec/kernels/gemm_tile_loops.h"

const rg__gemm_kernel rg__gemm_avx2[2] = {
    {"avx2", tile_f32, dots_f32, ROWS, 16, ROWS, 16, true, taps_f32, lags_f32, outer_f32, 16},
    {"avx2", tile_f64, dots_f64, ROWS, 8, ROWS, 8, true, taps_f64, lags_f64, outer_f64, 8},
};
#endif
