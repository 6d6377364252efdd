/* Retrograd: recurrent layers: Elman's network, GRU, LSTM. Written with the public ops alone. */
#ifndef RETROGRAD_NN_RECURRENT_H
#define RETROGRAD_NN_RECURRENT_H

#include <retrograd/ops.h>
#include <retrograd/params.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of one step, with sums over both biases left out; s is the sigmoid, the product without a dot is element by element:
 *   RNN   h' = tanh(W_ih x + W_hh h), or relu. Elman, Cognitive Science 14, 1990.
 *   GRU   r = s(W_ir x + W_hr h)   z = s(W_iz x + W_hz h)   n = tanh(W_in x + b_in + r (W_hn h + b_hn))
 *         h' = (1 - z) n + z h. Cho et al., EMNLP 2014, with r after the product.
 *   LSTM  i, f, o = s(W_i x + W_h h), g = tanh(W_i x + W_h h), each with weights of its own;
 *         c' = f c + i g   h' = o tanh(c'), times W_hr^T with proj_size. Hochreiter and Schmidhuber, Neural Computation 9,
 *         1997; Gers et al., 2000; proj_size: Sak et al., 2014.
 * The weights of the gates lie one below the other, in PyTorch's order: r, z, n; i, f, g, o. */
typedef enum rg_recurrent_kind { RG_RNN_TANH = 0, RG_RNN_RELU, RG_GRU, RG_LSTM } rg_recurrent_kind;

/* NULL or zeros: PyTorch's defaults. */
typedef struct rg_recurrent_config {
    int layers;         /* one above the other, at most RG_RECURRENT_LAYERS; 0: 1                   */
    bool relu;          /* RNN: relu instead of tanh                                                */
    bool no_bias;       /*                                                                          */
    bool batch_first;   /* x and output are [B, T, ..] instead of [T, B, ..]; states never          */
    bool bidirectional; /* a second net reads each sequence backwards; outputs lie side by side     */
    double dropout;     /* on the outputs of all layers but the last, while the tape trains; [0, 1] */
    int64_t proj_size;  /* LSTM: the extent of h where it is not `hidden`; less than that. 0: none  */
} rg_recurrent_config;

/* One direction of one layer; G = 1 (RNN), 3 (GRU) or 4 (LSTM) gates, P = proj_size or hidden. */
typedef struct rg_recurrent_weights {
    rg_param *weight_ih; /* [G hidden, in of this layer], "name.weight_ih_l0", "name.weight_ih_l0_reverse", ... */
    rg_param *weight_hh; /* [G hidden, P], "name.weight_hh_l0"                                              */
    rg_param *bias_ih;   /* [G hidden]; NULL for none                                                       */
    rg_param *bias_hh;   /* [G hidden]; NULL for none                                                       */
    rg_param *weight_hr; /* [P, hidden]; NULL for none                                                      */
} rg_recurrent_weights;

enum { RG_RECURRENT_LAYERS = 16 };
typedef struct rg_recurrent {
    rg_recurrent_weights part[RG_RECURRENT_LAYERS][2]; /* layer, then forwards and backwards */
    rg_recurrent_kind kind;
    int layers, directions;  /* directions: 1 or 2 */
    int64_t in, hidden, out; /* out: the extent of h */
    bool batch_first;
    double dropout;
    const char *name; /* the scope; NULL for none */
} rg_recurrent;
typedef rg_recurrent rg_rnn, rg_gru, rg_lstm;

/* All parameters uniform in +-1/sqrt(hidden). On error the store has it and part[0][0].weight_ih is NULL. */
RG_API rg_rnn rg_rnn_new(rg_params *ps, const char *name, int64_t in, int64_t hidden, const rg_recurrent_config *config);
RG_API rg_gru rg_gru_new(rg_params *ps, const char *name, int64_t in, int64_t hidden, const rg_recurrent_config *config);
RG_API rg_lstm rg_lstm_new(rg_params *ps, const char *name, int64_t in, int64_t hidden,
                           const rg_recurrent_config *config);

/* What else there is to a sequence; nil for none. D: directions. */
typedef struct rg_recurrent_given {
    rg_tensor h;       /* [layers D, B, P], layer by layer, forwards first: the states at first; nil: 0            */
    rg_tensor c;       /* [layers D, B, hidden], LSTM only; nil: 0                                                 */
    rg_tensor lengths; /* i64 or i32 [B]: sequence b has this many steps; more than T count as T                   */
    rg_tensor mask;    /* bool [T, B], or [B, T] with batch_first: the steps that count. Not with lengths.         */
} rg_recurrent_given;

/* A step that does not count is as if it were not there: states pass by it, its output is 0, x is not read, and its
 * gradient is 0. So each direction begins and ends at the sequence's own ends, as PyTorch's on a packed sequence,
 * and the states at last are those after the last step that counts. A sequence without steps keeps its first states. */
typedef struct rg_recurrent_result {
    rg_tensor output; /* [T, B, D P], or [B, T, D P]: h of the last layer after each step  */
    rg_tensor h;      /* [layers D, B, P]: the states at last                              */
    rg_tensor c;      /* [layers D, B, hidden]; nil for others than LSTM                   */
} rg_recurrent_result;

/* x [T, B, in], or [B, T, in] with batch_first; or [T, in] for a single sequence, with all states of rank 2, lengths [] and
 * mask [T]. T is 1 or more. `given` may be NULL. All nil on error. */
RG_API rg_recurrent_result rg_recurrent_forward(rg_tape *t, const rg_recurrent *layer, rg_tensor x,
                                                const rg_recurrent_given *given);

/* One step: x [B, in] and states [B, hidden], or [in] and [hidden]; weights and biases as above, biases may be nil.
 * PyTorch's rnn_tanh_cell, rnn_relu_cell, gru_cell and lstm_cell. */
RG_API rg_tensor rg_rnn_tanh_cell(rg_tape *t, rg_tensor x, rg_tensor h, rg_tensor weight_ih, rg_tensor weight_hh,
                                  rg_tensor bias_ih, rg_tensor bias_hh);
RG_API rg_tensor rg_rnn_relu_cell(rg_tape *t, rg_tensor x, rg_tensor h, rg_tensor weight_ih, rg_tensor weight_hh,
                                  rg_tensor bias_ih, rg_tensor bias_hh);
RG_API rg_tensor rg_gru_cell(rg_tape *t, rg_tensor x, rg_tensor h, rg_tensor weight_ih, rg_tensor weight_hh,
                             rg_tensor bias_ih, rg_tensor bias_hh);
typedef struct rg_lstm_state {
    rg_tensor h, c;
} rg_lstm_state;
RG_API rg_lstm_state rg_lstm_cell(rg_tape *t, rg_tensor x, rg_lstm_state state, rg_tensor weight_ih,
                                  rg_tensor weight_hh, rg_tensor bias_ih, rg_tensor bias_hh);

#ifdef __cplusplus
}
#endif
#endif
