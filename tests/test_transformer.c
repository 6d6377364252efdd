/* Attention, transformer layers and positions: gradients by differences, names, first values, what they do, errors. Their values
 * are held against PyTorch's in test_transformer_golden.c. */
#include "nn_support.h"

static rg_tensor flat(rg_tape *t, rg_tensor x)
{
    return rg_reshape(t, x, RG_SHAPE(-1));
}

/* ---- gradients, by differences ------------------------------------------------------------------------------------------ */

struct checked {
    rg_transformer_decoder_layer decoder;
    rg_multihead_attention attention;
    rg_learned_positions places;
};

static rg_tensor decoder_of(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    const struct checked *const c = user;
    (void)count;
    const rg_tensor tgt = rg_learned_positions_forward(t, &c->places, x[0], RG_NIL);
    return rg_transformer_decoder_layer_forward(t, &c->decoder, tgt, x[1], &(rg_attention_masks){.causal = true}, NULL);
}

static rg_tensor attention_of(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    const struct checked *const c = user;
    (void)count;
    const rg_tensor far = rg_alibi(t, RG_F64, 2, 3, 3);
    rg_tensor weights;
    const rg_attention_masks masks = {.attn_mask = far, .causal = true, .weights = &weights, .per_head = true};
    const rg_tensor y = rg_multihead_attention_forward(t, &c->attention, x[0], x[0], x[0], &masks);
    const rg_tensor both[] = {flat(t, y), flat(t, weights)};
    return rg_cat(t, both, 2, 0);
}

/* Values without a pattern, for layers of f64. */
static void scatter_parameters(rg_params *ps)
{
    for (int i = 0; i < rg_params_count(ps); i++)
        rg_init_uniform(rg_params_at(ps, i), -0.7, 0.7);
}

static void gradients_are_those_of_differences(void **state)
{
    (void)state;
    static const double values[24] = {0.3,  -1.2, 2.5, 0.1, -0.4, 1.9,  0.8,  -0.7, 1.1,  0.2,  -2.0, 0.6,
                                      -0.3, 1.4,  0.9, 0.5, -1.6, -0.9, 0.35, 1.25, -0.1, 0.75, 1.7,  -1.1};
    const rg_array inputs[] = {{RG_F64, RG_SHAPE(1, 3, 4), values}, {RG_F64, RG_SHAPE(1, 2, 4), values + 12}};
    for (int norm_first = 0; norm_first < 2; norm_first++) {
        rg_params *ps = rg_params_new(5);
        rg_params_set_dtype(ps, RG_F64);
        const rg_transformer_config config = {.dim_feedforward = 5,
                                              .dropout = RG_ZERO,
                                              .activation = rg_gelu,
                                              .norm_first = norm_first != 0,
                                              .layer_norm_eps = 0.1,
                                              .rotary = true,
                                              .kv_heads = 1};
        struct checked c = {.places = rg_learned_positions_new(ps, "places", 6, 4),
                            .decoder = rg_transformer_decoder_layer_new(ps, "decoder", 4, 2, &config)};
        assert_string_equal(rg_params_error(ps), "");
        scatter_parameters(ps);
        const rg_gradcheck_config check = {.params = ps};
        rg_gradcheck_report report;
        if (!rg_gradcheck(decoder_of, &c, inputs, 2, &check, &report))
            fail_msg("%s", report.message);
        if (!rg_gradcheck2(decoder_of, &c, inputs, 2, &check, &report))
            fail_msg("%s", report.message);
        rg_params_free(ps);
    }
    rg_params *ps = rg_params_new(5);
    rg_params_set_dtype(ps, RG_F64);
    struct checked c = {.attention = rg_multihead_attention_new(
                            ps, "a", 4, 2, &(rg_multihead_attention_config){.zero_attn = true, .bias_kv = true})};
    scatter_parameters(ps);
    const rg_gradcheck_config check = {.params = ps};
    rg_gradcheck_report report;
    if (!rg_gradcheck(attention_of, &c, inputs, 1, &check, &report) ||
        !rg_gradcheck2(attention_of, &c, inputs, 1, &check, &report))
        fail_msg("%s", report.message);
    rg_params_free(ps);
}

/* ---- names and first values ---------------------------------------------------------------------------------------------- */

