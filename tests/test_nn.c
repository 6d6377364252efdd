/* Layers, initialisers and metrics against formulas written out in plain C. */
#include "nn_support.h"

/* ---- layers ------------------------------------------------------------------------------------------------------ */

static const double X[6] = {0.3, -1.2, 2.5, 0.0, -0.4, 1.9};

static void linear_is_x_times_weight_transposed_plus_bias(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(3);
    rg_params_set_dtype(ps, RG_F64);
    rg_linear layer = rg_linear_new(ps, "encoder.0", 3, 2);
    assert_string_equal(rg_params_error(ps), "");
    assert_string_equal(rg_param_name(layer.weight), "encoder.0.weight");
    assert_string_equal(rg_param_name(layer.bias), "encoder.0.bias");
    assert_true(rg_shape_equal(rg_param_shape(layer.weight), RG_SHAPE(2, 3)));
    assert_true(rg_shape_equal(rg_param_shape(layer.bias), RG_SHAPE(2)));
    assert_int_equal(rg_param_dtype(layer.weight), RG_F64);
    assert_true(rg_param_trainable(layer.weight) && rg_param_trainable(layer.bias));

    const double *weight = rg_param_data(layer.weight), *bias = rg_param_data(layer.bias);
    for (int with_bias = 1; with_bias >= 0; with_bias--) {
        if (!with_bias)
            layer.bias = NULL;
        const rg_tensor y = rg_linear_forward(tape, &layer, rg_input_f64(tape, RG_SHAPE(2, 1, 3), X));
        const double *value = rg_data_f64(tape, y);
        assert_tape_ok(tape);
        assert_true(rg_shape_equal(rg_shape_of(tape, y), RG_SHAPE(2, 1, 2)));
        for (int i = 0; i < 2; i++)
            for (int o = 0; o < 2; o++) {
                double expected = with_bias ? bias[o] : 0;
                for (int k = 0; k < 3; k++)
                    expected += X[i * 3 + k] * weight[o * 3 + k];
                assert_near(value[i * 2 + o], expected, 1e-14);
            }
    }
    rg_node node;
    assert_true(rg_tape_node(tape, rg_tape_at(tape, rg_tape_length(tape) - 1), &node));
    assert_string_equal(node.scope, "encoder.0");
    assert_string_equal(rg_scope(tape), "");
    rg_tape_reset(tape);
    rg_params_free(ps);
}

static void linear_starts_uniform_within_one_over_root_in(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(11);
    const rg_linear layer = rg_linear_new(ps, "l", 100, 500);
    const float *weight = rg_param_data(layer.weight), *bias = rg_param_data(layer.bias);
    double sum = 0, squares = 0, largest = 0;
    for (int i = 0; i < 50000; i++) {
        sum += weight[i];
        squares += (double)weight[i] * weight[i];
        largest = fmax(largest, fabs(weight[i]));
    }
    assert_true(largest <= 0.1 + 1e-7 && largest > 0.0999);
    assert_true(fabs(sum / 50000) < 0.002);
    assert_near(sqrt(squares / 50000), 0.1 / sqrt(3), 1e-3);
    double bias_largest = 0;
    for (int i = 0; i < 500; i++)
        bias_largest = fmax(bias_largest, fabs(bias[i]));
    assert_true(bias_largest <= 0.1 + 1e-7 && bias_largest > 0.09);
    rg_params_free(ps);
}

