/* Indexing, masks, windows and rearranging: what golden values cannot hold. Places that are named twice, indices out of
 * range, arguments that do not fit, agreement with a loop over elements for any layout, and with any number of threads. */
#include "tape_support.h"

#include <math.h>

/* ---- places that are named twice ---- */

static void the_last_write_wins_and_alone_has_a_gradient(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(3), 1, 2, 3), s = F64(RG_SHAPE(4), 5, 6, 7, 8), i = I64(RG_SHAPE(4), 2, 0, 2, 2);
    const rg_tensor written[] = {rg_scatter(tape, x, 0, i, s), rg_index_copy(tape, x, 0, i, s),
                                 rg_index_put(tape, x, &i, 1, s, false), rg_put(tape, x, i, s, false)};
    for (size_t k = 0; k < COUNT(written); k++) {
        rg_tensor grad[2];
        assert_values(written[k], 6, 2, 8);
        assert_true(rg_grad_with(tape, written[k], F64(RG_SHAPE(3), 10, 20, 30), (rg_tensor[]){x, s}, 2, grad));
        assert_values(grad[0], 0, 20, 0);
        assert_values(grad[1], 0, 10, 0, 30);
    }
    /* Rows, by an index that is repeated along them; the second of three. */
    const rg_tensor m = F64(RG_SHAPE(2, 2), 1, 2, 3, 4), rows = F64(RG_SHAPE(3, 2), 1, 2, 3, 4, 5, 6);
    rg_tensor grad;
    assert_true(rg_grad_with(tape, rg_index_copy(tape, m, 0, I64(RG_SHAPE(3), 1, 1, 0), rows), rg_ones_like(tape, m),
                             &rows, 1, &grad));
    assert_values(grad, 0, 0, 1, 1, 1, 1);
}

static void a_filled_place_counts_once(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(3), 1, 2, 3), v = F64(RG_SCALAR, 9);
    rg_tensor grad[2];
    const rg_tensor y = rg_index_fill(tape, x, 0, I64(RG_SHAPE(3), 1, 1, -2), v);
    assert_values(y, 1, 9, 3);
    assert_true(rg_grad_with(tape, y, rg_ones_like(tape, y), (rg_tensor[]){x, v}, 2, grad));
    assert_values(grad[0], 1, 0, 1);
    assert_values(grad[1], 1);
}

static void what_is_left_out_has_no_share_in_a_tie(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(2), 5, 1), s = F64(RG_SHAPE(3), 5, 5, 4), i = I64(RG_SHAPE(3), 0, 0, 0);
    rg_tensor grad[2];
    for (int own = 0; own < 2; own++) {
        const rg_tensor y = rg_scatter_reduce(tape, x, 0, i, s, RG_SCATTER_AMAX, own);
        assert_values(y, 5, 1);
        assert_true(rg_grad_with(tape, y, F64(RG_SHAPE(2), 6, 1), (rg_tensor[]){x, s}, 2, grad));
        if (own) {
            assert_values(grad[0], 2, 1);
            assert_values(grad[1], 2, 2, 0);
        } else {
            assert_values(grad[0], 0, 1);
            assert_values(grad[1], 3, 3, 0);
        }
    }
}

/* ---- what is refused ---- */

#define REFUSED(expression, status, ...)                \
    do {                                                \
        const rg_tensor refused = (expression);         \
        assert_true(rg_is_nil(refused));                \
        assert_error(tape, status, WORDS(__VA_ARGS__)); \
    } while (0)
#define FAILS(expression, ...)                                  \
    do {                                                        \
        const rg_tensor fails = (expression);                   \
        assert_tape_ok(tape);                                   \
        assert_null(rg_data(tape, fails));                      \
        assert_error(tape, RG_ERROR_VALUE, WORDS(__VA_ARGS__)); \
    } while (0)

static void negative_indices_are_taken_where_pytorch_takes_them(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(3), 1, 2, 3), i = I64(RG_SHAPE(2), -1, -3), s = F64(RG_SHAPE(2), 8, 9);
    assert_values(rg_take(tape, x, i), 3, 1);
    assert_values(rg_put(tape, x, i, s, false), 9, 2, 8);
    assert_values(rg_index(tape, x, &i, 1), 3, 1);
    assert_values(rg_index_put(tape, x, &i, 1, s, true), 10, 2, 11);
    assert_values(rg_index_fill_scalar(tape, x, 0, i, 0), 0, 2, 0);
    FAILS(rg_scatter(tape, x, 0, i, s), "scatter: ", "index -1", "0 to 2");
    FAILS(rg_scatter_scalar(tape, x, 0, i, 1), "scatter: ", "index -1", "0 to 2");
    FAILS(rg_scatter_reduce(tape, x, 0, i, s, RG_SCATTER_PROD, true), "scatter_fold: ", "index -1", "0 to 2");
    FAILS(rg_scatter_reduce(tape, x, 0, i, s, RG_SCATTER_AMIN, false), "scatter_fold: ", "index -1", "0 to 2");
    FAILS(rg_take_along_dim(tape, x, i, 0), "gather: ", "index -1", "0 to 2");
    FAILS(rg_index_add(tape, x, 0, i, s, 1), "scatter_add: ", "index -1", "0 to 2");
    FAILS(rg_index_copy(tape, x, 0, i, s), "scatter: ", "index -1", "0 to 2");
}

