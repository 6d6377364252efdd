/* Families of functions of floats, element by element, each of which stands in one row: value and gradients. What follows
 * from the rows is derived here: loops, rules, recording functions and the rows of the table. A family defines OP(name).
 *
 *     ROW(name, "formula", kind, low, high, value, gradient)              of x
 *     ROW(name, "formula", kind, low, high, value, gradient a, gradient b)  of a and b
 *
 * In the value, x (or a and b) are elements of type T; in the gradients they are the recorded arguments, y is the result
 * and g its cotangent. The samples are drawn from the domain (kind, low, high). */
#ifndef RG__OPS_POINTWISE_H
#define RG__OPS_POINTWISE_H

#include "ops/call.h"
#include "ops/family.h"
#include "ops/loops.h"

/* A constant for an expression with x. */
#define RG__C(x, value) rg__like(t, x, value)

/* ---- one argument ---- */

#define RG__FLOAT_LOOPS1(name, formula, kind, low, high, value, gradient) \
    RG__PLAIN_LOOP1(name##_f32, float, float, value, )                    \
    RG__PLAIN_LOOP1(name##_f64, double, double, value, )
#define RG__VJP1(name, formula, kind, low, high, value, gradient) \
    static void vjp_##name(const rg__vjp *v)                      \
    {                                                             \
        rg_tape *t = v->t;                                        \
        const rg_tensor x = v->in[0], y = v->out, g = v->g;       \
        (void)x, (void)y, (void)g;                                \
        v->grad[0] = (gradient);                                  \
    }
#define RG__RECORD1(name, formula, kind, low, high, value, gradient) \
    rg_tensor rg_##name(rg_tape *t, rg_tensor x)                     \
    {                                                                \
        return rg__record_pointwise(t, OP(name), &x, 1, NULL);       \
    }
#define RG__FLOAT_ROW1(name_, formula_, kind_, low_, high_, value, gradient)  \
    [OP_##name_] = {.name = #name_,                                           \
                    .formula = formula_,                                      \
                    .arity = 1,                                               \
                    .differentiable = true,                                   \
                    .vjp = vjp_##name_,                                       \
                    .loop = {[RG_F32] = name_##_f32, [RG_F64] = name_##_f64}, \
                    .domain = {{kind_, low_, high_}},                         \
                    .signature = "x: float",                                  \
                    .call = rg__call_pointwise},

/* ---- two arguments ---- */

#define RG__FLOAT_LOOPS2(name, formula, kind, low, high, value, grad_a, grad_b) \
    RG__PLAIN_LOOP2(name##_f32, float, float, value)                            \
    RG__PLAIN_LOOP2(name##_f64, double, double, value)
#define RG__VJP2(name, formula, kind, low, high, value, grad_a, grad_b)   \
    static void vjp_##name(const rg__vjp *v)                              \
    {                                                                     \
        rg_tape *t = v->t;                                                \
        const rg_tensor a = v->in[0], b = v->in[1], y = v->out, g = v->g; \
        (void)t, (void)a, (void)b, (void)y, (void)g;                      \
        RG__GRAD(v, 0, grad_a);                                           \
        RG__GRAD(v, 1, grad_b);                                           \
    }
#define RG__RECORD2(name, formula, kind, low, high, value, grad_a, grad_b)      \
    rg_tensor rg_##name(rg_tape *t, rg_tensor a, rg_tensor b)                   \
    {                                                                           \
        return rg__record_pointwise(t, OP(name), (rg_tensor[]){a, b}, 2, NULL); \
    }
#define RG__FLOAT_ROW2(name_, formula_, kind_, low_, high_, value, grad_a, grad_b) \
    [OP_##name_] = {.name = #name_,                                                \
                    .formula = formula_,                                           \
                    .arity = 2,                                                    \
                    .differentiable = true,                                        \
                    .vjp = vjp_##name_,                                            \
                    .loop = {[RG_F32] = name_##_f32, [RG_F64] = name_##_f64},      \
                    .domain = {{kind_, low_, high_}, {kind_, low_, high_}},        \
                    .signature = "a: float, b: float",                             \
                    .call = rg__call_pointwise},

/* ---- composed ops ---- */

/* Sample number `index` of a composed op: x has the shape and layout that belong to it. */
enum { RG__FORMS = 5 };
static inline rg_tensor rg__sample_form(rg__draw *draw, int index, rg__domain domain)
{
    rg_tape *t = draw->t;
    switch (index) {
    case 0: return RG__DRAW(draw, RG_SHAPE(3, 4), domain);
    case 1: return RG__DRAW(draw, RG_SCALAR, domain);
    case 2: return rg_transpose(t, RG__DRAW(draw, RG_SHAPE(4, 2), domain), 0, 1);
    case 3: return rg_slice(t, rg_flip(t, RG__DRAW(draw, RG_SHAPE(2, 5), domain), RG_ALL), 1, 0, RG_END, 2);
    default: return RG__DRAW(draw, RG_SHAPE(0, 3), domain);
    }
}

/* Of one argument x; `n` times as many samples as there are forms, and k = 0 .. n-1 for an expression to choose by. */
#define RG__SAMPLE1(name, n, kind, low, high, ...)                                             \
    static rg_tensor sample_##name(rg__draw *draw, int index)                                  \
    {                                                                                          \
        rg_tape *t = draw->t;                                                                  \
        const int k = index / RG__FORMS;                                                       \
        if (k >= (n))                                                                          \
            return RG_NIL;                                                                     \
        rg_tensor x = rg__sample_form(draw, index % RG__FORMS, (rg__domain){kind, low, high}); \
        return __VA_ARGS__;                                                                    \
    }

/* Sample number `index` of a composed op of several arguments that broadcast. */
enum { RG__FORMS_OF_SEVERAL = 6 };
static inline void rg__sample_forms(rg__draw *draw, int index, int n, const rg__domain *domain, rg_tensor *x)
{
    static const rg_shape shapes[RG__FORMS_OF_SEVERAL][3] = {
        {{2, {3, 4}}, {2, {3, 4}}, {2, {3, 4}}}, {{3, {2, 1, 3}}, {2, {4, 1}}, {1, {3}}},
        {{2, {4, 2}}, {0, {0}}, {2, {4, 2}}},    {{2, {2, 5}}, {2, {1, 5}}, {2, {2, 1}}},
        {{2, {0, 3}}, {2, {1, 3}}, {1, {3}}},    {{0, {0}}, {0, {0}}, {0, {0}}},
    };
    for (int i = 0; i < n; i++) {
        x[i] = RG__DRAW(draw, shapes[index][i], domain[i]);
        if (index == 2 && i != 1)
            x[i] = rg_transpose(draw->t, x[i], 0, 1);
        if (index == 3)
            x[i] = rg_flip(draw->t, x[i], RG_ALL);
    }
}

/* Of arguments a and b, or a, b and c, drawn from these domains. */
#define RG__SAMPLE2(name, domain_a, domain_b, ...)                                     \
    static rg_tensor sample_##name(rg__draw *draw, int index)                          \
    {                                                                                  \
        rg_tape *t = draw->t;                                                          \
        rg_tensor x[2];                                                                \
        if (index >= RG__FORMS_OF_SEVERAL)                                             \
            return RG_NIL;                                                             \
        rg__sample_forms(draw, index, 2, (const rg__domain[]){domain_a, domain_b}, x); \
        const rg_tensor a = x[0], b = x[1];                                            \
        return __VA_ARGS__;                                                            \
    }
#define RG__SAMPLE3(name, domain_a, domain_b, domain_c, ...)                                     \
    static rg_tensor sample_##name(rg__draw *draw, int index)                                    \
    {                                                                                            \
        rg_tape *t = draw->t;                                                                    \
        rg_tensor x[3];                                                                          \
        if (index >= RG__FORMS_OF_SEVERAL)                                                       \
            return RG_NIL;                                                                       \
        rg__sample_forms(draw, index, 3, (const rg__domain[]){domain_a, domain_b, domain_c}, x); \
        const rg_tensor a = x[0], b = x[1], c = x[2];                                            \
        return __VA_ARGS__;                                                                      \
    }

#endif
