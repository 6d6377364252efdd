/* Looking at what is recorded, and at values. */
#include "autograd/params.h"
#include "autograd/tape.h"
#include "exec/run.h"

#include "core/hash.h"

#include <math.h>
#include <string.h>

/* ---- handles ---- */

rg_shape rg_shape_of(rg_tape *t, rg_tensor x)
{
    rg_shape s = {0, {0}};
    const rg__node *n = rg__node_of(t, "shape_of", x);
    if (n) {
        s.rank = n->rank;
        memcpy(s.dims, n->dims, n->rank * sizeof *n->dims);
    }
    return s;
}

rg_dtype rg_dtype_of(rg_tape *t, rg_tensor x)
{
    const rg__node *n = rg__node_of(t, "dtype_of", x);
    return n ? (rg_dtype)n->dtype : RG_F32;
}

int64_t rg_numel(rg_tape *t, rg_tensor x)
{
    const rg__node *n = rg__node_of(t, "numel", x);
    return n ? n->numel : 0;
}

int64_t rg_dim(rg_tape *t, rg_tensor x, int axis)
{
    const rg__node *n = rg__node_of(t, "dim", x);
    if (!n)
        return 0;
    int at = rg__axis(axis, n->rank);
    if (at >= 0)
        return n->dims[at];
    rg__fail_named(t, "dim", RG_ERROR_SHAPE, "axis %d is out of range for %s", axis, RG__NODE_TEXT(n));
    return 0;
}

bool rg_requires_grad(rg_tape *t, rg_tensor x)
{
    const rg__node *n = rg__node_of(t, "requires_grad", x);
    return n && (n->flags & RG__TRACKED);
}

/* ---- values ---- */

rg_tensor rg__own(rg_tape *t, rg_tensor x)
{
    rg__node *n = rg__node_of(t, "copy", x);
    if (!n || !rg__in_parameter(t, n))
        return n ? x : RG_NIL;
    if (n->copied && n->copied <= t->length) { /* a rollback may have ended it and put another node in its place */
        const rg__node *c = rg__at(t, n->copied - 1);
        if (c->op == rg__op_copy && c->in[0] == (uint32_t)x.id)
            return rg__handle(t, n->copied - 1);
    }
    const rg_tensor copy = rg__copy_of(t, x);
    n->copied = rg_is_nil(copy) ? 0 : (uint32_t)copy.id + 1;
    return copy;
}

/* x computed, in storage of the tape, row-major where asked; NULL on error. */
static const rg__node *computed(rg_tape *t, const char *who, rg_tensor x, bool row_major)
{
    if (!rg__node_of(t, who, x))
        return NULL;
    x = rg__own(t, x);
    if (row_major)
        x = rg_contiguous(t, x);
    const rg__node *n = rg__node_of(t, who, x);
    return n && rg__run_pending(t, &(rg__demand){(uint32_t)x.id, true, false}) ? n : NULL;
}

bool rg_tape_run(rg_tape *t)
{
    return t && rg__run_pending(t, &(rg__demand){UINT32_MAX, true, false});
}

double rg_item(rg_tape *t, rg_tensor x)
{
    const rg__node *n = rg__node_of(t, "item", x);
    if (!n)
        return NAN;
    if (n->numel != 1) {
        rg__fail_named(t, "item", RG_ERROR_SHAPE, "%s has %lld elements; one is needed", RG__NODE_TEXT(n),
                       (long long)n->numel);
        return NAN;
    }
    n = computed(t, "item", x, false);
    if (!n)
        return NAN;
    const void *p = rg__value(t, n);
    switch ((rg_dtype)n->dtype) {
    case RG_F32: return *(const float *)p;
    case RG_F64: return *(const double *)p;
    case RG_I32: return *(const int32_t *)p;
    case RG_I64: return (double)*(const int64_t *)p;
    case RG_BOOL: return *(const bool *)p;
    }
    return NAN;
}

bool rg_read(rg_tape *t, rg_tensor x, void *out, size_t out_bytes)
{
    const rg__node *n = rg__node_of(t, "read", x);
    if (!n)
        return false;
    const size_t size = rg_dtype_size((rg_dtype)n->dtype), bytes = (size_t)n->numel * size;
    if (out_bytes != bytes || (!out && bytes)) {
        rg__fail_named(t, "read", RG_ERROR_ARGUMENT, "%s of %s has %zu bytes; room for %zu%s given",
                       rg_dtype_name((rg_dtype)n->dtype), RG__NODE_TEXT(n), bytes, out_bytes, out ? "" : " at NULL");
        return false;
    }
    n = computed(t, "read", x, false);
    if (!n)
        return false;
    int64_t from[RG_MAX_RANK], to[RG_MAX_RANK];
    rg__node_strides(n, from);
    rg__row_major(n->rank, n->dims, to);
    rg__copy(n->rank, n->dims, (rg__strided){out, to, size}, (rg__strided){rg__value(t, n), from, size});
    return true;
}

