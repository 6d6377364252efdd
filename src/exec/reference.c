/* The reference executor: runs each pending node in the order of recording with its op's own kernel. */
#include "exec/run.h"

#include "autograd/params.h"

#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

void *rg__root_data(const rg__node *root)
{
    return root->op == rg__op_leaf && !root->data ? root->slot.param->data : root->data;
}

void *rg__value(const rg_tape *t, const rg__node *node)
{
    const rg__node *root = rg__at(t, node->root);
    void *data = rg__root_data(root);
    return data ? (char *)data + node->offset * (int64_t)rg_dtype_size((rg_dtype)node->dtype) : NULL;
}

void rg__release(rg_tape *t, rg__node *node)
{
    if (node->data && !(node->flags & RG__EXTERNAL))
        rg__pool_put(&t->pool, node->data, (size_t)node->numel * rg_dtype_size((rg_dtype)node->dtype));
    node->data = NULL;
}

static rg__array_view view_of(const rg_tape *t, const rg__node *node)
{
    rg__array_view v = {rg__value(t, node), node->dims, {0}, node->rank, (rg_dtype)node->dtype};
    rg__node_strides(node, v.strides);
    return v;
}

/* ---- one node ---- */

static bool is_computed_by_kernel(const rg__op *op)
{
    return op->kernel || rg__op_has_loops(op);
}

bool rg__is_missing(const rg__node *node)
{
    return !node->data && is_computed_by_kernel(node->op);
}

bool rg__run_fail(const rg__run *run, rg_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rg__fail_in(run->t, run->node->op->name, run->node->scope, status, format, args);
    va_end(args);
    return false;
}

bool rg__run_loop(const rg__run *run)
{
    const rg__node *node = run->node;
    const int arrays = node->n_in + 1;
    const rg__loop loop = node->op->loop[run->in[node->n_in - 1].dtype];
    rg__strided array[RG__WALK_ARRAYS];
    int64_t strides[RG__WALK_ARRAYS][RG_MAX_RANK];
    array[0] = rg__strided_of(&run->out);
    for (int i = 0; i < node->n_in; i++) {
        const rg__array_view *in = &run->in[i];
        rg__broadcast_strides(in->rank, in->dims, in->strides, node->rank, node->dims, strides[i]);
        array[i + 1] = (rg__strided){in->data, strides[i], rg_dtype_size(in->dtype)};
    }
    rg__walk w;
    rg__walk_start(&w, node->rank, node->dims, arrays, array);
    do
        loop(w.run, w.p, w.step, node->attr);
    while (rg__walk_next(&w));
    return true;
}

void rg__fail_at(rg_tape *t, const rg__node *node, rg_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rg__fail_in(t, node->op->name, node->scope, status, format, args);
    va_end(args);
}

bool rg__still_there(rg_tape *t, const rg__node *root, const rg__node *reader)
{
    const bool in_parameter = root->op == rg__op_leaf ? !root->data : root->flags & RG__IN_PARAMETER;
    if (!in_parameter || root->version == root->slot.param->version)
        return true;
    rg__fail_at(t, reader, RG_ERROR_STATE,
                "needs the value that parameter '%s' had before it was assigned; ask for it earlier, or keep it",
                root->slot.param->name);
    return false;
}

bool rg__run_kernel(rg_tape *t, const rg__node *node, const rg__array_view *in, void *out,
                    const struct rg__gemm_rows *rows, const struct rg__gemm_kept *kept)
{
    rg__run run = {.t = t,
                   .node = node,
                   .in = in,
                   .out = {out, node->dims, {0}, node->rank, (rg_dtype)node->dtype},
                   .threads = t->threads,
                   .pool = &t->pool,
                   .rows = rows,
                   .kept = kept};
    rg__row_major(node->rank, node->dims, run.out.strides);
    return node->op->kernel ? node->op->kernel(&run) : rg__run_loop(&run);
}

