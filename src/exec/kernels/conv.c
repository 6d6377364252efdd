/* Convolution. Of each image, a part is copied into planes of rows that hold its zeros around, the elements that one
 * position of the kernel meets next to each other. A position of the kernel is then a shift: the results at consecutive
 * places are sums of consecutive elements, wherever the kernel stands, so that rows of registers need no gathering.
 * Places past the end of a row are computed, too, and thrown away. */
#include "exec/kernels/conv.h"

#include "exec/kernels/gemm_tile.h"

#include <math.h>
#include <string.h>

enum {
    PLANES_BYTES = 1 << 18, /* of the planes of one part: they are read many times, and should stay in a cache */
    PLANE_LINE = 16,        /* elements; planes are an odd number of these apart, to spread over a cache's sets */
    TASKS = 32,             /* enough for the threads that there may be, and a function of the shape alone    */
};

/* ---- where the kernel meets an axis ---- */

/* One axis of a part of the problem: results first, first + step, ... (count of them), and the positions of the kernel that
 * meet them. Position i reads plane row[i], shifted by shift[i]; element e of plane row r is x[(start + r's phase + e
 * every) / divisor], zero where that is none. */
typedef struct axis {
    int64_t count, first, step;
    int64_t positions, phases, length; /* length: of a plane, for all results of the axis */
    int64_t start, every, divisor;
    int64_t *index, *shift, *slot; /* by position: of the kernel, shift, phase's slot */
    int64_t *phase;                /* by slot */
} axis;

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* The parts of an axis: where zeros stand between the elements of x, results are of as many kinds as meet other
 * positions of the kernel. */
static int64_t parts_of(const rg__conv_shape *s, int i)
{
    return s->stride[i] == 1 ? s->spread[i] : 1;
}

static int64_t axis_numbers(const rg__conv_shape *s, int i)
{
    return 3 * s->k[i] + s->stride[i];
}

static axis axis_of(const rg__conv_shape *s, int i, int64_t part, int64_t *numbers)
{
    const int64_t k = s->k[i], parts = parts_of(s, i);
    axis a = {.first = part,
              .step = parts,
              .index = numbers,
              .shift = numbers + k,
              .slot = numbers + 2 * k,
              .phase = numbers + 3 * k};
    a.count = s->y[i] > part ? (s->y[i] - part - 1) / parts + 1 : 0;
    a.every = s->stride[i];
    a.divisor = parts > 1 ? 1 : s->spread[i];
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (int64_t at = 0; at < k; at++) {
        int64_t shift, phase;
        if (parts > 1) { /* only where it meets an element */
            const int64_t place = part + at * s->dilation[i] - s->before[i];
            shift = floor_div(place, parts);
            phase = 0;
            if (place - shift * parts != 0)
                continue;
        } else {
            shift = at * s->dilation[i] / s->stride[i];
            phase = at * s->dilation[i] % s->stride[i];
        }
        int64_t slot = 0;
        while (slot < a.phases && a.phase[slot] != phase)
            slot++;
        a.phase[slot] = phase;
        a.phases = slot == a.phases ? a.phases + 1 : a.phases;
        a.index[a.positions] = at;
        a.shift[a.positions] = shift;
        a.slot[a.positions++] = slot;
        least = shift < least ? shift : least;
        most = shift > most ? shift : most;
    }
    for (int64_t p = 0; p < a.positions; p++)
        a.shift[p] -= least;
    a.start = parts > 1 ? least : least * s->stride[i] - s->before[i];
    a.length = a.positions ? a.count + most - least : 0;
    return a;
}

/* The element of x that element e of a phase is, or -1. */
static int64_t source(const axis *a, int64_t slot, int64_t e, int64_t extent)
{
    const int64_t place = a->start + a->phase[slot] + e * a->every;
    if (place < 0 || place % a->divisor != 0 || place / a->divisor >= extent)
        return -1;
    return place / a->divisor;
}

/* ---- planes ---- */

/* What is copied for some rows of the results: one plane for each channel, position of the kernel along the depth, and phase
 * of the two other axes. */
typedef struct part {
    const rg__conv_shape *s;
    size_t size;
    axis depth, height, width;
    int64_t rows;                     /* results of the height that are computed at a time */
    int64_t line, plane, planes, all; /* elements: of a row, a plane; planes of a channel; elements in all */
    int64_t places;                   /* consecutive places of `rows` rows */
    int64_t terms;                    /* channels times positions */
    int64_t *offset;                  /* by term: where its shifted plane begins */
    int64_t *weight;                  /* by term: which of the weights of an output channel it has */
} part;

