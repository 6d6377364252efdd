/* Arena and pool. See memory.h. */
#include "core/memory.h"

#include <stdlib.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

/* ---- large blocks ---- */

#define HUGE_PAGE  ((size_t)2 << 20)
#define HUGE_BLOCK ((size_t)8 << 20) /* from here on rounding up to whole huge pages costs little */

/* The system is asked for huge pages: a fresh one takes a fraction of the time of 512 small ones. What the first
 * `filled` bytes do not fill stays in small pages, which take memory as they are touched. */
static void *block_alloc(size_t bytes, size_t filled)
{
    const size_t unit = bytes >= HUGE_BLOCK ? HUGE_PAGE : RG__ALIGN;
    if (bytes > SIZE_MAX - unit)
        return NULL;
    void *block = aligned_alloc(unit, (bytes + unit - 1) / unit * unit);
#ifdef MADV_HUGEPAGE
    if (block && unit == HUGE_PAGE)
        (void)madvise(block, filled / unit * unit, MADV_HUGEPAGE); /* where it is refused, small pages serve */
#endif
    return block;
}

void *rg__block_alloc(size_t bytes)
{
    return block_alloc(bytes, bytes);
}

/* ---- arena ---- */

#define CHUNK_BYTES      ((size_t)64 << 10)
#define CHUNK_BYTES_MOST ((size_t)4 << 20)
#define ARENA_ALIGN      16

struct rg__chunk {
    rg__chunk *next;
    size_t size;
    _Alignas(ARENA_ALIGN) unsigned char bytes[];
};

void *rg__arena_alloc(rg__arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return NULL;
    bytes = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    rg__chunk *c = arena->current;
    if (c && bytes <= c->size - arena->used) {
        void *p = c->bytes + arena->used;
        arena->used += bytes;
        return p;
    }
    /* A chunk kept from an earlier step serves if it is large enough; else a new one goes in before it. */
    rg__chunk *next = c ? c->next : arena->first;
    if (!next || next->size < bytes) {
        size_t size = c ? c->size * 2 : CHUNK_BYTES;
        if (size > CHUNK_BYTES_MOST)
            size = CHUNK_BYTES_MOST;
        if (size < bytes)
            size = bytes;
        rg__chunk *made = malloc(sizeof *made + size);
        if (!made)
            return NULL;
        made->size = size;
        made->next = next;
        *(c ? &c->next : &arena->first) = made;
        next = made;
    }
    arena->current = next;
    arena->used = bytes;
    return next->bytes;
}

rg__arena_mark rg__arena_position(const rg__arena *arena)
{
    return (rg__arena_mark){arena->current, arena->used};
}

void rg__arena_rewind(rg__arena *arena, rg__arena_mark mark)
{
    arena->current = mark.chunk;
    arena->used = mark.used;
}

void rg__arena_free(rg__arena *arena)
{
    for (rg__chunk *c = arena->first, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    *arena = (rg__arena){0};
}

/* ---- pool ---- */

/* Class of a size and the bytes of its blocks: 64, 80, 96, 112, 128, 160, ... rounded to whole cache lines. */
static size_t block_bytes(size_t bytes, int *class)
{
    if (bytes < RG__ALIGN)
        bytes = RG__ALIGN;
    int top = 63 - __builtin_clzll((unsigned long long)(bytes - 1) | 1); /* 2^top < bytes <= 2^(top+1), top >= 5 */
    size_t quarter = ((size_t)1 << top) / 4;
    size_t quarters = (bytes - ((size_t)1 << top) + quarter - 1) / quarter; /* 1 to 4 */
    *class = (top - 5) * 4 + (int)quarters - 1;
    size_t size = ((size_t)1 << top) + quarters * quarter;
    return (size + RG__ALIGN - 1) & ~(size_t)(RG__ALIGN - 1);
}

void *rg__pool_get(rg__pool *pool, size_t bytes)
{
    if (bytes > (size_t)1 << 44)
        return NULL;
    int class;
    size_t size = block_bytes(bytes, &class);
    void *block = pool->free[class];
    if (block) {
        pool->free[class] = *(void **)block;
        return block;
    }
    block = block_alloc(size, bytes);
    if (block)
        pool->bytes += size;
    return block;
}

void rg__pool_put(rg__pool *pool, void *block, size_t bytes)
{
    int class;
    block_bytes(bytes, &class);
    *(void **)block = pool->free[class];
    pool->free[class] = block;
}

void rg__pool_free(rg__pool *pool)
{
    for (int i = 0; i < RG__POOL_CLASSES; i++)
        for (void *block = pool->free[i], *next; block; block = next) {
            next = *(void **)block;
            free(block);
        }
    *pool = (rg__pool){0};
}
