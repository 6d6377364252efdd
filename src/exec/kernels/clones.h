/* Functions that exist once for each generation of processors; the dynamic linker picks at start. Without contraction and
 * without reassociation every clone gives the same bits. Their names must differ throughout the library: Clang's resolvers
 * are not static, whatever the function is. */
#ifndef RG__EXEC_KERNELS_CLONES_H
#define RG__EXEC_KERNELS_CLONES_H

/* The thread sanitizer is not there yet when the linker picks. */
#if defined __SANITIZE_THREAD__
#define RG__NO_CLONES
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define RG__NO_CLONES
#endif
#endif

#if defined __x86_64__ && defined __linux__ && !defined RG__NO_CLONES && (!defined __clang__ || __clang_major__ >= 14)
#define RG__CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define RG__CLONES
#endif

#endif
