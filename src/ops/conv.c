/* Convolution. Two linear maps, conv and conv_weight, that are each other's gradients: of <conv(x, w), g>, the gradient with
 * respect to x is conv of g, with stride and spread exchanged, and that with respect to w is conv_weight(x, g). All the
 * functions of the header are these. */
#include "ops/call.h"
#include "ops/family.h"
#include "ops/lists.h"

#include "exec/kernels/conv.h"

#include <retrograd/ops/conv.h>

#include <string.h>

#define ROWS(ROW)                                                                                                     \
    ROW(conv, 2, RG__DIFF, RG__KERNEL, "sum over c, k of X[n, c, p stride + k dilation - before] w[o, c, k]",         \
        .fallible = true, RG__ATTR(conv))                                                                             \
    ROW(conv_weight, 2, RG__DIFF, RG__KERNEL, "sum over n, p of X[n, c, p stride + k dilation - before] y[n, o, p]",  \
        .fallible = true, RG__ATTR(conv))                                                                             \
    ROW(conv1d, -1, RG__THROUGH, RG__COMPOSITE, FORWARD, RG__CALLED(conv1d, SIGNATURE))                               \
    ROW(conv2d, -1, RG__THROUGH, RG__COMPOSITE, FORWARD, RG__CALLED(conv2d, SIGNATURE))                               \
    ROW(conv3d, -1, RG__THROUGH, RG__COMPOSITE, FORWARD, RG__CALLED(conv3d, SIGNATURE))                               \
    ROW(conv_transpose1d, -1, RG__THROUGH, RG__COMPOSITE, TRANSPOSED, RG__CALLED(conv_transpose1d, TURNED_SIGNATURE)) \
    ROW(conv_transpose2d, -1, RG__THROUGH, RG__COMPOSITE, TRANSPOSED, RG__CALLED(conv_transpose2d, TURNED_SIGNATURE)) \
    ROW(conv_transpose3d, -1, RG__THROUGH, RG__COMPOSITE, TRANSPOSED, RG__CALLED(conv_transpose3d, TURNED_SIGNATURE))
#define FORWARD    "bias[o] + sum over c, k of x[n, c, p stride + k dilation - padding] weight[o, c, k]"
#define TRANSPOSED "bias[o] + sum over c, k of x[n, c, (p + padding - k dilation) / stride] weight[c, o, k]"
#define SIGNATURE                                                                                      \
    "x: float, weight: float, bias?: float, stride: ints = 1, padding: ints = 0, dilation: ints = 1, " \
    "groups: int = 1, same: flag = false, mode: zeros|reflect|replicate|circular = zeros"
