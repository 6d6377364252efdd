/* L-BFGS: where it converges to, what it leaves alone, and what it says of mistakes. */
#include "nn_support.h"

/* ---- losses ------------------------------------------------------------------------------------------------------ */

typedef struct problem {
    rg_param *x;
    rg_tensor input, target; /* of the least-squares fit */
    rg_param *weight, *bias;
    int calls, fail_at; /* an error at that call; 0: never */
} problem;

/* (1 - x0)^2 + 100 (x1 - x0^2)^2 */
static rg_tensor rosenbrock(rg_tape *t, void *user)
{
    problem *p = user;
    p->calls++;
    if (p->calls == p->fail_at)
        rg_tape_fail(t, RG_ERROR_VALUE, "planned");
    const rg_tensor x = rg_leaf(t, p->x), x0 = rg_select(t, x, 0, 0), x1 = rg_select(t, x, 0, 1);
    const rg_tensor near = rg_square(t, rg_add_scalar(t, x0, -1));
    const rg_tensor valley = rg_square(t, rg_sub(t, x1, rg_square(t, x0)));
    return rg_add(t, near, rg_mul_scalar(t, valley, 100));
}

static rg_tensor least_squares(rg_tape *t, void *user)
{
    problem *p = user;
    p->calls++;
    const rg_tensor y = rg_affine(t, p->input, rg_leaf(t, p->weight), rg_leaf(t, p->bias));
    return rg_mse_loss(t, y, p->target, RG_MEAN);
}

/* x - log x, whose minimum is at 1; NaN left of 0. */
static rg_tensor barrier(rg_tape *t, void *user)
{
    problem *p = user;
    p->calls++;
    const rg_tensor x = rg_leaf(t, p->x);
    return rg_sum(t, rg_sub(t, x, rg_log(t, x)), RG_ALL, false);
}

static double number_of(const rg_param *p, int i)
{
    return rg_param_dtype(p) == RG_F32 ? (double)((const float *)rg_param_data(p))[i]
                                       : ((const double *)rg_param_data(p))[i];
}

static const double FAR[] = {-1.2, 1};

/* ---- where it goes ----------------------------------------------------------------------------------------------- */

static void it_finds_the_minimum_of_rosenbrocks_valley(void **state)
{
    (void)state;
    /* With PyTorch's default tolerances, and with narrow ones; what PyTorch 2.13 does and where it ends. */
    const struct {
        double tolerance_grad, tolerance_change;
        int calls;
        double x[2];
    } cases[] = {{0, 0, 43, {0.99998142107913657, 0.99996196518109892}}, {1e-10, 1e-16, 46, {1, 1}}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        rg_params *ps = rg_params_new(1);
        problem p = {.x = rg_param_new(ps, "x", RG_F64, RG_SHAPE(2), FAR)};
        rg_optim *opt = rg_lbfgs_new(ps, &(rg_lbfgs_config){.strong_wolfe = true,
                                                            .max_iter = 100,
                                                            .tolerance_grad = cases[i].tolerance_grad,
                                                            .tolerance_change = cases[i].tolerance_change});
        assert_near(rg_lbfgs_step(opt, tape, rosenbrock, &p), 24.2, 1e-14);
        assert_tape_ok(tape);
        assert_int_equal(p.calls, cases[i].calls);
        assert_near(number_of(p.x, 0), cases[i].x[0], i == 0 ? 1e-13 : 1e-8);
        assert_near(number_of(p.x, 1), cases[i].x[1], i == 0 ? 1e-13 : 1e-8);
        rg_optim_free(opt);
        rg_params_free(ps);
    }
}

