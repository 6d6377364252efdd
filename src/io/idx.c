/* Reading IDX files, the format of MNIST. The header is not believed: memory grows with what the file gives. */
#include <errno.h>
#include <retrograd/data.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* The bytes of one read, and the first allocation. */
#define PIECE ((size_t)1 << 20)

/* The file as it is named in errors: `path`, or `path`.gz where that was opened. */
typedef struct source {
    gzFile file;
    char *name;
    char *error;
    size_t error_size;
} source;

__attribute__((format(printf, 2, 3))) static bool fail(const source *s, const char *format, ...)
{
    if (s->error && s->error_size > 0) {
        va_list args;
        va_start(args, format);
        vsnprintf(s->error, s->error_size, format, args);
        va_end(args);
    }
    return false;
}

/* ---- opening ---- */

/* zlib opens as open(2) does and leaves its errno; where that is 0 it was its own memory. */
static gzFile open_gz(const char *name)
{
    errno = 0;
    gzFile file = gzopen(name, "rbe");
    if (!file && errno == 0)
        errno = ENOMEM;
    return file;
}

/* What zlib says begins with the file's name, but for its own memory. */
static bool fail_reading(const source *s)
{
    int code;
    const char *what = gzerror(s->file, &code);
    if (code == Z_MEM_ERROR)
        return fail(s, "%s: out of memory", s->name);
    return fail(s, "%s, expected %s", what, code == Z_ERRNO ? "an IDX file" : "whole and intact gzip");
}

static bool ends_in_gz(const char *name)
{
    const size_t length = strlen(name);
    return length >= 3 && strcmp(name + length - 3, ".gz") == 0;
}

/* zlib reads what is not gzip as it is. A name in .gz says that it should be. */
static bool check_compressed(const source *s)
{
    if (!ends_in_gz(s->name) || !gzdirect(s->file))
        return true;
    unsigned char start[2];
    const int got = gzread(s->file, start, sizeof start);
    if (got < 0)
        return fail_reading(s);
    if (got < 2)
        return fail(s, "%s: found a file of length %d, expected gzip, as its name ends in .gz", s->name, got);
    return fail(s, "%s: found a file that begins %02x %02x, expected gzip (1f 8b), as its name ends in .gz", s->name,
                start[0], start[1]);
}

static bool open_source(source *s, const char *path)
{
    if (!path || !*path)
        return fail(s, "IDX file: found no name, expected that of a file");
    const size_t length = strlen(path);
    s->name = malloc(length + sizeof ".gz");
    if (!s->name)
        return fail(s, "%s: out of memory", path);
    memcpy(s->name, path, length + 1);
    s->file = open_gz(s->name);
    if (!s->file && errno == ENOENT) {
        memcpy(s->name + length, ".gz", sizeof ".gz");
        s->file = open_gz(s->name);
        if (!s->file && errno == ENOENT)
            return fail(s, "%s: found neither this file nor %s, expected one of them", path, s->name);
    }
    if (!s->file)
        return fail(s, "%s: %s, expected a file that can be read", s->name, strerror(errno));
    gzbuffer(s->file, 1 << 17);
    return check_compressed(s);
}

/* ---- reading ---- */

