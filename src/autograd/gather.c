/* The sum of the gradients of one tensor. A sequence that is cut into its steps, and a weight that each step multiplies,
 * would have as many gradients as steps, each of the size of the whole: see rg__gather_sum. */
#include "autograd/gather.h"

#include <stdlib.h>

const rg__gathered *rg__gather_add(rg_tape *t, const rg__gathered *list, rg_tensor g)
{
    rg__gathered *more = rg__arena_alloc(&t->arena, sizeof *more);
    if (!more) {
        rg__fail_named(t, "backward", RG_ERROR_MEMORY, "out of memory");
        return NULL;
    }
    *more = (rg__gathered){g, list};
    return more;
}

/* x[0 .. count - 1] joined, which may be more than one node can read; overwrites x. */
static rg_tensor join_all(rg_tape *t, rg_tensor *x, int count, int axis)
{
    while (count > 1) {
        int joined = 0;
        for (int i = 0; i < count; i += UINT16_MAX)
            x[joined++] = rg_cat(t, x + i, count - i < UINT16_MAX ? count - i : UINT16_MAX, axis);
        count = joined;
    }
    return x[0];
}

/* Would a gradient flow through what stands for this node, though none flows through the node itself? */
static bool is_closed(const rg_tape *t, const rg__node *n)
{
    return (n->flags & RG__CUT) && rg_mode_of(t) == RG_GRAD;
}

/* ---- slices ---- */

/* A gradient that is 0 but in one part along one axis. */
typedef struct part {
    rg_tensor inner;
    int axis, index; /* index: among the gradients */
    int64_t first, end;
} part;

static bool part_of(const rg_tape *t, rg_tensor g, part *p)
{
    const rg__node *n = rg__at(t, (uint32_t)g.id);
    if (is_closed(t, n) || !rg__pad_part(n, &p->axis, &p->first))
        return false;
    p->inner = rg__handle(t, n->in[0]);
    p->end = p->first + rg__at(t, n->in[0])->dims[p->axis];
    return true;
}

