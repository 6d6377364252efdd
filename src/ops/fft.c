/* Fourier transforms: three primitives along one axis, each the transpose of another, and what is made of them. */
#include "ops/call.h"
#include "ops/family.h"

#include "exec/kernels/fft.h"

#include <math.h>
#include <string.h>

#define ONE  "n: int = none, axis: int = -1, norm: backward|ortho|forward = backward"
#define MANY "lengths: ints = none, axes: ints = all, norm: backward|ortho|forward = backward"
#define TWO  "norm: backward|ortho|forward = backward"
#define ROWS(ROW)                                                                                                        \
    ROW(dft, 1, RG__DIFF, RG__KERNEL, "sum over j of x[j] e^(-2 pi i j k / n) scale, or with +", RG__TRANSFORM)          \
    ROW(dft_of_real, 1, RG__DIFF, RG__KERNEL, "the first n/2 + 1 of the same of real x", RG__TRANSFORM)                  \
    ROW(dft_to_real, 1, RG__DIFF, RG__KERNEL, "sum over k of X[k] e^(2 pi i j k / n) scale, X[n-k] = X*[k]",             \
        RG__TRANSFORM)                                                                                                   \
    ROW(fft, 1, RG__THROUGH, RG__COMPOSITE, "sum over j of x[j] e^(-2 pi i j k / n)", RG__CALLED(fft, "x: float, " ONE)) \
    ROW(ifft, 1, RG__THROUGH, RG__COMPOSITE, "sum over k of x[k] e^(2 pi i j k / n) / n",                                \
        RG__CALLED(ifft, "x: float, " ONE))                                                                              \
    ROW(rfft, 1, RG__THROUGH, RG__COMPOSITE, "fft of real x, the first n/2 + 1", RG__CALLED(rfft, "x: float, " ONE))     \
    ROW(irfft, 1, RG__THROUGH, RG__COMPOSITE, "the inverse of rfft", RG__CALLED(irfft, "x: float, " ONE))                \
    ROW(fftn, 1, RG__THROUGH, RG__COMPOSITE, "fft along several axes", RG__CALLED(fftn, "x: float, " MANY))              \
    ROW(ifftn, 1, RG__THROUGH, RG__COMPOSITE, "ifft along several axes", RG__CALLED(ifftn, "x: float, " MANY))           \
    ROW(rfftn, 1, RG__THROUGH, RG__COMPOSITE, "rfft along the last axis, fft along others",                              \
        RG__CALLED(rfftn, "x: float, " MANY))                                                                            \
    ROW(irfftn, 1, RG__THROUGH, RG__COMPOSITE, "the inverse of rfftn", RG__CALLED(irfftn, "x: float, " MANY))            \
    ROW(fft2, 1, RG__THROUGH, RG__COMPOSITE, "fft along the last two axes", RG__CALLED(fft2, "x: float, " TWO))          \
    ROW(ifft2, 1, RG__THROUGH, RG__COMPOSITE, "ifft along the last two axes", RG__CALLED(ifft2, "x: float, " TWO))
