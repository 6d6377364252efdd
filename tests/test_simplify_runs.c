/* No rule of simplification disturbs assignments, values that outlive the run, or errors. */
#include "simplify_support.h"

/* ---- assignments ---- */

enum { PARAMETERS = 2 };

typedef struct world {
    rg_tape *t;
    rg_params *ps;
    rg_param *p[PARAMETERS]; /* [2, 3] */
} world;

static world *world_new(bool eager)
{
    static const double first[PARAMETERS][6] = {{1, -0., 3, -4, 5, 0}, {7, 8, -9, .5, NAN, 12}};
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->t = rg_tape_new(&(rg_tape_config){.eager = eager});
    w->ps = rg_params_new(1);
    for (int i = 0; i < PARAMETERS; i++)
        w->p[i] = rg_param_new(w->ps, i ? "q" : "p", RG_F64, RG_SHAPE(2, 3), first[i]);
    return w;
}

static void world_free(world *w)
{
    rg_tape_free(w->t);
    rg_params_free(w->ps);
    free(w);
}

/* A step records, returns what it wants to see before anything is assigned, and may give another tensor in *late that is
 * recorded when everything has run. */
typedef rg_tensor (*update)(world *w);
#define UPDATE(name) static rg_tensor name(world *w)
#define P            rg_leaf(t, w->p[0])
#define Q            rg_leaf(t, w->p[1])

UPDATE(by_an_identity)
{
    rg_tape *t = w->t;
    const rg_tensor old = rg_mul(t, P, NUMBER(1));
    rg_assign(t, w->p[0], rg_square(t, P));
    return rg_add(t, old, P);
}

UPDATE(swapped_by_identities)
{
    rg_tape *t = w->t;
    const rg_tensor p = rg_mul(t, P, NUMBER(1)), q = rg_neg(t, rg_neg(t, Q));
    rg_assign(t, w->p[0], q);
    rg_assign(t, w->p[1], p);
    return rg_sub(t, p, q);
}

UPDATE(turned_twice)
{
    rg_tape *t = w->t;
    const rg_tensor turned = rg_contiguous(t, rg_transpose(t, P, 0, 1));
    const rg_tensor back = rg_contiguous(t, rg_transpose(t, turned, 0, 1));
    rg_assign(t, w->p[0], rg_add(t, rg_mul(t, back, NUMBER(2)), rg_flip(t, back, RG_ALL)));
    return rg_matmul(t, turned, Q);
}

UPDATE(onto_itself)
{
    rg_tape *t = w->t;
    rg_assign(t, w->p[0], rg_mul(t, P, NUMBER(1)));
    rg_assign(t, w->p[1], rg_contiguous(t, rg_flip(t, rg_contiguous(t, rg_flip(t, P, RG_ALL)), RG_ALL)));
    return rg_sum(t, Q, RG_ALL, false);
}

UPDATE(a_constant)
{
    rg_tape *t = w->t;
    rg_assign(t, w->p[0], rg_mul(t, rg_ones(t, RG_F64, RG_SHAPE(2, 3)), rg_add(t, NUMBER(1), NUMBER(2))));
    rg_assign(t, w->p[1], rg_add(t, Q, rg_sum(t, rg_expand(t, P, RG_SHAPE(4, 2, 3)), RG_AXES(0), false)));
    return rg_mul(t, P, NUMBER(1));
}

UPDATE(the_same_constant_as_a_count)
{
    rg_tape *t = w->t;
    const rg_tensor sum = rg_sum(t, rg_expand(t, rg_square(t, P), RG_SHAPE(4, 2, 3)), RG_AXES(0), false);
    rg_assign(t, w->p[1], sum);
    rg_assign(t, w->p[0], rg_mul(t, rg_square(t, P), NUMBER(4)));
    return sum;
}

