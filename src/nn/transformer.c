/* Encoder and decoder layers of transformers, and stacks of them. */
#include "transformer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* ---- configuration ----------------------------------------------------------------------------------------------- */

/* The configuration with its defaults filled in. */
static rg_transformer_config settled(const rg_transformer_config *config)
{
    rg_transformer_config c = config != NULL ? *config : (rg_transformer_config){0};
    c.dim_feedforward = c.dim_feedforward != 0 ? c.dim_feedforward : 2048;
    c.dropout = rg__or_default(c.dropout, 0.1);
    c.layer_norm_eps = rg__or_default(c.layer_norm_eps, 1e-5);
    c.activation = c.activation != NULL ? c.activation : rg_relu;
    return c;
}

static bool check_config(rg_params *ps, const char *function, const rg_transformer_config *c)
{
    if (!(c->dropout >= 0 && c->dropout <= 1))
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "%s: dropout is %g; it must be in [0, 1]", function, c->dropout);
    if (!(c->layer_norm_eps >= 0 && c->layer_norm_eps < INFINITY))
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "%s: layer_norm_eps is %g; it must be finite and not negative", function,
                       c->layer_norm_eps);
    if (c->dim_feedforward < 1)
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "%s: dim_feedforward is %" PRId64 "; it must be above 0", function,
                       c->dim_feedforward);
    return rg_params_status(ps) == RG_OK;
}

static rg_multihead_attention self_attention(rg_params *ps, int64_t d_model, int64_t nhead,
                                             const rg_transformer_config *c)
{
    const rg_multihead_attention_config config = {.dropout = c->dropout,
                                                  .no_bias = c->no_bias,
                                                  .sequence_first = c->sequence_first,
                                                  .kv_heads = c->kv_heads,
                                                  .rotary = c->rotary,
                                                  .rotary_half_split = c->rotary_half_split};
    return rg_multihead_attention_new(ps, "self_attn", d_model, nhead, &config);
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

static rg_layer_norm_layer norm_new(rg_params *ps, const char *name, int64_t d_model, const rg_transformer_config *c)
{
    const rg_norm_config config = {.eps = c->layer_norm_eps > 0 ? c->layer_norm_eps : RG_ZERO, .no_bias = c->no_bias};
    return rg_layer_norm_layer_new(ps, name, RG_SHAPE(d_model), &config);
}

static rg_tensor dropped(rg_tape *t, rg_tensor x, double p)
{
    return rg_failed(t) ? RG_NIL : rg_dropout_layer(t, x, p);
}

/* What encoder and decoder layers have in common behind attention. */
typedef struct feed_forward {
    const rg_linear *linear1, *linear2;
    rg_tensor (*activation)(rg_tape *t, rg_tensor x);
    double dropout;
} feed_forward;

static rg_tensor fed_forward(rg_tape *t, const feed_forward *f, rg_tensor x)
{
    const rg_tensor h = f->activation(t, rg_linear_forward(t, f->linear1, x));
    return dropped(t, rg_linear_forward(t, f->linear2, dropped(t, h, f->dropout)), f->dropout);
}

/* The attention of x to the memory, or to itself where that is nil. */
static rg_tensor attended(rg_tape *t, const rg_multihead_attention *layer, rg_tensor x, rg_tensor memory,
                          const rg_attention_masks *masks, double dropout)
{
    const rg_tensor seen = rg_is_nil(memory) ? x : memory;
    return dropped(t, rg_multihead_attention_forward(t, layer, x, seen, seen, masks), dropout);
}

static bool check_model(rg_tape *t, const char *function, const char *name, rg_tensor x, int64_t d_model)
{
    if (!rg__check_float(t, function, name, x))
        return false;
    const rg_shape s = rg_shape_of(t, x);
    if ((s.rank != 2 && s.rank != 3) || s.dims[s.rank - 1] != d_model)
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: %s is %s; it must be [batch, time, %" PRId64 "] or [time, %" PRId64 "]",
                     function, name, RG__SHAPE_TEXT(s), d_model, d_model);
    return !rg_failed(t);
}

