/* Our results against PyTorch's: golden/ holds inputs and what PyTorch makes of them, golden/cases.h the calls.
 *
 * Each case runs recorded and eager, with its inputs in every memory layout that there is, and as parameters; shape,
 * dtype, values, gradients and second gradients are compared. The program's argument is the project's root folder. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* braces in patterns */
#endif
#include "golden.h"
#include "golden/coverage.h"
#include "golden/derivatives.h"
#include "golden/layout.h"
#include "golden/metrics.h"
#include "golden/training.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* ---- what we answer: the table of golden/cases.h ----------------------------------------------------------------- */

enum kind { OP, OPTIM, INIT, SCALAR, APPLY, LAYER };

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
#include "golden/cases.h"
#undef A
#undef B
#undef C

static const struct entry ENTRIES[] = {
// clang-format off
#define CASE(k, ...) {.key = #k, .text = #__VA_ARGS__, .kind = OP, .call = op_##k},
#define CASE_ROW_MAJOR(k, ...) {.key = #k, .text = #__VA_ARGS__, .kind = OP, .call = op_##k, .row_major = true},
#define OPTIM(k, c, s, n, b) {.key = #k, .text = #c " " #b, .kind = OPTIM, .create = create_##k, .before = before_##k, \
                              .sometimes = s, .backwards = n},
#define INIT(k, ...) {.key = #k, .text = #__VA_ARGS__, .kind = INIT, .init = init_##k},
#define SCALAR(k, ...) {.key = #k, .text = #__VA_ARGS__, .kind = SCALAR, .scalar = scalar_##k},
#define LAYER(k, ty, m, ...) {.key = #k, .text = #m " " #__VA_ARGS__, .kind = LAYER, .layer = layer_##k},
#include "golden/cases.h"
    // clang-format on
};

/* Public functions that the code below calls for every case of optim.txt, and golden/metrics.h for those of metric.txt. */
static const char *const CALLED_HERE[] = {"rg_lbfgs_step",         "rg_linear_forward", "rg_linear_new",
                                          "rg_optim_free",         "rg_optim_group",    "rg_optim_only",
                                          "rg_optim_set_momentum", "rg_optim_step",     "rg_optim_update",
                                          "rg_plateau_step",       "rg_schedule_phase", CALLED_IN_METRICS};

/* Tests that hold what they call themselves: against golden files of their own, or against loops written by hand. */
static const char *const HOLD_THEIR_OWN[] = {"recurrent", "trainer", "transformer", "transformer_golden"};

/* Without values that PyTorch could know: our own random numbers (see test_random and test_draw), getters, averages of
 * weights (see test_average); or of parameters, not of tensors: the penalties (see test_loss). */
static const char *const NOT_COMPARABLE[] = {
    "rg_average_free",     "rg_average_new",
    "rg_average_swap",     "rg_average_swapped",
    "rg_average_update",   "rg_draw_bernoulli",
    "rg_draw_beta",        "rg_draw_binomial",
    "rg_draw_categorical", "rg_draw_cauchy",
    "rg_draw_chi2",        "rg_draw_dirichlet",
    "rg_draw_exponential", "rg_draw_gamma",
    "rg_draw_gumbel",      "rg_draw_laplace",
    "rg_draw_log_normal",  "rg_draw_multinomial",
    "rg_draw_normal",      "rg_draw_poisson",
    "rg_draw_student_t",   "rg_draw_uniform",
    "rg_gumbel_softmax",   "rg_l1_penalty",
    "rg_l2_penalty",       "rg_optim_lr",
    "rg_optim_momentum",   "rg_rand",
    "rg_rand_like",        "rg_randn",
    "rg_randn_like",
};

