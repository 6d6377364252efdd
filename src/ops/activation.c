/* Activations, composed of element-wise ops: a plan makes one pass of each. What PyTorch treats as a constant side of a
 * kink is chosen with rg_where, whose gradient is 0 on the side that is not taken. */
#include "ops/pointwise.h"

#include <math.h>

#define X           "x: float"
#define PLAIN(name) RG__CALLED(name, X)

// clang-format off
#define ROWS(ROW)                                                                                                      \
    ROW(hardtanh, 1, RG__THROUGH, RG__COMPOSITE, "x held within [low, high]", RG__CALLED(hardtanh, X ", low: real = -1, high: real = 1")) \
    ROW(relu6, 1, RG__THROUGH, RG__COMPOSITE, "x held within [0, 6]", PLAIN(relu6))                                    \
    ROW(hardsigmoid, 1, RG__THROUGH, RG__COMPOSITE, "x/6 + 1/2 held within [0, 1]", PLAIN(hardsigmoid))                \
    ROW(hardswish, 1, RG__THROUGH, RG__COMPOSITE, "x hardsigmoid(x)", PLAIN(hardswish))                                \
    ROW(elu, 1, RG__THROUGH, RG__COMPOSITE, "x > 0 ? x : alpha (e^x - 1)", RG__CALLED(elu, X ", alpha: real = 1"))     \
    ROW(selu, 1, RG__THROUGH, RG__COMPOSITE, "s (x > 0 ? x : a (e^x - 1))", PLAIN(selu))                               \
    ROW(celu, 1, RG__THROUGH, RG__COMPOSITE, "x > 0 ? x : alpha (e^(x/alpha) - 1)", RG__CALLED(celu, X ", alpha: real = 1")) \
    ROW(mish, 1, RG__THROUGH, RG__COMPOSITE, "x tanh(softplus(x))", PLAIN(mish))                                       \
    ROW(softsign, 1, RG__THROUGH, RG__COMPOSITE, "x / (1 + |x|)", PLAIN(softsign))                                     \
    ROW(softshrink, 1, RG__THROUGH, RG__COMPOSITE, "x moved by lambda towards 0", RG__CALLED(softshrink, X ", lambda: real = 0.5")) \
    ROW(hardshrink, 1, RG__THROUGH, RG__COMPOSITE, "|x| > lambda ? x : 0", RG__CALLED(hardshrink, X ", lambda: real = 0.5")) \
    ROW(tanhshrink, 1, RG__THROUGH, RG__COMPOSITE, "x - tanh x", PLAIN(tanhshrink))                                    \
    ROW(threshold, 1, RG__THROUGH, RG__COMPOSITE, "x > threshold ? x : value", RG__CALLED(threshold, X ", threshold: real, value: real")) \
    ROW(prelu, 2, RG__THROUGH, RG__COMPOSITE, "x > 0 ? x : weight x", RG__CALLED(prelu, X ", weight: float"))          \
    ROW(rrelu, 1, RG__THROUGH, RG__COMPOSITE, "x > 0 ? x : slope x, a random slope in training", .random = true,       \
        RG__CALLED(rrelu, X ", lower: real = 0.125, upper: real = 0.3333333333333333, training: flag = false"))        \
    ROW(glu, 1, RG__THROUGH, RG__COMPOSITE, "a sigmoid(b), of the halves of x", RG__CALLED(glu, X ", axis: int = -1")) \
    ROW(logsigmoid, 1, RG__THROUGH, RG__COMPOSITE, "ln(1 / (1 + e^-x))", PLAIN(logsigmoid))                            \
    ROW(gelu_tanh, 1, RG__THROUGH, RG__COMPOSITE, "x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))", PLAIN(gelu_tanh))   \
    ROW(softplus_scaled, 1, RG__THROUGH, RG__COMPOSITE, "beta x > threshold ? x : ln(1 + e^(beta x)) / beta",          \
        RG__CALLED(softplus_scaled, X ", beta: real = 1, threshold: real = 20"))                                       \
    ROW(softmin, 1, RG__THROUGH, RG__COMPOSITE, "e^-x / sum(e^-x)", RG__CALLED(softmin, X ", axis: int"))
// clang-format on

enum { ROWS(RG__ENUM) };
#define OP(name)            (&rg__ops_activation[OP_##name])
#define C(value)            RG__C(x, value)
#define TAKES_FLOATS(op, x) (rg__arg_of(t, OP(op), x, RG__FLOATS) != NULL)

