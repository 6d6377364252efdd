/* Attention, embeddings, and dropout of whole features. */
#include "ops/attend.h"
#include "ops/call.h"
#include "ops/family.h"

#include <math.h>
#include <string.h>

#define DROPOUT "x: float, p: real = 0.5, training: flag = false"
#define ROWS(ROW)                                                                                                    \
    ROW(scaled_dot_product_attention, 3, RG__THROUGH, RG__COMPOSITE, "softmax(q k^T scale + mask) v",                \
        RG__CALLED(scaled_dot_product_attention, "q: float, k: float, v: float, mask?: any, causal: flag = false, "  \
                                                 "dropout: real = 0, scale: real = none, grouped: flag = false"))    \
    ROW(gumbel_softmax, 1, RG__THROUGH, RG__COMPOSITE, "softmax((logits + g)/tau), g drawn", .random = true,         \
        RG__CALLED(gumbel_softmax, "logits: float, tau: real = 1, hard: flag = false, axis: int = -1"))              \
    ROW(embedding, 2, RG__THROUGH, RG__COMPOSITE, "weight[index]",                                                   \
        RG__CALLED(embedding, "index: integer, weight: float, padding: int = none"))                                 \
    ROW(embedding_bag, 2, RG__THROUGH, RG__COMPOSITE, "weight[index], reduced bag by bag",                           \
        RG__CALLED(embedding_bag, "index: integer, weight: float, offsets?: integer, weights?: float, "              \
                                  "mode: mean|sum|max = mean, include_last_offset: flag = false, "                   \
                                  "padding: int = none"))                                                            \
    ROW(bag_of, 1, RG__NODIFF, RG__KERNEL, "the bag that each index belongs to", .fallible = true, RG__ATTR(bag_of)) \
    ROW(bag_argmax, 3, RG__NODIFF, RG__KERNEL, "the row with the largest element of each bag, -1 for none",          \
        RG__ATTR(bag_argmax))                                                                                        \
    ROW(feature_dropout, 1, RG__THROUGH, RG__COMPOSITE, "channels 0, or x / (1 - p)", .random = true,                \
        RG__CALLED(feature_dropout, DROPOUT))                                                                        \
    ROW(alpha_dropout, 1, RG__THROUGH, RG__COMPOSITE, "a x + b, dropped elements at selu's lowest", .random = true,  \
        RG__CALLED(alpha_dropout, DROPOUT))                                                                          \
    ROW(feature_alpha_dropout, 1, RG__THROUGH, RG__COMPOSITE, "a x + b, dropped channels at selu's lowest",          \
        .random = true, RG__CALLED(feature_alpha_dropout, DROPOUT))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_attention[OP_##name])

/* ---- attention ---- */

static bool check_share(rg_tape *t, const rg__op *op, double p)
{
    if (!(p >= 0 && p <= 1))
        rg__fail(t, op, RG_ERROR_ARGUMENT, "p is %g; it must be in [0, 1]", p);
    return p >= 0 && p <= 1;
}

/* Each element 0 with probability p, else x / (1 - p); `mask` is the shape that is drawn. */
static rg_tensor dropped(rg_tape *t, rg_tensor x, double p, rg_shape mask)
{
    if (p == 0)
        return x;
    const rg_tensor kept = rg_bernoulli(t, mask, 1 - p);
    return rg_where(t, kept, rg_mul_scalar(t, x, p < 1 ? 1 / (1 - p) : 1), rg__like(t, x, 0));
}

/* The shapes of an attention, and whether the arguments have them. */
typedef struct attention {
    rg_shape lead; /* of the result, and the scores */
    int64_t queries, keys, width, features;
    int64_t groups, heads; /* grouped: queries of each head, heads of the keys */
} attention;

static bool same_dtype(rg_tape *t, const rg__op *op, const char *name, const rg__node *x, const rg__node *like)
{
    if (x->dtype != like->dtype)
        rg__fail(t, op, RG_ERROR_DTYPE, "%s is %s; it must be %s as what it goes with", name,
                 rg_dtype_name((rg_dtype)x->dtype), rg_dtype_name((rg_dtype)like->dtype));
    return x->dtype == like->dtype;
}

static bool settle(rg_tape *t, const rg__op *op, const rg__node *q, const rg__node *k, const rg__node *v, bool grouped,
                   attention *a)
{
    const int least = grouped ? 3 : 2;
    bool fits = q->rank >= least && k->rank >= least && v->rank >= least &&
                k->dims[k->rank - 1] == q->dims[q->rank - 1] && k->dims[k->rank - 2] == v->dims[v->rank - 2];
    *a = (attention){.groups = 1, .heads = 1};
    if (fits && grouped) {
        a->heads = k->dims[k->rank - 3];
        a->groups = a->heads ? q->dims[q->rank - 3] / a->heads : 0;
        fits = q->rank < RG_MAX_RANK && k->rank == q->rank && v->rank == q->rank && v->dims[v->rank - 3] == a->heads &&
               a->groups * a->heads == q->dims[q->rank - 3];
    }
    const int skipped = grouped ? 3 : 2;
    fits = fits && rg__broadcast(&a->lead.rank, a->lead.dims, q->rank - skipped, q->dims) &&
           rg__broadcast(&a->lead.rank, a->lead.dims, k->rank - skipped, k->dims) &&
           rg__broadcast(&a->lead.rank, a->lead.dims, v->rank - skipped, v->dims);
    if (!fits) {
        rg__fail(t, op, RG_ERROR_SHAPE, "q %s, k %s and v %s do not fit: [..., l, e], [..., s, e] and [..., s, f]%s",
                 RG__NODE_TEXT(q), RG__NODE_TEXT(k), RG__NODE_TEXT(v),
                 grouped ? " with heads of k and v that divide those of q" : "");
        return false;
    }
    if (grouped)
        a->lead.dims[a->lead.rank++] = q->dims[q->rank - 3];
    a->queries = q->dims[q->rank - 2];
    a->width = q->dims[q->rank - 1];
    a->keys = k->dims[k->rank - 2];
    a->features = v->dims[v->rank - 1];
    return true;
}

/* [..., heads groups, m, n] as [..., heads, groups, m, n]. */
static void split(rg_shape *s, const attention *a, int64_t groups)
{
    memmove(s->dims + s->rank - 1, s->dims + s->rank - 2, 2 * sizeof *s->dims);
    s->dims[s->rank - 3] = a->heads;
    s->dims[s->rank - 2] = groups;
    s->rank++;
}

static rg_tensor by_group(rg_tape *t, rg_tensor x, const attention *a, int64_t groups)
{
    rg_shape s = rg_shape_of(t, x);
    if (rg_failed(t))
        return RG_NIL;
    split(&s, a, groups);
    return rg_reshape(t, x, s);
}

static bool check_mask(rg_tape *t, const rg__op *op, rg_tensor mask, const rg__node *q, rg_shape scores)
{
    const rg__node *n = rg__arg(t, op, mask);
    if (!n || (n->dtype != RG_BOOL && !same_dtype(t, op, "mask", n, q)))
        return false;
    rg_shape all = {0, {0}};
    if (rg__broadcast(&all.rank, all.dims, scores.rank, scores.dims) &&
        rg__broadcast(&all.rank, all.dims, n->rank, n->dims) && rg_shape_equal(all, scores))
        return true;
    rg__fail(t, op, RG_ERROR_SHAPE, "mask %s does not broadcast to %s", RG__NODE_TEXT(n),
             RG__DIMS_TEXT(scores.rank, scores.dims));
    return false;
}

rg_tensor rg_scaled_dot_product_attention(rg_tape *t, rg_tensor q, rg_tensor k, rg_tensor v, rg_tensor mask,
                                          const rg_attention_config *config)
{
    const rg__op *op = OP(scaled_dot_product_attention);
    const rg_attention_config c = config ? *config : (rg_attention_config){0};
    const rg__node *nq = rg__arg_of(t, op, q, RG__FLOATS), *nk = nq ? rg__arg_of(t, op, k, RG__FLOATS) : NULL;
    const rg__node *nv = nk ? rg__arg_of(t, op, v, RG__FLOATS) : NULL;
    attention a;
    if (!nv || !same_dtype(t, op, "k", nk, nq) || !same_dtype(t, op, "v", nv, nq) || !check_share(t, op, c.dropout) ||
        !settle(t, op, nq, nk, nv, c.grouped, &a))
        return RG_NIL;
    const bool masked = !rg_is_nil(mask);
    if ((masked && c.causal) || !isfinite(c.scale)) {
        rg__fail(t, op, RG_ERROR_ARGUMENT,
                 masked && c.causal ? "a mask and causal: one of them is allowed, not both" : "the scale must be finite");
        return RG_NIL;
    }
    rg_shape scores = a.lead;
    scores.dims[scores.rank++] = a.queries;
    scores.dims[scores.rank++] = a.keys;
    if (masked && !check_mask(t, op, mask, nq, scores))
        return RG_NIL;
    rg_shape out = scores;
    out.dims[out.rank - 1] = a.features;
    if (c.grouped) {
        q = by_group(t, q, &a, a.groups), k = by_group(t, k, &a, 1), v = by_group(t, v, &a, 1);
        if (masked)
            mask = by_group(t, rg_expand(t, mask, scores), &a, a.groups);
        split(&scores, &a, a.groups);
    }
    const double scale = c.scale != 0 ? c.scale : 1 / sqrt((double)a.width);
    if (c.dropout == 0)
        return rg_reshape(t, rg__attend_with(t, q, k, v, mask, scores, c.causal, scale), out);
    const rg_tensor p = rg__attention(t, q, k, mask, c.causal, scale);
    return rg_reshape(t, rg_matmul(t, dropped(t, p, c.dropout, scores), v), out);
}

rg_tensor rg_gumbel_softmax(rg_tape *t, rg_tensor logits, double tau, bool hard, int axis)
{
    const rg__op *op = OP(gumbel_softmax);
    const rg__node *n = rg__arg_of(t, op, logits, RG__FLOATS);
    const int at = n ? rg__axis_of(t, op, n, axis) : -1;
    if (at < 0)
        return RG_NIL;
    if (!(tau > 0 && tau < INFINITY)) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "tau is %g; it must be finite and above 0", tau);
        return RG_NIL;
    }
    /* In f64, so that both dtypes draw the same. -ln(1 - u) is 0 where u is: kept off it, so that the noise is finite. */
    const rg_tensor u = rg_rand(t, RG_F64, rg_shape_of(t, logits));
    const rg_tensor waited = rg_clamp(t, rg_neg(t, rg_log1p(t, rg_neg(t, u))), 0x1p-1022, INFINITY);
    const rg_tensor noise = rg_cast(t, rg_neg(t, rg_log(t, waited)), (rg_dtype)n->dtype);
    const rg_tensor soft = rg_softmax(t, rg_mul_scalar(t, rg_add(t, logits, noise), 1 / tau), at);
    if (!hard || n->numel == 0)
        return soft;
    const rg_tensor largest = rg_argmax(t, soft, at, true);
    rg_shape line = {n->rank - at, {n->dims[at]}};
    for (int i = 1; i < line.rank; i++)
        line.dims[i] = 1;
    const rg_tensor place = rg_reshape(t, rg_arange(t, RG_I64, 0, (double)n->dims[at], 1), line);
    const rg_tensor one = rg_cast(t, rg_eq(t, place, largest), (rg_dtype)n->dtype);
    return rg_add(t, one, rg_sub(t, soft, rg_detach(t, soft))); /* + 0, with a gradient */
}

