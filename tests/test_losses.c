/* Losses of outcomes, classes, distributions and margins, and penalties: gradients against differences, extreme values,
 * and what is refused. Their values are golden ones, in loss_*.txt. */
#include "nn_support.h"

#define NUMBER(x) (&(const double){x})

/* ---- each loss on the same arrays -------------------------------------------------------------------------------- */

/* f64 and i64 [4, 3]; ROWS, HOLES and ONES [4]; WEIGHT [3] */
enum { X, Y, Z, WEIGHT, SIGNS, SETS, ROWS, HOLES, ONES, ARRAYS };

static const double VALUES_X[12] = {0.31, -1.22, 2.53, 0.07, -0.44, 1.91, -2.1, 0.63, 1.17, -0.38, 0.84, -1.65};
static const double VALUES_Y[12] = {0.12, 0.91, 0.43, 0.78, 0.25, 0.97, 0.36, 0.58, 0.07, 0.66, 0.49, 0.81};
static const double VALUES_Z[12] = {1.1, -0.7, 0.4, 1.6, -0.2, 0.9, -1.3, 2.2, 0.5, -1.9, 0.15, 0.72};
static const double VALUES_WEIGHT[3] = {0.5, 2, 1.25};
static const int64_t VALUES_SIGNS[12] = {1, -1, -1, 1, 1, -1, 1, -1, -1, -1, 1, 1};
static const int64_t VALUES_SETS[12] = {2, -1, 0, 0, 1, 2, -1, 1, 1, 1, 0, -1};
static const int64_t VALUES_ROWS[4] = {2, 0, 0, 1}, VALUES_HOLES[4] = {2, 0, -100, 1}, VALUES_ONES[4] = {1, -1, 1, -1};
static const struct {
    rg_dtype dtype;
    int rank;
    bool single; /* one row for all */
    int64_t numel;
    const void *data;
} INPUTS[ARRAYS] = {
    [X] = {RG_F64, 2, false, 12, VALUES_X},         [Y] = {RG_F64, 2, false, 12, VALUES_Y},
    [Z] = {RG_F64, 2, false, 12, VALUES_Z},         [WEIGHT] = {RG_F64, 1, true, 3, VALUES_WEIGHT},
    [SIGNS] = {RG_I64, 2, false, 12, VALUES_SIGNS}, [SETS] = {RG_I64, 2, false, 12, VALUES_SETS},
    [ROWS] = {RG_I64, 1, false, 4, VALUES_ROWS},    [HOLES] = {RG_I64, 1, false, 4, VALUES_HOLES},
    [ONES] = {RG_I64, 1, false, 4, VALUES_ONES},
};

/* In the dtype of the weights. */
static rg_tensor real(rg_tape *t, const rg_tensor *x, rg_tensor labels)
{
    return rg_cast(t, labels, rg_dtype_of(t, x[WEIGHT]));
}