static void layers_that_failed_to_be_made_are_errors_when_used(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    const rg_tensor x = rg_input_f32(tape, RG_SHAPE(1), (const float[]){1});
    rg_linear layer = rg_linear_new(ps, "taken", 1, 1);
    assert_string_equal(rg_params_error(ps), "");

    layer = rg_linear_new(ps, "taken", 1, 1);
    assert_non_null(strstr(rg_params_error(ps), "taken.weight"));
    assert_true(rg_is_nil(rg_linear_forward(tape, &layer, x)));
    assert_error(tape, RG_ERROR_STATE, WORDS("linear_forward", "taken"));
    rg_params_clear_error(ps);

    /* A layer that could not get its bias must not work as one without. */
    assert_non_null(rg_param_new(ps, "half.bias", RG_F32, RG_SHAPE(1), NULL));
    layer = rg_linear_new(ps, "half", 1, 1);
    assert_non_null(strstr(rg_params_error(ps), "half.bias"));
    assert_true(rg_is_nil(rg_linear_forward(tape, &layer, x)));
    assert_error(tape, RG_ERROR_STATE, WORDS("linear_forward", "half"));
    rg_params_clear_error(ps);

    layer = rg_linear_new(ps, "negative", -1, 1);
    assert_int_not_equal(rg_params_status(ps), RG_OK);
    assert_null(layer.weight);
    rg_params_clear_error(ps);
    layer = rg_linear_new(ps, "huge", INT64_MAX, INT64_MAX);
    assert_int_not_equal(rg_params_status(ps), RG_OK);
    assert_null(layer.weight);
    rg_params_clear_error(ps);
    layer = rg_linear_new(ps, NULL, 1, 1);
    assert_int_equal(rg_params_status(ps), RG_ERROR_ARGUMENT);
    assert_null(layer.weight);
    layer = rg_linear_new(NULL, "nowhere", 1, 1);
    assert_null(layer.weight);
    assert_true(rg_is_nil(rg_linear_forward(tape, &layer, x)));
    assert_error(tape, RG_ERROR_STATE, WORDS("linear_forward", "could not be made"));
    assert_true(rg_is_nil(rg_linear_forward(tape, NULL, x)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("linear_forward", "NULL"));
    rg_tape_reset(tape);
    rg_params_free(ps);
}

static void dropout_zeroes_with_probability_p_and_scales_the_rest(void **state)
{
    (void)state;
    enum { MANY = 40000 };
    const double p = 0.3;
    const rg_tensor x = rg_full(tape, RG_F64, RG_SHAPE(MANY), 2);
    const rg_tensor y = rg_dropout(tape, x, p, true);
    rg_tensor gradient;
    assert_true(rg_grad(tape, rg_sum(tape, y, RG_ALL, false), &x, 1, &gradient));
    const double *value = rg_data_f64(tape, y), *slope = rg_data_f64(tape, gradient);
    assert_tape_ok(tape);
    int zeros = 0;
    for (int i = 0; i < MANY; i++) {
        if (value[i] == 0)
            zeros++;
        else
            assert_near(value[i], 2 / (1 - p), 1e-15);
        assert_near(slope[i], value[i] / 2, 1e-15);
    }
    assert_near((double)zeros / MANY, p, 0.01); /* 4 standard deviations */
    const rg_tensor again = rg_dropout(tape, x, p, true);
    assert_true(memcmp(rg_data_f64(tape, again), rg_data_f64(tape, y), MANY * sizeof(double)) != 0);
    assert_tape_ok(tape);
}

static void dropout_at_its_ends(void **state)
{
    (void)state;
    const double values[] = {1, -2, INFINITY, NAN};
    const rg_tensor x = rg_input_f64(tape, RG_SHAPE(4), values);
    const int64_t length = rg_tape_length(tape);
    const rg_tensor same[] = {rg_dropout(tape, x, 0, true), rg_dropout(tape, x, 0.5, false),
                              rg_dropout(tape, x, 1, false)};
    for (size_t i = 0; i < COUNT(same); i++)
        assert_true(same[i].id == x.id && same[i].generation == x.generation);
    assert_int_equal(rg_tape_length(tape), length);
    const rg_tensor none = rg_dropout(tape, x, 1, true);
    for (int i = 0; i < 4; i++)
        assert_true(rg_data_f64(tape, none)[i] == 0);
    assert_tape_ok(tape);

    const double bad[] = {-0.1, 1.5, NAN};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_true(rg_is_nil(rg_dropout(tape, x, bad[i], i % 2 == 0)));
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS("dropout", "p is", "[0, 1]"));
    }
    assert_true(rg_is_nil(rg_dropout(tape, rg_cast(tape, x, RG_I32), 0.5, true)));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("dropout", "i32"));
    assert_true(rg_is_nil(rg_dropout(tape, RG_NIL, 0.5, true)));
    assert_error(tape, RG_ERROR_HANDLE, WORDS("dropout", "nil"));
}

/* ---- initialisers ------------------------------------------------------------------------------------------------ */

typedef struct statistics {
    double low, high, mean, std;
} statistics;

static statistics statistics_of(const rg_param *p)
{
    const int64_t n = rg_param_numel(p);
    statistics s = {INFINITY, -INFINITY, 0, 0};
    double squares = 0;
    for (int64_t i = 0; i < n; i++) {
        const void *data = rg_param_data(p);
        const double v = rg_param_dtype(p) == RG_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
        s.low = fmin(s.low, v);
        s.high = fmax(s.high, v);
        s.mean += v / (double)n;
        squares += v * v / (double)n;
    }
    s.std = sqrt(squares - s.mean * s.mean);
    return s;
}

