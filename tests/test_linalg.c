/* Linear algebra and products of tensors: what holds of every factorisation, whatever the signs; what singular and equal
 * values do; errors and their words; the same bits for any number of threads. Values are held in the golden files. */
#include "tape_support.h"

#define REFUSED(expression, status, ...)                \
    do {                                                \
        assert_true(rg_is_nil(expression));             \
        assert_error(tape, status, WORDS(__VA_ARGS__)); \
    } while (0)

/* Recorded without complaint; computing it is the error. */
#define FAILS(expression, ...)                                  \
    do {                                                        \
        const rg_tensor fails_x = (expression);                 \
        assert_tape_ok(tape);                                   \
        assert_null(rg_data(tape, fails_x));                    \
        assert_error(tape, RG_ERROR_VALUE, WORDS(__VA_ARGS__)); \
    } while (0)

/* ---- what the tests are made of ---- */

static rg_tensor mm(rg_tensor a, rg_tensor b)
{
    return rg_matmul(tape, a, b);
}

static rg_tensor turned(rg_tensor x)
{
    return rg_transpose(tape, x, -1, -2);
}

/* Largest difference, in units of the dtype's epsilon times the larger extent of a matrix times the largest number. */
static double distance(rg_tensor a, rg_tensor b)
{
    assert_tape_ok(tape);
    assert_true(rg_shape_equal(rg_shape_of(tape, a), rg_shape_of(tape, b)));
    if (rg_numel(tape, a) == 0)
        return 0;
    const double epsilon = rg_dtype_of(tape, a) == RG_F32 ? 0x1p-23 : 0x1p-52;
    const rg_shape s = rg_shape_of(tape, a);
    const int64_t extent =
        s.rank ? (s.rank > 1 && s.dims[s.rank - 2] > s.dims[s.rank - 1] ? s.dims[s.rank - 2] : s.dims[s.rank - 1]) : 1;
    const double most = rg_item(tape, rg_max(tape, rg_abs(tape, b), RG_ALL, false));
    const double error = rg_item(tape, rg_max(tape, rg_abs(tape, rg_sub(tape, a, b)), RG_ALL, false));
    assert_tape_ok(tape);
    return error / (epsilon * (double)extent * fmax(most, 1));
}