/* ---- embeddings ---- */

/* weight is a matrix; *row: the padding's, counted from 0, or -1. */
static bool check_weight(rg_tape *t, const rg__op *op, rg_tensor weight, const int64_t *padding, const rg__node **n,
                         int64_t *row)
{
    *n = rg__arg_of(t, op, weight, RG__FLOATS);
    if (!*n)
        return false;
    if ((*n)->rank != 2) {
        rg__fail(t, op, RG_ERROR_SHAPE, "weight %s must be a matrix: [rows, width]", RG__NODE_TEXT(*n));
        return false;
    }
    const int64_t rows = (*n)->dims[0];
    *row = padding ? *padding : -1;
    if (padding && (*padding < -rows || *padding >= rows)) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "padding %lld is no row of weight %s", (long long)*padding, RG__NODE_TEXT(*n));
        return false;
    }
    if (padding && *padding < 0)
        *row += rows;
    return true;
}

/* index [n] -> rows [n, width]; *kept [n, 1]: those that are not padding, nil for all. */
static rg_tensor rows_at(rg_tape *t, rg_tensor index, rg_tensor weight, int64_t padding, rg_tensor *kept)
{
    index = rg_cast(t, index, RG_I64);
    *kept = RG_NIL;
    if (padding >= 0)
        *kept = rg_unsqueeze(t, rg_ne(t, index, rg_constant(t, RG_I64, (double)padding)), 1);
    return rg_index_select(t, weight, 0, index);
}