#define RG__TRANSFORM .fallible = true, RG__ATTR(transform)

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_fft[OP_##name])

struct transform {
    int64_t axis, n, inverse;
    double scale;
};
static const rg__field fields_transform[] = {RG__FIELD(struct transform, axis, RG__INT),
                                             RG__FIELD(struct transform, n, RG__INT),
                                             RG__FIELD(struct transform, inverse, RG__FLAG),
                                             RG__FIELD(struct transform, scale, RG__FLOAT),
                                             {0}};

/* ---- kernels ---- */

enum { LANES = 8 };

/* The lines of an array along an axis: of one of them, where element j begins. */
typedef struct lines {
    char *data;
    int rank; /* of the axes that tell lines apart */
    int64_t dims[RG_MAX_RANK], strides[RG_MAX_RANK];
    int64_t step, part; /* bytes: between elements, from real to imaginary part */
} lines;

static lines lines_of(const rg__array_view *x, int64_t axis, bool complex)
{
    const int64_t size = (int64_t)rg_dtype_size(x->dtype);
    lines l = {.data = x->data, .step = x->strides[axis] * size};
    const int rank = x->rank - complex;
    l.part = complex ? x->strides[rank] * size : 0;
    for (int i = 0; i < rank; i++)
        if (i != axis) {
            l.dims[l.rank] = x->dims[i];
            l.strides[l.rank++] = x->strides[i] * size;
        }
    return l;
}

static char *line(const lines *l, int64_t index)
{
    char *p = l->data;
    for (int i = l->rank - 1; i >= 0; i--) {
        p += index % l->dims[i] * l->strides[i];
        index /= l->dims[i];
    }
    return p;
}

typedef struct job {
    const rg__fft *plan;
    rg__fft_kind kind;
    bool single, inverse;
    double scale;
    lines in, out;
    int64_t n, half; /* half: n/2 + 1 */
} job;

/* `count` elements of each of `lanes` lines, into doubles. */
#define LOAD(T)                             \
    for (int64_t j = 0; j < count; j++)     \
        for (int64_t l = 0; l < lanes; l++) \
    to[j * lanes + l] = *(const T *)(const void *)(from[l] + j * step)
static void load(bool single, double *to, int64_t count, int64_t lanes, char *const *at, int64_t offset, int64_t step)
{
    const char *from[LANES];
    for (int64_t l = 0; l < lanes; l++)
        from[l] = at[l] + offset;
    if (single)
        LOAD(float);
    else
        LOAD(double);
}

#define STORE(T)                            \
    for (int64_t j = 0; j < count; j++)     \
        for (int64_t l = 0; l < lanes; l++) \
    *(T *)(void *)(to[l] + j * step) = (T)(from[j * lanes + l] * scale)
static void store(bool single, const double *from, int64_t count, int64_t lanes, char *const *at, int64_t offset,
                  int64_t step, double scale)
{
    char *to[LANES];
    for (int64_t l = 0; l < lanes; l++)
        to[l] = at[l] + offset;
    if (single)
        STORE(float);
    else
        STORE(double);
}

static void load_real(const job *b, rg__fft_lanes x, int64_t lanes, char *const *from)
{
    if (rg__fft_packed(b->plan)) {
        load(b->single, x.re, b->n / 2, lanes, from, 0, 2 * b->in.step);
        load(b->single, x.im, b->n / 2, lanes, from, b->in.step, 2 * b->in.step);
    } else {
        load(b->single, x.re, b->n, lanes, from, 0, b->in.step);
        memset(x.im, 0, (size_t)(b->n * lanes) * sizeof *x.im);
    }
}

static void store_real(const job *b, rg__fft_lanes y, int64_t lanes, char *const *to)
{
    if (rg__fft_packed(b->plan)) {
        store(b->single, y.re, b->n / 2, lanes, to, 0, 2 * b->out.step, b->scale);
        store(b->single, y.im, b->n / 2, lanes, to, b->out.step, 2 * b->out.step, b->scale);
    } else {
        store(b->single, y.re, b->n, lanes, to, 0, b->out.step, b->scale);
    }
}

/* Backwards, real and imaginary part change places before and after. */
static rg__fft_lanes turned(const job *b, rg__fft_lanes x)
{
    return b->inverse ? (rg__fft_lanes){x.im, x.re} : x;
}

static void transform_lines(const job *b, int64_t first, int64_t lanes, double *work)
{
    char *from[LANES], *to[LANES];
    for (int64_t l = 0; l < lanes; l++) {
        from[l] = line(&b->in, first + l);
        to[l] = line(&b->out, first + l);
    }
    const int64_t in = b->kind == RG__FFT_COMPLEX ? b->n : b->half;
    const rg__fft_lanes x = turned(b, rg__fft_input(b->plan, lanes, work));
    if (b->kind == RG__FFT_FROM_REAL) {
        load_real(b, x, lanes, from);
    } else {
        load(b->single, x.re, in, lanes, from, 0, b->in.step);
        load(b->single, x.im, in, lanes, from, b->in.part, b->in.step);
    }
    const rg__fft_lanes y = turned(b, rg__fft_run(b->plan, lanes, work));
    if (b->kind == RG__FFT_TO_REAL) {
        store_real(b, y, lanes, to);
    } else {
        store(b->single, y.re, in, lanes, to, 0, b->out.step, b->scale);
        store(b->single, y.im, in, lanes, to, b->out.part, b->out.step, b->scale);
    }
}

/* Several lines at once, as many as stay in the cache; the threads share them. */
static bool run_job(const rg__run *run, job *b)
{
    enum { CACHED = 1 << 17, WORTH_THREADS = 1 << 15 };
    const int64_t per_line = b->kind == RG__FFT_FROM_REAL ? 2 * b->half : b->kind == RG__FFT_COMPLEX ? 2 * b->n : b->n;
    const int64_t count = run->node->numel / per_line, each = rg__fft_work(b->plan);
    int threads = run->node->numel < WORTH_THREADS || count < run->threads ? 1 : run->threads;
    int64_t lanes = count / threads < LANES ? count / threads : LANES;
    while (lanes > 1 && lanes * each > CACHED)
        lanes--;
    const size_t bytes = (size_t)(each * lanes) * sizeof(double);
    double *const work = rg__pool_get(run->pool, bytes * (size_t)threads);
    if (!work)
        return rg__run_fail(run, RG_ERROR_MEMORY, "no memory for transforms of %lld elements", (long long)b->n);
    const int64_t share = (count + threads - 1) / threads;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int i = 0; i < threads; i++) {
        const int64_t end = (i + 1) * share < count ? (i + 1) * share : count;
        for (int64_t at = i * share; at < end; at += lanes)
            transform_lines(b, at, end - at < lanes ? end - at : lanes, work + each * lanes * i);
    }
    rg__pool_put(run->pool, work, bytes * (size_t)threads);
    return true;
}

