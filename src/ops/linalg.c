/* Linear algebra composed of the factorisations: systems, powers, norms. */
#include "ops/call.h"
#include "ops/factor.h"
#include "ops/family.h"

#include <string.h>

#define KINDS "fro|nuc|1|-1|2|-2|inf|-inf"

#define ROWS(ROW)                                                                                                        \
    ROW(solve, 2, RG__THROUGH, RG__COMPOSITE, "x of a x = b", RG__CALLED(solve, "a: float, b: float"))                   \
    ROW(solve_triangular, 2, RG__THROUGH, RG__COMPOSITE, "x of a x = b with a triangle of a",                            \
        RG__CALLED(solve_triangular, "a: float, b: float, upper: flag, left: flag = true, unitriangular: flag = false")) \
    ROW(cholesky_solve, 2, RG__THROUGH, RG__COMPOSITE, "x of l l^T x = b",                                               \
        RG__CALLED(cholesky_solve, "b: float, l: float, upper: flag = false"))                                           \
    ROW(inverse, 1, RG__THROUGH, RG__COMPOSITE, "a^-1", RG__CALLED(inverse, "a: float"))                                 \
    ROW(lstsq, 2, RG__THROUGH, RG__COMPOSITE, "shortest x of least |a x - b|", RG__CALLED(lstsq, "a: float, b: float"))  \
    ROW(matrix_power, 1, RG__THROUGH, RG__COMPOSITE, "a a ... a", RG__CALLED(matrix_power, "a: float, n: int"))          \
    ROW(trace, 1, RG__THROUGH, RG__COMPOSITE, "sum of the diagonal", RG__CALLED(trace, "a: float"))                      \
    ROW(matrix_norm, 1, RG__THROUGH, RG__COMPOSITE, "norm of a matrix",                                                  \
        RG__CALLED(matrix_norm, "a: float, kind: " KINDS " = fro, axes: ints = all, keepdim: flag = false"))             \
    ROW(cond, 1, RG__THROUGH, RG__COMPOSITE, "|a| |a^-1|", RG__CALLED(cond, "a: float, kind: " KINDS " = 2"))            \
    ROW(matrix_rank, 1, RG__NODIFF, RG__COMPOSITE, "number of singular values above a tolerance",                        \
        RG__CALLED(matrix_rank, "a: float, atol: real = none, rtol: real = none"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_linalg[OP_##name])

/* ---- systems ---- */

/* PyTorch's rule: b holds a vector for each matrix where it is [m], or has a's shape without the last axis. */
static bool is_vector(const rg__node *a, const rg__node *b)
{
    return b->rank == 1 || (b->rank == a->rank - 1 && rg__dims_equal(b->rank, b->dims, a->rank - 1, a->dims));
}

/* Checks b against a [..., m, n]; *vector: it holds vectors. */
static bool right_side(rg_tape *t, const rg__op *op, const rg__node *a, rg_tensor b, bool *vector)
{
    const rg__node *n = rg__arg_of(t, op, b, RG__FLOATS);
    if (!n)
        return false;
    const long long m = (long long)rg__rows(a);
    int64_t dims[RG_MAX_RANK];
    *vector = is_vector(a, n);
    if (n->rank < 1 || (*vector ? n->dims[n->rank - 1] : rg__rows(n)) != m) {
        rg__fail(t, op, RG_ERROR_SHAPE,
                 "a %s and b %s do not fit: b [..., %lld, k], or %lld numbers for each a, is needed", RG__NODE_TEXT(a),
                 RG__NODE_TEXT(n), m, m);
        return false;
    }
    if (*vector && a->dtype != n->dtype) {
        rg__fail(t, op, RG_ERROR_DTYPE, "a is %s and b is %s", rg_dtype_name((rg_dtype)a->dtype),
                 rg_dtype_name((rg_dtype)n->dtype));
        return false;
    }
    return *vector || (rg__matrix_arg(t, op, b) && rg__lead_of(t, op, a, n, dims) >= 0);
}

static rg_tensor as_column(rg_tape *t, rg_tensor b, bool vector)
{
    return vector ? rg_unsqueeze(t, b, -1) : b;
}

static rg_tensor from_column(rg_tape *t, rg_tensor x, bool vector)
{
    return vector ? rg_squeeze(t, x, RG_AXES(-1)) : x;
}

rg_tensor rg_solve(rg_tape *t, rg_tensor a, rg_tensor b)
{
    const rg__node *n = rg__square_arg(t, OP(solve), a);
    bool vector;
    if (!n || !right_side(t, OP(solve), n, b, &vector))
        return RG_NIL;
    return from_column(t, rg__lu_solve(t, a, rg__lu(t, a), as_column(t, b, vector), false), vector);
}

rg_tensor rg_inverse(rg_tape *t, rg_tensor a)
{
    const rg__node *n = rg__square_arg(t, OP(inverse), a);
    return n ? rg__lu_solve(t, a, rg__lu(t, a), rg__identity(t, a, rg__rows(n)), false) : RG_NIL;
}

rg_tensor rg_solve_triangular(rg_tape *t, rg_tensor a, rg_tensor b, bool upper, bool left, bool unitriangular)
{
    const rg__op *op = OP(solve_triangular);
    const rg__node *na = rg__square_arg(t, op, a), *nb = na ? rg__matrix_arg(t, op, b) : NULL;
    int64_t dims[RG_MAX_RANK];
    if (!nb || rg__lead_of(t, op, na, nb, dims) < 0)
        return RG_NIL;
    if ((left ? rg__rows(nb) : rg__columns(nb)) != rg__rows(na)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "a %s and b %s do not fit: b %s is needed", RG__NODE_TEXT(na),
                 RG__NODE_TEXT(nb), left ? "[..., n, k]" : "[..., k, n]");
        return RG_NIL;
    }
    if (left)
        return rg__triangular(t, a, b, upper, unitriangular);
    return rg__transposed(t, rg__triangular(t, rg__transposed(t, a), rg__transposed(t, b), !upper, unitriangular));
}

rg_tensor rg_cholesky_solve(rg_tape *t, rg_tensor b, rg_tensor l, bool upper)
{
    const rg__op *op = OP(cholesky_solve);
    const rg__node *nb = rg__matrix_arg(t, op, b), *nl = nb ? rg__square_arg(t, op, l) : NULL;
    int64_t dims[RG_MAX_RANK];
    if (!nl || rg__lead_of(t, op, nl, nb, dims) < 0)
        return RG_NIL;
    if (rg__rows(nb) != rg__rows(nl)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "b %s and l %s do not fit: b [..., n, k] is needed", RG__NODE_TEXT(nb),
                 RG__NODE_TEXT(nl));
        return RG_NIL;
    }
    rg_tensor lower = upper ? rg__transposed(t, l) : l;
    return rg__triangular(t, rg__transposed(t, lower), rg__triangular(t, lower, b, false, false), true, false);
}

/* a = q r: x = r^-1 q^T b. Of more columns than rows, a = r^T q^T: x = q r^-T b. */
rg_tensor rg_lstsq(rg_tape *t, rg_tensor a, rg_tensor b)
{
    const rg__node *n = rg__matrix_arg(t, OP(lstsq), a);
    bool vector;
    rg_tensor q, r, x;
    if (!n || !right_side(t, OP(lstsq), n, b, &vector))
        return RG_NIL;
    const bool tall = rg__rows(n) >= rg__columns(n);
    rg_tensor right = as_column(t, b, vector);
    rg_qr(t, tall ? a : rg__transposed(t, a), false, &q, &r);
    if (tall)
        x = rg__triangular(t, r, rg_matmul(t, rg__transposed(t, q), right), true, false);
    else
        x = rg_matmul(t, q, rg__triangular(t, rg__transposed(t, r), right, false, false));
    return from_column(t, x, vector);
}

/* ---- powers and traces ---- */

rg_tensor rg_matrix_power(rg_tape *t, rg_tensor a, int64_t n)
{
    const rg__node *node = rg__square_arg(t, OP(matrix_power), a);
    if (!node)
        return RG_NIL;
    uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;
    rg_tensor square = n < 0 ? rg_inverse(t, a) : a, power = RG_NIL;
    if (left == 0)
        return rg_expand(t, rg__identity(t, a, rg__rows(node)), rg_shape_of(t, a));
    for (; left > 0 && !rg_failed(t); left >>= 1) {
        if (left & 1)
            power = rg_is_nil(power) ? square : rg_matmul(t, power, square);
        if (left > 1)
            square = rg_matmul(t, square, square);
    }
    return power;
}

rg_tensor rg_trace(rg_tape *t, rg_tensor a)
{
    const rg__node *n = rg__matrix_arg(t, OP(trace), a);
    return n ? rg_sum(t, rg__diagonal(t, a), RG_AXES(-1), false) : RG_NIL;
}

/* ---- norms ---- */

/* The root; its gradient is 0 at 0. */
static rg_tensor root(rg_tape *t, rg_tensor x)
{
    rg_tensor zero = rg__like(t, x, 0), none = rg_eq(t, x, zero);
    return rg_where(t, none, zero, rg_sqrt(t, rg_where(t, none, rg__like(t, x, 1), x)));
}

/* Of the last two axes. */
static rg_tensor norm(rg_tape *t, const rg__op *op, rg_tensor x, rg_matrix_norm_kind kind)
{
    const rg__node *n = rg__arg(t, op, x);
    if (!n)
        return RG_NIL;
    const int64_t rows = rg__rows(n), columns = rg__columns(n), k = rows < columns ? rows : columns;
    const bool by_columns = kind == RG_NORM_1 || kind == RG_NORM_MINUS_1;
    const bool spectral = kind == RG_NORM_2 || kind == RG_NORM_MINUS_2;
    if (kind == RG_NORM_FRO)
        return root(t, rg_sum(t, rg_square(t, x), RG_AXES(-2, -1), false));
    if (kind != RG_NORM_NUC && (spectral ? k : by_columns ? columns : rows) == 0) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s has nothing for this norm to choose from", RG__NODE_TEXT(n));
        return RG_NIL;
    }
    rg_tensor sums = kind == RG_NORM_NUC || spectral ? rg_svdvals(t, x)
                                                     : rg_sum(t, rg_abs(t, x), RG_AXES(by_columns ? -2 : -1), false);
    switch (kind) {
    case RG_NORM_NUC: return rg_sum(t, sums, RG_AXES(-1), false);
    case RG_NORM_MINUS_1:
    case RG_NORM_MINUS_2:
    case RG_NORM_MINUS_INF: return rg_min(t, sums, RG_AXES(-1), false);
    default: return rg_max(t, sums, RG_AXES(-1), false);
    }
}

