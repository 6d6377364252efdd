/* PNG through libpng. Its errors are long jumps; whatever must outlive one is in a struct that the caller owns. */
#include "image.h"

#include "file.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_SIZE = 160 };

typedef struct coder {
    png_structp png;
    png_infop info;
    png_bytep *rows; /* [height], into the raster            */
    const unsigned char *at;
    size_t left; /* bytes not yet read                       */
    FILE *file;  /* to be written                            */
    char message[MESSAGE_SIZE];
} coder;

static void on_error(png_structp png, png_const_charp message)
{
    coder *c = png_get_error_ptr(png);
    snprintf(c->message, sizeof c->message, "%s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png, (void)message;
}

static void give(png_structp png, png_bytep to, size_t length)
{
    coder *c = png_get_io_ptr(png);
    if (length > c->left)
        png_error(png, "the file ends too early");
    memcpy(to, c->at, length);
    c->at += length;
    c->left -= length;
}

static bool make_rows(coder *c, const rg__raster *raster)
{
    const size_t width = raster->width * (size_t)raster->channels * (size_t)raster->depth;
    c->rows = malloc(raster->height * sizeof *c->rows);
    for (size_t i = 0; c->rows && i < raster->height; i++)
        c->rows[i] = raster->bytes + i * width;
    return c->rows != NULL;
}

/* ---- reading ---- */

/* Whatever the file holds becomes grey or RGB of 8 or 16 bits. */
static void set_transforms(const coder *c)
{
    if (png_get_color_type(c->png, c->info) == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(c->png);
    else if (png_get_bit_depth(c->png, c->info) < 8)
        png_set_expand_gray_1_2_4_to_8(c->png);
    png_set_strip_alpha(c->png);
    png_set_interlace_handling(c->png);
    png_read_update_info(c->png, c->info);
}

/* What may jump. False: the raster had no room, and the error says so. */
static bool read_image(coder *c, rg__raster *raster, char *error, size_t size)
{
    png_set_read_fn(c->png, c, give);
    png_set_user_limits(c->png, RG__IMAGE_PIXELS, RG__IMAGE_PIXELS);
    png_read_info(c->png, c->info);
    set_transforms(c);
    raster->height = png_get_image_height(c->png, c->info);
    raster->width = png_get_image_width(c->png, c->info);
    raster->channels = png_get_channels(c->png, c->info);
    raster->depth = png_get_bit_depth(c->png, c->info) == 16 ? 2 : 1;
    if (!rg__raster_alloc(raster, error, size))
        return false;
    if (!make_rows(c, raster))
        return rg__io_fail(error, size, "out of memory");
    png_read_image(c->png, c->rows);
    png_read_end(c->png, NULL);
    return true;
}

/* The jump ends here. No variable of this function changes after setjmp. */
static bool try_read(coder *c, rg__raster *raster, char *error, size_t size)
{
    if (setjmp(png_jmpbuf(c->png)))
        return rg__io_fail(error, size, "%s, expected an intact PNG file", c->message);
    return read_image(c, raster, error, size);
}

bool rg__png_decode(const unsigned char *bytes, size_t length, rg__raster *raster, char *error, size_t size)
{
    coder c = {.at = bytes, .left = length};
    c.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &c, on_error, on_warning);
    c.info = c.png ? png_create_info_struct(c.png) : NULL;
    const bool good = c.info ? try_read(&c, raster, error, size) : rg__io_fail(error, size, "out of memory");
    png_destroy_read_struct(&c.png, &c.info, NULL);
    free(c.rows);
    return good;
}

/* ---- writing ---- */

static void write_image(const coder *c, const rg__raster *raster)
{
    png_init_io(c->png, c->file);
    png_set_user_limits(c->png, RG__IMAGE_PIXELS, RG__IMAGE_PIXELS);
    png_set_IHDR(c->png, c->info, (png_uint_32)raster->width, (png_uint_32)raster->height, 8,
                 raster->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(c->png, c->info);
    png_write_image(c->png, c->rows);
    png_write_end(c->png, NULL);
}

static bool try_write(coder *c, const rg__raster *raster)
{
    if (setjmp(png_jmpbuf(c->png)))
        return false;
    write_image(c, raster);
    return true;
}

bool rg__png_write(const char *path, const rg__raster *raster, char *error, size_t size)
{
    coder c = {.message = "out of memory"};
    c.file = fopen(path, "wbe");
    if (!c.file)
        return rg__io_fail(error, size, "%s: %s, expected a file that can be written", path, strerror(errno));
    c.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &c, on_error, on_warning);
    c.info = c.png ? png_create_info_struct(c.png) : NULL;
    bool good = c.info && make_rows(&c, raster) && try_write(&c, raster);
    if (!good)
        rg__io_fail(error, size, "%s: %s, expected room for a PNG file", path, c.message);
    png_destroy_write_struct(&c.png, &c.info);
    free(c.rows);
    errno = 0;
    if (fclose(c.file) != 0 && good)
        good = rg__io_fail(error, size, "%s: %s, expected room for a PNG file", path, strerror(errno ? errno : EIO));
    return good;
}
