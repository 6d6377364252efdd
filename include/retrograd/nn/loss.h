/* Retrograd: losses, written with the public ops alone. rg_ctc_loss, an op, is in ops/ctc.h. */
#ifndef RETROGRAD_NN_LOSS_H
#define RETROGRAD_NN_LOSS_H

#include <retrograd/ops.h>
#include <retrograd/params.h>

#ifdef __cplusplus
extern "C" {
#endif

/* RG_MEAN divides by the number of losses (NaN for none), RG_SUM adds, RG_NONE leaves one loss an element, or one a row
 * where it says so. x and y are float, of one dtype and one shape: where PyTorch broadcasts with a warning, this is an
 * error. Gradients flow to all float arguments, first and second ones. Weights have the dtype of x; nil is none. In
 * configurations, as everywhere, zeros and NULL are PyTorch's defaults, and numbers are finite. */

/* ---- differences ------------------------------------------------------------------------------------------------- */
RG_API rg_tensor rg_mse_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r); /* (x - y)^2 */
RG_API rg_tensor rg_l1_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r);  /* |x - y|   */
/* With d = |x - y|: d^2/2 where d <= delta, else delta (d - delta/2). delta > 0, finite. Huber, Annals of Mathematical
 * Statistics 35, 1964. */
RG_API rg_tensor rg_huber_loss(rg_tape *t, rg_tensor x, rg_tensor y, double delta, rg_reduction r);
/* d^2/(2 beta) where d < beta, else d - beta/2: huber over beta, and |x - y| for beta = 0. PyTorch's default is 1.
 * Girshick, ICCV 2015. */
RG_API rg_tensor rg_smooth_l1_loss(rg_tape *t, rg_tensor x, rg_tensor y, double beta, rg_reduction r);

/* ---- probabilities of two outcomes ------------------------------------------------------------------------------- */
/* -weight (y log x + (1 - y) log(1 - x)) of probabilities x, logarithms held at -100 at least; NaN beyond [0, 1], an
 * error in PyTorch. The weight broadcasts to the shape of x. As in PyTorch, the gradient is (x - y) / max(x (1 - x),
 * 1e-12). Logits are better served by rg_bce_with_logits. */
RG_API rg_tensor rg_bce_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_tensor weight, rg_reduction r);
/* -(y log s + (1 - y) log(1 - s)) with s = sigmoid(x), written so that no large |x| overflows or cancels. */
RG_API rg_tensor rg_bce_with_logits(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r);
/* -weight (pos_weight y log s + (1 - y) log(1 - s)). Both broadcast to the shape of x. */
RG_API rg_tensor rg_bce_with_logits_weighted(rg_tape *t, rg_tensor x, rg_tensor y, rg_tensor weight,
                                             rg_tensor pos_weight, rg_reduction r);
/* log(1 + e^(-y x)), y of 1 and -1; finite where PyTorch's overflows. */
RG_API rg_tensor rg_soft_margin_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_reduction r);
/* rg_bce_with_logits, weighted ([classes], or what broadcasts to x), its mean over the last axis: x, y [..., classes]
 * -> one loss a row [...]. */
RG_API rg_tensor rg_multilabel_soft_margin_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_tensor weight, rg_reduction r);

typedef struct rg_sigmoid_focal_config {
    rg_reduction reduction; /* RG_MEAN, where torchvision's default is none                                  */
    const double *alpha;    /* NULL: 0.25; the weight of y = 1, 1 - alpha that of y = 0; negative: no weights */
    const double *gamma;    /* NULL: 2; 0 or more                                                            */
} rg_sigmoid_focal_config;
/* alpha_t (1 - p_t)^gamma bce_with_logits(x, y) with p_t = y s + (1 - y)(1 - s), alpha_t = y alpha + (1 - y)(1 -
 * alpha): Lin et al., ICCV 2017, as in torchvision. 1 - p_t does not cancel where torchvision's is 0. */
RG_API rg_tensor rg_sigmoid_focal_loss(rg_tape *t, rg_tensor x, rg_tensor y, const rg_sigmoid_focal_config *config);
/* 1 - (2 sum x y + smooth) / (sum x + sum y + smooth), sums over all axes but the first: probabilities x and masks y
 * [n, ...] -> one loss a sample [n]; a vector is one sample. smooth is 0 or more; 0 gives NaN where both are empty.
 * Sudre et al., DLMIA 2017. */
RG_API rg_tensor rg_dice_loss(rg_tape *t, rg_tensor x, rg_tensor y, double smooth, rg_reduction r);

