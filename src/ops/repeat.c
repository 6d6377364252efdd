/* Repetition: of the whole, and of each slice, so many times or as many as is counted. */
#include "ops/call.h"
#include "ops/cube.h"
#include "ops/family.h"

#include <string.h>

#define ROWS(ROW)                                                                                             \
    ROW(repeat, 1, RG__THROUGH, RG__COMPOSITE, "x several times along each axis",                             \
        RG__CALLED(repeat, "x: any, counts: ints"))                                                           \
    ROW(tile, 1, RG__THROUGH, RG__COMPOSITE, "x several times along its last axes",                           \
        RG__CALLED(tile, "x: any, counts: ints"))                                                             \
    ROW(repeat_index, 1, RG__NODIFF, RG__KERNEL, "i as often as the i-th count says", .fallible = true)       \
    ROW(repeat_interleave, 2, RG__THROUGH, RG__COMPOSITE, "each slice of x as often as its count says",       \
        RG__CALLED(repeat_interleave, "x: any, counts: integer, axis: ints = none, output_size: int = none")) \
    ROW(repeat_interleave_scalar, 1, RG__THROUGH, RG__COMPOSITE, "each slice of x so many times",             \
        RG__CALLED(repeat_interleave_scalar, "x: any, count: int, axis: ints = none"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_repeat[OP_##name])

/* ---- of the whole ---- */

/* Nothing of x, in a shape without elements. */
static rg_tensor nothing(rg_tape *t, rg_tensor x, rg_shape shape)
{
    return rg_reshape(t, rg_slice(t, rg_reshape(t, x, RG_SHAPE(rg_numel(t, x))), 0, 0, 0, 1), shape);
}

/* Each stretch of `within` neighbouring elements `count` times, in the given shape, which has elements. */
static rg_tensor repeat_stretches(rg_tape *t, rg_tensor x, int64_t within, int64_t count, rg_shape shape)
{
    const int64_t stretches = rg_numel(t, x) / within;
    x = rg_expand(t, rg_reshape(t, x, RG_SHAPE(stretches, 1, within)), RG_SHAPE(stretches, count, within));
    return rg_reshape(t, x, shape);
}

static rg_tensor repeat(rg_tape *t, const rg__op *op, rg_tensor x, rg_shape counts)
{
    const rg__node *n = rg__arg(t, op, x);
    if (!n)
        return RG_NIL;
    bool fits = counts.rank >= n->rank && counts.rank <= RG_MAX_RANK;
    rg_shape s = {counts.rank, {0}}, result = s;
    const int added = counts.rank - n->rank;
    for (int i = 0; fits && i < counts.rank; i++) {
        s.dims[i] = i < added ? 1 : n->dims[i - added];
        fits = counts.dims[i] >= 0 && !__builtin_mul_overflow(s.dims[i], counts.dims[i], &result.dims[i]);
    }
    if (!fits || rg_shape_numel(result) < 0) {
        rg__fail(t, op, RG_ERROR_SHAPE,
                 "%s cannot be there %s times: a count of 0 or more for each axis, and a valid size", RG__NODE_TEXT(n),
                 RG__DIMS_TEXT(counts.rank, counts.dims));
        return RG_NIL;
    }
    if (rg_shape_numel(result) == 0)
        return nothing(t, x, result);
    x = rg_reshape(t, x, s);
    int64_t within = 1;
    for (int i = counts.rank - 1; i >= 0; i--) {
        within *= s.dims[i];
        s.dims[i] = result.dims[i];
        if (counts.dims[i] > 1)
            x = repeat_stretches(t, x, within, counts.dims[i], s);
        within *= counts.dims[i];
    }
    return x;
}

rg_tensor rg_repeat(rg_tape *t, rg_tensor x, rg_shape counts)
{
    return repeat(t, OP(repeat), x, counts);
}

rg_tensor rg_tile(rg_tape *t, rg_tensor x, rg_shape counts)
{
    const rg__node *n = rg__arg(t, OP(tile), x);
    const int missing = n ? n->rank - counts.rank : 0;
    if (missing > 0 && counts.rank >= 0) {
        memmove(counts.dims + missing, counts.dims, (size_t)counts.rank * sizeof *counts.dims);
        for (int i = 0; i < missing; i++)
            counts.dims[i] = 1;
        counts.rank = n->rank;
    }
    return n ? repeat(t, OP(tile), x, counts) : RG_NIL;
}

/* ---- of each slice ---- */

/* i as often as the i-th count says. The counts must fill the result. */
static bool kernel_repeat_index(const rg__run *run)
{
    const rg__array_view *counts = &run->in[0];
    int64_t *out = run->out.data, sum = 0;
    const int64_t size = run->node->numel;
    for (int64_t i = 0; i < counts->dims[0]; i++) {
        const int64_t count = ((const int64_t *)counts->data)[i * counts->strides[0]];
        if (count < 0)
            return rg__run_fail(run, RG_ERROR_VALUE, "count %lld, of slice %lld, is negative", (long long)count,
                                (long long)i);
        if (count > size - sum)
            return rg__run_fail(run, RG_ERROR_VALUE, "the counts sum to more than the output size %lld", (long long)size);
        for (int64_t k = 0; k < count; k++)
            out[sum + k] = i;
        sum += count;
    }
    if (sum == size)
        return true;
    return rg__run_fail(run, RG_ERROR_VALUE, "the counts sum to %lld, the output size is %lld", (long long)sum,
                        (long long)size);
}

/* x, flattened where no axis is given, and the axis; -1 and an error where there are several, or none such. */
static int slices_along(rg_tape *t, const rg__op *op, rg_tensor *x, rg_axes axis)
{
    const rg__node *n = rg__arg(t, op, *x);
    if (!n)
        return -1;
    if (axis.count < 0 || axis.count > 1) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%d axes given; one or none is allowed", axis.count);
        return -1;
    }
    if (axis.count == 1)
        return rg__axis_of(t, op, n, axis.axis[0]);
    *x = rg_reshape(t, *x, RG_SHAPE(n->numel));
    return rg_failed(t) ? -1 : 0;
}

rg_tensor rg_repeat_interleave_scalar(rg_tape *t, rg_tensor x, int64_t count, rg_axes axis)
{
    const rg__op *op = OP(repeat_interleave_scalar);
    const int at = slices_along(t, op, &x, axis);
    if (at < 0)
        return RG_NIL;
    rg_shape s = rg_shape_of(t, x);
    int64_t within = 1;
    for (int i = at + 1; i < s.rank; i++)
        within *= s.dims[i];
    const bool valid = count >= 0 && !__builtin_mul_overflow(s.dims[at], count, &s.dims[at]);
    if (!valid || rg_shape_numel(s) < 0) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "each slice %lld times: 0 or more, and a valid size are needed",
                 (long long)count);
        return RG_NIL;
    }
    if (rg_shape_numel(s) == 0)
        return nothing(t, x, s);
    return count == 1 ? x : repeat_stretches(t, x, within, count, s);
}

