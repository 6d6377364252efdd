/* The parts of a convolution. See conv_part.h. */
#include "exec/kernels/conv_part.h"

#include "core/strided.h"

#include <string.h>

enum {
    PLANES_BYTES = 1 << 18, /* of the planes of one part: they are read many times, and should stay in a cache */
    PLANE_LINE = 8, /* elements; planes are so many of these apart, no multiple of 4: they spread over a cache */
    ALIGN = 16,     /* elements: what follows the planes begins with a cache line */
    COLUMNS = 1024, /* rows of fewer results are not cut */
};

/* ---- where the kernel meets an axis ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* Where zeros stand between the elements of x, results are of as many kinds as meet other positions of the kernel. */
static int64_t kinds_of(const rg__conv_shape *s, int i)
{
    return s->stride[i] == 1 ? s->spread[i] : 1;
}

/* The parts of an axis: the kinds that there are results of. */
static int64_t parts_of(const rg__conv_shape *s, int i)
{
    return kinds_of(s, i) < s->y[i] ? kinds_of(s, i) : s->y[i];
}

static int64_t axis_numbers(const rg__conv_shape *s, int i)
{
    return 4 * s->k[i];
}

static rg__conv_axis axis_of(const rg__conv_shape *s, int i, int64_t part, int64_t *numbers)
{
    const int64_t k = s->k[i], kinds = kinds_of(s, i);
    rg__conv_axis a = {.first = part,
                       .step = kinds,
                       .index = numbers,
                       .shift = numbers + k,
                       .slot = numbers + 2 * k,
                       .phase = numbers + 3 * k};
    a.count = (s->y[i] - part - 1) / kinds + 1;
    a.every = s->stride[i];
    a.divisor = kinds > 1 ? 1 : s->spread[i];
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (int64_t at = 0; at < k; at++) {
        int64_t shift, phase;
        if (kinds > 1) { /* only where it meets an element */
            const int64_t place = part + at * s->dilation[i] - s->before[i];
            shift = floor_div(place, kinds);
            phase = 0;
            if (place - shift * kinds != 0)
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
    a.start = kinds > 1 ? least : least * s->stride[i] - s->before[i];
    a.length = a.positions ? a.count + most - least : 0;
    return a;
}

/* A plane for each position: its lines are as long as the results, nothing lies between them. */
static void unroll(rg__conv_axis *a)
{
    for (int64_t p = a->positions - 1; p >= 0; p--) { /* slots are at most positions: what is read still stands there */
        a->phase[p] = a->phase[a->slot[p]] + a->shift[p] * a->every;
        a->slot[p] = p;
        a->shift[p] = 0;
    }
    a->phases = a->positions;
    a->length = a->count;
}

/* What the elements of a line or column of a plane are: element first + i step is x[from + i every] for i < count, the
 * others are zeros. */
typedef struct meeting {
    int64_t first, step, count, from, every;
} meeting;

static meeting meeting_of(const rg__conv_axis *a, int64_t slot, int64_t begin, int64_t length, int64_t extent)
{
    const int64_t start = a->start + a->phase[slot] + begin * a->every, most = (extent - 1) * a->divisor;
    const int64_t last = most < start ? -1 : rg__smaller(length - 1, (most - start) / a->every);
    int64_t common = a->every, rest = a->divisor;
    while (rest != 0) {
        const int64_t next = common % rest;
        common = rest;
        rest = next;
    }
    meeting m = {.first = start < 0 ? rg__divide_up(-start, a->every) : 0, .step = a->divisor / common};
    while (m.first <= last && (start + m.first * a->every) % a->divisor != 0)
        m.first++;
    if (m.first > last)
        return (meeting){0};
    m.count = (last - m.first) / m.step + 1;
    m.from = (start + m.first * a->every) / a->divisor;
    m.every = a->every / common;
    return m;
}

/* ---- planes ---- */

static void part_layout(rg__conv_part *p, int64_t rows, int64_t columns)
{
    const int64_t height = rows + p->height.length - p->height.count;
    p->rows = rows;
    p->columns = columns;
    p->line = columns + p->width.length - p->width.count;
    p->plane = (height * p->line + PLANE_LINE - 1) / PLANE_LINE * PLANE_LINE;
    p->plane += (p->plane / PLANE_LINE % 4 == 0) * PLANE_LINE;
    p->planes = p->depth.positions * p->height.phases * p->width.phases;
    p->all = rg__divide_up(p->s->in * p->planes * p->plane, ALIGN) * ALIGN;
    p->places = (rows - 1) * p->line + columns;
}

/* Few enough rows, and columns of one row, that the planes stay in a cache; not so few columns that most of a line is what the
 * next ones need again. */
static void choose_layout(rg__conv_part *p)
{
    const int64_t again = p->width.length - p->width.count, least = again > COLUMNS ? again : COLUMNS;
    int64_t rows = p->height.count, columns = p->width.count;
    part_layout(p, rows, columns);
    while (rows > 1 && rg__conv_bytes(p) > PLANES_BYTES)
        part_layout(p, rows = (rows + 1) / 2, columns);
    while (columns > least && rg__conv_bytes(p) > PLANES_BYTES)
        part_layout(p, rows, columns = (columns / 2 + COLUMNS / 4) / (COLUMNS / 4) * (COLUMNS / 4));
}

/* Tiles of so many places that cover a task's: line by line, or all its lines as one. */
static int64_t tiles_of(const rg__conv_part *p, int64_t wide)
{
    return rg__smaller(p->rows * rg__divide_up(p->columns, wide), rg__divide_up(p->places, wide));
}

/* Lines with zeros between them waste the more of a tile the shorter they are. Worth it where the sums that are spared are
 * more than the elements that are copied. */
static bool worth_unrolling(const rg__conv_part *p)
{
    const rg__gemm_kernel *kernel = rg__gemm_own_kernel(p->size);
    rg__conv_part q = *p;
    q.width.phases = q.width.positions;
    q.width.length = q.width.count;
    choose_layout(&q);
    const int64_t tiles = tiles_of(p, kernel->taps_columns) - tiles_of(&q, kernel->taps_columns);
    const double sums = (double)tiles * (double)p->s->out * (double)p->terms;
    return q.rows == p->rows && q.columns == p->columns && sums > (double)(q.all - p->all);
}

int64_t rg__conv_numbers(const rg__conv_shape *s)
{
    return axis_numbers(s, 0) + axis_numbers(s, 1) + axis_numbers(s, 2) + 2 * s->in * s->k[0] * s->k[1] * s->k[2];
}

/* Number `which` of the parts. */
rg__conv_part rg__conv_part_of(size_t size, const rg__conv_shape *s, int64_t which, int64_t *numbers)
{
    rg__conv_part p = {.s = s, .size = size};
    const int64_t wide = parts_of(s, 2), high = parts_of(s, 1);
    p.depth = axis_of(s, 0, which / (wide * high), numbers);
    p.height = axis_of(s, 1, which / wide % high, numbers += axis_numbers(s, 0));
    p.width = axis_of(s, 2, which % wide, numbers += axis_numbers(s, 1));
    p.offset = numbers + axis_numbers(s, 2);
    p.weight = p.offset + s->in * s->k[0] * s->k[1] * s->k[2];
    p.terms = s->in * p.depth.positions * p.height.positions * p.width.positions;
    if (p.terms == 0 || p.depth.count * p.height.count * p.width.count == 0)
        return p;
    choose_layout(&p);
    if (worth_unrolling(&p)) {
        unroll(&p.width);
        choose_layout(&p);
    }
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

int64_t rg__conv_parts(const rg__conv_shape *s)
{
    return parts_of(s, 0) * parts_of(s, 1) * parts_of(s, 2);
}

size_t rg__conv_room(int64_t count, size_t bytes, size_t more)
{
    size_t room;
    if (__builtin_mul_overflow((size_t)count, bytes, &room) || __builtin_add_overflow(room, more, &room))
        return SIZE_MAX;
    return room;
}

size_t rg__conv_bytes(const rg__conv_part *p)
{
    return rg__conv_room(p->all, p->size, RG__GEMM_TILE_BYTES);
}

#define COPY(T)                     \
    for (int64_t i = 0; i < n; i++) \
    ((T *)(void *)to)[i * to_step] = ((const T *)(const void *)from)[i * from_step]

void rg__conv_copy(size_t size, int64_t n, char *to, int64_t to_step, const char *from, int64_t from_step)
{
    if (to_step == 1 && from_step == 1)
        memcpy(to, from, (size_t)n * size);
    else if (size == sizeof(uint32_t))
        COPY(uint32_t);
    else
        COPY(uint64_t);
}

/* One plane of each channel at a time: what it takes from x, between zeros. */
void rg__conv_fill(const rg__conv_part *p, const rg__conv_array *x, const rg__conv_task *k, char *planes)
{
    const rg__conv_shape *s = p->s;
    const int64_t size = (int64_t)p->size, height = k->rows + p->height.length - p->height.count, *st = x->strides;
    const char *image = x->data + (k->image * st[0] + k->group * s->in * st[1]) * size;
    memset(planes, 0, (size_t)p->all * p->size);
    for (int64_t i = 0; i < p->planes; i++) {
        const int64_t w = i % p->width.phases, h = i / p->width.phases % p->height.phases;
        const int64_t d = i / p->width.phases / p->height.phases;
        const meeting deep = meeting_of(&p->depth, p->depth.slot[d], k->place + p->depth.shift[d], 1, s->x[0]);
        const meeting high = meeting_of(&p->height, h, k->row, height, s->x[1]);
        const meeting wide = meeting_of(&p->width, w, k->column, p->line, s->x[2]);
        const int64_t dims[3] = {deep.count * s->in, high.count, wide.count};
        char *to = planes + (i * p->plane + high.first * p->line + wide.first) * size;
        const char *from = image + (deep.from * st[2] + high.from * st[3] + wide.from * st[4]) * size;
        rg__copy(3, dims, (rg__strided){to, (int64_t[]){p->planes * p->plane, high.step * p->line, wide.step}, p->size},
                 (rg__strided){(void *)(uintptr_t)from, (int64_t[]){st[1], high.every * st[3], wide.every * st[4]},
                               p->size});
    }
}

/* ---- tasks: rows and columns of results, at places of the depth, of images and groups ---- */

rg__conv_tasks rg__conv_tasks_of(const rg__conv_part *p)
{
    if (p->rows == 0) /* no results of this kind, or none that meet anything */
        return (rg__conv_tasks){0, 0, 0};
    const int64_t blocks = (p->height.count + p->rows - 1) / p->rows;
    const int64_t across = (p->width.count + p->columns - 1) / p->columns;
    return (rg__conv_tasks){blocks, across, p->s->images * p->s->groups * p->depth.count * blocks * across};
}

rg__conv_task rg__conv_task_at(const rg__conv_part *p, const rg__conv_tasks *t, int64_t number)
{
    rg__conv_task k;
    k.column = number % t->across * p->columns;
    k.columns = p->width.count - k.column < p->columns ? p->width.count - k.column : p->columns;
    number /= t->across;
    k.row = number % t->blocks * p->rows;
    k.rows = p->height.count - k.row < p->rows ? p->height.count - k.row : p->rows;
    number /= t->blocks;
    k.place = number % p->depth.count;
    number /= p->depth.count;
    k.group = number % p->s->groups;
    k.image = number / p->s->groups;
    return k;
}

bool rg__conv_worth_threads(const rg__conv_part *p)
{
    const rg__conv_shape *s = p->s;
    return (double)s->images * (double)s->groups * (double)s->out * (double)p->terms * (double)p->depth.count *
               (double)p->height.count * (double)p->width.count >
           65536;
}
