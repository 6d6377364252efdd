/* 2. Perceptron gates. One neuron fires when w1 x1 + w2 x2 + b > 0, which is enough for AND, OR and NAND. No line parts
 * the two classes of XOR, so no single neuron is XOR; but XOR is AND of (NAND, OR): two layers. */
#include <retrograd/retrograd.h>
#include <stdio.h>

/* x [n, 2] of zeros and ones -> [n, 1] of zeros and ones */
static rg_tensor neuron(rg_tape *t, rg_tensor x, float w1, float w2, float b)
{
    rg_tensor weight = rg_input_f32(t, RG_SHAPE(1, 2), (const float[]){w1, w2});
    rg_tensor bias = rg_input_f32(t, RG_SHAPE(1), (const float[]){b});
    rg_tensor fires = rg_gt(t, rg_affine(t, x, weight, bias), rg_constant(t, RG_F32, 0));
    return rg_cast(t, fires, RG_F32);
}

static rg_tensor gate_and(rg_tape *t, rg_tensor x)
{
    return neuron(t, x, 0.5f, 0.5f, -0.7f);
}

static rg_tensor gate_nand(rg_tape *t, rg_tensor x)
{
    return neuron(t, x, -0.5f, -0.5f, 0.7f);
}

static rg_tensor gate_or(rg_tape *t, rg_tensor x)
{
    return neuron(t, x, 0.5f, 0.5f, -0.2f);
}

static rg_tensor gate_xor(rg_tape *t, rg_tensor x)
{
    rg_tensor hidden[] = {gate_nand(t, x), gate_or(t, x)};
    return gate_and(t, rg_cat(t, hidden, 2, -1));
}

int main(void)
{
    static const float inputs[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    static const struct {
        const char *name;
        rg_tensor (*gate)(rg_tape *, rg_tensor);
        float expected[4];
    } gates[] = {
        {"AND", gate_and, {0, 0, 0, 1}},
        {"OR", gate_or, {0, 1, 1, 1}},
        {"NAND", gate_nand, {1, 1, 1, 0}},
        {"XOR", gate_xor, {0, 1, 1, 0}},
    };
    int wrong = 0;
    rg_tape *t = rg_tape_new(NULL);
    rg_tensor x = rg_input_f32(t, RG_SHAPE(4, 2), &inputs[0][0]); /* all four cases at once */

    printf("x1 x2   00 01 10 11\n");
    for (int i = 0; i < 4; i++) {
        const float *out = rg_data_f32(t, gates[i].gate(t, x));
        if (!out)
            break;
        printf("%-5s  %3g%3g%3g%3g\n", gates[i].name, out[0], out[1], out[2], out[3]);
        for (int row = 0; row < 4; row++)
            wrong += out[row] != gates[i].expected[row];
    }
    const bool failed = rg_failed(t);
    if (failed)
        fprintf(stderr, "%s\n", rg_tape_error(t));
    rg_tape_free(t);
    return failed || wrong > 0;
}
