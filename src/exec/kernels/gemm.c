/* Matrix products: how each is computed. Seen from here the rows of C are contiguous; where its columns are, the product
 * is computed transposed. The choice of micro-kernel and the cut of k, on which the bits of the result depend, follow
 * from sizes and strides alone; all else may depend on the number of threads. The figures were measured on Zen 3.
 *
 * BLIS's own way through a product is not used: it packs both operands whatever the shape, a call of it costs 2 us, its
 * path for small matrices gives other bits for other numbers of threads, it aborts when OpenMP gives it fewer of them
 * than it asked for, and its many barriers cost a time slice each when another program wants the processor. */
#include "exec/kernels/gemm.h"

#include "exec/kernels/gemm_job.h"
#include "exec/kernels/gemm_pack.h"

#include <omp.h>
#include <stdlib.h>

enum {
    PER_THREAD = 200000,     /* multiplications from which on a thread is worth its start */
    DOT_LEAST = 32,          /* length of a dot product that vectors pay for */
    DEPTH = 384,             /* the most of a block of k, */
    PANEL = 32768,           /* and bytes of such a block of what stays in the first cache, or nearly */
    BLOCK = 144,             /* rows of a that are packed at a time: they fit the second cache */
    LOW = 288,               /* rows of a product that may be one strip; its threads share the panels */
    ALONE_MOST = 1536,       /* rows of all strips that may pack b themselves: taller ones repeat it too often */
    ALONE_LEAST = 96,        /* the fewest of such a strip, */
    ALONE_BYTES = 384 << 10, /* and the most bytes that its rows of a may have: they fit the second cache */
    LEAST = 24,              /* the fewest of another strip, where threads want more of them */
    ON_STACK = 16384,        /* bytes of packing memory */
    PACKED_MOST = 8 << 20
};

typedef rg__gemm_matrix matrix;
typedef rg__gemm_job job;

static matrix transposed(matrix x)
{
    return (matrix){x.data, x.column, x.row};
}

static size_t aligned(size_t bytes)
{
    return (bytes + RG__ALIGN - 1) & ~(size_t)(RG__ALIGN - 1);
}

/* ---- what the bits depend on ---- */

/* By columns of c where they are contiguous; and a narrow c so that its few columns become rows. */
static bool better_transposed(const job *g)
{
    if (g->m == 1 || g->n == 1)
        return g->m > 1;
    if (g->n <= RG__GEMM_DOT_ROWS && g->m > RG__GEMM_DOT_ROWS && g->k >= DOT_LEAST && (g->a.column == 1 || g->a.row == 1))
        return true;
    return llabs(g->c.row) < llabs(g->c.column);
}

/* The kernels for large products need both operands packed, so they take over where that costs little; early where ours have
 * vectors of no more than 16 bytes.
 *
 * A panel stays in the first cache while tiles pass. Where it is wide it is better deep, so that c is added to less often;
 * then a row of tiles stays there while a few panels pass, which stay in the second cache: c is written along its rows.
 * (Measured on a Xeon with AVX-512: a tenth for 4096 x 384 x 1536.) */
static void choose_kernel(job *g)
{
    g->kernel = rg__gemm_own_kernel(g->size);
    g->dots = g->m <= RG__GEMM_DOT_ROWS && g->b.row == 1 && g->k >= DOT_LEAST;
    const bool fast = (size_t)g->kernel->columns * g->size >= 64;
    if (!g->dots && g->m > (fast ? LOW : 32) && g->n >= (fast ? 512 : 32) && g->k >= (fast ? 64 : 16))
        g->kernel = rg__gemm_large_kernel(g->size);
    const int64_t row = g->kernel->columns * (int64_t)g->size, column = g->kernel->rows * (int64_t)g->size;
    g->wide = row * DEPTH > PANEL;
    g->abreast = g->wide ? RG__GEMM_ABREAST : 1;
    const int64_t most = rg__smaller(DEPTH, PANEL / (g->wide ? column : row));
    g->depth = rg__divide_up(g->k, rg__larger(1, rg__divide_up(g->k, most)));
    g->panels = rg__divide_up(g->n, g->kernel->columns);
}

/* ---- what they do not depend on ---- */

static void choose_team(job *g, int threads)
{
    const double worth = (double)g->m * (double)g->n * (double)g->k / PER_THREAD;
    g->team = threads < 2 || worth < 2 || omp_in_parallel() ? 1 : worth < threads ? (int)worth : threads;
}

/* At least two tasks for each thread, so that one that is held up does not hold up the others; more cost time, for groups
 * of panels repeat the packing of a, and each strip reads all of b. As many strips for each thread: of 15 strips of 2048
 * rows, one of two threads would have 8.
 *
 * Tall strips pack b themselves, panel by panel: that is a few hundredths of their work, the panel is in the first cache
 * then, and no thread waits for another. */
