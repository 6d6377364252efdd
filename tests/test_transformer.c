/* Attention, transformer layers and positions: against PyTorch's modules (golden/transformer.txt; the program's argument is
 * the project's root folder), against themselves, and by differences. */
#include "golden.h"
#include "nn_support.h"

/* ---- golden cases: what each key calls ---------------------------------------------------------------------------- */

static const char *root = ".";

/* A case: the inputs of the file, but for the parameters, which are the last one of those with a module. */
struct run {
    rg_tape *t;
    rg_params *ps;
    const rg_tensor *x;
    rg_tensor weights; /* the second result, where there is one */
};

enum sequences { SELF = 1, CROSS, THREE };
struct attention_case {
    enum sequences sequences;
    bool attn_mask, padding, causal, weights;
    bool per_head;
    int embed, heads; /* 0: 4 and 2 */
    rg_multihead_attention_config config;
};

/* Makes the layer, then fills in the parameters and runs: `fill` is called between the two. */
typedef void (*fill)(void *user);
typedef rg_tensor (*runner)(struct run *r, const void *config, fill f, void *user);

static rg_tensor run_attention(struct run *r, const void *config, fill f, void *user)
{
    const struct attention_case *const c = config;
    const rg_multihead_attention layer =
        rg_multihead_attention_new(r->ps, "attn", c->embed ? c->embed : 4, c->heads ? c->heads : 2, &c->config);
    f(user);
    const int n = (int)c->sequences;
    int next = n;
    rg_attention_masks masks = {.causal = c->causal, .per_head = c->per_head};
    if (c->attn_mask)
        masks.attn_mask = r->x[next++];
    if (c->padding)
        masks.key_padding_mask = r->x[next++];
    if (c->weights)
        masks.weights = &r->weights;
    return rg_multihead_attention_forward(r->t, &layer, r->x[0], r->x[n > 1 ? 1 : 0], r->x[n > 1 ? n - 1 : 0], &masks);
}

struct layer_case {
    rg_transformer_config config;
    int count; /* of a stack; 0: a layer of its own */
    bool evaluate, masked, causal;
};

static const bool SRC_PADDING[] = {0, 0, 1, 0, 0, 0}, MEMORY_PADDING[] = {0, 0, 1, 0, 1, 0};

static rg_tensor run_encoder(struct run *r, const void *config, fill f, void *user)
{
    const struct layer_case *const c = config;
    rg_transformer_encoder stack = {.count = 0};
    rg_transformer_encoder_layer layer = {.name = NULL};
    if (c->count > 0)
        stack = rg_transformer_encoder_new(r->ps, "encoder", 4, 2, c->count, &c->config);
    else
        layer = rg_transformer_encoder_layer_new(r->ps, "encoder", 4, 2, &c->config);
    f(user);
    rg_set_training(r->t, !c->evaluate);
    rg_attention_masks masks = {.causal = c->causal || c->masked};
    if (c->masked)
        masks.key_padding_mask = rg_input_bool(r->t, RG_SHAPE(2, 3), SRC_PADDING);
    if (c->count > 0)
        return rg_transformer_encoder_forward(r->t, &stack, r->x[0], &masks);
    return rg_transformer_encoder_layer_forward(r->t, &layer, r->x[0], &masks);
}

static rg_tensor run_decoder(struct run *r, const void *config, fill f, void *user)
{
    const struct layer_case *const c = config;
    rg_transformer_decoder stack = {.count = 0};
    rg_transformer_decoder_layer layer = {.name = NULL};
    if (c->count > 0)
        stack = rg_transformer_decoder_new(r->ps, "decoder", 4, 2, c->count, &c->config);
    else
        layer = rg_transformer_decoder_layer_new(r->ps, "decoder", 4, 2, &c->config);
    f(user);
    rg_set_training(r->t, !c->evaluate);
    const rg_attention_masks self = {.causal = true};
    rg_attention_masks looking = {.causal = false};
    if (c->masked)
        looking.key_padding_mask = rg_input_bool(r->t, RG_SHAPE(2, 3), MEMORY_PADDING);
    const rg_attention_masks *const a = c->masked ? &self : NULL, *const b = c->masked ? &looking : NULL;
    if (c->count > 0)
        return rg_transformer_decoder_forward(r->t, &stack, r->x[0], r->x[1], a, b);
    return rg_transformer_decoder_layer_forward(r->t, &layer, r->x[0], r->x[1], a, b);
}

