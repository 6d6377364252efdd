/* The gradient of a convolution with respect to its weights. Images are shared out in chunks, each of which has sums of its own;
 * the chunks are added in order.
 *
 * Where there are output channels enough to fill registers, a tile of sums has some terms as its rows and output channels as
 * its columns: results are stored place by place for it. Where there are few, as in depthwise convolutions, sums run along the
 * places, as those of dot products. */
#include "exec/kernels/conv_part.h"

#include "core/strided.h"

#include <math.h>
#include <string.h>

enum {
    OUTER_ROWS = 6,
    LAG_ROWS = 4,
    LAG_COLUMNS = 3,
    TOGETHER = 8,             /* tasks, at most, that are added to the sums while these are in a cache, */
    TOGETHER_BYTES = 1 << 20, /* and the bytes that they are computed from */
};

typedef struct weight_work {
    const rg__conv_part *p;
    const rg__gemm_kernel *kernel;
    const rg__conv_array *x, *y;
    bool outer;                   /* of the two ways */
    int64_t width, blocks;        /* output channels of a block, 1 along the places; blocks of a group */
    int64_t terms;                /* weights of an output channel */
    int64_t sum;                  /* elements of one chunk's sums: [groups][blocks][terms][width] */
    int64_t chunks, shares;       /* what is shared out: the blocks of a group, of a chunk */
    int64_t lanes;                /* along the places: their number, rounded up to whole registers */
    char *sums, *memory;          /* of each thread: planes and results */
    int64_t together, task_bytes; /* tasks, and the bytes of each */
    rg__conv_tasks tasks;
} weight_work;

static const char *results_of(const weight_work *w, const rg__conv_task *k, int64_t o)
{
    const rg__conv_part *p = w->p;
    const int64_t *st = w->y->strides;
    return w->y->data +
           (k->image * st[0] + (k->group * p->s->out + o) * st[1] + (p->depth.first + k->place * p->depth.step) * st[2] +
            (p->height.first + k->row * p->height.step) * st[3] + (p->width.first + k->column * p->width.step) * st[4]) *
               (int64_t)p->size;
}

/* ---- output channels side by side ---- */

/* The results of a task, of blocks first to end, [row][column][width] for each, `pitch` bytes apart. */
static void fill_places(const weight_work *w, const rg__conv_task *k, int64_t first, int64_t end, int64_t pitch, char *to)
{
    const rg__conv_part *p = w->p;
    const int64_t *st = w->y->strides, columns = k->columns, places = k->rows * columns;
    for (int64_t block = first; block < end; block++, to += pitch) {
        const int64_t o = block * w->width, left = p->s->out - o, count = left < w->width ? left : w->width;
        const int64_t dims[3] = {k->rows, columns, count};
        const int64_t from[3] = {st[3] * p->height.step, st[4] * p->width.step, st[1]};
        const int64_t into[3] = {columns * w->width, w->width, 1};
        if (count < w->width)
            memset(to, 0, (size_t)(places * w->width) * p->size);
        rg__copy(3, dims, (rg__strided){to, into, p->size},
                 (rg__strided){(void *)(uintptr_t)results_of(w, k, o), from, p->size});
    }
}

/* Do tasks follow each other as lines do: in one group, and nothing between the lines of any? */
static bool are_lines(const weight_work *w, const rg__conv_task *k, int64_t tasks)
{
    bool lines = true;
    for (int64_t i = 0; i < tasks; i++)
        lines = lines && k[i].group == k->group && k[i].rows == w->p->rows && k[i].columns == w->p->line;
    return lines;
}

static void add_outer(const weight_work *w, const rg__conv_task *k, int64_t tasks, int64_t first, int64_t end,
                      char *memory, char *sums)
{
    const rg__conv_part *p = w->p;
    const int64_t size = (int64_t)p->size, planes = (int64_t)rg__conv_bytes(p), block_bytes = w->terms * w->width * size;
    const int64_t most = p->rows * p->columns, task = most * w->width * size;
    const bool lines = are_lines(w, k, tasks); /* then they are one */
    char *results = memory + w->together * planes;
    for (int64_t i = 0; i < tasks; i++)
        fill_places(w, &k[i], first, end, w->together * task, results + i * task);
    for (int64_t block = first; block < end; block++, results += w->together * task)
        for (int64_t term = 0; term < p->terms; term += OUTER_ROWS) {
            const int rows = (int)rg__smaller(OUTER_ROWS, p->terms - term);
            for (int64_t i = 0; i < (lines ? 1 : tasks); i++) {
                char *c = sums + (k[i].group * w->blocks + block) * block_bytes;
                w->kernel->outer(rows, lines ? tasks : k[i].rows, lines ? most : k[i].columns, memory + i * planes,
                                 p->offset + term, lines ? planes / size : p->line, results + i * task, c,
                                 p->weight + term);
            }
        }
}