/* ---- the files and what is allowed ------------------------------------------------------------------------------- */

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
// clang-format off
static const struct family FAMILIES[] = {
    {"binary",  OP,     1,        1e-12, 1e-3, 2e-6, 3e-2, false},
    {"unary",   OP,     1,        1e-12, 1e-3, 2e-6, 3e-2, true},
    {"compare", OP,     1,        0,     0,    0,    0,    false},
    {"select",  OP,     1,        0,     0,    0,    0,    true},
    {"reduce",  OP,     INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"shape",   OP,     1,        0,     0,    0,    0,    true},
    {"product", OP,     INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"index",   OP,     INFINITY, 1e-14, 1,    3e-7, 1,    true},
    {"conv",    APPLY,  INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"scan",    APPLY,  INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"sort",    APPLY,  INFINITY, 1e-14, 1,    3e-7, 1,    true},
    {"order",   APPLY,  INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"pool",    APPLY,  INFINITY, 1e-12, 1,    2e-6, 1,    true},
    {"resize",  APPLY,  INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"grid",    APPLY,  INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"functional", OP,  INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"cotangent", APPLY, 1,       0,     0,    0,    0,    false},
    {"einsum",  APPLY,  INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"contract",APPLY,  INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"linalg",  APPLY,  INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"scatter", APPLY,  INFINITY, 1e-13, 1,    3e-7, 1,    true},
    {"mask",    APPLY,  1,        0,     0,    0,    0,    true},
    {"window",  APPLY,  INFINITY, 1e-14, 1,    3e-7, 1,    true},
    {"rearrange", APPLY, INFINITY, 1e-13, 1,   3e-7, 1,    true},
    {"create",  OP,     INFINITY, 1e-15, 1,    1e-7, 1,    true},
    {"math",       APPLY, 1,      1e-12, 1e-3, 2e-6, 3e-2, false},
    {"special",    APPLY, 1,      1e-12, 1e-3, 2e-6, 3e-2, false},
    {"activation", APPLY, 1,      1e-12, 1e-3, 2e-6, 3e-2, false},
    {"bitwise",    APPLY, 1,      0,     0,    0,    0,    false},
    {"normalise",    APPLY,  INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"distance", APPLY, INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"fft",     APPLY,  INFINITY, 1e-14, 1,    3e-7, 1,    false},
    {"attention", APPLY, INFINITY, 1e-12, 1,   2e-6, 1,    false},
    {"ctc",     APPLY,  INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"loss",    OP,     INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"layer",   LAYER,  INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"layer_init", INIT, 1,       0,     0,    0,    0,    false},
    {"loss_binary", OP, INFINITY, 1e-12, 1, 2e-6, 1, false},
    {"loss_class", OP, INFINITY, 1e-12, 1, 2e-6, 1, false},
    {"loss_distribution", OP, INFINITY, 1e-12, 1, 2e-6, 1, false},
    {"loss_margin", OP, INFINITY, 1e-12, 1, 2e-6, 1, false},
    {"metric",  OP,     1,        1e-14, 1,    0,    0,    false},
    {"cell",    OP,     INFINITY, 1e-12, 1,    2e-6, 1,    false},
    {"init",    INIT,   1,        0,     0,    0,    0,    false},
    {"scalar",  SCALAR, 1,        1e-12, 0,    0,    0,    false},
    {"optim",   OPTIM,  1,        1e-12, 1e-1, 2e-5, 1e-1, false},
};
// clang-format on

/* One test: a family, or all of them. */
struct subject {
    const char *root;
    const struct family *family;
};

static void open_family(struct golden_file *f, const char *root, const struct family *family)
{
    if (!golden_open(f, root, family->name))
        fail_msg("%s (the project's root folder is the program's argument)", f->error);
}

/* The entry of all that is called by name. */
static const struct entry BY_NAME = {.kind = APPLY};

static const struct entry *find_entry(enum kind kind, const char *key)
{
    rg_op op;
    if (kind == APPLY)
        return rg_op_find(key, &op) ? &BY_NAME : NULL;
    for (int i = 0; i < COUNT(ENTRIES); i++)
        if (ENTRIES[i].kind == kind && strcmp(ENTRIES[i].key, key) == 0)
            return &ENTRIES[i];
    return NULL;
}

/* ---- keeping account --------------------------------------------------------------------------------------------- */

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

