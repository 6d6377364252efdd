/* Quotients, remainders, signs, mixtures and kinds of numbers, element by element. */
#include "ops/pointwise.h"

#include <float.h>
#include <math.h>

/* ---- remainders and quotients of floats ---- */

/* The remainder has the sign of b; the quotient is the whole number that belongs to it. */
#define FLOAT_DIVISION(T, suffix)                                    \
    static inline T remainder_of_##suffix(T a, T b)                  \
    {                                                                \
        const T rest = (T)fmod(a, b);                                \
        return rest != 0 && (b < 0) != (rest < 0) ? rest + b : rest; \
    }                                                                \
    static inline T quotient_of_##suffix(T a, T b)                   \
    {                                                                \
        if (b == 0)                                                  \
            return a / b;                                            \
        const T rest = (T)fmod(a, b);                                \
        T q = (a - rest) / b;                                        \
        if (rest != 0 && (b < 0) != (rest < 0))                      \
            q -= 1;                                                  \
        return q != 0 ? (T)nearbyint(q) : (T)copysign((T)0, a / b);  \
    }
FLOAT_DIVISION(float, f32)
FLOAT_DIVISION(double, f64)

RG__PLAIN_LOOP2(fmod_f32, float, float, fmodf(a, b))
RG__PLAIN_LOOP2(fmod_f64, double, double, fmod(a, b))
RG__PLAIN_LOOP2(remainder_f32, float, float, remainder_of_f32(a, b))
RG__PLAIN_LOOP2(remainder_f64, double, double, remainder_of_f64(a, b))
RG__PLAIN_LOOP2(floor_divide_f32, float, float, quotient_of_f32(a, b))
RG__PLAIN_LOOP2(floor_divide_f64, double, double, quotient_of_f64(a, b))

/* ---- of integers: b is never 0 here, and nothing is divided by -1, which traps for the least number ---- */

#define FMOD_OF      b == -1 ? 0 : a % b
#define REMAINDER_OF b == -1 ? 0 : a % b + (a % b != 0 && (a % b < 0) != (b < 0) ? b : 0)
#define QUOTIENT_OF  b == -1 ? 0 - a : a / b - (a % b != 0 && (a < 0) != (b < 0))
RG__PLAIN_LOOP2(fmod_integers_i32, int32_t, int32_t, FMOD_OF)
RG__PLAIN_LOOP2(fmod_integers_i64, int64_t, int64_t, FMOD_OF)
RG__PLAIN_LOOP2(remainder_integers_i32, int32_t, int32_t, REMAINDER_OF)
RG__PLAIN_LOOP2(remainder_integers_i64, int64_t, int64_t, REMAINDER_OF)
RG__PLAIN_LOOP2(floor_divide_integers_i32, int32_t, int32_t, QUOTIENT_OF)
RG__PLAIN_LOOP2(floor_divide_integers_i64, int64_t, int64_t, QUOTIENT_OF)

static bool divide_integers(const rg__run *run)
{
    const rg__array_view *b = &run->in[1];
    int64_t at = 0;
    rg__walk w;
    rg__walk_start(&w, b->rank, b->dims, 1, (rg__strided[]){rg__strided_of(b)});
    do
        for (int64_t i = 0; i < w.run; i++, at++) {
            const void *p = w.p[0] + i * w.step[0];
            if ((b->dtype == RG_I32 ? *(const int32_t *)p : *(const int64_t *)p) == 0 && run->node->numel > 0)
                return rg__run_fail(run, RG_ERROR_VALUE, "division by zero: element %lld of the divisor %s is 0",
                                    (long long)at, RG__DIMS_TEXT(b->rank, b->dims));
        }
    while (rg__walk_next(&w));
    return rg__run_loop(run);
}
#define kernel_fmod_integers         divide_integers
#define kernel_remainder_integers    divide_integers
#define kernel_floor_divide_integers divide_integers

/* ---- signs and whole parts ---- */

RG__LOOP1(trunc_f32, float, float, truncf(x), )
RG__LOOP1(trunc_f64, double, double, trunc(x), )
RG__LOOP2(copysign_f32, float, float, copysignf(a, b))
RG__LOOP2(copysign_f64, double, double, copysign(a, b))
RG__LOOP1(signbit_f32, bool, float, signbit(x) != 0, )
RG__LOOP1(signbit_f64, bool, double, signbit(x) != 0, )
RG__LOOP1(signbit_i32, bool, int32_t, x < 0, )
RG__LOOP1(signbit_i64, bool, int64_t, x < 0, )

