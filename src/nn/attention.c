/* Multi-head attention: its parameters, projections, masks and cache. */
#include "transformer.h"

#include <inttypes.h>
#include <math.h>

static const char FORWARD[] = "multihead_attention_forward";

/* ---- making a layer ---------------------------------------------------------------------------------------------- */

rg_linear rg__linear_part(rg_params *ps, const char *name, int64_t in, int64_t out, bool no_bias)
{
    if (!no_bias)
        return rg_linear_new(ps, name, in, out);
    rg_linear layer = {.name = rg__layer_open(ps, "linear_new", name)};
    if (layer.name == NULL)
        return layer;
    layer.weight = rg_param_new(ps, "weight", rg_params_dtype(ps), RG_SHAPE(out, in), NULL);
    rg_params_scope_pop(ps);
    const double bound = in > 0 ? 1 / sqrt((double)in) : 0;
    rg_init_uniform(layer.weight, -bound, bound);
    return layer;
}

static bool check_config(rg_params *ps, int64_t embed, int64_t heads, const rg_multihead_attention_config *c)
{
    static const char function[] = "multihead_attention_new";
    const int64_t kv_heads = c->kv_heads != 0 ? c->kv_heads : heads;
    if (embed < 1 || embed > INT64_MAX / 4 || heads < 1 || embed % heads != 0)
        rg_params_fail(ps, RG_ERROR_ARGUMENT,
                       "%s: embed is %" PRId64 " and heads is %" PRId64 "; heads must divide embed, both above 0",
                       function, embed, heads);
    else if (kv_heads < 1 || heads % kv_heads != 0)
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "%s: kv_heads is %" PRId64 "; it must divide the %" PRId64 " heads",
                       function, kv_heads, heads);
    else if (c->kdim < 0 || c->vdim < 0)
        rg_params_fail(ps, RG_ERROR_ARGUMENT,
                       "%s: kdim is %" PRId64 " and vdim is %" PRId64 "; they must not be negative", function, c->kdim,
                       c->vdim);
    else if (!(rg__or_default(c->dropout, 0) >= 0 && c->dropout <= 1))
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "%s: dropout is %g; it must be in [0, 1]", function, c->dropout);
    else if (c->bias_kv && kv_heads != heads)
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "%s: bias_kv needs as many kv_heads as heads", function);
    return rg_params_status(ps) == RG_OK;
}

static rg_param *projection(rg_params *ps, const char *name, int64_t out, int64_t in)
{
    rg_param *p = rg_param_new(ps, name, rg_params_dtype(ps), RG_SHAPE(out, in), NULL);
    rg_init_xavier_uniform(p, 1);
    return p;
}

static rg_param *extra(rg_params *ps, const char *name, int64_t embed)
{
    rg_param *p = rg_param_new(ps, name, rg_params_dtype(ps), RG_SHAPE(1, 1, embed), NULL);
    rg_init_xavier_normal(p, 1);
    return p;
}

static void make_parameters(rg_params *ps, rg_multihead_attention *layer, const rg_multihead_attention_config *c)
{
    const int64_t embed = layer->embed, kv = embed / layer->heads * layer->kv_heads;
    const int64_t kdim = c->kdim != 0 ? c->kdim : embed, vdim = c->vdim != 0 ? c->vdim : embed;
    if (kdim == embed && vdim == embed) {
        layer->in_proj_weight = projection(ps, "in_proj_weight", embed + 2 * kv, embed);
    } else {
        layer->q_proj_weight = projection(ps, "q_proj_weight", embed, embed);
        layer->k_proj_weight = projection(ps, "k_proj_weight", kv, kdim);
        layer->v_proj_weight = projection(ps, "v_proj_weight", kv, vdim);
    }
    if (!c->no_bias)
        layer->in_proj_bias = rg_param_new(ps, "in_proj_bias", rg_params_dtype(ps), RG_SHAPE(embed + 2 * kv), NULL);
    if (c->bias_kv) {
        layer->bias_k = extra(ps, "bias_k", embed);
        layer->bias_v = extra(ps, "bias_v", embed);
    }
    layer->out_proj = rg__linear_part(ps, "out_proj", embed, embed, c->no_bias);
    rg_init_constant(layer->out_proj.bias, 0);
}

