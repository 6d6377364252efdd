/* Element-wise ops of one argument: value and gradient of each stand in one row. */
#include "ops/call.h"
#include "ops/family.h"
#include "ops/loops.h"

#include <math.h>
#include <tgmath.h>

#define SIGNED RG__SIGNED
#define WITHIN RG__INTERVAL

/* In the value, x is the element; in the gradient, x and y are the recorded argument and result and g the cotangent of
 * y. tgmath picks the function of x's own type. The samples stay clear of kinks and poles. */
// clang-format off
#define NUMBER_ROWS(ROW)                                                                                               \
    /*  name        formula              sampled on       value                          gradient                     */ \
    ROW(neg,        "-x",                WITHIN, -2, 2,   -x,                            rg_neg(t, g))                 \
    ROW(abs,        "|x|",               SIGNED, .3, 2,   x <= 0 ? 0 - x : x,           rg_mul(t, g, rg_sign(t, x)))  \
    ROW(sign,       "-1, 0 or 1",        SIGNED, .3, 2,   (x > 0) - (x < 0),             ZERO)                         \
    ROW(square,     "x^2",               WITHIN, -2, 2,   x * x,                         rg_mul(t, rg_mul(t, g, C(2)), x))

#define FLOAT_ROWS(ROW)                                                                                                \
    ROW(sqrt,       "x^(1/2)",           WITHIN, .5, 2,   sqrt(x),                       rg_div(t, g, rg_mul(t, C(2), y))) \
    ROW(rsqrt,      "x^(-1/2)",          WITHIN, .5, 2,   1 / sqrt(x),                   rg_mul(t, g, rg_mul(t, C(-.5), rg_mul(t, y, rg_square(t, y))))) \
    ROW(reciprocal, "1 / x",             SIGNED, .5, 2,   1 / x,                         rg_neg(t, rg_mul(t, g, rg_square(t, y)))) \
    ROW(exp,        "e^x",               WITHIN, -2, 2,   exp(x),                        rg_mul(t, g, y))              \
    ROW(expm1,      "e^x - 1",           WITHIN, -2, 2,   expm1(x),                      rg_mul(t, g, rg_add(t, y, C(1)))) \
    ROW(log,        "ln x",              WITHIN, .5, 2,   log(x),                        rg_div(t, g, x))              \
    ROW(log1p,      "ln(1 + x)",         WITHIN, -.5, 2,  log1p(x),                      rg_div(t, g, rg_add(t, x, C(1)))) \
    ROW(sin,        "sin x",             WITHIN, -2, 2,   sin(x),                        rg_mul(t, g, rg_cos(t, x)))   \
    ROW(cos,        "cos x",             WITHIN, -2, 2,   cos(x),                        rg_neg(t, rg_mul(t, g, rg_sin(t, x)))) \
    ROW(tan,        "tan x",             WITHIN, -1, 1,   tan(x),                        rg_mul(t, g, rg_add(t, rg_square(t, y), C(1)))) \
    ROW(tanh,       "tanh x",            WITHIN, -2, 2,   tanh(x),                       rg_mul(t, g, rg_sub(t, C(1), rg_square(t, y)))) \
    ROW(erf,        "2/sqrt(pi) int_0^x e^(-u^2) du", WITHIN, -2, 2, erf(x),             rg_mul(t, g, rg_mul(t, C(M_2_SQRTPI), rg_exp(t, rg_neg(t, rg_square(t, x)))))) \
    ROW(sigmoid,    "1 / (1 + e^-x)",    WITHIN, -2, 2,   x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)), rg_mul(t, g, rg_mul(t, y, rg_sub(t, C(1), y)))) \
    ROW(relu,       "max(x, 0)",         SIGNED, .3, 2,   x < 0 ? 0 : x,                 rg_where(t, rg_le(t, y, C(0)), C(0), g)) \
    ROW(softplus,   "ln(1 + e^x)",       WITHIN, -2, 2,   (x > 0 ? x : 0) + log1p(exp(-fabs(x))), rg_mul(t, g, rg_sigmoid(t, x))) \
    ROW(floor,      "largest integer <= x",  SIGNED, .1, .4, floor(x),                   ZERO)                         \
    ROW(ceil,       "smallest integer >= x", SIGNED, .1, .4, ceil(x),                    ZERO)                         \
    ROW(round,      "nearest integer, halves to even", SIGNED, .1, .4, nearbyint(x),     ZERO)