static void choose_strips(job *g)
{
    const int64_t tasks = g->team > 1 ? 2 * g->team : 1, a_row = rg__larger(1, g->depth) * (int64_t)g->size;
    g->unit = g->rows && !g->rows_last ? g->rows_strip : g->kernel->rows;
    g->units = rg__divide_up(g->m, g->unit);
    if (!g->kept && g->m <= LOW && (g->team == 1 || !g->rows || g->rows_last)) {
        g->alone = true;
        g->strips = 1;
        g->groups = g->wide ? g->team : tasks; /* wide panels are few, and a is packed for each group */
    } else {
        g->strips = rg__divide_up(rg__divide_up(g->m, ALONE_BYTES / a_row), g->team) * g->team;
        g->alone = !g->kept && g->m <= ALONE_MOST && g->m / g->strips >= ALONE_LEAST;
        if (!g->alone)
            g->strips = rg__larger(rg__divide_up(g->m, BLOCK), rg__smaller(tasks, g->m / LEAST));
        if (g->strips > g->team)
            g->strips = rg__divide_up(g->strips, g->team) * g->team;
        g->strips = rg__smaller(g->units, rg__larger(1, g->strips));
        g->groups = g->alone ? 1 : rg__divide_up(tasks, g->strips);
    }
}

/* What is read often is packed: b by the rows of a, and a by the panels of b. */
static void choose_packing(job *g)
{
    const rg__gemm_kernel *const kernel = g->kernel;
    const int64_t size = (int64_t)g->size, b_row = llabs(g->b.row) * size, packed_row = kernel->packed_columns * size;
    const bool few = g->m <= 32 || (g->m < 200 && b_row <= 1024 && b_row * g->k <= 512 * 1024);
    g->in_place = kernel->in_place && g->b.column == 1 && few && !g->kept ? g->n / kernel->columns : 0;
    g->chunk_panels = g->panels;
    g->chunk_length = g->k;
    if (!g->alone && !g->in_place && !g->kept && g->k > 0 && g->panels > PACKED_MOST / packed_row / g->k) {
        g->chunk_panels = rg__smaller(g->panels, rg__larger(1, PACKED_MOST / packed_row / g->depth));
        g->chunk_length = rg__larger(1, PACKED_MOST / packed_row / g->chunk_panels / g->depth) * g->depth;
    }
    g->groups = rg__smaller(g->groups, g->chunk_panels);

    const int64_t rows = kernel->rows, height = rg__smaller(g->m, rg__divide_up(g->units, g->strips) * g->unit);
    g->block = rg__divide_up(height, g->alone ? 1 : rg__divide_up(height, BLOCK));
    g->block = rg__divide_up(g->block, rows) * rows;
    const int64_t worth = g->a.column != 1 ? (g->a.row == 1 ? 128 : 64) : g->wide ? 192 : 512; /* columns of b */
    g->pack_a = !kernel->in_place || g->n / g->groups >= worth;
}

/* ---- memory ---- */

typedef struct layout {
    size_t own, left, bytes;
} layout;

static layout lay_out(job *g)
{
    if (g->dots)
        return (layout){0, 0, g->a.column == 1 ? 0 : (size_t)g->m * (size_t)g->k * g->size};
    const size_t a_row = (size_t)g->kernel->packed_rows * g->size, b_row = (size_t)g->kernel->packed_columns * g->size;
    const int64_t tiles = g->pack_a ? rg__gemm_tiles(g, g->block) : 0;
    const int64_t shared = g->alone || g->kept ? 0 : rg__smaller(g->chunk_panels, g->panels - g->in_place);
    const size_t depth = (size_t)g->depth;
    const size_t at_a_time = (size_t)rg__smaller(g->abreast, rg__divide_up(g->chunk_panels, g->groups));
    g->own_panel = aligned((size_t)tiles * depth * a_row);
    g->panel_bytes = aligned(depth * b_row);
    g->own_bytes =
        aligned(g->own_panel + (g->alone && g->in_place < g->panels ? at_a_time * g->panel_bytes : 0)) + RG__GEMM_SLACK;
    layout at = {.own = aligned((size_t)shared * (size_t)g->chunk_length * b_row + RG__GEMM_SLACK)};
    at.left = at.bytes = at.own + g->own_bytes * (size_t)g->team;
    if (g->rows && !g->rows_last && g->groups > 1)
        at.bytes += (size_t)g->strips * sizeof *g->left;
    return at;
}