static void a_least_squares_fit_is_the_closed_form(void **state)
{
    (void)state;
    enum { N = 12 };
    double x[N], y[N], sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int i = 0; i < N; i++) {
        x[i] = sin(1.3 * i) * 2 + 0.5;
        y[i] = 3 * x[i] - 2 + 0.3 * cos(5.1 * i);
        sx += x[i], sy += y[i], sxx += x[i] * x[i], sxy += x[i] * y[i];
    }
    const double slope = (N * sxy - sx * sy) / (N * sxx - sx * sx), offset = (sy - slope * sx) / N;
    for (int kind = 0; kind < 4; kind++) {
        const rg_dtype dtype = kind % 2 == 0 ? RG_F64 : RG_F32;
        const double tolerance = dtype == RG_F64 ? 1e-8 : 1e-5;
        rg_params *ps = rg_params_new(1);
        problem p = {.weight = rg_param_new(ps, "weight", dtype, RG_SHAPE(1, 1), NULL),
                     .bias = rg_param_new(ps, "bias", dtype, RG_SHAPE(1), NULL)};
        rg_optim *opt = rg_lbfgs_new(
            ps, &(rg_lbfgs_config){.strong_wolfe = kind < 2, .tolerance_grad = 1e-10, .tolerance_change = 1e-20});
        /* Recorded before the step, used in every evaluation of it. */
        p.input = rg_cast(tape, rg_input_f64(tape, RG_SHAPE(N, 1), x), dtype);
        p.target = rg_cast(tape, rg_input_f64(tape, RG_SHAPE(N, 1), y), dtype);
        for (int i = 0; i < 3; i++)
            rg_lbfgs_step(opt, tape, least_squares, &p);
        assert_tape_ok(tape);
        assert_near(number_of(p.weight, 0), slope, tolerance);
        assert_near(number_of(p.bias, 0), offset, tolerance);
        assert_true(rg_numel(tape, p.input) == N);
        rg_tape_reset(tape);
        rg_optim_free(opt);
        rg_params_free(ps);
    }
}

static void the_line_search_comes_back_from_where_the_loss_is_not_finite(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    problem p = {.x = rg_param_new(ps, "x", RG_F64, RG_SHAPE(2), (const double[]){3, 0.05})};
    rg_optim *opt = rg_lbfgs_new(ps, &(rg_lbfgs_config){.strong_wolfe = true, .lr = 1000, .max_iter = 60});
    rg_lbfgs_step(opt, tape, barrier, &p);
    assert_tape_ok(tape);
    assert_near(number_of(p.x, 0), 1, 1e-6);
    assert_near(number_of(p.x, 1), 1, 1e-6);
    /* Where it starts there: nothing moves. */
    assert_true(rg_param_set(p.x, (const double[]){-1, 2}, 2 * sizeof(double)));
    assert_true(isnan(rg_lbfgs_step(opt, tape, barrier, &p)));
    assert_tape_ok(tape);
    assert_true(number_of(p.x, 0) == -1 && number_of(p.x, 1) == 2);
    rg_optim_free(opt);
    rg_params_free(ps);
}

static void iterations_and_evaluations_are_limited(void **state)
{
    (void)state;
    const struct {
        rg_lbfgs_config config;
        int calls;
    } cases[] = {{{.max_iter = 1}, 1},
                 {{.max_iter = 4, .lr = 1e-4}, 4},
                 {{.max_iter = 10, .max_eval = 3, .lr = 1e-4}, 3},
                 {{.max_iter = 8, .lr = 1e-4}, 8},
                 {{.tolerance_grad = 1e6}, 1}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        rg_params *ps = rg_params_new(1);
        problem p = {.x = rg_param_new(ps, "x", RG_F64, RG_SHAPE(2), FAR)};
        rg_optim *opt = rg_lbfgs_new(ps, &cases[i].config);
        rg_lbfgs_step(opt, tape, rosenbrock, &p);
        assert_tape_ok(tape);
        assert_int_equal(p.calls, cases[i].calls);
        assert_true((number_of(p.x, 0) == FAR[0]) == (cases[i].config.tolerance_grad > 0));
        rg_optim_free(opt);
        rg_params_free(ps);
    }
}

/* ---- the tape and the store -------------------------------------------------------------------------------------- */

