/* Walking and copying arrays of any strides. */
#ifndef RG__CORE_STRIDED_H
#define RG__CORE_STRIDED_H

#include "core/shape.h"

#define RG__WALK_ARRAYS 4

/* Positions of up to four arrays of one shape in row-major order, as runs along the last axis. Neighbouring axes that lie
 * one after the other in all arrays are walked as one, so that contiguous arrays are a single run. */
typedef struct rg__walk {
    int64_t run;                   /* elements of each run; 0 where the shape is empty */
    int64_t step[RG__WALK_ARRAYS]; /* bytes from one element of a run to the next      */
    char *p[RG__WALK_ARRAYS];      /* the current run                                  */
    int arrays, rank;              /* rank of the walked axes, the run's not counted   */
    int64_t dims[RG_MAX_RANK], index[RG_MAX_RANK];
    int64_t strides[RG__WALK_ARRAYS][RG_MAX_RANK]; /* bytes */
} rg__walk;

typedef struct rg__strided {
    void *data;
    const int64_t *strides; /* in elements */
    size_t size;            /* bytes of an element */
} rg__strided;

void rg__walk_start(rg__walk *walk, int rank, const int64_t *dims, int arrays, const rg__strided *array);
bool rg__walk_next(rg__walk *walk); /* false after the last run */

/* out := in, element by element, for arrays of one shape and one element size. */
void rg__copy(int rank, const int64_t *dims, rg__strided out, rg__strided in);

/* The same, by so many threads where it is large: the parts of the first axis are copied side by side. */
void rg__copy_shared(int threads, int rank, const int64_t *dims, rg__strided out, rg__strided in);

#endif
