/* Orders the steps. Between two kernels, fused steps that do not need each other's results form waves: the threads share the
 * chunks of all steps of a wave, so that many small steps, as the updates of a model's parameters, cost one start of the
 * threads. */
#include "exec/build.h"

#define PARALLEL_WORK 65536 /* element operations below which a second thread costs more than it gives */

typedef struct scheduling {
    rg__plan *plan;
    const rg_tape *t;
    uint32_t stretch;      /* its first step                                      */
    uint32_t *level;       /* by step: of its wave in the stretch, from 1 on      */
    uint32_t *read;        /* by value: 1 + the last level of the stretch that reads it */
    uint32_t *start, *end; /* by step in the new order: the ends of its wave     */
    uint32_t *at;          /* by level: where its next step goes                  */
    rg__step *order;
} scheduling;

/* ---- what a step reads and writes ---- */

typedef void (*visitor)(scheduling *s, uint32_t step, uint32_t value);

static void visit_operand(scheduling *s, uint32_t step, const rg__operand *o, visitor visit)
{
    if (o->kind != RG__SLOT)
        visit(s, step, o->at);
}

static void visit_reads(scheduling *s, uint32_t step, visitor visit)
{
    const rg__step *p = &s->plan->step[step];
    if (!p->fused) {
        for (int i = 0; i < p->n_in; i++)
            visit(s, step, p->in[i]);
        return;
    }
    for (int i = 0; i < p->fused->fillings; i++)
        visit_operand(s, step, &p->fused->filling[i].from, visit);
    for (int i = 0; i < p->fused->instructions; i++) {
        const rg__instruction *k = &p->fused->instruction[i];
        for (int j = 0; j < k->n_in; j++)
            visit_operand(s, step, &k->in[j], visit);
    }
}

static void visit_writes(scheduling *s, uint32_t step, visitor visit)
{
    const rg__step *p = &s->plan->step[step];
    if (!p->fused)
        visit(s, step, p->out);
    else
        for (int i = 0; i < p->fused->instructions; i++)
            visit_operand(s, step, &p->fused->instruction[i].out, visit);
}

/* ---- levels ---- */

static void raise(uint32_t *level, uint32_t to)
{
    if (*level < to)
        *level = to;
}

/* After the step of this stretch that writes the value, if one does. */
static void come_after_writer(scheduling *s, uint32_t step, uint32_t value)
{
    const rg__plan_value *v = &s->plan->value[value];
    if (v->kind != RG__GIVEN && v->first >= s->stretch && v->first != step)
        raise(&s->level[step], s->level[v->first] + 1);
}

static const rg_param *parameter_of(const scheduling *s, const rg__plan_value *v)
{
    if (v->kind == RG__IN_PLACE)
        return rg__at(s->t, (uint32_t)v->offset)->slot.param;
    const rg__node *n = v->kind == RG__GIVEN ? rg__at(s->t, v->node) : NULL;
    return n && n->op == rg__op_leaf ? n->slot.param : NULL;
}

/* A parameter is overwritten after everything that reads it. */
static void come_after_readers(scheduling *s, uint32_t step, uint32_t value)
{
    const rg__plan_value *v = &s->plan->value[value];
    if (v->kind != RG__IN_PLACE)
        return;
    const rg_param *p = parameter_of(s, v);
    for (uint32_t i = 0; i < s->plan->values; i++)
        if (s->read[i] && i != value && parameter_of(s, &s->plan->value[i]) == p)
            raise(&s->level[step], s->read[i]);
}

static void note_read(scheduling *s, uint32_t step, uint32_t value)
{
    raise(&s->read[value], s->level[step] + 1);
}

static void forget_read(scheduling *s, uint32_t step, uint32_t value)
{
    (void)step;
    s->read[value] = 0;
}

static bool writes_a_parameter(const scheduling *s, const rg__fused *f)
{
    for (int i = 0; i < f->instructions; i++) {
        const rg__operand *out = &f->instruction[i].out;
        if (out->kind != RG__SLOT && s->plan->value[out->at].kind == RG__IN_PLACE)
            return true;
    }
    return false;
}

