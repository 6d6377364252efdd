/* Assignments without a copy: the group that computes a parameter's new value writes it over the old one, where nothing
 * reads the old one afterwards and nothing that can fail comes after. */
#include "exec/build.h"

#include "autograd/params.h"

/* Who reads the stored value of a leaf; and where a node stands. */
typedef struct readers {
    uint32_t group;     /* 1 + the last group that reads it                                */
    uint32_t odd_group; /* 1 + the last that reads it other than position by position      */
    uint32_t node;      /* the place of the last node in the order of execution, from 1    */
    uint32_t at;        /* the place of this node itself                                   */
} readers;

static bool position_by_position(const rg__build *b, const rg__node *n, int i)
{
    const rg__node *x = n->op->kernel ? rg__build_node(b, n->in[0]) : n;
    const rg__reading r = rg__read_as(b, n->in[i], x->rank, x->dims);
    return (r.kind == RG__READ_FULL && r.whole) || (r.kind == RG__READ_ONE && x->numel == 1);
}

static readers *find_readers(rg__build *b)
{
    readers *list = rg__build_alloc(b, b->length * sizeof *list);
    for (uint32_t k = 0; list && k < b->ordered; k++) {
        const uint32_t id = b->order[k];
        const rg__node *n = rg__build_node(b, id);
        list[id].at = k + 1;
        for (int i = 0; b->needed[id] && i < n->n_in; i++) {
            const uint32_t root = rg__build_root(b, n->in[i]), group = b->group[id] + 1;
            readers *r = &list[root];
            r->group = group > r->group ? group : r->group;
            r->node = k + 1;
            if ((!b->groups[b->group[id]].fused || !position_by_position(b, n, i)) && group > r->odd_group)
                r->odd_group = group;
        }
    }
    return list;
}

/* 1 + the last group that may fail: by a kernel, or by an index that a fused step reads. */
static uint32_t last_that_may_fail(const rg__build *b)
{
    for (uint32_t group = b->group_count; group > 0; group--)
        for (int i = 0; i < b->groups[group - 1].nodes; i++)
            if (rg__build_node(b, b->groups[group - 1].node[i])->op->fallible)
                return group;
    return 0;
}

static bool is_leaf_of(const rg__build *b, uint32_t id, const rg_param *p)
{
    const rg__node *n = rg__at(b->t, id);
    return n->op == rg__op_leaf && n->n_in == 0 && n->slot.param == p;
}

static bool is_free(const rg__build *b, const readers *list, uint32_t value, const rg_param *p)
{
    const uint32_t group = b->group[value] + 1;
    for (uint32_t id = 0; id < b->t->length; id++) {
        if (!is_leaf_of(b, id, p) || list[id].group == 0)
            continue;
        if (list[id].group > group || list[id].odd_group >= group ||
            (list[id].group == group && list[id].node > list[value].at))
            return false;
    }
    return true;
}

void rg__assign_in_place(rg__build *b)
{
    const rg_tape *t = b->t;
    readers *list = b->demand->assign && t->assigns.count ? find_readers(b) : NULL;
    const uint32_t safe_from = list ? last_that_may_fail(b) : 0;
    for (size_t i = 0; list && i < t->assigns.count; i++) {
        const uint32_t id = t->assigns.id[i], in = rg__at(t, id)->in[0], value = rg__build_root(b, in);
        const rg__node *n = rg__at(t, in), *v = rg__build_node(b, value);
        const rg_param *p = rg__at(t, id)->slot.param;
        bool once = true;
        for (size_t k = 0; k < t->assigns.count; k++)
            once = once && (k == i || (rg__at(t, t->assigns.id[k])->slot.param != p &&
                                       rg__build_root(b, rg__at(t, t->assigns.id[k])->in[0]) != value));
        if (once && b->needed[value] && !b->asked[value] && !n->strides && n->offset == 0 && n->numel == v->numel &&
            b->groups[b->group[value]].fused && b->role[value] == RG__FULL && b->group[value] >= safe_from &&
            is_free(b, list, value, p)) {
            b->assign_node[value] = id + 1;
            for (uint32_t leaf = 0; leaf < t->length; leaf++)
                b->overwritten[leaf] = b->overwritten[leaf] || is_leaf_of(b, leaf, p);
        }
    }
}
