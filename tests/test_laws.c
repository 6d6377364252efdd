/* The laws that the op table states, on which simplification rests: bit for bit, at the numbers where they might break, by
 * the loops of the reference and of every instruction set. */
#include "simplify_support.h"

#include "exec/kernels/vector.h"
#include "ops/op.h"

static int64_t special(rg_dtype dtype, const void **values)
{
    switch (dtype) {
    case RG_F32: *values = special_f32; return COUNT(special_f32);
    case RG_F64: *values = special_f64; return COUNT(special_f64);
    case RG_I32: *values = special_i32; return COUNT(special_i32);
    case RG_I64: *values = special_i64; return COUNT(special_i64);
    case RG_BOOL: *values = special_bool; return COUNT(special_bool);
    }
    return 0;
}

typedef struct element {
    _Alignas(8) char bytes[8];
} element;

/* In an array of so many, that both the vectors of a loop and what is left of them take part. */
static element apply(const rg__op *op, rg_dtype dtype, rg__loop loop, const element *a, const element *b,
                     const element *c)
{
    enum { MANY = 37 };
    static char space[4][(MANY + 1) * 8];
    const element *const in[] = {a, b, c};
    const size_t size = rg_dtype_size(dtype), out = op->bool_result ? 1 : size;
    char *const p[] = {space[0], space[1], space[2], space[3]};
    int64_t strides[4] = {(int64_t)out};
    for (int i = 0; i < op->arity; i++) {
        strides[i + 1] = op->arity == 3 && i == 0 ? 1 : (int64_t)size;
        for (int k = 0; k < MANY; k++)
            memcpy(p[i + 1] + k * strides[i + 1], in[i], (size_t)strides[i + 1]);
    }
    loop(MANY, p, strides, NULL);
    for (int k = 1; k < MANY; k++)
        assert_true(is_same(op->bool_result ? RG_BOOL : dtype, space[0] + (size_t)k * out, space[0]));
    element result = {{0}};
    memcpy(&result, space[0], out);
    return result;
}

static bool is_minus_zero(rg_dtype dtype, const element *x)
{
    float single;
    double number;
    memcpy(&single, x, sizeof single);
    memcpy(&number, x, sizeof number);
    return dtype == RG_F32 ? single == 0 && signbit(single) : dtype == RG_F64 && number == 0 && signbit(number);
}

/* What the law says about zeros, of these arguments. */
static bool may_be_minus_zero(rg__zero law, rg_dtype dtype, const element *in, int n)
{
    bool all = true, any = false;
    for (int i = 0; i < n; i++) {
        all = all && is_minus_zero(dtype, &in[i]);
        any = any || is_minus_zero(dtype, &in[i]);
    }
    return law == RG__ZERO_ANY || (law == RG__ZERO_FIRST && is_minus_zero(dtype, &in[0])) ||
           (law == RG__ZERO_ALL && all) || (law == RG__ZERO_LAST && any);
}

static void same(const rg__op *op, rg_dtype dtype, const char *law, const element *x, const element *y)
{
    if (!is_same(dtype, x->bytes, y->bytes))
        fail_msg("%s of %s: %s", op->name, rg_dtype_name(dtype), law);
}

static element special_at(rg_dtype dtype, int64_t i)
{
    const void *values;
    element x = {{0}};
    special(dtype, &values);
    memcpy(&x, (const char *)values + (size_t)i * rg_dtype_size(dtype), rg_dtype_size(dtype));
    return x;
}

static void check_zeros(const rg__op *op, rg_dtype dtype, rg__loop loop, const element *truth)
{
    const void *values;
    const int64_t n = special(dtype, &values);
    for (int64_t i = 0; i < n * n && !op->bool_result; i++) {
        const element in[2] = {special_at(dtype, i / n), special_at(dtype, i % n)};
        const element y = op->arity == 3 ? apply(op, dtype, loop, &truth[i % 2], &in[0], &in[1])
                                         : apply(op, dtype, loop, &in[0], &in[1], NULL);
        if (is_minus_zero(dtype, &y) && !may_be_minus_zero(op->laws->zero, dtype, in, op->arity == 1 ? 1 : 2))
            fail_msg("%s of %s: a result is -0", op->name, rg_dtype_name(dtype));
    }
}

