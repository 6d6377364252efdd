/* Runs what is pending: by a plan, which is made once for each structure and kept, or, in eager mode, by the reference. */
#include "exec/run.h"

#include "exec/kernels/blis_arch.h"
#include "exec/plan.h"

#include "core/hash.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

void rg__exec_start(void)
{
    rg__blis_start();
}

/* ---- the cache of plans: least recently used, found by hash, confirmed by comparing the whole structure ---- */

#define MOST_PLANS 64

/* What the plan depends on: the structure recorded so far, what was run before, and what is demanded. */
static uint64_t key_of(rg_tape *t, const rg__demand *demand)
{
    const uint64_t parts[] = {t->events, demand->wanted, demand->assign, demand->last, (uint64_t)t->threads};
    return rg__hash64(parts, sizeof parts, rg__structure_hash(t));
}

static bool same_demand(const rg__demand *a, const rg__demand *b)
{
    return a->wanted == b->wanted && a->assign == b->assign && a->last == b->last;
}

static rg__plan *find_plan(rg_tape *t, uint64_t key, const rg__demand *demand)
{
    for (int i = 0; i < t->plans; i++) {
        rg__plan *p = t->plan[i];
        if (p->key == key && p->events == t->events && same_demand(&p->demand, demand) &&
            p->structure_bytes == t->structure.used && memcmp(p->structure, t->structure.bytes, t->structure.used) == 0) {
            p->used = ++t->clock;
            return p;
        }
    }
    return NULL;
}

static rg__plan *make_plan(rg_tape *t, uint64_t key, const rg__demand *demand)
{
    if (!t->plan && !(t->plan = calloc(MOST_PLANS, sizeof(rg__plan *)))) {
        rg__fail_named(t, "plan", RG_ERROR_MEMORY, "out of memory");
        return NULL;
    }
    rg__plan *p = rg__plan_new(t, demand);
    if (!p)
        return NULL;
    p->key = key;
    p->events = t->events;
    p->demand = *demand;
    p->used = ++t->clock;
    p->structure_bytes = t->structure.used;
    p->structure = malloc(t->structure.used + 1);
    if (!p->structure) {
        rg__plan_free(p);
        rg__fail_named(t, "plan", RG_ERROR_MEMORY, "out of memory");
        return NULL;
    }
    if (t->structure.used)
        memcpy(p->structure, t->structure.bytes, t->structure.used);
    t->made++;
    const char *log = getenv("RETROGRAD_LOG");
    if (log && strcmp(log, "plan") == 0)
        rg__plan_describe(t, p, stderr);
    int slot = t->plans;
    if (slot == MOST_PLANS) {
        slot = 0;
        for (int i = 1; i < MOST_PLANS; i++)
            if (t->plan[i]->used < t->plan[slot]->used)
                slot = i;
        rg__plan_free(t->plan[slot]);
    } else {
        t->plans++;
    }
    return t->plan[slot] = p;
}

void rg__plans_free(rg_tape *t)
{
    for (int i = 0; i < t->plans; i++)
        rg__plan_free(t->plan[i]);
    free(t->plan);
    free(t->workspace);
}

rg__plan *rg__plan_for(rg_tape *t, const rg__demand *demand)
{
    const uint64_t key = key_of(t, demand);
    rg__plan *plan = find_plan(t, key, demand);
    t->hits += plan != NULL;
    return plan ? plan : make_plan(t, key, demand);
}

/* ---- runs ---- */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool run_planned(rg_tape *t, const rg__demand *demand)
{
    const double start = seconds();
    const rg__plan *plan = rg__plan_for(t, demand);
    const double planned = seconds();
    const bool ok = plan && rg__plan_run(t, plan, demand);
    const double end = seconds();
    t->recording += t->idle_since > 0 ? start - t->idle_since : 0;
    t->planning += planned - start;
    t->running += end - planned;
    t->idle_since = end;
    t->runs++;
    if (ok)
        t->events = plan->key;
    return ok;
}

static bool is_there(const rg_tape *t, uint32_t id)
{
    return id == UINT32_MAX || !rg__is_missing(rg__at(t, rg__at(t, id)->root));
}

bool rg__run_pending(rg_tape *t, const rg__demand *demand)
{
    if (t->error.status != RG_OK)
        return false;
    const bool nothing = is_there(t, demand->wanted) && t->keeps.count == 0 && (!demand->assign || t->assigns.count == 0);
    if (nothing)
        return true;
    if (!(t->eager ? rg__reference_run(t, demand) : run_planned(t, demand)))
        return false;
    t->keeps.count = 0;
    if (demand->assign)
        t->assigns.count = 0;
    return true;
}
