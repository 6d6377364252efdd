/* Products of tensors, composed: sums over axes, blocks, matrices with what is added to them. */
#include "ops/call.h"
#include "ops/contraction.h"
#include "ops/family.h"

#include <stdlib.h>
#include <string.h>

#define ROWS(ROW)                                                                                                        \
    ROW(tensordot, 2, RG__THROUGH, RG__COMPOSITE, "sum of products over pairs of axes",                                  \
        RG__CALLED(tensordot, "a: float, b: float, count: int = 2, axes_a: ints = none, axes_b: ints = none"))           \
    ROW(inner, 2, RG__THROUGH, RG__COMPOSITE, "sum of products over the last axes",                                      \
        RG__CALLED(inner, "a: float, b: float"))                                                                         \
    ROW(vdot, 2, RG__THROUGH, RG__COMPOSITE, "sum of a[i] b[i]", RG__CALLED(vdot, "a: float, b: float"))                 \
    ROW(vecdot, 2, RG__THROUGH, RG__COMPOSITE, "sum of a b along an axis",                                               \
        RG__CALLED(vecdot, "a: float, b: float, axis: int = -1"))                                                        \
    ROW(cross, 2, RG__THROUGH, RG__COMPOSITE, "vector product", RG__CALLED(cross, "a: float, b: float, axis: int = -1")) \
    ROW(kron, 2, RG__THROUGH, RG__COMPOSITE, "product of Kronecker", RG__CALLED(kron, "a: float, b: float"))             \
    ROW(mm, 2, RG__THROUGH, RG__COMPOSITE, "a b", RG__CALLED(mm, "a: float, b: float"))                                  \
    ROW(mv, 2, RG__THROUGH, RG__COMPOSITE, "a x", RG__CALLED(mv, "a: float, x: float"))                                  \
    ROW(bmm, 2, RG__THROUGH, RG__COMPOSITE, "a b, matrix by matrix", RG__CALLED(bmm, "a: float, b: float"))              \
    ROW(addmm, 3, RG__THROUGH, RG__COMPOSITE, "beta input + alpha a b",                                                  \
        RG__CALLED(addmm, "input: float, a: float, b: float, beta: real = 1, alpha: real = 1"))                          \
    ROW(addmv, 3, RG__THROUGH, RG__COMPOSITE, "beta input + alpha a x",                                                  \
        RG__CALLED(addmv, "input: float, a: float, x: float, beta: real = 1, alpha: real = 1"))                          \
    ROW(baddbmm, 3, RG__THROUGH, RG__COMPOSITE, "beta input + alpha a b, matrix by matrix",                              \
        RG__CALLED(baddbmm, "input: float, a: float, b: float, beta: real = 1, alpha: real = 1"))                        \
    ROW(multi_dot, -1, RG__THROUGH, RG__COMPOSITE, "a b c ... in the cheapest order",                                    \
        RG__CALLED(multi_dot, "matrices...: float"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_contract[OP_##name])

/* The nodes of two floats of one dtype; false and an error otherwise. */
static bool two(rg_tape *t, const rg__op *op, rg_tensor a, rg_tensor b, const rg__node **na, const rg__node **nb)
{
    *na = rg__arg_of(t, op, a, RG__FLOATS);
    *nb = *na ? rg__arg_of(t, op, b, RG__FLOATS) : NULL;
    if (!*nb)
        return false;
    if ((*na)->dtype == (*nb)->dtype)
        return true;
    rg__fail(t, op, RG_ERROR_DTYPE, "the first is %s and the second is %s", rg_dtype_name((rg_dtype)(*na)->dtype),
             rg_dtype_name((rg_dtype)(*nb)->dtype));
    return false;
}

/* ---- sums over axes ---- */

/* Gives both the indices of their axes, those that are summed in common. */
static bool name_axes(rg_tape *t, const rg__op *op, rg__contraction *c, rg__term *x, rg__term *y, int count,
                      const int *axes_a, const int *axes_b)
{
    const rg__node *a = rg__arg(t, op, x->x), *b = a ? rg__arg(t, op, y->x) : NULL;
    bool in_a[RG_MAX_RANK] = {false}, in_b[RG_MAX_RANK] = {false};
    if (!b)
        return false;
    for (int i = 0; i < RG_MAX_RANK; i++) {
        x->index[i] = (uint8_t)i;
        y->index[i] = (uint8_t)(a->rank + i);
        if (i < a->rank)
            c->extent[i] = a->dims[i];
        if (i < b->rank)
            c->extent[a->rank + i] = b->dims[i];
    }
    for (int i = 0; i < count; i++) {
        const int p = rg__axis_of(t, op, a, axes_a ? axes_a[i] : a->rank - count + i);
        const int q = p < 0 ? -1 : rg__axis_of(t, op, b, axes_b ? axes_b[i] : i);
        if (q < 0)
            return false;
        if (in_a[p] || in_b[q] || (a->dims[p] != b->dims[q] && a->dims[p] != 1 && b->dims[q] != 1)) {
            rg__fail(t, op, RG_ERROR_SHAPE, "axis %d of a %s and axis %d of b %s %s", p, RG__NODE_TEXT(a), q,
                     RG__NODE_TEXT(b), in_a[p] || in_b[q] ? "are paired, one of them for the second time" : "do not fit");
            return false;
        }
        in_a[p] = in_b[q] = true;
        y->index[q] = (uint8_t)p;
        c->extent[p] = a->dims[p] == 1 ? b->dims[q] : a->dims[p];
    }
    for (int i = 0; i < a->rank + b->rank; i++)
        if (i < a->rank ? !in_a[i] : !in_b[i - a->rank]) {
            if (c->rank == RG_MAX_RANK) {
                rg__fail(t, op, RG_ERROR_SHAPE, "the result of %s and %s would have more than %d axes",
                         RG__NODE_TEXT(a), RG__NODE_TEXT(b), RG_MAX_RANK);
                return false;
            }
            c->index[c->rank++] = (uint8_t)i;
        }
    return true;
}

static rg_tensor contracted(rg_tape *t, const rg__op *op, rg_tensor a, rg_tensor b, int count, const int *axes_a,
                            const int *axes_b)
{
    rg__contraction c = {.op = op};
    rg__term terms[2] = {{.x = a, .rank = rg_shape_of(t, a).rank}, {.x = b, .rank = rg_shape_of(t, b).rank}};
    for (int i = 0; i < RG__INDICES; i++)
        c.extent[i] = 1;
    if (!name_axes(t, op, &c, &terms[0], &terms[1], count, axes_a, axes_b))
        return RG_NIL;
    terms[0] = rg__term_fitted(t, &c, terms[0]);
    terms[1] = rg__term_fitted(t, &c, terms[1]);
    return rg__contract(t, &c, terms, 2);
}

rg_tensor rg_tensordot(rg_tape *t, rg_tensor a, rg_tensor b, int count, const int *axes_a, const int *axes_b)
{
    const rg__op *op = OP(tensordot);
    const rg__node *na, *nb;
    if (!two(t, op, a, b, &na, &nb))
        return RG_NIL;
    const int most = na->rank < nb->rank ? na->rank : nb->rank;
    if (count < 0 || count > most || !axes_a != !axes_b) {
        rg__fail(t, op, RG_ERROR_ARGUMENT,
                 "%d pairs of axes%s for %s and %s: 0 to %d, listed for both or neither, are allowed", count,
                 !axes_a == !axes_b ? "" : ", listed for one,", RG__NODE_TEXT(na), RG__NODE_TEXT(nb), most);
        return RG_NIL;
    }
    return contracted(t, op, a, b, count, axes_a, axes_b);
}

rg_tensor rg_inner(rg_tape *t, rg_tensor a, rg_tensor b)
{
    const rg__node *na, *nb;
    if (!two(t, OP(inner), a, b, &na, &nb))
        return RG_NIL;
    if (na->rank == 0 || nb->rank == 0)
        return rg_mul(t, a, b);
    if (rg_dim(t, a, -1) != rg_dim(t, b, -1)) {
        rg__fail(t, OP(inner), RG_ERROR_SHAPE, "the last axes of a %s and b %s must be equal", RG__NODE_TEXT(na),
                 RG__NODE_TEXT(nb));
        return RG_NIL;
    }
    return contracted(t, OP(inner), a, b, 1, (int[]){-1}, (int[]){-1});
}

rg_tensor rg_vdot(rg_tape *t, rg_tensor a, rg_tensor b)
{
    const rg__node *na, *nb;
    if (!two(t, OP(vdot), a, b, &na, &nb))
        return RG_NIL;
    if (na->rank != 1 || nb->rank != 1 || na->numel != nb->numel) {
        rg__fail(t, OP(vdot), RG_ERROR_SHAPE, "%s and %s must be vectors of one length", RG__NODE_TEXT(na),
                 RG__NODE_TEXT(nb));
        return RG_NIL;
    }
    return rg_dot(t, a, b);
}

rg_tensor rg_vecdot(rg_tape *t, rg_tensor a, rg_tensor b, int axis)
{
    const rg__op *op = OP(vecdot);
    const rg__node *na, *nb;
    rg_tensor product = two(t, op, a, b, &na, &nb) ? rg_mul(t, a, b) : RG_NIL;
    const rg__node *n = rg_is_nil(product) ? NULL : rg__arg(t, op, product);
    const int at = n ? rg__axis_of(t, op, n, axis) : -1;
    return at < 0 ? RG_NIL : rg_sum(t, product, RG_AXES(at), false);
}

/* x[1], x[2], x[0] along an axis of three, or x[2], x[0], x[1]. */
static rg_tensor turned(rg_tape *t, rg_tensor x, int axis, int by)
{
    return rg_cat(t, (rg_tensor[]){rg_slice(t, x, axis, by, 3, 1), rg_slice(t, x, axis, 0, by, 1)}, 2, axis);
}

rg_tensor rg_cross(rg_tape *t, rg_tensor a, rg_tensor b, int axis)
{
    const rg__op *op = OP(cross);
    const rg__node *na, *nb;
    if (!two(t, op, a, b, &na, &nb))
        return RG_NIL;
    const int at = rg__axis_of(t, op, na, axis);
    if (at < 0)
        return RG_NIL;
    if (na->rank != nb->rank || na->dims[at] != 3 || nb->dims[at] != 3) {
        rg__fail(t, op, RG_ERROR_SHAPE, "a %s and b %s must have one rank, and extent 3 along axis %d",
                 RG__NODE_TEXT(na), RG__NODE_TEXT(nb), axis);
        return RG_NIL;
    }
    return rg_sub(t, rg_mul(t, turned(t, a, at, 1), turned(t, b, at, 2)),
                  rg_mul(t, turned(t, a, at, 2), turned(t, b, at, 1)));
}

/* An axis of each, one behind the other, and joined at the end; where one has extent 1, the other's is enough. */
rg_tensor rg_kron(rg_tape *t, rg_tensor a, rg_tensor b)
{
    const rg__node *na, *nb;
    if (!two(t, OP(kron), a, b, &na, &nb))
        return RG_NIL;
    const int rank = na->rank > nb->rank ? na->rank : nb->rank;
    int64_t of_a[2 * RG_MAX_RANK], of_b[2 * RG_MAX_RANK];
    rg_shape first = {0, {0}}, second = {0, {0}}, shape = {rank, {0}};
    int axes = 0;
    for (int i = 0; i < rank; i++) {
        const int64_t x = i < rank - na->rank ? 1 : na->dims[i - rank + na->rank];
        const int64_t y = i < rank - nb->rank ? 1 : nb->dims[i - rank + nb->rank];
        if (x != 1)
            of_a[axes] = x, of_b[axes++] = 1;
        if (y != 1)
            of_a[axes] = 1, of_b[axes++] = y;
        if (__builtin_mul_overflow(x, y, &shape.dims[i]))
            shape.dims[i] = INT64_MAX;
    }
    if (axes > RG_MAX_RANK || rg_shape_numel(shape) < 0) {
        rg__fail(t, OP(kron), RG_ERROR_SHAPE,
                 "%s and %s have %d axes of other extents than 1, or too many elements; %d are allowed",
                 RG__NODE_TEXT(na), RG__NODE_TEXT(nb), axes, RG_MAX_RANK);
        return RG_NIL;
    }
    first.rank = second.rank = axes;
    memcpy(first.dims, of_a, (size_t)axes * sizeof *of_a);
    memcpy(second.dims, of_b, (size_t)axes * sizeof *of_b);
    return rg_reshape(t, rg_mul(t, rg_reshape(t, a, first), rg_reshape(t, b, second)), shape);
}

/* ---- matrices ---- */

/* The product of an a of rank_a axes and a b of rank_b; of three axes, the first is that of the batch. */
static rg_tensor product(rg_tape *t, const rg__op *op, rg_tensor a, int rank_a, rg_tensor b, int rank_b)
{
    const rg__node *na, *nb;
    if (!two(t, op, a, b, &na, &nb))
        return RG_NIL;
    if (na->rank != rank_a || nb->rank != rank_b || na->dims[rank_a - 1] != nb->dims[rank_b == 1 ? 0 : rank_b - 2] ||
        (rank_a == 3 && na->dims[0] != nb->dims[0])) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s and %s do not fit: %s are needed", RG__NODE_TEXT(na), RG__NODE_TEXT(nb),
                 rank_a == 3   ? "[b, m, k] and [b, k, n]"
                 : rank_b == 1 ? "[m, n] and [n]"
                               : "[m, k] and [k, n]");
        return RG_NIL;
    }
    return rg_matmul(t, a, b);
}

rg_tensor rg_mm(rg_tape *t, rg_tensor a, rg_tensor b)
{
    return product(t, OP(mm), a, 2, b, 2);
}

rg_tensor rg_mv(rg_tape *t, rg_tensor a, rg_tensor x)
{
    return product(t, OP(mv), a, 2, x, 1);
}

rg_tensor rg_bmm(rg_tape *t, rg_tensor a, rg_tensor b)
{
    return product(t, OP(bmm), a, 3, b, 3);
}

static rg_tensor scaled(rg_tape *t, rg_tensor x, double by)
{
    return by == 1 ? x : rg_mul_scalar(t, x, by);
}

/* beta input + alpha p, where the input broadcasts to p. */
static rg_tensor added(rg_tape *t, const rg__op *op, rg_tensor input, rg_tensor p, double beta, double alpha)
{
    const rg__node *ni, *np;
    if (rg_is_nil(p) || !two(t, op, input, p, &ni, &np))
        return RG_NIL;
    int rank = np->rank;
    int64_t dims[RG_MAX_RANK];
    memcpy(dims, np->dims, np->rank * sizeof *dims);
    if (!rg__broadcast(&rank, dims, ni->rank, ni->dims) || !rg__dims_equal(rank, dims, np->rank, np->dims)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "input %s does not broadcast to the product %s", RG__NODE_TEXT(ni),
                 RG__NODE_TEXT(np));
        return RG_NIL;
    }
    p = scaled(t, p, alpha);
    return beta == 0 ? p : rg_add(t, scaled(t, input, beta), p);
}

