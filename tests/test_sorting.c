/* Scans, sorting and order statistics where golden values do not reach: rows of every length against plain loops, large
 * inputs on one thread and several, what holds between the ops, and what they refuse. */
#include "tape_support.h"

#include <retrograd/table.h>

#define REFUSED(expression, status, ...)                \
    do {                                                \
        assert_true(rg_is_nil(expression));             \
        assert_error(tape, status, WORDS(__VA_ARGS__)); \
    } while (0)

/* ---- numbers: few different ones, or many, NaN and infinities and both zeros among them ---- */

static uint64_t state_of_draws = 1;

static uint32_t draw(uint32_t below)
{
    state_of_draws = state_of_draws * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state_of_draws >> 33) % below;
}

static double number(uint32_t different)
{
    static const double special[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0};
    return different < 50 && draw(9) == 0 ? special[draw(5)] : (double)draw(different) / 4 - (double)different / 8;
}

static rg_tensor random_tensor(rg_tape *t, rg_dtype dtype, rg_shape shape, uint32_t different)
{
    const int64_t n = rg_shape_numel(shape);
    double *const data = malloc(((size_t)n + 1) * sizeof *data);
    assert_non_null(data);
    for (int64_t i = 0; i < n; i++)
        data[i] = number(different);
    const rg_tensor x = rg_cast(t, rg_input_f64(t, shape, data), dtype);
    free(data);
    return x;
}

/* All of x as doubles; free it. */
static double *values_of(rg_tape *t, rg_tensor x)
{
    const rg_tensor y = rg_cast(t, x, RG_F64);
    const size_t n = (size_t)rg_numel(t, y);
    double *const out = malloc((n + 1) * sizeof *out);
    assert_non_null(out);
    if (!rg_read(t, y, out, n * sizeof *out))
        fail_msg("%s", rg_tape_error(t));
    return out;
}

/* a before b: NaN is behind all numbers. */
static bool before(double a, double b)
{
    return a < b || (!isnan(a) && isnan(b));
}

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* ---- sorting against insertion ---- */

/* The positions of a stable sort. */
static void sort_plainly(const double *x, int64_t n, bool descending, int64_t *index)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t j = i;
        for (; j > 0 && (descending ? before(x[index[j - 1]], x[i]) : before(x[i], x[index[j - 1]])); j--)
            index[j] = index[j - 1];
        index[j] = i;
    }
}

static void check_order(rg_dtype dtype, int64_t n, uint32_t different, bool descending)
{
    enum { LONGEST = 700 };
    static int64_t expected[LONGEST];
    rg_tensor index, best_index, k_index, middle_index;
    const rg_tensor x = random_tensor(tape, dtype, RG_SHAPE(n), different);
    const int64_t k = 1 + draw((uint32_t)n);
    double *const v = values_of(tape, x), *const sorted = values_of(tape, rg_sort(tape, x, 0, descending, &index));
    double *const best = values_of(tape, rg_topk(tape, x, k, 0, descending, true, &best_index));
    const int64_t *const at = rg_data_i64(tape, index), *const best_at = rg_data_i64(tape, best_index);
    sort_plainly(v, n, descending, expected);
    for (int64_t i = 0; i < n; i++) {
        assert_int_equal(at[i], expected[i]);
        assert_true(same(sorted[i], v[expected[i]]));
        assert_true(i >= k || (best_at[i] == at[i] && same(best[i], sorted[i])));
    }
    if (!descending) {
        const double kth = rg_item(tape, rg_kthvalue(tape, x, k, 0, false, &k_index));
        const double middle = rg_item(tape, rg_median_with_index(tape, x, 0, false, &middle_index));
        assert_true(same(kth, sorted[k - 1]));
        assert_int_equal((int64_t)rg_item(tape, k_index), at[k - 1]);
        assert_true(same(middle, isnan(sorted[n - 1]) ? NAN : sorted[(n - 1) / 2]));
        assert_true(same(middle, rg_item(tape, rg_median(tape, x, RG_ALL, false))));
        assert_true(same(middle, v[(int64_t)rg_item(tape, middle_index)]));
    }
    assert_tape_ok(tape);
    free(v);
    free(sorted);
    free(best);
    rg_tape_reset(tape);
}

static void rows_of_every_length_are_sorted_stably(void **state)
{
    (void)state;
    static const rg_dtype dtypes[] = {RG_F32, RG_F64, RG_I32, RG_I64};
    for (int64_t n = 1; n < 700; n += n < 40 ? 1 : 61)
        for (size_t d = 0; d < COUNT(dtypes); d++)
            for (int way = 0; way < 4; way++)
                check_order(dtypes[d], n, way < 2 ? 12 : 100000, way % 2);
}

/* ---- order statistics against counting ---- */

