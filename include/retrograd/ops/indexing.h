/* Retrograd: ops that write at computed positions, read with several indices at once, and work with masks.
 *
 * An index is i64 or i32; out of range is an error when the value is computed. Negative ones count from the end in rg_index,
 * rg_index_put, rg_take, rg_put and rg_index_fill, as in PyTorch, and are out of range elsewhere. Where an index names a
 * place several times, the last one in row-major order of the index writes last and wins, and it alone has a gradient;
 * PyTorch leaves open which one wins, and gives all of them the gradient. Sums are taken in the order of the index. */
#ifndef RETROGRAD_OPS_INDEXING_H
#define RETROGRAD_OPS_INDEXING_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- along an axis, an index for each element ---------------------------------------------------------------------
 * The index has x's rank and, off the axis, extents at most x's; source has at least the index's extents: elements
 * beyond them are not used. */
/* x with out[.., index[.., i, ..], ..] = source[.., i, ..]; any dtype */
RG_API rg_tensor rg_scatter(rg_tape *t, rg_tensor x, int axis, rg_tensor index, rg_tensor source);
RG_API rg_tensor rg_scatter_scalar(rg_tape *t, rg_tensor x, int axis, rg_tensor index, double value);
/* The elements of source that go to one place are reduced, together with x's own one if include_self; places that none
 * goes to keep x. number; mean: float only. NaN wins in amax and amin, whose ties share the gradient evenly; where x's own
 * is left out, it takes no share (in PyTorch it does if it happens to be equal). The gradient of prod is exact at zeros,
 * and so is the second one. */
typedef enum rg_scatter_reduction {
    RG_SCATTER_SUM = 0,
    RG_SCATTER_PROD,
    RG_SCATTER_MEAN,
    RG_SCATTER_AMAX,
    RG_SCATTER_AMIN,
} rg_scatter_reduction;
RG_API rg_tensor rg_scatter_reduce(rg_tape *t, rg_tensor x, int axis, rg_tensor index, rg_tensor source,
                                   rg_scatter_reduction reduce, bool include_self);
/* rg_gather after x and index are broadcast against each other, off the axis; equal ranks. PyTorch's take_along_dim. */
RG_API rg_tensor rg_take_along_dim(rg_tape *t, rg_tensor x, rg_tensor index, int axis);

/* ---- along an axis, an index for each slice: index [n], or a scalar for one ----------------------------------------
 * source has x's shape with extent n along the axis. A scalar x counts as a vector of one. */
/* x with alpha times slice i of source added to slice index[i]; number */
RG_API rg_tensor rg_index_add(rg_tape *t, rg_tensor x, int axis, rg_tensor index, rg_tensor source, double alpha);
/* x with slice i of source in the place of slice index[i] */
RG_API rg_tensor rg_index_copy(rg_tape *t, rg_tensor x, int axis, rg_tensor index, rg_tensor source);
/* x with the value, a scalar, in these slices; its gradient counts each place once */
RG_API rg_tensor rg_index_fill(rg_tape *t, rg_tensor x, int axis, rg_tensor index, rg_tensor value);
RG_API rg_tensor rg_index_fill_scalar(rg_tape *t, rg_tensor x, int axis, rg_tensor index, double value);

/* ---- several indices at once: x[i, j, ...] as NumPy's and PyTorch's ------------------------------------------------
 * index[k] is for axis k of x, nil takes the whole axis, axes without an index are whole. At least one is not nil; they
 * broadcast against each other, to shape B. The result has B in the place of the indexed axes, or in front where whole
 * axes lie between them, and the whole axes in their order. A bool index is a mask for as many axes as it has, whose
 * extents it must have: it stands for the positions where it is true, one index for each axis. Masks are read when the op is
 * recorded, since the shape depends on them, as rg_data reads; the positions are then constants. */
RG_API rg_tensor rg_index(rg_tape *t, rg_tensor x, const rg_tensor *index, int count);
/* x with values, broadcast to the shape of rg_index's result, put there, or added if accumulate (number). The gradient of
 * values is summed over what was broadcast. A mask of x's shape and a scalar are better served by rg_masked_fill. */
RG_API rg_tensor rg_index_put(rg_tape *t, rg_tensor x, const rg_tensor *index, int count, rg_tensor values,
                              bool accumulate);
/* The counterpart of rg_take: x with source's elements at these places of x flattened; source has as many elements as the
 * index. */
RG_API rg_tensor rg_put(rg_tape *t, rg_tensor x, rg_tensor index, rg_tensor source, bool accumulate);

/* ---- masks: bool ------------------------------------------------------------------------------------------------------
 * x and mask broadcast. */
/* The value, a scalar of x's dtype, where the mask is true, else x. */
RG_API rg_tensor rg_masked_fill(rg_tape *t, rg_tensor x, rg_tensor mask, rg_tensor value);
RG_API rg_tensor rg_masked_fill_scalar(rg_tape *t, rg_tensor x, rg_tensor mask, double value);
/* [n]: x where the mask is true, in row-major order. The mask is read when the op is recorded, as rg_data reads. */
RG_API rg_tensor rg_masked_select(rg_tape *t, rg_tensor x, rg_tensor mask);
/* x with the elements of source, one after the other, where the mask is true. Fewer elements than that is an error when
 * the value is computed; what is left over is not used. */
RG_API rg_tensor rg_masked_scatter(rg_tape *t, rg_tensor x, rg_tensor mask, rg_tensor source);
/* i64 [n, rank]: the positions, in row-major order, where x is not 0 (NaN is not); no gradient. x is read when the op is
 * recorded. argwhere is another name of it. */
RG_API rg_tensor rg_nonzero(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_argwhere(rg_tape *t, rg_tensor x);

/* ---- parts replaced: x with source in the place of a view of it; source has that view's shape and x's dtype ----------- */
/* of rg_slice(t, x, axis, start, stop, step), step > 0 */
RG_API rg_tensor rg_slice_scatter(rg_tape *t, rg_tensor x, rg_tensor source, int axis, int64_t start, int64_t stop,
                                  int64_t step);
/* of rg_select(t, x, axis, index) */
RG_API rg_tensor rg_select_scatter(rg_tape *t, rg_tensor x, rg_tensor source, int axis, int64_t index);
/* of rg_diagonal(t, x, offset, axis0, axis1) */
RG_API rg_tensor rg_diagonal_scatter(rg_tape *t, rg_tensor x, rg_tensor source, int64_t offset, int axis0, int axis1);

#ifdef __cplusplus
}
#endif
#endif