static void what_does_not_belong_to_it_is_left_alone(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    problem p = {.x = rg_param_new(ps, "x", RG_F64, RG_SHAPE(2), FAR),
                 .weight = rg_param_new(ps, "weight", RG_F64, RG_SHAPE(1, 2), (const double[]){1, 2}),
                 .bias = rg_param_new(ps, "bias", RG_F64, RG_SHAPE(1), (const double[]){3})};
    rg_backward(tape, rg_sum(tape, rg_leaf(tape, p.weight), RG_ALL, false));
    rg_param_set_trainable(p.bias, false);
    rg_optim *opt = rg_lbfgs_new(ps, &(rg_lbfgs_config){.strong_wolfe = true});
    rg_optim_only(opt, "x");
    p.input = rg_input_f64(tape, RG_SHAPE(1, 2), FAR);
    p.target = rg_input_f64(tape, RG_SHAPE(1, 1), FAR);
    rg_lbfgs_step(opt, tape, rosenbrock, &p);
    assert_tape_ok(tape);
    assert_false(rg_is_nil(rg_param_grad(tape, p.weight))); /* of before */
    assert_true(rg_is_nil(rg_param_grad(tape, p.x)));
    rg_params_clear_grads(tape, ps);
    assert_int_equal(rg_params_count(ps), 3);
    assert_true(number_of(p.weight, 0) == 1 && number_of(p.weight, 1) == 2 && number_of(p.bias, 0) == 3);
    rg_optim_free(opt);
    opt = rg_lbfgs_new(ps, NULL); /* x has no part in this loss: its gradient is 0 */
    const double before = number_of(p.x, 0);
    rg_lbfgs_step(opt, tape, least_squares, &p);
    assert_tape_ok(tape);
    assert_true(number_of(p.x, 0) == before && number_of(p.bias, 0) == 3 && number_of(p.weight, 0) != 1);
    rg_optim_free(opt);
    rg_tape_reset(tape);
    rg_params_free(ps);
}

static void every_evaluation_is_one_plan(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    problem p = {.x = rg_param_new(ps, "x", RG_F64, RG_SHAPE(2), FAR)};
    rg_tape *t = rg_tape_new(NULL);
    rg_optim *opt = rg_lbfgs_new(ps, &(rg_lbfgs_config){.strong_wolfe = true, .max_iter = 5});
    for (int i = 0; i < 4; i++) {
        rg_lbfgs_step(opt, t, rosenbrock, &p);
        rg_tape_reset(t);
    }
    assert_tape_ok(t);
    const rg_tape_counts counts = rg_tape_stats(t);
    assert_true(p.calls > 20);
    assert_int_equal(counts.plans, 1);
    assert_int_equal(counts.runs, p.calls);
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
}

static rg_tensor network(rg_tape *t, void *user)
{
    const rg_linear *const layers = user;
    const rg_tensor x = rg_linspace(t, RG_F32, -1, 1, 60 * 50);
    const rg_tensor h = rg_tanh(t, rg_linear_forward(t, &layers[0], rg_reshape(t, x, RG_SHAPE(60, 50))));
    return rg_mean(t, rg_square(t, rg_add_scalar(t, rg_linear_forward(t, &layers[1], h), -1)), RG_ALL, false);
}

static void the_number_of_threads_changes_nothing(void **state)
{
    (void)state;
    char print[2][33];
    for (int threads = 1; threads <= 2; threads++) {
        rg_params *ps = rg_params_new(2);
        rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads});
        const rg_linear layers[] = {rg_linear_new(ps, "l1", 50, 400), rg_linear_new(ps, "l2", 400, 10)};
        rg_optim *opt = rg_lbfgs_new(ps, &(rg_lbfgs_config){.strong_wolfe = true, .max_iter = 4});
        const double first = rg_lbfgs_step(opt, t, network, (void *)layers);
        assert_true(rg_lbfgs_step(opt, t, network, (void *)layers) < first);
        assert_tape_ok(t);
        rg_params_fingerprint(ps, print[threads - 1]);
        rg_optim_free(opt);
        rg_tape_free(t);
        rg_params_free(ps);
    }
    assert_string_equal(print[0], print[1]);
}

/* ---- mistakes ---------------------------------------------------------------------------------------------------- */

static void an_error_while_it_searches_leaves_the_parameters_of_before(void **state)
{
    (void)state;
    for (int wolfe = 0; wolfe < 2; wolfe++)
        for (int fail_at = 1; fail_at < 5; fail_at++) {
            rg_params *ps = rg_params_new(1);
            problem p = {.x = rg_param_new(ps, "x", RG_F64, RG_SHAPE(2), FAR), .fail_at = fail_at};
            rg_optim *opt = rg_lbfgs_new(ps, &(rg_lbfgs_config){.strong_wolfe = wolfe == 1, .lr = 0.01});
            assert_true(isnan(rg_lbfgs_step(opt, tape, rosenbrock, &p)));
            assert_error(tape, RG_ERROR_VALUE, WORDS("planned"));
            assert_int_equal(p.calls, fail_at);
            if (fail_at <= 2)
                assert_true(number_of(p.x, 0) == FAR[0] && number_of(p.x, 1) == FAR[1]);
            p.fail_at = 0; /* and it goes on */
            assert_true(rg_lbfgs_step(opt, tape, rosenbrock, &p) <= 24.2 + 1e-12);
            assert_tape_ok(tape);
            rg_optim_free(opt);
            rg_tape_reset(tape);
            rg_params_free(ps);
        }
}