UPDATE(the_same_product_as_a_sum)
{
    rg_tape *t = w->t;
    const rg_tensor q = Q, sum = rg_sum(t, rg_expand(t, P, RG_SHAPE(4, 2, 3)), RG_AXES(0), false);
    rg_assign(t, w->p[1], rg_mul(t, P, NUMBER(4)));
    rg_assign(t, w->p[0], rg_add(t, P, q));
    return rg_add(t, sum, q);
}

UPDATE(scaled_by_one_after)
{
    rg_tape *t = w->t;
    rg_assign(t, w->p[0], rg_add(t, P, Q));
    const rg_tensor again = rg_mul(t, P, NUMBER(1)), number = rg_mul(t, rg_sum(t, P, RG_ALL, false), NUMBER(1));
    rg_assign(t, w->p[1], rg_mul(t, again, number));
    return number;
}

/* What the parameters hold, then what is read after the run: what the step returned, and what is made of it then. */
static size_t steps_of(update f, bool eager, bool read, bool reset, char *bytes)
{
    world *w = world_new(eager);
    size_t used = 0;
    for (int step = 0; step < 3; step++) {
        const rg_tensor seen = f(w);
        const size_t size = (size_t)rg_numel(w->t, seen) * sizeof(double);
        if (read)
            assert_true(rg_read(w->t, seen, bytes + used, size));
        else if (!reset)
            assert_true(rg_tape_run(w->t));
        used += read ? size : 0;
        if (read) { /* a node of after the run */
            assert_true(rg_read(w->t, rg_neg(w->t, seen), bytes + used, size));
            used += size;
        }
        if (reset)
            rg_tape_reset(w->t);
        assert_tape_ok(w->t);
        for (int i = 0; i < PARAMETERS && reset; i++, used += 6 * sizeof(double))
            memcpy(bytes + used, rg_param_data(w->p[i]), 6 * sizeof(double));
    }
    world_free(w);
    return used;
}

static void assignments_are_what_they_are_for_the_reference(void **state)
{
    (void)state;
    static const update list[] = {
        by_an_identity,
        swapped_by_identities,
        turned_twice,
        onto_itself,
        a_constant,
        the_same_constant_as_a_count,
        the_same_product_as_a_sum,
        scaled_by_one_after,
    };
    for (size_t i = 0; i < 4 * sizeof list / sizeof *list; i++) {
        const bool read = i & 1, reset = i & 2;
        char plan[MOST], reference[MOST];
        const size_t a = steps_of(list[i / 4], false, read, reset, plan);
        const size_t b = steps_of(list[i / 4], true, read, reset, reference);
        if (a != b || memcmp(plan, reference, a) != 0)
            fail_msg("update %zu, %s, %s: the plan does not give what the reference gives", i / 4,
                     read ? "read" : "not read", reset ? "reset" : "not reset");
    }
}

/* A reader that is turned to the parameter itself comes before the new value, or keeps it from being written there. */
static void a_parameter_is_not_overwritten_before_its_last_reader(void **state)
{
    (void)state;
    enum { BEFORE, AFTER_IT_IN_ITS_STEP, IN_A_LATER_STEP, CASES };
    for (int where = 0; where < CASES; where++) {
        world *w = world_new(false);
        rg_tape *t = w->t;
        for (int i = 0; i < 40; i++)
            rg_flip(t, P, RG_ALL); /* numbers for nodes that are not computed */
        const rg_tensor old = P, same = rg_mul(t, old, NUMBER(1));
        rg_tensor seen = where == BEFORE ? rg_add(t, same, NUMBER(1)) : RG_NIL;
        const rg_tensor next = rg_square(t, old);
        rg_assign(t, w->p[0], next);
        if (where == AFTER_IT_IN_ITS_STEP)
            seen = rg_add(t, same, NUMBER(1));
        if (where == IN_A_LATER_STEP)
            seen = rg_matmul(t, same, rg_transpose(t, next, 0, 1));
        rg_keep(t, seen);
        rg_plan_counts c;
        assert_true(rg_plan_stats(t, &c));
        assert_int_equal(c.in_place, where == BEFORE);
        assert_int_equal(times(t, "mul"), 0);
        double x[6];
        assert_true(rg_read(t, seen, x, where == IN_A_LATER_STEP ? 4 * sizeof *x : sizeof x));
        assert_true(x[0] == (where == IN_A_LATER_STEP ? 1 + 27 : 2) &&
                    x[3] == (where == IN_A_LATER_STEP ? -64 + 125 : -3));
        assert_true(((const double *)rg_param_data(w->p[0]))[3] == 16);
        world_free(w);
    }
}

