/* Work on gathered rows is done on the table they come from, where that is smaller: both executors agree, and what no index
 * names stays out. */
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 7, WIDTH = 40, OUT = 48, COUNT = 150, MOST = 4 };

static const rg_tape_config configs[] = {{.threads = 1, .eager = true}, {.threads = 1}, {.threads = 2}};
static const char SCATTER[] = "scatter_add", SELECT[] = " where ", PRODUCT[] = "matmul";
enum { WAYS = sizeof configs / sizeof *configs };

static int64_t ids[COUNT];
static double table_data[2 * COUNT * WIDTH], weight_data[WIDTH * OUT], cotangent_data[COUNT * OUT], bias_data[OUT];

static void fill(double *data, size_t count, uint64_t stream)
{
    rg_rng rng = rg_rng_new(11, stream);
    rg_rng_uniform_f64(&rng, data, count, -1, 1);
}

static int set_up(void **state)
{
    (void)state;
    for (int64_t i = 0; i < COUNT; i++)
        ids[i] = i * i % ROWS; /* 3, 5 and 6 are never named */
    fill(table_data, sizeof table_data / sizeof *table_data, 1);
    fill(weight_data, sizeof weight_data / sizeof *weight_data, 2);
    fill(cotangent_data, sizeof cotangent_data / sizeof *cotangent_data, 3);
    fill(bias_data, sizeof bias_data / sizeof *bias_data, 4);
    return 0;
}

/* What is made of the rows, the table and the weight; returns how many results there are. */
typedef int recipe(rg_tape *t, rg_tensor table, rg_tensor *result);

typedef struct outcome {
    int results;
    size_t bytes[MOST];
    double *data[MOST];
    char *plan;
} outcome;

static outcome run(recipe *make, int64_t rows, const rg_tape_config *config)
{
    outcome o = {0};
    rg_tensor result[MOST];
    rg_tape *t = rg_tape_new(config);
    const rg_tensor table = rg_input_f64(t, RG_SHAPE(rows, WIDTH), table_data);
    o.results = make(t, table, result);
    for (int i = 0; i < o.results; i++)
        rg_keep(t, result[i]);
    o.plan = plan_text(t);
    for (int i = 0; i < o.results; i++) {
        const double *data = rg_data_f64(t, result[i]);
        assert_tape_ok(t);
        o.bytes[i] = (size_t)rg_numel(t, result[i]) * sizeof *data;
        o.data[i] = malloc(o.bytes[i]);
        assert_non_null(o.data[i]);
        memcpy(o.data[i], data, o.bytes[i]);
    }
    rg_tape_free(t);
    return o;
}

static void outcome_free(outcome *o)
{
    for (int i = 0; i < o->results; i++)
        free(o->data[i]);
    free(o->plan);
}

/* The plan on one thread and on two is the same bit for bit, and the reference but for the order of sums. from_table: in
 * the plan, `then` comes after `first`, which it does not as recorded. */
static void assert_all_agree(const char *what, recipe *make, int64_t rows, const char *first, const char *then,
                             bool from_table)
{
    outcome o[WAYS];
    for (int i = 0; i < WAYS; i++)
        o[i] = run(make, rows, &configs[i]);
    for (int r = 0; r < o[0].results; r++) {
        assert_memory_equal(o[1].data[r], o[2].data[r], o[1].bytes[r]);
        for (size_t i = 0; i < o[0].bytes[r] / sizeof(double); i++)
            if (!(fabs(o[0].data[r][i] - o[1].data[r][i]) <= 1e-12 * (1 + fabs(o[0].data[r][i]))))
                fail_msg("%s: result %d has %.17g at %zu, the reference %.17g", what, r, o[1].data[r][i], i,
                         o[0].data[r][i]);
    }
    const char *const one = strstr(o[1].plan, first), *const two = one ? strstr(one, then) : NULL;
    if (from_table != (two != NULL))
        fail_msg("%s: %s does%s come after %s:\n%s", what, then, from_table ? " not" : "", first, o[1].plan);
    for (int i = 0; i < WAYS; i++)
        outcome_free(&o[i]);
}

/* ---- recipes ---- */

static rg_tensor rows_of(rg_tape *t, rg_tensor table)
{
    return rg_embedding(t, rg_input_i64(t, RG_SHAPE(3, COUNT / 3), ids), table, NULL);
}

