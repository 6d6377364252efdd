/* Retrograd: metrics, what a model is judged by. */
#ifndef RETROGRAD_NN_METRICS_H
#define RETROGRAD_NN_METRICS_H

#include <retrograd/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- recorded: scalars of f32 ------------------------------------------------------------------------------------ */

/* The share of rows of logits [n, classes] whose first largest element stands at labels[i] (i64 or i32, [n]): a
 * recorded f32 scalar, NaN for no rows. */
RG_API rg_tensor rg_accuracy(rg_tape *t, rg_tensor logits, rg_tensor labels);
/* The same where labels[i] is among the k largest, of equal ones the first; NaN counts as largest. 1 <= k <= classes. */
RG_API rg_tensor rg_top_k_accuracy(rg_tape *t, rg_tensor logits, rg_tensor labels, int64_t k);

/* ---- plain C: over numbers as they were read, without a tape --------------------------------------------------------
 * Arrays are the caller's and only read during the call. What ..._new returns is the caller's to free; NULL: no memory,
 * or an argument outside of what is said. ..._add returns false, and adds nothing of the call, where an argument is
 * outside of that; they may be called batch by batch. Numbers that are not defined are NaN. Definitions are
 * scikit-learn's. Where an object is NULL, ..._add is false, counts are 0 and numbers NaN. */

/* Rows of scores [n, classes] with labels[i] in 0 .. classes-1 among the k best, as rg_top_k_accuracy; -1 where a label
 * is not, or k is not in 1 .. classes, or n is negative. */
RG_API int64_t rg_top_k_hits(const float *scores, const int64_t *labels, int64_t n, int64_t classes, int64_t k);

/* How often each label was predicted as each class. */
typedef struct rg_confusion rg_confusion;
RG_API rg_confusion *rg_confusion_new(int64_t classes); /* 1 or more */
RG_API void rg_confusion_free(rg_confusion *c);
RG_API void rg_confusion_reset(rg_confusion *c);
/* [n] each, both in 0 .. classes-1. */
RG_API bool rg_confusion_add(rg_confusion *c, const int64_t *labels, const int64_t *predictions, int64_t n);
/* [classes, classes], row-major: labels down, predictions across. Lives as long as c. */
RG_API const int64_t *rg_confusion_counts(const rg_confusion *c);
RG_API int64_t rg_confusion_total(const rg_confusion *c);
RG_API double rg_confusion_accuracy(const rg_confusion *c); /* NaN for none */

typedef struct rg_class_scores {
    double precision; /* tp / (tp + fp); 0 where it was never predicted                        */
    double recall;    /* tp / (tp + fn); 0 where it is no label                                */
    double f1;        /* 2 tp / (2 tp + fp + fn); 0 where both of the above                    */
    int64_t support;  /* labels of the class, or of all                                        */
} rg_class_scores;
/* Of one class; NaN for one that there is not. */
RG_API rg_class_scores rg_confusion_class(const rg_confusion *c, int64_t index);
typedef enum rg_averaging {
    RG_AVERAGE_MACRO = 0, /* each class counts once; classes neither label nor prediction do not count */
    RG_AVERAGE_WEIGHTED,  /* by support                                                                  */
    RG_AVERAGE_MICRO,     /* of the sums of tp, fp, fn: all three are the accuracy                       */
} rg_averaging;
/* NaN for nothing added. */
RG_API rg_class_scores rg_confusion_average(const rg_confusion *c, rg_averaging average);

/* Ranking: scores [n], higher for what should be positive, and which are. Elements of one score are one step, so ties
 * do not depend on the order. A NaN among the scores, or n below 1: NaN, and curves of no points. Infinite scores are
 * numbers as others. For one class against the rest, give its scores and labels[i] == class. Time n log n. */

/* The area under the ROC curve: the share of pairs of a positive and a negative in which the positive scores higher,
 * equal ones counting half (Mann and Whitney, 1947). NaN where one kind is missing. */
RG_API double rg_roc_auc(const double *scores, const bool *labels, int64_t n);
/* The sum over distinct scores, from the highest, of the growth of recall times the precision there; 0 without
 * positives. */
RG_API double rg_average_precision(const double *scores, const bool *labels, int64_t n);

