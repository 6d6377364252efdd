/* Which kernels BLIS runs: the decision for processors that are not here, and what really happens on this one, each in
 * a process of its own because BLIS starts once. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/cpu.h"
#include "exec/kernels/blis_arch.h"
#include "exec/kernels/gemm.h"

static const char *program;

#define OLD (RG_CPU_SSE2 | RG_CPU_SSE3)
#define AVX2                                                                                                          \
    (OLD | RG_CPU_SSSE3 | RG_CPU_SSE4_1 | RG_CPU_SSE4_2 | RG_CPU_POPCNT | RG_CPU_LZCNT | RG_CPU_MOVBE | RG_CPU_BMI1 | \
     RG_CPU_BMI2 | RG_CPU_AVX | RG_CPU_F16C | RG_CPU_FMA | RG_CPU_AVX2)
#define ZEN  (AVX2 | RG_CPU_SSE4A)
#define ZEN2 (ZEN | RG_CPU_CLWB)
#define ZEN3 (ZEN2 | RG_CPU_VAES | RG_CPU_VPCLMUL)
#define AVX512 \
    (RG_CPU_AVX512F | RG_CPU_AVX512CD | RG_CPU_AVX512DQ | RG_CPU_AVX512BW | RG_CPU_AVX512VL | RG_CPU_AVX512_VNNI)
#define ZEN5 (ZEN3 | AVX512 | RG_CPU_AVX_VNNI | RG_CPU_AVX512_BF16)

/* ---- processor features ---- */

/* The registers of a Zen 4 with AVX-VNNI, which Zen 5 adds; the system saves everything. */
static const rg__cpuid zen5 = {
    .leaf1_ecx = 0x7ef8320b,
    .leaf1_edx = 0x178bfbff,
    .leaf7_ebx = 0xf1bf97a9,
    .leaf7_ecx = 0x00405fce,
    .leaf7_edx = 0x10000010,
    .leaf7_1_eax = 0x00000030,
    .ext1_ecx = 0x75c237ff,
    .xcr0 = 0x2e7,
};

static void features_of_a_zen_5(void **state)
{
    (void)state;
    assert_int_equal(rg__cpu_decode(&zen5), ZEN5);
}

static void registers_that_the_system_does_not_save_do_not_count(void **state)
{
    (void)state;
    rg__cpuid regs = zen5;
    regs.xcr0 = 0x07; /* no opmask, no ZMM */
    assert_int_equal(rg__cpu_decode(&regs), ZEN3 | RG_CPU_AVX_VNNI);
    regs.xcr0 = 0x27; /* opmask alone */
    assert_int_equal(rg__cpu_decode(&regs), ZEN3 | RG_CPU_AVX_VNNI);
    regs.xcr0 = 0xe3; /* ZMM without YMM */
    assert_int_equal(rg__cpu_decode(&regs) & (RG_CPU_AVX | RG_CPU_AVX2 | RG_CPU_FMA | AVX512), 0);
    regs.xcr0 = 0; /* XGETBV not enabled */
    assert_int_equal(rg__cpu_decode(&regs) & (RG_CPU_AVX | RG_CPU_AVX2 | RG_CPU_FMA | AVX512), 0);
    assert_int_equal(rg__cpu_decode(&regs) & OLD, OLD);
}

static void features_agree_with_what_the_compiler_finds(void **state)
{
    (void)state;
#if defined(__x86_64__)
    const uint32_t set = rg__cpu_features();
    assert_true(set & RG_CPU_SSE2);
    assert_int_equal(!!(set & RG_CPU_SSE4_2), !!__builtin_cpu_supports("sse4.2"));
    assert_int_equal(!!(set & RG_CPU_AVX), !!__builtin_cpu_supports("avx"));
    assert_int_equal(!!(set & RG_CPU_AVX2), !!__builtin_cpu_supports("avx2"));
    assert_int_equal(!!(set & RG_CPU_FMA), !!__builtin_cpu_supports("fma"));
    assert_int_equal(!!(set & RG_CPU_BMI2), !!__builtin_cpu_supports("bmi2"));
    assert_int_equal(!!(set & RG_CPU_AVX512F), !!__builtin_cpu_supports("avx512f"));
    assert_int_equal(!!(set & RG_CPU_AVX512BW), !!__builtin_cpu_supports("avx512bw"));
#else
    assert_int_equal(rg__cpu_features(), 0);
#endif
}