/* The masks of a layer of a stack: weights are not for stacks. */
static bool check_masks(rg_tape *t, const char *function, const rg_attention_masks *masks, bool cached)
{
    if (masks != NULL && masks->weights != NULL)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: weights are those of one attention: ask for them there", function);
    if (masks != NULL && masks->cache != NULL && !cached)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: the attention to the memory takes no cache", function);
    return !rg_failed(t);
}

/* ---- encoder layer ----------------------------------------------------------------------------------------------- */

rg_transformer_encoder_layer rg_transformer_encoder_layer_new(rg_params *ps, const char *name, int64_t d_model,
                                                              int64_t nhead, const rg_transformer_config *config)
{
    static const char function[] = "transformer_encoder_layer_new";
    const rg_transformer_config c = settled(config);
    rg_transformer_encoder_layer layer = {.name = rg__layer_open(ps, function, name),
                                          .activation = c.activation,
                                          .dropout = c.dropout,
                                          .norm_first = c.norm_first};
    if (layer.name == NULL)
        return layer;
    if (check_config(ps, function, &c)) {
        layer.self_attn = self_attention(ps, d_model, nhead, &c);
        layer.linear1 = rg__linear_part(ps, "linear1", d_model, c.dim_feedforward, c.no_bias);
        layer.linear2 = rg__linear_part(ps, "linear2", c.dim_feedforward, d_model, c.no_bias);
        layer.norm1 = norm_new(ps, "norm1", d_model, &c);
        layer.norm2 = norm_new(ps, "norm2", d_model, &c);
    }
    rg_params_scope_pop(ps);
    if (rg_params_status(ps) != RG_OK)
        layer.self_attn.out_proj.weight = NULL;
    return layer;
}

static rg_tensor encode(rg_tape *t, const rg_transformer_encoder_layer *l, rg_tensor x, const rg_attention_masks *masks)
{
    const feed_forward f = {&l->linear1, &l->linear2, l->activation, l->dropout};
    if (l->norm_first) {
        const rg_tensor n1 = rg_layer_norm_layer_forward(t, &l->norm1, x);
        x = rg_add(t, x, attended(t, &l->self_attn, n1, RG_NIL, masks, l->dropout));
        return rg_add(t, x, fed_forward(t, &f, rg_layer_norm_layer_forward(t, &l->norm2, x)));
    }
    x = rg_layer_norm_layer_forward(t, &l->norm1, rg_add(t, x, attended(t, &l->self_attn, x, RG_NIL, masks, l->dropout)));
    return rg_layer_norm_layer_forward(t, &l->norm2, rg_add(t, x, fed_forward(t, &f, x)));
}

rg_tensor rg_transformer_encoder_layer_forward(rg_tape *t, const rg_transformer_encoder_layer *layer, rg_tensor src,
                                               const rg_attention_masks *masks)
{
    static const char function[] = "transformer_encoder_layer_forward";
    if (layer == NULL || layer->self_attn.out_proj.weight == NULL)
        return rg__layer_unusable(t, function, layer, layer != NULL ? layer->name : NULL);
    if (!check_masks(t, function, masks, true) || !check_model(t, function, "src", src, layer->self_attn.embed))
        return RG_NIL;
    rg__layer_enter(t, layer->name);
    const rg_tensor y = encode(t, layer, src, masks);
    return rg__layer_leave(t, layer->name, rg_failed(t) ? RG_NIL : y);
}

/* ---- decoder layer ----------------------------------------------------------------------------------------------- */

