/* Retrograd: attention, embeddings, and dropout of whole features. Functions alone: parameters are arguments. */
#ifndef RETROGRAD_OPS_ATTENTION_H
#define RETROGRAD_OPS_ATTENTION_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- attention ---- */
typedef struct rg_attention_config {
    bool causal;    /* query i sees keys 0 .. i alone; not together with a mask                              */
    bool grouped;   /* keys and values have fewer heads, axis -3, that divide the queries': each serves as many
                       neighbouring ones (PyTorch's enable_gqa)                                              */
    double dropout; /* in [0, 1]: of the attention, at once: there is no training flag, as in PyTorch        */
    double scale;   /* 0: 1/sqrt(e)                                                                          */
} rg_attention_config;
/* softmax(q k^T scale + mask) v: q [..., l, e], k [..., s, e], v [..., s, f] -> [..., l, f]; leading axes broadcast. mask: nil,
 * bool (true: is seen) or of q's dtype (added), broadcast to [..., l, s]. A query that sees nothing gives 0. Vaswani et al.,
 * NIPS 2017. NULL config for the defaults. */
RG_API rg_tensor rg_scaled_dot_product_attention(rg_tape *t, rg_tensor q, rg_tensor k, rg_tensor v, rg_tensor mask,
                                                 const rg_attention_config *config);
/* softmax((logits + g)/tau) with Gumbel noise g = -ln(-ln u) drawn anew. hard: 1 at the largest, else 0, with the gradient of
 * the soft one. tau > 0; 1 and -1 in PyTorch. Jang, Gu, Poole, ICLR 2017. */
RG_API rg_tensor rg_gumbel_softmax(rg_tape *t, rg_tensor logits, double tau, bool hard, int axis);

/* ---- embeddings: index is i64 or i32; out of range is an error when the value is computed -----------------------
 * padding: NULL, or a row of weight, negative from the end. */
/* index [...], weight [rows, width] -> [..., width]: rows of weight. The row `padding` gets no gradient. */
RG_API rg_tensor rg_embedding(rg_tape *t, rg_tensor index, rg_tensor weight, const int64_t *padding);

typedef enum rg_bag_mode { RG_BAG_MEAN = 0, RG_BAG_SUM, RG_BAG_MAX } rg_bag_mode;
typedef struct rg_embedding_bag_config {
    rg_bag_mode mode;
    bool include_last_offset; /* offsets ends with the number of indices   */
    const int64_t *padding;   /* indices of this row belong to no bag      */
} rg_embedding_bag_config;
/* Bags of rows of weight, reduced: index [bags, n] and offsets nil, or index [n] and offsets [bags], where each bag begins: from
 * 0 on, not decreasing. weights: nil, or numbers like index by which rows are multiplied, RG_BAG_SUM alone. -> [bags, width]; 0
 * for an empty bag. RG_BAG_MAX: NaN wins, the first of equal ones has the gradient. */
RG_API rg_tensor rg_embedding_bag(rg_tape *t, rg_tensor index, rg_tensor weight, rg_tensor offsets, rg_tensor weights,
                                  const rg_embedding_bag_config *config);

/* ---- dropout, further kinds: 0 <= p <= 1; x itself without training. rg_dropout is in nn/layers.h --------------- */
/* Whole channels of x [n, channels, ...]: PyTorch's dropout1d to 3d. Tompson et al., CVPR 2015. */
RG_API rg_tensor rg_feature_dropout(rg_tape *t, rg_tensor x, double p, bool training);
/* Dropped elements take the lowest value of selu, and all are rescaled: mean 0 and variance 1 stay. Klambauer et al., NIPS
 * 2017. */
RG_API rg_tensor rg_alpha_dropout(rg_tape *t, rg_tensor x, double p, bool training);
RG_API rg_tensor rg_feature_alpha_dropout(rg_tape *t, rg_tensor x, double p, bool training); /* of whole channels */

#ifdef __cplusplus
}
#endif
#endif
