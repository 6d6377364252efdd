/* The results of a convolution: at consecutive places they are sums of weighted, consecutive elements of the planes. Places past
 * the end of a row may be computed, too, and are thrown away. */
#include "exec/kernels/conv_part.h"

#include <string.h>

typedef struct work {
    const rg__conv_part *p;
    const rg__gemm_kernel *kernel;
    const rg__conv_array *x;
    const char *weights; /* packed */
    char *y, *planes;    /* planes: of each thread */
    rg__conv_tasks tasks;
    int64_t shares, panels; /* the output channels of a task are shared out, too; panels of `rows` of them in a group */
} work;

/* A panel of weights: for each term those of as many output channels as the kernel has rows, zeros past the last. */
static void pack_panel(const rg__conv_part *p, const rg__conv_array *w, int64_t rows, int64_t first, int64_t count,
                       char *to)
{
    const int64_t *st = w->strides, size = (int64_t)p->size;
    for (int64_t c = 0; c < p->s->in; c++)
        for (int64_t d = 0; d < p->depth.positions; d++)
            for (int64_t h = 0; h < p->height.positions; h++)
                for (int64_t i = 0; i < p->width.positions; i++, to += rows * size) {
                    const int64_t at = first * st[0] + c * st[1] + p->depth.index[d] * st[2] +
                                       p->height.index[h] * st[3] + p->width.index[i] * st[4];
                    rg__conv_copy(p->size, count, to, 1, w->data + at * size, st[0]);
                    if (count < rows)
                        memset(to + count * size, 0, (size_t)((rows - count) * size));
                }
}

static void pack_weights(const work *w, const rg__conv_array *weights, char *to, int thread, int threads)
{
    const int64_t rows = w->kernel->rows, all = w->p->s->groups * w->panels,
                  bytes = rows * w->p->terms * (int64_t)w->p->size;
    for (int64_t i = all * thread / threads; i < all * (thread + 1) / threads; i++) {
        const int64_t o = i % w->panels * rows, count = rg__smaller(rows, w->p->s->out - o);
        pack_panel(w->p, weights, rows, i / w->panels * w->p->s->out + o, count, to + i * bytes);
    }
}

/* Consecutive places of one output channel, from a column on, into y at the row's beginning: those past the columns of a row
 * are left out. */
static void store_places(const rg__conv_part *p, int64_t columns, const char *from, int64_t column, int64_t n, char *y)
{
    const int64_t size = (int64_t)p->size, step = p->width.step, y_row = p->s->y[2] * p->height.step * size;
    for (; n > 0; y += y_row, column = 0) {
        const int64_t whole = p->line - column < n ? p->line - column : n;
        const int64_t kept = columns - column < whole ? columns - column : whole;
        if (kept > 0)
            rg__conv_copy(p->size, kept, y + column * step * size, step, from, 1);
        from += whole * size;
        n -= whole;
    }
}

/* How the places of a task are cut into tiles: `across` of them in each line. A line is a row, or all the rows, whichever
 * makes less tiles of them. */
typedef struct tiling {
    int wider;
    int64_t columns, wide, length, across, count;
} tiling;

static tiling tiling_of(const work *w, const rg__conv_task *k, int64_t panels, int64_t channels)
{
    const rg__conv_part *p = w->p;
    tiling t = {.wider = panels == 1 ? rg__taps_wider(channels) : 1, .columns = k->columns, .length = k->columns};
    t.wide = (int64_t)w->kernel->taps_columns * t.wider;
    t.across = (t.length + t.wide - 1) / t.wide;
    t.count = k->rows * t.across;
    const int64_t places = (k->rows - 1) * p->line + k->columns, tiles = (places + t.wide - 1) / t.wide;
    if (tiles < t.count) {
        t.length = places;
        t.across = t.count = tiles;
    }
    return t;
}

/* One panel of weights at one tile. y: at the first place of the task, of the panel's first output channel. */
static void run_tile(const work *w, const char *weights, int64_t count, const tiling *t, int64_t tile,
                     const char *planes, char *y)
{
    const rg__conv_part *p = w->p;
    const rg__conv_shape *s = p->s;
    const int64_t size = (int64_t)p->size, at = tile % t->across * t->wide, place = tile / t->across * p->line + at;
    const int64_t n = t->length - at < t->wide ? t->length - at : t->wide, column = place % p->line;
    const int64_t channel = s->y[0] * s->y[1] * s->y[2];
    const bool direct = n == t->wide && column + n <= t->columns && p->width.step == 1;
    _Alignas(64) char sums[RG__GEMM_TILE_BYTES];
    y += place / p->line * p->height.step * s->y[2] * size;
    w->kernel->taps((int)count, t->wider, p->terms, weights, w->kernel->rows, planes + place * size, p->offset,
                    direct ? y + column * size : sums, direct ? channel : t->wide);
    for (int64_t i = 0; i < count && !direct; i++)
        store_places(p, t->columns, sums + i * t->wide * size, column, n, y + i * channel * size);
}

