/* Optimizers that update a part of a store, groups of parameters, scheduled momentum; what holds of every optimizer. */
#include "optim_support.h"

/* ---- every optimizer --------------------------------------------------------------------------------------------- */

static rg_optim *optim_number(rg_params *ps, int kind)
{
    switch (kind) {
    case 0: return rg_sgd_new(ps, &(rg_sgd_config){.momentum = 0.9, .dampening = 0.1, .weight_decay = 0.01});
    case 1: return rg_adagrad_new(ps, &(rg_adagrad_config){.lr_decay = 0.1});
    case 2: return rg_rmsprop_new(ps, &(rg_rmsprop_config){.momentum = 0.9, .centered = true});
    case 3: return rg_adadelta_new(ps, NULL);
    case 4: return rg_adam_new(ps, &(rg_adam_config){.amsgrad = true, .maximize = true});
    case 5: return rg_adamw_new(ps, NULL);
    case 6: return rg_nadam_new(ps, &(rg_nadam_config){.weight_decay = 0.1, .decoupled_weight_decay = true});
    case 7: return rg_radam_new(ps, NULL);
    case 8: return rg_adamax_new(ps, NULL);
    case 9: return rg_lamb_new(ps, &(rg_lamb_config){.weight_decay = 0.01});
    case 10: return rg_lion_new(ps, &(rg_lion_config){.weight_decay = 0.01});
    case 11: return rg_rprop_new(ps, NULL);
    default: return NULL;
    }
}
enum { KINDS = 12 };

/* A step of a two-layer network on data of the step's own. */
static void train_step(rg_tape *t, const rg_linear *l1, const rg_linear *l2, rg_optim *opt, int step)
{
    static float x[16 * 40];
    for (size_t i = 0; i < COUNT(x); i++)
        x[i] = sinf((float)i + (float)step);
    const rg_tensor h = rg_tanh(t, rg_linear_forward(t, l1, rg_input_f32(t, RG_SHAPE(16, 40), x)));
    rg_backward(t, rg_mean(t, rg_square(t, rg_linear_forward(t, l2, h)), RG_ALL, false));
    rg_optim_set_lr(opt, 0.01 / (1 + step));
    rg_optim_step(opt, t);
}

static void every_optimizer_is_one_plan_from_its_second_step_on(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        rg_params *ps = rg_params_new(5);
        rg_tape *t = rg_tape_new(NULL);
        const rg_linear l1 = rg_linear_new(ps, "l1", 40, 8), l2 = rg_linear_new(ps, "l2", 8, 3);
        rg_optim *opt = optim_number(ps, kind);
        rg_average *average = rg_average_new(ps, &(rg_average_config){.kind = (rg_average_kind)(kind % 4)});
        rg_optim_group(opt, "*.bias", &(rg_group){.lr_factor = 0.5});
        rg_tape_counts first = {0};
        for (int step = 0; step < 12; step++) { /* RAdam's rectification begins at the sixth */
            train_step(t, &l1, &l2, opt, step);
            rg_average_update(average, t);
            rg_tape_reset(t);
            if (step == 1)
                first = rg_tape_stats(t);
        }
        const rg_tape_counts last = rg_tape_stats(t);
        assert_tape_ok(t);
        assert_int_equal(first.plans, 1);
        assert_int_equal(last.plans, 1);
        assert_int_equal(last.hits - first.hits, 10);
        rg_average_free(average);
        rg_optim_free(opt);
        rg_tape_free(t);
        rg_params_free(ps);
    }
}

static void every_optimizer_is_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        char print[2][33];
        for (int threads = 1; threads <= 2; threads++) {
            rg_params *ps = rg_params_new(5);
            rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads});
            const rg_linear l1 = rg_linear_new(ps, "l1", 40, 700), l2 = rg_linear_new(ps, "l2", 700, 30);
            rg_optim *opt = optim_number(ps, kind);
            for (int step = 0; step < 3; step++) {
                train_step(t, &l1, &l2, opt, step);
                rg_tape_reset(t);
            }
            assert_tape_ok(t);
            rg_params_fingerprint(ps, print[threads - 1]);
            rg_optim_free(opt);
            rg_tape_free(t);
            rg_params_free(ps);
        }
        assert_string_equal(print[0], print[1]);
    }
}