rg_tensor rg_embedding(rg_tape *t, rg_tensor index, rg_tensor weight, const int64_t *padding)
{
    const rg__op *op = OP(embedding);
    const rg__node *ni = rg__arg_of(t, op, index, RG__INTEGER), *nw;
    int64_t row;
    if (!ni || !check_weight(t, op, weight, padding, &nw, &row))
        return RG_NIL;
    if (ni->rank == RG_MAX_RANK) {
        rg__fail(t, op, RG_ERROR_SHAPE, "index %s has no room for another axis", RG__NODE_TEXT(ni));
        return RG_NIL;
    }
    rg_tensor kept, rows = rows_at(t, rg_reshape(t, index, RG_SHAPE(ni->numel)), weight, row, &kept);
    if (!rg_is_nil(kept))
        rows = rg_where(t, kept, rows, rg_detach(t, rows));
    rg_shape shape = rg_shape_of(t, index);
    shape.dims[shape.rank++] = nw->dims[1];
    return rg_reshape(t, rows, shape);
}

/* ---- bags ---- */

struct bag_of {
    int64_t count, closed; /* indices; closed: the last offset is the number of them */
};
static const rg__field fields_bag_of[] = {
    RG__FIELD(struct bag_of, count, RG__INT), RG__FIELD(struct bag_of, closed, RG__FLAG), {0}};

