/* The gamma function. See gamma.h. */
#include "core/gamma.h"

#include <math.h>

double rg__log_gamma(double x)
{
    int sign; /* lgamma writes its sign to a global */
    return lgamma_r(x, &sign);
}

/* The power series about the only positive zero of digamma; c[k-1] = (-1)^(k+1) zeta(k+1, zero). */
static double digamma_near_zero(double x)
{
    static const double zero = 1.4616321449683622, rest = 9.5499954299656977e-17;
    static const double c[] = {
        0.96767224544762117043,   -0.44276316898359210609,    0.25849976095565101062,    -0.1639427054424065275,
        0.10782405069126236576,   -0.072199561256454710926,   0.048804288164143107225,   -0.033161126474847359292,
        0.02259764823221810466,   -0.015424765904948959139,   0.010538791616612175388,   -0.007204534386356868241,
        0.0049267813957298534464, -0.0033698016554393280828,  0.0023051263267349278369,  -0.0015769367714301972593,
        0.0010788252019162965807, -0.00073807093899600512957, 0.00050495326583460203518, -0.00034546802510630769956};
    const double d = x - zero - rest;
    return d * rg__polynomial(c, 19, d);
}

/* Abramowitz and Stegun, Handbook of Mathematical Functions: 6.3.18 from 10 on, 6.3.5 and 6.3.7 towards there. */
double rg__digamma(double x)
{
    static const double c[] = {-1. / 12, 1. / 120, -1. / 252, 1. / 240, -1. / 132, 691. / 32760, -1. / 12};
    double below = 0;
    if (x == 0)
        return copysign(INFINITY, -x);
    if (x < 0) {
        const double part = -x - floor(-x);
        if (!(part > 0))
            return NAN;
        below = part == .5 ? 0 : M_PI / tan(M_PI * (part < .5 ? part : part - 1));
        x = 1 - x;
    }
    if (fabs(x - 1.4616321449683622) < .2)
        return below + digamma_near_zero(x);
    for (; x < 10; x++)
        below -= 1 / x;
    const double square = 1 / (x * x);
    return below + log(x) - .5 / x + square * rg__polynomial(c, 6, square);
}
