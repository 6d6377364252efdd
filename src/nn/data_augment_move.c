/* Augmentation that moves pixels: shift, crop, flip, rotation; and a configuration's augmentations in their order. */
#include "data_augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Pixels are counted in int64_t: no sum of a place and an amount overflows. */
#define MOST_PIXELS INT32_MAX

/* One image copied to another size, moved: out[r][c] = in[r + down][c + right], or fill where that is outside. */
static void copy_moved(const rg_augment *a, const float *in, int64_t down, int64_t right, int64_t height, int64_t width,
                       float fill, float *out)
{
    for (int64_t c = 0; c < a->channels; c++)
        for (int64_t r = 0; r < height; r++) {
            const int64_t from = r + down;
            const bool inside = from >= 0 && from < a->height;
            const float *row = inside ? in + (c * a->height + from) * a->width : NULL;
            float *to = out + (c * height + r) * width;
            for (int64_t k = 0; k < width; k++)
                to[k] = row && k + right >= 0 && k + right < a->width ? row[k + right] : fill;
        }
}

/* Memory for a copy of one image. */
static float *image_room(const rg_augment *a, const char *call, char *error, size_t size)
{
    float *room = rg__data_alloc(rg__augment_pixels(a), 1, sizeof *room);
    if (!room)
        rg__data_fail(error, size, "%s: out of memory for an image", call);
    return room;
}

static bool check_pixels(const char *call, const char *name, int64_t pixels, char *error, size_t size)
{
    return (pixels >= 0 && pixels <= MOST_PIXELS) ||
           rg__data_fail(error, size, "%s: found %s of %lld pixels, expected 0 to %d", call, name, (long long)pixels,
                         MOST_PIXELS);
}

bool rg_augment_shift(const rg_augment *a, int64_t pixels, float fill, char *error, size_t size)
{
    static const char *const call = "rg_augment_shift";
    if (!rg__augment_check(a, call, error, size) || !check_pixels(call, "a shift", pixels, error, size))
        return false;
    float *before = image_room(a, call, error, size);
    if (!before)
        return false;
    const int64_t numbers = rg__augment_pixels(a);
    for (int64_t i = 0; numbers > 0 && pixels > 0 && i < a->count; i++) {
        rg_rng rng = rg__augment_rng(a, RG__SHIFT, i, 2);
        int64_t move[2];
        rg_rng_integers(&rng, move, 2, -pixels, pixels + 1);
        memcpy(before, a->x + i * numbers, (size_t)numbers * sizeof *before);
        copy_moved(a, before, move[0], move[1], a->height, a->width, fill, a->x + i * numbers);
    }
    free(before);
    return true;
}

bool rg_augment_crop(const rg_augment *a, int64_t padding, int64_t height, int64_t width, float fill, float *out,
                     char *error, size_t size)
{
    static const char *const call = "rg_augment_crop";
    if (!rg__augment_check(a, call, error, size) || !check_pixels(call, "a padding", padding, error, size))
        return false;
    if (height < 0 || width < 0 || height > a->height + 2 * padding || width > a->width + 2 * padding || !out)
        return rg__data_fail(error, size, "%s: found a part of %lld x %lld %s place, expected one in %lld x %lld with it",
                             call, (long long)height, (long long)width, out ? "with" : "without",
                             (long long)(a->height + 2 * padding), (long long)(a->width + 2 * padding));
    for (int64_t i = 0; i < a->count; i++) {
        rg_rng rng = rg__augment_rng(a, RG__CROP, i, 2);
        int64_t top, left;
        rg_rng_integers(&rng, &top, 1, 0, a->height + 2 * padding - height + 1);
        rg_rng_integers(&rng, &left, 1, 0, a->width + 2 * padding - width + 1);
        copy_moved(a, a->x + i * rg__augment_pixels(a), top - padding, left - padding, height, width, fill,
                   out + i * a->channels * height * width);
    }
    return true;
}

/* ---- mirrors ---- */

static void swap_values(float *a, float *b)
{
    const float kept = *a;
    *a = *b;
    *b = kept;
}

static void flip_plane(float *plane, int64_t height, int64_t width, bool horizontal, bool vertical)
{
    for (int64_t r = 0; horizontal && r < height; r++)
        for (int64_t k = 0; k < width / 2; k++)
            swap_values(plane + r * width + k, plane + r * width + width - 1 - k);
    for (int64_t r = 0; vertical && r < height / 2; r++)
        for (int64_t k = 0; k < width; k++)
            swap_values(plane + r * width + k, plane + (height - 1 - r) * width + k);
}

bool rg_augment_flip(const rg_augment *a, double horizontal, double vertical, char *error, size_t size)
{
    static const char *const call = "rg_augment_flip";
    if (!rg__augment_check(a, call, error, size) ||
        !rg__augment_amount(call, "a probability of", horizontal, 1, error, size) ||
        !rg__augment_amount(call, "a probability of", vertical, 1, error, size))
        return false;
    const int64_t plane = a->height * a->width;
    for (int64_t i = 0; i < a->count; i++) {
        rg_rng rng = rg__augment_rng(a, RG__FLIP, i, 2);
        bool flips[2];
        rg_rng_bernoulli(&rng, flips, 1, horizontal);
        rg_rng_bernoulli(&rng, flips + 1, 1, vertical);
        for (int64_t c = 0; c < a->channels; c++)
            flip_plane(a->x + (i * a->channels + c) * plane, a->height, a->width, flips[0], flips[1]);
    }
    return true;
}

/* ---- rotation ---- */