static void check_mode_and_nanmedian(int64_t n)
{
    rg_tensor mode_index;
    const rg_tensor x = random_tensor(tape, RG_F32, RG_SHAPE(n), 9);
    double *const v = values_of(tape, x), *const sorted = values_of(tape, rg_sort(tape, x, 0, false, NULL));
    int64_t most = 0, last = 0, numbers = 0;
    double mode = NAN;
    for (int64_t i = 0; i < n; i++) {
        int64_t count = 0, at = 0;
        for (int64_t j = 0; j < n; j++)
            if (same(v[j], v[i]))
                count++, at = j;
        if (count > most || (count == most && before(v[i], mode)))
            most = count, mode = v[i], last = at;
        numbers += !isnan(v[i]);
    }
    assert_true(same(rg_item(tape, rg_mode_with_index(tape, x, 0, false, &mode_index)), mode));
    assert_int_equal((int64_t)rg_item(tape, mode_index), last);
    const double middle = rg_item(tape, rg_nanmedian(tape, x, RG_ALL, false));
    assert_true(same(middle, numbers ? sorted[(numbers - 1) / 2] : NAN));
    free(v);
    free(sorted);
    rg_tape_reset(tape);
}

static void modes_and_medians_are_those_found_by_counting(void **state)
{
    (void)state;
    for (int64_t n = 1; n < 400; n += n < 30 ? 1 : 37)
        check_mode_and_nanmedian(n);
}

static void what_is_not_sorted_comes_in_the_order_of_x(void **state)
{
    (void)state;
    rg_tensor index;
    const rg_tensor x = F64(RG_SHAPE(6), 3, 9, 1, 9, 4, 5);
    assert_values(rg_topk(tape, x, 4, 0, true, false, &index), 9, 9, 4, 5);
    assert_values(index, 1, 3, 4, 5);
    assert_values(rg_topk(tape, x, 2, 0, false, false, NULL), 3, 1);
    const rg_tensor many = random_tensor(tape, RG_F64, RG_SHAPE(500), 100000);
    rg_topk(tape, many, 200, 0, true, false, &index); /* by another way than few of them */
    const rg_tensor steps = rg_diff(tape, index, 1, 0, RG_NIL, RG_NIL);
    assert_true(rg_item(tape, rg_min(tape, steps, RG_ALL, false)) > 0);
}

static void positions_are_written_only_where_wanted(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(3), 2, 1, 3);
    assert_values(rg_sort(tape, x, 0, false, NULL), 1, 2, 3);
    assert_values(rg_topk(tape, x, 1, 0, true, true, NULL), 3);
    assert_values(rg_kthvalue(tape, x, 2, 0, true, NULL), 2);
    assert_values(rg_cummax(tape, x, 0, NULL), 2, 2, 3);
    assert_values(rg_cummin(tape, x, 0, NULL), 2, 1, 1);
    assert_values(rg_max_with_index(tape, x, 0, false, NULL), 3);
    assert_values(rg_min_with_index(tape, x, 0, false, NULL), 1);
    assert_values(rg_median_with_index(tape, x, 0, false, NULL), 2);
    assert_values(rg_mode_with_index(tape, x, 0, false, NULL), 1);
    assert_values(rg_aminmax(tape, x, RG_ALL, false, NULL), 1);
    assert_values(rg_var_mean(tape, x, RG_ALL, 1, false, NULL), 1);
    assert_values(rg_unique(tape, x, NULL, NULL), 1, 2, 3);
    rg_tensor index = x;
    assert_true(rg_is_nil(rg_sort(tape, x, 4, false, &index)));
    assert_true(rg_is_nil(index));
    rg_tape_clear_error(tape);
}

/* ---- large inputs: one thread and several give the same bits ---- */

enum { LARGE = 1 << 18 };

typedef rg_tensor (*operation)(rg_tape *t, rg_tensor x, rg_tensor *also);

static rg_tensor sort_all(rg_tape *t, rg_tensor x, rg_tensor *also)
{
    return rg_sort(t, x, -1, false, also);
}

static rg_tensor sort_down(rg_tape *t, rg_tensor x, rg_tensor *also)
{
    return rg_sort(t, x, 0, true, also);
}

static rg_tensor top(rg_tape *t, rg_tensor x, rg_tensor *also)
{
    return rg_topk(t, x, rg_dim(t, x, -1) / 3, -1, true, true, also);
}

static rg_tensor middle(rg_tape *t, rg_tensor x, rg_tensor *also)
{
    return rg_median_with_index(t, x, -1, false, also);
}

static rg_tensor sum_last(rg_tape *t, rg_tensor x, rg_tensor *also)
{
    (void)also;
    return rg_cumsum(t, x, -1);
}

static rg_tensor sum_first(rg_tape *t, rg_tensor x, rg_tensor *also)
{
    (void)also;
    return rg_cumsum(t, x, 0);
}

static rg_tensor product(rg_tape *t, rg_tensor x, rg_tensor *also)
{
    (void)also;
    return rg_cumprod(t, rg_add_scalar(t, rg_mul_scalar(t, rg_tanh(t, x), 1e-5), 1), -1);
}