static void parameters_have_pytorchs_names_and_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        rg_shape shape;
    } expected[] = {
        {"d.layers.0.self_attn.in_proj_weight", {2, {24, 8}}},
        {"d.layers.0.self_attn.in_proj_bias", {1, {24}}},
        {"d.layers.0.self_attn.out_proj.weight", {2, {8, 8}}},
        {"d.layers.0.self_attn.out_proj.bias", {1, {8}}},
        {"d.layers.0.multihead_attn.in_proj_weight", {2, {24, 8}}},
        {"d.layers.0.multihead_attn.in_proj_bias", {1, {24}}},
        {"d.layers.0.multihead_attn.out_proj.weight", {2, {8, 8}}},
        {"d.layers.0.multihead_attn.out_proj.bias", {1, {8}}},
        {"d.layers.0.linear1.weight", {2, {2048, 8}}},
        {"d.layers.0.linear1.bias", {1, {2048}}},
        {"d.layers.0.linear2.weight", {2, {8, 2048}}},
        {"d.layers.0.linear2.bias", {1, {8}}},
        {"d.layers.0.norm1.weight", {1, {8}}},
        {"d.layers.0.norm1.bias", {1, {8}}},
        {"d.layers.0.norm2.weight", {1, {8}}},
        {"d.layers.0.norm2.bias", {1, {8}}},
        {"d.layers.0.norm3.weight", {1, {8}}},
        {"d.layers.0.norm3.bias", {1, {8}}},
        {"d.norm.weight", {1, {8}}},
        {"d.norm.bias", {1, {8}}},
        {"a.q_proj_weight", {2, {6, 6}}},
        {"a.k_proj_weight", {2, {6, 4}}},
        {"a.v_proj_weight", {2, {6, 5}}},
        {"a.in_proj_bias", {1, {18}}},
        {"a.bias_k", {3, {1, 1, 6}}},
        {"a.bias_v", {3, {1, 1, 6}}},
        {"a.out_proj.weight", {2, {6, 6}}},
        {"a.out_proj.bias", {1, {6}}},
        {"p.weight", {2, {7, 3}}},
    };
    rg_params *ps = rg_params_new(2);
    rg_transformer_decoder_new(ps, "d", 8, 2, 1, &(rg_transformer_config){.final_norm = true});
    rg_multihead_attention_new(ps, "a", 6, 3, &(rg_multihead_attention_config){.kdim = 4, .vdim = 5, .bias_kv = true});
    rg_learned_positions_new(ps, "p", 7, 3);
    assert_string_equal(rg_params_error(ps), "");
    assert_string_equal(rg_params_scope(ps), "");
    assert_int_equal(rg_params_count(ps), COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        const rg_param *p = rg_params_at(ps, (int)i);
        assert_string_equal(rg_param_name(p), expected[i].name);
        assert_true(rg_shape_equal(rg_param_shape(p), expected[i].shape));
    }
    rg_params_free(ps);
}

static double largest(const rg_param *p)
{
    double most = 0;
    for (int64_t i = 0; i < rg_param_numel(p); i++)
        most = fmax(most, fabs((double)((const float *)rg_param_data(p))[i]));
    return most;
}

static void first_values_are_pytorchs(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(2);
    const rg_transformer_encoder_layer l = rg_transformer_encoder_layer_new(ps, "e", 64, 4, NULL);
    const double in = largest(l.self_attn.in_proj_weight), bound = sqrt(6.0 / (64 + 3 * 64));
    assert_true(in <= bound * (1 + 1e-6) && in > 0.999 * bound);
    const double out = largest(l.self_attn.out_proj.weight);
    assert_true(out <= 0.125 * (1 + 1e-6) && out > 0.999 * 0.125);
    assert_true(largest(l.self_attn.in_proj_bias) == 0 && largest(l.self_attn.out_proj.bias) == 0);
    assert_true(largest(l.linear1.bias) > 0.12 && largest(l.linear1.bias) <= 0.125 * (1 + 1e-6));
    assert_true(largest(l.norm1.weight) == 1 && largest(l.norm2.bias) == 0);
    const rg_multihead_attention a =
        rg_multihead_attention_new(ps, "a", 4, 2, &(rg_multihead_attention_config){.no_bias = true});
    assert_true(a.in_proj_bias == NULL && a.out_proj.bias == NULL && rg_params_find(ps, "a.out_proj.bias") == NULL);
    rg_params_free(ps);
}

