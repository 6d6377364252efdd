/* Attention and its gradient as primitives. Composed of products and a softmax, attention would store the scores of all
 * queries with all keys for the backward pass; these compute them again, a block of queries at a time. The gradient's
 * gradient is composed of public ops. */
#include "ops/attend.h"

#include "exec/kernels/attend.h"
#include "ops/family.h"

#include <math.h>
#include <string.h>

#define ROWS(ROW)                                                                                              \
    ROW(attend, -1, RG__DIFF, RG__KERNEL, "softmax(scale q k^T + mask) v", .fallible = true, RG__ATTR(attend)) \
    ROW(attend_gradient, -1, RG__DIFF, RG__KERNEL, "gradients of attend for q, k and v", .fallible = true,     \
        RG__ATTR(attend))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_attend[OP_##name])

/* Inputs: q [..., l, e], k [..., s, e], v [..., s, f], of one set of leading axes; of the gradient, g [..., l, f]; then the
 * mask [..., l, s], if there is one. The gradient's result: for all leading axes dq, dk and dv, one after the other. */
struct attend {
    double scale;
    uint32_t causal, masked;
};
static const rg__field fields_attend[] = {
    RG__FIELD(struct attend, scale, RG__FLOAT), RG__FIELD(struct attend, causal, RG__FLAG), {0}};

/* ---- kernels ----------------------------------------------------------------------------------------------------- */

enum { PER_THREAD = 200000 }; /* multiplications from which on a thread is worth its start */

typedef struct heads {
    const rg__run *run;
    rg__attend_shape shape;
    bool gradient;
    int64_t count, share, shares; /* heads; queries of a task; tasks of a head */
    char *memory;
    size_t room;
} heads;

/* Where a head's part of input i begins. */
static rg__attend_matrix matrix_of(const heads *h, int i, int64_t head)
{
    const rg__array_view *x = &h->run->in[i];
    const char *data = x->data;
    const int64_t size = (int64_t)rg_dtype_size(x->dtype);
    for (int axis = x->rank - 3; axis >= 0; axis--) {
        data += head % x->dims[axis] * x->strides[axis] * size;
        head /= x->dims[axis];
    }
    return (rg__attend_matrix){data, x->strides[x->rank - 2], x->strides[x->rank - 1]};
}

static void run_task(const heads *h, int64_t task, char *room)
{
    const rg__attend_shape *s = &h->shape;
    const int64_t head = task / h->shares, first = task % h->shares * h->share, size = (int64_t)s->size;
    const int64_t end = s->queries - first < h->share ? s->queries : first + h->share;
    const int64_t q = s->queries * s->width, k = s->keys * s->width, v = s->keys * s->features;
    rg__attend_head at = {.q = matrix_of(h, 0, head), .k = matrix_of(h, 1, head), .v = matrix_of(h, 2, head)};
    if (s->masked)
        at.mask = matrix_of(h, h->gradient ? 4 : 3, head);
    char *out = h->run->out.data;
    if (!h->gradient) {
        at.out = out + head * s->queries * s->features * size;
        rg__attend(s, &at, first, end, room);
        return;
    }
    at.g = matrix_of(h, 3, head);
    at.dq = out + head * (q + k + v) * size;
    at.dk = at.dq + q * size;
    at.dv = at.dk + k * size;
    rg__attend_gradient(s, &at, room);
}

static bool run_heads(const rg__run *run, bool gradient)
{
    const struct attend *a = run->node->attr;
    const rg__array_view *q = &run->in[0], *k = &run->in[1], *v = &run->in[2];
    const int rank = q->rank;
    heads h = {.run = run, .gradient = gradient, .count = 1};
    h.shape = (rg__attend_shape){.size = rg_dtype_size(q->dtype),
                                 .queries = q->dims[rank - 2],
                                 .keys = k->dims[rank - 2],
                                 .width = q->dims[rank - 1],
                                 .features = v->dims[rank - 1],
                                 .scale = a->scale,
                                 .causal = a->causal,
                                 .masked = a->masked,
                                 .adds = a->masked && run->in[gradient ? 4 : 3].dtype != RG_BOOL};
    for (int i = 0; i < rank - 2; i++)
        h.count *= q->dims[i];
    h.share = gradient ? h.shape.queries : rg__attend_share(&h.shape);
    h.shares = gradient ? 1 : (h.shape.queries + h.share - 1) / h.share;
    const int64_t tasks = h.count * h.shares;
    if (run->node->numel == 0 || tasks == 0)
        return true;
    const double work = (double)h.count * (double)h.shape.queries * (double)h.shape.keys *
                        (double)(h.shape.width + h.shape.features + 8);
    int threads = work / PER_THREAD < run->threads ? (int)(work / PER_THREAD) : run->threads;
    threads = threads < 1 ? 1 : threads < tasks ? threads : (int)tasks;
    h.room = rg__attend_room(&h.shape, gradient);
    const size_t bytes = h.room * (size_t)threads;
    h.memory = h.room && h.room <= PTRDIFF_MAX / (size_t)threads ? rg__pool_get(run->pool, bytes) : NULL;
    if (!h.memory)
        return rg__run_fail(run, RG_ERROR_MEMORY, "no memory for the scores of a block of queries");
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int thread = 0; thread < threads; thread++)
        for (int64_t task = tasks * thread / threads; task < tasks * (thread + 1) / threads; task++)
            run_task(&h, task, h.memory + (size_t)thread * h.room);
    rg__pool_put(run->pool, h.memory, bytes);
    return true;
}

