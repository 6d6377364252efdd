/* What the tests of optimizers and clipping share: a model of two parameters whose gradients are given numbers. */
#ifndef RG__TESTS_OPTIM_SUPPORT_H
#define RG__TESTS_OPTIM_SUPPORT_H

#include "nn_support.h"

enum { WS = 3, BS = 4 };
static const double W0[WS] = {0.5, -1.5, 2}, B0[BS] = {1, 0.25, -0.75, -2};

static inline double gradient_at(int step, int index)
{
    return 1.5 * sin(1.7 * step + 0.9 * index + 0.3);
}

/* Adds sum(p gradient(step)) to the loss: the gradient of p is then what gradient_at says. */
static inline rg_tensor add_term(rg_tape *t, rg_tensor loss, rg_param *p, int step, int first)
{
    double g[BS];
    for (int i = 0; i < BS; i++)
        g[i] = gradient_at(step, first + i);
    const rg_tensor weight = rg_cast(t, rg_input_f64(t, rg_param_shape(p), g), rg_param_dtype(p));
    return rg_add(t, loss, rg_sum(t, rg_mul(t, rg_leaf(t, p), weight), RG_ALL, false));
}

typedef struct model {
    rg_params *ps;
    rg_param *w, *b;
} model;

static inline rg_param *param_of(rg_params *ps, const char *name, rg_dtype dtype, rg_shape shape, const double *values)
{
    float single[BS];
    const int64_t n = rg_shape_numel(shape);
    for (int64_t i = 0; i < n; i++)
        single[i] = (float)values[i];
    return rg_param_new(ps, name, dtype, shape, dtype == RG_F32 ? (const void *)single : values);
}

static inline model model_new(rg_dtype dtype)
{
    model m = {.ps = rg_params_new(1)};
    rg_params_set_dtype(m.ps, dtype);
    m.w = param_of(m.ps, "w", dtype, RG_SHAPE(WS), W0);
    m.b = param_of(m.ps, "b", dtype, RG_SHAPE(2, BS / 2), B0);
    assert_string_equal(rg_params_error(m.ps), "");
    return m;
}

static inline void model_free(model m)
{
    rg_tape_reset(tape);
    rg_params_free(m.ps);
}

static inline double value_at(const rg_param *p, int i)
{
    const void *data = rg_param_data(p);
    return rg_param_dtype(p) == RG_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

static inline void backward_of(rg_tape *t, model m, int step, bool with_b)
{
    rg_tensor loss = rg_constant(t, rg_param_dtype(m.w), 0);
    loss = add_term(t, loss, m.w, step, 0);
    if (with_b)
        loss = add_term(t, loss, m.b, step, 10);
    rg_backward(t, loss);
}

#endif
