/* Retrograd: ops that rearrange: other shapes and orders, windows, triangles, repetition, padding, joining and splitting.
 * Any dtype unless it says so. Those marked "view" share storage with x. */
#ifndef RETROGRAD_OPS_REARRANGE_H
#define RETROGRAD_OPS_REARRANGE_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- axes: views ------------------------------------------------------------------------------------------------------ */
/* Axis source[i] of x becomes axis destination[i] of the result; the others keep their order. As many of one as of the
 * other. */
RG_API rg_tensor rg_movedim(rg_tape *t, rg_tensor x, rg_axes source, rg_axes destination);
RG_API rg_tensor rg_swapaxes(rg_tape *t, rg_tensor x, int axis0, int axis1); /* rg_transpose */
RG_API rg_tensor rg_broadcast_to(rg_tape *t, rg_tensor x, rg_shape shape);   /* rg_expand    */
/* axes start to end, both included, as one; a scalar becomes [1]; a view where possible, else a copy */
RG_API rg_tensor rg_flatten(rg_tape *t, rg_tensor x, int start, int end);
RG_API rg_tensor rg_ravel(rg_tape *t, rg_tensor x); /* all axes as one; the same */
/* the axis as several of these sizes, one of which may be -1; the same */
RG_API rg_tensor rg_unflatten(rg_tape *t, rg_tensor x, int axis, rg_shape sizes);
/* [] -> [1]; to rank 2: [] -> [1, 1], [n] -> [1, n]; to rank 3: [] -> [1, 1, 1], [n] -> [1, n, 1], [m, n] -> [m, n, 1] */
RG_API rg_tensor rg_atleast_1d(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_atleast_2d(rg_tape *t, rg_tensor x);
RG_API rg_tensor rg_atleast_3d(rg_tape *t, rg_tensor x);
/* k quarter turns in the plane of two axes, from the first towards the second; negative ones the other way */
RG_API rg_tensor rg_rot90(rg_tape *t, rg_tensor x, int64_t k, int axis0, int axis1);
RG_API rg_tensor rg_fliplr(rg_tape *t, rg_tensor x); /* rank 2 or more: axis 1 backwards */
RG_API rg_tensor rg_flipud(rg_tape *t, rg_tensor x); /* rank 1 or more: axis 0 backwards */

/* ---- windows and diagonals: views -------------------------------------------------------------------------------------
 * Where elements appear several times in the view, their gradients are summed. */
/* Windows of `size` along the axis, one every `step`: extent n there becomes floor((n - size)/step) + 1, and a last axis of
 * `size` is added. A scalar counts as a vector of one, of which there is one window, without an axis of its own. size at
 * most n, step 1 or more. PyTorch's Tensor.unfold. */
RG_API rg_tensor rg_unfold(rg_tape *t, rg_tensor x, int axis, int64_t size, int64_t step);
/* out[i, j, ..] = element offset + i strides[0] + j strides[1] + .. of x, counted in row-major order, whatever x's layout
 * (PyTorch counts in x's storage). All of them must lie in x; strides may be 0 or negative. If x is not laid out row by
 * row, it is copied. */
RG_API rg_tensor rg_as_strided(rg_tape *t, rg_tensor x, rg_shape shape, const int64_t *strides, int64_t offset);
/* The diagonals of the planes of two axes, as the last axis of the result; offset > 0 lies above the main one, < 0 below. */
RG_API rg_tensor rg_diagonal(rg_tape *t, rg_tensor x, int64_t offset, int axis0, int axis1);

/* ---- diagonals and triangles: copies ---------------------------------------------------------------------------------- */
/* The counterpart: x's last axis on these diagonals of square planes, which are axes axis0 and axis1 of the result; 0
 * elsewhere. PyTorch's defaults are -2 and -1. */
RG_API rg_tensor rg_diag_embed(rg_tape *t, rg_tensor x, int64_t offset, int axis0, int axis1);
RG_API rg_tensor rg_diag(rg_tape *t, rg_tensor x, int64_t diagonal); /* [n] -> matrix; [m, n] -> its diagonal, a view */
/* Of the matrices in the last two axes: what lies on and below, or above, the diagonal; 0 elsewhere. */
RG_API rg_tensor rg_tril(rg_tape *t, rg_tensor x, int64_t diagonal);
RG_API rg_tensor rg_triu(rg_tape *t, rg_tensor x, int64_t diagonal);
/* i64 [2, n]: row and column of each element of these triangles of a [rows, columns] matrix, row by row */
RG_API rg_tensor rg_tril_indices(rg_tape *t, int64_t rows, int64_t columns, int64_t offset);
RG_API rg_tensor rg_triu_indices(rg_tape *t, int64_t rows, int64_t columns, int64_t offset);
/* [n] -> [n, columns]: powers of x, from columns - 1 down to 0, or from 0 up; columns -1: n, at most 256; number */
RG_API rg_tensor rg_vander(rg_tape *t, rg_tensor x, int64_t columns, bool increasing);

/* ---- repeating and moving along: copies ----------------------------------------------------------------------------- */
/* shifts[i] places along axis i of those given, what leaves at one end comes in at the other; one after the other. No axes:
 * x is flattened for the time, and there is one shift. */
RG_API rg_tensor rg_roll(rg_tape *t, rg_tensor x, const int64_t *shifts, rg_axes axes);
/* x so many times along each axis; counts has at least x's rank, axes are added in front. PyTorch's Tensor.repeat. */
RG_API rg_tensor rg_repeat(rg_tape *t, rg_tensor x, rg_shape counts);
RG_API rg_tensor rg_tile(rg_tape *t, rg_tensor x, rg_shape counts); /* the same; missing counts in front are 1 */
/* Each slice along the axis so many times, one behind the other. No axis: x is flattened first. */
RG_API rg_tensor rg_repeat_interleave_scalar(rg_tape *t, rg_tensor x, int64_t count, rg_axes axis);
/* A count for each slice, integer [n], or one for all; negative ones are an error when the value is computed. Their sum is
 * the new extent: counts is read for it when the op is recorded, as rg_data reads, unless output_size says it, which is then
 * checked when the value is computed. output_size -1: not given. */
RG_API rg_tensor rg_repeat_interleave(rg_tape *t, rg_tensor x, rg_tensor counts, rg_axes axis, int64_t output_size);

/* ---- padding -------------------------------------------------------------------------------------------------------- */
typedef enum rg_pad_kind {
    RG_PAD_CONSTANT = 0, /* the value                                        */
    RG_PAD_REFLECT,      /* c b | a b c | b a: less than the extent          */
    RG_PAD_REPLICATE,    /* a a | a b c | c c                                */
    RG_PAD_CIRCULAR,     /* b c | a b c | a b: at most the extent            */
} rg_pad_kind;
/* Before and after the last axis, then the one before it, and so on: pad[0..count), count even. Negative ones cut off; a
 * circle is one of what is left. PyTorch's functional pad, for any rank and number of axes. value counts for
 * RG_PAD_CONSTANT alone. */
RG_API rg_tensor rg_pad_mode(rg_tape *t, rg_tensor x, const int64_t *pad, int count, rg_pad_kind mode, double value);

/* ---- joining: one dtype, 1 to 256 tensors ------------------------------------------------------------------------------ */
RG_API rg_tensor rg_hstack(rg_tape *t, const rg_tensor *x, int count); /* rg_atleast_1d, along axis 1; vectors along 0 */
RG_API rg_tensor rg_vstack(rg_tape *t, const rg_tensor *x, int count); /* rg_atleast_2d, along axis 0 */
RG_API rg_tensor rg_dstack(rg_tape *t, const rg_tensor *x, int count); /* rg_atleast_3d, along axis 2 */
RG_API rg_tensor rg_column_stack(rg_tape *t, const rg_tensor *x,
                                 int count); /* vectors and scalars as columns, along axis 1 */
/* matrices along a diagonal, 0 elsewhere; vectors and scalars count as rows */
RG_API rg_tensor rg_block_diag(rg_tape *t, const rg_tensor *x, int count);
/* vectors -> [n0 n1 .., count]: all combinations, the last vector going fastest; a single one stays as it is; up to 8 */
RG_API rg_tensor rg_cartesian_prod(rg_tape *t, const rg_tensor *x, int count);

/* ---- several results: views. They write to parts or out and return how many; 0 on error ----------------------------------
 * More than `capacity` is an error. */
/* `chunks` parts of the size ceil(n / chunks), the last one smaller; fewer where that is enough */
RG_API int rg_chunk(rg_tape *t, rg_tensor x, int64_t chunks, int axis, rg_tensor *parts, int capacity);
/* as evenly as can be: the first n mod sections parts have one more */
RG_API int rg_tensor_split(rg_tape *t, rg_tensor x, int64_t sections, int axis, rg_tensor *parts, int capacity);
/* cut before each of these places, as Python slices: count + 1 parts */
RG_API int rg_tensor_split_at(rg_tape *t, rg_tensor x, const int64_t *places, int count, int axis, rg_tensor *parts,
                              int capacity);
RG_API int rg_unbind(rg_tape *t, rg_tensor x, int axis, rg_tensor *parts,
                     int capacity); /* x[0], x[1], ..., the axis dropped; at least one */
/* all in the shape that they broadcast to; `out` has room for count */
RG_API int rg_broadcast_tensors(rg_tape *t, const rg_tensor *x, int count, rg_tensor *out);
/* Coordinates of a grid: vectors or scalars of one dtype, each in the shape [n0, n1, ...] and varying along its own axis; xy:
 * the first two axes exchanged. count at most 8, and room for as many. */
typedef enum rg_indexing { RG_INDEXING_IJ = 0, RG_INDEXING_XY } rg_indexing;
RG_API int rg_meshgrid(rg_tape *t, const rg_tensor *x, int count, rg_indexing indexing, rg_tensor *out);

#ifdef __cplusplus
}
#endif
#endif
