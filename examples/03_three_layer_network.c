/* 3. A three-layer network with fixed weights, and what the tape knows about it.
 *
 *     x [1, 2] -> 3 neurons, sigmoid -> 2 neurons, sigmoid -> 2 outputs, no activation
 *
 * The weights are parameters: named values that outlive the tape, in a store of their own. */
#include <math.h>
#include <retrograd/retrograd.h>
#include <stdio.h>

/* x W + b; the scope gives the recorded nodes their place in the table below. */
static rg_tensor layer(rg_tape *t, const char *name, rg_tensor x, rg_param *weight, rg_param *bias)
{
    rg_scope_push(t, name);
    rg_tensor weighted = rg_matmul(t, x, rg_leaf(t, weight));
    rg_tensor y = rg_add(t, weighted, rg_leaf(t, bias));
    rg_scope_pop(t);
    return y;
}

int main(void)
{
    static const double W1[] = {.1, .3, .5, .2, .4, .6}, b1[] = {.1, .2, .3};
    static const double W2[] = {.1, .4, .2, .5, .3, .6}, b2[] = {.1, .2};
    static const double W3[] = {.1, .3, .2, .4}, b3[] = {.1, .2};

    rg_params *ps = rg_params_new(0);
    rg_param *w1 = rg_param_new(ps, "W1", RG_F64, RG_SHAPE(2, 3), W1);
    rg_param *w2 = rg_param_new(ps, "W2", RG_F64, RG_SHAPE(3, 2), W2);
    rg_param *w3 = rg_param_new(ps, "W3", RG_F64, RG_SHAPE(2, 2), W3);
    rg_param *c1 = rg_param_new(ps, "b1", RG_F64, RG_SHAPE(3), b1);
    rg_param *c2 = rg_param_new(ps, "b2", RG_F64, RG_SHAPE(2), b2);
    rg_param *c3 = rg_param_new(ps, "b3", RG_F64, RG_SHAPE(2), b3);

    rg_tape *t = rg_tape_new(NULL);
    rg_tensor x = rg_input_f64(t, RG_SHAPE(1, 2), (const double[]){1, .5});
    rg_tensor h1 = rg_sigmoid(t, layer(t, "layer1", x, w1, c1));
    rg_tensor h2 = rg_sigmoid(t, layer(t, "layer2", h1, w2, c2));
    rg_tensor y = layer(t, "layer3", h2, w3, c3);

    double out[2] = {0};
    rg_read(t, y, out, sizeof out);
    printf("y = [%.8f, %.8f]\n\n", out[0], out[1]);

    /* One line a node: what was recorded, from what, of which shape, and the values that are there by now. */
    rg_tape_print(t, stdout);

    const bool right = fabs(out[0] - 0.31682708) < 1e-8 && fabs(out[1] - 0.69627909) < 1e-8;
    const bool failed = rg_failed(t);
    if (failed)
        fprintf(stderr, "%s\n", rg_tape_error(t));
    rg_tape_free(t);
    rg_params_free(ps);
    return failed || !right;
}
