/* Numbers of distributions that need as many random bits as it takes: each is drawn from a stream of its own, named by
 * seed and element, so that it depends on nothing else. In double precision. */
#ifndef RG__CORE_DISTRIBUTION_H
#define RG__CORE_DISTRIBUTION_H

#include <stdbool.h>
#include <stdint.h>

/* The stream of one element. */
typedef struct rg__bits {
    uint64_t seed, element, block;
    uint32_t word[4];
    int used; /* words of the present block */
} rg__bits;

rg__bits rg__bits_of(uint64_t seed, uint64_t element);
double rg__bits_uniform(rg__bits *bits); /* in (0, 1): odd multiples of 2^-53 */
double rg__bits_normal(rg__bits *bits);

/* The logarithm of a gamma variate of this shape and rate 1; NaN where the shape is not positive. Marsaglia and Tsang,
 * "A simple method for generating gamma variables", ACM TOMS 26 (2000). */
double rg__log_gamma_variate(rg__bits *bits, double shape);

/* d log x / d shape of a gamma variate x of rate 1 at a fixed quantile, given log x: the implicit reparameterisation of
 * Figurnov, Mohamed and Mnih (2018). */
double rg__log_gamma_slope(double shape, double log_x);

/* 0 <= rate, finite. Products of uniforms below 10, from there PTRS of Hoermann, "The transformed rejection method for
 * generating Poisson random variables" (1993). */
double rg__poisson_variate(rg__bits *bits, double rate);

/* count whole and 0 or more, p in [0, 1]. Runs of failures where few successes are expected, else BTRS of Hoermann, "The
 * generation of binomial random variates" (1993). */
double rg__binomial_variate(rg__bits *bits, double count, double p);

#endif
