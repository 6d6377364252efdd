/* Files for the tests of data readers, in a directory of their own that goes with them. To be included first. */
#ifndef DATA_SUPPORT_H
#define DATA_SUPPORT_H

#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* mkdtemp */
#endif

#include <dirent.h>
#include <retrograd/data.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#define PATH_SIZE  512
#define ERROR_SIZE 1024

static char directory[PATH_SIZE / 2];

static inline int make_directory(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/retrograd-test-XXXXXX", base && *base ? base : "/tmp");
    return mkdtemp(directory) ? 0 : -1;
}

static inline int remove_directory(void **state)
{
    (void)state;
    DIR *dir = opendir(directory);
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[2 * PATH_SIZE];
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (entry->d_name[0] != '.')
            remove(path);
    }
    if (dir)
        closedir(dir);
    return rmdir(directory);
}

/* The path of a file in the directory, in one of 32 buffers that are used in turn. */
static inline const char *in_directory(const char *name)
{
    static char paths[32][PATH_SIZE];
    static unsigned turn;
    char *path = paths[turn++ % 32];
    snprintf(path, PATH_SIZE, "%s/%s", directory, name);
    return path;
}

static inline const char *write_plain(const char *name, const void *data, size_t size)
{
    const char *path = in_directory(name);
    remove(path); /* file systems take their time to write over a file */
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline const char *write_gzip(const char *name, const void *data, size_t size)
{
    const char *path = in_directory(name);
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, data, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
    return path;
}

/* Every error is one line that says what was found (or what the system said) and what was expected. */
static inline void assert_error(const char *error, const char *names, const char *says)
{
    if (!strstr(error, names) || !strstr(error, says) || !strstr(error, "expected") || strchr(error, '\n'))
        fail_msg("error \"%s\", expected one line with \"%s\", \"%s\" and \"expected\"", error, names, says);
}

#endif
