/* Sorting along an axis. Positions are computed, values read there: the gradient goes back to where they came from. */
#include "ops/call.h"
#include "ops/family.h"
#include "ops/items.h"
#include "ops/lanes.h"

#define ROWS(ROW)                                                                                                   \
    ROW(argsort, 1, RG__NODIFF, RG__KERNEL, "positions of x in order along the axis", .fallible = true,             \
        RG__ATTR(argsort), RG__CALLED(argsort, "x: any, axis: int = -1, descending: flag = false"))                 \
    ROW(topk_index, 1, RG__NODIFF, RG__KERNEL, "positions of the k first along the last axis", .fallible = true,    \
        RG__ATTR(topk_index))                                                                                       \
    ROW(sort, 1, RG__THROUGH, RG__COMPOSITE, "x in order along the axis",                                           \
        RG__CALLED(sort, "x: any, axis: int = -1, descending: flag = false -> values, indices"))                    \
    ROW(msort, 1, RG__THROUGH, RG__COMPOSITE, "x in order along axis 0", RG__CALLED(msort, "x: any"))               \
    ROW(topk, 1, RG__THROUGH, RG__COMPOSITE, "the k largest x along the axis",                                      \
        RG__CALLED(topk, "x: number, k: int, axis: int = -1, largest: flag = true, sorted: flag = true -> values, " \
                         "indices"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_sort[OP_##name])

/* ---- kernels: along the last axis ---- */

struct argsort {
    int64_t descending;
};
static const rg__field fields_argsort[] = {RG__FIELD(struct argsort, descending, RG__INT), {0}};

static bool kernel_argsort(const rg__run *run)
{
    return rg__sort_rows(run, ((const struct argsort *)run->node->attr)->descending);
}

struct topk_index {
    int64_t k, largest, sorted;
};
static const rg__field fields_topk_index[] = {RG__FIELD(struct topk_index, k, RG__INT),
                                              RG__FIELD(struct topk_index, largest, RG__INT),
                                              RG__FIELD(struct topk_index, sorted, RG__INT),
                                              {0}};

static void first_of_row(const rg__run *run, const rg__items *k, void *items, void *spare, int64_t n, int64_t *out)
{
    const struct topk_index *a = run->node->attr;
    k->least(items, spare, n, a->k, a->sorted);
    k->store(items, 0, a->k, out);
}

static bool kernel_topk_index(const rg__run *run)
{
    const struct topk_index *a = run->node->attr;
    return rg__each_row(run, a->largest, a->k, first_of_row);
}

/* ---- recording ---- */

rg_tensor rg_argsort(rg_tape *t, rg_tensor x, int axis, bool descending)
{
    const rg__op *op = OP(argsort);
    const rg__node *n = rg__arg(t, op, x);
    const int at = n ? rg__lane_axis(t, op, n, axis) : -1;
    if (at < 0)
        return RG_NIL;
    const rg_tensor rows = rg__axis_last(t, x, at);
    const rg_shape s = rg_shape_of(t, rows);
    return rg__axis_back(t, rg__record(t, op, &rows, 1, RG_I64, s.rank, s.dims, &(struct argsort){descending}), at);
}

/* The values at the positions, and the positions for those who want them. */
static rg_tensor values_at(rg_tape *t, rg_tensor x, int axis, rg_tensor found, rg_tensor *index)
{
    if (index)
        *index = found;
    return rg_gather(t, x, axis, found);
}

static rg_tensor nothing(rg_tensor *index)
{
    if (index)
        *index = RG_NIL;
    return RG_NIL;
}

rg_tensor rg_sort(rg_tape *t, rg_tensor x, int axis, bool descending, rg_tensor *index)
{
    const rg__node *n = rg__arg(t, OP(sort), x);
    const int at = n ? rg__lane_axis(t, OP(sort), n, axis) : -1;
    return at < 0 ? nothing(index) : values_at(t, x, at, rg_argsort(t, x, at, descending), index);
}

rg_tensor rg_msort(rg_tape *t, rg_tensor x)
{
    return rg__arg(t, OP(msort), x) ? rg_sort(t, x, 0, false, NULL) : RG_NIL;
}

rg_tensor rg_topk(rg_tape *t, rg_tensor x, int64_t k, int axis, bool largest, bool sorted, rg_tensor *index)
{
    const rg__op *op = OP(topk);
    const rg__node *n = rg__arg_of(t, op, x, RG__NUMBER);
    const int at = n ? rg__lane_axis(t, op, n, axis) : -1;
    if (at < 0)
        return nothing(index);
    const int64_t extent = n->rank ? n->dims[at] : 1;
    if (k < 0 || k > extent) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "k is %lld; 0 to %lld are allowed along axis %d of %s", (long long)k,
                 (long long)extent, axis, RG__NODE_TEXT(n));
        return nothing(index);
    }
    const rg_tensor rows = rg__axis_last(t, x, at);
    rg_shape s = rg_shape_of(t, rows);
    if (s.rank == 0 && k == 0) { /* there is no axis to be of extent 0 */
        rg__fail(t, op, RG_ERROR_ARGUMENT, "k is 0; 1 is allowed for a scalar");
        return nothing(index);
    }
    if (s.rank)
        s.dims[s.rank - 1] = k;
    const rg_tensor found =
        rg__record(t, OP(topk_index), &rows, 1, RG_I64, s.rank, s.dims, &(struct topk_index){k, largest, sorted});
    return values_at(t, x, at, rg__axis_back(t, found, at), index);
}

/* ---- by name ---- */

RG__CALL(argsort, rg_argsort(t, in[0], RG__AXIS_OF(axis), RG__FLAG_OF(descending)))
RG__CALL(msort, rg_msort(t, in[0]))

static int call_sort(const rg__call *c, rg_tensor *out)
{
    out[0] = rg_sort(c->t, c->in[0], RG__AXIS_OF(axis), RG__FLAG_OF(descending), &out[1]);
    return 2;
}

static int call_topk(const rg__call *c, rg_tensor *out)
{
    out[0] =
        rg_topk(c->t, c->in[0], RG__INT_OF(k), RG__AXIS_OF(axis), RG__FLAG_OF(largest), RG__FLAG_OF(sorted), &out[1]);
    return 2;
}

/* ---- samples ---- */

static const rg__domain apart = {RG__DISTINCT, -1, 0};

/* Inputs of many kinds: along the last axis, another, transposed, flipped, empty, a scalar. */
static rg_tensor input_of(rg__draw *draw, int index, int *axis)
{
    rg_tape *t = draw->t;
    *axis = index == 1 ? 0 : index == 2 ? 1 : -1;
    switch (index) {
    case 0:
    case 1: return RG__DRAW(draw, RG_SHAPE(4, 5), apart);
    case 2: return RG__DRAW(draw, RG_SHAPE(2, 5, 3), apart);
    case 3: return rg_transpose(t, RG__DRAW(draw, RG_SHAPE(3, 4), apart), 0, 1);
    case 4: return rg_flip(t, RG__DRAW(draw, RG_SHAPE(2, 4), apart), RG_ALL);
    case 5: return RG__DRAW(draw, RG_SCALAR, apart);
    case 6: return RG__DRAW(draw, RG_SHAPE(0, 3), apart);
    case 7: return RG__DRAW(draw, RG_SHAPE(300), apart);
    default: return RG_NIL;
    }
}
#define SAMPLE(name, ...)                                     \
    static rg_tensor sample_##name(rg__draw *draw, int index) \
    {                                                         \
        rg_tape *t = draw->t;                                 \
        int axis;                                             \
        const rg_tensor x = input_of(draw, index, &axis);     \
        return rg_is_nil(x) ? RG_NIL : (__VA_ARGS__);         \
    }
SAMPLE(argsort, rg_argsort(t, x, axis, index % 2))
SAMPLE(sort, rg_sort(t, x, axis, index % 2, NULL))
SAMPLE(msort, rg_msort(t, x))
SAMPLE(topk, rg_topk(t, x, rg_shape_of(t, x).rank ? rg_dim(t, x, axis) - (rg_dim(t, x, axis) > 2) : 1, axis, index % 2,
                     index != 3, NULL))

static rg_tensor sample_topk_index(rg__draw *draw, int index)
{
    rg_tensor found = RG_NIL;
    if (index < 2)
        rg_topk(draw->t, RG__DRAW(draw, RG_SHAPE(3, 40), apart), index ? 36 : 3, -1, index, index, &found);
    return found;
}

RG__FAMILY(sort, ROWS(RG__ROW))
