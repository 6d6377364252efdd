/* Retrograd: optimizers, parameter groups and gradient clipping, all of recorded ops. */
#ifndef RETROGRAD_OPTIM_H
#define RETROGRAD_OPTIM_H

#include <retrograd/average.h>
#include <retrograd/base.h>
#include <retrograd/params.h>
#include <retrograd/schedule.h>

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
 * beta1 = 0), say RG_ZERO (base.h). A value that is out of range is an error on the tape at the first step.
 * Constructors return NULL when out of memory or without a store. Rates, decays, momentum and eps are finite and not
 * negative, betas in [0, 1). `maximize` ascends: the gradient is negated before anything else.
 *
 * In the formulas p is the parameter, g its gradient (with weight_decay p added where it says so), t the count of its
 * steps, 1 at the first. All is element by element; what is remembered is 0 at first unless it says otherwise. */
typedef struct rg_optim rg_optim;

/* ---- gradient descent -------------------------------------------------------------------------------------------- */

/* p := p - lr g; with momentum b := momentum b + (1 - dampening) g, at the first step b := g; p := p - lr b; Nesterov:
 * p := p - lr (g + momentum b). Robbins and Monro, Annals of Mathematical Statistics 22, 1951; momentum: Polyak, USSR
 * Computational Mathematics and Mathematical Physics 4, 1964. */
typedef struct rg_sgd_config {
    double lr;           /* 1e-3                                                                                  */
    double momentum;     /* 0                                                                                     */
    double dampening;    /* 0; in [0, 1]: the momentum gains (1 - dampening) g, but the whole g at the first step */
    double weight_decay; /* 0; added to the gradient as weight_decay p                                            */
    bool nesterov;       /* needs momentum and no dampening; Sutskever et al., ICML 2013                          */
    bool maximize;
} rg_sgd_config;
RG_API rg_optim *rg_sgd_new(rg_params *ps, const rg_sgd_config *config);

/* ---- each element scaled by a history of its gradient ------------------------------------------------------------- */

/* s := s + g^2; p := p - lr/(1 + (t - 1) lr_decay) g/(sqrt(s) + eps) */
typedef struct rg_adagrad_config {
    double lr;           /* 1e-2                                            */
    double lr_decay;     /* 0                                               */
    double weight_decay; /* 0; added to the gradient                        */
    double initial;      /* 0; s before the first step                      */
    double eps;          /* 1e-10                                           */
    bool maximize;
} rg_adagrad_config;
RG_API rg_optim *rg_adagrad_new(rg_params *ps, const rg_adagrad_config *config); /* Duchi et al., JMLR 2011 */

/* v := alpha v + (1 - alpha) g^2; d = g/(sqrt(v) + eps); p := p - lr d; with momentum b := momentum b + d,
 * p := p - lr b. Centred: m := alpha m + (1 - alpha) g; d = g/(sqrt(v - m^2) + eps), Graves, arXiv 1308.0850, 2013. */
typedef struct rg_rmsprop_config {
    double lr;           /* 1e-2                                                                     */
    double alpha;        /* 0.99; in [0, 1)                                                          */
    double eps;          /* 1e-8                                                                     */
    double weight_decay; /* 0; added to the gradient                                                 */
    double momentum;     /* 0; of the scaled gradients                                               */
    bool centered;       /* scale by the estimated standard deviation, not the root of second moment */
    bool maximize;
} rg_rmsprop_config;
RG_API rg_optim *rg_rmsprop_new(rg_params *ps, const rg_rmsprop_config *config); /* Tieleman and Hinton 2012 */

/* v := rho v + (1 - rho) g^2; d = sqrt(u + eps)/sqrt(v + eps) g; u := rho u + (1 - rho) d^2; p := p - lr d */
typedef struct rg_adadelta_config {
    double lr;           /* 1                        */
    double rho;          /* 0.9; in [0, 1]           */
    double eps;          /* 1e-6                     */
    double weight_decay; /* 0; added to the gradient */
    bool maximize;
} rg_adadelta_config;
RG_API rg_optim *rg_adadelta_new(rg_params *ps, const rg_adadelta_config *config); /* Zeiler, arXiv 1212.5701, 2012 */

