/* JPEG through libjpeg. Its errors are long jumps; whatever must outlive one is in a struct that the caller owns. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "file.h"
#include "image.h"

/* Each scan of a progressive file goes over the whole image, however few bytes it has. */
#define MOST_SCANS 200

typedef struct decoder {
    struct jpeg_decompress_struct jpeg; /* first: the library's pointer to it is one to this */
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
} decoder;

__attribute__((noreturn)) static void on_error(j_common_ptr jpeg)
{
    decoder *d = (decoder *)jpeg;
    jpeg->err->format_message(jpeg, d->message);
    longjmp(d->jump, 1);
}

/* Warnings say that the data are damaged and something was made up, except for a few that change no pixel. */
static void on_message(j_common_ptr jpeg, int level)
{
    const int code = jpeg->err->msg_code;
    if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_ADOBE_XFORM && code != JWRN_JFIF_MAJOR)
        on_error(jpeg);
}

static void on_output(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void on_progress(j_common_ptr jpeg)
{
    decoder *d = (decoder *)jpeg;
    if (d->jpeg.input_scan_number > MOST_SCANS) {
        snprintf(d->message, sizeof d->message, "found more than %d scans", MOST_SCANS);
        longjmp(d->jump, 1);
    }
}

/* What may jump. False: the error is written. */
static bool read_image(decoder *d, const unsigned char *bytes, size_t length, rg__raster *raster, char *error, size_t size)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &d->progress;
    jpeg_mem_src(jpeg, bytes, (unsigned long)length);
    jpeg_read_header(jpeg, TRUE);
    if (jpeg->jpeg_color_space != JCS_GRAYSCALE && jpeg->jpeg_color_space != JCS_YCbCr &&
        jpeg->jpeg_color_space != JCS_RGB)
        return rg__io_fail(error, size, "found a JPEG of %d components, expected grey or three colours",
                           jpeg->num_components);
    jpeg->out_color_space = jpeg->jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    *raster = (rg__raster){.height = jpeg->image_height,
                           .width = jpeg->image_width,
                           .channels = jpeg->out_color_space == JCS_RGB ? 3 : 1,
                           .depth = 1};
    if (!rg__raster_alloc(raster, error, size))
        return false;
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = raster->bytes + (size_t)jpeg->output_scanline * raster->width * (size_t)raster->channels;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg);
    return true;
}

/* The jump ends here. No variable of this function changes after setjmp. */
static bool try_read(decoder *d, const unsigned char *bytes, size_t length, rg__raster *raster, char *error, size_t size)
{
    if (setjmp(d->jump))
        return rg__io_fail(error, size, "%s, expected an intact JPEG file", d->message);
    return read_image(d, bytes, length, raster, error, size);
}

bool rg__jpeg_decode(const unsigned char *bytes, size_t length, rg__raster *raster, char *error, size_t size)
{
    decoder *d = calloc(1, sizeof *d);
    if (!d)
        return rg__io_fail(error, size, "out of memory");
    d->jpeg.err = jpeg_std_error(&d->errors);
    d->errors.error_exit = on_error;
    d->errors.emit_message = on_message;
    d->errors.output_message = on_output;
    d->progress.progress_monitor = on_progress;
    const bool good = try_read(d, bytes, length, raster, error, size);
    jpeg_destroy_decompress(&d->jpeg);
    free(d);
    return good;
}
