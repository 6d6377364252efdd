/* Casts of casts: where the dtype between holds every value of the first, it can be left out. */
#include "exec/simplify.h"

/* Has `wide` every value of `narrow`, NaN and both zeros included? */
static bool holds(rg_dtype wide, rg_dtype narrow)
{
    static const bool table[RG_DTYPES][RG_DTYPES] = {
        [RG_F32] = {[RG_F32] = true, [RG_BOOL] = true},
        [RG_F64] = {[RG_F32] = true, [RG_F64] = true, [RG_I32] = true, [RG_BOOL] = true},
        [RG_I32] = {[RG_I32] = true, [RG_BOOL] = true},
        [RG_I64] = {[RG_I32] = true, [RG_I64] = true, [RG_BOOL] = true},
        [RG_BOOL] = {[RG_BOOL] = true},
    };
    return table[wide][narrow];
}

rg__verdict rg__join_casts(rg__build *b, rg__node *n, uint32_t *equal)
{
    if (n->op != rg__op_cast)
        return RG__LEFT;
    const rg__node *between = rg__computed_now(b, n->in[0]);
    if (!between || between->op != rg__op_cast)
        return RG__LEFT;
    const rg_dtype from = (rg_dtype)rg__build_node(b, between->in[0])->dtype;
    uint32_t x;
    if (!holds((rg_dtype)between->dtype, from) ||
        !rg__view_through(b, n->in[0], between->rank, between->dims, between->in[0], &x))
        return RG__LEFT;
    if (from == n->dtype) {
        *equal = x;
        return RG__EQUAL;
    }
    rg__set_arguments(n, 1, x, 0);
    return RG__CHANGED;
}
