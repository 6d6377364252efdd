/* Which values go to memory: those that another group reads, unless it is cheaper to compute them there again. */
#include "exec/build.h"

#include "exec/kernels/vector.h"

#define SMALL 64 /* times smaller than the value: an operand that costs no memory, nor time to read, to speak of */
#define SLACK 2  /* groups by which an array may live longer so that another need not be stored */

/* Does the group of `reader` go through input i of it position by position, in the same space as that was computed in? */
static bool in_same_space(const rg__build *b, uint32_t reader, int i)
{
    const rg__node *n = rg__build_node(b, reader);
    const uint32_t root = rg__build_root(b, n->in[i]);
    const rg__group *from = &b->groups[b->group[root]], *to = &b->groups[b->group[reader]];
    if (!from->fused || !to->fused || from->numel != to->numel || from->columns != to->columns)
        return false;
    if ((n->op->kernel && i > 0) || (!n->op->kernel && b->role[reader] != RG__FULL))
        return false;
    const rg__node *space = n->op->kernel ? rg__build_node(b, n->in[0]) : n;
    const rg__reading r = rg__read_as(b, n->in[i], space->rank, space->dims);
    return r.kind == RG__READ_FULL && r.whole;
}

/* Cheap: an element-wise op that is a few instructions, of one array that is in memory about as long anyway, and of
 * what is far smaller, as a number a row. That array must still be what it was: a parameter may have been overwritten by
 * then. last: the group that reads a value last, by id. */
static bool is_cheap(const rg__build *b, uint32_t id, const uint32_t *last)
{
    const rg__node *n = rg__build_node(b, id);
    int arrays = 0;
    if (n->op->kernel || n->n_in == 0 || b->role[id] != RG__FULL ||
        rg__vector_loop(n->op, (rg_dtype)rg__build_node(b, n->in[n->n_in - 1])->dtype))
        return false;
    for (int i = 0; i < n->n_in; i++) {
        const uint32_t root = rg__build_root(b, n->in[i]);
        if (b->needed[root] ? !b->stored[root] : b->overwritten[root])
            return false;
        if (rg__build_node(b, root)->numel <= n->numel / SMALL)
            continue;
        if (b->needed[root] && !b->asked[root] && last[root] + SLACK < last[id])
            return false;
        arrays++;
    }
    return arrays <= 1;
}

/* ---- several values that are functions of one ---- */

#define CHAIN    12        /* the most that computing a value again may cost: 1 for a few instructions, */
#define FUNCTION 6         /* and so much for a function, */
#define LARGE    (1 << 20) /* which pays where writing and reading go to memory: from so many elements on */

/* The ways from a value back to what it is a function of, all in its group. */
typedef struct chain {
    const rg__build *b;
    const uint32_t *last;
    const bool *open; /* stored so far, but it may yet be computed again */
    uint32_t of;      /* the value                                                        */
    uint32_t entry;   /* the one node that all ways begin with; UINT32_MAX for none so far */
    int cost;         /* of the ops behind it; more than CHAIN: there is no such chain     */
} chain;

static bool is_small(const chain *c, uint32_t root)
{
    return rg__build_node(c->b, root)->numel <= rg__build_node(c->b, c->of)->numel / SMALL;
}

/* Is it there when the last reader of the value is computed, or does it cost nothing to have it there? */
static bool is_there(const chain *c, uint32_t root)
{
    const rg__build *b = c->b;
    if (!b->needed[root])
        return !b->overwritten[root];
    return b->stored[root] && !c->open[root] &&
           (b->asked[root] || is_small(c, root) || c->last[root] + SLACK >= c->last[c->of]);
}

static void trace(chain *c, uint32_t id)
{
    const rg__build *b = c->b;
    const rg__node *n = rg__build_node(b, id), *of = rg__build_node(b, c->of);
    const bool function = n->n_in > 0 && rg__vector_loop(n->op, (rg_dtype)rg__build_node(b, n->in[n->n_in - 1])->dtype);
    if (n->op->kernel || n->n_in == 0 || b->role[id] != RG__FULL || b->group[id] != b->group[c->of] ||
        n->numel != of->numel || (function && n->numel < LARGE)) {
        c->cost = CHAIN + 1;
        return;
    }
    bool begins = false; /* an array that will be gone */
    for (int i = 0; i < n->n_in; i++) {
        const uint32_t root = rg__build_root(b, n->in[i]);
        const bool inside = b->needed[root] && b->group[root] == b->group[id] && (!b->stored[root] || c->open[root]);
        if (!is_there(c, root) && (is_small(c, root) || !inside))
            begins = true;
    }
    if (begins) {
        c->cost += id == c->of || (c->entry != UINT32_MAX && c->entry != id) ? CHAIN + 1 : 0;
        c->entry = id;
        return;
    }
    c->cost += function ? FUNCTION : 1;
    for (int i = 0; i < n->n_in && c->cost <= CHAIN; i++) {
        const uint32_t root = rg__build_root(b, n->in[i]);
        if (!is_there(c, root))
            trace(c, root);
        else if (!is_small(c, root))
            c->cost = CHAIN + 1; /* two arrays to read instead of one */
    }
}

