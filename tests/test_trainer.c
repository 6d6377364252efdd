/* The trainer against loops written by hand, and its errors. */
#include "nn_support.h"

#include <stdio.h>

enum { SAMPLES = 22, FEATURES = 4, KINDS = 3 };

static float points[SAMPLES][FEATURES];
static int64_t labels[SAMPLES];
static const rg_dataset all = {.count = SAMPLES, .features = FEATURES, .classes = KINDS, .x = &points[0][0], .y = labels};

static rg_loader *loader_of(const rg_dataset *data, int64_t batch, bool shuffle)
{
    char error[256];
    rg_loader *loader =
        rg_loader_new(data, &(rg_loader_config){.batch = batch, .shuffle = shuffle, .seed = 5}, error, sizeof error);
    assert_non_null(loader);
    return loader;
}

/* Three clouds of points. */
static int make_points(void **state)
{
    (void)state;
    rg_rng rng = rg_rng_new(1, 2);
    rg_rng_normal_f32(&rng, &points[0][0], SAMPLES * FEATURES, 0, 1);
    for (int i = 0; i < SAMPLES; i++) {
        labels[i] = i % KINDS;
        points[i][labels[i]] += 2;
    }
    return 0;
}

/* ---- a network with dropout ---- */

typedef struct network {
    rg_params *ps;
    rg_linear hidden, out;
    rg_optim *opt;
    bool seen_training, seen_inference;
} network;

static network network_new(void)
{
    network net = {.ps = rg_params_new(9)};
    net.hidden = rg_linear_new(net.ps, "hidden", FEATURES, 6);
    net.out = rg_linear_new(net.ps, "out", 6, KINDS);
    net.opt = rg_adam_new(net.ps, &(rg_adam_config){.lr = 0.05});
    return net;
}

static void network_free(network *net)
{
    rg_tape_reset(tape);
    rg_optim_free(net->opt);
    rg_params_free(net->ps);
}

static rg_tensor network_loss(rg_tape *t, void *model, const rg_batch *batch, rg_tensor *metric)
{
    network *net = model;
    net->seen_training = rg_training(t);
    net->seen_inference = rg_mode_of(t) == RG_INFERENCE;
    const rg_tensor x = rg_input_f32(t, RG_SHAPE(batch->count, FEATURES), batch->x);
    const rg_tensor y = rg_input_i64(t, RG_SHAPE(batch->count), batch->y);
    const rg_tensor h = rg_dropout(t, rg_relu(t, rg_linear_forward(t, &net->hidden, x)), 0.2, rg_training(t));
    const rg_tensor logits = rg_linear_forward(t, &net->out, h);
    *metric = rg_accuracy(t, logits, y);
    return rg_cross_entropy(t, logits, y, NULL);
}

static double falling(int64_t epoch, int64_t step, void *user)
{
    (void)user;
    return 0.05 / (double)(1 + epoch) - 1e-4 * (double)step;
}

enum { EPOCHS = 3, FIRST = 2 };

/* The loop that rg_fit stands for. losses[EPOCHS] are means over samples. */
static void by_hand(network *net, rg_loader *loader, double *losses)
{
    int64_t step = 0;
    for (int64_t epoch = 0; epoch < EPOCHS; epoch++) {
        rg_batch batch;
        losses[epoch] = 0;
        rg_loader_start(loader, FIRST + epoch);
        for (; rg_loader_next(loader, &batch); step++) {
            rg_tensor metric = RG_NIL;
            rg_tape_reset(tape);
            const rg_tensor loss = network_loss(tape, net, &batch, &metric);
            rg_backward(tape, loss);
            rg_clip_grad_value(tape, net->ps, 0.4);
            rg_clip_grad_norm(tape, net->ps, 0.5);
            rg_optim_set_lr(net->opt, falling(FIRST + epoch, step, NULL));
            rg_optim_step(net->opt, tape);
            losses[epoch] += rg_item(tape, loss) * (double)batch.count / SAMPLES;
        }
    }
    rg_tape_reset(tape);
    assert_tape_ok(tape);
}

