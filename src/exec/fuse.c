/* Fusion: gathers nodes into groups that are computed block by block. A group works on a space of rows and columns; a node
 * joins the last group that one of its inputs is in, if it fits that group's space, so that the order of the groups stays
 * an order of execution. */
#include "exec/build.h"

#include "exec/kernels/fold.h"

#include <string.h>

#define MOST_NODES   2048
#define MOST_COLUMNS 65536

/* ---- how operands are read ---- */

uint32_t rg__build_root(const rg__build *b, uint32_t id)
{
    return b->same[rg__build_node(b, id)->root];
}

rg__reading rg__read_as(const rg__build *b, uint32_t operand, int rank, const int64_t *dims)
{
    const rg__node *n = rg__build_node(b, operand);
    rg__reading r = {.kind = RG__READ_ANY};
    int64_t own[RG_MAX_RANK];
    rg__node_strides(n, own);
    rg__broadcast_strides(n->rank, n->dims, own, rank, dims, r.strides);
    const int64_t numel = rg__numel(rank, dims);
    /* From the inside: a run of repeated axes, or of contiguous ones, then the rest. */
    int i = rank - 1;
    int64_t repeated = 1, dense = 1;
    for (; i >= 0 && (dims[i] == 1 || r.strides[i] == 0); i--)
        repeated *= dims[i];
    if (repeated == numel) {
        r.kind = RG__READ_ONE;
        return r;
    }
    for (; i >= 0 && (dims[i] == 1 || r.strides[i] == dense); i--)
        dense *= dims[i];
    if (repeated * dense == numel) {
        r.kind = repeated > 1 ? RG__READ_ROWS : RG__READ_FULL;
        r.columns = repeated;
        r.whole = n->offset == 0 && rg__build_node(b, n->root)->numel == dense;
        return r;
    }
    r.columns = repeated;
    for (; i >= 0 && (dims[i] == 1 || r.strides[i] == 0); i--)
        ;
    if (i < 0 && repeated == 1) {
        r.kind = RG__READ_COLUMNS;
        r.columns = dense;
    }
    return r;
}

/* ---- indices that fit ---- */

bool rg__indexes_rows(const rg__build *b, const rg__node *n, int64_t *columns)
{
    if (n->op->at_index == RG__NOT_INDEXED)
        return false;
    const rg__node *x = rg__build_node(b, n->in[0]), *index = rg__build_node(b, n->in[1]);
    const int axis = rg__op_index_axis(n);
    if (x->rank == 0)
        return false;
    *columns = x->dims[axis];
    for (int i = 0; i < x->rank; i++)
        if (index->dims[i] != (i == axis ? 1 : x->dims[i]) || (i > axis && x->dims[i] != 1))
            return false;
    return *columns > 1 && *columns <= MOST_COLUMNS && x->numel > *columns;
}

/* ---- reductions that fit ---- */

typedef struct reduction {
    bool fits;
    rg__fold fold;
    rg__role role;
    int64_t columns;
} reduction;

static reduction reduction_of(const rg__build *b, const rg__node *n)
{
    reduction r = {.fits = false};
    if (n->op->at_index == RG__PICKS && rg__indexes_rows(b, n, &r.columns)) {
        const rg__node *x = rg__build_node(b, n->in[0]);
        r.fits = rg__read_as(b, n->in[0], x->rank, x->dims).kind == RG__READ_FULL &&
                 rg__read_as(b, n->in[1], n->rank, n->dims).kind == RG__READ_FULL;
        r.role = RG__BY_ROW;
        return r;
    }
    if (n->n_in != 1 || !rg__op_fold(n->op, &r.fold) || !rg__fold_has(r.fold, (rg_dtype)n->dtype))
        return r;
    const rg__node *x = rg__build_node(b, n->in[0]);
    const uint32_t axes = rg__op_axes(n);
    if (x->numel == 0 || rg__read_as(b, n->in[0], x->rank, x->dims).kind != RG__READ_FULL)
        return r;
    int kept_from = 0, reduced_from = x->rank;
    while (kept_from < x->rank && (x->dims[kept_from] == 1 || (axes >> kept_from & 1)))
        kept_from++; /* leading axes that are reduced */
    while (reduced_from > 0 && (x->dims[reduced_from - 1] == 1 || (axes >> (reduced_from - 1) & 1)))
        reduced_from--; /* trailing ones */
    int64_t leading = rg__numel(kept_from, x->dims), trailing = rg__numel(x->rank - reduced_from, x->dims + reduced_from);
    if (n->numel * trailing == x->numel && trailing <= 4096) {
        r = (reduction){true, r.fold, RG__BY_ROW, trailing};
    } else if (n->numel == 1) {
        r = (reduction){true, r.fold, RG__WHOLE, 1}; /* blocks, and so sums, by the number of elements alone */
    } else if (n->numel * trailing == x->numel && trailing <= MOST_COLUMNS) {
        r = (reduction){true, r.fold, RG__BY_ROW, trailing};
    } else if (n->numel * leading == x->numel && n->numel <= MOST_COLUMNS) {
        r = (reduction){true, r.fold, RG__BY_COLUMN, n->numel};
    }
    return r;
}

