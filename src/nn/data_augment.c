/* Augmentation that moves no pixel or mixes images: brightness, contrast, noise, normalising, cutout, mixup; and the
 * streams and checks of all. */
#include "data_augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what all share ---- */

rg_rng rg__augment_rng(const rg_augment *a, rg__augment_kind kind, int64_t image, uint64_t draws)
{
    const uint64_t stream = UINT64_C(0x6175676D) << 32 ^ (uint64_t)kind << 56 ^ (uint64_t)a->epoch;
    rg_rng rng = rg_rng_new(a->seed, stream);
    rng.counter = (uint64_t)(a->index ? a->index[image] : image) * draws;
    return rng;
}

int64_t rg__augment_pixels(const rg_augment *a)
{
    return a->channels * a->height * a->width;
}

bool rg__augment_check(const rg_augment *a, const char *call, char *error, size_t size)
{
    if (!a)
        return rg__data_fail(error, size, "%s: found no images, expected some", call);
    const bool sizes = a->count >= 0 && a->channels >= 0 && a->height >= 0 && a->width >= 0;
    if (!sizes || rg_shape_numel(RG_SHAPE(a->count, a->channels, a->height, a->width)) < 0 ||
        rg_shape_numel(RG_SHAPE(a->channels, a->height, a->width)) < 0)
        return rg__data_fail(error, size, "%s: found images [%lld, %lld, %lld, %lld], expected extents of 0 or more",
                             call, (long long)a->count, (long long)a->channels, (long long)a->height,
                             (long long)a->width);
    if (!a->x && a->count > 0 && rg__augment_pixels(a) > 0)
        return rg__data_fail(error, size, "%s: found %lld images without data, expected x", call, (long long)a->count);
    for (int64_t i = 0; a->index && i < a->count; i++)
        if (a->index[i] < 0)
            return rg__data_fail(error, size, "%s: found index %lld, expected 0 or more", call, (long long)a->index[i]);
    return true;
}

bool rg__augment_amount(const char *call, const char *name, double value, double most, char *error, size_t size)
{
    return (value >= 0 && value <= most) ||
           rg__data_fail(error, size, "%s: found %s %g, expected 0 to %g", call, name, value, most);
}

/* ---- values ---- */

