/* Layers: what golden values cannot hold. Names, modes, running statistics over steps, tying, gradients, errors. */
#include "nn_support.h"

static rg_params *store;

static int setup_store(void **state)
{
    store = rg_params_new(5);
    if (store == NULL || setup(state) != 0)
        return 1;
    rg_params_set_dtype(store, RG_F64);
    return 0;
}

static int teardown_store(void **state)
{
    teardown(state);
    rg_params_free(store);
    return 0;
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup_store, teardown_store)

/* The tape's own stream: the data of these tests do not matter. */
static rg_tensor data(rg_tape *t, rg_shape shape)
{
    return rg_randn(t, RG_F64, shape);
}

static const double *values_of(const char *name)
{
    const rg_param *p = rg_params_find(store, name);
    if (p == NULL)
        fail_msg("there is no '%s': %s", name, rg_params_error(store));
    return rg_param_data(p);
}

static void assert_entry(const char *name, rg_param_kind kind, rg_shape shape)
{
    const rg_param *p = rg_params_find(store, name);
    if (p == NULL)
        fail_msg("there is no '%s': %s", name, rg_params_error(store));
    assert_int_equal(rg_param_kind_of(p), kind);
    if (!rg_shape_equal(rg_param_shape(p), shape))
        fail_msg("'%s' has another shape", name);
}

/* ---- names and shapes ---------------------------------------------------------------------------------------------- */

static void layers_call_their_entries_as_pytorch_does(void **state)
{
    (void)state;
    rg_params_scope_push(store, "net");
    const rg_conv_layer conv = rg_conv_layer_new(store, "c", 4, 6, RG_SHAPE(3, 2), &(rg_conv_layer_config){.groups = 2});
    rg_conv_transpose_layer_new(store, "t", 4, 6, RG_SHAPE(5), &(rg_conv_layer_config){.groups = 2, .no_bias = true});
    rg_batch_norm_layer_new(store, "b", 6, NULL);
    rg_instance_norm_layer_new(store, "i", 3, &(rg_instance_norm_config){.tracking = true});
    rg_layer_norm_layer_new(store, "l", RG_SHAPE(2, 3), NULL);
    rg_rms_norm_layer_new(store, "r", RG_SHAPE(3), NULL);
    rg_group_norm_layer_new(store, "g", 2, 4, &(rg_norm_config){.no_bias = true});
    rg_embedding_layer_new(store, "e", 7, 2, NULL);
    rg_bilinear_layer_new(store, "z", 2, 3, 4, false);
    rg_prelu_layer_new(store, "p", 3);
    rg_params_scope_pop(store);
    assert_string_equal(rg_params_error(store), "");
    assert_string_equal(rg_params_scope(store), "");
    assert_entry("net.c.weight", RG_PARAM, RG_SHAPE(6, 2, 3, 2));
    assert_entry("net.c.bias", RG_PARAM, RG_SHAPE(6));
    assert_entry("net.t.weight", RG_PARAM, RG_SHAPE(4, 3, 5));
    assert_null(rg_params_find(store, "net.t.bias"));
    assert_entry("net.b.weight", RG_PARAM, RG_SHAPE(6));
    assert_entry("net.b.running_var", RG_BUFFER, RG_SHAPE(6));
    assert_entry("net.b.num_batches_tracked", RG_BUFFER, RG_SCALAR);
    assert_int_equal(rg_param_dtype(rg_params_find(store, "net.b.num_batches_tracked")), RG_I64);
    assert_entry("net.i.running_mean", RG_BUFFER, RG_SHAPE(3));
    assert_null(rg_params_find(store, "net.i.weight"));
    assert_entry("net.l.bias", RG_PARAM, RG_SHAPE(2, 3));
    assert_entry("net.r.weight", RG_PARAM, RG_SHAPE(3));
    assert_null(rg_params_find(store, "net.r.bias"));
    assert_null(rg_params_find(store, "net.g.bias"));
    assert_entry("net.e.weight", RG_PARAM, RG_SHAPE(7, 2));
    assert_entry("net.z.weight", RG_PARAM, RG_SHAPE(4, 2, 3));
    assert_entry("net.p.weight", RG_PARAM, RG_SHAPE(3));

    rg_scope_push(tape, "net");
    const rg_tensor y = rg_conv_layer_forward(tape, &conv, data(tape, RG_SHAPE(4, 4, 4)));
    rg_scope_pop(tape);
    rg_node node;
    assert_true(rg_tape_node(tape, y, &node));
    assert_string_equal(node.scope, "net.c");
    assert_string_equal(rg_scope(tape), "");
    assert_true(rg_shape_equal(node.shape, RG_SHAPE(6, 2, 3)));
}

