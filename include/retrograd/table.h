/* Retrograd: the op table: every op by name, for tools, bindings and tests. Each op here is the function rg_NAME of
 * <retrograd/ops.h>, which states its contract. */
#ifndef RETROGRAD_TABLE_H
#define RETROGRAD_TABLE_H

#include <retrograd/autograd.h>
#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What there is to know of an op. The texts are the library's, and stay.
 *
 * The signature lists what the op takes, as in
 *
 *     x: float, weight: float, bias?: float, stride: ints = 1, mode: zeros|reflect = zeros -> values, indices
 *
 * Tensors come first. The word behind the colon says which dtypes they may have: any, number (f32, f64, i32, i64), float
 * (f32, f64), integer (i32, i64), whole (i32, i64, bool) or bool; `?` marks one that may be left out, `...` any number of
 * them. Attributes follow: int, real, flag (true or false), dtype, ints (one or several), text, or the words to choose
 * from; what stands behind `=` is the default, and an attribute without one must be given. Behind the arrow stand the names
 * of the results where there are several, `...` where their number depends on the arguments. */
typedef struct rg_op {
    const char *name;
    const char *formula;
    const char *signature;
    int least_inputs, most_inputs; /* most: -1 for any number                            */
    int results;                   /* -1: depends on the arguments                       */
    bool dtype[RG_DTYPES];         /* what the first tensor may be; of none: all false   */
    bool differentiable;           /* with respect to its float inputs                   */
    bool random;                   /* draws from the tape's seed                         */
    bool primitive;                /* a node of its own; else recorded as other ops      */
} rg_op;

RG_API int rg_op_count(void);
/* Fill `op`; false, and op untouched, where there is no such op. */
RG_API bool rg_op_at(int index, rg_op *op);
RG_API bool rg_op_find(const char *name, rg_op *op);

/* Records an op by its name. Attributes are given as text, "axis=1 keepdim=true size=[2, 3] equation='ij,jk->ik'", NULL
 * for none; tensors that may be left out are left out at the end, or nil. Writes at most `capacity` results to `out` and
 * returns how many there are; 0 on error: the tape's error begins with the op's name and says which name, attribute or
 * number does not fit. */
RG_API int rg_apply(rg_tape *t, const char *name, const rg_tensor *in, int count, const char *attributes,
                    rg_tensor *out, int capacity);

/* How many samples rg_op_check can check the op on. */
RG_API int rg_op_samples(const char *name);

/* Checks the gradients of one of the op's samples (broadcast, strided, empty and tied arguments among them), as
 * rg_gradcheck and rg_gradcheck2 do: `order` 1 or 2. In f32 the gradients of the first order are held against those in f64.
 * A sample without elements is checked for gradients of the right shapes; report->compared is 0 then. True if all agree. */
RG_API bool rg_op_check(const char *name, int sample, rg_dtype dtype, int order, rg_gradcheck_report *report);

#ifdef __cplusplus
}
#endif
#endif
