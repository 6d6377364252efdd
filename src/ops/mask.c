/* Masks: filling, selecting and replacing where they are true. What has a shape that depends on a mask reads it when it is
 * recorded. */
#include "ops/at_index.h"
#include "ops/call.h"
#include "ops/family.h"

#include <stdlib.h>
#include <string.h>

#define ROWS(ROW)                                                                                              \
    ROW(mask_rank, 1, RG__NODIFF, RG__KERNEL, "how many elements of the mask are true before this one",        \
        .fallible = true, RG__ATTR(mask_rank))                                                                 \
    ROW(masked_fill, 3, RG__THROUGH, RG__COMPOSITE, "mask ? value : x",                                        \
        RG__CALLED(masked_fill, "x: any, mask: bool, value: any"))                                             \
    ROW(masked_fill_scalar, 2, RG__THROUGH, RG__COMPOSITE, "mask ? number : x",                                \
        RG__CALLED(masked_fill_scalar, "x: any, mask: bool, value: real"))                                     \
    ROW(masked_select, 2, RG__THROUGH, RG__COMPOSITE, "x where mask is true",                                  \
        RG__CALLED(masked_select, "x: any, mask: bool"))                                                       \
    ROW(masked_scatter, 3, RG__THROUGH, RG__COMPOSITE, "x with the next element of source where mask is true", \
        RG__CALLED(masked_scatter, "x: any, mask: bool, source: any"))                                         \
    ROW(nonzero, 1, RG__NODIFF, RG__COMPOSITE, "positions where x is not 0", RG__CALLED(nonzero, "x: any"))    \
    ROW(argwhere, 1, RG__NODIFF, RG__COMPOSITE, "positions where x is not 0", RG__CALLED(argwhere, "x: any"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_mask[OP_##name])

/* ---- counting along a mask ---- */

struct mask_rank {
    int64_t most; /* that may be true */
};
static const rg__field fields_mask_rank[] = {RG__FIELD(struct mask_rank, most, RG__INT), {0}};

/* Where the mask is false, the count may be one too many for a place in what there is; 0 is always one. */
static bool kernel_mask_rank(const rg__run *run)
{
    const int64_t most = ((const struct mask_rank *)run->node->attr)->most;
    int64_t *out = run->out.data, count = 0;
    rg__walk w;
    rg__walk_start(&w, run->in[0].rank, run->in[0].dims, 1, (rg__strided[]){rg__strided_of(&run->in[0])});
    do
        for (int64_t i = 0; i < w.run; i++) {
            const bool here = *(const bool *)(w.p[0] + i * w.step[0]);
            *out++ = here ? count : 0;
            count += here;
        }
    while (rg__walk_next(&w));
    if (count <= most)
        return true;
    return rg__run_fail(run, RG_ERROR_VALUE, "%lld elements of the mask are true; source has %lld", (long long)count,
                        (long long)most);
}

/* ---- recording ---- */

static rg_tensor fill(rg_tape *t, const rg__op *op, rg_tensor x, rg_tensor mask, rg_tensor value)
{
    const rg__node *n = rg__arg(t, op, x), *nm = n ? rg__arg_of(t, op, mask, RG__BOOLS) : NULL;
    const rg__node *nv = nm ? rg__arg(t, op, value) : NULL;
    if (!nv)
        return RG_NIL;
    if (nv->rank != 0 || nv->dtype != n->dtype) {
        rg__fail(t, op, nv->rank ? RG_ERROR_SHAPE : RG_ERROR_DTYPE, "value is %s of %s; a scalar of x's %s is needed",
                 rg_dtype_name((rg_dtype)nv->dtype), RG__NODE_TEXT(nv), rg_dtype_name((rg_dtype)n->dtype));
        return RG_NIL;
    }
    return rg_where(t, mask, value, x);
}

rg_tensor rg_masked_fill(rg_tape *t, rg_tensor x, rg_tensor mask, rg_tensor value)
{
    return fill(t, OP(masked_fill), x, mask, value);
}

rg_tensor rg_masked_fill_scalar(rg_tape *t, rg_tensor x, rg_tensor mask, double value)
{
    const rg__op *op = OP(masked_fill_scalar);
    const rg__node *n = rg__arg(t, op, x);
    if (!n)
        return RG_NIL;
    if (!rg__dtype_holds((rg_dtype)n->dtype, value)) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%g is not a whole number that %s can hold", value,
                 rg_dtype_name((rg_dtype)n->dtype));
        return RG_NIL;
    }
    return fill(t, op, x, mask, rg_constant(t, (rg_dtype)n->dtype, value));
}

/* x and mask in the shape that they broadcast to. */
static bool broadcast(rg_tape *t, const rg__op *op, rg_tensor *x, rg_tensor *mask)
{
    const rg__node *n = rg__arg(t, op, *x), *m = n ? rg__arg_of(t, op, *mask, RG__BOOLS) : NULL;
    if (!m)
        return false;
    rg_shape s = rg_shape_of(t, *x);
    if (!rg__broadcast(&s.rank, s.dims, m->rank, m->dims)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "x %s and mask %s do not broadcast", RG__NODE_TEXT(n), RG__NODE_TEXT(m));
        return false;
    }
    *x = rg_expand(t, *x, s);
    *mask = rg_expand(t, *mask, s);
    return !rg_failed(t);
}

