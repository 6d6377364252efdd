/* The gamma function's logarithm and the slope of that, in double. */
#ifndef RG__CORE_GAMMA_H
#define RG__CORE_GAMMA_H

double rg__log_gamma(double x); /* ln |Gamma(x)| */
double rg__digamma(double x);   /* its derivative */

/* c[0] + c[1] x + ... + c[degree] x^degree */
static inline double rg__polynomial(const double *c, int degree, double x)
{
    double sum = c[degree];
    for (int i = degree - 1; i >= 0; i--)
        sum = sum * x + c[i];
    return sum;
}

#endif
