/* 4. XOR again, this time learnt: record the forward pass, replay it backwards, let the optimizer update. */
#include <retrograd/retrograd.h>
#include <stdio.h>

int main(void)
{
    static const float X[] = {0, 0, 0, 1, 1, 0, 1, 1}, Y[] = {0, 1, 1, 0};
    rg_params *ps = rg_params_new(42);             /* weights and their gradients   */
    rg_tape *t = rg_tape_new(NULL);                /* everything that one step does */
    rg_linear l1 = rg_linear_new(ps, "l1", 2, 16); /* weight [16, 2], bias [16]     */
    rg_linear l2 = rg_linear_new(ps, "l2", 16, 1);
    rg_optim *opt = rg_adam_new(ps, &(rg_adam_config){.lr = 1e-2});

    double last = 1;
    for (int step = 0; step <= 2000 && !rg_failed(t); step++) {
        rg_tape_reset(t);
        rg_tensor x = rg_input_f32(t, RG_SHAPE(4, 2), X);
        rg_tensor y = rg_input_f32(t, RG_SHAPE(4, 1), Y);
        rg_tensor h = rg_tanh(t, rg_linear_forward(t, &l1, x));
        rg_tensor logits = rg_linear_forward(t, &l2, h);
        rg_tensor loss = rg_bce_with_logits(t, logits, y, RG_MEAN);
        rg_backward(t, loss);
        rg_optim_step(opt, t); /* uses the gradients, then clears them */
        if (step % 500 == 0) {
            last = rg_item(t, loss);
            printf("%4d  %.4f\n", step, last);
        }
    }

    /* What has been learnt: the probability of a one in each of the four cases. */
    rg_tape_reset(t);
    rg_tensor x = rg_input_f32(t, RG_SHAPE(4, 2), X);
    rg_tensor h = rg_tanh(t, rg_linear_forward(t, &l1, x));
    const float *p = rg_data_f32(t, rg_sigmoid(t, rg_linear_forward(t, &l2, h)));
    int wrong = 0;
    for (int i = 0; p && i < 4; i++) {
        printf("%g xor %g = %.3f\n", X[2 * i], X[2 * i + 1], p[i]);
        wrong += (p[i] > 0.5f) != (Y[i] > 0.5f);
    }
    const bool failed = rg_failed(t);
    if (failed)
        fprintf(stderr, "%s\n", rg_tape_error(t));
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
    return failed || wrong > 0 || last > 0.01;
}