/* ---- ops --------------------------------------------------------------------------------------------------------- */

/* Gradients and second gradients of out, where the case has them; the worth of PARAMETERS is that the first ones
 * come from rg_backward_with. */
static void check_gradients(struct account *a, rg_tape *t, rg_tensor out, const rg_tensor *x, rg_param *const *p)
{
    const struct golden_case *const c = a->c;
    rg_tensor wanted[GOLDEN_ARRAYS], grad[GOLDEN_ARRAYS], second[GOLDEN_ARRAYS];
    int input[GOLDEN_ARRAYS], count = 0;
    char what[32];
    for (int i = 0; i < c->inputs; i++)
        if (c->grad[i].data != NULL) {
            input[count] = i;
            wanted[count++] = x[i];
        }
    const rg_tensor cotangent = rg_input(t, c->cotangent.dtype, c->cotangent.shape, c->cotangent.data);
    if (a->layout == PARAMETERS) {
        rg_backward_with(t, out, cotangent);
        for (int k = 0; k < count; k++) {
            grad[k] = rg_param_grad(t, p[input[k]]);
            if (rg_is_nil(grad[k]))
                grad[k] = rg_zeros_like(t, wanted[k]);
        }
    } else {
        rg_grad_with(t, out, cotangent, wanted, count, grad);
    }
    rg_tensor total = rg_constant(t, RG_F64, 0);
    bool twice = false;
    for (int k = 0; k < count; k++) {
        snprintf(what, sizeof what, "gradient of input %d", input[k]);
        compare_tensor(a, what, &c->grad[input[k]], t, grad[k]);
        const struct golden_array *const w = &c->weight[input[k]];
        if (w->data == NULL)
            continue;
        twice = true;
        total = rg_add(t, total, rg_sum(t, rg_mul(t, grad[k], rg_input(t, w->dtype, w->shape, w->data)), RG_ALL, false));
    }
    if (!twice || a->layout == PARAMETERS || rg_failed(t))
        return; /* what rg_backward_with gives is not differentiated again */
    rg_grad(t, total, wanted, count, second);
    for (int k = 0; k < count; k++) {
        snprintf(what, sizeof what, "second gradient of input %d", input[k]);
        if (c->second[input[k]].data == NULL)
            wrong(a, what, "is not in the file");
        else
            compare_tensor(a, what, &c->second[input[k]], t, second[k]);
    }
}

static rg_tensor flat(rg_tape *t, rg_tensor x)
{
    return rg_reshape(t, x, RG_SHAPE(-1));
}

/* Results that are compared with the file's, and what they are differentiated as: the only one, or all floats, joined. */
static rg_tensor call_by_name(struct account *a, rg_tape *t, const rg_tensor *x, rg_tensor *outs)
{
    const struct golden_case *const c = a->c;
    rg_tensor joined[GOLDEN_ARRAYS];
    int floats = 0;
    const int count = rg_apply(t, c->key, x, c->inputs, c->with, outs, GOLDEN_ARRAYS);
    if (count != c->outs)
        wrong(a, "results", "there are %d, PyTorch has %d: %s", count, c->outs, rg_failed(t) ? rg_tape_error(t) : "");
    if (count != c->outs || count == 1)
        return count == c->outs ? outs[0] : RG_NIL;
    for (int i = 0; i < count; i++)
        if (rg_dtype_of(t, outs[i]) <= RG_F64)
            joined[floats++] = flat(t, outs[i]);
    return floats ? rg_cat(t, joined, floats, 0) : RG_NIL;
}

static void compare_results(struct account *a, rg_tape *t, const rg_tensor *outs)
{
    for (int i = 0; i < a->c->outs; i++)
        compare_tensor(a, "result", &a->c->out[i], t, outs[i]);
}

