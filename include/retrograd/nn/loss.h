/* Retrograd: losses, written with the public ops alone. */
#ifndef RETROGRAD_NN_LOSS_H
#define RETROGRAD_NN_LOSS_H

#include <retrograd/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/* RG_MEAN divides by the number of elements (NaN for none), RG_SUM adds, RG_NONE leaves one loss an element. x and y are
 * float, of one dtype and one shape: where PyTorch broadcasts with a warning, this is an error. Gradients flow to both. */
RG_API rg_tensor rg_mse_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r); /* (x - y)^2 */
RG_API rg_tensor rg_l1_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r);  /* |x - y|   */
/* With d = |x - y|: d^2/2 where d <= delta, else delta (d - delta/2). delta > 0, finite. Huber 1964. */
RG_API rg_tensor rg_huber_loss(rg_tape *t, rg_tensor x, rg_tensor y, double delta, rg_reduction r);
/* -(y log s + (1 - y) log(1 - s)) with s = sigmoid(x), written so that no large |x| overflows or cancels. */
RG_API rg_tensor rg_bce_with_logits(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r);

/* -log_prob[i, target[i]]: log_prob [n, classes], target [n] of i64 or i32; or log_prob [n, classes, ...] with target
 * [n, ...]; or log_prob [classes] with target []. Targets equal to `ignore_index` (PyTorch's default: -100) have loss 0
 * and do not count in the mean, which is NaN where all are ignored; any other label outside of 0 .. classes-1 is an error
 * when the value is computed. */
#define RG_IGNORE_INDEX (-100)
RG_API rg_tensor rg_nll_loss(rg_tape *t, rg_tensor log_prob, rg_tensor target, int64_t ignore_index, rg_reduction r);

typedef struct rg_cross_entropy_config {
    rg_reduction reduction;      /* RG_MEAN                                                                     */
    double label_smoothing;      /* in [0, 1]: that share of the target spread evenly over the classes (Szegedy
                                   et al., CVPR 2016)                                                          */
    const int64_t *ignore_index; /* NULL: RG_IGNORE_INDEX                                                      */
} rg_cross_entropy_config;
/* nll_loss(log_softmax(logits)) for target of class indices as above; -sum target log_softmax(logits) over the classes
 * for target of probabilities (float, dtype and shape of logits), where RG_MEAN divides by the number of rows and
 * nothing is ignored. RG_NONE leaves one loss a row. NULL config for the defaults. */
RG_API rg_tensor rg_cross_entropy(rg_tape *t, rg_tensor logits, rg_tensor target, const rg_cross_entropy_config *config);

#ifdef __cplusplus
}
#endif
#endif
