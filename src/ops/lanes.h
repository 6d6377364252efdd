/* An array as lanes along one axis: what scans, sorts and order statistics go through, one after the other. */
#ifndef RG__OPS_LANES_H
#define RG__OPS_LANES_H

#include "ops/op.h"

/* Below, a second thread costs more than it gives. */
#define RG__LANES_PARALLEL 32768

typedef struct rg__lanes {
    int64_t count, length;                           /* how many lanes, and elements of each               */
    int64_t step;                                    /* bytes from one element of a lane to the next       */
    int rank;                                        /* the other axes, over which the lanes are numbered  */
    int64_t dims[RG_MAX_RANK], strides[RG_MAX_RANK]; /* bytes */
} rg__lanes;

/* A scalar is one lane of one element. */
static inline rg__lanes rg__lanes_of(const rg__array_view *x, int axis)
{
    const int64_t size = (int64_t)rg_dtype_size(x->dtype);
    rg__lanes l = {.count = 1, .length = 1, .step = size};
    for (int i = 0; i < x->rank; i++) {
        if (i == axis) {
            l.length = x->dims[i];
            l.step = x->strides[i] * size;
        } else {
            l.count *= x->dims[i];
            l.dims[l.rank] = x->dims[i];
            l.strides[l.rank++] = x->strides[i] * size;
        }
    }
    return l;
}

/* Bytes from the array's first element to a lane's. */
static inline int64_t rg__lane_at(const rg__lanes *l, int64_t lane)
{
    int64_t at = 0;
    for (int i = l->rank - 1; i >= 0; i--) {
        at += lane % l->dims[i] * l->strides[i];
        lane /= l->dims[i];
    }
    return at;
}

/* Axis 0 or -1 of a scalar is allowed, as in PyTorch: counted from 0, or -1 and an error. */
static inline int rg__lane_axis(rg_tape *t, const rg__op *op, const rg__node *x, int axis)
{
    return x->rank == 0 && (axis == 0 || axis == -1) ? 0 : rg__axis_of(t, op, x, axis);
}

/* x with the axis as the last one, in storage of its own where that is another than it was; and the way back. */
static inline rg_tensor rg__axis_last(rg_tape *t, rg_tensor x, int axis)
{
    return axis >= rg_shape_of(t, x).rank - 1 ? x : rg_contiguous(t, rg_transpose(t, x, axis, -1));
}

static inline rg_tensor rg__axis_back(rg_tape *t, rg_tensor x, int axis)
{
    return rg_shape_of(t, x).rank == 0 ? x : rg_transpose(t, x, axis, -1);
}

#endif
