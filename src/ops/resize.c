/* Images in another size: interpolation, which is resampling along each axis, and pixels that trade places with channels. */
#include "ops/call.h"
#include "ops/family.h"
#include "ops/lists.h"
#include "ops/resample.h"

#include <retrograd/ops/pool.h>
#include <retrograd/ops/resize.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(ROW)                                                                                                \
    ROW(interpolate, 1, RG__THROUGH, RG__COMPOSITE, "x in another size",                                         \
        RG__CALLED(interpolate, "x: float, size: ints = none, scale_factor: text = none, "                       \
                                "mode: nearest|nearest-exact|linear|bilinear|trilinear|bicubic|area = nearest, " \
                                "align_corners: flag = false, recompute_scale_factor: flag = false"))            \
    ROW(pixel_shuffle, 1, RG__THROUGH, RG__COMPOSITE, "r^2 channels as blocks of r x r pixels",                  \
        RG__CALLED(pixel_shuffle, "x: any, upscale_factor: int"))                                                \
    ROW(pixel_unshuffle, 1, RG__THROUGH, RG__COMPOSITE, "blocks of r x r pixels as r^2 channels",                \
        RG__CALLED(pixel_unshuffle, "x: any, downscale_factor: int"))                                            \
    ROW(channel_shuffle, 1, RG__THROUGH, RG__COMPOSITE, "channels of groups, in turn",                           \
        RG__CALLED(channel_shuffle, "x: any, groups: int"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_resize[OP_##name])

/* ---- interpolation ---- */

static const struct {
    const char *name;
    int spatial; /* 0: any                                     */
    bool corners;
    rg__resampling how;
} modes[] = {
    [RG_INTERPOLATE_NEAREST] = {"nearest", 0, false, RG__RESAMPLE_NEAREST},
    [RG_INTERPOLATE_NEAREST_EXACT] = {"nearest-exact", 0, false, RG__RESAMPLE_NEAREST_CENTRE},
    [RG_INTERPOLATE_LINEAR] = {"linear", 1, true, RG__RESAMPLE_LINEAR},
    [RG_INTERPOLATE_BILINEAR] = {"bilinear", 2, true, RG__RESAMPLE_LINEAR},
    [RG_INTERPOLATE_TRILINEAR] = {"trilinear", 3, true, RG__RESAMPLE_LINEAR},
    [RG_INTERPOLATE_BICUBIC] = {"bicubic", 2, true, RG__RESAMPLE_CUBIC},
    [RG_INTERPOLATE_AREA] = {"area", 0, false, RG__RESAMPLE_MEAN},
};

/* The mode and what goes with it; false and an error where they do not fit x. */
static bool fits(rg_tape *t, const rg__node *n, const rg_interpolate_config *c)
{
    const rg__op *op = OP(interpolate);
    if ((unsigned)c->mode >= sizeof modes / sizeof *modes) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "mode %d is none of RG_INTERPOLATE_NEAREST to RG_INTERPOLATE_AREA",
                 (int)c->mode);
        return false;
    }
    const char *name = modes[c->mode].name;
    const int spatial = modes[c->mode].spatial;
    bool extents = n->rank >= 3 && n->rank <= 5;
    for (int i = 2; i < n->rank && extents; i++)
        extents = n->dims[i] > 0;
    if (!extents || (spatial && n->rank != spatial + 2)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "x is %s; %s needs [N, C, ...] with %s spatial axes, none of extent 0",
                 RG__NODE_TEXT(n), name,
                 spatial == 0   ? "1 to 3"
                 : spatial == 1 ? "1"
                 : spatial == 2 ? "2"
                                : "3");
        return false;
    }
    if (c->align_corners && !modes[c->mode].corners) {
        rg__fail(t, op, RG_ERROR_ARGUMENT,
                 "align_corners is for linear, bilinear, trilinear and bicubic; the mode is %s", name);
        return false;
    }
    return true;
}

/* The factors of all axes; false and an error where there is one that is none. */
static bool take_factors(rg_tape *t, const rg_interpolate_config *c, int spatial, double *factor)
{
    for (int i = 0; i < spatial; i++) {
        factor[i] = c->scale_factor[i] == 0 ? c->scale_factor[0] : c->scale_factor[i];
        if (!(factor[i] > 0) || isinf(factor[i])) {
            rg__fail(t, OP(interpolate), RG_ERROR_ARGUMENT, "scale_factor is %g; positive numbers are allowed",
                     factor[i]);
            return false;
        }
    }
    return true;
}

