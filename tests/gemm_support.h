/* Matrices for the tests of the matrix product, laid out in one of several ways, and the definition to compare with. */
#ifndef TESTS_GEMM_SUPPORT_H
#define TESTS_GEMM_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

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

static inline uint64_t next_noise(void) /* xorshift64 (Marsaglia 2003) */
{
    noise ^= noise << 13;
    noise ^= noise >> 7;
    return noise ^= noise << 17;
}

static inline void put(const matrix *x, size_t at, double value)
{
    if (x->size == sizeof(float))
        ((float *)(void *)x->buffer)[at] = (float)value;
    else
        ((double *)(void *)x->buffer)[at] = value;
}

static inline double get(const matrix *x, int64_t i, int64_t j)
{
    const char *p = x->data + (i * x->row + j * x->column) * (int64_t)x->size;
    return x->size == sizeof(float) ? *(const float *)(const void *)p : *(const double *)(const void *)p;
}

static inline matrix make(layout how, int64_t rows, int64_t columns, size_t size)
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

static inline matrix whole_numbers(layout how, int64_t rows, int64_t columns, size_t size)
{
    matrix x = make(how, rows, columns, size);
    for (size_t i = 0; i < x.count; i++)
        put(&x, i, (double)(int)(next_noise() >> 33 & 7) - 4);
    return x;
}

static inline matrix fractions(layout how, int64_t rows, int64_t columns, size_t size)
{
    matrix x = make(how, rows, columns, size);
    for (size_t i = 0; i < x.count; i++)
        put(&x, i, (double)(next_noise() >> 11) / (double)(UINT64_C(1) << 53) - 0.5);
    return x;
}

static inline matrix filled(layout how, int64_t rows, int64_t columns, size_t size, double value)
{
    matrix x = make(how, rows, columns, size);
    for (size_t i = 0; i < x.count; i++)
        put(&x, i, value);
    return x;
}

/* The elements in memory of their own, row after row, or column after column. */
static inline double *dense(const matrix *x, bool by_columns)
{
    double *d = malloc((size_t)(x->rows * x->columns + 1) * sizeof *d);
    assert_non_null(d);
    for (int64_t i = 0; i < x->rows; i++) {
        for (int64_t j = 0; j < x->columns; j++)
            d[by_columns ? j * x->rows + i : i * x->columns + j] = get(x, i, j);
    }
    return d;
}

static inline void check_against_definition(const matrix *a, const matrix *b, const matrix *c)
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

#endif
