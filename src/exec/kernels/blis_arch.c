/* Which kernels BLIS runs. See blis_arch.h.
 *
 * Three facts of BLIS shape what happens here. Its answer to "which sub-configuration?" stands from the first question
 * on, so its own choice is asked of a second copy of the library, in a namespace of its own. BLIS_ARCH_TYPE is the only
 * way in, and is a number whose meaning differs from version to version, so the number is looked up by its name. A
 * number for which a build of BLIS has no kernels makes it abort, and kernels beyond the processor fault, so a child
 * process tries number and kernels first. No child is made unless Retrograd is about to overrule BLIS. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dlmopen, dladdr, environ, pipe2 */
#endif
#include "exec/kernels/blis_arch.h"

#include "core/cpu.h"
#include "exec/kernels/blis_header.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ARCH_TYPE "BLIS_ARCH_TYPE"

static struct {
    pthread_once_t once;
    const char *choice, *kernels;
    bool pretend; /* the rest is what rg__blis_start_as was given */
    const char *own;
    uint32_t cpu;
} state = {.once = PTHREAD_ONCE_INIT};

/* ---- the decision ---- */

/* Needs: what the compiler may use under the -march that BLIS builds each with, as far as compilers do so on their own.
 * Vector AES and CLWB are not used; they tell Zen 3 and Zen 2 from their predecessors, SSE4A AMD from the others. */
#define NEEDS_AVX2 \
    (RG_CPU_POPCNT | RG_CPU_LZCNT | RG_CPU_MOVBE | RG_CPU_BMI1 | RG_CPU_BMI2 | RG_CPU_AVX | RG_CPU_FMA | RG_CPU_AVX2)
#define NEEDS_ZEN (NEEDS_AVX2 | RG_CPU_SSE4A)
#define NEEDS_SKX (NEEDS_AVX2 | RG_CPU_AVX512F | RG_CPU_AVX512CD | RG_CPU_AVX512DQ | RG_CPU_AVX512BW | RG_CPU_AVX512VL)

const char *rg__blis_better(const char *own, uint32_t cpu, const char *const *known, size_t n_known, const char *user)
{
    /* Best first. A name that this BLIS lacks is passed over. */
    static const struct {
        const char *name;
        uint32_t needs;
    } candidates[] = {
        {"skx", NEEDS_SKX}, {"zen3", NEEDS_ZEN | RG_CPU_VAES}, {"zen2", NEEDS_ZEN | RG_CPU_CLWB},
        {"zen", NEEDS_ZEN}, {"haswell", NEEDS_AVX2},
    };
    /* The fallbacks: what BLIS picks when it does not know the processor, or lacks the kernels for it, what does not use
     * AVX2, and what it picks where it cannot read off the processor's name that there are two units for AVX-512; with one
     * unit, either kernel is as fast. Any other name, one not yet invented too, was picked because BLIS knows the processor. */
    static const char *const fallbacks[] = {"generic", "penryn", "sandybridge", "haswell"};

    bool fell_back = false;
    for (size_t i = 0; own && i < sizeof fallbacks / sizeof *fallbacks; i++)
        fell_back |= !strcmp(own, fallbacks[i]);
    if (user || !fell_back)
        return NULL;

    for (size_t i = 0; i < sizeof candidates / sizeof *candidates && strcmp(candidates[i].name, own) != 0; i++) {
        if ((cpu & candidates[i].needs) != candidates[i].needs)
            continue;
        for (size_t j = 0; j < n_known; j++) {
            if (known[j] && !strcmp(known[j], candidates[i].name))
                return known[j];
        }
    }
    return NULL;
}

/* ---- asking and overruling BLIS: Linux on x86-64 ---- */

#if defined(__x86_64__) && defined(__linux__)

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a static libblis this can be called; a shared one does not export it. */
#pragma weak bli_cpuid_query_id

/* The names of the sub-configurations by their numbers. "generic" is the last by BLIS's own rule; the header that this
 * file is compiled with may be of another version than the library, so it gives no more than an upper bound. */
