/* Retrograd: what this build runs on. */
#ifndef RETROGRAD_INFO_H
#define RETROGRAD_INFO_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rg_info {
    const char *version;      /* of Retrograd                                             */
    const char *processor;    /* its brand string, or "unknown"                           */
    const char *features;     /* "avx2 fma ...": what processor and system offer          */
    const char *blis;         /* version of BLIS                                          */
    const char *blis_kernels; /* the sub-configuration of BLIS in use: "zen3", "skx", ... */
    const char *blis_choice;  /* who chose it: "blis", "retrograd" or "BLIS_ARCH_TYPE"    */
    int threads;              /* that a tape uses by default                              */
} rg_info;

/* The strings live as long as the process. */
RG_API rg_info rg_info_get(void);

#ifdef __cplusplus
}
#endif
#endif