static void part_layout(part *p, int64_t rows)
{
    const int64_t height = rows + p->height.length - p->height.count;
    p->rows = rows;
    p->line = p->width.length;
    p->plane = (height * p->line + PLANE_LINE - 1) / PLANE_LINE * PLANE_LINE;
    p->plane += (p->plane / PLANE_LINE % 2 == 0) * PLANE_LINE;
    p->planes = p->depth.positions * p->height.phases * p->width.phases;
    p->all = p->s->in * p->planes * p->plane;
    p->places = (rows - 1) * p->line + p->width.count;
}

static int64_t part_numbers(const rg__conv_shape *s)
{
    return axis_numbers(s, 0) + axis_numbers(s, 1) + axis_numbers(s, 2) + 2 * s->in * s->k[0] * s->k[1] * s->k[2];
}

/* Number `which` of the parts. */
static part part_of(size_t size, const rg__conv_shape *s, int64_t which, int64_t *numbers)
{
    part p = {.s = s, .size = size};
    const int64_t wide = parts_of(s, 2), high = parts_of(s, 1);
    p.depth = axis_of(s, 0, which / (wide * high), numbers);
    p.height = axis_of(s, 1, which / wide % high, numbers += axis_numbers(s, 0));
    p.width = axis_of(s, 2, which % wide, numbers += axis_numbers(s, 1));
    p.offset = numbers + axis_numbers(s, 2);
    p.weight = p.offset + s->in * s->k[0] * s->k[1] * s->k[2];
    p.terms = s->in * p.depth.positions * p.height.positions * p.width.positions;
    if (p.terms == 0 || p.depth.count * p.height.count * p.width.count == 0)
        return p;
    int64_t rows = p.height.count;
    part_layout(&p, rows);
    while (rows > 1 && (size_t)p.all * size > PLANES_BYTES)
        part_layout(&p, rows = (rows + 1) / 2);
    int64_t term = 0;
    for (int64_t c = 0; c < s->in; c++)
        for (int64_t d = 0; d < p.depth.positions; d++)
            for (int64_t h = 0; h < p.height.positions; h++)
                for (int64_t w = 0; w < p.width.positions; w++) {
                    const int64_t phase = (d * p.height.phases + p.height.slot[h]) * p.width.phases + p.width.slot[w];
                    p.weight[term] =
                        ((c * s->k[0] + p.depth.index[d]) * s->k[1] + p.height.index[h]) * s->k[2] + p.width.index[w];
                    p.offset[term++] = (c * p.planes + phase) * p.plane + p.height.shift[h] * p.line + p.width.shift[w];
                }
    return p;
}

static int64_t parts(const rg__conv_shape *s)
{
    return parts_of(s, 0) * parts_of(s, 1) * parts_of(s, 2);
}

/* Bytes of the planes; kernels read a little past the places that they are asked for. */
static size_t planes_bytes(const part *p)
{
    return (size_t)p->all * p->size + RG__GEMM_TILE_BYTES;
}

#define COPY(T)                     \
    for (int64_t i = 0; i < n; i++) \
    ((T *)to)[i] = ((const T *)from)[i * from_step]

static void copy_line(size_t size, int64_t n, char *to, const char *from, int64_t from_step)
{
    if (from_step == 1)
        memcpy(to, from, (size_t)n * size);
    else if (size == sizeof(uint32_t))
        COPY(uint32_t);
    else
        COPY(uint64_t);
}

/* One row of a plane from a row of x, zeros around. */
static void fill_line(const part *p, char *to, const char *from, int64_t stride, int64_t slot)
{
    const axis *a = &p->width;
    const int64_t extent = p->s->x[2], size = (int64_t)p->size;
    if (a->divisor > 1) {
        for (int64_t e = 0; e < a->length; e++) {
            const int64_t i = source(a, slot, e, extent);
            if (i < 0)
                memset(to + e * size, 0, p->size);
            else
                memcpy(to + e * size, from + i * stride * size, p->size);
        }
        return;
    }
    const int64_t start = a->start + a->phase[slot];
    int64_t head = start < 0 ? (-start + a->every - 1) / a->every : 0;
    int64_t end = extent > start ? (extent - start - 1) / a->every + 1 : 0;
    head = head < a->length ? head : a->length;
    end = end < head ? head : end < a->length ? end : a->length;
    memset(to, 0, (size_t)(head * size));
    copy_line(p->size, end - head, to + head * size, from + (start + head * a->every) * stride * size, a->every * stride);
    memset(to + end * size, 0, (size_t)((a->length - end) * size));
}

