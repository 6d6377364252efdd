/* Folding blocks: sums, maxima and minima along rows and down columns. The order of each sum depends on the shape of the
 * block alone. Of NaNs the first wins in maxima and minima. Partial results are f64 for floats. */
#ifndef RG__EXEC_KERNELS_FOLD_H
#define RG__EXEC_KERNELS_FOLD_H

#include "ops/op.h"

/* Is there a kernel for it? */
bool rg__fold_has(rg__fold fold, rg_dtype dtype);

/* out[r] := fold of in[r][0 .. columns - 1]; columns >= 1 */
void rg__fold_rows(rg__fold fold, rg_dtype dtype, void *out, const void *in, int64_t rows, int64_t columns);

/* out[r] := sum of a[r][c] b[r][c], each product rounded: the bits of rg__fold_rows of the products */
void rg__fold_products(rg_dtype dtype, void *out, const void *a, const void *b, int64_t rows, int64_t columns);

/* sums[c] := fold of it and in[0 .. rows - 1][c], in the dtype itself: quicker, for a few rows at a time */
void rg__fold_onto(rg__fold fold, rg_dtype dtype, void *sums, const void *in, int64_t rows, int64_t columns);
void rg__fold_clear(rg__fold fold, rg_dtype dtype, void *sums, int64_t n);

/* n partial results that nothing was folded into yet */
void rg__fold_start(rg__fold fold, double *partial, int64_t n);
/* partial[c] := fold of it and in[0 .. rows - 1][c] */
void rg__fold_columns(rg__fold fold, rg_dtype dtype, double *partial, const void *in, int64_t rows, int64_t columns);
/* partial[i] := fold of it and other[i] */
void rg__fold_join(rg__fold fold, double *partial, const double *other, int64_t n);
/* out[i] := partial[i] */
void rg__fold_finish(rg_dtype dtype, void *out, const double *partial, int64_t n);

#endif
