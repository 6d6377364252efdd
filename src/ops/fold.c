/* Windows of an image as columns, and columns added to an image: each is the other's gradient. */
#include "ops/call.h"
#include "ops/family.h"
#include "ops/lists.h"

#include <retrograd/ops/resize.h>

#include <string.h>

#define LISTS "dilation: ints = 1, padding: ints = 0, stride: ints = 1"
#define ROWS(ROW)                                                                                                 \
    ROW(im2col, 1, RG__DIFF, RG__KERNEL, "windows of x as columns", .fallible = true, RG__ATTR(fold),             \
        RG__CALLED(im2col, "x: float, kernel_size: ints, " LISTS))                                                \
    ROW(col2im, 1, RG__DIFF, RG__KERNEL, "columns of x added to their windows", .fallible = true, RG__ATTR(fold), \
        RG__CALLED(col2im, "x: float, output_size: ints, kernel_size: ints, " LISTS))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_fold[OP_##name])

enum { AXES = 2 };

/* The windows of the rows, then of the columns. */
struct fold {
    rg__window w[AXES];
};
static const rg__field fields_fold[] = {{"height", RG__INT, offsetof(struct fold, w[0].kernel)},
                                        {"width", RG__INT, offsetof(struct fold, w[1].kernel)},
                                        {"stride", RG__INT, offsetof(struct fold, w[1].stride)},
                                        {"padding", RG__INT, offsetof(struct fold, w[1].padding)},
                                        {0}};

/* ---- kernels ---- */

typedef struct folding {
    const rg__window *w;
    rg__planes x;
    char *out;
    size_t size;
    int64_t image, columns; /* elements of a plane */
} folding;

/* Of element `k` of each window: the windows first .. end - 1 have one within the axis, that of window i at i stride + shift. */
typedef struct reach {
    int64_t first, end, shift;
} reach;

static reach reach_of(const rg__window *w, int64_t k)
{
    reach r = {0, 0, k * w->dilation - w->padding};
    if (r.shift < 0)
        r.first = (-r.shift + w->stride - 1) / w->stride;
    if (r.shift < w->in)
        r.end = (w->in - 1 - r.shift) / w->stride + 1;
    r.end = r.end < w->out ? r.end : w->out;
    r.first = r.first < r.end ? r.first : r.end;
    return r;
}

/* Runs the last argument for each row of the columns: `line` is the row of the matrix of windows, `pixels` where its first
 * element within the image lies, `n` of them, `step` apart. */
#define EACH_LINE(T, columns, image, ...)                                                                         \
    for (int64_t ki = 0; ki < h->kernel; ki++)                                                                    \
        for (int64_t kj = 0; kj < w->kernel; kj++, columns += h->out * w->out) {                                  \
            const reach down = reach_of(h, ki), across = reach_of(w, kj);                                         \
            const int64_t n = across.end - across.first, step = w->stride;                                        \
            for (int64_t i = down.first; i < down.end && n > 0; i++) {                                            \
                T line = columns + i * w->out + across.first;                                                     \
                image pixels = plane + (i * h->stride + down.shift) * w->in + across.first * step + across.shift; \
                __VA_ARGS__;                                                                                      \
            }                                                                                                     \
        }

#define DEFINE_KERNELS(T)                                                                                   \
    static void im2col_##T(const folding *f, const T *plane, T *columns)                                    \
    {                                                                                                       \
        const rg__window *h = &f->w[0], *w = &f->w[1];                                                      \
        memset(columns, 0, (size_t)f->columns * sizeof(T));                                                 \
        EACH_LINE(                                                                                          \
            T *, columns, const T *, if (step == 1) { memcpy(line, pixels, (size_t)n * sizeof(T)); } else { \
                for (int64_t j = 0; j < n; j++)                                                             \
                    line[j] = pixels[j * step];                                                             \
            })                                                                                              \
    }                                                                                                       \
    static void col2im_##T(const folding *f, const T *columns, T *plane)                                    \
    {                                                                                                       \
        const rg__window *h = &f->w[0], *w = &f->w[1];                                                      \
        memset(plane, 0, (size_t)f->image * sizeof(T));                                                     \
        EACH_LINE(                                                                                          \
            const T *restrict, columns, T *restrict,                                                        \
            if (step == 1) {                                                                                \
                for (int64_t j = 0; j < n; j++)                                                             \
                    pixels[j] += line[j];                                                                   \
            } else {                                                                                        \
                for (int64_t j = 0; j < n; j++)                                                             \
                    pixels[j * step] += line[j];                                                            \
            })                                                                                              \
    }
DEFINE_KERNELS(float)
DEFINE_KERNELS(double)

static void im2col_plane(void *job, int64_t plane, void *scratch)
{
    const folding *f = job;
    const void *x = rg__plane(&f->x, plane, scratch);
    void *out = f->out + plane * f->columns * (int64_t)f->size;
    if (f->size == sizeof(float))
        im2col_float(f, x, out);
    else
        im2col_double(f, x, out);
}

static void col2im_plane(void *job, int64_t plane, void *scratch)
{
    const folding *f = job;
    const void *x = rg__plane(&f->x, plane, scratch);
    void *out = f->out + plane * f->image * (int64_t)f->size;
    if (f->size == sizeof(float))
        col2im_float(f, x, out);
    else
        col2im_double(f, x, out);
}

static bool run_planes(const rg__run *run, const rg__array_view *x, rg__plane_work work)
{
    const struct fold *a = run->node->attr;
    const rg__window *h = &a->w[0], *w = &a->w[1];
    folding f = {.w = a->w, .x = rg__planes_of(x, AXES), .out = run->out.data, .size = rg_dtype_size(x->dtype)};
    f.image = h->in * w->in;
    f.columns = h->kernel * w->kernel * h->out * w->out;
    return run->node->numel == 0 ||
           rg__planes_run(run, f.x.count, f.columns, f.x.dense ? 0 : rg__plane_bytes(f.x.numel, f.size), work, &f);
}

static bool kernel_im2col(const rg__run *run)
{
    return run_planes(run, &run->in[0], im2col_plane);
}

/* [.., C kh kw, L] is seen as planes [kh kw, L]. */
static bool kernel_col2im(const rg__run *run)
{
    const struct fold *a = run->node->attr;
    const rg__array_view *x = &run->in[0];
    const int64_t rows = a->w[0].kernel * a->w[1].kernel;
    rg__array_view apart = *x;
    int64_t dims[RG_MAX_RANK];
    const int at = x->rank - 2;
    memcpy(dims, x->dims, (size_t)x->rank * sizeof *dims);
    dims[at] = x->dims[at] / rows;
    dims[at + 1] = rows;
    dims[at + 2] = x->dims[at + 1];
    apart.strides[at] = x->strides[at] * rows;
    apart.strides[at + 1] = x->strides[at];
    apart.strides[at + 2] = x->strides[at + 1];
    apart.dims = dims;
    apart.rank++;
    return run_planes(run, &apart, col2im_plane);
}

/* ---- gradients ---- */

static rg_tensor record(rg_tape *t, const rg__op *op, rg_tensor x, const struct fold *a)
{
    const rg__node *n = rg__arg(t, op, x);
    if (!n)
        return RG_NIL;
    const rg__window *h = &a->w[0], *w = &a->w[1];
    const bool unfolds = op == OP(im2col);
    const int rank = unfolds ? n->rank - 1 : n->rank + 1, channels = unfolds ? n->rank - 3 : n->rank - 2;
    const int64_t rows = h->kernel * w->kernel;
    int64_t dims[RG_MAX_RANK];
    memcpy(dims, n->dims, (size_t)(channels + 1) * sizeof *dims);
    if (unfolds) {
        if (__builtin_mul_overflow(dims[channels], rows, &dims[channels]))
            dims[channels] = -1; /* refused as too large */
        dims[channels + 1] = h->out * w->out;
    } else {
        dims[channels] /= rows;
        dims[channels + 1] = h->in;
        dims[channels + 2] = w->in;
    }
    return rg__record(t, op, &x, 1, (rg_dtype)n->dtype, rank, dims, a);
}

static void vjp_im2col(const rg__vjp *v)
{
    v->grad[0] = record(v->t, OP(col2im), v->g, v->attr);
}

static void vjp_col2im(const rg__vjp *v)
{
    v->grad[0] = record(v->t, OP(im2col), v->g, v->attr);
}

/* ---- recording ---- */

/* The windows of an image of the extents `in`; false and an error where they do not fit. */
static bool take_windows(rg_tape *t, const rg__op *op, const int64_t *in, rg_shape kernel_size,
                         const rg_fold_config *config, struct fold *a)
{
    static const int64_t zeros[AXES] = {0}, ones[AXES] = {1, 1};
    const rg_fold_config c = config ? *config : (rg_fold_config){{0, {0}}, {0, {0}}, {0, {0}}};
    int64_t kernel[AXES], dilation[AXES], padding[AXES], stride[AXES];
    if (!rg__take_list(t, op, &(rg__list){"kernel_size", kernel_size, NULL, 1}, AXES, kernel) ||
        !rg__take_list(t, op, &(rg__list){"dilation", c.dilation, ones, 1}, AXES, dilation) ||
        !rg__take_list(t, op, &(rg__list){"padding", c.padding, zeros, 0}, AXES, padding) ||
        !rg__take_list(t, op, &(rg__list){"stride", c.stride, ones, 1}, AXES, stride))
        return false;
    for (int i = 0; i < AXES; i++) {
        const int64_t span = dilation[i] * (kernel[i] - 1) + 1, room = in[i] + 2 * padding[i] - span;
        if (room < 0) {
            rg__fail(t, op, RG_ERROR_SHAPE,
                     "a window spans %lld elements; there are %lld, and %lld of padding on each side", (long long)span,
                     (long long)in[i], (long long)padding[i]);
            return false;
        }
        a->w[i] = (rg__window){in[i], room / stride[i] + 1, kernel[i], stride[i], padding[i], dilation[i]};
    }
    int64_t count;
    if (__builtin_mul_overflow(a->w[0].out, a->w[1].out, &count)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%lld times %lld windows are too many", (long long)a->w[0].out,
                 (long long)a->w[1].out);
        return false;
    }
    return true;
}

