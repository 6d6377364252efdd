/* Reading and writing .npy files, NumPy's format for one array. The header is not believed: memory grows with what the
 * file gives. */
#include <errno.h>
#include <retrograd/npy.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bytes of one read, and the first allocation. */
#define PIECE ((size_t)1 << 20)

/* NumPy, too, refuses longer headers: it reads them with Python's parser. */
#define HEADER_MOST 10000

#define MAGIC_SIZE 6
static const unsigned char magic[MAGIC_SIZE] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

static const bool little_machine = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

/* What a file holds an array of, and what it is read as. */
typedef struct element {
    char name[3];
    unsigned char size;
    rg_dtype dtype;
} element;
static const element elements[] = {
    {"f4", 4, RG_F32}, {"f8", 8, RG_F64}, {"i4", 4, RG_I32}, {"i8", 8, RG_I64}, {"b1", 1, RG_BOOL}, {"f2", 2, RG_F32},
    {"i1", 1, RG_I32}, {"u1", 1, RG_I32}, {"i2", 2, RG_I32}, {"u2", 2, RG_I32}, {"u4", 4, RG_I64},
};

typedef struct source {
    FILE *file;
    const char *name;
    char *error;
    size_t error_size;
} source;

typedef struct header {
    const element *of; /* NULL: not there yet */
    bool little, fortran;
    rg_shape shape;
} header;

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

static bool open_source(source *s, const char *path, const char *mode)
{
    if (!path || !*path)
        return fail(s, ".npy file: found no name, expected that of a file");
    s->name = path;
    s->file = fopen(path, mode);
    return s->file ||
           fail(s, "%s: %s, expected a file that can be %s", path, strerror(errno), *mode == 'r' ? "read" : "written");
}

/* Up to `bytes` bytes; fewer at the end of the file. */
static bool read_bytes(const source *s, void *to, size_t bytes, size_t *got)
{
    errno = 0;
    *got = fread(to, 1, bytes, s->file);
    return *got == bytes || !ferror(s->file) ||
           fail(s, "%s: %s, expected a .npy file", s->name, strerror(errno ? errno : EIO));
}

/* ---- the header: a Python dictionary ---- */

typedef struct text {
    const source *s;
    const char *at; /* ends with a NUL */
} text;

static void skip_space(text *p)
{
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r' || *p->at == '\f')
        p->at++;
}

static bool take(text *p, char ch)
{
    skip_space(p);
    const bool there = *p->at == ch;
    p->at += there;
    return there;
}

/* What comes next, for errors: printable, and not much of it. */
#define NEXT_SIZE 28
static const char *next_text(const text *p, char out[NEXT_SIZE])
{
    size_t n = 0;
    for (; p->at[n] && n < NEXT_SIZE - 4; n++)
        out[n] = p->at[n] >= ' ' && p->at[n] <= '~' ? p->at[n] : '?';
    strcpy(out + n, p->at[n] ? "..." : "");
    return n ? out : "its end";
}

static bool fail_header(const text *p, const char *expected)
{
    char next[NEXT_SIZE];
    return fail(p->s, "%s: found a header with %s, expected %s", p->s->name, next_text(p, next), expected);
}

/* A string of printable characters without escapes. */
static bool take_string(text *p, const char *expected, char *out, size_t size)
{
    skip_space(p);
    const char quote = *p->at;
    size_t n = 0;
    if (quote == '\'' || quote == '"') {
        while (p->at[1 + n] >= ' ' && p->at[1 + n] <= '~' && p->at[1 + n] != quote && p->at[1 + n] != '\\')
            n++;
        if (p->at[1 + n] == quote && n < size) {
            memcpy(out, p->at + 1, n);
            out[n] = '\0';
            p->at += n + 2;
            return true;
        }
    }
    return fail_header(p, expected);
}

/* '<f4': byte order (| where there is none) and type. */
static bool take_type(text *p, header *h)
{
    static const char expected[] = "a type of f2, f4, f8, i1, i2, i4, i8, u1, u2, u4 or b1, as '<f4'";
    const text start = *p;
    char type[16];
    if (!take_string(p, expected, type, sizeof type))
        return false;
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        const element *e = &elements[i];
        const bool ordered = *type == '<' || *type == '>';
        if ((ordered || (*type == '|' && e->size == 1)) && strcmp(type + 1, e->name) == 0) {
            h->of = e;
            h->little = *type != '>';
            return true;
        }
    }
    return fail_header(&start, expected);
}

static bool take_bool(text *p, bool *value)
{
    skip_space(p);
    *value = strncmp(p->at, "True", 4) == 0;
    if (!*value && strncmp(p->at, "False", 5) != 0)
        return fail_header(p, "True or False for 'fortran_order'");
    p->at += *value ? 4 : 5;
    return true;
}

