/* Bad sizes, numbers and values, bad reads, no tape, and what is left after an error: one message that says
 * what was found, parameters as they were, and a tape that can be used again. Bad arguments of ops are in
 * test_errors.c. */
#include "tape_support.h"

#define REFUSED(expression, status, ...)                \
    do {                                                \
        assert_true(rg_is_nil(expression));             \
        assert_error(tape, status, WORDS(__VA_ARGS__)); \
    } while (0)

static const int64_t huge = INT64_C(1) << 40;

/* ---- sizes ---- */

static void invalid_shapes_are_refused_wherever_one_is_given(void **state)
{
    (void)state;
    const struct {
        rg_shape shape;
        const char *text;
    } bad[] = {
        {{9, {1, 1, 1, 1, 1, 1, 1, 1}}, "rank 9"},
        {{-1, {0}}, "rank -1"},
        {{INT32_MAX, {0}}, "rank 2147483647"},
        {{2, {3, -2}}, "[3, -2]"},
        {{2, {0, -1}}, "[0, -1]"},
        {{1, {INT64_MIN}}, "[-9223372036854775808]"},
        {{1, {INT64_MAX}}, "[9223372036854775807]"},
        {{2, {huge, huge}}, "[1099511627776, 1099511627776]"},
        {{3, {huge, huge, 0}}, "[1099511627776, 1099511627776, 0]"},
        {{2, {INT64_C(1) << 32, INT64_C(1) << 32}}, "[4294967296, 4294967296]"},
    };
    const char byte = 0;
    rg_param *p = PARAM("p", RG_SHAPE(1), 1);
    for (size_t i = 0; i < COUNT(bad); i++) {
        const rg_shape s = bad[i].shape;
        const char *text = bad[i].text;
        REFUSED(rg_input(tape, RG_BOOL, s, &byte), RG_ERROR_SHAPE, "input: ", text);
        REFUSED(rg_input_f64(tape, s, NULL), RG_ERROR_SHAPE, "input: ", text);
        REFUSED(rg_borrow(tape, RG_BOOL, s, NULL, &byte), RG_ERROR_SHAPE, "input: ", text);
        REFUSED(rg_zeros(tape, RG_F32, s), RG_ERROR_SHAPE, "zeros: ", text);
        REFUSED(rg_ones(tape, RG_I64, s), RG_ERROR_SHAPE, "ones: ", text);
        REFUSED(rg_full(tape, RG_BOOL, s, 1), RG_ERROR_SHAPE, "full: ", text);
        REFUSED(rg_rand(tape, RG_F32, s), RG_ERROR_SHAPE, "rand: ", text);
        REFUSED(rg_randn(tape, RG_F64, s), RG_ERROR_SHAPE, "randn: ", text);
        REFUSED(rg_bernoulli(tape, s, .5), RG_ERROR_SHAPE, "bernoulli: ", text);
        REFUSED(rg_randint(tape, s, 0, 2), RG_ERROR_SHAPE, "randint: ", text);
        assert_null(rg_param_new(store, "new", RG_F32, s, NULL));
        assert_store_error(store, RG_ERROR_SHAPE, text);
        assert_null(rg_buffer_new(store, "new", RG_F32, s, NULL));
        assert_store_error(store, RG_ERROR_SHAPE, "'new'");
        assert_null(rg_param_state(p, "new", RG_F32, s, 0));
        assert_store_error(store, RG_ERROR_SHAPE, "p/new");
        const rg_tensor x = F64(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
        if (s.rank != 2 || s.dims[1] != -1) { /* -1 has a meaning here */
            assert_true(rg_is_nil(rg_reshape(tape, x, s)));
            assert_error(tape, RG_ERROR_SHAPE, WORDS("reshape: ", "[2, 3]"));
            assert_true(rg_is_nil(rg_view(tape, x, s)));
            assert_error(tape, RG_ERROR_SHAPE, WORDS("view: ", "[2, 3]"));
        }
        assert_true(rg_is_nil(rg_expand(tape, x, s)));
        assert_error(tape, RG_ERROR_SHAPE, WORDS("expand: ", "[2, 3]"));
    }
    REFUSED(rg_expand(tape, rg_scalar(tape, RG_F32, 1), RG_SHAPE(huge, huge)), RG_ERROR_SHAPE, "expand: ", "[]");
    REFUSED(rg_eye(tape, RG_F32, -1, 2), RG_ERROR_SHAPE, "eye: ", "[-1, 2]");
    REFUSED(rg_eye(tape, RG_F32, huge, huge), RG_ERROR_SHAPE, "eye: ", "[1099511627776, 1099511627776]");
    REFUSED(rg_randperm(tape, -1), RG_ERROR_SHAPE, "randperm: ", "[-1]");
    REFUSED(rg_linspace(tape, RG_F32, 0, 1, -1), RG_ERROR_ARGUMENT, "linspace: ", "-1");
    REFUSED(rg_linspace(tape, RG_F32, 0, 1, INT64_MAX), RG_ERROR_SHAPE, "linspace: ", "[9223372036854775807]");
    REFUSED(rg_arange(tape, RG_F64, 0, 1e18, 1), RG_ERROR_ARGUMENT, "arange: ", "1e+18");
}

static void results_that_overflow_are_refused(void **state)
{
    (void)state;
    const rg_tensor one = rg_scalar(tape, RG_F32, 1), column = rg_expand(tape, one, RG_SHAPE(huge, 1));
    const rg_tensor row = rg_expand(tape, one, RG_SHAPE(1, huge)), index = rg_zeros(tape, RG_I64, RG_SHAPE(huge));
    REFUSED(rg_add(tape, column, row), RG_ERROR_SHAPE, "add: ", "[1099511627776, 1099511627776]");
    REFUSED(rg_matmul(tape, column, row), RG_ERROR_SHAPE, "matmul: ", "[1099511627776, 1099511627776]");
    REFUSED(rg_one_hot(tape, index, huge, RG_F32), RG_ERROR_SHAPE, "one_hot: ", "[1099511627776, 1099511627776]");
    rg_tensor many[3] = {rg_expand(tape, one, RG_SHAPE(INT64_MAX / 64)), RG_NIL, RG_NIL};
    many[1] = many[2] = many[0];
    REFUSED(rg_cat(tape, many, 3, 0), RG_ERROR_SHAPE, "cat: ");
    REFUSED(rg_stack(tape, many, 3, 0), RG_ERROR_SHAPE, "cat: ");
    const rg_tensor x = F64(RG_SHAPE(2), 1, 2);
    REFUSED(rg_pad(tape, x, &(int64_t){INT64_MAX}, &(int64_t){INT64_MAX}, 0), RG_ERROR_SHAPE, "pad: ", "[2]");
    REFUSED(rg_pad(tape, x, &(int64_t){huge}, &(int64_t){INT64_MAX / 8}, 0), RG_ERROR_SHAPE, "pad: ", "[2]");
    const rg_tensor deep = rg_expand(tape, one, (rg_shape){8, {1, 1, 1, 1, 1, 1, 1, 1}});
    REFUSED(rg_unsqueeze(tape, deep, 0), RG_ERROR_SHAPE, "unsqueeze: ", "[1, 1, 1, 1, 1, 1, 1, 1]");
    REFUSED(rg_one_hot(tape, rg_cast(tape, deep, RG_I64), 3, RG_F32), RG_ERROR_ARGUMENT, "one_hot: ", "rank");
}

/* The address sanitizer, where it is in use, asks for its settings: it is to refuse as malloc does, not to end the
 * test. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* More than any machine has is recorded like anything else, and is an error when it is asked for. */
static void results_too_large_for_the_memory_are_errors_when_they_run(void **state)
{
    (void)state;
    rg_scope_push(tape, "wide");
    const rg_tensor x = rg_expand(tape, rg_scalar(tape, RG_F32, 2), RG_SHAPE(huge, 64)), y = rg_exp(tape, x);
    rg_scope_pop(tape);
    assert_tape_ok(tape);
    assert_int_equal(rg_numel(tape, y), huge * 64);
    assert_true(isnan(rg_item(tape, rg_select(tape, rg_select(tape, y, 0, 5), 0, 6))));
    assert_error(tape, RG_ERROR_MEMORY, WORDS("exp: ", "281474976710656 bytes", "wide"));
    assert_null(rg_data(tape, x));
    assert_error(tape, RG_ERROR_MEMORY, WORDS("copy: "));
    assert_null(rg_param_new(store, "large", RG_F64, RG_SHAPE(huge, 1 << 13), NULL));
    assert_store_error(store, RG_ERROR_MEMORY, "'large'");
}

/* ---- numbers ---- */

static void attributes_out_of_range_are_refused(void **state)
{
    (void)state;
    const rg_tensor x = F32(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), i = I64(RG_SHAPE(3), 0, 1, 2);
    const rg_tensor whole = rg_cast(tape, x, RG_I32);
    rg_tensor parts[2];
    REFUSED(rg_slice(tape, x, 0, 0, 2, 0), RG_ERROR_ARGUMENT, "slice: ", "step of 0");
    REFUSED(rg_slice(tape, x, 0, 0, 2, INT64_MIN), RG_ERROR_ARGUMENT, "slice: ", "-9223372036854775808");
    REFUSED(rg_select(tape, x, 1, 3), RG_ERROR_ARGUMENT, "select: ", "index 3", "axis 1", "[2, 3]");
    REFUSED(rg_select(tape, x, 0, -3), RG_ERROR_ARGUMENT, "select: ", "index -3", "[2, 3]");
    REFUSED(rg_select(tape, x, 0, INT64_MIN), RG_ERROR_ARGUMENT, "select: ", "[2, 3]");
    assert_int_equal(rg_split(tape, x, 0, 1, parts, 2), 0);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("split: ", "[2, 3]", "parts of 0"));
    assert_int_equal(rg_split(tape, x, 1, 1, parts, 2), 0);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("split: ", "[2, 3]", "at most the 2"));
    assert_int_equal(rg_split(tape, x, 1, 0, NULL, 2), 0);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("split: "));
    assert_int_equal(rg_split(tape, x, 1, 0, parts, -1), 0);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("split: ", "-1"));
    REFUSED(rg_cat(tape, NULL, 2, 0), RG_ERROR_ARGUMENT, "cat: ");
    REFUSED(rg_cat(tape, &x, 0, 0), RG_ERROR_ARGUMENT, "cat: ", "0 tensors");
    REFUSED(rg_cat(tape, &x, -1, 0), RG_ERROR_ARGUMENT, "cat: ", "-1 tensors");
    REFUSED(rg_cat(tape, &x, INT32_MAX, 0), RG_ERROR_ARGUMENT, "cat: ", "2147483647 tensors");
    REFUSED(rg_stack(tape, NULL, 2, 0), RG_ERROR_ARGUMENT, "stack: ");
    REFUSED(rg_stack(tape, &x, 0, 0), RG_ERROR_ARGUMENT, "stack: ", "0 tensors");
    REFUSED(rg_stack(tape, &x, INT32_MAX, 0), RG_ERROR_ARGUMENT, "stack: ", "2147483647 tensors");
    REFUSED(rg_pad(tape, x, NULL, NULL, 0), RG_ERROR_ARGUMENT, "pad: ");
    REFUSED(rg_pad(tape, x, (int64_t[]){-2, 0}, (int64_t[]){-1, 0}, 0), RG_ERROR_ARGUMENT, "pad: ", "axis 0", "[2, 3]");
    REFUSED(rg_pad(tape, x, (int64_t[]){0, INT64_MIN}, (int64_t[]){0, INT64_MIN}, 0), RG_ERROR_ARGUMENT,
            "pad: ", "axis 1");
    REFUSED(rg_pad(tape, whole, (int64_t[]){1, 0}, (int64_t[]){0, 0}, .5), RG_ERROR_ARGUMENT, "pad: ", "0.5", "i32");
    REFUSED(rg_pad(tape, whole, (int64_t[]){1, 0}, (int64_t[]){0, 0}, NAN), RG_ERROR_ARGUMENT, "pad: ", "nan", "i32");
    REFUSED(rg_pad(tape, i, (int64_t[]){1}, (int64_t[]){0}, 1e30), RG_ERROR_ARGUMENT, "pad: ", "1e+30", "i64");
    REFUSED(rg_clamp(tape, x, 2, 1), RG_ERROR_ARGUMENT, "clamp: ", "low 2", "high 1");
    REFUSED(rg_clamp(tape, x, NAN, 1), RG_ERROR_ARGUMENT, "clamp: ", "nan");
    REFUSED(rg_clamp(tape, whole, .2, .8), RG_ERROR_ARGUMENT, "clamp: ");
    REFUSED(rg_cast(tape, x, (rg_dtype)5), RG_ERROR_ARGUMENT, "cast: ", "5 is no dtype");
    REFUSED(rg_cast(tape, x, (rg_dtype)-1), RG_ERROR_ARGUMENT, "cast: ", "-1 is no dtype");
    REFUSED(rg_one_hot(tape, i, 0, RG_F32), RG_ERROR_ARGUMENT, "one_hot: ", "0 classes");
    REFUSED(rg_one_hot(tape, i, -5, RG_F32), RG_ERROR_ARGUMENT, "one_hot: ", "-5 classes");
    REFUSED(rg_one_hot(tape, i, 3, (rg_dtype)9), RG_ERROR_ARGUMENT, "one_hot: ");
    REFUSED(rg_add_scalar(tape, whole, .5), RG_ERROR_ARGUMENT, "add_scalar: ", "0.5", "i32");
    REFUSED(rg_mul_scalar(tape, i, NAN), RG_ERROR_ARGUMENT, "mul_scalar: ", "nan", "i64");
    REFUSED(rg_add_scalar(tape, whole, 0x1p31), RG_ERROR_ARGUMENT, "i32");
    REFUSED(rg_full(tape, RG_I32, RG_SHAPE(2), 1.5), RG_ERROR_ARGUMENT, "1.5", "i32");
    REFUSED(rg_full_like(tape, i, INFINITY), RG_ERROR_ARGUMENT, "inf", "i64");
    REFUSED(rg_scalar(tape, RG_I64, 0x1p63), RG_ERROR_ARGUMENT, "scalar: ", "i64");
    REFUSED(rg_scalar(tape, (rg_dtype)8, 0), RG_ERROR_ARGUMENT, "scalar: ", "8 is no dtype");
    REFUSED(rg_constant(tape, RG_I32, -0x1p31 - 1), RG_ERROR_ARGUMENT, "constant: ", "i32");
    REFUSED(rg_constant(tape, (rg_dtype)-3, 0), RG_ERROR_ARGUMENT, "constant: ", "-3 is no dtype");
    REFUSED(rg_zeros(tape, (rg_dtype)5, RG_SHAPE(2)), RG_ERROR_ARGUMENT, "zeros: ", "5 is no dtype");
    REFUSED(rg_eye(tape, (rg_dtype)5, 2, 2), RG_ERROR_ARGUMENT, "eye: ", "5 is no dtype");
    REFUSED(rg_rand(tape, RG_I32, RG_SHAPE(2)), RG_ERROR_DTYPE, "rand: ", "i32");
    REFUSED(rg_randn(tape, RG_BOOL, RG_SHAPE(2)), RG_ERROR_DTYPE, "randn: ", "bool");
    REFUSED(rg_bernoulli(tape, RG_SHAPE(2), 1.5), RG_ERROR_ARGUMENT, "bernoulli: ", "1.5");
    REFUSED(rg_bernoulli(tape, RG_SHAPE(2), NAN), RG_ERROR_ARGUMENT, "bernoulli: ", "nan");
    REFUSED(rg_randint(tape, RG_SHAPE(2), 3, 3), RG_ERROR_ARGUMENT, "randint: ", "[3, 3)");
    REFUSED(rg_randint(tape, RG_SHAPE(2), INT64_MAX, INT64_MIN), RG_ERROR_ARGUMENT, "randint: ");
    REFUSED(rg_arange(tape, RG_F32, 0, 1, 0), RG_ERROR_ARGUMENT, "arange: ", "by 0");
    REFUSED(rg_arange(tape, RG_F32, NAN, 1, 1), RG_ERROR_ARGUMENT, "arange: ", "nan");
    REFUSED(rg_arange(tape, RG_F32, 0, INFINITY, 1), RG_ERROR_ARGUMENT, "arange: ", "inf");
    REFUSED(rg_arange(tape, RG_I32, 0, 1, .5), RG_ERROR_ARGUMENT, "arange: ", "0.5", "i32");
    REFUSED(rg_arange(tape, RG_I32, 0, 0x1p40, 0x1p39), RG_ERROR_ARGUMENT, "arange: ", "i32");
    REFUSED(rg_arange(tape, RG_BOOL, 0, 2, 1), RG_ERROR_ARGUMENT, "arange: ", "bool");
    REFUSED(rg_linspace(tape, RG_I32, 0, 2, 3), RG_ERROR_ARGUMENT, "linspace: ", "i32");
    REFUSED(rg_input_f32(tape, RG_SHAPE(2), NULL), RG_ERROR_ARGUMENT, "input: ", "NULL", "[2]");
    REFUSED(rg_borrow(tape, RG_F32, RG_SHAPE(2), NULL, NULL), RG_ERROR_ARGUMENT, "input: ", "NULL", "[2]");
    REFUSED(rg_input(tape, (rg_dtype)6, RG_SHAPE(2), "12345678"), RG_ERROR_ARGUMENT, "input: ", "6 is no dtype");
}