rg_tensor rg_addmm(rg_tape *t, rg_tensor input, rg_tensor a, rg_tensor b, double beta, double alpha)
{
    return added(t, OP(addmm), input, product(t, OP(addmm), a, 2, b, 2), beta, alpha);
}

rg_tensor rg_addmv(rg_tape *t, rg_tensor input, rg_tensor a, rg_tensor x, double beta, double alpha)
{
    return added(t, OP(addmv), input, product(t, OP(addmv), a, 2, x, 1), beta, alpha);
}

rg_tensor rg_baddbmm(rg_tape *t, rg_tensor input, rg_tensor a, rg_tensor b, double beta, double alpha)
{
    return added(t, OP(baddbmm), input, product(t, OP(baddbmm), a, 3, b, 3), beta, alpha);
}

/* ---- chains of matrices ---- */

enum { MOST_MATRICES = 256 };

typedef struct chain {
    rg_tensor x[MOST_MATRICES];
    double extent[MOST_MATRICES + 1];            /* matrix i is [extent[i], extent[i + 1]]            */
    double cost[MOST_MATRICES][MOST_MATRICES];   /* of the product of matrices i to j                 */
    uint8_t split[MOST_MATRICES][MOST_MATRICES]; /* it is that of i to split and split + 1 to j       */
} chain;