/* ---- held within bounds ---- */

/* Without gradient at the bounds, other than rg_clamp. NaN stays. */
static rg_tensor within(rg_tape *t, rg_tensor x, double low, double high)
{
    const rg_tensor least = C(low), most = C(high);
    return rg_where(t, rg_le(t, x, least), least, rg_where(t, rg_ge(t, x, most), most, x));
}

rg_tensor rg_hardtanh(rg_tape *t, rg_tensor x, double low, double high)
{
    if (!TAKES_FLOATS(hardtanh, x))
        return RG_NIL;
    if (!(low <= high)) {
        rg__fail(t, OP(hardtanh), RG_ERROR_ARGUMENT, "low %g must not exceed high %g", low, high);
        return RG_NIL;
    }
    return within(t, x, low, high);
}

rg_tensor rg_relu6(rg_tape *t, rg_tensor x)
{
    return TAKES_FLOATS(relu6, x) ? within(t, x, 0, 6) : RG_NIL;
}

static rg_tensor hard_gate(rg_tape *t, rg_tensor x)
{
    return within(t, rg_mul(t, rg_add(t, x, C(3)), C(1. / 6)), 0, 1);
}

rg_tensor rg_hardsigmoid(rg_tape *t, rg_tensor x)
{
    return TAKES_FLOATS(hardsigmoid, x) ? hard_gate(t, x) : RG_NIL;
}

rg_tensor rg_hardswish(rg_tape *t, rg_tensor x)
{
    return TAKES_FLOATS(hardswish, x) ? rg_mul(t, x, hard_gate(t, x)) : RG_NIL;
}

/* ---- exponential below 0 ---- */

/* scale (x > 0 ? x : alpha (e^(x/width) - 1)). The exponential is taken of 0 where it is not wanted: an infinite one would
 * make NaN of the gradient. */
static rg_tensor exponential_unit(rg_tape *t, rg_tensor x, double alpha, double width, double scale)
{
    const rg_tensor zero = C(0), positive = rg_gt(t, x, zero);
    rg_tensor below = rg_where(t, positive, zero, x);
    if (width != 1)
        below = rg_mul(t, below, C(1 / width));
    below = rg_mul(t, rg_expm1(t, below), C(alpha * scale));
    return rg_where(t, positive, scale == 1 ? x : rg_mul(t, x, C(scale)), below);
}

rg_tensor rg_elu(rg_tape *t, rg_tensor x, double alpha)
{
    return TAKES_FLOATS(elu, x) ? exponential_unit(t, x, alpha, 1, 1) : RG_NIL;
}

/* G. Klambauer et al., "Self-normalizing neural networks", 2017. */
rg_tensor rg_selu(rg_tape *t, rg_tensor x)
{
    const double alpha = 1.6732632423543772848170429916717, scale = 1.0507009873554804934193349852946;
    return TAKES_FLOATS(selu, x) ? exponential_unit(t, x, alpha, 1, scale) : RG_NIL;
}

rg_tensor rg_celu(rg_tape *t, rg_tensor x, double alpha)
{
    if (!TAKES_FLOATS(celu, x))
        return RG_NIL;
    if (alpha == 0 || isnan(alpha)) {
        rg__fail(t, OP(celu), RG_ERROR_ARGUMENT, "alpha is %g; x is divided by it", alpha);
        return RG_NIL;
    }
    return exponential_unit(t, x, alpha, alpha, 1);
}

/* ---- smooth ones ---- */

rg_tensor rg_mish(rg_tape *t, rg_tensor x)
{
    return TAKES_FLOATS(mish, x) ? rg_mul(t, x, rg_tanh(t, rg_softplus(t, x))) : RG_NIL;
}

rg_tensor rg_softsign(rg_tape *t, rg_tensor x)
{
    return TAKES_FLOATS(softsign, x) ? rg_div(t, x, rg_add(t, rg_abs(t, x), C(1))) : RG_NIL;
}

rg_tensor rg_tanhshrink(rg_tape *t, rg_tensor x)
{
    return TAKES_FLOATS(tanhshrink, x) ? rg_sub(t, x, rg_tanh(t, x)) : RG_NIL;
}

rg_tensor rg_logsigmoid(rg_tape *t, rg_tensor x)
{
    return TAKES_FLOATS(logsigmoid, x) ? rg_neg(t, rg_softplus(t, rg_neg(t, x))) : RG_NIL;
}

