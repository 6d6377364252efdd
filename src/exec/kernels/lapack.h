/* Factorisations of matrices, by LAPACK. lapack.c alone sees its header.
 *
 * Matrices lie column by column, without gaps. `size` is that of an element: 4 for f32, 8 for f64. Extents are at least 1
 * and small enough that the workspace can be counted in LAPACK's 32-bit integers, which the rg__lapack_*_room functions
 * answer; NaN and infinity may be anywhere unless it says otherwise. Results are LAPACK's info: 0, or what went wrong. */
#ifndef RG__EXEC_KERNELS_LAPACK_H
#define RG__EXEC_KERNELS_LAPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No matrix has more rows or columns: an index fits an f32, and 64 times that an int. */
#define RG__LAPACK_MOST 16777216

/* LAPACK and the BLAS below it work on the calling thread alone between the two, so that the result does not depend on how
 * many threads there are. */
typedef struct rg__lapack_team {
    int threads, levels;
} rg__lapack_team;
rg__lapack_team rg__lapack_begin(void);
void rg__lapack_end(rg__lapack_team team);

/* Memory that a call needs; bytes is 0 where the matrix is too large. */
typedef struct rg__lapack_room {
    int work, iwork; /* elements */
    size_t bytes;
} rg__lapack_room;

/* a = P L U in place [n, n], rows exchanged as in pivot [n], counted from 1. info > 0: U[info, info] is 0. */
int rg__lapack_lu(size_t size, int n, void *a, int *pivot);

/* b [n, k] := X of A X = B, or of A^T X = B, from the factors. U must have no 0 on its diagonal. */
void rg__lapack_lu_solve(size_t size, bool transposed, int n, int k, const void *lu, const int *pivot, void *b);

/* b [n, k] := X of A X = B with the triangle of a [n, n]. info > 0: a[info, info] is 0. */
int rg__lapack_triangular(size_t size, bool upper, bool unit, int n, int k, const void *a, void *b);

/* The upper triangle of a [n, n] := U of A = U^T U. info > 0: the leading minor of that order is not positive. */
int rg__lapack_cholesky(size_t size, int n, void *a);

/* a [n, n] := the eigenvectors of the symmetric matrix in its triangle, as columns, where they are wanted, else garbage;
 * w [n]: the eigenvalues, upwards. All numbers must be finite. info > 0: no convergence. */
rg__lapack_room rg__lapack_eigh_room(size_t size, bool vectors, bool upper, int n);
int rg__lapack_eigh(size_t size, bool vectors, bool upper, int n, void *a, void *w, rg__lapack_room room, void *scratch);

/* s [min(m, n)]: the singular values of a [m, n], downwards; a becomes garbage. job 'S': u [m, min], vt [min, n]; 'A':
 * u [m, m], vt [n, n]; 'N': neither. All numbers must be finite. info > 0: no convergence. */
rg__lapack_room rg__lapack_svd_room(size_t size, char job, int m, int n);
int rg__lapack_svd(size_t size, char job, int m, int n, void *a, void *s, void *u, void *vt, rg__lapack_room room,
                   void *scratch);

/* a [m, n] := R in its upper triangle, reflectors below, tau [min(m, n)]. */
rg__lapack_room rg__lapack_qr_room(size_t size, int m, int n, int columns);
void rg__lapack_qr(size_t size, int m, int n, void *a, void *tau, rg__lapack_room room, void *scratch);

/* q [m, columns] := the first columns of Q from the k reflectors in its own; k <= columns <= m. */
void rg__lapack_qr_columns(size_t size, int m, int columns, int k, void *q, const void *tau, rg__lapack_room room,
                           void *scratch);

#endif
