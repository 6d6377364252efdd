/* XXH3. See hash.h. */
#include "core/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <inttypes.h>
#include <stdio.h>

uint64_t rg__hash64(const void *data, size_t bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, bytes, seed);
}

/* The opaque rg__hasher is XXH3's own state. */
rg__hasher *rg__hasher_new(void)
{
    XXH3_state_t *state = XXH3_createState();
    if (state)
        XXH3_128bits_reset(state);
    return (rg__hasher *)state;
}

void rg__hasher_add(rg__hasher *hasher, const void *data, size_t bytes)
{
    XXH3_128bits_update((XXH3_state_t *)hasher, data, bytes);
}

void rg__hasher_finish(rg__hasher *hasher, char out[33])
{
    XXH3_state_t *state = (XXH3_state_t *)hasher;
    XXH128_hash_t h = XXH3_128bits_digest(state);
    snprintf(out, 33, "%016" PRIx64 "%016" PRIx64, (uint64_t)h.high64, (uint64_t)h.low64);
    XXH3_freeState(state);
}