rg_tensor rg_gelu_tanh(rg_tape *t, rg_tensor x)
{
    if (!TAKES_FLOATS(gelu_tanh, x))
        return RG_NIL;
    const double twice = M_SQRT2 * M_2_SQRTPI; /* 2 sqrt(2/pi): (1 + tanh u) / 2 is sigmoid(2u), which does not cancel */
    const rg_tensor cube = rg_mul(t, rg_mul(t, x, rg_square(t, x)), C(.044715));
    return rg_mul(t, x, rg_sigmoid(t, rg_mul(t, rg_add(t, x, cube), C(twice))));
}

rg_tensor rg_softplus_scaled(rg_tape *t, rg_tensor x, double beta, double threshold)
{
    if (!TAKES_FLOATS(softplus_scaled, x))
        return RG_NIL;
    if (beta == 0 || isnan(beta)) {
        rg__fail(t, OP(softplus_scaled), RG_ERROR_ARGUMENT, "beta is %g; the result is divided by it", beta);
        return RG_NIL;
    }
    const rg_tensor z = rg_mul(t, x, C(beta));
    return rg_where(t, rg_gt(t, z, C(threshold)), x, rg_div(t, rg_softplus(t, z), C(beta)));
}

/* ---- pieces ---- */

rg_tensor rg_softshrink(rg_tape *t, rg_tensor x, double lambda)
{
    if (!TAKES_FLOATS(softshrink, x))
        return RG_NIL;
    if (!(lambda >= 0)) {
        rg__fail(t, OP(softshrink), RG_ERROR_ARGUMENT, "lambda is %g; 0 or more is allowed", lambda);
        return RG_NIL;
    }
    const rg_tensor l = C(lambda), nearer = rg_where(t, rg_lt(t, x, C(0)), rg_add(t, x, l), rg_sub(t, x, l));
    return rg_where(t, rg_le(t, rg_abs(t, x), l), C(0), nearer);
}

rg_tensor rg_hardshrink(rg_tape *t, rg_tensor x, double lambda)
{
    if (!TAKES_FLOATS(hardshrink, x))
        return RG_NIL;
    return rg_where(t, rg_le(t, rg_abs(t, x), C(lambda)), C(0), x);
}

rg_tensor rg_threshold(rg_tape *t, rg_tensor x, double threshold, double value)
{
    return TAKES_FLOATS(threshold, x) ? rg_where(t, rg_le(t, x, C(threshold)), C(value), x) : RG_NIL;
}

/* x > 0 ? x : slope x. The slope's gradient sees nothing of positive ones, infinite ones included. */
static rg_tensor with_slope(rg_tape *t, rg_tensor x, rg_tensor slope)
{
    const rg_tensor zero = C(0), positive = rg_gt(t, x, zero);
    return rg_where(t, positive, x, rg_mul(t, slope, rg_where(t, positive, zero, x)));
}

rg_tensor rg_prelu(rg_tape *t, rg_tensor x, rg_tensor weight)
{
    const rg__node *n = rg__arg_of(t, OP(prelu), x, RG__FLOATS), *w = rg__arg_of(t, OP(prelu), weight, RG__FLOATS);
    if (!n || !w)
        return RG_NIL;
    const int64_t channels = n->rank > 1 ? n->dims[1] : 1;
    if (w->dtype != n->dtype) {
        rg__fail(t, OP(prelu), RG_ERROR_DTYPE, "x is %s and weight %s: dtypes must agree; rg_cast converts",
                 rg_dtype_name((rg_dtype)n->dtype), rg_dtype_name((rg_dtype)w->dtype));
        return RG_NIL;
    }
    if (w->rank > 1 || (w->numel != 1 && w->numel != channels)) {
        rg__fail(t, OP(prelu), RG_ERROR_SHAPE, "weight is %s; one element, or [%lld] for the axis 1 of x %s, is needed",
                 RG__NODE_TEXT(w), (long long)channels, RG__NODE_TEXT(n));
        return RG_NIL;
    }
    const bool one = w->numel == 1;
    rg_shape shape = {one ? 0 : n->rank - 1, {channels, 1, 1, 1, 1, 1, 1, 1}};
    return with_slope(t, x, rg_reshape(t, weight, shape));
}

