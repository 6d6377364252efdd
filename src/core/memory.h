/* Memory: an arena for what ends together, a pool for values that come and go in the same sizes every step. Both keep
 * their memory for the next step. Neither is shared between threads. */
#ifndef RG__CORE_MEMORY_H
#define RG__CORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RG__ALIGN 64 /* of every value: a cache line, an AVX-512 register */

/* ---- arena: bump allocation; all that was allocated since a position ends at once -------------------------------- */
typedef struct rg__chunk rg__chunk;

typedef struct rg__arena {
    rg__chunk *first, *current;
    size_t used; /* bytes of the current chunk */
} rg__arena;

typedef struct rg__arena_mark {
    rg__chunk *chunk;
    size_t used;
} rg__arena_mark;

void *rg__arena_alloc(rg__arena *arena, size_t bytes); /* aligned for any scalar; NULL: out of memory */
rg__arena_mark rg__arena_position(const rg__arena *arena);
void rg__arena_rewind(rg__arena *arena, rg__arena_mark mark);
void rg__arena_free(rg__arena *arena);

/* A block of its own, aligned to RG__ALIGN, of huge pages where it is large; freed by free(). NULL: out of memory. */
void *rg__block_alloc(size_t bytes);

/* ---- pool: blocks in size classes, four to each power of two ----------------------------------------------------- */
#define RG__POOL_CLASSES 160

typedef struct rg__pool {
    void *free[RG__POOL_CLASSES];
    size_t bytes; /* held by the pool and its users */
} rg__pool;

void *rg__pool_get(rg__pool *pool, size_t bytes); /* aligned to RG__ALIGN; NULL: out of memory */
void rg__pool_put(rg__pool *pool, void *block, size_t bytes);
void rg__pool_free(rg__pool *pool); /* the free blocks; those in use must have been put back */

#endif
