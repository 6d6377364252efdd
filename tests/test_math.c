/* Functions, quotients, activations and bits where golden values do not reach: what is refused, integers against their
 * definition, identities of special functions, random slopes, and threads against each other. */
#include "tape_support.h"

#include <retrograd/table.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REFUSED(expression, status, ...)                \
    do {                                                \
        assert_true(rg_is_nil(expression));             \
        assert_error(tape, status, WORDS(__VA_ARGS__)); \
    } while (0)

#define I32(shape, ...) rg_input_i32(tape, shape, (const int32_t[]){__VA_ARGS__})

/* ---- what is refused ---- */

static void attributes_out_of_range_are_refused(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), i = I64(RG_SHAPE(2), 1, 2);
    REFUSED(rg_polygamma(tape, -1, x), RG_ERROR_ARGUMENT, "polygamma: ", "n is -1");
    REFUSED(rg_polygamma(tape, INT64_MIN, x), RG_ERROR_ARGUMENT, "polygamma: ", "-9223372036854775808");
    REFUSED(rg_polygamma(tape, INT64_C(1) << 31, x), RG_ERROR_ARGUMENT, "polygamma: ", "2147483648");
    REFUSED(rg_logit(tape, x, .75), RG_ERROR_ARGUMENT, "logit: ", "0.75");
    REFUSED(rg_logit(tape, x, (double)NAN), RG_ERROR_ARGUMENT, "logit: ", "nan");
    REFUSED(rg_hardtanh(tape, x, 2, 1), RG_ERROR_ARGUMENT, "hardtanh: ", "low 2", "high 1");
    REFUSED(rg_hardtanh(tape, x, (double)NAN, 1), RG_ERROR_ARGUMENT, "hardtanh: ", "nan");
    REFUSED(rg_celu(tape, x, 0), RG_ERROR_ARGUMENT, "celu: ", "alpha is 0");
    REFUSED(rg_celu(tape, x, (double)NAN), RG_ERROR_ARGUMENT, "celu: ", "nan");
    REFUSED(rg_softplus_scaled(tape, x, 0, 20), RG_ERROR_ARGUMENT, "softplus_scaled: ", "beta is 0");
    REFUSED(rg_softshrink(tape, x, -.5), RG_ERROR_ARGUMENT, "softshrink: ", "lambda is -0.5");
    REFUSED(rg_softshrink(tape, x, (double)NAN), RG_ERROR_ARGUMENT, "softshrink: ", "nan");
    REFUSED(rg_rrelu(tape, x, .5, .25, true), RG_ERROR_ARGUMENT, "rrelu: ", "0.5", "0.25");
    REFUSED(rg_rrelu(tape, x, 0, (double)INFINITY, false), RG_ERROR_ARGUMENT, "rrelu: ", "inf");
    REFUSED(rg_addcmul(tape, i, i, i, .5), RG_ERROR_ARGUMENT, "addcmul: ", "0.5", "i64");
    REFUSED(rg_clamp_tensor(tape, x, RG_NIL, RG_NIL), RG_ERROR_ARGUMENT, "clamp_tensor: ", "low", "high");
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), two = F64(RG_SHAPE(2), 1, 2),
                    one = rg_scalar(tape, RG_F64, 1);
    REFUSED(rg_glu(tape, x, 1), RG_ERROR_SHAPE, "glu: ", "axis 1", "[2, 3]");
    REFUSED(rg_glu(tape, x, 2), RG_ERROR_SHAPE, "glu: ", "axis 2", "[2, 3]");
    REFUSED(rg_glu(tape, x, INT32_MIN), RG_ERROR_SHAPE, "glu: ", "-2147483648");
    REFUSED(rg_glu(tape, one, 0), RG_ERROR_SHAPE, "glu: ", "[]");
    REFUSED(rg_softmin(tape, x, 2), RG_ERROR_SHAPE, "softmin: ", "axis 2");
    REFUSED(rg_prelu(tape, x, two), RG_ERROR_SHAPE, "prelu: ", "[2]", "[3]", "[2, 3]");
    REFUSED(rg_prelu(tape, x, x), RG_ERROR_SHAPE, "prelu: ", "[2, 3]");
    REFUSED(rg_prelu(tape, two, two), RG_ERROR_SHAPE, "prelu: ", "[2]");
    REFUSED(rg_prelu(tape, one, two), RG_ERROR_SHAPE, "prelu: ", "[]");
    REFUSED(rg_atan2(tape, x, two), RG_ERROR_SHAPE, "atan2: ", "[2, 3]", "[2]");
    REFUSED(rg_remainder(tape, x, two), RG_ERROR_SHAPE, "remainder: ", "[2, 3]", "[2]");
}