/* Small products pack onto the stack. */
static bool multiply(job *g, rg__pool *pool)
{
    const layout at = lay_out(g);
    _Alignas(RG__ALIGN) char stack[ON_STACK];
    char *memory = stack;
    if (at.bytes > sizeof stack)
        memory = pool ? rg__pool_get(pool, at.bytes) : aligned_alloc(RG__ALIGN, aligned(at.bytes));
    if (!memory)
        return false;
    g->packed_b = g->kept ? g->kept->data : memory;
    g->own = memory + at.own;
    if (g->dots && at.bytes)
        rg__gemm_pack(g->size, g->own, g->k, g->k, g->m, g->a.data, g->a.column, g->a.row);
    else if (at.left < at.bytes)
        g->left = (int *)(void *)(memory + at.left);
    for (int64_t s = 0; g->left && s < g->strips; s++)
        g->left[s] = (int)g->groups;
    rg__gemm_work(g);
    if (memory != stack && pool)
        rg__pool_put(pool, memory, at.bytes);
    else if (memory != stack)
        free(memory);
    return true;
}

/* ---- kept panels ---- */

/* Many rows would read a packed b so often that packing does not count; a few are quick without. */
static bool is_worth_keeping(const job *g)
{
    return !g->transposed && !g->dots && g->m > RG__GEMM_DOT_ROWS && g->m <= LOW && g->n > RG__GEMM_DOT_ROWS && g->k > 0;
}

size_t rg__gemm_kept_bytes(size_t size, int64_t m, int64_t n, int64_t k, int64_t b_row, int64_t b_column)
{
    job g = {.size = size, .m = m, .n = n, .k = k, .b = {NULL, b_row, b_column}};
    choose_kernel(&g);
    const int64_t packed_row = g.kernel->packed_columns * (int64_t)size;
    if (!is_worth_keeping(&g) || g.panels > PACKED_MOST / packed_row / k)
        return 0;
    return aligned((size_t)(g.panels * packed_row * k) + RG__GEMM_SLACK);
}

/* ---- entry ---- */

/* Whether so many elements have addresses. */
static bool addressable(int64_t rows, int64_t columns, size_t size)
{
    int64_t bytes;
    return !__builtin_mul_overflow(rows, columns, &bytes) && !__builtin_mul_overflow(bytes, (int64_t)size, &bytes);
}

bool rg__gemm(size_t size, int64_t m, int64_t n, int64_t k, matrix a, matrix b, matrix c, int threads, rg__pool *pool,
              const rg__gemm_rows *rows, const rg__gemm_kept *kept)
{
    if (m <= 0 || n <= 0)
        return true;
    k = rg__larger(k, 0);
    if (!addressable(m, k, size) || !addressable(k, n, size) || !addressable(m, n, size))
        return false;
    /* Strides that mean nothing may hold anything. */
    if (m == 1)
        a.row = c.row = 0;
    if (n == 1)
        b.column = c.column = 0;
    if (k <= 1)
        a.column = b.row = 0;
    job g = {.size = size, .m = m, .n = n, .k = k, .a = a, .b = b, .c = c, .rows = rows};
    if (better_transposed(&g)) {
        g.transposed = true;
        g.m = n, g.n = m;
        g.a = transposed(b), g.b = transposed(a), g.c = transposed(c);
    }
    choose_kernel(&g);
    g.rows_strip = rows ? rg__larger(1, rg__smaller(rows->strip, m)) : 0;
    g.rows_last = g.transposed || g.dots;
    g.kept = kept && is_worth_keeping(&g) ? kept : NULL;
    choose_team(&g, threads);
    if (!g.dots) {
        choose_strips(&g);
        choose_packing(&g);
    }
    return multiply(&g, pool);
}

bool rg__gemm_f32(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, int64_t a_col, const float *b,
                  int64_t b_row, int64_t b_col, float *c, int64_t c_row, int64_t c_col, int threads)
{
    return rg__gemm(sizeof *c, m, n, k, (matrix){(char *)(uintptr_t)a, a_row, a_col},
                    (matrix){(char *)(uintptr_t)b, b_row, b_col}, (matrix){(char *)c, c_row, c_col}, threads, NULL,
                    NULL, NULL);
}

bool rg__gemm_f64(int64_t m, int64_t n, int64_t k, const double *a, int64_t a_row, int64_t a_col, const double *b,
                  int64_t b_row, int64_t b_col, double *c, int64_t c_row, int64_t c_col, int threads)
{
    return rg__gemm(sizeof *c, m, n, k, (matrix){(char *)(uintptr_t)a, a_row, a_col},
                    (matrix){(char *)(uintptr_t)b, b_row, b_col}, (matrix){(char *)c, c_row, c_col}, threads, NULL,
                    NULL, NULL);
}
