/* Optimizers that scale each element by a history of its gradient: AdaGrad, RMSprop, Adam, AdamW. */
#include "check.h"
#include "optimizer.h"

#include <math.h>

/* ---- AdaGrad ----------------------------------------------------------------------------------------------------- */

static bool adagrad_check(const rg_optim *opt, rg_tape *t)
{
    const rg_adagrad_config *c = &opt->config.adagrad;
    return rg__check_range(t, "adagrad", "lr_decay", c->lr_decay, INFINITY, true) &&
           rg__check_range(t, "adagrad", "weight_decay", c->weight_decay, INFINITY, true) &&
           rg__check_range(t, "adagrad", "initial", c->initial, INFINITY, true) &&
           rg__check_range(t, "adagrad", "eps", c->eps, INFINITY, true);
}

/* s := s + g^2; w := w - lr/(1 + (step - 1) lr_decay) g/(sqrt s + eps) */
static void adagrad_update(const rg_optim *opt, rg_tape *t, rg_param *p, rg_tensor g, rg_tensor lr)
{
    const rg_adagrad_config *c = &opt->config.adagrad;
    g = rg__optim_decay(t, p, g, c->weight_decay);
    if (c->lr_decay != 0) {
        const rg_tensor before = rg_add_scalar(t, rg__optim_count(opt, t, p), -1);
        lr = rg_div(t, lr, rg_add_scalar(t, rg_mul_scalar(t, before, c->lr_decay), 1));
    }
    rg_param *sum = rg__optim_state(opt, t, p, "sum", c->initial);
    const rg_tensor s = rg__optim_accumulate(t, sum, 1, rg_square(t, g));
    const rg_tensor scale = rg_add_scalar(t, rg_sqrt(t, s), c->eps);
    rg__optim_descend(t, p, rg_leaf(t, p), lr, rg_div(t, g, scale));
}

static const rg__optim_kind adagrad = {"adagrad", adagrad_check, adagrad_update};

rg_optim *rg_adagrad_new(rg_params *ps, const rg_adagrad_config *config)
{
    const rg_adagrad_config c = config != NULL ? *config : (rg_adagrad_config){0};
    rg_optim *opt = rg__optim_new(ps, &adagrad, rg__optim_field(c.lr, 1e-2));
    if (opt != NULL)
        opt->config.adagrad = (rg_adagrad_config){
            .lr_decay = rg__optim_field(c.lr_decay, 0),
            .weight_decay = rg__optim_field(c.weight_decay, 0),
            .initial = rg__optim_field(c.initial, 0),
            .eps = rg__optim_field(c.eps, 1e-10),
        };
    return opt;
}

/* ---- RMSprop ----------------------------------------------------------------------------------------------------- */

static bool rmsprop_check(const rg_optim *opt, rg_tape *t)
{
    const rg_rmsprop_config *c = &opt->config.rmsprop;
    return rg__check_range(t, "rmsprop", "alpha", c->alpha, 1, true) &&
           rg__check_range(t, "rmsprop", "eps", c->eps, INFINITY, true) &&
           rg__check_range(t, "rmsprop", "weight_decay", c->weight_decay, INFINITY, true) &&
           rg__check_range(t, "rmsprop", "momentum", c->momentum, INFINITY, true);
}

/* v := alpha v + (1 - alpha) g^2; direction g/(sqrt v + eps). Centered: v less the square of the mean gradient.
 * With momentum: b := momentum b + direction is the direction. */
static void rmsprop_update(const rg_optim *opt, rg_tape *t, rg_param *p, rg_tensor g, rg_tensor lr)
{
    const rg_rmsprop_config *c = &opt->config.rmsprop;
    g = rg__optim_decay(t, p, g, c->weight_decay);
    rg_tensor v = rg__optim_accumulate(t, rg__optim_state(opt, t, p, "v", 0), c->alpha,
                                       rg_mul_scalar(t, rg_square(t, g), 1 - c->alpha));
    if (c->centered) {
        const rg_tensor m = rg__optim_average(t, rg__optim_state(opt, t, p, "m", 0), 1 - c->alpha, g);
        v = rg_sub(t, v, rg_square(t, m));
    }
    rg_tensor direction = rg_div(t, g, rg_add_scalar(t, rg_sqrt(t, v), c->eps));
    if (c->momentum != 0)
        direction = rg__optim_accumulate(t, rg__optim_state(opt, t, p, "momentum", 0), c->momentum, direction);
    rg__optim_descend(t, p, rg_leaf(t, p), lr, direction);
}

static const rg__optim_kind rmsprop = {"rmsprop", rmsprop_check, rmsprop_update};