// clang-format off
#define LOSSES \
    LOSS(smooth_l1_loss, rg_smooth_l1_loss(t, x[X], x[Z], 0.7, r)) \
    LOSS(bce_loss, rg_bce_loss(t, x[Y], x[Z], x[WEIGHT], r)) \
    LOSS(bce_with_logits_weighted, rg_bce_with_logits_weighted(t, x[X], x[Y], x[Z], x[WEIGHT], r)) \
    LOSS(soft_margin_loss, rg_soft_margin_loss(t, x[X], real(t, x, x[SIGNS]), r)) \
    LOSS(multilabel_soft_margin_loss, rg_multilabel_soft_margin_loss(t, x[X], x[Y], x[WEIGHT], r)) \
    LOSS(sigmoid_focal_loss, rg_sigmoid_focal_loss(t, x[X], x[Y], &(rg_sigmoid_focal_config){.reduction = r})) \
    LOSS(sigmoid_focal_loss_odd, \
         rg_sigmoid_focal_loss(t, x[X], x[Y], &(rg_sigmoid_focal_config){r, NUMBER(-1), NUMBER(1.5)})) \
    LOSS(dice_loss, rg_dice_loss(t, x[Y], x[X], 1.5, r)) \
    LOSS(nll_loss_weighted, rg_nll_loss_weighted(t, x[X], x[HOLES], x[WEIGHT], RG_IGNORE_INDEX, r)) \
    LOSS(cross_entropy, rg_cross_entropy(t, x[X], x[HOLES], \
         &(rg_cross_entropy_config){.reduction = r, .weight = x[WEIGHT], .label_smoothing = 0.3})) \
    LOSS(cross_entropy_of_shares, \
         rg_cross_entropy(t, x[X], x[Y], &(rg_cross_entropy_config){.reduction = r, .weight = x[WEIGHT]})) \
    LOSS(focal_loss, rg_focal_loss(t, x[X], x[HOLES], &(rg_focal_config){.reduction = r, .alpha = x[WEIGHT]})) \
    LOSS(focal_loss_odd, rg_focal_loss(t, x[X], x[HOLES], &(rg_focal_config){.reduction = r, .gamma = NUMBER(0.5)})) \
    LOSS(multi_margin_loss, rg_multi_margin_loss(t, x[X], x[ROWS], \
         &(rg_multi_margin_config){.reduction = r, .p = 2, .margin = NUMBER(0.7), .weight = x[WEIGHT]})) \
    LOSS(multilabel_margin_loss, rg_multilabel_margin_loss(t, x[X], x[SETS], r)) \
    LOSS(kl_div, rg_kl_div(t, x[X], x[Y], &(rg_kl_div_config){.reduction = r})) \
    LOSS(kl_div_of_logarithms, rg_kl_div(t, x[X], x[Z], &(rg_kl_div_config){.reduction = r, .log_target = true})) \
    LOSS(poisson_nll_loss, rg_poisson_nll_loss(t, x[X], x[Z], &(rg_poisson_nll_config){.reduction = r, .full = true})) \
    LOSS(poisson_nll_loss_of_rates, rg_poisson_nll_loss(t, x[Y], x[Z], &(rg_poisson_nll_config){.reduction = r, .rate = true})) \
    LOSS(gaussian_nll_loss, rg_gaussian_nll_loss(t, x[X], x[Z], x[Y], &(rg_gaussian_nll_config){.reduction = r, .full = true})) \
    LOSS(hinge_embedding_loss, rg_hinge_embedding_loss(t, x[X], real(t, x, x[SIGNS]), 0.9, r)) \
    LOSS(margin_ranking_loss, rg_margin_ranking_loss(t, x[X], x[Z], real(t, x, x[SIGNS]), 0.3, r)) \
    LOSS(cosine_embedding_loss, rg_cosine_embedding_loss(t, x[X], x[Z], real(t, x, x[ONES]), -0.4, r)) \
    LOSS(triplet_margin_loss, \
         rg_triplet_margin_loss(t, x[X], x[Z], x[Y], &(rg_triplet_margin_config){.reduction = r, .swap = true}))

#define LOSS(name, ...) \
    static rg_tensor name(rg_tape *t, const rg_tensor *x, rg_reduction r) { return __VA_ARGS__; }
LOSSES
#undef LOSS
#define LOSS(name, ...) {#name, name},
static const struct {
    const char *name;
    rg_tensor (*record)(rg_tape *t, const rg_tensor *x, rg_reduction r);
} EACH[] = {LOSSES};
// clang-format on

typedef struct loss_case {
    size_t which;
    rg_reduction reduction;
} loss_case;

static rg_tensor record(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    const loss_case *const c = user;
    assert_int_equal(count, ARRAYS);
    return EACH[c->which].record(t, x, c->reduction);
}

static rg_shape shape_of(int input, int64_t rows)
{
    if (INPUTS[input].single)
        return RG_SHAPE(3);
    return INPUTS[input].rank == 2 ? RG_SHAPE(rows, 3) : RG_SHAPE(rows);
}

static void losses_differentiate_twice(void **state)
{
    (void)state;
    rg_array arrays[ARRAYS];
    for (int i = 0; i < ARRAYS; i++)
        arrays[i] = (rg_array){INPUTS[i].dtype, shape_of(i, 4), INPUTS[i].data};
    for (size_t l = 0; l < COUNT(EACH); l++)
        for (int r = RG_MEAN; r <= RG_NONE; r++) {
            loss_case c = {l, (rg_reduction)r};
            rg_gradcheck_report report;
            const rg_gradcheck_config config = {.step = 1e-3};
            if (!rg_gradcheck(record, &c, arrays, ARRAYS, &config, &report))
                fail_msg("%s, reduction %d, first order: %s", EACH[l].name, r, report.message);
            if (!rg_gradcheck2(record, &c, arrays, ARRAYS, &config, &report))
                fail_msg("%s, reduction %d, second order: %s", EACH[l].name, r, report.message);
        }
}

/* The inputs, repeated to more rows. */
static void repeated(rg_tape *t, int64_t rows, rg_tensor *x)
{
    for (int i = 0; i < ARRAYS; i++) {
        const int64_t repeats = INPUTS[i].single ? 1 : rows / 4;
        const size_t bytes = (size_t)INPUTS[i].numel * rg_dtype_size(INPUTS[i].dtype);
        char *const data = malloc(bytes * (size_t)repeats + 1);
        assert_non_null(data);
        for (int64_t k = 0; k < repeats; k++)
            memcpy(data + (size_t)k * bytes, INPUTS[i].data, bytes);
        x[i] = rg_input(t, INPUTS[i].dtype, shape_of(i, rows), data);
        free(data);
    }
}

