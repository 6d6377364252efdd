/* Walking and copying arrays of any strides. See strided.h. */
#include "core/strided.h"

#include <string.h>

void rg__walk_start(rg__walk *walk, int rank, const int64_t *dims, int arrays, const rg__strided *array)
{
    walk->arrays = arrays;
    walk->rank = 0;
    walk->run = 1;
    for (int a = 0; a < arrays; a++) {
        walk->p[a] = array[a].data;
        walk->step[a] = 0;
    }
    /* From the innermost axis out: an axis joins the one inside it where every array continues without a gap. */
    int64_t merged_dims[RG_MAX_RANK], merged[RG__WALK_ARRAYS][RG_MAX_RANK];
    int n = 0;
    for (int i = rank - 1; i >= 0; i--) {
        if (dims[i] == 1)
            continue;
        bool joins = n > 0;
        for (int a = 0; a < arrays && joins; a++)
            joins = array[a].strides[i] * (int64_t)array[a].size == merged[a][n - 1] * merged_dims[n - 1];
        if (joins) {
            merged_dims[n - 1] *= dims[i];
            continue;
        }
        for (int a = 0; a < arrays; a++)
            merged[a][n] = array[a].strides[i] * (int64_t)array[a].size;
        merged_dims[n++] = dims[i];
    }
    if (n > 0) {
        walk->run = merged_dims[0];
        for (int a = 0; a < arrays; a++)
            walk->step[a] = merged[a][0];
    }
    for (int i = n - 1; i > 0; i--) {
        if (merged_dims[i] == 0)
            walk->run = 0;
        walk->dims[walk->rank] = merged_dims[i];
        walk->index[walk->rank] = 0;
        for (int a = 0; a < arrays; a++)
            walk->strides[a][walk->rank] = merged[a][i];
        walk->rank++;
    }
    if (walk->run == 0)
        walk->rank = 0;
}

bool rg__walk_next(rg__walk *walk)
{
    for (int i = walk->rank - 1; i >= 0; i--) {
        for (int a = 0; a < walk->arrays; a++)
            walk->p[a] += walk->strides[a][i];
        if (++walk->index[i] < walk->dims[i])
            return true;
        for (int a = 0; a < walk->arrays; a++)
            walk->p[a] -= walk->strides[a][i] * walk->dims[i];
        walk->index[i] = 0;
    }
    return false;
}

/* By memcpy of a constant size, which is one move: the reader's buffer need not be aligned. */
#define COPY_RUN(bytes)                                                  \
    for (int64_t i = 0; i < w.run; i++)                                  \
        memcpy(w.p[0] + i * w.step[0], w.p[1] + i * w.step[1], (bytes)); \
    break

/* A transposed matrix, in tiles by way of a buffer: each cache line is read at once and written at once, since lines that
 * lie a power of two apart do not stay in the cache together. */
#define TILE 16
#define COPY_TILES(T)                                                                                              \
    for (int64_t r0 = 0; r0 < rows; r0 += TILE)                                                                    \
        for (int64_t c0 = 0; c0 < columns; c0 += TILE) {                                                           \
            T tile[TILE][TILE];                                                                                    \
            const int64_t height = rows - r0 < TILE ? rows - r0 : TILE;                                            \
            const int64_t width = columns - c0 < TILE ? columns - c0 : TILE;                                       \
            for (int64_t c = 0; c < width; c++)                                                                    \
                for (int64_t r = 0; r < height; r++)                                                               \
                    memcpy(&tile[r][c], from + (r0 + r) * (int64_t)sizeof(T) + (c0 + c) * from_column, sizeof(T)); \
            for (int64_t r = 0; r < height; r++)                                                                   \
                for (int64_t c = 0; c < width; c++)                                                                \
                    memcpy(to + (r0 + r) * to_row + (c0 + c) * to_column, &tile[r][c], sizeof(T));                 \
        }                                                                                                          \
    break

/* Not to be inlined: gcc 12 at -O2 then keeps the first matrix's place for those that follow. */
static __attribute__((noinline)) void copy_tiles(const rg__walk *w, size_t size, int64_t rows)
{
    const int last = w->rank - 1;
    const int64_t columns = w->run, to_row = w->strides[0][last];
    const int64_t to_column = w->step[0], from_column = w->step[1];
    char *to = w->p[0];
    const char *from = w->p[1];
    switch (size) {
    case 1: COPY_TILES(uint8_t);
    case 4: COPY_TILES(uint32_t);
    case 8: COPY_TILES(uint64_t);
    }
}

/* Is the innermost walked axis dense in the source, and the run not? Then the two are a transposed matrix. */
static bool is_transposed(const rg__walk *w, size_t size)
{
    return w->rank > 0 && w->run >= TILE && w->dims[w->rank - 1] >= TILE && w->step[1] != (int64_t)size &&
           w->strides[1][w->rank - 1] == (int64_t)size;
}

