/* Reading a file whole. Memory grows with what the file gives. */
#include "file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first allocation. */
#define PIECE ((size_t)1 << 16)

bool rg__io_fail(char *error, size_t size, const char *format, ...)
{
    if (error && size > 0) {
        va_list args;
        va_start(args, format);
        vsnprintf(error, size, format, args);
        va_end(args);
    }
    return false;
}

/* Reads to the end, or to one byte more than `most`. False is an error of errno. */
static bool read_all(FILE *file, size_t most, char **bytes, size_t *length)
{
    size_t room = 0;
    do {
        if (*length == room) {
            const size_t next = room == 0 ? PIECE : 2 * room;
            char *grown = room > SIZE_MAX / 2 ? NULL : realloc(*bytes, next + 1);
            if (!grown) {
                errno = ENOMEM;
                return false;
            }
            *bytes = grown;
            room = next;
        }
        errno = 0;
        *length += fread(*bytes + *length, 1, room - *length, file);
        if (ferror(file)) {
            errno = errno ? errno : EIO;
            return false;
        }
    } while (!feof(file) && *length <= most);
    (*bytes)[*length] = '\0';
    return true;
}

char *rg__io_read(const char *path, const char *what, size_t most, size_t *length, char *error, size_t size)
{
    *length = 0;
    if (!path || !*path) {
        rg__io_fail(error, size, "data: found no name, expected that of %s", what);
        return NULL;
    }
    FILE *file = fopen(path, "rbe");
    char *bytes = NULL;
    bool good = file && read_all(file, most, &bytes, length);
    if (!good && errno == ENOMEM)
        rg__io_fail(error, size, "%s: out of memory, expected room for %s", path, what);
    else if (!good)
        rg__io_fail(error, size, "%s: %s, expected %s", path, strerror(errno), what);
    if (good && *length > most)
        good =
            rg__io_fail(error, size, "%s: found more than %zu bytes, expected %s of at most so many", path, most, what);
    if (file)
        fclose(file);
    if (good)
        return bytes;
    free(bytes);
    return NULL;
}
