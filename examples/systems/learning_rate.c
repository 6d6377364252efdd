/* Learning the learning rates (Maclaurin, Duvenaud and Adams, ICML 2015): STEPS steps of gradient descent are recorded as one
 * function of the rates that they use, one for each step and each weight matrix and bias, and the loss at the end is
 * differentiated with respect to all of them. No search could try so many; a search finds the best single rate, for
 * comparison. Both are judged on first weights and batches that were not seen before.
 *
 * Read it top-down: the network, a recorded training run, the search, learning the rates. */
#include "common.h"

#include <math.h>

enum { STEPS = 20, BATCH = 64, HELD = 512, HIDDEN = 32, LAYERS = 3, PARTS = 2 * LAYERS };
enum { TRIALS = 40, BRIEF_TRIALS = 8 }; /* training runs that a set of rates is judged by */
static const int64_t sizes[LAYERS + 1] = {PIXELS, HIDDEN, HIDDEN, CLASSES};

/* ---- the network, whose weights are ordinary tensors ---------------------------------------------------------------------- */

/* New weights and biases, uniform in +-1/sqrt(in). */
static void first_weights(rg_tape *t, rg_rng *rng, rg_tensor w[PARTS])
{
    float values[PIXELS * HIDDEN];
    for (int i = 0; i < PARTS; i++) {
        const int64_t in = sizes[i / 2], out = sizes[i / 2 + 1];
        const rg_shape shape = i % 2 == 0 ? RG_SHAPE(out, in) : RG_SHAPE(out);
        const float bound = 1 / sqrtf((float)in);
        rg_rng_uniform_f32(rng, values, (size_t)rg_shape_numel(shape), -bound, bound);
        w[i] = rg_input_f32(t, shape, values);
    }
}

typedef struct batch {
    rg_tensor x, y;
} batch;

/* Some images, drawn anew. */
static batch draw_batch(rg_tape *t, const rg_dataset *data, rg_rng *rng, int64_t count)
{
    static float x[HELD][PIXELS];
    int64_t y[HELD], index[HELD];
    rg_rng_integers(rng, index, (size_t)count, 0, data->count);
    for (int64_t i = 0; i < count; i++) {
        memcpy(x[i], data->x + index[i] * PIXELS, sizeof x[i]);
        y[i] = data->y[index[i]];
    }
    return (batch){rg_input_f32(t, RG_SHAPE(count, PIXELS), x[0]), rg_input_i64(t, RG_SHAPE(count), y)};
}

static rg_tensor network_loss(rg_tape *t, const rg_tensor w[PARTS], batch b)
{
    rg_tensor h = b.x;
    for (int i = 0; i < LAYERS; i++)
        h = rg_affine(t, i > 0 ? rg_tanh(t, h) : h, w[2 * i], w[2 * i + 1]);
    return rg_cross_entropy(t, h, b.y, NULL);
}

/* ---- a training run as a function of its rates -------------------------------------------------------------------------------- */

/* log_rates [STEPS, PARTS] -> loss on held-out images after the steps. Run `number` has first weights and batches of its own.
 * Steps make new tensors, they assign nothing: the history stays. */
static rg_tensor training_run(rg_tape *t, const rg_dataset *data, rg_tensor log_rates, uint64_t number)
{
    rg_rng rng = rg_rng_new(number, 1);
    rg_tensor w[PARTS], g[PARTS];
    const rg_tensor rates = rg_exp(t, log_rates);
    first_weights(t, &rng, w);
    for (int step = 0; step < STEPS; step++) {
        rg_grad(t, network_loss(t, w, draw_batch(t, data, &rng, BATCH)), w, PARTS, g);
        const rg_tensor now = rg_select(t, rates, 0, step);
        for (int i = 0; i < PARTS; i++)
            w[i] = rg_sub(t, w[i], rg_mul(t, rg_select(t, now, 0, i), g[i]));
    }
    return network_loss(t, w, draw_batch(t, data, &rng, HELD));
}

/* Mean loss of some runs that nothing was learnt from. */
static double judge(rg_tape *t, const rg_dataset *data, const float log_rates[STEPS * PARTS], int trials)
{
    double sum = 0;
    for (int i = 0; i < trials && !rg_failed(t); i++) {
        rg_tape_reset(t);
        const rg_tensor rates = rg_input_f32(t, RG_SHAPE(STEPS, PARTS), log_rates);
        sum += rg_item(t, training_run(t, data, rates, 1000000 + (uint64_t)i));
    }
    return sum / trials;
}

/* The loss with the best single rate of a fine grid; *rate is that rate. */
static double search(rg_tape *t, const rg_dataset *data, int trials, double *rate)
{
    double best = INFINITY;
    for (int i = 0; i <= 12; i++) {
        float log_rates[STEPS * PARTS];
        const double tried = 0.02 * pow(2, 0.5 * i);
        for (int k = 0; k < STEPS * PARTS; k++)
            log_rates[k] = (float)log(tried);
        const double loss = judge(t, data, log_rates, trials);
        if (loss < best) {
            best = loss;
            *rate = tried;
        }
    }
    return best;
}

/* ---- learning them --------------------------------------------------------------------------------------------------------------- */