static void maximize_is_to_minimise_the_negated_loss(void **state)
{
    (void)state;
    double value[2][WS];
    for (int up = 0; up < 2; up++) {
        const model m = model_new(RG_F64);
        rg_optim *opt = rg_nadam_new(m.ps, &(rg_nadam_config){.lr = 0.1, .weight_decay = 0.1, .maximize = up == 1});
        for (int step = 0; step < 5; step++) {
            const rg_tensor loss = add_term(tape, rg_constant(tape, RG_F64, 0), m.w, step, 0);
            rg_backward(tape, up == 1 ? loss : rg_neg(tape, loss));
            rg_optim_step(opt, tape);
            rg_tape_reset(tape);
        }
        assert_tape_ok(tape);
        for (int i = 0; i < WS; i++)
            value[up][i] = value_at(m.w, i);
        rg_optim_free(opt);
        model_free(m);
    }
    assert_memory_equal(value[0], value[1], sizeof value[0]);
    assert_true(value[0][0] != W0[0]);
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

static void the_first_group_that_matches_wins(void **state)
{
    (void)state;
    const char *const names[] = {"enc.0.weight", "enc.0.bias", "enc.10.weight", "dec.weight", "w"};
    /* Plain SGD at rate 1, gradient 0.5, decay 0.25 of the value 2: p := 2 - factor (0.5 + decay 2). */
    const double expected[] = {2 - 0.5 * (0.5 + 0.5), 2 - 0.5, 2 - 1.0, 2 - 0.0, 2 - 3 * 0.5};
    rg_params *ps = rg_params_new(1);
    rg_optim *opt = rg_sgd_new(ps, &(rg_sgd_config){.lr = 1, .weight_decay = 0.25});
    rg_optim_group(opt, "*.bias", &(rg_group){.weight_decay = RG_ZERO});
    rg_optim_group(opt, "enc.?.*", &(rg_group){.lr_factor = 0.5});
    rg_optim_group(opt, "enc*bias", &(rg_group){.lr_factor = 100}); /* never the first */
    rg_optim_group(opt, "dec*", &(rg_group){.lr_factor = RG_ZERO});
    rg_optim_group(opt, "?", &(rg_group){.lr_factor = 3, .weight_decay = RG_ZERO});
    rg_optim_group(opt, "?????", NULL); /* matches nothing */
    rg_tensor loss = rg_constant(tape, RG_F64, 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        rg_param *p = rg_param_new(ps, names[i], RG_F64, RG_SCALAR, &(double){2});
        loss = rg_add(tape, loss, rg_mul_scalar(tape, rg_leaf(tape, p), 0.5));
    }
    rg_backward(tape, loss);
    rg_optim_step(opt, tape);
    rg_tape_reset(tape);
    assert_tape_ok(tape);
    for (size_t i = 0; i < COUNT(names); i++)
        assert_near(value_at(rg_params_find(ps, names[i]), 0), expected[i], 1e-15);
    rg_optim_free(opt);
    rg_params_free(ps);
}

static void schedules_act_on_all_groups(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    rg_optim *opt = rg_sgd_new(m.ps, &(rg_sgd_config){.lr = 1});
    rg_optim_group(opt, "b", &(rg_group){.lr_factor = 0.1});
    rg_optim_set_lr(opt, 0.5);
    backward_of(tape, m, 0, true);
    rg_optim_step(opt, tape);
    rg_tape_reset(tape);
    assert_tape_ok(tape);
    assert_near(value_at(m.w, 1), W0[1] - 0.5 * gradient_at(0, 1), 1e-15);
    assert_near(value_at(m.b, 1), B0[1] - 0.05 * gradient_at(0, 11), 1e-15);
    rg_optim_free(opt);
    model_free(m);
}

static void mistakes_in_groups_are_errors_at_the_step(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    for (int i = 0; i < 7; i++) {
        rg_optim *opt = i < 5 ? rg_sgd_new(m.ps, NULL) : rg_rprop_new(m.ps, NULL);
        switch (i) {
        case 0: rg_optim_group(opt, "w", &(rg_group){.lr_factor = -1}); break;
        case 1: rg_optim_group(opt, "none", &(rg_group){.lr_factor = NAN}); break;
        case 2: rg_optim_group(opt, "w", &(rg_group){.weight_decay = INFINITY}); break;
        case 3: rg_optim_group(opt, NULL, NULL); break;
        case 4: rg_optim_only(opt, NULL); break;
        case 5: rg_optim_group(opt, "w", &(rg_group){.weight_decay = 0.1}); break;
        case 6: rg_optim_set_momentum(opt, 0.9); break;
        }
        static const char *const words[] = {"lr_factor of a group is -1",
                                            "lr_factor of a group is nan",
                                            "weight_decay of a group is inf",
                                            "a pattern is NULL",
                                            "a pattern is NULL",
                                            "'w' sets weight_decay",
                                            "set_momentum"};
        backward_of(tape, m, 0, true);
        rg_optim_step(opt, tape);
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS(i < 5 ? "sgd:" : "rprop:", words[i]));
        rg_params_clear_grads(tape, m.ps);
        rg_tape_reset(tape);
        rg_optim_free(opt);
    }
    for (int i = 0; i < WS; i++)
        assert_true(value_at(m.w, i) == W0[i]);
    rg_optim_group(NULL, "w", NULL);
    rg_optim_only(NULL, "w");
    rg_optim_set_momentum(NULL, 1);
    assert_true(rg_optim_momentum(NULL) == 0);
    rg_optim_update(NULL, tape);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("optim_step", "NULL"));
    model_free(m);
}

