/* The ops of networks, where golden values say too little: laws, statistics of what is random, large inputs, bad arguments. */
#include "tape_support.h"

#define NONE RG_NIL

static rg_tensor normal(rg_tape *t, rg_shape shape)
{
    return rg_randn(t, RG_F64, shape);
}

static double number(rg_tensor x)
{
    const double value = rg_item(tape, x);
    assert_tape_ok(tape);
    return value;
}

/* The largest difference of two tensors. */
static double difference(rg_tensor a, rg_tensor b)
{
    return number(rg_max(tape, rg_abs(tape, rg_sub(tape, a, b)), RG_ALL, false));
}

/* ---- normalisation ---- */

static void batch_norm_normalises_and_updates(void **state)
{
    (void)state;
    const rg_tensor x = F64(RG_SHAPE(4, 1), 1, 2, 3, 6);
    rg_running running = {F64(RG_SHAPE(1), 10), F64(RG_SHAPE(1), 2)};
    const rg_tensor old = running.mean, y = rg_batch_norm(tape, x, &running, NONE, NONE, true, .25, 0);
    assert_values(y, -2 / sqrt(3.5), -1 / sqrt(3.5), 0, 3 / sqrt(3.5));
    assert_values(running.mean, .75 * 10 + .25 * 3);
    assert_values(running.var, .75 * 2 + .25 * 14. / 3);
    assert_values(old, 10);
    const rg_running before = running;
    assert_values(rg_batch_norm(tape, x, &running, NONE, NONE, false, .25, 0), -7.25 / sqrt(1.5 + 3.5 / 3),
                  -6.25 / sqrt(1.5 + 3.5 / 3), -5.25 / sqrt(1.5 + 3.5 / 3), -2.25 / sqrt(1.5 + 3.5 / 3));
    assert_memory_equal(&before, &running, sizeof before);
}

/* Rows longer than a step of a plan takes are cut into parts; means far from 0 must not cost the variance its digits. */
static void statistics_of_long_rows_are_accurate(void **state)
{
    (void)state;
    const rg_shape shapes[] = {RG_SHAPE(2, 2, 140000), RG_SHAPE(3, 2, 300, 300), RG_SHAPE(2, 2, 65537)};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        const rg_tensor x = rg_add_scalar(tape, rg_rand(tape, RG_F32, shapes[i]), 1000);
        const rg_tensor y = rg_cast(tape, rg_batch_norm(tape, x, NULL, NONE, NONE, true, .1, 0), RG_F64);
        const rg_tensor line = rg_reshape(tape, rg_transpose(tape, y, 0, 1), RG_SHAPE(2, -1));
        const rg_tensor mean = rg_mean(tape, line, RG_AXES(1), false), var = rg_var(tape, line, RG_AXES(1), 0, false);
        assert_true(difference(mean, rg_zeros_like(tape, mean)) < 1e-3);
        assert_true(difference(var, rg_ones_like(tape, var)) < 1e-4);
        const rg_tensor each =
            rg_reshape(tape, rg_instance_norm(tape, rg_cast(tape, x, RG_F64), NULL, NONE, NONE, true, .1, 0),
                       RG_SHAPE(shapes[i].dims[0] * 2, -1));
        const rg_tensor one = rg_var(tape, each, RG_AXES(1), 0, false);
        assert_true(difference(one, rg_ones_like(tape, one)) < 1e-12);
        rg_tape_reset(tape);
    }
}

/* Value and gradients, as bytes. */
static void train(int threads, float *out, size_t bytes)
{
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads, .seed = 5});
    const rg_tensor x = rg_randn(t, RG_F32, RG_SHAPE(8, 16, 20, 20)), w = rg_randn(t, RG_F32, RG_SHAPE(16));
    const rg_tensor y = rg_batch_norm(t, x, NULL, w, w, true, .1, 1e-5), z = rg_group_norm(t, y, 4, w, w, 1e-5);
    const rg_tensor loss = rg_sum(t, rg_mul(t, z, rg_randn_like(t, x)), RG_ALL, false);
    rg_tensor grad[2], flat[4];
    assert_true(rg_grad(t, loss, (rg_tensor[]){x, w}, 2, grad));
    for (int i = 0; i < 4; i++)
        flat[i] = rg_reshape(t, i < 2 ? grad[i] : i < 3 ? z : loss, RG_SHAPE(-1));
    assert_true(rg_read(t, rg_cat(t, flat, 4, 0), out, bytes));
    rg_tape_free(t);
}

