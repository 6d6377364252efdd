/* Draws from distributions: their distances from the exact distributions, for fixed seeds; gradients; independence of
 * threads, executor and what is drawn beside; parameters out of range. */
#include "core/distribution.h"
#include "draw_support.h"
#include "tape_support.h"

#include <float.h>

static rg_tensor numbers(rg_tape *t, rg_dtype dtype, double value)
{
    return rg_full(t, dtype, RG_SHAPE(N), value);
}

typedef rg_tensor (*draw_of_two)(rg_tape *t, rg_tensor a, rg_tensor b);
typedef rg_tensor (*draw_of_one)(rg_tape *t, rg_tensor a);

static rg_tensor gamma_of_one(rg_tape *t, rg_tensor a)
{
    return rg_draw_gamma(t, a, RG_NIL);
}

/* The first of three fractions. */
static rg_tensor dirichlet_first(rg_tape *t, rg_tensor a, rg_tensor b)
{
    const rg_tensor c[3] = {a, rg_sub(t, b, rg_ones_like(t, b)), rg_ones_like(t, b)};
    return rg_select(t, rg_draw_dirichlet(t, rg_stack(t, c, 3, -1)), -1, 0);
}

/* Those that take a shape. */
static rg_tensor rand_of_shape(rg_tape *t, rg_tensor a, rg_tensor b)
{
    (void)b;
    return rg_rand(t, rg_dtype_of(t, a), rg_shape_of(t, a));
}

static rg_tensor randn_of_shape(rg_tape *t, rg_tensor a, rg_tensor b)
{
    (void)b;
    return rg_randn(t, rg_dtype_of(t, a), rg_shape_of(t, a));
}

static const struct continuous {
    const char *name;
    draw_of_two two;
    draw_of_one one;
    double p[2];
    distribution cdf;
} continuous[] = {
    {"normal", rg_draw_normal, NULL, {-1, 2}, normal_cdf},
    {"log normal", rg_draw_log_normal, NULL, {.5, .7}, log_normal_cdf},
    {"uniform", rg_draw_uniform, NULL, {-3, 5}, uniform_cdf},
    {"exponential", NULL, rg_draw_exponential, {2.5, 0}, exponential_cdf},
    {"laplace", rg_draw_laplace, NULL, {1, .5}, laplace_cdf},
    {"gumbel", rg_draw_gumbel, NULL, {-2, 3}, gumbel_cdf},
    {"cauchy", rg_draw_cauchy, NULL, {1, 2}, cauchy_cdf},
    {"gamma .1", rg_draw_gamma, NULL, {.1, 1}, gamma_cdf},
    {"gamma .7", rg_draw_gamma, NULL, {.7, 2}, gamma_cdf},
    {"gamma 1", rg_draw_gamma, NULL, {1, .5}, gamma_cdf},
    {"gamma 3.5", rg_draw_gamma, NULL, {3.5, 1}, gamma_cdf},
    {"gamma 200", rg_draw_gamma, NULL, {200, 10}, gamma_cdf},
    {"chi2 1", NULL, rg_draw_chi2, {1, 0}, chi2_cdf},
    {"chi2 5", NULL, rg_draw_chi2, {5, 0}, chi2_cdf},
    {"beta 2 3", rg_draw_beta, NULL, {2, 3}, beta_2_3_cdf},
    {"beta arcsine", rg_draw_beta, NULL, {.5, .5}, arcsine_cdf},
    {"dirichlet 2 2 1", dirichlet_first, NULL, {2, 3}, beta_2_3_cdf},
    {"student t 3", NULL, rg_draw_student_t, {3, 0}, student_3_cdf},
    {"rand", rand_of_shape, NULL, {0, 1}, uniform_cdf},
    {"rand like", NULL, rg_rand_like, {0, 1}, uniform_cdf},
    {"randn", randn_of_shape, NULL, {0, 1}, normal_cdf},
    {"randn like", NULL, rg_randn_like, {0, 1}, normal_cdf},
};

