/* Reverse replay: walks the tape from a result back and records the gradients, by each op's vjp rule. The rules know
 * nothing of broadcasting, accumulation or which inputs matter; this file does. */
#include "autograd/gather.h"
#include "autograd/params.h"

#include <retrograd/autograd.h>

#include <string.h>

/* One replay. Ids are offsets from `first`, the lowest node that can matter. */
typedef struct replay {
    rg_tape *t;
    uint32_t first, count;          /* nodes first .. first + count - 1, the last of them the result */
    const rg__gathered **cotangent; /* what has come of each; NULL for nothing yet          */
    bool *reached;                  /* does it depend on what is asked for?                 */
} replay;

static bool start(replay *r, rg_tape *t, uint32_t first, uint32_t last)
{
    *r = (replay){.t = t, .first = first, .count = last - first + 1};
    r->cotangent = rg__pool_get(&t->pool, r->count * sizeof *r->cotangent);
    r->reached = rg__pool_get(&t->pool, r->count * sizeof *r->reached);
    if (!r->cotangent || !r->reached) {
        rg__fail_named(t, "backward", RG_ERROR_MEMORY, "out of memory");
        return false;
    }
    memset(r->cotangent, 0, r->count * sizeof *r->cotangent);
    memset(r->reached, 0, r->count * sizeof *r->reached);
    return true;
}

static void finish(replay *r)
{
    if (r->cotangent)
        rg__pool_put(&r->t->pool, r->cotangent, r->count * sizeof *r->cotangent);
    if (r->reached)
        rg__pool_put(&r->t->pool, r->reached, r->count * sizeof *r->reached);
}

/* The whole cotangent; nil where there is none, or on error. It is summed up once. */
static rg_tensor cotangent_of(replay *r, uint32_t id)
{
    const rg__gathered **at = id >= r->first && id - r->first < r->count ? &r->cotangent[id - r->first] : NULL;
    if (!at || !*at)
        return RG_NIL;
    const rg_tensor sum = rg__gather_sum(r->t, *at);
    if ((*at)->before)
        *at = rg_is_nil(sum) ? NULL : rg__gather_add(r->t, NULL, sum);
    return sum;
}

/* ---- fitting a gradient to its input ---- */

/* Sums g over the axes along which x was broadcast, repeats it along those that a reduction removed. */
static rg_tensor fit(rg_tape *t, const rg__op *op, rg_tensor g, const rg__node *x)
{
    const rg__node *n = rg__node_of(t, op->name, g);
    if (!n)
        return RG_NIL;
    if (n->dtype == x->dtype && rg__dims_equal(n->rank, n->dims, x->rank, x->dims))
        return g;
    rg_axes summed = {0, {0}};
    rg_shape left = {0, {0}}, shape = {x->rank, {0}};
    bool fits = n->dtype == x->dtype, repeated = false;
    int shift = n->rank - x->rank;
    for (int i = 0; i < n->rank; i++) {
        int64_t want = i < shift ? 1 : x->dims[i - shift], have = n->dims[i];
        fits = fits && (want == have || want == 1 || have == 1);
        repeated = repeated || (have == 1 && want != 1);
        if (i < shift || (want == 1 && have != 1))
            summed.axis[summed.count++] = i;
        if (i >= shift)
            left.dims[left.rank++] = want == 1 ? 1 : have;
    }
    memcpy(shape.dims, x->dims, x->rank * sizeof *x->dims);
    if (!fits) {
        rg__fail(t, op, RG_ERROR_STATE, "its vjp rule gave a gradient %s of %s for an input %s of %s",
                 rg_dtype_name((rg_dtype)n->dtype), RG__NODE_TEXT(n), rg_dtype_name((rg_dtype)x->dtype),
                 RG__NODE_TEXT(x));
        return RG_NIL;
    }
    if (summed.count)
        g = rg_reshape(t, rg_sum(t, g, summed, false), left);
    return repeated || shift < 0 ? rg_expand(t, g, shape) : g;
}

