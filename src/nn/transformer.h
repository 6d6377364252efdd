/* What attention and transformer layers share. */
#ifndef RG__NN_TRANSFORMER_H
#define RG__NN_TRANSFORMER_H

#include "layer.h"

/* A linear layer in the scope of the store, without a bias if so wished. */
rg_linear rg__linear_part(rg_params *ps, const char *name, int64_t in, int64_t out, bool no_bias);

#endif
