/* Sums of products of tensors whose axes have names. See contraction.h.
 *
 * Two terms at a time: their indices are those of the batch (in both, needed later), the sum (in both, not needed), the left
 * or the right (in one). Permuted and reshaped to [batch, left, sum] and [batch, sum, right] they are a matrix product. */
#include "ops/contraction.h"

#include <math.h>

static rg__index_set bit(int index)
{
    return (rg__index_set)1 << index;
}

static rg__index_set set_of(const rg__term *x)
{
    rg__index_set set = 0;
    for (int i = 0; i < x->rank; i++)
        set |= bit(x->index[i]);
    return set;
}

/* Indices in the order in which they stand in a term, or in a result. */
typedef struct list {
    int count;
    uint8_t index[2 * RG_MAX_RANK];
} list;

static list members(const rg__term *x, rg__index_set set)
{
    list l = {0};
    for (int i = 0; i < x->rank; i++)
        if (set & bit(x->index[i]))
            l.index[l.count++] = x->index[i];
    return l;
}

static list joined(list a, list b)
{
    for (int i = 0; i < b.count; i++)
        a.index[a.count++] = b.index[i];
    return a;
}

static double size_of(const rg__contraction *c, rg__index_set set)
{
    double size = 1;
    for (; set; set &= set - 1)
        size *= (double)c->extent[__builtin_ctzll(set)];
    return size;
}

/* The product of the extents; -1 where it overflows. */
static int64_t extent_of(const rg__contraction *c, const list *l)
{
    int64_t extent = 1;
    for (int i = 0; i < l->count; i++)
        if (__builtin_mul_overflow(extent, c->extent[l->index[i]], &extent))
            return -1;
    return extent;
}

/* x with its axes in the order of the list, which names each of them. */
static rg_tensor arranged(rg_tape *t, const rg__term *x, const list *l)
{
    rg_axes order = {x->rank, {0}};
    for (int i = 0; i < x->rank; i++)
        for (int k = 0; k < l->count; k++)
            if (l->index[k] == x->index[i])
                order.axis[k] = i;
    return rg_permute(t, x->x, order);
}

/* The same, with an axis of extent 1 for each index of the list that x lacks. */
static rg_tensor aligned(rg_tape *t, const rg__contraction *c, const rg__term *x, const list *l)
{
    const rg__index_set own = set_of(x);
    list there = {0};
    rg_shape shape = {l->count, {0}};
    for (int i = 0; i < l->count; i++) {
        const bool has = own & bit(l->index[i]);
        shape.dims[i] = has ? c->extent[l->index[i]] : 1;
        if (has)
            there.index[there.count++] = l->index[i];
    }
    return rg_reshape(t, arranged(t, x, &there), shape);
}

/* Sums what nothing else needs. */
static rg__term summed(rg_tape *t, rg__term x, rg__index_set needed)
{
    rg_axes axes = {0, {0}};
    rg__term y = {.x = x.x};
    for (int i = 0; i < x.rank; i++)
        if (needed & bit(x.index[i]))
            y.index[y.rank++] = x.index[i];
        else
            axes.axis[axes.count++] = i;
    if (axes.count)
        y.x = rg_sum(t, x.x, axes, false);
    return y;
}

static rg__term failed(void)
{
    return (rg__term){.x = RG_NIL};
}

/* Nothing is summed, or one number for each of the batch is left: element by element. */
static rg__term multiply(rg_tape *t, const rg__contraction *c, const rg__term *x, const rg__term *y, list kept, list sum)
{
    const list all = joined(kept, sum);
    rg__term z = {.rank = kept.count};
    rg_axes axes = {0, {0}};
    for (int i = 0; i < kept.count; i++)
        z.index[i] = kept.index[i];
    for (int i = 0; i < sum.count; i++)
        axes.axis[axes.count++] = kept.count + i;
    z.x = rg_mul(t, aligned(t, c, x, &all), aligned(t, c, y, &all));
    if (axes.count)
        z.x = rg_sum(t, z.x, axes, false);
    return z;
}

static rg__term matrix_product(rg_tape *t, const rg__contraction *c, const rg__term *x, const rg__term *y, list batch,
                               list left, list right, list sum)
{
    const int64_t b = extent_of(c, &batch), m = extent_of(c, &left), n = extent_of(c, &right), k = extent_of(c, &sum);
    const list first = joined(joined(batch, left), sum), second = joined(joined(batch, sum), right);
    const list kept = joined(joined(batch, left), right);
    rg__term z = {.rank = kept.count};
    rg_shape shape = {kept.count, {0}};
    for (int i = 0; i < kept.count; i++) {
        z.index[i] = kept.index[i];
        shape.dims[i] = c->extent[kept.index[i]];
    }
    rg_tensor p = rg_reshape(t, arranged(t, x, &first), batch.count ? RG_SHAPE(b, m, k) : RG_SHAPE(m, k));
    rg_tensor q = rg_reshape(t, arranged(t, y, &second), batch.count ? RG_SHAPE(b, k, n) : RG_SHAPE(k, n));
    z.x = rg_reshape(t, rg_matmul(t, p, q), shape);
    return z;
}