static rg_tensor log_sum(rg_tape *t, rg_tensor x, rg_tensor *also)
{
    (void)also;
    return rg_logcumsumexp(t, x, 0);
}

static rg_tensor best(rg_tape *t, rg_tensor x, rg_tensor *also)
{
    return rg_cummax(t, x, -1, also);
}

static rg_tensor search(rg_tape *t, rg_tensor x, rg_tensor *also)
{
    (void)also;
    return rg_searchsorted(t, rg_linspace(t, rg_dtype_of(t, x), -30, 30, 1000), x, true);
}

static const struct {
    const char *name;
    operation f;
    bool differentiable;
} operations[] = {{"sort", sort_all, true},       {"sort down", sort_down, true}, {"topk", top, true},
                  {"median", middle, true},       {"cumsum", sum_last, true},     {"cumsum 0", sum_first, true},
                  {"cumprod", product, true},     {"cummax", best, true},         {"logcumsumexp", log_sum, true},
                  {"searchsorted", search, false}};

typedef struct outcome {
    double *part[3]; /* result, position, gradient */
    int64_t count[3];
} outcome;

static outcome run(operation f, bool differentiable, rg_dtype dtype, rg_shape shape, uint32_t different, int threads)
{
    outcome o = {{NULL}, {0}};
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads});
    assert_non_null(t);
    state_of_draws = 99;
    const rg_tensor x = random_tensor(t, dtype, shape, different);
    rg_tensor also = RG_NIL, grad = RG_NIL;
    const rg_tensor y = f(t, x, &also);
    assert_tape_ok(t);
    if (differentiable)
        assert_true(rg_grad_with(t, y, rg_cos(t, rg_cast(t, y, dtype)), &x, 1, &grad));
    const rg_tensor parts[] = {y, also, grad};
    for (int i = 0; i < 3; i++)
        if (!rg_is_nil(parts[i])) {
            o.part[i] = values_of(t, parts[i]);
            o.count[i] = rg_numel(t, parts[i]);
        }
    assert_tape_ok(t);
    rg_tape_free(t);
    return o;
}

static void assert_same_outcome(const outcome *a, const outcome *b, const char *what)
{
    for (int i = 0; i < 3; i++) {
        assert_int_equal(a->count[i], b->count[i]);
        for (int64_t k = 0; k < a->count[i]; k++)
            if (memcmp(&a->part[i][k], &b->part[i][k], sizeof(double)) != 0 &&
                !(isnan(a->part[i][k]) && isnan(b->part[i][k])))
                fail_msg("%s: part %d, element %lld: %.17g and %.17g", what, i, (long long)k, a->part[i][k],
                         b->part[i][k]);
    }
}

static void free_outcome(outcome *o)
{
    for (int i = 0; i < 3; i++)
        free(o->part[i]);
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    const rg_shape shapes[] = {RG_SHAPE(LARGE), RG_SHAPE(2, LARGE / 2), RG_SHAPE(512, 512), RG_SHAPE(LARGE / 2, 2),
                               RG_SHAPE(9, 30000)};
    for (size_t i = 0; i < COUNT(operations); i++)
        for (size_t s = 0; s < COUNT(shapes); s++) {
            const rg_dtype dtype = (i + s) % 2 ? RG_F64 : RG_F32;
            const uint32_t different = s % 2 ? 40 : 1 << 20;
            const operation f = operations[i].f;
            outcome one = run(f, operations[i].differentiable, dtype, shapes[s], different, 1);
            for (int threads = 2; threads <= 3; threads++) {
                outcome more = run(f, operations[i].differentiable, dtype, shapes[s], different, threads);
                assert_same_outcome(&one, &more, operations[i].name);
                free_outcome(&more);
            }
            free_outcome(&one);
        }
}

static void a_long_row_is_sorted_by_several_threads(void **state)
{
    (void)state;
    static const rg_dtype dtypes[] = {RG_F32, RG_F64, RG_I32, RG_I64};
    for (size_t d = 0; d < COUNT(dtypes); d++) {
        rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = 3});
        rg_tensor index;
        const rg_tensor x = random_tensor(t, dtypes[d], RG_SHAPE(LARGE + 77), d % 2 ? 30 : 1 << 22);
        double *const sorted = values_of(t, rg_sort(t, x, 0, false, &index));
        const int64_t *const at = rg_data_i64(t, index);
        for (int64_t i = 1; i < LARGE + 77; i++) {
            assert_false(before(sorted[i], sorted[i - 1]));
            assert_true(at[i] > at[i - 1] || !same(sorted[i], sorted[i - 1]));
        }
        free(sorted);
        rg_tape_free(t);
    }
}

/* ---- scans ---- */

