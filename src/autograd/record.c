/* Recording: checks handles, appends nodes, keeps the hash of the structure. Implements what op.h promises families. */
#include "autograd/tape.h"
#include "core/hash.h"
#include "exec/run.h"

#include <stdlib.h>
#include <string.h>

/* ---- arguments ---- */

rg__node *rg__node_of(rg_tape *t, const char *who, rg_tensor x)
{
    if (!t || t->error.status != RG_OK)
        return NULL;
    if (x.id < t->length) {
        rg__node *n = rg__at(t, (uint32_t)x.id);
        if (n->generation == x.generation)
            return n;
    }
    const char *why = "an argument is from before the tape's last reset or rollback";
    if (x.generation == 0)
        why = "an argument is nil";
    else if (x.generation >> 40 != t->generation >> 40)
        why = "an argument is from another tape";
    rg__fail_named(t, who, RG_ERROR_HANDLE, "%s", why);
    return NULL;
}

const rg__node *rg__arg(rg_tape *t, const rg__op *op, rg_tensor x)
{
    return rg__node_of(t, op->name, x);
}

const rg__node *rg__arg_of(rg_tape *t, const rg__op *op, rg_tensor x, rg__dtype_class allowed)
{
    static const struct {
        const char *text;
        bool has[RG_DTYPES];
    } class[] = {
        [RG__ANY] = {"any dtype", {true, true, true, true, true}},
        [RG__NUMBER] = {"f32, f64, i32 or i64", {true, true, true, true, false}},
        [RG__FLOATS] = {"f32 or f64", {true, true, false, false, false}},
        [RG__INTEGER] = {"i32 or i64", {false, false, true, true, false}},
        [RG__BOOLS] = {"bool", {false, false, false, false, true}},
    };
    const rg__node *n = rg__arg(t, op, x);
    if (!n || class[allowed].has[n->dtype])
        return n;
    rg__fail(t, op, RG_ERROR_DTYPE, "%s of %s given; %s is needed", rg_dtype_name((rg_dtype)n->dtype), RG__NODE_TEXT(n),
             class[allowed].text);
    return NULL;
}

bool rg__axis_set(rg_tape *t, const rg__op *op, const rg__node *x, rg_axes axes, uint32_t *set)
{
    if (axes.count < 0 || axes.count > RG_MAX_RANK) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%d axes given; 0 to %d are allowed", axes.count, RG_MAX_RANK);
        return false;
    }
    *set = axes.count ? 0 : (1u << x->rank) - 1;
    for (int i = 0; i < axes.count; i++) {
        if (x->rank == 0 && (axes.axis[i] == 0 || axes.axis[i] == -1))
            continue;
        int axis = rg__axis_of(t, op, x, axes.axis[i]);
        if (axis < 0)
            return false;
        if (*set >> axis & 1) {
            rg__fail(t, op, RG_ERROR_SHAPE, "axis %d of %s is given twice", axes.axis[i], RG__NODE_TEXT(x));
            return false;
        }
        *set |= 1u << axis;
    }
    return true;
}

int rg__axis_of(rg_tape *t, const rg__op *op, const rg__node *x, int axis)
{
    int at = rg__axis(axis, x->rank);
    if (at < 0)
        rg__fail(t, op, RG_ERROR_SHAPE, "axis %d is out of range for %s", axis, RG__NODE_TEXT(x));
    return at;
}

void rg__node_strides(const rg__node *node, int64_t *strides)
{
    if (node->strides)
        memcpy(strides, node->strides, node->rank * sizeof *strides);
    else
        rg__row_major(node->rank, node->dims, strides);
}

rg_tensor rg__like(rg_tape *t, rg_tensor x, double value)
{
    const rg__node *n = rg__node_of(t, "constant", x);
    return n ? rg_constant(t, (rg_dtype)n->dtype, value) : RG_NIL;
}

uint64_t rg__tape_seed(const rg_tape *t)
{
    return t->seed;
}

/* ---- nodes ---- */

static rg__node *out_of_memory(rg_tape *t, const rg__op *op)
{
    rg__fail(t, op, RG_ERROR_MEMORY, "out of memory");
    return NULL;
}

