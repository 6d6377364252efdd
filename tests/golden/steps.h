/* Cases of optimizers, initialisers and plain numbers, run and compared. */
#ifndef RG__TESTS_GOLDEN_STEPS_H
#define RG__TESTS_GOLDEN_STEPS_H

#include "account.h"

/* ---- optimizers: 20 steps of a small network --------------------------------------------------------------------- */

enum { W1, B1, W2, B2, U, NET_PARAMS, NET_X = NET_PARAMS, NET_Y };
#define TRAIN_STEPS 20

struct net {
    rg_params *ps;
    rg_linear l1, l2;
    rg_param *p[NET_PARAMS];
};

/* 3 -> 4 -> 2, and a parameter u that takes no part, or only now and then. */
static struct net net_new(const struct golden_case *c)
{
    struct net net = {.ps = rg_params_new(1)};
    assert_non_null(net.ps);
    rg_params_set_dtype(net.ps, c->in[W1].dtype);
    net.l1 = rg_linear_new(net.ps, "l1", 3, 4);
    net.l2 = rg_linear_new(net.ps, "l2", 4, 2);
    net.p[W1] = net.l1.weight;
    net.p[B1] = net.l1.bias;
    net.p[W2] = net.l2.weight;
    net.p[B2] = net.l2.bias;
    net.p[U] = rg_param_new(net.ps, "u", c->in[U].dtype, c->in[U].shape, NULL);
    for (int i = 0; i < NET_PARAMS; i++)
        if (!rg_param_set(net.p[i], c->in[i].data, c->in[i].count * rg_dtype_size(c->in[i].dtype)))
            fail_msg("%s %s input %d: %s", c->key, c->variant, i, rg_params_error(net.ps));
    return net;
}

static rg_tensor net_loss(rg_tape *t, const struct net *net, const struct golden_case *c, bool with_u)
{
    const struct golden_array *const in = c->in;
    const rg_tensor x = rg_input(t, in[NET_X].dtype, in[NET_X].shape, in[NET_X].data);
    const rg_tensor y = rg_input(t, in[NET_Y].dtype, in[NET_Y].shape, in[NET_Y].data);
    const rg_tensor h = rg_tanh(t, rg_linear_forward(t, &net->l1, x));
    const rg_tensor loss = rg_mse_loss(t, rg_linear_forward(t, &net->l2, h), y, RG_MEAN);
    if (!with_u)
        return loss;
    const rg_tensor u = rg_add_scalar(t, rg_leaf(t, net->p[U]), -1);
    return rg_add(t, loss, rg_sum(t, rg_square(t, u), RG_ALL, false));
}

static void put_number(const struct golden_array *like, void *data, int index, double value)
{
    if (like->dtype == RG_F64)
        ((double *)data)[index] = value;
    else
        ((float *)data)[index] = (float)value;
}

struct closure {
    const struct net *net;
    const struct golden_case *c;
};

static rg_tensor closure_loss(rg_tape *t, void *user)
{
    const struct closure *const closure = user;
    return net_loss(t, closure->net, closure->c, false);
}

static void check_optim_once(struct account *a, const struct entry *e)
{
    const struct golden_case *const c = a->c;
    struct net net = net_new(c);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.eager = a->eager});
    rg_optim *opt = e->create(net.ps);
    assert_non_null(t);
    assert_non_null(opt);
    double losses[TRAIN_STEPS], norms[TRAIN_STEPS];
    for (int step = 0; step < TRAIN_STEPS; step++) {
        rg_tensor loss = RG_NIL;
        if (e->backwards == 0) {
            struct closure closure = {&net, c};
            put_number(&c->out[0], losses, step, rg_lbfgs_step(opt, t, closure_loss, &closure));
            continue;
        }
        for (int n = 0; n < e->backwards; n++) {
            loss = net_loss(t, &net, c, e->sometimes && step % 2 == 0);
            rg_backward(t, loss);
        }
        const rg_tensor norm = e->before(t, net.ps, opt, step);
        rg_optim_step(opt, t);
        put_number(&c->out[0], losses, step, rg_item(t, loss));
        put_number(&c->out[0], norms, step, rg_is_nil(norm) ? NAN : rg_item(t, norm));
        rg_tape_reset(t);
    }
    if (rg_failed(t)) {
        wrong(a, "training", "failed: %s", rg_tape_error(t));
    } else {
        compare(a, "losses", &c->out[0], losses);
        for (int i = 0; i < NET_PARAMS; i++)
            compare(a, rg_param_name(net.p[i]), &c->out[1 + i], rg_param_data(net.p[i]));
        if (c->outs == NET_PARAMS + 2)
            compare(a, "norms", &c->out[NET_PARAMS + 1], norms);
    }
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(net.ps);
}

