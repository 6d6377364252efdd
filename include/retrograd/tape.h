/* Retrograd: the tape. Recording, inputs, reading values, sections, errors. */
#ifndef RETROGRAD_TAPE_H
#define RETROGRAD_TAPE_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- life --------------------------------------------------------------------------------------------------
 * One thread uses a tape at a time. Zeros (or NULL for the whole) are the defaults. */
typedef struct rg_tape_config {
    int threads;   /* threads for running; 0: OMP_NUM_THREADS, else one a processor. Results do not depend on it */
    uint64_t seed; /* of rg_rand and the other random ops of this tape                                           */
    bool eager;    /* run each op as it is recorded, with its reference kernel (also: RETROGRAD_EAGER=1)         */
} rg_tape_config;

RG_API rg_tape *rg_tape_new(const rg_tape_config *config); /* NULL: out of memory */
RG_API void rg_tape_free(rg_tape *t);                      /* pending assignments are dropped; reset first */

/* Runs the assignments still pending, stores the parameters' gradients that were not cleared, then forgets all
 * that was recorded: every handle becomes stale. Memory is kept for the next step. An error stays, and what was
 * pending when it happened is dropped: parameters keep their values of before. */
RG_API void rg_tape_reset(rg_tape *t);

/* A place on the tape. Rolling back to it is a reset of what was recorded since; earlier handles stay valid.
 * Marks nest: rolling back to an outer one ends the inner ones. A stale mark is an error. */
typedef struct rg_mark {
    uint64_t generation;
    uint64_t depth;
} rg_mark;
RG_API rg_mark rg_tape_mark(rg_tape *t);
RG_API void rg_tape_rollback(rg_tape *t, rg_mark mark);

/* Runs what is pending now: assignments and kept tensors. Returns false when the tape has failed. */
RG_API bool rg_tape_run(rg_tape *t);

/* ---- errors ------------------------------------------------------------------------------------------------
 * The first error stays, through resets too, until it is cleared. What was pending then (assignments, gradients, kept
 * tensors) goes with it. A NULL tape counts as failed. */
RG_API bool rg_failed(const rg_tape *t);
RG_API rg_status rg_tape_status(const rg_tape *t);
RG_API const char *rg_tape_error(const rg_tape *t); /* "" when there is none; lives as long as the tape */
RG_API void rg_tape_clear_error(rg_tape *t);

