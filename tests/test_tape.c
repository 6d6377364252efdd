/* The tape: values on demand, inputs, sections, scopes, resets. Assignments and marks are in test_assign.c, gradients
 * in test_tape_grad.c. */
#include "tape_support.h"

/* ---- values on demand ---- */

static void nothing_runs_before_it_is_asked_for(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(2), 1, 2), y = rg_exp(tape, x), z = rg_add(tape, y, x);
    const rg_tensor broken = fails_when_run();
    assert_true(is_computed(x));
    assert_false(is_computed(y));
    assert_false(is_computed(z));
    assert_false(is_computed(broken));
    assert_tape_ok(tape);
    assert_values(z, exp(1) + 1, exp(2) + 2);
    assert_true(is_computed(z));
    /* What z does not need was not run, or it would have failed. */
    assert_false(is_computed(broken));
    assert_true(isnan(rg_item(tape, broken)));
    assert_error(tape, RG_ERROR_VALUE, WORDS("gather", "3"));
}

static void a_value_can_be_asked_for_at_any_time_and_again(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(3), 1, 2, 3), y = rg_square(tape, x);
    for (int i = 0; i < 3; i++)
        assert_values(y, 1, 4, 9);
    const rg_tensor z = rg_sum(tape, y, RG_ALL, false);
    assert_number(rg_item(tape, z), 14);
    assert_values(x, 1, 2, 3);
    assert_values(rg_mul(tape, z, y), 14, 56, 126);
    assert_number(rg_item(tape, z), 14);
}

static void values_may_be_asked_for_in_another_order_in_the_next_step(void **state)
{
    (void)state;
    for (int step = 0; step < 12; step++) {
        const rg_tensor x = F64(RG_SHAPE(2, 2), step, 1, 2, 3), y = rg_matmul(tape, x, x);
        const rg_tensor z = rg_add(tape, y, x), sum = total(z);
        const double s = step;
        if (step % 2)
            assert_values(y, s * s + 2, s + 3, 2 * s + 6, 11);
        if (step % 3 == 0)
            assert_values(z, s * s + s + 2, s + 4, 2 * s + 8, 14);
        assert_number(rg_item(tape, sum), s * s + 4 * s + 28);
        if (step % 4 == 0)
            assert_values(z, s * s + s + 2, s + 4, 2 * s + 8, 14);
        assert_values(y, s * s + 2, s + 3, 2 * s + 6, 11);
        rg_tape_reset(tape);
    }
}

static void items_of_every_dtype_are_doubles(void **state)
{
    (void)state;
    const int32_t i32 = -7;
    const int64_t i64 = INT64_C(1) << 40;
    const bool yes = true;
    assert_number(rg_item(tape, F32(RG_SHAPE(1, 1), 0.5f)), 0.5);
    assert_number(rg_item(tape, F64(RG_SCALAR, -0.1)), -0.1);
    assert_number(rg_item(tape, rg_input_i32(tape, RG_SHAPE(1), &i32)), -7);
    assert_number(rg_item(tape, rg_input_i64(tape, RG_SCALAR, &i64)), 0x1p40);
    assert_number(rg_item(tape, rg_input_bool(tape, RG_SCALAR, &yes)), 1);
    assert_number(rg_item(tape, rg_scalar(tape, RG_I64, 12)), 12);
    assert_number(rg_item(tape, rg_constant(tape, RG_F32, 0.25)), 0.25);
    assert_tape_ok(tape);
}

static void views_of_any_strides_are_read_row_major(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(2, 3), 0, 1, 2, 3, 4, 5);
    const rg_tensor transposed = rg_transpose(tape, x, 0, 1), flipped = rg_flip(tape, x, RG_AXES(1));
    const rg_tensor every_other = rg_slice(tape, x, 1, 0, RG_END, 2);
    const rg_tensor expanded = rg_expand(tape, rg_select(tape, x, 1, 1), RG_SHAPE(2, 2));
    const rg_tensor diagonal = rg_slice(tape, rg_transpose(tape, flipped, 0, 1), 0, 2, 0, -1);
    assert_values(transposed, 0, 3, 1, 4, 2, 5);
    assert_values(flipped, 2, 1, 0, 5, 4, 3);
    assert_values(every_other, 0, 2, 3, 5);
    assert_values(expanded, 1, 4, 1, 4);
    assert_values(diagonal, 0, 3, 1, 4);
    assert_memory_equal(rg_data_f64(tape, transposed), ((double[]){0, 3, 1, 4, 2, 5}), 6 * sizeof(double));
    assert_memory_equal(rg_data_f64(tape, expanded), ((double[]){1, 4, 1, 4}), 4 * sizeof(double));
    assert_memory_equal(rg_data(tape, diagonal), ((double[]){0, 3, 1, 4}), 4 * sizeof(double));
    /* The view is what it was; only the reader got a copy. */
    rg_node node;
    assert_true(rg_tape_node(tape, transposed, &node));
    assert_true(node.is_view);
    assert_int_equal(node.strides[0], 1);
    assert_int_equal(node.strides[1], 3);
}

