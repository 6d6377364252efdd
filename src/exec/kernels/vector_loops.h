/* The vector loops for one instruction set: a file that defines RG__VECTOR_TARGET (a target attribute, or nothing) and
 * RG__VECTOR_ROWS (the name of its table) and includes this is that instruction set's build. */
#include "exec/kernels/vector_rows.h"

#include "exec/kernels/vector_f32.h"
#include "exec/kernels/vector_f64.h"

#define LOOP static RG__VECTOR_TARGET void

/* y = f(x), whatever x. */
#define MAP(name, T, suffix)                                                                      \
    LOOP name##_loop_##suffix(int64_t n, char *const *p, const int64_t *stride, const void *attr) \
    {                                                                                             \
        (void)attr;                                                                               \
        if (stride[0] != sizeof(T) || stride[1] != sizeof(T)) {                                   \
            rg__vector_strided(name##_loop_##suffix, 1, sizeof(T), n, p, stride);                 \
            return;                                                                               \
        }                                                                                         \
        T *y = (T *)(void *)p[0];                                                                 \
        const T *x = (const T *)(const void *)p[1];                                               \
        INDEPENDENT                                                                               \
        for (int64_t i = 0; i < n; i++)                                                           \
            y[i] = name##_##suffix(x[i]);                                                         \
    }

/* y = f(x), where x beyond the limit, infinite or NaN is dealt with afterwards, one by one. The arguments are set aside
 * before, because y may be x. */
#define ANGLE_MAP(name, T, suffix, limit)                                                         \
    LOOP name##_loop_##suffix(int64_t n, char *const *p, const int64_t *stride, const void *attr) \
    {                                                                                             \
        (void)attr;                                                                               \
        if (stride[0] != sizeof(T) || stride[1] != sizeof(T)) {                                   \
            rg__vector_strided(name##_loop_##suffix, 1, sizeof(T), n, p, stride);                 \
            return;                                                                               \
        }                                                                                         \
        for (int64_t first = 0; first < n; first += RG__VECTOR_BLOCK) {                           \
            const int64_t count = n - first < RG__VECTOR_BLOCK ? n - first : RG__VECTOR_BLOCK;    \
            T *y = (T *)(void *)p[0] + first, saved[RG__VECTOR_BLOCK];                            \
            const T *x = (const T *)(const void *)p[1] + first;                                   \
            int within = 1;                                                                       \
            for (int64_t i = 0; i < count; i++)                                                   \
                within &= fabs(x[i]) <= limit;                                                    \
            if (!within)                                                                          \
                memcpy(saved, x, (size_t)count * sizeof(T));                                      \
            INDEPENDENT                                                                           \
            for (int64_t i = 0; i < count; i++)                                                   \
                y[i] = name##_##suffix(x[i]);                                                     \
            for (int64_t i = 0; i < count && !within; i++) {                                      \
                if (!(fabs(saved[i]) <= limit)) {                                                 \
                    const rg__vector_angle a = rg__vector_reduce_##name(saved[i]);                \
                    y[i] = name##_turned_##suffix((T)a.r, a.q);                                   \
                }                                                                                 \
            }                                                                                     \
        }                                                                                         \
    }

/* y = f(a, b), where a that is not above 0 is put right afterwards, and infinities and NaN are left to the C library. */
#define POSITIVE_MAP2(name, T, suffix, function)                                                            \
    LOOP name##_loop_##suffix(int64_t n, char *const *p, const int64_t *stride, const void *attr)           \
    {                                                                                                       \
        (void)attr;                                                                                         \
        if (stride[0] != sizeof(T) || stride[1] != sizeof(T) || stride[2] != sizeof(T)) {                   \
            rg__vector_strided(name##_loop_##suffix, 2, sizeof(T), n, p, stride);                           \
            return;                                                                                         \
        }                                                                                                   \
        for (int64_t first = 0; first < n; first += RG__VECTOR_BLOCK) {                                     \
            const int64_t count = n - first < RG__VECTOR_BLOCK ? n - first : RG__VECTOR_BLOCK;              \
            T *y = (T *)(void *)p[0] + first, saved[2][RG__VECTOR_BLOCK];                                   \
            const T *a = (const T *)(const void *)p[1] + first, *b = (const T *)(const void *)p[2] + first; \
            int positive = 1;                                                                               \
            for (int64_t i = 0; i < count; i++)                                                             \
                positive &= (a[i] > 0) & (a[i] < (T)INFINITY) & (fabs(b[i]) < (T)INFINITY);                 \
            if (!positive) {                                                                                \
                memcpy(saved[0], a, (size_t)count * sizeof(T));                                             \
                memcpy(saved[1], b, (size_t)count * sizeof(T));                                             \
            }                                                                                               \
            INDEPENDENT                                                                                     \
            for (int64_t i = 0; i < count; i++)                                                             \
                y[i] = name##_##suffix(a[i], b[i]);                                                         \
            if (positive)                                                                                   \
                continue;                                                                                   \
            INDEPENDENT                                                                                     \
            for (int64_t i = 0; i < count; i++)                                                             \
                y[i] = name##_rest_##suffix(y[i], saved[0][i], saved[1][i]);                                \
            for (int64_t i = 0; i < count; i++) {                                                           \
                if (!(isfinite(saved[0][i]) && isfinite(saved[1][i])))                                      \
                    y[i] = function(saved[0][i], saved[1][i]);                                              \
            }                                                                                               \
        }                                                                                                   \
    }

#define MAPS(name)        \
    MAP(name, float, f32) \
    MAP(name, double, f64)
#define ANGLE_MAPS(name)                        \
    ANGLE_MAP(name, float, f32, TRIG_LIMIT_F32) \
    ANGLE_MAP(name, double, f64, TRIG_LIMIT_F64)
#define POW_MAPS(name)                    \
    POSITIVE_MAP2(name, float, f32, powf) \
    POSITIVE_MAP2(name, double, f64, pow)
RG__VECTOR_OPS(MAPS, ANGLE_MAPS, POW_MAPS)

#define ROW(name) {#name, name##_loop_f32, name##_loop_f64},
const rg__vector_row RG__VECTOR_ROWS[RG__VECTOR_OP_COUNT] = {RG__VECTOR_OPS(ROW, ROW, ROW)};
