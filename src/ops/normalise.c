/* Normalisation, composed so that statistics and what follows are few passes over memory: rows are trailing axes. */
#include "ops/call.h"
#include "ops/family.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define CHANNELS "weight?: float, bias?: float"
#define RUNNING  "x: float, running_mean?: float, running_var?: float, " CHANNELS
#define ROWS(ROW)                                                                                                       \
    ROW(layer_norm, 1, RG__THROUGH, RG__COMPOSITE, "(x - mean) / sqrt(var + eps) weight + bias, by the last axes",      \
        RG__CALLED(layer_norm, "x: float, " CHANNELS ", normalized: ints, eps: real = 1e-5"))                           \
    ROW(rms_norm, 1, RG__THROUGH, RG__COMPOSITE, "x / sqrt(mean(x^2) + eps) weight, by the last axes",                  \
        RG__CALLED(rms_norm, "x: float, weight?: float, normalized: ints, eps: real = none"))                           \
    ROW(group_norm, 1, RG__THROUGH, RG__COMPOSITE, "(x - mean) / sqrt(var + eps) weight + bias, by groups of channels", \
        RG__CALLED(group_norm, "x: float, " CHANNELS ", groups: int, eps: real = 1e-5"))                                \
    ROW(batch_norm, 1, RG__THROUGH, RG__COMPOSITE, "(x - mean) / sqrt(var + eps) weight + bias, by channels",           \
        RG__CALLED(batch_norm, RUNNING ", training: flag = false, momentum: real = 0.1, eps: real = 1e-5 -> ..."))      \
    ROW(instance_norm, 1, RG__THROUGH, RG__COMPOSITE,                                                                   \
        "(x - mean) / sqrt(var + eps) weight + bias, by samples and channels",                                          \
        RG__CALLED(instance_norm, RUNNING ", training: flag = true, momentum: real = 0.1, eps: real = 1e-5 -> ..."))    \
    ROW(normalize, 1, RG__THROUGH, RG__COMPOSITE, "x / max(|x|_p, eps)",                                                \
        RG__CALLED(normalize, "x: float, p: real = 2, axis: int = 1, eps: real = 1e-12"))                               \
    ROW(local_response_norm, 1, RG__THROUGH, RG__COMPOSITE, "x / (k + alpha mean(x^2 of neighbours))^beta",             \
        RG__CALLED(local_response_norm, "x: float, size: int, alpha: real = 1e-4, beta: real = 0.75, k: real = 1"))     \
    ROW(weight_norm, 2, RG__THROUGH, RG__COMPOSITE, "g v / |v|",                                                        \
        RG__CALLED(weight_norm, "v: float, g: float, axis: int = 0"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_normalise[OP_##name])

/* ---- checks ---- */

static bool check_number(rg_tape *t, const rg__op *op, const char *name, double value, double least)
{
    if (!(value >= least && value < INFINITY))
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%s is %g; it must be finite%s", name, value,
                 least == 0 ? " and not negative" : "");
    return value >= least && value < INFINITY;
}

/* An argument of x's dtype and the given shape; nil where that is allowed. */
static bool check_part(rg_tape *t, const rg__op *op, const char *name, rg_tensor p, const rg__node *x, int rank,
                       const int64_t *dims, bool needed)
{
    if (rg_is_nil(p) && !needed)
        return true;
    const rg__node *n = rg__arg_of(t, op, p, RG__FLOATS);
    if (!n)
        return false;
    if (n->dtype == x->dtype && rg__dims_equal(n->rank, n->dims, rank, dims))
        return true;
    rg__fail(t, op, n->dtype != x->dtype ? RG_ERROR_DTYPE : RG_ERROR_SHAPE,
             "%s is %s of %s; for x %s of %s it must be %s", name, rg_dtype_name((rg_dtype)n->dtype), RG__NODE_TEXT(n),
             rg_dtype_name((rg_dtype)x->dtype), RG__NODE_TEXT(x), RG__DIMS_TEXT(rank, dims));
    return false;
}

static rg_tensor affine(rg_tape *t, rg_tensor y, rg_tensor weight, rg_tensor bias)
{
    y = rg_is_nil(weight) ? y : rg_mul(t, y, weight);
    return rg_is_nil(bias) ? y : rg_add(t, y, bias);
}

static rg_tensor inverse_root(rg_tape *t, rg_tensor x, double eps)
{
    return rg_rsqrt(t, rg_add_scalar(t, x, eps));
}

/* ---- over the last axes ---- */

/* The last axes of x, which have the extents of `normalized`; none and an error where they have not. */
static bool last_axes(rg_tape *t, const rg__op *op, const rg__node *x, rg_shape normalized, rg_axes *axes)
{
    const int rank = normalized.rank;
    *axes = (rg_axes){rank, {0}};
    if (rank < 1 || rank > x->rank || !rg__dims_equal(rank, x->dims + x->rank - rank, rank, normalized.dims)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "normalized %s is not how x %s ends",
                 RG__DIMS_TEXT(rank < 0 || rank > RG_MAX_RANK ? 0 : rank, normalized.dims), RG__NODE_TEXT(x));
        return false;
    }
    for (int i = 0; i < rank; i++)
        axes->axis[i] = i - rank;
    return true;
}

rg_tensor rg_layer_norm(rg_tape *t, rg_tensor x, rg_shape normalized, rg_tensor weight, rg_tensor bias, double eps)
{
    const rg__op *op = OP(layer_norm);
    const rg__node *n = rg__arg_of(t, op, x, RG__FLOATS);
    rg_axes axes;
    if (!n || !last_axes(t, op, n, normalized, &axes) || !check_number(t, op, "eps", eps, 0) ||
        !check_part(t, op, "weight", weight, n, normalized.rank, normalized.dims, false) ||
        !check_part(t, op, "bias", bias, n, normalized.rank, normalized.dims, false))
        return RG_NIL;
    rg_tensor centred = rg_sub(t, x, rg_mean(t, x, axes, true));
    rg_tensor var = rg_mean(t, rg_square(t, centred), axes, true);
    return affine(t, rg_mul(t, centred, inverse_root(t, var, eps)), weight, bias);
}

rg_tensor rg_rms_norm(rg_tape *t, rg_tensor x, rg_shape normalized, rg_tensor weight, double eps)
{
    const rg__op *op = OP(rms_norm);
    const rg__node *n = rg__arg_of(t, op, x, RG__FLOATS);
    rg_axes axes;
    if (!n || !last_axes(t, op, n, normalized, &axes) || !check_number(t, op, "eps", eps, -INFINITY) ||
        !check_part(t, op, "weight", weight, n, normalized.rank, normalized.dims, false))
        return RG_NIL;
    eps = eps < 0 ? n->dtype == RG_F32 ? FLT_EPSILON : DBL_EPSILON : eps;
    rg_tensor y = rg_mul(t, x, inverse_root(t, rg_mean(t, rg_square(t, x), axes, true), eps));
    return affine(t, y, weight, RG_NIL);
}

/* ---- by channels: x as [samples, channels, parts, row], rows no longer than what is reduced in one pass ---- */

typedef struct channels {
    rg_tensor x;
    int64_t samples, channels, parts, row;
} channels;

static bool check_channels(rg_tape *t, const rg__op *op, rg_tensor x, rg_tensor weight, rg_tensor bias, double eps,
                           const rg__node **node)
{
    const rg__node *n = *node = rg__arg_of(t, op, x, RG__FLOATS);
    if (!n)
        return false;
    if (n->rank < 2) {
        rg__fail(t, op, RG_ERROR_SHAPE, "x %s must have rank 2 or more: samples, channels, ...", RG__NODE_TEXT(n));
        return false;
    }
    return check_number(t, op, "eps", eps, 0) && check_part(t, op, "weight", weight, n, 1, n->dims + 1, false) &&
           check_part(t, op, "bias", bias, n, 1, n->dims + 1, false);
}

static channels by_channels(rg_tape *t, rg_tensor x, const rg__node *n, int64_t count)
{
    enum { LONGEST = 65536, MOST_PARTS = 256 };
    int64_t row = 1, parts = 1;
    for (int i = 1; i < n->rank; i++)
        row *= n->dims[i];
    row = count > 0 ? row / count : 0;
    while (parts < MOST_PARTS && row > 0 && (row % parts || row / parts > LONGEST))
        parts++;
    if (row <= 0 || row % parts)
        parts = 1;
    row /= parts;
    return (channels){rg_reshape(t, x, RG_SHAPE(n->dims[0], count, parts, row)), n->dims[0], count, parts, row};
}

typedef struct moments {
    rg_tensor mean, var; /* biased */
} moments;

/* Over the rows, then over `axes` of what the rows gave, in the shape `joined`. Mean and squared deviations of each row come in
 * one pass over x, and are joined as Chan, Golub and LeVeque (1979) do. The axes stay, with extent 1. */
static moments moments_of(rg_tape *t, const channels *c, rg_shape joined, rg_axes axes)
{
    rg_tensor mean = c->x, inner = RG_NIL;
    if (c->row > 1) {
        mean = rg_mean(t, c->x, RG_AXES(-1), true);
        inner = rg_reshape(t, rg_mean(t, rg_square(t, rg_sub(t, c->x, mean)), RG_AXES(-1), true), joined);
    }
    mean = rg_reshape(t, mean, joined);
    const rg_tensor whole = rg_mean(t, mean, axes, true), outer = rg_square(t, rg_sub(t, mean, whole));
    return (moments){whole, rg_mean(t, rg_is_nil(inner) ? outer : rg_add(t, inner, outer), axes, true)};
}

/* (x - mean) scale + bias, of numbers a channel, or a sample and channel. First they are spread over the rows, by an op of its
 * own: so their gradients are summed along rows first, then over samples. */
static rg_tensor rescale(rg_tape *t, const channels *c, rg_tensor mean, rg_tensor scale, rg_tensor bias, rg_shape shape)
{
    const rg_shape rows = RG_SHAPE(c->samples, c->channels, c->parts, 1);
    const rg_tensor y = rg_mul(t, rg_sub(t, c->x, rg_expand(t, mean, rows)), rg_expand(t, scale, rows));
    return rg_reshape(t, rg_is_nil(bias) ? y : rg_add(t, y, rg_expand(t, bias, rows)), shape);
}

static rg_tensor channel_shape(rg_tape *t, rg_tensor v)
{
    return rg_is_nil(v) ? v : rg_reshape(t, v, RG_SHAPE(-1, 1, 1));
}

rg_tensor rg_group_norm(rg_tape *t, rg_tensor x, int64_t groups, rg_tensor weight, rg_tensor bias, double eps)
{
    const rg__op *op = OP(group_norm);
    const rg__node *n;
    if (!check_channels(t, op, x, weight, bias, eps, &n))
        return RG_NIL;
    const int64_t samples = n->dims[0], count = n->dims[1];
    if (groups < 1 || count % groups) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%lld groups do not divide the %lld channels of x %s", (long long)groups,
                 (long long)count, RG__NODE_TEXT(n));
        return RG_NIL;
    }
    if (n->numel > 0 && n->numel == groups) {
        rg__fail(t, op, RG_ERROR_SHAPE, "x %s has one value a group; more than one is needed", RG__NODE_TEXT(n));
        return RG_NIL;
    }
    if (n->numel == 0)
        return x;
    const channels c = by_channels(t, x, n, count);
    const rg_shape joined = RG_SHAPE(samples, groups, count / groups, c.parts), each = RG_SHAPE(samples, count, 1, 1);
    const moments m = moments_of(t, &c, joined, RG_AXES(2, 3));
    /* A number a group for each of its channels */
    rg_tensor number[2] = {m.mean, inverse_root(t, m.var, eps)};
    for (int i = 0; i < 2; i++) {
        number[i] = rg_expand(t, number[i], RG_SHAPE(samples, groups, count / groups, 1));
        number[i] = rg_reshape(t, number[i], each);
    }
    const rg_tensor scale = affine(t, number[1], channel_shape(t, weight), RG_NIL);
    return rescale(t, &c, number[0], scale, channel_shape(t, bias), rg_shape_of(t, x));
}

