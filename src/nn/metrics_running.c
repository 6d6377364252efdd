/* Metrics that add up: calibration, regression errors, running means. */
#include <retrograd/nn/metrics.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- calibration ------------------------------------------------------------------------------------------------- */

struct bin {
    int64_t count, right;
    double confidence; /* the sum */
};

struct rg_calibration {
    int64_t bins;
    struct bin *bin;
};

rg_calibration *rg_calibration_new(int64_t bins)
{
    if (bins < 1 || (uint64_t)bins > SIZE_MAX / sizeof(struct bin))
        return NULL;
    rg_calibration *const c = malloc(sizeof *c);
    if (c == NULL)
        return NULL;
    *c = (rg_calibration){bins, calloc((size_t)bins, sizeof *c->bin)};
    if (c->bin == NULL) {
        free(c);
        return NULL;
    }
    return c;
}

void rg_calibration_free(rg_calibration *c)
{
    if (c == NULL)
        return;
    free(c->bin);
    free(c);
}

void rg_calibration_reset(rg_calibration *c)
{
    if (c != NULL)
        memset(c->bin, 0, (size_t)c->bins * sizeof *c->bin);
}

/* The bin b with b/bins < p <= (b+1)/bins. The product may be rounded to the wrong side of a border. */
static int64_t bin_of(const rg_calibration *c, double p)
{
    const double bins = (double)c->bins;
    int64_t b = (int64_t)(p * bins);
    b = b < c->bins ? b : c->bins - 1;
    while (b > 0 && p <= (double)b / bins)
        b--;
    while (b < c->bins - 1 && p > (double)(b + 1) / bins)
        b++;
    return b;
}

bool rg_calibration_add(rg_calibration *c, const double *confidences, const bool *right, int64_t n)
{
    if (c == NULL || n < 0 || (n > 0 && (confidences == NULL || right == NULL)))
        return false;
    for (int64_t i = 0; i < n; i++)
        if (!(confidences[i] >= 0 && confidences[i] <= 1))
            return false;
    for (int64_t i = 0; i < n; i++) {
        struct bin *const b = &c->bin[bin_of(c, confidences[i])];
        b->count++;
        b->right += right[i];
        b->confidence += confidences[i];
    }
    return true;
}

rg_calibration_bin rg_calibration_at(const rg_calibration *c, int64_t bin)
{
    if (c == NULL || bin < 0 || bin >= c->bins || c->bin[bin].count == 0)
        return (rg_calibration_bin){0, NAN, NAN};
    const struct bin *const b = &c->bin[bin];
    return (rg_calibration_bin){b->count, b->confidence / (double)b->count, (double)b->right / (double)b->count};
}

double rg_calibration_error(const rg_calibration *c)
{
    double sum = 0, count = 0;
    for (int64_t i = 0; c != NULL && i < c->bins; i++) {
        sum += fabs((double)c->bin[i].right - c->bin[i].confidence); /* count |accuracy - confidence| */
        count += (double)c->bin[i].count;
    }
    return count > 0 ? sum / count : (double)NAN;
}

double rg_calibration_max_error(const rg_calibration *c)
{
    double most = NAN;
    for (int64_t i = 0; c != NULL && i < c->bins; i++) {
        const rg_calibration_bin b = rg_calibration_at(c, i);
        if (b.count > 0)
            most = fmax(most, fabs(b.accuracy - b.confidence)); /* of NaN and a number, the number */
    }
    return most;
}

/* ---- regression -------------------------------------------------------------------------------------------------- */

bool rg_regression_add(rg_regression *r, const double *predictions, const double *targets, int64_t n)
{
    if (r == NULL || n < 0 || (n > 0 && (predictions == NULL || targets == NULL)))
        return false;
    for (int64_t i = 0; i < n; i++) {
        if (r->count++ == 0)
            r->origin = targets[i];
        const double error = predictions[i] - targets[i], target = targets[i] - r->origin, before = target - r->mean;
        r->absolute += fabs(error);
        r->squared += error * error;
        r->mean += before / (double)r->count;
        r->spread += before * (target - r->mean);
    }
    return true;
}

double rg_regression_mse(const rg_regression *r)
{
    return r != NULL && r->count > 0 ? r->squared / (double)r->count : (double)NAN;
}

double rg_regression_mae(const rg_regression *r)
{
    return r != NULL && r->count > 0 ? r->absolute / (double)r->count : (double)NAN;
}

double rg_regression_r2(const rg_regression *r)
{
    if (r == NULL || r->count < 2)
        return NAN;
    if (r->spread == 0 && !isnan(r->squared))
        return r->squared == 0 ? 1 : 0;
    return 1 - r->squared / r->spread;
}

/* ---- running means ----------------------------------------------------------------------------------------------- */

bool rg_running_mean_add(rg_running_mean *m, double value, double weight)
{
    if (m == NULL || !(weight >= 0 && isfinite(weight)))
        return false;
    if (weight > 0) {
        m->weight += weight;
        m->sum += weight * value;
    }
    return true;
}

double rg_running_mean_value(const rg_running_mean *m)
{
    return m != NULL && m->weight > 0 ? m->sum / m->weight : (double)NAN;
}

double rg_running_mean_perplexity(const rg_running_mean *m)
{
    return exp(rg_running_mean_value(m));
}

bool rg_smooth_mean_add(rg_smooth_mean *m, double value)
{
    if (m == NULL || !(m->decay >= 0 && m->decay < 1))
        return false;
    m->sum = m->decay * m->sum + (1 - m->decay) * value;
    m->weight = m->decay * m->weight + (1 - m->decay);
    return true;
}

double rg_smooth_mean_value(const rg_smooth_mean *m)
{
    return m != NULL && m->weight > 0 ? m->sum / m->weight : (double)NAN;
}