static void sums_of_a_long_lane_are_those_of_a_loop(void **state)
{
    (void)state;
    const rg_tensor x = random_tensor(tape, RG_F64, RG_SHAPE(LARGE), 1 << 20);
    double *const v = values_of(tape, x), *const sums = values_of(tape, rg_cumsum(tape, x, 0)), sum = 0, exact = 0;
    const rg_tensor whole = rg_cast(tape, x, RG_I64);
    double *const w = values_of(tape, whole), *const whole_sums = values_of(tape, rg_cumsum(tape, whole, 0));
    for (int64_t i = 0; i < LARGE; i++) {
        sum += v[i];
        exact += w[i];
        assert_near(sums[i], sum, 1e-9);
        assert_true(whole_sums[i] == exact);
    }
    free(v);
    free(sums);
    free(w);
    free(whole_sums);
}

/* The same lanes, wherever they lie. */
static void scans_along_any_axis_agree(void **state)
{
    (void)state;
    const rg_tensor x = random_tensor(tape, RG_F64, RG_SHAPE(7, 300, 5), 1 << 20);
    for (int axis = 0; axis < 3; axis++) {
        const rg_tensor moved = rg_transpose(tape, x, axis, 2);
        double *const a = values_of(tape, rg_cumsum(tape, x, axis));
        double *const b = values_of(tape, rg_contiguous(tape, rg_transpose(tape, rg_cumsum(tape, moved, 2), axis, 2)));
        double *const c = values_of(tape, rg_logcumsumexp(tape, x, axis));
        double *const d =
            values_of(tape, rg_contiguous(tape, rg_transpose(tape, rg_logcumsumexp(tape, moved, 2), axis, 2)));
        assert_memory_equal(a, b, 7 * 300 * 5 * sizeof *a);
        assert_memory_equal(c, d, 7 * 300 * 5 * sizeof *c);
        free(a);
        free(b);
        free(c);
        free(d);
    }
}

static rg_tensor product_of_first(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_cumprod(t, x[0], -1);
}

static void products_with_zeros_have_exact_derivatives(void **state)
{
    (void)state;
    static const double x[] = {1.5, 0, 2, .5, 0, 0, 3, -1, 0, 1, 2, 3, 4, 5, 0};
    const rg_array input = {RG_F64, RG_SHAPE(3, 5), (void *)x};
    rg_gradcheck_report r;
    if (!rg_gradcheck(product_of_first, NULL, &input, 1, &(rg_gradcheck_config){.jacobian = true}, &r) ||
        !rg_gradcheck2(product_of_first, NULL, &input, 1, NULL, &r))
        fail_msg("%s", r.message);
}

static void where_all_is_minus_infinity_nothing_has_a_share(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(4), -INFINITY, -INFINITY, 0, 0), y = rg_logcumsumexp(tape, x, 0);
    rg_tensor grad;
    assert_true(rg_grad_with(tape, y, F64(RG_SHAPE(4), 5, 6, 1, 2), &x, 1, &grad));
    assert_values(rg_exp(tape, y), 0, 0, 1, 2);
    assert_values(grad, 0, 0, 2, 1);
}

static void large_numbers_keep_their_shares_in_f32(void **state)
{
    (void)state;
    const rg_tensor x = F32(RG_SHAPE(3), 1000, 1001, 999), y = rg_logcumsumexp(tape, x, 0);
    rg_tensor grad;
    assert_true(rg_grad_with(tape, y, F32(RG_SHAPE(3), 0, 0, 1), &x, 1, &grad));
    const float *g = rg_data_f32(tape, grad);
    const double sum = 1 + exp(-1) + exp(-2);
    assert_near(g[0], exp(-1) / sum, 1e-7);
    assert_near(g[1], 1 / sum, 1e-7);
    assert_near(g[2], exp(-2) / sum, 1e-7);
}

/* ---- distinct elements, counts ---- */

static void distinct_elements_and_their_places_give_x_again(void **state)
{
    (void)state;
    static const rg_dtype dtypes[] = {RG_F32, RG_F64, RG_I32, RG_I64, RG_BOOL};
    for (size_t d = 0; d < 2 * COUNT(dtypes); d++) {
        rg_tensor inverse, counts;
        const rg_tensor x = rg_transpose(tape, random_tensor(tape, dtypes[d / 2], RG_SHAPE(40, 23), 60), 0, 1);
        const rg_tensor values = (d % 2 ? rg_unique : rg_unique_consecutive)(tape, x, &inverse, &counts);
        double *const v = values_of(tape, x), *const again = values_of(tape, rg_take(tape, values, inverse));
        assert_memory_equal(v, again, 40 * 23 * sizeof *v);
        assert_number(rg_item(tape, rg_sum(tape, counts, RG_ALL, false)), 40 * 23);
        assert_shape(inverse, 23, 40);
        free(v);
        free(again);
    }
}

static void every_nan_is_distinct(void **state)
{
    (void)state;
    rg_tensor inverse, counts;
    const rg_tensor x = F64(RG_SHAPE(5), NAN, 1, NAN, -0.0, 0.0), values = rg_unique(tape, x, &inverse, &counts);
    assert_shape(values, 4);
    assert_values(counts, 2, 1, 1, 1);
    assert_values(inverse, 2, 1, 3, 0, 0);
    assert_shape(rg_unique_consecutive(tape, F64(RG_SHAPE(3), NAN, NAN, 1), NULL, NULL), 3);
}

