/* What readers of whole files share: errors, and a file's bytes in memory. */
#ifndef RG__IO_FILE_H
#define RG__IO_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Writes the line where there is room for it. Returns false, for `return rg__io_fail(...)`. */
__attribute__((format(printf, 3, 4))) bool rg__io_fail(char *error, size_t size, const char *format, ...);

/* The bytes of a file and a NUL behind them; NULL and an error where it cannot be read or holds more than `most`. `what`
 * says what is expected: "a CSV file". The caller frees. */
char *rg__io_read(const char *path, const char *what, size_t most, size_t *length, char *error, size_t size);

#endif