#define FILL_RUN(T)                                                  \
    for (int64_t i = 0; i < n; i++)                                  \
        memcpy((char *)out + i * (int64_t)sizeof(T), in, sizeof(T)); \
    break

/* n elements, all the same one. */
static void fill_run(void *out, const char *in, size_t size, int64_t n)
{
    static const char zeros[8];
    if (memcmp(in, zeros, size) == 0) {
        memset(out, 0, (size_t)n * size);
        return;
    }
    switch (size) {
    case 1: FILL_RUN(uint8_t);
    case 4: FILL_RUN(uint32_t);
    case 8: FILL_RUN(uint64_t);
    }
}

/* Short runs, one for each step along the innermost walked axis: the loops change places, a stretch at a time that stays in
 * the cache. */
#define SHORT   16
#define STRETCH 8192 /* bytes */
#define COPY_SHORT(T)                                                       \
    for (int64_t first = 0; first < n; first += most) {                     \
        const int64_t count = n - first < most ? n - first : most;          \
        for (int64_t i = 0; i < run; i++) {                                 \
            char *const out = to + i * to_step + first * to_row;            \
            const char *const in = from + i * from_step + first * from_row; \
            for (int64_t k = 0; k < count; k++)                             \
                memcpy(out + k * to_row, in + k * from_row, sizeof(T));     \
        }                                                                   \
    }                                                                       \
    break

static __attribute__((noinline)) void copy_short(const rg__walk *w, size_t size)
{
    const int last = w->rank - 1;
    const int64_t n = w->dims[last], to_row = w->strides[0][last], from_row = w->strides[1][last];
    const int64_t run = w->run, to_step = w->step[0], from_step = w->step[1];
    const int64_t most = STRETCH / (run * (int64_t)size);
    char *const to = w->p[0];
    const char *const from = w->p[1];
    switch (size) {
    case 1: COPY_SHORT(uint8_t);
    case 4: COPY_SHORT(uint32_t);
    case 8: COPY_SHORT(uint64_t);
    }
}

static bool is_short(const rg__walk *w, size_t size)
{
    const bool dense = w->step[0] == (int64_t)size && w->step[1] == (int64_t)size;
    return w->rank > 0 && w->run < (dense ? SHORT / 2 : SHORT) && w->dims[w->rank - 1] > w->run;
}

/* For two axes at once, so that the walk goes on with those outside of them. */
static bool next_plane(rg__walk *w)
{
    w->rank--;
    const bool more = rg__walk_next(w);
    w->rank++;
    return more;
}

void rg__copy(int rank, const int64_t *dims, rg__strided out, rg__strided in)
{
    rg__walk w;
    rg__walk_start(&w, rank, dims, 2, (rg__strided[]){out, in});
    if (w.run == 0)
        return;
    if (is_transposed(&w, in.size)) {
        do
            copy_tiles(&w, in.size, w.dims[w.rank - 1]);
        while (next_plane(&w));
        return;
    }
    if (is_short(&w, in.size)) {
        do
            copy_short(&w, in.size);
        while (next_plane(&w));
        return;
    }
    do {
        if (w.step[0] == (int64_t)out.size && w.step[1] == (int64_t)in.size) {
            memcpy(w.p[0], w.p[1], (size_t)w.run * out.size);
            continue;
        }
        if (w.step[0] == (int64_t)out.size && w.step[1] == 0) {
            fill_run(w.p[0], w.p[1], out.size, w.run);
            continue;
        }
        switch (out.size) {
        case 1: COPY_RUN(1);
        case 4: COPY_RUN(4);
        case 8: COPY_RUN(8);
        }
    } while (rg__walk_next(&w));
}

#define PARALLEL_ELEMENTS 65536 /* below, a second thread costs more than it gives */

void rg__copy_shared(int threads, int rank, const int64_t *dims, rg__strided out, rg__strided in)
{
    int axis = 0;
    while (axis < rank - 1 && dims[axis] == 1)
        axis++;
    if (threads < 2 || rg__numel(rank, dims) < PARALLEL_ELEMENTS || dims[axis] < threads) {
        rg__copy(rank, dims, out, in);
        return;
    }
    const int64_t part = (dims[axis] + threads - 1) / threads;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int i = 0; i < threads; i++) {
        const int64_t first = i * part < dims[axis] ? i * part : dims[axis];
        int64_t own[RG_MAX_RANK];
        memcpy(own, dims, (size_t)rank * sizeof *own);
        own[axis] = part < dims[axis] - first ? part : dims[axis] - first;
        rg__strided to = out, from = in;
        to.data = (char *)out.data + first * out.strides[axis] * (int64_t)out.size;
        from.data = (char *)in.data + first * in.strides[axis] * (int64_t)in.size;
        rg__copy(rank, own, to, from);
    }
}
