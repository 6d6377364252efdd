/* Losses against formulas written out in plain C, and against finite differences. */
#include "nn_support.h"

/* ---- losses of one element --------------------------------------------------------------------------------------- */

static const double DELTA = 0.7;

static rg_tensor huber(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r)
{
    return rg_huber_loss(t, x, y, DELTA, r);
}

static double mse_of(double x, double y)
{
    return (x - y) * (x - y);
}

static double l1_of(double x, double y)
{
    return fabs(x - y);
}

static double huber_of(double x, double y)
{
    const double d = fabs(x - y);
    return d <= DELTA ? d * d / 2 : DELTA * (d - DELTA / 2);
}

static double bce_of(double x, double y)
{
    const double s = 1 / (1 + exp(-x));
    return -(y * log(s) + (1 - y) * log(1 - s));
}

static const struct {
    rg_tensor (*loss)(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r);
    double (*of)(double x, double y);
    const char *name;
} PAIR_LOSSES[] = {
    {rg_mse_loss, mse_of, "mse_loss"},
    {rg_l1_loss, l1_of, "l1_loss"},
    {huber, huber_of, "huber_loss"},
    {rg_bce_with_logits, bce_of, "bce_with_logits"},
};

static const double X[6] = {0.3, -1.2, 2.5, 0.0, -0.4, 1.9}, Y[6] = {0.1, 0.9, 0.4, 0.8, 0.25, 1.0};

static void pair_losses_follow_their_formulas(void **state)
{
    (void)state;
    for (size_t l = 0; l < COUNT(PAIR_LOSSES); l++) {
        const rg_tensor x = rg_input_f64(tape, RG_SHAPE(2, 3), X), y = rg_input_f64(tape, RG_SHAPE(2, 3), Y);
        const rg_tensor each = PAIR_LOSSES[l].loss(tape, x, y, RG_NONE);
        const double *value = rg_data_f64(tape, each);
        assert_tape_ok(tape);
        assert_true(rg_shape_equal(rg_shape_of(tape, each), RG_SHAPE(2, 3)));
        double sum = 0;
        for (int i = 0; i < 6; i++) {
            assert_near(value[i], PAIR_LOSSES[l].of(X[i], Y[i]), 1e-14);
            sum += PAIR_LOSSES[l].of(X[i], Y[i]);
        }
        assert_near(rg_item(tape, PAIR_LOSSES[l].loss(tape, x, y, RG_SUM)), sum, 1e-14);
        assert_near(rg_item(tape, PAIR_LOSSES[l].loss(tape, x, y, RG_MEAN)), sum / 6, 1e-14);
        const rg_tensor single = PAIR_LOSSES[l].loss(tape, rg_cast(tape, x, RG_F32), rg_cast(tape, y, RG_F32), RG_MEAN);
        assert_int_equal(rg_dtype_of(tape, single), RG_F32);
        assert_near(rg_item(tape, single), sum / 6, 1e-6);
        assert_tape_ok(tape);
    }
}

static void pair_losses_refuse_what_does_not_fit(void **state)
{
    (void)state;
    for (size_t l = 0; l < COUNT(PAIR_LOSSES); l++) {
        const char *name = PAIR_LOSSES[l].name;
        const rg_tensor x = rg_input_f64(tape, RG_SHAPE(2, 3), X), y = rg_input_f64(tape, RG_SHAPE(3), Y);
        assert_true(rg_is_nil(PAIR_LOSSES[l].loss(tape, x, y, RG_MEAN)));
        assert_error(tape, RG_ERROR_SHAPE, WORDS(name, "[2, 3]", "[3]", "different shapes"));
        assert_true(rg_is_nil(PAIR_LOSSES[l].loss(tape, x, rg_cast(tape, x, RG_F32), RG_MEAN)));
        assert_error(tape, RG_ERROR_DTYPE, WORDS(name, "f64", "f32"));
        const rg_tensor whole = rg_cast(tape, x, RG_I64);
        assert_true(rg_is_nil(PAIR_LOSSES[l].loss(tape, whole, whole, RG_MEAN)));
        assert_error(tape, RG_ERROR_DTYPE, WORDS(name, "i64"));
        assert_true(rg_is_nil(PAIR_LOSSES[l].loss(tape, x, RG_NIL, RG_MEAN)));
        assert_error(tape, RG_ERROR_HANDLE, WORDS(name, "y is nil"));
        assert_true(rg_is_nil(PAIR_LOSSES[l].loss(tape, x, x, (rg_reduction)9)));
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS(name, "9", "RG_MEAN"));
    }
    const double bad[] = {0, -1, NAN, INFINITY};
    const rg_tensor x = rg_input_f64(tape, RG_SHAPE(6), X);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_true(rg_is_nil(rg_huber_loss(tape, x, x, bad[i], RG_MEAN)));
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS("huber_loss", "delta", "above 0"));
    }
    assert_true(rg_is_nil(rg_mse_loss(NULL, x, x, RG_MEAN)));
}

