/* One step of a recurrent layer: the equations of each kind. */
#include "cell.h"
#include "check.h"

#include <inttypes.h>

/* ---- what all steps share ---------------------------------------------------------------------------------------- */

rg__cell rg__cell_of(rg_tape *t, rg_recurrent_kind kind, const rg__recurrent_tensors *w)
{
    const int64_t hidden = rg_dim(t, w->weight_hh, 0) / rg__gates(kind);
    rg_tensor bias_hh = w->bias_hh, bias_hn = RG_NIL;
    if (kind == RG_GRU && !rg_is_nil(bias_hh)) {
        bias_hn = rg_slice(t, bias_hh, 0, 2 * hidden, RG_END, 1);
        bias_hh = rg_pad(t, bias_hh, (const int64_t[]){0}, (const int64_t[]){-hidden}, 0);
        bias_hh = rg_pad(t, bias_hh, (const int64_t[]){0}, (const int64_t[]){hidden}, 0);
    }
    const bool both = !rg_is_nil(w->bias_ih) && !rg_is_nil(bias_hh);
    return (rg__cell){
        .kind = kind,
        .weight_ih = w->weight_ih,
        .weight_hh = w->weight_hh,
        .bias = both                 ? rg_add(t, w->bias_ih, bias_hh)
                : rg_is_nil(bias_hh) ? w->bias_ih
                                     : bias_hh,
        .bias_hn = bias_hn,
        .weight_hr = w->weight_hr,
        .hidden = hidden,
    };
}

rg_tensor rg__cell_inputs(rg_tape *t, const rg__cell *cell, rg_tensor x)
{
    return rg_affine(t, x, cell->weight_ih, cell->bias);
}

/* ---- one step ---------------------------------------------------------------------------------------------------- */

static rg_lstm_state lstm_step(rg_tape *t, const rg__cell *cell, rg_tensor inputs, rg_lstm_state s)
{
    rg_tensor gate[4];
    const rg_tensor gates = rg_add(t, rg_affine(t, s.h, cell->weight_hh, RG_NIL), inputs);
    if (rg_split(t, gates, cell->hidden, -1, gate, 4) != 4)
        return (rg_lstm_state){RG_NIL, RG_NIL};
    const rg_tensor i = rg_sigmoid(t, gate[0]), f = rg_sigmoid(t, gate[1]);
    const rg_tensor g = rg_tanh(t, gate[2]), o = rg_sigmoid(t, gate[3]);
    const rg_tensor kept = rg_mul(t, f, s.c);
    const rg_tensor c = rg_add(t, kept, rg_mul(t, i, g));
    rg_tensor h = rg_mul(t, o, rg_tanh(t, c));
    if (!rg_is_nil(cell->weight_hr))
        h = rg_affine(t, h, cell->weight_hr, RG_NIL);
    return (rg_lstm_state){h, c};
}

static rg_tensor gru_step(rg_tape *t, const rg__cell *cell, rg_tensor inputs, rg_tensor h)
{
    rg_tensor x[3], y[3];
    if (rg_split(t, inputs, cell->hidden, -1, x, 3) != 3 ||
        rg_split(t, rg_affine(t, h, cell->weight_hh, RG_NIL), cell->hidden, -1, y, 3) != 3)
        return RG_NIL;
    const rg_tensor r = rg_sigmoid(t, rg_add(t, x[0], y[0])), z = rg_sigmoid(t, rg_add(t, x[1], y[1]));
    const rg_tensor gated = rg_mul(t, r, rg_is_nil(cell->bias_hn) ? y[2] : rg_add(t, y[2], cell->bias_hn));
    const rg_tensor n = rg_tanh(t, rg_add(t, x[2], gated));
    return rg_add(t, n, rg_mul(t, z, rg_sub(t, h, n)));
}

rg_lstm_state rg__cell_step(rg_tape *t, const rg__cell *cell, rg_tensor inputs, rg_lstm_state state)
{
    if (cell->kind == RG_LSTM)
        return lstm_step(t, cell, inputs, state);
    if (cell->kind == RG_GRU)
        return (rg_lstm_state){gru_step(t, cell, inputs, state.h), RG_NIL};
    const rg_tensor sum = rg_add(t, rg_affine(t, state.h, cell->weight_hh, RG_NIL), inputs);
    return (rg_lstm_state){cell->kind == RG_RNN_TANH ? rg_tanh(t, sum) : rg_relu(t, sum), RG_NIL};
}

/* ---- cells alone ------------------------------------------------------------------------------------------------- */

static bool fits(rg_tape *t, const char *function, const char *name, rg_tensor x, rg_dtype dtype, rg_shape expected)
{
    if (!rg__check_float(t, function, name, x))
        return false;
    const rg_shape shape = rg_shape_of(t, x);
    if (rg_dtype_of(t, x) != dtype)
        rg_tape_fail(t, RG_ERROR_DTYPE, "%s: %s is %s and x is %s; they must have one dtype", function, name,
                     rg_dtype_name(rg_dtype_of(t, x)), rg_dtype_name(dtype));
    else if (!rg_shape_equal(shape, expected))
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: %s is %s; %s is needed", function, name, RG__SHAPE_TEXT(shape),
                     RG__SHAPE_TEXT(expected));
    return !rg_failed(t);
}