static void dtypes_that_do_not_fit_are_refused_by_the_op_itself(void **state)
{
    (void)state;
    static const bool truth[] = {true, false};
    const rg_tensor x = F64(RG_SHAPE(2), 1, 2), f = F32(RG_SHAPE(2), 1, 2), i = I64(RG_SHAPE(2), 1, 2);
    const rg_tensor n = I32(RG_SHAPE(2), 1, 2), b = rg_input_bool(tape, RG_SHAPE(2), truth);
    REFUSED(rg_bitwise_and(tape, x, x), RG_ERROR_DTYPE, "bitwise_and: ", "f64", "i32, i64 or bool");
    REFUSED(rg_bitwise_not(tape, f), RG_ERROR_DTYPE, "bitwise_not: ", "f32", "i32, i64 or bool");
    REFUSED(rg_bitwise_xor(tape, i, n), RG_ERROR_DTYPE, "bitwise_xor: ", "i64", "i32");
    REFUSED(rg_bitwise_left_shift(tape, b, b), RG_ERROR_DTYPE, "bitwise_left_shift: ", "bool", "i32 or i64 is needed");
    REFUSED(rg_fmod(tape, b, b), RG_ERROR_DTYPE, "fmod: ", "bool", "f32, f64, i32 or i64");
    REFUSED(rg_remainder(tape, x, f), RG_ERROR_DTYPE, "remainder: ", "f64", "f32");
    REFUSED(rg_floor_divide(tape, i, n), RG_ERROR_DTYPE, "floor_divide: ", "i64", "i32");
    REFUSED(rg_lerp(tape, x, x, f), RG_ERROR_DTYPE, "lerp: ", "f64", "f32");
    REFUSED(rg_lerp_scalar(tape, i, i, 1), RG_ERROR_DTYPE, "lerp_scalar: ", "i64");
    REFUSED(rg_addcdiv(tape, i, i, i, 1), RG_ERROR_DTYPE, "addcdiv: ", "i64");
    REFUSED(rg_heaviside(tape, x, f), RG_ERROR_DTYPE, "heaviside: ", "f64", "f32");
    REFUSED(rg_clamp_tensor(tape, x, RG_NIL, f), RG_ERROR_DTYPE, "clamp_tensor: ", "f64", "f32");
    REFUSED(rg_fmax(tape, b, b), RG_ERROR_DTYPE, "fmax: ", "bool");
    REFUSED(rg_signbit(tape, b), RG_ERROR_DTYPE, "signbit: ", "bool", "f32, f64, i32 or i64");
    REFUSED(rg_prelu(tape, x, f), RG_ERROR_DTYPE, "prelu: ", "f64", "f32");
    REFUSED(rg_gelu_tanh(tape, i), RG_ERROR_DTYPE, "gelu_tanh: ", "i64", "f32 or f64");
    REFUSED(rg_lgamma(tape, i), RG_ERROR_DTYPE, "lgamma: ", "i64", "f32 or f64");
    REFUSED(rg_float_power(tape, b, x), RG_ERROR_DTYPE, "float_power: ", "bool");
    REFUSED(rg_xlogy(tape, i, i), RG_ERROR_DTYPE, "xlogy: ", "i64");
}

/* ---- quotients of integers ---- */