static rg_tensor no_loss(rg_tape *t, void *user)
{
    (void)t, (void)user;
    return RG_NIL;
}

static rg_tensor many_losses(rg_tape *t, void *user)
{
    return rg_leaf(t, ((problem *)user)->x);
}

static void mistakes_are_errors_on_the_tape(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    problem p = {.x = rg_param_new(ps, "x", RG_F64, RG_SHAPE(2), FAR)};
    rg_optim *opt = rg_lbfgs_new(ps, NULL), *other = rg_sgd_new(ps, NULL);
    assert_true(isnan(rg_lbfgs_step(NULL, tape, rosenbrock, &p)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("lbfgs_step", "optimizer is NULL"));
    assert_true(isnan(rg_lbfgs_step(opt, tape, NULL, &p)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("lbfgs_step", "closure is NULL"));
    assert_true(isnan(rg_lbfgs_step(opt, NULL, rosenbrock, &p)));
    assert_true(isnan(rg_lbfgs_step(other, tape, rosenbrock, &p)));
    assert_error(tape, RG_ERROR_STATE, WORDS("lbfgs_step", "is sgd", "rg_optim_step"));
    rg_optim_step(opt, tape);
    assert_error(tape, RG_ERROR_STATE, WORDS("optim_step", "rg_lbfgs_step"));
    assert_true(isnan(rg_lbfgs_step(opt, tape, no_loss, &p)));
    assert_true(rg_failed(tape));
    rg_tape_clear_error(tape);
    assert_true(isnan(rg_lbfgs_step(opt, tape, many_losses, &p)));
    assert_true(rg_failed(tape));
    rg_tape_clear_error(tape);
    const struct {
        rg_lbfgs_config config;
        const char *word;
    } bad[] = {{{.max_iter = -1}, "max_iter is -1"},
               {{.max_eval = -2}, "max_eval is -2"},
               {{.history_size = -3}, "history_size is -3"},
               {{.lr = NAN}, "lr is nan"},
               {{.tolerance_grad = -1}, "tolerance_grad is -1"},
               {{.tolerance_change = INFINITY}, "tolerance_change is inf"}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        rg_optim *wrong = rg_lbfgs_new(ps, &bad[i].config);
        assert_true(isnan(rg_lbfgs_step(wrong, tape, rosenbrock, &p)));
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS("lbfgs", bad[i].word));
        rg_optim_free(wrong);
    }
    assert_int_equal(p.calls, 0);
    rg_lbfgs_step(opt, tape, rosenbrock, &p);
    assert_tape_ok(tape);
    rg_param_new(ps, "more", RG_F64, RG_SHAPE(3), NULL);
    assert_true(isnan(rg_lbfgs_step(opt, tape, rosenbrock, &p)));
    assert_error(tape, RG_ERROR_STATE, WORDS("5 elements", "2 at the first step"));
    rg_optim_only(opt, "x");
    rg_optim_group(opt, "x", NULL);
    assert_true(isnan(rg_lbfgs_step(opt, tape, rosenbrock, &p)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("lbfgs", "no parameter groups"));
    rg_optim *none = rg_lbfgs_new(ps, NULL);
    rg_optim_only(none, "nothing");
    assert_true(isnan(rg_lbfgs_step(none, tape, rosenbrock, &p)));
    assert_error(tape, RG_ERROR_STATE, WORDS("lbfgs", "nothing to train"));
    rg_optim_free(none);
    rg_optim_free(other);
    rg_optim_free(opt);
    rg_tape_reset(tape);
    rg_params_free(ps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_finds_the_minimum_of_rosenbrocks_valley),
        TEST(a_least_squares_fit_is_the_closed_form),
        TEST(the_line_search_comes_back_from_where_the_loss_is_not_finite),
        TEST(iterations_and_evaluations_are_limited),
        TEST(what_does_not_belong_to_it_is_left_alone),
        TEST(every_evaluation_is_one_plan),
        TEST(the_number_of_threads_changes_nothing),
        TEST(an_error_while_it_searches_leaves_the_parameters_of_before),
        TEST(mistakes_are_errors_on_the_tape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
