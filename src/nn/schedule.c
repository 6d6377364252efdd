/* Learning-rate schedules: plain functions of the step. What is out of range gives NaN, which no optimizer takes. */
#include "check.h"

#include <math.h>
#include <retrograd/schedule.h>
#include <stddef.h>

static const double PI = 3.14159265358979323846;

/* From `from` to `to` along half a cosine, or a line; share in [0, 1]. */
static double between(double from, double to, double share, bool linear)
{
    return linear ? from + (to - from) * share : to + (from - to) * (1 + cos(PI * share)) / 2;
}

/* ---- base times something ---------------------------------------------------------------------------------------- */

double rg_schedule_step(double base, int64_t step, int64_t every, double gamma)
{
    if (step < 0 || every < 1)
        return NAN;
    return base * pow(gamma, (double)(step / every));
}

double rg_schedule_multi_step(double base, int64_t step, const int64_t *milestones, int count, double gamma)
{
    if (step < 0 || count < 0 || (milestones == NULL && count > 0))
        return NAN;
    int reached = 0;
    for (int i = 0; i < count; i++)
        reached += milestones[i] <= step;
    return base * pow(gamma, reached);
}

double rg_schedule_exponential(double base, int64_t step, double gamma)
{
    if (step < 0)
        return NAN;
    return base * pow(gamma, (double)step);
}

double rg_schedule_constant(double base, int64_t step, double factor, int64_t total)
{
    if (step < 0 || total < 0)
        return NAN;
    return step < total ? base * factor : base;
}

double rg_schedule_linear(double base, int64_t step, double start, double end, int64_t total)
{
    if (step < 0 || total < 1)
        return NAN;
    return step < total ? base * (start + (end - start) * ((double)step / (double)total)) : base * end;
}

double rg_schedule_polynomial(double base, int64_t step, int64_t total, double power)
{
    if (step < 0 || total < 1)
        return NAN;
    return step < total ? base * pow(1 - (double)step / (double)total, power) : base * pow(0, power);
}

double rg_schedule_warmup(double base, int64_t step, int64_t steps)
{
    if (step < 0 || steps < 0)
        return NAN;
    if (step >= steps)
        return base;
    return base * (double)(step + 1) / (double)steps;
}

/* ---- cosines ----------------------------------------------------------------------------------------------------- */

double rg_schedule_cosine(double base, double last, int64_t step, int64_t total)
{
    if (step < 0 || total < 0)
        return NAN;
    if (step >= total)
        return last;
    return between(base, last, (double)step / (double)total, false);
}

double rg_schedule_cosine_restarts(double base, double last, int64_t step, int64_t first, int64_t factor)
{
    if (step < 0 || first < 1 || factor < 1)
        return NAN;
    if (factor == 1)
        step %= first;
    /* A length beyond all steps is as good as the next one, which might be none. */
    for (; factor > 1 && step >= first; first = first <= INT64_MAX / factor ? first * factor : INT64_MAX)
        step -= first;
    return between(base, last, (double)step / (double)first, false);
}

/* ---- cycles ------------------------------------------------------------------------------------------------------ */

/* How high the cycle is at this step, 0 to 1; NaN where the settings are out of range. */
static double cycle_height(const rg_cyclic_config *c, int64_t step)
{
    if (c == NULL || step < 0 || c->up < 0 || c->down < 0 || (unsigned)c->mode > RG_EXP_RANGE)
        return NAN;
    const double up = c->up > 0 ? (double)c->up : 2000, down = c->down > 0 ? (double)c->down : up;
    const double cycle = floor((double)step / (up + down)), at = (double)step - cycle * (up + down);
    const double height = at <= up ? at / up : (up + down - at) / down;
    switch (c->mode) {
    case RG_TRIANGULAR: return height;
    case RG_TRIANGULAR2: return height * pow(0.5, cycle);
    case RG_EXP_RANGE: return height * pow(rg__or_default(c->gamma, 1), (double)step);
    }
    return NAN;
}

double rg_schedule_cyclic(const rg_cyclic_config *config, int64_t step)
{
    const double height = cycle_height(config, step);
    return isnan(height) ? NAN : config->low + (config->high - config->low) * height;
}

