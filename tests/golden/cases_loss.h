/* The C side of loss_binary.txt, loss_class.txt, loss_distribution.txt, loss_margin.txt and metric.txt; a part of cases.h. */
// clang-format off
#define REDUCED(key, f, ...) \
    CASE(key##_mean, f(t, __VA_ARGS__, RG_MEAN)) \
    CASE(key##_sum, f(t, __VA_ARGS__, RG_SUM)) \
    CASE(key##_none, f(t, __VA_ARGS__, RG_NONE))
#define CONFIGURED2(key, f, ...) \
    CASE(key##_mean, f(t, A, B, &(const f##_type){.reduction = RG_MEAN, __VA_ARGS__})) \
    CASE(key##_sum, f(t, A, B, &(const f##_type){.reduction = RG_SUM, __VA_ARGS__})) \
    CASE(key##_none, f(t, A, B, &(const f##_type){.reduction = RG_NONE, __VA_ARGS__}))
#define CONFIGURED3(key, f, ...) \
    CASE(key##_mean, f(t, A, B, C, &(const f##_type){.reduction = RG_MEAN, __VA_ARGS__})) \
    CASE(key##_sum, f(t, A, B, C, &(const f##_type){.reduction = RG_SUM, __VA_ARGS__})) \
    CASE(key##_none, f(t, A, B, C, &(const f##_type){.reduction = RG_NONE, __VA_ARGS__}))
#define OPTION2(key, f, ...) CASE(key##_none, f(t, A, B, &(const f##_type){.reduction = RG_NONE, __VA_ARGS__}))
#define OPTION3(key, f, ...) CASE(key##_none, f(t, A, B, C, &(const f##_type){.reduction = RG_NONE, __VA_ARGS__}))
#define NUMBER(x) (&(const double){x})
#define rg_sigmoid_focal_loss_type rg_sigmoid_focal_config
#define rg_cross_entropy_type      rg_cross_entropy_config
#define rg_focal_loss_type         rg_focal_config
#define rg_multi_margin_loss_type  rg_multi_margin_config
#define rg_kl_div_type             rg_kl_div_config
#define rg_poisson_nll_loss_type   rg_poisson_nll_config
#define rg_gaussian_nll_loss_type  rg_gaussian_nll_config
#define rg_triplet_margin_loss_type rg_triplet_margin_config

REDUCED(smooth_l1, rg_smooth_l1_loss, A, B, 1)
CASE(smooth_l1_half_none, rg_smooth_l1_loss(t, A, B, 0.5, RG_NONE))
CASE(smooth_l1_0_none, rg_smooth_l1_loss(t, A, B, 0, RG_NONE))
REDUCED(bce_loss, rg_bce_loss, A, B, C)
REDUCED(bce_weighted, rg_bce_with_logits_weighted, A, B, C, x[3])
REDUCED(soft_margin, rg_soft_margin_loss, A, B)
REDUCED(multilabel_soft, rg_multilabel_soft_margin_loss, A, B, C)
CONFIGURED2(sigmoid_focal, rg_sigmoid_focal_loss, .gamma = NULL)
OPTION2(sigmoid_focal_plain, rg_sigmoid_focal_loss, .alpha = NUMBER(-1), .gamma = NUMBER(0))
OPTION2(sigmoid_focal_odd, rg_sigmoid_focal_loss, .alpha = NUMBER(0.75), .gamma = NUMBER(1.5))
OPTION2(sigmoid_focal_one, rg_sigmoid_focal_loss, .alpha = NUMBER(-1), .gamma = NUMBER(1))
OPTION2(sigmoid_focal_three, rg_sigmoid_focal_loss, .alpha = NUMBER(0), .gamma = NUMBER(3))
REDUCED(dice, rg_dice_loss, A, B, 0.5)

REDUCED(nll_weighted, rg_nll_loss_weighted, A, B, C, RG_IGNORE_INDEX)
CONFIGURED2(cross_entropy_weighted, rg_cross_entropy, .weight = C)
CONFIGURED2(cross_entropy_weighted_smooth, rg_cross_entropy, .weight = C, .label_smoothing = 0.2)
CONFIGURED2(focal, rg_focal_loss, .alpha = C)
OPTION2(focal_odd, rg_focal_loss, .alpha = C, .gamma = NUMBER(0.5))
OPTION2(focal_0, rg_focal_loss, .alpha = C, .gamma = NUMBER(0))
CONFIGURED2(multi_margin, rg_multi_margin_loss, .weight = C)
OPTION2(multi_margin_square, rg_multi_margin_loss, .weight = C, .p = 2, .margin = NUMBER(0.5))
OPTION2(multi_margin_0, rg_multi_margin_loss, .weight = C, .p = 1, .margin = NUMBER(0))
REDUCED(multilabel_margin, rg_multilabel_margin_loss, A, B)

CONFIGURED2(kl_div, rg_kl_div, .log_target = false)
OPTION2(kl_div_log, rg_kl_div, .log_target = true)
CASE(kl_div_batch, rg_kl_div(t, A, B, &(const rg_kl_div_config){.batch_mean = true}))
CASE(kl_div_log_batch, rg_kl_div(t, A, B, &(const rg_kl_div_config){.batch_mean = true, .log_target = true}))
CONFIGURED2(poisson, rg_poisson_nll_loss, .full = false)
OPTION2(poisson_full, rg_poisson_nll_loss, .full = true)
OPTION2(poisson_rate, rg_poisson_nll_loss, .rate = true)
OPTION2(poisson_rate_full, rg_poisson_nll_loss, .rate = true, .full = true)
CASE(poisson_rate_eps, rg_poisson_nll_loss(t, A, B, &(const rg_poisson_nll_config){.rate = true, .eps = 0.25}))
CONFIGURED3(gaussian, rg_gaussian_nll_loss, .full = false)
OPTION3(gaussian_full, rg_gaussian_nll_loss, .full = true)
CASE(gaussian_eps, rg_gaussian_nll_loss(t, A, B, C, &(const rg_gaussian_nll_config){.reduction = RG_NONE, .eps = 0.5}))

REDUCED(hinge_embedding, rg_hinge_embedding_loss, A, B, 1)
CASE(hinge_embedding_0_none, rg_hinge_embedding_loss(t, A, B, 0, RG_NONE))
REDUCED(ranking, rg_margin_ranking_loss, A, B, C, 0)
CASE(ranking_half_none, rg_margin_ranking_loss(t, A, B, C, 0.5, RG_NONE))
REDUCED(cosine, rg_cosine_embedding_loss, A, B, C, 0)
CASE(cosine_low_none, rg_cosine_embedding_loss(t, A, B, C, -0.6, RG_NONE))
CONFIGURED3(triplet, rg_triplet_margin_loss, .swap = false)
OPTION3(triplet_swap, rg_triplet_margin_loss, .swap = true)
OPTION3(triplet_p1, rg_triplet_margin_loss, .p = 1, .margin = 0.5)
OPTION3(triplet_p3, rg_triplet_margin_loss, .p = 3, .eps = 0.01)
OPTION3(triplet_max, rg_triplet_margin_loss, .p = INFINITY, .swap = true)
#undef REDUCED
#undef CONFIGURED2
#undef CONFIGURED3
#undef OPTION2
#undef OPTION3
#undef NUMBER
#undef rg_sigmoid_focal_loss_type
#undef rg_cross_entropy_type
#undef rg_focal_loss_type
#undef rg_multi_margin_loss_type
#undef rg_kl_div_type
#undef rg_poisson_nll_loss_type
#undef rg_gaussian_nll_loss_type
#undef rg_triplet_margin_loss_type

/* metric */
CASE(top_k_1, rg_top_k_accuracy(t, A, B, 1))
CASE(top_k_2, rg_top_k_accuracy(t, A, B, 2))
CASE(top_k_4, rg_top_k_accuracy(t, A, B, 4))
CASE(top_k_hits, metric_hits(t, A, B))
CASE(confusion, metric_counts(t, A, B, 4))
CASE(class_scores, metric_classes(t, A, B, 4, false))
CASE(confusion_accuracy, metric_classes(t, A, B, 4, true))
CASE(roc_auc, metric_ranking(t, A, B, rg_roc_auc))
CASE(average_precision, metric_ranking(t, A, B, rg_average_precision))
CASE(roc_curve, metric_curve(t, A, B, rg_roc_curve))
CASE(precision_recall_curve, metric_curve(t, A, B, rg_precision_recall_curve))
CASE(calibration_5, metric_calibration(t, A, B, 5))
CASE(calibration_10, metric_calibration(t, A, B, 10))
CASE(regression, metric_regression(t, A, B))
CASE(means, metric_means(t, A, B, 0.75))
// clang-format on