static void clamping_integers_is_exact(void **state)
{
    (void)state;
    const int64_t exact = INT64_C(1) << 53;
    const rg_tensor x = I64(RG_SHAPE(3), exact + 1, -exact - 1, INT64_MAX);
    int64_t out[3];
    assert_true(rg_read(tape, rg_clamp(tape, x, -INFINITY, INFINITY), out, sizeof out));
    assert_true(out[0] == exact + 1 && out[1] == -exact - 1 && out[2] == INT64_MAX);
    assert_true(rg_read(tape, rg_clamp(tape, x, -1e30, (double)exact), out, sizeof out));
    assert_true(out[0] == exact && out[1] == -exact - 1 && out[2] == exact);
}

/* ---- values found while running ---- */

static void indices_out_of_range_are_named_with_op_scope_and_range(void **state)
{
    (void)state;
    static const struct {
        int64_t index;
        const char *text;
    } bad[] = {{3, "index 3"},
               {-1, "index -1"},
               {INT64_MAX, "index 9223372036854775807"},
               {INT64_MIN, "index -9223372036854775808"}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        rg_scope_push(tape, "decoder");
        const rg_tensor x = F64(RG_SHAPE(3), 1, 2, 3), at = I64(RG_SHAPE(2), 1, bad[i].index);
        const rg_tensor result[] = {
            rg_gather(tape, x, 0, at),
            rg_index_select(tape, x, 0, at),
            rg_scatter_add(tape, x, 0, at, F64(RG_SHAPE(2), 1, 1)),
            rg_one_hot(tape, at, 3, RG_F32),
        };
        static const char *const name[] = {"gather: ", "gather: ", "scatter_add: ", "one_hot: "};
        rg_scope_pop(tape);
        assert_tape_ok(tape); /* nobody has looked yet */
        for (size_t k = 0; k < COUNT(result); k++) {
            assert_null(rg_data(tape, result[k]));
            assert_error(tape, RG_ERROR_VALUE, WORDS(name[k], bad[i].text, "0 to 2", "(in decoder)"));
        }
        /* What does not need them goes on. */
        assert_values(rg_square(tape, x), 1, 4, 9);
        rg_tape_reset(tape);
        assert_tape_ok(tape);
    }
    /* The labels of a loss, while an update hangs on them. */
    rg_param *p = rg_param_new(store, "w", RG_F64, RG_SHAPE(2, 3), NULL);
    const rg_tensor labels = I64(RG_SHAPE(2), 0, 7), loss = rg_cross_entropy(tape, rg_leaf(tape, p), labels, NULL);
    rg_backward(tape, loss);
    rg_assign(tape, p, rg_sub(tape, rg_leaf(tape, p), rg_param_grad(tape, p)));
    assert_true(isnan(rg_item(tape, loss)));
    assert_error(tape, RG_ERROR_VALUE, WORDS("index 7", "0 to 2"));
    rg_tape_reset(tape);
    assert_stored(rg_param_data(p), 0, 0, 0, 0, 0, 0);
}

