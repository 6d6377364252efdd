/* The trainer: epochs of batches, validation, early stopping, the best weights, history. Recorded with the public API alone. */
#include "check.h"
#include "optimizer.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- means over samples ------------------------------------------------------------------------------------------ */

/* Sums so far. */
typedef struct tally {
    double loss, metric;
    int64_t samples;
    bool metric_given; /* for the last batch */
} tally;

static void tally_add(tally *sum, double loss, rg_tensor metric, double value, int64_t count)
{
    sum->loss += loss * (double)count;
    sum->metric += value * (double)count;
    sum->metric_given = !rg_is_nil(metric);
    sum->samples += count;
}

static const rg_score no_score = {.loss = NAN, .metric = NAN};

static rg_score tally_mean(const tally *sum)
{
    if (sum->samples == 0)
        return no_score;
    const double n = (double)sum->samples;
    return (rg_score){.loss = sum->loss / n, .metric = sum->metric / n, .samples = sum->samples};
}

/* ---- a batch ----------------------------------------------------------------------------------------------------- */

static bool check_one(rg_tape *t, const char *function, const char *name, rg_tensor x)
{
    if (rg_failed(t))
        return false;
    if (rg_numel(t, x) != 1)
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: the objective's %s has the shape %s; it must be one element", function,
                     name, RG__SHAPE_TEXT(rg_shape_of(t, x)));
    return !rg_failed(t);
}

/* Calls the user's function, whose results may be anything. */
static rg_tensor record(rg_tape *t, const char *function, rg_objective objective, void *model, const rg_batch *batch,
                        rg_tensor *metric)
{
    *metric = RG_NIL;
    const rg_tensor loss = objective(t, model, batch, metric);
    if (rg_failed(t))
        return RG_NIL;
    if (rg_is_nil(loss)) {
        rg_tape_fail(t, RG_ERROR_HANDLE, "%s: the objective's loss is nil", function);
        return RG_NIL;
    }
    if (!check_one(t, function, "loss", loss) || (!rg_is_nil(*metric) && !check_one(t, function, "metric", *metric)))
        return RG_NIL;
    if (!rg_is_nil(*metric))
        rg_keep(t, *metric);
    return loss;
}

/* NaN where there is none. */
static double metric_value(rg_tape *t, rg_tensor metric)
{
    return rg_is_nil(metric) ? NAN : rg_item(t, metric);
}

/* After the last batch: the tape is reset, so that all updates have happened, and a sample that could not be read is an
 * error. */
static bool close_epoch(rg_tape *t, const char *function, const rg_loader *loader)
{
    rg_tape_reset(t);
    if (!rg_failed(t) && rg_loader_error(loader)[0] != '\0')
        rg_tape_fail(t, RG_ERROR_FILE, "%s: %s", function, rg_loader_error(loader));
    return !rg_failed(t);
}

static bool evaluate(rg_tape *t, const char *function, rg_objective objective, void *model, rg_loader *loader, tally *sum)
{
    const bool training = rg_training(t);
    rg_set_training(t, false);
    rg_batch batch;
    rg_loader_start(loader, 0);
    while (!rg_failed(t) && rg_loader_next(loader, &batch)) {
        rg_tensor metric;
        rg_tape_reset(t);
        rg_mode_push(t, RG_INFERENCE);
        const rg_tensor loss = rg_keep(t, record(t, function, objective, model, &batch, &metric));
        rg_mode_pop(t);
        const double value = rg_item(t, loss);
        tally_add(sum, value, metric, metric_value(t, metric), batch.count);
    }
    rg_set_training(t, training);
    return close_epoch(t, function, loader);
}

bool rg_evaluate(rg_tape *t, rg_objective objective, void *model, rg_loader *loader, rg_score *score)
{
    const char *missing = objective == NULL ? "objective" : loader == NULL ? "loader" : score == NULL ? "score" : NULL;
    tally sum = {0};
    if (missing != NULL)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "evaluate: %s is NULL", missing);
    const bool good = !rg_failed(t) && evaluate(t, "evaluate", objective, model, loader, &sum);
    if (score != NULL)
        *score = good ? tally_mean(&sum) : no_score;
    return good;
}

