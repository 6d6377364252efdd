/* Views through copies: where a copy, or anything else that is equal to a view, is itself looked at through a view, the two
 * are one view of the original, as long as strides can say so. */
#include "exec/simplify.h"

/* The axes of an array, without those of extent 1, and those joined that lie one behind the other. */
typedef struct axes {
    int rank;
    int64_t extent[RG_MAX_RANK], stride[RG_MAX_RANK];
    int64_t place[RG_MAX_RANK]; /* elements that one step is worth when the array is counted row by row */
} axes;

static axes joined_axes(int rank, const int64_t *dims, const int64_t *strides)
{
    axes a = {.rank = 0};
    for (int i = 0; i < rank; i++) {
        if (dims[i] == 1)
            continue;
        if (a.rank > 0 && a.stride[a.rank - 1] == strides[i] * dims[i]) {
            a.extent[a.rank - 1] *= dims[i];
            a.stride[a.rank - 1] = strides[i];
        } else {
            a.extent[a.rank] = dims[i];
            a.stride[a.rank++] = strides[i];
        }
    }
    int64_t place = 1;
    for (int i = a.rank; i-- > 0; place *= a.extent[i])
        a.place[i] = place;
    return a;
}

/* A step of the view is so many steps along one axis of the array; the axis, or -1 for none. */
static int axis_of_step(const axes *a, int64_t step)
{
    for (int i = 0; i < a->rank; i++)
        if (step % a->place[i] == 0)
            return i;
    return -1;
}

/* Row-major counting in a's extents tells an element's index along each axis; it holds for all elements of the view if
 * none of its steps leaves an axis at either end. */
static bool map_strides(const axes *a, const rg__node *view, int64_t *strides, int64_t *offset)
{
    int64_t low[RG_MAX_RANK], high[RG_MAX_RANK];
    *offset = 0;
    for (int i = 0; i < a->rank; i++) {
        low[i] = high[i] = view->offset / a->place[i] % a->extent[i];
        *offset += low[i] * a->stride[i];
    }
    int64_t steps[RG_MAX_RANK];
    rg__node_strides(view, steps);
    for (int k = 0; k < view->rank; k++) {
        strides[k] = 0;
        if (steps[k] == 0 || view->dims[k] == 1)
            continue;
        const int i = axis_of_step(a, steps[k]);
        if (i < 0)
            return false;
        const int64_t along = steps[k] / a->place[i], span = along * (view->dims[k] - 1);
        *(span < 0 ? &low[i] : &high[i]) += span;
        if (low[i] < 0 || high[i] >= a->extent[i])
            return false;
        strides[k] = along * a->stride[i];
    }
    return true;
}

bool rg__view_through(rg__build *b, uint32_t x, int rank, const int64_t *dims, uint32_t y, uint32_t *view)
{
    const rg__node *v = rg__build_node(b, x), *w = rg__build_node(b, y);
    int64_t own[RG_MAX_RANK], strides[RG_MAX_RANK], offset;
    if (v->offset == 0 && !v->strides && rg__dims_equal(v->rank, v->dims, rank, dims)) {
        *view = rg__add_expanded(b, y, rank, dims);
        return true;
    }
    rg__node_strides(w, own);
    rg__broadcast_strides(w->rank, w->dims, own, rank, dims, strides);
    const axes a = joined_axes(rank, dims, strides);
    if (v->numel == 0 || !map_strides(&a, v, strides, &offset))
        return false;
    *view = rg__add_view(b, w->root, v->rank, v->dims, strides, w->offset + offset);
    return true;
}