static void continuous_draws_follow_their_distributions(void **state)
{
    (void)state;
    static double x[N];
    double worst = 0;
    for (size_t i = 0; i < COUNT(continuous); i++)
        for (rg_dtype dtype = RG_F32; dtype <= RG_F64; dtype++) {
            const struct continuous *c = &continuous[i];
            rg_tape *t = rg_tape_new(&(rg_tape_config){.seed = 11 + i});
            const rg_tensor a = numbers(t, dtype, c->p[0]), b = numbers(t, dtype, c->p[1]);
            const rg_tensor y = c->two ? c->two(t, a, b) : c->one(t, a);
            assert_int_equal(rg_dtype_of(t, y), dtype);
            if (!rg_read(t, rg_cast(t, y, RG_F64), x, sizeof x))
                fail_msg("%s: %s", c->name, rg_tape_error(t));
            const double distance = distance_of(x, c->cdf, c->p);
            worst = fmax(worst, distance);
            if (!(distance < 1.95))
                fail_msg("%s in %s is %.3g away", c->name, rg_dtype_name(dtype), distance);
            rg_tape_free(t);
        }
    print_message("the largest distance is %.3g\n", worst);
}

/* The statistic is able to tell: of a scale that is 3 % off. */
static void the_distance_notices_a_wrong_scale(void **state)
{
    (void)state;
    static double x[N];
    assert_true(rg_read(tape, rg_draw_normal(tape, numbers(tape, RG_F64, 0), numbers(tape, RG_F64, 1.03)), x, sizeof x));
    assert_true(distance_of(x, normal_cdf, (const double[]){0, 1}) > 1.95);
}

/* ---- discrete ---- */

static void counts_follow_their_distributions(void **state)
{
    (void)state;
    static double x[N];
    const double rates[] = {.05, 1, 4.2, 9.9, 10, 33, 1000};
    const double trials[][2] = {{1, .3},   {10, .25},   {40, .2},    {40, .9},
                                {200, .4}, {1000, .97}, {1000, .01}, {100000, .5}};
    for (rg_dtype dtype = RG_F32; dtype <= RG_F64; dtype++) {
        for (size_t i = 0; i < COUNT(rates); i++) {
            const rg_tensor y = rg_draw_poisson(tape, numbers(tape, dtype, rates[i]));
            assert_int_equal(rg_dtype_of(tape, y), dtype);
            assert_true(rg_read(tape, rg_cast(tape, y, RG_F64), x, sizeof x));
            assert_frequencies("poisson", x, N, poisson, &rates[i], 2000);
        }
        for (size_t i = 0; i < COUNT(trials); i++) {
            const double p = dtype == RG_F32 ? (float)trials[i][1] : trials[i][1];
            const rg_tensor y = rg_draw_binomial(tape, numbers(tape, dtype, trials[i][0]), numbers(tape, dtype, p));
            assert_true(rg_read(tape, rg_cast(tape, y, RG_F64), x, sizeof x));
            assert_frequencies("binomial", x, N, binomial, (const double[]){trials[i][0], p}, 60000);
        }
        const double p[2] = {.7, .3};
        const rg_tensor y = rg_draw_bernoulli(tape, numbers(tape, dtype, .3));
        assert_int_equal(rg_dtype_of(tape, y), RG_BOOL);
        assert_true(rg_read(tape, rg_cast(tape, y, RG_F64), x, sizeof x));
        assert_frequencies("bernoulli", x, N, listed, p, 2);
    }
}

