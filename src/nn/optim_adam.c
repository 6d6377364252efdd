/* Optimizers of two moments: Adam, AdamW, NAdam, RAdam, Adamax, LAMB. */
#include "check.h"
#include "optimizer.h"

#include <math.h>

/* The kinds have beta1 as their momentum. */
#define MOMENTS(kind, checks, updates)                                                                            \
    {                                                                                                             \
        .name = kind, .momentum = "beta1", .momentum_high = 1, .decays = true, .check = checks, .update = updates \
    }

static bool check_moments(const rg_optim *opt, rg_tape *t, double beta2, double eps)
{
    const char *name = opt->kind->name;
    return rg__check_range(t, name, "beta2", beta2, 1, true) && rg__check_range(t, name, "eps", eps, INFINITY, true);
}

static rg__optim_common common_of(double lr, double lr_default, double beta1, double weight_decay,
                                  double weight_decay_default, bool maximize)
{
    return (rg__optim_common){.lr = rg__or_default(lr, lr_default),
                              .weight_decay = rg__or_default(weight_decay, weight_decay_default),
                              .momentum = rg__or_default(beta1, 0.9),
                              .maximize = maximize};
}

/* 1 - beta1^step and 1 - beta2^step, f64 whatever the parameter is. */
static rg_tensor first_correction(const rg_optim *opt, rg_tape *t, rg_tensor step)
{
    return rg__optim_correction(t, rg__optim_momentum(opt, t), step);
}

static rg_tensor second_correction(rg_tape *t, double beta2, rg_tensor step)
{
    return rg__optim_correction(t, rg_constant(t, RG_F64, beta2), step);
}

/* sqrt(v/correction) + eps */
static rg_tensor corrected_root(rg_tape *t, rg_tensor v, rg_tensor correction, double eps)
{
    const rg_tensor root = rg_cast(t, rg_sqrt(t, correction), rg_dtype_of(t, v));
    return rg_add_scalar(t, rg_div(t, rg_sqrt(t, v), root), eps);
}

/* ---- Adam and AdamW ---------------------------------------------------------------------------------------------- */

static const rg__optim_kind adam, adamw;

static bool adam_check(const rg_optim *opt, rg_tape *t)
{
    return check_moments(opt, t, opt->config.adam.beta2, opt->config.adam.eps);
}

/* w := w - lr/(1 - beta1^step) m/(sqrt v/sqrt(1 - beta2^step) + eps). AMSGrad takes the largest v so far. AdamW first
 * takes lr weight_decay w from w and leaves g alone. */
static void adam_update(const rg_optim *opt, rg_tape *t, const rg__turn *turn)
{
    const rg_adam_config *c = &opt->config.adam;
    rg_param *p = turn->p;
    const bool coupled = opt->kind == &adam;
    const rg_tensor w = coupled ? rg_leaf(t, p) : rg__optim_shrunk(t, turn);
    const rg_tensor g = coupled ? rg__optim_decayed(t, turn) : turn->g;
    const rg_tensor step = rg__optim_count(opt, t, p);
    const rg_tensor m = rg__optim_first(opt, t, p, g);
    rg_tensor v = rg__optim_second(opt, t, p, g, c->beta2);
    if (c->amsgrad) {
        rg_param *largest = rg__optim_state(opt, t, p, "max", 0);
        if (largest == NULL)
            return;
        v = rg_maximum(t, rg_leaf(t, largest), v);
        rg_assign(t, largest, v);
    }
    const rg_tensor scale = corrected_root(t, v, second_correction(t, c->beta2, step), c->eps);
    rg__optim_descend(t, p, w, rg_div(t, turn->lr, first_correction(opt, t, step)), rg_div(t, m, scale));
}

static const rg__optim_kind adam = MOMENTS("adam", adam_check, adam_update);
static const rg__optim_kind adamw = MOMENTS("adamw", adam_check, adam_update);

