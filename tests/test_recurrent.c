/* Recurrent layers: parameters, what is refused, sequences of different lengths, dropout, gradients by differences.
 * PyTorch's results are test_recurrent_golden's. */
#include "nn_support.h"

#include <stdio.h>

/* ---- making a layer ---------------------------------------------------------------------------------------------- */

static void parameters_have_pytorchs_names_and_order(void **state)
{
    (void)state;
    static const char *const names[] = {
        "l.weight_ih_l0",         "l.weight_hh_l0",         "l.bias_ih_l0",           "l.bias_hh_l0",
        "l.weight_hr_l0",         "l.weight_ih_l0_reverse", "l.weight_hh_l0_reverse", "l.bias_ih_l0_reverse",
        "l.bias_hh_l0_reverse",   "l.weight_hr_l0_reverse", "l.weight_ih_l1",         "l.weight_hh_l1",
        "l.bias_ih_l1",           "l.bias_hh_l1",           "l.weight_hr_l1",         "l.weight_ih_l1_reverse",
        "l.weight_hh_l1_reverse", "l.bias_ih_l1_reverse",   "l.bias_hh_l1_reverse",   "l.weight_hr_l1_reverse"};
    rg_params *ps = rg_params_new(1);
    const rg_lstm l =
        rg_lstm_new(ps, "l", 3, 25, &(rg_recurrent_config){.layers = 2, .bidirectional = true, .proj_size = 7});
    assert_int_equal(rg_params_count(ps), COUNT(names));
    double largest = 0;
    for (size_t i = 0; i < COUNT(names); i++) {
        const rg_param *p = rg_params_at(ps, (int)i);
        assert_string_equal(rg_param_name(p), names[i]);
        for (int64_t k = 0; k < rg_param_numel(p); k++)
            largest = fmax(largest, fabs(((const float *)rg_param_data(p))[k]));
    }
    assert_true(largest <= 0.2 + 1e-7 && largest > 0.19); /* 1 / sqrt(25) */
    assert_true(rg_shape_equal(rg_param_shape(l.part[0][1].weight_ih), RG_SHAPE(100, 3)));
    assert_true(rg_shape_equal(rg_param_shape(l.part[1][0].weight_ih), RG_SHAPE(100, 14)));
    assert_true(rg_shape_equal(rg_param_shape(l.part[1][1].weight_hh), RG_SHAPE(100, 7)));
    assert_true(rg_shape_equal(rg_param_shape(l.part[1][1].weight_hr), RG_SHAPE(7, 25)));
    assert_true(rg_shape_equal(rg_param_shape(l.part[1][1].bias_hh), RG_SHAPE(100)));
    rg_params_free(ps);
}

static void layers_that_cannot_be_are_refused(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    const struct {
        int64_t in, hidden;
        rg_recurrent_config config;
        const char *word;
    } bad[] = {{-1, 4, {0}, "-1 inputs"},
               {4, 0, {0}, "0 hidden"},
               {4, INT64_MAX, {0}, "hidden"},
               {INT64_MAX, 4, {0}, "l"},
               {4, 4, {.layers = -1}, "-1 layers"},
               {4, 4, {.layers = RG_RECURRENT_LAYERS + 1}, "1 to 16"},
               {4, 4, {.dropout = 1.5}, "dropout is 1.5"},
               {4, 4, {.dropout = NAN}, "dropout is"},
               {4, 4, {.proj_size = 4}, "proj_size is 4"},
               {4, 4, {.proj_size = -1}, "proj_size is -1"},
               {4, 4, {.relu = true}, "relu is for an RNN"}};
    const rg_tensor x = rg_zeros(tape, RG_F32, RG_SHAPE(2, 1, 4));
    for (size_t i = 0; i < COUNT(bad); i++) {
        char name[16];
        snprintf(name, sizeof name, "l%zu", i);
        const rg_lstm l = rg_lstm_new(ps, name, bad[i].in, bad[i].hidden, &bad[i].config);
        if (rg_params_status(ps) == RG_OK || strstr(rg_params_error(ps), bad[i].word) == NULL)
            fail_msg("case %zu: '%s' does not say '%s'", i, rg_params_error(ps), bad[i].word);
        rg_params_clear_error(ps);
        assert_true(rg_is_nil(rg_recurrent_forward(tape, &l, x, NULL).output));
        assert_error(tape, RG_ERROR_STATE, WORDS("recurrent_forward", name, "no weights"));
    }
    rg_gru_new(ps, "g", 4, 4, &(rg_recurrent_config){.proj_size = 2});
    assert_store_error(ps, RG_ERROR_ARGUMENT, "gru_new: proj_size is 2");
    assert_string_equal(rg_params_scope(ps), "");
    rg_lstm_new(ps, NULL, 4, 4, NULL);
    assert_store_error(ps, RG_ERROR_ARGUMENT, "lstm_new: the name is NULL");
    assert_null(rg_rnn_new(NULL, "n", 4, 4, NULL).part[0][0].weight_ih);
    assert_true(rg_is_nil(rg_recurrent_forward(tape, NULL, x, NULL).output));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("recurrent_forward", "NULL"));

    /* One part missing is none. */
    assert_non_null(rg_param_new(ps, "half.bias_hh_l1", RG_F32, RG_SHAPE(1), NULL));
    assert_null(rg_gru_new(ps, "half", 4, 4, &(rg_recurrent_config){.layers = 2}).part[0][0].weight_ih);
    assert_store_error(ps, RG_ERROR_ARGUMENT, "half.bias_hh_l1");
    rg_tape_reset(tape);
    rg_params_free(ps);
}

