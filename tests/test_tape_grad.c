/* Gradients on the tape: where they flow, how they add up, how long they last, and that they are tape themselves.
 * Whether each op's rule is right is checked by differences elsewhere. */
#include "tape_support.h"

/* ---- where gradients flow ---- */

static void every_use_of_a_parameter_adds_to_its_gradient(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 3, 5);
    const rg_tensor w = rg_leaf(tape, p);
    /* w^2 + 2w + w w w, by three paths */
    const rg_tensor cube = rg_mul(tape, rg_mul(tape, w, w), w);
    rg_backward(tape, total(rg_add(tape, rg_add(tape, rg_square(tape, w), rg_add(tape, w, w)), cube)));
    assert_values(rg_param_grad(tape, p), 2 * 3 + 2 + 3 * 9, 2 * 5 + 2 + 3 * 25);
}

static void gradients_have_the_shape_and_dtype_of_the_parameter(void **state)
{
    (void)state;
    rg_param *row = PARAM("row", RG_SHAPE(3), 1, 2, 3), *column = PARAM("column", RG_SHAPE(2, 1), 4, 5);
    rg_param *scalar = PARAM("scalar", RG_SCALAR, 6);
    rg_param *single = rg_param_new(store, "single", RG_F32, RG_SHAPE(1, 3), NULL);
    const rg_tensor x = F64(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    rg_tensor y = rg_mul(tape, x, rg_leaf(tape, row));
    y = rg_add(tape, y, rg_mul(tape, x, rg_leaf(tape, column)));
    y = rg_add(tape, y, rg_mul(tape, x, rg_leaf(tape, scalar)));
    y = rg_add(tape, y, rg_mul(tape, x, rg_cast(tape, rg_leaf(tape, single), RG_F64)));
    rg_backward(tape, total(y));
    assert_values(rg_param_grad(tape, row), 5, 7, 9);
    assert_values(rg_param_grad(tape, column), 6, 15);
    assert_values(rg_param_grad(tape, scalar), 21);
    assert_values(rg_param_grad(tape, single), 5, 7, 9);
    assert_shape(rg_param_grad(tape, column), 2, 1);
    assert_int_equal(rg_shape_of(tape, rg_param_grad(tape, scalar)).rank, 0);
    assert_int_equal(rg_dtype_of(tape, rg_param_grad(tape, single)), RG_F32);
    assert_shape(rg_param_grad(tape, single), 1, 3);
}

static void a_result_without_parameters_has_no_gradient(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(1), 1);
    rg_scope_push(tape, "eval");
    rg_backward(tape, total(F64(RG_SHAPE(2), 1, 2)));
    assert_error(tape, RG_ERROR_STATE, WORDS("backward", "no trainable parameter", "eval"));
    rg_mode_push(tape, RG_NO_GRAD);
    const rg_tensor y = total(rg_square(tape, rg_leaf(tape, p)));
    rg_mode_pop(tape);
    rg_backward(tape, y);
    assert_error(tape, RG_ERROR_STATE, WORDS("backward", "no trainable parameter"));
    rg_backward(tape, total(rg_detach(tape, rg_leaf(tape, p))));
    assert_error(tape, RG_ERROR_STATE, WORDS("backward", "no trainable parameter"));
    assert_true(rg_is_nil(rg_param_grad(tape, p)));
}