static bool run_kind(const rg__run *run, rg__fft_kind kind)
{
    const struct transform *a = run->node->attr;
    if (run->node->numel == 0)
        return true;
    rg__fft *plan = rg__fft_new(kind, a->n);
    if (!plan)
        return rg__run_fail(run, RG_ERROR_MEMORY, "no memory for a transform of %lld elements", (long long)a->n);
    job b = {.plan = plan,
             .kind = kind,
             .single = run->out.dtype == RG_F32,
             .inverse = kind == RG__FFT_COMPLEX && a->inverse,
             .scale = a->scale,
             .in = lines_of(&run->in[0], a->axis, kind != RG__FFT_FROM_REAL),
             .out = lines_of(&run->out, a->axis, kind != RG__FFT_TO_REAL),
             .n = a->n,
             .half = a->n / 2 + 1};
    const bool ok = run_job(run, &b);
    rg__fft_free(plan);
    return ok;
}

static bool kernel_dft(const rg__run *run)
{
    return run_kind(run, RG__FFT_COMPLEX);
}

static bool kernel_dft_of_real(const rg__run *run)
{
    return run_kind(run, RG__FFT_FROM_REAL);
}

static bool kernel_dft_to_real(const rg__run *run)
{
    return run_kind(run, RG__FFT_TO_REAL);
}

/* ---- recording the primitives: x has the length already ---- */

static rg_tensor record(rg_tape *t, rg__fft_kind kind, rg_tensor x, struct transform a)
{
    const rg__op *op = kind == RG__FFT_COMPLEX     ? OP(dft)
                       : kind == RG__FFT_FROM_REAL ? OP(dft_of_real)
                                                   : OP(dft_to_real);
    const rg__node *n = rg__arg_of(t, op, x, RG__FLOATS);
    if (!n)
        return RG_NIL;
    int64_t dims[RG_MAX_RANK];
    memcpy(dims, n->dims, sizeof *dims * n->rank);
    int rank = n->rank;
    dims[a.axis] = kind == RG__FFT_FROM_REAL ? a.n / 2 + 1 : a.n;
    if (kind == RG__FFT_FROM_REAL && rank < RG_MAX_RANK)
        dims[rank++] = 2;
    else if (kind == RG__FFT_TO_REAL)
        rank--;
    return rg__record(t, op, &x, 1, (rg_dtype)n->dtype, rank, dims, &a);
}

static void vjp_dft(const rg__vjp *v)
{
    struct transform a = *(const struct transform *)v->attr;
    a.inverse = !a.inverse;
    v->grad[0] = record(v->t, RG__FFT_COMPLEX, v->g, a);
}

/* Of the half of a spectrum: the numbers that stand for their conjugates, too, times `value`. */
static rg_tensor weighted(rg_tape *t, rg_tensor x, const struct transform *a, double value)
{
    const rg_shape shape = rg_shape_of(t, x);
    const rg_tensor k = rg_arange(t, RG_I64, 0, (double)(a->n / 2 + 1), 1);
    const rg_tensor first = rg_eq(t, k, rg_constant(t, RG_I64, 0));
    const rg_tensor last = rg_eq(t, rg_mul_scalar(t, k, 2), rg_constant(t, RG_I64, (double)a->n));
    const rg_tensor weight = rg_where(t, rg_logical_or(t, first, last), rg__like(t, x, 1), rg__like(t, x, value));
    rg_shape column = {shape.rank - (int)a->axis, {a->n / 2 + 1}};
    for (int i = 1; i < column.rank; i++)
        column.dims[i] = 1;
    return rg_mul(t, x, rg_reshape(t, weight, column));
}