/* ---- what forward refuses ---------------------------------------------------------------------------------------- */

static void arguments_of_wrong_shape_are_errors(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    const rg_lstm l = rg_lstm_new(ps, "enc", 2, 3, &(rg_recurrent_config){.layers = 2});
    const rg_lstm turned = rg_lstm_new(ps, "turned", 2, 3, &(rg_recurrent_config){.batch_first = true});
    const rg_gru g = rg_gru_new(ps, "gru", 2, 3, NULL);
#define ZEROS(dtype, ...) rg_zeros(tape, dtype, RG_SHAPE(__VA_ARGS__))
#define REFUSED(layer, x, status, given, ...)                                           \
    do {                                                                                \
        const rg_recurrent_given also = given;                                          \
        const rg_recurrent_result r = rg_recurrent_forward(tape, &(layer), (x), &also); \
        assert_true(rg_is_nil(r.output) && rg_is_nil(r.h) && rg_is_nil(r.c));           \
        assert_error(tape, status, WORDS("recurrent_forward", __VA_ARGS__));            \
    } while (0)
#define GIVEN(...) ((rg_recurrent_given){__VA_ARGS__})
    const rg_tensor x = ZEROS(RG_F32, 5, 4, 2);
    REFUSED(l, RG_NIL, RG_ERROR_HANDLE, GIVEN(.h = RG_NIL), "x is nil");
    REFUSED(l, ZEROS(RG_I64, 5, 4, 2), RG_ERROR_DTYPE, GIVEN(.h = RG_NIL), "x is i64");
    REFUSED(l, ZEROS(RG_F64, 5, 4, 2), RG_ERROR_DTYPE, GIVEN(.h = RG_NIL), "x is f64", "f32");
    REFUSED(l, ZEROS(RG_F32, 5, 4, 3), RG_ERROR_SHAPE, GIVEN(.h = RG_NIL), "x is [5, 4, 3]", "[T, B, 2]");
    REFUSED(turned, ZEROS(RG_F32, 5, 0, 2), RG_ERROR_SHAPE, GIVEN(.h = RG_NIL), "[B, T, 2]", "T 1 or more");
    REFUSED(l, ZEROS(RG_F32, 2), RG_ERROR_SHAPE, GIVEN(.h = RG_NIL), "x is [2]");
    REFUSED(l, x, RG_ERROR_SHAPE, GIVEN(.h = ZEROS(RG_F32, 1, 4, 3)), "h is [1, 4, 3]", "[2, 4, 3]");
    REFUSED(l, x, RG_ERROR_SHAPE, GIVEN(.c = ZEROS(RG_F32, 2, 3)), "c is [2, 3]", "[2, 4, 3]");
    REFUSED(l, x, RG_ERROR_DTYPE, GIVEN(.h = ZEROS(RG_F64, 2, 4, 3)), "h is f64");
    REFUSED(g, x, RG_ERROR_ARGUMENT, GIVEN(.c = ZEROS(RG_F32, 1, 4, 3)), "only an LSTM");
    REFUSED(l, x, RG_ERROR_SHAPE, GIVEN(.lengths = ZEROS(RG_I64, 5)), "lengths is [5]", "[4]");
    REFUSED(l, x, RG_ERROR_DTYPE, GIVEN(.lengths = ZEROS(RG_F32, 4)), "lengths is f32");
    REFUSED(l, x, RG_ERROR_SHAPE, GIVEN(.mask = ZEROS(RG_BOOL, 4, 5)), "mask is [4, 5]", "[5, 4]");
    REFUSED(l, x, RG_ERROR_DTYPE, GIVEN(.mask = ZEROS(RG_F32, 5, 4)), "mask is f32");
    REFUSED(l, x, RG_ERROR_ARGUMENT, GIVEN(.mask = ZEROS(RG_BOOL, 5, 4), .lengths = ZEROS(RG_I64, 4)), "one of them");
    REFUSED(l, ZEROS(RG_F32, 5, 2), RG_ERROR_SHAPE, GIVEN(.h = ZEROS(RG_F32, 2, 1, 3)), "h is [2, 1, 3]", "[2, 3]");
    assert_string_equal(rg_scope(tape), "");
    rg_tape_reset(tape);
    rg_params_free(ps);
}

