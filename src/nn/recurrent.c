/* Recurrent layers: the walk over steps, layers and directions. The step of each kind is in cell.c. */
#include "cell.h"
#include "check.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- making ------------------------------------------------------------------------------------------------------ */

/* The parameter "what_l1_reverse", uniform within the bound. */
static rg_param *make(rg_params *ps, const char *what, int layer, bool reverse, rg_shape shape, double bound)
{
    char name[64];
    snprintf(name, sizeof name, "%s_l%d%s", what, layer, reverse ? "_reverse" : "");
    rg_param *p = rg_param_new(ps, name, rg_params_dtype(ps), shape, NULL);
    rg_init_uniform(p, -bound, bound);
    return p;
}

static rg_recurrent_weights make_weights(rg_params *ps, const rg_recurrent *r, int layer, bool reverse, bool bias)
{
    const int64_t rows = rg__gates(r->kind) * r->hidden, in = layer == 0 ? r->in : r->directions * r->out;
    const double bound = 1 / sqrt((double)r->hidden);
    rg_recurrent_weights w = {0};
    w.weight_ih = make(ps, "weight_ih", layer, reverse, RG_SHAPE(rows, in), bound);
    w.weight_hh = make(ps, "weight_hh", layer, reverse, RG_SHAPE(rows, r->out), bound);
    if (bias) {
        w.bias_ih = make(ps, "bias_ih", layer, reverse, RG_SHAPE(rows), bound);
        w.bias_hh = make(ps, "bias_hh", layer, reverse, RG_SHAPE(rows), bound);
    }
    if (r->out != r->hidden)
        w.weight_hr = make(ps, "weight_hr", layer, reverse, RG_SHAPE(r->out, r->hidden), bound);
    return w;
}

/* Is there anything that the layer cannot be? */
static bool refused(rg_params *ps, const char *function, rg_recurrent_kind kind, int64_t in, int64_t hidden,
                    const rg_recurrent_config *c)
{
    if (in < 0 || hidden < 1 || hidden > INT64_MAX / 8)
        rg_params_fail(ps, RG_ERROR_ARGUMENT,
                       "%s: %" PRId64 " inputs and %" PRId64 " hidden; at least 0 and 1 are needed, and %" PRId64
                       " hidden at most",
                       function, in, hidden, INT64_MAX / 8);
    else if (c->layers < 0 || c->layers > RG_RECURRENT_LAYERS)
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "%s: %d layers; 1 to %d are allowed", function, c->layers,
                       (int)RG_RECURRENT_LAYERS);
    else if (!(c->dropout >= 0 && c->dropout <= 1))
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "%s: dropout is %g; it must be in [0, 1]", function, c->dropout);
    else if (c->proj_size != 0 && (kind != RG_LSTM || c->proj_size < 0 || c->proj_size >= hidden))
        rg_params_fail(ps, RG_ERROR_ARGUMENT,
                       "%s: proj_size is %" PRId64 "; it is for an LSTM, and less than its %" PRId64 " hidden",
                       function, c->proj_size, hidden);
    else if (c->relu && kind != RG_RNN_RELU)
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "%s: relu is for an RNN", function);
    else
        return false;
    return true;
}

static rg_recurrent make_layer(rg_params *ps, const char *function, const char *name, rg_recurrent_kind kind,
                               int64_t in, int64_t hidden, const rg_recurrent_config *config)
{
    const rg_recurrent_config c = config != NULL ? *config : (rg_recurrent_config){0};
    rg_recurrent r = {.kind = kind,
                      .layers = c.layers != 0 ? c.layers : 1,
                      .directions = c.bidirectional ? 2 : 1,
                      .in = in,
                      .hidden = hidden,
                      .out = c.proj_size != 0 ? c.proj_size : hidden,
                      .batch_first = c.batch_first,
                      .dropout = c.dropout,
                      .name = rg__layer_open(ps, function, name)};
    if (r.name == NULL)
        return r;
    if (!refused(ps, function, kind, in, hidden, &c))
        for (int layer = 0; layer < r.layers; layer++)
            for (int d = 0; d < r.directions; d++)
                r.part[layer][d] = make_weights(ps, &r, layer, d > 0, !c.no_bias);
    rg_params_scope_pop(ps);
    /* A layer that lacks a part must not pass for one that has none. */
    if (rg_params_status(ps) != RG_OK)
        r.part[0][0].weight_ih = NULL;
    return r;
}

rg_rnn rg_rnn_new(rg_params *ps, const char *name, int64_t in, int64_t hidden, const rg_recurrent_config *config)
{
    const rg_recurrent_kind kind = config != NULL && config->relu ? RG_RNN_RELU : RG_RNN_TANH;
    return make_layer(ps, "rnn_new", name, kind, in, hidden, config);
}