/* The places in row-major order where a mask is true, as an i64 vector. Its values are known now. */
static rg_tensor true_places(rg_tape *t, const rg__op *op, rg_tensor mask)
{
    const int64_t n = rg_numel(t, mask);
    const bool *is = n ? rg_data(t, mask) : NULL;
    int64_t count = 0, *at = NULL;
    for (int64_t i = 0; is && i < n; i++)
        count += is[i];
    if (rg_failed(t) || (count > 0 && !(at = malloc((size_t)count * sizeof *at)))) {
        rg__fail(t, op, RG_ERROR_MEMORY, "out of memory for %lld positions", (long long)count);
        return RG_NIL;
    }
    for (int64_t i = 0, k = 0; k < count; i++)
        if (is[i])
            at[k++] = i;
    const rg_tensor places = rg_input_i64(t, RG_SHAPE(count), at);
    free(at);
    return places;
}

rg_tensor rg_masked_select(rg_tape *t, rg_tensor x, rg_tensor mask)
{
    const rg__op *op = OP(masked_select);
    if (!broadcast(t, op, &x, &mask))
        return RG_NIL;
    const rg_tensor places = true_places(t, op, mask);
    return rg_is_nil(places) ? RG_NIL : rg_gather(t, rg_reshape(t, x, RG_SHAPE(rg_numel(t, x))), 0, places);
}

rg_tensor rg_masked_scatter(rg_tape *t, rg_tensor x, rg_tensor mask, rg_tensor source)
{
    const rg__op *op = OP(masked_scatter);
    const rg__node *n = rg__arg(t, op, x), *s = n ? rg__arg(t, op, source) : NULL;
    if (!s || !broadcast(t, op, &x, &mask))
        return RG_NIL;
    if (s->dtype != n->dtype) {
        rg__fail(t, op, RG_ERROR_DTYPE, "x is %s and source is %s: they must agree", rg_dtype_name((rg_dtype)n->dtype),
                 rg_dtype_name((rg_dtype)s->dtype));
        return RG_NIL;
    }
    const rg_shape shape = rg_shape_of(t, x);
    const int64_t numel = rg_numel(t, x), most = s->numel;
    rg_tensor rank = rg__record(t, OP(mask_rank), &mask, 1, RG_I64, shape.rank, shape.dims, &(struct mask_rank){most});
    rg_tensor flat = rg_reshape(t, source, RG_SHAPE(most));
    if (most == 0) /* something to point at */
        flat = rg_zeros(t, (rg_dtype)n->dtype, RG_SHAPE(1));
    const rg_tensor next = rg_gather(t, flat, 0, rg_reshape(t, rank, RG_SHAPE(numel)));
    return rg_where(t, mask, rg_reshape(t, next, shape), x);
}