rg_tensor rg__fit(const rg__vjp *v, int i, rg_tensor x)
{
    return fit(v->t, v->node->op, x, rg__at(v->t, v->node->in[i]));
}

static void accumulate(replay *r, uint32_t id, rg_tensor g)
{
    const rg__gathered **at = &r->cotangent[id - r->first];
    if (!rg_is_nil(g))
        *at = rg__gather_add(r->t, *at, g);
}

/* ---- the walk ---- */

/* Does the gradient of this node go on to its inputs? */
static bool passes_on(const rg__node *node)
{
    return !(node->flags & RG__CUT) && node->op != rg__op_leaf && node->op->vjp;
}

/* Asks one node's rule and spreads the answers. */
static void replay_node(replay *r, rg__node *node, rg_tensor out, rg_tensor g)
{
    enum { FEW = 8 };
    struct {
        rg_tensor in[FEW], grad[FEW];
        bool wanted[FEW];
    } few;
    rg_tape *t = r->t;
    const int n = node->n_in;
    rg_tensor *in = few.in, *grad = few.grad;
    bool *wanted = few.wanted;
    if (n > FEW) {
        in = rg__arena_alloc(&t->arena, (size_t)n * sizeof *in);
        grad = rg__arena_alloc(&t->arena, (size_t)n * sizeof *grad);
        wanted = rg__arena_alloc(&t->arena, (size_t)n * sizeof *wanted);
        if (!in || !grad || !wanted) {
            rg__fail(t, node->op, RG_ERROR_MEMORY, "out of memory");
            return;
        }
    }
    bool any = false;
    for (int i = 0; i < n; i++) {
        const uint32_t id = node->in[i];
        in[i] = rg__handle(t, id);
        grad[i] = RG_NIL;
        wanted[i] = id >= r->first && r->reached[id - r->first];
        any = any || wanted[i];
    }
    if (!any)
        return;
    rg__frame scope = {NULL, node->scope, RG_GRAD}, *outer = t->scope;
    t->scope = &scope;
    node->op->vjp(&(rg__vjp){t, node, in, out, g, node->attr, wanted, grad});
    for (int i = 0; i < n && !rg_failed(t); i++)
        if (wanted[i] && !rg_is_nil(grad[i]))
            accumulate(r, node->in[i], fit(t, node->op, grad[i], rg__at(t, node->in[i])));
    t->scope = outer;
}

static void replay_checkpoint(replay *r, const rg__node *checkpoint, rg_tensor g);

/* Back to `first` from what has cotangents. */
static bool walk(replay *r)
{
    rg_tape *t = r->t;
    for (uint32_t i = r->count; i-- > 0 && !rg_failed(t);) {
        const uint32_t id = r->first + i;
        rg__node *node = rg__at(t, id);
        if (!r->cotangent[i] || !r->reached[i] || !passes_on(node))
            continue;
        const rg_tensor g = cotangent_of(r, id);
        if (rg_is_nil(g))
            continue;
        if (node->op == rg__op_checkpoint)
            replay_checkpoint(r, node, g);
        else
            replay_node(r, node, rg__handle(t, id), g);
    }
    return !rg_failed(t);
}

/* Everything that depends on what is reached already. */
static void spread_reach(replay *r)
{
    for (uint32_t i = 0; i < r->count; i++) {
        const rg__node *n = rg__at(r->t, r->first + i);
        for (int k = 0; k < n->n_in && !r->reached[i] && passes_on(n); k++)
            r->reached[i] = n->in[k] >= r->first && r->reached[n->in[k] - r->first];
    }
}

/* A checkpointed function: recorded again, and walked back through there. The cotangents of what it reads begin as what
 * they are so far, so that the sums are those of a walk through the function as it was recorded first. */
