/* Optimizers against their formulas, written out in plain C element by element. */
#include "optim_support.h"

/* ---- the formulas ------------------------------------------------------------------------------------------------ */

typedef enum optim_kind { SGD, ADAGRAD, RMSPROP, ADAM, ADAMW } optim_kind;

typedef union settings {
    rg_sgd_config sgd;
    rg_adagrad_config adagrad;
    rg_rmsprop_config rmsprop;
    rg_adam_config adam;
} settings;

/* What is asked for, and the same with all defaults written out. */
typedef struct variant {
    const char *name;
    optim_kind kind;
    settings given, meant;
} variant;

// clang-format off
static const variant VARIANTS[] = {
    {"sgd, defaults", SGD, {.sgd = {0}}, {.sgd = {.lr = 1e-3}}},
    {"sgd, weight decay", SGD, {.sgd = {.lr = 0.1, .weight_decay = 0.2}}, {.sgd = {.lr = 0.1, .weight_decay = 0.2}}},
    {"sgd, momentum", SGD, {.sgd = {.lr = 0.1, .momentum = 0.9}}, {.sgd = {.lr = 0.1, .momentum = 0.9}}},
    {"sgd, dampening", SGD, {.sgd = {.lr = 0.1, .momentum = 0.9, .dampening = 0.4, .weight_decay = 0.1}},
     {.sgd = {.lr = 0.1, .momentum = 0.9, .dampening = 0.4, .weight_decay = 0.1}}},
    {"sgd, nesterov", SGD, {.sgd = {.lr = 0.1, .momentum = 0.8, .nesterov = true}},
     {.sgd = {.lr = 0.1, .momentum = 0.8, .nesterov = true}}},
    {"adagrad, defaults", ADAGRAD, {.adagrad = {0}}, {.adagrad = {.lr = 1e-2, .eps = 1e-10}}},
    {"adagrad, all", ADAGRAD, {.adagrad = {0.1, 0.3, 0.2, 0.5, 1e-3, false}}, {.adagrad = {0.1, 0.3, 0.2, 0.5, 1e-3, false}}},
    {"rmsprop, defaults", RMSPROP, {.rmsprop = {0}}, {.rmsprop = {.lr = 1e-2, .alpha = 0.99, .eps = 1e-8}}},
    {"rmsprop, all", RMSPROP, {.rmsprop = {0.1, 0.9, 1e-3, 0.2, 0.7, true, false}},
     {.rmsprop = {0.1, 0.9, 1e-3, 0.2, 0.7, true, false}}},
    {"rmsprop, alpha 0", RMSPROP, {.rmsprop = {.alpha = RG_ZERO}}, {.rmsprop = {.lr = 1e-2, .eps = 1e-8}}},
    {"adam, defaults", ADAM, {.adam = {0}}, {.adam = {.lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8}}},
    {"adam, all", ADAM, {.adam = {0.1, 0.7, 0.8, 1e-3, 0.2, true, false}}, {.adam = {0.1, 0.7, 0.8, 1e-3, 0.2, true, false}}},
    {"adam, zeros", ADAM, {.adam = {.beta1 = RG_ZERO, .eps = RG_ZERO}}, {.adam = {.lr = 1e-3, .beta2 = 0.999}}},
    {"adamw, defaults", ADAMW, {.adam = {0}}, {.adam = {1e-3, 0.9, 0.999, 1e-8, 1e-2, false, false}}},
    {"adamw, all", ADAMW, {.adam = {0.1, 0.7, 0.8, 1e-3, 0.2, true, false}}, {.adam = {0.1, 0.7, 0.8, 1e-3, 0.2, true, false}}},
    {"adamw, no decay", ADAMW, {.adam = {.weight_decay = RG_ZERO}}, {.adam = {1e-3, 0.9, 0.999, 1e-8, 0, false, false}}},
};
// clang-format on

static rg_optim *optim_of(rg_params *ps, optim_kind kind, const settings *s)
{
    switch (kind) {
    case SGD: return rg_sgd_new(ps, &s->sgd);
    case ADAGRAD: return rg_adagrad_new(ps, &s->adagrad);
    case RMSPROP: return rg_rmsprop_new(ps, &s->rmsprop);
    case ADAM: return rg_adam_new(ps, &s->adam);
    case ADAMW: return rg_adamw_new(ps, &s->adam);
    }
    return NULL;
}

/* The memory of one element. */
typedef struct element {
    int step;
    double value, momentum, first, second, largest;
} element;