/* The last extent of a matrix; 0 for others, and nothing fits that. */
static int64_t columns(rg_tape *t, rg_tensor x)
{
    const rg_shape shape = rg_shape_of(t, x);
    return shape.rank == 2 ? shape.dims[1] : 0;
}

/* One step of a cell that is given by its tensors; both nil on error. */
static rg_lstm_state single_step(rg_tape *t, const char *function, rg_recurrent_kind kind, rg_tensor x, rg_lstm_state s,
                                 const rg__recurrent_tensors *w)
{
    static const rg_lstm_state none = {{0}, {0}};
    if (!rg__check_float(t, function, "x", x) || !rg__check_float(t, function, "weight_ih", w->weight_ih) ||
        !rg__check_float(t, function, "weight_hh", w->weight_hh))
        return none;
    const rg_dtype dtype = rg_dtype_of(t, x);
    const int64_t in = columns(t, w->weight_ih), hidden = columns(t, w->weight_hh), rows = rg__gates(kind) * hidden;
    rg_shape of_x = rg_shape_of(t, x);
    if ((of_x.rank != 1 && of_x.rank != 2) || of_x.dims[of_x.rank - 1] != in || hidden < 1) {
        rg_tape_fail(t, RG_ERROR_SHAPE,
                     "%s: x is %s, weight_ih %s, weight_hh %s; [B, in] or [in] is needed, and matrices", function,
                     RG__SHAPE_TEXT(of_x), RG__SHAPE_TEXT(rg_shape_of(t, w->weight_ih)),
                     RG__SHAPE_TEXT(rg_shape_of(t, w->weight_hh)));
        return none;
    }
    rg_shape of_state = of_x;
    of_state.dims[of_x.rank - 1] = hidden;
    if (!fits(t, function, "weight_ih", w->weight_ih, dtype, RG_SHAPE(rows, in)) ||
        !fits(t, function, "weight_hh", w->weight_hh, dtype, RG_SHAPE(rows, hidden)) ||
        (!rg_is_nil(w->bias_ih) && !fits(t, function, "bias_ih", w->bias_ih, dtype, RG_SHAPE(rows))) ||
        (!rg_is_nil(w->bias_hh) && !fits(t, function, "bias_hh", w->bias_hh, dtype, RG_SHAPE(rows))) ||
        !fits(t, function, "h", s.h, dtype, of_state) ||
        (kind == RG_LSTM && !fits(t, function, "c", s.c, dtype, of_state)))
        return none;
    const rg__cell cell = rg__cell_of(t, kind, w);
    const rg_lstm_state next = rg__cell_step(t, &cell, rg__cell_inputs(t, &cell, x), s);
    return rg_failed(t) ? none : next;
}

rg_tensor rg_rnn_tanh_cell(rg_tape *t, rg_tensor x, rg_tensor h, rg_tensor weight_ih, rg_tensor weight_hh,
                           rg_tensor bias_ih, rg_tensor bias_hh)
{
    const rg__recurrent_tensors w = {weight_ih, weight_hh, bias_ih, bias_hh, RG_NIL};
    return single_step(t, "rnn_tanh_cell", RG_RNN_TANH, x, (rg_lstm_state){h, RG_NIL}, &w).h;
}

rg_tensor rg_rnn_relu_cell(rg_tape *t, rg_tensor x, rg_tensor h, rg_tensor weight_ih, rg_tensor weight_hh,
                           rg_tensor bias_ih, rg_tensor bias_hh)
{
    const rg__recurrent_tensors w = {weight_ih, weight_hh, bias_ih, bias_hh, RG_NIL};
    return single_step(t, "rnn_relu_cell", RG_RNN_RELU, x, (rg_lstm_state){h, RG_NIL}, &w).h;
}

rg_tensor rg_gru_cell(rg_tape *t, rg_tensor x, rg_tensor h, rg_tensor weight_ih, rg_tensor weight_hh, rg_tensor bias_ih,
                      rg_tensor bias_hh)
{
    const rg__recurrent_tensors w = {weight_ih, weight_hh, bias_ih, bias_hh, RG_NIL};
    return single_step(t, "gru_cell", RG_GRU, x, (rg_lstm_state){h, RG_NIL}, &w).h;
}

rg_lstm_state rg_lstm_cell(rg_tape *t, rg_tensor x, rg_lstm_state state, rg_tensor weight_ih, rg_tensor weight_hh,
                           rg_tensor bias_ih, rg_tensor bias_hh)
{
    const rg__recurrent_tensors w = {weight_ih, weight_hh, bias_ih, bias_hh, RG_NIL};
    return single_step(t, "lstm_cell", RG_LSTM, x, state, &w);
}