enum at { NOWHERE, AT, AT_EACH };
struct rotary_case {
    rg_rotary_config config;
    enum at at;
};

static rg_tensor run_rotary(struct run *r, const void *config, fill f, void *user)
{
    static const int64_t at[] = {5, 0, 1000}, each[] = {0, 1, 2, 7, 8, 9};
    const struct rotary_case *const c = config;
    rg_rotary_config turn = c->config;
    (void)f, (void)user;
    if (c->at == AT)
        turn.positions = rg_input_i64(r->t, RG_SHAPE(3), at);
    if (c->at == AT_EACH)
        turn.positions = rg_input_i64(r->t, RG_SHAPE(2, 3), each);
    return rg_rotary(r->t, r->x[0], &turn);
}

static rg_tensor run_learned(struct run *r, const void *config, fill f, void *user)
{
    static const int64_t at[] = {3, 0, 3};
    const rg_learned_positions layer = rg_learned_positions_new(r->ps, "positions", 4, 3);
    f(user);
    const rg_tensor places = *(const enum at *)config == AT ? rg_input_i64(r->t, RG_SHAPE(3), at) : RG_NIL;
    return rg_learned_positions_forward(r->t, &layer, r->x[0], places);
}

struct table_case {
    int64_t a, b, c;
};

/* Sinusoids and ALiBi have no inputs: the dtype is the parameter store's. */
static rg_tensor run_sinusoids(struct run *r, const void *config, fill f, void *user)
{
    const struct table_case *const c = config;
    (void)f, (void)user;
    return rg_sinusoidal_positions(r->t, rg_params_dtype(r->ps), c->a, c->b);
}

static rg_tensor run_alibi(struct run *r, const void *config, fill f, void *user)
{
    const struct table_case *const c = config;
    (void)f, (void)user;
    return rg_alibi(r->t, rg_params_dtype(r->ps), c->a, c->b, c->c);
}

