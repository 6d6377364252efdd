/* One program measures one case. Its driver, run.py, says through a pipe when and for how long, so that several
 * programs take turns in one run. PyTorch's side, peers_torch.py, holds the same conversation. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>

/* What is measured: step(state) again and again. */
typedef struct subject {
    void *state;
    void (*step)(void *state);
    const char *(*error)(const void *state); /* "" while all is well                                            */
    void (*close)(void *state);
    double per;   /* a step does the work of so many; time, flops and bytes are of one                          */
    double flops; /* of the formula; 0 where bytes count                                                        */
    double bytes; /* that no implementation can avoid: each input read once, each wanted result written once    */
} subject;

/* Takes a first step, says so, then measures for as many seconds as each line of stdin says, and answers each with a
 * line of JSON: the median and the best time, the number of steps, the megabytes that the steps have taken at their
 * peak. Closes the subject at the end of stdin. Returns the exit status. */
int serve(subject *s);

double seconds_now(void);

/* 64-byte aligned and zeroed, freed with free(). NULL: out of memory. */
void *aligned_zeros(size_t bytes);

#endif