static void fit_gives_the_parameters_of_a_loop_by_hand_bit_for_bit(void **state)
{
    (void)state;
    char fingerprints[3][33];
    double losses[EPOCHS];
    rg_loader *loader = loader_of(&all, 5, true);
    for (int way = 0; way < 3; way++) { /* by hand; fit with one thread and with two */
        rg_tape_free(tape);
        tape = rg_tape_new(&(rg_tape_config){.seed = 7, .threads = way < 2 ? 1 : 2});
        network net = network_new();
        if (way == 0) {
            by_hand(&net, loader, losses);
        } else {
            rg_history history;
            const rg_fit_config config = {.objective = network_loss,
                                          .model = &net,
                                          .train = loader,
                                          .epochs = EPOCHS,
                                          .first_epoch = FIRST,
                                          .schedule = falling,
                                          .clip_norm = 0.5,
                                          .clip_value = 0.4};
            assert_true(rg_fit(tape, net.ps, net.opt, &config, &history));
            assert_tape_ok(tape);
            assert_int_equal(history.epochs, EPOCHS);
            assert_int_equal(history.stop, RG_STOP_EPOCHS);
            for (int i = 0; i < EPOCHS; i++) {
                const rg_epoch *epoch = &history.epoch[i];
                assert_near(epoch->training.loss, losses[i], 1e-12);
                assert_int_equal(epoch->training.samples, SAMPLES);
                assert_true(epoch->training.metric > 0 && epoch->training.metric <= 1);
                assert_true(isnan(epoch->validation.loss) && epoch->validation.samples == 0);
                assert_near(epoch->lr, falling(FIRST + i, 5 * i + 4, NULL), 1e-15);
                assert_true(epoch->seconds >= 0);
            }
            rg_history_free(&history);
            assert_null(history.epoch);
            assert_int_equal(history.epochs, 0);
        }
        rg_params_fingerprint(net.ps, fingerprints[way]);
        network_free(&net);
    }
    assert_string_equal(fingerprints[0], fingerprints[1]);
    assert_string_equal(fingerprints[0], fingerprints[2]);
    rg_loader_free(loader);
}

static void evaluation_is_one_batch_of_all_samples_without_dropout(void **state)
{
    (void)state;
    network net = network_new();
    rg_loader *small = loader_of(&all, 8, true), *whole = loader_of(&all, SAMPLES, false);
    rg_score by_parts, at_once;
    for (int training = 0; training < 2; training++) {
        rg_set_training(tape, training);
        assert_true(rg_evaluate(tape, network_loss, &net, small, &by_parts));
        assert_true(rg_evaluate(tape, network_loss, &net, whole, &at_once));
        assert_tape_ok(tape);
        assert_false(net.seen_training);
        assert_true(net.seen_inference);
        assert_int_equal(rg_training(tape), training);
        assert_int_equal(rg_mode_of(tape), RG_GRAD);
        assert_int_equal(rg_tape_length(tape), 0);
        assert_int_equal(by_parts.samples, SAMPLES);
        assert_near(by_parts.loss, at_once.loss, 1e-6);
        assert_near(by_parts.metric, at_once.metric, 1e-6);
    }
    rg_loader_free(small);
    rg_loader_free(whole);
    network_free(&net);
}

static void fit_trains_and_puts_the_flag_back(void **state)
{
    (void)state;
    network net = network_new();
    rg_loader *loader = loader_of(&all, 8, true);
    const rg_fit_config config = {.objective = network_loss, .model = &net, .train = loader};
    rg_set_training(tape, false);
    assert_true(rg_fit(tape, net.ps, net.opt, &config, NULL));
    assert_true(net.seen_training && !net.seen_inference);
    assert_false(rg_training(tape));
    rg_loader_free(loader);
    network_free(&net);
}

/* ---- a model whose course is known: the weight falls by 1 each step, the scores are as written ---- */

