/* Retrograd: multi-head attention, transformer encoders and decoders, positions. Written with the public ops alone. */
#ifndef RETROGRAD_NN_TRANSFORMER_H
#define RETROGRAD_NN_TRANSFORMER_H

#include <retrograd/nn/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Vaswani et al., NIPS 2017. Parameters have PyTorch's names, shapes and first values, and are made in PyTorch's order.
 * Sequences are [batch, time, width], or [time, width] for one of them; that is PyTorch's batch_first=True, not its default,
 * which is sequence_first here: [time, batch, width]. Zeros in a configuration are the defaults, NULL means all of them;
 * where a dropout of 0 is meant and the default is another, say RG_ZERO. Dropout drops while the tape trains
 * (rg_set_training). What could not be made has NULL for out_proj.weight, of a stack a count of 0: forward reports it. */

/* ---- positions ------------------------------------------------------------------------------------------------------- */
/* [length, width]: row p holds sin(p / 10000^(i/width)) in each even column i and cos of the same behind it,
 * to be added to the embeddings. Vaswani et al. */
RG_API rg_tensor rg_sinusoidal_positions(rg_tape *t, rg_dtype dtype, int64_t length, int64_t width);

/* A learned vector for each of `length` positions. */
typedef struct rg_learned_positions {
    rg_param *weight; /* [length, width], "name.weight" */
    const char *name;
} rg_learned_positions;
/* Standard normal, as PyTorch's Embedding. */
RG_API rg_learned_positions rg_learned_positions_new(rg_params *ps, const char *name, int64_t length, int64_t width);
/* x [..., time, width] -> x + weight[positions]. positions: integer, [time] or broadcasting to [..., time]; nil: 0, 1, .. */
RG_API rg_tensor rg_learned_positions_forward(rg_tape *t, const rg_learned_positions *layer, rg_tensor x,
                                              rg_tensor positions);

typedef struct rg_rotary_config {
    double base;         /* 10000                                                                       */
    int64_t width;       /* only so many of the first columns turn, even; 0: all                        */
    bool half_split;     /* pairs are (i, i + width/2), as in GPT-NeoX and Llama; else (2i, 2i + 1), as
                           in the paper                                                                */
    rg_tensor positions; /* number, [time] or broadcasting to [..., time]; nil: 0, 1, ... */
} rg_rotary_config;
/* x [..., time, width]: pair i of each row turns by the angle p / base^(2i/width), so that products of two rows depend on
 * the distance of their positions. For queries and keys, split into heads. Su et al., arXiv 2104.09864. */
RG_API rg_tensor rg_rotary(rg_tape *t, rg_tensor x, const rg_rotary_config *config);

/* [heads, queries, keys]: -slope[h] |i - j|, an attn_mask that makes what is far away count less; the last query stands at
 * the last key. slope[h] = 2^(-8 (h+1) / heads) where heads is a power of 2; else those of the power below, and every other one of the
 * power above. Press, Smith, Lewis, ICLR 2022. */
RG_API rg_tensor rg_alibi(rg_tape *t, rg_dtype dtype, int64_t heads, int64_t queries, int64_t keys);

/* ---- multi-head attention ---------------------------------------------------------------------------------------------- */
/* Those of nn.MultiheadAttention, then what it has not: fewer heads of keys and values, each for heads/kv_heads neighbouring
 * ones of the queries (Ainslie et al., EMNLP 2023; not with bias_kv), and rotary positions, counted from 0 for queries and for
 * keys, with the fields of rg_rotary_config. */
typedef struct rg_multihead_attention_config {
    int64_t kdim, vdim;   /* widths of key and value; 0: embed                 */
    double dropout;       /* 0; of the attention weights; in [0, 1]            */
    bool no_bias;         /* no biases of the projections                      */
    bool bias_kv;         /* add_bias_kv: one more key and value, learned      */
    bool zero_attn;       /* add_zero_attn: one more key and value, zeros      */
    bool sequence_first;  /* [time, batch, width]                              */
    int64_t kv_heads;     /* 0: heads; else it divides them                    */
    bool rotary;          /* queries and keys turn by their positions          */
    double rotary_base;   /* 10000                                             */
    int64_t rotary_width; /* of a head; 0: all of it                           */
    bool rotary_half_split;
} rg_multihead_attention_config;