/* ---- batch norm: running statistics ---------------------------------------------------------------------------------- */

enum { CHANNELS = 2, ROWS = 5, STEPS = 3 };

/* Mean and unbiased variance of a channel of rows of values. */
static void moments(const double *x, int channel, double *mean, double *var)
{
    *mean = *var = 0;
    for (int i = 0; i < ROWS; i++)
        *mean += x[i * CHANNELS + channel] / ROWS;
    for (int i = 0; i < ROWS; i++)
        *var += pow(x[i * CHANNELS + channel] - *mean, 2) / (ROWS - 1);
}

static void running_statistics_follow_the_batches(void **state)
{
    (void)state;
    const rg_batch_norm_layer moving = rg_batch_norm_layer_new(store, "m", CHANNELS, NULL);
    const rg_batch_norm_layer mean_of_all =
        rg_batch_norm_layer_new(store, "c", CHANNELS, &(rg_batch_norm_config){.cumulative = true});
    double expected[2][2][CHANNELS] = {{{0, 0}, {1, 1}}, {{0, 0}, {0, 0}}};
    for (int step = 0; step < STEPS; step++) {
        const rg_tensor x = data(tape, RG_SHAPE(ROWS, CHANNELS));
        rg_keep(tape, rg_batch_norm_layer_forward(tape, &moving, x));
        rg_keep(tape, rg_batch_norm_layer_forward(tape, &mean_of_all, x));
        const double *values = rg_data_f64(tape, x);
        assert_tape_ok(tape);
        for (int c = 0; c < CHANNELS; c++) {
            double mean, var;
            moments(values, c, &mean, &var);
            expected[0][0][c] += 0.1 * (mean - expected[0][0][c]);
            expected[0][1][c] += 0.1 * (var - expected[0][1][c]);
            expected[1][0][c] += mean / STEPS;
            expected[1][1][c] += var / STEPS;
        }
        rg_tape_reset(tape);
    }
    for (int c = 0; c < CHANNELS; c++) {
        assert_near(values_of("m.running_mean")[c], expected[0][0][c], 1e-14);
        assert_near(values_of("m.running_var")[c], expected[0][1][c], 1e-14);
        assert_near(values_of("c.running_mean")[c], expected[1][0][c], 1e-14);
        assert_near(values_of("c.running_var")[c], expected[1][1][c], 1e-14);
    }
    assert_int_equal(*(const int64_t *)rg_param_data(moving.num_batches_tracked), STEPS);
    assert_int_equal(*(const int64_t *)rg_param_data(mean_of_all.num_batches_tracked), STEPS);
}

static void calls_in_one_step_follow_one_another(void **state)
{
    (void)state;
    double last[2][CHANNELS];
    for (int steps = 1; steps <= 2; steps++) {
        const rg_batch_norm_layer layer = rg_batch_norm_layer_new(store, steps == 1 ? "one" : "two", CHANNELS, NULL);
        for (int i = 0; i < 2; i++) {
            const rg_tensor x = rg_full(tape, RG_F64, RG_SHAPE(ROWS, CHANNELS), 3 + 4 * i);
            rg_batch_norm_layer_forward(tape, &layer, x);
            if (steps == 2)
                rg_tape_reset(tape);
        }
        rg_tape_reset(tape);
        assert_tape_ok(tape);
        assert_int_equal(*(const int64_t *)rg_param_data(layer.num_batches_tracked), 2);
        memcpy(last[steps - 1], rg_param_data(layer.running_mean), sizeof last[0]);
    }
    assert_memory_equal(last[0], last[1], sizeof last[0]);
    assert_near(last[0][0], 0.9 * 0.3 + 0.7, 1e-15);
}

