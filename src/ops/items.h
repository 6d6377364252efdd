/* Elements as items: an unsigned image of the value in the same order, and the index. No two items are equal, so the order
 * of items is that of a stable sort, whatever the algorithm and the number of threads. NaN lies behind all numbers; both
 * zeros are one value. */
#ifndef RG__OPS_ITEMS_H
#define RG__OPS_ITEMS_H

#include "ops/op.h"

typedef struct rg__items {
    size_t size;  /* of an item               */
    int64_t most; /* elements there may be    */
    void (*load)(void *items, const char *x, int64_t step, int64_t first, int64_t end, bool descending);
    void (*sort)(void *items, void *spare, int64_t n);
    /* The same by several threads; counts has 256 for each. */
    void (*sort_together)(void *items, void *spare, int64_t n, int threads, int64_t *counts);
    /* The index of item k in order; the items are lost. */
    int64_t (*select)(void *items, int64_t n, int64_t k);
    /* The first k in order come to the front of `items`, sorted or in the order of their indices. */
    void (*least)(void *items, void *spare, int64_t n, int64_t k, bool sorted);
    int64_t (*mode)(const void *items, int64_t n); /* of sorted ones: the last index of the least most frequent value */
    int64_t (*index)(const void *items, int64_t i);
    int64_t (*nans)(const void *items, int64_t n, int64_t *first);              /* of floats, not descending */
    void (*store)(const void *items, int64_t first, int64_t end, int64_t *out); /* their indices */
} rg__items;

/* What is to be done with one row of items; `spare` has room for as many. */
typedef void (*rg__row_job)(const rg__run *run, const rg__items *k, void *items, void *spare, int64_t n, int64_t *out);

/* Runs the job for each lane along the last axis of input 0, shared between the threads; the result, i64, has `width`
 * elements for each of them. */
bool rg__each_row(const rg__run *run, bool descending, int64_t width, rg__row_job job);

/* Sorts each lane along the last axis of input 0, and a single long one by all threads; the result, i64, are the indices. */
bool rg__sort_rows(const rg__run *run, bool descending);

#endif
