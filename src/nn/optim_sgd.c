/* SGD: plain, with momentum, with Nesterov's momentum. */
#include "check.h"
#include "optimizer.h"

#include <math.h>

static bool check(const rg_optim *opt, rg_tape *t)
{
    const rg_sgd_config *c = &opt->config.sgd;
    if (!rg__check_range(t, "sgd", "dampening", c->dampening, 1, false))
        return false;
    if (c->nesterov && (!rg__optim_has_momentum(opt) || c->dampening != 0))
        rg_tape_fail(t, RG_ERROR_ARGUMENT,
                     "sgd: momentum is %g and dampening %g; nesterov needs momentum above 0 and no dampening",
                     opt->common.momentum, c->dampening);
    return !rg_failed(t);
}

/* b := momentum b + (1 - dampening) g, but g itself the first time; w := w - lr b. With Nesterov the direction is
 * g + momentum b. */
static void update(const rg_optim *opt, rg_tape *t, const rg__turn *turn)
{
    const rg_sgd_config *c = &opt->config.sgd;
    rg_param *p = turn->p;
    rg_tensor g = rg__optim_decayed(t, turn);
    if (rg__optim_has_momentum(opt)) {
        rg_tensor gain = g;
        if (c->dampening != 0) {
            /* Chosen by a recorded condition: the first step then has the structure of all others. */
            const rg_tensor first = rg_eq(t, rg__optim_count(opt, t, p), rg_constant(t, RG_F64, 1));
            const rg_tensor share =
                rg_where(t, first, rg_constant(t, RG_F64, 1), rg_constant(t, RG_F64, 1 - c->dampening));
            gain = rg_mul(t, g, rg_cast(t, share, rg_param_dtype(p)));
        }
        const rg_tensor b = rg__optim_velocity(opt, t, p, "momentum", gain);
        g = c->nesterov ? rg_add(t, g, rg__optim_momentum_times(opt, t, opt->common.momentum, b)) : b;
    }
    rg__optim_descend(t, p, rg_leaf(t, p), turn->lr, g);
}

static const rg__optim_kind sgd = {
    .name = "sgd", .momentum = "momentum", .momentum_high = INFINITY, .decays = true, .check = check, .update = update};

rg_optim *rg_sgd_new(rg_params *ps, const rg_sgd_config *config)
{
    const rg_sgd_config c = config != NULL ? *config : (rg_sgd_config){0};
    rg_optim *opt = rg__optim_new(ps, &sgd,
                                  (rg__optim_common){.lr = rg__or_default(c.lr, 1e-3),
                                                     .weight_decay = rg__or_default(c.weight_decay, 0),
                                                     .momentum = rg__or_default(c.momentum, 0),
                                                     .maximize = c.maximize});
    if (opt != NULL)
        opt->config.sgd = (rg_sgd_config){.dampening = rg__or_default(c.dampening, 0), .nesterov = c.nesterov};
    return opt;
}
