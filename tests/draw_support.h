/* Distributions, and how far draws are from them. */
#ifndef RG__TESTS_DRAW_SUPPORT_H
#define RG__TESTS_DRAW_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 20000 }; /* draws of each */

/* ---- distances ---- */

typedef double (*distribution)(double x, const double *p);

static inline int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov's: sqrt(n) sup |F_n - F| is above 1.95 once in 1000 samples. */
static inline double distance_of(double *x, distribution cdf, const double *p)
{
    double distance = 0;
    qsort(x, N, sizeof *x, by_size);
    for (int i = 0; i < N; i++) {
        const double f = cdf(x[i], p);
        if (!(f >= 0 && f <= 1))
            fail_msg("draw %g has the probability %g", x[i], f);
        distance = fmax(distance, fmax(fabs(f - (double)i / N), fabs((double)(i + 1) / N - f)));
    }
    return sqrt(N) * distance;
}

static inline double normal_cdf(double x, const double *p)
{
    return .5 * erfc((p[0] - x) / (p[1] * sqrt(2)));
}

static inline double log_normal_cdf(double x, const double *p)
{
    return normal_cdf(log(x), p);
}

static inline double uniform_cdf(double x, const double *p)
{
    return (x - p[0]) / (p[1] - p[0]);
}

static inline double exponential_cdf(double x, const double *p)
{
    return -expm1(-p[0] * x);
}

static inline double laplace_cdf(double x, const double *p)
{
    const double z = (x - p[0]) / p[1];
    return z < 0 ? .5 * exp(z) : 1 - .5 * exp(-z);
}

static inline double gumbel_cdf(double x, const double *p)
{
    return exp(-exp((p[0] - x) / p[1]));
}

static inline double cauchy_cdf(double x, const double *p)
{
    return .5 + atan((x - p[0]) / p[1]) / M_PI;
}

/* Of concentration p[0] and rate p[1]: the series of the incomplete gamma function. */
static inline double gamma_cdf(double x, const double *p)
{
    const double a = p[0], z = p[1] * x;
    double term = 1 / a, sum = term;
    for (int n = 1; n < 5000 && term > 1e-17 * sum; n++)
        sum += term *= z / (a + n);
    const double value = sum * exp(a * log(z) - z - lgamma(a));
    return value > 1 && value < 1 + 1e-9 ? 1 : value;
}

static inline double chi2_cdf(double x, const double *p)
{
    return gamma_cdf(x, (const double[]){p[0] / 2, .5});
}

static inline double beta_2_3_cdf(double x, const double *p)
{
    (void)p;
    return x * x * (6 + x * (3 * x - 8));
}

static inline double arcsine_cdf(double x, const double *p)
{
    (void)p;
    return 2 / M_PI * asin(sqrt(x));
}

static inline double student_3_cdf(double x, const double *p)
{
    const double z = x / sqrt(3);
    (void)p;
    return .5 + (z / (1 + z * z) + atan(z)) / M_PI;
}

/* ---- discrete: chi-squared over values with an expectation of 8 and more; the rest is one class ---- */

/* Wilson and Hilferty's approximation of the quantile that is exceeded once in 1000. */
static inline double chi2_limit(int freedom)
{
    const double v = 2.0 / (9 * freedom), root = 1 - v + 3.09 * sqrt(v);
    return freedom * root * root * root;
}

static inline void assert_frequencies(const char *what, const double *x, int64_t n, distribution probability,
                                      const double *p, int64_t values)
{
    int64_t *count = calloc((size_t)values + 1, sizeof *count);
    double statistic = 0, rest = (double)n, rest_count = (double)n;
    int classes = 0;
    assert_non_null(count);
    for (int64_t i = 0; i < n; i++) {
        if (!(x[i] >= 0 && x[i] == floor(x[i]) && probability(x[i], p) > 0))
            fail_msg("%s: %g cannot be drawn", what, x[i]);
        count[x[i] < (double)values ? (int64_t)x[i] : values]++;
    }
    for (int64_t k = 0; k < values; k++) {
        const double expected = (double)n * probability((double)k, p), off = (double)count[k] - expected;
        if (expected < 8)
            continue;
        statistic += off * off / expected;
        rest -= expected;
        rest_count -= (double)count[k];
        classes++;
    }
    if (rest > 1)
        statistic += (rest_count - rest) * (rest_count - rest) / rest, classes++;
    free(count);
    if (!(statistic < chi2_limit(classes - 1)))
        fail_msg("%s: chi-squared %.4g of %d classes, above %.4g", what, statistic, classes, chi2_limit(classes - 1));
}

static inline double poisson(double k, const double *p)
{
    return exp(k * log(p[0]) - p[0] - lgamma(k + 1));
}

static inline double binomial(double k, const double *p)
{
    const double n = p[0];
    if (k > n)
        return 0;
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p[1]) + (n - k) * log1p(-p[1]));
}

static inline double listed(double k, const double *p)
{
    return p[(int)k];
}

#endif
