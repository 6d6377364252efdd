/* Parameters that change while a tape is recorded: assignments, which values they leave to whom, and marks, by which
 * inner loops update within a step. */
#include "tape_support.h"

/* ---- assignments ---- */

static void the_old_handle_keeps_the_old_value(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2);
    const rg_tensor old = rg_leaf(tape, p), before = rg_mul_scalar(tape, old, 10);
    rg_assign(tape, p, rg_add_scalar(tape, old, 1));
    const rg_tensor after = rg_mul_scalar(tape, old, 100), new = rg_leaf(tape, p);
    assert_stored(rg_param_data(p), 1, 2); /* only recorded so far */
    rg_keep(tape, before);
    assert_values(after, 100, 200); /* this runs the assignment, after everything it asks for has read the old value */
    assert_stored(rg_param_data(p), 2, 3);
    assert_values(before, 10, 20);
    assert_values(new, 2, 3);
}

static void what_was_recorded_before_still_has_the_old_value(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2);
    const rg_tensor old = rg_leaf(tape, p), late = rg_square(tape, old), view = rg_flip(tape, old, RG_ALL);
    rg_assign(tape, p, rg_add_scalar(tape, old, 1));
    assert_true(rg_tape_run(tape));
    assert_stored(rg_param_data(p), 2, 3);
    assert_values(late, 1, 4);
    assert_values(old, 1, 2);
    assert_values(view, 2, 1);
}

static void what_cannot_be_computed_again_says_so(void **state)
{
    (void)state;
    rg_param *p = PARAM("layer.weight", RG_SHAPE(2), 1, 2);
    rg_scope_push(tape, "model");
    const rg_tensor y = rg_square(tape, rg_leaf(tape, p)), z = rg_add_scalar(tape, y, 1);
    rg_scope_pop(tape);
    rg_assign(tape, p, rg_mul_scalar(tape, z, 2));
    assert_true(rg_tape_run(tape));
    assert_stored(rg_param_data(p), 4, 10);
    const rg_tensor late = rg_neg(tape, y); /* y was fused away, and what it is made of is gone */
    double out[2] = {-1, -1};
    assert_false(rg_read(tape, late, out, sizeof out));
    assert_number(out[0], -1);
    assert_error(tape, RG_ERROR_STATE, WORDS("square", "layer.weight", "assigned", "model"));
    assert_stored(rg_param_data(p), 4, 10);
}

static void two_assignments_swap_two_parameters(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2), *q = PARAM("q", RG_SHAPE(2), 3, 4);
    const rg_tensor a = rg_leaf(tape, p), b = rg_leaf(tape, q);
    rg_assign(tape, p, b);
    rg_assign(tape, q, a);
    rg_tape_reset(tape);
    assert_stored(rg_param_data(p), 3, 4);
    assert_stored(rg_param_data(q), 1, 2);
    /* Through views of themselves too. */
    rg_param *m = PARAM("m", RG_SHAPE(2, 2), 1, 2, 3, 4);
    rg_assign(tape, m, rg_transpose(tape, rg_leaf(tape, m), 0, 1));
    rg_tape_reset(tape);
    assert_stored(rg_param_data(m), 1, 3, 2, 4);
    assert_tape_ok(tape);
}

static void a_leaf_after_an_assignment_is_the_assigned_value(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2);
    const rg_tensor first = rg_leaf(tape, p);
    assert_int_equal(rg_leaf(tape, p).id, first.id); /* one leaf a tape */
    rg_assign(tape, p, rg_add_scalar(tape, first, 1));
    const rg_tensor second = rg_leaf(tape, p);
    assert_int_not_equal(second.id, first.id);
    rg_assign(tape, p, rg_mul(tape, second, second));
    const rg_tensor third = rg_leaf(tape, p);
    assert_true(rg_requires_grad(tape, third));
    assert_values(third, 4, 9);
    assert_values(second, 2, 3);
    rg_tape_reset(tape);
    assert_stored(rg_param_data(p), 4, 9); /* the last of the two */
    assert_values(rg_leaf(tape, p), 4, 9);
}