static bool valid_kind(rg_tape *t, const rg__op *op, rg_matrix_norm_kind kind)
{
    if ((unsigned)kind <= RG_NORM_MINUS_INF)
        return true;
    rg__fail(t, op, RG_ERROR_ARGUMENT, "%d is no kind of norm: " KINDS " are allowed", (int)kind);
    return false;
}

rg_tensor rg_matrix_norm(rg_tape *t, rg_tensor a, rg_matrix_norm_kind kind, rg_axes axes, bool keepdim)
{
    const rg__op *op = OP(matrix_norm);
    const rg__node *n = rg__matrix_arg(t, op, a);
    if (!n || !valid_kind(t, op, kind))
        return RG_NIL;
    if (axes.count != 0 && axes.count != 2) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%d axes given; the two of the matrix, or none for the last two, are needed",
                 axes.count);
        return RG_NIL;
    }
    const int row = rg__axis_of(t, op, n, axes.count ? axes.axis[0] : -2);
    const int column = row >= 0 ? rg__axis_of(t, op, n, axes.count ? axes.axis[1] : -1) : -1;
    if (column < 0)
        return RG_NIL;
    if (row == column) {
        rg__fail(t, op, RG_ERROR_SHAPE, "axis %d of %s is given twice", row, RG__NODE_TEXT(n));
        return RG_NIL;
    }
    rg_axes order = {0, {0}};
    rg_shape kept = rg_shape_of(t, a);
    kept.dims[row] = kept.dims[column] = 1;
    for (int i = 0; i < n->rank; i++)
        if (i != row && i != column)
            order.axis[order.count++] = i;
    order.axis[order.count++] = row;
    order.axis[order.count++] = column;
    rg_tensor y = norm(t, op, rg_permute(t, a, order), kind);
    return keepdim ? rg_reshape(t, y, kept) : y;
}