rg_tensor rg_im2col(rg_tape *t, rg_tensor x, rg_shape kernel_size, const rg_fold_config *config)
{
    const rg__op *op = OP(im2col);
    const rg__node *n = rg__image(t, op, x, RG__FLOATS, AXES);
    struct fold a;
    return n && take_windows(t, op, rg__extents(n, AXES), kernel_size, config, &a) ? record(t, op, x, &a) : RG_NIL;
}

rg_tensor rg_col2im(rg_tape *t, rg_tensor x, rg_shape output_size, rg_shape kernel_size, const rg_fold_config *config)
{
    const rg__op *op = OP(col2im);
    const rg__node *n = rg__arg_of(t, op, x, RG__FLOATS);
    int64_t size[AXES];
    struct fold a;
    if (!n || !rg__take_list(t, op, &(rg__list){"output_size", output_size, NULL, 1}, AXES, size) ||
        !take_windows(t, op, size, kernel_size, config, &a))
        return RG_NIL;
    const int64_t rows = a.w[0].kernel * a.w[1].kernel, count = a.w[0].out * a.w[1].out;
    const bool fits = (n->rank == 2 || n->rank == 3) && n->dims[n->rank - 2] % rows == 0 && n->dims[n->rank - 1] == count;
    if (!fits) {
        rg__fail(t, op, RG_ERROR_SHAPE, "x is %s; [N, C %lld, %lld] or [C %lld, %lld] is needed", RG__NODE_TEXT(n),
                 (long long)rows, (long long)count, (long long)rows, (long long)count);
        return RG_NIL;
    }
    return record(t, op, x, &a);
}