rg_multihead_attention rg_multihead_attention_new(rg_params *ps, const char *name, int64_t embed, int64_t heads,
                                                  const rg_multihead_attention_config *config)
{
    static const rg_multihead_attention_config defaults = {0};
    const rg_multihead_attention_config *const c = config != NULL ? config : &defaults;
    rg_multihead_attention layer = {.name = rg__layer_open(ps, "multihead_attention_new", name)};
    if (layer.name == NULL)
        return layer;
    if (check_config(ps, embed, heads, c)) {
        layer.embed = embed;
        layer.heads = heads;
        layer.kv_heads = c->kv_heads != 0 ? c->kv_heads : heads;
        layer.dropout = rg__or_default(c->dropout, 0);
        layer.zero_attn = c->zero_attn;
        layer.sequence_first = c->sequence_first;
        layer.rotary = c->rotary;
        layer.rotate =
            (rg_rotary_config){.base = c->rotary_base, .width = c->rotary_width, .half_split = c->rotary_half_split};
        make_parameters(ps, &layer, c);
    }
    rg_params_scope_pop(ps);
    if (rg_params_status(ps) != RG_OK) /* a layer without some of its parameters must not pass for one that needs none */
        layer.out_proj.weight = NULL;
    return layer;
}

rg_attention_cache rg_attention_cache_new(rg_params *ps, const char *name, const rg_multihead_attention *layer,
                                          int64_t batch, int64_t length)
{
    rg_attention_cache cache = {NULL, NULL};
    const char *kept = rg__layer_open(ps, "attention_cache_new", name);
    if (kept == NULL)
        return cache;
    if (layer == NULL || layer->out_proj.weight == NULL) {
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "attention_cache_new: there is no layer");
    } else {
        const rg_shape shape = RG_SHAPE(batch, layer->kv_heads, length, layer->embed / layer->heads);
        const rg_dtype dtype = rg_param_dtype(layer->out_proj.weight);
        cache.k = rg_buffer_new(ps, "k", dtype, shape, NULL);
        cache.v = cache.k != NULL ? rg_buffer_new(ps, "v", dtype, shape, NULL) : NULL;
    }
    rg_params_scope_pop(ps);
    return cache;
}

/* ---- what a call works on ---------------------------------------------------------------------------------------- */

typedef struct attention {
    rg_tape *t;
    const rg_multihead_attention *layer;
    const rg_attention_masks *masks;
    int64_t batch, queries, keys, width; /* width: of a head */
    int64_t extras;                      /* keys that are added */
    rg_tensor q, k, v;                   /* [batch, heads, time, width] */
} attention;

static bool same(rg_tensor a, rg_tensor b)
{
    return a.id == b.id && a.generation == b.generation;
}

static bool check_sequence(rg_tape *t, const char *name, rg_tensor x, int rank, int64_t width)
{
    if (!rg__check_float(t, FORWARD, name, x))
        return false;
    const rg_shape shape = rg_shape_of(t, x);
    if (shape.rank != rank || shape.dims[rank - 1] != width)
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: %s is %s; it must be %s%" PRId64 "]", FORWARD, name, RG__SHAPE_TEXT(shape),
                     rank == 2 ? "[time, " : "[batch, time, ", width);
    return !rg_failed(t);
}

/* The axes of a sequence: [time, width], [batch, time, width], or [time, batch, width]. */
static int64_t batch_of(const rg_multihead_attention *layer, rg_shape s)
{
    return s.rank == 2 ? 1 : s.dims[layer->sequence_first ? 1 : 0];
}

static int64_t time_of(const rg_multihead_attention *layer, rg_shape s)
{
    return s.dims[s.rank == 2 || layer->sequence_first ? 0 : 1];
}

