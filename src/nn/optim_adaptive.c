/* Optimizers that scale each element by a history of its squared gradient: AdaGrad, RMSprop, Adadelta. */
#include "check.h"
#include "optimizer.h"

#include <math.h>

/* ---- AdaGrad ----------------------------------------------------------------------------------------------------- */

static bool adagrad_check(const rg_optim *opt, rg_tape *t)
{
    const rg_adagrad_config *c = &opt->config.adagrad;
    return rg__check_range(t, "adagrad", "lr_decay", c->lr_decay, INFINITY, true) &&
           rg__check_range(t, "adagrad", "initial", c->initial, INFINITY, true) &&
           rg__check_range(t, "adagrad", "eps", c->eps, INFINITY, true);
}

/* s := s + g^2; w := w - lr/(1 + (step - 1) lr_decay) g/(sqrt s + eps) */
static void adagrad_update(const rg_optim *opt, rg_tape *t, const rg__turn *turn)
{
    const rg_adagrad_config *c = &opt->config.adagrad;
    const rg_tensor g = rg__optim_decayed(t, turn);
    rg_tensor lr = turn->lr;
    if (c->lr_decay != 0) {
        const rg_tensor before = rg_add_scalar(t, rg__optim_count(opt, t, turn->p), -1);
        lr = rg_div(t, lr, rg_add_scalar(t, rg_mul_scalar(t, before, c->lr_decay), 1));
    }
    rg_param *sum = rg__optim_state(opt, t, turn->p, "sum", c->initial);
    const rg_tensor s = rg__optim_accumulate(t, sum, 1, rg_square(t, g));
    const rg_tensor scale = rg_add_scalar(t, rg_sqrt(t, s), c->eps);
    rg__optim_descend(t, turn->p, rg_leaf(t, turn->p), lr, rg_div(t, g, scale));
}

static const rg__optim_kind adagrad = {
    .name = "adagrad", .decays = true, .check = adagrad_check, .update = adagrad_update};

rg_optim *rg_adagrad_new(rg_params *ps, const rg_adagrad_config *config)
{
    const rg_adagrad_config c = config != NULL ? *config : (rg_adagrad_config){0};
    rg_optim *opt = rg__optim_new(ps, &adagrad,
                                  (rg__optim_common){.lr = rg__or_default(c.lr, 1e-2),
                                                     .weight_decay = rg__or_default(c.weight_decay, 0),
                                                     .maximize = c.maximize});
    if (opt != NULL)
        opt->config.adagrad = (rg_adagrad_config){
            .lr_decay = rg__or_default(c.lr_decay, 0),
            .initial = rg__or_default(c.initial, 0),
            .eps = rg__or_default(c.eps, 1e-10),
        };
    return opt;
}

/* ---- RMSprop ----------------------------------------------------------------------------------------------------- */

static bool rmsprop_check(const rg_optim *opt, rg_tape *t)
{
    const rg_rmsprop_config *c = &opt->config.rmsprop;
    return rg__check_range(t, "rmsprop", "alpha", c->alpha, 1, true) &&
           rg__check_range(t, "rmsprop", "eps", c->eps, INFINITY, true);
}

/* v := alpha v + (1 - alpha) g^2; direction g/(sqrt v + eps). Centered: v less the square of the mean gradient.
 * With momentum: b := momentum b + direction is the direction. */
static void rmsprop_update(const rg_optim *opt, rg_tape *t, const rg__turn *turn)
{
    const rg_rmsprop_config *c = &opt->config.rmsprop;
    rg_param *p = turn->p;
    const rg_tensor g = rg__optim_decayed(t, turn);
    rg_tensor v = rg__optim_second(opt, t, p, g, c->alpha);
    if (c->centered) {
        const rg_tensor m = rg__optim_average(t, rg__optim_state(opt, t, p, "m", 0), 1 - c->alpha, g);
        v = rg_sub(t, v, rg_square(t, m));
    }
    rg_tensor direction = rg_div(t, g, rg_add_scalar(t, rg_sqrt(t, v), c->eps));
    if (rg__optim_has_momentum(opt))
        direction = rg__optim_velocity(opt, t, p, "momentum", direction);
    rg__optim_descend(t, p, rg_leaf(t, p), turn->lr, direction);
}

static const rg__optim_kind rmsprop = {.name = "rmsprop",
                                       .momentum = "momentum",
                                       .momentum_high = INFINITY,
                                       .decays = true,
                                       .check = rmsprop_check,
                                       .update = rmsprop_update};

rg_optim *rg_rmsprop_new(rg_params *ps, const rg_rmsprop_config *config)
{
    const rg_rmsprop_config c = config != NULL ? *config : (rg_rmsprop_config){0};
    rg_optim *opt = rg__optim_new(ps, &rmsprop,
                                  (rg__optim_common){.lr = rg__or_default(c.lr, 1e-2),
                                                     .weight_decay = rg__or_default(c.weight_decay, 0),
                                                     .momentum = rg__or_default(c.momentum, 0),
                                                     .maximize = c.maximize});
    if (opt != NULL)
        opt->config.rmsprop = (rg_rmsprop_config){
            .alpha = rg__or_default(c.alpha, 0.99),
            .eps = rg__or_default(c.eps, 1e-8),
            .centered = c.centered,
        };
    return opt;
}

/* ---- Adadelta ---------------------------------------------------------------------------------------------------- */

static bool adadelta_check(const rg_optim *opt, rg_tape *t)
{
    const rg_adadelta_config *c = &opt->config.adadelta;
    return rg__check_range(t, "adadelta", "rho", c->rho, 1, false) &&
           rg__check_range(t, "adadelta", "eps", c->eps, INFINITY, true);
}

/* v := rho v + (1 - rho) g^2; d = sqrt(u + eps)/sqrt(v + eps) g with the u of before; u := rho u + (1 - rho) d^2 */
static void adadelta_update(const rg_optim *opt, rg_tape *t, const rg__turn *turn)
{
    const rg_adadelta_config *c = &opt->config.adadelta;
    const rg_tensor g = rg__optim_decayed(t, turn);
    const rg_tensor v = rg__optim_second(opt, t, turn->p, g, c->rho);
    rg_param *changes = rg__optim_state(opt, t, turn->p, "u", 0);
    if (changes == NULL)
        return;
    const rg_tensor above = rg_sqrt(t, rg_add_scalar(t, rg_leaf(t, changes), c->eps));
    const rg_tensor below = rg_sqrt(t, rg_add_scalar(t, v, c->eps));
    const rg_tensor d = rg_mul(t, rg_div(t, above, below), g);
    rg__optim_accumulate(t, changes, c->rho, rg_mul_scalar(t, rg_square(t, d), 1 - c->rho));
    rg__optim_descend(t, turn->p, rg_leaf(t, turn->p), turn->lr, d);
}

static const rg__optim_kind adadelta = {
    .name = "adadelta", .decays = true, .check = adadelta_check, .update = adadelta_update};

rg_optim *rg_adadelta_new(rg_params *ps, const rg_adadelta_config *config)
{
    const rg_adadelta_config c = config != NULL ? *config : (rg_adadelta_config){0};
    rg_optim *opt = rg__optim_new(ps, &adadelta,
                                  (rg__optim_common){.lr = rg__or_default(c.lr, 1),
                                                     .weight_decay = rg__or_default(c.weight_decay, 0),
                                                     .maximize = c.maximize});
    if (opt != NULL)
        opt->config.adadelta =
            (rg_adadelta_config){.rho = rg__or_default(c.rho, 0.9), .eps = rg__or_default(c.eps, 1e-6)};
    return opt;
}