static bool kernel_bag_of(const rg__run *run)
{
    const struct bag_of *a = run->node->attr;
    const rg__array_view *offsets = &run->in[0];
    const int64_t bags = offsets->dims[0] - a->closed;
    int64_t *out = run->out.data, at = 0;
    for (int64_t bag = 0; bag < offsets->dims[0]; bag++) {
        const int64_t begin = ((const int64_t *)offsets->data)[bag * offsets->strides[0]];
        if ((bag == 0 && begin != 0) || begin < at || begin > a->count || (bag == bags && begin != a->count))
            return rg__run_fail(run, RG_ERROR_VALUE, "offset %lld is %lld: they begin with 0, do not decrease%s %lld",
                                (long long)bag, (long long)begin,
                                a->closed ? ", and end with the number of indices," : " and are at most",
                                (long long)a->count);
        while (at < begin)
            out[at++] = bag - 1;
    }
    while (at < a->count)
        out[at++] = bags - 1;
    return true;
}

struct bag_argmax {
    int64_t bags;
};
static const rg__field fields_bag_argmax[] = {RG__FIELD(struct bag_argmax, bags, RG__INT), {0}};

/* x [n, width], bag [n], counted [n] -> [bags, width] */
static bool kernel_bag_argmax(const rg__run *run)
{
    const rg__array_view *x = &run->in[0], *bag = &run->in[1], *counted = &run->in[2];
    const int64_t width = x->dims[1];
    int64_t *out = run->out.data;
    for (int64_t i = 0; i < run->node->numel; i++)
        out[i] = -1;
#define LARGER(T)                                                                                 \
    do {                                                                                          \
        const T *column = (const T *)x->data + j * x->strides[1];                                 \
        const T v = column[i * x->strides[0]], r = *best < 0 ? 0 : column[*best * x->strides[0]]; \
        if (*best < 0 || v > r || (v != v && r == r))                                             \
            *best = i;                                                                            \
    } while (0)
    for (int64_t i = 0; i < x->dims[0]; i++) {
        if (!((const bool *)counted->data)[i * counted->strides[0]])
            continue;
        const int64_t to = ((const int64_t *)bag->data)[i * bag->strides[0]];
        for (int64_t j = 0; j < width; j++) {
            int64_t *best = out + to * width + j;
            if (x->dtype == RG_F32)
                LARGER(float);
            else
                LARGER(double);
        }
    }
#undef LARGER
    return true;
}

