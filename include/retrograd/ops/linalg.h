/* Retrograd: linear algebra. Included by <retrograd/ops.h>, whose conventions hold.
 *
 * Every op takes float matrices [..., m, n] ("square": [..., n, n]) and works on each of the leading positions, which broadcast
 * where there are two arguments. The factorisations are LAPACK's. What it finds while running (a singular matrix, one that
 * is not positive definite, an iteration that does not converge) is RG_ERROR_VALUE, and says which of the matrices it is.
 * Extents are at most 2^24. Gradients are of any order unless said otherwise. Names and defaults are those of torch.linalg. */
#ifndef RETROGRAD_OPS_LINALG_H
#define RETROGRAD_OPS_LINALG_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- linear systems ------------------------------------------------------------------------------------------------ */
/* x of a x = b, a square. b is [..., n, k], or, as in PyTorch, a vector for each matrix where its shape is [n] or a's
 * without the last axis. A singular matrix is an error. */
RG_API rg_tensor rg_solve(rg_tape *t, rg_tensor a, rg_tensor b);
/* x of a x = b [..., n, k] with a triangle of a, the rest of which is not looked at; where not left, of x a = b [..., k, n].
 * unitriangular: its diagonal counts as ones. A 0 on the diagonal is an error; PyTorch gives infinities. */
RG_API rg_tensor rg_solve_triangular(rg_tape *t, rg_tensor a, rg_tensor b, bool upper, bool left, bool unitriangular);
/* x of a x = b [..., n, k] with a = l l^T, or l^T l where upper: rg_cholesky's result. PyTorch's order of arguments. */
RG_API rg_tensor rg_cholesky_solve(rg_tape *t, rg_tensor b, rg_tensor l, bool upper);
RG_API rg_tensor rg_inverse(rg_tape *t, rg_tensor a); /* a singular matrix is an error */
/* The x of least |a x - b|, and among those the shortest. a [..., m, n] must have full rank: one that has exactly not is an
 * error, one that has nearly not gives what rounding makes of it. b [..., m, k], or [..., m] as for rg_solve. The solution
 * alone; PyTorch gives residuals, rank and singular values, too. */
RG_API rg_tensor rg_lstsq(rg_tape *t, rg_tensor a, rg_tensor b);
/* The pseudoinverse [..., n, m]. Singular values up to max(atol, rtol times the largest) count as 0. Negative stands for
 * PyTorch's defaults: atol 0; rtol max(m, n) epsilon, but 0 where atol is positive. The gradient is that at constant
 * rank. NaN and infinity in a are an error. */
RG_API rg_tensor rg_pinv(rg_tape *t, rg_tensor a, double atol, double rtol);

/* ---- functions of a square matrix ---------------------------------------------------------------------------------- */
/* [...]; 0 for a singular matrix, 1 for one without elements. The gradient is that of the polynomial, for singular
 * matrices, too; second derivatives are there for invertible ones. */
RG_API rg_tensor rg_det(rg_tape *t, rg_tensor a);
/* Of the determinant: its sign -1, 0 or 1, without gradient, and ln |det|, -inf for a singular matrix, whose gradient is an
 * error. Either may be NULL. */
RG_API void rg_slogdet(rg_tape *t, rg_tensor a, rg_tensor *sign, rg_tensor *logabsdet);
/* a a ... a, n times; of the inverse where n is negative; the identity where n is 0. */
RG_API rg_tensor rg_matrix_power(rg_tape *t, rg_tensor a, int64_t n);
/* 1 + a + a a / 2! + ..., by scaling and squaring (Higham 2005), in f64 throughout. */
RG_API rg_tensor rg_matrix_exp(rg_tape *t, rg_tensor a);
/* The sum of the diagonal of each matrix, square or not: [..., m, n] -> [...]. PyTorch's takes a single matrix. */
RG_API rg_tensor rg_trace(rg_tape *t, rg_tensor a);

/* ---- factorisations: a result may be NULL ------------------------------------------------------------------------------ */
/* l of a = l l^T from the lower triangle of a, or u of a = u^T u from the upper one. The gradient is symmetric. */
RG_API rg_tensor rg_cholesky(rg_tape *t, rg_tensor a, bool upper);
/* q r = a with orthonormal columns of q: [..., m, k] and [..., k, n] with k = min(m, n), or m where complete. Gradients need
 * the first k columns of a to be independent; a complete q of more rows than columns has none, and asking is an error. */
RG_API void rg_qr(rg_tape *t, rg_tensor a, bool complete, rg_tensor *q, rg_tensor *r);
/* Eigenvalues w [..., n] upwards and orthonormal eigenvectors v [..., n, n], as columns, of the symmetric matrix in the lower
 * triangle of a, or the upper. NaN and infinity are an error. The gradient is symmetric; that of v is finite where all
 * eigenvalues are different, and only of use for what does not depend on the vectors' signs. */
RG_API void rg_eigh(rg_tape *t, rg_tensor a, bool upper, rg_tensor *w, rg_tensor *v);
RG_API rg_tensor rg_eigvalsh(rg_tape *t, rg_tensor a, bool upper); /* w alone */
/* u diag(s) vh = a with s [..., k] >= 0 downwards, k = min(m, n); u [..., m, k] and vh [..., k, n], or, with full matrices,
 * which is PyTorch's default, [..., m, m] and [..., n, n]. NaN and infinity are an error. The gradients of u and vh are finite
 * where the singular values are different, and not 0 where a is not square; what belongs to no singular value takes no part. */
RG_API void rg_svd(rg_tape *t, rg_tensor a, bool full_matrices, rg_tensor *u, rg_tensor *s, rg_tensor *vh);
RG_API rg_tensor rg_svdvals(rg_tape *t, rg_tensor a); /* s alone */

/* ---- norms and rank -------------------------------------------------------------------------------------------------- */
typedef enum rg_matrix_norm_kind {
    RG_NORM_FRO = 0, /* root of the sum of squares; gradient 0 where all are 0 */
    RG_NORM_NUC,     /* sum of the singular values                             */
    RG_NORM_1,       /* largest sum of magnitudes of a column                  */
    RG_NORM_MINUS_1, /* smallest                                               */
    RG_NORM_2,       /* largest singular value                                 */
    RG_NORM_MINUS_2, /* smallest                                               */
    RG_NORM_INF,     /* largest sum of magnitudes of a row                     */
    RG_NORM_MINUS_INF,
} rg_matrix_norm_kind;
/* Over two axes, rows and columns; RG_ALL stands for the last two. Ties share the gradient. The largest or smallest of
 * nothing is an error. */
RG_API rg_tensor rg_matrix_norm(rg_tape *t, rg_tensor a, rg_matrix_norm_kind kind, rg_axes axes, bool keepdim);
/* [...]: norm of a times norm of its inverse; RG_NORM_2 is PyTorch's default, the quotient of the largest and the smallest
 * singular value, RG_NORM_MINUS_2 the other way round: those take any matrix, the others invertible ones. */
RG_API rg_tensor rg_cond(rg_tape *t, rg_tensor a, rg_matrix_norm_kind kind);
/* [...] i64: how many singular values are larger than max(atol, rtol times the largest), as for rg_pinv. */
RG_API rg_tensor rg_matrix_rank(rg_tape *t, rg_tensor a, double atol, double rtol);

#ifdef __cplusplus
}
#endif
#endif