static void data_stays_where_it_is_until_the_reset(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 3, 4);
    const double *leaf = rg_data_f64(tape, rg_leaf(tape, p));
    const rg_tensor y = rg_exp(tape, F64(RG_SHAPE(2), 0, 1));
    const double *of_y = rg_data_f64(tape, y);
    rg_assign(tape, p, rg_neg(tape, y));
    for (int i = 0; i < 3000; i++)
        rg_item(tape, total(rg_square(tape, y)));
    assert_stored(leaf, 3, 4);
    assert_stored(of_y, 1, exp(1));
    assert_ptr_equal(rg_data(tape, y), of_y);
    assert_stored(rg_param_data(p), -1, -exp(1));
}

static void empty_tensors_are_computed_and_read(void **state)
{
    (void)state;
    const rg_tensor x = rg_input_f32(tape, RG_SHAPE(0, 3), NULL), y = rg_exp(tape, rg_mul_scalar(tape, x, 2));
    float room = 5;
    assert_true(rg_read(tape, y, NULL, 0));
    assert_true(rg_read(tape, y, &room, 0));
    assert_number(room, 5);
    assert_non_null(rg_data(tape, y));
    assert_values(rg_sum(tape, y, RG_AXES(0), false), 0, 0, 0);
}

static void keeping_computes_with_the_next_run(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(2), 1, 2), y = rg_square(tape, x), z = rg_neg(tape, x);
    const rg_tensor kept = rg_keep(tape, y);
    assert_true(kept.id == y.id && kept.generation == y.generation);
    assert_false(is_computed(y));
    assert_true(rg_tape_run(tape));
    assert_true(is_computed(y));
    assert_false(is_computed(z));
    assert_values(y, 1, 4);
}

static void a_kept_leaf_outlives_the_assignment(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2);
    const rg_tensor old = rg_leaf(tape, p), kept = rg_keep(tape, old);
    assert_true(kept.id == old.id && kept.generation == old.generation);
    rg_assign(tape, p, rg_add_scalar(tape, old, 10));
    assert_true(rg_tape_run(tape));
    assert_stored(rg_param_data(p), 11, 12);
    assert_values(old, 1, 2);
    assert_values(old, 1, 2);
    assert_values(rg_leaf(tape, p), 11, 12);
}

static void detached_is_the_same_value_without_history(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 3, 5);
    const rg_tensor w = rg_leaf(tape, p), d = rg_detach(tape, rg_transpose(tape, rg_unsqueeze(tape, w, 0), 0, 1));
    assert_true(rg_requires_grad(tape, w));
    assert_false(rg_requires_grad(tape, d));
    assert_shape(d, 2, 1);
    assert_values(d, 3, 5);
    rg_backward(tape, total(rg_mul(tape, w, rg_detach(tape, w))));
    assert_values(rg_param_grad(tape, p), 3, 5); /* not 6 and 10 */
}

/* ---- inputs ---- */

static void inputs_are_copied_at_once(void **state)
{
    (void)state;
    double data[] = {1, 2, 3};
    const rg_tensor x = rg_input_f64(tape, RG_SHAPE(3), data), y = rg_add_scalar(tape, x, 1);
    memset(data, 0xff, sizeof data);
    assert_values(y, 2, 3, 4);
    assert_values(x, 1, 2, 3);
}

static void borrowed_data_is_read_where_it_lies(void **state)
{
    (void)state;
    const double data[] = {0, 1, 2, 3, 4, 5};
    const rg_tensor plain = rg_borrow(tape, RG_F64, RG_SHAPE(2, 3), NULL, data);
    const int64_t columns[] = {1, 2}, backwards[] = {-3, -1}, repeated[] = {0, 2};
    const rg_tensor transposed = rg_borrow(tape, RG_F64, RG_SHAPE(2, 3), columns, data);
    const rg_tensor reversed = rg_borrow(tape, RG_F64, RG_SHAPE(2, 3), backwards, data + 5);
    const rg_tensor rows = rg_borrow(tape, RG_F64, RG_SHAPE(2, 3), repeated, data);
    assert_ptr_equal(rg_data(tape, plain), data);
    assert_values(transposed, 0, 2, 4, 1, 3, 5);
    assert_values(reversed, 5, 4, 3, 2, 1, 0);
    assert_values(rows, 0, 2, 4, 0, 2, 4);
    assert_values(rg_reshape(tape, reversed, RG_SHAPE(6)), 5, 4, 3, 2, 1, 0);
    assert_values(rg_matmul(tape, rows, rg_transpose(tape, transposed, 0, 1)), 20, 26, 20, 26);
    assert_values(rg_add(tape, transposed, reversed), 5, 6, 7, 3, 4, 5);
    /* Gradients have the shape of what was borrowed, not its strides. */
    rg_tensor grad;
    assert_true(rg_grad(tape, total(rg_square(tape, rows)), &rows, 1, &grad));
    assert_values(grad, 0, 4, 8, 0, 4, 8);
}

