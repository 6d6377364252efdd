/* Retrograd: derivatives as tensors, and functions that are recorded again instead of kept. */
#ifndef RETROGRAD_FUNCTIONAL_H
#define RETROGRAD_FUNCTIONAL_H

#include <retrograd/autograd.h>
#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- derivatives of what is recorded --------------------------------------------------------------------------------
 * Of y by tensors x[0 .. count-1] of the same tape, as rg_grad (autograd.h): to differentiate a function of your own, call
 * it and give its result. All x and y are float. What is returned is recorded, so that it can be differentiated again;
 * where y does not depend on an x it is zeros. False (or nil), with nil in `out`, on error. */

/* out[i] = sum over y of cotangent * d y / d x[i], [shape of x[i]]: rg_grad_with by its other name. */
RG_API bool rg_vjp(rg_tape *t, rg_tensor y, rg_tensor cotangent, const rg_tensor *x, int count, rg_tensor *out);

/* sum over i and over x[i] of d y / d x[i] * tangent[i], [shape of y]; tangent[i] has the shape and dtype of x[i], nil
 * stands for zeros. By reverse mode twice: the vjp is linear in its cotangent, and this is its transpose. Costs about
 * as much as two gradients. */
RG_API rg_tensor rg_jvp(rg_tape *t, rg_tensor y, const rg_tensor *x, int count, const rg_tensor *tangent);

/* out[i] = d y / d x[i], [shape of y, shape of x[i]]. Their ranks together may be 8 at most. As many gradients are
 * recorded as y has elements, or twice as many as the x have, whichever is less: there is no batching of them. */
RG_API bool rg_jacobian(rg_tape *t, rg_tensor y, const rg_tensor *x, int count, rg_tensor *out);

/* out[i * count + j] = d^2 y / d x[i] d x[j], [shape of x[i], shape of x[j]], of a y of one element; count * count
 * results. As many gradients are recorded as the x have elements. */
RG_API bool rg_hessian(rg_tape *t, rg_tensor y, const rg_tensor *x, int count, rg_tensor *out);

/* out[i] = sum over j of d^2 y / d x[i] d x[j] * v[j], [shape of x[i]], of a y of one element: two gradients. v[j] has
 * the shape and dtype of x[j], nil stands for zeros. */
RG_API bool rg_hvp(rg_tape *t, rg_tensor y, const rg_tensor *x, int count, const rg_tensor *v, rg_tensor *out);

/* ---- memory for time ---------------------------------------------------------------------------------------------- */

/* f(t, x, count, user), whose intermediate values are not kept for the backward pass: gradients record what f recorded
 * once more, from what it read, and it is computed again there. A chain of n layers in segments of about sqrt(n), each a
 * checkpoint, takes memory for about 2 sqrt(n) layers in place of n, and one more forward pass.
 *
 * Values, random draws and gradients are the same bits as those of f called directly (but for a matrix that f multiplies
 * three times or more, whose gradient may be added up in another order); gradients of gradients are the same
 * up to the order of sums. f is called once, during this call: what it does beside recording (assigning to buffers,
 * counting) happens once, and `user` need not outlive the call. f may use parameters and other tensors of the tape beside
 * x, and checkpoints may stand within checkpoints. Tensors that f hands out in other ways than by returning them are
 * ordinary tensors of the tape, kept where gradients need them. In sections without gradients this is f itself. An eager tape keeps every value, here as
 * elsewhere. Chains of element-wise ops alone gain nothing: plans do not keep their values anyway. */
RG_API rg_tensor rg_checkpoint(rg_tape *t, rg_function f, const rg_tensor *x, int count, void *user);

#ifdef __cplusplus
}
#endif
#endif