static void replay_checkpoint(replay *r, const rg__node *checkpoint, rg_tensor g)
{
    rg_tape *t = r->t;
    rg__recalled again;
    replay inner = {0};
    const uint32_t round = t->round;
    t->round = t->length + 1;
    if (rg__recall(t, checkpoint, &again) && start(&inner, t, again.first, again.result)) {
        for (int i = 1; i < checkpoint->n_in; i++) {
            const uint32_t from = checkpoint->in[i];
            if (from < r->first || !r->reached[from - r->first])
                continue;
            inner.reached[i - 1] = true;
            inner.cotangent[i - 1] = r->cotangent[from - r->first];
        }
        spread_reach(&inner);
        inner.cotangent[inner.count - 1] = rg__gather_add(t, NULL, g);
        if (inner.reached[inner.count - 1] && walk(&inner))
            for (int i = 1; i < checkpoint->n_in; i++)
                if (inner.reached[i - 1])
                    r->cotangent[checkpoint->in[i] - r->first] = inner.cotangent[i - 1];
    }
    if (inner.t)
        finish(&inner);
    t->round = round;
}

/* The cotangent to begin with: the one given, checked, or 1 for a y of one element. Nil on error. */
static rg_tensor first_cotangent(rg_tape *t, const char *who, rg_tensor y, rg_tensor cotangent, bool given)
{
    const rg__node *n = rg__node_of(t, who, y);
    if (!n)
        return RG_NIL;
    if (n->dtype > RG_F64) {
        rg__fail_named(t, who, RG_ERROR_DTYPE, "%s has no gradient; f32 or f64 is needed",
                       rg_dtype_name((rg_dtype)n->dtype));
        return RG_NIL;
    }
    if (!given) {
        if (n->numel == 1)
            return rg_ones_like(t, y);
        rg__fail_named(t, who, RG_ERROR_SHAPE, "%s has %lld elements; one is needed, or a cotangent", RG__NODE_TEXT(n),
                       (long long)n->numel);
        return RG_NIL;
    }
    const rg__node *c = rg__node_of(t, who, cotangent);
    if (!c)
        return RG_NIL;
    if (c->dtype == n->dtype && rg__dims_equal(c->rank, c->dims, n->rank, n->dims))
        return cotangent;
    rg__fail_named(t, who, RG_ERROR_SHAPE, "the cotangent is %s of %s; the result is %s of %s",
                   rg_dtype_name((rg_dtype)c->dtype), RG__NODE_TEXT(c), rg_dtype_name((rg_dtype)n->dtype),
                   RG__NODE_TEXT(n));
    return RG_NIL;
}

/* ---- gradients of parameters ---- */

/* Adds g to what is known of p's gradient. */
static void add_grad(rg_tape *t, rg_param *p, rg_tensor g)
{
    rg__entry *e = rg__entry_of(t, p);
    rg_tensor sum = rg_is_nil(g) || !e ? RG_NIL : rg_param_grad(t, p);
    sum = rg_is_nil(sum) ? g : rg_add(t, sum, g);
    e = rg__entry_of(t, p); /* asking for the stored gradient may have moved it */
    if (e && !rg_failed(t))
        e->grad = sum;
}

static void backward(rg_tape *t, const char *who, rg_tensor y, rg_tensor cotangent, bool given)
{
    if (!rg__node_of(t, who, y))
        return;
    const rg__node *n = rg__at(t, (uint32_t)y.id);
    if (!(n->flags & RG__TRACKED)) {
        rg__fail_named(t, who, RG_ERROR_STATE, "the result depends on no trainable parameter");
        return;
    }
    replay r = {0};
    const uint16_t flags = t->flags;
    t->flags |= RG__BACKWARD;
    rg_mode_push(t, RG_NO_GRAD);
    rg_tensor g = first_cotangent(t, who, y, cotangent, given);
    if (!rg_is_nil(g) && start(&r, t, 0, (uint32_t)y.id)) {
        for (uint32_t id = 0; id < r.count; id++)
            r.reached[id] = rg__at(t, id)->flags & RG__TRACKED;
        r.cotangent[r.count - 1] = rg__gather_add(t, NULL, g);
        if (walk(&r))
            for (uint32_t id = 0; id < r.count && !rg_failed(t); id++)
                if (r.cotangent[id] && r.reached[id] && rg__at(t, id)->op == rg__op_leaf)
                    add_grad(t, rg__at(t, id)->slot.param, cotangent_of(&r, id));
    }
    if (r.t)
        finish(&r);
    rg_mode_pop(t);
    t->flags = flags;
}

