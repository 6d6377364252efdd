/* A denoising diffusion model (Ho, Jain and Abbeel, NeurIPS 2020) of points in the plane. Data are dissolved in noise,
 * x_s = sqrt(a_s) x_0 + sqrt(1 - a_s) noise for s = 1 .. STEPS until nothing of them is left, and a network learns to say
 * from x_s and s which noise it was. From noise alone, that step by step takes a little of it away, come new data.
 *
 * How near they are is measured by the sliced Wasserstein distance: both sets of points projected to a line, sorted, and
 * compared, over many lines (Bonneel, Rabin, Peyre and Pfister, 2015), and compared with that of two sets of true points.
 *
 * Read it top-down: the data, the schedule, the network, training, sampling, the distance, the picture. */
#include "common.h"

#include <math.h>

enum { STEPS = 100, BATCH = 512, HIDDEN = 128, WAVES = 16, SAMPLES = 4000, LINES = 64, SIDE = 200 };
static const double pi = 3.14159265358979323846;

/* Points [n, 2] of a spiral of a little more than one turn, with some noise, of about unit variance. */
static void data_draw(rg_rng *rng, float *out, int64_t n)
{
    rg_rng_normal_f32(rng, out, (size_t)n * 2, 0, 0.05F);
    for (int64_t i = 0; i < n; i++) {
        double u;
        rg_rng_uniform_f64(rng, &u, 1, 0, 1);
        const double angle = 3 * pi * sqrt(0.05 + 0.95 * u), radius = 2 * angle / (3 * pi);
        out[2 * i] += (float)(radius * cos(angle));
        out[2 * i + 1] += (float)(radius * sin(angle));
    }
}

/* What is left of the data's variance after each step, a[0] = 1, and what a step adds. The cosine schedule of Nichol and
 * Dhariwal (ICML 2021). */
typedef struct schedule {
    float a[STEPS + 1], beta[STEPS + 1];
} schedule;

static schedule schedule_make(void)
{
    schedule s = {.a = {1}};
    for (int i = 1; i <= STEPS; i++) {
        const double now = cos((i / (double)STEPS + 0.008) / 1.008 * pi / 2);
        const double before = cos(((i - 1) / (double)STEPS + 0.008) / 1.008 * pi / 2);
        s.beta[i] = (float)fmin(1 - now * now / (before * before), 0.999);
        s.a[i] = s.a[i - 1] * (1 - s.beta[i]);
    }
    return s;
}

/* ---- the network ---------------------------------------------------------------------------------------------------------- */

typedef struct network {
    rg_linear layer[4];
} network;

static network network_new(rg_params *ps)
{
    return (network){{rg_linear_new(ps, "l1", 2 + WAVES, HIDDEN), rg_linear_new(ps, "l2", HIDDEN, HIDDEN),
                      rg_linear_new(ps, "l3", HIDDEN, HIDDEN), rg_linear_new(ps, "l4", HIDDEN, 2)}};
}

/* The step as sines and cosines of growing frequency, which a network can tell apart. */
static void step_waves(int64_t step, float waves[WAVES])
{
    for (int i = 0; i < WAVES / 2; i++) {
        const double angle = (double)step / STEPS * pi * (i + 1) / 2;
        waves[2 * i] = (float)sin(angle);
        waves[2 * i + 1] = (float)cos(angle);
    }
}

/* x [n, 2] and the waves of its steps [n, WAVES] -> the noise in it [n, 2] */
static rg_tensor network_forward(rg_tape *t, const network *net, rg_tensor x, rg_tensor waves)
{
    const rg_tensor both[2] = {x, waves};
    rg_tensor h = rg_cat(t, both, 2, 1);
    for (int i = 0; i < 4; i++)
        h = rg_linear_forward(t, &net->layer[i], i > 0 ? rg_silu(t, h) : h);
    return h;
}

/* ---- training: algorithm 1 of the paper -------------------------------------------------------------------------------------- */

static rg_tensor noise_loss(rg_tape *t, const network *net, const schedule *s, rg_rng *rng)
{
    float x[BATCH * 2], noise[BATCH * 2], waves[BATCH][WAVES];
    int64_t step[BATCH];
    data_draw(rng, x, BATCH);
    rg_rng_normal_f32(rng, noise, BATCH * 2, 0, 1);
    rg_rng_integers(rng, step, BATCH, 1, STEPS + 1);
    for (int i = 0; i < BATCH; i++) {
        const float a = s->a[step[i]];
        for (int k = 2 * i; k < 2 * i + 2; k++)
            x[k] = sqrtf(a) * x[k] + sqrtf(1 - a) * noise[k];
        step_waves(step[i], waves[i]);
    }
    const rg_tensor guess = network_forward(t, net, rg_input_f32(t, RG_SHAPE(BATCH, 2), x),
                                            rg_input_f32(t, RG_SHAPE(BATCH, WAVES), waves[0]));
    return rg_mse_loss(t, guess, rg_input_f32(t, RG_SHAPE(BATCH, 2), noise), RG_MEAN);
}

static void train(rg_tape *t, rg_params *ps, const network *net, const schedule *s, const options *o)
{
    rg_optim *const opt = rg_adam_new(ps, NULL);
    rg_rng rng = rg_rng_new((uint64_t)o->seed, 1);
    const int64_t every = o->steps / 10 > 0 ? o->steps / 10 : 1;
    double sum = 0;
    for (int64_t step = 0; step < o->steps && !rg_failed(t); step++) {
        rg_tape_reset(t);
        rg_optim_set_lr(opt, rg_schedule_cosine(3e-3, 1e-5, step, o->steps));
        const rg_tensor loss = noise_loss(t, net, s, &rng);
        rg_backward(t, loss);
        rg_optim_step(opt, t);
        sum += rg_item(t, loss);
        if ((step + 1) % every == 0) {
            printf("step %6" PRId64 "  loss %.4f\n", step + 1, sum / (double)every);
            sum = 0;
        }
    }
    rg_optim_free(opt);
}