#define assert_same(a, b)                                                       \
    do {                                                                        \
        const double same_d = distance((a), (b));                               \
        if (!(same_d <= 20))                                                    \
            fail_msg("%s and %s: %g times what rounding does", #a, #b, same_d); \
    } while (0)

static rg_tensor identity_like(rg_tensor x)
{
    const rg_shape s = rg_shape_of(tape, x);
    const int64_t n = s.dims[s.rank - 1];
    return rg_expand(tape, rg_eye(tape, rg_dtype_of(tape, x), n, n), s);
}

#define assert_orthonormal(q) assert_same(mm(turned(q), (q)), identity_like(mm(turned(q), (q))))

/* x [.., n] as the diagonal of matrices. */
static rg_tensor diagonal(rg_tensor x)
{
    const int64_t n = rg_dim(tape, x, -1);
    return rg_mul(tape, rg_unsqueeze(tape, x, -1), rg_eye(tape, rg_dtype_of(tape, x), n, n));
}

static void assert_triangular(rg_tensor x, bool upper)
{
    double v[VALUES_MOST];
    const int64_t total = read_values(tape, x, v), m = rg_dim(tape, x, -2), n = rg_dim(tape, x, -1);
    for (int64_t i = 0; i < total; i++) {
        const int64_t row = i / n % m, column = i % n;
        assert_true((upper ? row <= column : column <= row) || v[i] == 0);
    }
}

static void assert_ordered(rg_tensor x, bool upwards)
{
    double v[VALUES_MOST];
    const int64_t total = read_values(tape, x, v), n = rg_dim(tape, x, -1);
    for (int64_t i = 0; i + 1 < total; i++)
        assert_true((i + 1) % n == 0 || (upwards ? v[i] <= v[i + 1] : v[i] >= v[i + 1]));
}

static const rg_shape shapes[] = {{2, {5, 5}},    {2, {7, 3}},      {2, {3, 7}},    {2, {2, 3}},   {2, {1, 1}},
                                  {2, {1, 4}},    {2, {4, 1}},      {2, {3, 0}},    {2, {0, 3}},   {2, {0, 0}},
                                  {3, {0, 3, 2}}, {3, {3, 4, 2}},   {3, {2, 2, 5}}, {2, {40, 17}}, {2, {17, 40}},
                                  {2, {24, 24}},  {4, {2, 1, 3, 3}}};

/* Calls `check` on random matrices of all shapes, in f64 and f32, row-major and transposed. */
static void each_matrix(void (*check)(rg_tensor a))
{
    for (size_t i = 0; i < COUNT(shapes); i++)
        for (int form = 0; form < 4; form++) {
            const rg_tensor a = rg_randn(tape, form % 2 ? RG_F32 : RG_F64, shapes[i]);
            check(form < 2 ? a : turned(a));
            assert_tape_ok(tape);
            rg_tape_reset(tape);
        }
}

static bool is_square(rg_tensor a)
{
    return rg_dim(tape, a, -1) == rg_dim(tape, a, -2);
}

/* A number added to the diagonal: far from singular. */
static rg_tensor lifted(rg_tensor a)
{
    const int64_t n = rg_dim(tape, a, -1);
    return rg_add(tape, a, rg_mul_scalar(tape, rg_eye(tape, rg_dtype_of(tape, a), n, n), 8 + (double)n));
}

static rg_tensor positive(rg_tensor a)
{
    return lifted(mm(a, turned(a)));
}

/* ---- factorisations ---- */

static void check_qr(rg_tensor a)
{
    for (int complete = 0; complete < 2; complete++) {
        rg_tensor q, r;
        rg_qr(tape, a, complete, &q, &r);
        const int64_t m = rg_dim(tape, a, -2), n = rg_dim(tape, a, -1), k = complete || m < n ? m : n;
        assert_int_equal(rg_dim(tape, q, -1), k);
        assert_int_equal(rg_dim(tape, r, -2), k);
        assert_same(mm(q, r), a);
        assert_orthonormal(q);
        assert_triangular(r, true);
    }
}

static void check_svd(rg_tensor a)
{
    for (int full = 0; full < 2; full++) {
        rg_tensor u, s, vh;
        rg_svd(tape, a, full, &u, &s, &vh);
        const int64_t m = rg_dim(tape, a, -2), n = rg_dim(tape, a, -1), k = m < n ? m : n;
        assert_int_equal(rg_dim(tape, u, -1), full ? m : k);
        assert_int_equal(rg_dim(tape, vh, -2), full ? n : k);
        assert_orthonormal(u);
        assert_orthonormal(turned(vh));
        assert_ordered(s, false);
        const rg_tensor left = rg_slice(tape, u, -1, 0, k, 1), right = rg_slice(tape, vh, -2, 0, k, 1);
        assert_same(mm(mm(left, diagonal(s)), right), a);
        assert_same(rg_svdvals(tape, a), s);
    }
}

static void check_eigh(rg_tensor a)
{
    if (!is_square(a))
        return;
    const rg_tensor x = rg_add(tape, a, turned(a));
    for (int upper = 0; upper < 2; upper++) {
        rg_tensor w, v;
        rg_eigh(tape, x, upper, &w, &v);
        assert_orthonormal(v);
        assert_ordered(w, true);
        assert_same(mm(mm(v, diagonal(w)), turned(v)), x);
        assert_same(rg_eigvalsh(tape, x, upper), w);
    }
}

static void check_cholesky(rg_tensor a)
{
    const rg_tensor x = positive(a), lower = rg_cholesky(tape, x, false), upper = rg_cholesky(tape, x, true);
    assert_same(mm(lower, turned(lower)), x);
    assert_same(mm(turned(upper), upper), x);
    assert_triangular(lower, false);
    assert_triangular(upper, true);
    const rg_tensor b = rg_randn_like(tape, a);
    assert_same(mm(x, rg_cholesky_solve(tape, b, lower, false)), b);
    assert_same(mm(x, rg_cholesky_solve(tape, b, upper, true)), b);
}

static void check_systems(rg_tensor a)
{
    if (!is_square(a))
        return;
    const rg_tensor x = lifted(a), b = rg_randn_like(tape, a);
    assert_same(mm(x, rg_solve(tape, x, b)), b);
    assert_same(mm(x, rg_inverse(tape, x)), identity_like(x));
    assert_same(mm(rg_matrix_power(tape, x, -2), mm(x, x)), identity_like(x));
    rg_tensor q, r;
    rg_qr(tape, x, false, &q, &r);
    assert_same(mm(r, rg_solve_triangular(tape, r, b, true, true, false)), b);
    assert_same(mm(rg_solve_triangular(tape, turned(r), b, false, false, false), turned(r)), b);
}

/* The four equations of Penrose; the residual of least squares is orthogonal to all columns. */
static void check_least_squares(rg_tensor a)
{
    const rg_tensor p = rg_pinv(tape, a, -1, -1), b = rg_randn_like(tape, a);
    const double loose = 1e3; /* random matrices may be ill-conditioned */
    assert_true(distance(mm(mm(a, p), a), a) < loose);
    assert_true(distance(mm(mm(p, a), p), p) < loose);
    assert_true(distance(turned(mm(a, p)), mm(a, p)) < loose);
    assert_true(distance(turned(mm(p, a)), mm(p, a)) < loose);
    assert_true(distance(rg_lstsq(tape, a, b), mm(p, b)) < loose);
}

static void check_functions(rg_tensor a)
{
    if (!is_square(a))
        return;
    const rg_tensor e = rg_matrix_exp(tape, rg_mul_scalar(tape, a, .25));
    const rg_tensor back = rg_matrix_exp(tape, rg_mul_scalar(tape, a, -.25));
    assert_true(distance(mm(e, back), identity_like(e)) < 100);
    rg_tensor sign, logabsdet;
    rg_slogdet(tape, a, &sign, &logabsdet);
    assert_true(distance(rg_mul(tape, sign, rg_exp(tape, logabsdet)), rg_det(tape, a)) < 100);
    rg_tensor of_square;
    const rg_tensor x = lifted(a); /* ln det(x x) = 2 ln det(x) */
    rg_slogdet(tape, x, NULL, &logabsdet);
    rg_slogdet(tape, mm(x, x), NULL, &of_square);
    assert_true(distance(of_square, rg_mul_scalar(tape, logabsdet, 2)) < 100);
    rg_slogdet(tape, e, &sign, &logabsdet); /* det(e^a) = e^trace(a) */
    assert_true(distance(logabsdet, rg_mul_scalar(tape, rg_trace(tape, a), .25)) < 1000);
}

#define EACH(name, check)          \
    static void name(void **state) \
    {                              \
        (void)state;               \
        each_matrix(check);        \
    }
EACH(qr_is_orthonormal_times_triangular, check_qr)
EACH(svd_is_orthonormal_times_values_times_orthonormal, check_svd)
EACH(eigh_diagonalises, check_eigh)
EACH(cholesky_is_a_triangle_times_itself, check_cholesky)
EACH(solutions_solve, check_systems)
EACH(pseudoinverse_and_least_squares_agree, check_least_squares)
EACH(determinants_and_exponentials_keep_their_laws, check_functions)

/* ---- singular and equal values ---- */

static void gradient_of_det_is_the_cofactor_where_there_is_no_inverse(void **state)
{
    (void)state;
    const rg_tensor a = F64(RG_SHAPE(3, 3), 1, 2, 3, 4, 5, 6, 2, 4, 6), det = rg_det(tape, a);
    rg_tensor g;
    assert_true(rg_grad(tape, det, &a, 1, &g));
    assert_values(det, 0);
    assert_values(g, 6, -12, 6, 0, 0, 0, -3, 6, -3);
    const rg_tensor b = F64(RG_SHAPE(3, 3), 1, 2, 4, 2, 4, 8, -1, -2, -4), none = rg_det(tape, b); /* of rank 1 */
    assert_true(rg_grad(tape, none, &b, 1, &g));
    assert_values(none, 0);
    assert_values(g, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const rg_tensor c = F64(RG_SHAPE(2, 2), 0, 0, 0, 0), zero = rg_det(tape, c);
    assert_true(rg_grad(tape, zero, &c, 1, &g));
    assert_values(g, 0, 0, 0, 0);
}

static void equal_values_have_gradients_though_their_vectors_have_none(void **state)
{
    (void)state;
    const rg_tensor a = F64(RG_SHAPE(3, 3), 2, 0, 0, 0, 2, 0, 0, 0, 2);
    rg_tensor w, s, g;
    rg_eigh(tape, a, false, &w, NULL);
    assert_true(rg_grad(tape, total(w), &a, 1, &g));
    assert_values(g, 1, 0, 0, 0, 1, 0, 0, 0, 1);
    rg_svd(tape, a, true, NULL, &s, NULL);
    assert_true(rg_grad(tape, total(s), &a, 1, &g));
    assert_values(g, 1, 0, 0, 0, 1, 0, 0, 0, 1);
    assert_true(rg_grad(tape, total(rg_pinv(tape, a, -1, -1)), &a, 1, &g));
    assert_values(g, -.25, -.25, -.25, -.25, -.25, -.25, -.25, -.25, -.25);
}

static void one_triangle_is_looked_at(void **state)
{
    (void)state;
    const rg_tensor a = F64(RG_SHAPE(2, 2), 4, NAN, 2, 10);
    assert_values(rg_cholesky(tape, a, false), 2, 0, 1, 3);
    const rg_tensor l = F64(RG_SHAPE(2, 2), 2, NAN, 1, 4), b = F64(RG_SHAPE(2, 1), 2, 9);
    assert_values(rg_solve_triangular(tape, l, b, false, true, false), 1, 2);
    const rg_tensor unit = F64(RG_SHAPE(2, 2), NAN, NAN, 1, 0);
    assert_values(rg_solve_triangular(tape, unit, b, false, true, true), 2, 7);
}

static void nan_goes_through_where_it_can(void **state)
{
    (void)state;
    const rg_tensor a = F64(RG_SHAPE(2, 2), 1, NAN, 2, 3), b = F64(RG_SHAPE(2), 1, 2);
    assert_true(isnan(rg_item(tape, rg_det(tape, a))));
    assert_true(isnan(rg_item(tape, total(rg_inverse(tape, a)))));
    assert_true(isnan(rg_item(tape, total(rg_solve(tape, a, b)))));
    assert_true(isnan(rg_item(tape, total(rg_matrix_exp(tape, a)))));
    rg_tensor q, r;
    rg_qr(tape, a, false, &q, &r);
    assert_true(isnan(rg_item(tape, total(r))));
}

/* ---- what is found while running ---- */

static void singular_matrices_are_named(void **state)
{
    (void)state;
    const rg_tensor a = F64(RG_SHAPE(2, 2), 1, 2, 2, 4), b = F64(RG_SHAPE(2), 1, 2);
    FAILS(rg_solve(tape, a, b), "lu_solve", "the matrix is singular: pivot 1 is 0");
    FAILS(rg_inverse(tape, a), "singular");
    FAILS(rg_matrix_power(tape, a, -1), "singular");
    FAILS(rg_cond(tape, a, RG_NORM_FRO), "singular");
    const rg_tensor many = F64(RG_SHAPE(2, 3, 1, 1), 1, 2, 3, 4, 0, 0);
    FAILS(rg_inverse(tape, many), "the matrix at [1, 1] is singular: pivot 0 is 0");
    FAILS(rg_solve_triangular(tape, F64(RG_SHAPE(2, 2), 1, 2, 0, 0), rg_unsqueeze(tape, b, 1), true, true, false),
          "triangular", "element 1 of its diagonal is 0");
    FAILS(rg_cholesky(tape, F64(RG_SHAPE(3, 3), 1, 0, 0, 0, -1, 0, 0, 0, 1), false), "cholesky",
          "the matrix is not positive definite: its leading minor of order 2 is not");
    FAILS(rg_cholesky(tape, F64(RG_SHAPE(2, 1, 1), 1, NAN), true), "the matrix at [1] is not positive definite");
    FAILS(rg_lstsq(tape, F64(RG_SHAPE(3, 2), 0, 0, 0, 0, 0, 0), F64(RG_SHAPE(3), 1, 2, 3)), "diagonal is 0");
    rg_tensor sign, logabsdet, g;
    rg_slogdet(tape, a, &sign, &logabsdet);
    assert_values(sign, 0);
    assert_true(rg_item(tape, logabsdet) == -INFINITY);
    assert_true(rg_grad(tape, logabsdet, &a, 1, &g));
    FAILS(g, "singular");
}

static void numbers_that_no_iteration_can_take_are_refused(void **state)
{
    (void)state;
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < COUNT(bad); i++) {
        const rg_tensor a = F64(RG_SHAPE(2, 2, 2), 1, 0, 0, 1, 1, 0, bad[i], 1);
        rg_tensor u, s, vh;
        FAILS(rg_eigvalsh(tape, a, false), "eigvalsh", "the matrix at [1] holds NaN or infinity");
        FAILS(rg_svdvals(tape, a), "svdvals", "the matrix at [1] holds NaN or infinity");
        FAILS(rg_pinv(tape, a, -1, -1), "pinv", "the matrix at [1] holds NaN or infinity");
        rg_svd(tape, a, true, &u, &s, &vh);
        FAILS(vh, "svd_factor", "holds NaN or infinity");
        rg_eigh(tape, a, true, NULL, &u);
        FAILS(u, "eigh_factor", "holds NaN or infinity");
    }
}

/* ---- arguments ---- */

static void shapes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const rg_tensor v = F64(RG_SHAPE(3), 1, 2, 3), wide = rg_zeros(tape, RG_F64, RG_SHAPE(2, 3));
    const rg_tensor a = rg_eye(tape, RG_F64, 3, 3), single = rg_eye(tape, RG_F32, 3, 3),
                    whole = rg_eye(tape, RG_I64, 3, 3);
    rg_tensor x, y, z;
    REFUSED(rg_det(tape, v), RG_ERROR_SHAPE, "det", "[3] is no matrix");
    REFUSED(rg_inverse(tape, wide), RG_ERROR_SHAPE, "inverse", "[2, 3] is not square");
    REFUSED(rg_cholesky(tape, wide, false), RG_ERROR_SHAPE, "cholesky", "[2, 3] is not square");
    REFUSED(rg_det(tape, whole), RG_ERROR_DTYPE, "det", "i64");
    REFUSED(rg_det(tape, RG_NIL), RG_ERROR_HANDLE, "det", "nil");
    REFUSED(rg_solve(tape, a, F64(RG_SHAPE(2), 1, 2)), RG_ERROR_SHAPE, "solve", "[3, 3]", "[2]", "do not fit");
    REFUSED(rg_solve(tape, a, wide), RG_ERROR_SHAPE, "solve", "[2, 3]", "do not fit");
    REFUSED(rg_solve(tape, a, single), RG_ERROR_DTYPE, "solve", "f64", "f32");
    REFUSED(rg_solve(tape, single, v), RG_ERROR_DTYPE, "solve", "f32", "f64");
    REFUSED(rg_solve(tape, a, rg_scalar(tape, RG_F64, 1)), RG_ERROR_SHAPE, "solve", "[]");
    REFUSED(rg_solve(tape, rg_zeros(tape, RG_F64, RG_SHAPE(2, 3, 3)), rg_zeros(tape, RG_F64, RG_SHAPE(4, 3, 1))),
            RG_ERROR_SHAPE, "solve", "leading axes");
    REFUSED(rg_solve_triangular(tape, a, wide, true, true, false), RG_ERROR_SHAPE, "solve_triangular", "[..., n, k]");
    REFUSED(rg_solve_triangular(tape, a, turned(wide), true, false, false), RG_ERROR_SHAPE, "[..., k, n]");
    REFUSED(rg_cholesky_solve(tape, wide, a, false), RG_ERROR_SHAPE, "cholesky_solve", "[2, 3]", "[3, 3]");
    REFUSED(rg_lstsq(tape, wide, v), RG_ERROR_SHAPE, "lstsq", "[2, 3]", "[3]");
    REFUSED(rg_trace(tape, v), RG_ERROR_SHAPE, "trace", "no matrix");
    rg_qr(tape, v, false, &x, &y);
    assert_true(rg_is_nil(x) && rg_is_nil(y));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("qr", "no matrix"));
    rg_svd(tape, v, false, &x, &y, &z);
    assert_true(rg_is_nil(x) && rg_is_nil(y) && rg_is_nil(z));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("svd", "no matrix"));
    rg_eigh(tape, wide, false, &x, &y);
    assert_true(rg_is_nil(x) && rg_is_nil(y));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("eigh", "not square"));
    rg_slogdet(tape, wide, &x, &y);
    assert_true(rg_is_nil(x) && rg_is_nil(y));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("slogdet", "not square"));
    rg_qr(tape, a, false, NULL, NULL);
    rg_svd(tape, a, false, NULL, NULL, NULL);
    rg_eigh(tape, a, false, NULL, NULL);
    rg_slogdet(tape, a, NULL, NULL);
    assert_tape_ok(tape);
}