double rg_schedule_cyclic_momentum(const rg_cyclic_config *config, int64_t step)
{
    const double height = cycle_height(config, step);
    if (isnan(height))
        return NAN;
    const double most = rg__or_default(config->max_momentum, 0.9), least = rg__or_default(config->base_momentum, 0.8);
    return most - (most - least) * height;
}

/* ---- one cycle --------------------------------------------------------------------------------------------------- */

/* Where in the cycle: the phase, and the share of it that has passed. Phases end at whole steps or between them. */
static bool phase_at(const rg_one_cycle_config *c, int64_t step, int *phase, double *share)
{
    if (c == NULL || step < 0 || c->total < 1)
        return false;
    const double rise = rg__or_default(c->rise, 0.3), total = (double)c->total, at = fmin((double)step, total - 1);
    if (!(rise > 0 && rise <= 1))
        return false;
    const double ends[] = {rise * total - 1, c->three_phase ? 2 * rise * total - 2 : total - 1, total - 1};
    const int last = c->three_phase ? 2 : 1;
    double start = 0;
    for (*phase = 0; *phase < last && at > ends[*phase]; ++*phase)
        start = ends[*phase];
    *share = ends[*phase] > start ? (at - start) / (ends[*phase] - start) : 1; /* of a phase without steps, its end */
    return true;
}

double rg_schedule_one_cycle(const rg_one_cycle_config *config, int64_t step)
{
    int phase;
    double share;
    if (!phase_at(config, step, &phase, &share))
        return NAN;
    const double low = config->high / rg__or_default(config->div_factor, 25);
    const double last = low / rg__or_default(config->final_div_factor, 1e4);
    if (phase == 0)
        return between(low, config->high, share, config->linear);
    if (config->three_phase && phase == 1)
        return between(config->high, low, share, config->linear);
    return between(config->three_phase ? low : config->high, last, share, config->linear);
}

double rg_schedule_one_cycle_momentum(const rg_one_cycle_config *config, int64_t step)
{
    int phase;
    double share;
    if (!phase_at(config, step, &phase, &share))
        return NAN;
    const double most = rg__or_default(config->max_momentum, 0.95), least = rg__or_default(config->base_momentum, 0.85);
    return phase == 0   ? between(most, least, share, config->linear)
           : phase == 1 ? between(least, most, share, config->linear)
                        : most;
}

/* ---- one after the other, and on a plateau ----------------------------------------------------------------------- */

int rg_schedule_phase(int64_t step, const int64_t *milestones, int count, int64_t *since)
{
    int phase = 0;
    while (milestones != NULL && phase < count && milestones[phase] <= step)
        phase++;
    if (since != NULL)
        *since = phase > 0 ? step - milestones[phase - 1] : step;
    return phase;
}

static bool is_better(const rg_plateau *p, double measure)
{
    const double threshold = rg__or_default(p->threshold, 1e-4), sign = p->maximize ? 1 : -1;
    if (!p->begun) /* anything is better than nothing; NaN is not, and nothing begins with it */
        return p->maximize ? measure > -INFINITY : measure < INFINITY;
    const double limit = p->absolute ? p->best + sign * threshold : p->best * (1 + sign * threshold);
    return p->maximize ? measure > limit : measure < limit;
}

double rg_plateau_step(rg_plateau *p, double measure, double lr)
{
    if (p == NULL)
        return lr;
    const double factor = rg__or_default(p->factor, 0.1);
    if (!(factor >= 0 && factor < 1))
        return NAN;
    if (is_better(p, measure)) {
        p->best = measure;
        p->begun = true;
        p->bad = 0;
    } else {
        p->bad++;
    }
    if (p->rest > 0) {
        p->rest--;
        p->bad = 0;
    }
    if (p->bad <= (p->patience > 0 ? p->patience : p->patience == 0 ? 10 : 0))
        return lr;
    p->rest = p->cooldown > 0 ? p->cooldown : 0;
    p->bad = 0;
    const double reduced = fmax(lr * factor, p->min_lr);
    return lr - reduced > rg__or_default(p->eps, 1e-8) ? reduced : lr;
}
