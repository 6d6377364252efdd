/* The C side of the golden files: what our public API says to each case. A case of a file is looked up here by its
 * key; t is the tape, A, B, C the inputs, n their number. The text of an entry also proves which functions are covered.
 *
 *   CASE(key, expression)                       ops, losses, layers; inputs are tried in every memory layout
 *   CASE_ROW_MAJOR(key, expression)             the same where only row-major inputs are allowed
 *   OPTIM(key, create, sometimes, backwards, before)   20 training steps, see steps.h
 *   AVERAGE(key, create)                        20 updates of an average of weights, see average.h
 *   INIT(key, statement)                        fills parameter p of the store ps
 *   SCALAR(key, expression)                     a double for the whole number i
 *   LAYER                                       see cases_layers.h
 *
 * The including file defines those that it wants; no include guard. */
// clang-format off
#ifndef CASE
#define CASE(key, ...)
#endif
#ifndef CASE_ROW_MAJOR
#define CASE_ROW_MAJOR(key, ...)
#endif
#ifndef OPTIM
#define OPTIM(key, create, sometimes, backwards, before)
#endif
#ifndef AVERAGE
#define AVERAGE(key, ...)
#endif
#ifndef INIT
#define INIT(key, ...)
#endif
#ifndef SCALAR
#define SCALAR(key, ...)
#endif