/* ---- the best weights: a copy of parameters and buffers ---------------------------------------------------------- */

typedef struct snapshot {
    char *bytes;
    size_t size, capacity;
    int entries; /* of the store when it was taken; later ones are not in it */
} snapshot;

/* Parameters and buffers, not the state of optimizers. */
static bool is_kept(const rg_param *p)
{
    return rg_param_kind_of(p) != RG_STATE;
}

static size_t size_of(const rg_param *p)
{
    return (size_t)rg_param_numel(p) * rg_dtype_size(rg_param_dtype(p));
}

static bool snapshot_take(snapshot *s, const rg_params *ps)
{
    size_t size = 0;
    s->entries = rg_params_count(ps);
    for (int i = 0; i < s->entries; i++)
        if (is_kept(rg_params_at(ps, i)))
            size += size_of(rg_params_at(ps, i));
    if (size > s->capacity) {
        free(s->bytes);
        s->bytes = malloc(size);
        s->capacity = s->bytes != NULL ? size : 0;
        if (s->bytes == NULL)
            return false;
    }
    s->size = 0;
    for (int i = 0; i < s->entries; i++) {
        const rg_param *p = rg_params_at(ps, i);
        if (!is_kept(p) || size_of(p) == 0)
            continue;
        memcpy(s->bytes + s->size, rg_param_data(p), size_of(p));
        s->size += size_of(p);
    }
    return true;
}

static bool snapshot_restore(const snapshot *s, const rg_params *ps)
{
    size_t at = 0;
    for (int i = 0; s->bytes != NULL && i < s->entries; i++) {
        rg_param *p = rg_params_at(ps, i);
        if (!is_kept(p) || size_of(p) == 0)
            continue;
        if (!rg_param_set(p, s->bytes + at, size_of(p)))
            return false;
        at += size_of(p);
    }
    return true;
}

/* ---- a fit ------------------------------------------------------------------------------------------------------- */

typedef struct fit {
    const rg_fit_config *config;
    int64_t epochs;
    rg_fit_state state;
    snapshot best;
    double best_value; /* the best so far, NaN at first ...                                      */
    double reference;  /* ... and the best that was better than its predecessor by min_delta     */
    int64_t waited;    /* epochs since that                                                      */
    rg_history history;
    int64_t capacity; /* of history.epoch */
} fit;

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Forward, backward and update of one batch, run when the loss is asked for. */
static bool train_step(fit *f, const rg_batch *batch, tally *sum)
{
    const rg_fit_config *c = f->config;
    rg_fit_state *s = &f->state;
    rg_tape *t = s->tape;
    rg_tensor metric;
    rg_tape_reset(t);
    const rg_tensor loss = record(t, "fit", c->objective, c->model, batch, &metric);
    if (rg_failed(t))
        return false;
    rg_backward(t, loss);
    if (c->clip_value > 0)
        rg_clip_grad_value(t, s->params, c->clip_value);
    if (c->clip_norm > 0)
        rg_clip_grad_norm(t, s->params, c->clip_norm);
    if (c->schedule != NULL)
        rg_optim_set_lr(s->optim, c->schedule(c->first_epoch + s->epoch, s->step, c->user));
    rg_optim_step(s->optim, t);
    s->loss = rg_item(t, loss);
    s->metric = metric_value(t, metric);
    tally_add(sum, s->loss, metric, s->metric, batch->count);
    if (!isfinite(s->loss))
        rg_tape_fail(t, RG_ERROR_VALUE, "fit: the loss is %g in epoch %" PRId64 ", batch %" PRId64 "; it must be finite",
                     s->loss, s->epoch + 1, s->batch + 1);
    return !rg_failed(t);
}