/* Up to `bytes` bytes; fewer at the end of the file. False where the file or its compression is broken. */
static bool read_bytes(const source *s, void *to, size_t bytes, size_t *got)
{
    *got = 0;
    while (*got < bytes) {
        const size_t left = bytes - *got;
        const int n = gzread(s->file, (char *)to + *got, (unsigned)(left < PIECE ? left : PIECE));
        int code;
        gzerror(s->file, &code); /* a stream that is cut gives what it has, and this */
        if (n < 0 || code != Z_OK)
            return fail_reading(s);
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return true;
}

static size_t type_size(unsigned type)
{
    switch (type) {
    case RG_IDX_U8:
    case RG_IDX_I8: return 1;
    case RG_IDX_I16: return 2;
    case RG_IDX_I32:
    case RG_IDX_F32: return 4;
    case RG_IDX_F64: return 8;
    default: return 0;
    }
}

/* "u8 [60000, 28, 28]" for errors. */
#define TITLE_SIZE 112
static const char *title(const rg_idx *idx, char text[TITLE_SIZE])
{
    static const char *const names[] = {
        [RG_IDX_U8] = "u8",   [RG_IDX_I8] = "i8",   [RG_IDX_I16] = "i16",
        [RG_IDX_I32] = "i32", [RG_IDX_F32] = "f32", [RG_IDX_F64] = "f64",
    };
    int used = snprintf(text, TITLE_SIZE, "%s [", names[idx->type]);
    for (int i = 0; i < idx->shape.rank; i++)
        used += snprintf(text + used, TITLE_SIZE - (size_t)used, "%s%lld", i ? ", " : "", (long long)idx->shape.dims[i]);
    snprintf(text + used, TITLE_SIZE - (size_t)used, "]");
    return text;
}

/* Two zero bytes, the type, the rank; then an extent of four bytes, the most significant first, for each axis. */
static bool read_header(const source *s, rg_idx *idx)
{
    unsigned char magic[4], extents[4 * RG_MAX_RANK];
    size_t got;
    if (!read_bytes(s, magic, sizeof magic, &got))
        return false;
    if (got < sizeof magic)
        return fail(s, "%s: found %zu bytes, expected an IDX header of at least 8", s->name, got);
    if (magic[0] != 0 || magic[1] != 0)
        return fail(s, "%s: found a file that begins %02x %02x %02x %02x, expected IDX (00 00, type, rank)", s->name,
                    magic[0], magic[1], magic[2], magic[3]);
    if (type_size(magic[2]) == 0)
        return fail(s, "%s: found IDX type %02x, expected 08, 09, 0b, 0c, 0d or 0e", s->name, magic[2]);
    if (magic[3] < 1 || magic[3] > RG_MAX_RANK)
        return fail(s, "%s: found IDX rank %d, expected 1 to %d", s->name, magic[3], RG_MAX_RANK);
    idx->type = (rg_idx_type)magic[2];
    idx->shape.rank = magic[3];
    const size_t header = 4 * (size_t)magic[3];
    if (!read_bytes(s, extents, header, &got))
        return false;
    if (got < header)
        return fail(s, "%s: found a header of %zu bytes, expected %zu for IDX rank %d", s->name, 4 + got, 4 + header,
                    magic[3]);
    for (int i = 0; i < idx->shape.rank; i++) {
        const unsigned char *e = extents + 4 * i;
        idx->shape.dims[i] = (int64_t)((uint32_t)e[0] << 24 | (uint32_t)e[1] << 16 | (uint32_t)e[2] << 8 | e[3]);
    }
    return true;
}

/* Makes room for more than `have` bytes: twice as many, never more than `all`. A header that announces terabytes costs
 * no more than the file has. */
static bool grow(const source *s, rg_idx *idx, size_t have, size_t all, size_t *room)
{
    size_t next = have < PIECE / 2 ? PIECE : have > all / 2 ? all : 2 * have;
    if (next > all)
        next = all;
    void *data = realloc(idx->data, next ? next : 1);
    if (!data)
        return fail(s, "%s: out of memory for %zu bytes", s->name, next);
    idx->data = data;
    *room = next;
    return true;
}

static bool read_data(const source *s, rg_idx *idx, size_t *bytes)
{
    char text[TITLE_SIZE];
    const int64_t numel = rg_shape_numel(idx->shape);
    const size_t size = type_size(idx->type);
    if (numel < 0 || (uint64_t)numel > PTRDIFF_MAX / size)
        return fail(s, "%s: found a header that announces %s, expected no more than memory can address", s->name,
                    title(idx, text));
    *bytes = (size_t)numel * size;
    size_t have = 0, room = 0, got = 0;
    do {
        if (!grow(s, idx, have, *bytes, &room) || !read_bytes(s, (char *)idx->data + have, room - have, &got))
            return false;
        have += got;
    } while (have == room && have < *bytes);
    if (have < *bytes)
        return fail(s, "%s: found %zu bytes of data, expected %zu for %s", s->name, have, *bytes, title(idx, text));
    /* One byte on: there must be none, and only now does zlib see the checksum. */
    char beyond;
    if (!read_bytes(s, &beyond, 1, &got))
        return false;
    if (got > 0)
        return fail(s, "%s: found more data than %zu bytes, expected so many for %s", s->name, *bytes, title(idx, text));
    return true;
}

/* The most significant byte first, whatever this machine's order. */
static void to_machine_order(unsigned char *data, size_t bytes, size_t size)
{
    for (size_t at = 0; size > 1 && at < bytes; at += size) {
        uint64_t value = 0;
        for (size_t i = 0; i < size; i++)
            value = value << 8 | data[at + i];
        const uint16_t two = (uint16_t)value;
        const uint32_t four = (uint32_t)value;
        memcpy(data + at, size == 2 ? (const void *)&two : size == 4 ? (const void *)&four : &value, size);
    }
}

rg_idx *rg_idx_read(const char *path, char *error, size_t size)
{
    source s = {.error = error, .error_size = size};
    size_t bytes = 0;
    rg_idx *idx = NULL;
    bool good = open_source(&s, path);
    if (good) {
        idx = calloc(1, sizeof *idx);
        good = idx ? read_header(&s, idx) && read_data(&s, idx, &bytes) : fail(&s, "%s: out of memory", s.name);
    }
    if (good) {
        to_machine_order(idx->data, bytes, type_size(idx->type));
    } else {
        rg_idx_free(idx);
        idx = NULL;
    }
    if (s.file)
        gzclose(s.file);
    free(s.name);
    return idx;
}

void rg_idx_free(rg_idx *idx)
{
    if (!idx)
        return;
    free(idx->data);
    free(idx);
}