static void losses_do_not_depend_on_the_number_of_threads(void **state)
{
    (void)state;
    enum { N = 12000 };
    for (size_t l = 0; l < COUNT(EACH); l++) {
        double mean[2];
        float *slopes[2];
        for (int k = 0; k < 2; k++) {
            rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = k + 1});
            rg_tensor x[ARRAYS], slope;
            repeated(t, N, x);
            for (int i = 0; i < ARRAYS; i++)
                if (INPUTS[i].dtype == RG_F64)
                    x[i] = rg_cast(t, x[i], RG_F32);
            const rg_tensor loss = EACH[l].record(t, x, RG_MEAN), by = x[l == 1 ? Y : X];
            assert_true(rg_grad(t, loss, &by, 1, &slope));
            mean[k] = rg_item(t, loss);
            slopes[k] = malloc(N * 3 * sizeof(float));
            assert_non_null(slopes[k]);
            assert_true(rg_read(t, slope, slopes[k], N * 3 * sizeof(float)));
            assert_tape_ok(t);
            rg_tape_free(t);
        }
        if (memcmp(&mean[0], &mean[1], sizeof mean[0]) != 0 || memcmp(slopes[0], slopes[1], N * 3 * sizeof(float)) != 0)
            fail_msg("%s depends on the number of threads", EACH[l].name);
        free(slopes[0]);
        free(slopes[1]);
    }
}

static void losses_of_no_rows_are_nan_zero_and_empty(void **state)
{
    (void)state;
    rg_tensor x[ARRAYS];
    repeated(tape, 0, x);
    for (size_t l = 0; l < COUNT(EACH); l++) {
        if (!isnan(rg_item(tape, EACH[l].record(tape, x, RG_MEAN))))
            fail_msg("%s: the mean is a number", EACH[l].name);
        assert_true(rg_item(tape, EACH[l].record(tape, x, RG_SUM)) == 0);
        assert_int_equal(rg_numel(tape, EACH[l].record(tape, x, RG_NONE)), 0);
        assert_tape_ok(tape);
    }
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

/* The function's name: that of the loss up to "_odd" or "_of". */
static const char *function_of(const char *name, char *text)
{
    snprintf(text, 64, "%s", name);
    char *const odd = strstr(text, "_odd"), *const of = strstr(text, "_of_");
    if (odd != NULL)
        *odd = '\0';
    if (of != NULL)
        *of = '\0';
    return text;
}

static void losses_refuse_what_is_no_float_and_what_is_not_there(void **state)
{
    (void)state;
    char text[64];
    for (size_t l = 0; l < COUNT(EACH); l++) {
        const char *const name = function_of(EACH[l].name, text);
        rg_tensor x[ARRAYS];
        repeated(tape, 4, x);
        assert_true(rg_is_nil(EACH[l].record(tape, x, (rg_reduction)9)));
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS(name, "9", "RG_MEAN"));
        for (int i = X; i <= Z; i++)
            x[i] = rg_cast(tape, x[i], RG_I64);
        assert_true(rg_is_nil(EACH[l].record(tape, x, RG_NONE)));
        assert_error(tape, RG_ERROR_DTYPE, WORDS(name, "i64", "f32 or f64"));
        for (int i = X; i <= Z; i++)
            x[i] = RG_NIL;
        assert_true(rg_is_nil(EACH[l].record(tape, x, RG_NONE)));
        assert_error(tape, RG_ERROR_HANDLE, WORDS(name, "is nil"));
        assert_true(rg_is_nil(EACH[l].record(NULL, x, RG_NONE)));
    }
}

