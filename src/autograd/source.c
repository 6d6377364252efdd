/* What enters and leaves a tape: inputs, scalars, parameters, assignments, detached values. */
#include "autograd/params.h"
#include "autograd/tape.h"
#include "ops/call.h"
#include "ops/family.h"

#include <string.h>

#define ROWS(ROW)                                                                                \
    ROW(input, 0, RG__NODIFF, RG__NOKERNEL, "a value given")                                     \
    ROW(scalar, 0, RG__NODIFF, RG__KERNEL, "a number that may differ from run to run",           \
        RG__CALLED(scalar, "dtype: dtype, value: real"))                                         \
    ROW(constant, 0, RG__NODIFF, RG__KERNEL, "a number", RG__ATTR(constant),                     \
        RG__CALLED(constant, "dtype: dtype, value: real"))                                       \
    ROW(leaf, -1, RG__THROUGH, RG__NOKERNEL, "a parameter", .no_sample = "needs a parameter")    \
    ROW(assign, 1, RG__NODIFF, RG__NOKERNEL, "parameter := x", .no_sample = "needs a parameter") \
    ROW(detach, 1, RG__NODIFF, RG__NOKERNEL, "x without its history", RG__CALLED(detach, "x: any"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_source[OP_##name])

const rg__op *const rg__op_leaf = &rg__ops_source[OP_leaf], *const rg__op_assign = &rg__ops_source[OP_assign];
const rg__op *const rg__op_constant = &rg__ops_source[OP_constant];

/* ---- inputs ---- */

static bool valid_input(rg_tape *t, rg_dtype dtype, rg_shape shape, const void *data)
{
    if (rg_failed(t))
        return false;
    int64_t numel = rg_shape_numel(shape);
    if ((unsigned)dtype >= RG_DTYPES)
        rg__fail(t, OP(input), RG_ERROR_ARGUMENT, "%d is no dtype", (int)dtype);
    else if (numel < 0)
        rg__fail(t, OP(input), RG_ERROR_SHAPE,
                 "%s (rank %d) is not a valid shape: rank 0 to %d, no negative extent, no overflow",
                 RG__DIMS_TEXT(shape.rank, shape.dims), shape.rank, RG_MAX_RANK);
    else if (!data && numel > 0)
        rg__fail(t, OP(input), RG_ERROR_ARGUMENT, "NULL data for %s", RG__DIMS_TEXT(shape.rank, shape.dims));
    else
        return true;
    return false;
}

rg_tensor rg_input(rg_tape *t, rg_dtype dtype, rg_shape shape, const void *data)
{
    if (!valid_input(t, dtype, shape, data))
        return RG_NIL;
    const size_t bytes = (size_t)rg_shape_numel(shape) * rg_dtype_size(dtype);
    rg__source source = {.data = rg__pool_get(&t->pool, bytes)};
    if (!source.data) {
        rg__fail(t, OP(input), RG_ERROR_MEMORY, "out of memory for %zu bytes", bytes);
        return RG_NIL;
    }
    if (bytes)
        memcpy(source.data, data, bytes);
    rg_tensor x = rg__record_slot(t, OP(input), NULL, 0, dtype, shape.rank, shape.dims, NULL, &source);
    if (rg_is_nil(x))
        rg__pool_put(&t->pool, source.data, bytes);
    return x;
}

rg_tensor rg_input_f32(rg_tape *t, rg_shape shape, const float *data)
{
    return rg_input(t, RG_F32, shape, data);
}

rg_tensor rg_input_f64(rg_tape *t, rg_shape shape, const double *data)
{
    return rg_input(t, RG_F64, shape, data);
}

rg_tensor rg_input_i32(rg_tape *t, rg_shape shape, const int32_t *data)
{
    return rg_input(t, RG_I32, shape, data);
}

rg_tensor rg_input_i64(rg_tape *t, rg_shape shape, const int64_t *data)
{
    return rg_input(t, RG_I64, shape, data);
}

rg_tensor rg_input_bool(rg_tape *t, rg_shape shape, const bool *data)
{
    return rg_input(t, RG_BOOL, shape, data);
}

rg_tensor rg_borrow(rg_tape *t, rg_dtype dtype, rg_shape shape, const int64_t *strides, const void *data)
{
    static const char nothing[8];
    if (!valid_input(t, dtype, shape, data))
        return RG_NIL;
    rg__source source = {.data = (void *)(uintptr_t)(data ? data : nothing), .flags = RG__EXTERNAL};
    if (strides && !rg__is_row_major(shape.rank, shape.dims, strides))
        source.strides = strides;
    return rg__record_slot(t, OP(input), NULL, 0, dtype, shape.rank, shape.dims, NULL, &source);
}

/* ---- scalars ---- */

struct constant {
    double value;
};
static const rg__field fields_constant[] = {RG__FIELD(struct constant, value, RG__FLOAT), {0}};

void rg__store_number(rg_dtype dtype, void *out, double value)
{
    switch (dtype) {
    case RG_F32: *(float *)out = (float)value; break;
    case RG_F64: *(double *)out = value; break;
    case RG_I32: *(int32_t *)out = (int32_t)value; break;
    case RG_I64: *(int64_t *)out = (int64_t)value; break;
    case RG_BOOL: *(bool *)out = value != 0; break;
    }
}

static bool kernel_scalar(const rg__run *run)
{
    rg__store_number(run->out.dtype, run->out.data, run->node->slot.scalar);
    return true;
}

static bool kernel_constant(const rg__run *run)
{
    rg__store_number(run->out.dtype, run->out.data, ((const struct constant *)run->node->attr)->value);
    return true;
}

/* Can the dtype hold the value? */
static bool valid_number(rg_tape *t, const rg__op *op, rg_dtype dtype, double value)
{
    if (rg_failed(t))
        return false;
    if ((unsigned)dtype >= RG_DTYPES)
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%d is no dtype", (int)dtype);
    else if (!rg__dtype_holds(dtype, value))
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%g is not a whole number that %s can hold", value, rg_dtype_name(dtype));
    else
        return true;
    return false;
}

rg_tensor rg_scalar(rg_tape *t, rg_dtype dtype, double value)
{
    if (!valid_number(t, OP(scalar), dtype, value))
        return RG_NIL;
    rg__source source = {0};
    memcpy(&source.slot, &value, sizeof value);
    return rg__record_slot(t, OP(scalar), NULL, 0, dtype, 0, NULL, NULL, &source);
}

rg_tensor rg_constant(rg_tape *t, rg_dtype dtype, double value)
{
    if (!valid_number(t, OP(constant), dtype, value))
        return RG_NIL;
    return rg__record(t, OP(constant), NULL, 0, dtype, 0, NULL, &(struct constant){value});
}

/* ---- parameters ---- */

rg_tensor rg_leaf(rg_tape *t, rg_param *p)
{
    if (rg_failed(t))
        return RG_NIL;
    if (!p) {
        rg__fail(t, OP(leaf), RG_ERROR_ARGUMENT, "the parameter is NULL; rg_params_error says why it was not made");
        return RG_NIL;
    }
    rg__entry *e = rg__entry_of(t, p);
    if (!e)
        return RG_NIL;
    if (!rg_is_nil(e->leaf)) {
        const rg__node *n = rg__at(t, (uint32_t)e->leaf.id);
        bool trainable = n->flags & RG__TRACKED;
        bool current = n->version == (n->n_in ? p->sets : p->version);
        if (current && trainable == p->trainable)
            return e->leaf;
        if (current && n->n_in) /* frozen or thawed since */
            return rg__record_leaf(t, p, e, rg__handle(t, n->in[0]));
    }
    return rg__record_leaf(t, p, e, RG_NIL);
}

/* It counts as recorded outside of any section, because later sections share it. */
rg_tensor rg__record_leaf(rg_tape *t, rg_param *p, rg__entry *e, rg_tensor value)
{
    rg__source source = {.slot = (uint64_t)(uintptr_t)p, .version = p->version, .flags = p->trainable ? RG__TRACKED : 0};
    rg__frame *mode = t->mode;
    t->mode = NULL;
    if (!rg_is_nil(value)) {
        const rg__node *n = rg__at(t, (uint32_t)value.id);
        source.flags |= RG__VIEW;
        source.offset = n->offset;
        source.strides = n->strides;
        source.version = p->sets;
    }
    e->leaf = rg__record_slot(t, OP(leaf), &value, rg_is_nil(value) ? 0 : 1, p->dtype, p->shape.rank, p->shape.dims,
                              NULL, &source);
    t->mode = mode;
    return e->leaf;
}

bool rg__in_parameter(const rg_tape *t, const rg__node *node)
{
    const rg__node *root = rg__at(t, node->root);
    return (root->op == OP(leaf) && !root->data) || (root->flags & RG__IN_PARAMETER);
}

bool rg__copy_leaf(rg_tape *t, uint32_t id)
{
    rg__node *n = rg__at(t, id);
    const size_t bytes = (size_t)n->numel * rg_dtype_size((rg_dtype)n->dtype);
    if (n->data || n->version != n->slot.param->version)
        return true;
    n->data = rg__pool_get(&t->pool, bytes);
    if (!n->data) {
        rg__fail(t, OP(leaf), RG_ERROR_MEMORY, "out of memory for %zu bytes", bytes);
        return false;
    }
    memcpy(n->data, n->slot.param->data, bytes);
    return true;
}

void rg__lie_in_parameter(rg_tape *t, uint32_t id, rg_param *p)
{
    rg__entry *e = rg__entry_of(t, p);
    rg__node *n = rg__at(t, id);
    if (!e)
        return;
    n->slot.param = p;
    n->version = p->version;
    n->data = p->data;
    n->flags |= RG__IN_PARAMETER | RG__EXTERNAL;
    e->lies = id + 1;
}

bool rg__move_out_of_parameter(rg_tape *t, rg_param *p)
{
    rg__entry *e = rg__entry_of(t, p);
    rg__node *n = e && e->lies ? rg__at(t, e->lies - 1) : NULL;
    if (!n || n->version != p->version)
        return e != NULL;
    const size_t bytes = (size_t)n->numel * rg_dtype_size((rg_dtype)n->dtype);
    void *own = rg__pool_get(&t->pool, bytes);
    if (!own) {
        rg__fail(t, OP(assign), RG_ERROR_MEMORY, "out of memory for %zu bytes", bytes);
        return false;
    }
    memcpy(own, n->data, bytes);
    n->data = own;
    n->flags &= (uint16_t) ~(RG__IN_PARAMETER | RG__EXTERNAL);
    e->lies = 0;
    return true;
}

bool rg__record_assign(rg_tape *t, rg_param *p, rg_tensor value)
{
    const rg__node *n = rg__node_of(t, "assign", value);
    rg__entry *e = n ? rg__entry_of(t, p) : NULL;
    if (!e)
        return false;
    if (n->dtype != p->dtype || !rg__dims_equal(n->rank, n->dims, p->shape.rank, p->shape.dims)) {
        rg__fail(t, OP(assign), n->dtype != p->dtype ? RG_ERROR_DTYPE : RG_ERROR_SHAPE,
                 "parameter '%s' is %s of %s; the value is %s of %s", p->name, rg_dtype_name(p->dtype),
                 RG__DIMS_TEXT(p->shape.rank, p->shape.dims), rg_dtype_name((rg_dtype)n->dtype), RG__NODE_TEXT(n));
        return false;
    }
    value = rg__own(t, value); /* what is copied to p must not lie in a parameter, which may be overwritten before */
    if (rg_is_nil(value))
        return false;
    n = rg__at(t, (uint32_t)value.id);
    rg__source source = {.slot = (uint64_t)(uintptr_t)p, .flags = RG__VIEW, .offset = n->offset, .strides = n->strides};
    rg_tensor node = rg__record_slot(t, OP(assign), &value, 1, p->dtype, n->rank, n->dims, NULL, &source);
    return !rg_is_nil(node) && rg__ids_add(t, &t->assigns, (uint32_t)node.id) &&
           !rg_is_nil(rg__record_leaf(t, p, e, value));
}

void rg_assign(rg_tape *t, rg_param *p, rg_tensor value)
{
    if (rg_failed(t))
        return;
    if (!p)
        rg__fail(t, OP(assign), RG_ERROR_ARGUMENT, "the parameter is NULL; rg_params_error says why it was not made");
    else
        rg__record_assign(t, p, value);
}

rg_tensor rg_detach(rg_tape *t, rg_tensor x)
{
    const rg__node *n = rg__arg(t, OP(detach), x);
    if (!n)
        return RG_NIL;
    int64_t strides[RG_MAX_RANK];
    rg__node_strides(n, strides);
    return rg__record_view(t, OP(detach), x, n->rank, n->dims, strides, n->offset, NULL);
}

/* ---- by name ---- */

RG__CALL(scalar, rg_scalar(t, RG__DTYPE_OF(dtype), RG__REAL_OF(value)))
RG__CALL(constant, rg_constant(t, RG__DTYPE_OF(dtype), RG__REAL_OF(value)))
RG__CALL(detach, rg_detach(t, in[0]))

/* ---- samples ---- */

static rg_tensor sample_input(rg__draw *draw, int index)
{
    return index > 0 ? RG_NIL : RG__DRAW(draw, RG_SHAPE(2, 3), RG__REAL);
}

static rg_tensor sample_scalar(rg__draw *draw, int index)
{
    return index > 0 ? RG_NIL : rg_scalar(draw->t, RG_F32, .5);
}

static rg_tensor sample_constant(rg__draw *draw, int index)
{
    return index > 0 ? RG_NIL : rg_constant(draw->t, RG_F32, .5);
}

static rg_tensor sample_detach(rg__draw *draw, int index)
{
    return index > 0 ? RG_NIL : rg_detach(draw->t, RG__DRAW(draw, RG_SHAPE(2, 3), RG__REAL));
}
#define sample_leaf   NULL
#define sample_assign NULL

RG__FAMILY(source, ROWS(RG__ROW))
