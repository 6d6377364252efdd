/* What the planner makes simpler, element by element: identities, constants, casts of casts. Each rule fires where it may,
 * which the plan's text shows, does not where a bit would change, and the values are those of the reference. */
#include "simplify_support.h"

/* ---- identities ---- */

PROGRAM(times_one, READ(rg_mul(t, S64, NUMBER(1))))
PROGRAM(one_times, READ(rg_mul(t, SINGLE(1), S32)))
PROGRAM(times_ones_of_its_shape, READ(rg_mul(t, S64, rg_ones_like(t, S64))))
PROGRAM(divided_by_one, READ(rg_div(t, S64, NUMBER(1))))
PROGRAM(to_the_first, READ(rg_pow(t, S64, NUMBER(1))))
PROGRAM(minus_zero, READ(rg_sub(t, S64, NUMBER(0))))
PROGRAM(plus_minus_zero, READ(rg_add(t, S32, SINGLE(-0.))))
PROGRAM(integer_plus_zero, READ(rg_add(t, LONG(0), I64)))
PROGRAM(square_plus_zero, READ(rg_add(t, rg_square(t, S64), NUMBER(0))))
PROGRAM(sum_plus_zero, READ(rg_add(t, NUMBER(0), rg_sum(t, S64, RG_ALL, true))))
PROGRAM(largest_of_squares_plus_zero, READ(rg_add(t, rg_maximum(t, rg_square(t, S64), NUMBER(3)), NUMBER(0))))
PROGRAM(converted_integer_plus_zero, READ(rg_add(t, rg_cast(t, I64, RG_F32), SINGLE(0))))
PROGRAM(not_below_infinity, READ(rg_maximum(t, S64, NUMBER(-INFINITY))))
PROGRAM(neg_neg, READ(rg_neg(t, rg_neg(t, S32))))
PROGRAM(neg_of_view_of_neg, READ(rg_neg(t, rg_flip(t, rg_neg(t, I32), RG_ALL))))
PROGRAM(not_not, READ(rg_logical_not(t, rg_logical_not(t, TRUTHS))))
PROGRAM(abs_abs, READ(rg_abs(t, rg_abs(t, S64))))
PROGRAM(relu_relu, READ(rg_relu(t, rg_relu(t, S32))))
PROGRAM(xor_false, READ(rg_logical_xor(t, TRUTHS, rg_constant(t, RG_BOOL, false))))
PROGRAM(where_true, READ(rg_where(t, rg_constant(t, RG_BOOL, true), rg_sqrt(t, S64), rg_log(t, S64))))

static rg_tensor of_the_same(rg_tape *t, rg_tensor (*op)(rg_tape *, rg_tensor, rg_tensor), rg_tensor x)
{
    return READ(op(t, x, x));
}
PROGRAM(maximum_of_the_same, of_the_same(t, rg_maximum, S64))
PROGRAM(minimum_of_the_same, of_the_same(t, rg_minimum, S32))
PROGRAM(and_of_the_same, of_the_same(t, rg_logical_and, TRUTHS))

static rg_tensor where_of_the_same(rg_tape *t)
{
    const rg_tensor x = S64;
    return READ(rg_where(t, rg_lt(t, x, NUMBER(1)), x, x));
}

static void identities_are_dropped(void **state)
{
    (void)state;
    static const example list[] = {
        {"x 1", times_one, "mul", 0},
        {"1 x", one_times, "mul", 0},
        {"x ones", times_ones_of_its_shape, "mul", 0},
        {"x / 1", divided_by_one, "div", 0},
        {"x^1", to_the_first, "pow", 0},
        {"x - 0", minus_zero, "sub", 0},
        {"x + -0", plus_minus_zero, "add", 0},
        {"0 + integer", integer_plus_zero, "add", 0},
        {"x^2 + 0", square_plus_zero, "add", 0},
        {"0 + sum", sum_plus_zero, "add", 0},
        {"max(x^2, 3) + 0", largest_of_squares_plus_zero, "add", 0},
        {"float(integer) + 0", converted_integer_plus_zero, "add", 0},
        {"max(x, -inf)", not_below_infinity, "maximum", 0},
        {"--x", neg_neg, "neg", 0},
        {"-flip(-x)", neg_of_view_of_neg, "neg", 0},
        {"not not x", not_not, "logical_not", 0},
        {"abs abs x", abs_abs, "abs", 1},
        {"relu relu x", relu_relu, "relu", 1},
        {"x xor false", xor_false, "logical_xor", 0},
        {"true ? a : b", where_true, "log", 0},
        {"max(x, x)", maximum_of_the_same, "maximum", 0},
        {"min(x, x)", minimum_of_the_same, "minimum", 0},
        {"x and x", and_of_the_same, "logical_and", 0},
        {"c ? x : x", where_of_the_same, "lt", 0},
    };
    CHECK(list);
}