static void a_divisor_of_zero_is_an_error_when_the_value_is_computed(void **state)
{
    (void)state;
    const struct {
        rg_tensor (*op)(rg_tape *t, rg_tensor a, rg_tensor b);
        const char *name;
    } ops[] = {{rg_fmod, "fmod_integers: "},
               {rg_remainder, "remainder_integers: "},
               {rg_floor_divide, "floor_divide_integers: "}};
    for (size_t k = 0; k < COUNT(ops); k++) {
        const rg_tensor a = I64(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), b = I64(RG_SHAPE(3), 7, 0, 9);
        const rg_tensor narrow = rg_cast(tape, a, RG_I32), none = rg_slice(tape, a, 0, 0, 0, 1);
        const rg_tensor y = ops[k].op(tape, a, b);
        assert_tape_ok(tape); /* recorded */
        assert_null(rg_data(tape, y));
        assert_error(tape, RG_ERROR_VALUE, WORDS(ops[k].name, "division by zero", "element 1", "[3]"));
        assert_null(rg_data(tape, ops[k].op(tape, narrow, rg_constant(tape, RG_I32, 0))));
        assert_error(tape, RG_ERROR_VALUE, WORDS(ops[k].name, "division by zero"));
        assert_int_equal(rg_numel(tape, ops[k].op(tape, none, b)), 0);
        assert_true(rg_read(tape, ops[k].op(tape, none, b), NULL, 0)); /* nothing is divided */
        assert_tape_ok(tape);
        rg_tape_reset(tape);
    }
}

static void the_least_integer_over_minus_one_wraps(void **state)
{
    (void)state;
    const rg_tensor a = I64(RG_SHAPE(2), INT64_MIN, INT64_MAX), b = I64(RG_SHAPE(1), -1);
    const rg_tensor c = I32(RG_SHAPE(2), INT32_MIN, 5), d = I32(RG_SHAPE(1), -1);
    int64_t wide[2];
    assert_true(rg_read(tape, rg_floor_divide(tape, a, b), wide, sizeof wide));
    assert_true(wide[0] == INT64_MIN && wide[1] == -INT64_MAX);
    assert_values(rg_remainder(tape, a, b), 0, 0);
    assert_values(rg_fmod(tape, a, b), 0, 0);
    assert_values(rg_floor_divide(tape, c, d), INT32_MIN, -5);
    assert_values(rg_remainder(tape, c, d), 0, 0);
    assert_values(rg_fmod(tape, c, d), 0, 0);
}

/* a = q b + r, where r lies between 0 and b; and for fmod between 0 and a. */
static void quotients_and_remainders_of_integers_are_as_defined(void **state)
{
    (void)state;
    enum { FROM = -9, MANY = 19 };
    int64_t all[MANY], divisors[MANY - 1], q[MANY][MANY - 1], r[MANY][MANY - 1], m[MANY][MANY - 1];
    for (int i = 0, k = 0; i < MANY; i++) {
        all[i] = FROM + i;
        if (all[i])
            divisors[k++] = all[i];
    }
    for (int narrow = 0; narrow < 2; narrow++) {
        rg_tensor a = rg_input_i64(tape, RG_SHAPE(MANY, 1), all), b = rg_input_i64(tape, RG_SHAPE(MANY - 1), divisors);
        if (narrow) {
            a = rg_cast(tape, a, RG_I32);
            b = rg_cast(tape, b, RG_I32);
        }
        assert_true(rg_read(tape, rg_cast(tape, rg_floor_divide(tape, a, b), RG_I64), q, sizeof q));
        assert_true(rg_read(tape, rg_cast(tape, rg_remainder(tape, a, b), RG_I64), r, sizeof r));
        assert_true(rg_read(tape, rg_cast(tape, rg_fmod(tape, a, b), RG_I64), m, sizeof m));
        for (int i = 0; i < MANY; i++)
            for (int k = 0; k < MANY - 1; k++) {
                assert_int_equal(q[i][k] * divisors[k] + r[i][k], all[i]);
                assert_true(divisors[k] > 0 ? r[i][k] >= 0 && r[i][k] < divisors[k]
                                            : r[i][k] <= 0 && r[i][k] > divisors[k]);
                assert_int_equal((all[i] - m[i][k]) % divisors[k], 0);
                assert_true(llabs(m[i][k]) < llabs(divisors[k]) && (m[i][k] == 0 || (m[i][k] < 0) == (all[i] < 0)));
            }
    }
}