/* Cormen et al., "Introduction to algorithms", matrix-chain multiplication. */
static void find_order(chain *c, int count)
{
    for (int length = 2; length <= count; length++)
        for (int i = 0; i + length <= count; i++) {
            const int j = i + length - 1;
            c->cost[i][j] = -1;
            for (int k = i; k < j; k++) {
                const double cost =
                    c->cost[i][k] + c->cost[k + 1][j] + c->extent[i] * c->extent[k + 1] * c->extent[j + 1];
                if (c->cost[i][j] < 0 || cost < c->cost[i][j]) {
                    c->cost[i][j] = cost;
                    c->split[i][j] = (uint8_t)k;
                }
            }
        }
}

static rg_tensor chain_product(rg_tape *t, const chain *c, int i, int j)
{
    if (i == j)
        return c->x[i];
    const rg_tensor left = chain_product(t, c, i, c->split[i][j]), right = chain_product(t, c, c->split[i][j] + 1, j);
    return rg_matmul(t, left, right);
}

/* Fills the chain; vectors become a row and a column. */
static bool read_chain(rg_tape *t, const rg__op *op, chain *c, const rg_tensor *matrices, int count, bool *row,
                       bool *column)
{
    for (int i = 0; i < count; i++) {
        const rg__node *n, *first;
        if (!two(t, op, matrices[0], matrices[i], &first, &n))
            return false;
        const bool vector = n->rank == 1 && (i == 0 || i == count - 1);
        const int64_t rows = vector && i == 0 ? 1 : n->rank ? n->dims[0] : 0;
        if ((n->rank != 2 && !vector) || (i > 0 && (double)rows != c->extent[i])) {
            rg__fail(t, op, RG_ERROR_SHAPE, "matrix %d is %s: a matrix of %.0f rows%s is needed", i, RG__NODE_TEXT(n),
                     i ? c->extent[i] : (double)rows, i == 0 || i == count - 1 ? ", or a vector," : "");
            return false;
        }
        c->extent[i] = (double)rows;
        c->extent[i + 1] = vector ? (i == 0 ? (double)n->dims[0] : 1) : (double)n->dims[1];
        c->x[i] = vector ? rg_unsqueeze(t, matrices[i], i == 0 ? 0 : 1) : matrices[i];
        *row = *row || (vector && i == 0);
        *column = *column || (vector && i > 0);
    }
    return true;
}