static void assigned_values_may_be_views_of_anything(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2, 3), 0, 0, 0, 0, 0, 0);
    rg_assign(tape, p, rg_expand(tape, rg_constant(tape, RG_F64, 7), RG_SHAPE(2, 3)));
    assert_true(rg_tape_run(tape));
    assert_stored(rg_param_data(p), 7, 7, 7, 7, 7, 7);
    const rg_tensor x = F64(RG_SHAPE(3, 2), 0, 1, 2, 3, 4, 5);
    rg_assign(tape, p, rg_flip(tape, rg_transpose(tape, x, 0, 1), RG_AXES(1)));
    const rg_tensor leaf = rg_leaf(tape, p);
    assert_values(leaf, 4, 2, 0, 5, 3, 1);
    assert_stored(rg_param_data(p), 4, 2, 0, 5, 3, 1);
    assert_values(rg_add_scalar(tape, leaf, 1), 5, 3, 1, 6, 4, 2);
}

static void assignments_run_at_reset_at_a_run_and_at_any_read(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SCALAR, 0);
    rg_assign(tape, p, rg_scalar(tape, RG_F64, 1));
    assert_stored(rg_param_data(p), 0);
    rg_tape_reset(tape);
    assert_stored(rg_param_data(p), 1);
    rg_assign(tape, p, rg_scalar(tape, RG_F64, 2));
    assert_true(rg_tape_run(tape));
    assert_stored(rg_param_data(p), 2);
    rg_assign(tape, p, rg_scalar(tape, RG_F64, 3));
    rg_item(tape, rg_scalar(tape, RG_F64, 0)); /* a read of something else */
    assert_stored(rg_param_data(p), 3);
    rg_assign(tape, p, rg_scalar(tape, RG_F64, 4));
    rg_tape_free(tape); /* without a reset it is dropped */
    assert_stored(rg_param_data(p), 3);
    tape = NULL;
}

static void buffers_and_state_are_assigned_like_parameters(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 0, 0), *s = rg_param_state(p, "seen", RG_F64, RG_SHAPE(2), 1);
    rg_param *count = rg_buffer_new(store, "count", RG_I64, RG_SCALAR, NULL);
    for (int step = 0; step < 3; step++) {
        rg_assign(tape, count, rg_add_scalar(tape, rg_leaf(tape, count), 1));
        rg_assign(tape, s, rg_add(tape, rg_leaf(tape, s), rg_leaf(tape, s)));
        assert_false(rg_requires_grad(tape, rg_leaf(tape, s)));
        rg_tape_reset(tape);
    }
    assert_int_equal(*(const int64_t *)rg_param_data(count), 3);
    assert_stored(rg_param_data(s), 8, 8);
}

static void setting_a_parameter_is_seen_by_the_next_leaf(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2);
    const rg_tensor old = rg_leaf(tape, p), late = rg_neg(tape, old);
    const double set[] = {5, 6};
    assert_true(rg_param_set(p, set, sizeof set));
    assert_values(rg_neg(tape, rg_leaf(tape, p)), -5, -6);
    double out[2];
    assert_false(rg_read(tape, late, out, sizeof out));
    assert_error(tape, RG_ERROR_STATE, WORDS("neg", "'p'", "assigned"));
    rg_tape_reset(tape);
    assert_values(rg_leaf(tape, p), 5, 6);
    /* After an assignment on the same tape as well. */
    rg_assign(tape, p, rg_neg(tape, rg_leaf(tape, p)));
    assert_true(rg_tape_run(tape));
    assert_true(rg_param_set(p, set, sizeof set));
    assert_values(rg_leaf(tape, p), 5, 6);
}

/* One program may assign p, the next one q: nothing but the parameter differs, and who still reads the old value. */
static void the_same_ops_may_assign_another_parameter_in_the_next_step(void **state)
{
    (void)state;
    const double start[2][2] = {{1, 2}, {3, 4}};
    rg_param *p[2] = {PARAM("p", RG_SHAPE(2), 1, 2), PARAM("q", RG_SHAPE(2), 3, 4)};
    for (int step = 0; step < 8; step++) {
        const int target = step / 2 % 2;
        for (int i = 0; i < 2; i++)
            rg_param_set(p[i], start[i], sizeof *start);
        const rg_tensor a = rg_leaf(tape, p[0]), b = rg_leaf(tape, p[1]), sum = rg_neg(tape, rg_add(tape, a, b));
        const rg_tensor twice_a = rg_cat(tape, (const rg_tensor[]){a, a}, 2, 0);
        const rg_tensor twice_b = rg_cat(tape, (const rg_tensor[]){b, b}, 2, 0);
        rg_assign(tape, p[target], sum);
        rg_keep(tape, twice_a);
        assert_values(twice_b, 3, 4, 3, 4);
        assert_values(twice_a, 1, 2, 1, 2);
        assert_values(rg_leaf(tape, p[target]), -4, -6);
        rg_tape_reset(tape);
        assert_stored(rg_param_data(p[target]), -4, -6);
        assert_stored(rg_param_data(p[!target]), start[!target][0], start[!target][1]);
    }
}

