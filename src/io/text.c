/* Text as tokens: bytes or characters, there and back, and windows of it as a source. */
#include "file.h"

#include <retrograd/data.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES  ((size_t)1 << 32)
#define MOST_POINTS 0x110000

/* ---- UTF-8 ---- */

/* The bytes of the character that begins here, 1 to 4, and its code point; 0 where it is none (RFC 3629: no longer forms
 * than needed, no surrogates, nothing above 10FFFF). */
static size_t take_character(const unsigned char *at, size_t left, uint32_t *point)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t bytes = at[0] < 0x80   ? 1
                         : at[0] < 0xC2 ? 0
                         : at[0] < 0xE0 ? 2
                         : at[0] < 0xF0 ? 3
                         : at[0] < 0xF5 ? 4
                                        : 0;
    if (bytes == 0 || bytes > left)
        return 0;
    *point = bytes == 1 ? at[0] : at[0] & (0x7FU >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        *point = *point << 6 | (at[i] & 0x3F);
    }
    return *point < least[bytes] || *point >= MOST_POINTS || (*point >= 0xD800 && *point < 0xE000) ? 0 : bytes;
}

static size_t put_character(uint32_t point, char to[4])
{
    const size_t bytes = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char first[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = bytes; i-- > 1; point >>= 6)
        to[i] = (char)(0x80 | (point & 0x3F));
    to[0] = (char)(first[bytes] | point);
    return bytes;
}

/* ---- making ---- */

void rg_text_free(rg_text *text)
{
    if (!text)
        return;
    free(text->tokens);
    free(text->characters);
    free(text);
}

/* Marks the characters that occur and counts them all. False: what is no character is at *at. */
static bool mark(const unsigned char *bytes, size_t length, unsigned char *occurs, int64_t *count, size_t *at)
{
    for (*at = 0, *count = 0; *at < length; ++*count) {
        uint32_t point;
        const size_t taken = take_character(bytes + *at, length - *at, &point);
        if (taken == 0)
            return false;
        occurs[point] = 1;
        *at += taken;
    }
    return true;
}

/* The place of a character in the vocabulary; -1 where it is not in it. */
static int64_t find_character(const rg_text *text, uint32_t point)
{
    int64_t low = 0, high = text->vocabulary - 1;
    while (low <= high) {
        const int64_t middle = (low + high) / 2;
        if (text->characters[middle] == point)
            return middle;
        if (text->characters[middle] < point)
            low = middle + 1;
        else
            high = middle - 1;
    }
    return -1;
}

static bool make_vocabulary(rg_text *text, const char *name, const unsigned char *bytes, size_t length, char *error,
                            size_t size)
{
    size_t at;
    unsigned char *occurs = calloc(MOST_POINTS, 1);
    if (!occurs)
        return rg__io_fail(error, size, "%s: out of memory for its characters", name);
    bool good = mark(bytes, length, occurs, &text->count, &at);
    if (!good)
        rg__io_fail(error, size, "%s: found no character of UTF-8 at byte %zu (%02x), expected one", name, at, bytes[at]);
    for (size_t i = 0; i < MOST_POINTS; i++)
        text->vocabulary += occurs[i];
    if (good) {
        text->characters = malloc((size_t)(text->vocabulary + 1) * sizeof *text->characters);
        good = text->characters || rg__io_fail(error, size, "%s: out of memory for its characters", name);
    }
    for (uint32_t i = 0, k = 0; good && i < MOST_POINTS; i++)
        if (occurs[i])
            text->characters[k++] = i;
    free(occurs);
    return good;
}

static rg_text *text_make(const char *name, const char *from, size_t length, rg_text_unit unit, char *error, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)from;
    rg_text *text = calloc(1, sizeof *text);
    if (!text) {
        rg__io_fail(error, size, "%s: out of memory", name);
        return NULL;
    }
    *text = (rg_text){.unit = unit, .count = (int64_t)length, .vocabulary = unit == RG_BYTES ? 256 : 0};
    bool good = unit == RG_BYTES || make_vocabulary(text, name, bytes, length, error, size);
    if (good) {
        text->tokens = malloc((size_t)(text->count + 1) * sizeof *text->tokens);
        good =
            text->tokens || rg__io_fail(error, size, "%s: out of memory for %lld tokens", name, (long long)text->count);
    }
    if (good && rg_text_encode(text, from, length, text->tokens, text->count, error, size) == text->count)
        return text;
    rg_text_free(text);
    return NULL;
}

static bool check_unit(rg_text_unit unit, const char *call, char *error, size_t size)
{
    return unit == RG_BYTES || unit == RG_CHARACTERS ||
           rg__io_fail(error, size, "%s: found unit %d, expected RG_BYTES or RG_CHARACTERS", call, (int)unit);
}