static void descriptions_are_cut_to_the_room_there_is(void **state)
{
    (void)state;
    char whole[1024], brand[256], cut[1024];
    rg__cpu_describe(whole, sizeof whole);
    rg__cpu_brand(brand, sizeof brand);
    assert_memory_equal(whole, brand, strlen(brand));
    assert_true(strlen(brand) > 0 && brand[0] != ' ' && brand[strlen(brand) - 1] != ' ');
    memset(cut, 'x', sizeof cut);
    rg__cpu_describe(cut, 0);
    assert_int_equal(cut[0], 'x');
    for (size_t n = 1; n <= strlen(whole) + 1; n++) {
        memset(cut, 'x', sizeof cut);
        rg__cpu_describe(cut, n);
        assert_true(strlen(cut) < n);
        assert_memory_equal(cut, whole, strlen(cut));
        assert_int_equal(cut[n], 'x');
    }
    rg__cpu_feature_names(RG_CPU_FMA | RG_CPU_SSE2, cut, sizeof cut);
    assert_string_equal(cut, "sse2 fma");
    rg__cpu_feature_names(0, cut, sizeof cut);
    assert_string_equal(cut, "");
}

/* ---- the decision ---- */

static const char *const blis_0_9[] = {"skx",  "knl",       "knc",    "haswell",   "sandybridge", "penryn",
                                       "zen3", "zen2",      "zen",    "excavator", "steamroller", "piledriver",
                                       NULL,   "bulldozer", "armsve", "generic"};
static const char *const newer_blis[] = {"skx", "haswell", "zen5", "zen4", "zen3", "zen2", "zen", "generic"};
static const char *const amd_blis[] = {"zen3", "zen2", "zen", "generic"};

#define BETTER(own, cpu, names, user) rg__blis_better(own, cpu, names, sizeof names / sizeof *names, user)

static void a_processor_too_new_for_blis_gets_its_best_kernels(void **state)
{
    (void)state;
    assert_string_equal(BETTER("generic", ZEN5, blis_0_9, NULL), "skx");
    assert_string_equal(BETTER("generic", ZEN5, amd_blis, NULL), "zen3"); /* no skx in this build */
    assert_string_equal(BETTER("generic", ZEN3, blis_0_9, NULL), "zen3");
    assert_string_equal(BETTER("generic", ZEN2, blis_0_9, NULL), "zen2");
}

static void an_unknown_vendor_gets_kernels_by_features(void **state)
{
    (void)state;
    assert_string_equal(BETTER("generic", ZEN, blis_0_9, NULL), "zen"); /* Hygon Dhyana */
    assert_string_equal(BETTER("generic", AVX2, blis_0_9, NULL), "haswell");
    assert_null(BETTER("generic", AVX2, amd_blis, NULL));
    assert_string_equal(BETTER("generic", AVX2 | AVX512, blis_0_9, NULL), "skx");
    /* AVX-512 as a Knights Landing has it is not what skx needs. */
    assert_string_equal(BETTER("generic", AVX2 | RG_CPU_AVX512F | RG_CPU_AVX512CD, blis_0_9, NULL), "haswell");
}

static void kernels_without_avx2_are_replaced_where_there_is_avx2(void **state)
{
    (void)state;
    assert_string_equal(BETTER("sandybridge", AVX2, blis_0_9, NULL), "haswell");
    assert_string_equal(BETTER("penryn", ZEN3, amd_blis, NULL), "zen3");
}