static void what_was_dropped_does_not_come_back_with_the_same_program(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2);
    for (int step = 0; step < 6; step++) {
        const bool fails = step & 1;
        const double old = *(const double *)rg_param_data(p);
        const rg_tensor w = rg_leaf(tape, p), square = rg_square(tape, w);
        rg_assign(tape, p, rg_add_scalar(tape, w, 1));
        if (fails) {
            rg_tape_fail(tape, RG_ERROR_VALUE, "stop");
            rg_tape_clear_error(tape);
        }
        assert_values(square, old * old, (old + 1) * (old + 1));
        rg_tape_reset(tape);
        assert_stored(rg_param_data(p), fails ? old : old + 1, fails ? old + 1 : old + 2);
    }
}

/* ---- marks ---- */

static void rolling_back_forgets_what_came_after_the_mark(void **state)
{
    (void)state;
    const rg_tensor x = rg_square(tape, F64(RG_SHAPE(2), 1, 2));
    const double *data = rg_data_f64(tape, x);
    const int64_t length = rg_tape_length(tape);
    const uint64_t hash = rg_tape_hash(tape);
    const rg_mark mark = rg_tape_mark(tape);
    rg_tensor last = RG_NIL;
    for (int i = 0; i < 100; i++) { /* the same mark serves again and again */
        rg_scope_push(tape, "inner");
        rg_mode_push(tape, RG_NO_GRAD);
        const rg_tensor y = rg_add_scalar(tape, x, i);
        assert_values(y, 1 + i, 4 + i);
        rg_tape_rollback(tape, mark);
        assert_int_equal(rg_tape_length(tape), length);
        assert_true(rg_tape_hash(tape) == hash);
        assert_string_equal(rg_scope(tape), "");
        assert_int_equal(rg_mode_of(tape), RG_GRAD);
        assert_stale(tape, y, "rollback");
        if (!rg_is_nil(last))
            assert_stale(tape, last, "rollback");
        last = y;
    }
    /* What came before the mark stays, value and place. */
    assert_ptr_equal(rg_data(tape, x), data);
    assert_stored(data, 1, 4);
    /* A node recorded in the place of a forgotten one is not taken for it. */
    rg_add_scalar(tape, x, 1);
    rg_square(tape, x);
    assert_stale(tape, last, "rollback");
}

static void marks_nest(void **state)
{
    (void)state;
    const rg_tensor a = F64(RG_SHAPE(1), 1);
    const rg_mark outer = rg_tape_mark(tape);
    const rg_tensor b = rg_add_scalar(tape, a, 1);
    const rg_mark inner = rg_tape_mark(tape);
    const rg_tensor c = rg_add_scalar(tape, b, 1);
    rg_tape_rollback(tape, inner);
    assert_stale(tape, c, "rollback");
    assert_values(b, 2);
    const rg_mark innermost = rg_tape_mark(tape);
    rg_tape_rollback(tape, outer); /* ends the inner ones */
    assert_stale(tape, b, "rollback");
    assert_values(a, 1);
    rg_tape_rollback(tape, inner);
    assert_error(tape, RG_ERROR_HANDLE, WORDS("rollback", "mark"));
    rg_tape_rollback(tape, innermost);
    assert_error(tape, RG_ERROR_HANDLE, WORDS("rollback", "mark"));
    const rg_mark fresh = rg_tape_mark(tape); /* at the depth of `inner` */
    rg_tape_rollback(tape, inner);
    assert_error(tape, RG_ERROR_HANDLE, WORDS("rollback", "mark"));
    rg_tape_rollback(tape, fresh);
    rg_tape_reset(tape);
    rg_tape_rollback(tape, outer);
    assert_error(tape, RG_ERROR_HANDLE, WORDS("rollback", "reset"));
    rg_tape_rollback(tape, (rg_mark){0, 0});
    assert_error(tape, RG_ERROR_HANDLE, WORDS("rollback", "mark"));
    rg_tape_mark(tape);
    rg_tape *other = rg_tape_new(NULL);
    const rg_mark foreign = rg_tape_mark(other);
    rg_tape_rollback(tape, foreign);
    assert_error(tape, RG_ERROR_HANDLE, WORDS("rollback", "another tape"));
    rg_tape_free(other);
}

