/* Statistics along axes, composed of reductions and element-wise ops. */
#include "ops/call.h"
#include "ops/family.h"

#include <math.h>

#define ROWS(ROW)                                                                                             \
    ROW(mean, 1, RG__THROUGH, RG__COMPOSITE, "sum(x) / n",                                                    \
        RG__CALLED(mean, "x: float, axes: ints = all, keepdim: flag = false"))                                \
    ROW(var, 1, RG__THROUGH, RG__COMPOSITE, "sum((x - mean(x))^2) / (n - correction)",                        \
        RG__CALLED(var, "x: float, axes: ints = all, correction: real = 1, keepdim: flag = false"))           \
    ROW(std, 1, RG__THROUGH, RG__COMPOSITE, "sqrt(var(x))",                                                   \
        RG__CALLED(std, "x: float, axes: ints = all, correction: real = 1, keepdim: flag = false"))           \
    ROW(logsumexp, 1, RG__THROUGH, RG__COMPOSITE, "ln sum(e^x)",                                              \
        RG__CALLED(logsumexp, "x: float, axes: ints = all, keepdim: flag = false"))                           \
    ROW(softmax, 1, RG__THROUGH, RG__COMPOSITE, "e^x / sum(e^x)", RG__CALLED(softmax, "x: float, axis: int")) \
    ROW(log_softmax, 1, RG__THROUGH, RG__COMPOSITE, "x - ln sum(e^x)", RG__CALLED(log_softmax, "x: float, axis: int"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_statistics[OP_##name])

/* Checks the arguments of a reduction in the name of the composed op; `count` elements go into each one of the result. */
static bool check(rg_tape *t, const rg__op *op, rg_tensor x, rg_axes axes, double *count)
{
    const rg__node *n = rg__arg_of(t, op, x, RG__FLOATS);
    uint32_t set;
    if (!n || !rg__axis_set(t, op, n, axes, &set))
        return false;
    *count = 1;
    for (int i = 0; i < n->rank; i++)
        if (set >> i & 1)
            *count *= (double)n->dims[i];
    return true;
}

rg_tensor rg_mean(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim)
{
    double count;
    if (!check(t, OP(mean), x, axes, &count))
        return RG_NIL;
    return rg_div(t, rg_sum(t, x, axes, keepdim), rg__like(t, x, count));
}

rg_tensor rg_var(rg_tape *t, rg_tensor x, rg_axes axes, double correction, bool keepdim)
{
    double count;
    if (!check(t, OP(var), x, axes, &count))
        return RG_NIL;
    rg_tensor deviation = rg_sub(t, x, rg_mean(t, x, axes, true));
    return rg_div(t, rg_sum(t, rg_square(t, deviation), axes, keepdim), rg__like(t, x, fmax(count - correction, 0)));
}

/* As in PyTorch the gradient is 0, not infinite, where nothing varies: the root is taken of 1 there. */
rg_tensor rg_std(rg_tape *t, rg_tensor x, rg_axes axes, double correction, bool keepdim)
{
    double count;
    if (!check(t, OP(std), x, axes, &count))
        return RG_NIL;
    rg_tensor var = rg_var(t, x, axes, correction, keepdim), zero = rg__like(t, x, 0);
    rg_tensor flat = rg_eq(t, var, zero);
    return rg_where(t, flat, zero, rg_sqrt(t, rg_where(t, flat, rg__like(t, x, 1), var)));
}

/* The maximum only shifts: it counts as constant, which leaves every derivative as it is. Infinite ones shift nothing. */
static rg_tensor shift(rg_tape *t, rg_tensor x, rg_axes axes)
{
    rg_tensor m = rg_detach(t, rg_max(t, x, axes, true));
    rg_tensor infinite = rg_eq(t, rg_abs(t, m), rg__like(t, m, INFINITY));
    return rg_where(t, infinite, rg__like(t, m, 0), m);
}

rg_tensor rg_logsumexp(rg_tape *t, rg_tensor x, rg_axes axes, bool keepdim)
{
    double count;
    if (!check(t, OP(logsumexp), x, axes, &count))
        return RG_NIL;
    if (count == 0) /* ln 0 */
        return rg_log(t, rg_sum(t, rg_exp(t, x), axes, keepdim));
    rg_tensor m = shift(t, x, axes);
    rg_tensor sum = rg_sum(t, rg_exp(t, rg_sub(t, x, m)), axes, keepdim);
    return rg_add(t, rg_log(t, sum), keepdim ? m : rg_reshape(t, m, rg_shape_of(t, sum)));
}

/* x less its largest element along the axis; x itself where there are none. */
static rg_tensor shifted(rg_tape *t, rg_tensor x, int axis)
{
    return rg_numel(t, x) ? rg_sub(t, x, rg_detach(t, rg_max(t, x, RG_AXES(axis), true))) : x;
}

rg_tensor rg_softmax(rg_tape *t, rg_tensor x, int axis)
{
    double count;
    if (!check(t, OP(softmax), x, RG_AXES(axis), &count))
        return RG_NIL;
    rg_tensor e = rg_exp(t, shifted(t, x, axis));
    return rg_mul(t, e, rg_reciprocal(t, rg_sum(t, e, RG_AXES(axis), true))); /* one division for all */
}

rg_tensor rg_log_softmax(rg_tape *t, rg_tensor x, int axis)
{
    double count;
    if (!check(t, OP(log_softmax), x, RG_AXES(axis), &count))
        return RG_NIL;
    rg_tensor s = shifted(t, x, axis);
    return rg_sub(t, s, rg_log(t, rg_sum(t, rg_exp(t, s), RG_AXES(axis), true)));
}

/* ---- by name ---- */

RG__CALL(mean, rg_mean(t, in[0], RG__AXES_OF(axes), RG__FLAG_OF(keepdim)))
RG__CALL(var, rg_var(t, in[0], RG__AXES_OF(axes), RG__REAL_OF(correction), RG__FLAG_OF(keepdim)))
RG__CALL(std, rg_std(t, in[0], RG__AXES_OF(axes), RG__REAL_OF(correction), RG__FLAG_OF(keepdim)))
RG__CALL(logsumexp, rg_logsumexp(t, in[0], RG__AXES_OF(axes), RG__FLAG_OF(keepdim)))
RG__CALL(softmax, rg_softmax(t, in[0], RG__AXIS_OF(axis)))
RG__CALL(log_softmax, rg_log_softmax(t, in[0], RG__AXIS_OF(axis)))

/* ---- samples ---- */

#define SAMPLE(name, n, ...)                                                            \
    static rg_tensor sample_##name(rg__draw *draw, int index)                           \
    {                                                                                   \
        rg_tape *t = draw->t;                                                           \
        rg_tensor x = index < n ? RG__DRAW(draw, RG_SHAPE(3, 2, 4), RG__REAL) : RG_NIL; \
        return index < n ? (__VA_ARGS__) : RG_NIL;                                      \
    }
SAMPLE(mean, 2, index ? rg_mean(t, x, RG_ALL, false) : rg_mean(t, x, RG_AXES(0, 2), true))
SAMPLE(var, 3, index ? rg_var(t, x, RG_ALL, index - 1, false) : rg_var(t, x, RG_AXES(0, 2), 1, true))
SAMPLE(std, 2, index ? rg_std(t, x, RG_ALL, 0, false) : rg_std(t, x, RG_AXES(-1), 1, true))
SAMPLE(logsumexp, 2, index ? rg_logsumexp(t, x, RG_ALL, false) : rg_logsumexp(t, x, RG_AXES(1), true))
SAMPLE(softmax, 3, rg_softmax(t, x, index - 1))
SAMPLE(log_softmax, 3, rg_log_softmax(t, x, index - 1))

RG__FAMILY(statistics, ROWS(RG__ROW))
