/* Reading and writing at computed positions. Where the index does not vary along the inner axes, whole rows are moved;
 * else elements, by loops for each type. Threads share the work along an axis that keeps their elements apart, or, where
 * only the indexed one is long enough, by what positions they own. See at_index.h. */
#include "ops/at_index.h"

#include <string.h>

#define PARALLEL_ELEMENTS 65536 /* below, a second thread costs more than it gives                */
#define PART_ELEMENTS     64    /* of a part, within the axis that is shared: it owns its cache lines */

typedef struct job {
    rg__at_mode mode;
    rg_dtype dtype;
    int64_t size; /* bytes of an element */
    int rank, axis;
    int rows_from; /* axes from here on lie in one row that the index does not vary along; rank: none */
    int64_t row;   /* elements of it */
    int64_t dims[RG_MAX_RANK];
    char *table, *index, *other;
    int64_t table_strides[RG_MAX_RANK]; /* in elements; 0 along the axis */
    int64_t index_strides[RG_MAX_RANK], other_strides[RG_MAX_RANK];
    int64_t extent, stride; /* of the table along the axis; the stride in bytes */
    int64_t low, high;      /* the positions that are written */
    int64_t bad;            /* the first index out of range */
    bool failed;
} job;

/* A run of elements: along it each array goes on by a step in bytes. */
typedef struct line {
    char *table, *index, *other;
    int64_t n, table_step, index_step, other_step;
    int64_t stride, extent, low, high; /* of the job */
    bool dense;
} line;

/* ---- elements ---- */

/* Each loop comes twice: for the common case that the run goes along the axis, all three arrays without gaps and all
 * positions its own, and for any. Returns where the first index is that is out of range. */
#define EACH(T, ...)                                                                                 \
    if (l.dense) {                                                                                   \
        const int64_t *const index = (const int64_t *)(const void *)l.index;                         \
        for (int64_t i = 0; i < l.n; i++) {                                                          \
            const int64_t at = index[i];                                                             \
            if ((uint64_t)at >= (uint64_t)l.extent)                                                  \
                return i;                                                                            \
            T *const in_table = (T *)(void *)l.table + at, *const beside = (T *)(void *)l.other + i; \
            __VA_ARGS__;                                                                             \
        }                                                                                            \
        return l.n;                                                                                  \
    }                                                                                                \
    for (int64_t i = 0; i < l.n; i++) {                                                              \
        const int64_t at = *(const int64_t *)(const void *)(l.index + i * l.index_step);             \
        if ((uint64_t)at >= (uint64_t)l.extent)                                                      \
            return i;                                                                                \
        if (at < l.low || at >= l.high)                                                              \
            continue;                                                                                \
        T *const in_table = (T *)(void *)(l.table + i * l.table_step + at * l.stride);               \
        T *const beside = (T *)(void *)(l.other + i * l.other_step);                                 \
        __VA_ARGS__;                                                                                 \
    }                                                                                                \
    return l.n
#define READ_LINE(T)         EACH(T, *beside = *in_table)
#define SET_LINE(T)          EACH(T, *in_table = *beside)
#define COMBINE_LINE(T, ...) EACH(T, const T v = *beside, r = *in_table; *in_table = (T)(__VA_ARGS__))
#define COMBINE_ROW(T, ...)                                               \
    for (int64_t i = 0; i < n; i++) {                                     \
        const T v = ((const T *)(const void *)from)[i], r = ((T *)to)[i]; \
        ((T *)to)[i] = (T)(__VA_ARGS__);                                  \
    }                                                                     \
    return

/* v into r. */
#define LARGER_OF(v, r)  ((v) > (r) || (v) != (v) ? (v) : (r))
#define SMALLER_OF(v, r) ((v) < (r) || (v) != (v) ? (v) : (r))
#define BY_DTYPE(COMBINE, value)          \
    switch (dtype) {                      \
    case RG_F32: COMBINE(float, value);   \
    case RG_F64: COMBINE(double, value);  \
    case RG_I32: COMBINE(int32_t, value); \
    case RG_I64: COMBINE(int64_t, value); \
    case RG_BOOL: COMBINE(bool, r | v);   \
    }                                     \
    break
