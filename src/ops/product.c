/* Matrix products. One primitive, everything else is shapes around it. */
#include "ops/call.h"
#include "ops/family.h"

#include "exec/kernels/gemm.h"

#include <string.h>

#define ROWS(ROW)                                                                                                    \
    ROW(matmul, 2, RG__DIFF, RG__KERNEL, "sum over k of a[.., i, k] b[.., k, j]", .fallible = true, .by_rows = true, \
        RG__CALLED(matmul, "a: float, b: float"))                                                                    \
    ROW(outer, 2, RG__THROUGH, RG__COMPOSITE, "a[i] b[j]", RG__CALLED(outer, "a: float, b: float"))                  \
    ROW(dot, 2, RG__THROUGH, RG__COMPOSITE, "sum of a[i] b[i]", RG__CALLED(dot, "a: float, b: float"))               \
    ROW(affine, -1, RG__THROUGH, RG__COMPOSITE, "x weight^T + bias",                                                 \
        RG__CALLED(affine, "x: float, weight: float, bias?: float"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_product[OP_##name])

const rg__op *const rg__op_matmul = &rg__ops_product[OP_matmul];

/* ---- kernel: a product for each position of the leading axes ---- */

/* Products of one shape, at equal distances in bytes. */
typedef struct batch {
    size_t size;
    int64_t m, n, k;
    rg__gemm_matrix a, b, c;
    const int64_t *step; /* of c, a and b, as the walk has them */
} batch;

static rg__gemm_matrix moved(rg__gemm_matrix x, int64_t bytes)
{
    x.data += bytes;
    return x;
}

static bool multiply_one(const batch *x, int64_t i, int threads, rg__pool *pool, const rg__gemm_rows *rows,
                         const rg__gemm_kept *kept)
{
    return rg__gemm(x->size, x->m, x->n, x->k, moved(x->a, i * x->step[1]), moved(x->b, i * x->step[2]),
                    moved(x->c, i * x->step[0]), threads, pool, rows, kept);
}

/* Many products are shared out whole, few with all threads on each. The result is the same. */
static bool multiply_many(const batch *x, int64_t count, const rg__run *run)
{
    enum { WORTH_THREADS = 200000, LARGE = 4000000 }; /* multiplications: of all, of one */
    const double one = (double)x->m * (double)x->n * (double)x->k;
    const bool many = count >= 4 * run->threads || (count > 1 && one < LARGE);
    bool ok = true;
    if (run->threads > 1 && many && one * (double)count >= WORTH_THREADS) {
#pragma omp parallel for num_threads(run->threads) schedule(dynamic) reduction(&& : ok)
        for (int64_t i = 0; i < count; i++)
            ok = multiply_one(x, i, 1, NULL, NULL, NULL) && ok;
        return ok;
    }
    for (int64_t i = 0; i < count && ok; i++)
        ok = multiply_one(x, i, run->threads, run->pool, run->rows, run->kept);
    return ok;
}

static bool kernel_matmul(const rg__run *run)
{
    const rg__array_view *a = &run->in[0], *b = &run->in[1], *c = &run->out;
    const int lead = c->rank - 2;
    const int64_t *sa = a->strides + a->rank - 2, *sb = b->strides + b->rank - 2, *sc = c->strides + lead;
    int64_t lead_a[RG_MAX_RANK], lead_b[RG_MAX_RANK];
    rg__broadcast_strides(a->rank - 2, a->dims, a->strides, lead, c->dims, lead_a);
    rg__broadcast_strides(b->rank - 2, b->dims, b->strides, lead, c->dims, lead_b);
    const size_t size = rg_dtype_size(c->dtype);
    rg__walk w;
    rg__walk_start(&w, lead, c->dims, 3,
                   (rg__strided[]){{c->data, c->strides, size}, {a->data, lead_a, size}, {b->data, lead_b, size}});
    do {
        const batch x = {size,
                         c->dims[lead],
                         c->dims[lead + 1],
                         a->dims[a->rank - 1],
                         {w.p[1], sa[0], sa[1]},
                         {w.p[2], sb[0], sb[1]},
                         {w.p[0], sc[0], sc[1]},
                         w.step};
        if (!multiply_many(&x, w.run, run))
            return rg__run_fail(run, RG_ERROR_MEMORY, "out of memory");
    } while (rg__walk_next(&w));
    return true;
}

static rg_tensor transposed(rg_tape *t, rg_tensor x)
{
    return rg_transpose(t, x, -1, -2);
}

/* a b, laid out like x: where x is a transposed matrix, as the transpose of b^T a^T. The gradient of what x is a view of
 * is row-major then. */
static rg_tensor product_like(const rg__vjp *v, rg_tensor x, rg_tensor a, rg_tensor b)
{
    const rg__node *n = rg__arg(v->t, OP(matmul), x);
    if (n && n->strides && n->strides[n->rank - 2] == 1 && n->strides[n->rank - 1] > 1)
        return transposed(v->t, rg_matmul(v->t, transposed(v->t, b), transposed(v->t, a)));
    return rg_matmul(v->t, a, b);
}

static void vjp_matmul(const rg__vjp *v)
{
    RG__GRAD(v, 0, product_like(v, v->in[0], v->g, transposed(v->t, v->in[1])));
    RG__GRAD(v, 1, product_like(v, v->in[1], transposed(v->t, v->in[0]), v->g));
}

/* ---- recording ---- */

rg_tensor rg_matmul(rg_tape *t, rg_tensor a, rg_tensor b)
{
    const rg__op *op = OP(matmul);
    const rg__node *na = rg__arg_of(t, op, a, RG__FLOATS), *nb = na ? rg__arg_of(t, op, b, RG__FLOATS) : NULL;
    if (!nb)
        return RG_NIL;
    if (na->dtype != nb->dtype) {
        rg__fail(t, op, RG_ERROR_DTYPE, "a is %s and b is %s", rg_dtype_name((rg_dtype)na->dtype),
                 rg_dtype_name((rg_dtype)nb->dtype));
        return RG_NIL;
    }
    const bool row = na->rank == 1, column = nb->rank == 1;
    int64_t inner_a = na->rank ? na->dims[na->rank - 1] : -1;
    int64_t inner_b = nb->rank ? nb->dims[nb->rank - (column ? 1 : 2)] : -2;
    int batch = 0;
    int64_t dims[RG_MAX_RANK];
    bool fits = inner_a == inner_b && rg__broadcast(&batch, dims, row ? 0 : na->rank - 2, na->dims) &&
                rg__broadcast(&batch, dims, column ? 0 : nb->rank - 2, nb->dims);
    if (!fits) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s and %s do not fit: a [..., m, k] needs b [..., k, n]", RG__NODE_TEXT(na),
                 RG__NODE_TEXT(nb));
        return RG_NIL;
    }
    if (row || column) { /* a vector is a matrix of one row or column, which the result drops */
        rg_tensor c = rg_matmul(t, row ? rg_unsqueeze(t, a, 0) : a, column ? rg_unsqueeze(t, b, 1) : b);
        if (column)
            c = rg_squeeze(t, c, RG_AXES(-1));
        return row ? rg_squeeze(t, c, RG_AXES(column ? -1 : -2)) : c;
    }
    dims[batch] = na->dims[na->rank - 2];
    dims[batch + 1] = nb->dims[nb->rank - 1];
    if (na->rank > 2 && nb->rank == 2 && na->numel > 0) { /* many rows times one matrix is one product */
        rg_shape shape = {na->rank, {0}};
        memcpy(shape.dims, dims, sizeof *dims * na->rank);
        rg_tensor rows = rg_reshape(t, a, RG_SHAPE(-1, inner_a));
        return rg_reshape(t, rg_matmul(t, rows, b), shape);
    }
    return rg__record(t, op, (rg_tensor[]){a, b}, 2, (rg_dtype)na->dtype, batch + 2, dims, NULL);
}

/* Both arguments as vectors, or false and an error. */
static bool vectors(rg_tape *t, const rg__op *op, rg_tensor a, rg_tensor b)
{
    const rg__node *na = rg__arg_of(t, op, a, RG__FLOATS), *nb = na ? rg__arg_of(t, op, b, RG__FLOATS) : NULL;
    if (nb && (na->rank != 1 || nb->rank != 1))
        rg__fail(t, op, RG_ERROR_SHAPE, "%s and %s must both be vectors", RG__NODE_TEXT(na), RG__NODE_TEXT(nb));
    return nb && na->rank == 1 && nb->rank == 1;
}

rg_tensor rg_outer(rg_tape *t, rg_tensor a, rg_tensor b)
{
    return vectors(t, OP(outer), a, b) ? rg_mul(t, rg_unsqueeze(t, a, 1), b) : RG_NIL;
}

rg_tensor rg_dot(rg_tape *t, rg_tensor a, rg_tensor b)
{
    return vectors(t, OP(dot), a, b) ? rg_matmul(t, a, b) : RG_NIL;
}

rg_tensor rg_affine(rg_tape *t, rg_tensor x, rg_tensor weight, rg_tensor bias)
{
    const rg__op *op = OP(affine);
    const rg__node *nx = rg__arg_of(t, op, x, RG__FLOATS), *nw = nx ? rg__arg_of(t, op, weight, RG__FLOATS) : NULL;
    if (!nw)
        return RG_NIL;
    if (nw->rank != 2 || nx->rank < 1 || nx->dims[nx->rank - 1] != nw->dims[1]) {
        rg__fail(t, op, RG_ERROR_SHAPE, "x %s and weight %s do not fit: x [..., in] needs weight [out, in]",
                 RG__NODE_TEXT(nx), RG__NODE_TEXT(nw));
        return RG_NIL;
    }
    rg_tensor y = rg_matmul(t, x, rg_transpose(t, weight, 0, 1));
    if (rg_is_nil(bias))
        return y;
    const rg__node *nb = rg__arg_of(t, op, bias, RG__FLOATS);
    if (nb && (nb->rank != 1 || nb->dims[0] != nw->dims[0]))
        rg__fail(t, op, RG_ERROR_SHAPE, "bias %s and weight %s do not fit: weight [out, in] needs bias [out]",
                 RG__NODE_TEXT(nb), RG__NODE_TEXT(nw));
    return rg_add(t, y, bias);
}

/* ---- by name ---- */

RG__CALL(matmul, rg_matmul(t, in[0], in[1]))
RG__CALL(outer, rg_outer(t, in[0], in[1]))
RG__CALL(dot, rg_dot(t, in[0], in[1]))
RG__CALL(affine, rg_affine(t, in[0], in[1], in[2]))

/* ---- samples ---- */

static rg_tensor sample_matmul(rg__draw *draw, int index)
{
    static const rg_shape shapes[][2] = {
        {{2, {2, 3}}, {2, {3, 4}}},       {{1, {3}}, {1, {3}}},
        {{1, {3}}, {2, {3, 2}}},          {{2, {2, 3}}, {1, {3}}},
        {{3, {2, 3, 2}}, {3, {2, 2, 3}}}, {{4, {2, 1, 2, 3}}, {3, {2, 3, 2}}},
        {{3, {2, 2, 3}}, {2, {3, 2}}},    {{2, {2, 0}}, {2, {0, 3}}},
        {{2, {2, 3}}, {3, {2, 3, 1}}},
    };
    if (index == sizeof shapes / sizeof *shapes) /* strided operands */
        return rg_matmul(draw->t, rg_transpose(draw->t, RG__DRAW(draw, RG_SHAPE(3, 2), RG__REAL), 0, 1),
                         rg_flip(draw->t, RG__DRAW(draw, RG_SHAPE(3, 4), RG__REAL), RG_ALL));
    if (index > (int)(sizeof shapes / sizeof *shapes))
        return RG_NIL;
    rg_tensor a = RG__DRAW(draw, shapes[index][0], RG__REAL);
    return rg_matmul(draw->t, a, RG__DRAW(draw, shapes[index][1], RG__REAL));
}

static rg_tensor sample_outer(rg__draw *draw, int index)
{
    if (index > 0)
        return RG_NIL;
    rg_tensor a = RG__DRAW(draw, RG_SHAPE(3), RG__REAL);
    return rg_outer(draw->t, a, RG__DRAW(draw, RG_SHAPE(4), RG__REAL));
}

static rg_tensor sample_dot(rg__draw *draw, int index)
{
    if (index > 0)
        return RG_NIL;
    rg_tensor a = RG__DRAW(draw, RG_SHAPE(4), RG__REAL);
    return rg_dot(draw->t, a, RG__DRAW(draw, RG_SHAPE(4), RG__REAL));
}

static rg_tensor sample_affine(rg__draw *draw, int index)
{
    static const rg_shape x[] = {{1, {3}}, {2, {2, 3}}, {3, {2, 2, 3}}};
    if (index > 2)
        return RG_NIL;
    rg_tensor in = RG__DRAW(draw, x[index], RG__REAL), weight = RG__DRAW(draw, RG_SHAPE(4, 3), RG__REAL);
    return rg_affine(draw->t, in, weight, index == 1 ? RG_NIL : RG__DRAW(draw, RG_SHAPE(4), RG__REAL));
}

RG__FAMILY(product, ROWS(RG__ROW))