static void evaluation_uses_the_running_statistics_and_leaves_them(void **state)
{
    (void)state;
    const rg_batch_norm_layer layer = rg_batch_norm_layer_new(store, "b", 1, &(rg_batch_norm_config){.eps = RG_ZERO});
    rg_init_constant(layer.running_mean, 2);
    rg_init_constant(layer.running_var, 4);
    rg_set_training(tape, false);
    /* one value a channel is enough here, and too few in training */
    const rg_tensor x = rg_full(tape, RG_F64, RG_SHAPE(1, 1), 8);
    assert_near(rg_item(tape, rg_batch_norm_layer_forward(tape, &layer, x)), 3, 1e-15);
    rg_tape_reset(tape);
    assert_false(rg_training(tape)); /* the mode stays through resets */
    assert_near(values_of("b.running_mean")[0], 2, 0);
    assert_int_equal(*(const int64_t *)rg_param_data(layer.num_batches_tracked), 0);
    rg_set_training(tape, true);
    rg_batch_norm_layer_forward(tape, &layer, rg_full(tape, RG_F64, RG_SHAPE(1, 1), 8));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("batch_norm", "(in b)"));
    rg_tape_reset(tape);
    assert_near(values_of("b.running_mean")[0], 2, 0); /* a failed step changes nothing */
}

static void statistics_are_not_part_of_the_gradient_in_evaluation(void **state)
{
    (void)state;
    const rg_batch_norm_layer layer = rg_batch_norm_layer_new(store, "b", 2, &(rg_batch_norm_config){.eps = RG_ZERO});
    const rg_tensor x = data(tape, RG_SHAPE(4, 2));
    rg_tensor g[2];
    for (int training = 0; training < 2; training++) {
        rg_set_training(tape, training);
        const rg_tensor y = rg_batch_norm_layer_forward(tape, &layer, x);
        assert_true(rg_grad(tape, rg_sum(tape, y, RG_ALL, false), &x, 1, &g[training]));
    }
    for (int i = 0; i < 8; i++) {
        assert_near(rg_data_f64(tape, g[0])[i], 1, 1e-15);
        assert_near(rg_data_f64(tape, g[1])[i], 0, 1e-14);
    }
    assert_tape_ok(tape);
}

/* ---- modes ------------------------------------------------------------------------------------------------------------ */

