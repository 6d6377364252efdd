/* The confusion matrix, and the precision, recall and F1 that are read from it. */
#include <retrograd/nn/metrics.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct rg_confusion {
    int64_t classes, total;
    int64_t *counts; /* [classes, classes]: labels down, predictions across */
    int64_t *labels; /* [classes]: sums of rows                             */
    int64_t *found;  /* [classes]: sums of columns                          */
};

rg_confusion *rg_confusion_new(int64_t classes)
{
    const uint64_t most = SIZE_MAX / sizeof(int64_t);
    if (classes < 1 || (uint64_t)classes > most / ((uint64_t)classes + 2))
        return NULL;
    rg_confusion *const c = malloc(sizeof *c);
    if (c == NULL)
        return NULL;
    *c = (rg_confusion){.classes = classes, .counts = calloc((size_t)classes * ((size_t)classes + 2), sizeof *c->counts)};
    if (c->counts == NULL) {
        free(c);
        return NULL;
    }
    c->labels = c->counts + classes * classes;
    c->found = c->labels + classes;
    return c;
}

void rg_confusion_free(rg_confusion *c)
{
    if (c == NULL)
        return;
    free(c->counts);
    free(c);
}

void rg_confusion_reset(rg_confusion *c)
{
    if (c == NULL)
        return;
    c->total = 0;
    memset(c->counts, 0, (size_t)c->classes * ((size_t)c->classes + 2) * sizeof *c->counts);
}

bool rg_confusion_add(rg_confusion *c, const int64_t *labels, const int64_t *predictions, int64_t n)
{
    if (c == NULL || n < 0 || (n > 0 && (labels == NULL || predictions == NULL)))
        return false;
    for (int64_t i = 0; i < n; i++)
        if (labels[i] < 0 || labels[i] >= c->classes || predictions[i] < 0 || predictions[i] >= c->classes)
            return false;
    for (int64_t i = 0; i < n; i++) {
        c->counts[labels[i] * c->classes + predictions[i]]++;
        c->labels[labels[i]]++;
        c->found[predictions[i]]++;
    }
    c->total += n;
    return true;
}

const int64_t *rg_confusion_counts(const rg_confusion *c)
{
    return c != NULL ? c->counts : NULL;
}

int64_t rg_confusion_total(const rg_confusion *c)
{
    return c != NULL ? c->total : 0;
}

static int64_t right(const rg_confusion *c)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < c->classes; i++)
        sum += c->counts[i * c->classes + i];
    return sum;
}

double rg_confusion_accuracy(const rg_confusion *c)
{
    return c != NULL && c->total > 0 ? (double)right(c) / (double)c->total : (double)NAN;
}

static double share(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

rg_class_scores rg_confusion_class(const rg_confusion *c, int64_t index)
{
    if (c == NULL || index < 0 || index >= c->classes)
        return (rg_class_scores){NAN, NAN, NAN, 0};
    const int64_t hits = c->counts[index * c->classes + index], labels = c->labels[index], found = c->found[index];
    return (rg_class_scores){share(hits, found), share(hits, labels), share(2 * hits, labels + found), labels};
}

rg_class_scores rg_confusion_average(const rg_confusion *c, rg_averaging average)
{
    rg_class_scores mean = {NAN, NAN, NAN, 0};
    if (c == NULL || c->total == 0 || average < RG_AVERAGE_MACRO || average > RG_AVERAGE_MICRO)
        return mean;
    const double accuracy = rg_confusion_accuracy(c);
    mean = (rg_class_scores){0, 0, 0, c->total};
    double weights = 0;
    for (int64_t i = 0; i < c->classes; i++) {
        const rg_class_scores of = rg_confusion_class(c, i);
        const bool occurs = c->labels[i] > 0 || c->found[i] > 0;
        const double weight = average == RG_AVERAGE_WEIGHTED ? (double)of.support : occurs;
        mean.precision += weight * of.precision;
        mean.recall += weight * of.recall;
        mean.f1 += weight * of.f1;
        weights += weight;
    }
    mean.precision /= weights;
    mean.recall /= weights;
    mean.f1 /= weights;
    /* Each wrong prediction is a false positive of one class and a false negative of another. */
    if (average == RG_AVERAGE_MICRO)
        mean.precision = mean.recall = mean.f1 = accuracy;
    return mean;
}
