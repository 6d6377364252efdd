/* Metrics: what they count, what is refused, and what is not defined. Their values are golden ones, in metric.txt. */
#include "nn_support.h"

/* ---- the k best -------------------------------------------------------------------------------------------------- */

static void top_k_accuracy_looks_among_the_k_largest(void **state)
{
    (void)state;
    static const float logits[] = {0, 2, 1, /**/ 5, 5, 1, /**/ -3, -2, -1, /**/ 1, 1, 1};
    static const int64_t labels[] = {2, 1, 0, 1};
    static const double expected[] = {0, 0.75, 1};
    const rg_tensor x = rg_input_f32(tape, RG_SHAPE(4, 3), logits), y = rg_input_i64(tape, RG_SHAPE(4), labels);
    for (int64_t k = 1; k <= 3; k++) {
        assert_near(rg_item(tape, rg_top_k_accuracy(tape, x, y, k)), expected[k - 1], 0);
        assert_near(rg_item(tape, rg_top_k_accuracy(tape, rg_cast(tape, x, RG_F64), rg_cast(tape, y, RG_I32), k)),
                    expected[k - 1], 0);
        assert_int_equal(rg_top_k_hits(logits, labels, 4, 3, k), (int)(4 * expected[k - 1]));
    }
    assert_near(rg_item(tape, rg_top_k_accuracy(tape, x, y, 1)), rg_item(tape, rg_accuracy(tape, x, y)), 0);
    const rg_tensor none = rg_zeros(tape, RG_F64, RG_SHAPE(0, 3));
    assert_true(isnan(rg_item(tape, rg_top_k_accuracy(tape, none, rg_zeros(tape, RG_I64, RG_SHAPE(0)), 2))));
    assert_tape_ok(tape);
}

static void top_k_takes_nan_for_the_largest(void **state)
{
    (void)state;
    static const float logits[] = {1, NAN, 5, NAN, 9};
    for (int64_t label = 0; label < 5; label++)
        for (int64_t k = 1; k <= 5; k++) {
            static const int PLACE[] = {4, 0, 3, 1, 2}; /* when sorted */
            const rg_tensor x = rg_input_f32(tape, RG_SHAPE(1, 5), logits), y = rg_input_i64(tape, RG_SHAPE(1), &label);
            const int expected = PLACE[label] < k;
            assert_int_equal(rg_top_k_hits(logits, &label, 1, 5, k), expected);
            assert_near(rg_item(tape, rg_top_k_accuracy(tape, x, y, k)), expected, 0);
        }
    assert_tape_ok(tape);
}

