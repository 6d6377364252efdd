/* The element functions in double precision; see vector_f32.h for the methods. Logarithms are taken by
 * s = f / (2 + f), for which ln(1 + f) = 2 atanh(s) has a short odd series. */
#include "exec/kernels/vector_math.h"

/* ---- roots ------------------------------------------------------------------------------------------------------- */
INLINE double sqrt_f64(double x)
{
    return sqrt(x);
}

INLINE double rsqrt_f64(double x)
{
    return 1 / sqrt(x);
}

INLINE double reciprocal_f64(double x)
{
    return 1 / x;
}

/* ---- exponentials ------------------------------------------------------------------------------------------------ */
#define ROUND_F64    0x1.8p52
#define LOG2_E_F64   0x1.71547652b82fep+0
#define LN2_HIGH_F64 0x1.62e42fefa38p-1
#define LN2_LOW_F64  0x1.ef35793c7673p-45

typedef struct reduced_f64 {
    double r;
    uint64_t power; /* shifted left by 52: 2^n, times 2^(bias - 1023) */
} reduced_f64;

INLINE reduced_f64 reduce_exp_f64(double x, int bias)
{
    const double round = ROUND_F64 + bias;
    const double v = x * LOG2_E_F64 + round, n = v - round;
    return (reduced_f64){(x - n * LN2_HIGH_F64) - n * LN2_LOW_F64, bits_f64(v)};
}

/* e^r - 1 - r, to 2^-57 of e^r and to 2^-56 of e^r - 1. */
INLINE double exp_tail_f64(double r)
{
    const double z = r * r, z2 = z * z;
    const double p01 = 0x1.000000000000ap-1 + r * 0x1.55555555554fcp-3;
    const double p23 = 0x1.55555555505dfp-5 + r * 0x1.111111112431p-7;
    const double p45 = 0x1.6c16c184d86a4p-10 + r * 0x1.a01a014a444f4p-13;
    const double p67 = 0x1.a01997e868b42p-16 + r * 0x1.71dec5cf6dfccp-19;
    const double p89 = 0x1.28afa9fc5df27p-22 + r * 0x1.ae38f0e0e8d46p-26;
    return z * ((p01 + z * p23) + z2 * ((p45 + z * p67) + z2 * p89));
}

INLINE double exp_f64(double x)
{
    x = x < rg__vector_bound.exp_low_f64 ? rg__vector_bound.exp_low_f64 : x;
    x = x > rg__vector_bound.exp_high_f64 ? rg__vector_bound.exp_high_f64 : x;
    const reduced_f64 a = reduce_exp_f64(x, 2 * 1023);
    const uint64_t half = a.power >> 1;
    return (1 + (a.r + exp_tail_f64(a.r))) * of_bits_f64((a.power - half) << 52) * of_bits_f64(half << 52);
}

/* e^x of x <= 0. */
INLINE double exp_negative_f64(double x)
{
    x = x < rg__vector_bound.exp_low_f64 ? rg__vector_bound.exp_low_f64 : x;
    const reduced_f64 a = reduce_exp_f64(x, 1023 + 512);
    return (1 + (a.r + exp_tail_f64(a.r))) * of_bits_f64(a.power << 52) * 0x1p-512;
}

INLINE double expm1_f64(double x)
{
    double c = x < rg__vector_bound.expm1_low_f64 ? rg__vector_bound.expm1_low_f64 : x;
    c = c > rg__vector_bound.exp_high_f64 ? rg__vector_bound.exp_high_f64 : c;
    const reduced_f64 a = reduce_exp_f64(c, 1023 - 1);
    const double half = of_bits_f64(a.power << 52);
    const double y = 2 * (half * (a.r + exp_tail_f64(a.r)) + (half - .5));
    return fabs(x) < 0x1p-54 ? x : y;
}

INLINE double tanh_f64(double x)
{
    double c = fabs(x);
    c = c > rg__vector_bound.tanh_f64 ? rg__vector_bound.tanh_f64 : c;
    const reduced_f64 a = reduce_exp_f64(c + c, 1023);
    const double power = of_bits_f64(a.power << 52);
    const double t = power * (a.r + exp_tail_f64(a.r)) + (power - 1);
    return copysign(t / (t + 2), x);
}

