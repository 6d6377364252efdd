/* 5. Regression: a small network learns y = x1 x2 + x1 + x2 on [-10, 10]^2 from points drawn afresh at each step. */
#include <math.h>
#include <retrograd/retrograd.h>
#include <stdio.h>

typedef struct model {
    rg_linear in, hidden, out;
} model;

/* x [n, 2] -> [n, 1]. The network sees values of about 1: the inputs are scaled down and the output is scaled up. */
static rg_tensor forward(rg_tape *t, const model *m, rg_tensor x)
{
    rg_tensor h = rg_tanh(t, rg_linear_forward(t, &m->in, rg_mul_scalar(t, x, 0.1)));
    h = rg_tanh(t, rg_linear_forward(t, &m->hidden, h));
    return rg_mul_scalar(t, rg_linear_forward(t, &m->out, h), 30);
}

/* What is to be learnt, in the same ops. x [n, 2] -> [n, 1] */
static rg_tensor target(rg_tape *t, rg_tensor x)
{
    return rg_add(t, rg_prod(t, x, RG_AXES(-1), true), rg_sum(t, x, RG_AXES(-1), true));
}

/* The root of the mean squared error over a grid of 41 x 41 points. */
static double grid_error(rg_tape *t, const model *m)
{
    static float grid[41 * 41][2];
    for (int i = 0; i < 41 * 41; i++) {
        grid[i][0] = (float)(i / 41) / 2 - 10;
        grid[i][1] = (float)(i % 41) / 2 - 10;
    }
    rg_tape_reset(t);
    rg_tensor x = rg_input_f32(t, RG_SHAPE(41 * 41, 2), &grid[0][0]);
    return sqrt(rg_item(t, rg_mse_loss(t, forward(t, m, x), target(t, x), RG_MEAN)));
}

int main(void)
{
    enum { STEPS = 1500, BATCH = 128 };
    rg_params *ps = rg_params_new(7);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.seed = 7});
    const model m = {
        rg_linear_new(ps, "in", 2, 32),
        rg_linear_new(ps, "hidden", 32, 32),
        rg_linear_new(ps, "out", 32, 1),
    };
    rg_optim *opt = rg_adam_new(ps, NULL);

    const double before = grid_error(t, &m);
    for (int step = 0; step < STEPS && !rg_failed(t); step++) {
        rg_tape_reset(t);
        rg_tensor unit = rg_rand(t, RG_F32, RG_SHAPE(BATCH, 2)); /* in [0, 1) */
        rg_tensor x = rg_add_scalar(t, rg_mul_scalar(t, unit, 20), -10);
        rg_tensor loss = rg_huber_loss(t, forward(t, &m, x), target(t, x), 1, RG_MEAN);
        rg_backward(t, loss);
        rg_optim_set_lr(opt, rg_schedule_cosine(1e-2, 1e-4, step, STEPS));
        rg_optim_step(opt, t);
        if (step % 300 == 0)
            printf("%4d  loss %.3f\n", step, rg_item(t, loss));
    }
    const double after = grid_error(t, &m);
    printf("error on a grid: %.2f before, %.2f after (y runs from -100 to 120)\n", before, after);

    const bool failed = rg_failed(t);
    if (failed)
        fprintf(stderr, "%s\n", rg_tape_error(t));
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
    return failed || !(before > 20) || !(after < 1.5);
}
