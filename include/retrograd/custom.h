/* Retrograd: ops of your own, and gradients of your own. */
#ifndef RETROGRAD_CUSTOM_H
#define RETROGRAD_CUSTOM_H

#include <retrograd/autograd.h>
#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- an op of your own ----------------------------------------------------------------------------------------------
 * What can be written in the ops of ops.h needs none of this: a C function is enough, and plans see through it. An op of
 * your own is for what they cannot say, or not fast enough: a kernel over arrays, and a rule for its gradient. */

/* What a kernel is given. */
typedef struct rg_custom_run {
    const rg_array *in; /* the values of the inputs, row-major                                     */
    int count;
    rg_dtype dtype; /* of the result ...                                                       */
    rg_shape shape;
    void *out;              /* ... and its elements, row-major, not initialised: write every one   */
    const void *attributes; /* the bytes given to rg_custom_op, copied                             */
    void *user;
    int threads; /* how many the kernel may use; what it writes must not depend on it       */
    const void *internal;
} rg_custom_run;

/* What a vjp rule is given: tensors of the tape. */
typedef struct rg_custom_vjp {
    const rg_tensor *in; /* the inputs                                                       */
    int count;
    rg_tensor out;       /* the result                                                       */
    rg_tensor cotangent; /* of the result                                                    */
    const void *attributes;
    void *user;
    const bool *wanted; /* which of the gradients are asked for                                  */
    rg_tensor *grad;    /* to be written: of each float input the gradient of <out, cotangent>, which may be broadcast
                           or have to be summed to the input's shape; what stays nil is zero  */
} rg_custom_vjp;

typedef struct rg_custom {
    const char *name; /* in errors, plans, pictures and reports: 1 to 31 letters, digits, '_' and '.' */
    /* Dtype and shape of the result, from those of the inputs (their data is NULL). False after rg_tape_fail where the
     * inputs do not fit. NULL: those of the first input. */
    bool (*result)(rg_tape *t, const rg_array *in, int count, const void *attributes, void *user, rg_dtype *dtype,
                   rg_shape *shape);
    /* Computes the result. False after rg_custom_fail where it cannot. It runs whenever the plan says so, more than once
     * or never, in the thread that asked for values: a function of the inputs and attributes alone, that records and
     * reads nothing on a tape. If tapes in several threads use the op, several threads call it at once. */
    bool (*kernel)(const rg_custom_run *run);
    /* Records the gradients in any ops, this one too, so that they can be differentiated again. NULL: the op has none,
     * and gradients end there. rg_tape_fail reports what it cannot do. */
    void (*vjp)(rg_tape *t, const rg_custom_vjp *v);
    size_t attribute_bytes; /* 65535 at most */
    void *user;
} rg_custom;

/* Records y = op(x...). The inputs may be of any dtype, strides and number; attributes: op->attribute_bytes of them, or
 * NULL where these are 0; no padding in them, for they are hashed. Everything is copied: `op`, its name and the attributes
 * need not outlive the call. What `user` points to must outlive the tape's reset. The tape keeps a few bytes for each
 * different op, until it is freed; ops are the same where all of their members are, and plans of what was recorded before
 * are found again then. So what changes from step to step belongs into inputs. */
RG_API rg_tensor rg_custom_op(rg_tape *t, const rg_custom *op, const rg_tensor *x, int count, const void *attributes);

/* Makes a formatted message the error of the tape, in the name of the op; returns false. For kernels. */
RG_API bool rg_custom_fail(const rg_custom_run *run, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* ---- hooks ----------------------------------------------------------------------------------------------------------
 * Gradients of your own. Ready-made ones are in ops/cotangent.h. */

/* Called while gradients are recorded, with the cotangent: all that flows back into x from its users. Returns another of
 * x's shape and dtype (or one that broadcasts to it), or nil to leave it as it is. */
typedef rg_tensor (*rg_hook_function)(rg_tape *t, rg_tensor cotangent, void *user);

/* x with a hook: go on with what is returned. Called once for each gradient that flows through (twice where gradients of
 * gradients do, and not at all where none is asked for). `user` must outlive the tape's reset. */
RG_API rg_tensor rg_hook(rg_tape *t, rg_tensor x, rg_hook_function function, void *user);

#ifdef __cplusplus
}
#endif
#endif