static void weights_of_counts_have_a_gradient(void **state)
{
    (void)state;
    const rg_tensor w = F64(RG_SHAPE(4), 1, 2, 3, 4), x = I64(RG_SHAPE(4), 2, 0, 2, 1);
    const rg_tensor counts = rg_bincount(tape, x, w, 4);
    rg_tensor grad;
    assert_values(counts, 2, 4, 4, 0);
    assert_true(rg_grad_with(tape, counts, F64(RG_SHAPE(4), 10, 20, 30, 40), &w, 1, &grad));
    assert_values(grad, 30, 10, 30, 20);
}

/* Their argument is read when they are recorded; afterwards the tape goes on as ever, planned or eager. */
static void shapes_that_depend_on_values_are_known_at_once(void **state)
{
    (void)state;
    for (int eager = 0; eager < 2; eager++) {
        rg_tape *t = rg_tape_new(&(rg_tape_config){.eager = eager});
        const rg_tensor x = rg_exp(t, rg_input_f64(t, RG_SHAPE(3), (const double[]){0, 1, 0}));
        const rg_tensor y = rg_mul(t, rg_unique(t, x, NULL, NULL), rg_slice(t, x, 0, 0, 2, 1));
        double out[2];
        assert_true(rg_read(t, y, out, sizeof out));
        assert_near(out[0], 1, 1e-15);
        assert_near(out[1], exp(2), 1e-15);
        rg_tape_free(t);
    }
}

/* ---- quantiles and norms ---- */

static void quantiles_of_many_numbers(void **state)
{
    (void)state;
    double q[101], *const x = malloc(1001 * sizeof *x);
    for (int i = 0; i <= 100; i++)
        q[i] = i / 100.;
    for (int i = 0; i <= 1000; i++)
        x[i] = (i * 389) % 1001; /* all of 0 to 1000 */
    const rg_tensor y =
        rg_quantile(tape, rg_input_f64(tape, RG_SHAPE(7, 11, 13), x), q, 101, RG_ALL, true, RG_QUANTILE_LINEAR);
    const double *const found = rg_data_f64(tape, y);
    assert_shape(y, 101, 1, 1, 1);
    for (int i = 0; i <= 100; i++)
        assert_near(found[i], 10. * i, 1e-12);
    free(x);
}

static void norms_do_not_depend_on_how_p_is_computed(void **state)
{
    (void)state;
    const rg_tensor x = random_tensor(tape, RG_F64, RG_SHAPE(50), 1000);
    static const double powers[] = {1, 2, 3, 4}; /* have expressions of their own */
    for (size_t i = 0; i < COUNT(powers); i++)
        assert_near(rg_item(tape, rg_norm(tape, x, powers[i], RG_ALL, false)),
                    rg_item(tape, rg_norm(tape, x, powers[i] + 1e-13, RG_ALL, false)), 1e-10);
    const double most = rg_item(tape, rg_norm(tape, x, INFINITY, RG_ALL, false));
    assert_near(rg_item(tape, rg_norm(tape, x, 100, RG_ALL, false)), most, .05);
}

/* ---- what is refused ---- */

