/* What every test includes: cmocka with the headers that it needs before it, and the library. */
#ifndef RG_TESTS_TEST_H
#define RG_TESTS_TEST_H

#include <retrograd/retrograd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* Fails with the tape's error if it has one. */
#define assert_tape_ok(t)                     \
    do {                                      \
        if (rg_failed(t))                     \
            fail_msg("%s", rg_tape_error(t)); \
    } while (0)

/* The plan of what is pending, as text; free it. */
static inline char *plan_text(rg_tape *t)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    rg_plan_print(t, out);
    fclose(out);
    return text;
}

#endif