/* Runs a case one way. */
static void check_op_once(struct account *a, const struct entry *e)
{
    const struct golden_case *const c = a->c;
    rg_tape *t = rg_tape_new(&(rg_tape_config){.eager = a->eager});
    rg_params *ps = rg_params_new(1);
    assert_non_null(t);
    assert_non_null(ps);
    rg_tensor x[GOLDEN_ARRAYS] = {{0}};
    rg_param *p[GOLDEN_ARRAYS] = {NULL};
    void *buffers[GOLDEN_ARRAYS] = {NULL};
    for (int i = 0; i < c->inputs; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", i);
        if (!c->in[i].data) {
            x[i] = RG_NIL;
        } else if (a->layout == PARAMETERS && golden_is_float(&c->in[i])) {
            p[i] = rg_param_new(ps, name, c->in[i].dtype, c->in[i].shape, c->in[i].data);
            x[i] = rg_leaf(t, p[i]);
        } else {
            x[i] = place(t, &c->in[i], a->layout, &buffers[i]);
        }
    }
    rg_tensor outs[GOLDEN_ARRAYS] = {RG_NIL};
    const rg_tensor out = e->kind == APPLY ? call_by_name(a, t, x, outs) : e->call(t, x, c->inputs);
    const bool late = a->layout == FLIPPED; /* ask for the gradients first */
    if (e->kind != APPLY)
        outs[0] = out;
    if (!late)
        compare_results(a, t, outs);
    if (c->cotangent.data != NULL && !rg_failed(t))
        check_gradients(a, t, out, x, p);
    if (late)
        compare_results(a, t, outs);
    rg_tape_free(t);
    rg_params_free(ps);
    for (int i = 0; i < GOLDEN_ARRAYS; i++)
        free(buffers[i]);
}

/* Every way, up to the first that differs. */
static void check_op(struct account *a, const struct entry *e)
{
    const long failed = a->failed;
    for (int layout = 0; layout < LAYOUTS; layout++) {
        if (layout != ROW_MAJOR && layout != PARAMETERS && (e->row_major || a->c->inputs == 0))
            continue;
        for (int eager = 0; eager < 2 && a->failed == failed; eager++) {
            a->layout = (enum layout)layout;
            a->eager = eager != 0;
            check_op_once(a, e);
        }
    }
}

/* ---- layers -------------------------------------------------------------------------------------------------------- */

/* The entry "l.name" of the run's store. */
static rg_param *layer_entry(struct layer_run *run, const char *word, int length)
{
    char name[64];
    snprintf(name, sizeof name, "l.%.*s", length, word);
    rg_param *p = rg_params_find(run->ps, name);
    if (p == NULL)
        fail_msg("%s %s: there is no parameter %s: %s", run->c->key, run->c->variant, name, rg_params_error(run->ps));
    return p;
}

/* Puts the inputs in their places, once the layer is there. */
static void layer_inputs(struct layer_run *run)
{
    const char *word = run->c->with;
    bool after = false;
    for (int i = 0, k = 0; *word != '\0'; word += strspn(word, " ")) {
        const int length = (int)strcspn(word, " ");
        if (strncmp(word, "->", (size_t)length) == 0) {
            after = true;
        } else if (after) {
            run->after[++k] = layer_entry(run, word, length);
        } else {
            const struct golden_array *const in = &run->c->in[i];
            char name[16];
            snprintf(name, sizeof name, "x%d", i);
            if (strncmp(word, "x", (size_t)length) != 0)
                run->p[i] = layer_entry(run, word, length);
            else if (run->as_parameters && golden_is_float(in))
                run->p[i] = rg_param_new(run->ps, name, in->dtype, in->shape, NULL);
            if (run->p[i] == NULL)
                run->x[i] = rg_input(run->t, in->dtype, in->shape, in->data);
            else if (!rg_shape_equal(rg_param_shape(run->p[i]), in->shape) ||
                     !rg_param_set(run->p[i], in->data, in->count * rg_dtype_size(in->dtype)))
                fail_msg("%s %s: %s has not PyTorch's shape", run->c->key, run->c->variant, rg_param_name(run->p[i]));
            else if (strncmp(word, "x", (size_t)length) == 0)
                run->x[i] = rg_leaf(run->t, run->p[i]);
            i++;
        }
        word += length;
    }
}