/* (1 - momentum) old + momentum new */
static rg_tensor updated(rg_tape *t, rg_tensor old, rg_tensor new, double momentum)
{
    new = rg_detach(t, rg_reshape(t, new, rg_shape_of(t, old)));
    return rg_add(t, rg_mul_scalar(t, rg_detach(t, old), 1 - momentum), rg_mul_scalar(t, new, momentum));
}

/* Batch and instance normalisation: the statistics are taken over the samples, or of each one. */
static rg_tensor normalise(rg_tape *t, const rg__op *op, rg_tensor x, rg_running *running, rg_tensor weight,
                           rg_tensor bias, bool training, bool over_samples, double momentum, double eps)
{
    const rg__node *n;
    if (!check_channels(t, op, x, weight, bias, eps, &n) || !check_number(t, op, "momentum", momentum, -INFINITY))
        return RG_NIL;
    const int64_t samples = n->dims[0], count = n->dims[1];
    if (!running && !training)
        rg__fail(t, op, RG_ERROR_ARGUMENT, "without training, running statistics are needed");
    if (rg_failed(t) || (running && (!check_part(t, op, "running mean", running->mean, n, 1, n->dims + 1, true) ||
                                     !check_part(t, op, "running var", running->var, n, 1, n->dims + 1, true))))
        return RG_NIL;
    const channels c = by_channels(t, x, n, count);
    const double values = (double)c.parts * (double)c.row * (over_samples ? (double)samples : 1);
    if (training && values == 1 && n->numel > 0) {
        rg__fail(t, op, RG_ERROR_SHAPE, "x %s has one value a channel; training needs more", RG__NODE_TEXT(n));
        return RG_NIL;
    }
    if (n->numel == 0)
        return x;
    moments m;
    if (training) {
        const rg_shape rows = RG_SHAPE(c.samples, c.channels, c.parts, 1);
        m = moments_of(t, &c, rows, over_samples ? RG_AXES(0, 2) : RG_AXES(2));
        if (running) {
            const rg_axes axes = RG_AXES(0);
            running->mean = updated(t, running->mean, over_samples ? m.mean : rg_mean(t, m.mean, axes, true), momentum);
            rg_tensor unbiased =
                rg_mul_scalar(t, over_samples ? m.var : rg_mean(t, m.var, axes, true), values / (values - 1));
            running->var = updated(t, running->var, unbiased, momentum);
        }
    } else {
        m = (moments){channel_shape(t, rg_detach(t, running->mean)), channel_shape(t, rg_detach(t, running->var))};
    }
    rg_tensor scale = affine(t, inverse_root(t, m.var, eps), channel_shape(t, weight), RG_NIL);
    return rescale(t, &c, m.mean, scale, channel_shape(t, bias), rg_shape_of(t, x));
}

