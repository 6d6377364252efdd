/* Starts BLIS with the best kernels that this processor can run, and says which those are.
 *
 * BLIS picks a sub-configuration ("zen3", "skx", ...) by the processor's vendor and family. On a processor newer than
 * itself it falls back to "generic", portable C that can be several times slower, and on a Xeon whose name says nothing, as
 * in a virtual machine, to "haswell", without AVX-512. Retrograd then picks for it, unless the user did so in the environment
 * variable BLIS_ARCH_TYPE. A choice of BLIS that is not a fallback is never changed. */
#ifndef RG__EXEC_KERNELS_BLIS_ARCH_H
#define RG__EXEC_KERNELS_BLIS_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once per process, from any thread; a later call costs a few nanoseconds. Whoever needs BLIS calls it first. Where
 * Retrograd picks, the environment is replaced by a copy with BLIS_ARCH_TYPE in it while BLIS starts, and restored. */
void rg__blis_start(void);

/* The strings live as long as the process. The last two start BLIS if that is still to be done. */
const char *rg__blis_version(void); /* "0.9.0" */
const char *rg__blis_kernels(void); /* the sub-configuration in use: "zen3", "skx", "generic", ... */
const char *rg__blis_choice(void);  /* who chose it: "blis", "retrograd" or "BLIS_ARCH_TYPE" */

/* The decision. own: the sub-configuration that BLIS would pick; cpu: a set of RG_CPU_ features; known: the names that
 * this BLIS has a number for, some of them NULL; user: the value of BLIS_ARCH_TYPE, NULL if not set. Returns the name
 * to use instead, or NULL to leave BLIS alone. */
const char *rg__blis_better(const char *own, uint32_t cpu, const char *const *known, size_t n_known, const char *user);

/* The sub-configuration that BLIS would pick if started now without BLIS_ARCH_TYPE. Does not start it. NULL where there
 * is no way to find out (no dlmopen, as with musl, and a shared BLIS). */
const char *rg__blis_own_choice(void);

/* For tests: rg__blis_start as if BLIS had picked `own` on a processor with the features `cpu`. Does nothing after the
 * first start. */
void rg__blis_start_as(const char *own, uint32_t cpu);

#endif
