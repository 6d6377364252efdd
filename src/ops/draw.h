/* What draws share between their two families: functions of noise (draw.c), and noise (draw_kernel.c). */
#ifndef RG__OPS_DRAW_H
#define RG__OPS_DRAW_H

#include "ops/op.h"

/* The dtype and broadcast shape of two parameters; false and an error where they do not fit. */
bool rg__draw_shape(rg_tape *t, const rg__op *op, rg_tensor a, rg_tensor b, rg_dtype *dtype, rg_shape *shape);

/* f64, uniform in (0, 1), both ends excluded, symmetric about 1/2. */
rg_tensor rg__rand_open(rg_tape *t, rg_shape shape);

/* Gamma variates of rate 1, or their logarithms. Errors are in the name of `op`. */
rg_tensor rg__gamma_variate(rg_tape *t, const rg__op *op, rg_tensor concentration, bool logarithm);

#endif