#define TURNED_SIGNATURE                                                                                     \
    "x: float, weight: float, bias?: float, stride: ints = 1, padding: ints = 0, output_padding: ints = 0, " \
    "groups: int = 1, dilation: ints = 1"

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_conv[OP_##name])

enum { FIRST = 2, MOST_RANK = FIRST + RG__CONV_AXES }; /* the axes behind image and channel */

/* By axis of x; 1, 1, 1 and 0 for those of images and channels, and past the last. */
struct conv {
    int64_t stride[MOST_RANK], dilation[MOST_RANK], spread[MOST_RANK], before[MOST_RANK];
    int64_t groups;
};
static const rg__field fields_conv[] = {
    RG__FIELD(struct conv, stride, RG__EXTENTS), RG__FIELD(struct conv, dilation, RG__EXTENTS),
    RG__FIELD(struct conv, spread, RG__EXTENTS), RG__FIELD(struct conv, before, RG__EXTENTS),
    RG__FIELD(struct conv, groups, RG__INT),     {0}};

/* ---- kernels ---- */

static rg__conv_array array_of(const rg__array_view *x)
{
    rg__conv_array a = {x->data, {0}};
    a.strides[0] = x->strides[0];
    a.strides[1] = x->strides[1];
    for (int i = FIRST; i < x->rank; i++)
        a.strides[MOST_RANK - x->rank + i] = x->strides[i];
    return a;
}

static rg__conv_shape shape_of(const struct conv *a, const int64_t *x, const int64_t *w, const int64_t *y, int rank)
{
    rg__conv_shape s = {.images = x[0], .groups = a->groups, .in = w[1], .out = w[0] / a->groups};
    for (int i = 0; i < RG__CONV_AXES; i++) {
        const int axis = i - (MOST_RANK - rank) + FIRST; /* missing axes come first */
        const bool there = axis >= FIRST;
        s.x[i] = there ? x[axis] : 1;
        s.k[i] = there ? w[axis] : 1;
        s.y[i] = there ? y[axis] : 1;
        s.stride[i] = there ? a->stride[axis] : 1;
        s.dilation[i] = there ? a->dilation[axis] : 1;
        s.spread[i] = there ? a->spread[axis] : 1;
        s.before[i] = there ? a->before[axis] : 0;
    }
    return s;
}

static bool kernel_conv(const rg__run *run)
{
    const rg__array_view *x = &run->in[0], *w = &run->in[1];
    const rg__conv_shape s = shape_of(run->node->attr, x->dims, w->dims, run->out.dims, x->rank);
    return rg__conv(rg_dtype_size(x->dtype), &s, array_of(x), array_of(w), run->out.data, run->threads, run->pool) ||
           rg__run_fail(run, RG_ERROR_MEMORY, "out of memory");
}

static bool kernel_conv_weight(const rg__run *run)
{
    const rg__array_view *x = &run->in[0], *y = &run->in[1];
    const rg__conv_shape s = shape_of(run->node->attr, x->dims, run->out.dims, y->dims, x->rank);
    return rg__conv_weight(rg_dtype_size(x->dtype), &s, array_of(x), array_of(y), run->out.data, run->threads, run->pool) ||
           rg__run_fail(run, RG_ERROR_MEMORY, "out of memory");
}

/* ---- recording ---- */

/* w [groups a, b, k...] as [groups b, a, k backwards...]: what the transposed map is weighted with. */
static rg_tensor turned(rg_tape *t, rg_tensor w, int64_t groups)
{
    rg_shape s = rg_shape_of(t, w), split = {s.rank + 1, {groups, groups ? s.dims[0] / groups : 0}};
    rg_axes order = {s.rank + 1, {0, 2, 1}}, back = {s.rank - FIRST, {0}};
    for (int i = 1; i < s.rank; i++)
        split.dims[i + 1] = s.dims[i];
    for (int i = FIRST; i < s.rank; i++) {
        order.axis[i + 1] = i + 1;
        back.axis[i - FIRST] = i;
    }
    if (groups == 1)
        return rg_flip(t, rg_transpose(t, w, 0, 1), back);
    s.dims[1] = s.dims[0] / groups;
    s.dims[0] = groups * split.dims[2];
    return rg_flip(t, rg_reshape(t, rg_permute(t, rg_reshape(t, w, split), order), s), back);
}

/* x [n, in, ...] and w [out, in / groups, ...] with results of these extents; the arguments have been checked. */
static rg_tensor record_conv(rg_tape *t, rg_tensor x, rg_tensor w, const struct conv *a, const int64_t *extents)
{
    const rg__node *nx = rg__arg(t, OP(conv), x), *nw = nx ? rg__arg(t, OP(conv), w) : NULL;
    if (!nw)
        return RG_NIL;
    int64_t dims[RG_MAX_RANK] = {nx->dims[0], nw->dims[0]};
    for (int i = FIRST; i < nx->rank; i++)
        dims[i] = extents[i];
    return rg__record(t, OP(conv), (rg_tensor[]){x, w}, 2, (rg_dtype)nx->dtype, nx->rank, dims, a);
}

/* The transposed map: of y, back to extents of x. */
static rg_tensor record_transposed(rg_tape *t, rg_tensor y, rg_tensor w, const struct conv *a, const int64_t *extents)
{
    struct conv b = *a;
    const rg_shape s = rg_shape_of(t, w);
    for (int i = FIRST; i < s.rank; i++) {
        b.stride[i] = a->spread[i];
        b.spread[i] = a->stride[i];
        b.before[i] = (s.dims[i] - 1) * a->dilation[i] - a->before[i];
    }
    return record_conv(t, y, turned(t, w, a->groups), &b, extents);
}

static rg_tensor record_conv_weight(rg_tape *t, rg_tensor x, rg_tensor y, const struct conv *a, rg_tensor like)
{
    const rg__node *n = rg__arg(t, OP(conv_weight), like);
    if (!n)
        return RG_NIL;
    return rg__record(t, OP(conv_weight), (rg_tensor[]){x, y}, 2, (rg_dtype)n->dtype, n->rank, n->dims, a);
}

/* ---- gradients ---- */

static void vjp_conv(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const struct conv *a = v->attr;
    RG__GRAD(v, 0, record_transposed(t, v->g, v->in[1], a, rg_shape_of(t, v->in[0]).dims));
    RG__GRAD(v, 1, record_conv_weight(t, v->in[0], v->g, a, v->in[1]));
}

static void vjp_conv_weight(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const struct conv *a = v->attr;
    RG__GRAD(v, 0, record_transposed(t, v->in[1], v->g, a, rg_shape_of(t, v->in[0]).dims));
    RG__GRAD(v, 1, record_conv(t, v->in[0], v->g, a, rg_shape_of(t, v->in[1]).dims));
}

/* ---- the public functions ---- */

static const int64_t zeros[RG__CONV_AXES] = {0, 0, 0}, ones[RG__CONV_AXES] = {1, 1, 1};

/* A number for each axis behind the channels; false and an error that says what is allowed. */
static bool numbers(rg_tape *t, const rg__op *op, const char *name, rg_shape given, int axes, int64_t standard,
                    int64_t *out)
{
    const rg__list list = {name, given, standard ? ones : zeros, standard};
    return rg__take_list(t, op, &list, axes, out + FIRST);
}

typedef struct layer {
    const rg__op *op;
    int axes;
    bool batched, transposed;
    rg_tensor x; /* [n, in, ...] */
    struct conv a;
    int64_t after[MOST_RANK], out;
    rg_shape dims, kernel; /* of x and weight */
} layer;

/* Ranks, channels, groups and bias. */
static bool check_shapes(rg_tape *t, layer *l, rg_tensor x, rg_tensor weight, rg_tensor bias)
{
    const rg__node *n = rg__arg_of(t, l->op, x, RG__FLOATS), *w = n ? rg__arg_of(t, l->op, weight, RG__FLOATS) : NULL;
    const rg__node *b = w && !rg_is_nil(bias) ? rg__arg_of(t, l->op, bias, RG__FLOATS) : NULL;
    if (!w || (!b && !rg_is_nil(bias)))
        return false;
    const int64_t groups = l->a.groups;
    l->batched = n->rank == l->axes + FIRST;
    if (w->rank != l->axes + FIRST || (!l->batched && n->rank != l->axes + 1)) {
        rg__fail(t, l->op, RG_ERROR_SHAPE, "x %s and weight %s: rank %d (or %d, without images) and rank %d are needed",
                 RG__NODE_TEXT(n), RG__NODE_TEXT(w), l->axes + FIRST, l->axes + 1, l->axes + FIRST);
        return false;
    }
    if (n->dtype != w->dtype || (b && b->dtype != n->dtype)) {
        rg__fail(t, l->op, RG_ERROR_DTYPE, "x is %s, weight %s, bias %s: one dtype is needed",
                 rg_dtype_name((rg_dtype)n->dtype), rg_dtype_name((rg_dtype)w->dtype),
                 b ? rg_dtype_name((rg_dtype)b->dtype) : "nil");
        return false;
    }
    const int64_t channels = n->dims[n->rank - l->axes - 1];
    int64_t in = w->dims[1], out = w->dims[0];
    bool fits = groups > 0 && out % groups == 0 && !__builtin_mul_overflow(in, groups, &in) && in == channels;
    if (l->transposed) {
        out = w->dims[1];
        fits = groups > 0 && channels % groups == 0 && w->dims[0] == channels &&
               !__builtin_mul_overflow(out, groups, &out);
    }
    if (!fits) {
        rg__fail(t, l->op, RG_ERROR_SHAPE,
                 "x %s with %lld channels and weight %s in %lld groups do not fit: weight %s, the channels a multiple of "
                 "the groups",
                 RG__NODE_TEXT(n), (long long)channels, RG__NODE_TEXT(w), (long long)groups,
                 l->transposed ? "[in, out / groups, ...] is needed" : "[out, in / groups, ...] is needed");
        return false;
    }
    if (b && (b->rank != 1 || b->dims[0] != out)) {
        rg__fail(t, l->op, RG_ERROR_SHAPE, "bias %s does not fit: [%lld] is needed", RG__NODE_TEXT(b), (long long)out);
        return false;
    }
    for (int i = 0; i < l->axes; i++)
        if (w->dims[FIRST + i] < 1) {
            rg__fail(t, l->op, RG_ERROR_SHAPE, "weight %s has a kernel without elements", RG__NODE_TEXT(w));
            return false;
        }
    l->out = out;
    l->kernel = rg_shape_of(t, weight);
    l->x = l->batched ? x : rg_unsqueeze(t, x, 0);
    l->dims = rg_shape_of(t, l->x);
    return !rg_failed(t);
}

/* The extents of x and of the kernel, and the padding that keeps the former. */
static bool check_axes(rg_tape *t, layer *l, bool same)
{
    memcpy(l->after, l->a.before, sizeof l->after);
    for (int i = FIRST; i < l->dims.rank; i++) {
        int64_t more;
        if (l->dims.dims[i] == 0) {
            rg__fail(t, l->op, RG_ERROR_SHAPE,
                     "x %s has an axis without elements; images or channels alone may have none",
                     RG__DIMS_TEXT(l->dims.rank - !l->batched, l->dims.dims + !l->batched));
            return false;
        }
        if (__builtin_mul_overflow(l->kernel.dims[i] - 1, l->a.dilation[i], &more) || more > RG__MAX_NUMEL) {
            rg__fail(t, l->op, RG_ERROR_SHAPE, "weight %s with dilation %lld: too large a kernel",
                     RG__DIMS_TEXT(l->kernel.rank, l->kernel.dims), (long long)l->a.dilation[i]);
            return false;
        }
        if (!same)
            continue;
        if (l->a.stride[i] != 1) {
            rg__fail(t, l->op, RG_ERROR_ARGUMENT, "stride %lld: with `same`, 1 is needed", (long long)l->a.stride[i]);
            return false;
        }
        l->a.before[i] = more / 2;
        l->after[i] = more - l->a.before[i];
    }
    return true;
}

static bool start(rg_tape *t, layer *l, rg_tensor x, rg_tensor weight, rg_tensor bias, const rg_conv_config *c)
{
    for (int i = 0; i < MOST_RANK; i++)
        l->a.stride[i] = l->a.dilation[i] = l->a.spread[i] = 1;
    l->a.groups = c->groups ? c->groups : 1;
    if (!check_shapes(t, l, x, weight, bias) || !numbers(t, l->op, "stride", c->stride, l->axes, 1, l->a.stride) ||
        !numbers(t, l->op, "dilation", c->dilation, l->axes, 1, l->a.dilation) ||
        !numbers(t, l->op, "padding", c->padding, l->axes, 0, l->a.before))
        return false;
    return check_axes(t, l, c->same);
}

/* The result, with what was added to x and weight taken off again. */
static rg_tensor finish(rg_tape *t, const layer *l, rg_tensor y, rg_tensor bias)
{
    rg_shape column = {l->dims.rank, {1, l->out}};
    for (int i = FIRST; i < column.rank; i++)
        column.dims[i] = 1;
    if (!rg_is_nil(bias))
        y = rg_add(t, y, rg_reshape(t, bias, column));
    return l->batched ? y : rg_squeeze(t, y, RG_AXES(0));
}

/* Are these extents of the result, of the padded x in its channels, and all of x in them valid? For a transposed convolution,
 * x is its result here. */
static bool check_extents(rg_tape *t, const layer *l, const int64_t *extents)
{
    int64_t padded[RG_MAX_RANK] = {l->dims.dims[0], l->dims.dims[1]};
    bool fits = true;
    for (int i = FIRST; i < l->dims.rank; i++) {
        const int64_t kernel = (l->kernel.dims[i] - 1) * l->a.dilation[i] + 1;
        fits = fits && extents[i] >= 1 && l->dims.dims[i] >= 1 &&
               !__builtin_mul_overflow(extents[i] - 1, l->a.stride[i], &padded[i]) &&
               !__builtin_add_overflow(padded[i], kernel, &padded[i]);
    }
    if (fits && rg__numel(l->dims.rank, padded) >= 0)
        return true;
    const int skipped = l->transposed ? FIRST : !l->batched;
    rg__fail(t, l->op, RG_ERROR_SHAPE, "%s %s with a kernel of %s: no place for the kernel, or too large a result",
             l->transposed ? "the result's extents" : "x", RG__DIMS_TEXT(l->dims.rank - skipped, l->dims.dims + skipped),
             RG__DIMS_TEXT(l->kernel.rank, l->kernel.dims));
    return false;
}

/* x with more of itself around. */
static rg_tensor continued(rg_tape *t, const layer *l, rg_pad_kind mode)
{
    int64_t pad[2 * RG__CONV_AXES];
    for (int i = 0; i < l->axes; i++) {
        const int axis = l->dims.rank - 1 - i; /* from the last on */
        const int64_t extent = l->dims.dims[axis], most = mode == RG_PAD_REFLECT ? extent - 1 : extent;
        pad[2 * i] = l->a.before[axis];
        pad[2 * i + 1] = l->after[axis];
        if (mode != RG_PAD_REPLICATE && (pad[2 * i] > most || pad[2 * i + 1] > most)) {
            rg__fail(t, l->op, RG_ERROR_ARGUMENT, "padding %lld and %lld of an axis of %lld: at most %lld in this mode",
                     (long long)pad[2 * i], (long long)pad[2 * i + 1], (long long)extent, (long long)most);
            return RG_NIL;
        }
    }
    return rg_pad_mode(t, l->x, pad, 2 * l->axes, mode, 0);
}

static rg_tensor convolve(rg_tape *t, const rg__op *op, int axes, rg_tensor x, rg_tensor weight, rg_tensor bias,
                          const rg_conv_config *config)
{
    const rg_conv_config plain = {.groups = 1};
    const rg_conv_config *c = config ? config : &plain;
    layer l = {.op = op, .axes = axes};
    int64_t extents[MOST_RANK] = {0};
    if (!start(t, &l, x, weight, bias, c))
        return RG_NIL;
    if ((unsigned)c->mode > RG_PAD_CIRCULAR) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "mode %d is none of RG_PAD_CONSTANT to RG_PAD_CIRCULAR", (int)c->mode);
        return RG_NIL;
    }
    for (int i = FIRST; i < l.dims.rank; i++) {
        const int64_t reach = (l.kernel.dims[i] - 1) * l.a.dilation[i];
        const int64_t room = l.dims.dims[i] + l.a.before[i] + l.after[i] - reach - 1;
        extents[i] = room < 0 ? 0 : room / l.a.stride[i] + 1;
    }
    if (!check_extents(t, &l, extents))
        return RG_NIL;
    if (c->mode != RG_PAD_CONSTANT) {
        l.x = continued(t, &l, c->mode);
        for (int i = FIRST; i < l.dims.rank; i++)
            l.a.before[i] = 0;
    }
    return finish(t, &l, record_conv(t, l.x, weight, &l.a, extents), bias);
}

