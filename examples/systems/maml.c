/* Model-agnostic meta-learning (Finn, Abbeel and Levine, ICML 2017): weights from which one gradient step on ten points
 * learns a new function. A task is a sine of its own amplitude and phase. The loss is that AFTER the step, and its gradient
 * goes through the step, which contains a gradient: a second derivative, which nobody had to write.
 *
 * Read it top-down: tasks, the network with weights of each task's own, the step that adapts them, the two ways to train. */
#include "common.h"

#include <math.h>

enum { TASKS = 25, TEST_TASKS = 500, SHOTS = 10, GRID = 50, HIDDEN = 40, PARTS = 6, MAX_STEPS = 10 };
static const double pi = 3.14159265358979323846;
static const double inner_lr = 0.01, outer_lr = 1e-3; /* the paper's */

/* ---- tasks: y = amplitude sin(x - phase), amplitude in [0.1, 5], phase in [0, pi], x in [-5, 5] -------------------- */

typedef struct tasks {
    int64_t count;
    float shots_x[TEST_TASKS][SHOTS], shots_y[TEST_TASKS][SHOTS]; /* what a task is learnt from  */
    float grid_x[TEST_TASKS][GRID], grid_y[TEST_TASKS][GRID];     /* what it is then judged by   */
} tasks;

/* `points` of the grid are drawn at random for training, or even over [-5, 5] for the test. */
static void tasks_draw(tasks *d, int64_t count, rg_rng *rng, bool even)
{
    float amplitude[TEST_TASKS], phase[TEST_TASKS];
    d->count = count;
    rg_rng_uniform_f32(rng, amplitude, (size_t)count, 0.1F, 5);
    rg_rng_uniform_f32(rng, phase, (size_t)count, 0, (float)pi);
    rg_rng_uniform_f32(rng, d->shots_x[0], (size_t)count * SHOTS, -5, 5);
    rg_rng_uniform_f32(rng, d->grid_x[0], (size_t)count * GRID, -5, 5);
    for (int64_t i = 0; i < count; i++) {
        for (int j = 0; j < SHOTS; j++)
            d->shots_y[i][j] = amplitude[i] * sinf(d->shots_x[i][j] - phase[i]);
        for (int j = 0; j < GRID; j++) {
            if (even)
                d->grid_x[i][j] = -5 + 10.0F * (float)j / (GRID - 1);
            d->grid_y[i][j] = amplitude[i] * sinf(d->grid_x[i][j] - phase[i]);
        }
    }
}

static rg_tensor points(rg_tape *t, const tasks *d, int64_t shots, int64_t of, const float *values)
{
    const int64_t strides[3] = {of, 1, 1}; /* the first `shots` of each task */
    return rg_borrow(t, RG_F32, RG_SHAPE(d->count, shots, 1), strides, values);
}

/* ---- a network 1-40-40-1 whose weights differ from task to task ----------------------------------------------------- */

typedef struct network {
    rg_linear layer[3];
} network;

static network network_new(rg_params *ps)
{
    return (network){{rg_linear_new(ps, "l1", 1, HIDDEN), rg_linear_new(ps, "l2", HIDDEN, HIDDEN),
                      rg_linear_new(ps, "l3", HIDDEN, 1)}};
}

/* One copy a task of each weight, [tasks, out, in], and bias, [tasks, 1, out]: equal at first. */
static void network_weights(rg_tape *t, const network *net, int64_t count, rg_tensor w[PARTS])
{
    for (int i = 0; i < 3; i++) {
        w[2 * i] = rg_expand(t, rg_unsqueeze(t, rg_leaf(t, net->layer[i].weight), 0), RG_SHAPE(count, -1, -1));
        const rg_tensor bias = rg_unsqueeze(t, rg_unsqueeze(t, rg_leaf(t, net->layer[i].bias), 0), 0);
        w[2 * i + 1] = rg_expand(t, bias, RG_SHAPE(count, -1, -1));
    }
}

/* x [tasks, n, 1] -> [tasks, n, 1], each task by its own weights. */
static rg_tensor network_forward(rg_tape *t, const rg_tensor w[PARTS], rg_tensor x)
{
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            x = rg_relu(t, x);
        x = rg_add(t, rg_matmul(t, x, rg_transpose(t, w[2 * i], 1, 2)), w[2 * i + 1]);
    }
    return x;
}

/* ---- what is learnt --------------------------------------------------------------------------------------------------- */

typedef enum method { SECOND_ORDER, FIRST_ORDER, PRETRAINED, METHODS } method;
static const char *const method_names[METHODS + 1] = {"maml", "first-order", "pretrained", NULL};

/* w <- w - lr d loss(w)/dw, for each task by its own points. The gradient is recorded like everything else; cut off from
 * its history (the first-order variant) it counts as a constant. */
static void adapt(rg_tape *t, rg_tensor w[PARTS], rg_tensor x, rg_tensor y, method m)
{
    rg_tensor g[PARTS], loss = rg_mse_loss(t, network_forward(t, w, x), y, RG_SUM);
    rg_grad(t, rg_mul_scalar(t, loss, 1.0 / (double)rg_dim(t, x, 1)), w, PARTS, g);
    for (int i = 0; i < PARTS; i++)
        w[i] = rg_sub(t, w[i], rg_mul_scalar(t, m == SECOND_ORDER ? g[i] : rg_detach(t, g[i]), inner_lr));
}

