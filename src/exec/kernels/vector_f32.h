/* The element functions in single precision. The polynomials are minimax approximations (Remez's exchange, the
 * coefficients rounded one after the other from the lowest power and the rest fitted again). Arguments are reduced after
 * Cody and Waite, Software Manual for the Elementary Functions, 1980: the constant is split, so that the product of its
 * leading part and a small whole number is exact.
 *
 * To round v to a whole number n, 3/2 2^23 is added: the sum's last bits are those of n, in two's complement. A bias
 * added with it makes its last 9 bits, shifted to the top, the power 2^n. */
#include "exec/kernels/vector_math.h"

/* ---- roots, which are correctly rounded -------------------------------------------------------------------------- */
INLINE float sqrt_f32(float x)
{
    return sqrtf(x);
}

INLINE float rsqrt_f32(float x)
{
    return 1 / sqrtf(x);
}

INLINE float reciprocal_f32(float x)
{
    return 1 / x;
}

/* ---- exponentials ------------------------------------------------------------------------------------------------ */
#define ROUND_F32    0x1.8p23f
#define LOG2_E_F32   0x1.715476p+0f
#define LN2_HIGH_F32 0x1.62e4p-1f
#define LN2_LOW_F32  0x1.7f7d1cp-20f

/* x = n ln 2 + r with |r| <= ln(2) / 2. */
typedef struct reduced_f32 {
    float r;
    uint32_t power; /* shifted left by 23: 2^n, times 2^(bias - 127) */
} reduced_f32;

INLINE reduced_f32 reduce_exp_f32(float x, int bias)
{
    const float round = ROUND_F32 + (float)bias;
    const float v = x * LOG2_E_F32 + round, n = v - round;
    return (reduced_f32){(x - n * LN2_HIGH_F32) - n * LN2_LOW_F32, bits_f32(v)};
}

/* e^r - 1 - r, to 2^-28 of e^r and to 2^-26 of e^r - 1. */
INLINE float exp_tail_f32(float r)
{
    const float z = r * r;
    const float low = 0x1.fffffcp-2f + r * 0x1.55548cp-3f, high = 0x1.555858p-5f + r * 0x1.123df2p-7f;
    return z * low + z * z * (high + z * 0x1.6ac86p-10f);
}

/* 2^n is applied in two halves, which are normal numbers both: a subnormal result is rounded once. */
INLINE float exp_f32(float x)
{
    x = x < rg__vector_bound.exp_low_f32 ? rg__vector_bound.exp_low_f32 : x;
    x = x > rg__vector_bound.exp_high_f32 ? rg__vector_bound.exp_high_f32 : x;
    const reduced_f32 a = reduce_exp_f32(x, 2 * 127);
    const uint32_t half = a.power >> 1;
    return (1 + (a.r + exp_tail_f32(a.r))) * of_bits_f32((a.power - half) << 23) * of_bits_f32(half << 23);
}

/* e^x of x <= 0. */
INLINE float exp_negative_f32(float x)
{
    x = x < rg__vector_bound.exp_low_f32 ? rg__vector_bound.exp_low_f32 : x;
    const reduced_f32 a = reduce_exp_f32(x, 127 + 64);
    return (1 + (a.r + exp_tail_f32(a.r))) * of_bits_f32(a.power << 23) * 0x1p-64f;
}

/* e^x - 1 = 2^n (e^r - 1) + (2^n - 1), halved on the way because 2^128 is no number. */
INLINE float expm1_f32(float x)
{
    float c = x < rg__vector_bound.expm1_low_f32 ? rg__vector_bound.expm1_low_f32 : x;
    c = c > rg__vector_bound.exp_high_f32 ? rg__vector_bound.exp_high_f32 : c;
    const reduced_f32 a = reduce_exp_f32(c, 127 - 1);
    const float half = of_bits_f32(a.power << 23);
    const float y = 2 * (half * (a.r + exp_tail_f32(a.r)) + (half - .5f));
    return fabsf(x) < 0x1p-25f ? x : y;
}

/* With t = e^2x - 1, tanh x = t / (t + 2), of |x| where t cannot lose digits or overflow. */
INLINE float tanh_f32(float x)
{
    float c = fabsf(x);
    c = c > rg__vector_bound.tanh_f32 ? rg__vector_bound.tanh_f32 : c;
    const reduced_f32 a = reduce_exp_f32(c + c, 127);
    const float power = of_bits_f32(a.power << 23);
    const float t = power * (a.r + exp_tail_f32(a.r)) + (power - 1);
    return copysignf(t / (t + 2), x);
}

INLINE float sigmoid_f32(float x)
{
    const float e = exp_negative_f32(-fabsf(x));
    return (x < 0 ? e : 1) / (1 + e);
}

/* ---- logarithms -------------------------------------------------------------------------------------------------- */
/* ln(1 + f) - f for 1 + f in [sqrt(1/2), sqrt(2)]. With s = f / (2 + f), ln(1 + f) = 2 atanh(s) = 2s + s R, and as
 * 2s = f - s f, this is s (f^2 / 2 + R) - f^2 / 2. */
