/* Weighted sums of elements that an index names, the same for all channels: what sampling along a grid is made of. Three
 * primitives that are each other's gradients: the sums, their transpose, and the gradient of the weights. One product of
 * gathered elements after the other would store them all. */
#include "ops/weighted.h"

#include "ops/family.h"
#include "ops/loops.h"
#include "ops/planes.h"

#include <string.h>

#define ROWS(ROW)                                                                                                 \
    ROW(pick_weighted, 3, RG__DIFF, RG__KERNEL, "sum over k of weight[k, j] x[c, index[k, j]]", .fallible = true) \
    ROW(place_weighted, 3, RG__DIFF, RG__KERNEL, "zeros with weight[k, j] x[c, j] added at index[k, j]",          \
        .fallible = true, RG__ATTR(place))                                                                        \
    ROW(weight_products, 3, RG__DIFF, RG__KERNEL, "sum over c of x[c, index[k, j]] g[c, j]", .fallible = true)

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_weighted[OP_##name])

struct place {
    int64_t elements;
};
static const rg__field fields_place[] = {RG__FIELD(struct place, elements, RG__INT), {0}};

/* ---- kernels ---- */

enum { BLOCK = 1024 };

typedef struct weighted {
    int64_t channels, elements, taps, points; /* C, P, K, L */
    const void *x, *g, *weight;
    const int32_t *index;
    char *out;
} weighted;

#define T     float
#define OF(x) x##_f32
#include "ops/weighted_of.h"
#define T     double
#define OF(x) x##_f64
#include "ops/weighted_of.h"

#define WORK(name)                                               \
    static void name##_f32_work(void *w, int64_t i, void *space) \
    {                                                            \
        (void)space;                                             \
        name##_f32(w, i);                                        \
    }                                                            \
    static void name##_f64_work(void *w, int64_t i, void *space) \
    {                                                            \
        (void)space;                                             \
        name##_f64(w, i);                                        \
    }
WORK(pick)
WORK(place)
WORK(weigh)

/* Memory of a run: the index in 32 bits, and what is not row-major, copied. */
typedef struct loan {
    const rg__run *run;
    void *block[3];
    size_t bytes[3];
    int count;
} loan;

static void *lend(loan *l, size_t bytes)
{
    void *block = rg__pool_get(l->run->pool, bytes);
    if (!block) {
        rg__run_fail(l->run, RG_ERROR_MEMORY, "out of memory");
        return NULL;
    }
    l->block[l->count] = block;
    l->bytes[l->count++] = bytes;
    return block;
}

static void give_back(loan *l)
{
    for (int i = 0; i < l->count; i++)
        rg__pool_put(l->run->pool, l->block[i], l->bytes[i]);
}

/* x, row-major; NULL and an error without memory. */
static const void *dense(loan *l, const rg__array_view *x)
{
    if (rg__is_row_major(x->rank, x->dims, x->strides))
        return x->data;
    const size_t size = rg_dtype_size(x->dtype);
    void *copy = lend(l, (size_t)rg__numel(x->rank, x->dims) * size);
    int64_t strides[RG_MAX_RANK];
    rg__row_major(x->rank, x->dims, strides);
    if (copy)
        rg__copy(x->rank, x->dims, (rg__strided){copy, strides, size}, rg__strided_of(x));
    return copy;
}

/* The index, row-major and in 32 bits; NULL and an error without memory, or where one is out of range. */
static const int32_t *short_index(loan *l, const rg__array_view *x, int64_t elements)
{
    int32_t *out = lend(l, (size_t)rg__numel(x->rank, x->dims) * sizeof *out), *to = out;
    rg__walk walk;
    rg__walk_start(&walk, x->rank, x->dims, 1, (rg__strided[]){rg__strided_of(x)});
    do
        for (int64_t i = 0; i < walk.run && out; i++) {
            const int64_t at = *(const int64_t *)(void *)(walk.p[0] + i * walk.step[0]);
            if (at < 0 || at >= elements) {
                rg__run_fail(l->run, RG_ERROR_VALUE, "index %lld is out of range 0 to %lld", (long long)at,
                             (long long)elements - 1);
                return NULL;
            }
            *to++ = (int32_t)at;
        }
    while (rg__walk_next(&walk));
    return out;
}

/* Inputs 0 and 2 into *first and *second; the index is input 1. */
static bool share(const rg__run *run, weighted *w, const void **first, const void **second, int64_t units,
                  rg__plane_work work)
{
    const rg__array_view *index = &run->in[1];
    loan l = {.run = run};
    w->taps = index->dims[1];
    w->points = index->dims[2];
    w->out = run->out.data;
    if (run->node->numel == 0)
        return true;
    if (rg__numel(3, index->dims) == 0 || w->channels == 0 || w->elements == 0) {
        memset(w->out, 0, (size_t)run->node->numel * rg_dtype_size(run->out.dtype));
        return true;
    }
    w->index = short_index(&l, index, w->elements);
    *first = w->index ? dense(&l, &run->in[0]) : NULL;
    *second = *first ? dense(&l, &run->in[2]) : NULL;
    const int64_t sums = w->taps * w->points;
    const bool done =
        *second &&
        rg__planes_run(run, units, units < index->dims[0] * w->channels ? w->points * w->channels : sums, 0, work, w);
    give_back(&l);
    return done;
}

static bool kernel_pick_weighted(const rg__run *run)
{
    const rg__array_view *x = &run->in[0];
    weighted w = {.channels = x->dims[1], .elements = x->dims[2]};
    return share(run, &w, &w.x, &w.weight, x->dims[0] * x->dims[1], x->dtype == RG_F32 ? pick_f32_work : pick_f64_work);
}

static bool kernel_place_weighted(const rg__run *run)
{
    const rg__array_view *g = &run->in[0];
    weighted w = {.channels = g->dims[1], .elements = ((const struct place *)run->node->attr)->elements};
    return share(run, &w, &w.g, &w.weight, g->dims[0] * g->dims[1], g->dtype == RG_F32 ? place_f32_work : place_f64_work);
}

static bool kernel_weight_products(const rg__run *run)
{
    const rg__array_view *x = &run->in[0];
    weighted w = {.channels = x->dims[1], .elements = x->dims[2]};
    return share(run, &w, &w.x, &w.g, x->dims[0] * run->in[1].dims[1],
                 x->dtype == RG_F32 ? weigh_f32_work : weigh_f64_work);
}

/* ---- recording ---- */

rg_tensor rg__pick_weighted(rg_tape *t, rg_tensor x, rg_tensor index, rg_tensor weight)
{
    const rg__op *op = OP(pick_weighted);
    const rg__node *n = rg__arg_of(t, op, x, RG__FLOATS), *ni = n ? rg__arg(t, op, index) : NULL;
    if (!ni || !rg__arg(t, op, weight))
        return RG_NIL;
    if (n->dims[2] > INT32_MAX) {
        rg__fail(t, op, RG_ERROR_SHAPE, "planes of %lld elements; at most %d are allowed", (long long)n->dims[2],
                 INT32_MAX);
        return RG_NIL;
    }
    return rg__record(t, op, (rg_tensor[]){x, index, weight}, 3, (rg_dtype)n->dtype, 3,
                      (int64_t[]){n->dims[0], n->dims[1], ni->dims[2]}, NULL);
}

static rg_tensor place_weighted(rg_tape *t, rg_tensor g, rg_tensor index, rg_tensor weight, int64_t elements)
{
    const rg__op *op = OP(place_weighted);
    const rg__node *n = rg__arg(t, op, g);
    if (!n)
        return RG_NIL;
    return rg__record(t, op, (rg_tensor[]){g, index, weight}, 3, (rg_dtype)n->dtype, 3,
                      (int64_t[]){n->dims[0], n->dims[1], elements}, &(struct place){elements});
}

static rg_tensor weight_products(rg_tape *t, rg_tensor x, rg_tensor index, rg_tensor g)
{
    const rg__op *op = OP(weight_products);
    const rg__node *n = rg__arg(t, op, x), *ni = n ? rg__arg(t, op, index) : NULL;
    return ni ? rg__record(t, op, (rg_tensor[]){x, index, g}, 3, (rg_dtype)n->dtype, 3, ni->dims, NULL) : RG_NIL;
}

static void vjp_pick_weighted(const rg__vjp *v)
{
    RG__GRAD(v, 0, place_weighted(v->t, v->g, v->in[1], v->in[2], rg_dim(v->t, v->in[0], 2)));
    RG__GRAD(v, 2, weight_products(v->t, v->in[0], v->in[1], v->g));
}

static void vjp_place_weighted(const rg__vjp *v)
{
    RG__GRAD(v, 0, rg__pick_weighted(v->t, v->g, v->in[1], v->in[2]));
    RG__GRAD(v, 2, weight_products(v->t, v->g, v->in[1], v->in[0]));
}

static void vjp_weight_products(const rg__vjp *v)
{
    RG__GRAD(v, 0, place_weighted(v->t, v->in[2], v->in[1], v->g, rg_dim(v->t, v->in[0], 2)));
    RG__GRAD(v, 2, rg__pick_weighted(v->t, v->in[0], v->in[1], v->g));
}

/* ---- samples: N, C, P, K, L; the second with operands of other strides ---- */

static const int64_t places[] = {5, 0, 3, 3, 1, 2, 4, 0, 5, 2, 1, 1, 0, 4, 3, 2};

static rg_tensor moved(rg__draw *draw, int index, rg_shape s)
{
    if (index != 1)
        return RG__DRAW(draw, s, RG__REAL);
    const rg_tensor x = RG__DRAW(draw, RG_SHAPE(s.dims[1], s.dims[0], s.dims[2]), RG__REAL);
    return rg_flip(draw->t, rg_transpose(draw->t, x, 0, 1), RG_AXES(2));
}

static rg_tensor sample_any(rg__draw *draw, int index, rg_tensor (*f)(rg_tape *, rg_tensor, rg_tensor, rg_tensor),
                            bool from_points, bool to_points)
{
    static const int64_t sizes[][5] = {{1, 2, 6, 2, 3}, {2, 3, 6, 2, 4}, {2, 0, 6, 2, 3}, {1, 2, 6, 2, 0}};
    if (index > 3)
        return RG_NIL;
    const int64_t *s = sizes[index];
    const rg_tensor x = moved(draw, index, RG_SHAPE(s[0], s[1], from_points ? s[4] : s[2]));
    const rg_tensor y = moved(draw, index, to_points ? RG_SHAPE(s[0], s[1], s[4]) : RG_SHAPE(s[0], s[3], s[4]));
    return f(draw->t, x, rg_input_i64(draw->t, RG_SHAPE(s[0], s[3], s[4]), places), y);
}

static rg_tensor place_six(rg_tape *t, rg_tensor g, rg_tensor index, rg_tensor weight)
{
    return place_weighted(t, g, index, weight, 6);
}

static rg_tensor sample_pick_weighted(rg__draw *draw, int index)
{
    return sample_any(draw, index, rg__pick_weighted, false, false);
}

static rg_tensor sample_place_weighted(rg__draw *draw, int index)
{
    return sample_any(draw, index, place_six, true, false);
}

static rg_tensor sample_weight_products(rg__draw *draw, int index)
{
    return sample_any(draw, index, weight_products, false, true);
}

RG__FAMILY(weighted, ROWS(RG__ROW))