/* ---- two moments: m := beta1 m + (1 - beta1) g, v := beta2 v + (1 - beta2) g^2 ------------------------------------ */

/* p := p - lr m/(1 - beta1^t)/(sqrt(v/(1 - beta2^t)) + eps); AdamW: p := p - lr weight_decay p first, g as it is.
 * amsgrad: u := max(u, v) in the place of v, corrected as v is. */
typedef struct rg_adam_config {
    double lr;           /* 1e-3                                                                                   */
    double beta1, beta2; /* 0.9, 0.999                                                                             */
    double eps;          /* 1e-8                                                                                   */
    double weight_decay; /* Adam: 0, added to the gradient; AdamW: 1e-2                                            */
    bool amsgrad;        /* Reddi et al., ICLR 2018                                                                */
    bool maximize;
} rg_adam_config;
RG_API rg_optim *rg_adam_new(rg_params *ps, const rg_adam_config *config);  /* Kingma and Ba, ICLR 2015         */
RG_API rg_optim *rg_adamw_new(rg_params *ps, const rg_adam_config *config); /* Loshchilov and Hutter, ICLR 2019 */

/* Adam with Nesterov's momentum. mu(t) = beta1 (1 - 0.96^(t momentum_decay)/2), M(t) the product of all mu so far:
 * p := p - lr ((1 - mu(t))/(1 - M(t)) g + mu(t+1)/(1 - M(t) mu(t+1)) m)/(sqrt(v/(1 - beta2^t)) + eps) */
typedef struct rg_nadam_config {
    double lr;             /* 2e-3                                                               */
    double beta1, beta2;   /* 0.9, 0.999                                                         */
    double eps;            /* 1e-8                                                               */
    double weight_decay;   /* 0; added to the gradient, or, decoupled, taken from p as in AdamW  */
    double momentum_decay; /* 4e-3                                                               */
    bool decoupled_weight_decay;
    bool maximize;
} rg_nadam_config;
RG_API rg_optim *rg_nadam_new(rg_params *ps, const rg_nadam_config *config); /* Dozat, ICLR workshop 2016 */

/* Adam that scales by v only once its variance is bounded. With rho = 2/(1 - beta2) - 1, r = rho - 2 t beta2^t/(1 -
 * beta2^t): where r > 5, p := p - lr m/(1 - beta1^t) sqrt(1 - beta2^t) sqrt((r-4)(r-2)rho/((rho-4)(rho-2)r))/(sqrt(v) +
 * eps), else p := p - lr m/(1 - beta1^t). */
typedef struct rg_radam_config {
    double lr;           /* 1e-3                                                               */
    double beta1, beta2; /* 0.9, 0.999                                                         */
    double eps;          /* 1e-8                                                               */
    double weight_decay; /* 0; added to the gradient, or, decoupled, taken from p as in AdamW  */
    bool decoupled_weight_decay;
    bool maximize;
} rg_radam_config;
RG_API rg_optim *rg_radam_new(rg_params *ps, const rg_radam_config *config); /* Liu et al., ICLR 2020 */

/* v is the largest gradient, fading: v := max(beta2 v, |g| + eps); p := p - lr/(1 - beta1^t) m/v */
typedef struct rg_adamax_config {
    double lr;           /* 2e-3                     */
    double beta1, beta2; /* 0.9, 0.999               */
    double eps;          /* 1e-8                     */
    double weight_decay; /* 0; added to the gradient */
    bool maximize;
} rg_adamax_config;
RG_API rg_optim *rg_adamax_new(rg_params *ps, const rg_adamax_config *config); /* Kingma and Ba, ICLR 2015 */

/* Adam's direction with the length of each parameter's own weights: d = m/(1 - beta1^t)/(sqrt(v/(1 - beta2^t)) + eps) +
 * weight_decay p; p := p - lr f(|p|)/|d| d, |.| being the 2-norm of the whole tensor, f(z) z held within [norm_min,
 * norm_max]; the quotient is 1 where f(|p|) or |d| is 0. Not in PyTorch: the paper's algorithm 2 with its bias
 * correction. */