/* ---- reading ---- */

static void reads_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), empty = rg_input_f32(tape, RG_SHAPE(0), NULL);
    double out[7] = {0};
    assert_false(rg_read(tape, x, out, 7 * sizeof *out));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("read: ", "f64 of [2, 3]", "48 bytes", "56"));
    assert_false(rg_read(tape, x, out, 5 * sizeof *out));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("read: ", "48 bytes", "40"));
    assert_false(rg_read(tape, x, NULL, 6 * sizeof *out));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("read: ", "NULL"));
    assert_true(isnan(rg_item(tape, x)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("item: ", "[2, 3]", "6 elements"));
    assert_true(isnan(rg_item(tape, empty)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("item: ", "[0]", "0 elements"));
    assert_null(rg_data_f32(tape, x));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("data: ", "f64", "f32", "[2, 3]"));
    assert_null(rg_data_f64(tape, empty));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("data: ", "f64", "f32"));
    assert_null(rg_data_i64(tape, x));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("data: ", "f64", "i64"));
    for (int i = 0; i < 7; i++)
        assert_number(out[i], 0);
    assert_int_equal(rg_dim(tape, x, 2), 0);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("dim: ", "axis 2", "[2, 3]"));
    assert_int_equal(rg_dim(tape, x, -3), 0);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("dim: ", "axis -3", "[2, 3]"));
}