/* The planes for `rows` rows of results from `row` on, at one place of the depth. x: of one image and group. */
static void fill_planes(const part *p, const char *x, const int64_t *strides, int64_t place, int64_t row, int64_t rows,
                        char *planes)
{
    const int64_t size = (int64_t)p->size, height = rows + p->height.length - p->height.count;
    char *plane = planes;
    for (int64_t c = 0; c < p->s->in; c++)
        for (int64_t d = 0; d < p->depth.positions; d++) {
            const int64_t deep = source(&p->depth, p->depth.slot[d], place + p->depth.shift[d], p->s->x[0]);
            for (int64_t h = 0; h < p->height.phases; h++)
                for (int64_t w = 0; w < p->width.phases; w++, plane += p->plane * size)
                    for (int64_t e = 0; e < height; e++) {
                        const int64_t i = source(&p->height, h, row + e, p->s->x[1]);
                        char *to = plane + e * p->line * size;
                        if (deep < 0 || i < 0)
                            memset(to, 0, (size_t)(p->line * size));
                        else
                            fill_line(p, to, x + (c * strides[1] + deep * strides[2] + i * strides[3]) * size,
                                      strides[4], w);
                    }
        }
}

/* ---- tasks: rows of results, at places of the depth, of images and groups ---- */

typedef struct tasks {
    int64_t blocks, count; /* of rows; in all */
} tasks;

static tasks tasks_of(const part *p)
{
    if (p->rows == 0) /* no results of this kind, or none that meet anything */
        return (tasks){0, 0};
    const int64_t blocks = (p->height.count + p->rows - 1) / p->rows;
    return (tasks){blocks, p->s->images * p->s->groups * p->depth.count * blocks};
}

typedef struct task {
    int64_t image, group, place, row, rows;
} task;

static task task_at(const part *p, const tasks *t, int64_t number)
{
    task k;
    k.row = number % t->blocks * p->rows;
    k.rows = p->height.count - k.row < p->rows ? p->height.count - k.row : p->rows;
    number /= t->blocks;
    k.place = number % p->depth.count;
    number /= p->depth.count;
    k.group = number % p->s->groups;
    k.image = number / p->s->groups;
    return k;
}

static const char *image_of(const part *p, const rg__conv_array *x, const task *k)
{
    return x->data + (k->image * x->strides[0] + k->group * p->s->in * x->strides[1]) * (int64_t)p->size;
}

/* ---- the results ---- */

typedef struct work {
    const part *p;
    const rg__gemm_kernel *kernel;
    const rg__conv_array *x;
    const char *weights; /* packed */
    char *y, *planes;    /* planes: of each thread */
    tasks tasks;
    int64_t shares, panels; /* the output channels of a task are shared out, too; panels of `rows` of them in a group */
} work;

