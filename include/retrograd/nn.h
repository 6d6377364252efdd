/* Retrograd: layers, losses, initialisers and metrics. All of them are written with the public ops alone. */
#ifndef RETROGRAD_NN_H
#define RETROGRAD_NN_H

#include <retrograd/base.h>
#include <retrograd/ops.h>
#include <retrograd/params.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- initialisers: overwrite the values of a float parameter from its own random stream (rg_param_rng) ----------
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

/* ---- layers ------------------------------------------------------------------------------------------------------
 * A layer is a struct of parameters and a function; copy it freely, the store owns what it points to. Where creation
 * fails the store keeps the error, and using the layer is an error on the tape. What a layer records is in the scope
 * of its name. Activations are the ops themselves; a sequence of layers is a sequence of calls. */
typedef struct rg_linear {
    rg_param *weight; /* [out, in], "name.weight"                                                  */
    rg_param *bias;   /* [out], "name.bias"; set NULL for none                                     */
    const char *name; /* the caller's string, which must outlive the layer's use: the scope        */
} rg_linear;

/* Weight and bias uniform in +-1/sqrt(in), PyTorch's default; initialise again for another. */
RG_API rg_linear rg_linear_new(rg_params *ps, const char *name, int64_t in, int64_t out);
/* x [..., in] -> [..., out] */
RG_API rg_tensor rg_linear_forward(rg_tape *t, const rg_linear *layer, rg_tensor x);

/* Training: each element 0 with probability p, else x / (1 - p); 0 <= p <= 1, x float. Otherwise x itself, and nothing
 * is drawn. Srivastava et al., JMLR 2014. */
RG_API rg_tensor rg_dropout(rg_tape *t, rg_tensor x, double p, bool training);

/* ---- losses --------------------------------------------------------------------------------------------------------
 * RG_MEAN divides by the number of elements (NaN for none), RG_SUM adds, RG_NONE leaves one loss an element. x and y are
 * float, of one dtype and one shape: where PyTorch broadcasts with a warning, this is an error. Gradients flow to both. */
RG_API rg_tensor rg_mse_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r); /* (x - y)^2 */
RG_API rg_tensor rg_l1_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r);  /* |x - y|   */
/* With d = |x - y|: d^2/2 where d <= delta, else delta (d - delta/2). delta > 0, finite. Huber 1964. */
RG_API rg_tensor rg_huber_loss(rg_tape *t, rg_tensor x, rg_tensor y, double delta, rg_reduction r);
/* -(y log s + (1 - y) log(1 - s)) with s = sigmoid(x), written so that no large |x| overflows or cancels. */
RG_API rg_tensor rg_bce_with_logits(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r);

/* -log_prob[i, target[i]]: log_prob [n, classes], target [n] of i64 or i32; or log_prob [n, classes, ...] with target
 * [n, ...]; or log_prob [classes] with target []. Targets equal to `ignore_index` (PyTorch's default: -100) have loss 0
 * and do not count in the mean, which is NaN where all are ignored; any other label outside of 0 .. classes-1 is an error
 * when the value is computed. */
#define RG_IGNORE_INDEX (-100)
RG_API rg_tensor rg_nll_loss(rg_tape *t, rg_tensor log_prob, rg_tensor target, int64_t ignore_index, rg_reduction r);

typedef struct rg_cross_entropy_config {
    rg_reduction reduction;      /* RG_MEAN                                                                     */
    double label_smoothing;      /* in [0, 1]: that share of the target spread evenly over the classes (Szegedy
                                   et al., CVPR 2016)                                                          */
    const int64_t *ignore_index; /* NULL: RG_IGNORE_INDEX                                                      */
} rg_cross_entropy_config;
/* nll_loss(log_softmax(logits)) for target of class indices as above; -sum target log_softmax(logits) over the classes
 * for target of probabilities (float, dtype and shape of logits), where RG_MEAN divides by the number of rows and
 * nothing is ignored. RG_NONE leaves one loss a row. NULL config for the defaults. */
RG_API rg_tensor rg_cross_entropy(rg_tape *t, rg_tensor logits, rg_tensor target, const rg_cross_entropy_config *config);

/* ---- metrics ----------------------------------------------------------------------------------------------------- */
/* The share of rows of logits [n, classes] whose first largest element stands at labels[i] (i64 or i32, [n]): a
 * recorded f32 scalar, NaN for no rows. */
RG_API rg_tensor rg_accuracy(rg_tape *t, rg_tensor logits, rg_tensor labels);

#ifdef __cplusplus
}
#endif
#endif