static bool check_inputs(attention *a, rg_tensor query, rg_tensor key, rg_tensor value)
{
    rg_tape *t = a->t;
    const rg_multihead_attention *const layer = a->layer;
    if (!rg__check_float(t, FORWARD, "query", query))
        return false;
    if (layer->heads < 1 || layer->embed % layer->heads != 0) {
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: %" PRId64 " heads do not divide %" PRId64 " columns", FORWARD,
                     layer->heads, layer->embed);
        return false;
    }
    const rg_shape q = rg_shape_of(t, query);
    const bool packed = layer->in_proj_weight != NULL;
    const int64_t kdim = packed ? layer->embed : rg_param_shape(layer->k_proj_weight).dims[1];
    const int64_t vdim = packed ? layer->embed : rg_param_shape(layer->v_proj_weight).dims[1];
    const int rank = q.rank == 2 ? 2 : 3;
    if (!check_sequence(t, "query", query, rank, layer->embed) || !check_sequence(t, "key", key, rank, kdim) ||
        !check_sequence(t, "value", value, rank, vdim))
        return false;
    const rg_shape k = rg_shape_of(t, key), v = rg_shape_of(t, value);
    a->batch = batch_of(layer, q);
    a->queries = time_of(layer, q);
    a->keys = time_of(layer, k);
    a->width = layer->embed / layer->heads;
    a->extras = (layer->bias_k != NULL) + (int64_t)layer->zero_attn;
    if (batch_of(layer, k) != a->batch || batch_of(layer, v) != a->batch || time_of(layer, v) != a->keys)
        rg_tape_fail(t, RG_ERROR_SHAPE,
                     "%s: query %s, key %s and value %s do not fit: batches are the same, and times of key and value",
                     FORWARD, RG__SHAPE_TEXT(q), RG__SHAPE_TEXT(k), RG__SHAPE_TEXT(v));
    return !rg_failed(t);
}

/* ---- projections ------------------------------------------------------------------------------------------------- */

static rg_tensor rows(rg_tape *t, rg_tensor x, int64_t from, int64_t to)
{
    return rg_is_nil(x) ? x : rg_slice(t, x, 0, from, to, 1);
}

/* [batch, time, n width], or another order of the axes -> [batch, n, time, width] */
static rg_tensor split(const attention *a, rg_tensor x, int64_t count)
{
    rg_tape *t = a->t;
    rg_shape s = rg_shape_of(t, x);
    if (rg_failed(t))
        return RG_NIL;
    if (s.rank == 2)
        return rg_unsqueeze(t, rg_permute(t, rg_reshape(t, x, RG_SHAPE(s.dims[0], count, a->width)), RG_AXES(1, 0, 2)),
                            0);
    x = rg_reshape(t, x, RG_SHAPE(s.dims[0], s.dims[1], count, a->width));
    return rg_permute(t, x, a->layer->sequence_first ? RG_AXES(1, 2, 0, 3) : RG_AXES(0, 2, 1, 3));
}

/* The counterpart: [batch, heads, time, width] -> [batch, time, embed] in the order of the axes that query has. */
static rg_tensor join(const attention *a, rg_tensor y, bool single)
{
    rg_tape *t = a->t;
    const int64_t embed = a->layer->embed;
    y = rg_permute(t, y, a->layer->sequence_first ? RG_AXES(2, 0, 1, 3) : RG_AXES(0, 2, 1, 3));
    if (single)
        return rg_reshape(t, y, RG_SHAPE(a->queries, embed));
    return rg_reshape(
        t, y, a->layer->sequence_first ? RG_SHAPE(a->queries, a->batch, embed) : RG_SHAPE(a->batch, a->queries, embed));
}

/* Queries, keys and values of all heads: one product for those that come from the same tensor. */
static void project(attention *a, rg_tensor query, rg_tensor key, rg_tensor value)
{
    rg_tape *t = a->t;
    const rg_multihead_attention *const layer = a->layer;
    const int64_t embed = layer->embed, kv = a->width * layer->kv_heads, all = embed + 2 * kv;
    const rg_tensor bias = rg__layer_leaf(t, layer->in_proj_bias);
    const bool packed = layer->in_proj_weight != NULL;
    const rg_tensor weight = rg__layer_leaf(t, layer->in_proj_weight);
    if (packed && same(query, key) && same(key, value)) {
        const rg_tensor y = rg_affine(t, query, weight, bias);
        a->q = rg_slice(t, y, -1, 0, embed, 1);
        a->k = rg_slice(t, y, -1, embed, embed + kv, 1);
        a->v = rg_slice(t, y, -1, embed + kv, all, 1);
    } else if (packed && same(key, value)) {
        a->q = rg_affine(t, query, rows(t, weight, 0, embed), rows(t, bias, 0, embed));
        const rg_tensor y = rg_affine(t, key, rows(t, weight, embed, all), rows(t, bias, embed, all));
        a->k = rg_slice(t, y, -1, 0, kv, 1);
        a->v = rg_slice(t, y, -1, kv, 2 * kv, 1);
    } else {
        const rg_tensor wq = packed ? rows(t, weight, 0, embed) : rg_leaf(t, layer->q_proj_weight);
        const rg_tensor wk = packed ? rows(t, weight, embed, embed + kv) : rg_leaf(t, layer->k_proj_weight);
        const rg_tensor wv = packed ? rows(t, weight, embed + kv, all) : rg_leaf(t, layer->v_proj_weight);
        a->q = rg_affine(t, query, wq, rows(t, bias, 0, embed));
        a->k = rg_affine(t, key, wk, rows(t, bias, embed, embed + kv));
        a->v = rg_affine(t, value, wv, rows(t, bias, embed + kv, all));
    }
    a->q = split(a, a->q, layer->heads);
    a->k = split(a, a->k, layer->kv_heads);
    a->v = split(a, a->v, layer->kv_heads);
}

