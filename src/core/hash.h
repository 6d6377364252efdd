/* XXH3: the structure of tapes, names of random streams, fingerprints. hash.c alone sees xxhash.h. */
#ifndef RG__CORE_HASH_H
#define RG__CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t rg__hash64(const void *data, size_t bytes, uint64_t seed);

/* XXH3-128 over pieces. NULL on creation: out of memory. */
typedef struct rg__hasher rg__hasher;
rg__hasher *rg__hasher_new(void);
void rg__hasher_add(rg__hasher *hasher, const void *data, size_t bytes);
void rg__hasher_finish(rg__hasher *hasher, char out[33]); /* 32 hexadecimal digits; frees the hasher */

#endif
