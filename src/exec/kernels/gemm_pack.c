/* Packing: by contiguous runs, by transposed blocks of a few vectors, or element by element, whatever the strides allow.
 * Vectors are of 16 bytes, which every processor has; shuffling wider ones gains nothing here. */
#include "exec/kernels/gemm_pack.h"

#include "exec/kernels/gemm_tile.h"

#include <string.h>

#define SHUFFLE __builtin_shufflevector
#define INLINE  static inline __attribute__((always_inline))

typedef float vector_f32 __attribute__((vector_size(16)));
typedef double vector_f64 __attribute__((vector_size(16)));

/* ---- transposed: along k the source is contiguous ---- */

/* Four elements of four rows. */
INLINE void turn_f32(float *panel, int64_t stride, const float *s, int64_t across)
{
    vector_f32 r[4];
    for (int i = 0; i < 4; i++)
        memcpy(&r[i], s + i * across, sizeof r[i]);
    const vector_f32 low01 = SHUFFLE(r[0], r[1], 0, 4, 1, 5), high01 = SHUFFLE(r[0], r[1], 2, 6, 3, 7);
    const vector_f32 low23 = SHUFFLE(r[2], r[3], 0, 4, 1, 5), high23 = SHUFFLE(r[2], r[3], 2, 6, 3, 7);
    r[0] = SHUFFLE(low01, low23, 0, 1, 4, 5);
    r[1] = SHUFFLE(low01, low23, 2, 3, 6, 7);
    r[2] = SHUFFLE(high01, high23, 0, 1, 4, 5);
    r[3] = SHUFFLE(high01, high23, 2, 3, 6, 7);
    for (int i = 0; i < 4; i++)
        memcpy(panel + i * stride, &r[i], sizeof r[i]);
}

/* Two elements of two rows. */
INLINE void turn_f64(double *panel, int64_t stride, const double *s, int64_t across)
{
    vector_f64 r0, r1;
    memcpy(&r0, s, sizeof r0);
    memcpy(&r1, s + across, sizeof r1);
    const vector_f64 low = SHUFFLE(r0, r1, 0, 2), high = SHUFFLE(r0, r1, 1, 3);
    memcpy(panel, &low, sizeof low);
    memcpy(panel + stride, &high, sizeof high);
}

/* A cache line of each row at a time: rows may lie so that a set of the cache holds few of their lines. */
#define DEFINE_TRANSPOSE(TYPE, LANES, suffix)                                                                 \
    INLINE void transpose_##suffix(TYPE *panel, int64_t stride, int64_t width, int64_t length, const TYPE *s, \
                                   int64_t across)                                                            \
    {                                                                                                         \
        enum { LINE = RG__GEMM_LINE / sizeof(TYPE) };                                                         \
        int64_t p = 0;                                                                                        \
        for (; p + LINE <= length; p += LINE, panel += LINE * stride) {                                       \
            int64_t i = 0;                                                                                    \
            for (; i + (LANES) <= width; i += (LANES)) {                                                      \
                for (int64_t x = 0; x < LINE; x += (LANES))                                                   \
                    turn_##suffix(panel + x * stride + i, stride, s + i * across + p + x, across);            \
            }                                                                                                 \
            for (; i < width; i++) {                                                                          \
                for (int64_t x = 0; x < LINE; x++)                                                            \
                    panel[x * stride + i] = s[i * across + p + x];                                            \
            }                                                                                                 \
        }                                                                                                     \
        for (; p < length; p++, panel += stride) {                                                            \
            for (int64_t i = 0; i < width; i++)                                                               \
                panel[i] = s[i * across + p];                                                                 \
        }                                                                                                     \
    }
DEFINE_TRANSPOSE(float, 4, f32)
DEFINE_TRANSPOSE(double, 2, f64)

/* ---- copied: across the panel the source is contiguous ---- */

INLINE void copy_runs(char *panel, int64_t stride, size_t width, int64_t length, const char *source, int64_t along)
{
    for (int64_t p = 0; p < length; p++, panel += stride, source += along) {
        __builtin_prefetch(source + width); /* for the next panel */
        memcpy(panel, source, width);
    }
}

/* ---- any ---- */

/* Loops of a width that the compiler knows become a few vector moves each. */
#define WITH_WIDTH(STATEMENT, WIDTH) \
    case WIDTH:                      \
        STATEMENT(WIDTH);            \
        break;
#define WITH_WIDTHS(STATEMENT, width) \
    switch (width) {                  \
        WITH_WIDTH(STATEMENT, 4)      \
        WITH_WIDTH(STATEMENT, 6)      \
        WITH_WIDTH(STATEMENT, 8)      \
        WITH_WIDTH(STATEMENT, 12)     \
        WITH_WIDTH(STATEMENT, 16)     \
        WITH_WIDTH(STATEMENT, 32)     \
    default: STATEMENT(width);        \
    }

#define DEFINE_PACK(TYPE, suffix)                                                                             \
    static void pack_##suffix(TYPE *panel, int64_t stride, int64_t width, int64_t length, const TYPE *source, \
                              int64_t across, int64_t along)                                                  \
    {                                                                                                         \
        const int64_t size = sizeof(TYPE);                                                                    \
        if (across == 1) {                                                                                    \
            WITH_WIDTHS(COPY, width)                                                                          \
        } else if (along == 1) {                                                                              \
            WITH_WIDTHS(TRANSPOSE_##suffix, width)                                                            \
        } else {                                                                                              \
            for (int64_t p = 0; p < length; p++) {                                                            \
                for (int64_t i = 0; i < width; i++)                                                           \
                    panel[p * stride + i] = source[i * across + p * along];                                   \
            }                                                                                                 \
        }                                                                                                     \
        for (int64_t p = 0; width < stride && p < length; p++)                                                \
            memset(panel + p * stride + width, 0, (size_t)(stride - width) * sizeof(TYPE));                   \
    }
#define COPY(WIDTH) \
    copy_runs((char *)panel, stride *size, (size_t)(WIDTH) * sizeof *panel, length, (const char *)source, along * size)
#define TRANSPOSE_f32(WIDTH) transpose_f32(panel, stride, WIDTH, length, source, across)
#define TRANSPOSE_f64(WIDTH) transpose_f64(panel, stride, WIDTH, length, source, across)
DEFINE_PACK(float, f32)
DEFINE_PACK(double, f64)

void rg__gemm_pack(size_t size, void *panel, int64_t stride, int64_t width, int64_t length, const void *source,
                   int64_t across, int64_t along)
{
    if (size == sizeof(float))
        pack_f32(panel, stride, width, length, source, across, along);
    else
        pack_f64(panel, stride, width, length, source, across, along);
}