static void sgd_step(element *e, double g, double lr, const rg_sgd_config *c)
{
    g += c->weight_decay * e->value;
    if (c->momentum > 0) {
        e->momentum = e->step == 1 ? g : c->momentum * e->momentum + (1 - c->dampening) * g;
        g = c->nesterov ? g + c->momentum * e->momentum : e->momentum;
    }
    e->value -= lr * g;
}

static void adagrad_step(element *e, double g, double lr, const rg_adagrad_config *c)
{
    g += c->weight_decay * e->value;
    e->second = (e->step == 1 ? c->initial : e->second) + g * g;
    e->value -= lr / (1 + (e->step - 1) * c->lr_decay) * g / (sqrt(e->second) + c->eps);
}

static void rmsprop_step(element *e, double g, double lr, const rg_rmsprop_config *c)
{
    g += c->weight_decay * e->value;
    e->second = c->alpha * e->second + (1 - c->alpha) * g * g;
    e->first = c->alpha * e->first + (1 - c->alpha) * g;
    const double spread = sqrt(e->second - (c->centered ? e->first * e->first : 0)) + c->eps;
    e->momentum = c->momentum * e->momentum + g / spread;
    e->value -= lr * (c->momentum > 0 ? e->momentum : g / spread);
}

static void adam_step(element *e, double g, double lr, const rg_adam_config *c, bool decoupled)
{
    if (decoupled)
        e->value -= lr * c->weight_decay * e->value;
    else
        g += c->weight_decay * e->value;
    e->first = c->beta1 * e->first + (1 - c->beta1) * g;
    e->second = c->beta2 * e->second + (1 - c->beta2) * g * g;
    e->largest = fmax(e->largest, e->second);
    const double first = e->first / (1 - pow(c->beta1, e->step));
    const double second = (c->amsgrad ? e->largest : e->second) / (1 - pow(c->beta2, e->step));
    e->value -= lr * first / (sqrt(second) + c->eps);
}

static void element_step(element *e, double g, double lr, const variant *v)
{
    e->step++;
    switch (v->kind) {
    case SGD: sgd_step(e, g, lr, &v->meant.sgd); break;
    case ADAGRAD: adagrad_step(e, g, lr, &v->meant.adagrad); break;
    case RMSPROP: rmsprop_step(e, g, lr, &v->meant.rmsprop); break;
    case ADAM: adam_step(e, g, lr, &v->meant.adam, false); break;
    case ADAMW: adam_step(e, g, lr, &v->meant.adam, true); break;
    }
}

/* The learning rate is the first field of each configuration. */
static double lr_of(const variant *v)
{
    return v->meant.sgd.lr;
}

/* ---- the same through the library -------------------------------------------------------------------------------- */

enum { STEPS = 7 };

/* w has a gradient at every step, b joins at the second one and is left out of another. */
static bool b_takes_part(int step)
{
    return step != 0 && step != 3;
}

static double lr_at(double base, int step)
{
    return step < 2 ? base : base * (1 + 0.25 * step);
}

typedef enum run_way {
    ONE_TAPE_A_STEP,
    ONE_TAPE_FOR_ALL,
    RESTARTED, /* another optimizer on the same store from the middle on */
} run_way;

static void check_variant(const variant *v, rg_dtype dtype, run_way way, double tolerance)
{
    element expected[WS + BS] = {{0}};
    for (int i = 0; i < WS + BS; i++)
        expected[i].value = i < WS ? W0[i] : B0[i - WS];
    const model m = model_new(dtype);
    rg_optim *opt = optim_of(m.ps, v->kind, &v->given);
    assert_non_null(opt);
    assert_true(rg_optim_lr(opt) == lr_of(v));
    for (int step = 0; step < STEPS; step++) {
        const double lr = lr_at(lr_of(v), step);
        if (way != ONE_TAPE_FOR_ALL)
            rg_tape_reset(tape);
        if (way == RESTARTED && step == STEPS / 2) {
            rg_optim_free(opt);
            opt = optim_of(m.ps, v->kind, &v->given);
        }
        if (lr != lr_of(v))
            rg_optim_set_lr(opt, lr);
        backward_of(tape, m, step, b_takes_part(step));
        rg_optim_step(opt, tape);
        for (int i = 0; i < WS; i++)
            element_step(&expected[i], gradient_at(step, i), lr, v);
        for (int i = 0; i < BS && b_takes_part(step); i++)
            element_step(&expected[WS + i], gradient_at(step, 10 + i), lr, v);
    }
    rg_tape_reset(tape);
    assert_tape_ok(tape);
    for (int i = 0; i < WS + BS; i++) {
        const double actual = i < WS ? value_at(m.w, i) : value_at(m.b, i - WS);
        if (!(fabs(actual - expected[i].value) <= tolerance))
            fail_msg("%s, way %d: element %d is %.17g, not %.17g", v->name, (int)way, i, actual, expected[i].value);
    }
    rg_optim_free(opt);
    model_free(m);
}

