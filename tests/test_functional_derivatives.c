/* Derivatives as tensors: products with Jacobians and Hessians, and these themselves. PyTorch's numbers are among the
 * golden cases; here is what has a formula, what is an error, and what holds between them. */
#include "tape_support.h"

/* ---- products ---- */

/* y = (x0^2 w0, x0 sin w1): [2] */
static rg_tensor two(rg_tensor x, rg_tensor w)
{
    rg_tensor parts[2] = {rg_mul(tape, rg_square(tape, x), rg_select(tape, w, 0, 0)),
                          rg_mul(tape, x, rg_sin(tape, rg_select(tape, w, 0, 1)))};
    return rg_stack(tape, parts, 2, 0);
}

static void products_with_a_jacobian_follow_the_formula(void **state)
{
    (void)state;
    rg_tensor x[2] = {F64(RG_SCALAR, 3), F64(RG_SHAPE(2), 2, .5)}, g[2], y = two(x[0], x[1]);
    assert_true(rg_vjp(tape, y, F64(RG_SHAPE(2), 1, 10), x, 2, g));
    assert_values(g[0], 12 + 10 * sin(.5));
    assert_values(g[1], 9, 30 * cos(.5));
    rg_tensor v[2] = {F64(RG_SCALAR, 1), F64(RG_SHAPE(2), 10, 100)};
    assert_values(rg_jvp(tape, y, x, 2, v), 12 + 90, sin(.5) + 300 * cos(.5));
    v[0] = RG_NIL;
    assert_values(rg_jvp(tape, y, x, 2, v), 90, 300 * cos(.5));
    v[1] = RG_NIL;
    assert_values(rg_jvp(tape, y, x, 2, v), 0, 0);
    assert_values(rg_jvp(tape, y, NULL, 0, NULL), 0, 0);
    /* a tangent of something that y does not depend on */
    rg_tensor other = F64(RG_SHAPE(3), 1, 2, 3), ones = rg_ones_like(tape, other);
    assert_values(rg_jvp(tape, y, &other, 1, &ones), 0, 0);
}

static void a_jvp_can_be_differentiated(void **state)
{
    (void)state;
    rg_tensor x = F64(RG_SHAPE(2), .5, 2), v = F64(RG_SHAPE(2), 3, -1), g[2], by[2] = {x, v};
    rg_tensor d = rg_jvp(tape, rg_mul(tape, rg_square(tape, x), x), &x, 1, &v); /* 3 x^2 v */
    assert_values(d, 2.25, -12);
    assert_true(rg_grad(tape, total(d), by, 2, g));
    assert_values(g[0], 9, -12); /* 6 x v */
    assert_values(g[1], .75, 12);
    rg_tensor again = rg_jvp(tape, d, &x, 1, &v); /* 6 x v^2 */
    assert_values(again, 27, 12);
    assert_values(rg_jvp(tape, again, &x, 1, &v), 6 * 27, -6);
}

static void a_hessian_and_its_product_with_a_vector_follow_the_formula(void **state)
{
    (void)state;
    /* y = a^2 b + b^3 c: Hessian by (a, b) and c */
    rg_tensor ab = F64(RG_SHAPE(2), 2, 3), c = F64(RG_SHAPE(1), 5), x[2] = {ab, c}, h[4], p[2];
    rg_tensor a = rg_select(tape, ab, 0, 0), b = rg_select(tape, ab, 0, 1);
    rg_tensor y = rg_add(tape, rg_mul(tape, rg_square(tape, a), b),
                         rg_mul(tape, rg_pow_scalar(tape, b, 3), rg_reshape(tape, c, RG_SCALAR)));
    assert_true(rg_hessian(tape, y, x, 2, h));
    assert_values(h[0], 6, 4, 4, 90);
    assert_values(h[1], 0, 27);
    assert_shape(h[1], 2, 1);
    assert_values(h[2], 0, 27);
    assert_shape(h[2], 1, 2);
    assert_values(h[3], 0);
    rg_tensor v[2] = {F64(RG_SHAPE(2), 1, 10), F64(RG_SHAPE(1), 100)};
    assert_true(rg_hvp(tape, y, x, 2, v, p));
    assert_values(p[0], 46, 904 + 2700);
    assert_values(p[1], 270);
    assert_true(rg_hvp(tape, y, x, 2, (const rg_tensor[]){RG_NIL, RG_NIL}, p));
    assert_values(p[0], 0, 0);
    assert_values(p[1], 0);
    assert_true(rg_hessian(tape, y, NULL, 0, NULL));
}

