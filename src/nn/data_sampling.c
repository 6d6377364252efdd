/* Folds, stratified parts, draws by weight, and weights that balance classes. */
#include "data_sampling.h"

#include "data_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Streams of a seed. */
#define FOLD_STREAM   UINT64_C(0x666F6C6400000000)
#define SAMPLE_STREAM UINT64_C(0x73616D7000000000)

typedef struct rg__key {
    double key;
    int64_t index;
} key;

static int largest_first(const void *a, const void *b)
{
    const key *x = a, *y = b;
    if (x->key != y->key)
        return x->key > y->key ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* ---- draws ---- */

static bool check_weights(const double *weights, int64_t count, int64_t draws, bool replacement, const char *call,
                          char *error, size_t size)
{
    int64_t positive = 0;
    double sum = 0;
    for (int64_t i = 0; weights && i < count; i++) {
        if (!(weights[i] >= 0) || !isfinite(weights[i]))
            return rg__data_fail(error, size, "%s: found weight %g of sample %lld, expected a finite one, 0 or more",
                                 call, weights[i], (long long)i);
        positive += weights[i] > 0;
        sum += weights[i];
    }
    if (!weights)
        positive = count;
    if (!isfinite(sum))
        return rg__data_fail(error, size, "%s: found weights whose sum is not finite, expected smaller ones", call);
    if (draws < 0 || (draws > 0 && positive == 0) || (!replacement && draws > positive))
        return rg__data_fail(error, size,
                             "%s: found %lld draws from %lld samples of positive weight %s replacement, expected no more "
                             "than there can be",
                             call, (long long)draws, (long long)positive, replacement ? "with" : "without");
    return true;
}

bool rg__sampler_make(rg__sampler *s, const double *weights, int64_t count, int64_t draws, bool replacement,
                      const char *call, char *error, size_t size)
{
    *s = (rg__sampler){.count = count, .draws = draws, .replacement = replacement};
    if (!check_weights(weights, count, draws, replacement, call, error, size))
        return false;
    if (!weights)
        return true;
    s->weights = rg__data_alloc(count, 1, sizeof *s->weights);
    s->sums = replacement ? rg__data_alloc(count, 1, sizeof *s->sums) : NULL;
    s->sorted = replacement ? NULL : rg__data_alloc(count, 1, sizeof *s->sorted);
    if (!s->weights || !(s->sums || s->sorted))
        return rg__data_fail(error, size, "%s: out of memory for %lld weights", call, (long long)count);
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        s->weights[i] = weights[i];
        sum += weights[i];
        if (replacement)
            s->sums[i] = sum;
    }
    return true;
}

void rg__sampler_free(rg__sampler *s)
{
    free(s->weights);
    free(s->sums);
    free(s->sorted);
}