/* ---- groups ---- */

static bool is_pointwise(const rg__build *b, const rg__node *n)
{
    int64_t columns;
    if (n->op->at_index == RG__PLACES)
        return rg__indexes_rows(b, n, &columns) && rg__read_as(b, n->in[1], n->rank, n->dims).kind == RG__READ_ROWS &&
               rg__read_as(b, n->in[2], n->rank, n->dims).kind == RG__READ_ROWS;
    return rg__op_has_loops(n->op) && !n->op->kernel && n->n_in <= 3;
}

static uint32_t new_group(rg__build *b, bool fused, int64_t numel)
{
    if (b->group_count == b->group_capacity) {
        uint32_t capacity = b->group_capacity ? 2 * b->group_capacity : 64;
        rg__group *more = rg__build_alloc(b, capacity * sizeof *more);
        if (!more)
            return 0;
        if (b->group_count)
            memcpy(more, b->groups, b->group_count * sizeof *more);
        b->groups = more;
        b->group_capacity = capacity;
    }
    b->groups[b->group_count] = (rg__group){.fused = fused, .numel = numel};
    return b->group_count++;
}

static void add_node(rg__build *b, uint32_t group, uint32_t id, rg__role role)
{
    rg__group *g = &b->groups[group];
    if (g->nodes == g->capacity) {
        int capacity = g->capacity ? 2 * g->capacity : 4;
        uint32_t *more = rg__build_alloc(b, (size_t)capacity * sizeof *more);
        if (!more)
            return;
        if (g->nodes)
            memcpy(more, g->node, (size_t)g->nodes * sizeof *more);
        g->node = more;
        g->capacity = capacity;
    }
    g->node[g->nodes++] = id;
    b->group[id] = group;
    b->role[id] = (uint8_t)role;
}

/* The first group that may read the value: the one it is in, or the next if it is there only when that is done. */
static uint32_t available_from(const rg__build *b, uint32_t root)
{
    if (!b->needed[root])
        return 0;
    const uint32_t group = b->group[root];
    const bool inside = b->groups[group].fused && b->role[root] <= RG__BY_ROW;
    return inside ? group : group + 1;
}

/* Is the value computed inside of this group? */
static bool is_inside(const rg__build *b, uint32_t root, uint32_t group)
{
    return b->needed[root] && b->group[root] == group;
}

static bool agree(int64_t *columns, int64_t wanted)
{
    if (*columns == 0 && wanted <= MOST_COLUMNS)
        *columns = wanted;
    return *columns == wanted;
}

/* Can group g read the operands of n, as a full node? Settles the number of columns. */
static bool fits_full(const rg__build *b, const rg__node *n, uint32_t group, int64_t *columns)
{
    int64_t row;
    if (n->op->at_index && (!rg__indexes_rows(b, n, &row) || !agree(columns, row)))
        return false;
    for (int i = 0; i < n->n_in; i++) {
        const uint32_t root = rg__build_root(b, n->in[i]);
        const rg__reading r = rg__read_as(b, n->in[i], n->rank, n->dims);
        const bool inside = is_inside(b, root, group);
        if (!inside) {
            if (r.kind == RG__READ_ROWS || r.kind == RG__READ_COLUMNS)
                agree(columns, r.columns); /* where they do not, they are gathered */
            continue;
        }
        if (b->role[root] == RG__FULL && ((r.kind == RG__READ_FULL && r.whole) || n->numel == 1))
            continue;
        const bool one_row = r.kind == RG__READ_ONE && rg__build_node(b, root)->numel == 1;
        if (b->role[root] == RG__BY_ROW && (one_row || (r.kind == RG__READ_ROWS && r.whole)) &&
            agree(columns, one_row ? n->numel : r.columns))
            continue;
        return false;
    }
    return true;
}

/* The same for operand i of a node with one element a row. */
static bool fits_by_row(const rg__build *b, const rg__node *n, int i, uint32_t group)
{
    const uint32_t root = rg__build_root(b, n->in[i]);
    const rg__reading r = rg__read_as(b, n->in[i], n->rank, n->dims);
    if (!is_inside(b, root, group))
        return true;
    return b->role[root] == RG__BY_ROW && (r.kind == RG__READ_FULL || rg__build_node(b, root)->numel == 1) &&
           (r.whole || r.kind == RG__READ_ONE);
}

static bool all_fit_by_row(const rg__build *b, const rg__node *n, uint32_t group)
{
    bool fit = n->op->at_index == RG__NOT_INDEXED;
    for (int i = 0; i < n->n_in && fit; i++)
        fit = fits_by_row(b, n, i, group);
    return fit;
}

