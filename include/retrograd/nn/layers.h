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
 * by those of another layer (weight tying: the one parameter gets the sum of the gradients) or by NULL where that means
 * none; rg_param_remove takes those that are replaced out of the store. Training or evaluation is the tape's to say
 * (rg_set_training); a layer that is to evaluate inside a tape that trains, as a frozen batch norm, is called between
 * two calls of it. Activations and pooling are the ops themselves; a sequence of layers is a sequence of calls.
 *
 * Parameters have the store's dtype (rg_params_set_dtype), names, shapes and first values as PyTorch's. To start from
 * others, initialise again (nn/init.h). Zeros in a configuration are PyTorch's defaults, NULL means all of them; where
 * zero itself is meant, say RG_ZERO. */

/* ---- x weight^T + bias --------------------------------------------------------------------------------------------- */
typedef struct rg_linear {
    rg_param *weight; /* [out, in], "name.weight"                                                  */
    rg_param *bias;   /* [out], "name.bias"; set NULL for none                                     */
    const char *name; /* the scope; NULL for none                                                  */
} rg_linear;

/* Weight and bias uniform in +-1/sqrt(in), PyTorch's default; initialise again for another. */
RG_API rg_linear rg_linear_new(rg_params *ps, const char *name, int64_t in, int64_t out);
/* x [..., in] -> [..., out] */
RG_API rg_tensor rg_linear_forward(rg_tape *t, const rg_linear *layer, rg_tensor x);

/* y[o] = x1^T weight[o] x2 + bias[o]. Tenenbaum and Freeman, Neural Computation 12, 2000. */
typedef struct rg_bilinear_layer {
    rg_param *weight; /* [out, in1, in2]                     */
    rg_param *bias;   /* [out]; NULL for none                */
    const char *name;
} rg_bilinear_layer;

/* Weight and bias uniform in +-1/sqrt(in1). */
RG_API rg_bilinear_layer rg_bilinear_layer_new(rg_params *ps, const char *name, int64_t in1, int64_t in2, int64_t out,
                                               bool no_bias);
/* x1 [..., in1], x2 [..., in2], the other extents the same -> [..., out] */
RG_API rg_tensor rg_bilinear_layer_forward(rg_tape *t, const rg_bilinear_layer *layer, rg_tensor x1, rg_tensor x2);

/* ---- convolution: rg_conv1d to rg_conv3d, as the kernel has axes ---------------------------------------------------- */
typedef struct rg_conv_layer_config {
    rg_shape stride, padding, dilation, output_padding; /* these seven are those of rg_conv_config (ops/conv.h) */
    int64_t groups;
    bool same;
    rg_pad_kind mode;
    bool no_bias;
} rg_conv_layer_config;

typedef struct rg_conv_layer {
    rg_param *weight; /* [out, in / groups, kernel...]; transposed: [in, out / groups, kernel...] */
    rg_param *bias;   /* [out]; NULL for none                                                     */
    const char *name;
    rg_conv_config config;
    bool transposed;
} rg_conv_layer;

/* The kernel has one to three extents, RG_SHAPE(3, 3); groups divide in and out. Weight and bias are uniform in
 * +-1/sqrt(fan), fan being the product of all extents of the weight but the first. */
RG_API rg_conv_layer rg_conv_layer_new(rg_params *ps, const char *name, int64_t in, int64_t out, rg_shape kernel,
                                       const rg_conv_layer_config *config);
/* The transposed convolution, whose forward is the same function. `mode` and `same` are not for it. */
RG_API rg_conv_layer rg_conv_transpose_layer_new(rg_params *ps, const char *name, int64_t in, int64_t out,
                                                 rg_shape kernel, const rg_conv_layer_config *config);
/* x [n, in, extents...] or [in, extents...] -> [n, out, extents...] or [out, extents...]; formulas and extents in
 * ops/conv.h. LeCun et al., Neural Computation 1, 1989; transposed: Zeiler et al., CVPR 2010. */
RG_API rg_tensor rg_conv_layer_forward(rg_tape *t, const rg_conv_layer *layer, rg_tensor x);