rg_tensor rg_multi_dot(rg_tape *t, const rg_tensor *matrices, int count)
{
    const rg__op *op = OP(multi_dot);
    if (rg_failed(t))
        return RG_NIL;
    if (!matrices || count < 2 || count > MOST_MATRICES) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%d matrices; 2 to %d are needed", matrices ? count : 0, MOST_MATRICES);
        return RG_NIL;
    }
    chain *c = calloc(1, sizeof *c);
    if (!c) {
        rg__fail(t, op, RG_ERROR_MEMORY, "out of memory");
        return RG_NIL;
    }
    bool row = false, column = false;
    rg_tensor y = RG_NIL;
    if (read_chain(t, op, c, matrices, count, &row, &column)) {
        find_order(c, count);
        y = chain_product(t, c, 0, count - 1);
        y = column ? rg_squeeze(t, y, RG_AXES(1)) : y;
        y = row ? rg_squeeze(t, y, RG_AXES(0)) : y;
    }
    free(c);
    return y;
}

/* ---- by name ---- */

static int call_tensordot(const rg__call *c, rg_tensor *out)
{
    const rg_axes a = rg__call_axes(c, "axes_a"), b = rg__call_axes(c, "axes_b");
    const bool listed = rg__call_given(c, "axes_a") || rg__call_given(c, "axes_b");
    int64_t count = rg__call_int(c, "count");
    count = count < -1 ? -1 : count > INT16_MAX ? INT16_MAX : count;
    if (listed && a.count != b.count)
        rg__fail(c->t, c->op, RG_ERROR_ARGUMENT, "axes_a has %d numbers and axes_b has %d; as many are needed", a.count,
                 b.count);
    out[0] = listed ? rg_tensordot(c->t, c->in[0], c->in[1], a.count, a.axis, b.axis)
                    : rg_tensordot(c->t, c->in[0], c->in[1], (int)count, NULL, NULL);
    return 1;
}
RG__CALL(inner, rg_inner(t, in[0], in[1]))
RG__CALL(vdot, rg_vdot(t, in[0], in[1]))
RG__CALL(vecdot, rg_vecdot(t, in[0], in[1], RG__AXIS_OF(axis)))
RG__CALL(cross, rg_cross(t, in[0], in[1], RG__AXIS_OF(axis)))
RG__CALL(kron, rg_kron(t, in[0], in[1]))
RG__CALL(mm, rg_mm(t, in[0], in[1]))
RG__CALL(mv, rg_mv(t, in[0], in[1]))
RG__CALL(bmm, rg_bmm(t, in[0], in[1]))
RG__CALL(addmm, rg_addmm(t, in[0], in[1], in[2], RG__REAL_OF(beta), RG__REAL_OF(alpha)))
RG__CALL(addmv, rg_addmv(t, in[0], in[1], in[2], RG__REAL_OF(beta), RG__REAL_OF(alpha)))
RG__CALL(baddbmm, rg_baddbmm(t, in[0], in[1], in[2], RG__REAL_OF(beta), RG__REAL_OF(alpha)))
RG__CALL(multi_dot, rg_multi_dot(t, in, c->count))

