/* What an initialiser does to the signal: 1000 random samples pass through 5 layers of 100 units, and the values behind each
 * layer are drawn as a histogram. All layers of a network share its range, from 0 to the largest value of any, and the scale of
 * its bars. Below it stand the share of zeros, which are not in it, the standard deviation of all values, and that of the
 * gradient that comes back to them. Too large weights saturate sigmoids: most of the derivatives are then nearly 0. Too small
 * ones make all units say the same. Xavier's deviation 1/sqrt(n) (Glorot and Bengio, AISTATS 2010) suits sigmoids; He's
 * sqrt(2/n) (He et al., ICCV 2015) makes up for the half that ReLU cuts off. */
#include "common.h"

#include <float.h>
#include <math.h>

enum { LAYERS = 5, UNITS = 100, BINS = 10, WIDTH = 13 };

typedef struct initialiser {
    const char *name;
    double std;
} initialiser;

static const initialiser initialisers[] = {
    {"std 1", 1},
    {"std 0.01", 0.01},
    {"Xavier, 1/sqrt(n)", 0.1},
    {"He, sqrt(2/n)", 0.14142135623730951},
};
enum { STD_1, STD_001, XAVIER, HE, INITIALISERS };

/* Of one network, layer by layer. */
typedef struct signal {
    double high;                 /* the end of the range: 1 for sigmoid, for ReLU the largest value        */
    double shares[LAYERS][BINS]; /* of a layer's values in each tenth of (0, high]                          */
    double zeros[LAYERS];        /* the share of those that are 0, which ReLU makes                        */
    double std[LAYERS];          /* of the values                                                          */
    double gradient[LAYERS];     /* of the gradient with respect to them                                   */
} signal;

/* ---- through the layers and back --------------------------------------------------------------------------------- */

static void read_layer(rg_tape *t, rg_tensor h, rg_tensor gradient, signal *s, int layer)
{
    const double all = (double)rg_shape_numel(rg_shape_of(t, h));
    double counts[BINS] = {0}, drawn = 0;
    rg_read(t, rg_cast(t, rg_histc(t, h, BINS, FLT_TRUE_MIN, s->high), RG_F64), counts, sizeof counts);
    for (int b = 0; b < BINS; b++) {
        drawn += counts[b];
        s->shares[layer][b] = counts[b] / all;
    }
    s->zeros[layer] = (all - drawn) / all;
    s->std[layer] = rg_item(t, rg_std(t, h, RG_ALL, 0, false));
    s->gradient[layer] = rg_item(t, rg_std(t, gradient, RG_ALL, 0, false));
}

static signal send(rg_tape *t, bool relu, double std, int64_t samples)
{
    signal s = {.high = relu ? 0 : 1};
    rg_tensor h[LAYERS], gradient[LAYERS] = {RG_NIL};
    rg_tape_reset(t);
    rg_tensor x = rg_randn(t, RG_F32, RG_SHAPE(samples, UNITS));
    for (int i = 0; i < LAYERS; i++) {
        const rg_tensor weight = rg_mul_scalar(t, rg_randn(t, RG_F32, RG_SHAPE(UNITS, UNITS)), std);
        const rg_tensor z = rg_affine(t, x, weight, RG_NIL);
        x = h[i] = relu ? rg_relu(t, z) : rg_sigmoid(t, z);
    }
    /* As though a loss asked for a random change of the last layer's values: deviation 1 there. */
    const rg_tensor cotangent = rg_randn_like(t, x);
    rg_grad_with(t, x, cotangent, h, LAYERS, gradient);
    for (int i = 0; i < LAYERS && relu; i++)
        s.high = fmax(s.high, rg_item(t, rg_max(t, h[i], RG_ALL, false)));
    for (int i = 0; i < LAYERS; i++)
        read_layer(t, h[i], gradient[i], &s, i);
    return s;
}

/* ---- what is printed --------------------------------------------------------------------------------------------- */

static void print_row(const char *name, const double value[LAYERS])
{
    printf("%-8s", name);
    for (int i = 0; i < LAYERS; i++)
        printf("  %-*.2g", WIDTH, value[i]);
    putchar('\n');
}