static void sizes_beyond_lapacks_integers_are_refused(void **state)
{
    (void)state;
    const rg_tensor one = rg_scalar(tape, RG_F32, 1);
    const rg_tensor long_one = rg_expand(tape, one, RG_SHAPE(INT64_C(1) << 33, 2));
    const rg_tensor large = rg_expand(tape, one, RG_SHAPE(30000, 30000));
    const rg_tensor huge = rg_expand(tape, one, RG_SHAPE(INT64_C(1) << 24, INT64_C(1) << 24));
    rg_tensor x;
    rg_qr(tape, long_one, false, &x, NULL);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("qr", "[8589934592, 2] is too large", "16777216"));
    REFUSED(rg_trace(tape, long_one), RG_ERROR_SHAPE, "trace", "too large");
    REFUSED(rg_svdvals(tape, large), RG_ERROR_SHAPE, "svdvals", "[30000, 30000] is too large");
    REFUSED(rg_matrix_rank(tape, large, -1, -1), RG_ERROR_SHAPE, "too large");
    REFUSED(rg_eigvalsh(tape, large, false), RG_ERROR_SHAPE, "eigvalsh", "[30000, 30000] is too large");
    REFUSED(rg_pinv(tape, huge, -1, -1), RG_ERROR_SHAPE, "pinv", "too large");
    for (int eager = 0; eager < 2; eager++) { /* what fits its integers may not fit into memory */
        const rg_tensor det = rg_det(tape, huge);
        assert_null(rg_data(tape, det));
        assert_error(tape, RG_ERROR_MEMORY, WORDS("det", "memory"));
    }
}