/* ---- behaviour ------------------------------------------------------------------------------------------------------------- */

static void assert_same_values(rg_tensor a, rg_tensor b, double tolerance)
{
    const int64_t n = rg_numel(tape, a);
    const float *x = rg_data_f32(tape, a), *y = rg_data_f32(tape, b);
    assert_tape_ok(tape);
    assert_true(rg_shape_equal(rg_shape_of(tape, a), rg_shape_of(tape, b)));
    for (int64_t i = 0; i < n; i++)
        assert_near(x[i], y[i], tolerance);
}

static void equal_sequences_are_projected_by_one_product(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(3);
    const rg_multihead_attention a = rg_multihead_attention_new(ps, "a", 6, 2, NULL);
    const rg_tensor x = rg_randn(tape, RG_F32, RG_SHAPE(2, 3, 6)), twin = rg_add_scalar(tape, x, 0);
    const rg_tensor packed = rg_multihead_attention_forward(tape, &a, x, x, x, NULL);
    const rg_tensor pairs = rg_multihead_attention_forward(tape, &a, x, twin, twin, NULL);
    const rg_tensor single = rg_multihead_attention_forward(tape, &a, x, twin, x, NULL);
    assert_same_values(packed, pairs, 1e-6);
    assert_same_values(packed, single, 1e-6);
    const rg_tensor last[] = {packed, pairs, single};
    int products[COUNT(last)] = {0}, k = 0;
    for (int64_t i = 0; i < rg_tape_length(tape) && k < (int)COUNT(last); i++) {
        rg_node node;
        const rg_tensor at = rg_tape_at(tape, i);
        assert_true(rg_tape_node(tape, at, &node));
        products[k] += strcmp(node.op, "matmul") == 0;
        k += at.id == last[k].id;
    }
    assert_int_equal(products[1] - products[0], 1);
    assert_int_equal(products[2] - products[1], 1);
    rg_tape_reset(tape);
    rg_params_free(ps);
}

/* Asking for weights changes nothing else; a mask for each head counts for all samples. */
static void weights_and_masks_of_heads_belong_to_the_same_attention(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(3);
    const rg_multihead_attention a = rg_multihead_attention_new(
        ps, "a", 8, 4, &(rg_multihead_attention_config){.kv_heads = 2, .rotary = true, .rotary_half_split = true});
    const rg_tensor x = rg_randn(tape, RG_F32, RG_SHAPE(2, 3, 8)), far = rg_alibi(tape, RG_F32, 4, 3, 3);
    const rg_tensor both[] = {far, far}, each = rg_cat(tape, both, 2, 0);
    rg_tensor weights, mean;
    const rg_attention_masks plain = {.attn_mask = far, .causal = true};
    const rg_attention_masks asked = {.attn_mask = each, .causal = true, .weights = &weights, .per_head = true};
    const rg_attention_masks averaged = {.attn_mask = each, .causal = true, .weights = &mean};
    const rg_tensor y = rg_multihead_attention_forward(tape, &a, x, x, x, &plain);
    assert_same_values(rg_multihead_attention_forward(tape, &a, x, x, x, &asked), y, 1e-6);
    assert_same_values(rg_multihead_attention_forward(tape, &a, x, x, x, &averaged), y, 1e-6);
    assert_true(rg_shape_equal(rg_shape_of(tape, weights), RG_SHAPE(2, 4, 3, 3)));
    assert_same_values(rg_sum(tape, weights, RG_AXES(3), false), rg_ones(tape, RG_F32, RG_SHAPE(2, 4, 3)), 1e-6);
    assert_same_values(rg_mean(tape, weights, RG_AXES(1), false), mean, 1e-6);
    rg_tape_reset(tape);
    rg_params_free(ps);
}

static void a_query_that_sees_nothing_has_no_attention(void **state)
{
    (void)state;
    static const bool padding[] = {1, 1, 1, 0, 0, 1};
    rg_params *ps = rg_params_new(3);
    const rg_multihead_attention a = rg_multihead_attention_new(ps, "a", 4, 2, NULL);
    rg_init_constant(a.out_proj.bias, 0.5);
    const rg_tensor x = rg_randn(tape, RG_F32, RG_SHAPE(2, 3, 4));
    rg_tensor weights;
    const rg_attention_masks masks = {.key_padding_mask = rg_input_bool(tape, RG_SHAPE(2, 3), padding),
                                      .weights = &weights};
    const rg_tensor y = rg_multihead_attention_forward(tape, &a, x, x, x, &masks);
    const float *value = rg_data_f32(tape, y), *w = rg_data_f32(tape, weights);
    assert_tape_ok(tape);
    for (int i = 0; i < 12; i++)
        assert_true(value[i] == 0.5f && (i >= 9 || w[i] == 0));
    for (int i = 9; i < 18; i += 3)
        assert_true(fabsf(w[i] + w[i + 1] - 1) < 1e-6f && w[i + 2] == 0);
    rg_tape_reset(tape);
    rg_params_free(ps);
}

