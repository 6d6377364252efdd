/* Every op of the table: gradients of first and second order against differences, and the executors against each other. */
#include "autograd/samples.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Calls `check` with every sample of every op; returns how many there were. */
static int each_sample(rg_dtype dtype, bool differentiable_only, void (*check)(rg__trial *s))
{
    int count = 0;
    for (int i = 0; i < rg__op_count(); i++) {
        const rg__op *op = rg__op_at(i);
        if (op->no_sample || (differentiable_only && !op->differentiable))
            continue;
        rg__trial s;
        for (int index = 0; rg__trial_new(&s, op, index, dtype); index++, count++) {
            check(&s);
            rg__trial_free(&s);
        }
    }
    return count;
}

static void every_op_has_samples(void **state)
{
    (void)state;
    for (int i = 0; i < rg__op_count(); i++) {
        const rg__op *op = rg__op_at(i);
        rg__trial s;
        assert_non_null(op->name);
        assert_non_null(op->formula);
        assert_ptr_equal(rg__op_find(op->name), op);
        if (op->no_sample)
            continue;
        if (!rg__trial_new(&s, op, 0, RG_F64))
            fail_msg("op '%s' has no sample", op->name);
        rg__trial_free(&s);
    }
}

static void every_differentiable_primitive_has_a_rule(void **state)
{
    (void)state;
    for (int i = 0; i < rg__op_count(); i++) {
        const rg__op *op = rg__op_at(i);
        if (op->kind == RG__PRIMITIVE && op->differentiable && !op->vjp && op != rg__op_find("leaf"))
            fail_msg("op '%s' is differentiable but has no vjp rule", op->name);
        if (!op->differentiable && op->vjp)
            fail_msg("op '%s' has a vjp rule but says that it has no gradient", op->name);
    }
}

/* ---- gradients ---- */

/* Nothing can be compared; but the gradients must be there, in the inputs' shapes. */
static void check_empty(rg__trial *s)
{
    rg_tape *t = rg_tape_new(NULL);
    rg_tensor x[RG__TRIAL_INPUTS], grad[RG__TRIAL_INPUTS];
    for (int i = 0; i < s->inputs; i++)
        x[i] = rg_input(t, s->input[i].dtype, s->input[i].shape, s->input[i].data);
    rg_tensor y = rg__trial_record(t, x, s->inputs, s);
    assert_tape_ok(t);
    assert_true(rg_grad_with(t, y, rg_ones_like(t, y), x, s->inputs, grad));
    for (int i = 0; i < s->inputs; i++) {
        assert_true(rg_shape_equal(rg_shape_of(t, grad[i]), s->input[i].shape));
        assert_non_null(rg_data(t, grad[i]));
    }
    assert_tape_ok(t);
    rg_tape_free(t);
}

static bool needs_no_input(const rg__trial *s)
{
    return s->inputs == 0;
}

static void check_gradients(rg__trial *s)
{
    rg_gradcheck_report r;
    if (needs_no_input(s))
        fail_msg("sample %d of '%s' draws nothing to differentiate by", s->index, s->op->name);
    if (rg__trial_is_empty(s)) {
        check_empty(s);
        return;
    }
    if (!rg_gradcheck(rg__trial_record, s, s->input, s->inputs, NULL, &r))
        fail_msg("sample %d of '%s': %s", s->index, s->op->name, r.message);
    assert_true(r.compared > 0);
    if (!rg_gradcheck2(rg__trial_record, s, s->input, s->inputs, NULL, &r))
        fail_msg("sample %d of '%s': %s", s->index, s->op->name, r.message);
    assert_true(r.compared > 0);
}

static void gradients_of_every_op_agree_with_differences(void **state)
{
    (void)state;
    int count = each_sample(RG_F64, true, check_gradients);
    print_message("%d samples\n", count);
    assert_true(count > 200);
}

static void check_jacobian(rg__trial *s)
{
    rg_gradcheck_report r;
    if (needs_no_input(s) || rg__trial_is_empty(s))
        return;
    if (!rg_gradcheck(rg__trial_record, s, s->input, s->inputs, &(rg_gradcheck_config){.jacobian = true}, &r))
        fail_msg("sample %d of '%s': %s", s->index, s->op->name, r.message);
}

static void jacobians_of_every_op_agree_with_differences(void **state)
{
    (void)state;
    each_sample(RG_F64, true, check_jacobian);
}

/* ---- executors ---- */

enum { MOST_NUMBERS = 4096 };
typedef struct outcome {
    double number[MOST_NUMBERS];
    int count;
} outcome;

