/* What the optimizers share: the struct, the kinds, and the helpers that an update is written with. */
#ifndef RG__NN_OPTIMIZER_H
#define RG__NN_OPTIMIZER_H

#include "check.h"

/* One parameter's turn in a step. */
typedef struct rg__turn {
    rg_param *p;
    rg_tensor g;         /* of what is minimised: negated to maximize   */
    rg_tensor lr;        /* an f64 scalar, the group's factor in it     */
    double rate;         /* the same as a number                        */
    double weight_decay; /* the group's, or the optimizer's             */
} rg__turn;

typedef struct rg__optim_kind {
    const char *name;     /* begins the keys of the state: "adam" gives "adam.m"       */
    const char *momentum; /* the name of the setting that rg_optim_set_momentum sets, or NULL */
    double momentum_high; /* it is below this                                          */
    bool decays;          /* has weight decay                                          */
    /* Sets the tape's error and returns false where a setting of its own is out of range. */
    bool (*check)(const rg_optim *opt, rg_tape *t);
    /* Records the update of a parameter; NULL where steps are no updates by gradients. */
    void (*update)(const rg_optim *opt, rg_tape *t, const rg__turn *turn);
    void (*free)(void *memory); /* NULL: there is none */
} rg__optim_kind;

/* What all of them have, defaults filled in. */
typedef struct rg__optim_common {
    double lr, weight_decay;
    double momentum; /* or beta1 */
    bool maximize;
} rg__optim_common;

typedef struct rg__optim_group {
    struct rg__optim_group *next;
    rg_group settings;
    char pattern[];
} rg__optim_group;

struct rg_optim {
    rg_params *store;
    const rg__optim_kind *kind;
    rg__optim_common common;
    bool momentum_moves;            /* it was set: a slot, not a part of the recorded structure */
    rg__optim_group *only, *groups; /* in the order of the calls */
    const char *trouble;            /* what went wrong before there was a tape to say it on, or NULL */
    rg_status trouble_status;
    void *memory; /* of a kind that keeps its own */
    union {       /* the rest of the settings, defaults filled in */
        rg_sgd_config sgd;
        rg_adagrad_config adagrad;
        rg_rmsprop_config rmsprop;
        rg_adadelta_config adadelta;
        rg_adam_config adam;
        rg_nadam_config nadam;
        rg_radam_config radam;
        rg_adamax_config adamax;
        rg_lamb_config lamb;
        rg_lion_config lion;
        rg_rprop_config rprop;
        rg_lbfgs_config lbfgs;
    } config;
};

/* NULL for a NULL store and when out of memory. */
rg_optim *rg__optim_new(rg_params *ps, const rg__optim_kind *kind, rg__optim_common common);

/* Are all settings in range? Else false, and an error on the tape. */
bool rg__optim_check(const rg_optim *opt, rg_tape *t);

/* Is p one of those that this optimizer updates: trainable, and not left out by rg_optim_only? */
bool rg__optim_takes(const rg_optim *opt, const rg_param *p);

/* State of p under "kind.key", with every element `initial` when it is new. NULL on error, which is on the tape. */
rg_param *rg__optim_state(const rg_optim *opt, rg_tape *t, rg_param *p, const char *key, double initial);

/* The same for an f64 scalar. */
rg_param *rg__optim_number(const rg_optim *opt, rg_tape *t, rg_param *p, const char *key, double initial);

/* How often p has been updated, this time included: an f64 scalar that is recorded, so that every step has the same
 * structure. Counts once a call. */
rg_tensor rg__optim_count(const rg_optim *opt, rg_tape *t, rg_param *p);

/* g + weight_decay p */
rg_tensor rg__optim_decayed(rg_tape *t, const rg__turn *turn);

/* p - lr weight_decay p, of which decoupled weight decay begins. */
rg_tensor rg__optim_shrunk(rg_tape *t, const rg__turn *turn);

/* state := decay state + g; returns the new value. */
rg_tensor rg__optim_accumulate(rg_tape *t, rg_param *state, double decay, rg_tensor g);

/* state := state + weight (x - state), the moving average; returns the new value. */
rg_tensor rg__optim_average(rg_tape *t, rg_param *state, double weight, rg_tensor x);

/* value x, where the value is made of the momentum. */
rg_tensor rg__optim_momentum_times(const rg_optim *opt, rg_tape *t, double value, rg_tensor x);

/* The momentum as an f64 scalar. */
rg_tensor rg__optim_momentum(const rg_optim *opt, rg_tape *t);

/* Is there any, now or with another setting? */
bool rg__optim_has_momentum(const rg_optim *opt);

/* The state "key" := momentum state + g; returns the new value. */
rg_tensor rg__optim_velocity(const rg_optim *opt, rg_tape *t, rg_param *p, const char *key, rg_tensor g);

/* m := beta1 m + (1 - beta1) g and v := beta2 v + (1 - beta2) g^2; return the new values. */
rg_tensor rg__optim_first(const rg_optim *opt, rg_tape *t, rg_param *p, rg_tensor g);
rg_tensor rg__optim_second(const rg_optim *opt, rg_tape *t, rg_param *p, rg_tensor g, double beta2);

/* 1 - beta^step, an f64 scalar. */
rg_tensor rg__optim_correction(rg_tape *t, rg_tensor beta, rg_tensor step);

/* p := w - rate direction. rate is an f64 scalar. */
void rg__optim_descend(rg_tape *t, rg_param *p, rg_tensor w, rg_tensor rate, rg_tensor direction);

#endif
