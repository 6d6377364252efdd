/* Random numbers: the Philox block function, the distributions, and the public generator over them.
 *
 * A block of 128 bits gives as many elements as its bits allow: four f32, two f64, one integer. What is laid out
 * differently is drawn under different keys ("kinds" below), so that no two draws of one generator share bits even
 * where a block is used in part before the next call draws something else. */
#include "core/random.h"

#include <math.h>
#include <retrograd/random.h>
#include <string.h>

#define CHUNK 256 /* elements drawn at a time */

/* A kind's blocks hold 2^shift elements. Its tag changes the key: the fractional digits of pi. */
typedef struct kind {
    uint64_t tag;
    int shift;
} kind;

static const kind uniform_f32 = {0, 2};
static const kind uniform_f64 = {0x243F6A8885A308D3, 1};
static const kind normal_f32 = {0x13198A2E03707344, 2};
static const kind normal_f64 = {0xA4093822299F31D0, 1};
static const kind open_interval = {0x3F84D5B5B5470917, 1};
static const kind integers = {0x082EFA98EC4E6C89, 0};

/* ---- bits ---- */

/* Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 4.3. */
static inline void philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4])
{
    uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)c0 * 0xD2511F53, b = (uint64_t)c2 * 0xCD9E8D57;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)b;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

void rg__philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4])
{
    philox(seed, stream, counter, out);
}

/* A run of whole blocks that covers the elements of one chunk, wherever these begin and end. */
typedef struct run {
    size_t blocks;
    size_t skip; /* elements of the first block that come before the chunk */
    uint32_t words[4 * CHUNK];
} run;

static void draw(run *r, kind k, uint64_t seed, uint64_t stream, uint64_t counter, size_t count)
{
    const uint64_t last = UINT64_MAX >> k.shift; /* block number: the counter wraps, so the blocks do */
    const size_t lanes = (size_t)1 << k.shift;
    r->skip = (size_t)(counter & (lanes - 1));
    r->blocks = (r->skip + count + lanes - 1) >> k.shift;
    for (size_t b = 0; b < r->blocks; b++)
        philox(seed ^ k.tag, stream, ((counter >> k.shift) + b) & last, r->words + 4 * b);
}

static inline size_t chunk_of(size_t left)
{
    return left < CHUNK ? left : CHUNK;
}

/* 64 bits from element i of a run of two to the block. */
static inline uint64_t bits64(const run *r, size_t i)
{
    const uint32_t *w = r->words + 2 * (r->skip + i);
    return w[0] | (uint64_t)w[1] << 32;
}

/* ---- distributions ---- */

void rg__uniform_f32(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, float low, float high, float *out)
{
    const bool drawable = low < high && isfinite(low) && isfinite(high);
    const double width = drawable ? (double)high - low : 0; /* cannot overflow in double */
    const float last = drawable ? nextafterf(high, low) : low;
    run r;
    for (size_t done = 0, count; done < n; done += count) {
        count = chunk_of(n - done);
        draw(&r, uniform_f32, seed, stream, counter + done, count);
        const uint32_t *w = r.words + r.skip;
        for (size_t i = 0; i < count; i++) {
            const float value = (float)(low + width * ((w[i] >> 8) * 0x1p-24));
            out[done + i] = value < high ? value : last;
        }
    }
}

void rg__uniform_f64(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, double low, double high, double *out)
{
    const bool drawable = low < high && isfinite(low) && isfinite(high);
    const double scale = drawable && isinf(high - low) ? 2 : 1; /* where the width overflows, half of it does not */
    const double start = low / scale, width = drawable ? high / scale - start : 0;
    const double last = drawable ? nextafter(high, low) : low;
    run r;
    for (size_t done = 0, count; done < n; done += count) {
        count = chunk_of(n - done);
        draw(&r, uniform_f64, seed, stream, counter + done, count);
        for (size_t i = 0; i < count; i++) {
            const double value = (start + width * ((double)(bits64(&r, i) >> 11) * 0x1p-53)) * scale;
            out[done + i] = value < high ? value : last;
        }
    }
}

void rg__uniform_open(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, double *out)
{
    run r;
    for (size_t done = 0, count; done < n; done += count) {
        count = chunk_of(n - done);
        draw(&r, open_interval, seed, stream, counter + done, count);
        for (size_t i = 0; i < count; i++)
            out[done + i] = ((double)(bits64(&r, i) >> 12) + .5) * 0x1p-52;
    }
}

/* Box and Muller, "A note on the generation of random normal deviates", 1958: two words, two independent normals.
 * The radius takes its word from (0, 1], where the logarithm is finite. */
static inline void box_muller_f32(const uint32_t word[2], float out[2])
{
    const float radius = sqrtf(-2 * logf((float)((word[0] + 1.0) * 0x1p-32)));
    const float angle = (float)(word[1] * (0x1p-32 * 6.283185307179586477));
    out[0] = radius * cosf(angle);
    out[1] = radius * sinf(angle);
}