/* 0.3 / 0.1 rounds to 3, but three times 0.1 is more than 0.3: the derivative knows. */
static void the_gradient_of_fmod_is_the_quotient_that_was_taken(void **state)
{
    (void)state;
    const rg_tensor a = F64(RG_SHAPE(3), .3, -.3, 1), b = F64(RG_SHAPE(3), .1, .1, .1);
    rg_tensor grad[2];
    assert_true(rg_grad(tape, total(rg_fmod(tape, a, b)), (rg_tensor[]){a, b}, 2, grad));
    assert_values(grad[1], -2, 2, -9);
    assert_true(rg_grad(tape, total(rg_remainder(tape, a, b)), (rg_tensor[]){a, b}, 2, grad));
    assert_values(grad[1], -2, 3, -9);
    assert_values(grad[0], 1, 1, 1);
}

/* ---- dtypes ---- */

static void float_power_is_of_f64_whatever_it_is_given(void **state)
{
    (void)state;
    const rg_tensor y = rg_float_power(tape, I32(RG_SHAPE(3), 2, 3, -2), F32(RG_SHAPE(3), .5f, -1, 2));
    assert_int_equal(rg_dtype_of(tape, y), RG_F64);
    assert_values(y, sqrt(2), 1. / 3, 4);
    const rg_tensor x = F32(RG_SHAPE(2), 2, 3);
    rg_tensor grad;
    assert_true(rg_grad(tape, total(rg_float_power(tape, x, rg_constant(tape, RG_I64, 2))), &x, 1, &grad));
    assert_int_equal(rg_dtype_of(tape, grad), RG_F32);
    assert_values(grad, 4, 6);
}

static void integers_and_bools_are_finite(void **state)
{
    (void)state;
    static const bool truth[] = {true, false};
    const rg_tensor x[] = {I32(RG_SHAPE(2), INT32_MIN, INT32_MAX), I64(RG_SHAPE(2), INT64_MIN, INT64_MAX),
                           rg_input_bool(tape, RG_SHAPE(2), truth)};
    for (size_t i = 0; i < COUNT(x); i++) {
        assert_values(rg_isnan(tape, x[i]), 0, 0);
        assert_values(rg_isinf(tape, x[i]), 0, 0);
        assert_values(rg_isposinf(tape, x[i]), 0, 0);
        assert_values(rg_isneginf(tape, x[i]), 0, 0);
        assert_values(rg_isfinite(tape, x[i]), 1, 1);
    }
    assert_values(rg_nan_to_num(tape, x[0], 7, 8, 9), INT32_MIN, INT32_MAX);
}

static void infinities_become_the_largest_numbers_of_the_dtype(void **state)
{
    (void)state;
    const double none = (double)NAN, top = (double)INFINITY;
    assert_values(rg_nan_to_num(tape, F32(RG_SHAPE(3), NAN, INFINITY, -INFINITY), 1, none, none), 1, FLT_MAX, -FLT_MAX);
    assert_values(rg_nan_to_num(tape, F64(RG_SHAPE(3), none, top, -top), 1, none, none), 1, DBL_MAX, -DBL_MAX);
}

/* ---- special functions: identities, over random arguments ---- */

enum { DRAWS = 500 };

static rg_tensor uniform(double low, double high)
{
    return rg_add_scalar(tape, rg_mul_scalar(tape, rg_rand(tape, RG_F64, RG_SHAPE(DRAWS)), high - low), low);
}

/* |a - b| is at most `tolerance` times the scale, element by element. */
static void assert_close(rg_tensor a, rg_tensor b, rg_tensor scale, double tolerance, const char *what)
{
    const rg_tensor error = rg_div(tape, rg_abs(tape, rg_sub(tape, a, b)), rg_abs(tape, scale));
    const double worst = rg_item(tape, rg_max(tape, error, RG_ALL, false));
    assert_tape_ok(tape);
    if (!(worst <= tolerance))
        fail_msg("%s: off by %g", what, worst);
}

static rg_tensor plus(rg_tensor x, double c)
{
    return rg_add_scalar(tape, x, c);
}