rg_tensor rg_batch_norm(rg_tape *t, rg_tensor x, rg_running *running, rg_tensor weight, rg_tensor bias, bool training,
                        double momentum, double eps)
{
    return normalise(t, OP(batch_norm), x, running, weight, bias, training, true, momentum, eps);
}

rg_tensor rg_instance_norm(rg_tape *t, rg_tensor x, rg_running *running, rg_tensor weight, rg_tensor bias,
                           bool training, double momentum, double eps)
{
    return normalise(t, OP(instance_norm), x, running, weight, bias, training, false, momentum, eps);
}

/* ---- by lengths ---- */

rg_tensor rg_normalize(rg_tape *t, rg_tensor x, double p, int axis, double eps)
{
    const rg__op *op = OP(normalize);
    const rg__node *n = rg__arg_of(t, op, x, RG__FLOATS);
    if (!n || !check_number(t, op, "eps", eps, 0) || rg__axis_of(t, op, n, axis) < 0)
        return RG_NIL;
    if (!(p >= 0)) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "p is %g; it must not be negative", p);
        return RG_NIL;
    }
    if (n->numel == 0)
        return x;
    return rg_div(t, x, rg_clamp(t, rg_norm(t, x, p, RG_AXES(axis), true), eps, INFINITY));
}

rg_tensor rg_weight_norm(rg_tape *t, rg_tensor v, rg_tensor g, int axis)
{
    const rg__op *op = OP(weight_norm);
    const rg__node *n = rg__arg_of(t, op, v, RG__FLOATS);
    const int at = n ? rg__axis_of(t, op, n, axis) : -1;
    if (at < 0)
        return RG_NIL;
    rg_axes others = {0, {0}};
    int64_t dims[RG_MAX_RANK];
    for (int i = 0; i < n->rank; i++) {
        dims[i] = i == at ? n->dims[i] : 1;
        if (i != at)
            others.axis[others.count++] = i;
    }
    if (!check_part(t, op, "g", g, n, n->rank, dims, true))
        return RG_NIL;
    rg_tensor norm = others.count ? rg_norm(t, v, 2, others, true) : rg_abs(t, v);
    return rg_mul(t, v, rg_div(t, g, norm));
}

