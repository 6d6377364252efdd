/* Tensors and tapes as text. What rg_print must give was made with NumPy 2.4.6: np.set_printoptions(precision=4) and
 * np.array2string(a), with a newline after it; the arrays are those of each test. */
#include <retrograd/retrograd.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- helpers ------------------------------------------------------------------------------------------------- */

/* All that was written to a temporary file. The caller frees. */
static char *contents(FILE *file)
{
    const long size = ftell(file);
    assert_true(size >= 0);
    char *text = malloc((size_t)size + 1);
    assert_non_null(text);
    rewind(file);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    text[size] = 0;
    fclose(file);
    return text;
}

static char *printed(rg_tape *t, rg_tensor x)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    rg_print(t, x, file);
    return contents(file);
}

static char *as_table(rg_tape *t)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    rg_tape_print(t, file);
    return contents(file);
}

static char *as_dot(rg_tape *t)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    rg_tape_dot(t, file);
    return contents(file);
}

static void assert_prints(rg_tape *t, rg_tensor x, const char *expected)
{
    char *text = printed(t, x);
    assert_string_equal(text, expected);
    free(text);
}

static void assert_f32(rg_tape *t, rg_shape shape, const float *data, const char *expected)
{
    assert_prints(t, rg_input_f32(t, shape, data), expected);
}

static void assert_f64(rg_tape *t, rg_shape shape, const double *data, const char *expected)
{
    assert_prints(t, rg_input_f64(t, shape, data), expected);
}

static int occurrences(const char *text, const char *part)
{
    int count = 0;
    for (const char *c = text; (c = strstr(c, part)); c += strlen(part))
        count++;
    return count;
}

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text);
}

// clang-format off
#define F32(...) (const float[]){__VA_ARGS__}
#define F64(...) (const double[]){__VA_ARGS__}
// clang-format on

static int new_tape(void **state)
{
    *state = rg_tape_new(NULL);
    return *state ? 0 : -1;
}

/* Tables show what is computed: eagerly that is everything. */
static int new_eager_tape(void **state)
{
    *state = rg_tape_new(&(rg_tape_config){.eager = true});
    return *state ? 0 : -1;
}

/* Every test that did not ask for an error must have had none. */
static int free_tape(void **state)
{
    rg_tape *t = *state;
    const bool failed = rg_failed(t);
    if (failed)
        print_error("the tape failed: %s\n", rg_tape_error(t));
    rg_tape_free(t);
    return failed ? -1 : 0;
}

/* ---- rg_print -------------------------------------------------------------------------------------------------- */

static void floats_take_as_few_digits_as_needed_up_to_four(void **state)
{
    rg_tape *t = *state;
    assert_f32(t, RG_SHAPE(3), F32(1, 2, 3), "[1. 2. 3.]\n");
    assert_f32(t, RG_SHAPE(3), F32(.5f, 1, -2.25f), "[ 0.5   1.   -2.25]\n");
    assert_f64(t, RG_SHAPE(3), F64(.03125, .09375, 1.00005), "[0.0312 0.0938 1.0001]\n");
    assert_f64(t, RG_SHAPE(2), F64(.99996, 9.5), "[1.  9.5]\n");
    assert_f32(t, RG_SHAPE(2), F32(0.f, -0.f), "[ 0. -0.]\n");
}

static void a_wide_range_is_printed_in_scientific_notation(void **state)
{
    rg_tape *t = *state;
    assert_f32(t, RG_SHAPE(2, 2), F32(1.f / 3, .1f, -20, 100.5f),
               "[[ 3.3333e-01  1.0000e-01]\n"
               " [-2.0000e+01  1.0050e+02]]\n");
    assert_f32(t, RG_SHAPE(2), F32(1000, 1), "[1000.    1.]\n");
    assert_f32(t, RG_SHAPE(2), F32(1001, 1), "[1.001e+03 1.000e+00]\n");
    assert_f32(t, RG_SHAPE(2), F32(999999, 1000), "[999999.   1000.]\n");
    assert_f32(t, RG_SHAPE(2), F32(1e6f, 1), "[1.e+06 1.e+00]\n");
    assert_f64(t, RG_SHAPE(2), F64(1e6, 1e3), "[1000000.    1000.]\n");
    assert_f64(t, RG_SHAPE(2), F64(1e8, 1e8), "[1.e+08 1.e+08]\n");
    assert_f32(t, RG_SHAPE(2), F32(1e-5f, 1), "[1.e-05 1.e+00]\n");
    assert_f32(t, RG_SHAPE(2), F32(123456792, 1.5f), "[1.2346e+08 1.5000e+00]\n");
    assert_f64(t, RG_SHAPE(3), F64(1e100, -2.5e-7, 0), "[ 1.0e+100 -2.5e-007  0.0e+000]\n");
}