/* The error on fresh points after one step on ten; the pre-trained network learns all tasks at once without any step. */
static rg_tensor meta_loss(rg_tape *t, const network *net, const tasks *d, method m)
{
    rg_tensor w[PARTS];
    network_weights(t, net, d->count, w);
    if (m != PRETRAINED)
        adapt(t, w, points(t, d, SHOTS, SHOTS, d->shots_x[0]), points(t, d, SHOTS, SHOTS, d->shots_y[0]), m);
    const rg_tensor guess = network_forward(t, w, points(t, d, SHOTS, GRID, d->grid_x[0]));
    return rg_mse_loss(t, guess, points(t, d, SHOTS, GRID, d->grid_y[0]), RG_MEAN);
}

/* Mean squared error over tasks that were never seen, after 0 .. MAX_STEPS steps on `shots` points of each. */
static void evaluate(rg_tape *t, const network *net, const tasks *d, int64_t shots, double error[MAX_STEPS + 1])
{
    rg_tensor w[PARTS];
    rg_tape_reset(t);
    network_weights(t, net, d->count, w);
    const rg_tensor x = points(t, d, shots, SHOTS, d->shots_x[0]), y = points(t, d, shots, SHOTS, d->shots_y[0]);
    const rg_tensor grid_x = points(t, d, GRID, GRID, d->grid_x[0]), grid_y = points(t, d, GRID, GRID, d->grid_y[0]);
    for (int i = 0; i <= MAX_STEPS; i++) {
        error[i] = rg_item(t, rg_mse_loss(t, network_forward(t, w, grid_x), grid_y, RG_MEAN));
        adapt(t, w, x, y, FIRST_ORDER);
    }
}

static bool train(rg_tape *t, rg_params *ps, const network *net, method m, const options *o)
{
    rg_rng rng = rg_rng_new((uint64_t)o->seed, 1);
    tasks *const d = malloc(sizeof *d);
    rg_optim *const opt = rg_adam_new(ps, &(rg_adam_config){.lr = outer_lr});
    double sum = 0;
    for (int64_t step = 1; d && step <= o->steps && !rg_failed(t); step++) {
        rg_tape_reset(t);
        tasks_draw(d, TASKS, &rng, false);
        const rg_tensor loss = meta_loss(t, net, d, m);
        rg_backward(t, loss);
        rg_optim_step(opt, t);
        sum += rg_item(t, loss);
        if (step % (o->steps / 5 > 0 ? o->steps / 5 : 1) == 0) {
            printf("%-12s step %6" PRId64 "  loss %.3f\n", method_names[m], step, sum / (double)(o->steps / 5));
            sum = 0;
        }
    }
    rg_tape_reset(t); /* the tape borrows the tasks */
    rg_optim_free(opt);
    free(d);
    return d && all_well(t, ps);
}

/* Trains by one method and prints its row of the table. */
static bool run(method m, const options *o, const tasks *test, double error[MAX_STEPS + 1])
{
    rg_params *const ps = rg_params_new((uint64_t)o->seed);
    rg_tape *const t = rg_tape_new(&(rg_tape_config){.threads = (int)o->threads});
    const network net = network_new(ps);
    double five[MAX_STEPS + 1] = {0};
    bool good = all_well(t, ps) && train(t, ps, &net, m, o);
    if (good) {
        evaluate(t, &net, test, SHOTS, error);
        evaluate(t, &net, test, 5, five);
        good = all_well(t, ps);
        printf("%-12s %2d shots: mean squared error %5.2f at once, %5.2f after 1 step, %5.2f after 5, %5.2f after 10\n",
               method_names[m], SHOTS, error[0], error[1], error[5], error[10]);
        printf("%-12s  5 shots: mean squared error %5.2f at once, %5.2f after 1 step, %5.2f after 5, %5.2f after 10\n\n",
               "", five[0], five[1], five[5], five[10]);
    }
    rg_tape_free(t);
    rg_params_free(ps);
    return good;
}

int main(int argc, char **argv)
{
    static const char *const variants[] = {"all", "maml", NULL};
    const options full = {.steps = 40000, .seed = 1, .require = 0.45, .variants = variants};
    const options brief = {.steps = 1500, .seed = 1, .require = 1.5, .variants = variants};
    const options o =
        read_options(argc, argv,
                     "Learns to learn sines: mean squared error on new tasks, beside a first-order variant "
                     "and a network\npre-trained on all tasks. --require: largest error of MAML after 1 step.",
                     &full, &brief);
    tasks *const test = malloc(sizeof *test);
    double error[METHODS][MAX_STEPS + 1] = {{0}};
    rg_rng rng = rg_rng_new((uint64_t)o.seed, 2);
    bool good = test != NULL;
    if (good)
        tasks_draw(test, TEST_TASKS, &rng, true);
    for (int m = 0; m < METHODS && good; m++)
        if (o.variant == 0 || m == SECOND_ORDER)
            good = run((method)m, &o, test, error[m]);
    free(test);
    if (!good)
        return 1;
    puts("Finn et al., 5 shots after 1, 5, 10 steps: MAML 0.67, 0.38, 0.35; pre-trained 2.41, 2.23, 2.19.");
    if (error[SECOND_ORDER][1] > o.require)
        return !complain("error after one step %.3f is above %g", error[SECOND_ORDER][1], o.require);
    if (o.variant == 0 && !(error[SECOND_ORDER][1] < 0.7 * error[PRETRAINED][1]))
        return !complain("no better than the pre-trained network");
    return 0;
}
