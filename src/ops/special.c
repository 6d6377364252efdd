/* Special functions: gamma and its logarithmic derivatives, error functions and what is inverse to them, logarithms times
 * their argument. */
#include "ops/pointwise.h"

#include "core/gamma.h"

#include <float.h>
#include <math.h>

/* ---- values: in double, for f32, too ---- */

/* x^s zeta(s, x), for x > 0 and whole s > 1: the sum of (x / (x + k))^s, by Euler and Maclaurin once x + k is large against
 * s, or until nothing is added. */
static double scaled_zeta(double s, double x)
{
    /* B_2j / (2j)! */
    static const double c[] = {1. / 12,
                               -1. / 720,
                               1. / 30240,
                               -8.2671957671957671958e-7,
                               2.0876756987868098979e-8,
                               -5.2841901386874931848e-10,
                               1.3382536530684678833e-11,
                               -3.3896802963225828668e-13,
                               8.5860620562778445641e-15,
                               -2.174868698558061873e-16,
                               5.5090028283602295152e-18,
                               -1.3954464685812523341e-19};
    double sum = 0, term = 1, a = x;
    for (; a < s + 12; a++, term = pow(x / a, s)) {
        sum += term;
        if (term < 1e-18 * sum)
            return sum;
    }
    double derivative = s / a, rest = a / (s - 1) + .5;
    for (int j = 0; j < 12; j++) {
        rest += c[j] * derivative;
        derivative *= (s + 2 * j + 1) * (s + 2 * j + 2) / (a * a);
    }
    return sum + term * rest;
}

/* n! zeta(n + 1, x), the sum of n! / (x + k)^(n + 1). */
static double factorial_zeta(int64_t n, double x)
{
    const double s = (double)n + 1;
    if (x == 0)
        return INFINITY;
    if (isinf(x))
        return 0;
    const double scaled = scaled_zeta(s, x), power = pow(x, -s), factorial = n <= 170 ? tgamma(s) : INFINITY;
    if (isfinite(factorial) && power >= DBL_MIN && power <= DBL_MAX)
        return factorial * power * scaled;
    return exp(rg__log_gamma(s) - s * log(x)) * scaled;
}

/* (-1)^(n+1) n! zeta(n+1, x). Where x < 0, the terms are (f + k)^-s, and those below f: of each of them the power is that
 * of a positive number, with the sign (-1)^s. */
static double polygamma(int64_t n, double x)
{
    if (n == 0)
        return rg__digamma(x);
    const double sign = n & 1 ? 1 : -1;
    if (isnan(x))
        return x;
    if (x >= 0)
        return sign * factorial_zeta(n, x);
    const double part = -x - floor(-x);
    if (!(part > 0)) /* a pole */
        return isinf(x) ? NAN : sign * INFINITY;
    return sign * factorial_zeta(n, 1 - part) + factorial_zeta(n, part) - factorial_zeta(n, 1 - x);
}

/* M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics 37, 1988:
 * PPND16 of (1 + x) / 2, over the root of 2. */