static inline void box_muller_f64(const uint32_t word[4], double out[2])
{
    const uint64_t a = word[0] | (uint64_t)word[1] << 32, b = word[2] | (uint64_t)word[3] << 32;
    const double radius = sqrt(-2 * log(((double)(a >> 11) + 1) * 0x1p-53));
    const double angle = (double)(b >> 11) * (0x1p-53 * 6.283185307179586477);
    out[0] = radius * cos(angle);
    out[1] = radius * sin(angle);
}

void rg__normal_f32(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, float mean, float std, float *out)
{
    run r;
    float z[CHUNK + 8];
    for (size_t done = 0, count; done < n; done += count) {
        count = chunk_of(n - done);
        draw(&r, normal_f32, seed, stream, counter + done, count);
        for (size_t pair = 0; pair < 2 * r.blocks; pair++)
            box_muller_f32(r.words + 2 * pair, z + 2 * pair);
        for (size_t i = 0; i < count; i++)
            out[done + i] = mean + std * z[r.skip + i];
    }
}

void rg__normal_f64(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, double mean, double std, double *out)
{
    run r;
    double z[CHUNK + 4];
    for (size_t done = 0, count; done < n; done += count) {
        count = chunk_of(n - done);
        draw(&r, normal_f64, seed, stream, counter + done, count);
        for (size_t b = 0; b < r.blocks; b++)
            box_muller_f64(r.words + 4 * b, z + 2 * b);
        for (size_t i = 0; i < count; i++)
            out[done + i] = mean + std * z[r.skip + i];
    }
}

void rg__bernoulli(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, double p, bool *out)
{
    run r;
    for (size_t done = 0, count; done < n; done += count) {
        count = chunk_of(n - done);
        draw(&r, uniform_f64, seed, stream, counter + done, count);
        for (size_t i = 0; i < count; i++)
            out[done + i] = (double)(bits64(&r, i) >> 11) * 0x1p-53 < p;
    }
}

/* The 128 bits of a * b: returns the upper half. */
static uint64_t multiply(uint64_t a, uint64_t b, uint64_t *low)
{
    const uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    const uint64_t m = a1 * b0 + (a0 * b0 >> 32);
    const uint64_t k = a0 * b1 + (uint32_t)m;
    *low = a * b;
    return a1 * b1 + (m >> 32) + (k >> 32);
}

/* floor(x * bound / 2^128) with x the 128 bits of a block: Lemire, "Fast random integer generation in an interval",
 * ACM TOMACS 2019, with so many more bits than the bound has that there is no need to reject. */
static uint64_t below(const uint32_t w[4], uint64_t bound)
{
    uint64_t upper_low, lower_low;
    const uint64_t upper = multiply(w[2] | (uint64_t)w[3] << 32, bound, &upper_low);
    const uint64_t lower = multiply(w[0] | (uint64_t)w[1] << 32, bound, &lower_low);
    return upper + (upper_low + lower < lower);
}

void rg__integers(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, int64_t low, int64_t high, int64_t *out)
{
    const uint64_t width = high > low ? (uint64_t)high - (uint64_t)low : 0;
    uint32_t w[4];
    for (size_t i = 0; i < n; i++) {
        philox(seed ^ integers.tag, stream, counter + i, w);
        out[i] = (int64_t)((uint64_t)low + below(w, width));
    }
}

void rg__permutation(uint64_t seed, uint64_t stream, uint64_t counter, size_t n, int64_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (int64_t)i;
    uint32_t w[4];
    for (size_t i = n; i > 1; i--) {
        philox(seed ^ integers.tag, stream, counter + i - 1, w);
        const size_t j = (size_t)below(w, i);
        const int64_t swapped = out[i - 1];
        out[i - 1] = out[j];
        out[j] = swapped;
    }
}

/* ---- the public generator: does nothing where it or its output is NULL ---- */

rg_rng rg_rng_new(uint64_t seed, uint64_t stream)
{
    return (rg_rng){.seed = seed, .stream = stream};
}

#define FILL(fill, ...)                                             \
    do {                                                            \
        if (!rng || !out)                                           \
            return;                                                 \
        fill(rng->seed, rng->stream, rng->counter, n, __VA_ARGS__); \
        rng->counter += n;                                          \
    } while (0)

void rg_rng_uniform_f32(rg_rng *rng, float *out, size_t n, float low, float high)
{
    FILL(rg__uniform_f32, low, high, out);
}

void rg_rng_uniform_f64(rg_rng *rng, double *out, size_t n, double low, double high)
{
    FILL(rg__uniform_f64, low, high, out);
}

void rg_rng_normal_f32(rg_rng *rng, float *out, size_t n, float mean, float std)
{
    FILL(rg__normal_f32, mean, std, out);
}

void rg_rng_normal_f64(rg_rng *rng, double *out, size_t n, double mean, double std)
{
    FILL(rg__normal_f64, mean, std, out);
}

void rg_rng_bernoulli(rg_rng *rng, bool *out, size_t n, double p)
{
    FILL(rg__bernoulli, p, out);
}

void rg_rng_integers(rg_rng *rng, int64_t *out, size_t n, int64_t low, int64_t high)
{
    FILL(rg__integers, low, high, out);
}

void rg_rng_permutation(rg_rng *rng, int64_t *out, size_t n)
{
    FILL(rg__permutation, out);
}
