/* What the tests of simplification share: programs that are run by plan and by reference, and the numbers at which rules
 * break. */
#ifndef RG__TESTS_SIMPLIFY_SUPPORT_H
#define RG__TESTS_SIMPLIFY_SUPPORT_H

#include "test.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- programs, run by plan and by reference ---- */

enum { MOST = 4096 };

typedef rg_tensor (*program)(rg_tape *t);

typedef struct outcome {
    char bytes[MOST + 8];
    size_t size;
    rg_dtype dtype;
} outcome;

/* How often the op stands in the plan of what is pending. */
static inline int times(rg_tape *t, const char *op)
{
    char *text = plan_text(t);
    int found = 0;
    for (char *word = strtok(text, " \n"); word; word = strtok(NULL, " \n"))
        found += strcmp(word, op) == 0;
    free(text);
    return found;
}

static inline outcome read_all(rg_tape *t, rg_tensor y)
{
    outcome o = {.dtype = rg_dtype_of(t, y), .size = (size_t)rg_numel(t, y) * rg_dtype_size(rg_dtype_of(t, y))};
    assert_true(o.size <= MOST);
    assert_true(rg_read(t, y, o.bytes, o.size));
    assert_tape_ok(t);
    return o;
}

/* The same bits; of NaN, that it is one. */
static inline bool is_same(rg_dtype dtype, const char *x, const char *y)
{
    float single[2];
    double number[2];
    memcpy(&single[0], x, sizeof *single), memcpy(&single[1], y, sizeof *single);
    if (dtype == RG_F32 && isnan(single[0]) && isnan(single[1]))
        return true;
    const size_t size = rg_dtype_size(dtype);
    if (dtype != RG_F64)
        return memcmp(x, y, size) == 0;
    memcpy(&number[0], x, sizeof *number), memcpy(&number[1], y, sizeof *number);
    return memcmp(x, y, size) == 0 || (isnan(number[0]) && isnan(number[1]));
}

static inline bool same_outcomes(const outcome *a, const outcome *b)
{
    const size_t size = rg_dtype_size(a->dtype);
    if (a->size != b->size || a->dtype != b->dtype)
        return false;
    for (size_t i = 0; i < a->size; i += size)
        if (!is_same(a->dtype, a->bytes + i, b->bytes + i))
            return false;
    return true;
}

/* Records the program, keeps its result and says how often the plan computes the op, or the nodes where none is named. The
 * values must be the reference's, bit for bit. */
static inline int run_program(const char *name, program f, const char *op)
{
    rg_tape *plan = rg_tape_new(NULL), *reference = rg_tape_new(&(rg_tape_config){.eager = true});
    const rg_tensor y = f(plan), z = f(reference);
    assert_tape_ok(plan);
    rg_keep(plan, y);
    rg_plan_counts c;
    assert_true(rg_plan_stats(plan, &c));
    const int found = op ? times(plan, op) : (int)c.nodes;
    const outcome a = read_all(plan, y), b = read_all(reference, z);
    if (!same_outcomes(&a, &b))
        fail_msg("%s: the plan does not give what the reference gives", name);
    rg_tape_free(plan);
    rg_tape_free(reference);
    return found;
}

typedef struct example {
    const char *name;
    program f;
    const char *op; /* NULL: nodes are counted */
    int expected;
} example;

static inline void check_examples(const example *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const int found = run_program(list[i].name, list[i].f, list[i].op);
        if (found != list[i].expected)
            fail_msg("%s: %d times %s in the plan, not %d", list[i].name, found, list[i].op ? list[i].op : "a node",
                     list[i].expected);
    }
}
#define CHECK(list) check_examples(list, sizeof list / sizeof *list)

/* A program whose result is the expression, of the tape t. */
#define PROGRAM(name, ...)            \
    static rg_tensor name(rg_tape *t) \
    {                                 \
        return (__VA_ARGS__);         \
    }

/* ---- operands ---- */

#define SPECIAL static __attribute__((unused)) const
SPECIAL float special_f32[] = {NAN,          -NAN,           0.f,     -0.f,    INFINITY, -INFINITY,
                               FLT_TRUE_MIN, -FLT_TRUE_MIN,  FLT_MIN, FLT_MAX, -FLT_MAX, 1.f,
                               -1.f,         0x1.fffffep-2f, 2.5f,    -3.5f,   1e9f,     -1e10f};
SPECIAL double special_f64[] = {NAN,     -NAN,     0., -0., INFINITY, -INFINITY, DBL_TRUE_MIN, -DBL_TRUE_MIN, DBL_MIN,
                                DBL_MAX, -DBL_MAX, 1., -1., .1,       2.5,       -3.5,         3e9,           -1e300};
SPECIAL int32_t special_i32[] = {0, 1, -1, 2, INT32_MAX, INT32_MIN, INT32_MIN + 1, 16777217, -16777217, 7};
SPECIAL int64_t special_i64[] = {
    0, 1, -1, 2, INT64_MAX, INT64_MIN, INT64_MIN + 1, (INT64_C(1) << 53) + 1, 1 - (INT64_C(1) << 60)};
SPECIAL bool special_bool[] = {true, false, true};

#define COUNT(list) ((int64_t)(sizeof(list) / sizeof *(list)))
#define S32         rg_input_f32(t, RG_SHAPE(COUNT(special_f32)), special_f32)
#define S64         rg_input_f64(t, RG_SHAPE(COUNT(special_f64)), special_f64)
#define I32         rg_input_i32(t, RG_SHAPE(COUNT(special_i32)), special_i32)
#define I64         rg_input_i64(t, RG_SHAPE(COUNT(special_i64)), special_i64)
#define TRUTHS      rg_input_bool(t, RG_SHAPE(COUNT(special_bool)), special_bool)
#define NUMBER(v)   rg_constant(t, RG_F64, v)
#define SINGLE(v)   rg_constant(t, RG_F32, v)
#define LONG(v)     rg_constant(t, RG_I64, v)

/* Something that reads x, so that x itself is not asked for. */
static inline rg_tensor read_by_another(rg_tape *t, rg_tensor x)
{
    return rg_where(t, rg_input_bool(t, RG_SHAPE(1), &(bool){true}), x,
                    rg_cast(t, rg_scalar(t, RG_F64, 3), rg_dtype_of(t, x)));
}
#define READ(x) read_by_another(t, x)

#endif
