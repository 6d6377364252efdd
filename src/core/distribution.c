/* Draws by rejection, and the derivative of gamma variates. See distribution.h. */
#include "core/distribution.h"

#include "core/gamma.h"
#include "core/random.h"

#include <math.h>

/* ---- bits ---- */

/* Changes the key, so that no block here is one of random.c: digits of pi that it does not use. */
#define TAG UINT64_C(0xBE5466CF34E90C6C)

rg__bits rg__bits_of(uint64_t seed, uint64_t element)
{
    return (rg__bits){.seed = seed ^ TAG, .element = element, .used = 4};
}

double rg__bits_uniform(rg__bits *b)
{
    if (b->used == 4) {
        rg__philox(b->seed, b->element, b->block++, b->word);
        b->used = 0;
    }
    const uint64_t bits = b->word[b->used] | (uint64_t)b->word[b->used + 1] << 32;
    b->used += 2;
    return ((double)(bits >> 12) + .5) * 0x1p-52;
}

double rg__bits_normal(rg__bits *b)
{
    const double radius = sqrt(-2 * log(rg__bits_uniform(b)));
    return radius * cos(6.283185307179586477 * rg__bits_uniform(b));
}

/* ---- gamma ---- */

/* Of shape a >= 1. */
static double log_gamma_from_one(rg__bits *b, double a)
{
    const double d = a - 1. / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        const double z = rg__bits_normal(b), root = 1 + c * z;
        if (!(root > 0))
            continue;
        const double v = root * root * root;
        if (log(rg__bits_uniform(b)) < .5 * z * z + d * (1 - v + log(v)))
            return log(d) + log(v);
    }
}

double rg__log_gamma_variate(rg__bits *b, double shape)
{
    if (!(shape > 0))
        return NAN;
    if (shape > 0x1p1000) /* all of it lies there */
        return log(shape);
    if (shape >= 1)
        return log_gamma_from_one(b, shape);
    const double more = log_gamma_from_one(b, shape + 1);
    return more + log(rg__bits_uniform(b)) / shape;
}

/* e^-y - 1 + y, without the loss of digits near 0. */
static double above_tangent(double y)
{
    if (fabs(y) > .5)
        return expm1(-y) + y;
    double term = y * y / 2, sum = term;
    for (int n = 3; n < 18; n++)
        sum += term *= -y / n;
    return sum;
}

/* With P the distribution function, x p(x) the density of log x:
 *     d log x / d a = -(dP / da) / (x p(x)).
 * Small x, by the series of P: t_n = x^n / (a (a+1) ... (a+n)). */
static double slope_by_series(double a, double log_x)
{
    const double x = exp(log_x);
    double term = 1 / a, harmonic = 0, sum = term, weighted = 0;
    for (int n = 1; n < 200; n++) {
        term *= x / (a + n);
        harmonic += 1 / (a + n);
        sum += term;
        weighted += term * harmonic;
        if (term * harmonic <= 1e-18 * weighted)
            break;
    }
    return weighted + sum * (rg__digamma(a + 1) - log_x);
}

/* Otherwise by an integral over the side of x on which no sign changes, with u = x e^(+-y) and psi = digamma(a):
 *     below: int_0^inf exp(-a y + x (1 - e^-y)) (psi - log x + y) dy
 *     above: int_0^inf exp( a y - x (e^y - 1))  (log x - psi + y) dy
 * in steps of a double exponential formula, y = L exp(s - e^-s) (Takahasi and Mori 1974), L the width of the peak. */
static double slope_by_integral(double a, double log_x)
{
    const double x = exp(log_x), away = rg__digamma(a) - log_x, side = away > 0 ? -1 : 1;
    const double width = 1 / (fabs(a - x) + sqrt(x));
    const double step = .0625;
    double sum = 0;
    for (int k = -72; k <= 72; k++) {
        const double s = k * step, decay = exp(-s), y = width * exp(s - decay);
        const double exponent = side * (a - x) * y - x * above_tangent(-side * y);
        sum += exp(exponent) * (fabs(away) + y) * y * (1 + decay);
    }
    return sum * step;
}

double rg__log_gamma_slope(double a, double log_x)
{
    if (!(a > 0) || isnan(log_x))
        return NAN;
    if (isinf(a) || isinf(log_x))
        return isinf(a) ? 0 : NAN;
    return log_x <= .4 ? slope_by_series(a, log_x) : slope_by_integral(a, log_x);
}

/* ---- Poisson ---- */

static double log_factorial(double k)
{
    return rg__log_gamma(k + 1);
}

static double poisson_by_products(rg__bits *b, double rate)
{
    const double end = exp(-rate);
    double product = rg__bits_uniform(b), k = 0;
    for (; product > end; k++)
        product *= rg__bits_uniform(b);
    return k;
}

double rg__poisson_variate(rg__bits *bits, double rate)
{
    if (rate < 10)
        return rate > 0 ? poisson_by_products(bits, rate) : 0;
    const double b = .931 + 2.53 * sqrt(rate), a = -.059 + .02483 * b;
    const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), inside = .9277 - 3.6224 / (b - 2);
    for (;;) {
        const double u = rg__bits_uniform(bits) - .5, v = rg__bits_uniform(bits), us = .5 - fabs(u);
        const double k = floor((2 * a / us + b) * u + rate + .43);
        if (us >= .07 && v <= inside)
            return k;
        if (k < 0 || (us < .013 && v > us))
            continue;
        if (log(v * inverse_alpha / (a / (us * us) + b)) <= k * log(rate) - rate - log_factorial(k))
            return k;
    }
}

/* ---- binomial: p at most 1/2 ---- */

/* Between two successes lie geometrically many failures. */
static double binomial_by_runs(rg__bits *b, double count, double p)
{
    const double log_failure = log1p(-p);
    double at = 0, successes = 0;
    for (;;) {
        at += ceil(log(rg__bits_uniform(b)) / log_failure);
        if (!(at <= count))
            return successes;
        successes++;
    }
}

static double binomial_by_rejection(rg__bits *bits, double n, double p)
{
    const double deviation = sqrt(n * p * (1 - p)), b = 1.15 + 2.53 * deviation, a = -.0873 + .0248 * b + .01 * p;
    const double centre = n * p + .5, inside = .92 - 4.2 / b, odds = log(p / (1 - p));
    const double alpha = (2.83 + 5.1 / b) * deviation, mode = floor((n + 1) * p);
    const double top = log_factorial(mode) + log_factorial(n - mode);
    for (;;) {
        const double u = rg__bits_uniform(bits) - .5, v = rg__bits_uniform(bits), us = .5 - fabs(u);
        const double k = floor((2 * a / us + b) * u + centre);
        if (k < 0 || k > n)
            continue;
        if (us >= .07 && v <= inside)
            return k;
        if (log(v * alpha / (a / (us * us) + b)) <= top - log_factorial(k) - log_factorial(n - k) + (k - mode) * odds)
            return k;
    }
}

double rg__binomial_variate(rg__bits *bits, double count, double p)
{
    if (count == 0 || p == 0)
        return 0;
    if (p > .5)
        return count - rg__binomial_variate(bits, count, 1 - p);
    return count * p < 10 ? binomial_by_runs(bits, count, p) : binomial_by_rejection(bits, count, p);
}