static void losses_refuse_shapes_that_do_not_fit(void **state)
{
    (void)state;
    rg_tensor x[ARRAYS];
    repeated(tape, 4, x);
    const rg_tensor turned = rg_transpose(tape, x[Z], 0, 1), row = rg_select(tape, x[Z], 0, 0);
    const rg_tensor four = rg_cast(tape, x[ONES], RG_F64), cube = rg_unsqueeze(tape, x[X], 0);
    const rg_tensor scalar = rg_constant(tape, RG_F64, 0.5), single = rg_cast(tape, x[WEIGHT], RG_F32);
    const rg_tensor many = rg_unsqueeze(tape, x[ROWS], 0);
#define REFUSED(status, call, ...)                      \
    do {                                                \
        assert_true(rg_is_nil(call));                   \
        assert_error(tape, status, WORDS(__VA_ARGS__)); \
    } while (0)
#define SHAPE(call, ...) REFUSED(RG_ERROR_SHAPE, call, __VA_ARGS__)
    SHAPE(rg_smooth_l1_loss(tape, x[X], turned, 1, RG_MEAN), "smooth_l1_loss", "[4, 3]", "[3, 4]");
    SHAPE(rg_bce_loss(tape, x[Y], row, RG_NIL, RG_MEAN), "bce_loss", "[4, 3]", "[3]");
    SHAPE(rg_bce_loss(tape, x[Y], x[Y], four, RG_MEAN), "bce_loss", "weight", "[4]", "broadcast");
    SHAPE(rg_bce_loss(tape, row, row, x[Y], RG_MEAN), "bce_loss", "weight", "[4, 3]", "[3]");
    SHAPE(rg_bce_with_logits_weighted(tape, x[X], x[Y], RG_NIL, four, RG_MEAN), "pos_weight", "[4]");
    SHAPE(rg_multilabel_soft_margin_loss(tape, scalar, scalar, RG_NIL, RG_MEAN), "multilabel_soft_margin_loss", "scalar");
    SHAPE(rg_dice_loss(tape, scalar, scalar, 1, RG_MEAN), "dice_loss", "scalar");
    SHAPE(rg_nll_loss_weighted(tape, x[X], x[ROWS], four, 0, RG_MEAN), "nll_loss_weighted", "weight", "[4]", "[3]");
    SHAPE(rg_cross_entropy(tape, x[X], x[ROWS], &(rg_cross_entropy_config){.weight = four}), "cross_entropy", "[4]",
          "[3]");
    SHAPE(rg_focal_loss(tape, x[X], x[ROWS], &(rg_focal_config){.alpha = scalar}), "focal_loss", "alpha", "[]", "[3]");
    SHAPE(rg_focal_loss(tape, x[X], many, NULL), "focal_loss", "target", "[1, 4]", "[4]");
    SHAPE(rg_focal_loss(tape, scalar, x[ROWS], NULL), "focal_loss", "scalar");
    SHAPE(rg_multi_margin_loss(tape, cube, x[ROWS], NULL), "multi_margin_loss", "[1, 4, 3]", "[n, classes]");
    SHAPE(rg_multi_margin_loss(tape, x[X], many, NULL), "multi_margin_loss", "[1, 4]", "[4]");
    SHAPE(rg_multi_margin_loss(tape, rg_zeros(tape, RG_F64, RG_SHAPE(4, 0)), x[ROWS], NULL), "[4, 0]", "one class");
    SHAPE(rg_multilabel_margin_loss(tape, x[X], x[ROWS], RG_MEAN), "multilabel_margin_loss", "[4]", "[4, 3]");
    SHAPE(rg_kl_div(tape, x[X], row, NULL), "kl_div", "[3]");
    SHAPE(rg_gaussian_nll_loss(tape, x[X], x[Y], x[WEIGHT], NULL), "gaussian_nll_loss", "var", "[3]", "[4, 3]");
    SHAPE(rg_gaussian_nll_loss(tape, x[X], x[Y], scalar, NULL), "var", "[]");
    SHAPE(rg_gaussian_nll_loss(tape, x[X], x[Y], rg_ones(tape, RG_F64, RG_SHAPE(1, 1)), NULL), "var", "[1, 1]");
    SHAPE(rg_margin_ranking_loss(tape, x[X], x[Z], four, 0, RG_MEAN), "margin_ranking_loss", "y", "[4]");
    SHAPE(rg_cosine_embedding_loss(tape, x[X], x[Z], x[WEIGHT], 0, RG_MEAN), "cosine_embedding_loss", "y", "[3]",
          "[4, 3]");
    SHAPE(rg_cosine_embedding_loss(tape, cube, cube, four, 0, RG_MEAN), "cosine_embedding_loss", "[1, 4, 3]");
    SHAPE(rg_triplet_margin_loss(tape, scalar, scalar, scalar, NULL), "triplet_margin_loss", "scalar");
    SHAPE(rg_triplet_margin_loss(tape, x[X], x[Z], row, NULL), "triplet_margin_loss", "negative", "[3]");
#define DTYPE(call, ...) REFUSED(RG_ERROR_DTYPE, call, __VA_ARGS__)
    DTYPE(rg_bce_loss(tape, x[Y], x[Y], single, RG_MEAN), "bce_loss", "weight", "f32", "f64");
    DTYPE(rg_bce_loss(tape, x[Y], x[Y], x[SIGNS], RG_MEAN), "bce_loss", "weight", "i64");
    DTYPE(rg_nll_loss_weighted(tape, x[X], x[ROWS], single, 0, RG_MEAN), "nll_loss_weighted", "f32", "f64");
    DTYPE(rg_multi_margin_loss(tape, x[X], four, NULL), "multi_margin_loss", "f64", "i64 or i32");
    DTYPE(rg_gaussian_nll_loss(tape, x[X], x[Y], rg_cast(tape, x[Y], RG_F32), NULL), "var", "f32", "f64");
    DTYPE(rg_cosine_embedding_loss(tape, x[X], x[Z], x[ONES], 0, RG_MEAN), "y", "i64");
    DTYPE(rg_cosine_embedding_loss(tape, x[X], x[Z], rg_cast(tape, four, RG_F32), 0, RG_MEAN), "y", "f32", "f64");
}

