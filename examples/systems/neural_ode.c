/* Neural ordinary differential equations (Chen, Rubanova, Bettencourt and Duvenaud, NeurIPS 2018): a network is the right
 * side of dy/dt = f(y), a solver of fixed steps is the forward pass, and f is learnt from pieces of one trajectory. The
 * truth is the paper's spiral, dy/dt = (y^3) A.
 *
 * The gradient is had in two ways, which this program compares. Recording the solver and differentiating it gives the
 * exact gradient of what was computed; rg_checkpoint lets it keep one state a segment instead of everything. The adjoint
 * method solves another equation backwards in time for a = d loss/d y,  da/dt = -a df/dy,  d loss/d weights = the integral
 * of a df/dweights, and keeps nothing at all, but it is as wrong as its own steps are.
 *
 * Read it top-down: the right sides, the solver, the adjoint, the comparison, training. */
#include "common.h"

#include <math.h>

enum { HIDDEN = 50, BATCH = 100, PIECE = 5, POINTS = 1000, PARTS = 4, SEGMENTS = 20 };
static const double last_time = 25;

/* dy/dt as a function of y [n, 2]: the truth where there is no network. */
typedef struct right_side {
    rg_linear hidden, out;
} right_side;

static right_side right_side_new(rg_params *ps)
{
    right_side f = {rg_linear_new(ps, "hidden", 2, HIDDEN), rg_linear_new(ps, "out", HIDDEN, 2)};
    rg_init_normal(f.hidden.weight, 0, 0.1); /* the paper's */
    rg_init_normal(f.out.weight, 0, 0.1);
    rg_init_constant(f.hidden.bias, 0);
    rg_init_constant(f.out.bias, 0);
    return f;
}

/* [n, 2] -> [n, 2] */
static rg_tensor slope(rg_tape *t, const right_side *f, rg_tensor y)
{
    static const double a[4] = {-0.1, 2, -2, -0.1};
    const rg_tensor cube = rg_mul(t, y, rg_square(t, y));
    if (!f)
        return rg_matmul(t, cube, rg_cast(t, rg_input_f64(t, RG_SHAPE(2, 2), a), rg_dtype_of(t, y)));
    return rg_linear_forward(t, &f->out, rg_tanh(t, rg_linear_forward(t, &f->hidden, cube)));
}

/* ---- the solver ------------------------------------------------------------------------------------------------------- */

/* y + h f(y + h/2 f ...): one step of the classical method of Runge and Kutta, of fourth order. */
static rg_tensor step_forward(rg_tape *t, const right_side *f, rg_tensor y, double h)
{
    const rg_tensor k1 = slope(t, f, y);
    const rg_tensor k2 = slope(t, f, rg_add(t, y, rg_mul_scalar(t, k1, h / 2)));
    const rg_tensor k3 = slope(t, f, rg_add(t, y, rg_mul_scalar(t, k2, h / 2)));
    const rg_tensor k4 = slope(t, f, rg_add(t, y, rg_mul_scalar(t, k3, h)));
    const rg_tensor middle = rg_mul_scalar(t, rg_add(t, k2, k3), 2);
    return rg_add(t, y, rg_mul_scalar(t, rg_add(t, rg_add(t, k1, middle), k4), h / 6));
}

typedef struct segment {
    const right_side *f;
    double h;
    int steps;
} segment;

/* An rg_function: some steps. */
static rg_tensor segment_forward(rg_tape *t, const rg_tensor *y, int count, void *user)
{
    const segment *s = user;
    rg_tensor state = y[count - 1];
    for (int i = 0; i < s->steps; i++)
        state = step_forward(t, s->f, state, s->h);
    return state;
}

/* y(last) from y(0), in segments; checkpointed, only the states between these are kept for the backward pass. */
static rg_tensor solve(rg_tape *t, const right_side *f, rg_tensor y, double last, int steps, bool checkpoint)
{
    segment s = {f, last / steps, steps / SEGMENTS};
    for (int i = 0; i < SEGMENTS; i++)
        y = checkpoint ? rg_checkpoint(t, segment_forward, &y, 1, &s) : segment_forward(t, &y, 1, &s);
    return y;
}

/* ---- the adjoint ------------------------------------------------------------------------------------------------------- */

static void weights_of(rg_tape *t, const right_side *f, rg_tensor w[PARTS])
{
    rg_param *const p[PARTS] = {f->hidden.weight, f->hidden.bias, f->out.weight, f->out.bias};
    for (int i = 0; i < PARTS; i++)
        w[i] = rg_leaf(t, p[i]);
}

/* Backwards in time everything changes by: y by -f, a by a df/dy, the gradient by a df/dw. s = y, a, gradient. */
static void adjoint_slope(rg_tape *t, const right_side *f, const rg_tensor s[2 + PARTS], rg_tensor k[2 + PARTS])
{
    rg_tensor x[1 + PARTS] = {rg_detach(t, s[0])}; /* or else it would count that y itself came from the weights */
    weights_of(t, f, x + 1);
    const rg_tensor y_slope = slope(t, f, x[0]);
    k[0] = rg_neg(t, y_slope);
    rg_vjp(t, y_slope, s[1], x, 1 + PARTS, k + 1);
}