static void inner_loops_keep_their_updates(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 8, -4), *q = PARAM("q", RG_SHAPE(1), 1);
    const rg_tensor x = F64(RG_SHAPE(2), 1, 1), q_before = rg_leaf(tape, q);
    rg_assign(tape, q, rg_add_scalar(tape, q_before, 1)); /* pending at the mark: runs with the others */
    const rg_mark mark = rg_tape_mark(tape);
    for (int i = 0; i < 10; i++) { /* p := p - (p - x)/2 */
        const rg_tensor w = rg_leaf(tape, p);
        rg_assign(tape, p, rg_sub(tape, w, rg_mul_scalar(tape, rg_sub(tape, w, x), .5)));
        rg_tape_rollback(tape, mark);
        assert_stored(rg_param_data(p), 1 + 7 * pow(2, -i - 1), 1 - 5 * pow(2, -i - 1));
        assert_stored(rg_param_data(q), 2);
    }
    assert_values(rg_leaf(tape, p), 1 + 7 * pow(2, -10), 1 - 5 * pow(2, -10));
    assert_values(rg_leaf(tape, q), 2);
    assert_values(x, 1, 1);
}

static void a_leaf_can_be_read_within_a_mark_and_again_behind_it(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2), *q = PARAM("q", RG_SHAPE(2), 3, 4);
    const rg_tensor w = rg_leaf(tape, p), v = rg_leaf(tape, q);
    const rg_mark mark = rg_tape_mark(tape);
    assert_values(w, 1, 2);
    rg_tape_rollback(tape, mark);
    assert_values(v, 3, 4); /* what was recorded to read w may have made room for this */
    assert_values(w, 1, 2);
    rg_tape_rollback(tape, mark);
    assert_values(rg_square(tape, v), 9, 16);
    assert_values(w, 1, 2);
    assert_values(v, 3, 4);
}

static void a_leaf_from_before_the_mark_keeps_its_value_through_an_inner_update(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(1), 1);
    const rg_tensor before = rg_leaf(tape, p), late = rg_neg(tape, before);
    const rg_mark mark = rg_tape_mark(tape);
    rg_assign(tape, p, rg_add_scalar(tape, before, 1));
    rg_tape_rollback(tape, mark);
    assert_values(rg_leaf(tape, p), 2);
    assert_values(late, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(the_old_handle_keeps_the_old_value),
        TAPE_TEST(what_was_recorded_before_still_has_the_old_value),
        TAPE_TEST(what_cannot_be_computed_again_says_so),
        TAPE_TEST(two_assignments_swap_two_parameters),
        TAPE_TEST(a_leaf_after_an_assignment_is_the_assigned_value),
        TAPE_TEST(assigned_values_may_be_views_of_anything),
        TAPE_TEST(assignments_run_at_reset_at_a_run_and_at_any_read),
        TAPE_TEST(buffers_and_state_are_assigned_like_parameters),
        TAPE_TEST(setting_a_parameter_is_seen_by_the_next_leaf),
        TAPE_TEST(the_same_ops_may_assign_another_parameter_in_the_next_step),
        TAPE_TEST(what_was_dropped_does_not_come_back_with_the_same_program),
        TAPE_TEST(rolling_back_forgets_what_came_after_the_mark),
        TAPE_TEST(marks_nest),
        TAPE_TEST(inner_loops_keep_their_updates),
        TAPE_TEST(a_leaf_can_be_read_within_a_mark_and_again_behind_it),
        TAPE_TEST(a_leaf_from_before_the_mark_keeps_its_value_through_an_inner_update),
    };
    return cmocka_run_group_tests_name("assign", tests, NULL, NULL);
}
