/* Resampling: each element of the result is a weighted sum of elements along each axis in turn. The gradient is the same
 * with the sums transposed, so that one primitive is closed under differentiation, and averages over windows and all kinds
 * of interpolation are cases of it. */
#include "ops/resample.h"

#include "ops/family.h"
#include "ops/loops.h"

#include <math.h>
#include <string.h>

#define ROWS(ROW) \
    ROW(resample, 1, RG__DIFF, RG__KERNEL, "weighted sums along the last axes", .fallible = true, RG__ATTR(resample))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_resample[OP_##name])

struct resample {
    rg__resample_axis axis[RG__SPATIAL];
    int64_t spatial, transposed; /* transposed: from `out` elements to `in` */
};
static const rg__field fields_resample[] = {{"height", RG__INT, offsetof(struct resample, axis[1].window.out)},
                                            {"width", RG__INT, offsetof(struct resample, axis[2].window.out)},
                                            {"kind", RG__INT, offsetof(struct resample, axis[2].how)},
                                            RG__FIELD(struct resample, spatial, RG__INT),
                                            RG__FIELD(struct resample, transposed, RG__INT),
                                            {0}};

/* ---- what is summed, along one axis ---- */

typedef struct taps {
    int64_t in, out, total;
    int64_t uniform; /* k: each sum is of k elements, the j-th ones of all sums together. 0: sum after sum */
    int32_t *first;  /* where each sum begins, and the end */
    int32_t *place;
    double *exact;   /* weights              */
    void *weight;    /* the same in T        */
    double *divisor; /* of each sum; or NULL */
} taps;

enum { MOST_UNIFORM = 4 };

/* Keys' kernel at distances 1 + f, f, 1 - f and 2 - f. */
static void cubic_weights(double f, double *w)
{
    const double a = -.75;
    for (int i = 0; i < 2; i++) {
        const double near = i ? 1 - f : f, far = near + 1;
        w[i ? 2 : 1] = ((a + 2) * near - (a + 3)) * near * near + 1;
        w[i ? 3 : 0] = ((a * far - 5 * a) * far + 8 * a) * far - 4 * a;
    }
}

static int64_t clip(int64_t i, int64_t n)
{
    return i < 0 ? 0 : i < n ? i : n - 1;
}

/* As in PyTorch positions are rounded to f32 before they are cut off. */
static int64_t nearest(const rg__resample_axis *a, int64_t i)
{
    const int64_t in = a->window.in, out = a->window.out;
    const bool centre = a->how == RG__RESAMPLE_NEAREST_CENTRE;
    if (!centre && (in == out || out == 2 * in))
        return in == out ? i : i / 2;
    return clip((int64_t)floorf((float)(((double)i + (centre ? .5 : 0)) * a->scale)), in);
}

/* The places and weights of element i of the result; at most `limit_of` of them. */
static int64_t interpolate_at(const rg__resample_axis *a, int64_t i, int32_t *place, double *weight)
{
    const int64_t in = a->window.in;
    const bool corners = a->how == RG__RESAMPLE_LINEAR_CORNERS || a->how == RG__RESAMPLE_CUBIC_CORNERS;
    const bool cubic = a->how >= RG__RESAMPLE_CUBIC;
    if (a->how == RG__RESAMPLE_NEAREST || a->how == RG__RESAMPLE_NEAREST_CENTRE) {
        place[0] = (int32_t)nearest(a, i);
        weight[0] = 1;
        return 1;
    }
    double at = corners ? (double)i * a->scale : ((double)i + .5) * a->scale - .5;
    at = at < 0 && !cubic ? 0 : at;
    const double floor_at = fmin(floor(at), (double)(in - 1)), f = fmin(fmax(at - floor_at, 0), 1);
    const int64_t base = (int64_t)floor_at;
    if (!cubic) {
        place[0] = (int32_t)base;
        place[1] = (int32_t)clip(base + 1, in);
        weight[0] = 1 - f;
        weight[1] = f;
        return 2;
    }
    for (int k = 0; k < 4; k++)
        place[k] = (int32_t)clip(base - 1 + k, in);
    cubic_weights(f, weight);
    return 4;
}

static bool of_windows(int64_t how)
{
    return how >= RG__RESAMPLE_SUM && how <= RG__RESAMPLE_MEAN_PADDED;
}

/* Elements that go into one of the result, at most. */
static int64_t limit_of(const rg__resample_axis *a)
{
    const rg__window *w = &a->window;
    if (of_windows(a->how)) {
        const int64_t most = w->kernel ? w->kernel : w->out ? w->in / w->out + 2 : 1;
        return most < w->in ? most : w->in;
    }
    return a->how >= RG__RESAMPLE_CUBIC ? 4 : a->how >= RG__RESAMPLE_LINEAR ? 2 : 1;
}

/* Sum after sum. */
static void list_sums(const rg__resample_axis *a, taps *to)
{
    const rg__window *w = &a->window;
    int32_t n = 0;
    for (int64_t i = 0; i < w->out; i++) {
        to->first[i] = n;
        if (!of_windows(a->how)) {
            n += (int32_t)interpolate_at(a, i, to->place + n, to->exact + n);
            continue;
        }
        int64_t count, step, start = rg__window_at(w, i, &count, &step);
        for (int64_t k = 0; k < count; k++, n++) {
            to->place[n] = (int32_t)(start + k * step);
            to->exact[n] = 1;
        }
        if (to->divisor) {
            const int64_t from = i * w->stride - w->padding, rest = w->in + w->padding - from;
            const bool padded = a->how == RG__RESAMPLE_MEAN_PADDED;
            to->divisor[i] = (double)(!padded ? (count ? count : 1) : rest < w->kernel ? rest : w->kernel);
        }
    }
    to->first[w->out] = n;
    to->total = n;
}

/* Which elements of the result an element of x goes into. */
static void transpose(const taps *from, taps *to)
{
    to->total = from->total;
    memset(to->first, 0, (size_t)(to->out + 1) * sizeof *to->first);
    for (int64_t k = 0; k < from->total; k++)
        to->first[from->place[k] + 1]++;
    for (int64_t i = 0; i < to->out; i++)
        to->first[i + 1] += to->first[i];
    for (int64_t i = 0; i < from->out; i++)
        for (int64_t k = from->first[i]; k < from->first[i + 1]; k++) {
            const int32_t at = to->first[from->place[k]]++;
            to->place[at] = (int32_t)i;
            to->exact[at] = from->exact[k];
        }
    memmove(to->first + 1, to->first, (size_t)to->out * sizeof *to->first);
    to->first[0] = 0;
}

/* Weights in T, and where all sums are of equally many elements, few, those one by one. `old` has room for the places. */
static void settle(taps *a, size_t size, int32_t *old)
{
    int64_t count = a->out ? a->first[1] : 0;
    for (int64_t i = 1; i < a->out; i++)
        count = a->first[i + 1] - a->first[i] == count ? count : 0;
    a->uniform = count <= MOST_UNIFORM ? count : 0;
    memcpy(old, a->place, (size_t)a->total * sizeof *old);
    for (int64_t k = 0; k < a->total; k++) {
        const int64_t to = a->uniform ? k % count * a->out + k / count : k;
        a->place[to] = old[k];
        if (size == sizeof(float))
            ((float *)a->weight)[to] = (float)a->exact[k];
        else
            ((double *)a->weight)[to] = a->exact[k];
    }
}

/* ---- the kernel ---- */

typedef struct resampling {
    rg__planes x;
    char *out;
    taps axis[RG__SPATIAL];
    int order[RG__SPATIAL], steps;
    bool divides_first, divides_last;
    int64_t numel; /* of a plane of the result      */
    size_t bytes;  /* of the largest one on the way */
} resampling;

#define T     float
#define OF(x) x##_f32
#include "ops/resample_of.h"
#define T     double
#define OF(x) x##_f64
#include "ops/resample_of.h"

/* Bytes for the sums of an axis, both as they are and transposed; with `memory`, hands them out. */
static size_t share_out(const rg__resample_axis *a, char *memory, taps *forward, taps *back)
{
    const int64_t longer = a->window.in > a->window.out ? a->window.in : a->window.out;
    const int64_t total = limit_of(a) * a->window.out;
    const size_t places = rg__plane_bytes(total, sizeof(int32_t)), weights = rg__plane_bytes(total, sizeof(double));
    const size_t firsts = rg__plane_bytes(longer + 1, sizeof(int32_t)),
                 divisors = rg__plane_bytes(longer, sizeof(double));
    taps *both[] = {forward, back};
    char *p = memory;
    for (int i = 0; i < 2 && memory; i++) {
        taps *to = both[i];
        to->place = (int32_t *)(void *)p;
        to->exact = (double *)(void *)(p + places);
        to->weight = p + places + weights;
        to->first = (int32_t *)(void *)(p + places + 2 * weights);
        p += places + 2 * weights + firsts;
    }
    if (memory)
        forward->divisor = a->how == RG__RESAMPLE_MEAN || a->how == RG__RESAMPLE_MEAN_PADDED ? (double *)(void *)p : NULL;
    return 2 * (places + 2 * weights + firsts) + divisors;
}

/* The sums of each axis, and in which order the axes are best taken: those that shrink first, the last axis only where it
 * must, for its elements are not side by side. */
static void prepare(resampling *p, const struct resample *a, char *memory, size_t size)
{
    int64_t dims[RG__SPATIAL];
    for (int i = 0; i < RG__SPATIAL; i++) {
        const rg__resample_axis *x = &a->axis[i];
        taps forward = {.in = x->window.in, .out = x->window.out};
        taps back = {.in = x->window.out, .out = x->window.in};
        p->axis[i] = a->transposed ? back : forward;
        dims[i] = p->axis[i].in;
        if (x->how == RG__RESAMPLE_SAME)
            continue;
        const size_t used = share_out(x, memory, &forward, &back);
        list_sums(x, &forward);
        if (a->transposed)
            transpose(&forward, &back);
        back.divisor = forward.divisor;
        p->axis[i] = a->transposed ? back : forward;
        settle(&p->axis[i], size, a->transposed ? forward.place : back.place);
        memory += used;
        if (p->axis[i].divisor)
            *(a->transposed ? &p->divides_first : &p->divides_last) = true;
        const bool ahead = i == 2 && p->axis[2].out >= p->axis[2].in;
        memmove(p->order + (ahead ? 1 : 0), p->order, ahead ? (size_t)p->steps * sizeof *p->order : 0);
        p->order[ahead ? 0 : p->steps] = i;
        p->steps++;
    }
    int64_t largest = dims[0] * dims[1] * dims[2];
    for (int i = 0; i < p->steps; i++) {
        dims[p->order[i]] = p->axis[p->order[i]].out;
        const int64_t n = dims[0] * dims[1] * dims[2];
        largest = n > largest ? n : largest;
    }
    p->bytes = rg__plane_bytes(largest, size);
}

static bool kernel_resample(const rg__run *run)
{
    const struct resample *a = run->node->attr;
    const rg__array_view *x = &run->in[0];
    const size_t size = rg_dtype_size(x->dtype);
    resampling p = {.x = rg__planes_of(x, (int)a->spatial), .out = run->out.data};
    size_t bytes = 0;
    taps none = {0};
    if (run->node->numel == 0)
        return true;
    if (p.x.numel == 0) { /* the gradient of what has no elements */
        memset(p.out, 0, (size_t)run->node->numel * size);
        return true;
    }
    for (int i = 0; i < RG__SPATIAL; i++)
        bytes += a->axis[i].how == RG__RESAMPLE_SAME ? 0 : share_out(&a->axis[i], NULL, &none, &none);
    char *memory = rg__pool_get(run->pool, bytes);
    if (!memory)
        return rg__run_fail(run, RG_ERROR_MEMORY, "out of memory");
    prepare(&p, a, memory, size);
    p.numel = p.axis[0].out * p.axis[1].out * p.axis[2].out;
    const size_t scratch = 2 * p.bytes + (p.x.dense ? 0 : rg__plane_bytes(p.x.numel, size));
    const bool done =
        rg__planes_run(run, p.x.count, p.x.numel + p.numel, scratch, x->dtype == RG_F32 ? work_f32 : work_f64, &p);
    rg__pool_put(run->pool, memory, bytes);
    return done;
}

/* ---- recording ---- */

static rg_tensor record(rg_tape *t, rg_tensor x, const struct resample *a)
{
    const rg__op *op = OP(resample);
    const rg__node *n = rg__arg_of(t, op, x, RG__FLOATS);
    if (!n)
        return RG_NIL;
    int64_t dims[RG_MAX_RANK];
    memcpy(dims, n->dims, sizeof *dims * n->rank);
    bool changes = false;
    for (int i = 0; i < RG__SPATIAL; i++) {
        const rg__resample_axis *axis = &a->axis[i];
        const int64_t in = axis->window.in, out = axis->window.out;
        int64_t total;
        changes = changes || axis->how != RG__RESAMPLE_SAME;
        if (i >= RG__SPATIAL - a->spatial)
            dims[n->rank - RG__SPATIAL + i] = a->transposed ? in : out;
        if (in > INT32_MAX || out > INT32_MAX || __builtin_mul_overflow(limit_of(axis), out, &total) ||
            total > INT32_MAX) {
            rg__fail(t, op, RG_ERROR_SHAPE, "an axis from %lld to %lld elements: sums of %d elements in all are allowed",
                     (long long)in, (long long)out, INT32_MAX);
            return RG_NIL;
        }
    }
    return changes ? rg__record(t, op, &x, 1, (rg_dtype)n->dtype, n->rank, dims, a) : x;
}

rg_tensor rg__resample(rg_tape *t, rg_tensor x, int spatial, const rg__resample_axis *axis)
{
    struct resample attr = {{{0}}, spatial, false};
    memcpy(attr.axis, axis, sizeof attr.axis);
    return record(t, x, &attr);
}

static void vjp_resample(const rg__vjp *v)
{
    struct resample attr = *(const struct resample *)v->attr;
    attr.transposed = !attr.transposed;
    v->grad[0] = record(v->t, v->g, &attr);
}

/* ---- samples ---- */

#define AXIS(how, in, out, kernel, stride, padding, scale)               \
    {                                                                    \
        RG__RESAMPLE_##how, {in, out, kernel, stride, padding, 1}, scale \
    }
#define AS_IT_IS(n) AXIS(SAME, n, n, 1, 1, 0, 0)

static rg_tensor sample_resample(rg__draw *draw, int index)
{
    static const rg__resample_axis samples[][RG__SPATIAL] = {
        {AS_IT_IS(1), AXIS(MEAN_PADDED, 5, 3, 3, 2, 1, 0), AXIS(MEAN_PADDED, 4, 3, 2, 2, 1, 0)},
        {AS_IT_IS(1), AXIS(MEAN, 5, 3, 3, 2, 1, 0), AXIS(SUM, 4, 2, 2, 2, 0, 0)},
        {AXIS(MEAN, 5, 3, 0, 0, 0, 0), AXIS(MEAN, 2, 3, 0, 0, 0, 0), AXIS(MEAN, 7, 2, 0, 0, 0, 0)},
        {AXIS(LINEAR, 2, 3, 0, 0, 0, 2. / 3), AXIS(NEAREST, 4, 3, 0, 0, 0, 4. / 3), AXIS(CUBIC, 3, 5, 0, 0, 0, .6)},
        {AS_IT_IS(1), AXIS(LINEAR_CORNERS, 5, 3, 0, 0, 0, 2), AXIS(CUBIC_CORNERS, 4, 7, 0, 0, 0, .5)},
        {AS_IT_IS(1), AS_IT_IS(3), AXIS(NEAREST_CENTRE, 3, 5, 0, 0, 0, .6)},
    };
    if (index >= (int)(sizeof samples / sizeof *samples))
        return RG_NIL;
    const rg__resample_axis *a = samples[index];
    rg_tape *t = draw->t;
    rg_tensor x = RG__DRAW(draw, RG_SHAPE(2, a[0].window.in, a[2].window.in, a[1].window.in), RG__REAL);
    x = index < 2 ? rg_flip(t, rg_transpose(t, x, 2, 3), RG_AXES(0, 2))
                  : rg_reshape(t, x, RG_SHAPE(2, a[0].window.in, a[1].window.in, a[2].window.in));
    return rg__resample(t, x, 3, a);
}

RG__FAMILY(resample, ROWS(RG__ROW))