typedef struct script {
    rg_params *ps;
    rg_param *w, *count; /* trained; a buffer that counts steps */
    rg_optim *opt;
    rg_loader *loader, *validation; /* two batches and one */
    double losses[8], metrics[8];   /* of evaluation, one an epoch; the training loss is the weight */
    int evaluations;
    bool no_metric;
    int stop_batch, stop_epoch; /* where callbacks say stop; -1: nowhere */
    int batches, epochs;        /* calls of the callbacks               */
    int64_t best[8];            /* epochs that were called best         */
    int bests;
} script;

static script script_new(void)
{
    script s = {.ps = rg_params_new(0), .stop_batch = -1, .stop_epoch = -1};
    s.w = rg_param_new(s.ps, "w", RG_F64, RG_SCALAR, &(double){100});
    s.count = rg_buffer_new(s.ps, "count", RG_F32, RG_SCALAR, NULL);
    s.opt = rg_sgd_new(s.ps, &(rg_sgd_config){.lr = 1, .momentum = RG_ZERO});
    s.loader = loader_of(&all, SAMPLES / 2, false);
    s.validation = loader_of(&all, SAMPLES, false);
    return s;
}

static void script_free(script *s)
{
    rg_tape_reset(tape);
    rg_optim_free(s->opt);
    rg_params_free(s->ps);
    rg_loader_free(s->loader);
    rg_loader_free(s->validation);
}

static double weight(const script *s)
{
    return *(const double *)rg_param_data(s->w);
}

static rg_tensor script_loss(rg_tape *t, void *model, const rg_batch *batch, rg_tensor *metric)
{
    script *s = model;
    (void)batch;
    if (rg_training(t)) {
        rg_assign(t, s->count, rg_add_scalar(t, rg_leaf(t, s->count), 1));
        return rg_leaf(t, s->w);
    }
    if (!s->no_metric)
        *metric = rg_scalar(t, RG_F32, s->metrics[s->evaluations]);
    return rg_scalar(t, RG_F64, s->losses[s->evaluations++]);
}

static bool on_batch(const rg_fit_state *state, void *user)
{
    script *s = user;
    assert_int_equal(state->step, s->batches);
    assert_int_equal(state->epoch, s->batches / 2);
    assert_int_equal(state->batch, s->batches % 2);
    assert_true(state->loss == 100 - s->batches);
    assert_true(isnan(state->metric));
    assert_null(state->result);
    assert_true(state->tape == tape && state->params == s->ps && state->optim == s->opt);
    return s->batches++ != s->stop_batch;
}

static bool on_epoch(const rg_fit_state *state, void *user)
{
    script *s = user;
    assert_int_equal(state->epoch, s->epochs);
    assert_int_equal(state->batch, 1);
    assert_int_equal(state->step, 2 * s->epochs + 1);
    assert_true(state->result->validation.loss == s->losses[s->epochs] || isnan(s->losses[s->epochs]));
    assert_true(state->result->training.loss == 100 - 2 * s->epochs - 0.5);
    assert_true(weight(s) == 100 - 2 * (s->epochs + 1)); /* the update is done */
    if (state->best)
        s->best[s->bests++] = state->epoch;
    return s->epochs++ != s->stop_epoch;
}

static rg_fit_config script_config(script *s)
{
    return (rg_fit_config){.objective = script_loss,
                           .model = s,
                           .train = s->loader,
                           .validation = s->validation,
                           .epochs = 8,
                           .on_batch = on_batch,
                           .on_epoch = on_epoch,
                           .user = s};
}

