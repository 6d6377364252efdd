/* Reads CPUID and XGETBV. See cpu.h. A feature whose registers the operating system does not save is not counted: to
 * use it would fault. */
#include "core/cpu.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#define RG_CPU_X86 1
#include <cpuid.h>
#endif

static uint32_t take(bool present, uint32_t feature)
{
    return present ? feature : 0;
}

static bool bit(uint32_t reg, int n)
{
    return (reg >> n) & 1;
}

/* Bit numbers from Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E (SSE4A, LZCNT). */
uint32_t rg__cpu_decode(const rg__cpuid *r)
{
    const uint64_t ymm = 0x06, zmm = 0xe6; /* XCR0: SSE and AVX state; with opmask and both ZMM halves */
    uint32_t set = take(bit(r->leaf1_edx, 26), RG_CPU_SSE2) | take(bit(r->leaf1_ecx, 0), RG_CPU_SSE3) |
                   take(bit(r->leaf1_ecx, 9), RG_CPU_SSSE3) | take(bit(r->leaf1_ecx, 19), RG_CPU_SSE4_1) |
                   take(bit(r->leaf1_ecx, 20), RG_CPU_SSE4_2) | take(bit(r->leaf1_ecx, 22), RG_CPU_MOVBE) |
                   take(bit(r->leaf1_ecx, 23), RG_CPU_POPCNT) | take(bit(r->leaf7_ebx, 3), RG_CPU_BMI1) |
                   take(bit(r->leaf7_ebx, 8), RG_CPU_BMI2) | take(bit(r->leaf7_ebx, 24), RG_CPU_CLWB) |
                   take(bit(r->ext1_ecx, 5), RG_CPU_LZCNT) | take(bit(r->ext1_ecx, 6), RG_CPU_SSE4A);

    if ((r->xcr0 & ymm) == ymm && bit(r->leaf1_ecx, 28))
        set |= RG_CPU_AVX | take(bit(r->leaf1_ecx, 12), RG_CPU_FMA) | take(bit(r->leaf1_ecx, 29), RG_CPU_F16C) |
               take(bit(r->leaf7_ebx, 5), RG_CPU_AVX2) | take(bit(r->leaf7_ecx, 9), RG_CPU_VAES) |
               take(bit(r->leaf7_ecx, 10), RG_CPU_VPCLMUL) | take(bit(r->leaf7_1_eax, 4), RG_CPU_AVX_VNNI);

    if ((set & RG_CPU_AVX) && (r->xcr0 & zmm) == zmm && bit(r->leaf7_ebx, 16))
        set |= RG_CPU_AVX512F | take(bit(r->leaf7_ebx, 17), RG_CPU_AVX512DQ) |
               take(bit(r->leaf7_ebx, 28), RG_CPU_AVX512CD) | take(bit(r->leaf7_ebx, 30), RG_CPU_AVX512BW) |
               take(bit(r->leaf7_ebx, 31), RG_CPU_AVX512VL) | take(bit(r->leaf7_ecx, 11), RG_CPU_AVX512_VNNI) |
               take(bit(r->leaf7_1_eax, 5), RG_CPU_AVX512_BF16) | take(bit(r->leaf7_edx, 23), RG_CPU_AVX512_FP16);
    return set;
}

#ifdef RG_CPU_X86

/* By its bytes where the assembler may be older than the mnemonic, and no -mxsave is needed. */
static uint64_t read_xcr0(void)
{
    uint32_t lo, hi;
    __asm__ volatile(".byte 0x0f, 0x01, 0xd0" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

static rg__cpuid read_cpuid(void)
{
    rg__cpuid r = {0};
    unsigned a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d)) {
        r.leaf1_ecx = c;
        r.leaf1_edx = d;
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        r.leaf7_ebx = b;
        r.leaf7_ecx = c;
        r.leaf7_edx = d;
        /* Leaf 7 answers with its highest sub-leaf; asking beyond it returns another leaf's bits. */
        if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d))
            r.leaf7_1_eax = a;
    }
    if (__get_cpuid(0x80000001u, &a, &b, &c, &d))
        r.ext1_ecx = c;
    if (bit(r.leaf1_ecx, 27)) /* OSXSAVE: without it XGETBV is an invalid instruction */
        r.xcr0 = read_xcr0();
    return r;
}

uint32_t rg__cpu_features(void)
{
    const rg__cpuid regs = read_cpuid();
    return rg__cpu_decode(&regs);
}

void rg__cpu_brand(char *buf, size_t n)
{
    unsigned regs[12] = {0};
    char text[sizeof regs + 1] = {0};
    for (unsigned i = 0; i < 3; i++) {
        unsigned *r = regs + 4 * i;
        if (!__get_cpuid(0x80000002u + i, &r[0], &r[1], &r[2], &r[3]))
            break;
    }
    memcpy(text, regs, sizeof regs);

    const char *start = text + strspn(text, " ");
    size_t len = strlen(start);
    while (len > 0 && start[len - 1] == ' ')
        len--;
    if (n > 0)
        snprintf(buf, n, "%.*s", len ? (int)len : 7, len ? start : "unknown");
}

#else

uint32_t rg__cpu_features(void)
{
    return 0;
}

void rg__cpu_brand(char *buf, size_t n)
{
    if (n > 0)
        snprintf(buf, n, "unknown");
}

#endif

void rg__cpu_feature_names(uint32_t set, char *buf, size_t n)
{
    static const char *const names[] = {
#define X(id, name) name,
        RG_CPU_FEATURES(X)
#undef X
    };
    if (n > 0)
        buf[0] = '\0';
    for (size_t i = 0, used = 0; i < RG_CPU_COUNT && used < n; i++) {
        if (set >> i & 1)
            used += (size_t)snprintf(buf + used, n - used, "%s%s", used ? " " : "", names[i]);
    }
}

void rg__cpu_describe(char *buf, size_t n)
{
    if (n == 0)
        return;
    rg__cpu_brand(buf, n);
    size_t used = strlen(buf);
    if (used + 2 < n) {
        memcpy(buf + used, ": ", 3);
        rg__cpu_feature_names(rg__cpu_features(), buf + used + 2, n - used - 2);
    }
}