/* head_dim = embed / heads, kv = kv_heads head_dim. The rows of in_proj are those of the queries, keys, values. */
typedef struct rg_multihead_attention {
    rg_param *in_proj_weight; /* [embed + 2 kv, embed]; NULL with kdim or vdim not embed */
    rg_param *q_proj_weight, *k_proj_weight, *v_proj_weight; /* then [embed, embed], [kv, kdim], [kv, vdim]; else NULL  */
    rg_param *in_proj_bias;    /* [embed + 2 kv], zeros; NULL for none                    */
    rg_param *bias_k, *bias_v; /* [1, 1, embed]; NULL for none                            */
    rg_linear out_proj;        /* embed to embed; bias zeros                              */
    const char *name;
    int64_t embed, heads, kv_heads;
    double dropout;
    bool zero_attn, sequence_first, rotary;
    rg_rotary_config rotate;
} rg_multihead_attention;

/* heads divide embed. Projections in are Glorot-uniform, all rows of in_proj_weight as one matrix; out_proj as rg_linear. */
RG_API rg_multihead_attention rg_multihead_attention_new(rg_params *ps, const char *name, int64_t embed, int64_t heads,
                                                         const rg_multihead_attention_config *config);

/* Keys and values of the steps so far, for one that comes after the other: generation. Two buffers of a store, which
 * may be another than the layer's: one that is not saved. */
typedef struct rg_attention_cache {
    rg_param *k, *v; /* [batch, kv_heads, length, head_dim], "name.k" and "name.v"; NULL: could not be made */
} rg_attention_cache;
RG_API rg_attention_cache rg_attention_cache_new(rg_params *ps, const char *name, const rg_multihead_attention *layer,
                                                 int64_t batch, int64_t length);

/* Who sees whom: l queries, s keys. In a mask of bools TRUE MEANS NOT SEEN, as in PyTorch's module, the opposite of
 * rg_scaled_dot_product_attention's; a mask of query's dtype is added to the scores. Both masks, of either kind, and causal add
 * up; keys of bias_kv and zero_attn are always seen. A query that sees nothing has the attention 0, where PyTorch's weights are
 * NaN.
 *
 * With a cache, query, key and value are the time steps position, position + 1, ... of a generation. Their keys and values are
 * written to it (rg_assign: at the next run or reset), and query i sees what is in it from 0 to position + i; the steps
 * below `position` must be there. Not together with masks, bias_kv or zero_attn. The position is no part of the recorded
 * structure: equal numbers of steps have one plan.
 *
 * Weights are softmax(q k^T / sqrt(head_dim) + mask), in training after dropout; they cost the memory that is saved otherwise.
 * Only rg_multihead_attention_forward returns them. */
typedef struct rg_attention_masks {
    rg_tensor attn_mask;             /* nil, [l, s], [heads, l, s] or [batch heads, l, s]                     */
    rg_tensor key_padding_mask;      /* nil, [batch, s]; of a single sequence [s]                             */
    bool causal;                     /* query i sees keys 0 .. i; PyTorch needs attn_mask besides             */
    const rg_attention_cache *cache; /* NULL for none; of a stack an array, one for each layer                */
    int64_t position;
    rg_tensor *weights; /* not NULL: gets [batch, l, s], the mean over heads; of a single sequence [l, s]     */
    bool per_head;      /* of each head: [batch, heads, l, s] or [heads, l, s]                                */
} rg_attention_masks;

/* query [batch, l, embed], key [batch, s, kdim], value [batch, s, vdim] -> [batch, l, embed]:
 * concat over heads of softmax(q k^T / sqrt(head_dim)) v, projected; q, k and v projected, too. masks NULL: none. All
 * three, or key and value, are projected by one product where they are the same tensor. */
RG_API rg_tensor rg_multihead_attention_forward(rg_tape *t, const rg_multihead_attention *layer, rg_tensor query,
                                                rg_tensor key, rg_tensor value, const rg_attention_masks *masks);

/* ---- encoder and decoder layers ------------------------------------------------------------------------------------------ */
typedef struct rg_transformer_config {
    int64_t dim_feedforward; /* 2048                                                                          */
    double dropout;          /* 0.1; of attention weights, inside feed-forward, and of what both add to x     */
    rg_tensor (*activation)(rg_tape *t, rg_tensor x); /* NULL: rg_relu; rg_gelu is PyTorch's "gelu"           */
    double layer_norm_eps;                            /* 1e-5                                                 */
    bool norm_first;                                  /* x + f(norm(x)) instead of norm(x + f(x))             */
    bool no_bias;                                     /* neither of projections nor of normalisation          */
    bool final_norm;                                  /* of a stack: its result is normalised once more       */
    bool sequence_first;                              /* [time, batch, width]                                 */
    int64_t kv_heads;               /* these as in rg_multihead_attention_config, for self-attention alone    */
    bool rotary, rotary_half_split; /* the whole of a head, base 10000                                        */
} rg_transformer_config;