static rg_tensor weight_of(rg_tape *t, bool transposed)
{
    const rg_tensor w = rg_input_f64(t, transposed ? RG_SHAPE(OUT, WIDTH) : RG_SHAPE(WIDTH, OUT), weight_data);
    return transposed ? rg_transpose(t, w, 0, 1) : w;
}

static int results_of(rg_tape *t, rg_tensor table, rg_tensor weight, rg_tensor y, rg_tensor *result)
{
    const rg_tensor from[] = {table, weight};
    const rg_tensor g = rg_input_f64(t, RG_SHAPE(3, COUNT / 3, OUT), cotangent_data);
    result[0] = y;
    assert_true(rg_grad_with(t, y, g, from, 2, result + 1));
    return 3;
}

static int product(rg_tape *t, rg_tensor table, rg_tensor *result)
{
    const rg_tensor w = weight_of(t, false);
    return results_of(t, table, w, rg_matmul(t, rows_of(t, table), w), result);
}

static int product_of_transposed(rg_tape *t, rg_tensor table, rg_tensor *result)
{
    const rg_tensor w = rg_input_f64(t, RG_SHAPE(OUT, WIDTH), weight_data);
    const rg_tensor bias = rg_input_f64(t, RG_SHAPE(OUT), bias_data);
    return results_of(t, table, w, rg_tanh(t, rg_affine(t, rows_of(t, table), w, bias)), result);
}

static int elements_first(rg_tape *t, rg_tensor table, rg_tensor *result)
{
    const rg_tensor w = weight_of(t, true), row = rg_input_f64(t, RG_SHAPE(1, WIDTH), bias_data);
    const rg_tensor x = rg_div(t, row, rg_mul_scalar(t, rows_of(t, table), 3));
    return results_of(t, table, w, rg_matmul(t, rg_sub(t, x, row), w), result);
}

static int added_to_what_is_there(rg_tape *t, rg_tensor table, rg_tensor *result)
{
    const rg_tensor x = rg_input_f64(t, RG_SHAPE(COUNT, WIDTH), table_data), w = weight_of(t, false);
    const rg_tensor index = rg_expand(t, rg_input_i64(t, RG_SHAPE(COUNT, 1), ids), RG_SHAPE(COUNT, OUT));
    const rg_tensor base =
        rg_slice(t, rg_input_f64(t, RG_SHAPE(COUNT, OUT), cotangent_data), 0, 0, rg_dim(t, table, 0), 1);
    result[0] = rg_scatter_add(t, base, 0, index, rg_matmul(t, x, w));
    return 1;
}

static int added_to_zeros(rg_tape *t, rg_tensor table, rg_tensor *result)
{
    const rg_tensor x = rg_input_f64(t, RG_SHAPE(COUNT, WIDTH), table_data), w = weight_of(t, false);
    const rg_tensor index = rg_expand(t, rg_input_i64(t, RG_SHAPE(COUNT, 1), ids), RG_SHAPE(COUNT, OUT));
    result[0] = rg_scatter_add(t, rg_zeros(t, RG_F64, RG_SHAPE(rg_dim(t, table, 0), OUT)), 0, index, rg_matmul(t, x, w));
    return 1;
}

static int unnamed_of_them(rg_tape *t, rg_tensor table, rg_tensor *result)
{
    added_to_zeros(t, table, result);
    result[0] = rg_slice(t, result[0], 0, 5, 7, 1);
    return 1;
}

/* ---- tests ---- */

static void small_tables_are_worked_on_themselves(void **state)
{
    (void)state;
    assert_all_agree("a product", product, ROWS, SCATTER, SELECT, true);
    assert_all_agree("a product with a transposed weight, and a bias", product_of_transposed, ROWS, SCATTER, SELECT,
                     true);
    assert_all_agree("elements, then a product", elements_first, ROWS, SCATTER, SELECT, true);
    assert_all_agree("rows added to zeros", added_to_zeros, ROWS, SCATTER, PRODUCT, true);
}

static void large_tables_are_left(void **state)
{
    (void)state;
    assert_all_agree("a product", product, COUNT, SCATTER, SELECT, false);
    assert_all_agree("a product with a transposed weight", product_of_transposed, COUNT / 2 + 1, SCATTER, SELECT, false);
    assert_all_agree("rows added to others", added_to_what_is_there, ROWS, SCATTER, PRODUCT, false);
}

