/* LAPACK through LAPACKE's work functions: column-major, so that they neither transpose nor search for NaN. See lapack.h.
 *
 * No argument that comes here is one that LAPACK complains of, for its complaint would end the process (xerbla). */
#include "exec/kernels/lapack.h"

#include "exec/kernels/blis_arch.h"

#include <lapacke.h>
#include <limits.h>
#include <math.h>
#include <omp.h>

/* The same call for f32 and f64. */
// clang-format off
#define CALL(size, name, ...)                                                                      \
    ((size) == sizeof(float) ? LAPACKE_s##name##_work(LAPACK_COL_MAJOR, __VA_ARGS__)                \
                             : LAPACKE_d##name##_work(LAPACK_COL_MAJOR, __VA_ARGS__))
// clang-format on

/* ---- threads ---- */

/* A BLAS under LAPACK may have threads of its own: those of OpenMP are told here that there is one. */
rg__lapack_team rg__lapack_begin(void)
{
    rg__blis_start(); /* BLIS is often that BLAS */
    const rg__lapack_team before = {omp_get_max_threads(), omp_get_max_active_levels()};
    omp_set_num_threads(1);
    omp_set_max_active_levels(omp_get_active_level());
    return before;
}

void rg__lapack_end(rg__lapack_team team)
{
    omp_set_num_threads(team.threads);
    omp_set_max_active_levels(team.levels);
}

/* ---- workspace ---- */

/* How much LAPACK asks for, as it answers: in the first element of the workspace. */
typedef union answer {
    float f32;
    double f64;
} answer;

#define ALIGN ((size_t)64)

/* An f32 may have been rounded down on the way. */
static rg__lapack_room room_of(size_t size, int info, answer work, int iwork)
{
    const double count = size == sizeof(float) ? (double)work.f32 * (1 + 0x1p-22) + 1 : work.f64;
    if (info != 0 || !(count >= 1 && count < INT_MAX))
        return (rg__lapack_room){0};
    const size_t own = ((size_t)iwork * sizeof(int) + ALIGN - 1) / ALIGN * ALIGN;
    return (rg__lapack_room){(int)count, iwork, own + (size_t)count * size};
}

static void *work_of(rg__lapack_room room, void *scratch)
{
    return (char *)scratch + ((size_t)room.iwork * sizeof(int) + ALIGN - 1) / ALIGN * ALIGN;
}

/* ---- linear systems ---- */

enum { SMALL = 16 }; /* up to here our own loops are faster */

#define size_f32 fabsf
#define root_f32 sqrtf
#define T        float
#define NAME(x)  x##_f32
#include "exec/kernels/lapack_small.h"
#define size_f64 fabs
#define root_f64 sqrt
#define T        double
#define NAME(x)  x##_f64
#include "exec/kernels/lapack_small.h"
#define SMALL_CALL(size, name, ...) ((size) == sizeof(float) ? name##_f32(__VA_ARGS__) : name##_f64(__VA_ARGS__))

int rg__lapack_lu(size_t size, int n, void *a, int *pivot)
{
    return n <= SMALL ? SMALL_CALL(size, lu, n, a, pivot) : CALL(size, getrf, n, n, a, n, pivot);
}

void rg__lapack_lu_solve(size_t size, bool transposed, int n, int k, const void *lu, const int *pivot, void *b)
{
    if (n <= SMALL)
        SMALL_CALL(size, lu_solve, transposed, n, k, lu, pivot, b);
    else
        CALL(size, getrs, transposed ? 'T' : 'N', n, k, lu, n, pivot, b, n);
}

int rg__lapack_triangular(size_t size, bool upper, bool unit, int n, int k, const void *a, void *b)
{
    return n <= SMALL ? SMALL_CALL(size, triangular, upper, unit, n, k, a, b)
                      : CALL(size, trtrs, upper ? 'U' : 'L', 'N', unit ? 'U' : 'N', n, k, a, n, b, n);
}

int rg__lapack_cholesky(size_t size, int n, void *a)
{
    return n <= SMALL ? SMALL_CALL(size, cholesky, n, a) : CALL(size, potrf, 'U', n, a, n);
}

/* ---- eigenvalues and singular values ---- */

/* Do the workspaces that LAPACK counts as integers fit? They grow with the square of k. */
static bool countable(int k, int longest)
{
    return 4 * (double)k * k + 100 * ((double)k + longest) + 1000 < INT_MAX;
}

rg__lapack_room rg__lapack_eigh_room(size_t size, bool vectors, bool upper, int n)
{
    answer work = {0}, none[2] = {{0}};
    int iwork = 0;
    if (!countable(n, n))
        return (rg__lapack_room){0};
    const int info = CALL(size, syevd, vectors ? 'V' : 'N', upper ? 'U' : 'L', n, (void *)&none[0], n, (void *)&none[1],
                          (void *)&work, -1, &iwork, -1);
    return room_of(size, info, work, iwork);
}

int rg__lapack_eigh(size_t size, bool vectors, bool upper, int n, void *a, void *w, rg__lapack_room room, void *scratch)
{
    return CALL(size, syevd, vectors ? 'V' : 'N', upper ? 'U' : 'L', n, a, n, w, work_of(room, scratch), room.work,
                scratch, room.iwork);
}

rg__lapack_room rg__lapack_svd_room(size_t size, char job, int m, int n)
{
    answer work = {0}, none = {0};
    const int k = m < n ? m : n, longest = m < n ? n : m;
    int iwork[1] = {0};
    if (!countable(k, longest))
        return (rg__lapack_room){0};
    void *const x = &none;
    const int info = CALL(size, gesdd, job, m, n, x, m, x, x, m, x, job == 'S' ? k : n, (void *)&work, -1, iwork);
    return room_of(size, info, work, 8 * k);
}

int rg__lapack_svd(size_t size, char job, int m, int n, void *a, void *s, void *u, void *vt, rg__lapack_room room,
                   void *scratch)
{
    const int k = m < n ? m : n;
    return CALL(size, gesdd, job, m, n, a, m, s, u, m, vt, job == 'S' ? k : n, work_of(room, scratch), room.work,
                scratch);
}

/* ---- QR ---- */

rg__lapack_room rg__lapack_qr_room(size_t size, int m, int n, int columns)
{
    answer factor = {0}, form = {0}, none = {0};
    void *const x = &none;
    const int k = m < n ? m : n;
    const int failed = CALL(size, geqrf, m, n, x, m, x, (void *)&factor, -1);
    const int info = CALL(size, orgqr, m, columns, k < columns ? k : columns, x, m, x, (void *)&form, -1);
    const rg__lapack_room one = room_of(size, failed, factor, 0), two = room_of(size, info, form, 0);
    return one.bytes == 0 || two.bytes == 0 ? (rg__lapack_room){0} : one.bytes > two.bytes ? one : two;
}

void rg__lapack_qr(size_t size, int m, int n, void *a, void *tau, rg__lapack_room room, void *scratch)
{
    CALL(size, geqrf, m, n, a, m, tau, scratch, room.work);
}

void rg__lapack_qr_columns(size_t size, int m, int columns, int k, void *q, const void *tau, rg__lapack_room room,
                           void *scratch)
{
    CALL(size, orgqr, m, columns, k, q, m, tau, scratch, room.work);
}
