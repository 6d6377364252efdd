/* Positions of sequences: sinusoids, learned vectors, rotation, and a bias by distance. */
#include "layer.h"

#include <inttypes.h>
#include <math.h>

/* 0, 1, ... count - 1 */
static rg_tensor counted(rg_tape *t, rg_dtype dtype, int64_t count)
{
    return rg_arange(t, dtype, 0, (double)count, 1);
}

/* base^(-2i/width) for i = 0 .. count - 1, in f64: angles of large positions need its digits. */
static rg_tensor frequencies(rg_tape *t, int64_t count, double base, int64_t width)
{
    return rg_exp(t, rg_mul_scalar(t, counted(t, RG_F64, count), -2 * log(base) / (double)width));
}

static bool check_floating(rg_tape *t, const char *function, rg_dtype dtype)
{
    if (dtype != RG_F32 && dtype != RG_F64)
        rg_tape_fail(t, RG_ERROR_DTYPE, "%s: the dtype is %s; it must be f32 or f64", function, rg_dtype_name(dtype));
    return !rg_failed(t);
}

static bool check_extent(rg_tape *t, const char *function, const char *name, int64_t extent)
{
    if (extent < 0)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: %s is %" PRId64 "; it must not be negative", function, name, extent);
    return !rg_failed(t);
}

/* The rank of x, which is float and [..., time, width]; 0 on error. */
static int check_rows(rg_tape *t, const char *function, rg_tensor x)
{
    if (!rg__check_float(t, function, "x", x))
        return 0;
    const rg_shape shape = rg_shape_of(t, x);
    if (shape.rank >= 2)
        return shape.rank;
    rg_tape_fail(t, RG_ERROR_SHAPE, "%s: x %s must be [..., time, width]", function, RG__SHAPE_TEXT(shape));
    return 0;
}

/* ---- sinusoids --------------------------------------------------------------------------------------------------- */

rg_tensor rg_sinusoidal_positions(rg_tape *t, rg_dtype dtype, int64_t length, int64_t width)
{
    static const char function[] = "sinusoidal_positions";
    if (!check_floating(t, function, dtype) || !check_extent(t, function, "length", length) ||
        !check_extent(t, function, "width", width))
        return RG_NIL;
    if (length == 0 || width == 0)
        return rg_zeros(t, dtype, RG_SHAPE(length, width));
    const int64_t pairs = width / 2 + width % 2;
    const rg_tensor angle =
        rg_mul(t, rg_unsqueeze(t, counted(t, RG_F64, length), 1), frequencies(t, pairs, 10000, width));
    const rg_tensor sine = rg_sin(t, angle), cosine = rg_cos(t, angle);
    const rg_tensor both = rg_stack(t, (const rg_tensor[]){sine, cosine}, 2, 2);
    const rg_tensor rows = rg_reshape(t, both, RG_SHAPE(length, 2 * pairs));
    return rg_cast(t, rg_slice(t, rows, 1, 0, width, 1), dtype);
}

/* ---- learned vectors --------------------------------------------------------------------------------------------- */

rg_learned_positions rg_learned_positions_new(rg_params *ps, const char *name, int64_t length, int64_t width)
{
    rg_learned_positions layer = {.name = rg__layer_open(ps, "learned_positions_new", name)};
    if (layer.name == NULL)
        return layer;
    layer.weight = rg_param_new(ps, "weight", rg_params_dtype(ps), RG_SHAPE(length, width), NULL);
    rg_params_scope_pop(ps);
    rg_init_normal(layer.weight, 0, 1);
    return layer;
}

static rg_tensor add_positions(rg_tape *t, const rg_learned_positions *layer, rg_tensor x, rg_tensor positions)
{
    static const char function[] = "learned_positions_forward";
    if (check_rows(t, function, x) == 0)
        return RG_NIL;
    const rg_shape shape = rg_shape_of(t, x), table = rg_param_shape(layer->weight);
    const int64_t time = shape.dims[shape.rank - 2];
    if (shape.dims[shape.rank - 1] != table.dims[1] || (rg_is_nil(positions) && time > table.dims[0])) {
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: x is %s; there are positions for [..., %" PRId64 " or less, %" PRId64 "]",
                     function, RG__SHAPE_TEXT(shape), table.dims[0], table.dims[1]);
        return RG_NIL;
    }
    const rg_tensor weight = rg_leaf(t, layer->weight);
    if (rg_is_nil(positions))
        return rg_add(t, x, rg_slice(t, weight, 0, 0, time, 1));
    const rg_tensor rows = rg_embedding(t, positions, weight, NULL);
    rg_shape whole = shape;
    const rg_shape found = rg_shape_of(t, rows);
    const int offset = shape.rank - found.rank;
    for (int i = 0; i < found.rank; i++)
        if (offset < 0 || (found.dims[i] != 1 && found.dims[i] != shape.dims[offset + i]))
            whole.rank = 0;
    if (!rg_failed(t) && whole.rank == 0)
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: positions %s do not broadcast to the rows of x %s", function,
                     RG__SHAPE_TEXT(rg_shape_of(t, positions)), RG__SHAPE_TEXT(shape));
    return rg_failed(t) ? RG_NIL : rg_add(t, x, rows);
}

rg_tensor rg_learned_positions_forward(rg_tape *t, const rg_learned_positions *layer, rg_tensor x, rg_tensor positions)
{
    if (layer == NULL || layer->weight == NULL)
        return rg__layer_unusable(t, "learned_positions_forward", layer, layer != NULL ? layer->name : NULL);
    rg__layer_enter(t, layer->name);
    return rg__layer_leave(t, layer->name, add_positions(t, layer, x, positions));
}

