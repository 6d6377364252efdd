/* Recording of the primitives below max pooling, in pool_max.c. */
#ifndef RG__OPS_POOL_MAX_H
#define RG__OPS_POOL_MAX_H

#include "ops/planes.h"

/* The largest element of each window of the last `spatial` axes, and where it lies in its plane, counted row by row (i64).
 * The first of equal ones; of several NaN, which win, the last. w has RG__SPATIAL windows, those of axes that are not
 * there first; no window is empty. */
rg_tensor rg__max_windows(rg_tape *t, rg_tensor x, int spatial, const rg__window *w);
rg_tensor rg__max_windows_index(rg_tape *t, rg_tensor x, int spatial, const rg__window *w);

/* x at the places that index names in each plane; the shape of index. */
rg_tensor rg__pick_in_plane(rg_tape *t, rg_tensor x, rg_tensor index, int spatial);

/* x at the places that index names in planes of the given extents, zeros elsewhere. Where an index occurs more than
 * once: the sum, or with `set` the last one, though the gradient goes to all of them then, too. */
rg_tensor rg__place_in_plane(rg_tape *t, rg_tensor x, rg_tensor index, int spatial, const int64_t *dims, bool set);

#endif
