/* Philox4x32-10 and what is drawn from it. Element i is a function of seed, stream and counter + i alone, so any part
 * of a range can be filled on its own, by any thread, in any order, and drawn again. */
#ifndef RG__CORE_RANDOM_H
#define RG__CORE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One block: four words of 32 random bits. The key is seed, the block number is stream * 2^64 + counter. */
void rg__philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]);

/* Each fills out[0 .. n-1] with the elements counter .. counter + n - 1. `high` is never reached, not by rounding
 * either; a range that is empty or not finite gives `low`. f32 has 24 random bits, f64 53. */
void rg__uniform_f32(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, float low, float high, float *out);
void rg__uniform_f64(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, double low, double high, double *out);

/* In (0, 1) with both ends excluded: odd multiples of 2^-53. */
void rg__uniform_open(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, double *out);

/* mean + std * z with z by Box and Muller: |z| < 6.7 in f32 and < 8.6 in f64. */
void rg__normal_f32(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, float mean, float std, float *out);
void rg__normal_f64(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, double mean, double std, double *out);

/* True where rg__uniform_f64 in [0, 1) gives less than p; never for a p that is not a number. */
void rg__bernoulli(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, double p, bool *out);

/* In [low, high); `low` where high <= low. All 128 bits of a block take part: no value is more likely than another by
 * more than a part in 2^64, whatever the range, and nothing is ever rejected. */
void rg__integers(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, int64_t low, int64_t high, int64_t *out);

/* A permutation of 0 .. n-1. A function of all its arguments: parts of it cannot be drawn alone. */
void rg__permutation(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, int64_t *out);

#endif