/* ---- rotation ---------------------------------------------------------------------------------------------------- */

/* Angles [..., time, pairs], in f64. */
static rg_tensor angles(rg_tape *t, const rg_rotary_config *c, double base, int64_t width, rg_shape x)
{
    const int64_t time = x.dims[x.rank - 2];
    rg_tensor p = c->positions;
    if (rg_is_nil(p)) {
        p = counted(t, RG_F64, time);
    } else {
        const rg_shape shape = rg_shape_of(t, p);
        bool fits = shape.rank >= 1 && shape.rank < x.rank;
        for (int i = 0; fits && i < shape.rank; i++)
            fits = shape.dims[i] == 1 || shape.dims[i] == x.dims[x.rank - 1 - shape.rank + i];
        if (!fits && !rg_failed(t))
            rg_tape_fail(t, RG_ERROR_SHAPE, "rotary: positions %s do not broadcast to the rows of x %s",
                         RG__SHAPE_TEXT(shape), RG__SHAPE_TEXT(x));
        if (rg_failed(t))
            return RG_NIL;
        p = rg_cast(t, p, RG_F64);
    }
    return rg_mul(t, rg_unsqueeze(t, p, -1), frequencies(t, width / 2, base, width));
}

/* The first `width` columns of x, turned. */
static rg_tensor turned(rg_tape *t, rg_tensor x, rg_tensor angle, int64_t width, bool half_split)
{
    const rg_dtype dtype = rg_dtype_of(t, x);
    const rg_tensor c = rg_cast(t, rg_cos(t, angle), dtype), s = rg_cast(t, rg_sin(t, angle), dtype);
    const int64_t half = width / 2;
    const rg_tensor a = half_split ? rg_slice(t, x, -1, 0, half, 1) : rg_slice(t, x, -1, 0, width, 2);
    const rg_tensor b = half_split ? rg_slice(t, x, -1, half, width, 1) : rg_slice(t, x, -1, 1, width, 2);
    const rg_tensor ac = rg_mul(t, a, c), bs = rg_mul(t, b, s), as = rg_mul(t, a, s), bc = rg_mul(t, b, c);
    const rg_tensor first = rg_sub(t, ac, bs), second = rg_add(t, as, bc), pair[2] = {first, second};
    if (half_split)
        return rg_cat(t, pair, 2, -1);
    rg_shape shape = rg_shape_of(t, x);
    shape.dims[shape.rank > 0 ? shape.rank - 1 : 0] = width;
    if (shape.rank < RG_MAX_RANK)
        return rg_reshape(t, rg_stack(t, pair, 2, -1), shape);
    rg_tape_fail(t, RG_ERROR_SHAPE, "rotary: x %s has too many axes; %d are possible unless half_split",
                 RG__SHAPE_TEXT(shape), RG_MAX_RANK - 1);
    return RG_NIL;
}

rg_tensor rg_rotary(rg_tape *t, rg_tensor x, const rg_rotary_config *config)
{
    static const rg_rotary_config defaults = {0};
    const rg_rotary_config *const c = config != NULL ? config : &defaults;
    if (check_rows(t, "rotary", x) == 0)
        return RG_NIL;
    const rg_shape shape = rg_shape_of(t, x);
    const int64_t all = shape.dims[shape.rank - 1], width = c->width != 0 ? c->width : all;
    const double base = c->base != 0 ? c->base : 10000;
    if (width < 0 || width > all || width % 2 != 0)
        rg_tape_fail(t, RG_ERROR_ARGUMENT,
                     "rotary: %" PRId64 " columns of x %s are to turn; that must be an even number from 0 to %" PRId64,
                     width, RG__SHAPE_TEXT(shape), all);
    if (!(base > 0 && base < INFINITY))
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "rotary: the base is %g; it must be finite and above 0", base);
    if (rg_failed(t))
        return RG_NIL;
    if (rg_shape_numel(shape) == 0 || width == 0)
        return x;
    const rg_tensor first = turned(t, x, angles(t, c, base, width, shape), width, c->half_split);
    if (width == all)
        return first;
    return rg_cat(t, (const rg_tensor[]){first, rg_slice(t, x, -1, width, RG_END, 1)}, 2, -1);
}

/* ---- a bias by distance ------------------------------------------------------------------------------------------ */

static double slope(int64_t head, int64_t heads)
{
    int64_t power = 1;
    while (power <= heads / 2)
        power *= 2;
    if (head < power)
        return exp2(-8.0 * (double)(head + 1) / (double)power);
    return exp2(-4.0 * (double)(2 * (head - power) + 1) / (double)power);
}

rg_tensor rg_alibi(rg_tape *t, rg_dtype dtype, int64_t heads, int64_t queries, int64_t keys)
{
    enum { MOST = 1024 };
    static const char function[] = "alibi";
    double slopes[MOST];
    if (!check_floating(t, function, dtype) || !check_extent(t, function, "queries", queries) ||
        !check_extent(t, function, "keys", keys))
        return RG_NIL;
    if (heads < 1 || heads > MOST) {
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: heads is %" PRId64 "; it must be in [1, %d]", function, heads, MOST);
        return RG_NIL;
    }
    for (int64_t h = 0; h < heads; h++)
        slopes[h] = -slope(h, heads);
    const rg_tensor i = rg_add_scalar(t, rg_unsqueeze(t, counted(t, RG_F64, queries), 1), (double)(keys - queries));
    const rg_tensor distance = rg_abs(t, rg_sub(t, i, counted(t, RG_F64, keys)));
    const rg_tensor factor = rg_input_f64(t, RG_SHAPE(heads, 1, 1), slopes);
    return rg_cast(t, rg_mul(t, distance, factor), dtype);
}
