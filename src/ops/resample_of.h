/* Resampling of one plane, for one float type T: included by resample.c, with OF(name), the names. */

/* ---- along rows ---- */

/* As many elements to each of the result, one after the other. */
static inline __attribute__((always_inline)) void OF(along)(const T *x, const taps *a, int64_t count, T *restrict out)
{
    const int64_t n = a->out;
    const T *weight = a->weight;
    const int32_t *restrict at = a->place;
    for (int64_t j = 0; j < n; j++) {
        T sum = weight[j] * x[at[j]];
        for (int64_t k = 1; k < count; k++)
            sum += weight[k * n + j] * x[at[k * n + j]];
        out[j] = sum;
    }
}

/* In f64, for there may be many. */
static inline __attribute__((always_inline)) void OF(along_any)(const T *x, const taps *a, T *restrict out)
{
    const T *weight = a->weight;
    for (int64_t j = 0; j < a->out; j++) {
        const int64_t first = a->first[j], end = a->first[j + 1];
        double sum = first < end ? (double)weight[first] * (double)x[a->place[first]] : 0;
        for (int64_t k = first + 1; k < end; k++)
            sum += (double)weight[k] * (double)x[a->place[k]];
        out[j] = (T)sum;
    }
}

static inline __attribute__((always_inline)) void OF(rows)(const T *x, const taps *a, int64_t rows, T *out)
{
    for (int64_t r = 0; r < rows; r++, x += a->in, out += a->out)
        switch (a->uniform) {
        case 1: OF(along)(x, a, 1, out); break;
        case 2: OF(along)(x, a, 2, out); break;
        case 3: OF(along)(x, a, 3, out); break;
        case 4: OF(along)(x, a, 4, out); break;
        default: OF(along_any)(x, a, out);
        }
}

/* ---- across rows of n ---- */

static inline __attribute__((always_inline)) void OF(across)(const T *x, const taps *a, int64_t n, T *restrict out)
{
    const T *weight = a->weight;
    for (int64_t j = 0; j < a->out; j++, out += n) {
        const int64_t step = a->uniform ? a->out : 1;
        int64_t k = a->uniform ? j : a->first[j], left = a->uniform ? a->uniform : a->first[j + 1] - k;
        if (left == 0) {
            memset(out, 0, (size_t)n * sizeof *out);
            continue;
        }
        if (left == 1) {
            const T *p = x + a->place[k] * n, w = weight[k];
            for (int64_t i = 0; i < n; i++)
                out[i] = w * p[i];
            continue;
        }
        const T *p = x + a->place[k] * n, *q = x + a->place[k + step] * n, w = weight[k], u = weight[k + step];
        for (int64_t i = 0; i < n; i++)
            out[i] = w * p[i] + u * q[i];
        for (k += 2 * step, left -= 2; left > 0; k += step, left--) {
            const T *more = x + a->place[k] * n, v = weight[k];
            for (int64_t i = 0; i < n; i++)
                out[i] += v * more[i];
        }
    }
}

/* ---- a plane ---- */

/* Each element divided by what its row and column say. */
static inline __attribute__((always_inline)) void OF(divide)(const T *x, const taps *a, const int64_t *dims, T *out)
{
    const double *d = a[0].divisor, *h = a[1].divisor, *w = a[2].divisor;
    for (int64_t i = 0; i < dims[0]; i++)
        for (int64_t j = 0; j < dims[1]; j++, x += dims[2], out += dims[2]) {
            const double outer = (d ? d[i] : 1) * (h ? h[j] : 1);
            for (int64_t k = 0; k < dims[2]; k++)
                out[k] = (T)((double)x[k] / (outer * (w ? w[k] : 1)));
        }
}

RG__CLONES static void OF(resample_plane)(const resampling *p, const T *x, T *out, T *first, T *second)
{
    int64_t dims[RG__SPATIAL] = {p->axis[0].in, p->axis[1].in, p->axis[2].in};
    if (p->divides_first) {
        OF(divide)(x, p->axis, dims, first);
        x = first;
    }
    for (int i = 0; i < p->steps; i++) {
        const int at = p->order[i];
        const taps *a = &p->axis[at];
        T *to = i == p->steps - 1 ? out : x == first ? second : first;
        if (at == 2) {
            OF(rows)(x, a, dims[0] * dims[1], to);
        } else {
            const int64_t n = at == 1 ? dims[2] : dims[1] * dims[2], matrices = at == 1 ? dims[0] : 1;
            for (int64_t m = 0; m < matrices; m++)
                OF(across)(x + m * a->in * n, a, n, to + m * a->out * n);
        }
        dims[at] = a->out;
        x = to;
    }
    if (p->divides_last)
        OF(divide)(x, p->axis, dims, out);
}

static void OF(work)(void *job, int64_t plane, void *scratch)
{
    const resampling *p = job;
    char *space = scratch;
    const T *x = rg__plane(&p->x, plane, space + 2 * p->bytes);
    T *out = (T *)p->out + plane * p->numel;
    OF(resample_plane)(p, x, out, (T *)(void *)space, (T *)(void *)(space + p->bytes));
}

#undef T
#undef OF
