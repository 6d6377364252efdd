/* What the tests of nn share: comparing numbers, and looking at errors. */
#ifndef RG__TESTS_NN_SUPPORT_H
#define RG__TESTS_NN_SUPPORT_H

#include <math.h>
#include <retrograd/retrograd.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define assert_near(actual, expected, tolerance)                             \
    do {                                                                     \
        const double near_a = (actual), near_b = (expected);                 \
        if (!(fabs(near_a - near_b) <= fmax(1, fabs(near_b)) * (tolerance))) \
            fail_msg("%s is %.17g, not %.17g", #actual, near_a, near_b);     \
    } while (0)

#define assert_tape_ok(t)                                      \
    do {                                                       \
        if (rg_failed(t))                                      \
            fail_msg("the tape failed: %s", rg_tape_error(t)); \
    } while (0)

/* The tape has failed with this status and a message that holds all of the words (NULL ends them). */
static inline void assert_error(rg_tape *t, rg_status status, const char *const *words)
{
    const char *message = rg_tape_error(t);
    if (rg_tape_status(t) != status)
        fail_msg("status %d instead of %d: '%s'", (int)rg_tape_status(t), (int)status, message);
    for (; *words != NULL; words++)
        if (strstr(message, *words) == NULL)
            fail_msg("'%s' does not say '%s'", message, *words);
    rg_tape_clear_error(t);
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static rg_tape *tape;

static inline int setup(void **state)
{
    (void)state;
    tape = rg_tape_new(&(rg_tape_config){.seed = 7});
    return tape == NULL;
}

static inline int teardown(void **state)
{
    (void)state;
    rg_tape_free(tape);
    return 0;
}

static inline void assert_store_error(rg_params *ps, rg_status status, const char *word)
{
    if (rg_params_status(ps) != status || strstr(rg_params_error(ps), word) == NULL)
        fail_msg("status %d, '%s' does not say '%s'", (int)rg_params_status(ps), rg_params_error(ps), word);
    rg_params_clear_error(ps);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