static void vjp_dft_of_real(const rg__vjp *v)
{
    const struct transform *a = v->attr;
    v->grad[0] = record(v->t, RG__FFT_TO_REAL, weighted(v->t, v->g, a, .5), *a);
}

static void vjp_dft_to_real(const rg__vjp *v)
{
    const struct transform *a = v->attr;
    v->grad[0] = weighted(v->t, record(v->t, RG__FFT_FROM_REAL, v->g, *a), a, 2);
}

/* ---- along one axis ---- */

const rg__node *rg__complex_arg(rg_tape *t, const rg__op *op, rg_tensor z)
{
    const rg__node *n = rg__arg_of(t, op, z, RG__FLOATS);
    if (n && (n->rank == 0 || n->dims[n->rank - 1] != 2)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s is not complex: the last axis must have the extent 2", RG__NODE_TEXT(n));
        return NULL;
    }
    return n;
}

/* x cut, or filled with zeros, to n along the axis. */
static rg_tensor resized(rg_tape *t, rg_tensor x, int axis, int64_t n)
{
    const int64_t extent = rg_dim(t, x, axis);
    int64_t none[RG_MAX_RANK] = {0}, more[RG_MAX_RANK] = {0};
    more[axis] = n - extent;
    return n <= extent ? rg_slice(t, x, axis, 0, n, 1) : rg_pad(t, x, none, more, 0);
}

/* n 0: the length that x has. */
static rg_tensor along(rg_tape *t, const rg__op *op, rg__fft_kind kind, bool inverse, rg_tensor x, int64_t n, int axis,
                       rg_fft_norm norm)
{
    const bool real = kind == RG__FFT_FROM_REAL;
    const rg__node *node = real ? rg__arg_of(t, op, x, RG__FLOATS) : rg__complex_arg(t, op, x);
    if (!node)
        return RG_NIL;
    const int rank = node->rank - !real, at = rg__axis(axis, rank);
    if (at < 0 || (real && rank == RG_MAX_RANK)) {
        rg__fail(t, op, RG_ERROR_SHAPE,
                 at < 0 ? "axis %d is out of range for %s (the axis of real and imaginary parts does not count)"
                        : "axis %d of %s: there is no room for an axis of real and imaginary parts",
                 axis, RG__NODE_TEXT(node));
        return RG_NIL;
    }
    const int64_t extent = node->dims[at], length = n ? n : kind == RG__FFT_TO_REAL ? 2 * (extent - 1) : extent;
    if (length < 1 || length > INT64_C(1) << 40 || (unsigned)norm > RG_FFT_FORWARD) {
        rg__fail(t, op, RG_ERROR_ARGUMENT,
                 "n is %lld and norm %d for axis %d of %s: a length of 1 to 2^40, and one of RG_FFT_..., are needed",
                 (long long)n, (int)norm, axis, RG__NODE_TEXT(node));
        return RG_NIL;
    }
    const rg_fft_norm whole = inverse ? RG_FFT_BACKWARD : RG_FFT_FORWARD; /* the norm that divides by n */
    const double scale = norm == RG_FFT_ORTHO ? 1 / sqrt((double)length) : norm == whole ? 1 / (double)length : 1;
    const rg_tensor in = resized(t, x, at, kind == RG__FFT_TO_REAL ? length / 2 + 1 : length);
    return record(t, kind, in, (struct transform){at, length, kind == RG__FFT_COMPLEX && inverse, scale});
}

rg_tensor rg_fft(rg_tape *t, rg_tensor x, int64_t n, int axis, rg_fft_norm norm)
{
    return along(t, OP(fft), RG__FFT_COMPLEX, false, x, n, axis, norm);
}

rg_tensor rg_ifft(rg_tape *t, rg_tensor x, int64_t n, int axis, rg_fft_norm norm)
{
    return along(t, OP(ifft), RG__FFT_COMPLEX, true, x, n, axis, norm);
}

rg_tensor rg_rfft(rg_tape *t, rg_tensor x, int64_t n, int axis, rg_fft_norm norm)
{
    return along(t, OP(rfft), RG__FFT_FROM_REAL, false, x, n, axis, norm);
}

rg_tensor rg_irfft(rg_tape *t, rg_tensor x, int64_t n, int axis, rg_fft_norm norm)
{
    return along(t, OP(irfft), RG__FFT_TO_REAL, true, x, n, axis, norm);
}

