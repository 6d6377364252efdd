/* Places values in the workspace: those that live at the same time apart, others in each other's places.
 *
 * Large values, of which there are few, are placed one by one, the largest first, each in the smallest gap between those
 * that live at the same time as it: Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020.
 * The others come behind them. Their places are kept by size, a free one serves what is not much smaller, so that the cost
 * is one of values, not of pairs. */
#include "exec/build.h"

#include <stdlib.h>
#include <string.h>

#define LARGE      ((size_t)256 << 10) /* bytes */
#define MOST_LARGE 1024
#define MOST_SIZES 64
#define WASTE      4 /* a free place serves values of at least a fourth of it */

/* Free places of one size. */
typedef struct shelf {
    size_t bytes;
    uint32_t last; /* 1 + the value whose place was freed last; they are linked */
} shelf;

typedef struct placing {
    rg__build *b;
    shelf shelf[MOST_SIZES]; /* by size */
    int shelves;
    uint32_t *below;  /* by value: the one freed before it, 1 + */
    uint32_t *ending; /* by step: 1 + a value whose last reader it is */
    uint32_t *also;   /* by value: another one of the same step, 1 + */
    size_t *held;     /* by value: the bytes of its place */
} placing;

static size_t aligned(size_t bytes)
{
    return (bytes + RG__ALIGN - 1) / RG__ALIGN * RG__ALIGN;
}

/* ---- large values ---- */

/* The size from which on there are few enough. */
static size_t large_size(const rg__plan *plan)
{
    for (size_t size = LARGE;; size *= 2) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < plan->values; i++)
            count += plan->value[i].kind == RG__WORK && plan->value[i].bytes >= size;
        if (count <= MOST_LARGE)
            return size;
    }
}

static int by_size(const void *a, const void *b)
{
    const rg__plan_value *const x = *(rg__plan_value *const *)a, *const y = *(rg__plan_value *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* Where v goes, given those that are placed, in the order of their offsets. */
static size_t gap_for(const rg__plan_value *v, rg__plan_value *const *placed, uint32_t count)
{
    const size_t bytes = aligned(v->bytes);
    size_t end = 0, best = SIZE_MAX, at = 0;
    for (uint32_t i = 0; i < count; i++) {
        const rg__plan_value *p = placed[i];
        if (p->last < v->first || p->first > v->last)
            continue;
        if (p->offset > end && p->offset - end >= bytes && p->offset - end < best) {
            best = p->offset - end;
            at = end;
        }
        if (p->offset + aligned(p->bytes) > end)
            end = p->offset + aligned(p->bytes);
    }
    return best == SIZE_MAX ? end : at;
}

static void place_large(rg__build *b, size_t size)
{
    rg__plan *plan = b->plan;
    rg__plan_value **large = rg__build_alloc(b, (MOST_LARGE + 1) * sizeof *large);
    rg__plan_value **placed = rg__build_alloc(b, (MOST_LARGE + 1) * sizeof *placed);
    if (b->failed)
        return;
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->values; i++)
        if (plan->value[i].kind == RG__WORK && plan->value[i].bytes >= size)
            large[count++] = &plan->value[i];
    qsort(large, count, sizeof *large, by_size);
    for (uint32_t k = 0; k < count; k++) {
        rg__plan_value *v = large[k];
        v->offset = gap_for(v, placed, k);
        if (v->offset + aligned(v->bytes) > plan->workspace)
            plan->workspace = v->offset + aligned(v->bytes);
        uint32_t at = k;
        for (; at > 0 && placed[at - 1]->offset > v->offset; at--)
            placed[at] = placed[at - 1];
        placed[at] = v;
    }
}

/* ---- the others ---- */

static void free_place(placing *p, uint32_t value)
{
    const size_t bytes = p->held[value];
    int i = 0;
    while (i < p->shelves && p->shelf[i].bytes < bytes)
        i++;
    if (i == p->shelves || p->shelf[i].bytes != bytes) {
        if (p->shelves == MOST_SIZES)
            return; /* so many sizes: this place is not used again */
        memmove(&p->shelf[i + 1], &p->shelf[i], (size_t)(p->shelves - i) * sizeof *p->shelf);
        p->shelf[i] = (shelf){bytes, 0};
        p->shelves++;
    }
    p->below[value] = p->shelf[i].last;
    p->shelf[i].last = value + 1;
}

static void take_place(placing *p, uint32_t value)
{
    rg__plan *plan = p->b->plan;
    rg__plan_value *v = &plan->value[value];
    const size_t bytes = aligned(v->bytes > 0 ? v->bytes : 1);
    for (int i = 0; i < p->shelves; i++) {
        shelf *s = &p->shelf[i];
        if (s->bytes < bytes || s->last == 0)
            continue;
        if (s->bytes / WASTE > bytes)
            break;
        const uint32_t from = s->last - 1;
        s->last = p->below[from];
        v->offset = plan->value[from].offset;
        p->held[value] = s->bytes;
        return;
    }
    v->offset = plan->workspace;
    p->held[value] = bytes;
    plan->workspace += bytes;
}

/* The values in the order in which they are written. */
static const uint32_t *by_first_step(rg__build *b)
{
    const rg__plan *plan = b->plan;
    uint32_t *at = rg__build_alloc(b, ((size_t)plan->steps + 2) * sizeof *at);
    uint32_t *order = rg__build_alloc(b, (plan->values + 1) * sizeof *order);
    if (!order)
        return NULL;
    for (uint32_t i = 0; i < plan->values; i++)
        at[plan->value[i].first + 1]++;
    for (int step = 0; step < plan->steps; step++)
        at[step + 1] += at[step];
    for (uint32_t i = 0; i < plan->values; i++)
        order[at[plan->value[i].first]++] = i;
    return order;
}

void rg__place_values(rg__build *b)
{
    rg__plan *plan = b->plan;
    placing p = {.b = b};
    p.below = rg__build_alloc(b, (plan->values + 1) * sizeof *p.below);
    p.also = rg__build_alloc(b, (plan->values + 1) * sizeof *p.also);
    p.held = rg__build_alloc(b, (plan->values + 1) * sizeof *p.held);
    p.ending = rg__build_alloc(b, ((size_t)plan->steps + 1) * sizeof *p.ending);
    const uint32_t *order = by_first_step(b);
    const size_t large = large_size(plan);
    place_large(b, large);
    uint32_t ended = 0; /* steps whose values are free again */
    for (uint32_t k = 0; k < plan->values && !b->failed; k++) {
        const uint32_t i = order[k];
        rg__plan_value *v = &plan->value[i];
        if (v->kind == RG__RETAINED)
            plan->retained += v->bytes;
        if (v->kind != RG__WORK || v->bytes >= large)
            continue;
        for (; ended < v->first; ended++)
            for (uint32_t e = p.ending[ended]; e; e = p.also[e - 1])
                free_place(&p, e - 1);
        take_place(&p, i);
        p.also[i] = p.ending[v->last];
        p.ending[v->last] = i + 1;
    }
}
