/* Images: told apart by how their files begin, turned into numbers, resized, and laid out to be written. */
#include "image.h"

#include "file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The most bytes of a file. */
#define MOST_BYTES ((size_t)1 << 28)

enum { GRID_COLUMNS = 8, GRID_GAP = 2, REASON_SIZE = 400 };

/* ---- memory ---- */

bool rg__raster_alloc(rg__raster *raster, char *error, size_t size)
{
    if (raster->height == 0 || raster->width == 0 || raster->height > RG__IMAGE_PIXELS / raster->width)
        return rg__io_fail(error, size, "found an image of %zu x %zu pixels, expected 1 to %d", raster->height,
                           raster->width, RG__IMAGE_PIXELS);
    raster->bytes = malloc(raster->height * raster->width * (size_t)raster->channels * (size_t)raster->depth);
    return raster->bytes || rg__io_fail(error, size, "out of memory for %zu x %zu pixels", raster->height, raster->width);
}

static rg_image *image_new(int64_t channels, int64_t height, int64_t width)
{
    rg_image *image = calloc(1, sizeof *image);
    if (!image)
        return NULL;
    *image = (rg_image){.channels = channels, .height = height, .width = width};
    image->pixels = malloc((size_t)(channels * height * width) * sizeof *image->pixels);
    if (image->pixels)
        return image;
    free(image);
    return NULL;
}

void rg_image_free(rg_image *image)
{
    if (!image)
        return;
    free(image->pixels);
    free(image);
}

/* Is this an image that reading could have given? */
static bool check_sizes(const char *call, const void *pixels, int64_t channels, int64_t height, int64_t width,
                        char *error, size_t size)
{
    if ((channels != 1 && channels != 3) || height < 1 || width < 1 || height > RG__IMAGE_PIXELS / width)
        return rg__io_fail(error, size, "%s: found %lld x %lld x %lld, expected 1 or 3 channels and 1 to %d pixels",
                           call, (long long)channels, (long long)height, (long long)width, RG__IMAGE_PIXELS);
    return pixels || rg__io_fail(error, size, "%s: found no pixels, expected them", call);
}

/* ---- reading ---- */

static rg_image *from_raster(const rg__raster *raster, int channels)
{
    const size_t plane = raster->height * raster->width;
    const int from = raster->channels, depth = raster->depth;
    rg_image *image = image_new(channels ? channels : from, (int64_t)raster->height, (int64_t)raster->width);
    if (!image)
        return NULL;
    for (size_t i = 0; i < plane; i++) {
        float value[3];
        const unsigned char *at = raster->bytes + i * (size_t)from * (size_t)depth;
        for (int c = 0; c < from; c++)
            value[c] = depth == 2 ? (float)(at[2 * c] << 8 | at[2 * c + 1]) / 65535 : (float)at[c] / 255;
        if (image->channels == 1 && from == 3)
            value[0] = 0.299F * value[0] + 0.587F * value[1] + 0.114F * value[2];
        for (int c = 0; c < image->channels; c++)
            image->pixels[(size_t)c * plane + i] = value[from == 1 ? 0 : c];
    }
    return image;
}

rg_image *rg_image_decode(const char *name, const void *bytes, size_t length, int channels, char *error, size_t size)
{
    static const unsigned char png[4] = {0x89, 'P', 'N', 'G'}, jpeg[2] = {0xFF, 0xD8};
    name = name ? name : "image";
    if (channels != 0 && channels != 1 && channels != 3) {
        rg__io_fail(error, size, "%s: found %d channels wanted, expected 0, 1 or 3", name, channels);
        return NULL;
    }
    rg__raster raster = {0};
    rg_image *image = NULL;
    char reason[REASON_SIZE] = "out of memory for its pixels";
    bool good = false;
    if (bytes && length >= sizeof png && memcmp(bytes, png, sizeof png) == 0)
        good = rg__png_decode(bytes, length, &raster, reason, sizeof reason);
    else if (bytes && length >= sizeof jpeg && memcmp(bytes, jpeg, sizeof jpeg) == 0)
        good = rg__jpeg_decode(bytes, length, &raster, reason, sizeof reason);
    else
        rg__io_fail(reason, sizeof reason, "found neither PNG nor JPEG in %zu bytes, expected one of them", length);
    if (good)
        image = from_raster(&raster, channels);
    if (!image)
        rg__io_fail(error, size, "%s: %s", name, reason);
    free(raster.bytes);
    return image;
}