/* Panels first to end of a task. A panel is used for several tiles while it is in a cache. */
static void run_task(const work *w, const rg__conv_task *k, int64_t first, int64_t end, const char *planes)
{
    enum { TOGETHER = 8 };
    const rg__conv_part *p = w->p;
    const rg__conv_shape *s = p->s;
    const int64_t size = (int64_t)p->size, rows = w->kernel->rows, area = s->y[1] * s->y[2];
    const int64_t channel = (k->image * s->groups + k->group) * s->out, panel_bytes = rows * p->terms * size;
    const char *weights = w->weights + k->group * w->panels * panel_bytes;
    const tiling t = tiling_of(w, k, end - first, s->out - first * rows);
    char *y =
        w->y + ((channel * s->y[0] + p->depth.first + k->place * p->depth.step) * area +
                (p->height.first + k->row * p->height.step) * s->y[2] + p->width.first + k->column * p->width.step) *
                   size;
    for (int64_t from = 0; from < t.count; from += TOGETHER)
        for (int64_t panel = first; panel < end; panel++) {
            const int64_t o = panel * rows, count = s->out - o < rows ? s->out - o : rows;
            for (int64_t tile = from; tile < t.count && tile < from + TOGETHER; tile++)
                run_tile(w, weights + panel * panel_bytes, count, &t, tile, planes, y + o * s->y[0] * area * size);
        }
}

/* The tasks of one thread are consecutive: the planes serve all shares of a task's output channels. */
static void run_tasks(const work *w, int thread, int threads)
{
    const rg__conv_part *p = w->p;
    const int64_t all = w->tasks.count * w->shares;
    char *planes = w->planes + (size_t)thread * rg__conv_bytes(p);
    int64_t there = -1;
    memset(planes + (size_t)p->all * p->size, 0, RG__GEMM_TILE_BYTES);
    for (int64_t i = all * thread / threads; i < all * (thread + 1) / threads; i++) {
        const int64_t share = i % w->shares;
        const rg__conv_task k = rg__conv_task_at(p, &w->tasks, i / w->shares);
        if (i / w->shares != there) {
            there = i / w->shares;
            rg__conv_fill(p, w->x, &k, planes);
        }
        run_task(w, &k, w->panels * share / w->shares, w->panels * (share + 1) / w->shares, planes);
    }
}

static bool conv_part(const rg__conv_part *p, const rg__conv_array *x, const rg__conv_array *w, char *y, int threads,
                      rg__pool *pool)
{
    const rg__gemm_kernel *kernel = rg__gemm_own_kernel(p->size);
    work k = {.p = p, .kernel = kernel, .x = x, .y = y, .tasks = rg__conv_tasks_of(p)};
    k.panels = (p->s->out + kernel->rows - 1) / kernel->rows;
    k.shares = k.tasks.count >= RG__CONV_TASKS ? 1 : (RG__CONV_TASKS + k.tasks.count - 1) / k.tasks.count;
    k.shares = k.shares < k.panels ? k.shares : k.panels;
    if (!rg__conv_worth_threads(p))
        threads = 1;
    threads = threads < k.tasks.count * k.shares ? threads : (int)(k.tasks.count * k.shares);
    const size_t packed = (size_t)(p->s->groups * k.panels * kernel->rows * p->terms) * p->size;
    const size_t planes = rg__conv_room(threads, rg__conv_bytes(p), 0);
    char *weights = rg__pool_get(pool, packed);
    k.planes = rg__pool_get(pool, planes);
    k.weights = weights;
    const bool ok = weights && k.planes;
    if (ok) {
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
        for (int thread = 0; thread < threads; thread++)
            pack_weights(&k, w, weights, thread, threads);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
        for (int thread = 0; thread < threads; thread++)
            run_tasks(&k, thread, threads);
    }
    if (weights)
        rg__pool_put(pool, weights, packed);
    if (k.planes)
        rg__pool_put(pool, k.planes, planes);
    return ok;
}

bool rg__conv(size_t size, const rg__conv_shape *s, rg__conv_array x, rg__conv_array w, void *y, int threads,
              rg__pool *pool)
{
    const size_t bytes = (size_t)rg__conv_numbers(s) * sizeof(int64_t);
    int64_t *numbers = rg__pool_get(pool, bytes);
    bool ok = numbers != NULL, zero = s->in == 0;
    for (int64_t i = 0; ok && i < rg__conv_parts(s); i++)
        zero = zero || rg__conv_part_of(size, s, i, numbers).terms == 0;
    if (ok && zero) /* places that nothing meets */
        memset(y, 0, (size_t)(s->images * s->groups * s->out * s->y[0] * s->y[1] * s->y[2]) * size);
    for (int64_t i = 0; ok && i < rg__conv_parts(s); i++) {
        const rg__conv_part p = rg__conv_part_of(size, s, i, numbers);
        if (rg__conv_tasks_of(&p).count > 0)
            ok = conv_part(&p, &x, &w, y, threads, pool);
    }
    if (numbers)
        rg__pool_put(pool, numbers, bytes);
    return ok;
}
