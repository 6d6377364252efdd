/* Retrograd: products of tensors beyond rg_matmul: float. Included by <retrograd/ops.h>, whose conventions hold. */
#ifndef RETROGRAD_OPS_CONTRACT_H
#define RETROGRAD_OPS_CONTRACT_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Einstein's summation: of the products of the operands, over all indices that the result does not name. "ij,jk->ik" is a
 * matrix product, "ii->i" a diagonal, "bij->b" a sum, "i,j->ij" an outer product. An index is a letter, upper or lower case;
 * "..." stands for any further axes, which broadcast. Without "->" the result has the axes of "...", then the indices that
 * occur once, upper case before lower, in alphabetical order. Spaces count for nothing. As in PyTorch, an extent of 1
 * fits any, and what "..." stands for is summed where the result is given without it.
 *
 * Pairs of operands are contracted one by one, of several the cheapest first, through rg_matmul; none of these products,
 * nor any operand, may have more than 8 axes. An equation that is wrong gives an error that says at which character, counted
 * from 1, and why. */
RG_API rg_tensor rg_einsum(rg_tape *t, const char *equation, const rg_tensor *operands, int count);

/* The sum of products over `count` axes: the last of a with the first of b, in order; or those that axes_a and axes_b list,
 * pair by pair. The result has the other axes of a, then those of b. A pair of extents 1 and n fits. Neither list or both. */
RG_API rg_tensor rg_tensordot(rg_tape *t, rg_tensor a, rg_tensor b, int count, const int *axes_a, const int *axes_b);
RG_API rg_tensor rg_inner(rg_tape *t, rg_tensor a, rg_tensor b); /* over the last axis of each; scalars multiply */
RG_API rg_tensor rg_vdot(rg_tape *t, rg_tensor a, rg_tensor b);  /* [n] x [n] -> []; as rg_dot */
/* The sum of a b along an axis of what a and b broadcast to. PyTorch's default is axis -1. */
RG_API rg_tensor rg_vecdot(rg_tape *t, rg_tensor a, rg_tensor b, int axis);
/* The vector product along an axis of extent 3, which both have; ranks are the same, other axes broadcast. As
 * torch.linalg.cross, whose default is axis -1. */
RG_API rg_tensor rg_cross(rg_tape *t, rg_tensor a, rg_tensor b, int axis);
/* Every element of a times all of b, as blocks: extents multiply, axes that one of them lacks count as 1. */
RG_API rg_tensor rg_kron(rg_tape *t, rg_tensor a, rg_tensor b);

/* Products of matrices, without broadcasting. */
RG_API rg_tensor rg_mm(rg_tape *t, rg_tensor a, rg_tensor b);  /* [m, k] x [k, n]               */
RG_API rg_tensor rg_mv(rg_tape *t, rg_tensor a, rg_tensor x);  /* [m, n] x [n] -> [m]           */
RG_API rg_tensor rg_bmm(rg_tape *t, rg_tensor a, rg_tensor b); /* [b, m, k] x [b, k, n]         */
/* beta input + alpha a b, where input broadcasts to the product. With beta 0 it is not looked at: NaN there do not count. */
RG_API rg_tensor rg_addmm(rg_tape *t, rg_tensor input, rg_tensor a, rg_tensor b, double beta, double alpha);
RG_API rg_tensor rg_addmv(rg_tape *t, rg_tensor input, rg_tensor a, rg_tensor x, double beta, double alpha);
RG_API rg_tensor rg_baddbmm(rg_tape *t, rg_tensor input, rg_tensor a, rg_tensor b, double beta, double alpha);
/* The product of 2 or more matrices in the order that needs the fewest multiplications. The first may be a vector, a row,
 * and so may the last, a column: the result lacks its axis. */
RG_API rg_tensor rg_multi_dot(rg_tape *t, const rg_tensor *matrices, int count);

#ifdef __cplusplus
}
#endif
#endif