rg_tensor rg_cond(rg_tape *t, rg_tensor a, rg_matrix_norm_kind kind)
{
    const rg__op *op = OP(cond);
    const bool spectral = kind == RG_NORM_2 || kind == RG_NORM_MINUS_2;
    const rg__node *n = spectral ? rg__matrix_arg(t, op, a) : rg__square_arg(t, op, a);
    if (!n || !valid_kind(t, op, kind))
        return RG_NIL;
    if (!spectral)
        return rg_mul(t, norm(t, op, a, kind), norm(t, op, rg_inverse(t, a), kind));
    if (rg__rows(n) == 0 || rg__columns(n) == 0) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s has no singular values", RG__NODE_TEXT(n));
        return RG_NIL;
    }
    rg_tensor s = rg_svdvals(t, a), most = rg_select(t, s, -1, 0), least = rg_select(t, s, -1, -1);
    return kind == RG_NORM_2 ? rg_div(t, most, least) : rg_div(t, least, most);
}

rg_tensor rg_matrix_rank(rg_tape *t, rg_tensor a, double atol, double rtol)
{
    const rg__node *n = rg__matrix_arg(t, OP(matrix_rank), a);
    if (!n || !rg__tolerances(t, OP(matrix_rank), n, &atol, &rtol))
        return RG_NIL;
    rg_tensor s = rg_svdvals(t, a);
    rg_tensor least = rg_maximum(t, rg_mul(t, rg_slice(t, s, -1, 0, 1, 1), rg__like(t, s, rtol)), rg__like(t, s, atol));
    return rg_sum(t, rg_cast(t, rg_gt(t, s, least), RG_I64), RG_AXES(-1), false);
}

