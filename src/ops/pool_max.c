/* What max pooling rests on: the largest element of each window, where it lies, and reading and writing at such places. The
 * last two are each other's gradient. */
#include "ops/pool_max.h"

#include "ops/family.h"
#include "ops/loops.h"

#include <math.h>
#include <string.h>

#define ROWS(ROW)                                                                                                \
    ROW(max_windows, 1, RG__DIFF, RG__KERNEL, "largest x of each window", .fallible = true, RG__ATTR(windows))   \
    ROW(max_windows_index, 1, RG__NODIFF, RG__KERNEL, "place of the largest x of each window", .fallible = true, \
        RG__ATTR(windows))                                                                                       \
    ROW(pick_in_plane, 2, RG__DIFF, RG__KERNEL, "x at index of each plane", .fallible = true, RG__ATTR(pick))    \
    ROW(place_in_plane, 2, RG__DIFF, RG__KERNEL, "zeros with x at index of each plane", .fallible = true,        \
        RG__ATTR(place))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_pool_max[OP_##name])

struct windows {
    rg__window w[RG__SPATIAL];
    int64_t spatial;
};
static const rg__field fields_windows[] = {RG__FIELD(struct windows, spatial, RG__INT),
                                           {"height", RG__INT, offsetof(struct windows, w[1].kernel)},
                                           {"width", RG__INT, offsetof(struct windows, w[2].kernel)},
                                           {"stride", RG__INT, offsetof(struct windows, w[2].stride)},
                                           {0}};

/* ---- the largest of each window ---- */

typedef struct pooling {
    const rg__window *w;
    rg__planes x;
    void *out;
    bool index, joined, few;
    int64_t padded, copied;                                     /* elements of the padded row; of them, of x */
    size_t at_first, at_second, at_third, at_row, at_copy, end; /* where in the scratch                      */
} pooling;

#if defined __clang__
#define LANES _Pragma("clang loop vectorize(assume_safety)")
#else
#define LANES _Pragma("GCC ivdep")
#endif

#define T           float
#define I           int32_t
#define LOW         (-INFINITY)
#define MISSING(x)  ((x) != (x))
#define FEW         true
#define POOL_CLONES RG__CLONES
#define OF(x_)      x_##_f32
#include "ops/pool_max_of.h"
#define T           double
#define I           int64_t
#define LOW         (-(double)INFINITY)
#define MISSING(x)  ((x) != (x))
#define FEW         true
#define POOL_CLONES RG__CLONES
#define OF(x_)      x_##_f64
#include "ops/pool_max_of.h"
#define T          int32_t
#define I          int32_t
#define LOW        INT32_MIN
#define MISSING(x) false
#define FEW        false
#define POOL_CLONES
#define OF(x_) x_##_i32
#include "ops/pool_max_of.h"
#define T          int64_t
#define I          int64_t
#define LOW        INT64_MIN
#define MISSING(x) false
#define FEW        false
#define POOL_CLONES
#define OF(x_) x_##_i64
#include "ops/pool_max_of.h"

/* What one row needs, and where everything lies in a thread's memory. */
static void lay_out(pooling *p, size_t size)
{
    const rg__window *d = &p->w[0], *h = &p->w[1], *w = &p->w[2];
    const int64_t needed = w->kernel ? (w->out - 1) * w->stride + (w->kernel - 1) * w->dilation + 1 : w->in;
    p->few = needed > 2 * w->in + 64; /* most of the windows is padding: not worth a copy */
    if (!p->few && (w->padding > 0 || needed > w->in)) {
        p->copied = w->in < needed - w->padding ? w->in : needed - w->padding;
        p->padded = needed;
    }
    p->joined = !p->padded && !p->few && w->kernel > 0 && w->dilation == 1 && w->kernel == w->stride &&
                w->kernel * w->out == w->in;
    const int64_t after[] = {d->in * h->in * w->out, d->in * h->out * w->out, d->out * h->out * w->out};
    size_t larger = 0; /* of what there is after each axis */
    for (int i = 0; i < RG__SPATIAL; i++)
        larger = rg__plane_bytes(after[i], size) > larger ? rg__plane_bytes(after[i], size) : larger;
    p->at_first = larger;
    p->at_second = 2 * larger;
    p->at_third = 3 * larger;
    p->at_row = 4 * larger;
    p->at_copy = p->at_row + rg__plane_bytes(p->padded, size);
    p->end = p->at_copy + (p->x.dense ? 0 : rg__plane_bytes(p->x.numel, size));
}

static bool pool(const rg__run *run, bool index)
{
    static const rg__plane_work work[RG_DTYPES] = {
        [RG_F32] = work_f32, [RG_F64] = work_f64, [RG_I32] = work_i32, [RG_I64] = work_i64};
    const struct windows *a = run->node->attr;
    const rg__array_view *x = &run->in[0];
    if (run->node->numel == 0)
        return true;
    pooling p = {.w = a->w, .x = rg__planes_of(x, (int)a->spatial), .out = run->out.data, .index = index};
    lay_out(&p, rg_dtype_size(x->dtype));
    return rg__planes_run(run, p.x.count, p.x.numel, p.end, work[x->dtype], &p);
}

static bool kernel_max_windows(const rg__run *run)
{
    return pool(run, false);
}

static bool kernel_max_windows_index(const rg__run *run)
{
    return pool(run, true);
}

static rg_tensor record_windows(rg_tape *t, const rg__op *op, rg_tensor x, int spatial, const rg__window *w, bool index)
{
    const rg__node *n = rg__arg_of(t, op, x, RG__NUMBER);
    if (!n)
        return RG_NIL;
    struct windows attr = {{{0}}, spatial};
    int64_t dims[RG_MAX_RANK], plane = 1;
    memcpy(dims, n->dims, sizeof *dims * n->rank);
    for (int i = 0; i < RG__SPATIAL; i++) {
        attr.w[i] = w[i];
        plane *= w[i].in;
        if (i >= RG__SPATIAL - spatial)
            dims[n->rank - RG__SPATIAL + i] = w[i].out;
    }
    if (plane > INT32_MAX && rg_dtype_size((rg_dtype)n->dtype) < sizeof(int64_t)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "planes of %lld elements; at most %d are allowed in %s", (long long)plane,
                 INT32_MAX, rg_dtype_name((rg_dtype)n->dtype));
        return RG_NIL;
    }
    return rg__record(t, op, &x, 1, index ? RG_I64 : (rg_dtype)n->dtype, n->rank, dims, &attr);
}