static double erf_inverse(double x)
{
    static const double a[] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                               1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                               3.3430575583588128105e4, 2.5090809287301226727e3};
    static const double b[] = {1,
                               4.2313330701600911252e1,
                               6.8718700749205790830e2,
                               5.3941960214247511077e3,
                               2.1213794301586595867e4,
                               3.9307895800092710610e4,
                               2.8729085735721942674e4,
                               5.2264952788528545610e3};
    static const double c[] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                               3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                               2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double d[] = {1,
                               2.05319162663775882187e0,
                               1.67638483018380384940e0,
                               6.89767334985100004550e-1,
                               1.48103976427480074590e-1,
                               1.51986665636164571966e-2,
                               5.47593808499534494600e-4,
                               1.05075007164441684324e-9};
    static const double e[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                               2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                               2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[] = {1,
                               5.99832206555887937690e-1,
                               1.36929880922735805310e-1,
                               1.48753612908506148525e-2,
                               7.86869131145613259100e-4,
                               1.84631831751005468180e-5,
                               1.42151175831644588870e-7,
                               2.04426310338993978564e-15};
    const double q = x / 2;
    if (!(fabs(x) < 1))
        return fabs(x) == 1 ? copysign(INFINITY, x) : NAN;
    if (fabs(q) <= .425) {
        const double r = .180625 - q * q;
        return M_SQRT1_2 * q * rg__polynomial(a, 7, r) / rg__polynomial(b, 7, r);
    }
    const double r = sqrt(-log((1 - fabs(x)) / 2));
    const double z = r <= 5 ? rg__polynomial(c, 7, r - 1.6) / rg__polynomial(d, 7, r - 1.6)
                            : rg__polynomial(e, 7, r - 5) / rg__polynomial(f, 7, r - 5);
    return copysign(M_SQRT1_2 * z, x);
}

/* ---- the rows ---- */

#define WITHIN RG__INTERVAL
// clang-format off
#define ONE(ROW)                                                                                                       \
    /*  name      formula                      sampled on        value                   gradient                 */   \
    ROW(lgamma,   "ln |Gamma(x)|",             WITHIN, .5, 4,    rg__log_gamma((double)x),   rg_mul(t, g, rg_digamma(t, x)))       \
    ROW(digamma,  "d/dx ln Gamma(x)",          WITHIN, .5, 4,    rg__digamma((double)x),     rg_mul(t, g, rg_polygamma(t, 1, x)))  \
    ROW(erfc,     "1 - erf(x)",                WITHIN, -2, 2,    erfc((double)x),        rg_mul(t, g, rg_mul(t, C(-M_2_SQRTPI), rg_exp(t, rg_neg(t, rg_square(t, x)))))) \
    ROW(erfinv,   "y with erf(y) = x",         WITHIN, -.8, .8,  erf_inverse((double)x), rg_mul(t, g, rg_mul(t, C(1 / M_2_SQRTPI), rg_exp(t, rg_square(t, y)))))
// clang-format on

enum { ONE(RG__ENUM) OP_polygamma, OP_logit, OP_xlogy, OP_xlog1py };
#define OP(name) (&rg__ops_special[OP_##name])
#define C(value) RG__C(x, value)

ONE(RG__FLOAT_LOOPS1)
ONE(RG__RECORD1)
ONE(RG__VJP1)

/* ---- polygamma ---- */

struct polygamma {
    int64_t n;
};
static const rg__field fields_polygamma[] = {RG__FIELD(struct polygamma, n, RG__INT), {0}};

#define ORDER const int64_t order = ((const struct polygamma *)attr)->n
RG__PLAIN_LOOP1(polygamma_f32, float, float, polygamma(order, (double)x), ORDER)
RG__PLAIN_LOOP1(polygamma_f64, double, double, polygamma(order, x), ORDER)

rg_tensor rg_polygamma(rg_tape *t, int64_t n, rg_tensor x)
{
    if (!rg__arg_of(t, OP(polygamma), x, RG__FLOATS))
        return RG_NIL;
    if (n < 0 || n > INT32_MAX) {
        rg__fail(t, OP(polygamma), RG_ERROR_ARGUMENT, "n is %lld; 0 to %d are allowed", (long long)n, INT32_MAX);
        return RG_NIL;
    }
    return rg__record_pointwise(t, OP(polygamma), &x, 1, &(struct polygamma){n});
}

static void vjp_polygamma(const rg__vjp *v)
{
    const int64_t n = ((const struct polygamma *)v->attr)->n;
    v->grad[0] = rg_mul(v->t, v->g, rg_polygamma(v->t, n + 1, v->in[0]));
}

/* ---- composed ---- */