static void frozen_parameters_get_no_gradient(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(1), 3), *q = PARAM("q", RG_SHAPE(1), 5);
    rg_param *buffer = rg_buffer_new(store, "b", RG_F64, RG_SHAPE(1), (const double[]){7});
    rg_param_set_trainable(p, false);
    assert_false(rg_requires_grad(tape, rg_leaf(tape, p)));
    const rg_tensor y = rg_mul(tape, rg_mul(tape, rg_leaf(tape, p), rg_leaf(tape, q)), rg_leaf(tape, buffer));
    rg_backward(tape, total(y));
    assert_true(rg_is_nil(rg_param_grad(tape, p)));
    assert_true(rg_is_nil(rg_param_grad(tape, buffer)));
    assert_values(rg_param_grad(tape, q), 21);
    /* Thawed on the same tape, the next leaf is another one; after an assignment too. */
    rg_param_set_trainable(p, true);
    rg_backward(tape, total(rg_square(tape, rg_leaf(tape, p))));
    assert_values(rg_param_grad(tape, p), 6);
    rg_assign(tape, p, rg_full(tape, RG_F64, RG_SHAPE(1), 4));
    rg_param_set_trainable(p, false);
    assert_false(rg_requires_grad(tape, rg_leaf(tape, p)));
    assert_values(rg_leaf(tape, p), 4);
    rg_param_set_trainable(buffer, true);
    assert_store_error(store, RG_ERROR_ARGUMENT, "'b'");
    assert_false(rg_param_trainable(buffer));
}

static void nothing_flows_through_an_assignment(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(1), 3), *q = PARAM("q", RG_SHAPE(1), 5);
    const rg_tensor w = rg_leaf(tape, p);
    rg_assign(tape, q, rg_square(tape, w));
    const rg_tensor assigned = rg_leaf(tape, q), loss = total(rg_mul(tape, assigned, w));
    rg_backward(tape, loss);
    assert_values(rg_param_grad(tape, p), 9); /* d(q w)/dw with q = 9, not 27 */
    assert_values(rg_param_grad(tape, q), 3);
    rg_tensor grad[2];
    assert_true(rg_grad(tape, loss, (const rg_tensor[]){w, assigned}, 2, grad));
    assert_values(grad[0], 9);
    assert_values(grad[1], 3);
}

static void reading_the_loss_first_changes_no_gradient(void **state)
{
    (void)state;
    rg_param *p = rg_param_new(store, "p", RG_F64, RG_SHAPE(40), NULL);
    static double mask[VALUES_MOST], grad[VALUES_MOST];
    for (int read = 0; read < 2; read++) {
        const rg_tensor draws = rg_randn(tape, RG_F64, RG_SHAPE(40));
        const rg_tensor kept = rg_cast(tape, rg_bernoulli(tape, RG_SHAPE(40), .5), RG_F64);
        const rg_tensor factor = rg_mul(tape, draws, kept), loss = total(rg_mul(tape, rg_leaf(tape, p), factor));
        if (read)
            rg_item(tape, loss);
        rg_backward(tape, loss);
        read_values(tape, rg_param_grad(tape, p), grad);
        read_values(tape, factor, mask);
        assert_memory_equal(grad, mask, 40 * sizeof *grad);
        rg_params_clear_grads(tape, store);
        rg_tape_reset(tape);
    }
}

/* Nodes that the backward pass of a product of p, q and an input adds. */
static int64_t backward_length(rg_param *p, rg_param *q, bool with_q)
{
    rg_param_set_trainable(q, with_q);
    const rg_tensor x = F64(RG_SHAPE(2), 1, 2);
    const rg_tensor y = rg_mul(tape, rg_exp(tape, rg_leaf(tape, q)), rg_mul(tape, rg_exp(tape, x), rg_leaf(tape, p)));
    const rg_tensor loss = total(y);
    const int64_t before = rg_tape_length(tape);
    rg_backward(tape, loss);
    const int64_t length = rg_tape_length(tape) - before;
    rg_params_clear_grads(tape, store);
    rg_tape_reset(tape);
    return length;
}

static void nothing_is_recorded_for_gradients_that_nobody_wants(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 3, 5), *q = PARAM("q", RG_SHAPE(2), 1, 2);
    const int64_t of_one = backward_length(p, q, false), of_both = backward_length(p, q, true);
    assert_true(of_one > 0);
    assert_true(of_one + 2 <= of_both); /* the product's other half and the rule of exp */
}

