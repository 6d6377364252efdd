/* From tape to values. */
#ifndef RG__EXEC_RUN_H
#define RG__EXEC_RUN_H

#include "autograd/tape.h"

/* What the process needs before its first run; any number of times. */
void rg__exec_start(void);

/* Computes the nodes asked for (`wanted`, UINT32_MAX for none), everything kept, and the values of pending assignments;
 * then, if `assign`, carries the assignments out. False when the tape has failed: then nothing was assigned. */
bool rg__run_pending(rg_tape *t, uint32_t wanted, bool assign);

/* Computes one node whose inputs are computed. */
bool rg__run_one(rg_tape *t, uint32_t id);

/* Gives a node's memory back to the pool. */
void rg__release(rg_tape *t, rg__node *node);

/* Where a node's first element is; NULL before its root is computed. */
void *rg__value(const rg_tape *t, const rg__node *node);

#endif
