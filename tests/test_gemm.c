/* The matrix product: right for any strides, the same for any number of threads, and it never aborts. The elements are
 * small whole numbers where a product is compared with the definition: their sums are exact in any order. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "exec/kernels/gemm.h"

static const char *program;

/* ---- a matrix laid out in one of several ways ---- */

typedef enum {
    ROWS,      /* row-major */
    COLUMNS,   /* column-major */
    PADDED,    /* row-major with a gap after each row */
    GENERAL,   /* neither stride is one */
    REVERSED,  /* row-major read backwards in both directions */
    BACKWARDS, /* column-major, columns from the last to the first */
    BROADCAST, /* the same row again and again */
    ONE,       /* the same element everywhere */
    WINDOWS,   /* overlapping: row i starts at element i */
    LAYOUTS,
    C_LAYOUTS = BROADCAST /* those whose elements are distinct */
} layout;

typedef struct {
    int64_t rows, columns, row, column;
    size_t size;         /* of an element */
    char *buffer, *data; /* what to free; element [0, 0] */
    size_t count;        /* elements in the buffer */
} matrix;

static uint64_t noise = 88172645463325252u;

static uint64_t next_noise(void) /* xorshift64 (Marsaglia 2003) */
{
    noise ^= noise << 13;
    noise ^= noise >> 7;
    return noise ^= noise << 17;
}

static void put(const matrix *x, size_t at, double value)
{
    if (x->size == sizeof(float))
        ((float *)(void *)x->buffer)[at] = (float)value;
    else
        ((double *)(void *)x->buffer)[at] = value;
}

static double get(const matrix *x, int64_t i, int64_t j)
{
    const char *p = x->data + (i * x->row + j * x->column) * (int64_t)x->size;
    return x->size == sizeof(float) ? *(const float *)(const void *)p : *(const double *)(const void *)p;
}

static matrix make(layout how, int64_t rows, int64_t columns, size_t size)
{
    matrix x = {.rows = rows, .columns = columns, .size = size};
    int64_t first = 0, count = rows * columns;
    switch (how) {
    case ROWS: x.row = columns, x.column = 1; break;
    case COLUMNS: x.row = 1, x.column = rows; break;
    case PADDED: x.row = columns + 3, x.column = 1, count = rows * (columns + 3); break;
    case GENERAL: x.row = 2 * columns + 1, x.column = 2, count = rows * (2 * columns + 1); break;
    case REVERSED: x.row = -columns, x.column = -1, first = count - 1; break;
    case BACKWARDS: x.row = 1, x.column = -rows, first = (columns - 1) * rows; break;
    case BROADCAST: x.row = 0, x.column = 1, count = columns; break;
    case ONE: x.row = 0, x.column = 0, count = 1; break;
    default: x.row = 1, x.column = 1, count = rows + columns - 1; break;
    }
    x.count = (size_t)count;
    x.buffer = malloc((size_t)(count ? count : 1) * size);
    assert_non_null(x.buffer);
    x.data = x.buffer + first * (int64_t)size;
    return x;
}

static matrix whole_numbers(layout how, int64_t rows, int64_t columns, size_t size)
{
    matrix x = make(how, rows, columns, size);
    for (size_t i = 0; i < x.count; i++)
        put(&x, i, (double)(int)(next_noise() >> 33 & 7) - 4);
    return x;
}

static matrix fractions(layout how, int64_t rows, int64_t columns, size_t size)
{
    matrix x = make(how, rows, columns, size);
    for (size_t i = 0; i < x.count; i++)
        put(&x, i, (double)(next_noise() >> 11) / (double)(UINT64_C(1) << 53) - 0.5);
    return x;
}

static matrix filled(layout how, int64_t rows, int64_t columns, size_t size, double value)
{
    matrix x = make(how, rows, columns, size);
    for (size_t i = 0; i < x.count; i++)
        put(&x, i, value);
    return x;
}

static bool multiply(const matrix *a, const matrix *b, const matrix *c, int threads)
{
    if (c->size == sizeof(float))
        return rg__gemm_f32(c->rows, c->columns, a->columns, (const float *)(void *)a->data, a->row, a->column,
                            (const float *)(void *)b->data, b->row, b->column, (float *)(void *)c->data, c->row,
                            c->column, threads);
    return rg__gemm_f64(c->rows, c->columns, a->columns, (const double *)(void *)a->data, a->row, a->column,
                        (const double *)(void *)b->data, b->row, b->column, (double *)(void *)c->data, c->row,
                        c->column, threads);
}

