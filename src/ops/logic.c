/* Comparisons, logic, selection and conversion, element by element. Only where and cast have gradients. */
#include "ops/call.h"
#include "ops/family.h"
#include "ops/loops.h"

// clang-format off
#define COMPARISON_ROWS(ROW)                                                                                           \
    /*  name         formula     value   */                                                                            \
    ROW(lt,          "a < b",    a < b)                                                                                \
    ROW(le,          "a <= b",   a <= b)                                                                               \
    ROW(gt,          "a > b",    a > b)                                                                                \
    ROW(ge,          "a >= b",   a >= b)

#define EQUALITY_ROWS(ROW)                                                                                             \
    ROW(eq,          "a = b",    a == b)                                                                               \
    ROW(ne,          "a != b",   a != b)

#define LOGIC_ROWS(ROW)                                                                                                \
    ROW(logical_and, "a and b",  a & b)                                                                                \
    ROW(logical_or,  "a or b",   a | b)                                                                                \
    ROW(logical_xor, "a xor b",  a ^ b)
// clang-format on

enum {
    COMPARISON_ROWS(RG__ENUM) EQUALITY_ROWS(RG__ENUM) LOGIC_ROWS(RG__ENUM) OP_logical_not,
    OP_where,
    OP_cast,
};
#define OP(name) (&rg__ops_logic[OP_##name])

const rg__op *const rg__op_where = &rg__ops_logic[OP_where], *const rg__op_cast = &rg__ops_logic[OP_cast];

static const rg__laws laws[OP_cast + 1] = {
    [OP_logical_and] = {.left = true, .right = true, .unit = true, .idempotent = true},
    [OP_logical_or] = {.left = true, .right = true, .unit = false, .idempotent = true},
    [OP_logical_xor] = {.left = true, .right = true, .unit = false},
    [OP_logical_not] = {.involution = true},
    [OP_where] = {.idempotent = true, .zero = RG__ZERO_LAST},
};

/* ---- kernels ---- */