/* By where they begin, then as they came. */
static int nearer(const void *a, const void *b)
{
    const part *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Of sorted parts the first, and each that begins behind the last one kept, moved to the front; returns how many. */
static int keep_apart(part *p, int count)
{
    int kept = 1;
    for (int i = 1; i < count; i++)
        if (p[i].first >= p[kept - 1].end)
            p[kept++] = p[i];
    return kept;
}

/* Zeros like x, but for the extent of an axis. */
static rg_tensor gap(rg_tape *t, rg_tensor x, int axis, int64_t extent)
{
    rg_shape shape = rg_shape_of(t, x);
    shape.dims[axis] = extent;
    return rg_zeros(t, rg_dtype_of(t, x), shape);
}

/* The parts with zeros between them; piece has room for 2 count + 1. */
static rg_tensor join(rg_tape *t, const part *p, int count, int64_t extent, rg_tensor *piece)
{
    const int axis = p->axis;
    int64_t at = 0;
    int pieces = 0;
    for (int i = 0; i < count; i++) {
        if (p[i].first > at)
            piece[pieces++] = gap(t, p[i].inner, axis, p[i].first - at);
        piece[pieces++] = p[i].inner;
        at = p[i].end;
    }
    if (at < extent)
        piece[pieces++] = gap(t, p->inner, axis, extent - at);
    return join_all(t, piece, pieces, axis);
}

/* Replaces parts among g that do not overlap by one gradient. Returns how many are left, `count` if nothing was replaced. */
static int join_once(rg_tape *t, rg_tensor *g, int count, part *p, rg_tensor *piece)
{
    int parts = 0;
    for (int i = 0; i < count; i++)
        if (part_of(t, g[i], &p[parts]) && p[parts].axis == p[0].axis)
            p[parts++].index = i;
    if (parts < 2)
        return count;
    qsort(p, (size_t)parts, sizeof *p, nearer);
    parts = keep_apart(p, parts);
    if (parts < 2)
        return count;
    const rg_tensor whole = join(t, p, parts, rg_dim(t, g[0], p->axis), piece);
    if (rg_is_nil(whole))
        return count;
    for (int i = 0; i < parts; i++)
        g[p[i].index] = RG_NIL;
    int left = 0;
    for (int i = 0; i < count; i++)
        if (!rg_is_nil(g[i]))
            g[left++] = g[i];
    g[left++] = whole;
    return left;
}

/* A sequence that is read twice, as forwards and backwards, leaves two gradients. */
static int join_parts(rg_tape *t, rg_tensor *g, int count, part *p, rg_tensor *piece)
{
    for (;;) {
        const int left = join_once(t, g, count, p, piece);
        if (left == count)
            return count;
        count = left;
    }
}

/* ---- products ---- */

/* A gradient that is a b, or its transpose. */
typedef struct factors {
    rg_tensor a, b;
    bool transposed;
    int64_t inner;
} factors;

static bool factors_of(const rg_tape *t, rg_tensor g, factors *f)
{
    const rg__node *n = rg__at(t, (uint32_t)g.id), *x = rg__at(t, n->root);
    if (x->op != rg__op_matmul || x->rank != 2 || n->rank != 2 || n->numel != x->numel || n->offset != 0)
        return false;
    f->transposed = n->strides != NULL;
    if (f->transposed && (n->strides[0] != 1 || n->strides[1] != n->dims[0]))
        return false;
    for (const rg__node *view = n; view != x; view = rg__at(t, view->in[0]))
        if (is_closed(t, view))
            return false;
    if (is_closed(t, x) || x->round) /* what is computed again is to go again before the end of the walk */
        return false;
    f->a = rg__handle(t, x->in[0]);
    f->b = rg__handle(t, x->in[1]);
    const rg__node *a = rg__at(t, x->in[0]), *b = rg__at(t, x->in[1]);
    f->inner = b->rank == 2 ? b->dims[0] : -1;
    return a->rank == 2 && b->rank == 2 && a->dims[0] == n->dims[f->transposed] && b->dims[1] == n->dims[!f->transposed];
}

/* Factors side by side along what is summed over, a laid out like its parts. */
static rg_tensor product_of(rg_tape *t, const factors *f, int count, rg_tensor *piece)
{
    const rg__node *first = rg__at(t, (uint32_t)f->a.id);
    const bool columns = first->strides && first->strides[0] == 1;
    for (int i = 0; i < count; i++)
        piece[i] = columns ? rg_transpose(t, f[i].a, 0, 1) : f[i].a;
    rg_tensor a = join_all(t, piece, count, columns ? 0 : 1);
    if (columns)
        a = rg_transpose(t, a, 0, 1);
    for (int i = 0; i < count; i++)
        piece[i] = f[i].b;
    const rg_tensor y = rg_matmul(t, a, join_all(t, piece, count, 0));
    return f->transposed ? rg_transpose(t, y, 0, 1) : y;
}

/* Replaces the products among g by one, where that moves less memory than adding them. */
static int join_products(rg_tape *t, rg_tensor *g, int count, factors *f, rg_tensor *piece)
{
    int products = 0;
    int64_t inner = 0;
    for (int i = count - 1; i >= 0; i--) /* the first step's came last */
        if (factors_of(t, g[i], &f[products]) && f[products].transposed == f[0].transposed)
            inner += f[products++].inner;
    if (products < 3)
        return count;
    const double m = (double)rg_dim(t, g[0], 0), n = (double)rg_dim(t, g[0], 1);
    if ((double)inner * (m + n) > (double)(products - 1) * m * n)
        return count;
    const bool transposed = f[0].transposed;
    const rg_tensor whole = product_of(t, f, products, piece);
    int left = 0;
    factors one;
    for (int i = 0; i < count; i++)
        if (!factors_of(t, g[i], &one) || one.transposed != transposed)
            g[left++] = g[i];
    g[left++] = whole;
    return left;
}

/* ---- the sum ---- */

rg_tensor rg__gather_sum(rg_tape *t, const rg__gathered *list)
{
    if (!list || !list->before)
        return list ? list->g : RG_NIL;
    int count = 0;
    for (const rg__gathered *at = list; at; at = at->before)
        count++;
    const size_t n = (size_t)count, room = sizeof(part) > sizeof(factors) ? sizeof(part) : sizeof(factors);
    const size_t bytes = n * room + (3 * n + 1) * sizeof(rg_tensor);
    char *memory = rg__pool_get(&t->pool, bytes);
    if (!memory) {
        rg__fail_named(t, "backward", RG_ERROR_MEMORY, "out of memory");
        return RG_NIL;
    }
    rg_tensor *g = (rg_tensor *)(void *)(memory + n * room), *piece = g + n;
    for (int i = count - 1; i >= 0; i--, list = list->before)
        g[i] = list->g;
    count = join_parts(t, g, count, (part *)(void *)memory, piece);
    count = join_products(t, g, count, (factors *)(void *)memory, piece);
    rg_tensor sum = g[0];
    for (int i = 1; i < count; i++)
        sum = rg_add(t, sum, g[i]);
    rg__pool_put(&t->pool, memory, bytes);
    return sum;
}
