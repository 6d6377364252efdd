/* What has to be computed, and what must outlive the run. */
#include "exec/build.h"

#include <string.h>

/* Of a backward pass that is not differentiated again. */
#define FINAL (RG__BACKWARD | RG__CUT)

/* ---- before anything is simplified: what is demanded ---- */

static void ask(rg__build *b, uint32_t id, bool keep)
{
    const uint32_t root = rg__at(b->t, id)->root;
    if (rg__is_missing(rg__at(b->t, root))) {
        b->needed[root] = true;
        b->asked[root] = b->asked[root] || keep;
    }
}

/* Are parameters about to change while values may still be asked for? Then what was fused away may be lost. */
static bool is_followed_by_reads(const rg__build *b)
{
    return !b->demand->last && b->demand->assign && b->t->assigns.count;
}

/* Kept is what nodes that are not run yet read, be it computed now or the parameter's old value. Not for what was recorded
 * for gradients and then not taken: nobody has a handle of it. */
static void keep_for_later_nodes(rg__build *b)
{
    const rg_tape *t = b->t;
    for (uint32_t id = 0; id < t->length; id++) {
        const rg__node *n = rg__at(t, id);
        if ((n->flags & FINAL) == FINAL)
            continue;
        for (int i = 0; i < n->n_in && !b->needed[id] && rg__is_missing(n); i++) {
            const uint32_t root = rg__at(t, n->in[i])->root;
            b->asked[root] = b->asked[root] || b->needed[root];
            b->saved[root] = rg__at(t, root)->op == rg__op_leaf;
        }
    }
}

/* Are the gradients of this part of the tape taken, and parameters updated? Another backward pass through it would read
 * parameters that are gone, so nothing has to stay for it. */
static bool is_whole_step(const rg__build *b)
{
    if (!is_followed_by_reads(b))
        return false;
    for (uint32_t i = b->ordered; i-- > 0;)
        if (b->order[i] < b->t->length && (rg__at(b->t, b->order[i])->flags & FINAL) == FINAL)
            return true;
    return false;
}

/* Every number: losses, norms. */
static bool is_number(const rg__node *n)
{
    return n->numel == 1 && n->n_in > 0;
}

static void allocate(rg__build *b)
{
    b->length = b->t->length;
    b->capacity = b->length + b->length / 4 + 64;
    b->node = rg__build_alloc(b, b->capacity * sizeof *b->node);
    b->origin = rg__build_alloc(b, b->capacity * sizeof *b->origin);
    b->needed = rg__build_alloc(b, b->capacity * sizeof *b->needed);
    b->asked = rg__build_alloc(b, b->capacity * sizeof *b->asked);
    b->fixed = rg__build_alloc(b, b->capacity * sizeof *b->fixed);
    b->saved = rg__build_alloc(b, b->capacity * sizeof *b->saved);
    b->plus = rg__build_alloc(b, b->capacity * sizeof *b->plus);
    b->equal = rg__build_alloc(b, b->capacity * sizeof *b->equal);
    b->seen = rg__build_alloc(b, b->capacity * sizeof *b->seen);
    b->order = rg__build_alloc(b, b->capacity * sizeof *b->order);
    b->order_capacity = b->capacity;
}

void rg__find_needed(rg__build *b)
{
    const rg_tape *t = b->t;
    allocate(b);
    if (b->failed)
        return;
    if (b->demand->wanted != UINT32_MAX)
        ask(b, b->demand->wanted, true);
    for (size_t i = 0; i < t->keeps.count && !b->demand->last; i++)
        ask(b, t->keeps.id[i], true);
    for (size_t i = 0; i < t->assigns.count; i++) {
        const uint32_t value = rg__at(t, t->assigns.id[i])->in[0];
        ask(b, value, false);
        b->fixed[rg__at(t, value)->root] = true;
    }
    for (uint32_t id = t->length; id-- > 0;) {
        const rg__node *n = rg__at(t, id);
        b->node[id] = n;
        b->origin[id] = id;
        for (int i = 0; b->needed[id] && i < n->n_in; i++)
            ask(b, n->in[i], false);
    }
    if (is_followed_by_reads(b))
        keep_for_later_nodes(b);
    for (uint32_t id = 0; id < t->length; id++) {
        b->fixed[id] = b->fixed[id] || b->asked[id] || (is_number(rg__at(t, id)) && is_followed_by_reads(b));
        if (b->needed[id])
            b->order[b->ordered++] = id;
    }
}

/* ---- afterwards: what is still read ---- */

static void need(rg__build *b, uint32_t id)
{
    const uint32_t root = rg__build_node(b, id)->root;
    if (rg__is_missing(rg__build_node(b, root)))
        b->needed[root] = true;
}

/* May a later backward pass need this value, and would it be dear to compute it again? Told by the recorded node: that it
 * is computed in another way makes it no cheaper. */
static bool is_worth_keeping(const rg__build *b, const rg__node *n)
{
    int64_t columns;
    if (n->flags & (RG__PASSING | RG__RESUMED))
        return n->flags & RG__RESUMED;
    const bool cheap = n->op->at_index == RG__PLACES && rg__indexes_rows(b, n, &columns);
    return !(n->flags & RG__CUT) && n->op->kernel && n->n_in > 0 && !cheap;
}

static bool is_constant(const rg__build *b, uint32_t id)
{
    const uint32_t root = b->equal[id] ? rg__build_node(b, b->equal[id] - 1)->root : id;
    return rg__build_node(b, root)->op == rg__op_constant;
}

/* Where nobody reads the value itself any more, what it is equal to stays instead. */
static void keep(rg__build *b, uint32_t id, bool whole_step)
{
    const rg__node *n = rg__at(b->t, id);
    if (!((!whole_step && is_worth_keeping(b, n)) || (is_number(n) && is_followed_by_reads(b))) || is_constant(b, id))
        return;
    const uint32_t kept = b->equal[id] && !b->needed[id] ? rg__build_node(b, b->equal[id] - 1)->root : id;
    if (kept >= b->t->length)
        return;
    if (rg__is_missing(rg__at(b->t, kept)))
        b->needed[kept] = b->asked[kept] = true;
    else if (rg__at(b->t, kept)->op == rg__op_leaf && is_followed_by_reads(b))
        b->saved[kept] = true;
}

void rg__find_read(rg__build *b)
{
    const rg_tape *t = b->t;
    memset(b->needed, 0, b->length * sizeof *b->needed);
    for (uint32_t id = 0; id < t->length; id++)
        b->needed[id] = b->asked[id];
    for (size_t i = 0; i < t->assigns.count; i++)
        need(b, rg__at(t, t->assigns.id[i])->in[0]);
    const bool whole = is_whole_step(b);
    for (uint32_t i = b->ordered; i-- > 0;) {
        const uint32_t id = b->order[i];
        if (id < t->length && !b->demand->last)
            keep(b, id, whole);
        const rg__node *n = rg__build_node(b, id);
        for (int k = 0; b->needed[id] && k < n->n_in; k++)
            need(b, n->in[k]);
    }
}