static void losses_refuse_numbers_outside_of_their_range(void **state)
{
    (void)state;
    rg_tensor x[ARRAYS];
    repeated(tape, 4, x);
    const double bad[] = {-1, NAN, INFINITY, -INFINITY};
#define RANGE(call, ...) REFUSED(RG_ERROR_ARGUMENT, call, __VA_ARGS__)
    for (size_t i = 0; i < COUNT(bad); i++) {
        const double v = bad[i];
        RANGE(rg_smooth_l1_loss(tape, x[X], x[Z], v, RG_MEAN), "smooth_l1_loss", "beta");
        RANGE(rg_dice_loss(tape, x[X], x[Z], v, RG_MEAN), "dice_loss", "smooth");
        RANGE(rg_sigmoid_focal_loss(tape, x[X], x[Y], &(rg_sigmoid_focal_config){.gamma = &v}), "gamma");
        RANGE(rg_focal_loss(tape, x[X], x[ROWS], &(rg_focal_config){.gamma = &v}), "focal_loss", "gamma");
        RANGE(rg_poisson_nll_loss(tape, x[X], x[Y], &(rg_poisson_nll_config){.eps = v}), "poisson_nll_loss", "eps");
        RANGE(rg_gaussian_nll_loss(tape, x[X], x[Z], x[Y], &(rg_gaussian_nll_config){.eps = v}), "eps");
        RANGE(rg_triplet_margin_loss(tape, x[X], x[Y], x[Z], &(rg_triplet_margin_config){.margin = v}), "margin");
        if (v != INFINITY)
            RANGE(rg_triplet_margin_loss(tape, x[X], x[Y], x[Z], &(rg_triplet_margin_config){.p = v}), "p is");
        if (v == -1)
            continue; /* margins may be negative, and a negative alpha means none */
        RANGE(rg_triplet_margin_loss(tape, x[X], x[Y], x[Z], &(rg_triplet_margin_config){.eps = v}), "eps");
        RANGE(rg_sigmoid_focal_loss(tape, x[X], x[Y], &(rg_sigmoid_focal_config){.alpha = &v}), "alpha");
        RANGE(rg_hinge_embedding_loss(tape, x[X], x[Y], v, RG_MEAN), "hinge_embedding_loss", "margin");
        RANGE(rg_margin_ranking_loss(tape, x[X], x[Y], x[Z], v, RG_MEAN), "margin_ranking_loss", "margin");
        RANGE(rg_cosine_embedding_loss(tape, x[X], x[Z], real(tape, x, x[ONES]), v, RG_MEAN), "margin");
        RANGE(rg_multi_margin_loss(tape, x[X], x[ROWS], &(rg_multi_margin_config){.margin = &v}), "margin");
    }
    RANGE(rg_sigmoid_focal_loss(tape, x[X], x[Y], &(rg_sigmoid_focal_config){.alpha = NUMBER(1.5)}), "alpha", "1.5");
    RANGE(rg_multi_margin_loss(tape, x[X], x[ROWS], &(rg_multi_margin_config){.p = 3}), "p is 3", "1 or 2");
    RANGE(rg_multi_margin_loss(tape, x[X], x[ROWS], &(rg_multi_margin_config){.p = -1}), "p is -1");
}

static void classes_out_of_range_are_an_error_when_computed(void **state)
{
    (void)state;
    static const int64_t bad[] = {3, -1, -2, INT64_MAX, INT64_MIN};
    rg_tensor x[ARRAYS];
    for (size_t i = 0; i < COUNT(bad); i++)
        for (int k = 0; k < 5; k++) {
            const int64_t labels[4] = {2, bad[i], 1, 0}, sets[12] = {0, 1, 2, bad[i], -1, 7, -1, 9, -9, 0, 1, 2};
            repeated(tape, 4, x);
            const rg_tensor rows = rg_input_i64(tape, RG_SHAPE(4), labels),
                            many = rg_input_i64(tape, RG_SHAPE(4, 3), sets);
            const rg_tensor losses[] = {
                rg_nll_loss_weighted(tape, x[X], rows, x[WEIGHT], RG_IGNORE_INDEX, RG_MEAN),
                rg_cross_entropy(tape, x[X], rows, &(rg_cross_entropy_config){.weight = x[WEIGHT]}),
                rg_focal_loss(tape, x[X], rows, &(rg_focal_config){.alpha = x[WEIGHT]}),
                rg_multi_margin_loss(tape, x[X], rows, &(rg_multi_margin_config){.weight = x[WEIGHT]}),
                rg_multilabel_margin_loss(tape, x[X], many, RG_MEAN),
            };
            const double value = rg_item(tape, losses[k]);
            if (k == 4 && bad[i] == -1) { /* the end of a set, and what follows that is not looked at */
                assert_true(isfinite(value));
                continue;
            }
            assert_true(isnan(value));
            assert_int_equal(rg_tape_status(tape), RG_ERROR_VALUE);
            rg_tape_clear_error(tape);
            rg_tape_reset(tape);
        }
}