rg_tensor rg_local_response_norm(rg_tape *t, rg_tensor x, int64_t size, double alpha, double beta, double k)
{
    const rg__op *op = OP(local_response_norm);
    const rg__node *n = rg__arg_of(t, op, x, RG__FLOATS);
    if (!n || !check_number(t, op, "alpha", alpha, -INFINITY) || !check_number(t, op, "beta", beta, -INFINITY) ||
        !check_number(t, op, "k", k, -INFINITY))
        return RG_NIL;
    enum { MOST = 4096 };
    if (n->rank < 3 || size < 1 || size > MOST) {
        rg__fail(t, op, n->rank < 3 ? RG_ERROR_SHAPE : RG_ERROR_ARGUMENT,
                 "x is %s and size %lld; x [n, channels, ...] of rank 3 or more and a size of 1 to %d are needed",
                 RG__NODE_TEXT(n), (long long)size, MOST);
        return RG_NIL;
    }
    if (n->numel == 0)
        return x;
    const int64_t count = n->dims[1];
    int64_t before[RG_MAX_RANK] = {0}, after[RG_MAX_RANK] = {0};
    before[1] = size / 2;
    after[1] = (size - 1) / 2;
    const rg_tensor padded = rg_pad(t, rg_square(t, x), before, after, 0);
    rg_tensor sum = rg_slice(t, padded, 1, 0, count, 1);
    for (int64_t i = 1; i < size; i++)
        sum = rg_add(t, sum, rg_slice(t, padded, 1, i, i + count, 1));
    const rg_tensor base = rg_add_scalar(t, rg_mul_scalar(t, sum, alpha / (double)size), k);
    return rg_div(t, x, rg_pow_scalar(t, base, beta));
}