static rg_tensor convolve_back(rg_tape *t, const rg__op *op, int axes, rg_tensor x, rg_tensor weight, rg_tensor bias,
                               const rg_conv_config *config)
{
    const rg_conv_config plain = {.groups = 1};
    const rg_conv_config *c = config ? config : &plain;
    layer l = {.op = op, .axes = axes, .transposed = true};
    int64_t extents[MOST_RANK] = {0}, more[MOST_RANK] = {0};
    if (!start(t, &l, x, weight, bias, c) || !numbers(t, op, "output_padding", c->output_padding, axes, 0, more))
        return RG_NIL;
    if (c->same || c->mode != RG_PAD_CONSTANT) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "`same` and modes other than zeros are not for transposed convolutions");
        return RG_NIL;
    }
    for (int i = FIRST; i < l.dims.rank; i++) {
        const int64_t reach = (l.kernel.dims[i] - 1) * l.a.dilation[i];
        if (more[i] >= l.a.stride[i] && more[i] >= l.a.dilation[i]) {
            rg__fail(t, op, RG_ERROR_ARGUMENT, "output_padding %lld must be less than stride %lld or dilation %lld",
                     (long long)more[i], (long long)l.a.stride[i], (long long)l.a.dilation[i]);
            return RG_NIL;
        }
        if (__builtin_mul_overflow(l.dims.dims[i] - 1, l.a.stride[i], &extents[i]) ||
            __builtin_add_overflow(extents[i], reach + more[i] + 1 - 2 * l.a.before[i], &extents[i]))
            extents[i] = INT64_MAX;
    }
    layer back = l; /* the map that this is the transpose of takes the result */
    memcpy(back.dims.dims + FIRST, extents + FIRST, sizeof *extents * (size_t)axes);
    if (!check_extents(t, &back, l.dims.dims))
        return RG_NIL;
    return finish(t, &l, record_transposed(t, l.x, weight, &l.a, extents), bias);
}