/* ---- extreme values ---------------------------------------------------------------------------------------------- */

/* The loss, its slope and its curvature by x, all finite. */
static void derivatives(rg_tensor loss, rg_tensor x, double *value, double *slope, double *curvature)
{
    rg_tensor first, second;
    const int64_t n = rg_numel(tape, x);
    assert_true(rg_grad_with(tape, loss, rg_ones_like(tape, loss), &x, 1, &first));
    assert_true(rg_grad_with(tape, first, rg_ones_like(tape, first), &x, 1, &second));
    const rg_tensor of[] = {loss, first, second};
    double *const out[] = {value, slope, curvature};
    for (int k = 0; k < 3; k++) {
        assert_true(rg_read(tape, rg_cast(tape, of[k], RG_F64), out[k], (size_t)n * sizeof(double)));
        for (int64_t i = 0; i < n; i++)
            if (!isfinite(out[k][i]))
                fail_msg("derivative %d at element %d is %g", k, (int)i, out[k][i]);
    }
    assert_tape_ok(tape);
}

static void focal_losses_are_finite_and_keep_their_digits_at_any_logit(void **state)
{
    (void)state;
    static const double logits[8] = {-1000, -700, -50, -1, 1, 50, 700, 1000}, gammas[] = {0, 0.5, 1, 1.5, 2, 2.5, 3};
    double value[8], slope[8], curvature[8];
    for (size_t g = 0; g < COUNT(gammas); g++)
        for (int single = 0; single < 2; single++)
            for (int y = 0; y < 2; y++) {
                const rg_dtype dtype = single ? RG_F32 : RG_F64;
                const rg_tensor x = rg_cast(tape, rg_input_f64(tape, RG_SHAPE(8), logits), dtype);
                const rg_sigmoid_focal_config c = {RG_NONE, NUMBER(-1), &gammas[g]};
                derivatives(rg_sigmoid_focal_loss(tape, x, rg_full_like(tape, x, y), &c), x, value, slope, curvature);
                for (int i = 0; i < 8; i++) {
                    const double z = y ? logits[i] : -logits[i]; /* of the right class */
                    const double log_wrong = z > 0 ? -z - log1p(exp(-z)) : -log1p(exp(z));
                    const double bce = z > 0 ? log1p(exp(-z)) : -z + log1p(exp(z));
                    const double expected = exp(gammas[g] * log_wrong) * bce;
                    if (expected > (single ? 1e-17 : 1e-100)) /* below that a factor is held at its bound */
                        assert_true(fabs(value[i] - expected) <= (single ? 1e-5 : 1e-12) * expected);
                }
                /* Two classes, the other logit 0: the same loss. */
                double pairs[16], value2[16], slope2[16], curvature2[16];
                int64_t target[8];
                for (int i = 0; i < 8; i++) {
                    pairs[2 * i] = 0;
                    pairs[2 * i + 1] = logits[i];
                    target[i] = y;
                }
                const rg_tensor x2 = rg_cast(tape, rg_input_f64(tape, RG_SHAPE(8, 2), pairs), dtype);
                const rg_tensor loss = rg_focal_loss(tape, x2, rg_input_i64(tape, RG_SHAPE(8), target),
                                                     &(rg_focal_config){.reduction = RG_NONE, .gamma = &gammas[g]});
                const rg_tensor both = rg_mul(tape, rg_unsqueeze(tape, loss, 1), rg_ones_like(tape, x2));
                derivatives(both, x2, value2, slope2, curvature2);
                for (int i = 0; i < 8; i++)
                    assert_near(value2[2 * i], value[i], single ? 1e-5 : 1e-12);
            }
}

static void margins_of_large_logits_do_not_overflow(void **state)
{
    (void)state;
    const float logits[] = {-300, 300, -1e30f, 1e30f};
    const double expected[] = {300, 0, (double)1e30f, 0};
    const rg_tensor x = rg_input_f32(tape, RG_SHAPE(4), logits);
    const rg_tensor loss = rg_soft_margin_loss(tape, x, rg_ones_like(tape, x), RG_NONE);
    for (int i = 0; i < 4; i++)
        assert_near(rg_item(tape, rg_select(tape, loss, 0, i)), expected[i], 1e-6);

    /* |x|^2 of both is a float, their product is none. */
    const float a[] = {1e15f, 0, 1e15f, 1e15f}, b[] = {1e15f, 0, 0, -1e15f}, one[] = {1, 1};
    const rg_tensor cosine =
        rg_cosine_embedding_loss(tape, rg_input_f32(tape, RG_SHAPE(2, 2), a), rg_input_f32(tape, RG_SHAPE(2, 2), b),
                                 rg_input_f32(tape, RG_SHAPE(2), one), 0, RG_NONE);
    assert_near(rg_item(tape, rg_select(tape, cosine, 0, 0)), 0, 1e-6);
    assert_near(rg_item(tape, rg_select(tape, cosine, 0, 1)), 1 + sqrt(0.5), 1e-6);
    assert_tape_ok(tape);
}

