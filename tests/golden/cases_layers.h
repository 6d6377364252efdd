/* The layers' part of cases.h, which includes it.
 *
 *   LAYER(key, type, make, statements)     `make` is the layer "l" of the store ps, the statements set y from x[0], x[1] ... and
 *                                          &layer; the case's line "with" names the inputs: x, or a parameter of "l" */
// clang-format off
#ifndef LAYER
#define LAYER(key, type, make, ...)
#endif

#define RUN(f) y = f(t, &layer, x[0])
/* Three batches in training, and the last one once more in evaluation. */
#define BATCHES(f) \
    for (int i = 0; i < 3; i++) \
        parts[i] = f(t, &layer, x[i]); \
    rg_set_training(t, false); \
    parts[3] = f(t, &layer, x[2]); \
    y = rg_cat(t, parts, 4, 0)
#define EVALUATE(...) rg_set_training(t, false); y = __VA_ARGS__
#define CONV(key, in, out, kernel, ...) \
    LAYER(key, rg_conv_layer, rg_conv_layer_new(ps, "l", in, out, kernel, __VA_ARGS__), RUN(rg_conv_layer_forward))
#define CONV_TRANSPOSE(key, in, out, kernel, ...) \
    LAYER(key, rg_conv_layer, rg_conv_transpose_layer_new(ps, "l", in, out, kernel, __VA_ARGS__), RUN(rg_conv_layer_forward))
#define BATCH_NORM(key, ...) \
    LAYER(key, rg_batch_norm_layer, rg_batch_norm_layer_new(ps, "l", 3, __VA_ARGS__), BATCHES(rg_batch_norm_layer_forward))
#define INSTANCE_NORM(key, ...) \
    LAYER(key, rg_instance_norm_layer, rg_instance_norm_layer_new(ps, "l", 3, __VA_ARGS__), BATCHES(rg_instance_norm_layer_forward))
#define LAYER_NORM(key, shape, ...) \
    LAYER(key, rg_layer_norm_layer, rg_layer_norm_layer_new(ps, "l", shape, __VA_ARGS__), RUN(rg_layer_norm_layer_forward))
#define RMS_NORM(key, shape, ...) \
    LAYER(key, rg_rms_norm_layer, rg_rms_norm_layer_new(ps, "l", shape, __VA_ARGS__), RUN(rg_rms_norm_layer_forward))
#define GROUP_NORM(key, groups, ...) \
    LAYER(key, rg_group_norm_layer, rg_group_norm_layer_new(ps, "l", groups, 4, __VA_ARGS__), RUN(rg_group_norm_layer_forward))
#define EMBEDDING(key, ...) \
    LAYER(key, rg_embedding_layer, rg_embedding_layer_new(ps, "l", 5, 3, __VA_ARGS__), RUN(rg_embedding_layer_forward))

