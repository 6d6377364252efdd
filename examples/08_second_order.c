/* 8. Second order: a gradient is recorded like everything else, so it can be differentiated again.
 *
 * Newton's method needs the matrix of second derivatives (the Hessian) of a function: each of its rows is the gradient
 * of one element of the gradient. On Rosenbrock's function f(x, y) = (1 - x)^2 + 100 (y - x^2)^2 it finds the minimum
 * at (1, 1) in a few steps where gradient descent takes thousands (Rosenbrock, The Computer Journal, 1960). */
#include <math.h>
#include <retrograd/retrograd.h>
#include <stdio.h>

/* p [2] -> [] */
static rg_tensor rosenbrock(rg_tape *t, rg_tensor p)
{
    rg_tensor x = rg_select(t, p, 0, 0), y = rg_select(t, p, 0, 1);
    rg_tensor slope = rg_square(t, rg_add_scalar(t, rg_neg(t, x), 1));
    rg_tensor valley = rg_square(t, rg_sub(t, y, rg_square(t, x)));
    return rg_add(t, slope, rg_mul_scalar(t, valley, 100));
}

/* The derivatives of f at p: value, gradient [2], Hessian [2, 2]. */
static bool derivatives(rg_tape *t, const double p[2], double *value, double gradient[2], double hessian[2][2])
{
    rg_tape_reset(t);
    rg_tensor x = rg_input_f64(t, RG_SHAPE(2), p), f = rosenbrock(t, x), g, row[2];
    rg_grad(t, f, &x, 1, &g);
    for (int i = 0; i < 2; i++)
        rg_grad(t, rg_select(t, g, 0, i), &x, 1, &row[i]);
    *value = rg_item(t, f);
    return rg_read(t, g, gradient, 2 * sizeof *gradient) &&
           rg_read(t, rg_stack(t, row, 2, 0), hessian, 4 * sizeof **hessian);
}

/* H v without H: the gradient of <gradient, v>. It costs about two gradients, however many variables there are. */
static bool hessian_times(rg_tape *t, const double p[2], const double v[2], double out[2])
{
    rg_tape_reset(t);
    rg_tensor x = rg_input_f64(t, RG_SHAPE(2), p), g, product;
    rg_grad(t, rosenbrock(t, x), &x, 1, &g);
    rg_grad(t, rg_dot(t, g, rg_input_f64(t, RG_SHAPE(2), v)), &x, 1, &product);
    return rg_read(t, product, out, 2 * sizeof *out);
}

int main(void)
{
    rg_tape *t = rg_tape_new(NULL);
    double p[2] = {-1.2, 1}, f = INFINITY, g[2], h[2][2];
    int steps = 0;
    printf("step         x         y             f\n");
    for (; derivatives(t, p, &f, g, h); steps++) {
        printf("%4d %9.5f %9.5f %13.6g\n", steps, p[0], p[1], f);
        if (f < 1e-20 || steps == 20)
            break;
        /* p -= H^-1 g, by Cramer's rule */
        const double det = h[0][0] * h[1][1] - h[0][1] * h[1][0];
        p[0] -= (h[1][1] * g[0] - h[0][1] * g[1]) / det;
        p[1] -= (h[0][0] * g[1] - h[1][0] * g[0]) / det;
    }

    /* Both ways to H v agree. At (1, 1) the Hessian is [[802, -400], [-400, 200]]. */
    const double v[2] = {1, -2};
    double hv[2] = {0};
    hessian_times(t, p, v, hv);
    printf("H v = [%.3f, %.3f] for v = [1, -2]; with H written out [%.3f, %.3f]\n", hv[0], hv[1],
           h[0][0] * v[0] + h[0][1] * v[1], h[1][0] * v[0] + h[1][1] * v[1]);

    const bool found = f < 1e-20 && steps < 20 && fabs(p[0] - 1) < 1e-9 && fabs(p[1] - 1) < 1e-9;
    const bool agree = fabs(hv[0] - 1602) < 1e-3 && fabs(hv[1] + 800) < 1e-3;
    const bool failed = rg_failed(t);
    if (failed)
        fprintf(stderr, "%s\n", rg_tape_error(t));
    rg_tape_free(t);
    return failed || !found || !agree;
}