static void gamma_functions_obey_their_recurrences(void **state)
{
    (void)state;
    const double ranges[][2] = {{.01, 1}, {1, 3}, {3, 20}, {20, 1e4}, {-8, -.01}};
    for (size_t i = 0; i < COUNT(ranges); i++) {
        const rg_tensor x = uniform(ranges[i][0], ranges[i][1]), inverse = rg_reciprocal(tape, x);
        const rg_tensor size = rg_add_scalar(tape, rg_abs(tape, rg_lgamma(tape, x)), 1);
        assert_close(rg_lgamma(tape, plus(x, 1)), rg_add(tape, rg_lgamma(tape, x), rg_log(tape, rg_abs(tape, x))), size,
                     1e-13, "lgamma");
        const rg_tensor slopes = plus(rg_add(tape, rg_abs(tape, rg_digamma(tape, x)), rg_abs(tape, inverse)), 1);
        assert_close(rg_digamma(tape, plus(x, 1)), rg_add(tape, rg_digamma(tape, x), inverse), slopes, 1e-12, "digamma");
        rg_tensor step = inverse;
        for (int n = 1; n < 6; n++) { /* psi_n(x + 1) = psi_n(x) + (-1)^n n! x^-(n+1) */
            step = rg_mul_scalar(tape, rg_mul(tape, step, inverse), -n);
            const rg_tensor y = rg_polygamma(tape, n, x), scale = rg_add(tape, rg_abs(tape, y), rg_abs(tape, step));
            assert_close(rg_polygamma(tape, n, plus(x, 1)), rg_add(tape, y, step), scale, 1e-11, "polygamma");
        }
        rg_tape_reset(tape);
    }
}

static void polygamma_of_one_is_known(void **state)
{
    (void)state;
    /* pi^2/6; -2 zeta(3); pi^4/15; -24 zeta(5) */
    const double pi2 = M_PI * M_PI, zeta3 = 1.2020569031595942854, zeta5 = 1.0369277551433699263;
    const rg_tensor one = F64(RG_SHAPE(1), 1);
    assert_values(rg_polygamma(tape, 0, one), -.57721566490153286061);
    assert_values(rg_polygamma(tape, 1, one), pi2 / 6);
    assert_values(rg_polygamma(tape, 2, one), -2 * zeta3);
    assert_values(rg_polygamma(tape, 3, one), pi2 * pi2 / 15);
    assert_values(rg_polygamma(tape, 4, one), -24 * zeta5);
    /* n! = 171! is more than a double holds, but 171! 4^-172 (1 + (4/5)^172 + ..) is not. */
    const double large = rg_item(tape, rg_polygamma(tape, 171, F64(RG_SHAPE(1), 4)));
    assert_true(fabs(log(large) - (lgamma(172) - 172 * log(4))) < 1e-10);
    assert_true(rg_item(tape, rg_polygamma(tape, INT32_MAX, F64(RG_SHAPE(1), 2))) == (double)INFINITY);
    assert_number(rg_item(tape, rg_polygamma(tape, 3, F64(RG_SHAPE(1), (double)INFINITY))), 0);
}

static void the_zero_of_digamma_is_exact(void **state)
{
    (void)state;
    const double x = 1.4616321449683622;
    const double y = rg_item(tape, rg_digamma(tape, F64(RG_SHAPE(1), x)));
    assert_true(fabs(y / -9.2412655217294275e-17 - 1) < 1e-10);
}

static void erfinv_undoes_erf(void **state)
{
    (void)state;
    const rg_tensor x = uniform(-3, 3), small = rg_mul_scalar(tape, uniform(.5, 1), 1e-200);
    /* Near 1, erf(x) holds ever fewer digits of x: its slope says how many. */
    const rg_tensor slope = rg_exp(tape, rg_neg(tape, rg_square(tape, x)));
    assert_close(rg_erfinv(tape, rg_erf(tape, x)), x, rg_reciprocal(tape, slope), 1e-15, "erfinv(erf)");
    const rg_tensor y = uniform(-1, 1);
    assert_close(rg_erf(tape, rg_erfinv(tape, y)), y, y, 1e-13, "erf(erfinv)");
    assert_close(rg_erfinv(tape, rg_erf(tape, small)), small, small, 1e-15, "erfinv of small numbers");
    assert_close(rg_add(tape, rg_erfc(tape, x), rg_erf(tape, x)), rg_ones_like(tape, x), rg_ones_like(tape, x), 1e-15,
                 "erfc");
}