static void smooth_l1_of_a_tiny_beta_is_l1(void **state)
{
    (void)state;
    static const double x[] = {0, 1e-3, -5, 1e20, 1e-20}, betas[] = {0, 1e-320, 1e-300, 1e-40, 1e-30};
    double value[5], slope[5], curvature[5];
    for (size_t b = 0; b < COUNT(betas); b++)
        for (int single = 0; single < 2; single++) {
            const rg_tensor a = rg_cast(tape, rg_input_f64(tape, RG_SHAPE(5), x), single ? RG_F32 : RG_F64);
            const rg_tensor loss = rg_smooth_l1_loss(tape, a, rg_zeros_like(tape, a), betas[b], RG_NONE);
            rg_tensor first;
            assert_true(rg_grad_with(tape, loss, rg_ones_like(tape, loss), &a, 1, &first));
            assert_true(rg_read(tape, rg_cast(tape, loss, RG_F64), value, sizeof value));
            assert_true(rg_read(tape, rg_cast(tape, first, RG_F64), slope, sizeof slope));
            for (int i = 0; i < 5; i++) {
                assert_true(fabs(value[i] - fabs(x[i])) <= 1e-6 * fabs(x[i]));
                assert_near(slope[i], (x[i] > 0) - (x[i] < 0), 1e-6);
            }
        }
    /* And where x meets y a beta of 1 makes no kink. */
    const rg_tensor a = rg_input_f64(tape, RG_SHAPE(5), x);
    derivatives(rg_smooth_l1_loss(tape, a, rg_zeros_like(tape, a), 1, RG_NONE), a, value, slope, curvature);
    assert_true(value[0] == 0 && slope[0] == 0 && curvature[0] == 1 && curvature[2] == 0);
}

static void bce_loss_beyond_its_ends_is_nan(void **state)
{
    (void)state;
    static const double x[] = {-0.1, 1.1, NAN, -INFINITY, INFINITY}, y[] = {0, 1, 0, 1, 0};
    const rg_tensor loss =
        rg_bce_loss(tape, rg_input_f64(tape, RG_SHAPE(5), x), rg_input_f64(tape, RG_SHAPE(5), y), RG_NIL, RG_NONE);
    const double *const value = rg_data_f64(tape, loss);
    assert_tape_ok(tape);
    for (int i = 0; i < 5; i++)
        assert_true(isnan(value[i]));
}

static void targets_of_zero_have_finite_gradients(void **state)
{
    (void)state;
    static const double x[] = {-1, -700, 3}, zeros[3] = {0, 0, 0};
    const rg_tensor a = rg_input_f64(tape, RG_SHAPE(3), x), y = rg_input_f64(tape, RG_SHAPE(3), zeros);
    const rg_tensor losses[] = {
        rg_kl_div(tape, a, y, &(rg_kl_div_config){.reduction = RG_SUM}),
        rg_poisson_nll_loss(tape, a, y, &(rg_poisson_nll_config){.reduction = RG_SUM, .full = true}),
    };
    for (int k = 0; k < 2; k++) {
        rg_tensor slope;
        assert_true(rg_grad(tape, losses[k], &y, 1, &slope));
        for (int i = 0; i < 3; i++)
            assert_near(rg_data_f64(tape, slope)[i], -x[i], 0);
    }
    assert_tape_ok(tape);
}

/* ---- penalties --------------------------------------------------------------------------------------------------- */

static rg_params *model(void)
{
    rg_params *ps = rg_params_new(3);
    assert_non_null(ps);
    rg_params_set_dtype(ps, RG_F64);
    const double weight[] = {1, -2, 3}, bias[] = {0, 0.5};
    const float other[] = {-4};
    const int64_t count[] = {9};
    assert_non_null(rg_param_new(ps, "encoder.0.weight", RG_F64, RG_SHAPE(3), weight));
    assert_non_null(rg_param_new(ps, "encoder.0.bias", RG_F64, RG_SHAPE(2), bias));
    assert_non_null(rg_param_new(ps, "head.weight", RG_F32, RG_SHAPE(1), other));
    assert_non_null(rg_buffer_new(ps, "encoder.0.weight_mean", RG_F64, RG_SHAPE(3), weight));
    assert_non_null(rg_buffer_new(ps, "steps", RG_I64, RG_SCALAR, count));
    return ps;
}

