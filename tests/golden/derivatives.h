/* What the golden cases of functional derivatives are of. Each is written once more, in Python, in golden_functional.py. */
#ifndef RG__TESTS_GOLDEN_DERIVATIVES_H
#define RG__TESTS_GOLDEN_DERIVATIVES_H

#include <retrograd/retrograd.h>

/* tanh(x w^T) b: x [n, 3], w [2, 3], b [2] -> [n] */
static rg_tensor derived_layer(rg_tape *t, const rg_tensor *x)
{
    return rg_matmul(t, rg_tanh(t, rg_matmul(t, x[0], rg_transpose(t, x[1], 0, 1))), x[2]);
}

/* log sum exp of all of that */
static rg_tensor derived_loss(rg_tape *t, const rg_tensor *x)
{
    return rg_logsumexp(t, derived_layer(t, x), RG_ALL, false);
}

static rg_tensor derived_vjp(rg_tape *t, const rg_tensor *x)
{
    rg_tensor grad[2], y = derived_layer(t, x);
    return rg_vjp(t, y, rg_cos(t, y), x, 2, grad) ? rg_matmul(t, grad[0], rg_transpose(t, grad[1], 0, 1)) : RG_NIL;
}

/* tangents x^2 and sin(w) */
static rg_tensor derived_jvp(rg_tape *t, const rg_tensor *x)
{
    return rg_jvp(t, derived_layer(t, x), x, 2, (const rg_tensor[]){rg_square(t, x[0]), rg_sin(t, x[1])});
}

static rg_tensor derived_jacobian(rg_tape *t, const rg_tensor *x, int by)
{
    rg_tensor out[3];
    return rg_jacobian(t, derived_layer(t, x), x, 3, out) ? out[by] : RG_NIL;
}

/* As many results as there are arguments, and more: the way by columns. */
static rg_tensor derived_tall(rg_tape *t, const rg_tensor *x)
{
    rg_tensor out, y = rg_sin(t, rg_outer(t, rg_reshape(t, x[0], RG_SHAPE(-1)), rg_square(t, x[2])));
    return rg_jacobian(t, y, &x[2], 1, &out) ? out : RG_NIL;
}

static rg_tensor derived_hessian(rg_tape *t, const rg_tensor *x, int block)
{
    rg_tensor out[9];
    return rg_hessian(t, derived_loss(t, x), x, 3, out) ? out[block] : RG_NIL;
}

static rg_tensor derived_hvp(rg_tape *t, const rg_tensor *x)
{
    const rg_tensor v[3] = {rg_square(t, x[0]), rg_sin(t, x[1]), RG_NIL};
    rg_tensor out[3];
    return rg_hvp(t, derived_loss(t, x), x, 3, v, out) ? rg_matmul(t, out[0], rg_transpose(t, out[1], 0, 1)) : RG_NIL;
}

static rg_tensor derived_function(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_square(t, derived_layer(t, x));
}

#endif
