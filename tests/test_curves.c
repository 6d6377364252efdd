/* Training runs of whole networks against PyTorch's, loss by loss, from the same first values and batches:
 * golden/curve.txt. The program's argument is the project's root folder. */
#include "golden.h"
#include "nn_support.h"

static const char *root = ".";

enum { STEPS = 50, BATCHES = 5, X = 0, Y = 1, FLAT = 2 };

/* A batch of the case on the tape: [extents behind the first axis of the array]. */
static rg_tensor batch(rg_tape *t, const struct golden_array *a, size_t step, rg_dtype dtype)
{
    rg_shape shape = {.rank = a->shape.rank - 1};
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = a->shape.dims[i + 1];
    const size_t bytes = a->count / BATCHES * rg_dtype_size(a->dtype);
    const rg_tensor x = rg_input(t, a->dtype, shape, (const char *)a->data + step % BATCHES * bytes);
    return a->dtype == RG_F64 ? rg_cast(t, x, dtype) : x;
}

/* ---- the networks: logits, a row a sample or place ------------------------------------------------------------------- */

typedef struct network {
    rg_optim *opt;
    rg_linear l1, l2, out;
    rg_conv_layer conv1, conv2;
    rg_batch_norm_layer norm1, norm2;
    rg_lstm lstm;
    rg_embedding_layer token;
    rg_learned_positions position;
    rg_transformer_encoder blocks;
} network;

static void mlp_new(rg_params *ps, network *net)
{
    net->l1 = rg_linear_new(ps, "l1", 4, 10);
    net->l2 = rg_linear_new(ps, "l2", 10, 10);
    net->out = rg_linear_new(ps, "l3", 10, 3);
    net->opt = rg_sgd_new(ps, &(rg_sgd_config){.lr = 0.1, .momentum = 0.9});
}

static rg_tensor mlp(rg_tape *t, const network *net, rg_tensor x)
{
    const rg_tensor h = rg_tanh(t, rg_linear_forward(t, &net->l1, x));
    return rg_linear_forward(t, &net->out, rg_relu(t, rg_linear_forward(t, &net->l2, h)));
}

static void cnn_new(rg_params *ps, network *net)
{
    const rg_conv_layer_config first = {.padding = RG_SHAPE(1, 1), .no_bias = true}, second = {.no_bias = true};
    net->conv1 = rg_conv_layer_new(ps, "conv1", 1, 3, RG_SHAPE(3, 3), &first);
    net->norm1 = rg_batch_norm_layer_new(ps, "norm1", 3, NULL);
    net->conv2 = rg_conv_layer_new(ps, "conv2", 3, 4, RG_SHAPE(2, 2), &second);
    net->norm2 = rg_batch_norm_layer_new(ps, "norm2", 4, NULL);
    net->out = rg_linear_new(ps, "out", 4, 3);
    net->opt = rg_adam_new(ps, &(rg_adam_config){.lr = 0.02});
}

static rg_tensor cnn(rg_tape *t, const network *net, rg_tensor x)
{
    x = rg_batch_norm_layer_forward(t, &net->norm1, rg_conv_layer_forward(t, &net->conv1, x));
    x = rg_max_pool2d(t, rg_relu(t, x), RG_SHAPE(2, 2), NULL);
    x = rg_batch_norm_layer_forward(t, &net->norm2, rg_conv_layer_forward(t, &net->conv2, x));
    x = rg_avg_pool2d(t, rg_relu(t, x), RG_SHAPE(2, 2), NULL);
    return rg_linear_forward(t, &net->out, rg_flatten(t, x, 1, -1));
}

static void lstm_new(rg_params *ps, network *net)
{
    net->lstm = rg_lstm_new(ps, "lstm", 6, 5, NULL);
    net->out = rg_linear_new(ps, "out", 5, 6);
    net->opt = rg_adam_new(ps, &(rg_adam_config){.lr = 0.05});
}

static rg_tensor lstm(rg_tape *t, const network *net, rg_tensor ids)
{
    const rg_tensor x = rg_one_hot(t, ids, 6, rg_param_dtype(net->out.weight));
    return rg_linear_forward(t, &net->out, rg_recurrent_forward(t, &net->lstm, x, NULL).output);
}

/* Two blocks with the norm first, and a norm behind them. */
static void gpt_new(rg_params *ps, network *net)
{
    const rg_transformer_config config = {
        .dim_feedforward = 16, .dropout = RG_ZERO, .activation = rg_gelu, .norm_first = true, .final_norm = true};
    net->token = rg_embedding_layer_new(ps, "token", 7, 8, NULL);
    net->position = rg_learned_positions_new(ps, "position", 6, 8);
    net->blocks = rg_transformer_encoder_new(ps, "blocks", 8, 2, 2, &config);
    net->out = rg_linear_new(ps, "out", 8, 7);
    net->opt = rg_adamw_new(ps, &(rg_adam_config){.lr = 0.005, .weight_decay = 0.1});
}