/* ---- by name ---- */

RG__CALL(solve, rg_solve(t, in[0], in[1]))
RG__CALL(solve_triangular,
         rg_solve_triangular(t, in[0], in[1], RG__FLAG_OF(upper), RG__FLAG_OF(left), RG__FLAG_OF(unitriangular)))
RG__CALL(cholesky_solve, rg_cholesky_solve(t, in[0], in[1], RG__FLAG_OF(upper)))
RG__CALL(inverse, rg_inverse(t, in[0]))
RG__CALL(lstsq, rg_lstsq(t, in[0], in[1]))
RG__CALL(matrix_power, rg_matrix_power(t, in[0], RG__INT_OF(n)))
RG__CALL(trace, rg_trace(t, in[0]))
RG__CALL(matrix_norm,
         rg_matrix_norm(t, in[0], (rg_matrix_norm_kind)RG__WORD_OF(kind), RG__AXES_OF(axes), RG__FLAG_OF(keepdim)))
RG__CALL(cond, rg_cond(t, in[0], (rg_matrix_norm_kind)RG__WORD_OF(kind)))
RG__CALL(matrix_rank, rg_matrix_rank(t, in[0], rg__call_given(c, "atol") ? RG__REAL_OF(atol) : -1,
                                     rg__call_given(c, "rtol") ? RG__REAL_OF(rtol) : -1))

/* ---- samples ---- */

static const rg_shape squares[] = {{2, {3, 3}}, {3, {2, 3, 3}}, {2, {1, 1}}, {2, {0, 0}}, {3, {0, 2, 2}}, {2, {3, 3}}};
static const rg_shape right[] = {{2, {3, 2}}, {2, {2, 3}}, {1, {1}}, {2, {0, 2}}, {3, {0, 2, 1}}, {3, {2, 3, 2}}};
enum { SQUARES = sizeof squares / sizeof *squares };

/* The last one is transposed. */
static rg_tensor square(rg__draw *draw, int index)
{
    rg_tensor a = rg__spread(draw->t, RG__DRAW(draw, squares[index], RG__SMALL), 3, 1);
    return index == SQUARES - 1 ? rg__transposed(draw->t, a) : a;
}

static rg_tensor sample_solve(rg__draw *draw, int index)
{
    if (index >= SQUARES)
        return RG_NIL;
    rg_tensor a = square(draw, index);
    return rg_solve(draw->t, a, RG__DRAW(draw, right[index], RG__REAL));
}