/* The draws are f64, so that they are the same for both dtypes. */
rg_tensor rg_rrelu(rg_tape *t, rg_tensor x, double lower, double upper, bool training)
{
    const rg__node *n = rg__arg_of(t, OP(rrelu), x, RG__FLOATS);
    if (!n)
        return RG_NIL;
    if (!(lower <= upper) || !isfinite(lower) || !isfinite(upper)) {
        rg__fail(t, OP(rrelu), RG_ERROR_ARGUMENT,
                 "slopes from lower %g to upper %g are asked for; lower must not exceed upper", lower, upper);
        return RG_NIL;
    }
    if (!training)
        return with_slope(t, x, C((lower + upper) / 2));
    rg_tensor u = rg_rand(t, RG_F64, rg_shape_of(t, x));
    u = rg_add(t, rg_mul(t, u, RG__C(u, upper - lower)), RG__C(u, lower));
    return with_slope(t, x, rg_cast(t, u, rg_dtype_of(t, x)));
}

/* ---- along an axis ---- */

rg_tensor rg_glu(rg_tape *t, rg_tensor x, int axis)
{
    const rg__node *n = rg__arg_of(t, OP(glu), x, RG__FLOATS);
    const int at = n ? rg__axis_of(t, OP(glu), n, axis) : -1;
    if (at < 0)
        return RG_NIL;
    const int64_t half = n->dims[at] / 2;
    if (n->dims[at] % 2) {
        rg__fail(t, OP(glu), RG_ERROR_SHAPE, "axis %d of %s cannot be halved", axis, RG__NODE_TEXT(n));
        return RG_NIL;
    }
    const rg_tensor a = rg_slice(t, x, at, 0, half, 1), b = rg_slice(t, x, at, half, RG_END, 1);
    return rg_mul(t, a, rg_sigmoid(t, b));
}

rg_tensor rg_softmin(rg_tape *t, rg_tensor x, int axis)
{
    const rg__node *n = rg__arg_of(t, OP(softmin), x, RG__FLOATS);
    if (!n || (n->rank > 0 && rg__axis_of(t, OP(softmin), n, axis) < 0))
        return RG_NIL;
    return rg_softmax(t, rg_neg(t, x), axis);
}

/* ---- samples: clear of kinks ---- */

#define WITHIN RG__INTERVAL
#define SIGNED RG__SIGNED

RG__SAMPLE1(hardtanh, 3, SIGNED, k ? .1 : 1.2, k ? .4 : 2,
            k == 2 ? rg_hardtanh(t, x, -.6, .05) : rg_hardtanh(t, x, -1, 1))
RG__SAMPLE1(relu6, 2, WITHIN, k ? 7 : .2, k ? 8 : 5, rg_relu6(t, x))
RG__SAMPLE1(hardsigmoid, 2, SIGNED, k ? 3.2 : .1, k ? 5 : 2.8, rg_hardsigmoid(t, x))
RG__SAMPLE1(hardswish, 2, SIGNED, k ? 3.2 : .1, k ? 5 : 2.8, rg_hardswish(t, x))
RG__SAMPLE1(elu, 2, SIGNED, .3, 2, rg_elu(t, x, k ? .3 : 1))
RG__SAMPLE1(selu, 1, SIGNED, .3, 2, rg_selu(t, x))
RG__SAMPLE1(celu, 2, SIGNED, .3, 2, rg_celu(t, x, k ? .5 : 1))
RG__SAMPLE1(mish, 1, WITHIN, -2, 2, rg_mish(t, x))
RG__SAMPLE1(softsign, 1, SIGNED, .3, 2, rg_softsign(t, x))
RG__SAMPLE1(softshrink, 2, SIGNED, k ? .7 : .1, k ? 2 : .4, rg_softshrink(t, x, .5))
RG__SAMPLE1(hardshrink, 2, SIGNED, k ? .7 : .1, k ? 2 : .4, rg_hardshrink(t, x, .5))
RG__SAMPLE1(tanhshrink, 1, WITHIN, -2, 2, rg_tanhshrink(t, x))
RG__SAMPLE1(threshold, 2, SIGNED, .3, 2, rg_threshold(t, x, k ? -.1 : .1, -7))
RG__SAMPLE1(rrelu, 2, SIGNED, .3, 2, k ? rg_rrelu(t, x, .25, .25, true) : rg_rrelu(t, x, .125, .5, false))
RG__SAMPLE1(logsigmoid, 1, WITHIN, -2, 2, rg_logsigmoid(t, x))
RG__SAMPLE1(gelu_tanh, 1, WITHIN, -2, 2, rg_gelu_tanh(t, x))
RG__SAMPLE1(softplus_scaled, 3, WITHIN, k ? -1 : 2, k ? 1 : 4, rg_softplus_scaled(t, x, k == 2 ? -.5 : 2, k ? 20 : 3))