static void check_uniform(const rg_param *p, double bound)
{
    const statistics s = statistics_of(p);
    assert_true(s.low >= -bound * (1 + 1e-6) && s.low < -0.999 * bound);
    assert_true(s.high <= bound * (1 + 1e-6) && s.high > 0.999 * bound);
    assert_true(fabs(s.mean) < 0.01 * bound);
    assert_true(fabs(s.std / (bound / sqrt(3)) - 1) < 0.01);
}

static void check_normal(const rg_param *p, double mean, double std)
{
    const statistics s = statistics_of(p);
    assert_true(fabs(s.mean - mean) < 0.015 * std);
    assert_true(fabs(s.std / std - 1) < 0.01);
    assert_true(s.high > mean + 3.5 * std && s.low < mean - 3.5 * std && s.high < mean + 7 * std);
}

static void initialisers_have_the_spread_they_promise(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        const rg_dtype dtype = d == 0 ? RG_F32 : RG_F64;
        rg_params *ps = rg_params_new(5);
        /* fan_in 40 x 6, fan_out 300 x 6 */
        rg_param *p = rg_param_new(ps, "w", dtype, RG_SHAPE(300, 40, 2, 3), NULL);
        const double in = 240, out = 1800;
        rg_init_xavier_uniform(p, 1);
        check_uniform(p, sqrt(6 / (in + out)));
        rg_init_xavier_uniform(p, rg_gain(RG_TANH));
        check_uniform(p, 5.0 / 3 * sqrt(6 / (in + out)));
        rg_init_xavier_normal(p, 2);
        check_normal(p, 0, 2 * sqrt(2 / (in + out)));
        rg_init_he_uniform(p, rg_gain(RG_RELU));
        check_uniform(p, sqrt(2) * sqrt(3 / in));
        rg_init_he_normal(p, rg_gain(RG_RELU));
        check_normal(p, 0, sqrt(2 / in));
        rg_init_normal(p, 3, 0.5);
        check_normal(p, 3, 0.5);
        rg_init_uniform(p, -2, 2);
        check_uniform(p, 2);
        rg_init_constant(p, 0.25);
        const statistics s = statistics_of(p);
        assert_true(s.low == 0.25 && s.high == 0.25);
        assert_string_equal(rg_params_error(ps), "");
        rg_params_free(ps);
    }
    assert_near(rg_gain(RG_LINEAR), 1, 0);
    assert_near(rg_gain(RG_SIGMOID), 1, 0);
}

static void initial_values_depend_on_seed_and_name_alone(void **state)
{
    (void)state;
    rg_params *a = rg_params_new(9), *b = rg_params_new(9), *c = rg_params_new(10);
    const rg_linear a1 = rg_linear_new(a, "first", 5, 4), a2 = rg_linear_new(a, "second", 5, 4);
    const rg_linear b2 = rg_linear_new(b, "second", 5, 4);
    rg_param_new(b, "between", RG_F32, RG_SHAPE(3), NULL);
    const rg_linear b1 = rg_linear_new(b, "first", 5, 4), c1 = rg_linear_new(c, "first", 5, 4);
    const size_t bytes = 20 * sizeof(float);
    assert_memory_equal(rg_param_data(a1.weight), rg_param_data(b1.weight), bytes);
    assert_memory_equal(rg_param_data(a2.weight), rg_param_data(b2.weight), bytes);
    assert_memory_not_equal(rg_param_data(a1.weight), rg_param_data(a2.weight), bytes);
    assert_memory_not_equal(rg_param_data(a1.weight), rg_param_data(c1.weight), bytes);

    float before[20];
    memcpy(before, rg_param_data(a1.weight), bytes);
    const double bound = 1 / sqrt(5);
    rg_init_constant(a1.weight, 1);
    rg_init_uniform(a1.weight, -bound, bound); /* as the layer did */
    assert_memory_equal(rg_param_data(a1.weight), before, bytes);
    rg_params_free(a);
    rg_params_free(b);
    rg_params_free(c);
}