static bool kernel_attend(const rg__run *run)
{
    return run_heads(run, false);
}

static bool kernel_attend_gradient(const rg__run *run)
{
    return run_heads(run, true);
}

/* ---- recording --------------------------------------------------------------------------------------------------- */

/* The number of elements of each head's q, k and v. */
static void sizes_of(rg_tape *t, const rg_tensor *in, int64_t size[3])
{
    for (int i = 0; i < 3; i++)
        size[i] = rg_dim(t, in[i], -2) * rg_dim(t, in[i], -1);
}

static rg_tensor attend(rg_tape *t, const rg_tensor *in, int n_in, const struct attend *a)
{
    rg_shape shape = rg_shape_of(t, in[0]);
    if (rg_failed(t))
        return RG_NIL;
    shape.dims[shape.rank - 1] = rg_dim(t, in[2], -1);
    return rg__record(t, OP(attend), in, n_in, rg_dtype_of(t, in[0]), shape.rank, shape.dims, a);
}

static rg_tensor attend_gradient(rg_tape *t, const rg_tensor *in, int n_in, const struct attend *a)
{
    rg_shape shape = rg_shape_of(t, in[0]);
    int64_t size[3];
    sizes_of(t, in, size);
    if (rg_failed(t))
        return RG_NIL;
    shape.rank--;
    shape.dims[shape.rank - 1] = size[0] + size[1] + size[2];
    return rg__record(t, OP(attend_gradient), in, n_in, rg_dtype_of(t, in[0]), shape.rank, shape.dims, a);
}

/* Part i of a packed gradient, in the shape of input i. */
static rg_tensor part(rg_tape *t, rg_tensor packed, const rg_tensor *in, int i)
{
    int64_t size[3], from = 0;
    sizes_of(t, in, size);
    for (int j = 0; j < i; j++)
        from += size[j];
    return rg_reshape(t, rg_slice(t, packed, -1, from, from + size[i], 1), rg_shape_of(t, in[i]));
}

/* ---- gradients --------------------------------------------------------------------------------------------------- */

static rg_tensor product(rg_tape *t, rg_tensor a, bool a_transposed, rg_tensor b, bool b_transposed)
{
    return rg_matmul(t, a_transposed ? rg_transpose(t, a, -2, -1) : a, b_transposed ? rg_transpose(t, b, -2, -1) : b);
}

