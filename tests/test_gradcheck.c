/* The gradient checker itself: it passes what is right, catches every planted error, and never passes vacuously. */
#include "ops/op.h"
#include "test.h"

#include <math.h>
#include <string.h>

/* ---- planted rules: copies of rows of the table with another vjp ---- */

static rg__op planted; /* the wrong op of the running test */

static void plant(const char *name, rg__vjp_rule rule)
{
    planted = *rg__op_find(name);
    planted.vjp = rule;
}

static rg_tensor planted_unary(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    /* Surrounded by right ops, so that naming the culprit means something. */
    return rg_mul(t, rg__record_pointwise(t, &planted, (rg_tensor[]){rg_sin(t, x[0])}, 1, NULL), rg_exp(t, x[0]));
}

static rg_tensor planted_product(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    rg_shape s = rg_shape_of(t, x[0]);
    return rg_tanh(t, rg__record(t, &planted, x, 2, RG_F64, 2, s.dims, NULL));
}

static rg_tensor planted_permute(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    static const int8_t order[RG_MAX_RANK] = {1, 2, 0, -1, -1, -1, -1, -1};
    static const int64_t dims[] = {2, 2, 2}, strides[] = {2, 1, 4};
    return rg_mul(t, rg__record_view(t, &planted, x[0], 3, dims, strides, 0, order), rg_cos(t, x[0]));
}

static rg_tensor planted_sum(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    static const uint32_t attr[2] = {1u << 1, 0}; /* axis 1, dropped */
    static const int64_t dims[] = {3};
    return rg_exp(t, rg__record(t, &planted, (rg_tensor[]){rg_square(t, x[0])}, 1, RG_F64, 1, dims, attr));
}

static void wrong_sign(const rg__vjp *v)
{
    v->grad[0] = rg_neg(v->t, rg_mul(v->t, v->g, v->out));
}

static void off_by_a_thousandth(const rg__vjp *v)
{
    v->grad[0] = rg_mul(v->t, rg_mul_scalar(v->t, v->g, 1.001), v->out);
}

static void zeros(const rg__vjp *v)
{
    v->grad[0] = rg_zeros_like(v->t, v->in[0]);
}

static void nothing(const rg__vjp *v)
{
    (void)v;
}

static void not_transposed(const rg__vjp *v)
{
    v->grad[0] = rg_matmul(v->t, v->g, v->in[1]);
    v->grad[1] = rg_matmul(v->t, rg_transpose(v->t, v->in[0], 0, 1), v->g);
}

static void wrong_axis(const rg__vjp *v)
{
    v->grad[0] = v->g; /* broadcasts along the last axis: right would be to put axis 1 back */
}

static void same_order_instead_of_the_inverse(const rg__vjp *v)
{
    v->grad[0] = rg_permute(v->t, v->g, RG_AXES(1, 2, 0));
}

/* Right at first order, but its own gradient is cut. */
static void cut(const rg__vjp *v)
{
    v->grad[0] = rg_mul(v->t, v->g, rg_detach(v->t, v->out));
}

static const double X[9] = {.3, -.7, 1.1, .2, .9, -1.3, .4, .8, -.5};
static const double Y[9] = {1.2, .1, -.6, .5, -.9, .7, -.2, 1.4, .6};
static const rg_array squares[] = {{RG_F64, {2, {3, 3}}, X}, {RG_F64, {2, {3, 3}}, Y}};
static const rg_array cube[] = {{RG_F64, {3, {2, 2, 2}}, X}};

static void expect_caught(rg_function f, const rg_array *inputs, int count, const char *op)
{
    rg_gradcheck_report r;
    for (int jacobian = 0; jacobian < 2; jacobian++) {
        rg_gradcheck_config config = {.jacobian = jacobian};
        assert_false(rg_gradcheck(f, NULL, inputs, count, &config, &r));
        assert_false(r.passed);
        assert_true(r.compared > 0);
        assert_string_equal(r.op, op);
        assert_non_null(strstr(r.message, op));
        assert_true(r.index >= 0 && r.input >= 0 && r.input < count);
        assert_true(jacobian ? r.output >= 0 : r.output == -1);
        assert_true(r.error > 1e-5 && fabs(r.error - fabs(r.analytic - r.numeric)) < 1e-12);
    }
}

