/* Element-wise ops of two arguments, which broadcast: value and gradients of each stand in one row. */
#include "ops/call.h"
#include "ops/family.h"
#include "ops/loops.h"

#include <math.h>
#include <tgmath.h>

#define SIGNED RG__SIGNED
#define WITHIN RG__INTERVAL
#define APART  RG__DISTINCT

/* In the value, a and b are elements; in the gradients the recorded arguments, with y the result and g its cotangent. The
 * engine sums the gradients back over broadcast axes. */
// clang-format off
#define NUMBER_ROWS(ROW)                                                                                               \
    /*  name     formula      sampled on      value               gradient of a            gradient of b           */  \
    ROW(add,     "a + b",     WITHIN, -2, 2,  a + b,              g,                       g)                          \
    ROW(sub,     "a - b",     WITHIN, -2, 2,  a - b,              g,                       rg_neg(t, rg__fit(v, 1, g))) \
    ROW(mul,     "a b",       WITHIN, -2, 2,  a * b,              rg_mul(t, g, b),         rg_mul(t, g, a))            \
    ROW(maximum, "max(a, b)", APART,  -1, 0,  a > b || a != a ? a : b, half_at_tie(t, g, a, b, rg_lt(t, a, b)), half_at_tie(t, g, a, b, rg_lt(t, b, a))) \
    ROW(minimum, "min(a, b)", APART,  -1, 0,  a < b || a != a ? a : b, half_at_tie(t, g, a, b, rg_lt(t, b, a)), half_at_tie(t, g, a, b, rg_lt(t, a, b)))

#define FLOAT_ROWS(ROW)                                                                                                \
    ROW(div,     "a / b",     SIGNED, .5, 2,  a / b,              share(v, g, b),          rg_neg(t, slope(v, g, b, y))) \
    ROW(pow,     "a^b",       WITHIN, .5, 2,  pow(a, b),          rg_mul(t, g, pow_base(t, a, b)), rg_mul(t, g, pow_exponent(t, a, b, y)))
// clang-format on

enum {
    NUMBER_ROWS(RG__ENUM) FLOAT_ROWS(RG__ENUM)
    /* With a number. */
    OP_add_scalar,
    OP_mul_scalar,
    OP_pow_scalar,
};
#define OP(name) (&rg__ops_binary[OP_##name])

const rg__op *const rg__op_add = &rg__ops_binary[OP_add], *const rg__op_mul = &rg__ops_binary[OP_mul];

/* -0.0 + 0.0 is 0.0: what can be added without a trace is -0.0, and what can be subtracted is 0.0. */
static const rg__laws laws[OP_pow + 1] = {
    [OP_add] = {.left = true, .right = true, .unit = -0.0, .zero = RG__ZERO_ALL},
    [OP_sub] = {.right = true, .unit = 0, .zero = RG__ZERO_FIRST},
    [OP_mul] = {.left = true, .right = true, .unit = 1},
    [OP_div] = {.right = true, .unit = 1},
    [OP_pow] = {.right = true, .unit = 1},
    [OP_maximum] = {.left = true, .right = true, .unit = -INFINITY, .idempotent = true, .zero = RG__ZERO_LAST},
    [OP_minimum] = {.left = true, .right = true, .unit = INFINITY, .idempotent = true, .zero = RG__ZERO_LAST},
};

/* ---- kernels ---- */

