/* Gradients of one tensor from several readers of it, and their sum. */
#ifndef RG__AUTOGRAD_GATHER_H
#define RG__AUTOGRAD_GATHER_H

#include "autograd/tape.h"

/* What has come so far, the last first. In the tape's arena, never changed: lists may have their ends in common. */
typedef struct rg__gathered rg__gathered;
struct rg__gathered {
    rg_tensor g;
    const rg__gathered *before;
};

/* Adds to the list; NULL and an error when out of memory. */
const rg__gathered *rg__gather_add(rg_tape *t, const rg__gathered *list, rg_tensor g);

/* Records the sum. Gradients of slices that do not overlap are laid side by side rather than added; those of a matrix that
 * was multiplied again and again are one product over all of it. Nil for an empty list, and on error. */
rg_tensor rg__gather_sum(rg_tape *t, const rg__gathered *list);

#endif
