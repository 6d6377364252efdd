/* Recording of the primitive below averages over windows and interpolation, in resample.c. */
#ifndef RG__OPS_RESAMPLE_H
#define RG__OPS_RESAMPLE_H

#include "ops/planes.h"

/* How an element of the result is made of elements of the axis. */
typedef enum rg__resampling {
    RG__RESAMPLE_SAME,           /* as it is                                                               */
    RG__RESAMPLE_SUM,            /* of a window                                                            */
    RG__RESAMPLE_MEAN,           /* the same, divided by its extent, what there is of it                   */
    RG__RESAMPLE_MEAN_PADDED,    /* the same, padding counted                                              */
    RG__RESAMPLE_NEAREST,        /* in floor(i scale)                                                      */
    RG__RESAMPLE_NEAREST_CENTRE, /* in floor((i + 1/2) scale)                                              */
    RG__RESAMPLE_LINEAR,         /* between the two next to (i + 1/2) scale - 1/2, inside                  */
    RG__RESAMPLE_LINEAR_CORNERS, /* between the two next to i scale                                        */
    RG__RESAMPLE_CUBIC,          /* of the four next to it, by Keys' cubic convolution with A = -3/4; the
                                    elements at the edges are repeated outwards                            */
    RG__RESAMPLE_CUBIC_CORNERS,
} rg__resampling;

typedef struct rg__resample_axis {
    int64_t how;
    rg__window window; /* in and out of all kinds; the rest of windows alone */
    double scale;      /* elements of x to an element of the result          */
} rg__resample_axis;
#define RG__RESAMPLE_NOTHING(n) ((rg__resample_axis){RG__RESAMPLE_SAME, RG__SAME_WINDOW(n), 0})

/* Each of the last `spatial` axes resampled; `axis` has RG__SPATIAL entries, those of axes that are not there first. */
rg_tensor rg__resample(rg_tape *t, rg_tensor x, int spatial, const rg__resample_axis *axis);

#endif
