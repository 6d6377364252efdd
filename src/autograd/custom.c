/* Ops of users: wrapped once a tape into a row like those of the table, which lives as long as the tape, as its plans do. */
#include "autograd/tape.h"
#include "core/hash.h"

#include <retrograd/custom.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct rg__custom {
    rg__op op; /* the first member: nodes lead here */
    rg__custom *next;
    rg_custom own; /* as given, with the name below */
    char name[32];
    uint64_t identity; /* of the structure: the name, and which of those that share it */
};

static const rg__custom *custom_of(const rg__op *op)
{
    return (const rg__custom *)(const void *)op;
}

void rg__customs_free(rg_tape *t)
{
    while (t->customs) {
        rg__custom *next = t->customs->next;
        free(t->customs);
        t->customs = next;
    }
}

/* ---- kernels ---- */

bool rg_custom_fail(const rg_custom_run *run, const char *format, ...)
{
    if (!run || !run->internal || !format)
        return false;
    const rg__run *r = run->internal;
    va_list args;
    va_start(args, format);
    rg__fail_in(r->t, r->node->op->name, r->node->scope, RG_ERROR_VALUE, format, args);
    va_end(args);
    return false;
}

static size_t bytes_of(const rg__array_view *v)
{
    return (size_t)rg__numel(v->rank, v->dims) * rg_dtype_size(v->dtype);
}

static bool is_row_major(const rg__array_view *v)
{
    return rg__is_row_major(v->rank, v->dims, v->strides);
}

/* The input row-major: as it lies, or a copy that release() frees. */
static bool take(const rg__run *run, int i, rg_array *a)
{
    const rg__array_view *v = &run->in[i];
    *a = (rg_array){v->dtype, {v->rank, {0}}, v->data};
    memcpy(a->shape.dims, v->dims, (size_t)v->rank * sizeof *v->dims);
    if (is_row_major(v))
        return true;
    void *copy = rg__pool_get(run->pool, bytes_of(v));
    a->data = copy;
    if (!copy)
        return rg__run_fail(run, RG_ERROR_MEMORY, "out of memory for %zu bytes", bytes_of(v));
    int64_t strides[RG_MAX_RANK];
    rg__row_major(v->rank, v->dims, strides);
    rg__copy(v->rank, v->dims, (rg__strided){copy, strides, rg_dtype_size(v->dtype)}, rg__strided_of(v));
    return true;
}

static void release(const rg__run *run, int i, const rg_array *a)
{
    if (a->data && !is_row_major(&run->in[i]))
        rg__pool_put(run->pool, (void *)(uintptr_t)a->data, bytes_of(&run->in[i]));
}

static bool kernel_custom(const rg__run *run)
{
    enum { FEW = 8 };
    const rg__custom *c = custom_of(run->node->op);
    const int n = run->node->n_in;
    rg_array few[FEW], *in = few;
    if (n > FEW && !(in = rg__pool_get(run->pool, (size_t)n * sizeof *in)))
        return rg__run_fail(run, RG_ERROR_MEMORY, "out of memory");
    int taken = 0;
    bool ok = true;
    for (; taken < n && ok; taken++)
        ok = take(run, taken, &in[taken]);
    if (ok) {
        rg_custom_run r = {.in = in,
                           .count = n,
                           .dtype = run->out.dtype,
                           .shape = {run->out.rank, {0}},
                           .out = run->out.data,
                           .attributes = run->node->attr,
                           .user = c->own.user,
                           .threads = run->threads,
                           .internal = run};
        memcpy(r.shape.dims, run->out.dims, (size_t)run->out.rank * sizeof *run->out.dims);
        ok = c->own.kernel(&r) && !rg_failed(run->t);
        if (!ok)
            rg__run_fail(run, RG_ERROR_VALUE, "the kernel failed"); /* where it gave no message itself */
    }
    for (int i = 0; i < taken; i++)
        release(run, i, &in[i]);
    if (in != few)
        rg__pool_put(run->pool, in, (size_t)n * sizeof *in);
    return ok;
}

/* ---- gradients ---- */

static void vjp_custom(const rg__vjp *v)
{
    const rg__custom *c = custom_of(v->node->op);
    const rg_custom_vjp own = {.in = v->in,
                               .count = v->node->n_in,
                               .out = v->out,
                               .cotangent = v->g,
                               .attributes = v->attr,
                               .user = c->own.user,
                               .wanted = v->wanted,
                               .grad = v->grad};
    c->own.vjp(v->t, &own);
}

/* ---- wrapping ---- */

bool rg__custom_identity(const rg__op *op, uint64_t *identity)
{
    const bool custom = op->kernel == kernel_custom;
    if (custom)
        *identity = custom_of(op)->identity;
    return custom;
}

static bool same(const rg_custom *a, const rg_custom *b)
{
    return strcmp(a->name, b->name) == 0 && a->result == b->result && a->kernel == b->kernel && a->vjp == b->vjp &&
           a->attribute_bytes == b->attribute_bytes && a->user == b->user;
}