#define COMPARISON_LOOPS(name, formula, value)  \
    RG__LOOP2(name##_f32, bool, float, value)   \
    RG__LOOP2(name##_f64, bool, double, value)  \
    RG__LOOP2(name##_i32, bool, int32_t, value) \
    RG__LOOP2(name##_i64, bool, int64_t, value)
#define LOGIC_LOOPS(name, formula, value) RG__LOOP2(name##_bool, uint8_t, uint8_t, value)

COMPARISON_ROWS(COMPARISON_LOOPS)
EQUALITY_ROWS(COMPARISON_LOOPS)
EQUALITY_ROWS(LOGIC_LOOPS)
LOGIC_ROWS(LOGIC_LOOPS)

RG__LOOP1(logical_not_bool, uint8_t, uint8_t, x ^ 1, )

RG__LOOP_WHERE(where_1, uint8_t)
RG__LOOP_WHERE(where_4, uint32_t)
RG__LOOP_WHERE(where_8, uint64_t)

struct cast {
    int32_t dtype;
};
static const rg__field fields_cast[] = {RG__FIELD(struct cast, dtype, RG__DTYPE), {0}};

/* Out-of-range floats saturate and NaN becomes 0; C leaves both undefined. */
#define SATURATE(x, T, low, high) ((x) != (x) ? 0 : (x) <= (low) ? (T)(low) : (x) >= (high) ? high##_VALUE : (T)(x))
#define I32_HIGH                  0x1p31
#define I32_HIGH_VALUE            INT32_MAX
#define I64_HIGH                  0x1p63
#define I64_HIGH_VALUE            INT64_MAX

#define CONVERT(From, To, value)                  \
    if (RG__DENSE(0, To) && RG__DENSE(1, From)) { \
        To *out = RG__RESULT(To);                 \
        const From *in = RG__ARGUMENT(1, From);   \
        RG__INDEPENDENT                           \
        for (int64_t j = 0; j < n; j++) {         \
            const From x = in[j];                 \
            out[j] = (value);                     \
        }                                         \
        break;                                    \
    }                                             \
    for (int64_t j = 0; j < n; j++) {             \
        const From x = RG__AT(1, From);           \
        RG__ANY_RESULT(To) = (value);             \
    }                                             \
    break

#define CAST_LOOP(name, From, to_i32, to_i64)                   \
    RG__LOOP(name)                                              \
    {                                                           \
        switch ((rg_dtype)((const struct cast *)attr)->dtype) { \
        case RG_F32: CONVERT(From, float, (float)x);            \
        case RG_F64: CONVERT(From, double, (double)x);          \
        case RG_I32: CONVERT(From, int32_t, to_i32);            \
        case RG_I64: CONVERT(From, int64_t, to_i64);            \
        case RG_BOOL: CONVERT(From, bool, x != 0);              \
        }                                                       \
    }
CAST_LOOP(cast_f32, float, SATURATE(x, int32_t, -0x1p31, I32_HIGH), SATURATE(x, int64_t, -0x1p63, I64_HIGH))
CAST_LOOP(cast_f64, double, SATURATE(x, int32_t, -0x1p31, I32_HIGH), SATURATE(x, int64_t, -0x1p63, I64_HIGH))
CAST_LOOP(cast_i32, int32_t, x, x)
CAST_LOOP(cast_i64, int64_t, (int32_t)x, x)
CAST_LOOP(cast_bool, uint8_t, x, x)

/* ---- gradients ---- */

static void vjp_where(const rg__vjp *v)
{
    rg_tensor zero = rg__like(v->t, v->g, 0);
    RG__GRAD(v, 1, rg_where(v->t, v->in[0], v->g, zero));
    RG__GRAD(v, 2, rg_where(v->t, v->in[0], zero, v->g));
}

static void vjp_cast(const rg__vjp *v)
{
    v->grad[0] = rg_cast(v->t, v->g, rg_dtype_of(v->t, v->in[0]));
}

/* ---- recording ---- */

#define RECORD(name, formula, value)                                            \
    rg_tensor rg_##name(rg_tape *t, rg_tensor a, rg_tensor b)                   \
    {                                                                           \
        return rg__record_pointwise(t, OP(name), (rg_tensor[]){a, b}, 2, NULL); \
    }
COMPARISON_ROWS(RECORD)
EQUALITY_ROWS(RECORD)
LOGIC_ROWS(RECORD)

rg_tensor rg_logical_not(rg_tape *t, rg_tensor x)
{
    return rg__record_pointwise(t, OP(logical_not), &x, 1, NULL);
}

rg_tensor rg_where(rg_tape *t, rg_tensor condition, rg_tensor a, rg_tensor b)
{
    return rg__record_pointwise(t, OP(where), (rg_tensor[]){condition, a, b}, 3, NULL);
}

rg_tensor rg_cast(rg_tape *t, rg_tensor x, rg_dtype dtype)
{
    const rg__node *n = rg__arg(t, OP(cast), x);
    if (!n)
        return RG_NIL;
    if ((unsigned)dtype >= RG_DTYPES) {
        rg__fail(t, OP(cast), RG_ERROR_ARGUMENT, "%d is no dtype", (int)dtype);
        return RG_NIL;
    }
    if (n->dtype == dtype)
        return x;
    return rg__record(t, OP(cast), &x, 1, dtype, n->rank, n->dims, &(struct cast){dtype});
}

/* ---- by name ---- */

RG__CALL(cast, rg_cast(t, in[0], RG__DTYPE_OF(dtype)))

/* ---- samples ---- */

static rg_tensor sample_where(rg__draw *draw, int index)
{
    static const bool condition[] = {true, false, true, true, false, false};
    rg_tape *t = draw->t;
    if (index > 1)
        return RG_NIL;
    rg_tensor c = rg_input_bool(t, RG_SHAPE(2, 3), condition);
    rg_tensor a = RG__DRAW(draw, index ? RG_SHAPE(3) : RG_SHAPE(2, 3), RG__REAL);
    return rg_where(t, c, a, RG__DRAW(draw, index ? RG_SHAPE(4, 1, 1) : RG_SHAPE(2, 3), RG__REAL));
}

static rg_tensor sample_cast(rg__draw *draw, int index)
{
    /* To the other float and back would round; the checker compares in f64, so a cast to itself is all it can see. The
     * golden values hold the rest. */
    rg_tape *t = draw->t;
    if (index > 0)
        return RG_NIL;
    rg_tensor x = RG__DRAW(draw, RG_SHAPE(2, 3), RG__REAL);
    return rg_cast(t, rg_mul(t, x, x), rg_dtype_of(t, x));
}

/* ---- the table ---- */

#define NUMBER_LOOP_TABLE(name) \
    [RG_F32] = name##_f32, [RG_F64] = name##_f64, [RG_I32] = name##_i32, [RG_I64] = name##_i64
#define ALL_LOOP_TABLE(name) NUMBER_LOOP_TABLE(name), [RG_BOOL] = name##_bool
#define TABLE_ROW(name_, arity_, ...) \
    [OP_##name_] = {.name = #name_, .arity = arity_, .laws = &laws[OP_##name_], .formula = __VA_ARGS__},
#define BOOL_ROW(name, formula, value) \
    TABLE_ROW(name, 2, formula, .loop = {[RG_BOOL] = name##_bool}, NODIFF, BY_NAME("bool"))
#define COMPARISON_ROW(name, formula, value)                               \
    TABLE_ROW(name, 2, formula, .loop = {NUMBER_LOOP_TABLE(name)}, NODIFF, \
              .domain = {RG__REAL_VALUES, RG__REAL_VALUES}, BY_NAME("number"))
#define EQUALITY_ROW(name, formula, value)                                                                            \
    TABLE_ROW(name, 2, formula, .loop = {ALL_LOOP_TABLE(name)}, NODIFF, .domain = {RG__REAL_VALUES, RG__REAL_VALUES}, \
              BY_NAME("any"))
#define BY_NAME(dtypes) .signature = "a: " dtypes ", b: " dtypes, .call = rg__call_pointwise
#define NODIFF          .differentiable = false, .bool_result = true
#define RG__REAL_VALUES     \
    {                       \
        RG__INTERVAL, -2, 2 \
    }

// clang-format off
RG__FAMILY(logic,
    COMPARISON_ROWS(COMPARISON_ROW)
    EQUALITY_ROWS(EQUALITY_ROW)
    LOGIC_ROWS(BOOL_ROW)
    TABLE_ROW(logical_not, 1, "not x", .loop = {[RG_BOOL] = logical_not_bool}, NODIFF, .signature = "x: bool", .call = rg__call_pointwise)
    TABLE_ROW(where, 3, "condition ? a : b",
              .loop = {[RG_F32] = where_4, [RG_I32] = where_4, [RG_F64] = where_8, [RG_I64] = where_8, [RG_BOOL] = where_1},
              .differentiable = true, .vjp = vjp_where, .sample = sample_where,
              .signature = "condition: bool, a: any, b: any", .call = rg__call_pointwise)
    TABLE_ROW(cast, 1, "x as another dtype", .loop = {ALL_LOOP_TABLE(cast)}, .differentiable = true, .vjp = vjp_cast,
              .sample = sample_cast, RG__ATTR(cast), RG__CALLED(cast, "x: any, dtype: dtype"))
)
// clang-format on
