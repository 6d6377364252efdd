/* Creation: sequences and random draws. What is constant is a scalar, repeated. */
#include "ops/call.h"
#include "ops/family.h"

#include "core/random.h"

#include <math.h>

#define ROWS(ROW)                                                                                                        \
    ROW(arange, 0, RG__NODIFF, RG__KERNEL, "start + i step", RG__ATTR(arange),                                           \
        RG__CALLED(arange, "dtype: dtype, start: real, stop: real, step: real = 1"))                                     \
    ROW(linspace, 0, RG__NODIFF, RG__KERNEL, "evenly from start to stop", RG__ATTR(linspace),                            \
        RG__CALLED(linspace, "dtype: dtype, start: real, stop: real, count: int"))                                       \
    ROW(eye, 0, RG__NODIFF, RG__COMPOSITE, "1 where row = column, else 0",                                               \
        RG__CALLED(eye, "dtype: dtype, rows: int, columns: int"))                                                        \
    ROW(full, 0, RG__NODIFF, RG__COMPOSITE, "a value everywhere",                                                        \
        RG__CALLED(full, "dtype: dtype, shape: ints, value: real"))                                                      \
    ROW(rand, 0, RG__NODIFF, RG__KERNEL, "uniform in [0, 1)", .random = true,                                            \
        RG__CALLED(rand, "dtype: dtype, shape: ints"))                                                                   \
    ROW(randn, 0, RG__NODIFF, RG__KERNEL, "standard normal", .random = true,                                             \
        RG__CALLED(randn, "dtype: dtype, shape: ints"))                                                                  \
    ROW(bernoulli, 0, RG__NODIFF, RG__KERNEL, "true with probability p", .random = true, RG__ATTR(bernoulli),            \
        RG__CALLED(bernoulli, "shape: ints, p: real"))                                                                   \
    ROW(randint, 0, RG__NODIFF, RG__KERNEL, "uniform whole numbers in [low, high)", .random = true, RG__ATTR(randint),   \
        RG__CALLED(randint, "shape: ints, low: int, high: int"))                                                         \
    ROW(randperm, 0, RG__NODIFF, RG__KERNEL, "0 .. n-1 in random order", .random = true, RG__CALLED(randperm, "n: int")) \
    ROW(zeros, 0, RG__NODIFF, RG__COMPOSITE, "0 everywhere", RG__CALLED(zeros, "dtype: dtype, shape: ints"))             \
    ROW(ones, 0, RG__NODIFF, RG__COMPOSITE, "1 everywhere", RG__CALLED(ones, "dtype: dtype, shape: ints"))               \
    ROW(zeros_like, 1, RG__NODIFF, RG__COMPOSITE, "0, in the shape of x", RG__CALLED(zeros_like, "x: any"))              \
    ROW(ones_like, 1, RG__NODIFF, RG__COMPOSITE, "1, in the shape of x", RG__CALLED(ones_like, "x: any"))                \
    ROW(full_like, 1, RG__NODIFF, RG__COMPOSITE, "a value, in the shape of x",                                           \
        RG__CALLED(full_like, "x: any, value: real"))                                                                    \
    ROW(rand_like, 1, RG__NODIFF, RG__COMPOSITE, "uniform in [0, 1), in the shape of x", .random = true,                 \
        RG__CALLED(rand_like, "x: float"))                                                                               \
    ROW(randn_like, 1, RG__NODIFF, RG__COMPOSITE, "standard normal, in the shape of x", .random = true,                  \
        RG__CALLED(randn_like, "x: float"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_create[OP_##name])

/* ---- constants ---- */

/* The dtype and shape as an op's result, or false and an error. */
static bool valid(rg_tape *t, const rg__op *op, rg_dtype dtype, rg_shape shape)
{
    if ((unsigned)dtype >= RG_DTYPES)
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%d is no dtype", (int)dtype);
    else if (rg_shape_numel(shape) < 0)
        rg__fail(t, op, RG_ERROR_SHAPE,
                 "%s (rank %d) is not a valid shape: rank 0 to %d, no negative extent, no overflow",
                 RG__DIMS_TEXT(shape.rank, shape.dims), shape.rank, RG_MAX_RANK);
    else
        return true;
    return false;
}

static rg_tensor fill(rg_tape *t, const rg__op *op, rg_dtype dtype, rg_shape shape, double value)
{
    return valid(t, op, dtype, shape) ? rg_expand(t, rg_constant(t, dtype, value), shape) : RG_NIL;
}

rg_tensor rg_full(rg_tape *t, rg_dtype dtype, rg_shape shape, double value)
{
    return fill(t, OP(full), dtype, shape, value);
}

rg_tensor rg_zeros(rg_tape *t, rg_dtype dtype, rg_shape shape)
{
    return fill(t, OP(zeros), dtype, shape, 0);
}

rg_tensor rg_ones(rg_tape *t, rg_dtype dtype, rg_shape shape)
{
    return fill(t, OP(ones), dtype, shape, 1);
}

static rg_tensor fill_like(rg_tape *t, const rg__op *op, rg_tensor x, double value)
{
    const rg__node *n = rg__arg(t, op, x);
    return n ? fill(t, op, (rg_dtype)n->dtype, rg_shape_of(t, x), value) : RG_NIL;
}

rg_tensor rg_full_like(rg_tape *t, rg_tensor x, double value)
{
    return fill_like(t, OP(full_like), x, value);
}

rg_tensor rg_zeros_like(rg_tape *t, rg_tensor x)
{
    return fill_like(t, OP(zeros_like), x, 0);
}

rg_tensor rg_ones_like(rg_tape *t, rg_tensor x)
{
    return fill_like(t, OP(ones_like), x, 1);
}

/* ---- sequences ---- */

struct arange {
    double start, step;
};
static const rg__field fields_arange[] = {
    RG__FIELD(struct arange, start, RG__FLOAT), RG__FIELD(struct arange, step, RG__FLOAT), {0}};

struct linspace {
    double start, stop;
};
static const rg__field fields_linspace[] = {
    RG__FIELD(struct linspace, start, RG__FLOAT), RG__FIELD(struct linspace, stop, RG__FLOAT), {0}};

#define FILL(T, value)                        \
    for (int64_t i = 0; i < n; i++)           \
        ((T *)run->out.data)[i] = (T)(value); \
    break

static bool kernel_arange(const rg__run *run)
{
    const struct arange *a = run->node->attr;
    const int64_t n = run->node->numel;
    switch (run->out.dtype) {
    case RG_F32: FILL(float, a->start + (double)i * a->step);
    case RG_F64: FILL(double, a->start + (double)i * a->step);
    case RG_I32: FILL(int32_t, (int64_t)a->start + i * (int64_t)a->step);
    default: FILL(int64_t, (int64_t)a->start + i * (int64_t)a->step);
    }
    return true;
}

/* From both ends, so that each is met exactly. */
static bool kernel_linspace(const rg__run *run)
{
    const struct linspace *a = run->node->attr;
    const int64_t n = run->node->numel;
    const double step = n > 1 ? (a->stop - a->start) / (double)(n - 1) : 0;
#define POINT (2 * i < n ? a->start + step * (double)i : a->stop - step * (double)(n - 1 - i))
    switch (run->out.dtype) {
    case RG_F32: FILL(float, POINT);
    default: FILL(double, POINT);
    }
#undef POINT
    return true;
}

rg_tensor rg_arange(rg_tape *t, rg_dtype dtype, double start, double stop, double step)
{
    const double count = ceil((stop - start) / step);
    if ((unsigned)dtype >= RG_BOOL || !isfinite(start) || !isfinite(step) || step == 0 || !(count <= 0x1p53)) {
        rg__fail(t, OP(arange), RG_ERROR_ARGUMENT, "%g to %g by %g of %s: numbers, and a step that is not 0, are needed",
                 start, stop, step, rg_dtype_name(dtype));
        return RG_NIL;
    }
    if ((dtype == RG_I32 || dtype == RG_I64) &&
        (start != trunc(start) || step != trunc(step) || fabs(start) >= 0x1p62 || fabs(step) >= 0x1p62)) {
        rg__fail(t, OP(arange), RG_ERROR_ARGUMENT, "start %g and step %g must be whole numbers for %s", start, step,
                 rg_dtype_name(dtype));
        return RG_NIL;
    }
    if (count > 0 && !rg__dtype_holds(dtype, start + (count - 1) * step)) {
        rg__fail(t, OP(arange), RG_ERROR_ARGUMENT, "%g to %g by %g goes beyond what %s can hold", start, stop, step,
                 rg_dtype_name(dtype));
        return RG_NIL;
    }
    rg_shape shape = RG_SHAPE(count > 0 ? (int64_t)count : 0);
    if (!valid(t, OP(arange), dtype, shape))
        return RG_NIL;
    return rg__record(t, OP(arange), NULL, 0, dtype, 1, shape.dims, &(struct arange){start, step});
}

rg_tensor rg_linspace(rg_tape *t, rg_dtype dtype, double start, double stop, int64_t count)
{
    if ((dtype != RG_F32 && dtype != RG_F64) || count < 0) {
        rg__fail(t, OP(linspace), RG_ERROR_ARGUMENT, "%lld numbers of %s: 0 or more of a float dtype are needed",
                 (long long)count, rg_dtype_name(dtype));
        return RG_NIL;
    }
    if (!valid(t, OP(linspace), dtype, RG_SHAPE(count)))
        return RG_NIL;
    return rg__record(t, OP(linspace), NULL, 0, dtype, 1, &count, &(struct linspace){start, stop});
}

rg_tensor rg_eye(rg_tape *t, rg_dtype dtype, int64_t rows, int64_t columns)
{
    if (!valid(t, OP(eye), dtype, RG_SHAPE(rows, columns)))
        return RG_NIL;
    rg_tensor row = rg_unsqueeze(t, rg_arange(t, RG_I64, 0, (double)rows, 1), 1);
    return rg_cast(t, rg_eq(t, row, rg_arange(t, RG_I64, 0, (double)columns, 1)), dtype);
}

/* ---- random draws: element i is drawn from the node's counter + i, whenever and wherever it is computed ---- */

#define TAPE_STREAM 0
#define DRAWS       rg__tape_seed(run->t), TAPE_STREAM, run->node->slot.counter, (size_t)run->node->numel

static bool kernel_rand(const rg__run *run)
{
    if (run->out.dtype == RG_F32)
        rg__uniform_f32(DRAWS, 0, 1, run->out.data);
    else
        rg__uniform_f64(DRAWS, 0, 1, run->out.data);
    return true;
}

static bool kernel_randn(const rg__run *run)
{
    if (run->out.dtype == RG_F32)
        rg__normal_f32(DRAWS, 0, 1, run->out.data);
    else
        rg__normal_f64(DRAWS, 0, 1, run->out.data);
    return true;
}

struct bernoulli {
    double p;
};
static const rg__field fields_bernoulli[] = {RG__FIELD(struct bernoulli, p, RG__FLOAT), {0}};

static bool kernel_bernoulli(const rg__run *run)
{
    rg__bernoulli(DRAWS, ((const struct bernoulli *)run->node->attr)->p, run->out.data);
    return true;
}

struct randint {
    int64_t low, high;
};
static const rg__field fields_randint[] = {
    RG__FIELD(struct randint, low, RG__INT), RG__FIELD(struct randint, high, RG__INT), {0}};

static bool kernel_randint(const rg__run *run)
{
    const struct randint *a = run->node->attr;
    rg__integers(DRAWS, a->low, a->high, run->out.data);
    return true;
}

static bool kernel_randperm(const rg__run *run)
{
    rg__permutation(DRAWS, run->out.data);
    return true;
}

static rg_tensor draw_floats(rg_tape *t, const rg__op *op, rg_dtype dtype, rg_shape shape)
{
    if (!valid(t, op, dtype, shape))
        return RG_NIL;
    if (dtype != RG_F32 && dtype != RG_F64) {
        rg__fail(t, op, RG_ERROR_DTYPE, "%s is not a float dtype", rg_dtype_name(dtype));
        return RG_NIL;
    }
    return rg__record_random(t, op, dtype, shape.rank, shape.dims, NULL);
}

rg_tensor rg_rand(rg_tape *t, rg_dtype dtype, rg_shape shape)
{
    return draw_floats(t, OP(rand), dtype, shape);
}

rg_tensor rg_randn(rg_tape *t, rg_dtype dtype, rg_shape shape)
{
    return draw_floats(t, OP(randn), dtype, shape);
}

rg_tensor rg_rand_like(rg_tape *t, rg_tensor x)
{
    const rg__node *n = rg__arg_of(t, OP(rand_like), x, RG__FLOATS);
    return n ? rg_rand(t, (rg_dtype)n->dtype, rg_shape_of(t, x)) : RG_NIL;
}

rg_tensor rg_randn_like(rg_tape *t, rg_tensor x)
{
    const rg__node *n = rg__arg_of(t, OP(randn_like), x, RG__FLOATS);
    return n ? rg_randn(t, (rg_dtype)n->dtype, rg_shape_of(t, x)) : RG_NIL;
}

rg_tensor rg_bernoulli(rg_tape *t, rg_shape shape, double p)
{
    if (!valid(t, OP(bernoulli), RG_BOOL, shape))
        return RG_NIL;
    if (!(p >= 0 && p <= 1)) {
        rg__fail(t, OP(bernoulli), RG_ERROR_ARGUMENT, "probability %g is not in [0, 1]", p);
        return RG_NIL;
    }
    return rg__record_random(t, OP(bernoulli), RG_BOOL, shape.rank, shape.dims, &(struct bernoulli){p});
}

rg_tensor rg_randint(rg_tape *t, rg_shape shape, int64_t low, int64_t high)
{
    if (!valid(t, OP(randint), RG_I64, shape))
        return RG_NIL;
    if (low >= high) {
        rg__fail(t, OP(randint), RG_ERROR_ARGUMENT, "[%lld, %lld) is empty", (long long)low, (long long)high);
        return RG_NIL;
    }
    return rg__record_random(t, OP(randint), RG_I64, shape.rank, shape.dims, &(struct randint){low, high});
}

rg_tensor rg_randperm(rg_tape *t, int64_t n)
{
    return valid(t, OP(randperm), RG_I64, RG_SHAPE(n)) ? rg__record_random(t, OP(randperm), RG_I64, 1, &n, NULL) : RG_NIL;
}

/* ---- by name ---- */

RG__CALL(arange, rg_arange(t, RG__DTYPE_OF(dtype), RG__REAL_OF(start), RG__REAL_OF(stop), RG__REAL_OF(step)))
RG__CALL(linspace, rg_linspace(t, RG__DTYPE_OF(dtype), RG__REAL_OF(start), RG__REAL_OF(stop), RG__INT_OF(count)))
RG__CALL(eye, rg_eye(t, RG__DTYPE_OF(dtype), RG__INT_OF(rows), RG__INT_OF(columns)))
RG__CALL(full, rg_full(t, RG__DTYPE_OF(dtype), RG__SHAPE_OF(shape), RG__REAL_OF(value)))
RG__CALL(rand, rg_rand(t, RG__DTYPE_OF(dtype), RG__SHAPE_OF(shape)))
RG__CALL(randn, rg_randn(t, RG__DTYPE_OF(dtype), RG__SHAPE_OF(shape)))
RG__CALL(bernoulli, rg_bernoulli(t, RG__SHAPE_OF(shape), RG__REAL_OF(p)))
RG__CALL(randint, rg_randint(t, RG__SHAPE_OF(shape), RG__INT_OF(low), RG__INT_OF(high)))
RG__CALL(randperm, rg_randperm(t, RG__INT_OF(n)))
RG__CALL(zeros, rg_zeros(t, RG__DTYPE_OF(dtype), RG__SHAPE_OF(shape)))
RG__CALL(ones, rg_ones(t, RG__DTYPE_OF(dtype), RG__SHAPE_OF(shape)))
RG__CALL(zeros_like, rg_zeros_like(t, in[0]))
RG__CALL(ones_like, rg_ones_like(t, in[0]))
RG__CALL(full_like, rg_full_like(t, in[0], RG__REAL_OF(value)))
RG__CALL(rand_like, rg_rand_like(t, in[0]))
RG__CALL(randn_like, rg_randn_like(t, in[0]))

/* ---- samples ---- */

#define SAMPLE(name, n, ...)                                  \
    static rg_tensor sample_##name(rg__draw *draw, int index) \
    {                                                         \
        rg_tape *t = draw->t;                                 \
        return index < n ? (__VA_ARGS__) : RG_NIL;            \
    }
SAMPLE(arange, 3, index ? rg_arange(t, RG_I64, 5, -2, -index) : rg_arange(t, RG_F32, 0, 2, .25))
SAMPLE(linspace, 3, rg_linspace(t, RG_F32, -1, 2, 4 * index + 1))
SAMPLE(eye, 2, rg_eye(t, RG_F32, 3, 3 + index))
SAMPLE(full, 2, rg_full(t, RG_F32, index ? RG_SHAPE(2, 3) : RG_SCALAR, .5))
SAMPLE(rand, 1, rg_rand(t, RG_F32, RG_SHAPE(3, 4)))
SAMPLE(randn, 1, rg_randn(t, RG_F32, RG_SHAPE(3, 4)))
SAMPLE(bernoulli, 1, rg_bernoulli(t, RG_SHAPE(3, 4), .3))
SAMPLE(randint, 1, rg_randint(t, RG_SHAPE(3, 4), -2, 5))
SAMPLE(zeros, 2, rg_zeros(t, RG_F32, index ? RG_SHAPE(2, 3) : RG_SCALAR))
SAMPLE(ones, 2, rg_ones(t, RG_F32, index ? RG_SHAPE(0, 3) : RG_SHAPE(4)))
SAMPLE(zeros_like, 1, rg_zeros_like(t, RG__DRAW(draw, RG_SHAPE(2, 3), RG__REAL)))
SAMPLE(ones_like, 1, rg_ones_like(t, RG__DRAW(draw, RG_SHAPE(2, 3), RG__REAL)))
SAMPLE(full_like, 1, rg_full_like(t, RG__DRAW(draw, RG_SHAPE(2, 3), RG__REAL), .5))
SAMPLE(rand_like, 1, rg_rand_like(t, RG__DRAW(draw, RG_SHAPE(2, 3), RG__REAL)))
SAMPLE(randn_like, 1, rg_randn_like(t, RG__DRAW(draw, RG_SHAPE(2, 3), RG__REAL)))
SAMPLE(randperm, 1, rg_randperm(t, 7))

RG__FAMILY(create, ROWS(RG__ROW))