static rg_tensor row_sums(rg_tape *t, rg_tensor x, rg_tensor y)
{
    return rg_sum(t, rg_mul(t, x, y), RG_AXES(-1), true);
}

/* The gradient of a mask is that of the scores, which is as large as they are. */
static void vjp_attend(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const struct attend *a = v->attr;
    const rg_tensor in[5] = {v->in[0], v->in[1], v->in[2], v->g, a->masked ? v->in[3] : RG_NIL};
    if (v->wanted[0] || v->wanted[1] || v->wanted[2]) {
        const rg_tensor packed = attend_gradient(t, in, 4 + (int)a->masked, a);
        for (int i = 0; i < 3; i++)
            RG__GRAD(v, i, part(t, packed, in, i));
    }
    if (a->masked && v->wanted[3]) {
        const rg_tensor p = rg__attention(t, in[0], in[1], in[4], a->causal, a->scale);
        const rg_tensor d = product(t, v->g, false, in[2], true);
        v->grad[3] = rg_mul(t, p, rg_sub(t, d, row_sums(t, p, d)));
    }
}

/* Reverse mode through the formulas of the gradient: with p the attention, d = g v^T, c = p (d - sum p d) it is
 * (scale c k, scale c^T q, p^T g); x, y, z are the cotangents of the three. */
static void vjp_attend_gradient(const rg__vjp *v)
{
    rg_tape *t = v->t;
    const struct attend *a = v->attr;
    const rg_tensor q = v->in[0], k = v->in[1], values = v->in[2], g = v->in[3];
    const rg_tensor x = part(t, v->g, v->in, 0), y = part(t, v->g, v->in, 1), z = part(t, v->g, v->in, 2);
    const rg_tensor p = rg__attention(t, q, k, a->masked ? v->in[4] : RG_NIL, a->causal, a->scale);
    const rg_tensor d = product(t, g, false, values, true), lowered = rg_sub(t, d, row_sums(t, p, d));
    const rg_tensor c = rg_mul(t, p, lowered);
    const rg_tensor u =
        rg_mul_scalar(t, rg_add(t, product(t, x, false, k, true), product(t, q, false, y, true)), a->scale);
    const rg_tensor e = row_sums(t, u, p);
    const rg_tensor of_d = rg_mul(t, p, rg_sub(t, u, e));
    const rg_tensor of_p = rg_add(t, rg_sub(t, rg_mul(t, u, lowered), rg_mul(t, e, d)), product(t, g, false, z, true));
    const rg_tensor of_s = rg_mul(t, p, rg_sub(t, of_p, row_sums(t, p, of_p)));
    RG__GRAD(v, 0,
             rg_mul_scalar(t, rg_add(t, product(t, c, false, y, false), product(t, of_s, false, k, false)), a->scale));
    RG__GRAD(v, 1,
             rg_mul_scalar(t, rg_add(t, product(t, c, true, x, false), product(t, of_s, true, q, false)), a->scale));
    RG__GRAD(v, 2, product(t, of_d, true, g, false));
    RG__GRAD(v, 3, rg_add(t, product(t, p, false, z, false), product(t, of_d, false, values, false)));
    if (a->masked && v->wanted[4])
        v->grad[4] = of_s;
}

/* ---- for the public op ------------------------------------------------------------------------------------------- */

/* Rows may be -infinity throughout: they give 0. */
static rg_tensor masked_softmax(rg_tape *t, rg_tensor x)
{
    const rg_tensor zero = rg__like(t, x, 0);
    rg_tensor top = rg_detach(t, rg_max(t, x, RG_AXES(-1), true));
    top = rg_where(t, rg_eq(t, top, rg__like(t, x, -INFINITY)), zero, top);
    const rg_tensor e = rg_exp(t, rg_sub(t, x, top)), sum = rg_sum(t, e, RG_AXES(-1), true);
    return rg_mul(t, e, rg_reciprocal(t, rg_where(t, rg_eq(t, sum, zero), rg__like(t, x, 1), sum)));
}