rg_text *rg_text_new(const char *text, size_t length, rg_text_unit unit, char *error, size_t size)
{
    if (!check_unit(unit, "rg_text_new", error, size))
        return NULL;
    if ((!text && length > 0) || length > MOST_BYTES) {
        rg__io_fail(error, size, "rg_text_new: found %zu bytes%s, expected at most %zu", length,
                    text ? "" : " without text", MOST_BYTES);
        return NULL;
    }
    return text_make("rg_text_new", text ? text : "", length, unit, error, size);
}

rg_text *rg_text_read(const char *path, rg_text_unit unit, char *error, size_t size)
{
    size_t length;
    if (!check_unit(unit, "rg_text_read", error, size))
        return NULL;
    char *bytes = rg__io_read(path, "a text file", MOST_BYTES, &length, error, size);
    rg_text *text = bytes ? text_make(path, bytes, length, unit, error, size) : NULL;
    free(bytes);
    return text;
}

/* ---- there and back ---- */

int64_t rg_text_encode(const rg_text *text, const char *more, size_t length, int64_t *tokens, int64_t room, char *error,
                       size_t size)
{
    static const char *const call = "rg_text_encode";
    if (!text || (!more && length > 0) || (!tokens && room > 0)) {
        rg__io_fail(error, size, "%s: found no vocabulary, text or place, expected them", call);
        return -1;
    }
    const unsigned char *bytes = (const unsigned char *)more;
    int64_t count = 0;
    for (size_t at = 0; at < length; count++) {
        uint32_t point = bytes[at];
        size_t taken = 1;
        if (text->unit == RG_CHARACTERS)
            taken = take_character(bytes + at, length - at, &point);
        const int64_t token = taken == 0 ? -1 : text->unit == RG_BYTES ? (int64_t)point : find_character(text, point);
        if (token < 0) {
            rg__io_fail(error, size, "%s: found at byte %zu (%02x) %s, expected a character of the vocabulary", call,
                        at, bytes[at], taken == 0 ? "no UTF-8" : "another");
            return -1;
        }
        if (count < room)
            tokens[count] = token;
        at += taken;
    }
    return count;
}

int64_t rg_text_decode(const rg_text *text, const int64_t *tokens, int64_t count, char *out, size_t room)
{
    size_t length = 0;
    bool fits = out && room > 0;
    if (fits)
        *out = '\0';
    if (!text || count < 0 || (!tokens && count > 0))
        return -1;
    for (int64_t i = 0; i < count; i++) {
        char character[4];
        if (tokens[i] < 0 || tokens[i] >= text->vocabulary)
            return -1;
        size_t bytes = 1;
        if (text->unit == RG_CHARACTERS)
            bytes = put_character(text->characters[tokens[i]], character);
        else
            character[0] = (char)tokens[i];
        fits = fits && length + bytes < room;
        if (fits) {
            memcpy(out + length, character, bytes);
            out[length + bytes] = '\0';
        }
        length += bytes;
    }
    return (int64_t)length;
}

/* ---- windows ---- */

typedef struct windows {
    const int64_t *tokens;
    int64_t length, stride;
} windows;

static bool get_window(void *user, int64_t i, void *x, void *y, char *error, size_t size)
{
    (void)error, (void)size;
    const windows *w = user;
    const int64_t *from = w->tokens + i * w->stride;
    memcpy(x, from, (size_t)w->length * sizeof *from);
    memcpy(y, from + 1, (size_t)w->length * sizeof *from);
    return true;
}

rg_source *rg_text_windows(const rg_text *text, int64_t first, int64_t count, int64_t length, int64_t stride,
                           char *error, size_t size)
{
    static const char *const call = "rg_text_windows";
    const int64_t all = text ? text->count : 0;
    if (!text || first < 0 || count < 0 || first > all || count > all - first || length < 1 || stride < 0) {
        rg__io_fail(error, size,
                    "%s: found windows of %lld tokens, %lld apart, of %lld from %lld on, expected a part of %lld tokens",
                    call, (long long)length, (long long)stride, (long long)count, (long long)first, (long long)all);
        return NULL;
    }
    rg_source *source = calloc(1, sizeof *source);
    windows *w = source ? malloc(sizeof *w) : NULL;
    if (!w) {
        free(source);
        rg__io_fail(error, size, "%s: out of memory", call);
        return NULL;
    }
    *w = (windows){.tokens = text->tokens + first, .length = length, .stride = stride ? stride : length};
    *source = (rg_source){.count = count > length ? (count - length - 1) / w->stride + 1 : 0,
                          .x_shape = RG_SHAPE(length),
                          .y_shape = RG_SHAPE(length),
                          .x_dtype = RG_I64,
                          .y_dtype = RG_I64,
                          .classes = text->vocabulary,
                          .get = get_window,
                          .close = free,
                          .user = w,
                          .concurrent = true};
    return source;
}
