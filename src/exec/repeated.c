/* Reductions of what is repeated: along an axis whose elements are all the same one, a sum is a product with their number,
 * and the largest of them, say, is any. */
#include "exec/simplify.h"

#include <string.h>

/* An operand without the reduced axes along which it is repeated. */
typedef struct remains {
    int rank;
    int64_t dims[RG_MAX_RANK], strides[RG_MAX_RANK];
    uint32_t axes;   /* those that are still to be reduced, as bits */
    int64_t reduced; /* elements along them                         */
    int64_t count;   /* how often each element is there             */
} remains;

static remains without_repeated(const rg__node *x, uint32_t axes)
{
    remains r = {.reduced = 1, .count = 1};
    int64_t strides[RG_MAX_RANK];
    rg__node_strides(x, strides);
    for (int i = 0; i < x->rank; i++) {
        const bool gone = axes >> i & 1;
        if (gone && (x->dims[i] == 1 || strides[i] == 0)) {
            r.count *= x->dims[i];
            continue;
        }
        if (gone) {
            r.axes |= 1u << r.rank;
            r.reduced *= x->dims[i];
        }
        r.dims[r.rank] = x->dims[i];
        r.strides[r.rank++] = strides[i];
    }
    return r;
}

/* Can the dtype multiply by it as if it had added so often? */
static bool counts(rg_dtype dtype, int64_t count)
{
    switch (dtype) {
    case RG_F32: return count <= 1 << 30 && (int64_t)(float)count == count;
    case RG_I32: return count <= INT32_MAX;
    default: return count <= INT64_C(1) << 53;
    }
}

/* What is left of x where nothing is still to be reduced, in the shape of the result. */
static uint32_t in_shape(rg__build *b, const rg__node *x, uint32_t axes, const rg__node *n)
{
    int64_t old[RG_MAX_RANK], strides[RG_MAX_RANK];
    const bool keepdim = n->rank == x->rank;
    int rank = 0;
    rg__node_strides(x, old);
    for (int i = 0; i < x->rank; i++) {
        const bool gone = axes >> i & 1;
        if (!gone || keepdim)
            strides[rank++] = gone ? 0 : old[i];
    }
    return rg__add_view(b, x->root, rank, n->dims, strides, x->offset);
}

/* n with other axes, of what is left of x. */
static void reduce(rg__build *b, rg__node *n, const rg__node *x, const remains *r)
{
    void *attr = rg__build_alloc(b, n->op->attr_size);
    if (!attr)
        return;
    memcpy(attr, n->attr, n->op->attr_size);
    rg__op_set_axes(attr, r->axes);
    n->attr = attr;
    rg__set_arguments(n, 1, rg__add_view(b, x->root, r->rank, r->dims, r->strides, x->offset), 0);
}

static void become(rg__node *n, const rg__op *op, uint32_t x, uint32_t y)
{
    n->op = op;
    n->attr = NULL;
    rg__set_arguments(n, 2, x, y);
}

/* The sum of `count` times x, which has the shape of n. A sum begins with 0, and so never is -0.0. */
static rg__verdict multiply(rg__build *b, rg__node *n, uint32_t x, int64_t count, uint32_t *equal)
{
    const rg_dtype dtype = (rg_dtype)n->dtype;
    const bool plus = rg__has_no_minus_zero(b, x);
    if (count == 1 && plus) {
        *equal = x;
        return RG__EQUAL;
    }
    if (count == 1)
        return RG__LEFT;
    const uint32_t number = rg__add_constant(b, dtype, (double)count);
    become(n, rg__op_mul, x, number);
    if (!plus) {
        const uint32_t product = rg__add_node(b, n);
        become(n, rg__op_add, product, rg__add_constant(b, dtype, 0));
    }
    return RG__CHANGED;
}

rg__verdict rg__fold_repeated(rg__build *b, rg__node *n, uint32_t *equal)
{
    const bool sum = n->op == rg__op_sum, picks = n->op->kernel && n->op->laws && n->op->laws->idempotent;
    const rg__node *x = n->n_in ? rg__build_node(b, n->in[0]) : NULL;
    if ((!sum && !picks) || x->numel == 0)
        return RG__LEFT;
    const uint32_t axes = rg__op_axes(n);
    const remains r = without_repeated(x, axes);
    if ((r.reduced > 1 && r.count == 1) || (sum && !counts((rg_dtype)n->dtype, r.count)))
        return RG__LEFT;
    if (r.reduced == 1) {
        const uint32_t left = in_shape(b, x, axes, n);
        if (sum && !b->failed)
            return multiply(b, n, left, r.count, equal);
        *equal = left;
        return RG__EQUAL;
    }
    if (!sum) {
        reduce(b, n, x, &r);
        return RG__CHANGED;
    }
    rg__node rest = *n;
    reduce(b, &rest, x, &r);
    const uint32_t less = rg__add_node(b, &rest);
    become(n, rg__op_mul, less, rg__add_constant(b, (rg_dtype)n->dtype, (double)r.count));
    return RG__CHANGED;
}
