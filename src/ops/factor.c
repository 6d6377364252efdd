/* Factorisations that solve linear systems: LU, triangles, Cholesky, QR. */
#include "ops/factor.h"
#include "ops/call.h"
#include "ops/family.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROWS(ROW)                                                                                                      \
    ROW(lu, 1, RG__NODIFF, RG__KERNEL, "L and U, packed into one matrix, and the exchanges, of P L U = a",             \
        .fallible = true)                                                                                              \
    ROW(lu_solve, 3, RG__DIFF, RG__KERNEL, "x of a x = b from the factors of a", .fallible = true, RG__ATTR(lu_solve)) \
    ROW(triangular, 2, RG__DIFF, RG__KERNEL, "x of a x = b with a triangle of a", .fallible = true,                    \
        RG__ATTR(triangular))                                                                                          \
    ROW(cholesky, 1, RG__DIFF, RG__KERNEL, "lower l of l l^T = a", .fallible = true,                                   \
        RG__CALLED(cholesky, "a: float, upper: flag = false"))                                                         \
    ROW(qr_factor, 1, RG__DIFF, RG__KERNEL, "orthonormal q and upper r of q r = a", .fallible = true, RG__ATTR(qr))    \
    ROW(qr, 1, RG__THROUGH, RG__COMPOSITE, "orthonormal q and upper r of q r = a",                                     \
        RG__CALLED(qr, "a: float, mode: reduced|complete = reduced -> q, r"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_factor[OP_##name])

static double cube(int64_t n)
{
    return (double)n * (double)n * (double)n;
}

/* ---- LU: [..., n, n] -> [..., n n + n], the exchanges as numbers behind the matrix ---- */

/* It is no trouble here that a matrix is singular. */
static int lu_one(const rg__batch *b, const rg__place *p)
{
    const rg__array_view *a = &b->run->in[0];
    const int64_t n = a->dims[a->rank - 1];
    const size_t size = rg_dtype_size(a->dtype);
    int *pivot = (int *)(void *)p->scratch;
    if (n == 0)
        return 0;
    rg__to_columns(a, p->in[0], p->out);
    rg__lapack_lu(size, (int)n, p->out, pivot);
    for (int64_t i = 0; i < n; i++)
        rg__put(size, p->out, n * n + i, pivot[i]);
    return 0;
}

static bool kernel_lu(const rg__run *run)
{
    const int64_t n = run->in[0].dims[run->in[0].rank - 1];
    return rg__each_matrix(&(rg__batch){
        .run = run, .core = {2}, .out_core = 1, .scratch = (size_t)n * sizeof(int), .work = cube(n) / 3, .one = lu_one});
}

rg_tensor rg__lu(rg_tape *t, rg_tensor a)
{
    const rg__node *n = rg__arg(t, OP(lu), a);
    if (!n)
        return RG_NIL;
    int64_t dims[RG_MAX_RANK];
    memcpy(dims, n->dims, n->rank * sizeof *dims);
    dims[n->rank - 2] = rg__rows(n) * rg__rows(n) + rg__rows(n);
    return rg__record(t, OP(lu), &a, 1, (rg_dtype)n->dtype, n->rank - 1, dims, NULL);
}

/* ---- systems: inputs are a, its LU, and b; a itself is there for its gradient alone ---- */

struct lu_solve {
    uint32_t transposed;
};
static const rg__field fields_lu_solve[] = {RG__FIELD(struct lu_solve, transposed, RG__FLAG), {0}};

static const char *is_singular(int info, char text[80])
{
    snprintf(text, 80, "is singular: pivot %d is 0", info - 1);
    return text;
}

static int lu_solve_one(const rg__batch *b, const rg__place *p)
{
    const rg__array_view *v = &b->run->in[2];
    const int64_t n = v->dims[v->rank - 2], k = v->dims[v->rank - 1];
    const size_t size = rg_dtype_size(v->dtype);
    const char *lu = p->in[1]; /* the result of a kernel, so row-major */
    int *pivot = (int *)(void *)p->scratch;
    void *x = p->scratch + rg__room(n, sizeof *pivot);
    for (int64_t i = 0; i < n; i++) {
        if (rg__get(size, lu, i * n + i) == 0)
            return (int)i + 1;
        pivot[i] = (int)rg__get(size, lu, n * n + i);
    }
    if (n == 0 || k == 0)
        return 0;
    rg__to_columns(v, p->in[2], x);
    rg__lapack_lu_solve(size, ((const struct lu_solve *)b->run->node->attr)->transposed, (int)n, (int)k, lu, pivot, x);
    rg__from_columns(size, n, k, x, p->out);
    return 0;
}

static bool kernel_lu_solve(const rg__run *run)
{
    const rg__array_view *v = &run->in[2];
    const int64_t n = v->dims[v->rank - 2], k = v->dims[v->rank - 1];
    return rg__each_matrix(&(rg__batch){.run = run,
                                        .core = {2, 1, 2},
                                        .out_core = 2,
                                        .scratch = rg__room(n, sizeof(int)) + rg__room(n * k, rg_dtype_size(v->dtype)),
                                        .work = (double)n * (double)n * (double)k,
                                        .one = lu_solve_one,
                                        .trouble = is_singular});
}

rg_tensor rg__lu_solve(rg_tape *t, rg_tensor a, rg_tensor lu, rg_tensor b, bool transposed)
{
    const rg__node *na = rg__arg(t, OP(lu_solve), a), *nb = na ? rg__arg(t, OP(lu_solve), b) : NULL;
    int64_t dims[RG_MAX_RANK];
    const int lead = nb ? rg__lead_of(t, OP(lu_solve), na, nb, dims) : -1;
    if (lead < 0)
        return RG_NIL;
    dims[lead] = rg__rows(nb);
    dims[lead + 1] = rg__columns(nb);
    return rg__record(t, OP(lu_solve), (rg_tensor[]){a, lu, b}, 3, (rg_dtype)na->dtype, lead + 2, dims,
                      &(struct lu_solve){transposed});
}

/* Of a x = b: b' = a^-T x', a' = -b' x^T (Giles 2008, "Collected matrix derivative results", 2.3.1). */
static void vjp_lu_solve(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const bool transposed = ((const struct lu_solve *)v->attr)->transposed;
    rg_tensor b = rg__lu_solve(t, v->in[0], v->in[1], v->g, !transposed);
    RG__GRAD(v, 2, b);
    RG__GRAD(v, 0,
             rg_neg(t, transposed ? rg_matmul(t, v->out, rg__transposed(t, b))
                                  : rg_matmul(t, b, rg__transposed(t, v->out))));
}

/* ---- triangles ---- */

struct triangular {
    uint32_t upper, unit;
};
static const rg__field fields_triangular[] = {
    RG__FIELD(struct triangular, upper, RG__FLAG), RG__FIELD(struct triangular, unit, RG__FLAG), {0}};

static const char *has_zero(int info, char text[80])
{
    snprintf(text, 80, "is singular: element %d of its diagonal is 0", info - 1);
    return text;
}

static int triangular_one(const rg__batch *b, const rg__place *p)
{
    const rg__array_view *v = &b->run->in[1];
    const int64_t n = v->dims[v->rank - 2], k = v->dims[v->rank - 1];
    const size_t size = rg_dtype_size(v->dtype);
    const struct triangular *attr = b->run->node->attr;
    char *a = p->scratch, *x = a + rg__room(n * n, size);
    if (n == 0 || k == 0)
        return 0;
    rg__to_columns(&b->run->in[0], p->in[0], a);
    rg__to_columns(v, p->in[1], x);
    const int info = rg__lapack_triangular(size, attr->upper, attr->unit, (int)n, (int)k, a, x);
    if (info == 0)
        rg__from_columns(size, n, k, x, p->out);
    return info;
}

static bool kernel_triangular(const rg__run *run)
{
    const rg__array_view *v = &run->in[1];
    const int64_t n = v->dims[v->rank - 2], k = v->dims[v->rank - 1];
    const size_t size = rg_dtype_size(v->dtype);
    return rg__each_matrix(&(rg__batch){.run = run,
                                        .core = {2, 2},
                                        .out_core = 2,
                                        .scratch = rg__room(n * n, size) + rg__room(n * k, size),
                                        .work = (double)n * (double)n * (double)k / 2,
                                        .one = triangular_one,
                                        .trouble = has_zero});
}

rg_tensor rg__triangular(rg_tape *t, rg_tensor a, rg_tensor b, bool upper, bool unit)
{
    const rg__op *op = OP(triangular);
    const rg__node *na = rg__arg(t, op, a), *nb = na ? rg__arg(t, op, b) : NULL;
    int64_t dims[RG_MAX_RANK];
    const int lead = nb ? rg__lead_of(t, op, na, nb, dims) : -1;
    if (lead < 0)
        return RG_NIL;
    dims[lead] = rg__rows(nb);
    dims[lead + 1] = rg__columns(nb);
    return rg__record(t, op, (rg_tensor[]){a, b}, 2, (rg_dtype)na->dtype, lead + 2, dims,
                      &(struct triangular){upper, unit});
}

static void vjp_triangular(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const struct triangular *attr = v->attr;
    rg_tensor b = rg__triangular(t, rg__transposed(t, v->in[0]), v->g, !attr->upper, attr->unit);
    RG__GRAD(v, 1, b);
    RG__GRAD(v, 0, rg__triangle(t, rg_neg(t, rg_matmul(t, b, rg__transposed(t, v->out))), attr->upper, attr->unit));
}

/* ---- Cholesky: row by row, a lower triangle is an upper one column by column ---- */

static const char *is_not_positive(int info, char text[80])
{
    snprintf(text, 80, "is not positive definite: its leading minor of order %d is not", info);
    return text;
}

static int cholesky_one(const rg__batch *b, const rg__place *p)
{
    const rg__array_view *a = &b->run->in[0];
    const int64_t n = a->dims[a->rank - 1];
    const size_t size = rg_dtype_size(a->dtype);
    if (n == 0)
        return 0;
    rg__copy(2, a->dims + a->rank - 2, (rg__strided){p->out, (int64_t[]){n, 1}, size},
             (rg__strided){(void *)(uintptr_t)p->in[0], a->strides + a->rank - 2, size});
    int info = rg__lapack_cholesky(size, (int)n, p->out);
    for (int64_t i = 0; i < n; i++) {
        if (info == 0 && isnan(rg__get(size, p->out, i * n + i))) /* not every LAPACK sees it */
            info = (int)i + 1;
        memset(p->out + (size_t)(i * n + i + 1) * size, 0, (size_t)(n - i - 1) * size);
    }
    return info;
}

static bool kernel_cholesky(const rg__run *run)
{
    return rg__each_matrix(&(rg__batch){.run = run,
                                        .core = {2},
                                        .out_core = 2,
                                        .work = cube(run->in[0].dims[run->in[0].rank - 1]) / 6,
                                        .one = cholesky_one,
                                        .trouble = is_not_positive});
}

rg_tensor rg_cholesky(rg_tape *t, rg_tensor a, bool upper)
{
    const rg__node *n = rg__square_arg(t, OP(cholesky), a);
    if (!n)
        return RG_NIL;
    if (upper)
        return rg__transposed(t, rg_cholesky(t, rg__transposed(t, a), false));
    return rg__record(t, OP(cholesky), &a, 1, (rg_dtype)n->dtype, n->rank, n->dims, NULL);
}

/* The lower triangle, half of its diagonal, and its mirror image, halved: symmetric. */
static rg_tensor mirrored(rg_tape *t, rg_tensor x)
{
    rg_tensor half = rg_mul_scalar(t, rg_add(t, rg__triangle(t, x, false, false), rg__triangle(t, x, false, true)), .25);
    return rg_add(t, half, rg__transposed(t, half));
}

/* a' = l^-T m l^-1 with the mirrored lower triangle m of l^T l' (Murray 2016, "Differentiation of the Cholesky
 * decomposition", eq. 10). */
static void vjp_cholesky(const rg__vjp *v)
{
    rg_tape *t = v->t;
    rg_tensor lt = rg__transposed(t, v->out);
    rg_tensor left = rg__triangular(t, lt, mirrored(t, rg_matmul(t, lt, v->g)), true, false);
    v->grad[0] = rg__transposed(t, rg__triangular(t, lt, rg__transposed(t, left), true, false));
}

/* ---- QR: [..., m, n] -> q [m, kq], then r [kr, n] ---- */

struct qr {
    uint32_t complete;
};
static const rg__field fields_qr[] = {RG__FIELD(struct qr, complete, RG__FLAG), {0}};

static int64_t qr_columns(bool complete, int64_t m, int64_t n)
{
    return complete || m < n ? m : n;
}

/* The triangle that LAPACK left in its own, as r [k, n]. */
static void take_r(size_t size, int64_t m, int64_t n, int64_t k, const char *a, char *r)
{
    for (int64_t j = 0; j < n; j++) {
        const int64_t filled = j + 1 < k ? j + 1 : k;
        memcpy(r + (size_t)(j * k) * size, a + (size_t)(j * m) * size, (size_t)filled * size);
        memset(r + (size_t)(j * k + filled) * size, 0, (size_t)(k - filled) * size);
    }
}

static int qr_one(const rg__batch *b, const rg__place *p)
{
    const rg__array_view *v = &b->run->in[0];
    const int64_t m = v->dims[v->rank - 2], n = v->dims[v->rank - 1], least = m < n ? m : n;
    const int64_t k = qr_columns(((const struct qr *)b->run->node->attr)->complete, m, n);
    const size_t size = rg_dtype_size(v->dtype);
    char *a = p->scratch, *tau = a + rg__room(m * n, size), *work = tau + rg__room(least, size);
    memset(p->out, 0, (size_t)(m * k) * size);
    if (least == 0) { /* no reflection: q is the identity */
        for (int64_t i = 0; i < k; i++)
            rg__put(size, p->out, i * m + i, 1);
        return 0;
    }
    rg__to_columns(v, p->in[0], a);
    rg__lapack_qr(size, (int)m, (int)n, a, tau, b->room, work);
    memcpy(p->out, a, (size_t)(m * least) * size);
    rg__lapack_qr_columns(size, (int)m, (int)k, (int)least, p->out, tau, b->room, work);
    take_r(size, m, n, k, a, p->out + (size_t)(m * k) * size);
    return 0;
}

static bool kernel_qr_factor(const rg__run *run)
{
    const rg__array_view *v = &run->in[0];
    const int64_t m = v->dims[v->rank - 2], n = v->dims[v->rank - 1], least = m < n ? m : n;
    const int64_t k = qr_columns(((const struct qr *)run->node->attr)->complete, m, n);
    const size_t size = rg_dtype_size(v->dtype);
    const rg__lapack_room room = least ? rg__lapack_qr_room(size, (int)m, (int)n, (int)k) : (rg__lapack_room){1, 0, size};
    return rg__each_matrix(&(rg__batch){.run = run,
                                        .core = {2},
                                        .out_core = 1,
                                        .scratch = rg__room(m * n, size) + rg__room(least, size) + room.bytes,
                                        .work = (double)m * (double)k * (double)(n + k),
                                        .room = room,
                                        .one = qr_one});
}

/* Of a that has at least as many rows as columns, or in complete form. */
static void qr_parts(rg_tape *t, rg_tensor packed, int64_t m, int64_t n, bool complete, rg_tensor *q, rg_tensor *r)
{
    const int64_t k = qr_columns(complete, m, n);
    *q = rg__part(t, packed, 0, m, k);
    *r = rg__part(t, packed, m * k, k, n);
}

static rg_tensor qr_factor(rg_tape *t, rg_tensor a, bool complete)
{
    const rg__node *n = rg__arg(t, OP(qr_factor), a);
    if (!n)
        return RG_NIL;
    const int64_t k = qr_columns(complete, rg__rows(n), rg__columns(n));
    int64_t dims[RG_MAX_RANK];
    memcpy(dims, n->dims, n->rank * sizeof *dims);
    dims[n->rank - 2] = k * rg__rows(n) + k * rg__columns(n);
    return rg__record(t, OP(qr_factor), &a, 1, (rg_dtype)n->dtype, n->rank - 1, dims, &(struct qr){complete});
}

/* a' = (q' + q m) r^-T with the lower triangle of r r'^T - q'^T q mirrored in m (Walter and Lehmann 2018, "Algorithmic
 * differentiation of linear algebra functions", 3.2). */
static void vjp_qr_factor(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const rg_shape s = rg_shape_of(t, v->in[0]);
    const int64_t m = s.dims[s.rank - 2], n = s.dims[s.rank - 1];
    const bool complete = ((const struct qr *)v->attr)->complete;
    if (complete && m > n) {
        rg__fail(t, OP(qr_factor), RG_ERROR_ARGUMENT,
                 "a complete q of %lld rows for %lld columns has no gradient; a reduced one has", (long long)m,
                 (long long)n);
        return;
    }
    rg_tensor q, r, gq, gr;
    qr_parts(t, v->out, m, n, complete, &q, &r);
    qr_parts(t, v->g, m, n, complete, &gq, &gr);
    rg_tensor x = rg_matmul(t, r, rg__transposed(t, gr));
    x = rg_sub(t, x, rg_matmul(t, rg__transposed(t, gq), q));
    x = rg_add(t, rg__triangle(t, x, false, false), rg__transposed(t, rg__triangle(t, x, false, true)));
    rg_tensor right = rg_add(t, gq, rg_matmul(t, q, x));
    v->grad[0] = rg__transposed(t, rg__triangular(t, r, rg__transposed(t, right), true, false));
}

/* Of more columns than rows, the first ones make q; the others follow from it. */
void rg_qr(rg_tape *t, rg_tensor a, bool complete, rg_tensor *q, rg_tensor *r)
{
    const rg__node *n = rg__matrix_arg(t, OP(qr), a);
    rg_tensor own[2];
    q = q ? q : &own[0];
    r = r ? r : &own[1];
    *q = *r = RG_NIL;
    if (!n)
        return;
    const int64_t rows = rg__rows(n), columns = rg__columns(n);
    if (rows >= columns) {
        qr_parts(t, qr_factor(t, a, complete && rows > columns), rows, columns, complete, q, r);
        return;
    }
    rg_tensor first;
    qr_parts(t, qr_factor(t, rg_slice(t, a, -1, 0, rows, 1), false), rows, rows, false, q, &first);
    rg_tensor rest = rg_matmul(t, rg__transposed(t, *q), rg_slice(t, a, -1, rows, RG_END, 1));
    *r = rg_cat(t, (rg_tensor[]){first, rest}, 2, -1);
}

/* ---- by name ---- */

RG__CALL(cholesky, rg_cholesky(t, in[0], RG__FLAG_OF(upper)))
static int call_qr(const rg__call *c, rg_tensor *out)
{
    rg_qr(c->t, c->in[0], rg__call_word(c, "mode") == 1, &out[0], &out[1]);
    return 2;
}

/* ---- samples ---- */

static const rg_shape squares[] = {{2, {3, 3}}, {3, {2, 3, 3}}, {2, {1, 1}}, {2, {0, 0}}, {3, {0, 2, 2}}, {2, {3, 3}}};
enum { SQUARES = sizeof squares / sizeof *squares };

/* The last one is transposed. */
static rg_tensor square(rg__draw *draw, int index)
{
    rg_tensor a = rg__spread(draw->t, RG__DRAW(draw, squares[index], RG__SMALL), 3, 1);
    return index == SQUARES - 1 ? rg__transposed(draw->t, a) : a;
}

static rg_tensor sample_lu(rg__draw *draw, int index)
{
    return index < SQUARES ? rg__lu(draw->t, square(draw, index)) : RG_NIL;
}

static rg_tensor sample_lu_solve(rg__draw *draw, int index)
{
    static const rg_shape right[SQUARES] = {{2, {3, 2}}, {2, {3, 1}},    {2, {1, 2}},
                                            {2, {0, 2}}, {3, {0, 2, 1}}, {3, {2, 3, 2}}};
    if (index >= SQUARES)
        return RG_NIL;
    rg_tensor a = square(draw, index), b = RG__DRAW(draw, right[index], RG__REAL);
    return rg__lu_solve(draw->t, a, rg__lu(draw->t, a), b, index % 2);
}

static rg_tensor sample_triangular(rg__draw *draw, int index)
{
    static const rg_shape right[SQUARES] = {{2, {3, 2}}, {2, {3, 1}},    {2, {1, 2}},
                                            {2, {0, 2}}, {3, {0, 2, 1}}, {3, {2, 3, 2}}};
    if (index >= SQUARES)
        return RG_NIL;
    rg_tensor a = square(draw, index), b = RG__DRAW(draw, right[index], RG__REAL);
    return rg__triangular(draw->t, a, b, index % 2, index == 0 || index == SQUARES - 1);
}

static rg_tensor sample_cholesky(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    if (index >= SQUARES)
        return RG_NIL;
    rg_tensor a = RG__DRAW(draw, squares[index], RG__SMALL);
    return rg_cholesky(t, rg__spread(t, rg_matmul(t, a, rg__transposed(t, a)), 2, .5), index % 2);
}

static const rg_shape tall[] = {{2, {4, 2}}, {3, {2, 3, 3}}, {2, {3, 1}}, {2, {3, 0}}, {2, {2, 4}}, {3, {0, 3, 2}}};
enum { TALL = sizeof tall / sizeof *tall };

static rg_tensor sample_qr_factor(rg__draw *draw, int index)
{
    return index < 4 ? qr_factor(draw->t, rg__spread(draw->t, RG__DRAW(draw, tall[index], RG__SMALL), 3, 1), false)
                     : RG_NIL;
}

static rg_tensor sample_qr(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    if (index >= 2 * TALL)
        return RG_NIL;
    rg_tensor parts[2];
    rg_qr(t, rg__spread(t, RG__DRAW(draw, tall[index / 2], RG__SMALL), 3, 1), false, &parts[0], &parts[1]);
    return parts[index % 2];
}

RG__FAMILY(factor, ROWS(RG__ROW))