typedef struct rg_curve_point {
    double threshold; /* positive is what scores as much or more; infinite at the first point of rg_roc_curve */
    double x, y;      /* false and true positive rate; recall and precision                                 */
    int64_t true_positives, false_positives;
} rg_curve_point;
/* Both write from the highest threshold down, a point for each distinct score, and return how many: at most `capacity`,
 * which n + 1 always suffices; -1 where it does not, or there is no memory, and 0 as above. roc_curve begins with (0,
 * 0) and keeps points on straight lines (scikit-learn's drop_intermediate=False); a rate of a kind that is missing is
 * NaN. precision_recall_curve has no point (0, 1), which scikit-learn adds; recall is 1 without positives. */
RG_API int64_t rg_roc_curve(const double *scores, const bool *labels, int64_t n, rg_curve_point *points,
                            int64_t capacity);
RG_API int64_t rg_precision_recall_curve(const double *scores, const bool *labels, int64_t n, rg_curve_point *points,
                                         int64_t capacity);

/* Are probabilities what they say? Predictions by their confidence, in `bins` intervals of equal width ((b-1)/bins,
 * b/bins], 0 in the first. Guo et al., ICML 2017. */
typedef struct rg_calibration rg_calibration;
RG_API rg_calibration *rg_calibration_new(int64_t bins); /* 1 or more; 15 in the paper */
RG_API void rg_calibration_free(rg_calibration *c);
RG_API void rg_calibration_reset(rg_calibration *c);
/* [n] each: the probability of the predicted class, in [0, 1], and whether it was right. */
RG_API bool rg_calibration_add(rg_calibration *c, const double *confidences, const bool *right, int64_t n);
typedef struct rg_calibration_bin {
    int64_t count;
    double confidence, accuracy; /* means; NaN for none */
} rg_calibration_bin;
RG_API rg_calibration_bin rg_calibration_at(const rg_calibration *c, int64_t bin); /* no such bin: as an empty one */
/* The mean, by count, and the largest of |accuracy - confidence| over the bins; NaN for nothing added. */
RG_API double rg_calibration_error(const rg_calibration *c);
RG_API double rg_calibration_max_error(const rg_calibration *c);

/* Regression: errors of predictions. {0} is empty; copy it freely. The spread is taken about the running mean (Welford,
 * 1962) of the distances to the first target, so that targets far from 0 cost no digits. NaN in, NaN out. */
typedef struct rg_regression {
    int64_t count;
    double absolute, squared;    /* sums of |prediction - target| and its square                      */
    double origin, mean, spread; /* the first target; of target - origin, and the sum of squares about it */
} rg_regression;
/* [n] each; false for n below 0. */
RG_API bool rg_regression_add(rg_regression *r, const double *predictions, const double *targets, int64_t n);
/* NaN for none. */
RG_API double rg_regression_mse(const rg_regression *r);
RG_API double rg_regression_mae(const rg_regression *r);
/* 1 - sum of squared errors / spread; where targets do not vary, 1 without errors, else 0; NaN for fewer than two. */
RG_API double rg_regression_r2(const rg_regression *r);

/* A weighted mean of what comes in one by one: losses of batches by their sizes, say. {0} is empty. */
typedef struct rg_running_mean {
    double weight, sum; /* of weight times value */
} rg_running_mean;
/* Weights are finite and 0 or more; false for others. NaN values make the mean NaN. */
RG_API bool rg_running_mean_add(rg_running_mean *m, double value, double weight);
RG_API double rg_running_mean_value(const rg_running_mean *m); /* NaN for no weight */
/* e^mean: the perplexity, of a mean of negative log-likelihoods a token. */
RG_API double rg_running_mean_perplexity(const rg_running_mean *m);

/* An exponential average: a value counts decay^k once k more have come. {.decay = 0.9} is empty; 0 <= decay < 1. Divided
 * by the sum of the weights, so that its beginning is not pulled to 0. */
typedef struct rg_smooth_mean {
    double decay, sum, weight;
} rg_smooth_mean;
RG_API bool rg_smooth_mean_add(rg_smooth_mean *m, double value); /* false for another decay */
RG_API double rg_smooth_mean_value(const rg_smooth_mean *m);     /* NaN for none            */

#ifdef __cplusplus
}
#endif
#endif
