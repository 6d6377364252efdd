/* Matrix products, cut into tiles of C by sizes and strides alone. Each tile is one call of BLIS with one thread, and
 * the tiles are spread over the threads, so no result depends on how many there are. BLIS's own threads are not used:
 * its path for small matrices gives other bits for other numbers of them, it aborts when OpenMP gives it fewer than it
 * asked for, and its barriers spin, which costs a time slice each when another program wants the processor (measured
 * on two cores, one of them busy: BLIS 2 to 28 GF/s, tiles 17 to 60; both idle: 140 either way).
 *
 *   tiny     a loop of our own: a call of BLIS costs more than the product
 *   narrow   strips of C; BLIS may use its path for small matrices, which packs nothing
 *   large    tiles, that path switched off: it is slow where the operands exceed the caches
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* blis.h names pthread_barrier_t */
#endif
#include "exec/kernels/gemm.h"

#include "exec/kernels/blis_arch.h"
#include "exec/kernels/blis_header.h"

#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

/* In multiplications, measured with BLIS 0.9 on Zen 3: a call costs 2 us, waking the threads about as much. */
#define TINY        2000
#define STRIP       250000   /* the least that a strip is worth */
#define LARGE       16000000 /* from here on packing pays ... */
#define LARGE_LINE  48 /* ... unless the lines of C, along which its elements are adjacent, are shorter than this, */
#define LARGE_LINES 12 /* or there are fewer of them than this */
#define STRIPS_MOST 256
#define TILE_UNIT   48  /* a multiple of the register tiles of the kernels: 6, 8, 12, 16 and 24 */
#define TILE_SIDE   384 /* of a large product's tile; smaller ones cost speed, larger ones keep fewer threads busy */
#define TILES_MOST  256
#define PIECE       1000000 /* elements of a copied operand that are held at a time */

typedef struct {
    char *data;
    int64_t row, column;
} matrix;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static matrix from(matrix x, int64_t row, int64_t column, size_t size)
{
    x.data += (row * x.row + column * x.column) * (int64_t)size;
    return x;
}

/* Whether the elements of a column lie closer together than those of a row. */
static bool by_columns(matrix x)
{
    return llabs(x.row) < llabs(x.column);
}

/* ---- tiny ---- */

/* Sums in the order of k, sixteen columns at a time so that the compiler can keep them in registers. */
#define DEFINE_TINY(T, name)                                                                  \
    static void name(int64_t m, int64_t n, int64_t k, matrix a, matrix b, matrix c)           \
    {                                                                                         \
        const T *const ad = (const T *)(void *)a.data, *const bd = (const T *)(void *)b.data; \
        T *const cd = (T *)(void *)c.data;                                                    \
        for (int64_t i = 0; i < m; i++) {                                                     \
            for (int64_t first = 0; first < n; first += 16) {                                 \
                const int64_t width = smaller(16, n - first);                                 \
                T sum[16] = {0};                                                              \
                for (int64_t p = 0; p < k; p++) {                                             \
                    const T x = ad[i * a.row + p * a.column];                                 \
                    for (int64_t j = 0; j < width; j++)                                       \
                        sum[j] += x * bd[p * b.row + (first + j) * b.column];                 \
                }                                                                             \
                for (int64_t j = 0; j < width; j++)                                           \
                    cd[i * c.row + (first + j) * c.column] = sum[j];                          \
            }                                                                                 \
        }                                                                                     \
    }
DEFINE_TINY(float, tiny_f32)
DEFINE_TINY(double, tiny_f64)

/* ---- tiles ---- */

static void blis(size_t size, int64_t m, int64_t n, int64_t k, matrix a, matrix b, matrix c, bool small_path)
{
    static float onef = 1, zerof = 0; /* BLIS 0.9 does not take const, nor does it write */
    static double oned = 1, zerod = 0;
    rntm_t rntm;
    bli_rntm_init_from_global(&rntm); /* a copy: no global state is set */
    bli_rntm_set_num_threads(1, &rntm);
    bli_rntm_set_l3_sup(small_path, &rntm);
    if (size == sizeof(float))
        bli_sgemm_ex(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, m, n, k, &onef, (float *)(void *)a.data, a.row, a.column,
                     (float *)(void *)b.data, b.row, b.column, &zerof, (float *)(void *)c.data, c.row, c.column, NULL,
                     &rntm);
    else
        bli_dgemm_ex(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, m, n, k, &oned, (double *)(void *)a.data, a.row, a.column,
                     (double *)(void *)b.data, b.row, b.column, &zerod, (double *)(void *)c.data, c.row, c.column, NULL,
                     &rntm);
}

