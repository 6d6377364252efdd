/* From tape to values. */
#ifndef RG__EXEC_RUN_H
#define RG__EXEC_RUN_H

#include "autograd/tape.h"

/* What the process needs before its first run; any number of times. */
void rg__exec_start(void);

/* Why a run happens. */
typedef struct rg__demand {
    uint32_t wanted; /* a node whose value is asked for; UINT32_MAX for none */
    bool assign;     /* carry the pending assignments out                    */
    bool last;       /* nothing will be asked for afterwards                 */
} rg__demand;

/* Computes what is demanded, everything kept, and the values of pending assignments; then carries these out. False when
 * the tape has failed: then nothing was assigned. */
bool rg__run_pending(rg_tape *t, const rg__demand *demand);

/* Computes one node whose inputs are computed. */
bool rg__run_one(rg_tape *t, uint32_t id);

/* Gives a node's memory back to the pool. */
void rg__release(rg_tape *t, rg__node *node);

/* Where the storage of a node that owns it begins: in the pool, outside, or in a parameter; NULL before it is computed. */
void *rg__root_data(const rg__node *root);

/* Where a node's first element is; NULL before its root is computed. */
void *rg__value(const rg_tape *t, const rg__node *node);

/* Ends the tape's plans. */
void rg__plans_free(rg_tape *t);

/* ---- shared by the two executors --------------------------------------------------------------------------------- */
/* The reference: each node in the order of recording by its op's own kernel. */
bool rg__reference_run(rg_tape *t, const rg__demand *demand);

/* Has it a value that a kernel computes, which is not there? */
bool rg__is_missing(const rg__node *node);

/* Runs the op's own kernel; `out` has room for the result. rows, kept: see rg__run. */
bool rg__run_kernel(rg_tape *t, const rg__node *node, const rg__array_view *in, void *out,
                    const struct rg__gemm_rows *rows, const struct rg__gemm_kept *kept);

/* False and an error in the name of the reader where the storage is a parameter's that was assigned since. */
bool rg__still_there(rg_tape *t, const rg__node *root, const rg__node *reader);
void rg__fail_at(rg_tape *t, const rg__node *node, rg_status status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