/* ---- normalisation: formulas and papers in ops/normalise.h ---------------------------------------------------------- */
typedef struct rg_batch_norm_config {
    double eps;       /* 1e-5                                                                         */
    double momentum;  /* 0.1: the share of the new batch in the running statistics                    */
    bool cumulative;  /* instead of momentum: the mean over all batches, PyTorch's momentum=None      */
    bool no_affine;   /* neither weight nor bias                                                      */
    bool no_bias;     /* a weight alone                                                               */
    bool no_tracking; /* no running statistics: those of the batch in evaluation, too                 */
} rg_batch_norm_config;

typedef struct rg_batch_norm_layer {
    rg_param *weight, *bias;              /* [channels], ones and zeros; NULL for none                     */
    rg_param *running_mean, *running_var; /* buffers [channels], zeros and ones; NULL for none             */
    rg_param *num_batches_tracked;        /* buffer, i64 []: batches seen in training                      */
    const char *name;
    int64_t channels; /* 0: the layer could not be made */
    double eps, momentum;
    bool cumulative;
} rg_batch_norm_layer;

/* For x of any rank: PyTorch's BatchNorm1d to 3d. channels > 0. */
RG_API rg_batch_norm_layer rg_batch_norm_layer_new(rg_params *ps, const char *name, int64_t channels,
                                                   const rg_batch_norm_config *config);
/* x [n, channels, ...] -> the same shape. Training: by the statistics of the batch, and the running ones are assigned
 * (rg_assign: at the next run or reset; several calls in a step follow one another). Evaluation: by the running ones,
 * where there are any. */
RG_API rg_tensor rg_batch_norm_layer_forward(rg_tape *t, const rg_batch_norm_layer *layer, rg_tensor x);

/* PyTorch's InstanceNorm has neither affine parameters nor running statistics unless asked. */
typedef struct rg_instance_norm_config {
    double eps;      /* 1e-5 */
    double momentum; /* 0.1  */
    bool affine;     /* weight and bias                                                                     */
    bool tracking;   /* running statistics, used in evaluation                                              */
} rg_instance_norm_config;

typedef struct rg_instance_norm_layer {
    rg_param *weight, *bias;
    rg_param *running_mean, *running_var;
    rg_param *num_batches_tracked; /* stays 0, as in PyTorch; so that weights can be exchanged */
    const char *name;
    int64_t channels; /* 0: the layer could not be made */
    double eps, momentum;
} rg_instance_norm_layer;

RG_API rg_instance_norm_layer rg_instance_norm_layer_new(rg_params *ps, const char *name, int64_t channels,
                                                         const rg_instance_norm_config *config);
/* x [n, channels, ...] -> the same shape; there is always the axis of samples. By the statistics of each sample and
 * channel, in evaluation by the running ones where there are any. */
RG_API rg_tensor rg_instance_norm_layer_forward(rg_tape *t, const rg_instance_norm_layer *layer, rg_tensor x);

/* Of layer, group and RMS norm. */
typedef struct rg_norm_config {
    double eps;     /* 1e-5; RMS norm: the dtype's epsilon             */
    bool no_affine; /* neither weight nor bias                         */
    bool no_bias;   /* a weight alone; RMS norm never has a bias       */
} rg_norm_config;

typedef struct rg_layer_norm_layer {
    rg_param *weight, *bias; /* [normalized], ones and zeros; NULL for none */
    const char *name;
    rg_shape normalized; /* rank 0: the layer could not be made */
    double eps;
} rg_layer_norm_layer;

/* normalized: the last extents of x, RG_SHAPE(width) */
RG_API rg_layer_norm_layer rg_layer_norm_layer_new(rg_params *ps, const char *name, rg_shape normalized,
                                                   const rg_norm_config *config);
/* x [..., normalized...] -> the same shape */
RG_API rg_tensor rg_layer_norm_layer_forward(rg_tape *t, const rg_layer_norm_layer *layer, rg_tensor x);

typedef struct rg_rms_norm_layer {
    rg_param *weight; /* [normalized], ones; NULL for none */
    const char *name;
    rg_shape normalized; /* rank 0: the layer could not be made */
    double eps;          /* negative: the epsilon of x's dtype  */
} rg_rms_norm_layer;