/* The bag of each index, [n]; *bags: how many there are. Nil and an error where index and offsets do not fit. */
static rg_tensor bags_of(rg_tape *t, const rg__op *op, const rg__node *index, rg_tensor offsets, bool closed,
                         int64_t *bags)
{
    const bool by_offset = !rg_is_nil(offsets);
    if (index->rank != (by_offset ? 1 : 2)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "index %s: [bags, n] without offsets, or [n] with them, is needed",
                 RG__NODE_TEXT(index));
        return RG_NIL;
    }
    if (!by_offset) {
        *bags = index->dims[0];
        const rg_tensor number = rg_unsqueeze(t, rg_arange(t, RG_I64, 0, (double)*bags, 1), 1);
        return rg_reshape(t, rg_expand(t, number, RG_SHAPE(*bags, index->dims[1])), RG_SHAPE(index->numel));
    }
    const rg__node *n = rg__arg_of(t, op, offsets, RG__INTEGER);
    if (!n)
        return RG_NIL;
    *bags = n->rank == 1 ? n->dims[0] - closed : -1;
    if (*bags < 0 || (*bags == 0 && index->numel > 0)) {
        rg__fail(t, op, RG_ERROR_SHAPE, "offsets %s for %lld indices: a vector of where each bag begins%s is needed",
                 RG__NODE_TEXT(n), (long long)index->numel, closed ? ", and of their number," : "");
        return RG_NIL;
    }
    offsets = rg_cast(t, offsets, RG_I64);
    return rg__record(t, OP(bag_of), &offsets, 1, RG_I64, 1, &index->numel, &(struct bag_of){index->numel, closed});
}

/* Rows added up bag by bag. */
static rg_tensor summed(rg_tape *t, rg_tensor rows, rg_tensor bag, int64_t bags)
{
    const rg_shape s = rg_shape_of(t, rows);
    const rg_tensor zeros = rg_zeros(t, rg_dtype_of(t, rows), RG_SHAPE(bags, s.dims[1]));
    return rg_scatter_add(t, zeros, 0, rg_expand(t, rg_unsqueeze(t, bag, 1), s), rows);
}

static rg_tensor largest(rg_tape *t, rg_tensor rows, rg_tensor bag, rg_tensor kept, int64_t bags)
{
    const rg_shape s = rg_shape_of(t, rows);
    const rg_tensor zero = rg_constant(t, RG_I64, 0);
    rg_tensor counted = rg_is_nil(kept) ? rg_ones(t, RG_BOOL, RG_SHAPE(s.dims[0])) : rg_squeeze(t, kept, RG_AXES(1));
    if (rg_failed(t))
        return RG_NIL;
    const int64_t dims[2] = {bags, s.dims[1]};
    const rg_tensor at =
        rg__record(t, OP(bag_argmax), (rg_tensor[]){rows, bag, counted}, 3, RG_I64, 2, dims, &(struct bag_argmax){bags});
    const rg_tensor found = rg_gather(t, rows, 0, rg_maximum(t, at, zero));
    return rg_where(t, rg_lt(t, at, zero), rg__like(t, rows, 0), found);
}

static bool check_weights(rg_tape *t, const rg__op *op, rg_tensor weights, const rg__node *index,
                          const rg__node *weight, rg_bag_mode mode)
{
    const rg__node *n = rg__arg_of(t, op, weights, RG__FLOATS);
    if (!n || !same_dtype(t, op, "weights", n, weight))
        return false;
    if (mode == RG_BAG_SUM && rg__dims_equal(n->rank, n->dims, index->rank, index->dims))
        return true;
    rg__fail(t, op, RG_ERROR_SHAPE, "weights %s for index %s: they need RG_BAG_SUM and the same shape",
             RG__NODE_TEXT(n), RG__NODE_TEXT(index));
    return false;
}