static void early_stopping_waits_and_the_best_weights_come_back(void **state)
{
    (void)state;
    static const struct {
        double losses[8];
        rg_monitor monitor; /* other than RG_LOWEST_LOSS: the numbers are metrics */
        int64_t patience;
        double min_delta;
        int64_t epochs, best;
        rg_stop stop;
    } cases[] = {
        {{5, 4, 3, 4, 4, 1, 1, 1}, RG_LOWEST_LOSS, 2, 0, 5, 2, RG_STOP_PATIENCE},
        {{5, 4, 3, 4, 4, 1, 1, 1}, RG_LOWEST_LOSS, 3, 0, 8, 5, RG_STOP_EPOCHS},
        {{5, 4, 3, 4, 4, 1, 1, 1}, RG_LOWEST_LOSS, 0, 0, 8, 5, RG_STOP_EPOCHS},
        {{5, 4, 3, 4, 4, 6, 6, 1}, RG_LOWEST_LOSS, 1, 0, 4, 2, RG_STOP_PATIENCE},
        /* 4.75 and 4.5 do not count for patience, but are the best so far; 4 is more than 0.9 better than 5 */
        {{5, 4.75, 4.5, 4, 3.5, 3.25, 3.2, 0}, RG_LOWEST_LOSS, 3, 0.9, 7, 6, RG_STOP_PATIENCE},
        {{5, 4.75, 4.5, 4.25, 0, 0, 0, 0}, RG_LOWEST_LOSS, 3, 0.9, 4, 3, RG_STOP_PATIENCE},
        {{NAN, NAN, 5, NAN, 6, 0, 0, 0}, RG_LOWEST_LOSS, 2, 0, 2, -1, RG_STOP_PATIENCE},
        {{NAN, INFINITY, 5, NAN, 6, 0, 0, 0}, RG_LOWEST_LOSS, 2, 0, 5, 2, RG_STOP_PATIENCE},
        {{1, 2, 2, 1, 9, 9, 9, 9}, RG_HIGHEST_METRIC, 2, 0, 4, 1, RG_STOP_PATIENCE},
        {{1, 2, 2, 1, 0, 9, 9, 9}, RG_LOWEST_METRIC, 4, 0, 8, 4, RG_STOP_EPOCHS},
        {{-1, -2, -2, -2, 0, 9, 9, 9}, RG_LOWEST_METRIC, 2, 0, 4, 1, RG_STOP_PATIENCE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        script s = script_new();
        rg_fit_config config = script_config(&s);
        rg_history history;
        config.monitor = cases[i].monitor;
        config.patience = cases[i].patience;
        config.min_delta = cases[i].min_delta;
        config.keep_best = true;
        memcpy(cases[i].monitor == RG_LOWEST_LOSS ? s.losses : s.metrics, cases[i].losses, sizeof s.losses);
        assert_true(rg_fit(tape, s.ps, s.opt, &config, &history));
        assert_tape_ok(tape);
        if (history.epochs != cases[i].epochs || history.best != cases[i].best || history.stop != cases[i].stop)
            fail_msg("case %zu: %d epochs, best %d, stop %d", i, (int)history.epochs, (int)history.best,
                     (int)history.stop);
        /* Without a best epoch nothing is put back. */
        const double steps = 2 * (double)(history.best >= 0 ? history.best + 1 : history.epochs);
        assert_true(weight(&s) == 100 - steps);
        assert_true(*(const float *)rg_param_data(s.count) == (float)steps);
        assert_int_equal(s.bests > 0 ? s.best[s.bests - 1] : -1, history.best);
        assert_int_equal(s.epochs, history.epochs);
        assert_int_equal(s.batches, 2 * history.epochs);
        rg_history_free(&history);
        script_free(&s);
    }
}

static void without_keep_best_the_last_weights_stay(void **state)
{
    (void)state;
    script s = script_new();
    rg_fit_config config = script_config(&s);
    memcpy(s.losses, (const double[]){1, 2, 3, 4, 5, 6, 7, 8}, sizeof s.losses);
    assert_true(rg_fit(tape, s.ps, s.opt, &config, NULL));
    assert_true(weight(&s) == 100 - 16);
    script_free(&s);
}

static void without_validation_the_training_loss_is_watched(void **state)
{
    (void)state;
    script s = script_new();
    rg_fit_config config = script_config(&s);
    rg_history history;
    config.validation = NULL;
    config.on_epoch = NULL;
    config.keep_best = true;
    config.patience = 1;
    assert_true(rg_fit(tape, s.ps, s.opt, &config, &history));
    assert_int_equal(history.best, 7); /* it falls each time */
    assert_int_equal(s.evaluations, 0);
    rg_history_free(&history);
    script_free(&s);
}

static void optimizer_state_is_not_put_back(void **state)
{
    (void)state;
    script s = script_new();
    rg_fit_config config = script_config(&s);
    rg_optim_free(s.opt);
    s.opt = rg_adam_new(s.ps, &(rg_adam_config){.lr = 1e-3});
    memcpy(s.losses, (const double[]){1, 2, 3, 4, 5, 6, 7, 8}, sizeof s.losses);
    config.on_batch = config.on_epoch = NULL;
    config.keep_best = true;
    assert_true(rg_fit(tape, s.ps, s.opt, &config, NULL));
    assert_near(weight(&s), 100 - 2e-3, 1e-9);
    assert_true(*(const double *)rg_param_data(rg_params_find(s.ps, "w/adam.step")) == 16);
    script_free(&s);
}

static void callbacks_stop_the_training(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        script s = script_new();
        rg_fit_config config = script_config(&s);
        rg_history history;
        s.stop_batch = way == 0 ? 4 : -1; /* the first batch of the third epoch */
        s.stop_epoch = way == 0 ? -1 : 1;
        assert_true(rg_fit(tape, s.ps, s.opt, &config, &history));
        assert_int_equal(history.stop, RG_STOP_CALLBACK);
        assert_int_equal(history.epochs, 2);
        assert_int_equal(s.batches, way == 0 ? 5 : 4);
        assert_true(weight(&s) == 100 - s.batches); /* the update of the last batch is done */
        rg_history_free(&history);
        script_free(&s);
    }
}