static void normalisation_has_the_same_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    const size_t bytes = (2 * 8 * 16 * 400 + 16 + 1) * sizeof(float);
    float *one = malloc(bytes), *two = malloc(bytes);
    assert_true(one && two);
    train(1, one, bytes);
    train(2, two, bytes);
    assert_memory_equal(one, two, bytes);
    free(one);
    free(two);
}

static void bad_normalisations_are_errors(void **state)
{
    (void)state;
    const rg_tensor x = normal(tape, RG_SHAPE(2, 4, 3)), four = normal(tape, RG_SHAPE(4));
    const rg_tensor single = rg_cast(tape, four, RG_F32);
    rg_running half = {four, NONE};
    rg_layer_norm(tape, x, RG_SHAPE(4), NONE, NONE, 1e-5);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("layer_norm", "[4]", "[2, 4, 3]"));
    rg_layer_norm(tape, x, RG_SCALAR, NONE, NONE, 1e-5);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("layer_norm"));
    rg_layer_norm(tape, x, (rg_shape){.rank = 99}, NONE, NONE, 1e-5);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("layer_norm"));
    rg_layer_norm(tape, x, RG_SHAPE(3), four, NONE, 1e-5);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("layer_norm", "weight", "[4]", "[3]"));
    rg_layer_norm(tape, x, RG_SHAPE(3), NONE, NONE, NAN);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("layer_norm", "eps", "nan"));
    rg_rms_norm(tape, x, RG_SHAPE(2), NONE, 0);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("rms_norm", "[2]"));
    rg_group_norm(tape, x, 3, NONE, NONE, 1e-5);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("group_norm", "3 groups", "4 channels"));
    rg_group_norm(tape, x, INT64_MIN, NONE, NONE, 1e-5);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("group_norm"));
    rg_group_norm(tape, four, 1, NONE, NONE, 1e-5);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("group_norm", "rank 2"));
    rg_group_norm(tape, normal(tape, RG_SHAPE(1, 4)), 4, NONE, NONE, 1e-5);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("group_norm", "one value"));
    rg_batch_norm(tape, x, NULL, NONE, NONE, false, .1, 1e-5);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("batch_norm", "running"));
    rg_batch_norm(tape, x, &half, NONE, NONE, true, .1, 1e-5);
    assert_error(tape, RG_ERROR_HANDLE, WORDS("batch_norm"));
    rg_batch_norm(tape, x, NULL, single, NONE, true, .1, 1e-5);
    assert_error(tape, RG_ERROR_DTYPE, WORDS("batch_norm", "weight", "f32", "f64"));
    rg_batch_norm(tape, normal(tape, RG_SHAPE(1, 4)), NULL, NONE, NONE, true, .1, 1e-5);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("batch_norm", "one value"));
    rg_batch_norm(tape, x, NULL, NONE, NONE, true, INFINITY, 1e-5);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("batch_norm", "momentum"));
    rg_instance_norm(tape, normal(tape, RG_SHAPE(2, 4)), NULL, NONE, NONE, true, .1, 1e-5);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("instance_norm", "one value"));
    rg_normalize(tape, x, -1, 1, 1e-12);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("normalize", "p is -1"));
    rg_normalize(tape, x, 2, 3, 1e-12);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("normalize", "axis 3"));
    rg_local_response_norm(tape, x, 0, 1, 1, 1);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("local_response_norm", "size 0"));
    rg_local_response_norm(tape, four, 3, 1, 1, 1);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("local_response_norm", "rank 3"));
    rg_weight_norm(tape, x, four, 1);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("weight_norm", "g", "[1, 4, 1]"));
    rg_tensor out[1];
    assert_int_equal(rg_apply(tape, "batch_norm", (rg_tensor[]){x, four, four}, 3, "training=true", out, 1), 0);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("batch_norm", "3 needed"));
}

/* ---- attention ---- */

static void causal_attention_is_that_with_a_triangle(void **state)
{
    (void)state;
    const rg_tensor q = normal(tape, RG_SHAPE(2, 5, 3)), k = normal(tape, RG_SHAPE(2, 4, 3)),
                    v = normal(tape, RG_SHAPE(2, 4, 2));
    const rg_tensor row = rg_unsqueeze(tape, rg_arange(tape, RG_I64, 0, 5, 1), 1);
    const rg_tensor mask = rg_ge(tape, row, rg_arange(tape, RG_I64, 0, 4, 1));
    const rg_tensor a = rg_scaled_dot_product_attention(tape, q, k, v, NONE, &(rg_attention_config){.causal = true});
    const rg_tensor b = rg_scaled_dot_product_attention(tape, q, k, v, mask, NULL);
    assert_true(difference(a, b) == 0);
    assert_true(difference(rg_select(tape, a, 1, 0), rg_select(tape, v, 1, 0)) < 1e-15); /* the first sees one key */
}