rg_tensor rg__max_windows(rg_tape *t, rg_tensor x, int spatial, const rg__window *w)
{
    return record_windows(t, OP(max_windows), x, spatial, w, false);
}

rg_tensor rg__max_windows_index(rg_tape *t, rg_tensor x, int spatial, const rg__window *w)
{
    return record_windows(t, OP(max_windows_index), x, spatial, w, true);
}

/* The extents of x's planes. */
static rg_tensor place_like(const rg__vjp *v, rg_tensor index, int spatial)
{
    const rg_shape s = rg_shape_of(v->t, v->in[0]);
    return rg__place_in_plane(v->t, v->g, index, spatial, s.dims + s.rank - spatial, false);
}

static void vjp_max_windows(const rg__vjp *v)
{
    const struct windows *a = v->attr;
    const int spatial = (int)a->spatial;
    v->grad[0] = place_like(v, rg__max_windows_index(v->t, v->in[0], spatial, a->w), spatial);
}

/* ---- at places of a plane ---- */

struct pick {
    int64_t spatial;
};
static const rg__field fields_pick[] = {RG__FIELD(struct pick, spatial, RG__INT), {0}};

struct place {
    int64_t spatial, set;
};
static const rg__field fields_place[] = {
    RG__FIELD(struct place, spatial, RG__INT), RG__FIELD(struct place, set, RG__INT), {0}};

typedef struct moving {
    rg__planes x, index;
    char *out;
    int64_t extent, n; /* elements of the plane that the index goes into, and of the index */
    int64_t bad, at;   /* the first plane with an index out of range, and that index       */
    size_t size, x_bytes;
    rg_dtype dtype;
    bool set;
} moving;

/* The same one is reported for any number of threads: of the first plane. */
static void out_of_plane(moving *m, int64_t plane, int64_t at)
{
#ifdef _OPENMP
#pragma omp critical(rg__bad_place)
#endif
    if (plane < m->bad) {
        m->bad = plane;
        m->at = at;
    }
}

#define EACH_PLACE(...)                            \
    for (int64_t i = 0; i < m->n; i++) {           \
        const int64_t at = index[i];               \
        if ((uint64_t)at >= (uint64_t)m->extent) { \
            out_of_plane(m, plane, at);            \
            return;                                \
        }                                          \
        __VA_ARGS__;                               \
    }                                              \
    break