#define BY_MODE(COMBINE)                                  \
    switch (mode) {                                       \
    case RG__AT_ADD: BY_DTYPE(COMBINE, r + v);            \
    case RG__AT_MUL: BY_DTYPE(COMBINE, r *v);             \
    case RG__AT_MAX: BY_DTYPE(COMBINE, LARGER_OF(v, r));  \
    case RG__AT_MIN: BY_DTYPE(COMBINE, SMALLER_OF(v, r)); \
    case RG__AT_READ:                                     \
    case RG__AT_SET: break;                               \
    }

static int64_t read_line(const line l, int64_t size)
{
    switch (size) {
    case 1: READ_LINE(uint8_t);
    case 4: READ_LINE(uint32_t);
    case 8: READ_LINE(uint64_t);
    }
    return l.n;
}

static int64_t set_line(const line l, int64_t size)
{
    switch (size) {
    case 1: SET_LINE(uint8_t);
    case 4: SET_LINE(uint32_t);
    case 8: SET_LINE(uint64_t);
    }
    return l.n;
}

static int64_t combine_line(const line l, rg__at_mode mode, rg_dtype dtype)
{
    BY_MODE(COMBINE_LINE)
    return l.n;
}

static void run_elements(job *j)
{
    rg__walk w;
    rg__walk_start(&w, j->rank, j->dims, 3,
                   (rg__strided[]){{j->table, j->table_strides, (size_t)j->size},
                                   {j->index, j->index_strides, sizeof(int64_t)},
                                   {j->other, j->other_strides, (size_t)j->size}});
    line l = {.n = w.run,
              .table_step = w.step[0],
              .index_step = w.step[1],
              .other_step = w.step[2],
              .stride = j->stride,
              .extent = j->extent,
              .low = j->low,
              .high = j->high,
              .dense = w.step[0] == 0 && w.step[1] == (int64_t)sizeof(int64_t) && w.step[2] == j->size &&
                       j->stride == j->size && j->high - j->low == j->extent};
    do {
        l.table = w.p[0];
        l.index = w.p[1];
        l.other = w.p[2];
        const int64_t done = j->mode == RG__AT_READ  ? read_line(l, j->size)
                             : j->mode == RG__AT_SET ? set_line(l, j->size)
                                                     : combine_line(l, j->mode, j->dtype);
        if (done < l.n) {
            j->bad = *(const int64_t *)(const void *)(l.index + done * l.index_step);
            j->failed = true;
            return;
        }
    } while (rg__walk_next(&w));
}

/* ---- rows ---- */

static void combine_row(char *restrict to_, const char *restrict from, int64_t n, rg__at_mode mode, rg_dtype dtype)
{
    void *to = to_;
    BY_MODE(COMBINE_ROW)
}

static void run_rows(job *j)
{
    const int64_t bytes = j->row * j->size;
    rg__walk w;
    rg__walk_start(&w, j->rows_from, j->dims, 3,
                   (rg__strided[]){{j->table, j->table_strides, (size_t)j->size},
                                   {j->index, j->index_strides, sizeof(int64_t)},
                                   {j->other, j->other_strides, (size_t)j->size}});
    do
        for (int64_t i = 0; i < w.run; i++) {
            const int64_t at = *(const int64_t *)(const void *)(w.p[1] + i * w.step[1]);
            if ((uint64_t)at >= (uint64_t)j->extent) {
                j->bad = at;
                j->failed = true;
                return;
            }
            if (at < j->low || at >= j->high)
                continue;
            char *const table = w.p[0] + i * w.step[0] + at * j->stride, *const other = w.p[2] + i * w.step[2];
            if (j->mode == RG__AT_READ)
                memcpy(other, table, (size_t)bytes);
            else if (j->mode == RG__AT_SET)
                memcpy(table, other, (size_t)bytes);
            else
                combine_row(table, other, j->row, j->mode, j->dtype);
        }
    while (rg__walk_next(&w));
}

static void run_part(job *j)
{
    if (j->row > 1)
        run_rows(j);
    else
        run_elements(j);
}

/* ---- sharing ---- */