rg_gru rg_gru_new(rg_params *ps, const char *name, int64_t in, int64_t hidden, const rg_recurrent_config *config)
{
    return make_layer(ps, "gru_new", name, RG_GRU, in, hidden, config);
}

rg_lstm rg_lstm_new(rg_params *ps, const char *name, int64_t in, int64_t hidden, const rg_recurrent_config *config)
{
    return make_layer(ps, "lstm_new", name, RG_LSTM, in, hidden, config);
}

/* ---- what comes in ----------------------------------------------------------------------------------------------- */

/* A layer at work on sequences [T, B, in]. */
typedef struct walk {
    rg_tape *t;
    const rg_recurrent *layer;
    int64_t steps, batch;
    rg_tensor h, c;  /* the states at first, [layers D, B, ..]; nil: 0       */
    rg_tensor mask;  /* [T, B, 1]; nil: all steps count                      */
    rg_tensor *step; /* room for one tensor a step                           */
    rg_tensor *on;   /* the mask of each step, [B, 1]; not used without mask */
} walk;

static const char *const FUNCTION = "recurrent_forward";

static bool has_shape(rg_tape *t, const char *name, rg_tensor x, rg_shape expected)
{
    if (rg_is_nil(x))
        return true;
    const rg_shape shape = rg_shape_of(t, x);
    if (!rg_failed(t) && !rg_shape_equal(shape, expected))
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: %s is %s; %s is needed", FUNCTION, name, RG__SHAPE_TEXT(shape),
                     RG__SHAPE_TEXT(expected));
    return !rg_failed(t);
}

/* x as [T, B, in]; *single says that it was [T, in]. Nil on error. */
static rg_tensor sequences(rg_tape *t, const rg_recurrent *layer, rg_tensor x, bool *single)
{
    if (!rg__check_float(t, FUNCTION, "x", x))
        return RG_NIL;
    const rg_dtype dtype = rg_param_dtype(layer->part[0][0].weight_ih);
    if (rg_dtype_of(t, x) != dtype) {
        rg_tape_fail(t, RG_ERROR_DTYPE, "%s: x is %s; the weights are %s", FUNCTION, rg_dtype_name(rg_dtype_of(t, x)),
                     rg_dtype_name(dtype));
        return RG_NIL;
    }
    const rg_shape shape = rg_shape_of(t, x);
    *single = shape.rank == 2;
    const int time = layer->batch_first && shape.rank == 3 ? 1 : 0;
    if ((shape.rank != 2 && shape.rank != 3) || shape.dims[shape.rank - 1] != layer->in || shape.dims[time] < 1) {
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: x is %s; [%s, %" PRId64 "] or [T, %" PRId64 "] is needed, T 1 or more",
                     FUNCTION, RG__SHAPE_TEXT(shape), layer->batch_first ? "B, T" : "T, B", layer->in, layer->in);
        return RG_NIL;
    }
    if (*single)
        return rg_unsqueeze(t, x, 1);
    return layer->batch_first ? rg_transpose(t, x, 0, 1) : x;
}

/* The first states, [layers D, B, extent]. */
static rg_tensor first_states(walk *w, const char *name, rg_tensor x, int64_t extent, bool single)
{
    rg_tape *t = w->t;
    if (rg_is_nil(x))
        return x;
    const rg_dtype dtype = rg_param_dtype(w->layer->part[0][0].weight_ih);
    if (rg_dtype_of(t, x) != dtype) {
        rg_tape_fail(t, RG_ERROR_DTYPE, "%s: %s is %s; the weights are %s", FUNCTION, name,
                     rg_dtype_name(rg_dtype_of(t, x)), rg_dtype_name(dtype));
        return RG_NIL;
    }
    const int64_t parts = (int64_t)w->layer->layers * w->layer->directions;
    const rg_shape shape = single ? RG_SHAPE(parts, extent) : RG_SHAPE(parts, w->batch, extent);
    if (!has_shape(t, name, x, shape))
        return RG_NIL;
    return single ? rg_unsqueeze(t, x, 1) : x;
}

