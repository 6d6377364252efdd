/* Derivatives as tensors, from vector-Jacobian products. See retrograd/functional.h. */
#include "autograd/tape.h"

#include <retrograd/functional.h>

#include <stdlib.h>
#include <string.h>

/* One derivative. */
typedef struct task {
    rg_tape *t;
    const char *who;
    rg_tensor y;
    const rg_tensor *x;
    int count;
    rg_tensor *grad; /* one for each x: of y, or of what is made of it */
} task;

static bool out_of_memory(rg_tape *t, const char *who)
{
    rg__fail_named(t, who, RG_ERROR_MEMORY, "out of memory");
    return false;
}

static void forget(rg_tensor *out, int64_t count)
{
    for (int64_t i = 0; out && i < count; i++)
        out[i] = RG_NIL;
}

/* Checks what all of them check. `results` of them are to be written to out. */
static bool begin(task *k, rg_tape *t, const char *who, rg_tensor y, const rg_tensor *x, int count, const void *out)
{
    *k = (task){.t = t, .who = who, .y = y, .x = x, .count = count};
    if (!rg__node_of(t, who, y))
        return false;
    if (count < 0 || (count > 0 && (!x || !out))) {
        rg__fail_named(t, who, RG_ERROR_ARGUMENT, "%d tensors to differentiate by%s", count, x && out ? "" : ", at NULL");
        return false;
    }
    k->grad = calloc((size_t)count + 1, sizeof *k->grad);
    return k->grad || out_of_memory(t, who);
}

static bool end(task *k)
{
    free(k->grad);
    return !rg_failed(k->t);
}

static bool gradients(const task *k, rg_tensor y, rg_tensor cotangent, bool given, rg_tensor *out)
{
    return rg__grad(k->t, k->who, y, cotangent, given, k->x, k->count, out);
}

/* The gradients into k->grad, through which gradients flow, whatever the section. */
static bool differentiable_gradients(task *k, rg_tensor cotangent, bool given)
{
    rg_mode_push(k->t, RG_GRAD);
    const bool ok = gradients(k, k->y, cotangent, given, k->grad);
    rg_mode_pop(k->t);
    return ok;
}

/* The gradients by `by` of the sum of all <grad[i], v[i]>, in which the v are constant whatever they depend on. */
static void paired_gradients(const task *k, const rg_tensor *v, const rg_tensor *by, int count, rg_tensor *out)
{
    rg__pair *pair = calloc((size_t)k->count + 1, sizeof *pair);
    if (!pair) {
        out_of_memory(k->t, k->who);
        return;
    }
    for (int i = 0; i < k->count; i++)
        pair[i] = (rg__pair){k->grad[i], v[i]};
    rg__grad_of(k->t, k->who, pair, k->count, by, count, out);
    free(pair);
}

