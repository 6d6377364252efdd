/* What the golden cases of optimizers and schedules call: optimizers with groups, and schedules that are more than one
 * call. */
#ifndef RG__TESTS_GOLDEN_TRAINING_H
#define RG__TESTS_GOLDEN_TRAINING_H

#include <retrograd/retrograd.h>

/* Biases without weight decay, the second layer at another rate, the rest as the optimizer says. */
static rg_optim *golden_grouped(rg_optim *opt, double bias_decay, double second_rate)
{
    rg_optim_group(opt, "*.bias", &(rg_group){.weight_decay = bias_decay});
    rg_optim_group(opt, "l2.*", &(rg_group){.lr_factor = second_rate, .weight_decay = 0.02});
    return opt;
}

static rg_optim *golden_slow_bias(rg_optim *opt, double factor)
{
    rg_optim_group(opt, "l?.bias", &(rg_group){.lr_factor = factor});
    return opt;
}

static rg_optim *golden_only(rg_optim *opt, const char *pattern)
{
    rg_optim_only(opt, pattern);
    return opt;
}

static void golden_one_cycle(rg_optim *opt, int64_t step, int64_t total)
{
    const rg_one_cycle_config c = {.high = 0.2, .total = total};
    rg_optim_set_lr(opt, rg_schedule_one_cycle(&c, step));
    rg_optim_set_momentum(opt, rg_schedule_one_cycle_momentum(&c, step));
}

/* The rate after measures 0 to i. */
static double golden_plateau(rg_plateau plateau, int64_t i)
{
    static const double measures[] = {1,    0.9,  0.95, 0.9,  0.91, 0.89995, 0.92, 0.5,  0.6, 0.7, 0.51,
                                      0.52, 0.53, 0.54, 0.49, 0.6,  0.7,     0.8,  0.9,  1,   0.6, 0.61,
                                      0.62, 0.63, 0.64, 0.65, 0.66, 0.67,    0.68, 0.69, 0.7, 0.71};
    double rate = 0.2;
    for (int64_t k = 0; k <= i; k++)
        rate = rg_plateau_step(&plateau, measures[k], rate);
    return rate;
}

/* Four steps of warm-up from a fifth, nine along a cosine, four of a quarter, then the base. */
static double golden_sequence(int64_t step)
{
    int64_t since;
    switch (rg_schedule_phase(step, (const int64_t[]){4, 13}, 2, &since)) {
    case 0: return rg_schedule_linear(0.2, since, 0.2, 1, 4);
    case 1: return rg_schedule_cosine(0.2, 0.02, since, 9);
    default: return rg_schedule_constant(0.2, since, 0.25, 4);
    }
}

#endif