static void dropout_of_attention_keeps_the_mean(void **state)
{
    (void)state;
    const rg_tensor q = rg_zeros(tape, RG_F64, RG_SHAPE(400, 4)), k = rg_zeros(tape, RG_F64, RG_SHAPE(100, 4));
    const rg_tensor v = rg_ones(tape, RG_F64, RG_SHAPE(100, 1));
    const rg_tensor y = rg_scaled_dot_product_attention(tape, q, k, v, NONE, &(rg_attention_config){.dropout = .25});
    /* 40000 weights of 1/100, each kept with 3/4 and then 4/3 as large */
    assert_near(number(rg_mean(tape, y, RG_ALL, false)), 1, 5 * sqrt(1. / 3 / 40000));
    assert_near(number(rg_var(tape, y, RG_ALL, 1, false)), 1. / 300, .5);
    assert_true(number(rg_std(tape, y, RG_ALL, 1, false)) > .04);
}

static void gumbel_softmax_draws_by_its_logits(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    const double p[] = {.5, .3, .15, .05};
    rg_tensor logits = rg_log(tape, rg_input_f64(tape, RG_SHAPE(4), p));
    logits = rg_contiguous(tape, rg_expand(tape, logits, RG_SHAPE(DRAWS, 4)));
    const rg_tensor hard = rg_gumbel_softmax(tape, logits, .7, true, -1);
    const rg_tensor one =
        rg_sum(tape, rg_eq(tape, hard, rg_constant(tape, RG_F64, 1)).id ? hard : hard, RG_AXES(1), false);
    assert_true(difference(one, rg_ones_like(tape, one)) == 0 && difference(hard, rg_square(tape, hard)) == 0);
    static double share[VALUES_MOST];
    read_values(tape, rg_mean(tape, hard, RG_AXES(0), false), share);
    for (int i = 0; i < 4; i++)
        assert_true(fabs(share[i] - p[i]) < 5 * sqrt(p[i] * (1 - p[i]) / DRAWS));

    /* The same draws, soft: the gradient is that one's. */
    rg_tensor values[2];
    for (int i = 0; i < 2; i++) {
        rg_tape *t = rg_tape_new(&(rg_tape_config){.seed = 11});
        const rg_tensor x = rg_input_f64(t, RG_SHAPE(4), p), y = rg_gumbel_softmax(t, x, 2, i == 1, 0);
        rg_tensor g;
        assert_true(rg_grad_with(t, y, rg_input_f64(t, RG_SHAPE(4), (double[]){1, 2, -3, 4}), &x, 1, &g));
        double numbers[4];
        assert_true(rg_read(t, g, numbers, sizeof numbers));
        values[i] = rg_input_f64(tape, RG_SHAPE(4), numbers);
        rg_tape_free(t);
    }
    assert_true(difference(values[0], values[1]) == 0);
    assert_true(number(rg_sum(tape, rg_abs(tape, values[0]), RG_ALL, false)) > 0);
}

static void dropout_of_features_takes_whole_channels(void **state)
{
    (void)state;
    const rg_tensor x = rg_ones(tape, RG_F64, RG_SHAPE(40, 50, 7)), y = rg_feature_dropout(tape, x, .25, true);
    const rg_tensor low = rg_min(tape, y, RG_AXES(2), false), high = rg_max(tape, y, RG_AXES(2), false);
    assert_true(difference(low, high) == 0);
    assert_near(number(rg_mean(tape, low, RG_ALL, false)), 1, 5 * sqrt(1. / 3 / 2000));
    assert_near(number(rg_max(tape, y, RG_ALL, false)), 4. / 3, 1e-15);
    assert_near(number(rg_min(tape, y, RG_ALL, false)), 0, 0);
}

static void alpha_dropout_keeps_mean_and_variance(void **state)
{
    (void)state;
    const rg_tensor x = normal(tape, RG_SHAPE(200, 300));
    for (int whole = 0; whole < 2; whole++) {
        const rg_tensor y = (whole ? rg_feature_alpha_dropout : rg_alpha_dropout)(tape, x, .3, true);
        assert_true(fabs(number(rg_mean(tape, y, RG_ALL, false))) < .02);
        assert_true(fabs(number(rg_var(tape, y, RG_ALL, 1, false)) - 1) < .03);
        assert_true(difference(y, x) > .1);
    }
}