/* ---- values that outlive the run ---- */

static void what_was_seen_through_can_be_read_after_the_run(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        world *w = world_new(false);
        rg_tape *t = w->t;
        const rg_tensor turned = rg_contiguous(t, rg_transpose(t, P, 0, 1));
        const rg_tensor back = rg_contiguous(t, rg_transpose(t, turned, 0, 1)), sum = rg_sum(t, back, RG_ALL, false);
        const rg_tensor number = rg_mul(t, sum, NUMBER(1));
        rg_tensor late = i ? rg_sum(t, turned, RG_ALL, false) : RG_NIL; /* recorded, but not run with the rest */
        rg_assign(t, w->p[0], rg_square(t, P));
        assert_true(rg_item(t, rg_neg(t, number)) == -5);
        assert_true(((const double *)rg_param_data(w->p[0]))[3] == 16);
        double x[6];
        assert_true(rg_read(t, rg_neg(t, turned), x, sizeof x)); /* copies are kept, or what they are copies of */
        assert_true(x[0] == -1 && x[1] == 4 && x[5] == 0);
        assert_true(rg_read(t, rg_neg(t, back), x, sizeof x));
        assert_true(x[0] == -1 && x[1] == 0 && x[3] == 4);
        assert_true(rg_item(t, rg_square(t, number)) == 25); /* so are numbers */
        assert_true(i == 0 || rg_item(t, late) == 5);
        assert_tape_ok(t);
        world_free(w);
    }
}

static void constants_are_not_kept(void **state)
{
    (void)state;
    world *w = world_new(false);
    rg_tape *t = w->t;
    const rg_tensor six = rg_mul(t, NUMBER(2), NUMBER(3)), largest = rg_max(t, rg_ones_like(t, P), RG_AXES(0), true);
    rg_assign(t, w->p[0], rg_mul(t, P, rg_mul(t, six, largest)));
    rg_plan_counts c;
    assert_true(rg_plan_stats(t, &c));
    assert_int_equal(c.nodes, 2);
    assert_int_equal(c.retained, 0);
    world_free(w);
}

/* Its arguments may be gone. */
static void what_was_computed_in_an_earlier_run_is_read_itself(void **state)
{
    (void)state;
    world *w = world_new(false);
    rg_tape *t = w->t;
    const rg_tensor minus = rg_neg(t, P), narrow = rg_cast(t, rg_cast(t, P, RG_F32), RG_F64);
    rg_keep(t, minus);
    rg_keep(t, narrow);
    rg_assign(t, w->p[0], rg_add(t, P, NUMBER(1)));
    assert_true(rg_tape_run(t));
    double x[6];
    assert_true(rg_read(t, rg_add(t, rg_neg(t, minus), NUMBER(1)), x, sizeof x));
    assert_true(x[0] == 2 && x[3] == -3);
    float y[6];
    assert_true(rg_read(t, rg_add(t, rg_cast(t, narrow, RG_F32), SINGLE(1)), y, sizeof y));
    assert_true(y[0] == 2 && y[3] == -3);
    assert_tape_ok(t);
    world_free(w);
}

