/* What we answer: the calls of golden/cases.h as a table. */
#ifndef RG__TESTS_GOLDEN_TABLE_H
#define RG__TESTS_GOLDEN_TABLE_H

#include "../golden.h"
#include "derivatives.h"
#include "metrics.h"
#include "training.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

enum kind { OP, OPTIM, AVERAGE, INIT, SCALAR, APPLY, LAYER };

/* A case of a layer: its inputs are tensors, or parameters of the layer that is made for it. */
struct layer_run {
    const struct golden_case *c;
    rg_tape *t;
    rg_params *ps;
    bool as_parameters;
    rg_tensor x[GOLDEN_ARRAYS];
    rg_param *p[GOLDEN_ARRAYS], *after[GOLDEN_ARRAYS];
};
static void layer_inputs(struct layer_run *run);

struct entry {
    const char *key, *text; /* the text: what it calls */
    enum kind kind;
    bool row_major; /* no other layouts of the inputs */
    rg_tensor (*call)(rg_tape *t, const rg_tensor *x, int n);
    rg_optim *(*create)(rg_params *ps);
    rg_tensor (*before)(rg_tape *t, rg_params *ps, rg_optim *opt, int64_t step); /* nil, or a norm */
    bool sometimes;
    int backwards;
    rg_average *(*average)(rg_params *ps);
    rg_param *(*init)(rg_params *ps, rg_param *p);
    double (*scalar)(int64_t i);
    rg_tensor (*layer)(struct layer_run *run);
};

/* All the parts in reverse order: shows that each part is where it should be. */
static rg_tensor joined_backwards(rg_tape *t, rg_tensor *parts, int count, int axis)
{
    for (int i = 0; i < count / 2; i++) {
        const rg_tensor part = parts[i];
        parts[i] = parts[count - 1 - i];
        parts[count - 1 - i] = part;
    }
    return rg_cat(t, parts, count, axis);
}

#define A x[0]
#define B x[1]
#define C x[2]
#define CASE(key, ...)                                               \
    static rg_tensor op_##key(rg_tape *t, const rg_tensor *x, int n) \
    {                                                                \
        rg_tensor parts[4];                                          \
        (void)parts, (void)x, (void)n;                               \
        return __VA_ARGS__;                                          \
    }
#define CASE_ROW_MAJOR(key, ...) CASE(key, __VA_ARGS__)
#define OPTIM(key, create, sometimes, backwards, before)                                  \
    static rg_optim *create_##key(rg_params *ps)                                          \
    {                                                                                     \
        return create;                                                                    \
    }                                                                                     \
    static rg_tensor before_##key(rg_tape *t, rg_params *ps, rg_optim *opt, int64_t step) \
    {                                                                                     \
        (void)t, (void)ps, (void)opt, (void)step;                                         \
        return before;                                                                    \
    }
#define AVERAGE(key, ...)                           \
    static rg_average *average_##key(rg_params *ps) \
    {                                               \
        return __VA_ARGS__;                         \
    }
#define INIT(key, ...)                                      \
    static rg_param *init_##key(rg_params *ps, rg_param *p) \
    {                                                       \
        (void)ps;                                           \
        __VA_ARGS__;                                        \
        return p;                                           \
    }
#define SCALAR(key, ...)                  \
    static double scalar_##key(int64_t i) \
    {                                     \
        return __VA_ARGS__;               \
    }
#define LAYER(key, type, make, ...)                     \
    static rg_tensor layer_##key(struct layer_run *run) \
    {                                                   \
        rg_params *ps = run->ps;                        \
        const type layer = make;                        \
        layer_inputs(run);                              \
        rg_tape *t = run->t;                            \
        const rg_tensor *const x = run->x;              \
        rg_tensor y = RG_NIL, parts[4];                 \
        (void)parts, (void)layer, (void)ps;             \
        __VA_ARGS__;                                    \
        return y;                                       \
    }
#include "cases.h"
#undef A
#undef B
#undef C

static const struct entry ENTRIES[] = {
// clang-format off
#define CASE(k, ...) {.key = #k, .text = #__VA_ARGS__, .kind = OP, .call = op_##k},
#define CASE_ROW_MAJOR(k, ...) {.key = #k, .text = #__VA_ARGS__, .kind = OP, .call = op_##k, .row_major = true},
#define OPTIM(k, c, s, n, b) {.key = #k, .text = #c " " #b, .kind = OPTIM, .create = create_##k, .before = before_##k, \
                              .sometimes = s, .backwards = n},
#define AVERAGE(k, ...) {.key = #k, .text = #__VA_ARGS__, .kind = AVERAGE, .average = average_##k},
#define INIT(k, ...) {.key = #k, .text = #__VA_ARGS__, .kind = INIT, .init = init_##k},
#define SCALAR(k, ...) {.key = #k, .text = #__VA_ARGS__, .kind = SCALAR, .scalar = scalar_##k},
#define LAYER(k, ty, m, ...) {.key = #k, .text = #m " " #__VA_ARGS__, .kind = LAYER, .layer = layer_##k},
#include "cases.h"
    // clang-format on
};

#endif