/* Value and gradients of a sample, one after the other. */
static void run_sample(rg__trial *s, bool eager, int threads, outcome *o)
{
    rg_tape *t = rg_tape_new(&(rg_tape_config){.eager = eager, .threads = threads, .seed = 7});
    rg_tensor x[RG__TRIAL_INPUTS], value[1 + RG__TRIAL_INPUTS] = {{0, 0}};
    for (int i = 0; i < s->inputs; i++)
        x[i] = rg_input(t, s->input[i].dtype, s->input[i].shape, s->input[i].data);
    value[0] = rg__trial_record(t, x, s->inputs, s);
    int count = 1;
    if (s->op->differentiable && s->inputs > 0) {
        assert_true(rg_grad_with(t, value[0], rg_ones_like(t, value[0]), x, s->inputs, value + 1));
        count += s->inputs;
    }
    o->count = 0;
    for (int i = 0; i < count; i++) {
        const rg_tensor v = rg_cast(t, value[i], RG_F64);
        const int64_t n = rg_numel(t, v);
        assert_true(o->count + n <= MOST_NUMBERS);
        assert_true(rg_read(t, v, o->number + o->count, (size_t)n * sizeof(double)));
        o->count += (int)n;
    }
    assert_tape_ok(t);
    rg_tape_free(t);
}

static void compare_outcomes(const rg__trial *s, const outcome *a, const outcome *b, double tolerance, const char *what)
{
    assert_int_equal(a->count, b->count);
    for (int i = 0; i < a->count; i++) {
        const double x = a->number[i], y = b->number[i];
        const bool same = memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y));
        if (!same && !(fabs(x - y) <= tolerance * fmax(1, fabs(x))))
            fail_msg("sample %d of '%s': %s: %.17g and %.17g", s->index, s->op->name, what, x, y);
    }
}

/* The plan sums in another order than the reference, and has functions of its own. */
static void check_executors(rg__trial *s)
{
    static outcome planned, reference, two;
    run_sample(s, false, 1, &planned);
    run_sample(s, true, 1, &reference);
    run_sample(s, false, 2, &two);
    compare_outcomes(s, &planned, &two, 0, "1 and 2 threads differ");
    compare_outcomes(s, &planned, &reference, s->dtype == RG_F32 ? 2e-6 : 1e-14, "plan and reference differ");
}

static void plan_reference_and_threads_agree_on_every_op(void **state)
{
    (void)state;
    each_sample(RG_F32, false, check_executors);
    each_sample(RG_F64, false, check_executors);
}

/* ---- gradients at ties and kinks, where differences say nothing ---- */

static rg_tensor weighted_max(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_sum(t, rg_mul(t, rg_max(t, x[0], RG_AXES(0), false), x[1]), RG_ALL, false);
}

static void ties_of_max_share_the_gradient(void **state)
{
    (void)state;
    static const double x[] = {1, 3, 3, 2, 3, 1}, w[] = {2, 5};
    rg_tape *t = rg_tape_new(NULL);
    rg_tensor in[2] = {rg_input_f64(t, RG_SHAPE(3, 2), x), rg_input_f64(t, RG_SHAPE(2), w)}, grad[2];
    assert_true(rg_grad(t, weighted_max(t, in, 2, NULL), in, 2, grad));
    static const double expected[] = {0, 5, 1, 0, 1, 0};
    assert_memory_equal(rg_data(t, grad[0]), expected, sizeof expected);
    rg_tape_free(t);
}

static void products_with_zeros_have_exact_derivatives_of_second_order(void **state)
{
    (void)state;
    rg__trial s = {.op = rg__op_find("prod"), .index = 0, .dtype = RG_F64};
    double x[24];
    for (int i = 0; i < 24; i++)
        x[i] = .5 + i % 5 * .25;
    x[2] = x[7] = x[13] = x[17] = x[21] = 0; /* none, one and two in a lane */
    s.input[0] = (rg_array){RG_F64, RG_SHAPE(2, 3, 4), x};
    s.inputs = 1;
    rg_gradcheck_report r;
    if (!rg_gradcheck(rg__trial_record, &s, s.input, 1, NULL, &r) ||
        !rg_gradcheck2(rg__trial_record, &s, s.input, 1, NULL, &r))
        fail_msg("%s", r.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_has_samples),
        cmocka_unit_test(every_differentiable_primitive_has_a_rule),
        cmocka_unit_test(gradients_of_every_op_agree_with_differences),
        cmocka_unit_test(jacobians_of_every_op_agree_with_differences),
        cmocka_unit_test(plan_reference_and_threads_agree_on_every_op),
        cmocka_unit_test(ties_of_max_share_the_gradient),
        cmocka_unit_test(products_with_zeros_have_exact_derivatives_of_second_order),
    };
    return cmocka_run_group_tests_name("gradients", tests, NULL, NULL);
}