static void indices_out_of_range_are_named(void **state)
{
    (void)state;
    static const int64_t bad[] = {3, -4, INT64_MAX, INT64_MIN};
    const rg_tensor x = F64(RG_SHAPE(3), 1, 2, 3), m = F64(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    for (size_t k = 0; k < COUNT(bad); k++) {
        char text[48];
        snprintf(text, sizeof text, "index %lld is", (long long)bad[k]);
        const rg_tensor i = I64(RG_SHAPE(2), 1, bad[k]), s = F64(RG_SHAPE(2), 8, 9);
        FAILS(rg_take(tape, x, i), "linear_index: ", text, "-3 to 2");
        FAILS(rg_put(tape, x, i, s, true), "linear_index: ", text, "-3 to 2");
        FAILS(rg_index(tape, x, &i, 1), "linear_index: ", text, "-3 to 2");
        FAILS(rg_index_put(tape, x, &i, 1, s, false), "linear_index: ", text, "-3 to 2");
        FAILS(rg_index_fill_scalar(tape, x, 0, i, 1), "linear_index: ", text, "-3 to 2");
        /* Within all of x, and yet beyond its axis. */
        const rg_tensor both[] = {I64(RG_SHAPE(1), 0), i};
        FAILS(rg_index(tape, m, both, 2), "linear_index: ", text, "-3 to 2");
    }
    const rg_tensor none = rg_input_f64(tape, RG_SHAPE(0), NULL), i = I64(RG_SHAPE(1), 0);
    FAILS(rg_index(tape, none, &i, 1), "index 0 is", "out of range");
    assert_int_equal(rg_numel(tape, rg_index(tape, none, (rg_tensor[]){rg_input_i64(tape, RG_SHAPE(0), NULL)}, 1)), 0);
}

static void indices_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const rg_tensor m = F64(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), i = I64(RG_SHAPE(2), 0, 1), j = I64(RG_SHAPE(3), 0, 1, 2);
    const rg_tensor f = F32(RG_SHAPE(2), 0, 1), mask = rg_gt(tape, j, I64(RG_SCALAR, 0)), one = F64(RG_SCALAR, 1);
    const rg_tensor whole[] = {RG_NIL, RG_NIL}, three[] = {i, i, i}, apart[] = {i, j}, floats[] = {RG_NIL, f};
    REFUSED(rg_index(tape, m, whole, 2), RG_ERROR_ARGUMENT, "index: ", "nil", "one is needed");
    REFUSED(rg_index(tape, m, NULL, 0), RG_ERROR_ARGUMENT, "index: ", "one is needed");
    REFUSED(rg_index(tape, m, three, 3), RG_ERROR_SHAPE, "index: ", "index 2", "2 axes", "[2, 3]");
    REFUSED(rg_index(tape, m, apart, 2), RG_ERROR_SHAPE, "index: ", "[2]", "[3]", "broadcast");
    REFUSED(rg_index(tape, m, floats, 2), RG_ERROR_DTYPE, "index: ", "index 1 is f32 of [2]", "i32, i64 or bool");
    REFUSED(rg_index(tape, m, &mask, 1), RG_ERROR_SHAPE, "index: ", "mask [3]", "[2, 3]", "axis 0");
    REFUSED(rg_index_put(tape, m, &i, 1, F64(RG_SHAPE(2, 2), 1, 2, 3, 4), false), RG_ERROR_SHAPE,
            "index_put: ", "f64 of [2, 2]", "[2, 3]");
    REFUSED(rg_index_put(tape, m, &i, 1, f, false), RG_ERROR_SHAPE, "index_put: ", "f32 of [2]");
    REFUSED(rg_index_put(tape, m, &i, 1, F32(RG_SCALAR, 1), false), RG_ERROR_DTYPE, "index_put: ", "f32", "f64");
    REFUSED(rg_index_put(tape, mask, &i, 1, mask, true), RG_ERROR_DTYPE, "index_put: ", "bool");
    REFUSED(rg_put(tape, m, i, one, false), RG_ERROR_SHAPE, "put: ", "[]", "[2]");
    REFUSED(rg_index_add(tape, m, 0, i, one, 1), RG_ERROR_SHAPE, "index_add: ", "[]", "[2, 3]", "2 indices", "axis 0");
    REFUSED(rg_index_copy(tape, m, 0, m, m), RG_ERROR_DTYPE, "index_copy: ", "f64", "i32 or i64");
    REFUSED(rg_index_copy(tape, m, 0, rg_reshape(tape, i, RG_SHAPE(1, 2)), m), RG_ERROR_SHAPE, "index_copy: ", "[1, 2]");
    REFUSED(rg_index_fill(tape, m, 0, i, i), RG_ERROR_SHAPE, "index_fill: ", "[2]", "scalar");
    REFUSED(rg_index_fill(tape, m, 0, i, F32(RG_SCALAR, 1)), RG_ERROR_DTYPE, "index_fill: ", "f32", "f64");
    REFUSED(rg_index_fill_scalar(tape, i, 0, i, .5), RG_ERROR_ARGUMENT, "index_fill_scalar: ", "0.5", "i64");
    REFUSED(rg_index_add(tape, i, 0, i, i, NAN), RG_ERROR_ARGUMENT, "index_add: ", "nan", "i64");
    REFUSED(rg_scatter(tape, m, 0, I64(RG_SHAPE(1, 2), 0, 1), F64(RG_SHAPE(1, 1), 1)), RG_ERROR_SHAPE,
            "scatter: ", "[1, 1]", "[1, 2]");
    REFUSED(rg_scatter(tape, m, 0, I64(RG_SHAPE(1, 4), 0, 1, 1, 1), F64(RG_SHAPE(1, 4), 1, 2, 3, 4)), RG_ERROR_SHAPE,
            "scatter: ", "[1, 4]", "[2, 3]", "axis 0");
    REFUSED(rg_scatter_reduce(tape, j, 0, i, i, RG_SCATTER_MEAN, true), RG_ERROR_DTYPE, "scatter_reduce: ", "i64");
    REFUSED(rg_scatter_reduce(tape, j, 0, i, i, (rg_scatter_reduction)9, true), RG_ERROR_ARGUMENT,
            "scatter_reduce: ", "9", "sum, prod, mean");
    REFUSED(rg_take_along_dim(tape, m, I64(RG_SHAPE(2, 2), 0, 0, 1, 1), 0), RG_ERROR_SHAPE,
            "take_along_dim: ", "[2, 3]", "[2, 2]", "axis 0");
    REFUSED(rg_masked_fill(tape, m, mask, j), RG_ERROR_SHAPE, "masked_fill: ", "[3]", "scalar");
    REFUSED(rg_masked_fill_scalar(tape, j, mask, .5), RG_ERROR_ARGUMENT, "masked_fill_scalar: ", "0.5", "i64");
    REFUSED(rg_masked_select(tape, i, mask), RG_ERROR_SHAPE, "masked_select: ", "[2]", "[3]");
    REFUSED(rg_masked_select(tape, i, i), RG_ERROR_DTYPE, "masked_select: ", "i64", "bool");
    REFUSED(rg_masked_scatter(tape, m, mask, f), RG_ERROR_DTYPE, "masked_scatter: ", "f64", "f32");
    FAILS(rg_masked_scatter(tape, m, mask, F64(RG_SHAPE(3), 1, 2, 3)), "4 elements", "source has 3");
}

