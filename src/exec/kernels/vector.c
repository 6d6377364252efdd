/* The vector loops of this processor, and what they share: bounds, arrays with strides, large angles. */
#include "exec/kernels/vector_rows.h"

#include "core/cpu.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

const rg__vector_bounds rg__vector_bound = {
    .exp_low_f32 = -104,
    .exp_high_f32 = 89,
    .expm1_low_f32 = -18,
    .tanh_f32 = 10,
    .erf_f32 = 4,
    .exp_low_f64 = -746,
    .exp_high_f64 = 710,
    .expm1_low_f64 = -38,
    .tanh_f64 = 20,
    .erf_f64 = 6,
    .pow_f32 = 160,
    .pow_f64 = 0x1p70,
    .exponent_f64 = 1100,
    .unit_f32 = 1,
    .unit_f64 = 1,
};

/* ---- which loop -------------------------------------------------------------------------------------------------- */
static const struct {
    const char *name;
    const rg__vector_row *rows;
    uint32_t features;
} levels[RG__VECTOR_LEVELS] = {
    [RG__VECTOR_BASE] = {"base", rg__vector_rows_base, 0},
#ifdef __x86_64__
    [RG__VECTOR_AVX2] = {"avx2", rg__vector_rows_avx2, RG_CPU_AVX2},
    [RG__VECTOR_AVX512] = {"avx512", rg__vector_rows_avx512,
                           RG_CPU_AVX512F | RG_CPU_AVX512DQ | RG_CPU_AVX512BW | RG_CPU_AVX512VL},
#else
    [RG__VECTOR_AVX2] = {"avx2", NULL, 0},
    [RG__VECTOR_AVX512] = {"avx512", NULL, 0},
#endif
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint32_t features; /* written once: CPUID is slow in a virtual machine */

static void read_features(void)
{
    features = rg__cpu_features();
}

const char *rg__vector_level_name(rg__vector_level level)
{
    return levels[level].name;
}

rg__loop rg__vector_loop_at(rg__vector_level level, const char *name, rg_dtype dtype)
{
    pthread_once(&once, read_features);
    if (!levels[level].rows || (features & levels[level].features) != levels[level].features)
        return NULL;
    for (const rg__vector_row *row = levels[level].rows; row < levels[level].rows + RG__VECTOR_OP_COUNT; row++)
        if (strcmp(row->name, name) == 0)
            return dtype == RG_F32 ? row->f32 : dtype == RG_F64 ? row->f64 : NULL;
    return NULL;
}

rg__loop rg__vector_loop(const rg__op *op, rg_dtype dtype)
{
    rg__loop loop = NULL;
    for (int level = RG__VECTOR_LEVELS - 1; level >= 0 && !loop; level--)
        loop = rg__vector_loop_at((rg__vector_level)level, op->name, dtype);
    return loop;
}

/* ---- arrays with strides ----------------------------------------------------------------------------------------- */
static void copy_elements(int64_t n, size_t size, char *out, int64_t out_stride, const char *in, int64_t in_stride)
{
    if (size == sizeof(uint32_t))
        for (int64_t i = 0; i < n; i++)
            memcpy(out + i * out_stride, in + i * in_stride, sizeof(uint32_t));
    else
        for (int64_t i = 0; i < n; i++)
            memcpy(out + i * out_stride, in + i * in_stride, sizeof(uint64_t));
}

void rg__vector_strided(rg__loop loop, int arity, size_t size, int64_t n, char *const *p, const int64_t *stride)
{
    _Alignas(64) char block[3][RG__VECTOR_BLOCK * sizeof(uint64_t)];
    char *const blocks[] = {block[0], block[1], block[2]};
    const int64_t step = (int64_t)size, steps[] = {step, step, step};
    for (int64_t first = 0; first < n; first += RG__VECTOR_BLOCK) {
        const int64_t count = n - first < RG__VECTOR_BLOCK ? n - first : RG__VECTOR_BLOCK;
        for (int i = 1; i <= arity; i++)
            copy_elements(count, size, block[i], step, p[i] + first * stride[i], stride[i]);
        loop(count, blocks, steps, NULL);
        copy_elements(count, size, p[0] + first * stride[0], stride[0], block[0], step);
    }
}

/* ---- large angles ------------------------------------------------------------------------------------------------ */
/* 64 zeros and the first 1280 bits of 2/pi, as many as the largest double needs. */
static const uint64_t two_over_pi[] = {
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
    0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41,
    0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7,
    0x4f463f669e5fea2d, 0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
    0xf0cfbc209af4361d,
};

/* a b as high 2^64 + low. */
static uint64_t multiply(uint64_t a, uint64_t b, uint64_t *low)
{
    const uint64_t a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
    const uint64_t middle = a1 * b0 + (a0 * b0 >> 32), cross = a0 * b1 + (middle & 0xffffffff);
    *low = a * b;
    return a1 * b1 + (middle >> 32) + (cross >> 32);
}

static uint64_t bits_from(int at)
{
    const uint64_t *word = two_over_pi + at / 64;
    return at % 64 ? word[0] << at % 64 | word[1] >> (64 - at % 64) : word[0];
}

/* Payne and Hanek, Radian Reduction for Trigonometric Functions, 1983. x is M 2^e with a whole M below 2^53. Of 2/pi, the
 * bits before e - 1 only add multiples of 4 to x 2/pi; 192 bits from there leave 137 behind the point, and the nearest
 * that a double comes to a multiple of pi/2 is 2^-62. */
rg__vector_angle rg__vector_reduce_tan(double x)
{
    if (!isfinite(x))
        return (rg__vector_angle){(double)NAN, 0};
    int e;
    const uint64_t mantissa = (uint64_t)ldexp(frexp(fabs(x), &e), 53);
    const int at = e - 53 - 2 + 64;

    /* The product modulo 2^192: two whole bits on top. */
    uint64_t p0, p1, low;
    const uint64_t carry0 = multiply(mantissa, bits_from(at + 128), &p0);
    const uint64_t carry1 = multiply(mantissa, bits_from(at + 64), &low);
    p1 = low + carry0;
    const uint64_t p2 = mantissa * bits_from(at) + carry1 + (p1 < low);

    uint32_t q = (uint32_t)(p2 >> 62);
    uint64_t high = p2 << 2 | p1 >> 62, next = p1 << 2 | p0 >> 62, last = p0 << 2;
    const bool above = high >> 63; /* nearer to the next multiple */
    if (above) {
        q++;
        last = 0 - last;
        next = ~next + (last == 0);
        high = ~high + (last == 0 && next == 0);
    }
    int shift = 0;
    if (high == 0) {
        high = next;
        next = last;
        shift = 64;
    }
    const int zeros = __builtin_clzll(high | 1);
    if (zeros)
        high = high << zeros | next >> (64 - zeros);
    shift += zeros;
    const uint64_t r = multiply(high, 0xc90fdaa22168c235, &low); /* pi/2 2^63 */
    double angle = ldexp((double)r, -63 - shift);
    if (above)
        angle = -angle;
    return x < 0 ? (rg__vector_angle){-angle, 0 - q} : (rg__vector_angle){angle, q};
}

/* Of q quarter turns and r, half turns and what is left: an odd quarter is made even by the next one towards r. */
static rg__vector_angle half_turns(rg__vector_angle a)
{
    if (a.q & 1) {
        const bool forwards = a.r > 0;
        a.q += forwards ? 1 : (uint32_t)-1;
        a.r += forwards ? -M_PI_2 : M_PI_2;
    }
    return (rg__vector_angle){a.r, a.q >> 1};
}

rg__vector_angle rg__vector_reduce_sin(double x)
{
    return half_turns(rg__vector_reduce_tan(x));
}

rg__vector_angle rg__vector_reduce_cos(double x)
{
    rg__vector_angle a = rg__vector_reduce_tan(x);
    a.q++;
    return half_turns(a);
}
