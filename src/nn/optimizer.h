/* What the optimizers share: the struct, the kinds, and the helpers that an update is written with. */
#ifndef RG__NN_OPTIMIZER_H
#define RG__NN_OPTIMIZER_H

#include <retrograd/retrograd.h>

typedef struct rg__optim_kind {
    const char *name; /* begins the keys of the state: "adam" gives "adam.m" */
    /* Sets the tape's error and returns false where a setting is out of range. */
    bool (*check)(const rg_optim *opt, rg_tape *t);
    /* Records the update of p by the gradient g. lr is an f64 scalar. */
    void (*update)(const rg_optim *opt, rg_tape *t, rg_param *p, rg_tensor g, rg_tensor lr);
} rg__optim_kind;

struct rg_optim {
    rg_params *store;
    const rg__optim_kind *kind;
    double lr;
    union { /* with the defaults filled in, but for the learning rate, which is above */
        rg_sgd_config sgd;
        rg_adagrad_config adagrad;
        rg_rmsprop_config rmsprop;
        rg_adam_config adam;
    } config;
};

/* NULL for a NULL store and when out of memory. */
rg_optim *rg__optim_new(rg_params *ps, const rg__optim_kind *kind, double lr);

/* A field of a configuration: 0 says the default, RG_ZERO says 0. */
double rg__optim_field(double value, double otherwise);

/* State of p under "kind.key", with every element `initial` when it is new. NULL on error, which is on the tape. */
rg_param *rg__optim_state(const rg_optim *opt, rg_tape *t, rg_param *p, const char *key, double initial);

/* How often p has been updated, this time included: an f64 scalar that is recorded, so that every step has the same
 * structure. Counts once a call. */
rg_tensor rg__optim_count(const rg_optim *opt, rg_tape *t, rg_param *p);

/* g + weight_decay p */
rg_tensor rg__optim_decay(rg_tape *t, rg_param *p, rg_tensor g, double weight_decay);

/* state := momentum state + g; returns the new value. */
rg_tensor rg__optim_accumulate(rg_tape *t, rg_param *state, double momentum, rg_tensor g);

/* state := state + weight (x - state), the moving average; returns the new value. */
rg_tensor rg__optim_average(rg_tape *t, rg_param *state, double weight, rg_tensor x);

/* p := w - rate direction. rate is an f64 scalar. */
void rg__optim_descend(rg_tape *t, rg_param *p, rg_tensor w, rg_tensor rate, rg_tensor direction);

#endif
