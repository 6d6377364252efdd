/* Retrograd: initialisers of parameters. */
#ifndef RETROGRAD_NN_INIT_H
#define RETROGRAD_NN_INIT_H

#include <retrograd/params.h>

#ifdef __cplusplus
extern "C" {
#endif

/* They overwrite the values of a float parameter from its own random stream (rg_param_rng).
 * fan_in is the product of all extents but the first, fan_out of all but the second: weight [out, in, ...]. Xavier and
 * He need rank 2 or more. Bounds, deviations and gains are finite, the latter two not negative. Calling again draws
 * the same again. Errors go to the store. NULL does nothing: the store has said why. */
typedef enum rg_nonlinearity { RG_LINEAR = 0, RG_SIGMOID, RG_TANH, RG_RELU } rg_nonlinearity;
RG_API double rg_gain(rg_nonlinearity nonlinearity); /* 1, 1, 5/3, sqrt 2 */
RG_API void rg_init_constant(rg_param *p, double value);
RG_API void rg_init_uniform(rg_param *p, double low, double high);
RG_API void rg_init_normal(rg_param *p, double mean, double std);
/* Bound gain sqrt(6/(fan_in + fan_out)), std gain sqrt(2/(fan_in + fan_out)): Glorot and Bengio, AISTATS 2010. */
RG_API void rg_init_xavier_uniform(rg_param *p, double gain);
RG_API void rg_init_xavier_normal(rg_param *p, double gain);
/* Bound gain sqrt(3/fan_in), std gain/sqrt(fan_in): He et al., ICCV 2015. */
RG_API void rg_init_he_uniform(rg_param *p, double gain);
RG_API void rg_init_he_normal(rg_param *p, double gain);

#ifdef __cplusplus
}
#endif
#endif
