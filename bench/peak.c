/* The machine's measured peaks. All threads start together; the best of several attempts counts. */
#include "peak.h"
#include "measure.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined __x86_64__
#include <immintrin.h>
#endif

enum { ATTEMPTS = 7, CHAINS = 12, MAX_THREADS = 256 };

/* ---- multiply-adds ------------------------------------------------------------------------------------------------- */

static volatile float sink; /* or the compiler would drop the loops */

/* Twelve independent chains hide the latency; the factors keep the values normal. Returns the operations done. */
#define FMA_LOOP(name, options, vector, lanes, fill, multiply_add)      \
    __attribute__((target(options))) static double name(int64_t rounds) \
    {                                                                   \
        vector chain[CHAINS];                                           \
        const vector factor = fill(0.999f), summand = fill(0.001f);     \
        for (int i = 0; i < CHAINS; i++)                                \
            chain[i] = fill((float)i);                                  \
        for (int64_t r = 0; r < rounds; r++)                            \
            for (int i = 0; i < CHAINS; i++)                            \
                chain[i] = multiply_add(chain[i], factor, summand);     \
        for (int i = 0; i < CHAINS; i++)                                \
            sink = chain[i][0];                                         \
        return 2.0 * CHAINS * (lanes) * (double)rounds;                 \
    }

#if defined __x86_64__
FMA_LOOP(fma_256, "avx2,fma", __m256, 8, _mm256_set1_ps, _mm256_fmadd_ps)
FMA_LOOP(fma_512, "avx512f", __m512, 16, _mm512_set1_ps, _mm512_fmadd_ps)
#endif

/* For other processors: what the compiler makes of it. */
static double multiply_add_plain(int64_t rounds)
{
    float chain[8 * CHAINS];
    for (int i = 0; i < 8 * CHAINS; i++)
        chain[i] = (float)i;
    for (int64_t r = 0; r < rounds; r++)
        for (int i = 0; i < 8 * CHAINS; i++)
#ifdef __FP_FAST_FMAF
            chain[i] = __builtin_fmaf(chain[i], 0.999f, 0.001f);
#else
            chain[i] = chain[i] * 0.999f + 0.001f;
#endif
    for (int i = 0; i < 8 * CHAINS; i++)
        sink = chain[i];
    return 2.0 * 8 * CHAINS * (double)rounds;
}

static double multiply_adds(int64_t rounds)
{
#if defined __x86_64__
    if (__builtin_cpu_supports("avx512f"))
        return fma_512(rounds);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return fma_256(rounds);
#endif
    return multiply_add_plain(rounds);
}

/* ---- both, on all threads ------------------------------------------------------------------------------------------ */

typedef struct worker {
    pthread_barrier_t *start;
    bool copies;
    double rates[ATTEMPTS]; /* per second: operations or bytes */
} worker;

static double attempt_fma(worker *w)
{
    pthread_barrier_wait(w->start);
    const double began = seconds_now();
    const double done = multiply_adds(4000000);
    return done / (seconds_now() - began);
}

/* Large enough for the C library to write past the caches. */
static double attempt_copy(worker *w, char *to, const char *from, size_t bytes)
{
    pthread_barrier_wait(w->start);
    const double began = seconds_now();
    memcpy(to, from, bytes);
    return 2 * (double)bytes / (seconds_now() - began);
}

static void *work(void *opaque)
{
    const size_t bytes = (size_t)128 << 20;
    worker *w = opaque;
    char *from = w->copies ? aligned_zeros(bytes) : NULL, *to = w->copies ? aligned_zeros(bytes) : NULL;
    for (int i = 0; i < ATTEMPTS; i++)
        w->rates[i] = !w->copies ? attempt_fma(w) : from && to ? attempt_copy(w, to, from, bytes) : 0;
    free(from), free(to);
    return NULL;
}

static double peak(int threads, bool copies)
{
    static worker workers[MAX_THREADS];
    pthread_t ids[MAX_THREADS];
    pthread_barrier_t start;
    double best = 0;
    threads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
    pthread_barrier_init(&start, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        workers[i] = (worker){.start = &start, .copies = copies};
        if (pthread_create(&ids[i], NULL, work, &workers[i]) != 0)
            exit(1); /* the others would wait for ever */
    }
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    pthread_barrier_destroy(&start);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        double sum = 0;
        for (int i = 0; i < threads; i++)
            sum += workers[i].rates[attempt];
        best = sum > best ? sum : best;
    }
    return best;
}

double peak_gflops(int threads)
{
    return peak(threads, false) / 1e9;
}

double peak_copy_gbs(int threads)
{
    return peak(threads, true) / 1e9;
}
