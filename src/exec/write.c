/* Writes the steps of a plan: a group of one kernel as it is, a fused one as a program over blocks. */
#include "exec/write.h"

uint32_t rg__value_of(rg__writer *w, uint32_t root)
{
    rg__plan *plan = w->b->plan;
    if (!w->value[root]) {
        const rg__node *n = rg__build_node(w->b, root);
        const size_t bytes = (size_t)n->numel * rg_dtype_size((rg_dtype)n->dtype);
        rg__place_kind kind = RG__WORK;
        if (!w->b->needed[root])
            kind = RG__GIVEN;
        else if (w->b->assign_node[root])
            kind = RG__IN_PLACE;
        else if (w->b->asked[root] || (w->b->assigned[root] && !w->b->demand->last))
            kind = RG__RETAINED;
        plan->value[plan->values] =
            (rg__plan_value){.node = root, .kind = kind, .bytes = bytes, .first = w->step, .reader = w->node};
        if (kind == RG__IN_PLACE)
            plan->value[plan->values].offset = w->b->assign_node[root] - 1;
        w->value[root] = ++plan->values;
    }
    rg__plan_value *v = &plan->value[w->value[root] - 1];
    v->last = w->step;
    return w->value[root] - 1;
}

static void write_kernel(rg__writer *w, uint32_t id)
{
    w->node = w->b->origin[id];
    const rg__node *n = rg__build_node(w->b, id);
    rg__step *step = &w->b->plan->step[w->step];
    uint32_t *in = rg__plan_alloc(w->b, (size_t)n->n_in * sizeof *in);
    if (!in)
        return;
    for (int i = 0; i < n->n_in; i++)
        in[i] = rg__value_of(w, rg__build_root(w->b, n->in[i]));
    *step = (rg__step){.node = w->node, .out = rg__value_of(w, id), .in = in, .n_in = n->n_in, .nodes = 1};
    rg__bring_along(w->b, step, id);
}

static uint32_t round_of(const rg__build *b, const rg__group *group)
{
    uint32_t round = 0;
    for (int i = 0; i < group->nodes; i++) {
        const uint32_t of = rg__build_node(b, group->node[i])->round;
        round = of > round ? of : round;
    }
    return round;
}

/* The leaves to be copied: those of the parameters that are assigned. */
static void write_saves(rg__build *b)
{
    b->plan->save = rg__plan_alloc(b, (b->t->assigns.count + 1) * sizeof *b->plan->save);
    for (uint32_t id = 0; id < b->t->length && !b->failed; id++) {
        const rg__node *n = rg__at(b->t, id);
        if (!b->saved[id] || n->n_in || n->data)
            continue;
        bool assigned = false;
        for (size_t i = 0; i < b->t->assigns.count && !assigned; i++)
            assigned = rg__at(b->t, b->t->assigns.id[i])->slot.param == n->slot.param;
        if (assigned && b->plan->saves < (int)b->t->assigns.count)
            b->plan->save[b->plan->saves++] = id;
    }
}

void rg__write_steps(rg__build *b)
{
    const uint32_t length = b->length;
    rg__plan *plan = b->plan;
    rg__writer w = {.b = b};
    uint32_t most = 0; /* values: every needed node and what it reads */
    for (uint32_t k = 0; k < b->ordered; k++)
        if (b->needed[b->order[k]])
            most += 1 + rg__build_node(b, b->order[k])->n_in;
    most += (uint32_t)b->t->assigns.count;
    w.value = rg__build_alloc(b, length * sizeof *w.value);
    w.operand = rg__build_alloc(b, length * sizeof *w.operand);
    w.uses = rg__build_alloc(b, length * sizeof *w.uses);
    w.reader = rg__build_alloc(b, length * sizeof *w.reader);
    w.put_off = rg__build_alloc(b, length * sizeof *w.put_off);
    b->assigned = rg__build_alloc(b, length * sizeof *b->assigned);
    plan->value = rg__plan_alloc(b, most * sizeof *plan->value);
    plan->step = rg__plan_alloc(b, b->group_count * sizeof *plan->step);
    if (b->failed)
        return;
    for (size_t i = 0; i < b->t->assigns.count; i++)
        b->assigned[rg__build_root(b, rg__at(b->t, b->t->assigns.id[i])->in[0])] = true;
    for (uint32_t group = 0; group < b->group_count && !b->failed; group++) {
        if (b->groups[group].fused)
            rg__write_fused(&w, group);
        else
            write_kernel(&w, b->groups[group].node[0]);
        plan->step[w.step].round = round_of(b, &b->groups[group]);
        const rg__fused *f = plan->step[w.step].fused;
        if (!f || f->instructions > 0) /* else others compute all of it themselves */
            w.step++;
    }
    plan->steps = (int)w.step;
    if (!b->demand->assign)
        return;
    write_saves(b);
    plan->assign = rg__plan_alloc(b, b->t->assigns.count * sizeof *plan->assign);
    plan->assigned = rg__plan_alloc(b, b->t->assigns.count * sizeof *plan->assigned);
    for (size_t i = 0; i < b->t->assigns.count && !b->failed; i++) {
        plan->assign[i] = b->t->assigns.id[i];
        plan->assigned[i] = rg__value_of(&w, rg__build_root(b, rg__at(b->t, b->t->assigns.id[i])->in[0]));
        plan->assigns++;
    }
}