/* ---- classes --------------------------------------------------------------------------------------------------------
 * Class indices are i64 or i32; one outside of 0 .. classes-1 is an error when the value is computed. */

/* -log_prob[i, target[i]]: log_prob [n, classes], target [n] of i64 or i32; or log_prob [n, classes, ...] with target
 * [n, ...]; or log_prob [classes] with target []. Targets equal to `ignore_index` (PyTorch's default: -100) have loss 0
 * and do not count in the mean, which is NaN where all are ignored. */
#define RG_IGNORE_INDEX (-100)
RG_API rg_tensor rg_nll_loss(rg_tape *t, rg_tensor log_prob, rg_tensor target, int64_t ignore_index, rg_reduction r);
/* Each loss times weight[target[i]], weight [classes]; RG_MEAN divides by the sum of these. */
RG_API rg_tensor rg_nll_loss_weighted(rg_tape *t, rg_tensor log_prob, rg_tensor target, rg_tensor weight,
                                      int64_t ignore_index, rg_reduction r);

typedef struct rg_cross_entropy_config {
    rg_reduction reduction;      /* RG_MEAN                                                                     */
    double label_smoothing;      /* in [0, 1]: that share of the target spread evenly over the classes (Szegedy
                                   et al., CVPR 2016)                                                          */
    const int64_t *ignore_index; /* NULL: RG_IGNORE_INDEX                                                      */
    rg_tensor weight;            /* [classes], a factor of each class's terms; nil: 1                           */
} rg_cross_entropy_config;
/* nll_loss(log_softmax(logits)) for target of class indices as above; -sum weight target log_softmax(logits) over the
 * classes for target of probabilities (float, dtype and shape of logits), where RG_MEAN divides by the number of rows
 * and nothing is ignored. RG_NONE leaves one loss a row. NULL config for the defaults. */
RG_API rg_tensor rg_cross_entropy(rg_tape *t, rg_tensor logits, rg_tensor target, const rg_cross_entropy_config *config);

typedef struct rg_focal_config {
    rg_reduction reduction;      /* RG_MEAN: over the targets that are not ignored */
    const double *gamma;         /* NULL: 2; 0 or more                            */
    rg_tensor alpha;             /* [classes]; nil: 1                             */
    const int64_t *ignore_index; /* NULL: RG_IGNORE_INDEX                         */
} rg_focal_config;
/* -alpha[y] (1 - p)^gamma log p, p the softmax of the logits at the target y: the focal loss of several classes. Shapes
 * as rg_cross_entropy with class indices. Lin et al., ICCV 2017. */
RG_API rg_tensor rg_focal_loss(rg_tape *t, rg_tensor logits, rg_tensor target, const rg_focal_config *config);

typedef struct rg_multi_margin_config {
    rg_reduction reduction; /* RG_MEAN           */
    int p;                  /* 1 or 2; 0: 1      */
    const double *margin;   /* NULL: 1           */
    rg_tensor weight;       /* [classes]; nil: 1 */
} rg_multi_margin_config;
/* weight[y] sum over j != y of max(0, margin - x[y] + x[j])^p / classes: x [n, classes], target [n]; or x [classes],
 * target []. One loss a row. A batch of none is reduced as anywhere; PyTorch leaves it undefined. Weston and Watkins,
 * ESANN 1999. */
RG_API rg_tensor rg_multi_margin_loss(rg_tape *t, rg_tensor x, rg_tensor target, const rg_multi_margin_config *config);
/* sum over the targets y and the classes j that are none of max(0, 1 - x[y] + x[j]) / classes: x [n, classes] or
 * [classes], target of the same shape holds a row's classes up to the first -1; what follows that is not looked at. One
 * loss a row. Takes [n, classes, classes] terms. After Elisseeff and Weston, NIPS 2001, who divide by the number of
 * pairs. */
RG_API rg_tensor rg_multilabel_margin_loss(rg_tape *t, rg_tensor x, rg_tensor target, rg_reduction r);

/* ---- distributions ----------------------------------------------------------------------------------------------- */
typedef struct rg_kl_div_config {
    rg_reduction reduction; /* RG_MEAN, which divides by the number of elements                         */
    bool batch_mean;        /* instead of it, the sum over the extent of the first axis, 1 for a scalar */
    bool log_target;        /* y holds logarithms, too                                                  */
} rg_kl_div_config;
/* y (log y - x) of log-probabilities x and probabilities y, or e^y (y - x). batch_mean is PyTorch's batchmean. Summed
 * over a distribution, the divergence of Kullback and Leibler, 1951. The gradient by y is -x where y is 0, NaN in
 * PyTorch. */
