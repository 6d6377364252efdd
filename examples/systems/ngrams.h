/* A text and its 3-gram model: what a language model is measured against. */
#ifndef SYSTEMS_NGRAMS_H
#define SYSTEMS_NGRAMS_H

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BYTES = 256 };

/* Says on one line of stderr what went wrong. Returns false, for `return complain(...)`. */
__attribute__((format(printf, 1, 2))) static inline bool complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fputs("gpt: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return false;
}

/* ---- the text ---------------------------------------------------------------------------------------------------- */

typedef struct text {
    unsigned char *bytes;
    int64_t count, training; /* all of them, and how many of these are learnt from */
} text;

static inline bool append_file(text *x, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return complain("%s: %s", path, strerror(errno));
    for (size_t got = 1; got > 0;) {
        enum { PART = 1 << 16 };
        unsigned char *larger = realloc(x->bytes, (size_t)x->count + PART);
        if (!larger) {
            fclose(file);
            return complain("%s: out of memory", path);
        }
        x->bytes = larger;
        got = fread(x->bytes + x->count, 1, PART, file);
        x->count += (int64_t)got;
    }
    const bool good = !ferror(file);
    fclose(file);
    return good || complain("%s: %s", path, strerror(errno));
}

static inline int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The files of a folder in the order of their names, but for links: these would repeat some. */
static inline bool append_folder(text *x, const char *folder)
{
    struct dirent **entries;
    bool good = true;
    const int count = scandir(folder, &entries, is_visible, alphasort);
    if (count < 0)
        return complain("%s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        char path[4096];
        struct stat status;
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (good && lstat(path, &status) == 0 && S_ISREG(status.st_mode))
            good = append_file(x, path);
        free(entries[i]);
    }
    free(entries);
    return good;
}

static inline bool text_read(text *x, const char *path, int64_t context)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return complain("%s: %s", path, strerror(errno));
    if (!(S_ISDIR(status.st_mode) ? append_folder(x, path) : append_file(x, path)))
        return false;
    x->training = x->count - x->count / 10;
    return x->count / 10 > context ||
           complain("%s: found %" PRId64 " bytes, expected more than 10 times the context of %" PRId64, path, x->count,
                    context);
}

/* ---- the 3-gram model --------------------------------------------------------------------------------------------
 * p3(c | a b) = w ml(c | a b) + (1 - w) p2(c | b), and so on down to the uniform distribution, where ml is the share of c
 * among what followed in the training part. The weight w depends on how often the bytes before c were seen, by powers of 2,
 * and is what makes the last tenth of the training part likeliest when the rest is counted (Jelinek and Mercer, 1980). */

enum { ORDERS = 3, BUCKETS = 24 };

typedef struct ngrams {
    uint32_t *counts[ORDERS]; /* of c, b c, a b c: the last byte is the last digit to base 256 */
    uint32_t *totals[ORDERS]; /* of what comes before it                                       */
    double weights[ORDERS][BUCKETS];
} ngrams;

static inline size_t history(const unsigned char *at, int order)
{
    return order == 0 ? 0 : order == 1 ? at[-1] : (size_t)at[-2] * BYTES + at[-1];
}

static inline bool ngrams_count(ngrams *g, const unsigned char *bytes, int64_t count)
{
    size_t histories = 1;
    for (int n = 0; n < ORDERS; n++, histories *= BYTES) {
        free(g->counts[n]);
        free(g->totals[n]);
        g->counts[n] = calloc(histories * BYTES, sizeof *g->counts[n]);
        g->totals[n] = calloc(histories, sizeof *g->totals[n]);
        if (!g->counts[n] || !g->totals[n])
            return complain("out of memory");
        for (int64_t i = n; i < count; i++) {
            const size_t h = history(bytes + i, n);
            g->counts[n][h * BYTES + bytes[i]]++;
            g->totals[n][h]++;
        }
    }
    return true;
}

/* The share of the byte at `at` among what followed the `order` bytes before it, and the bucket of these. */
static inline double likelihood(const ngrams *g, const unsigned char *at, int order, int *bucket)
{
    const size_t h = history(at, order);
    const uint32_t total = g->totals[order][h];
    *bucket = 0;
    for (uint32_t left = total; left > 0 && *bucket < BUCKETS - 1; left /= 2)
        (*bucket)++;
    return total > 0 ? (double)g->counts[order][h * BYTES + *at] / total : 0;
}

/* The probability that the first `orders` orders give to the byte at `at`. */
static inline double probability(const ngrams *g, const unsigned char *at, int orders)
{
    double p = 1.0 / BYTES;
    for (int n = 0; n < orders; n++) {
        int bucket;
        const double ml = likelihood(g, at, n, &bucket), w = bucket > 0 ? g->weights[n][bucket] : 0;
        p = w * ml + (1 - w) * p;
    }
    return p;
}

/* Expectation maximisation of one order's weights, those below being settled. */
static inline void ngrams_weigh(ngrams *g, const unsigned char *bytes, int64_t begin, int64_t end, int order)
{
    for (int b = 0; b < BUCKETS; b++)
        g->weights[order][b] = 0.5;
    for (int round = 0; round < 30; round++) {
        double taken[BUCKETS] = {0}, all[BUCKETS] = {0};
        for (int64_t i = begin; i < end; i++) {
            int bucket;
            const double ml = likelihood(g, bytes + i, order, &bucket), w = g->weights[order][bucket];
            const double low = probability(g, bytes + i, order);
            taken[bucket] += w * ml / (w * ml + (1 - w) * low);
            all[bucket] += 1;
        }
        for (int b = 0; b < BUCKETS; b++)
            if (all[b] > 0)
                g->weights[order][b] = fmin(taken[b] / all[b], 0.999);
    }
}

/* Nats a byte of the held-out part, by the first `orders` orders. */
static inline double ngrams_loss(const ngrams *g, const text *x, int orders)
{
    double sum = 0;
    for (int64_t i = x->training; i < x->count; i++)
        sum -= log(probability(g, x->bytes + i, orders));
    return sum / (double)(x->count - x->training);
}

static inline bool ngrams_fit(const text *x, double *unigram, double *trigram)
{
    ngrams g = {.counts = {NULL}};
    const int64_t counted = x->training - x->training / 10;
    bool good = ngrams_count(&g, x->bytes, counted);
    for (int n = 0; good && n < ORDERS; n++)
        ngrams_weigh(&g, x->bytes, counted, x->training, n);
    good = good && ngrams_count(&g, x->bytes, x->training); /* now with all there is to count */
    if (good) {
        *unigram = ngrams_loss(&g, x, 1);
        *trigram = ngrams_loss(&g, x, ORDERS);
    }
    for (int n = 0; n < ORDERS; n++) {
        free(g.counts[n]);
        free(g.totals[n]);
    }
    return good;
}

#endif