static void indices_follow_their_weights(void **state)
{
    (void)state;
    static double x[3 * N];
    const double w[] = {1, 0, 4, 2, 3}, p[] = {.1, 0, .4, .2, .3};
    rg_tensor weights = rg_expand(tape, F64(RG_SHAPE(5), 1, 0, 4, 2, 3), RG_SHAPE(N, 5));
    /* with replacement, from all rows and from one */
    assert_true(rg_read(tape, rg_cast(tape, rg_draw_multinomial(tape, weights, 3, true), RG_F64), x, sizeof x));
    assert_frequencies("multinomial", x, 3 * N, listed, p, 5);
    assert_true(rg_read(tape, rg_cast(tape, rg_draw_multinomial(tape, rg_select(tape, weights, 0, 0), N, true), RG_F64),
                        x, N * sizeof *x));
    assert_frequencies("one row", x, N, listed, p, 5);
    /* by logits */
    rg_tensor logits = rg_add_scalar(tape, rg_log(tape, weights), 700);
    assert_true(rg_read(tape, rg_cast(tape, rg_draw_categorical(tape, logits), RG_F64), x, N * sizeof *x));
    assert_frequencies("categorical", x, N, listed, p, 5);
    /* without replacement: the first, and the second given the first */
    assert_true(rg_read(tape, rg_cast(tape, rg_draw_multinomial(tape, weights, 3, false), RG_F64), x, sizeof x));
    static double second[N];
    for (int first = 0; first < 5; first++) {
        double given[5];
        int n = 0;
        for (int k = 0; k < 5; k++)
            given[k] = k == first ? 0 : w[k] / (10 - w[first]);
        for (int i = 0; i < N; i++) {
            assert_true(x[3 * i] != x[3 * i + 1] && x[3 * i] != x[3 * i + 2] && x[3 * i + 1] != x[3 * i + 2]);
            if (x[3 * i] == first)
                second[n++] = x[3 * i + 1];
        }
        if (w[first] > 0)
            assert_frequencies("the second", second, n, listed, given, 5);
    }
    for (int i = 0; i < N; i++)
        x[i] = x[3 * i];
    assert_frequencies("the first", x, N, listed, p, 5);
    /* all of them: a permutation */
    static double order[1000];
    assert_true(rg_read(
        tape, rg_cast(tape, rg_draw_multinomial(tape, rg_rand(tape, RG_F64, RG_SHAPE(1000)), 1000, false), RG_F64),
        order, sizeof order));
    qsort(order, 1000, sizeof *order, by_size);
    for (int i = 0; i < 1000; i++)
        assert_true(order[i] == i);
    assert_tape_ok(tape);
}

/* ---- gradients ---- */

/* Of the quantile function, by 40 digits of the incomplete gamma function. */
static void the_derivative_of_gamma_variates_is_exact(void **state)
{
    (void)state;
    static const double known[][3] = {
        {0.01, 1.0e-40, 9.1542518261893153e-37}, {0.2, 0.001, 0.033124642094407808},
        {0.5, 0.1, 0.50976556708269722},         {0.5, 2.5, 2.7304872835114303},
        {1.0, 1.0, 1.1735630272247269},          {1.5, 4.0, 1.7505879330431916},
        {3.0, 0.5, 0.37617535631048192},         {3.0, 2.5, 0.96336182883997331},
        {3.0, 9.0, 1.7397554120638797},          {20.0, 12.0, 0.7725905810750923},
        {20.0, 31.0, 1.2453691909168045},        {500.0, 480.0, 0.9800544901961619},
        {500.0, 560.0, 1.0580868977801045},      {100000.0, 100400.0, 1.0019990086502513},
    };
    for (size_t i = 0; i < COUNT(known); i++) {
        const double a = known[i][0], x = known[i][1], slope = x * rg__log_gamma_slope(a, log(x));
        if (!(fabs(slope / known[i][2] - 1) < 1e-11))
            fail_msg("at %g, %g: %.17g instead of %.17g", a, x, slope, known[i][2]);
    }
    /* d log x / d a of a variate that underflows */
    assert_near(rg__log_gamma_slope(1e-3, -5000) / (1000 * (5000 - .5772156649015329 + 1e-3 * 1.6449340668)), 1, 1e-6);
    assert_true(isnan(rg__log_gamma_slope(-1, 0)) && isnan(rg__log_gamma_slope(1, NAN)));
}