static void mean_of_no_elements_is_nan(void **state)
{
    (void)state;
    const rg_tensor none = rg_input_f64(tape, RG_SHAPE(0, 3), NULL);
    for (size_t l = 0; l < COUNT(PAIR_LOSSES); l++) {
        assert_true(isnan(rg_item(tape, PAIR_LOSSES[l].loss(tape, none, none, RG_MEAN))));
        assert_true(rg_item(tape, PAIR_LOSSES[l].loss(tape, none, none, RG_SUM)) == 0);
    }
    assert_tape_ok(tape);
}

static void bce_with_logits_is_exact_at_both_ends(void **state)
{
    (void)state;
    const double x[] = {-1000, -40, -20, 0, 20, 40, 1000}, y[] = {0, 1, 0.25};
    for (size_t j = 0; j < COUNT(y); j++) {
        double target[COUNT(x)];
        for (size_t i = 0; i < COUNT(x); i++)
            target[i] = y[j];
        const rg_tensor logits = rg_input_f64(tape, RG_SHAPE(COUNT(x)), x);
        const rg_tensor loss = rg_bce_with_logits(tape, logits, rg_input_f64(tape, RG_SHAPE(COUNT(x)), target), RG_NONE);
        rg_tensor slope, curvature;
        assert_true(rg_grad_with(tape, loss, rg_ones_like(tape, loss), &logits, 1, &slope));
        assert_true(rg_grad_with(tape, slope, rg_ones_like(tape, slope), &logits, 1, &curvature));
        const double *value = rg_data_f64(tape, loss), *first = rg_data_f64(tape, slope);
        const double *second = rg_data_f64(tape, curvature);
        assert_tape_ok(tape);
        for (size_t i = 0; i < COUNT(x); i++) {
            const double a = fabs(x[i]), tail = log1p(exp(-a)); /* softplus(-|x|), without cancellation */
            const double up = x[i] > 0 ? a + tail : tail, down = x[i] > 0 ? tail : a + tail;
            const double expected = y[j] * down + (1 - y[j]) * up;
            assert_true(fabs(value[i] - expected) <= 1e-14 * expected);
            const double s = 1 / (1 + exp(-x[i]));
            assert_near(first[i], s - y[j], 1e-14);
            assert_near(second[i], s * (1 - s), 1e-14);
        }
    }
}

static void huber_loss_is_smooth_where_x_meets_y(void **state)
{
    (void)state;
    const double x[] = {1, 1.5, 9}, y[] = {1, 1, 1}, slopes[] = {0, 0.5, 0.7}, curvatures[] = {1, 1, 0};
    const rg_tensor a = rg_input_f64(tape, RG_SHAPE(3), x);
    const rg_tensor loss = rg_huber_loss(tape, a, rg_input_f64(tape, RG_SHAPE(3), y), DELTA, RG_SUM);
    rg_tensor slope, curvature;
    assert_true(rg_grad(tape, loss, &a, 1, &slope));
    assert_true(rg_grad(tape, rg_sum(tape, slope, RG_ALL, false), &a, 1, &curvature));
    for (int i = 0; i < 3; i++) {
        assert_near(rg_data_f64(tape, slope)[i], slopes[i], 1e-15);
        assert_near(rg_data_f64(tape, curvature)[i], curvatures[i], 1e-15);
    }
    assert_tape_ok(tape);
}

/* ---- losses of classes ------------------------------------------------------------------------------------------- */

enum { N = 4, C = 3, W = 2 };
static const double LOGITS[N * C * W] = {0.2,  -1.3, 0.7, 2.1,  -0.6, 0.4, 1.5, -0.2, 0.9, -1.8, 0.3,  1.1,
                                         -0.7, 0.5,  2.2, -1.1, 0.8,  0.1, 0.6, 1.7,  0.0, -0.9, -2.0, 1.2};

