/* What the families of linear algebra share: their arguments, batches of matrices for kernels, packed results.
 *
 * A factorisation with several results is one primitive, whose result has them one after the other along its last axis;
 * matrices lie there column by column, as LAPACK leaves them. Public ops cut views from it. */
#ifndef RG__OPS_FACTOR_H
#define RG__OPS_FACTOR_H

#include "ops/op.h"

#include "exec/kernels/lapack.h"

/* ---- arguments ---- */

/* The node of a float [..., m, n], or [..., n, n], whose extents LAPACK can count; else NULL and an error. */
const rg__node *rg__matrix_arg(rg_tape *t, const rg__op *op, rg_tensor x);
const rg__node *rg__square_arg(rg_tape *t, const rg__op *op, rg_tensor x);

/* Both of one dtype, the leading axes joined in dims; the number of those, or -1 and an error. */
int rg__lead_of(rg_tape *t, const rg__op *op, const rg__node *a, const rg__node *b, int64_t *dims);

static inline int64_t rg__rows(const rg__node *n)
{
    return n->dims[n->rank - 2];
}
static inline int64_t rg__columns(const rg__node *n)
{
    return n->dims[n->rank - 1];
}

/* ---- kernels: for each matrix of a batch ---- */

typedef struct rg__batch rg__batch;

/* One of them: where its parts of the inputs and of the result begin, and memory for its thread. */
typedef struct rg__place {
    const char *in[3];
    char *out, *scratch;
} rg__place;

struct rg__batch {
    const rg__run *run;
    int core[3], out_core; /* how many trailing axes of each input, and of the result, belong to one matrix */
    size_t scratch;        /* bytes                                                                         */
    double work;           /* multiplications of one                                                        */
    rg__lapack_room room;
    int (*one)(const rg__batch *b, const rg__place *p); /* 0, or what `trouble` puts into words */
    const char *(*trouble)(int info, char text[80]);    /* NULL: nothing goes wrong             */
};

/* Shares the matrices out to threads. False and an error for the first that has trouble. */
bool rg__each_matrix(const rg__batch *b);
/* What `one` returns for NaN or infinity where they are not allowed, and without memory. */
#define RG__NOT_FINITE (-1)
#define RG__NO_MEMORY  (-2)

/* The matrix at `at`, in the last two axes of v, to `out` column by column; and back from there to row-major. */
void rg__to_columns(const rg__array_view *v, const char *at, void *out);
void rg__from_columns(size_t size, int64_t rows, int64_t columns, const void *in, void *out);
bool rg__is_finite(size_t size, int64_t n, const void *x);

static inline size_t rg__room(int64_t n, size_t size)
{
    return ((size_t)n * size + RG__ALIGN - 1) / RG__ALIGN * RG__ALIGN;
}
static inline double rg__get(size_t size, const void *x, int64_t i)
{
    return size == sizeof(float) ? (double)((const float *)x)[i] : ((const double *)x)[i];
}
static inline void rg__put(size_t size, void *x, int64_t i, double value)
{
    if (size == sizeof(float))
        ((float *)x)[i] = (float)value;
    else
        ((double *)x)[i] = value;
}

/* ---- recording ---- */

/* From the packed result: a matrix [..., rows, columns], or a vector [..., n], that begins at `from`. */
rg_tensor rg__part(rg_tape *t, rg_tensor packed, int64_t from, int64_t rows, int64_t columns);
rg_tensor rg__part_vector(rg_tape *t, rg_tensor packed, int64_t from, int64_t n);

rg_tensor rg__transposed(rg_tape *t, rg_tensor x);                        /* of the last two axes */
rg_tensor rg__triangle(rg_tape *t, rg_tensor x, bool upper, bool strict); /* zeros elsewhere      */
rg_tensor rg__diagonal(rg_tape *t, rg_tensor x);                          /* [..., m, n] -> [..., min(m, n)]; a view */
rg_tensor rg__identity(rg_tape *t, rg_tensor like, int64_t n);            /* [n, n] in the dtype of `like` */

/* Of arguments that were checked. */
rg_tensor rg__lu(rg_tape *t, rg_tensor a);
rg_tensor rg__lu_solve(rg_tape *t, rg_tensor a, rg_tensor lu, rg_tensor b, bool transposed);
rg_tensor rg__triangular(rg_tape *t, rg_tensor a, rg_tensor b, bool upper, bool unit);

/* Singular values up to max(atol, rtol times the largest) are 0: what the negative ones stand for. False and an error for
 * NaN. */
bool rg__tolerances(rg_tape *t, const rg__op *op, const rg__node *n, double *atol, double *rtol);

/* ---- samples ---- */

/* x with first, first + step, ... added along its diagonal: well-conditioned, its spectrum apart, whatever x in [-.5, .5] holds. */
rg_tensor rg__spread(rg_tape *t, rg_tensor x, double first, double step);
#define RG__SMALL ((rg__domain){RG__INTERVAL, -.5, .5})

#endif
