/* Retrograd: looking at how a tape is run. */
#ifndef RETROGRAD_PLAN_H
#define RETROGRAD_PLAN_H

#include <retrograd/base.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a tape has done since it was made. */
typedef struct rg_tape_counts {
    int64_t nodes;            /* recorded now                                                              */
    int64_t plans;            /* made so far, those that the cache has let go included                     */
    int64_t cached;           /* in the cache now, 64 at most                                              */
    int64_t hits;             /* runs whose plan was in the cache                                          */
    int64_t runs;             /* in all                                                                    */
    int64_t bytes;            /* held for values and workspaces                                            */
    double planning, running; /* seconds                                                                   */
    double recording;         /* seconds between runs: recording, and whatever else the program does there */
} rg_tape_counts;
RG_API rg_tape_counts rg_tape_stats(const rg_tape *t);

/* What the pending part of the tape will take, before it runs. */
typedef struct rg_plan_counts {
    int64_t steps; /* kernels that will run                                     */
    int64_t fused; /* of them, those that compute several nodes block by block  */
    int64_t waves; /* of fused steps that need nothing of each other: the threads share the steps of a wave, which costs one
                         start of them */
    int64_t epilogues; /* fused steps that run on a product's rows as these are finished; a wave each */
    int64_t nodes;     /* computed by them                                          */
    int64_t values;    /* bytes of the values between the steps, at their peak      */
    int64_t scratch;   /* bytes of the threads' blocks and of partial results       */
    int64_t retained;  /* bytes of the values that stay after the run               */
    int64_t in_place;  /* assignments that overwrite a parameter without a copy     */
} rg_plan_counts;
/* Makes the plan, or finds it, for what rg_tape_run would run. False on error, with zeros. An eager tape has no plans: zeros. */
RG_API bool rg_plan_stats(rg_tape *t, rg_plan_counts *counts);

/* The same plan as text: each step with its nodes, its space and its values, and why a group ended where it did. Nodes
 * that the planner added to those of the tape have the numbers from the tape's length on. The environment variable RETROGRAD_LOG=plan prints each plan to stderr when it is made. */
RG_API void rg_plan_print(rg_tape *t, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