rg_tensor rg_embedding_bag(rg_tape *t, rg_tensor index, rg_tensor weight, rg_tensor offsets, rg_tensor weights,
                           const rg_embedding_bag_config *config)
{
    const rg__op *op = OP(embedding_bag);
    const rg_embedding_bag_config c = config ? *config : (rg_embedding_bag_config){0};
    const rg__node *ni = rg__arg_of(t, op, index, RG__INTEGER), *nw;
    int64_t padding, bags = 0;
    if (!ni || !check_weight(t, op, weight, c.padding, &nw, &padding) ||
        (!rg_is_nil(weights) && !check_weights(t, op, weights, ni, nw, c.mode)))
        return RG_NIL;
    if ((unsigned)c.mode > RG_BAG_MAX)
        rg__fail(t, op, RG_ERROR_ARGUMENT, "mode is %d; it must be RG_BAG_MEAN, RG_BAG_SUM or RG_BAG_MAX", (int)c.mode);
    const rg_tensor bag = bags_of(t, op, ni, offsets, c.include_last_offset, &bags);
    if (rg_failed(t))
        return RG_NIL;
    rg_tensor kept, rows = rows_at(t, rg_reshape(t, index, RG_SHAPE(ni->numel)), weight, padding, &kept);
    if (c.mode == RG_BAG_MAX && ni->numel > 0)
        return largest(t, rows, bag, kept, bags);
    const rg_tensor zero = rg__like(t, rows, 0), one = rg__like(t, rows, 1);
    if (!rg_is_nil(weights))
        rows = rg_mul(t, rows, rg_reshape(t, weights, RG_SHAPE(ni->numel, 1)));
    if (!rg_is_nil(kept))
        rows = rg_where(t, kept, rows, zero);
    const rg_tensor sum = summed(t, rows, bag, bags);
    if (c.mode != RG_BAG_MEAN)
        return sum;
    const rg_tensor each =
        rg_is_nil(kept) ? rg_expand(t, one, RG_SHAPE(ni->numel, 1)) : rg_cast(t, kept, rg_dtype_of(t, rows));
    return rg_div(t, sum, rg_maximum(t, summed(t, each, bag, bags), one));
}

/* ---- dropout ---- */

/* Extent 1 behind the first two axes; false and an error where there are not two. */
static bool feature_shape(rg_tape *t, const rg__op *op, rg_tensor x, rg_shape *shape)
{
    *shape = rg_shape_of(t, x);
    if (shape->rank < 2)
        rg__fail(t, op, RG_ERROR_SHAPE, "x %s must have rank 2 or more: samples, channels, ...",
                 RG__DIMS_TEXT(shape->rank, shape->dims));
    for (int i = 2; i < shape->rank; i++)
        shape->dims[i] = 1;
    return shape->rank >= 2;
}

rg_tensor rg_feature_dropout(rg_tape *t, rg_tensor x, double p, bool training)
{
    const rg__op *op = OP(feature_dropout);
    rg_shape mask;
    if (!rg__arg_of(t, op, x, RG__FLOATS) || !check_share(t, op, p) || !feature_shape(t, op, x, &mask))
        return RG_NIL;
    return training ? dropped(t, x, p, mask) : x;
}

/* Affine, so that x of mean 0 and variance 1 keeps them where `dropped` ones are at -alpha. */
static rg_tensor alpha_dropped(rg_tape *t, rg_tensor x, double p, rg_shape mask)
{
    const double alpha = 1.7580993408473766; /* selu(-infinity) is -alpha */
    if (p == 0)
        return x;
    if (p == 1)
        return rg_mul_scalar(t, x, 0);
    const double a = 1 / sqrt((alpha * alpha * p + 1) * (1 - p)), shift = alpha * a * p;
    const rg_tensor kept = rg_bernoulli(t, mask, 1 - p);
    return rg_where(t, kept, rg_add_scalar(t, rg_mul_scalar(t, x, a), shift), rg__like(t, x, shift - alpha * a));
}

