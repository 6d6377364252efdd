/* The families of the table, one a file. Adding an op touches its family alone; a new family is a line here. */
#ifndef RG__OPS_FAMILY_H
#define RG__OPS_FAMILY_H

#include "ops/op.h"

#define RG__FAMILIES(_) \
    _(source)           \
    _(create)           \
    _(unary)            \
    _(binary)           \
    _(logic)            \
    _(reduce)           \
    _(statistics)       \
    _(view)             \
    _(join)             \
    _(product)          \
    _(index)            \
    _(conv)             \
    _(pool_max)         \
    _(resample)         \
    _(pool)             \
    _(resize)           \
    _(fold)             \
    _(weighted)         \
    _(grid)             \
    _(math)             \
    _(special)          \
    _(arithmetic)       \
    _(activation)       \
    _(bitwise)          \
    _(scan)             \
    _(difference)       \
    _(sort)             \
    _(search)           \
    _(order)            \
    _(norm)             \
    _(normalise)        \
    _(distance)         \
    _(fft)              \
    _(frequency)        \
    _(stft)             \
    _(attend)           \
    _(attention)        \
    _(ctc)              \
    _(draw)             \
    _(draw_kernel)      \
    _(checkpoint)       \
    _(cotangent)        \
    _(einsum)           \
    _(contract)         \
    _(factor)           \
    _(spectral)         \
    _(determinant)      \
    _(linalg)           \
    _(scatter)          \
    _(advanced)         \
    _(mask)             \
    _(window)           \
    _(rearrange)        \
    _(repeat)           \
    _(stacks)

#define RG__FAMILY_DECLARATION(name)      \
    extern const rg__op rg__ops_##name[]; \
    extern const int rg__ops_##name##_count;
RG__FAMILIES(RG__FAMILY_DECLARATION)

/* A family lists its rows once, ROWS(ROW), and derives from the list the enumerators OP_name, by which it names its own
 * ops, and the table. A row:
 *
 *     ROW(name, arity, gradient, kernel, "formula", further fields of rg__op)
 *
 * gradient is RG__DIFF (the rule is vjp_name, missing it does not compile) or RG__NODIFF; kernel is RG__KERNEL (it is
 * kernel_name), RG__NOKERNEL (views, values from outside) or RG__COMPOSITE (a function of other ops, differentiable or
 * not through them). The samples are sample_name. */
#define RG__ENUM(name, ...) OP_##name,
#define RG__DIFF(name_)     .differentiable = true, .vjp = vjp_##name_,
#define RG__NODIFF(name_)   .differentiable = false,
#define RG__THROUGH(name_)  .differentiable = true,
#define RG__KERNEL(name_)   .kernel = kernel_##name_,
#define RG__NOKERNEL(name_)
#define RG__COMPOSITE(name_) .kind = RG__COMPOSED,
#define RG__ROW(name_, arity_, gradient, kernel_, ...) \
    [OP_##name_] = {                                   \
        .name = #name_, .arity = arity_, gradient(name_) kernel_(name_).sample = sample_##name_, .formula = __VA_ARGS__},

/* Attributes of a row: the struct that is hashed (no padding in it) and how its fields are called. */
#define RG__ATTR(type) .attr_size = sizeof(struct type), .fields = fields_##type

/* Ends a family file: RG__FAMILY(unary, ROWS(RG__ROW)). */
#define RG__FAMILY(name, ...)                      \
    const rg__op rg__ops_##name[] = {__VA_ARGS__}; \
    const int rg__ops_##name##_count = (int)(sizeof rg__ops_##name / sizeof *rg__ops_##name);

#endif