rg_image *rg_image_read(const char *path, int channels, char *error, size_t size)
{
    size_t length;
    char *bytes = rg__io_read(path, "a PNG or JPEG file", MOST_BYTES, &length, error, size);
    rg_image *image = bytes ? rg_image_decode(path, bytes, length, channels, error, size) : NULL;
    free(bytes);
    return image;
}

/* ---- resizing ---- */

/* For place i of the new axis: `count[i]` weights, at weight + i * most, of the old places from first[i] on. */
typedef struct taps {
    int64_t most, *first, *count;
    float *weight;
} taps;

static void taps_free(taps *t)
{
    free(t->first);
    free(t->count);
    free(t->weight);
}

static bool taps_make(taps *t, int64_t from, int64_t to)
{
    const double scale = (double)from / (double)to, support = scale > 1 ? scale : 1;
    t->most = 2 * (int64_t)ceil(support) + 1;
    t->first = malloc((size_t)to * sizeof *t->first);
    t->count = malloc((size_t)to * sizeof *t->count);
    t->weight = malloc((size_t)to * (size_t)t->most * sizeof *t->weight);
    if (!t->first || !t->count || !t->weight)
        return false;
    for (int64_t i = 0; i < to; i++) {
        const double centre = scale * ((double)i + 0.5);
        const int64_t low = (int64_t)(centre - support + 0.5), high = (int64_t)(centre + support + 0.5);
        const int64_t first = low > 0 ? low : 0, end = high < from ? high : from;
        float *weight = t->weight + i * t->most;
        double sum = 0;
        for (int64_t j = first; j < end; j++)
            sum += fmax(0, 1 - fabs(((double)j - centre + 0.5) / support));
        for (int64_t j = first; j < end; j++)
            weight[j - first] = (float)(fmax(0, 1 - fabs(((double)j - centre + 0.5) / support)) / sum);
        t->first[i] = first;
        t->count[i] = end - first;
    }
    return true;
}

/* Rows of `from` numbers become rows of `to`. */
static void resize_rows(const float *in, int64_t rows, int64_t from, const taps *t, int64_t to, float *out)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < to; i++) {
            const float *weight = t->weight + i * t->most, *at = in + r * from + t->first[i];
            float sum = 0;
            for (int64_t j = 0; j < t->count[i]; j++)
                sum += weight[j] * at[j];
            out[r * to + i] = sum;
        }
}

/* `from` rows of a plane become `to` rows. */
static void resize_columns(const float *in, int64_t width, const taps *t, int64_t to, float *out)
{
    for (int64_t i = 0; i < to; i++) {
        float *row = out + i * width;
        memset(row, 0, (size_t)width * sizeof *row);
        for (int64_t j = 0; j < t->count[i]; j++) {
            const float weight = t->weight[i * t->most + j], *at = in + (t->first[i] + j) * width;
            for (int64_t k = 0; k < width; k++)
                row[k] += weight * at[k];
        }
    }
}

rg_image *rg_image_resize(const rg_image *image, int64_t height, int64_t width, char *error, size_t size)
{
    static const char *const call = "rg_image_resize";
    if (!image) {
        rg__io_fail(error, size, "%s: found no image, expected one", call);
        return NULL;
    }
    if (!check_sizes(call, image->pixels, image->channels, image->height, image->width, error, size) ||
        !check_sizes(call, image->pixels, image->channels, height, width, error, size) ||
        !check_sizes(call, image->pixels, image->channels, image->height, width, error, size))
        return NULL;
    taps across = {0}, down = {0};
    rg_image *result = image_new(image->channels, height, width);
    rg_image *between = image_new(image->channels, image->height, width);
    const bool good =
        result && between && taps_make(&across, image->width, width) && taps_make(&down, image->height, height);
    if (good) {
        resize_rows(image->pixels, image->channels * image->height, image->width, &across, width, between->pixels);
        for (int64_t c = 0; c < image->channels; c++)
            resize_columns(between->pixels + c * image->height * width, width, &down, height,
                           result->pixels + c * height * width);
    } else {
        rg__io_fail(error, size, "%s: out of memory for %lld x %lld pixels", call, (long long)height, (long long)width);
        rg_image_free(result);
        result = NULL;
    }
    rg_image_free(between);
    taps_free(&across);
    taps_free(&down);
    return result;
}