PROGRAM(times_zero, READ(rg_mul(t, S64, NUMBER(0))))
PROGRAM(plus_zero, READ(rg_add(t, S64, NUMBER(0))))
PROGRAM(zero_plus_product, READ(rg_add(t, NUMBER(0), rg_mul(t, S64, rg_sqrt(t, S64)))))
PROGRAM(minus_minus_zero, READ(rg_sub(t, S32, SINGLE(-0.))))
PROGRAM(from_zero, READ(rg_sub(t, NUMBER(0), S64)))
PROGRAM(from_one, READ(rg_div(t, NUMBER(1), S64)))
PROGRAM(one_to_the, READ(rg_pow(t, NUMBER(1), S64)))
PROGRAM(narrowed_plus_zero, READ(rg_add(t, rg_cast(t, rg_sub(t, rg_square(t, S64), NUMBER(1e-300)), RG_F32), SINGLE(0))))
PROGRAM(largest_with_minus_zero_plus_zero, READ(rg_add(t, rg_maximum(t, rg_square(t, S64), NUMBER(-0.)), NUMBER(0))))
PROGRAM(times_nearly_one, READ(rg_mul(t, S64, NUMBER(1 + DBL_EPSILON))))
PROGRAM(times_scalar, READ(rg_mul(t, S64, rg_scalar(t, RG_F64, 1))))
PROGRAM(not_above_minus_infinity, READ(rg_minimum(t, S64, NUMBER(-INFINITY))))
PROGRAM(of_two, READ(rg_maximum(t, S64, rg_flip(t, S64, RG_ALL))))
PROGRAM(abs_neg, READ(rg_abs(t, rg_neg(t, S64))))

static rg_tensor where_of_other_parts(rg_tape *t)
{
    const rg_tensor x = S64;
    return READ(rg_where(t, rg_scalar(t, RG_BOOL, 1), rg_slice(t, x, 0, 0, 9, 1), rg_slice(t, x, 0, 9, RG_END, 1)));
}

static void what_would_change_a_bit_stays(void **state)
{
    (void)state;
    static const example list[] = {
        {"x 0", times_zero, "mul", 1},
        {"x + 0", plus_zero, "add", 1},
        {"0 + product", zero_plus_product, "add", 1},
        {"x - -0", minus_minus_zero, "sub", 1},
        {"0 - x", from_zero, "sub", 1},
        {"1 / x", from_one, "div", 1},
        {"1^x", one_to_the, "pow", 1},
        {"f32(x^2 - 1e-300) + 0", narrowed_plus_zero, "add", 1},
        {"max(x^2, -0) + 0", largest_with_minus_zero_plus_zero, "add", 1},
        {"x (1 + eps)", times_nearly_one, "mul", 1},
        {"x scalar", times_scalar, "mul", 1},
        {"min(x, -inf)", not_above_minus_infinity, "minimum", 1},
        {"max(x, flip x)", of_two, "maximum", 1},
        {"abs(-x)", abs_neg, "neg", 1},
        {"c ? one half : the other", where_of_other_parts, "where", 2},
    };
    CHECK(list);
}

/* ---- constants ---- */

PROGRAM(five, READ(rg_add(t, rg_mul(t, NUMBER(2), NUMBER(1.5)), rg_exp(t, NUMBER(.3)))))
PROGRAM(five_of_a_shape, READ(rg_add(t, rg_ones(t, RG_F32, RG_SHAPE(3, 4)), rg_full(t, RG_F32, RG_SHAPE(4), .1))))
PROGRAM(third, READ(rg_div(t, SINGLE(1), SINGLE(3))))
PROGRAM(nothing_by_nothing, READ(rg_div(t, rg_neg(t, NUMBER(0)), NUMBER(0))))
PROGRAM(one_by_minus_zero, READ(rg_div(t, NUMBER(1), rg_neg(t, NUMBER(0)))))
PROGRAM(wraps, READ(rg_add(t, rg_constant(t, RG_I32, INT32_MAX), rg_constant(t, RG_I32, 1))))
PROGRAM(saturates, READ(rg_cast(t, NUMBER(1e300), RG_I32)))
PROGRAM(compared, READ(rg_where(t, rg_le(t, NUMBER(1), NUMBER(2)), NUMBER(3), NUMBER(4))))
PROGRAM(wanted_itself, rg_mul(t, rg_add(t, NUMBER(1), NUMBER(2)), NUMBER(4)))
PROGRAM(wanted_with_a_shape, rg_mul(t, rg_ones(t, RG_F64, RG_SHAPE(2, 3)), NUMBER(4)))
PROGRAM(sum_of_ones, READ(rg_sum(t, rg_ones(t, RG_F64, RG_SHAPE(5, 7)), RG_AXES(0), false)))
PROGRAM(largest_of_ones, READ(rg_max(t, rg_ones(t, RG_I64, RG_SHAPE(5, 7)), RG_ALL, true)))
PROGRAM(too_long, READ(rg_add(t, LONG(0x1p53), LONG(1))))
PROGRAM(saturates_long, READ(rg_cast(t, NUMBER(1e300), RG_I64)))
PROGRAM(with_a_scalar, READ(rg_add(t, rg_scalar(t, RG_F64, 2), NUMBER(1))))

