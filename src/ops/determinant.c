/* Functions of square matrices through their LU factors: determinants, and the exponential. */
#include "ops/call.h"
#include "ops/factor.h"
#include "ops/family.h"

#include "exec/kernels/gemm.h"

#include <math.h>
#include <string.h>

#define ROWS(ROW)                                                                                              \
    ROW(det, 1, RG__DIFF, RG__KERNEL, "determinant", .fallible = true, RG__CALLED(det, "a: float"))            \
    ROW(cofactor, 1, RG__DIFF, RG__KERNEL, "det(a) a^-T, also where a has no inverse", .fallible = true)       \
    ROW(slogdet_factor, 1, RG__DIFF, RG__KERNEL, "sign of the determinant, and ln |det(a)|", .fallible = true) \
    ROW(slogdet, 1, RG__THROUGH, RG__COMPOSITE, "sign of the determinant, and ln |det(a)|",                    \
        RG__CALLED(slogdet, "a: float -> sign, logabsdet"))                                                    \
    ROW(matrix_exp, 1, RG__DIFF, RG__KERNEL, "1 + a + a a / 2! + ...", .fallible = true,                       \
        RG__CALLED(matrix_exp, "a: float"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_determinant[OP_##name])

static int64_t order_of(const rg__run *run)
{
    return run->in[0].dims[run->in[0].rank - 1];
}

/* ---- determinants ---- */

/* Product and signs of the factors; with `logs` the sum of the logarithms instead. */
typedef struct determinant {
    double sign, size;
} determinant;

static determinant determinant_of(size_t size, int64_t n, const void *lu, const int *pivot, bool logs)
{
    determinant d = {1, logs ? 0 : 1};
    for (int64_t i = 0; i < n; i++) {
        const double u = rg__get(size, lu, i * n + i);
        d.sign *= (pivot[i] == i + 1 ? 1 : -1) * (u > 0 ? 1 : u < 0 ? -1 : u);
        d.size = logs ? d.size + log(fabs(u)) : d.size * fabs(u);
    }
    return d;
}

static int det_one(const rg__batch *b, const rg__place *p)
{
    const int64_t n = order_of(b->run);
    const size_t size = rg_dtype_size(b->run->out.dtype);
    int *pivot = (int *)(void *)(p->scratch + rg__room(n * n, size));
    const bool logs = b->out_core == 1;
    if (n > 0) {
        rg__to_columns(&b->run->in[0], p->in[0], p->scratch);
        rg__lapack_lu(size, (int)n, p->scratch, pivot);
    }
    const determinant d = determinant_of(size, n, p->scratch, pivot, logs);
    rg__put(size, p->out, 0, logs ? d.sign : d.sign == 0 ? 0 : d.sign * d.size);
    if (logs)
        rg__put(size, p->out, 1, d.size);
    return 0;
}

static bool run_determinant(const rg__run *run, int out_core)
{
    const int64_t n = order_of(run);
    return rg__each_matrix(
        &(rg__batch){.run = run,
                     .core = {2},
                     .out_core = out_core,
                     .scratch = rg__room(n * n, rg_dtype_size(run->out.dtype)) + rg__room(n, sizeof(int)),
                     .work = (double)n * (double)n * (double)n / 3,
                     .one = det_one});
}

static bool kernel_det(const rg__run *run)
{
    return run_determinant(run, 0);
}

static bool kernel_slogdet_factor(const rg__run *run)
{
    return run_determinant(run, 1);
}

/* ---- cofactors: the gradient of the determinant, which exists for every matrix ---- */

/* Of a singular matrix, from its singular values: det(u) det(v) u diag(products of all others) v^T. */
static int cofactor_of_singular(const rg__batch *b, const rg__place *p, char *room)
{
    const int64_t n = order_of(b->run);
    const size_t size = rg_dtype_size(b->run->out.dtype), matrix = rg__room(n * n, size);
    char *a = p->scratch, *u = room, *vh = u + matrix, *s = vh + matrix, *work = s + rg__room(n, size);
    int *pivot = (int *)(void *)(a + matrix);
    rg__to_columns(&b->run->in[0], p->in[0], a);
    const int info = rg__is_finite(size, n * n, a)
                         ? rg__lapack_svd(size, 'S', (int)n, (int)n, a, s, u, vh, b->room, work)
                         : RG__NOT_FINITE;
    if (info != 0)
        return info;
    memcpy(a, u, (size_t)(n * n) * size);
    rg__lapack_lu(size, (int)n, a, pivot);
    double sign = determinant_of(size, n, a, pivot, false).sign;
    memcpy(a, vh, (size_t)(n * n) * size);
    rg__lapack_lu(size, (int)n, a, pivot);
    sign *= determinant_of(size, n, a, pivot, false).sign;
    for (int64_t k = 0; k < n; k++) {
        double others = sign;
        for (int64_t i = 0; i < n; i++)
            others *= i == k ? 1 : rg__get(size, s, i);
        for (int64_t i = 0; i < n; i++)
            rg__put(size, u, k * n + i, rg__get(size, u, k * n + i) * others);
    }
    return rg__gemm(size, n, n, n, (rg__gemm_matrix){u, 1, n}, (rg__gemm_matrix){vh, 1, n},
                    (rg__gemm_matrix){p->out, n, 1}, 1, NULL, NULL, NULL)
               ? 0
               : RG__NO_MEMORY;
}

/* An inverse column by column is its transpose row by row. */
static int cofactor_one(const rg__batch *b, const rg__place *p)
{
    const int64_t n = order_of(b->run);
    const size_t size = rg_dtype_size(b->run->out.dtype), matrix = rg__room(n * n, size);
    int *pivot = (int *)(void *)(p->scratch + matrix);
    if (n == 0)
        return 0;
    rg__to_columns(&b->run->in[0], p->in[0], p->scratch);
    if (rg__lapack_lu(size, (int)n, p->scratch, pivot) > 0)
        return cofactor_of_singular(b, p, p->scratch + matrix + rg__room(n, sizeof *pivot));
    const determinant d = determinant_of(size, n, p->scratch, pivot, false);
    memset(p->out, 0, (size_t)(n * n) * size);
    for (int64_t i = 0; i < n; i++)
        rg__put(size, p->out, i * n + i, d.sign * d.size);
    rg__lapack_lu_solve(size, false, (int)n, (int)n, p->scratch, pivot, p->out);
    return 0;
}

static const char *does_not_converge(int info, char text[80])
{
    (void)info, (void)text;
    return "is one for which the iteration for singular values does not converge";
}

static bool kernel_cofactor(const rg__run *run)
{
    const int64_t n = order_of(run);
    const size_t size = rg_dtype_size(run->out.dtype), matrix = rg__room(n * n, size);
    rg__batch b = {.run = run, .core = {2}, .out_core = 2, .one = cofactor_one, .trouble = does_not_converge};
    b.room = n ? rg__lapack_svd_room(size, 'S', (int)n, (int)n) : b.room;
    b.scratch = 3 * matrix + rg__room(n, sizeof(int)) + rg__room(n, size) + b.room.bytes;
    b.work = (double)n * (double)n * (double)n;
    return rg__each_matrix(&b);
}

static rg_tensor cofactor(rg_tape *t, rg_tensor a)
{
    const rg__node *n = rg__arg(t, OP(cofactor), a);
    return n ? rg__record(t, OP(cofactor), &a, 1, (rg_dtype)n->dtype, n->rank, n->dims, NULL) : RG_NIL;
}

/* A number for each matrix, to be multiplied with it. */
static rg_tensor per_matrix(rg_tape *t, rg_tensor x)
{
    return rg_unsqueeze(t, rg_unsqueeze(t, x, -1), -1);
}

static void vjp_det(const rg__vjp *v)
{
    v->grad[0] = rg_mul(v->t, per_matrix(v->t, v->g), cofactor(v->t, v->in[0]));
}

/* Of c = det(a) a^-T: (<c', c> c - c c'^T c) / det(a). The cofactor of a single number is 1. */
static void vjp_cofactor(const rg__vjp *v)
{
    rg_tape *t = v->t;
    rg_tensor c = v->out;
    if (rg_dim(t, c, -1) < 2) {
        v->grad[0] = rg_zeros_like(t, v->in[0]);
        return;
    }
    rg_tensor along = rg_sum(t, rg_mul(t, v->g, c), RG_AXES(-2, -1), true);
    rg_tensor across = rg_matmul(t, c, rg_matmul(t, rg__transposed(t, v->g), c));
    v->grad[0] = rg_div(t, rg_sub(t, rg_mul(t, along, c), across), per_matrix(t, rg_det(t, v->in[0])));
}

/* The logarithm alone has one: a^-T. */
static void vjp_slogdet_factor(const rg__vjp *v)
{
    rg_tape *t = v->t;
    v->grad[0] = rg_mul(t, per_matrix(t, rg_select(t, v->g, -1, 1)), rg__transposed(t, rg_inverse(t, v->in[0])));
}

rg_tensor rg_det(rg_tape *t, rg_tensor a)
{
    const rg__node *n = rg__square_arg(t, OP(det), a);
    return n ? rg__record(t, OP(det), &a, 1, (rg_dtype)n->dtype, n->rank - 2, n->dims, NULL) : RG_NIL;
}

static rg_tensor slogdet_factor(rg_tape *t, rg_tensor a)
{
    const rg__node *n = rg__square_arg(t, OP(slogdet), a);
    if (!n)
        return RG_NIL;
    int64_t dims[RG_MAX_RANK];
    memcpy(dims, n->dims, n->rank * sizeof *dims);
    dims[n->rank - 2] = 2;
    return rg__record(t, OP(slogdet_factor), &a, 1, (rg_dtype)n->dtype, n->rank - 1, dims, NULL);
}

void rg_slogdet(rg_tape *t, rg_tensor a, rg_tensor *sign, rg_tensor *logabsdet)
{
    rg_tensor packed = slogdet_factor(t, a);
    if (sign)
        *sign = rg_is_nil(packed) ? RG_NIL : rg_select(t, packed, -1, 0);
    if (logabsdet)
        *logabsdet = rg_is_nil(packed) ? RG_NIL : rg_select(t, packed, -1, 1);
}

/* ---- the exponential: scaled until it is small, a quotient of polynomials, squared (Higham 2005, "The scaling and
 * squaring method for the matrix exponential revisited"). All in f64; a matrix commutes with the polynomials of itself, so
 * that it does not matter whether it lies row by row or column by column. ---- */

enum { EXP_MATRICES = 7 };

static bool times(int64_t n, const double *a, const double *b, double *c)
{
    return rg__gemm(sizeof *a, n, n, n, (rg__gemm_matrix){(char *)(uintptr_t)a, n, 1},
                    (rg__gemm_matrix){(char *)(uintptr_t)b, n, 1}, (rg__gemm_matrix){(char *)c, n, 1}, 1, NULL, NULL,
                    NULL);
}

/* out := x a + y b + z c + w */
static void combine(int64_t n, double *out, double x, const double *a, double y, const double *b, double z,
                    const double *c, double w)
{
    for (int64_t i = 0; i < n * n; i++)
        out[i] = x * a[i] + y * b[i] + z * c[i] + (i % (n + 1) == 0 ? w : 0);
}

/* The largest sum of magnitudes along a row; infinite where a number is not finite. */
static double norm_of(int64_t n, const double *a)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < n; j++)
            sum += fabs(a[i * n + j]);
        most = !(sum <= most) ? sum : most;
        if (!isfinite(sum))
            return INFINITY;
    }
    return most;
}