static void strides_of_borrowed_data_may_differ_from_step_to_step(void **state)
{
    (void)state;
    const double data[] = {0, 1, 2, 3, 4, 5};
    const int64_t columns[] = {1, 2};
    for (int step = 0; step < 4; step++) {
        const rg_tensor x = rg_borrow(tape, RG_F64, RG_SHAPE(2, 3), step & 1 ? columns : NULL, data);
        const rg_tensor y = rg_mul(tape, x, F64(RG_SHAPE(2, 3), 1, 1, 1, 10, 10, 10));
        if (step & 1)
            assert_values(y, 0, 2, 4, 10, 30, 50);
        else
            assert_values(y, 0, 1, 2, 30, 40, 50);
        rg_tape_reset(tape);
    }
}

/* A reader's buffer may be any bytes. */
static void values_are_read_into_memory_of_any_alignment(void **state)
{
    (void)state;
    const rg_tensor x = rg_transpose(tape, F64(RG_SHAPE(2, 2), 1, 2, 3, 4), 0, 1);
    char room[4 * sizeof(double) + 1];
    double out[4];
    assert_true(rg_read(tape, x, room + 1, sizeof out));
    memcpy(out, room + 1, sizeof out);
    assert_stored(out, 1, 3, 2, 4);
}

static void borrowed_data_may_go_after_the_reset(void **state)
{
    (void)state;
    for (int step = 0; step < 3; step++) {
        float *data = malloc(4 * sizeof *data);
        for (int i = 0; i < 4; i++)
            data[i] = (float)(i + step);
        const rg_tensor x = rg_borrow(tape, RG_F32, RG_SHAPE(4), NULL, data);
        assert_number(rg_item(tape, total(x)), 6 + 4 * step);
        rg_tape_reset(tape);
        free(data);
        assert_stale(tape, x, "reset");
    }
    assert_non_null(rg_data(tape, rg_borrow(tape, RG_F32, RG_SHAPE(3, 0), NULL, NULL)));
}

/* ---- sections ---- */

static void no_grad_results_count_as_constant(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 3, 5);
    const rg_tensor w = rg_leaf(tape, p);
    assert_int_equal(rg_mode_of(tape), RG_GRAD);
    rg_mode_push(tape, RG_NO_GRAD);
    assert_int_equal(rg_mode_of(tape), RG_NO_GRAD);
    const rg_tensor constant = rg_square(tape, w);
    rg_mode_push(tape, RG_GRAD);
    const rg_tensor inside = rg_mul(tape, w, constant);
    rg_mode_pop(tape);
    assert_int_equal(rg_mode_of(tape), RG_NO_GRAD);
    rg_mode_pop(tape);
    assert_int_equal(rg_mode_of(tape), RG_GRAD);
    assert_false(rg_requires_grad(tape, constant));
    assert_true(rg_requires_grad(tape, inside));
    assert_true(rg_requires_grad(tape, w)); /* of the leaf itself nothing changed */
    rg_backward(tape, total(inside));
    assert_values(rg_param_grad(tape, p), 9, 25);
}

static void inference_drops_intermediate_values_and_computes_them_again(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2);
    rg_mode_push(tape, RG_INFERENCE);
    const rg_tensor a = rg_exp(tape, rg_leaf(tape, p)), kept = rg_keep(tape, rg_neg(tape, a));
    const rg_tensor b = rg_mul(tape, rg_flip(tape, a, RG_ALL), kept), c = rg_add(tape, b, a);
    rg_mode_pop(tape);
    assert_values(c, -exp(3) + exp(1), -exp(3) + exp(2));
    assert_false(is_computed(a));
    assert_false(is_computed(b));
    assert_true(is_computed(kept));
    assert_true(is_computed(c));
    assert_values(b, -exp(3), -exp(3));
    assert_values(a, exp(1), exp(2));
    assert_values(c, -exp(3) + exp(1), -exp(3) + exp(2));
}