RG_API rg_tensor rg_kl_div(rg_tape *t, rg_tensor x, rg_tensor y, const rg_kl_div_config *config);

typedef struct rg_poisson_nll_config {
    rg_reduction reduction; /* RG_MEAN                                                               */
    bool rate;              /* x is the rate itself, PyTorch's log_input=False; else its logarithm   */
    bool full;              /* adds Stirling's y log y - y + log(2 pi y)/2 where y > 1               */
    double eps;             /* of the rate's logarithm; 0: 1e-8                                      */
} rg_poisson_nll_config;
/* e^x - y x, or x - y log(x + eps). */
RG_API rg_tensor rg_poisson_nll_loss(rg_tape *t, rg_tensor x, rg_tensor y, const rg_poisson_nll_config *config);

typedef struct rg_gaussian_nll_config {
    rg_reduction reduction; /* RG_MEAN                     */
    bool full;              /* adds log(2 pi)/2            */
    double eps;             /* the least variance; 0: 1e-6 */
} rg_gaussian_nll_config;
/* (log v + (x - y)^2/v)/2 with v = max(var, eps), through which the gradient passes as if v were var. var has the shape
 * of x, or that without the last axis, or that with one extent 1. Negative ones are an error in PyTorch, here eps. Nix
 * and Weigend, 1994. */
RG_API rg_tensor rg_gaussian_nll_loss(rg_tape *t, rg_tensor x, rg_tensor y, rg_tensor var,
                                      const rg_gaussian_nll_config *config);

/* ---- margins: at the kink of max(0, .) the gradient is 1, in multi_margin and multilabel_margin 0 ---------------- */
/* x where y is 1, max(0, margin - x) where y is -1, the sum of both elsewhere. margin 1. For x a distance:
 * Mobahi, Collobert, Weston, ICML 2009. */
RG_API rg_tensor rg_hinge_embedding_loss(rg_tape *t, rg_tensor x, rg_tensor y, double margin, rg_reduction r);
/* max(0, margin - y (x1 - x2)): x1 should be the larger where y is 1, x2 where y is -1. x1, x2 and y of one shape.
 * margin 0. Herbrich, Graepel, Obermayer, ICANN 1999. */
RG_API rg_tensor rg_margin_ranking_loss(rg_tape *t, rg_tensor x1, rg_tensor x2, rg_tensor y, double margin,
                                        rg_reduction r);
/* 1 - c where y is 1, max(0, c - margin) where y is -1, else 0; c = <x1, x2> / sqrt((|x1|^2 + 1e-12)(|x2|^2 + 1e-12)).
 * x1, x2 [n, d], y [n]; or [d] and []. One loss a row. margin 0. */
RG_API rg_tensor rg_cosine_embedding_loss(rg_tape *t, rg_tensor x1, rg_tensor x2, rg_tensor y, double margin,
                                          rg_reduction r);
typedef struct rg_triplet_margin_config {
    rg_reduction reduction; /* RG_MEAN                                                                            */
    double margin;          /* above 0; 0: 1                                                                      */
    double p;               /* of the norm, may be infinite; 0: 2                                                 */
    double eps;             /* added to each difference; 0: 1e-6                                                  */
    bool swap;              /* d(a, n) is min(d(a, n), d(p, n))                                                   */
} rg_triplet_margin_config;
/* max(0, margin + d(a, p) - d(a, n)) with d of rg_pairwise_distance: anchor, positive, negative [..., d] -> one loss a
 * row [...]. With distances of your own: rg_margin_ranking_loss(t, d(a, n), d(a, p), ones, margin, r). Balntas et al.,
 * BMVC 2016. */
RG_API rg_tensor rg_triplet_margin_loss(rg_tape *t, rg_tensor anchor, rg_tensor positive, rg_tensor negative,
                                        const rg_triplet_margin_config *config);

/* ---- penalties ------------------------------------------------------------------------------------------------------
 * strength times the sum of p^2, or of |p|, over the elements of the store's trainable float parameters whose names
 * match the pattern (rg_name_matches); NULL for all. A scalar of the dtype that the store gives to layers. strength is
 * 0 or more, finite. A pattern that no parameter's name matches is an error. Of |p|: Tibshirani, Journal of the Royal
 * Statistical Society B 58, 1996; of p^2: Hoerl and Kennard, Technometrics 12, 1970. */
RG_API rg_tensor rg_l1_penalty(rg_tape *t, rg_params *ps, const char *pattern, double strength);
RG_API rg_tensor rg_l2_penalty(rg_tape *t, rg_params *ps, const char *pattern, double strength);

#ifdef __cplusplus
}
#endif
#endif
