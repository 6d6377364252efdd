/* The C side of the cases in golden_optim.py: see cases.h, which includes this, and training.h. */
// clang-format off

/* scalar */
#define CYCLIC(...) (&(const rg_cyclic_config){.low = 0.1, .high = 0.4, __VA_ARGS__})
#define ONE_CYCLE(...) (&(const rg_one_cycle_config){.high = 0.4, __VA_ARGS__})
#define HALF_CYCLE CYCLIC(.up = 4, .down = 3, .mode = RG_TRIANGULAR2)
#define EXP_CYCLE CYCLIC(.up = 4, .down = 3, .mode = RG_EXP_RANGE, .gamma = 0.95)
#define EVEN_CYCLE CYCLIC(.up = 3, .base_momentum = 0.5, .max_momentum = 0.95)
#define ONE_LINEAR ONE_CYCLE(.total = 21, .rise = 0.25, .linear = true, .div_factor = 10, .final_div_factor = 100, \
                             .base_momentum = 0.7, .max_momentum = 0.9)
#define ONE_THREE ONE_CYCLE(.total = 21, .rise = 0.4, .three_phase = true)
#define ONE_THREE_LINEAR ONE_CYCLE(.total = 20, .rise = 0.2, .three_phase = true, .linear = true)
SCALAR(schedule_multi_step, rg_schedule_multi_step(0.2, i, (const int64_t[]){15, 7, 2, 7}, 4, 0.5))
SCALAR(schedule_constant, rg_schedule_constant(0.2, i, 0.25, 8))
SCALAR(schedule_linear, rg_schedule_linear(0.2, i, 0.25, 0.75, 13))
SCALAR(schedule_polynomial, rg_schedule_polynomial(0.2, i, 17, 2))
SCALAR(schedule_polynomial_line, rg_schedule_polynomial(0.2, i, 12, 1))
SCALAR(schedule_restarts, rg_schedule_cosine_restarts(0.2, 0.02, i, 6, 1))
SCALAR(schedule_restarts_longer, rg_schedule_cosine_restarts(0.2, 0.02, i, 3, 2))
SCALAR(schedule_restarts_each, rg_schedule_cosine_restarts(0.2, 0, i, 1, 3))
SCALAR(schedule_one_cycle, rg_schedule_one_cycle(ONE_CYCLE(.total = 20), i))
SCALAR(schedule_one_cycle_momentum, rg_schedule_one_cycle_momentum(ONE_CYCLE(.total = 20), i))
SCALAR(schedule_one_cycle_linear, rg_schedule_one_cycle(ONE_LINEAR, i))
SCALAR(schedule_one_cycle_linear_momentum, rg_schedule_one_cycle_momentum(ONE_LINEAR, i))
SCALAR(schedule_one_cycle_three, rg_schedule_one_cycle(ONE_THREE, i))
SCALAR(schedule_one_cycle_three_momentum, rg_schedule_one_cycle_momentum(ONE_THREE, i))
SCALAR(schedule_one_cycle_three_linear, rg_schedule_one_cycle(ONE_THREE_LINEAR, i))
SCALAR(schedule_one_cycle_three_linear_momentum, rg_schedule_one_cycle_momentum(ONE_THREE_LINEAR, i))
SCALAR(schedule_cyclic, rg_schedule_cyclic(CYCLIC(.up = 4, .down = 3), i))
SCALAR(schedule_cyclic_momentum, rg_schedule_cyclic_momentum(CYCLIC(.up = 4, .down = 3), i))
SCALAR(schedule_cyclic_even, rg_schedule_cyclic(EVEN_CYCLE, i))
SCALAR(schedule_cyclic_even_momentum, rg_schedule_cyclic_momentum(EVEN_CYCLE, i))
SCALAR(schedule_cyclic_half, rg_schedule_cyclic(HALF_CYCLE, i))
SCALAR(schedule_cyclic_half_momentum, rg_schedule_cyclic_momentum(HALF_CYCLE, i))
SCALAR(schedule_cyclic_exp, rg_schedule_cyclic(EXP_CYCLE, i))
SCALAR(schedule_cyclic_exp_momentum, rg_schedule_cyclic_momentum(EXP_CYCLE, i))
SCALAR(schedule_chained, rg_schedule_warmup(rg_schedule_exponential(0.2, i, 0.9), i, 8))
SCALAR(schedule_sequential, golden_sequence(i))
SCALAR(schedule_averaging, rg_schedule_cosine(0.2, 0.05, i, 14))
SCALAR(plateau_defaults, golden_plateau((rg_plateau){0}, i))
SCALAR(plateau_patient, golden_plateau((rg_plateau){.patience = 2, .factor = 0.5}, i))
SCALAR(plateau_impatient, golden_plateau((rg_plateau){.patience = -1, .factor = 0.5, .min_lr = 0.01}, i))
SCALAR(plateau_cool, golden_plateau((rg_plateau){.patience = 1, .factor = 0.5, .cooldown = 2, .threshold = 0.01}, i))
SCALAR(plateau_absolute, golden_plateau((rg_plateau){.patience = 1, .factor = 0.5, .threshold = 0.05, .absolute = true}, i))
SCALAR(plateau_max, golden_plateau((rg_plateau){.patience = 1, .factor = 0.5, .maximize = true}, i))
SCALAR(plateau_max_absolute, golden_plateau((rg_plateau){.patience = 2, .factor = 0.9, .maximize = true, .threshold = 0.1,
                                                         .absolute = true, .eps = 0.015}, i))
