/* Cases of moving averages of weights, run and compared. */
#ifndef RG__TESTS_GOLDEN_AVERAGE_H
#define RG__TESTS_GOLDEN_AVERAGE_H

#include "account.h"
#include "steps.h"

/* What is averaged, in the order of the results. The parameters are the first inputs, then x and y. */
static const char *const AVERAGED[] = {"l1.weight", "l1.bias", "norm.weight",       "norm.bias",
                                       "l2.weight", "l2.bias", "norm.running_mean", "norm.running_var"};
enum { AVERAGED_PARAMS = 6, AVERAGED_X = AVERAGED_PARAMS, AVERAGED_Y };

/* 2 -> 3 -> 2 with batch norm, for the sake of its buffers. */
struct average_net {
    rg_params *ps;
    rg_linear l1, l2;
    rg_batch_norm_layer norm;
};

static struct average_net average_net_new(const struct golden_case *c)
{
    struct average_net net = {.ps = rg_params_new(1)};
    assert_non_null(net.ps);
    rg_params_set_dtype(net.ps, c->in[0].dtype);
    net.l1 = rg_linear_new(net.ps, "l1", 2, 3);
    net.norm = rg_batch_norm_layer_new(net.ps, "norm", 3, NULL);
    net.l2 = rg_linear_new(net.ps, "l2", 3, 2);
    for (int i = 0; i < AVERAGED_PARAMS; i++) {
        rg_param *const p = rg_params_find(net.ps, AVERAGED[i]);
        if (p == NULL || !rg_param_set(p, c->in[i].data, c->in[i].count * rg_dtype_size(c->in[i].dtype)))
            fail_msg("%s %s: %s: %s", c->key, c->variant, AVERAGED[i], rg_params_error(net.ps));
    }
    return net;
}

static rg_tensor average_loss(rg_tape *t, const struct average_net *net, const struct golden_case *c)
{
    const struct golden_array *const in = c->in;
    const rg_tensor x = rg_input(t, in[AVERAGED_X].dtype, in[AVERAGED_X].shape, in[AVERAGED_X].data);
    const rg_tensor y = rg_input(t, in[AVERAGED_Y].dtype, in[AVERAGED_Y].shape, in[AVERAGED_Y].data);
    const rg_tensor h = rg_batch_norm_layer_forward(t, &net->norm, rg_tanh(t, rg_linear_forward(t, &net->l1, x)));
    return rg_mse_loss(t, rg_linear_forward(t, &net->l2, h), y, RG_MEAN);
}

static rg_param *average_of(rg_params *ps, int i)
{
    char name[64];
    snprintf(name, sizeof name, "%s/average", AVERAGED[i]);
    return rg_params_find(ps, name);
}

/* Puts the averages after a step where the results have them. */
static void average_note(const struct golden_case *c, rg_params *ps, int step, char *const *series, int averages)
{
    for (int i = 0; i < averages; i++) {
        const struct golden_array *const expected = &c->out[1 + i];
        const size_t bytes = expected->count / TRAIN_STEPS * rg_dtype_size(expected->dtype);
        const rg_param *const p = average_of(ps, i);
        if (p == NULL || rg_param_dtype(p) != expected->dtype ||
            (size_t)rg_param_numel(p) * TRAIN_STEPS != expected->count)
            fail_msg("%s %s: %s has no average, or one of another size", c->key, c->variant, AVERAGED[i]);
        memcpy(series[i] + (size_t)step * bytes, rg_param_data(p), bytes);
    }
}

/* The losses in evaluation: with the averages swapped in, and with the weights again. */
static void average_evaluate(struct account *a, const struct average_net *net, rg_average *average, rg_tape *t,
                             double *losses)
{
    for (int k = 0; k < 2; k++) {
        rg_average_swap(average, t);
        if (rg_average_swapped(average) != (k == 0))
            wrong(a, "averages", "are %s after %d swaps", k == 0 ? "not swapped in" : "swapped in", k + 1);
        rg_set_training(t, false);
        put_number(&a->c->out[a->c->outs - 1], losses, k, rg_item(t, average_loss(t, net, a->c)));
        rg_tape_reset(t);
    }
}

static void check_average_once(struct account *a, const struct entry *e)
{
    const struct golden_case *const c = a->c;
    const int averages = c->outs - 2;
    struct average_net net = average_net_new(c);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.eager = a->eager});
    rg_optim *opt = rg_sgd_new(net.ps, &(rg_sgd_config){.lr = 0.1, .momentum = 0.8});
    rg_average *average = e->average(net.ps);
    assert_non_null(t);
    assert_non_null(opt);
    assert_non_null(average);
    double losses[TRAIN_STEPS], evaluated[2];
    char *series[COUNT(AVERAGED)] = {NULL};
    for (int i = 0; i < averages; i++) {
        series[i] = calloc(c->out[1 + i].count, rg_dtype_size(c->out[1 + i].dtype));
        assert_non_null(series[i]);
    }
    for (int step = 0; step < TRAIN_STEPS; step++) {
        const rg_tensor loss = average_loss(t, &net, c);
        rg_backward(t, loss);
        rg_optim_update(opt, t); /* with what follows: rg_optim_step */
        rg_params_clear_grads(t, net.ps);
        rg_average_update(average, t);
        put_number(&c->out[0], losses, step, rg_item(t, loss));
        rg_tape_reset(t);
        average_note(c, net.ps, step, series, averages);
    }
    for (int i = averages; i < COUNT(AVERAGED); i++)
        if (average_of(net.ps, i) != NULL)
            wrong(a, AVERAGED[i], "has an average");
    average_evaluate(a, &net, average, t, evaluated);
    if (rg_failed(t)) {
        wrong(a, "training", "failed: %s", rg_tape_error(t));
    } else {
        compare(a, "losses", &c->out[0], losses);
        for (int i = 0; i < averages; i++)
            compare(a, AVERAGED[i], &c->out[1 + i], series[i]);
        compare(a, "losses in evaluation", &c->out[c->outs - 1], evaluated);
    }
    for (int i = 0; i < averages; i++)
        free(series[i]);
    rg_average_free(average);
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(net.ps);
}

static void check_average(struct account *a, const struct entry *e)
{
    const struct golden_case *const c = a->c;
    assert_true(c->inputs == AVERAGED_Y + 1);
    assert_true(c->outs == 2 + AVERAGED_PARAMS || c->outs == 2 + COUNT(AVERAGED));
    assert_true(c->out[0].count == TRAIN_STEPS && c->out[c->outs - 1].count == 2);
    for (int i = 1; i + 1 < c->outs; i++)
        assert_true(c->out[i].shape.dims[0] == TRAIN_STEPS);
    a->layout = PARAMETERS;
    for (int eager = 0; eager < 2; eager++) {
        a->eager = eager != 0;
        check_average_once(a, e);
    }
}

#endif
