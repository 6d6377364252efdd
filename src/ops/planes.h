/* Planes: the last one to three axes of an array, all others counted through. Kernels of pooling and resampling work plane
 * by plane, and threads share the planes. Also windows: which elements of an axis go into each element of a result. */
#ifndef RG__OPS_PLANES_H
#define RG__OPS_PLANES_H

#include "ops/op.h"

#define RG__SPATIAL 3 /* axes of a plane, at most */

/* ---- windows along one axis ---- */

/* Window i covers start, start + dilation, ... (`kernel` of them), start = i stride - padding, those that there are. With
 * kernel 0 the axis is cut into `out` windows, which overlap where it does not divide: floor(i in / out) to
 * ceil((i + 1) in / out). */
typedef struct rg__window {
    int64_t in, out, kernel, stride, padding, dilation;
} rg__window;

/* An axis that stays as it is. */
#define RG__SAME_WINDOW(n) ((rg__window){(n), (n), 1, 1, 0, 1})

static inline bool rg__window_is_same(const rg__window *w)
{
    return w->kernel == 1 && w->stride == 1 && w->padding == 0 && w->in == w->out;
}

/* The first element of window i and how many there are, `*step` apart. */
int64_t rg__window_at(const rg__window *w, int64_t i, int64_t *count, int64_t *step);

/* ---- planes ---- */

typedef struct rg__planes {
    const rg__array_view *x;
    int lead;             /* axes that are counted through   */
    bool dense;           /* each plane is row-major         */
    int64_t count, numel; /* of planes; of the elements each */
} rg__planes;

rg__planes rg__planes_of(const rg__array_view *x, int spatial);

/* Plane i, row-major: where it is, or copied to `buffer`, which has room for p->numel elements. */
const void *rg__plane(const rg__planes *p, int64_t i, void *buffer);

/* Calls `work` for every plane, on several threads where the cost (about one a nanosecond) of all is worth it. Each
 * thread has `scratch` bytes of its own. False and an error where there is no memory. */
typedef void (*rg__plane_work)(void *job, int64_t plane, void *scratch);
bool rg__planes_run(const rg__run *run, int64_t planes, int64_t cost, size_t scratch, rg__plane_work work, void *job);

/* Bytes of n elements, so rounded that what follows is aligned. */
static inline size_t rg__plane_bytes(int64_t n, size_t size)
{
    return ((size_t)n * size + RG__ALIGN - 1) & ~(size_t)(RG__ALIGN - 1);
}

#endif
