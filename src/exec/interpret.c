/* Runs a fused step: every instruction over a block of rows that stays in the cache, then the next block. */
#include "exec/plan.h"

#include "exec/kernels/fold.h"

#include <string.h>

/* ---- operands ---- */

static inline char *locate(const rg__operand *o, char *const *address, char *scratch, int64_t row, int64_t columns)
{
    switch (o->kind) {
    case RG__SLOT: return scratch + o->at;
    case RG__FULL_OF: return address[o->at] + (o->offset + row * columns) * o->size;
    case RG__ROWS_OF: return address[o->at] + (o->offset + row) * o->size;
    case RG__SAME_OF: return address[o->at] + o->offset * o->size;
    }
    return NULL;
}

/* ---- what is the same for every block ---- */

#define FILL(T)                                 \
    for (int64_t i = 0; i < n; i++)             \
        ((T *)(void *)out)[i] = *(const T *)in; \
    break

static void fill(char *out, const void *in, int size, int64_t n)
{
    switch (size) {
    case 1: FILL(uint8_t);
    case 4: FILL(uint32_t);
    case 8: FILL(uint64_t);
    }
}

static void prepare(const rg__fused *f, char *const *address, char *scratch)
{
    for (int i = 0; i < f->fillings; i++) {
        const rg__filling *w = &f->filling[i];
        const char *in = address[w->from.at] + w->from.offset * w->from.size;
        if (!w->row) {
            fill(scratch + w->slot, in, w->from.size, f->block * f->columns);
            continue;
        }
        const size_t bytes = (size_t)f->columns * w->from.size;
        for (int64_t r = 0; r < f->block; r++)
            memcpy(scratch + w->slot + (size_t)r * bytes, in, bytes);
    }
}

/* ---- instructions ---- */

#define REPEAT(T)                                        \
    for (int64_t r = 0; r < rows; r++) {                 \
        const T x = ((const T *)(const void *)in)[r];    \
        T *restrict to = (T *)(void *)out + r * columns; \
        for (int64_t c = 0; c < columns; c++)            \
            to[c] = x;                                   \
    }                                                    \
    break

static void repeat(char *out, const char *in, int size, int64_t rows, int64_t columns)
{
    switch (size) {
    case 1: REPEAT(uint8_t);
    case 4: REPEAT(uint32_t);
    case 8: REPEAT(uint64_t);
    }
}

#define GATHER(T)                                                         \
    for (int64_t i = 0; i < run; i++)                                     \
        ((T *)(void *)out)[i] = *(const T *)(const void *)(p + i * step); \
    break

static void gather_run(char *out, const char *p, int64_t step, int size, int64_t run)
{
    switch (size) {
    case 1: GATHER(uint8_t);
    case 4: GATHER(uint32_t);
    case 8: GATHER(uint64_t);
    }
}

/* The elements first .. first + n - 1, in row-major order, of an array of any strides. */
static void gather(char *out, const char *in, const rg__instruction *k, int64_t first, int64_t n)
{
    const int64_t size = k->out.size, last = k->rank - 1;
    int64_t index[RG_MAX_RANK], rest = first, offset = 0;
    for (int i = (int)last; i >= 0; i--) {
        index[i] = rest % k->dims[i];
        rest /= k->dims[i];
        offset += index[i] * k->strides[i];
    }
    while (n > 0) {
        int64_t run = k->dims[last] - index[last];
        run = run < n ? run : n;
        const char *p = in + offset * size;
        const int64_t step = k->strides[last] * size;
        if (step == size)
            memcpy(out, p, (size_t)(run * size));
        else if (step == 0)
            fill(out, p, (int)size, run);
        else
            gather_run(out, p, step, (int)size, run);
        n -= run;
        out += run * size;
        offset += run * k->strides[last];
        index[last] += run;
        for (int i = (int)last; i > 0 && index[i] == k->dims[i]; i--) {
            offset += k->strides[i - 1] - index[i] * k->strides[i];
            index[i] = 0;
            index[i - 1]++;
        }
    }
}

