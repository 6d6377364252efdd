/* The vector loops for AVX-512, as of the first server processors that had it. */
#include "exec/kernels/vector_rows.h"

#ifdef __x86_64__
#ifdef __clang__
#define RG__VECTOR_TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#else
#define RG__VECTOR_TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512")))
#endif
#define RG__VECTOR_ROWS rg__vector_rows_avx512
#include "exec/kernels/vector_loops.h"
#endif