/* ---- parts of a store -------------------------------------------------------------------------------------------- */

/* Two networks that play against each other in one store, each trained by an optimizer of its own: the same as PyTorch's
 * loop with zero_grad before each backward pass. Plain SGD, so that the updates are known. */
static void two_optimizers_train_two_parts_of_one_store(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    rg_param *g = rg_param_new(ps, "generator.w", RG_F64, RG_SCALAR, &(double){1.5});
    rg_param *d = rg_param_new(ps, "discriminator.w", RG_F64, RG_SCALAR, &(double){-0.5});
    rg_optim *of_g = rg_sgd_new(ps, &(rg_sgd_config){.lr = 0.1}), *of_d = rg_sgd_new(ps, &(rg_sgd_config){.lr = 0.2});
    rg_optim_only(of_g, "generator.*");
    rg_optim_only(of_d, "discriminator.*");
    double wg = 1.5, wd = -0.5;
    for (int step = 0; step < 5; step++) {
        /* d: (d (g detached) - 1)^2; then g: -(d g) with d's new value; neither loss may reach the other's step. */
        const rg_tensor fake = rg_detach(tape, rg_leaf(tape, g));
        const rg_tensor error = rg_add_scalar(tape, rg_mul(tape, rg_leaf(tape, d), fake), -1);
        rg_backward(tape, rg_square(tape, error));
        rg_optim_step(of_d, tape);
        wd -= 0.2 * 2 * (wd * wg - 1) * wg;
        rg_backward(tape, rg_neg(tape, rg_mul(tape, rg_leaf(tape, d), rg_leaf(tape, g))));
        assert_false(rg_is_nil(rg_param_grad(tape, d)));
        rg_optim_step(of_g, tape);
        wg += 0.1 * wd;
        assert_true(rg_is_nil(rg_param_grad(tape, d)));
        rg_tape_reset(tape);
        assert_tape_ok(tape);
        assert_null(rg_param_stored_grad(d));
        assert_near(value_at(g, 0), wg, 1e-14);
        assert_near(value_at(d, 0), wd, 1e-14);
    }
    rg_optim_free(of_g);
    rg_optim_free(of_d);
    rg_params_free(ps);
}

static void several_optimizers_may_use_one_backward_pass(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    rg_optim *of_w = rg_sgd_new(m.ps, &(rg_sgd_config){.lr = 0.1});
    rg_optim *of_rest = rg_lion_new(m.ps, &(rg_lion_config){.lr = 0.25});
    rg_optim_only(of_w, "nothing");
    rg_optim_only(of_w, "w"); /* any of them */
    rg_optim_only(of_rest, "b");
    backward_of(tape, m, 0, true);
    rg_optim_update(of_w, tape);
    assert_false(rg_is_nil(rg_param_grad(tape, m.w)));
    rg_optim_step(of_rest, tape);
    assert_true(rg_is_nil(rg_param_grad(tape, m.w)));
    rg_tape_reset(tape);
    assert_tape_ok(tape);
    for (int i = 0; i < WS; i++)
        assert_near(value_at(m.w, i), W0[i] - 0.1 * gradient_at(0, i), 1e-15);
    for (int i = 0; i < BS; i++)
        assert_near(value_at(m.b, i), B0[i] - (gradient_at(0, 10 + i) > 0 ? 0.25 : -0.25), 1e-15);
    assert_null(rg_params_find(m.ps, "w/lion.m"));
    rg_optim_free(of_w);
    rg_optim_free(of_rest);
    model_free(m);
}

/* ---- scheduled momentum ------------------------------------------------------------------------------------------ */

