/* Retrograd: counter-based random numbers on the host: Philox4x32-10 (Salmon et al., "Parallel random numbers: as
 * easy as 1, 2, 3", SC 2011). A draw is a function of seed, stream and counter alone. */
#ifndef RETROGRAD_RANDOM_H
#define RETROGRAD_RANDOM_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The whole state of a generator: copy it to repeat, set `counter` to go anywhere. Owned by the caller. */
typedef struct rg_rng {
    uint64_t seed;
    uint64_t stream;
    uint64_t counter; /* the next element to be drawn */
} rg_rng;

RG_API rg_rng rg_rng_new(uint64_t seed, uint64_t stream);

/* Fill n elements and advance the counter by n. Element i depends on counter + i only. A range that is empty or not
 * finite fills with its low end. */
RG_API void rg_rng_uniform_f32(rg_rng *rng, float *out, size_t n, float low, float high);    /* in [low, high) */
RG_API void rg_rng_uniform_f64(rg_rng *rng, double *out, size_t n, double low, double high); /* in [low, high) */
/* Box and Muller, 1958 */
RG_API void rg_rng_normal_f32(rg_rng *rng, float *out, size_t n, float mean, float std);
RG_API void rg_rng_normal_f64(rg_rng *rng, double *out, size_t n, double mean, double std);
/* true with probability p */
RG_API void rg_rng_bernoulli(rg_rng *rng, bool *out, size_t n, double p);
/* Integers in [low, high), by Lemire's multiplication, 128 random bits each: bias below 2^-64. high <= low fills with low. */
RG_API void rg_rng_integers(rg_rng *rng, int64_t *out, size_t n, int64_t low, int64_t high);
/* A permutation of 0 .. n-1 (Fisher and Yates); advances the counter by n. */
RG_API void rg_rng_permutation(rg_rng *rng, int64_t *out, size_t n);

#ifdef __cplusplus
}
#endif
#endif
