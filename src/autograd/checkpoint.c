/* Checkpoints: functions whose intermediate values are not kept for the backward pass, but computed again in it (Chen, Xu,
 * Zhang, Guestrin: "Training deep nets with sublinear memory cost", 2016).
 *
 * The function is called once. What it recorded stands behind a node `checkpoint`, whose inputs are the result and
 * everything that the function read from outside. The backward pass records the same nodes once more, from views of those
 * inputs (`recall`), and goes back through the copies. They carry a number, their round, by which plans keep them apart
 * from the first ones and compute them no earlier than where they were recorded. */
#include "autograd/tape.h"
#include "ops/call.h"
#include "ops/family.h"

#include <retrograd/functional.h>

#include <string.h>

#define ROWS(ROW)                                                                                                  \
    ROW(checkpoint, -1, RG__DIFF, RG__NOKERNEL, "f(x...), recorded again for its gradients", RG__ATTR(checkpoint), \
        .again = again_checkpoint)                                                                                 \
    ROW(recall, 1, RG__DIFF, RG__NOKERNEL, "x, for what is recorded again", .again = again_recall)

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_checkpoint[OP_##name])
const rg__op *const rg__op_checkpoint = OP(checkpoint);

struct checkpoint {
    int64_t nodes; /* in[0] is the last of so many, among which all of the function's are */
};
static const rg__field fields_checkpoint[] = {RG__FIELD(struct checkpoint, nodes, RG__INT), {0}};

/* A node that shows x as it is; x comes first in `in`. */
static rg_tensor same_view(rg_tape *t, const rg__op *op, const rg_tensor *in, int n_in, const void *attr)
{
    const rg__node *x = rg__at(t, (uint32_t)in[0].id);
    rg__source source = {.flags = RG__VIEW, .offset = x->offset, .strides = x->strides};
    return rg__record_slot(t, op, in, n_in, (rg_dtype)x->dtype, x->rank, x->dims, attr, &source);
}

static rg_tensor again_recall(rg_tape *t, rg_tensor x, const rg__node *like)
{
    (void)like;
    return same_view(t, OP(recall), &x, 1, NULL);
}

static rg_tensor again_checkpoint(rg_tape *t, rg_tensor x, const rg__node *like)
{
    return again_recall(t, x, like);
}

static void vjp_recall(const rg__vjp *v)
{
    RG__GRAD(v, 0, v->g);
}

/* The walk sees to checkpoints itself. */
static void vjp_checkpoint(const rg__vjp *v)
{
    rg__fail(v->t, v->node->op, RG_ERROR_STATE, "its function was not recorded again");
}

/* ---- what a function did ----------------------------------------------------------------------------------------- */

/* Of nodes first .. first + count - 1: what becomes of each. */
typedef struct span {
    rg_tape *t;
    uint32_t first, count;
    uint32_t *copy; /* 0: nothing; NEEDED; else 1 + the node that stands for it */
} span;
#define NEEDED UINT32_MAX

static bool start(span *s, rg_tape *t, const rg__op *op, uint32_t first, uint32_t last)
{
    *s = (span){t, first, last - first + 1, NULL};
    s->copy = rg__pool_get(&t->pool, s->count * sizeof *s->copy);
    if (s->copy)
        memset(s->copy, 0, s->count * sizeof *s->copy);
    else
        rg__fail(t, op, RG_ERROR_MEMORY, "out of memory");
    return s->copy != NULL;
}

static void finish(span *s)
{
    if (s->copy)
        rg__pool_put(&s->t->pool, s->copy, s->count * sizeof *s->copy);
}

/* Values from outside, numbers, parameters: they are there, or cost nothing. */
static bool is_source(const rg__node *n)
{
    return (n->n_in == 0 && !n->op->random) || n->op == rg__op_leaf;
}

/* Marks what the last node needs, as far as it is not settled what stands for it. */
static void mark_needed(span *s)
{
    s->copy[s->count - 1] = NEEDED;
    for (uint32_t i = s->count; i-- > 0;) {
        const rg__node *n = rg__at(s->t, s->first + i);
        if (s->copy[i] != NEEDED || is_source(n))
            continue;
        for (int k = 0; k < n->n_in; k++)
            if (n->in[k] >= s->first && !s->copy[n->in[k] - s->first])
                s->copy[n->in[k] - s->first] = NEEDED;
    }
}

/* ---- recording it the first time --------------------------------------------------------------------------------- */

typedef struct outside {
    rg_tensor *in; /* in[0] the result, then what was read, each once */
    int count, capacity;
} outside;

static bool add_outside(rg_tape *t, outside *o, uint32_t id)
{
    for (int i = 1; i < o->count; i++)
        if (o->in[i].id == id)
            return true;
    if (o->count == UINT16_MAX) {
        rg__fail(t, OP(checkpoint), RG_ERROR_ARGUMENT, "the function reads more than %d tensors from outside",
                 UINT16_MAX - 1);
        return false;
    }
    if (o->count == o->capacity) { /* the old list stays in the arena until the reset */
        const int capacity = 2 * o->capacity + 8;
        rg_tensor *more = rg__arena_alloc(&t->arena, (size_t)capacity * sizeof *more);
        if (!more) {
            rg__fail(t, OP(checkpoint), RG_ERROR_MEMORY, "out of memory");
            return false;
        }
        if (o->count)
            memcpy(more, o->in, (size_t)o->count * sizeof *more);
        o->in = more;
        o->capacity = capacity;
    }
    o->in[o->count++] = rg__handle(t, id);
    return true;
}

/* Everything that the needed nodes read from before the function, and the parameters. */
static bool find_outside(const span *s, outside *o)
{
    bool ok = true;
    for (uint32_t i = 0; i < s->count && ok; i++) {
        const rg__node *n = rg__at(s->t, s->first + i);
        for (int k = 0; s->copy[i] && !is_source(n) && k < n->n_in && ok; k++)
            if (n->in[k] < s->first || rg__at(s->t, n->in[k])->op == rg__op_leaf)
                ok = add_outside(s->t, o, n->in[k]);
    }
    return ok;
}

/* y, the last that matters of the nodes from `first` on, as a checkpoint. */
static rg_tensor wrap(rg_tape *t, uint32_t first, rg_tensor y)
{
    span s;
    outside o = {0};
    rg_tensor out = RG_NIL;
    if (start(&s, t, OP(checkpoint), first, (uint32_t)y.id) && add_outside(t, &o, (uint32_t)y.id)) {
        mark_needed(&s);
        if (find_outside(&s, &o))
            out = same_view(t, OP(checkpoint), o.in, o.count, &(struct checkpoint){(int64_t)y.id - first + 1});
    }
    finish(&s);
    rg__node *root = rg__at(t, rg__at(t, (uint32_t)y.id)->root);
    if (!rg_is_nil(out) && !(t->flags & RG__PASSING) && (root->flags & RG__PASSING))
        root->flags ^= RG__PASSING | RG__RESUMED;
    return out;
}

rg_tensor rg_checkpoint(rg_tape *t, rg_function f, const rg_tensor *x, int count, void *user)
{
    if (rg_failed(t))
        return RG_NIL;
    if (!f || count < 0 || (count > 0 && !x)) {
        rg__fail(t, OP(checkpoint), RG_ERROR_ARGUMENT, "%s and %d tensors%s given", f ? "a function" : "no function",
                 count, count > 0 && !x ? " at NULL" : "");
        return RG_NIL;
    }
    const uint32_t first = t->length;
    const uint16_t flags = t->flags;
    const bool differentiable = rg_mode_of(t) == RG_GRAD;
    if (differentiable)
        t->flags |= RG__PASSING;
    rg_tensor y = f(t, x, count, user);
    t->flags = flags;
    if (rg_is_nil(y) && !rg_failed(t))
        rg__fail(t, OP(checkpoint), RG_ERROR_STATE, "the function returned no tensor");
    const rg__node *n = rg_failed(t) ? NULL : rg__arg(t, OP(checkpoint), y);
    if (!n || !differentiable || y.id < first || is_source(n))
        return n ? y : RG_NIL;
    return wrap(t, first, y);
}

/* ---- recording it again ------------------------------------------------------------------------------------------ */

/* What stands for a node that the function read or made. */
static uint32_t stand_in(const span *s, const rg__node *checkpoint, uint32_t first_recalled, uint32_t id)
{
    if (id >= s->first) {
        const uint32_t copy = s->copy[id - s->first];
        return copy == NEEDED || copy == 0 ? id : copy - 1; /* sources stand for themselves */
    }
    for (int i = 1; i < checkpoint->n_in; i++)
        if (checkpoint->in[i] == id)
            return first_recalled + (uint32_t)i - 1;
    return id;
}

/* The node with stand-ins as its inputs; the draws of a random op are those of the first time. */
static bool copy_node(span *s, const rg__node *checkpoint, uint32_t first_recalled, uint32_t id)
{
    enum { FEW = 8 };
    rg_tape *t = s->t;
    const rg__node *n = rg__at(t, id);
    rg_tensor few[FEW], *in = few;
    if (n->n_in > FEW && !(in = rg__arena_alloc(&t->arena, n->n_in * sizeof *in))) {
        rg__fail(t, n->op, RG_ERROR_MEMORY, "out of memory");
        return false;
    }
    for (int i = 0; i < n->n_in; i++)
        in[i] = rg__handle(t, stand_in(s, checkpoint, first_recalled, n->in[i]));
    const rg__source source = {
        .slot = n->slot.counter,
        .version = n->version,
        .flags = n->flags & (RG__CUT | RG__INFERENCE | RG__VIEW),
        .strides = n->strides,
        .offset = n->offset,
    };
    struct checkpoint nested;
    const void *attr = n->attr;
    if (n->op == OP(checkpoint)) {
        nested.nodes = (int64_t)in[0].id - first_recalled + 1;
        attr = &nested;
    }
    rg__frame scope = {NULL, n->scope, RG_GRAD}, *outer = t->scope;
    t->scope = &scope;
    const rg_tensor copy = rg__record_slot(t, n->op, in, n->n_in, (rg_dtype)n->dtype, n->rank, n->dims, attr, &source);
    t->scope = outer;
    s->copy[id - s->first] = rg_is_nil(copy) ? 0 : (uint32_t)copy.id + 1;
    return !rg_is_nil(copy);
}

/* A view of each tensor from outside. Those among the function's own nodes are parameters, or were made by the checkpoint
 * around this one. */
static bool recall_outside(span *s, const rg__node *checkpoint, uint32_t first_recalled)
{
    bool ok = true;
    for (int i = 1; i < checkpoint->n_in && ok; i++) {
        const uint32_t id = checkpoint->in[i];
        ok = !rg_is_nil(again_recall(s->t, rg__handle(s->t, id), NULL));
        if (id >= s->first)
            s->copy[id - s->first] = first_recalled + (uint32_t)i;
    }
    return ok;
}

bool rg__recall(rg_tape *t, const rg__node *checkpoint, rg__recalled *recalled)
{
    const struct checkpoint *a = checkpoint->attr;
    const uint32_t y = checkpoint->in[0], first_recalled = t->length;
    const uint16_t flags = t->flags;
    rg__frame mode = {NULL, "", RG_GRAD}, *outer = t->mode;
    span s;
    bool ok = start(&s, t, checkpoint->op, y - (uint32_t)a->nodes + 1, y);
    t->flags |= RG__PASSING;
    t->mode = &mode; /* gradients flow where they flowed the first time */
    ok = ok && recall_outside(&s, checkpoint, first_recalled);
    if (ok)
        mark_needed(&s);
    for (uint32_t i = 0; i < s.count && ok; i++)
        if (s.copy[i] == NEEDED && !is_source(rg__at(t, s.first + i)))
            ok = copy_node(&s, checkpoint, first_recalled, s.first + i);
    t->mode = outer;
    t->flags = flags;
    if (ok)
        *recalled = (rg__recalled){first_recalled, s.copy[s.count - 1] - 1};
    finish(&s);
    return ok;
}

/* ---- samples ----------------------------------------------------------------------------------------------------- */

static rg_tensor tanh_of_product(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_tanh(t, rg_matmul(t, x[0], rg_transpose(t, x[1], 0, 1)));
}

static rg_tensor noisy(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)user;
    rg_tensor noise = rg_rand_like(t, x[0]);
    return rg_checkpoint(t, tanh_of_product, (const rg_tensor[]){rg_mul(t, x[0], noise), x[1]}, count, NULL);
}

static rg_tensor sample_checkpoint(rg__draw *draw, int index)
{
    if (index > 2)
        return RG_NIL;
    const int64_t rows = index == 2 ? 0 : 2;
    rg_tensor x[2] = {RG__DRAW(draw, RG_SHAPE(rows, 3), RG__REAL), RG__DRAW(draw, RG_SHAPE(4, 3), RG__REAL)};
    return rg_checkpoint(draw->t, index == 1 ? noisy : tanh_of_product, x, 2, NULL);
}

static rg_tensor sample_recall(rg__draw *draw, int index)
{
    return index > 0 ? RG_NIL : again_recall(draw->t, RG__DRAW(draw, RG_SHAPE(2, 3), RG__REAL), NULL);
}

RG__FAMILY(checkpoint, ROWS(RG__ROW))