static int64_t divide_up(int64_t a, int64_t b)
{
    return a / b + (a % b != 0);
}

/* The length of the parts into which to cut a side: as many as asked for, or fewer, all but the last of whole units. */
static int64_t part_of(int64_t side, int64_t parts)
{
    return parts <= 1 ? side : divide_up(divide_up(side, TILE_UNIT), parts) * TILE_UNIT;
}

static void product(size_t size, int64_t m, int64_t n, int64_t k, matrix a, matrix b, matrix c, int threads)
{
    const double work = (double)m * (double)n * (double)k;
    const int64_t line = by_columns(c) ? m : n, lines = by_columns(c) ? n : m;
    const bool large = work >= LARGE && line >= LARGE_LINE && lines >= LARGE_LINES;
    int64_t height = m, width = n;
    if (large) {
        int64_t side = TILE_SIDE;
        while (divide_up(m, side) > TILES_MOST / divide_up(n, side))
            side *= 2;
        height = part_of(m, divide_up(m, side));
        width = part_of(n, divide_up(n, side));
    } else {
        const int64_t strips = work >= STRIP * (double)STRIPS_MOST ? STRIPS_MOST : (int64_t)(work / STRIP);
        if (m >= n)
            height = part_of(m, strips);
        else
            width = part_of(n, strips);
    }

    const int64_t down = divide_up(m, height), tiles = down * divide_up(n, width);
#ifdef _OPENMP
    const int team = (int)larger(1, smaller(threads, tiles));
#pragma omp parallel for num_threads(team) schedule(dynamic) if (team > 1 && !omp_in_parallel())
#else
    (void)threads;
#endif
    for (int64_t tile = 0; tile < tiles; tile++) {
        const int64_t i = tile % down * height, j = tile / down * width;
        blis(size, smaller(height, m - i), smaller(width, n - j), k, from(a, i, 0, size), from(b, 0, j, size),
             from(c, i, j, size), !large);
    }
}

/* ---- strides that BLIS does not take ---- */

/* Whether BLIS takes a matrix as it is: the condition that its own bli_check_matrix_strides holds objects to, positive
 * strides besides, for its kernels read a stride of -1 as 1. Where a side is 1 its stride means nothing: it is set to
 * what it would be in a dense matrix. */
static bool blis_takes(int64_t rows, int64_t columns, matrix *x)
{
    if (rows == 1 && columns == 1)
        x->row = x->column = 1;
    else if (columns == 1)
        return x->row > 0 && !__builtin_mul_overflow(rows, x->row, &x->column);
    else if (rows == 1)
        return x->column > 0 && !__builtin_mul_overflow(columns, x->column, &x->row);
    else if (x->row <= 0 || x->column <= 0)
        return false;
    else if (x->row < x->column)
        return rows <= x->column / x->row;
    else
        return columns <= x->row / x->column;
    return true;
}

/* A dense matrix in the order of x, so that copying walks through both in the same order. */
static matrix dense_like(matrix x, int64_t rows, int64_t columns, char *data)
{
    return columns == 1 || (rows > 1 && by_columns(x)) ? (matrix){data, 1, rows} : (matrix){data, columns, 1};
}

static matrix transposed(matrix x)
{
    return (matrix){x.data, x.column, x.row};
}

static void copy(size_t size, int64_t rows, int64_t columns, matrix to, matrix source)
{
    if (by_columns(source)) {
        copy(size, columns, rows, transposed(to), transposed(source));
        return;
    }
    for (int64_t i = 0; i < rows; i++) {
        const matrix t = from(to, i, 0, size), s = from(source, i, 0, size);
        if (size == sizeof(float)) {
            for (int64_t j = 0; j < columns; j++)
                memcpy(from(t, 0, j, sizeof(float)).data, from(s, 0, j, sizeof(float)).data, sizeof(float));
        } else {
            for (int64_t j = 0; j < columns; j++)
                memcpy(from(t, 0, j, sizeof(double)).data, from(s, 0, j, sizeof(double)).data, sizeof(double));
        }
    }
}