static float clamp(float value)
{
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

/* From [max(0, 1 - amount), 1 + amount). */
static float draw_factor(const rg_augment *a, rg__augment_kind kind, int64_t image, double amount)
{
    rg_rng rng = rg__augment_rng(a, kind, image, 1);
    double factor;
    rg_rng_uniform_f64(&rng, &factor, 1, amount < 1 ? 1 - amount : 0, 1 + amount);
    return (float)factor;
}

bool rg_augment_brightness(const rg_augment *a, double amount, char *error, size_t size)
{
    static const char *const call = "rg_augment_brightness";
    if (!rg__augment_check(a, call, error, size) || !rg__augment_amount(call, "the amount", amount, 1e6, error, size))
        return false;
    const int64_t pixels = rg__augment_pixels(a);
    for (int64_t i = 0; amount > 0 && i < a->count; i++) {
        const float factor = draw_factor(a, RG__BRIGHTNESS, i, amount);
        for (int64_t k = 0; k < pixels; k++)
            a->x[i * pixels + k] = clamp(a->x[i * pixels + k] * factor);
    }
    return true;
}

/* The mean of an image; of three channels, of their grey. */
static float mean_of(const rg_augment *a, const float *x)
{
    static const double grey[3] = {0.299, 0.587, 0.114};
    const int64_t plane = a->height * a->width;
    double mean = 0;
    for (int64_t c = 0; c < a->channels; c++) {
        double sum = 0;
        for (int64_t k = 0; k < plane; k++)
            sum += x[c * plane + k];
        mean += sum / (double)plane * (a->channels == 3 ? grey[c] : 1 / (double)a->channels);
    }
    return (float)mean;
}

bool rg_augment_contrast(const rg_augment *a, double amount, char *error, size_t size)
{
    static const char *const call = "rg_augment_contrast";
    if (!rg__augment_check(a, call, error, size) || !rg__augment_amount(call, "the amount", amount, 1e6, error, size))
        return false;
    const int64_t pixels = rg__augment_pixels(a);
    for (int64_t i = 0; amount > 0 && pixels > 0 && i < a->count; i++) {
        float *x = a->x + i * pixels;
        const float factor = draw_factor(a, RG__CONTRAST, i, amount), mean = mean_of(a, x);
        for (int64_t k = 0; k < pixels; k++)
            x[k] = clamp(x[k] * factor + mean * (1 - factor));
    }
    return true;
}

bool rg_augment_noise(const rg_augment *a, double std, char *error, size_t size)
{
    static const char *const call = "rg_augment_noise";
    enum { PIECE = 256 };
    if (!rg__augment_check(a, call, error, size) || !rg__augment_amount(call, "a deviation of", std, 1e30, error, size))
        return false;
    const int64_t pixels = rg__augment_pixels(a);
    for (int64_t i = 0; std > 0 && i < a->count; i++) {
        rg_rng rng = rg__augment_rng(a, RG__NOISE, i, (uint64_t)pixels);
        for (int64_t k = 0; k < pixels; k += PIECE) {
            float noise[PIECE];
            const int64_t n = pixels - k < PIECE ? pixels - k : PIECE;
            rg_rng_normal_f32(&rng, noise, (size_t)n, 0, (float)std);
            for (int64_t j = 0; j < n; j++)
                a->x[i * pixels + k + j] += noise[j];
        }
    }
    return true;
}

bool rg_augment_normalize(const rg_augment *a, const float *mean, const float *std, char *error, size_t size)
{
    static const char *const call = "rg_augment_normalize";
    if (!rg__augment_check(a, call, error, size))
        return false;
    if (!mean || !std)
        return rg__data_fail(error, size, "%s: found no mean or no deviation, expected one for each channel", call);
    const int64_t plane = a->height * a->width;
    for (int64_t c = 0; c < a->channels; c++)
        if (!isfinite(mean[c]) || !isfinite(std[c]) || !(std[c] > 0))
            return rg__data_fail(error, size, "%s: found mean %g and deviation %g of channel %lld, expected one above 0",
                                 call, (double)mean[c], (double)std[c], (long long)c);
    for (int64_t i = 0; i < a->count * a->channels; i++) {
        const int64_t c = i % a->channels;
        for (int64_t k = 0; k < plane; k++)
            a->x[i * plane + k] = (a->x[i * plane + k] - mean[c]) / std[c];
    }
    return true;
}

bool rg_augment_cutout(const rg_augment *a, int64_t side, float fill, char *error, size_t size)
{
    static const char *const call = "rg_augment_cutout";
    if (!rg__augment_check(a, call, error, size))
        return false;
    if (side < 0 || side > INT32_MAX)
        return rg__data_fail(error, size, "%s: found a side of %lld pixels, expected 0 to %d", call, (long long)side,
                             INT32_MAX);
    const int64_t plane = a->height * a->width;
    for (int64_t i = 0; plane > 0 && i < a->count; i++) {
        rg_rng rng = rg__augment_rng(a, RG__CUTOUT, i, 2);
        int64_t row, column;
        rg_rng_integers(&rng, &row, 1, 0, a->height);
        rg_rng_integers(&rng, &column, 1, 0, a->width);
        /* The square begins half a side before the centre, as in the authors' program. */
        const int64_t top = row - side / 2 > 0 ? row - side / 2 : 0, left = column - side / 2 > 0 ? column - side / 2 : 0;
        const int64_t bottom = row - side / 2 + side < a->height ? row - side / 2 + side : a->height;
        const int64_t right = column - side / 2 + side < a->width ? column - side / 2 + side : a->width;
        for (int64_t c = 0; c < a->channels; c++)
            for (int64_t r = top; r < bottom; r++)
                for (int64_t k = left; k < right; k++)
                    a->x[(i * a->channels + c) * plane + r * a->width + k] = fill;
    }
    return true;
}

/* ---- mixup ---- */

/* The logarithm of a draw from Gamma(shape, 1), which may be too small for a double itself. Marsaglia and Tsang, ACM TOMS 26,
 * 2000; below 1, their step to the next shape. */
static double log_gamma_draw(rg_rng *rng, double shape)
{
    double boost = 0, normal, uniform;
    if (shape < 1) {
        rg_rng_uniform_f64(rng, &uniform, 1, 0, 1);
        boost = log1p(-uniform) / shape;
        shape += 1;
    }
    const double d = shape - 1. / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        rg_rng_normal_f64(rng, &normal, 1, 0, 1);
        rg_rng_uniform_f64(rng, &uniform, 1, 0, 1);
        const double base = 1 + c * normal, v = base * base * base;
        if (base > 0 && log1p(-uniform) < 0.5 * normal * normal + d * (1 - v + log(v)))
            return log(d) + log(v) + boost;
    }
}

bool rg_augment_mixup(const rg_augment *a, double alpha, int64_t *partner, double *lambda, char *error, size_t size)
{
    static const char *const call = "rg_augment_mixup";
    if (!rg__augment_check(a, call, error, size))
        return false;
    if (!(alpha > 0) || !(alpha <= 1e6) || !partner || !lambda)
        return rg__data_fail(error, size, "%s: found alpha %g and %s, expected alpha above 0, at most 1e6, and places",
                             call, alpha, partner && lambda ? "places" : "no place for partners or lambda");
    const int64_t pixels = rg__augment_pixels(a);
    const size_t numbers = (size_t)a->count * (size_t)pixels;
    float *before = rg__data_alloc(a->count, pixels, sizeof *before);
    if (!before)
        return rg__data_fail(error, size, "%s: out of memory for %lld images", call, (long long)a->count);
    *lambda = 1;
    if (a->count > 0) {
        rg_rng rng = rg__augment_rng(a, RG__MIXUP, 0, UINT64_C(1) << 32);
        const double x = log_gamma_draw(&rng, alpha), y = log_gamma_draw(&rng, alpha);
        *lambda = 1 / (1 + exp(y - x));
        rg_rng_permutation(&rng, partner, (size_t)a->count);
    }
    if (numbers > 0)
        memcpy(before, a->x, numbers * sizeof *before);
    const float own = (float)*lambda, other = 1 - own;
    for (int64_t i = 0; i < a->count; i++)
        for (int64_t k = 0; k < pixels; k++)
            a->x[i * pixels + k] = own * before[i * pixels + k] + other * before[partner[i] * pixels + k];
    free(before);
    return true;
}