static void check_layer_once(struct account *a, const struct entry *e)
{
    const struct golden_case *const c = a->c;
    struct layer_run run = {.c = c, .t = rg_tape_new(&(rg_tape_config){.eager = a->eager}), .ps = rg_params_new(1)};
    assert_non_null(run.t);
    assert_non_null(run.ps);
    run.as_parameters = a->layout == PARAMETERS;
    rg_params_set_dtype(run.ps, c->out[0].dtype);
    const rg_tensor out = e->layer(&run);
    /* Of what the layer assigns the value that it used: the leaf of after its run. */
    for (int i = 0; i < c->inputs; i++)
        if (run.p[i] != NULL && rg_is_nil(run.x[i]))
            run.x[i] = rg_leaf(run.t, run.p[i]);
    compare_tensor(a, "result", &c->out[0], run.t, out);
    if (c->cotangent.data != NULL && !rg_failed(run.t))
        check_gradients(a, run.t, out, run.x, run.p);
    rg_tape_reset(run.t);
    for (int k = 1; k < c->outs && run.after[k] != NULL; k++)
        compare(a, rg_param_name(run.after[k]), &c->out[k], rg_param_data(run.after[k]));
    rg_tape_free(run.t);
    rg_params_free(run.ps);
}

static void check_layer(struct account *a, const struct entry *e)
{
    for (int way = 0; way < 4; way++) {
        a->layout = way / 2 == 0 ? ROW_MAJOR : PARAMETERS;
        a->eager = way % 2 != 0;
        check_layer_once(a, e);
    }
}

/* ---- optimizers: 20 steps of a small network --------------------------------------------------------------------- */

enum { W1, B1, W2, B2, U, NET_PARAMS, NET_X = NET_PARAMS, NET_Y };
#define TRAIN_STEPS 20

struct net {
    rg_params *ps;
    rg_linear l1, l2;
    rg_param *p[NET_PARAMS];
};

/* 3 -> 4 -> 2, and a parameter u that takes no part, or only now and then. */
static struct net net_new(const struct golden_case *c)
{
    struct net net = {.ps = rg_params_new(1)};
    assert_non_null(net.ps);
    rg_params_set_dtype(net.ps, c->in[W1].dtype);
    net.l1 = rg_linear_new(net.ps, "l1", 3, 4);
    net.l2 = rg_linear_new(net.ps, "l2", 4, 2);
    net.p[W1] = net.l1.weight;
    net.p[B1] = net.l1.bias;
    net.p[W2] = net.l2.weight;
    net.p[B2] = net.l2.bias;
    net.p[U] = rg_param_new(net.ps, "u", c->in[U].dtype, c->in[U].shape, NULL);
    for (int i = 0; i < NET_PARAMS; i++)
        if (!rg_param_set(net.p[i], c->in[i].data, c->in[i].count * rg_dtype_size(c->in[i].dtype)))
            fail_msg("%s %s input %d: %s", c->key, c->variant, i, rg_params_error(net.ps));
    return net;
}

static rg_tensor net_loss(rg_tape *t, const struct net *net, const struct golden_case *c, bool with_u)
{
    const struct golden_array *const in = c->in;
    const rg_tensor x = rg_input(t, in[NET_X].dtype, in[NET_X].shape, in[NET_X].data);
    const rg_tensor y = rg_input(t, in[NET_Y].dtype, in[NET_Y].shape, in[NET_Y].data);
    const rg_tensor h = rg_tanh(t, rg_linear_forward(t, &net->l1, x));
    const rg_tensor loss = rg_mse_loss(t, rg_linear_forward(t, &net->l2, h), y, RG_MEAN);
    if (!with_u)
        return loss;
    const rg_tensor u = rg_add_scalar(t, rg_leaf(t, net->p[U]), -1);
    return rg_add(t, loss, rg_sum(t, rg_square(t, u), RG_ALL, false));
}

static void put_number(const struct golden_array *like, void *data, int index, double value)
{
    if (like->dtype == RG_F64)
        ((double *)data)[index] = value;
    else
        ((float *)data)[index] = (float)value;
}