static void cells_check_their_arguments(void **state)
{
    (void)state;
    const rg_tensor x = ZEROS(RG_F32, 2, 3), h = ZEROS(RG_F32, 2, 4), w_ih = ZEROS(RG_F32, 16, 3);
    const rg_tensor w_hh = ZEROS(RG_F32, 16, 4), bias = ZEROS(RG_F32, 16);
    const rg_lstm_state s = {h, h};
    assert_false(rg_is_nil(rg_lstm_cell(tape, x, s, w_ih, w_hh, bias, RG_NIL).h)); /* one bias is enough */
    assert_tape_ok(tape);
#define NO_STEP(status, call, ...)                           \
    do {                                                     \
        const rg_lstm_state next = call;                     \
        assert_true(rg_is_nil(next.h) && rg_is_nil(next.c)); \
        assert_error(tape, status, WORDS(__VA_ARGS__));      \
    } while (0)
    NO_STEP(RG_ERROR_HANDLE, rg_lstm_cell(tape, RG_NIL, s, w_ih, w_hh, bias, bias), "lstm_cell", "x is nil");
    NO_STEP(RG_ERROR_HANDLE, rg_lstm_cell(tape, x, (rg_lstm_state){h, RG_NIL}, w_ih, w_hh, bias, bias), "c is nil");
    NO_STEP(RG_ERROR_SHAPE, rg_lstm_cell(tape, h, s, w_ih, w_hh, bias, bias), "lstm_cell", "x is [2, 4]", "[16, 3]");
    NO_STEP(RG_ERROR_SHAPE, rg_lstm_cell(tape, x, (rg_lstm_state){x, h}, w_ih, w_hh, bias, bias), "h is [2, 3]");
    NO_STEP(RG_ERROR_SHAPE, rg_lstm_cell(tape, x, s, w_ih, w_hh, bias, ZEROS(RG_F32, 4)), "bias_hh is [4]", "[16]");
    NO_STEP(RG_ERROR_DTYPE, rg_lstm_cell(tape, x, s, w_ih, w_hh, ZEROS(RG_F64, 16), bias), "bias_ih is f64");
    assert_true(rg_is_nil(rg_gru_cell(tape, x, h, w_ih, w_hh, bias, bias)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("gru_cell", "weight_ih is [16, 3]", "[12, 3]"));
    assert_true(rg_is_nil(rg_rnn_tanh_cell(tape, x, h, w_ih, bias, bias, bias)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("rnn_tanh_cell", "weight_hh [16]"));
    assert_true(rg_is_nil(rg_rnn_relu_cell(tape, x, h, ZEROS(RG_F32, 4, 3), w_hh, RG_NIL, RG_NIL)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("rnn_relu_cell", "weight_hh is [16, 4]", "[4, 4]"));
}

/* ---- steps that do not count ------------------------------------------------------------------------------------- */

enum { STEPS = 6, BATCH = 3, IN = 2, HIDDEN = 4 };

static const rg_recurrent_config TWO_WAYS = {.layers = 2, .bidirectional = true};

static void fill_x(double *x, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        x[i] = (double)(i * 37 % 41) / 20 - 1;
}

/* Sequence b of a [T, B, ..] result, the first `steps` of it, copied. */
static void column(rg_tensor x, int64_t b, int64_t steps, double *out)
{
    const rg_tensor part = rg_slice(tape, rg_select(tape, x, 1, b), 0, 0, steps, 1);
    assert_true(rg_read(tape, part, out, (size_t)(steps * rg_dim(tape, x, 2)) * sizeof *out));
}

static void assert_all_near(const double *a, const double *b, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        assert_near(a[i], b[i], 1e-14);
}

/* Each sequence of a batch with lengths is what it is alone; behind it there is 0, and what is there is not read. */
static void sequences_of_a_batch_are_as_each_alone(void **state)
{
    (void)state;
    static const int64_t lengths[BATCH] = {4, STEPS, 1};
    rg_params *ps = rg_params_new(5);
    rg_params_set_dtype(ps, RG_F64);
    const rg_recurrent layer[] = {rg_rnn_new(ps, "rnn", IN, HIDDEN, &TWO_WAYS),
                                  rg_gru_new(ps, "gru", IN, HIDDEN, &TWO_WAYS),
                                  rg_lstm_new(ps, "lstm", IN, HIDDEN, &TWO_WAYS)};
    double x[STEPS * BATCH * IN], padded[STEPS * BATCH * IN];
    fill_x(x, STEPS * BATCH * IN);
    for (int i = 0; i < STEPS * BATCH * IN; i++)
        padded[i] = i / (BATCH * IN) < lengths[i / IN % BATCH] ? x[i] : NAN;
    for (size_t k = 0; k < COUNT(layer); k++) {
        rg_param *p = rg_param_new(ps, (const char *[]){"x0", "x1", "x2"}[k], RG_F64, RG_SHAPE(STEPS, BATCH, IN), padded);
        const rg_recurrent_given given = {.lengths = rg_input_i64(tape, RG_SHAPE(BATCH), lengths)};
        const rg_recurrent_result all = rg_recurrent_forward(tape, &layer[k], rg_leaf(tape, p), &given);
        for (int64_t b = 0; b < BATCH; b++) {
            const rg_tensor alone = rg_slice(
                tape, rg_select(tape, rg_input_f64(tape, RG_SHAPE(STEPS, BATCH, IN), x), 1, b), 0, 0, lengths[b], 1);
            const rg_recurrent_result one = rg_recurrent_forward(tape, &layer[k], alone, NULL);
            double expected[STEPS * 2 * HIDDEN] = {0}, found[STEPS * 2 * HIDDEN];
            assert_true(rg_read(tape, one.output, expected, (size_t)(lengths[b] * 2 * HIDDEN) * sizeof *expected));
            column(all.output, b, STEPS, found);
            assert_all_near(found, expected, STEPS * 2 * HIDDEN);
            assert_true(rg_read(tape, one.h, expected, sizeof(double[4 * HIDDEN])));
            column(all.h, b, 4, found);
            assert_all_near(found, expected, 4 * HIDDEN);
            if (k == 2) {
                assert_true(rg_read(tape, one.c, expected, sizeof(double[4 * HIDDEN])));
                column(all.c, b, 4, found);
                assert_all_near(found, expected, 4 * HIDDEN);
            }
        }
        rg_backward(tape, rg_sum(tape, rg_square(tape, all.output), RG_ALL, false));
        const double *g = rg_data_f64(tape, rg_param_grad(tape, p));
        for (int i = 0; i < STEPS * BATCH * IN; i++)
            assert_true(isfinite(g[i]) && (g[i] != 0) == !isnan(padded[i]));
        for (int i = 0; i < rg_params_count(ps); i++) {
            rg_param *weight = rg_params_at(ps, i);
            const rg_tensor of_weight = rg_param_grad(tape, weight);
            for (int64_t n = 0; !rg_is_nil(of_weight) && n < rg_param_numel(weight); n++)
                assert_true(isfinite(rg_data_f64(tape, of_weight)[n]));
        }
        assert_tape_ok(tape);
    }
    rg_tape_reset(tape);
    rg_params_free(ps);
}

static void a_mask_takes_steps_out(void **state)
{
    (void)state;
    static const bool mask[STEPS] = {false, true, true, false, true, false};
    rg_params *ps = rg_params_new(5);
    rg_params_set_dtype(ps, RG_F64);
    const rg_lstm l = rg_lstm_new(ps, "l", IN, HIDDEN, &TWO_WAYS);
    double x[STEPS * IN], kept[3 * IN];
    fill_x(x, STEPS * IN);
    int64_t n = 0;
    for (int i = 0; i < STEPS; i++)
        if (mask[i])
            memcpy(kept + IN * n++, x + IN * i, sizeof(double[IN]));
    const rg_recurrent_given given = {.mask = rg_input(tape, RG_BOOL, RG_SHAPE(STEPS), mask)};
    const rg_recurrent_result some = rg_recurrent_forward(tape, &l, rg_input_f64(tape, RG_SHAPE(STEPS, IN), x), &given);
    const rg_recurrent_result few = rg_recurrent_forward(tape, &l, rg_input_f64(tape, RG_SHAPE(n, IN), kept), NULL);
    const double *out = rg_data_f64(tape, some.output), *expected = rg_data_f64(tape, few.output);
    assert_tape_ok(tape);
    static const double zeros[2 * HIDDEN];
    for (int i = 0; i < STEPS; i++) {
        assert_all_near(out + (ptrdiff_t)2 * HIDDEN * i, mask[i] ? expected : zeros, 2 * HIDDEN);
        expected += mask[i] ? 2 * HIDDEN : 0;
    }
    assert_all_near(rg_data_f64(tape, some.h), rg_data_f64(tape, few.h), 4 * HIDDEN);
    assert_all_near(rg_data_f64(tape, some.c), rg_data_f64(tape, few.c), 4 * HIDDEN);
    rg_tape_reset(tape);
    rg_params_free(ps);
}

static void lengths_at_their_ends(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(5);
    rg_params_set_dtype(ps, RG_F64);
    const rg_lstm l = rg_lstm_new(ps, "l", IN, HIDDEN, &(rg_recurrent_config){.batch_first = true});
    double x[2 * STEPS * IN], first[2 * HIDDEN];
    fill_x(x, 2 * STEPS * IN);
    fill_x(first, 2 * HIDDEN);
    const rg_tensor in = rg_input_f64(tape, RG_SHAPE(2, STEPS, IN), x);
    const rg_tensor states = rg_input_f64(tape, RG_SHAPE(1, 2, HIDDEN), first);
    const int32_t lengths[] = {0, INT32_MAX};
    const bool mask[2][STEPS] = {{false}, {true, true, true, true, true, true}};
    const rg_recurrent_given given[] = {
        {.h = states, .c = states, .lengths = rg_input(tape, RG_I32, RG_SHAPE(2), lengths)},
        {.h = states, .c = states, .mask = rg_input(tape, RG_BOOL, RG_SHAPE(2, STEPS), mask)},
        {.h = states, .c = states}};
    const rg_recurrent_result whole = rg_recurrent_forward(tape, &l, in, &given[2]);
    for (int k = 0; k < 2; k++) {
        const rg_recurrent_result r = rg_recurrent_forward(tape, &l, in, &given[k]);
        const double *out = rg_data_f64(tape, r.output), *all = rg_data_f64(tape, whole.output);
        assert_tape_ok(tape);
        for (int i = 0; i < STEPS * HIDDEN; i++)
            assert_true(out[i] == 0 && out[STEPS * HIDDEN + i] == all[STEPS * HIDDEN + i]);
        assert_all_near(rg_data_f64(tape, r.h), first, HIDDEN);
        assert_all_near(rg_data_f64(tape, r.c), first, HIDDEN);
        assert_all_near(rg_data_f64(tape, r.h) + HIDDEN, rg_data_f64(tape, whole.h) + HIDDEN, HIDDEN);
    }
    rg_tape_reset(tape);
    rg_params_free(ps);
}

/* ---- further behaviour ------------------------------------------------------------------------------------------- */

static void dropout_lies_between_layers_while_training(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(5);
    rg_params_set_dtype(ps, RG_F64);
    rg_gru l = rg_gru_new(ps, "l", IN, HIDDEN, &(rg_recurrent_config){.layers = 2, .dropout = 1});
    double x[STEPS * BATCH * IN];
    fill_x(x, STEPS * BATCH * IN);
    const rg_tensor in = rg_input_f64(tape, RG_SHAPE(STEPS, BATCH, IN), x);
    const rg_tensor dropped = rg_recurrent_forward(tape, &l, in, NULL).output;
    rg_set_training(tape, false);
    const rg_tensor kept = rg_recurrent_forward(tape, &l, in, NULL).output;
    rg_set_training(tape, true);
    l.dropout = 0;
    const rg_tensor none = rg_recurrent_forward(tape, &l, in, NULL).output;
    /* All of the first layer's output is 0, that of the second is not. */
    rg_gru second = {.part = {{{0}}}, .kind = RG_GRU, .layers = 1, .directions = 1};
    second.part[0][0] = l.part[1][0];
    second.in = second.hidden = second.out = HIDDEN;
    const rg_tensor zeros = rg_zeros(tape, RG_F64, RG_SHAPE(STEPS, BATCH, HIDDEN));
    const rg_tensor of_zeros = rg_recurrent_forward(tape, &second, zeros, NULL).output;
    assert_all_near(rg_data_f64(tape, dropped), rg_data_f64(tape, of_zeros), STEPS * BATCH * HIDDEN);
    assert_all_near(rg_data_f64(tape, kept), rg_data_f64(tape, none), STEPS * BATCH * HIDDEN);
    assert_true(fabs(rg_data_f64(tape, dropped)[0] - rg_data_f64(tape, kept)[0]) > 1e-6);
    assert_tape_ok(tape);
    rg_tape_reset(tape);
    rg_params_free(ps);
}

/* More steps than rg_stack takes tensors; a sequence in two halves is the sequence. */
static void long_sequences_and_halves_of_them(void **state)
{
    (void)state;
    enum { LONG = 600, HALF = 250 };
    rg_params *ps = rg_params_new(5);
    rg_params_set_dtype(ps, RG_F64);
    const rg_lstm l = rg_lstm_new(ps, "l", 1, 2, NULL);
    double x[LONG];
    fill_x(x, LONG);
    const rg_tensor in = rg_input_f64(tape, RG_SHAPE(LONG, 1, 1), x);
    const rg_recurrent_result whole = rg_recurrent_forward(tape, &l, in, NULL);
    const rg_recurrent_result first = rg_recurrent_forward(tape, &l, rg_slice(tape, in, 0, 0, HALF, 1), NULL);
    const rg_recurrent_given given = {.h = first.h, .c = first.c};
    const rg_recurrent_result second = rg_recurrent_forward(tape, &l, rg_slice(tape, in, 0, HALF, RG_END, 1), &given);
    assert_all_near(rg_data_f64(tape, whole.output), rg_data_f64(tape, first.output), HALF * 2);
    assert_all_near(rg_data_f64(tape, whole.output) + HALF * 2, rg_data_f64(tape, second.output), (LONG - HALF) * 2);
    assert_all_near(rg_data_f64(tape, whole.c), rg_data_f64(tape, second.c), 2);
    rg_backward(tape, rg_sum(tape, rg_square(tape, whole.output), RG_ALL, false));
    assert_true(isfinite(rg_data_f64(tape, rg_param_grad(tape, l.part[0][0].weight_hh))[0]));
    rg_node node;
    assert_true(rg_tape_node(tape, whole.output, &node));
    assert_string_equal(node.scope, "l");
    assert_tape_ok(tape);
    rg_tape_reset(tape);
    rg_params_free(ps);
}

/* The gradients of a training step, in bits. */
static void step_gradients(int threads, rg_dtype dtype, char fingerprint[33])
{
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads, .seed = 3});
    rg_params *ps = rg_params_new(5);
    rg_params_set_dtype(ps, dtype);
    const rg_lstm l =
        rg_lstm_new(ps, "l", 8, 40, &(rg_recurrent_config){.layers = 2, .bidirectional = true, .dropout = .5});
    const rg_tensor x = rg_randn(t, dtype, RG_SHAPE(12, 33, 8));
    const int64_t count = rg_params_count(ps);
    rg_backward(t, rg_mean(t, rg_square(t, rg_recurrent_forward(t, &l, x, NULL).output), RG_ALL, false));
    for (int i = 0; i < count; i++)
        rg_assign(t, rg_params_at(ps, i), rg_param_grad(t, rg_params_at(ps, i)));
    rg_params_clear_grads(t, ps);
    rg_tape_reset(t);
    assert_tape_ok(t);
    rg_params_fingerprint(ps, fingerprint);
    rg_tape_free(t);
    rg_params_free(ps);
}

static void one_thread_and_two_give_the_same_bits(void **state)
{
    (void)state;
    for (int dtype = RG_F32; dtype <= RG_F64; dtype++) {
        char one[33], two[33];
        step_gradients(1, (rg_dtype)dtype, one);
        step_gradients(2, (rg_dtype)dtype, two);
        assert_string_equal(one, two);
    }
}

/* ---- gradients by differences ------------------------------------------------------------------------------------ */

static rg_tensor flat(rg_tape *t, rg_tensor x)
{
    return rg_reshape(t, x, RG_SHAPE(-1));
}

static rg_tensor all_results(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count;
    const bool lstm = ((const rg_recurrent *)user)->kind == RG_LSTM;
    const rg_recurrent_given given = {.h = x[1], .c = lstm ? x[3] : RG_NIL, .lengths = x[2]};
    const rg_recurrent_result r = rg_recurrent_forward(t, user, x[0], &given);
    const rg_tensor parts[] = {flat(t, r.output), flat(t, r.h), rg_is_nil(r.c) ? RG_NIL : flat(t, r.c)};
    return rg_cat(t, parts, rg_is_nil(r.c) ? 2 : 3, 0);
}

static void gradients_are_those_of_differences(void **state)
{
    (void)state;
    enum { T = 3, B = 2, H_ = 2 };
    double x[T * B * IN], h[4 * B * H_], c[4 * B * H_];
    const int64_t lengths[] = {3, 2};
    fill_x(x, T * B * IN);
    fill_x(h, 4 * B * H_);
    fill_x(c, 4 * B * H_);
    for (int kind = 0; kind < 3; kind++) {
        rg_params *ps = rg_params_new(9);
        rg_params_set_dtype(ps, RG_F64);
        rg_recurrent l = kind == 0   ? rg_rnn_new(ps, "l", IN, H_, &TWO_WAYS)
                         : kind == 1 ? rg_gru_new(ps, "l", IN, H_, &TWO_WAYS)
                                     : rg_lstm_new(ps, "l", IN, H_, &TWO_WAYS);
        const rg_array inputs[] = {{RG_F64, RG_SHAPE(T, B, IN), x},
                                   {RG_F64, RG_SHAPE(4, B, H_), h},
                                   {RG_I64, RG_SHAPE(B), lengths},
                                   {RG_F64, RG_SHAPE(4, B, H_), c}}; /* LSTM alone */
        rg_gradcheck_report report;
        const rg_gradcheck_config config = {.params = ps};
        if (!rg_gradcheck(all_results, &l, inputs, kind == 2 ? 4 : 3, &config, &report))
            fail_msg("kind %d: %s", kind, report.message);
        if (!rg_gradcheck2(all_results, &l, inputs, kind == 2 ? 4 : 3, &config, &report))
            fail_msg("kind %d, second order: %s", kind, report.message);
        rg_params_free(ps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parameters_have_pytorchs_names_and_order),
        TEST(layers_that_cannot_be_are_refused),
        TEST(arguments_of_wrong_shape_are_errors),
        TEST(cells_check_their_arguments),
        TEST(sequences_of_a_batch_are_as_each_alone),
        TEST(a_mask_takes_steps_out),
        TEST(lengths_at_their_ends),
        TEST(dropout_lies_between_layers_while_training),
        TEST(long_sequences_and_halves_of_them),
        TEST(one_thread_and_two_give_the_same_bits),
        TEST(gradients_are_those_of_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
