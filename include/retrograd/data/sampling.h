/* Retrograd: which samples: parts of a data set, draws by weight. All are functions of their arguments and a seed. Errors:
 * see data.h. */
#ifndef RETROGRAD_DATA_SAMPLING_H
#define RETROGRAD_DATA_SAMPLING_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- parts: part[i] of sample i is written, for rg_source_part --------------------------------------------------- */

/* `folds` parts 0 .. folds - 1, each once the validation part: the first count % folds of them have one sample more. 2 <=
 * folds <= count. Without `shuffle` each is a run of samples. As scikit-learn's KFold. */
RG_API bool rg_kfold(int64_t count, int64_t folds, bool shuffle, uint64_t seed, int64_t *part, char *error, size_t size);
/* The same with each class dealt out evenly: of each class a part has as many samples as another, or one more. Labels >= 0.
 * One class at least must have as many samples as there are folds. As scikit-learn's StratifiedKFold: without `shuffle`, the
 * same parts. */
RG_API bool rg_kfold_stratified(const int64_t *labels, int64_t count, int64_t folds, bool shuffle, uint64_t seed,
                                int64_t *part, char *error, size_t size);
/* Part 1 of round(count * share) samples, part 0 of the others, each class in proportion: its samples in part 1 are those
 * that its share gives, rounded down or up, up where the remainder is largest (of equal ones, drawn). 0 <= share <= 1. */
RG_API bool rg_split_stratified(const int64_t *labels, int64_t count, double share, uint64_t seed, int64_t *part,
                                char *error, size_t size);

/* ---- draws by weight --------------------------------------------------------------------------------------------- */

/* Writes `draws` indices in 0 .. count - 1. With replacement each is i with probability weights[i] / sum(weights); without,
 * the next is drawn from those that are left (Efraimidis and Spirakis, 2006), and draws may not exceed the number of weights
 * above 0. Weights are finite, >= 0 and not all 0; NULL: all alike. */
RG_API bool rg_sample_weighted(const double *weights, int64_t count, int64_t draws, bool replacement, uint64_t seed,
                               int64_t *index, char *error, size_t size);

/* weights[k] of class k = count / (present * n_k), n_k its samples, `present` the classes that have some; 0 for those that
 * have none. As scikit-learn's "balanced". Labels are in [0, classes). For rg_cross_entropy. */
RG_API bool rg_class_weights(const int64_t *labels, int64_t count, int64_t classes, double *weights, char *error,
                             size_t size);
/* weights[i] of sample i: its class's. Drawing by them, every class comes as often as another. */
RG_API bool rg_sample_weights(const int64_t *labels, int64_t count, int64_t classes, double *weights, char *error,
                              size_t size);

#ifdef __cplusplus
}
#endif
#endif
