/* Plans as numbers and as text. See retrograd/plan.h. */
#include "exec/plan.h"

#include <retrograd/plan.h>

#include <inttypes.h>

static rg__plan *pending_plan(rg_tape *t)
{
    if (rg_failed(t) || t->eager)
        return NULL;
    return rg__plan_for(t, &(rg__demand){UINT32_MAX, true, false});
}

rg_tape_counts rg_tape_stats(const rg_tape *t)
{
    rg_tape_counts c = {0};
    if (!t)
        return c;
    return (rg_tape_counts){
        .nodes = t->length,
        .plans = (int64_t)t->made,
        .cached = t->plans,
        .hits = (int64_t)t->hits,
        .runs = (int64_t)t->runs,
        .bytes = (int64_t)(t->pool.bytes + t->workspace_bytes),
        .planning = t->planning,
        .running = t->running,
        .recording = t->recording,
    };
}

bool rg_plan_stats(rg_tape *t, rg_plan_counts *counts)
{
    if (!counts)
        return false;
    *counts = (rg_plan_counts){0};
    const rg__plan *plan = pending_plan(t);
    if (!plan)
        return !rg_failed(t);
    counts->steps = plan->steps;
    for (int i = 0; i < plan->steps; i++) {
        counts->fused += plan->step[i].fused != NULL;
        counts->waves += plan->step[i].wave > 0;
        counts->epilogues += plan->step[i].strip > 0;
        counts->nodes += plan->step[i].nodes;
    }
    counts->values = (int64_t)plan->workspace;
    counts->scratch = (int64_t)(plan->scratch * (size_t)t->threads + plan->partial);
    counts->retained = (int64_t)plan->retained;
    for (int i = 0; i < plan->assigns; i++)
        counts->in_place += plan->value[plan->assigned[i]].kind == RG__IN_PLACE;
    return true;
}

/* ---- text ---- */

/* Nodes that the planner added have numbers from the tape's length on. */
static void print_operand(const rg__plan *plan, const rg__operand *o, FILE *out)
{
    if (o->kind == RG__SLOT)
        fprintf(out, " s%" PRIu32, o->at / RG__ALIGN);
    else
        fprintf(out, " %%%" PRIu32 "%s", plan->value[o->at].node,
                o->kind == RG__ROWS_OF ? "[rows]"
                : o->one               ? "[one]"
                                       : "");
}

static void print_instruction(const rg__plan *plan, const rg__instruction *k, FILE *out)
{
    static const char *const names[] = {
        [RG__REPEAT] = "repeat",
        [RG__GATHER] = "gather",
        [RG__FOLD_ROW] = "fold row",
        [RG__FOLD_COLUMN] = "fold column",
        [RG__FOLD_ALL] = "fold all",
        [RG__PICK] = "pick",
        [RG__FOLD_PRODUCTS] = "fold products",
        [RG__PLACE] = "place",
    };
    fprintf(out, "        %-12s", k->kind == RG__APPLY ? k->name : names[k->kind]);
    print_operand(plan, &k->out, out);
    fputs(" <-", out);
    for (int i = 0; i < k->n_in; i++)
        print_operand(plan, &k->in[i], out);
    fputs(k->by_row ? "  (a row each)\n" : "\n", out);
}

void rg__plan_describe(const rg_tape *t, const rg__plan *plan, FILE *out)
{
    static const char *const places[] = {
        [RG__GIVEN] = "given", [RG__WORK] = "work", [RG__RETAINED] = "retained", [RG__IN_PLACE] = "in place"};
    fprintf(out, "plan %016" PRIx64 ": %d steps, %zu bytes of values, %zu of scratch a thread, %zu retained\n",
            plan->key, plan->steps, plan->workspace, plan->scratch, plan->retained);
    for (int i = 0; i < plan->steps; i++) {
        const rg__step *s = &plan->step[i];
        if (!s->fused) {
            fprintf(out, "  step %d: %%%" PRIu32 " %s", i, plan->value[s->out].node,
                    (s->own ? s->own : rg__at(t, s->node))->op->name);
            if (s->strip)
                fprintf(out, ", the next step on every %" PRId64 " rows of it", s->strip);
            if (s->kept)
                fputs(s->packs ? ", packs its second matrix for those after it" : ", its second matrix is packed", out);
            fputc('\n', out);
            continue;
        }
        const rg__fused *f = s->fused;
        fprintf(out,
                "  step %d: %d nodes fused over %" PRId64 " rows of %" PRId64 ", blocks of %" PRId64 " rows, %" PRId64
                " chunks%s; ended: %s\n",
                i, s->nodes, f->rows, f->columns, f->block, f->chunks, s->wave ? "" : ", at once with the one before",
                s->ended);
        for (int k = 0; k < f->instructions; k++)
            print_instruction(plan, &f->instruction[k], out);
    }
    for (uint32_t i = 0; i < plan->values; i++) {
        const rg__plan_value *v = &plan->value[i];
        fprintf(out, "  value %%%" PRIu32 ": %zu bytes, %s", v->node, v->bytes, places[v->kind]);
        if (v->kind == RG__WORK)
            fprintf(out, " at %zu, steps %" PRIu32 " to %" PRIu32, v->offset, v->first, v->last);
        fputc('\n', out);
    }
}

void rg_plan_print(rg_tape *t, FILE *out)
{
    if (!out)
        return;
    const rg__plan *plan = pending_plan(t);
    if (plan)
        rg__plan_describe(t, plan, out);
    else
        fprintf(out, "%s\n", rg_failed(t) ? rg_tape_error(t) : "an eager tape has no plans");
}
