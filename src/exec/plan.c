/* Makes plans and runs them. */
#include "exec/build.h"
#include "exec/run.h"

#include "autograd/params.h"
#include "exec/kernels/gemm.h"

#include <stdlib.h>
#include <string.h>

/* ---- memory of a build ---- */

static void *zeros(rg__arena *arena, size_t bytes)
{
    void *p = rg__arena_alloc(arena, bytes);
    if (p)
        memset(p, 0, bytes);
    return p;
}

void *rg__build_alloc(rg__build *b, size_t bytes)
{
    void *p = b->failed ? NULL : zeros(&b->arena, bytes);
    b->failed = b->failed || !p;
    return p;
}

void *rg__plan_alloc(rg__build *b, size_t bytes)
{
    void *p = b->failed ? NULL : zeros(&b->plan->arena, bytes);
    b->failed = b->failed || !p;
    return p;
}

/* ---- nodes that a plan owns ---- */

static const void *copied(rg__build *b, const void *data, size_t bytes)
{
    void *p = rg__plan_alloc(b, bytes);
    if (p && bytes)
        memcpy(p, data, bytes);
    return p;
}

/* A node that outlives the build, with nothing of the tape's. */
static void copy_node(rg__build *b, rg__node *to, const rg__node *n)
{
    const size_t dims = n->rank * sizeof *n->dims;
    *to = *n;
    to->dims = copied(b, n->dims, dims);
    to->strides = n->strides ? copied(b, n->strides, dims) : NULL;
    to->attr = copied(b, n->attr, n->op->attr_size);
    to->in = NULL;
    to->scope = "";
}

void rg__bring_along(rg__build *b, rg__step *step, uint32_t id)
{
    const rg__node *n = rg__build_node(b, id);
    if (id < b->t->length && n == rg__at(b->t, id))
        return;
    rg__node *own = rg__plan_alloc(b, (n->n_in + 1) * sizeof *own);
    if (!own)
        return;
    step->own = own;
    step->own_in = own + 1;
    copy_node(b, own, n);
    for (int i = 0; i < n->n_in; i++)
        copy_node(b, own + 1 + i, rg__build_node(b, n->in[i]));
}

static size_t aligned(size_t bytes)
{
    return (bytes + RG__ALIGN - 1) / RG__ALIGN * RG__ALIGN;
}

/* ---- making ---- */

static bool build(rg__build *b)
{
    rg__find_needed(b);
    if (!b->failed)
        rg__simplify(b);
    if (!b->failed)
        rg__find_read(b);
    const uint32_t length = b->length;
    b->same = rg__build_alloc(b, length * sizeof *b->same);
    b->group = rg__build_alloc(b, length * sizeof *b->group);
    b->role = rg__build_alloc(b, length * sizeof *b->role);
    b->assign_node = rg__build_alloc(b, length * sizeof *b->assign_node);
    b->overwritten = rg__build_alloc(b, length * sizeof *b->overwritten);
    if (b->failed)
        return false;
    rg__merge_same(b);
    rg__form_groups(b);
    if (!b->failed)
        rg__assign_in_place(b);
    if (!b->failed)
        rg__settle_stored(b);
    if (!b->failed)
        rg__write_steps(b);
    if (!b->failed)
        rg__schedule_steps(b);
    if (!b->failed)
        rg__keep_packed(b);
    if (!b->failed)
        rg__place_values(b);
    return !b->failed;
}

rg__plan *rg__plan_new(rg_tape *t, const rg__demand *demand)
{
    rg__build b = {.t = t, .demand = demand, .plan = calloc(1, sizeof *b.plan)};
    bool ok = b.plan && build(&b);
    rg__arena_free(&b.arena);
    if (ok)
        return b.plan;
    rg__plan_free(b.plan);
    rg__fail_named(t, "plan", RG_ERROR_MEMORY, "out of memory");
    return NULL;
}

void rg__plan_free(rg__plan *plan)
{
    if (!plan)
        return;
    rg__arena_free(&plan->arena);
    free(plan->structure);
    free(plan);
}

/* ---- running ---- */

static bool bind(rg_tape *t, const rg__plan *plan, char **address)
{
    for (uint32_t i = 0; i < plan->values; i++) {
        const rg__plan_value *v = &plan->value[i];
        switch (v->kind) {
        case RG__GIVEN:
            if (!rg__still_there(t, rg__at(t, v->node), rg__at(t, v->reader)))
                return false;
            address[i] = rg__root_data(rg__at(t, v->node));
            break;
        case RG__RETAINED:
            address[i] = rg__pool_get(&t->pool, v->bytes);
            if (!address[i]) {
                rg__fail_at(t, rg__at(t, v->node), RG_ERROR_MEMORY, "out of memory for a result of %zu bytes", v->bytes);
                return false;
            }
            break;
        case RG__IN_PLACE: address[i] = rg__at(t, (uint32_t)v->offset)->slot.param->data; break;
        case RG__WORK: address[i] = t->workspace + v->offset; break;
        }
    }
    return true;
}