/* ---- along the places ---- */

/* The results of output channels first to end, in rows that are as long as those of the planes; zeros between. */
static void fill_lanes(const weight_work *w, const rg__conv_task *k, int64_t first, int64_t end, char *to)
{
    const rg__conv_part *p = w->p;
    const int64_t size = (int64_t)p->size;
    for (int64_t o = first; o < end; o++, to += w->lanes * size) {
        memset(to, 0, (size_t)(w->lanes * size));
        for (int64_t row = 0; row < k->rows; row++)
            rg__conv_copy(p->size, k->columns, to + row * p->line * size, 1,
                          results_of(w, k, o) + row * p->height.step * w->y->strides[3] * size,
                          p->width.step * w->y->strides[4]);
    }
}

#define ADD_TILE(T)                           \
    for (int64_t i = 0; i < rows; i++)        \
        for (int64_t j = 0; j < columns; j++) \
    ((T *)(void *)c)[i * w->terms + at[j]] += ((const T *)(const void *)tile)[i * LAG_COLUMNS + j]

static void add_lags(const weight_work *w, const rg__conv_task *k, int64_t first, int64_t end, char *memory, char *sums)
{
    const rg__conv_part *p = w->p;
    const int64_t size = (int64_t)p->size, unit = w->kernel->taps_columns;
    const int64_t n = ((k->rows - 1) * p->line + k->columns + unit - 1) / unit * unit;
    char *results = memory + rg__conv_bytes(p);
    _Alignas(64) char tile[LAG_ROWS * LAG_COLUMNS * sizeof(double)];
    fill_lanes(w, k, first, end, results);
    for (int64_t o = first; o < end; o += LAG_ROWS) {
        const int64_t rows = end - o < LAG_ROWS ? end - o : LAG_ROWS;
        char *c = sums + (k->group * w->blocks + o) * w->terms * size;
        for (int64_t term = 0; term < p->terms; term += LAG_COLUMNS) {
            const int64_t columns = p->terms - term < LAG_COLUMNS ? p->terms - term : LAG_COLUMNS;
            const int64_t *at = p->weight + term;
            w->kernel->lags((int)rows, (int)columns, n, results + (o - first) * w->lanes * size, w->lanes, memory,
                            p->offset + term, tile, LAG_COLUMNS);
            if (p->size == sizeof(float))
                ADD_TILE(float);
            else
                ADD_TILE(double);
        }
    }
}

/* ---- sharing out ---- */

/* A thread's units are consecutive: shares of one chunk that follow each other are done as one. */
static void run_weight_units(const weight_work *w, int thread, int threads)
{
    const int64_t all = w->chunks * w->shares, end = all * (thread + 1) / threads;
    const int64_t bytes = w->together * w->task_bytes;
    char *memory = w->memory + thread * bytes;
    memset(memory, 0, (size_t)bytes);
    for (int64_t i = all * thread / threads; i < end;) {
        const int64_t chunk = i / w->shares, share = i % w->shares;
        const int64_t more = w->shares - share < end - i ? w->shares - share : end - i;
        const int64_t first = w->blocks * share / w->shares, last = w->blocks * (share + more) / w->shares;
        char *sums = w->sums + chunk * w->sum * (int64_t)w->p->size;
        const int64_t last_task = w->tasks.count * (chunk + 1) / w->chunks;
        for (int64_t t = w->tasks.count * chunk / w->chunks; t < last_task && first < last; t += w->together) {
            const int64_t tasks = rg__smaller(w->together, last_task - t);
            rg__conv_task k[TOGETHER];
            for (int64_t j = 0; j < tasks; j++) {
                k[j] = rg__conv_task_at(w->p, &w->tasks, t + j);
                rg__conv_fill(w->p, w->x, &k[j], memory + j * (int64_t)rg__conv_bytes(w->p));
            }
            if (w->outer)
                add_outer(w, k, tasks, first, last, memory, sums);
            else
                add_lags(w, k, first, last, memory, sums);
        }
        i += more;
    }
}

