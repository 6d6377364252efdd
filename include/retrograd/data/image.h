/* Retrograd: images: reading PNG and JPEG, resizing, writing PNG, folders of images as a source. Errors: see data.h. */
#ifndef RETROGRAD_DATA_IMAGE_H
#define RETROGRAD_DATA_IMAGE_H

#include <retrograd/data/source.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 1 channel is grey, 3 are red, green and blue. */
typedef struct rg_image {
    int64_t channels, height, width;
    float *pixels; /* [channels, height, width], 0 to 1: value/255, of 16 bits value/65535 */
} rg_image;

/* Reads a PNG or JPEG file, told apart by how they begin. `channels` is 1, 3, or 0 for those of the file; grey is 0.299 R +
 * 0.587 G + 0.114 B (ITU-R BT.601). Transparency is left out, gamma and colour profiles are not applied. Files that are cut or
 * damaged, of more than 2^26 pixels or 2^28 bytes, and JPEGs in CMYK are errors. The caller frees. */
RG_API rg_image *rg_image_read(const char *path, int channels, char *error, size_t size);
/* The same of a file in memory; `name` stands for it in errors. */
RG_API rg_image *rg_image_decode(const char *name, const void *bytes, size_t length, int channels, char *error,
                                 size_t size);
RG_API void rg_image_free(rg_image *image);

/* A new image of that size. Each axis is weighted by a triangle as wide as two of the larger pixels, in or out: bilinear
 * where it grows, an average over the area where it shrinks. Equal to PyTorch's interpolate(mode="bilinear",
 * antialias=True). */
RG_API rg_image *rg_image_resize(const rg_image *image, int64_t height, int64_t width, char *error, size_t size);

/* Writes pixels [channels, height, width] as PNG of 8 bits; channels are 1 or 3. Floats are clamped to 0 and 1 (NaN is 0) and
 * rounded to value/255. A file that is there is overwritten; after an error it is not whole. */
RG_API bool rg_image_write(const char *path, const float *pixels, int64_t channels, int64_t height, int64_t width,
                           char *error, size_t size);
RG_API bool rg_image_write_u8(const char *path, const unsigned char *pixels, int64_t channels, int64_t height,
                              int64_t width, char *error, size_t size);
/* Writes `count` images [count, channels, height, width] as one, row by row, `columns` in each (0: 8), with 2 black pixels
 * around and between them. As torchvision's save_image. */
RG_API bool rg_image_write_grid(const char *path, const float *pixels, int64_t count, int64_t channels, int64_t height,
                                int64_t width, int64_t columns, char *error, size_t size);

typedef struct rg_image_folder_config {
    int channels;          /* 1, 3; 0: those of the first image                   */
    int64_t height, width; /* to which every image is resized; 0: the first one's */
} rg_image_folder_config;

/* The images path/CLASS/FILE.png, .jpg or .jpeg (in capitals, too): classes are the folders in the order of their names'
 * bytes, samples the files of the first class, of the second, ..., each in the order of names. Names that begin with a dot
 * are left out, and folders in folders. x is f32 [C, H, W], y the class. Files are found now and read when asked for. */
RG_API rg_source *rg_image_folder(const char *path, const rg_image_folder_config *config, char *error, size_t size);

#ifdef __cplusplus
}
#endif
#endif