static void windows_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const rg_tensor m = F64(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), v = F64(RG_SHAPE(2), 1, 2), s = F64(RG_SCALAR, 1);
    static const int64_t ones[] = {1, 1}, far[] = {INT64_MAX, INT64_MAX}, back[] = {-3, 1};
    rg_shape nine = {9, {1, 1, 1, 1, 1, 1, 1, 1}};
    REFUSED(rg_unfold(tape, m, 1, 4, 1), RG_ERROR_ARGUMENT, "unfold: ", "windows of 4", "0 to 3");
    REFUSED(rg_unfold(tape, m, 1, -1, 1), RG_ERROR_ARGUMENT, "unfold: ", "windows of -1");
    REFUSED(rg_unfold(tape, m, 1, 1, 0), RG_ERROR_ARGUMENT, "unfold: ", "every 0");
    REFUSED(rg_unfold(tape, m, 2, 1, 1), RG_ERROR_SHAPE, "unfold: ", "axis 2", "[2, 3]");
    REFUSED(rg_as_strided(tape, m, RG_SHAPE(4, 4), ones, 0), RG_ERROR_ARGUMENT, "as_strided: ", "[4, 4]", "6 elements");
    REFUSED(rg_as_strided(tape, m, RG_SHAPE(2, 2), far, 0), RG_ERROR_ARGUMENT, "as_strided: ", "9223372036854775807");
    REFUSED(rg_as_strided(tape, m, RG_SHAPE(2, 2), back, 2), RG_ERROR_ARGUMENT, "as_strided: ", "[-3, 1]", "from 2");
    REFUSED(rg_as_strided(tape, m, RG_SCALAR, NULL, 6), RG_ERROR_ARGUMENT, "as_strided: ", "from 6");
    REFUSED(rg_as_strided(tape, m, RG_SHAPE(0), ones, -1), RG_ERROR_ARGUMENT, "as_strided: ", "from -1");
    REFUSED(rg_as_strided(tape, m, RG_SHAPE(2), NULL, 0), RG_ERROR_SHAPE, "as_strided: ", "NULL");
    REFUSED(rg_as_strided(tape, m, nine, ones, 0), RG_ERROR_SHAPE, "as_strided: ", "valid shape");
    REFUSED(rg_diagonal(tape, m, 0, 1, -1), RG_ERROR_SHAPE, "diagonal: ", "axes 1 and -1", "[2, 3]");
    REFUSED(rg_diagonal(tape, v, 0, 0, 1), RG_ERROR_SHAPE, "diagonal: ", "[2]");
    REFUSED(rg_diag_embed(tape, v, INT64_MIN, -2, -1), RG_ERROR_SHAPE, "diag_embed: ", "[2]", "-9223372036854775808");
    REFUSED(rg_diag_embed(tape, v, INT64_MAX / 2, -2, -1), RG_ERROR_SHAPE, "diag_embed: ", "too large");
    REFUSED(rg_diag_embed(tape, s, 0, -2, -1), RG_ERROR_SHAPE, "diag_embed: ", "[]");
    REFUSED(rg_diag(tape, s, 0), RG_ERROR_SHAPE, "diag: ", "[]", "vector", "matrix");
    REFUSED(rg_slice_scatter(tape, m, v, 1, 0, 1, 1), RG_ERROR_SHAPE, "slice_scatter: ", "[2]", "[2, 1]");
    REFUSED(rg_slice_scatter(tape, m, v, 1, 0, 1, -1), RG_ERROR_ARGUMENT, "slice_scatter: ", "step of -1");
    REFUSED(rg_select_scatter(tape, m, v, 1, 3), RG_ERROR_ARGUMENT, "select_scatter: ", "index 3", "axis 1");
    REFUSED(rg_select_scatter(tape, m, F32(RG_SHAPE(2), 1, 2), 1, 0), RG_ERROR_DTYPE, "select_scatter: ", "f32", "f64");
    REFUSED(rg_diagonal_scatter(tape, m, s, 0, 0, 1), RG_ERROR_SHAPE, "diagonal_scatter: ", "[]", "[2]");
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const rg_tensor m = F64(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), v = F64(RG_SHAPE(2), 1, 2), f = F32(RG_SHAPE(2), 1, 2);
    static const int64_t many[] = {3, 0, INT64_MAX, INT64_MIN}, few[] = {-2, -2};
    rg_tensor parts[4];
    REFUSED(rg_movedim(tape, m, RG_AXES(0), RG_AXES(0, 1)), RG_ERROR_ARGUMENT, "movedim: ", "1 axes", "2");
    REFUSED(rg_movedim(tape, m, RG_AXES(0, 0), RG_AXES(0, 1)), RG_ERROR_SHAPE, "movedim: ", "twice");
    REFUSED(rg_flatten(tape, m, 1, 0), RG_ERROR_SHAPE, "flatten: ", "1 to 0", "[2, 3]");
    REFUSED(rg_unflatten(tape, m, 1, RG_SHAPE(2, -1)), RG_ERROR_SHAPE, "unflatten: ", "axis 1", "[2, -1]");
    REFUSED(rg_rot90(tape, m, 1, 1, 1), RG_ERROR_SHAPE, "rot90: ", "1 and 1");
    REFUSED(rg_fliplr(tape, v), RG_ERROR_SHAPE, "fliplr: ", "[2]", "axis 1");
    REFUSED(rg_tril(tape, v, 0), RG_ERROR_SHAPE, "tril: ", "[2]", "matrix");
    REFUSED(rg_triu_indices(tape, -1, 2, 0), RG_ERROR_ARGUMENT, "triu_indices: ", "-1 rows");
    REFUSED(rg_tril_indices(tape, INT64_MAX, 2, 0), RG_ERROR_ARGUMENT, "tril_indices: ", "9223372036854775807 rows");
    REFUSED(rg_roll(tape, m, NULL, RG_AXES(0)), RG_ERROR_ARGUMENT, "roll: ", "NULL");
    REFUSED(rg_repeat(tape, m, RG_SHAPE(2)), RG_ERROR_SHAPE, "repeat: ", "[2, 3]", "[2]");
    REFUSED(rg_repeat(tape, m, RG_SHAPE(2, -1)), RG_ERROR_SHAPE, "repeat: ", "[2, -1]");
    REFUSED(rg_tile(tape, m, RG_SHAPE(INT64_MAX)), RG_ERROR_SHAPE, "tile: ", "9223372036854775807");
    REFUSED(rg_repeat_interleave_scalar(tape, m, -1, RG_ALL), RG_ERROR_ARGUMENT,
            "repeat_interleave_scalar: ", "-1 times");
    REFUSED(rg_repeat_interleave_scalar(tape, m, 1, RG_AXES(0, 1)), RG_ERROR_ARGUMENT, "2 axes");
    REFUSED(rg_repeat_interleave(tape, m, I64(RG_SHAPE(2), 1, 1), RG_AXES(1), -1), RG_ERROR_SHAPE,
            "repeat_interleave: ", "[2]", "3 slices");
    REFUSED(rg_pad_mode(tape, m, many, 2, RG_PAD_REFLECT, 0), RG_ERROR_ARGUMENT, "pad_mode: ", "3 before", "[2, 3]",
            "many");
    REFUSED(rg_pad_mode(tape, m, many + 2, 2, RG_PAD_REPLICATE, 0), RG_ERROR_ARGUMENT, "pad_mode: ", "few");
    REFUSED(rg_pad_mode(tape, m, few, 2, RG_PAD_CIRCULAR, 0), RG_ERROR_ARGUMENT, "pad_mode: ", "-2 before", "few");
    REFUSED(rg_pad_mode(tape, m, few, 1, RG_PAD_CONSTANT, 0), RG_ERROR_ARGUMENT, "pad_mode: ", "1 numbers");
    REFUSED(rg_pad_mode(tape, m, NULL, 2, RG_PAD_CONSTANT, 0), RG_ERROR_ARGUMENT, "pad_mode: ", "NULL");
    REFUSED(rg_hstack(tape, NULL, 2), RG_ERROR_ARGUMENT, "hstack: ", "NULL", "1 to 256");
    REFUSED(rg_block_diag(tape, (rg_tensor[]){rg_unsqueeze(tape, m, 0)}, 1), RG_ERROR_SHAPE, "block_diag: ", "[1, 2, 3]");
    REFUSED(rg_cartesian_prod(tape, (rg_tensor[]){m, v}, 2), RG_ERROR_SHAPE, "cartesian_prod: ", "[2, 3]");
    REFUSED(rg_vander(tape, v, 257, false), RG_ERROR_ARGUMENT, "vander: ", "257");
    assert_int_equal(rg_chunk(tape, m, 0, 0, parts, 4), 0);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("chunk: ", "0 chunks"));
    assert_int_equal(rg_tensor_split(tape, m, 5, 1, parts, 4), 0);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("tensor_split: ", "5 parts", "room for 4"));
    assert_int_equal(rg_tensor_split_at(tape, m, NULL, 1, 1, parts, 4), 0);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("tensor_split_at: ", "NULL"));
    assert_int_equal(rg_unbind(tape, m, 1, parts, 2), 0);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("unbind: ", "3 parts", "room for 2"));
    assert_int_equal(rg_meshgrid(tape, (rg_tensor[]){v, f}, 2, RG_INDEXING_IJ, parts), 0);
    assert_error(tape, RG_ERROR_DTYPE, WORDS("meshgrid: ", "f64", "f32"));
    assert_int_equal(rg_broadcast_tensors(tape, (rg_tensor[]){m, v}, 2, parts), 0);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("broadcast_tensors: ", "[2]", "[2, 3]"));
}