static void gradients_of_backward_are_constants_and_those_of_grad_are_not(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 3, 5);
    const rg_tensor w = rg_leaf(tape, p), loss = total(rg_mul(tape, w, rg_square(tape, w)));
    rg_tensor grad;
    rg_backward(tape, loss);
    assert_false(rg_requires_grad(tape, rg_param_grad(tape, p)));
    assert_true(rg_grad(tape, loss, &w, 1, &grad));
    assert_true(rg_requires_grad(tape, grad));
    assert_int_equal(rg_mode_of(tape), RG_GRAD);
}

/* ---- backward_with ---- */

static void backward_with_takes_the_cotangent_of_any_shape(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2, 2), 1, 2, 3, 4);
    const rg_tensor y = rg_square(tape, rg_leaf(tape, p));
    rg_backward_with(tape, y, F64(RG_SHAPE(2, 2), 1, 10, -1, .5));
    assert_values(rg_param_grad(tape, p), 2, 40, -6, 4);
    /* The same as the gradient of sum(y * cotangent). */
    rg_params_clear_grads(tape, store);
    rg_backward(tape, total(rg_mul(tape, y, F64(RG_SHAPE(2, 2), 1, 10, -1, .5))));
    assert_values(rg_param_grad(tape, p), 2, 40, -6, 4);
    rg_tensor grad;
    const rg_tensor w = rg_leaf(tape, p);
    assert_true(rg_grad_with(tape, y, F64(RG_SHAPE(2, 2), 1, 10, -1, .5), &w, 1, &grad));
    assert_values(grad, 2, 40, -6, 4);
}

/* ---- how gradients add up, and how long they last ---- */

static rg_tensor loss_of(rg_param *p, double factor)
{
    return rg_mul_scalar(tape, total(rg_square(tape, rg_leaf(tape, p))), factor);
}

static void gradients_accumulate_over_backward_calls_and_resets(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2);
    assert_true(rg_is_nil(rg_param_grad(tape, p)));
    assert_null(rg_param_stored_grad(p));
    rg_backward(tape, loss_of(p, 1));
    assert_values(rg_param_grad(tape, p), 2, 4);
    assert_null(rg_param_stored_grad(p));
    rg_backward(tape, loss_of(p, 10));
    assert_values(rg_param_grad(tape, p), 22, 44);
    rg_tape_reset(tape);
    assert_stored(rg_param_stored_grad(p), 22, 44);
    assert_values(rg_param_grad(tape, p), 22, 44); /* it can be read without a backward pass */
    rg_tape_reset(tape);
    assert_stored(rg_param_stored_grad(p), 22, 44);
    rg_backward(tape, loss_of(p, 100));
    assert_stored(rg_param_stored_grad(p), 22, 44);
    assert_values(rg_param_grad(tape, p), 222, 444);
    rg_tape_reset(tape);
    assert_stored(rg_param_stored_grad(p), 222, 444);
    rg_backward(tape, loss_of(p, 1000));
    rg_tape_free(tape); /* no reset: what this tape recorded is dropped */
    tape = NULL;
    assert_stored(rg_param_stored_grad(p), 222, 444);
}

static void clearing_forgets_recorded_and_stored_gradients(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2);
    rg_backward(tape, loss_of(p, 1));
    rg_params_clear_grads(tape, store);
    assert_true(rg_is_nil(rg_param_grad(tape, p)));
    rg_tape_reset(tape);
    assert_null(rg_param_stored_grad(p));
    rg_backward(tape, loss_of(p, 1));
    rg_tape_reset(tape);
    assert_non_null(rg_param_stored_grad(p));
    rg_backward(tape, loss_of(p, 1));
    rg_params_clear_grads(tape, store);
    assert_null(rg_param_stored_grad(p));
    rg_backward(tape, loss_of(p, 10)); /* counts again from nothing */
    assert_values(rg_param_grad(tape, p), 20, 40);
    rg_tape_reset(tape);
    assert_stored(rg_param_stored_grad(p), 20, 40);
}