static void looking_at_nil_is_an_error_and_the_empty_answer(void **state)
{
    (void)state;
    char room[8];
    rg_node node;
#define NIL_GIVES(expression, who)                                   \
    do {                                                             \
        assert_true(expression);                                     \
        assert_error(tape, RG_ERROR_HANDLE, WORDS(who ": ", "nil")); \
    } while (0)
    NIL_GIVES(rg_shape_equal(rg_shape_of(tape, RG_NIL), RG_SCALAR), "shape_of");
    NIL_GIVES(rg_dtype_of(tape, RG_NIL) == RG_F32, "dtype_of");
    NIL_GIVES(rg_numel(tape, RG_NIL) == 0, "numel");
    NIL_GIVES(rg_dim(tape, RG_NIL, 0) == 0, "dim");
    NIL_GIVES(!rg_requires_grad(tape, RG_NIL), "requires_grad");
    NIL_GIVES(isnan(rg_item(tape, RG_NIL)), "item");
    NIL_GIVES(!rg_read(tape, RG_NIL, room, sizeof room), "read");
    NIL_GIVES(rg_data(tape, RG_NIL) == NULL, "keep");
    NIL_GIVES(rg_data_f32(tape, RG_NIL) == NULL, "data");
    NIL_GIVES(rg_data_f64(tape, RG_NIL) == NULL, "data");
    NIL_GIVES(rg_data_i64(tape, RG_NIL) == NULL, "data");
    NIL_GIVES(!rg_tape_node(tape, RG_NIL, &node), "tape_node");
    assert_false(rg_tape_node(tape, F64(RG_SCALAR, 1), NULL));
    assert_tape_ok(tape);
    REFUSED(rg_tape_at(tape, 1), RG_ERROR_ARGUMENT, "tape_at: ", "1 ");
    REFUSED(rg_tape_at(tape, -1), RG_ERROR_ARGUMENT, "tape_at: ", "-1 ");
}

