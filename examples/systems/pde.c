/* Physics-informed networks (Raissi, Perdikaris and Karniadakis, Journal of Computational Physics 378, 2019): a network
 * u(t, x) learns a differential equation itself, from its initial and boundary values and nothing inside. What the equation
 * leaves over, say u_t + u u_x - nu u_xx, is part of the loss: it holds first and second derivatives with respect to the
 * inputs, and training differentiates once more with respect to the weights. Initial and boundary values need no loss: u is
 * put together such that it has them, whatever the network says (Lagaris, Likas and Fotiadis, IEEE Transactions on Neural
 * Networks 9, 1998), which learns faster than the paper's squared error there.
 *
 *   burgers  u_t + u u_x = nu u_xx, nu = 0.01/pi, u(0, x) = -sin(pi x), u(t, -1) = u(t, 1) = 0: a shock forms at x = 0
 *   heat     u_t = u_xx / pi^2, u(0, x) = sin(pi x) + sin(3 pi x) / 2, the same boundary: a sum of two decaying sines
 *
 * Adam brings the network near, L-BFGS, the paper's method, the rest of the way.
 *
 * Read it top-down: the exact solutions, the network, the loss, the error, and training. */
#include "common.h"

#include <math.h>

enum { WIDTH = 32, LAYERS = 5, INSIDE = 2000, FIXED = 10000, BRIEF_INSIDE = 1000, BRIEF_FIXED = 2000 };
enum { NODES = 600, TIMES = 21, PLACES = 101, GRID = TIMES * PLACES };
typedef enum problem { BURGERS, HEAT } problem;
static const double pi = 3.14159265358979323846, nu = 0.01 / 3.14159265358979323846;

/* ---- exact solutions -------------------------------------------------------------------------------------------------- */

/* Hopf (1950) and Cole (1951): u = -2 nu phi_x / phi with a phi that obeys the heat equation: its initial value convolved
 * with the heat kernel. The integrals are in the form of Basdevant et al. (Computers and Fluids 14, 1986), by the
 * trapezoidal rule, which converges exponentially for such functions. */
static double burgers_exact(double time, double x)
{
    const double spread = sqrt(4 * nu * time), end = 12; /* beyond, e^(-z^2) is less than the range of the rest, e^100 */
    double above = 0, below = 0;
    for (int i = -NODES; i <= NODES; i++) {
        const double z = end * i / NODES, y = x - spread * z, phi = exp(-z * z - cos(pi * y) / (2 * pi * nu));
        above += sin(pi * y) * phi;
        below += phi;
    }
    return -above / below;
}

static double heat_exact(double time, double x)
{
    return exp(-time) * sin(pi * x) + 0.5 * exp(-9 * time) * sin(3 * pi * x);
}

/* ---- the network, and u ------------------------------------------------------------------------------------------------ */

typedef struct network {
    rg_linear layer[LAYERS];
} network;

static network network_new(rg_params *ps)
{
    static const char *const names[LAYERS] = {"l1", "l2", "l3", "l4", "l5"};
    network net;
    for (int i = 0; i < LAYERS; i++) {
        net.layer[i] = rg_linear_new(ps, names[i], i > 0 ? WIDTH : 2, i < LAYERS - 1 ? WIDTH : 1);
        rg_init_xavier_normal(net.layer[i].weight, 1);
        rg_init_constant(net.layer[i].bias, 0);
    }
    return net;
}

/* [n, 2] -> [n, 1] */
static rg_tensor network_forward(rg_tape *t, const network *net, rg_tensor x)
{
    for (int i = 0; i < LAYERS; i++) {
        if (i > 0)
            x = rg_tanh(t, x);
        x = rg_linear_forward(t, &net->layer[i], x);
    }
    return x;
}

