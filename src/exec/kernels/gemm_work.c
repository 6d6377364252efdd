/* Carries out a matrix product: packs, multiplies tile by tile, hands out the tasks.
 *
 *        columns of B in panels, as wide as a micro-kernel's tile
 *        |   |   |   |   |
 *   ---  +---+---+---+---+
 *   task | strip x group |   a strip of rows of A, packed by the thread that takes the task, or read in place,
 *   ---  |   of panels   |   times a group of panels, in blocks of k that fit the first cache
 *   ---  +---------------+
 *
 * Each element is summed by one thread in the order of k, block by block, so the cut into tasks may suit the number of
 * threads: it does not show in the result. Each task packs the panels of B that it reads itself, or all threads pack B
 * together, and a barrier stands between that and the tasks. There is one such barrier where B fits the memory held for it;
 * more would cost a time slice each on a busy machine. */
#include "exec/kernels/gemm_job.h"
#include "exec/kernels/gemm_pack.h"

#include <omp.h>

enum {
    FETCH_MOST = 1 << 20, /* bytes of b that the second cache, or fetching by the processor, copes with */
    PACK_ROWS = 16,       /* of a transposed, that are packed at a time */
    DOT_UNIT = 16         /* columns of b that are not divided among threads */
};

typedef rg__gemm_job job;

static char *at(rg__gemm_matrix x, int64_t row, int64_t column, size_t size)
{
    return x.data + (row * x.row + column * x.column) * (int64_t)size;
}

/* ---- a panel ---- */

/* A chunk of b: its panels, its part of k. */
typedef struct chunk {
    int64_t first, end, p, p_end;
} chunk;

static char *packed_panel(const job *g, int64_t first, int64_t q)
{
    return g->packed_b +
           (q - rg__larger(first, g->in_place)) * g->chunk_length * g->kernel->packed_columns * (int64_t)g->size;
}

static void pack_panel(const job *g, int64_t q, int64_t p, int64_t length, char *to)
{
    const int64_t j = q * g->kernel->columns;
    rg__gemm_pack(g->size, to, g->kernel->packed_columns, rg__smaller(g->kernel->columns, g->n - j), length,
                  at(g->b, p, j, g->size), g->b.column, g->b.row);
}

typedef struct panel {
    int64_t q;
    const char *data;
    int64_t row; /* stride */
} panel;

/* Panel q from p on: in place, packed before, or packed now. */
static panel panel_of(const job *g, chunk x, int64_t q, int64_t p, int64_t length, char *room)
{
    if (q < g->in_place)
        return (panel){q, at(g->b, p, q * g->kernel->columns, g->size), g->b.row};
    const int64_t row = g->kernel->packed_columns;
    if (!g->alone)
        return (panel){q, packed_panel(g, x.first, q) + (p - x.p) * row * (int64_t)g->size, row};
    pack_panel(g, q, p, length, room);
    return (panel){q, room, row};
}

/* `runs` times `lines` cache lines, `step` bytes apart. */
static rg__gemm_ahead lines_ahead(const char *data, int64_t lines, int64_t runs, int64_t step)
{
    const int64_t bytes = lines * RG__GEMM_LINE;
    return (rg__gemm_ahead){.data = data, .end = data + bytes, .gap = step - bytes, .step = step, .left = runs * lines};
}

/* rows x columns elements that lie along one of both. */
static rg__gemm_ahead matrix_ahead(const char *data, int64_t rows, int64_t columns, rg__gemm_matrix x, int64_t size)
{
    if (x.column == 1)
        return lines_ahead(data, rg__divide_up(columns * size, RG__GEMM_LINE), rows, x.row * size);
    return lines_ahead(data, rg__divide_up(rows * size, RG__GEMM_LINE), columns, x.column * size);
}

/* Panels of b from q on. */
static rg__gemm_ahead panels_ahead(const job *g, chunk x, int64_t q, int64_t panels, int64_t p, int64_t length)
{
    const int64_t size = (int64_t)g->size, columns = g->kernel->columns, row = g->kernel->packed_columns * size;
    if (panels <= 0 || q < g->in_place || g->k * g->n * size <= FETCH_MOST)
        return (rg__gemm_ahead){0};
    if (!g->alone)
        return lines_ahead(packed_panel(g, x.first, q) + (p - x.p) * row, length * row / RG__GEMM_LINE, panels,
                           g->chunk_length * row);
    return matrix_ahead(at(g->b, p, q * columns, g->size), length, rg__smaller(panels * columns, g->n - q * columns),
                        g->b, size);
}

/* The next block of a: further on in k, or below. */
static rg__gemm_ahead block_ahead(const job *g, chunk x, int64_t i, int64_t rows, int64_t p)
{
    p += g->depth;
    if (p >= x.p_end)
        p = x.p, i += rows;
    rows = rg__smaller(rows, g->m - i);
    if (!g->wide || rows <= 0 || !g->pack_a || g->m * g->k * (int64_t)g->size <= FETCH_MOST)
        return (rg__gemm_ahead){0};
    return matrix_ahead(at(g->a, i, p, g->size), rows, rg__smaller(g->depth, x.p_end - p), g->a, (int64_t)g->size);
}