static void numbers_that_mean_nothing_are_refused(void **state)
{
    (void)state;
    const rg_tensor a = rg_eye(tape, RG_F64, 3, 3), empty = rg_zeros(tape, RG_F64, RG_SHAPE(0, 0));
    REFUSED(rg_pinv(tape, a, NAN, 0), RG_ERROR_ARGUMENT, "pinv", "nan");
    REFUSED(rg_matrix_rank(tape, a, 0, NAN), RG_ERROR_ARGUMENT, "matrix_rank", "nan");
    REFUSED(rg_matrix_norm(tape, a, (rg_matrix_norm_kind)8, RG_ALL, false), RG_ERROR_ARGUMENT, "matrix_norm", "8", "nuc");
    REFUSED(rg_cond(tape, a, (rg_matrix_norm_kind)-1), RG_ERROR_ARGUMENT, "cond", "-1");
    REFUSED(rg_matrix_norm(tape, a, RG_NORM_1, RG_AXES(0), false), RG_ERROR_ARGUMENT, "matrix_norm", "1 axes");
    REFUSED(rg_matrix_norm(tape, a, RG_NORM_1, RG_AXES(1, -1), false), RG_ERROR_SHAPE, "twice");
    REFUSED(rg_matrix_norm(tape, a, RG_NORM_1, RG_AXES(0, 2), false), RG_ERROR_SHAPE, "axis 2");
    REFUSED(rg_matrix_norm(tape, a, RG_NORM_1, ((rg_axes){INT32_MIN, {0}}), false), RG_ERROR_ARGUMENT, "axes");
    REFUSED(rg_matrix_norm(tape, empty, RG_NORM_2, RG_ALL, false), RG_ERROR_SHAPE, "nothing");
    REFUSED(rg_cond(tape, empty, RG_NORM_2), RG_ERROR_SHAPE, "cond", "no singular values");
    assert_values(rg_matrix_power(tape, F64(RG_SHAPE(1, 1), -1), INT64_MIN), 1);
    assert_values(rg_matrix_power(tape, F64(RG_SHAPE(1, 1), -1), INT64_MAX), -1);
}

