/* Retrograd: optimizers, gradient clipping and learning-rate schedules, all of recorded ops. */
#ifndef RETROGRAD_OPTIM_H
#define RETROGRAD_OPTIM_H

#include <retrograd/base.h>
#include <retrograd/params.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An optimizer updates the trainable parameters of one store, those that exist when it steps. Its memory belongs to the
 * parameters and lives in the store, as "w/adam.m", "w/adam.v" and the step count "w/adam.step" do for parameter w:
 * saving the store saves it, and another optimizer of the same kind goes on from there. So two of one kind on one store
 * may share the work, each stepping when other parameters have gradients; optimizers of different kinds share nothing.
 * Steps are counted for each parameter, as in PyTorch: one that joins late starts at 1. Free it before the store.
 *
 * Zeros in a configuration are the defaults, PyTorch's; NULL means all of them. Where zero itself is meant (Adam's
 * beta1 = 0), say RG_ZERO (base.h). A value that is out of range is an error on the tape at the first step. Constructors
 * return NULL when out of memory or without a store. */
typedef struct rg_optim rg_optim;

typedef struct rg_sgd_config {
    double lr;           /* 1e-3; for all optimizers, rates, decays, momentum and eps are finite and not negative */
    double momentum;     /* 0                                                                                     */
    double dampening;    /* 0; in [0, 1]: the momentum gains (1 - dampening) g, but the whole g at the first step  */
    double weight_decay; /* 0; added to the gradient as weight_decay p                                            */
    bool nesterov;       /* needs momentum and no dampening; Sutskever et al., ICML 2013                          */
} rg_sgd_config;
RG_API rg_optim *rg_sgd_new(rg_params *ps, const rg_sgd_config *config);

typedef struct rg_adagrad_config {
    double lr;           /* 1e-2                                            */
    double lr_decay;     /* 0; the rate is lr / (1 + (step - 1) lr_decay)   */
    double weight_decay; /* 0; added to the gradient                        */
    double initial;      /* 0; the accumulator before the first step        */
    double eps;          /* 1e-10; added to the root                        */
} rg_adagrad_config;
RG_API rg_optim *rg_adagrad_new(rg_params *ps, const rg_adagrad_config *config); /* Duchi et al., JMLR 2011 */

typedef struct rg_rmsprop_config {
    double lr;           /* 1e-2                                                                     */
    double alpha;        /* 0.99; in [0, 1)                                                          */
    double eps;          /* 1e-8; added to the root                                                  */
    double weight_decay; /* 0; added to the gradient                                                 */
    double momentum;     /* 0; of the scaled gradients                                               */
    bool centered;       /* scale by the estimated standard deviation, not the root of second moment */
} rg_rmsprop_config;
RG_API rg_optim *rg_rmsprop_new(rg_params *ps, const rg_rmsprop_config *config); /* Tieleman and Hinton 2012 */

typedef struct rg_adam_config {
    double lr;           /* 1e-3                                                                                   */
    double beta1, beta2; /* 0.9, 0.999; in [0, 1)                                                                  */
    double eps;          /* 1e-8; added to the corrected root                                                      */
    double weight_decay; /* Adam: 0, added to the gradient; AdamW: 1e-2, lr weight_decay p taken from p beforehand */
    bool amsgrad;        /* the largest second moment so far: Reddi et al., ICLR 2018                              */
} rg_adam_config;
RG_API rg_optim *rg_adam_new(rg_params *ps, const rg_adam_config *config);  /* Kingma and Ba, ICLR 2015        */
RG_API rg_optim *rg_adamw_new(rg_params *ps, const rg_adam_config *config); /* Loshchilov and Hutter, ICLR 2019 */

RG_API void rg_optim_free(rg_optim *opt);

/* Records the update of every parameter that has a gradient, in scope "optim", then clears the gradients. No gradient
 * flows through an update. A NULL optimizer is an error on the tape. */
RG_API void rg_optim_step(rg_optim *opt, rg_tape *t);

/* The learning rate of the next step; 0 means 0 here. It is bound when a step runs, never part of the recorded
 * structure. NULL: does nothing, and is 0. */
RG_API void rg_optim_set_lr(rg_optim *opt, double lr);
RG_API double rg_optim_lr(const rg_optim *opt);

/* ---- clipping: between rg_backward and rg_optim_step ------------------------------------------------------------- */
/* Scales all gradients of the store by min(1, max_norm / (norm + 1e-6)), norm being the 2-norm of all of them together,
 * which is returned (before clipping), as a recorded scalar: f64 if one of the gradients is, 0 where there are none.
 * max_norm >= 0, infinite to measure only. Pascanu et al., ICML 2013. */
RG_API rg_tensor rg_clip_grad_norm(rg_tape *t, rg_params *ps, double max_norm);
/* Holds every element within [-limit, limit]; limit >= 0. */
RG_API void rg_clip_grad_value(rg_tape *t, rg_params *ps, double limit);

/* ---- schedules: the learning rate as a function of the step or epoch, counted from 0 --------------------------------
 * rg_optim_set_lr takes it. A negative step or length, or `every` below 1, gives NaN, which no optimizer accepts. */
/* base gamma^(step div every) */
RG_API double rg_schedule_step(double base, int64_t step, int64_t every, double gamma);
/* base gamma^step */
RG_API double rg_schedule_exponential(double base, int64_t step, double gamma);
/* From base down to `last` over `total` steps along half a cosine, then `last`: Loshchilov and Hutter, ICLR 2017. */
RG_API double rg_schedule_cosine(double base, double last, int64_t step, int64_t total);
/* Linear from base/steps at step 0 to base at step steps-1, then base. */
RG_API double rg_schedule_warmup(double base, int64_t step, int64_t steps);

#ifdef __cplusplus
}
#endif
#endif