static void a_wrong_sign_is_caught(void **state)
{
    (void)state;
    plant("exp", wrong_sign);
    expect_caught(planted_unary, squares, 1, "exp");
}

static void a_factor_of_1_001_is_caught(void **state)
{
    (void)state;
    plant("exp", off_by_a_thousandth);
    expect_caught(planted_unary, squares, 1, "exp");
}

static void zeros_are_caught(void **state)
{
    (void)state;
    plant("exp", zeros);
    expect_caught(planted_unary, squares, 1, "exp");
}

static void a_rule_that_gives_nothing_is_caught(void **state)
{
    (void)state;
    plant("exp", nothing);
    expect_caught(planted_unary, squares, 1, "exp");
}

static void a_missing_transpose_is_caught(void **state)
{
    (void)state;
    plant("matmul", not_transposed);
    expect_caught(planted_product, squares, 2, "matmul");
}

static void a_wrong_axis_is_caught(void **state)
{
    (void)state;
    plant("sum", wrong_axis);
    expect_caught(planted_sum, squares, 1, "sum");
}

/* A cube looks the same from all sides: only the values tell. The view is checked in the whole, not alone. */
static void a_wrong_order_of_axes_is_caught(void **state)
{
    (void)state;
    rg_gradcheck_report r;
    plant("permute", same_order_instead_of_the_inverse);
    assert_false(rg_gradcheck(planted_permute, NULL, cube, 1, NULL, &r));
    assert_true(r.index >= 0 && r.error > 1e-3);
}

static void a_rule_that_cannot_be_differentiated_is_caught_at_second_order_only(void **state)
{
    (void)state;
    rg_gradcheck_report r;
    plant("exp", cut);
    assert_true(rg_gradcheck(planted_unary, NULL, squares, 1, NULL, &r));
    assert_false(rg_gradcheck2(planted_unary, NULL, squares, 1, NULL, &r));
    assert_non_null(strstr(r.message, "second-order"));
    assert_true(r.error > 1e-3);
}

/* ---- what is right passes ---- */

static rg_tensor right(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_softmax(t, rg_matmul(t, rg_tanh(t, x[0]), rg_transpose(t, x[1], 0, 1)), 1);
}

static void a_right_function_passes_in_every_mode(void **state)
{
    (void)state;
    rg_gradcheck_report r;
    assert_true(rg_gradcheck(right, NULL, squares, 2, NULL, &r));
    assert_int_equal(r.compared, 2);
    assert_non_null(strstr(r.message, "first-order gradient: 2 numbers compared"));
    assert_string_equal(r.op, "");
    assert_true(rg_gradcheck(right, NULL, squares, 2, &(rg_gradcheck_config){.jacobian = true}, &r));
    assert_int_equal(r.compared, 9 * 18);
    assert_true(rg_gradcheck2(right, NULL, squares, 2, &(rg_gradcheck_config){.directions = 5}, &r));
    assert_int_equal(r.compared, 5);
    assert_true(rg_gradcheck(right, NULL, squares, 2, NULL, NULL));
    assert_true(rg_gradcheck2(right, NULL, squares, 2, NULL, NULL));
}

/* ---- parameters ---- */

typedef struct model {
    rg_param *w;
    bool detached;
} model;

static rg_tensor model_forward(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count;
    const model *m = user;
    rg_tensor w = rg_leaf(t, m->w);
    return rg_sigmoid(t, rg_matmul(t, x[0], m->detached ? rg_detach(t, w) : w));
}

static void parameters_are_checked_and_left_as_they_were(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    rg_param_new(ps, "unused", RG_F64, RG_SHAPE(2), NULL);
    model m = {rg_param_new(ps, "w", RG_F64, RG_SHAPE(3, 3), Y), false};
    rg_gradcheck_config config = {.params = ps};
    rg_gradcheck_report r;
    assert_true(rg_gradcheck(model_forward, &m, squares, 1, &config, &r));
    assert_true(rg_gradcheck2(model_forward, &m, squares, 1, &config, &r));
    m.detached = true; /* the gradient by w is hidden; no rule is wrong, so none is named */
    assert_false(rg_gradcheck(model_forward, &m, squares, 1, &config, &r));
    assert_string_equal(r.op, "");
    assert_int_equal(r.input, 2);                                       /* after the one input: "unused", then "w" */
    assert_true(rg_gradcheck(model_forward, &m, squares, 1, NULL, &r)); /* by x alone it is right */
    assert_memory_equal(rg_param_data(m.w), Y, sizeof Y);
    rg_params_free(ps);
}