/* x = norm1(x + self_attn(x)); norm2(x + linear2(activation(linear1(x)))), or with the normalisation first:
 * Xiong et al., ICML 2020. */
typedef struct rg_transformer_encoder_layer {
    rg_multihead_attention self_attn;
    rg_linear linear1, linear2;
    rg_layer_norm_layer norm1, norm2;
    const char *name;
    rg_tensor (*activation)(rg_tape *t, rg_tensor x);
    double dropout;
    bool norm_first;
} rg_transformer_encoder_layer;

RG_API rg_transformer_encoder_layer rg_transformer_encoder_layer_new(rg_params *ps, const char *name, int64_t d_model,
                                                                     int64_t nhead, const rg_transformer_config *config);
/* src [batch, s, d_model] -> the same. masks: PyTorch's src_mask, src_key_padding_mask and is_causal. */
RG_API rg_tensor rg_transformer_encoder_layer_forward(rg_tape *t, const rg_transformer_encoder_layer *layer,
                                                      rg_tensor src, const rg_attention_masks *masks);

/* As the encoder's, but that between the two the queries of multihead_attn, normalised by norm2, look at the memory; norm3
 * belongs to feed-forward. */
typedef struct rg_transformer_decoder_layer {
    rg_multihead_attention self_attn, multihead_attn;
    rg_linear linear1, linear2;
    rg_layer_norm_layer norm1, norm2, norm3;
    const char *name;
    rg_tensor (*activation)(rg_tape *t, rg_tensor x);
    double dropout;
    bool norm_first;
} rg_transformer_decoder_layer;

RG_API rg_transformer_decoder_layer rg_transformer_decoder_layer_new(rg_params *ps, const char *name, int64_t d_model,
                                                                     int64_t nhead, const rg_transformer_config *config);
/* tgt [batch, l, d_model], memory [batch, s, d_model] -> [batch, l, d_model]. tgt_masks: of self-attention, memory_masks:
 * of the attention to the memory, without a cache; either may be NULL. */
RG_API rg_tensor rg_transformer_decoder_layer_forward(rg_tape *t, const rg_transformer_decoder_layer *layer,
                                                      rg_tensor tgt, rg_tensor memory,
                                                      const rg_attention_masks *tgt_masks,
                                                      const rg_attention_masks *memory_masks);

/* ---- stacks: layers "name.layers.0", ... ------------------------------------------------------------------------------------
 * Each layer has first values of its own; PyTorch's stacks copy those of one layer. */
enum { RG_TRANSFORMER_LAYERS = 48 }; /* at most */
typedef struct rg_transformer_encoder {
    rg_transformer_encoder_layer layers[RG_TRANSFORMER_LAYERS];
    int count;
    rg_layer_norm_layer norm; /* name NULL for none */
    const char *name;
} rg_transformer_encoder;

RG_API rg_transformer_encoder rg_transformer_encoder_new(rg_params *ps, const char *name, int64_t d_model,
                                                         int64_t nhead, int count, const rg_transformer_config *config);
/* The layers one after the other, then norm where there is one; arguments and shapes as those of a layer. */
RG_API rg_tensor rg_transformer_encoder_forward(rg_tape *t, const rg_transformer_encoder *stack, rg_tensor src,
                                                const rg_attention_masks *masks);

typedef struct rg_transformer_decoder {
    rg_transformer_decoder_layer layers[RG_TRANSFORMER_LAYERS];
    int count;
    rg_layer_norm_layer norm; /* name NULL for none */
    const char *name;
} rg_transformer_decoder;

RG_API rg_transformer_decoder rg_transformer_decoder_new(rg_params *ps, const char *name, int64_t d_model,
                                                         int64_t nhead, int count, const rg_transformer_config *config);
/* The layers one after the other, then norm where there is one; arguments and shapes as those of a layer. */
RG_API rg_tensor rg_transformer_decoder_forward(rg_tape *t, const rg_transformer_decoder *stack, rg_tensor tgt,
                                                rg_tensor memory, const rg_attention_masks *tgt_masks,
                                                const rg_attention_masks *memory_masks);

#ifdef __cplusplus
}
#endif
#endif
