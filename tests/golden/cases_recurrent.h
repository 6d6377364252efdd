/* Cells of recurrent layers: the part of cases.h that is about them. No include guard. */
// clang-format off
CASE(rnn_tanh_cell, rg_rnn_tanh_cell(t, x[0], x[1], x[2], x[3], x[4], x[5]))
CASE(rnn_relu_cell, rg_rnn_relu_cell(t, x[0], x[1], x[2], x[3], x[4], x[5]))
CASE(gru_cell, rg_gru_cell(t, x[0], x[1], x[2], x[3], x[4], x[5]))
CASE(lstm_cell, rg_cat(t, (rg_tensor[]){
    rg_lstm_cell(t, x[0], (rg_lstm_state){x[1], x[2]}, x[3], x[4], x[5], x[6]).h,
    rg_lstm_cell(t, x[0], (rg_lstm_state){x[1], x[2]}, x[3], x[4], x[5], x[6]).c}, 2, -1))
// clang-format on
