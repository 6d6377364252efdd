/* Comparing arrays with what is expected of them, and keeping account of it. */
#ifndef RG__TESTS_GOLDEN_ACCOUNT_H
#define RG__TESTS_GOLDEN_ACCOUNT_H

#include "../golden.h"
#include "layout.h"
#include "table.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Allowed errors are relative to each number, or to a share of the largest magnitude of its array where that is more.
 * Element by element, that magnitude counts as 1 at most. Integers, bools, shapes and dtypes are exact everywhere. */
struct family {
    const char *name;
    enum kind kind;
    double cap;        /* of the largest magnitude     */
    double f64, floor; /* allowed error, and the share */
    double f32, floor32;
    bool signs; /* the sign of a zero result counts; that of a zero gradient nowhere */
};
struct account {
    const struct family *family;
    const struct golden_case *c;
    enum layout layout;
    bool eager;
    long compared, failed; /* numbers compared; arrays that differ */
    double worst;          /* error, in units of what is allowed   */
    char worst_name[160];
};

static void wrong(struct account *a, const char *what, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void wrong(struct account *a, const char *what, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    print_error("%s: %s %s (%s, %s) %s: %s\n", a->family->name, a->c->key, a->c->variant, LAYOUT_NAMES[a->layout],
                a->eager ? "eager" : "recorded", what, text);
    a->failed++;
}

/* Compares data of the expected shape and dtype. */
static void compare(struct account *a, const char *what, const struct golden_array *expected, const void *data)
{
    const struct family *const f = a->family;
    const bool single = expected->dtype == RG_F32;
    const double allowed = single ? f->f32 : f->f64;
    size_t where;
    const double distance = golden_distance(expected, data, single ? f->floor32 : f->floor, f->cap,
                                            f->signs && strcmp(what, "result") == 0, &where);
    a->compared += (long)expected->count;
    const double units = distance == 0 ? 0 : distance / allowed;
    if (units > a->worst) {
        a->worst = units;
        snprintf(a->worst_name, sizeof a->worst_name, "%s %s %s", a->c->key, a->c->variant, what);
    }
    if (distance > allowed) {
        char ours[40], theirs[40];
        golden_text(expected->dtype, data, where, ours);
        golden_text(expected->dtype, expected->data, where, theirs);
        wrong(a, what, "element %zu is %s, PyTorch has %s: error %.3g, allowed %.3g", where, ours, theirs, distance,
              allowed);
    }
}

static void compare_tensor(struct account *a, const char *what, const struct golden_array *expected, rg_tape *t,
                           rg_tensor x)
{
    const rg_shape shape = rg_shape_of(t, x);
    if (!rg_failed(t) && (!rg_shape_equal(shape, expected->shape) || rg_dtype_of(t, x) != expected->dtype)) {
        char ours[80], theirs[80];
        golden_shape_text(rg_dtype_of(t, x), shape, ours);
        golden_shape_text(expected->dtype, expected->shape, theirs);
        wrong(a, what, "is %s, PyTorch has %s", ours, theirs);
        return;
    }
    const size_t bytes = expected->count * rg_dtype_size(expected->dtype);
    void *data = malloc(bytes + 1);
    assert_non_null(data);
    if (!rg_read(t, x, data, bytes))
        wrong(a, what, "failed: %s", rg_tape_error(t));
    else
        compare(a, what, expected, data);
    free(data);
}

#endif