static void counts_that_do_not_add_up_are_refused(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(3), 1, 2, 3);
    FAILS(rg_repeat_interleave(tape, x, I64(RG_SHAPE(3), 1, -1, 2), RG_AXES(0), -1), "repeat_index: ", "count -1",
          "slice 1");
    FAILS(rg_repeat_interleave(tape, x, I64(RG_SHAPE(3), 1, 1, 2), RG_AXES(0), 3), "more than", "3");
    FAILS(rg_repeat_interleave(tape, x, I64(RG_SHAPE(3), 1, 1, 2), RG_AXES(0), 5), "sum to 4", "5");
    FAILS(rg_repeat_interleave(tape, x, I64(RG_SHAPE(3), 1, INT64_MAX, 2), RG_AXES(0), 2), "more than", "2");
    REFUSED(rg_repeat_interleave(tape, x, I64(RG_SHAPE(3), 1, INT64_MAX, 2), RG_AXES(0), -1), RG_ERROR_SHAPE,
            "too large");
    assert_values(rg_repeat_interleave(tape, x, I64(RG_SCALAR, 2), RG_AXES(0), 6), 1, 1, 2, 2, 3, 3);
}

/* ---- shapes that depend on values ---- */

static void masks_are_read_when_recorded(void **state)
{
    (void)state;
    rg_param *p = PARAM("w", RG_SHAPE(4), 1, -2, 3, -4);
    const rg_tensor w = rg_leaf(tape, p), mask = rg_gt(tape, w, rg_constant(tape, RG_F64, 0));
    const rg_tensor chosen = rg_masked_select(tape, w, mask);
    assert_true(rg_shape_equal(rg_shape_of(tape, chosen), RG_SHAPE(2)));
    rg_backward(tape, total(rg_square(tape, chosen)));
    assert_values(rg_param_grad(tape, p), 2, 0, 6, 0);
    assert_values(rg_nonzero(tape, mask), 0, 2);
    assert_true(rg_shape_equal(rg_shape_of(tape, rg_nonzero(tape, F64(RG_SCALAR, 2))), RG_SHAPE(1, 0)));
    assert_true(rg_shape_equal(rg_shape_of(tape, rg_nonzero(tape, F64(RG_SCALAR, 0))), RG_SHAPE(0, 0)));
    assert_values(rg_nonzero(tape, F64(RG_SHAPE(3), NAN, -0.0, 1)), 0, 2);
    /* Assignment where a mask is true. */
    assert_values(rg_index_put(tape, w, &mask, 1, F64(RG_SCALAR, 9), false), 9, -2, 9, -4);
}