void rg_backward(rg_tape *t, rg_tensor loss)
{
    backward(t, "backward", loss, RG_NIL, false);
}

void rg_backward_with(rg_tape *t, rg_tensor y, rg_tensor cotangent)
{
    backward(t, "backward_with", y, cotangent, true);
}

rg_tensor rg_param_grad(rg_tape *t, rg_param *p)
{
    if (rg_failed(t) || !p)
        return RG_NIL;
    rg__entry *e = rg__entry_of(t, p);
    if (!e || !rg_is_nil(e->grad) || !p->has_grad)
        return e ? e->grad : RG_NIL;
    rg_tensor stored = rg_leaf(t, p->grad);
    e = rg__entry_of(t, p);
    if (e)
        e->grad = stored;
    return stored;
}

void rg_param_set_grad(rg_tape *t, rg_param *p, rg_tensor grad)
{
    if (rg_failed(t))
        return;
    if (!p) {
        rg__fail_named(t, "param_set_grad", RG_ERROR_ARGUMENT, "the parameter is NULL");
        return;
    }
    const rg__node *n = rg_is_nil(grad) ? NULL : rg__node_of(t, "param_set_grad", grad);
    rg__entry *e = rg__entry_of(t, p);
    if (!e || (!n && !rg_is_nil(grad)))
        return;
    if (n && (n->dtype != p->dtype || !rg__dims_equal(n->rank, n->dims, p->shape.rank, p->shape.dims))) {
        rg__fail_named(t, "param_set_grad", n->dtype != p->dtype ? RG_ERROR_DTYPE : RG_ERROR_SHAPE,
                       "parameter '%s' is %s of %s; the gradient is %s of %s", p->name, rg_dtype_name(p->dtype),
                       RG__DIMS_TEXT(p->shape.rank, p->shape.dims), rg_dtype_name((rg_dtype)n->dtype), RG__NODE_TEXT(n));
        return;
    }
    e->grad = grad;
    p->has_grad = false; /* what was stored is part of `grad`, or forgotten */
}

void rg_params_clear_grads(rg_tape *t, rg_params *ps)
{
    if (rg_failed(t)) /* the update that they were for does not happen */
        return;
    for (int i = 0; i < rg_params_count(ps); i++) {
        rg_param *p = rg_params_at(ps, i);
        p->has_grad = false;
        rg__entry *e = p->kind == RG_PARAM ? rg__entry_of(t, p) : NULL;
        if (e)
            e->grad = RG_NIL;
    }
}

void rg__store_grads(rg_tape *t, uint32_t from)
{
    for (size_t i = 0; i < t->entry_capacity && !rg_failed(t); i++) {
        rg_param *p = t->entry[i].param;
        rg_tensor g = t->entry[i].grad;
        if (!p || rg_is_nil(g) || g.id < from)
            continue;
        if (p->has_grad && rg__at(t, (uint32_t)g.id)->slot.param == p->grad &&
            rg__at(t, (uint32_t)g.id)->op == rg__op_leaf)
            continue; /* it is the stored one */
        rg_param *stored = rg__param_grad_storage(p);
        if (!stored)
            rg__fail_named(t, "reset", RG_ERROR_MEMORY, "out of memory for the gradient of '%s'", p->name);
        else if (rg__record_assign(t, stored, g))
            rg__entry_of(t, p)->grad = RG_NIL;
        i = (size_t)-1; /* recording may have moved the entries; those done are nil */
    }
}