/* With attributes: a is the struct named like the op. */
#define ATTRIBUTE_ROWS(ROW)                                                                                            \
    ROW(leaky_relu, "x > 0 ? x : slope x",   SIGNED, .3, 2,  x > 0 ? x : x * (T)a->slope,                               \
        rg_where(t, rg_gt(t, x, C(0)), g, rg_mul(t, g, C(a->slope))))                                                  \
    ROW(clamp,      "min(max(x, low), high)", SIGNED, .3, 2, x < a->low ? (T)a->low : x > a->high ? (T)a->high : x,    \
        rg_where(t, rg_logical_and(t, rg_ge(t, x, C(a->low)), rg_le(t, x, C(a->high))), g, C(0)))
// clang-format on

struct leaky_relu {
    double slope;
};
static const rg__field fields_leaky_relu[] = {RG__FIELD(struct leaky_relu, slope, RG__FLOAT), {0}};

struct clamp {
    double low, high;
};
static const rg__field fields_clamp[] = {
    RG__FIELD(struct clamp, low, RG__FLOAT), RG__FIELD(struct clamp, high, RG__FLOAT), {0}};

enum {
    NUMBER_ROWS(RG__ENUM) FLOAT_ROWS(RG__ENUM) ATTRIBUTE_ROWS(RG__ENUM)
    /* Composed of the others. */
    OP_silu,
    OP_gelu,
};
#define OP(name) (&rg__ops_unary[OP_##name])

static const rg__laws laws[OP_silu] = {
    [OP_neg] = {.involution = true},
    [OP_abs] = {.idempotent = true, .zero = RG__ZERO_PLUS},
    [OP_sign] = {.idempotent = true, .zero = RG__ZERO_PLUS},
    [OP_square] = {.zero = RG__ZERO_PLUS},
    [OP_sqrt] = {.zero = RG__ZERO_FIRST},
    [OP_rsqrt] = {.zero = RG__ZERO_PLUS},
    [OP_exp] = {.zero = RG__ZERO_PLUS},
    [OP_sigmoid] = {.zero = RG__ZERO_PLUS},
    [OP_softplus] = {.zero = RG__ZERO_PLUS},
    [OP_relu] = {.idempotent = true, .zero = RG__ZERO_FIRST},
    [OP_floor] = {.idempotent = true, .zero = RG__ZERO_FIRST},
    [OP_ceil] = {.idempotent = true},
    [OP_round] = {.idempotent = true},
};

/* ---- kernels ---- */