/* A callback that records an assignment. */
static bool zero_the_buffer(const rg_fit_state *state, void *user)
{
    script *s = user;
    rg_assign(state->tape, s->count, rg_zeros(state->tape, RG_F32, RG_SCALAR));
    return true;
}

static void what_a_callback_records_is_done(void **state)
{
    (void)state;
    script s = script_new();
    rg_fit_config config = script_config(&s);
    config.on_batch = NULL;
    config.on_epoch = zero_the_buffer;
    config.epochs = 2;
    assert_true(rg_fit(tape, s.ps, s.opt, &config, NULL));
    assert_true(*(const float *)rg_param_data(s.count) == 0);
    config.on_epoch = NULL;
    config.on_batch = zero_the_buffer;
    assert_true(rg_fit(tape, s.ps, s.opt, &config, NULL));
    assert_true(*(const float *)rg_param_data(s.count) == 0);
    script_free(&s);
}

static void progress_is_a_line_an_epoch(void **state)
{
    (void)state;
    script s = script_new();
    rg_fit_config config = script_config(&s);
    char *text = NULL;
    size_t size = 0;
    config.progress = open_memstream(&text, &size);
    config.epochs = 2;
    s.losses[0] = 0.25;
    s.losses[1] = 0.5;
    s.metrics[0] = 0.75;
    assert_true(rg_fit(tape, s.ps, s.opt, &config, NULL));
    fclose(config.progress);
    const char *first = "epoch 1/2  loss 99.5000  validation loss 0.2500  metric 0.7500  lr 1  ";
    const char *second = "\nepoch 2/2  loss 97.5000  validation loss 0.5000  metric 0.0000  lr 1  ";
    assert_int_equal(strncmp(text, first, strlen(first)), 0);
    assert_non_null(strstr(text, second));
    assert_non_null(strstr(text, " s  best\n"));
    assert_string_equal(text + size - 3, " s\n");
    free(text);
    script_free(&s);
}

/* ---- errors ---- */

/* The fit fails with this status and these words, and leaves the flag and the mode as they were. */
static void assert_fit_fails(const script *s, const rg_fit_config *config, rg_status status, const char *const *words)
{
    rg_history history = {.epochs = 77};
    assert_false(rg_fit(tape, s->ps, s->opt, config, &history));
    assert_int_equal(history.stop, RG_STOP_ERROR);
    assert_error(tape, status, words);
    assert_true(rg_training(tape));
    assert_int_equal(rg_mode_of(tape), RG_GRAD);
    rg_history_free(&history);
}