/* Adds one part to the sums of every chunk. */
static bool add_part(weight_work w, int threads, rg__pool *pool)
{
    const rg__conv_part *p = w.p;
    const int64_t unit = w.kernel->taps_columns;
    w.tasks = rg__conv_tasks_of(p);
    w.lanes = (p->places + unit - 1) / unit * unit;
    const int64_t results = (w.outer ? p->rows * p->columns : w.lanes) + 15; /* threads in cache lines of their own */
    const size_t task =
        rg__conv_room(w.blocks * w.width, rg__conv_room(results / 16, 16 * p->size, 0), rg__conv_bytes(p));
    w.task_bytes = (int64_t)task;
    w.together = w.outer ? rg__larger(1, rg__smaller(TOGETHER, TOGETHER_BYTES / w.task_bytes)) : 1;
    if (!rg__conv_worth_threads(p))
        threads = 1;
    threads = threads < w.chunks * w.shares ? threads : (int)(w.chunks * w.shares);
    const size_t bytes = rg__conv_room(threads * w.together, task, 0);
    w.memory = rg__pool_get(pool, bytes);
    if (!w.memory)
        return false;
    if (threads == 1)
        run_weight_units(&w, 0, 1);
    else
#pragma omp parallel for num_threads(threads) schedule(static)
        for (int thread = 0; thread < threads; thread++)
            run_weight_units(&w, thread, threads);
    rg__pool_put(pool, w.memory, bytes);
    return true;
}

#define ADD_CHUNKS(T)                                   \
    for (int64_t i = first; i < end; i++) {             \
        T *const to = (T *)(void *)w->sums + i;         \
        T sum = to[0];                                  \
        for (int64_t c = 1; c < w->chunks; c++)         \
            sum += to[c * w->sum];                      \
        to[0] = sum;                                    \
        finite = finite && (w->outer || isfinite(sum)); \
    }

/* The sums of all chunks, from one element to another; false where some are not finite, which counts along the places. */
static bool add_chunks(const weight_work *w, size_t size, int64_t first, int64_t end)
{
    bool finite = true;
    if (size == sizeof(float))
        ADD_CHUNKS(float)
    else
        ADD_CHUNKS(double)
    return finite;
}

/* Blocks of sums into rows of weights. */
static void store_weights(const weight_work *w, const rg__conv_shape *s, size_t size, int64_t first, int64_t end, char *to)
{
    for (int64_t i = first; i < end; i++) {
        const int64_t o = i % w->blocks * w->width;
        const int64_t dims[2] = {rg__smaller(w->width, s->out - o), w->terms};
        rg__copy(
            2, dims,
            (rg__strided){to + (i / w->blocks * s->out + o) * w->terms * (int64_t)size, (int64_t[]){w->terms, 1}, size},
            (rg__strided){w->sums + i * w->terms * w->width * (int64_t)size, (int64_t[]){1, w->width}, size});
    }
}

/* The weights of the sums; false as above. */
static bool finish_weights(const weight_work *w, const rg__conv_shape *s, size_t size, int threads, char *to)
{
    enum { WORTH_THREADS = 1 << 16 };
    const int64_t blocks = s->groups * w->blocks;
    bool finite = true;
    if (w->sum < WORTH_THREADS)
        threads = 1;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(&& : finite) if (threads > 1)
    for (int thread = 0; thread < threads; thread++)
        finite = add_chunks(w, size, w->sum * thread / threads, w->sum * (thread + 1) / threads) && finite;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int thread = 0; thread < threads; thread++)
        store_weights(w, s, size, blocks * thread / threads, blocks * (thread + 1) / threads, to);
    return finite;
}

/* Element by element, by the definition: where numbers that are not finite take part, nothing may be multiplied by zeros
 * that the definition does not have. */
