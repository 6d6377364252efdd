/* The loader's inside: slots that hold a batch, filled by the caller or by threads. */
#ifndef RG__NN_DATA_LOADER_H
#define RG__NN_DATA_LOADER_H

#include "data_augment.h"
#include "data_check.h"
#include "data_sampling.h"

#include <pthread.h>
#include <stdatomic.h>

enum { RG__LOADER_ERROR = 1024 };

/* One batch. */
typedef struct rg__slot {
    int64_t ready; /* the number of the batch that is in it, + 1    */
    int64_t count;
    void *x, *y;
    float *cropped;   /* in place of x, where images are cropped     */
    int64_t *partner; /* where they are mixed ...                   */
    void *mixed_y;
    double lambda;
    bool failed; /* then `error` says why                           */
    char error[RG__LOADER_ERROR];
} rg__slot;

/* Threads that fill slots ahead. Everything here but `abandon` is guarded by `lock`. */
typedef struct rg__crew {
    pthread_t *threads;
    int count; /* of threads that run                               */
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    int64_t taken;    /* batches that a thread has begun            */
    int64_t released; /* batches that the caller no longer looks at */
    int busy;         /* threads that fill a slot                   */
    bool running, closing;
    atomic_bool abandon; /* what is being filled is not wanted      */
} rg__crew;

struct rg_loader {
    rg_source source;
    rg_loader_config config;
    rg_augment_config augment;
    rg_shape x_shape;       /* of a sample in a batch                         */
    int64_t epoch, samples; /* of an epoch                              */
    int64_t next;           /* number of the next batch                 */
    int64_t *order;         /* [at least samples]                       */
    bool drawn;             /* by the sampler                           */
    rg__sampler sampler;
    int64_t slots;
    rg__slot *slot; /* batch n is in slot n % slots                     */
    bool failed;
    char error[RG__LOADER_ERROR];
    pthread_mutex_t reading; /* held in `get` where the source is not concurrent */
    bool open;               /* the locks are made                      */
    rg__crew crew;
};

/* Fills the slot of batch n: a function of the epoch's order and n alone. */
void rg__loader_fill(rg_loader *loader, int64_t n);

/* Starts the threads; false where one could not be. */
bool rg__crew_start(rg_loader *loader);
/* Nothing is being filled when this returns, and nothing will be until rg__crew_wait. */
void rg__crew_halt(rg_loader *loader);
/* Releases what is before batch n and waits until it is there. */
void rg__crew_wait(rg_loader *loader, int64_t n);
/* Ends the threads. */
void rg__crew_end(rg_loader *loader);

#endif