/* Panels of weights: for each term the weights of as many output channels as the kernel has rows, zeros past the last. */
static void pack_weights(const part *p, const rg__conv_array *w, const rg__gemm_kernel *kernel, char *to)
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
static void store_places(const part *p, const char *from, int64_t column, int64_t n, char *y)
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
static void run_tile(const work *w, const task *k, int64_t first, int64_t end, int wider, int64_t place, int64_t n,
                     const char *planes, char *y)
{
    const part *p = w->p;
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
static void run_task(const work *w, const task *k, int64_t first, int64_t end, const char *planes)
{
    const part *p = w->p;
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
    const part *p = w->p;
    const int64_t all = w->tasks.count * w->shares;
    char *planes = w->planes + (size_t)thread * planes_bytes(p);
    int64_t there = -1;
    memset(planes + (size_t)p->all * p->size, 0, RG__GEMM_TILE_BYTES);
    for (int64_t i = all * thread / threads; i < all * (thread + 1) / threads; i++) {
        const int64_t share = i % w->shares;
        const task k = task_at(p, &w->tasks, i / w->shares);
        if (i / w->shares != there) {
            there = i / w->shares;
            fill_planes(p, image_of(p, w->x, &k), w->x->strides, k.place, k.row, k.rows, planes);
        }
        run_task(w, &k, w->panels * share / w->shares, w->panels * (share + 1) / w->shares, planes);
    }
}

static bool worth_threads(const rg__conv_shape *s, int64_t terms)
{
    return (double)s->images * (double)s->groups * (double)s->out * (double)terms * (double)s->y[0] * (double)s->y[1] *
               (double)s->y[2] >
           65536;
}

static bool conv_part(const part *p, const rg__conv_array *x, const rg__conv_array *w, char *y, int threads,
                      rg__pool *pool)
{
    const rg__gemm_kernel *kernel = rg__gemm_own_kernel(p->size);
    work k = {.p = p, .kernel = kernel, .x = x, .y = y, .tasks = tasks_of(p)};
    k.panels = (p->s->out + kernel->rows - 1) / kernel->rows;
    k.shares = k.tasks.count >= TASKS ? 1 : (TASKS + k.tasks.count - 1) / k.tasks.count;
    k.shares = k.shares < k.panels ? k.shares : k.panels;
    if (!worth_threads(p->s, p->terms))
        threads = 1;
    threads = threads < k.tasks.count * k.shares ? threads : (int)(k.tasks.count * k.shares);
    const size_t packed = (size_t)(p->s->groups * k.panels * kernel->rows * p->terms) * p->size;
    const size_t planes = (size_t)threads * planes_bytes(p);
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
    const size_t bytes = (size_t)part_numbers(s) * sizeof(int64_t);
    int64_t *numbers = rg__pool_get(pool, bytes);
    bool ok = numbers != NULL, zero = s->in == 0;
    for (int64_t i = 0; ok && i < parts(s); i++)
        zero = zero || part_of(size, s, i, numbers).terms == 0;
    if (ok && zero) /* places that nothing meets */
        memset(y, 0, (size_t)(s->images * s->groups * s->out * s->y[0] * s->y[1] * s->y[2]) * size);
    for (int64_t i = 0; ok && i < parts(s); i++) {
        const part p = part_of(size, s, i, numbers);
        if (tasks_of(&p).count > 0)
            ok = conv_part(&p, &x, &w, y, threads, pool);
    }
    if (numbers)
        rg__pool_put(pool, numbers, bytes);
    return ok;
}

/* ---- the gradient with respect to the weights ---- */

enum { LAG_ROWS = 4, LAG_COLUMNS = 3 };

/* Sums of the images of a chunk; the chunks are added in order afterwards. */
typedef struct weight_work {
    const part *p;
    const rg__gemm_kernel *kernel;
    const rg__conv_array *x, *y;
    char *sums, *memory;    /* [chunks][groups out][in k]; of each thread: planes, and y in rows of `lanes` */
    size_t memory_bytes;    /* of one thread */
    int64_t lanes;          /* places, rounded up to whole registers */
    int64_t chunks, shares; /* what is shared out: the output channels of a group, of a chunk */
    int64_t weights;        /* elements of w */
    tasks tasks;
} weight_work;

/* y of output channels first to end of a group, in rows that are as long as those of the planes; zeros between. */
static void fill_results(const weight_work *w, const task *k, int64_t first, int64_t end, char *to)
{
    const part *p = w->p;
    const int64_t size = (int64_t)p->size, *st = w->y->strides;
    const char *y = w->y->data + (k->image * st[0] + (p->depth.first + k->place * p->depth.step) * st[2] +
                                  (p->height.first + k->row * p->height.step) * st[3] + p->width.first * st[4]) *
                                     size;
    for (int64_t o = first; o < end; o++, to += w->lanes * size) {
        memset(to, 0, (size_t)(w->lanes * size));
        for (int64_t row = 0; row < k->rows; row++)
            copy_line(p->size, p->width.count, to + row * p->line * size,
                      y + ((k->group * p->s->out + o) * st[1] + row * p->height.step * st[3]) * size,
                      p->width.step * st[4]);
    }
}

#define ADD_TILE(T)                           \
    for (int64_t i = 0; i < rows; i++)        \
        for (int64_t j = 0; j < columns; j++) \
    ((T *)(void *)sums)[(o + i) * terms + at[j]] += ((const T *)(const void *)tile)[i * LAG_COLUMNS + j]

/* Adds one task to the sums of output channels first to end of its group. */
static void add_task(const weight_work *w, const task *k, int64_t first, int64_t end, char *memory, char *sums)
{
    const part *p = w->p;
    const rg__conv_shape *s = p->s;
    const int64_t size = (int64_t)p->size, terms = s->in * s->k[0] * s->k[1] * s->k[2];
    const int64_t places = (k->rows - 1) * p->line + p->width.count;
    const int64_t unit = w->kernel->taps_columns, n = (places + unit - 1) / unit * unit;
    char *results = memory + planes_bytes(p);
    _Alignas(64) char tile[LAG_ROWS * LAG_COLUMNS * sizeof(double)];
    fill_planes(p, image_of(p, w->x, k), w->x->strides, k->place, k->row, k->rows, memory);
    fill_results(w, k, first, end, results);
    sums += k->group * s->out * terms * size;
    for (int64_t o = first; o < end; o += LAG_ROWS) {
        const int64_t rows = end - o < LAG_ROWS ? end - o : LAG_ROWS;
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

/* A thread's units are consecutive: shares of one chunk that follow each other are done as one. */
static void run_weight_units(const weight_work *w, int thread, int threads)
{
    const int64_t all = w->chunks * w->shares, end = all * (thread + 1) / threads;
    const int64_t panels = (w->p->s->out + LAG_ROWS - 1) / LAG_ROWS;
    char *memory = w->memory + (size_t)thread * w->memory_bytes;
    memset(memory, 0, w->memory_bytes);
    for (int64_t i = all * thread / threads; i < end;) {
        const int64_t chunk = i / w->shares, share = i % w->shares;
        const int64_t more = w->shares - share < end - i ? w->shares - share : end - i;
        const int64_t first = panels * share / w->shares * LAG_ROWS;
        int64_t last = panels * (share + more) / w->shares * LAG_ROWS;
        last = last < w->p->s->out ? last : w->p->s->out;
        char *sums = w->sums + chunk * w->weights * (int64_t)w->p->size;
        for (int64_t t = w->tasks.count * chunk / w->chunks; t < w->tasks.count * (chunk + 1) / w->chunks; t++) {
            const task k = task_at(w->p, &w->tasks, t);
            if (first < last)
                add_task(w, &k, first, last, memory, sums);
        }
        i += more;
    }
}

/* Adds the part's share of every chunk to the sums. */
static bool weight_part(weight_work w, int threads, rg__pool *pool)
{
    const part *p = w.p;
    w.tasks = tasks_of(p);
    w.kernel = rg__gemm_own_kernel(p->size);
    w.lanes = (p->places + w.kernel->taps_columns - 1) / w.kernel->taps_columns * w.kernel->taps_columns;
    w.memory_bytes = planes_bytes(p) + (size_t)(p->s->out * w.lanes) * p->size;
    w.memory_bytes = (w.memory_bytes + 63) / 64 * 64;
    if (!worth_threads(p->s, p->terms))
        threads = 1;
    threads = threads < w.chunks * w.shares ? threads : (int)(w.chunks * w.shares);
    const size_t bytes = (size_t)threads * w.memory_bytes;
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

#define ADD_CHUNKS(T)                                                     \
    for (int64_t c = 0; c < chunks; c++)                                  \
        for (int64_t i = 0; i < n; i++) {                                 \
            const T v = ((const T *)sums)[c * n + i];                     \
            ((T *)w)[i] = c == 0 ? v : ((T *)w)[i] + v;                   \
            finite = finite && (c < chunks - 1 || isfinite(((T *)w)[i])); \
        }

static bool add_chunks(size_t size, int64_t chunks, int64_t n, const void *sums, void *w)
{
    bool finite = true;
    if (size == sizeof(float))
        ADD_CHUNKS(float)
    else
        ADD_CHUNKS(double)
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
    weight_work k = {.x = &x, .y = &y};
    k.weights = s->groups * s->out * s->in * s->k[0] * s->k[1] * s->k[2];
    if (k.weights == 0)
        return true;
    int64_t room = s->images * s->groups * s->in * s->x[0] * s->x[1] * s->x[2] / 4;
    room = (room > LEAST ? room : LEAST) / k.weights;
    k.chunks = room < 1 ? 1 : room < TASKS / 2 ? room : TASKS / 2;
    k.shares = (TASKS / 2 + k.chunks - 1) / k.chunks;
    const size_t bytes = (size_t)part_numbers(s) * sizeof(int64_t), sums = (size_t)(k.chunks * k.weights) * size;
    int64_t *numbers = rg__pool_get(pool, bytes);
    k.sums = rg__pool_get(pool, sums);
    bool ok = numbers && k.sums;
    if (ok)
        memset(k.sums, 0, sums);
    for (int64_t i = 0; ok && i < parts(s); i++) {
        const part p = part_of(size, s, i, numbers);
        k.p = &p;
        if (tasks_of(&p).count > 0)
            ok = weight_part(k, threads, pool);
    }
    if (ok && !add_chunks(size, k.chunks, k.weights, k.sums, w))
        define_weights(size, s, &x, &y, w);
    if (numbers)
        rg__pool_put(pool, numbers, bytes);
    if (k.sums)
        rg__pool_put(pool, k.sums, sums);
    return ok;
}