/* An extent in decimal; Python 2 wrote some of them with an L. */
static bool take_extent(text *p, int64_t *extent)
{
    const text start = *p;
    if (*p->at < '0' || *p->at > '9' || (*p->at == '0' && p->at[1] >= '0' && p->at[1] <= '9'))
        return fail_header(p, "extents of 0 or more");
    for (*extent = 0; *p->at >= '0' && *p->at <= '9'; p->at++)
        if (__builtin_mul_overflow(*extent, 10, extent) || __builtin_add_overflow(*extent, *p->at - '0', extent))
            return fail_header(&start, "extents that memory can address");
    p->at += *p->at == 'L';
    return true;
}

/* (), (3,), (3, 4) or (3, 4,). */
static bool take_shape(text *p, rg_shape *shape)
{
    bool comma = true;
    shape->rank = 0;
    if (!take(p, '('))
        return fail_header(p, "a tuple in parentheses for 'shape'");
    while (!take(p, ')')) {
        if (!comma)
            return fail_header(p, "a comma or ')' in 'shape'");
        if (shape->rank == RG_MAX_RANK)
            return fail_header(p, "a shape of rank 0 to 8");
        if (!take_extent(p, &shape->dims[shape->rank++]))
            return false;
        comma = take(p, ',');
    }
    return shape->rank != 1 || comma || fail_header(p, "a comma in the shape of rank 1, as (3,)");
}

static bool parse_header(const source *s, const char *dictionary, header *h)
{
    text p = {s, dictionary};
    bool comma = true, seen[3] = {false};
    if (!take(&p, '{'))
        return fail_header(&p, "a dictionary with 'descr', 'fortran_order' and 'shape'");
    while (!take(&p, '}')) {
        static const char keys[3][16] = {"descr", "fortran_order", "shape"};
        static const char expected[] = "a key of 'descr', 'fortran_order' and 'shape', each once";
        char key[16];
        const text start = p;
        if (!comma)
            return fail_header(&p, "a comma or '}'");
        if (!take_string(&p, expected, key, sizeof key))
            return false;
        int which = 0;
        while (which < 3 && strcmp(key, keys[which]) != 0)
            which++;
        if (which == 3 || seen[which])
            return fail_header(&start, expected);
        seen[which] = true;
        if (!take(&p, ':'))
            return fail_header(&p, "a colon behind the key");
        if (!(which == 0 ? take_type(&p, h) : which == 1 ? take_bool(&p, &h->fortran) : take_shape(&p, &h->shape)))
            return false;
        comma = take(&p, ',');
    }
    skip_space(&p);
    if (*p.at)
        return fail_header(&p, "nothing but spaces behind the dictionary");
    if (!seen[0] || !seen[1] || !seen[2])
        return fail(s, "%s: found a header without '%s', expected 'descr', 'fortran_order' and 'shape'", s->name,
                    !seen[0]   ? "descr"
                    : !seen[1] ? "fortran_order"
                               : "shape");
    return true;
}

/* Magic, version, the header's length (two bytes, four from version 2 on, the least significant first), the header. */
static bool read_header(const source *s, header *h)
{
    unsigned char start[MAGIC_SIZE + 2], length[4];
    char dictionary[HEADER_MOST + 1];
    size_t got;
    if (!read_bytes(s, start, sizeof start, &got))
        return false;
    const size_t same = got < MAGIC_SIZE ? got : MAGIC_SIZE;
    if (memcmp(start, magic, same) != 0)
        return fail(s, "%s: found a file that begins %02x %02x, expected .npy (93 'NUMPY')", s->name, start[0],
                    got > 1 ? start[1] : 0);
    if (got < sizeof start)
        return fail(s, "%s: found %zu bytes, expected a .npy header of more", s->name, got);
    const unsigned char *version = start + MAGIC_SIZE;
    if (version[0] < 1 || version[0] > 3 || version[1] != 0)
        return fail(s, "%s: found .npy version %d.%d, expected 1.0, 2.0 or 3.0", s->name, version[0], version[1]);
    const size_t width = version[0] == 1 ? 2 : 4;
    if (!read_bytes(s, length, width, &got))
        return false;
    if (got < width)
        return fail(s, "%s: found a file that ends before the header's length, expected a header", s->name);
    const uint32_t bytes =
        length[0] | (uint32_t)length[1] << 8 | (width == 4 ? (uint32_t)length[2] << 16 | (uint32_t)length[3] << 24 : 0);
    if (bytes > HEADER_MOST)
        return fail(s, "%s: found a header of %u bytes, expected at most %d", s->name, bytes, HEADER_MOST);
    if (!read_bytes(s, dictionary, bytes, &got))
        return false;
    if (got < bytes)
        return fail(s, "%s: found %zu bytes of header, expected %u", s->name, got, bytes);
    if (memchr(dictionary, '\0', bytes))
        return fail(s, "%s: found a zero byte in the header, expected text", s->name);
    dictionary[bytes] = '\0';
    return parse_header(s, dictionary, h);
}

