/* Planes and windows. See planes.h. */
#include "ops/planes.h"

#include <string.h>

int64_t rg__window_at(const rg__window *w, int64_t i, int64_t *count, int64_t *step)
{
    if (w->kernel == 0) {
        const int64_t start = i / w->out * w->in + i % w->out * w->in / w->out, next = i + 1;
        const int64_t end = next / w->out * w->in + (next % w->out * w->in + w->out - 1) / w->out;
        *count = end - start;
        *step = 1;
        return start;
    }
    int64_t start = i * w->stride - w->padding, first = 0;
    if (start < 0)
        first = (-start + w->dilation - 1) / w->dilation;
    start += first * w->dilation;
    const int64_t room = start < w->in ? (w->in - 1 - start) / w->dilation + 1 : 0;
    const int64_t wanted = w->kernel > first ? w->kernel - first : 0;
    *count = wanted < room ? wanted : room;
    *step = w->dilation;
    return start;
}

rg__planes rg__planes_of(const rg__array_view *x, int spatial)
{
    rg__planes p = {x, x->rank - spatial, true, 1, 1};
    for (int i = 0; i < p.lead; i++)
        p.count *= x->dims[i];
    for (int i = x->rank - 1; i >= p.lead; i--) {
        p.dense = p.dense && (x->strides[i] == p.numel || x->dims[i] == 1);
        p.numel *= x->dims[i];
    }
    return p;
}

const void *rg__plane(const rg__planes *p, int64_t i, void *buffer)
{
    const rg__array_view *x = p->x;
    const size_t size = rg_dtype_size(x->dtype);
    int64_t offset = 0;
    for (int axis = p->lead - 1; axis >= 0; axis--) {
        offset += i % x->dims[axis] * x->strides[axis];
        i /= x->dims[axis];
    }
    char *data = (char *)x->data + offset * (int64_t)size;
    if (p->dense)
        return data;
    int64_t strides[RG_MAX_RANK];
    const int rank = x->rank - p->lead;
    rg__row_major(rank, x->dims + p->lead, strides);
    rg__copy(rank, x->dims + p->lead, (rg__strided){buffer, strides, size},
             (rg__strided){data, x->strides + p->lead, size});
    return buffer;
}

bool rg__planes_run(const rg__run *run, int64_t planes, int64_t cost, size_t scratch, rg__plane_work work, void *job)
{
    enum { WORTH_THREADS = 50000 }; /* nanoseconds, about */
    const bool worth = (double)cost * (double)planes >= WORTH_THREADS;
    const int64_t team = !worth || run->threads < 2 ? 1 : planes < run->threads ? planes : run->threads;
    const size_t each = rg__plane_bytes((int64_t)scratch, 1);
    char *memory = each ? rg__pool_get(run->pool, each * (size_t)team) : NULL;
    if (each && !memory)
        return rg__run_fail(run, RG_ERROR_MEMORY, "out of memory");
#pragma omp parallel for num_threads((int)team) schedule(static, 1) if (team > 1)
    for (int64_t i = 0; i < team; i++) {
        const int64_t from = planes / team * i, to = i + 1 == team ? planes : planes / team * (i + 1);
        for (int64_t plane = from; plane < to; plane++)
            work(job, plane, memory ? memory + (size_t)i * each : NULL);
    }
    if (memory)
        rg__pool_put(run->pool, memory, each * (size_t)team);
    return true;
}