static void nan_and_infinity_line_up_with_numbers(void **state)
{
    rg_tape *t = *state;
    assert_f32(t, RG_SHAPE(3), F32(1.5f, NAN, INFINITY), "[1.5 nan inf]\n");
    assert_f32(t, RG_SHAPE(2), F32(-INFINITY, 1), "[-inf   1.]\n");
    assert_f32(t, RG_SHAPE(2), F32(NAN, NAN), "[nan nan]\n");
    assert_f64(t, RG_SHAPE(3), F64(NAN, -INFINITY, 1e-9), "[   nan   -inf 1.e-09]\n");
}

static void brackets_nest_and_blank_lines_part_the_blocks(void **state)
{
    rg_tape *t = *state;
    float quarters[12];
    for (int i = 0; i < 12; i++)
        quarters[i] = (float)i / 4;
    assert_f32(t, RG_SHAPE(2, 2, 3), quarters,
               "[[[0.   0.25 0.5 ]\n"
               "  [0.75 1.   1.25]]\n"
               "\n"
               " [[1.5  1.75 2.  ]\n"
               "  [2.25 2.5  2.75]]]\n");
    static const int32_t counted[] = {0, 1, 2, 3, 4, 5, 6, 7};
    assert_prints(t, rg_input_i32(t, RG_SHAPE(2, 2, 2, 1), counted),
                  "[[[[0]\n"
                  "   [1]]\n"
                  "\n"
                  "  [[2]\n"
                  "   [3]]]\n"
                  "\n"
                  "\n"
                  " [[[4]\n"
                  "   [5]]\n"
                  "\n"
                  "  [[6]\n"
                  "   [7]]]]\n");
}

static void integers_and_bools_are_aligned(void **state)
{
    rg_tape *t = *state;
    assert_prints(t, rg_input_i64(t, RG_SHAPE(2, 2), (const int64_t[]){1, -20, 300, 4}),
                  "[[  1 -20]\n"
                  " [300   4]]\n");
    assert_prints(t, rg_input_i64(t, RG_SHAPE(2), (const int64_t[]){INT64_MIN, INT64_MAX}),
                  "[-9223372036854775808  9223372036854775807]\n");
    assert_prints(t, rg_input_bool(t, RG_SHAPE(2, 2), (const bool[]){true, false, false, false}),
                  "[[ True False]\n"
                  " [False False]]\n");
}

static void scalars_have_no_brackets(void **state)
{
    rg_tape *t = *state;
    assert_f32(t, RG_SCALAR, F32(1), "1.\n");
    assert_f32(t, RG_SCALAR, F32(1.f / 3), "0.3333\n");
    assert_f64(t, RG_SCALAR, F64(1e-10), "1.e-10\n");
    assert_prints(t, rg_input_i32(t, RG_SCALAR, (const int32_t[]){-7}), "-7\n");
    assert_prints(t, rg_input_bool(t, RG_SCALAR, (const bool[]){true}), "True\n");
}

static void no_elements_are_two_brackets(void **state)
{
    rg_tape *t = *state;
    assert_f32(t, RG_SHAPE(0), NULL, "[]\n");
    assert_f32(t, RG_SHAPE(2, 0, 3), NULL, "[]\n");
}

static void long_rows_are_wrapped(void **state)
{
    rg_tape *t = *state;
    int64_t hundreds[40];
    for (int i = 0; i < 40; i++)
        hundreds[i] = 100 * i;
    assert_prints(t, rg_input_i64(t, RG_SHAPE(40), hundreds),
                  "[   0  100  200  300  400  500  600  700  800  900 1000 1100 1200 1300\n"
                  " 1400 1500 1600 1700 1800 1900 2000 2100 2200 2300 2400 2500 2600 2700\n"
                  " 2800 2900 3000 3100 3200 3300 3400 3500 3600 3700 3800 3900]\n");
    float sixteenths[24];
    for (int i = 0; i < 24; i++)
        sixteenths[i] = (float)i / 16;
    assert_f32(t, RG_SHAPE(2, 12), sixteenths,
               "[[0.     0.0625 0.125  0.1875 0.25   0.3125 0.375  0.4375 0.5    0.5625\n"
               "  0.625  0.6875]\n"
               " [0.75   0.8125 0.875  0.9375 1.     1.0625 1.125  1.1875 1.25   1.3125\n"
               "  1.375  1.4375]]\n");
}

