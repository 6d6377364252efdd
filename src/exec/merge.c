/* Common sub-expressions: of nodes that compute the same from the same, one is computed. What a checkpoint computes again
 * stays apart: its values are not to be kept from the first time. */
#include "exec/build.h"

#include "core/hash.h"

#include <string.h>

static uint64_t hash_of(const rg__build *b, const rg__node *n)
{
    uint64_t h = rg__hash64(&n->op, sizeof n->op, n->dtype + ((uint64_t)n->round << 8));
    h = rg__hash64(n->dims, n->rank * sizeof *n->dims, h);
    if (n->op->attr_size)
        h = rg__hash64(n->attr, n->op->attr_size, h);
    for (int i = 0; i < n->n_in; i++) {
        const rg__node *in = rg__build_node(b, n->in[i]);
        const uint64_t what[3] = {b->same[in->root], (uint64_t)in->offset, in->rank};
        h = rg__hash64(what, sizeof what, h);
    }
    return h;
}

static bool same_operand(const rg__build *b, const rg__node *x, const rg__node *y)
{
    int64_t sx[RG_MAX_RANK], sy[RG_MAX_RANK];
    if (b->same[x->root] != b->same[y->root] || x->offset != y->offset ||
        !rg__dims_equal(x->rank, x->dims, y->rank, y->dims))
        return false;
    rg__node_strides(x, sx);
    rg__node_strides(y, sy);
    return memcmp(sx, sy, x->rank * sizeof *sx) == 0;
}

static bool same_node(const rg__build *b, const rg__node *x, const rg__node *y)
{
    if (x->op != y->op || x->n_in != y->n_in || x->dtype != y->dtype || x->round != y->round ||
        !rg__dims_equal(x->rank, x->dims, y->rank, y->dims) ||
        (x->op->attr_size && memcmp(x->attr, y->attr, x->op->attr_size) != 0))
        return false;
    for (int i = 0; i < x->n_in; i++)
        if (!same_operand(b, rg__build_node(b, x->in[i]), rg__build_node(b, y->in[i])))
            return false;
    return true;
}

/* Draws and scalars have values of their own. */
static bool has_own_value(const rg__node *n)
{
    return n->op->random || (n->n_in == 0 && n->op->attr_size == 0);
}

/* Assigned are values of the tape, and that they stay. */
static bool may_stand_for(const rg__build *b, uint32_t other, uint32_t id)
{
    return other < b->t->length || !b->fixed[id];
}

void rg__merge_same(rg__build *b)
{
    size_t capacity = 16;
    while (capacity < 2 * (size_t)b->ordered)
        capacity *= 2;
    uint32_t *table = rg__build_alloc(b, capacity * sizeof *table); /* 1 + id */
    for (uint32_t id = 0; id < b->length; id++)
        b->same[id] = id;
    for (uint32_t k = 0; table && k < b->ordered; k++) {
        const uint32_t id = b->order[k];
        const rg__node *n = rg__build_node(b, id);
        if (!b->needed[id] || b->asked[id] || has_own_value(n))
            continue;
        for (size_t i = hash_of(b, n);; i++) {
            uint32_t *slot = &table[i & (capacity - 1)];
            if (*slot == 0) {
                *slot = id + 1;
                break;
            }
            if (same_node(b, rg__build_node(b, *slot - 1), n) && may_stand_for(b, *slot - 1, id)) {
                b->same[id] = *slot - 1;
                b->needed[id] = false;
                break;
            }
        }
    }
}