static void optimizers_follow_their_formulas(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(VARIANTS); i++)
        check_variant(&VARIANTS[i], RG_F64, ONE_TAPE_A_STEP, 1e-13);
}

static void optimizers_follow_their_formulas_in_single_precision(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(VARIANTS); i++)
        check_variant(&VARIANTS[i], RG_F32, ONE_TAPE_A_STEP, 1e-5);
}

static void many_steps_may_be_recorded_on_one_tape(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(VARIANTS); i++)
        check_variant(&VARIANTS[i], RG_F64, ONE_TAPE_FOR_ALL, 1e-13);
}

static void another_optimizer_of_the_kind_goes_on_where_the_first_stopped(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(VARIANTS); i++)
        check_variant(&VARIANTS[i], RG_F64, RESTARTED, 1e-13);
}

static void every_step_has_the_same_structure(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(VARIANTS); i++) {
        const variant *v = &VARIANTS[i];
        const model m = model_new(RG_F32);
        rg_optim *opt = optim_of(m.ps, v->kind, &v->given);
        uint64_t first = 0;
        for (int step = 0; step < 4; step++) {
            rg_tape_reset(tape);
            rg_optim_set_lr(opt, 0.1 * step);
            backward_of(tape, m, step, true);
            rg_optim_step(opt, tape);
            const uint64_t hash = rg_tape_hash(tape);
            if (step == 0)
                first = hash;
            if (hash != first)
                fail_msg("%s: step %d has another structure", v->name, step);
        }
        assert_tape_ok(tape);
        rg_optim_free(opt);
        model_free(m);
    }
}

/* ---- what a step touches ----------------------------------------------------------------------------------------- */

static void state_lives_in_the_store_under_names_of_the_parameter(void **state)
{
    (void)state;
    const model m = model_new(RG_F32);
    rg_optim *opt = rg_adam_new(m.ps, &(rg_adam_config){.amsgrad = true});
    for (int step = 0; step < 3; step++) {
        rg_tape_reset(tape);
        backward_of(tape, m, step, false);
        rg_optim_step(opt, tape);
    }
    rg_tape_reset(tape);
    assert_tape_ok(tape);
    const char *const names[] = {"w/adam.m", "w/adam.v", "w/adam.max"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const rg_param *p = rg_params_find(m.ps, names[i]);
        assert_non_null(p);
        assert_true(rg_shape_equal(rg_param_shape(p), RG_SHAPE(WS)));
        assert_int_equal(rg_param_dtype(p), RG_F32);
    }
    const rg_param *count = rg_params_find(m.ps, "w/adam.step");
    assert_non_null(count);
    assert_true(value_at(count, 0) == 3);
    assert_null(rg_params_find(m.ps, "b/adam.m")); /* it had no gradient */
    assert_int_equal(rg_params_count(m.ps), 6);
    assert_int_equal(rg_params_numel(m.ps), WS + BS); /* state is not trained */
    rg_optim_free(opt);
    model_free(m);
}

static void a_step_uses_and_clears_the_gradients(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    rg_optim *opt = rg_sgd_new(m.ps, &(rg_sgd_config){.lr = 1});
    backward_of(tape, m, 0, true);
    backward_of(tape, m, 1, false); /* adds to the first */
    rg_param_set_trainable(m.b, false);
    rg_optim_step(opt, tape);
    assert_true(rg_is_nil(rg_param_grad(tape, m.w)));
    assert_true(rg_is_nil(rg_param_grad(tape, m.b)));
    rg_optim_step(opt, tape); /* nothing to do */
    rg_tape_reset(tape);
    assert_tape_ok(tape);
    assert_null(rg_param_stored_grad(m.w));
    for (int i = 0; i < WS; i++)
        assert_near(value_at(m.w, i), W0[i] - gradient_at(0, i) - gradient_at(1, i), 1e-14);
    for (int i = 0; i < BS; i++)
        assert_true(value_at(m.b, i) == B0[i]); /* frozen */
    rg_optim_free(opt);
    model_free(m);
}

