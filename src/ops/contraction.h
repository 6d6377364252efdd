/* Sums of products of tensors whose axes have names: what einsum and tensordot are. */
#ifndef RG__OPS_CONTRACTION_H
#define RG__OPS_CONTRACTION_H

#include "ops/op.h"

/* Indices: 'A' to 'Z', 'a' to 'z', then the axes that "..." stands for, aligned on the right. */
enum { RG__LETTERS = 52, RG__INDICES = RG__LETTERS + RG_MAX_RANK };

typedef uint64_t rg__index_set;

/* A tensor, its axes named. No index is there twice; axes of an index have its extent. */
typedef struct rg__term {
    rg_tensor x;
    int rank;
    uint8_t index[RG_MAX_RANK];
} rg__term;

typedef struct rg__contraction {
    const rg__op *op;
    int64_t extent[RG__INDICES];
    int rank; /* of the result */
    uint8_t index[RG_MAX_RANK];
} rg__contraction;

/* Contracts `count` terms, at least one, to the result. The terms are used up. Nil and an error where a product on the way
 * would have too many axes. */
rg_tensor rg__contract(rg_tape *t, const rg__contraction *c, rg__term *terms, int count);

/* x without its axes of extent 1 whose index has another extent. */
rg__term rg__term_fitted(rg_tape *t, const rg__contraction *c, rg__term x);

#endif
