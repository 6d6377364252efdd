/* What holds for every op of the public table: whatever it is given by name, it answers with values or with an error that
 * names it. */
#include "table_support.h"

#include "golden/coverage.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* The planned executor, and the reference. */
static rg_tape *tapes[2];

/* A call of each op that is recorded; those of which the search found none have no name. */
static call *calls;
static int ops;

static int prepare(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        tapes[i] = rg_tape_new(&(rg_tape_config){.threads = 1, .eager = i == 1});
    ops = rg_op_count();
    calls = calloc((size_t)ops, sizeof *calls);
    if (!calls || !tapes[0] || !tapes[1])
        return -1;
    for (int i = 0; i < ops; i++) {
        rg_op op;
        if (rg_op_at(i, &op) && !find_call(tapes[0], &op, &calls[i]))
            calls[i].op.name = NULL;
    }
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    rg_tape_free(tapes[0]);
    rg_tape_free(tapes[1]);
    free(calls);
    return 0;
}

/* ---- calls ---- */

static void every_op_is_called_by_its_signature(void **state)
{
    (void)state;
    char missing[4096] = "";
    rg_op op;
    for (int i = 0; i < ops; i++)
        if (!calls[i].op.name && rg_op_at(i, &op) && strlen(missing) + strlen(op.name) + 2 < sizeof missing)
            strcat(strcat(missing, " "), op.name);
    if (*missing)
        fail_msg("no call found that succeeds, add it to HINTS of table_support.h:%s", missing);
}

/* A failed tape says which op it was. */
static void assert_names(rg_tape *t, const call *c)
{
    if (rg_failed(t) && !has_identifier(rg_tape_error(t), c->op.name))
        fail_msg("the error does not name the op: %s", told(t, c));
}

static void assert_refused(rg_tape *t, const call *c, rg_status status, const char *says)
{
    if (!rg_failed(t) || rg_tape_status(t) != status || !strstr(rg_tape_error(t), says))
        fail_msg("not refused with status %d and '%s': %s", status, says, told(t, c));
    assert_names(t, c);
}