/* The first i whose sum is above `at`; a sample without weight is never it. */
static int64_t find_sum(const double *sums, int64_t count, double at)
{
    int64_t low = 0, high = count - 1;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (sums[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void draw_by_sums(const rg__sampler *s, rg_rng *rng, int64_t *index)
{
    const double all = s->draws > 0 ? s->sums[s->count - 1] : 0;
    int64_t last = s->count - 1; /* the last with a weight: rounding must not go past it */
    while (last > 0 && s->weights[last] == 0)
        last--;
    for (int64_t i = 0; i < s->draws; i++) {
        double uniform;
        rg_rng_uniform_f64(rng, &uniform, 1, 0, 1);
        const int64_t found = find_sum(s->sums, s->count, uniform * all);
        index[i] = found < last ? found : last;
    }
}

/* Keys log(u) / w: the largest are a draw without replacement, in its order. */
static void draw_by_keys(rg__sampler *s, rg_rng *rng, int64_t *index)
{
    for (int64_t i = 0; i < s->count; i++) {
        double uniform;
        rg_rng_uniform_f64(rng, &uniform, 1, 0, 1);
        s->sorted[i] = (key){s->weights[i] > 0 ? log1p(-uniform) / s->weights[i] : -INFINITY, i};
        /* A tiny weight may bring a key to -infinity: it still comes before those that have none. */
        if (s->weights[i] > 0 && s->sorted[i].key == -INFINITY)
            s->sorted[i].key = -1.7976931348623157e308;
    }
    qsort(s->sorted, (size_t)s->count, sizeof *s->sorted, largest_first);
    for (int64_t i = 0; i < s->draws; i++)
        index[i] = s->sorted[i].index;
}

void rg__sampler_draw(rg__sampler *s, rg_rng *rng, int64_t *index)
{
    if (s->sums)
        draw_by_sums(s, rng, index);
    else if (s->sorted)
        draw_by_keys(s, rng, index);
    else if (s->replacement)
        rg_rng_integers(rng, index, (size_t)s->draws, 0, s->count);
    else
        rg_rng_permutation(rng, index, (size_t)s->count);
}

bool rg_sample_weighted(const double *weights, int64_t count, int64_t draws, bool replacement, uint64_t seed,
                        int64_t *index, char *error, size_t size)
{
    static const char *const call = "rg_sample_weighted";
    if (count < 0 || (draws > 0 && !index))
        return rg__data_fail(error, size, "%s: found %lld samples %s place for indices, expected 0 or more with it",
                             call, (long long)count, index ? "with" : "without");
    rg__sampler s;
    int64_t *room = NULL;
    bool good = rg__sampler_make(&s, weights, count, draws, replacement, call, error, size);
    if (good) {
        room = rg__data_alloc(count > draws ? count : draws, 1, sizeof *room);
        good = room || rg__data_fail(error, size, "%s: out of memory for %lld samples", call, (long long)count);
    }
    if (good && draws > 0) {
        rg_rng rng = rg_rng_new(seed, SAMPLE_STREAM);
        rg__sampler_draw(&s, &rng, room);
        memcpy(index, room, (size_t)draws * sizeof *index);
    }
    rg__sampler_free(&s);
    free(room);
    return good;
}

/* ---- classes ---- */

static bool check_labels(const int64_t *labels, int64_t count, int64_t classes, const void *out, const char *call,
                         char *error, size_t size)
{
    if (count < 0 || classes < 0)
        return rg__data_fail(error, size, "%s: found %lld samples in %lld classes, expected 0 or more of both", call,
                             (long long)count, (long long)classes);
    if (count > 0 && (!labels || !out))
        return rg__data_fail(error, size, "%s: found %lld samples and no %s, expected both", call, (long long)count,
                             labels ? "place for the result" : "labels");
    for (int64_t i = 0; i < count; i++)
        if (labels[i] < 0 || labels[i] >= classes)
            return rg__data_fail(error, size, "%s: found label %lld of sample %lld, expected 0 to %lld", call,
                                 (long long)labels[i], (long long)i, (long long)classes - 1);
    return true;
}

bool rg_class_weights(const int64_t *labels, int64_t count, int64_t classes, double *weights, char *error, size_t size)
{
    if (!check_labels(labels, count, classes, weights, "rg_class_weights", error, size))
        return false;
    int64_t present = 0;
    for (int64_t k = 0; weights && k < classes; k++)
        weights[k] = 0;
    for (int64_t i = 0; i < count; i++) {
        present += weights[labels[i]] == 0;
        weights[labels[i]] += 1;
    }
    for (int64_t k = 0; weights && k < classes; k++)
        weights[k] = weights[k] > 0 ? (double)count / ((double)present * weights[k]) : 0;
    return true;
}

bool rg_sample_weights(const int64_t *labels, int64_t count, int64_t classes, double *weights, char *error, size_t size)
{
    static const char *const call = "rg_sample_weights";
    if (!check_labels(labels, count, classes, weights, call, error, size))
        return false;
    double *of_class = rg__data_alloc(classes, 1, sizeof *of_class);
    if (!of_class)
        return rg__data_fail(error, size, "%s: out of memory for %lld classes", call, (long long)classes);
    const bool good = rg_class_weights(labels, count, classes, of_class, error, size);
    for (int64_t i = 0; good && i < count; i++)
        weights[i] = of_class[labels[i]];
    free(of_class);
    return good;
}

/* ---- folds ---- */

static bool check_folds(int64_t count, int64_t folds, const int64_t *part, const char *call, char *error, size_t size)
{
    if (folds < 2 || folds > count)
        return rg__data_fail(error, size,
                             "%s: found %lld folds of %lld samples, expected 2 folds or more, and a sample for each",
                             call, (long long)folds, (long long)count);
    return part || rg__data_fail(error, size, "%s: found no place for the parts, expected one", call);
}

bool rg_kfold(int64_t count, int64_t folds, bool shuffle, uint64_t seed, int64_t *part, char *error, size_t size)
{
    static const char *const call = "rg_kfold";
    if (!check_folds(count, folds, part, call, error, size))
        return false;
    int64_t *order = shuffle ? rg__data_alloc(count, 1, sizeof *order) : NULL;
    if (shuffle && !order)
        return rg__data_fail(error, size, "%s: out of memory for %lld samples", call, (long long)count);
    rg_rng rng = rg_rng_new(seed, FOLD_STREAM);
    if (shuffle)
        rg_rng_permutation(&rng, order, (size_t)count);
    int64_t at = 0;
    for (int64_t f = 0; f < folds; f++)
        for (int64_t left = count / folds + (f < count % folds); left > 0; left--, at++)
            part[shuffle ? order[at] : at] = f;
    free(order);
    return true;
}

/* The classes of labels: [count] samples class by class, in the order in which the classes first appear, each class's in
 * the order of the data. */
typedef struct strata {
    int64_t count, classes;
    int64_t *sample; /* [count]                                         */
    int64_t *begin;  /* [classes + 1]: where the class begins in sample */
} strata;

static int by_label(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    if (x[0] != y[0])
        return x[0] < y[0] ? -1 : 1;
    return x[1] < y[1] ? -1 : x[1] > y[1];
}

/* Runs of [label, sample], by their first sample. */
static int by_first(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return x[0] < y[0] ? -1 : x[0] > y[0];
}

static void strata_free(strata *s)
{
    free(s->sample);
    free(s->begin);
}

static bool strata_make(strata *s, const int64_t *labels, int64_t count, const char *call, char *error, size_t size)
{
    *s = (strata){.count = count};
    int64_t *pairs = rg__data_alloc(count, 2, sizeof *pairs); /* label, sample */
    int64_t *runs = rg__data_alloc(count, 3, sizeof *runs);   /* first sample, begin, end among the pairs */
    s->sample = rg__data_alloc(count, 1, sizeof *s->sample);
    s->begin = count < INT64_MAX ? rg__data_alloc(count + 1, 1, sizeof *s->begin) : NULL;
    const bool good = pairs && runs && s->sample && s->begin;
    if (good) {
        for (int64_t i = 0; i < count; i++) {
            pairs[2 * i] = labels[i];
            pairs[2 * i + 1] = i;
        }
        qsort(pairs, (size_t)count, 2 * sizeof *pairs, by_label);
        for (int64_t i = 0; i < count; i++) {
            if (i == 0 || pairs[2 * i] != pairs[2 * i - 2]) {
                runs[3 * s->classes] = pairs[2 * i + 1];
                runs[3 * s->classes++ + 1] = i;
            }
            runs[3 * s->classes - 1] = i + 1;
        }
        qsort(runs, (size_t)s->classes, 3 * sizeof *runs, by_first);
        int64_t at = 0;
        for (int64_t k = 0; k < s->classes; k++) {
            s->begin[k] = at;
            for (int64_t i = runs[3 * k + 1]; i < runs[3 * k + 2]; i++)
                s->sample[at++] = pairs[2 * i + 1];
        }
        s->begin[s->classes] = at;
    } else {
        rg__data_fail(error, size, "%s: out of memory for %lld samples", call, (long long)count);
    }
    free(pairs);
    free(runs);
    return good;
}

/* Puts a class's samples into another order. */
static void shuffle_class(strata *s, int64_t k, rg_rng *rng)
{
    int64_t *sample = s->sample + s->begin[k];
    for (int64_t i = s->begin[k + 1] - s->begin[k] - 1; i > 0; i--) {
        int64_t j;
        rg_rng_integers(rng, &j, 1, 0, i + 1);
        const int64_t kept = sample[i];
        sample[i] = sample[j];
        sample[j] = kept;
    }
}

bool rg_kfold_stratified(const int64_t *labels, int64_t count, int64_t folds, bool shuffle, uint64_t seed,
                         int64_t *part, char *error, size_t size)
{
    static const char *const call = "rg_kfold_stratified";
    strata s;
    if (!check_labels(labels, count, INT64_MAX, part, call, error, size) ||
        !check_folds(count, folds, part, call, error, size))
        return false;
    if (!strata_make(&s, labels, count, call, error, size)) {
        strata_free(&s);
        return false;
    }
    int64_t most = 0;
    for (int64_t k = 0; k < s.classes; k++)
        most = s.begin[k + 1] - s.begin[k] > most ? s.begin[k + 1] - s.begin[k] : most;
    const bool good = most >= folds || rg__data_fail(error, size,
                                                     "%s: found classes of at most %lld samples, expected one of %lld or "
                                                     "more, the number of folds",
                                                     call, (long long)most, (long long)folds);
    rg_rng rng = rg_rng_new(seed, FOLD_STREAM);
    for (int64_t k = 0; good && k < s.classes; k++) {
        if (shuffle)
            shuffle_class(&s, k, &rng);
        /* Laid out class by class, place i goes to fold i % folds: so many of this class each fold gets, and takes them
         * in the order of the data. */
        int64_t at = s.begin[k];
        for (int64_t f = 0; f < folds; f++) {
            const int64_t first = s.begin[k] + (f - s.begin[k] % folds + folds) % folds;
            const int64_t places = first < s.begin[k + 1] ? (s.begin[k + 1] - 1 - first) / folds + 1 : 0;
            for (int64_t i = 0; i < places; i++)
                part[s.sample[at++]] = f;
        }
    }
    strata_free(&s);
    return good;
}

/* How many of each class are held out: wanted[k] of `held` in all. keys and order have room for the classes. */
static void share_out(const strata *s, int64_t held, rg_rng *rng, int64_t *wanted, key *keys, int64_t *order)
{
    int64_t given = 0;
    rg_rng_permutation(rng, order, (size_t)s->classes); /* decides between equal remainders */
    for (int64_t i = 0; i < s->classes; i++) {
        const int64_t k = order[i];
        const double exact = (double)(s->begin[k + 1] - s->begin[k]) * (double)held / (double)s->count;
        wanted[k] = (int64_t)floor(exact);
        given += wanted[k];
        keys[i] = (key){exact - floor(exact), i};
    }
    qsort(keys, (size_t)s->classes, sizeof *keys, largest_first);
    for (int64_t i = 0; given < held && i < s->classes; i++, given++)
        wanted[order[keys[i].index]]++;
}

bool rg_split_stratified(const int64_t *labels, int64_t count, double share, uint64_t seed, int64_t *part, char *error,
                         size_t size)
{
    static const char *const call = "rg_split_stratified";
    strata s;
    if (!check_labels(labels, count, INT64_MAX, part, call, error, size))
        return false;
    if (!(share >= 0 && share <= 1))
        return rg__data_fail(error, size, "%s: found the share %g, expected 0 to 1", call, share);
    bool good = strata_make(&s, labels, count, call, error, size);
    int64_t *wanted = good ? rg__data_alloc(s.classes, 1, sizeof *wanted) : NULL;
    int64_t *order = wanted ? rg__data_alloc(s.classes, 1, sizeof *order) : NULL;
    key *keys = order ? rg__data_alloc(s.classes, 1, sizeof *keys) : NULL;
    if (good && !keys)
        good = rg__data_fail(error, size, "%s: out of memory for %lld classes", call, (long long)s.classes);
    if (good && count > 0) {
        const double rounded = round((double)count * share);
        rg_rng rng = rg_rng_new(seed, FOLD_STREAM);
        share_out(&s, rounded < (double)count ? (int64_t)rounded : count, &rng, wanted, keys, order);
        for (int64_t k = 0; k < s.classes; k++) {
            shuffle_class(&s, k, &rng);
            for (int64_t i = s.begin[k]; i < s.begin[k + 1]; i++)
                part[s.sample[i]] = i - s.begin[k] < wanted[k];
        }
    }
    free(wanted);
    free(keys);
    free(order);
    strata_free(&s);
    return good;
}