rg_tensor rg_alpha_dropout(rg_tape *t, rg_tensor x, double p, bool training)
{
    const rg__op *op = OP(alpha_dropout);
    if (!rg__arg_of(t, op, x, RG__FLOATS) || !check_share(t, op, p))
        return RG_NIL;
    return training ? alpha_dropped(t, x, p, rg_shape_of(t, x)) : x;
}

rg_tensor rg_feature_alpha_dropout(rg_tape *t, rg_tensor x, double p, bool training)
{
    const rg__op *op = OP(feature_alpha_dropout);
    rg_shape mask;
    if (!rg__arg_of(t, op, x, RG__FLOATS) || !check_share(t, op, p) || !feature_shape(t, op, x, &mask))
        return RG_NIL;
    return training ? alpha_dropped(t, x, p, mask) : x;
}

/* ---- by name ---- */

#define ATTENTION                                            \
    &((rg_attention_config){.causal = RG__FLAG_OF(causal),   \
                            .grouped = RG__FLAG_OF(grouped), \
                            .dropout = RG__REAL_OF(dropout), \
                            .scale = RG__REAL_OF(scale)})
#define PADDING (rg__call_given(c, "padding") ? &(int64_t){RG__INT_OF(padding)} : NULL)
#define BAGS    &((rg_embedding_bag_config){(rg_bag_mode)RG__WORD_OF(mode), RG__FLAG_OF(include_last_offset), PADDING})
RG__CALL(scaled_dot_product_attention, rg_scaled_dot_product_attention(t, in[0], in[1], in[2], in[3], ATTENTION))
RG__CALL(gumbel_softmax, rg_gumbel_softmax(t, in[0], RG__REAL_OF(tau), RG__FLAG_OF(hard), RG__AXIS_OF(axis)))
RG__CALL(embedding, rg_embedding(t, in[0], in[1], PADDING))
RG__CALL(embedding_bag, rg_embedding_bag(t, in[0], in[1], in[2], in[3], BAGS))
RG__CALL(feature_dropout, rg_feature_dropout(t, in[0], RG__REAL_OF(p), RG__FLAG_OF(training)))
RG__CALL(alpha_dropout, rg_alpha_dropout(t, in[0], RG__REAL_OF(p), RG__FLAG_OF(training)))
RG__CALL(feature_alpha_dropout, rg_feature_alpha_dropout(t, in[0], RG__REAL_OF(p), RG__FLAG_OF(training)))

/* ---- samples ---- */

#define DRAW(...) RG__DRAW(draw, RG_SHAPE(__VA_ARGS__), RG__REAL)
static const rg__domain apart = {RG__DISTINCT, -1, 0};

static rg_tensor sample_scaled_dot_product_attention(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    static const bool seen[] = {true, false, true, true, false, false, false, false};
    static const rg_attention_config configs[] = {
        {0}, {.causal = true}, {.scale = .25}, {.grouped = true}, {.dropout = .5}, {.grouped = true, .causal = true}};
    enum { CONFIGS = sizeof configs / sizeof *configs };
    rg_tensor q, k, v;
    if (index < CONFIGS) {
        const bool grouped = configs[index].grouped;
        q = grouped ? DRAW(1, 4, 2, 3) : DRAW(2, 3, 4);
        k = grouped ? DRAW(1, 2, 3, 3) : DRAW(2, 2, 4);
        v = grouped ? DRAW(1, 2, 3, 2) : DRAW(2, 2, 3);
        return rg_scaled_dot_product_attention(t, q, k, v, RG_NIL, &configs[index]);
    }
    switch (index - CONFIGS) {
    case 0: /* the last query sees nothing */
        q = DRAW(2, 2, 3), k = DRAW(4, 3), v = DRAW(4, 2);
        return rg_scaled_dot_product_attention(t, q, k, v, rg_input_bool(t, RG_SHAPE(2, 4), seen), NULL);
    case 1:
        q = DRAW(2, 3), k = rg_transpose(t, DRAW(3, 4), 0, 1), v = rg_flip(t, DRAW(4, 2), RG_ALL);
        return rg_scaled_dot_product_attention(t, q, k, v, DRAW(2, 4), NULL);
    case 2:
        q = DRAW(2, 0, 3), k = DRAW(2, 2, 3), v = DRAW(2, 2, 3);
        return rg_scaled_dot_product_attention(t, q, k, v, RG_NIL, NULL);
    case 3:
        q = DRAW(2, 3), k = DRAW(0, 3), v = DRAW(0, 2);
        return rg_scaled_dot_product_attention(t, q, k, v, RG_NIL, NULL);
    default: return RG_NIL;
    }
}