static bool run_kernel(rg_tape *t, const rg__step *step, char *const *address, const rg__gemm_rows *rows)
{
    enum { FEW = 8 };
    const rg__node *n = rg__at(t, step->node);
    rg__node own;
    if (step->own) { /* it has no scope: that is the recorded node's */
        own = *step->own;
        own.scope = n->scope;
        n = &own;
    }
    rg__array_view few[FEW], *in = few;
    few[0].data = NULL;
    if (step->n_in > FEW && !(in = rg__pool_get(&t->pool, (size_t)step->n_in * sizeof *in))) {
        rg__fail_named(t, "run", RG_ERROR_MEMORY, "out of memory");
        return false;
    }
    for (int i = 0; i < step->n_in; i++) {
        const rg__node *x = step->own ? &step->own_in[i] : rg__at(t, n->in[i]);
        in[i] = (rg__array_view){address[step->in[i]] + x->offset * (int64_t)rg_dtype_size((rg_dtype)x->dtype),
                                 x->dims,
                                 {0},
                                 x->rank,
                                 (rg_dtype)x->dtype};
        rg__node_strides(x, in[i].strides);
    }
    const rg__gemm_kept kept = {step->kept ? address[step->kept - 1] : NULL, step->packs};
    bool ok = rg__run_kernel(t, n, in, address[step->out], rows, step->kept ? &kept : NULL);
    if (in != few)
        rg__pool_put(&t->pool, in, (size_t)step->n_in * sizeof *in);
    return ok;
}

static bool index_error(rg_tape *t, const rg__bad_index *bad)
{
    rg__fail_at(t, rg__at(t, bad->node), RG_ERROR_VALUE, "index %lld is out of range 0 to %lld", (long long)bad->index,
                (long long)bad->extent - 1);
    return false;
}

/* Where the threads work. */
typedef struct room {
    char *scratch, *partial;
    size_t stride;
    bool *ready;
} room;

static bool run_product(rg_tape *t, const rg__step *step, char *const *address, const room *room)
{
    rg__epilogue e = {step[1].fused, address,     room->scratch, room->partial,
                      room->stride,  step->strip, room->ready,   {0}};
    e.bad.row = INT64_MAX;
    memset(room->ready, 0, (size_t)t->threads);
    if (!run_kernel(t, step, address, &(rg__gemm_rows){rg__epilogue_strip, &e, step->strip}))
        return false;
    return rg__epilogue_end(&e) || index_error(t, &e.bad);
}

static bool run_steps(rg_tape *t, const rg__plan *plan, char *const *address, const room *room)
{
    for (int i = 0; i < plan->steps;) {
        const rg__step *s = &plan->step[i];
        rg__bad_index bad;
        if (s->strip && !run_product(t, s, address, room))
            return false;
        if (!s->fused && !s->strip && !run_kernel(t, s, address, NULL))
            return false;
        if (s->fused && !rg__wave_run(s, address, room->scratch, room->stride, room->partial, t->threads, &bad))
            return index_error(t, &bad);
        i += s->strip ? 2 : s->fused ? s->wave : 1;
    }
    return true;
}

static bool reserve_workspace(rg_tape *t, size_t bytes)
{
    if (bytes <= t->workspace_bytes)
        return true;
    char *more = rg__block_alloc(bytes);
    if (!more) {
        rg__fail_named(t, "run", RG_ERROR_MEMORY, "out of memory for a workspace of %zu bytes", bytes);
        return false;
    }
    free(t->workspace);
    t->workspace = more;
    t->workspace_bytes = bytes;
    return true;
}

static void carry_out(rg_tape *t, const rg__plan *plan, char *const *address)
{
    for (int i = 0; i < plan->assigns; i++) {
        const rg__node *n = rg__at(t, plan->assign[i]), *x = rg__at(t, n->in[0]);
        rg_param *p = n->slot.param;
        if (plan->value[plan->assigned[i]].kind == RG__IN_PLACE) {
            rg__param_written(p);
            rg__lie_in_parameter(t, plan->value[plan->assigned[i]].node, p);
            continue;
        }
        int64_t to[RG_MAX_RANK], from[RG_MAX_RANK];
        const size_t size = rg_dtype_size(p->dtype);
        rg__row_major(p->shape.rank, p->shape.dims, to);
        rg__node_strides(x, from);
        rg__copy(p->shape.rank, p->shape.dims, (rg__strided){p->data, to, size},
                 (rg__strided){address[plan->assigned[i]] + x->offset * (int64_t)size, from, size});
        rg__param_written(p);
    }
}

/* Values that lie in parameters which are about to be overwritten get storage of their own. */
static bool save_overwritten(rg_tape *t, const rg__plan *plan, const rg__demand *demand)
{
    for (size_t i = 0; demand->assign && i < t->assigns.count; i++)
        if (!rg__move_out_of_parameter(t, rg__at(t, t->assigns.id[i])->slot.param))
            return false;
    for (int i = 0; i < plan->saves; i++)
        if (!rg__copy_leaf(t, plan->save[i]))
            return false;
    return true;
}

bool rg__plan_run(rg_tape *t, const rg__plan *plan, const rg__demand *demand)
{
    const size_t stride = aligned(plan->scratch), team = (size_t)t->threads;
    const size_t bytes = plan->workspace + stride * team + aligned(plan->partial) + team;
    const size_t list = plan->values * sizeof(char *);
    char **address = rg__pool_get(&t->pool, list);
    if (!address) {
        rg__fail_named(t, "run", RG_ERROR_MEMORY, "out of memory");
        return false;
    }
    memset(address, 0, list);
    bool ok = reserve_workspace(t, bytes) && save_overwritten(t, plan, demand) && bind(t, plan, address);
    if (ok) {
        char *const scratch = t->workspace + plan->workspace, *const partial = scratch + stride * team;
        ok = run_steps(t, plan, address, &(room){scratch, partial, stride, (bool *)partial + aligned(plan->partial)});
    }
    if (ok && demand->assign)
        carry_out(t, plan, address);
    for (uint32_t i = 0; i < plan->values; i++) {
        const rg__plan_value *v = &plan->value[i];
        if (v->kind != RG__RETAINED || !address[i])
            continue;
        if (ok)
            rg__at(t, v->node)->data = address[i];
        else
            rg__pool_put(&t->pool, address[i], v->bytes);
    }
    rg__pool_put(&t->pool, address, list);
    return ok;
}