/* Padé's quotient of degree 13, of m[0], into m[4]; the others are overwritten. */
static bool pade(int64_t n, double *const *m, int *pivot)
{
    static const double c[] = {64764752532480000,
                               32382376266240000,
                               7771770303897600,
                               1187353796428800,
                               129060195264000,
                               10559470521600,
                               670442572800,
                               33522128640,
                               1323241920,
                               40840800,
                               960960,
                               16380,
                               182,
                               1};
    double *const a = m[0], *const a2 = m[1], *const a4 = m[2], *const a6 = m[3], *const u = m[4], *const v = m[5],
                  *const x = m[6];
    bool ok = times(n, a, a, a2) && times(n, a2, a2, a4) && times(n, a4, a2, a6);
    combine(n, x, c[13], a6, c[11], a4, c[9], a2, 0);
    ok = ok && times(n, a6, x, v);
    combine(n, x, c[7], a6, c[5], a4, c[3], a2, c[1]);
    combine(n, x, 1, x, 1, v, 0, v, 0);
    ok = ok && times(n, a, x, u);
    combine(n, x, c[12], a6, c[10], a4, c[8], a2, 0);
    ok = ok && times(n, a6, x, v);
    combine(n, x, c[6], a6, c[4], a4, c[2], a2, c[0]);
    combine(n, v, 1, v, 1, x, 0, x, 0);
    combine(n, x, 1, v, -1, u, 0, u, 0);
    combine(n, u, 1, v, 1, u, 0, v, 0);
    if (!ok)
        return false;
    rg__lapack_lu(sizeof *x, (int)n, x, pivot);
    rg__lapack_lu_solve(sizeof *x, false, (int)n, (int)n, x, pivot, u);
    return true;
}

