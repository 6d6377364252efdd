/* Optimizers: the step that all of them share, and the helpers that their updates are written with. */
#include "check.h"
#include "optimizer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

rg_optim *rg__optim_new(rg_params *ps, const rg__optim_kind *kind, double lr)
{
    rg_optim *opt = ps != NULL ? calloc(1, sizeof *opt) : NULL;
    if (opt == NULL)
        return NULL;
    opt->store = ps;
    opt->kind = kind;
    opt->lr = lr;
    return opt;
}

void rg_optim_free(rg_optim *opt)
{
    free(opt);
}

double rg__optim_field(double value, double otherwise)
{
    return value == 0 ? otherwise : value == RG_ZERO ? 0 : value;
}

void rg_optim_set_lr(rg_optim *opt, double lr)
{
    if (opt != NULL)
        opt->lr = rg__optim_field(lr, 0);
}

double rg_optim_lr(const rg_optim *opt)
{
    return opt != NULL ? opt->lr : 0;
}

void rg_optim_step(rg_optim *opt, rg_tape *t)
{
    if (opt == NULL) {
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "optim_step: the optimizer is NULL");
        return;
    }
    if (rg_failed(t) || !rg__check_range(t, opt->kind->name, "lr", opt->lr, INFINITY, true) || !opt->kind->check(opt, t))
        return;
    rg_mode_push(t, RG_NO_GRAD);
    rg_scope_push(t, "optim");
    const rg_tensor lr = rg_scalar(t, RG_F64, opt->lr);
    /* The updates may add state to the store, behind what is there now. */
    const int count = rg_params_count(opt->store);
    for (int i = 0; i < count; i++) {
        rg_param *p = rg_params_at(opt->store, i);
        if (rg_param_kind_of(p) != RG_PARAM || !rg_param_trainable(p))
            continue;
        const rg_tensor g = rg_param_grad(t, p);
        if (!rg_is_nil(g))
            opt->kind->update(opt, t, p, g, lr);
    }
    rg_scope_pop(t);
    rg_mode_pop(t);
    rg_params_clear_grads(t, opt->store);
}

/* ---- state: entries of the store named "p/kind.key" -------------------------------------------------------------- */

static rg_param *state(const rg_optim *opt, rg_tape *t, rg_param *p, const char *key, rg_dtype dtype, rg_shape shape,
                       double initial)
{
    char full[64];
    snprintf(full, sizeof full, "%s.%s", opt->kind->name, key);
    rg_param *found = rg_param_state(p, full, dtype, shape, initial);
    if (found == NULL)
        rg_tape_fail(t, rg_params_status(opt->store), "%s: no state '%s' for '%s': %s", opt->kind->name, key,
                     rg_param_name(p), rg_params_error(opt->store));
    return found;
}

rg_param *rg__optim_state(const rg_optim *opt, rg_tape *t, rg_param *p, const char *key, double initial)
{
    return state(opt, t, p, key, rg_param_dtype(p), rg_param_shape(p), initial);
}

rg_tensor rg__optim_count(const rg_optim *opt, rg_tape *t, rg_param *p)
{
    rg_param *count = state(opt, t, p, "step", RG_F64, RG_SCALAR, 0);
    if (count == NULL)
        return RG_NIL;
    const rg_tensor step = rg_add_scalar(t, rg_leaf(t, count), 1);
    rg_assign(t, count, step);
    return step;
}

/* ---- what updates are made of ------------------------------------------------------------------------------------ */

rg_tensor rg__optim_decay(rg_tape *t, rg_param *p, rg_tensor g, double weight_decay)
{
    return weight_decay == 0 ? g : rg_add(t, g, rg_mul_scalar(t, rg_leaf(t, p), weight_decay));
}

rg_tensor rg__optim_accumulate(rg_tape *t, rg_param *state, double momentum, rg_tensor g)
{
    if (state == NULL)
        return RG_NIL;
    const rg_tensor old = rg_leaf(t, state);
    const rg_tensor value = rg_add(t, momentum == 1 ? old : rg_mul_scalar(t, old, momentum), g);
    rg_assign(t, state, value);
    return value;
}

rg_tensor rg__optim_average(rg_tape *t, rg_param *state, double weight, rg_tensor x)
{
    if (state == NULL)
        return RG_NIL;
    const rg_tensor old = rg_leaf(t, state);
    const rg_tensor value = rg_add(t, old, rg_mul_scalar(t, rg_sub(t, x, old), weight));
    rg_assign(t, state, value);
    return value;
}

void rg__optim_descend(rg_tape *t, rg_param *p, rg_tensor w, rg_tensor rate, rg_tensor direction)
{
    rate = rg_cast(t, rate, rg_param_dtype(p));
    rg_assign(t, p, rg_sub(t, w, rg_mul(t, rate, direction)));
}