/* ---- tiles ---- */

/* The first row of a tile, of a block of rows; see rg__gemm_tiles. */
static int64_t tile_row(const job *g, int64_t rows, int64_t index, int64_t tiles)
{
    return g->kernel->in_place && !g->pack_a ? rows / tiles * index + rg__smaller(index, rows % tiles)
                                             : rg__smaller(rows, index * g->kernel->rows);
}

/* Where a lies by columns, some of them at a time for all tiles: each is contiguous, and a tile takes little of it. */
static void pack_block(const job *g, int64_t i, int64_t rows, int64_t p, int64_t length, char *to)
{
    const int64_t tiles = rg__gemm_tiles(g, rows), row = g->kernel->packed_rows * (int64_t)g->size;
    const int64_t at_once = g->a.row == 1 ? PACK_ROWS : rg__larger(1, length);
    for (int64_t q = 0; q < length; q += at_once) {
        for (int64_t t = 0; t < tiles; t++) {
            const int64_t first = tile_row(g, rows, t, tiles), end = tile_row(g, rows, t + 1, tiles);
            rg__gemm_pack(g->size, to + (t * g->depth + q) * row, g->kernel->packed_rows, end - first,
                          rg__smaller(at_once, length - q), at(g->a, i + first, p + q, g->size), g->a.row, g->a.column);
        }
    }
}

/* Part of a tile that was computed apart, to its place. */
#define DEFINE_PUT(TYPE, suffix)                                                                                    \
    static void put_##suffix(TYPE *c, int64_t row, int64_t column, int64_t rows, int64_t columns, const TYPE *tile, \
                             int64_t stride, bool add)                                                              \
    {                                                                                                               \
        for (int64_t i = 0; i < rows; i++) {                                                                        \
            for (int64_t j = 0; j < columns; j++) {                                                                 \
                TYPE *const to = c + i * row + j * column;                                                          \
                *to = add ? *to + tile[i * stride + j] : tile[i * stride + j];                                      \
            }                                                                                                       \
        }                                                                                                           \
    }
DEFINE_PUT(float, f32)
DEFINE_PUT(double, f64)

static void put(const job *g, char *c, int64_t rows, int64_t columns, const char *tile, bool add)
{
    if (g->size == sizeof(float))
        put_f32((float *)(void *)c, g->c.row, g->c.column, rows, columns, (const float *)(const void *)tile,
                g->kernel->columns, add);
    else
        put_f64((double *)(void *)c, g->c.row, g->c.column, rows, columns, (const double *)(const void *)tile,
                g->kernel->columns, add);
}

/* The tile of C from row i on: a, packed or in place, times a block of k of a panel of b. */
static void multiply_tile(const job *g, int64_t i, int64_t rows, const char *a, const panel *b, int64_t length,
                          bool add, rg__gemm_ahead *ahead)
{
    _Alignas(64) char apart[RG__GEMM_TILE_BYTES];
    const rg__gemm_kernel *const kernel = g->kernel;
    const int64_t j = b->q * kernel->columns, columns = rg__smaller(kernel->columns, g->n - j);
    const int64_t a_row = g->pack_a ? 1 : g->a.row, a_column = g->pack_a ? kernel->packed_rows : g->a.column;
    char *const c = at(g->c, i, j, g->size);
    if (g->c.column == 1 && columns == kernel->columns && (kernel->in_place || rows == kernel->rows)) {
        kernel->tile((int)rows, false, length, a, a_row, a_column, b->data, b->row, c, g->c.row, add, ahead);
    } else {
        kernel->tile(kernel->in_place ? (int)rows : kernel->rows, columns * 2 <= kernel->columns, length, a, a_row,
                     a_column, b->data, b->row, apart, kernel->columns, false, ahead);
        put(g, c, rows, columns, apart, add);
    }
}

/* ---- tasks ---- */

static void finish_rows(const job *g, int64_t first, int64_t end, int thread)
{
    for (int64_t i = first; i < end; i += g->rows_strip)
        g->rows->done(g->rows->user, i, rg__smaller(g->rows_strip, end - i), thread);
}

/* Rows i to i + rows of C times the panels from first to end, for the chunk's part of k: some panels at a time by one row of
 * tiles after the other. Each thread begins at another panel, with those that it has packed itself: they are in its own
 * cache. */