/* Has each v that is given the shape and dtype of its x? */
static bool are_like(const task *k, const rg_tensor *v, const char *what)
{
    rg_tape *t = k->t;
    if (k->count > 0 && !v) {
        rg__fail_named(t, k->who, RG_ERROR_ARGUMENT, "%ss at NULL", what);
        return false;
    }
    for (int i = 0; i < k->count; i++) {
        const rg__node *x = rg__node_of(t, k->who, k->x[i]);
        if (!x)
            return false;
        if (rg_is_nil(v[i]))
            continue;
        const rg__node *n = rg__node_of(t, k->who, v[i]);
        if (!n)
            return false;
        if (n->dtype != x->dtype || !rg__dims_equal(n->rank, n->dims, x->rank, x->dims)) {
            rg__fail_named(t, k->who, n->dtype != x->dtype ? RG_ERROR_DTYPE : RG_ERROR_SHAPE,
                           "%s %d is %s of %s; its tensor is %s of %s", what, i, rg_dtype_name((rg_dtype)n->dtype),
                           RG__NODE_TEXT(n), rg_dtype_name((rg_dtype)x->dtype), RG__NODE_TEXT(x));
            return false;
        }
    }
    return true;
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

bool rg_vjp(rg_tape *t, rg_tensor y, rg_tensor cotangent, const rg_tensor *x, int count, rg_tensor *out)
{
    return rg__grad(t, "vjp", y, cotangent, true, x, count, out);
}

rg_tensor rg_jvp(rg_tape *t, rg_tensor y, const rg_tensor *x, int count, const rg_tensor *tangent)
{
    task k;
    rg_tensor out = RG_NIL;
    if (begin(&k, t, "jvp", y, x, count, &k) && are_like(&k, tangent, "tangent")) {
        const rg_tensor cotangent = rg_zeros_like(t, y);
        if (differentiable_gradients(&k, cotangent, true))
            paired_gradients(&k, tangent, &cotangent, 1, &out);
    }
    return end(&k) ? out : RG_NIL;
}

bool rg_hvp(rg_tape *t, rg_tensor y, const rg_tensor *x, int count, const rg_tensor *v, rg_tensor *out)
{
    task k;
    forget(out, count);
    if (begin(&k, t, "hvp", y, x, count, out) && are_like(&k, v, "vector") && differentiable_gradients(&k, RG_NIL, false))
        paired_gradients(&k, v, x, count, out);
    const bool ok = end(&k);
    if (!ok)
        forget(out, count);
    return ok;
}

/* ---- Jacobians --------------------------------------------------------------------------------------------------- */

/* [shape of a, shape of b]; false and an error where that is no shape. */
static bool joined_shape(const task *k, rg_tensor a, rg_tensor b, rg_shape *shape)
{
    const rg_shape sa = rg_shape_of(k->t, a), sb = rg_shape_of(k->t, b);
    if (rg_failed(k->t))
        return false;
    if (sa.rank + sb.rank > RG_MAX_RANK) {
        rg__fail_named(k->t, k->who, RG_ERROR_SHAPE,
                       "%s by %s would have rank %d; %d is the highest. rg_reshape one of them before",
                       RG__DIMS_TEXT(sa.rank, sa.dims), RG__DIMS_TEXT(sb.rank, sb.dims), sa.rank + sb.rank, RG_MAX_RANK);
        return false;
    }
    *shape = sa;
    memcpy(shape->dims + sa.rank, sb.dims, (size_t)sb.rank * sizeof *sb.dims);
    shape->rank += sb.rank;
    if (rg_shape_numel(*shape) >= 0)
        return true;
    rg__fail_named(k->t, k->who, RG_ERROR_SHAPE, "%s by %s is too large", RG__DIMS_TEXT(sa.rank, sa.dims),
                   RG__DIMS_TEXT(sb.rank, sb.dims));
    return false;
}

/* 1 at one position, counted row by row, of something like x; else 0. `count`: 0, 1, 2 ... in the shape of x. */
static rg_tensor unit(rg_tape *t, rg_tensor x, rg_tensor count, int64_t position)
{
    const rg_tensor there = rg_eq(t, count, rg_constant(t, RG_I64, (double)position));
    return rg_cast(t, there, rg_dtype_of(t, x));
}

static rg_tensor counting(rg_tape *t, rg_tensor x)
{
    return rg_reshape(t, rg_arange(t, RG_I64, 0, (double)rg_numel(t, x), 1), rg_shape_of(t, x));
}

/* The parts, along a new axis, in the shape [y, x]; zeros where there are none. */
static rg_tensor assembled(const task *k, rg_tensor y, rg_tensor x, const rg_tensor *part, int64_t parts, int axis)
{
    rg_shape shape;
    if (rg_failed(k->t) || !joined_shape(k, y, x, &shape))
        return RG_NIL;
    if (parts == 0 || rg_shape_numel(shape) == 0)
        return rg_zeros(k->t, rg_dtype_of(k->t, x), shape);
    if (rg_shape_of(k->t, part[0]).rank == RG_MAX_RANK) { /* no room for one more axis */
        rg_tensor *flat = calloc((size_t)parts, sizeof *flat);
        if (!flat) {
            out_of_memory(k->t, k->who);
            return RG_NIL;
        }
        for (int64_t i = 0; i < parts; i++)
            flat[i] = rg_reshape(k->t, part[i], RG_SHAPE(-1));
        const rg_tensor all = rg_stack(k->t, flat, (int)parts, axis);
        free(flat);
        return rg_reshape(k->t, all, shape);
    }
    return rg_reshape(k->t, rg_stack(k->t, part, (int)parts, axis), shape);
}

/* Row by row: the gradients of each element of y. */
static bool by_rows(task *k, rg_tensor y, rg_tensor *out)
{
    rg_tape *t = k->t;
    const int64_t rows = rg_numel(t, y);
    rg_tensor *part = rows < INT32_MAX ? calloc((size_t)(rows * k->count) + 1, sizeof *part) : NULL;
    if (!part)
        return out_of_memory(t, k->who);
    const rg_tensor count = counting(t, y);
    for (int64_t row = 0; row < rows && !rg_failed(t); row++) {
        gradients(k, y, unit(t, y, count, row), true, k->grad);
        for (int i = 0; i < k->count; i++)
            part[i * rows + row] = k->grad[i];
    }
    for (int i = 0; i < k->count && !rg_failed(t); i++)
        out[i] = assembled(k, y, k->x[i], part + i * rows, rows, 0);
    free(part);
    return !rg_failed(t);
}

/* Column by column: the vjp of y is linear in the cotangent; of each of its elements, the gradient by that. */
static bool by_columns(task *k, rg_tensor *out)
{
    rg_tape *t = k->t;
    const rg_tensor cotangent = rg_zeros_like(t, k->y);
    if (!differentiable_gradients(k, cotangent, true))
        return false;
    for (int i = 0; i < k->count && !rg_failed(t); i++) {
        const int64_t columns = rg_numel(t, k->x[i]);
        rg_tensor *part = columns < INT32_MAX ? calloc((size_t)columns + 1, sizeof *part) : NULL;
        if (!part)
            return out_of_memory(t, k->who);
        const rg_tensor count = counting(t, k->x[i]);
        for (int64_t column = 0; column < columns && !rg_failed(t); column++)
            rg__grad(t, k->who, k->grad[i], unit(t, k->x[i], count, column), true, &cotangent, 1, &part[column]);
        out[i] = assembled(k, k->y, k->x[i], part, columns, -1);
        if (!rg_failed(t) && rg_dtype_of(t, out[i]) != rg_dtype_of(t, k->x[i]))
            out[i] = rg_cast(t, out[i], rg_dtype_of(t, k->x[i]));
        free(part);
    }
    return !rg_failed(t);
}

/* Before anything is recorded. Also counts the elements of the x. */
static bool shapes_fit(const task *k, rg_tensor y, int64_t *elements)
{
    rg_shape shape;
    *elements = 0;
    for (int i = 0; i < k->count; i++) {
        if (!rg__node_of(k->t, k->who, k->x[i]) || !joined_shape(k, y, k->x[i], &shape))
            return false;
        if (__builtin_add_overflow(*elements, rg_numel(k->t, k->x[i]), elements))
            *elements = INT64_MAX;
    }
    return true;
}

bool rg_jacobian(rg_tape *t, rg_tensor y, const rg_tensor *x, int count, rg_tensor *out)
{
    task k;
    int64_t elements;
    forget(out, count);
    if (begin(&k, t, "jacobian", y, x, count, out) && shapes_fit(&k, y, &elements)) {
        if (elements < rg_numel(t, y) / 2)
            by_columns(&k, out);
        else
            by_rows(&k, y, out);
    }
    const bool ok = end(&k);
    if (!ok)
        forget(out, count);
    return ok;
}

bool rg_hessian(rg_tape *t, rg_tensor y, const rg_tensor *x, int count, rg_tensor *out)
{
    task k;
    int64_t elements;
    forget(out, count > 0 ? (int64_t)count * count : 0);
    bool ok = begin(&k, t, "hessian", y, x, count, out);
    for (int i = 0; ok && i < count; i++)
        ok = rg__node_of(t, k.who, x[i]) && shapes_fit(&k, x[i], &elements);
    rg_tensor *first = ok ? calloc((size_t)count + 1, sizeof *first) : NULL;
    if (ok && !first)
        ok = out_of_memory(t, k.who);
    ok = ok && differentiable_gradients(&k, RG_NIL, false);
    if (ok && count)
        memcpy(first, k.grad, (size_t)count * sizeof *first); /* k.grad is used again for each row */
    for (int i = 0; ok && i < count; i++)
        ok = by_rows(&k, first[i], out + (int64_t)i * count);
    free(first);
    ok = end(&k);
    if (!ok)
        forget(out, count > 0 ? (int64_t)count * count : 0);
    return ok;
}