/* u(0, x) + t (1 - x^2) network(t, x), all [n, 1]: right at time 0 and, where u(0, -1) = u(0, 1) = 0, on the boundary. */
static rg_tensor solution(rg_tape *t, const network *net, problem which, rg_tensor time, rg_tensor x)
{
    const rg_tensor inputs[2] = {rg_add_scalar(t, rg_mul_scalar(t, time, 2), -1), x}; /* both in [-1, 1] */
    const rg_tensor inside = rg_mul(t, time, rg_add_scalar(t, rg_neg(t, rg_square(t, x)), 1));
    rg_tensor initial = rg_sin(t, rg_mul_scalar(t, x, pi));
    if (which == BURGERS)
        initial = rg_neg(t, initial);
    else
        initial = rg_add(t, initial, rg_mul_scalar(t, rg_sin(t, rg_mul_scalar(t, x, 3 * pi)), 0.5));
    return rg_add(t, initial, rg_mul(t, inside, network_forward(t, net, rg_cat(t, inputs, 2, 1))));
}

/* ---- the loss ----------------------------------------------------------------------------------------------------------- */

/* What the equation leaves over at points (time, x), both [n, 1]. Each u depends on its own point alone, so the gradient of
 * their sum holds the derivative at every point. */
static rg_tensor residual(rg_tape *t, const network *net, problem which, rg_tensor time, rg_tensor x)
{
    const rg_tensor inputs[2] = {time, x};
    const rg_tensor u = solution(t, net, which, time, x);
    rg_tensor first[2], u_xx;
    rg_grad_with(t, u, rg_ones_like(t, u), inputs, 2, first);
    const rg_tensor u_t = first[0], u_x = first[1];
    rg_grad_with(t, u_x, rg_ones_like(t, u_x), &x, 1, &u_xx);
    if (which == HEAT)
        return rg_sub(t, u_t, rg_mul_scalar(t, u_xx, 1 / (pi * pi)));
    return rg_sub(t, rg_add(t, u_t, rg_mul(t, u, u_x)), rg_mul_scalar(t, u_xx, nu));
}

/* Points inside, and what is to be learnt there. */
typedef struct physics {
    const network *net;
    problem which;
    int64_t count; /* at most FIXED */
    float time[FIXED], x[FIXED];
} physics;

static void draw_points(physics *p, rg_rng *rng, int64_t count)
{
    p->count = count;
    rg_rng_uniform_f32(rng, p->time, (size_t)count, 0, 1);
    rg_rng_uniform_f32(rng, p->x, (size_t)count, -1, 1);
}

/* An rg_closure: the mean square of that over the points. */
static rg_tensor physics_loss(rg_tape *t, void *user)
{
    const physics *p = user;
    const rg_shape column = RG_SHAPE(p->count, 1);
    const rg_tensor time = rg_input_f32(t, column, p->time), x = rg_input_f32(t, column, p->x);
    return rg_mean(t, rg_square(t, residual(t, p->net, p->which, time, x)), RG_ALL, false);
}

/* ---- training and the result ---------------------------------------------------------------------------------------------- */

/* || u - exact || / || exact || over a grid of times and places. Prints both at a few of them. */
static double relative_error(rg_tape *t, const network *net, problem which)
{
    float time[GRID], x[GRID], found[GRID];
    double wrong = 0, norm = 0;
    for (int i = 0; i < GRID; i++) {
        time[i] = (float)(i / PLACES) / (TIMES - 1);
        x[i] = -1 + 2.0F * (float)(i % PLACES) / (PLACES - 1);
    }
    rg_tape_reset(t);
    const rg_shape column = RG_SHAPE(GRID, 1);
    const rg_tensor u = solution(t, net, which, rg_input_f32(t, column, time), rg_input_f32(t, column, x));
    if (!rg_read(t, u, found, sizeof found))
        return NAN;
    for (int i = 0; i < GRID; i++) {
        const double exact = which == BURGERS ? burgers_exact(time[i], x[i]) : heat_exact(time[i], x[i]);
        wrong += (found[i] - exact) * (found[i] - exact);
        norm += exact * exact;
        if (i / PLACES % 10 == 0 && i % PLACES % 18 == 12)
            printf("u(%.1f, %5.2f) = %8.5f, exact %8.5f\n", time[i], x[i], found[i], exact);
    }
    return sqrt(wrong / norm);
}