static rg_tensor sample_solve_triangular(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    if (index >= 2 * SQUARES)
        return RG_NIL;
    const bool left = index < SQUARES;
    rg_tensor a = square(draw, index % SQUARES);
    rg_shape s = rg_shape_of(t, a);
    s.dims[s.rank - (left ? 1 : 2)] = 2;
    return rg_solve_triangular(t, a, RG__DRAW(draw, s, RG__REAL), index % 2, left, index % 3 == 0);
}

static rg_tensor sample_cholesky_solve(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    if (index >= SQUARES)
        return RG_NIL;
    rg_tensor l = square(draw, index);
    rg_shape s = rg_shape_of(t, l);
    s.dims[s.rank - 1] = 2;
    return rg_cholesky_solve(t, RG__DRAW(draw, s, RG__REAL), l, index % 2);
}

static rg_tensor sample_inverse(rg__draw *draw, int index)
{
    return index < SQUARES ? rg_inverse(draw->t, square(draw, index)) : RG_NIL;
}

static rg_tensor sample_lstsq(rg__draw *draw, int index)
{
    static const rg_shape a[] = {{2, {4, 2}}, {3, {2, 2, 3}}, {2, {3, 3}}, {2, {3, 0}}, {2, {3, 1}}};
    static const rg_shape b[] = {{2, {4, 2}}, {3, {2, 2, 1}}, {1, {3}}, {2, {3, 2}}, {2, {3, 2}}};
    if (index >= (int)(sizeof a / sizeof *a))
        return RG_NIL;
    rg_tensor x = rg__spread(draw->t, RG__DRAW(draw, a[index], RG__SMALL), 2, .5);
    return rg_lstsq(draw->t, x, RG__DRAW(draw, b[index], RG__SMALL));
}

static rg_tensor sample_matrix_power(rg__draw *draw, int index)
{
    static const int64_t n[] = {1, 2, 3, 5, -1, -2};
    if (index >= SQUARES)
        return RG_NIL;
    rg_tensor a = rg__spread(draw->t, RG__DRAW(draw, squares[index], RG__SMALL), 2, 0.25);
    return rg_matrix_power(draw->t, a, n[index]);
}

static const rg_shape shapes[] = {{2, {3, 3}}, {3, {2, 3, 2}}, {2, {2, 4}}, {2, {1, 1}}, {3, {0, 2, 3}}};
enum { SHAPES = sizeof shapes / sizeof *shapes, KIND_COUNT = RG_NORM_MINUS_INF + 1 };

static rg_tensor sample_trace(rg__draw *draw, int index)
{
    if (index > SHAPES)
        return RG_NIL;
    rg_tensor a = RG__DRAW(draw, shapes[index % SHAPES], RG__REAL);
    return rg_trace(draw->t, index == SHAPES ? rg__transposed(draw->t, a) : a);
}

/* Magnitudes, their sums and the singular values lie apart. */
static rg_tensor apart(rg__draw *draw, int index)
{
    rg__domain small = {RG__INTERVAL, .1, .5};
    return rg__spread(draw->t, RG__DRAW(draw, shapes[index % SHAPES], small), 3, 4);
}

static rg_tensor sample_matrix_norm(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    if (index > 2 * KIND_COUNT)
        return RG_NIL;
    rg_tensor a = apart(draw, index < 2 * KIND_COUNT ? index : 0);
    if (index < 2 * KIND_COUNT)
        return rg_matrix_norm(t, a, (rg_matrix_norm_kind)(index % KIND_COUNT), RG_ALL, index % 3 == 0);
    return rg_matrix_norm(t, rg_unsqueeze(t, a, 1), RG_NORM_NUC, RG_AXES(-1, 0), true);
}

static rg_tensor sample_cond(rg__draw *draw, int index)
{
    rg__domain small = {RG__INTERVAL, .1, .5};
    if (index >= KIND_COUNT)
        return RG_NIL;
    return rg_cond(draw->t, rg__spread(draw->t, RG__DRAW(draw, squares[index % 3], small), 3, 4),
                   (rg_matrix_norm_kind)index);
}

static rg_tensor sample_matrix_rank(rg__draw *draw, int index)
{
    return index < SHAPES ? rg_matrix_rank(draw->t, apart(draw, index), -1, -1) : RG_NIL;
}

RG__FAMILY(linalg, ROWS(RG__ROW))