/* ---- sampling: algorithm 2 ----------------------------------------------------------------------------------------------------- */

static bool sample(rg_tape *t, const network *net, const schedule *s, rg_rng *rng, float x[SAMPLES * 2])
{
    static float noise[SAMPLES * 2], fresh[SAMPLES * 2];
    rg_rng_normal_f32(rng, x, SAMPLES * 2, 0, 1);
    for (int step = STEPS; step > 0; step--) {
        float waves[WAVES];
        step_waves(step, waves);
        rg_tape_reset(t);
        const rg_tensor when = rg_expand(t, rg_input_f32(t, RG_SHAPE(1, WAVES), waves), RG_SHAPE(SAMPLES, WAVES));
        if (!rg_read(t, network_forward(t, net, rg_input_f32(t, RG_SHAPE(SAMPLES, 2), x), when), noise, sizeof noise))
            return false;
        const float a = s->a[step], beta = s->beta[step], spread = sqrtf(beta * (1 - s->a[step - 1]) / (1 - a));
        rg_rng_normal_f32(rng, fresh, SAMPLES * 2, 0, spread);
        for (int i = 0; i < SAMPLES * 2; i++)
            x[i] = (x[i] - beta / sqrtf(1 - a) * noise[i]) / sqrtf(1 - beta) + fresh[i];
    }
    return true;
}

/* ---- how near two sets of points are ---------------------------------------------------------------------------------------------- */

/* The root of the mean, over lines in all directions, of the squared distance of what is projected there, in order. */
static double sliced_wasserstein(rg_tape *t, const float a[SAMPLES * 2], const float b[SAMPLES * 2])
{
    float line[2][LINES];
    for (int i = 0; i < LINES; i++) {
        line[0][i] = (float)cos(pi * i / LINES);
        line[1][i] = (float)sin(pi * i / LINES);
    }
    rg_tape_reset(t);
    const rg_tensor onto = rg_input_f32(t, RG_SHAPE(2, LINES), line[0]);
    const rg_tensor pa = rg_matmul(t, rg_input_f32(t, RG_SHAPE(SAMPLES, 2), a), onto);
    const rg_tensor pb = rg_matmul(t, rg_input_f32(t, RG_SHAPE(SAMPLES, 2), b), onto);
    const rg_tensor in_order_a = rg_sort(t, pa, 0, false, NULL), in_order_b = rg_sort(t, pb, 0, false, NULL);
    return sqrt(rg_item(t, rg_mse_loss(t, in_order_a, in_order_b, RG_MEAN)));
}

/* The data on the left, what was drawn on the right, over [-2.5, 2.5] x [-2.5, 2.5]. */
static bool draw_picture(const float data[SAMPLES * 2], const float drawn[SAMPLES * 2])
{
    static float picture[2][SIDE][SIDE];
    char error[300];
    for (int i = 0; i < 2 * SAMPLES; i++) {
        const float *p = i < SAMPLES ? data + 2L * i : drawn + 2L * (i - SAMPLES);
        const int column = (int)((p[0] + 2.5F) / 5 * SIDE), row = (int)((2.5F - p[1]) / 5 * SIDE);
        if (column >= 0 && column < SIDE && row >= 0 && row < SIDE)
            picture[i / SAMPLES][row][column] += 0.4F;
    }
    return rg_image_write_grid("diffusion.png", picture[0][0], 2, 1, SIDE, SIDE, 2, error, sizeof error) ||
           complain("%s", error);
}

static bool run(rg_tape *t, rg_params *ps, const options *o)
{
    static float data[SAMPLES * 2], other[SAMPLES * 2], noise[SAMPLES * 2], drawn[SAMPLES * 2];
    const schedule s = schedule_make();
    const network net = network_new(ps);
    rg_rng rng = rg_rng_new((uint64_t)o->seed, 2);
    data_draw(&rng, data, SAMPLES);
    data_draw(&rng, other, SAMPLES);
    rg_rng_normal_f32(&rng, noise, SAMPLES * 2, 0, 1);
    if (!all_well(t, ps))
        return false;
    train(t, ps, &net, &s, o);
    if (!sample(t, &net, &s, &rng, drawn))
        return all_well(t, ps) && false;
    const double reached = sliced_wasserstein(t, drawn, data);
    printf("sliced Wasserstein distance to %d true points: %.4f of what was drawn, %.4f of other true points, "
           "%.4f of noise\n",
           SAMPLES, reached, sliced_wasserstein(t, other, data), sliced_wasserstein(t, noise, data));
    if (!all_well(t, ps) || !draw_picture(data, drawn))
        return false;
    return reached <= o->require || complain("the distance %.4f is above %g", reached, o->require);
}

int main(int argc, char **argv)
{
    const options full = {.steps = 10000, .seed = 1, .require = 0.04};
    const options brief = {.steps = 500, .seed = 1, .require = 0.25};
    const options o = read_options(argc, argv,
                                   "Learns to draw the points of a spiral by taking noise away step by step.\n"
                                   "Writes diffusion.png: true points, drawn points.\n"
                                   "--require: largest sliced Wasserstein distance.",
                                   &full, &brief);
    rg_params *const ps = rg_params_new((uint64_t)o.seed);
    rg_tape *const t = rg_tape_new(&(rg_tape_config){.threads = (int)o.threads});
    const bool good = run(t, ps, &o);
    rg_tape_free(t);
    rg_params_free(ps);
    return good ? 0 : 1;
}