static void apply(const rg__instruction *k, char *const *address, char *scratch, int64_t row, int64_t rows,
                  int64_t columns)
{
    char *p[4];
    int64_t stride[4];
    p[0] = locate(&k->out, address, scratch, row, columns);
    stride[0] = k->out.size;
    for (int i = 0; i < k->n_in; i++) {
        p[i + 1] = locate(&k->in[i], address, scratch, row, columns);
        stride[i + 1] = k->in[i].spread || k->in[i].one ? 0 : k->in[i].size;
    }
    if (!k->spread) {
        k->loop(k->by_row ? rows : rows * columns, p, stride, k->attr);
        return;
    }
    for (int64_t r = 0; r < rows; r++) {
        k->loop(columns, p, stride, k->attr);
        p[0] += columns * k->out.size;
        for (int i = 0; i < k->n_in; i++)
            p[i + 1] += k->in[i].spread ? k->in[i].size : columns * stride[i + 1];
    }
}

#define PICK(T)                                                              \
    ((T *)(void *)out)[r] = ((const T *)(const void *)in)[r * columns + at]; \
    break
#define PLACE(T)                                                                  \
    ((T *)(void *)out)[r * columns + at] += ((const T *)(const void *)source)[r]; \
    break

/* One element of each row is read, or added to. False where an index is out of range. */
static bool at_index(const rg__instruction *k, char *const *address, char *scratch, int64_t row, int64_t rows,
                     int64_t columns, rg__bad_index *bad)
{
    char *const out = locate(&k->out, address, scratch, row, columns);
    const char *const in = locate(&k->in[0], address, scratch, row, columns);
    const char *const source = k->kind == RG__PLACE ? locate(&k->in[2], address, scratch, row, columns) : NULL;
    const int64_t *const index = (const int64_t *)(void *)locate(&k->in[1], address, scratch, row, columns);
    if (source && in != out)
        memcpy(out, in, (size_t)(rows * columns) * k->out.size);
    for (int64_t r = 0; r < rows; r++) {
        const int64_t at = index[r];
        if (at < 0 || at >= columns) {
            *bad = (rg__bad_index){bad->step, row + r, at, columns, k->node};
            return false;
        }
        if (!source) {
            switch (k->out.size) {
            case 1: PICK(uint8_t);
            case 4: PICK(uint32_t);
            case 8: PICK(uint64_t);
            }
        } else {
            switch ((rg_dtype)k->dtype) {
            case RG_F32: PLACE(float);
            case RG_F64: PLACE(double);
            case RG_I32: PLACE(int32_t);
            case RG_I64: PLACE(int64_t);
            case RG_BOOL: break;
            }
        }
    }
    return true;
}

/* A fold's partial results among a chunk's. */
static double *results_of(const rg__instruction *k, char *partial)
{
    return (double *)(void *)(partial + k->partial);
}

/* Where the block after this one lies: a part of it is asked for before each instruction, so that memory works while the
 * processor does. All at once would only be waited for. */
typedef struct ahead {
    int64_t row, rows; /* of the next block */
    int stream;        /* being fetched     */
    int64_t at, lines; /* its next line; in all, for each instruction */
} ahead;

#define LINE 64

static int64_t bytes_ahead(const rg__fused *f, const ahead *a, int stream)
{
    return a->rows * f->columns * f->stream[stream].size;
}

static ahead look_ahead(const rg__fused *f, int64_t row, int64_t rows)
{
    ahead a = {.row = row, .rows = rows};
    int64_t lines = 0;
    for (int i = 0; i < f->streams; i++)
        lines += bytes_ahead(f, &a, i) / LINE + 1;
    a.lines = lines / f->instructions + 1;
    return a;
}

static void fetch(const rg__fused *f, char *const *address, ahead *a)
{
    int64_t left = a->lines;
    while (left > 0 && a->stream < f->streams) {
        const rg__stream *s = &f->stream[a->stream];
        const char *base = address[s->value] + (s->offset + a->row * f->columns) * s->size;
        const int64_t end = bytes_ahead(f, a, a->stream);
        for (; left > 0 && a->at < end; a->at += LINE, left--)
            __builtin_prefetch(base + a->at, 0, 1);
        if (a->at >= end) {
            a->at = 0;
            a->stream++;
        }
    }
}