static rg_tensor positions(rg_tape *t, const rg__op *op, rg_tensor x)
{
    const rg__node *n = rg__arg(t, op, x);
    if (!n)
        return RG_NIL;
    const rg_shape s = rg_shape_of(t, x);
    const rg_tensor mask = n->dtype == RG_BOOL ? x : rg_ne(t, x, rg__like(t, x, 0));
    const rg_tensor places = true_places(t, op, mask);
    const int64_t count = rg_numel(t, places);
    const int64_t *at = count ? rg_data_i64(t, places) : NULL;
    int64_t *rows = at && s.rank ? malloc((size_t)(count * s.rank) * sizeof *rows) : NULL;
    if (at && s.rank && !rows)
        rg__fail(t, op, RG_ERROR_MEMORY, "out of memory for %lld positions", (long long)count);
    if (rg_failed(t))
        return RG_NIL;
    for (int64_t i = 0; i < count && s.rank; i++) {
        int64_t rest = at[i];
        for (int k = s.rank - 1; k >= 0; k--) {
            rows[i * s.rank + k] = rest % s.dims[k];
            rest /= s.dims[k];
        }
    }
    const rg_tensor out = rg_input_i64(t, RG_SHAPE(count, s.rank), rows);
    free(rows);
    return out;
}

rg_tensor rg_nonzero(rg_tape *t, rg_tensor x)
{
    return positions(t, OP(nonzero), x);
}

rg_tensor rg_argwhere(rg_tape *t, rg_tensor x)
{
    return positions(t, OP(argwhere), x);
}

/* ---- by name ---- */

RG__CALL(masked_fill, rg_masked_fill(t, in[0], in[1], in[2]))
RG__CALL(masked_fill_scalar, rg_masked_fill_scalar(t, in[0], in[1], RG__REAL_OF(value)))
RG__CALL(masked_select, rg_masked_select(t, in[0], in[1]))
RG__CALL(masked_scatter, rg_masked_scatter(t, in[0], in[1], in[2]))
RG__CALL(nonzero, rg_nonzero(t, in[0]))
RG__CALL(argwhere, rg_argwhere(t, in[0]))

/* ---- samples ---- */

static const bool some[] = {true, false, true, true, false, false};

/* Of x's shape, of a row, of a transposed x, of nothing, of a scalar; the mask repeats x in the last one. */
enum { MASKED = 6 };
static void draw_masked(rg__draw *draw, int which, rg_tensor *x, rg_tensor *mask)
{
    rg_tape *t = draw->t;
    *x = RG__DRAW(draw,
                  which == 3   ? RG_SHAPE(0, 3)
                  : which == 4 ? RG_SCALAR
                  : which == 5 ? RG_SHAPE(3)
                               : RG_SHAPE(2, 3),
                  RG__REAL);
    *x = which == 2 ? rg_transpose(t, *x, 0, 1) : *x;
    *mask = rg_input_bool(t,
                          which == 1 || which == 3 ? RG_SHAPE(3)
                          : which == 2             ? RG_SHAPE(3, 2)
                          : which == 4             ? RG_SCALAR
                                                   : RG_SHAPE(2, 3),
                          some);
}

#define SAMPLE(name, ...)                                     \
    static rg_tensor sample_##name(rg__draw *draw, int index) \
    {                                                         \
        rg_tape *t = draw->t;                                 \
        rg_tensor x, mask;                                    \
        if (index >= MASKED)                                  \
            return RG_NIL;                                    \
        draw_masked(draw, index, &x, &mask);                  \
        return __VA_ARGS__;                                   \
    }
SAMPLE(masked_fill, rg_masked_fill(t, x, mask, RG__DRAW(draw, RG_SCALAR, RG__REAL)))
SAMPLE(masked_fill_scalar, rg_masked_fill_scalar(t, x, mask, -1.5))
SAMPLE(masked_select, rg_masked_select(t, x, mask))
SAMPLE(masked_scatter, rg_masked_scatter(t, x, mask, RG__DRAW(draw, RG_SHAPE(2, 3), RG__REAL)))
SAMPLE(nonzero, rg_nonzero(t, rg_gt(t, x, rg__like(t, x, 0))))
SAMPLE(argwhere, rg_argwhere(t, rg_where(t, mask, x, rg__like(t, x, 0))))
SAMPLE(mask_rank, rg__record(t, OP(mask_rank), &mask, 1, RG_I64, rg_shape_of(t, mask).rank, rg_shape_of(t, mask).dims,
                             &(struct mask_rank){4}))

RG__FAMILY(mask, ROWS(RG__ROW))