/* d loss/d weights from y and d loss/d y at time `last`: the same solver on the larger state. */
static void adjoint(rg_tape *t, const right_side *f, rg_tensor y, rg_tensor a, double last, int steps, rg_tensor g[PARTS])
{
    static const double place[4] = {0, 0.5, 0.5, 1}, weight[4] = {1 / 6.0, 1 / 3.0, 1 / 3.0, 1 / 6.0};
    const double h = last / steps;
    rg_tensor s[2 + PARTS] = {y, a}, at[2 + PARTS], k[2 + PARTS];
    weights_of(t, f, s + 2);
    for (int i = 0; i < PARTS; i++)
        s[2 + i] = rg_zeros_like(t, s[2 + i]);
    for (int step = 0; step < steps; step++) {
        rg_tensor next[2 + PARTS];
        memcpy(next, s, sizeof next);
        for (int stage = 0; stage < 4; stage++) {
            for (int i = 0; i < 2 + PARTS; i++)
                at[i] = stage > 0 ? rg_add(t, s[i], rg_mul_scalar(t, k[i], place[stage] * h)) : s[i];
            adjoint_slope(t, f, at, k);
            for (int i = 0; i < 2 + PARTS; i++)
                next[i] = rg_add(t, next[i], rg_mul_scalar(t, k[i], weight[stage] * h));
        }
        memcpy(s, next, sizeof next);
    }
    memcpy(g, s + 2, PARTS * sizeof *g);
}

/* ---- the comparison ------------------------------------------------------------------------------------------------------ */

typedef enum way { RECORDED, CHECKPOINTED, ADJOINT } way;

/* The gradient of |y(1)|^2 for a batch of starts by one of the ways, one number after the other, and the bytes that were
 * kept between the forward and the backward pass. */
static int64_t gradient(rg_tape *t, const right_side *f, way how, int steps, double *out)
{
    static double start[BATCH][2];
    rg_plan_counts counts = {0};
    rg_tensor w[PARTS], g[PARTS];
    rg_rng rng = rg_rng_new(3, 0);
    rg_rng_uniform_f64(&rng, start[0], BATCH * 2, -1.5, 1.5);
    rg_tape_reset(t);
    weights_of(t, f, w);
    const rg_tensor y0 = rg_input_f64(t, RG_SHAPE(BATCH, 2), start[0]);
    if (how == ADJOINT)
        rg_mode_push(t, RG_NO_GRAD);
    const rg_tensor y1 = solve(t, f, y0, 1, steps, how == CHECKPOINTED);
    if (how == ADJOINT) {
        rg_mode_pop(t);
        adjoint(t, f, y1, rg_mul_scalar(t, y1, 2), 1, steps, g);
    } else {
        rg_grad(t, rg_sum(t, rg_square(t, y1), RG_ALL, false), w, PARTS, g);
    }
    for (int i = 0; i < PARTS; i++)
        g[i] = rg_keep(t, rg_reshape(t, g[i], RG_SHAPE(-1)));
    const rg_tensor all = rg_keep(t, rg_cat(t, g, PARTS, 0));
    rg_plan_stats(t, &counts);
    rg_read(t, all, out, (size_t)rg_numel(t, all) * sizeof *out);
    return counts.values;
}

/* || a - b || / || b || */
static double distance(const double *a, const double *b, int64_t n)
{
    double wrong = 0, norm = 0;
    for (int64_t i = 0; i < n; i++) {
        wrong += (a[i] - b[i]) * (a[i] - b[i]);
        norm += b[i] * b[i];
    }
    return sqrt(wrong / norm);
}

/* In f64. Recorded and checkpointed gradients are the same bits; the adjoint's comes near by the fourth power of the step. */
static bool compare(uint64_t seed, rg_tape *t)
{
    enum { SIZE = 4 * HIDDEN + HIDDEN + 2 };
    static double recorded[SIZE], checkpointed[SIZE], by_adjoint[SIZE];
    double apart[2] = {0};
    bool same = true, less = true;
    rg_params *const ps = rg_params_new(seed);
    rg_params_set_dtype(ps, RG_F64);
    const right_side f = right_side_new(ps);
    rg_init_xavier_normal(f.hidden.weight, 1); /* larger weights: a gradient with something in it */
    rg_init_xavier_normal(f.out.weight, 1);
    for (int i = 0; i < 2; i++) {
        const int steps = SEGMENTS * (i + 1);
        const int64_t whole = gradient(t, &f, RECORDED, steps, recorded);
        const int64_t part = gradient(t, &f, CHECKPOINTED, steps, checkpointed);
        const int64_t none = gradient(t, &f, ADJOINT, steps, by_adjoint);
        apart[i] = distance(by_adjoint, recorded, SIZE);
        same = same && memcmp(recorded, checkpointed, sizeof recorded) == 0;
        less = less && 3 * part < whole;
        printf("%3d steps: %5" PRId64 " kB recorded, %4" PRId64 " kB with checkpoints, %4" PRId64
               " kB by the adjoint, whose gradient is %.1e away\n",
               steps, whole / 1024, part / 1024, none / 1024, apart[i]);
    }
    const bool good = all_well(t, ps);
    rg_tape_reset(t);
    rg_params_free(ps);
    if (!good)
        return false;
    printf("checkpointed gradients are %s; half the step brings the adjoint's nearer by %.1f (2^4 = 16)\n\n",
           same ? "the same bits" : "DIFFERENT", apart[0] / apart[1]);
    return (same && less && apart[1] < 1e-6 && apart[0] / apart[1] > 12 && apart[0] / apart[1] < 20) ||
           complain("the gradients do not agree, or checkpoints save nothing");
}

