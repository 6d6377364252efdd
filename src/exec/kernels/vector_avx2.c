/* The vector loops for AVX2. */
#include "exec/kernels/vector_rows.h"

#ifdef __x86_64__
#define RG__VECTOR_TARGET __attribute__((target("avx2")))
#define RG__VECTOR_ROWS   rg__vector_rows_avx2
#include "exec/kernels/vector_loops.h"
#endif