static void dropout_layers_ask_the_tape(void **state)
{
    (void)state;
    enum { N = 40, C = 50, L = 6 };
    const rg_tensor x = rg_ones(tape, RG_F64, RG_SHAPE(N, C, L));
    const rg_tensor each = rg_dropout_layer(tape, x, 0.5), channels = rg_feature_dropout_layer(tape, x, 0.25);
    const rg_tensor alpha = rg_alpha_dropout_layer(tape, x, 0.5);
    const rg_tensor slopes = rg_rrelu_layer(tape, rg_neg(tape, x), 0.25, 0.75);
    const double *e = rg_data_f64(tape, each), *c = rg_data_f64(tape, channels), *s = rg_data_f64(tape, slopes);
    assert_tape_ok(tape);
    int dropped = 0, whole = 0;
    for (int i = 0; i < N * C * L; i++) {
        assert_true(e[i] == 0 || e[i] == 2);
        assert_true(s[i] <= -0.25 && s[i] > -0.75);
        dropped += e[i] == 0;
        assert_true(c[i] == c[i / L * L]);
        whole += c[i] == 0;
    }
    assert_near((double)dropped / (N * C * L), 0.5, 0.02);
    assert_near((double)whole / (N * C * L), 0.25, 0.04);
    assert_true(rg_data_f64(tape, slopes)[0] != rg_data_f64(tape, slopes)[1]);
    assert_true(rg_data_f64(tape, alpha)[0] != 1);

    rg_set_training(tape, false);
    const rg_tensor same[] = {rg_dropout_layer(tape, x, 0.5), rg_feature_dropout_layer(tape, x, 0.5),
                              rg_alpha_dropout_layer(tape, x, 0.5)};
    for (size_t i = 0; i < COUNT(same); i++)
        assert_true(same[i].id == x.id);
    assert_near(rg_data_f64(tape, rg_rrelu_layer(tape, rg_neg(tape, x), 0.25, 0.75))[0], -0.5, 0);
    rg_set_training(tape, true);
    assert_true(rg_is_nil(rg_dropout_layer(tape, x, 1.5)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("dropout", "1.5"));
}

/* ---- embedding ---------------------------------------------------------------------------------------------------------- */

static void the_row_of_padding_starts_as_zeros_and_stays(void **state)
{
    (void)state;
    const int64_t last = -1, index[] = {4, 0, 4};
    const rg_embedding_layer layer = rg_embedding_layer_new(store, "e", 5, 3, &(rg_embedding_config){.padding = &last});
    assert_int_equal(layer.padding, 4);
    const double *w = values_of("e.weight");
    for (int i = 0; i < 15; i++)
        assert_true((w[i] == 0) == (i >= 12));
    rg_optim *opt = rg_sgd_new(store, &(rg_sgd_config){.lr = 1});
    const rg_tensor y = rg_embedding_layer_forward(tape, &layer, rg_input_i64(tape, RG_SHAPE(3), index));
    const double before = w[0];
    rg_backward(tape, rg_sum(tape, y, RG_ALL, false));
    rg_optim_step(opt, tape);
    rg_tape_reset(tape);
    assert_tape_ok(tape);
    w = values_of("e.weight");
    assert_near(w[0], before - 1, 1e-15);
    for (int i = 12; i < 15; i++)
        assert_true(w[i] == 0);
    rg_optim_free(opt);
}

static void only_rows_that_are_looked_up_are_shortened(void **state)
{
    (void)state;
    const rg_embedding_layer layer = rg_embedding_layer_new(store, "e", 3, 2, &(rg_embedding_config){.max_norm = 1});
    const double values[] = {3, 4, 6, 8, 0.1, 0.2};
    assert_true(rg_param_set(layer.weight, values, sizeof values));
    const int64_t index[] = {2, 0, 0};
    const rg_tensor y = rg_embedding_layer_forward(tape, &layer, rg_input_i64(tape, RG_SHAPE(3), index));
    const double *found = rg_data_f64(tape, y);
    const double scale = 1 / (5 + 1e-7), expected[] = {3 * scale, 4 * scale, 6, 8, 0.1, 0.2};
    for (int i = 0; i < 2; i++) {
        assert_near(found[i], values[4 + i], 0);
        assert_near(found[2 + i], expected[i], 1e-15);
        assert_near(found[4 + i], expected[i], 1e-15);
    }
    rg_tape_reset(tape);
    assert_tape_ok(tape);
    for (int i = 0; i < 6; i++)
        assert_near(values_of("e.weight")[i], expected[i], 1e-15);
}

/* ---- weight tying --------------------------------------------------------------------------------------------------------- */

static void a_parameter_of_two_layers_gets_the_sum_of_their_gradients(void **state)
{
    (void)state;
    const int64_t index[] = {1, 3};
    double separate[2][12], tied[12];
    const rg_embedding_layer in = rg_embedding_layer_new(store, "in", 4, 3, NULL);
    rg_linear out = rg_linear_new(store, "out", 3, 4);
    assert_true(rg_param_set(out.weight, rg_param_data(in.weight), 12 * sizeof(double)));
    for (int tie = 0; tie < 2; tie++) {
        if (tie)
            out.weight = in.weight;
        const rg_tensor h = rg_embedding_layer_forward(tape, &in, rg_input_i64(tape, RG_SHAPE(2), index));
        const rg_tensor y = rg_linear_forward(tape, &out, rg_tanh(tape, h));
        rg_backward(tape, rg_sum(tape, rg_square(tape, y), RG_ALL, false));
        assert_true(rg_read(tape, rg_param_grad(tape, in.weight), tie ? tied : separate[0], sizeof tied));
        if (!tie)
            assert_true(rg_read(tape, rg_param_grad(tape, out.weight), separate[1], sizeof tied));
        rg_params_clear_grads(tape, store);
        rg_tape_reset(tape);
        assert_tape_ok(tape);
    }
    double size = 0;
    for (int i = 0; i < 12; i++) {
        assert_near(tied[i], separate[0][i] + separate[1][i], 1e-14);
        size += fabs(separate[0][i]) > 1e-3 && fabs(separate[1][i]) > 1e-3;
    }
    assert_true(size > 0); /* there was something to sum */
}

/* ---- gradients ------------------------------------------------------------------------------------------------------------- */

struct checked {
    rg_conv_layer conv, transposed;
    rg_batch_norm_layer batch, running;
    rg_bilinear_layer bilinear;
    rg_prelu_layer prelu;
};

static rg_tensor conv_batch_norm_conv(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    const struct checked *c = user;
    (void)count;
    const rg_tensor y = rg_batch_norm_layer_forward(t, &c->batch, rg_conv_layer_forward(t, &c->conv, x[0]));
    return rg_conv_layer_forward(t, &c->transposed, rg_tanh(t, y));
}

static rg_tensor prelu_alone(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    const struct checked *c = user;
    (void)count;
    return rg_square(t, rg_prelu_layer_forward(t, &c->prelu, x[0]));
}

static rg_tensor batch_norm_evaluated(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    const struct checked *c = user;
    (void)count;
    rg_set_training(t, false);
    const rg_tensor y = rg_batch_norm_layer_forward(t, &c->running, x[0]);
    rg_set_training(t, true);
    return rg_square(t, y);
}

static rg_tensor bilinear_of_both(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    const struct checked *c = user;
    (void)count;
    return rg_bilinear_layer_forward(t, &c->bilinear, x[0], x[1]);
}

static void assert_checked(rg_function f, struct checked *c, const rg_array *inputs, int count)
{
    const rg_gradcheck_config config = {.params = store};
    rg_gradcheck_report report;
    if (!rg_gradcheck(f, c, inputs, count, &config, &report) || !rg_gradcheck2(f, c, inputs, count, &config, &report))
        fail_msg("%s", report.message);
    assert_true(report.compared > 0);
}

static void gradients_of_layers_agree_with_differences(void **state)
{
    (void)state;
    struct checked c = {
        .conv = rg_conv_layer_new(store, "conv", 2, 3, RG_SHAPE(2, 2), &(rg_conv_layer_config){.padding = RG_SHAPE(1)}),
        .batch = rg_batch_norm_layer_new(store, "batch", 3, NULL),
        .transposed = rg_conv_transpose_layer_new(store, "up", 3, 1, RG_SHAPE(2, 2),
                                                  &(rg_conv_layer_config){.stride = RG_SHAPE(2)}),
    };
    double x[36], x2[8];
    rg_rng rng = rg_rng_new(3, 0);
    rg_rng_normal_f64(&rng, x, COUNT(x), 0, 1);
    rg_rng_normal_f64(&rng, x2, COUNT(x2), 0, 1);
    assert_checked(conv_batch_norm_conv, &c, &(rg_array){RG_F64, RG_SHAPE(2, 2, 3, 3), x}, 1);
    c.prelu = rg_prelu_layer_new(store, "prelu", 3);
    for (size_t i = 0; i < COUNT(x); i++)
        x[i] += x[i] < 0 ? -0.5 : 0.5; /* away from the kink */
    assert_checked(prelu_alone, &c, &(rg_array){RG_F64, RG_SHAPE(4, 3, 3), x}, 1);
    c.running = rg_batch_norm_layer_new(store, "running", 3, NULL);
    assert_checked(batch_norm_evaluated, &c, &(rg_array){RG_F64, RG_SHAPE(4, 3), x}, 1);
    c.bilinear = rg_bilinear_layer_new(store, "bilinear", 3, 2, 2, false);
    assert_checked(bilinear_of_both, &c, (const rg_array[]){{RG_F64, RG_SHAPE(4, 3), x}, {RG_F64, RG_SHAPE(4, 2), x2}},
                   2);
    assert_string_equal(rg_params_error(store), "");
}

/* ---- threads ------------------------------------------------------------------------------------------------------------------ */

static void train(int threads, char fingerprint[33])
{
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads, .seed = 3});
    rg_params *ps = rg_params_new(9);
    const rg_embedding_layer table = rg_embedding_layer_new(ps, "e", 20, 64, &(rg_embedding_config){.max_norm = 7});
    const rg_conv_layer conv =
        rg_conv_layer_new(ps, "c", 4, 16, RG_SHAPE(3, 3), &(rg_conv_layer_config){.padding = RG_SHAPE(1)});
    const rg_batch_norm_layer norm = rg_batch_norm_layer_new(ps, "b", 16, &(rg_batch_norm_config){.cumulative = true});
    const rg_prelu_layer prelu = rg_prelu_layer_new(ps, "p", 16);
    const rg_bilinear_layer last = rg_bilinear_layer_new(ps, "l", 1024, 3, 5, false);
    rg_optim *opt = rg_sgd_new(ps, &(rg_sgd_config){.lr = 0.1});
    for (int step = 0; step < 3; step++) {
        const rg_tensor index = rg_randint(t, RG_SHAPE(32, 4), 0, 20);
        const rg_tensor rows = rg_embedding_layer_forward(t, &table, index);
        rg_tensor x = rg_conv_layer_forward(t, &conv, rg_reshape(t, rows, RG_SHAPE(32, 4, 8, 8)));
        x = rg_prelu_layer_forward(t, &prelu, rg_batch_norm_layer_forward(t, &norm, x));
        x = rg_feature_dropout_layer(t, rg_dropout_layer(t, x, 0.2), 0.1);
        x = rg_bilinear_layer_forward(t, &last, rg_reshape(t, x, RG_SHAPE(32, 1024)),
                                      rg_ones(t, RG_F32, RG_SHAPE(32, 3)));
        rg_backward(t, rg_mean(t, rg_square(t, x), RG_ALL, false));
        rg_optim_step(opt, t);
        rg_tape_reset(t);
    }
    assert_tape_ok(t);
    assert_string_equal(rg_params_error(ps), "");
    rg_params_fingerprint(ps, fingerprint);
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
}