/* The slope along a random direction, recorded through all steps, against a difference. */
static bool slope_right(rg_tape *t, const rg_dataset *data)
{
    enum { SIZE = STEPS * PARTS };
    static const double h = 0.02;
    float at[SIZE], direction[SIZE], moved[SIZE], gradient[SIZE];
    double recorded = 0, loss[2];
    rg_rng rng = rg_rng_new(9, 9);
    rg_rng_normal_f32(&rng, direction, SIZE, 0, 1);
    for (int i = 0; i < SIZE; i++)
        at[i] = logf(0.1F);
    rg_tape_reset(t);
    rg_tensor rates = rg_input_f32(t, RG_SHAPE(STEPS, PARTS), at), g;
    rg_grad(t, training_run(t, data, rates, 7), &rates, 1, &g);
    if (!rg_read(t, g, gradient, sizeof gradient))
        return false;
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < SIZE; i++)
            moved[i] = at[i] + (float)(side == 0 ? -h : h) * direction[i];
        rg_tape_reset(t);
        loss[side] = rg_item(t, training_run(t, data, rg_input_f32(t, RG_SHAPE(STEPS, PARTS), moved), 7));
    }
    for (int i = 0; i < SIZE; i++)
        recorded += (double)gradient[i] * direction[i];
    const double difference = (loss[1] - loss[0]) / (2 * h);
    printf("slope through %d steps of training: %.5f recorded, %.5f by a difference\n", STEPS, recorded, difference);
    return fabs(recorded - difference) < 0.02 * fabs(difference) || complain("the slope is wrong");
}

static void learn(rg_tape *t, rg_params *ps, rg_param *log_rates, const rg_dataset *data, const options *o)
{
    rg_optim *const opt = rg_adam_new(ps, NULL);
    const int64_t every = o->steps / 5 > 0 ? o->steps / 5 : 1;
    double sum = 0;
    for (int64_t step = 0; step < o->steps && !rg_failed(t); step++) {
        rg_tape_reset(t);
        rg_optim_set_lr(opt, rg_schedule_cosine(0.05, 1e-3, step, o->steps));
        const rg_tensor loss = training_run(t, data, rg_leaf(t, log_rates), (uint64_t)(o->seed * 10000 + step));
        rg_backward(t, loss);
        rg_clip_grad_norm(t, ps, 0.1); /* rates that are too large have slopes without bounds */
        rg_optim_step(opt, t);
        sum += rg_item(t, loss);
        if ((step + 1) % every == 0) {
            printf("run %5" PRId64 "  loss after %d steps %.4f\n", step + 1, STEPS, sum / (double)every);
            sum = 0;
        }
    }
    rg_tape_reset(t);
    rg_optim_free(opt);
}

static void print_rates(const float *log_rates)
{
    static const char *const names[PARTS] = {"weight 1", "bias 1", "weight 2", "bias 2", "weight 3", "bias 3"};
    for (int i = 0; i < PARTS; i++) {
        printf("%-9s", names[i]);
        for (int step = 0; step < STEPS; step += 3)
            printf(" %6.3f", exp(log_rates[step * PARTS + i]));
        printf("%s\n", i == 0 ? "  at steps 1, 4, 7 ..." : "");
    }
}

static bool run(rg_tape *t, rg_params *ps, const rg_dataset *data, const options *o)
{
    float start[STEPS * PARTS];
    const int trials = o->brief ? BRIEF_TRIALS : TRIALS;
    double rate = 0;
    if (!slope_right(t, data))
        return all_well(t, ps) && false;
    const double single = search(t, data, trials, &rate);
    for (int i = 0; i < STEPS * PARTS; i++)
        start[i] = (float)log(rate);
    rg_param *const log_rates = rg_param_new(ps, "log_rates", RG_F32, RG_SHAPE(STEPS, PARTS), start);
    learn(t, ps, log_rates, data, o);
    if (!all_well(t, ps))
        return false;
    const double learnt = judge(t, data, rg_param_data(log_rates), trials);
    print_rates(rg_param_data(log_rates));
    printf("loss after %d steps: %.4f with the best single rate, %.3f; %.4f with %d rates learnt: %.3f of it\n", STEPS,
           single, rate, learnt, STEPS * PARTS, learnt / single);
    return all_well(t, ps) &&
           (learnt <= o->require * single || complain("%.3f is above %g", learnt / single, o->require));
}

int main(int argc, char **argv)
{
    const options full = {.steps = 1000, .seed = 1, .require = 0.8, .data = FASHION_MNIST};
    const options brief = {.brief = true, .steps = 60, .seed = 1, .limit = 5000, .require = 0.95, .data = FASHION_MNIST};
    const options o =
        read_options(argc, argv,
                     "Learns a learning rate for each step and each part of a network, through its training.\n"
                     "--require: largest quotient of the loss and that with the best single rate.",
                     &full, &brief);
    rg_params *const ps = rg_params_new((uint64_t)o.seed);
    rg_tape *const t = rg_tape_new(&(rg_tape_config){.threads = (int)o.threads});
    rg_dataset *const data = load_images(&o, "train");
    const bool good = data && all_well(t, ps) && run(t, ps, data, &o);
    rg_tape_free(t);
    rg_params_free(ps);
    rg_dataset_free(data);
    return good ? 0 : 1;
}
