/* Retrograd: training over epochs, and evaluation: the loop that most programs would write, in a few functions. Where it does
 * not fit (several losses, several optimizers, gradients of gradients), write your own: rg_backward and rg_optim_step. */
#ifndef RETROGRAD_NN_TRAINER_H
#define RETROGRAD_NN_TRAINER_H

#include <retrograd/data.h>
#include <retrograd/optim.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The user's function: records the mean loss of a batch and returns it, a float of one element. `*metric` is nil; it may be
 * set to a number of one element (rg_accuracy, say), which is averaged as the loss is and takes no part in training.
 * What `batch` points to is valid during the call: rg_input copies it. Called in training and in evaluation mode. */
typedef rg_tensor (*rg_objective)(rg_tape *t, void *model, const rg_batch *batch, rg_tensor *metric);

/* Means over samples: each batch counts with its size. NaN where there are no samples, and for a metric that is not given. */
typedef struct rg_score {
    double loss, metric;
    int64_t samples;
} rg_score;

/* One pass over the loader's epoch 0, in mode RG_INFERENCE and with rg_training(t) false, which is put back. Resets the
 * tape before each batch and at the end. False, and a score of NaN, where the tape has failed or a sample could not be read
 * (RG_ERROR_FILE, with what rg_loader_error says). */
RG_API bool rg_evaluate(rg_tape *t, rg_objective objective, void *model, rg_loader *loader, rg_score *score);

/* What one epoch gave. Training loss and metric are means over its batches, each taken before its update. */
typedef struct rg_epoch {
    rg_score training, validation; /* validation: NaN and 0 samples without a loader for it */
    double lr;                     /* of the last step                                       */
    double seconds;                /* of the pass over the training data alone               */
} rg_epoch;

/* What callbacks see. Epochs, batches and steps are counted from 0. */
typedef struct rg_fit_state {
    rg_tape *tape; /* of the batch just trained on; reset, in on_epoch */
    rg_params *params;
    rg_optim *optim;
    int64_t epoch, batch, step; /* the last batch of this epoch, the last step of this fit                 */
    double loss, metric;        /* of that batch                                                           */
    const rg_epoch *result;     /* on_epoch: what the epoch gave; on_batch: NULL                           */
    bool best;                  /* on_epoch: it is the best so far                                         */
} rg_fit_state;
/* Returns whether to go on. May record (a moving average of the weights), set the learning rate, save the store. */
typedef bool (*rg_fit_callback)(const rg_fit_state *state, void *user);

/* What "best" means: of the validation data, or of the training data where there are none. NaN never is. */
typedef enum rg_monitor { RG_LOWEST_LOSS = 0, RG_HIGHEST_METRIC, RG_LOWEST_METRIC } rg_monitor;

typedef struct rg_fit_config {
    rg_objective objective; /* required                                                                             */
    void *model;            /* handed to the objective                                                              */
    rg_loader *train;       /* required; in the order of epoch first_epoch + 0, 1, ...                              */
    rg_loader *validation;  /* NULL: none                                                                           */
    int64_t epochs;         /* at most; 0: 1                                                                        */
    int64_t first_epoch;    /* where a training that is taken up again goes on; not negative                        */
    /* The learning rate of the next step; epoch counts on from first_epoch. NULL leaves the optimizer's alone. */
    double (*schedule)(int64_t epoch, int64_t step, void *user);
    double clip_norm;   /* more than 0: rg_clip_grad_norm before each step                                         */
    double clip_value;  /* more than 0: rg_clip_grad_value before that                                             */
    rg_monitor monitor; /* RG_LOWEST_LOSS                                                                          */
    int64_t patience;   /* end after so many epochs in a row without improvement; 0: never                         */
    double min_delta;   /* an improvement is one of more than this; 0                                              */
    bool keep_best;     /* in the end put back parameters and buffers of the best epoch, however small its lead    */
    rg_fit_callback on_batch, on_epoch; /* after the update; after validation. NULL: none                           */
    void *user;                         /* handed to schedule and callbacks                                         */
    FILE *progress;                     /* a line each epoch, numbers counted from 1. NULL: nothing is printed      */
} rg_fit_config;

typedef enum rg_stop { RG_STOP_EPOCHS = 0, RG_STOP_PATIENCE, RG_STOP_CALLBACK, RG_STOP_ERROR } rg_stop;

typedef struct rg_history {
    rg_epoch *epoch; /* [epochs], those that came to their end */
    int64_t epochs;
    int64_t best; /* index of the best; -1: none            */
    rg_stop stop; /* what ended it                          */
} rg_history;
RG_API void rg_history_free(rg_history *history); /* empties it; NULL does nothing */

/* For each batch: reset, objective, rg_backward, clipping, rg_optim_step, all in one run. The tape trains meanwhile, and is
 * reset and as it was afterwards. The parameters are, bit for bit, those of the loop written by hand. `history` (NULL:
 * none) is overwritten; free it with rg_history_free, after errors too.
 * False on error; the tape has the reason. A loss that is not finite is one (RG_ERROR_VALUE, with the epoch and batch,
 * counted from 1); the update of that batch has been made then. A sample that could not be read is one (RG_ERROR_FILE, with
 * what rg_loader_error says), after the updates of the batches before it. keep_best puts the best weights back after errors as well. */
RG_API bool rg_fit(rg_tape *t, rg_params *ps, rg_optim *opt, const rg_fit_config *config, rg_history *history);

#ifdef __cplusplus
}
#endif
#endif
