/* 6. A layer of your own: a struct of parameters and a function of recorded ops. There is no backward pass to write.
 *
 * This one is a layer of radial basis functions (Broomhead and Lowe 1988). Unit k answers to inputs near its centre:
 *
 *     out[n, k] = exp(-s_k^2 sum_i (x[n, i] - centre[k, i])^2)
 *
 * Four of them and one linear layer learn to tell a disc from the ring around it, which no linear layer can. */
#include <retrograd/retrograd.h>
#include <stdio.h>

typedef struct rbf {
    rg_param *centre; /* [units, in] */
    rg_param *scale;  /* [units]     */
} rbf;

static rbf rbf_new(rg_params *ps, const char *name, int64_t in, int64_t units)
{
    char full[64];
    rbf layer;
    snprintf(full, sizeof full, "%s.centre", name);
    layer.centre = rg_param_new(ps, full, rg_params_dtype(ps), RG_SHAPE(units, in), NULL);
    snprintf(full, sizeof full, "%s.scale", name);
    layer.scale = rg_param_new(ps, full, rg_params_dtype(ps), RG_SHAPE(units), NULL);
    rg_init_normal(layer.centre, 0, 1);
    rg_init_constant(layer.scale, 1);
    return layer;
}

/* x [n, in] -> [n, units] */
static rg_tensor rbf_forward(rg_tape *t, const rbf *layer, rg_tensor x)
{
    rg_tensor centre = rg_leaf(t, layer->centre);
    if (rg_shape_of(t, x).rank != 2) {
        rg_tape_fail(t, RG_ERROR_SHAPE, "rbf: x has rank %d, but [n, in] is needed", rg_shape_of(t, x).rank);
        return RG_NIL;
    }
    /* [n, 1, in] - [units, in] broadcasts to [n, units, in]. */
    rg_tensor away = rg_sub(t, rg_unsqueeze(t, x, 1), centre);
    rg_tensor distance = rg_sum(t, rg_square(t, away), RG_AXES(-1), false);
    return rg_exp(t, rg_neg(t, rg_mul(t, rg_square(t, rg_leaf(t, layer->scale)), distance)));
}

/* The error of a custom layer is an error like any other: the first stays on the tape and says what was wrong. */
static bool reports_bad_input(rg_tape *t, const rbf *layer)
{
    rg_tape_reset(t);
    rbf_forward(t, layer, rg_zeros(t, RG_F32, RG_SHAPE(2)));
    printf("a bad call says: %s\n", rg_tape_error(t));
    const bool reported = rg_tape_status(t) == RG_ERROR_SHAPE;
    rg_tape_clear_error(t);
    return reported;
}

int main(void)
{
    enum { SAMPLES = 256, STEPS = 400 };
    rg_params *ps = rg_params_new(3);
    rg_tape *t = rg_tape_new(NULL);
    const rbf layer = rbf_new(ps, "rbf", 2, 4);
    const rg_linear out = rg_linear_new(ps, "out", 4, 1);
    rg_optim *opt = rg_adam_new(ps, &(rg_adam_config){.lr = 3e-2});

    /* Points of a square; those within a circle of radius 1 belong to class 1. */
    static float x[SAMPLES][2], y[SAMPLES];
    rg_rng rng = rg_rng_new(1, 0);
    rg_rng_uniform_f32(&rng, &x[0][0], SAMPLES * 2, -1.6f, 1.6f);
    for (int i = 0; i < SAMPLES; i++)
        y[i] = x[i][0] * x[i][0] + x[i][1] * x[i][1] < 1;

    double accuracy = 0;
    for (int step = 0; step <= STEPS && !rg_failed(t); step++) {
        rg_tape_reset(t);
        rg_tensor label = rg_input_f32(t, RG_SHAPE(SAMPLES, 1), y);
        rg_tensor points = rg_input_f32(t, RG_SHAPE(SAMPLES, 2), &x[0][0]);
        rg_tensor logits = rg_linear_forward(t, &out, rbf_forward(t, &layer, points));
        rg_tensor loss = rg_bce_with_logits(t, logits, label, RG_MEAN);
        rg_backward(t, loss);
        rg_optim_step(opt, t);
        if (step % 100 == 0) {
            rg_tensor zero = rg_constant(t, RG_F32, 0), half = rg_constant(t, RG_F32, 0.5);
            rg_tensor right = rg_eq(t, rg_gt(t, logits, zero), rg_gt(t, label, half));
            accuracy = rg_item(t, rg_mean(t, rg_cast(t, right, RG_F32), RG_ALL, false));
            printf("%3d  loss %.4f  accuracy %.1f %%\n", step, rg_item(t, loss), 100 * accuracy);
        }
    }
    const bool failed = rg_failed(t);
    if (failed)
        fprintf(stderr, "%s\n", rg_tape_error(t));
    const bool reported = reports_bad_input(t, &layer);
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
    return failed || !reported || accuracy < 0.95;
}
