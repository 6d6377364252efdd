/* Retrograd: metrics, what a model is judged by. */
#ifndef RETROGRAD_NN_METRICS_H
#define RETROGRAD_NN_METRICS_H

#include <retrograd/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The share of rows of logits [n, classes] whose first largest element stands at labels[i] (i64 or i32, [n]): a
 * recorded f32 scalar, NaN for no rows. */
RG_API rg_tensor rg_accuracy(rg_tape *t, rg_tensor logits, rg_tensor labels);

#ifdef __cplusplus
}
#endif
#endif