static void bad_attentions_are_errors(void **state)
{
    (void)state;
    const rg_tensor q = normal(tape, RG_SHAPE(2, 3, 4)), k = normal(tape, RG_SHAPE(2, 5, 4)),
                    v = normal(tape, RG_SHAPE(2, 5, 2));
    const rg_tensor mask = rg_ones(tape, RG_BOOL, RG_SHAPE(3, 4));
    rg_scaled_dot_product_attention(tape, q, v, v, NONE, NULL);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("scaled_dot_product_attention", "[2, 5, 2]"));
    rg_scaled_dot_product_attention(tape, rg_select(tape, rg_select(tape, q, 0, 0), 0, 0), k, v, NONE, NULL);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("q [4]"));
    rg_scaled_dot_product_attention(tape, q, k, v, mask, NULL);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("mask [3, 4]", "[2, 3, 5]"));
    rg_scaled_dot_product_attention(tape, q, k, v, rg_ones(tape, RG_BOOL, RG_SHAPE(7, 2, 3, 5)), NULL);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("mask"));
    rg_scaled_dot_product_attention(tape, q, k, v, rg_ones(tape, RG_F32, RG_SHAPE(3, 5)), NULL);
    assert_error(tape, RG_ERROR_DTYPE, WORDS("mask", "f32", "f64"));
    rg_scaled_dot_product_attention(tape, q, k, rg_cast(tape, v, RG_F32), NONE, NULL);
    assert_error(tape, RG_ERROR_DTYPE, WORDS("v is f32"));
    rg_scaled_dot_product_attention(tape, q, k, v, rg_ones(tape, RG_BOOL, RG_SHAPE(3, 5)),
                                    &(rg_attention_config){.causal = true});
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("mask", "causal"));
    rg_scaled_dot_product_attention(tape, q, k, v, NONE, &(rg_attention_config){.dropout = 1.5});
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("p is 1.5"));
    rg_scaled_dot_product_attention(tape, q, k, v, NONE, &(rg_attention_config){.scale = INFINITY});
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("scale"));
    rg_scaled_dot_product_attention(tape, normal(tape, RG_SHAPE(3, 3, 4)), k, v, NONE,
                                    &(rg_attention_config){.grouped = true});
    assert_error(tape, RG_ERROR_SHAPE, WORDS("heads"));
    rg_gumbel_softmax(tape, q, 0, false, -1);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("gumbel_softmax", "tau is 0"));
    rg_alpha_dropout(tape, q, -.1, true);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("alpha_dropout", "-0.1"));
    rg_feature_dropout(tape, F64(RG_SHAPE(2), 1, 2), .5, true);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("feature_dropout", "[2]"));
}

/* ---- embeddings ---- */

static void bad_embeddings_are_errors(void **state)
{
    (void)state;
    const rg_tensor weight = normal(tape, RG_SHAPE(4, 3)), index = I64(RG_SHAPE(3), 0, 3, 1);
    const int64_t beyond = 4, before = -5;
    rg_embedding(tape, index, weight, &beyond);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("embedding", "padding 4", "[4, 3]"));
    rg_embedding(tape, index, weight, &before);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("padding -5"));
    rg_embedding(tape, index, index, NULL);
    assert_error(tape, RG_ERROR_DTYPE, WORDS("embedding"));
    rg_embedding(tape, index, rg_select(tape, weight, 0, 0), NULL);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("embedding", "matrix"));
    assert_null(rg_data(tape, rg_embedding(tape, I64(RG_SHAPE(2), 1, 4), weight, NULL)));
    assert_error(tape, RG_ERROR_VALUE, WORDS("4"));
    rg_embedding_bag(tape, index, weight, NONE, NONE, NULL);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("embedding_bag", "offsets"));
    rg_embedding_bag(tape, index, weight, I64(RG_SHAPE(0), 0), NONE, NULL);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("embedding_bag", "3 indices"));
    rg_embedding_bag(tape, index, weight, I64(RG_SHAPE(1), 0), normal(tape, RG_SHAPE(3)), NULL);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("embedding_bag", "RG_BAG_SUM"));
    rg_embedding_bag(tape, index, weight, I64(RG_SHAPE(1), 0), NONE, &(rg_embedding_bag_config){.mode = (rg_bag_mode)9});
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("embedding_bag", "mode is 9"));
    static const int64_t wrong[][3] = {{1, 2, 3}, {0, 2, 1}, {0, 2, 9}, {-1, 0, 3}};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const rg_tensor offsets = rg_input_i64(tape, RG_SHAPE(3), wrong[i]);
        assert_null(rg_data(tape, rg_embedding_bag(tape, index, weight, offsets, NONE, NULL)));
        assert_error(tape, RG_ERROR_VALUE, WORDS("offset"));
    }
    const rg_embedding_bag_config closed = {.include_last_offset = true};
    assert_null(rg_data(tape, rg_embedding_bag(tape, index, weight, I64(RG_SHAPE(2), 0, 2), NONE, &closed)));
    assert_error(tape, RG_ERROR_VALUE, WORDS("offset 1 is 2", "end with"));
}