static void top_k_refuses_what_does_not_fit(void **state)
{
    (void)state;
    static const float scores[6] = {0, 1, 2, 3, 4, 5};
    static const int64_t labels[] = {0, 3, -1};
    const rg_tensor x = rg_input_f32(tape, RG_SHAPE(2, 3), scores), y = rg_zeros(tape, RG_I64, RG_SHAPE(2));
    const int64_t bad[] = {0, -1, 4, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_true(rg_is_nil(rg_top_k_accuracy(tape, x, y, bad[i])));
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS("top_k_accuracy", "k is", "[1, 3]"));
        assert_int_equal(rg_top_k_hits(scores, labels, 1, 3, bad[i]), -1);
    }
    assert_true(rg_is_nil(rg_top_k_accuracy(tape, x, rg_zeros(tape, RG_I64, RG_SHAPE(3)), 1)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("top_k_accuracy", "labels", "[3]", "[2]"));
    assert_true(rg_is_nil(rg_top_k_accuracy(tape, rg_zeros(tape, RG_F32, RG_SHAPE(3)), y, 1)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("top_k_accuracy", "[3]", "[n, classes]"));
    assert_int_equal(rg_top_k_hits(scores, labels, 2, 3, 1), -1);
    assert_int_equal(rg_top_k_hits(scores, labels + 2, 1, 3, 1), -1);
    assert_int_equal(rg_top_k_hits(scores, labels, -1, 3, 1), -1);
    assert_int_equal(rg_top_k_hits(NULL, labels, 1, 3, 1), -1);
    assert_int_equal(rg_top_k_hits(scores, NULL, 1, 3, 1), -1);
    assert_int_equal(rg_top_k_hits(NULL, NULL, 0, 3, 1), 0);
}

/* ---- the confusion matrix ---------------------------------------------------------------------------------------- */

static void confusion_counts_labels_down_and_predictions_across(void **state)
{
    (void)state;
    static const int64_t labels[] = {0, 0, 1, 2, 2, 2}, predictions[] = {0, 1, 1, 2, 0, 2};
    static const int64_t expected[] = {1, 1, 0, 0, 1, 0, 1, 0, 2};
    rg_confusion *c = rg_confusion_new(3);
    assert_non_null(c);
    for (int i = 0; i < 6; i++)
        assert_true(rg_confusion_add(c, labels + i, predictions + i, 1));
    assert_memory_equal(rg_confusion_counts(c), expected, sizeof expected);
    assert_int_equal(rg_confusion_total(c), 6);
    assert_near(rg_confusion_accuracy(c), 4.0 / 6, 0);
    const rg_class_scores two = rg_confusion_class(c, 2);
    assert_near(two.precision, 1, 0);
    assert_near(two.recall, 2.0 / 3, 0);
    assert_near(two.f1, 0.8, 0);
    assert_int_equal(two.support, 3);
    const rg_class_scores weighted = rg_confusion_average(c, RG_AVERAGE_WEIGHTED);
    assert_near(weighted.precision, (2 * 0.5 + 0.5 + 3) / 6, 1e-15);
    assert_near(weighted.recall, 4.0 / 6, 1e-15);
    rg_confusion_reset(c);
    assert_int_equal(rg_confusion_total(c), 0);
    assert_int_equal(rg_confusion_counts(c)[8], 0);
    assert_int_equal(rg_confusion_class(c, 2).support, 0);
    rg_confusion_free(c);
}

static void confusion_of_nothing_and_of_nonsense(void **state)
{
    (void)state;
    static const int64_t good[] = {0, 1}, high[] = {0, 2}, low[] = {0, -1}, far[] = {INT64_MAX, INT64_MIN};
    const int64_t *const bad[] = {high, low, far};
    rg_confusion *c = rg_confusion_new(2);
    assert_non_null(c);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_false(rg_confusion_add(c, good, bad[i], 2));
        assert_false(rg_confusion_add(c, bad[i], good, 2));
    }
    assert_false(rg_confusion_add(c, good, good, -1));
    assert_false(rg_confusion_add(c, NULL, good, 2));
    assert_false(rg_confusion_add(c, good, NULL, 2));
    assert_true(rg_confusion_add(c, NULL, NULL, 0));
    assert_int_equal(rg_confusion_total(c), 0); /* nor the good half of what was refused */
    assert_true(isnan(rg_confusion_accuracy(c)));
    for (int a = RG_AVERAGE_MACRO; a <= RG_AVERAGE_MICRO; a++) {
        const rg_class_scores s = rg_confusion_average(c, (rg_averaging)a);
        assert_true(isnan(s.precision) && isnan(s.recall) && isnan(s.f1) && s.support == 0);
    }
    assert_near(rg_confusion_class(c, 0).precision, 0, 0);
    assert_true(rg_confusion_add(c, good, good, 2));
    assert_true(isnan(rg_confusion_class(c, 2).f1) && isnan(rg_confusion_class(c, -1).f1));
    assert_true(isnan(rg_confusion_average(c, (rg_averaging)7).f1));
    rg_confusion_free(c);

    assert_null(rg_confusion_new(0));
    assert_null(rg_confusion_new(-1));
    assert_null(rg_confusion_new(INT64_MAX));
    assert_null(rg_confusion_new(INT64_C(1) << 40));
    assert_false(rg_confusion_add(NULL, good, good, 2));
    assert_null(rg_confusion_counts(NULL));
    assert_int_equal(rg_confusion_total(NULL), 0);
    assert_true(isnan(rg_confusion_accuracy(NULL)) && isnan(rg_confusion_class(NULL, 0).f1));
    assert_true(isnan(rg_confusion_average(NULL, RG_AVERAGE_MICRO).f1));
    rg_confusion_reset(NULL);
    rg_confusion_free(NULL);
}

/* ---- rankings ---------------------------------------------------------------------------------------------------- */