/* Room for one more node; its index is t->length. */
static rg__node *next_node(rg_tape *t, const rg__op *op)
{
    const size_t chunk = t->length / RG__NODES_PER_CHUNK;
    if (t->length == UINT32_MAX - 1)
        return out_of_memory(t, op);
    if (chunk == t->chunks) {
        if ((chunk & (chunk - 1)) == 0) { /* the list of chunks doubles */
            rg__node **more = realloc(t->chunk, (chunk ? 2 * chunk : 1) * sizeof *more);
            if (!more)
                return out_of_memory(t, op);
            t->chunk = more;
        }
        t->chunk[chunk] = malloc(RG__NODES_PER_CHUNK * sizeof(rg__node));
        if (!t->chunk[chunk])
            return out_of_memory(t, op);
        t->chunks++;
    }
    return rg__at(t, t->length);
}

static void *keep_copy(rg_tape *t, const void *data, size_t bytes)
{
    void *p = rg__arena_alloc(&t->arena, bytes);
    if (p && bytes)
        memcpy(p, data, bytes);
    return p;
}

/* ---- the structure ---- */

#define HASH_BLOCK ((size_t)4096)

bool rg__structure_add(rg_tape *t, const void *bytes, size_t n)
{
    rg__structure *s = &t->structure;
    if (s->capacity - s->used < n) {
        size_t capacity = 2 * s->capacity + n + HASH_BLOCK;
        unsigned char *more = realloc(s->bytes, capacity);
        if (!more) {
            rg__fail_named(t, "tape", RG_ERROR_MEMORY, "out of memory");
            return false;
        }
        s->bytes = more;
        s->capacity = capacity;
    }
    memcpy(s->bytes + s->used, bytes, n);
    s->used += n;
    return true;
}

void rg__structure_cut(rg_tape *t, size_t used)
{
    t->structure.used = used;
    if (t->structure.hashed > used) {
        t->structure.hashed = 0;
        t->structure.hash = 0;
    }
}

/* Block by block, so that asking in between changes nothing. */
uint64_t rg__structure_hash(rg_tape *t)
{
    rg__structure *s = &t->structure;
    for (; s->used - s->hashed >= HASH_BLOCK; s->hashed += HASH_BLOCK)
        s->hash = rg__hash64(s->bytes + s->hashed, HASH_BLOCK, s->hash);
    return rg__hash64(s->bytes + s->hashed, s->used - s->hashed, s->hash);
}

/* Everything that makes two programs different, but no value and no address. */
static bool add_structure(rg_tape *t, const rg__node *n)
{
    enum { STRIDED = 1 << 15, LONG = 256 }; /* long attributes, and many inputs, come separately */
    unsigned char bytes[32 + 2 * RG_MAX_RANK * sizeof *n->dims + sizeof n->small_in + LONG];
    uint64_t identity;
    const size_t dims = n->rank * sizeof *n->dims, inputs = n->n_in * sizeof *n->in, attr = n->op->attr_size;
    const uint32_t op = rg__op_key(n->op);
    const bool strided = n->n_in == 0 && n->strides; /* those of views follow from what they are views of */
    const uint16_t flags =
        (n->flags & (RG__CUT | RG__INFERENCE | RG__TRACKED | RG__VIEW | RG__PASSING)) | (strided ? STRIDED : 0);
    unsigned char *p = bytes;
#define PUT(from, size) (memcpy(p, from, size), p += (size))
    PUT(&op, sizeof op);
    if (op == UINT32_MAX && rg__custom_identity(n->op, &identity))
        PUT(&identity, sizeof identity);
    else if (op == UINT32_MAX) /* of no table: told apart by where it is */
        PUT(&n->op, sizeof n->op);
    PUT(&flags, sizeof flags);
    PUT(&n->n_in, sizeof n->n_in);
    PUT(&n->dtype, 1);
    PUT(&n->rank, 1);
    PUT(&n->round, sizeof n->round);
    PUT(n->dims, dims);
    if (strided)
        PUT(n->strides, dims);
    if (n->op == rg__op_leaf || n->op == rg__op_assign) { /* which of the parameters, not where it lies */
        const rg__entry *e = rg__entry_of(t, n->slot.param);
        if (!e)
            return false;
        PUT(&e->number, sizeof e->number);
    }
    if (attr > LONG) {
        if (!rg__structure_add(t, n->attr, attr))
            return false;
    } else if (attr) {
        PUT(n->attr, attr);
    }
    if (n->n_in <= sizeof n->small_in / sizeof *n->small_in) {
        PUT(n->in, inputs);
        return rg__structure_add(t, bytes, (size_t)(p - bytes));
    }
    return rg__structure_add(t, bytes, (size_t)(p - bytes)) && rg__structure_add(t, n->in, inputs);
#undef PUT
}