static int exp_one(const rg__batch *b, const rg__place *p)
{
    const int64_t n = order_of(b->run);
    const rg__array_view *v = &b->run->in[0];
    const size_t size = rg_dtype_size(v->dtype), matrix = rg__room(n * n, sizeof(double));
    double *m[EXP_MATRICES];
    for (int i = 0; i < EXP_MATRICES; i++)
        m[i] = (double *)(void *)(p->scratch + (size_t)i * matrix);
    rg__copy(2, v->dims + v->rank - 2, (rg__strided){p->out, (int64_t[]){n, 1}, size},
             (rg__strided){(void *)(uintptr_t)p->in[0], v->strides + v->rank - 2, size});
    for (int64_t i = 0; i < n * n; i++)
        m[0][i] = rg__get(size, p->out, i);
    const double norm = norm_of(n, m[0]), largest = 5.371920351148152;
    int halvings = 0;
    if (isfinite(norm) && norm > largest)
        frexp(norm / largest, &halvings);
    for (int64_t i = 0; i < n * n; i++)
        m[0][i] = isfinite(norm) ? ldexp(m[0][i], -halvings) : NAN;
    bool ok = n == 0 || !isfinite(norm) || pade(n, m, (int *)(void *)(p->scratch + EXP_MATRICES * matrix));
    double *x = isfinite(norm) ? m[4] : m[0], *next = m[5];
    for (int i = 0; ok && i < halvings; i++) {
        ok = times(n, x, x, next);
        double *const was = x;
        x = next;
        next = was;
    }
    for (int64_t i = 0; ok && i < n * n; i++)
        rg__put(size, p->out, i, x[i]);
    return ok ? 0 : RG__NO_MEMORY;
}

