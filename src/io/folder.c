/* Folders of images, one a class, as a source that reads a file when it is asked for. */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <retrograd/data.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Names that grow one by one; ours. */
typedef struct names {
    int64_t count, room;
    char **of;
} names;

typedef struct folder {
    names classes, files; /* files with their path */
    int64_t *labels;      /* [files]               */
    int channels;
    int64_t height, width;
} folder;

static void names_free(names *n)
{
    for (int64_t i = 0; i < n->count; i++)
        free(n->of[i]);
    free(n->of);
}

static void folder_free(void *user)
{
    folder *f = user;
    if (!f)
        return;
    names_free(&f->classes);
    names_free(&f->files);
    free(f->labels);
    free(f);
}

/* Takes a name over, NULL where there was no memory for it. */
static bool names_add(names *n, char *name)
{
    if (name && n->count == n->room) {
        const int64_t room = n->room ? 2 * n->room : 64;
        char **of = realloc(n->of, (size_t)room * sizeof *of);
        if (of) {
            n->of = of;
            n->room = room;
        }
    }
    if (!name || n->count == n->room) {
        free(name);
        return false;
    }
    n->of[n->count++] = name;
    return true;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "path/name", or the name alone where the path is NULL. */
static char *join(const char *path, const char *name)
{
    const size_t before = path ? strlen(path) + 1 : 0, more = strlen(name);
    char *joined = malloc(before + more + 1);
    if (!joined)
        return NULL;
    if (path) {
        memcpy(joined, path, before - 1);
        joined[before - 1] = '/';
    }
    memcpy(joined + before, name, more + 1);
    return joined;
}

static bool ends_as_image(const char *name)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg"};
    const size_t length = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t ending = strlen(endings[i]);
        if (length > ending && strcasecmp(name + length - ending, endings[i]) == 0)
            return true;
    }
    return false;
}

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static bool is_file(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

/* Adds an entry of a folder if it is what is looked for; false where there was no memory. */
static bool take_entry(const char *path, const char *name, bool folders, names *found)
{
    if (name[0] == '.' || (!folders && !ends_as_image(name)))
        return true;
    char *joined = join(path, name);
    if (!joined)
        return false;
    if (!folders && is_file(joined))
        return names_add(found, joined);
    const bool wanted = folders && is_folder(joined);
    free(joined);
    return !wanted || names_add(found, join(NULL, name));
}

/* The sorted names of the folders, or of the images with their path, in a folder. */
static bool list(const char *path, bool folders, names *found, char *error, size_t size)
{
    DIR *dir = opendir(path);
    if (!dir)
        return rg__io_fail(error, size, "%s: %s, expected a folder", path, strerror(errno));
    const int64_t before = found->count;
    bool good = true;
    for (const struct dirent *entry; good && (entry = readdir(dir));)
        good = take_entry(path, entry->d_name, folders, found);
    closedir(dir);
    if (!good)
        return rg__io_fail(error, size, "%s: out of memory for the names in it", path);
    if (found->count == before)
        return rg__io_fail(error, size, "%s: found no %s, expected some", path,
                           folders ? "folders (one for each class)" : "images (.png, .jpg, .jpeg)");
    qsort(found->of + before, (size_t)(found->count - before), sizeof *found->of, by_bytes);
    return true;
}

static bool list_all(const char *path, folder *f, char *error, size_t size)
{
    if (!list(path, true, &f->classes, error, size))
        return false;
    for (int64_t k = 0; k < f->classes.count; k++) {
        char *class_path = join(path, f->classes.of[k]);
        const int64_t before = f->files.count;
        bool good = class_path ? list(class_path, false, &f->files, error, size)
                               : rg__io_fail(error, size, "%s: out of memory for the names in it", path);
        free(class_path);
        int64_t *labels = good ? realloc(f->labels, (size_t)f->files.count * sizeof *labels) : NULL;
        if (!labels)
            return good ? rg__io_fail(error, size, "%s: out of memory for the names in it", path) : false;
        f->labels = labels;
        for (int64_t i = before; i < f->files.count; i++)
            labels[i] = k;
    }
    return true;
}

static bool get_image(void *user, int64_t i, void *x, void *y, char *error, size_t size)
{
    const folder *f = user;
    rg_image *image = rg_image_read(f->files.of[i], f->channels, error, size);
    if (image && (image->height != f->height || image->width != f->width)) {
        rg_image *resized = rg_image_resize(image, f->height, f->width, error, size);
        rg_image_free(image);
        image = resized;
    }
    if (!image)
        return false;
    memcpy(x, image->pixels, (size_t)(image->channels * image->height * image->width) * sizeof *image->pixels);
    memcpy(y, f->labels + i, sizeof *f->labels);
    rg_image_free(image);
    return true;
}

/* What the configuration leaves to the first image. */
static bool settle_sizes(folder *f, char *error, size_t size)
{
    if (f->channels > 0 && f->height > 0 && f->width > 0)
        return true;
    rg_image *first = rg_image_read(f->files.of[0], f->channels, error, size);
    if (!first)
        return false;
    f->channels = (int)first->channels;
    f->height = f->height ? f->height : first->height;
    f->width = f->width ? f->width : first->width;
    rg_image_free(first);
    return true;
}

rg_source *rg_image_folder(const char *path, const rg_image_folder_config *config, char *error, size_t size)
{
    const rg_image_folder_config wanted = config ? *config : (rg_image_folder_config){0};
    const bool sizes = wanted.height >= 0 && wanted.width >= 0 && wanted.height < 1 << 26 && wanted.width < 1 << 26;
    if (!path || !*path || !sizes || (wanted.channels != 0 && wanted.channels != 1 && wanted.channels != 3)) {
        rg__io_fail(error, size,
                    "rg_image_folder: found the folder '%s', %d channels and %lld x %lld pixels, expected a name, 0, 1 or "
                    "3, and sizes below 2^26",
                    path ? path : "", wanted.channels, (long long)wanted.height, (long long)wanted.width);
        return NULL;
    }
    rg_source *source = calloc(1, sizeof *source);
    folder *f = source ? calloc(1, sizeof *f) : NULL;
    bool good = f || rg__io_fail(error, size, "%s: out of memory", path);
    if (good) {
        *f = (folder){.channels = wanted.channels, .height = wanted.height, .width = wanted.width};
        good = list_all(path, f, error, size) && settle_sizes(f, error, size);
    }
    if (!good) {
        folder_free(f);
        free(source);
        return NULL;
    }
    *source = (rg_source){.count = f->files.count,
                          .x_shape = RG_SHAPE(f->channels, f->height, f->width),
                          .y_dtype = RG_I64,
                          .classes = f->classes.count,
                          .class_names = (const char *const *)f->classes.of,
                          .get = get_image,
                          .close = folder_free,
                          .user = f,
                          .concurrent = true};
    return source;
}
