/* Retrograd: the learning rate as a function of the step or epoch, counted from 0. */
#ifndef RETROGRAD_SCHEDULE_H
#define RETROGRAD_SCHEDULE_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Plain functions: rg_optim_set_lr takes what they return. They have no state, so a run goes on from any step. What is
 * out of range (a negative step, a length that is negative or where it says so zero) gives NaN, which no optimizer
 * accepts. Those whose result is `base` times something chain by nesting, as PyTorch's ChainedScheduler:
 * rg_schedule_warmup(rg_schedule_exponential(base, step, 0.9), step, 5). One after the other: rg_schedule_phase. */

/* Zeros in a configuration are the defaults; where zero itself is meant, say RG_ZERO (base.h). */

/* base gamma^(step div every); every >= 1 */
RG_API double rg_schedule_step(double base, int64_t step, int64_t every, double gamma);
/* base gamma^n, n being how many of the milestones have been reached: are <= step. In any order. */
RG_API double rg_schedule_multi_step(double base, int64_t step, const int64_t *milestones, int count, double gamma);
/* base gamma^step */
RG_API double rg_schedule_exponential(double base, int64_t step, double gamma);
/* base factor before step `total`, base from there on: ConstantLR. */
RG_API double rg_schedule_constant(double base, int64_t step, double factor, int64_t total);
/* From base start to base end on a line over `total` steps, then base end: LinearLR. total >= 1. */
RG_API double rg_schedule_linear(double base, int64_t step, double start, double end, int64_t total);
/* base (1 - step/total)^power, then 0. total >= 1 */
RG_API double rg_schedule_polynomial(double base, int64_t step, int64_t total, double power);
/* Linear from base/steps at step 0 to base at step steps-1, then base. */
RG_API double rg_schedule_warmup(double base, int64_t step, int64_t steps);
/* From base down to `last` over `total` steps along half a cosine, then `last`: Loshchilov and Hutter, ICLR 2017.
 * PyTorch's rises again after `total`. */
RG_API double rg_schedule_cosine(double base, double last, int64_t step, int64_t total);
/* The same over and over: the first time over `first` steps, each time `factor` times as long. Both >= 1. */
RG_API double rg_schedule_cosine_restarts(double base, double last, int64_t step, int64_t first, int64_t factor);

/* Up from low to high over `up` steps, down again over `down`, and so on: Smith, WACV 2017. */
typedef enum rg_cycle_mode {
    RG_TRIANGULAR = 0, /* every cycle the same                          */
    RG_TRIANGULAR2,    /* each cycle half as high as the one before     */
    RG_EXP_RANGE,      /* the height is multiplied by gamma^step        */
} rg_cycle_mode;
typedef struct rg_cyclic_config {
    double low, high; /* CyclicLR's base_lr and max_lr                */
    int64_t up, down; /* 2000; up                                     */
    rg_cycle_mode mode;
    double gamma;                       /* 1                                            */
    double base_momentum, max_momentum; /* 0.8, 0.9: highest where the rate is lowest   */
} rg_cyclic_config;
RG_API double rg_schedule_cyclic(const rg_cyclic_config *config, int64_t step);
RG_API double rg_schedule_cyclic_momentum(const rg_cyclic_config *config, int64_t step); /* for rg_optim_set_momentum */

/* From high/div_factor up to high, and down to high/div_factor/final_div_factor at the last step, total - 1, and then
 * on: Smith and Topin 2018. Momentum goes the other way. In three phases it comes down to high/div_factor as it went
 * up, and to the end on the rest of the way. Zeros are the defaults. */
typedef struct rg_one_cycle_config {
    double high;                        /* OneCycleLR's max_lr                                              */
    int64_t total;                      /* steps in all; >= 1                                               */
    double rise;                        /* 0.3; share of them that it goes up: pct_start; in (0, 1]         */
    double div_factor;                  /* 25                                                               */
    double final_div_factor;            /* 1e4                                                              */
    double base_momentum, max_momentum; /* 0.85, 0.95                                                       */
    bool linear;                        /* lines instead of half cosines                                    */
    bool three_phase;
} rg_one_cycle_config;
RG_API double rg_schedule_one_cycle(const rg_one_cycle_config *config, int64_t step);
RG_API double rg_schedule_one_cycle_momentum(const rg_one_cycle_config *config, int64_t step);

/* Schedules one after the other, as PyTorch's SequentialLR: how many of the milestones (ascending) have been reached, and
 * in *since, unless NULL, the steps since the last of them.
 *   switch (rg_schedule_phase(step, (int64_t[]){5}, 1, &s)) { case 0: lr = rg_schedule_warmup(base, s, 5); ... } */
RG_API int rg_schedule_phase(int64_t step, const int64_t *milestones, int count, int64_t *since);

/* The rate is multiplied by `factor` when a measure (the validation loss) has not got better for more than `patience`
 * epochs. Settings and state in one: zeros are PyTorch's defaults, and how it begins.
 *   rg_plateau plateau = {.patience = 3};
 *   rg_optim_set_lr(opt, rg_plateau_step(&plateau, loss, rg_optim_lr(opt))); */
typedef struct rg_plateau {
    bool maximize;     /* larger is better                                                                       */
    double factor;     /* 0.1; below 1                                                                           */
    int64_t patience;  /* 10; -1 for none                                                                        */
    double threshold;  /* 1e-4; better is below best (1 - threshold), with `maximize` above best (1 + threshold) ... */
    bool absolute;     /* ... or by the threshold itself: below best - threshold, above best + threshold         */
    int64_t cooldown;  /* 0; epochs after a reduction that do not count as bad                                   */
    double min_lr;     /* 0; the rate never falls below                                                          */
    double eps;        /* 1e-8; reductions of less are not made                                                  */
    double best;       /* state: the best so far, once begun                                                     */
    int64_t bad, rest; /* state: epochs without improvement; what is left of the cooldown                        */
    bool begun;        /* state                                                                                  */
} rg_plateau;
/* The next rate, from the present one. NaN for a factor outside of [0, 1). NULL: lr. */
RG_API double rg_plateau_step(rg_plateau *plateau, double measure, double lr);

#ifdef __cplusplus
}
#endif
#endif