static void dropout_acts_in_training_alone(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(3);
    const rg_transformer_encoder stack =
        rg_transformer_encoder_new(ps, "e", 8, 2, 2, &(rg_transformer_config){.dim_feedforward = 16});
    const rg_tensor x = rg_randn(tape, RG_F32, RG_SHAPE(2, 3, 8));
    assert_true(rg_training(tape));
    const rg_tensor a = rg_transformer_encoder_forward(tape, &stack, x, NULL);
    const rg_tensor b = rg_transformer_encoder_forward(tape, &stack, x, NULL);
    assert_memory_not_equal(rg_data_f32(tape, a), rg_data_f32(tape, b), 48 * sizeof(float));
    rg_set_training(tape, false);
    const rg_tensor c = rg_transformer_encoder_forward(tape, &stack, x, NULL);
    const rg_tensor d = rg_transformer_encoder_forward(tape, &stack, x, NULL);
    assert_memory_equal(rg_data_f32(tape, c), rg_data_f32(tape, d), 48 * sizeof(float));
    assert_tape_ok(tape);
    bool named = false;
    for (int64_t i = 0; i < rg_tape_length(tape) && !named; i++) {
        rg_node node;
        assert_true(rg_tape_node(tape, rg_tape_at(tape, i), &node));
        named = strcmp(node.scope, "e.layers.1.self_attn.out_proj") == 0;
    }
    assert_true(named);

    /* Of the attention, a share of p is dropped, and the rest grows by 1 / (1 - p); what is returned is what is used. */
    rg_set_training(tape, true);
    const rg_multihead_attention attention =
        rg_multihead_attention_new(ps, "a", 8, 2, &(rg_multihead_attention_config){.dropout = 0.25});
    const rg_tensor many = rg_randn(tape, RG_F32, RG_SHAPE(4, 50, 8));
    rg_tensor weights, kept;
    rg_attention_masks masks = {.weights = &weights, .per_head = true};
    const rg_tensor y = rg_multihead_attention_forward(tape, &attention, many, many, many, &masks);
    rg_set_training(tape, false);
    masks.weights = &kept;
    rg_multihead_attention_forward(tape, &attention, many, many, many, &masks);
    const float *w = rg_data_f32(tape, weights), *k = rg_data_f32(tape, kept);
    assert_non_null(rg_data_f32(tape, y));
    int zeros = 0;
    for (int i = 0; i < 4 * 2 * 50 * 50; i++)
        if (w[i] == 0)
            zeros++;
        else
            assert_near(w[i], k[i] / 0.75, 1e-6);
    assert_near(zeros / 20000.0, 0.25, 0.0125); /* 4 standard deviations */
    rg_tape_reset(tape);
    rg_params_free(ps);
}

static void rotary_products_depend_on_the_distance(void **state)
{
    (void)state;
    static const int64_t near[] = {0, 3}, far[] = {1000, 1003};
    for (int half = 0; half < 2; half++) {
        const rg_tensor x = rg_randn(tape, RG_F64, RG_SHAPE(2, 8));
        rg_rotary_config turn = {.half_split = half != 0, .positions = rg_input_i64(tape, RG_SHAPE(2), near)};
        const rg_tensor a = rg_rotary(tape, x, &turn);
        turn.positions = rg_input_i64(tape, RG_SHAPE(2), far);
        const rg_tensor b = rg_rotary(tape, x, &turn);
        const rg_tensor p = rg_matmul(tape, a, rg_transpose(tape, a, 0, 1));
        const rg_tensor q = rg_matmul(tape, b, rg_transpose(tape, b, 0, 1));
        const double *pp = rg_data_f64(tape, p), *qq = rg_data_f64(tape, q);
        assert_tape_ok(tape);
        for (int i = 0; i < 4; i++)
            assert_near(pp[i], qq[i], 1e-11);
    }
}