static chain chain_of(const rg__build *b, uint32_t id, const uint32_t *last, const bool *open)
{
    chain c = {b, last, open, id, UINT32_MAX, 0};
    trace(&c, id);
    if (c.entry == UINT32_MAX)
        c.cost = CHAIN + 1;
    return c;
}

static void compute_again(rg__build *b, uint32_t id, uint32_t entry)
{
    if (id == entry || b->group[id] != b->group[entry] || !b->needed[id] || b->role[id] != RG__FULL)
        return;
    const rg__node *n = rg__build_node(b, id);
    b->again[id] = true;
    for (int i = 0; i < n->n_in; i++) {
        const uint32_t root = rg__build_root(b, n->in[i]);
        if (b->needed[root] && !b->stored[root])
            compute_again(b, root, entry);
    }
}

/* Where others read several values that one is enough to compute, that one is stored. */
static void store_entries(rg__build *b, const bool *elsewhere, const bool *otherwise, const uint32_t *last)
{
    uint16_t *votes = rg__build_alloc(b, b->length * sizeof *votes);
    uint32_t *entry = rg__build_alloc(b, b->length * sizeof *entry);
    bool *open = rg__build_alloc(b, b->length * sizeof *open);
    if (b->failed)
        return;
    for (uint32_t k = 0; k < b->ordered; k++) {
        const uint32_t id = b->order[k];
        open[id] = b->needed[id] && elsewhere[id] && !otherwise[id] && !b->asked[id] && !b->again[id];
    }
    for (uint32_t k = 0; k < b->ordered; k++) {
        const uint32_t id = b->order[k];
        const chain c = open[id] ? chain_of(b, id, last, open) : (chain){.cost = CHAIN + 1};
        entry[id] = c.cost <= CHAIN ? c.entry + 1 : 0;
        if (entry[id] && votes[c.entry] < UINT16_MAX)
            votes[c.entry]++;
    }
    for (uint32_t k = 0; k < b->ordered; k++) {
        const uint32_t id = b->order[k];
        if (!open[id] || !entry[id] || votes[entry[id] - 1] < 2)
            continue;
        b->stored[entry[id] - 1] = true;
        b->stored[id] = false;
    }
    for (uint32_t k = 0; k < b->ordered; k++) {
        const uint32_t id = b->order[k];
        if (open[id] && entry[id] && votes[entry[id] - 1] >= 2)
            compute_again(b, id, entry[id] - 1);
    }
}

void rg__settle_stored(rg__build *b)
{
    const rg_tape *t = b->t;
    b->stored = rg__build_alloc(b, b->length * sizeof *b->stored);
    b->again = rg__build_alloc(b, b->length * sizeof *b->again);
    bool *elsewhere = rg__build_alloc(b, b->length * sizeof *elsewhere); /* others read it, in the same space */
    bool *otherwise = rg__build_alloc(b, b->length * sizeof *otherwise); /* others read it in other ways      */
    uint32_t *last = rg__build_alloc(b, b->length * sizeof *last);
    if (b->failed)
        return;
    for (size_t i = 0; i < t->assigns.count; i++)
        otherwise[rg__build_root(b, rg__at(t, t->assigns.id[i])->in[0])] = true;
    for (uint32_t k = 0; k < b->ordered; k++) {
        const uint32_t id = b->order[k];
        const rg__node *n = rg__build_node(b, id);
        for (int i = 0; i < n->n_in && b->needed[id]; i++) {
            const uint32_t root = rg__build_root(b, n->in[i]);
            if (b->group[id] > last[root])
                last[root] = b->group[id];
            if (b->needed[root] && b->group[root] != b->group[id])
                *(in_same_space(b, id, i) ? &elsewhere[root] : &otherwise[root]) = true;
        }
    }
    for (uint32_t k = 0; k < b->ordered; k++) {
        const uint32_t id = b->order[k];
        if (!b->needed[id])
            continue;
        b->stored[id] = otherwise[id] || b->asked[id] || !b->groups[b->group[id]].fused || b->role[id] > RG__BY_ROW;
        b->again[id] = elsewhere[id] && !b->stored[id] && is_cheap(b, id, last);
        b->stored[id] = b->stored[id] || (elsewhere[id] && !b->again[id]);
    }
    store_entries(b, elsewhere, otherwise, last);
}