static bool run_block(const rg__fused *f, char *const *address, char *scratch, char *partial, int64_t row, int64_t rows,
                      ahead next, rg__bad_index *bad)
{
    const int64_t columns = f->columns;
    for (int i = 0; i < f->instructions; i++) {
        const rg__instruction *k = &f->instruction[i];
        fetch(f, address, &next);
        if (k->kind == RG__APPLY) {
            apply(k, address, scratch, row, rows, columns);
            continue;
        }
        if (k->kind == RG__GATHER) {
            const int64_t each = k->by_row ? 1 : columns;
            gather(scratch + k->out.at, address[k->in[0].at] + k->in[0].offset * k->in[0].size, k, row * each,
                   rows * each);
            continue;
        }
        if (k->kind == RG__PICK || k->kind == RG__PLACE) {
            if (!at_index(k, address, scratch, row, rows, columns, bad))
                return false;
            continue;
        }
        char *out = locate(&k->out, address, scratch, row, columns);
        const char *in = locate(&k->in[0], address, scratch, row, columns);
        switch (k->kind) {
        case RG__REPEAT: repeat(out, in, k->out.size, rows, columns); break;
        case RG__FOLD_ROW: rg__fold_rows(k->fold, (rg_dtype)k->dtype, out, in, rows, columns); break;
        case RG__FOLD_PRODUCTS:
            rg__fold_products((rg_dtype)k->dtype, out, in, locate(&k->in[1], address, scratch, row, columns), rows,
                              columns);
            break;
        case RG__FOLD_COLUMN:
            if (k->buffered)
                rg__fold_onto(k->fold, (rg_dtype)k->dtype, scratch + k->in[1].at, in, rows, columns);
            else
                rg__fold_columns(k->fold, (rg_dtype)k->dtype, results_of(k, partial), in, rows, columns);
            break;
        default: rg__fold_columns(k->fold, (rg_dtype)k->dtype, results_of(k, partial), in, rows * columns, 1); break;
        }
    }
    return true;
}

/* Sums in f32 stay short: they go into the chunk's own every so many rows. */
static void empty_buffers(const rg__fused *f, char *scratch, char *partial)
{
    for (int i = 0; i < f->instructions; i++) {
        const rg__instruction *k = &f->instruction[i];
        if (!k->buffered)
            continue;
        rg__fold_columns(k->fold, (rg_dtype)k->dtype, results_of(k, partial), scratch + k->in[1].at, 1, f->columns);
        rg__fold_clear(k->fold, (rg_dtype)k->dtype, scratch + k->in[1].at, f->columns);
    }
}

static bool run_chunk(const rg__fused *f, char *const *address, char *scratch, char *partial, int64_t chunk,
                      rg__bad_index *bad)
{
    enum { BUFFERED = 16 }; /* blocks */
    const int64_t first = chunk * f->chunk, end = first + f->chunk < f->rows ? first + f->chunk : f->rows;
    for (int i = 0; i < f->instructions; i++) {
        const rg__instruction *k = &f->instruction[i];
        if (k->kind >= RG__FOLD_COLUMN)
            rg__fold_start(k->fold, results_of(k, partial), k->kind == RG__FOLD_ALL ? 1 : f->columns);
        if (k->buffered)
            rg__fold_clear(k->fold, (rg_dtype)k->dtype, scratch + k->in[1].at, f->columns);
    }
    int64_t blocks = 0;
    for (int64_t row = first; row < end; row += f->block) {
        const int64_t next = row + f->block < end ? row + f->block : end;
        const int64_t after = next + f->block < f->rows ? next + f->block : f->rows;
        if (!run_block(f, address, scratch, partial, row, next - row, look_ahead(f, next, after - next), bad))
            return false;
        if (++blocks % BUFFERED == 0)
            empty_buffers(f, scratch, partial);
    }
    empty_buffers(f, scratch, partial);
    return true;
}