/* ---- Jacobians ---- */

static rg_tensor mixing(rg_tensor x, int64_t rows)
{
    return rg_tanh(tape, rg_matmul(tape, rg_reshape(tape, rg_linspace(tape, RG_F64, -1, 1, rows * 6), RG_SHAPE(rows, 6)),
                                   rg_reshape(tape, x, RG_SHAPE(6))));
}

/* Wide ones are computed by rows, tall ones by columns: both are what vjp and jvp say. */
static void jacobians_of_all_forms_agree_with_the_products(void **state)
{
    (void)state;
    const int64_t forms[] = {1, 2, 6, 11, 12, 13, 14, 40};
    for (size_t k = 0; k < COUNT(forms); k++) {
        const int64_t rows = forms[k];
        rg_tape_reset(tape);
        rg_tensor x = rg_transpose(tape, F64(RG_SHAPE(2, 3), .1, -.2, .3, .4, -.5, .6), 0, 1), j, row;
        rg_tensor y = rg_reshape(tape, mixing(x, rows), RG_SHAPE(1, rows)),
                  v = rg_reshape(tape, rg_arange(tape, RG_F64, 1, 7, 1), RG_SHAPE(3, 2));
        assert_true(rg_jacobian(tape, y, &x, 1, &j));
        assert_shape(j, 1, rows, 3, 2);
        rg_tensor flat = rg_reshape(tape, j, RG_SHAPE(rows, 6));
        rg_tensor along = rg_matmul(tape, flat, rg_reshape(tape, v, RG_SHAPE(6)));
        rg_tensor difference = rg_sub(tape, rg_reshape(tape, rg_jvp(tape, y, &x, 1, &v), RG_SHAPE(rows)), along);
        assert_true(rg_item(tape, rg_max(tape, rg_abs(tape, difference), RG_ALL, false)) < 1e-14);
        rg_tensor c = rg_reshape(tape, rg_cos(tape, rg_arange(tape, RG_F64, 0, (double)rows, 1)), RG_SHAPE(1, rows));
        assert_true(rg_vjp(tape, y, c, &x, 1, &row));
        rg_tensor across = rg_matmul(tape, rg_reshape(tape, c, RG_SHAPE(rows)), flat);
        difference = rg_sub(tape, rg_reshape(tape, row, RG_SHAPE(6)), across);
        assert_true(rg_item(tape, rg_max(tape, rg_abs(tape, difference), RG_ALL, false)) < 1e-13);
    }
}

static rg_tensor jacobian_of_mixing(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    const bool tall = user != NULL;
    rg_tensor j[2], y = rg_sin(t, rg_mul(t, rg_unsqueeze(t, x[0], 1), x[1]));
    (void)count;
    if (tall)
        y = rg_reshape(t, rg_stack(t, (const rg_tensor[]){y, rg_square(t, y), rg_exp(t, y)}, 3, 0), RG_SHAPE(-1));
    if (!rg_jacobian(t, y, x, 2, j))
        return RG_NIL;
    return rg_cat(t, (const rg_tensor[]){rg_reshape(t, j[0], RG_SHAPE(-1)), rg_reshape(t, j[1], RG_SHAPE(-1))}, 2, 0);
}

static void jacobians_can_be_differentiated_twice(void **state)
{
    (void)state;
    const double x[] = {.3, -.8}, w[] = {1.1, .7, -.4};
    const rg_array in[] = {{RG_F64, RG_SHAPE(2), x}, {RG_F64, RG_SHAPE(3), w}};
    for (int tall = 0; tall < 2; tall++) {
        rg_gradcheck_report r;
        if (!rg_gradcheck(jacobian_of_mixing, tall ? &r : NULL, in, 2, NULL, &r) ||
            !rg_gradcheck2(jacobian_of_mixing, tall ? &r : NULL, in, 2, NULL, &r))
            fail_msg("tall %d: %s", tall, r.message);
    }
}

