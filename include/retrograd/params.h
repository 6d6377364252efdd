/* Retrograd: the parameter store, the long-lived side of a model. */
#ifndef RETROGRAD_PARAMS_H
#define RETROGRAD_PARAMS_H

#include <retrograd/base.h>
#include <retrograd/random.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A store owns its entries: named parameters (trained), buffers (running statistics) and state (an optimizer's
 * moments). Several tapes, one a thread, may read a store at the same time; only one may assign. */
RG_API rg_params *rg_params_new(uint64_t seed); /* NULL: out of memory */
/* every rg_param of it ends, and every tape that read it must be reset first */
RG_API void rg_params_free(rg_params *ps);

/* The first error of the store ("" when none): a bad shape, a name used twice, no memory. */
RG_API const char *rg_params_error(const rg_params *ps);
RG_API rg_status rg_params_status(const rg_params *ps);
RG_API void rg_params_clear_error(rg_params *ps);
/* Makes a formatted message the store's error, unless it has one. For layers written by users. */
RG_API void rg_params_fail(rg_params *ps, rg_status status, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/* The dtype that layers give their parameters: RG_F32 unless set. Gradient checks want RG_F64. */
RG_API void rg_params_set_dtype(rg_params *ps, rg_dtype dtype);
RG_API rg_dtype rg_params_dtype(const rg_params *ps);

/* Names for the entries that are made until the matching pop, joined by dots: in scope "encoder.0" the parameter
 * "weight" is called "encoder.0.weight". The other side of rg_scope_push: a layer pushes its name when it is made and when
 * it is used. */
RG_API void rg_params_scope_push(rg_params *ps, const char *name);
RG_API void rg_params_scope_pop(rg_params *ps);
RG_API const char *rg_params_scope(const rg_params *ps); /* "" at the top; valid until the pop */
/* A copy of `name` that lives as long as the store, for the layers on it. NULL for NULL, and on error. */
RG_API const char *rg_params_keep_name(rg_params *ps, const char *name);

/* New entries, zeros when data is NULL, else a row-major copy. Names are unique in the store. NULL on error. */
RG_API rg_param *rg_param_new(rg_params *ps, const char *name, rg_dtype dtype, rg_shape shape, const void *data);
RG_API rg_param *rg_buffer_new(rg_params *ps, const char *name, rg_dtype dtype, rg_shape shape, const void *data);

/* State that belongs to entry p: made with every element `initial` at the first call, found again under the same key
 * ("adam.m") later. Its name is p's name, a slash and the key. NULL on error: also where it is there already with
 * another dtype or shape, or is a parameter. */
RG_API rg_param *rg_param_state(rg_param *p, const char *key, rg_dtype dtype, rg_shape shape, double initial);

/* Takes a parameter or buffer out of its store, with its state, and frees it: one that a layer is to do without, or that
 * another layer's stands for. Every tape that read it must be reset first; optimizers and averages are made afterwards.
 * Entries that follow move up. State cannot be removed alone: an error of the store. NULL does nothing. */
RG_API void rg_param_remove(rg_param *p);

typedef enum rg_param_kind { RG_PARAM = 0, RG_BUFFER, RG_STATE } rg_param_kind;

RG_API int rg_params_count(const rg_params *ps); /* all kinds, in order of creation */
RG_API rg_param *rg_params_at(const rg_params *ps, int index);
RG_API rg_param *rg_params_find(const rg_params *ps, const char *name); /* NULL where there is none */
RG_API int64_t rg_params_numel(const rg_params *ps);                    /* elements of the trained parameters */

RG_API const char *rg_param_name(const rg_param *p);
RG_API rg_param_kind rg_param_kind_of(const rg_param *p);
RG_API rg_shape rg_param_shape(const rg_param *p);
RG_API rg_dtype rg_param_dtype(const rg_param *p);
RG_API int64_t rg_param_numel(const rg_param *p);
RG_API rg_params *rg_param_store(const rg_param *p);

/* A frozen parameter gets no gradient. Parameters are trainable at first, buffers and state never. */
RG_API void rg_param_set_trainable(rg_param *p, bool trainable);
RG_API bool rg_param_trainable(const rg_param *p);

/* Row-major values. Assignments pending on a tape are not in them: rg_tape_reset or rg_tape_run it first. */
RG_API const void *rg_param_data(const rg_param *p);
/* Overwrites the values; `bytes` must be the whole. What tapes recorded before reads as "assigned since". */
RG_API bool rg_param_set(rg_param *p, const void *data, size_t bytes);

/* The gradient that outlived its tape (backward without an optimizer step): row-major, NULL where there is none. */
RG_API const void *rg_param_stored_grad(const rg_param *p);

/* A random stream of its own for p: a function of the store's seed and p's name, not of the order of creation. */
RG_API rg_rng rg_param_rng(const rg_param *p);

/* XXH3-128 over names, dtypes, shapes and values of all entries, as 32 hexadecimal digits and a NUL. */
RG_API void rg_params_fingerprint(const rg_params *ps, char out[33]);

/* ---- by pattern --------------------------------------------------------------------------------------------
 * A pattern is matched against whole names. '*' stands for any run of characters, dots included, but not for the slash
 * before the key of an optimizer's state; '?' for one, with the same exception; all else for itself. "encoder.*" is all
 * below encoder, "*.bias" all biases, "*" all parameters and buffers; state is matched by patterns with a slash of their own,
 * as "l1.weight/adam.?". */
RG_API bool rg_name_matches(const char *name, const char *pattern); /* NULL matches nothing */

/* Writes the first `capacity` entries that match, in order of creation, to found (NULL where capacity is 0); returns how
 * many there are in all. */
RG_API int rg_params_find_all(const rg_params *ps, const char *pattern, rg_param **found, int capacity);

/* Freezes or frees all parameters that match; returns how many there were. None is an error of the store, and 0: a pattern
 * that is misspelt must not pass unseen. Buffers, state and parameters that are not float stay as they are. */
RG_API int rg_params_set_trainable(rg_params *ps, const char *pattern, bool trainable);

/* What a store holds, in elements and in bytes. */
typedef struct rg_params_total {
    int entries;
    int64_t trainable, frozen, buffers, state;
    int64_t param_bytes, buffer_bytes, state_bytes;
} rg_params_total;
RG_API rg_params_total rg_params_count_matching(const rg_params *ps, const char *pattern);

/* Copies values: every entry of `to` that matches takes those of the entry of `from` with its name. All or nothing: where
 * one is missing in `from`, or has another dtype or shape, `to` keeps its values and has the error. Returns how many were
 * copied, 0 on error and where none matches. As for rg_param_data and rg_param_set, assignments that a tape has not run are
 * not in the values. Transfer learning: build the model, copy "features.*", freeze them, train the rest. */
RG_API int rg_params_copy(rg_params *to, const rg_params *from, const char *pattern);

/* A new store with the parameters and buffers that match: names, kinds, dtypes, shapes, values and what is trainable; no
 * state and no gradients. For values that are to be copied back: the best of a run, those before an inner loop. NULL when
 * out of memory or without a store. */
RG_API rg_params *rg_params_clone(const rg_params *ps, const char *pattern);

/* ---- on a tape --------------------------------------------------------------------------------------------- */

/* The parameter as a tensor. One leaf a tape; after rg_assign the leaf of the assigned value. */
RG_API rg_tensor rg_leaf(rg_tape *t, rg_param *p);

/* p := value, same shape and dtype. Recorded: it happens at the next run or reset, after everything recorded
 * before has read the old value. No gradient flows through. */
RG_API void rg_assign(rg_tape *t, rg_param *p, rg_tensor value);

/* The gradient of p so far: what rg_backward gave on this tape, plus what is stored. Nil where there is none. */
RG_API rg_tensor rg_param_grad(rg_tape *t, rg_param *p);
/* Replaces it (clipping). Nil forgets it. */
RG_API void rg_param_set_grad(rg_tape *t, rg_param *p, rg_tensor grad);
/* Forgets the gradients of all entries: recorded ones and stored ones. */
RG_API void rg_params_clear_grads(rg_tape *t, rg_params *ps);

#ifdef __cplusplus
}
#endif
#endif