static double log_softmax_of(const double *logits, int64_t stride, int classes, int c)
{
    double sum = 0;
    for (int k = 0; k < classes; k++)
        sum += exp(logits[k * stride]);
    return logits[c * stride] - log(sum);
}

/* Rows of C logits `stride` apart: writes each row's loss, returns sum and number of the rows that count. */
typedef struct total {
    double sum, rows;
} total;
static total cross_entropy_of(int64_t outer, int64_t inner, const int64_t *labels, int64_t ignored, double smoothing,
                              double *each)
{
    total all = {0, 0};
    for (int64_t i = 0; i < outer * inner; i++) {
        const double *row = LOGITS + i / inner * C * inner + i % inner;
        each[i] = 0;
        if (labels[i] == ignored)
            continue;
        for (int c = 0; c < C; c++)
            each[i] -= log_softmax_of(row, inner, C, c) * (smoothing / C + (c == labels[i] ? 1 - smoothing : 0));
        all.sum += each[i];
        all.rows++;
    }
    return all;
}

static void check_class_loss(rg_shape shape, rg_shape rows, rg_dtype dtype, const int64_t *labels, int64_t ignored,
                             double smoothing)
{
    const int64_t inner = shape.rank > 2 ? W : 1, count = rg_shape_numel(rows);
    double each[N * W];
    const total all = cross_entropy_of(count / inner, inner, labels, ignored, smoothing, each);
    const rg_tensor logits = rg_input_f64(tape, shape, LOGITS);
    const rg_tensor target = rg_cast(tape, rg_input_i64(tape, rows, labels), dtype);
    rg_cross_entropy_config config = {.reduction = RG_NONE,
                                      .label_smoothing = smoothing,
                                      .ignore_index = ignored == RG_IGNORE_INDEX ? NULL : &ignored};
    const rg_tensor none = rg_cross_entropy(tape, logits, target, &config);
    assert_true(rg_shape_equal(rg_shape_of(tape, none), rows));
    const double *value = rg_data_f64(tape, none);
    assert_tape_ok(tape);
    for (int64_t i = 0; i < count; i++)
        assert_near(value[i], each[i], 1e-14);
    config.reduction = RG_SUM;
    assert_near(rg_item(tape, rg_cross_entropy(tape, logits, target, &config)), all.sum, 1e-14);
    config.reduction = RG_MEAN;
    assert_near(rg_item(tape, rg_cross_entropy(tape, logits, target, &config)), all.sum / all.rows, 1e-14);
    if (smoothing == 0) {
        const rg_tensor log_prob = rg_log_softmax(tape, logits, shape.rank == 1 ? 0 : 1);
        const rg_tensor nll = rg_nll_loss(tape, log_prob, target, ignored, RG_MEAN);
        assert_near(rg_item(tape, nll), all.sum / all.rows, 1e-14);
    }
    assert_tape_ok(tape);
}

static void cross_entropy_of_indices_follows_its_formula(void **state)
{
    (void)state;
    static const int64_t plain[N * W] = {2, 0, 1, 1, 0, 2, 2, 1}, holes[N * W] = {2, -100, 1, -100, 0, 2, -100, 1};
    static const int64_t last[N * W] = {2, 0, 7, 1, 7, 0, 7, 1}, one[N * W] = {1, 0, 2, 1, 1, 0, 2, 0};
    static const double smoothings[] = {0, 0.1, 1};
    static const rg_dtype dtypes[] = {RG_I64, RG_I32};
    for (size_t s = 0; s < COUNT(smoothings); s++)
        for (size_t d = 0; d < COUNT(dtypes); d++) {
            const double smoothing = smoothings[s];
            const rg_dtype dtype = dtypes[d];
            check_class_loss(RG_SHAPE(N, C), RG_SHAPE(N), dtype, plain, RG_IGNORE_INDEX, smoothing);
            check_class_loss(RG_SHAPE(N, C), RG_SHAPE(N), dtype, holes, RG_IGNORE_INDEX, smoothing);
            check_class_loss(RG_SHAPE(N, C), RG_SHAPE(N), dtype, last, 7, smoothing);
            check_class_loss(RG_SHAPE(N, C), RG_SHAPE(N), dtype, one, 1, smoothing); /* a class that is ignored */
            check_class_loss(RG_SHAPE(N, C, W), RG_SHAPE(N, W), dtype, plain, RG_IGNORE_INDEX, smoothing);
            check_class_loss(RG_SHAPE(N, C, W), RG_SHAPE(N, W), dtype, holes, RG_IGNORE_INDEX, smoothing);
            check_class_loss(RG_SHAPE(N / 2, C, W, 1), RG_SHAPE(N / 2, W, 1), dtype, holes, -100, smoothing);
            check_class_loss(RG_SHAPE(C), RG_SCALAR, dtype, plain, RG_IGNORE_INDEX, smoothing);
        }
}

