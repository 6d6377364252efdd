/* Continuous draws as functions of noise: the gradients are those of the formulas. See retrograd/ops/draw.h. */
#include "ops/draw.h"
#include "ops/call.h"
#include "ops/family.h"

#include <retrograd/ops/draw.h>

#include <math.h>
#include <string.h>

#define ROWS(ROW)                                                                                                     \
    ROW(draw_normal, 2, RG__THROUGH, RG__COMPOSITE, "mean + std z, z standard normal", .random = true,                \
        RG__CALLED(draw_normal, "mean: float, std: float"))                                                           \
    ROW(draw_uniform, 2, RG__THROUGH, RG__COMPOSITE, "low + (high - low) u, u uniform in (0, 1)", .random = true,     \
        RG__CALLED(draw_uniform, "low: float, high: float"))                                                          \
    ROW(draw_log_normal, 2, RG__THROUGH, RG__COMPOSITE, "e^(mean + std z)", .random = true,                           \
        RG__CALLED(draw_log_normal, "mean: float, std: float"))                                                       \
    ROW(draw_exponential, 1, RG__THROUGH, RG__COMPOSITE, "-log(u) / rate", .random = true,                            \
        RG__CALLED(draw_exponential, "rate: float"))                                                                  \
    ROW(draw_laplace, 2, RG__THROUGH, RG__COMPOSITE, "location - scale sign(v) log(1 - 2 |v|), v = u - 1/2",          \
        .random = true, RG__CALLED(draw_laplace, "location: float, scale: float"))                                    \
    ROW(draw_gumbel, 2, RG__THROUGH, RG__COMPOSITE, "location - scale log(-log u)", .random = true,                   \
        RG__CALLED(draw_gumbel, "location: float, scale: float"))                                                     \
    ROW(draw_cauchy, 2, RG__THROUGH, RG__COMPOSITE, "location + scale tan(pi (u - 1/2))", .random = true,             \
        RG__CALLED(draw_cauchy, "location: float, scale: float"))                                                     \
    ROW(draw_gamma, 2, RG__THROUGH, RG__COMPOSITE, "a gamma variate", .random = true,                                 \
        RG__CALLED(draw_gamma, "concentration: float, rate?: float"))                                                 \
    ROW(draw_beta, 2, RG__THROUGH, RG__COMPOSITE, "X / (X + Y), X and Y gamma variates", .random = true,              \
        RG__CALLED(draw_beta, "a: float, b: float"))                                                                  \
    ROW(draw_dirichlet, 1, RG__THROUGH, RG__COMPOSITE, "gamma variates over their sum", .random = true,               \
        RG__CALLED(draw_dirichlet, "concentration: float"))                                                           \
    ROW(draw_chi2, 1, RG__THROUGH, RG__COMPOSITE, "2 X, X a gamma variate with concentration df / 2", .random = true, \
        RG__CALLED(draw_chi2, "df: float"))                                                                           \
    ROW(draw_student_t, 1, RG__THROUGH, RG__COMPOSITE, "z / sqrt(X / df), X chi-squared", .random = true,             \
        RG__CALLED(draw_student_t, "df: float"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_draw[OP_##name])

/* ---- parameters ---- */

bool rg__draw_shape(rg_tape *t, const rg__op *op, rg_tensor a, rg_tensor b, rg_dtype *dtype, rg_shape *shape)
{
    const rg__node *x = rg__arg_of(t, op, a, RG__FLOATS), *y = x ? rg__arg_of(t, op, b, RG__FLOATS) : NULL;
    if (!y)
        return false;
    *dtype = (rg_dtype)x->dtype;
    *shape = (rg_shape){x->rank, {0}};
    memcpy(shape->dims, x->dims, x->rank * sizeof *x->dims);
    const bool fits = rg__broadcast(&shape->rank, shape->dims, y->rank, y->dims);
    if (fits && x->dtype == y->dtype)
        return true;
    if (fits)
        rg__fail(t, op, RG_ERROR_DTYPE, "%s of %s and %s of %s: dtypes must agree; rg_cast converts",
                 rg_dtype_name((rg_dtype)x->dtype), RG__NODE_TEXT(x), rg_dtype_name((rg_dtype)y->dtype),
                 RG__NODE_TEXT(y));
    else
        rg__fail(t, op, RG_ERROR_SHAPE, "%s and %s do not broadcast", RG__NODE_TEXT(x), RG__NODE_TEXT(y));
    return false;
}

/* x where it is 0 or more, else NaN. */
static rg_tensor not_negative(rg_tape *t, rg_tensor x)
{
    return rg_where(t, rg_ge(t, x, rg__like(t, x, 0)), x, rg__like(t, x, NAN));
}

typedef rg_tensor (*noise_of)(rg_tape *t, rg_shape shape);

/* location + scale * noise, in the shape of both. */
static rg_tensor placed(rg_tape *t, const rg__op *op, rg_tensor location, rg_tensor scale, noise_of noise)
{
    rg_dtype dtype;
    rg_shape shape;
    if (!rg__draw_shape(t, op, location, scale, &dtype, &shape))
        return RG_NIL;
    const rg_tensor drawn = rg_cast(t, noise(t, shape), dtype);
    return rg_add(t, location, rg_mul(t, not_negative(t, scale), drawn));
}

/* ---- noise: location 0, scale 1; in f64, so that a draw in f32 is one in f64 of which the noise was rounded ---- */

static rg_tensor normal(rg_tape *t, rg_shape shape)
{
    return rg_randn(t, RG_F64, shape);
}

static rg_tensor exponential(rg_tape *t, rg_shape shape)
{
    return rg_neg(t, rg_log(t, rg__rand_open(t, shape)));
}

static rg_tensor laplace(rg_tape *t, rg_shape shape)
{
    const rg_tensor v = rg_add_scalar(t, rg__rand_open(t, shape), -.5);
    return rg_neg(t, rg_mul(t, rg_sign(t, v), rg_log1p(t, rg_mul_scalar(t, rg_abs(t, v), -2))));
}

static rg_tensor gumbel(rg_tape *t, rg_shape shape)
{
    return rg_neg(t, rg_log(t, exponential(t, shape)));
}

static rg_tensor cauchy(rg_tape *t, rg_shape shape)
{
    const rg_tensor v = rg_add_scalar(t, rg__rand_open(t, shape), -.5);
    return rg_tan(t, rg_mul_scalar(t, v, 3.14159265358979323846));
}

/* ---- the draws ---- */

rg_tensor rg_draw_normal(rg_tape *t, rg_tensor mean, rg_tensor std)
{
    return placed(t, OP(draw_normal), mean, std, normal);
}

rg_tensor rg_draw_log_normal(rg_tape *t, rg_tensor mean, rg_tensor std)
{
    const rg_tensor x = placed(t, OP(draw_log_normal), mean, std, normal);
    return rg_is_nil(x) ? RG_NIL : rg_exp(t, x);
}

rg_tensor rg_draw_laplace(rg_tape *t, rg_tensor location, rg_tensor scale)
{
    return placed(t, OP(draw_laplace), location, scale, laplace);
}

rg_tensor rg_draw_gumbel(rg_tape *t, rg_tensor location, rg_tensor scale)
{
    return placed(t, OP(draw_gumbel), location, scale, gumbel);
}

rg_tensor rg_draw_cauchy(rg_tape *t, rg_tensor location, rg_tensor scale)
{
    return placed(t, OP(draw_cauchy), location, scale, cauchy);
}

rg_tensor rg_draw_uniform(rg_tape *t, rg_tensor low, rg_tensor high)
{
    rg_dtype dtype;
    rg_shape shape;
    if (!rg__draw_shape(t, OP(draw_uniform), low, high, &dtype, &shape))
        return RG_NIL;
    const rg_tensor drawn = rg_cast(t, rg__rand_open(t, shape), dtype);
    return rg_add(t, low, rg_mul(t, not_negative(t, rg_sub(t, high, low)), drawn));
}

rg_tensor rg_draw_exponential(rg_tape *t, rg_tensor rate)
{
    if (!rg__arg_of(t, OP(draw_exponential), rate, RG__FLOATS))
        return RG_NIL;
    const rg_tensor drawn = rg_cast(t, exponential(t, rg_shape_of(t, rate)), rg_dtype_of(t, rate));
    return rg_div(t, drawn, not_negative(t, rate));
}

rg_tensor rg_draw_gamma(rg_tape *t, rg_tensor concentration, rg_tensor rate)
{
    rg_dtype dtype;
    rg_shape shape;
    if (rg_is_nil(rate))
        return rg__gamma_variate(t, OP(draw_gamma), concentration, false);
    if (!rg__draw_shape(t, OP(draw_gamma), concentration, rate, &dtype, &shape))
        return RG_NIL;
    const rg_tensor drawn = rg__gamma_variate(t, OP(draw_gamma), rg_expand(t, concentration, shape), false);
    return rg_div(t, drawn, not_negative(t, rate));
}

rg_tensor rg_draw_beta(rg_tape *t, rg_tensor a, rg_tensor b)
{
    rg_dtype dtype;
    rg_shape shape;
    if (!rg__draw_shape(t, OP(draw_beta), a, b, &dtype, &shape))
        return RG_NIL;
    const rg_tensor x = rg__gamma_variate(t, OP(draw_beta), rg_expand(t, a, shape), true);
    const rg_tensor y = rg__gamma_variate(t, OP(draw_beta), rg_expand(t, b, shape), true);
    return rg_sigmoid(t, rg_sub(t, x, y));
}

rg_tensor rg_draw_dirichlet(rg_tape *t, rg_tensor concentration)
{
    const rg__node *n = rg__arg_of(t, OP(draw_dirichlet), concentration, RG__FLOATS);
    if (n && n->rank == 0) {
        rg__fail(t, OP(draw_dirichlet), RG_ERROR_SHAPE, "the concentration is a number; [..., k] is needed");
        return RG_NIL;
    }
    return n ? rg_softmax(t, rg__gamma_variate(t, OP(draw_dirichlet), concentration, true), -1) : RG_NIL;
}

rg_tensor rg_draw_chi2(rg_tape *t, rg_tensor df)
{
    if (!rg__arg_of(t, OP(draw_chi2), df, RG__FLOATS))
        return RG_NIL;
    return rg_mul_scalar(t, rg__gamma_variate(t, OP(draw_chi2), rg_mul_scalar(t, df, .5), false), 2);
}

/* By the logarithm: sqrt(df / 2) z e^(-log X / 2), X gamma with concentration df / 2. */
rg_tensor rg_draw_student_t(rg_tape *t, rg_tensor df)
{
    const rg__op *op = OP(draw_student_t);
    if (!rg__arg_of(t, op, df, RG__FLOATS))
        return RG_NIL;
    const rg_tensor half = rg_mul_scalar(t, df, .5), z = rg_cast(t, normal(t, rg_shape_of(t, df)), rg_dtype_of(t, df));
    const rg_tensor shrunk = rg_exp(t, rg_mul_scalar(t, rg__gamma_variate(t, op, half, true), -.5));
    return rg_mul(t, z, rg_mul(t, rg_sqrt(t, half), shrunk));
}

/* ---- by name ---- */

RG__CALL(draw_normal, rg_draw_normal(t, in[0], in[1]))
RG__CALL(draw_uniform, rg_draw_uniform(t, in[0], in[1]))
RG__CALL(draw_log_normal, rg_draw_log_normal(t, in[0], in[1]))
RG__CALL(draw_exponential, rg_draw_exponential(t, in[0]))
RG__CALL(draw_laplace, rg_draw_laplace(t, in[0], in[1]))
RG__CALL(draw_gumbel, rg_draw_gumbel(t, in[0], in[1]))
RG__CALL(draw_cauchy, rg_draw_cauchy(t, in[0], in[1]))
RG__CALL(draw_gamma, rg_draw_gamma(t, in[0], in[1]))
RG__CALL(draw_beta, rg_draw_beta(t, in[0], in[1]))
RG__CALL(draw_dirichlet, rg_draw_dirichlet(t, in[0]))
RG__CALL(draw_chi2, rg_draw_chi2(t, in[0]))
RG__CALL(draw_student_t, rg_draw_student_t(t, in[0]))

/* ---- samples ---- */

#define POSITIVE ((rg__domain){RG__INTERVAL, .5, 2})

typedef rg_tensor (*draw_of_two)(rg_tape *t, rg_tensor a, rg_tensor b);

/* Plain, broadcast, strided, of numbers, empty. */
static rg_tensor sample_two(rg__draw *draw, int index, draw_of_two of, rg__domain first, rg__domain second)
{
    rg_tape *t = draw->t;
    static const rg_shape shapes[][2] = {{{1, {5}}, {1, {5}}},
                                         {{2, {2, 3}}, {1, {3}}},
                                         {{2, {3, 2}}, {2, {3, 1}}},
                                         {{0, {0}}, {0, {0}}},
                                         {{2, {0, 2}}, {1, {2}}}};
    if (index >= (int)(sizeof shapes / sizeof *shapes))
        return RG_NIL;
    const rg_tensor a = RG__DRAW(draw, shapes[index][0], first), b = RG__DRAW(draw, shapes[index][1], second);
    return index == 2 ? of(t, rg_transpose(t, a, 0, 1), rg_select(t, b, 1, 0)) : of(t, a, b);
}

#define SAMPLE_TWO(name, first, second)                           \
    static rg_tensor sample_##name(rg__draw *draw, int index)     \
    {                                                             \
        return sample_two(draw, index, rg_##name, first, second); \
    }
SAMPLE_TWO(draw_normal, RG__REAL, POSITIVE)
SAMPLE_TWO(draw_log_normal, RG__REAL, POSITIVE)
SAMPLE_TWO(draw_laplace, RG__REAL, POSITIVE)
SAMPLE_TWO(draw_gumbel, RG__REAL, POSITIVE)
SAMPLE_TWO(draw_cauchy, RG__REAL, POSITIVE)
SAMPLE_TWO(draw_uniform, ((rg__domain){RG__INTERVAL, -2, -1}), POSITIVE)

static rg_tensor sample_draw_exponential(rg__draw *draw, int index)
{
    const rg_shape shape = index == 1 ? RG_SCALAR : RG_SHAPE(index == 2 ? 0 : 2, 3);
    return index > 2 ? RG_NIL : rg_draw_exponential(draw->t, RG__DRAW(draw, shape, POSITIVE));
}

/* Concentrations stay where they are: differences of draws by rejection are no derivatives, so that these are held to known
 * values elsewhere. */
static rg_tensor concentrations(rg__draw *draw, rg_tensor like)
{
    rg_tape *t = draw->t;
    const rg_tensor flat = rg_arange(t, rg_dtype_of(t, like), .25, .25 + .75 * (double)rg_numel(t, like), .75);
    return rg_reshape(t, flat, rg_shape_of(t, like));
}

static rg_tensor sample_draw_gamma(rg__draw *draw, int index)
{
    if (index > 2)
        return RG_NIL;
    const rg_tensor rate = RG__DRAW(draw, RG_SHAPE(index == 2 ? 0 : 2, 3), POSITIVE);
    const rg_tensor c = concentrations(draw, rate);
    return index == 1 ? rg_draw_gamma(draw->t, rg_transpose(draw->t, c, 0, 1), rg_select(draw->t, rate, 1, 0))
                      : rg_draw_gamma(draw->t, c, rate);
}

#define SAMPLE_CONCENTRATED(name, ...)                                                      \
    static rg_tensor sample_##name(rg__draw *draw, int index)                               \
    {                                                                                       \
        if (index > 1)                                                                      \
            return RG_NIL;                                                                  \
        rg_tape *t = draw->t;                                                               \
        const rg_tensor factor = RG__DRAW(draw, RG_SHAPE(index == 1 ? 0 : 2, 3), RG__REAL); \
        const rg_tensor c = concentrations(draw, factor);                                   \
        return rg_mul(t, factor, __VA_ARGS__);                                              \
    }
SAMPLE_CONCENTRATED(draw_beta, rg_draw_beta(t, c, rg_flip(t, c, RG_ALL)))
SAMPLE_CONCENTRATED(draw_dirichlet, rg_draw_dirichlet(t, c))
SAMPLE_CONCENTRATED(draw_chi2, rg_draw_chi2(t, c))
SAMPLE_CONCENTRATED(draw_student_t, rg_draw_student_t(t, c))

RG__FAMILY(draw, ROWS(RG__ROW))