/* ---- along several axes ---- */

/* The axes, counted from 0, with their lengths, 0 for as they are; false and an error where they do not fit. */
static bool settle_axes(rg_tape *t, const rg__op *op, const rg__node *x, int rank, rg_shape *lengths, rg_axes *axes)
{
    const bool given = axes->count > 0;
    bool fits = lengths->rank >= 0 && lengths->rank <= rank && axes->count >= 0 && axes->count <= rank &&
                (!given || lengths->rank == 0 || lengths->rank == axes->count);
    uint32_t seen = 0;
    const int count = !fits || given ? axes->count : lengths->rank ? lengths->rank : rank;
    for (int i = 0; fits && i < count; i++) {
        const int at = given ? rg__axis(axes->axis[i], rank) : rank - count + i;
        fits = at >= 0 && !(seen >> at & 1);
        axes->axis[i] = at;
        seen |= fits ? 1U << at : 0;
        if (lengths->rank == 0 || lengths->dims[i] == -1)
            lengths->dims[i] = 0;
    }
    axes->count = count;
    if (!fits || count == 0)
        rg__fail(t, op, RG_ERROR_SHAPE, "%d lengths and %d axes for %s: different axes that there are, a length for each",
                 lengths->rank, axes->count, RG__NODE_TEXT(x));
    return fits && count > 0;
}

static rg_tensor along_all(rg_tape *t, const rg__op *op, bool real, bool inverse, rg_tensor x, rg_shape lengths,
                           rg_axes axes, rg_fft_norm norm)
{
    const bool complex = !real || inverse; /* is x? */
    const rg__node *n = complex ? rg__complex_arg(t, op, x) : rg__arg_of(t, op, x, RG__FLOATS);
    if (!n || !settle_axes(t, op, n, n->rank - complex, &lengths, &axes))
        return RG_NIL;
    const int last = axes.count - 1;
    if (real && !inverse)
        x = along(t, op, RG__FFT_FROM_REAL, false, x, lengths.dims[last], axes.axis[last], norm);
    for (int i = real ? last - 1 : last; i >= 0 && !rg_failed(t); i--)
        x = along(t, op, RG__FFT_COMPLEX, inverse, x, lengths.dims[i], axes.axis[i], norm);
    if (real && inverse && !rg_failed(t))
        x = along(t, op, RG__FFT_TO_REAL, true, x, lengths.dims[last], axes.axis[last], norm);
    return x;
}

#define MANY_AXES(name, real, inverse)                                                             \
    rg_tensor rg_##name(rg_tape *t, rg_tensor x, rg_shape lengths, rg_axes axes, rg_fft_norm norm) \
    {                                                                                              \
        return along_all(t, OP(name), real, inverse, x, lengths, axes, norm);                      \
    }
MANY_AXES(fftn, false, false)
MANY_AXES(ifftn, false, true)
MANY_AXES(rfftn, true, false)
MANY_AXES(irfftn, true, true)

rg_tensor rg_fft2(rg_tape *t, rg_tensor x, rg_fft_norm norm)
{
    return along_all(t, OP(fft2), false, false, x, RG_SCALAR, RG_AXES(-2, -1), norm);
}

rg_tensor rg_ifft2(rg_tape *t, rg_tensor x, rg_fft_norm norm)
{
    return along_all(t, OP(ifft2), false, true, x, RG_SCALAR, RG_AXES(-2, -1), norm);
}

/* ---- by name ---- */

/* A length that is given is not 0. */
static int64_t length_of(const rg__call *c)
{
    const int64_t n = rg__call_int(c, "n");
    return rg__call_given(c, "n") && n == 0 ? -1 : n;
}