struct closure {
    const struct net *net;
    const struct golden_case *c;
};

static rg_tensor closure_loss(rg_tape *t, void *user)
{
    const struct closure *const closure = user;
    return net_loss(t, closure->net, closure->c, false);
}

static void check_optim_once(struct account *a, const struct entry *e)
{
    const struct golden_case *const c = a->c;
    struct net net = net_new(c);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.eager = a->eager});
    rg_optim *opt = e->create(net.ps);
    assert_non_null(t);
    assert_non_null(opt);
    double losses[TRAIN_STEPS], norms[TRAIN_STEPS];
    for (int step = 0; step < TRAIN_STEPS; step++) {
        rg_tensor loss = RG_NIL;
        if (e->backwards == 0) {
            struct closure closure = {&net, c};
            put_number(&c->out[0], losses, step, rg_lbfgs_step(opt, t, closure_loss, &closure));
            continue;
        }
        for (int n = 0; n < e->backwards; n++) {
            loss = net_loss(t, &net, c, e->sometimes && step % 2 == 0);
            rg_backward(t, loss);
        }
        const rg_tensor norm = e->before(t, net.ps, opt, step);
        rg_optim_step(opt, t);
        put_number(&c->out[0], losses, step, rg_item(t, loss));
        put_number(&c->out[0], norms, step, rg_is_nil(norm) ? NAN : rg_item(t, norm));
        rg_tape_reset(t);
    }
    if (rg_failed(t)) {
        wrong(a, "training", "failed: %s", rg_tape_error(t));
    } else {
        compare(a, "losses", &c->out[0], losses);
        for (int i = 0; i < NET_PARAMS; i++)
            compare(a, rg_param_name(net.p[i]), &c->out[1 + i], rg_param_data(net.p[i]));
        if (c->outs == NET_PARAMS + 2)
            compare(a, "norms", &c->out[NET_PARAMS + 1], norms);
    }
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(net.ps);
}

static void check_optim(struct account *a, const struct entry *e)
{
    assert_true(a->c->inputs == NET_Y + 1 && a->c->outs >= NET_PARAMS + 1 && a->c->out[0].count == TRAIN_STEPS);
    a->layout = PARAMETERS;
    for (int eager = 0; eager < 2; eager++) {
        a->eager = eager != 0;
        check_optim_once(a, e);
    }
}

/* ---- initialisers and plain numbers ------------------------------------------------------------------------------ */

/* The values keep to the bounds and reach them nearly; mean and spread are what so many draws give. */
static void check_init_once(struct account *a, const struct entry *e, rg_dtype dtype)
{
    rg_params *ps = rg_params_new(3);
    assert_non_null(ps);
    rg_params_set_dtype(ps, dtype);
    const int64_t *const dims = a->c->in[0].data;
    rg_shape shape = {.rank = (int)a->c->in[0].count};
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = dims[i];
    const rg_param *const p = e->init(ps, rg_param_new(ps, "p", dtype, shape, NULL));
    const double *const expected = a->c->out[0].data, low = expected[0], high = expected[1], std = expected[2];
    if (p == NULL || rg_params_status(ps) != RG_OK || !rg_shape_equal(rg_param_shape(p), shape)) {
        wrong(a, "parameter", "failed: %s", rg_params_error(ps));
        rg_params_free(ps);
        return;
    }
    const double n = (double)rg_param_numel(p);
    double least = INFINITY, most = -INFINITY, sum = 0, squares = 0;
    for (int64_t i = 0; i < rg_param_numel(p); i++) {
        const double v = golden_value(dtype, rg_param_data(p), (size_t)i);
        least = fmin(least, v);
        most = fmax(most, v);
        sum += v;
        squares += v * v;
    }
    const double middle = isinf(low) ? 0 : (low + high) / 2, mean = sum / n;
    const double spread = sqrt(fmax(0, squares / n - mean * mean)), slack = 1e-6 * fabs(high - low);
    a->compared += rg_param_numel(p);
    if (!isinf(low) && (least < low - slack || most > high + slack || least > low + 0.01 * (high - low) ||
                        most < high - 0.01 * (high - low)))
        wrong(a, "bounds", "values in [%g, %g], PyTorch's bounds are [%g, %g]", least, most, low, high);
    if (fabs(mean - middle) > 5 * std / sqrt(n))
        wrong(a, "mean", "is %g instead of %g", mean, middle);
    if (fabs(spread - std) > 0.02 * std + 1e-9)
        wrong(a, "standard deviation", "is %g, PyTorch's is %g", spread, std);
    rg_params_free(ps);
}