/* ---- gradients ---- */

static void gradients_of_what_has_none_are_refused(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2);
    const rg_tensor w = rg_leaf(tape, p), whole = I64(RG_SHAPE(2), 1, 2), loss = total(w);
    const rg_tensor single = rg_cast(tape, w, RG_F32);
    rg_tensor grad[2] = {w, w};
    rg_backward(tape, RG_NIL);
    assert_error(tape, RG_ERROR_HANDLE, WORDS("backward: ", "nil"));
    rg_backward(tape, rg_square(tape, w));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("backward: ", "[2]", "2 elements", "cotangent"));
    rg_backward_with(tape, w, RG_NIL);
    assert_error(tape, RG_ERROR_HANDLE, WORDS("backward_with: ", "nil"));
    rg_backward_with(tape, w, F64(RG_SHAPE(3), 1, 2, 3));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("backward_with: ", "[3]", "[2]"));
    rg_backward_with(tape, w, F32(RG_SHAPE(2), 1, 2));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("backward_with: ", "f32", "f64"));
    assert_false(rg_grad(tape, loss, (const rg_tensor[]){w, whole}, 2, grad));
    assert_true(rg_is_nil(grad[0]) && rg_is_nil(grad[1]));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("grad: ", "i64 of [2]"));
    assert_false(rg_grad(tape, total(whole), &w, 1, grad));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("grad: ", "i64"));
    assert_false(rg_grad(tape, loss, &RG_NIL, 1, grad));
    assert_error(tape, RG_ERROR_HANDLE, WORDS("grad: ", "nil"));
    assert_false(rg_grad(tape, loss, NULL, 1, grad));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("grad: ", "NULL"));
    assert_false(rg_grad(tape, loss, &w, 1, NULL));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("grad: ", "NULL"));
    assert_false(rg_grad(tape, loss, &w, -1, grad));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("grad: ", "-1"));
    assert_false(rg_grad_with(tape, w, single, &w, 1, grad));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("grad_with: ", "f32", "f64"));
    rg_param_set_grad(tape, p, F64(RG_SHAPE(1), 1));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("param_set_grad: ", "'p'", "[2]", "[1]"));
    rg_param_set_grad(tape, p, single);
    assert_error(tape, RG_ERROR_DTYPE, WORDS("param_set_grad: ", "'p'", "f32", "f64"));
    rg_param_set_grad(tape, NULL, w);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("param_set_grad: ", "NULL"));
    assert_true(rg_is_nil(rg_param_grad(tape, p)));
    assert_true(rg_is_nil(rg_param_grad(tape, NULL)));
    assert_int_equal(rg_mode_of(tape), RG_GRAD);
    rg_backward(tape, loss); /* and it still works */
    assert_values(rg_param_grad(tape, p), 1, 1);
}