#define CALL_ONE(name) \
    RG__CALL(name, rg_##name(t, in[0], length_of(c), RG__AXIS_OF(axis), (rg_fft_norm)RG__WORD_OF(norm)))
#define CALL_MANY(name) \
    RG__CALL(name, rg_##name(t, in[0], RG__SHAPE_OF(lengths), RG__AXES_OF(axes), (rg_fft_norm)RG__WORD_OF(norm)))
CALL_ONE(fft)
CALL_ONE(ifft)
CALL_ONE(rfft)
CALL_ONE(irfft)
CALL_MANY(fftn)
CALL_MANY(ifftn)
CALL_MANY(rfftn)
CALL_MANY(irfftn)
RG__CALL(fft2, rg_fft2(t, in[0], (rg_fft_norm)RG__WORD_OF(norm)))
RG__CALL(ifft2, rg_ifft2(t, in[0], (rg_fft_norm)RG__WORD_OF(norm)))

/* ---- samples ---- */

#define DRAW(...) RG__DRAW(draw, RG_SHAPE(__VA_ARGS__), RG__REAL)

typedef rg_tensor (*one_axis)(rg_tape *t, rg_tensor x, int64_t n, int axis, rg_fft_norm norm);

static rg_tensor sample_of_one(rg__draw *draw, int index, one_axis f, bool real)
{
    rg_tape *t = draw->t;
    static const int64_t lengths[] = {1, 2, 3, 4, 5, 7, 12, 37}; /* the last one by Bluestein's transform */
    enum { COUNT = sizeof lengths / sizeof *lengths };
    const rg_fft_norm norm = (rg_fft_norm)(index % 3);
    if (index < COUNT) {
        const int64_t n = lengths[index], extent = f == rg_irfft ? n / 2 + 1 : n;
        return f(t, real ? DRAW(extent) : DRAW(extent, 2), n, 0, norm);
    }
    switch (index - COUNT) {
    case 0: return f(t, real ? DRAW(2, 3, 2) : DRAW(2, 3, 2, 2), 4, 1, norm);
    case 1: return f(t, real ? DRAW(2, 6) : DRAW(2, 6, 2), 4, -1, norm);
    case 2: return f(t, rg_transpose(t, real ? DRAW(4, 3) : DRAW(2, 3, 2), 0, -1), 0, real ? -1 : 0, norm);
    case 3: return f(t, rg_flip(t, real ? DRAW(4) : DRAW(4, 2), RG_ALL), 0, -1, norm);
    case 4: return f(t, real ? DRAW(0, 3) : DRAW(0, 3, 2), 0, -1, norm);
    default: return RG_NIL;
    }
}

typedef rg_tensor (*many_axes)(rg_tape *t, rg_tensor x, rg_shape lengths, rg_axes axes, rg_fft_norm norm);

static rg_tensor sample_of_many(rg__draw *draw, int index, many_axes f, bool real)
{
    rg_tape *t = draw->t;
    switch (index) {
    case 0: return f(t, real ? DRAW(2, 3, 2) : DRAW(2, 3, 2, 2), RG_SCALAR, RG_ALL, RG_FFT_BACKWARD);
    case 1: return f(t, real ? DRAW(3, 2, 4) : DRAW(3, 2, 4, 2), RG_SHAPE(4, -1), RG_AXES(-1, 0), RG_FFT_ORTHO);
    case 2: return f(t, real ? DRAW(2, 3) : DRAW(2, 3, 2), RG_SHAPE(5), RG_ALL, RG_FFT_FORWARD);
    default: return RG_NIL;
    }
}

#define SAMPLE(name, function, ...)                           \
    static rg_tensor sample_##name(rg__draw *draw, int index) \
    {                                                         \
        return function(draw, index, __VA_ARGS__);            \
    }
SAMPLE(dft, sample_of_one, rg_fft, false)
SAMPLE(dft_of_real, sample_of_one, rg_rfft, true)
SAMPLE(dft_to_real, sample_of_one, rg_irfft, false)
SAMPLE(fft, sample_of_one, rg_fft, false)
SAMPLE(ifft, sample_of_one, rg_ifft, false)
SAMPLE(rfft, sample_of_one, rg_rfft, true)
SAMPLE(irfft, sample_of_one, rg_irfft, false)
SAMPLE(fftn, sample_of_many, rg_fftn, false)
SAMPLE(ifftn, sample_of_many, rg_ifftn, false)
SAMPLE(rfftn, sample_of_many, rg_rfftn, true)
SAMPLE(irfftn, sample_of_many, rg_irfftn, false)

#define SAMPLE_FEW(name, n, ...)                              \
    static rg_tensor sample_##name(rg__draw *draw, int index) \
    {                                                         \
        rg_tape *t = draw->t;                                 \
        (void)t;                                              \
        return index < (n) ? (__VA_ARGS__) : RG_NIL;          \
    }
SAMPLE_FEW(fft2, 1, rg_fft2(t, DRAW(2, 2, 3, 2), RG_FFT_BACKWARD))
SAMPLE_FEW(ifft2, 1, rg_ifft2(t, DRAW(2, 3, 2), RG_FFT_ORTHO))

RG__FAMILY(fft, ROWS(RG__ROW))
