/* Retrograd: distances between vectors. Float, of one dtype. */
#ifndef RETROGRAD_OPS_DISTANCE_H
#define RETROGRAD_OPS_DISTANCE_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The p-norm of a difference d is (sum |d|^p)^(1/p): p = infinity the largest |d|, p = 0 the number of d that are not 0.
 * p is not negative. Its gradient is 0 where d is, and where all of d is 0. */

/* <a, b> / (max(|a|, eps) max(|b|, eps)) along the axis; a and b broadcast. As in PyTorch, the gradient is that without
 * the maxima, with eps in the place of a smaller length. axis 1, eps 1e-8. */
RG_API rg_tensor rg_cosine_similarity(rg_tape *t, rg_tensor a, rg_tensor b, int axis, double eps);
/* |a - b + eps|_p along the last axis; a and b broadcast. p 2, eps 1e-6. */
RG_API rg_tensor rg_pairwise_distance(rg_tape *t, rg_tensor a, rg_tensor b, double p, double eps, bool keepdim);
/* a [..., n, k], b [..., m, k] -> [..., n, m]: |a_i - b_j|_p; leading axes broadcast, rank 7 at most. Differences are taken
 * one by one: no product |a|^2 + |b|^2 - 2ab, which PyTorch takes from 25 rows on and which loses what is close. Where
 * several coordinates share the maximum (p = infinity) each has the whole gradient, as in PyTorch. */
RG_API rg_tensor rg_cdist(rg_tape *t, rg_tensor a, rg_tensor b, double p);
/* x [n, k] -> [n (n-1)/2]: |x_i - x_j|_p for i < j, in the order (0, 1), (0, 2), ... */
RG_API rg_tensor rg_pdist(rg_tape *t, rg_tensor x, double p);

#ifdef __cplusplus
}
#endif
#endif
