/* Writing pictures: one function, and tiles of many small images. */
#ifndef SYSTEMS_PICTURE_H
#define SYSTEMS_PICTURE_H

#include "common.h"

/* Grey values in [0, 1], [height, width], as a file of the PGM format. */
static inline bool picture_write(const char *path, const float *grey, int64_t height, int64_t width)
{
    FILE *const file = fopen(path, "wb");
    if (!file)
        return complain("%s: %s", path, strerror(errno));
    fprintf(file, "P5\n%" PRId64 " %" PRId64 "\n255\n", width, height);
    for (int64_t i = 0; i < height * width; i++)
        putc(grey[i] <= 0 ? 0 : grey[i] >= 1 ? 255 : (int)(255 * grey[i] + 0.5F), file);
    const bool bad = ferror(file) != 0;
    return (fclose(file) == 0 && !bad) || complain("%s could not be written", path);
}

/* Copies an image [side, side] to row and column of a sheet of such images, `columns` wide. */
static inline void sheet_put(float *sheet, int64_t columns, int64_t row, int64_t column, const float *image, int64_t side)
{
    for (int64_t y = 0; y < side; y++)
        memcpy(sheet + ((row * side + y) * columns + column) * side, image + y * side, (size_t)side * sizeof *image);
}

#endif