/* ---- samples ---- */

/* Of two arguments, in shapes of a table that ends with a negative rank; every second time b is drawn transposed. */
typedef struct shapes {
    rg_shape a, b;
} shapes;

static bool drawn(rg__draw *draw, const shapes *table, int count, int index, rg_tensor *x)
{
    if (index >= count)
        return false;
    rg_shape b = table[index].b;
    const bool turn = index % 2 && b.rank >= 2;
    if (turn) {
        const int64_t last = b.dims[b.rank - 1];
        b.dims[b.rank - 1] = b.dims[b.rank - 2];
        b.dims[b.rank - 2] = last;
    }
    x[0] = RG__DRAW(draw, table[index].a, RG__REAL);
    x[1] = RG__DRAW(draw, b, RG__REAL);
    if (turn)
        x[1] = rg_transpose(draw->t, x[1], -1, -2);
    return true;
}

#define SAMPLE(name, call, ...)                                                                     \
    static rg_tensor sample_##name(rg__draw *draw, int index)                                       \
    {                                                                                               \
        static const shapes table[] = {__VA_ARGS__};                                                \
        rg_tape *t = draw->t;                                                                       \
        rg_tensor x[2];                                                                             \
        return drawn(draw, table, (int)(sizeof table / sizeof *table), index, x) ? (call) : RG_NIL; \
    }

