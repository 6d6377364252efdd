/* 9. Learn the learning rate: differentiate through the optimizer.
 *
 * Five steps of gradient descent, w <- w - lr dloss/dw, are recorded as one function of lr. Each step contains a
 * gradient; the gradient of the last loss with respect to lr therefore goes through gradients. Descending on it finds
 * the rate with which five steps get furthest. */
#include <math.h>
#include <retrograd/retrograd.h>
#include <stdio.h>

enum { SAMPLES = 32, INNER = 5, OUTER = 40 };

typedef struct task {
    float x[SAMPLES][3], y[SAMPLES];
} task;

/* Points of y = x . [1, -2, 3] with some noise; the three features differ in scale. */
static task task_new(void)
{
    task data;
    float noise[SAMPLES];
    rg_rng rng = rg_rng_new(5, 0);
    rg_rng_normal_f32(&rng, &data.x[0][0], SAMPLES * 3, 0, 1);
    rg_rng_normal_f32(&rng, noise, SAMPLES, 0, 0.1f);
    for (int i = 0; i < SAMPLES; i++) {
        data.x[i][1] *= 0.7f;
        data.x[i][2] *= 0.5f;
        data.y[i] = data.x[i][0] - 2 * data.x[i][1] + 3 * data.x[i][2] + noise[i];
    }
    return data;
}

/* The loss after INNER steps of gradient descent from w = 0 with learning rate lr []. */
static rg_tensor unrolled(rg_tape *t, const task *data, rg_tensor lr)
{
    rg_tensor x = rg_cast(t, rg_input_f32(t, RG_SHAPE(SAMPLES, 3), &data->x[0][0]), RG_F64);
    rg_tensor y = rg_cast(t, rg_input_f32(t, RG_SHAPE(SAMPLES), data->y), RG_F64);
    rg_tensor w = rg_zeros(t, RG_F64, RG_SHAPE(3));
    rg_tensor loss = rg_mse_loss(t, rg_matmul(t, x, w), y, RG_MEAN);
    for (int i = 0; i < INNER; i++) {
        rg_tensor g;
        rg_grad(t, loss, &w, 1, &g);
        w = rg_sub(t, w, rg_mul(t, lr, g)); /* a new tensor, not an assignment: the history stays */
        loss = rg_mse_loss(t, rg_matmul(t, x, w), y, RG_MEAN);
    }
    return loss;
}

/* The loss after the inner steps and its derivative with respect to lr. */
static double evaluate(rg_tape *t, const task *data, double rate, double *derivative)
{
    rg_tape_reset(t);
    rg_tensor lr = rg_scalar(t, RG_F64, rate), loss = unrolled(t, data, lr), d;
    rg_grad(t, loss, &lr, 1, &d);
    *derivative = rg_item(t, d);
    return rg_item(t, loss);
}

int main(void)
{
    rg_tape *t = rg_tape_new(NULL);
    const task data = task_new();
    double rate = 0.05, derivative = 0, unused;
    const double first = evaluate(t, &data, rate, &derivative);

    /* The derivative through five optimizer steps against a difference of two losses. */
    const double h = 1e-5;
    const double difference = (evaluate(t, &data, rate + h, &unused) - evaluate(t, &data, rate - h, &unused)) / (2 * h);
    printf("d loss / d lr at %.2f: %.6f recorded, %.6f by differences\n", rate, derivative, difference);

    double last = first;
    for (int step = 0; step < OUTER && !rg_failed(t); step++) {
        last = evaluate(t, &data, rate, &derivative);
        if (step % 10 == 0)
            printf("%2d  lr %.4f  loss after %d steps %.5f\n", step, rate, INNER, last);
        rate -= 0.01 * derivative;
    }
    printf("    lr %.4f  loss after %d steps %.5f\n", rate, INNER, last);

    /* At the best rate, neither a smaller nor a larger one does better. */
    const bool best = last < evaluate(t, &data, rate * 0.8, &unused) && last < evaluate(t, &data, rate * 1.2, &unused);
    const bool right = fabs(derivative) < 1e-2 && fabs(difference / evaluate(t, &data, 0.05, &unused)) > 0;
    const bool failed = rg_failed(t);
    if (failed)
        fprintf(stderr, "%s\n", rg_tape_error(t));
    rg_tape_free(t);
    return failed || !best || !right || last > first / 2;
}