/* ---- what is left after an error ---- */

static void the_first_error_stays_until_it_is_cleared(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(2), 1, 2);
    rg_tape_fail(tape, RG_OK, "no error");
    rg_tape_fail(tape, RG_ERROR_VALUE, NULL);
    assert_tape_ok(tape);
    rg_scope_push(tape, "mine");
    rg_tape_fail(tape, RG_ERROR_VALUE, "layer %d of %s", 3, "five");
    rg_tape_fail(tape, RG_ERROR_SHAPE, "another");
    assert_true(rg_is_nil(rg_select(tape, x, 9, 9)));
    assert_true(rg_failed(tape));
    assert_string_equal(rg_tape_error(tape), "layer 3 of five (in mine)");
    assert_int_equal(rg_tape_status(tape), RG_ERROR_VALUE);
    rg_tape_reset(tape);
    assert_true(rg_failed(tape));
    assert_false(rg_tape_run(tape));
    assert_int_equal(rg_tape_mark(tape).depth > 0, true); /* marks and scopes still pair up */
    rg_tape_clear_error(tape);
    assert_false(rg_failed(tape));
    assert_string_equal(rg_tape_error(tape), "");
    assert_int_equal(rg_tape_status(tape), RG_OK);
    assert_values(F64(RG_SHAPE(1), 4), 4);
}