/* READ itself takes an input, a scalar, a cast where x is not f64, and where: 2 nodes, 3 with the cast. */
static void what_follows_from_constants_is_one(void **state)
{
    (void)state;
    static const example list[] = {
        {"2 1.5 + e^.3", five, NULL, 3},
        {"ones + .1", five_of_a_shape, NULL, 4},
        {"1/3", third, NULL, 4},
        {"-0/0", nothing_by_nothing, NULL, 3},
        {"1/-0", one_by_minus_zero, NULL, 3},
        {"overflow", wraps, NULL, 4},
        {"i32 of 1e300", saturates, NULL, 4},
        {"1 <= 2 ? 3 : 4", compared, NULL, 3},
        {"sum of ones", sum_of_ones, NULL, 3},
        {"max of ones", largest_of_ones, NULL, 4},
        {"a constant asked for", wanted_itself, NULL, 1},
        {"2^53 + 1", too_long, "add", 1},
        {"i64 of 1e300", saturates_long, "cast", 2},
        {"a shape asked for", wanted_with_a_shape, "mul", 1},
        {"scalar + 1", with_a_scalar, "add", 1},
    };
    CHECK(list);
}

static void scalars_keep_their_values_from_run_to_run(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    for (int i = 0; i < 4; i++) {
        rg_tape_reset(t);
        const rg_tensor x = rg_add(t, rg_scalar(t, RG_F64, i), rg_mul(t, NUMBER(2), NUMBER(3)));
        assert_true(rg_item(t, rg_mul(t, x, rg_mul(t, NUMBER(1), rg_scalar(t, RG_F64, 1 + i)))) == (6 + i) * (1 + i));
    }
    assert_int_equal(rg_tape_stats(t).plans, 1);
    rg_tape_free(t);
}

/* ---- casts ---- */

#define CASTS(name, x, between, to) PROGRAM(name, READ(rg_cast(t, rg_cast(t, x, between), to)))
CASTS(f32_f64_f32, S32, RG_F64, RG_F32)
CASTS(f32_f64_i32, S32, RG_F64, RG_I32)
CASTS(f32_f64_bool, S32, RG_F64, RG_BOOL)
CASTS(i32_f64_f32, I32, RG_F64, RG_F32)
CASTS(i32_i64_i32, I32, RG_I64, RG_I32)
CASTS(i32_i64_f32, I32, RG_I64, RG_F32)
CASTS(bool_f32_bool, TRUTHS, RG_F32, RG_BOOL)
CASTS(f64_f32_f64, S64, RG_F32, RG_F64)
CASTS(i64_f64_i64, I64, RG_F64, RG_I64)
CASTS(i32_f32_i32, I32, RG_F32, RG_I32)
CASTS(i64_i32_i64, I64, RG_I32, RG_I64)
CASTS(f64_bool_f64, S64, RG_BOOL, RG_F64)
CASTS(f32_i64_f32, S32, RG_I64, RG_F32)
PROGRAM(cast_of_view_of_cast, READ(rg_cast(t, rg_flip(t, rg_cast(t, S32, RG_F64), RG_ALL), RG_F32)))

/* Beside the casts there is that of READ, but to f64. */
static void casts_are_joined_where_the_dtype_between_holds_everything(void **state)
{
    (void)state;
    static const example list[] = {
        {"f32, f64, f32", f32_f64_f32, "cast", 1},     {"f32, f64, i32", f32_f64_i32, "cast", 2},
        {"f32, f64, bool", f32_f64_bool, "cast", 2},   {"i32, f64, f32", i32_f64_f32, "cast", 2},
        {"i32, i64, i32", i32_i64_i32, "cast", 1},     {"i32, i64, f32", i32_i64_f32, "cast", 2},
        {"bool, f32, bool", bool_f32_bool, "cast", 1}, {"f64, f32, f64", f64_f32_f64, "cast", 2},
        {"i64, f64, i64", i64_f64_i64, "cast", 3},     {"i32, f32, i32", i32_f32_i32, "cast", 3},
        {"i64, i32, i64", i64_i32_i64, "cast", 3},     {"f64, bool, f64", f64_bool_f64, "cast", 2},
        {"f32, i64, f32", f32_i64_f32, "cast", 3},     {"flipped between", cast_of_view_of_cast, "cast", 1},
    };
    CHECK(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identities_are_dropped),
        cmocka_unit_test(what_would_change_a_bit_stays),
        cmocka_unit_test(what_follows_from_constants_is_one),
        cmocka_unit_test(scalars_keep_their_values_from_run_to_run),
        cmocka_unit_test(casts_are_joined_where_the_dtype_between_holds_everything),
    };
    return cmocka_run_group_tests_name("simplify", tests, NULL, NULL);
}