/* New points at each step, from which Adam finds the way. */
static void train_adam(rg_tape *t, rg_params *ps, physics *p, rg_rng *rng, int64_t steps, int64_t points)
{
    rg_optim *const opt = rg_adam_new(ps, NULL);
    double sum = 0;
    const int64_t every = steps / 5 > 0 ? steps / 5 : 1;
    for (int64_t step = 0; step < steps && !rg_failed(t); step++) {
        rg_tape_reset(t);
        rg_optim_set_lr(opt, rg_schedule_cosine(6e-3, 1e-6, step, steps));
        draw_points(p, rng, points);
        const rg_tensor loss = physics_loss(t, p);
        rg_backward(t, loss);
        rg_optim_step(opt, t);
        sum += rg_item(t, loss);
        if ((step + 1) % every == 0) {
            printf("Adam   %6" PRId64 "  loss %.3e\n", step + 1, sum / (double)every);
            sum = 0;
        }
    }
    rg_tape_reset(t); /* the last update runs now */
    rg_optim_free(opt);
}

/* L-BFGS goes on, with points that stay: it compares losses. */
static void train_lbfgs(rg_tape *t, rg_params *ps, physics *p, rg_rng *rng, int64_t iterations, int64_t points)
{
    const int each = iterations < 5 ? 1 : (int)(iterations / 5);
    const rg_lbfgs_config config = {.max_iter = each, .strong_wolfe = true, .tolerance_change = 1e-12};
    rg_optim *const opt = rg_lbfgs_new(ps, &config);
    draw_points(p, rng, points);
    for (int64_t i = 0; i + each <= iterations && !rg_failed(t); i += each) {
        rg_tape_reset(t);
        printf("L-BFGS %6" PRId64 "  loss %.3e\n", i, rg_lbfgs_step(opt, t, physics_loss, p));
    }
    rg_tape_reset(t);
    rg_optim_free(opt);
}

int main(int argc, char **argv)
{
    static const char *const variants[] = {[BURGERS] = "burgers", [HEAT] = "heat", NULL};
    const options full = {.steps = 5000, .seed = 1, .require = 0.002, .variants = variants};
    const options brief[] = {
        [BURGERS] = {.brief = true, .steps = 250, .seed = 1, .require = 0.3, .variants = variants},
        [HEAT] = {.brief = true, .steps = 250, .seed = 1, .require = 0.05, .variants = variants},
    };
    const options o =
        read_variant_options(argc, argv,
                             "Solves Burgers' or the heat equation by a network whose derivatives are in its loss.\n"
                             "--steps: of Adam; three iterations of L-BFGS for each five of them follow.\n"
                             "--require: largest relative error in the 2-norm.",
                             (const options[]){full, full}, brief, BURGERS);
    rg_params *const ps = rg_params_new((uint64_t)o.seed);
    rg_tape *const t = rg_tape_new(&(rg_tape_config){.threads = (int)o.threads});
    const network net = network_new(ps);
    double error = NAN;
    if (all_well(t, ps)) {
        rg_rng rng = rg_rng_new((uint64_t)o.seed, 1);
        static physics p;
        p.net = &net;
        p.which = (problem)o.variant;
        train_adam(t, ps, &p, &rng, o.steps, o.brief ? BRIEF_INSIDE : INSIDE);
        train_lbfgs(t, ps, &p, &rng, 3 * o.steps / 5, o.brief ? BRIEF_FIXED : FIXED);
        error = relative_error(t, &net, (problem)o.variant);
    }
    const bool good = all_well(t, ps);
    rg_tape_free(t);
    rg_params_free(ps);
    if (!good)
        return 1;
    printf("%s: relative error %.3e\n", variants[o.variant], error);
    return error <= o.require || complain("relative error %.3e is above %g", error, o.require) ? 0 : 1;
}