static rg_tensor counted_i32(rg_tape *t, rg_shape shape)
{
    return rg_reshape(t, rg_arange(t, RG_I32, 0, (double)rg_shape_numel(shape), 1), shape);
}

static void more_than_a_thousand_elements_are_summarised(void **state)
{
    rg_tape *t = *state;
    assert_prints(t, counted_i32(t, RG_SHAPE(1001)), "[   0    1    2 ...  998  999 1000]\n");
    assert_prints(t, counted_i32(t, RG_SHAPE(2, 8, 100)),
                  "[[[   0    1    2 ...   97   98   99]\n"
                  "  [ 100  101  102 ...  197  198  199]\n"
                  "  [ 200  201  202 ...  297  298  299]\n"
                  "  ...\n"
                  "  [ 500  501  502 ...  597  598  599]\n"
                  "  [ 600  601  602 ...  697  698  699]\n"
                  "  [ 700  701  702 ...  797  798  799]]\n"
                  "\n"
                  " [[ 800  801  802 ...  897  898  899]\n"
                  "  [ 900  901  902 ...  997  998  999]\n"
                  "  [1000 1001 1002 ... 1097 1098 1099]\n"
                  "  ...\n"
                  "  [1300 1301 1302 ... 1397 1398 1399]\n"
                  "  [1400 1401 1402 ... 1497 1498 1499]\n"
                  "  [1500 1501 1502 ... 1597 1598 1599]]]\n");
    char *whole = printed(t, counted_i32(t, RG_SHAPE(1000)));
    assert_null(strstr(whole, "..."));
    assert_contains(whole, " 996 997 998 999]\n");
    assert_int_equal(strlen(whole), 4057);
    free(whole);
}

static void elements_that_are_left_out_do_not_set_the_layout(void **state)
{
    rg_tape *t = *state;
    double values[1001];
    for (int i = 0; i < 1001; i++)
        values[i] = i == 500 ? 1e9 : 1.5;
    assert_f64(t, RG_SHAPE(1001), values, "[1.5 1.5 1.5 ... 1.5 1.5 1.5]\n");
}

static void views_are_printed_in_their_own_order(void **state)
{
    rg_tape *t = *state;
    const rg_tensor x = rg_arange(t, RG_F32, 0, 6, 1);
    assert_prints(t, rg_transpose(t, rg_reshape(t, x, RG_SHAPE(2, 3)), 0, 1),
                  "[[0. 3.]\n"
                  " [1. 4.]\n"
                  " [2. 5.]]\n");
    assert_prints(t, rg_slice(t, x, 0, -1, RG_END, -2), "[5. 3. 1.]\n");
}

static void printing_a_bad_handle_or_a_failed_tape_prints_the_error(void **state)
{
    rg_tape *t = *state;
    const rg_tensor fine = rg_scalar(t, RG_F32, 1);
    char *nil = printed(t, RG_NIL);
    assert_true(rg_failed(t));
    assert_true(strlen(rg_tape_error(t)) > 0);
    char *after = printed(t, fine);
    char expected[1024];
    snprintf(expected, sizeof expected, "%s\n", rg_tape_error(t));
    assert_string_equal(nil, expected);
    assert_string_equal(after, expected);
    free(nil);
    free(after);
    rg_tape_clear_error(t);
}

static void missing_tapes_and_streams_do_no_harm(void **state)
{
    rg_tape *t = *state;
    const rg_tensor x = rg_scalar(t, RG_F32, 1);
    rg_print(t, x, NULL);
    rg_tape_print(t, NULL);
    rg_tape_dot(t, NULL);
    free(printed(NULL, x));
    free(as_table(NULL));
    char *dot = as_dot(NULL);
    assert_contains(dot, "digraph");
    free(dot);
    rg_print(NULL, RG_NIL, NULL);
    rg_tape_print(NULL, NULL);
    rg_tape_dot(NULL, NULL);
}

/* ---- rg_tape_print --------------------------------------------------------------------------------------------- */

/* The whole of a small table, so that a change of layout is seen. Every value is asked for: what else an executor leaves
 * in memory is its own affair. */