/* ---- writing ---- */

static unsigned char to_byte(float value)
{
    return value >= 1 ? 255 : value > 0 ? (unsigned char)(value * 255 + 0.5F) : 0;
}

/* Lays planes out at (top, left) of a raster, whose pixels have as many channels. */
static void lay_out(rg__raster *raster, size_t top, size_t left, const float *pixels, const unsigned char *bytes,
                    size_t height, size_t width)
{
    const size_t channels = (size_t)raster->channels;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < height; i++)
            for (size_t j = 0; j < width; j++) {
                const size_t at = (c * height + i) * width + j;
                raster->bytes[((top + i) * raster->width + left + j) * channels + c] =
                    bytes ? bytes[at] : to_byte(pixels[at]);
            }
}

/* Writes one image, of floats or of bytes. */
static bool write_one(const char *call, const char *path, const float *pixels, const unsigned char *bytes,
                      int64_t channels, int64_t height, int64_t width, char *error, size_t size)
{
    if (!path || !*path)
        return rg__io_fail(error, size, "%s: found no name, expected that of a file", call);
    if (!check_sizes(call, bytes ? (const void *)bytes : pixels, channels, height, width, error, size))
        return false;
    rg__raster raster = {.height = (size_t)height, .width = (size_t)width, .channels = (int)channels, .depth = 1};
    bool good = rg__raster_alloc(&raster, error, size);
    if (good) {
        lay_out(&raster, 0, 0, pixels, bytes, raster.height, raster.width);
        good = rg__png_write(path, &raster, error, size);
    }
    free(raster.bytes);
    return good;
}

bool rg_image_write(const char *path, const float *pixels, int64_t channels, int64_t height, int64_t width, char *error,
                    size_t size)
{
    return write_one("rg_image_write", path, pixels, NULL, channels, height, width, error, size);
}

bool rg_image_write_u8(const char *path, const unsigned char *pixels, int64_t channels, int64_t height, int64_t width,
                       char *error, size_t size)
{
    return write_one("rg_image_write_u8", path, NULL, pixels, channels, height, width, error, size);
}

bool rg_image_write_grid(const char *path, const float *pixels, int64_t count, int64_t channels, int64_t height,
                         int64_t width, int64_t columns, char *error, size_t size)
{
    static const char *const call = "rg_image_write_grid";
    if (!path || !*path)
        return rg__io_fail(error, size, "%s: found no name, expected that of a file", call);
    if (!check_sizes(call, pixels, channels, height, width, error, size))
        return false;
    if (columns == 0)
        columns = GRID_COLUMNS;
    if (count < 1 || columns < 1 || count > RG__IMAGE_PIXELS)
        return rg__io_fail(error, size, "%s: found %lld images in %lld columns, expected 1 to %d in 1 or more", call,
                           (long long)count, (long long)columns, RG__IMAGE_PIXELS);
    columns = columns < count ? columns : count;
    const int64_t rows = (count + columns - 1) / columns;
    /* Both factors are at most 2^26. */
    rg__raster raster = {.height = (size_t)(rows * (height + GRID_GAP) + GRID_GAP),
                         .width = (size_t)(columns * (width + GRID_GAP) + GRID_GAP),
                         .channels = (int)channels,
                         .depth = 1};
    char reason[REASON_SIZE];
    if (!rg__raster_alloc(&raster, reason, sizeof reason))
        return rg__io_fail(error, size, "%s: %s", call, reason);
    memset(raster.bytes, 0, raster.height * raster.width * (size_t)channels);
    for (int64_t i = 0; i < count; i++)
        lay_out(&raster, (size_t)(GRID_GAP + i / columns * (height + GRID_GAP)),
                (size_t)(GRID_GAP + i % columns * (width + GRID_GAP)), pixels + i * channels * height * width, NULL,
                (size_t)height, (size_t)width);
    const bool good = rg__png_write(path, &raster, error, size);
    free(raster.bytes);
    return good;
}