rg_transformer_decoder_layer rg_transformer_decoder_layer_new(rg_params *ps, const char *name, int64_t d_model,
                                                              int64_t nhead, const rg_transformer_config *config)
{
    static const char function[] = "transformer_decoder_layer_new";
    const rg_transformer_config c = settled(config);
    rg_transformer_decoder_layer layer = {.name = rg__layer_open(ps, function, name),
                                          .activation = c.activation,
                                          .dropout = c.dropout,
                                          .norm_first = c.norm_first};
    if (layer.name == NULL)
        return layer;
    if (check_config(ps, function, &c)) {
        const rg_multihead_attention_config cross = {
            .dropout = c.dropout, .no_bias = c.no_bias, .sequence_first = c.sequence_first};
        layer.self_attn = self_attention(ps, d_model, nhead, &c);
        layer.multihead_attn = rg_multihead_attention_new(ps, "multihead_attn", d_model, nhead, &cross);
        layer.linear1 = rg__linear_part(ps, "linear1", d_model, c.dim_feedforward, c.no_bias);
        layer.linear2 = rg__linear_part(ps, "linear2", c.dim_feedforward, d_model, c.no_bias);
        layer.norm1 = norm_new(ps, "norm1", d_model, &c);
        layer.norm2 = norm_new(ps, "norm2", d_model, &c);
        layer.norm3 = norm_new(ps, "norm3", d_model, &c);
    }
    rg_params_scope_pop(ps);
    if (rg_params_status(ps) != RG_OK)
        layer.self_attn.out_proj.weight = NULL;
    return layer;
}

typedef struct decoding {
    rg_tensor memory;
    const rg_attention_masks *tgt, *looking; /* masks of both attentions */
} decoding;

static rg_tensor decode(rg_tape *t, const rg_transformer_decoder_layer *l, rg_tensor x, const decoding *d)
{
    const feed_forward f = {&l->linear1, &l->linear2, l->activation, l->dropout};
    if (l->norm_first) {
        const rg_tensor n1 = rg_layer_norm_layer_forward(t, &l->norm1, x);
        x = rg_add(t, x, attended(t, &l->self_attn, n1, RG_NIL, d->tgt, l->dropout));
        const rg_tensor n2 = rg_layer_norm_layer_forward(t, &l->norm2, x);
        x = rg_add(t, x, attended(t, &l->multihead_attn, n2, d->memory, d->looking, l->dropout));
        return rg_add(t, x, fed_forward(t, &f, rg_layer_norm_layer_forward(t, &l->norm3, x)));
    }
    x = rg_layer_norm_layer_forward(t, &l->norm1,
                                    rg_add(t, x, attended(t, &l->self_attn, x, RG_NIL, d->tgt, l->dropout)));
    const rg_tensor looked = attended(t, &l->multihead_attn, x, d->memory, d->looking, l->dropout);
    x = rg_layer_norm_layer_forward(t, &l->norm2, rg_add(t, x, looked));
    return rg_layer_norm_layer_forward(t, &l->norm3, rg_add(t, x, fed_forward(t, &f, x)));
}

rg_tensor rg_transformer_decoder_layer_forward(rg_tape *t, const rg_transformer_decoder_layer *layer, rg_tensor tgt,
                                               rg_tensor memory, const rg_attention_masks *tgt_masks,
                                               const rg_attention_masks *memory_masks)
{
    static const char function[] = "transformer_decoder_layer_forward";
    if (layer == NULL || layer->self_attn.out_proj.weight == NULL)
        return rg__layer_unusable(t, function, layer, layer != NULL ? layer->name : NULL);
    const int64_t d_model = layer->self_attn.embed;
    if (!check_masks(t, function, tgt_masks, true) || !check_masks(t, function, memory_masks, false) ||
        !check_model(t, function, "tgt", tgt, d_model) || !check_model(t, function, "memory", memory, d_model))
        return RG_NIL;
    rg__layer_enter(t, layer->name);
    const rg_tensor y = decode(t, layer, tgt, &(decoding){memory, tgt_masks, memory_masks});
    return rg__layer_leave(t, layer->name, rg_failed(t) ? RG_NIL : y);
}

/* ---- stacks ------------------------------------------------------------------------------------------------------ */

/* "layers.7" */
enum { LAYER_NAME = 24 };
static const char *layer_name(int i, char *text)
{
    snprintf(text, LAYER_NAME, "layers.%d", i);
    return text;
}

static bool check_count(rg_params *ps, const char *function, int count)
{
    if (count < 1 || count > RG_TRANSFORMER_LAYERS)
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "%s: there are %d layers; there must be 1 to %d", function, count,
                       RG_TRANSFORMER_LAYERS);
    return rg_params_status(ps) == RG_OK;
}

