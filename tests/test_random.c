/* Random numbers: known answers, independence of how a range is cut, bounds, and statistics with fixed seeds. */
#include "core/random.h"

#include <float.h>
#include <math.h>
#include <retrograd/random.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N 200000 /* draws of a statistic */

/* ---- known answers ---- */

static void philox_gives_the_known_answers(void **state)
{
    (void)state;
    /* The philox4x32 lines of 10 rounds in Random123's kat_vectors. */
    static const struct {
        uint64_t seed, stream, counter;
        uint32_t out[4];
    } known[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        rg__philox(known[i].seed, known[i].stream, known[i].counter, out);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

/* Seed 42, stream 7, counter 1001 on: an odd start, in the middle of a block of four. The numbers come from a model of
 * the generator in Python integers, written from the paper and the comments of random.c. They hold every stream of
 * random numbers in place from version to version. */
static rg_rng somewhere(void)
{
    rg_rng rng = rg_rng_new(42, 7);
    rng.counter = 1001;
    return rng;
}

static void the_distributions_give_the_known_answers(void **state)
{
    (void)state;
    static const float u32[] = {5409756, 3085146, 255362, 391650, 4348990, 2209866};
    static const double u64[] = {0x853b65237faecp-53, 0x1d362fd5afccc3p-53, 0x120dcd34fa746fp-53,
                                 0x9b4aa037c8af3p-53, 0x19fa0c48a5185ep-53, 0xfa214b196d2f4p-53};
    static const double n32[] = {0.021597749531708406, -0.30845134084707165, 1.6694150746454017,
                                 -1.3658972257126805,  -1.4480287998201562,  0.5046254453386488};
    static const double n64[] = {-0.13679360315888314, 1.4094832064415224,  0.03550088881420207,
                                 -0.05443710207491123, -0.3478655430922412, 0.16293794529373226};
    static const int64_t ten[] = {2, -5, -2, 0, -5, -2};
    static const int64_t all[] = {4405184387179601274, -8651880246608134261, -2276913351075511643};
    static const int64_t order[] = {3, 4, 5, 7, 8, 1, 2, 9, 0, 6};
    static const bool coin[] = {true, false, false, false, false, false, true, true, false, false};
    float f[6];
    double d[6];
    int64_t k[10];
    bool b[10];

    rg_rng rng = somewhere();
    rg_rng_uniform_f32(&rng, f, 6, 0, 0x1p24F);
    assert_memory_equal(f, u32, sizeof u32);
    rng = somewhere();
    rg_rng_uniform_f64(&rng, d, 6, 0, 1);
    assert_memory_equal(d, u64, sizeof u64);
    rng = somewhere();
    rg_rng_normal_f32(&rng, f, 6, 0, 1);
    for (int i = 0; i < 6; i++)
        assert_true(fabs(f[i] - n32[i]) < 1e-6);
    rng = somewhere();
    rg_rng_normal_f64(&rng, d, 6, 0, 1);
    for (int i = 0; i < 6; i++)
        assert_true(fabs(d[i] - n64[i]) < 1e-14);
    rng = somewhere();
    rg_rng_integers(&rng, k, 6, -5, 5);
    assert_memory_equal(k, ten, sizeof ten);
    rng = somewhere();
    rg_rng_integers(&rng, k, 3, INT64_MIN, INT64_MAX);
    assert_memory_equal(k, all, sizeof all);
    rng = somewhere();
    rg_rng_permutation(&rng, k, 10);
    assert_memory_equal(k, order, sizeof order);
    rng = somewhere();
    rg_rng_bernoulli(&rng, b, 10, 0.3);
    assert_memory_equal(b, coin, sizeof coin);
}

static void a_new_generator_starts_at_counter_0_and_every_call_advances_it_by_n(void **state)
{
    (void)state;
    rg_rng rng = rg_rng_new(3, 4);
    assert_true(rng.seed == 3 && rng.stream == 4 && rng.counter == 0);
    float f[5];
    double d[5];
    int64_t k[5];
    bool b[5];
    rg_rng_uniform_f32(&rng, f, 5, 0, 1);
    rg_rng_uniform_f64(&rng, d, 4, 0, 1);
    rg_rng_normal_f32(&rng, f, 3, 0, 1);
    rg_rng_normal_f64(&rng, d, 2, 0, 1);
    rg_rng_bernoulli(&rng, b, 1, 0.5);
    rg_rng_integers(&rng, k, 5, 0, 9);
    rg_rng_permutation(&rng, k, 5);
    rg_rng_uniform_f32(&rng, f, 0, 0, 1);
    assert_int_equal(rng.counter, 5 + 4 + 3 + 2 + 1 + 5 + 5);
    const rg_rng before = rng;
    rg_rng_uniform_f32(&rng, NULL, 5, 0, 1);
    rg_rng_permutation(NULL, k, 5);
    assert_memory_equal(&rng, &before, sizeof rng);
}

/* ---- a range can be cut anywhere ---- */

typedef void fill(uint64_t counter, size_t n, void *out);

static void fill_uniform_f32(uint64_t counter, size_t n, void *out)
{
    rg__uniform_f32(1, 2, counter, n, -3, 5, out);
}

static void fill_uniform_f64(uint64_t counter, size_t n, void *out)
{
    rg__uniform_f64(1, 2, counter, n, -3, 5, out);
}

static void fill_normal_f32(uint64_t counter, size_t n, void *out)
{
    rg__normal_f32(1, 2, counter, n, 1, 2, out);
}

static void fill_normal_f64(uint64_t counter, size_t n, void *out)
{
    rg__normal_f64(1, 2, counter, n, 1, 2, out);
}

static void fill_bernoulli(uint64_t counter, size_t n, void *out)
{
    rg__bernoulli(1, 2, counter, n, 0.5, out);
}

static void fill_integers(uint64_t counter, size_t n, void *out)
{
    rg__integers(1, 2, counter, n, -100, 1000, out);
}

static const struct {
    fill *call;
    size_t size;
} fills[] = {
    {fill_uniform_f32, sizeof(float)}, {fill_uniform_f64, sizeof(double)}, {fill_normal_f32, sizeof(float)},
    {fill_normal_f64, sizeof(double)}, {fill_bernoulli, sizeof(bool)},     {fill_integers, sizeof(int64_t)},
};

static void an_element_depends_on_its_counter_alone(void **state)
{
    (void)state;
    enum { LENGTH = 1500 };
    static unsigned char whole[LENGTH * 8], pieces[LENGTH * 8];
    static const size_t steps[] = {1, 2, 3, 5, 7, 255, 256, 257, 511};
    /* The last start makes the counter wrap within the range. */
    static const uint64_t starts[] = {0, 1, 2, 3, 0xFFFFFFFF - 700, UINT64_MAX - 700};
    for (size_t f = 0; f < sizeof fills / sizeof *fills; f++)
        for (size_t s = 0; s < sizeof starts / sizeof *starts; s++) {
            memset(whole, 0xA5, sizeof whole);
            fills[f].call(starts[s], LENGTH, whole);
            for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
                memset(pieces, 0xA5, sizeof pieces);
                for (size_t i = 0; i < LENGTH; i += steps[k])
                    fills[f].call(starts[s] + i, LENGTH - i < steps[k] ? LENGTH - i : steps[k],
                                  pieces + i * fills[f].size);
                assert_memory_equal(whole, pieces, sizeof whole); /* nor is anything written past the end */
            }
        }
}

/* ---- bounds ---- */

static void uniform_never_reaches_high_even_by_rounding(void **state)
{
    (void)state;
    static float f[20000];
    static double d[20000];
    const size_t n = sizeof f / sizeof *f;
    static const float narrow[][2] = {
        {0, 1},         {1, 1.0000001F}, {16777216, 16777218}, {-1, 0},           {-16777218, -16777216},
        {0, 0x1p-149F}, {-1, 1},         {-FLT_MAX, FLT_MAX},  {-1e-40F, 1e-40F},
    };
    for (size_t k = 0; k < sizeof narrow / sizeof *narrow; k++) {
        const float low = narrow[k][0], high = narrow[k][1];
        rg__uniform_f32(k, 0, 0, n, low, high, f);
        for (size_t i = 0; i < n; i++)
            assert_true(f[i] >= low && f[i] < high);
    }
    static const double wide[][2] = {
        {0, 1}, {1, 1 + DBL_EPSILON}, {0x1p53, 0x1p53 + 2}, {-DBL_MAX, DBL_MAX}, {-1, 0}, {0, 0x1p-1074},
    };
    for (size_t k = 0; k < sizeof wide / sizeof *wide; k++) {
        const double low = wide[k][0], high = wide[k][1];
        rg__uniform_f64(k, 0, 0, n, low, high, d);
        for (size_t i = 0; i < n; i++)
            assert_true(d[i] >= low && d[i] < high);
    }
    /* The widest range is used, not collapsed: a quarter of the draws lies beyond half of it on either side. */
    size_t far = 0;
    rg__uniform_f64(0, 0, 0, n, -DBL_MAX, DBL_MAX, d);
    for (size_t i = 0; i < n; i++)
        far += fabs(d[i]) > DBL_MAX / 2;
    assert_true(far > n * 48 / 100 && far < n * 52 / 100);
}

static void an_empty_or_infinite_range_gives_low(void **state)
{
    (void)state;
    float f[3];
    double d[3];
    int64_t k[3];
    rg__uniform_f32(1, 0, 0, 3, 2, 2, f);
    assert_true(f[0] == 2 && f[1] == 2 && f[2] == 2);
    rg__uniform_f32(1, 0, 0, 3, 2, -7, f);
    assert_true(f[0] == 2 && f[1] == 2 && f[2] == 2);
    rg__uniform_f32(1, 0, 0, 3, 2, INFINITY, f);
    assert_true(f[0] == 2 && f[1] == 2 && f[2] == 2);
    rg__uniform_f64(1, 0, 0, 3, 2, 1, d);
    assert_true(d[0] == 2 && d[1] == 2 && d[2] == 2);
    rg__uniform_f64(1, 0, 0, 3, 0x1p-1074, INFINITY, d);
    assert_true(d[0] == 0x1p-1074 && d[1] == 0x1p-1074 && d[2] == 0x1p-1074);
    rg__uniform_f64(1, 0, 0, 3, NAN, 1, d);
    assert_true(isnan(d[0]) && isnan(d[1]) && isnan(d[2]));
    rg__integers(1, 0, 0, 3, 5, 5, k);
    assert_true(k[0] == 5 && k[1] == 5 && k[2] == 5);
    rg__integers(1, 0, 0, 3, INT64_MAX, INT64_MIN, k);
    assert_true(k[0] == INT64_MAX && k[1] == INT64_MAX && k[2] == INT64_MAX);
}

static void bernoulli_is_exact_at_its_ends(void **state)
{
    (void)state;
    static bool b[20000];
    const size_t n = sizeof b;
    static const double never[] = {0, -1, -INFINITY, NAN}, always[] = {1, 2, INFINITY};
    for (size_t k = 0; k < sizeof never / sizeof *never; k++) {
        rg__bernoulli(9, 0, 0, n, never[k], b);
        for (size_t i = 0; i < n; i++)
            assert_false(b[i]);
    }
    for (size_t k = 0; k < sizeof always / sizeof *always; k++) {
        rg__bernoulli(9, 0, 0, n, always[k], b);
        for (size_t i = 0; i < n; i++)
            assert_true(b[i]);
    }
}

/* ---- statistics: seeds are fixed, so these hold or do not; the limits are five standard deviations ---- */

static double sum_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

/* Is the mean of n draws where it should be, given the variance of one? */
static bool mean_is(const double *x, size_t n, double mean, double variance)
{
    return fabs(sum_of(x, n) / (double)n - mean) < 5 * sqrt(variance / (double)n);
}

/* Pearson's statistic of counts against equal shares: mean cells - 1, variance 2 (cells - 1). Too even is as suspect as
 * too uneven. */
static bool evenly_spread(const size_t *counts, size_t cells)
{
    double total = 0, statistic = 0;
    for (size_t i = 0; i < cells; i++)
        total += (double)counts[i];
    const double expected = total / (double)cells, freedom = (double)cells - 1;
    for (size_t i = 0; i < cells; i++)
        statistic += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
    return fabs(statistic - freedom) < 5 * sqrt(2 * freedom);
}

static void the_statistics_reject_what_is_not_random(void **state)
{
    (void)state;
    static double x[N];
    static size_t even[100], biased[100];
    for (size_t i = 0; i < N; i++) {
        x[i] = (double)i / N + 0.005;
        even[i % 100]++;
        biased[i % 103 % 100]++;
    }
    assert_false(mean_is(x, N, 0.5, 1.0 / 12));
    assert_false(evenly_spread(even, 100));
    assert_false(evenly_spread(biased, 100));
}

static void as_double(const float *f, double *x)
{
    for (size_t i = 0; i < N; i++)
        x[i] = f[i];
}

static void check_uniform(double *x)
{
    static size_t cells[256], pairs[256];
    memset(cells, 0, sizeof cells);
    memset(pairs, 0, sizeof pairs);
    for (size_t i = 0; i < N; i++)
        cells[(size_t)(x[i] * 256)]++;
    for (size_t i = 0; i + 1 < N; i += 2)
        pairs[(size_t)(x[i] * 16) * 16 + (size_t)(x[i + 1] * 16)]++;
    assert_true(evenly_spread(cells, 256));
    assert_true(evenly_spread(pairs, 256));
    assert_true(mean_is(x, N, 0.5, 1.0 / 12));
    for (size_t i = 0; i < N; i++)
        x[i] = (x[i] - 0.5) * (x[i] - 0.5);
    assert_true(mean_is(x, N, 1.0 / 12, 1.0 / 180));
}

static void uniform_is_uniform(void **state)
{
    (void)state;
    static float f[N];
    static double x[N];
    for (uint64_t seed = 0; seed < 3; seed++) {
        rg__uniform_f32(seed, 0, 0, N, 0, 1, f);
        as_double(f, x);
        check_uniform(x);
        rg__uniform_f64(seed, 0, 0, N, 0, 1, x);
        check_uniform(x);
    }
}

/* The last of the 24 or 53 bits is as random as the first. */
static void uniform_uses_all_bits_of_its_type(void **state)
{
    (void)state;
    static float f[N];
    static double d[N];
    size_t ones32[24] = {0}, ones64[53] = {0};
    rg__uniform_f32(5, 0, 0, N, 0, 1, f);
    rg__uniform_f64(5, 0, 0, N, 0, 1, d);
    for (size_t i = 0; i < N; i++) {
        const uint32_t a = (uint32_t)(f[i] * 0x1p24F);
        const uint64_t b = (uint64_t)(d[i] * 0x1p53);
        for (int bit = 0; bit < 24; bit++)
            ones32[bit] += a >> bit & 1;
        for (int bit = 0; bit < 53; bit++)
            ones64[bit] += b >> bit & 1;
    }
    for (int bit = 0; bit < 24; bit++)
        assert_true(fabs((double)ones32[bit] - N / 2.0) < 5 * sqrt(N / 4.0));
    for (int bit = 0; bit < 53; bit++)
        assert_true(fabs((double)ones64[bit] - N / 2.0) < 5 * sqrt(N / 4.0));
}

/* Through the normal distribution function, normals must be uniform; the fourth moment and the tail hold what cells of
 * equal probability see little of. */
static void check_normal(double *x)
{
    static double y[N];
    static size_t cells[200];
    memset(cells, 0, sizeof cells);
    size_t tail = 0;
    for (size_t i = 0; i < N; i++) {
        cells[(size_t)(0.5 * erfc(-x[i] / sqrt(2)) * 200)]++;
        tail += fabs(x[i]) > 3;
    }
    assert_true(evenly_spread(cells, 200));
    assert_true(fabs((double)tail - N * 0.0026998) < 5 * sqrt(N * 0.0026998));
    assert_true(mean_is(x, N, 0, 1));
    for (size_t i = 0; i < N; i++)
        y[i] = x[i] * x[i];
    assert_true(mean_is(y, N, 1, 2));
    for (size_t i = 0; i < N; i++)
        y[i] *= y[i];
    assert_true(mean_is(y, N, 3, 96));
    /* The two of a pair are uncorrelated, and so are their squares. */
    for (size_t i = 0; i < N; i++)
        y[i] = x[i] * x[i ^ 1];
    assert_true(mean_is(y, N, 0, 2));
    for (size_t i = 0; i < N; i++)
        y[i] = (x[i] * x[i] - 1) * (x[i ^ 1] * x[i ^ 1] - 1);
    assert_true(mean_is(y, N, 0, 8));
}

static void normal_is_normal(void **state)
{
    (void)state;
    static float f[N];
    static double x[N];
    for (uint64_t seed = 0; seed < 3; seed++) {
        rg__normal_f32(seed, 0, 0, N, 0, 1, f);
        as_double(f, x);
        check_normal(x);
        rg__normal_f64(seed, 0, 0, N, 0, 1, x);
        check_normal(x);
    }
}

static void normal_takes_mean_and_deviation(void **state)
{
    (void)state;
    float f[64], standard32[64];
    double d[64], standard64[64];
    rg__normal_f32(1, 0, 0, 64, 0, 1, standard32);
    rg__normal_f32(1, 0, 0, 64, 10, 0.5F, f);
    rg__normal_f64(1, 0, 0, 64, 0, 1, standard64);
    rg__normal_f64(1, 0, 0, 64, 10, 0.5, d);
    for (int i = 0; i < 64; i++) {
        assert_true(fabsf(f[i] - (10 + 0.5F * standard32[i])) < 2e-6F);
        assert_true(fabs(d[i] - (10 + 0.5 * standard64[i])) < 4e-15);
    }
    rg__normal_f32(1, 0, 0, 64, 3, 0, f);
    for (int i = 0; i < 64; i++)
        assert_true(f[i] == 3);
}

static void bernoulli_has_its_probability(void **state)
{
    (void)state;
    static bool b[N];
    static const double ps[] = {1e-3, 0.1, 0.5, 0.9};
    for (size_t k = 0; k < sizeof ps / sizeof *ps; k++) {
        size_t count = 0;
        rg__bernoulli(k, 0, 0, N, ps[k], b);
        for (size_t i = 0; i < N; i++)
            count += b[i];
        assert_true(fabs((double)count - N * ps[k]) < 5 * sqrt(N * ps[k] * (1 - ps[k])));
    }
}

static void integers_are_even_over_any_range(void **state)
{
    (void)state;
    static int64_t k[N];
    static size_t cells[100];
    rg__integers(1, 0, 0, N, -30, 70, k);
    for (size_t i = 0; i < N; i++) {
        assert_true(k[i] >= -30 && k[i] < 70);
        cells[k[i] + 30]++;
    }
    assert_true(evenly_spread(cells, 100));

    /* 3 * 2^62 values: modulo or a plain 64-bit product of a word would make a third of them twice as likely. */
    static size_t thirds[96];
    memset(thirds, 0, sizeof thirds);
    const int64_t low = INT64_MIN, high = INT64_MAX / 2 + 1;
    rg__integers(2, 0, 0, N, low, high, k);
    for (size_t i = 0; i < N; i++) {
        assert_true(k[i] >= low && k[i] < high);
        thirds[((uint64_t)k[i] - (uint64_t)low) >> 57]++;
    }
    assert_true(evenly_spread(thirds, 96));
    size_t odd = 0;
    for (size_t i = 0; i < N; i++)
        odd += k[i] & 1;
    assert_true(fabs((double)odd - N / 2.0) < 5 * sqrt(N / 4.0));

    /* The last value of a range is reached, the one after it is not. */
    bool seen[3] = {false};
    rg__integers(3, 0, 0, 100, 7, 10, k);
    for (size_t i = 0; i < 100; i++) {
        assert_true(k[i] >= 7 && k[i] < 10);
        seen[k[i] - 7] = true;
    }
    assert_true(seen[0] && seen[1] && seen[2]);
}

static void permutations_are_permutations_and_equally_likely(void **state)
{
    (void)state;
    enum { LONG = 10007 };
    static int64_t order[LONG];
    static bool seen[LONG];
    rg_rng rng = rg_rng_new(1, 0);
    rg_rng_permutation(&rng, order, LONG);
    size_t fixed = 0;
    for (size_t i = 0; i < LONG; i++) {
        assert_true(order[i] >= 0 && order[i] < LONG && !seen[order[i]]);
        seen[order[i]] = true;
        fixed += order[i] == (int64_t)i;
    }
    assert_true(fixed < 10); /* on average one element stays where it was */

    static size_t counts[625];
    size_t cells[120];
    memset(counts, 0, sizeof counts);
    for (size_t k = 0; k < N / 4; k++) {
        int64_t p[5];
        rg_rng_permutation(&rng, p, 5);
        counts[p[0] + 5 * (p[1] + 5 * (p[2] + 5 * p[3]))]++;
    }
    size_t used = 0;
    for (size_t i = 0; i < 625; i++)
        if (counts[i] > 0) {
            assert_true(used < 120);
            cells[used++] = counts[i];
        }
    assert_int_equal(used, 120);
    assert_true(evenly_spread(cells, 120));

    int64_t one = -1;
    rg_rng_permutation(&rng, &one, 1);
    assert_int_equal(one, 0);
    rg_rng_permutation(&rng, &one, 0);
    assert_int_equal(one, 0);
}

static bool uncorrelated(const double *x, const double *y)
{
    static double product[N];
    for (size_t i = 0; i < N; i++)
        product[i] = (x[i] - 0.5) * (y[i] - 0.5);
    return mean_is(product, N, 0, 1.0 / 144);
}

static void seeds_streams_counters_and_kinds_are_independent(void **state)
{
    (void)state;
    static double x[N + 1], y[N];
    static float f[N];
    rg__uniform_f64(1, 1, 0, N + 1, 0, 1, x);
    rg__uniform_f64(2, 1, 0, N, 0, 1, y);
    assert_true(uncorrelated(x, y));
    rg__uniform_f64(1, 2, 0, N, 0, 1, y);
    assert_true(uncorrelated(x, y));
    rg__uniform_f64(1 | (uint64_t)1 << 63, 1, 0, N, 0, 1, y);
    assert_true(uncorrelated(x, y));
    rg__uniform_f64(1, 1 | (uint64_t)1 << 63, 0, N, 0, 1, y);
    assert_true(uncorrelated(x, y));
    rg__uniform_f64(1, 1, (uint64_t)1 << 32, N, 0, 1, y);
    assert_true(uncorrelated(x, y));
    assert_true(uncorrelated(x, x + 1));
    assert_false(uncorrelated(x, x));
    rg__uniform_f32(1, 1, 0, N, 0, 1, f);
    as_double(f, y);
    assert_true(uncorrelated(x, y));
}

/* A block that one call used in part must not be used again, laid out differently, by the next: one normal, then one
 * uniform, from the same generator. */
static void draws_of_different_kinds_share_no_bits(void **state)
{
    (void)state;
    static double normals[N], uniforms[N], product[N];
    rg_rng rng = rg_rng_new(11, 0);
    for (size_t i = 0; i < N; i++) {
        rg_rng_normal_f64(&rng, &normals[i], 1, 0, 1);
        rg_rng_uniform_f64(&rng, &uniforms[i], 1, 0, 1);
    }
    for (int k = 1; k <= 2; k++) {
        for (size_t i = 0; i < N; i++)
            product[i] = normals[i] * cos(6.283185307179586 * k * uniforms[i]);
        assert_true(mean_is(product, N, 0, 0.5));
        for (size_t i = 0; i < N; i++)
            product[i] = (normals[i] * normals[i] - 1) * cos(6.283185307179586 * k * uniforms[i]);
        assert_true(mean_is(product, N, 0, 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_known_answers),
        cmocka_unit_test(the_distributions_give_the_known_answers),
        cmocka_unit_test(a_new_generator_starts_at_counter_0_and_every_call_advances_it_by_n),
        cmocka_unit_test(an_element_depends_on_its_counter_alone),
        cmocka_unit_test(uniform_never_reaches_high_even_by_rounding),
        cmocka_unit_test(an_empty_or_infinite_range_gives_low),
        cmocka_unit_test(bernoulli_is_exact_at_its_ends),
        cmocka_unit_test(the_statistics_reject_what_is_not_random),
        cmocka_unit_test(uniform_is_uniform),
        cmocka_unit_test(uniform_uses_all_bits_of_its_type),
        cmocka_unit_test(normal_is_normal),
        cmocka_unit_test(normal_takes_mean_and_deviation),
        cmocka_unit_test(bernoulli_has_its_probability),
        cmocka_unit_test(integers_are_even_over_any_range),
        cmocka_unit_test(permutations_are_permutations_and_equally_likely),
        cmocka_unit_test(seeds_streams_counters_and_kinds_are_independent),
        cmocka_unit_test(draws_of_different_kinds_share_no_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