/* A node with inputs, dims and attributes in place; NULL and an error when out of memory. It counts when finish() says. */
static rg__node *begin(rg_tape *t, const rg__op *op, const rg_tensor *in, int n_in, rg_dtype dtype, int rank,
                       const int64_t *dims, const void *attr)
{
    int64_t numel = rg__numel(rank, dims);
    if (rank > RG_MAX_RANK || numel < 0) {
        rg__fail(t, op, RG_ERROR_SHAPE, "the result %s (rank %d) is too large: rank 0 to %d, and sizes without overflow",
                 RG__DIMS_TEXT(rank, dims), rank, RG_MAX_RANK);
        return NULL;
    }
    rg__node *n = next_node(t, op);
    if (!n)
        return NULL;
    *n = (rg__node){
        .op = op,
        .scope = rg_scope(t),
        .generation = t->generation,
        .numel = numel,
        .root = t->length,
        .round = n_in ? t->round : 0,
        .flags = t->flags,
        .n_in = (uint16_t)n_in,
        .dtype = (uint8_t)dtype,
        .rank = (uint8_t)rank,
    };
    uint32_t *ids = n->small_in;
    if (n_in > (int)(sizeof n->small_in / sizeof *n->small_in))
        ids = rg__arena_alloc(&t->arena, (size_t)n_in * sizeof *ids);
    n->in = ids;
    n->dims = dims;
    bool shared = n_in > 0 && rank > 0 && dims == rg__at(t, (uint32_t)in[0].id)->dims;
    if (!shared)
        n->dims = keep_copy(t, dims, (size_t)rank * sizeof *dims);
    if (op->attr_size)
        n->attr = keep_copy(t, attr, op->attr_size);
    if (!ids || !n->dims || (op->attr_size && !n->attr))
        return out_of_memory(t, op);
    for (int i = 0; i < n_in; i++)
        ids[i] = (uint32_t)in[i].id;
    return n;
}

/* Settles through what gradients flow, hashes and counts the node; in eager mode, runs it. */
static rg_tensor finish(rg_tape *t, rg__node *n)
{
    const rg_mode mode = rg_mode_of(t);
    bool inference = false, tracked = n->flags & RG__TRACKED;
    for (int i = 0; i < n->n_in && n->op != rg__op_leaf; i++) {
        uint16_t flags = rg__at(t, n->in[i])->flags;
        tracked = tracked || (flags & RG__TRACKED);
        inference = inference || (flags & RG__INFERENCE);
    }
    if (mode == RG_INFERENCE)
        n->flags |= RG__INFERENCE;
    if (mode != RG_GRAD || !n->op->differentiable || n->dtype > RG_F64)
        n->flags |= RG__CUT;
    if ((n->flags & RG__CUT) || !tracked)
        n->flags &= (uint16_t)~RG__TRACKED;
    else
        n->flags |= RG__TRACKED;
    if (inference && (n->flags & RG__TRACKED)) {
        rg__fail(t, n->op, RG_ERROR_STATE,
                 "a result of an inference section enters an op that gradients flow through; "
                 "rg_detach it first");
        return RG_NIL;
    }
    if (!add_structure(t, n))
        return RG_NIL;
    uint32_t id = t->length++;
    if (t->eager && !rg__run_one(t, id))
        return RG_NIL;
    return (rg_tensor){n->generation, id};
}

rg_tensor rg__record(rg_tape *t, const rg__op *op, const rg_tensor *in, int n_in, rg_dtype dtype, int rank,
                     const int64_t *dims, const void *attr)
{
    if (rg_failed(t))
        return RG_NIL;
    rg__node *n = begin(t, op, in, n_in, dtype, rank, dims, attr);
    return n ? finish(t, n) : RG_NIL;
}

rg_tensor rg__record_slot(rg_tape *t, const rg__op *op, const rg_tensor *in, int n_in, rg_dtype dtype, int rank,
                          const int64_t *dims, const void *attr, const rg__source *source)
{
    if (rg_failed(t))
        return RG_NIL;
    rg__node *n = begin(t, op, in, n_in, dtype, rank, dims, attr);
    if (!n)
        return RG_NIL;
    n->slot.counter = source->slot; /* a union: the bits of whatever it is */
    n->version = source->version;
    n->data = source->data;
    n->flags |= source->flags;
    if (source->strides) {
        n->strides = keep_copy(t, source->strides, (size_t)rank * sizeof *n->strides);
        if (!n->strides) {
            out_of_memory(t, op);
            return RG_NIL;
        }
    }
    if (source->flags & RG__VIEW) {
        const rg__node *x = rg__at(t, n->in[0]);
        n->root = x->root;
        n->offset = source->offset;
    }
    return finish(t, n);
}