enum { N = 300 };

/* Scores of few values, so that many tie; labels that lean towards high ones. */
static void draw(uint64_t seed, int64_t values, double *scores, bool *labels)
{
    rg_tape *t = rg_tape_new(&(rg_tape_config){.seed = seed});
    const int64_t *const whole = rg_data_i64(t, rg_randint(t, RG_SHAPE(N), 0, values));
    const double *const noise = rg_data_f64(t, rg_rand(t, RG_F64, RG_SHAPE(N)));
    assert_tape_ok(t);
    for (int i = 0; i < N; i++) {
        scores[i] = (double)whole[i] - 3;
        labels[i] = (double)whole[i] / (double)values + noise[i] > 1;
    }
    rg_tape_free(t);
}

static void auc_is_the_share_of_pairs_in_order_and_the_area_under_the_curve(void **state)
{
    (void)state;
    static const int64_t values[] = {2, 7, 100000};
    for (size_t v = 0; v < COUNT(values); v++) {
        double scores[N], area = 0, above = 0, pairs = 0;
        bool labels[N];
        rg_curve_point points[N + 1];
        draw(v + 1, values[v], scores, labels);
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                if (labels[i] && !labels[j]) {
                    above += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
                    pairs++;
                }
        const int64_t count = rg_roc_curve(scores, labels, N, points, N + 1);
        assert_true(count >= 2 && count <= values[v] + 1);
        for (int64_t i = 1; i < count; i++)
            area += (points[i].x - points[i - 1].x) * (points[i].y + points[i - 1].y) / 2;
        assert_near(rg_roc_auc(scores, labels, N), above / pairs, 0);
        assert_near(area, above / pairs, 1e-14);
        assert_near(points[count - 1].x, 1, 0);
        assert_near(points[count - 1].y, 1, 0);
    }
}

static void rankings_do_not_depend_on_the_order(void **state)
{
    (void)state;
    double scores[N], other[N];
    bool labels[N], others[N];
    draw(9, 5, scores, labels);
    for (int i = 0; i < N; i++) {
        other[i] = scores[(i * 7 + 11) % N];
        others[i] = labels[(i * 7 + 11) % N];
    }
    assert_near(rg_roc_auc(scores, labels, N), rg_roc_auc(other, others, N), 0);
    assert_near(rg_average_precision(scores, labels, N), rg_average_precision(other, others, N), 0);
}

static void average_precision_is_the_area_of_steps(void **state)
{
    (void)state;
    double scores[N], area = 0, recall = 0;
    bool labels[N];
    rg_curve_point points[N];
    draw(4, 40, scores, labels);
    const int64_t count = rg_precision_recall_curve(scores, labels, N, points, N);
    assert_true(count > 10);
    for (int64_t i = 0; i < count; i++) {
        area += (points[i].x - recall) * points[i].y;
        recall = points[i].x;
    }
    assert_near(rg_average_precision(scores, labels, N), area, 1e-14);
}

static void rankings_of_nothing_of_one_kind_and_of_nan(void **state)
{
    (void)state;
    static const double scores[] = {0.5, NAN, 0.25};
    static const bool labels[] = {true, false, false}, all[] = {true, true, true};
    rg_curve_point points[4];
    for (int64_t n = -1; n <= 3; n += n == 0 ? 2 : 1) { /* -1, 0, 2, 3: NaN within the latter two */
        assert_true(isnan(rg_roc_auc(scores, labels, n)));
        assert_true(isnan(rg_average_precision(scores, labels, n)));
        assert_int_equal(rg_roc_curve(scores, labels, n, points, 4), 0);
        assert_int_equal(rg_precision_recall_curve(scores, labels, n, points, 4), 0);
    }
    assert_true(isnan(rg_roc_auc(NULL, labels, 3)) && isnan(rg_roc_auc(scores, NULL, 3)));
    assert_true(isnan(rg_roc_auc(scores, all, 1)));
    assert_near(rg_average_precision(scores, all, 1), 1, 0);
    assert_near(rg_average_precision(scores, labels + 1, 1), 0, 0);
    assert_int_equal(rg_roc_curve(scores, all, 1, points, 4), 2);
    assert_true(isnan(points[1].x) && points[1].y == 1 && isinf(points[0].threshold));
    assert_int_equal(rg_precision_recall_curve(scores, labels + 1, 1, points, 4), 1);
    assert_true(points[0].x == 1 && points[0].y == 0);
}

