/* What the readers and writers of image formats share. */
#ifndef RG__IO_IMAGE_H
#define RG__IO_IMAGE_H

#include <retrograd/data.h>

enum { RG__IMAGE_PIXELS = 1 << 26 };

/* An image as a decoder finds it: rows of pixels, the channels of a pixel side by side, of one byte or of two with the
 * most significant first. */
typedef struct rg__raster {
    size_t height, width;
    int channels, depth; /* bytes of one number */
    unsigned char *bytes;
} rg__raster;

/* Fill the raster, whose memory is the caller's to free, after errors too, and write the error without the file's name. */
bool rg__png_decode(const unsigned char *bytes, size_t length, rg__raster *raster, char *error, size_t size);
bool rg__jpeg_decode(const unsigned char *bytes, size_t length, rg__raster *raster, char *error, size_t size);

/* Makes room once the sizes of the raster are set; false and an error where they are too large, or there is no memory. */
bool rg__raster_alloc(rg__raster *raster, char *error, size_t size);

/* Writes a raster of depth 1. */
bool rg__png_write(const char *path, const rg__raster *raster, char *error, size_t size);

#endif
