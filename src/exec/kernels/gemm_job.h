/* A matrix product that is being computed: what gemm.c decides, and gemm_work.c carries out. */
#ifndef RG__EXEC_KERNELS_GEMM_JOB_H
#define RG__EXEC_KERNELS_GEMM_JOB_H

#include "core/shape.h"
#include "exec/kernels/gemm.h"
#include "exec/kernels/gemm_tile.h"

enum { RG__GEMM_ABREAST = 8 };

typedef struct rg__gemm_job {
    size_t size; /* of an element */
    int64_t m, n, k;
    rg__gemm_matrix a, b, c;
    bool transposed; /* a, b and c are those of the transposed product */
    int team;        /* threads */

    /* What the bits of the result depend on. */
    const rg__gemm_kernel *kernel;
    bool dots;     /* by dot products: a few rows of a, contiguous columns of b */
    bool wide;     /* panels deep as can be do not stay in the first cache */
    int64_t depth; /* of a block of k */

    /* Panels: the columns of b, as many at a time as a tile has. */
    int64_t panels, in_place;           /* those from the first on that are not packed */
    bool alone;                         /* each task packs its panels itself, one at a time, in the first cache */
    int64_t chunk_panels, chunk_length; /* else all threads pack this much of b at a time */

    /* Tasks: strips of rows, each in groups of panels. The strips consist of whole units of rows, as even as can be. */
    int64_t unit, units, strips, groups;
    int64_t block;   /* rows of a strip that are worked on, and packed, at a time, */
    int64_t abreast; /* and panels, at most RG__GEMM_ABREAST */
    bool pack_a;

    /* Work on rows that are done. */
    const rg__gemm_rows *rows; /* NULL: there is none */
    int64_t rows_strip;
    bool rows_last; /* after all else, for they are columns here, or not done one by one */

    /* Memory: the packed chunk, which is all of b where it is kept for other products; of each thread, a packed block of a
     * and, if alone, panels of b. */
    const rg__gemm_kept *kept; /* NULL: not */
    char *packed_b, *own;
    size_t own_bytes, own_panel, panel_bytes;
    int *left;       /* of each strip, the groups yet to be done; NULL where it does not matter */
    int64_t next[2]; /* task of the even and of the odd chunks */
} rg__gemm_job;

/* The tiles of a block of rows. Kernels of ours take any number of rows, so where a is not packed the tiles come out even: one
 * of a single row takes half as long as one of six. Where it is, whole tiles are quicker. */
static inline int64_t rg__gemm_tiles(const rg__gemm_job *g, int64_t rows)
{
    return rg__divide_up(rows, g->kernel->rows);
}

/* Computes, with g->team threads. */
void rg__gemm_work(rg__gemm_job *g);

#endif
