/* Where the functions of the headers are held that no entry calls. */
#ifndef RG__TESTS_GOLDEN_ELSEWHERE_H
#define RG__TESTS_GOLDEN_ELSEWHERE_H

#include "../golden.h"
#include "coverage.h"

/* Functions that no entry calls: the file under tests/ that holds them, which must name them. */
static const struct {
    const char *file, *names;
} HELD_ELSEWHERE[] = {
    /* called for the cases of golden files */
    {"golden/average.h", "rg_average_free rg_average_swap rg_average_swapped rg_average_update rg_optim_update"},
    {"golden/metrics.h", "rg_calibration_add rg_calibration_at rg_calibration_error rg_calibration_free "
                         "rg_calibration_max_error rg_calibration_new rg_calibration_reset rg_confusion_accuracy "
                         "rg_confusion_add rg_confusion_average rg_confusion_class rg_confusion_counts "
                         "rg_confusion_free rg_confusion_new rg_confusion_reset rg_confusion_total rg_regression_add "
                         "rg_regression_mae rg_regression_mse rg_regression_r2 rg_running_mean_add "
                         "rg_running_mean_perplexity rg_running_mean_value rg_smooth_mean_add rg_smooth_mean_value "
                         "rg_top_k_hits"},
    {"golden/steps.h", "rg_lbfgs_step rg_optim_free rg_optim_step"},
    {"golden/training.h", "rg_optim_group rg_optim_only rg_optim_set_momentum rg_plateau_step rg_schedule_phase"},
    {"test_recurrent_golden.c", "rg_gru_new rg_lstm_new rg_recurrent_forward rg_rnn_new"},
    {"test_transformer_golden.c", "rg_alibi rg_learned_positions_forward rg_learned_positions_new "
                                  "rg_multihead_attention_forward rg_multihead_attention_new rg_rotary "
                                  "rg_sinusoidal_positions rg_transformer_decoder_forward "
                                  "rg_transformer_decoder_layer_forward rg_transformer_decoder_layer_new "
                                  "rg_transformer_decoder_new rg_transformer_encoder_forward "
                                  "rg_transformer_encoder_layer_forward rg_transformer_encoder_layer_new "
                                  "rg_transformer_encoder_new"},
    /* without values that PyTorch could know: random numbers of our own, against their distributions */
    {"test_draw.c", "rg_draw_bernoulli rg_draw_beta rg_draw_binomial rg_draw_categorical rg_draw_cauchy rg_draw_chi2 "
                    "rg_draw_dirichlet rg_draw_exponential rg_draw_gamma rg_draw_gumbel rg_draw_laplace "
                    "rg_draw_log_normal rg_draw_multinomial rg_draw_normal rg_draw_poisson rg_draw_student_t "
                    "rg_draw_uniform rg_rand rg_rand_like rg_randn rg_randn_like"},
    {"test_functional.c", "rg_gumbel_softmax"},
    /* of parameters, not of tensors; and getters */
    {"test_losses.c", "rg_l1_penalty rg_l2_penalty"},
    {"test_optim.c", "rg_optim_lr"},
    {"test_optim_groups.c", "rg_optim_momentum"},
    /* what PyTorch has not: against loops written by hand, and against a pass over the whole sequence */
    {"test_trainer.c", "rg_evaluate rg_fit rg_history_free"},
    {"test_transformer.c", "rg_attention_cache_new"},
};

static inline bool is_held_elsewhere(const char *root, const char *name)
{
    const int count = (int)(sizeof HELD_ELSEWHERE / sizeof *HELD_ELSEWHERE);
    int i = 0;
    while (i < count && !has_identifier(HELD_ELSEWHERE[i].names, name))
        i++;
    if (i == count)
        return false;
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/%s", root, HELD_ELSEWHERE[i].file);
    char *const text = golden_slurp(path);
    const bool found = text != NULL && has_identifier(text, name);
    free(text);
    return found;
}

/* How many names the table has. */
static inline int named_elsewhere(void)
{
    int names = 0;
    for (size_t i = 0; i < sizeof HELD_ELSEWHERE / sizeof *HELD_ELSEWHERE; i++)
        for (const char *at = HELD_ELSEWHERE[i].names; (at = strstr(at, "rg_")) != NULL; at += strlen("rg_"))
            names++;
    return names;
}

#endif