static void ignore_index_may_be_any_integer(void **state)
{
    (void)state;
    static const int64_t values[] = {INT64_MIN, INT64_MAX, INT64_MAX - 1, (INT64_C(1) << 53) + 1};
    for (size_t i = 0; i < COUNT(values); i++) {
        const int64_t labels[N] = {2, values[i], 0, values[i]};
        check_class_loss(RG_SHAPE(N, C), RG_SHAPE(N), RG_I64, labels, values[i], 0);
    }
}

static void ignored_rows_have_no_gradient_and_all_ignored_is_nan(void **state)
{
    (void)state;
    static const int64_t some[N] = {2, -100, 0, -100}, all[N] = {-100, -100, -100, -100};
    const rg_tensor logits = rg_input_f64(tape, RG_SHAPE(N, C), LOGITS);
    rg_tensor gradient;
    const rg_tensor loss = rg_cross_entropy(tape, logits, rg_input_i64(tape, RG_SHAPE(N), some), NULL);
    assert_true(rg_grad(tape, loss, &logits, 1, &gradient));
    const double *g = rg_data_f64(tape, gradient);
    assert_tape_ok(tape);
    for (int i = 0; i < N; i++)
        for (int c = 0; c < C; c++) {
            const double p = exp(log_softmax_of(LOGITS + i * C, 1, C, c));
            assert_near(g[i * C + c], some[i] < 0 ? 0 : (p - (c == some[i])) / 2, 1e-14);
        }
    for (int s = 0; s < 2; s++) {
        const rg_cross_entropy_config config = {.label_smoothing = s * 0.1};
        const rg_tensor target = rg_input_i64(tape, RG_SHAPE(N), all);
        assert_true(isnan(rg_item(tape, rg_cross_entropy(tape, logits, target, &config))));
    }
    assert_tape_ok(tape);
}

static void cross_entropy_of_probabilities_follows_its_formula(void **state)
{
    (void)state;
    double target[N * C * W];
    for (int i = 0; i < N * C * W; i++)
        target[i] = fabs(LOGITS[(i * 7 + 5) % (N * C * W)]) / 3; /* it need not sum to 1 */
    for (int s = 0; s < 2; s++) {
        const double smoothing = s * 0.2;
        double each[N * W], sum = 0;
        for (int i = 0; i < N * W; i++) {
            const int first = i / W * C * W + i % W;
            each[i] = 0;
            for (int c = 0; c < C; c++)
                each[i] -=
                    log_softmax_of(LOGITS + first, W, C, c) * ((1 - smoothing) * target[first + c * W] + smoothing / C);
            sum += each[i];
        }
        const rg_tensor logits = rg_input_f64(tape, RG_SHAPE(N, C, W), LOGITS);
        const rg_tensor y = rg_input_f64(tape, RG_SHAPE(N, C, W), target);
        rg_cross_entropy_config config = {.label_smoothing = smoothing};
        assert_near(rg_item(tape, rg_cross_entropy(tape, logits, y, &config)), sum / (N * W), 1e-14);
        config.reduction = RG_SUM;
        assert_near(rg_item(tape, rg_cross_entropy(tape, logits, y, &config)), sum, 1e-14);
        config.reduction = RG_NONE;
        const rg_tensor none = rg_cross_entropy(tape, logits, y, &config);
        assert_true(rg_shape_equal(rg_shape_of(tape, none), RG_SHAPE(N, W)));
        for (int i = 0; i < N * W; i++)
            assert_near(rg_data_f64(tape, none)[i], each[i], 1e-14);
        assert_tape_ok(tape);
    }
    /* A vector is one row. */
    const rg_tensor row = rg_input_f64(tape, RG_SHAPE(C), LOGITS), y = rg_input_f64(tape, RG_SHAPE(C), target);
    double expected = 0;
    for (int c = 0; c < C; c++)
        expected -= log_softmax_of(LOGITS, 1, C, c) * target[c];
    assert_near(rg_item(tape, rg_cross_entropy(tape, row, y, NULL)), expected, 1e-14);
    assert_tape_ok(tape);
}