static void a_table_shows_a_line_for_each_node(void **state)
{
    rg_tape *t = *state;
    rg_params *ps = rg_params_new(0);
    rg_param *w = rg_param_new(ps, "w", RG_F32, RG_SHAPE(2, 2), F32(1, 2, 3, 4));
    rg_tensor x = rg_input_f32(t, RG_SHAPE(2), F32(.5f, -1));
    rg_scope_push(t, "layer");
    rg_tensor y = rg_keep(t, rg_mul(t, x, rg_leaf(t, w)));
    rg_scope_pop(t);
    rg_keep(t, rg_sum(t, y, RG_AXES(-1), true));
    rg_keep(t, rg_gt(t, x, rg_constant(t, RG_F32, 0)));
    assert_true(rg_tape_run(t));
    char *table = as_table(t);
    assert_string_equal(table, "id  op                         inputs  shape   dtype  scope  grad  value\n"
                               "%0  input                              [2]     f32                 [0.5 -1]\n"
                               "%1  leaf w                             [2, 2]  f32    layer  yes   [[1 2] [3 4]]\n"
                               "%2  mul                        %0 %1   [2, 2]  f32    layer  yes   [[0.5 -2] [1.5 -4]]\n"
                               "%3  sum axes=[1] keepdim=true  %2      [2, 1]  f32           yes   [[-1.5] [-2.5]]\n"
                               "%4  constant value=0                   []      f32                 0\n"
                               "%5  gt                         %0 %4   [2]     bool                [True False]\n");
    free(table);
    rg_tape_reset(t);
    rg_params_free(ps);
}

static void a_table_computes_nothing(void **state)
{
    rg_tape *t = *state;
    rg_params *ps = rg_params_new(0);
    rg_param *w = rg_param_new(ps, "w", RG_F32, RG_SCALAR, F32(2));
    rg_tensor leaf = rg_leaf(t, w);
    rg_tensor y = rg_square(t, leaf);
    rg_tensor z = rg_exp(t, y);
    rg_item(t, y);
    rg_assign(t, w, z);
    rg_node before, after;
    assert_true(rg_tape_node(t, z, &before)); /* not computed, except where the environment asks for eager tapes */
    free(as_table(t));
    free(as_dot(t));
    assert_true(rg_tape_node(t, z, &after));
    assert_int_equal(before.computed, after.computed);
    assert_true(*(const float *)rg_param_data(w) == 2);
    rg_tape_reset(t);
    assert_true(*(const float *)rg_param_data(w) > 50);
    rg_params_free(ps);
}

static void columns_line_up_behind_names_beyond_ascii(void **state)
{
    rg_tape *t = *state;
    rg_params *ps = rg_params_new(0);
    rg_leaf(t, rg_param_new(ps, "\u03b8", RG_F32, RG_SCALAR, F32(1)));
    rg_leaf(t, rg_param_new(ps, "b", RG_F32, RG_SCALAR, F32(2)));
    char *table = as_table(t);
    assert_contains(table, "leaf \u03b8          []");
    assert_contains(table, "leaf b          []");
    free(table);
    rg_tape_reset(t);
    rg_params_free(ps);
}

static void a_value_that_was_overwritten_is_not_shown(void **state)
{
    rg_tape *t = *state;
    rg_params *ps = rg_params_new(0);
    rg_param *w = rg_param_new(ps, "w", RG_F32, RG_SCALAR, F32(2));
    rg_tensor leaf = rg_leaf(t, w);
    char *before = as_table(t);
    assert_contains(before, "yes   2\n");
    rg_assign(t, w, rg_keep(t, rg_square(t, leaf)));
    assert_true(rg_tape_run(t));
    rg_node node;
    assert_true(rg_tape_node(t, leaf, &node));
    assert_false(node.computed);
    char *after = as_table(t);
    assert_contains(after, "yes\n");
    assert_contains(after, "yes   4\n");
    assert_false(rg_failed(t));
    free(before);
    free(after);
    rg_tape_reset(t);
    rg_params_free(ps);
}

static void many_elements_are_shown_by_minimum_mean_and_maximum(void **state)
{
    rg_tape *t = *state;
    rg_input_f32(t, RG_SHAPE(8), F32(-1, 0, 0, 0, 0, 0, 2, .5f));
    rg_input_i64(t, RG_SHAPE(7), (const int64_t[]){1, 2, 3, 4, 5, 6, 123456});
    rg_input_bool(t, RG_SHAPE(8), (const bool[8]){true, false, true, true});
    rg_input_f64(t, RG_SHAPE(7), F64(1, 2, 3, NAN, 5, INFINITY, 4));
    char *table = as_table(t);
    assert_contains(table, "min -1  mean 0.1875  max 2\n");
    assert_contains(table, "min 1  mean 1.764e+04  max 123456\n");
    assert_contains(table, "3 of 8 true\n");
    assert_contains(table, "min 1  mean 3  max 5  2 not finite\n");
    free(table);
}