/* ---- never vacuous ---- */

static rg_tensor as_f32(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_cast(t, x[0], RG_F32);
}

static rg_tensor no_result(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)t, (void)x, (void)count, (void)user;
    return RG_NIL;
}

static rg_tensor empty_result(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_slice(t, x[0], 0, 1, 1, 1);
}

static rg_tensor bad_call(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_matmul(t, x[0], rg_zeros(t, RG_F64, RG_SHAPE(7, 7)));
}

static rg_tensor restless(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count;
    return rg_mul_scalar(t, x[0], (double)++*(int *)user);
}

static rg_tensor with_a_kink(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_abs(t, x[0]);
}

static rg_tensor noisy(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_mul(t, x[0], rg_rand_like(t, x[0]));
}

static void expect_refused(rg_function f, void *user, const rg_array *inputs, int count, const char *why)
{
    rg_gradcheck_report r;
    assert_false(rg_gradcheck(f, user, inputs, count, NULL, &r));
    assert_false(r.passed);
    if (!strstr(r.message, why))
        fail_msg("'%s' does not say '%s'", r.message, why);
    assert_false(rg_gradcheck2(f, user, inputs, count, NULL, &r));
    assert_true(r.message[0] != '\0');
}

static void a_check_that_can_compare_nothing_fails(void **state)
{
    (void)state;
    static const float floats[1] = {1};
    const rg_array f32 = {RG_F32, {1, {1}}, floats}, empty = {RG_F64, {2, {0, 3}}, NULL}, broken = {RG_F64, {1, {-2}}, X};
    int calls = 0;
    expect_refused(right, NULL, NULL, 0, "nothing to compare");
    expect_refused(as_f32, NULL, &f32, 1, "nothing to compare");
    expect_refused(with_a_kink, NULL, &empty, 1, "nothing to compare");
    expect_refused(empty_result, NULL, squares, 1, "no elements");
    expect_refused(as_f32, NULL, squares, 1, "f32");
    expect_refused(no_result, NULL, squares, 1, "no tensor");
    expect_refused(bad_call, NULL, squares, 1, "matmul: [3, 3] and [7, 7]");
    expect_refused(right, NULL, &broken, 1, "input 0");
    expect_refused(NULL, NULL, squares, 1, "no function");
    expect_refused(restless, &calls, squares, 1, "not deterministic");
}

static void a_point_on_a_kink_fails(void **state)
{
    (void)state;
    static const double at_zero[] = {1e-9, 1};
    const rg_array input = {RG_F64, {1, {2}}, at_zero};
    rg_gradcheck_report r;
    assert_false(rg_gradcheck(with_a_kink, NULL, &input, 1, NULL, &r));
    assert_true(isfinite(r.error) && r.error > 1e-3);
    assert_int_equal(r.index, 0);
}

static void random_draws_repeat_from_one_evaluation_to_the_next(void **state)
{
    (void)state;
    rg_gradcheck_report r;
    if (!rg_gradcheck(noisy, NULL, squares, 1, NULL, &r))
        fail_msg("%s", r.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_sign_is_caught),
        cmocka_unit_test(a_factor_of_1_001_is_caught),
        cmocka_unit_test(zeros_are_caught),
        cmocka_unit_test(a_rule_that_gives_nothing_is_caught),
        cmocka_unit_test(a_missing_transpose_is_caught),
        cmocka_unit_test(a_wrong_axis_is_caught),
        cmocka_unit_test(a_wrong_order_of_axes_is_caught),
        cmocka_unit_test(a_rule_that_cannot_be_differentiated_is_caught_at_second_order_only),
        cmocka_unit_test(a_right_function_passes_in_every_mode),
        cmocka_unit_test(parameters_are_checked_and_left_as_they_were),
        cmocka_unit_test(a_check_that_can_compare_nothing_fails),
        cmocka_unit_test(a_point_on_a_kink_fails),
        cmocka_unit_test(random_draws_repeat_from_one_evaluation_to_the_next),
    };
    return cmocka_run_group_tests_name("gradcheck", tests, NULL, NULL);
}
