/* Moving averages of the weights, kept as state of each parameter. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT ".count"

struct rg_average {
    rg_params *store;
    rg_average_config config; /* with the defaults filled in; its name lies behind */
    char name[];
};

rg_average *rg_average_new(rg_params *ps, const rg_average_config *config)
{
    const char *name = config != NULL && config->name != NULL ? config->name : "average";
    const size_t size = strlen(name) + 1;
    rg_average *average = ps != NULL ? calloc(1, sizeof *average + size) : NULL;
    if (average == NULL)
        return NULL;
    average->store = ps;
    average->config = config != NULL ? *config : (rg_average_config){0};
    memcpy(average->name, name, size);
    average->config.name = average->name;
    if (average->config.decay == 0)
        average->config.decay = 0.999;
    return average;
}

void rg_average_free(rg_average *average)
{
    free(average);
}

static bool check(const rg_average *average, rg_tape *t, const char *function)
{
    if (average == NULL) {
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: the average is NULL", function);
        return false;
    }
    if ((unsigned)average->config.kind > RG_AVERAGE_EQUAL)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: %d is no kind of average", function, (int)average->config.kind);
    return !rg_failed(t) && rg__check_range(t, function, "decay", average->config.decay, 1, false);
}

static bool is_averaged(const rg_average *average, const rg_param *p)
{
    const rg_param_kind kind = rg_param_kind_of(p);
    const rg_dtype dtype = rg_param_dtype(p);
    return (dtype == RG_F32 || dtype == RG_F64) && (kind == RG_PARAM || (kind == RG_BUFFER && average->config.buffers));
}

/* The state of p whose key is the average's name and `suffix`, NULL where there is none; out of memory is an error on the
 * tape, which may be NULL. */
static rg_param *find_state(const rg_average *average, rg_tape *t, const rg_param *p, const char *suffix)
{
    const size_t size = strlen(rg_param_name(p)) + strlen(average->name) + strlen(suffix) + 2;
    char *name = malloc(size);
    if (name == NULL) {
        rg_tape_fail(t, RG_ERROR_MEMORY, "average: out of memory");
        return NULL;
    }
    snprintf(name, size, "%s/%s%s", rg_param_name(p), average->name, suffix);
    rg_param *found = rg_params_find(average->store, name);
    free(name);
    return found;
}

/* While an average stands where its weights belong, its count n is -1 - n: the store knows, whoever swapped them. They are
 * swapped together, so the first one tells. */
static bool is_swapped(const rg_average *average, rg_tape *t)
{
    const rg_param *count = NULL;
    for (int i = 0; i < rg_params_count(average->store) && count == NULL; i++) {
        const rg_param *p = rg_params_at(average->store, i);
        count = is_averaged(average, p) ? find_state(average, t, p, COUNT) : NULL;
    }
    return rg_param_dtype(count) == RG_F64 && rg_param_numel(count) == 1 && *(const double *)rg_param_data(count) < 0;
}

bool rg_average_swapped(const rg_average *average)
{
    return average != NULL && is_swapped(average, NULL);
}

/* The weight of the update that is number n, counted from 0, an f64 scalar. */
static rg_tensor weight_of(const rg_average_config *c, rg_tape *t, rg_tensor n)
{
    const rg_tensor one = rg_constant(t, RG_F64, 1), decay = rg_constant(t, RG_F64, c->decay);
    const rg_tensor rest = rg_constant(t, RG_F64, 1 - c->decay), next = rg_add_scalar(t, n, 1);
    const rg_tensor first = rg_eq(t, n, rg_constant(t, RG_F64, 0));
    switch (c->kind) {
    case RG_AVERAGE_EQUAL: return rg_reciprocal(t, next);
    case RG_AVERAGE_EXPONENTIAL: return rg_where(t, first, one, rest);
    case RG_AVERAGE_CORRECTED: /* a decay of 1 in the limit: all count the same */
        return c->decay == 1 ? rg_reciprocal(t, next) : rg_div(t, rest, rg_sub(t, one, rg_pow(t, decay, next)));
    case RG_AVERAGE_WARMUP: {
        const rg_tensor early = rg_div(t, next, rg_add_scalar(t, n, 10));
        return rg_where(t, first, one, rg_sub(t, one, rg_minimum(t, decay, early)));
    }
    }
    return RG_NIL;
}

/* a := a + weight (p - a) */
static void update_one(const rg_average *average, rg_tape *t, rg_param *p)
{
    const rg_dtype dtype = rg_param_dtype(p);
    const size_t size = strlen(average->name) + sizeof COUNT;
    char *key = malloc(size);
    if (key == NULL) {
        rg_tape_fail(t, RG_ERROR_MEMORY, "average_update: out of memory");
        return;
    }
    snprintf(key, size, "%s" COUNT, average->name);
    rg_param *state = rg_param_state(p, average->name, dtype, rg_param_shape(p), 0);
    rg_param *count = rg_param_state(p, key, RG_F64, RG_SCALAR, 0);
    free(key);
    if (state == NULL || count == NULL) {
        rg_tape_fail(t, rg_params_status(average->store), "average_update: no state for '%s': %s", rg_param_name(p),
                     rg_params_error(average->store));
        return;
    }
    const rg_tensor n = rg_leaf(t, count), a = rg_leaf(t, state);
    const rg_tensor weight = rg_cast(t, weight_of(&average->config, t, n), dtype);
    rg_assign(t, state, rg_add(t, a, rg_mul(t, weight, rg_sub(t, rg_leaf(t, p), a))));
    rg_assign(t, count, rg_add_scalar(t, n, 1));
}

void rg_average_update(rg_average *average, rg_tape *t)
{
    if (!check(average, t, "average_update"))
        return;
    if (is_swapped(average, t)) {
        rg_tape_fail(t, RG_ERROR_STATE, "average_update: the averages are swapped in; swap them out first");
        return;
    }
    rg_mode_push(t, RG_NO_GRAD);
    rg_scope_push(t, "average");
    const int count = rg_params_count(average->store);
    for (int i = 0; i < count; i++) {
        rg_param *p = rg_params_at(average->store, i);
        if (is_averaged(average, p))
            update_one(average, t, p);
    }
    rg_scope_pop(t);
    rg_mode_pop(t);
}

void rg_average_swap(rg_average *average, rg_tape *t)
{
    if (!check(average, t, "average_swap"))
        return;
    rg_mode_push(t, RG_NO_GRAD);
    rg_scope_push(t, "average");
    int swapped = 0;
    const int count = rg_params_count(average->store);
    for (int i = 0; i < count && !rg_failed(t); i++) {
        rg_param *p = rg_params_at(average->store, i);
        rg_param *state = is_averaged(average, p) ? find_state(average, t, p, "") : NULL;
        rg_param *number = state != NULL ? find_state(average, t, p, COUNT) : NULL;
        if (number == NULL)
            continue;
        const rg_tensor weights = rg_leaf(t, p), mean = rg_leaf(t, state), n = rg_leaf(t, number);
        rg_assign(t, p, mean);
        rg_assign(t, state, weights);
        rg_assign(t, number, rg_sub(t, rg_constant(t, RG_F64, -1), n));
        swapped++;
    }
    rg_scope_pop(t);
    rg_mode_pop(t);
    if (swapped == 0)
        rg_tape_fail(t, RG_ERROR_STATE, "average_swap: there is no '%s' yet; rg_average_update makes it", average->name);
    rg_tape_run(t);
}
