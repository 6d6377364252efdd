/* Scans: every element becomes what those before it in its lane, and itself, come to. */
#include "ops/call.h"
#include "ops/family.h"
#include "ops/lanes.h"

#include "exec/kernels/clones.h"

#include <math.h>
#include <string.h>

#define ROWS(ROW)                                                                                                        \
    ROW(cumsum, 1, RG__DIFF, RG__KERNEL, "sum of x up to here along the axis", RG__ATTR(scan),                           \
        RG__CALLED(cumsum, "x: number, axis: int"))                                                                      \
    ROW(cumprod, 1, RG__DIFF, RG__KERNEL, "product of x up to here along the axis", RG__ATTR(scan),                      \
        RG__CALLED(cumprod, "x: number, axis: int"))                                                                     \
    ROW(recurrence, 2, RG__DIFF, RG__KERNEL, "h, where h = a h + b with the h before along the axis", RG__ATTR(scan))    \
    ROW(logcumsumexp, 1, RG__DIFF, RG__KERNEL, "ln of the sum of e^x up to here along the axis", RG__ATTR(scan),         \
        RG__CALLED(logcumsumexp, "x: float, axis: int"))                                                                 \
    ROW(cummax_index, 1, RG__NODIFF, RG__KERNEL, "position of the largest x up to here along the axis", RG__ATTR(scan))  \
    ROW(cummin_index, 1, RG__NODIFF, RG__KERNEL, "position of the smallest x up to here along the axis", RG__ATTR(scan)) \
    ROW(cummax, 1, RG__THROUGH, RG__COMPOSITE, "largest x up to here along the axis",                                    \
        RG__CALLED(cummax, "x: number, axis: int -> values, indices"))                                                   \
    ROW(cummin, 1, RG__THROUGH, RG__COMPOSITE, "smallest x up to here along the axis",                                   \
        RG__CALLED(cummin, "x: number, axis: int -> values, indices"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_scan[OP_##name])

struct scan {
    int64_t axis, reverse; /* reverse: from the last element on                */
    int64_t late;          /* recurrence: by the a of the h before, not its own */
};
static const rg__field fields_scan[] = {RG__FIELD(struct scan, axis, RG__INT),
                                        RG__FIELD(struct scan, reverse, RG__FLAG),
                                        RG__FIELD(struct scan, late, RG__FLAG),
                                        {0}};

/* ---- lanes side by side ---- */

enum {
    SIDE_BY_SIDE = 256, /* neighbours in memory: as many as have their state in the first cache */
    APART = 4,          /* others: as many as do not wait for one another's sums                */
    PART = 32768,       /* of a single long lane; its sums are those of parts, whoever computes them */
};

/* Some lanes of one length; steps in bytes, from the first element in the scan's direction. */
typedef struct strip {
    const char *in[2];
    char *out;
    int64_t lanes, length, late;
    int64_t in_lane[2], in_step[2], out_lane, out_step;
} strip;
typedef void (*scan_loop)(const strip *s);

#define IN(i, T, l, at) (*(const T *)(const void *)(s->in[i] + (l)*s->in_lane[i] + (at)*s->in_step[i]))
#define OUT(T, l, at)   (*(T *)(void *)(s->out + (l)*s->out_lane + (at)*s->out_step))

#define END_OF_PART(p, n) (((p) + 1) * PART < (n) ? ((p) + 1) * PART : (n))
#define SUMS(name, T, Sum, first, OP_)                                                                                       \
    RG__CLONES static void name##_side_by_side(const strip *s)                                                               \
    {                                                                                                                        \
        Sum r[SIDE_BY_SIDE];                                                                                                 \
        for (int64_t l = 0; l < s->lanes; l++)                                                                               \
            r[l] = first;                                                                                                    \
        for (int64_t i = 0; i < s->length; i++) {                                                                            \
            const T *in = (const T *)(const void *)(s->in[0] + i * s->in_step[0]);                                           \
            T *restrict out = (T *)(void *)(s->out + i * s->out_step);                                                       \
            for (int64_t l = 0; l < s->lanes; l++) {                                                                         \
                r[l] = r[l] OP_ in[l];                                                                                       \
                out[l] = (T)r[l];                                                                                            \
            }                                                                                                                \
        }                                                                                                                    \
    }                                                                                                                        \
    static void name(const strip *s)                                                                                         \
    {                                                                                                                        \
        int64_t l = 0;                                                                                                       \
        if (s->lanes > APART) {                                                                                              \
            name##_side_by_side(s);                                                                                          \
            return;                                                                                                          \
        }                                                                                                                    \
        for (; l + APART <= s->lanes; l += APART) {                                                                          \
            Sum r0 = first, r1 = first, r2 = first, r3 = first;                                                              \
            for (int64_t i = 0; i < s->length; i++) {                                                                        \
                OUT(T, l, i) = (T)(r0 = r0 OP_ IN(0, T, l, i));                                                              \
                OUT(T, l + 1, i) = (T)(r1 = r1 OP_ IN(0, T, l + 1, i));                                                      \
                OUT(T, l + 2, i) = (T)(r2 = r2 OP_ IN(0, T, l + 2, i));                                                      \
                OUT(T, l + 3, i) = (T)(r3 = r3 OP_ IN(0, T, l + 3, i));                                                      \
            }                                                                                                                \
        }                                                                                                                    \
        for (; l < s->lanes; l++) {                                                                                          \
            Sum r = first;                                                                                                   \
            for (int64_t i = 0; i < s->length; i++)                                                                          \
                OUT(T, l, i) = (T)(r = r OP_ IN(0, T, l, i));                                                                \
        }                                                                                                                    \
    }                                                                                                                        \
    /* Elements from..to of a single lane, what comes before them being `before`; returns what they come to. Four at a     \
     * time, which wait for one sum, not for four. */ \
    static Sum name##_part(const strip *s, int64_t from, int64_t to, Sum before, bool write)                                 \
    {                                                                                                                        \
        Sum r = first;                                                                                                       \
        int64_t i = from;                                                                                                    \
        for (; i + 4 <= to; i += 4) {                                                                                        \
            const Sum a = IN(0, T, 0, i), b = a OP_ IN(0, T, 0, i + 1), c = IN(0, T, 0, i + 2);                              \
            const Sum d = b OP_(c OP_ IN(0, T, 0, i + 3));                                                                   \
            if (write) {                                                                                                     \
                OUT(T, 0, i) = (T)(before OP_(r OP_ a));                                                                     \
                OUT(T, 0, i + 1) = (T)(before OP_(r OP_ b));                                                                 \
                OUT(T, 0, i + 2) = (T)(before OP_(r OP_(b OP_ c)));                                                          \
                OUT(T, 0, i + 3) = (T)(before OP_(r OP_ d));                                                                 \
            }                                                                                                                \
            r = r OP_ d;                                                                                                     \
        }                                                                                                                    \
        for (; i < to; i++) {                                                                                                \
            r = r OP_ IN(0, T, 0, i);                                                                                        \
            if (write)                                                                                                       \
                OUT(T, 0, i) = (T)(before OP_ r);                                                                            \
        }                                                                                                                    \
        return r;                                                                                                            \
    }                                                                                                                        \
    /* A lane in parts: first what each comes to, then each behind those before it. One thread does both at once. */         \
    static void name##_long(const strip *s, int threads, void *totals)                                                       \
    {                                                                                                                        \
        const int64_t n = s->length, parts = (n - 1) / PART + 1;                                                             \
        Sum *total = totals, before = first;                                                                                 \
        if (threads > 1)                                                                                                     \
            _Pragma("omp parallel for num_threads(threads) schedule(static)") for (int64_t p = 0; p < parts; p++)            \
                total[p] = name##_part(s, p * PART, END_OF_PART(p, n), first, false);                                        \
        for (int64_t p = 0; p < parts; p++) {                                                                                \
            const Sum own = threads > 1 ? total[p] : name##_part(s, p * PART, END_OF_PART(p, n), before, true);              \
            total[p] = before;                                                                                               \
            before = before OP_ own;                                                                                         \
        }                                                                                                                    \
        if (threads > 1)                                                                                                     \
            _Pragma("omp parallel for num_threads(threads) schedule(static)") for (int64_t p = 0; p < parts; p++)            \
                name##_part(s, p *PART, END_OF_PART(p, n), total[p], true);                                                  \
    }
#define NUMBER_SUMS(name, first, OP_)              \
    SUMS(name##_f32, float, double, first, OP_)    \
    SUMS(name##_f64, double, double, first, OP_)   \
    SUMS(name##_i32, int32_t, int32_t, first, OP_) \
    SUMS(name##_i64, int64_t, int64_t, first, OP_)
NUMBER_SUMS(cumsum, 0, +)
NUMBER_SUMS(cumprod, 1, *)

/* The others keep a state for each lane. Neighbours are taken in turn; of lanes that lie apart, `together` at a time, whose
 * states are in registers. */
#define SCAN(name, T, Out, State, first, together, ...)                                                         \
    static inline                                                                                               \
        __attribute__((always_inline)) void name##_lanes(const strip *s, int64_t from, int64_t n, State *state) \
    {                                                                                                           \
        for (int64_t k = 0; k < n; k++)                                                                         \
            state[k] = (State)first;                                                                            \
        for (int64_t i = 0; i < s->length; i++)                                                                 \
            for (int64_t k = 0; k < n; k++) {                                                                   \
                State *r = &state[k];                                                                           \
                const int64_t l = from + k;                                                                     \
                __VA_ARGS__;                                                                                    \
                OUT(Out, l, i) = (Out)RESULT(r);                                                                \
            }                                                                                                   \
    }                                                                                                           \
    static void name(const strip *s)                                                                            \
    {                                                                                                           \
        State many[SIDE_BY_SIDE], few[together], one[1];                                                        \
        int64_t from = 0;                                                                                       \
        if (s->lanes > APART) {                                                                                 \
            name##_lanes(s, 0, s->lanes, many);                                                                 \
            return;                                                                                             \
        }                                                                                                       \
        for (; from + (together) <= s->lanes; from += (together))                                               \
            name##_lanes(s, from, together, few);                                                               \
        for (; from < s->lanes; from++)                                                                         \
            name##_lanes(s, from, 1, one);                                                                      \
    }

typedef struct best {
    double f;
    int64_t n, index;
} best;
#define RESULT(r) (r)->index
/* The last of equal ones; NaN wins. */
#define BEST(name, T, field, BETTER)                                 \
    SCAN(name, T, int64_t, best, {0}, 1, const T v = IN(0, T, l, i); \
         if (i == 0 || v != v || (r->field == r->field && v BETTER r->field)) r->field = v, r->index = i)
#define BESTS(name, BETTER)              \
    BEST(name##_f32, float, f, BETTER)   \
    BEST(name##_f64, double, f, BETTER)  \
    BEST(name##_i32, int32_t, n, BETTER) \
    BEST(name##_i64, int64_t, n, BETTER)
BESTS(cummax_index, >=)
BESTS(cummin_index, <=)
#undef RESULT

/* ln(e^a + e^b) by the larger of the two, which must be finite to be taken off. */
static double log_add(double a, double b)
{
    const double low = fmin(a, b), high = fmax(a, b);
    return a != a || b != b ? NAN : isinf(high) && low == high ? high : high + log1p(exp(low - high));
}

#define RESULT(r) *(r)
SCAN(logcumsumexp_f64, double, double, double, -INFINITY, APART, *r = log_add(*r, IN(0, double, l, i)))
SCAN(recurrence_f32, float, float, double, 0, APART,
     *r = (i ? (double)IN(0, float, l, i - s->late) * *r : 0) + (double)IN(1, float, l, i))
SCAN(recurrence_f64, double, double, double, 0, APART,
     *r = (i ? IN(0, double, l, i - s->late) * *r : 0) + IN(1, double, l, i))
#undef RESULT

/* ---- kernels ---- */

/* The lanes along the innermost other axis lie at one distance: `cross` of them, `outer` times. */
typedef struct plan {
    rg__lanes in[2], out;
    int64_t outer, cross, width; /* width: lanes of a strip */
    int inputs;
    bool reverse, late;
} plan;

static plan plan_of(const rg__run *run)
{
    const struct scan *a = run->node->attr;
    plan p = {
        .out = rg__lanes_of(&run->out, (int)a->axis), .inputs = run->node->n_in, .reverse = a->reverse, .late = a->late};
    for (int i = 0; i < p.inputs; i++)
        p.in[i] = rg__lanes_of(&run->in[i], (int)a->axis);
    p.cross = p.out.rank ? p.out.dims[p.out.rank - 1] : 1;
    p.outer = p.cross ? p.out.count / p.cross : 0;
    const int64_t size = (int64_t)rg_dtype_size(run->in[0].dtype);
    const bool neighbours = p.out.rank && p.out.strides[p.out.rank - 1] == (int64_t)rg_dtype_size(run->out.dtype) &&
                            p.in[0].strides[p.in[0].rank - 1] == size;
    p.width = neighbours ? SIDE_BY_SIDE : APART;
    return p;
}

static strip strip_of(const rg__run *run, const plan *p, int64_t outer, int64_t first)
{
    const int64_t lane = outer * p->cross + first, left = p->cross - first, length = p->out.length;
    const int last = p->out.rank - 1;
    const int64_t sign = p->reverse ? -1 : 1, skip = p->reverse ? length - 1 : 0;
    strip s = {.lanes = left < p->width ? left : p->width, .length = length, .late = p->late};
    for (int i = 0; i < p->inputs; i++) {
        s.in[i] = (const char *)run->in[i].data + rg__lane_at(&p->in[i], lane) + skip * p->in[i].step;
        s.in_step[i] = sign * p->in[i].step;
        s.in_lane[i] = last >= 0 ? p->in[i].strides[last] : 0;
    }
    s.out = (char *)run->out.data + rg__lane_at(&p->out, lane) + skip * p->out.step;
    s.out_step = sign * p->out.step;
    s.out_lane = last >= 0 ? p->out.strides[last] : 0;
    return s;
}

static bool scan_with(const rg__run *run, scan_loop loop)
{
    if (run->node->numel == 0)
        return true;
    const plan p = plan_of(run);
    const int64_t strips = (p.cross - 1) / p.width + 1;
    const bool shared = run->threads > 1 && run->node->numel >= RG__LANES_PARALLEL;
#pragma omp parallel for num_threads(run->threads) schedule(static) if (shared)
    for (int64_t i = 0; i < p.outer * strips; i++) {
        const strip s = strip_of(run, &p, i / strips, i % strips * p.width);
        loop(&s);
    }
    return true;
}

typedef void (*long_loop)(const strip *s, int threads, void *totals);

/* Sums and products: a single lane is shared between the threads, too. */
static bool sum_with(const rg__run *run, scan_loop loop, long_loop whole)
{
    const int64_t numel = run->node->numel;
    if (numel <= PART)
        return scan_with(run, loop);
    const plan p = plan_of(run);
    if (p.out.count > 1)
        return scan_with(run, loop);
    const size_t bytes = (size_t)((numel - 1) / PART + 1) * sizeof(double);
    void *totals = rg__pool_get(run->pool, bytes);
    if (!totals)
        return rg__run_fail(run, RG_ERROR_MEMORY, "out of memory for %zu bytes", bytes);
    const strip s = strip_of(run, &p, 0, 0);
    whole(&s, run->threads, totals);
    rg__pool_put(run->pool, totals, bytes);
    return true;
}

#define OF_NUMBERS(name)                                                                           \
    {                                                                                              \
        [RG_F32] = name##_f32, [RG_F64] = name##_f64, [RG_I32] = name##_i32, [RG_I64] = name##_i64 \
    }
#define OF_FLOATS(name)                              \
    {                                                \
        [RG_F32] = name##_f32, [RG_F64] = name##_f64 \
    }
#define SUM_KERNEL(name)                                                                                                     \
    static bool kernel_##name(const rg__run *run)                                                                            \
    {                                                                                                                        \
        static const scan_loop loops[RG_DTYPES] = OF_NUMBERS(name);                                                          \
        static const long_loop wholes[RG_DTYPES] = {                                                                         \
            [RG_F32] = name##_f32_long, [RG_F64] = name##_f64_long, [RG_I32] = name##_i32_long, [RG_I64] = name##_i64_long}; \
        return sum_with(run, loops[run->in[0].dtype], wholes[run->in[0].dtype]);                                             \
    }
#define SCAN_KERNEL(name, OF)                               \
    static bool kernel_##name(const rg__run *run)           \
    {                                                       \
        static const scan_loop loops[RG_DTYPES] = OF(name); \
        return scan_with(run, loops[run->in[0].dtype]);     \
    }
SUM_KERNEL(cumsum)
SUM_KERNEL(cumprod)
SCAN_KERNEL(cummax_index, OF_NUMBERS)
SCAN_KERNEL(cummin_index, OF_NUMBERS)
SCAN_KERNEL(recurrence, OF_FLOATS)

static bool kernel_logcumsumexp(const rg__run *run)
{
    return scan_with(run, logcumsumexp_f64);
}

/* ---- gradients ---- */

/* h = a h' + b, with the h before (`reverse`: behind) along the axis and the a of the one or the other; at the first h = b. */
static rg_tensor recur(rg_tape *t, rg_tensor a, rg_tensor b, struct scan like)
{
    const rg_shape s = rg_shape_of(t, b);
    return rg__record(t, OP(recurrence), (rg_tensor[]){a, b}, 2, rg_dtype_of(t, b), s.rank, s.dims, &like);
}

static rg_tensor without_first(rg_tape *t, rg_tensor x, int axis)
{
    return rg_slice(t, x, axis, 1, RG_END, 1);
}

static rg_tensor without_last(rg_tape *t, rg_tensor x, int axis)
{
    return rg_slice(t, x, axis, 0, -1, 1);
}

/* x one place on along the axis, with `value` where nothing comes from; `later`: towards the end. */
static rg_tensor shifted(rg_tape *t, rg_tensor x, int axis, bool later, double value)
{
    const rg_tensor one = rg_full_like(t, rg_slice(t, x, axis, 0, 1, 1), value);
    rg_tensor forth[2] = {one, without_last(t, x, axis)}, back[2] = {without_first(t, x, axis), one};
    return rg_cat(t, later ? forth : back, 2, axis);
}

/* A lane of one element, or none: the scan is x itself. */
static bool is_short(const rg__vjp *v)
{
    const struct scan *a = v->attr;
    return v->node->rank == 0 || v->node->dims[a->axis] < 2 || v->node->numel == 0;
}

static void vjp_cumsum(const rg__vjp *v)
{
    const struct scan *a = v->attr;
    v->grad[0] = rg__record(v->t, OP(cumsum), &v->g, 1, (rg_dtype)v->node->dtype, v->node->rank, v->node->dims,
                            &(struct scan){a->axis, !a->reverse, false});
}

/* The product before each x, times g summed with the products behind it: no division, so that zeros are nothing special,
 * and so for the derivatives of this. */
static void vjp_cumprod(const rg__vjp *v)
{
    const struct scan *a = v->attr;
    const int axis = (int)a->axis;
    if (is_short(v)) {
        v->grad[0] = v->g;
        return;
    }
    rg_tensor behind = recur(v->t, v->in[0], v->g, (struct scan){axis, true, true});
    v->grad[0] = rg_mul(v->t, shifted(v->t, v->out, axis, true, 1), behind);
}

static void vjp_recurrence(const rg__vjp *v)
{
    const struct scan *a = v->attr;
    const int axis = (int)a->axis;
    if (is_short(v)) {
        RG__GRAD(v, 0, rg_zeros_like(v->t, v->g));
        RG__GRAD(v, 1, v->g);
        return;
    }
    const rg_tensor u = recur(v->t, v->in[0], v->g, (struct scan){axis, !a->reverse, !a->late});
    if (a->late)
        RG__GRAD(v, 0, rg_mul(v->t, shifted(v->t, u, axis, a->reverse, 0), v->out));
    else
        RG__GRAD(v, 0, rg_mul(v->t, u, shifted(v->t, v->out, axis, !a->reverse, 0)));
    RG__GRAD(v, 1, u);
}

/* e^x less than any: where all up to here are -inf, nothing has a share. */
static rg_tensor share(rg_tape *t, rg_tensor x, rg_tensor whole)
{
    const rg_tensor none = rg__like(t, x, -INFINITY);
    return rg_exp(t, rg_where(t, rg_eq(t, whole, none), none, rg_sub(t, x, whole)));
}

/* With y the result, x has the share e^(x - y) of its own, and what is before it e^(y' - y) of the next: a recurrence of
 * numbers from 0 to 1. */
static void vjp_logcumsumexp(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const int axis = (int)((const struct scan *)v->attr)->axis;
    if (is_short(v)) {
        v->grad[0] = v->g;
        return;
    }
    const rg_tensor next = share(t, without_last(t, v->out, axis), without_first(t, v->out, axis));
    const rg_tensor one = rg_ones_like(t, rg_slice(t, v->out, axis, 0, 1, 1));
    const rg_tensor behind =
        recur(t, rg_cat(t, (rg_tensor[]){next, one}, 2, axis), v->g, (struct scan){axis, true, false});
    v->grad[0] = rg_mul(t, share(t, v->in[0], v->out), behind);
}

/* ---- recording ---- */

static rg_tensor scan(rg_tape *t, const rg__op *op, rg_tensor x, rg__dtype_class allowed, int axis, bool index)
{
    const rg__node *n = rg__arg_of(t, op, x, allowed);
    const int at = n ? rg__lane_axis(t, op, n, axis) : -1;
    if (at < 0)
        return RG_NIL;
    return rg__record(t, op, &x, 1, index ? RG_I64 : (rg_dtype)n->dtype, n->rank, n->dims,
                      &(struct scan){at, false, false});
}

rg_tensor rg_cumsum(rg_tape *t, rg_tensor x, int axis)
{
    return scan(t, OP(cumsum), x, RG__NUMBER, axis, false);
}

rg_tensor rg_cumprod(rg_tape *t, rg_tensor x, int axis)
{
    return scan(t, OP(cumprod), x, RG__NUMBER, axis, false);
}

/* In f64 throughout: the gradient takes results from one another that are much larger than what is left of them. */
rg_tensor rg_logcumsumexp(rg_tape *t, rg_tensor x, int axis)
{
    const rg__node *n = rg__arg_of(t, OP(logcumsumexp), x, RG__FLOATS);
    if (!n)
        return RG_NIL;
    const rg_dtype dtype = (rg_dtype)n->dtype;
    const rg_tensor y = scan(t, OP(logcumsumexp), rg_cast(t, x, RG_F64), RG__FLOATS, axis, false);
    return rg_is_nil(y) ? RG_NIL : rg_cast(t, y, dtype);
}

static rg_tensor best_so_far(rg_tape *t, const rg__op *op, const rg__op *find, rg_tensor x, int axis, rg_tensor *index)
{
    const rg__node *n = rg__arg_of(t, op, x, RG__NUMBER);
    const int at = n ? rg__lane_axis(t, op, n, axis) : -1;
    const rg_tensor found = at < 0 ? RG_NIL : scan(t, find, x, RG__NUMBER, at, true);
    if (index)
        *index = found;
    return at < 0 ? RG_NIL : rg_gather(t, x, at, found);
}

rg_tensor rg_cummax(rg_tape *t, rg_tensor x, int axis, rg_tensor *index)
{
    return best_so_far(t, OP(cummax), OP(cummax_index), x, axis, index);
}

rg_tensor rg_cummin(rg_tape *t, rg_tensor x, int axis, rg_tensor *index)
{
    return best_so_far(t, OP(cummin), OP(cummin_index), x, axis, index);
}

/* ---- by name ---- */

RG__CALL(cumsum, rg_cumsum(t, in[0], RG__AXIS_OF(axis)))
RG__CALL(cumprod, rg_cumprod(t, in[0], RG__AXIS_OF(axis)))
RG__CALL(logcumsumexp, rg_logcumsumexp(t, in[0], RG__AXIS_OF(axis)))

static int call_cummax(const rg__call *c, rg_tensor *out)
{
    out[0] = rg_cummax(c->t, c->in[0], RG__AXIS_OF(axis), &out[1]);
    return 2;
}

static int call_cummin(const rg__call *c, rg_tensor *out)
{
    out[0] = rg_cummin(c->t, c->in[0], RG__AXIS_OF(axis), &out[1]);
    return 2;
}

/* ---- samples ---- */

static const rg__domain apart = {RG__DISTINCT, -1, 0};

static rg_tensor input_of(rg__draw *draw, int index, rg__domain domain, int *axis)
{
    rg_tape *t = draw->t;
    *axis = index == 1 ? 0 : index == 2 ? 1 : -1;
    switch (index) {
    case 0:
    case 1: return RG__DRAW(draw, RG_SHAPE(3, 5), domain);
    case 2: return RG__DRAW(draw, RG_SHAPE(2, 4, 3), domain);
    case 3: return rg_transpose(t, RG__DRAW(draw, RG_SHAPE(4, 6), domain), 0, 1);
    case 4: return rg_flip(t, RG__DRAW(draw, RG_SHAPE(5, 4), domain), RG_ALL);
    case 5: return RG__DRAW(draw, RG_SHAPE(3, 0), domain);
    case 6: return RG__DRAW(draw, RG_SHAPE(2, 1), domain);
    case 7: return RG__DRAW(draw, RG_SCALAR, domain);
    default: return RG_NIL;
    }
}
#define SAMPLE(name, domain, ...)                                 \
    static rg_tensor sample_##name(rg__draw *draw, int index)     \
    {                                                             \
        rg_tape *t = draw->t;                                     \
        int axis;                                                 \
        const rg_tensor x = input_of(draw, index, domain, &axis); \
        return rg_is_nil(x) ? RG_NIL : (__VA_ARGS__);             \
    }
SAMPLE(cumsum, RG__REAL, rg_cumsum(t, x, axis))
SAMPLE(cumprod, RG__REAL, rg_cumprod(t, x, axis))
SAMPLE(logcumsumexp, RG__REAL, rg_logcumsumexp(t, x, axis))
SAMPLE(cummax, apart, rg_cummax(t, x, axis, NULL))
SAMPLE(cummin, apart, rg_cummin(t, x, axis, NULL))
SAMPLE(cummax_index, apart, scan(t, OP(cummax_index), x, RG__NUMBER, axis, true))
SAMPLE(cummin_index, apart, scan(t, OP(cummin_index), x, RG__NUMBER, axis, true))

static rg_tensor sample_recurrence(rg__draw *draw, int index)
{
    int axis;
    const rg_tensor a = input_of(draw, index, RG__REAL, &axis), b = input_of(draw, index, RG__REAL, &axis);
    const int rank = rg_is_nil(a) ? 0 : rg_shape_of(draw->t, a).rank;
    return rg_is_nil(a)
               ? RG_NIL
               : recur(draw->t, a, b, (struct scan){axis < 0 ? (rank ? rank - 1 : 0) : axis, index % 3 == 1, index % 2});
}

RG__FAMILY(scan, ROWS(RG__ROW))