static void initialisers_refuse_what_does_not_fit(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(5);
    rg_param *vector = rg_param_new(ps, "v", RG_F32, RG_SHAPE(4), (const float[]){1, 2, 3, 4});
    rg_param *matrix = rg_param_new(ps, "m", RG_F32, RG_SHAPE(2, 2), (const float[]){1, 2, 3, 4});
    rg_param *index = rg_buffer_new(ps, "i", RG_I64, RG_SHAPE(2, 2), NULL);
    rg_param *empty = rg_param_new(ps, "e", RG_F32, RG_SHAPE(0, 3), NULL);
    rg_init_xavier_uniform(vector, 1);
    assert_store_error(ps, RG_ERROR_SHAPE, "'v' has rank 1");
    rg_init_he_normal(vector, 1);
    assert_store_error(ps, RG_ERROR_SHAPE, "'v' has rank 1");
    rg_init_xavier_normal(matrix, -1);
    assert_store_error(ps, RG_ERROR_ARGUMENT, "gain of 'm' is -1");
    rg_init_he_uniform(matrix, NAN);
    assert_store_error(ps, RG_ERROR_ARGUMENT, "gain of 'm' is");
    rg_init_uniform(matrix, 1, 0);
    assert_store_error(ps, RG_ERROR_ARGUMENT, "bounds of 'm' are 1 and 0");
    rg_init_uniform(matrix, 0, INFINITY);
    assert_store_error(ps, RG_ERROR_ARGUMENT, "bounds of 'm'");
    rg_init_uniform(matrix, 0, 1e300);
    assert_store_error(ps, RG_ERROR_ARGUMENT, "bounds of 'm'");
    rg_init_normal(matrix, 0, -1);
    assert_store_error(ps, RG_ERROR_ARGUMENT, "'m' are 0 and -1");
    rg_init_normal(index, 0, 1);
    assert_store_error(ps, RG_ERROR_DTYPE, "'i' is i64");
    rg_init_constant(index, 0);
    assert_store_error(ps, RG_ERROR_DTYPE, "'i' is i64");
    rg_init_he_uniform(index, 1);
    assert_store_error(ps, RG_ERROR_DTYPE, "'i' is i64");
    assert_memory_equal(rg_param_data(matrix), rg_param_data(vector), 4 * sizeof(float)); /* both as they were */
    rg_init_he_uniform(empty, 1);
    rg_init_xavier_normal(empty, 1);
    rg_init_normal(empty, 0, 1);
    assert_string_equal(rg_params_error(ps), "");
    rg_init_constant(NULL, 1);
    rg_init_uniform(NULL, 0, 1);
    rg_init_normal(NULL, 0, 1);
    rg_init_xavier_uniform(NULL, 1);
    rg_init_xavier_normal(NULL, 1);
    rg_init_he_uniform(NULL, 1);
    rg_init_he_normal(NULL, 1);
    rg_params_free(ps);
}

/* ---- metrics ----------------------------------------------------------------------------------------------------- */

static void accuracy_counts_rows_whose_first_largest_is_the_label(void **state)
{
    (void)state;
    static const float logits[] = {0, 2, 1, /**/ 5, 5, 1, /**/ -3, -2, -1, /**/ 1, 1, 1};
    static const int64_t labels[] = {1, 0, 2, 2};
    const rg_tensor x = rg_input_f32(tape, RG_SHAPE(4, 3), logits), y = rg_input_i64(tape, RG_SHAPE(4), labels);
    const rg_tensor share = rg_accuracy(tape, x, y);
    assert_int_equal(rg_dtype_of(tape, share), RG_F32);
    assert_int_equal(rg_shape_of(tape, share).rank, 0);
    assert_near(rg_item(tape, share), 0.75, 0);
    assert_near(rg_item(tape, rg_accuracy(tape, x, rg_cast(tape, y, RG_I32))), 0.75, 0);
    assert_true(isnan(
        rg_item(tape, rg_accuracy(tape, rg_zeros(tape, RG_F64, RG_SHAPE(0, 3)), rg_zeros(tape, RG_I64, RG_SHAPE(0))))));
    assert_tape_ok(tape);

    assert_true(rg_is_nil(rg_accuracy(tape, x, rg_input_i64(tape, RG_SHAPE(3), labels))));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("accuracy", "labels", "[3]", "[4]"));
    assert_true(rg_is_nil(rg_accuracy(tape, rg_input_f32(tape, RG_SHAPE(12), logits), y)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("accuracy", "[12]", "[n, classes]"));
    assert_true(rg_is_nil(rg_accuracy(tape, x, x)));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("accuracy", "labels", "f32"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(linear_is_x_times_weight_transposed_plus_bias),
        TEST(linear_starts_uniform_within_one_over_root_in),
        TEST(layers_that_failed_to_be_made_are_errors_when_used),
        TEST(dropout_zeroes_with_probability_p_and_scales_the_rest),
        TEST(dropout_at_its_ends),
        TEST(initialisers_have_the_spread_they_promise),
        TEST(initial_values_depend_on_seed_and_name_alone),
        TEST(initialisers_refuse_what_does_not_fit),
        TEST(accuracy_counts_rows_whose_first_largest_is_the_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