static void random_draws_of_an_inference_section_do_not_change_when_computed_again(void **state)
{
    (void)state;
    rg_mode_push(tape, RG_INFERENCE);
    const rg_tensor r = rg_randn(tape, RG_F64, RG_SHAPE(50)), s = rg_square(tape, r);
    rg_mode_pop(tape);
    static double squares[VALUES_MOST], draws[VALUES_MOST];
    read_values(tape, s, squares);
    assert_false(is_computed(r));
    read_values(tape, r, draws);
    for (int i = 0; i < 50; i++)
        assert_number(draws[i] * draws[i], squares[i]);
}

static void inference_results_may_not_enter_what_gradients_flow_through(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 3, 5);
    rg_mode_push(tape, RG_INFERENCE);
    const rg_tensor features = rg_square(tape, rg_leaf(tape, p)), view = rg_flip(tape, features, RG_ALL);
    rg_mode_pop(tape);
    rg_scope_push(tape, "head");
    assert_true(rg_is_nil(rg_mul(tape, rg_leaf(tape, p), features)));
    assert_error(tape, RG_ERROR_STATE, WORDS("mul", "inference", "rg_detach", "head"));
    assert_true(rg_is_nil(rg_mul(tape, rg_leaf(tape, p), view)));
    assert_error(tape, RG_ERROR_STATE, WORDS("mul", "inference"));
    rg_scope_pop(tape);
    /* Where no gradient flows it may, and a detached one may anywhere. */
    assert_values(rg_add_scalar(tape, features, 1), 10, 26);
    const rg_tensor y = rg_mul(tape, rg_leaf(tape, p), rg_detach(tape, features));
    assert_values(y, 27, 125);
    rg_backward(tape, total(y));
    assert_values(rg_param_grad(tape, p), 9, 25);
}

/* ---- scopes ---- */

static void scopes_nest_and_name_nodes(void **state)
{
    (void)state;
    char name[] = "encoder";
    assert_string_equal(rg_scope(tape), "");
    rg_scope_push(tape, name);
    rg_scope_push(tape, "0");
    rg_scope_push(tape, "");
    name[0] = '?'; /* copied */
    assert_string_equal(rg_scope(tape), "encoder.0");
    const rg_tensor x = rg_exp(tape, F64(RG_SCALAR, 1));
    rg_scope_pop(tape);
    rg_scope_pop(tape);
    assert_string_equal(rg_scope(tape), "encoder");
    rg_scope_pop(tape);
    assert_string_equal(rg_scope(tape), "");
    rg_node node;
    assert_true(rg_tape_node(tape, x, &node));
    assert_string_equal(node.scope, "encoder.0");
    assert_string_equal(node.op, "exp");
    rg_scope_push(tape, NULL);
    assert_string_equal(rg_scope(tape), "");
    rg_scope_pop(tape);
    assert_tape_ok(tape);
}

static void the_backward_pass_is_recorded_in_the_scope_of_the_forward_op(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 3, 5);
    rg_scope_push(tape, "block");
    const rg_tensor y = rg_tanh(tape, rg_leaf(tape, p));
    rg_scope_pop(tape);
    const rg_tensor loss = total(y);
    const int64_t forward = rg_tape_length(tape);
    rg_backward(tape, loss);
    bool found = false;
    for (int64_t i = 0; i < rg_tape_length(tape); i++) {
        rg_node node;
        assert_true(rg_tape_node(tape, rg_tape_at(tape, i), &node));
        assert_int_equal(node.backward, i >= forward);
        found = found || (node.backward && strcmp(node.scope, "block") == 0);
    }
    assert_true(found);
    assert_string_equal(rg_scope(tape), "");
}

/* ---- reset ---- */

static void a_reset_makes_every_handle_stale(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(1), 1);
    rg_tensor before[5];
    for (int step = 0; step < 4; step++) {
        const rg_tensor x = F64(RG_SHAPE(1), step), w = rg_leaf(tape, p), y = rg_mul(tape, x, w);
        assert_values(y, step);
        if (step)
            for (int i = 0; i < 3; i++)
                assert_stale(tape, before[i], "reset");
        memcpy(before, (rg_tensor[]){x, w, y}, 3 * sizeof *before);
        rg_scope_push(tape, "left open");
        rg_mode_push(tape, RG_NO_GRAD);
        rg_tape_reset(tape);
        assert_int_equal(rg_tape_length(tape), 0);
        assert_string_equal(rg_scope(tape), "");
        assert_int_equal(rg_mode_of(tape), RG_GRAD);
    }
    rg_tape *other = rg_tape_new(NULL);
    const rg_tensor foreign = rg_scalar(other, RG_F64, 1);
    F64(RG_SHAPE(1), 1);
    assert_stale(tape, foreign, "another tape");
    rg_tape_free(other);
    assert_stale(tape, foreign, "another tape");
}

