/* Draws of samples, prepared once and repeated for each epoch without further memory. */
#ifndef RG__NN_DATA_SAMPLING_H
#define RG__NN_DATA_SAMPLING_H

#include <retrograd/random.h>

typedef struct rg__sampler {
    int64_t count, draws;
    bool replacement;
    double *weights;        /* [count], ours; NULL: all alike                            */
    double *sums;           /* [count] with replacement: sums of weights                 */
    struct rg__key *sorted; /* [count] without: the first `draws` of it are drawn        */
} rg__sampler;

/* False and an error where the weights are none, or there is no memory. Free it in either case. */
bool rg__sampler_make(rg__sampler *s, const double *weights, int64_t count, int64_t draws, bool replacement,
                      const char *call, char *error, size_t size);
void rg__sampler_free(rg__sampler *s);
/* index [max(count, draws)]: the first `draws` are written, others overwritten. */
void rg__sampler_draw(rg__sampler *s, rg_rng *rng, int64_t *index);

#endif