/* ---- views whose elements overlap ---- */

static void elements_are_counted_in_rows_whatever_the_layout(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), turned = rg_transpose(tape, x, 0, 1);
    static const int64_t steps[] = {1, 2};
    assert_values(rg_as_strided(tape, x, RG_SHAPE(2, 2), steps, 1), 2, 4, 3, 5);
    assert_values(rg_as_strided(tape, turned, RG_SHAPE(2, 2), steps, 1), 4, 5, 2, 3);
    assert_values(rg_as_strided(tape, rg_slice(tape, x, 0, 1, 2, 1), RG_SHAPE(2), steps, 1), 5, 6);
    rg_node node;
    assert_true(rg_tape_node(tape, rg_unfold(tape, turned, 0, 2, 1), &node) && node.is_view);
    assert_true(node.strides[0] == 1 && node.strides[1] == 3 && node.strides[2] == 1);
    assert_true(rg_tape_node(tape, rg_diagonal(tape, turned, -1, 0, 1), &node) && node.is_view);
}

/* A step that assigns to a parameter what reads windows of its old value. */
static void overwrite(bool eager, int which, double out[8])
{
    static const int64_t back[] = {-1}, same[] = {0}, apart[] = {1, 4};
    rg_tape *t = rg_tape_new(&(rg_tape_config){.eager = eager});
    rg_params *ps = rg_params_new(1);
    rg_param *p = rg_param_new(ps, "w", RG_F64, RG_SHAPE(8), (const double[]){1, 2, 3, 4, 5, 6, 7, 8});
    const rg_tensor w = rg_leaf(t, p);
    rg_tensor x = which == 0   ? rg_as_strided(t, w, RG_SHAPE(8), back, 7)
                  : which == 1 ? rg_as_strided(t, w, RG_SHAPE(8), same, 3)
                  : which == 2 ? rg_reshape(t, rg_as_strided(t, w, RG_SHAPE(4, 2), apart, 0), RG_SHAPE(8))
                               : rg_pad_mode(t, rg_sum(t, rg_unfold(t, w, 0, 3, 1), RG_AXES(1), false),
                                             (const int64_t[]){1, 1}, 2, RG_PAD_CIRCULAR, 0);
    rg_assign(t, p, rg_add(t, w, rg_mul_scalar(t, x, 10)));
    rg_tape_reset(t);
    assert_tape_ok(t);
    memcpy(out, rg_param_data(p), 8 * sizeof *out);
    rg_tape_free(t);
    rg_params_free(ps);
}

static void a_parameter_is_overwritten_only_after_its_windows_are_read(void **state)
{
    (void)state;
    static const double expected[4][8] = {{81, 72, 63, 54, 45, 36, 27, 18},
                                          {41, 42, 43, 44, 45, 46, 47, 48},
                                          {11, 52, 23, 64, 35, 76, 47, 88},
                                          {211, 62, 93, 124, 155, 186, 217, 68}};
    for (int which = 0; which < 4; which++)
        for (int eager = 0; eager < 2; eager++) {
            double out[8];
            overwrite(eager, which, out);
            assert_memory_equal(out, expected[which], sizeof out);
        }
}

/* ---- against a loop over elements ---- */

enum { MOST = 4096 };
typedef struct grid {
    rg_shape shape;
    double value[MOST];
} grid;

static int64_t below(rg_rng *rng, int64_t n)
{
    int64_t x;
    rg_rng_integers(rng, &x, 1, 0, n);
    return x;
}

/* The same values in another layout: as they are, transposed, backwards, every second one. */
static rg_tensor laid_out(rg_tensor x, int64_t layout)
{
    const int rank = rg_shape_of(tape, x).rank;
    rg_axes order = {rank, {0}};
    for (int i = 0; i < rank; i++)
        order.axis[i] = rank - 1 - i;
    switch (layout) {
    case 1: return rg_permute(tape, rg_contiguous(tape, rg_permute(tape, x, order)), order);
    case 2: return rg_flip(tape, rg_contiguous(tape, rg_flip(tape, x, RG_ALL)), RG_ALL);
    case 3: return rg_slice(tape, rg_repeat_interleave_scalar(tape, x, 2, RG_AXES(-1)), -1, 1, RG_END, 2);
    default: return x;
    }
}

static rg_tensor tensor_of(rg_dtype dtype, const grid *g, int64_t layout)
{
    return laid_out(rg_cast(tape, rg_input_f64(tape, g->shape, g->value), dtype), layout);
}

static void draw_values(rg_rng *rng, grid *g)
{
    for (int64_t i = 0; i < rg_shape_numel(g->shape); i++)
        g->value[i] = (double)below(rng, 19) - 9;
}