/* The pixel, or fill outside. */
static float pixel(const float *plane, int64_t height, int64_t width, int64_t r, int64_t c, float fill)
{
    return r >= 0 && r < height && c >= 0 && c < width ? plane[r * width + c] : fill;
}

static float bilinear(const float *plane, int64_t height, int64_t width, double row, double column, float fill)
{
    const double r0 = floor(row), c0 = floor(column);
    const float down = (float)(row - r0), right = (float)(column - c0);
    const int64_t r = (int64_t)r0, c = (int64_t)c0;
    const float top =
        pixel(plane, height, width, r, c, fill) * (1 - right) + pixel(plane, height, width, r, c + 1, fill) * right;
    const float bottom = pixel(plane, height, width, r + 1, c, fill) * (1 - right) +
                         pixel(plane, height, width, r + 1, c + 1, fill) * right;
    return top * (1 - down) + bottom * down;
}

/* One image turned by an angle in radians: each pixel asks where it came from. */
static void rotate_image(const rg_augment *a, const float *in, double angle, float fill, float *out)
{
    const int64_t plane = a->height * a->width;
    const double sine = sin(angle), cosine = cos(angle);
    const double middle_row = ((double)a->height - 1) / 2, middle_column = ((double)a->width - 1) / 2;
    for (int64_t r = 0; r < a->height; r++)
        for (int64_t k = 0; k < a->width; k++) {
            const double y = (double)r - middle_row, x = (double)k - middle_column;
            const double row = middle_row + x * sine + y * cosine, column = middle_column + x * cosine - y * sine;
            for (int64_t c = 0; c < a->channels; c++)
                out[c * plane + r * a->width + k] = bilinear(in + c * plane, a->height, a->width, row, column, fill);
        }
}

bool rg_augment_rotate(const rg_augment *a, double degrees, float fill, char *error, size_t size)
{
    static const char *const call = "rg_augment_rotate";
    if (!rg__augment_check(a, call, error, size) || !rg__augment_amount(call, "degrees", degrees, 360, error, size))
        return false;
    float *before = image_room(a, call, error, size);
    if (!before)
        return false;
    const int64_t numbers = rg__augment_pixels(a);
    for (int64_t i = 0; numbers > 0 && degrees > 0 && i < a->count; i++) {
        rg_rng rng = rg__augment_rng(a, RG__ROTATE, i, 1);
        double angle;
        rg_rng_uniform_f64(&rng, &angle, 1, -degrees, degrees);
        memcpy(before, a->x + i * numbers, (size_t)numbers * sizeof *before);
        rotate_image(a, before, angle * (3.14159265358979323846 / 180), fill, a->x + i * numbers);
    }
    free(before);
    return true;
}

/* ---- a configuration ---- */

static bool crops(const rg_augment_config *config)
{
    return config->crop_padding != 0 || config->crop_height != 0 || config->crop_width != 0;
}

bool rg__augment_check_config(const rg_augment_config *config, rg_shape sample, rg_shape *out, const char *call,
                              char *error, size_t size)
{
    *out = sample;
    if (sample.rank != 3 || rg_shape_numel(sample) < 0)
        return rg__data_fail(error, size, "%s: found samples of rank %d to be augmented, expected images [C, H, W]",
                             call, sample.rank);
    if (config->normalize && sample.dims[0] > RG_AUGMENT_CHANNELS)
        return rg__data_fail(error, size, "%s: found %lld channels to be normalised, expected at most %d", call,
                             (long long)sample.dims[0], RG_AUGMENT_CHANNELS);
    if (config->crop_height != 0)
        out->dims[1] = config->crop_height;
    if (config->crop_width != 0)
        out->dims[2] = config->crop_width;
    if (!(config->mixup >= 0 && config->mixup <= 1e6))
        return rg__data_fail(error, size, "%s: found mixup %g, expected 0 to 1e6", call, config->mixup);
    /* Without an image, the functions check what they are given and no more. */
    const rg_augment none = {.channels = sample.dims[0], .height = sample.dims[1], .width = sample.dims[2]};
    float place;
    return rg__augment_apply(&none, config, crops(config) ? &place : NULL, error, size);
}

bool rg__augment_apply(const rg_augment *a, const rg_augment_config *config, float *out, char *error, size_t size)
{
    const rg_augment_config *c = config;
    rg_augment on = *a;
    if (c->shift != 0 && !rg_augment_shift(&on, c->shift, c->fill, error, size))
        return false;
    if (crops(c)) {
        const int64_t height = c->crop_height ? c->crop_height : a->height,
                      width = c->crop_width ? c->crop_width : a->width;
        if (!rg_augment_crop(&on, c->crop_padding, height, width, c->fill, out, error, size))
            return false;
        on.x = out;
        on.height = height;
        on.width = width;
    }
    return ((c->flip_horizontal == 0 && c->flip_vertical == 0) ||
            rg_augment_flip(&on, c->flip_horizontal, c->flip_vertical, error, size)) &&
           (c->rotation == 0 || rg_augment_rotate(&on, c->rotation, c->fill, error, size)) &&
           (c->brightness == 0 || rg_augment_brightness(&on, c->brightness, error, size)) &&
           (c->contrast == 0 || rg_augment_contrast(&on, c->contrast, error, size)) &&
           (c->noise == 0 || rg_augment_noise(&on, c->noise, error, size)) &&
           (!c->normalize || rg_augment_normalize(&on, c->mean, c->std, error, size)) &&
           (c->cutout == 0 || rg_augment_cutout(&on, c->cutout, c->cutout_fill, error, size));
}
