/* Recording of the primitives below sampling along a grid, in weighted.c. */
#ifndef RG__OPS_WEIGHTED_H
#define RG__OPS_WEIGHTED_H

#include "ops/op.h"

/* sum over k of weight[n, k, j] x[n, c, index[n, k, j]]: x [N, C, P], index (i64) and weight [N, K, L] -> [N, C, L]. Indices
 * are 0 to P - 1, P at most 2^31 - 1. */
rg_tensor rg__pick_weighted(rg_tape *t, rg_tensor x, rg_tensor index, rg_tensor weight);

#endif
