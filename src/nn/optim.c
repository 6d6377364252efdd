/* Optimizers: the step that all of them share, and the helpers that their updates are written with. */
#include "check.h"
#include "optimizer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

rg_optim *rg__optim_new(rg_params *ps, const rg__optim_kind *kind, rg__optim_common common)
{
    rg_optim *opt = ps != NULL ? calloc(1, sizeof *opt) : NULL;
    if (opt == NULL)
        return NULL;
    opt->store = ps;
    opt->kind = kind;
    opt->common = common;
    return opt;
}

static void free_groups(rg__optim_group *first)
{
    while (first != NULL) {
        rg__optim_group *next = first->next;
        free(first);
        first = next;
    }
}

void rg_optim_free(rg_optim *opt)
{
    if (opt == NULL)
        return;
    free_groups(opt->only);
    free_groups(opt->groups);
    if (opt->kind->free != NULL)
        opt->kind->free(opt->memory);
    free(opt);
}

/* For the next step to say. */
static void remember_trouble(rg_optim *opt, rg_status status, const char *trouble)
{
    opt->trouble = trouble;
    opt->trouble_status = status;
}

void rg_optim_set_lr(rg_optim *opt, double lr)
{
    if (opt != NULL)
        opt->common.lr = rg__or_default(lr, 0);
}

double rg_optim_lr(const rg_optim *opt)
{
    return opt != NULL ? opt->common.lr : 0;
}

void rg_optim_set_momentum(rg_optim *opt, double momentum)
{
    if (opt == NULL)
        return;
    if (opt->kind->momentum == NULL)
        remember_trouble(opt, RG_ERROR_ARGUMENT, "rg_optim_set_momentum was called; it has no momentum");
    opt->common.momentum = rg__or_default(momentum, 0);
    opt->momentum_moves = true;
}

double rg_optim_momentum(const rg_optim *opt)
{
    return opt != NULL ? opt->common.momentum : 0;
}

/* ---- which parameters, and groups of them ------------------------------------------------------------------------ */

/* Puts a pattern at the end of a list. */
static void add_pattern(rg_optim *opt, rg__optim_group **list, const char *pattern, rg_group settings)
{
    if (pattern == NULL) {
        remember_trouble(opt, RG_ERROR_ARGUMENT, "a pattern is NULL");
        return;
    }
    const size_t size = strlen(pattern) + 1;
    rg__optim_group *made = malloc(sizeof *made + size);
    if (made == NULL) {
        remember_trouble(opt, RG_ERROR_MEMORY, "out of memory for a pattern");
        return;
    }
    made->next = NULL;
    made->settings = settings;
    memcpy(made->pattern, pattern, size);
    while (*list != NULL)
        list = &(*list)->next;
    *list = made;
}

void rg_optim_only(rg_optim *opt, const char *pattern)
{
    if (opt != NULL)
        add_pattern(opt, &opt->only, pattern, (rg_group){0});
}

void rg_optim_group(rg_optim *opt, const char *pattern, const rg_group *group)
{
    if (opt != NULL)
        add_pattern(opt, &opt->groups, pattern, group != NULL ? *group : (rg_group){0});
}

static const rg__optim_group *find_group(const rg__optim_group *group, const rg_param *p)
{
    while (group != NULL && !rg_name_matches(rg_param_name(p), group->pattern))
        group = group->next;
    return group;
}

bool rg__optim_takes(const rg_optim *opt, const rg_param *p)
{
    return rg_param_kind_of(p) == RG_PARAM && rg_param_trainable(p) &&
           (opt->only == NULL || find_group(opt->only, p) != NULL);
}

/* ---- the step ---------------------------------------------------------------------------------------------------- */

