/* One step of a recurrent layer, for whole sequences and for the cells alone. */
#ifndef RG__NN_CELL_H
#define RG__NN_CELL_H

#include <retrograd/retrograd.h>

/* The parameters of one direction of one layer; biases and weight_hr may be nil. */
typedef struct rg__recurrent_tensors {
    rg_tensor weight_ih, weight_hh, bias_ih, bias_hh, weight_hr;
} rg__recurrent_tensors;

/* What all steps share. */
typedef struct rg__cell {
    rg_recurrent_kind kind;
    rg_tensor weight_ih, bias; /* of the product with x: both biases, as far as they are added there; nil for none */
    rg_tensor weight_hh;
    rg_tensor bias_hn;   /* GRU: [hidden], what r is multiplied with; nil for none */
    rg_tensor weight_hr; /* nil for none                                           */
    int64_t hidden;
} rg__cell;

static inline int64_t rg__gates(rg_recurrent_kind kind)
{
    return kind == RG_LSTM ? 4 : kind == RG_GRU ? 3 : 1;
}

rg__cell rg__cell_of(rg_tape *t, rg_recurrent_kind kind, const rg__recurrent_tensors *w);

/* What the gates get from x [..., in]: [..., gates hidden], of all steps in one product. */
rg_tensor rg__cell_inputs(rg_tape *t, const rg__cell *cell, rg_tensor x);

/* The next states, from what the gates get [B, gates hidden] and the states [B, ..]; c is nil for others than LSTM. */
rg_lstm_state rg__cell_step(rg_tape *t, const rg__cell *cell, rg_tensor inputs, rg_lstm_state state);

#endif
