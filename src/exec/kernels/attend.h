/* Attention of one head: softmax(q k^T scale + mask) v and its gradients, a block of queries at a time. The scores of a
 * block live in a cache and are never stored as a whole; the gradients compute them again. */
#ifndef RG__EXEC_KERNELS_ATTEND_H
#define RG__EXEC_KERNELS_ATTEND_H

#include "core/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rg__attend_matrix {
    const char *data;
    int64_t row, column; /* strides in elements */
} rg__attend_matrix;

/* Sizes that are the same for all heads. Element types: f32 or f64, by size; the mask bool, or of the same type. */
typedef struct rg__attend_shape {
    size_t size;
    int64_t queries, keys, width, features; /* q [queries, width], k [keys, width], v [keys, features] */
    double scale;
    bool causal;       /* query i sees keys 0 .. i alone        */
    bool masked, adds; /* a mask; it is added, not one of bools */
} rg__attend_shape;

typedef struct rg__attend_head {
    rg__attend_matrix q, k, v, mask, g; /* g [queries, features]: the cotangent, for gradients */
    char *out;                          /* [queries, features]                                 */
    char *dq, *dk, *dv;                 /* gradients: row-major, as q, k, v                     */
} rg__attend_head;

/* Bytes that a thread needs to work on a head; 0 where they cannot be counted. */
size_t rg__attend_room(const rg__attend_shape *s, bool gradient);

/* Each writes what it computes of queries [first, end), the gradients of all of them. A query that sees nothing gives 0. */
void rg__attend(const rg__attend_shape *s, const rg__attend_head *h, int64_t first, int64_t end, char *room);
void rg__attend_gradient(const rg__attend_shape *s, const rg__attend_head *h, char *room);

/* The queries that are worth a task of their own: packing the keys is then little beside the rest. */
int64_t rg__attend_share(const rg__attend_shape *s);

#endif
