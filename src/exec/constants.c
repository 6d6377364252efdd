/* Scalar folding: what is computed from constants alone is a constant, by the op's own loop. Numbers that may differ from
 * run to run (rg_scalar) are none. */
#include "exec/simplify.h"

#define EXACT_I64 0x1p53 /* the attribute of a constant, a double, holds every integer up to here */

typedef union number {
    float f32;
    double f64;
    int32_t i32;
    int64_t i64;
    bool truth;
} number;

static double value_in(rg_dtype dtype, const number *x)
{
    switch (dtype) {
    case RG_F32: return x->f32;
    case RG_F64: return x->f64;
    case RG_I32: return x->i32;
    case RG_I64: return (double)x->i64;
    case RG_BOOL: return x->truth;
    }
    return 0;
}

static double value_of(const rg__node *constant)
{
    return *(const double *)constant->attr;
}

bool rg__is_constant(const rg__build *b, uint32_t x, double *value)
{
    const rg__node *root = rg__build_node(b, rg__build_node(b, x)->root);
    number element;
    if (root->op != rg__op_constant)
        return false;
    rg__store_number((rg_dtype)root->dtype, &element, value_of(root));
    *value = value_in((rg_dtype)root->dtype, &element);
    return true;
}

rg__verdict rg__fold_constants(rg__build *b, rg__node *n, uint32_t *equal)
{
    number element[4] = {{0}};
    char *p[4] = {(char *)&element[0]};
    const int64_t strides[4] = {0};
    if (n->op->kernel || n->n_in < 1 || n->n_in > 3)
        return RG__LEFT;
    rg_dtype dtype = RG_F32;
    for (int i = 0; i < n->n_in; i++) {
        const rg__node *root = rg__build_node(b, rg__build_node(b, n->in[i])->root);
        if (root->op != rg__op_constant)
            return RG__LEFT;
        dtype = (rg_dtype)root->dtype;
        p[i + 1] = (char *)&element[i + 1];
        rg__store_number(dtype, p[i + 1], value_of(root));
    }
    n->op->loop[dtype](1, p, strides, n->attr);
    const double value = value_in((rg_dtype)n->dtype, &element[0]);
    if (n->dtype == RG_I64 && !(value > -EXACT_I64 && value < EXACT_I64))
        return RG__LEFT;
    *equal = rg__add_expanded(b, rg__add_constant(b, (rg_dtype)n->dtype, value), n->rank, n->dims);
    return RG__EQUAL;
}