#define SMALL .dim_feedforward = 3
static const struct entry {
    const char *key;
    runner run;
    bool module; /* the last input is the parameters */
    const void *config;
} ENTRIES[] = {
// clang-format off
#define ATTENTION(k, ...) {"mha_" k, run_attention, true, &(const struct attention_case){__VA_ARGS__}}
    ATTENTION("self", .sequences = SELF),
    ATTENTION("cross", .sequences = CROSS),
    ATTENTION("three", .sequences = THREE),
    ATTENTION("single", .sequences = CROSS),
    ATTENTION("causal", .sequences = SELF, .causal = true),
    ATTENTION("mask", .sequences = SELF, .attn_mask = true),
    ATTENTION("mask_heads", .sequences = SELF, .attn_mask = true),
    ATTENTION("mask_float", .sequences = SELF, .attn_mask = true),
    ATTENTION("padding", .sequences = SELF, .padding = true),
    ATTENTION("both", .sequences = SELF, .attn_mask = true, .padding = true),
    ATTENTION("both_float", .sequences = SELF, .attn_mask = true, .padding = true),
    ATTENTION("mixed", .sequences = SELF, .attn_mask = true, .padding = true),
    ATTENTION("causal_padding", .sequences = SELF, .causal = true, .padding = true),
    ATTENTION("single_masks", .sequences = SELF, .attn_mask = true, .padding = true),
    ATTENTION("weights", .sequences = CROSS, .weights = true),
    ATTENTION("weights_heads", .sequences = CROSS, .weights = true, .per_head = true),
    ATTENTION("weights_single", .sequences = CROSS, .weights = true),
    ATTENTION("no_bias", .sequences = SELF, .config = {.no_bias = true}),
    ATTENTION("dims", .sequences = THREE, .config = {.kdim = 3, .vdim = 5}),
    ATTENTION("extras", .sequences = SELF, .config = {.bias_kv = true, .zero_attn = true}),
    ATTENTION("extras_masks", .sequences = SELF, .causal = true, .padding = true, .config = {.bias_kv = true, .zero_attn = true}),
    ATTENTION("sequence_first", .sequences = CROSS, .padding = true, .config = {.sequence_first = true}),
    ATTENTION("grouped", .sequences = SELF, .heads = 4, .config = {.kv_heads = 2}),
    ATTENTION("grouped_causal", .sequences = SELF, .heads = 4, .causal = true, .config = {.kv_heads = 2}),
    ATTENTION("rotary", .sequences = SELF, .causal = true, .config = {.rotary = true}),
#define ENCODER(k, ...) {"encoder_" k, run_encoder, true, &(const struct layer_case){__VA_ARGS__}}
    ENCODER("post", .config = {SMALL, .dropout = RG_ZERO}),
    ENCODER("post_masks", .config = {SMALL}, .evaluate = true, .masked = true),
    ENCODER("pre", .config = {SMALL, .norm_first = true, .activation = rg_gelu}, .evaluate = true),
    ENCODER("pre_causal", .config = {SMALL, .norm_first = true, .activation = rg_gelu, .layer_norm_eps = 0.1}, .evaluate = true, .causal = true),
    ENCODER("no_bias", .config = {SMALL, .norm_first = true, .no_bias = true}, .evaluate = true),
    ENCODER("stack", .config = {SMALL}, .count = 2, .evaluate = true, .masked = true),
    ENCODER("stack_norm", .config = {SMALL, .norm_first = true, .final_norm = true}, .count = 2, .evaluate = true),
#define DECODER(k, ...) {"decoder_" k, run_decoder, true, &(const struct layer_case){__VA_ARGS__}}
    DECODER("post", .config = {SMALL, .dropout = RG_ZERO}, .masked = true),
    DECODER("pre", .config = {SMALL, .norm_first = true, .activation = rg_gelu}, .evaluate = true, .masked = true),
    DECODER("single", .config = {SMALL}, .evaluate = true),
    DECODER("no_bias", .config = {SMALL, .no_bias = true}, .evaluate = true),
    DECODER("stack_norm", .config = {SMALL, .final_norm = true}, .count = 2, .evaluate = true, .masked = true),
#define ROTARY(k, ...) {"rotary" k, run_rotary, false, &(const struct rotary_case){__VA_ARGS__}}
    ROTARY("", .config = {.base = 0}),
    ROTARY("_half", .config = {.half_split = true}),
    ROTARY("_some", .config = {.base = 100, .width = 2}),
    ROTARY("_some_half", .config = {.width = 4, .half_split = true}),
    ROTARY("_at", .config = {.base = 0}, .at = AT),
    ROTARY("_at_each", .config = {.base = 0}, .at = AT_EACH),
    {"learned", run_learned, true, &(const enum at){NOWHERE}},
    {"learned_at", run_learned, true, &(const enum at){AT}},
    {"sinusoids_4", run_sinusoids, false, &(const struct table_case){5, 4, 0}},
    {"sinusoids_5", run_sinusoids, false, &(const struct table_case){3, 5, 0}},
    {"alibi_2", run_alibi, false, &(const struct table_case){2, 3, 3}},
    {"alibi_3", run_alibi, false, &(const struct table_case){3, 2, 4}},
    {"alibi_12", run_alibi, false, &(const struct table_case){12, 1, 3}},
    // clang-format on
};

/* ---- golden cases: running and comparing ----------------------------------------------------------------------------- */

struct comparison {
    const struct golden_case *c;
    bool eager;
    long compared, wrong;
};