static void a_gradient_can_be_replaced_and_forgotten(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2);
    rg_backward(tape, loss_of(p, 1));
    rg_param_set_grad(tape, p, rg_mul_scalar(tape, rg_param_grad(tape, p), .5));
    assert_values(rg_param_grad(tape, p), 1, 2);
    rg_backward(tape, loss_of(p, 1));
    assert_values(rg_param_grad(tape, p), 3, 6);
    rg_tape_reset(tape);
    assert_stored(rg_param_stored_grad(p), 3, 6);
    rg_param_set_grad(tape, p, rg_clamp(tape, rg_param_grad(tape, p), 0, 4)); /* of a stored one */
    rg_tape_reset(tape);
    assert_stored(rg_param_stored_grad(p), 3, 4);
    rg_param_set_grad(tape, p, RG_NIL);
    assert_true(rg_is_nil(rg_param_grad(tape, p)));
    rg_tape_reset(tape);
    assert_null(rg_param_stored_grad(p));
}

static void gradients_of_a_rolled_back_section_are_stored(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2), *q = PARAM("q", RG_SHAPE(1), 1);
    rg_backward(tape, loss_of(q, 1));
    rg_backward(tape, loss_of(p, 1));
    const rg_mark mark = rg_tape_mark(tape);
    for (int i = 0; i < 3; i++) {
        rg_backward(tape, loss_of(p, 1));
        rg_tape_rollback(tape, mark);
        assert_stored(rg_param_stored_grad(p), 2.0 * (i + 2), 4.0 * (i + 2));
    }
    assert_null(rg_param_stored_grad(q)); /* its gradient is from before the mark */
    assert_values(rg_param_grad(tape, q), 2);
    assert_values(rg_param_grad(tape, p), 8, 16);
    rg_tape_reset(tape);
    assert_stored(rg_param_stored_grad(p), 8, 16);
    assert_stored(rg_param_stored_grad(q), 2);
}

static void a_rolled_back_inner_loop_trains(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 8, -8);
    const rg_tensor target = F64(RG_SHAPE(2), 1, 2);
    const rg_mark mark = rg_tape_mark(tape);
    for (int i = 0; i < 200; i++) {
        const rg_tensor w = rg_leaf(tape, p);
        rg_backward(tape, total(rg_square(tape, rg_sub(tape, w, target))));
        rg_assign(tape, p, rg_sub(tape, w, rg_mul_scalar(tape, rg_param_grad(tape, p), .25)));
        rg_params_clear_grads(tape, store);
        rg_tape_rollback(tape, mark);
        assert_null(rg_param_stored_grad(p));
    }
    assert_tape_ok(tape);
    assert_stored(rg_param_data(p), 1, 2);
    assert_values(target, 1, 2);
}

static void two_tapes_add_to_one_stored_gradient(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(1), 3);
    rg_tape *other = rg_tape_new(NULL), *const first = tape;
    rg_backward(tape, loss_of(p, 1));
    rg_tape_reset(tape);
    tape = other;
    rg_backward(tape, loss_of(p, 1));
    assert_values(rg_param_grad(tape, p), 12);
    rg_tape_reset(tape);
    assert_stored(rg_param_stored_grad(p), 12);
    rg_tape_free(other);
    tape = first;
}

/* ---- gradients as tensors ---- */

static void grad_by_inputs_leaves_and_intermediates(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 3, 5);
    const rg_tensor x = F64(RG_SHAPE(2), 1, 2), w = rg_leaf(tape, p), unused = F64(RG_SHAPE(3), 1, 2, 3);
    const rg_tensor product = rg_mul(tape, x, w), square = rg_square(tape, product), y = total(square);
    const rg_tensor later = rg_neg(tape, y);
    const rg_tensor by[] = {w, product, unused, x, y, later, square, x};
    rg_tensor grad[COUNT(by)];
    assert_true(rg_grad(tape, y, by, COUNT(by), grad));
    assert_values(grad[0], 2 * 3 * 1, 2 * 10 * 2);
    assert_values(grad[1], 6, 20);
    assert_values(grad[2], 0, 0, 0);
    assert_values(grad[3], 2 * 3 * 3, 2 * 10 * 5);
    assert_values(grad[4], 1);
    assert_values(grad[5], 0);
    assert_values(grad[6], 1, 1);
    assert_values(grad[7], 18, 100);
    assert_true(rg_is_nil(rg_param_grad(tape, p))); /* of parameters' own gradients nothing was touched */
    assert_true(rg_grad(tape, y, NULL, 0, NULL));
    assert_tape_ok(tape);
}