static void a_complete_q_of_more_rows_has_no_gradient(void **state)
{
    (void)state;
    const rg_tensor a = F64(RG_SHAPE(2, 1), 1, 2);
    rg_tensor q, g;
    rg_qr(tape, a, true, &q, NULL);
    assert_false(rg_grad(tape, total(q), &a, 1, &g));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("qr_factor", "2 rows for 1 columns has no gradient"));
}

/* ---- threads ---- */

/* Everything at once: what a batch of matrices gives, and its gradient. */
static double *all_of(int threads, rg_dtype dtype, rg_shape shape, size_t *bytes)
{
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads, .seed = 5});
    rg_tensor part[8], g;
    const rg_tensor a = rg_randn(t, dtype, shape);
    const rg_tensor gram = rg_matmul(t, a, rg_transpose(t, a, -1, -2));
    rg_svd(t, a, false, &part[0], &part[1], &part[2]);
    rg_eigh(t, gram, false, &part[3], &part[4]);
    rg_qr(t, a, false, &part[5], NULL);
    part[6] = rg_inverse(t, a);
    part[7] =
        rg_cholesky(t, rg_add(t, gram, rg_eye(t, dtype, shape.dims[shape.rank - 1], shape.dims[shape.rank - 1])), false);
    rg_tensor loss = rg_sum(t, rg_det(t, rg_mul_scalar(t, a, .25)), RG_ALL, false);
    for (int i = 0; i < 8; i++)
        loss = rg_add(t, loss, rg_sum(t, part[i], RG_ALL, false));
    assert_true(rg_grad(t, loss, &a, 1, &g));
    *bytes = (size_t)rg_numel(t, g) * rg_dtype_size(dtype);
    double *out = malloc(*bytes);
    assert_non_null(out);
    if (!rg_read(t, g, out, *bytes))
        fail_msg("%s", rg_tape_error(t));
    rg_tape_free(t);
    return out;
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    const rg_shape many[] = {{3, {24, 12, 12}}, {2, {96, 96}}, {3, {3, 40, 40}}};
    for (size_t i = 0; i < COUNT(many); i++)
        for (int single = 0; single < 2; single++) {
            size_t bytes;
            double *one = all_of(1, single ? RG_F32 : RG_F64, many[i], &bytes);
            for (int threads = 2; threads < 6; threads += 3) {
                double *more = all_of(threads, single ? RG_F32 : RG_F64, many[i], &bytes);
                assert_memory_equal(one, more, bytes);
                free(more);
            }
            free(one);
        }
}