static void the_gradient_by_a_concentration_is_that_derivative(void **state)
{
    (void)state;
    rg_tensor a = F64(RG_SHAPE(2, 3), .3, 1, 2, 7, 40, 1000), rate = F64(RG_SHAPE(3), 2, 1, 3), g[2];
    rg_tensor c = rg_transpose(tape, a, 0, 1),
              y = rg_transpose(tape, rg_draw_gamma(tape, c, rg_unsqueeze(tape, rate, 1)), 0, 1);
    static double value[VALUES_MOST], by_a[VALUES_MOST], by_rate[VALUES_MOST], concentration[VALUES_MOST],
        rates[VALUES_MOST];
    assert_true(rg_grad(tape, total(y), (const rg_tensor[]){a, rate}, 2, g));
    read_values(tape, y, value);
    read_values(tape, g[0], by_a);
    read_values(tape, g[1], by_rate);
    read_values(tape, a, concentration);
    read_values(tape, rate, rates);
    for (int i = 0; i < 6; i++) {
        const double x = value[i] * rates[i % 3];
        assert_near(by_a[i], x * rg__log_gamma_slope(concentration[i], log(x)) / rates[i % 3], 1e-13);
    }
    for (int i = 0; i < 3; i++)
        assert_near(by_rate[i], -(value[i] + value[i + 3]) / rates[i], 1e-13);
}

/* The mean of the gradients is the gradient of the mean, within four of its standard deviations. */
static void assert_mean_gradient(rg_tensor y, rg_tensor by, double expected, const char *what)
{
    static double g[N];
    rg_tensor grad;
    double mean = 0, square = 0;
    assert_true(rg_grad(tape, total(y), &by, 1, &grad));
    assert_true(rg_read(tape, grad, g, sizeof g));
    for (int i = 0; i < N; i++)
        mean += g[i] / N;
    for (int i = 0; i < N; i++)
        square += (g[i] - mean) * (g[i] - mean) / N;
    if (!(fabs(mean - expected) < 4 * sqrt(square / N)))
        fail_msg("%s: the mean gradient is %g instead of %g", what, mean, expected);
}

static void gradients_of_draws_are_right_on_average(void **state)
{
    (void)state;
    const double shapes[] = {.05, .5, 2, 30};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        const double p = shapes[i], q = 1.5, s = p + q;
        rg_tensor a = numbers(tape, RG_F64, p), b = numbers(tape, RG_F64, q);
        assert_mean_gradient(rg_draw_gamma(tape, a, RG_NIL), a, 1, "gamma");
        rg_tensor gamma = rg_draw_gamma(tape, a, RG_NIL);
        assert_mean_gradient(rg_square(tape, gamma), a, 2 * p + 1, "gamma squared");
        assert_mean_gradient(rg_draw_beta(tape, a, b), a, q / (s * s), "beta, the first");
        assert_mean_gradient(rg_draw_beta(tape, b, a), a, -q / (s * s), "beta, the second");
        rg_tensor parts[3] = {a, b, b};
        rg_tensor d = rg_draw_dirichlet(tape, rg_stack(tape, parts, 3, 1));
        assert_mean_gradient(rg_select(tape, d, 1, 0), a, 2 * q / ((p + 2 * q) * (p + 2 * q)), "dirichlet");
        assert_mean_gradient(rg_draw_chi2(tape, a), a, 1, "chi2");
        rg_tape_reset(tape);
    }
    rg_tensor df = numbers(tape, RG_F64, 8); /* E t^2 = df / (df - 2) */
    assert_mean_gradient(rg_square(tape, rg_draw_student_t(tape, df)), df, -2. / 36, "student t");
    assert_tape_ok(tape);
}

static void second_derivatives_by_a_concentration_are_an_error(void **state)
{
    (void)state;
    rg_tensor a = F64(RG_SHAPE(2), 1.5, 2), rate = F64(RG_SHAPE(2), 2, 3), y = rg_draw_gamma(tape, a, rate), g[2], gg;
    rg_tensor v = F64(RG_SHAPE(2), 1, 1);
    rg_jvp(tape, y, &a, 1, &v); /* forward mode goes through the cotangent alone */
    assert_true(rg_grad(tape, total(rg_square(tape, y)), (const rg_tensor[]){a, rate}, 2, g));
    assert_true(rg_grad(tape, total(g[1]), &rate, 1, &gg)); /* by the rate there is one */
    assert_tape_ok(tape);
    assert_false(rg_grad(tape, total(g[0]), &a, 1, &gg));
    assert_error(tape, RG_ERROR_STATE, WORDS("gamma_slope", "cannot be differentiated again"));
}