static void penalties_add_up_the_parameters_that_match(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        double l1, l2;
    } expected[] = {
        {NULL, 10.5, 30.25},    {"*", 10.5, 30.25},        {"*.weight", 10, 30},
        {"*weight*", 10, 30},   {"encoder.*", 6.5, 14.25}, {"encoder.?.bias", 0.5, 0.25},
        {"head.weight", 4, 16}, {"*e*.weight", 10, 30},    {"*d*r*0*bias", 0.5, 0.25},
    };
    rg_params *ps = model();
    for (size_t i = 0; i < COUNT(expected); i++) {
        const rg_tensor l1 = rg_l1_penalty(tape, ps, expected[i].pattern, 0.5);
        assert_int_equal(rg_dtype_of(tape, l1), RG_F64);
        assert_int_equal(rg_shape_of(tape, l1).rank, 0);
        assert_near(rg_item(tape, l1), 0.5 * expected[i].l1, 1e-15);
        assert_near(rg_item(tape, rg_l2_penalty(tape, ps, expected[i].pattern, 2)), 2 * expected[i].l2, 1e-15);
    }
    assert_tape_ok(tape);
    rg_tape_reset(tape);
    rg_params_free(ps);
}

static void penalties_pull_parameters_towards_zero(void **state)
{
    (void)state;
    rg_params *ps = model();
    rg_backward(tape, rg_add(tape, rg_l1_penalty(tape, ps, "*bias", 0.25), rg_l2_penalty(tape, ps, "*.weight", 0.5)));
    const double *const weight = rg_data_f64(tape, rg_param_grad(tape, rg_params_find(ps, "encoder.0.weight")));
    const double *const bias = rg_data_f64(tape, rg_param_grad(tape, rg_params_find(ps, "encoder.0.bias")));
    const float *const other = rg_data_f32(tape, rg_param_grad(tape, rg_params_find(ps, "head.weight")));
    assert_tape_ok(tape);
    assert_true(weight[0] == 1 && weight[1] == -2 && weight[2] == 3);
    assert_true(bias[0] == 0 && bias[1] == 0.25);
    assert_true(other[0] == -4);
    rg_params_clear_grads(tape, ps);

    rg_param_set_trainable(rg_params_find(ps, "head.weight"), false);
    assert_near(rg_item(tape, rg_l2_penalty(tape, ps, NULL, 1)), 14.25, 1e-15);
    assert_near(rg_item(tape, rg_l2_penalty(tape, ps, "head.*", 1)), 0, 0); /* frozen, but there */
    assert_tape_ok(tape);
    rg_tape_reset(tape);
    rg_params_free(ps);
}

static void penalties_refuse_what_does_not_fit(void **state)
{
    (void)state;
    rg_params *ps = model(), *empty = rg_params_new(1);
    const char *const none[] = {
        "", "decoder.*", "*.weight?", "?", "steps", "encoder.0.weight_mean", "Head.weight", "head.weigh"};
    for (size_t i = 0; i < COUNT(none); i++) {
        RANGE(rg_l1_penalty(tape, ps, none[i], 1), "l1_penalty", "matches", none[i]);
        RANGE(rg_l2_penalty(tape, ps, none[i], 1), "l2_penalty", "matches", none[i]);
    }
    const double bad[] = {-1, NAN, INFINITY};
    for (size_t i = 0; i < COUNT(bad); i++)
        RANGE(rg_l2_penalty(tape, ps, NULL, bad[i]), "l2_penalty", "strength");
    RANGE(rg_l1_penalty(tape, NULL, NULL, 1), "l1_penalty", "NULL");
    assert_near(rg_item(tape, rg_l1_penalty(tape, empty, NULL, 1)), 0, 0);
    assert_true(rg_is_nil(rg_l1_penalty(NULL, ps, NULL, 1)));
    assert_tape_ok(tape);
    rg_tape_reset(tape);
    rg_params_free(ps);
    rg_params_free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(losses_differentiate_twice),
        TEST(losses_do_not_depend_on_the_number_of_threads),
        TEST(losses_of_no_rows_are_nan_zero_and_empty),
        TEST(losses_refuse_what_is_no_float_and_what_is_not_there),
        TEST(losses_refuse_shapes_that_do_not_fit),
        TEST(losses_refuse_numbers_outside_of_their_range),
        TEST(classes_out_of_range_are_an_error_when_computed),
        TEST(focal_losses_are_finite_and_keep_their_digits_at_any_logit),
        TEST(margins_of_large_logits_do_not_overflow),
        TEST(smooth_l1_of_a_tiny_beta_is_l1),
        TEST(bce_loss_beyond_its_ends_is_nan),
        TEST(targets_of_zero_have_finite_gradients),
        TEST(penalties_add_up_the_parameters_that_match),
        TEST(penalties_pull_parameters_towards_zero),
        TEST(penalties_refuse_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