#define FLOAT_LOOPS(name, formula, kind, low, high, value, grad_a, grad_b) \
    RG__LOOP2(name##_f32, float, float, value)                             \
    RG__LOOP2(name##_f64, double, double, value)
#define NUMBER_LOOPS(name, formula, kind, low, high, value, grad_a, grad_b) \
    FLOAT_LOOPS(name, formula, kind, low, high, value, grad_a, grad_b)      \
    RG__LOOP2(name##_i32, int32_t, int32_t, value)                          \
    RG__LOOP2(name##_i64, int64_t, int64_t, value)

NUMBER_ROWS(NUMBER_LOOPS)
FLOAT_ROWS(FLOAT_LOOPS)

/* ---- gradients ---- */

/* g where this argument won, g/2 at a tie, 0 where it lost. A NaN is no loss. */
static rg_tensor half_at_tie(rg_tape *t, rg_tensor g, rg_tensor a, rg_tensor b, rg_tensor lost)
{
    rg_tensor half = rg_mul(t, g, rg__like(t, g, .5));
    return rg_where(t, lost, rg__like(t, g, 0), rg_where(t, rg_eq(t, a, b), half, g));
}

/* g / b; where b was repeated, it is divided by once for all. */
static rg_tensor share(const rg__vjp *v, rg_tensor g, rg_tensor b)
{
    const bool repeated = rg_numel(v->t, b) < rg_numel(v->t, g);
    return repeated ? rg_mul(v->t, g, rg_reciprocal(v->t, b)) : rg_div(v->t, g, b);
}

/* g y / b; where b was repeated, it is divided by after the sum. */
static rg_tensor slope(const rg__vjp *v, rg_tensor g, rg_tensor b, rg_tensor y)
{
    const bool repeated = rg_numel(v->t, b) < rg_numel(v->t, y);
    return repeated ? rg_div(v->t, rg__fit(v, 1, rg_mul(v->t, g, y)), b) : rg_mul(v->t, g, rg_div(v->t, y, b));
}

/* b a^(b-1), and 0 where b = 0 even at a = 0. */
static rg_tensor pow_base(rg_tape *t, rg_tensor a, rg_tensor b)
{
    rg_tensor zero = rg__like(t, b, 0);
    rg_tensor less = rg_where(t, rg_eq(t, b, zero), zero, rg_sub(t, b, rg__like(t, b, 1)));
    return rg_mul(t, b, rg_pow(t, a, less));
}

/* a^b ln a, and 0 where a = 0 and b >= 0: there the logarithm is taken of 1 instead. */
static rg_tensor pow_exponent(rg_tape *t, rg_tensor a, rg_tensor b, rg_tensor y)
{
    rg_tensor zero = rg__like(t, a, 0);
    rg_tensor flat = rg_logical_and(t, rg_eq(t, a, zero), rg_ge(t, b, zero));
    return rg_where(t, flat, zero, rg_mul(t, y, rg_log(t, rg_where(t, flat, rg__like(t, a, 1), a))));
}

#define VJP(name, formula, kind, low, high, value, grad_a, grad_b)        \
    static void vjp_##name(const rg__vjp *v)                              \
    {                                                                     \
        rg_tape *t = v->t;                                                \
        const rg_tensor a = v->in[0], b = v->in[1], y = v->out, g = v->g; \
        (void)t, (void)a, (void)b, (void)y;                               \
        RG__GRAD(v, 0, grad_a);                                           \
        RG__GRAD(v, 1, grad_b);                                           \
    }
NUMBER_ROWS(VJP)
FLOAT_ROWS(VJP)

/* ---- recording ---- */

#define RECORD(name, formula, kind, low, high, value, grad_a, grad_b)           \
    rg_tensor rg_##name(rg_tape *t, rg_tensor a, rg_tensor b)                   \
    {                                                                           \
        return rg__record_pointwise(t, OP(name), (rg_tensor[]){a, b}, 2, NULL); \
    }
NUMBER_ROWS(RECORD)
FLOAT_ROWS(RECORD)

/* The scalar c for an op with x, or nil and an error. */
static rg_tensor number(rg_tape *t, const rg__op *op, rg_tensor x, double c)
{
    const rg__node *n = rg__arg_of(t, op, x, RG__NUMBER);
    if (!n)
        return RG_NIL;
    if (!rg__dtype_holds((rg_dtype)n->dtype, c)) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%g is not a whole number that %s can hold", c,
                 rg_dtype_name((rg_dtype)n->dtype));
        return RG_NIL;
    }
    return rg_constant(t, (rg_dtype)n->dtype, c);
}

rg_tensor rg_add_scalar(rg_tape *t, rg_tensor x, double c)
{
    return rg_add(t, x, number(t, OP(add_scalar), x, c));
}

rg_tensor rg_mul_scalar(rg_tape *t, rg_tensor x, double c)
{
    return rg_mul(t, x, number(t, OP(mul_scalar), x, c));
}

rg_tensor rg_pow_scalar(rg_tape *t, rg_tensor x, double c)
{
    return rg_pow(t, x, number(t, OP(pow_scalar), x, c));
}

/* ---- by name ---- */

RG__CALL(add_scalar, rg_add_scalar(t, in[0], RG__REAL_OF(c)))
RG__CALL(mul_scalar, rg_mul_scalar(t, in[0], RG__REAL_OF(c)))
RG__CALL(pow_scalar, rg_pow_scalar(t, in[0], RG__REAL_OF(c)))

/* ---- samples of those with a number ---- */

#define SAMPLE(name, n, low, high, ...)                                            \
    static rg_tensor sample_##name(rg__draw *draw, int index)                      \
    {                                                                              \
        rg_tape *t = draw->t;                                                      \
        const rg__domain domain = {WITHIN, low, high};                             \
        rg_tensor x = index < n ? RG__DRAW(draw, RG_SHAPE(3, 4), domain) : RG_NIL; \
        return index < n ? (__VA_ARGS__) : RG_NIL;                                 \
    }
SAMPLE(add_scalar, 2, -2, 2, rg_add_scalar(t, index ? rg_transpose(t, x, 0, 1) : x, 1.5))
SAMPLE(mul_scalar, 2, -2, 2, rg_mul_scalar(t, index ? rg_flip(t, x, RG_ALL) : x, -.75))
SAMPLE(pow_scalar, 4, .5, 2, rg_pow_scalar(t, x, index - .5))

/* ---- the table ---- */

#define FLOAT_LOOP_TABLE(name)  [RG_F32] = name##_f32, [RG_F64] = name##_f64
#define NUMBER_LOOP_TABLE(name) FLOAT_LOOP_TABLE(name), [RG_I32] = name##_i32, [RG_I64] = name##_i64
#define TABLE_ROW(name_, formula_, kind_, low_, high_, loops_, dtypes) \
    [OP_##name_] = {.name = #name_,                                    \
                    .formula = formula_,                               \
                    .arity = 2,                                        \
                    .differentiable = true,                            \
                    .vjp = vjp_##name_,                                \
                    .loop = {loops_(name_)},                           \
                    .signature = "a: " dtypes ", b: " dtypes,          \
                    .call = rg__call_pointwise,                        \
                    .laws = &laws[OP_##name_],                         \
                    .domain = {{kind_, low_, high_}, {kind_, low_, high_}}},
#define NUMBER_ROW(name, formula, kind, low, high, value, grad_a, grad_b) \
    TABLE_ROW(name, formula, kind, low, high, NUMBER_LOOP_TABLE, "number")
#define FLOAT_ROW(name, formula, kind, low, high, value, grad_a, grad_b) \
    TABLE_ROW(name, formula, kind, low, high, FLOAT_LOOP_TABLE, "float")

// clang-format off
RG__FAMILY(binary,
    NUMBER_ROWS(NUMBER_ROW)
    FLOAT_ROWS(FLOAT_ROW)
    RG__ROW(add_scalar, 1, RG__THROUGH, RG__COMPOSITE, "x + c", RG__CALLED(add_scalar, "x: number, c: real"))
    RG__ROW(mul_scalar, 1, RG__THROUGH, RG__COMPOSITE, "x c", RG__CALLED(mul_scalar, "x: number, c: real"))
    RG__ROW(pow_scalar, 1, RG__THROUGH, RG__COMPOSITE, "x^c", RG__CALLED(pow_scalar, "x: float, c: real"))
)
// clang-format on