#define REDUCTION(op) \
    CASE(op##_all, rg_##op(t, A, RG_ALL, false)) \
    CASE(op##_all_keep, rg_##op(t, A, RG_ALL, true)) \
    CASE(op##_last, rg_##op(t, A, RG_AXES(-1), false)) \
    CASE(op##_first_keep, rg_##op(t, A, RG_AXES(0), true)) \
    CASE(op##_outer, rg_##op(t, A, RG_AXES(0, 2), false)) \
    CASE(op##_middle, rg_##op(t, A, RG_AXES(-2), false))
#define VARIANCE(key, op, correction) \
    CASE(key##_all, rg_##op(t, A, RG_ALL, correction, false)) \
    CASE(key##_all_keep, rg_##op(t, A, RG_ALL, correction, true)) \
    CASE(key##_last, rg_##op(t, A, RG_AXES(-1), correction, false)) \
    CASE(key##_first_keep, rg_##op(t, A, RG_AXES(0), correction, true)) \
    CASE(key##_outer, rg_##op(t, A, RG_AXES(0, 2), correction, false)) \
    CASE(key##_middle, rg_##op(t, A, RG_AXES(-2), correction, false))
#define EACH_DTYPE(key, f, ...) \
    CASE(key##_f32, f(t, RG_F32, __VA_ARGS__)) \
    CASE(key##_f64, f(t, RG_F64, __VA_ARGS__)) \
    CASE(key##_i32, f(t, RG_I32, __VA_ARGS__)) \
    CASE(key##_i64, f(t, RG_I64, __VA_ARGS__)) \
    CASE(key##_bool, f(t, RG_BOOL, __VA_ARGS__))
#define EACH_FLOAT(key, f, ...) \
    CASE(key##_f32, f(t, RG_F32, __VA_ARGS__)) \
    CASE(key##_f64, f(t, RG_F64, __VA_ARGS__))

/* binary */
CASE(add, rg_add(t, A, B))
CASE(sub, rg_sub(t, A, B))
CASE(mul, rg_mul(t, A, B))
CASE(div, rg_div(t, A, B))
CASE(pow, rg_pow(t, A, B))
CASE(maximum, rg_maximum(t, A, B))
CASE(minimum, rg_minimum(t, A, B))
CASE(add_scalar, rg_add_scalar(t, A, 2.5))
CASE(add_scalar_whole, rg_add_scalar(t, A, 7))
CASE(add_scalar_tenth, rg_add_scalar(t, A, 0.1))
CASE(mul_scalar, rg_mul_scalar(t, A, -1.5))
CASE(mul_scalar_whole, rg_mul_scalar(t, A, -3))
CASE(pow_scalar_0, rg_pow_scalar(t, A, 0))
CASE(pow_scalar_1, rg_pow_scalar(t, A, 1))
CASE(pow_scalar_2, rg_pow_scalar(t, A, 2))
CASE(pow_scalar_3, rg_pow_scalar(t, A, 3))
CASE(pow_scalar_half, rg_pow_scalar(t, A, 0.5))
CASE(pow_scalar_minus_1, rg_pow_scalar(t, A, -1))
CASE(pow_scalar_minus_2_5, rg_pow_scalar(t, A, -2.5))

/* unary */
CASE(neg, rg_neg(t, A))
CASE(abs, rg_abs(t, A))
CASE(sign, rg_sign(t, A))
CASE(square, rg_square(t, A))
CASE(clamp, rg_clamp(t, A, -0.5, 1))
CASE(clamp_low, rg_clamp(t, A, -0.5, INFINITY))
CASE(clamp_high, rg_clamp(t, A, -INFINITY, 1))
CASE(clamp_whole, rg_clamp(t, A, -3, 4))
CASE(clamp_whole_low, rg_clamp(t, A, -3, INFINITY))
CASE(sqrt, rg_sqrt(t, A))
CASE(rsqrt, rg_rsqrt(t, A))
CASE(reciprocal, rg_reciprocal(t, A))
CASE(exp, rg_exp(t, A))
CASE(expm1, rg_expm1(t, A))
CASE(log, rg_log(t, A))
CASE(log1p, rg_log1p(t, A))
CASE(sin, rg_sin(t, A))
CASE(cos, rg_cos(t, A))
CASE(tan, rg_tan(t, A))
CASE(tanh, rg_tanh(t, A))
CASE(erf, rg_erf(t, A))
CASE(sigmoid, rg_sigmoid(t, A))
CASE(relu, rg_relu(t, A))
CASE(leaky_relu_tenth, rg_leaky_relu(t, A, 0.1))
CASE(leaky_relu_zero, rg_leaky_relu(t, A, 0))
CASE(softplus, rg_softplus(t, A))
CASE(gelu, rg_gelu(t, A))
CASE(silu, rg_silu(t, A))
CASE(floor, rg_floor(t, A))
CASE(ceil, rg_ceil(t, A))
CASE(round, rg_round(t, A))

/* compare, select */
CASE(eq, rg_eq(t, A, B))
CASE(ne, rg_ne(t, A, B))
CASE(lt, rg_lt(t, A, B))
CASE(le, rg_le(t, A, B))
CASE(gt, rg_gt(t, A, B))
CASE(ge, rg_ge(t, A, B))
CASE(logical_and, rg_logical_and(t, A, B))
CASE(logical_or, rg_logical_or(t, A, B))
CASE(logical_xor, rg_logical_xor(t, A, B))
CASE(logical_not, rg_logical_not(t, A))
CASE(where, rg_where(t, A, B, C))
CASE(cast_f32, rg_cast(t, A, RG_F32))
CASE(cast_f64, rg_cast(t, A, RG_F64))
CASE(cast_i32, rg_cast(t, A, RG_I32))
CASE(cast_i64, rg_cast(t, A, RG_I64))
CASE(cast_bool, rg_cast(t, A, RG_BOOL))

/* reduce */
REDUCTION(sum)
REDUCTION(mean)
REDUCTION(prod)
REDUCTION(max)
REDUCTION(min)
REDUCTION(logsumexp)
REDUCTION(any)
REDUCTION(all)
VARIANCE(var, var, 1)
VARIANCE(std, std, 1)
VARIANCE(var0, var, 0)
VARIANCE(std0, std, 0)
CASE(var_half, rg_var(t, A, RG_AXES(1), 0.5, false))
CASE(var_5, rg_var(t, A, RG_AXES(1), 5, false))
CASE(argmax_first, rg_argmax(t, A, 0, false))
CASE(argmax_last, rg_argmax(t, A, -1, false))
CASE(argmax_last_keep, rg_argmax(t, A, -1, true))
CASE(argmin_first, rg_argmin(t, A, 0, false))
CASE(argmin_last, rg_argmin(t, A, -1, false))
CASE(argmin_last_keep, rg_argmin(t, A, -1, true))
CASE(softmax_last, rg_softmax(t, A, -1))
CASE(softmax_first, rg_softmax(t, A, 0))
CASE(softmax_middle, rg_softmax(t, A, 1))
CASE(log_softmax_last, rg_log_softmax(t, A, -1))
CASE(log_softmax_first, rg_log_softmax(t, A, 0))
CASE(log_softmax_middle, rg_log_softmax(t, A, 1))

/* shape */
CASE(reshape_6_2, rg_reshape(t, A, RG_SHAPE(6, 2)))
CASE(reshape_guess, rg_reshape(t, A, RG_SHAPE(2, -1)))
CASE(reshape_scalar, rg_reshape(t, A, RG_SCALAR))
CASE(reshape_from_scalar, rg_reshape(t, A, RG_SHAPE(1, 1)))
CASE_ROW_MAJOR(view_3_4, rg_view(t, A, RG_SHAPE(3, 4)))
CASE(permute, rg_permute(t, A, RG_AXES(2, 0, 1)))
CASE(permute_negative, rg_permute(t, A, RG_AXES(-1, 0, -2)))
CASE(transpose, rg_transpose(t, A, 0, -1))
CASE(squeeze_all, rg_squeeze(t, A, RG_ALL))
CASE(squeeze_first, rg_squeeze(t, A, RG_AXES(0)))
CASE(squeeze_outer, rg_squeeze(t, A, RG_AXES(0, -1)))
CASE(unsqueeze_first, rg_unsqueeze(t, A, 0))
CASE(unsqueeze_last, rg_unsqueeze(t, A, -1))
CASE(unsqueeze_middle, rg_unsqueeze(t, A, 1))
CASE(expand, rg_expand(t, A, RG_SHAPE(2, 3, 4)))
CASE(expand_keep, rg_expand(t, A, RG_SHAPE(2, -1, 4)))
CASE(expand_empty, rg_expand(t, A, RG_SHAPE(0, 3)))
CASE(slice_middle, rg_slice(t, A, 0, 1, 3, 1))
CASE(slice_step, rg_slice(t, A, 1, 1, 6, 2))
CASE(slice_back, rg_slice(t, A, 1, -1, RG_END, -1))
CASE(slice_back_step, rg_slice(t, A, 0, -2, 0, -2))
CASE(slice_negative, rg_slice(t, A, -1, -3, -1, 1))
CASE(slice_clipped, rg_slice(t, A, 0, -100, 100, 1))
CASE(slice_none, rg_slice(t, A, 0, 3, 1, 1))
CASE(slice_end, rg_slice(t, A, 0, 2, RG_END, 1))
CASE(select, rg_select(t, A, 1, 2))
CASE(select_last, rg_select(t, A, 0, -1))
CASE(flip_all, rg_flip(t, A, RG_ALL))
CASE(flip_last, rg_flip(t, A, RG_AXES(-1)))
CASE(flip_outer, rg_flip(t, A, RG_AXES(0, 2)))
CASE(contiguous, rg_contiguous(t, A))
CASE(pad, rg_pad(t, A, (const int64_t[]){1, 2}, (const int64_t[]){3, 0}, -1))
CASE(pad_one, rg_pad(t, A, (const int64_t[]){1, 2}, (const int64_t[]){3, 0}, 1))
CASE(pad_cut, rg_pad(t, A, (const int64_t[]){2, -1}, (const int64_t[]){-2, 1}, 1))
CASE(pad_vector, rg_pad(t, A, (const int64_t[]){1}, (const int64_t[]){2}, 0.5))
CASE(pad_infinite, rg_pad(t, A, (const int64_t[]){1}, (const int64_t[]){1}, -INFINITY))
CASE(cat_last, rg_cat(t, x, n, -1))
CASE(cat_first, rg_cat(t, x, n, 0))
CASE(stack_first, rg_stack(t, x, n, 0))
CASE(stack_last, rg_stack(t, x, n, -1))
CASE(stack_middle, rg_stack(t, x, n, 1))
CASE(split_last, joined_backwards(t, parts, rg_split(t, A, 2, -1, parts, 4), -1))
CASE(split_first, joined_backwards(t, parts, rg_split(t, A, 3, 0, parts, 4), 0))
CASE(chain, rg_mul(t,
    rg_sum(t, rg_reshape(t, rg_slice(t, rg_flip(t, rg_transpose(t, A, 0, 1), RG_AXES(0)), 0, 1, RG_END, 1),
                         RG_SHAPE(2, 4)), RG_AXES(1), false),
    rg_slice(t, rg_select(t, A, 0, 0), 0, 0, 2, 1)))

/* product */
CASE(matmul, rg_matmul(t, A, B))
CASE(outer, rg_outer(t, A, B))
CASE(dot, rg_dot(t, A, B))
CASE(affine, rg_affine(t, A, B, C))
CASE(affine_no_bias, rg_affine(t, A, B, RG_NIL))

/* index */
CASE(gather_last, rg_gather(t, A, -1, B))
CASE(gather_first, rg_gather(t, A, 0, B))
CASE(index_select_first, rg_index_select(t, A, 0, B))
CASE(index_select_last, rg_index_select(t, A, -1, B))
CASE(take, rg_take(t, A, B))
CASE(scatter_add_last, rg_scatter_add(t, A, -1, B, C))
CASE(scatter_add_first, rg_scatter_add(t, A, 0, B, C))
CASE(one_hot_f32, rg_one_hot(t, A, 4, RG_F32))
CASE(one_hot_f64, rg_one_hot(t, A, 4, RG_F64))
CASE(one_hot_i32, rg_one_hot(t, A, 4, RG_I32))
CASE(one_hot_i64, rg_one_hot(t, A, 4, RG_I64))
CASE(one_hot_bool, rg_one_hot(t, A, 4, RG_BOOL))

/* create */
EACH_DTYPE(zeros, rg_zeros, RG_SHAPE(2, 3))
EACH_DTYPE(ones, rg_ones, RG_SHAPE(2, 3))
EACH_DTYPE(eye, rg_eye, 3, 3)
CASE(full_f32, rg_full(t, RG_F32, RG_SHAPE(2, 2), -3))
CASE(full_f64, rg_full(t, RG_F64, RG_SHAPE(2, 2), -3))
CASE(full_i32, rg_full(t, RG_I32, RG_SHAPE(2, 2), -3))
CASE(full_i64, rg_full(t, RG_I64, RG_SHAPE(2, 2), -3))
CASE(full_bool, rg_full(t, RG_BOOL, RG_SHAPE(2, 2), 1))
CASE(zeros_like, rg_zeros_like(t, A))
CASE(ones_like, rg_ones_like(t, A))
CASE(full_like_1, rg_full_like(t, A, 1))
CASE(full_like_quarter, rg_full_like(t, A, 0.25))
CASE(zeros_scalar, rg_zeros(t, RG_F64, RG_SCALAR))
CASE(ones_empty, rg_ones(t, RG_F64, RG_SHAPE(0, 3)))
CASE(full_tenth, rg_full(t, RG_F32, RG_SHAPE(2), 0.1))
CASE(full_nan, rg_full(t, RG_F64, RG_SHAPE(2), NAN))
CASE(eye_wide, rg_eye(t, RG_F64, 2, 4))
CASE(eye_tall, rg_eye(t, RG_F32, 4, 2))
CASE(eye_empty, rg_eye(t, RG_F64, 0, 2))
EACH_FLOAT(arange_tenths, rg_arange, 0, 1, 0.1)
EACH_FLOAT(arange_down, rg_arange, 1, -1, -0.375)
EACH_FLOAT(linspace, rg_linspace, -1, 2, 7)
EACH_FLOAT(linspace_tenths, rg_linspace, 0, 1, 11)
EACH_FLOAT(linspace_down, rg_linspace, 3, -1, 4)
CASE(arange_i32, rg_arange(t, RG_I32, 2, 9, 3))
CASE(arange_i64, rg_arange(t, RG_I64, 2, 9, 3))
CASE(arange_down_i32, rg_arange(t, RG_I32, 5, -2, -2))
CASE(arange_down_i64, rg_arange(t, RG_I64, 5, -2, -2))
CASE(arange_empty, rg_arange(t, RG_F64, 1, 1, 0.5))
CASE(linspace_one, rg_linspace(t, RG_F64, 3, 5, 1))
CASE(linspace_none, rg_linspace(t, RG_F64, 3, 5, 0))
CASE(linspace_same, rg_linspace(t, RG_F64, 0.3, 0.3, 3))
CASE(bernoulli_never, rg_bernoulli(t, RG_SHAPE(2, 3), 0))
CASE(bernoulli_always, rg_bernoulli(t, RG_SHAPE(2, 3), 1))
CASE(randint_one_choice, rg_randint(t, RG_SHAPE(2, 3), -4, -3))
CASE(randperm_one, rg_randperm(t, 1))
CASE(randperm_none, rg_randperm(t, 0))

/* loss */
#define CROSS_ENTROPY(...) rg_cross_entropy(t, A, B, &(const rg_cross_entropy_config){__VA_ARGS__})
#define ONE (&(const int64_t){1})
CASE(mse_mean, rg_mse_loss(t, A, B, RG_MEAN))
CASE(mse_sum, rg_mse_loss(t, A, B, RG_SUM))
CASE(mse_none, rg_mse_loss(t, A, B, RG_NONE))
CASE(l1_mean, rg_l1_loss(t, A, B, RG_MEAN))
CASE(l1_sum, rg_l1_loss(t, A, B, RG_SUM))
CASE(l1_none, rg_l1_loss(t, A, B, RG_NONE))
CASE(huber_mean, rg_huber_loss(t, A, B, 1, RG_MEAN))
CASE(huber_sum, rg_huber_loss(t, A, B, 1, RG_SUM))
CASE(huber_none, rg_huber_loss(t, A, B, 1, RG_NONE))
CASE(huber_half_mean, rg_huber_loss(t, A, B, 0.5, RG_MEAN))
CASE(huber_half_sum, rg_huber_loss(t, A, B, 0.5, RG_SUM))
CASE(huber_half_none, rg_huber_loss(t, A, B, 0.5, RG_NONE))
CASE(bce_mean, rg_bce_with_logits(t, A, B, RG_MEAN))
CASE(bce_sum, rg_bce_with_logits(t, A, B, RG_SUM))
CASE(bce_none, rg_bce_with_logits(t, A, B, RG_NONE))
CASE(nll_mean, rg_nll_loss(t, A, B, RG_IGNORE_INDEX, RG_MEAN))
CASE(nll_sum, rg_nll_loss(t, A, B, RG_IGNORE_INDEX, RG_SUM))
CASE(nll_none, rg_nll_loss(t, A, B, RG_IGNORE_INDEX, RG_NONE))
CASE(nll_ignore_1_mean, rg_nll_loss(t, A, B, 1, RG_MEAN))
CASE(nll_ignore_1_sum, rg_nll_loss(t, A, B, 1, RG_SUM))
CASE(nll_ignore_1_none, rg_nll_loss(t, A, B, 1, RG_NONE))
CASE(cross_entropy_mean, rg_cross_entropy(t, A, B, NULL))
CASE(cross_entropy_sum, CROSS_ENTROPY(.reduction = RG_SUM))
CASE(cross_entropy_none, CROSS_ENTROPY(.reduction = RG_NONE))
CASE(cross_entropy_ignore_1_mean, CROSS_ENTROPY(.ignore_index = ONE))
CASE(cross_entropy_ignore_1_sum, CROSS_ENTROPY(.ignore_index = ONE, .reduction = RG_SUM))
CASE(cross_entropy_ignore_1_none, CROSS_ENTROPY(.ignore_index = ONE, .reduction = RG_NONE))
CASE(cross_entropy_smooth_mean, CROSS_ENTROPY(.label_smoothing = 0.1))
CASE(cross_entropy_smooth_sum, CROSS_ENTROPY(.label_smoothing = 0.1, .reduction = RG_SUM))
CASE(cross_entropy_smooth_none, CROSS_ENTROPY(.label_smoothing = 0.1, .reduction = RG_NONE))
CASE(cross_entropy_flat_mean, CROSS_ENTROPY(.label_smoothing = 1))
CASE(cross_entropy_flat_sum, CROSS_ENTROPY(.label_smoothing = 1, .reduction = RG_SUM))
CASE(cross_entropy_flat_none, CROSS_ENTROPY(.label_smoothing = 1, .reduction = RG_NONE))
#include "cases_loss.h"
CASE(accuracy, rg_accuracy(t, A, B))
CASE(dropout_0, rg_dropout(t, A, 0, true))
CASE(dropout_1, rg_dropout(t, A, 1, true))
CASE(dropout_off, rg_dropout(t, A, 0.5, false))
#undef CROSS_ENTROPY
#undef ONE

/* init */
#define GAINS(kind, f) \
    INIT(kind##_linear, f(p, rg_gain(RG_LINEAR))) \
    INIT(kind##_sigmoid, f(p, rg_gain(RG_SIGMOID))) \
    INIT(kind##_tanh, f(p, rg_gain(RG_TANH))) \
    INIT(kind##_relu, f(p, rg_gain(RG_RELU)))
GAINS(xavier_uniform, rg_init_xavier_uniform)
GAINS(xavier_normal, rg_init_xavier_normal)
GAINS(he_uniform, rg_init_he_uniform)
GAINS(he_normal, rg_init_he_normal)
INIT(linear_weight, p = rg_linear_new(ps, "linear", rg_param_shape(p).dims[1], rg_param_shape(p).dims[0]).weight)
INIT(init_uniform, rg_init_uniform(p, -0.25, 0.75))
INIT(init_normal, rg_init_normal(p, 0, 0.3))
INIT(init_constant, rg_init_constant(p, 1.5))

/* scalar */
SCALAR(gain, rg_gain((rg_nonlinearity)i))
SCALAR(schedule_step, rg_schedule_step(0.2, i, 3, 0.5))
SCALAR(schedule_exponential, rg_schedule_exponential(0.2, i, 0.9))
SCALAR(schedule_cosine, rg_schedule_cosine(0.2, 0.02, i, 20))
SCALAR(schedule_warmup, rg_schedule_warmup(0.2, i, 12))

/* optim: create, does u take part in each second step, backward passes a step, what happens between backward and step */
#define SGD(...) rg_sgd_new(ps, &(const rg_sgd_config){__VA_ARGS__})
#define ADAGRAD(...) rg_adagrad_new(ps, &(const rg_adagrad_config){__VA_ARGS__})
#define RMSPROP(...) rg_rmsprop_new(ps, &(const rg_rmsprop_config){__VA_ARGS__})
#define ADAM(...) rg_adam_new(ps, &(const rg_adam_config){__VA_ARGS__})
#define ADAMW(...) rg_adamw_new(ps, &(const rg_adam_config){__VA_ARGS__})
OPTIM(sgd_defaults, rg_sgd_new(ps, NULL), false, 1, RG_NIL)
OPTIM(sgd_plain, SGD(.lr = 0.1), false, 1, RG_NIL)
OPTIM(sgd_decay, SGD(.lr = 0.1, .weight_decay = 0.05), false, 1, RG_NIL)
OPTIM(sgd_momentum, SGD(.lr = 0.1, .momentum = 0.9), false, 1, RG_NIL)
OPTIM(sgd_dampening, SGD(.lr = 0.1, .momentum = 0.9, .dampening = 0.5), false, 1, RG_NIL)
OPTIM(sgd_nesterov, SGD(.lr = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01), false, 1, RG_NIL)
OPTIM(sgd_sometimes, SGD(.lr = 0.1, .momentum = 0.9, .weight_decay = 0.05), true, 1, RG_NIL)
OPTIM(sgd_accumulated, SGD(.lr = 0.05), false, 2, RG_NIL)
OPTIM(adagrad_defaults, rg_adagrad_new(ps, NULL), false, 1, RG_NIL)
OPTIM(adagrad_all, ADAGRAD(.lr = 0.1, .lr_decay = 0.05, .weight_decay = 0.02, .initial = 0.1, .eps = 1e-6), false, 1, RG_NIL)
OPTIM(adagrad_sometimes, ADAGRAD(.lr = 0.1, .lr_decay = 0.1), true, 1, RG_NIL)
OPTIM(rmsprop_defaults, rg_rmsprop_new(ps, NULL), false, 1, RG_NIL)
OPTIM(rmsprop_momentum, RMSPROP(.lr = 0.02, .alpha = 0.9, .eps = 1e-6, .weight_decay = 0.02, .momentum = 0.8), false, 1, RG_NIL)
OPTIM(rmsprop_centered, RMSPROP(.lr = 0.02, .alpha = 0.95, .eps = 1e-3, .centered = true), false, 1, RG_NIL)
OPTIM(rmsprop_sometimes, RMSPROP(.lr = 0.02), true, 1, RG_NIL)
OPTIM(adam_defaults, rg_adam_new(ps, NULL), false, 1, RG_NIL)
OPTIM(adam_all, ADAM(.lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6, .weight_decay = 0.05), false, 1, RG_NIL)
OPTIM(adam_beta1_zero, ADAM(.lr = 0.02, .beta1 = RG_ZERO), false, 1, RG_NIL)
OPTIM(adam_amsgrad, ADAM(.lr = 0.1, .beta2 = 0.5, .amsgrad = true), false, 1, RG_NIL)
OPTIM(adam_sometimes, ADAM(.lr = 0.02), true, 1, RG_NIL)
OPTIM(adamw_defaults, rg_adamw_new(ps, NULL), false, 1, RG_NIL)
OPTIM(adamw_all, ADAMW(.lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6, .weight_decay = 0.1), false, 1, RG_NIL)
OPTIM(adamw_no_decay, ADAMW(.lr = 0.02, .weight_decay = RG_ZERO), false, 1, RG_NIL)
OPTIM(adamw_amsgrad, ADAMW(.lr = 0.1, .beta2 = 0.5, .amsgrad = true), false, 1, RG_NIL)
OPTIM(clip_norm, SGD(.lr = 0.3), false, 1, rg_clip_grad_norm(t, ps, 0.25))
OPTIM(clip_norm_sometimes, SGD(.lr = 0.1), true, 1, rg_clip_grad_norm(t, ps, 1))
OPTIM(clip_norm_wide, SGD(.lr = 0.3), false, 1, rg_clip_grad_norm(t, ps, 1e6))
OPTIM(clip_value, SGD(.lr = 0.3), false, 1, (rg_clip_grad_value(t, ps, 0.05), RG_NIL))
OPTIM(scheduled, SGD(.lr = 0.3, .momentum = 0.5), false, 1,
      (rg_optim_set_lr(opt, rg_schedule_cosine(0.3, 0.01, step, 20)), RG_NIL))

#include "cases_optim.h"

/* derivatives as tensors: see derivatives.h */
CASE(vjp, derived_vjp(t, x))
CASE(jvp, derived_jvp(t, x))
CASE(jacobian0, derived_jacobian(t, x, 0))
CASE(jacobian1, derived_jacobian(t, x, 1))
CASE(jacobian2, derived_jacobian(t, x, 2))
CASE(jacobian_tall, derived_tall(t, x))
CASE(hessian0, derived_hessian(t, x, 0))
CASE(hessian1, derived_hessian(t, x, 1))
CASE(hessian2, derived_hessian(t, x, 2))
CASE(hessian3, derived_hessian(t, x, 3))
CASE(hessian4, derived_hessian(t, x, 4))
CASE(hessian5, derived_hessian(t, x, 5))
CASE(hessian6, derived_hessian(t, x, 6))
CASE(hessian7, derived_hessian(t, x, 7))
CASE(hessian8, derived_hessian(t, x, 8))
CASE(hvp, derived_hvp(t, x))
CASE(checkpoint, rg_checkpoint(t, derived_function, x, 3, NULL))

#include "cases_layers.h"
#include "cases_recurrent.h"

#undef CASE
#undef CASE_ROW_MAJOR
#undef OPTIM
#undef AVERAGE
#undef INIT
#undef SCALAR
#undef REDUCTION
#undef VARIANCE
#undef EACH_DTYPE
#undef EACH_FLOAT
#undef GAINS
#undef SGD
#undef ADAGRAD
#undef RMSPROP
#undef ADAM
#undef ADAMW
// clang-format on