static void check_optim(struct account *a, const struct entry *e)
{
    assert_true(a->c->inputs == NET_Y + 1 && a->c->outs >= NET_PARAMS + 1 && a->c->out[0].count == TRAIN_STEPS);
    a->layout = PARAMETERS;
    for (int eager = 0; eager < 2; eager++) {
        a->eager = eager != 0;
        check_optim_once(a, e);
    }
}

/* ---- initialisers and plain numbers ------------------------------------------------------------------------------ */

/* The values keep to the bounds and reach them nearly; mean and spread are what so many draws give. */
static void check_init_once(struct account *a, const struct entry *e, rg_dtype dtype)
{
    rg_params *ps = rg_params_new(3);
    assert_non_null(ps);
    rg_params_set_dtype(ps, dtype);
    const int64_t *const dims = a->c->in[0].data;
    rg_shape shape = {.rank = (int)a->c->in[0].count};
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = dims[i];
    const rg_param *const p = e->init(ps, rg_param_new(ps, "p", dtype, shape, NULL));
    const double *const expected = a->c->out[0].data, low = expected[0], high = expected[1], std = expected[2];
    if (p == NULL || rg_params_status(ps) != RG_OK || !rg_shape_equal(rg_param_shape(p), shape)) {
        wrong(a, "parameter", "failed: %s", rg_params_error(ps));
        rg_params_free(ps);
        return;
    }
    const double n = (double)rg_param_numel(p);
    double least = INFINITY, most = -INFINITY, sum = 0, squares = 0;
    for (int64_t i = 0; i < rg_param_numel(p); i++) {
        const double v = golden_value(dtype, rg_param_data(p), (size_t)i);
        least = fmin(least, v);
        most = fmax(most, v);
        sum += v;
        squares += v * v;
    }
    const double middle = isinf(low) ? 0 : (low + high) / 2, mean = sum / n;
    const double spread = sqrt(fmax(0, squares / n - mean * mean)), slack = 1e-6 * fabs(high - low);
    a->compared += rg_param_numel(p);
    if (!isinf(low) && (least < low - slack || most > high + slack || least > low + 0.01 * (high - low) ||
                        most < high - 0.01 * (high - low)))
        wrong(a, "bounds", "values in [%g, %g], PyTorch's bounds are [%g, %g]", least, most, low, high);
    if (fabs(mean - middle) > 5 * std / sqrt(n))
        wrong(a, "mean", "is %g instead of %g", mean, middle);
    if (fabs(spread - std) > 0.02 * std + 1e-9)
        wrong(a, "standard deviation", "is %g, PyTorch's is %g", spread, std);
    rg_params_free(ps);
}

static void check_init(struct account *a, const struct entry *e)
{
    a->layout = PARAMETERS;
    check_init_once(a, e, RG_F64);
    check_init_once(a, e, RG_F32);
}

static void check_scalar(struct account *a, const struct entry *e)
{
    double values[64];
    assert_true(a->c->out[0].count <= 64);
    if (strcmp(a->c->key, "gain") != 0 && a->c->out[0].count < TRAIN_STEPS)
        wrong(a, "file", "has %zu steps, schedules are compared over %d", a->c->out[0].count, TRAIN_STEPS);
    for (size_t i = 0; i < a->c->out[0].count; i++)
        values[i] = e->scalar((int64_t)i);
    compare(a, "value", &a->c->out[0], values);
}

#endif
