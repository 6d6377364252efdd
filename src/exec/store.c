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
 * what is far smaller, as a number a row. That array must still be what it was: a parameter may have been overwritten by then. last: the group that
 * reads a value last, by id. */
static bool is_cheap(const rg__build *b, uint32_t id, const uint32_t *last)
{
    const rg__node *n = rg__build_node(b, id);
    int arrays = 0;
    if (n->op->kernel || n->n_in == 0 || b->role[id] != RG__FULL ||
        rg__vector_loop(n->op, (rg_dtype)rg__build_node(b, n->in[n->n_in - 1])->dtype))
        return false;
    for (int i = 0; i < n->n_in; i++) {
        const uint32_t root = rg__build_root(b, n->in[i]);
        if (b->needed[root] ? !b->stored[root] : rg__build_node(b, root)->op == rg__op_leaf && b->demand->assign)
            return false;
        if (rg__build_node(b, root)->numel <= n->numel / SMALL)
            continue;
        if (b->needed[root] && !b->asked[root] && last[root] + SLACK < last[id])
            return false;
        arrays++;
    }
    return arrays <= 1;
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
}
