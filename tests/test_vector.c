/* The vector loops: close to the exact result over the whole range, the C library's values at special points, and the
 * same bits with every instruction set, at every place and stride. The program takes the step with which it walks over
 * the 2^32 floats: `test_vector 1` looks at all of them. */
#include "test.h"

#include "exec/kernels/vector.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096 };
#define MOST_ULPS    4.0
#define COUNT(array) (sizeof(array) / sizeof *(array))

static uint64_t float_step = 4001;

static uint64_t random_bits(void) /* xorshift64 (Marsaglia 2003) */
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static double random_number(void) /* in [-1, 1) */
{
    return (double)(int64_t)random_bits() * 0x1p-63;
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* ---- the ops and their exact values ---- */

#define FUNCTION(name, type, value) \
    static type name(type x)        \
    {                               \
        return value;               \
    }
#define EXACT(name, in_double, in_long_double)      \
    FUNCTION(exact_##name##_f32, double, in_double) \
    FUNCTION(exact_##name##_f64, long double, in_long_double)
EXACT(sqrt, sqrt(x), sqrtl(x))
EXACT(rsqrt, 1 / sqrt(x), 1 / sqrtl(x))
EXACT(reciprocal, 1 / x, 1 / x)
EXACT(exp, exp(x), expl(x))
EXACT(expm1, expm1(x), expm1l(x))
EXACT(log, log(x), logl(x))
EXACT(log1p, log1p(x), log1pl(x))
EXACT(tanh, tanh(x), tanhl(x))
EXACT(sigmoid, 1 / (1 + exp(-x)), 1 / (1 + expl(-x)))
EXACT(softplus, (x > 0 ? x : 0) + log1p(exp(-fabs(x))), (x > 0 ? x : 0) + log1pl(expl(-fabsl(x))))
EXACT(erf, erf(x), erfl(x))
EXACT(sin, sin(x), sinl(x))
EXACT(cos, cos(x), cosl(x))
EXACT(tan, tan(x), tanl(x))

// clang-format off
#define UNARY(name) {#name, exact_##name##_f32, exact_##name##_f64}
// clang-format on
static const struct unary {
    const char *name;
    double (*f32)(double);
    long double (*f64)(long double);
} unary[] = {
    UNARY(sqrt), UNARY(rsqrt),   UNARY(reciprocal), UNARY(exp), UNARY(expm1), UNARY(log), UNARY(log1p),
    UNARY(tanh), UNARY(sigmoid), UNARY(softplus),   UNARY(erf), UNARY(sin),   UNARY(cos), UNARY(tan),
};

static const char *op_name(size_t index) /* the unary ones, then pow */
{
    return index < COUNT(unary) ? unary[index].name : "pow";
}
enum { OPS = COUNT(unary) + 1 };

static rg__loop loop_of(const char *name, rg_dtype dtype)
{
    const rg__loop loop = rg__vector_loop(rg__op_find(name), dtype);
    assert_non_null(loop);
    return loop;
}

static void run(rg__loop loop, int64_t n, size_t size, void *y, const void *a, const void *b)
{
    char *p[] = {y, (char *)(uintptr_t)a, (char *)(uintptr_t)b};
    const int64_t step = (int64_t)size, stride[] = {step, step, step};
    loop(n, p, stride, NULL);
}

/* ---- distance from the exact value ---- */

/* |got - exact| in units of the last place that exact has in the format. */
static double ulps(double got, long double exact, rg_dtype dtype)
{
    const int digits = dtype == RG_F32 ? FLT_MANT_DIG : DBL_MANT_DIG;
    const int lowest = dtype == RG_F32 ? FLT_MIN_EXP - FLT_MANT_DIG : DBL_MIN_EXP - DBL_MANT_DIG;
    const int highest = dtype == RG_F32 ? FLT_MAX_EXP : DBL_MAX_EXP;
    const double rounded = dtype == RG_F32 ? (double)(float)exact : (double)exact;
    if (isnan(got) || isnan(rounded))
        return isnan(got) && isnan(rounded) ? 0 : (double)INFINITY;
    if (got == rounded && (isinf(got) || got == 0))
        return (got == 0 && signbit(got) != signbit(rounded)) ? (double)INFINITY : 0;
    if (isinf(exact))
        return (double)INFINITY;
    int exponent;
    frexpl(exact, &exponent);
    exponent = exponent - digits < lowest ? lowest : exponent > highest ? highest - digits : exponent - digits;
    const long double value = isinf(got) ? copysignl(ldexpl(1, highest), got) : got;
    return (double)(fabsl(value - exact) / ldexpl(1, exponent));
}

typedef struct worst {
    double ulps, a, b, got;
    long double exact;
} worst;

static void look(worst *w, rg_dtype dtype, double a, double b, double got, long double exact)
{
    const double distance = ulps(got, exact, dtype);
    if (distance > w->ulps)
        *w = (worst){distance, a, b, got, exact};
}

static void judge(const char *name, rg_dtype dtype, const worst *w)
{
    print_message("%-10s %s: %.3f ulp at (%a, %a): %a\n", name, rg_dtype_name(dtype), w->ulps, w->a, w->b, w->got);
    if (w->ulps > MOST_ULPS)
        fail_msg("%s(%a, %a) of %s is %a instead of %La", name, w->a, w->b, rg_dtype_name(dtype), w->got, w->exact);
}

static void f32_is_within_4_ulps_everywhere(void **state)
{
    (void)state;
    static float x[BLOCK], y[BLOCK];
    for (size_t k = 0; k < COUNT(unary); k++) {
        const rg__loop loop = loop_of(unary[k].name, RG_F32);
        worst w = {0};
        for (uint64_t bits = 0; bits <= UINT32_MAX;) {
            int n = 0;
            for (; n < BLOCK && bits <= UINT32_MAX; n++, bits += float_step)
                x[n] = float_of((uint32_t)bits);
            run(loop, n, sizeof(float), y, x, NULL);
            for (int i = 0; i < n; i++)
                look(&w, RG_F32, x[i], 0, y[i], unary[k].f32(x[i]));
        }
        judge(unary[k].name, RG_F32, &w);
    }
}

/* Any bits; numbers of several sizes; next to multiples of pi/2, where a sine or cosine is 0; next to 1. */
static double draw_f64(void)
{
    static const double scale[] = {1e-8, 1e-3, 1, 2, 4, 16, 64, 700, 750, 1e3, 9e4, 1.1e5, 1e6};
    const uint64_t kind = random_bits() % 5, bits = random_bits();
    const double number = random_number(), turns = (double)(bits % 131072) - 65536;
    switch (kind) {
    case 0: return double_of(bits);
    case 1: return number * scale[bits % COUNT(scale)];
    case 2: return turns * M_PI_2;
    case 3: return turns * M_PI_4 * (1 + number * 0x1p-20);
    default: return 1 + ldexp(number, -(int)(bits % 54));
    }
}

static void f64_is_within_4_ulps(void **state)
{
    (void)state;
    static double x[BLOCK], y[BLOCK];
    for (size_t k = 0; k < COUNT(unary); k++) {
        const rg__loop loop = loop_of(unary[k].name, RG_F64);
        worst w = {0};
        for (int block = 0; block < 40; block++) {
            for (int i = 0; i < BLOCK; i++)
                x[i] = draw_f64();
            run(loop, BLOCK, sizeof(double), y, x, NULL);
            for (int i = 0; i < BLOCK; i++)
                look(&w, RG_F64, x[i], 0, y[i], unary[k].f64(x[i]));
        }
        judge(unary[k].name, RG_F64, &w);
    }
}

/* Multiples of pi/2 to double precision are the angles that lose most in the reduction. Above the vector loops' limit
 * stands the worst of all, 6381956970095103 2^797 (Muller, Elementary Functions, 1997). */
static void angles_next_to_multiples_of_a_quarter_turn_keep_their_digits(void **state)
{
    (void)state;
    static double x[BLOCK], y[BLOCK];
    const struct unary *const sine = &unary[COUNT(unary) - 3];
    for (const struct unary *op = sine; op < sine + 3; op++) {
        worst w = {0};
        for (int block = 0; block < 32; block++) {
            for (int i = 0; i < BLOCK; i++)
                x[i] = (double)((block * BLOCK + i) * 1.5707963267948966192313L);
            x[0] = block ? -x[1] : 0x1.6ac5b262ca1ffp+849;
            run(loop_of(op->name, RG_F64), BLOCK, sizeof(double), y, x, NULL);
            for (int i = 0; i < BLOCK; i++)
                look(&w, RG_F64, x[i], 0, y[i], op->f64(x[i]));
        }
        judge(op->name, RG_F64, &w);
    }
}

/* ---- powers ---- */

/* Bases and exponents of all sizes; those whose power is just a number; bases next to 1 with huge exponents; negative
 * bases with whole exponents. most is the largest exponent of 2. */
static void draw_powers(double *base, double *exponent, double most)
{
    const uint64_t kind = random_bits() % 5, bits = random_bits(), signs = random_bits();
    const double number = random_number();
    double a = double_of(random_bits() & INT64_MAX), b;
    switch (kind) {
    case 0: b = double_of(bits); break;
    case 1: b = (double)(bits % 65) - 32; break;
    case 2: b = number * most * 1.01 / log2(a); break;
    case 3:
        a = 1 + ldexp(random_number(), -(int)(bits % 53));
        b = number * most * 1.01 / log2(a);
        break;
    default: a = exp2(random_number() * 8); b = number * 40;
    }
    if (signs % 4 == 0) {
        a = -a;
        b = signs / 4 % 4 ? rint(b) : b;
    }
    *base = isnan(a) ? (double)NAN : a; /* not a signalling one, whose power 0 is a matter of opinion */
    *exponent = isnan(b) ? (double)NAN : b;
}

static void powers_are_within_4_ulps(void **state)
{
    (void)state;
    static double a[BLOCK], b[BLOCK], y[BLOCK];
    static float a32[BLOCK], b32[BLOCK], y32[BLOCK];
    worst w = {0}, w32 = {0};
    for (int block = 0; block < 80; block++) {
        for (int i = 0; i < BLOCK; i++) {
            double base, exponent;
            draw_powers(&a[i], &b[i], 1075);
            draw_powers(&base, &exponent, 150);
            if (random_bits() % 4 == 0)
                base = float_of((uint32_t)random_bits() & INT32_MAX);
            a32[i] = isnan(base) ? NAN : (float)base;
            b32[i] = (float)exponent;
        }
        run(loop_of("pow", RG_F64), BLOCK, sizeof(double), y, a, b);
        run(loop_of("pow", RG_F32), BLOCK, sizeof(float), y32, a32, b32);
        for (int i = 0; i < BLOCK; i++) {
            look(&w, RG_F64, a[i], b[i], y[i], powl(a[i], b[i]));
            look(&w32, RG_F32, a32[i], b32[i], y32[i], pow(a32[i], b32[i]));
        }
    }
    judge("pow", RG_F32, &w32);
    judge("pow", RG_F64, &w);
}

/* ---- special values ---- */

static const double specials[] = {
    0,         -0.0,    1,           -1,          .5,          -.5,         2,          -2,         3,
    -3,        2.5,     -2.5,        20,          -20,         120,         -120,       1e3,        -1e3,
    1e5,       1e9,     -1e9,        INFINITY,    -INFINITY,   NAN,         0x1p-149,   -0x1p-149,  0x1p-130,
    -0x1p-130, FLT_MIN, -FLT_MIN,    FLT_MAX,     -FLT_MAX,    0x1p-1074,   -0x1p-1074, 0x1p-1030,  DBL_MIN,
    -DBL_MIN,  DBL_MAX, -DBL_MAX,    0x1p23 + 1,  0x1p24 - 1,  -0x1p24,     0x1p52,     0x1p52 + 1, 0x1p53 - 1,
    0x1p53,    -0x1p53, 0x1p22 + .5, 1 + 0x1p-23, 1 - 0x1p-24, 1 + 0x1p-52, 1 - 0x1p-53};
enum { SPECIALS = COUNT(specials) };

/* NaN, infinite and zero alike, with the same sign, and otherwise near. */
static void assert_alike(const char *name, rg_dtype dtype, double a, double b, double got, double want)
{
    const bool alike = isnan(want)                ? isnan(got)
                       : isinf(want) || want == 0 ? got == want && signbit(got) == signbit(want)
                                                  : ulps(got, want, dtype) <= MOST_ULPS + 2;
    if (!alike)
        fail_msg("%s(%a, %a) of %s is %a, the C library's %a", name, a, b, rg_dtype_name(dtype), got, want);
}

static void special_values_are_those_of_the_reference(void **state)
{
    (void)state;
    static double a[SPECIALS * SPECIALS], b[SPECIALS * SPECIALS], y[SPECIALS * SPECIALS], want[SPECIALS * SPECIALS];
    static float a32[SPECIALS * SPECIALS], b32[SPECIALS * SPECIALS], y32[SPECIALS * SPECIALS];
    static float want32[SPECIALS * SPECIALS];
    const int64_t n = SPECIALS * SPECIALS;
    for (int64_t i = 0; i < n; i++) {
        a32[i] = (float)(a[i] = specials[i / SPECIALS]);
        b32[i] = (float)(b[i] = specials[i % SPECIALS]);
    }
    for (size_t k = 0; k < OPS; k++) {
        const char *name = op_name(k);
        const rg__op *op = rg__op_find(name);
        run(loop_of(name, RG_F64), n, sizeof(double), y, a, b);
        run(op->loop[RG_F64], n, sizeof(double), want, a, b);
        run(loop_of(name, RG_F32), n, sizeof(float), y32, a32, b32);
        run(op->loop[RG_F32], n, sizeof(float), want32, a32, b32);
        for (int64_t i = 0; i < n; i++) {
            assert_alike(name, RG_F64, a[i], b[i], y[i], want[i]);
            assert_alike(name, RG_F32, a32[i], b32[i], y32[i], want32[i]);
        }
    }
}

static double value_of(const char *name, rg_dtype dtype, double a, double b)
{
    float a32 = (float)a, b32 = (float)b, y32;
    double y;
    if (dtype == RG_F32)
        run(loop_of(name, dtype), 1, sizeof y32, &y32, &a32, &b32);
    else
        run(loop_of(name, dtype), 1, sizeof y, &y, &a, &b);
    return dtype == RG_F32 ? (double)y32 : y;
}

static void exact_values_are_exact(void **state)
{
    (void)state;
    for (rg_dtype dtype = RG_F32; dtype <= RG_F64; dtype++) {
        assert_true(value_of("exp", dtype, 0, 0) == 1);
        assert_true(value_of("cos", dtype, 0, 0) == 1);
        assert_true(value_of("cos", dtype, 1e-30, 0) == 1);
        assert_true(value_of("log", dtype, 1, 0) == 0);
        assert_true(value_of("sigmoid", dtype, 0, 0) == .5);
        assert_true(value_of("tanh", dtype, 30, 0) == 1);
        assert_true(value_of("erf", dtype, -7, 0) == -1);
        assert_true(value_of("softplus", dtype, 1e4, 0) == 1e4);
        for (int i = -30; i <= 30; i++)
            assert_true(value_of("pow", dtype, -2, i) == ldexp(i % 2 ? -1 : 1, i));
        for (int i = 0; i <= 4000; i++)
            assert_true(value_of("pow", dtype, i, 2) == i * i);
    }
}

static void bounded_functions_stay_within_their_bounds(void **state)
{
    (void)state;
    static const char *const names[] = {"sin", "cos", "tanh", "erf", "sigmoid"};
    static double x[BLOCK], y[BLOCK];
    static float x32[BLOCK], y32[BLOCK];
    for (size_t k = 0; k < COUNT(names); k++) {
        for (int block = 0; block < 50; block++) {
            for (int i = 0; i < BLOCK; i++) { /* next to the peaks of sine and cosine; up to where the others saturate */
                const double turn = M_PI_2 * (double)((int64_t)(random_bits() % 20000) - 10000);
                x[i] = k < 2 ? turn + random_number() * 1e-7 : random_number() * 40;
                x32[i] = (float)(k < 2 ? turn / 100 + random_number() * 1e-3 : random_number() * 20);
            }
            run(loop_of(names[k], RG_F64), BLOCK, sizeof(double), y, x, NULL);
            run(loop_of(names[k], RG_F32), BLOCK, sizeof(float), y32, x32, NULL);
            for (int i = 0; i < BLOCK; i++)
                assert_true(fabs(y[i]) <= 1 && fabsf(y32[i]) <= 1);
        }
    }
}

/* ---- the same bits everywhere ---- */

/* Arguments of all kinds: the loops' slow paths, and blocks without any. */
static void fill(void *x, int64_t n, rg_dtype dtype)
{
    for (int64_t i = 0; i < n; i++) {
        const double tame = random_number() * (i % 5 ? 4 : 40);
        const bool wild = i / 1000 % 2 && random_bits() % 3 == 0;
        if (dtype == RG_F32)
            ((float *)x)[i] = wild ? float_of((uint32_t)random_bits()) : (float)tame;
        else
            ((double *)x)[i] = wild ? double_of(random_bits()) : tame;
    }
}

static bool same_elements(const void *x, const void *y, int64_t n, size_t size)
{
    return memcmp(x, y, (size_t)n * size) == 0;
}

static void every_instruction_set_gives_the_same_bits(void **state)
{
    (void)state;
    static double a[3 * BLOCK], b[3 * BLOCK], want[3 * BLOCK], y[3 * BLOCK];
    const int64_t n = 3 * BLOCK - 3;
    for (size_t k = 0; k < OPS; k++)
        for (rg_dtype dtype = RG_F32; dtype <= RG_F64; dtype++) {
            const size_t size = rg_dtype_size(dtype);
            fill(a, n, dtype);
            fill(b, n, dtype);
            run(rg__vector_loop_at(RG__VECTOR_BASE, op_name(k), dtype), n, size, want, a, b);
            for (int level = RG__VECTOR_BASE + 1; level < RG__VECTOR_LEVELS; level++) {
                const rg__loop loop = rg__vector_loop_at((rg__vector_level)level, op_name(k), dtype);
                if (!loop) /* not on this processor */
                    continue;
                run(loop, n, size, y, a, b);
                if (!same_elements(y, want, n, size))
                    fail_msg("%s of %s differs on %s", op_name(k), rg_dtype_name(dtype),
                             rg__vector_level_name((rg__vector_level)level));
            }
        }
}

static void an_element_does_not_depend_on_its_place(void **state)
{
    (void)state;
    enum { N = 2100 };
    static double a[N], b[N], want[N], y[N];
    for (size_t k = 0; k < OPS; k++)
        for (rg_dtype dtype = RG_F32; dtype <= RG_F64; dtype++) {
            const int64_t size = (int64_t)rg_dtype_size(dtype);
            const rg__loop loop = loop_of(op_name(k), dtype);
            const char *const ca = (const char *)a, *const cb = (const char *)b, *const cw = (const char *)want;
            char *const cy = (char *)y;
            fill(a, N, dtype);
            fill(b, N, dtype);
            for (int64_t i = 0; i < N; i++)
                run(loop, 1, (size_t)size, (char *)want + i * size, ca + i * size, cb + i * size);
            for (int64_t first = 0; first < 20; first++)
                for (int64_t n = 0; n < N - first; n += n < 70 ? 1 : 397) {
                    const int64_t at = first * size, end = (first + n) * size;
                    memset(y, 0x5a, sizeof y);
                    run(loop, n, (size_t)size, cy + at, ca + at, cb + at);
                    assert_true(same_elements(cy + at, cw + at, n, (size_t)size));
                    for (int64_t i = 0; i < (int64_t)sizeof y; i++)
                        if (i < at || i >= end)
                            assert_true(cy[i] == 0x5a);
                }
        }
}

/* Strides in elements of the result and of both arguments. */
static void assert_strided(size_t k, rg_dtype dtype, const int64_t *step)
{
    enum { N = 1100, SPAN = 3 * N };
    static double a[SPAN], b[SPAN], y[SPAN], packed_a[N], packed_b[N], packed_y[N];
    const int64_t size = (int64_t)rg_dtype_size(dtype);
    const int64_t stride[] = {step[0] * size, step[1] * size, step[2] * size};
    char *p[] = {(char *)y, (char *)a, (char *)b};
    for (int i = 0; i < 3; i++)
        p[i] += step[i] < 0 ? -stride[i] * (N - 1) : 0;
    fill(a, SPAN, dtype);
    fill(b, SPAN, dtype);
    for (int64_t i = 0; i < N; i++) {
        memcpy((char *)packed_a + i * size, p[1] + i * stride[1], (size_t)size);
        memcpy((char *)packed_b + i * size, p[2] + i * stride[2], (size_t)size);
    }
    run(loop_of(op_name(k), dtype), N, (size_t)size, packed_y, packed_a, packed_b);
    loop_of(op_name(k), dtype)(N, p, stride, NULL);
    for (int64_t i = 0; i < N; i++)
        assert_memory_equal(p[0] + i * stride[0], (char *)packed_y + i * size, (size_t)size);
}

static void strides_do_not_matter(void **state)
{
    (void)state;
    static const int64_t steps[][3] = {{1, 2, 1}, {2, 1, 3}, {1, -1, 1}, {-2, 3, -3}, {1, 0, 1}, {1, 1, 0}, {3, 0, 0}};
    for (size_t k = 0; k < OPS; k++)
        for (rg_dtype dtype = RG_F32; dtype <= RG_F64; dtype++)
            for (size_t i = 0; i < COUNT(steps); i++)
                assert_strided(k, dtype, steps[i]);
}

static void the_result_may_replace_an_argument(void **state)
{
    (void)state;
    enum { N = 2100 };
    static double a[N], b[N], want[N], y[N];
    for (size_t k = 0; k < OPS; k++)
        for (rg_dtype dtype = RG_F32; dtype <= RG_F64; dtype++) {
            const size_t size = rg_dtype_size(dtype);
            const rg__loop loop = loop_of(op_name(k), dtype);
            fill(a, N, dtype);
            fill(b, N, dtype);
            run(loop, N, size, want, a, b);
            memcpy(y, a, sizeof y);
            run(loop, N, size, y, y, b);
            assert_true(same_elements(y, want, N, size));
            memcpy(y, b, sizeof y);
            run(loop, N, size, y, a, y);
            assert_true(same_elements(y, want, N, size));

            char *p[] = {(char *)y, (char *)y, (char *)b};
            const int64_t step = (int64_t)size, stride[] = {2 * step, 2 * step, step};
            memcpy(y, a, sizeof y);
            for (int64_t i = 0; i < N / 2; i++)
                memcpy((char *)y + 2 * i * step, (char *)a + i * step, size);
            loop(N / 2, p, stride, NULL);
            for (int64_t i = 0; i < N / 2; i++)
                assert_memory_equal((char *)y + 2 * i * step, (char *)want + i * step, size);
        }
}

static void other_ops_and_dtypes_have_no_vector_loop(void **state)
{
    (void)state;
    assert_null(rg__vector_loop(rg__op_find("relu"), RG_F32));
    assert_null(rg__vector_loop(rg__op_find("matmul"), RG_F32));
    for (rg_dtype dtype = RG_F32; dtype < RG_DTYPES; dtype++)
        assert_true(!rg__vector_loop(rg__op_find("exp"), dtype) == (dtype != RG_F32 && dtype != RG_F64));
    assert_null(rg__vector_loop_at(RG__VECTOR_BASE, "no such op", RG_F32));
}

int main(int argc, char **argv)
{
    if (argc > 1)
        float_step = strtoull(argv[1], NULL, 10);
    if (float_step == 0) {
        fprintf(stderr, "usage: %s [step over the 2^32 floats]\n", argv[0]);
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f32_is_within_4_ulps_everywhere),
        cmocka_unit_test(f64_is_within_4_ulps),
        cmocka_unit_test(angles_next_to_multiples_of_a_quarter_turn_keep_their_digits),
        cmocka_unit_test(powers_are_within_4_ulps),
        cmocka_unit_test(special_values_are_those_of_the_reference),
        cmocka_unit_test(exact_values_are_exact),
        cmocka_unit_test(bounded_functions_stay_within_their_bounds),
        cmocka_unit_test(every_instruction_set_gives_the_same_bits),
        cmocka_unit_test(an_element_does_not_depend_on_its_place),
        cmocka_unit_test(strides_do_not_matter),
        cmocka_unit_test(the_result_may_replace_an_argument),
        cmocka_unit_test(other_ops_and_dtypes_have_no_vector_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
