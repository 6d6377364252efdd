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

#endif
