/* Retrograd: connectionist temporal classification: Graves et al., ICML 2006. */
#ifndef RETROGRAD_OPS_CTC_H
#define RETROGRAD_OPS_CTC_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rg_ctc_config {
    int64_t blank;          /* the class that stands for no label                                      */
    rg_reduction reduction; /* RG_MEAN divides each loss by its target's length (at least 1) first     */
    bool zero_infinity;     /* a target that its input is too short for has loss 0 instead of infinity */
} rg_ctc_config;
/* -ln of the probability that the inputs, labels repeated and blanks between them dropped, give the target.
 *
 * log_prob [steps, n, classes], float, from rg_log_softmax; target [n, most] filled up with anything, or all targets one after
 * the other in one vector; input_lengths and target_lengths [n]. Without the axis n: [steps, classes], target [most], lengths
 * []. Those three are i64 or i32. They are read when the loss is recorded: labels other than classes or equal to the blank, and
 * lengths that do not fit, are errors at once. -> a scalar, or with RG_NONE [n].
 *
 * It is computed in f64, by recursions over the steps that differentiate to any order. The gradient is the true one: minus the
 * probability that a step is at a label. PyTorch adds that of log_softmax, so the gradients of logits are the same. An infinite
 * loss has gradient 0, NaN in PyTorch. NULL config for the defaults. */
RG_API rg_tensor rg_ctc_loss(rg_tape *t, rg_tensor log_prob, rg_tensor target, rg_tensor input_lengths,
                             rg_tensor target_lengths, const rg_ctc_config *config);

#ifdef __cplusplus
}
#endif
#endif