rg_tensor rg_logit(rg_tape *t, rg_tensor x, double eps)
{
    if (!rg__arg_of(t, OP(logit), x, RG__FLOATS))
        return RG_NIL;
    if (!(eps <= .5)) {
        rg__fail(t, OP(logit), RG_ERROR_ARGUMENT, "eps is %g; at most 0.5 is allowed, and less than 0 for none", eps);
        return RG_NIL;
    }
    if (eps >= 0)
        x = rg_clamp(t, x, eps, 1 - eps);
    return rg_sub(t, rg_log(t, x), rg_log1p(t, rg_neg(t, x)));
}

/* x times the logarithm of y, or of y + 1 where low is -1. Where x is 0 the product is 0 whatever the logarithm, that of
 * NaN excepted: it is taken of 1 where it is not finite. */
static rg_tensor times_log(rg_tape *t, rg_tensor x, rg_tensor y, double low)
{
    const rg_tensor infinite = rg_logical_or(t, rg_le(t, y, RG__C(y, low)), rg_eq(t, y, RG__C(y, INFINITY)));
    const rg_tensor flat = rg_logical_and(t, rg_eq(t, x, C(0)), infinite);
    const rg_tensor safe = rg_where(t, flat, RG__C(y, low + 1), y);
    return rg_mul(t, x, low == 0 ? rg_log(t, safe) : rg_log1p(t, safe));
}

/* Both of one float dtype? */
static bool are_floats(rg_tape *t, const rg__op *op, rg_tensor x, rg_tensor y)
{
    return rg__arg_of(t, op, x, RG__FLOATS) && rg__arg_of(t, op, y, RG__FLOATS);
}

rg_tensor rg_xlogy(rg_tape *t, rg_tensor x, rg_tensor y)
{
    return are_floats(t, OP(xlogy), x, y) ? times_log(t, x, y, 0) : RG_NIL;
}

rg_tensor rg_xlog1py(rg_tape *t, rg_tensor x, rg_tensor y)
{
    return are_floats(t, OP(xlog1py), x, y) ? times_log(t, x, y, -1) : RG_NIL;
}

/* ---- samples and calls ---- */

RG__SAMPLE1(polygamma, 3, WITHIN, .5, 3, rg_polygamma(t, k, x))
RG__SAMPLE1(logit, 2, WITHIN, .15, .85, rg_logit(t, x, k ? .01 : -1))

RG__SAMPLE2(xlogy, RG__REAL, ((rg__domain){WITHIN, .5, 2}), rg_xlogy(t, a, b))
RG__SAMPLE2(xlog1py, RG__REAL, ((rg__domain){WITHIN, -.5, 1}), rg_xlog1py(t, a, b))

RG__CALL(polygamma, rg_polygamma(t, RG__INT_OF(n), in[0]))
RG__CALL(logit, rg_logit(t, in[0], rg__call_given(c, "eps") ? RG__REAL_OF(eps) : -1))
RG__CALL(xlogy, rg_xlogy(t, in[0], in[1]))
RG__CALL(xlog1py, rg_xlog1py(t, in[0], in[1]))

// clang-format off
RG__FAMILY(special,
    ONE(RG__FLOAT_ROW1)
    RG__ROW(polygamma, 1, RG__DIFF, RG__NOKERNEL, "n-th derivative of digamma(x)", RG__ATTR(polygamma),
            .loop = {[RG_F32] = polygamma_f32, [RG_F64] = polygamma_f64}, RG__CALLED(polygamma, "x: float, n: int"))
    RG__ROW(logit, 1, RG__THROUGH, RG__COMPOSITE, "ln(x / (1 - x))", RG__CALLED(logit, "x: float, eps: real = none"))
    RG__ROW(xlogy, 2, RG__THROUGH, RG__COMPOSITE, "x ln y, 0 where x = 0", RG__CALLED(xlogy, "x: float, y: float"))
    RG__ROW(xlog1py, 2, RG__THROUGH, RG__COMPOSITE, "x ln(1 + y), 0 where x = 0",
            RG__CALLED(xlog1py, "x: float, y: float"))
)
// clang-format on