/* The masks for layer i: of the caches, its own. */
static const rg_attention_masks *masks_of_layer(const rg_attention_masks *masks, int i, rg_attention_masks *own)
{
    if (masks == NULL || masks->cache == NULL)
        return masks;
    *own = *masks;
    own->cache += i;
    return own;
}

rg_transformer_encoder rg_transformer_encoder_new(rg_params *ps, const char *name, int64_t d_model, int64_t nhead,
                                                  int count, const rg_transformer_config *config)
{
    static const char function[] = "transformer_encoder_new";
    rg_transformer_encoder stack = {.name = rg__layer_open(ps, function, name)};
    const rg_transformer_config c = settled(config);
    char text[LAYER_NAME];
    if (stack.name == NULL)
        return stack;
    if (check_count(ps, function, count)) {
        for (int i = 0; i < count; i++)
            stack.layers[i] = rg_transformer_encoder_layer_new(ps, layer_name(i, text), d_model, nhead, config);
        if (c.final_norm)
            stack.norm = norm_new(ps, "norm", d_model, &c);
    }
    rg_params_scope_pop(ps);
    stack.count = rg_params_status(ps) == RG_OK ? count : 0;
    return stack;
}

rg_tensor rg_transformer_encoder_forward(rg_tape *t, const rg_transformer_encoder *stack, rg_tensor src,
                                         const rg_attention_masks *masks)
{
    rg_attention_masks own;
    if (stack == NULL || stack->count < 1)
        return rg__layer_unusable(t, "transformer_encoder_forward", stack, stack != NULL ? stack->name : NULL);
    rg__layer_enter(t, stack->name);
    for (int i = 0; i < stack->count && !rg_failed(t); i++)
        src = rg_transformer_encoder_layer_forward(t, &stack->layers[i], src, masks_of_layer(masks, i, &own));
    if (stack->norm.name != NULL && !rg_failed(t))
        src = rg_layer_norm_layer_forward(t, &stack->norm, src);
    return rg__layer_leave(t, stack->name, rg_failed(t) ? RG_NIL : src);
}

rg_transformer_decoder rg_transformer_decoder_new(rg_params *ps, const char *name, int64_t d_model, int64_t nhead,
                                                  int count, const rg_transformer_config *config)
{
    static const char function[] = "transformer_decoder_new";
    rg_transformer_decoder stack = {.name = rg__layer_open(ps, function, name)};
    const rg_transformer_config c = settled(config);
    char text[LAYER_NAME];
    if (stack.name == NULL)
        return stack;
    if (check_count(ps, function, count)) {
        for (int i = 0; i < count; i++)
            stack.layers[i] = rg_transformer_decoder_layer_new(ps, layer_name(i, text), d_model, nhead, config);
        if (c.final_norm)
            stack.norm = norm_new(ps, "norm", d_model, &c);
    }
    rg_params_scope_pop(ps);
    stack.count = rg_params_status(ps) == RG_OK ? count : 0;
    return stack;
}

rg_tensor rg_transformer_decoder_forward(rg_tape *t, const rg_transformer_decoder *stack, rg_tensor tgt, rg_tensor memory,
                                         const rg_attention_masks *tgt_masks, const rg_attention_masks *memory_masks)
{
    rg_attention_masks own;
    if (stack == NULL || stack->count < 1)
        return rg__layer_unusable(t, "transformer_decoder_forward", stack, stack != NULL ? stack->name : NULL);
    rg__layer_enter(t, stack->name);
    for (int i = 0; i < stack->count && !rg_failed(t); i++)
        tgt = rg_transformer_decoder_layer_forward(t, &stack->layers[i], tgt, memory,
                                                   masks_of_layer(tgt_masks, i, &own), memory_masks);
    if (stack->norm.name != NULL && !rg_failed(t))
        tgt = rg_layer_norm_layer_forward(t, &stack->norm, tgt);
    return rg__layer_leave(t, stack->name, rg_failed(t) ? RG_NIL : tgt);
}