#undef CYCLIC
#undef ONE_CYCLE
#undef HALF_CYCLE
#undef EXP_CYCLE
#undef EVEN_CYCLE
#undef ONE_LINEAR
#undef ONE_THREE
#undef ONE_THREE_LINEAR

/* optim; with 0 backward passes a step: by a closure */
#define ADADELTA(...) rg_adadelta_new(ps, &(const rg_adadelta_config){__VA_ARGS__})
#define NADAM(...) rg_nadam_new(ps, &(const rg_nadam_config){__VA_ARGS__})
#define RADAM(...) rg_radam_new(ps, &(const rg_radam_config){__VA_ARGS__})
#define ADAMAX(...) rg_adamax_new(ps, &(const rg_adamax_config){__VA_ARGS__})
#define LAMB(...) rg_lamb_new(ps, &(const rg_lamb_config){__VA_ARGS__})
#define LION(...) rg_lion_new(ps, &(const rg_lion_config){__VA_ARGS__})
#define RPROP(...) rg_rprop_new(ps, &(const rg_rprop_config){__VA_ARGS__})
#define LBFGS(...) rg_lbfgs_new(ps, &(const rg_lbfgs_config){__VA_ARGS__})
OPTIM(sgd_maximize, SGD(.lr = 0.01, .momentum = 0.5, .weight_decay = 0.1, .maximize = true), false, 1, RG_NIL)
OPTIM(adagrad_maximize, ADAGRAD(.lr = 0.01, .weight_decay = 0.1, .maximize = true), false, 1, RG_NIL)
OPTIM(rmsprop_maximize, RMSPROP(.lr = 0.005, .weight_decay = 0.1, .momentum = 0.5, .maximize = true), false, 1, RG_NIL)
OPTIM(adam_maximize, ADAM(.lr = 0.01, .weight_decay = 0.1, .maximize = true), false, 1, RG_NIL)
OPTIM(adamw_maximize, ADAMW(.lr = 0.01, .weight_decay = 0.1, .maximize = true), false, 1, RG_NIL)
OPTIM(adadelta_defaults, rg_adadelta_new(ps, NULL), false, 1, RG_NIL)
OPTIM(adadelta_all, ADADELTA(.lr = 0.5, .rho = 0.8, .eps = 1e-4, .weight_decay = 0.02), false, 1, RG_NIL)
OPTIM(adadelta_sometimes, ADADELTA(.rho = 0.7, .maximize = true), true, 1, RG_NIL)
OPTIM(nadam_defaults, rg_nadam_new(ps, NULL), false, 1, RG_NIL)
OPTIM(nadam_all, NADAM(.lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6, .weight_decay = 0.05, .momentum_decay = 0.1),
      false, 1, RG_NIL)
