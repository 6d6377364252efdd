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

/* Panels of weights: for each term the weights of as many output channels as the kernel has rows, zeros past the last. */
static void pack_weights(const rg__conv_part *p, const rg__conv_array *w, const rg__gemm_kernel *kernel, char *to)
{
    const rg__conv_shape *s = p->s;
    const int64_t *st = w->strides, size = (int64_t)p->size;
    for (int64_t g = 0; g < s->groups; g++)
        for (int64_t first = 0; first < s->out; first += kernel->rows)
            for (int64_t c = 0; c < s->in; c++)
                for (int64_t d = 0; d < p->depth.positions; d++)
                    for (int64_t h = 0; h < p->height.positions; h++)
                        for (int64_t i = 0; i < p->width.positions; i++)
                            for (int64_t o = first; o < first + kernel->rows; o++, to += size) {
                                const int64_t at = (g * s->out + o) * st[0] + c * st[1] + p->depth.index[d] * st[2] +
                                                   p->height.index[h] * st[3] + p->width.index[i] * st[4];
                                if (o < s->out)
                                    memcpy(to, w->data + at * size, p->size);
                                else
                                    memset(to, 0, p->size);
                            }
}

/* Consecutive places of one output channel, from a column on, into y at the row's beginning: those past the end of a row are
 * left out. */
static void store_places(const rg__conv_part *p, const char *from, int64_t column, int64_t n, char *y)
{
    const int64_t size = (int64_t)p->size, step = p->width.step, y_row = p->s->y[2] * p->height.step * size;
    for (; n > 0; y += y_row, column = 0) {
        const int64_t whole = p->line - column < n ? p->line - column : n;
        const int64_t kept = p->width.count - column < whole ? p->width.count - column : whole;
        char *to = y + column * step * size;
        if (step == 1 && kept > 0)
            memcpy(to, from, (size_t)(kept * size));
        else
            for (int64_t i = 0; i < kept; i++)
                memcpy(to + i * step * size, from + i * size, p->size);
        from += whole * size;
        n -= whole;
    }
}

/* One tile: every panel of weights at n places from `place` on. y: at the first of them, of the first output channel. */
static void run_tile(const work *w, const rg__conv_task *k, int64_t first, int64_t end, int wider, int64_t place,
                     int64_t n, const char *planes, char *y)
{
    const rg__conv_part *p = w->p;
    const rg__conv_shape *s = p->s;
    const int64_t size = (int64_t)p->size, rows = w->kernel->rows, wide = (int64_t)w->kernel->taps_columns * wider;
    const int64_t channel = s->y[0] * s->y[1] * s->y[2], column = place % p->line;
    const bool direct = n == wide && column + n <= p->width.count && p->width.step == 1;
    const char *weights = w->weights + k->group * w->panels * rows * p->terms * size;
    _Alignas(64) char tile[RG__GEMM_TILE_BYTES];
    y += (place / p->line * p->height.step * s->y[2] + column * p->width.step) * size;
    for (int64_t panel = first; panel < end; panel++) {
        const int64_t o = panel * rows, count = s->out - o < rows ? s->out - o : rows;
        char *to = y + o * channel * size;
        w->kernel->taps((int)count, wider, p->terms, weights + panel * rows * p->terms * size, rows,
                        planes + place * size, p->offset, direct ? to : tile, direct ? channel : wide);
        for (int64_t i = 0; i < count && !direct; i++)
            store_places(p, tile + i * wide * size, column, n, to + (i * channel - column * p->width.step) * size);
    }
}

/* Tiles run over the ends of rows, or begin anew with each: whatever makes less of them. */
static void run_task(const work *w, const rg__conv_task *k, int64_t first, int64_t end, const char *planes)
{
    const rg__conv_part *p = w->p;
    const rg__conv_shape *s = p->s;
    const int wider = end - first == 1 ? rg__taps_wider(s->out - first * w->kernel->rows) : 1;
    const int64_t wide = (int64_t)w->kernel->taps_columns * wider, columns = p->width.count;
    const int64_t places = (k->rows - 1) * p->line + columns;
    const bool by_row = k->rows * ((columns + wide - 1) / wide) <= (places + wide - 1) / wide;
    const int64_t lines = by_row ? k->rows : 1, length = by_row ? columns : places;
    const int64_t channel = (k->image * s->groups + k->group) * s->out, area = s->y[1] * s->y[2];
    char *y = w->y + ((channel * s->y[0] + p->depth.first + k->place * p->depth.step) * area +
                      (p->height.first + k->row * p->height.step) * s->y[2] + p->width.first) *
                         (int64_t)p->size;
    for (int64_t line = 0; line < lines; line++)
        for (int64_t at = 0; at < length; at += wide)
            run_tile(w, k, first, end, wider, line * p->line + at, length - at < wide ? length - at : wide, planes, y);
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
    const size_t planes = (size_t)threads * rg__conv_bytes(p);
    char *weights = rg__pool_get(pool, packed);
    k.planes = rg__pool_get(pool, planes);
    k.weights = weights;
    const bool ok = weights && k.planes;
    if (ok) {
        pack_weights(p, w, kernel, weights);
        if (threads == 1)
            run_tasks(&k, 0, 1);
        else
#pragma omp parallel for num_threads(threads) schedule(static)
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
