/* Sorting and selecting by keys. See items.h. Short rows are merged, long ones sorted digit by digit, by bytes: the same
 * order either way. */
#include "ops/items.h"

#include "ops/lanes.h"

#include <string.h>

#define RUN        16        /* items sorted by insertion                                   */
#define RADIX_FROM 256       /* from here on counting digits is faster than merging          */
#define FEW_LEAST  32        /* as many are kept in order while a row is read                */
#define TOGETHER   (1 << 17) /* elements of a single row that all threads sort together */

/* Where part `part` of n begins, of `parts`. */
#define PART_FROM(n, part, parts) ((n) / (parts) * (part) + ((part) < (n) % (parts) ? (part) : (n) % (parts)))

/* ---- keys of four bytes, with the index in one word ---- */

#define ITEM        uint64_t
#define KEY_BYTES   4
#define NAME(x)     x##_narrow
#define LESS(a, b)  ((a) < (b))
#define KEY(item)   ((uint32_t)((item) >> 32))
#define INDEX(item) ((uint32_t)(item))
#define NAN_KEY     UINT32_MAX
#include "ops/items_sort.h"

/* ---- keys of eight bytes ---- */

typedef struct wide {
    uint64_t key, index;
} wide;

#define ITEM        wide
#define KEY_BYTES   8
#define NAME(x)     x##_wide
#define LESS(a, b)  ((a).key < (b).key || ((a).key == (b).key && (a).index < (b).index))
#define KEY(item)   ((item).key)
#define INDEX(item) ((item).index)
#define NAN_KEY     UINT64_MAX
#include "ops/items_sort.h"

/* ---- values as keys ---- */

/* Of a sum with 0, which makes one zero of both: negative numbers in reverse, below the positive ones. */
static uint32_t key_f32(float x)
{
    const float sum = x + 0.0f;
    uint32_t bits;
    memcpy(&bits, &sum, sizeof bits);
    bits ^= bits >> 31 ? UINT32_MAX : UINT32_C(1) << 31;
    return x != x ? UINT32_MAX : bits;
}

static uint64_t key_f64(double x)
{
    const double sum = x + 0.0;
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    bits ^= bits >> 63 ? UINT64_MAX : UINT64_C(1) << 63;
    return x != x ? UINT64_MAX : bits;
}

static uint32_t key_i32(int32_t x)
{
    return (uint32_t)x ^ UINT32_C(1) << 31;
}

static uint64_t key_i64(int64_t x)
{
    return (uint64_t)x ^ UINT64_C(1) << 63;
}

static uint32_t key_bool(bool x)
{
    return x;
}