static rg_optim *adam_new(rg_params *ps, const rg__optim_kind *kind, const rg_adam_config *config, double weight_decay)
{
    const rg_adam_config c = config != NULL ? *config : (rg_adam_config){0};
    rg_optim *opt = rg__optim_new(ps, kind, common_of(c.lr, 1e-3, c.beta1, c.weight_decay, weight_decay, c.maximize));
    if (opt != NULL)
        opt->config.adam = (rg_adam_config){
            .beta2 = rg__or_default(c.beta2, 0.999), .eps = rg__or_default(c.eps, 1e-8), .amsgrad = c.amsgrad};
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

/* ---- NAdam ------------------------------------------------------------------------------------------------------- */

static bool nadam_check(const rg_optim *opt, rg_tape *t)
{
    const rg_nadam_config *c = &opt->config.nadam;
    return check_moments(opt, t, c->beta2, c->eps) &&
           rg__check_range(t, "nadam", "momentum_decay", c->momentum_decay, INFINITY, true);
}

/* beta1 (1 - 0.96^(step momentum_decay)/2) */
static rg_tensor nadam_momentum(const rg_optim *opt, rg_tape *t, rg_tensor step)
{
    const rg_tensor exponent = rg_mul_scalar(t, step, opt->config.nadam.momentum_decay);
    const rg_tensor faded = rg_mul_scalar(t, rg_pow(t, rg_constant(t, RG_F64, 0.96), exponent), -0.5);
    return rg_mul(t, rg__optim_momentum(opt, t), rg_add_scalar(t, faded, 1));
}

/* share/(1 - product), an f64 scalar that multiplies x */
static rg_tensor nadam_part(rg_tape *t, rg_tensor share, rg_tensor product, rg_tensor x)
{
    const rg_tensor rest = rg_sub(t, rg_constant(t, RG_F64, 1), product);
    return rg_mul(t, x, rg_cast(t, rg_div(t, share, rest), rg_dtype_of(t, x)));
}

static void nadam_update(const rg_optim *opt, rg_tape *t, const rg__turn *turn)
{
    const rg_nadam_config *c = &opt->config.nadam;
    rg_param *p = turn->p;
    const rg_tensor w = c->decoupled_weight_decay ? rg__optim_shrunk(t, turn) : rg_leaf(t, p);
    const rg_tensor g = c->decoupled_weight_decay ? turn->g : rg__optim_decayed(t, turn);
    const rg_tensor step = rg__optim_count(opt, t, p);
    rg_param *product = rg__optim_number(opt, t, p, "product", 1);
    if (product == NULL)
        return;
    const rg_tensor mu = nadam_momentum(opt, t, step), next = nadam_momentum(opt, t, rg_add_scalar(t, step, 1));
    const rg_tensor so_far = rg_mul(t, rg_leaf(t, product), mu);
    rg_assign(t, product, so_far);
    const rg_tensor m = rg__optim_first(opt, t, p, g);
    const rg_tensor v = rg__optim_second(opt, t, p, g, c->beta2);
    const rg_tensor fresh = nadam_part(t, rg_sub(t, rg_constant(t, RG_F64, 1), mu), so_far, g);
    const rg_tensor kept = nadam_part(t, next, rg_mul(t, so_far, next), m);
    const rg_tensor scale = corrected_root(t, v, second_correction(t, c->beta2, step), c->eps);
    rg__optim_descend(t, p, w, turn->lr, rg_div(t, rg_add(t, fresh, kept), scale));
}

static const rg__optim_kind nadam = MOMENTS("nadam", nadam_check, nadam_update);

rg_optim *rg_nadam_new(rg_params *ps, const rg_nadam_config *config)
{
    const rg_nadam_config c = config != NULL ? *config : (rg_nadam_config){0};
    rg_optim *opt = rg__optim_new(ps, &nadam, common_of(c.lr, 2e-3, c.beta1, c.weight_decay, 0, c.maximize));
    if (opt != NULL)
        opt->config.nadam = (rg_nadam_config){.beta2 = rg__or_default(c.beta2, 0.999),
                                              .eps = rg__or_default(c.eps, 1e-8),
                                              .momentum_decay = rg__or_default(c.momentum_decay, 4e-3),
                                              .decoupled_weight_decay = c.decoupled_weight_decay};
    return opt;
}

/* ---- RAdam ------------------------------------------------------------------------------------------------------- */

static bool radam_check(const rg_optim *opt, rg_tape *t)
{
    return check_moments(opt, t, opt->config.radam.beta2, opt->config.radam.eps);
}

/* Whether v may be used is a recorded condition, for every step has the same structure: with it the direction is
 * m sqrt((1 - beta2^step) rect)/(sqrt v + eps), without m itself. */
static void radam_update(const rg_optim *opt, rg_tape *t, const rg__turn *turn)
{
    const rg_radam_config *c = &opt->config.radam;
    rg_param *p = turn->p;
    const rg_tensor one = rg_constant(t, RG_F64, 1);
    const rg_tensor w = c->decoupled_weight_decay ? rg__optim_shrunk(t, turn) : rg_leaf(t, p);
    const rg_tensor g = c->decoupled_weight_decay ? turn->g : rg__optim_decayed(t, turn);
    const rg_tensor step = rg__optim_count(opt, t, p);
    const rg_tensor m = rg__optim_first(opt, t, p, g);
    const rg_tensor v = rg__optim_second(opt, t, p, g, c->beta2);
    const double rho = 2 / (1 - c->beta2) - 1;
    const rg_tensor left = second_correction(t, c->beta2, step), faded = rg_sub(t, one, left);
    const rg_tensor taken = rg_mul_scalar(t, rg_div(t, rg_mul(t, step, faded), left), -2);
    const rg_tensor r = rg_add_scalar(t, taken, rho);
    const rg_tensor above = rg_mul(t, rg_add_scalar(t, r, -4), rg_add_scalar(t, r, -2));
    const rg_tensor rect = rg_div(t, rg_mul_scalar(t, above, rho), rg_mul_scalar(t, r, (rho - 4) * (rho - 2)));
    const rg_tensor bounded = rg_gt(t, r, rg_constant(t, RG_F64, 5));
    const rg_tensor factor = rg_where(t, bounded, rg_sqrt(t, rg_mul(t, rect, left)), one);
    const rg_tensor root = rg_add_scalar(t, rg_sqrt(t, v), c->eps);
    const rg_tensor scale = rg_where(t, bounded, root, rg_constant(t, rg_param_dtype(p), 1));
    const rg_tensor rate = rg_div(t, rg_mul(t, turn->lr, factor), first_correction(opt, t, step));
    rg__optim_descend(t, p, w, rate, rg_div(t, m, scale));
}

static const rg__optim_kind radam = MOMENTS("radam", radam_check, radam_update);

rg_optim *rg_radam_new(rg_params *ps, const rg_radam_config *config)
{
    const rg_radam_config c = config != NULL ? *config : (rg_radam_config){0};
    rg_optim *opt = rg__optim_new(ps, &radam, common_of(c.lr, 1e-3, c.beta1, c.weight_decay, 0, c.maximize));
    if (opt != NULL)
        opt->config.radam = (rg_radam_config){.beta2 = rg__or_default(c.beta2, 0.999),
                                              .eps = rg__or_default(c.eps, 1e-8),
                                              .decoupled_weight_decay = c.decoupled_weight_decay};
    return opt;
}

/* ---- Adamax ------------------------------------------------------------------------------------------------------ */

static bool adamax_check(const rg_optim *opt, rg_tape *t)
{
    return check_moments(opt, t, opt->config.adamax.beta2, opt->config.adamax.eps);
}

static void adamax_update(const rg_optim *opt, rg_tape *t, const rg__turn *turn)
{
    const rg_adamax_config *c = &opt->config.adamax;
    rg_param *p = turn->p;
    const rg_tensor g = rg__optim_decayed(t, turn);
    const rg_tensor step = rg__optim_count(opt, t, p);
    const rg_tensor m = rg__optim_first(opt, t, p, g);
    rg_param *norm = rg__optim_state(opt, t, p, "norm", 0);
    if (norm == NULL)
        return;
    const rg_tensor faded = rg_mul_scalar(t, rg_leaf(t, norm), c->beta2);
    const rg_tensor largest = rg_maximum(t, faded, rg_add_scalar(t, rg_abs(t, g), c->eps));
    rg_assign(t, norm, largest);
    const rg_tensor rate = rg_div(t, turn->lr, first_correction(opt, t, step));
    rg__optim_descend(t, p, rg_leaf(t, p), rate, rg_div(t, m, largest));
}

static const rg__optim_kind adamax = MOMENTS("adamax", adamax_check, adamax_update);

rg_optim *rg_adamax_new(rg_params *ps, const rg_adamax_config *config)
{
    const rg_adamax_config c = config != NULL ? *config : (rg_adamax_config){0};
    rg_optim *opt = rg__optim_new(ps, &adamax, common_of(c.lr, 2e-3, c.beta1, c.weight_decay, 0, c.maximize));
    if (opt != NULL)
        opt->config.adamax =
            (rg_adamax_config){.beta2 = rg__or_default(c.beta2, 0.999), .eps = rg__or_default(c.eps, 1e-8)};
    return opt;
}

/* ---- LAMB -------------------------------------------------------------------------------------------------------- */

static bool lamb_check(const rg_optim *opt, rg_tape *t)
{
    const rg_lamb_config *c = &opt->config.lamb;
    if (!check_moments(opt, t, c->beta2, c->eps) || !rg__check_range(t, "lamb", "norm_min", c->norm_min, INFINITY, true))
        return false;
    if (!(c->norm_max >= c->norm_min))
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "lamb: norm_max is %g; it must not be below norm_min, which is %g",
                     c->norm_max, c->norm_min);
    return !rg_failed(t);
}