/* ---- the rows ---- */

#define FLOAT_LOOPS(name) .loop = {[RG_F32] = name##_f32, [RG_F64] = name##_f64}
#define NUMBER_LOOPS(name) \
    .loop = {[RG_F32] = name##_f32, [RG_F64] = name##_f64, [RG_I32] = name##_i32, [RG_I64] = name##_i64}
#define INTEGER_LOOPS(name) .loop = {[RG_I32] = name##_i32, [RG_I64] = name##_i64}, .fallible = true
#define PAIR                "a: number, b: number"

// clang-format off
#define ROWS(ROW)                                                                                                      \
    ROW(trunc, 1, RG__DIFF, RG__NOKERNEL, "x without its fraction", FLOAT_LOOPS(trunc), RG__CALLED(trunc, "x: float")) \
    ROW(frac, 1, RG__THROUGH, RG__COMPOSITE, "x - trunc(x)", RG__CALLED(frac, "x: float"))                             \
    ROW(fmod, 2, RG__DIFF, RG__NOKERNEL, "a - trunc(a / b) b", FLOAT_LOOPS(fmod), RG__CALLED(fmod, PAIR))              \
    ROW(remainder, 2, RG__DIFF, RG__NOKERNEL, "a - floor(a / b) b", FLOAT_LOOPS(remainder), RG__CALLED(remainder, PAIR)) \
    ROW(floor_divide, 2, RG__NODIFF, RG__NOKERNEL, "floor(a / b)", FLOAT_LOOPS(floor_divide), RG__CALLED(floor_divide, PAIR)) \
    ROW(fmod_integers, 2, RG__NODIFF, RG__KERNEL, "fmod of integers", INTEGER_LOOPS(fmod_integers))                    \
    ROW(remainder_integers, 2, RG__NODIFF, RG__KERNEL, "remainder of integers", INTEGER_LOOPS(remainder_integers))     \
    ROW(floor_divide_integers, 2, RG__NODIFF, RG__KERNEL, "floor_divide of integers", INTEGER_LOOPS(floor_divide_integers)) \
    ROW(copysign, 2, RG__DIFF, RG__NOKERNEL, "|a| with the sign of b", FLOAT_LOOPS(copysign), RG__CALLED(copysign, "a: float, b: float")) \
    ROW(signbit, 1, RG__NODIFF, RG__NOKERNEL, "has x a minus sign?", NUMBER_LOOPS(signbit), .bool_result = true, RG__CALLED(signbit, "x: number")) \
    ROW(heaviside, 2, RG__THROUGH, RG__COMPOSITE, "0 below 0, 1 above, values at 0", RG__CALLED(heaviside, "x: number, values: number")) \
    ROW(fmax, 2, RG__THROUGH, RG__COMPOSITE, "max(a, b), the number where one is NaN", RG__CALLED(fmax, PAIR))         \
    ROW(fmin, 2, RG__THROUGH, RG__COMPOSITE, "min(a, b), the number where one is NaN", RG__CALLED(fmin, PAIR))         \
    ROW(clamp_tensor, 3, RG__THROUGH, RG__COMPOSITE, "min(max(x, low), high)", RG__CALLED(clamp_tensor, "x: number, low?: number, high?: number")) \
    ROW(lerp, 3, RG__THROUGH, RG__COMPOSITE, "a + weight (b - a)", RG__CALLED(lerp, "a: float, b: float, weight: float")) \
    ROW(lerp_scalar, 2, RG__THROUGH, RG__COMPOSITE, "a + weight (b - a)", RG__CALLED(lerp_scalar, "a: float, b: float, weight: real")) \
    ROW(addcmul, 3, RG__THROUGH, RG__COMPOSITE, "x + value a b", RG__CALLED(addcmul, "x: number, a: number, b: number, value: real = 1")) \
    ROW(addcdiv, 3, RG__THROUGH, RG__COMPOSITE, "x + value a / b", RG__CALLED(addcdiv, "x: float, a: float, b: float, value: real = 1")) \
    ROW(nan_to_num, 1, RG__THROUGH, RG__COMPOSITE, "x, NaN and infinities replaced", RG__CALLED(nan_to_num, "x: number, nan: real = 0, posinf: real = none, neginf: real = none")) \
    ROW(isnan, 1, RG__NODIFF, RG__COMPOSITE, "is x NaN?", RG__CALLED(isnan, "x: any"))                                 \
    ROW(isinf, 1, RG__NODIFF, RG__COMPOSITE, "is x infinite?", RG__CALLED(isinf, "x: any"))                            \
    ROW(isposinf, 1, RG__NODIFF, RG__COMPOSITE, "is x infinity?", RG__CALLED(isposinf, "x: any"))                      \
    ROW(isneginf, 1, RG__NODIFF, RG__COMPOSITE, "is x minus infinity?", RG__CALLED(isneginf, "x: any"))                \
    ROW(isfinite, 1, RG__NODIFF, RG__COMPOSITE, "is x neither NaN nor infinite?", RG__CALLED(isfinite, "x: any"))      \
    ROW(float_power, 2, RG__THROUGH, RG__COMPOSITE, "a^b in f64", RG__CALLED(float_power, PAIR))
// clang-format on

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_arithmetic[OP_##name])

/* The node of the first argument; NULL and an error of the op where one is not of the class, or two dtypes differ. */
static const rg__node *arguments(rg_tape *t, const rg__op *op, const rg_tensor *x, int n, rg__dtype_class class)
{
    const rg__node *first = NULL;
    for (int i = 0; i < n; i++) {
        const rg__node *node = rg__arg_of(t, op, x[i], class);
        if (!node)
            return NULL;
        if (first && node->dtype != first->dtype) {
            rg__fail(t, op, RG_ERROR_DTYPE, "%s of %s and %s of %s: dtypes must agree; rg_cast converts",
                     rg_dtype_name((rg_dtype)first->dtype), RG__NODE_TEXT(first), rg_dtype_name((rg_dtype)node->dtype),
                     RG__NODE_TEXT(node));
            return NULL;
        }
        first = first ? first : node;
    }
    return first;
}

static bool is_whole(const rg__node *x)
{
    return x->dtype > RG_F64;
}

/* ---- division ---- */

static rg_tensor divide(rg_tape *t, const rg__op *op, const rg__op *whole, rg_tensor a, rg_tensor b)
{
    const rg_tensor in[] = {a, b};
    const rg__node *n = arguments(t, op, in, 2, RG__NUMBER);
    return n ? rg__record_pointwise(t, is_whole(n) ? whole : op, in, 2, NULL) : RG_NIL;
}

rg_tensor rg_fmod(rg_tape *t, rg_tensor a, rg_tensor b)
{
    return divide(t, OP(fmod), OP(fmod_integers), a, b);
}

rg_tensor rg_remainder(rg_tape *t, rg_tensor a, rg_tensor b)
{
    return divide(t, OP(remainder), OP(remainder_integers), a, b);
}

rg_tensor rg_floor_divide(rg_tape *t, rg_tensor a, rg_tensor b)
{
    return divide(t, OP(floor_divide), OP(floor_divide_integers), a, b);
}

/* What b was taken times is (a - y) / b, but for rounding. */
static void vjp_fmod(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const rg_tensor a = v->in[0], b = v->in[1];
    RG__GRAD(v, 0, v->g);
    RG__GRAD(v, 1, rg_neg(t, rg_mul(t, v->g, rg_round(t, rg_div(t, rg_sub(t, a, v->out), b)))));
}

static void vjp_remainder(const rg__vjp *v)
{
    RG__GRAD(v, 0, v->g);
    RG__GRAD(v, 1, rg_neg(v->t, rg_mul(v->t, v->g, rg_floor_divide(v->t, v->in[0], v->in[1]))));
}

rg_tensor rg_float_power(rg_tape *t, rg_tensor a, rg_tensor b)
{
    if (!rg__arg_of(t, OP(float_power), a, RG__NUMBER) || !rg__arg_of(t, OP(float_power), b, RG__NUMBER))
        return RG_NIL;
    return rg_pow(t, rg_cast(t, a, RG_F64), rg_cast(t, b, RG_F64));
}

/* ---- signs and whole parts ---- */

rg_tensor rg_trunc(rg_tape *t, rg_tensor x)
{
    return rg__record_pointwise(t, OP(trunc), &x, 1, NULL);
}

static void vjp_trunc(const rg__vjp *v)
{
    v->grad[0] = rg_zeros_like(v->t, v->in[0]);
}

rg_tensor rg_frac(rg_tape *t, rg_tensor x)
{
    return rg__arg_of(t, OP(frac), x, RG__FLOATS) ? rg_sub(t, x, rg_trunc(t, x)) : RG_NIL;
}

rg_tensor rg_copysign(rg_tape *t, rg_tensor a, rg_tensor b)
{
    return rg__record_pointwise(t, OP(copysign), (rg_tensor[]){a, b}, 2, NULL);
}

/* 1 or -1, as the signs agree or not; as in PyTorch 0 at 0, where |a| has its kink. */
static void vjp_copysign(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const rg_tensor a = v->in[0], b = v->in[1], g = v->g;
    const rg_tensor differ = rg_logical_xor(t, rg_signbit(t, a), rg_signbit(t, b));
    const rg_tensor zero = rg__like(t, a, 0), slope = rg_where(t, differ, rg__like(t, a, -1), rg__like(t, a, 1));
    RG__GRAD(v, 0, rg_mul(t, g, rg_where(t, rg_eq(t, a, zero), zero, slope)));
    RG__GRAD(v, 1, rg_zeros_like(t, b));
}

rg_tensor rg_signbit(rg_tape *t, rg_tensor x)
{
    return rg__record_pointwise(t, OP(signbit), &x, 1, NULL);
}

rg_tensor rg_heaviside(rg_tape *t, rg_tensor x, rg_tensor values)
{
    const rg__node *n = arguments(t, OP(heaviside), (rg_tensor[]){x, values}, 2, RG__NUMBER);
    if (!n)
        return RG_NIL;
    const rg_tensor zero = rg__like(t, x, 0), step = rg_cast(t, rg_gt(t, x, zero), (rg_dtype)n->dtype);
    return rg_where(t, rg_eq(t, x, zero), values, step);
}

/* ---- bounds ---- */

/* a where it is not less, or b is NaN. */
rg_tensor rg_fmax(rg_tape *t, rg_tensor a, rg_tensor b)
{
    const rg__node *n = arguments(t, OP(fmax), (rg_tensor[]){a, b}, 2, RG__NUMBER);
    if (!n)
        return RG_NIL;
    return rg_where(t, rg_logical_or(t, rg_ge(t, a, b), rg_isnan(t, b)), a, b);
}

rg_tensor rg_fmin(rg_tape *t, rg_tensor a, rg_tensor b)
{
    const rg__node *n = arguments(t, OP(fmin), (rg_tensor[]){a, b}, 2, RG__NUMBER);
    if (!n)
        return RG_NIL;
    return rg_where(t, rg_logical_or(t, rg_le(t, a, b), rg_isnan(t, b)), a, b);
}

rg_tensor rg_clamp_tensor(rg_tape *t, rg_tensor x, rg_tensor low, rg_tensor high)
{
    const bool has_low = !rg_is_nil(low), has_high = !rg_is_nil(high);
    rg_tensor in[3] = {x}, y = x;
    int n = 1;
    if (has_low)
        in[n++] = low;
    if (has_high)
        in[n++] = high;
    if (!arguments(t, OP(clamp_tensor), in, n, RG__NUMBER))
        return RG_NIL;
    if (n == 1) {
        rg__fail(t, OP(clamp_tensor), RG_ERROR_ARGUMENT, "neither low nor high is given; at least one is needed");
        return RG_NIL;
    }
    if (has_low)
        y = rg_where(t, rg_logical_or(t, rg_lt(t, x, low), rg_isnan(t, low)), low, x);
    if (has_high)
        y = rg_where(t, rg_logical_or(t, rg_gt(t, y, high), rg_isnan(t, high)), high, y);
    return y;
}

/* ---- mixtures ---- */

/* From the nearer end, so that weights of 0 and 1 give the ends themselves. */
rg_tensor rg_lerp(rg_tape *t, rg_tensor a, rg_tensor b, rg_tensor weight)
{
    if (!arguments(t, OP(lerp), (rg_tensor[]){a, b, weight}, 3, RG__FLOATS))
        return RG_NIL;
    const rg_tensor way = rg_sub(t, b, a), one = rg__like(t, a, 1), half = rg__like(t, a, .5);
    const rg_tensor from_a = rg_add(t, a, rg_mul(t, weight, way));
    const rg_tensor from_b = rg_sub(t, b, rg_mul(t, way, rg_sub(t, one, weight)));
    return rg_where(t, rg_lt(t, rg_abs(t, weight), half), from_a, from_b);
}

rg_tensor rg_lerp_scalar(rg_tape *t, rg_tensor a, rg_tensor b, double weight)
{
    if (!arguments(t, OP(lerp_scalar), (rg_tensor[]){a, b}, 2, RG__FLOATS))
        return RG_NIL;
    const rg_tensor way = rg_sub(t, b, a);
    if (fabs(weight) < .5)
        return rg_add(t, a, rg_mul(t, way, rg__like(t, a, weight)));
    return rg_sub(t, b, rg_mul(t, way, rg__like(t, a, 1 - weight)));
}

rg_tensor rg_addcmul(rg_tape *t, rg_tensor x, rg_tensor a, rg_tensor b, double value)
{
    const rg__node *n = arguments(t, OP(addcmul), (rg_tensor[]){x, a, b}, 3, RG__NUMBER);
    if (!n)
        return RG_NIL;
    if (!rg__dtype_holds((rg_dtype)n->dtype, value)) {
        rg__fail(t, OP(addcmul), RG_ERROR_ARGUMENT, "value is %g, not a whole number that %s can hold", value,
                 rg_dtype_name((rg_dtype)n->dtype));
        return RG_NIL;
    }
    return rg_add(t, x, rg_mul(t, rg_mul(t, a, b), rg__like(t, x, value)));
}

rg_tensor rg_addcdiv(rg_tape *t, rg_tensor x, rg_tensor a, rg_tensor b, double value)
{
    if (!arguments(t, OP(addcdiv), (rg_tensor[]){x, a, b}, 3, RG__FLOATS))
        return RG_NIL;
    return rg_add(t, x, rg_mul(t, rg_div(t, a, b), rg__like(t, x, value)));
}

/* ---- kinds of numbers: what is whole is finite ---- */

rg_tensor rg_isnan(rg_tape *t, rg_tensor x)
{
    return rg__arg(t, OP(isnan), x) ? rg_ne(t, x, x) : RG_NIL;
}

/* x = value for floats, and nowhere else. */
static rg_tensor equals(rg_tape *t, const rg__op *op, rg_tensor x, double value, bool either_sign)
{
    const rg__node *n = rg__arg(t, op, x);
    if (!n || is_whole(n))
        return n ? rg_ne(t, x, x) : RG_NIL;
    return rg_eq(t, either_sign ? rg_abs(t, x) : x, rg__like(t, x, value));
}

rg_tensor rg_isinf(rg_tape *t, rg_tensor x)
{
    return equals(t, OP(isinf), x, INFINITY, true);
}

rg_tensor rg_isposinf(rg_tape *t, rg_tensor x)
{
    return equals(t, OP(isposinf), x, INFINITY, false);
}

rg_tensor rg_isneginf(rg_tape *t, rg_tensor x)
{
    return equals(t, OP(isneginf), x, -INFINITY, false);
}

rg_tensor rg_isfinite(rg_tape *t, rg_tensor x)
{
    const rg__node *n = rg__arg(t, OP(isfinite), x);
    if (!n || is_whole(n))
        return n ? rg_eq(t, x, x) : RG_NIL;
    return rg_lt(t, rg_abs(t, x), rg__like(t, x, INFINITY));
}

rg_tensor rg_nan_to_num(rg_tape *t, rg_tensor x, double nan, double posinf, double neginf)
{
    const rg__node *n = rg__arg_of(t, OP(nan_to_num), x, RG__NUMBER);
    if (!n || is_whole(n))
        return n ? x : RG_NIL;
    const double largest = n->dtype == RG_F32 ? (double)FLT_MAX : DBL_MAX;
    const rg_tensor high = rg__like(t, x, isnan(posinf) ? largest : posinf);
    const rg_tensor low = rg__like(t, x, isnan(neginf) ? -largest : neginf);
    const rg_tensor rest = rg_where(t, rg_isneginf(t, x), low, x);
    return rg_where(t, rg_isnan(t, x), rg__like(t, x, nan), rg_where(t, rg_isposinf(t, x), high, rest));
}

/* ---- samples ---- */

#define WITHIN              RG__INTERVAL
#define SIGNED              RG__SIGNED
#define IN(kind, low, high) ((rg__domain){kind, low, high})

/* Between two whole numbers. */
RG__SAMPLE1(trunc, 2, SIGNED, k + .1, k + .4, rg_trunc(t, x))
RG__SAMPLE1(frac, 2, SIGNED, k + .1, k + .4, rg_frac(t, x))
/* The quotients are between 2.1 and 2.7. */
#define DIVIDEND IN(SIGNED, 2.1, 2.4)
#define DIVISOR  IN(SIGNED, .9, 1)
RG__SAMPLE2(fmod, DIVIDEND, DIVISOR, rg_fmod(t, a, b))
RG__SAMPLE2(remainder, DIVIDEND, DIVISOR, rg_remainder(t, a, b))
RG__SAMPLE2(floor_divide, DIVIDEND, DIVISOR, rg_floor_divide(t, a, b))
RG__SAMPLE2(copysign, IN(SIGNED, .3, 2), IN(SIGNED, .3, 2), rg_copysign(t, a, b))
RG__SAMPLE1(signbit, 1, WITHIN, -2, 2, rg_signbit(t, x))
RG__SAMPLE2(fmax, IN(RG__DISTINCT, -1, 0), IN(RG__DISTINCT, -1, 0), rg_fmax(t, a, b))
RG__SAMPLE2(fmin, IN(RG__DISTINCT, -1, 0), IN(RG__DISTINCT, -1, 0), rg_fmin(t, a, b))
RG__SAMPLE3(clamp_tensor, IN(RG__DISTINCT, -1, 0), IN(RG__DISTINCT, -1.4, 0), IN(RG__DISTINCT, -.95, 0),
            rg_clamp_tensor(t, a, index == 1 ? RG_NIL : b, index == 3 ? RG_NIL : c))
RG__SAMPLE3(lerp, RG__REAL, RG__REAL, IN(WITHIN, -1, 2), rg_lerp(t, a, b, c))
RG__SAMPLE2(lerp_scalar, RG__REAL, RG__REAL, rg_lerp_scalar(t, a, b, index % 2 ? .25 : .75))
RG__SAMPLE3(addcmul, RG__REAL, RG__REAL, RG__REAL, rg_addcmul(t, a, b, c, index ? -.5 : 1))
RG__SAMPLE3(addcdiv, RG__REAL, RG__REAL, IN(SIGNED, .5, 2), rg_addcdiv(t, a, b, c, index ? -.5 : 1))
RG__SAMPLE1(nan_to_num, 1, WITHIN, -2, 2, rg_nan_to_num(t, x, 0, NAN, NAN))
RG__SAMPLE1(isnan, 1, WITHIN, -2, 2, rg_isnan(t, x))
RG__SAMPLE1(isinf, 1, WITHIN, -2, 2, rg_isinf(t, x))
RG__SAMPLE1(isposinf, 1, WITHIN, -2, 2, rg_isposinf(t, x))
RG__SAMPLE1(isneginf, 1, WITHIN, -2, 2, rg_isneginf(t, x))
RG__SAMPLE1(isfinite, 1, WITHIN, -2, 2, rg_isfinite(t, x))
RG__SAMPLE2(float_power, IN(WITHIN, .5, 2), RG__REAL, rg_float_power(t, a, b))

/* Away from 0, and at 0, where the values go through. */
static rg_tensor sample_heaviside(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    const rg__domain domain[] = {IN(SIGNED, .3, 2), RG__REAL};
    rg_tensor x[2];
    if (index > RG__FORMS_OF_SEVERAL)
        return RG_NIL;
    rg__sample_forms(draw, index % RG__FORMS_OF_SEVERAL, 2, domain, x);
    return rg_heaviside(t, index == RG__FORMS_OF_SEVERAL ? rg_zeros_like(t, x[0]) : x[0], x[1]);
}

static rg_tensor sample_integers(rg__draw *draw, int index, rg_tensor (*op)(rg_tape *, rg_tensor, rg_tensor))
{
    static const int64_t a[] = {7, -7, 7, -7, 0, 1, INT64_MIN, INT64_MAX, INT64_MIN, 12, -12, 5};
    static const int64_t b[] = {2, 2, -2, -2, 3, -1, -1, 10, 7, -4, 4, INT64_MIN};
    static const int32_t c[] = {9, -9, INT32_MIN, 4, 5, 6}, d[] = {-1, 4};
    rg_tape *t = draw->t;
    const rg_tensor wide = rg_input_i64(t, RG_SHAPE(3, 4), a), by = rg_input_i64(t, RG_SHAPE(3, 4), b);
    switch (index) {
    case 0: return op(t, wide, by);
    case 1: return op(t, rg_input_i32(t, RG_SHAPE(3, 2), c), rg_input_i32(t, RG_SHAPE(2), d));
    case 2: return op(t, rg_transpose(t, wide, 0, 1), rg_transpose(t, rg_flip(t, by, RG_ALL), 0, 1));
    case 3: return op(t, rg_zeros(t, RG_I64, RG_SHAPE(0, 3)), rg_ones(t, RG_I64, RG_SHAPE(1, 3)));
    case 4: return op(t, rg_select(t, rg_select(t, wide, 0, 0), 0, 1), rg_select(t, rg_select(t, by, 0, 0), 0, 2));
    default: return RG_NIL;
    }
}

static rg_tensor sample_fmod_integers(rg__draw *draw, int index)
{
    return sample_integers(draw, index, rg_fmod);
}

static rg_tensor sample_remainder_integers(rg__draw *draw, int index)
{
    return sample_integers(draw, index, rg_remainder);
}

static rg_tensor sample_floor_divide_integers(rg__draw *draw, int index)
{
    return sample_integers(draw, index, rg_floor_divide);
}

/* ---- calls ---- */

RG__CALL(trunc, rg_trunc(t, in[0]))
RG__CALL(frac, rg_frac(t, in[0]))
RG__CALL(fmod, rg_fmod(t, in[0], in[1]))
RG__CALL(remainder, rg_remainder(t, in[0], in[1]))
RG__CALL(floor_divide, rg_floor_divide(t, in[0], in[1]))
RG__CALL(copysign, rg_copysign(t, in[0], in[1]))
RG__CALL(signbit, rg_signbit(t, in[0]))
RG__CALL(heaviside, rg_heaviside(t, in[0], in[1]))
RG__CALL(fmax, rg_fmax(t, in[0], in[1]))
RG__CALL(fmin, rg_fmin(t, in[0], in[1]))
RG__CALL(clamp_tensor, rg_clamp_tensor(t, in[0], in[1], in[2]))
RG__CALL(lerp, rg_lerp(t, in[0], in[1], in[2]))
RG__CALL(lerp_scalar, rg_lerp_scalar(t, in[0], in[1], RG__REAL_OF(weight)))
RG__CALL(addcmul, rg_addcmul(t, in[0], in[1], in[2], RG__REAL_OF(value)))
RG__CALL(addcdiv, rg_addcdiv(t, in[0], in[1], in[2], RG__REAL_OF(value)))
RG__CALL(nan_to_num, rg_nan_to_num(t, in[0], RG__REAL_OF(nan), rg__call_given(c, "posinf") ? RG__REAL_OF(posinf) : NAN,
                                   rg__call_given(c, "neginf") ? RG__REAL_OF(neginf) : NAN))
RG__CALL(isnan, rg_isnan(t, in[0]))
RG__CALL(isinf, rg_isinf(t, in[0]))
RG__CALL(isposinf, rg_isposinf(t, in[0]))
RG__CALL(isneginf, rg_isneginf(t, in[0]))
RG__CALL(isfinite, rg_isfinite(t, in[0]))
RG__CALL(float_power, rg_float_power(t, in[0], in[1]))

RG__FAMILY(arithmetic, ROWS(RG__ROW))