/* An update of two parameters of which the second goes wrong. */
static void half_an_update(rg_param *p, rg_param *q, bool while_running)
{
    rg_backward(tape, rg_add(tape, total(rg_leaf(tape, p)), total(rg_leaf(tape, q))));
    rg_assign(tape, p, rg_add_scalar(tape, rg_leaf(tape, p), 1));
    if (while_running)
        rg_assign(tape, q, rg_expand(tape, fails_when_run(), RG_SHAPE(2)));
    else
        rg_assign(tape, q, F64(RG_SHAPE(3), 1, 2, 3));
}

static void parameters_keep_their_values_when_a_step_fails(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2), *q = PARAM("q", RG_SHAPE(2), 3, 4);
    for (int round = 0; round < 12; round++) {
        const bool while_running = round & 1, clear_first = round & 2;
        const rg_status status = while_running ? RG_ERROR_VALUE : RG_ERROR_SHAPE;
        const char *const word = while_running ? "gather" : "'q'";
        const rg_mark mark = rg_tape_mark(tape);
        half_an_update(p, q, while_running);
        assert_int_equal(rg_failed(tape), !while_running);
        assert_false(rg_tape_run(tape));
        if (clear_first) /* else the error outlives what it stopped */
            assert_error(tape, status, WORDS(word));
        if (round / 4 == 0)
            rg_tape_reset(tape);
        else if (round / 4 == 1)
            rg_tape_rollback(tape, mark);
        if (!clear_first)
            assert_error(tape, status, WORDS(word));
        assert_tape_ok(tape);
        /* Nothing is left that could happen later, and nothing that could fail again. */
        assert_true(rg_is_nil(rg_param_grad(tape, p)));
        assert_values(rg_leaf(tape, p), 1, 2);
        assert_true(rg_tape_run(tape));
        rg_tape_reset(tape);
        assert_tape_ok(tape);
        assert_stored(rg_param_data(p), 1, 2);
        assert_stored(rg_param_data(q), 3, 4);
        assert_null(rg_param_stored_grad(p));
    }
    rg_assign(tape, p, rg_add_scalar(tape, rg_leaf(tape, p), 1));
    rg_tape_reset(tape);
    assert_stored(rg_param_data(p), 2, 3);
}

static void a_failed_step_keeps_the_gradient_of_the_steps_before(void **state)
{
    (void)state;
    rg_param *p = PARAM("p", RG_SHAPE(2), 1, 2);
    rg_backward(tape, total(rg_square(tape, rg_leaf(tape, p))));
    rg_tape_reset(tape);
    rg_backward(tape, total(rg_leaf(tape, p)));
    rg_tape_fail(tape, RG_ERROR_VALUE, "stop");
    rg_params_clear_grads(tape, store); /* a failed tape forgets nothing of the store */
    rg_tape_reset(tape);
    rg_tape_clear_error(tape);
    assert_stored(rg_param_stored_grad(p), 2, 4);
}

/* ---- no tape ---- */

static void no_tape_is_a_failed_tape(void **state)
{
    (void)state;
    rg_tape *const none = NULL;
    rg_param *p = PARAM("p", RG_SHAPE(1), 1);
    rg_node node;
    rg_tensor grad = {5, 5};
    const rg_tensor x = F64(RG_SHAPE(1), 1);
    double out = 0;
    rg_tape_free(none);
    rg_tape_reset(none);
    rg_tape_rollback(none, rg_tape_mark(none));
    assert_false(rg_tape_run(none));
    assert_true(rg_failed(none));
    assert_int_equal(rg_tape_status(none), RG_ERROR_MEMORY);
    assert_non_null(strstr(rg_tape_error(none), "no tape"));
    rg_tape_clear_error(none);
    rg_tape_fail(none, RG_ERROR_VALUE, "nothing");
    rg_mode_push(none, RG_NO_GRAD);
    rg_mode_pop(none);
    assert_int_equal(rg_mode_of(none), RG_GRAD);
    rg_scope_push(none, "scope");
    rg_scope_pop(none);
    assert_string_equal(rg_scope(none), "");
    assert_int_equal(rg_tape_length(none), 0);
    assert_true(rg_tape_hash(none) == 0);
    assert_true(rg_is_nil(rg_tape_at(none, 0)));
    assert_false(rg_tape_node(none, x, &node));
    assert_int_equal(rg_shape_of(none, x).rank, 0);
    assert_int_equal(rg_dtype_of(none, x), RG_F32);
    assert_int_equal(rg_numel(none, x), 0);
    assert_int_equal(rg_dim(none, x, 0), 0);
    assert_false(rg_requires_grad(none, x));
    assert_true(isnan(rg_item(none, x)));
    assert_false(rg_read(none, x, &out, sizeof out));
    assert_null(rg_data(none, x));
    assert_null(rg_data_f32(none, x));
    assert_null(rg_data_f64(none, x));
    assert_null(rg_data_i64(none, x));
    assert_true(rg_is_nil(rg_leaf(none, p)));
    rg_assign(none, p, x);
    assert_true(rg_is_nil(rg_param_grad(none, p)));
    rg_param_set_grad(none, p, x);
    rg_params_clear_grads(none, store);
    rg_backward(none, x);
    rg_backward_with(none, x, x);
    assert_false(rg_grad(none, x, &x, 1, &grad));
    assert_true(rg_is_nil(grad));
    assert_false(rg_grad_with(none, x, x, &x, 1, &grad));
    assert_tape_ok(tape);
}