/* Sizes of all axes, and factors, 0 where positions go by the sizes. False and an error where they do not fit. */
static bool take_sizes(rg_tape *t, const rg__node *n, const rg_interpolate_config *c, int64_t *size, double *factor)
{
    const rg__op *op = OP(interpolate);
    const int spatial = n->rank - 2;
    const bool factors = c->scale_factor[0] != 0 || c->scale_factor[1] != 0 || c->scale_factor[2] != 0;
    memset(factor, 0, RG__SPATIAL * sizeof *factor);
    if (factors == (c->size.rank != 0)) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%s size and scale_factor given; one of them is needed",
                 factors ? "both" : "neither of");
        return false;
    }
    if (!factors)
        return rg__take_list(t, op, &(rg__list){"size", c->size, NULL, 1}, spatial, size);
    if (!take_factors(t, c, spatial, factor))
        return false;
    for (int i = 0; i < spatial; i++) {
        const double to = (double)n->dims[2 + i] * factor[i];
        if (!(to >= 1 && to < INT32_MAX)) {
            rg__fail(t, op, RG_ERROR_ARGUMENT, "scale_factor %g makes %g elements of %lld; 1 to %d are allowed",
                     factor[i], to, (long long)n->dims[2 + i], INT32_MAX);
            return false;
        }
        size[i] = (int64_t)to;
        if (c->recompute_scale_factor)
            factor[i] = 0;
    }
    return true;
}

/* How one axis is resampled. The scale of nearest elements is of the dtype of x, as in PyTorch. */
static rg__resample_axis resample_axis(rg__resampling how, bool corners, int64_t in, int64_t out, double factor,
                                       rg_dtype dtype)
{
    const bool nearest = how == RG__RESAMPLE_NEAREST || how == RG__RESAMPLE_NEAREST_CENTRE;
    const bool by_size = how == RG__RESAMPLE_NEAREST || how == RG__RESAMPLE_LINEAR; /* equal sizes are no change at all */
    double scale = factor > 0 ? 1 / factor : (double)in / (double)out;
    if (nearest && dtype == RG_F32)
        scale = (double)(float)scale;
    if (corners)
        scale = out > 1 ? (double)(in - 1) / (double)(out - 1) : 0;
    if (in == out && (by_size || corners || scale == 1))
        return RG__RESAMPLE_NOTHING(in);
    const rg__resampling kind = !corners                     ? how
                                : how == RG__RESAMPLE_LINEAR ? RG__RESAMPLE_LINEAR_CORNERS
                                                             : RG__RESAMPLE_CUBIC_CORNERS;
    return (rg__resample_axis){kind, {in, out, 0, 0, 0, 1}, scale};
}

rg_tensor rg_interpolate(rg_tape *t, rg_tensor x, const rg_interpolate_config *config)
{
    const rg_interpolate_config c =
        config ? *config : (rg_interpolate_config){RG_INTERPOLATE_NEAREST, {0, {0}}, {0}, false, false};
    const rg__node *n = rg__arg_of(t, OP(interpolate), x, RG__FLOATS);
    int64_t size[RG__SPATIAL];
    double factor[RG__SPATIAL];
    if (!n || !fits(t, n, &c) || !take_sizes(t, n, &c, size, factor))
        return RG_NIL;
    const int spatial = n->rank - 2;
    if (c.mode == RG_INTERPOLATE_AREA) {
        const rg_shape to = {spatial, {size[0], size[spatial > 1 ? 1 : 0], size[spatial - 1]}};
        return spatial == 1   ? rg_adaptive_avg_pool1d(t, x, to)
               : spatial == 2 ? rg_adaptive_avg_pool2d(t, x, to)
                              : rg_adaptive_avg_pool3d(t, x, to);
    }
    rg__resample_axis axis[RG__SPATIAL] = {RG__RESAMPLE_NOTHING(1), RG__RESAMPLE_NOTHING(1), RG__RESAMPLE_NOTHING(1)};
    for (int i = 0; i < spatial; i++)
        axis[RG__SPATIAL - spatial + i] =
            resample_axis(modes[c.mode].how, c.align_corners, n->dims[2 + i], size[i], factor[i], (rg_dtype)n->dtype);
    return rg__resample(t, x, spatial, axis);
}

/* ---- pixels and channels ---- */

/* x in another shape, its axes in another order, in the shape of the result. */
static rg_tensor rearranged(rg_tape *t, rg_tensor x, rg_shape apart, rg_axes order, rg_shape result)
{
    return rg_reshape(t, rg_permute(t, rg_reshape(t, x, apart), order), result);
}