/* One pass over the training data. False where it was broken off, by an error or by a callback. */
static bool train_epoch(fit *f, tally *sum)
{
    const rg_fit_config *c = f->config;
    rg_fit_state *s = &f->state;
    rg_batch batch;
    s->best = false;
    s->batch = -1;
    rg_loader_start(c->train, c->first_epoch + s->epoch);
    while (rg_loader_next(c->train, &batch)) {
        s->batch++;
        s->step++;
        if (!train_step(f, &batch, sum))
            return false;
        if (c->on_batch != NULL && !c->on_batch(s, c->user)) {
            f->history.stop = RG_STOP_CALLBACK;
            return false;
        }
    }
    if (!close_epoch(s->tape, "fit", c->train)) /* what a callback recorded has happened, too */
        return false;
    if (s->batch < 0)
        rg_tape_fail(s->tape, RG_ERROR_ARGUMENT, "fit: config->train has no batches; it must have some");
    return !rg_failed(s->tape);
}

/* Training and validation of one epoch. */
static bool measure_epoch(fit *f, rg_epoch *result)
{
    const rg_fit_config *c = f->config;
    rg_tape *t = f->state.tape;
    const double began = seconds_now();
    tally training = {0}, validation = {0};
    if (!train_epoch(f, &training))
        return false;
    result->seconds = seconds_now() - began;
    result->lr = rg_optim_lr(f->state.optim);
    if (c->validation != NULL && !evaluate(t, "fit", c->objective, c->model, c->validation, &validation))
        return false;
    if (c->validation != NULL && validation.samples == 0)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "fit: config->validation has no batches; it must have some, or be NULL");
    if (c->monitor != RG_LOWEST_LOSS && !(c->validation != NULL ? validation : training).metric_given)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "fit: config->monitor is a metric, but the objective gives none");
    result->training = tally_mean(&training);
    result->validation = tally_mean(&validation);
    return !rg_failed(t);
}

/* Where `a` is better than `b` by more than `delta`; whatever is a number is better than NaN. */
static bool is_better(rg_monitor monitor, double a, double b, double delta)
{
    if (isnan(a) || isnan(b))
        return !isnan(a);
    return monitor == RG_HIGHEST_METRIC ? a > b + delta : a < b - delta;
}

/* Is this epoch the best, and has it been too long since one was better? */
static void judge(fit *f, const rg_epoch *result)
{
    const rg_fit_config *c = f->config;
    rg_fit_state *s = &f->state;
    const rg_score *score = c->validation != NULL ? &result->validation : &result->training;
    const double value = c->monitor == RG_LOWEST_LOSS ? score->loss : score->metric;
    s->best = is_better(c->monitor, value, f->best_value, 0);
    if (s->best) {
        f->best_value = value;
        f->history.best = s->epoch;
        if (c->keep_best && !snapshot_take(&f->best, s->params))
            rg_tape_fail(s->tape, RG_ERROR_MEMORY, "fit: out of memory for a copy of the best weights");
    }
    f->waited++;
    if (is_better(c->monitor, value, f->reference, c->min_delta)) {
        f->reference = value;
        f->waited = 0;
    }
    if (c->patience > 0 && f->waited >= c->patience)
        f->history.stop = RG_STOP_PATIENCE;
}

static bool history_add(fit *f, const rg_epoch *result)
{
    if (f->history.epochs == f->capacity) {
        const int64_t capacity = f->capacity > 0 ? 2 * f->capacity : 16;
        rg_epoch *epoch = realloc(f->history.epoch, (size_t)capacity * sizeof *epoch);
        if (epoch == NULL) {
            rg_tape_fail(f->state.tape, RG_ERROR_MEMORY, "fit: out of memory for the history");
            return false;
        }
        f->history.epoch = epoch;
        f->capacity = capacity;
    }
    f->history.epoch[f->history.epochs++] = *result;
    return true;
}

static void print_score(FILE *out, const char *name, const rg_score *score)
{
    if (score->samples == 0)
        return;
    fprintf(out, "  %sloss %.4f", name, score->loss);
    if (!isnan(score->metric))
        fprintf(out, "  metric %.4f", score->metric);
}

static void print_epoch(const fit *f, const rg_epoch *result)
{
    FILE *out = f->config->progress;
    const int width = snprintf(NULL, 0, "%" PRId64, f->epochs);
    fprintf(out, "epoch %*" PRId64 "/%" PRId64, width, f->state.epoch + 1, f->epochs);
    print_score(out, "", &result->training);
    print_score(out, "validation ", &result->validation);
    fprintf(out, "  lr %g  %.1f s%s\n", result->lr, result->seconds, f->state.best ? "  best" : "");
}