static void check_init(struct account *a, const struct entry *e)
{
    a->layout = PARAMETERS;
    check_init_once(a, e, RG_F64);
    check_init_once(a, e, RG_F32);
}

static void check_scalar(struct account *a, const struct entry *e)
{
    double values[64];
    assert_true(a->c->out[0].count <= 64);
    for (size_t i = 0; i < a->c->out[0].count; i++)
        values[i] = e->scalar((int64_t)i);
    compare(a, "value", &a->c->out[0], values);
}

/* ---- the tests --------------------------------------------------------------------------------------------------- */

static void family_agrees_with_pytorch(void **state)
{
    static void (*const CHECK[])(struct account *, const struct entry *) = {
        [OP] = check_op,         [OPTIM] = check_optim, [INIT] = check_init,
        [SCALAR] = check_scalar, [APPLY] = check_op,    [LAYER] = check_layer};
    const struct subject *const subject = *state;
    struct golden_file f;
    struct golden_case c;
    struct account a = {.family = subject->family, .c = &c};
    long cases = 0;
    open_family(&f, subject->root, subject->family);
    for (; golden_next(&f, &c); golden_case_free(&c), cases++) {
        const struct entry *const e = find_entry(subject->family->kind, c.key);
        if (e == NULL)
            wrong(&a, "entry", "there is none in golden/cases.h, and no op of this name");
        else if (c.outs == 0)
            wrong(&a, "file", "the case has no result");
        else
            CHECK[subject->family->kind](&a, e);
    }
    golden_case_free(&c);
    print_message("%s: %ld cases, %ld numbers; worst error %.3g of what is allowed%s%s\n", subject->family->name, cases,
                  a.compared, a.worst, a.worst > 0 ? ": " : "", a.worst_name);
    if (f.error[0] != '\0')
        fail_msg("%s.txt %s", subject->family->name, f.error);
    golden_close(&f);
    assert_true(cases > 0 && a.compared > 0);
    if (a.failed > 0)
        fail_msg("%ld arrays of %s differ", a.failed, subject->family->name);
}

static void every_case_has_an_entry_and_every_entry_a_case(void **state)
{
    const struct subject *const subject = *state;
    bool used[COUNT(ENTRIES)] = {false};
    int wrongs = 0;
    for (int k = 0; k < COUNT(FAMILIES); k++) {
        struct golden_file f;
        struct golden_case c;
        open_family(&f, subject->root, &FAMILIES[k]);
        for (; golden_next(&f, &c); golden_case_free(&c)) {
            const struct entry *const e = find_entry(FAMILIES[k].kind, c.key);
            if (e == NULL)
                print_error("%s.txt has the case %s, golden/cases.h has not\n", FAMILIES[k].name, c.key), wrongs++;
            else if (e != &BY_NAME)
                used[e - ENTRIES] = true;
        }
        golden_case_free(&c);
        if (f.error[0] != '\0')
            print_error("%s.txt %s\n", FAMILIES[k].name, f.error), wrongs++;
        golden_close(&f);
    }
    for (int i = 0; i < COUNT(ENTRIES); i++)
        if (!used[i])
            print_error("golden/cases.h has the entry %s, no file has\n", ENTRIES[i].key), wrongs++;
    for (int i = 0; i < COUNT(ENTRIES); i++)
        if (find_entry(ENTRIES[i].kind, ENTRIES[i].key) != &ENTRIES[i])
            print_error("golden/cases.h has the entry %s twice\n", ENTRIES[i].key), wrongs++;
    assert_int_equal(wrongs, 0);
}