/* The axes before the last three as one; false and an error where there are no three, or the factor is none. */
static bool image_of(rg_tape *t, const rg__op *op, const rg__node *n, const char *name, int64_t factor, int64_t *images)
{
    if (n->rank < 3)
        rg__fail(t, op, RG_ERROR_SHAPE, "x is %s; [..., C, H, W] is needed", RG__NODE_TEXT(n));
    else if (factor < 1 || factor > INT32_MAX)
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%s is %lld; 1 to %d are allowed", name, (long long)factor, INT32_MAX);
    *images = rg__numel(n->rank < 3 ? 0 : n->rank - 3, n->dims);
    return n->rank >= 3 && factor >= 1 && factor <= INT32_MAX;
}

rg_tensor rg_pixel_shuffle(rg_tape *t, rg_tensor x, int64_t upscale_factor)
{
    const rg__op *op = OP(pixel_shuffle);
    const rg__node *n = rg__arg(t, op, x);
    const int64_t r = upscale_factor;
    int64_t images;
    if (!n || !image_of(t, op, n, "upscale_factor", r, &images))
        return RG_NIL;
    const int64_t *d = n->dims + n->rank - 3;
    if (d[0] % (r * r) != 0) {
        rg__fail(t, op, RG_ERROR_SHAPE, "x is %s, upscale_factor %lld: %lld channels are not divided by %lld",
                 RG__NODE_TEXT(n), (long long)r, (long long)d[0], (long long)(r * r));
        return RG_NIL;
    }
    const int64_t channels = d[0] / (r * r);
    rg_shape result = rg_shape_of(t, x);
    int64_t *to = result.dims + result.rank - 3;
    to[0] = channels;
    to[1] *= r;
    to[2] *= r;
    return rearranged(t, x, RG_SHAPE(images, channels, r, r, d[1], d[2]), RG_AXES(0, 1, 4, 2, 5, 3), result);
}

rg_tensor rg_pixel_unshuffle(rg_tape *t, rg_tensor x, int64_t downscale_factor)
{
    const rg__op *op = OP(pixel_unshuffle);
    const rg__node *n = rg__arg(t, op, x);
    const int64_t r = downscale_factor;
    int64_t images;
    if (!n || !image_of(t, op, n, "downscale_factor", r, &images))
        return RG_NIL;
    const int64_t *d = n->dims + n->rank - 3;
    if (d[1] % r != 0 || d[2] % r != 0) {
        rg__fail(t, op, RG_ERROR_SHAPE, "x is %s; its last two extents are not divided by downscale_factor %lld",
                 RG__NODE_TEXT(n), (long long)r);
        return RG_NIL;
    }
    rg_shape result = rg_shape_of(t, x);
    int64_t *to = result.dims + result.rank - 3;
    if (__builtin_mul_overflow(to[0], r * r, &to[0])) /* of x without elements */
        to[0] = -1;
    to[1] /= r;
    to[2] /= r;
    return rearranged(t, x, RG_SHAPE(images, d[0], to[1], r, to[2], r), RG_AXES(0, 1, 3, 5, 2, 4), result);
}

rg_tensor rg_channel_shuffle(rg_tape *t, rg_tensor x, int64_t groups)
{
    const rg__op *op = OP(channel_shuffle);
    const rg__node *n = rg__arg(t, op, x);
    if (!n)
        return RG_NIL;
    if (n->rank < 3 || groups < 1 || n->dims[1] % groups != 0) {
        rg__fail(t, op, n->rank < 3 ? RG_ERROR_SHAPE : RG_ERROR_ARGUMENT,
                 "x is %s, groups %lld: [N, C, ...] with one axis more at least, and groups that divide C, are needed",
                 RG__NODE_TEXT(n), (long long)groups);
        return RG_NIL;
    }
    const rg_shape apart = RG_SHAPE(n->dims[0], groups, n->dims[1] / groups, rg__numel(n->rank - 2, n->dims + 2));
    return rearranged(t, x, apart, RG_AXES(0, 2, 1, 3), rg_shape_of(t, x));
}

/* ---- by name ---- */

RG__CALL(pixel_shuffle, rg_pixel_shuffle(t, in[0], RG__INT_OF(upscale_factor)))
RG__CALL(pixel_unshuffle, rg_pixel_unshuffle(t, in[0], RG__INT_OF(downscale_factor)))
RG__CALL(channel_shuffle, rg_channel_shuffle(t, in[0], RG__INT_OF(groups)))