/* Where element n of `shape` stands in x, with its place along the axis replaced. */
static int64_t place_in(const grid *x, rg_shape shape, int64_t n, int axis, int64_t at)
{
    int64_t index[RG_MAX_RANK], place = 0;
    for (int i = shape.rank - 1; i >= 0; i--) {
        index[i] = n % shape.dims[i];
        n /= shape.dims[i];
    }
    for (int i = 0; i < shape.rank; i++)
        place = place * x->shape.dims[i] + (i == axis ? at : index[i]);
    return place;
}

static void assert_grid(rg_tensor y, const double *expected, int64_t n)
{
    double out[VALUES_MOST];
    assert_int_equal(read_values(tape, y, out), n);
    for (int64_t i = 0; i < n; i++)
        if (out[i] != expected[i])
            fail_msg("element %lld is %g instead of %g", (long long)i, out[i], expected[i]);
}

static void check_all(rg_rng *rng)
{
    static grid x, index, source;
    static double expected[MOST];
    static const rg_dtype dtypes[] = {RG_F32, RG_F64, RG_I32, RG_I64};
    const rg_dtype dtype = dtypes[below(rng, 4)];
    const int rank = 1 + (int)below(rng, 4), axis = (int)below(rng, rank);
    const bool slices = below(rng, 2); /* the index is the same all over each slice */
    x.shape.rank = index.shape.rank = rank;
    for (int i = 0; i < rank; i++) {
        x.shape.dims[i] = 1 + below(rng, rank < 3 ? 30 : 6);
        index.shape.dims[i] = i == axis                 ? below(rng, 12)
                              : slices && below(rng, 3) ? x.shape.dims[i]
                                                        : 1 + below(rng, x.shape.dims[i]);
    }
    source.shape = index.shape;
    draw_values(rng, &x);
    draw_values(rng, &source);
    const int64_t n = rg_shape_numel(index.shape), all = rg_shape_numel(x.shape);
    int64_t line[16];
    for (int i = 0; i < 16; i++)
        line[i] = below(rng, x.shape.dims[axis]);
    int64_t inner = 1;
    for (int i = axis + 1; i < rank; i++)
        inner *= index.shape.dims[i];
    for (int64_t i = 0; i < n; i++)
        index.value[i] = (double)(slices ? line[i / inner % index.shape.dims[axis]] : below(rng, x.shape.dims[axis]));
    const rg_tensor tx = tensor_of(dtype, &x, below(rng, 4)), ts = tensor_of(dtype, &source, below(rng, 4));
    rg_tensor ti = tensor_of(RG_I64, &index, below(rng, 4));
    if (slices && n) {
        rg_shape one = index.shape;
        for (int i = 0; i < rank; i++)
            one.dims[i] = i == axis ? one.dims[i] : 1;
        ti = rg_expand(tape, rg_input_i64(tape, one, line), index.shape);
    }
#define EXPECT(call, loop)                                                                             \
    do {                                                                                               \
        memcpy(expected, x.value, (size_t)all * sizeof *expected);                                     \
        for (int64_t i = 0; i < n; i++) {                                                              \
            double *const to = &expected[place_in(&x, index.shape, i, axis, (int64_t)index.value[i])]; \
            const double v = source.value[i];                                                          \
            loop;                                                                                      \
        }                                                                                              \
        assert_grid(call, expected, all);                                                              \
    } while (0)
    EXPECT(rg_scatter(tape, tx, axis, ti, ts), *to = v);
    EXPECT(rg_scatter_add(tape, tx, axis, ti, ts), *to += v);
    EXPECT(rg_scatter_reduce(tape, tx, axis, ti, ts, RG_SCATTER_AMAX, true), *to = fmax(*to, v));
    EXPECT(rg_scatter_reduce(tape, tx, axis, ti, ts, RG_SCATTER_AMIN, true), *to = fmin(*to, v));
    EXPECT(rg_scatter_scalar(tape, tx, axis, ti, 3), (void)v; *to = 3);
    for (int64_t i = 0; i < n; i++)
        expected[i] = x.value[place_in(&x, index.shape, i, axis, (int64_t)index.value[i])];
    assert_grid(rg_gather(tape, tx, axis, ti), expected, n);
}

static void any_layout_agrees_with_a_loop(void **state)
{
    (void)state;
    rg_rng rng = rg_rng_new(5, 0);
    for (int i = 0; i < 600; i++) {
        check_all(&rng);
        rg_tape_reset(tape);
    }
}

/* ---- threads ---- */

enum { BIG = 300000 };