INLINE double sigmoid_f64(double x)
{
    const double e = exp_negative_f64(-fabs(x));
    return (x < 0 ? e : 1) / (1 + e);
}

/* ---- logarithms -------------------------------------------------------------------------------------------------- */
/* ln(1 + f) - f for 1 + f in [sqrt(1/2), sqrt(2)]: as 2s = f - s f, it is s (f^2 / 2 + R) - f^2 / 2, with
 * R = (2 atanh(s) - 2s) / s. */
INLINE double log_tail_f64(double f)
{
    const double s = f / (2 + f), z = s * s, z2 = z * z, half = .5 * f * f;
    const double p01 = 0x1.5555555555592p-1 + z * 0x1.999999997fef7p-2;
    const double p23 = 0x1.24924941e509bp-2 + z * 0x1.c71c520fe582cp-3;
    const double p45 = 0x1.74663e1c3214ep-3 + z * 0x1.39a1c37778bc2p-3;
    const double r = z * (p01 + z2 * (p23 + z2 * (p45 + z2 * 0x1.2f0573d210532p-3)));
    return s * (half + r) - half;
}

/* x > 0 as 2^k m with m in [sqrt(1/2), sqrt(2)). The exponent keeps its bias, so that the shift needs no sign, and becomes
 * a number as the last bits of one. */
#define SQRT_HALF_F64 0x3fe6a09e667f3bcdu
#define ONE_F64       0x3ff0000000000000u
typedef struct parts_f64 {
    double k, m;
    uint64_t biased; /* k + 1023 */
} parts_f64;

INLINE parts_f64 parts_of_f64(double x)
{
    const uint64_t i = bits_f64(x) + (ONE_F64 - SQRT_HALF_F64);
    return (parts_f64){.k = of_bits_f64(i >> 52 | 0x4330000000000000u) - (0x1p52 + 1023),
                       .m = of_bits_f64((i & 0xfffffffffffffu) + SQRT_HALF_F64),
                       .biased = i >> 52};
}

INLINE double log_f64(double x)
{
    const bool subnormal = x < 0x1p-1022;
    const parts_f64 a = parts_of_f64(subnormal ? x * 0x1p54 : x);
    const double k = a.k - (subnormal ? 54 : 0), f = a.m - 1;
    double y = k * LN2_HIGH_F64 + (f + (k * LN2_LOW_F64 + log_tail_f64(f)));
    y = x > 0 ? y : x == 0 ? (double)-INFINITY : (double)NAN;
    return x == (double)INFINITY ? x : y;
}

INLINE double log1p_f64(double x)
{
    const parts_f64 a = parts_of_f64(1 + x);
    const double power = of_bits_f64((2 * 1023 - a.biased) << 52); /* 2^-k */
    const double f = x < 0x1p60 ? (power - 1) + power * x : a.m - 1;
    double y = a.k * LN2_HIGH_F64 + (f + (a.k * LN2_LOW_F64 + log_tail_f64(f)));
    y = x > -1 ? y : x == -1 ? (double)-INFINITY : (double)NAN;
    return x == 0 || x == (double)INFINITY ? x : y;
}

INLINE double softplus_f64(double x)
{
    const double e = exp_negative_f64(-fabs(x)), s = e / (2 + e), z = s * s, z2 = z * z;
    const double p01 = 0x1.555555555593bp-1 + z * 0x1.99999998eb282p-2;
    const double p23 = 0x1.2492497877fe5p-2 + z * 0x1.c71c4a4d6faf9p-3;
    const double p45 = 0x1.7462539365a99p-3 + z * 0x1.3aa8eb78cd68p-3;
    const double p67 = 0x1.1641b5b7924a7p-3 + z * 0x1.9586ecc48bf37p-4;
    const double r = z * ((p01 + z2 * p23) + z2 * z2 * ((p45 + z2 * p67) + z2 * z2 * 0x1.6b68b93b2da96p-3));
    return (x > 0 ? x : 0) + (e - s * (e - r));
}

