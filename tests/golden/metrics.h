/* What the metrics in plain C say to a case of metric.txt, as tensors. */
#ifndef RG__TESTS_GOLDEN_METRICS_H
#define RG__TESTS_GOLDEN_METRICS_H

#include <math.h>
#include <retrograd/retrograd.h>
#include <stdlib.h>

/* i64 [1 + classes, classes]: the total, repeated, and the counts. In two calls, after a reset. */
static inline rg_tensor metric_counts(rg_tape *t, rg_tensor labels, rg_tensor predictions, int64_t classes)
{
    int64_t out[64];
    const int64_t *const y = rg_data_i64(t, labels), *const p = rg_data_i64(t, predictions), n = rg_numel(t, labels);
    rg_confusion *const c = rg_confusion_new(classes);
    rg_tensor result = RG_NIL;
    if (c != NULL && !rg_failed(t) && classes * (classes + 1) <= 64 && rg_confusion_add(c, y, p, n / 2)) {
        rg_confusion_reset(c);
        if (rg_confusion_add(c, y, p, n / 2) && rg_confusion_add(c, y + n / 2, p + n / 2, n - n / 2)) {
            for (int64_t i = 0; i < classes; i++)
                out[i] = rg_confusion_total(c);
            for (int64_t i = 0; i < classes * classes; i++)
                out[classes + i] = rg_confusion_counts(c)[i];
            result = rg_input_i64(t, RG_SHAPE(classes + 1, classes), out);
        }
    }
    rg_confusion_free(c);
    return result;
}

/* [classes + 3, 4]: precision, recall, F1 and support of each class, macro, weighted, micro. With
 * `accuracy` that instead, a scalar. */
static inline rg_tensor metric_classes(rg_tape *t, rg_tensor labels, rg_tensor predictions, int64_t classes, bool accuracy)
{
    double out[64];
    const int64_t *const y = rg_data_i64(t, labels), *const p = rg_data_i64(t, predictions), n = rg_numel(t, labels);
    rg_confusion *const c = rg_confusion_new(classes);
    rg_tensor result = RG_NIL;
    if (c != NULL && !rg_failed(t) && (classes + 3) * 4 <= 64 && rg_confusion_add(c, y, p, n)) {
        for (int64_t i = 0; i < classes + 3; i++) {
            const rg_class_scores s = i < classes
                                          ? rg_confusion_class(c, i)
                                          : rg_confusion_average(c, (rg_averaging)(RG_AVERAGE_MACRO + i - classes));
            const double row[4] = {s.precision, s.recall, s.f1, (double)s.support};
            for (int k = 0; k < 4; k++)
                out[4 * i + k] = row[k];
        }
        if (accuracy)
            out[0] = rg_confusion_accuracy(c);
        result = rg_input_f64(t, accuracy ? RG_SCALAR : RG_SHAPE(classes + 3, 4), out);
    }
    rg_confusion_free(c);
    return result;
}

/* A scalar: of scores f64 [n] and labels bool [n]. */
static inline rg_tensor metric_ranking(rg_tape *t, rg_tensor scores, rg_tensor labels,
                                       double (*metric)(const double *scores, const bool *labels, int64_t n))
{
    const double *const s = rg_data_f64(t, scores);
    const bool *const y = rg_data(t, labels);
    const double value = rg_failed(t) ? NAN : metric(s, y, rg_numel(t, scores));
    return rg_input_f64(t, RG_SCALAR, &value);
}

/* [points, 5]: threshold, x, y, true and false positives. */
static inline rg_tensor metric_curve(rg_tape *t, rg_tensor scores, rg_tensor labels,
                                     int64_t (*curve)(const double *scores, const bool *labels, int64_t n,
                                                      rg_curve_point *points, int64_t capacity))
{
    double out[200];
    rg_curve_point points[40];
    const double *const s = rg_data_f64(t, scores);
    const bool *const y = rg_data(t, labels);
    const int64_t count = rg_failed(t) ? -1 : curve(s, y, rg_numel(t, scores), points, 40);
    for (int64_t i = 0; i < count; i++) {
        const rg_curve_point p = points[i];
        const double row[5] = {p.threshold, p.x, p.y, (double)p.true_positives, (double)p.false_positives};
        for (int k = 0; k < 5; k++)
            out[5 * i + k] = row[k];
    }
    return count < 0 ? RG_NIL : rg_input_f64(t, RG_SHAPE(count, 5), out);
}