static bool check_groups(const rg_optim *opt, rg_tape *t)
{
    const char *name = opt->kind->name;
    for (const rg__optim_group *group = opt->groups; group != NULL; group = group->next) {
        const double factor = rg__or_default(group->settings.lr_factor, 1);
        const double decay = rg__or_default(group->settings.weight_decay, 0);
        if (!rg__check_range(t, name, "lr_factor of a group", factor, INFINITY, true) ||
            !rg__check_range(t, name, "weight_decay of a group", decay, INFINITY, true))
            return false;
        if (decay != 0 && !opt->kind->decays) {
            rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: the group '%s' sets weight_decay, which %s does not have", name,
                         group->pattern, name);
            return false;
        }
    }
    return true;
}

bool rg__optim_check(const rg_optim *opt, rg_tape *t)
{
    const rg__optim_kind *kind = opt->kind;
    if (opt->trouble != NULL)
        rg_tape_fail(t, opt->trouble_status, "%s: %s", kind->name, opt->trouble);
    return !rg_failed(t) && rg__check_range(t, kind->name, "lr", opt->common.lr, INFINITY, true) &&
           rg__check_range(t, kind->name, "weight_decay", opt->common.weight_decay, INFINITY, true) &&
           (kind->momentum == NULL ||
            rg__check_range(t, kind->name, kind->momentum, opt->common.momentum, kind->momentum_high, true)) &&
           check_groups(opt, t) && kind->check(opt, t);
}

/* The turn of p, but for its gradient. */
static rg__turn turn_of(const rg_optim *opt, rg_tape *t, rg_param *p, rg_tensor lr)
{
    rg__turn turn = {.p = p, .lr = lr, .rate = opt->common.lr, .weight_decay = opt->common.weight_decay};
    const rg__optim_group *group = find_group(opt->groups, p);
    const double factor = group != NULL ? rg__or_default(group->settings.lr_factor, 1) : 1;
    if (group != NULL)
        turn.weight_decay = rg__or_default(group->settings.weight_decay, turn.weight_decay);
    if (factor != 1) {
        turn.lr = rg_mul_scalar(t, lr, factor);
        turn.rate *= factor;
    }
    return turn;
}

void rg_optim_update(rg_optim *opt, rg_tape *t)
{
    if (opt == NULL) {
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "optim_step: the optimizer is NULL");
        return;
    }
    if (rg_failed(t) || !rg__optim_check(opt, t))
        return;
    if (opt->kind->update == NULL) {
        rg_tape_fail(t, RG_ERROR_STATE, "optim_step: %s needs a closure; its steps are rg_%s_step", opt->kind->name,
                     opt->kind->name);
        return;
    }
    rg_mode_push(t, RG_NO_GRAD);
    rg_scope_push(t, "optim");
    const rg_tensor lr = rg_scalar(t, RG_F64, opt->common.lr);
    /* The updates may add state to the store, behind what is there now. */
    const int count = rg_params_count(opt->store);
    for (int i = 0; i < count; i++) {
        rg_param *p = rg_params_at(opt->store, i);
        const rg_tensor g = rg__optim_takes(opt, p) ? rg_param_grad(t, p) : RG_NIL;
        if (rg_is_nil(g))
            continue;
        rg__turn turn = turn_of(opt, t, p, lr);
        turn.g = opt->common.maximize ? rg_neg(t, g) : g;
        opt->kind->update(opt, t, &turn);
    }
    rg_scope_pop(t);
    rg_mode_pop(t);
}