static rg_tensor gpt(rg_tape *t, const network *net, rg_tensor ids)
{
    const rg_tensor x = rg_embedding_layer_forward(t, &net->token, ids);
    const rg_attention_masks causal = {.causal = true};
    return rg_linear_forward(t, &net->out,
                             rg_transformer_encoder_forward(
                                 t, &net->blocks, rg_learned_positions_forward(t, &net->position, x, RG_NIL), &causal));
}

/* Errors are the largest allowed relative ones of a loss. What rounding does to a run grows along it. */
static const struct curve {
    const char *key;
    void (*make)(rg_params *ps, network *net);
    rg_tensor (*logits)(rg_tape *t, const network *net, rg_tensor x);
    double f64_error, f32_error;
} CURVES[] = {
    {"mlp", mlp_new, mlp, 1e-12, 1e-5},
    {"cnn", cnn_new, cnn, 1e-12, 1e-5},
    {"lstm", lstm_new, lstm, 1e-12, 1e-5},
    {"gpt", gpt_new, gpt, 1e-12, 1e-5},
};

/* ---- the runs --------------------------------------------------------------------------------------------------------- */

/* The parameters are the vector, one behind the other. */
static void fill(rg_tape *t, const rg_params *ps, const struct golden_array *flat)
{
    size_t at = 0;
    for (int i = 0; i < rg_params_count(ps); i++) {
        rg_param *p = rg_params_at(ps, i);
        if (rg_param_kind_of(p) != RG_PARAM)
            continue;
        assert_true(at + (size_t)rg_param_numel(p) <= flat->count);
        const rg_tensor x = rg_input(t, RG_F64, rg_param_shape(p), (const double *)flat->data + at);
        rg_assign(t, p, rg_cast(t, x, rg_param_dtype(p)));
        at += (size_t)rg_param_numel(p);
    }
    assert_int_equal(at, flat->count);
}

/* The largest relative difference from PyTorch's losses. */
static double run(const struct curve *curve, const struct golden_case *c, rg_dtype dtype)
{
    rg_tape *t = rg_tape_new(NULL);
    rg_params *ps = rg_params_new(1);
    rg_params_set_dtype(ps, dtype);
    network net;
    curve->make(ps, &net);
    assert_string_equal(rg_params_error(ps), "");
    fill(t, ps, &c->in[FLAT]);
    double worst = 0;
    for (size_t step = 0; step <= STEPS; step++) {
        rg_tape_reset(t);
        rg_set_training(t, step < STEPS);
        const rg_tensor logits = curve->logits(t, &net, batch(t, &c->in[X], step, dtype));
        const rg_tensor y = rg_reshape(t, batch(t, &c->in[Y], step, dtype), RG_SHAPE(-1));
        const int64_t classes = rg_shape_of(t, logits).dims[rg_shape_of(t, logits).rank - 1];
        const rg_tensor loss = rg_cross_entropy(t, rg_reshape(t, logits, RG_SHAPE(-1, classes)), y, NULL);
        if (step < STEPS) {
            rg_backward(t, loss);
            rg_optim_step(net.opt, t);
        }
        const double expected = ((const double *)c->out[0].data)[step];
        const double error = fabs(rg_item(t, loss) - expected) / expected;
        worst = error <= worst ? worst : error; /* NaN stays */
    }
    assert_tape_ok(t);
    rg_optim_free(net.opt);
    rg_tape_free(t);
    rg_params_free(ps);
    return worst;
}

static void check_curve(const struct curve *curve, const struct golden_case *c)
{
    const double *loss = c->out[0].data;
    assert_int_equal(c->out[0].count, STEPS + 1);
    assert_true(loss[STEPS - BATCHES] < 0.8 * loss[0]); /* the same batch, learnt */
    const double f64_error = run(curve, c, RG_F64), f32_error = run(curve, c, RG_F32);
    print_message("%-4s  largest relative error %.1e in f64, %.1e in f32\n", curve->key, f64_error, f32_error);
    assert_near(f64_error, 0, curve->f64_error);
    assert_near(f32_error, 0, curve->f32_error);
}

static void losses_of_training_runs_are_those_of_pytorch(void **state)
{
    (void)state;
    struct golden_file f;
    struct golden_case c;
    size_t cases = 0;
    if (!golden_open(&f, root, "curve"))
        fail_msg("%s (the project's root folder is the program's argument)", f.error);
    for (; golden_next(&f, &c); golden_case_free(&c), cases++) {
        assert_true(cases < COUNT(CURVES));
        assert_string_equal(c.key, CURVES[cases].key);
        check_curve(&CURVES[cases], &c);
    }
    golden_case_free(&c);
    assert_string_equal(f.error, "");
    golden_close(&f);
    assert_int_equal(cases, COUNT(CURVES));
}

int main(int argc, char **argv)
{
    root = argc > 1 ? argv[1] : root;
    const struct CMUnitTest tests[] = {
        TEST(losses_of_training_runs_are_those_of_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