typedef struct rg_lamb_config {
    double lr;                 /* 1e-3                  */
    double beta1, beta2;       /* 0.9, 0.999            */
    double eps;                /* 1e-6                  */
    double weight_decay;       /* 0; not added to g     */
    double norm_min, norm_max; /* 0, and 0 for no limit */
    bool maximize;
} rg_lamb_config;
RG_API rg_optim *rg_lamb_new(rg_params *ps, const rg_lamb_config *config); /* You et al., ICLR 2020 */

/* ---- the sign alone ----------------------------------------------------------------------------------------------- */

/* p := p - lr (sign(beta1 m + (1 - beta1) g) + weight_decay p); then m := beta2 m + (1 - beta2) g. Not in PyTorch. */
typedef struct rg_lion_config {
    double lr;           /* 1e-4                               */
    double beta1, beta2; /* 0.9, 0.99                          */
    double weight_decay; /* 0; lr weight_decay p taken from p  */
    bool maximize;
} rg_lion_config;
RG_API rg_optim *rg_lion_new(rg_params *ps, const rg_lion_config *config); /* Chen et al., NeurIPS 2023 */

/* Each element has a step size s of its own, lr at first, and remembers its gradient, h: s := s times eta_plus where
 * g h > 0, eta_minus where g h < 0, else 1, held within [step_min, step_max]; g := 0 where g h < 0; p := p - s sign(g);
 * h := g. So p stays for once where the gradient changes its sign: the variant iRprop-, Igel and Huesken, Symposium on
 * Neural Computation, 2000. For gradients of the whole data. The learning rate counts when a parameter is updated for
 * the first time, never later. Has no weight decay. */
typedef struct rg_rprop_config {
    double lr;                  /* 1e-2                                         */
    double eta_minus, eta_plus; /* 0.5, 1.2; 0 < eta_minus < 1 < eta_plus       */
    double step_min, step_max;  /* 1e-6, 50; 0 <= step_min <= step_max          */
    bool maximize;
} rg_rprop_config;
RG_API rg_optim *rg_rprop_new(rg_params *ps, const rg_rprop_config *config); /* Riedmiller and Braun, ICNN 1993 */

/* ---- L-BFGS ------------------------------------------------------------------------------------------------------- */

/* p := p + a d, d = -H g over all parameters as one vector. H, the inverse Hessian, comes by two loops from the last
 * `history_size` changes s of position and y of gradient with <s, y> > 1e-10, on the diagonal <s, y>/<y, y> of the
 * newest (1 without any): Liu and Nocedal, Mathematical Programming 45, 1989. Where <g, d> > -tolerance_change the step
 * ends.
 *
 * It evaluates the loss as often as it needs, so it does not use the gradients of rg_backward but calls a closure, and
 * its steps are rg_lbfgs_step; rg_optim_step is an error. Its history is kept here in f64, not in the store, and ends
 * with the optimizer. The parameters are those that are trainable at the first step; another number of elements later
 * is an error. Has no weight decay and no parameter groups. */
typedef struct rg_lbfgs_config {
    double lr;               /* 1; a, or the first that the line search tries; in the optimizer's very first iteration
                                times min(1, 1/sum |g|)                                                               */
    int max_iter;            /* 20; iterations of one rg_lbfgs_step                                                   */
    int max_eval;            /* 1.25 max_iter; evaluations of one rg_lbfgs_step: no further iteration after so many   */
    double tolerance_grad;   /* 1e-7; ends where no element of the gradient is larger                                 */
    double tolerance_change; /* 1e-9; ends where the loss changes by less, or no parameter by more                    */
    int history_size;        /* 100                                                                                   */
    bool strong_wolfe;       /* search along the line by cubic interpolation until the strong Wolfe conditions hold
                                (Nocedal and Wright, Numerical Optimization, 2006, chapter 3.5; c1 = 1e-4, c2 = 0.9);
                                otherwise take lr as it is                                                            */
} rg_lbfgs_config;
RG_API rg_optim *rg_lbfgs_new(rg_params *ps, const rg_lbfgs_config *config);

