/* Pooling: windows checked, then handed to what finds their maxima or sums. */
#include "ops/call.h"
#include "ops/family.h"
#include "ops/lists.h"
#include "ops/pool_max.h"
#include "ops/resample.h"

#include <retrograd/ops/pool.h>

#include <math.h>

#define WINDOWS "kernel_size: ints, stride: ints = none, padding: ints = 0, "
#define MAX     "x: number, " WINDOWS "dilation: ints = 1, ceil_mode: flag = false"
#define AVERAGE "x: float, " WINDOWS "ceil_mode: flag = false, count_include_pad: flag = true"
#define UNPOOL  "x: float, indices: integer, " WINDOWS "output_size: ints = none"
#define LP      "x: float, norm_type: real, kernel_size: ints, stride: ints = none, ceil_mode: flag = false"
#define TWO     " -> values, indices"

#define IN_ALL_RANKS(ROW, KIND) KIND(ROW, 1) KIND(ROW, 2) KIND(ROW, 3)
#define THE_MAX(ROW, n)                                                                                             \
    ROW(max_pool##n##d, 1, RG__THROUGH, RG__COMPOSITE, "largest x of each window", RG__CALLED(max_pool##n##d, MAX)) \
    ROW(max_pool##n##d_with_indices, 1, RG__THROUGH, RG__COMPOSITE, "largest x of each window, and where it is",    \
        RG__CALLED(max_pool##n##d_with_indices, MAX TWO))                                                           \
    ROW(adaptive_max_pool##n##d, 1, RG__THROUGH, RG__COMPOSITE, "largest x of each of so many windows",             \
        RG__CALLED(adaptive_max_pool##n##d, "x: number, output_size: ints"))                                        \
    ROW(adaptive_max_pool##n##d_with_indices, 1, RG__THROUGH, RG__COMPOSITE,                                        \
        "largest x of each of so many windows, and where it is",                                                    \
        RG__CALLED(adaptive_max_pool##n##d_with_indices, "x: number, output_size: ints" TWO))                       \
    ROW(max_unpool##n##d, 2, RG__THROUGH, RG__COMPOSITE, "x at indices, zeros elsewhere",                           \
        RG__CALLED(max_unpool##n##d, UNPOOL))
#define THE_AVERAGES(ROW, n)                                                                       \
    ROW(avg_pool##n##d, 1, RG__THROUGH, RG__COMPOSITE, "mean of each window",                      \
        RG__CALLED(avg_pool##n##d, AVERAGE AVERAGE_##n))                                           \
    ROW(adaptive_avg_pool##n##d, 1, RG__THROUGH, RG__COMPOSITE, "mean of each of so many windows", \
        RG__CALLED(adaptive_avg_pool##n##d, "x: float, output_size: ints"))                        \
    ROW(lp_pool##n##d, 1, RG__THROUGH, RG__COMPOSITE, "(k mean(x^p))^(1/p) of each window",        \
        RG__CALLED(lp_pool##n##d, LP))
#define AVERAGE_1 ""
#define AVERAGE_2 ", divisor_override: int = none"
#define AVERAGE_3 AVERAGE_2

#define ROWS(ROW) IN_ALL_RANKS(ROW, THE_MAX) IN_ALL_RANKS(ROW, THE_AVERAGES)

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_pool[OP_##name])

static const int64_t zeros[RG__SPATIAL] = {0}, ones[RG__SPATIAL] = {1, 1, 1};

/* ---- windows ---- */

/* How many windows there are along an axis; the rest of w is set. False and an error where there are none. */
static bool count_windows(rg_tape *t, const rg__op *op, rg__window *w, bool ceil_mode)
{
    const int64_t span = (w->kernel - 1) * w->dilation + 1, room = w->in + 2 * w->padding - span;
    if (w->padding > span / 2) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "padding %lld is more than half of the %lld elements that a window spans",
                 (long long)w->padding, (long long)span);
        return false;
    }
    const bool beyond = ceil_mode && w->in > 0 && room < 0 && room > -w->stride; /* one window that begins inside */
    if (room < 0 && !beyond) {
        rg__fail(t, op, RG_ERROR_SHAPE, "a window spans %lld elements; there are %lld, and %lld of padding on each side",
                 (long long)span, (long long)w->in, (long long)w->padding);
        return false;
    }
    w->out = beyond ? 1 : room / w->stride + (ceil_mode && room % w->stride != 0) + 1;
    if (ceil_mode && (w->out - 1) * w->stride >= w->in + w->padding)
        w->out--;
    for (int64_t i = 0; i < w->out && w->dilation > 1; i++) {
        int64_t count, step;
        rg__window_at(w, i, &count, &step);
        if (count == 0) {
            rg__fail(
                t, op, RG_ERROR_ARGUMENT,
                "window %lld of an axis of %lld holds nothing but padding: kernel_size %lld, padding %lld, dilation %lld",
                (long long)i, (long long)w->in, (long long)w->kernel, (long long)w->padding, (long long)w->dilation);
            return false;
        }
    }
    return true;
}

/* The windows of all axes; false and an error where they do not fit x. */
static bool take_windows(rg_tape *t, const rg__op *op, const rg__node *n, int spatial, rg_shape kernel_size,
                         const rg_pool_config *config, rg__window *w)
{
    const rg_pool_config c = config ? *config : (rg_pool_config){.ceil_mode = false};
    int64_t kernel[RG__SPATIAL], stride[RG__SPATIAL], padding[RG__SPATIAL], dilation[RG__SPATIAL];
    if (!rg__take_list(t, op, &(rg__list){"kernel_size", kernel_size, NULL, 1}, spatial, kernel) ||
        !rg__take_list(t, op, &(rg__list){"stride", c.stride, kernel, 1}, spatial, stride) ||
        !rg__take_list(t, op, &(rg__list){"padding", c.padding, zeros, 0}, spatial, padding) ||
        !rg__take_list(t, op, &(rg__list){"dilation", c.dilation, ones, 1}, spatial, dilation))
        return false;
    for (int i = 0; i < RG__SPATIAL - spatial; i++)
        w[i] = RG__SAME_WINDOW(1);
    for (int i = 0; i < spatial; i++) {
        rg__window *at = &w[RG__SPATIAL - spatial + i];
        *at = (rg__window){rg__extents(n, spatial)[i], 0, kernel[i], stride[i], padding[i], dilation[i]};
        if (!count_windows(t, op, at, c.ceil_mode))
            return false;
    }
    return true;
}

static bool take_adaptive(rg_tape *t, const rg__op *op, const rg__node *n, int spatial, rg_shape output_size,
                          rg__window *w)
{
    int64_t size[RG__SPATIAL];
    if (!rg__take_list(t, op, &(rg__list){"output_size", output_size, NULL, -1}, spatial, size))
        return false;
    for (int i = 0; i < RG__SPATIAL - spatial; i++)
        w[i] = RG__SAME_WINDOW(1);
    for (int i = 0; i < spatial; i++) {
        const int64_t in = rg__extents(n, spatial)[i];
        w[RG__SPATIAL - spatial + i] = (rg__window){in, size[i] < 0 ? in : size[i], 0, 0, 0, 1};
    }
    return true;
}

/* What a kind of pooling does not have must not be set. */
static bool has_only(rg_tape *t, const rg__op *op, const rg_pool_config *c, bool padding, bool dilation, bool exclude,
                     bool divisor)
{
    const char *extra = !c                                 ? NULL
                        : !padding && c->padding.rank      ? "padding"
                        : !dilation && c->dilation.rank    ? "dilation"
                        : !exclude && c->count_exclude_pad ? "count_exclude_pad"
                        : !divisor && c->divisor_override  ? "divisor_override"
                                                           : NULL;
    if (extra)
        rg__fail(t, op, RG_ERROR_ARGUMENT, "it has no %s; leave it out", extra);
    return extra == NULL;
}

/* ---- maximum ---- */

/* indices may be NULL. */
static rg_tensor maxima(rg_tape *t, rg_tensor x, int spatial, const rg__window *w, rg_tensor *indices)
{
    if (!indices)
        return rg__max_windows(t, x, spatial, w);
    *indices = rg__max_windows_index(t, x, spatial, w);
    return rg__pick_in_plane(t, x, *indices, spatial);
}

static rg_tensor max_pool(rg_tape *t, const rg__op *op, rg_tensor x, int spatial, rg_shape kernel_size,
                          const rg_pool_config *config, rg_tensor *indices)
{
    rg__window w[RG__SPATIAL];
    const rg__node *n = rg__image(t, op, x, RG__NUMBER, spatial);
    if (!n || !has_only(t, op, config, true, true, false, false) ||
        !take_windows(t, op, n, spatial, kernel_size, config, w))
        return RG_NIL;
    return maxima(t, x, spatial, w, indices);
}

static rg_tensor adaptive_max_pool(rg_tape *t, const rg__op *op, rg_tensor x, int spatial, rg_shape output_size,
                                   rg_tensor *indices)
{
    rg__window w[RG__SPATIAL];
    const rg__node *n = rg__image(t, op, x, RG__NUMBER, spatial);
    if (!n || !take_adaptive(t, op, n, spatial, output_size, w))
        return RG_NIL;
    return maxima(t, x, spatial, w, indices);
}

/* ---- back from the maximum ---- */

/* What an axis of `in` maxima is unpooled to, less than `stride` from what is computed; false and an error otherwise. */
static bool unpooled_extent(rg_tape *t, const rg__op *op, int64_t in, int64_t kernel, int64_t stride, int64_t padding,
                            bool given, int64_t *size)
{
    const int64_t standard = (in - 1) * stride - 2 * padding + kernel;
    if (!given)
        *size = standard;
    if (*size <= standard - stride || *size >= standard + stride || *size < 1) {
        rg__fail(t, op, RG_ERROR_ARGUMENT,
                 "output_size is %lld; from %lld elements it is %lld, or less than %lld from that, and 1 or more",
                 (long long)*size, (long long)in, (long long)standard, (long long)stride);
        return false;
    }
    return true;
}

static rg_tensor max_unpool(rg_tape *t, const rg__op *op, rg_tensor x, rg_tensor indices, int spatial,
                            rg_shape kernel_size, const rg_unpool_config *config)
{
    const rg_unpool_config c = config ? *config : (rg_unpool_config){{0, {0}}, {0, {0}}, {0, {0}}};
    int64_t kernel[RG__SPATIAL], stride[RG__SPATIAL], padding[RG__SPATIAL], size[RG__SPATIAL];
    const rg__node *n = rg__image(t, op, x, RG__FLOATS, spatial);
    const rg__node *ni = n ? rg__arg_of(t, op, indices, RG__INTEGER) : NULL;
    if (!ni || !rg__take_list(t, op, &(rg__list){"kernel_size", kernel_size, NULL, 1}, spatial, kernel) ||
        !rg__take_list(t, op, &(rg__list){"stride", c.stride, kernel, 1}, spatial, stride) ||
        !rg__take_list(t, op, &(rg__list){"padding", c.padding, zeros, 0}, spatial, padding) ||
        !rg__take_list(t, op, &(rg__list){"output_size", c.output_size, zeros, 1}, spatial, size))
        return RG_NIL;
    if (!rg__dims_equal(n->rank, n->dims, ni->rank, ni->dims)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "x is %s and indices %s; they must have one shape", RG__NODE_TEXT(n),
                 RG__NODE_TEXT(ni));
        return RG_NIL;
    }
    for (int i = 0; i < spatial; i++)
        if (!unpooled_extent(t, op, rg__extents(n, spatial)[i], kernel[i], stride[i], padding[i], c.output_size.rank,
                             &size[i]))
            return RG_NIL;
    return rg__place_in_plane(t, x, rg_cast(t, indices, RG_I64), spatial, size, true);
}

/* ---- averages ---- */

static rg_tensor window_sums(rg_tape *t, rg_tensor x, int spatial, const rg__window *w, rg__resampling how)
{
    rg__resample_axis axis[RG__SPATIAL];
    for (int i = 0; i < RG__SPATIAL; i++)
        axis[i] = rg__window_is_same(&w[i]) ? RG__RESAMPLE_NOTHING(w[i].in) : (rg__resample_axis){how, w[i], 0};
    return rg__resample(t, x, spatial, axis);
}

static rg_tensor avg_pool(rg_tape *t, const rg__op *op, rg_tensor x, int spatial, rg_shape kernel_size,
                          const rg_pool_config *config)
{
    rg__window w[RG__SPATIAL];
    const rg__node *n = rg__image(t, op, x, RG__FLOATS, spatial);
    if (!n || !has_only(t, op, config, true, false, true, spatial > 1) ||
        !take_windows(t, op, n, spatial, kernel_size, config, w))
        return RG_NIL;
    if (config && config->divisor_override)
        return rg_div(t, window_sums(t, x, spatial, w, RG__RESAMPLE_SUM),
                      rg__like(t, x, (double)config->divisor_override));
    return window_sums(t, x, spatial, w,
                       config && config->count_exclude_pad ? RG__RESAMPLE_MEAN : RG__RESAMPLE_MEAN_PADDED);
}

static rg_tensor adaptive_avg_pool(rg_tape *t, const rg__op *op, rg_tensor x, int spatial, rg_shape output_size)
{
    rg__window w[RG__SPATIAL];
    const rg__node *n = rg__image(t, op, x, RG__FLOATS, spatial);
    if (!n || !take_adaptive(t, op, n, spatial, output_size, w))
        return RG_NIL;
    bool all = true, none = true;
    for (int i = 0; i < RG__SPATIAL; i++) {
        all = all && w[i].out == 1;
        none = none && w[i].out == w[i].in;
        if (w[i].out == w[i].in)
            w[i] = RG__SAME_WINDOW(w[i].in);
    }
    static const rg_axes last[] = {{0, {0}}, {1, {-1}}, {2, {-2, -1}}, {3, {-3, -2, -1}}};
    if (all && !none)
        return rg_mean(t, x, last[spatial], true);
    return window_sums(t, x, spatial, w, RG__RESAMPLE_MEAN);
}

/* The root is taken of 1 where the sum is 0, so that the gradient is 0 there. */
static rg_tensor lp_pool(rg_tape *t, const rg__op *op, rg_tensor x, double p, int spatial, rg_shape kernel_size,
                         const rg_pool_config *config)
{
    rg__window w[RG__SPATIAL];
    const rg__node *n = rg__image(t, op, x, RG__FLOATS, spatial);
    if (!n || !has_only(t, op, config, false, false, false, false) ||
        !take_windows(t, op, n, spatial, kernel_size, config, w))
        return RG_NIL;
    if (p == 0 || isnan(p)) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "norm_type is %g; any number but 0 is allowed", p);
        return RG_NIL;
    }
    if (isinf(p) && p > 0)
        return rg__max_windows(t, rg_abs(t, x), spatial, w);
    if (isinf(p))
        return rg_neg(t, rg__max_windows(t, rg_neg(t, rg_abs(t, x)), spatial, w));
    double count = 1;
    for (int i = 0; i < RG__SPATIAL; i++)
        count *= (double)w[i].kernel;
    const rg_tensor mean = window_sums(t, rg_pow_scalar(t, x, p), spatial, w, RG__RESAMPLE_MEAN_PADDED);
    const rg_tensor zero = rg__like(t, x, 0), nothing = rg_eq(t, mean, zero);
    const rg_tensor sum = rg_mul_scalar(t, rg_where(t, nothing, rg__like(t, x, 1), mean), count);
    return rg_where(t, nothing, rg__like(t, x, p > 0 ? 0 : (double)INFINITY), rg_pow_scalar(t, sum, 1 / p));
}

/* ---- the public functions, for one, two and three axes, and by name ---- */

static rg_pool_config config_of(const rg__call *c, bool padding, bool dilation, bool average)
{
    rg_pool_config config = {.stride = RG__SHAPE_OF(stride), .ceil_mode = RG__FLAG_OF(ceil_mode)};
    if (padding)
        config.padding = RG__SHAPE_OF(padding);
    if (dilation)
        config.dilation = RG__SHAPE_OF(dilation);
    if (average)
        config.count_exclude_pad = !RG__FLAG_OF(count_include_pad);
    return config;
}

/* 0 is no divisor, though it means that there is none in the configuration. */
static int call_avg_pool(const rg__call *c, int spatial, rg_tensor *out)
{
    rg_pool_config config = config_of(c, true, false, true);
    if (spatial > 1 && rg__call_given(c, "divisor_override")) {
        config.divisor_override = RG__INT_OF(divisor_override);
        if (config.divisor_override == 0)
            rg__fail(c->t, c->op, RG_ERROR_ARGUMENT, "divisor_override is 0; any other number is allowed");
    }
    out[0] = avg_pool(c->t, c->op, c->in[0], spatial, RG__SHAPE_OF(kernel_size), &config);
    return 1;
}

static int call_max_unpool(const rg__call *c, int spatial, rg_tensor *out)
{
    const rg_unpool_config config = {RG__SHAPE_OF(stride), RG__SHAPE_OF(padding), RG__SHAPE_OF(output_size)};
    out[0] = max_unpool(c->t, c->op, c->in[0], c->in[1], spatial, RG__SHAPE_OF(kernel_size), &config);
    return 1;
}

static int call_max_pool(const rg__call *c, int spatial, rg_tensor *out, rg_tensor *indices)
{
    const rg_pool_config config = config_of(c, true, true, false);
    out[0] = max_pool(c->t, c->op, c->in[0], spatial, RG__SHAPE_OF(kernel_size), &config, indices);
    return indices ? 2 : 1;
}

static int call_lp_pool(const rg__call *c, int spatial, rg_tensor *out)
{
    const rg_pool_config config = config_of(c, false, false, false);
    out[0] = lp_pool(c->t, c->op, c->in[0], RG__REAL_OF(norm_type), spatial, RG__SHAPE_OF(kernel_size), &config);
    return 1;
}

/* indices is where they go to; NULL is an error, for what would it be for? */
static rg_tensor *wanted(rg_tape *t, const rg__op *op, rg_tensor *indices)
{
    if (!indices)
        rg__fail(t, op, RG_ERROR_ARGUMENT, "indices is NULL; the op without indices has none");
    else
        *indices = RG_NIL;
    return indices;
}

#define DEFINE(n)                                                                                                        \
    rg_tensor rg_max_pool##n##d(rg_tape *t, rg_tensor x, rg_shape kernel_size, const rg_pool_config *config)             \
    {                                                                                                                    \
        return max_pool(t, OP(max_pool##n##d), x, n, kernel_size, config, NULL);                                         \
    }                                                                                                                    \
    rg_tensor rg_max_pool##n##d_with_indices(rg_tape *t, rg_tensor x, rg_shape kernel_size,                              \
                                             const rg_pool_config *config, rg_tensor *indices)                           \
    {                                                                                                                    \
        const rg__op *op = OP(max_pool##n##d_with_indices);                                                              \
        return wanted(t, op, indices) ? max_pool(t, op, x, n, kernel_size, config, indices) : RG_NIL;                    \
    }                                                                                                                    \
    rg_tensor rg_adaptive_max_pool##n##d(rg_tape *t, rg_tensor x, rg_shape output_size)                                  \
    {                                                                                                                    \
        return adaptive_max_pool(t, OP(adaptive_max_pool##n##d), x, n, output_size, NULL);                               \
    }                                                                                                                    \
    rg_tensor rg_adaptive_max_pool##n##d_with_indices(rg_tape *t, rg_tensor x, rg_shape output_size, rg_tensor *indices) \
    {                                                                                                                    \
        const rg__op *op = OP(adaptive_max_pool##n##d_with_indices);                                                     \
        return wanted(t, op, indices) ? adaptive_max_pool(t, op, x, n, output_size, indices) : RG_NIL;                   \
    }                                                                                                                    \
    rg_tensor rg_max_unpool##n##d(rg_tape *t, rg_tensor x, rg_tensor indices, rg_shape kernel_size,                      \
                                  const rg_unpool_config *config)                                                        \
    {                                                                                                                    \
        return max_unpool(t, OP(max_unpool##n##d), x, indices, n, kernel_size, config);                                  \
    }                                                                                                                    \
    rg_tensor rg_avg_pool##n##d(rg_tape *t, rg_tensor x, rg_shape kernel_size, const rg_pool_config *config)             \
    {                                                                                                                    \
        return avg_pool(t, OP(avg_pool##n##d), x, n, kernel_size, config);                                               \
    }                                                                                                                    \
    rg_tensor rg_adaptive_avg_pool##n##d(rg_tape *t, rg_tensor x, rg_shape output_size)                                  \
    {                                                                                                                    \
        return adaptive_avg_pool(t, OP(adaptive_avg_pool##n##d), x, n, output_size);                                     \
    }                                                                                                                    \
    rg_tensor rg_lp_pool##n##d(rg_tape *t, rg_tensor x, double norm_type, rg_shape kernel_size,                          \
                               const rg_pool_config *config)                                                             \
    {                                                                                                                    \
        return lp_pool(t, OP(lp_pool##n##d), x, norm_type, n, kernel_size, config);                                      \
    }                                                                                                                    \
    RG__CALL(adaptive_max_pool##n##d, rg_adaptive_max_pool##n##d(t, in[0], RG__SHAPE_OF(output_size)))                   \
    RG__CALL(adaptive_avg_pool##n##d, rg_adaptive_avg_pool##n##d(t, in[0], RG__SHAPE_OF(output_size)))                   \
    static int call_adaptive_max_pool##n##d_with_indices(const rg__call *c, rg_tensor *out)                              \
    {                                                                                                                    \
        out[0] = adaptive_max_pool(c->t, c->op, c->in[0], n, RG__SHAPE_OF(output_size), &out[1]);                        \
        return 2;                                                                                                        \
    }                                                                                                                    \
    static int call_max_pool##n##d(const rg__call *c, rg_tensor *out)                                                    \
    {                                                                                                                    \
        return call_max_pool(c, n, out, NULL);                                                                           \
    }                                                                                                                    \
    static int call_max_pool##n##d_with_indices(const rg__call *c, rg_tensor *out)                                       \
    {                                                                                                                    \
        return call_max_pool(c, n, out, &out[1]);                                                                        \
    }                                                                                                                    \
    static int call_max_unpool##n##d(const rg__call *c, rg_tensor *out)                                                  \
    {                                                                                                                    \
        return call_max_unpool(c, n, out);                                                                               \
    }                                                                                                                    \
    static int call_avg_pool##n##d(const rg__call *c, rg_tensor *out)                                                    \
    {                                                                                                                    \
        return call_avg_pool(c, n, out);                                                                                 \
    }                                                                                                                    \
    static int call_lp_pool##n##d(const rg__call *c, rg_tensor *out)                                                     \
    {                                                                                                                    \
        return call_lp_pool(c, n, out);                                                                                  \
    }
DEFINE(1)
DEFINE(2)
DEFINE(3)

/* ---- samples ---- */

static const rg__domain apart = {RG__DISTINCT, -1, 0}, positive = {RG__INTERVAL, .5, 2};

/* [2, 2, 5, ...], [2, 4, ...] with its axes exchanged, and an empty batch. */
static rg_tensor sample_x(rg__draw *draw, int index, int spatial, rg__domain domain)
{
    rg_shape s = {spatial + 2 - index % 2, {index == 2 ? 0 : 2, 2, 3, 4, 3}};
    rg_tensor x = RG__DRAW(draw, s, domain);
    return index == 1 ? rg_flip(draw->t, rg_transpose(draw->t, x, -1, 0), RG_AXES(0)) : x;
}

static rg_tensor sample_max(rg__draw *draw, int index, int spatial, bool indices)
{
    static const rg_pool_config configs[] = {
        {.stride = {1, {1}}, .padding = {1, {1}}}, {.ceil_mode = true}, {.stride = {1, {1}}}};
    const rg__op *op = OP(max_pool2d);
    rg_tensor places;
    if (index > 2)
        return RG_NIL;
    return max_pool(draw->t, op, sample_x(draw, index, spatial, apart), spatial, RG_SHAPE(2), &configs[index],
                    indices ? &places : NULL);
}

static rg_tensor sample_adaptive_max(rg__draw *draw, int index, int spatial, bool indices)
{
    rg_tensor places;
    if (index > 2)
        return RG_NIL;
    return adaptive_max_pool(draw->t, OP(adaptive_max_pool2d), sample_x(draw, index, spatial, apart), spatial,
                             RG_SHAPE(index + 1), indices ? &places : NULL);
}

static rg_tensor sample_unpool(rg__draw *draw, int index, int spatial)
{
    static const int64_t places[] = {0, 3, 1, 2, 1, 0, 2, 3, 3, 2, 1, 0, 0, 1, 3, 2};
    rg_tape *t = draw->t;
    if (index > 1)
        return RG_NIL;
    const rg_shape s = {spatial + 2 - index, {2, index ? 2 : 1, index ? 1 : 2, 1, 1}};
    const int64_t size[] = {4, 2, 2};
    rg_tensor x = RG__DRAW(draw, s, RG__REAL);
    return max_unpool(t, OP(max_unpool2d), index ? rg_transpose(t, x, 0, 1) : x, rg_input_i64(t, s, places), spatial,
                      RG_SHAPE(2), &(rg_unpool_config){.output_size = {spatial, {size[0], size[1], size[2]}}});
}

static rg_tensor sample_avg(rg__draw *draw, int index, int spatial)
{
    static const rg_pool_config configs[] = {
        {.stride = {1, {2}}, .padding = {1, {1}}, .ceil_mode = true},
        {.stride = {1, {1}}},
        {.stride = {1, {1}}},
        {.padding = {1, {1}}, .count_exclude_pad = true},
    };
    if (index > 3)
        return RG_NIL;
    return avg_pool(draw->t, OP(avg_pool2d), sample_x(draw, index, spatial, RG__REAL), spatial, RG_SHAPE(2),
                    &configs[index]);
}

static rg_tensor sample_adaptive_avg(rg__draw *draw, int index, int spatial)
{
    if (index > 2)
        return RG_NIL;
    return adaptive_avg_pool(draw->t, OP(adaptive_avg_pool2d), sample_x(draw, index, spatial, RG__REAL), spatial,
                             RG_SHAPE(index + 1));
}

static rg_tensor sample_lp(rg__draw *draw, int index, int spatial)
{
    static const double p[] = {2, 3, 1.5, (double)INFINITY, -1, -(double)INFINITY};
    if (index > 5)
        return RG_NIL;
    return lp_pool(draw->t, OP(lp_pool2d),
                   sample_x(draw, index, spatial, isinf(p[index]) ? (rg__domain){RG__DISTINCT, .1, 0} : positive),
                   p[index], spatial, RG_SHAPE(2), &(rg_pool_config){.stride = {1, {1}}, .ceil_mode = index == 0});
}

#define SAMPLE(name, ...)                                     \
    static rg_tensor sample_##name(rg__draw *draw, int index) \
    {                                                         \
        return __VA_ARGS__;                                   \
    }
#define SAMPLES(n)                                                                          \
    SAMPLE(max_pool##n##d, sample_max(draw, index, n, false))                               \
    SAMPLE(max_pool##n##d_with_indices, sample_max(draw, index, n, true))                   \
    SAMPLE(adaptive_max_pool##n##d, sample_adaptive_max(draw, index, n, false))             \
    SAMPLE(adaptive_max_pool##n##d_with_indices, sample_adaptive_max(draw, index, n, true)) \
    SAMPLE(max_unpool##n##d, sample_unpool(draw, index, n))                                 \
    SAMPLE(avg_pool##n##d, sample_avg(draw, index, n))                                      \
    SAMPLE(adaptive_avg_pool##n##d, sample_adaptive_avg(draw, index, n))                    \
    SAMPLE(lp_pool##n##d, sample_lp(draw, index, n))
SAMPLES(1)
SAMPLES(2)
SAMPLES(3)

RG__FAMILY(pool, ROWS(RG__ROW))