static int check_laws(const rg__op *op, rg_dtype dtype, rg__loop loop)
{
    const rg__laws *laws = op->laws;
    const void *values;
    const int64_t n = special(dtype, &values);
    element unit = {{0}}, truth[2] = {{{false}}, {{true}}}, y;
    const bool has_unit = (laws->left || laws->right) && (dtype <= RG_F64 || isfinite(laws->unit));
    if (has_unit)
        rg__store_number(dtype, unit.bytes, laws->unit);
    check_zeros(op, dtype, loop, truth);
    for (int64_t i = 0; i < n; i++) {
        const element x = special_at(dtype, i);
        if (has_unit && laws->right)
            y = apply(op, dtype, loop, &x, &unit, NULL), same(op, dtype, "x op unit is not x", &x, &y);
        if (has_unit && laws->left)
            y = apply(op, dtype, loop, &unit, &x, NULL), same(op, dtype, "unit op x is not x", &x, &y);
        if (laws->idempotent && op->arity > 1) {
            y = op->arity == 3 ? apply(op, dtype, loop, &truth[i % 2], &x, &x) : apply(op, dtype, loop, &x, &x, NULL);
            same(op, dtype, "op(x, x) is not x", &x, &y);
        } else if (laws->idempotent || laws->involution) {
            const element once = apply(op, dtype, loop, &x, NULL, NULL);
            y = apply(op, dtype, loop, &once, NULL, NULL);
            same(op, dtype, "the second time is not what the law says", laws->involution ? &x : &once, &y);
        }
    }
    return (int)n;
}

static void the_laws_of_the_table_hold_for_special_values_bit_for_bit(void **state)
{
    (void)state;
    int checked = 0;
    for (int i = 0; i < rg__op_count(); i++) {
        const rg__op *op = rg__op_at(i);
        for (int dtype = 0; dtype < RG_DTYPES && op->laws && !op->attr_size; dtype++) {
            if (op->loop[dtype])
                checked += check_laws(op, (rg_dtype)dtype, op->loop[dtype]);
            for (int level = 0; level < RG__VECTOR_LEVELS; level++) {
                rg__loop loop = rg__vector_loop_at((rg__vector_level)level, op->name, (rg_dtype)dtype);
                /* The reference's powers of 1 are exact, those of vectors within their 4 ulp. */
                if (loop && op->loop[dtype] && op->laws->unit != 1)
                    checked += check_laws(op, (rg_dtype)dtype, loop);
            }
        }
    }
    assert_true(checked > 500);
}

/* Sums of -0 begin with 0, whatever way they take. */
static void sums_and_products_of_minus_zeros_are_plus_zero(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 3, 40, 300};
    for (int i = 0; i < 4 * 5; i++) {
        const int64_t n = sizes[i % 4];
        rg_tape *t = rg_tape_new(NULL);
        const rg_tensor one = rg_neg(t, rg_cast(t, rg_scalar(t, RG_F64, 0), i % 2 ? RG_F32 : RG_F64));
        const rg_tensor x = rg_contiguous(t, rg_expand(t, one, RG_SHAPE(n, n)));
        const rg_tensor y = rg_expand(t, rg_scalar(t, RG_F64, 2), RG_SHAPE(n, n));
        rg_keep(t, x);
        assert_true(rg_tape_run(t));
        rg_tensor sum = RG_NIL;
        switch (i / 4) {
        case 0: sum = rg_sum(t, x, RG_ALL, false); break;
        case 1: sum = rg_sum(t, x, RG_AXES(0), false); break;
        case 2: sum = rg_sum(t, x, RG_AXES(1), false); break;
        case 3: sum = rg_sum(t, rg_transpose(t, x, 0, 1), RG_AXES(0), false); break;
        default: sum = rg_matmul(t, x, rg_contiguous(t, rg_cast(t, y, rg_dtype_of(t, x)))); break;
        }
        sum = rg_reciprocal(t, sum);
        assert_true(rg_item(t, rg_min(t, sum, RG_ALL, false)) == INFINITY);
        rg_tape_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_laws_of_the_table_hold_for_special_values_bit_for_bit),
        cmocka_unit_test(sums_and_products_of_minus_zeros_are_plus_zero),
    };
    return cmocka_run_group_tests_name("laws", tests, NULL, NULL);
}