static const int64_t some[] = {2, 0, 1, 2, 3, 0};

static rg_tensor sample_embedding(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    static const int64_t unused[] = {4, -1}; /* differences know nothing of padding: it is a row that no index names */
    if (index > 3)
        return RG_NIL;
    const rg_tensor weight = index == 3 ? rg_transpose(t, DRAW(2, 5), 0, 1) : DRAW(5, 2);
    const rg_tensor at = rg_input_i64(t, index == 2 ? RG_SHAPE(0) : RG_SHAPE(2, 3), some);
    return rg_embedding(t, at, weight, index < 2 ? &unused[index] : NULL);
}

static rg_tensor sample_embedding_bag(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    static const int64_t begins[] = {0, 2, 2, 5, 6}, two = 2;
    if (index > 8)
        return RG_NIL;
    const rg_tensor weight = RG__DRAW(draw, RG_SHAPE(4, 2), apart);
    rg_embedding_bag_config c = {.mode = (rg_bag_mode)(index % 3)};
    if (index < 3)
        return rg_embedding_bag(t, rg_input_i64(t, RG_SHAPE(2, 3), some), weight, RG_NIL,
                                index == 1 ? DRAW(2, 3) : RG_NIL, &c);
    c.padding = index > 5 ? &two : NULL;
    c.include_last_offset = index > 5;
    const rg_tensor offsets = rg_input_i64(t, RG_SHAPE(index > 5 ? 5 : 4), begins);
    return rg_embedding_bag(t, rg_input_i64(t, RG_SHAPE(6), some), weight, offsets, index == 4 ? DRAW(6) : RG_NIL, &c);
}

static rg_tensor sample_bag_of(rg__draw *draw, int index)
{
    static const int64_t begins[] = {0, 2, 2, 5};
    return index > 0 ? RG_NIL
                     : rg__record(draw->t, OP(bag_of), (rg_tensor[]){rg_input_i64(draw->t, RG_SHAPE(4), begins)}, 1,
                                  RG_I64, 1, &(int64_t){6}, &(struct bag_of){6, 0});
}

static rg_tensor sample_bag_argmax(rg__draw *draw, int index)
{
    rg_tape *t = draw->t;
    static const int64_t bag[] = {0, 0, 2, 2, 2};
    static const bool counted[] = {true, true, false, true, true};
    const int64_t dims[2] = {3, 2};
    if (index > 0)
        return RG_NIL;
    const rg_tensor in[3] = {DRAW(5, 2), rg_input_i64(t, RG_SHAPE(5), bag), rg_input_bool(t, RG_SHAPE(5), counted)};
    return rg__record(t, OP(bag_argmax), in, 3, RG_I64, 2, dims, &(struct bag_argmax){3});
}

#define SAMPLE(name, n, ...)                                  \
    static rg_tensor sample_##name(rg__draw *draw, int index) \
    {                                                         \
        rg_tape *t = draw->t;                                 \
        return index < (n) ? (__VA_ARGS__) : RG_NIL;          \
    }
SAMPLE(gumbel_softmax, 2, rg_gumbel_softmax(t, DRAW(3, 4), .5 + index, false, index - 1))
SAMPLE(feature_dropout, 2, rg_feature_dropout(t, DRAW(3, 4, 2), .5, index == 0))
SAMPLE(alpha_dropout, 2, rg_alpha_dropout(t, DRAW(3, 4), .25, index == 0))
SAMPLE(feature_alpha_dropout, 2, rg_feature_alpha_dropout(t, DRAW(3, 4, 2), .5, index == 0))

RG__FAMILY(attention, ROWS(RG__ROW))