static bool listed(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* The ops that cases call by name, for one test. */
static struct {
    char name[1024][64];
    int count;
} applied;

static bool was_applied(const char *name)
{
    for (int i = applied.count; i-- > 0;)
        if (strcmp(applied.name[i], name) == 0)
            return true;
    return false;
}

static void collect_applied(const char *root)
{
    applied.count = 0;
    for (int k = 0; k < COUNT(FAMILIES); k++) {
        struct golden_file f;
        struct golden_case c;
        if (FAMILIES[k].kind != APPLY)
            continue;
        open_family(&f, root, &FAMILIES[k]);
        for (; golden_next(&f, &c); golden_case_free(&c))
            if (!was_applied(c.key)) {
                assert_true(applied.count < COUNT(applied.name));
                snprintf(applied.name[applied.count++], sizeof *applied.name, "%s", c.key);
            }
        golden_case_free(&c);
        golden_close(&f);
    }
}

static bool is_held_elsewhere(const char *root, const char *name)
{
    bool found = false;
    for (int i = 0; i < COUNT(HOLD_THEIR_OWN) && !found; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/tests/test_%s.c", root, HOLD_THEIR_OWN[i]);
        char *const text = golden_slurp(path);
        assert_non_null(text);
        found = has_identifier(text, name);
        free(text);
    }
    return found;
}

static bool is_covered(const char *root, const char *name)
{
    if (was_applied(name + strlen("rg_")))
        return true;
    for (int i = 0; i < COUNT(ENTRIES); i++)
        if (has_identifier(ENTRIES[i].text, name))
            return true;
    return listed(CALLED_HERE, COUNT(CALLED_HERE), name) || listed(NOT_COMPARABLE, COUNT(NOT_COMPARABLE), name) ||
           is_held_elsewhere(root, name);
}

static void every_public_op_loss_and_optimizer_has_a_case(void **state)
{
    const struct subject *const subject = *state;
    int functions = 0, missing = 0;
    char pattern[4096];
    glob_t headers;
    snprintf(pattern, sizeof pattern, "%s/include/retrograd/{ops,optim,schedule,average,ops/*,nn/*}.h", subject->root);
    assert_int_equal(glob(pattern, GLOB_BRACE, NULL, &headers), 0);
    collect_applied(subject->root);
    for (size_t k = 0; k < headers.gl_pathc; k++) {
        char name[64];
        char *const text = golden_slurp(headers.gl_pathv[k]);
        assert_non_null(text);
        for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
            *end = '\0';
            if (!declared_name(line, name))
                continue;
            functions++;
            if (!is_covered(subject->root, name))
                print_error("%s has no golden case\n", name), missing++;
        }
        free(text);
    }
    globfree(&headers);
    print_message("%d public functions\n", functions);
    assert_true(functions > 100);
    assert_int_equal(missing, 0);
}

int main(int argc, char **argv)
{
    struct subject subjects[COUNT(FAMILIES) + 1] = {{argc > 1 ? argv[1] : ".", NULL}};
    struct CMUnitTest tests[COUNT(FAMILIES) + 2] = {
        {.name = "every_case_has_an_entry_and_every_entry_a_case",
         .test_func = every_case_has_an_entry_and_every_entry_a_case,
         .initial_state = subjects},
        {.name = "every_public_op_loss_and_optimizer_has_a_case",
         .test_func = every_public_op_loss_and_optimizer_has_a_case,
         .initial_state = subjects},
    };
    char names[COUNT(FAMILIES)][64];
    for (int i = 0; i < COUNT(FAMILIES); i++) {
        subjects[i + 1] = (struct subject){subjects[0].root, &FAMILIES[i]};
        snprintf(names[i], sizeof names[i], "%s_agrees_with_pytorch", FAMILIES[i].name);
        tests[i + 2] = (struct CMUnitTest){
            .name = names[i], .test_func = family_agrees_with_pytorch, .initial_state = &subjects[i + 1]};
    }
    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