rg_tensor rg__record_view(rg_tape *t, const rg__op *op, rg_tensor x, int rank, const int64_t *dims,
                          const int64_t *strides, int64_t offset, const void *attr)
{
    rg__source source = {.flags = RG__VIEW, .offset = offset};
    if (rank <= RG_MAX_RANK && !rg__is_row_major(rank, dims, strides))
        source.strides = strides;
    return rg__record_slot(t, op, &x, 1, (rg_dtype)rg__at(t, (uint32_t)x.id)->dtype, rank, dims, attr, &source);
}

rg_tensor rg__record_random(rg_tape *t, const rg__op *op, rg_dtype dtype, int rank, const int64_t *dims, const void *attr)
{
    return rg__record_draw(t, op, NULL, 0, dtype, rank, dims, attr);
}

rg_tensor rg__record_draw(rg_tape *t, const rg__op *op, const rg_tensor *in, int n_in, rg_dtype dtype, int rank,
                          const int64_t *dims, const void *attr)
{
    if (rg_failed(t))
        return RG_NIL;
    rg__source source = {.slot = t->counter};
    t->counter += (uint64_t)rg__numel(rank, dims);
    return rg__record_slot(t, op, in, n_in, dtype, rank, dims, attr, &source);
}

static rg_tensor differ(rg_tape *t, const rg__op *op, rg_status status, const rg__node *a, const rg__node *b)
{
    if (status == RG_ERROR_DTYPE)
        rg__fail(t, op, status, "%s of %s and %s of %s: dtypes must agree; rg_cast converts",
                 rg_dtype_name((rg_dtype)a->dtype), RG__NODE_TEXT(a), rg_dtype_name((rg_dtype)b->dtype),
                 RG__NODE_TEXT(b));
    else
        rg__fail(t, op, status, "%s and %s do not broadcast", RG__NODE_TEXT(a), RG__NODE_TEXT(b));
    return RG_NIL;
}

rg_tensor rg__record_pointwise(rg_tape *t, const rg__op *op, const rg_tensor *in, int n_in, const void *attr)
{
    const rg__node *n[3] = {NULL};
    for (int i = 0; i < n_in; i++)
        if (!(n[i] = rg__arg(t, op, in[i])))
            return RG_NIL;
    /* The last arguments have one dtype; the first of three is a condition. */
    const rg__node *last = n[n_in - 1];
    if (n_in == 3 && n[0]->dtype != RG_BOOL) {
        rg__fail(t, op, RG_ERROR_DTYPE, "the condition is %s of %s; bool is needed",
                 rg_dtype_name((rg_dtype)n[0]->dtype), RG__NODE_TEXT(n[0]));
        return RG_NIL;
    }
    if (n_in > 1 && n[n_in - 2]->dtype != last->dtype)
        return differ(t, op, RG_ERROR_DTYPE, n[n_in - 2], last);
    if (!op->loop[last->dtype]) {
        rg__fail(t, op, RG_ERROR_DTYPE, "%s of %s given; %s is needed", rg_dtype_name((rg_dtype)last->dtype),
                 RG__NODE_TEXT(last),
                 !op->loop[RG_F32]  ? !op->loop[RG_I32]   ? "bool"
                                      : op->loop[RG_BOOL] ? "i32, i64 or bool"
                                                          : "i32 or i64"
                 : op->loop[RG_I32] ? "f32, f64, i32 or i64"
                                    : "f32 or f64");
        return RG_NIL;
    }
    int rank = n[0]->rank;
    const int64_t *dims = n[0]->dims;
    int64_t joined[RG_MAX_RANK];
    for (int i = 1; i < n_in; i++) {
        if (rg__dims_equal(rank, dims, n[i]->rank, n[i]->dims))
            continue;
        if (dims != joined)
            memcpy(joined, dims, (size_t)rank * sizeof *dims);
        dims = joined;
        if (!rg__broadcast(&rank, joined, n[i]->rank, n[i]->dims))
            return differ(t, op, RG_ERROR_SHAPE, n[0], n[i]);
    }
    return rg__record(t, op, in, n_in, op->bool_result ? RG_BOOL : (rg_dtype)last->dtype, rank, dims, attr);
}
