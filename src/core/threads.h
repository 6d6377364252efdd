/* How many threads a tape uses where nobody says. */
#ifndef RG__CORE_THREADS_H
#define RG__CORE_THREADS_H

/* OMP_NUM_THREADS where it is set, else the number of processors that this process may run on; at least 1. */
int rg__threads_default(void);

#endif