static void multiply_block(const job *g, chunk x, int64_t i, int64_t rows, int64_t first, int64_t end, int thread)
{
    const int64_t panels = end - first, turn = first + panels * thread / g->team, tiles = rg__gemm_tiles(g, rows);
    char *const own = g->own + g->own_bytes * (size_t)thread;
    int64_t p = x.p;
    do {
        const int64_t length = rg__smaller(g->depth, x.p_end - p);
        const char *const a = g->pack_a ? own : at(g->a, i, p, g->size);
        if (g->pack_a)
            pack_block(g, i, rows, p, length, own);
        for (int64_t done = 0, count; done < panels; done += count) {
            panel b[RG__GEMM_ABREAST];
            count = rg__smaller(g->abreast, panels - done);
            for (int64_t k = 0; k < count; k++) {
                const int64_t q = turn + done + k;
                b[k] =
                    panel_of(g, x, q < end ? q : q - panels, p, length, own + g->own_panel + (size_t)k * g->panel_bytes);
            }
            const int64_t after = rg__smaller(g->abreast, rg__smaller(panels - done - count, end - 1 - b[count - 1].q));
            rg__gemm_ahead ahead = done + count < panels ? panels_ahead(g, x, b[count - 1].q + 1, after, p, length)
                                                         : block_ahead(g, x, i, rows, p);
            ahead.share = rg__divide_up(ahead.left, tiles * count);
            for (int64_t t = 0; t < tiles; t++) {
                const int64_t top = tile_row(g, rows, t, tiles), height = tile_row(g, rows, t + 1, tiles) - top;
                const int64_t tile = g->pack_a ? t * g->kernel->packed_rows * g->depth : top * g->a.row;
                for (int64_t k = 0; k < count; k++)
                    multiply_tile(g, i + top, height, a + tile * (int64_t)g->size, &b[k], length, p > 0, &ahead);
            }
        }
        p += length;
    } while (p < x.p_end); /* once where k is zero: that makes zeros */
}

/* The strips in turn, so that each thread has rows of its own to finish, and the work that follows them. */
static void run_task(const job *g, chunk x, int64_t task, int thread)
{
    const int64_t strip = task % g->strips, group = task / g->strips, panels = x.end - x.first;
    const int64_t first = x.first + panels * group / g->groups, end = x.first + panels * (group + 1) / g->groups;
    const int64_t top = g->units * strip / g->strips * g->unit;
    const int64_t bottom = rg__smaller(g->m, g->units * (strip + 1) / g->strips * g->unit);
    for (int64_t i = top; i < bottom; i += g->block)
        multiply_block(g, x, i, rg__smaller(g->block, bottom - i), first, end, thread);
    if (!g->rows || g->rows_last || x.p_end < g->k || x.end < g->panels)
        return;
    if (!g->left || __atomic_sub_fetch(&g->left[strip], 1, __ATOMIC_ACQ_REL) == 0)
        finish_rows(g, top, bottom, thread);
}

static void barrier(int team)
{
    if (team > 1) {
#pragma omp barrier
    }
}

static void multiply_chunk(job *g, chunk x, int64_t number, int thread, int team)
{
    int64_t *const next = &g->next[number % 2];
    if (number > 0)
        barrier(team); /* nobody reads the chunk before any more */
    if (thread == 0)
        g->next[(number + 1) % 2] = 0;
    const int64_t from = rg__larger(x.first, g->in_place), count = x.end - from;
    if (!g->alone && count > 0 && (!g->kept || g->kept->fill)) {
        for (int64_t q = from + count * thread / team; q < from + count * (thread + 1) / team; q++)
            pack_panel(g, q, x.p, x.p_end - x.p, packed_panel(g, x.first, q));
        barrier(team);
    }
    int64_t task;
    while ((task = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED)) < g->strips * g->groups)
        run_task(g, x, task, thread);
}

static void multiply_tiles(job *g, int thread, int team)
{
    int64_t number = 0;
    for (int64_t q = 0; q < g->panels; q += g->chunk_panels) {
        int64_t p = 0;
        do {
            const chunk x = {q, rg__smaller(g->panels, q + g->chunk_panels), p, rg__smaller(g->k, p + g->chunk_length)};
            multiply_chunk(g, x, number++, thread, team);
            p += g->chunk_length;
        } while (p < g->k);
    }
}

/* A share of the columns of b, as dot products with all rows of a. */
static void multiply_dots(const job *g, int thread, int team)
{
    const int64_t units = rg__divide_up(g->n, DOT_UNIT), first = units * thread / team * DOT_UNIT;
    const int64_t end = rg__smaller(g->n, units * (thread + 1) / team * DOT_UNIT);
    const bool as_is = g->a.column == 1;
    if (first < end)
        g->kernel->dots((int)g->m, end - first, g->k, as_is ? g->a.data : g->own, as_is ? g->a.row : g->k,
                        at(g->b, 0, first, g->size), g->b.column, at(g->c, 0, first, g->size), g->c.row, g->c.column);
}

/* ---- threads ---- */

static void work(job *g, int thread, int team)
{
    if (g->dots)
        multiply_dots(g, thread, team);
    else
        multiply_tiles(g, thread, team);
    if (g->rows && g->rows_last) {
        barrier(team);
        const int64_t rows = g->transposed ? g->n : g->m, strips = rg__divide_up(rows, g->rows_strip);
        finish_rows(g, strips * thread / team * g->rows_strip,
                    rg__smaller(rows, strips * (thread + 1) / team * g->rows_strip), thread);
    }
}

void rg__gemm_work(job *g)
{
    if (g->team == 1) {
        work(g, 0, 1);
        return;
    }
#pragma omp parallel num_threads(g->team)
    work(g, omp_get_thread_num(), omp_get_num_threads());
}