static void steps_of_one_program_give_the_same_and_random_ones_do_not(void **state)
{
    (void)state;
    double first[8], second[8];
    for (int step = 0; step < 2; step++) {
        assert_true(rg_read(tape, rg_rand(tape, RG_F64, RG_SHAPE(8)), step ? second : first, sizeof first));
        rg_tape_reset(tape);
    }
    for (int i = 0; i < 8; i++)
        assert_true(first[i] != second[i]);
    /* Another tape with this seed draws what this one drew. */
    rg_tape *other = rg_tape_new(&(rg_tape_config){.seed = 7});
    assert_true(rg_read(other, rg_rand(other, RG_F64, RG_SHAPE(8)), second, sizeof second));
    assert_memory_equal(first, second, sizeof first);
    rg_tape_free(other);
}

static void the_tape_can_be_looked_at(void **state)
{
    (void)state;
    rg_param *p = PARAM("w", RG_SHAPE(3), 1, 2, 3);
    const rg_tensor w = rg_leaf(tape, p), x = rg_slice(tape, w, 0, 1, 3, 1), y = rg_sum(tape, x, RG_AXES(0), true);
    assert_int_equal(rg_tape_length(tape), 3);
    rg_node node;
    assert_true(rg_tape_node(tape, rg_tape_at(tape, 0), &node));
    assert_string_equal(node.op, "leaf");
    assert_string_equal(node.name, "w");
    assert_true(node.computed && node.requires_grad);
    assert_ptr_equal(node.data, rg_param_data(p));
    assert_true(rg_tape_node(tape, x, &node));
    assert_true(node.is_view);
    assert_int_equal(node.input_count, 1);
    assert_int_equal(rg_tape_at(tape, node.inputs[0]).id, w.id);
    assert_true(rg_tape_node(tape, y, &node));
    assert_non_null(strstr(node.attributes, "axes=[0]"));
    assert_non_null(strstr(node.attributes, "keepdim=true"));
    assert_true(rg_shape_equal(node.shape, RG_SHAPE(1)));
    assert_false(node.computed);
    assert_null(node.data);
    assert_int_equal(rg_dim(tape, w, -1), 3);
    assert_int_equal(rg_dtype_of(tape, y), RG_F64);
    /* A failed tape can be looked at too. */
    rg_tape_fail(tape, RG_ERROR_VALUE, "no more");
    assert_true(rg_tape_node(tape, y, &node));
    assert_string_equal(node.op, "sum");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(nothing_runs_before_it_is_asked_for),
        TAPE_TEST(a_value_can_be_asked_for_at_any_time_and_again),
        TAPE_TEST(values_may_be_asked_for_in_another_order_in_the_next_step),
        TAPE_TEST(items_of_every_dtype_are_doubles),
        TAPE_TEST(views_of_any_strides_are_read_row_major),
        TAPE_TEST(data_stays_where_it_is_until_the_reset),
        TAPE_TEST(empty_tensors_are_computed_and_read),
        TAPE_TEST(keeping_computes_with_the_next_run),
        TAPE_TEST(a_kept_leaf_outlives_the_assignment),
        TAPE_TEST(detached_is_the_same_value_without_history),
        TAPE_TEST(inputs_are_copied_at_once),
        TAPE_TEST(borrowed_data_is_read_where_it_lies),
        TAPE_TEST(strides_of_borrowed_data_may_differ_from_step_to_step),
        TAPE_TEST(values_are_read_into_memory_of_any_alignment),
        TAPE_TEST(borrowed_data_may_go_after_the_reset),
        TAPE_TEST(no_grad_results_count_as_constant),
        TAPE_TEST(inference_drops_intermediate_values_and_computes_them_again),
        TAPE_TEST(random_draws_of_an_inference_section_do_not_change_when_computed_again),
        TAPE_TEST(inference_results_may_not_enter_what_gradients_flow_through),
        TAPE_TEST(scopes_nest_and_name_nodes),
        TAPE_TEST(the_backward_pass_is_recorded_in_the_scope_of_the_forward_op),
        TAPE_TEST(a_reset_makes_every_handle_stale),
        TAPE_TEST(steps_of_one_program_give_the_same_and_random_ones_do_not),
        TAPE_TEST(the_tape_can_be_looked_at),
    };
    return cmocka_run_group_tests_name("tape", tests, NULL, NULL);
}
