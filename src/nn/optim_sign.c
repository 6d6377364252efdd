/* Optimizers that use the sign of the gradient alone: Lion, Rprop. */
#include "check.h"
#include "optimizer.h"

#include <math.h>

/* ---- Lion -------------------------------------------------------------------------------------------------------- */

static bool lion_check(const rg_optim *opt, rg_tape *t)
{
    return rg__check_range(t, "lion", "beta2", opt->config.lion.beta2, 1, true);
}

static void lion_update(const rg_optim *opt, rg_tape *t, const rg__turn *turn)
{
    const double beta1 = opt->common.momentum;
    rg_param *m = rg__optim_state(opt, t, turn->p, "m", 0);
    if (m == NULL)
        return;
    const rg_tensor old = rg__optim_momentum_times(opt, t, beta1, rg_leaf(t, m));
    const rg_tensor mixed = rg_add(t, old, rg__optim_momentum_times(opt, t, 1 - beta1, turn->g));
    const rg_tensor w = rg__optim_shrunk(t, turn);
    rg__optim_accumulate(t, m, opt->config.lion.beta2, rg_mul_scalar(t, turn->g, 1 - opt->config.lion.beta2));
    rg__optim_descend(t, turn->p, w, turn->lr, rg_sign(t, mixed));
}

static const rg__optim_kind lion = {
    .name = "lion", .momentum = "beta1", .momentum_high = 1, .decays = true, .check = lion_check, .update = lion_update};

rg_optim *rg_lion_new(rg_params *ps, const rg_lion_config *config)
{
    const rg_lion_config c = config != NULL ? *config : (rg_lion_config){0};
    rg_optim *opt = rg__optim_new(ps, &lion,
                                  (rg__optim_common){.lr = rg__or_default(c.lr, 1e-4),
                                                     .weight_decay = rg__or_default(c.weight_decay, 0),
                                                     .momentum = rg__or_default(c.beta1, 0.9),
                                                     .maximize = c.maximize});
    if (opt != NULL)
        opt->config.lion = (rg_lion_config){.beta2 = rg__or_default(c.beta2, 0.99)};
    return opt;
}

/* ---- Rprop ------------------------------------------------------------------------------------------------------- */

static bool rprop_check(const rg_optim *opt, rg_tape *t)
{
    const rg_rprop_config *c = &opt->config.rprop;
    if (!(c->eta_minus > 0 && c->eta_minus < 1 && c->eta_plus > 1 && isfinite(c->eta_plus)))
        rg_tape_fail(t, RG_ERROR_ARGUMENT,
                     "rprop: eta_minus is %g and eta_plus %g; 0 < eta_minus < 1 < eta_plus is needed", c->eta_minus,
                     c->eta_plus);
    if (!(c->step_min >= 0 && c->step_max >= c->step_min))
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "rprop: step_min is %g and step_max %g; 0 <= step_min <= step_max is needed",
                     c->step_min, c->step_max);
    return !rg_failed(t);
}

/* The step size grows where g has kept its sign and shrinks where it changed, where p stays and forgets g. */
static void rprop_update(const rg_optim *opt, rg_tape *t, const rg__turn *turn)
{
    const rg_rprop_config *c = &opt->config.rprop;
    const rg_dtype dtype = rg_param_dtype(turn->p);
    rg_param *previous = rg__optim_state(opt, t, turn->p, "previous", 0);
    rg_param *size = rg__optim_state(opt, t, turn->p, "size", turn->rate);
    if (previous == NULL || size == NULL)
        return;
    const rg_tensor nothing = rg_constant(t, dtype, 0), one = rg_constant(t, dtype, 1);
    const rg_tensor agreed = rg_mul(t, turn->g, rg_leaf(t, previous));
    const rg_tensor turned = rg_lt(t, agreed, nothing);
    const rg_tensor grown = rg_where(t, rg_gt(t, agreed, nothing), rg_constant(t, dtype, c->eta_plus), one);
    const rg_tensor factor = rg_where(t, turned, rg_constant(t, dtype, c->eta_minus), grown);
    const rg_tensor g = rg_where(t, turned, nothing, turn->g);
    const rg_tensor step = rg_clamp(t, rg_mul(t, rg_leaf(t, size), factor), c->step_min, c->step_max);
    rg_assign(t, size, step);
    rg_assign(t, previous, g);
    rg_assign(t, turn->p, rg_sub(t, rg_leaf(t, turn->p), rg_mul(t, rg_sign(t, g), step)));
}

static const rg__optim_kind rprop = {.name = "rprop", .check = rprop_check, .update = rprop_update};

rg_optim *rg_rprop_new(rg_params *ps, const rg_rprop_config *config)
{
    const rg_rprop_config c = config != NULL ? *config : (rg_rprop_config){0};
    rg_optim *opt =
        rg__optim_new(ps, &rprop, (rg__optim_common){.lr = rg__or_default(c.lr, 1e-2), .maximize = c.maximize});
    if (opt != NULL)
        opt->config.rprop = (rg_rprop_config){.eta_minus = rg__or_default(c.eta_minus, 0.5),
                                              .eta_plus = rg__or_default(c.eta_plus, 1.2),
                                              .step_min = rg__or_default(c.step_min, 1e-6),
                                              .step_max = rg__or_default(c.step_max, 50)};
    return opt;
}
