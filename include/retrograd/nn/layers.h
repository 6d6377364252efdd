/* Retrograd: layers, written with the public ops alone. */
#ifndef RETROGRAD_NN_LAYERS_H
#define RETROGRAD_NN_LAYERS_H

#include <retrograd/ops.h>
#include <retrograd/params.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A layer is a struct of parameters and functions; copy it freely, the store owns what it points to, the name too. Where
 * creation fails the store keeps the error, and using the layer is an error on the tape. Its parameters are called
 * "name.part" in the scope of the store, and what it records is in the scope of its name. Its parameters may be replaced
 * by those of another layer (weight tying) or by NULL where that means none. Training or evaluation is the tape's to say
 * (rg_set_training). Activations and pooling are the ops themselves; a sequence of layers is a sequence of calls. */
typedef struct rg_linear {
    rg_param *weight; /* [out, in], "name.weight"                                                  */
    rg_param *bias;   /* [out], "name.bias"; set NULL for none                                     */
    const char *name; /* the scope; NULL for none                                                  */
} rg_linear;

/* Weight and bias uniform in +-1/sqrt(in), PyTorch's default; initialise again for another. */
RG_API rg_linear rg_linear_new(rg_params *ps, const char *name, int64_t in, int64_t out);
/* x [..., in] -> [..., out] */
RG_API rg_tensor rg_linear_forward(rg_tape *t, const rg_linear *layer, rg_tensor x);

/* Training: each element 0 with probability p, else x / (1 - p); 0 <= p <= 1, x float. Otherwise x itself, and nothing
 * is drawn. Srivastava et al., JMLR 2014. */
RG_API rg_tensor rg_dropout(rg_tape *t, rg_tensor x, double p, bool training);

#ifdef __cplusplus
}
#endif
#endif