static bool may_fail(const rg__fused *f)
{
    for (int i = 0; i < f->instructions; i++)
        if (f->instruction[i].kind == RG__PICK || f->instruction[i].kind == RG__PLACE)
            return true;
    return false;
}

/* Levels of the fused steps from `first` to before `end`, counted from 1; returns the highest. */
static uint32_t level_steps(scheduling *s, uint32_t first, uint32_t end)
{
    uint32_t highest = 0, safe = 1, round = 0, start = 1; /* start: of the round */
    for (uint32_t i = first; i < end; i++) {
        const rg__step *step = &s->plan->step[i];
        const rg__fused *f = step->fused;
        if (step->round && step->round != round) {
            round = step->round;
            start = highest + 1;
        }
        s->level[i] = writes_a_parameter(s, f) ? safe : 1;
        raise(&s->level[i], step->round ? start : 1);
        visit_reads(s, i, come_after_writer);
        visit_writes(s, i, come_after_readers);
        visit_reads(s, i, note_read);
        if (may_fail(f))
            raise(&safe, s->level[i] + 1);
        raise(&highest, s->level[i]);
    }
    for (uint32_t i = first; i < end; i++)
        visit_reads(s, i, forget_read);
    return highest;
}

/* ---- waves ---- */

/* The steps of one level, which begin at `first`, become a wave. */
static void make_wave(rg__plan *plan, uint32_t first, uint32_t end)
{
    rg__step *head = &plan->step[first];
    size_t partial = 0;
    int64_t chunks = 0;
    double work = 0;
    for (uint32_t i = first; i < end; i++) {
        rg__fused *f = plan->step[i].fused;
        f->results = partial;
        partial += f->partial * (size_t)f->chunks;
        chunks += f->chunks;
        work += (double)(f->rows * f->columns) * f->instructions;
    }
    head->wave = (int)(end - first);
    head->parallel = chunks > 1 && work >= PARALLEL_WORK;
    if (partial > plan->partial)
        plan->partial = partial;
}

/* Puts the steps of a stretch in the order of their levels. */
static void order_steps(scheduling *s, uint32_t first, uint32_t end, uint32_t highest)
{
    rg__plan *plan = s->plan;
    for (uint32_t level = 0; level <= highest + 1; level++)
        s->at[level] = 0;
    for (uint32_t i = first; i < end; i++)
        s->at[s->level[i] + 1]++;
    for (uint32_t level = 1; level <= highest + 1; level++)
        s->at[level] += s->at[level - 1];
    for (uint32_t i = first; i < end; i++)
        s->order[s->at[s->level[i]]++] = plan->step[i];
    uint32_t start = first; /* at[level] is now where the level ends */
    for (uint32_t level = 1; level <= highest; level++) {
        const uint32_t stop = first + s->at[level];
        for (uint32_t i = start; i < stop; i++) {
            plan->step[i] = s->order[i - first];
            s->start[i] = start;
            s->end[i] = stop - 1;
        }
        make_wave(plan, start, stop);
        start = stop;
    }
}

/* ---- products and what follows them ---- */

static bool reads_otherwise(const rg__instruction *k, uint32_t value)
{
    for (int i = 0; i < k->n_in; i++)
        if (k->in[i].kind != RG__SLOT && k->in[i].at == value &&
            (k->kind == RG__GATHER || k->in[i].kind != RG__FULL_OF || k->in[i].offset != 0))
            return true;
    return false;
}

/* Rows of the product that a chunk of the step after it is, if that can work on them as they are finished: it reads the
 * product position by position, its chunks are whole rows, and it overwrites nothing that the product reads. */
static int64_t strip_of(const scheduling *s, const rg__step *product, const rg__step *next)
{
    const rg__node *n = product->own ? product->own : rg__at(s->t, product->node);
    if (!n->op->by_rows || n->rank != 2 || next->wave != 1 || writes_a_parameter(s, next->fused))
        return 0;
    const rg__fused *f = next->fused;
    const int64_t columns = n->dims[1], elements = f->chunk * f->columns;
    if (n->numel == 0 || f->rows * f->columns != n->numel || elements % columns != 0)
        return 0;
    bool reads = false;
    for (int i = 0; i < f->fillings; i++)
        if (f->filling[i].from.at == product->out)
            return 0;
    for (int i = 0; i < f->instructions; i++) {
        const rg__instruction *k = &f->instruction[i];
        if (reads_otherwise(k, product->out))
            return 0;
        for (int j = 0; j < k->n_in; j++)
            reads = reads || (k->in[j].kind == RG__FULL_OF && k->in[j].at == product->out);
    }
    return reads ? elements / columns : 0;
}