static void avx512_is_used_where_blis_overlooks_it(void **state)
{
    (void)state;
    static const char *const without_skx[] = {"haswell", "generic"};
    assert_string_equal(BETTER("haswell", AVX2 | AVX512, blis_0_9, NULL), "skx"); /* a Xeon without a telling name */
    assert_null(BETTER("haswell", AVX2 | AVX512, without_skx, NULL));
    assert_null(BETTER("haswell", AVX2 | RG_CPU_AVX512F | RG_CPU_AVX512CD, blis_0_9, NULL));
    assert_null(BETTER("haswell", AVX2 | AVX512, blis_0_9, "3"));
}

static void what_blis_picks_knowingly_stays(void **state)
{
    (void)state;
    assert_null(BETTER("zen3", ZEN3, blis_0_9, NULL));
    assert_null(BETTER("zen3", ZEN5, blis_0_9, NULL));         /* Zen 4 with 0.9 */
    assert_null(BETTER("skx", AVX2 | AVX512, blis_0_9, NULL)); /* Skylake-X */
    assert_null(BETTER("haswell", AVX2, blis_0_9, NULL));
    assert_null(BETTER("excavator", ZEN, blis_0_9, NULL));
    assert_null(BETTER("zen5", ZEN5, newer_blis, NULL));
    assert_null(BETTER("a name not yet invented", ZEN5, newer_blis, NULL));
}

static void a_processor_without_avx2_is_left_to_blis(void **state)
{
    (void)state;
    assert_null(BETTER("generic", OLD, blis_0_9, NULL));
    assert_null(BETTER("generic", 0, blis_0_9, NULL));
    assert_null(BETTER("penryn", OLD | RG_CPU_SSSE3, blis_0_9, NULL));
    assert_null(BETTER("sandybridge", OLD | RG_CPU_AVX, blis_0_9, NULL));
    for (uint32_t missing = 1; missing; missing <<= 1) { /* all of them are needed */
        if (missing & (RG_CPU_AVX | RG_CPU_AVX2 | RG_CPU_FMA | RG_CPU_BMI1 | RG_CPU_BMI2 | RG_CPU_MOVBE))
            assert_null(BETTER("generic", ZEN5 & ~missing, blis_0_9, NULL));
    }
}

static void what_the_user_says_stays(void **state)
{
    (void)state;
    assert_null(BETTER("generic", ZEN5, blis_0_9, "25"));
    assert_null(BETTER("generic", ZEN5, blis_0_9, "generic"));
    assert_null(BETTER("generic", ZEN5, blis_0_9, ""));
}

static void what_cannot_be_learnt_stays(void **state)
{
    (void)state;
    assert_null(BETTER(NULL, ZEN5, blis_0_9, NULL));
    assert_null(rg__blis_better("generic", ZEN5, NULL, 0, NULL));
}

/* ---- what really happens ---- */

extern char **environ;

/* Large enough for BLIS's kernels whichever ours are. */
static bool product_is_right(void)
{
    enum { M = 300, N = 530, K = 70 };
    static float a[M * K], b[K * N], c[M * N];
    for (int i = 0; i < M * K; i++)
        a[i] = (float)(i % 7 - 3);
    for (int i = 0; i < K * N; i++)
        b[i] = (float)(i % 5 - 2);
    for (int i = 0; i < M * N; i++)
        c[i] = -1;
    if (!rg__gemm_f32(M, N, K, a, K, 1, b, N, 1, c, N, 1, 2))
        return false;
    for (int i = 0; i < M * N; i++) {
        float sum = 0;
        for (int k = 0; k < K; k++)
            sum += a[i / N * K + k] * b[k * N + i % N];
        if (c[i] != sum)
            return false;
    }
    return true;
}

typedef enum { AS_IT_IS, PRETEND, PRETEND_IGNORING_CHILDREN, PRETEND_TOO_LATE } start;

/* The child: starts BLIS as told and reports, one word each, the kernels, who chose them, whether the product is right
 * and whether the environment is as before. */