#define LOAD_NARROW(suffix, T)                                                                                    \
    static void load_##suffix(void *items, const char *x, int64_t step, int64_t first, int64_t end, bool down)    \
    {                                                                                                             \
        uint64_t *a = items;                                                                                      \
        const uint32_t flip = down ? UINT32_MAX : 0;                                                              \
        if (step == (int64_t)sizeof(T)) {                                                                         \
            for (int64_t i = first; i < end; i++)                                                                 \
                a[i] = (uint64_t)(key_##suffix(((const T *)(const void *)x)[i]) ^ flip) << 32 | (uint64_t)i;      \
            return;                                                                                               \
        }                                                                                                         \
        for (int64_t i = first; i < end; i++)                                                                     \
            a[i] = (uint64_t)(key_##suffix(*(const T *)(const void *)(x + i * step)) ^ flip) << 32 | (uint64_t)i; \
    }
#define LOAD_WIDE(suffix, T)                                                                                   \
    static void load_##suffix(void *items, const char *x, int64_t step, int64_t first, int64_t end, bool down) \
    {                                                                                                          \
        wide *a = items;                                                                                       \
        const uint64_t flip = down ? UINT64_MAX : 0;                                                           \
        for (int64_t i = first; i < end; i++)                                                                  \
            a[i] = (wide){key_##suffix(*(const T *)(const void *)(x + i * step)) ^ flip, (uint64_t)i};         \
    }
LOAD_NARROW(f32, float)
LOAD_NARROW(i32, int32_t)
LOAD_NARROW(bool, bool)
LOAD_WIDE(f64, double)
LOAD_WIDE(i64, int64_t)

#define KIND(item, limit, suffix, width)                                                                        \
    {                                                                                                           \
        sizeof(item), limit, load_##suffix, sort_##width, sort_together_##width, select_##width, least_##width, \
            mode_##width, index_##width, nans_##width, store_##width                                            \
    }
static const rg__items kinds[RG_DTYPES] = {
    [RG_F32] = KIND(uint64_t, UINT32_MAX, f32, narrow),   [RG_F64] = KIND(wide, INT64_MAX, f64, wide),
    [RG_I32] = KIND(uint64_t, UINT32_MAX, i32, narrow),   [RG_I64] = KIND(wide, INT64_MAX, i64, wide),
    [RG_BOOL] = KIND(uint64_t, UINT32_MAX, bool, narrow),
};

/* ---- rows ---- */

static bool short_enough(const rg__run *run, const rg__items *k, int64_t n)
{
    return n <= k->most ||
           rg__run_fail(run, RG_ERROR_SHAPE, "rows of %lld elements of %s given; at most %lld are allowed",
                        (long long)n, rg_dtype_name(run->in[0].dtype), (long long)k->most);
}

/* Items twice for each worker, and counts. */
static void *space_for(const rg__run *run, size_t bytes)
{
    void *space = rg__pool_get(run->pool, bytes);
    if (!space)
        rg__run_fail(run, RG_ERROR_MEMORY, "out of memory for %zu bytes", bytes);
    return space;
}

bool rg__each_row(const rg__run *run, bool descending, int64_t width, rg__row_job job)
{
    const rg__array_view *x = &run->in[0];
    const rg__items *k = &kinds[x->dtype];
    const rg__lanes l = rg__lanes_of(x, x->rank - 1);
    if (l.count == 0 || run->node->numel == 0)
        return true;
    if (!short_enough(run, k, l.length))
        return false;
    const bool small = l.count < 2 || l.length < RG__LANES_PARALLEL / l.count;
    const int workers = small ? 1 : l.count < run->threads ? (int)l.count : run->threads;
    const size_t row = (size_t)l.length * k->size, bytes = 2 * row * (size_t)workers;
    char *space = space_for(run, bytes);
    if (!space)
        return false;
    int64_t *out = run->out.data;
#pragma omp parallel for num_threads(workers) schedule(static) if (workers > 1)
    for (int w = 0; w < workers; w++) {
        char *items = space + 2 * row * (size_t)w;
        for (int64_t i = PART_FROM(l.count, w, workers); i < PART_FROM(l.count, w + 1, workers); i++) {
            k->load(items, (const char *)x->data + rg__lane_at(&l, i), l.step, 0, l.length, descending);
            job(run, k, items, items + row, l.length, out + i * width);
        }
    }
    rg__pool_put(run->pool, space, bytes);
    return true;
}

static void sort_row(const rg__run *run, const rg__items *k, void *items, void *spare, int64_t n, int64_t *out)
{
    (void)run;
    k->sort(items, spare, n);
    k->store(items, 0, n, out);
}

bool rg__sort_rows(const rg__run *run, bool descending)
{
    const rg__array_view *x = &run->in[0];
    const rg__items *k = &kinds[x->dtype];
    const rg__lanes l = rg__lanes_of(x, x->rank - 1);
    const int threads = run->threads;
    if (threads < 2 || l.count >= threads || l.length < TOGETHER)
        return rg__each_row(run, descending, l.length, sort_row);
    const size_t row = (size_t)l.length * k->size, bytes = 2 * row + (size_t)threads * 256 * sizeof(int64_t);
    char *items = short_enough(run, k, l.length) ? space_for(run, bytes) : NULL;
    if (!items)
        return false;
    for (int64_t i = 0; i < l.count; i++) {
        const char *from = (const char *)x->data + rg__lane_at(&l, i);
        int64_t *out = (int64_t *)run->out.data + i * l.length;
#pragma omp parallel for num_threads(threads) schedule(static)
        for (int part = 0; part < threads; part++)
            k->load(items, from, l.step, PART_FROM(l.length, part, threads), PART_FROM(l.length, part + 1, threads),
                    descending);
        k->sort_together(items, items + row, l.length, threads, (int64_t *)(void *)(items + 2 * row));
#pragma omp parallel for num_threads(threads) schedule(static)
        for (int part = 0; part < threads; part++)
            k->store(items, PART_FROM(l.length, part, threads), PART_FROM(l.length, part + 1, threads), out);
    }
    rg__pool_put(run->pool, items, bytes);
    return true;
}