static void the_largest_of_a_bag_may_be_nan(void **state)
{
    (void)state;
    const rg_tensor weight = F64(RG_SHAPE(3, 2), 1, NAN, NAN, 5, 2, 7);
    const rg_tensor y = rg_embedding_bag(tape, I64(RG_SHAPE(2, 3), 0, 1, 2, 2, 0, 0), weight, NONE, NONE,
                                         &(rg_embedding_bag_config){.mode = RG_BAG_MAX});
    static double v[VALUES_MOST];
    assert_int_equal(read_values(tape, y, v), 4);
    assert_true(isnan(v[0]) && isnan(v[1]) && v[2] == 2 && isnan(v[3]));
}

/* ---- connectionist temporal classification ---- */

/* Every sequence of classes gives one target: the probabilities of all targets add up to 1. */
static void probabilities_of_all_targets_add_up_to_one(void **state)
{
    (void)state;
    enum { STEPS = 4, CLASSES = 3, TARGETS = 1 + 2 + 4 + 8 + 16 };
    int64_t target[TARGETS][STEPS], length[TARGETS], steps[TARGETS];
    int n = 0;
    for (int64_t size = 0; size <= STEPS; size++)
        for (int64_t code = 0; code < INT64_C(1) << size; code++, n++) {
            for (int64_t k = 0; k < STEPS; k++)
                target[n][k] = (code >> k & 1) ? 2 : 0; /* the blank is 1 */
            length[n] = size;
            steps[n] = STEPS;
        }
    assert_int_equal(n, TARGETS);
    rg_tensor x = rg_log_softmax(tape, normal(tape, RG_SHAPE(STEPS, 1, CLASSES)), -1);
    x = rg_expand(tape, x, RG_SHAPE(STEPS, TARGETS, CLASSES));
    const rg_tensor loss =
        rg_ctc_loss(tape, x, rg_input_i64(tape, RG_SHAPE(TARGETS, STEPS), &target[0][0]),
                    rg_input_i64(tape, RG_SHAPE(TARGETS), steps), rg_input_i64(tape, RG_SHAPE(TARGETS), length),
                    &(rg_ctc_config){.blank = 1, .reduction = RG_NONE});
    assert_near(number(rg_sum(tape, rg_exp(tape, rg_neg(tape, loss)), RG_ALL, false)), 1, 1e-14);
}

/* The shares of the labels at each step add up to minus one. */
static void gradients_of_ctc_are_probabilities(void **state)
{
    (void)state;
    enum { STEPS = 300, LABELS = 40 };
    int64_t label[2 * LABELS];
    for (int i = 0; i < 2 * LABELS; i++)
        label[i] = 1 + i * i % 6;
    rg_tensor bits[2];
    for (int threads = 1; threads <= 2; threads++) {
        rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads, .seed = 1});
        const rg_tensor own = rg_log_softmax(t, rg_randn(t, RG_F64, RG_SHAPE(STEPS, 2, 7)), -1);
        const rg_tensor loss = rg_ctc_loss(t, own, rg_input_i64(t, RG_SHAPE(2, LABELS), label),
                                           rg_input_i64(t, RG_SHAPE(2), (int64_t[]){STEPS, STEPS - 10}),
                                           rg_input_i64(t, RG_SHAPE(2), (int64_t[]){LABELS, LABELS / 2}),
                                           &(rg_ctc_config){.reduction = RG_SUM});
        rg_tensor g;
        assert_true(rg_grad(t, loss, &own, 1, &g));
        static double numbers[STEPS * 2 * 7];
        assert_true(rg_read(t, g, numbers, sizeof numbers));
        bits[threads - 1] = rg_input_f64(tape, RG_SHAPE(STEPS, 2, 7), numbers);
        rg_tape_free(t);
    }
    assert_true(difference(bits[0], bits[1]) == 0);
    const rg_tensor sums = rg_sum(tape, bits[0], RG_AXES(2), false);
    const rg_tensor within = rg_slice(tape, sums, 0, 0, STEPS - 10, 1);
    assert_true(difference(within, rg_full_like(tape, within, -1)) < 1e-9);
    const rg_tensor beyond = rg_slice(tape, rg_select(tape, sums, 1, 1), 0, STEPS - 10, RG_END, 1);
    assert_true(difference(beyond, rg_zeros_like(tape, beyond)) == 0);
}

