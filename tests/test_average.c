/* Moving averages of weights where golden values do not look: several on one tape, names, swapping, errors. */
#include "optim_support.h"

enum { STEPS = 14 };

/* The average of kind `kind` after update number n (from 0), from the one before. */
static double formula(const rg_average_config *c, int n, double average, double w, double *raw)
{
    const double decay = c->decay == 0 ? 0.999 : c->decay;
    switch (c->kind) {
    case RG_AVERAGE_EXPONENTIAL: return n == 0 ? w : decay * average + (1 - decay) * w;
    case RG_AVERAGE_CORRECTED: *raw = decay * *raw + (1 - decay) * w; return *raw / (1 - pow(decay, n + 1));
    case RG_AVERAGE_WARMUP: {
        const double early = fmin(decay, (1.0 + n) / (10.0 + n));
        return n == 0 ? w : early * average + (1 - early) * w;
    }
    case RG_AVERAGE_EQUAL: return (n * average + w) / (n + 1);
    }
    return NAN;
}

static void check_average(const rg_average_config *config, rg_dtype dtype, double tolerance)
{
    const model m = model_new(dtype);
    rg_optim *opt = rg_sgd_new(m.ps, &(rg_sgd_config){.lr = 0.1});
    rg_average *average = rg_average_new(m.ps, config);
    assert_non_null(average);
    char name[64];
    snprintf(name, sizeof name, "w/%s", config->name != NULL ? config->name : "average");
    double expected = 0, raw = 0, w = W0[0];
    for (int step = 0; step < STEPS; step++) {
        backward_of(tape, m, step, true);
        rg_optim_step(opt, tape);
        rg_average_update(average, tape);
        if (step % 3 == 0) /* several updates may be on one tape */
            rg_tape_reset(tape);
        w -= 0.1 * gradient_at(step, 0);
        expected = formula(config, step, expected, w, &raw);
    }
    rg_tape_reset(tape);
    assert_tape_ok(tape);
    assert_near(value_at(m.w, 0), w, tolerance);
    assert_near(value_at(rg_params_find(m.ps, name), 0), expected, tolerance);
    assert_int_equal(rg_param_kind_of(rg_params_find(m.ps, name)), RG_STATE);
    rg_average_free(average);
    rg_optim_free(opt);
    model_free(m);
}

static void averages_follow_their_formulas(void **state)
{
    (void)state;
    for (int kind = RG_AVERAGE_EXPONENTIAL; kind <= RG_AVERAGE_EQUAL; kind++)
        for (int dtype = RG_F32; dtype <= RG_F64; dtype++) {
            const double tolerance = dtype == RG_F64 ? 1e-13 : 2e-6;
            check_average(&(rg_average_config){.kind = (rg_average_kind)kind}, (rg_dtype)dtype, tolerance);
            check_average(&(rg_average_config){.kind = (rg_average_kind)kind, .decay = 0.8, .name = "slow"},
                          (rg_dtype)dtype, tolerance);
        }
}

static void weights_and_averages_change_places_and_back(void **state)
{
    (void)state;
    const model m = model_new(RG_F32);
    rg_param *frozen = rg_param_new(m.ps, "frozen", RG_F32, RG_SHAPE(1), (const float[]){7});
    rg_param *whole = rg_param_new(m.ps, "whole", RG_I64, RG_SHAPE(1), (const int64_t[]){8});
    rg_param_set_trainable(frozen, false);
    rg_average *average = rg_average_new(m.ps, &(rg_average_config){.kind = RG_AVERAGE_EQUAL});
    float set[WS] = {1, 2, 3};
    for (int i = 0; i < 2; i++) {
        set[0] += 4;
        assert_true(rg_param_set(m.w, set, sizeof set));
        rg_average_update(average, tape);
        rg_tape_reset(tape);
    }
    char before[33], during[33], after[33];
    rg_params_fingerprint(m.ps, before);
    const rg_tensor old = rg_leaf(tape, m.w);
    rg_average_swap(average, tape);
    assert_true(rg_average_swapped(average));
    /* At once for what is recorded behind it, not for what was before. */
    assert_true(rg_data_f32(tape, rg_leaf(tape, m.w))[0] == 7);
    assert_true(rg_data_f32(tape, old)[0] == 9);
    rg_tape_reset(tape);
    assert_tape_ok(tape);
    rg_params_fingerprint(m.ps, during);
    assert_true(value_at(m.w, 0) == 7 && value_at(m.w, 1) == 2 && value_at(rg_params_find(m.ps, "w/average"), 0) == 9);
    assert_true(value_at(frozen, 0) == 7 && ((const int64_t *)rg_param_data(whole))[0] == 8);
    assert_null(rg_params_find(m.ps, "whole/average"));
    rg_average_update(average, tape);
    assert_error(tape, RG_ERROR_STATE, WORDS("average_update", "swapped in"));
    rg_average_swap(average, tape);
    rg_tape_reset(tape);
    assert_tape_ok(tape);
    assert_false(rg_average_swapped(average));
    rg_params_fingerprint(m.ps, after);
    assert_string_equal(before, after);
    assert_string_not_equal(before, during);
    rg_average_swap(average, tape); /* both on one tape */
    rg_average_swap(average, tape);
    rg_tape_reset(tape);
    assert_tape_ok(tape);
    rg_params_fingerprint(m.ps, after);
    assert_string_equal(before, after);
    rg_average_free(average);
    model_free(m);
}

