/* Lists of a number for each spatial axis, as pooling and resampling take them: checked and filled up. */
#ifndef RG__OPS_LISTS_H
#define RG__OPS_LISTS_H

#include "ops/planes.h"

/* What a list may hold. */
typedef struct rg__list {
    const char *name;
    rg_shape given;          /* rank 0: none */
    const int64_t *standard; /* the default; NULL: it must be given */
    int64_t least;
} rg__list;

/* The numbers into out[0 .. spatial - 1]; false and an error where the list does not fit. */
bool rg__take_list(rg_tape *t, const rg__op *op, const rg__list *list, int spatial, int64_t *out);

/* x, with one or two axes before the spatial ones, none of which is of extent 0; NULL and an error otherwise. */
const rg__node *rg__image(rg_tape *t, const rg__op *op, rg_tensor x, rg__dtype_class allowed, int spatial);

/* The extents of x's last axes. */
static inline const int64_t *rg__extents(const rg__node *n, int spatial)
{
    return n->dims + n->rank - spatial;
}

#endif