static rg_tensor norm_of(rg_tape *t, rg_tensor x)
{
    return rg_sqrt(t, rg_sum(t, rg_square(t, x), RG_ALL, false));
}

static void lamb_update(const rg_optim *opt, rg_tape *t, const rg__turn *turn)
{
    const rg_lamb_config *c = &opt->config.lamb;
    rg_param *p = turn->p;
    const rg_dtype dtype = rg_param_dtype(p);
    const rg_tensor w = rg_leaf(t, p), step = rg__optim_count(opt, t, p);
    const rg_tensor m = rg__optim_first(opt, t, p, turn->g);
    const rg_tensor v = rg__optim_second(opt, t, p, turn->g, c->beta2);
    const rg_tensor scale = corrected_root(t, v, second_correction(t, c->beta2, step), c->eps);
    const rg_tensor correction = rg_cast(t, first_correction(opt, t, step), dtype);
    rg_tensor r = rg_div(t, rg_div(t, m, correction), scale);
    if (turn->weight_decay != 0)
        r = rg_add(t, r, rg_mul_scalar(t, w, turn->weight_decay));
    const rg_tensor nothing = rg_constant(t, dtype, 0), own = norm_of(t, r);
    const rg_tensor wanted = rg_clamp(t, norm_of(t, w), c->norm_min, c->norm_max);
    const rg_tensor both = rg_logical_and(t, rg_gt(t, wanted, nothing), rg_gt(t, own, nothing));
    const rg_tensor trust = rg_where(t, both, rg_div(t, wanted, own), rg_constant(t, dtype, 1));
    rg__optim_descend(t, p, w, turn->lr, rg_mul(t, trust, r));
}

static const rg__optim_kind lamb = MOMENTS("lamb", lamb_check, lamb_update);

rg_optim *rg_lamb_new(rg_params *ps, const rg_lamb_config *config)
{
    const rg_lamb_config c = config != NULL ? *config : (rg_lamb_config){0};
    rg_optim *opt = rg__optim_new(ps, &lamb, common_of(c.lr, 1e-3, c.beta1, c.weight_decay, 0, c.maximize));
    if (opt != NULL)
        opt->config.lamb = (rg_lamb_config){.beta2 = rg__or_default(c.beta2, 0.999),
                                            .eps = rg__or_default(c.eps, 1e-6),
                                            .norm_min = rg__or_default(c.norm_min, 0),
                                            .norm_max = rg__or_default(c.norm_max, INFINITY)};
    return opt;
}
