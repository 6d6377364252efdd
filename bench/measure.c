/* Timing and memory of one repeated step, and the conversation with the driver. */
#include "measure.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

enum { MAX_SAMPLES = 4096 };

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void *aligned_zeros(size_t bytes)
{
    const size_t whole = (bytes + 64) & ~(size_t)63;
    void *data = aligned_alloc(64, whole);
    return data ? memset(data, 0, whole) : NULL;
}

/* ---- memory -------------------------------------------------------------------------------------------------------- */

/* A row of /proc/self/status, in megabytes; 0 where the system has none. */
static double status_mb(const char *row)
{
    double kilobytes = 0;
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) {
        const size_t length = strlen(row);
        if (strncmp(line, row, length) == 0 && line[length] == ':')
            kilobytes = strtod(line + length + 1, NULL);
    }
    if (file)
        fclose(file);
    return kilobytes / 1024;
}

/* The peak without pages of files: code that a first call touches is the runtime's, not the step's. Such pages do not
 * go away again, so what is there now was there at the peak. */
static double peak_mb(void)
{
    return status_mb("VmHWM") - status_mb("RssFile") - status_mb("RssShmem");
}

/* What was freed before the first step goes back to the system, for steps that take it again must not look as if they
 * took nothing. Then the peak begins here: Linux forgets it on request. */
static void forget_past(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file)
        return;
    fputs("5", file);
    fclose(file);
}

/* ---- time ---------------------------------------------------------------------------------------------------------- */

static double time_block(const subject *s, long steps)
{
    const double began = seconds_now();
    for (long i = 0; i < steps; i++)
        s->step(s->state);
    return seconds_now() - began;
}

/* So many steps that the clock and the loop do not count. */
static long choose_block(const subject *s)
{
    long steps = 1;
    while (time_block(s, steps) < 4e-3 && steps < 1L << 22)
        steps *= 2;
    return steps;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const subject *s, double seconds, long block, double memory_before)
{
    static double samples[MAX_SAMPLES];
    size_t count = 0;
    s->step(s->state); /* the others have had the caches meanwhile */
    const double end = seconds_now() + seconds;
    do
        samples[count++] = time_block(s, block) / (double)block / s->per;
    while (seconds_now() < end && count < MAX_SAMPLES);
    qsort(samples, count, sizeof *samples, compare);
    printf("{\"ms\": %.9g, \"best\": %.9g, \"steps\": %ld, \"mb\": %.3f}\n", 1e3 * samples[count / 2], 1e3 * samples[0],
           block * (long)count, peak_mb() - memory_before);
}

/* ---- the conversation ---------------------------------------------------------------------------------------------- */

/* An error's text may hold what JSON wants escaped. */
static int say_error(const char *text)
{
    printf("{\"error\": \"");
    for (; *text; text++)
        putchar(*text == '"' || *text == '\\' || (unsigned char)*text < ' ' ? '\'' : *text);
    printf("\"}\n");
    return 1;
}

int serve(subject *s)
{
    char line[64];
    int status = 0;
    long block = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    forget_past();
    const double memory_before = status_mb("RssAnon");
    s->step(s->state);
    if (*s->error(s->state) == '\0') {
        block = choose_block(s);
        printf("{\"ready\": true, \"flops\": %.9g, \"bytes\": %.9g}\n", s->flops, s->bytes);
        while (*s->error(s->state) == '\0' && fgets(line, sizeof line, stdin))
            measure(s, strtod(line, NULL), block, memory_before);
    }
    if (*s->error(s->state) != '\0')
        status = say_error(s->error(s->state));
    s->close(s->state);
    return status;
}