/* 0 times infinity is not 0. */
static void rows_that_nobody_names_do_not_count(void **state)
{
    (void)state;
    double *const row = table_data + 5 * WIDTH, kept[WIDTH];
    memcpy(kept, row, sizeof kept);
    for (int i = 0; i < WIDTH; i++)
        row[i] = i % 2 ? NAN : INFINITY;
    assert_all_agree("a product", product, ROWS, SCATTER, SELECT, true);
    assert_all_agree("a product with a transposed weight, and a bias", product_of_transposed, ROWS, SCATTER, SELECT,
                     true);
    memcpy(row, kept, sizeof kept);

    const double weight = weight_data[3];
    weight_data[3] = INFINITY;
    assert_all_agree("rows added to zeros", unnamed_of_them, ROWS, SCATTER, PRODUCT, true);
    weight_data[3] = weight;
}

/* Nor is anything wrong with a divisor that nobody reads. */
static void rows_that_nobody_names_do_not_fail(void **state)
{
    (void)state;
    static const int32_t row[2] = {9, 8}, divisors[2 * ROWS] = {1, 3, 2, 2, 4, 1, 0, 0, 5, 7, 0, 1, 0, 0};
    for (int i = 0; i < WAYS; i++) {
        rg_tape *t = rg_tape_new(&configs[i]);
        const rg_tensor table = rg_input_i32(t, RG_SHAPE(ROWS, 2), divisors);
        const rg_tensor x = rg_index_select(t, table, 0, rg_input_i64(t, RG_SHAPE(COUNT), ids));
        const rg_tensor y = rg_cast(t, rg_floor_divide(t, rg_input_i32(t, RG_SHAPE(2), row), x), RG_F64);
        double data[2 * COUNT];
        assert_true(rg_read(t, y, data, sizeof data));
        assert_tape_ok(t);
        for (int k = 0; k < 2 * COUNT; k++)
            assert_true(data[k] == row[k % 2] / divisors[2 * ids[k / 2] + k % 2]);
        rg_tape_free(t);
    }
}

static void a_wrong_index_is_the_same_error(void **state)
{
    (void)state;
    char said[WAYS][300];
    for (int i = 0; i < WAYS; i++) {
        rg_tape *t = rg_tape_new(&configs[i]);
        const rg_tensor table = rg_input_f64(t, RG_SHAPE(ROWS, WIDTH), table_data);
        ids[17] = ROWS;
        rg_scope_push(t, "letters");
        const rg_tensor x = rows_of(t, table);
        rg_scope_pop(t);
        rg_scope_push(t, "next");
        const rg_tensor y = rg_matmul(t, x, weight_of(t, false));
        rg_scope_pop(t);
        ids[17] = 17 * 17 % ROWS;
        assert_null(rg_data_f64(t, y));
        snprintf(said[i], sizeof said[i], "%s", rg_tape_error(t));
        rg_tape_free(t);
    }
    assert_non_null(strstr(said[0], "index 7 is out of range 0 to 6"));
    assert_non_null(strstr(said[0], "letters"));
    for (int i = 1; i < WAYS; i++)
        assert_string_equal(said[0], said[i]);
}

/* The forward pass runs before the backward pass is recorded. */
static void gradients_may_be_asked_for_later(void **state)
{
    (void)state;
    double reference[ROWS * WIDTH];
    for (int i = 0; i < WAYS; i++) {
        rg_tape *t = rg_tape_new(&configs[i]);
        const rg_tensor table = rg_input_f64(t, RG_SHAPE(ROWS, WIDTH), table_data);
        const rg_tensor loss =
            rg_sum(t, rg_square(t, rg_matmul(t, rows_of(t, table), weight_of(t, true))), RG_ALL, false);
        rg_tensor g;
        assert_true(isfinite(rg_item(t, loss)));
        assert_true(rg_grad(t, loss, &table, 1, &g));
        const double *data = rg_data_f64(t, g);
        assert_tape_ok(t);
        if (i == 0)
            memcpy(reference, data, sizeof reference);
        for (int k = 0; k < ROWS * WIDTH; k++)
            assert_true(fabs(data[k] - reference[k]) <= 1e-11 * (1 + fabs(reference[k])));
        rg_tape_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_tables_are_worked_on_themselves), cmocka_unit_test(large_tables_are_left),
        cmocka_unit_test(rows_that_nobody_names_do_not_count),   cmocka_unit_test(a_wrong_index_is_the_same_error),
        cmocka_unit_test(gradients_may_be_asked_for_later),      cmocka_unit_test(rows_that_nobody_names_do_not_fail),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