/* ---- trigonometric functions ------------------------------------------------------------------------------------- */
/* pi in three parts, the first two of 37 bits, whose products with n are exact below the limit. What the second
 * subtraction rounds off goes into the third. */
#define TRIG_LIMIT_F64 1e5
INLINE double subtract_pi_f64(double x, double n)
{
    const double t = x - n * 0x1.921fb54440000p+1, w = n * 0x1.68c234c4c0000p-38, near = t - w;
    return near - (n * 0x1.98a2e03707345p-76 - ((t - near) - w));
}

/* x = n pi + r: (-1)^n sin r. The last bit of q is that of n. */
INLINE double sin_turned_f64(double r, uint64_t q)
{
    const double z = r * r, z2 = z * z;
    const double p01 = -0x1.5555555555555p-3 + z * 0x1.11111111110c8p-7;
    const double p23 = -0x1.a01a01a014d6ep-13 + z * 0x1.71de3a52a0a1bp-19;
    const double p45 = -0x1.ae6454d4689aap-26 + z * 0x1.6123cd03062a8p-33;
    const double p67 = -0x1.ae4382fa96e1dp-41 + z * 0x1.883276259f792p-49;
    double y = r + r * z * ((p01 + z2 * p23) + z2 * z2 * (p45 + z2 * p67));
    y = y < -rg__vector_bound.unit_f64 ? -rg__vector_bound.unit_f64 : y;
    y = y > rg__vector_bound.unit_f64 ? rg__vector_bound.unit_f64 : y;
    return of_bits_f64(bits_f64(y) ^ q << 63);
}

INLINE double sin_f64(double x)
{
    const double v = x * 0x1.45f306dc9c883p-2 + ROUND_F64, n = v - ROUND_F64;
    const double y = sin_turned_f64(subtract_pi_f64(x, n), bits_f64(v));
    return x == 0 ? x : y;
}

INLINE double cos_turned_f64(double r, uint64_t q)
{
    return sin_turned_f64(r, q);
}

INLINE double cos_f64(double x)
{
    const double v = (x * 0x1.45f306dc9c883p-2 - .5) + ROUND_F64, n = (v - ROUND_F64) + .5;
    return sin_turned_f64(subtract_pi_f64(x, n), bits_f64(v) + 1);
}

INLINE double sin_near_f64(double r)
{
    const double z = r * r, z2 = z * z;
    const double p12 = 0x1.111111110f73p-7 + z * -0x1.a01a019be9257p-13;
    const double p34 = 0x1.71de355533ec1p-19 + z * -0x1.ae5e4b8f879f7p-26;
    return r + r * z * (-0x1.5555555555548p-3 + z * (p12 + z2 * (p34 + z2 * 0x1.5d8b5a9be7b07p-33)));
}

/* (cos r - 1 + z/2) / z^2 with z = r^2. */
INLINE double cos_tail_f64(double z)
{
    const double z2 = z * z;
    const double p01 = 0x1.555555555554bp-5 + z * -0x1.6c16c16c15012p-10;
    const double p23 = 0x1.a01a019c8ea51p-16 + z * -0x1.27e4f7f117579p-22;
    const double p45 = 0x1.1ee9db6c11b57p-29 + z * -0x1.8fa64a6207be6p-37;
    return p01 + z2 * (p23 + z2 * p45);
}

/* The same with the rounding of 1 - z/2 made good: the quotient in a tangent has other errors besides. */
INLINE double cos_closely_f64(double r)
{
    const double z = r * r, z2 = z * z, half = .5 * z, near = 1 - half;
    return near + (((1 - near) - half) + z2 * cos_tail_f64(z));
}

/* x = q pi/2 + r: tan r, or -1 / tan r where q is odd. */
INLINE double tan_turned_f64(double r, uint64_t q)
{
    const double s = sin_near_f64(r), c = cos_closely_f64(r);
    return by_parity_f64(q, -c, s) / by_parity_f64(q, s, c);
}

INLINE double tan_f64(double x)
{
    const double v = x * 0x1.45f306dc9c883p-1 + ROUND_F64, n = v - ROUND_F64;
    const double y = tan_turned_f64(subtract_pi_f64(x, .5 * n), bits_f64(v));
    return x == 0 ? x : y;
}