static size_t known_names(const char *names[BLIS_NUM_ARCHS])
{
    size_t n = 0;
    do
        names[n] = bli_arch_string((arch_t)n);
    while (strcmp(names[n++], "generic") && n < BLIS_NUM_ARCHS);
    return n;
}

#ifdef LM_ID_NEWLM
/* Absent from a statically linked program, and from the C library proper before glibc 2.34. */
#pragma weak dlmopen
#pragma weak dladdr
#pragma weak dlsym
#pragma weak dlclose

/* Asks a second copy of the library that the first one came from; -1 if that cannot be done. The copy sees an empty
 * environment, so that it logs nothing and nothing but the processor decides. */
static int ask_second_copy(void)
{
    static char *nothing[] = {NULL};
    Dl_info library;
    if (!dlmopen || !dladdr || !dlsym || !dlclose || !dladdr(bli_arch_string((arch_t)0), &library))
        return -1;
    void *copy = dlmopen(LM_ID_NEWLM, library.dli_fname, RTLD_LAZY | RTLD_LOCAL);
    if (!copy)
        return -1;

    int id = -1;
    arch_t (*query)(void) = NULL;
    void *symbol = dlsym(copy, "bli_arch_query_id");
    char ***copy_environ = dlsym(copy, "environ");
    if (symbol && copy_environ && copy_environ != &environ) {
        memcpy(&query, &symbol, sizeof query); /* ISO C has no cast from an object to a function */
        *copy_environ = nothing;
        id = (int)query();
    }
    dlclose(copy);
    return id;
}
#else
static int ask_second_copy(void)
{
    return -1;
}
#endif

const char *rg__blis_own_choice(void)
{
    const char *names[BLIS_NUM_ARCHS];
    const size_t n = known_names(names);
    const int id = bli_cpuid_query_id ? (int)bli_cpuid_query_id() : ask_second_copy();
    return id >= 0 && (size_t)id < n ? names[id] : NULL;
}

/* Starts BLIS with BLIS_ARCH_TYPE set to id. A copy of the environment with the variable in it stands in for the
 * original meanwhile, which beats setenv and unsetenv: another thread inside getenv sees one of two whole lists. For
 * such a thread's sake the copy is never freed. False: out of memory, and BLIS is not started. */