/* Which steps count: bool [T, B, 1], or nil for all. */
static rg_tensor mask_of(walk *w, const rg_recurrent_given *given, bool single)
{
    rg_tape *t = w->t;
    rg_tensor mask = given->mask;
    if (!rg_is_nil(given->lengths)) {
        const rg_dtype dtype = rg_dtype_of(t, given->lengths);
        if (!rg_is_nil(mask))
            rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: there are lengths and a mask; one of them is needed", FUNCTION);
        else if (dtype != RG_I64 && dtype != RG_I32)
            rg_tape_fail(t, RG_ERROR_DTYPE, "%s: lengths is %s; it must be i64 or i32", FUNCTION, rg_dtype_name(dtype));
        if (!has_shape(t, "lengths", given->lengths, single ? (rg_shape){0} : RG_SHAPE(w->batch)))
            return RG_NIL;
        const rg_tensor number = rg_arange(t, dtype, 0, (double)w->steps, 1);
        mask = rg_lt(t, rg_unsqueeze(t, number, 1), rg_reshape(t, given->lengths, RG_SHAPE(1, w->batch)));
    } else if (!rg_is_nil(mask)) {
        const bool turned = w->layer->batch_first && !single;
        if (rg_dtype_of(t, mask) != RG_BOOL)
            rg_tape_fail(t, RG_ERROR_DTYPE, "%s: mask is %s; it must be bool", FUNCTION,
                         rg_dtype_name(rg_dtype_of(t, mask)));
        if (!has_shape(t, "mask", mask,
                       single   ? RG_SHAPE(w->steps)
                       : turned ? RG_SHAPE(w->batch, w->steps)
                                : RG_SHAPE(w->steps, w->batch)))
            return RG_NIL;
        mask = turned ? rg_transpose(t, mask, 0, 1) : single ? rg_unsqueeze(t, mask, 1) : mask;
    }
    return rg_is_nil(mask) ? mask : rg_unsqueeze(t, mask, 2);
}

/* ---- the walk ---------------------------------------------------------------------------------------------------- */

/* Steps joined along a new axis; so many that no join is too long. */
static rg_tensor join(rg_tape *t, rg_tensor *x, int64_t count, int axis)
{
    enum { MOST = 65535 };
    for (int64_t i = 0; i < count; i++)
        x[i] = rg_unsqueeze(t, x[i], axis);
    while (count > 1) {
        int64_t parts = 0;
        for (int64_t i = 0; i < count; i += MOST)
            x[parts++] = rg_cat(t, x + i, (int)(count - i < MOST ? count - i : MOST), axis);
        count = parts;
    }
    return x[0];
}

static rg__recurrent_tensors leaves(rg_tape *t, const rg_recurrent_weights *p)
{
    return (rg__recurrent_tensors){
        .weight_ih = rg_leaf(t, p->weight_ih),
        .weight_hh = rg_leaf(t, p->weight_hh),
        .bias_ih = p->bias_ih != NULL ? rg_leaf(t, p->bias_ih) : RG_NIL,
        .bias_hh = p->bias_hh != NULL ? rg_leaf(t, p->bias_hh) : RG_NIL,
        .weight_hr = p->weight_hr != NULL ? rg_leaf(t, p->weight_hr) : RG_NIL,
    };
}

/* State `at` of those given, or zeros. */
static rg_tensor state_at(const walk *w, rg_tensor states, int at, rg_tensor like, int64_t extent)
{
    if (!rg_is_nil(states))
        return rg_select(w->t, states, 0, at);
    return rg_zeros(w->t, rg_dtype_of(w->t, like), RG_SHAPE(w->batch, extent));
}

/* One direction of one layer over x [T, B, ..]: the outputs [T, B, P], joined along `axis`, and the states at last. */
static rg_tensor run_part(const walk *w, const rg_recurrent_weights *part, rg_tensor x, int at, bool reverse, int axis,
                          rg_lstm_state *last)
{
    rg_tape *t = w->t;
    const rg_recurrent *layer = w->layer;
    const rg__recurrent_tensors weights = leaves(t, part);
    rg__cell cell = rg__cell_of(t, layer->kind, &weights);
    const rg_tensor projected = rg__cell_inputs(t, &cell, x);
    rg_lstm_state s = {state_at(w, w->h, at, x, layer->out), RG_NIL};
    if (layer->kind == RG_LSTM)
        s.c = state_at(w, w->c, at, x, layer->hidden);
    if (rg_failed(t) || rg_unbind(t, projected, 0, w->step, (int)w->steps) == 0)
        return RG_NIL;
    const rg_tensor zero = rg_is_nil(w->mask) ? RG_NIL : rg_constant(t, rg_dtype_of(t, x), 0);
    for (int64_t i = 0; i < w->steps && !rg_failed(t); i++) {
        const int64_t now = reverse ? w->steps - 1 - i : i;
        rg_lstm_state next = rg__cell_step(t, &cell, w->step[now], s);
        w->step[now] = next.h;
        if (!rg_is_nil(w->mask)) {
            w->step[now] = rg_where(t, w->on[now], next.h, zero);
            next.h = rg_where(t, w->on[now], next.h, s.h);
            next.c = layer->kind == RG_LSTM ? rg_where(t, w->on[now], next.c, s.c) : RG_NIL;
        }
        s = next;
    }
    *last = s;
    return rg_failed(t) ? RG_NIL : join(t, w->step, w->steps, axis);
}

