/* 7. Check your gradient: rg_gradcheck compares what the tape derives with central differences of the values, in f64 and
 * along random directions; rg_gradcheck2 does the same for the gradient of the gradient. */
#include <retrograd/retrograd.h>
#include <stdio.h>

/* A function of two tensors, of your own: log(1 + |x|^2) tanh(y), summed over the last axis. */
static rg_tensor smooth(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    rg_tensor norm = rg_sum(t, rg_square(t, x[0]), RG_AXES(-1), true);
    return rg_sum(t, rg_mul(t, rg_log1p(t, norm), rg_tanh(t, x[1])), RG_AXES(-1), false);
}

/* The layer of example 6; its parameters are checked along with its input. */
typedef struct rbf {
    rg_param *centre; /* [units, in] */
    rg_param *scale;  /* [units]     */
} rbf;

static rg_tensor rbf_forward(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count;
    const rbf *layer = user;
    rg_tensor away = rg_sub(t, rg_unsqueeze(t, x[0], 1), rg_leaf(t, layer->centre));
    rg_tensor distance = rg_sum(t, rg_square(t, away), RG_AXES(-1), false);
    return rg_exp(t, rg_neg(t, rg_mul(t, rg_square(t, rg_leaf(t, layer->scale)), distance)));
}

/* Wrong on purpose: x times x is a square, but rg_detach hides one of the two from the gradient, which comes out as x
 * instead of 2x. This is what a forgotten branch looks like. */
static rg_tensor half_forgotten(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_mul(t, x[0], rg_detach(t, x[0]));
}

static bool report(const char *what, bool passed, const rg_gradcheck_report *r)
{
    if (passed)
        printf("%-22s passed: %lld numbers compared, largest error %.1e\n", what, (long long)r->compared, r->error);
    else
        printf("%-22s FAILED: %s\n", what, r->message);
    return passed;
}

int main(void)
{
    double x[3][4], y[3][4];
    rg_rng rng = rg_rng_new(1, 0);
    rg_rng_normal_f64(&rng, &x[0][0], 12, 0, 1);
    rg_rng_normal_f64(&rng, &y[0][0], 12, 0, 1);
    const rg_array inputs[] = {{RG_F64, RG_SHAPE(3, 4), x}, {RG_F64, RG_SHAPE(3, 4), y}};

    rg_params *ps = rg_params_new(2);
    rbf layer = {
        rg_param_new(ps, "centre", RG_F64, RG_SHAPE(2, 4), NULL),
        rg_param_new(ps, "scale", RG_F64, RG_SHAPE(2), NULL),
    };
    rg_init_normal(layer.centre, 0, 1);
    rg_init_uniform(layer.scale, 0.2, 0.5);
    const rg_gradcheck_config with_params = {.params = ps};

    rg_gradcheck_report r;
    bool right = report("smooth", rg_gradcheck(smooth, NULL, inputs, 2, NULL, &r), &r);
    right &= report("smooth, second order", rg_gradcheck2(smooth, NULL, inputs, 2, NULL, &r), &r);
    right &= report("rbf", rg_gradcheck(rbf_forward, &layer, inputs, 1, &with_params, &r), &r);
    right &= report("rbf, second order", rg_gradcheck2(rbf_forward, &layer, inputs, 1, &with_params, &r), &r);

    /* The Jacobian, element by element, also says where a gradient is wrong. */
    const rg_gradcheck_config jacobian = {.jacobian = true};
    const bool caught = !report("half forgotten", rg_gradcheck(half_forgotten, NULL, inputs, 1, &jacobian, &r), &r);
    printf("\nworst: input %d, element %lld: the tape says %.6f, differences say %.6f\n", r.input, (long long)r.index,
           r.analytic, r.numeric);
    printf("the rule of an op is to blame: %s\n", r.op[0] ? r.op : "none, so it is the function itself");

    rg_params_free(ps);
    return !right || !caught;
}