static void few_elements_are_shown_as_they_are(void **state)
{
    rg_tape *t = *state;
    rg_input_f32(t, RG_SHAPE(2, 3), F32(.1f, .2f, 1.f / 3, 1e-9f, 123456, -INFINITY));
    rg_input_i32(t, RG_SCALAR, (const int32_t[]){-7});
    rg_input_bool(t, RG_SHAPE(2), (const bool[]){true, false});
    rg_input_f32(t, RG_SHAPE(0, 3), NULL);
    char *table = as_table(t);
    assert_contains(table, "  [[0.1 0.2 0.3333] [1e-09 1.235e+05 -inf]]\n");
    assert_contains(table, "  -7\n");
    assert_contains(table, "  [True False]\n");
    assert_contains(table, "  []\n");
    free(table);
}

static void the_backward_pass_is_marked(void **state)
{
    rg_tape *t = *state;
    rg_tensor x = rg_scalar(t, RG_F32, 2), y = rg_square(t, x), gradient;
    char *before = as_table(t), *dot_before = as_dot(t);
    assert_null(strstr(before, "backward"));
    assert_null(strstr(dot_before, "dashed"));
    assert_true(rg_grad(t, y, &x, 1, &gradient));
    char *after = as_table(t), *dot_after = as_dot(t);
    assert_contains(after, "backward");
    assert_contains(dot_after, "dashed");
    free(before);
    free(dot_before);
    free(after);
    free(dot_after);
}

static void a_failed_tape_ends_its_table_with_the_error(void **state)
{
    rg_tape *t = *state;
    rg_tensor a = rg_zeros(t, RG_F32, RG_SHAPE(2)), b = rg_zeros(t, RG_F32, RG_SHAPE(3));
    rg_add(t, a, b);
    assert_true(rg_failed(t));
    char expected[1024];
    snprintf(expected, sizeof expected, "\nerror: %s\n", rg_tape_error(t));
    char *table = as_table(t), *dot = as_dot(t);
    assert_contains(table, expected);
    assert_contains(table, "[3]");
    assert_contains(dot, "label=\"");
    free(table);
    free(dot);
    rg_tape_clear_error(t);
}

/* ---- rg_tape_dot ----------------------------------------------------------------------------------------------- */

/* Every node is stated once, braces and quotes pair up, and an edge joins nodes that exist. */
static void assert_well_formed(rg_tape *t, const char *dot)
{
    int depth = 0;
    bool quoted = false;
    for (const char *c = dot; *c; c++) {
        if (quoted && *c == '\\')
            c++;
        else if (*c == '"')
            quoted = !quoted;
        else if (!quoted)
            depth += (*c == '{') - (*c == '}');
        assert_true(depth >= 0);
    }
    assert_int_equal(depth, 0);
    assert_false(quoted);
    for (int64_t i = 0; i < rg_tape_length(t); i++) {
        char statement[64];
        snprintf(statement, sizeof statement, " n%lld [label=", (long long)i);
        assert_int_equal(occurrences(dot, statement), 1);
    }
    for (const char *edge = dot; (edge = strstr(edge, " -> n")); edge++) {
        char statement[64];
        snprintf(statement, sizeof statement, " n%llu [label=", strtoull(edge + 5, NULL, 10));
        assert_contains(dot, statement);
    }
}

static void a_graph_has_every_node_and_every_edge(void **state)
{
    rg_tape *t = *state;
    rg_params *ps = rg_params_new(0);
    rg_param *w = rg_param_new(ps, "weight", RG_F32, RG_SHAPE(2), F32(1, 2));
    rg_tensor x = rg_input_f32(t, RG_SHAPE(2), F32(3, 4));
    rg_tensor two = rg_constant(t, RG_F32, 2);
    rg_tensor y = rg_sum(t, rg_mul(t, rg_mul(t, x, rg_leaf(t, w)), two), RG_ALL, false);
    rg_backward(t, y);
    char *dot = as_dot(t);
    assert_well_formed(t, dot);
    int edges = 0;
    for (int64_t i = 0; i < rg_tape_length(t); i++) {
        rg_node node;
        assert_true(rg_tape_node(t, rg_tape_at(t, i), &node));
        edges += node.input_count;
    }
    assert_true(edges > 5);
    assert_int_equal(occurrences(dot, " -> "), edges);
    assert_int_equal(occurrences(dot, "shape=cylinder"), 1);
    assert_int_equal(occurrences(dot, "shape=house"), 1);
    assert_true(occurrences(dot, "shape=ellipse") >= 1);
    assert_contains(dot, "weight");
    free(dot);
    rg_tape_reset(t);
    rg_params_free(ps);
}