/* All layers over x [T, B, in]. */
static rg_recurrent_result run_layers(const walk *w, rg_tensor x)
{
    rg_tape *t = w->t;
    const rg_recurrent *layer = w->layer;
    rg_tensor h[2 * RG_RECURRENT_LAYERS], c[2 * RG_RECURRENT_LAYERS];
    int parts = 0;
    for (int l = 0; l < layer->layers; l++) {
        const bool top = l + 1 == layer->layers;
        rg_tensor out[2];
        for (int d = 0; d < layer->directions; d++, parts++) {
            rg_lstm_state last = {RG_NIL, RG_NIL};
            out[d] = run_part(w, &layer->part[l][d], x, parts, d > 0, top && layer->batch_first ? 1 : 0, &last);
            h[parts] = last.h;
            c[parts] = last.c;
        }
        x = layer->directions > 1 ? rg_cat(t, out, 2, -1) : out[0];
        if (!top && layer->dropout > 0 && !rg_failed(t))
            x = rg_dropout(t, x, layer->dropout, rg_training(t));
    }
    if (rg_failed(t))
        return (rg_recurrent_result){0};
    return (rg_recurrent_result){x, rg_stack(t, h, parts, 0), layer->kind == RG_LSTM ? rg_stack(t, c, parts, 0) : RG_NIL};
}

static rg_recurrent_result forward(walk *w, rg_tensor x, const rg_recurrent_given *given)
{
    static const rg_recurrent_result none = {0};
    rg_tape *t = w->t;
    bool single = false;
    x = sequences(t, w->layer, x, &single);
    if (rg_failed(t))
        return none;
    w->steps = rg_dim(t, x, 0);
    w->batch = rg_dim(t, x, 1);
    if (!rg_is_nil(given->c) && w->layer->kind != RG_LSTM)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: there is a state c; only an LSTM has one", FUNCTION);
    w->h = first_states(w, "h", given->h, w->layer->out, single);
    w->c = first_states(w, "c", given->c, w->layer->hidden, single);
    w->mask = mask_of(w, given, single);
    if (rg_failed(t))
        return none;
    w->step = w->steps < INT_MAX / 2 ? calloc((size_t)w->steps * 2, sizeof *w->step) : NULL;
    if (w->step == NULL) {
        rg_tape_fail(t, RG_ERROR_MEMORY, "%s: no memory for %" PRId64 " steps", FUNCTION, w->steps);
        return none;
    }
    w->on = w->step + w->steps;
    if (!rg_is_nil(w->mask)) {
        rg_unbind(t, w->mask, 0, w->on, (int)w->steps);
        x = rg_where(t, w->mask, x, rg_constant(t, rg_dtype_of(t, x), 0)); /* what is there may be NaN */
    }
    rg_recurrent_result result = rg_failed(t) ? none : run_layers(w, x);
    if (single && !rg_failed(t))
        result = (rg_recurrent_result){rg_squeeze(t, result.output, RG_AXES(w->layer->batch_first ? 0 : 1)),
                                       rg_squeeze(t, result.h, RG_AXES(1)),
                                       rg_is_nil(result.c) ? RG_NIL : rg_squeeze(t, result.c, RG_AXES(1))};
    free(w->step);
    return result;
}

rg_recurrent_result rg_recurrent_forward(rg_tape *t, const rg_recurrent *layer, rg_tensor x,
                                         const rg_recurrent_given *given)
{
    if (layer == NULL) {
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: the layer is NULL", FUNCTION);
        return (rg_recurrent_result){0};
    }
    if (layer->part[0][0].weight_ih == NULL) {
        rg_tape_fail(t, RG_ERROR_STATE, "%s: layer '%s' has no weights: see the error of its store", FUNCTION,
                     layer->name != NULL ? layer->name : "");
        return (rg_recurrent_result){0};
    }
    if (layer->layers < 1 || layer->layers > RG_RECURRENT_LAYERS || layer->directions < 1 || layer->directions > 2) {
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: %d layers of %d directions; 1 to %d, and 1 or 2, are allowed", FUNCTION,
                     layer->layers, layer->directions, (int)RG_RECURRENT_LAYERS);
        return (rg_recurrent_result){0};
    }
    if (layer->name != NULL)
        rg_scope_push(t, layer->name);
    walk w = {.t = t, .layer = layer};
    const rg_recurrent_result result = forward(&w, x, given != NULL ? given : &(rg_recurrent_given){0});
    if (layer->name != NULL)
        rg_scope_pop(t);
    return rg_failed(t) ? (rg_recurrent_result){0} : result;
}