/* Returns whether another epoch may follow. */
static bool run_epoch(fit *f)
{
    const rg_fit_config *c = f->config;
    rg_fit_state *s = &f->state;
    rg_epoch result;
    if (!measure_epoch(f, &result) || !history_add(f, &result))
        return false;
    judge(f, &result);
    if (c->progress != NULL)
        print_epoch(f, &result);
    s->result = &result;
    if (c->on_epoch != NULL && !c->on_epoch(s, c->user) && f->history.stop == RG_STOP_EPOCHS)
        f->history.stop = RG_STOP_CALLBACK;
    s->result = NULL;
    return !rg_failed(s->tape) && f->history.stop == RG_STOP_EPOCHS;
}

static bool check_config(rg_tape *t, rg_params *ps, rg_optim *opt, const rg_fit_config *c)
{
    const char *missing = ps == NULL             ? "ps"
                          : opt == NULL          ? "opt"
                          : c == NULL            ? "config"
                          : c->objective == NULL ? "config->objective"
                          : c->train == NULL     ? "config->train"
                                                 : NULL;
    if (missing != NULL) {
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "fit: %s is NULL", missing);
        return false;
    }
    if (opt->store != ps)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "fit: opt belongs to another store than ps");
    const struct {
        const char *name;
        int64_t value;
    } counts[] = {{"epochs", c->epochs}, {"first_epoch", c->first_epoch}, {"patience", c->patience}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i].value < 0)
            rg_tape_fail(t, RG_ERROR_ARGUMENT, "fit: config->%s is %" PRId64 "; it must not be negative",
                         counts[i].name, counts[i].value);
    if (c->epochs > 0 && c->first_epoch > INT64_MAX - c->epochs)
        rg_tape_fail(t, RG_ERROR_ARGUMENT,
                     "fit: config->first_epoch and epochs are %" PRId64 " and %" PRId64
                     "; their sum must fit into int64_t",
                     c->first_epoch, c->epochs);
    if ((unsigned)c->monitor > RG_LOWEST_METRIC)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "fit: config->monitor is %d; it must be one of rg_monitor", (int)c->monitor);
    return rg__check_range(t, "fit", "config->clip_norm", c->clip_norm, INFINITY, true) &&
           rg__check_range(t, "fit", "config->clip_value", c->clip_value, INFINITY, true) &&
           rg__check_range(t, "fit", "config->min_delta", c->min_delta, INFINITY, true);
}

bool rg_fit(rg_tape *t, rg_params *ps, rg_optim *opt, const rg_fit_config *config, rg_history *history)
{
    fit f = {.config = config, .best_value = NAN, .reference = NAN, .history.best = -1};
    if (history != NULL)
        *history = f.history;
    if (rg_failed(t) || !check_config(t, ps, opt, config)) {
        if (history != NULL)
            history->stop = RG_STOP_ERROR;
        return false;
    }
    f.epochs = config->epochs > 0 ? config->epochs : 1;
    f.state = (rg_fit_state){.tape = t, .params = ps, .optim = opt, .step = -1, .loss = NAN, .metric = NAN};
    const bool training = rg_training(t);
    rg_set_training(t, true);
    for (; f.state.epoch < f.epochs && run_epoch(&f); f.state.epoch++)
        ;
    rg_tape_reset(t);
    rg_set_training(t, training);
    if (config->keep_best && !snapshot_restore(&f.best, ps))
        rg_tape_fail(t, RG_ERROR_STATE, "fit: the best weights could not be put back: %s", rg_params_error(ps));
    free(f.best.bytes);
    if (rg_failed(t))
        f.history.stop = RG_STOP_ERROR;
    if (history != NULL)
        *history = f.history;
    else
        free(f.history.epoch);
    return !rg_failed(t);
}

void rg_history_free(rg_history *history)
{
    if (history == NULL)
        return;
    free(history->epoch);
    *history = (rg_history){.best = -1};
}