static void bad_axes_and_sizes_are_refused_by_name(void **state)
{
    (void)state;
    const rg_tensor x = F32(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), none = rg_zeros(tape, RG_F32, RG_SHAPE(2, 0));
    rg_tensor out;
    REFUSED(rg_cumsum(tape, x, 2), RG_ERROR_SHAPE, "cumsum: ", "axis 2", "[2, 3]");
    REFUSED(rg_cumprod(tape, x, INT32_MIN), RG_ERROR_SHAPE, "cumprod: ", "[2, 3]");
    REFUSED(rg_logcumsumexp(tape, x, -3), RG_ERROR_SHAPE, "logcumsumexp: ", "axis -3");
    REFUSED(rg_cummax(tape, x, 2, &out), RG_ERROR_SHAPE, "cummax: ", "axis 2");
    REFUSED(rg_cummin(tape, x, 2, NULL), RG_ERROR_SHAPE, "cummin: ", "axis 2");
    REFUSED(rg_sort(tape, x, 2, false, &out), RG_ERROR_SHAPE, "sort: ", "axis 2");
    REFUSED(rg_argsort(tape, x, INT32_MAX, true), RG_ERROR_SHAPE, "argsort: ", "axis 2147483647");
    REFUSED(rg_topk(tape, x, 4, 1, true, true, &out), RG_ERROR_ARGUMENT, "topk: ", "k is 4", "0 to 3", "[2, 3]");
    REFUSED(rg_topk(tape, x, -1, 1, true, true, &out), RG_ERROR_ARGUMENT, "topk: ", "k is -1");
    REFUSED(rg_topk(tape, rg_constant(tape, RG_F32, 1), 0, 0, true, true, &out), RG_ERROR_ARGUMENT, "topk: ", "scalar");
    REFUSED(rg_topk(tape, x, 1, 5, true, true, &out), RG_ERROR_SHAPE, "topk: ", "axis 5");
    REFUSED(rg_kthvalue(tape, x, 0, 1, true, &out), RG_ERROR_ARGUMENT, "kthvalue: ", "k is 0", "1 to 3");
    REFUSED(rg_kthvalue(tape, x, INT64_MAX, 0, true, &out), RG_ERROR_ARGUMENT, "kthvalue: ", "1 to 2", "axis 0");
    REFUSED(rg_kthvalue(tape, none, 1, 1, true, &out), RG_ERROR_SHAPE, "kthvalue: ", "[2, 0]", "axis 1");
    REFUSED(rg_max_with_index(tape, none, 1, true, &out), RG_ERROR_SHAPE, "max_with_index: ", "[2, 0]");
    REFUSED(rg_min_with_index(tape, none, -1, true, &out), RG_ERROR_SHAPE, "min_with_index: ", "[2, 0]");
    REFUSED(rg_median_with_index(tape, none, 1, true, &out), RG_ERROR_SHAPE, "median_with_index: ", "[2, 0]");
    REFUSED(rg_nanmedian_with_index(tape, x, 7, true, &out), RG_ERROR_SHAPE, "nanmedian_with_index: ", "axis 7");
    REFUSED(rg_mode_with_index(tape, none, 1, true, &out), RG_ERROR_SHAPE, "mode_with_index: ", "[2, 0]");
    REFUSED(rg_median(tape, rg_cast(tape, none, RG_I64), RG_ALL, true), RG_ERROR_SHAPE, "median: ", "no elements");
    REFUSED(rg_median(tape, x, RG_AXES(0, 0), true), RG_ERROR_SHAPE, "median: ", "twice");
    REFUSED(rg_median(tape, x, (rg_axes){-1, {0}}, true), RG_ERROR_ARGUMENT, "median: ", "-1 axes");
    REFUSED(rg_amax(tape, none, RG_ALL, true), RG_ERROR_SHAPE, "amax: ", "[2, 0]");
    REFUSED(rg_amin(tape, none, RG_AXES(1), true), RG_ERROR_SHAPE, "amin: ", "[2, 0]");
    REFUSED(rg_aminmax(tape, none, RG_AXES(1), true, &out), RG_ERROR_SHAPE, "aminmax: ", "[2, 0]");
    REFUSED(rg_var_mean(tape, x, RG_AXES(3), 1, true, &out), RG_ERROR_SHAPE, "var_mean: ", "axis 3");
    REFUSED(rg_std_mean(tape, x, RG_AXES(3), 1, true, &out), RG_ERROR_SHAPE, "std_mean: ", "axis 3");
    REFUSED(rg_nansum(tape, x, RG_AXES(3), true), RG_ERROR_SHAPE, "nansum: ", "axis 3");
    REFUSED(rg_nanmean(tape, x, RG_AXES(3), true), RG_ERROR_SHAPE, "nanmean: ", "axis 3");
    REFUSED(rg_count_nonzero(tape, x, RG_AXES(3), true), RG_ERROR_SHAPE, "count_nonzero: ", "axis 3");
}