/* What is dropped with a step changed no places; another object of the same name knows what the store knows. */
static void the_store_knows_what_is_swapped(void **state)
{
    (void)state;
    const model m = model_new(RG_F32);
    rg_average *average = rg_average_new(m.ps, NULL), *other = rg_average_new(m.ps, NULL);
    rg_average_update(average, tape);
    rg_tape_reset(tape);
    const float later[WS] = {10, 20, 30};
    assert_true(rg_param_set(m.w, later, sizeof later));
    rg_tape_fail(tape, RG_ERROR_VALUE, "a step that fails");
    rg_average_swap(average, tape);
    rg_tape_reset(tape);
    rg_tape_clear_error(tape);
    assert_false(rg_average_swapped(average));
    assert_true(value_at(m.w, 0) == 10);
    rg_average_swap(average, tape);
    rg_tape_fail(tape, RG_ERROR_VALUE, "one that fails behind the exchange");
    rg_tape_reset(tape);
    rg_tape_clear_error(tape);
    assert_true(rg_average_swapped(average) && rg_average_swapped(other));
    assert_true(value_at(m.w, 0) != 10 && value_at(rg_params_find(m.ps, "w/average"), 0) == 10);
    rg_average_update(other, tape);
    assert_error(tape, RG_ERROR_STATE, WORDS("average_update", "swapped in"));
    rg_average_swap(other, tape);
    assert_false(rg_average_swapped(average));
    assert_true(value_at(m.w, 0) == 10 && value_at(rg_params_find(m.ps, "w/average.count"), 0) == 1);
    rg_average_free(average);
    rg_average_free(other);
    model_free(m);
}

static void buffers_are_averaged_where_that_is_asked_for(void **state)
{
    (void)state;
    for (int buffers = 0; buffers < 2; buffers++) {
        rg_params *ps = rg_params_new(1);
        rg_buffer_new(ps, "mean", RG_F64, RG_SHAPE(1), (const double[]){5});
        rg_param_new(ps, "w", RG_F64, RG_SHAPE(1), NULL);
        rg_average *average = rg_average_new(ps, &(rg_average_config){.buffers = buffers == 1});
        rg_average_update(average, tape);
        rg_tape_reset(tape);
        assert_tape_ok(tape);
        assert_true((rg_params_find(ps, "mean/average") != NULL) == (buffers == 1));
        rg_average_free(average);
        rg_params_free(ps);
    }
}

static void another_average_of_the_name_goes_on(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    for (int i = 0; i < 4; i++) {
        rg_average *average = rg_average_new(m.ps, &(rg_average_config){.kind = RG_AVERAGE_EQUAL});
        assert_true(rg_param_set(m.w, (const double[]){i, 0, 1}, WS * sizeof(double)));
        rg_average_update(average, tape);
        rg_tape_reset(tape);
        rg_average_free(average);
    }
    assert_tape_ok(tape);
    assert_near(value_at(rg_params_find(m.ps, "w/average"), 0), 1.5, 1e-15);
    assert_true(value_at(rg_params_find(m.ps, "w/average.count"), 0) == 4);
    model_free(m);
}

static void mistakes_are_errors_on_the_tape(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    rg_average *average = rg_average_new(m.ps, NULL);
    rg_average_swap(average, tape);
    assert_error(tape, RG_ERROR_STATE, WORDS("average_swap", "no 'average' yet"));
    assert_false(rg_average_swapped(average));
    rg_average_free(average);
    const double decays[] = {-0.5, 1.5, NAN};
    for (size_t i = 0; i < COUNT(decays); i++) {
        average = rg_average_new(m.ps, &(rg_average_config){.decay = decays[i]});
        rg_average_update(average, tape);
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS("average_update", "decay is"));
        rg_average_free(average);
    }
    average = rg_average_new(m.ps, &(rg_average_config){.kind = (rg_average_kind)9});
    rg_average_update(average, tape);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("average_update", "9 is no kind"));
    rg_average_free(average);
    assert_non_null(rg_buffer_new(m.ps, "w/average", RG_I32, RG_SHAPE(2), NULL));
    average = rg_average_new(m.ps, NULL);
    rg_average_update(average, tape);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("average_update", "w/average"));
    rg_average_update(average, NULL);
    rg_average_swap(average, NULL);
    rg_average_free(average);
    rg_average_update(NULL, tape);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("average_update", "NULL"));
    rg_average_swap(NULL, tape);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("average_swap", "NULL"));
    assert_null(rg_average_new(NULL, NULL));
    assert_false(rg_average_swapped(NULL));
    rg_average_free(NULL);
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(averages_follow_their_formulas),      TEST(weights_and_averages_change_places_and_back),
        TEST(the_store_knows_what_is_swapped),     TEST(buffers_are_averaged_where_that_is_asked_for),
        TEST(another_average_of_the_name_goes_on), TEST(mistakes_are_errors_on_the_tape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