static bool reads(const rg__fused *f, uint32_t value)
{
    for (int i = 0; i < f->fillings; i++)
        if (f->filling[i].from.at == value)
            return true;
    for (int i = 0; i < f->instructions; i++)
        for (int j = 0; j < f->instruction[i].n_in; j++)
            if (f->instruction[i].in[j].kind != RG__SLOT && f->instruction[i].in[j].at == value)
                return true;
    return false;
}

/* Each fused step that can follow a product's rows comes right after the product, before others that it needs nothing of.
 * The two are like a wave to the values: what the product reads must not be overwritten by what follows it. */
static void find_epilogues(scheduling *s)
{
    rg__plan *plan = s->plan;
    for (uint32_t i = 1; i < (uint32_t)plan->steps; i++) {
        const rg__step next = plan->step[i];
        uint32_t product = i;
        while (next.wave == 1 && product > 0 && !plan->step[product - 1].fused &&
               !reads(next.fused, plan->step[product - 1].out))
            product--;
        if (next.wave != 1 || product == 0 || plan->step[product - 1].fused ||
            (next.round && next.round != plan->step[product - 1].round)) /* it is not to be computed so early */
            continue;
        const int64_t strip = strip_of(s, &plan->step[product - 1], &next);
        if (!strip)
            continue;
        for (uint32_t k = i; k > product; k--)
            plan->step[k] = plan->step[k - 1];
        plan->step[product] = next;
        plan->step[product - 1].strip = strip;
        s->start[product] = product - 1;
        s->end[product - 1] = product;
    }
}

/* ---- lives ---- */

static void live_from(scheduling *s, uint32_t step, uint32_t value)
{
    rg__plan_value *v = &s->plan->value[value];
    v->first = s->start[step];
    raise(&v->last, s->end[step]);
}

static void live_until(scheduling *s, uint32_t step, uint32_t value)
{
    raise(&s->plan->value[value].last, s->end[step]);
}

/* When values live, in the new order: no two of a wave's may share memory. Those that are needed after the last step
 * already say so. */
static void settle_lives(scheduling *s)
{
    rg__plan *plan = s->plan;
    const uint32_t steps = (uint32_t)plan->steps;
    for (uint32_t i = 0; i < plan->values; i++)
        if (plan->value[i].last < steps)
            plan->value[i].last = 0;
    for (uint32_t i = 0; i < steps; i++) {
        visit_writes(s, i, live_from);
        visit_reads(s, i, live_until);
    }
}

void rg__schedule_steps(rg__build *b)
{
    rg__plan *plan = b->plan;
    const uint32_t steps = (uint32_t)plan->steps;
    const size_t numbers = ((size_t)steps + 2) * sizeof(uint32_t);
    scheduling s = {.plan = plan, .t = b->t};
    s.level = rg__build_alloc(b, numbers);
    s.start = rg__build_alloc(b, numbers);
    s.end = rg__build_alloc(b, numbers);
    s.at = rg__build_alloc(b, numbers);
    s.read = rg__build_alloc(b, (plan->values + 1) * sizeof *s.read);
    s.order = rg__build_alloc(b, ((size_t)steps + 1) * sizeof *s.order);
    for (uint32_t i = 0; i < steps && !b->failed;) {
        uint32_t end = i;
        while (end < steps && plan->step[end].fused)
            end++;
        if (end == i) {
            s.start[i] = s.end[i] = i;
            i++;
            continue;
        }
        s.stretch = i;
        order_steps(&s, i, end, level_steps(&s, i, end));
        i = end;
    }
    if (b->failed)
        return;
    find_epilogues(&s);
    settle_lives(&s);
}