/* ---- error function ---------------------------------------------------------------------------------------------- */
/* x P(x^2) up to 1; beyond, 1 - e^(-x^2) Q(u) with u = (|x| - 3) / (|x| + 3), Q fitted to e^(x^2) erfc(x). */
INLINE double erf_f64(double x)
{
    double a = fabs(x);
    a = a > rg__vector_bound.erf_f64 ? rg__vector_bound.erf_f64 : a;
    const double z = a * a, z2 = z * z;
    const double p01 = 0x1.06eba8214db68p-3 + z * -0x1.812746b03799dp-2;
    const double p23 = 0x1.ce2f21a03f8bcp-4 + z * -0x1.b82ce311a9974p-6;
    const double p45 = 0x1.565bcceedebbcp-8 + z * -0x1.c02daeb7b1916p-11;
    const double p67 = 0x1.f9a296bebd586p-14 + z * -0x1.f4c82ed128abap-17;
    const double p89 = 0x1.b96b4871c1b16p-20 + z * -0x1.5b8b9f071d604p-23;
    const double p1011 = 0x1.d3d41bbbb1963p-27 + z * -0x1.a212e9f6397cap-31;
    const double near = p01 + z2 * (p23 + z2 * (p45 + z2 * (p67 + z2 * (p89 + z2 * p1011))));

    const double u = (a - 3) / (a + 3), u2 = u * u;
    const double q01 = 0x1.6e9827d229817p-3 + u * -0x1.4e102b9d04e9cp-2;
    const double q23 = 0x1.f6ff203f5eca9p-3 + u * -0x1.336ffbe9ad0ecp-3;
    const double q45 = 0x1.258b1727d65e5p-4 + u * -0x1.8fa4d6bc072c6p-6;
    const double q67 = 0x1.17dca3f60c7e5p-8 + u * 0x1.75e895c0eecb1p-11;
    const double q89 = -0x1.30a93aef845d1p-11 + u * 0x1.4067ed1b2c9bfp-14;
    const double q1011 = 0x1.afcd2bb2b647cp-14 + u * 0x1.fe1cff1d547bdp-17;
    const double q = q01 + u2 * (q23 + u2 * (q45 + u2 * (q67 + u2 * (q89 + u2 * q1011))));
    const reduced_f64 e = reduce_exp_f64(-z, 1023);
    const double far = 1 - (1 + (e.r + exp_tail_f64(e.r))) * of_bits_f64(e.power << 52) * q;
    return a < 1 ? x + x * near : copysign(far, x);
}

/* ---- power ------------------------------------------------------------------------------------------------------- */
/* The leading 26 bits, whose products with 27 others are exact. */
INLINE double leading_f64(double x)
{
    return of_bits_f64(bits_f64(x) & ~(uint64_t)0x7ffffff);
}

/* A sum of two numbers, the first of 26 bits. */
typedef struct pair_f64 {
    double high, low;
} pair_f64;

/* log2 of a > 0 to 2^-63 of itself, because the power multiplies it by up to 2^10 before it becomes an exponent. With
 * s = (m - 1) / (m + 1) it is k + 2/(3 ln 2) s (3 + s^2 + R), R = 3/5 s^4 + 3/7 s^6 + ..., where only R and the last
 * bits of the others are in plain double precision. */
