/* Schedules where golden values do not look: before the first step, after the last one, nonsense. */
#include "nn_support.h"

static void schedules_follow_their_formulas(void **state)
{
    (void)state;
    const double step[] = {1, 1, 1, 0.5, 0.5, 0.5, 0.25}, warm[] = {0.5, 1, 1.5, 2, 2, 2, 2};
    const double cosine[] = {2, 1.8535533905932737, 1.5, 1.1464466094067263, 1, 1, 1}; /* 1 + (1 + cos(k pi/4))/2 */
    for (int64_t i = 0; i < 7; i++) {
        assert_near(rg_schedule_step(1, i, 3, 0.5), step[i], 1e-15);
        assert_near(rg_schedule_exponential(3, i, 0.5), 3 / (double)(1 << i), 1e-15);
        assert_near(rg_schedule_cosine(2, 1, i, 4), cosine[i], 1e-15);
        assert_near(rg_schedule_warmup(2, i, 4), warm[i], 1e-15);
    }
    assert_near(rg_schedule_cosine(2, 1, 0, 0), 1, 0);
    assert_near(rg_schedule_warmup(2, 0, 0), 2, 0);
    assert_near(rg_schedule_warmup(2, INT64_MAX, INT64_MAX), 2, 0);
}

static void schedules_out_of_range_are_nan(void **state)
{
    (void)state;
    assert_true(isnan(rg_schedule_step(1, -1, 3, 0.5)));
    assert_true(isnan(rg_schedule_step(1, 1, 0, 0.5)));
    assert_true(isnan(rg_schedule_exponential(1, -1, 0.5)));
    assert_true(isnan(rg_schedule_cosine(1, 0, -1, 3)));
    assert_true(isnan(rg_schedule_cosine(1, 0, 0, -3)));
    assert_true(isnan(rg_schedule_warmup(1, -1, 3)));
    assert_true(isnan(rg_schedule_warmup(1, 0, -3)));
    const int64_t milestones[] = {3};
    assert_true(isnan(rg_schedule_multi_step(1, -1, milestones, 1, 0.5)));
    assert_true(isnan(rg_schedule_multi_step(1, 1, milestones, -1, 0.5)));
    assert_true(isnan(rg_schedule_multi_step(1, 1, NULL, 1, 0.5)));
    assert_true(isnan(rg_schedule_constant(1, -1, 0.5, 3)));
    assert_true(isnan(rg_schedule_constant(1, 1, 0.5, -3)));
    assert_true(isnan(rg_schedule_linear(1, 1, 0.5, 1, 0)));
    assert_true(isnan(rg_schedule_linear(1, -1, 0.5, 1, 2)));
    assert_true(isnan(rg_schedule_polynomial(1, 1, 0, 2)));
    assert_true(isnan(rg_schedule_polynomial(1, -1, 4, 2)));
    assert_true(isnan(rg_schedule_cosine_restarts(1, 0, -1, 4, 2)));
    assert_true(isnan(rg_schedule_cosine_restarts(1, 0, 1, 0, 2)));
    assert_true(isnan(rg_schedule_cosine_restarts(1, 0, 1, 4, 0)));
    const rg_cyclic_config cycles[] = {{.up = -1}, {.up = 3, .down = -1}, {.mode = (rg_cycle_mode)7}};
    for (size_t i = 0; i < COUNT(cycles); i++) {
        assert_true(isnan(rg_schedule_cyclic(&cycles[i], 1)));
        assert_true(isnan(rg_schedule_cyclic_momentum(&cycles[i], 1)));
    }
    assert_true(isnan(rg_schedule_cyclic(&(rg_cyclic_config){0}, -1)));
    assert_true(isnan(rg_schedule_cyclic(NULL, 1)));
    const rg_one_cycle_config ones[] = {
        {.total = 0}, {.total = 5, .rise = -0.5}, {.total = 5, .rise = 1.5}, {.total = -9}};
    for (size_t i = 0; i < COUNT(ones); i++) {
        assert_true(isnan(rg_schedule_one_cycle(&ones[i], 1)));
        assert_true(isnan(rg_schedule_one_cycle_momentum(&ones[i], 1)));
    }
    assert_true(isnan(rg_schedule_one_cycle(&(rg_one_cycle_config){.total = 5}, -1)));
    assert_true(isnan(rg_schedule_one_cycle(NULL, 1)));
}

