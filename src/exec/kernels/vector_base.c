/* The vector loops for the instruction set that the compiler assumes. */
#define RG__VECTOR_TARGET
#define RG__VECTOR_ROWS rg__vector_rows_base
#include "exec/kernels/vector_loops.h"
