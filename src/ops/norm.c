/* The p-norms, and other reductions that are made of those there are. */
#include "ops/call.h"
#include "ops/family.h"

#include <retrograd/ops/statistics.h>

#include <math.h>

#define OVER   "axes: ints = all, keepdim: flag = false"
#define SPREAD "x: float, axes: ints = all, correction: real = 1, keepdim: flag = false"
#define ROWS(ROW)                                                                                                        \
    ROW(norm, 1, RG__THROUGH, RG__COMPOSITE, "(sum |x|^p)^(1/p)", RG__CALLED(norm, "x: float, p: real = 2, " OVER))      \
    ROW(amax, 1, RG__THROUGH, RG__COMPOSITE, "largest x over the axes", RG__CALLED(amax, "x: number, " OVER))            \
    ROW(amin, 1, RG__THROUGH, RG__COMPOSITE, "smallest x over the axes", RG__CALLED(amin, "x: number, " OVER))           \
    ROW(aminmax, 1, RG__THROUGH, RG__COMPOSITE, "smallest and largest x over the axes",                                  \
        RG__CALLED(aminmax, "x: number, " OVER " -> min, max"))                                                          \
    ROW(count_nonzero, 1, RG__NODIFF, RG__COMPOSITE, "how many x are not 0", RG__CALLED(count_nonzero, "x: any, " OVER)) \
    ROW(nansum, 1, RG__THROUGH, RG__COMPOSITE, "sum of what is not NaN", RG__CALLED(nansum, "x: number, " OVER))         \
    ROW(nanmean, 1, RG__THROUGH, RG__COMPOSITE, "mean of what is not NaN", RG__CALLED(nanmean, "x: float, " OVER))       \
    ROW(var_mean, 1, RG__THROUGH, RG__COMPOSITE, "var(x) and mean(x)", RG__CALLED(var_mean, SPREAD " -> var, mean"))     \
    ROW(std_mean, 1, RG__THROUGH, RG__COMPOSITE, "std(x) and mean(x)", RG__CALLED(std_mean, SPREAD " -> std, mean"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_norm[OP_##name])

/* Checks the arguments in the name of the composed op; `count` elements go into each one of the result. */
static bool check(rg_tape *t, const rg__op *op, rg_tensor x, rg__dtype_class allowed, rg_axes axes, int64_t *count)
{
    const rg__node *n = rg__arg_of(t, op, x, allowed);
    uint32_t set;
    if (!n || !rg__axis_set(t, op, n, axes, &set))
        return false;
    *count = 1;
    for (int i = 0; i < n->rank; i++)
        *count *= set >> i & 1 ? n->dims[i] : 1;
    return true;
}

static bool check_elements(rg_tape *t, const rg__op *op, rg_tensor x, rg__dtype_class allowed, rg_axes axes)
{
    int64_t count;
    if (!check(t, op, x, allowed, axes, &count))
        return false;
    if (count > 0)
        return true;
    const rg_shape s = rg_shape_of(t, x);
    rg__fail(t, op, RG_ERROR_SHAPE, "%s has no elements along the reduced axes", RG__DIMS_TEXT(s.rank, s.dims));
    return false;
}

/* ---- norms ---- */

/* f(x) where x is not 0, and `at_zero`, without a gradient, where it is. */
typedef rg_tensor (*function)(rg_tape *t, rg_tensor x, double p);
static rg_tensor except_at_zero(rg_tape *t, rg_tensor x, function f, double p, double at_zero)
{
    const rg_tensor is_zero = rg_eq(t, x, rg__like(t, x, 0));
    return rg_where(t, is_zero, rg__like(t, x, at_zero), f(t, rg_where(t, is_zero, rg__like(t, x, 1), x), p));
}

static rg_tensor root(rg_tape *t, rg_tensor x, double p)
{
    return p == 2 ? rg_sqrt(t, x) : rg_pow_scalar(t, x, 1 / p);
}

rg_tensor rg_norm(rg_tape *t, rg_tensor x, double p, rg_axes axes, bool keepdim)
{
    const rg__op *op = OP(norm);
    int64_t count;
    if (!check(t, op, x, RG__FLOATS, axes, &count))
        return RG_NIL;
    if (isnan(p) || (count == 0 && (p < 0 || p == INFINITY))) {
        const rg_shape s = rg_shape_of(t, x);
        rg__fail(t, op, isnan(p) ? RG_ERROR_ARGUMENT : RG_ERROR_SHAPE,
                 "p is %g, and x %s: a number, and for p < 0 and p = inf elements along the reduced axes, are needed",
                 p, RG__DIMS_TEXT(s.rank, s.dims));
        return RG_NIL;
    }
    if (p == 0)
        return rg_sum(t, rg_cast(t, rg_ne(t, x, rg__like(t, x, 0)), rg_dtype_of(t, x)), axes, keepdim);
    if (p == 2) /* of no x but 0 the gradient is 0, not infinite */
        return except_at_zero(t, rg_sum(t, rg_square(t, x), axes, keepdim), root, p, 0);
    const rg_tensor size = rg_abs(t, x);
    if (p == 1)
        return rg_sum(t, size, axes, keepdim);
    if (isinf(p))
        return p > 0 ? rg_max(t, size, axes, keepdim) : rg_min(t, size, axes, keepdim);
    const rg_tensor powers = p == 3   ? rg_mul(t, size, rg_square(t, x))
                             : p == 4 ? rg_square(t, rg_square(t, x))
                             : p > 2  ? rg_pow_scalar(t, size, p)
                                      : except_at_zero(t, size, rg_pow_scalar, p, p > 0 ? 0 : INFINITY);
    const rg_tensor sum = rg_sum(t, powers, axes, keepdim);
    return p > 0 ? except_at_zero(t, sum, root, p, 0) : root(t, sum, p);
}

/* ---- others ---- */

rg_tensor rg_amax(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim)
{
    return check_elements(t, OP(amax), x, RG__NUMBER, axes) ? rg_max(t, x, axes, keepdim) : RG_NIL;
}

rg_tensor rg_amin(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim)
{
    return check_elements(t, OP(amin), x, RG__NUMBER, axes) ? rg_min(t, x, axes, keepdim) : RG_NIL;
}

rg_tensor rg_aminmax(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim, rg_tensor *largest)
{
    const bool ok = check_elements(t, OP(aminmax), x, RG__NUMBER, axes);
    const rg_tensor smallest = ok ? rg_min(t, x, axes, keepdim) : RG_NIL;
    if (largest)
        *largest = ok ? rg_max(t, x, axes, keepdim) : RG_NIL;
    return smallest;
}

rg_tensor rg_count_nonzero(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim)
{
    int64_t count;
    if (!check(t, OP(count_nonzero), x, RG__ANY, axes, &count))
        return RG_NIL;
    const bool is_bool = rg_dtype_of(t, x) == RG_BOOL;
    return rg_sum(t, rg_cast(t, is_bool ? x : rg_ne(t, x, rg__like(t, x, 0)), RG_I64), axes, keepdim);
}

static rg_tensor without_nan(rg_tape *t, rg_tensor x)
{
    return rg_where(t, rg_ne(t, x, x), rg__like(t, x, 0), x);
}

rg_tensor rg_nansum(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim)
{
    int64_t count;
    if (!check(t, OP(nansum), x, RG__NUMBER, axes, &count))
        return RG_NIL;
    return rg_sum(t, rg_dtype_of(t, x) <= RG_F64 ? without_nan(t, x) : x, axes, keepdim);
}

rg_tensor rg_nanmean(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim)
{
    int64_t count;
    if (!check(t, OP(nanmean), x, RG__FLOATS, axes, &count))
        return RG_NIL;
    const rg_tensor there = rg_sum(t, rg_cast(t, rg_eq(t, x, x), rg_dtype_of(t, x)), axes, keepdim);
    return rg_div(t, rg_sum(t, without_nan(t, x), axes, keepdim), there);
}

static rg_tensor with_mean(rg_tape *t, const rg__op *op,
                           rg_tensor (*spread)(rg_tape *t, rg_tensor x, rg_axes axes, double correction, bool keepdim),
                           rg_tensor x, rg_axes axes, double correction, bool keepdim, rg_tensor *mean)
{
    int64_t count;
    const bool ok = check(t, op, x, RG__FLOATS, axes, &count);
    if (mean)
        *mean = ok ? rg_mean(t, x, axes, keepdim) : RG_NIL;
    return ok ? spread(t, x, axes, correction, keepdim) : RG_NIL;
}

rg_tensor rg_var_mean(rg_tape *t, rg_tensor x, rg_axes axes, double correction, bool keepdim, rg_tensor *mean)
{
    return with_mean(t, OP(var_mean), rg_var, x, axes, correction, keepdim, mean);
}

rg_tensor rg_std_mean(rg_tape *t, rg_tensor x, rg_axes axes, double correction, bool keepdim, rg_tensor *mean)
{
    return with_mean(t, OP(std_mean), rg_std, x, axes, correction, keepdim, mean);
}

/* ---- by name ---- */

RG__CALL(norm, rg_norm(t, in[0], RG__REAL_OF(p), RG__AXES_OF(axes), RG__FLAG_OF(keepdim)))
#define CALL_OVER(name) RG__CALL(name, rg_##name(t, in[0], RG__AXES_OF(axes), RG__FLAG_OF(keepdim)))
CALL_OVER(amax)
CALL_OVER(amin)
CALL_OVER(count_nonzero)
CALL_OVER(nansum)
CALL_OVER(nanmean)

static int call_aminmax(const rg__call *c, rg_tensor *out)
{
    out[0] = rg_aminmax(c->t, c->in[0], RG__AXES_OF(axes), RG__FLAG_OF(keepdim), &out[1]);
    return 2;
}

#define CALL_SPREAD(name)                                                                                              \
    static int call_##name(const rg__call *c, rg_tensor *out)                                                          \
    {                                                                                                                  \
        out[0] = rg_##name(c->t, c->in[0], RG__AXES_OF(axes), RG__REAL_OF(correction), RG__FLAG_OF(keepdim), &out[1]); \
        return 2;                                                                                                      \
    }
CALL_SPREAD(var_mean)
CALL_SPREAD(std_mean)

/* ---- samples ---- */

static const rg__domain apart = {RG__DISTINCT, -1.05, 0}, nonzero = {RG__SIGNED, .5, 1.5};

static rg_tensor input_of(rg__draw *draw, int index, rg__domain domain)
{
    rg_tape *t = draw->t;
    switch (index % 5) {
    case 0: return RG__DRAW(draw, RG_SHAPE(2, 3, 4), domain);
    case 1: return RG__DRAW(draw, RG_SHAPE(3, 4), domain);
    case 2: return rg_transpose(t, RG__DRAW(draw, RG_SHAPE(3, 4), domain), 0, 1);
    case 3: return rg_flip(t, RG__DRAW(draw, RG_SHAPE(5), domain), RG_ALL);
    default: return RG__DRAW(draw, RG_SCALAR, domain);
    }
}
#define SAMPLE(name, n, domain, ...)                                                                  \
    static rg_tensor sample_##name(rg__draw *draw, int index)                                         \
    {                                                                                                 \
        rg_tape *t = draw->t;                                                                         \
        const rg_tensor x = index < (n) ? input_of(draw, index, domain) : RG_NIL;                     \
        const rg_axes axes = index % 5 == 0 ? RG_AXES(0, -1) : index % 5 == 4 ? RG_ALL : RG_AXES(-1); \
        const bool keep = index % 2;                                                                  \
        return rg_is_nil(x) ? RG_NIL : (__VA_ARGS__);                                                 \
    }
static const double powers[] = {2, 1, 3, .5, -1, 1.5, 2.5, 4, -.5, 2};
static rg_tensor both(rg_tape *t, rg_tensor a, rg_tensor b)
{
    return rg_add(t, a, rg_mul_scalar(t, b, 3));
}

SAMPLE(amax, 5, apart, rg_amax(t, x, axes, keep))
SAMPLE(amin, 5, apart, rg_amin(t, x, axes, keep))
SAMPLE(count_nonzero, 5, RG__REAL, rg_count_nonzero(t, rg_round(t, x), axes, keep))
SAMPLE(nansum, 5, RG__REAL, rg_nansum(t, x, axes, keep))
SAMPLE(nanmean, 5, RG__REAL, rg_nanmean(t, x, axes, keep))

static rg_tensor sample_norm(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    if (index == 10 || index == 11)
        return rg_norm(t, RG__DRAW(draw, RG_SHAPE(3, 4), apart), index == 10 ? INFINITY : -INFINITY, RG_AXES(0), true);
    if (index == 12)
        return rg_norm(t, RG__DRAW(draw, RG_SHAPE(3, 0), nonzero), 2, RG_AXES(1), false);
    const rg_axes axes = index % 5 == 0 ? RG_AXES(0, -1) : RG_ALL;
    return index < 10 ? rg_norm(t, input_of(draw, index, nonzero), powers[index], axes, index % 2) : RG_NIL;
}

static rg_tensor sample_aminmax(rg__draw *draw, int index)
{
    rg_tensor largest;
    if (index > 2)
        return RG_NIL;
    const rg_tensor smallest = rg_aminmax(draw->t, input_of(draw, index, apart), RG_AXES(-1), index == 1, &largest);
    return both(draw->t, smallest, largest);
}

static rg_tensor sample_var_mean(rg__draw *draw, int index)
{
    rg_tensor mean;
    if (index > 2)
        return RG_NIL;
    const rg_tensor var = rg_var_mean(draw->t, input_of(draw, index, RG__REAL), RG_AXES(-1), index, index == 1, &mean);
    return both(draw->t, var, mean);
}

static rg_tensor sample_std_mean(rg__draw *draw, int index)
{
    rg_tensor mean;
    if (index > 2)
        return RG_NIL;
    const rg_tensor std = rg_std_mean(draw->t, input_of(draw, index, RG__REAL), RG_AXES(-1), index, index == 1, &mean);
    return both(draw->t, std, mean);
}

RG__FAMILY(norm, ROWS(RG__ROW))