/* Makes a formatted message the tape's error, unless it has one. For layers and losses written by users. */
RG_API void rg_tape_fail(rg_tape *t, rg_status status, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/* ---- inputs ------------------------------------------------------------------------------------------------
 * `data` is row-major. NULL data is allowed only for empty shapes. */
RG_API rg_tensor rg_input(rg_tape *t, rg_dtype dtype, rg_shape shape, const void *data); /* copied at once */
RG_API rg_tensor rg_input_f32(rg_tape *t, rg_shape shape, const float *data);
RG_API rg_tensor rg_input_f64(rg_tape *t, rg_shape shape, const double *data);
RG_API rg_tensor rg_input_i32(rg_tape *t, rg_shape shape, const int32_t *data);
RG_API rg_tensor rg_input_i64(rg_tape *t, rg_shape shape, const int64_t *data);
RG_API rg_tensor rg_input_bool(rg_tape *t, rg_shape shape, const bool *data);

/* Not copied: the caller keeps `data` alive and unchanged until the reset. `strides` are in elements, one an
 * axis, of any sign (data points at element [0, 0, ...]); NULL means row-major. */
RG_API rg_tensor rg_borrow(rg_tape *t, rg_dtype dtype, rg_shape shape, const int64_t *strides, const void *data);

/* A scalar (shape []) whose value may differ from step to step: a learning rate. Not part of the structure. */
RG_API rg_tensor rg_scalar(rg_tape *t, rg_dtype dtype, double value);
/* A scalar whose value is part of the structure: the 2 in 2x. */
RG_API rg_tensor rg_constant(rg_tape *t, rg_dtype dtype, double value);

/* ---- looking at tensors ------------------------------------------------------------------------------------
 * Of a nil or stale handle: an error on the tape, and the empty answer. */
RG_API rg_shape rg_shape_of(rg_tape *t, rg_tensor x);
RG_API rg_dtype rg_dtype_of(rg_tape *t, rg_tensor x);
RG_API int64_t rg_numel(rg_tape *t, rg_tensor x);
RG_API int64_t rg_dim(rg_tape *t, rg_tensor x, int axis); /* extent of an axis, negative from the end */
RG_API bool rg_requires_grad(rg_tape *t, rg_tensor x);    /* does it depend on a trainable parameter? */

/* ---- values ------------------------------------------------------------------------------------------------
 * Asking runs what the value needs and all pending assignments. What was computed is not computed twice. If a
 * parameter that the value still needs was assigned in the meantime, asking is an error. */
/* of one element, as a double; NaN on error */
RG_API double rg_item(rg_tape *t, rg_tensor x);
RG_API bool rg_read(rg_tape *t, rg_tensor x, void *out, size_t out_bytes); /* row-major copy; sizes must agree */
RG_API const void *rg_data(rg_tape *t, rg_tensor x);      /* row-major values, valid until the reset; NULL on error */
RG_API const float *rg_data_f32(rg_tape *t, rg_tensor x); /* the same, with the dtype checked */
RG_API const double *rg_data_f64(rg_tape *t, rg_tensor x);
RG_API const int64_t *rg_data_i64(rg_tape *t, rg_tensor x);

/* The value of x will be asked for: the next run computes and stores it with everything else. Returns x. */
RG_API rg_tensor rg_keep(rg_tape *t, rg_tensor x);

/* The same value without its history: no gradient flows through. */
RG_API rg_tensor rg_detach(rg_tape *t, rg_tensor x);

/* ---- sections ---------------------------------------------------------------------------------------------- */
typedef enum rg_mode {
    RG_GRAD = 0,  /* the default: gradients flow                                                                  */
    RG_NO_GRAD,   /* what is recorded here counts as constant for gradients                                       */
    RG_INFERENCE, /* as RG_NO_GRAD; intermediate values are dropped as soon as they are used, and a result may not
                     enter an op that gradients flow through (rg_detach it, outside, to allow that)               */
} rg_mode;
/* Sections nest. rg_tape_reset ends those that are open. */
RG_API void rg_mode_push(rg_tape *t, rg_mode mode);
RG_API void rg_mode_pop(rg_tape *t);
RG_API rg_mode rg_mode_of(const rg_tape *t);

/* Do layers behave as in training (dropout drops, batch norm takes the statistics of the batch), or as in evaluation? A
 * tape trains at first, and stays as it was set, through resets too. It changes nothing but what layers record. */
RG_API void rg_set_training(rg_tape *t, bool training);
RG_API bool rg_training(const rg_tape *t); /* true for NULL */

/* Names for what is recorded until the matching pop, joined by dots: "encoder.0.attn". Copied. */
RG_API void rg_scope_push(rg_tape *t, const char *name);
RG_API void rg_scope_pop(rg_tape *t);
RG_API const char *rg_scope(const rg_tape *t); /* "" at the top; valid until the reset */

/* ---- the tape as data -------------------------------------------------------------------------------------- */
RG_API int64_t rg_tape_length(const rg_tape *t);        /* number of recorded nodes */
RG_API rg_tensor rg_tape_at(rg_tape *t, int64_t index); /* handle of a node */

/* XXH3 of the recorded structure (ops, attributes, shapes, dtypes, topology): equal for equal programs, whatever
 * the values, the learning rates and the addresses. */
RG_API uint64_t rg_tape_hash(const rg_tape *t);

typedef struct rg_node {
    const char *op;         /* name in the op table                                         */
    const char *scope;      /* "" at the top                                                */
    const char *name;       /* the parameter's name for a leaf, else ""                     */
    const uint32_t *inputs; /* input_count indices, for rg_tape_at; valid until the reset   */
    int input_count;
    rg_shape shape;
    int64_t strides[RG_MAX_RANK]; /* in elements                                             */
    rg_dtype dtype;
    bool requires_grad;  /* depends on a trainable parameter                                  */
    bool backward;       /* recorded while gradients were taken                               */
    bool is_view;        /* shares the storage of its input                                   */
    bool computed;       /* its value is there                                                */
    const void *data;    /* its first element where it is computed, else NULL; until the next run or reset */
    char attributes[96]; /* "axes=[1] keepdim=true"; "" where there are none                  */
} rg_node;

/* Describes a node; false (and an error) for a bad handle. */
RG_API bool rg_tape_node(rg_tape *t, rg_tensor x, rg_node *node);

#ifdef __cplusplus
}
#endif
#endif
