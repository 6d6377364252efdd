/* Our results against PyTorch's: golden/ holds inputs and what PyTorch makes of them, golden/cases.h the calls.
 *
 * Each case runs recorded and eager, with its inputs in every memory layout that there is, and as parameters; shape,
 * dtype, values, gradients and second gradients are compared. The program's argument is the project's root folder. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* braces in patterns */
#endif
#include "golden/account.h"
#include "golden/average.h"
#include "golden/elsewhere.h"
#include "golden/steps.h"
#include "golden/table.h"

#include <glob.h>

/* ---- the files and what is allowed ------------------------------------------------------------------------------- */

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
    {"average", AVERAGE, 1,       1e-12, 1e-1, 2e-5, 1e-1, false},
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

/* ---- the tests --------------------------------------------------------------------------------------------------- */

static void family_agrees_with_pytorch(void **state)
{
    static void (*const CHECK[])(struct account *, const struct entry *) = {
        [OP] = check_op,         [OPTIM] = check_optim, [AVERAGE] = check_average, [INIT] = check_init,
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

static bool has_entry(const char *name)
{
    for (int i = 0; i < COUNT(ENTRIES); i++)
        if (has_identifier(ENTRIES[i].text, name))
            return true;
    return false;
}

static void every_public_op_loss_and_optimizer_has_a_case(void **state)
{
    const struct subject *const subject = *state;
    int functions = 0, held = 0, missing = 0;
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
            if (was_applied(name + strlen("rg_")) || has_entry(name))
                continue;
            if (is_held_elsewhere(subject->root, name))
                held++;
            else
                print_error("%s has no golden case, nor a test that HELD_ELSEWHERE names\n", name), missing++;
        }
        free(text);
    }
    globfree(&headers);
    print_message("%d public functions, %d of them held elsewhere\n", functions, held);
    assert_true(functions > 100);
    assert_int_equal(missing, 0);
    assert_int_equal(held, named_elsewhere()); /* the others are not declared, or have a case */
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