/* While running, a part of a composed op may speak for it. */
static void assert_names_an_op(rg_tape *t, const call *c)
{
    const char *const error = rg_tape_error(t);
    const size_t name = strspn(error, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (rg_failed(t) && (name == 0 || error[name] != ':'))
        fail_msg("the error names no op: %s", told(t, c));
}

/* Asks for all results, and for their gradients where there are any. Each is there, or an error says which op. */
static void run_results(rg_tape *t, const call *c, const rg_tensor *x, const rg_tensor *out, int results, bool gradients)
{
    rg_tensor wanted[MOST], grad[MOST];
    int count = 0;
    for (int i = 0; i < c->count; i++)
        if (!c->nil[i] && c->dtype[i] <= RG_F64)
            wanted[count++] = x[i];
    for (int i = 0; i < results && i < MOST_RESULTS && !rg_failed(t); i++) {
        const rg_tensor y = out[i];
        if (!rg_data(t, y) || !gradients || !c->op.differentiable || rg_dtype_of(t, y) > RG_F64 || count == 0)
            continue;
        if (!rg_grad_with(t, y, rg_ones_like(t, y), wanted, count, grad))
            fail_msg("no gradient: %s", told(t, c));
        for (int k = 0; k < count && !rg_failed(t); k++)
            rg_data(t, grad[k]);
    }
    assert_names_an_op(t, c);
}

/* Records and runs with both executors; what happens is up to the op. */
static void survives(const call *c, bool gradients)
{
    for (int i = 0; i < 2; i++) {
        rg_tensor x[MOST], out[MOST_RESULTS];
        const int results = record(tapes[i], c, x, out);
        if ((results > 0) == rg_failed(tapes[i]) || results > MOST_RESULTS)
            fail_msg("%d results: %s", results, told(tapes[i], c));
        assert_names(tapes[i], c);
        run_results(tapes[i], c, x, out, results, gradients);
    }
}

/* Calls `check` with a copy of the good call of each op. */
static void each_op(void (*check)(rg_tape *t, call *c))
{
    for (int i = 0; i < ops; i++)
        if (calls[i].op.name) {
            call c = calls[i];
            check(tapes[0], &c);
        }
}

static void check_counts(rg_tape *t, call *c)
{
    rg_tensor x[MOST], out[MOST_RESULTS], many[MOST];
    char text[4096];
    attributes_text(c, text, sizeof text);
    for (int i = -1; i <= c->s.tensors + 2; i++) {
        record(t, c, x, out);
        assert_tape_ok(t);
        for (int k = 0; k < MOST; k++)
            many[k] = c->count ? x[k < c->count ? k : 0] : make_tensor(t, RG_F32, RG_SCALAR);
        const bool fits = i >= c->op.least_inputs && (c->op.most_inputs < 0 || i <= c->op.most_inputs);
        const int results = rg_apply(t, c->op.name, many, i, text, out, MOST_RESULTS);
        if (!fits) {
            assert_int_equal(results, 0);
            assert_refused(t, c, RG_ERROR_ARGUMENT, "tensors");
        }
        assert_names(t, c);
    }
    record(t, c, x, out);
    if (c->op.least_inputs > 0) {
        assert_int_equal(rg_apply(t, c->op.name, NULL, c->count, text, out, MOST_RESULTS), 0);
        assert_refused(t, c, RG_ERROR_ARGUMENT, "tensors");
    }
    record(t, c, x, out);
    assert_int_equal(rg_apply(t, c->op.name, x, c->count, text, out, 0), 0);
    assert_refused(t, c, RG_ERROR_ARGUMENT, "results");
    record(t, c, x, out);
    assert_int_equal(rg_apply(t, c->op.name, x, c->count, text, NULL, 9), 0);
    assert_refused(t, c, RG_ERROR_ARGUMENT, "results");
}

static void wrong_numbers_of_tensors_and_results_are_refused(void **state)
{
    (void)state;
    each_op(check_counts);
}

static void check_nil(rg_tape *t, call *c)
{
    rg_tensor x[MOST], out[MOST_RESULTS];
    for (int i = 0; i < c->count; i++) {
        if (c->nil[i] || tensor_of(c, i)->optional)
            continue;
        c->nil[i] = true;
        assert_int_equal(record(t, c, x, out), 0);
        assert_refused(t, c, RG_ERROR_HANDLE, "nil");
        c->nil[i] = false;
    }
}

static void nil_is_refused_where_a_tensor_is_needed(void **state)
{
    (void)state;
    each_op(check_nil);
}

/* ---- attributes ---- */

static void assert_text_refused(rg_tape *t, const call *c, const char *text, const char *says)
{
    rg_tensor x[MOST], out[MOST_RESULTS];
    record(t, c, x, out);
    assert_tape_ok(t);
    assert_int_equal(rg_apply(t, c->op.name, x, c->count, text, out, MOST_RESULTS), 0);
    assert_refused(t, c, RG_ERROR_ARGUMENT, says);
}

static void check_names(rg_tape *t, call *c)
{
    char text[4096], changed[5000];
    attributes_text(c, text, sizeof text);
    snprintf(changed, sizeof changed, "%s nonsense=1", text);
    assert_text_refused(t, c, changed, "'nonsense'");
    snprintf(changed, sizeof changed, "%s nonsense", text);
    assert_text_refused(t, c, changed, "'nonsense'");
    for (int i = 0; i < c->s.attributes; i++) {
        const char *const value = c->value[i], *const name = c->s.attribute[i].name;
        if (!value)
            continue;
        snprintf(changed, sizeof changed, "%s %s=%s", text, name, value);
        assert_text_refused(t, c, changed, "given twice");
        c->value[i] = NULL;
        attributes_text(c, changed, sizeof changed);
        c->value[i] = value;
        assert_text_refused(t, c, changed, name);
    }
}

static void unknown_repeated_and_missing_attributes_are_refused(void **state)
{
    (void)state;
    each_op(check_names);
}

static void check_malformed(rg_tape *t, call *c)
{
    static const struct {
        const char *type, *value;
    } bad[] = {
        {"int", "x"},          {"int", "1.5"},    {"int", ""},        {"int", "99999999999999999999"},
        {"int", "[1]"},        {"real", "x"},     {"real", "1x"},     {"real", ""},
        {"flag", "maybe"},     {"flag", ""},      {"flag", "1"},      {"dtype", "f16"},
        {"dtype", ""},         {"dtype", "F32"},  {"ints", "[1, x]"}, {"ints", "[1"},
        {"ints", "[1.5]"},     {"ints", "[[1]]"}, {"ints", "[1,,2]"}, {"ints", "[99999999999999999999]"},
        {"words", "nonsense"}, {"words", "a|b"},  {"words", ""},
    };
    for (int i = 0; i < c->s.attributes; i++)
        for (int k = 0; k < COUNT(bad); k++) {
            const bool words = strchr(c->s.attribute[i].type, '|') != NULL;
            if (strcmp(words ? "words" : c->s.attribute[i].type, bad[k].type) != 0)
                continue;
            const char *const before = c->value[i];
            rg_tensor x[MOST], out[MOST_RESULTS];
            c->value[i] = bad[k].value;
            assert_int_equal(record(t, c, x, out), 0);
            assert_refused(t, c, RG_ERROR_ARGUMENT, c->s.attribute[i].name);
            c->value[i] = before;
        }
}

static void malformed_values_are_refused(void **state)
{
    (void)state;
    each_op(check_malformed);
}

static void check_absurd(rg_tape *t, call *c)
{
    (void)t;
    static const char *const values[] = {
        "0",
        "1",
        "-1",
        "2",
        "99",
        "-99",
        "none",
        "all",
        "nan",
        "inf",
        "-inf",
        "1e308",
        "-9223372036854775808",
        "9223372036854775807",
        "[]",
        "[0]",
        "[-1]",
        "[99]",
        "[0, 0]",
        "[-9223372036854775808]",
        "[9223372036854775807]",
        "[9223372036854775807, 9223372036854775807]",
        "[1, 1, 1, 1, 1, 1, 1, 1]",
        "[1, 1, 1, 1, 1, 1, 1, 1, 1]",
        "[0, 1, 2, 3, 4, 5, 6, 7, 8]",
        "true",
        "f32",
        "f64",
        "i32",
        "i64",
        "bool",
        "",
        "x",
        ",",
        "->",
        "...",
        "ii->ii",
        "(((",
        "%s%n",
        "ij,jk,kl,lm->im",
    };
    for (int i = 0; i < c->s.attributes; i++) {
        const char *const before = c->value[i], *const type = c->s.attribute[i].type;
        for (int k = 0; k < COUNT(values); k++) {
            c->value[i] = values[k];
            survives(c, false);
        }
        for (const char *word = type; strchr(type, '|') && *word; word += strcspn(word, "|"), word += *word == '|') {
            char text[200];
            snprintf(text, sizeof text, "%.*s", (int)strcspn(word, "|"), word);
            c->value[i] = text;
            survives(c, true);
        }
        c->value[i] = before;
    }
}

static void absurd_values_never_crash(void **state)
{
    (void)state;
    each_op(check_absurd);
}

/* ---- dtypes ---- */

static void check_refused_dtypes(rg_tape *t, call *c)
{
    rg_tensor x[MOST], out[MOST_RESULTS];
    for (int i = 0; i < c->count; i++)
        for (int d = 0; d < RG_DTYPES && !c->nil[i]; d++) {
            const rg_dtype before = c->dtype[i];
            if (class_has(tensor_of(c, i)->type, d))
                continue;
            c->dtype[i] = (rg_dtype)d;
            assert_int_equal(record(t, c, x, out), 0);
            assert_refused(t, c, RG_ERROR_DTYPE, rg_dtype_name((rg_dtype)d));
            c->dtype[i] = before;
        }
}

static void other_dtypes_are_refused(void **state)
{
    (void)state;
    each_op(check_refused_dtypes);
}

/* One dtype for all tensors of a class. Those of other classes that had the same go with it, or stay. */
static void check_accepted_dtypes(rg_tape *t, call *c)
{
    for (int k = 0; k < c->s.tensors; k++)
        for (int d = 0; d < RG_DTYPES && !c->nil[k]; d++) {
            const char *const type = c->s.tensor[k].type;
            const rg_dtype before = c->dtype[k];
            bool accepted = !class_has(type, d);
            for (int others = 0; others < 2 && !accepted; others++) {
                rg_tensor x[MOST], out[MOST_RESULTS];
                call changed = *c;
                for (int i = 0; i < c->count; i++) {
                    const char *const own = tensor_of(c, i)->type;
                    if (strcmp(own, type) == 0 || (others == 0 && c->dtype[i] == before && class_has(own, d)))
                        changed.dtype[i] = (rg_dtype)d;
                }
                accepted = record(t, &changed, x, out) > 0;
                if (!accepted && others == 1)
                    fail_msg("%s is of the class '%s': %s", rg_dtype_name((rg_dtype)d), type, told(t, &changed));
                survives(&changed, true);
            }
        }
}

static void the_dtypes_of_the_signature_are_accepted(void **state)
{
    (void)state;
    each_op(check_accepted_dtypes);
}

/* ---- shapes ---- */

/* All ranks, without elements, and extents that fit nothing, for one tensor and for all of them. */
static void check_shapes(rg_tape *t, call *c)
{
    (void)t;
    static const int64_t extents[] = {2, 1, 0};
    for (int i = 0; i <= c->count; i++) {
        if (i < c->count && c->nil[i])
            continue;
        for (int rank = 0; rank <= RG_MAX_RANK; rank++)
            for (int e = 0; e < COUNT(extents) + 2 && (rank || e == 0); e++) {
                call changed = *c;
                rg_shape shape = cube(rank, e < COUNT(extents) ? extents[e] : 2);
                if (rank && e == COUNT(extents))
                    shape.dims[0] = 0;
                if (rank && e == COUNT(extents) + 1)
                    shape.dims[rank - 1] = rank % 2 ? 0 : 3;
                for (int k = 0; k < c->count; k++)
                    if (k == i || i == c->count)
                        changed.shape[k] = shape;
                survives(&changed, true);
            }
    }
}

static void any_rank_and_empty_tensors_never_crash(void **state)
{
    (void)state;
    each_op(check_shapes);
}

/* Tensors that may be left out: given, in any shape. */
static void check_optional(rg_tape *t, call *c)
{
    (void)t;
    for (int i = 0; i < c->count; i++)
        for (int rank = 0; rank <= RG_MAX_RANK && tensor_of(c, i)->optional; rank++)
            for (int64_t extent = 0; extent <= 2; extent++) {
                call changed = *c;
                changed.nil[i] = false;
                changed.shape[i] = cube(rank, extent);
                survives(&changed, true);
            }
}

static void optional_tensors_of_any_shape_never_crash(void **state)
{
    (void)state;
    each_op(check_optional);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_is_called_by_its_signature),
        cmocka_unit_test(wrong_numbers_of_tensors_and_results_are_refused),
        cmocka_unit_test(nil_is_refused_where_a_tensor_is_needed),
        cmocka_unit_test(unknown_repeated_and_missing_attributes_are_refused),
        cmocka_unit_test(malformed_values_are_refused),
        cmocka_unit_test(absurd_values_never_crash),
        cmocka_unit_test(other_dtypes_are_refused),
        cmocka_unit_test(the_dtypes_of_the_signature_are_accepted),
        cmocka_unit_test(any_rank_and_empty_tensors_never_crash),
        cmocka_unit_test(optional_tensors_of_any_shape_never_crash),
    };
    return cmocka_run_group_tests(tests, prepare, clean_up);
}