static void inverse_functions_undo_each_other(void **state)
{
    (void)state;
    static rg_tensor (*const pairs[][2])(rg_tape *, rg_tensor) = {
        {rg_sin, rg_asin},   {rg_cos, rg_acos},   {rg_tan, rg_atan},  {rg_sinh, rg_asinh},
        {rg_cosh, rg_acosh}, {rg_tanh, rg_atanh}, {rg_exp2, rg_log2}, {rg_deg2rad, rg_rad2deg}};
    const rg_tensor x = uniform(.1, 1.5);
    for (size_t i = 0; i < COUNT(pairs); i++)
        assert_close(pairs[i][1](tape, pairs[i][0](tape, x)), x, x, 1e-13, "an inverse function");
}

/* ---- derivatives where compositions would fail ---- */

/* d^n y/dx^n at the only element of x. */
static double derivative(rg_tensor (*f)(rg_tape *, rg_tensor), double at, int n)
{
    const rg_tensor x = F64(RG_SHAPE(1), at);
    rg_tensor y = f(tape, x);
    for (int k = 0; k < n; k++)
        assert_true(rg_grad(tape, total(y), &x, 1, &y));
    return rg_item(tape, y);
}

static void derivatives_of_sinc_are_exact_at_zero_and_near(void **state)
{
    (void)state;
    const double pi2 = M_PI * M_PI;
    const double expected[] = {1, 0, -pi2 / 3, 0, pi2 * pi2 / 5, 0, -pi2 * pi2 * pi2 / 7};
    for (int n = 0; n < (int)COUNT(expected); n++)
        assert_true(fabs(derivative(rg_sinc, 0, n) - expected[n]) <= 1e-13 * fabs(expected[n]));
    assert_true(fabs(derivative(rg_sinc, 1e-9, 1) / (-pi2 / 3 * 1e-9) - 1) < 1e-12);
    /* On both sides of where the series ends, |pi x| = n. */
    for (int n = 1; n < 6; n++) {
        const double x = n / M_PI, below = derivative(rg_sinc, x * (1 - 1e-9), n),
                     above = derivative(rg_sinc, x * (1 + 1e-9), n);
        assert_true(fabs(below - above) < 1e-7 * (fabs(above) + pow(M_PI, n)));
    }
}

static rg_tensor logaddexp_with_half(rg_tape *t, rg_tensor x)
{
    return rg_logaddexp(t, x, rg_constant(t, RG_F64, .5));
}

static void logaddexp_has_its_curvature_at_ties(void **state)
{
    (void)state;
    assert_number(derivative(logaddexp_with_half, .5, 1), .5);
    assert_number(derivative(logaddexp_with_half, .5, 2), .25);
}

/* What is far out has no influence: an infinite exponential on the side that is not taken makes no NaN. */
static void units_have_finite_gradients_far_out(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(4), -1e5, 1e5, -800, 800);
    rg_tensor grad;
    assert_true(rg_grad(tape, total(rg_elu(tape, x, 1)), &x, 1, &grad));
    assert_values(grad, 0, 1, 0, 1);
    assert_true(rg_grad(tape, total(rg_celu(tape, x, .5)), &x, 1, &grad));
    assert_values(grad, 0, 1, 0, 1);
    assert_true(rg_grad(tape, total(rg_gelu_tanh(tape, x)), &x, 1, &grad));
    assert_values(grad, 0, 1, 0, 1);
    assert_true(rg_grad(tape, total(rg_mish(tape, x)), &x, 1, &grad));
    assert_values(grad, 0, 1, 0, 1);
    assert_true(rg_grad(tape, total(rg_logsigmoid(tape, x)), &x, 1, &grad));
    assert_values(grad, 1, 0, 1, 0);
    const rg_tensor w = F64(RG_SHAPE(1), .25), y = F64(RG_SHAPE(2), (double)INFINITY, -1);
    assert_true(rg_grad(tape, total(rg_prelu(tape, y, w)), &w, 1, &grad));
    assert_values(grad, -1);
}

/* ---- rrelu ---- */

/* Slopes of n negative elements. */
static void slopes_of(rg_tape *t, rg_dtype dtype, double *out, int n)
{
    const rg_tensor x = rg_full(t, dtype, RG_SHAPE(n), -1);
    const rg_tensor y = rg_rrelu(t, x, .125, .5, true);
    assert_true(rg_read(t, rg_cast(t, rg_neg(t, y), RG_F64), out, (size_t)n * sizeof *out));
}

