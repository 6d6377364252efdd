/* Runs a fused step: every instruction over a block of rows that stays in the cache, then the next block. */
#include "exec/plan.h"

#include "exec/kernels/fold.h"

#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

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
        switch (size) {
        case 1: GATHER(uint8_t);
        case 4: GATHER(uint32_t);
        case 8: GATHER(uint64_t);
        }
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

/* A fold's partial results among a chunk's. */
static double *results_of(const rg__instruction *k, char *partial)
{
    return (double *)(void *)(partial + k->partial);
}

static void run_block(const rg__fused *f, char *const *address, char *scratch, char *partial, int64_t row, int64_t rows)
{
    const int64_t columns = f->columns;
    for (int i = 0; i < f->instructions; i++) {
        const rg__instruction *k = &f->instruction[i];
        if (k->kind == RG__APPLY) {
            apply(k, address, scratch, row, rows, columns);
            continue;
        }
        if (k->kind == RG__GATHER) {
            gather(scratch + k->out.at, address[k->in[0].at] + k->in[0].offset * k->in[0].size, k, row * columns,
                   rows * columns);
            continue;
        }
        char *out = locate(&k->out, address, scratch, row, columns);
        const char *in = locate(&k->in[0], address, scratch, row, columns);
        switch (k->kind) {
        case RG__REPEAT: repeat(out, in, k->out.size, rows, columns); break;
        case RG__FOLD_ROW: rg__fold_rows(k->fold, (rg_dtype)k->dtype, out, in, rows, columns); break;
        case RG__FOLD_COLUMN:
            if (k->buffered)
                rg__fold_onto(k->fold, (rg_dtype)k->dtype, scratch + k->in[1].at, in, rows, columns);
            else
                rg__fold_columns(k->fold, (rg_dtype)k->dtype, results_of(k, partial), in, rows, columns);
            break;
        default: rg__fold_columns(k->fold, (rg_dtype)k->dtype, results_of(k, partial), in, rows * columns, 1); break;
        }
    }
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

static void run_chunk(const rg__fused *f, char *const *address, char *scratch, char *partial, int64_t chunk)
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
        run_block(f, address, scratch, partial, row, row + f->block < end ? f->block : end - row);
        if (++blocks % BUFFERED == 0)
            empty_buffers(f, scratch, partial);
    }
    empty_buffers(f, scratch, partial);
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

void rg__fused_run(const rg__fused *f, char *const *address, char *scratch, size_t scratch_stride, char *partial,
                   int threads)
{
#ifdef _OPENMP
    if (f->parallel && threads > 1) {
        const int team = threads < f->chunks ? threads : (int)f->chunks;
#pragma omp parallel num_threads(team)
        {
            char *own = scratch + (size_t)omp_get_thread_num() * scratch_stride;
            prepare(f, address, own);
#pragma omp for schedule(static)
            for (int64_t c = 0; c < f->chunks; c++)
                run_chunk(f, address, own, partial + (size_t)c * f->partial, c);
        }
        join(f, address, partial);
        return;
    }
#endif
    (void)scratch_stride, (void)threads;
    prepare(f, address, scratch);
    for (int64_t c = 0; c < f->chunks; c++)
        run_chunk(f, address, scratch, partial + (size_t)c * f->partial, c);
    join(f, address, partial);
}
