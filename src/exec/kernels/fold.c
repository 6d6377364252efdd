/* Folding blocks. See fold.h. */
#include "exec/kernels/fold.h"

#include "exec/kernels/clones.h"

#include <math.h>

#define ADD(r, v)     ((r) + (v))
#define LARGER(r, v)  ((v) > (r) || (v) != (v) ? (v) : (r))
#define SMALLER(r, v) ((v) < (r) || (v) != (v) ? (v) : (r))

/* LANES running folds side by side, joined in pairs at the end. */
#define LANES 32

#define FOLDS(name, T, JOIN, FIRST)                                                                          \
    RG__CLONES static T name##_run(const T *in, int64_t n)                                                   \
    {                                                                                                        \
        T lane[LANES];                                                                                       \
        for (int k = 0; k < LANES; k++)                                                                      \
            lane[k] = FIRST;                                                                                 \
        int64_t i = 0;                                                                                       \
        for (; i + LANES <= n; i += LANES)                                                                   \
            for (int k = 0; k < LANES; k++)                                                                  \
                lane[k] = JOIN(lane[k], in[i + k]);                                                          \
        for (int k = 0; i < n; i++, k++)                                                                     \
            lane[k] = JOIN(lane[k], in[i]);                                                                  \
        for (int half = LANES / 2; half > 0; half /= 2)                                                      \
            for (int k = 0; k < half; k++)                                                                   \
                lane[k] = JOIN(lane[k], lane[k + half]);                                                     \
        return lane[0];                                                                                      \
    }                                                                                                        \
    static void name##_rows(void *out, const void *in, int64_t rows, int64_t columns)                        \
    {                                                                                                        \
        for (int64_t r = 0; r < rows; r++)                                                                   \
            ((T *)out)[r] = name##_run((const T *)in + r * columns, columns);                                \
    }                                                                                                        \
    RG__CLONES static void name##_onto(void *sums, const void *in, int64_t rows, int64_t columns)            \
    {                                                                                                        \
        T *restrict p = (T *)sums;                                                                           \
        for (int64_t r = 0; r < rows; r++) {                                                                 \
            const T *restrict x = (const T *)in + r * columns;                                               \
            for (int64_t c = 0; c < columns; c++)                                                            \
                p[c] = JOIN(p[c], x[c]);                                                                     \
        }                                                                                                    \
    }                                                                                                        \
    static void name##_clear(void *sums, int64_t n)                                                          \
    {                                                                                                        \
        for (int64_t i = 0; i < n; i++)                                                                      \
            ((T *)sums)[i] = FIRST;                                                                          \
    }                                                                                                        \
    RG__CLONES static void name##_columns(double *restrict p, const void *in, int64_t rows, int64_t columns) \
    {                                                                                                        \
        int64_t r = 0;                                                                                       \
        for (; r + 4 <= rows; r += 4) { /* four rows for each time that the results are read and written */  \
            const T *restrict x = (const T *)in + r * columns, *restrict y = x + columns;                    \
            const T *restrict z = y + columns, *restrict w = z + columns;                                    \
            for (int64_t c = 0; c < columns; c++) {                                                          \
                double v = JOIN(p[c], (double)x[c]);                                                         \
                v = JOIN(v, (double)y[c]);                                                                   \
                v = JOIN(v, (double)z[c]);                                                                   \
                p[c] = JOIN(v, (double)w[c]);                                                                \
            }                                                                                                \
        }                                                                                                    \
        for (; r < rows; r++) {                                                                              \
            const T *restrict x = (const T *)in + r * columns;                                               \
            for (int64_t c = 0; c < columns; c++)                                                            \
                p[c] = JOIN(p[c], (double)x[c]);                                                             \
        }                                                                                                    \
    }                                                                                                        \
    static void name##_all(double *p, const void *in, int64_t n)                                             \
    {                                                                                                        \
        double v = (double)name##_run(in, n);                                                                \
        *p = JOIN(*p, v);                                                                                    \
    }

FOLDS(sum_f32, float, ADD, 0)
FOLDS(sum_f64, double, ADD, 0)
FOLDS(max_f32, float, LARGER, -INFINITY)
FOLDS(max_f64, double, LARGER, -INFINITY)
FOLDS(min_f32, float, SMALLER, INFINITY)
FOLDS(min_f64, double, SMALLER, INFINITY)