rg_optim *rg_rmsprop_new(rg_params *ps, const rg_rmsprop_config *config)
{
    const rg_rmsprop_config c = config != NULL ? *config : (rg_rmsprop_config){0};
    rg_optim *opt = rg__optim_new(ps, &rmsprop, rg__optim_field(c.lr, 1e-2));
    if (opt != NULL)
        opt->config.rmsprop = (rg_rmsprop_config){
            .alpha = rg__optim_field(c.alpha, 0.99),
            .eps = rg__optim_field(c.eps, 1e-8),
            .weight_decay = rg__optim_field(c.weight_decay, 0),
            .momentum = rg__optim_field(c.momentum, 0),
            .centered = c.centered,
        };
    return opt;
}

/* ---- Adam and AdamW ---------------------------------------------------------------------------------------------- */

static const rg__optim_kind adam, adamw;

static bool adam_check(const rg_optim *opt, rg_tape *t)
{
    const rg_adam_config *c = &opt->config.adam;
    const char *name = opt->kind->name;
    return rg__check_range(t, name, "beta1", c->beta1, 1, true) && rg__check_range(t, name, "beta2", c->beta2, 1, true) &&
           rg__check_range(t, name, "eps", c->eps, INFINITY, true) &&
           rg__check_range(t, name, "weight_decay", c->weight_decay, INFINITY, true);
}

/* 1 - beta^step */
static rg_tensor bias_correction(rg_tape *t, double beta, rg_tensor step)
{
    return rg_sub(t, rg_constant(t, RG_F64, 1), rg_pow(t, rg_constant(t, RG_F64, beta), step));
}

/* m := beta1 m + (1 - beta1) g; v := beta2 v + (1 - beta2) g^2;
 * w := w - lr/(1 - beta1^step) m/(sqrt v/sqrt(1 - beta2^step) + eps). The correction is in f64 whatever w is.
 * AMSGrad takes the largest v so far. AdamW first takes lr weight_decay w from w and leaves g alone. */
static void adam_update(const rg_optim *opt, rg_tape *t, rg_param *p, rg_tensor g, rg_tensor lr)
{
    const rg_adam_config *c = &opt->config.adam;
    const rg_dtype dtype = rg_param_dtype(p);
    rg_tensor w = rg_leaf(t, p);
    if (opt->kind == &adam) {
        g = rg__optim_decay(t, p, g, c->weight_decay);
    } else if (c->weight_decay != 0) {
        const rg_tensor left = rg_add_scalar(t, rg_mul_scalar(t, lr, -c->weight_decay), 1);
        w = rg_mul(t, w, rg_cast(t, left, dtype));
    }
    const rg_tensor step = rg__optim_count(opt, t, p);
    const rg_tensor m = rg__optim_average(t, rg__optim_state(opt, t, p, "m", 0), 1 - c->beta1, g);
    rg_tensor v = rg__optim_accumulate(t, rg__optim_state(opt, t, p, "v", 0), c->beta2,
                                       rg_mul_scalar(t, rg_square(t, g), 1 - c->beta2));
    if (c->amsgrad) {
        rg_param *largest = rg__optim_state(opt, t, p, "max", 0);
        if (largest == NULL)
            return;
        v = rg_maximum(t, rg_leaf(t, largest), v);
        rg_assign(t, largest, v);
    }
    const rg_tensor correction = rg_cast(t, rg_sqrt(t, bias_correction(t, c->beta2, step)), dtype);
    const rg_tensor scale = rg_add_scalar(t, rg_div(t, rg_sqrt(t, v), correction), c->eps);
    rg__optim_descend(t, p, w, rg_div(t, lr, bias_correction(t, c->beta1, step)), rg_div(t, m, scale));
}

static const rg__optim_kind adam = {"adam", adam_check, adam_update};
static const rg__optim_kind adamw = {"adamw", adam_check, adam_update};

static rg_optim *adam_new(rg_params *ps, const rg__optim_kind *kind, const rg_adam_config *config, double weight_decay)
{
    const rg_adam_config c = config != NULL ? *config : (rg_adam_config){0};
    rg_optim *opt = rg__optim_new(ps, kind, rg__optim_field(c.lr, 1e-3));
    if (opt != NULL)
        opt->config.adam = (rg_adam_config){
            .beta1 = rg__optim_field(c.beta1, 0.9),
            .beta2 = rg__optim_field(c.beta2, 0.999),
            .eps = rg__optim_field(c.eps, 1e-8),
            .weight_decay = rg__optim_field(c.weight_decay, weight_decay),
            .amsgrad = c.amsgrad,
        };
    return opt;
}

rg_optim *rg_adam_new(rg_params *ps, const rg_adam_config *config)
{
    return adam_new(ps, &adam, config, 0);
}

rg_optim *rg_adamw_new(rg_params *ps, const rg_adam_config *config)
{
    return adam_new(ps, &adamw, config, 1e-2);
}
