/* Learning-rate schedules: plain functions of the step. What is out of range gives NaN, which no optimizer takes. */
#include <math.h>
#include <retrograd/optim.h>

double rg_schedule_step(double base, int64_t step, int64_t every, double gamma)
{
    if (step < 0 || every < 1)
        return NAN;
    return base * pow(gamma, (double)(step / every));
}

double rg_schedule_exponential(double base, int64_t step, double gamma)
{
    if (step < 0)
        return NAN;
    return base * pow(gamma, (double)step);
}

double rg_schedule_cosine(double base, double last, int64_t step, int64_t total)
{
    const double pi = 3.14159265358979323846;
    if (step < 0 || total < 0)
        return NAN;
    if (step >= total)
        return last;
    return last + (base - last) * (1 + cos(pi * (double)step / (double)total)) / 2;
}

double rg_schedule_warmup(double base, int64_t step, int64_t steps)
{
    if (step < 0 || steps < 0)
        return NAN;
    if (step >= steps)
        return base;
    return base * (double)(step + 1) / (double)steps;
}