static void bad_ctc_losses_are_errors(void **state)
{
    (void)state;
    const rg_tensor x = normal(tape, RG_SHAPE(4, 2, 3)), target = I64(RG_SHAPE(2, 2), 1, 2, 2, 1);
    const rg_tensor steps = I64(RG_SHAPE(2), 4, 4), lengths = I64(RG_SHAPE(2), 2, 2);
    rg_ctc_loss(tape, rg_select(tape, rg_select(tape, x, 0, 0), 0, 0), target, steps, lengths, NULL);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("ctc_loss", "[3]"));
    rg_ctc_loss(tape, x, target, steps, lengths, &(rg_ctc_config){.blank = 3});
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("blank is 3", "3 classes"));
    rg_ctc_loss(tape, x, target, steps, lengths, &(rg_ctc_config){.reduction = (rg_reduction)8});
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("reduction 8"));
    rg_ctc_loss(tape, x, I64(RG_SHAPE(3, 1), 1, 1, 1), steps, lengths, NULL);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("target [3, 1]"));
    rg_ctc_loss(tape, x, target, I64(RG_SHAPE(3), 1, 1, 1), lengths, NULL);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("input_lengths", "[3]", "[2]"));
    rg_ctc_loss(tape, x, target, I64(RG_SHAPE(2), 4, 5), lengths, NULL);
    assert_error(tape, RG_ERROR_VALUE, WORDS("input length 1 is 5", "4"));
    rg_ctc_loss(tape, x, target, steps, I64(RG_SHAPE(2), -1, 2), NULL);
    assert_error(tape, RG_ERROR_VALUE, WORDS("target length 0 is -1"));
    rg_ctc_loss(tape, x, target, steps, I64(RG_SHAPE(2), 2, INT64_MAX), NULL);
    assert_error(tape, RG_ERROR_VALUE, WORDS("target length 1"));
    rg_ctc_loss(tape, x, I64(RG_SHAPE(3), 1, 1, 2), steps, lengths, NULL);
    assert_error(tape, RG_ERROR_VALUE, WORDS("target length 1 is 2", "3"));
    rg_ctc_loss(tape, x, I64(RG_SHAPE(2, 2), 1, 2, 3, 1), steps, lengths, NULL);
    assert_error(tape, RG_ERROR_VALUE, WORDS("label 0 of target 1 is 3"));
    rg_ctc_loss(tape, x, I64(RG_SHAPE(2, 2), 1, 0, 2, 1), steps, lengths, NULL);
    assert_error(tape, RG_ERROR_VALUE, WORDS("label 1 of target 0 is 0", "blank"));
    rg_ctc_loss(tape, x, x, steps, lengths, NULL);
    assert_error(tape, RG_ERROR_DTYPE, WORDS("ctc_loss"));
    rg_ctc_loss(tape, x, target, NONE, lengths, NULL);
    assert_error(tape, RG_ERROR_HANDLE, WORDS("ctc_loss"));
}

/* ---- distances ---- */

static void distances_of_close_rows_keep_their_digits(void **state)
{
    (void)state;
    const rg_tensor a = rg_add_scalar(tape, rg_mul_scalar(tape, rg_rand(tape, RG_F32, RG_SHAPE(40, 3)), 0x1p-10), 100);
    const rg_tensor wide = rg_cast(tape, a, RG_F64), d = rg_cdist(tape, a, a, 2), exact = rg_cdist(tape, wide, wide, 2);
    const rg_tensor error = rg_abs(tape, rg_sub(tape, rg_cast(tape, d, RG_F64), exact));
    assert_true(number(rg_max(tape, rg_sub(tape, error, rg_mul_scalar(tape, exact, 0x1p-23)), RG_ALL, false)) <= 0);
    assert_true(number(rg_max(tape, exact, RG_ALL, false)) > 0);
    rg_tensor g;
    assert_true(rg_grad(tape, rg_sum(tape, exact, RG_ALL, false), &wide, 1, &g));
    assert_true(isfinite(number(rg_sum(tape, g, RG_ALL, false)))); /* with each row's distance to itself, 0 */
}