/* x with one more key: `p`, or zeros. */
static rg_tensor with_one_more(const attention *a, rg_tensor x, rg_param *p)
{
    rg_tape *t = a->t;
    const rg_shape shape = RG_SHAPE(a->batch, a->layer->kv_heads, 1, a->width);
    rg_tensor one = p == NULL ? rg_zeros(t, rg_dtype_of(t, x), shape) : rg_leaf(t, p);
    if (p != NULL)
        one = rg_expand(t, rg_reshape(t, one, RG_SHAPE(1, a->layer->kv_heads, 1, a->width)), shape);
    return rg_cat(t, (const rg_tensor[]){x, one}, 2, 2);
}

static void add_extras(attention *a)
{
    if (a->layer->bias_k != NULL) {
        a->k = with_one_more(a, a->k, a->layer->bias_k);
        a->v = with_one_more(a, a->v, a->layer->bias_v);
    }
    if (a->layer->zero_attn) {
        a->k = with_one_more(a, a->k, NULL);
        a->v = with_one_more(a, a->v, NULL);
    }
    a->keys += a->extras;
}

/* ---- masks ------------------------------------------------------------------------------------------------------- */

static bool check_mask(const attention *a, const char *name, rg_tensor mask)
{
    rg_tape *t = a->t;
    const rg_dtype dtype = rg_dtype_of(t, mask), expected = rg_dtype_of(t, a->q);
    if (dtype != RG_BOOL && dtype != expected && !rg_failed(t))
        rg_tape_fail(t, RG_ERROR_DTYPE, "%s: %s is %s; it must be bool or %s as the query", FORWARD, name,
                     rg_dtype_name(dtype), rg_dtype_name(expected));
    return !rg_failed(t);
}

/* To a shape that broadcasts to [batch, heads, l, s]. */
static rg_tensor attn_mask_of_heads(const attention *a, rg_tensor mask)
{
    rg_tape *t = a->t;
    if (!check_mask(a, "attn_mask", mask))
        return RG_NIL;
    const rg_shape s = rg_shape_of(t, mask);
    const int64_t heads = a->layer->heads, l = a->queries, keys = a->keys - a->extras;
    if (rg_shape_equal(s, RG_SHAPE(l, keys)) || rg_shape_equal(s, RG_SHAPE(heads, l, keys)))
        return mask;
    if (rg_shape_equal(s, RG_SHAPE(a->batch * heads, l, keys)))
        return rg_reshape(t, mask, RG_SHAPE(a->batch, heads, l, keys));
    rg_tape_fail(t, RG_ERROR_SHAPE,
                 "%s: attn_mask is %s; it must be [%" PRId64 ", %" PRId64 "], or so much for each of %" PRId64
                 " heads, or of %" PRId64 " samples' heads",
                 FORWARD, RG__SHAPE_TEXT(s), l, keys, heads, a->batch);
    return RG_NIL;
}

static rg_tensor padding_mask_of_heads(const attention *a, rg_tensor mask, bool single)
{
    rg_tape *t = a->t;
    if (!check_mask(a, "key_padding_mask", mask))
        return RG_NIL;
    const rg_shape s = rg_shape_of(t, mask);
    const int64_t keys = a->keys - a->extras;
    const rg_shape expected = single ? RG_SHAPE(keys) : RG_SHAPE(a->batch, keys);
    if (rg_shape_equal(s, expected))
        return rg_reshape(t, mask, RG_SHAPE(a->batch, 1, 1, keys));
    rg_tape_fail(t, RG_ERROR_SHAPE, "%s: key_padding_mask is %s; it must be %s", FORWARD, RG__SHAPE_TEXT(s),
                 RG__SHAPE_TEXT(expected));
    return RG_NIL;
}

