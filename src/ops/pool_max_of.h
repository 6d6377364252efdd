/* Max pooling of one plane, for one type: included by pool_max.c with T, its integer twin I of the same size (so that
 * comparisons of values choose between positions lane by lane), the least value LOW, MISSING(x), is x NaN, FEW, are there
 * loops for small windows, POOL_CLONES, versions for processors, and OF(name), the names.
 *
 * The windows are taken apart: first along the rows, then across them. What wins is the first of equal elements all the
 * same, for the rows come first; and a NaN beats all that were before it. */

/* Of v and what came before it, b: is v to be taken? All bits, or none. */
static inline __attribute__((always_inline)) I OF(wins)(T v, T b)
{
    return (I) - (I)((v > b) | MISSING(v));
}

/* Chosen by masks: choices between floats become branches. */
static inline __attribute__((always_inline)) I OF(chosen)(I mask, I yes, I no)
{
    return (yes & mask) | (no & ~mask);
}

static inline __attribute__((always_inline)) T OF(value)(I mask, T yes, T no)
{
    I a, b;
    T x;
    memcpy(&a, &yes, sizeof a);
    memcpy(&b, &no, sizeof b);
    a = OF(chosen)(mask, a, b);
    memcpy(&x, &a, sizeof x);
    return x;
}

/* ---- along a row ---- */

/* Of a row that has what windows need on both sides. `at` may be NULL. `stride` and `kernel`, 2 or 3, are constants where
 * this is called, and the elements of a window lie side by side. Written out, for compilers unroll too late. */
static inline __attribute__((always_inline)) void OF(along_few)(const T *restrict row, int64_t n, int64_t kernel,
                                                                int64_t stride, I base, T *restrict best, I *restrict at)
{
    if (at) {
        LANES
        for (int64_t j = 0; j < n; j++) {
            const T x = row[j * stride], y = row[j * stride + 1];
            const I p = (I)(base + (I)(j * stride)), second = OF(wins)(y, x);
            T b = OF(value)(second, y, x);
            I winner = (I)(p - second);
            if (kernel == 3) {
                const T z = row[j * stride + 2];
                const I third = OF(wins)(z, b);
                b = OF(value)(third, z, b);
                winner = OF(chosen)(third, (I)(p + 2), winner);
            }
            best[j] = b;
            at[j] = winner;
        }
        return;
    }
    LANES
    for (int64_t j = 0; j < n; j++) {
        const T x = row[j * stride], y = row[j * stride + 1];
        T b = OF(value)(OF(wins)(y, x), y, x);
        if (kernel == 3) {
            const T z = row[j * stride + 2];
            b = OF(value)(OF(wins)(z, b), z, b);
        }
        best[j] = b;
    }
}

/* The same, of any windows. */
static inline __attribute__((always_inline)) void OF(along)(const T *restrict row, const rg__window *w, int64_t n,
                                                            I base, T *restrict best, I *restrict at)
{
    const int64_t stride = w->stride;
    for (int64_t j = 0; j < n; j++)
        best[j] = row[j * stride];
    for (int64_t j = 0; j < n && at; j++)
        at[j] = (I)(base + (I)(j * stride));
    for (int64_t k = 1; k < w->kernel; k++) {
        const T *x = row + k * w->dilation;
        const I shift = (I)(base + (I)(k * w->dilation));
        if (at) {
            for (int64_t j = 0; j < n; j++) {
                const T v = x[j * stride], b = best[j];
                const bool won = (v > b) | MISSING(v);
                best[j] = won ? v : b;
                at[j] = won ? (I)(shift + (I)(j * stride)) : at[j];
            }
        } else {
            for (int64_t j = 0; j < n; j++) {
                const T v = x[j * stride], b = best[j];
                best[j] = ((v > b) | MISSING(v)) ? v : b;
            }
        }
    }
}

/* Windows of a length each. */
static void OF(along_any)(const T *row, const rg__window *w, I base, T *best, I *at)
{
    for (int64_t j = 0; j < w->out; j++) {
        int64_t count, step, start = rg__window_at(w, j, &count, &step), winner = start;
        T b = row[start];
        for (int64_t k = 1; k < count; k++) {
            const T v = row[start + k * step];
            if (v > b || MISSING(v)) {
                b = v;
                winner = start + k * step;
            }
        }
        best[j] = b;
        if (at)
            at[j] = (I)(base + (I)winner);
    }
}

/* The windows at the left edge, where all that there is is LOW, must not name what is left of it. */
static inline __attribute__((always_inline)) void OF(mend_left)(const rg__window *w, I row, I *at)
{
    for (int64_t j = 0; j < w->out && j * w->stride < w->padding; j++) {
        int64_t count, step;
        if (at[j] < row)
            at[j] = (I)(row + (I)rg__window_at(w, j, &count, &step));
    }
}