static void schedules_hold_their_last_value(void **state)
{
    (void)state;
    const int64_t far = INT64_MAX;
    assert_near(rg_schedule_multi_step(2, far, (const int64_t[]){3, INT64_MIN}, 2, 0.5), 0.5, 0);
    assert_near(rg_schedule_multi_step(2, far, NULL, 0, 0.5), 2, 0);
    assert_near(rg_schedule_constant(2, far, 0.5, 3), 2, 0);
    assert_near(rg_schedule_linear(2, far, 0.5, 0.75, 3), 1.5, 0);
    assert_true(rg_schedule_polynomial(2, far, 3, 0.5) == 0);
    const rg_one_cycle_config one = {.high = 2, .total = 10}, shortest = {.high = 2, .total = 1};
    assert_near(rg_schedule_one_cycle(&one, far), 2 / 25.0 / 1e4, 1e-15);
    assert_near(rg_schedule_one_cycle_momentum(&one, far), 0.95, 1e-15);
    assert_true(isfinite(rg_schedule_one_cycle(&shortest, 0)) && isfinite(rg_schedule_one_cycle_momentum(&shortest, 3)));
    /* A rise without a step of its own. */
    const rg_one_cycle_config steep[] = {{.high = 2, .total = 10, .rise = 0.1},
                                         {.high = 2, .total = 2, .rise = 0.5, .three_phase = true},
                                         {.high = 2, .total = 1, .rise = 1}};
    for (size_t i = 0; i < COUNT(steep); i++) {
        assert_near(rg_schedule_one_cycle(&steep[i], 0), 2, 1e-15);
        assert_near(rg_schedule_one_cycle_momentum(&steep[i], 0), 0.85, 1e-15);
        assert_true(isfinite(rg_schedule_one_cycle(&steep[i], 1)));
    }
    /* Restarts that become so long that the next length cannot be counted. */
    const double late = rg_schedule_cosine_restarts(2, 1, far, 1, 10);
    assert_true(late >= 1 && late <= 2);
    assert_true(rg_schedule_cosine_restarts(2, 1, far - far % 4, 4, 1) == 2);
    assert_true(isfinite(rg_schedule_cyclic(&(rg_cyclic_config){.low = 1, .high = 2}, far)));
}

static void phases_count_from_their_milestone(void **state)
{
    (void)state;
    const int64_t milestones[] = {5, 8};
    const int phases[] = {0, 0, 1, 1, 2, 2};
    const int64_t steps[] = {0, 4, 5, 7, 8, 100}, since[] = {0, 4, 0, 2, 0, 92};
    for (size_t i = 0; i < COUNT(steps); i++) {
        int64_t found = -1;
        assert_int_equal(rg_schedule_phase(steps[i], milestones, 2, &found), phases[i]);
        assert_int_equal(found, since[i]);
    }
    assert_int_equal(rg_schedule_phase(3, NULL, 2, NULL), 0);
}

static void a_plateau_sees_nan_as_no_improvement(void **state)
{
    (void)state;
    rg_plateau plateau = {.patience = 1, .factor = 0.5};
    assert_near(rg_plateau_step(&plateau, NAN, 1), 1, 0);
    assert_near(rg_plateau_step(&plateau, NAN, 1), 0.5, 0);
    assert_near(rg_plateau_step(&plateau, 3, 0.5), 0.5, 0);
    assert_true(plateau.begun && plateau.best == 3);
    assert_true(isnan(rg_plateau_step(&(rg_plateau){.factor = 1}, 1, 1)));
    assert_true(isnan(rg_plateau_step(&(rg_plateau){.factor = -0.5}, 1, 1)));
    assert_near(rg_plateau_step(&(rg_plateau){.factor = RG_ZERO, .patience = -1, .begun = true, .best = 1}, 2, 1), 0, 0);
    assert_true(rg_plateau_step(NULL, 1, 0.25) == 0.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedules_follow_their_formulas),      cmocka_unit_test(schedules_out_of_range_are_nan),
        cmocka_unit_test(schedules_hold_their_last_value),      cmocka_unit_test(phases_count_from_their_milestone),
        cmocka_unit_test(a_plateau_sees_nan_as_no_improvement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