#define PUBLIC(name, does, axes)                                                                                 \
    rg_tensor rg_##name(rg_tape *t, rg_tensor x, rg_tensor weight, rg_tensor bias, const rg_conv_config *config) \
    {                                                                                                            \
        return does(t, OP(name), axes, x, weight, bias, config);                                                 \
    }
PUBLIC(conv1d, convolve, 1)
PUBLIC(conv2d, convolve, 2)
PUBLIC(conv3d, convolve, 3)
PUBLIC(conv_transpose1d, convolve_back, 1)
PUBLIC(conv_transpose2d, convolve_back, 2)
PUBLIC(conv_transpose3d, convolve_back, 3)

/* ---- by name ---- */

static rg_conv_config config_of(const rg__call *c, bool transposed)
{
    rg_conv_config config = {
        .stride = RG__SHAPE_OF(stride),
        .padding = RG__SHAPE_OF(padding),
        .dilation = RG__SHAPE_OF(dilation),
        .groups = RG__INT_OF(groups),
    };
    if (config.groups == 0)
        rg__fail(c->t, c->op, RG_ERROR_ARGUMENT, "0 groups; 1 or more are needed");
    if (transposed) {
        config.output_padding = RG__SHAPE_OF(output_padding);
    } else {
        config.same = RG__FLAG_OF(same);
        config.mode = (rg_pad_kind)RG__WORD_OF(mode);
    }
    return config;
}