static void random_slopes_are_uniform_reproducible_and_the_gradient(void **state)
{
    (void)state;
    enum { N = 4000 };
    static double first[N], again[N], other[N], single[N], second[N], gradient[N];
    rg_tape *t[3];
    for (int i = 0; i < 3; i++)
        assert_non_null(t[i] = rg_tape_new(&(rg_tape_config){.seed = i == 2 ? 8 : 7, .threads = i + 1}));
    slopes_of(t[0], RG_F64, first, N);
    slopes_of(t[0], RG_F64, second, N); /* another call draws anew */
    slopes_of(t[1], RG_F64, again, N);
    slopes_of(t[2], RG_F64, other, N);
    assert_memory_equal(first, again, sizeof first);
    assert_true(memcmp(first, second, sizeof first) != 0 && memcmp(first, other, sizeof first) != 0);
    rg_tape_free(t[1]);
    t[1] = rg_tape_new(&(rg_tape_config){.seed = 7});
    slopes_of(t[1], RG_F32, single, N);
    double sum = 0;
    for (int i = 0; i < N; i++) {
        assert_true(first[i] >= .125 && first[i] < .5);
        assert_true(single[i] == (double)(float)first[i]);
        sum += first[i];
    }
    assert_true(fabs(sum / N - .3125) < 5 * .375 / sqrt(12. * N));

    rg_tape_free(t[1]);
    t[1] = rg_tape_new(&(rg_tape_config){.seed = 7});
    const rg_tensor x = rg_full(t[1], RG_F64, RG_SHAPE(N), -1), y = rg_rrelu(t[1], x, .125, .5, true);
    rg_tensor grad;
    assert_true(rg_grad(t[1], rg_sum(t[1], y, RG_ALL, false), &x, 1, &grad));
    assert_true(rg_read(t[1], grad, gradient, sizeof gradient));
    assert_memory_equal(first, gradient, sizeof first);
    for (int i = 0; i < 3; i++)
        rg_tape_free(t[i]);
    assert_values(rg_rrelu(tape, F64(RG_SHAPE(3), 2, 0, 7), .125, .5, true), 2, 0, 7);
    assert_values(rg_rrelu(tape, F64(RG_SHAPE(2), -4, 8), .125, .375, false), -1, 8);
}

/* ---- layouts and threads ---- */

static void a_weight_of_prelu_belongs_to_its_channel(void **state)
{
    (void)state;
    const rg_tensor x = rg_full(tape, RG_F64, RG_SHAPE(2, 3, 1, 2), -1), w = F64(RG_SHAPE(3), 2, 3, 5);
    assert_values(rg_prelu(tape, x, w), -2, -2, -3, -3, -5, -5, -2, -2, -3, -3, -5, -5);
}

static void shifts_keep_to_their_bits(void **state)
{
    (void)state;
    const rg_tensor x = I32(RG_SHAPE(4, 1), 1, -1, INT32_MIN, INT32_MAX), by = I32(RG_SHAPE(4), -1, 31, 32, INT32_MIN);
    assert_values(rg_bitwise_left_shift(tape, x, by), 0, INT32_MIN, 0, 0, 0, INT32_MIN, 0, 0, 0, 0, 0, 0, 0, INT32_MIN,
                  0, 0);
    assert_values(rg_bitwise_right_shift(tape, x, by), 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0);
}

/* The op of many elements in (.1, .9), as they are and transposed, where each argument's domain allows them. */
static void *values_of(const rg_op *op, int threads, bool eager, size_t *bytes)
{
    enum { ROWS = 300, COLUMNS = 211 };
    rg_tape *t = rg_tape_new(&(rg_tape_config){.seed = 5, .threads = threads, .eager = eager});
    assert_non_null(t);
    rg_tensor x[3], y;
    for (int i = 0; i < op->least_inputs; i++) {
        x[i] = rg_add_scalar(t, rg_mul_scalar(t, rg_rand(t, RG_F32, RG_SHAPE(ROWS, COLUMNS)), .8), .1);
        if (!op->dtype[RG_F32])
            x[i] = rg_cast(t, rg_mul_scalar(t, x[i], 1000), RG_I64);
        if (i == 1)
            x[i] = rg_transpose(t, rg_contiguous(t, rg_transpose(t, x[i], 0, 1)), 0, 1);
    }
    const char *attributes = strcmp(op->name, "polygamma") == 0     ? "n=1"
                             : strcmp(op->name, "threshold") == 0   ? "threshold=0.5 value=0.25"
                             : strcmp(op->name, "lerp_scalar") == 0 ? "weight=0.25"
                             : strcmp(op->name, "rrelu") == 0       ? "training=true"
                                                                    : NULL;
    if (rg_apply(t, op->name, x, op->least_inputs, attributes, &y, 1) != 1)
        fail_msg("%s", rg_tape_error(t));
    *bytes = (size_t)rg_numel(t, y) * rg_dtype_size(rg_dtype_of(t, y));
    void *out = malloc(*bytes);
    assert_non_null(out);
    if (!rg_read(t, y, out, *bytes))
        fail_msg("%s: %s", op->name, rg_tape_error(t));
    rg_tape_free(t);
    return out;
}