/* One row; `padded` has room for it with LOW on both sides, which stand there already. */
static inline __attribute__((always_inline)) void OF(row)(const T *x, const rg__window *w, int64_t n, I base, T *best,
                                                          I *at, const pooling *p, T *padded)
{
    if (w->kernel == 0 || p->few) {
        OF(along_any)(x, w, base, best, at);
        return;
    }
    const T *from = x;
    if (padded) {
        memcpy(padded + w->padding, x, (size_t)p->copied * sizeof *x);
        from = padded;
    }
    const I first = (I)(base - (I)w->padding);
    const bool few = FEW && w->dilation == 1;
    const int64_t kernel = few ? w->kernel : 0, stride = w->stride;
    if (kernel == 2 && stride == 2)
        OF(along_few)(from, n, 2, 2, first, best, at);
    else if (kernel == 3 && stride == 2)
        OF(along_few)(from, n, 3, 2, first, best, at);
    else if (kernel == 3 && stride == 1)
        OF(along_few)(from, n, 3, 1, first, best, at);
    else
        OF(along)(from, w, n, first, best, at);
    if (at && w->padding)
        OF(mend_left)(w, base, at);
}

/* ---- across rows of n ---- */

static inline __attribute__((always_inline)) void OF(across)(const T *x, const I *from, const rg__window *w, int64_t n,
                                                             T *out, I *at)
{
    for (int64_t j = 0; j < w->out; j++, out += n, at = at ? at + n : NULL) {
        int64_t count, step, start = rg__window_at(w, j, &count, &step);
        memcpy(out, x + start * n, (size_t)n * sizeof *x);
        if (at)
            memcpy(at, from + start * n, (size_t)n * sizeof *at);
        for (int64_t k = 1; k < count; k++) {
            const T *v = x + (start + k * step) * n;
            if (at) {
                const I *p = from + (start + k * step) * n;
                LANES
                for (int64_t i = 0; i < n; i++) {
                    const I won = OF(wins)(v[i], out[i]);
                    out[i] = OF(value)(won, v[i], out[i]);
                    at[i] = OF(chosen)(won, p[i], at[i]);
                }
            } else {
                LANES
                for (int64_t i = 0; i < n; i++) {
                    out[i] = OF(value)(OF(wins)(v[i], out[i]), v[i], out[i]);
                }
            }
        }
    }
}

/* ---- a plane ---- */

/* `space` is laid out by scratch_of: values and positions after the rows and after the first of the other axes, the padded
 * row. Indices go to `index`, or values to `values`. */
POOL_CLONES static void OF(pool_plane)(const pooling *p, const T *x, T *values, int64_t *index, char *space)
{
    const rg__window *w = &p->w[2];
    T *const buffer[] = {(T *)(void *)space, (T *)(void *)(space + p->at_second)};
    I *const at_buffer[] = {(I *)(void *)(space + p->at_first), (I *)(void *)(space + p->at_third)};
    T *padded = p->padded ? (T *)(void *)(space + p->at_row) : NULL;
    for (int64_t i = 0; i < p->padded; i++)
        padded[i] = LOW;
    int left = !rg__window_is_same(&p->w[0]) + !rg__window_is_same(&p->w[1]), next = 1;
    T *to = index || left ? buffer[0] : values;
    I *at = index ? at_buffer[0] : NULL;
    int64_t dims[] = {p->w[0].in, p->w[1].in, w->out};
    const int64_t rows = p->joined ? 1 : dims[0] * dims[1], n = p->joined ? dims[0] * dims[1] * w->out : w->out;
    for (int64_t r = 0; r < rows; r++) /* joined, they are one long row */
        OF(row)(x + r * w->in, w, n, (I)(r * w->in), to + r * n, at ? at + r * n : NULL, p, padded);
    for (int axis = 1; axis >= 0; axis--) {
        const rg__window *a = &p->w[axis];
        if (rg__window_is_same(a))
            continue;
        T *const out = index || --left > 0 ? buffer[next] : values;
        I *const out_at = index ? at_buffer[next] : NULL;
        const int64_t inner = axis ? dims[2] : dims[1] * dims[2], outer = axis ? dims[0] : 1;
        for (int64_t z = 0; z < outer; z++) {
            const int64_t from = z * a->in * inner, onto = z * a->out * inner;
            OF(across)(to + from, at ? at + from : NULL, a, inner, out + onto, at ? out_at + onto : NULL);
        }
        dims[axis] = a->out;
        to = out;
        at = out_at;
        next = 1 - next;
    }
    for (int64_t i = 0; i < dims[0] * dims[1] * dims[2] && index; i++)
        index[i] = (int64_t)at[i];
}

static void OF(work)(void *job, int64_t plane, void *scratch)
{
    const pooling *p = job;
    const T *x = rg__plane(&p->x, plane, (char *)scratch + p->at_copy);
    const int64_t n = p->w[0].out * p->w[1].out * p->w[2].out;
    T *values = p->index ? NULL : (T *)p->out + plane * n;
    OF(pool_plane)(p, x, values, p->index ? (int64_t *)p->out + plane * n : NULL, scratch);
}

#undef T
#undef I
#undef LOW
#undef MISSING
#undef FEW
#undef POOL_CLONES
#undef OF