static void empty_scalar_and_high_rank_tensors_have_jacobians(void **state)
{
    (void)state;
    rg_tensor x = F64(RG_SCALAR, 2), j[2], empty = rg_zeros(tape, RG_F64, RG_SHAPE(0, 2)), by[2];
    assert_true(rg_jacobian(tape, rg_square(tape, x), &x, 1, j));
    assert_values(j[0], 4);
    assert_true(rg_shape_equal(rg_shape_of(tape, j[0]), RG_SCALAR));
    by[0] = x, by[1] = empty;
    assert_true(rg_jacobian(tape, rg_mul(tape, x, F64(RG_SHAPE(2), 3, 4)), by, 2, j));
    assert_values(j[0], 3, 4);
    assert_shape(j[1], 2, 0, 2);
    assert_true(rg_jacobian(tape, rg_mul(tape, empty, x), by, 2, j));
    assert_shape(j[0], 0, 2);
    assert_shape(j[1], 0, 2, 0, 2);
    rg_tensor deep = rg_reshape(tape, F64(RG_SHAPE(2), 5, 6), RG_SHAPE(1, 1, 1, 2, 1, 1, 1, 1));
    assert_true(rg_jacobian(tape, total(rg_square(tape, deep)), &deep, 1, j));
    assert_values(j[0], 10, 12);
    assert_shape(j[0], 1, 1, 1, 2, 1, 1, 1, 1);
    assert_true(rg_jacobian(
        tape, rg_mul(tape, rg_reshape(tape, rg_arange(tape, RG_F64, 0, 4, 1), RG_SHAPE(1, 1, 1, 1, 2, 1, 1, 2)), x), &x,
        1, j));
    assert_values(j[0], 0, 1, 2, 3);
}

static void f32_by_f64_has_the_dtype_of_what_it_is_by(void **state)
{
    (void)state;
    rg_tensor x = F32(RG_SHAPE(1), 3), j;
    rg_tensor y = rg_mul(tape, rg_cast(tape, x, RG_F64), F64(RG_SHAPE(5), 1, 2, 3, 4, 5)); /* by columns */
    assert_true(rg_jacobian(tape, y, &x, 1, &j));
    assert_int_equal(rg_dtype_of(tape, j), RG_F32);
    assert_values(j, 1, 2, 3, 4, 5);
    rg_tensor d = rg_jvp(tape, y, &x, 1, &x);
    assert_int_equal(rg_dtype_of(tape, d), RG_F64);
    assert_values(d, 3, 6, 9, 12, 15);
}

/* What depends on x stands still while H v is taken. */
static void a_vector_that_depends_on_x_is_a_constant_of_the_product(void **state)
{
    (void)state;
    rg_tensor x = F64(RG_SHAPE(2), 2, 3), v = rg_square(tape, x), p, g;
    assert_true(rg_hvp(tape, total(rg_pow_scalar(tape, x, 3)), &x, 1, &v, &p)); /* 6 x v */
    assert_values(p, 48, 162);
    assert_true(rg_grad(tape, total(p), &x, 1, &g)); /* of 6 x^3 */
    assert_values(g, 72, 162);
}

static void sections_without_gradients_give_constants(void **state)
{
    (void)state;
    rg_tensor x = F64(RG_SHAPE(2), 2, 3), v = F64(RG_SHAPE(2), 1, 1), y = total(rg_pow_scalar(tape, x, 3)), h, p, g;
    rg_mode_push(tape, RG_NO_GRAD);
    assert_true(rg_hessian(tape, y, &x, 1, &h));
    assert_true(rg_hvp(tape, y, &x, 1, &v, &p));
    rg_tensor d = rg_jvp(tape, y, &x, 1, &v);
    rg_mode_pop(tape);
    assert_values(h, 12, 0, 0, 18);
    assert_values(p, 12, 18);
    assert_values(d, 39);
    assert_true(rg_grad(tape, rg_add(tape, total(p), d), &x, 1, &g));
    assert_values(g, 0, 0);
}

static rg_tensor cubed(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_pow_scalar(t, x[0], 3);
}