static void one_thread_and_two_give_the_same_bits(void **state)
{
    (void)state;
    static const char *const names[] = {"exp2",         "log2",        "log10",
                                        "asin",         "acos",        "atan",
                                        "sinh",         "cosh",        "asinh",
                                        "atanh",        "sinc",        "deg2rad",
                                        "trunc",        "frac",        "atan2",
                                        "hypot",        "logaddexp",   "logaddexp2",
                                        "copysign",     "fmod",        "remainder",
                                        "floor_divide", "heaviside",   "fmax",
                                        "float_power",  "lerp",        "lerp_scalar",
                                        "addcmul",      "addcdiv",     "isnan",
                                        "signbit",      "nan_to_num",  "lgamma",
                                        "digamma",      "polygamma",   "erfc",
                                        "erfinv",       "logit",       "xlogy",
                                        "relu6",        "hardswish",   "elu",
                                        "selu",         "celu",        "mish",
                                        "softshrink",   "threshold",   "rrelu",
                                        "logsigmoid",   "gelu_tanh",   "softplus_scaled",
                                        "bitwise_and",  "bitwise_not", "bitwise_left_shift"};
    for (size_t i = 0; i < COUNT(names); i++) {
        rg_op op;
        size_t bytes, bytes2;
        assert_true(rg_op_find(names[i], &op));
        void *one = values_of(&op, 1, false, &bytes), *two = values_of(&op, 2, false, &bytes2);
        assert_int_equal(bytes, bytes2);
        if (memcmp(one, two, bytes) != 0)
            fail_msg("%s differs for 1 and 2 threads", names[i]);
        free(one);
        free(two);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(attributes_out_of_range_are_refused),
        TAPE_TEST(shapes_that_do_not_fit_are_refused),
        TAPE_TEST(dtypes_that_do_not_fit_are_refused_by_the_op_itself),
        TAPE_TEST(a_divisor_of_zero_is_an_error_when_the_value_is_computed),
        TAPE_TEST(the_least_integer_over_minus_one_wraps),
        TAPE_TEST(quotients_and_remainders_of_integers_are_as_defined),
        TAPE_TEST(the_gradient_of_fmod_is_the_quotient_that_was_taken),
        TAPE_TEST(float_power_is_of_f64_whatever_it_is_given),
        TAPE_TEST(integers_and_bools_are_finite),
        TAPE_TEST(infinities_become_the_largest_numbers_of_the_dtype),
        TAPE_TEST(gamma_functions_obey_their_recurrences),
        TAPE_TEST(polygamma_of_one_is_known),
        TAPE_TEST(the_zero_of_digamma_is_exact),
        TAPE_TEST(erfinv_undoes_erf),
        TAPE_TEST(inverse_functions_undo_each_other),
        TAPE_TEST(derivatives_of_sinc_are_exact_at_zero_and_near),
        TAPE_TEST(logaddexp_has_its_curvature_at_ties),
        TAPE_TEST(units_have_finite_gradients_far_out),
        TAPE_TEST(random_slopes_are_uniform_reproducible_and_the_gradient),
        TAPE_TEST(a_weight_of_prelu_belongs_to_its_channel),
        TAPE_TEST(shifts_keep_to_their_bits),
        TAPE_TEST(one_thread_and_two_give_the_same_bits),
    };
    return cmocka_run_group_tests_name("math", tests, NULL, NULL);
}