static void arguments_are_checked(void **state)
{
    (void)state;
    script s = script_new();
    const rg_fit_config good = script_config(&s);
    rg_fit_config config;
    rg_score score = {0};
    rg_history history;

    assert_false(rg_fit(NULL, s.ps, s.opt, &good, &history));
    assert_false(rg_fit(tape, NULL, s.opt, &good, NULL));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("fit", "ps is NULL"));
    assert_false(rg_fit(tape, s.ps, NULL, &good, NULL));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("fit", "opt is NULL"));
    assert_fit_fails(&s, NULL, RG_ERROR_ARGUMENT, WORDS("fit", "config is NULL"));
    rg_params *other = rg_params_new(1);
    assert_false(rg_fit(tape, other, s.opt, &good, NULL));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("fit", "opt belongs to another store"));
    rg_params_free(other);
    static const struct {
        rg_fit_config change;
        const char *word;
    } cases[] = {
        {{.epochs = -1}, "config->epochs"},
        {{.first_epoch = -2}, "config->first_epoch"},
        {{.first_epoch = INT64_MAX, .epochs = 1}, "config->first_epoch"},
        {{.patience = -3}, "config->patience"},
        {{.clip_norm = -1}, "config->clip_norm"},
        {{.clip_norm = NAN}, "config->clip_norm"},
        {{.clip_value = INFINITY}, "config->clip_value"},
        {{.min_delta = -0.5}, "config->min_delta"},
        {{.monitor = (rg_monitor)9}, "config->monitor"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        config = cases[i].change;
        config.train = s.loader;
        assert_fit_fails(&s, &config, RG_ERROR_ARGUMENT, WORDS("fit", "config->objective is NULL"));
        config.objective = script_loss;
        config.model = &s;
        assert_fit_fails(&s, &config, RG_ERROR_ARGUMENT, WORDS("fit", cases[i].word));
    }
    config = good;
    config.train = NULL;
    assert_fit_fails(&s, &config, RG_ERROR_ARGUMENT, WORDS("fit", "config->train is NULL"));
    assert_true(weight(&s) == 100); /* nothing was trained */

    assert_false(rg_evaluate(NULL, script_loss, &s, s.loader, &score));
    assert_true(isnan(score.loss) && isnan(score.metric));
    assert_false(rg_evaluate(tape, NULL, &s, s.loader, &score));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("evaluate", "objective is NULL"));
    assert_false(rg_evaluate(tape, script_loss, &s, NULL, &score));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("evaluate", "loader is NULL"));
    assert_false(rg_evaluate(tape, script_loss, &s, s.loader, NULL));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("evaluate", "score is NULL"));
    rg_history_free(NULL);
    script_free(&s);
}

static void data_without_batches_is_an_error_for_fit_and_no_score_for_evaluate(void **state)
{
    (void)state;
    const rg_dataset none = {.features = FEATURES, .classes = KINDS, .x = &points[0][0], .y = labels};
    rg_loader *empty = loader_of(&none, 4, false);
    script s = script_new();
    rg_score score;
    assert_true(rg_evaluate(tape, script_loss, &s, empty, &score));
    assert_true(isnan(score.loss) && isnan(score.metric) && score.samples == 0);
    rg_fit_config config = script_config(&s);
    config.train = empty;
    assert_fit_fails(&s, &config, RG_ERROR_ARGUMENT, WORDS("fit", "train has no batches"));
    config = script_config(&s);
    config.validation = empty;
    assert_fit_fails(&s, &config, RG_ERROR_ARGUMENT, WORDS("fit", "validation has no batches"));
    rg_loader_free(empty);
    script_free(&s);
}

/* Samples can be read while their index is below *user. */
static bool get_below(void *user, int64_t i, void *x, void *y, char *error, size_t size)
{
    memcpy(x, points[i], sizeof points[i]);
    memcpy(y, &labels[i], sizeof labels[i]);
    if (i >= *(const int64_t *)user)
        snprintf(error, size, "point %d: it is smudged", (int)i);
    return i < *(const int64_t *)user;
}

