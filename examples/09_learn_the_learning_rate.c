/* 9. Learn the learning rate: differentiate through the optimizer.
 *
 * Five steps of gradient descent, w <- w - lr dloss/dw, are recorded as one function of lr. Each step contains a
 * gradient; the gradient of the last loss with respect to lr therefore goes through gradients. Descending along it finds
 * the rate with which five steps get furthest. */
#include <math.h>
#include <retrograd/retrograd.h>
#include <stdio.h>

enum { SAMPLES = 32, INNER = 5, OUTER = 60 };

typedef struct task {
    double x[SAMPLES][3], y[SAMPLES];
} task;

/* Points of y = x . [1, -2, 3] with some noise; the three features differ in scale. */
static task task_new(void)
{
    static const double scale[3] = {1, 0.7, 0.5};
    task data;
    double noise[SAMPLES];
    rg_rng rng = rg_rng_new(5, 0);
    rg_rng_normal_f64(&rng, &data.x[0][0], SAMPLES * 3, 0, 1);
    rg_rng_normal_f64(&rng, noise, SAMPLES, 0, 0.1);
    for (int i = 0; i < SAMPLES; i++) {
        for (int k = 0; k < 3; k++)
            data.x[i][k] *= scale[k];
        data.y[i] = data.x[i][0] - 2 * data.x[i][1] + 3 * data.x[i][2] + noise[i];
    }
    return data;
}

/* The logarithm of the loss after INNER steps of gradient descent from w = 0 with learning rate lr []. */
static rg_tensor unrolled(rg_tape *t, const task *data, rg_tensor lr)
{
    rg_tensor x = rg_input_f64(t, RG_SHAPE(SAMPLES, 3), &data->x[0][0]);
    rg_tensor y = rg_input_f64(t, RG_SHAPE(SAMPLES), data->y);
    rg_tensor w = rg_zeros(t, RG_F64, RG_SHAPE(3));
    rg_tensor loss = rg_mse_loss(t, rg_matmul(t, x, w), y, RG_MEAN);
    for (int i = 0; i < INNER; i++) {
        rg_tensor g;
        rg_grad(t, loss, &w, 1, &g);
        w = rg_sub(t, w, rg_mul(t, lr, g)); /* a new tensor, not an assignment: the history stays */
        loss = rg_mse_loss(t, rg_matmul(t, x, w), y, RG_MEAN);
    }
    return rg_log(t, loss); /* whose slope is of one size from far to near, which the loss's is not */
}

/* Returns the value of unrolled(lr); its derivative where asked for. */
static double evaluate(rg_tape *t, const task *data, double rate, double *derivative)
{
    rg_tape_reset(t);
    rg_tensor lr = rg_scalar(t, RG_F64, rate), value = unrolled(t, data, lr), slope;
    if (derivative && rg_grad(t, value, &lr, 1, &slope))
        *derivative = rg_item(t, slope);
    return rg_item(t, value);
}

int main(void)
{
    rg_tape *t = rg_tape_new(NULL);
    const task data = task_new();
    double rate = 0.05, derivative = 0;

    /* The derivative through five optimizer steps against a central difference. */
    const double first = evaluate(t, &data, rate, &derivative), h = 1e-5;
    const double difference = (evaluate(t, &data, rate + h, NULL) - evaluate(t, &data, rate - h, NULL)) / (2 * h);
    const bool right = fabs(derivative - difference) < 1e-6 * fabs(difference);
    printf("d log(loss) / d lr at %.2f: %.6f recorded, %.6f by differences\n", rate, derivative, difference);

    double last = first;
    for (int step = 0; step <= OUTER && !rg_failed(t); step++) {
        last = evaluate(t, &data, rate, &derivative);
        if (step % 10 == 0)
            printf("%2d  lr %.4f  loss after %d steps %.5f\n", step, rate, INNER, exp(last));
        if (step < OUTER)
            rate -= 0.01 * derivative;
    }

    /* At the best rate the slope is gone, and neither a smaller nor a larger rate does better. */
    const bool best = fabs(derivative) < 1e-3 && last < evaluate(t, &data, rate * 0.95, NULL) &&
                      last < evaluate(t, &data, rate * 1.05, NULL);
    const bool failed = rg_failed(t);
    if (failed)
        fprintf(stderr, "%s\n", rg_tape_error(t));
    rg_tape_free(t);
    return failed || !right || !best;
}