static int child(start how, const char *own, uint32_t cpu)
{
    char **const before = environ;
    const char *const user = getenv("BLIS_ARCH_TYPE");
    if (how == PRETEND_IGNORING_CHILDREN)
        signal(SIGCHLD, SIG_IGN);
    if (how == PRETEND_TOO_LATE && !product_is_right())
        return 1;
    if (how == AS_IT_IS)
        rg__blis_start();
    else
        rg__blis_start_as(own, cpu);
    const bool same = environ == before && getenv("BLIS_ARCH_TYPE") == user;
    printf("%s %s %s %s\n", rg__blis_kernels(), rg__blis_choice(), product_is_right() ? "right" : "wrong",
           same ? "same" : "changed");
    return 0;
}

typedef struct {
    int status;
    char kernels[32], choice[32], product[16], environment[16];
} report;

/* user: what to set BLIS_ARCH_TYPE to, NULL to unset it. A child that dies does so in silence. */
static report run_child(start how, const char *own, uint32_t cpu, const char *user)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char how_text[16], cpu_text[16];
        snprintf(how_text, sizeof how_text, "%d", (int)how);
        snprintf(cpu_text, sizeof cpu_text, "%u", (unsigned)cpu);
        if (user)
            setenv("BLIS_ARCH_TYPE", user, 1);
        else
            unsetenv("BLIS_ARCH_TYPE");
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        dup2(fds[1], STDOUT_FILENO);
        if (user && !freopen("/dev/null", "w", stderr))
            _exit(98);
        close(fds[0]);
        close(fds[1]);
        execl(program, program, how_text, own, cpu_text, (char *)NULL);
        _exit(99);
    }
    close(fds[1]);
    FILE *const f = fdopen(fds[0], "r");
    assert_non_null(f);
    report r = {0};
    const int words = fscanf(f, "%31s %31s %15s %15s", r.kernels, r.choice, r.product, r.environment);
    fclose(f);
    assert_int_equal(waitpid(pid, &r.status, 0), pid);
    if (r.status == 0)
        assert_int_equal(words, 4);
    return r;
}

static void check_report(report r, const char *kernels, const char *choice)
{
    assert_int_equal(r.status, 0);
    assert_string_equal(r.kernels, kernels);
    assert_string_equal(r.choice, choice);
    assert_string_equal(r.product, "right");
    assert_string_equal(r.environment, "same");
}

/* What each number that a user may set gives: the kernels of this BLIS that run here. The others' children die. Which
 * number means which kernels is BLIS's business. */
enum { NUMBERS = 40 };
static report by_number[NUMBERS];
static const char *runnable[NUMBERS];

static int try_all_numbers(void **state)
{
    (void)state;
    for (int number = 0; number < NUMBERS; number++) {
        char user[16];
        snprintf(user, sizeof user, "%d", number);
        by_number[number] = run_child(PRETEND, "generic", rg__cpu_features(), user);
        runnable[number] = by_number[number].status == 0 ? by_number[number].kernels : NULL;
    }
    return 0;
}

/* What Retrograd is to pick on this processor if BLIS falls back: by features and kernels, NULL if nothing fits. */
static const char *best_with(uint32_t cpu)
{
    return BETTER("generic", cpu, runnable, NULL);
}

static void the_number_that_the_user_sets_is_used(void **state)
{
    (void)state;
    bool generic = false;
    for (int number = 0; number < NUMBERS; number++) {
        if (!runnable[number])
            continue;
        check_report(by_number[number], runnable[number], "BLIS_ARCH_TYPE");
        generic |= !strcmp(runnable[number], "generic");
        for (int other = 0; other < number; other++)
            assert_true(!runnable[other] || strcmp(runnable[other], runnable[number]) != 0);
    }
    assert_true(generic);
}