/* ---- what a draw depends on ---- */

static rg_tensor all_kinds(rg_tape *t, int64_t n)
{
    const rg_tensor one = rg_full(t, RG_F64, RG_SHAPE(n), 1.25), wide = rg_full(t, RG_F64, RG_SHAPE(n, 4), .5);
    const rg_tensor parts[] = {
        rg_draw_normal(t, one, one),
        rg_draw_exponential(t, one),
        rg_draw_gamma(t, one, RG_NIL),
        rg_draw_cauchy(t, one, one),
        rg_draw_beta(t, one, one),
        rg_draw_student_t(t, one),
        rg_draw_poisson(t, rg_mul_scalar(t, one, 11)),
        rg_draw_binomial(t, rg_full(t, RG_F64, RG_SHAPE(n), 90), rg_mul_scalar(t, one, .3)),
        rg_cast(t, rg_draw_bernoulli(t, rg_mul_scalar(t, one, .4)), RG_F64),
        rg_cast(t, rg_draw_categorical(t, wide), RG_F64),
        rg_cast(t, rg_reshape(t, rg_draw_multinomial(t, wide, 2, false), RG_SHAPE(-1)), RG_F64),
        rg_reshape(t, rg_draw_dirichlet(t, wide), RG_SHAPE(-1)),
    };
    return rg_cat(t, parts, COUNT(parts), 0);
}

static void draws_are_the_same_for_all_threads_and_executors(void **state)
{
    (void)state;
    enum { COUNT_DRAWN = 5000, ALL = COUNT_DRAWN * 16 };
    static double first[ALL], other[ALL];
    const rg_tape_config configs[] = {{.seed = 3, .threads = 1},
                                      {.seed = 3, .threads = 2},
                                      {.seed = 3, .threads = 3},
                                      {.seed = 3, .threads = 2, .eager = true}};
    for (size_t i = 0; i < COUNT(configs); i++) {
        rg_tape *t = rg_tape_new(&configs[i]);
        if (!rg_read(t, all_kinds(t, COUNT_DRAWN), i ? other : first, sizeof first))
            fail_msg("%s", rg_tape_error(t));
        if (i == 3) { /* the reference has other functions for exp and log */
            for (int k = 0; k < ALL; k++)
                assert_true(fabs(first[k] - other[k]) <= 1e-12 * fmax(1, fabs(first[k])));
        } else if (i) {
            assert_memory_equal(first, other, sizeof first);
        }
        rg_tape_free(t);
    }
    rg_tape *t = rg_tape_new(&(rg_tape_config){.seed = 4});
    assert_true(rg_read(t, all_kinds(t, COUNT_DRAWN), other, sizeof other));
    assert_true(memcmp(first, other, sizeof first) != 0);
    rg_tape_free(t);
}

/* Element i is a function of where the node begins, and of i: not of its neighbours, and not of their parameters. */
static void an_element_does_not_depend_on_its_neighbours(void **state)
{
    (void)state;
    const draw_of_one draws[] = {gamma_of_one, rg_draw_poisson, rg_draw_exponential};
    double out[3][64];
    for (size_t kind = 0; kind < COUNT(draws); kind++) {
        for (int k = 0; k < 3; k++) {
            rg_tape *t = rg_tape_new(NULL);
            const int64_t n = k == 1 ? 5 : 64;
            const rg_tensor p = k == 2 ? rg_linspace(t, RG_F64, 3, 30, n) : rg_full(t, RG_F64, RG_SHAPE(n), 3);
            assert_true(rg_read(t, draws[kind](t, p), out[k], (size_t)n * sizeof(double)));
            rg_tape_free(t);
        }
        assert_memory_equal(out[0], out[1], 5 * sizeof(double));
        assert_number(out[2][0], out[0][0]);
    }
}