INLINE float log_tail_f32(float f)
{
    const float s = f / (2 + f), z = s * s, half = .5f * f * f;
    const float r = z * (0x1.55557ap-1f + z * (0x1.995ed4p-2f + z * 0x1.31e0fp-2f));
    return s * (half + r) - half;
}

/* The bits of x > 0 less those of sqrt(1/2): x = 2^k m with k the exponent and m in [sqrt(1/2), sqrt(2)). */
#define SQRT_HALF_F32 0x3f3504f3u
INLINE float log_f32(float x)
{
    const bool subnormal = x < 0x1p-126f;
    const uint32_t i = bits_f32(subnormal ? x * 0x1p24f : x) - SQRT_HALF_F32;
    const float k = (float)((int32_t)i >> 23) - (subnormal ? 24.0f : 0.0f);
    const float f = of_bits_f32((i & 0x7fffffu) + SQRT_HALF_F32) - 1;
    float y = k * LN2_HIGH_F32 + (f + (k * LN2_LOW_F32 + log_tail_f32(f)));
    y = x > 0 ? y : x == 0 ? -INFINITY : NAN;
    return x == INFINITY ? x : y;
}

/* f is taken from x, not from the rounded 1 + x; beyond 2^60, where 2^-k might be no number, there is no difference. */
INLINE float log1p_f32(float x)
{
    const uint32_t i = bits_f32(1 + x) - SQRT_HALF_F32;
    const float k = (float)((int32_t)i >> 23);
    const float power = of_bits_f32(0x3f800000u - (i & 0xff800000u)); /* 2^-k */
    const float m = of_bits_f32((i & 0x7fffffu) + SQRT_HALF_F32);
    const float f = x < 0x1p60f ? (power - 1) + power * x : m - 1;
    float y = k * LN2_HIGH_F32 + (f + (k * LN2_LOW_F32 + log_tail_f32(f)));
    y = x > -1 ? y : x == -1 ? -INFINITY : NAN;
    return x == 0 || x == INFINITY ? x : y; /* 0 keeps its sign */
}

/* max(x, 0) + ln(1 + e), e = e^-|x|, by s = e / (2 + e) once more: e - s (e - R). */
INLINE float softplus_f32(float x)
{
    const float e = exp_negative_f32(-fabsf(x)), s = e / (2 + e), z = s * s;
    const float r = z * (0x1.555502p-1f + z * (0x1.99d1d2p-2f + z * (0x1.1ebf94p-2f + z * 0x1.1ece92p-2f)));
    return (x > 0 ? x : 0) + (e - s * (e - r));
}

/* ---- trigonometric functions ------------------------------------------------------------------------------------- */
/* pi in four parts, the first three of 12 bits, whose products with n are exact below the limit. */
#define TRIG_LIMIT_F32 6400.0f
INLINE float subtract_pi_f32(float x, float n)
{
    return ((x - n * 0x1.92p+1f) - n * 0x1.fb4p-11f) - n * 0x1.444p-23f - n * 0x1.68c234p-38f;
}

/* x = n pi + r: (-1)^n sin r. The last bit of q is that of n. */
INLINE float sin_turned_f32(float r, uint32_t q)
{
    const float z = r * r;
    const float p = (-0x1.55554cp-3f + z * 0x1.110edap-7f) + z * z * (-0x1.9f70eep-13f + z * 0x1.5dc8c4p-19f);
    float y = r + r * z * p;
    y = y < -rg__vector_bound.unit_f32 ? -rg__vector_bound.unit_f32 : y; /* the last roundings may exceed it */
    y = y > rg__vector_bound.unit_f32 ? rg__vector_bound.unit_f32 : y;
    return of_bits_f32(bits_f32(y) ^ q << 31);
}

INLINE float sin_f32(float x)
{
    const float v = x * 0x1.45f306p-2f + ROUND_F32, n = v - ROUND_F32;
    const float y = sin_turned_f32(subtract_pi_f32(x, n), bits_f32(v));
    return x == 0 ? x : y; /* keeps the sign */
}

/* The sine a quarter turn later: x = n pi + r with n a whole number and a half. */
INLINE float cos_turned_f32(float r, uint32_t q)
{
    return sin_turned_f32(r, q);
}

INLINE float cos_f32(float x)
{
    const float v = (x * 0x1.45f306p-2f - .5f) + ROUND_F32, n = (v - ROUND_F32) + .5f;
    return sin_turned_f32(subtract_pi_f32(x, n), bits_f32(v) + 1);
}

/* x = q pi/2 + r: tan r, or -1 / tan r where q is odd. */
INLINE float tan_turned_f32(float r, uint32_t q)
{
    const float z = r * r, z2 = z * z;
    const float p01 = 0x1.5554dep-2f + z * 0x1.112deap-3f, p23 = 0x1.b5851ep-5f + z * 0x1.90729ep-6f;
    const float p45 = 0x1.9684d4p-9f + z * 0x1.33e7aap-7f;
    const float t = r + r * z * (p01 + z2 * (p23 + z2 * p45));
    return by_parity_f32(q, -1, t) / by_parity_f32(q, t, 1);
}