/* The elements in memory of their own, row after row, or column after column. */
static double *dense(const matrix *x, bool by_columns)
{
    double *d = malloc((size_t)(x->rows * x->columns + 1) * sizeof *d);
    assert_non_null(d);
    for (int64_t i = 0; i < x->rows; i++) {
        for (int64_t j = 0; j < x->columns; j++)
            d[by_columns ? j * x->rows + i : i * x->columns + j] = get(x, i, j);
    }
    return d;
}

static void check_against_definition(const matrix *a, const matrix *b, const matrix *c)
{
    double *const rows = dense(a, false), *const columns = dense(b, true);
    const int64_t length = a->columns;
    for (int64_t i = 0; i < c->rows; i++) {
        for (int64_t j = 0; j < c->columns; j++) {
            double sum = 0;
            for (int64_t k = 0; k < length; k++)
                sum += rows[i * length + k] * columns[j * length + k];
            if (get(c, i, j) != sum)
                fail_msg("[%lld, %lld] x [%lld, %lld], %zu-byte elements, strides (%lld, %lld) (%lld, %lld) (%lld, "
                         "%lld): element [%lld, %lld] is %g, not %g",
                         (long long)a->rows, (long long)length, (long long)length, (long long)b->columns, c->size,
                         (long long)a->row, (long long)a->column, (long long)b->row, (long long)b->column,
                         (long long)c->row, (long long)c->column, (long long)i, (long long)j, get(c, i, j), sum);
        }
    }
    free(rows), free(columns);
}

static void check_product(layout la, layout lb, layout lc, int64_t m, int64_t n, int64_t k, size_t size, int threads)
{
    matrix a = whole_numbers(la, m, k, size), b = whole_numbers(lb, k, n, size), c = filled(lc, m, n, size, NAN);
    assert_true(multiply(&a, &b, &c, threads));
    check_against_definition(&a, &b, &c);
    /* What lies between the rows and elements of c is not touched. */
    size_t untouched = 0;
    for (size_t i = 0; i < c.count; i++)
        untouched += size == sizeof(float) ? isnan(((float *)(void *)c.buffer)[i]) != 0
                                           : isnan(((double *)(void *)c.buffer)[i]) != 0;
    assert_int_equal(untouched, c.count - (size_t)(m * n));
    free(a.buffer), free(b.buffer), free(c.buffer);
}

/* ---- right ---- */