static bool run_node(rg_tape *t, rg__node *node)
{
    enum { FEW = 4 };
    rg__array_view few[FEW], *in = few;
    const size_t bytes = (size_t)node->numel * rg_dtype_size((rg_dtype)node->dtype);
    if (node->n_in > FEW)
        in = rg__pool_get(&t->pool, node->n_in * sizeof *in);
    void *data = in ? rg__pool_get(&t->pool, bytes) : NULL;
    bool ok = data != NULL;
    if (!ok)
        rg__fail_at(t, node, RG_ERROR_MEMORY, "out of memory for a result of %zu bytes", bytes);
    for (int i = 0; ok && i < node->n_in; i++) {
        const rg__node *n = rg__at(t, node->in[i]);
        ok = rg__still_there(t, rg__at(t, n->root), node);
        in[i] = view_of(t, n);
    }
    ok = ok && rg__run_kernel(t, node, in, data, NULL, NULL);
    if (ok)
        node->data = data;
    else if (data)
        rg__pool_put(&t->pool, data, bytes);
    if (in && in != few)
        rg__pool_put(&t->pool, in, node->n_in * sizeof *in);
    return ok;
}

bool rg__run_one(rg_tape *t, uint32_t id)
{
    rg__node *node = rg__at(t, id);
    return !rg__is_missing(node) || run_node(t, node);
}

/* ---- what is pending ---- */

/* Who reads what. */
typedef struct readers {
    uint32_t *last; /* by id, for storage that is read: 1 + the last reader, or FOREVER; 0 where nothing reads it */
    uint32_t lowest, end; /* the missing nodes among them lie in [lowest, end) */
} readers;
#define FOREVER UINT32_MAX

static void need(const rg_tape *t, readers *d, uint32_t id, uint32_t reader)
{
    const uint32_t root = rg__at(t, id)->root;
    if (d->last[root] < reader)
        d->last[root] = reader;
    if (rg__is_missing(rg__at(t, root))) {
        d->lowest = root < d->lowest ? root : d->lowest;
        d->end = root >= d->end ? root + 1 : d->end;
    }
}

/* In an inference section values end with their last reader; they can be computed again. */
static void release_read(rg_tape *t, const rg__node *reader, uint32_t id, const readers *d)
{
    for (int i = 0; i < reader->n_in; i++) {
        const uint32_t root = rg__at(t, reader->in[i])->root;
        rg__node *node = rg__at(t, root);
        if ((node->flags & (RG__INFERENCE | RG__KEEP)) == RG__INFERENCE && is_computed_by_kernel(node->op) &&
            d->last[root] == id + 1)
            rg__release(t, node);
    }
}

static bool compute(rg_tape *t, uint32_t wanted, readers *d)
{
    if (wanted != UINT32_MAX)
        need(t, d, wanted, FOREVER);
    for (size_t i = 0; i < t->keeps.count; i++)
        need(t, d, t->keeps.id[i], FOREVER);
    for (size_t i = 0; i < t->assigns.count; i++)
        need(t, d, rg__at(t, t->assigns.id[i])->in[0], FOREVER);
    for (uint32_t id = d->end; id-- > d->lowest;) {
        const rg__node *node = rg__at(t, id);
        if (d->last[id] && rg__is_missing(node))
            for (int i = 0; i < node->n_in; i++)
                need(t, d, node->in[i], id + 1);
    }
    for (uint32_t id = d->lowest; id < d->end; id++) {
        rg__node *node = rg__at(t, id);
        if (!d->last[id] || !rg__is_missing(node))
            continue;
        if (!run_node(t, node))
            return false;
        release_read(t, node, id, d);
    }
    return true;
}

/* p := value, for every pending assignment. */
static void carry_out(rg_tape *t)
{
    for (size_t i = 0; i < t->assigns.count; i++) {
        const rg__node *node = rg__at(t, t->assigns.id[i]);
        rg_param *p = node->slot.param;
        rg__array_view value = view_of(t, rg__at(t, node->in[0]));
        int64_t strides[RG_MAX_RANK];
        rg__row_major(p->shape.rank, p->shape.dims, strides);
        rg__copy(p->shape.rank, p->shape.dims, (rg__strided){p->data, strides, rg_dtype_size(p->dtype)},
                 rg__strided_of(&value));
        rg__param_written(p);
    }
}

bool rg__reference_run(rg_tape *t, const rg__demand *demand)
{
    const size_t bytes = (size_t)t->length * sizeof(uint32_t);
    readers r = {rg__pool_get(&t->pool, bytes), t->length, 0};
    if (!r.last) {
        rg__fail_named(t, "run", RG_ERROR_MEMORY, "out of memory");
        return false;
    }
    memset(r.last, 0, bytes);
    bool ok = compute(t, demand->wanted, &r);
    rg__pool_put(&t->pool, r.last, bytes);
    if (ok && demand->assign)
        carry_out(t);
    return ok;
}