static void bad_arguments_are_refused_by_name(void **state)
{
    (void)state;
    const rg_tensor x = F32(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), none = rg_zeros(tape, RG_F32, RG_SHAPE(2, 0));
    const rg_tensor line = F32(RG_SHAPE(2), 1, 2), one = rg_constant(tape, RG_F32, 1), i = I64(RG_SHAPE(2), 0, 3);
    const double q[] = {.5, 1.5}, nan = NAN;
    REFUSED(rg_quantile(tape, x, q, 2, RG_ALL, false, 0), RG_ERROR_ARGUMENT, "quantile: ", "q is 1.5");
    REFUSED(rg_quantile(tape, x, &nan, 1, RG_ALL, false, 0), RG_ERROR_ARGUMENT, "quantile: ", "nan");
    REFUSED(rg_quantile(tape, x, NULL, 1, RG_ALL, false, 0), RG_ERROR_ARGUMENT, "quantile: ", "NULL");
    REFUSED(rg_quantile(tape, x, q, -1, RG_ALL, false, 0), RG_ERROR_ARGUMENT, "quantile: ", "-1 numbers");
    REFUSED(rg_quantile(tape, x, q, 1, RG_ALL, false, (rg_quantile_between)5), RG_ERROR_ARGUMENT,
            "quantile: ", "interpolation 5");
    REFUSED(rg_quantile(tape, none, q, 1, RG_ALL, false, 0), RG_ERROR_SHAPE, "quantile: ", "no elements");
    REFUSED(rg_nanquantile(tape, x, q, 2, RG_AXES(1), false, 0), RG_ERROR_ARGUMENT, "nanquantile: ", "1.5");
    REFUSED(rg_norm(tape, x, NAN, RG_ALL, false), RG_ERROR_ARGUMENT, "norm: ", "nan");
    REFUSED(rg_norm(tape, none, INFINITY, RG_AXES(1), false), RG_ERROR_SHAPE, "norm: ", "inf", "[2, 0]");
    REFUSED(rg_norm(tape, none, -1, RG_AXES(1), false), RG_ERROR_SHAPE, "norm: ", "-1", "[2, 0]");
    REFUSED(rg_diff(tape, x, -1, 0, RG_NIL, RG_NIL), RG_ERROR_ARGUMENT, "diff: ", "n is -1");
    REFUSED(rg_diff(tape, one, 1, 0, RG_NIL, RG_NIL), RG_ERROR_SHAPE, "diff: ", "axis 0");
    REFUSED(rg_diff(tape, x, 1, 0, line, RG_NIL), RG_ERROR_SHAPE, "diff: ", "prepend", "[2]", "[2, 3]");
    REFUSED(rg_diff(tape, x, 1, 1, RG_NIL, rg_cast(tape, x, RG_F64)), RG_ERROR_DTYPE, "diff: ", "append", "f64", "f32");
    assert_shape(rg_diff(tape, x, INT64_MAX, 1, RG_NIL, RG_NIL), 2, 0);
    REFUSED(rg_trapezoid(tape, x, line, 1, 1), RG_ERROR_SHAPE, "trapezoid: ", "[2]", "[2, 3]");
    REFUSED(rg_cumulative_trapezoid(tape, x, rg_cast(tape, x, RG_F64), 1, 1), RG_ERROR_DTYPE,
            "cumulative_trapezoid: ", "f64");
    REFUSED(rg_trapezoid(tape, one, RG_NIL, 1, 0), RG_ERROR_SHAPE, "trapezoid: ", "axis 0");
    REFUSED(rg_searchsorted(tape, one, x, false), RG_ERROR_SHAPE, "searchsorted: ", "[]");
    REFUSED(rg_searchsorted(tape, x, line, false), RG_ERROR_SHAPE, "searchsorted: ", "[2, 3]", "[2]");
    REFUSED(rg_searchsorted(tape, line, i, false), RG_ERROR_DTYPE, "searchsorted: ", "f32", "i64");
    REFUSED(rg_bucketize(tape, x, x, false), RG_ERROR_SHAPE, "bucketize: ", "[2, 3]");
    REFUSED(rg_isin(tape, x, i, false), RG_ERROR_DTYPE, "isin: ", "f32", "i64");
    REFUSED(rg_histc(tape, x, 0, 0, 1), RG_ERROR_ARGUMENT, "histc: ", "0 bins");
    REFUSED(rg_histc(tape, x, INT64_MAX, 0, 1), RG_ERROR_ARGUMENT, "histc: ", "bins");
    REFUSED(rg_histc(tape, x, 3, 2, 1), RG_ERROR_ARGUMENT, "histc: ", "from 2 to 1");
    REFUSED(rg_histc(tape, x, 3, 0, INFINITY), RG_ERROR_ARGUMENT, "histc: ", "inf");
    REFUSED(rg_bincount(tape, i, line, -1), RG_ERROR_ARGUMENT, "bincount: ", "minlength -1");
    REFUSED(rg_bincount(tape, i, x, 0), RG_ERROR_SHAPE, "bincount: ", "[2, 3]");
    REFUSED(rg_bincount(tape, rg_cast(tape, x, RG_I32), RG_NIL, 0), RG_ERROR_SHAPE, "bincount: ", "[2, 3]");
    REFUSED(rg_bincount(tape, I64(RG_SHAPE(2), 1, -4), RG_NIL, 0), RG_ERROR_VALUE, "bincount: ", "-4");
    REFUSED(rg_bincount(tape, I64(RG_SHAPE(2), 1, INT64_MAX), RG_NIL, 0), RG_ERROR_VALUE,
            "bincount: ", "9223372036854775807");
    REFUSED(rg_bincount(tape, I64(RG_SHAPE(1), INT64_MAX - 1), RG_NIL, 0), RG_ERROR_SHAPE, "[9223372036854775807]");
}

static void a_histogram_of_infinite_width_is_an_error_when_it_runs(void **state)
{
    (void)state;
    const double bad[] = {INFINITY, NAN};
    for (int i = 0; i < 2; i++) {
        const rg_tensor h = rg_histc(tape, F64(RG_SHAPE(3), 1, bad[i], 2), 3, 0, 0);
        assert_tape_ok(tape);
        assert_null(rg_data(tape, h));
        assert_error(tape, RG_ERROR_VALUE, WORDS("histc: ", i ? "nan" : "inf"));
    }
}