// clang-format off
SAMPLE(tensordot, index < 3 ? rg_tensordot(t, x[0], x[1], index, NULL, NULL)
                            : rg_tensordot(t, x[0], x[1], 2, (int[]){-1, 0}, (int[]){0, 2}),
       {{1, {2}}, {1, {3}}}, {{2, {2, 3}}, {2, {3, 2}}}, {{3, {2, 3, 2}}, {3, {3, 2, 2}}}, {{3, {2, 3, 4}}, {3, {4, 2, 2}}},
       {{3, {1, 3, 2}}, {3, {2, 1, 3}}}, {{3, {0, 2, 3}}, {3, {3, 2, 0}}})
SAMPLE(inner, rg_inner(t, x[0], x[1]), {{1, {3}}, {1, {3}}}, {{2, {2, 3}}, {2, {4, 3}}}, {{0, {0}}, {2, {2, 2}}},
       {{2, {2, 0}}, {1, {0}}})
SAMPLE(vdot, rg_vdot(t, x[0], x[1]), {{1, {3}}, {1, {3}}}, {{1, {0}}, {1, {0}}})
SAMPLE(vecdot, rg_vecdot(t, x[0], x[1], index == 1 ? 0 : -1), {{1, {3}}, {1, {3}}}, {{2, {2, 3}}, {2, {2, 1}}},
       {{2, {2, 3}}, {1, {3}}}, {{2, {0, 2}}, {2, {0, 2}}})
