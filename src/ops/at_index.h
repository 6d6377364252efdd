/* Elements at computed positions along an axis: the loops that gathers and scatters share. */
#ifndef RG__OPS_AT_INDEX_H
#define RG__OPS_AT_INDEX_H

#include "ops/op.h"

/* What is done to the element of the table that the index names, and the one beside the index. */
typedef enum rg__at_mode {
    RG__AT_READ, /* other := table */
    RG__AT_SET,  /* table := other */
    RG__AT_ADD,  /* table += other; of bools: or */
    RG__AT_MUL,
    RG__AT_MAX, /* NaN wins */
    RG__AT_MIN,
} rg__at_mode;

/* For each element of the index (i64), in row-major order. `other` has the index's shape; the table has its rank, off the
 * axis at least its extents, and may be a scalar. Each element of the table is worked on in the order of the index,
 * whatever the number of threads. False after rg__run_fail: an index is out of range; what the table holds then is
 * undefined. */
bool rg__move_at(const rg__run *run, rg__at_mode mode, int axis, const rg__array_view *table,
                 const rg__array_view *index, const rg__array_view *other);

/* An index as i64, whose shape fits x along the axis; nil and an error otherwise. */
rg_tensor rg__index_for(rg_tape *t, const rg__op *op, const rg__node *x, rg_tensor index, int axis);

/* Axis 0 or -1 of a scalar is allowed, as in PyTorch; -1 and an error where it is out of range. */
int rg__axis_for(rg_tape *t, const rg__op *op, const rg__node *x, int axis);

/* source's elements beside those of the index (of rg__index_for), x's dtype; nil and an error where it has fewer. */
rg_tensor rg__source_for(rg_tape *t, const rg__op *op, const rg__node *x, rg_tensor index, rg_tensor source);

/* Positions in an array of these extents, flattened, from one index for each axis: i64, broadcast. Negative ones count from
 * the end; out of range is an error when they are computed. */
rg_tensor rg__linear_index(rg_tape *t, const rg__op *op, const rg_tensor *index, int count, const int64_t *extents);

/* A vector along one axis, in the shape of `like` with that axis as long as the vector, as rg_gather and rg_scatter take
 * it. */
rg_tensor rg__along_axis(rg_tape *t, rg_tensor vector, rg_shape like, int axis);

#endif
