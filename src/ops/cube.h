/* What the samples of ops that rearrange begin with. */
#ifndef RG__OPS_CUBE_H
#define RG__OPS_CUBE_H

#include "ops/op.h"

/* x of sample number `index`: plain, transposed, empty, and a scalar for ops that take one. */
static inline rg_tensor rg__sample_cube(rg__draw *draw, int index)
{
    const rg_shape shape = index == 2 ? RG_SHAPE(2, 0, 2) : index == 3 ? RG_SCALAR : RG_SHAPE(2, 3, 2);
    const rg_tensor x = RG__DRAW(draw, shape, RG__REAL);
    return index == 1 ? rg_transpose(draw->t, x, 0, 1) : x;
}

/* The first n of them, for an expression of t, x and index. */
#define RG__CUBE_SAMPLE(name, n, ...)                                            \
    static rg_tensor sample_##name(rg__draw *draw, int index)                    \
    {                                                                            \
        rg_tape *t = draw->t;                                                    \
        const rg_tensor x = index < (n) ? rg__sample_cube(draw, index) : RG_NIL; \
        return index < (n) ? (__VA_ARGS__) : RG_NIL;                             \
    }

#endif