/* ---- scopes and sections ---- */

static void scopes_may_be_long_and_deep(void **state)
{
    (void)state;
    static char name[100001];
    memset(name, 'n', sizeof name - 1);
    rg_scope_push(tape, name);
    assert_int_equal(strlen(rg_scope(tape)), sizeof name - 1);
    const rg_tensor x = F64(RG_SHAPE(2), 1, 2), y = F64(RG_SHAPE(3), 1, 2, 3);
    REFUSED(rg_add(tape, x, y), RG_ERROR_SHAPE, "add: ", "[2]", "[3]", "nnn");
    rg_scope_pop(tape);
    for (int i = 0; i < 2000; i++) {
        rg_scope_push(tape, "d");
        rg_mode_push(tape, RG_NO_GRAD);
    }
    assert_int_equal(strlen(rg_scope(tape)), 3999);
    REFUSED(rg_add(tape, x, y), RG_ERROR_SHAPE, "add: ", "[2]", "[3]", "d.d.d");
    for (int i = 0; i < 2000; i++) {
        rg_scope_pop(tape);
        rg_mode_pop(tape);
    }
    assert_string_equal(rg_scope(tape), "");
    assert_int_equal(rg_mode_of(tape), RG_GRAD);
    rg_tape_fail(tape, RG_ERROR_ARGUMENT, "%s", name); /* a message longer than is kept ends in time */
    assert_in_range(strlen(rg_tape_error(tape)), 100, 1000);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("nnn"));
}

static void unbalanced_pops_are_errors(void **state)
{
    (void)state;
    rg_scope_pop(tape);
    assert_error(tape, RG_ERROR_STATE, WORDS("scope_pop: ", "no scope"));
    rg_mode_pop(tape);
    assert_error(tape, RG_ERROR_STATE, WORDS("mode_pop: ", "no section"));
    rg_mode_push(tape, (rg_mode)3);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("mode_push: ", "3"));
    assert_int_equal(rg_mode_of(tape), RG_GRAD);
    rg_mode_pop(tape); /* it counted all the same: pushes and pops stay in pairs */
    assert_tape_ok(tape);
    rg_mode_push(tape, (rg_mode)-1);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("mode_push: ", "-1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(invalid_shapes_are_refused_wherever_one_is_given),
        TAPE_TEST(results_that_overflow_are_refused),
        TAPE_TEST(results_too_large_for_the_memory_are_errors_when_they_run),
        TAPE_TEST(attributes_out_of_range_are_refused),
        TAPE_TEST(clamping_integers_is_exact),
        TAPE_TEST(indices_out_of_range_are_named_with_op_scope_and_range),
        TAPE_TEST(reads_that_do_not_fit_are_refused),
        TAPE_TEST(looking_at_nil_is_an_error_and_the_empty_answer),
        TAPE_TEST(gradients_of_what_has_none_are_refused),
        TAPE_TEST(the_first_error_stays_until_it_is_cleared),
        TAPE_TEST(parameters_keep_their_values_when_a_step_fails),
        TAPE_TEST(a_failed_step_keeps_the_gradient_of_the_steps_before),
        TAPE_TEST(no_tape_is_a_failed_tape),
        TAPE_TEST(scopes_may_be_long_and_deep),
        TAPE_TEST(unbalanced_pops_are_errors),
    };
    return cmocka_run_group_tests_name("misuse", tests, NULL, NULL);
}
