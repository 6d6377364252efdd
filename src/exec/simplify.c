/* Simplification: one walk over the needed nodes in their order, in which each rule is offered each node. The tape is not
 * touched: the build has rewritten nodes beside it. A node that is found to be equal to another is computed only as far as
 * readers remain that are better off with it, or its value is asked for. */
#include "exec/simplify.h"

#include <string.h>

/* ---- adding nodes ---- */

/* The list with more room; as it was when out of memory. */
static void *grown(rg__build *b, void *list, size_t size, uint32_t count, uint32_t capacity)
{
    void *more = rg__build_alloc(b, capacity * size);
    if (more && count)
        memcpy(more, list, count * size);
    return more ? more : list;
}

static bool reserve(rg__build *b)
{
    if (b->length == b->capacity && !b->failed) {
        const uint32_t old = b->capacity, capacity = 2 * old;
#define GROW(list) (b->list = grown(b, b->list, sizeof *b->list, old, capacity))
        GROW(node), GROW(origin), GROW(needed), GROW(asked), GROW(fixed), GROW(saved), GROW(plus), GROW(equal),
            GROW(seen);
#undef GROW
        b->capacity = capacity;
    }
    return !b->failed;
}

static void put_in_order(rg__build *b, uint32_t id)
{
    if (b->ordered == b->order_capacity) {
        b->order = grown(b, b->order, sizeof *b->order, b->ordered, 2 * b->order_capacity);
        if (b->failed)
            return;
        b->order_capacity *= 2;
    }
    b->order[b->ordered++] = id;
}

/* A copy that lasts as long as the build; NULL when out of memory. */
static const rg__node *settled(rg__build *b, const rg__node *node)
{
    enum { FEW = sizeof node->small_in / sizeof *node->small_in };
    rg__node *own = rg__build_alloc(b, sizeof *own);
    if (!own)
        return NULL;
    *own = *node;
    if (node->n_in <= FEW) {
        for (int i = 0; i < node->n_in; i++)
            own->small_in[i] = node->in[i];
        own->in = own->small_in;
    }
    return own;
}

static void *kept(rg__build *b, const void *data, size_t bytes)
{
    void *p = rg__build_alloc(b, bytes);
    if (p && bytes)
        memcpy(p, data, bytes);
    return p;
}

static uint32_t add(rg__build *b, const rg__node *node)
{
    if (!reserve(b))
        return 0;
    const uint32_t id = b->length;
    rg__node own = *node;
    own.data = NULL;
    if (!(own.flags & RG__VIEW))
        own.root = id;
    const rg__node *added = settled(b, &own);
    if (!added)
        return 0;
    b->node[id] = added;
    b->origin[id] = b->looked_at;
    b->length++;
    return id;
}

uint32_t rg__add_node(rg__build *b, const rg__node *like)
{
    rg__node node = *like;
    node.flags &= (uint16_t)~RG__VIEW;
    node.strides = NULL;
    node.offset = 0;
    const uint32_t id = add(b, &node);
    if (b->failed)
        return 0;
    b->needed[id] = true;
    b->plus[id] = rg__gives_no_minus_zero(b, b->node[id]);
    put_in_order(b, id);
    return id;
}

uint32_t rg__add_constant(rg__build *b, rg_dtype dtype, double value)
{
    static const int64_t no_dims[1];
    return rg__add_node(b, &(rg__node){
                               .op = rg__op_constant,
                               .dims = no_dims,
                               .attr = kept(b, &value, sizeof value),
                               .scope = "",
                               .numel = 1,
                               .dtype = (uint8_t)dtype,
                           });
}

uint32_t rg__add_view(rg__build *b, uint32_t root, int rank, const int64_t *dims, const int64_t *strides, int64_t offset)
{
    const rg__node *r = b->node[root];
    const size_t bytes = (size_t)rank * sizeof *dims;
    const bool in_order = rg__is_row_major(rank, dims, strides);
    if (in_order && offset == 0 && !r->strides && rg__dims_equal(rank, dims, r->rank, r->dims))
        return root;
    return add(b, &(rg__node){
                      .op = rg__op_expand,
                      .dims = kept(b, dims, bytes),
                      .strides = in_order ? NULL : kept(b, strides, bytes),
                      .scope = "",
                      .numel = rg__numel(rank, dims),
                      .offset = offset,
                      .root = root,
                      .flags = RG__VIEW,
                      .dtype = r->dtype,
                      .rank = (uint8_t)rank,
                  });
}

uint32_t rg__add_expanded(rg__build *b, uint32_t x, int rank, const int64_t *dims)
{
    const rg__node *n = b->node[x];
    int64_t own[RG_MAX_RANK], strides[RG_MAX_RANK];
    if (rg__dims_equal(n->rank, n->dims, rank, dims))
        return x;
    rg__node_strides(n, own);
    rg__broadcast_strides(n->rank, n->dims, own, rank, dims, strides);
    return rg__add_view(b, n->root, rank, dims, strides, n->offset);
}

void rg__set_arguments(rg__node *node, int n, uint32_t x, uint32_t y)
{
    node->small_in[0] = x;
    node->small_in[1] = y;
    node->in = node->small_in;
    node->n_in = (uint16_t)n;
}

const rg__node *rg__computed_now(const rg__build *b, uint32_t x)
{
    const uint32_t root = b->node[x]->root;
    return b->needed[root] ? b->node[root] : NULL;
}

/* ---- seeing through what is equal ---- */