#define BY_NAME(name, transposed)                                        \
    static int call_##name(const rg__call *c, rg_tensor *out)            \
    {                                                                    \
        const rg_conv_config config = config_of(c, transposed);          \
        out[0] = rg_##name(c->t, c->in[0], c->in[1], c->in[2], &config); \
        return 1;                                                        \
    }
BY_NAME(conv1d, false)
BY_NAME(conv2d, false)
BY_NAME(conv3d, false)
BY_NAME(conv_transpose1d, true)
BY_NAME(conv_transpose2d, true)
BY_NAME(conv_transpose3d, true)

/* ---- samples ---- */

typedef struct example {
    rg_shape x, weight;
    rg_conv_config config;
    bool bias, strided;
} example;

static rg_tensor sample(rg__draw *draw, const example *e,
                        rg_tensor (*f)(rg_tape *, rg_tensor, rg_tensor, rg_tensor, const rg_conv_config *),
                        bool transposed)
{
    rg_tape *t = draw->t;
    const int64_t groups = e->config.groups ? e->config.groups : 1;
    rg_tensor x = RG__DRAW(draw, e->x, RG__REAL), w = RG__DRAW(draw, e->weight, RG__REAL), b = RG_NIL;
    if (e->strided) {
        x = rg_flip(t, rg_transpose(t, x, -1, -2), RG_AXES(-1));
        w = rg_transpose(t, w, 0, 1);
    }
    const rg_shape s = rg_shape_of(t, w);
    if (e->bias)
        b = RG__DRAW(draw, RG_SHAPE(transposed ? s.dims[1] * groups : s.dims[0]), RG__REAL);
    return f(t, x, w, b, &e->config);
}