/* The loader's batches are two halves; the second one ends with the sample. */
static void a_sample_that_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    int64_t readable = SAMPLES - 1;
    rg_score score;
    const rg_source source = {
        .count = SAMPLES, .x_shape = RG_SHAPE(FEATURES), .y_dtype = RG_I64, .get = get_below, .user = &readable};
    for (int threads = 0; threads < 2; threads++) {
        const rg_loader_config half = {.batch = SAMPLES / 2, .threads = threads};
        rg_loader *loader = rg_loader_new_source(&source, &half, NULL, 0);
        assert_non_null(loader);
        script s = script_new();
        rg_fit_config config = script_config(&s);
        config.on_batch = config.on_epoch = NULL;
        readable = SAMPLES - 1;
        assert_false(rg_evaluate(tape, script_loss, &s, loader, &score));
        assert_error(tape, RG_ERROR_FILE, WORDS("evaluate: ", "point 21: it is smudged"));
        assert_true(isnan(score.loss) && score.samples == 0);
        config.train = loader;
        assert_fit_fails(&s, &config, RG_ERROR_FILE, WORDS("fit: ", "point 21: it is smudged"));
        assert_true(weight(&s) == 100 - 1); /* the first batch has been learnt */
        config.train = s.loader;
        config.validation = loader;
        assert_fit_fails(&s, &config, RG_ERROR_FILE, WORDS("fit: ", "point 21: it is smudged"));
        readable = 0; /* not even one batch: the reason is not that there are none */
        config.train = loader;
        assert_fit_fails(&s, &config, RG_ERROR_FILE, WORDS("fit: ", "point 0: it is smudged"));
        readable = SAMPLES;
        assert_true(rg_evaluate(tape, script_loss, &s, loader, &score));
        assert_int_equal(score.samples, SAMPLES);
        script_free(&s);
        rg_loader_free(loader);
    }
}

static void a_metric_that_is_watched_must_be_given(void **state)
{
    (void)state;
    script s = script_new();
    rg_fit_config config = script_config(&s);
    s.no_metric = true;
    config.monitor = RG_HIGHEST_METRIC;
    assert_fit_fails(&s, &config, RG_ERROR_ARGUMENT, WORDS("fit", "monitor", "gives none"));
    script_free(&s);
}

/* What an objective must not do: one kind each. */
typedef struct bad {
    enum { NIL, VECTOR, METRIC_VECTOR, FAILS, NIL_IN_VALIDATION } kind;
    rg_param *w;
} bad;

static rg_tensor bad_loss(rg_tape *t, void *model, const rg_batch *batch, rg_tensor *metric)
{
    const bad *b = model;
    const rg_tensor w = rg_leaf(t, b->w);
    const rg_tensor many = rg_expand(t, w, RG_SHAPE(batch->count));
    if (b->kind == METRIC_VECTOR)
        *metric = many;
    if (b->kind == FAILS)
        return rg_matmul(t, w, w);
    const bool nil = b->kind == NIL || (b->kind == NIL_IN_VALIDATION && !rg_training(t));
    return nil ? RG_NIL : b->kind == VECTOR ? many : w;
}

static void objectives_are_checked(void **state)
{
    (void)state;
    script s = script_new();
    bad b = {NIL, s.w};
    rg_score score;
    rg_fit_config config = {.objective = bad_loss, .model = &b, .train = s.loader};
    assert_fit_fails(&s, &config, RG_ERROR_HANDLE, WORDS("fit", "loss is nil"));
    assert_false(rg_evaluate(tape, bad_loss, &b, s.loader, &score));
    assert_error(tape, RG_ERROR_HANDLE, WORDS("evaluate", "loss is nil"));
    assert_true(rg_training(tape) && rg_mode_of(tape) == RG_GRAD);
    b.kind = VECTOR;
    assert_fit_fails(&s, &config, RG_ERROR_SHAPE, WORDS("fit", "loss", "[11]", "one element"));
    b.kind = METRIC_VECTOR;
    assert_fit_fails(&s, &config, RG_ERROR_SHAPE, WORDS("fit", "metric", "[11]", "one element"));
    b.kind = NIL_IN_VALIDATION;
    config.validation = s.validation;
    assert_fit_fails(&s, &config, RG_ERROR_HANDLE, WORDS("fit", "loss is nil"));
    b.kind = FAILS;
    assert_fit_fails(&s, &config, RG_ERROR_SHAPE, WORDS("matmul"));
    script_free(&s);
}