/* Each value of the range is in the row whose number is the next that is not below it. */
static void draw(const signal *s)
{
    static const char bar[WIDTH + 1] = "#############";
    double most = 1e-9;
    for (int i = 0; i < LAYERS; i++)
        for (int b = 0; b < BINS; b++)
            most = fmax(most, s->shares[i][b]);
    printf("a whole bar: %.1f %% of a layer's values\n%-8s", 100 * most, "up to");
    for (int i = 0; i < LAYERS; i++)
        printf("  layer %-*d", WIDTH - 6, i + 1);
    for (int b = BINS - 1; b >= 0; b--) {
        printf("\n%-8.3g", s->high * (b + 1) / BINS);
        for (int i = 0; i < LAYERS; i++)
            printf(" |%-*.*s", WIDTH, (int)ceil(s->shares[i][b] / most * WIDTH), bar);
    }
    putchar('\n');
    print_row("zeros", s->zeros);
    print_row("std", s->std);
    print_row("gradient", s->gradient);
    putchar('\n');
}

/* ---- what must be seen ------------------------------------------------------------------------------------------- */

/* The share of the values behind the last layer within 0.1 of 0 or of 1. */
static double saturated(const signal *s)
{
    const double *last = s->shares[LAYERS - 1];
    return last[0] + last[BINS - 1];
}

/* How much of the spread of the first layer arrives behind the last, and how much of the gradient behind the first. */
static double kept(const signal *s)
{
    return s->std[LAYERS - 1] / s->std[0];
}
static double returned(const signal *s)
{
    return s->gradient[0] / s->gradient[LAYERS - 1];
}

static bool expect(bool fact, const char *what)
{
    printf("%s  %s\n", fact ? "yes" : "NO ", what);
    return fact;
}

static bool judge(const signal sigmoid[INITIALISERS], const signal relu[INITIALISERS], const options *o)
{
    bool good = expect(saturated(&sigmoid[STD_1]) > 0.6, "sigmoid, std 1: most values stand at 0 or 1");
    good &= expect(sigmoid[STD_001].std[LAYERS - 1] < 0.03 && returned(&sigmoid[STD_001]) < 1e-4,
                   "sigmoid, std 0.01: all values are near to one half, and no gradient comes back");
    good &= expect(saturated(&sigmoid[XAVIER]) < 0.05 && returned(&sigmoid[XAVIER]) > 100 * returned(&sigmoid[STD_001]),
                   "sigmoid, Xavier: nothing is saturated, and 100 times as much gradient comes back");
    good &= expect(relu[STD_1].std[LAYERS - 1] > 1e3, "ReLU, std 1: values explode");
    good &= expect(relu[STD_001].std[LAYERS - 1] < 1e-4 && returned(&relu[STD_001]) < 1e-4,
                   "ReLU, std 0.01: values and gradients vanish");
    good &= expect(kept(&relu[XAVIER]) < 0.5, "ReLU, Xavier: values shrink from layer to layer");
    good &= expect(kept(&relu[HE]) >= o->require, "ReLU, He: the spread is the same in all layers");
    return good;
}

int main(int argc, char **argv)
{
    static const options full = {.epochs = 1, .seed = 1, .limit = 1000, .require = 0.6};
    static const options brief = {.epochs = 1, .seed = 1, .limit = 200, .require = 0.6};
    const options o = read_options(argc, argv,
                                   "Values and gradients in five layers, by initialiser. Samples: --limit.\n"
                                   "The result is the spread behind layer 5 by that behind layer 1, for ReLU and He.",
                                   &full, &brief);
    const int64_t samples = o.limit > 0 ? o.limit : full.limit;
    rg_params *none = rg_params_new(0);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.seed = (uint64_t)o.seed, .threads = (int)o.threads});
    signal signals[2][INITIALISERS];
    for (int relu = 0; relu < 2; relu++) {
        for (int i = 0; i < INITIALISERS; i++) {
            signals[relu][i] = send(t, relu, initialisers[i].std, samples);
            printf("%s, %s; ", relu ? "ReLU" : "sigmoid", initialisers[i].name);
            draw(&signals[relu][i]);
        }
    }
    const bool good = all_well(t, none) && judge(signals[0], signals[1], &o);
    rg_tape_free(t);
    rg_params_free(none);
    return good ? 0 : 1;
}