#define UNSEEN UINT32_MAX /* no strides can say it */

/* x, or the same view of what its root is equal to. */
static uint32_t seen_through(rg__build *b, uint32_t x)
{
    const uint32_t root = b->node[x]->root, equal = b->equal[root];
    if (!equal)
        return x;
    if (!b->seen[x]) {
        uint32_t view;
        const rg__node *r = b->node[root];
        const bool found = rg__view_through(b, x, r->rank, r->dims, equal - 1, &view);
        if (b->failed)
            return x;
        b->seen[x] = found ? 1 + view : UNSEEN;
    }
    return b->seen[x] == UNSEEN ? x : b->seen[x] - 1;
}

/* Are neighbours in the last axis that has any also neighbours in memory, or the same element? */
static bool runs_along_memory(const rg__node *n)
{
    int last = n->rank - 1;
    while (last >= 0 && n->dims[last] == 1)
        last--;
    return !n->strides || last < 0 || (n->strides[last] >= -1 && n->strides[last] <= 1);
}

/* Matrices that a product takes as they are: rows or columns of neighbours. */
static bool is_matrix(const rg__node *n)
{
    const int r = n->rank;
    if (!n->strides || r < 2)
        return !n->strides;
    const int64_t row = n->strides[r - 2], column = n->strides[r - 1];
    return (column == 1 && row >= n->dims[r - 1]) || (row == 1 && column >= n->dims[r - 2]);
}

/* Is the reader no worse off with the view of the original than with x? A copy pays where several read what lies
 * scattered, and kernels other than products are at their best with what lies in order. */
static bool serves(const rg__build *b, const rg__node *reader, uint32_t x, uint32_t view)
{
    const rg__node *v = b->node[view];
    if (!v->strides || reader->op == rg__op_copy)
        return true;
    if (reader->op == rg__op_matmul && !b->node[x]->strides)
        return is_matrix(v);
    if (reader->op->kernel && !b->node[x]->strides)
        return false;
    return runs_along_memory(v) || !runs_along_memory(b->node[x]);
}

/* ---- the walk ---- */

/* The node with its arguments seen through what they are equal to; false where there is nothing to be seen. */
static bool see_arguments(rg__build *b, rg__node *n)
{
    enum { FEW = sizeof n->small_in / sizeof *n->small_in };
    bool any = false;
    for (int i = 0; i < n->n_in; i++)
        any = any || b->equal[b->node[n->in[i]]->root];
    if (!any)
        return false;
    uint32_t *seen = n->n_in <= FEW ? n->small_in : rg__build_alloc(b, n->n_in * sizeof *seen);
    for (int i = 0; i < n->n_in && seen; i++)
        seen[i] = seen_through(b, n->in[i]);
    if (b->failed)
        return false;
    n->in = seen;
    return true;
}

/* Takes those arguments back that are better read as they were recorded; false where none is left. */
static bool choose_arguments(const rg__build *b, rg__node *n, const uint32_t *recorded)
{
    bool any = false;
    uint32_t *in = (uint32_t *)n->in; /* see_arguments made it */
    for (int i = 0; i < n->n_in; i++) {
        if (in[i] != recorded[i] && !serves(b, n, recorded[i], in[i]))
            in[i] = recorded[i];
        any = any || in[i] != recorded[i];
    }
    return any;
}

/* A number in storage of its own. */
static bool make_constant(rg__build *b, rg__node *n, uint32_t equal)
{
    double value;
    if (n->numel != 1 || !rg__is_constant(b, equal, &value))
        return false;
    n->op = rg__op_constant;
    n->attr = kept(b, &value, sizeof value);
    n->n_in = 0;
    return true;
}

static void look_at(rg__build *b, uint32_t id)
{
    static const rg__rule rules[] = {rg__fold_constants, rg__drop_identity, rg__join_casts, rg__fold_repeated,
                                     rg__take_from_table};
    enum { RULES = sizeof rules / sizeof *rules };
    const uint32_t *recorded = b->node[id]->in;
    rg__node n = *b->node[id];
    uint32_t equal = 0;
    bool changed = false;
    rg__verdict verdict = RG__LEFT;
    b->looked_at = id;
    const bool seen = see_arguments(b, &n);
    for (int i = 0; i < RULES && n.numel > 0 && verdict != RG__EQUAL && !b->failed; i++) {
        verdict = rules[i](b, &n, &equal);
        if (verdict != RG__CHANGED)
            continue;
        changed = true;
        i = -1;
    }
    if (verdict == RG__EQUAL && (!b->fixed[id] || n.op == rg__op_copy)) /* what is copied is in memory anyway */
        b->equal[id] = 1 + equal;
    else if (verdict == RG__EQUAL)
        changed = make_constant(b, &n, equal) || changed;
    const rg__node *rewritten = b->node[id];
    if (!b->failed && (changed || (seen && choose_arguments(b, &n, recorded))))
        rewritten = settled(b, &n);
    if (b->failed)
        return;
    b->node[id] = rewritten;
    b->plus[id] = rg__gives_no_minus_zero(b, b->node[id]);
    put_in_order(b, id);
}

void rg__simplify(rg__build *b)
{
    const uint32_t *recorded = b->order, count = b->ordered;
    b->order_capacity = count + count / 4 + 64;
    b->order = rg__build_alloc(b, b->order_capacity * sizeof *b->order);
    b->ordered = 0;
    for (uint32_t i = 0; i < count && !b->failed; i++)
        look_at(b, recorded[i]);
}