/* ---- by name ---- */

/* Running statistics are both there, or neither. */
static int call_running(const rg__call *c, rg_tensor *out, bool batch)
{
    const rg_tensor *in = c->in;
    rg_running running = {in[1], in[2]};
    const bool tracked = !rg_is_nil(in[1]) || !rg_is_nil(in[2]), training = rg__call_flag(c, "training");
    out[0] = (batch ? rg_batch_norm : rg_instance_norm)(c->t, in[0], tracked ? &running : NULL, in[3], in[4], training,
                                                        rg__call_real(c, "momentum"), rg__call_real(c, "eps"));
    if (!tracked || !training)
        return 1;
    if (c->capacity < 3) {
        rg__fail(c->t, c->op, RG_ERROR_ARGUMENT, "room for %d results given; 3 needed", c->capacity);
        return 0;
    }
    out[1] = running.mean;
    out[2] = running.var;
    return 3;
}

static int call_batch_norm(const rg__call *c, rg_tensor *out)
{
    return call_running(c, out, true);
}

static int call_instance_norm(const rg__call *c, rg_tensor *out)
{
    return call_running(c, out, false);
}

RG__CALL(layer_norm, rg_layer_norm(t, in[0], RG__SHAPE_OF(normalized), in[1], in[2], RG__REAL_OF(eps)))
RG__CALL(rms_norm,
         rg_rms_norm(t, in[0], RG__SHAPE_OF(normalized), in[1], rg__call_given(c, "eps") ? RG__REAL_OF(eps) : -1))
RG__CALL(group_norm, rg_group_norm(t, in[0], RG__INT_OF(groups), in[1], in[2], RG__REAL_OF(eps)))
RG__CALL(normalize, rg_normalize(t, in[0], RG__REAL_OF(p), RG__AXIS_OF(axis), RG__REAL_OF(eps)))
RG__CALL(local_response_norm,
         rg_local_response_norm(t, in[0], RG__INT_OF(size), RG__REAL_OF(alpha), RG__REAL_OF(beta), RG__REAL_OF(k)))
RG__CALL(weight_norm, rg_weight_norm(t, in[0], in[1], RG__AXIS_OF(axis)))

/* ---- samples: distinct values, so that something varies ---- */

#define DRAW(...) RG__DRAW(draw, RG_SHAPE(__VA_ARGS__), RG__REAL)
static const rg__domain apart = {RG__DISTINCT, -1, 0};
#define APART(...) RG__DRAW(draw, RG_SHAPE(__VA_ARGS__), apart)

static rg_tensor sample_layer_norm(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    rg_tensor x, w;
    switch (index) {
    case 0: return rg_layer_norm(t, APART(2, 3, 4), RG_SHAPE(4), RG_NIL, RG_NIL, 1e-5);
    case 1: x = APART(2, 3, 4), w = DRAW(3, 4); return rg_layer_norm(t, x, RG_SHAPE(3, 4), w, DRAW(3, 4), .1);
    case 2:
        x = APART(4, 3), w = DRAW(4);
        return rg_layer_norm(t, rg_transpose(t, x, 0, 1), RG_SHAPE(4), w, RG_NIL, 1e-5);
    case 3: return rg_layer_norm(t, DRAW(0, 3), RG_SHAPE(3), RG_NIL, DRAW(3), 1e-5);
    default: return RG_NIL;
    }
}