static void momentum_may_change_at_every_step_in_one_plan(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    const model m = model_new(RG_F64);
    rg_optim *opt = rg_sgd_new(m.ps, &(rg_sgd_config){.lr = 0.1});
    double w = W0[0], b = 0;
    rg_tape_counts second = {0};
    for (int step = 0; step < 6; step++) {
        const double momentum = 0.9 - 0.1 * step;
        rg_optim_set_momentum(opt, momentum);
        assert_true(rg_optim_momentum(opt) == momentum);
        backward_of(t, m, step, true);
        rg_optim_step(opt, t);
        rg_tape_reset(t);
        b = momentum * b + gradient_at(step, 0);
        w -= 0.1 * b;
        assert_near(value_at(m.w, 0), w, 1e-14);
        if (step == 1)
            second = rg_tape_stats(t);
    }
    assert_tape_ok(t);
    assert_int_equal(rg_tape_stats(t).plans, second.plans);
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(m.ps);
}

static void momentum_out_of_range_is_an_error(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    rg_optim *opt = rg_adam_new(m.ps, NULL);
    assert_true(rg_optim_momentum(opt) == 0.9);
    rg_optim_set_momentum(opt, 0);
    assert_true(rg_optim_momentum(opt) == 0);
    rg_optim_set_momentum(opt, 1);
    backward_of(tape, m, 0, true);
    rg_optim_step(opt, tape);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("adam: beta1 is 1", "[0, 1)"));
    rg_optim_free(opt);
    model_free(m);
}

static void settings_of_each_optimizer_are_checked(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    struct {
        rg_optim *opt;
        const char *word;
    } bad[] = {
        {rg_adadelta_new(m.ps, &(rg_adadelta_config){.rho = 1.5}), "adadelta: rho is 1.5"},
        {rg_adadelta_new(m.ps, &(rg_adadelta_config){.eps = -1}), "adadelta: eps is -1"},
        {rg_nadam_new(m.ps, &(rg_nadam_config){.momentum_decay = NAN}), "nadam: momentum_decay is nan"},
        {rg_nadam_new(m.ps, &(rg_nadam_config){.beta1 = 1}), "nadam: beta1 is 1"},
        {rg_radam_new(m.ps, &(rg_radam_config){.beta2 = 1}), "radam: beta2 is 1"},
        {rg_adamax_new(m.ps, &(rg_adamax_config){.weight_decay = -2}), "adamax: weight_decay is -2"},
        {rg_lamb_new(m.ps, &(rg_lamb_config){.norm_min = 2, .norm_max = 1}), "lamb: norm_max is 1"},
        {rg_lamb_new(m.ps, &(rg_lamb_config){.norm_min = -1}), "lamb: norm_min is -1"},
        {rg_lion_new(m.ps, &(rg_lion_config){.beta2 = -0.5}), "lion: beta2 is -0.5"},
        {rg_rprop_new(m.ps, &(rg_rprop_config){.eta_plus = 1}), "rprop: eta_minus is 0.5 and eta_plus 1;"},
        {rg_rprop_new(m.ps, &(rg_rprop_config){.eta_minus = 1}), "rprop: eta_minus is 1 and"},
        {rg_rprop_new(m.ps, &(rg_rprop_config){.step_min = 2, .step_max = 1}), "rprop: step_min is 2 and step_max 1;"},
        {rg_rprop_new(m.ps, &(rg_rprop_config){.lr = -1}), "rprop: lr is -1"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_non_null(bad[i].opt);
        backward_of(tape, m, 0, true);
        rg_optim_step(bad[i].opt, tape);
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS(bad[i].word));
        rg_params_clear_grads(tape, m.ps);
        rg_tape_reset(tape);
        rg_optim_free(bad[i].opt);
    }
    assert_null(rg_adadelta_new(NULL, NULL));
    assert_null(rg_nadam_new(NULL, NULL));
    assert_null(rg_radam_new(NULL, NULL));
    assert_null(rg_adamax_new(NULL, NULL));
    assert_null(rg_lamb_new(NULL, NULL));
    assert_null(rg_lion_new(NULL, NULL));
    assert_null(rg_rprop_new(NULL, NULL));
    assert_null(rg_lbfgs_new(NULL, NULL));
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_optimizer_is_one_plan_from_its_second_step_on),
        TEST(every_optimizer_is_the_same_for_any_number_of_threads),
        TEST(maximize_is_to_minimise_the_negated_loss),
        TEST(the_first_group_that_matches_wins),
        TEST(schedules_act_on_all_groups),
        TEST(mistakes_in_groups_are_errors_at_the_step),
        TEST(two_optimizers_train_two_parts_of_one_store),
        TEST(several_optimizers_may_use_one_backward_pass),
        TEST(momentum_may_change_at_every_step_in_one_plan),
        TEST(momentum_out_of_range_is_an_error),
        TEST(settings_of_each_optimizer_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