LAYER(linear, rg_linear, rg_linear_new(ps, "l", 3, 2), RUN(rg_linear_forward))
LAYER(bilinear, rg_bilinear_layer, rg_bilinear_layer_new(ps, "l", 3, 2, 4, false), y = rg_bilinear_layer_forward(t, &layer, x[0], x[1]))
LAYER(bilinear_no_bias, rg_bilinear_layer, rg_bilinear_layer_new(ps, "l", 3, 2, 4, true), y = rg_bilinear_layer_forward(t, &layer, x[0], x[1]))
CONV(conv1d, 2, 3, RG_SHAPE(3), NULL)
CONV(conv1d_same, 2, 4, RG_SHAPE(4), &(rg_conv_layer_config){.same = true, .groups = 2, .no_bias = true})
CONV(conv2d, 2, 3, RG_SHAPE(3, 2), &(rg_conv_layer_config){.stride = RG_SHAPE(2, 1), .padding = RG_SHAPE(1), .dilation = RG_SHAPE(1, 2)})
CONV(conv2d_depthwise, 2, 4, RG_SHAPE(3, 3), &(rg_conv_layer_config){.groups = 2, .padding = RG_SHAPE(1), .mode = RG_PAD_REFLECT})
CONV(conv3d, 1, 2, RG_SHAPE(2, 2, 2), &(rg_conv_layer_config){.padding = RG_SHAPE(0, 1, 0)})
CONV_TRANSPOSE(conv_transpose1d, 2, 3, RG_SHAPE(3), &(rg_conv_layer_config){.stride = RG_SHAPE(2), .output_padding = RG_SHAPE(1)})
CONV_TRANSPOSE(conv_transpose2d, 2, 4, RG_SHAPE(2, 3), &(rg_conv_layer_config){.padding = RG_SHAPE(0, 1), .groups = 2})
CONV_TRANSPOSE(conv_transpose3d, 1, 2, RG_SHAPE(2, 2, 2), &(rg_conv_layer_config){.no_bias = true})
BATCH_NORM(batch_norm, NULL)
BATCH_NORM(batch_norm_momentum, &(rg_batch_norm_config){.momentum = 0.3, .eps = 0.01})
BATCH_NORM(batch_norm_still, &(rg_batch_norm_config){.momentum = RG_ZERO})
BATCH_NORM(batch_norm_cumulative, &(rg_batch_norm_config){.cumulative = true})
BATCH_NORM(batch_norm_plain, &(rg_batch_norm_config){.no_affine = true})
BATCH_NORM(batch_norm_no_bias, &(rg_batch_norm_config){.no_bias = true})
BATCH_NORM(batch_norm_untracked, &(rg_batch_norm_config){.no_tracking = true})
INSTANCE_NORM(instance_norm, NULL)
INSTANCE_NORM(instance_norm_all, &(rg_instance_norm_config){.affine = true, .tracking = true, .momentum = 0.25, .eps = 0.01})
LAYER_NORM(layer_norm, RG_SHAPE(4), NULL)
LAYER_NORM(layer_norm_plane, RG_SHAPE(3, 4), &(rg_norm_config){.eps = 0.1, .no_bias = true})
LAYER_NORM(layer_norm_plain, RG_SHAPE(4), &(rg_norm_config){.no_affine = true, .eps = RG_ZERO})
RMS_NORM(rms_norm, RG_SHAPE(4), NULL)
RMS_NORM(rms_norm_eps, RG_SHAPE(4), &(rg_norm_config){.eps = 0.1})
RMS_NORM(rms_norm_plain, RG_SHAPE(3, 4), &(rg_norm_config){.no_affine = true})
GROUP_NORM(group_norm, 2, NULL)
GROUP_NORM(group_norm_no_bias, 4, &(rg_norm_config){.no_bias = true, .eps = 0.1})
GROUP_NORM(group_norm_plain, 1, &(rg_norm_config){.no_affine = true})
EMBEDDING(embedding, NULL)
EMBEDDING(embedding_padding, &(rg_embedding_config){.padding = (const int64_t[]){-3}})
EMBEDDING(embedding_max_norm, &(rg_embedding_config){.max_norm = 1.5})
EMBEDDING(embedding_max_norm_1, &(rg_embedding_config){.max_norm = 1, .norm_type = 1, .padding = (const int64_t[]){1}})
EMBEDDING(embedding_frequency, &(rg_embedding_config){.scale_grad_by_freq = true, .padding = (const int64_t[]){0}})
LAYER(prelu, rg_prelu_layer, rg_prelu_layer_new(ps, "l", 1), RUN(rg_prelu_layer_forward))
LAYER(prelu_channels, rg_prelu_layer, rg_prelu_layer_new(ps, "l", 3), RUN(rg_prelu_layer_forward))
LAYER(dropout_all, int, 0, y = rg_dropout_layer(t, x[0], layer + 1))
LAYER(dropout_none, int, 0, y = rg_dropout_layer(t, x[0], layer))
LAYER(dropout_evaluation, int, 0, EVALUATE(rg_dropout_layer(t, x[0], layer + 0.5)))
LAYER(feature_dropout_all, int, 0, y = rg_feature_dropout_layer(t, x[0], layer + 1))
LAYER(feature_dropout_evaluation, int, 0, EVALUATE(rg_feature_dropout_layer(t, x[0], layer + 0.5)))
LAYER(alpha_dropout_evaluation, int, 0, EVALUATE(rg_alpha_dropout_layer(t, x[0], layer + 0.5)))
LAYER(rrelu_evaluation, int, 0, EVALUATE(rg_rrelu_layer(t, x[0], layer + 0.125, 1.0 / 3)))

/* first values: "in" is the shape of the parameter */
#define DIM(axis) rg_param_shape(p).dims[axis]
INIT(linear_bias, p = rg_linear_new(ps, "l", 25, DIM(0)).bias)
INIT(bilinear_weight, p = rg_bilinear_layer_new(ps, "l", DIM(1), DIM(2), DIM(0), true).weight)
INIT(bilinear_bias, p = rg_bilinear_layer_new(ps, "l", 25, 2, DIM(0), false).bias)
INIT(conv_weight, p = rg_conv_layer_new(ps, "l", 2 * DIM(1), DIM(0), RG_SHAPE(DIM(2), DIM(3)), &(rg_conv_layer_config){.groups = 2}).weight)
INIT(conv_bias, p = rg_conv_layer_new(ps, "l", 6, DIM(0), RG_SHAPE(3, 3), &(rg_conv_layer_config){.groups = 2}).bias)
INIT(conv_transpose_weight, p = rg_conv_transpose_layer_new(ps, "l", DIM(0), 2 * DIM(1), RG_SHAPE(DIM(2), DIM(3)), &(rg_conv_layer_config){.groups = 2}).weight)
INIT(conv_transpose_bias, p = rg_conv_transpose_layer_new(ps, "l", 6, DIM(0), RG_SHAPE(3, 3), &(rg_conv_layer_config){.groups = 2}).bias)
INIT(embedding_weight, p = rg_embedding_layer_new(ps, "l", DIM(0), DIM(1), NULL).weight)
INIT(prelu_weight, p = rg_prelu_layer_new(ps, "l", DIM(0)).weight)
INIT(norm_weight, p = rg_batch_norm_layer_new(ps, "l", DIM(0), NULL).weight)
INIT(norm_bias, p = rg_batch_norm_layer_new(ps, "l", DIM(0), NULL).bias)
INIT(running_mean, p = rg_batch_norm_layer_new(ps, "l", DIM(0), NULL).running_mean)
INIT(running_var, p = rg_batch_norm_layer_new(ps, "l", DIM(0), NULL).running_var)

#undef LAYER
#undef RUN
#undef BATCHES
#undef EVALUATE
#undef CONV
#undef CONV_TRANSPOSE
#undef BATCH_NORM
#undef INSTANCE_NORM
#undef LAYER_NORM
#undef RMS_NORM
#undef GROUP_NORM
#undef EMBEDDING
#undef DIM
// clang-format on