/* The sum of the counts, which are computed for it; what is wrong with them is found when they are used. */
static int64_t sum_of(rg_tape *t, rg_tensor counts)
{
    const int64_t n = rg_numel(t, counts), *count = n ? rg_data_i64(t, counts) : NULL;
    int64_t sum = 0;
    for (int64_t i = 0; count && i < n; i++)
        if (__builtin_add_overflow(sum, count[i] > 0 ? count[i] : 0, &sum))
            return INT64_MAX;
    return sum;
}

rg_tensor rg_repeat_interleave(rg_tape *t, rg_tensor x, rg_tensor counts, rg_axes axis, int64_t output_size)
{
    const rg__op *op = OP(repeat_interleave);
    const int at = slices_along(t, op, &x, axis);
    const rg__node *n = at >= 0 ? rg__arg_of(t, op, counts, RG__INTEGER) : NULL;
    if (!n)
        return RG_NIL;
    rg_shape s = rg_shape_of(t, x);
    const int64_t extent = s.dims[at];
    if (n->rank > 1 || (n->numel != 1 && n->numel != extent) || output_size < -1) {
        rg__fail(t, op, output_size < -1 ? RG_ERROR_ARGUMENT : RG_ERROR_SHAPE,
                 "counts %s for %lld slices, and an output size of %lld: a count for each or one for all, and -1 or more "
                 "are needed",
                 RG__NODE_TEXT(n), (long long)extent, (long long)output_size);
        return RG_NIL;
    }
    counts = rg_expand(t, rg_reshape(t, rg_cast(t, counts, RG_I64), RG_SHAPE(n->numel)), RG_SHAPE(extent));
    const int64_t size = output_size < 0 ? sum_of(t, counts) : output_size;
    if (rg_failed(t))
        return RG_NIL;
    const rg_tensor index = rg__record(t, OP(repeat_index), &counts, 1, RG_I64, 1, &size, NULL);
    return rg_index_select(t, x, at, index);
}

/* ---- by name ---- */

RG__CALL(repeat, rg_repeat(t, in[0], RG__SHAPE_OF(counts)))
RG__CALL(tile, rg_tile(t, in[0], RG__SHAPE_OF(counts)))
RG__CALL(repeat_interleave, rg_repeat_interleave(t, in[0], in[1], RG__AXES_OF(axis),
                                                 rg__call_given(c, "output_size") ? RG__INT_OF(output_size) : -1))
RG__CALL(repeat_interleave_scalar, rg_repeat_interleave_scalar(t, in[0], RG__INT_OF(count), RG__AXES_OF(axis)))

/* ---- samples ---- */

static const int64_t counts[] = {2, 0, 3};

RG__CUBE_SAMPLE(repeat, 4,
                index == 3   ? rg_repeat(t, x, RG_SHAPE(2))
                : index == 1 ? rg_repeat(t, x, RG_SHAPE(2, 2, 1, 2))
                             : rg_repeat(t, x, RG_SHAPE(1, 2, 3)))
RG__CUBE_SAMPLE(tile, 4, rg_tile(t, x, index == 1 ? RG_SHAPE(2) : RG_SHAPE(2, 1, 3)))
RG__CUBE_SAMPLE(repeat_interleave, 4,
                index == 3   ? rg_repeat_interleave(t, x, rg_input_i64(t, RG_SHAPE(1), counts), RG_ALL, -1)
                : index == 2 ? rg_repeat_interleave(t, x, rg_input_i64(t, RG_SHAPE(2), counts), RG_AXES(0), 2)
                             : rg_repeat_interleave(t, x, rg_input_i64(t, RG_SHAPE(3), counts), RG_AXES(index ? 0 : 1),
                                                    index ? -1 : 5))
RG__CUBE_SAMPLE(repeat_interleave_scalar, 4,
                rg_repeat_interleave_scalar(t, x, index == 2 ? 0 : 2, index == 3 ? RG_ALL : RG_AXES(index)))

static rg_tensor sample_repeat_index(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    if (index > 0)
        return RG_NIL;
    const rg_tensor n = rg_input_i64(t, RG_SHAPE(3), counts);
    return rg__record(t, OP(repeat_index), &n, 1, RG_I64, 1, (int64_t[]){5}, NULL);
}

RG__FAMILY(repeat, ROWS(RG__ROW))