/* Room of *used elements on for a dense [rows, columns], 64-byte aligned. False on overflow. */
static bool reserve(int64_t rows, int64_t columns, size_t size, int64_t *used)
{
    int64_t count;
    return !__builtin_mul_overflow(rows, columns, &count) && !__builtin_add_overflow(count, 63, &count) &&
           !__builtin_add_overflow(*used, count & ~(int64_t)63, used) && *used <= PTRDIFF_MAX / (int64_t)size;
}

/* The product piece by piece, each operand that is not taken copied into dense memory. The pieces are fixed by sizes
 * and strides. */
static bool copied(size_t size, int64_t m, int64_t n, int64_t k, matrix a, matrix b, matrix c, bool take_a, bool take_b,
                   bool take_c, int threads)
{
    int64_t rows = m, columns = n, used = 0;
    if (!take_a)
        rows = smaller(rows, larger(TILE_UNIT, PIECE / k));
    if (!take_b)
        columns = smaller(columns, larger(TILE_UNIT, PIECE / k));
    if (!take_c) {
        rows = smaller(rows, 1024);
        columns = smaller(columns, 1024);
    }
    const int64_t a_at = used;
    if (!take_a && !reserve(rows, k, size, &used))
        return false;
    const int64_t b_at = used;
    if (!take_b && !reserve(k, columns, size, &used))
        return false;
    const int64_t c_at = used;
    if (!take_c && !reserve(rows, columns, size, &used))
        return false;
    char *const memory = aligned_alloc(64, (size_t)used * size);
    if (!memory)
        return false;

    for (int64_t j = 0; j < n; j += columns) {
        const int64_t width = smaller(columns, n - j);
        matrix bp = from(b, 0, j, size);
        if (!take_b) {
            bp = dense_like(b, k, width, memory + b_at * (int64_t)size);
            copy(size, k, width, bp, from(b, 0, j, size));
        }
        for (int64_t i = 0; i < m; i += rows) {
            const int64_t height = smaller(rows, m - i);
            matrix ap = from(a, i, 0, size), cp = from(c, i, j, size);
            if (!take_a) {
                ap = dense_like(a, height, k, memory + a_at * (int64_t)size);
                copy(size, height, k, ap, from(a, i, 0, size));
            }
            if (!take_c)
                cp = dense_like(c, height, width, memory + c_at * (int64_t)size);
            product(size, height, width, k, ap, bp, cp, threads);
            if (!take_c)
                copy(size, height, width, from(c, i, j, size), cp);
        }
    }
    free(memory);
    return true;
}

/* ---- entry ---- */

static bool gemm(size_t size, int64_t m, int64_t n, int64_t k, matrix a, matrix b, matrix c, int threads)
{
    if (m <= 0 || n <= 0)
        return true;
    if (k <= 0 || (double)m * (double)n * (double)k <= TINY) {
        (size == sizeof(float) ? tiny_f32 : tiny_f64)(m, n, k, a, b, c);
        return true;
    }
    /* Strides that mean nothing may hold anything. */
    if (m == 1)
        a.row = c.row = 0;
    if (n == 1)
        b.column = c.column = 0;
    if (k == 1)
        a.column = b.row = 0;
    if ((dim_t)m != m || (dim_t)n != n || (dim_t)k != k) /* where BLIS counts with 32 bits, so does memory */
        return false;
    rg__blis_start();
    const bool take_a = blis_takes(m, k, &a), take_b = blis_takes(k, n, &b), take_c = blis_takes(m, n, &c);
    if (!take_a || !take_b || !take_c)
        return copied(size, m, n, k, a, b, c, take_a, take_b, take_c, threads);
    product(size, m, n, k, a, b, c, threads);
    return true;
}

bool rg__gemm_f32(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, int64_t a_col, const float *b,
                  int64_t b_row, int64_t b_col, float *c, int64_t c_row, int64_t c_col, int threads)
{
    return gemm(sizeof *c, m, n, k, (matrix){(char *)(uintptr_t)a, a_row, a_col},
                (matrix){(char *)(uintptr_t)b, b_row, b_col}, (matrix){(char *)c, c_row, c_col}, threads);
}

bool rg__gemm_f64(int64_t m, int64_t n, int64_t k, const double *a, int64_t a_row, int64_t a_col, const double *b,
                  int64_t b_row, int64_t b_col, double *c, int64_t c_row, int64_t c_col, int threads)
{
    return gemm(sizeof *c, m, n, k, (matrix){(char *)(uintptr_t)a, a_row, a_col},
                (matrix){(char *)(uintptr_t)b, b_row, b_col}, (matrix){(char *)c, c_row, c_col}, threads);
}
