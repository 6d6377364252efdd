/* What the rules of simplification share. A rule looks at one node, whose arguments were simplified before it and are
 * seen through whatever they are equal to. What it finds holds bit for bit, except that sums may be taken in another
 * order, as they may anyway, and that gathered rows may be summed before they are multiplied (gathered.c). */
#ifndef RG__EXEC_SIMPLIFY_H
#define RG__EXEC_SIMPLIFY_H

#include "exec/build.h"

typedef enum rg__verdict {
    RG__LEFT,    /* nothing to be done                              */
    RG__CHANGED, /* the node is rewritten                           */
    RG__EQUAL,   /* its elements are those of *equal, in its shape  */
} rg__verdict;

/* `node` is a copy of its own, in the shape and dtype that it keeps; its `in` may point to its small_in. */
typedef rg__verdict (*rg__rule)(rg__build *b, rg__node *node, uint32_t *equal);
rg__verdict rg__fold_constants(rg__build *b, rg__node *node, uint32_t *equal);
rg__verdict rg__drop_identity(rg__build *b, rg__node *node, uint32_t *equal);
rg__verdict rg__join_casts(rg__build *b, rg__node *node, uint32_t *equal);
rg__verdict rg__fold_repeated(rg__build *b, rg__node *node, uint32_t *equal);
rg__verdict rg__take_from_table(rg__build *b, rg__node *node, uint32_t *equal);

/* ---- adding nodes: each returns an id; 0 after failure, which ends the build ------------------------------------- */
uint32_t rg__add_constant(rg__build *b, rg_dtype dtype, double value);
/* A node like this one; it is computed before the one that is looked at. */
uint32_t rg__add_node(rg__build *b, const rg__node *like);
/* A view of a root, or the root itself where it is all of it. */
uint32_t rg__add_view(rg__build *b, uint32_t root, int rank, const int64_t *dims, const int64_t *strides, int64_t offset);
/* x read in a shape that it broadcasts to. */
uint32_t rg__add_expanded(rg__build *b, uint32_t x, int rank, const int64_t *dims);

/* The node's arguments; those that its op had are forgotten. */
void rg__set_arguments(rg__node *node, int n, uint32_t a, uint32_t b);

/* ---- asking ------------------------------------------------------------------------------------------------------ */
/* Is every element of x the same constant? Its value, as the dtype holds it. */
bool rg__is_constant(const rg__build *b, uint32_t x, double *value);

/* Is no element of x -0.0? */
bool rg__has_no_minus_zero(const rg__build *b, uint32_t x);
/* The same of what a node computes. */
bool rg__gives_no_minus_zero(const rg__build *b, const rg__node *node);

/* The node whose values x is a view of, if this run computes it: then its arguments can be read in its place. */
const rg__node *rg__computed_now(const rg__build *b, uint32_t x);

/* x is a view of a row-major array; the same view of y, which has that array's shape, `dims`. False where strides cannot
 * say it, and *view is not set. */
bool rg__view_through(rg__build *b, uint32_t x, int rank, const int64_t *dims, uint32_t y, uint32_t *view);

#endif
