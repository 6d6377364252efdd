/* The micro-kernels for any processor: vectors of 16 bytes, as SSE2 and NEON have them. */
#include "exec/kernels/gemm_tile.h"

#include <string.h>

#define ROWS  6
#define EARLY 0
#define TARGET

typedef float vector_f32 __attribute__((vector_size(16)));
typedef double vector_f64 __attribute__((vector_size(16)));

static inline vector_f32 load_f32(const float *p)
{
    vector_f32 v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline vector_f64 load_f64(const double *p)
{
    vector_f64 v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void store_f32(float *p, vector_f32 v)
{
    memcpy(p, &v, sizeof v);
}

static inline void store_f64(double *p, vector_f64 v)
{
    memcpy(p, &v, sizeof v);
}

#define TYPE         float
#define VECTOR       vector_f32
#define LOAD         load_f32
#define STORE        store_f32
#define SPLAT(x)     ((vector_f32){x, x, x, x})
#define FMA(x, y, z) ((x) * (y) + (z))
#define NAME         tile_f32
#define DOTS         dots_f32
#define TAPS         taps_f32
#define LAGS         lags_f32
#define OUTER        outer_f32
#include "exec/kernels/gemm_tile_loops.h"

#define TYPE         double
#define VECTOR       vector_f64
#define LOAD         load_f64
#define STORE        store_f64
#define SPLAT(x)     ((vector_f64){x, x})
#define FMA(x, y, z) ((x) * (y) + (z))
#define NAME         tile_f64
#define DOTS         dots_f64
#define TAPS         taps_f64
#define LAGS         lags_f64
#define OUTER        outer_f64
#include "exec/kernels/gemm_tile_loops.h"

const rg__gemm_kernel rg__gemm_base[2] = {
    {"base", tile_f32, dots_f32, ROWS, 8, ROWS, 8, true, taps_f32, lags_f32, outer_f32, 8},
    {"base", tile_f64, dots_f64, ROWS, 4, ROWS, 4, true, taps_f64, lags_f64, outer_f64, 4},
};