/* Collects masks: where keys are hidden, and what is added. */
typedef struct collected {
    rg_tensor hidden, added;
} collected;

static void collect(rg_tape *t, collected *c, rg_tensor mask)
{
    if (rg_is_nil(mask) || rg_failed(t))
        return;
    if (rg_dtype_of(t, mask) == RG_BOOL)
        c->hidden = rg_is_nil(c->hidden) ? mask : rg_logical_or(t, c->hidden, mask);
    else
        c->added = rg_is_nil(c->added) ? mask : rg_add(t, c->added, mask);
}

/* Keys that were added are seen by all. */
static rg_tensor pad_extras(const attention *a, rg_tensor mask)
{
    if (a->extras == 0 || rg_is_nil(mask))
        return mask;
    const int64_t before[RG_MAX_RANK] = {0};
    int64_t after[RG_MAX_RANK] = {0};
    const int rank = rg_shape_of(a->t, mask).rank;
    after[rank > 0 ? rank - 1 : 0] = a->extras;
    return rg_pad(a->t, mask, before, after, 0);
}

/* All masks as rg_scaled_dot_product_attention takes them: bools of what IS seen, or numbers that are added. *causal: that
 * flag is enough. */
static rg_tensor mask_of(const attention *a, bool single, bool *causal)
{
    rg_tape *t = a->t;
    collected c = {RG_NIL, RG_NIL};
    *causal = false;
    if (!rg_is_nil(a->masks->attn_mask))
        collect(t, &c, attn_mask_of_heads(a, a->masks->attn_mask));
    if (!rg_is_nil(a->masks->key_padding_mask))
        collect(t, &c, padding_mask_of_heads(a, a->masks->key_padding_mask, single));
    if (a->masks->causal) {
        *causal = rg_is_nil(c.hidden) && rg_is_nil(c.added) && a->extras == 0;
        if (*causal)
            return RG_NIL;
        const rg_tensor i = rg_unsqueeze(t, rg_arange(t, RG_I64, 0, (double)a->queries, 1), 1);
        collect(t, &c, rg_lt(t, i, rg_arange(t, RG_I64, 0, (double)(a->keys - a->extras), 1)));
    }
    const rg_tensor hidden = pad_extras(a, c.hidden), added = pad_extras(a, c.added);
    if (rg_is_nil(added))
        return rg_is_nil(hidden) ? RG_NIL : rg_logical_not(t, hidden);
    if (rg_is_nil(hidden))
        return added;
    return rg_where(t, hidden, rg_constant(t, rg_dtype_of(t, added), -INFINITY), added);
}

/* ---- the cache --------------------------------------------------------------------------------------------------- */

static bool check_cache(const attention *a)
{
    rg_tape *t = a->t;
    const rg_attention_cache *const cache = a->masks->cache;
    if (cache->k == NULL || cache->v == NULL) {
        rg_tape_fail(t, RG_ERROR_STATE, "%s: the cache could not be made: see the error of its store", FORWARD);
        return false;
    }
    const rg_shape s = rg_param_shape(cache->k);
    if (!rg_is_nil(a->masks->attn_mask) || !rg_is_nil(a->masks->key_padding_mask) || a->extras > 0)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: a cache goes neither with masks nor with bias_kv or zero_attn", FORWARD);
    else if (s.dims[0] != a->batch || s.dims[1] != a->layer->kv_heads || s.dims[3] != a->width ||
             a->keys != a->queries || a->masks->position < 0 || a->masks->position > s.dims[2] - a->keys)
        rg_tape_fail(t, RG_ERROR_SHAPE,
                     "%s: the cache %s has no room for %" PRId64 " queries and as many keys of %" PRId64
                     " samples from position %" PRId64 " on",
                     FORWARD, RG__SHAPE_TEXT(s), a->queries, a->batch, a->masks->position);
    return !rg_failed(t);
}