SAMPLE(cross, rg_cross(t, x[0], x[1], index == 1 ? 0 : -1), {{1, {3}}, {1, {3}}}, {{2, {3, 2}}, {2, {3, 2}}},
       {{2, {2, 3}}, {2, {1, 3}}}, {{2, {0, 3}}, {2, {0, 3}}})
SAMPLE(kron, rg_kron(t, x[0], x[1]), {{2, {2, 3}}, {2, {2, 2}}}, {{1, {3}}, {2, {2, 2}}}, {{0, {0}}, {1, {2}}},
       {{3, {2, 1, 2}}, {2, {1, 3}}}, {{2, {0, 2}}, {2, {2, 2}}})
SAMPLE(mm, rg_mm(t, x[0], x[1]), {{2, {2, 3}}, {2, {3, 4}}}, {{2, {2, 3}}, {2, {3, 2}}}, {{2, {2, 0}}, {2, {0, 3}}})
SAMPLE(mv, rg_mv(t, x[0], x[1]), {{2, {2, 3}}, {1, {3}}}, {{2, {2, 0}}, {1, {0}}})
SAMPLE(bmm, rg_bmm(t, x[0], x[1]), {{3, {2, 2, 3}}, {3, {2, 3, 2}}}, {{3, {2, 1, 3}}, {3, {2, 3, 2}}}, {{3, {0, 2, 3}}, {3, {0, 3, 2}}})
SAMPLE(addmm, rg_addmm(t, RG__DRAW(draw, index ? RG_SHAPE(2) : RG_SHAPE(2, 2), RG__REAL), x[0], x[1], index == 2 ? 0 : 1.5, index - .5),
       {{2, {2, 3}}, {2, {3, 2}}}, {{2, {3, 2}}, {2, {2, 2}}}, {{2, {2, 0}}, {2, {0, 2}}})
SAMPLE(addmv, rg_addmv(t, RG__DRAW(draw, index ? RG_SCALAR : RG_SHAPE(2), RG__REAL), x[0], x[1], 1, 2 - index),
       {{2, {2, 3}}, {1, {3}}}, {{2, {3, 2}}, {1, {2}}}, {{2, {0, 2}}, {1, {2}}})
SAMPLE(baddbmm, rg_baddbmm(t, RG__DRAW(draw, index ? RG_SHAPE(2) : RG_SHAPE(2, 2, 2), RG__REAL), x[0], x[1], .5, 1 + index),
       {{3, {2, 2, 3}}, {3, {2, 3, 2}}}, {{3, {2, 1, 3}}, {3, {2, 3, 2}}}, {{3, {0, 2, 3}}, {3, {0, 3, 2}}})
// clang-format on

static rg_tensor sample_multi_dot(rg__draw *draw, int index)
{
    static const struct {
        int count;
        rg_shape shape[4];
    } samples[] = {{2, {{2, {2, 3}}, {2, {3, 2}}}},
                   {3, {{2, {2, 3}}, {2, {3, 1}}, {2, {1, 4}}}},
                   {4, {{1, {3}}, {2, {3, 2}}, {2, {2, 3}}, {1, {3}}}},
                   {3, {{2, {2, 0}}, {2, {0, 3}}, {1, {3}}}}};
    if (index >= (int)(sizeof samples / sizeof *samples))
        return RG_NIL;
    rg_tensor x[4] = {{0, 0}};
    for (int i = 0; i < samples[index].count; i++)
        x[i] = RG__DRAW(draw, samples[index].shape[i], RG__REAL);
    return rg_multi_dot(draw->t, x, samples[index].count);
}

RG__FAMILY(contract, ROWS(RG__ROW))