RG_API rg_rms_norm_layer rg_rms_norm_layer_new(rg_params *ps, const char *name, rg_shape normalized,
                                               const rg_norm_config *config);
/* x [..., normalized...] -> the same shape */
RG_API rg_tensor rg_rms_norm_layer_forward(rg_tape *t, const rg_rms_norm_layer *layer, rg_tensor x);

typedef struct rg_group_norm_layer {
    rg_param *weight, *bias; /* [channels], ones and zeros; NULL for none */
    const char *name;
    int64_t groups, channels; /* 0: the layer could not be made */
    double eps;
} rg_group_norm_layer;

/* groups divide channels */
RG_API rg_group_norm_layer rg_group_norm_layer_new(rg_params *ps, const char *name, int64_t groups, int64_t channels,
                                                   const rg_norm_config *config);
/* x [n, channels, ...] -> the same shape */
RG_API rg_tensor rg_group_norm_layer_forward(rg_tape *t, const rg_group_norm_layer *layer, rg_tensor x);

/* ---- embedding ------------------------------------------------------------------------------------------------------- */
typedef struct rg_embedding_config {
    const int64_t *padding; /* NULL, or a row, negative from the end: it starts as zeros and gets no gradient; copied  */
    double max_norm;        /* 0: none; else, in each forward pass, rows looked up whose norm is larger are first
                               multiplied by max_norm/(norm + 1e-7): the parameter is assigned, without gradient  */
    double norm_type; /* 2: which norm that is                                                                   */
    bool scale_grad_by_freq; /* a row's gradient is divided by how often the index names it                            */
} rg_embedding_config;

typedef struct rg_embedding_layer {
    rg_param *weight; /* [rows, width] */
    const char *name;
    bool padded;     /* is there a row of padding? */
    int64_t padding; /* which one                  */
    double max_norm, norm_type;
    bool scale_grad_by_freq;
} rg_embedding_layer;

/* Weight standard normal, but for the row of padding. */
RG_API rg_embedding_layer rg_embedding_layer_new(rg_params *ps, const char *name, int64_t rows, int64_t width,
                                                 const rg_embedding_config *config);
/* weight[index]: index [...], i64 or i32 -> [..., width] */
RG_API rg_tensor rg_embedding_layer_forward(rg_tape *t, const rg_embedding_layer *layer, rg_tensor index);

/* ---- a learned slope ------------------------------------------------------------------------------------------------- */
/* x > 0 ? x : weight x. He et al., ICCV 2015. */
typedef struct rg_prelu_layer {
    rg_param *weight; /* [count], 0.25 */
    const char *name;
} rg_prelu_layer;

/* count: 1, or the channels of x, its axis 1 */
RG_API rg_prelu_layer rg_prelu_layer_new(rg_params *ps, const char *name, int64_t count);
/* x [n, count, ...], or any shape where count is 1 -> the same shape */
RG_API rg_tensor rg_prelu_layer_forward(rg_tape *t, const rg_prelu_layer *layer, rg_tensor x);

/* ---- without parameters ---------------------------------------------------------------------------------------------- */
/* Training: each element 0 with probability p, else x / (1 - p); 0 <= p <= 1, x float, of any shape -> the same shape.
 * Otherwise x itself, and nothing is drawn. Srivastava et al., JMLR 2014. */
RG_API rg_tensor rg_dropout(rg_tape *t, rg_tensor x, double p, bool training);

/* As layers: the op, in training where the tape trains; the result has the shape of x. They have no parameters, so
 * there is nothing to make. Formulas and papers of the last three: ops/attention.h and ops/activation.h. */
RG_API rg_tensor rg_dropout_layer(rg_tape *t, rg_tensor x, double p);                 /* rg_dropout                 */
RG_API rg_tensor rg_feature_dropout_layer(rg_tape *t, rg_tensor x, double p);         /* PyTorch's Dropout1d to 3d  */
RG_API rg_tensor rg_alpha_dropout_layer(rg_tape *t, rg_tensor x, double p);           /* rg_alpha_dropout           */
RG_API rg_tensor rg_rrelu_layer(rg_tape *t, rg_tensor x, double lower, double upper); /* rg_rrelu                   */

#ifdef __cplusplus
}
#endif
#endif