static rg_tensor sample_prelu(rg__draw *draw, int index)
{
    static const struct {
        rg_shape x, weight;
    } shapes[] = {{{2, {3, 4}}, {1, {4}}}, {{2, {3, 4}}, {1, {1}}},   {{3, {2, 3, 2}}, {1, {3}}},
                  {{1, {5}}, {0, {0}}},    {{0, {0}}, {1, {1}}},      {{4, {1, 2, 2, 2}}, {1, {2}}},
                  {{2, {0, 3}}, {1, {3}}}, {{3, {2, 3, 2}}, {1, {3}}}};
    rg_tape *t = draw->t;
    if (index >= (int)(sizeof shapes / sizeof *shapes))
        return RG_NIL;
    rg_tensor x = RG__DRAW(draw, shapes[index].x, ((rg__domain){SIGNED, .3, 2}));
    rg_tensor w = RG__DRAW(draw, shapes[index].weight, RG__REAL);
    return index == 7 ? rg_prelu(t, rg_transpose(t, x, 0, 2), rg_flip(t, w, RG_ALL)) : rg_prelu(t, x, w);
}

static rg_tensor sample_glu(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    switch (index) {
    case 0: return rg_glu(t, RG__DRAW(draw, RG_SHAPE(3, 4), RG__REAL), -1);
    case 1: return rg_glu(t, RG__DRAW(draw, RG_SHAPE(4, 3), RG__REAL), 0);
    case 2: return rg_glu(t, rg_transpose(t, RG__DRAW(draw, RG_SHAPE(2, 4, 3), RG__REAL), 0, 2), 1);
    case 3: return rg_glu(t, rg_flip(t, RG__DRAW(draw, RG_SHAPE(6), RG__REAL), RG_ALL), 0);
    case 4: return rg_glu(t, RG__DRAW(draw, RG_SHAPE(0, 2), RG__REAL), 1);
    default: return RG_NIL;
    }
}

static rg_tensor sample_softmin(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    switch (index) {
    case 0: return rg_softmin(t, RG__DRAW(draw, RG_SHAPE(3, 4), RG__REAL), -1);
    case 1: return rg_softmin(t, rg_transpose(t, RG__DRAW(draw, RG_SHAPE(3, 2, 2), RG__REAL), 0, 1), 0);
    case 2: return rg_softmin(t, RG__DRAW(draw, RG_SHAPE(0, 3), RG__REAL), 1);
    case 3: return rg_softmin(t, RG__DRAW(draw, RG_SCALAR, RG__REAL), 0);
    default: return RG_NIL;
    }
}

/* ---- calls ---- */

#define CALL_PLAIN(name) RG__CALL(name, rg_##name(t, in[0]))
CALL_PLAIN(relu6)
CALL_PLAIN(hardsigmoid)
CALL_PLAIN(hardswish)
CALL_PLAIN(selu)
CALL_PLAIN(mish)
CALL_PLAIN(softsign)
CALL_PLAIN(tanhshrink)
CALL_PLAIN(logsigmoid)
CALL_PLAIN(gelu_tanh)
RG__CALL(hardtanh, rg_hardtanh(t, in[0], RG__REAL_OF(low), RG__REAL_OF(high)))
RG__CALL(elu, rg_elu(t, in[0], RG__REAL_OF(alpha)))
RG__CALL(celu, rg_celu(t, in[0], RG__REAL_OF(alpha)))
RG__CALL(softshrink, rg_softshrink(t, in[0], RG__REAL_OF(lambda)))
RG__CALL(hardshrink, rg_hardshrink(t, in[0], RG__REAL_OF(lambda)))
RG__CALL(threshold, rg_threshold(t, in[0], RG__REAL_OF(threshold), RG__REAL_OF(value)))
RG__CALL(prelu, rg_prelu(t, in[0], in[1]))
RG__CALL(rrelu, rg_rrelu(t, in[0], RG__REAL_OF(lower), RG__REAL_OF(upper), RG__FLAG_OF(training)))
RG__CALL(glu, rg_glu(t, in[0], RG__AXIS_OF(axis)))
RG__CALL(softplus_scaled, rg_softplus_scaled(t, in[0], RG__REAL_OF(beta), RG__REAL_OF(threshold)))
RG__CALL(softmin, rg_softmin(t, in[0], RG__AXIS_OF(axis)))

RG__FAMILY(activation, ROWS(RG__ROW))
