/* Trigonometric, hyperbolic and inverse functions, powers and logarithms of 2 and 10, angles, sums of exponentials. */
#include "ops/pointwise.h"

#include <math.h>
#include <tgmath.h>

#define SIGNED RG__SIGNED
#define WITHIN RG__INTERVAL

/* tgmath picks the function of the element's own type. The samples stay clear of borders and poles. */
// clang-format off
#define ONE(ROW)                                                                                                       \
    /*  name      formula                    sampled on        value      gradient                                 */  \
    ROW(exp2,     "2^x",                     WITHIN, -2, 2,    exp2(x),   rg_mul(t, g, rg_mul(t, y, C(M_LN2))))        \
    ROW(log2,     "log_2 x",                 WITHIN, .5, 2,    log2(x),   rg_div(t, g, rg_mul(t, x, C(M_LN2))))        \
    ROW(log10,    "log_10 x",                WITHIN, .5, 2,    log10(x),  rg_div(t, g, rg_mul(t, x, C(M_LN10))))       \
    ROW(asin,     "arcsin x",                WITHIN, -.9, .9,  asin(x),   rg_mul(t, g, rg_rsqrt(t, one_less_square(t, x)))) \
    ROW(acos,     "arccos x",                WITHIN, -.9, .9,  acos(x),   rg_neg(t, rg_mul(t, g, rg_rsqrt(t, one_less_square(t, x))))) \
    ROW(atan,     "arctan x",                WITHIN, -2, 2,    atan(x),   rg_div(t, g, one_and_square(t, x)))          \
    ROW(sinh,     "(e^x - e^-x) / 2",        WITHIN, -2, 2,    sinh(x),   rg_mul(t, g, rg_cosh(t, x)))                 \
    ROW(cosh,     "(e^x + e^-x) / 2",        WITHIN, -2, 2,    cosh(x),   rg_mul(t, g, rg_sinh(t, x)))                 \
    ROW(asinh,    "ln(x + sqrt(x^2 + 1))",   WITHIN, -2, 2,    asinh(x),  rg_mul(t, g, rg_rsqrt(t, one_and_square(t, x)))) \
    ROW(acosh,    "ln(x + sqrt(x^2 - 1))",   WITHIN, 1.2, 3,   acosh(x),  rg_mul(t, g, rg_rsqrt(t, square_less_one(t, x)))) \
    ROW(atanh,    "ln((1 + x) / (1 - x)) / 2", WITHIN, -.9, .9, atanh(x), rg_div(t, g, one_less_square(t, x)))

#define TWO(ROW)                                                                                                       \
    ROW(atan2,      "angle of (b, a)",      SIGNED, .5, 2,   atan2(a, b),                                              \
        rg_mul(t, g, rg_div(t, b, squares(t, a, b))), rg_neg(t, rg_mul(t, g, rg_div(t, a, squares(t, a, b)))))         \
    ROW(hypot,      "sqrt(a^2 + b^2)",      SIGNED, .5, 2,   hypot(a, b),                                              \
        rg_mul(t, g, rg_div(t, a, y)), rg_mul(t, g, rg_div(t, b, y)))                                                  \
    ROW(logaddexp,  "ln(e^a + e^b)",        WITHIN, -2, 2,   SHIFTED(log1p(exp(-fabs(a - b)))),                        \
        rg_mul(t, g, rg_sigmoid(t, rg_sub(t, a, b))), rg_mul(t, g, rg_sigmoid(t, rg_sub(t, b, a))))                    \
    ROW(logaddexp2, "log_2(2^a + 2^b)",     WITHIN, -2, 2,   SHIFTED(log1p(exp2(-fabs(a - b))) * (T)M_LOG2E),          \
        rg_mul(t, g, share2(t, a, b)), rg_mul(t, g, share2(t, b, a)))
// clang-format on

/* The larger of a and b and a rest; NaN wins, and where both are the same infinity, there is no rest. */
#define SHIFTED(rest) (a == b && isinf(a) ? a : (a > b || a != a ? a : b) + (rest))

enum { ONE(RG__ENUM) TWO(RG__ENUM) OP_sinc, OP_deg2rad, OP_rad2deg };
#define OP(name) (&rg__ops_math[OP_##name])
#define C(value) RG__C(x, value)

ONE(RG__FLOAT_LOOPS1)
TWO(RG__FLOAT_LOOPS2)
ONE(RG__RECORD1)
TWO(RG__RECORD2)

/* ---- gradients ---- */

/* 1 - x^2, without cancellation near 1. */
static rg_tensor one_less_square(rg_tape *t, rg_tensor x)
{
    rg_tensor one = C(1);
    return rg_mul(t, rg_sub(t, one, x), rg_add(t, x, one));
}

static rg_tensor square_less_one(rg_tape *t, rg_tensor x)
{
    rg_tensor one = C(1);
    return rg_mul(t, rg_sub(t, x, one), rg_add(t, x, one));
}