OPTIM(nadam_decoupled, NADAM(.lr = 0.02, .weight_decay = 0.1, .decoupled_weight_decay = true), false, 1, RG_NIL)
OPTIM(nadam_sometimes, NADAM(.lr = 0.02, .maximize = true), true, 1, RG_NIL)
OPTIM(radam_defaults, rg_radam_new(ps, NULL), false, 1, RG_NIL)
OPTIM(radam_all, RADAM(.lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6, .weight_decay = 0.05), false, 1, RG_NIL)
OPTIM(radam_decoupled, RADAM(.lr = 0.02, .weight_decay = 0.1, .decoupled_weight_decay = true), false, 1, RG_NIL)
OPTIM(radam_never, RADAM(.lr = 0.02, .beta2 = 0.6), false, 1, RG_NIL)
OPTIM(radam_sometimes, RADAM(.lr = 0.02, .maximize = true), true, 1, RG_NIL)
OPTIM(adamax_defaults, rg_adamax_new(ps, NULL), false, 1, RG_NIL)
OPTIM(adamax_all, ADAMAX(.lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3, .weight_decay = 0.05), false, 1, RG_NIL)
OPTIM(adamax_sometimes, ADAMAX(.lr = 0.02, .maximize = true), true, 1, RG_NIL)
OPTIM(rprop_defaults, rg_rprop_new(ps, NULL), false, 1, RG_NIL)
OPTIM(rprop_all, RPROP(.lr = 0.02, .eta_minus = 0.4, .eta_plus = 1.5, .step_min = 1e-3, .step_max = 0.05), false, 1, RG_NIL)
OPTIM(rprop_sometimes, RPROP(.lr = 0.005, .maximize = true), true, 1, RG_NIL)
OPTIM(lion_defaults, rg_lion_new(ps, NULL), false, 1, RG_NIL)
OPTIM(lion_all, LION(.lr = 0.01, .beta1 = 0.8, .beta2 = 0.95, .weight_decay = 0.1), false, 1, RG_NIL)
OPTIM(lion_sometimes, LION(.lr = 0.01, .maximize = true), true, 1, RG_NIL)
OPTIM(lamb_defaults, rg_lamb_new(ps, NULL), false, 1, RG_NIL)
OPTIM(lamb_all, LAMB(.lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3, .weight_decay = 0.05), false, 1, RG_NIL)
OPTIM(lamb_held, LAMB(.lr = 0.02, .norm_min = 0.9, .norm_max = 1.1), false, 1, RG_NIL)
OPTIM(lamb_sometimes, LAMB(.lr = 0.02, .maximize = true), true, 1, RG_NIL)
OPTIM(groups_sgd, golden_grouped(SGD(.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1), RG_ZERO, 0.5), false, 1, RG_NIL)
OPTIM(groups_adamw, golden_grouped(ADAMW(.lr = 0.1, .weight_decay = 0.1), RG_ZERO, 0.5), false, 1,
      (rg_optim_set_lr(opt, rg_schedule_step(0.1, step, 4, 0.7)), RG_NIL))
OPTIM(groups_rprop, golden_slow_bias(RPROP(.lr = 0.03), 0.1), false, 1, RG_NIL)
OPTIM(only_first, golden_only(ADAM(.lr = 0.05), "l1.*"), false, 1, RG_NIL)
OPTIM(one_cycle_sgd, SGD(.momentum = 0.9), false, 1, (golden_one_cycle(opt, step, 20), RG_NIL))
OPTIM(one_cycle_adam, rg_adam_new(ps, NULL), false, 1, (golden_one_cycle(opt, step, 20), RG_NIL))
OPTIM(lbfgs_one, rg_lbfgs_new(ps, &(const rg_lbfgs_config){.max_iter = 1}), false, 0, RG_NIL)
OPTIM(lbfgs_slow, LBFGS(.max_iter = 3, .lr = 0.3), false, 0, RG_NIL)
OPTIM(lbfgs_short, LBFGS(.lr = 0.5, .max_iter = 2, .history_size = 2, .tolerance_grad = 1e-3, .tolerance_change = 1e-6),
      false, 0, RG_NIL)
OPTIM(lbfgs_wolfe, LBFGS(.max_iter = 2, .strong_wolfe = true), false, 0, RG_NIL)
OPTIM(lbfgs_wolfe_far, LBFGS(.lr = 10, .max_iter = 1, .max_eval = 7, .history_size = 3, .strong_wolfe = true), false, 0, RG_NIL)
OPTIM(lbfgs_wolfe_once, LBFGS(.lr = 5, .max_iter = 1, .history_size = 2, .strong_wolfe = true), false, 0, RG_NIL)
OPTIM(lbfgs_wolfe_long, LBFGS(.lr = 0.3, .max_iter = 2, .max_eval = 7, .history_size = 10, .strong_wolfe = true), false, 0,
      RG_NIL)
#undef ADADELTA
#undef NADAM
#undef RADAM
#undef ADAMAX
#undef LAMB
#undef LION
#undef RPROP
#undef LBFGS

/* average: create; see average.h */
#define AVERAGE_OF(...) rg_average_new(ps, &(const rg_average_config){__VA_ARGS__})
AVERAGE(average_equal, AVERAGE_OF(.kind = RG_AVERAGE_EQUAL))
AVERAGE(average_equal_buffers, AVERAGE_OF(.kind = RG_AVERAGE_EQUAL, .buffers = true))
AVERAGE(average_defaults, rg_average_new(ps, NULL))
AVERAGE(average_exponential, AVERAGE_OF(.decay = 0.7))
AVERAGE(average_exponential_buffers, AVERAGE_OF(.decay = 0.9, .buffers = true))
AVERAGE(average_corrected, AVERAGE_OF(.kind = RG_AVERAGE_CORRECTED, .decay = 0.8))
AVERAGE(average_warmup, AVERAGE_OF(.kind = RG_AVERAGE_WARMUP, .decay = 0.5))
#undef AVERAGE_OF
// clang-format on
