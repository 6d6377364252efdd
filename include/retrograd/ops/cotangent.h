/* Retrograd: ops that show the value of x as it is (a view) and change what its gradient is, on purpose: rg_gradcheck names
 * them. Float. Gradients of other kinds are written as hooks (custom.h). */
#ifndef RETROGRAD_OPS_COTANGENT_H
#define RETROGRAD_OPS_COTANGENT_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The value of `forward`, the gradient of `backward`: d out / d backward = 1, d out / d forward = 0. One float dtype and
 * one shape. rg_straight_through(t, rg_round(t, x), x) is the estimator of Bengio, Leonard and Courville (2013). */
RG_API rg_tensor rg_straight_through(rg_tape *t, rg_tensor forward, rg_tensor backward);
/* The gradient times a factor. */
RG_API rg_tensor rg_grad_scale(rg_tape *t, rg_tensor x, double factor);
/* The gradient times -factor: the layer of Ganin and Lempitsky (2015). */
RG_API rg_tensor rg_grad_reverse(rg_tape *t, rg_tensor x, double factor);
/* The gradient held within [low, high], element by element, as rg_clamp. */
RG_API rg_tensor rg_grad_clip(rg_tape *t, rg_tensor x, double low, double high);

#ifdef __cplusplus
}
#endif
#endif