/* ---- sums of products ---- */

#define PRODUCTS(name, T)                                                                               \
    RG__CLONES static void name(void *out, const void *a, const void *b, int64_t rows, int64_t columns) \
    {                                                                                                   \
        for (int64_t r = 0; r < rows; r++) {                                                            \
            const T *x = (const T *)a + r * columns, *y = (const T *)b + r * columns;                   \
            T lane[LANES];                                                                              \
            for (int k = 0; k < LANES; k++)                                                             \
                lane[k] = 0;                                                                            \
            int64_t i = 0;                                                                              \
            for (; i + LANES <= columns; i += LANES)                                                    \
                for (int k = 0; k < LANES; k++)                                                         \
                    lane[k] += x[i + k] * y[i + k];                                                     \
            for (int k = 0; i < columns; i++, k++)                                                      \
                lane[k] += x[i] * y[i];                                                                 \
            for (int half = LANES / 2; half > 0; half /= 2)                                             \
                for (int k = 0; k < half; k++)                                                          \
                    lane[k] += lane[k + half];                                                          \
            ((T *)out)[r] = lane[0];                                                                    \
        }                                                                                               \
    }
PRODUCTS(products_f32, float)
PRODUCTS(products_f64, double)

void rg__fold_products(rg_dtype dtype, void *out, const void *a, const void *b, int64_t rows, int64_t columns)
{
    (dtype == RG_F32 ? products_f32 : products_f64)(out, a, b, rows, columns);
}

static const struct {
    void (*rows)(void *out, const void *in, int64_t rows, int64_t columns);
    void (*columns)(double *restrict partial, const void *in, int64_t rows, int64_t columns);
    void (*all)(double *partial, const void *in, int64_t n);
    void (*onto)(void *sums, const void *in, int64_t rows, int64_t columns);
    void (*clear)(void *sums, int64_t n);
} folds[3][2] = {
#define ENTRY(name)                                                        \
    {                                                                      \
        name##_rows, name##_columns, name##_all, name##_onto, name##_clear \
    }
    [RG__FOLD_SUM] = {ENTRY(sum_f32), ENTRY(sum_f64)},
    [RG__FOLD_MAX] = {ENTRY(max_f32), ENTRY(max_f64)},
    [RG__FOLD_MIN] = {ENTRY(min_f32), ENTRY(min_f64)},
};

bool rg__fold_has(rg__fold fold, rg_dtype dtype)
{
    return fold <= RG__FOLD_MIN && dtype <= RG_F64;
}

void rg__fold_rows(rg__fold fold, rg_dtype dtype, void *out, const void *in, int64_t rows, int64_t columns)
{
    folds[fold][dtype].rows(out, in, rows, columns);
}

void rg__fold_onto(rg__fold fold, rg_dtype dtype, void *sums, const void *in, int64_t rows, int64_t columns)
{
    folds[fold][dtype].onto(sums, in, rows, columns);
}

void rg__fold_clear(rg__fold fold, rg_dtype dtype, void *sums, int64_t n)
{
    folds[fold][dtype].clear(sums, n);
}

void rg__fold_start(rg__fold fold, double *partial, int64_t n)
{
    const double first = fold == RG__FOLD_SUM ? 0 : fold == RG__FOLD_MAX ? -INFINITY : INFINITY;
    for (int64_t i = 0; i < n; i++)
        partial[i] = first;
}

void rg__fold_columns(rg__fold fold, rg_dtype dtype, double *partial, const void *in, int64_t rows, int64_t columns)
{
    if (columns == 1)
        folds[fold][dtype].all(partial, in, rows);
    else
        folds[fold][dtype].columns(partial, in, rows, columns);
}

void rg__fold_join(rg__fold fold, double *partial, const double *other, int64_t n)
{
    folds[fold][RG_F64].columns(partial, other, 1, n);
}

void rg__fold_finish(rg_dtype dtype, void *out, const double *partial, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (dtype == RG_F32)
            ((float *)out)[i] = (float)partial[i];
        else
            ((double *)out)[i] = partial[i];
}