static void grad_is_zero_where_the_path_is_cut(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(2), 1, 2);
    rg_mode_push(tape, RG_NO_GRAD);
    const rg_tensor constant = rg_square(tape, x);
    rg_mode_pop(tape);
    const rg_tensor y = total(rg_add(tape, rg_mul(tape, rg_detach(tape, x), constant),
                                     rg_cast(tape, rg_gt(tape, x, rg_scalar(tape, RG_F64, 1)), RG_F64)));
    rg_tensor grad[2];
    assert_true(rg_grad(tape, y, (const rg_tensor[]){x, constant}, 2, grad));
    assert_values(grad[0], 0, 0);
    assert_values(grad[1], 1, 2);
}

static void derivatives_of_any_order(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(3), 1, 2, -1);
    rg_tensor y = rg_mul(tape, rg_square(tape, rg_square(tape, x)), x); /* x^5 */
    static const double factor[] = {5, 20, 60, 120, 120, 0};
    static const int power[] = {4, 3, 2, 1, 0, 0};
    for (int order = 0; order < 6; order++) {
        rg_tensor grad;
        assert_true(rg_grad(tape, total(y), &x, 1, &grad));
        assert_values(grad, factor[order], factor[order] * pow(2, power[order]), factor[order] * pow(-1, power[order]));
        y = grad;
    }
}

static void a_gradient_can_be_part_of_the_loss(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 3, 5);
    const rg_tensor x = F64(RG_SHAPE(2), 1, 2), w = rg_leaf(tape, p);
    rg_tensor slope;
    assert_true(rg_grad(tape, total(rg_mul(tape, w, rg_square(tape, x))), &x, 1, &slope)); /* 2 w x */
    assert_true(rg_requires_grad(tape, slope));
    rg_backward(tape, total(rg_square(tape, slope))); /* 4 w^2 x^2 */
    assert_values(rg_param_grad(tape, p), 8 * 3 * 1, 8 * 5 * 4);
    /* In a no-grad section it is a constant. */
    rg_mode_push(tape, RG_NO_GRAD);
    assert_true(rg_grad(tape, total(rg_mul(tape, w, x)), &x, 1, &slope));
    rg_mode_pop(tape);
    assert_false(rg_requires_grad(tape, slope));
}

static void mixed_second_derivatives_agree(void **state)
{
    (void)state;
    const rg_tensor a = F64(RG_SCALAR, 0.7), b = F64(RG_SCALAR, -1.3);
    const rg_tensor y = rg_mul(tape, rg_exp(tape, rg_mul(tape, a, b)), rg_sin(tape, a));
    rg_tensor first[2], ab, ba;
    assert_true(rg_grad(tape, y, (const rg_tensor[]){a, b}, 2, first));
    assert_true(rg_grad(tape, first[0], &b, 1, &ab));
    assert_true(rg_grad(tape, first[1], &a, 1, &ba));
    const double A = .7, B = -1.3, e = exp(A * B);
    const double expected = e * (sin(A) + A * B * sin(A) + A * cos(A));
    assert_values(ab, expected);
    assert_values(ba, expected);
}

/* ---- depth ---- */

static double step_of(double y)
{
    return y + 1e-6 * sin(y);
}