static void checkpoints_have_hessians_too(void **state)
{
    (void)state;
    rg_tensor x = F64(RG_SHAPE(2), 2, 3), h, v = F64(RG_SHAPE(2), 1, 10);
    rg_tensor y = rg_checkpoint(tape, cubed, &x, 1, NULL);
    assert_values(rg_jvp(tape, y, &x, 1, &v), 12, 270);
    assert_true(rg_hessian(tape, total(y), &x, 1, &h));
    assert_values(h, 12, 0, 0, 18);
}

/* ---- errors ---- */

static void bad_arguments_are_errors_in_the_functions_name(void **state)
{
    (void)state;
    rg_tensor x = F64(RG_SHAPE(2), 1, 2), y = rg_square(tape, x), whole = I64(RG_SHAPE(2), 1, 2), out[4] = {x, x, x, x};
    rg_tensor v3 = F64(RG_SHAPE(3), 1, 2, 3), single = F32(RG_SHAPE(2), 1, 2);
    assert_false(rg_vjp(tape, y, v3, &x, 1, out));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("vjp", "[3]", "[2]"));
    assert_true(rg_is_nil(out[0]));
    assert_true(rg_is_nil(rg_jvp(tape, y, &x, 1, &v3)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("jvp", "tangent 0", "[3]", "[2]"));
    assert_true(rg_is_nil(rg_jvp(tape, y, &x, 1, &single)));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("jvp", "tangent 0", "f32", "f64"));
    assert_true(rg_is_nil(rg_jvp(tape, y, &x, 1, NULL)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("jvp", "NULL"));
    assert_true(rg_is_nil(rg_jvp(tape, y, NULL, 1, &x)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("jvp", "NULL"));
    assert_true(rg_is_nil(rg_jvp(tape, whole, &x, 1, &x)));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("jvp", "i64"));
    assert_false(rg_jacobian(tape, y, &whole, 1, out));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("jacobian", "i64"));
    assert_false(rg_jacobian(tape, y, &x, -1, out));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("jacobian", "-1"));
    assert_false(rg_jacobian(tape, y, &x, 1, NULL));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("jacobian", "NULL"));
    rg_tensor deep = rg_reshape(tape, x, RG_SHAPE(1, 1, 1, 1, 2)), high = rg_reshape(tape, x, RG_SHAPE(1, 1, 1, 2));
    assert_false(rg_jacobian(tape, high, &deep, 1, out));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("jacobian", "rank 9", "8"));
    out[0] = x;
    assert_false(rg_hessian(tape, y, &x, 1, out));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("hessian", "2 elements"));
    assert_true(rg_is_nil(out[0]));
    assert_false(rg_hessian(tape, total(rg_square(tape, deep)), &deep, 1, out));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("hessian", "rank 10"));
    assert_false(rg_hvp(tape, y, &x, 1, &x, out));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("hvp", "2 elements"));
    assert_false(rg_hvp(tape, RG_NIL, &x, 1, &x, out));
    assert_error(tape, RG_ERROR_HANDLE, WORDS("hvp", "nil"));
    assert_false(rg_hvp(NULL, y, &x, 1, &x, out));
    assert_true(rg_is_nil(out[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(products_with_a_jacobian_follow_the_formula),
        TAPE_TEST(a_jvp_can_be_differentiated),
        TAPE_TEST(a_hessian_and_its_product_with_a_vector_follow_the_formula),
        TAPE_TEST(jacobians_of_all_forms_agree_with_the_products),
        TAPE_TEST(jacobians_can_be_differentiated_twice),
        TAPE_TEST(empty_scalar_and_high_rank_tensors_have_jacobians),
        TAPE_TEST(f32_by_f64_has_the_dtype_of_what_it_is_by),
        TAPE_TEST(a_vector_that_depends_on_x_is_a_constant_of_the_product),
        TAPE_TEST(sections_without_gradients_give_constants),
        TAPE_TEST(checkpoints_have_hessians_too),
        TAPE_TEST(bad_arguments_are_errors_in_the_functions_name),
    };
    return cmocka_run_group_tests_name("functional derivatives", tests, NULL, NULL);
}