/* [bins + 1, 3]: count, confidence and accuracy of each bin; error, largest error, 0. */
static inline rg_tensor metric_calibration(rg_tape *t, rg_tensor confidences, rg_tensor right, int64_t bins)
{
    double out[63];
    const double *const p = rg_data_f64(t, confidences);
    const bool *const y = rg_data(t, right);
    rg_calibration *const c = rg_calibration_new(bins);
    rg_tensor result = RG_NIL;
    if (c != NULL && !rg_failed(t) && bins <= 20 && rg_calibration_add(c, p, y, rg_numel(t, confidences))) {
        rg_calibration_reset(c);
        rg_calibration_add(c, p, y, 1);
        rg_calibration_add(c, p + 1, y + 1, rg_numel(t, confidences) - 1);
        for (int64_t i = 0; i < bins; i++) {
            const rg_calibration_bin b = rg_calibration_at(c, i);
            out[3 * i] = (double)b.count;
            out[3 * i + 1] = b.confidence;
            out[3 * i + 2] = b.accuracy;
        }
        out[3 * bins] = rg_calibration_error(c);
        out[3 * bins + 1] = rg_calibration_max_error(c);
        out[3 * bins + 2] = 0;
        result = rg_input_f64(t, RG_SHAPE(bins + 1, 3), out);
    }
    rg_calibration_free(c);
    return result;
}

/* [3]: mean squared and absolute error, R^2; in two calls. */
static inline rg_tensor metric_regression(rg_tape *t, rg_tensor predictions, rg_tensor targets)
{
    const double *const x = rg_data_f64(t, predictions), *const y = rg_data_f64(t, targets);
    const int64_t n = rg_numel(t, predictions);
    rg_regression r = {0};
    if (rg_failed(t) || !rg_regression_add(&r, x, y, n / 2) || !rg_regression_add(&r, x + n / 2, y + n / 2, n - n / 2))
        return RG_NIL;
    const double out[3] = {rg_regression_mse(&r), rg_regression_mae(&r), rg_regression_r2(&r)};
    return rg_input_f64(t, RG_SHAPE(3), out);
}

/* [3]: the weighted mean of values, its perplexity, and the smooth mean. */
static inline rg_tensor metric_means(rg_tape *t, rg_tensor values, rg_tensor weights, double decay)
{
    const double *const x = rg_data_f64(t, values), *const w = rg_data_f64(t, weights);
    rg_running_mean mean = {0};
    rg_smooth_mean smooth = {.decay = decay};
    for (int64_t i = 0; i < rg_numel(t, values) && !rg_failed(t); i++)
        if (!rg_running_mean_add(&mean, x[i], w[i]) || !rg_smooth_mean_add(&smooth, x[i]))
            return RG_NIL;
    const double out[3] = {rg_running_mean_value(&mean), rg_running_mean_perplexity(&mean),
                           rg_smooth_mean_value(&smooth)};
    return rg_input_f64(t, RG_SHAPE(3), out);
}

/* i64 [classes]: rows with their label among the 1, 2, .. best. */
static inline rg_tensor metric_hits(rg_tape *t, rg_tensor scores, rg_tensor labels)
{
    int64_t out[16];
    const int64_t n = rg_dim(t, scores, 0), classes = rg_dim(t, scores, 1);
    const float *const s = rg_data_f32(t, scores);
    const int64_t *const y = rg_data_i64(t, labels);
    for (int64_t k = 1; k <= classes && classes <= 16 && !rg_failed(t); k++)
        out[k - 1] = rg_top_k_hits(s, y, n, classes, k);
    return rg_failed(t) ? RG_NIL : rg_input_i64(t, RG_SHAPE(classes), out);
}

#endif