static void distances_have_the_same_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    static const double norms[] = {0, 1, 2, 3.5, INFINITY};
    static float bits[2][60 * 70];
    for (size_t i = 0; i < COUNT(norms); i++) {
        for (int threads = 1; threads <= 2; threads++) {
            rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads, .seed = 3});
            const rg_tensor a = rg_randn(t, RG_F32, RG_SHAPE(60, 33)), b = rg_randn(t, RG_F32, RG_SHAPE(33, 70));
            const rg_tensor d = rg_cdist(t, a, rg_transpose(t, b, 0, 1), norms[i]);
            assert_true(rg_read(t, d, bits[threads - 1], sizeof bits[0]));
            if (threads == 1) { /* the triangle of pdist is that of cdist */
                const rg_tensor all = rg_cdist(t, a, a, norms[i]), pairs = rg_pdist(t, a, norms[i]);
                const double half = rg_item(t, rg_sum(t, rg_cast(t, all, RG_F64), RG_ALL, false)) / 2;
                assert_near(rg_item(t, rg_sum(t, rg_cast(t, pairs, RG_F64), RG_ALL, false)), half, 1e-12);
            }
            rg_tape_free(t);
        }
        assert_memory_equal(bits[0], bits[1], sizeof bits[0]);
    }
}

static void bad_distances_are_errors(void **state)
{
    (void)state;
    const rg_tensor a = normal(tape, RG_SHAPE(2, 3)), b = normal(tape, RG_SHAPE(4, 2));
    rg_cdist(tape, a, b, 2);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("cdist", "[2, 3]", "[4, 2]"));
    rg_cdist(tape, a, normal(tape, RG_SHAPE(1, 1, 1, 1, 1, 1, 2, 3)), 2);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("cdist", "rank 2 to 7"));
    rg_cdist(tape, a, a, -1);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("cdist", "p is -1"));
    rg_cdist(tape, a, a, NAN);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("cdist", "nan"));
    rg_cdist(tape, a, rg_cast(tape, a, RG_F32), 2);
    assert_error(tape, RG_ERROR_DTYPE, WORDS("cdist", "f64", "f32"));
    rg_pdist(tape, normal(tape, RG_SHAPE(2, 2, 2)), 2);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("pdist", "rank 2"));
    rg_pdist(tape, rg_expand(tape, normal(tape, RG_SHAPE(1, 1)), RG_SHAPE(INT64_C(1) << 40, 1)), 2);
    assert_error(tape, RG_ERROR_MEMORY, WORDS("pdist"));
    rg_pairwise_distance(tape, a, b, 2, 0, false);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("pairwise_distance", "broadcast"));
    rg_pairwise_distance(tape, a, F64(RG_SCALAR, 1), -3, 0, false);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("pairwise_distance", "-3"));
    rg_cosine_similarity(tape, a, a, 2, 1e-8);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("cosine_similarity", "axis 2"));
    rg_cosine_similarity(tape, a, a, 1, -1);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("cosine_similarity", "eps -1"));
}

/* ---- attention --------------------------------------------------------------------------------------------------- */

/* The same, composed of products and a softmax. */
static rg_tensor composed(rg_tensor q, rg_tensor k, rg_tensor v, bool causal)
{
    rg_tensor s =
        rg_mul_scalar(tape, rg_matmul(tape, q, rg_transpose(tape, k, -2, -1)), 1 / sqrt((double)rg_dim(tape, q, -1)));
    if (causal) {
        const rg_tensor i = rg_unsqueeze(tape, rg_arange(tape, RG_I64, 0, (double)rg_dim(tape, q, -2), 1), 1);
        const rg_tensor seen = rg_ge(tape, i, rg_arange(tape, RG_I64, 0, (double)rg_dim(tape, k, -2), 1));
        s = rg_where(tape, seen, s, rg_constant(tape, RG_F64, -INFINITY));
    }
    return rg_matmul(tape, rg_softmax(tape, s, -1), v);
}