static void cross_entropy_of_large_logits_is_finite(void **state)
{
    (void)state;
    const float logits[] = {1e4f, 0, -1e4f, -1e4f, 1e4f, 1e4f};
    const int64_t labels[] = {1, 2};
    const rg_tensor x = rg_input_f32(tape, RG_SHAPE(2, 3), logits);
    const rg_tensor loss = rg_cross_entropy(tape, x, rg_input_i64(tape, RG_SHAPE(2), labels),
                                            &(rg_cross_entropy_config){.reduction = RG_SUM});
    assert_near(rg_item(tape, loss), 1e4 + log(2), 1e-6);
    assert_tape_ok(tape);
}

static void class_losses_refuse_what_does_not_fit(void **state)
{
    (void)state;
    static const int64_t labels[N] = {2, 0, 1, 1};
    const rg_tensor x = rg_input_f64(tape, RG_SHAPE(N, C), LOGITS), y = rg_input_i64(tape, RG_SHAPE(N), labels);
    const rg_tensor three = rg_input_i64(tape, RG_SHAPE(3), labels), scalar = rg_constant(tape, RG_F64, 1);
    const rg_tensor mask = rg_gt(tape, y, rg_constant(tape, RG_I64, 0));

    assert_true(rg_is_nil(rg_cross_entropy(tape, x, three, NULL)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("cross_entropy", "target", "[3]", "[4]"));
    assert_true(rg_is_nil(rg_cross_entropy(tape, x, rg_input_f64(tape, RG_SHAPE(C, N), LOGITS), NULL)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("cross_entropy", "[4, 3]", "[3, 4]"));
    assert_true(rg_is_nil(rg_cross_entropy(tape, x, rg_cast(tape, x, RG_F32), NULL)));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("cross_entropy", "f64", "f32"));
    assert_true(rg_is_nil(rg_cross_entropy(tape, x, mask, NULL)));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("cross_entropy", "bool", "i64 or i32"));
    assert_true(rg_is_nil(rg_cross_entropy(tape, y, y, NULL)));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("cross_entropy", "logits", "i64"));
    assert_true(rg_is_nil(rg_cross_entropy(tape, scalar, y, NULL)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("cross_entropy", "scalar"));
    assert_true(rg_is_nil(rg_cross_entropy(tape, x, RG_NIL, NULL)));
    assert_error(tape, RG_ERROR_HANDLE, WORDS("cross_entropy", "target is nil"));
    assert_true(rg_is_nil(rg_cross_entropy(tape, RG_NIL, y, NULL)));
    assert_error(tape, RG_ERROR_HANDLE, WORDS("cross_entropy", "logits is nil"));
    const double bad[] = {-0.1, 1.1, NAN};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_true(rg_is_nil(rg_cross_entropy(tape, x, y, &(rg_cross_entropy_config){.label_smoothing = bad[i]})));
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS("cross_entropy", "label_smoothing", "[0, 1]"));
    }
    assert_true(rg_is_nil(rg_cross_entropy(tape, x, y, &(rg_cross_entropy_config){.reduction = (rg_reduction)5})));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("cross_entropy", "reduction", "5"));

    assert_true(rg_is_nil(rg_nll_loss(tape, x, three, RG_IGNORE_INDEX, RG_MEAN)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("nll_loss", "[3]", "[4]"));
    assert_true(rg_is_nil(rg_nll_loss(tape, x, x, RG_IGNORE_INDEX, RG_MEAN)));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("nll_loss", "f64", "i64 or i32"));
}