static bool kernel_matrix_exp(const rg__run *run)
{
    const int64_t n = order_of(run);
    return rg__each_matrix(
        &(rg__batch){.run = run,
                     .core = {2},
                     .out_core = 2,
                     .scratch = EXP_MATRICES * rg__room(n * n, sizeof(double)) + rg__room(n, sizeof(int)),
                     .work = 16 * (double)n * (double)n * (double)n,
                     .one = exp_one});
}

rg_tensor rg_matrix_exp(rg_tape *t, rg_tensor a)
{
    const rg__node *n = rg__square_arg(t, OP(matrix_exp), a);
    return n ? rg__record(t, OP(matrix_exp), &a, 1, (rg_dtype)n->dtype, n->rank, n->dims, NULL) : RG_NIL;
}

/* The upper right of the exponential of [[a^T, x'], [0, a^T]] (Higham 2008, "Functions of matrices", theorem 3.6). */
static void vjp_matrix_exp(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const int64_t n = rg_dim(t, v->in[0], -1);
    rg_tensor at = rg__transposed(t, v->in[0]);
    rg_tensor top = rg_cat(t, (rg_tensor[]){at, v->g}, 2, -1),
              bottom = rg_cat(t, (rg_tensor[]){rg_zeros_like(t, at), at}, 2, -1);
    rg_tensor block = rg_matrix_exp(t, rg_cat(t, (rg_tensor[]){top, bottom}, 2, -2));
    v->grad[0] = rg_slice(t, rg_slice(t, block, -2, 0, n, 1), -1, n, RG_END, 1);
}

/* ---- by name ---- */

RG__CALL(det, rg_det(t, in[0]))
RG__CALL(matrix_exp, rg_matrix_exp(t, in[0]))
static int call_slogdet(const rg__call *c, rg_tensor *out)
{
    rg_slogdet(c->t, c->in[0], &out[0], &out[1]);
    return 2;
}

/* ---- samples ---- */

static const rg_shape squares[] = {{2, {3, 3}}, {3, {2, 2, 2}}, {2, {1, 1}}, {2, {0, 0}}, {3, {0, 2, 2}}, {2, {3, 3}}};
enum { SQUARES = sizeof squares / sizeof *squares };

/* The last one is transposed. */
static rg_tensor square(rg__draw *draw, int index)
{
    rg_tensor a = rg__spread(draw->t, RG__DRAW(draw, squares[index], RG__SMALL), 2, .5);
    return index == SQUARES - 1 ? rg__transposed(draw->t, a) : a;
}

static rg_tensor sample_det(rg__draw *draw, int index)
{
    return index < SQUARES ? rg_det(draw->t, square(draw, index)) : RG_NIL;
}

static rg_tensor sample_cofactor(rg__draw *draw, int index)
{
    return index < SQUARES ? cofactor(draw->t, square(draw, index)) : RG_NIL;
}

static rg_tensor sample_slogdet_factor(rg__draw *draw, int index)
{
    return index < SQUARES ? slogdet_factor(draw->t, square(draw, index)) : RG_NIL;
}

static rg_tensor sample_slogdet(rg__draw *draw, int index)
{
    rg_tensor sign, logabsdet;
    if (index >= SQUARES)
        return RG_NIL;
    rg_slogdet(draw->t, square(draw, index), &sign, &logabsdet);
    return logabsdet;
}

static rg_tensor sample_matrix_exp(rg__draw *draw, int index)
{
    if (index >= SQUARES)
        return RG_NIL;
    rg_tensor a = RG__DRAW(draw, squares[index], RG__SMALL);
    return rg_matrix_exp(draw->t, index == SQUARES - 1 ? rg__transposed(draw->t, a) : a);
}

RG__FAMILY(determinant, ROWS(RG__ROW))