#define PICK(bits)  EACH_PLACE(((bits *)(void *)out)[i] = ((const bits *)x)[at])
#define PLACE(bits) EACH_PLACE(((bits *)(void *)out)[at] = ((const bits *)x)[i])
#define ADD(T)      EACH_PLACE(((T *)(void *)out)[at] += ((const T *)x)[i])

static void pick_plane(void *job, int64_t plane, void *scratch)
{
    moving *m = job;
    const void *x = rg__plane(&m->x, plane, scratch);
    const int64_t *index = rg__plane(&m->index, plane, (char *)scratch + m->x_bytes);
    char *out = m->out + plane * m->n * (int64_t)m->size;
    switch (m->size) {
    case sizeof(uint32_t): PICK(uint32_t);
    case sizeof(uint64_t): PICK(uint64_t);
    }
}

static void place_plane(void *job, int64_t plane, void *scratch)
{
    moving *m = job;
    const void *x = rg__plane(&m->x, plane, scratch);
    const int64_t *index = rg__plane(&m->index, plane, (char *)scratch + m->x_bytes);
    char *out = m->out + plane * m->extent * (int64_t)m->size;
    memset(out, 0, (size_t)m->extent * m->size);
    switch (m->set ? RG_BOOL : m->dtype) {
    case RG_F32: ADD(float);
    case RG_F64: ADD(double);
    case RG_I32: ADD(int32_t);
    case RG_I64: ADD(int64_t);
    case RG_BOOL:
        switch (m->size) {
        case sizeof(uint32_t): PLACE(uint32_t);
        case sizeof(uint64_t): PLACE(uint64_t);
        }
    }
}

static bool move(const rg__run *run, int spatial, moving *m, rg__plane_work work)
{
    m->x = rg__planes_of(&run->in[0], spatial);
    m->index = rg__planes_of(&run->in[1], spatial);
    m->out = run->out.data;
    m->n = m->index.numel;
    m->dtype = run->out.dtype;
    m->size = rg_dtype_size(m->dtype);
    m->bad = INT64_MAX;
    m->x_bytes = m->x.dense ? 0 : rg__plane_bytes(m->x.numel, m->size);
    const size_t index_bytes = m->index.dense ? 0 : rg__plane_bytes(m->n, sizeof(int64_t));
    if (run->node->numel == 0 && m->n * m->index.count == 0)
        return true;
    if (!rg__planes_run(run, m->index.count, m->n + m->extent / 4, m->x_bytes + index_bytes, work, m))
        return false;
    if (m->bad < INT64_MAX)
        return rg__run_fail(run, RG_ERROR_VALUE, "index %lld is out of range 0 to %lld", (long long)m->at,
                            (long long)m->extent - 1);
    return true;
}

static bool kernel_pick_in_plane(const rg__run *run)
{
    const struct pick *a = run->node->attr;
    moving m = {.extent = rg__planes_of(&run->in[0], (int)a->spatial).numel};
    return move(run, (int)a->spatial, &m, pick_plane);
}

static bool kernel_place_in_plane(const rg__run *run)
{
    const struct place *a = run->node->attr;
    moving m = {.extent = rg__planes_of(&run->out, (int)a->spatial).numel, .set = a->set};
    return move(run, (int)a->spatial, &m, place_plane);
}

rg_tensor rg__pick_in_plane(rg_tape *t, rg_tensor x, rg_tensor index, int spatial)
{
    const rg__op *op = OP(pick_in_plane);
    const rg__node *n = rg__arg_of(t, op, x, RG__NUMBER), *ni = n ? rg__arg_of(t, op, index, RG__INTEGER) : NULL;
    if (!ni)
        return RG_NIL;
    return rg__record(t, op, (rg_tensor[]){x, index}, 2, (rg_dtype)n->dtype, ni->rank, ni->dims, &(struct pick){spatial});
}

rg_tensor rg__place_in_plane(rg_tape *t, rg_tensor x, rg_tensor index, int spatial, const int64_t *dims, bool set)
{
    const rg__op *op = OP(place_in_plane);
    const rg__node *n = rg__arg_of(t, op, x, RG__NUMBER), *ni = n ? rg__arg_of(t, op, index, RG__INTEGER) : NULL;
    if (!ni)
        return RG_NIL;
    int64_t out[RG_MAX_RANK];
    memcpy(out, n->dims, sizeof *out * n->rank);
    memcpy(out + n->rank - spatial, dims, sizeof *out * (size_t)spatial);
    return rg__record(t, op, (rg_tensor[]){x, index}, 2, (rg_dtype)n->dtype, n->rank, out, &(struct place){spatial, set});
}

