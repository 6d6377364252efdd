/* Convolution without a stored matrix of windows: sums of shifted rows, weighted, in registers. */
#ifndef RG__EXEC_KERNELS_CONV_H
#define RG__EXEC_KERNELS_CONV_H

#include "core/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RG__CONV_AXES = 3 };

/* y[n, o, p] = sum over c and k of X[n, c, p stride + k dilation - before] w[o, c, k], for each group of channels; X is x
 * with spread - 1 zeros between its elements, and zero outside of it. Axes that are not there have extent, stride,
 * dilation and spread 1, and nothing before. */
typedef struct rg__conv_shape {
    int64_t images, groups, in, out; /* channels of one group */
    int64_t x[RG__CONV_AXES], k[RG__CONV_AXES], y[RG__CONV_AXES];
    int64_t stride[RG__CONV_AXES], dilation[RG__CONV_AXES], spread[RG__CONV_AXES], before[RG__CONV_AXES];
} rg__conv_shape;

/* Any strides, in elements: of image (weights: output channel), channel, and the three axes. */
typedef struct rg__conv_array {
    const char *data;
    int64_t strides[2 + RG__CONV_AXES];
} rg__conv_array;

/* y [images, groups out, y...] is row-major; elements have `size` bytes, 4 for f32 and 8 for f64. Memory for packing comes
 * from the pool, on the calling thread. The result does not depend on the number of threads. False: out of memory. */
bool rg__conv(size_t size, const rg__conv_shape *s, rg__conv_array x, rg__conv_array w, void *y, int threads,
              rg__pool *pool);

/* w[o, c, k] = sum over n and p of X[n, c, p stride + k dilation - before] y[n, o, p], row-major: the gradient of <y, g>
 * with respect to w is this of x and g. */
bool rg__conv_weight(size_t size, const rg__conv_shape *s, rg__conv_array x, rg__conv_array y, void *w, int threads,
                     rg__pool *pool);

#endif
