/* The loops of weighted.c for one float type T, with OF(name), the names. Each is of one unit of work, which threads share. */

/* Row `plane` of [N, C, L]: blocks of it are summed while they are in a cache. */
RG__CLONES static void OF(pick)(const weighted *w, int64_t plane)
{
    const int64_t n = plane / w->channels;
    const T *x = (const T *)w->x + plane * w->elements, *weight = (const T *)w->weight + n * w->taps * w->points;
    const int32_t *index = w->index + n * w->taps * w->points;
    T *out = (T *)w->out + plane * w->points;
    for (int64_t from = 0; from < w->points; from += BLOCK) {
        const int64_t count = w->points - from < BLOCK ? w->points - from : BLOCK;
        T *restrict to = out + from;
        for (int64_t k = 0; k < w->taps; k++) {
            const T *f = weight + k * w->points + from;
            const int32_t *at = index + k * w->points + from;
            if (k == 0)
                for (int64_t j = 0; j < count; j++)
                    to[j] = f[j] * x[at[j]];
            else
                for (int64_t j = 0; j < count; j++)
                    to[j] += f[j] * x[at[j]];
        }
    }
}

/* Plane `plane` of [N, C, P]. */
static void OF(place)(const weighted *w, int64_t plane)
{
    const int64_t n = plane / w->channels, count = w->points;
    const T *g = (const T *)w->g + plane * count, *weight = (const T *)w->weight + n * w->taps * count;
    const int32_t *index = w->index + n * w->taps * count;
    T *out = (T *)w->out + plane * w->elements;
    memset(out, 0, (size_t)w->elements * sizeof *out);
    for (int64_t k = 0; k < w->taps; k++, weight += count, index += count)
        for (int64_t j = 0; j < count; j++)
            out[index[j]] += weight[j] * g[j];
}

/* Row `row` of [N, K, L]. */
RG__CLONES static void OF(weigh)(const weighted *w, int64_t row)
{
    const int64_t n = row / w->taps;
    const T *x = (const T *)w->x + n * w->channels * w->elements, *g = (const T *)w->g + n * w->channels * w->points;
    const int32_t *index = w->index + row * w->points;
    T *restrict out = (T *)w->out + row * w->points;
    memset(out, 0, (size_t)w->points * sizeof *out);
    for (int64_t c = 0; c < w->channels; c++, x += w->elements, g += w->points)
        for (int64_t j = 0; j < w->points; j++)
            out[j] += g[j] * x[index[j]];
}

#undef T
#undef OF