static const int64_t shapes[][3] = {
    {1, 1, 1},     {2, 3, 4},     {16, 12, 10}, {1, 1, 5000},  {1, 700, 9},    {700, 1, 9},    {1, 90, 80},
    {90, 1, 80},   {33, 31, 1},   {100, 90, 1}, {6, 16, 200},  {13, 17, 19},   {47, 49, 53},   {64, 10, 128},
    {5, 1030, 11}, {1030, 5, 11}, {97, 101, 7}, {48, 400, 96}, {130, 120, 70}, {200, 24, 100},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static void any_layout_of_any_operand_gives_the_product(void **state)
{
    (void)state;
    for (size_t s = 0; s < SHAPES; s++) {
        for (int la = 0; la < LAYOUTS; la++) {
            for (int lb = 0; lb < LAYOUTS; lb++) {
                /* All layouts of c where cheap, else one of them, by turns. */
                const bool cheap = shapes[s][0] * shapes[s][1] * shapes[s][2] < 20000;
                for (int lc = cheap ? 0 : (la + lb) % C_LAYOUTS; lc < C_LAYOUTS; lc += cheap ? 1 : C_LAYOUTS)
                    for (size_t size = sizeof(float); size <= sizeof(double); size *= 2)
                        check_product((layout)la, (layout)lb, (layout)lc, shapes[s][0], shapes[s][1], shapes[s][2],
                                      size, 1 + (la + lb + lc) % 3);
            }
        }
    }
}

/* Sizes from which on an operand that must be copied no longer is in one piece, and both ways of sharing the work. */
static void large_products_are_right_in_pieces_and_with_threads(void **state)
{
    (void)state;
    check_product(ROWS, COLUMNS, ROWS, 300, 257, 260, sizeof(float), 2);
    check_product(COLUMNS, ROWS, COLUMNS, 257, 300, 260, sizeof(double), 2);
    check_product(GENERAL, GENERAL, GENERAL, 260, 270, 280, sizeof(float), 2);
    check_product(BACKWARDS, REVERSED, REVERSED, 55, 60, 25000, sizeof(float), 2);
    check_product(REVERSED, BACKWARDS, BACKWARDS, 1500, 1100, 12, sizeof(double), 2);
    check_product(WINDOWS, ROWS, ROWS, 5000, 16, 300, sizeof(float), 2);
}

static void the_stride_of_a_side_of_one_means_nothing(void **state)
{
    (void)state;
    enum { K = 3000 };
    static double a[K], b[K];
    double expected = 0, backwards = 0, c[2] = {NAN, NAN};
    for (int i = 0; i < K; i++) {
        a[i] = i % 5 - 2;
        b[i] = i % 7 - 3;
        expected += a[i] * b[i];
    }
    for (int i = 0; i < K; i++)
        backwards += a[i] * b[K - 1 - i];
    assert_true(rg__gemm_f64(1, 1, K, a, INT64_MIN, 1, b, 1, INT64_MAX, &c[0], -5, 0, 1));
    assert_true(rg__gemm_f64(1, 1, K, a, INT64_MAX, 1, b + K - 1, -1, INT64_MIN, &c[1], 0, INT64_MIN, 1));
    assert_true(c[0] == expected);
    assert_true(c[1] == backwards);
}

static void empty_sums_are_zero_and_empty_results_stay_empty(void **state)
{
    (void)state;
    check_product(ROWS, ROWS, PADDED, 7, 5, 0, sizeof(float), 1);
    check_product(COLUMNS, ROWS, REVERSED, 70, 500, 0, sizeof(double), 2);
    check_product(ROWS, ROWS, ROWS, 0, 5, 7, sizeof(float), 1);
    check_product(ROWS, ROWS, ROWS, 5, 0, 7, sizeof(float), 1);
    assert_true(rg__gemm_f32(0, 3, 3, NULL, 3, 1, NULL, 3, 1, NULL, 3, 1, 1));
}

/* A NaN or infinity of an operand reaches its own row or column, and no other. */
static void what_is_not_finite_stays_in_its_row_and_column(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {{5, 6, 7}, {50, 60, 70}, {300, 260, 270}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const int64_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
        for (int layouts = 0; layouts < 4; layouts++) {
            matrix a = filled(layouts & 1 ? ROWS : COLUMNS, m, k, sizeof(float), 1);
            matrix b = filled(layouts & 2 ? ROWS : COLUMNS, k, n, sizeof(float), 1);
            matrix c = filled(ROWS, m, n, sizeof(float), INFINITY);
            put(&a, (size_t)(2 * a.row + 3 * a.column), NAN);
            put(&b, (size_t)(4 * b.row + 1 * b.column), INFINITY);
            assert_true(multiply(&a, &b, &c, 2));
            for (int64_t i = 0; i < m; i++) {
                for (int64_t j = 0; j < n; j++) {
                    if (i == 2)
                        assert_true(isnan(get(&c, i, j)));
                    else
                        assert_true(get(&c, i, j) == (j == 1 ? INFINITY : (double)k));
                }
            }
            free(a.buffer), free(b.buffer), free(c.buffer);
        }
    }
}

static void an_operand_too_large_to_copy_is_refused(void **state)
{
    (void)state;
    float a = 1, b = 1, c[4];
    assert_false(rg__gemm_f32(2, 2, INT64_MAX / 4, &a, 0, 0, &b, 0, 0, c, 2, 1, 2));
}

/* ---- the same ---- */

static void check_threads(layout la, layout lb, layout lc, int64_t m, int64_t n, int64_t k, size_t size)
{
    matrix a = fractions(la, m, k, size), b = fractions(lb, k, n, size);
    matrix one = filled(lc, m, n, size, 0), more = filled(lc, m, n, size, 0);
    assert_true(multiply(&a, &b, &one, 1));
    for (int threads = 2; threads <= 4; threads++) {
        for (size_t i = 0; i < more.count; i++)
            put(&more, i, 0);
        assert_true(multiply(&a, &b, &more, threads));
        if (memcmp(one.buffer, more.buffer, one.count * size) != 0)
            fail_msg("[%lld, %lld] x [%lld, %lld], %zu-byte elements, layouts %d %d %d: 1 and %d threads differ",
                     (long long)m, (long long)k, (long long)k, (long long)n, size, la, lb, lc, threads);
    }
    free(a.buffer), free(b.buffer), free(one.buffer), free(more.buffer);
}

static void the_bits_do_not_depend_on_the_threads(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {
        {11, 29, 38},   {3, 146, 39},    {64, 128, 784},  {128, 784, 64},  {143, 327, 611},
        {465, 564, 43}, {100, 100, 100}, {257, 255, 259}, {2000, 16, 100}, {16, 2000, 100},
        {1, 3000, 500}, {2, 2, 30000},   {301, 47, 1300},
    };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int layouts = 0; layouts < 8; layouts++) {
            for (size_t size = sizeof(float); size <= sizeof(double); size *= 2)
                check_threads(layouts & 1 ? COLUMNS : ROWS, layouts & 2 ? COLUMNS : ROWS, layouts & 4 ? COLUMNS : ROWS,
                              sizes[s][0], sizes[s][1], sizes[s][2], size);
        }
    }
}

