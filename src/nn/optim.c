/* Optimizers: the step that all of them share, and the helpers that their updates are written with. */
#include "check.h"
#include "optimizer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- state: entries of the store named "p/kind.key" ------------------------------------------------------------------ */

/* The entry's name, to be freed; NULL when out of memory, which is then the tape's error. */
static char *state_name(const rg_optim *opt, rg_tape *t, const rg_param *p, const char *key)
{
    const char *name = rg_param_name(p), *kind = opt->kind->name;
    const int length = snprintf(NULL, 0, "%s/%s.%s", name, kind, key);
    char *full = length < 0 ? NULL : malloc((size_t)length + 1);
    if (full == NULL)
        rg_tape_fail(t, RG_ERROR_MEMORY, "%s: no memory for the state of '%s'", kind, name);
    else
        snprintf(full, (size_t)length + 1, "%s/%s.%s", name, kind, key);
    return full;
}

static void fail_state(const rg_optim *opt, rg_tape *t, const rg_param *p, const char *key)
{
    const rg_status status = rg_params_status(opt->store);
    rg_tape_fail(t, status != RG_OK ? status : RG_ERROR_STATE, "%s: no state '%s' for '%s': %s", opt->kind->name, key,
                 rg_param_name(p), rg_params_error(opt->store));
}

rg_param *rg__optim_state(const rg_optim *opt, rg_tape *t, rg_param *p, const char *key, double initial)
{
    char *full = state_name(opt, t, p, key);
    if (full == NULL)
        return NULL;
    /* Only who wants other values than zeros must know whether the state is new. */
    const bool fill = initial != 0 && rg_params_find(opt->store, full) == NULL;
    rg_param *state = rg_param_state(p, full + strlen(rg_param_name(p)) + 1);
    free(full);
    if (state == NULL)
        fail_state(opt, t, p, key);
    else if (fill)
        rg_init_constant(state, initial);
    return state;
}

rg_tensor rg__optim_count(const rg_optim *opt, rg_tape *t, rg_param *p)
{
    char *full = state_name(opt, t, p, "step");
    if (full == NULL)
        return RG_NIL;
    rg_param *count = rg_params_find(opt->store, full);
    if (count == NULL)
        count = rg_buffer_new(opt->store, full, RG_F64, RG_SCALAR, NULL);
    free(full);
    if (count == NULL) {
        fail_state(opt, t, p, "step");
        return RG_NIL;
    }
    if (rg_param_dtype(count) != RG_F64 || rg_param_shape(count).rank != 0) {
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: the step count '%s' is %s %s; it must be f64 []", opt->kind->name,
                     rg_param_name(count), rg_dtype_name(rg_param_dtype(count)), RG__SHAPE_TEXT(rg_param_shape(count)));
        return RG_NIL;
    }
    const rg_tensor step = rg_add_scalar(t, rg_leaf(t, count), 1);
    rg_assign(t, count, step);
    return step;
}

/* ---- what updates are made of ---------------------------------------------------------------------------------------- */

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