static void compare_with(struct comparison *k, const char *what, const struct golden_array *expected, const void *data)
{
    const bool single = expected->dtype == RG_F32;
    const double allowed = single ? 2e-6 : 1e-12;
    size_t where;
    const double distance = golden_distance(expected, data, 1, INFINITY, false, &where);
    k->compared += (long)expected->count;
    if (distance <= allowed)
        return;
    char ours[40], theirs[40];
    golden_text(expected->dtype, data, where, ours);
    golden_text(expected->dtype, expected->data, where, theirs);
    print_error("%s %s %s: %s: element %zu is %s, PyTorch has %s\n", k->c->key, k->c->variant,
                k->eager ? "eager" : "recorded", what, where, ours, theirs);
    k->wrong++;
}

/* The parameters of a store from one array, in their order; and tensors of their kind joined to one. */
struct filling {
    rg_params *ps;
    const struct golden_array *flat;
    bool fits;
};

static void fill_in(void *user)
{
    struct filling *const f = user;
    const size_t size = rg_dtype_size(f->flat->dtype);
    size_t at = 0;
    for (int i = 0; i < rg_params_count(f->ps); i++) {
        rg_param *p = rg_params_at(f->ps, i);
        const size_t count = (size_t)rg_param_numel(p);
        if (at + count > f->flat->count)
            break;
        rg_param_set(p, (const char *)f->flat->data + at * size, count * size);
        at += count;
    }
    f->fits = at == f->flat->count && rg_params_status(f->ps) == RG_OK;
}

static rg_tensor flat(rg_tape *t, rg_tensor x)
{
    return rg_reshape(t, x, RG_SHAPE(-1));
}

/* What is differentiated with respect to: each float input, and all parameters. */
struct wanted {
    rg_tensor x[64];
    int input[64], count;
};

static struct wanted wanted_of(struct run *r, const struct golden_case *c, bool module)
{
    struct wanted w = {.count = 0};
    for (int i = 0; i < c->inputs; i++) {
        if (c->grad[i].data == NULL)
            continue;
        if (!module || i < c->inputs - 1) {
            w.x[w.count] = r->x[i];
            w.input[w.count++] = i;
            continue;
        }
        for (int k = 0; k < rg_params_count(r->ps); k++) {
            w.x[w.count] = rg_leaf(r->t, rg_params_at(r->ps, k));
            w.input[w.count++] = i;
        }
    }
    return w;
}

/* The tensors that belong to input i, joined. */
static rg_tensor joined(rg_tape *t, const struct wanted *w, const rg_tensor *of, int input)
{
    rg_tensor parts[64];
    int count = 0;
    for (int k = 0; k < w->count; k++)
        if (w->input[k] == input)
            parts[count++] = flat(t, of[k]);
    return rg_cat(t, parts, count, 0);
}

static void compare_tensor_with(struct comparison *k, rg_tape *t, const char *what, const struct golden_array *expected,
                                rg_tensor x, bool flattened)
{
    const size_t bytes = expected->count * rg_dtype_size(expected->dtype);
    void *data = malloc(bytes + 1);
    assert_non_null(data);
    char ours[80];
    golden_shape_text(rg_dtype_of(t, x), rg_shape_of(t, x), ours);
    if (!flattened && !rg_shape_equal(rg_shape_of(t, x), expected->shape) && ++k->wrong)
        print_error("%s %s: %s is %s: %s\n", k->c->key, k->c->variant, what, ours, rg_tape_error(t));
    else if (!rg_read(t, x, data, bytes) && ++k->wrong)
        print_error("%s %s: %s failed: %s\n", k->c->key, k->c->variant, what, rg_tape_error(t));
    else
        compare_with(k, what, expected, data);
    free(data);
}