/* Joins the chunks' partial results in their order. */
static void join(const rg__fused *f, char *const *address, char *partial)
{
    for (int i = 0; i < f->instructions; i++) {
        const rg__instruction *k = &f->instruction[i];
        if (k->kind < RG__FOLD_COLUMN)
            continue;
        const int64_t n = k->kind == RG__FOLD_ALL ? 1 : f->columns;
        double *first = results_of(k, partial);
        for (int64_t c = 1; c < f->chunks; c++)
            rg__fold_join(k->fold, first, results_of(k, partial + (size_t)c * f->partial), n);
        rg__fold_finish((rg_dtype)k->dtype, address[k->out.at] + k->out.offset * k->out.size, first, n);
    }
}

/* ---- waves ---- */

static int64_t cost_of_chunk(const rg__fused *f)
{
    return f->chunk * f->columns * f->instructions;
}

/* Runs what begins within part `i` of `parts` of the wave's work; `bad` is the first of all threads. */
static void run_part(const rg__step *wave, char *const *address, char *scratch, char *partial, int64_t total, int64_t i,
                     int64_t parts, rg__bad_index *bad)
{
    const int64_t from = total / parts * i, to = i + 1 == parts ? total : total / parts * (i + 1);
    int64_t begun = 0; /* work of the steps before */
    for (int step = 0; step < wave->wave; step++) {
        const rg__fused *f = wave[step].fused;
        const int64_t cost = cost_of_chunk(f), end = begun + cost * f->chunks;
        int64_t c = from <= begun ? 0 : (from - begun + cost - 1) / cost;
        if (c < f->chunks && begun + c * cost < to)
            prepare(f, address, scratch);
        for (; c < f->chunks && begun + c * cost < to; c++) {
            rg__bad_index found = {.step = step};
            if (run_chunk(f, address, scratch, partial + f->results + (size_t)c * f->partial, c, &found))
                continue;
#ifdef _OPENMP
#pragma omp critical(rg__bad_index)
#endif
            if (found.step < bad->step || (found.step == bad->step && found.row < bad->row))
                *bad = found;
            return;
        }
        begun = end;
    }
}

bool rg__wave_run(const rg__step *wave, char *const *address, char *scratch, size_t scratch_stride, char *partial,
                  int threads, rg__bad_index *bad)
{
    int64_t total = 0, chunks = 0;
    for (int step = 0; step < wave->wave; step++) {
        total += cost_of_chunk(wave[step].fused) * wave[step].fused->chunks;
        chunks += wave[step].fused->chunks;
    }
    const int64_t team = !wave->parallel ? 1 : threads < chunks ? threads : chunks;
    bad->step = wave->wave;
#ifdef _OPENMP
#pragma omp parallel for num_threads((int)team) schedule(static, 1) if (team > 1)
#endif
    for (int64_t i = 0; i < team; i++)
        run_part(wave, address, scratch + (size_t)i * scratch_stride, partial, total, i, team, bad);
    if (bad->step != wave->wave)
        return false;
    for (int step = 0; step < wave->wave; step++)
        join(wave[step].fused, address, partial + wave[step].fused->results);
    return true;
}

/* ---- epilogues ---- */

void rg__epilogue_strip(void *opaque, int64_t first_row, int64_t rows, int thread)
{
    rg__epilogue *e = opaque;
    (void)rows; /* a strip is a chunk */
    const int64_t chunk = first_row / e->strip;
    char *scratch = e->scratch + (size_t)thread * e->scratch_stride;
    if (!e->ready[thread])
        prepare(e->fused, e->address, scratch);
    e->ready[thread] = true;
    rg__bad_index found = {0};
    if (run_chunk(e->fused, e->address, scratch, e->partial + (size_t)chunk * e->fused->partial, chunk, &found))
        return;
#ifdef _OPENMP
#pragma omp critical(rg__bad_index)
#endif
    if (found.row < e->bad.row)
        e->bad = found;
}

bool rg__epilogue_end(rg__epilogue *e)
{
    if (e->bad.row == INT64_MAX)
        join(e->fused, e->address, e->partial);
    return e->bad.row == INT64_MAX;
}
