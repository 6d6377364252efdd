/* Integers bit by bit, and shifts. Of bools, bits are truth values. */
#include "ops/call.h"
#include "ops/family.h"
#include "ops/loops.h"

// clang-format off
#define BIT_ROWS(ROW)                                                                                                  \
    /*  name          formula    value  */                                                                             \
    ROW(bitwise_and,  "a and b", a & b)                                                                                \
    ROW(bitwise_or,   "a or b",  a | b)                                                                                \
    ROW(bitwise_xor,  "a xor b", a ^ b)

/* Shifted by less than 0 or by all bits, there are none left, and on the right as many signs. */
#define SHIFT_ROWS(ROW)                                                                                                \
    ROW(bitwise_left_shift,  "a 2^b",        (U)b < BITS ? (T)((U)a << b) : 0)                                          \
    ROW(bitwise_right_shift, "floor(a / 2^b)", a >> ((U)b < BITS ? b : (T)(BITS - 1)))
// clang-format on

enum { BIT_ROWS(RG__ENUM) SHIFT_ROWS(RG__ENUM) OP_bitwise_not };
#define OP(name) (&rg__ops_bitwise[OP_##name])

/* ---- kernels ---- */

#define BIT_LOOPS(name, formula, value)            \
    RG__LOOP2(name##_i32, int32_t, int32_t, value) \
    RG__LOOP2(name##_i64, int64_t, int64_t, value) \
    RG__LOOP2(name##_bool, uint8_t, uint8_t, value)
BIT_ROWS(BIT_LOOPS)

/* U is T without a sign, BITS how many it has. */
#define BITS                            (8 * sizeof(T))
#define SHIFT_I32(name, formula, value) RG__LOOP2(name##_i32, int32_t, int32_t, value)
#define SHIFT_I64(name, formula, value) RG__LOOP2(name##_i64, int64_t, int64_t, value)
#define U                               uint32_t
SHIFT_ROWS(SHIFT_I32)
#undef U
#define U uint64_t
SHIFT_ROWS(SHIFT_I64)
#undef U

RG__LOOP1(bitwise_not_i32, int32_t, int32_t, ~x, )
RG__LOOP1(bitwise_not_i64, int64_t, int64_t, ~x, )
RG__LOOP1(bitwise_not_bool, uint8_t, uint8_t, x ^ 1, )

/* ---- recording ---- */

#define RECORD(name, formula, value)                                            \
    rg_tensor rg_##name(rg_tape *t, rg_tensor a, rg_tensor b)                   \
    {                                                                           \
        return rg__record_pointwise(t, OP(name), (rg_tensor[]){a, b}, 2, NULL); \
    }
BIT_ROWS(RECORD)
SHIFT_ROWS(RECORD)

rg_tensor rg_bitwise_not(rg_tape *t, rg_tensor x)
{
    return rg__record_pointwise(t, OP(bitwise_not), &x, 1, NULL);
}

/* ---- samples ---- */

/* The arguments of sample `index`: false past the last one, which is of bools. */
static bool arguments(rg_tape *t, int index, rg_tensor *a, rg_tensor *b)
{
    static const int64_t wide[] = {0, -1, 5, INT64_MIN, INT64_MAX, 12, 1, -2, 255, -256, 77, 3};
    static const int64_t other[] = {3, 4, 63, 1, 64, -1, 62, 2, 8, 40, INT64_MIN, 0};
    static const int32_t narrow[] = {9, -9, INT32_MIN, INT32_MAX, 1, 6}, few[] = {31, 2};
    static const bool truth[] = {true, false, false, true};
    const rg_tensor x = rg_input_i64(t, RG_SHAPE(3, 4), wide), y = rg_input_i64(t, RG_SHAPE(3, 4), other);
    switch (index) {
    case 0: *a = x, *b = y; break;
    case 1: *a = rg_input_i32(t, RG_SHAPE(3, 2), narrow), *b = rg_input_i32(t, RG_SHAPE(2), few); break;
    case 2: *a = rg_transpose(t, x, 0, 1), *b = rg_transpose(t, rg_flip(t, y, RG_ALL), 0, 1); break;
    case 3: *a = rg_zeros(t, RG_I64, RG_SHAPE(0, 3)), *b = rg_ones(t, RG_I64, RG_SHAPE(1, 3)); break;
    case 4: *a = rg_constant(t, RG_I64, 6), *b = rg_select(t, rg_select(t, y, 0, 0), 0, 0); break;
    case 5: *a = rg_input_bool(t, RG_SHAPE(2, 2), truth), *b = rg_input_bool(t, RG_SHAPE(2), truth); break;
    default: return false;
    }
    return true;
}

#define SAMPLE(name, most, ...)                               \
    static rg_tensor sample_##name(rg__draw *draw, int index) \
    {                                                         \
        rg_tape *t = draw->t;                                 \
        rg_tensor a, b;                                       \
        if (index >= (most) || !arguments(t, index, &a, &b))  \
            return RG_NIL;                                    \
        return __VA_ARGS__;                                   \
    }
#define BIT_SAMPLE(name, formula, value)   SAMPLE(name, 6, rg_##name(t, a, b))
#define SHIFT_SAMPLE(name, formula, value) SAMPLE(name, 5, rg_##name(t, a, b))
BIT_ROWS(BIT_SAMPLE)
SHIFT_ROWS(SHIFT_SAMPLE)
SAMPLE(bitwise_not, 6, rg_bitwise_not(t, a))

/* ---- the table ---- */

#define INTEGER_TABLE(name) [RG_I32] = name##_i32, [RG_I64] = name##_i64
#define TABLE_ROW(name_, arity_, signature_, ...) \
    [OP_##name_] = {.name = #name_,               \
                    .arity = arity_,              \
                    .sample = sample_##name_,     \
                    .signature = signature_,      \
                    .call = rg__call_pointwise,   \
                    .formula = __VA_ARGS__},
#define BIT_ROW(name, formula, value) \
    TABLE_ROW(name, 2, "a: whole, b: whole", formula, .loop = {INTEGER_TABLE(name), [RG_BOOL] = name##_bool})
#define SHIFT_ROW(name, formula, value) \
    TABLE_ROW(name, 2, "a: integer, b: integer", formula, .loop = {INTEGER_TABLE(name)})

// clang-format off
RG__FAMILY(bitwise,
    BIT_ROWS(BIT_ROW)
    SHIFT_ROWS(SHIFT_ROW)
    TABLE_ROW(bitwise_not, 1, "x: whole", "not x", .loop = {INTEGER_TABLE(bitwise_not), [RG_BOOL] = bitwise_not_bool})
)
// clang-format on