static rg_tensor noisy(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_mul(t, rg_draw_gamma(t, x[0], x[1]), rg_cast(t, rg_draw_poisson(t, rg_detach(t, x[0])), RG_F64));
}

static void checkpoints_draw_the_same_again(void **state)
{
    (void)state;
    double grad[2][2][3];
    for (int k = 0; k < 2; k++) {
        rg_tape *t = rg_tape_new(NULL);
        rg_tensor x[2] = {rg_input_f64(t, RG_SHAPE(3), (const double[]){.5, 2, 20}),
                          rg_input_f64(t, RG_SHAPE(3), (const double[]){1, 2, 3})},
                  g[2];
        rg_tensor y = k ? rg_checkpoint(t, noisy, x, 2, NULL) : noisy(t, x, 2, NULL);
        assert_true(rg_grad(t, rg_sum(t, rg_square(t, y), RG_ALL, false), x, 2, g));
        for (int i = 0; i < 2; i++)
            assert_true(rg_read(t, g[i], grad[k][i], sizeof grad[k][i]));
        rg_tape_free(t);
    }
    assert_memory_equal(grad[0], grad[1], sizeof grad[0]);
    assert_true(grad[0][0][2] != 0);
}

/* ---- ends of the ranges, and beyond ---- */

static void tiny_concentrations_lose_nothing(void **state)
{
    (void)state;
    static double x[N];
    for (rg_dtype dtype = RG_F32; dtype <= RG_F64; dtype++) {
        const rg_tensor a = numbers(tape, dtype, 1e-3), b = numbers(tape, dtype, 3e-3);
        double ones = 0;
        assert_true(rg_read(tape, rg_cast(tape, rg_draw_beta(tape, a, b), RG_F64), x, sizeof x));
        for (int i = 0; i < N; i++)
            ones += x[i] > .5;
        assert_true(fabs(ones / N - .25) < 4 * sqrt(.25 * .75 / N));
        assert_true(rg_read(tape, rg_cast(tape, rg_draw_gamma(tape, a, RG_NIL), RG_F64), x, sizeof x));
        for (int i = 0; i < N; i++)
            assert_true(x[i] >= (dtype == RG_F32 ? FLT_MIN : DBL_MIN));
    }
}

static void limits_are_allowed_and_what_lies_beyond_is_not_a_number(void **state)
{
    (void)state;
    rg_tensor zero = F64(RG_SCALAR, 0), one = F64(RG_SCALAR, 1), minus = F64(RG_SCALAR, -1), nan = F64(RG_SCALAR, NAN);
    assert_values(rg_draw_normal(tape, one, zero), 1);
    assert_values(rg_draw_uniform(tape, one, one), 1);
    assert_number(rg_item(tape, rg_draw_exponential(tape, zero)), INFINITY);
    assert_values(rg_draw_poisson(tape, zero), 0);
    assert_values(rg_draw_binomial(tape, F64(RG_SHAPE(3), 7, 7, 0), F64(RG_SHAPE(3), 0, 1, .5)), 0, 7, 0);
    assert_values(rg_draw_bernoulli(tape, F64(RG_SHAPE(2), 0, 1)), 0, 1);
    const rg_tensor beyond[] = {
        rg_draw_normal(tape, one, minus),  rg_draw_log_normal(tape, one, minus), rg_draw_uniform(tape, one, minus),
        rg_draw_exponential(tape, minus),  rg_draw_laplace(tape, one, minus),    rg_draw_gumbel(tape, one, minus),
        rg_draw_cauchy(tape, one, minus),  rg_draw_gamma(tape, one, minus),      rg_draw_gamma(tape, minus, one),
        rg_draw_gamma(tape, zero, RG_NIL), rg_draw_beta(tape, minus, one),       rg_draw_beta(tape, one, zero),
        rg_draw_chi2(tape, minus),         rg_draw_student_t(tape, minus),       rg_draw_normal(tape, nan, one),
        rg_draw_normal(tape, one, nan),    rg_draw_gamma(tape, nan, RG_NIL),     rg_draw_exponential(tape, nan),
    };
    for (size_t i = 0; i < COUNT(beyond); i++)
        if (!isnan(rg_item(tape, beyond[i])))
            fail_msg("draw %zu is %g", i, rg_item(tape, beyond[i]));
    assert_tape_ok(tape);
}

