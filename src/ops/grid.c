/* Sampling images along a grid: elements gathered around each position, and weights that are recorded ops of the position,
 * so that all derivatives follow. */
#include "ops/call.h"
#include "ops/family.h"
#include "ops/pool_max.h"
#include "ops/weighted.h"

#include <retrograd/ops/resize.h>

#include <string.h>

#define ROWS(ROW)                                                                                              \
    ROW(grid_sample, 2, RG__THROUGH, RG__COMPOSITE, "x at the positions of a grid",                            \
        RG__CALLED(grid_sample, "x: float, grid: float, mode: bilinear|nearest|bicubic = bilinear, "           \
                                "padding_mode: zeros|border|reflection = zeros, align_corners: flag = false")) \
    ROW(affine_grid, 1, RG__THROUGH, RG__COMPOSITE, "theta (x, y, 1) at each position",                        \
        RG__CALLED(affine_grid, "theta: float, size: ints, align_corners: flag = false"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_grid[OP_##name])

enum { AXES = 3, CUBIC = 4 };

/* ---- positions along one axis of n elements ---- */

static rg_tensor plus(rg_tape *t, rg_tensor x, double c)
{
    return c == 0 ? x : rg_add_scalar(t, x, c);
}

/* From -1 .. 1 to elements. */
static rg_tensor in_elements(rg_tape *t, rg_tensor x, int64_t n, bool align_corners)
{
    if (align_corners)
        return rg_mul_scalar(t, plus(t, x, 1), .5 * (double)(n - 1));
    return rg_mul_scalar(t, plus(t, rg_mul_scalar(t, plus(t, x, 1), (double)n), -1), .5);
}

/* Within 0 .. n - 1; without gradient at the ends and beyond. NaN becomes 0. */
static rg_tensor clipped(rg_tape *t, rg_tensor x, int64_t n)
{
    const rg_tensor zero = rg__like(t, x, 0), last = rg__like(t, x, (double)(n - 1));
    const rg_tensor inside = rg_logical_and(t, rg_gt(t, x, zero), rg_lt(t, x, last));
    return rg_where(t, inside, x, rg_where(t, rg_ge(t, x, last), last, zero));
}

/* Reflected at both ends as often as it takes: at the corner elements, or at their outer edges. */
static rg_tensor reflected(rg_tape *t, rg_tensor x, int64_t n, bool align_corners)
{
    const double low = align_corners ? 0 : -.5, span = (double)(align_corners ? n - 1 : n);
    if (span == 0)
        return rg_zeros_like(t, x);
    const rg_tensor from_low = plus(t, x, -low), zero = rg__like(t, x, 0);
    const rg_tensor sign = rg_where(t, rg_lt(t, from_low, zero), rg__like(t, x, -1), rg__like(t, x, 1));
    const rg_tensor distance = rg_mul(t, from_low, sign), spans = rg__like(t, x, span);
    const rg_tensor flips = rg_detach(t, rg_floor(t, rg_div(t, distance, spans)));
    const rg_tensor rest = rg_sub(t, distance, rg_mul(t, flips, spans));
    const rg_tensor half = rg_mul_scalar(t, flips, .5), even = rg_eq(t, rg_floor(t, half), half);
    return plus(t, rg_where(t, even, rest, rg_sub(t, spans, rest)), low);
}

static rg_tensor moved_inside(rg_tape *t, rg_tensor x, int64_t n, const rg_grid_config *c)
{
    if (c->padding_mode == RG_GRID_REFLECTION)
        x = reflected(t, x, n, c->align_corners);
    return c->padding_mode == RG_GRID_ZEROS ? x : clipped(t, x, n);
}

/* ---- what is gathered along one axis ---- */

typedef struct taps {
    int count;
    rg_tensor index[CUBIC]; /* i64 [N, 1, L], counted with the element of padding that comes first, where there is one */
    rg_tensor weight[CUBIC]; /* float [N, 1, L]; nil: 1 */
} taps;

/* The whole number x as an index of n elements, or of those and one zero on each side. */
static rg_tensor as_index(rg_tape *t, rg_tensor x, int64_t n, int pad)
{
    const rg_tensor i = rg_clamp(t, rg_cast(t, rg_detach(t, x), RG_I64), -(double)pad, (double)(n - 1 + pad));
    return pad ? rg_add_scalar(t, i, pad) : i;
}

/* (((c3 x + c2) x + c1) x + c0 */
static rg_tensor polynomial(rg_tape *t, rg_tensor x, double c3, double c2, double c1, double c0)
{
    rg_tensor y = plus(t, rg_mul_scalar(t, x, c3), c2);
    y = plus(t, rg_mul(t, y, x), c1);
    return plus(t, rg_mul(t, y, x), c0);
}

static taps cubic_taps(rg_tape *t, rg_tensor x, int64_t n, int pad, const rg_grid_config *c)
{
    const double a = -.75;
    const rg_tensor base = rg_detach(t, rg_floor(t, x)), f = rg_sub(t, x, base), g = rg_sub(t, rg__like(t, x, 1), f);
    taps to = {.count = CUBIC};
    for (int k = 0; k < CUBIC; k++) {
        to.index[k] = as_index(t, moved_inside(t, plus(t, base, k - 1), n, c), n, pad);
        const rg_tensor near = k < 2 ? f : g, distance = k == 0 || k == 3 ? plus(t, near, 1) : near;
        to.weight[k] = k == 0 || k == 3 ? polynomial(t, distance, a, -5 * a, 8 * a, -4 * a)
                                        : polynomial(t, distance, a + 2, -(a + 3), 0, 1);
    }
    return to;
}

static taps taps_of(rg_tape *t, rg_tensor x, int64_t n, int pad, const rg_grid_config *c)
{
    x = in_elements(t, x, n, c->align_corners);
    if (c->mode == RG_GRID_BICUBIC)
        return cubic_taps(t, x, n, pad, c);
    x = moved_inside(t, x, n, c);
    if (c->mode == RG_GRID_NEAREST && c->padding_mode == RG_GRID_ZEROS) /* a NaN lies outside */
        x = rg_where(t, rg_eq(t, x, x), x, rg__like(t, x, -1));
    if (c->mode == RG_GRID_NEAREST)
        return (taps){.count = 1, .index = {as_index(t, rg_round(t, x), n, pad)}};
    const rg_tensor base = rg_detach(t, rg_floor(t, x)), f = rg_sub(t, x, base);
    return (taps){.count = 2,
                  .index = {as_index(t, base, n, pad), as_index(t, plus(t, base, 1), n, pad)},
                  .weight = {rg_sub(t, rg__like(t, x, 1), f), f}};
}

/* ---- sampling ---- */

enum { MOST = CUBIC * CUBIC }; /* elements for each position */

/* What is gathered around each position: the products of the axes' taps, [N, K, L] both. */
typedef struct around {
    int count;
    rg_tensor index[MOST], weight[MOST]; /* [N, 1, L]; weights are nil where all are 1 */
} around;

/* Each of what there is so far with each tap of another axis of `extent`, which comes after those before. */
static around joined(rg_tape *t, const around *before, const taps *a, int64_t extent)
{
    around to = {.count = 0};
    for (int i = 0; i < before->count; i++) {
        const rg_tensor row = rg_mul_scalar(t, before->index[i], (double)extent);
        for (int k = 0; k < a->count; k++, to.count++) {
            to.index[to.count] = rg_add(t, row, a->index[k]);
            to.weight[to.count] = a->count > 1 ? rg_mul(t, before->weight[i], a->weight[k]) : RG_NIL;
        }
    }
    return to;
}

/* x [N, C, elements] at index [N, 1, L], the same for all channels. */
static rg_tensor picked(rg_tape *t, rg_tensor x, rg_tensor index)
{
    rg_shape each = rg_shape_of(t, index);
    each.dims[1] = rg_dim(t, x, 1);
    return rg__pick_in_plane(t, x, rg_expand(t, index, each), 1);
}

/* x and grid fit each other and the configuration; false and an error otherwise. */
static bool fit(rg_tape *t, const rg__node *x, const rg__node *grid, const rg_grid_config *c)
{
    const rg__op *op = OP(grid_sample);
    bool fits = (x->rank == 4 || x->rank == 5) && grid->rank == x->rank && grid->dims[0] == x->dims[0] &&
                grid->dims[grid->rank - 1] == x->rank - 2;
    for (int i = 2; i < x->rank; i++)
        fits = fits && x->dims[i] > 0;
    if (!fits)
        rg__fail(t, op, RG_ERROR_SHAPE,
                 "x is %s and grid %s; [N, C, H, W] and [N, H', W', 2], or [N, C, D, H, W] and [N, D', H', W', 3], are "
                 "needed, x with elements along all but N and C",
                 RG__NODE_TEXT(x), RG__NODE_TEXT(grid));
    else if (x->dtype != grid->dtype)
        rg__fail(t, op, RG_ERROR_DTYPE, "x is %s and grid %s; they must agree", rg_dtype_name((rg_dtype)x->dtype),
                 rg_dtype_name((rg_dtype)grid->dtype));
    else if ((unsigned)c->mode > RG_GRID_BICUBIC || (unsigned)c->padding_mode > RG_GRID_REFLECTION)
        rg__fail(t, op, RG_ERROR_ARGUMENT, "mode %d with padding_mode %d; 0 to %d and 0 to %d are allowed",
                 (int)c->mode, (int)c->padding_mode, RG_GRID_BICUBIC, RG_GRID_REFLECTION);
    else if (c->mode == RG_GRID_BICUBIC && x->rank == 5)
        rg__fail(t, op, RG_ERROR_ARGUMENT, "bicubic is for two dimensions; x is %s", RG__NODE_TEXT(x));
    return !rg_failed(t);
}

rg_tensor rg_grid_sample(rg_tape *t, rg_tensor x, rg_tensor grid, const rg_grid_config *config)
{
    const rg__op *op = OP(grid_sample);
    const rg_grid_config c = config ? *config : (rg_grid_config){RG_GRID_BILINEAR, RG_GRID_ZEROS, false};
    const rg__node *n = rg__arg_of(t, op, x, RG__FLOATS), *ng = n ? rg__arg_of(t, op, grid, RG__FLOATS) : NULL;
    if (!ng || !fit(t, n, ng, &c))
        return RG_NIL;
    const int axes = n->rank - 2;
    /* Elements outside are zeros that lie around x; those next to a position on the border are read, too. */
    const int pad = c.padding_mode == RG_GRID_ZEROS || c.mode == RG_GRID_BILINEAR;
    int64_t margin[RG_MAX_RANK] = {0}, dims[AXES], numel = 1, points = 1;
    rg_shape out = rg_shape_of(t, x);
    taps of[AXES] = {{.count = 0}};
    for (int i = 0; i < axes; i++)
        points *= out.dims[2 + i] = ng->dims[1 + i];
    for (int i = 0; i < axes; i++) { /* the grid's last axis counts from x's last */
        const int64_t extent = n->dims[2 + i];
        const rg_tensor at = rg_reshape(t, rg_select(t, grid, -1, axes - 1 - i), RG_SHAPE(n->dims[0], 1, points));
        of[i] = taps_of(t, at, extent, pad, &c);
        margin[2 + i] = pad;
        dims[i] = extent + 2 * pad;
        numel *= dims[i];
    }
    around all = {.count = of[0].count};
    memcpy(all.index, of[0].index, sizeof of[0].index);
    memcpy(all.weight, of[0].weight, sizeof of[0].weight);
    for (int i = 1; i < axes; i++)
        all = joined(t, &all, &of[i], dims[i]);
    x = rg_reshape(t, rg_pad(t, x, margin, margin, 0), RG_SHAPE(out.dims[0], out.dims[1], numel));
    const rg_tensor index = rg_cat(t, all.index, all.count, 1);
    if (c.mode == RG_GRID_NEAREST)
        return rg_reshape(t, picked(t, x, index), out);
    return rg_reshape(t, rg__pick_weighted(t, x, index, rg_cat(t, all.weight, all.count, 1)), out);
}

/* ---- affine grids ---- */

/* -1 to 1 over n elements: at the centres of the first and the last, or at their outer edges. */
static rg_tensor positions(rg_tape *t, rg_dtype dtype, int64_t n, bool align_corners)
{
    if (n == 1)
        return rg_zeros(t, dtype, RG_SHAPE(1));
    const double end = align_corners ? 1 : (double)(n - 1) / (double)n;
    return rg_linspace(t, dtype, -end, end, n);
}

rg_tensor rg_affine_grid(rg_tape *t, rg_tensor theta, rg_shape size, bool align_corners)
{
    const rg__op *op = OP(affine_grid);
    const rg__node *n = rg__arg_of(t, op, theta, RG__FLOATS);
    if (!n)
        return RG_NIL;
    const int axes = size.rank - 2;
    bool fits = (axes == 2 || axes == 3) && n->rank == 3 && n->dims[0] == size.dims[0] && n->dims[1] == axes &&
                n->dims[2] == axes + 1;
    for (int i = 0; i < axes && fits; i++)
        fits = size.dims[2 + i] > 0;
    if (!fits) {
        rg__fail(t, op, RG_ERROR_SHAPE,
                 "theta is %s and size %s; [N, 2, 3] and [N, C, H, W], or [N, 3, 4] and [N, C, D, H, W], are needed, with "
                 "extents of 1 or more",
                 RG__NODE_TEXT(n), RG__DIMS_TEXT(size.rank, size.dims));
        return RG_NIL;
    }
    const rg_dtype dtype = (rg_dtype)n->dtype;
    const int64_t batch = size.dims[0];
    rg_shape column = {axes + 2, {batch, 1, 1, 1, 1}};
    column.dims[axes + 1] = axes;
    rg_tensor grid = RG_NIL;
    for (int k = 0; k <= axes; k++) { /* x, y, perhaps z, then what is added */
        const int at = axes - k;      /* of the grid's axes: x runs along the last */
        rg_tensor part = rg_reshape(t, rg_slice(t, theta, 2, k, k + 1, 1), column);
        if (k < axes) {
            rg_shape along = {axes + 2, {1, 1, 1, 1, 1}};
            along.dims[at] = size.dims[1 + at];
            part = rg_mul(t, part, rg_reshape(t, positions(t, dtype, along.dims[at], align_corners), along));
        }
        grid = k ? rg_add(t, grid, part) : part;
    }
    return grid;
}

/* ---- by name ---- */

RG__CALL(affine_grid, rg_affine_grid(t, in[0], RG__SHAPE_OF(size), RG__FLAG_OF(align_corners)))
static int call_grid_sample(const rg__call *c, rg_tensor *out)
{
    const rg_grid_config config = {(rg_grid_mode)RG__WORD_OF(mode), (rg_grid_padding)RG__WORD_OF(padding_mode),
                                   RG__FLAG_OF(align_corners)};
    out[0] = rg_grid_sample(c->t, c->in[0], c->in[1], &config);
    return 1;
}

/* ---- samples ---- */

/* Positions within elements that the differences do not leave: whole ones, some of them outside, and a part drawn. */
static rg_tensor sample_grid(rg__draw *draw, const rg__node *x, int64_t points, bool align_corners)
{
    static const int whole[] = {0, 1, -1, 2, 4, -3, 1, 0, 3, 1, 2, -2};
    rg_tape *t = draw->t;
    const int axes = x->rank - 2;
    rg_shape s = {x->rank, {x->dims[0], points, 1, axes}};
    s.dims[x->rank - 2] = 1;
    s.dims[x->rank - 1] = axes;
    const int64_t count = x->dims[0] * points;
    double base[64], scale[AXES];
    for (int64_t i = 0; i < count * axes; i++) {
        const double n = (double)x->dims[x->rank - 1 - i % axes], half = align_corners ? (n - 1) / 2 : n / 2;
        base[i] = ((double)whole[i % (int)(sizeof whole / sizeof *whole)] + (align_corners ? 0 : .5)) / half - 1;
        scale[i % axes] = 1 / half;
    }
    const rg_dtype dtype = (rg_dtype)x->dtype;
    const rg_tensor from = rg_cast(t, rg_input_f64(t, s, base), dtype);
    const rg_tensor to_grid = rg_cast(t, rg_input_f64(t, RG_SHAPE(axes), scale), dtype);
    return rg_add(t, from, rg_mul(t, RG__DRAW(draw, s, ((rg__domain){RG__INTERVAL, .15, .4})), to_grid));
}

static rg_tensor sample_grid_sample(rg__draw *draw, int index)
{
    static const struct {
        rg_shape x;
        int64_t points;
        rg_grid_config config;
    } samples[] = {
        {{4, {2, 2, 3, 4}}, 3, {RG_GRID_BILINEAR, RG_GRID_ZEROS, false}},
        {{4, {1, 2, 4, 3}}, 6, {RG_GRID_BILINEAR, RG_GRID_REFLECTION, true}},
        {{4, {1, 1, 3, 3}}, 6, {RG_GRID_BICUBIC, RG_GRID_ZEROS, true}},
        {{4, {1, 1, 3, 4}}, 6, {RG_GRID_BICUBIC, RG_GRID_BORDER, false}},
        {{4, {1, 2, 3, 3}}, 4, {RG_GRID_BICUBIC, RG_GRID_REFLECTION, false}},
        {{4, {1, 2, 3, 3}}, 6, {RG_GRID_NEAREST, RG_GRID_ZEROS, false}},
        {{5, {1, 2, 2, 3, 2}}, 4, {RG_GRID_BILINEAR, RG_GRID_BORDER, false}},
        {{5, {1, 1, 3, 2, 3}}, 4, {RG_GRID_NEAREST, RG_GRID_REFLECTION, true}},
        {{4, {0, 2, 3, 3}}, 2, {RG_GRID_BILINEAR, RG_GRID_ZEROS, false}},
    };
    if (index >= (int)(sizeof samples / sizeof *samples))
        return RG_NIL;
    rg_tape *t = draw->t;
    rg_tensor x = RG__DRAW(draw, samples[index].x, RG__REAL);
    if (index == 1)
        x = rg_flip(t, rg_transpose(t, x, 2, 3), RG_AXES(1, 3));
    const rg__node *n = rg__arg(t, OP(grid_sample), x);
    const rg_tensor grid = n ? sample_grid(draw, n, samples[index].points, samples[index].config.align_corners) : RG_NIL;
    return rg_grid_sample(t, x, grid, &samples[index].config);
}

static rg_tensor sample_affine_grid(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    switch (index) {
    case 0: return rg_affine_grid(t, RG__DRAW(draw, RG_SHAPE(2, 2, 3), RG__REAL), RG_SHAPE(2, 1, 3, 2), false);
    case 1: return rg_affine_grid(t, RG__DRAW(draw, RG_SHAPE(1, 3, 4), RG__REAL), RG_SHAPE(1, 1, 2, 1, 3), true);
    case 2:
        return rg_affine_grid(t, rg_transpose(t, RG__DRAW(draw, RG_SHAPE(2, 3, 2), RG__REAL), 1, 2),
                              RG_SHAPE(2, 3, 2, 2), true);
    case 3: return rg_affine_grid(t, RG__DRAW(draw, RG_SHAPE(0, 2, 3), RG__REAL), RG_SHAPE(0, 1, 3, 2), false);
    default: return RG_NIL;
    }
}

RG__FAMILY(grid, ROWS(RG__ROW))
