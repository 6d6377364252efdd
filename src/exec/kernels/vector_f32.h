/* The element functions in single precision. The polynomials are minimax approximations (Remez's exchange, the
 * coefficients rounded one after the other from the lowest power and the rest fitted again). Arguments are reduced after
 * Cody and Waite, Software Manual for the Elementary Functions, 1980: the constant is split, so that the product of its
 * leading part and a small whole number is exact.
 *
 * To round v to a whole number n, 3/2 2^23 is added: the sum's last bits are those of n, in two's complement. A bias
 * added with it makes its last 9 bits, shifted to the top, the power 2^n. */
#include "exec/kernels/vector_math.h"

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

/* The power of two is applied in two factors, of which the second is 2^64 or 2^-64, by the sign of x: both are normal
 * numbers, and a subnormal result is rounded once. */
INLINE float exp_f32(float x)
{
    x = x < rg__vector_bound.exp_low_f32 ? rg__vector_bound.exp_low_f32 : x;
    x = x > rg__vector_bound.exp_high_f32 ? rg__vector_bound.exp_high_f32 : x;
    const reduced_f32 a = reduce_exp_f32(x, 2 * 127);
    const uint32_t second = 0x5f800000u ^ (bits_f32(x) >> 1 & 0x40000000u);
    const float p = 1 + (a.r + exp_tail_f32(a.r));
    return p * of_bits_f32((a.power << 23) - second) * of_bits_f32(second);
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
/* ln(1 + f) - f for 1 + f in [sqrt(1/2), sqrt(2)]. */
INLINE float log_tail_f32(float f)
{
    const float z = f * f;
    const float p01 = 0x1.55554ap-2f + f * -0x1.00022p-2f, p23 = 0x1.99a5b2p-3f + f * -0x1.5478a6p-3f;
    const float p45 = 0x1.226c6cp-3f + f * -0x1.0cdd96p-3f, p67 = 0x1.07da32p-3f + f * -0x1.4210c4p-4f;
    const float p = (p01 + z * p23) + z * z * (p45 + z * p67);
    return z * (f * p - .5f);
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
    return x < INFINITY ? y : x + x;
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
    y = x == 0 ? x : y; /* keeps the sign */
    return x < INFINITY ? y : x + x;
}

/* max(x, 0) + ln(1 + e^-|x|), the second term reduced by a half where 1 + e^-|x| is above sqrt(2). */
INLINE float softplus_f32(float x)
{
    const float e = exp_negative_f32(-fabsf(x));
    const bool above = e > 0x1.a8279ap-2f;
    const float f = above ? .5f * e - .5f : e;
    const float high = above ? LN2_HIGH_F32 : 0, low = above ? LN2_LOW_F32 : 0;
    return (x > 0 ? x : 0) + (high + (f + (low + log_tail_f32(f))));
}

/* ---- trigonometric functions ------------------------------------------------------------------------------------- */
/* Reduced in double precision: x = q pi/2 + r. Beyond the limit q times the leading part of pi/2 is not exact. */
#define TRIG_LIMIT_F32 1.6e6f
typedef struct angle_f32 {
    float r;
    uint32_t q; /* its last two bits count */
} angle_f32;

INLINE angle_f32 reduce_angle_f32(float x)
{
    const double v = x * 0x1.45f306dc9c883p-1 + 0x1.8p52, n = v - 0x1.8p52;
    return (angle_f32){(float)((x - n * 0x1.921fb544p+0) - n * 0x1.0b4611a626331p-34), (uint32_t)bits_f64(v)};
}

INLINE float sin_near_f32(float r)
{
    const float z = r * r;
    return r + r * z * (-0x1.555546p-3f + z * (0x1.110778p-7f + z * -0x1.9953f6p-13f));
}

/* (cos r - 1 + z/2) / z^2 with z = r^2. */
INLINE float cos_tail_f32(float z)
{
    return 0x1.55554ap-5f + z * (-0x1.6c0c28p-10f + z * 0x1.99e80cp-16f);
}

INLINE float cos_near_f32(float r)
{
    const float z = r * r;
    return (1 - .5f * z) + z * z * cos_tail_f32(z);
}

/* The same with the rounding of 1 - z/2 made good: the quotient in a tangent has other errors besides. */
INLINE float cos_closely_f32(float r)
{
    const float z = r * r, half = .5f * z, near = 1 - half;
    return near + (((1 - near) - half) + z * z * cos_tail_f32(z));
}

INLINE float sin_angle_f32(angle_f32 a)
{
    const float y = by_parity_f32(a.q, cos_near_f32(a.r), sin_near_f32(a.r));
    return of_bits_f32(bits_f32(y) ^ (a.q & 2) << 30);
}

INLINE float cos_angle_f32(angle_f32 a)
{
    return sin_angle_f32((angle_f32){a.r, a.q + 1});
}

INLINE float tan_angle_f32(angle_f32 a)
{
    const float s = sin_near_f32(a.r), c = cos_closely_f32(a.r);
    const float y = by_parity_f32(a.q, c, s) / by_parity_f32(a.q, s, c);
    return of_bits_f32(bits_f32(y) ^ a.q << 31);
}

INLINE float sin_f32(float x)
{
    const float y = sin_angle_f32(reduce_angle_f32(x));
    return x == 0 ? x : y; /* keeps the sign */
}

INLINE float cos_f32(float x)
{
    return cos_angle_f32(reduce_angle_f32(x));
}

INLINE float tan_f32(float x)
{
    const float y = tan_angle_f32(reduce_angle_f32(x));
    return x == 0 ? x : y;
}

/* ---- error function ---------------------------------------------------------------------------------------------- */
/* x P(x^2) up to 0.85; beyond, 1 - e^-g(|x|) with g a polynomial fitted to -ln erfc. */
INLINE float erf_f32(float x)
{
    const float z = x * x;
    const float near =
        0x1.06eba8p-3f +
        z * (-0x1.812726p-2f + z * (0x1.ce256ap-4f + z * (-0x1.b735eap-6f + z * (0x1.4b763p-8f + z * -0x1.4cd86p-11f))));
    float a = fabsf(x);
    a = a > rg__vector_bound.erf_f32 ? rg__vector_bound.erf_f32 : a;
    const float g =
        0x1.dc943ep-14f +
        a * (0x1.20c5ecp+0f +
             a * (0x1.45ef9cp-1f +
                  a * (0x1.abd92ep-4f + a * (-0x1.705a48p-6f + a * (0x1.976132p-9f + a * -0x1.a8eb3ap-13f)))));
    const reduced_f32 e = reduce_exp_f32(-g, 127);
    const float far = 1 - (1 + (e.r + exp_tail_f32(e.r))) * of_bits_f32(e.power << 23);
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
