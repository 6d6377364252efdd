/* Packing: by contiguous runs, by transposed blocks of a few vectors, or element by element, whatever the strides allow.
 * Vectors are of 16 bytes, which every processor has; shuffling wider ones gains nothing here. */
#include "exec/kernels/gemm_pack.h"

#include <stdbool.h>
#include <string.h>

#if defined __has_builtin
#if __has_builtin(__builtin_shufflevector)
#define SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#endif
#endif

typedef float vector_f32 __attribute__((vector_size(16)));
typedef double vector_f64 __attribute__((vector_size(16)));

/* Four rows of `length` elements, transposed into columns 0 to 3 of the panel. */
static void transpose_f32(float *panel, int64_t stride, int64_t length, const float *s, int64_t across)
{
    int64_t p = 0;
    for (; p + 4 <= length; p += 4, panel += 4 * stride) {
        vector_f32 r[4];
        for (int i = 0; i < 4; i++)
            memcpy(&r[i], s + i * across + p, sizeof r[i]);
        const vector_f32 low01 = SHUFFLE(r[0], r[1], 0, 4, 1, 5), high01 = SHUFFLE(r[0], r[1], 2, 6, 3, 7);
        const vector_f32 low23 = SHUFFLE(r[2], r[3], 0, 4, 1, 5), high23 = SHUFFLE(r[2], r[3], 2, 6, 3, 7);
        r[0] = SHUFFLE(low01, low23, 0, 1, 4, 5);
        r[1] = SHUFFLE(low01, low23, 2, 3, 6, 7);
        r[2] = SHUFFLE(high01, high23, 0, 1, 4, 5);
        r[3] = SHUFFLE(high01, high23, 2, 3, 6, 7);
        for (int i = 0; i < 4; i++)
            memcpy(panel + i * stride, &r[i], sizeof r[i]);
    }
    for (; p < length; p++, panel += stride) {
        for (int i = 0; i < 4; i++)
            panel[i] = s[i * across + p];
    }
}

/* Two rows of `length` elements. */
static void transpose_f64(double *panel, int64_t stride, int64_t length, const double *s, int64_t across)
{
    int64_t p = 0;
    for (; p + 2 <= length; p += 2, panel += 2 * stride) {
        vector_f64 r0, r1;
        memcpy(&r0, s + p, sizeof r0);
        memcpy(&r1, s + across + p, sizeof r1);
        const vector_f64 low = SHUFFLE(r0, r1, 0, 2), high = SHUFFLE(r0, r1, 1, 3);
        memcpy(panel, &low, sizeof low);
        memcpy(panel + stride, &high, sizeof high);
    }
    for (; p < length; p++, panel += stride) {
        panel[0] = s[p];
        panel[1] = s[across + p];
    }
}

/* Runs of a width that the compiler knows become a few vector copies each. */
#define RUNS(WIDTH)                                                                        \
    case WIDTH:                                                                            \
        for (int64_t p = 0; p < length; p++)                                               \
            memcpy(panel + p * stride * size, source + p * along * size, (size_t)(WIDTH)); \
        break;

static void copy_runs(int64_t size, char *panel, int64_t stride, int64_t width, int64_t length, const char *source,
                      int64_t along)
{
    switch (width * size) {
        RUNS(128)
        RUNS(64)
        RUNS(48)
        RUNS(32)
        RUNS(24)
    default:
        for (int64_t p = 0; p < length; p++)
            memcpy(panel + p * stride * size, source + p * along * size, (size_t)(width * size));
    }
}

#define DEFINE_PACK(TYPE, LANES, suffix)                                                                      \
    static void pack_##suffix(TYPE *panel, int64_t stride, int64_t width, int64_t length, const TYPE *source, \
                              int64_t across, int64_t along)                                                  \
    {                                                                                                         \
        int64_t i = 0;                                                                                        \
        if (across == 1) {                                                                                    \
            copy_runs(sizeof(TYPE), (char *)panel, stride, width, length, (const char *)source, along);       \
            i = width;                                                                                        \
        } else if (along == 1) {                                                                              \
            for (; i + (LANES) <= width; i += (LANES))                                                        \
                transpose_##suffix(panel + i, stride, length, source + i * across, across);                   \
        }                                                                                                     \
        for (; i < width; i++) {                                                                              \
            for (int64_t p = 0; p < length; p++)                                                              \
                panel[p * stride + i] = source[i * across + p * along];                                       \
        }                                                                                                     \
        for (int64_t p = 0; width < stride && p < length; p++)                                                \
            memset(panel + p * stride + width, 0, (size_t)(stride - width) * sizeof(TYPE));                   \
    }
DEFINE_PACK(float, 4, f32)
DEFINE_PACK(double, 2, f64)

void rg__gemm_pack(size_t size, void *panel, int64_t stride, int64_t width, int64_t length, const void *source,
                   int64_t across, int64_t along)
{
    if (size == sizeof(float))
        pack_f32(panel, stride, width, length, source, across, along);
    else
        pack_f64(panel, stride, width, length, source, across, along);
}