/* The outermost axis along which threads may work side by side, each on so much that it is worth it; -1 for none. Of a
 * row, only the outermost axis can be cut: what is left is still a row. */
static int shared_axis(const job *j, int threads)
{
    int best = -1, last = j->rows_from;
    while (last < j->rank && j->dims[last] == 1)
        last++;
    int64_t inside = 1;
    for (int i = j->rank - 1; i >= 0; inside *= j->dims[i], i--)
        if (i <= last && (i != j->axis || j->mode == RG__AT_READ) && j->dims[i] >= threads &&
            j->dims[i] / threads * inside >= PART_ELEMENTS)
            best = i;
    return best;
}

/* Part i of so many of the axis; or, of all of it, what goes to part i of the positions. */
static job part_of(const job *j, int axis, int64_t i, int64_t parts)
{
    job own = *j;
    const int64_t extent = axis < 0 ? j->extent : j->dims[axis];
    const int64_t low = extent / parts * i, high = i + 1 == parts ? extent : low + extent / parts;
    if (axis < 0) {
        own.low = low;
        own.high = high;
        return own;
    }
    own.dims[axis] = high - low;
    if (axis >= j->rows_from)
        own.row = j->row / j->dims[axis] * own.dims[axis];
    own.table += low * j->table_strides[axis] * j->size;
    own.other += low * j->other_strides[axis] * j->size;
    own.index += low * j->index_strides[axis] * (int64_t)sizeof(int64_t);
    return own;
}

/* False and the first index out of range, in the order of the parts. */
static bool run_shared(job *j, int threads)
{
    const int axis = shared_axis(j, threads);
    if (axis < 0 && (j->mode == RG__AT_READ || j->extent < threads)) {
        run_part(j);
        return !j->failed;
    }
    int first = threads;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int i = 0; i < threads; i++) {
        job own = part_of(j, axis, i, threads);
        run_part(&own);
        if (!own.failed)
            continue;
#pragma omp critical(rg__move_at_failed)
        if (i < first) {
            first = i;
            j->bad = own.bad;
            j->failed = true;
        }
    }
    return !j->failed;
}

/* ---- what the kernels call ---- */

/* Where the rows begin: as many inner axes as lie one behind the other in table and other, while the index stands still. */
static void find_rows(job *j)
{
    j->rows_from = j->rank;
    j->row = 1;
    for (int i = j->rank - 1; i > j->axis; i--) {
        const bool still = j->index_strides[i] == 0 && j->table_strides[i] == j->row && j->other_strides[i] == j->row;
        if (j->dims[i] != 1 && !still)
            break;
        j->row *= j->dims[i];
        j->rows_from = i;
    }
}

bool rg__move_at(const rg__run *run, rg__at_mode mode, int axis, const rg__array_view *table,
                 const rg__array_view *index, const rg__array_view *other)
{
    job j = {.mode = mode,
             .dtype = table->dtype,
             .size = (int64_t)rg_dtype_size(table->dtype),
             .rank = index->rank,
             .axis = axis,
             .table = table->data,
             .index = index->data,
             .other = other->data,
             .extent = 1};
    const size_t bytes = (size_t)j.rank * sizeof *j.dims;
    const int64_t numel = rg__numel(index->rank, index->dims);
    if (numel == 0)
        return true;
    memcpy(j.dims, index->dims, bytes);
    memcpy(j.index_strides, index->strides, bytes);
    memcpy(j.other_strides, other->strides, bytes);
    memcpy(j.table_strides, table->strides, (size_t)table->rank * sizeof *j.dims);
    if (table->rank) {
        j.extent = table->dims[axis];
        j.stride = table->strides[axis] * j.size;
        j.table_strides[axis] = 0;
    }
    j.high = j.extent;
    find_rows(&j);
    const bool alone = run->threads < 2 || numel < PARALLEL_ELEMENTS;
    if (alone)
        run_part(&j);
    if (alone ? !j.failed : run_shared(&j, run->threads))
        return true;
    return rg__run_fail(run, RG_ERROR_VALUE, "index %lld is out of range 0 to %lld", (long long)j.bad,
                        (long long)j.extent - 1);
}
