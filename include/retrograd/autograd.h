/* Retrograd: gradients, and their verification. */
#ifndef RETROGRAD_AUTOGRAD_H
#define RETROGRAD_AUTOGRAD_H

#include <retrograd/base.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Replays the tape in reverse from a loss of one element and adds d loss / d p to the gradient of every trainable
 * parameter that it depends on. Read them with rg_param_grad; an optimizer step uses and clears them. They are recorded
 * without history: to differentiate a gradient, take it with rg_grad. */
RG_API void rg_backward(rg_tape *t, rg_tensor loss);

/* The same for y of any shape: the gradients of sum(y * cotangent). The cotangent has y's shape and dtype. */
RG_API void rg_backward_with(rg_tape *t, rg_tensor y, rg_tensor cotangent);

/* grad[i] = d y / d x[i], recorded, so that it can be differentiated again. y has one element. The x are any
 * tensors of this tape: inputs, leaves or results. Where y does not depend on x[i], grad[i] is zeros.
 * Returns false, with nil gradients, on error. Parameters' gradients are left alone. */
RG_API bool rg_grad(rg_tape *t, rg_tensor y, const rg_tensor *x, int count, rg_tensor *grad);

/* The same for y of any shape: the gradients of sum(y * cotangent). */
RG_API bool rg_grad_with(rg_tape *t, rg_tensor y, rg_tensor cotangent, const rg_tensor *x, int count, rg_tensor *grad);

/* ---- verification ------------------------------------------------------------------------------------------
 * A user's function: records and returns a result from `count` tensors on t. It must be deterministic. */
typedef rg_tensor (*rg_function)(rg_tape *t, const rg_tensor *x, int count, void *user);

typedef struct rg_gradcheck_config {
    double step;       /* largest step of the central differences; 0: 1e-2. It is halved up to 6 times, and the
                          extrapolated value with the smallest error estimate is taken (Ridders 1982)         */
    double rtol, atol; /* |analytic - numeric| <= atol + rtol max(|analytic|, |numeric|); 0: 1e-6 and 1e-8    */
    int directions;    /* random directions, each with a random cotangent; 0: 2                               */
    bool jacobian;     /* instead, compare every element of the Jacobian                                      */
    uint64_t seed;     /* of the directions and cotangents                                                    */
    rg_params *params; /* also differentiate with respect to the trainable f64 parameters of this store       */
} rg_gradcheck_config;

typedef struct rg_gradcheck_report {
    bool passed;
    int64_t compared; /* numbers compared; a check that compared nothing fails                                */
    int input;        /* worst element: which input (parameters count on after the inputs) ...                */
    int64_t index;    /* ... and which element of it, row-major; -1 for a direction through all inputs        */
    int64_t output;   /* Jacobian mode: which element of the result; else -1                                  */
    double analytic, numeric, error; /* there; error is |analytic - numeric|                                   */
    char op[32];       /* the op whose own rule disagrees, found when the check fails; "" where none does      */
    char message[512]; /* one line for a person                                                                */
} rg_gradcheck_report;

/* First order: the recorded gradient of <f(x), cotangent> against central differences. Returns report->passed;
 * report may be NULL. */
RG_API bool rg_gradcheck(rg_function f, void *user, const rg_array *inputs, int count,
                         const rg_gradcheck_config *config, rg_gradcheck_report *report);

/* Second order: the same check of the function that returns f's gradients (with a random cotangent that counts as
 * an input too). */
RG_API bool rg_gradcheck2(rg_function f, void *user, const rg_array *inputs, int count,
                          const rg_gradcheck_config *config, rg_gradcheck_report *report);

#ifdef __cplusplus
}
#endif
#endif