/* x and y as one term, which has what is needed of their indices. */
static rg__term pair(rg_tape *t, const rg__contraction *c, rg__term x, rg__term y, rg__index_set needed)
{
    x = summed(t, x, needed | set_of(&y));
    y = summed(t, y, needed | set_of(&x));
    const rg__index_set in_x = set_of(&x), in_y = set_of(&y), both = in_x & in_y;
    const list batch = members(&x, both & needed), sum = members(&x, both & ~needed);
    const list left = members(&x, in_x & ~both), right = members(&y, in_y & ~both);
    const list kept = joined(joined(batch, left), right);
    const bool by_element = sum.count == 0 || left.count + right.count == 0;
    if (kept.count > RG_MAX_RANK) {
        rg__fail(t, c->op, RG_ERROR_SHAPE, "a product of two operands on the way has %d axes; at most %d are allowed",
                 kept.count, RG_MAX_RANK);
        return failed();
    }
    return by_element ? multiply(t, c, &x, &y, kept, sum) : matrix_product(t, c, &x, &y, batch, left, right, sum);
}

/* What the result and the terms ask for: the result's indices, and those that 1, 2, 3 or more of the terms have. */
typedef struct uses {
    rg__index_set result, once, twice, thrice;
} uses;

static uses uses_of(const rg__contraction *c, const rg__term *terms, int count)
{
    uses u = {0};
    for (int i = 0; i < c->rank; i++)
        u.result |= bit(c->index[i]);
    for (int i = 0; i < count; i++) {
        const rg__index_set set = set_of(&terms[i]);
        u.thrice |= u.twice & set;
        u.twice |= u.once & set;
        u.once |= set;
    }
    return u;
}

/* What of the indices of two of the terms, x and y, the others and the result need. */
static rg__index_set needed_besides(const uses *u, rg__index_set x, rg__index_set y)
{
    return (x | y) & (u->result | u->thrice | (u->twice & ~(x & y)));
}

/* The pair of fewest multiplications, of those whose product has few enough axes; of those equal, the first. */
static void cheapest(const rg__contraction *c, const rg__term *terms, int count, const uses *u, int *a, int *b)
{
    double least = INFINITY;
    for (int i = 0; i < count; i++)
        for (int k = i + 1; k < count; k++) {
            const rg__index_set x = set_of(&terms[i]), y = set_of(&terms[k]);
            const double cost = size_of(c, x | y);
            if (cost < least && __builtin_popcountll(needed_besides(u, x, y)) <= RG_MAX_RANK) {
                least = cost;
                *a = i;
                *b = k;
            }
        }
}

rg_tensor rg__contract(rg_tape *t, const rg__contraction *c, rg__term *terms, int count)
{
    uses u = uses_of(c, terms, count);
    for (int i = 0; i < count; i++)
        terms[i] = summed(t, terms[i], u.result | u.twice);
    for (; count > 1 && !rg_failed(t); count--) {
        int a = 0, b = 1;
        u = uses_of(c, terms, count);
        if (count > 2)
            cheapest(c, terms, count, &u, &a, &b);
        terms[a] = pair(t, c, terms[a], terms[b], needed_besides(&u, set_of(&terms[a]), set_of(&terms[b])));
        for (int i = b; i + 1 < count; i++)
            terms[i] = terms[i + 1];
    }
    if (rg_failed(t))
        return RG_NIL;
    list result = {.count = c->rank};
    for (int i = 0; i < c->rank; i++)
        result.index[i] = c->index[i];
    return arranged(t, &terms[0], &result);
}

rg__term rg__term_fitted(rg_tape *t, const rg__contraction *c, rg__term x)
{
    const rg_shape shape = rg_shape_of(t, x.x);
    rg_axes axes = {0, {0}};
    rg__term y = {.x = x.x};
    for (int i = 0; i < x.rank; i++)
        if (shape.dims[i] == 1 && c->extent[x.index[i]] != 1)
            axes.axis[axes.count++] = i;
        else
            y.index[y.rank++] = x.index[i];
    if (axes.count)
        y.x = rg_squeeze(t, x.x, axes);
    return y;
}
