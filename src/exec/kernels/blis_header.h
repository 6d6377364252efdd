/* blis.h, wherever the distribution puts it. It is not written for -Wpedantic, so it counts as a system header. */
#ifndef RG__EXEC_KERNELS_BLIS_HEADER_H
#define RG__EXEC_KERNELS_BLIS_HEADER_H

#pragma GCC system_header

#if __has_include(<blis.h>)
#include <blis.h>
#elif __has_include(<blis/blis.h>)
#include <blis/blis.h>
#else
#include <blis-openmp/blis.h>
#endif

#endif