void rg_optim_step(rg_optim *opt, rg_tape *t)
{
    rg_optim_update(opt, t);
    if (!rg_failed(t))
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

rg_param *rg__optim_number(const rg_optim *opt, rg_tape *t, rg_param *p, const char *key, double initial)
{
    return state(opt, t, p, key, RG_F64, RG_SCALAR, initial);
}

rg_tensor rg__optim_count(const rg_optim *opt, rg_tape *t, rg_param *p)
{
    rg_param *count = rg__optim_number(opt, t, p, "step", 0);
    if (count == NULL)
        return RG_NIL;
    const rg_tensor step = rg_add_scalar(t, rg_leaf(t, count), 1);
    rg_assign(t, count, step);
    return step;
}

/* ---- what updates are made of ------------------------------------------------------------------------------------ */

rg_tensor rg__optim_decayed(rg_tape *t, const rg__turn *turn)
{
    return turn->weight_decay == 0 ? turn->g
                                   : rg_add(t, turn->g, rg_mul_scalar(t, rg_leaf(t, turn->p), turn->weight_decay));
}

rg_tensor rg__optim_shrunk(rg_tape *t, const rg__turn *turn)
{
    const rg_tensor w = rg_leaf(t, turn->p);
    if (turn->weight_decay == 0)
        return w;
    const rg_tensor left = rg_add_scalar(t, rg_mul_scalar(t, turn->lr, -turn->weight_decay), 1);
    return rg_mul(t, w, rg_cast(t, left, rg_param_dtype(turn->p)));
}

rg_tensor rg__optim_accumulate(rg_tape *t, rg_param *state, double decay, rg_tensor g)
{
    if (state == NULL)
        return RG_NIL;
    const rg_tensor old = rg_leaf(t, state);
    const rg_tensor value = rg_add(t, decay == 1 ? old : rg_mul_scalar(t, old, decay), g);
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

rg_tensor rg__optim_momentum_times(const rg_optim *opt, rg_tape *t, double value, rg_tensor x)
{
    if (!opt->momentum_moves)
        return rg_mul_scalar(t, x, value);
    return rg_mul(t, x, rg_cast(t, rg_scalar(t, RG_F64, value), rg_dtype_of(t, x)));
}

rg_tensor rg__optim_momentum(const rg_optim *opt, rg_tape *t)
{
    const double value = opt->common.momentum;
    return opt->momentum_moves ? rg_scalar(t, RG_F64, value) : rg_constant(t, RG_F64, value);
}

bool rg__optim_has_momentum(const rg_optim *opt)
{
    return opt->momentum_moves || opt->common.momentum != 0;
}

rg_tensor rg__optim_velocity(const rg_optim *opt, rg_tape *t, rg_param *p, const char *key, rg_tensor g)
{
    rg_param *b = rg__optim_state(opt, t, p, key, 0);
    if (b == NULL)
        return RG_NIL;
    const rg_tensor value = rg_add(t, rg__optim_momentum_times(opt, t, opt->common.momentum, rg_leaf(t, b)), g);
    rg_assign(t, b, value);
    return value;
}

rg_tensor rg__optim_first(const rg_optim *opt, rg_tape *t, rg_param *p, rg_tensor g)
{
    rg_param *m = rg__optim_state(opt, t, p, "m", 0);
    if (m == NULL)
        return RG_NIL;
    const rg_tensor old = rg_leaf(t, m), gain = rg_sub(t, g, old);
    const rg_tensor value = rg_add(t, old, rg__optim_momentum_times(opt, t, 1 - opt->common.momentum, gain));
    rg_assign(t, m, value);
    return value;
}

rg_tensor rg__optim_second(const rg_optim *opt, rg_tape *t, rg_param *p, rg_tensor g, double beta2)
{
    return rg__optim_accumulate(t, rg__optim_state(opt, t, p, "v", 0), beta2,
                                rg_mul_scalar(t, rg_square(t, g), 1 - beta2));
}

rg_tensor rg__optim_correction(rg_tape *t, rg_tensor beta, rg_tensor step)
{
    return rg_sub(t, rg_constant(t, RG_F64, 1), rg_pow(t, beta, step));
}

void rg__optim_descend(rg_tape *t, rg_param *p, rg_tensor w, rg_tensor rate, rg_tensor direction)
{
    rate = rg_cast(t, rate, rg_param_dtype(p));
    rg_assign(t, p, rg_sub(t, w, rg_mul(t, rate, direction)));
}