#define FLOAT_LOOPS(name, formula, kind, low, high, value, gradient) \
    RG__LOOP1(name##_f32, float, float, value, )                     \
    RG__LOOP1(name##_f64, double, double, value, )
#define NUMBER_LOOPS(name, formula, kind, low, high, value, gradient) \
    FLOAT_LOOPS(name, formula, kind, low, high, value, gradient)      \
    RG__LOOP1(name##_i32, int32_t, int32_t, value, )                  \
    RG__LOOP1(name##_i64, int64_t, int64_t, value, )
#define ATTRIBUTE_LOOPS(name, formula, kind, low, high, value, gradient)    \
    RG__LOOP1(name##_f32, float, float, value, const struct name *a = attr) \
    RG__LOOP1(name##_f64, double, double, value, const struct name *a = attr)

NUMBER_ROWS(NUMBER_LOOPS)
FLOAT_ROWS(FLOAT_LOOPS)
ATTRIBUTE_ROWS(ATTRIBUTE_LOOPS)
/* Of integers: the bounds are whole, and compared as integers, which doubles cannot tell apart beyond 2^53. */
#define INTEGER_CLAMP(name, T_, first, last)                                                \
    RG__LOOP1(name, T_, T_, x<low ? low : x> high ? high : x, const struct clamp *a = attr; \
              const T low = a->low <= (double)first    ? first                              \
                            : a->low >= -(double)first ? last                               \
                                                       : (T)a->low;                         \
              const T high = a->high <= (double)first    ? first                            \
                             : a->high >= -(double)first ? last                             \
                                                         : (T)a->high)
INTEGER_CLAMP(clamp_i32, int32_t, INT32_MIN, INT32_MAX)
INTEGER_CLAMP(clamp_i64, int64_t, INT64_MIN, INT64_MAX)

/* ---- gradients ---- */

#define C(value) rg__like(t, x, value)
#define ZERO     rg_zeros_like(t, x)
#define VJP(name, formula, kind, low, high, value, gradient) \
    static void vjp_##name(const rg__vjp *v)                 \
    {                                                        \
        rg_tape *t = v->t;                                   \
        const rg_tensor x = v->in[0], y = v->out, g = v->g;  \
        (void)x, (void)y, (void)g;                           \
        v->grad[0] = (gradient);                             \
    }
#define ATTRIBUTE_VJP(name, formula, kind, low, high, value, gradient) \
    static void vjp_##name(const rg__vjp *v)                           \
    {                                                                  \
        rg_tape *t = v->t;                                             \
        const rg_tensor x = v->in[0], g = v->g;                        \
        const struct name *a = v->attr;                                \
        v->grad[0] = (gradient);                                       \
    }

NUMBER_ROWS(VJP)
FLOAT_ROWS(VJP)
ATTRIBUTE_ROWS(ATTRIBUTE_VJP)

/* ---- recording ---- */

#define RECORD(name, formula, kind, low, high, value, gradient) \
    rg_tensor rg_##name(rg_tape *t, rg_tensor x)                \
    {                                                           \
        return rg__record_pointwise(t, OP(name), &x, 1, NULL);  \
    }

NUMBER_ROWS(RECORD)
FLOAT_ROWS(RECORD)

rg_tensor rg_leaky_relu(rg_tape *t, rg_tensor x, double slope)
{
    return rg__record_pointwise(t, OP(leaky_relu), &x, 1, &(struct leaky_relu){slope});
}

rg_tensor rg_clamp(rg_tape *t, rg_tensor x, double low, double high)
{
    const rg__node *n = rg__arg_of(t, OP(clamp), x, RG__NUMBER);
    if (!n)
        return RG_NIL;
    struct clamp attr = {low, high};
    if (n->dtype == RG_I32 || n->dtype == RG_I64) /* whole bounds, so that the result is an integer */
        attr = (struct clamp){ceil(low), floor(high)};
    if (!(attr.low <= attr.high)) {
        rg__fail(t, OP(clamp), RG_ERROR_ARGUMENT, "low %g must not exceed high %g, and %s must have numbers between them",
                 low, high, rg_dtype_name((rg_dtype)n->dtype));
        return RG_NIL;
    }
    return rg__record_pointwise(t, OP(clamp), &x, 1, &attr);
}

rg_tensor rg_silu(rg_tape *t, rg_tensor x)
{
    return rg__arg_of(t, OP(silu), x, RG__FLOATS) ? rg_mul(t, x, rg_sigmoid(t, x)) : RG_NIL;
}

rg_tensor rg_gelu(rg_tape *t, rg_tensor x)
{
    if (!rg__arg_of(t, OP(gelu), x, RG__FLOATS))
        return RG_NIL;
    rg_tensor cdf = rg_add(t, rg_erf(t, rg_mul(t, x, C(M_SQRT1_2))), C(1));
    return rg_mul(t, rg_mul(t, x, C(.5)), cdf);
}

/* ---- by name ---- */

RG__CALL(leaky_relu, rg_leaky_relu(t, in[0], RG__REAL_OF(slope)))
RG__CALL(clamp, rg_clamp(t, in[0], RG__REAL_OF(low), RG__REAL_OF(high)))
RG__CALL(silu, rg_silu(t, in[0]))
RG__CALL(gelu, rg_gelu(t, in[0]))

/* ---- samples of those that the table cannot call with one argument ---- */

#define SAMPLE(name, n, kind, low, high, ...)                                      \
    static rg_tensor sample_##name(rg__draw *draw, int index)                      \
    {                                                                              \
        rg_tape *t = draw->t;                                                      \
        const rg__domain domain = {kind, low, high};                               \
        rg_tensor x = index < n ? RG__DRAW(draw, RG_SHAPE(3, 4), domain) : RG_NIL; \
        return index < n ? (__VA_ARGS__) : RG_NIL;                                 \
    }
SAMPLE(leaky_relu, 2, SIGNED, .3, 2, rg_leaky_relu(t, x, index ? .25 : .01))
/* Of -1, -0.8, ... 1.2: the bounds lie between two of them. */
SAMPLE(clamp, 2, RG__DISTINCT, -1, 0, index ? rg_clamp(t, x, -INFINITY, .7) : rg_clamp(t, x, -.5, .3))
SAMPLE(silu, 1, WITHIN, -2, 2, rg_silu(t, x))
SAMPLE(gelu, 1, WITHIN, -2, 2, rg_gelu(t, x))

/* ---- the table ---- */

#define FLOAT_LOOP_TABLE(name)  [RG_F32] = name##_f32, [RG_F64] = name##_f64
#define NUMBER_LOOP_TABLE(name) FLOAT_LOOP_TABLE(name), [RG_I32] = name##_i32, [RG_I64] = name##_i64
#define TABLE_ROW(name_, kind_, low_, high_, ...)     \
    [OP_##name_] = {.name = #name_,                   \
                    .arity = 1,                       \
                    .differentiable = true,           \
                    .vjp = vjp_##name_,               \
                    .laws = &laws[OP_##name_],        \
                    .domain = {{kind_, low_, high_}}, \
                    .formula = __VA_ARGS__},
#define BY_NAME(dtypes) .signature = "x: " dtypes, .call = rg__call_pointwise
#define NUMBER_ROW(name, formula, kind, low, high, value, gradient) \
    TABLE_ROW(name, kind, low, high, formula, .loop = {NUMBER_LOOP_TABLE(name)}, BY_NAME("number"))
#define FLOAT_ROW(name, formula, kind, low, high, value, gradient) \
    TABLE_ROW(name, kind, low, high, formula, .loop = {FLOAT_LOOP_TABLE(name)}, BY_NAME("float"))
#define ATTRIBUTE_ROW(name, formula, kind, low, high, value, gradient)                                         \
    TABLE_ROW(name, kind, low, high, formula, .loop = {name##_LOOPS}, RG__ATTR(name), .sample = sample_##name, \
              RG__CALLED(name, name##_SIGNATURE))
#define leaky_relu_SIGNATURE "x: float, slope: real = 0.01"
#define clamp_SIGNATURE      "x: number, low: real = -inf, high: real = inf"
#define leaky_relu_LOOPS     FLOAT_LOOP_TABLE(leaky_relu)
#define clamp_LOOPS          NUMBER_LOOP_TABLE(clamp)

// clang-format off
RG__FAMILY(unary,
    NUMBER_ROWS(NUMBER_ROW)
    FLOAT_ROWS(FLOAT_ROW)
    ATTRIBUTE_ROWS(ATTRIBUTE_ROW)
    RG__ROW(silu, 1, RG__THROUGH, RG__COMPOSITE, "x sigmoid(x)", RG__CALLED(silu, "x: float"))
    RG__ROW(gelu, 1, RG__THROUGH, RG__COMPOSITE, "x/2 (1 + erf(x / sqrt 2))", RG__CALLED(gelu, "x: float"))
)
// clang-format on

const rg__op *const rg__op_square = OP(square);