/* ---- training -------------------------------------------------------------------------------------------------------------- */

/* The trajectory from (2, 0) at POINTS even times, by f or by the truth. */
static bool trajectory(rg_tape *t, const right_side *f, float out[POINTS][2])
{
    out[0][0] = 2;
    out[0][1] = 0;
    for (int i = 1; i < POINTS; i++) {
        rg_tape_reset(t);
        const rg_tensor y = rg_input_f32(t, RG_SHAPE(1, 2), out[i - 1]);
        if (!rg_read(t, step_forward(t, f, y, last_time / (POINTS - 1)), out[i], sizeof out[i]))
            return false;
    }
    return true;
}

/* Mean squared error over pieces of PIECE points that begin anywhere on the true trajectory. */
static rg_tensor piece_loss(rg_tape *t, const right_side *f, float truth[POINTS][2], rg_rng *rng)
{
    static float at[PIECE][BATCH][2];
    int64_t first[BATCH];
    rg_tensor guess[PIECE];
    rg_rng_integers(rng, first, BATCH, 0, POINTS - PIECE);
    for (int i = 0; i < PIECE; i++)
        for (int j = 0; j < BATCH; j++)
            memcpy(at[i][j], truth[first[j] + i], sizeof at[i][j]);
    guess[0] = rg_input_f32(t, RG_SHAPE(BATCH, 2), at[0][0]);
    for (int i = 1; i < PIECE; i++)
        guess[i] = step_forward(t, f, guess[i - 1], last_time / (POINTS - 1));
    const rg_tensor wanted = rg_input_f32(t, RG_SHAPE(PIECE, BATCH, 2), at[0][0]);
    return rg_mse_loss(t, rg_stack(t, guess, PIECE, 0), wanted, RG_MEAN);
}

/* Mean |error| along the whole trajectory, which the network was never asked for. */
static double whole_error(rg_tape *t, const right_side *f, float truth[POINTS][2])
{
    static float found[POINTS][2];
    double sum = 0;
    if (!trajectory(t, f, found))
        return NAN;
    for (int i = 0; i < POINTS; i++)
        sum += fabs(found[i][0] - truth[i][0]) + fabs(found[i][1] - truth[i][1]);
    return sum / (2 * POINTS);
}

static double train(rg_tape *t, rg_params *ps, const options *o)
{
    static float truth[POINTS][2];
    const right_side f = right_side_new(ps);
    rg_optim *const opt = rg_adam_new(ps, NULL);
    rg_rng rng = rg_rng_new((uint64_t)o->seed, 1);
    const int64_t every = o->steps / 10 > 0 ? o->steps / 10 : 1;
    double error = trajectory(t, NULL, truth) ? whole_error(t, &f, truth) : NAN;
    printf("step %5d  error on the whole trajectory %.4f\n", 0, error);
    for (int64_t step = 0; step < o->steps && !rg_failed(t); step++) {
        rg_tape_reset(t);
        rg_optim_set_lr(opt, rg_schedule_cosine(2e-2, 1e-5, step, o->steps));
        rg_backward(t, piece_loss(t, &f, truth, &rng));
        rg_optim_step(opt, t);
        rg_tape_run(t);
        if ((step + 1) % every == 0)
            printf("step %5" PRId64 "  error on the whole trajectory %.4f\n", step + 1,
                   error = whole_error(t, &f, truth));
    }
    rg_optim_free(opt);
    return error;
}

int main(int argc, char **argv)
{
    const options full = {.steps = 10000, .seed = 1, .require = 0.1};
    const options brief = {.steps = 1000, .seed = 1, .require = 0.3};
    const options o = read_options(argc, argv,
                                   "Learns the right side of a differential equation through its solver.\n"
                                   "--require: largest mean error along the trajectory, whose numbers are of size 0.5.",
                                   &full, &brief);
    rg_params *const ps = rg_params_new((uint64_t)o.seed);
    rg_tape *const t = rg_tape_new(&(rg_tape_config){.threads = (int)o.threads});
    bool good = all_well(t, ps) && compare((uint64_t)o.seed, t);
    const double error = good ? train(t, ps, &o) : NAN;
    good = good && all_well(t, ps) && (error <= o.require || complain("error %.4f is above %g", error, o.require));
    rg_tape_free(t);
    rg_params_free(ps);
    return good ? 0 : 1;
}