/* By the table: every op of these headers refuses nil, and dtypes that its signature does not name. */
static void every_op_refuses_nil_and_other_dtypes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *attributes;
    } ops[] = {{"cumsum", "axis=0"},
               {"cumprod", "axis=0"},
               {"logcumsumexp", "axis=0"},
               {"cummax", "axis=0"},
               {"cummin", "axis=0"},
               {"diff", ""},
               {"trapezoid", ""},
               {"cumulative_trapezoid", ""},
               {"sort", ""},
               {"argsort", ""},
               {"msort", ""},
               {"topk", "k=1"},
               {"kthvalue", "k=1"},
               {"searchsorted", ""},
               {"bucketize", ""},
               {"isin", ""},
               {"unique", ""},
               {"unique_consecutive", ""},
               {"bincount", ""},
               {"histc", ""},
               {"norm", ""},
               {"amax", ""},
               {"amin", ""},
               {"aminmax", ""},
               {"max_with_index", ""},
               {"min_with_index", ""},
               {"median", ""},
               {"nanmedian", ""},
               {"median_with_index", ""},
               {"nanmedian_with_index", ""},
               {"quantile", "q=0.5"},
               {"nanquantile", "q=0.5"},
               {"mode_with_index", ""},
               {"count_nonzero", ""},
               {"nansum", ""},
               {"nanmean", ""},
               {"var_mean", ""},
               {"std_mean", ""}};
    for (size_t k = 0; k < COUNT(ops); k++) {
        rg_op op;
        rg_tensor out[4];
        if (!rg_op_find(ops[k].name, &op))
            fail_msg("there is no %s", ops[k].name);
        for (int d = -1; d < RG_DTYPES; d++) {
            const rg_tensor one = d < 0 ? RG_NIL : rg_cast(tape, F64(RG_SHAPE(3), 1, 2, 3), (rg_dtype)d);
            const int count =
                rg_apply(tape, ops[k].name, (rg_tensor[]){one, one}, op.least_inputs, ops[k].attributes, out, 4);
            if (d >= 0 && op.dtype[d]) {
                for (int i = 0; i < count; i++)
                    rg_keep(tape, out[i]);
                assert_int_equal(count, op.results);
                if (!rg_tape_run(tape))
                    fail_msg("%s of %s: %s", ops[k].name, rg_dtype_name((rg_dtype)d), rg_tape_error(tape));
            } else {
                assert_int_equal(count, 0);
                assert_error(tape, d < 0 ? RG_ERROR_HANDLE : RG_ERROR_DTYPE,
                             WORDS(ops[k].name, d < 0 ? "nil" : rg_dtype_name((rg_dtype)d)));
            }
        }
    }
}

static void lists_of_numbers_are_read_from_text(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(5), 1, 2, 3, 4, 5);
    rg_tensor y;
    assert_int_equal(rg_apply(tape, "quantile", &x, 1, "q=[0, 0.25,1]", &y, 1), 1);
    assert_values(y, 1, 2, 5);
    assert_int_equal(rg_apply(tape, "quantile", &x, 1, "q=.5 interpolation=lower", &y, 1), 1);
    assert_values(y, 3);
    static const char *const bad[] = {"q=[0,x]", "q=half", "q='0.5 0.5]x'", "q=[2]", "q='0.5,0.1,'x"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(rg_apply(tape, "quantile", &x, 1, bad[i], &y, 1), 0);
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS("quantile: "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(rows_of_every_length_are_sorted_stably),
        TAPE_TEST(modes_and_medians_are_those_found_by_counting),
        TAPE_TEST(what_is_not_sorted_comes_in_the_order_of_x),
        TAPE_TEST(positions_are_written_only_where_wanted),
        TAPE_TEST(any_number_of_threads_gives_the_same_bits),
        TAPE_TEST(a_long_row_is_sorted_by_several_threads),
        TAPE_TEST(sums_of_a_long_lane_are_those_of_a_loop),
        TAPE_TEST(scans_along_any_axis_agree),
        TAPE_TEST(products_with_zeros_have_exact_derivatives),
        TAPE_TEST(where_all_is_minus_infinity_nothing_has_a_share),
        TAPE_TEST(large_numbers_keep_their_shares_in_f32),
        TAPE_TEST(distinct_elements_and_their_places_give_x_again),
        TAPE_TEST(every_nan_is_distinct),
        TAPE_TEST(weights_of_counts_have_a_gradient),
        TAPE_TEST(shapes_that_depend_on_values_are_known_at_once),
        TAPE_TEST(quantiles_of_many_numbers),
        TAPE_TEST(norms_do_not_depend_on_how_p_is_computed),
        TAPE_TEST(bad_axes_and_sizes_are_refused_by_name),
        TAPE_TEST(bad_arguments_are_refused_by_name),
        TAPE_TEST(a_histogram_of_infinite_width_is_an_error_when_it_runs),
        TAPE_TEST(every_op_refuses_nil_and_other_dtypes),
        TAPE_TEST(lists_of_numbers_are_read_from_text),
    };
    return cmocka_run_group_tests_name("sorting", tests, NULL, NULL);
}