INLINE pair_f64 log2_f64(double x)
{
    const bool subnormal = x < 0x1p-1022;
    const parts_f64 a = parts_of_f64(subnormal ? x * 0x1p54 : x);
    const double k = a.k - (subnormal ? 54 : 0), m = a.m, f = m - 1, d = m + 1;

    const double inverse = 1 / d, s = f * inverse, s_high = leading_f64(s);
    const double d_high = leading_f64(d), d_low = m - (d_high - 1);
    const double s_low = inverse * ((f - s_high * d_high) - s_high * d_low);

    const double z = s * s, z2 = z * z;
    const double p01 = 0x1.333333333333p-1 + z * 0x1.b6db6db6dc91dp-2;
    const double p23 = 0x1.55555554141a9p-2 + z * 0x1.1745d22b95a5p-2;
    const double p45 = 0x1.d89d10f4d948cp-3 + z * 0x1.99b187f69d2p-3;
    const double p67 = 0x1.669d1d487c11dp-3 + z * 0x1.709b96495214bp-3;
    const double rest = z2 * ((p01 + z2 * p23) + z2 * z2 * (p45 + z2 * p67)) + s_low * (s_high + s);

    const double square = s_high * s_high, sum_high = leading_f64(3 + square + rest);
    const double sum_low = rest - ((sum_high - 3) - square);
    const double product = s_high * sum_high, product_low = s_low * sum_high + sum_low * s;
    const double v_high = leading_f64(product + product_low), v_low = product_low - (v_high - product);

    const double scaled = v_high * 0x1.ec709d8p-1; /* 2/(3 ln 2) is 0x1.ec709d8p-1 + 0x1.0e80ff5d27f05p-27 */
    const double scaled_low = v_high * 0x1.0e80ff5d27f05p-27 + v_low * 0x1.ec709dc3a03fdp-1;
    const double high = leading_f64(k + (scaled + scaled_low));
    return (pair_f64){high, scaled_low - ((high - k) - scaled)};
}

/* |x|^y as 2^(y log2 |x|), of finite arguments and x other than 0. */
INLINE double pow_f64(double x, double y)
{
    const pair_f64 l = log2_f64(fabs(x));

    /* Beyond the bound every power other than 1 is 0 or infinite. */
    y = y < -rg__vector_bound.pow_f64 ? -rg__vector_bound.pow_f64 : y;
    y = y > rg__vector_bound.pow_f64 ? rg__vector_bound.pow_f64 : y;
    const double y_high = leading_f64(y), high = y_high * l.high, low = (y - y_high) * l.high + y * l.low;
    double w = high + low;
    w = w < -rg__vector_bound.exponent_f64 ? -rg__vector_bound.exponent_f64 : w;
    w = w > rg__vector_bound.exponent_f64 ? rg__vector_bound.exponent_f64 : w;

    /* r is within 1/2, and clamped where w was. */
    const double v = w + (ROUND_F64 + 2 * 1023), n = v - (ROUND_F64 + 2 * 1023);
    double r = (high - n) + low;
    r = r < -rg__vector_bound.unit_f64 ? -rg__vector_bound.unit_f64 : r;
    r = r > rg__vector_bound.unit_f64 ? rg__vector_bound.unit_f64 : r;
    const double z = r * r, z2 = z * z;
    const double p12 = 0x1.ebfbdff82c5b3p-3 + r * 0x1.c6b08d704a26ep-5;
    const double p34 = 0x1.3b2ab6fb9dae6p-7 + r * 0x1.5d87fe784623ep-10;
    const double p56 = 0x1.430913166a575p-13 + r * 0x1.ffcbfe604b703p-17;
    const double p78 = 0x1.62bfb44ce1f67p-20 + r * 0x1.b5208f30802cdp-24;
    const double p910 = 0x1.e63d8fb635a8p-28 + r * 0x1.f0dcc8782e3e1p-32;
    const double q = r * 0x1.62e42fefa39efp-1 + z * ((p12 + z * p34) + z2 * ((p56 + z * p78) + z2 * p910));
    const uint64_t half = bits_f64(v) >> 1;
    return (1 + q) * of_bits_f64((bits_f64(v) - half) << 52) * of_bits_f64(half << 52);
}

/* What y = |base|^exponent becomes where base is 0 or negative. From 2^53 on every exponent is even. */
INLINE double pow_rest_f64(double y, double base, double exponent)
{
    const double zero = exponent == 0 ? 1 : exponent < 0 ? (double)INFINITY : 0;
    double whole = fabs(exponent);
    whole = whole > 0x1p53 ? 0x1p53 : whole;
    const bool large = whole >= 0x1p52;
    const double rounded = large ? whole : whole + 0x1p52;
    const bool fraction = !large && (rounded - 0x1p52 != whole);
    const uint64_t sign = bits_f64(base) & (fraction ? 0 : bits_f64(rounded) << 63);
    y = of_bits_f64(bits_f64(base == 0 ? zero : y) ^ sign);
    return base < 0 && fraction ? (double)NAN : y;
}
