/* Eigenvalues of symmetric matrices, singular values, and what is made of them in one go: the pseudoinverse. */
#include "ops/call.h"
#include "ops/factor.h"
#include "ops/family.h"

#include "exec/kernels/gemm.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROWS(ROW)                                                                                                     \
    ROW(eigh_factor, 1, RG__DIFF, RG__KERNEL, "eigenvalues and eigenvectors of a symmetric matrix", .fallible = true, \
        RG__ATTR(eigh))                                                                                               \
    ROW(eigvalsh, -1, RG__DIFF, RG__KERNEL, "eigenvalues of a symmetric matrix", .fallible = true, RG__ATTR(eigh),    \
        RG__CALLED(eigvalsh, "a: float, upper: flag = false"))                                                        \
    ROW(eigh, 1, RG__THROUGH, RG__COMPOSITE, "w and orthonormal v of v diag(w) v^T = a",                              \
        RG__CALLED(eigh, "a: float, upper: flag = false -> w, v"))                                                    \
    ROW(svd_factor, 1, RG__DIFF, RG__KERNEL, "singular values and vectors", .fallible = true, RG__ATTR(svd))          \
    ROW(svdvals, -1, RG__DIFF, RG__KERNEL, "singular values", .fallible = true, RG__CALLED(svdvals, "a: float"))      \
    ROW(svd, 1, RG__THROUGH, RG__COMPOSITE, "orthonormal u, vh and s >= 0 of u diag(s) vh = a",                       \
        RG__CALLED(svd, "a: float, full_matrices: flag = true -> u, s, vh"))                                          \
    ROW(pinv, 1, RG__DIFF, RG__KERNEL, "pseudoinverse of Moore and Penrose", .fallible = true, RG__ATTR(pinv),        \
        RG__CALLED(pinv, "a: float, atol: real = none, rtol: real = none"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_spectral[OP_##name])

static const char *does_not_converge(int info, char text[80])
{
    (void)info;
    snprintf(text, 80, "%s", "is one for which the iteration does not converge");
    return text;
}

/* Packed results begin with the values, which are copied from there where they are known. */
static int copy_values(const rg__batch *b, const rg__place *p)
{
    const rg__array_view *out = &b->run->out;
    memcpy(p->out, p->in[1], (size_t)out->dims[out->rank - 1] * rg_dtype_size(out->dtype));
    return 0;
}

static bool too_large(rg_tape *t, const rg__op *op, const rg__node *n)
{
    rg__fail(t, op, RG_ERROR_SHAPE, "%s is too large: the workspace cannot be counted", RG__NODE_TEXT(n));
    return true;
}

/* ---- eigenvalues: [..., n, n] -> w [n], then v [n, n] ---- */

struct eigh {
    uint32_t upper;
};
static const rg__field fields_eigh[] = {RG__FIELD(struct eigh, upper, RG__FLAG), {0}};

static int eigh_one(const rg__batch *b, const rg__place *p)
{
    const rg__array_view *v = &b->run->in[0];
    const int64_t n = v->dims[v->rank - 1];
    const size_t size = rg_dtype_size(v->dtype);
    const bool vectors = b->run->node->op == OP(eigh_factor);
    char *a = vectors ? p->out + (size_t)n * size : p->scratch,
         *work = p->scratch + (vectors ? 0 : rg__room(n * n, size));
    if (n == 0)
        return 0;
    rg__to_columns(v, p->in[0], a);
    if (!rg__is_finite(size, n * n, a))
        return RG__NOT_FINITE;
    return rg__lapack_eigh(size, vectors, ((const struct eigh *)b->run->node->attr)->upper, (int)n, a, p->out, b->room,
                           work);
}

static bool run_eigh(const rg__run *run, bool vectors)
{
    const int64_t n = run->in[0].dims[run->in[0].rank - 1];
    const size_t size = rg_dtype_size(run->out.dtype);
    rg__batch b = {.run = run, .core = {2, 1}, .out_core = 1, .one = copy_values, .trouble = does_not_converge};
    if (run->node->n_in == 1) {
        b.one = eigh_one;
        b.room = n ? rg__lapack_eigh_room(size, vectors, ((const struct eigh *)run->node->attr)->upper, (int)n) : b.room;
        b.scratch = (vectors ? 0 : rg__room(n * n, size)) + b.room.bytes;
        b.work = 4 * (double)n * (double)n * (double)n;
    }
    return rg__each_matrix(&b);
}

static bool kernel_eigh_factor(const rg__run *run)
{
    return run_eigh(run, true);
}

static bool kernel_eigvalsh(const rg__run *run)
{
    return run_eigh(run, false);
}

/* The argument, if there is room to work on it. */
static const rg__node *symmetric_arg(rg_tape *t, const rg__op *op, rg_tensor a)
{
    const rg__node *n = rg__square_arg(t, op, a);
    const int64_t most = n ? rg__rows(n) : 0;
    return n && most && rg__lapack_eigh_room(sizeof(double), true, false, (int)most).bytes == 0 && too_large(t, op, n)
               ? NULL
               : n;
}

static rg_tensor eigh_factor(rg_tape *t, rg_tensor a, bool upper)
{
    const rg__node *n = rg__arg(t, OP(eigh_factor), a);
    if (!n)
        return RG_NIL;
    int64_t dims[RG_MAX_RANK];
    memcpy(dims, n->dims, n->rank * sizeof *dims);
    dims[n->rank - 2] = rg__rows(n) + rg__rows(n) * rg__rows(n);
    return rg__record(t, OP(eigh_factor), &a, 1, (rg_dtype)n->dtype, n->rank - 1, dims, &(struct eigh){upper});
}

/* With what they are part of, where that is there: they have a rule of their own, since equal ones have a gradient, but
 * their vectors have not. */
static rg_tensor eigenvalues(rg_tape *t, rg_tensor a, rg_tensor packed, bool upper)
{
    const rg__node *n = rg__arg(t, OP(eigvalsh), a);
    return n ? rg__record(t, OP(eigvalsh), (rg_tensor[]){a, packed}, rg_is_nil(packed) ? 1 : 2, (rg_dtype)n->dtype,
                          n->rank - 1, n->dims, &(struct eigh){upper})
             : RG_NIL;
}

rg_tensor rg_eigvalsh(rg_tape *t, rg_tensor a, bool upper)
{
    return symmetric_arg(t, OP(eigvalsh), a) ? eigenvalues(t, a, RG_NIL, upper) : RG_NIL;
}

void rg_eigh(rg_tape *t, rg_tensor a, bool upper, rg_tensor *w, rg_tensor *v)
{
    const rg__node *n = symmetric_arg(t, OP(eigh), a);
    rg_tensor packed = n ? eigh_factor(t, a, upper) : RG_NIL;
    const bool there = !rg_is_nil(packed);
    if (w)
        *w = there ? eigenvalues(t, a, packed, upper) : RG_NIL;
    if (v)
        *v = there ? rg__part(t, packed, rg__rows(n), rg__rows(n), rg__rows(n)) : RG_NIL;
}

/* v diag(w') v^T */
static void vjp_eigvalsh(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const int64_t n = rg_dim(t, v->in[0], -1);
    rg_tensor packed = v->node->n_in == 2 ? v->in[1] : eigh_factor(t, v->in[0], ((const struct eigh *)v->attr)->upper);
    rg_tensor vectors = rg__part(t, packed, n, n, n);
    RG__GRAD(v, 0, rg_matmul(t, rg_mul(t, vectors, rg_unsqueeze(t, v->g, -2)), rg__transposed(t, vectors)));
}

static rg_tensor skew(rg_tape *t, rg_tensor x)
{
    return rg_sub(t, x, rg__transposed(t, x));
}

/* x[j] - x[i] at [i, j], but `diagonal` where i = j. */
static rg_tensor differences(rg_tape *t, rg_tensor x, double diagonal)
{
    const int64_t n = rg_dim(t, x, -1);
    return rg_where(t, rg_eye(t, RG_BOOL, n, n), rg__like(t, x, diagonal),
                    rg_sub(t, rg_unsqueeze(t, x, -2), rg_unsqueeze(t, x, -1)));
}

/* v (diag(w') + skew(v^T v') / 2 (w[j] - w[i])) v^T (Giles 2008, 3.1), kept to rotations of the vectors. */
static void vjp_eigh_factor(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const int64_t n = rg_dim(t, v->in[0], -1);
    rg_tensor w = rg__part_vector(t, v->out, 0, n), vectors = rg__part(t, v->out, n, n, n);
    rg_tensor gw = rg__part_vector(t, v->g, 0, n), gv = rg__part(t, v->g, n, n, n);
    rg_tensor turn = skew(t, rg_mul_scalar(t, rg_matmul(t, rg__transposed(t, vectors), gv), .5));
    rg_tensor x = rg_add(t, rg_div(t, turn, differences(t, w, INFINITY)),
                         rg_mul(t, rg__identity(t, w, n), rg_unsqueeze(t, gw, -2)));
    v->grad[0] = rg_matmul(t, rg_matmul(t, vectors, x), rg__transposed(t, vectors));
}

/* ---- singular values: [..., m, n] -> s [k], then u [m, ku] and vh [kv, n] ---- */

struct svd {
    uint32_t full;
};
static const rg__field fields_svd[] = {RG__FIELD(struct svd, full, RG__FLAG), {0}};

typedef struct svd_extents {
    int64_t m, n, k, ku, kv;
} svd_extents;

static svd_extents svd_of(int64_t m, int64_t n, bool full)
{
    const int64_t k = m < n ? m : n;
    return (svd_extents){m, n, k, full ? m : k, full ? n : k};
}

static char job_of(const rg__run *run)
{
    return run->node->op != OP(svd_factor) ? 'N' : ((const struct svd *)run->node->attr)->full ? 'A' : 'S';
}

/* As of a matrix of zeros without elements: the vectors are those of the identity. */
static int svd_of_nothing(const svd_extents *e, size_t size, char *u, char *vh)
{
    memset(u, 0, (size_t)(e->m * e->ku) * size);
    memset(vh, 0, (size_t)(e->kv * e->n) * size);
    for (int64_t i = 0; i < e->m && i < e->ku; i++)
        rg__put(size, u, i * e->m + i, 1);
    for (int64_t i = 0; i < e->n && i < e->kv; i++)
        rg__put(size, vh, i * e->kv + i, 1);
    return 0;
}

static int svd_one(const rg__batch *b, const rg__place *p)
{
    const rg__array_view *v = &b->run->in[0];
    const char job = job_of(b->run);
    const svd_extents e = svd_of(v->dims[v->rank - 2], v->dims[v->rank - 1], job == 'A');
    const size_t size = rg_dtype_size(v->dtype);
    char *u = p->out + (size_t)e.k * size, *vh = u + (size_t)(e.m * e.ku) * size;
    if (e.k == 0)
        return job == 'N' ? 0 : svd_of_nothing(&e, size, u, vh);
    rg__to_columns(v, p->in[0], p->scratch);
    if (!rg__is_finite(size, e.m * e.n, p->scratch))
        return RG__NOT_FINITE;
    if (job == 'N')
        u = vh = NULL;
    return rg__lapack_svd(size, job, (int)e.m, (int)e.n, p->scratch, p->out, u, vh, b->room,
                          p->scratch + rg__room(e.m * e.n, size));
}

static bool run_svd(const rg__run *run)
{
    const rg__array_view *v = &run->in[0];
    const int64_t m = v->dims[v->rank - 2], n = v->dims[v->rank - 1], k = m < n ? m : n;
    const size_t size = rg_dtype_size(v->dtype);
    rg__batch b = {.run = run, .core = {2, 1}, .out_core = 1, .one = copy_values, .trouble = does_not_converge};
    if (run->node->n_in == 1) {
        b.one = svd_one;
        b.room = k ? rg__lapack_svd_room(size, job_of(run), (int)m, (int)n) : b.room;
        b.scratch = rg__room(m * n, size) + b.room.bytes;
        b.work = 8 * (double)m * (double)n * (double)k;
    }
    return rg__each_matrix(&b);
}

static bool kernel_svd_factor(const rg__run *run)
{
    return run_svd(run);
}

static bool kernel_svdvals(const rg__run *run)
{
    return run_svd(run);
}

static const rg__node *svd_arg(rg_tape *t, const rg__op *op, rg_tensor a)
{
    const rg__node *n = rg__matrix_arg(t, op, a);
    if (n && rg__rows(n) && rg__columns(n) &&
        rg__lapack_svd_room(sizeof(double), 'A', (int)rg__rows(n), (int)rg__columns(n)).bytes == 0 && too_large(t, op, n))
        return NULL;
    return n;
}

static rg_tensor svd_factor(rg_tape *t, rg_tensor a, bool full)
{
    const rg__node *n = rg__arg(t, OP(svd_factor), a);
    if (!n)
        return RG_NIL;
    const svd_extents e = svd_of(rg__rows(n), rg__columns(n), full);
    int64_t dims[RG_MAX_RANK];
    memcpy(dims, n->dims, n->rank * sizeof *dims);
    dims[n->rank - 2] = e.k + e.m * e.ku + e.kv * e.n;
    return rg__record(t, OP(svd_factor), &a, 1, (rg_dtype)n->dtype, n->rank - 1, dims, &(struct svd){full});
}

static rg_tensor singular_values(rg_tape *t, rg_tensor a, rg_tensor packed)
{
    const rg__node *n = rg__arg(t, OP(svdvals), a);
    if (!n)
        return RG_NIL;
    int64_t dims[RG_MAX_RANK];
    memcpy(dims, n->dims, n->rank * sizeof *dims);
    if (rg__columns(n) < rg__rows(n))
        dims[n->rank - 2] = rg__columns(n);
    return rg__record(t, OP(svdvals), (rg_tensor[]){a, packed}, rg_is_nil(packed) ? 1 : 2, (rg_dtype)n->dtype,
                      n->rank - 1, dims, NULL);
}

rg_tensor rg_svdvals(rg_tape *t, rg_tensor a)
{
    return svd_arg(t, OP(svdvals), a) ? singular_values(t, a, RG_NIL) : RG_NIL;
}

/* u and vh, cut from a packed result or from its cotangent. */
static void svd_parts(rg_tape *t, rg_tensor packed, const svd_extents *e, rg_tensor *u, rg_tensor *vh)
{
    *u = rg__part(t, packed, e->k, e->m, e->ku);
    *vh = rg__part(t, packed, e->k + e->m * e->ku, e->kv, e->n);
}

void rg_svd(rg_tape *t, rg_tensor a, bool full_matrices, rg_tensor *u, rg_tensor *s, rg_tensor *vh)
{
    const rg__node *n = svd_arg(t, OP(svd), a);
    const svd_extents e = n ? svd_of(rg__rows(n), rg__columns(n), full_matrices) : (svd_extents){0};
    rg_tensor packed = n ? svd_factor(t, a, full_matrices) : RG_NIL, left = RG_NIL, right = RG_NIL;
    if (!rg_is_nil(packed))
        svd_parts(t, packed, &e, &left, &right);
    if (u)
        *u = left;
    if (s)
        *s = rg_is_nil(packed) ? RG_NIL : singular_values(t, a, packed);
    if (vh)
        *vh = right;
}

/* u and vh without the vectors that belong to no singular value. */
static void svd_reduced(rg_tape *t, rg_tensor packed, const svd_extents *e, rg_tensor *u, rg_tensor *vh)
{
    svd_parts(t, packed, e, u, vh);
    *u = rg_slice(t, *u, -1, 0, e->k, 1);
    *vh = rg_slice(t, *vh, -2, 0, e->k, 1);
}

/* u diag(s') vh; the packed result may be that of a full or of a reduced one. */
static void vjp_svdvals(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const int64_t m = rg_dim(t, v->in[0], -2), n = rg_dim(t, v->in[0], -1);
    rg_tensor packed = v->node->n_in == 2 ? v->in[1] : svd_factor(t, v->in[0], false), u, vh;
    const svd_extents reduced = svd_of(m, n, false);
    const bool full = rg_dim(t, packed, -1) != reduced.k + reduced.m * reduced.ku + reduced.kv * reduced.n;
    const svd_extents e = svd_of(m, n, full);
    svd_reduced(t, packed, &e, &u, &vh);
    RG__GRAD(v, 0, rg_matmul(t, rg_mul(t, u, rg_unsqueeze(t, v->g, -2)), vh));
}

/* Townsend 2016, "Differentiating the singular value decomposition":
 * u ((skew(u^T u') / e) s + s (skew(vh vh'^T) / e) + diag(s')) vh with e = s[j]^2 - s[i]^2, and what lies outside of the
 * spaces of u and v. Vectors that belong to no singular value are any, and have no part in it. */
static void vjp_svd_factor(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const svd_extents e = svd_of(rg_dim(t, v->in[0], -2), rg_dim(t, v->in[0], -1), ((const struct svd *)v->attr)->full);
    rg_tensor u, vh, gu, gvh, s = rg__part_vector(t, v->out, 0, e.k), gs = rg__part_vector(t, v->g, 0, e.k);
    svd_reduced(t, v->out, &e, &u, &vh);
    svd_reduced(t, v->g, &e, &gu, &gvh);
    rg_tensor row = rg_unsqueeze(t, s, -2), column = rg_unsqueeze(t, s, -1),
              squares = differences(t, rg_square(t, s), INFINITY);
    rg_tensor utgu = rg_matmul(t, rg__transposed(t, u), gu), gvhv = rg_matmul(t, gvh, rg__transposed(t, vh));
    rg_tensor x = rg_mul(t, rg_div(t, skew(t, utgu), squares), row);
    x = rg_add(t, x, rg_mul(t, rg_div(t, skew(t, rg__transposed(t, gvhv)), squares), column));
    x = rg_add(t, x, rg_mul(t, rg__identity(t, s, e.k), rg_unsqueeze(t, gs, -2)));
    rg_tensor left = rg_matmul(t, u, x);
    if (e.m > e.k)
        left = rg_add(t, left, rg_div(t, rg_sub(t, gu, rg_matmul(t, u, utgu)), row));
    rg_tensor grad = rg_matmul(t, left, vh);
    if (e.n > e.k)
        grad = rg_add(t, grad, rg_matmul(t, u, rg_div(t, rg_sub(t, gvh, rg_matmul(t, gvhv, vh)), column)));
    v->grad[0] = grad;
}

/* ---- pseudoinverse ---- */

struct pinv {
    double atol, rtol;
};
static const rg__field fields_pinv[] = {
    RG__FIELD(struct pinv, atol, RG__FLOAT), RG__FIELD(struct pinv, rtol, RG__FLOAT), {0}};

/* v diag(1 / s) u^T over the singular values that count. */
static int pinv_one(const rg__batch *b, const rg__place *p)
{
    const rg__array_view *v = &b->run->in[0];
    const svd_extents e = svd_of(v->dims[v->rank - 2], v->dims[v->rank - 1], false);
    const struct pinv *attr = b->run->node->attr;
    const size_t size = rg_dtype_size(v->dtype);
    char *a = p->scratch, *s = a + rg__room(e.m * e.n, size), *u = s + rg__room(e.k, size);
    char *vh = u + rg__room(e.m * e.k, size), *work = vh + rg__room(e.k * e.n, size);
    if (e.k == 0)
        return 0;
    rg__to_columns(v, p->in[0], a);
    if (!rg__is_finite(size, e.m * e.n, a))
        return RG__NOT_FINITE;
    const int info = rg__lapack_svd(size, 'S', (int)e.m, (int)e.n, a, s, u, vh, b->room, work);
    if (info != 0)
        return info;
    const double least = fmax(attr->atol, attr->rtol * rg__get(size, s, 0));
    for (int64_t j = 0; j < e.n; j++)
        for (int64_t i = 0; i < e.k; i++) {
            const double value = rg__get(size, s, i), x = rg__get(size, vh, j * e.k + i);
            rg__put(size, vh, j * e.k + i, value > least ? x / value : 0);
        }
    const bool ok = rg__gemm(size, e.n, e.m, e.k, (rg__gemm_matrix){vh, e.k, 1}, (rg__gemm_matrix){u, e.m, 1},
                             (rg__gemm_matrix){p->out, e.m, 1}, 1, NULL, NULL, NULL);
    return ok ? 0 : RG__NO_MEMORY;
}

static bool kernel_pinv(const rg__run *run)
{
    const rg__array_view *v = &run->in[0];
    const svd_extents e = svd_of(v->dims[v->rank - 2], v->dims[v->rank - 1], false);
    const size_t size = rg_dtype_size(v->dtype);
    rg__batch b = {.run = run, .core = {2}, .out_core = 2, .one = pinv_one, .trouble = does_not_converge};
    b.room = e.k ? rg__lapack_svd_room(size, 'S', (int)e.m, (int)e.n) : b.room;
    b.scratch = rg__room(e.m * e.n, size) + rg__room(e.k, size) + rg__room(e.m * e.k, size) +
                rg__room(e.k * e.n, size) + b.room.bytes;
    b.work = 8 * (double)e.m * (double)e.n * (double)e.k;
    return rg__each_matrix(&b);
}

bool rg__tolerances(rg_tape *t, const rg__op *op, const rg__node *n, double *atol, double *rtol)
{
    const int64_t longest = rg__rows(n) > rg__columns(n) ? rg__rows(n) : rg__columns(n);
    if (isnan(*atol) || isnan(*rtol)) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "atol is %g and rtol is %g: numbers are needed", *atol, *rtol);
        return false;
    }
    if (*rtol < 0)
        *rtol = *atol > 0 ? 0 : (double)longest * (n->dtype == RG_F32 ? (double)FLT_EPSILON : DBL_EPSILON);
    *atol = fmax(*atol, 0);
    return true;
}

rg_tensor rg_pinv(rg_tape *t, rg_tensor a, double atol, double rtol)
{
    const rg__node *n = svd_arg(t, OP(pinv), a);
    if (!n || !rg__tolerances(t, OP(pinv), n, &atol, &rtol))
        return RG_NIL;
    int64_t dims[RG_MAX_RANK];
    memcpy(dims, n->dims, n->rank * sizeof *dims);
    dims[n->rank - 2] = rg__columns(n);
    dims[n->rank - 1] = rg__rows(n);
    return rg__record(t, OP(pinv), &a, 1, (rg_dtype)n->dtype, n->rank, dims, &(struct pinv){atol, rtol});
}

/* Golub and Pereyra 1973, "The differentiation of pseudo-inverses", eq. 4.12: with p the result and k = p'^T,
 * -p^T p' p^T + (1 - a p) k p p^T + p^T p k (1 - p a). */
static void vjp_pinv(const rg__vjp *v)
{
    rg_tape *t = v->t;
    rg_tensor a = v->in[0], p = v->out, pt = rg__transposed(t, p), k = rg__transposed(t, v->g);
    rg_tensor ptg = rg_matmul(t, pt, v->g);
    rg_tensor kppt = rg_matmul(t, rg_matmul(t, k, p), pt), ptpk = rg_matmul(t, pt, rg_matmul(t, p, k));
    rg_tensor x = rg_sub(t, kppt, rg_matmul(t, ptg, pt));
    x = rg_sub(t, x, rg_matmul(t, a, rg_matmul(t, p, kppt)));
    v->grad[0] = rg_add(t, x, rg_sub(t, ptpk, rg_matmul(t, rg_matmul(t, ptpk, p), a)));
}

/* ---- by name ---- */

RG__CALL(eigvalsh, rg_eigvalsh(t, in[0], RG__FLAG_OF(upper)))
RG__CALL(svdvals, rg_svdvals(t, in[0]))
RG__CALL(pinv, rg_pinv(t, in[0], rg__call_given(c, "atol") ? RG__REAL_OF(atol) : -1,
                       rg__call_given(c, "rtol") ? RG__REAL_OF(rtol) : -1))
static int call_eigh(const rg__call *c, rg_tensor *out)
{
    rg_eigh(c->t, c->in[0], rg__call_flag(c, "upper"), &out[0], &out[1]);
    return 2;
}
static int call_svd(const rg__call *c, rg_tensor *out)
{
    rg_svd(c->t, c->in[0], rg__call_flag(c, "full_matrices"), &out[0], &out[1], &out[2]);
    return 3;
}

/* ---- samples: values lie apart, whatever is drawn ---- */

static const rg_shape squares[] = {{2, {3, 3}}, {3, {2, 3, 3}}, {2, {1, 1}}, {2, {0, 0}}, {2, {3, 3}}};
enum { SQUARES = sizeof squares / sizeof *squares };

static rg_tensor symmetric(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    rg_tensor a = RG__DRAW(draw, squares[index], RG__SMALL);
    return rg__spread(t, rg_mul_scalar(t, rg_add(t, a, rg__transposed(t, a)), .5), -2, 4);
}

static rg_tensor sample_eigh_factor(rg__draw *draw, int index)
{
    return index < SQUARES ? eigh_factor(draw->t, symmetric(draw, index), index % 2) : RG_NIL;
}

static rg_tensor sample_eigvalsh(rg__draw *draw, int index)
{
    return index < SQUARES ? rg_eigvalsh(draw->t, symmetric(draw, index), index % 2) : RG_NIL;
}

static rg_tensor sample_eigh(rg__draw *draw, int index)
{
    rg_tensor w, v;
    if (index >= 2 * SQUARES)
        return RG_NIL;
    rg_eigh(draw->t, symmetric(draw, index / 2), false, &w, &v);
    return index % 2 ? v : w;
}

static const rg_shape shapes[] = {{2, {3, 3}}, {3, {2, 3, 2}}, {2, {2, 4}}, {2, {1, 1}},
                                  {2, {0, 3}}, {3, {0, 2, 2}}, {2, {3, 2}}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* The last one is transposed. */
static rg_tensor any_matrix(rg__draw *draw, int index)
{
    rg_tensor a = rg__spread(draw->t, RG__DRAW(draw, shapes[index], RG__SMALL), 3, 4);
    return index == SHAPES - 1 ? rg__transposed(draw->t, a) : a;
}

static rg_tensor sample_svd_factor(rg__draw *draw, int index)
{
    return index < SHAPES ? svd_factor(draw->t, any_matrix(draw, index), false) : RG_NIL;
}

static rg_tensor sample_svdvals(rg__draw *draw, int index)
{
    return index < SHAPES ? rg_svdvals(draw->t, any_matrix(draw, index)) : RG_NIL;
}

static rg_tensor sample_svd(rg__draw *draw, int index)
{
    rg_tensor part[3];
    if (index >= 3 * SHAPES)
        return RG_NIL;
    rg_svd(draw->t, any_matrix(draw, index / 3), false, &part[0], &part[1], &part[2]);
    return part[index % 3];
}

static rg_tensor sample_pinv(rg__draw *draw, int index)
{
    return index < SHAPES ? rg_pinv(draw->t, any_matrix(draw, index), -1, -1) : RG_NIL;
}

RG__FAMILY(spectral, ROWS(RG__ROW))