static void labels_out_of_range_are_an_error_when_computed(void **state)
{
    (void)state;
    static const int64_t bad[] = {3, -1, INT64_MAX, -101};
    const rg_tensor x = rg_input_f64(tape, RG_SHAPE(N, C), LOGITS);
    for (size_t i = 0; i < COUNT(bad); i++) {
        const int64_t labels[N] = {2, bad[i], 1, -100};
        const rg_tensor loss = rg_cross_entropy(tape, x, rg_input_i64(tape, RG_SHAPE(N), labels), NULL);
        assert_true(isnan(rg_item(tape, loss)));
        assert_int_equal(rg_tape_status(tape), RG_ERROR_VALUE);
        rg_tape_clear_error(tape);
    }
}

/* ---- gradients of the losses ------------------------------------------------------------------------------------- */

typedef struct loss_case {
    int kind; /* index of PAIR_LOSSES; from there on the losses of classes */
    rg_reduction reduction;
    double smoothing;
} loss_case;

static rg_tensor record_loss(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    const loss_case *c = user;
    assert_int_equal(count, 2);
    if (c->kind < (int)COUNT(PAIR_LOSSES))
        return PAIR_LOSSES[c->kind].loss(t, x[0], x[1], c->reduction);
    if (c->kind == (int)COUNT(PAIR_LOSSES))
        return rg_nll_loss(t, x[0], x[1], RG_IGNORE_INDEX, c->reduction);
    return rg_cross_entropy(t, x[0], x[1],
                            &(rg_cross_entropy_config){.reduction = c->reduction, .label_smoothing = c->smoothing});
}

static void check_gradients(loss_case c, rg_array a, rg_array b)
{
    const rg_array inputs[] = {a, b};
    rg_gradcheck_report report;
    for (int jacobian = 0; jacobian < 2; jacobian++) {
        const rg_gradcheck_config config = {.jacobian = jacobian != 0, .step = 1e-3};
        if (!rg_gradcheck(record_loss, &c, inputs, 2, &config, &report))
            fail_msg("loss %d, reduction %d, first order: %s", c.kind, (int)c.reduction, report.message);
        if (!rg_gradcheck2(record_loss, &c, inputs, 2, &config, &report))
            fail_msg("loss %d, reduction %d, second order: %s", c.kind, (int)c.reduction, report.message);
    }
}

static void losses_differentiate_twice(void **state)
{
    (void)state;
    static const int64_t holes[N * W] = {2, -100, 1, 0, -100, 2, 1, 1};
    const int nll = COUNT(PAIR_LOSSES), cross_entropy = nll + 1;
    double probabilities[N * C * W];
    for (int i = 0; i < N * C * W; i++)
        probabilities[i] = fabs(LOGITS[(i * 7 + 5) % (N * C * W)]) / 3;
    const rg_array x = {RG_F64, RG_SHAPE(2, 3), X}, y = {RG_F64, RG_SHAPE(2, 3), Y};
    const rg_array logits = {RG_F64, RG_SHAPE(N, C, W), LOGITS}, labels = {RG_I64, RG_SHAPE(N, W), holes};
    const rg_array target = {RG_F64, RG_SHAPE(N, C, W), probabilities};
    for (int r = RG_MEAN; r <= RG_NONE; r++) {
        for (int l = 0; l < (int)COUNT(PAIR_LOSSES); l++)
            check_gradients((loss_case){l, (rg_reduction)r, 0}, x, y);
        check_gradients((loss_case){nll, (rg_reduction)r, 0}, logits, labels);
        for (int s = 0; s < 2; s++) {
            check_gradients((loss_case){cross_entropy, (rg_reduction)r, s * 0.1}, logits, labels);
            check_gradients((loss_case){cross_entropy, (rg_reduction)r, s * 0.1}, logits, target);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pair_losses_follow_their_formulas),
        TEST(pair_losses_refuse_what_does_not_fit),
        TEST(mean_of_no_elements_is_nan),
        TEST(bce_with_logits_is_exact_at_both_ends),
        TEST(huber_loss_is_smooth_where_x_meets_y),
        TEST(cross_entropy_of_indices_follows_its_formula),
        TEST(ignore_index_may_be_any_integer),
        TEST(ignored_rows_have_no_gradient_and_all_ignored_is_nan),
        TEST(cross_entropy_of_probabilities_follows_its_formula),
        TEST(cross_entropy_of_large_logits_is_finite),
        TEST(class_losses_refuse_what_does_not_fit),
        TEST(labels_out_of_range_are_an_error_when_computed),
        TEST(losses_differentiate_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