static void a_second_backward_pass_finds_what_it_needs(void **state)
{
    (void)state;
    double grad[2][6];
    for (int eager = 0; eager < 2; eager++) {
        world *w = world_new(eager);
        rg_tape *t = w->t;
        const rg_tensor x =
            rg_mul(t, rg_contiguous(t, rg_transpose(t, rg_contiguous(t, rg_transpose(t, P, 0, 1)), 0, 1)), NUMBER(1));
        const rg_tensor loss = rg_sum(t, rg_expand(t, rg_square(t, x), RG_SHAPE(3, 2, 3)), RG_ALL, false);
        rg_backward(t, loss);
        rg_assign(t, w->p[1], rg_param_grad(t, w->p[0]));
        assert_true(rg_item(t, loss) == 3 * (1 + 9 + 16 + 25));
        rg_backward(t, rg_mul(t, loss, loss));
        assert_true(rg_read(t, rg_param_grad(t, w->p[0]), grad[eager], sizeof *grad));
        world_free(w);
    }
    assert_memory_equal(grad[0], grad[1], sizeof *grad);
}

/* The op and the scope are those of the node that was recorded, though it reads something else, and in every step. */
static void errors_name_what_was_recorded(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    for (int i = 0; i < 6; i++) {
        char scope[16];
        snprintf(scope, sizeof scope, "scope%d", i);
        rg_tape_reset(t);
        rg_scope_push(t, scope);
        const rg_tensor x = rg_contiguous(t, rg_flip(t, rg_contiguous(t, rg_flip(t, rg_square(t, S64), RG_ALL)), RG_ALL));
        const rg_tensor y = rg_gather(t, x, 0, rg_input_i64(t, RG_SHAPE(1), (const int64_t[]){i < 5 ? 11 : 99}));
        rg_scope_pop(t);
        rg_keep(t, y);
        assert_int_equal(times(t, "copy"), 0);
        if (i < 5)
            assert_true(rg_item(t, y) == 1);
    }
    assert_true(isnan(rg_item(t, rg_gather(t, S64, 0, rg_input_i64(t, RG_SHAPE(1), (const int64_t[]){0})))));
    assert_non_null(strstr(rg_tape_error(t), "gather"));
    assert_non_null(strstr(rg_tape_error(t), "scope5"));
    rg_tape_free(t);
}

/* Among the nodes that read the old value some are the planner's own. */
static void errors_name_the_recorded_node_for_an_added_one(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        world *w = world_new(false);
        rg_tape *t = w->t;
        const rg_tensor old = P;
        rg_assign(t, w->p[0], rg_add(t, old, NUMBER(1)));
        assert_true(rg_tape_run(t));
        rg_scope_push(t, "late");
        const rg_tensor x = i == 1 ? rg_transpose(t, old, 0, 1) : old;
        const rg_tensor wide = rg_expand(t, x, i == 1 ? RG_SHAPE(4, 3, 2) : RG_SHAPE(4, 2, 3));
        const rg_tensor sum = rg_sum(t, wide, i == 2 ? RG_AXES(0) : RG_AXES(0, 1), false);
        rg_scope_pop(t);
        double out[6];
        assert_false(rg_read(t, sum, out, (size_t)rg_numel(t, sum) * sizeof *out));
        assert_non_null(strstr(rg_tape_error(t), "sum: "));
        assert_non_null(strstr(rg_tape_error(t), "'p'"));
        assert_non_null(strstr(rg_tape_error(t), "late"));
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assignments_are_what_they_are_for_the_reference),
        cmocka_unit_test(a_parameter_is_not_overwritten_before_its_last_reader),
        cmocka_unit_test(what_was_seen_through_can_be_read_after_the_run),
        cmocka_unit_test(constants_are_not_kept),
        cmocka_unit_test(what_was_computed_in_an_earlier_run_is_read_itself),
        cmocka_unit_test(a_second_backward_pass_finds_what_it_needs),
        cmocka_unit_test(errors_name_what_was_recorded),
        cmocka_unit_test(errors_name_the_recorded_node_for_an_added_one),
    };
    return cmocka_run_group_tests_name("simplify runs", tests, NULL, NULL);
}
