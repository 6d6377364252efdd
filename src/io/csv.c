/* Reading CSV as RFC 4180 has it: a table of text, cut in place. */
#include <retrograd/data.h>

#include "file.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MOST_BYTES ((size_t)1 << 36)

/* The text that is cut: fields move towards its beginning, as quotes go. */
typedef struct cutter {
    const char *name; /* of the file, for errors */
    char separator;
    char *text;
    size_t length, at;
    int64_t line; /* where `at` is           */
    char **cells;
    int64_t count, room;
    int64_t *lines;
    int64_t rows, row_room, columns;
    char *error;
    size_t size;
} cutter;

static bool out_of_memory(const cutter *c)
{
    return rg__io_fail(c->error, c->size, "%s: out of memory for its table", c->name);
}

static bool add_cell(cutter *c, char *cell)
{
    if (c->count == c->room) {
        const int64_t room = c->room ? 2 * c->room : 256;
        char **cells = realloc(c->cells, (size_t)room * sizeof *cells);
        if (!cells)
            return out_of_memory(c);
        c->cells = cells;
        c->room = room;
    }
    c->cells[c->count++] = cell;
    return true;
}

static bool add_row(cutter *c, int64_t line)
{
    if (c->rows == c->row_room) {
        const int64_t room = c->row_room ? 2 * c->row_room : 64;
        int64_t *lines = realloc(c->lines, (size_t)room * sizeof *lines);
        if (!lines)
            return out_of_memory(c);
        c->lines = lines;
        c->row_room = room;
    }
    c->lines[c->rows++] = line;
    return true;
}

static bool ends_line(char byte)
{
    return byte == '\n' || byte == '\r';
}

/* Takes LF, CR LF or CR. */
static void take_line_end(cutter *c)
{
    if (c->text[c->at] == '\r' && c->at + 1 < c->length && c->text[c->at + 1] == '\n')
        c->at++;
    c->at++;
    c->line++;
}

/* What stands between quotes, moved to `to`, whose end is returned; NULL is an error. */
static char *take_quoted(cutter *c, char *to)
{
    const int64_t began = c->line;
    for (c->at++; c->at < c->length; c->at++) {
        const char byte = c->text[c->at];
        if (byte == '"' && (c->at + 1 == c->length || c->text[c->at + 1] != '"')) {
            c->at++;
            if (c->at == c->length || c->text[c->at] == c->separator || ends_line(c->text[c->at]))
                return to;
            rg__io_fail(c->error, c->size, "%s, line %lld: found text behind a closing quote, expected a separator",
                        c->name, (long long)c->line);
            return NULL;
        }
        if (byte == '\0') {
            rg__io_fail(c->error, c->size, "%s, line %lld: found a NUL inside of a field, expected text", c->name,
                        (long long)c->line);
            return NULL;
        }
        c->at += byte == '"';
        c->line += byte == '\n' || (byte == '\r' && c->text[c->at + 1] != '\n');
        *to++ = byte;
    }
    rg__io_fail(c->error, c->size, "%s, line %lld: found a quote that is not closed, expected its end", c->name,
                (long long)began);
    return NULL;
}

/* One field, whose end is returned, NULL after an error; `at` is then at what ends it. The NUL that ends it in memory is
 * written when that has been read. */
static char *take_field(cutter *c)
{
    char *cell = c->text + c->at, *to = cell;
    if (c->at < c->length && *cell == '"') {
        to = take_quoted(c, to);
        if (!to)
            return NULL;
    } else {
        while (c->at < c->length && c->text[c->at] != c->separator && !ends_line(c->text[c->at])) {
            if (c->text[c->at] == '"' || c->text[c->at] == '\0') {
                rg__io_fail(c->error, c->size, "%s, line %lld: found a %s inside of a field, expected text", c->name,
                            (long long)c->line, c->text[c->at] == '"' ? "quote" : "NUL");
                return NULL;
            }
            c->at++;
        }
        to = c->text + c->at;
    }
    return add_cell(c, cell) ? to : NULL;
}

static bool take_row(cutter *c)
{
    const int64_t before = c->count;
    if (!add_row(c, c->line))
        return false;
    for (;;) {
        char *end = take_field(c);
        if (!end)
            return false;
        const bool more = c->at < c->length && c->text[c->at] == c->separator;
        if (more)
            c->at++;
        else if (c->at < c->length)
            take_line_end(c);
        *end = '\0';
        if (!more)
            break;
    }
    const int64_t fields = c->count - before;
    if (c->rows == 1)
        c->columns = fields;
    return fields == c->columns ||
           rg__io_fail(c->error, c->size, "%s, line %lld: found %lld fields, expected %lld as in the first row",
                       c->name, (long long)c->lines[c->rows - 1], (long long)fields, (long long)c->columns);
}

static bool take_rows(cutter *c)
{
    if (c->length >= 3 && memcmp(c->text, "\xEF\xBB\xBF", 3) == 0)
        c->at = 3;
    while (c->at < c->length) {
        if (ends_line(c->text[c->at]))
            take_line_end(c);
        else if (!take_row(c))
            return false;
    }
    return c->rows > 0 || rg__io_fail(c->error, c->size, "%s: found no rows, expected some", c->name);
}