/* ---- gradients as tensors ---- */

/* May each be differentiated by? */
static bool are_floats(rg_tape *t, const char *who, const rg_tensor *x, int count)
{
    for (int i = 0; i < count; i++) {
        const rg__node *n = rg__node_of(t, who, x[i]);
        if (!n)
            return false;
        if (n->dtype > RG_F64) {
            rg__fail_named(t, who, RG_ERROR_DTYPE, "no gradient with respect to %s of %s; f32 or f64 is needed",
                           rg_dtype_name((rg_dtype)n->dtype), RG__NODE_TEXT(n));
            return false;
        }
    }
    return true;
}

/* The replay from all y that have a cotangent, back to the x. */
static bool replay_between(replay *r, const rg__pair *y, int ys, const rg_tensor *x, int count)
{
    for (int i = 0; i < count; i++)
        if (x[i].id < r->first + (uint64_t)r->count)
            r->reached[x[i].id - r->first] = true;
    spread_reach(r);
    for (int k = 0; k < ys; k++)
        if (!rg_is_nil(y[k].cotangent))
            accumulate(r, (uint32_t)y[k].y.id, y[k].cotangent);
    return walk(r);
}

bool rg__grad_of(rg_tape *t, const char *who, const rg__pair *y, int ys, const rg_tensor *x, int count, rg_tensor *out)
{
    for (int i = 0; i < count; i++)
        out[i] = RG_NIL;
    if (rg_failed(t) || !are_floats(t, who, x, count))
        return false;
    uint32_t first = UINT32_MAX, last = 0;
    for (int i = 0; i < count; i++)
        first = x[i].id < first ? (uint32_t)x[i].id : first;
    for (int k = 0; k < ys; k++) {
        first = y[k].y.id < first ? (uint32_t)y[k].y.id : first;
        last = y[k].y.id > last ? (uint32_t)y[k].y.id : last;
    }
    replay r = {0};
    const uint16_t flags = t->flags;
    t->flags |= RG__BACKWARD;
    bool ok = ys == 0 || (start(&r, t, first, last) && replay_between(&r, y, ys, x, count));
    for (int i = 0; ok && i < count; i++) {
        const rg_tensor found = cotangent_of(&r, (uint32_t)x[i].id);
        out[i] = rg_is_nil(found) ? rg_zeros_like(t, x[i]) : found;
    }
    if (r.t)
        finish(&r);
    t->flags = flags;
    ok = ok && !rg_failed(t);
    for (int i = 0; !ok && i < count; i++)
        out[i] = RG_NIL;
    return ok;
}

bool rg__grad(rg_tape *t, const char *who, rg_tensor y, rg_tensor cotangent, bool given, const rg_tensor *x, int count,
              rg_tensor *out)
{
    for (int i = 0; out && i < count; i++)
        out[i] = RG_NIL;
    if (!rg__node_of(t, who, y))
        return false;
    if (count < 0 || (count > 0 && (!x || !out))) {
        rg__fail_named(t, who, RG_ERROR_ARGUMENT, "%d tensors to differentiate by%s", count, x && out ? "" : ", at NULL");
        return false;
    }
    if (!are_floats(t, who, x, count))
        return false;
    const uint16_t flags = t->flags;
    t->flags |= RG__BACKWARD;
    const rg__pair from = {y, first_cotangent(t, who, y, cotangent, given)};
    t->flags = flags;
    return rg__grad_of(t, who, &from, 1, x, count, out);
}

bool rg_grad(rg_tape *t, rg_tensor y, const rg_tensor *x, int count, rg_tensor *out)
{
    return rg__grad(t, "grad", y, RG_NIL, false, x, count, out);
}

bool rg_grad_with(rg_tape *t, rg_tensor y, rg_tensor cotangent, const rg_tensor *x, int count, rg_tensor *out)
{
    return rg__grad(t, "grad_with", y, cotangent, true, x, count, out);
}