static void training_does_not_depend_on_the_number_of_threads(void **state)
{
    (void)state;
    char one[33], two[33];
    train(1, one);
    train(2, two);
    assert_string_equal(one, two);
}

/* ---- errors -------------------------------------------------------------------------------------------------------------------- */

#define REFUSES(status, word, made)                      \
    do {                                                 \
        if (made)                                        \
            fail_msg("%s: that was made", #made);        \
        assert_store_error(store, status, word);         \
        assert_string_equal(rg_params_scope(store), ""); \
    } while (0)
#define CONV_NEW(in, out, kernel, ...) \
    rg_conv_layer_new(store, "conv", in, out, kernel, &(rg_conv_layer_config){__VA_ARGS__})
#define EMBEDDING_NEW(rows, width, ...) \
    rg_embedding_layer_new(store, "emb", rows, width, &(rg_embedding_config){__VA_ARGS__})

static void layers_refuse_what_makes_no_sense(void **state)
{
    (void)state;
    REFUSES(RG_ERROR_SHAPE, "'conv'", CONV_NEW(1, 1, RG_SCALAR, 0).weight != NULL);
    REFUSES(RG_ERROR_SHAPE, "[3, 3, 3, 3]", CONV_NEW(1, 1, RG_SHAPE(3, 3, 3, 3), 0).weight != NULL);
    REFUSES(RG_ERROR_SHAPE, "[3, 0]", CONV_NEW(1, 1, RG_SHAPE(3, 0), 0).weight != NULL);
    REFUSES(RG_ERROR_SHAPE, "rank -2147483648", CONV_NEW(1, 1, ((rg_shape){.rank = INT32_MIN}), 0).weight != NULL);
    REFUSES(RG_ERROR_ARGUMENT, "2 groups", CONV_NEW(3, 2, RG_SHAPE(3), .groups = 2).weight != NULL);
    REFUSES(RG_ERROR_ARGUMENT, "2 groups", CONV_NEW(2, 3, RG_SHAPE(3), .groups = 2).weight != NULL);
    REFUSES(RG_ERROR_ARGUMENT, "-1 groups", CONV_NEW(2, 2, RG_SHAPE(3), .groups = -1).weight != NULL);
    REFUSES(RG_ERROR_ARGUMENT, "-4 channels", CONV_NEW(-4, 2, RG_SHAPE(3), 0).weight != NULL);
    REFUSES(RG_ERROR_SHAPE, "conv.weight", CONV_NEW(INT64_MAX, INT64_MAX, RG_SHAPE(3), 0).weight != NULL);
    REFUSES(RG_ERROR_ARGUMENT, "transposed",
            rg_conv_transpose_layer_new(store, "t", 1, 1, RG_SHAPE(3), &(rg_conv_layer_config){.same = true}).weight !=
                NULL);
    REFUSES(RG_ERROR_ARGUMENT, "transposed",
            rg_conv_transpose_layer_new(store, "t", 1, 1, RG_SHAPE(3), &(rg_conv_layer_config){.mode = RG_PAD_CIRCULAR})
                    .weight != NULL);
    REFUSES(RG_ERROR_ARGUMENT, "0 channels", rg_batch_norm_layer_new(store, "b", 0, NULL).channels != 0);
    REFUSES(RG_ERROR_ARGUMENT, "-1 channels", rg_instance_norm_layer_new(store, "i", -1, NULL).channels != 0);
    REFUSES(RG_ERROR_SHAPE, "rank 0", rg_layer_norm_layer_new(store, "l", RG_SCALAR, NULL).normalized.rank != 0);
    REFUSES(RG_ERROR_SHAPE, "[-3]", rg_rms_norm_layer_new(store, "r", RG_SHAPE(-3), NULL).normalized.rank != 0);
    REFUSES(RG_ERROR_ARGUMENT, "3 groups", rg_group_norm_layer_new(store, "g", 3, 4, NULL).channels != 0);
    REFUSES(RG_ERROR_ARGUMENT, "0 groups", rg_group_norm_layer_new(store, "g", 0, 4, NULL).channels != 0);
    REFUSES(RG_ERROR_ARGUMENT, "padding", EMBEDDING_NEW(3, 2, .padding = (const int64_t[]){3}).weight != NULL);
    REFUSES(RG_ERROR_ARGUMENT, "padding", EMBEDDING_NEW(3, 2, .padding = (const int64_t[]){-4}).weight != NULL);
    REFUSES(RG_ERROR_ARGUMENT, "padding", EMBEDDING_NEW(0, 2, .padding = (const int64_t[]){INT64_MIN}).weight != NULL);
    REFUSES(RG_ERROR_ARGUMENT, "max_norm", EMBEDDING_NEW(3, 2, .max_norm = -1).weight != NULL);
    REFUSES(RG_ERROR_ARGUMENT, "max_norm", EMBEDDING_NEW(3, 2, .max_norm = (double)NAN).weight != NULL);
    REFUSES(RG_ERROR_ARGUMENT, "norm_type", EMBEDDING_NEW(3, 2, .norm_type = (double)NAN).weight != NULL);
    REFUSES(RG_ERROR_SHAPE, "emb.weight", EMBEDDING_NEW(-3, 2, 0).weight != NULL);
    REFUSES(RG_ERROR_ARGUMENT, "in1", rg_bilinear_layer_new(store, "z", 0, 2, 2, false).weight != NULL);
    REFUSES(RG_ERROR_ARGUMENT, "slopes", rg_prelu_layer_new(store, "p", 0).weight != NULL);
    REFUSES(RG_ERROR_ARGUMENT, "name", rg_prelu_layer_new(store, NULL, 1).weight != NULL);
    assert_int_equal(rg_params_count(store), 0); /* none of them left anything behind */
}

/* Where only a part could be made, the layer must not work without the rest. */
static void half_a_layer_is_none(void **state)
{
    (void)state;
    static const char *const TAKEN[] = {"conv.bias", "b.bias", "b.running_var", "b.num_batches_tracked",
                                        "l.bias",    "z.bias"};
    for (size_t i = 0; i < COUNT(TAKEN); i++) {
        rg_params *ps = rg_params_new(1);
        rg_param_new(ps, TAKEN[i], RG_F32, RG_SHAPE(1), NULL);
        switch (TAKEN[i][0]) {
        case 'c': assert_null(rg_conv_layer_new(ps, "conv", 1, 1, RG_SHAPE(1), NULL).weight); break;
        case 'b': assert_int_equal(rg_batch_norm_layer_new(ps, "b", 2, NULL).channels, 0); break;
        case 'l': assert_int_equal(rg_layer_norm_layer_new(ps, "l", RG_SHAPE(2), NULL).normalized.rank, 0); break;
        case 'z': assert_null(rg_bilinear_layer_new(ps, "z", 2, 2, 2, false).weight); break;
        }
        if (strstr(rg_params_error(ps), TAKEN[i]) == NULL)
            fail_msg("'%s' does not say '%s'", rg_params_error(ps), TAKEN[i]);
        rg_params_free(ps);
    }
}

#define UNUSABLE(function, type, ...)                                                  \
    do {                                                                               \
        const type failed = {.name = "lost"};                                          \
        assert_true(rg_is_nil(function(tape, &failed, __VA_ARGS__)));                  \
        assert_error(tape, RG_ERROR_STATE, WORDS(&#function[3], "lost", "its store")); \
        assert_true(rg_is_nil(function(tape, NULL, __VA_ARGS__)));                     \
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS(&#function[3], "NULL"));           \
    } while (0)

static void layers_that_could_not_be_made_are_errors_when_used(void **state)
{
    (void)state;
    const rg_tensor x = data(tape, RG_SHAPE(2, 3));
    UNUSABLE(rg_conv_layer_forward, rg_conv_layer, x);
    UNUSABLE(rg_batch_norm_layer_forward, rg_batch_norm_layer, x);
    UNUSABLE(rg_instance_norm_layer_forward, rg_instance_norm_layer, x);
    UNUSABLE(rg_layer_norm_layer_forward, rg_layer_norm_layer, x);
    UNUSABLE(rg_rms_norm_layer_forward, rg_rms_norm_layer, x);
    UNUSABLE(rg_group_norm_layer_forward, rg_group_norm_layer, x);
    UNUSABLE(rg_embedding_layer_forward, rg_embedding_layer, x);
    UNUSABLE(rg_bilinear_layer_forward, rg_bilinear_layer, x, x);
    UNUSABLE(rg_prelu_layer_forward, rg_prelu_layer, x);
}

static void forward_refuses_what_does_not_fit(void **state)
{
    (void)state;
    const rg_batch_norm_layer batch = rg_batch_norm_layer_new(store, "b", 3, &(rg_batch_norm_config){.no_affine = true});
    const rg_group_norm_layer group = rg_group_norm_layer_new(store, "g", 1, 3, &(rg_norm_config){.no_affine = true});
    const rg_bilinear_layer bilinear = rg_bilinear_layer_new(store, "z", 3, 2, 4, true);
    rg_conv_layer conv = rg_conv_layer_new(store, "c", 3, 2, RG_SHAPE(3), NULL);
    rg_batch_norm_layer all = rg_batch_norm_layer_new(store, "a", 3, &(rg_batch_norm_config){.cumulative = true});
    const rg_embedding_layer table = rg_embedding_layer_new(store, "e", 3, 2, &(rg_embedding_config){.max_norm = 1});
    rg_tensor x = data(tape, RG_SHAPE(4, 2));
    rg_batch_norm_layer_forward(tape, &batch, x);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("batch_norm_layer_forward", "[4, 2]", "3 channels"));
    x = data(tape, RG_SHAPE(4, 2));
    rg_group_norm_layer_forward(tape, &group, x);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("group_norm_layer_forward", "[4, 2]", "3 channels"));
    x = data(tape, RG_SHAPE(4, 2));
    rg_bilinear_layer_forward(tape, &bilinear, x, x);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("bilinear_layer_forward", "[4, 2]", "[4, 3, 2]"));
    rg_bilinear_layer_forward(tape, &bilinear, RG_NIL, RG_NIL);
    assert_error(tape, RG_ERROR_HANDLE, WORDS("bilinear_layer_forward", "x1"));
    rg_batch_norm_layer_forward(tape, &batch, RG_NIL);
    assert_error(tape, RG_ERROR_HANDLE, WORDS("batch_norm_layer_forward", "x"));
    all.num_batches_tracked = NULL;
    x = data(tape, RG_SHAPE(4, 3));
    rg_batch_norm_layer_forward(tape, &all, x);
    assert_error(tape, RG_ERROR_STATE, WORDS("batch_norm_layer_forward", "num_batches_tracked"));
    rg_embedding_layer_forward(tape, &table, RG_NIL);
    assert_int_not_equal(rg_tape_status(tape), RG_OK);
    rg_tape_clear_error(tape);
    rg_embedding_layer_forward(tape, &table, rg_input_i64(tape, RG_SHAPE(1), (const int64_t[]){3}));
    rg_tape_reset(tape);
    assert_int_not_equal(rg_tape_status(tape), RG_OK); /* there is no row 3 */
    rg_tape_clear_error(tape);
    conv.weight = batch.running_mean;
    rg_conv_layer_forward(tape, &conv, data(tape, RG_SHAPE(1, 3, 4)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("conv_layer_forward", "b.running_mean", "[3]"));
    assert_string_equal(rg_scope(tape), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(layers_call_their_entries_as_pytorch_does),
        STORE_TEST(running_statistics_follow_the_batches),
        STORE_TEST(calls_in_one_step_follow_one_another),
        STORE_TEST(evaluation_uses_the_running_statistics_and_leaves_them),
        STORE_TEST(statistics_are_not_part_of_the_gradient_in_evaluation),
        STORE_TEST(dropout_layers_ask_the_tape),
        STORE_TEST(the_row_of_padding_starts_as_zeros_and_stays),
        STORE_TEST(only_rows_that_are_looked_up_are_shortened),
        STORE_TEST(a_parameter_of_two_layers_gets_the_sum_of_their_gradients),
        STORE_TEST(gradients_of_layers_agree_with_differences),
        STORE_TEST(training_does_not_depend_on_the_number_of_threads),
        STORE_TEST(layers_refuse_what_makes_no_sense),
        STORE_TEST(half_a_layer_is_none),
        STORE_TEST(layers_that_could_not_be_made_are_errors_when_used),
        STORE_TEST(forward_refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