/* Large results of each kernel, one after the other; what is read of them. */
static int64_t large(int threads, int which, float *out)
{
    rg_tape *t = rg_tape_new(&(rg_tape_config){.seed = 3, .threads = threads});
    const rg_tensor m = rg_randn(t, RG_F32, RG_SHAPE(500, 400)), v = rg_randn(t, RG_F32, RG_SHAPE(200000));
    const rg_tensor rows = rg_randint(t, RG_SHAPE(500), 0, 100), any = rg_randint(t, RG_SHAPE(200000), 0, 1000);
    const rg_tensor across = rg_randint(t, RG_SHAPE(500, 400), 0, 400), down = rg_randint(t, RG_SHAPE(500, 400), 0, 500);
    const rg_tensor zeros = rg_zeros(t, RG_F32, RG_SHAPE(1000)), two[] = {rows, rg_randint(t, RG_SHAPE(400, 1), 0, 400)};
    static const int64_t windows[] = {1, 1};
    rg_tensor y = RG_NIL, x = m;
    switch (which) {
    case 0: y = rg_index_select(t, m, 0, rows); break;
    case 1: y = rg_gather(t, m, 1, across); break;
    case 2: y = rg_gather(t, m, 0, down); break;
    case 3: y = rg_scatter_add(t, m, 0, down, m); break;
    case 4: y = rg_scatter_add(t, m, 1, across, m); break;
    case 5: y = rg_scatter_add(t, zeros, 0, any, v); break;
    case 6: y = rg_index_add(t, m, 0, rows, m, 1); break;
    case 7: y = rg_index_add(t, m, 1, rg_randint(t, RG_SHAPE(400), 0, 400), m, .5); break;
    case 8: y = rg_scatter(t, zeros, 0, any, v); break;
    case 9: y = rg_scatter_reduce(t, zeros, 0, any, v, RG_SCATTER_PROD, false); break;
    case 10: y = rg_scatter_reduce(t, m, 0, down, m, RG_SCATTER_AMAX, true); break;
    case 11: y = rg_index_put(t, m, two, 2, rg_reshape(t, v, RG_SHAPE(400, 500)), true); break;
    case 12: rg_grad_with(t, rg_unfold(t, m, 1, 8, 3), rg_randn(t, RG_F32, RG_SHAPE(500, 131, 8)), &x, 1, &y); break;
    case 13: rg_grad_with(t, rg_unfold(t, m, 0, 3, 1), rg_randn(t, RG_F32, RG_SHAPE(498, 400, 3)), &x, 1, &y); break;
    case 14:
        rg_grad_with(t, rg_as_strided(t, m, RG_SHAPE(300, 300), windows, 7), rg_randn(t, RG_F32, RG_SHAPE(300, 300)),
                     &x, 1, &y);
        break;
    case 15: y = rg_contiguous(t, rg_transpose(t, rg_expand(t, v, RG_SHAPE(1, 200000)), 0, 1)); break;
    case 16: y = rg_contiguous(t, rg_expand(t, rg_scalar(t, RG_F32, 1.5), RG_SHAPE(500, 500))); break;
    case 17: y = rg_slice_scatter(t, m, rg_slice(t, m, 0, 100, RG_END, 1), 0, 0, 400, 1); break;
    default: break;
    }
    const int64_t n = rg_is_nil(y) ? 0 : rg_numel(t, y);
    assert_true(n <= BIG);
    if (n)
        assert_true(rg_read(t, y, out, (size_t)n * sizeof *out));
    assert_tape_ok(t);
    rg_tape_free(t);
    return n;
}

static void results_are_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    float *one = malloc(BIG * sizeof *one), *more = malloc(BIG * sizeof *more);
    assert_true(one && more);
    for (int which = 0; which < 18; which++) {
        const int64_t n = large(1, which, one);
        assert_true(n > 0);
        for (int threads = 2; threads < 6; threads += 3) {
            assert_int_equal(large(threads, which, more), n);
            if (memcmp(one, more, (size_t)n * sizeof *one) != 0)
                fail_msg("case %d differs with %d threads", which, threads);
        }
    }
    free(one);
    free(more);
}

/* Of several threads, too, the first index in order is named. */
static void the_first_index_out_of_range_is_named(void **state)
{
    (void)state;
    enum { N = 100000 };
    int64_t *at = calloc(N, sizeof *at);
    assert_non_null(at);
    at[20000] = 77;
    at[90000] = 99;
    for (int threads = 1; threads < 4; threads++) {
        rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads});
        const rg_tensor i = rg_input_i64(t, RG_SHAPE(N), at), x = rg_zeros(t, RG_F64, RG_SHAPE(50));
        assert_null(rg_data(t, rg_gather(t, x, 0, i)));
        assert_error(t, RG_ERROR_VALUE, WORDS("gather: ", "index 77", "0 to 49"));
        assert_null(rg_data(t, rg_scatter_add(t, x, 0, i, rg_ones(t, RG_F64, RG_SHAPE(N)))));
        assert_error(t, RG_ERROR_VALUE, WORDS("scatter_add: ", "index 77", "0 to 49"));
        rg_tape_free(t);
    }
    free(at);
}

/* ---- nonsense ---- */

static const char *const OPS[] = {
    "scatter",
    "scatter_scalar",
    "scatter_reduce",
    "take_along_dim",
    "index_add",
    "index_copy",
    "index_fill",
    "index_fill_scalar",
    "index",
    "index_put",
    "put",
    "take",
    "masked_fill",
    "masked_fill_scalar",
    "masked_select",
    "masked_scatter",
    "nonzero",
    "argwhere",
    "as_strided",
    "unfold",
    "diagonal",
    "diag_embed",
    "diag",
    "slice_scatter",
    "select_scatter",
    "diagonal_scatter",
    "movedim",
    "swapaxes",
    "broadcast_to",
    "flatten",
    "ravel",
    "unflatten",
    "rot90",
    "fliplr",
    "flipud",
    "tril",
    "triu",
    "tril_indices",
    "triu_indices",
    "roll",
    "repeat",
    "tile",
    "repeat_interleave",
    "repeat_interleave_scalar",
    "pad_mode",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "hstack",
    "vstack",
    "dstack",
    "column_stack",
    "block_diag",
    "cartesian_prod",
    "vander",
    "chunk",
    "tensor_split",
    "tensor_split_at",
    "unbind",
    "broadcast_tensors",
    "meshgrid",
    "gather",
    "scatter_add",
    "index_select",
};

static const char *number_of(rg_rng *rng)
{
    static const char *const numbers[] = {
        "0", "1", "-1", "2", "3", "-2", "5", "-9", "40", "9223372036854775807", "-9223372036854775808"};
    return numbers[below(rng, below(rng, 3) ? 6 : (int64_t)COUNT(numbers))];
}

/* A value for an attribute of this type, as the signature says it. */
static void put_value(rg_rng *rng, const char *type, char *text)
{
    static const char *const reals[] = {"0", "1", "-2.5", "nan", "inf", "1e300"};
    if (strncmp(type, "ints", 4) == 0) {
        int64_t n = below(rng, 4);
        strcat(text, "[");
        for (; n > 0; n--)
            strcat(strcat(text, number_of(rng)), n > 1 ? ", " : "");
        strcat(text, "]");
    } else if (strncmp(type, "int", 3) == 0) {
        strcat(text, number_of(rng));
    } else if (strncmp(type, "real", 4) == 0) {
        strcat(text, reals[below(rng, COUNT(reals))]);
    } else if (strncmp(type, "flag", 4) == 0) {
        strcat(text, below(rng, 2) ? "true" : "false");
    } else { /* words */
        const size_t n = strcspn(type, " ,="), at = (size_t)below(rng, (int64_t)n);
        const char *from = type + at;
        while (from > type && from[-1] != '|')
            from--;
        strncat(text, from, strcspn(from, "|, ="));
    }
}

