/* The parameter store's entries, as the tape and the executor see them. */
#ifndef RG__AUTOGRAD_PARAMS_H
#define RG__AUTOGRAD_PARAMS_H

#include "core/error.h"

#include <retrograd/params.h>

struct rg_param {
    rg_params *store;
    char *name;
    uint64_t name_hash;
    rg_param_kind kind;
    rg_dtype dtype;
    rg_shape shape;
    int64_t numel;
    void *data;       /* row-major; at the same place for life                       */
    uint64_t version; /* counts everything that was written to data                  */
    uint64_t sets;    /* counts rg_param_set alone                                   */
    bool trainable;
    bool has_grad;     /* grad holds a gradient that outlived its tape                */
    rg_param *grad;    /* where that is stored; of no store, NULL until first needed  */
    rg_param *grad_of; /* of such storage: whose gradient it is                       */
    rg_param *state;   /* first of the states, linked by `next`                       */
    rg_param *next;
    const char *key; /* of a state: the part of the name behind the slash           */
};

/* After its data was written by an assignment. */
void rg__param_written(rg_param *p);

/* Storage for p's gradient; NULL and an error on the store when out of memory. */
rg_param *rg__param_grad_storage(rg_param *p);

#endif