/* ---- einsum ---- */

static void wrong_equations_are_explained_where_they_are_wrong(void **state)
{
    (void)state;
    const rg_tensor m = F64(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), v = F64(RG_SHAPE(2), 1, 2);
    const rg_tensor mv[] = {m, v}, nil[] = {m, RG_NIL}, mixed[] = {m, rg_cast(tape, v, RG_F32)};
    const struct {
        const char *equation, *character, *why;
        int count;
    } bad[] = {
        {"ij,j->i", "character 4", "'j' is 2 here and 3 in operand 0", 2},
        {"ij,i->z", "character 7", "no operand has 'z'", 2},
        {"ij,i->jj", "character 8", "'j' is in the result twice", 2},
        {"ij->i", "character 3", "fewer operands than the 2 given", 2},
        {"ij,i,i->i", "character 5", "more operands than the 2 given", 2},
        {"ijk,i", "character 1", "3 indices for operand 0, [2, 3]", 2},
        {"i,i", "character 1", "1 indices for operand 0, [2, 3]", 2},
        {"ij,...ij", "character 4", "2 indices and '...' for operand 1, [2]", 2},
        {"ii,i", "character 2", "'i' is 3 here and 2 in operand 0", 2},
        {"i1,i", "character 2", "'1' is no index", 2},
        {"ij,i-j", "character 5", "'-' without '>'", 2},
        {"ij,i->j->", "character 8", "'-' in the result", 2},
        {"ij,i->j,", "character 8", "',' in the result", 2},
        {"i..j,i", "character 2", "three dots", 2},
        {"...i...,i", "character 5", "a second '...'", 2},
        {"ij,i->j\n", "character 8", "'?' is no index", 2},
        {"abcdefghi", "character 9", "more than 8 indices", 1},
        {"", "character 1", "0 indices for operand 0", 1},
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        REFUSED(rg_einsum(tape, bad[i].equation, mv, bad[i].count), RG_ERROR_ARGUMENT, "einsum", bad[i].character,
                bad[i].why);
    REFUSED(rg_einsum(tape, "...,...", (rg_tensor[]){m, v}, 2), RG_ERROR_ARGUMENT,
            "'...' has an extent of 2 here and of 3");
    REFUSED(rg_einsum(tape, "ii", (rg_tensor[]){rg_zeros(tape, RG_F64, RG_SHAPE(1, 3))}, 1), RG_ERROR_ARGUMENT,
            "'i' is 1 and 3");
    REFUSED(rg_einsum(tape, NULL, mv, 2), RG_ERROR_ARGUMENT, "no equation");
    REFUSED(rg_einsum(tape, "ij,i", NULL, 2), RG_ERROR_ARGUMENT, "0 operands");
    REFUSED(rg_einsum(tape, "ij,i", mv, 0), RG_ERROR_ARGUMENT, "0 operands");
    REFUSED(rg_einsum(tape, "ij,i", mv, INT32_MIN), RG_ERROR_ARGUMENT, "operands");
    REFUSED(rg_einsum(tape, "ij,i", nil, 2), RG_ERROR_HANDLE, "nil");
    REFUSED(rg_einsum(tape, "ij,i", mixed, 2), RG_ERROR_DTYPE, "operand 1 is f32");
    REFUSED(rg_einsum(tape, "ij", (rg_tensor[]){rg_cast(tape, m, RG_I64)}, 1), RG_ERROR_DTYPE, "i64");
    static char endless[40000];
    memset(endless, ' ', sizeof endless - 1);
    REFUSED(rg_einsum(tape, endless, mv, 2), RG_ERROR_ARGUMENT, "characters");
}

static void products_on_the_way_keep_to_eight_axes(void **state)
{
    (void)state;
    const rg_tensor six = rg_ones(tape, RG_F64, RG_SHAPE(2, 2, 2, 2, 2, 2)), x[] = {six, six, six};
    const rg_tensor all = rg_ones(tape, RG_F64, RG_SHAPE(2, 2, 2, 2, 2, 2, 2, 2)), y[] = {all, all, all};
    assert_values(total(rg_einsum(tape, "abcdef,defghi,abcghi->abdefgh", x, 3)), 512); /* not the first two first */
    REFUSED(rg_einsum(tape, "abcdefgh,efghijkl,abcdijkl->abcefgij", y, 3), RG_ERROR_SHAPE, "einsum", "11 axes",
            "8 are allowed");
}

static void einsum_takes_many_operands(void **state)
{
    (void)state;
    enum { MANY = 40 };
    rg_tensor x[MANY];
    char equation[3 * MANY + 8] = "";
    for (int i = 0; i < MANY; i++) {
        x[i] = F64(RG_SHAPE(2, 2), 1, 1, 0, 1);
        const char pair[] = {(char)(i < 26 ? 'a' + i : 'A' + i - 26),
                             (char)(i + 1 < 26 ? 'a' + i + 1 : 'A' + i + 1 - 26), ',', 0};
        strcat(equation, pair);
    }
    equation[3 * MANY - 1] = '\0';
    assert_values(rg_einsum(tape, equation, x, MANY), 1, 0, 40, 1); /* the last index is upper case, so the first */
    assert_values(rg_multi_dot(tape, x, MANY), 1, 40, 0, 1);
}

static void a_chain_is_multiplied_in_the_cheapest_order(void **state)
{
    (void)state;
    const rg_tensor a = rg_ones(tape, RG_F64, RG_SHAPE(50, 1)), b = rg_ones(tape, RG_F64, RG_SHAPE(1, 60));
    const rg_tensor c = rg_ones(tape, RG_F64, RG_SHAPE(60, 1)), y = rg_multi_dot(tape, (rg_tensor[]){a, b, c}, 3);
    rg_node node, right;
    assert_true(rg_tape_node(tape, y, &node));
    assert_string_equal(node.op, "matmul");
    assert_true(rg_tape_node(tape, rg_tape_at(tape, node.inputs[1]), &right)); /* b c comes first */
    assert_true(rg_shape_equal(right.shape, RG_SHAPE(1, 1)));
    assert_values(total(y), 3000);
}

static void products_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const rg_tensor m = rg_ones(tape, RG_F64, RG_SHAPE(2, 3)), v = F64(RG_SHAPE(3), 1, 2, 3),
                    single = rg_cast(tape, m, RG_F32);
    const rg_tensor cube = rg_ones(tape, RG_F64, RG_SHAPE(2, 3, 2));
    const rg_tensor wide = rg_ones(tape, RG_F64, RG_SHAPE(2, 2, 2, 2, 2)), scalar = rg_scalar(tape, RG_F64, 1);
    REFUSED(rg_mm(tape, m, m), RG_ERROR_SHAPE, "mm", "[2, 3]", "[m, k] and [k, n]");
    REFUSED(rg_mm(tape, m, v), RG_ERROR_SHAPE, "mm", "[3]");
    REFUSED(rg_mm(tape, m, single), RG_ERROR_DTYPE, "mm", "f32");
    REFUSED(rg_mv(tape, m, F64(RG_SHAPE(2), 1, 2)), RG_ERROR_SHAPE, "mv", "[m, n] and [n]");
    REFUSED(rg_bmm(tape, cube, rg_ones(tape, RG_F64, RG_SHAPE(1, 2, 3))), RG_ERROR_SHAPE, "bmm", "[b, m, k]");
    REFUSED(rg_addmm(tape, v, m, turned(m), 1, 1), RG_ERROR_SHAPE, "addmm",
            "[3] does not broadcast to the product [2, 2]");
    REFUSED(rg_addmm(tape, cube, m, turned(m), 0, 1), RG_ERROR_SHAPE, "addmm", "[2, 3, 2]");
    REFUSED(rg_addmv(tape, v, m, v, 1, 1), RG_ERROR_SHAPE, "addmv", "[3]");
    REFUSED(rg_baddbmm(tape, RG_NIL, cube, turned(cube), 1, 1), RG_ERROR_HANDLE, "baddbmm");
    REFUSED(rg_tensordot(tape, m, m, 1, NULL, NULL), RG_ERROR_SHAPE, "tensordot", "axis 1 of a [2, 3]", "axis 0 of b",
            "do not fit");
    REFUSED(rg_tensordot(tape, m, m, 3, NULL, NULL), RG_ERROR_ARGUMENT, "tensordot", "0 to 2");
    REFUSED(rg_tensordot(tape, m, m, -1, NULL, NULL), RG_ERROR_ARGUMENT, "tensordot", "-1 pairs");
    REFUSED(rg_tensordot(tape, m, m, 1, (int[]){0}, NULL), RG_ERROR_ARGUMENT, "listed for one");
    REFUSED(rg_tensordot(tape, m, m, 1, (int[]){2}, (int[]){0}), RG_ERROR_SHAPE, "axis 2");
    REFUSED(rg_tensordot(tape, m, m, 2, (int[]){0, 0}, (int[]){0, 1}), RG_ERROR_SHAPE, "second time");
    REFUSED(rg_tensordot(tape, wide, wide, 0, NULL, NULL), RG_ERROR_SHAPE, "more than 8 axes");
    REFUSED(rg_inner(tape, m, F64(RG_SHAPE(2), 1, 2)), RG_ERROR_SHAPE, "inner", "last axes");
    REFUSED(rg_vdot(tape, v, F64(RG_SHAPE(2), 1, 2)), RG_ERROR_SHAPE, "vdot", "one length");
    REFUSED(rg_vecdot(tape, m, v, 2), RG_ERROR_SHAPE, "vecdot", "axis 2");
    REFUSED(rg_vecdot(tape, scalar, scalar, -1), RG_ERROR_SHAPE, "vecdot");
    REFUSED(rg_cross(tape, m, m, 0), RG_ERROR_SHAPE, "cross", "extent 3 along axis 0");
    REFUSED(rg_cross(tape, m, v, -1), RG_ERROR_SHAPE, "cross", "one rank");
    REFUSED(rg_kron(tape, wide, wide), RG_ERROR_SHAPE, "kron", "10 axes");
    REFUSED(rg_multi_dot(tape, (rg_tensor[]){m, m}, 2), RG_ERROR_SHAPE, "multi_dot", "matrix 1 is [2, 3]", "3 rows");
    REFUSED(rg_multi_dot(tape, (rg_tensor[]){m, cube, m}, 3), RG_ERROR_SHAPE, "matrix 1");
    REFUSED(rg_multi_dot(tape, (rg_tensor[]){scalar, m}, 2), RG_ERROR_SHAPE, "matrix 0 is []");
    REFUSED(rg_multi_dot(tape, &m, 1), RG_ERROR_ARGUMENT, "1 matrices");
    REFUSED(rg_multi_dot(tape, NULL, 3), RG_ERROR_ARGUMENT, "0 matrices");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(qr_is_orthonormal_times_triangular),
        TAPE_TEST(svd_is_orthonormal_times_values_times_orthonormal),
        TAPE_TEST(eigh_diagonalises),
        TAPE_TEST(cholesky_is_a_triangle_times_itself),
        TAPE_TEST(solutions_solve),
        TAPE_TEST(pseudoinverse_and_least_squares_agree),
        TAPE_TEST(determinants_and_exponentials_keep_their_laws),
        TAPE_TEST(gradient_of_det_is_the_cofactor_where_there_is_no_inverse),
        TAPE_TEST(equal_values_have_gradients_though_their_vectors_have_none),
        TAPE_TEST(one_triangle_is_looked_at),
        TAPE_TEST(nan_goes_through_where_it_can),
        TAPE_TEST(singular_matrices_are_named),
        TAPE_TEST(numbers_that_no_iteration_can_take_are_refused),
        TAPE_TEST(shapes_that_do_not_fit_are_refused),
        TAPE_TEST(sizes_beyond_lapacks_integers_are_refused),
        TAPE_TEST(numbers_that_mean_nothing_are_refused),
        TAPE_TEST(a_complete_q_of_more_rows_has_no_gradient),
        TAPE_TEST(any_number_of_threads_gives_the_same_bits),
        TAPE_TEST(wrong_equations_are_explained_where_they_are_wrong),
        TAPE_TEST(products_on_the_way_keep_to_eight_axes),
        TAPE_TEST(einsum_takes_many_operands),
        TAPE_TEST(a_chain_is_multiplied_in_the_cheapest_order),
        TAPE_TEST(products_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests_name("linalg", tests, NULL, NULL);
}