/* Keys and values become all those of the cache; returns which of them each query sees. */
static rg_tensor through_cache(attention *a, rg_tensor positions)
{
    rg_tape *t = a->t;
    const rg_attention_cache *const cache = a->masks->cache;
    const int64_t length = rg_param_shape(cache->k).dims[2];
    a->k = rg_index_copy(t, rg_leaf(t, cache->k), 2, positions, a->k);
    a->v = rg_index_copy(t, rg_leaf(t, cache->v), 2, positions, a->v);
    rg_assign(t, cache->k, a->k);
    rg_assign(t, cache->v, a->v);
    a->keys = length;
    return rg_ge(t, rg_unsqueeze(t, positions, 1), rg_arange(t, RG_I64, 0, (double)length, 1));
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

/* Attention of each head; with weights, these are the attention to the unit vectors. */
static rg_tensor attend(const attention *a, rg_tensor mask, bool causal, bool single)
{
    rg_tape *t = a->t;
    const rg_multihead_attention *const layer = a->layer;
    const bool grouped = layer->kv_heads != layer->heads;
    const rg_attention_config config = {
        .causal = causal, .grouped = grouped, .dropout = rg_training(t) ? layer->dropout : 0};
    if (a->masks->weights == NULL)
        return rg_scaled_dot_product_attention(t, a->q, a->k, a->v, mask, &config);
    const rg_tensor eye = rg_eye(t, rg_dtype_of(t, a->v), a->keys, a->keys);
    const rg_tensor units = rg_expand(t, eye, RG_SHAPE(a->batch, layer->kv_heads, a->keys, a->keys));
    const rg_tensor weights = rg_scaled_dot_product_attention(t, a->q, a->k, units, mask, &config);
    const rg_tensor v = grouped ? rg_repeat_interleave_scalar(t, a->v, layer->heads / layer->kv_heads, RG_AXES(1)) : a->v;
    const rg_tensor shown = a->masks->per_head ? weights : rg_mean(t, weights, RG_AXES(1), false);
    *a->masks->weights = single ? rg_squeeze(t, shown, RG_AXES(0)) : shown;
    return rg_matmul(t, weights, v);
}

static rg_tensor forward(attention *a, rg_tensor query, rg_tensor key, rg_tensor value)
{
    rg_tape *t = a->t;
    const rg_multihead_attention *const layer = a->layer;
    rg_tensor mask = RG_NIL, positions = RG_NIL;
    bool causal = false;
    if (!check_inputs(a, query, key, value) || (a->masks->cache != NULL && !check_cache(a)))
        return RG_NIL;
    const bool single = rg_shape_of(t, query).rank == 2;
    project(a, query, key, value);
    if (a->masks->cache != NULL)
        positions =
            rg_add(t, rg_arange(t, RG_I64, 0, (double)a->queries, 1), rg_scalar(t, RG_I64, (double)a->masks->position));
    if (layer->rotary) {
        rg_rotary_config turn = layer->rotate;
        turn.positions = positions;
        a->q = rg_rotary(t, a->q, &turn);
        a->k = rg_rotary(t, a->k, &turn);
    }
    add_extras(a);
    if (a->masks->cache != NULL)
        mask = through_cache(a, positions);
    else
        mask = mask_of(a, single, &causal);
    if (rg_failed(t))
        return RG_NIL;
    return rg_linear_forward(t, &layer->out_proj, join(a, attend(a, mask, causal, single), single));
}

rg_tensor rg_multihead_attention_forward(rg_tape *t, const rg_multihead_attention *layer, rg_tensor query,
                                         rg_tensor key, rg_tensor value, const rg_attention_masks *masks)
{
    static const rg_attention_masks none = {0};
    attention a = {.t = t, .layer = layer, .masks = masks != NULL ? masks : &none};
    if (a.masks->weights != NULL)
        *a.masks->weights = RG_NIL;
    if (layer == NULL || layer->out_proj.weight == NULL)
        return rg__layer_unusable(t, FORWARD, layer, layer != NULL ? layer->name : NULL);
    rg__layer_enter(t, layer->name);
    const rg_tensor y = forward(&a, query, key, value);
    if (rg_failed(t) && a.masks->weights != NULL)
        *a.masks->weights = RG_NIL;
    return rg__layer_leave(t, layer->name, rg_failed(t) ? RG_NIL : y);
}