static rg_tensor sample_rms_norm(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    rg_tensor x;
    switch (index) {
    case 0: return rg_rms_norm(t, APART(2, 4), RG_SHAPE(4), RG_NIL, -1);
    case 1: x = APART(2, 2, 3); return rg_rms_norm(t, rg_flip(t, x, RG_ALL), RG_SHAPE(2, 3), DRAW(2, 3), .1);
    default: return RG_NIL;
    }
}

static rg_tensor sample_group_norm(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    rg_tensor x, w;
    switch (index) {
    case 0: x = APART(2, 4, 3), w = DRAW(4); return rg_group_norm(t, x, 2, w, DRAW(4), 1e-5);
    case 1: return rg_group_norm(t, APART(3, 4), 2, RG_NIL, RG_NIL, .1);
    case 2: x = APART(2, 2, 3, 2), w = DRAW(3); return rg_group_norm(t, rg_transpose(t, x, 1, 2), 1, w, RG_NIL, 1e-5);
    case 3: return rg_group_norm(t, APART(0, 4, 2), 2, RG_NIL, DRAW(4), 1e-5);
    default: return RG_NIL;
    }
}

static rg_tensor running_sample(rg__draw *draw, int index, bool batch)
{
    rg_tape *t = draw->t;
    rg_tensor (*f)(rg_tape *, rg_tensor, rg_running *, rg_tensor, rg_tensor, bool, double, double) =
        batch ? rg_batch_norm : rg_instance_norm;
    static const double mean[] = {.5, -1, 2}, var[] = {1, .5, 2};
    rg_running running = {RG_NIL, RG_NIL};
    rg_tensor x, w;
    switch (index) {
    case 0: x = APART(2, 3, 4), w = DRAW(3); return f(t, x, NULL, w, DRAW(3), true, .1, 1e-5);
    case 1: x = APART(3, 2, 2, 2); return f(t, rg_transpose(t, x, 0, 1), NULL, RG_NIL, DRAW(3), true, .1, .1);
    case 2:
        x = DRAW(2, 3, 2);
        running.mean = rg_cast(t, rg_input_f64(t, RG_SHAPE(3), mean), rg_dtype_of(t, x));
        running.var = rg_cast(t, rg_input_f64(t, RG_SHAPE(3), var), rg_dtype_of(t, x));
        return f(t, x, &running, DRAW(3), RG_NIL, false, .1, 1e-5);
    case 3: return f(t, DRAW(0, 3, 2), NULL, RG_NIL, RG_NIL, true, .1, 1e-5);
    case 4: return batch ? f(t, APART(4, 2), NULL, RG_NIL, RG_NIL, true, .1, 1e-5) : RG_NIL;
    default: return RG_NIL;
    }
}

static rg_tensor sample_batch_norm(rg__draw *draw, int index)
{
    return running_sample(draw, index, true);
}

static rg_tensor sample_instance_norm(rg__draw *draw, int index)
{
    return running_sample(draw, index, false);
}

static rg_tensor sample_normalize(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    static const rg__domain far = {RG__DISTINCT, .5, 0};
    static const double p[] = {2, 1, INFINITY, 3, 1.5};
    if (index == 5)
        return rg_normalize(t, DRAW(0, 3), 2, 1, 1e-12);
    return index > 5
               ? RG_NIL
               : rg_normalize(t, rg_neg(t, RG__DRAW(draw, RG_SHAPE(2, 4), far)), p[index], index % 2 ? 0 : -1, 1e-12);
}

static rg_tensor sample_local_response_norm(rg__draw *draw, int index)
{
    return index > 2 ? RG_NIL
                     : rg_local_response_norm(draw->t, index < 2 ? DRAW(2, 4, 3) : DRAW(1, 5, 2, 1), index + 2, .5, .75,
                                              1 + index);
}

static rg_tensor sample_weight_norm(rg__draw *draw, int index)
{
    if (index > 1)
        return RG_NIL;
    rg_tensor v = APART(3, 2, 2);
    return rg_weight_norm(draw->t, v, index ? DRAW(1, 1, 2) : DRAW(3, 1, 1), -index);
}

RG__FAMILY(normalise, ROWS(RG__ROW))