/* The loss of step `at` is not finite. */
typedef struct blast {
    rg_param *w;
    int steps, at;
} blast;

static rg_tensor blast_loss(rg_tape *t, void *model, const rg_batch *batch, rg_tensor *metric)
{
    blast *b = model;
    (void)batch, (void)metric;
    const double factor = rg_training(t) && b->steps++ == b->at ? INFINITY : 1;
    return rg_mul(t, rg_leaf(t, b->w), rg_scalar(t, RG_F64, factor));
}

static void a_loss_that_is_not_finite_names_epoch_and_batch(void **state)
{
    (void)state;
    script s = script_new();
    blast b = {.w = s.w, .at = 5}; /* the second of the third epoch */
    rg_history history;
    rg_fit_config config = {
        .objective = blast_loss, .model = &b, .train = s.loader, .validation = s.validation, .epochs = 9, .keep_best = true};
    assert_false(rg_fit(tape, s.ps, s.opt, &config, &history));
    assert_error(tape, RG_ERROR_VALUE, WORDS("fit", "inf", "epoch 3", "batch 2"));
    assert_int_equal(history.epochs, 2); /* those that came to their end stay in the history ... */
    assert_int_equal(history.stop, RG_STOP_ERROR);
    assert_true(weight(&s) == 100 - 4); /* ... and the best weights are put back */
    rg_history_free(&history);
    script_free(&s);
}

static double no_rate(int64_t epoch, int64_t step, void *user)
{
    (void)epoch, (void)user;
    return step < 3 ? 1 : NAN;
}

static bool fail_on_the_tape(const rg_fit_state *state, void *user)
{
    (void)user;
    rg_tape_fail(state->tape, RG_ERROR_FILE, "no room on the disk");
    return true;
}

static void errors_of_schedules_and_callbacks_end_the_fit(void **state)
{
    (void)state;
    script s = script_new();
    rg_fit_config config = script_config(&s);
    config.on_batch = config.on_epoch = NULL;
    config.schedule = no_rate;
    assert_fit_fails(&s, &config, RG_ERROR_ARGUMENT, WORDS("lr", "nan"));
    assert_true(weight(&s) == 100 - 3);
    config.schedule = NULL;
    rg_optim_set_lr(s.opt, 1);
    config.on_batch = fail_on_the_tape;
    assert_fit_fails(&s, &config, RG_ERROR_FILE, WORDS("no room"));
    config.on_batch = NULL;
    config.on_epoch = fail_on_the_tape;
    assert_fit_fails(&s, &config, RG_ERROR_FILE, WORDS("no room"));
    script_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fit_gives_the_parameters_of_a_loop_by_hand_bit_for_bit),
        TEST(evaluation_is_one_batch_of_all_samples_without_dropout),
        TEST(fit_trains_and_puts_the_flag_back),
        TEST(early_stopping_waits_and_the_best_weights_come_back),
        TEST(without_keep_best_the_last_weights_stay),
        TEST(without_validation_the_training_loss_is_watched),
        TEST(optimizer_state_is_not_put_back),
        TEST(callbacks_stop_the_training),
        TEST(what_a_callback_records_is_done),
        TEST(progress_is_a_line_an_epoch),
        TEST(arguments_are_checked),
        TEST(data_without_batches_is_an_error_for_fit_and_no_score_for_evaluate),
        TEST(a_sample_that_cannot_be_read_is_an_error),
        TEST(a_metric_that_is_watched_must_be_given),
        TEST(objectives_are_checked),
        TEST(a_loss_that_is_not_finite_names_epoch_and_batch),
        TEST(errors_of_schedules_and_callbacks_end_the_fit),
    };
    return cmocka_run_group_tests(tests, make_points, NULL);
}