/* ---- the elements ---- */

/* "f4 [60000, 28]" for errors. */
#define TITLE_SIZE 200
static const char *title(const header *h, char out[TITLE_SIZE])
{
    int used = snprintf(out, TITLE_SIZE, "%s [", h->of->name);
    for (int i = 0; i < h->shape.rank; i++)
        used += snprintf(out + used, TITLE_SIZE - (size_t)used, "%s%lld", i ? ", " : "", (long long)h->shape.dims[i]);
    snprintf(out + used, TITLE_SIZE - (size_t)used, "]");
    return out;
}

/* Twice as many bytes as there are, never more than `all`: a header that announces terabytes costs no more than the file
 * has. */
static bool grow(const source *s, unsigned char **data, size_t have, size_t all, size_t *room)
{
    const size_t twice = have < PIECE / 2 ? PIECE : have > all / 2 ? all : 2 * have, next = twice < all ? twice : all;
    unsigned char *more = realloc(*data, next ? next : 1);
    if (!more)
        return fail(s, "%s: out of memory for %zu bytes", s->name, next);
    *data = more;
    *room = next;
    return true;
}

static bool read_data(const source *s, const header *h, int64_t numel, unsigned char **data)
{
    char what[TITLE_SIZE], beyond;
    const size_t all = (size_t)numel * h->of->size;
    size_t have = 0, room = 0, got = 0;
    do {
        if (!grow(s, data, have, all, &room) || !read_bytes(s, *data + have, room - have, &got))
            return false;
        have += got;
    } while (have == room && have < all);
    if (have < all)
        return fail(s, "%s: found %zu bytes of data, expected %zu for %s", s->name, have, all, title(h, what));
    if (!read_bytes(s, &beyond, 1, &got))
        return false;
    if (got > 0)
        return fail(s, "%s: found more data than %zu bytes, expected so many for %s", s->name, all, title(h, what));
    for (size_t i = 0; h->of->dtype == RG_BOOL && i < all; i++)
        if ((*data)[i] > 1)
            return fail(s, "%s: found byte %02x for element %zu, expected 00 or 01 for %s", s->name, (*data)[i], i,
                        title(h, what));
    return true;
}

/* IEEE's half precision as a float: exact. */
static float half(uint32_t bits)
{
    const uint32_t exponent = bits >> 10 & 31, mantissa = bits & 1023, sign = bits >> 15 << 31;
    const float tiny = (float)mantissa * 0x1p-24F;
    uint32_t out;
    if (exponent == 0)
        memcpy(&out, &tiny, sizeof out);
    else
        out = (exponent == 31 ? 255u << 23 : (exponent + 112) << 23) | mantissa << 13;
    out |= sign;
    float value;
    memcpy(&value, &out, sizeof value);
    return value;
}

/* One element, from the file's byte order and type to ours. */
static void convert(const header *h, const unsigned char *from, unsigned char *to)
{
    const size_t size = h->of->size;
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++)
        bits = bits << 8 | from[h->little ? size - 1 - i : i];
    const unsigned unused = 64 - 8 * (unsigned)size;
    const int64_t whole = *h->of->name == 'i' ? (int64_t)(bits << unused) >> unused : (int64_t)bits;
    const int32_t word = (int32_t)whole; /* f4, i4 and smaller: their bits, or their value */
    const float single = size == 2 ? half((uint32_t)bits) : 0;
    const void *value = &bits;
    if (h->of->dtype == RG_F32 && size == 2)
        value = &single;
    else if (h->of->dtype == RG_F32 || h->of->dtype == RG_I32)
        value = &word;
    else if (h->of->dtype == RG_I64)
        value = &whole;
    memcpy(to, h->of->dtype == RG_BOOL ? from : value, rg_dtype_size(h->of->dtype));
}

/* All of them, row by row. In Fortran's order the first axis varies fastest. */
static void convert_all(const header *h, const unsigned char *from, int64_t numel, unsigned char *to)
{
    const int rank = h->shape.rank;
    const size_t size = rg_dtype_size(h->of->dtype);
    int64_t index[RG_MAX_RANK] = {0}, strides[RG_MAX_RANK], stride = 1, at = 0;
    for (int k = 0; k < rank; k++) {
        const int axis = h->fortran ? k : rank - 1 - k;
        strides[axis] = stride;
        stride *= h->shape.dims[axis];
    }
    for (int64_t i = 0; i < numel; i++) {
        convert(h, from + at * h->of->size, to + (size_t)i * size);
        for (int axis = rank - 1; axis >= 0; axis--) {
            at += strides[axis];
            if (++index[axis] < h->shape.dims[axis])
                break;
            at -= strides[axis] * h->shape.dims[axis];
            index[axis] = 0;
        }
    }
}