static void a_step_uses_gradients_that_outlived_their_tape(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    rg_optim *opt = rg_sgd_new(m.ps, &(rg_sgd_config){.lr = 1});
    for (int step = 0; step < 3; step++) {
        backward_of(tape, m, step, false);
        if (step < 2)
            rg_tape_reset(tape);
    }
    rg_optim_step(opt, tape);
    rg_tape_reset(tape);
    assert_tape_ok(tape);
    for (int i = 0; i < WS; i++)
        assert_near(value_at(m.w, i), W0[i] - gradient_at(0, i) - gradient_at(1, i) - gradient_at(2, i), 1e-14);
    rg_optim_free(opt);
    model_free(m);
}

static void a_step_is_recorded_without_gradients_in_its_scope(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    rg_optim *opt = rg_adam_new(m.ps, NULL);
    backward_of(tape, m, 0, true);
    const int64_t before = rg_tape_length(tape);
    rg_optim_step(opt, tape);
    assert_true(rg_tape_length(tape) > before);
    for (int64_t i = before; i < rg_tape_length(tape); i++) {
        rg_node node;
        assert_true(rg_tape_node(tape, rg_tape_at(tape, i), &node));
        assert_string_equal(node.scope, "optim");
        const rg_param *leaf = strcmp(node.op, "leaf") == 0 ? rg_params_find(m.ps, node.name) : NULL;
        assert_true(node.requires_grad == rg_param_trainable(leaf)); /* no node but the leaves of the new values */
    }
    assert_int_equal(rg_mode_of(tape), RG_GRAD);
    assert_string_equal(rg_scope(tape), "");
    assert_tape_ok(tape);
    rg_optim_free(opt);
    model_free(m);
}

static void a_failed_tape_updates_nothing(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    rg_optim *opt = rg_adam_new(m.ps, NULL);
    backward_of(tape, m, 0, true);
    rg_tape_fail(tape, RG_ERROR_ARGUMENT, "on purpose");
    rg_optim_step(opt, tape);
    rg_tape_reset(tape);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("on purpose"));
    assert_int_equal(rg_params_count(m.ps), 2);
    for (int i = 0; i < WS; i++)
        assert_true(value_at(m.w, i) == W0[i]);
    rg_optim_free(opt);
    model_free(m);
}

static void settings_out_of_range_are_errors_at_the_step(void **state)
{
    (void)state;
    static const struct {
        optim_kind kind;
        settings given;
        const char *name, *field, *range;
    } bad[] = {
        {SGD, {.sgd = {.lr = -1}}, "sgd", "lr is -1", "not negative"},
        {SGD, {.sgd = {.lr = NAN}}, "sgd", "lr is", "finite"},
        {SGD, {.sgd = {.lr = INFINITY}}, "sgd", "lr is inf", "finite"},
        {SGD, {.sgd = {.momentum = -0.5}}, "sgd", "momentum is -0.5", "not negative"},
        {SGD, {.sgd = {.dampening = 2}}, "sgd", "dampening is 2", "[0, 1]"},
        {SGD, {.sgd = {.weight_decay = -3}}, "sgd", "weight_decay is -3", "not negative"},
        {SGD, {.sgd = {.nesterov = true}}, "sgd", "nesterov", "momentum above 0"},
        {SGD, {.sgd = {.momentum = 0.9, .dampening = 0.1, .nesterov = true}}, "sgd", "nesterov", "no dampening"},
        {ADAGRAD, {.adagrad = {.lr_decay = -1}}, "adagrad", "lr_decay is -1", "not negative"},
        {ADAGRAD, {.adagrad = {.weight_decay = -1}}, "adagrad", "weight_decay is -1", "not negative"},
        {ADAGRAD, {.adagrad = {.initial = -1}}, "adagrad", "initial is -1", "not negative"},
        {ADAGRAD, {.adagrad = {.eps = -1}}, "adagrad", "eps is -1", "not negative"},
        {RMSPROP, {.rmsprop = {.alpha = 1}}, "rmsprop", "alpha is 1", "[0, 1)"},
        {RMSPROP, {.rmsprop = {.eps = -1}}, "rmsprop", "eps is -1", "not negative"},
        {RMSPROP, {.rmsprop = {.weight_decay = -1}}, "rmsprop", "weight_decay is -1", "not negative"},
        {RMSPROP, {.rmsprop = {.momentum = NAN}}, "rmsprop", "momentum is", "not negative"},
        {ADAM, {.adam = {.lr = -1}}, "adam:", "lr is -1", "not negative"},
        {ADAM, {.adam = {.beta1 = 1.5}}, "adam:", "beta1 is 1.5", "[0, 1)"},
        {ADAM, {.adam = {.beta2 = 1}}, "adam:", "beta2 is 1", "[0, 1)"},
        {ADAM, {.adam = {.eps = -1}}, "adam:", "eps is -1", "not negative"},
        {ADAMW, {.adam = {.beta1 = -0.1}}, "adamw:", "beta1 is -0.1", "[0, 1)"},
        {ADAMW, {.adam = {.weight_decay = -1}}, "adamw:", "weight_decay is -1", "not negative"},
    };
    const model m = model_new(RG_F64);
    for (size_t i = 0; i < COUNT(bad); i++) {
        rg_optim *opt = optim_of(m.ps, bad[i].kind, &bad[i].given);
        assert_non_null(opt);
        backward_of(tape, m, 0, true);
        rg_optim_step(opt, tape);
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS(bad[i].name, bad[i].field, bad[i].range));
        rg_params_clear_grads(tape, m.ps);
        rg_tape_reset(tape);
        rg_optim_free(opt);
    }
    for (int i = 0; i < WS; i++)
        assert_true(value_at(m.w, i) == W0[i]);
    model_free(m);
}