static bool start_blis_as(size_t id)
{
    static char **copy;
    static char variable[sizeof ARCH_TYPE + 24];

    char **const original = environ;
    size_t n = 0;
    while (original && original[n])
        n++;
    copy = malloc((n + 2) * sizeof *copy);
    if (!copy)
        return false;
    snprintf(variable, sizeof variable, ARCH_TYPE "=%zu", id);
    copy[0] = variable;
    if (n > 0)
        memcpy(copy + 1, original, n * sizeof *copy);
    copy[n + 1] = NULL;

    __atomic_store_n(&environ, copy, __ATOMIC_RELEASE);
    bli_init();
    char **expected = copy;
    if (!__atomic_compare_exchange_n(&environ, &expected, original, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        unsetenv(ARCH_TYPE); /* another thread's setenv has replaced the list, ours included */
    return true;
}

/* Whole numbers whose sums are exact, so that any order of summation gives the same. */
static double element(size_t row, size_t column)
{
    return (double)((row * 7 + column * 3) % 11) - 5;
}

/* One product per precision and path, large enough for whole tiles and edges. True if every element is right. */
static bool products_are_right(bool small_path)
{
    enum { M = 53, N = 70, K = 37 };
    static float af[M * K], bf[K * N], cf[M * N];
    static double ad[M * K], bd[K * N], cd[M * N];
    float onef = 1, zerof = 0;
    double oned = 1, zerod = 0;
    rntm_t rntm;
    bli_rntm_init_from_global(&rntm);
    bli_rntm_set_num_threads(1, &rntm);
    bli_rntm_set_l3_sup(small_path, &rntm);

    for (size_t i = 0; i < M * K; i++)
        af[i] = (float)(ad[i] = element(i / K, i % K));
    for (size_t i = 0; i < K * N; i++)
        bf[i] = (float)(bd[i] = element(i / N, i % N));
    const trans_t as_is = BLIS_NO_TRANSPOSE;
    bli_sgemm_ex(as_is, as_is, M, N, K, &onef, af, K, 1, bf, N, 1, &zerof, cf, N, 1, NULL, &rntm);
    bli_dgemm_ex(as_is, as_is, M, N, K, &oned, ad, K, 1, bd, N, 1, &zerod, cd, N, 1, NULL, &rntm);

    for (size_t i = 0; i < M * N; i++) {
        double sum = 0;
        for (size_t k = 0; k < K; k++)
            sum += ad[i / N * K + k] * bd[k * N + i % N];
        if (cf[i] != (float)sum || cd[i] != sum)
            return false;
    }
    return true;
}

/* What the child does: it says one byte if BLIS starts with this number and computes, and ends in any case. Should BLIS
 * abort or fault, nobody is to notice: no message, no core dump, no handler of the program that we are part of. */
static _Noreturn void try_in_child(size_t id, int answer)
{
    static const int fatal[] = {SIGABRT, SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP};
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        signal(fatal[i], SIG_DFL);
    prctl(PR_SET_DUMPABLE, 0);
    const int null = open("/dev/null", O_WRONLY);
    if (null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        _exit(1);
    if (start_blis_as(id) && bli_arch_query_id() == (arch_t)id && products_are_right(true) && products_are_right(false))
        _exit(write(answer, "+", 1) != 1);
    _exit(1);
}

/* The answer comes by a pipe, not by the exit status, which a program that ignores SIGCHLD never gets to see. */
static bool works_in_child(size_t id)
{
    const int patience_ms = 10000;
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return false;

    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the child inherits it: no signal handler runs there */
    const pid_t child = fork();
    if (child == 0)
        try_in_child(id, fds[1]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(fds[1]);

    bool works = false;
    if (child > 0) {
        struct pollfd answer = {.fd = fds[0], .events = POLLIN};
        char byte;
        int ready;
        do
            ready = poll(&answer, 1, patience_ms);
        while (ready < 0 && errno == EINTR);
        works = ready == 1 && read(fds[0], &byte, 1) == 1;
        if (ready != 1)
            kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    close(fds[0]);
    return works;
}

/* Starts BLIS with better kernels and returns their name; NULL if there are none and BLIS is not started. */
static const char *start_better(void)
{
    const char *user = getenv(ARCH_TYPE);
    const uint32_t cpu = state.pretend ? state.cpu : rg__cpu_features();
    const char *known[BLIS_NUM_ARCHS];
    const size_t n_known = known_names(known);

    /* Asking takes half a millisecond: not where the answer cannot matter. */
    if (!rg__blis_better("generic", cpu, known, n_known, user))
        return NULL;
    const char *own = state.pretend ? state.own : rg__blis_own_choice();
    const char *name;
    while ((name = rg__blis_better(own, cpu, known, n_known, user))) {
        size_t id = 0;
        while (known[id] != name)
            id++;
        if (works_in_child(id))
            return start_blis_as(id) ? name : NULL;
        known[id] = NULL;
    }
    return NULL;
}

#else

const char *rg__blis_own_choice(void)
{
    return NULL;
}

static const char *start_better(void)
{
    return NULL;
}

#endif

/* ---- once per process ---- */

static void start(void)
{
    const char *ours = start_better();
    bli_init();
    state.kernels = bli_arch_string(bli_arch_query_id());
    if (ours && !strcmp(ours, state.kernels))
        state.choice = "retrograd";
    else
        state.choice = getenv(ARCH_TYPE) ? ARCH_TYPE : "blis";
}

void rg__blis_start(void)
{
    pthread_once(&state.once, start);
}

void rg__blis_start_as(const char *own, uint32_t cpu)
{
    state.pretend = true;
    state.own = own;
    state.cpu = cpu;
    rg__blis_start();
}

const char *rg__blis_version(void)
{
    return bli_info_get_version_str();
}

const char *rg__blis_kernels(void)
{
    rg__blis_start();
    return state.kernels;
}

const char *rg__blis_choice(void)
{
    rg__blis_start();
    return state.choice;
}
