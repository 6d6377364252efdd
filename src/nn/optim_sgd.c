/* SGD: plain, with momentum, with Nesterov's momentum. */
#include "check.h"
#include "optimizer.h"

#include <math.h>

static bool check(const rg_optim *opt, rg_tape *t)
{
    const rg_sgd_config *c = &opt->config.sgd;
    if (!rg__check_range(t, "sgd", "momentum", c->momentum, INFINITY, true) ||
        !rg__check_range(t, "sgd", "dampening", c->dampening, 1, false) ||
        !rg__check_range(t, "sgd", "weight_decay", c->weight_decay, INFINITY, true))
        return false;
    if (c->nesterov && (c->momentum == 0 || c->dampening != 0))
        rg_tape_fail(t, RG_ERROR_ARGUMENT,
                     "sgd: momentum is %g and dampening %g; nesterov needs momentum above 0 and no dampening",
                     c->momentum, c->dampening);
    return !rg_failed(t);
}

/* b := momentum b + (1 - dampening) g, but g itself the first time; w := w - lr b. With Nesterov the direction is
 * g + momentum b. */
static void update(const rg_optim *opt, rg_tape *t, rg_param *p, rg_tensor g, rg_tensor lr)
{
    const rg_sgd_config *c = &opt->config.sgd;
    g = rg__optim_decay(t, p, g, c->weight_decay);
    if (c->momentum != 0) {
        rg_tensor gain = g;
        if (c->dampening != 0) {
            /* Chosen by a recorded condition: the first step then has the structure of all others. */
            const rg_tensor first = rg_eq(t, rg__optim_count(opt, t, p), rg_constant(t, RG_F64, 1));
            const rg_tensor share =
                rg_where(t, first, rg_constant(t, RG_F64, 1), rg_constant(t, RG_F64, 1 - c->dampening));
            gain = rg_mul(t, g, rg_cast(t, share, rg_param_dtype(p)));
        }
        const rg_tensor b = rg__optim_accumulate(t, rg__optim_state(opt, t, p, "momentum", 0), c->momentum, gain);
        g = c->nesterov ? rg_add(t, g, rg_mul_scalar(t, b, c->momentum)) : b;
    }
    rg__optim_descend(t, p, rg_leaf(t, p), lr, g);
}

static const rg__optim_kind sgd = {"sgd", check, update};

rg_optim *rg_sgd_new(rg_params *ps, const rg_sgd_config *config)
{
    const rg_sgd_config c = config != NULL ? *config : (rg_sgd_config){0};
    rg_optim *opt = rg__optim_new(ps, &sgd, rg__optim_field(c.lr, 1e-3));
    if (opt != NULL)
        opt->config.sgd = (rg_sgd_config){
            .momentum = rg__optim_field(c.momentum, 0),
            .dampening = rg__optim_field(c.dampening, 0),
            .weight_decay = rg__optim_field(c.weight_decay, 0),
            .nesterov = c.nesterov,
        };
    return opt;
}