/* Records the loss, of one element, and returns it. Called many times, each time behind what is on the tape, and rolled
 * back: tensors recorded before the step may be used, those that the closure records end with its evaluation. It must
 * not draw random numbers, or the line search compares different functions. */
typedef rg_tensor (*rg_closure)(rg_tape *t, void *user);

/* Up to max_iter iterations: runs at once, and writes the parameters. Returns the loss before the first; NaN on error,
 * which is on the tape; the parameters are then those of the last iteration that ended. Where loss or gradient are not
 * finite, the line search takes the point for a high one, which PyTorch's does not; without it the step ends there. */
RG_API double rg_lbfgs_step(rg_optim *opt, rg_tape *t, rg_closure closure, void *user);

/* ---- all of them -------------------------------------------------------------------------------------------------- */

RG_API void rg_optim_free(rg_optim *opt);

/* Records the update of every parameter that has a gradient, in scope "optim", then clears the gradients of the whole
 * store, those of parameters that are not this optimizer's, too: what the generator's loss leaves in a discriminator
 * never reaches the discriminator's step. No gradient flows through an update. A NULL optimizer is an error on the tape. */
RG_API void rg_optim_step(rg_optim *opt, rg_tape *t);
/* The same without clearing: where several optimizers use the gradients of one backward pass, all but the last. */
RG_API void rg_optim_update(rg_optim *opt, rg_tape *t);

/* The learning rate of the next step; 0 means 0 here. It is bound when a step runs, never part of the recorded
 * structure. NULL: does nothing, and is 0. */
RG_API void rg_optim_set_lr(rg_optim *opt, double lr);
RG_API double rg_optim_lr(const rg_optim *opt);

/* The momentum of SGD and RMSprop, beta1 of the others that have one; 0 means 0 here. From the first call on it is bound
 * as the learning rate is, so that schedules cost no new plans. Without momentum (AdaGrad, Adadelta, Rprop, L-BFGS): an
 * error at the next step. NULL: does nothing, and is 0. */
RG_API void rg_optim_set_momentum(rg_optim *opt, double momentum);
RG_API double rg_optim_momentum(const rg_optim *opt);

/* ---- which parameters, and groups of them -------------------------------------------------------------------------
 * By patterns over names, as rg_name_matches compares them: '*' is any run of characters, dots too, '?' any one. Patterns
 * are copied. A NULL pattern, and no memory, are errors at the next step. */

/* Only parameters whose names match are updated; more calls add patterns, any of which may match. So two optimizers
 * train two parts of one store: "generator.*" and "discriminator.*". */
RG_API void rg_optim_only(rg_optim *opt, const char *pattern);

/* Settings of its own for the parameters that match; the first group that does wins. Zeros are the optimizer's own
 * settings, RG_ZERO is zero: rg_optim_group(opt, "*.bias", &(rg_group){.weight_decay = RG_ZERO}). */
typedef struct rg_group {
    double lr_factor; /* 1; the learning rate is lr_factor times the optimizer's, whatever a schedule makes of that */
    double weight_decay;
} rg_group;
RG_API void rg_optim_group(rg_optim *opt, const char *pattern, const rg_group *group);

/* ---- clipping: between rg_backward and rg_optim_step ------------------------------------------------------------- */
/* Scales all gradients of the store by min(1, max_norm / (norm + 1e-6)), norm being the 2-norm of all of them together,
 * which is returned (before clipping), as a recorded scalar: f64 if one of the gradients is, 0 where there are none.
 * max_norm >= 0, infinite to measure only. Pascanu et al., ICML 2013. */
RG_API rg_tensor rg_clip_grad_norm(rg_tape *t, rg_params *ps, double max_norm);
/* Holds every element within [-limit, limit]; limit >= 0. */
RG_API void rg_clip_grad_value(rg_tape *t, rg_params *ps, double limit);

#ifdef __cplusplus
}
#endif
#endif