const void *rg_data(rg_tape *t, rg_tensor x)
{
    const rg__node *n = computed(t, "data", rg_keep(t, x), true);
    return n ? rg__value(t, n) : NULL;
}

static const void *data_of(rg_tape *t, rg_tensor x, rg_dtype dtype)
{
    const rg__node *n = rg__node_of(t, "data", x);
    if (!n)
        return NULL;
    if (n->dtype == dtype)
        return rg_data(t, x);
    rg__fail_named(t, "data", RG_ERROR_DTYPE, "%s of %s is not %s", rg_dtype_name((rg_dtype)n->dtype), RG__NODE_TEXT(n),
                   rg_dtype_name(dtype));
    return NULL;
}

const float *rg_data_f32(rg_tape *t, rg_tensor x)
{
    return data_of(t, x, RG_F32);
}

const double *rg_data_f64(rg_tape *t, rg_tensor x)
{
    return data_of(t, x, RG_F64);
}

const int64_t *rg_data_i64(rg_tape *t, rg_tensor x)
{
    return data_of(t, x, RG_I64);
}

rg_tensor rg_keep(rg_tape *t, rg_tensor x)
{
    const rg_tensor own = rg__node_of(t, "keep", x) ? rg__own(t, x) : RG_NIL;
    const rg__node *n = rg_is_nil(own) ? NULL : rg__at(t, (uint32_t)own.id);
    if (!n)
        return RG_NIL;
    rg__node *root = rg__at(t, n->root);
    if (root->flags & RG__KEEP)
        return x;
    if (!rg__ids_add(t, &t->keeps, n->root))
        return RG_NIL;
    root->flags |= RG__KEEP;
    const uint32_t kept[] = {UINT32_MAX - 1, n->root}; /* the first is no op's key */
    return rg__structure_add(t, kept, sizeof kept) ? x : RG_NIL;
}

/* ---- the tape as data ---- */

int64_t rg_tape_length(const rg_tape *t)
{
    return t ? t->length : 0;
}

rg_tensor rg_tape_at(rg_tape *t, int64_t index)
{
    if (!t)
        return RG_NIL;
    if (index >= 0 && index < t->length)
        return rg__handle(t, (uint32_t)index);
    rg__fail_named(t, "tape_at", RG_ERROR_ARGUMENT, "%lld is not an index of a tape of %lld nodes", (long long)index,
                   (long long)t->length);
    return RG_NIL;
}

uint64_t rg_tape_hash(const rg_tape *t)
{
    return t ? rg__structure_hash((rg_tape *)(uintptr_t)t) : 0;
}

bool rg_tape_node(rg_tape *t, rg_tensor x, rg_node *node)
{
    if (!t || !node)
        return false;
    memset(node, 0, sizeof *node);
    /* A failed tape can still be looked at. */
    const rg__node *n = x.id < t->length ? rg__at(t, (uint32_t)x.id) : NULL;
    if (!n || n->generation != x.generation) {
        rg__node_of(t, "tape_node", x);
        return false;
    }
    node->op = n->op->name;
    node->scope = n->scope;
    node->name = n->op == rg__op_leaf || n->op == rg__op_assign ? n->slot.param->name : "";
    node->input_count = n->n_in;
    node->inputs = n->in;
    node->shape.rank = n->rank;
    memcpy(node->shape.dims, n->dims, n->rank * sizeof *n->dims);
    rg__node_strides(n, node->strides);
    node->dtype = (rg_dtype)n->dtype;
    node->requires_grad = n->flags & RG__TRACKED;
    node->backward = n->flags & RG__BACKWARD;
    node->is_view = n->flags & RG__VIEW;
    /* Where a parameter was assigned since, its present value is not this node's. */
    const rg__node *root = rg__at(t, n->root);
    if (root->op != rg__op_leaf || root->data || root->version == root->slot.param->version)
        node->data = rg__value(t, n);
    node->computed = node->data != NULL;
    rg__attributes_text(n, node->attributes, sizeof node->attributes);
    return true;
}