/* Elements that are ours as they are need no second array. */
static bool is_ours(const header *h)
{
    return (!h->fortran || h->shape.rank < 2) && (h->of->size == 1 || h->little == little_machine) &&
           h->of->size == rg_dtype_size(h->of->dtype);
}

static bool read_array(const source *s, rg_npy *npy)
{
    header h = {NULL, false, false, {0, {0}}};
    char what[TITLE_SIZE];
    if (!read_header(s, &h))
        return false;
    const int64_t numel = rg_shape_numel(h.shape);
    if (numel < 0 || numel > PTRDIFF_MAX / 8)
        return fail(s, "%s: found a header that announces %s, expected no more than memory can address", s->name,
                    title(&h, what));
    npy->dtype = h.of->dtype;
    npy->shape = h.shape;
    unsigned char *data = NULL;
    bool good = read_data(s, &h, numel, &data);
    if (good && !is_ours(&h)) {
        unsigned char *converted = malloc((size_t)numel * rg_dtype_size(npy->dtype) + 1);
        good = converted || fail(s, "%s: out of memory for %s", s->name, title(&h, what));
        if (good)
            convert_all(&h, data, numel, converted);
        free(data);
        data = converted;
    }
    npy->data = data;
    return good;
}

rg_npy *rg_npy_read(const char *path, char *error, size_t size)
{
    source s = {.error = error, .error_size = size};
    rg_npy *npy = NULL;
    bool good = open_source(&s, path, "rbe");
    if (good) {
        npy = calloc(1, sizeof *npy);
        good = npy ? read_array(&s, npy) : fail(&s, "%s: out of memory", path);
    }
    if (s.file)
        fclose(s.file);
    if (!good) {
        rg_npy_free(npy);
        npy = NULL;
    }
    return npy;
}

void rg_npy_free(rg_npy *npy)
{
    if (!npy)
        return;
    free(npy->data);
    free(npy);
}

/* ---- writing ---- */

/* Magic, version, length and dictionary, filled with spaces so that the elements begin at a multiple of 64. */
static size_t write_header(rg_dtype dtype, rg_shape shape, char out[512])
{
    enum { BEFORE = MAGIC_SIZE + 4 };
    const char order = rg_dtype_size(dtype) == 1 ? '|' : little_machine ? '<' : '>';
    size_t i = 0;
    while (elements[i].dtype != dtype)
        i++;
    int used = BEFORE + snprintf(out + BEFORE, 512 - BEFORE, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                                 order, elements[i].name);
    for (int axis = 0; axis < shape.rank; axis++)
        used += snprintf(out + used, 512 - (size_t)used, "%s%lld%s", axis ? " " : "", (long long)shape.dims[axis],
                         axis + 1 < shape.rank || shape.rank == 1 ? "," : "");
    used += snprintf(out + used, 512 - (size_t)used, "), }");
    const size_t all = ((size_t)used + 1 + 63) / 64 * 64;
    memset(out + used, ' ', all - 1 - (size_t)used);
    out[all - 1] = '\n';
    memcpy(out, magic, MAGIC_SIZE);
    out[MAGIC_SIZE] = 1;
    out[MAGIC_SIZE + 1] = 0;
    out[MAGIC_SIZE + 2] = (char)((all - BEFORE) & 255);
    out[MAGIC_SIZE + 3] = (char)((all - BEFORE) >> 8);
    return all;
}

bool rg_npy_write(const char *path, rg_dtype dtype, rg_shape shape, const void *data, char *error, size_t size)
{
    source s = {.error = error, .error_size = size};
    char start[512];
    const int64_t numel = rg_shape_numel(shape);
    const size_t width = rg_dtype_size(dtype);
    if (width == 0 || numel < 0 || (!data && numel > 0) || (uint64_t)numel > PTRDIFF_MAX / width)
        return fail(&s, "%s: found %s to write, expected a dtype, a shape and data", path ? path : ".npy file",
                    width == 0  ? "no dtype"
                    : numel < 0 ? "no valid shape"
                                : "no data");
    if (!open_source(&s, path, "wbe"))
        return false;
    const size_t length = write_header(dtype, shape, start), bytes = (size_t)numel * width;
    bool good = fwrite(start, 1, length, s.file) == length && (bytes == 0 || fwrite(data, 1, bytes, s.file) == bytes);
    const int problem = errno;
    if (fclose(s.file) == 0 && good)
        return true;
    return fail(&s, "%s: %s, expected %zu bytes to be written", path, strerror(good ? errno : problem), length + bytes);
}
