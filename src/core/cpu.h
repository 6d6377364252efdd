/* What this processor can run, as far as the operating system lets it. The set is empty on all but x86. */
#ifndef RG__CORE_CPU_H
#define RG__CORE_CPU_H

#include <stddef.h>
#include <stdint.h>

/* One row per feature: its identifier and the name by which it is printed. */
#define RG_CPU_FEATURES(X)        \
    X(SSE2, "sse2")               \
    X(SSE3, "sse3")               \
    X(SSSE3, "ssse3")             \
    X(SSE4_1, "sse4.1")           \
    X(SSE4_2, "sse4.2")           \
    X(SSE4A, "sse4a")             \
    X(POPCNT, "popcnt")           \
    X(LZCNT, "lzcnt")             \
    X(MOVBE, "movbe")             \
    X(BMI1, "bmi1")               \
    X(BMI2, "bmi2")               \
    X(CLWB, "clwb")               \
    X(AVX, "avx")                 \
    X(F16C, "f16c")               \
    X(FMA, "fma")                 \
    X(AVX2, "avx2")               \
    X(VAES, "vaes")               \
    X(VPCLMUL, "vpclmulqdq")      \
    X(AVX_VNNI, "avx-vnni")       \
    X(AVX512F, "avx512f")         \
    X(AVX512CD, "avx512cd")       \
    X(AVX512DQ, "avx512dq")       \
    X(AVX512BW, "avx512bw")       \
    X(AVX512VL, "avx512vl")       \
    X(AVX512_VNNI, "avx512-vnni") \
    X(AVX512_BF16, "avx512-bf16") \
    X(AVX512_FP16, "avx512-fp16")

/* RG_CPU_AVX2 and so on: the bit of each feature in a set. */
enum {
#define X(id, name) RG_CPU_INDEX_##id,
    RG_CPU_FEATURES(X) RG_CPU_COUNT,
#undef X
#define X(id, name) RG_CPU_##id = 1 << RG_CPU_INDEX_##id,
    RG_CPU_FEATURES(X)
#undef X
};
_Static_assert(RG_CPU_COUNT <= 31, "a feature set is 32 bits, and an enumerator is an int");

/* What the CPUID leaves that carry features hold, and XCR0 (0 where the system has not enabled XGETBV). */
typedef struct rg__cpuid {
    uint32_t leaf1_ecx, leaf1_edx;
    uint32_t leaf7_ebx, leaf7_ecx, leaf7_edx;
    uint32_t leaf7_1_eax;
    uint32_t ext1_ecx;
    uint64_t xcr0;
} rg__cpuid;

/* The feature set that these registers mean: what the processor has and the system saves at a task switch. */
uint32_t rg__cpu_decode(const rg__cpuid *regs);

/* The feature set of the processor that runs this program. */
uint32_t rg__cpu_features(void);

/* Text into buf[n], always ended, cut where it does not fit. */
void rg__cpu_brand(char *buf, size_t n);                       /* "AMD EPYC 7763 64-Core Processor", or "unknown" */
void rg__cpu_feature_names(uint32_t set, char *buf, size_t n); /* "sse2 ... fma avx2"; empty for the empty set */
void rg__cpu_describe(char *buf, size_t n);                    /* "<brand>: <features>" of this processor */

#endif