static rg_tensor one_and_square(rg_tape *t, rg_tensor x)
{
    return rg_add(t, rg_square(t, x), C(1));
}

static rg_tensor squares(rg_tape *t, rg_tensor a, rg_tensor b)
{
    return rg_add(t, rg_square(t, a), rg_square(t, b));
}

/* 2^a / (2^a + 2^b) */
static rg_tensor share2(rg_tape *t, rg_tensor a, rg_tensor b)
{
    return rg_sigmoid(t, rg_mul(t, rg_sub(t, a, b), RG__C(a, M_LN2)));
}

ONE(RG__VJP1)
TWO(RG__VJP2)

/* ---- sinc, and its derivatives ---- */

struct sinc {
    int64_t order;
};
static const rg__field fields_sinc[] = {RG__FIELD(struct sinc, order, RG__INT), {0}};

/* The n-th derivative f_n of sin(z)/z. From z f_0 = sin z follows z f_n + n f_(n-1) = sin(z + n pi/2), which is stable
 * for z > n. Below, the power series: f_n is the sum of (-1)^k z^(2k-n) / ((2k+1) (2k-n)!) over 2k >= n. */
static double sinc_series(double z, int64_t n)
{
    const int64_t first = (n + 1) / 2;
    double power = n & 1 ? z : 1, sum = 0, before; /* z^(2k-n) / (2k-n)! with its sign */
    if (first & 1)
        power = -power;
    int64_t k = first;
    do {
        before = sum;
        sum += power / (double)(2 * k + 1);
        const double m = (double)(2 * k - n);
        power *= -z * z / ((m + 1) * (m + 2));
        k++;
    } while (sum != before || k < first + 2);
    return sum;
}

static double sinc_of(double x, int64_t n)
{
    const double z = M_PI * x;
    if (fabs(z) <= (double)(n > 1 ? n : 1))
        return sinc_series(z, n);
    const double s = sin(z), c = cos(z), turned[] = {s, c, -s, -c};
    double f = s / z;
    for (int64_t k = 1; k <= n; k++)
        f = (turned[k & 3] - (double)k * f) / z;
    return f;
}

RG__PLAIN_LOOP1(sinc_f32, float, float, sinc_of((double)x, order),
                const int64_t order = ((const struct sinc *)attr)->order)
RG__PLAIN_LOOP1(sinc_f64, double, double, sinc_of(x, order), const int64_t order = ((const struct sinc *)attr)->order)

static rg_tensor sinc_order(rg_tape *t, rg_tensor x, int64_t order)
{
    return rg__record_pointwise(t, OP(sinc), &x, 1, &(struct sinc){order});
}

static void vjp_sinc(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const rg_tensor x = v->in[0], slope = sinc_order(t, x, ((const struct sinc *)v->attr)->order + 1);
    v->grad[0] = rg_mul(t, v->g, rg_mul(t, slope, C(M_PI)));
}

rg_tensor rg_sinc(rg_tape *t, rg_tensor x)
{
    return sinc_order(t, x, 0);
}

/* ---- angles ---- */

rg_tensor rg_deg2rad(rg_tape *t, rg_tensor x)
{
    return rg__arg_of(t, OP(deg2rad), x, RG__FLOATS) ? rg_mul(t, x, C(M_PI / 180)) : RG_NIL;
}

rg_tensor rg_rad2deg(rg_tape *t, rg_tensor x)
{
    return rg__arg_of(t, OP(rad2deg), x, RG__FLOATS) ? rg_mul(t, x, C(180 / M_PI)) : RG_NIL;
}

/* ---- the table ---- */

RG__SAMPLE1(sinc, 3, WITHIN, k == 2 ? .3 : -.3, k ? 2 : .3, rg_sinc(t, x))
RG__SAMPLE1(deg2rad, 1, WITHIN, -90, 90, rg_deg2rad(t, x))
RG__SAMPLE1(rad2deg, 1, WITHIN, -2, 2, rg_rad2deg(t, x))
RG__CALL(sinc, rg_sinc(t, in[0]))
RG__CALL(deg2rad, rg_deg2rad(t, in[0]))
RG__CALL(rad2deg, rg_rad2deg(t, in[0]))

// clang-format off
RG__FAMILY(math,
    ONE(RG__FLOAT_ROW1)
    TWO(RG__FLOAT_ROW2)
    RG__ROW(sinc, 1, RG__DIFF, RG__NOKERNEL, "sin(pi x) / (pi x)", .loop = {[RG_F32] = sinc_f32, [RG_F64] = sinc_f64},
            RG__ATTR(sinc), RG__CALLED(sinc, "x: float"))
    RG__ROW(deg2rad, 1, RG__THROUGH, RG__COMPOSITE, "x pi / 180", RG__CALLED(deg2rad, "x: float"))
    RG__ROW(rad2deg, 1, RG__THROUGH, RG__COMPOSITE, "x 180 / pi", RG__CALLED(rad2deg, "x: float"))
)
// clang-format on
