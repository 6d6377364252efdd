/* Gradient clipping. */
#include "optim_support.h"

/* ---- clipping ---------------------------------------------------------------------------------------------------- */

static double norm_of(bool with_b)
{
    double sum = 0;
    for (int i = 0; i < WS; i++)
        sum += gradient_at(0, i) * gradient_at(0, i);
    for (int i = 0; i < BS && with_b; i++)
        sum += gradient_at(0, 10 + i) * gradient_at(0, 10 + i);
    return sqrt(sum);
}

static void check_clipped(model m, double scale)
{
    const rg_tensor w = rg_param_grad(tape, m.w), b = rg_param_grad(tape, m.b);
    const double *gw = rg_data_f64(tape, w), *gb = rg_data_f64(tape, b);
    assert_tape_ok(tape);
    for (int i = 0; i < WS; i++)
        assert_near(gw[i], scale * gradient_at(0, i), 1e-14);
    for (int i = 0; i < BS; i++)
        assert_near(gb[i], scale * gradient_at(0, 10 + i), 1e-14);
}

static void clip_grad_norm_scales_all_gradients_together(void **state)
{
    (void)state;
    const double norm = norm_of(true), limits[] = {norm / 3, norm * 3, INFINITY, 0};
    for (size_t i = 0; i < COUNT(limits); i++) {
        const model m = model_new(RG_F64);
        backward_of(tape, m, 0, true);
        const rg_tensor recorded = rg_clip_grad_norm(tape, m.ps, limits[i]);
        check_clipped(m, fmin(1, limits[i] / (norm + 1e-6)));
        assert_near(rg_item(tape, recorded), norm, 1e-14); /* before clipping */
        assert_string_equal(rg_scope(tape), "");
        assert_int_equal(rg_mode_of(tape), RG_GRAD);
        assert_tape_ok(tape);
        rg_params_clear_grads(tape, m.ps);
        model_free(m);
    }
}

static void clipped_gradients_are_what_the_step_uses(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    rg_optim *opt = rg_sgd_new(m.ps, &(rg_sgd_config){.lr = 1});
    backward_of(tape, m, 0, false);
    const rg_tensor norm = rg_clip_grad_norm(tape, m.ps, 0.5);
    rg_optim_step(opt, tape);
    assert_near(rg_item(tape, norm), norm_of(false), 1e-14);
    rg_tape_reset(tape);
    assert_tape_ok(tape);
    for (int i = 0; i < WS; i++)
        assert_near(value_at(m.w, i), W0[i] - gradient_at(0, i) * 0.5 / (norm_of(false) + 1e-6), 1e-14);
    rg_optim_free(opt);
    model_free(m);
}

static void clip_grad_norm_joins_dtypes_and_is_zero_without_gradients(void **state)
{
    (void)state;
    model m = {.ps = rg_params_new(1)};
    m.w = param_of(m.ps, "w", RG_F32, RG_SHAPE(WS), W0);
    m.b = param_of(m.ps, "b", RG_F64, RG_SHAPE(BS), B0);
    rg_tensor norm = rg_clip_grad_norm(tape, m.ps, 1);
    assert_int_equal(rg_dtype_of(tape, norm), RG_F32);
    assert_true(rg_item(tape, norm) == 0);

    rg_backward(tape, add_term(tape, rg_constant(tape, RG_F32, 0), m.w, 0, 0));
    rg_backward(tape, add_term(tape, rg_constant(tape, RG_F64, 0), m.b, 0, 10));
    norm = rg_clip_grad_norm(tape, m.ps, 0.25);
    assert_int_equal(rg_dtype_of(tape, norm), RG_F64);
    assert_near(rg_item(tape, norm), norm_of(true), 1e-6);
    const double scale = 0.25 / (norm_of(true) + 1e-6);
    assert_near(rg_data_f32(tape, rg_param_grad(tape, m.w))[1], scale * gradient_at(0, 1), 1e-6);
    assert_near(rg_data_f64(tape, rg_param_grad(tape, m.b))[1], scale * gradient_at(0, 11), 1e-6);
    assert_tape_ok(tape);
    rg_params_clear_grads(tape, m.ps);
    model_free(m);
}

static void clip_grad_value_holds_each_element(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    backward_of(tape, m, 0, true);
    rg_clip_grad_value(tape, m.ps, 0.8);
    const double *gw = rg_data_f64(tape, rg_param_grad(tape, m.w)), *gb = rg_data_f64(tape, rg_param_grad(tape, m.b));
    assert_tape_ok(tape);
    int held = 0;
    for (int i = 0; i < WS + BS; i++) {
        const double g = gradient_at(0, i < WS ? i : 10 + i - WS), clipped = fmax(-0.8, fmin(0.8, g));
        held += clipped != g;
        assert_near(i < WS ? gw[i] : gb[i - WS], clipped, 1e-15);
    }
    assert_in_range(held, 1, WS + BS - 1);
    rg_params_clear_grads(tape, m.ps);
    model_free(m);
}

static void clipping_refuses_negative_limits(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    const double bad[] = {-1, NAN};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_true(rg_is_nil(rg_clip_grad_norm(tape, m.ps, bad[i])));
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS("clip_grad_norm", "max_norm is", "not be negative"));
        rg_clip_grad_value(tape, m.ps, bad[i]);
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS("clip_grad_value", "limit is", "not be negative"));
    }
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(clip_grad_norm_scales_all_gradients_together),
        TEST(clipped_gradients_are_what_the_step_uses),
        TEST(clip_grad_norm_joins_dtypes_and_is_zero_without_gradients),
        TEST(clip_grad_value_holds_each_element),
        TEST(clipping_refuses_negative_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
