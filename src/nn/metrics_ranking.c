/* Rankings of two kinds: the ROC curve, precision against recall, and the areas under them. */
#include <retrograd/nn/metrics.h>

#include <math.h>
#include <stdlib.h>

typedef struct item {
    double score;
    bool positive;
} item;

static int higher_first(const void *a, const void *b)
{
    const double x = ((const item *)a)->score, y = ((const item *)b)->score;
    return (x < y) - (x > y);
}

/* Scores and labels sorted, the highest first. */
typedef struct ranking {
    item *items; /* NULL: nothing to rank */
    int64_t n, positives;
    bool no_memory;
} ranking;

static ranking ranking_open(const double *scores, const bool *labels, int64_t n)
{
    ranking r = {0};
    if (n < 1 || (uint64_t)n > SIZE_MAX / sizeof *r.items || scores == NULL || labels == NULL)
        return r;
    for (int64_t i = 0; i < n; i++)
        if (isnan(scores[i]))
            return r;
    r.items = malloc((size_t)n * sizeof *r.items);
    r.no_memory = r.items == NULL;
    if (r.no_memory)
        return r;
    r.n = n;
    for (int64_t i = 0; i < n; i++) {
        r.items[i] = (item){scores[i], labels[i]};
        r.positives += labels[i];
    }
    qsort(r.items, (size_t)n, sizeof *r.items, higher_first);
    return r;
}

/* Elements from `begin` on with one score; writes how many of them are positive and returns where they end. */
static int64_t step(const ranking *r, int64_t begin, int64_t *positives)
{
    int64_t end = begin;
    *positives = 0;
    while (end < r->n && r->items[end].score == r->items[begin].score)
        *positives += r->items[end++].positive;
    return end;
}

double rg_roc_auc(const double *scores, const bool *labels, int64_t n)
{
    ranking r = ranking_open(scores, labels, n);
    const double pairs = (double)r.positives * (double)(r.n - r.positives);
    /* Twice the pairs in the right order: whole numbers, so the only rounding is that of the quotient. */
    double twice = 0;
    int64_t below = r.n - r.positives, positives;
    for (int64_t begin = 0, end; begin < r.n; begin = end) {
        end = step(&r, begin, &positives);
        const int64_t negatives = end - begin - positives;
        below -= negatives;
        twice += (double)positives * (2 * (double)below + (double)negatives);
    }
    free(r.items);
    return pairs > 0 ? twice / (2 * pairs) : (double)NAN;
}

double rg_average_precision(const double *scores, const bool *labels, int64_t n)
{
    ranking r = ranking_open(scores, labels, n);
    if (r.items == NULL)
        return NAN;
    double sum = 0;
    int64_t hits = 0, positives;
    for (int64_t begin = 0, end; begin < r.n; begin = end) {
        end = step(&r, begin, &positives);
        hits += positives;
        sum += (double)positives * ((double)hits / (double)end);
    }
    free(r.items);
    return r.positives > 0 ? sum / (double)r.positives : 0;
}

/* A point for each distinct score; -1 where there is no room. */
static int64_t points_of(const ranking *r, rg_curve_point *points, int64_t count, int64_t capacity)
{
    int64_t hits = 0, positives;
    for (int64_t begin = 0, end; begin < r->n; begin = end) {
        end = step(r, begin, &positives);
        hits += positives;
        if (count >= capacity)
            return -1;
        points[count++] =
            (rg_curve_point){.threshold = r->items[begin].score, .true_positives = hits, .false_positives = end - hits};
    }
    return count;
}

int64_t rg_roc_curve(const double *scores, const bool *labels, int64_t n, rg_curve_point *points, int64_t capacity)
{
    ranking r = ranking_open(scores, labels, n);
    if (r.items == NULL)
        return r.no_memory ? -1 : 0;
    int64_t count = -1;
    if (points != NULL && capacity > 0) {
        points[0] = (rg_curve_point){.threshold = INFINITY};
        count = points_of(&r, points, 1, capacity);
    }
    const double positives = (double)r.positives, negatives = (double)(r.n - r.positives);
    for (int64_t i = 0; i < count; i++) {
        points[i].x = negatives > 0 ? (double)points[i].false_positives / negatives : (double)NAN;
        points[i].y = positives > 0 ? (double)points[i].true_positives / positives : (double)NAN;
    }
    free(r.items);
    return count;
}

int64_t rg_precision_recall_curve(const double *scores, const bool *labels, int64_t n, rg_curve_point *points,
                                  int64_t capacity)
{
    ranking r = ranking_open(scores, labels, n);
    if (r.items == NULL)
        return r.no_memory ? -1 : 0;
    const int64_t count = points != NULL ? points_of(&r, points, 0, capacity) : -1;
    for (int64_t i = 0; i < count; i++) {
        const double hits = (double)points[i].true_positives;
        points[i].x = r.positives > 0 ? hits / (double)r.positives : 1;
        points[i].y = hits / (double)(points[i].true_positives + points[i].false_positives);
    }
    free(r.items);
    return count;
}