INLINE float tan_f32(float x)
{
    const float v = x * 0x1.45f306p-1f + ROUND_F32, n = v - ROUND_F32;
    const float y = tan_turned_f32(subtract_pi_f32(x, .5f * n), bits_f32(v));
    return x == 0 ? x : y;
}

/* ---- error function ---------------------------------------------------------------------------------------------- */
/* x P(x^2) up to 0.85; beyond, 1 - 2^h(|x|) with h fitted to log2 erfc. */
INLINE float erf_f32(float x)
{
    const float z = x * x, z2 = z * z;
    const float p01 = 0x1.06eba8p-3f + z * -0x1.812726p-2f, p23 = 0x1.ce256ap-4f + z * -0x1.b735eap-6f;
    const float p45 = 0x1.4b763p-8f + z * -0x1.4cd86p-11f;
    const float near = p01 + z2 * (p23 + z2 * p45);

    float a = fabsf(x);
    a = a > rg__vector_bound.erf_f32 ? rg__vector_bound.erf_f32 : a;
    const float a2 = a * a;
    const float h01 = -0x1.57c776p-13f + a * -0x1.a09c9p+0f, h23 = -0x1.d639e6p-1f + a * -0x1.34a0acp-3f;
    const float h45 = 0x1.09b604p-5f + a * -0x1.25dd32p-8f;
    const float h = h01 + a2 * (h23 + a2 * (h45 + a2 * 0x1.328464p-12f));

    /* 2^h to 2^-23: it is below 1/4. */
    const float v = h + (ROUND_F32 + 127), r = h - (v - (ROUND_F32 + 127)), r2 = r * r;
    const float q12 = 0x1.62e42ap-1f + r * 0x1.ebf9ap-3f, q34 = 0x1.c6b586p-5f + r * 0x1.3cf5a2p-7f;
    const float power = 1 + r * (q12 + r2 * (q34 + r2 * 0x1.5ccbbp-10f));
    const float far = 1 - power * of_bits_f32(bits_f32(v) << 23);
    return a < .85f ? x + x * near : copysignf(far, x);
}

/* ---- power ------------------------------------------------------------------------------------------------------- */
/* |base|^exponent as 2^(y log2 x) in double precision, of finite arguments and base other than 0: log2 with
 * s = (m - 1) / (m + 1) as 2 atanh(s) / ln 2. */
INLINE float pow_f32(float base, float exponent)
{
    const double x = fabsf(base), y = exponent;
    const uint64_t i = bits_f64(x) + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
    const double k = of_bits_f64(i >> 52 | 0x4330000000000000u) - (0x1p52 + 1023);
    const double m = of_bits_f64((i & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu);
    const double s = (m - 1) / (m + 1), z = s * s;
    const double log2_m =
        s * (0x1.71547652b8251p+1 +
             z * (0x1.ec709dc53d026p-1 +
                  z * (0x1.2776c2925fb5bp-1 +
                       z * (0x1.a61a2f91c739cp-2 + z * (0x1.4795330f530c1p-2 + z * 0x1.21b3072c19a1p-2)))));
    double w = y * (k + log2_m);
    w = w < -rg__vector_bound.pow_f32 ? -rg__vector_bound.pow_f32 : w;
    w = w > rg__vector_bound.pow_f32 ? rg__vector_bound.pow_f32 : w;

    const double v = w + (0x1.8p52 + 1023), r = w - (v - (0x1.8p52 + 1023));
    const double q =
        0x1.62e42ff0e42c4p-1 +
        r * (0x1.ebfbe0784a41bp-3 +
             r * (0x1.c6b08abc3a4c4p-5 +
                  r * (0x1.3b29f2d60408ep-7 +
                       r * (0x1.5d8a88a4ca82ep-10 + r * (0x1.445d313d39a87p-13 + r * 0x1.fde4f51803f9bp-17)))));
    return (float)((1 + r * q) * of_bits_f64(bits_f64(v) << 52));
}

/* What y = |base|^exponent becomes where base is 0 or negative. From 2^24 on every exponent is even. */
INLINE float pow_rest_f32(float y, float base, float exponent)
{
    const float zero = exponent == 0 ? 1 : exponent < 0 ? INFINITY : 0;
    float whole = fabsf(exponent);
    whole = whole > 0x1p24f ? 0x1p24f : whole;
    const bool large = whole >= 0x1p23f;
    const float rounded = large ? whole : whole + 0x1p23f;
    const bool fraction = !large && (rounded - 0x1p23f != whole);
    const uint32_t sign = bits_f32(base) & (fraction ? 0 : bits_f32(rounded) << 31);
    y = of_bits_f32(bits_f32(base == 0 ? zero : y) ^ sign);
    return base < 0 && fraction ? NAN : y;
}