static void put_attributes(rg_rng *rng, const char *signature, char *text)
{
    static const char *const classes[] = {"any", "number", "float", "integer", "whole", "bool"};
    *text = '\0';
    for (const char *p = signature; p && *p && *p != '-'; p = strstr(p, ", ") ? strstr(p, ", ") + 2 : NULL) {
        const char *type = strstr(p, ": ");
        bool tensor = type == NULL;
        for (size_t i = 0; type && i < COUNT(classes); i++)
            tensor = tensor || strncmp(type + 2, classes[i], strlen(classes[i])) == 0;
        if (tensor || (strchr(type, '=') && below(rng, 3) == 0))
            continue;
        strncat(strcat(text, " "), p, (size_t)(type - p));
        put_value(rng, type + 2, strcat(text, "="));
    }
}

static rg_shape any_shape(rg_rng *rng)
{
    static const rg_shape shapes[] = {{0, {0}}, {1, {3}},    {2, {2, 3}},    {2, {3, 3}},
                                      {1, {0}}, {2, {0, 3}}, {3, {2, 3, 2}}, {8, {1, 2, 1, 1, 2, 1, 1, 1}}};
    return shapes[below(rng, below(rng, 3) ? 4 : (int64_t)COUNT(shapes))];
}

static rg_tensor anything(rg_rng *rng, rg_shape s, rg_dtype dtype, bool index)
{
    const rg_tensor x = rg_cast(tape, rg_randint(tape, s, index ? 0 : -3, index ? 2 : 4), dtype);
    return s.rank > 1 && below(rng, 3) == 0 ? rg_transpose(tape, x, 0, 1) : x;
}

/* Tensors that have something in common, and mostly are what the signature asks for. */
static int put_tensors(rg_rng *rng, const rg_op *op, rg_tensor in[4])
{
    const rg_shape shape = any_shape(rng);
    const rg_dtype dtype = (rg_dtype)below(rng, RG_DTYPES);
    const int count = below(rng, 5) ? op->least_inputs + (op->most_inputs < 0 ? 1 : 0) : (int)below(rng, 4);
    const char *p = op->signature;
    for (int i = 0; i < count; i++) {
        const char *type = p ? strstr(p, ": ") : NULL;
        const bool index = type && (strncmp(type + 2, "integer", 7) == 0 || strncmp(type + 2, "whole", 5) == 0);
        const bool mask = type && strncmp(type + 2, "bool", 4) == 0;
        rg_dtype own = index ? RG_I64 : mask ? RG_BOOL : dtype;
        own = below(rng, 9) ? own : (rg_dtype)below(rng, RG_DTYPES);
        const rg_shape s = below(rng, 4) ? shape : any_shape(rng);
        in[i] = below(rng, 20) ? anything(rng, s, own, index || own == RG_I64) : RG_NIL;
        p = p && strstr(p, ", ") ? strstr(p, ", ") + 2 : NULL;
    }
    return count;
}

static void nonsense_is_an_error_or_a_result(void **state)
{
    (void)state;
    enum { ROOM = 64, ROUNDS = 1000 };
    rg_rng rng = rg_rng_new(11, 0);
    int64_t results = 0, errors = 0;
    for (size_t k = 0; k < COUNT(OPS); k++) {
        rg_op op;
        if (!rg_op_find(OPS[k], &op))
            fail_msg("there is no op '%s'", OPS[k]);
        int64_t succeeded = 0;
        for (int round = 0; round < ROUNDS; round++) {
            char attributes[512];
            rg_tensor in[4], out[ROOM];
            const int count = put_tensors(&rng, &op, in);
            put_attributes(&rng, op.signature, attributes);
            const int n = rg_apply(tape, OPS[k], in, count, attributes, out, ROOM);
            for (int i = 0; i < n && !rg_failed(tape); i++)
                if (rg_numel(tape, out[i]) < 1 << 20)
                    rg_data(tape, out[i]);
            assert_true(rg_failed(tape) == (rg_tape_error(tape)[0] != '\0'));
            succeeded += !rg_failed(tape);
            errors += rg_failed(tape);
            rg_tape_clear_error(tape);
            rg_tape_reset(tape);
        }
        if (succeeded == 0)
            fail_msg("'%s' never succeeded", OPS[k]);
        results += succeeded;
    }
    print_message("%lld results, %lld errors\n", (long long)results, (long long)errors);
    assert_true(errors > results / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(the_last_write_wins_and_alone_has_a_gradient),
        TAPE_TEST(a_filled_place_counts_once),
        TAPE_TEST(what_is_left_out_has_no_share_in_a_tie),
        TAPE_TEST(negative_indices_are_taken_where_pytorch_takes_them),
        TAPE_TEST(indices_out_of_range_are_named),
        TAPE_TEST(indices_that_do_not_fit_are_refused),
        TAPE_TEST(windows_that_do_not_fit_are_refused),
        TAPE_TEST(shapes_that_do_not_fit_are_refused),
        TAPE_TEST(counts_that_do_not_add_up_are_refused),
        TAPE_TEST(masks_are_read_when_recorded),
        TAPE_TEST(elements_are_counted_in_rows_whatever_the_layout),
        TAPE_TEST(a_parameter_is_overwritten_only_after_its_windows_are_read),
        TAPE_TEST(any_layout_agrees_with_a_loop),
        TAPE_TEST(results_are_the_same_for_any_number_of_threads),
        TAPE_TEST(the_first_index_out_of_range_is_named),
        TAPE_TEST(nonsense_is_an_error_or_a_result),
    };
    return cmocka_run_group_tests_name("indexing", tests, NULL, NULL);
}