static void blis_is_left_alone_where_it_knows_the_processor(void **state)
{
    (void)state;
    const char *const own = rg__blis_own_choice();
#if defined(__x86_64__) && defined(__GLIBC__)
    assert_non_null(own);
#endif
    const char *const better = BETTER(own, rg__cpu_features(), runnable, NULL);
    const report r = run_child(AS_IT_IS, "", 0, NULL);
    check_report(r, better ? better : own ? own : r.kernels, better ? "retrograd" : "blis");
}

/* Starts as if BLIS had fallen back on a processor with these features. */
static void check_fallback(start how, uint32_t cpu)
{
    const char *const best = best_with(cpu), *const own = rg__blis_own_choice();
    const report r = run_child(how, "generic", cpu, NULL);
    check_report(r, best ? best : own ? own : r.kernels, best ? "retrograd" : "blis");
}

static void a_fallback_is_overruled_and_the_environment_restored(void **state)
{
    (void)state;
    check_fallback(PRETEND, rg__cpu_features());
    check_fallback(PRETEND_IGNORING_CHILDREN, rg__cpu_features());
}

/* With fewer features to go by, the kernels for them are chosen. */
static void kernels_are_chosen_by_features(void **state)
{
    (void)state;
    check_fallback(PRETEND, rg__cpu_features() & AVX2);
    check_fallback(PRETEND, rg__cpu_features() & ZEN);
    check_fallback(PRETEND, OLD);
}

/* Kernels that fault here or are not in this BLIS are tried in a child, which dies of it; the next best are taken. */
static void kernels_that_do_not_run_here_are_not_taken(void **state)
{
    (void)state;
    check_fallback(PRETEND, rg__cpu_features() | ZEN5);
}

static void blis_already_started_is_not_overruled(void **state)
{
    (void)state;
    const report plain = run_child(AS_IT_IS, "", 0, NULL);
    check_report(run_child(PRETEND_TOO_LATE, "generic", rg__cpu_features(), NULL), plain.kernels, plain.choice);
}

static void *ask_for_kernels(void *kernels)
{
    *(const char **)kernels = rg__blis_kernels();
    return NULL;
}

static void blis_starts_once_from_any_thread(void **state)
{
    (void)state;
    pthread_t threads[4];
    const char *kernels[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_for_kernels, &kernels[i]), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_non_null(kernels[i]);
        assert_ptr_equal(kernels[i], kernels[0]);
    }
    assert_true(strlen(rg__blis_version()) > 0);
}

int main(int argc, char **argv)
{
    if (argc == 4)
        return child((start)atoi(argv[1]), argv[2], (uint32_t)strtoul(argv[3], NULL, 10));
    program = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_of_a_zen_5),
        cmocka_unit_test(registers_that_the_system_does_not_save_do_not_count),
        cmocka_unit_test(features_agree_with_what_the_compiler_finds),
        cmocka_unit_test(descriptions_are_cut_to_the_room_there_is),
        cmocka_unit_test(a_processor_too_new_for_blis_gets_its_best_kernels),
        cmocka_unit_test(an_unknown_vendor_gets_kernels_by_features),
        cmocka_unit_test(kernels_without_avx2_are_replaced_where_there_is_avx2),
        cmocka_unit_test(avx512_is_used_where_blis_overlooks_it),
        cmocka_unit_test(what_blis_picks_knowingly_stays),
        cmocka_unit_test(a_processor_without_avx2_is_left_to_blis),
        cmocka_unit_test(what_the_user_says_stays),
        cmocka_unit_test(what_cannot_be_learnt_stays),
        cmocka_unit_test(the_number_that_the_user_sets_is_used),
        cmocka_unit_test(blis_is_left_alone_where_it_knows_the_processor),
        cmocka_unit_test(a_fallback_is_overruled_and_the_environment_restored),
        cmocka_unit_test(kernels_are_chosen_by_features),
        cmocka_unit_test(kernels_that_do_not_run_here_are_not_taken),
        cmocka_unit_test(blis_already_started_is_not_overruled),
        cmocka_unit_test(blis_starts_once_from_any_thread),
    };
    return cmocka_run_group_tests(tests, try_all_numbers, NULL);
}