/* "2.5" or "[2.5, 1]": how many numbers there are, -1 where it is none of the two or there are too many. */
static int read_factors(const char *text, double *out)
{
    const bool list = *text == '[';
    int count = 0;
    for (const char *p = text + list;; p++) {
        char *end;
        if (count == RG__SPATIAL)
            return -1;
        out[count++] = strtod(p, &end);
        if (end == p)
            return -1;
        p = end + strspn(end, " ");
        if (*p == (list ? ']' : '\0'))
            return !list || p[1] == '\0' ? count : -1;
        if (*p != ',' || !list)
            return -1;
    }
}

static int call_interpolate(const rg__call *c, rg_tensor *out)
{
    rg_interpolate_config config = {.mode = (rg_interpolation)RG__WORD_OF(mode),
                                    .size = RG__SHAPE_OF(size),
                                    .align_corners = RG__FLAG_OF(align_corners),
                                    .recompute_scale_factor = RG__FLAG_OF(recompute_scale_factor)};
    char text[128];
    if (rg__call_given(c, "scale_factor")) {
        rg__call_text(c, "scale_factor", text, sizeof text);
        const int count = read_factors(text, config.scale_factor), spatial = rg_shape_of(c->t, c->in[0]).rank - 2;
        bool zero = false;
        for (int i = 0; i < count; i++)
            zero = zero || config.scale_factor[i] == 0;
        if (count < 1 || zero || (count > 1 && count != spatial))
            rg__fail(c->t, c->op, RG_ERROR_ARGUMENT,
                     "scale_factor=%s is not what is allowed: a positive number, or a list of one for each of %d axes",
                     text, spatial);
    }
    out[0] = rg_interpolate(c->t, c->in[0], &config);
    return 1;
}

/* ---- samples ---- */

static rg_tensor sample_interpolate(rg__draw *draw, int index)
{
    static const struct {
        rg_shape x;
        rg_interpolate_config config;
    } samples[] = {
        {{4, {1, 2, 3, 4}}, {.mode = RG_INTERPOLATE_NEAREST, .scale_factor = {2}}},
        {{4, {1, 2, 3, 4}}, {.mode = RG_INTERPOLATE_BILINEAR, .size = {2, {5, 2}}}},
        {{4, {2, 1, 3, 3}}, {.mode = RG_INTERPOLATE_BICUBIC, .size = {1, {5}}, .align_corners = true}},
        {{3, {2, 2, 5}}, {.mode = RG_INTERPOLATE_LINEAR, .scale_factor = {1.7}}},
        {{5, {1, 1, 2, 3, 2}}, {.mode = RG_INTERPOLATE_TRILINEAR, .size = {3, {3, 2, 3}}, .align_corners = true}},
        {{4, {1, 1, 4, 5}}, {.mode = RG_INTERPOLATE_AREA, .size = {2, {3, 2}}}},
        {{3, {1, 2, 5}}, {.mode = RG_INTERPOLATE_NEAREST_EXACT, .size = {1, {3}}}},
        {{4, {0, 2, 3, 4}}, {.mode = RG_INTERPOLATE_BICUBIC, .size = {1, {2}}}},
    };
    if (index >= (int)(sizeof samples / sizeof *samples))
        return RG_NIL;
    rg_tensor x = RG__DRAW(draw, samples[index].x, RG__REAL);
    if (index == 1) /* columns as rows, backwards */
        x = rg_flip(draw->t, rg_transpose(draw->t, x, -1, -2), RG_AXES(1, 2));
    return rg_interpolate(draw->t, x, &samples[index].config);
}

#define SAMPLE(name, ...)                                                                            \
    static rg_tensor sample_##name(rg__draw *draw, int index)                                        \
    {                                                                                                \
        static const rg_shape shapes[] = {__VA_ARGS__};                                              \
        rg_tape *t = draw->t;                                                                        \
        if (index >= (int)(sizeof shapes / sizeof *shapes))                                          \
            return RG_NIL;                                                                           \
        rg_tensor x = RG__DRAW(draw, shapes[index], RG__REAL);                                       \
        return rg_##name(t, index == 1 ? rg_flip(t, rg_transpose(t, x, 0, -1), RG_AXES(-1)) : x, 2); \
    }
SAMPLE(pixel_shuffle, {4, {2, 4, 2, 3}}, {3, {1, 2, 8}}, {5, {1, 2, 4, 1, 1}}, {4, {0, 4, 2, 2}})
SAMPLE(pixel_unshuffle, {4, {2, 1, 4, 2}}, {3, {2, 4, 3}}, {5, {1, 2, 1, 2, 2}}, {4, {0, 1, 2, 2}})
SAMPLE(channel_shuffle, {4, {1, 6, 2, 2}}, {3, {3, 4, 2}}, {4, {0, 4, 2, 2}})

RG__FAMILY(resize, ROWS(RG__ROW))