static void curves_need_room_for_their_points(void **state)
{
    (void)state;
    static const double scores[] = {3, 1, 2};
    static const bool labels[] = {true, false, true};
    rg_curve_point points[4] = {{0}};
    for (int64_t room = -1; room <= 4; room++) {
        points[3].threshold = points[2].threshold = 77;
        assert_int_equal(rg_roc_curve(scores, labels, 3, points, room), room < 4 ? -1 : 4);
        assert_true(room >= 4 || points[3].threshold == 77);
        points[3].threshold = points[2].threshold = 77;
        assert_int_equal(rg_precision_recall_curve(scores, labels, 3, points, room), room < 3 ? -1 : 3);
        assert_true(room >= 3 || points[2].threshold == 77);
    }
    assert_int_equal(rg_roc_curve(scores, labels, 3, NULL, 4), -1);
    assert_int_equal(rg_precision_recall_curve(scores, labels, 3, NULL, 4), -1);
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

static void calibration_puts_borders_into_the_lower_bin(void **state)
{
    (void)state;
    for (int64_t bins = 1; bins <= 60; bins++) {
        rg_calibration *c = rg_calibration_new(bins);
        assert_non_null(c);
        const bool right = true;
        for (int64_t b = 0; b <= bins; b++) {
            const double border = (double)b / (double)bins;
            assert_true(rg_calibration_add(c, &border, &right, 1));
        }
        for (int64_t b = 0; b < bins; b++)
            assert_int_equal(rg_calibration_at(c, b).count, b == 0 ? 2 : 1);
        rg_calibration_free(c);
    }
}

static void calibration_of_nothing_and_of_nonsense(void **state)
{
    (void)state;
    static const bool right[] = {true, false};
    rg_calibration *c = rg_calibration_new(15);
    assert_non_null(c);
    const double bad[] = {NAN, -1e-300, 1.0000000001, INFINITY};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(rg_calibration_add(c, (const double[]){0.5, bad[i]}, right, 2));
    assert_false(rg_calibration_add(c, NULL, right, 1));
    assert_false(rg_calibration_add(c, bad, NULL, 1));
    assert_false(rg_calibration_add(c, bad, right, -1));
    assert_true(rg_calibration_add(c, NULL, NULL, 0));
    assert_true(isnan(rg_calibration_error(c)) && isnan(rg_calibration_max_error(c)));
    assert_int_equal(rg_calibration_at(c, 7).count, 0);
    assert_true(isnan(rg_calibration_at(c, 7).accuracy) && isnan(rg_calibration_at(c, 15).confidence));
    assert_true(rg_calibration_add(c, (const double[]){0.75, 0.25}, right, 2));
    assert_near(rg_calibration_error(c), 0.25, 0);
    rg_calibration_reset(c);
    assert_true(isnan(rg_calibration_error(c)));
    rg_calibration_free(c);
    assert_null(rg_calibration_new(0));
    assert_null(rg_calibration_new(INT64_MAX));
    assert_false(rg_calibration_add(NULL, bad, right, 0));
    assert_true(isnan(rg_calibration_error(NULL)) && isnan(rg_calibration_max_error(NULL)));
    assert_int_equal(rg_calibration_at(NULL, 0).count, 0);
    rg_calibration_reset(NULL);
    rg_calibration_free(NULL);
}

static void regression_keeps_its_digits_far_from_zero(void **state)
{
    (void)state;
    static const double error[] = {0.5, -0.25, 0.125, 0}, target[] = {1, 2, 4, 9};
    double r2[2];
    for (int far = 0; far < 2; far++) {
        rg_regression r = {0};
        for (int i = 0; i < 4; i++) {
            const double y = target[i] + far * 1e9, x = y + error[i];
            assert_true(rg_regression_add(&r, &x, &y, 1));
        }
        assert_near(rg_regression_mse(&r), (0.25 + 0.0625 + 0.015625) / 4, 0);
        assert_near(rg_regression_mae(&r), 0.875 / 4, 0);
        r2[far] = rg_regression_r2(&r);
    }
    assert_near(r2[0], 1 - 0.328125 / 38, 1e-15);
    assert_near(r2[1], r2[0], 1e-14);
}

static void regression_of_nothing_and_of_nan(void **state)
{
    (void)state;
    rg_regression r = {0};
    const double x[] = {1, NAN}, y[] = {1, 2};
    assert_true(isnan(rg_regression_mse(&r)) && isnan(rg_regression_mae(&r)) && isnan(rg_regression_r2(&r)));
    assert_false(rg_regression_add(&r, x, y, -1));
    assert_false(rg_regression_add(&r, NULL, y, 1));
    assert_false(rg_regression_add(&r, x, NULL, 1));
    assert_false(rg_regression_add(NULL, x, y, 1));
    assert_true(rg_regression_add(&r, NULL, NULL, 0));
    assert_true(rg_regression_add(&r, x, y, 1));
    assert_true(rg_regression_mse(&r) == 0 && isnan(rg_regression_r2(&r)));
    assert_true(rg_regression_add(&r, x + 1, y, 1));
    assert_true(isnan(rg_regression_mse(&r)) && isnan(rg_regression_mae(&r)) && isnan(rg_regression_r2(&r)));
    assert_true(isnan(rg_regression_mse(NULL)) && isnan(rg_regression_mae(NULL)) && isnan(rg_regression_r2(NULL)));
}

static void running_means_weigh_and_refuse(void **state)
{
    (void)state;
    rg_running_mean m = {0};
    assert_true(isnan(rg_running_mean_value(&m)) && isnan(rg_running_mean_perplexity(&m)));
    assert_true(rg_running_mean_add(&m, NAN, 0)); /* counts for nothing */
    assert_true(isnan(rg_running_mean_value(&m)));
    assert_true(rg_running_mean_add(&m, 2, 3));
    assert_true(rg_running_mean_add(&m, 6, 1));
    assert_near(rg_running_mean_value(&m), 3, 0);
    assert_near(rg_running_mean_perplexity(&m), exp(3), 1e-15);
    const double bad[] = {-1, NAN, INFINITY};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(rg_running_mean_add(&m, 1, bad[i]));
    assert_near(rg_running_mean_value(&m), 3, 0);
    assert_true(rg_running_mean_add(&m, NAN, 1) && isnan(rg_running_mean_value(&m)));
    assert_false(rg_running_mean_add(NULL, 1, 1));
    assert_true(isnan(rg_running_mean_value(NULL)));

    rg_smooth_mean s = {.decay = 0.5};
    assert_true(isnan(rg_smooth_mean_value(&s)));
    assert_true(rg_smooth_mean_add(&s, 8));
    assert_near(rg_smooth_mean_value(&s), 8, 0); /* not pulled to 0 */
    assert_true(rg_smooth_mean_add(&s, 2));
    assert_near(rg_smooth_mean_value(&s), (2 + 0.5 * 8) / 1.5, 1e-15);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(rg_smooth_mean_add(&(rg_smooth_mean){.decay = bad[i]}, 1));
    assert_false(rg_smooth_mean_add(&(rg_smooth_mean){.decay = 1}, 1));
    assert_false(rg_smooth_mean_add(NULL, 1));
    assert_true(isnan(rg_smooth_mean_value(NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(top_k_accuracy_looks_among_the_k_largest),
        TEST(top_k_takes_nan_for_the_largest),
        TEST(top_k_refuses_what_does_not_fit),
        TEST(confusion_counts_labels_down_and_predictions_across),
        TEST(confusion_of_nothing_and_of_nonsense),
        TEST(auc_is_the_share_of_pairs_in_order_and_the_area_under_the_curve),
        TEST(rankings_do_not_depend_on_the_order),
        TEST(average_precision_is_the_area_of_steps),
        TEST(rankings_of_nothing_of_one_kind_and_of_nan),
        TEST(curves_need_room_for_their_points),
        TEST(calibration_puts_borders_into_the_lower_bin),
        TEST(calibration_of_nothing_and_of_nonsense),
        TEST(regression_keeps_its_digits_far_from_zero),
        TEST(regression_of_nothing_and_of_nan),
        TEST(running_means_weigh_and_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