static void learning_rate_may_be_set_and_zero_is_zero(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    rg_optim *opt = rg_sgd_new(m.ps, &(rg_sgd_config){.lr = RG_ZERO});
    assert_true(rg_optim_lr(opt) == 0);
    rg_optim_set_lr(opt, 0.5);
    assert_true(rg_optim_lr(opt) == 0.5);
    rg_optim_set_lr(opt, 0);
    backward_of(tape, m, 0, false);
    rg_optim_step(opt, tape);
    rg_tape_reset(tape);
    assert_tape_ok(tape);
    for (int i = 0; i < WS; i++)
        assert_true(value_at(m.w, i) == W0[i]);
    rg_optim_set_lr(opt, rg_schedule_step(1, -1, 1, 1)); /* a schedule out of range gives NaN */
    backward_of(tape, m, 0, false);
    rg_optim_step(opt, tape);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("sgd", "lr is"));
    rg_optim_free(opt);
    model_free(m);
}

static void null_is_never_a_crash(void **state)
{
    (void)state;
    assert_null(rg_sgd_new(NULL, NULL));
    assert_null(rg_adagrad_new(NULL, NULL));
    assert_null(rg_rmsprop_new(NULL, NULL));
    assert_null(rg_adam_new(NULL, NULL));
    assert_null(rg_adamw_new(NULL, NULL));
    rg_optim_step(NULL, tape);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("optim_step", "NULL"));
    rg_optim_step(NULL, NULL);
    rg_optim_set_lr(NULL, 1);
    assert_true(rg_optim_lr(NULL) == 0);
    rg_optim_free(NULL);
    rg_params *ps = rg_params_new(1);
    rg_optim *opt = rg_adam_new(ps, NULL);
    rg_optim_step(opt, NULL);
    rg_optim_free(opt);
    assert_true(rg_is_nil(rg_clip_grad_norm(NULL, ps, 1)));
    rg_clip_grad_value(NULL, ps, 1);
    assert_true(rg_is_nil(rg_clip_grad_norm(tape, NULL, 1)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("clip_grad_norm", "NULL"));
    rg_clip_grad_value(tape, NULL, 1);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("clip_grad_value", "NULL"));
    rg_params_free(ps);
}

static void a_step_count_of_another_shape_is_an_error(void **state)
{
    (void)state;
    const model m = model_new(RG_F64);
    assert_non_null(rg_buffer_new(m.ps, "w/adam.step", RG_F32, RG_SHAPE(2), NULL));
    rg_optim *opt = rg_adam_new(m.ps, NULL);
    backward_of(tape, m, 0, false);
    rg_optim_step(opt, tape);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("adam", "w/adam.step", "f32 of [2]", "f64 of []"));
    rg_optim_free(opt);
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(optimizers_follow_their_formulas),
        TEST(optimizers_follow_their_formulas_in_single_precision),
        TEST(many_steps_may_be_recorded_on_one_tape),
        TEST(another_optimizer_of_the_kind_goes_on_where_the_first_stopped),
        TEST(every_step_has_the_same_structure),
        TEST(state_lives_in_the_store_under_names_of_the_parameter),
        TEST(a_step_uses_and_clears_the_gradients),
        TEST(a_step_uses_gradients_that_outlived_their_tape),
        TEST(a_step_is_recorded_without_gradients_in_its_scope),
        TEST(a_failed_tape_updates_nothing),
        TEST(settings_out_of_range_are_errors_at_the_step),
        TEST(learning_rate_may_be_set_and_zero_is_zero),
        TEST(null_is_never_a_crash),
        TEST(a_step_count_of_another_shape_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
