/* What every test includes: cmocka with the headers that it needs before it, and the library. */
#ifndef RG_TESTS_TEST_H
#define RG_TESTS_TEST_H

#include <retrograd/retrograd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Fails with the tape's error if it has one. */
#define assert_tape_ok(t)                     \
    do {                                      \
        if (rg_failed(t))                     \
            fail_msg("%s", rg_tape_error(t)); \
    } while (0)

#endif
