/* Attention, transformer layers and positions against PyTorch's modules: golden/transformer.txt. The program's argument is the
 * project's root folder. */
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

int main(int argc, char **argv)
{
    root = argc > 1 ? argv[1] : root;
    const struct CMUnitTest tests[] = {
        TEST(all_golden_cases_agree_with_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
