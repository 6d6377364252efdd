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
#include "gemm_support.h"

static const char *program;

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

/* Where tiles, panels, blocks of k and packed blocks end, and where another kernel takes over. */
static void sizes_around_every_edge_are_right(void **state)
{
    (void)state;
    static const int64_t m[] = {1, 2, 3, 4, 5, 6, 7, 12, 13, 23, 31, 33};
    static const int64_t n[] = {1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48};
    static const int64_t k[] = {1, 2, 3, 31, 32, 33};
    for (size_t i = 0; i < sizeof m / sizeof *m; i++) {
        for (size_t j = 0; j < sizeof n / sizeof *n; j++) {
            for (size_t p = 0; p < sizeof k / sizeof *k; p++) {
                for (size_t size = sizeof(float); size <= sizeof(double); size *= 2) {
                    check_product(ROWS, ROWS, ROWS, m[i], n[j], k[p], size, 1);
                    check_product(ROWS, COLUMNS, COLUMNS, m[i], n[j], k[p], size, 1);
                    check_product(COLUMNS, ROWS, PADDED, m[i], n[j], k[p], size, 1);
                }
            }
        }
    }
    static const int64_t large[][3] = {
        {6, 16, 383},   {6, 16, 384},   {6, 16, 385},    {7, 17, 769},    {31, 33, 768},   {199, 64, 100},
        {200, 64, 100}, {288, 512, 64}, {289, 511, 64},  {289, 512, 63},  {289, 512, 64},  {290, 513, 65},
        {288, 100, 20}, {289, 100, 20}, {289, 530, 385}, {239, 527, 385}, {700, 519, 100}, {40, 4000, 33},
    };
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        for (int layouts = 0; layouts < 8; layouts++)
            check_product(layouts & 1 ? COLUMNS : ROWS, layouts & 2 ? COLUMNS : ROWS, layouts & 4 ? COLUMNS : ROWS,
                          large[i][0], large[i][1], large[i][2], layouts % 3 ? sizeof(float) : sizeof(double),
                          1 + layouts % 4);
    }
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
    static const int64_t sizes[][3] = {{5, 6, 7},    {50, 60, 70},  {300, 260, 270}, {200, 530, 400},
                                       {3, 50, 100}, {100, 2, 130}, {3, 2, 1000},    {7, 17, 333}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const int64_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
        for (int layouts = 0; layouts < 4; layouts++) {
            const size_t size = (s + (size_t)layouts) % 3 ? sizeof(float) : sizeof(double);
            matrix a = filled(layouts & 1 ? ROWS : COLUMNS, m, k, size, 1);
            matrix b = filled(layouts & 2 ? ROWS : COLUMNS, k, n, size, 1);
            matrix c = filled(ROWS, m, n, size, layouts ? INFINITY : NAN);
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
        {11, 29, 38},    {3, 146, 39},    {64, 128, 784},  {128, 784, 64},  {143, 327, 611}, {465, 564, 43},
        {100, 100, 100}, {257, 255, 259}, {2000, 16, 100}, {16, 2000, 100}, {1, 3000, 500},  {2, 2, 30000},
        {301, 47, 1300}, {290, 540, 390}, {193, 1000, 65}, {45, 600, 700},  {4000, 3, 90},   {29, 900, 100},
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

/* An operand beyond the memory held for packing: several chunks along each side, and along k alone. */
static void the_bits_of_products_in_chunks_do_not_depend_on_the_threads(void **state)
{
    (void)state;
    check_threads(ROWS, ROWS, ROWS, 300, 1500, 1600, sizeof(float));
    check_threads(COLUMNS, COLUMNS, ROWS, 300, 520, 2300, sizeof(double));
    check_threads(ROWS, ROWS, ROWS, 290, 7000, 330, sizeof(float));
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

/* ---- rows that are done ---- */

typedef struct {
    matrix c, seen; /* seen: the rows as they were when they were done */
    int64_t strip;
    int threads;
    int *calls; /* of each row */
    int wrong;
} follower;

static void follow(void *user, int64_t first_row, int64_t rows, int thread)
{
    follower *const f = user;
    const bool whole = rows == f->strip || (rows < f->strip && first_row + rows == f->c.rows);
    if (first_row % f->strip != 0 || !whole || thread < 0 || thread >= f->threads)
        __atomic_fetch_add(&f->wrong, 1, __ATOMIC_RELAXED);
    for (int64_t i = first_row; i < first_row + rows; i++) {
        __atomic_fetch_add(&f->calls[i], 1, __ATOMIC_RELAXED);
        for (int64_t j = 0; j < f->c.columns; j++) {
            const double value = get(&f->c, i, j);
            put(&f->seen, (size_t)(i * f->c.columns + j), value);
            const ptrdiff_t at = f->c.data - f->c.buffer + (i * f->c.row + j * f->c.column) * (ptrdiff_t)f->c.size;
            put(&f->c, (size_t)at / f->c.size, -2 * value);
        }
    }
}

static rg__gemm_matrix operand(const matrix *x)
{
    return (rg__gemm_matrix){x->data, x->row, x->column};
}

static void check_rows(layout la, layout lb, layout lc, int64_t m, int64_t n, int64_t k, size_t size, int64_t strip,
                       int threads)
{
    matrix a = fractions(la, m, k, size), b = fractions(lb, k, n, size), plain = filled(lc, m, n, size, NAN);
    follower f = {filled(lc, m, n, size, NAN),
                  filled(ROWS, m, n, size, NAN),
                  strip,
                  threads,
                  calloc((size_t)m, sizeof *f.calls),
                  0};
    const rg__gemm_rows rows = {follow, &f, strip};
    assert_non_null(f.calls);
    assert_true(multiply(&a, &b, &plain, 1));
    assert_true(rg__gemm(size, m, n, k, operand(&a), operand(&b), operand(&f.c), threads, NULL, &rows, NULL));
    assert_int_equal(f.wrong, 0);
    for (int64_t i = 0; i < m; i++) {
        assert_int_equal(f.calls[i], 1);
        for (int64_t j = 0; j < n; j++) {
            assert_true(get(&f.seen, i, j) == get(&plain, i, j));
            assert_true(get(&f.c, i, j) == -2 * get(&plain, i, j));
        }
    }
    free(a.buffer), free(b.buffer), free(plain.buffer), free(f.c.buffer), free(f.seen.buffer), free(f.calls);
}

/* The first product packs b, the second, of another a and on other threads, reads that: b itself is gone. */
static void check_kept(layout lb, int64_t m, int64_t n, int64_t k, size_t size, int64_t strip, int threads)
{
    matrix a = fractions(ROWS, m, k, size), b = fractions(lb, k, n, size), first = filled(ROWS, m, n, size, NAN);
    matrix x = fractions(COLUMNS, m, k, size), plain = filled(ROWS, m, n, size, NAN), c = filled(ROWS, m, n, size, NAN);
    const size_t bytes = rg__gemm_kept_bytes(size, m, n, k, b.row, b.column);
    assert_true(bytes > 0);
    char *room = aligned_alloc(RG__ALIGN, bytes);
    follower f = {c, filled(ROWS, m, n, size, NAN), strip, threads, calloc((size_t)m, sizeof *f.calls), 0};
    const rg__gemm_rows rows = {follow, &f, strip};
    assert_true(room && f.calls && multiply(&x, &b, &plain, 1));
    assert_true(rg__gemm(size, m, n, k, operand(&a), operand(&b), operand(&first), 3 - threads % 3, NULL, NULL,
                         &(rg__gemm_kept){room, true}));
    for (size_t i = 0; i < b.count; i++)
        put(&b, i, NAN);
    assert_true(rg__gemm(size, m, n, k, operand(&x), operand(&b), operand(&c), threads, NULL, &rows,
                         &(rg__gemm_kept){room, false}));
    assert_int_equal(f.wrong, 0);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            assert_true(get(&f.seen, i, j) == get(&plain, i, j));
    free(a.buffer), free(b.buffer), free(first.buffer), free(x.buffer), free(plain.buffer), free(c.buffer);
    free(f.seen.buffer), free(f.calls), free(room);
}

static void a_packed_matrix_serves_other_products(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {{20, 40, 30}, {64, 1024, 256}, {64, 256, 1024}, {288, 70, 900}, {33, 17, 1}};
    static const layout layouts[] = {ROWS, COLUMNS, PADDED};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int l = 0; l < 3; l++)
            for (int threads = 1; threads <= 4; threads++)
                check_kept(layouts[l], sizes[s][0], sizes[s][1], sizes[s][2], l & 1 ? sizeof(double) : sizeof(float),
                           threads == 1 ? 5000 : 7 * threads, threads);
}

static void packing_is_kept_only_where_it_counts(void **state)
{
    (void)state;
    assert_int_equal(rg__gemm_kept_bytes(sizeof(float), 1, 100, 100, 100, 1), 0);    /* dot products */
    assert_int_equal(rg__gemm_kept_bytes(sizeof(float), 5000, 100, 100, 100, 1), 0); /* so many rows: it does not show */
    assert_int_equal(rg__gemm_kept_bytes(sizeof(float), 64, 100, 0, 100, 1), 0);     /* nothing to pack */
    assert_int_equal(rg__gemm_kept_bytes(sizeof(float), 64, 50000, 5000, 50000, 1), 0); /* too much memory */
}

static void each_strip_of_rows_is_told_once_when_it_is_final(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {
        {1, 1, 1},      {5, 7, 3},      {64, 64, 64},    {100, 300, 700}, {13, 900, 800}, {1, 2000, 500},
        {2000, 1, 500}, {300, 4, 1000}, {300, 540, 330}, {1000, 40, 90},  {50, 60, 0},    {290, 1400, 1600},
    };
    static const int64_t strips[] = {1, 7, 48, 5000, INT64_MAX};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (size_t strip = 0; strip < sizeof strips / sizeof *strips; strip++) {
            for (int threads = 1; threads <= 4; threads++)
                check_rows(threads & 1 ? ROWS : COLUMNS, strip & 1 ? ROWS : COLUMNS,
                           (s + strip) % 3 == 0   ? COLUMNS
                           : (s + strip) % 3 == 1 ? ROWS
                                                  : PADDED,
                           sizes[s][0], sizes[s][1], sizes[s][2], (s + strip) & 1 ? sizeof(float) : sizeof(double),
                           strips[strip], threads);
        }
    }
}

/* ---- memory ---- */

static void the_memory_of_a_pool_is_used_again(void **state)
{
    (void)state;
    rg__pool pool = {0};
    matrix a = whole_numbers(ROWS, 300, 400, sizeof(float)), b = whole_numbers(ROWS, 400, 530, sizeof(float));
    matrix c = filled(ROWS, 300, 530, sizeof(float), NAN);
    size_t bytes = 0;
    for (int i = 0; i < 3; i++) {
        assert_true(rg__gemm(sizeof(float), 300, 530, 400, operand(&a), operand(&b), operand(&c), 2, &pool, NULL, NULL));
        check_against_definition(&a, &b, &c);
        assert_true(i == 0 || pool.bytes == bytes);
        bytes = pool.bytes;
    }
    assert_true(bytes > 0);
    rg__pool_free(&pool);
    assert_int_equal(pool.bytes, 0);
    free(a.buffer), free(b.buffer), free(c.buffer);
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
        cmocka_unit_test(sizes_around_every_edge_are_right),
        cmocka_unit_test(the_stride_of_a_side_of_one_means_nothing),
        cmocka_unit_test(empty_sums_are_zero_and_empty_results_stay_empty),
        cmocka_unit_test(what_is_not_finite_stays_in_its_row_and_column),
        cmocka_unit_test(an_operand_too_large_to_copy_is_refused),
        cmocka_unit_test(the_bits_do_not_depend_on_the_threads),
        cmocka_unit_test(the_bits_of_random_shapes_do_not_depend_on_the_threads),
        cmocka_unit_test(the_bits_of_products_in_chunks_do_not_depend_on_the_threads),
        cmocka_unit_test(several_threads_multiply_at_once),
        cmocka_unit_test(each_strip_of_rows_is_told_once_when_it_is_final),
        cmocka_unit_test(a_packed_matrix_serves_other_products),
        cmocka_unit_test(packing_is_kept_only_where_it_counts),
        cmocka_unit_test(the_memory_of_a_pool_is_used_again),
        cmocka_unit_test(fewer_threads_than_asked_for_are_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