/* Several tasks of several blocks of queries, the last of each not whole. */
static void long_attention_is_that_of_products_and_a_softmax(void **state)
{
    (void)state;
    for (int causal = 0; causal < 2; causal++) {
        const rg_tensor x[3] = {normal(tape, RG_SHAPE(2, 571, 5)), normal(tape, RG_SHAPE(2, 307, 5)),
                                normal(tape, RG_SHAPE(2, 307, 19))};
        const rg_tensor g = normal(tape, RG_SHAPE(2, 571, 19));
        const rg_tensor y[2] = {
            rg_scaled_dot_product_attention(tape, x[0], x[1], x[2], NONE, &(rg_attention_config){.causal = causal}),
            composed(x[0], x[1], x[2], causal)};
        rg_tensor grad[2][3];
        for (int i = 0; i < 2; i++)
            assert_true(rg_grad_with(tape, y[i], g, x, 3, grad[i]));
        assert_true(difference(y[0], y[1]) < 1e-13);
        for (int i = 0; i < 3; i++)
            assert_true(difference(grad[0][i], grad[1][i]) < 1e-12);
        rg_tape_reset(tape);
    }
}

/* Of [heads, queries, keys] scores, which would take 16 MB in f32, nothing stays, nor is there ever the whole. */
static void attention_never_holds_its_scores(void **state)
{
    (void)state;
    enum { HEADS = 4, LENGTH = 1024, WIDTH = 8 };
    rg_tensor x[3], grad[3];
    for (int i = 0; i < 3; i++)
        x[i] = rg_randn(tape, RG_F32, RG_SHAPE(HEADS, LENGTH, WIDTH));
    const rg_tensor y =
        rg_scaled_dot_product_attention(tape, x[0], x[1], x[2], NONE, &(rg_attention_config){.causal = true});
    assert_true(rg_grad(tape, total(y), x, 3, grad));
    for (int i = 0; i < 3; i++)
        rg_keep(tape, grad[i]);
    rg_plan_counts counts;
    assert_true(rg_plan_stats(tape, &counts));
    assert_true(counts.values < 16 * HEADS * LENGTH * WIDTH * (int64_t)sizeof(float));
    assert_true(rg_tape_run(tape));
    assert_true(rg_tape_stats(tape).bytes < HEADS * LENGTH * LENGTH * (int64_t)sizeof(float) / 2);
}

static void attention_is_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    static float result[2][4][3 * 700 * 16];
    for (int threads = 1; threads <= 2; threads++) {
        rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads, .seed = 5});
        rg_tensor x[3], grad[3];
        for (int i = 0; i < 3; i++)
            x[i] = rg_randn(t, RG_F32, RG_SHAPE(3, 700, 16));
        const rg_tensor y = rg_scaled_dot_product_attention(t, x[0], x[1], x[2], NONE, NULL);
        assert_true(rg_grad_with(t, y, x[0], x, 3, grad));
        assert_true(rg_read(t, y, result[threads - 1][3], sizeof result[0][0]));
        for (int i = 0; i < 3; i++)
            assert_true(rg_read(t, grad[i], result[threads - 1][i], sizeof result[0][0]));
        rg_tape_free(t);
    }
    assert_memory_equal(result[0], result[1], sizeof result[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(batch_norm_normalises_and_updates),
        TAPE_TEST(statistics_of_long_rows_are_accurate),
        TAPE_TEST(normalisation_has_the_same_bits_on_any_number_of_threads),
        TAPE_TEST(bad_normalisations_are_errors),
        TAPE_TEST(causal_attention_is_that_with_a_triangle),
        TAPE_TEST(dropout_of_attention_keeps_the_mean),
        TAPE_TEST(gumbel_softmax_draws_by_its_logits),
        TAPE_TEST(dropout_of_features_takes_whole_channels),
        TAPE_TEST(alpha_dropout_keeps_mean_and_variance),
        TAPE_TEST(bad_attentions_are_errors),
        TAPE_TEST(bad_embeddings_are_errors),
        TAPE_TEST(the_largest_of_a_bag_may_be_nan),
        TAPE_TEST(probabilities_of_all_targets_add_up_to_one),
        TAPE_TEST(gradients_of_ctc_are_probabilities),
        TAPE_TEST(bad_ctc_losses_are_errors),
        TAPE_TEST(distances_of_close_rows_keep_their_digits),
        TAPE_TEST(distances_have_the_same_bits_on_any_number_of_threads),
        TAPE_TEST(bad_distances_are_errors),
        TAPE_TEST(long_attention_is_that_of_products_and_a_softmax),
        TAPE_TEST(attention_never_holds_its_scores),
        TAPE_TEST(attention_is_the_same_for_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
