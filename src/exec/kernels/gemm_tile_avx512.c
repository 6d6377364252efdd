/* The micro-kernels for AVX-512: 12 rows of 2 vectors fill 24 of 32 registers. */
#include "exec/kernels/gemm_tile.h"

#ifdef __x86_64__
#include <immintrin.h>

#define ROWS   12
#define EARLY  8
#define TARGET __attribute__((target("avx512f")))

#define TYPE     float
#define VECTOR   __m512
#define LOAD     _mm512_loadu_ps
#define STORE    _mm512_storeu_ps
#define SPLAT(x) _mm512_set1_ps(x)
#define FMA      _mm512_fmadd_ps
#define NAME     tile_f32
#define DOTS     dots_f32
#define TAPS     taps_f32
#define LAGS     lags_f32
#define OUTER    outer_f32
#include "exec/kernels/gemm_tile_loops.h"

#define TYPE     double
#define VECTOR   __m512d
#define LOAD     _mm512_loadu_pd
#define STORE    _mm512_storeu_pd
#define SPLAT(x) _mm512_set1_pd(x)
#define FMA      _mm512_fmadd_pd
#define NAME     tile_f64
#define DOTS     dots_f64
#define TAPS     taps_f64
#define LAGS     lags_f64
#define OUTER    outer_f64
#include "exec/kernels/gemm_tile_loops.h"

const rg__gemm_kernel rg__gemm_avx512[2] = {
    {"avx512", tile_f32, dots_f32, ROWS, 32, ROWS, 32, true, taps_f32, lags_f32, outer_f32, 32},
    {"avx512", tile_f64, dots_f64, ROWS, 16, ROWS, 16, true, taps_f64, lags_f64, outer_f64, 16},
};
#endif