static void the_bits_of_random_shapes_do_not_depend_on_the_threads(void **state)
{
    (void)state;
    for (int i = 0; i < 150; i++) {
        const uint64_t r = next_noise();
        const int64_t most = i % 3 == 0 ? 40 : i % 3 == 1 ? 150 : 300;
        const int64_t m = 1 + (int64_t)(next_noise() >> 8) % most, n = 1 + (int64_t)(next_noise() >> 8) % most;
        const int64_t k = 1 + (int64_t)(next_noise() >> 8) % most;
        check_threads((layout)(r >> 8 & 3), (layout)(r >> 16 & 3), (layout)(r >> 24 & 3), m, n, k,
                      r >> 32 & 1 ? sizeof(float) : sizeof(double));
    }
}

typedef struct {
    matrix a, b, c;
    bool done;
} job;

static void *run_job(void *argument)
{
    job *const j = argument;
    j->done = true;
    for (int i = 0; i < 5; i++)
        j->done &= multiply(&j->a, &j->b, &j->c, 2);
    return NULL;
}

static void several_threads_multiply_at_once(void **state)
{
    (void)state;
    enum { JOBS = 4 };
    job jobs[JOBS];
    pthread_t threads[JOBS];
    for (int i = 0; i < JOBS; i++) {
        jobs[i].a = whole_numbers(i & 1 ? ROWS : REVERSED, 150 + i, 180, sizeof(float));
        jobs[i].b = whole_numbers(COLUMNS, 180, i & 2 ? 20 : 700, sizeof(float));
        jobs[i].c = filled(ROWS, 150 + i, i & 2 ? 20 : 700, sizeof(float), NAN);
        assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
    }
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(jobs[i].done);
        check_against_definition(&jobs[i].a, &jobs[i].b, &jobs[i].c);
        free(jobs[i].a.buffer), free(jobs[i].b.buffer), free(jobs[i].c.buffer);
    }
}

/* ---- never aborts ---- */

/* What the child below runs: exit status 0 if both ways of sharing the work, with more threads than OpenMP gives, are
 * right. */
static int products_with_four_threads(void)
{
    static const int64_t sizes[][3] = {{260, 260, 260}, {3000, 16, 100}};
    for (int s = 0; s < 2; s++) {
        const int64_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
        float *a = malloc((size_t)(m * k) * sizeof *a), *b = malloc((size_t)(k * n) * sizeof *b);
        float *c = malloc((size_t)(m * n) * sizeof *c);
        if (!a || !b || !c)
            return 2;
        for (int64_t i = 0; i < m * k; i++)
            a[i] = 1;
        for (int64_t i = 0; i < k * n; i++)
            b[i] = 2;
        if (!rg__gemm_f32(m, n, k, a, k, 1, b, n, 1, c, n, 1, 4))
            return 3;
        for (int64_t i = 0; i < m * n; i++) {
            if (c[i] != 2 * (float)k)
                return 4;
        }
        free(a), free(b), free(c);
    }
    return 0;
}

static void check_child(const char *variable, const char *value)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv(variable, value, 1);
        execl(program, program, "child", (char *)NULL);
        _exit(99);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("with %s=%s the child ended with status %#x", variable, value, status);
}

/* BLIS, left to share the work itself, aborts when OpenMP gives it fewer threads than it asked for. */
static void fewer_threads_than_asked_for_are_no_harm(void **state)
{
    (void)state;
    check_child("OMP_THREAD_LIMIT", "3");
    check_child("OMP_DYNAMIC", "true");
    check_child("OMP_MAX_ACTIVE_LEVELS", "0");
    check_child("OMP_NUM_THREADS", "1");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return products_with_four_threads();
    program = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_layout_of_any_operand_gives_the_product),
        cmocka_unit_test(large_products_are_right_in_pieces_and_with_threads),
        cmocka_unit_test(the_stride_of_a_side_of_one_means_nothing),
        cmocka_unit_test(empty_sums_are_zero_and_empty_results_stay_empty),
        cmocka_unit_test(what_is_not_finite_stays_in_its_row_and_column),
        cmocka_unit_test(an_operand_too_large_to_copy_is_refused),
        cmocka_unit_test(the_bits_do_not_depend_on_the_threads),
        cmocka_unit_test(the_bits_of_random_shapes_do_not_depend_on_the_threads),
        cmocka_unit_test(several_threads_multiply_at_once),
        cmocka_unit_test(fewer_threads_than_asked_for_are_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