/* ---- by name ---- */

static rg_fold_config config_of(const rg__call *c)
{
    return (rg_fold_config){RG__SHAPE_OF(dilation), RG__SHAPE_OF(padding), RG__SHAPE_OF(stride)};
}

static int call_im2col(const rg__call *c, rg_tensor *out)
{
    const rg_fold_config config = config_of(c);
    out[0] = rg_im2col(c->t, c->in[0], RG__SHAPE_OF(kernel_size), &config);
    return 1;
}

static int call_col2im(const rg__call *c, rg_tensor *out)
{
    const rg_fold_config config = config_of(c);
    out[0] = rg_col2im(c->t, c->in[0], RG__SHAPE_OF(output_size), RG__SHAPE_OF(kernel_size), &config);
    return 1;
}

/* ---- samples ---- */

static const rg_fold_config configs[] = {{.stride = {1, {2}}, .padding = {1, {1}}},
                                         {.stride = {2, {2, 1}}, .dilation = {2, {1, 2}}},
                                         {.padding = {2, {0, 1}}}};

static rg_tensor sample_im2col(rg__draw *draw, int index)
{
    static const rg_shape shapes[] = {{4, {1, 2, 3, 4}}, {3, {4, 3, 2}}, {4, {0, 1, 3, 2}}};
    if (index > 2)
        return RG_NIL;
    rg_tensor x = RG__DRAW(draw, shapes[index], RG__REAL);
    return rg_im2col(draw->t, index == 1 ? rg_flip(draw->t, rg_transpose(draw->t, x, 0, 2), RG_AXES(1, 2)) : x,
                     RG_SHAPE(2), &configs[index]);
}

static rg_tensor sample_col2im(rg__draw *draw, int index)
{
    static const rg_shape shapes[] = {{3, {1, 8, 6}}, {2, {4, 8}}, {3, {0, 4, 9}}};
    if (index > 2)
        return RG_NIL;
    rg_tensor x = RG__DRAW(draw, shapes[index], RG__REAL);
    return rg_col2im(draw->t, index == 1 ? rg_flip(draw->t, rg_transpose(draw->t, x, 0, 1), RG_AXES(0)) : x,
                     index == 0   ? RG_SHAPE(3, 4)
                     : index == 1 ? RG_SHAPE(4, 4)
                                  : RG_SHAPE(4, 2),
                     RG_SHAPE(2), &configs[index]);
}

RG__FAMILY(fold, ROWS(RG__ROW))