/* Those of the tape that have the name. */
static uint64_t namesakes(const rg_tape *t, const char *name)
{
    uint64_t count = 0;
    for (const rg__custom *c = t->customs; c; c = c->next)
        count += strcmp(c->name, name) == 0;
    return count;
}

/* The wrapped op; NULL and an error when out of memory. */
static const rg__custom *wrapped(rg_tape *t, const rg_custom *op)
{
    for (const rg__custom *c = t->customs; c; c = c->next)
        if (same(&c->own, op))
            return c;
    rg__custom *c = calloc(1, sizeof *c);
    if (!c) {
        rg__fail_named(t, op->name, RG_ERROR_MEMORY, "out of memory");
        return NULL;
    }
    c->own = *op;
    c->own.name = strcpy(c->name, op->name); /* its length was checked */
    c->identity = rg__hash64(c->name, strlen(c->name), namesakes(t, op->name));
    c->op = (rg__op){.name = c->name,
                     .formula = "an op of the program's own",
                     .arity = -1,
                     .differentiable = op->vjp != NULL,
                     .fallible = true,
                     .attr_size = (uint16_t)op->attribute_bytes,
                     .kernel = kernel_custom,
                     .vjp = op->vjp ? vjp_custom : NULL,
                     .no_sample = "it is the program's own"};
    c->next = t->customs;
    t->customs = c;
    return c;
}

static bool is_name(const char *name)
{
    size_t length = 0;
    while (name && name[length] && length < 32) {
        const unsigned char c = (unsigned char)name[length];
        if (!isalnum(c) && c != '_' && c != '.')
            return false;
        length++;
    }
    return length > 0 && length < 32;
}

static bool fail(rg_tape *t, const char *who, const char *why)
{
    rg__fail_named(t, who, RG_ERROR_ARGUMENT, "%s", why);
    return false;
}

static bool is_valid(rg_tape *t, const rg_custom *op, const rg_tensor *x, int count, const void *attributes)
{
    if (!op || !is_name(op->name))
        return fail(t, "custom_op", op ? "the name must be 1 to 31 letters, digits, '_' and '.'" : "the op is NULL");
    if (!op->kernel)
        return fail(t, op->name, "the kernel is NULL");
    if (op->attribute_bytes > UINT16_MAX)
        return fail(t, op->name, "more than 65535 bytes of attributes");
    if (op->attribute_bytes && !attributes)
        return fail(t, op->name, "the attributes are NULL");
    if (count < 0 || count > UINT16_MAX || (count > 0 && !x))
        return fail(t, op->name, "0 to 65535 inputs are allowed, and not at NULL");
    if (count == 0 && !op->result)
        return fail(t, op->name, "without inputs, a function `result` must say dtype and shape");
    return true;
}

/* Settles the result's dtype and shape. */
static bool settle_result(rg_tape *t, const rg_custom *op, const rg_array *in, int count, const void *attributes,
                          rg_dtype *dtype, rg_shape *shape)
{
    *dtype = count ? in[0].dtype : RG_F32;
    *shape = count ? in[0].shape : RG_SCALAR;
    if (op->result && !op->result(t, in, count, attributes, op->user, dtype, shape))
        return fail(t, op->name, "its function `result` refused the inputs"); /* unless it gave a message itself */
    if (rg_failed(t))
        return false;
    if ((unsigned)*dtype < RG_DTYPES && rg_shape_numel(*shape) >= 0)
        return true;
    return fail(t, op->name, "its function `result` gave no valid dtype or shape");
}

rg_tensor rg_custom_op(rg_tape *t, const rg_custom *op, const rg_tensor *x, int count, const void *attributes)
{
    if (rg_failed(t) || !is_valid(t, op, x, count, attributes))
        return RG_NIL;
    rg_array *in = calloc((size_t)count + 1, sizeof *in);
    rg_tensor *dense = calloc((size_t)count + 1, sizeof *dense), y = RG_NIL;
    rg_dtype dtype;
    rg_shape shape;
    bool ok = in && dense;
    if (!ok)
        rg__fail_named(t, op->name, RG_ERROR_MEMORY, "out of memory");
    for (int i = 0; i < count && ok; i++) {
        ok = rg__node_of(t, op->name, x[i]) != NULL;
        if (ok)
            in[i] = (rg_array){rg_dtype_of(t, x[i]), rg_shape_of(t, x[i]), NULL};
    }
    ok = ok && settle_result(t, op, in, count, attributes, &dtype, &shape);
    for (int i = 0; i < count && ok; i++) {
        dense[i] = rg_contiguous(t, x[i]); /* so that plans share the copy, if one is needed */
        ok = !rg_is_nil(dense[i]);
    }
    const rg__custom *c = ok ? wrapped(t, op) : NULL;
    if (c)
        y = rg__record(t, &c->op, dense, count, dtype, shape.rank, shape.dims, attributes);
    free(in);
    free(dense);
    return y;
}