static void a_million_ops_reverse(void **state)
{
    (void)state;
    enum { STEPS = 333334 }; /* of three ops each */
    rg_param *p = PARAM("p", RG_SCALAR, 1);
    const rg_tensor h = rg_constant(tape, RG_F64, 1e-6);
    rg_tensor y = rg_leaf(tape, p);
    for (int i = 0; i < STEPS; i++)
        y = rg_add(tape, y, rg_mul(tape, h, rg_sin(tape, y)));
    assert_true(rg_tape_length(tape) > 1000000);
    rg_backward(tape, y);
    const double grad = rg_item(tape, rg_param_grad(tape, p)), value = rg_item(tape, y);
    assert_tape_ok(tape);
    double at = 1, slope = 1, low = 1 - 1e-4, high = 1 + 1e-4;
    for (int i = 0; i < STEPS; i++) {
        slope *= 1 + 1e-6 * cos(at);
        at = step_of(at);
        low = step_of(low);
        high = step_of(high);
    }
    assert_near(value, at, 1e-13);
    assert_near(grad, slope, 1e-10);
    assert_near(grad, (high - low) / 2e-4, 1e-7);
}

/* How many nodes of this op were recorded from `first` on. */
static int recorded(const char *op, int64_t first)
{
    int found = 0;
    rg_node node;
    for (int64_t i = first; i < rg_tape_length(tape); i++)
        found += rg_tape_node(tape, rg_tape_at(tape, i), &node) && strcmp(node.op, op) == 0;
    return found;
}