static void compare_gradients(struct comparison *k, struct run *r, rg_tensor y, bool module)
{
    const struct golden_case *const c = k->c;
    const struct wanted w = wanted_of(r, c, module);
    rg_tensor grads[64], seconds[64], total = rg_constant(r->t, RG_F64, 0);
    bool twice = false;
    assert_true(w.count > 0);
    rg_grad_with(r->t, y, rg_input(r->t, c->cotangent.dtype, c->cotangent.shape, c->cotangent.data), w.x, w.count, grads);
    for (int i = 0; i < c->inputs; i++) {
        if (c->grad[i].data == NULL)
            continue;
        const rg_tensor grad = joined(r->t, &w, grads, i);
        compare_tensor_with(k, r->t, "gradient", &c->grad[i], grad, true);
        if (c->weight[i].data == NULL)
            continue;
        twice = true;
        const rg_tensor weight = rg_input(r->t, RG_F64, c->weight[i].shape, c->weight[i].data);
        total = rg_add(r->t, total, rg_sum(r->t, rg_mul(r->t, grad, flat(r->t, weight)), RG_ALL, false));
    }
    if (!twice)
        return;
    rg_grad(r->t, total, w.x, w.count, seconds);
    for (int i = 0; i < c->inputs; i++)
        if (c->second[i].data != NULL)
            compare_tensor_with(k, r->t, "second gradient", &c->second[i], joined(r->t, &w, seconds, i), true);
}

static void run_case(struct comparison *k, const struct entry *e)
{
    const struct golden_case *const c = k->c;
    rg_tensor x[GOLDEN_ARRAYS];
    const int inputs = c->inputs - (e->module ? 1 : 0);
    struct run r = {.t = rg_tape_new(&(rg_tape_config){.eager = k->eager}), .ps = rg_params_new(1), .x = x};
    struct filling f = {r.ps, e->module ? &c->in[inputs] : NULL, true};
    rg_params_set_dtype(r.ps, c->inputs > 0 ? c->in[0].dtype : c->out[0].dtype);
    for (int i = 0; i < inputs; i++)
        x[i] = rg_input(r.t, c->in[i].dtype, c->in[i].shape, c->in[i].data);
    rg_tensor y = e->run(&r, e->config, fill_in, &f);
    if (!f.fits && ++k->wrong)
        print_error("%s: the parameters are not PyTorch's: %s\n", c->key, rg_params_error(r.ps));
    compare_tensor_with(k, r.t, "result", &c->out[0], y, false);
    if (c->outs > 1) {
        compare_tensor_with(k, r.t, "weights", &c->out[1], r.weights, false);
        const rg_tensor both[] = {flat(r.t, y), flat(r.t, r.weights)};
        y = rg_cat(r.t, both, 2, 0);
    }
    if (c->cotangent.data != NULL && !rg_failed(r.t))
        compare_gradients(k, &r, y, e->module);
    if (rg_failed(r.t) && ++k->wrong)
        print_error("%s: %s\n", c->key, rg_tape_error(r.t));
    rg_tape_free(r.t);
    rg_params_free(r.ps);
}

static void all_golden_cases_agree_with_pytorch(void **state)
{
    (void)state;
    struct golden_file f;
    struct golden_case c;
    struct comparison k = {.c = &c};
    bool used[COUNT(ENTRIES)] = {false};
    if (!golden_open(&f, root, "transformer"))
        fail_msg("%s (the project's root folder is the program's argument)", f.error);
    for (; golden_next(&f, &c); golden_case_free(&c)) {
        size_t i = 0;
        while (i < COUNT(ENTRIES) && strcmp(ENTRIES[i].key, c.key) != 0)
            i++;
        if (i == COUNT(ENTRIES))
            fail_msg("there is no entry for the case %s", c.key);
        used[i] = true;
        for (int eager = 0; eager < 2; eager++) {
            k.eager = eager != 0;
            run_case(&k, &ENTRIES[i]);
        }
    }
    golden_case_free(&c);
    if (f.error[0] != '\0')
        fail_msg("transformer.txt %s", f.error);
    golden_close(&f);
    for (size_t i = 0; i < COUNT(ENTRIES); i++)
        if (!used[i])
            fail_msg("there is no case for the entry %s", ENTRIES[i].key);
    print_message("%ld numbers compared\n", k.compared);
    assert_true(k.compared > 10000);
    assert_int_equal(k.wrong, 0);
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

int main(int argc, char **argv)
{
    root = argc > 1 ? argv[1] : root;
    const struct CMUnitTest tests[] = {
        TEST(all_golden_cases_agree_with_pytorch),
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