rg_tensor rg__attention(rg_tape *t, rg_tensor q, rg_tensor k, rg_tensor mask, bool causal, double scale)
{
    rg_tensor s = rg_matmul(t, rg_mul_scalar(t, q, scale), rg_transpose(t, k, -2, -1));
    const int64_t queries = rg_dim(t, s, -2), keys = rg_dim(t, s, -1);
    if (rg_failed(t))
        return RG_NIL;
    if (causal) {
        const rg_tensor i = rg_unsqueeze(t, rg_arange(t, RG_I64, 0, (double)queries, 1), 1);
        mask = rg_ge(t, i, rg_arange(t, RG_I64, 0, (double)keys, 1));
    }
    if (keys == 0)
        return s;
    if (rg_is_nil(mask))
        return rg_softmax(t, s, -1);
    s = rg_dtype_of(t, mask) == RG_BOOL ? rg_where(t, mask, s, rg__like(t, s, -INFINITY)) : rg_add(t, s, mask);
    return masked_softmax(t, s);
}

/* x with the leading axes of `like`: a view. */
static rg_tensor widened(rg_tape *t, rg_tensor x, rg_shape like)
{
    for (int i = 1; i <= 2; i++)
        like.dims[like.rank - i] = rg_dim(t, x, -i);
    return rg_expand(t, x, like);
}

rg_tensor rg__attend_with(rg_tape *t, rg_tensor q, rg_tensor k, rg_tensor v, rg_tensor mask, rg_shape scores,
                          bool causal, double scale)
{
    const struct attend a = {scale, causal, !rg_is_nil(mask)};
    rg_tensor in[4] = {widened(t, q, scores), widened(t, k, scores), widened(t, v, scores), RG_NIL};
    if (a.masked)
        in[3] = rg_expand(t, mask, scores);
    return rg_failed(t) ? RG_NIL : attend(t, in, 3 + (int)a.masked, &a);
}

/* ---- samples ----------------------------------------------------------------------------------------------------- */

#define DRAW(...) RG__DRAW(draw, RG_SHAPE(__VA_ARGS__), RG__REAL)

/* Past one block of queries, strided, causal, masked. */
static rg_tensor sample_inputs(rg__draw *draw, int index, rg_tensor in[5], struct attend *a)
{
    rg_tape *t = draw->t;
    static const bool seen[12] = {true, false, true, true, false, false, false, false, true, true, true, true};
    *a = (struct attend){.5, index == 1, index == 2 || index == 3};
    if (index > 4)
        return RG_NIL;
    in[0] = DRAW(2, 3, 2), in[1] = DRAW(2, 4, 2), in[2] = DRAW(2, 4, 3);
    if (index == 4) {
        in[0] = DRAW(1, 50, 2), in[1] = rg_transpose(t, DRAW(1, 2, 17), 1, 2);
        in[2] = rg_flip(t, DRAW(1, 17, 1), RG_AXES(1));
    }
    if (index == 2)
        in[3] = rg_expand(t, rg_input_bool(t, RG_SHAPE(3, 4), seen), RG_SHAPE(2, 3, 4));
    if (index == 3)
        in[3] = rg_expand(t, DRAW(3, 4), RG_SHAPE(2, 3, 4));
    return in[0];
}

static rg_tensor sample_attend(rg__draw *draw, int index)
{
    rg_tensor in[5];
    struct attend a;
    return rg_is_nil(sample_inputs(draw, index, in, &a)) ? RG_NIL : attend(draw->t, in, 3 + (int)a.masked, &a);
}

static rg_tensor sample_attend_gradient(rg__draw *draw, int index)
{
    rg_tensor in[5];
    struct attend a;
    if (rg_is_nil(sample_inputs(draw, index, in, &a)))
        return RG_NIL;
    in[4] = in[3];
    in[3] = index == 4 ? DRAW(1, 50, 1) : DRAW(2, 3, 3);
    return attend_gradient(draw->t, in, 4 + (int)a.masked, &a);
}

RG__FAMILY(attend, ROWS(RG__ROW))
