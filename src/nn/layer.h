/* What the files of layers share. */
#ifndef RG__NN_LAYER_H
#define RG__NN_LAYER_H

#include "check.h"

/* A parameter in the scope of the store, every element `value`; and a buffer. NULL on error. */
rg_param *rg__layer_param(rg_params *ps, const char *name, rg_shape shape, double value);
rg_param *rg__layer_buffer(rg_params *ps, const char *name, rg_shape shape, double value);

/* Of forward: the layer is NULL, or could not be made. Returns nil. `layer` is not read. */
rg_tensor rg__layer_unusable(rg_tape *t, const char *function, const void *layer, const char *name);

/* The scope of a layer's name, which may be NULL. */
void rg__layer_enter(rg_tape *t, const char *name);
rg_tensor rg__layer_leave(rg_tape *t, const char *name, rg_tensor y); /* returns y */

/* x is float, [n, channels, ...]. */
bool rg__layer_channels(rg_tape *t, const char *function, rg_tensor x, int64_t channels);

/* The parameter as a tensor, nil for NULL. */
rg_tensor rg__layer_leaf(rg_tape *t, rg_param *p);

#endif