static void scopes_are_nested_boxes(void **state)
{
    rg_tape *t = *state;
    rg_tensor x = rg_scalar(t, RG_F32, 1);
    rg_scope_push(t, "encoder");
    x = rg_exp(t, x);
    rg_scope_push(t, "0");
    x = rg_exp(t, x);
    rg_scope_pop(t);
    rg_scope_push(t, "10");
    x = rg_exp(t, x);
    rg_scope_pop(t);
    rg_scope_pop(t);
    rg_exp(t, x);
    char *dot = as_dot(t);
    assert_well_formed(t, dot);
    assert_int_equal(occurrences(dot, "subgraph \"cluster_forward encoder\" {"), 1);
    assert_int_equal(occurrences(dot, "subgraph \"cluster_forward encoder.0\" {"), 1);
    assert_int_equal(occurrences(dot, "subgraph \"cluster_forward encoder.10\" {"), 1);
    assert_contains(dot, "label=\"10\";");
    free(dot);
}

static void labels_are_escaped(void **state)
{
    rg_tape *t = *state;
    rg_params *ps = rg_params_new(0);
    rg_param *odd = rg_param_new(ps, "a \"b\" \\ <c> {d}", RG_F32, RG_SCALAR, F32(1));
    rg_scope_push(t, "say \"hi\" }\n");
    rg_exp(t, rg_leaf(t, odd));
    rg_scope_pop(t);
    char *dot = as_dot(t), *table = as_table(t);
    assert_well_formed(t, dot);
    assert_contains(dot, "a \\\"b\\\" \\\\ <c> {d}");
    assert_contains(dot, "say \\\"hi\\\" }\\n");
    assert_int_equal(occurrences(table, "\n"), 1 + rg_tape_length(t));
    free(dot);
    free(table);
    rg_tape_reset(t);
    rg_params_free(ps);
}

int main(void)
{
#define ON_A_TAPE(test) cmocka_unit_test_setup_teardown(test, new_tape, free_tape)
    const struct CMUnitTest tests[] = {
        ON_A_TAPE(floats_take_as_few_digits_as_needed_up_to_four),
        ON_A_TAPE(a_wide_range_is_printed_in_scientific_notation),
        ON_A_TAPE(nan_and_infinity_line_up_with_numbers),
        ON_A_TAPE(brackets_nest_and_blank_lines_part_the_blocks),
        ON_A_TAPE(integers_and_bools_are_aligned),
        ON_A_TAPE(scalars_have_no_brackets),
        ON_A_TAPE(no_elements_are_two_brackets),
        ON_A_TAPE(long_rows_are_wrapped),
        ON_A_TAPE(more_than_a_thousand_elements_are_summarised),
        ON_A_TAPE(elements_that_are_left_out_do_not_set_the_layout),
        ON_A_TAPE(views_are_printed_in_their_own_order),
        ON_A_TAPE(printing_a_bad_handle_or_a_failed_tape_prints_the_error),
        ON_A_TAPE(missing_tapes_and_streams_do_no_harm),
        cmocka_unit_test_setup_teardown(a_table_shows_a_line_for_each_node, new_eager_tape, free_tape),
        ON_A_TAPE(a_table_computes_nothing),
        ON_A_TAPE(columns_line_up_behind_names_beyond_ascii),
        ON_A_TAPE(a_value_that_was_overwritten_is_not_shown),
        ON_A_TAPE(many_elements_are_shown_by_minimum_mean_and_maximum),
        ON_A_TAPE(few_elements_are_shown_as_they_are),
        ON_A_TAPE(the_backward_pass_is_marked),
        ON_A_TAPE(a_failed_tape_ends_its_table_with_the_error),
        ON_A_TAPE(a_graph_has_every_node_and_every_edge),
        ON_A_TAPE(scopes_are_nested_boxes),
        ON_A_TAPE(labels_are_escaped),
    };
    return cmocka_run_group_tests_name("viz", tests, NULL, NULL);
}