/* Joins if it fits; true if it did. */
static bool join_pointwise(rg__build *b, uint32_t id, uint32_t group)
{
    rg__group *g = &b->groups[group];
    const rg__node *n = rg__build_node(b, id);
    int64_t columns = g->columns;
    if (!g->fused || g->nodes >= MOST_NODES)
        return false;
    if (n->numel == g->numel && fits_full(b, n, group, &columns)) {
        g->columns = columns;
        add_node(b, group, id, RG__FULL);
        return true;
    }
    if (g->columns > 1 && n->numel == g->numel / g->columns && all_fit_by_row(b, n, group)) {
        add_node(b, group, id, RG__BY_ROW);
        return true;
    }
    return false;
}

static bool join_reduction(rg__build *b, uint32_t id, uint32_t group, const reduction *r)
{
    rg__group *g = &b->groups[group];
    const rg__node *n = rg__build_node(b, id), *x = rg__build_node(b, n->in[0]);
    const uint32_t root = rg__build_root(b, n->in[0]);
    int64_t columns = g->columns;
    if (!g->fused || g->nodes >= MOST_NODES || x->numel != g->numel)
        return false;
    if (is_inside(b, root, group) && (b->role[root] != RG__FULL || !rg__read_as(b, n->in[0], x->rank, x->dims).whole))
        return false;
    if (!agree(&columns, r->columns) || (n->n_in > 1 && !fits_by_row(b, n, 1, group)))
        return false;
    g->columns = columns;
    add_node(b, group, id, r->role);
    return true;
}

/* Why a node does not join the group that its inputs come from, in words; NULL where it does. */
static const char *refusal(const rg__build *b, uint32_t id, uint32_t group, bool pointwise)
{
    const rg__node *n = rg__build_node(b, id);
    if (group >= b->group_count || !b->groups[group].fused)
        return NULL;
    const rg__group *g = &b->groups[group];
    const int64_t numel = pointwise ? n->numel : rg__build_node(b, n->in[0])->numel;
    if (g->nodes >= MOST_NODES)
        return "as many nodes as a step may have";
    return numel != g->numel && (g->columns <= 1 || numel != g->numel / g->columns) ? "a reader of another size" : NULL;
}

/* The group for a node whose inputs are available from `floor` on: the last one that an input is in, else the last of all,
 * if that works on the same space; else a new one. */
static void place_node(rg__build *b, uint32_t id, uint32_t floor)
{
    const rg__node *n = rg__build_node(b, id);
    const reduction r = reduction_of(b, n);
    const bool pointwise = is_pointwise(b, n) && n->numel > 0;
    if (!pointwise && !r.fits) {
        for (int i = 0; i < n->n_in; i++) {
            const uint32_t root = rg__build_root(b, n->in[i]);
            if (b->needed[root] && !b->groups[b->group[root]].ended)
                b->groups[b->group[root]].ended = n->op->name;
        }
        const uint32_t group = new_group(b, false, n->numel);
        if (!b->failed)
            add_node(b, group, id, RG__FULL);
        return;
    }
    const uint32_t end = b->group_count, candidate[2] = {floor, end - 1};
    const char *const why = refusal(b, id, floor, pointwise);
    if (floor < end && b->groups[floor].fused && !b->groups[floor].ended)
        b->groups[floor].ended = why;
    for (int i = 0; i < 2 && floor < end; i++)
        if (pointwise ? join_pointwise(b, id, candidate[i]) : join_reduction(b, id, candidate[i], &r))
            return;
    const uint32_t group = new_group(b, true, pointwise ? n->numel : rg__build_node(b, n->in[0])->numel);
    if (b->failed)
        return;
    if (!(pointwise ? join_pointwise(b, id, group) : join_reduction(b, id, group, &r)))
        b->failed = true; /* a new group takes what it was made for */
}

/* Numbers come first, so that they end no group. */
static bool is_number(const rg__node *n)
{
    return n->n_in == 0 && n->numel == 1 && !n->op->random;
}

void rg__form_groups(rg__build *b)
{
    for (uint32_t k = 0; k < b->ordered && !b->failed; k++)
        if (b->needed[b->order[k]] && is_number(rg__build_node(b, b->order[k])))
            place_node(b, b->order[k], 0);
    uint32_t round = 0, round_floor = 0; /* what is computed again begins behind all that was recorded before */
    uint32_t back =
        0; /* the last group of the forward pass: what gradients alone need is not computed earlier, and stored */
    for (uint32_t k = 0; k < b->ordered && !b->failed; k++) {
        const uint32_t id = b->order[k];
        const rg__node *n = rg__build_node(b, id);
        if (!b->needed[id] || is_number(n))
            continue;
        if (n->round && n->round != round) {
            round = n->round;
            round_floor = b->group_count;
        }
        if (!back && (n->flags & RG__BACKWARD) && b->group_count)
            back = b->group_count - 1;
        uint32_t floor = n->round ? round_floor : n->flags & RG__BACKWARD ? back : 0;
        for (int i = 0; i < n->n_in; i++) {
            uint32_t from = available_from(b, rg__build_root(b, n->in[i]));
            floor = from > floor ? from : floor;
        }
        place_node(b, id, floor);
    }
}