static void discrete_parameters_out_of_range_are_errors_of_the_run(void **state)
{
    (void)state;
    rg_tensor one = F64(RG_SCALAR, 1);
#define FAILS(draw, ...)                                        \
    do {                                                        \
        const rg_tensor drawn = (draw);                         \
        assert_false(rg_is_nil(drawn));                         \
        rg_data(tape, drawn);                                   \
        assert_error(tape, RG_ERROR_VALUE, WORDS(__VA_ARGS__)); \
    } while (0)
    FAILS(rg_draw_poisson(tape, F64(RG_SHAPE(3), 1, -2, -3)), "draw_poisson", "rate -2");
    FAILS(rg_draw_poisson(tape, F64(RG_SCALAR, NAN)), "draw_poisson", "nan");
    FAILS(rg_draw_poisson(tape, F64(RG_SCALAR, INFINITY)), "draw_poisson", "inf");
    FAILS(rg_draw_binomial(tape, F64(RG_SCALAR, -1), one), "draw_binomial", "count -1");
    FAILS(rg_draw_binomial(tape, F64(RG_SCALAR, 2.5), one), "draw_binomial", "count 2.5");
    FAILS(rg_draw_binomial(tape, one, F64(RG_SHAPE(2), .5, 1.5)), "draw_binomial", "probability 1.5");
    FAILS(rg_draw_bernoulli(tape, F64(RG_SHAPE(2), .5, -.5)), "draw_bernoulli", "-0.5");
    FAILS(rg_draw_bernoulli(tape, F64(RG_SCALAR, NAN)), "draw_bernoulli", "nan");
    FAILS(rg_draw_multinomial(tape, F64(RG_SHAPE(2, 2), 1, 1, 1, -1), 1, true), "draw_multinomial", "row 1", "negative");
    FAILS(rg_draw_multinomial(tape, F64(RG_SHAPE(2), 1, INFINITY), 1, true), "draw_multinomial", "finite");
    FAILS(rg_draw_multinomial(tape, F64(RG_SHAPE(2), 0, 0), 1, true), "draw_multinomial", "sums to 0");
    FAILS(rg_draw_multinomial(tape, F64(RG_SHAPE(3), 0, 2, 0), 2, false), "draw_multinomial", "fewer weights");
    FAILS(rg_draw_categorical(tape, F64(RG_SHAPE(2), 1, NAN)), "draw_multinomial", "logits");
    FAILS(rg_draw_categorical(tape, F64(RG_SHAPE(2), -INFINITY, -INFINITY)), "draw_multinomial", "nothing but -inf");
}

