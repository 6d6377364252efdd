/* Attention as a primitive, for the public op. */
#ifndef RG__OPS_ATTEND_H
#define RG__OPS_ATTEND_H

#include "ops/op.h"

/* softmax(scale q k^T + mask) v. scores: the broadcast leading axes, the number of queries and that of keys. mask: nil,
 * bool, or float. The scores are not stored but for the gradient of a mask. */
rg_tensor rg__attend_with(rg_tape *t, rg_tensor q, rg_tensor k, rg_tensor v, rg_tensor mask, rg_shape scores,
                          bool causal, double scale);

/* The softmax alone, composed of other ops; without keys, the empty scores. */
rg_tensor rg__attention(rg_tape *t, rg_tensor q, rg_tensor k, rg_tensor mask, bool causal, double scale);

#endif