/* Step by step through a cache, a stack gives what it gives at once; all steps have one structure. */
static void a_cache_gives_what_the_whole_sequence_gives(void **state)
{
    (void)state;
    enum { STEPS = 7, PROMPT = 3, LAYERS = 2 };
    rg_params *ps = rg_params_new(4), *caches = rg_params_new(0);
    const rg_transformer_config config = {
        .dim_feedforward = 16, .norm_first = true, .final_norm = true, .rotary = true, .kv_heads = 2};
    const rg_transformer_encoder stack = rg_transformer_encoder_new(ps, "e", 8, 4, LAYERS, &config);
    rg_attention_cache cache[LAYERS];
    for (int i = 0; i < LAYERS; i++) {
        rg_params_scope_push(caches, i > 0 ? "1" : "0");
        cache[i] = rg_attention_cache_new(caches, "cache", &stack.layers[i].self_attn, 2, 10);
        rg_params_scope_pop(caches);
    }
    assert_string_equal(rg_params_error(caches), "");
    float x[2 * STEPS * 8], whole[2 * STEPS * 8], part[2 * PROMPT * 8];
    for (int i = 0; i < 2 * STEPS * 8; i++)
        x[i] = sinf((float)(i * i));
    rg_set_training(tape, false);
    const rg_tensor all = rg_transformer_encoder_forward(tape, &stack, rg_input_f32(tape, RG_SHAPE(2, STEPS, 8), x),
                                                         &(rg_attention_masks){.causal = true});
    assert_true(rg_read(tape, all, whole, sizeof whole));
    uint64_t hash = 0;
    for (int begin = 0; begin < STEPS; begin += begin == 0 ? PROMPT : 1) {
        const int count = begin == 0 ? PROMPT : 1;
        rg_tape_reset(tape);
        rg_mode_push(tape, RG_INFERENCE);
        const int64_t strides[] = {STEPS * 8, 8, 1};
        const rg_tensor some = rg_borrow(tape, RG_F32, RG_SHAPE(2, count, 8), strides, x + begin * 8);
        const rg_attention_masks masks = {.cache = cache, .position = begin};
        const rg_tensor y = rg_transformer_encoder_forward(tape, &stack, some, &masks);
        if (begin > PROMPT)
            assert_int_equal(rg_tape_hash(tape), hash);
        hash = rg_tape_hash(tape);
        assert_true(rg_read(tape, y, part, (size_t)(2 * count * 8) * sizeof(float)));
        rg_mode_pop(tape);
        for (int b = 0; b < 2; b++)
            for (int i = 0; i < count * 8; i++)
                assert_near(part[b * count * 8 + i], whole[(b * STEPS + begin) * 8 + i], 2e-6);
    }
    rg_tape_reset(tape);
    assert_tape_ok(tape);

    const rg_tensor one = rg_zeros(tape, RG_F32, RG_SHAPE(2, 1, 8));
    const rg_attention_masks full = {.cache = cache, .position = 10}, negative = {.cache = cache, .position = -1};
    assert_true(rg_is_nil(rg_transformer_encoder_forward(tape, &stack, one, &full)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("cache", "[2, 2, 10, 2]", "position 10"));
    assert_true(rg_is_nil(rg_transformer_encoder_forward(tape, &stack, one, &negative)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("cache", "position -1"));
    const rg_attention_masks masked = {.cache = cache, .attn_mask = rg_zeros(tape, RG_F32, RG_SHAPE(1, 1))};
    assert_true(rg_is_nil(rg_transformer_encoder_forward(tape, &stack, one, &masked)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("cache", "masks"));
    rg_tape_reset(tape);
    rg_params_free(caches);
    rg_params_free(ps);
}

static void train(int threads, char fingerprint[33])
{
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads, .seed = 3});
    rg_params *ps = rg_params_new(1);
    const rg_transformer_encoder stack =
        rg_transformer_encoder_new(ps, "e", 32, 4, 2, &(rg_transformer_config){.dim_feedforward = 64});
    rg_optim *opt = rg_adam_new(ps, NULL);
    for (int i = 0; i < 3; i++) {
        const rg_tensor x = rg_randn(t, RG_F32, RG_SHAPE(4, 40, 32));
        const rg_tensor y = rg_transformer_encoder_forward(t, &stack, x, &(rg_attention_masks){.causal = true});
        rg_backward(t, rg_mean(t, rg_square(t, rg_sub(t, y, x)), RG_ALL, false));
        rg_optim_step(opt, t);
        rg_tape_reset(t);
    }
    assert_tape_ok(t);
    rg_params_fingerprint(ps, fingerprint);
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    char one[33], two[33];
    train(1, one);
    train(2, two);
    assert_string_equal(one, two);
}

/* ---- errors ---------------------------------------------------------------------------------------------------------------- */

static void shapes_and_masks_that_do_not_fit_are_named(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    const rg_multihead_attention a = rg_multihead_attention_new(ps, "a", 4, 2, NULL);
    const rg_tensor x = rg_zeros(tape, RG_F32, RG_SHAPE(2, 3, 4)), y = rg_zeros(tape, RG_F32, RG_SHAPE(2, 5, 4));
    const struct {
        rg_tensor q, k, v;
        rg_attention_masks masks;
        rg_status status;
        const char *word, *other;
    } wrong[] = {
        {x, y, x, {.causal = false}, RG_ERROR_SHAPE, "key [2, 5, 4]", "value [2, 3, 4]"},
        {rg_zeros(tape, RG_F32, RG_SHAPE(2, 3, 5)), x, x, {.causal = false}, RG_ERROR_SHAPE, "query is [2, 3, 5]", "4]"},
        {x, rg_zeros(tape, RG_F32, RG_SHAPE(3, 4)), x, {.causal = false}, RG_ERROR_SHAPE, "key is [3, 4]", "[batch, time, 4]"},
        {rg_zeros(tape, RG_F32, RG_SHAPE(4)), x, x, {.causal = false}, RG_ERROR_SHAPE, "query is [4]", "4]"},
        {rg_zeros(tape, RG_I64, RG_SHAPE(2, 3, 4)), x, x, {.causal = false}, RG_ERROR_DTYPE, "query is i64", "f32"},
        {RG_NIL, x, x, {.causal = false}, RG_ERROR_HANDLE, "query is nil", ""},
        {x, x, x, {.attn_mask = rg_zeros(tape, RG_F32, RG_SHAPE(3, 5))}, RG_ERROR_SHAPE, "attn_mask is [3, 5]", "[3, 3]"},
        {x, x, x, {.attn_mask = rg_zeros(tape, RG_F64, RG_SHAPE(3, 3))}, RG_ERROR_DTYPE, "attn_mask is f64", "bool"},
        {x, x, x, {.key_padding_mask = rg_zeros(tape, RG_BOOL, RG_SHAPE(3))}, RG_ERROR_SHAPE, "key_padding_mask is [3]", "[2, 3]"},
        {x, x, x, {.key_padding_mask = rg_zeros(tape, RG_I32, RG_SHAPE(2, 3))}, RG_ERROR_DTYPE, "key_padding_mask is i32", "bool"},
    };
    assert_tape_ok(tape);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_true(
            rg_is_nil(rg_multihead_attention_forward(tape, &a, wrong[i].q, wrong[i].k, wrong[i].v, &wrong[i].masks)));
        assert_error(tape, wrong[i].status, WORDS("multihead_attention_forward", wrong[i].word, wrong[i].other));
        assert_string_equal(rg_scope(tape), "");
    }
    assert_true(rg_is_nil(rg_multihead_attention_forward(tape, NULL, x, x, x, NULL)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("multihead_attention_forward", "NULL"));

    const rg_transformer_decoder_layer d = rg_transformer_decoder_layer_new(ps, "d", 4, 2, NULL);
    rg_tensor weights;
    const rg_attention_masks asks = {.weights = &weights};
    const rg_attention_cache none = {NULL, NULL};
    const rg_attention_masks caches = {.cache = &none};
    assert_true(rg_is_nil(rg_transformer_decoder_layer_forward(tape, &d, x, x, &asks, NULL)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("transformer_decoder_layer_forward", "weights"));
    assert_true(rg_is_nil(rg_transformer_decoder_layer_forward(tape, &d, x, x, NULL, &caches)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("transformer_decoder_layer_forward", "cache"));
    assert_true(rg_is_nil(rg_transformer_decoder_layer_forward(tape, &d, x, x, &caches, NULL)));
    assert_error(tape, RG_ERROR_STATE, WORDS("cache could not be made"));
    assert_true(rg_is_nil(rg_transformer_decoder_layer_forward(tape, &d, x, RG_NIL, NULL, NULL)));
    assert_error(tape, RG_ERROR_HANDLE, WORDS("memory is nil"));
    assert_true(rg_is_nil(rg_transformer_encoder_layer_forward(tape, NULL, x, NULL)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("transformer_encoder_layer_forward", "NULL"));
    assert_true(rg_is_nil(rg_transformer_decoder_forward(tape, NULL, x, x, NULL, NULL)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("transformer_decoder_forward", "NULL"));
    rg_tape_reset(tape);
    rg_params_free(ps);
}

static void layers_that_could_not_be_made_are_errors_when_used(void **state)
{
    (void)state;
    const rg_tensor x = rg_zeros(tape, RG_F32, RG_SHAPE(1, 2, 4));
    static const struct {
        int64_t embed, heads;
        rg_multihead_attention_config config;
        const char *word;
    } wrong[] = {
        {4, 3, {.kdim = 0}, "heads must divide"},
        {0, 1, {.kdim = 0}, "embed is 0"},
        {4, 0, {.kdim = 0}, "heads is 0"},
        {-4, 2, {.kdim = 0}, "embed is -4"},
        {4, 2, {.dropout = 1.5}, "dropout is 1.5"},
        {4, 2, {.dropout = NAN}, "dropout is"},
        {4, 2, {.kv_heads = 3}, "kv_heads is 3"},
        {4, 2, {.kdim = -1}, "kdim is -1"},
        {4, 4, {.kv_heads = 2, .bias_kv = true}, "bias_kv"},
        {INT64_MAX / 2, 1, {.kdim = 0}, "embed is"},
        {INT64_MAX / 8, 1, {.kdim = 0}, ""},
    };
    rg_params *ps = rg_params_new(1);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const rg_multihead_attention a =
            rg_multihead_attention_new(ps, "a", wrong[i].embed, wrong[i].heads, &wrong[i].config);
        assert_null(a.out_proj.weight);
        assert_true(rg_params_status(ps) != RG_OK && strstr(rg_params_error(ps), wrong[i].word) != NULL);
        assert_true(rg_is_nil(rg_multihead_attention_forward(tape, &a, x, x, x, NULL)));
        assert_error(tape, RG_ERROR_STATE, WORDS("multihead_attention_forward", "'a'"));
        assert_string_equal(rg_params_scope(ps), "");
        rg_params_clear_error(ps);
    }
    const rg_transformer_config bad[] = {{.dropout = -1}, {.layer_norm_eps = NAN}, {.dim_feedforward = -5}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        const rg_transformer_encoder e = rg_transformer_encoder_new(ps, "e", 4, 2, 1, &bad[i]);
        assert_store_error(ps, RG_ERROR_ARGUMENT, "transformer_encoder_layer_new");
        assert_true(rg_is_nil(rg_transformer_encoder_forward(tape, &e, x, NULL)));
        assert_error(tape, RG_ERROR_STATE, WORDS("transformer_encoder_forward", "'e'"));
        const rg_transformer_decoder d = rg_transformer_decoder_new(ps, "d", 4, 2, 1, &bad[i]);
        assert_store_error(ps, RG_ERROR_ARGUMENT, "transformer_decoder_layer_new");
        assert_true(rg_is_nil(rg_transformer_decoder_forward(tape, &d, x, x, NULL, NULL)));
        assert_error(tape, RG_ERROR_STATE, WORDS("transformer_decoder_forward", "'d'"));
    }
    const int counts[] = {0, -1, RG_TRANSFORMER_LAYERS + 1};
    for (size_t i = 0; i < COUNT(counts); i++) {
        assert_int_equal(rg_transformer_encoder_new(ps, "e", 4, 2, counts[i], NULL).count, 0);
        assert_store_error(ps, RG_ERROR_ARGUMENT, "layers");
    }
    /* The last of its parameters is taken. */
    assert_non_null(rg_param_new(ps, "half.norm2.bias", RG_F32, RG_SHAPE(4), NULL));
    const rg_transformer_encoder_layer half =
        rg_transformer_encoder_layer_new(ps, "half", 4, 2, &(rg_transformer_config){.dim_feedforward = 4});
    assert_store_error(ps, RG_ERROR_ARGUMENT, "half.norm2.bias");
    assert_true(rg_is_nil(rg_transformer_encoder_layer_forward(tape, &half, x, NULL)));
    assert_error(tape, RG_ERROR_STATE, WORDS("transformer_encoder_layer_forward", "half"));

    assert_null(rg_transformer_encoder_layer_new(NULL, "n", 4, 2, NULL).self_attn.out_proj.weight);
    assert_null(rg_transformer_decoder_layer_new(ps, NULL, 4, 2, NULL).self_attn.out_proj.weight);
    rg_params_clear_error(ps);
    assert_null(rg_attention_cache_new(ps, "c", NULL, 1, 1).k);
    assert_store_error(ps, RG_ERROR_ARGUMENT, "attention_cache_new");
    rg_learned_positions p = rg_learned_positions_new(ps, "p", -1, 4);
    assert_int_not_equal(rg_params_status(ps), RG_OK);
    rg_params_clear_error(ps);
    assert_true(rg_is_nil(rg_learned_positions_forward(tape, &p, x, RG_NIL)));
    assert_error(tape, RG_ERROR_STATE, WORDS("learned_positions_forward", "'p'"));
    rg_tape_reset(tape);
    rg_params_free(ps);
}

static void positions_refuse_what_does_not_fit(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    const rg_learned_positions p = rg_learned_positions_new(ps, "p", 3, 4);
    const rg_tensor x = rg_zeros(tape, RG_F32, RG_SHAPE(2, 5, 4));
    assert_true(rg_is_nil(rg_learned_positions_forward(tape, &p, x, RG_NIL)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("learned_positions_forward", "[2, 5, 4]", "3 or less"));
    const rg_tensor two = rg_zeros(tape, RG_I64, RG_SHAPE(2));
    assert_true(rg_is_nil(rg_learned_positions_forward(tape, &p, x, two)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("learned_positions_forward", "positions [2]"));
    assert_true(rg_is_nil(rg_rotary(tape, x, &(rg_rotary_config){.positions = two})));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("rotary", "positions [2]", "[2, 5, 4]"));
    const int64_t widths[] = {3, 6, -2};
    for (size_t i = 0; i < COUNT(widths); i++) {
        assert_true(rg_is_nil(rg_rotary(tape, x, &(rg_rotary_config){.width = widths[i]})));
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS("rotary", "even"));
    }
    const double bases[] = {-1, NAN, INFINITY};
    for (size_t i = 0; i < COUNT(bases); i++) {
        assert_true(rg_is_nil(rg_rotary(tape, x, &(rg_rotary_config){.base = bases[i]})));
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS("rotary", "base"));
    }
    assert_true(rg_is_nil(rg_rotary(tape, RG_NIL, NULL)));
    assert_error(tape, RG_ERROR_HANDLE, WORDS("rotary", "nil"));
    assert_true(rg_is_nil(rg_sinusoidal_positions(tape, RG_I64, 2, 2)));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("sinusoidal_positions", "i64"));
    assert_true(rg_is_nil(rg_sinusoidal_positions(tape, RG_F32, -2, 2)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("sinusoidal_positions", "length is -2"));
    assert_int_equal(rg_numel(tape, rg_sinusoidal_positions(tape, RG_F32, 0, 2)), 0);
    assert_true(rg_is_nil(rg_alibi(tape, RG_F32, 0, 2, 2)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("alibi", "heads is 0"));
    assert_true(rg_is_nil(rg_alibi(tape, RG_BOOL, 2, 2, 2)));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("alibi", "bool"));
    assert_tape_ok(tape);
    rg_tape_reset(tape);
    rg_params_free(ps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gradients_are_those_of_differences),
        TEST(parameters_have_pytorchs_names_and_shapes),
        TEST(first_values_are_pytorchs),
        TEST(equal_sequences_are_projected_by_one_product),
        TEST(weights_and_masks_of_heads_belong_to_the_same_attention),
        TEST(a_query_that_sees_nothing_has_no_attention),
        TEST(dropout_acts_in_training_alone),
        TEST(rotary_products_depend_on_the_distance),
        TEST(a_cache_gives_what_the_whole_sequence_gives),
        TEST(threads_do_not_change_a_bit),
        TEST(shapes_and_masks_that_do_not_fit_are_named),
        TEST(layers_that_could_not_be_made_are_errors_when_used),
        TEST(positions_refuse_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