#define EXAMPLES(name, transposed, ...)                                                                       \
    static rg_tensor sample_##name(rg__draw *draw, int index)                                                 \
    {                                                                                                         \
        static const example e[] = {__VA_ARGS__};                                                             \
        return index < (int)(sizeof e / sizeof *e) ? sample(draw, &e[index], rg_##name, transposed) : RG_NIL; \
    }
EXAMPLES(conv1d, false, {{3, {2, 2, 5}}, {3, {3, 2, 3}}, {.groups = 1}, true, false},
         {{2, {2, 6}}, {3, {2, 1, 2}}, {.stride = {1, {2}}, .padding = {1, {1}}, .groups = 2}, false, false},
         {{3, {2, 5, 2}}, {3, {2, 3, 2}}, {.same = true, .mode = RG_PAD_CIRCULAR}, false, true})
EXAMPLES(conv2d, false, {{4, {2, 2, 4, 3}}, {4, {3, 2, 2, 2}}, {.groups = 1}, true, false},
         {{4, {1, 4, 5, 4}}, {4, {4, 2, 3, 2}}, {.stride = {2, {2, 1}}, .padding = {2, {1, 0}}, .groups = 2}, true, false},
         {{3, {2, 5, 5}},
          {4, {2, 1, 2, 3}},
          {.dilation = {2, {2, 1}}, .groups = 2, .mode = RG_PAD_REFLECT, .padding = {1, {1}}},
          false,
          false},
         {{4, {1, 2, 3, 4}}, {4, {2, 3, 3, 2}}, {.same = true}, false, true},
         {{4, {0, 2, 3, 3}}, {4, {3, 2, 2, 2}}, {.groups = 1}, true, false},
         {{4, {2, 2, 3, 3}}, {4, {2, 1, 2, 2}}, {.mode = RG_PAD_REPLICATE, .padding = {1, {2}}, .groups = 2}, true, false})
EXAMPLES(conv3d, false, {{5, {1, 2, 3, 3, 2}}, {5, {2, 2, 2, 2, 2}}, {.groups = 1}, true, false},
         {{5, {1, 1, 3, 4, 3}}, {5, {1, 1, 2, 2, 2}}, {.stride = {1, {2}}, .padding = {3, {1, 0, 1}}}, false, false})
EXAMPLES(conv_transpose1d, true,
         {{3, {2, 2, 4}}, {3, {2, 3, 3}}, {.stride = {1, {2}}, .output_padding = {1, {1}}}, true, false},
         {{2, {4, 4}}, {3, {4, 1, 2}}, {.padding = {1, {1}}, .groups = 2}, false, false})
EXAMPLES(conv_transpose2d, true,
         {{4, {1, 2, 3, 2}}, {4, {2, 2, 2, 3}}, {.stride = {2, {2, 3}}, .padding = {2, {1, 0}}}, true, false},
         {{4, {1, 4, 2, 3}}, {4, {4, 1, 2, 2}}, {.dilation = {1, {2}}, .groups = 2, .output_padding = {1, {1}}}, false, false},
         {{4, {1, 2, 3, 2}}, {4, {2, 2, 2, 2}}, {.groups = 1}, true, true})
EXAMPLES(conv_transpose3d, true, {{5, {1, 2, 2, 2, 2}}, {5, {2, 1, 2, 2, 2}}, {.stride = {1, {2}}}, true, false})

static rg_tensor sample_conv(rg__draw *draw, int index)
{
    return sample_conv2d(draw, index);
}

/* Of the first map with a cotangent that counts, too. */
static rg_tensor sample_conv_weight(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    struct conv a = {{1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}, {0}, 1};
    if (index > 2)
        return RG_NIL;
    rg_tensor x = RG__DRAW(draw, RG_SHAPE(2, 2, 4, 3), RG__REAL), y = RG__DRAW(draw, RG_SHAPE(2, 2, 3, 2), RG__REAL);
    const rg_tensor like = rg_zeros(t, rg_dtype_of(t, x), index == 1 ? RG_SHAPE(2, 1, 2, 2) : RG_SHAPE(2, 2, 2, 2));
    a.groups = index == 1 ? 2 : 1;
    a.spread[2] = a.spread[3] = index == 2 ? 2 : 1; /* zeros between the elements of x */
    a.stride[3] = index == 1 ? 2 : 1;
    a.before[2] = index;
    return record_conv_weight(t, x, y, &a, like);
}

RG__FAMILY(conv, ROWS(RG__ROW))