/* Names of columns without a header: their numbers. */
static bool number_columns(rg_csv *csv, const cutter *c)
{
    enum { WIDTH = 21 };
    csv->numbers = malloc((size_t)csv->columns * WIDTH);
    csv->names = malloc((size_t)csv->columns * sizeof *csv->names);
    if (!csv->numbers || !csv->names)
        return out_of_memory(c);
    for (int64_t i = 0; i < csv->columns; i++) {
        csv->names[i] = csv->numbers + i * WIDTH;
        snprintf(csv->names[i], WIDTH, "%lld", (long long)i);
    }
    return true;
}

/* Hands the cutter's memory over. */
static bool make_table(rg_csv *csv, cutter *c, bool no_header)
{
    csv->columns = c->columns;
    csv->rows = no_header ? c->rows : c->rows - 1;
    if (no_header) {
        csv->cells = c->cells;
        csv->line = c->lines;
        c->cells = NULL;
        c->lines = NULL;
        return number_columns(csv, c);
    }
    csv->names = malloc((size_t)csv->columns * sizeof *csv->names);
    if (!csv->names)
        return out_of_memory(c);
    memcpy(csv->names, c->cells, (size_t)csv->columns * sizeof *csv->names);
    memmove(c->cells, c->cells + csv->columns, (size_t)(c->count - csv->columns) * sizeof *c->cells);
    memmove(c->lines, c->lines + 1, (size_t)csv->rows * sizeof *c->lines);
    csv->cells = c->cells;
    csv->line = c->lines;
    c->cells = NULL;
    c->lines = NULL;
    return true;
}

/* Takes the text over, which has a byte more than its length. */
static rg_csv *parse(const char *name, char *text, size_t length, const rg_csv_config *config, char *error, size_t size)
{
    cutter c = {.name = name, .separator = ',', .text = text, .length = length, .line = 1, .error = error, .size = size};
    if (config && config->separator)
        c.separator = config->separator;
    rg_csv *csv = calloc(1, sizeof *csv);
    bool good = csv || out_of_memory(&c);
    if (good && (c.separator == '"' || ends_line(c.separator)))
        good = rg__io_fail(error, size, "%s: found the separator 0x%02x, expected no quote and no end of a line", name,
                           (unsigned)(unsigned char)c.separator);
    good = good && take_rows(&c) && make_table(csv, &c, config && config->no_header);
    free(c.cells);
    free(c.lines);
    if (csv)
        csv->text = text;
    else
        free(text);
    if (good)
        return csv;
    rg_csv_free(csv);
    return NULL;
}

rg_csv *rg_csv_parse(const char *name, const char *text, size_t length, const rg_csv_config *config, char *error,
                     size_t size)
{
    name = name ? name : "CSV";
    char *copy = (text || length == 0) && length < PTRDIFF_MAX ? malloc(length + 1) : NULL;
    if (!copy) {
        rg__io_fail(error, size, "%s: %s %zu bytes, expected text", name,
                    text ? "out of memory for" : "found no text of", length);
        return NULL;
    }
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return parse(name, copy, length, config, error, size);
}

rg_csv *rg_csv_read(const char *path, const rg_csv_config *config, char *error, size_t size)
{
    size_t length;
    char *text = rg__io_read(path, "a CSV file", MOST_BYTES, &length, error, size);
    return text ? parse(path, text, length, config, error, size) : NULL;
}

void rg_csv_free(rg_csv *csv)
{
    if (!csv)
        return;
    free(csv->numbers);
    free(csv->names);
    free(csv->cells);
    free(csv->line);
    free(csv->text);
    free(csv);
}

int64_t rg_csv_column(const rg_csv *csv, const char *name)
{
    for (int64_t i = 0; csv && name && i < csv->columns; i++)
        if (strcmp(csv->names[i], name) == 0)
            return i;
    return -1;
}

/* ---- numbers ---- */

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Is this a decimal number, of at most `length` bytes? strtod alone would take hexadecimal ones, too. */
static bool is_decimal(const char *at, size_t length)
{
    size_t i = length > 0 && (*at == '+' || *at == '-'), digits = 0;
    for (; i < length && isdigit((unsigned char)at[i]); i++)
        digits++;
    if (i < length && at[i] == '.')
        for (i++; i < length && isdigit((unsigned char)at[i]); i++)
            digits++;
    if (digits == 0)
        return false;
    if (i < length && (at[i] == 'e' || at[i] == 'E')) {
        i++;
        i += i < length && (at[i] == '+' || at[i] == '-');
        const size_t first = i;
        while (i < length && isdigit((unsigned char)at[i]))
            i++;
        if (i == first)
            return false;
    }
    return i == length;
}

static bool is_word(const char *at, size_t length, double *number)
{
    static const char *const words[] = {"inf", "infinity", "nan"};
    const bool negative = length > 0 && *at == '-', sign = negative || (length > 0 && *at == '+');
    for (int k = 0; k < 3; k++)
        if (strlen(words[k]) == length - sign && strncasecmp(at + sign, words[k], length - sign) == 0) {
            *number = k < 2 ? (double)INFINITY : (double)NAN;
            *number = negative ? -*number : *number;
            return true;
        }
    return false;
}

bool rg_csv_number(const char *field, double *number)
{
    enum { MOST = 400 };
    char text[MOST];
    if (!field || !number)
        return false;
    while (is_space(*field))
        field++;
    size_t length = strlen(field);
    while (length > 0 && is_space(field[length - 1]))
        length--;
    if (is_word(field, length, number))
        return true;
    if (length >= MOST || !is_decimal(field, length))
        return false;
    memcpy(text, field, length);
    text[length] = '\0';
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* glibc's own object: no memory is taken */
    if (!c_locale)
        return false;
    *number = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    return true;
}
