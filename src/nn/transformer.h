/* What attention, transformer layers and positions share. */
#ifndef RG__NN_TRANSFORMER_H
#define RG__NN_TRANSFORMER_H

#include "check.h"

/* A number of a configuration: 0 stands for `otherwise`, RG_ZERO for 0. */
static inline double rg__or_default(double value, double otherwise)
{
    return value == 0 ? otherwise : value == RG_ZERO ? 0 : value;
}

static inline void rg__scope_enter(rg_tape *t, const char *name)
{
    if (name != NULL)
        rg_scope_push(t, name);
}

static inline rg_tensor rg__scope_leave(rg_tape *t, const char *name, rg_tensor y)
{
    if (name != NULL)
        rg_scope_pop(t);
    return y;
}

static inline rg_tensor rg__leaf_or_nil(rg_tape *t, rg_param *p)
{
    return p != NULL ? rg_leaf(t, p) : RG_NIL;
}

/* Of forward: the layer is NULL, or could not be made. Returns nil. */
rg_tensor rg__unusable(rg_tape *t, const char *function, const void *layer, const char *name);

/* A linear layer in the scope of the store, without a bias if so wished. */
rg_linear rg__linear_part(rg_params *ps, const char *name, int64_t in, int64_t out, bool no_bias);

#endif
