/* Retrograd: moving averages of the weights. */
#ifndef RETROGRAD_AVERAGE_H
#define RETROGRAD_AVERAGE_H

#include <retrograd/base.h>
#include <retrograd/params.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The average of each parameter over the updates so far, often better to predict with than the last weights. It lives in
 * the store, as "w/average" with its count "w/average.count": saving the store saves it, and another rg_average of the
 * same name goes on from there. Of all float parameters, frozen ones too. Every update has the same recorded structure. */
typedef struct rg_average rg_average;

typedef enum rg_average_kind {
    RG_AVERAGE_EXPONENTIAL = 0, /* a := decay a + (1 - decay) w, but a := w at the first update: PyTorch's AveragedModel  */
    RG_AVERAGE_CORRECTED, /* the same from a = 0, divided by 1 - decay^n: all updates count, as Adam's moments      */
    RG_AVERAGE_WARMUP,    /* with the decay min(decay, (1 + n)/(10 + n)) at update n = 0, 1, ...: TensorFlow's      */
    RG_AVERAGE_EQUAL,     /* the mean of all updates: stochastic weight averaging, Izmailov et al., UAI 2018        */
} rg_average_kind;

typedef struct rg_average_config {
    rg_average_kind kind;
    double decay;     /* 0.999; in [0, 1]; 0 is the default, so is not possible; without meaning for RG_AVERAGE_EQUAL */
    const char *name; /* "average"; copied: several averages of one store need different names                       */
    bool buffers;     /* float buffers (running statistics) are averaged too; else they stay the model's             */
} rg_average_config;

/* NULL for no store, or when out of memory. Free it before the store. */
RG_API rg_average *rg_average_new(rg_params *ps, const rg_average_config *config);
RG_API void rg_average_free(rg_average *average);

/* Records the update by the present weights, in scope "average": after rg_optim_step. While averages are swapped in: an
 * error on the tape. Settings out of range: an error here. */
RG_API void rg_average_update(rg_average *average, rg_tape *t);

/* Weights and averages change places, once before evaluation, once after it: what is pending on the tape is run first, and
 * the exchange with it. Meanwhile the counts n in the store are -1 - n. What was never updated has no average and stays;
 * nothing at all to swap is an error. After stochastic weight averaging, the running statistics of
 * batch norm belong to other weights: swap, and pass the training data through in training mode once. */
RG_API void rg_average_swap(rg_average *average, rg_tape *t);
RG_API bool rg_average_swapped(const rg_average *average); /* are the averages where the weights belong? */

#ifdef __cplusplus
}
#endif
#endif