static double defined_weight(size_t size, const rg__conv_shape *s, const rg__conv_array *x, const rg__conv_array *y,
                             int64_t channel, int64_t c, const int64_t *k)
{
    double sum = 0;
    int64_t p[RG__CONV_AXES];
    const int64_t in = channel / s->out * s->in + c;
    for (int64_t n = 0; n < s->images; n++)
        for (p[0] = 0; p[0] < s->y[0]; p[0]++)
            for (p[1] = 0; p[1] < s->y[1]; p[1]++)
                for (p[2] = 0; p[2] < s->y[2]; p[2]++) {
                    int64_t from = n * x->strides[0] + in * x->strides[1],
                            to = n * y->strides[0] + channel * y->strides[1];
                    bool there = true;
                    for (int i = 0; i < RG__CONV_AXES; i++) {
                        const int64_t place = p[i] * s->stride[i] + k[i] * s->dilation[i] - s->before[i];
                        there = there && place >= 0 && place % s->spread[i] == 0 && place / s->spread[i] < s->x[i];
                        from += place / s->spread[i] * x->strides[2 + i];
                        to += p[i] * y->strides[2 + i];
                    }
                    if (there && size == sizeof(float))
                        sum += (double)((const float *)(const void *)x->data)[from] *
                               (double)((const float *)(const void *)y->data)[to];
                    else if (there)
                        sum +=
                            ((const double *)(const void *)x->data)[from] * ((const double *)(const void *)y->data)[to];
                }
    return sum;
}

static void define_weights(size_t size, const rg__conv_shape *s, const rg__conv_array *x, const rg__conv_array *y,
                           void *w)
{
    int64_t k[RG__CONV_AXES], i = 0;
    for (int64_t o = 0; o < s->groups * s->out; o++)
        for (int64_t c = 0; c < s->in; c++)
            for (k[0] = 0; k[0] < s->k[0]; k[0]++)
                for (k[1] = 0; k[1] < s->k[1]; k[1]++)
                    for (k[2] = 0; k[2] < s->k[2]; k[2]++, i++) {
                        const double sum = defined_weight(size, s, x, y, o, c, k);
                        if (size == sizeof(float))
                            ((float *)w)[i] = (float)sum;
                        else
                            ((double *)w)[i] = sum;
                    }
}

bool rg__conv_weight(size_t size, const rg__conv_shape *s, rg__conv_array x, rg__conv_array y, void *w, int threads,
                     rg__pool *pool)
{
    enum { LEAST = 1 << 18 }; /* elements of sums that are always granted; beyond, a part of what x takes */
    weight_work k = {.x = &x, .y = &y, .kernel = rg__gemm_own_kernel(size)};
    k.terms = s->in * s->k[0] * s->k[1] * s->k[2];
    if (s->groups * s->out * k.terms == 0)
        return true;
    k.outer = 2 * s->out >= k.kernel->taps_columns;
    k.width = k.outer ? k.kernel->taps_columns : 1;
    k.blocks = (s->out + k.width - 1) / k.width;
    k.sum = s->groups * k.blocks * k.terms * k.width;
    int64_t room = s->images * s->groups * s->in * s->x[0] * s->x[1] * s->x[2] / 4;
    room = (room > LEAST ? room : LEAST) / k.sum;
    k.chunks = room < 1 ? 1 : room < RG__CONV_TASKS / 2 ? room : RG__CONV_TASKS / 2;
    k.shares = (RG__CONV_TASKS / 2 + k.chunks - 1) / k.chunks;
    k.shares = k.shares < k.blocks ? k.shares : k.blocks;
    const size_t bytes = (size_t)rg__conv_numbers(s) * sizeof(int64_t), sums = (size_t)(k.chunks * k.sum) * size;
    int64_t *numbers = rg__pool_get(pool, bytes);
    k.sums = rg__pool_get(pool, sums);
    bool ok = numbers && k.sums;
    if (ok)
        memset(k.sums, 0, sums);
    for (int64_t i = 0; ok && i < rg__conv_parts(s); i++) {
        const rg__conv_part p = rg__conv_part_of(size, s, i, numbers);
        k.p = &p;
        if (rg__conv_tasks_of(&p).count > 0)
            ok = add_part(k, threads, pool);
    }
    if (ok && !finish_weights(&k, s, size, threads, w))
        define_weights(size, s, &x, &y, w);
    if (numbers)
        rg__pool_put(pool, numbers, bytes);
    if (k.sums)
        rg__pool_put(pool, k.sums, sums);
    return ok;
}