static void bad_arguments_are_errors_in_the_draws_name(void **state)
{
    (void)state;
    rg_tensor x = F64(RG_SHAPE(2), 1, 2), y = F64(RG_SHAPE(3), 1, 2, 3), f = F32(RG_SHAPE(2), 1, 2),
              i = I64(RG_SHAPE(2), 1, 2);
    const struct {
        draw_of_two draw;
        const char *name;
    } twos[] = {{rg_draw_normal, "draw_normal"},    {rg_draw_log_normal, "draw_log_normal"},
                {rg_draw_uniform, "draw_uniform"},  {rg_draw_laplace, "draw_laplace"},
                {rg_draw_gumbel, "draw_gumbel"},    {rg_draw_cauchy, "draw_cauchy"},
                {rg_draw_gamma, "draw_gamma"},      {rg_draw_beta, "draw_beta"},
                {rg_draw_binomial, "draw_binomial"}};
    for (size_t k = 0; k < COUNT(twos); k++) {
        assert_true(rg_is_nil(twos[k].draw(tape, x, y)));
        assert_error(tape, RG_ERROR_SHAPE, WORDS(twos[k].name, "[2]", "[3]", "broadcast"));
        assert_true(rg_is_nil(twos[k].draw(tape, x, f)));
        assert_error(tape, RG_ERROR_DTYPE, WORDS(twos[k].name, "f64", "f32"));
        assert_true(rg_is_nil(twos[k].draw(tape, i, x)));
        assert_error(tape, RG_ERROR_DTYPE, WORDS(twos[k].name, "i64"));
        assert_true(rg_is_nil(twos[k].draw(tape, RG_NIL, x)));
        assert_error(tape, RG_ERROR_HANDLE, WORDS(twos[k].name, "nil"));
        assert_true(rg_is_nil(twos[k].draw(NULL, x, x)));
    }
    const struct {
        draw_of_one draw;
        const char *name;
    } ones[] = {{rg_draw_exponential, "draw_exponential"}, {rg_draw_chi2, "draw_chi2"},
                {rg_draw_student_t, "draw_student_t"},     {rg_draw_dirichlet, "draw_dirichlet"},
                {rg_draw_poisson, "draw_poisson"},         {rg_draw_bernoulli, "draw_bernoulli"},
                {rg_draw_categorical, "draw_categorical"}};
    for (size_t k = 0; k < COUNT(ones); k++) {
        assert_true(rg_is_nil(ones[k].draw(tape, i)));
        assert_error(tape, RG_ERROR_DTYPE, WORDS(ones[k].name, "i64"));
        assert_true(rg_is_nil(ones[k].draw(NULL, x)));
    }
    assert_true(rg_is_nil(rg_draw_dirichlet(tape, F64(RG_SCALAR, 1))));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("draw_dirichlet"));
    assert_true(rg_is_nil(rg_draw_categorical(tape, F64(RG_SCALAR, 1))));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("draw_categorical"));
    assert_true(rg_is_nil(rg_draw_multinomial(tape, rg_zeros(tape, RG_F64, RG_SHAPE(2, 0)), 1, true)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("draw_multinomial", "[2, 0]"));
    const int64_t samples[] = {0, -1, INT64_MIN, 3};
    for (size_t k = 0; k < COUNT(samples); k++) {
        assert_true(rg_is_nil(rg_draw_multinomial(tape, x, samples[k], false)));
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS("draw_multinomial", "samples of 2 weights"));
    }
    assert_true(rg_is_nil(rg_draw_multinomial(tape, rg_zeros(tape, RG_F64, RG_SHAPE(4, 2)), INT64_MAX, true)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("draw_multinomial", "too large"));
    assert_shape(rg_draw_multinomial(tape, rg_zeros(tape, RG_F64, RG_SHAPE(0, 2)), 5, true), 0, 5);
    assert_shape(rg_draw_dirichlet(tape, rg_zeros(tape, RG_F64, RG_SHAPE(0, 2))), 0, 2);
    assert_tape_ok(tape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(continuous_draws_follow_their_distributions),
        TAPE_TEST(the_distance_notices_a_wrong_scale),
        TAPE_TEST(counts_follow_their_distributions),
        TAPE_TEST(indices_follow_their_weights),
        TAPE_TEST(the_derivative_of_gamma_variates_is_exact),
        TAPE_TEST(the_gradient_by_a_concentration_is_that_derivative),
        TAPE_TEST(gradients_of_draws_are_right_on_average),
        TAPE_TEST(second_derivatives_by_a_concentration_are_an_error),
        TAPE_TEST(draws_are_the_same_for_all_threads_and_executors),
        TAPE_TEST(an_element_does_not_depend_on_its_neighbours),
        TAPE_TEST(checkpoints_draw_the_same_again),
        TAPE_TEST(tiny_concentrations_lose_nothing),
        TAPE_TEST(limits_are_allowed_and_what_lies_beyond_is_not_a_number),
        TAPE_TEST(discrete_parameters_out_of_range_are_errors_of_the_run),
        TAPE_TEST(bad_arguments_are_errors_in_the_draws_name),
    };
    return cmocka_run_group_tests_name("draw", tests, NULL, NULL);
}