static void vjp_pick_in_plane(const rg__vjp *v)
{
    RG__GRAD(v, 0, place_like(v, v->in[1], (int)((const struct pick *)v->attr)->spatial));
}

static void vjp_place_in_plane(const rg__vjp *v)
{
    RG__GRAD(v, 0, rg__pick_in_plane(v->t, v->g, v->in[1], (int)((const struct place *)v->attr)->spatial));
}

/* ---- samples ---- */

static const rg__domain apart = {RG__DISTINCT, -1, 0};

static rg_tensor sample_windows(rg__draw *draw, int index, rg_tensor (*f)(rg_tape *, rg_tensor, int, const rg__window *))
{
    static const rg__window samples[][RG__SPATIAL] = {
        {{1, 1, 1, 1, 0, 1}, {4, 2, 2, 2, 0, 1}, {6, 3, 2, 2, 0, 1}}, /* the rows joined */
        {{1, 1, 1, 1, 0, 1}, {5, 3, 3, 2, 1, 1}, {4, 2, 3, 2, 1, 1}},
        {{1, 1, 1, 1, 0, 1}, {4, 3, 0, 0, 0, 0}, {5, 2, 0, 0, 0, 0}},
        {{3, 2, 2, 1, 0, 1}, {4, 2, 2, 2, 0, 1}, {5, 4, 2, 1, 0, 1}},
        {{1, 1, 1, 1, 0, 1}, {1, 1, 1, 1, 0, 1}, {7, 4, 2, 1, 0, 3}},
        {{4, 2, 3, 2, 1, 1}, {3, 3, 1, 1, 0, 1}, {2, 2, 1, 1, 0, 1}},
    };
    if (index >= (int)(sizeof samples / sizeof *samples))
        return RG_NIL;
    const rg__window *w = samples[index];
    rg_tensor x = RG__DRAW(draw, RG_SHAPE(2, w[0].in, w[2].in, w[1].in), apart);
    return f(draw->t,
             index < 2 ? rg_flip(draw->t, rg_transpose(draw->t, x, 2, 3), RG_AXES(0, 3))
                       : rg_reshape(draw->t, x, RG_SHAPE(2, w[0].in, w[1].in, w[2].in)),
             3, w);
}

static rg_tensor sample_max_windows(rg__draw *draw, int index)
{
    return sample_windows(draw, index, rg__max_windows);
}

static rg_tensor sample_max_windows_index(rg__draw *draw, int index)
{
    return sample_windows(draw, index, rg__max_windows_index);
}

static const int64_t places[] = {5, 0, 3, 3, 1, 2, 4, 0};

static rg_tensor sample_pick_in_plane(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    if (index > 2)
        return RG_NIL;
    if (index == 2)
        return rg__pick_in_plane(t, RG__DRAW(draw, RG_SHAPE(0, 2, 3), RG__REAL),
                                 rg_input_i64(t, RG_SHAPE(0, 2, 2), places), 2);
    rg_tensor x = RG__DRAW(draw, index ? RG_SHAPE(2, 3, 2) : RG_SHAPE(2, 2, 3), RG__REAL);
    return rg__pick_in_plane(t, index ? rg_transpose(t, x, 1, 2) : x, rg_input_i64(t, RG_SHAPE(2, 2, 2), places), 2);
}

static rg_tensor sample_place_in_plane(rg__draw *draw, int index)
{
    static const int64_t all[] = {5, 0, 3, 4, 1, 2, 4, 0}; /* none twice */
    rg_tape *t = draw->t;
    if (index > 3)
        return RG_NIL;
    if (index == 3)
        return rg__place_in_plane(t, RG__DRAW(draw, RG_SHAPE(2, 0, 2), RG__REAL),
                                  rg_input_i64(t, RG_SHAPE(2, 0, 2), all), 2, (int64_t[]){2, 3}, false);
    rg_tensor x = RG__DRAW(draw, RG_SHAPE(2, 2, 2), RG__REAL);
    return rg__place_in_plane(t, index == 1 ? rg_transpose(t, x, 0, 2) : x,
                              rg_input_i64(t, RG_SHAPE(2, 2, 2), index == 2 ? all : places), 2, (int64_t[]){2, 3},
                              index == 2);
}

RG__FAMILY(pool_max, ROWS(RG__ROW))