/* A sequence of which not every step counts: the gradients of its steps are laid side by side, not added. */
static void gradients_of_slices_are_joined(void **state)
{
    (void)state;
    enum { STEPS = 6 };
    rg_param *p = PARAM("x", RG_SHAPE(STEPS, 2), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    rg_tensor step[STEPS], loss = F64(RG_SHAPE(2), 0, 0);
    rg_unbind(tape, rg_leaf(tape, p), 0, step, STEPS);
    for (int i = 4; i > 1; i--)
        loss = rg_add(tape, loss, rg_square(tape, step[i]));
    const int64_t forward = rg_tape_length(tape);
    rg_backward(tape, total(loss));
    assert_int_equal(recorded("cat", forward), 1);
    assert_int_equal(recorded("add", forward), 0);
    assert_values(rg_param_grad(tape, p), 0, 0, 0, 0, 10, 12, 14, 16, 18, 20, 0, 0);
    /* Those that overlap are added. */
    rg_tape_reset(tape);
    rg_params_clear_grads(tape, store);
    const rg_tensor x = rg_leaf(tape, p);
    rg_backward(tape, rg_add(tape, total(rg_slice(tape, x, 0, 0, 4, 1)), total(rg_slice(tape, x, 0, 3, 6, 1))));
    assert_values(rg_param_grad(tape, p), 1, 1, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1);
}

/* A sequence that is read forwards, and backwards twice. */
static void gradients_of_slices_that_are_read_again_are_joined_too(void **state)
{
    (void)state;
    enum { STEPS = 5 };
    rg_param *p = PARAM("x", RG_SHAPE(STEPS), 1, 2, 3, 4, 5);
    const rg_tensor x = rg_leaf(tape, p);
    rg_tensor loss = rg_constant(tape, RG_F64, 0);
    for (int i = 0; i < STEPS; i++) {
        loss = rg_add(tape, loss, rg_square(tape, rg_select(tape, x, 0, i)));
        loss = rg_add(tape, loss, rg_exp(tape, rg_mul_scalar(tape, rg_select(tape, x, 0, STEPS - 1 - i), 0)));
        loss = rg_add(tape, loss, rg_mul_scalar(tape, rg_select(tape, x, 0, STEPS - 1 - i), 3));
    }
    const int64_t forward = rg_tape_length(tape);
    rg_backward(tape, loss);
    assert_int_equal(recorded("cat", forward), 3);
    assert_int_equal(recorded("add", forward), 2);
    assert_values(rg_param_grad(tape, p), 5, 7, 9, 11, 13);
}

/* More steps than one node can read, read in no order. */
static void gradients_of_very_many_slices_are_joined(void **state)
{
    (void)state;
    enum { STEPS = 70000, STRIDE = 30011 }; /* without common factor */
    rg_param *p = rg_param_new(store, "x", RG_F64, RG_SHAPE(STEPS), NULL);
    rg_init_uniform(p, -1, 1);
    const rg_tensor x = rg_leaf(tape, p);
    rg_tensor loss = rg_constant(tape, RG_F64, 0);
    for (int64_t i = 0; i < STEPS; i++)
        loss = rg_add(tape, loss, rg_square(tape, rg_select(tape, x, 0, i * STRIDE % STEPS)));
    const int64_t forward = rg_tape_length(tape);
    rg_backward(tape, loss);
    assert_int_equal(recorded("add", forward), 0);
    assert_int_equal(recorded("cat", forward), 3);
    const rg_tensor g = rg_param_grad(tape, p), expected = rg_mul_scalar(tape, x, 2);
    assert_true(rg_item(tape, rg_all(tape, rg_eq(tape, g, expected), RG_ALL, false)) == 1);
}

/* A weight that every step multiplies: one product over all steps. The sum of many products is right as it is. */
static void a_weight_of_many_steps_has_one_product(void **state)
{
    (void)state;
    enum { STEPS = 12 };
    const double initial[] = {.1, -.2, .3, .4, .5, -.6, .7, .8, -.9};
    for (int transposed = 0; transposed < 2; transposed++) {
        rg_params *ps = rg_params_new(1);
        rg_param *p = rg_param_new(ps, "w", RG_F64, RG_SHAPE(3, 3), initial);
        const rg_tensor w = rg_leaf(tape, p);
        rg_tensor h = F64(RG_SHAPE(1, 3), 1, 2, 3), all = h;
        for (int i = 0; i < STEPS; i++) {
            h = rg_tanh(tape, rg_matmul(tape, h, transposed ? rg_transpose(tape, w, 0, 1) : w));
            all = rg_add(tape, all, h);
        }
        const rg_tensor loss = total(rg_square(tape, all));
        const int64_t forward = rg_tape_length(tape);
        rg_backward(tape, loss);
        const rg_tensor g = rg_param_grad(tape, p);
        assert_int_equal(recorded("matmul", forward), STEPS + STEPS - 1 + 1);
        assert_int_equal(recorded("cat", forward), 2);
        double values[VALUES_MOST];
        assert_int_equal(read_values(tape, g, values), 9);
        for (int i = 0; i < 9; i++) { /* against differences */
            double side[2];
            for (int k = 0; k < 2; k++) {
                double moved[9], state_[3] = {1, 2, 3}, sum[3] = {1, 2, 3};
                memcpy(moved, initial, sizeof moved);
                moved[i] += k ? 1e-6 : -1e-6;
                for (int n = 0; n < STEPS; n++) {
                    double next[3] = {0};
                    for (int a = 0; a < 3; a++)
                        for (int b = 0; b < 3; b++)
                            next[b] += state_[a] * moved[transposed ? b * 3 + a : a * 3 + b];
                    for (int b = 0; b < 3; b++)
                        sum[b] += state_[b] = tanh(next[b]);
                }
                side[k] = sum[0] * sum[0] + sum[1] * sum[1] + sum[2] * sum[2];
            }
            assert_near(values[i], (side[1] - side[0]) / 2e-6, 1e-5);
        }
        rg_tape_reset(tape);
        rg_params_free(ps);
    }
}

/* The half that `user` names of a cotangent [4], without a way back through it. */
static rg_tensor closed_half(rg_tape *t, rg_tensor cotangent, void *user)
{
    const int64_t first = *(const int64_t *)user, before[] = {first}, after[] = {2 - first};
    rg_mode_push(t, RG_NO_GRAD);
    const rg_tensor half = rg_pad(t, rg_slice(t, cotangent, 0, first, first + 2, 1), before, after, 0);
    rg_mode_pop(t);
    return half;
}

/* Gradients that are laid side by side, and products that become one, stay closed where they were. */
static void what_is_joined_has_no_gradient_that_its_parts_have_not(void **state)
{
    (void)state;
    int64_t first = 0, second = 2;
    const rg_tensor x = F64(RG_SHAPE(4), 1, 2, 3, 4), z = F64(RG_SHAPE(4), 5, 6, 7, 8);
    const rg_tensor halves[2] = {rg_hook(tape, x, closed_half, &first), rg_hook(tape, x, closed_half, &second)};
    rg_tensor g, of_g;
    assert_true(rg_grad(tape, total(rg_mul(tape, z, rg_add(tape, halves[0], halves[1]))), &x, 1, &g));
    assert_values(g, 5, 6, 7, 8);
    assert_true(rg_grad(tape, total(g), &z, 1, &of_g));
    assert_values(of_g, 0, 0, 0, 0);

    const rg_tensor a = F64(RG_SHAPE(4, 1), 1, 2, 3, 4), b = F64(RG_SHAPE(1, 4), 1, 0, 0, 0);
    const rg_tensor w = rg_zeros(tape, RG_F64, RG_SHAPE(4, 4));
    rg_mode_push(tape, RG_NO_GRAD);
    const rg_tensor product = rg_matmul(tape, a, b);
    rg_mode_pop(tape);
    assert_true(rg_grad_with(tape, rg_add(tape, rg_add(tape, w, w), w), product, &w, 1, &g));
    assert_values(g, 3, 0, 0, 0, 6, 0, 0, 0, 9, 0, 0, 0, 12, 0, 0, 0);
    assert_true(rg_grad(tape, total(g), &a, 1, &of_g));
    assert_values(of_g, 0, 0, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(every_use_of_a_parameter_adds_to_its_gradient),
        TAPE_TEST(gradients_have_the_shape_and_dtype_of_the_parameter),
        TAPE_TEST(a_result_without_parameters_has_no_gradient),
        TAPE_TEST(frozen_parameters_get_no_gradient),
        TAPE_TEST(nothing_flows_through_an_assignment),
        TAPE_TEST(reading_the_loss_first_changes_no_gradient),
        TAPE_TEST(nothing_is_recorded_for_gradients_that_nobody_wants),
        TAPE_TEST(gradients_of_backward_are_constants_and_those_of_grad_are_not),
        TAPE_TEST(backward_with_takes_the_cotangent_of_any_shape),
        TAPE_TEST(gradients_accumulate_over_backward_calls_and_resets),
        TAPE_TEST(clearing_forgets_recorded_and_stored_gradients),
        TAPE_TEST(a_gradient_can_be_replaced_and_forgotten),
        TAPE_TEST(gradients_of_a_rolled_back_section_are_stored),
        TAPE_TEST(a_rolled_back_inner_loop_trains),
        TAPE_TEST(two_tapes_add_to_one_stored_gradient),
        TAPE_TEST(grad_by_inputs_leaves_and_intermediates),
        TAPE_TEST(grad_is_zero_where_the_path_is_cut),
        TAPE_TEST(derivatives_of_any_order),
        TAPE_TEST(a_gradient_can_be_part_of_the_loss),
        TAPE_TEST(mixed_second_derivatives_agree),
        TAPE_TEST(a_million_ops_reverse),
        TAPE_TEST(gradients_of_slices_are_joined),
        TAPE_TEST(gradients_of_slices_that_are_read_again_are_joined_too),
        TAPE_TEST(gradients_of_very_many_slices_are_joined),
        TAPE_TEST(a_weight_of_many_steps_has_one_product),
        TAPE_TEST(what_is_joined_has_no_gradient_that_its_parts_have_not),
    };
    return cmocka_run_group_tests_name("gradients", tests, NULL, NULL);
}
