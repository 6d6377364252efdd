/* Retrograd, viz: a tensor's value as text, laid out as NumPy's array2string does with precision=4 (NumPy 2.4).
 *
 * Two passes over the elements that are shown: the first finds the notation and the widths that all of them share,
 * the second writes. Digits come from printf's exactly rounded %e; they are taken out of its text one by one, so that
 * a locale's decimal comma never gets into the output. */
#include <retrograd/tape.h>
#include <retrograd/viz.h>

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum {
    PRECISION = 4,         /* digits after the point, at most                        */
    LINE_WIDTH = 75,       /* columns of a line                                      */
    SHOW_ALL_UP_TO = 1000, /* elements; of more, only the edges of each axis appear */
    EDGE = 3,              /* elements at each edge                                  */
};

/* ---- decimal digits ------------------------------------------------------------------------------------------ */

/* A finite number as sign, digits d.ddd and a power of ten; zero has the one digit 0. Trailing zeros are dropped. */
typedef struct decimal {
    bool negative;
    int count;
    char digits[32];
    int exponent;
} decimal;

/* Exactly rounded to `count` significant digits. Returns whether that many tell the number from all others. */
static bool decimal_round(double value, bool single, int count, decimal *d)
{
    char text[64];
    snprintf(text, sizeof text, "%.*e", count - 1, value);
    d->negative = signbit(value);
    d->count = 0;
    const char *c = text;
    for (; *c != 'e'; c++) {
        if (*c >= '0' && *c <= '9')
            d->digits[d->count++] = *c;
    }
    d->exponent = (int)strtol(c + 1, NULL, 10);
    while (d->count > 1 && d->digits[d->count - 1] == '0')
        d->count--;
    return single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
}

/* The shortest digits that tell the number from all others of its dtype, but no more than `most`. Returns whether those
 * were enough. */
static bool decimal_shortest(double value, bool single, int most, decimal *d)
{
    for (int count = 1; count < most; count++) {
        if (decimal_round(value, single, count, d))
            return true;
    }
    return decimal_round(value, single, most, d);
}

/* At most PRECISION digits after the point. */
static void decimal_fixed(double value, bool single, decimal *d)
{
    decimal_round(value, single, 20, d);
    int most = d->exponent + 1 + PRECISION;
    decimal_shortest(value, single, most < 1 ? 1 : most, d);
}

/* How many of the digits stand before and after the point in fixed notation. */
static int fixed_before(const decimal *d)
{
    return d->negative + (d->exponent < 0 ? 1 : d->exponent + 1);
}

static int fixed_after(const decimal *d)
{
    int after = d->count - 1 - d->exponent;
    return after > 0 ? after : 0;
}

/* Writes "-12.5", "3." or "0.01". */
static char *decimal_write_fixed(const decimal *d, char *out)
{
    if (d->negative)
        *out++ = '-';
    int last = d->count - 1 - d->exponent; /* the place after the point of the last digit */
    for (int place = d->exponent > 0 ? -d->exponent : 0; place <= 0 || place <= last; place++) {
        int i = place + d->exponent;
        *out++ = i >= 0 && i < d->count ? d->digits[i] : '0';
        if (place == 0)
            *out++ = '.';
    }
    *out = 0;
    return out;
}

static int exponent_digits(const decimal *d)
{
    return abs(d->exponent) >= 100 ? 3 : 2;
}

/* Writes "-1.25e+08" with `after` digits after the point and `exponent` digits in the exponent. */
static char *decimal_write_scientific(const decimal *d, int after, int exponent, char *out)
{
    if (d->negative)
        *out++ = '-';
    *out++ = d->digits[0];
    *out++ = '.';
    for (int i = 1; i <= after; i++)
        *out++ = i < d->count ? d->digits[i] : '0';
    return out + sprintf(out, "e%c%0*d", d->exponent < 0 ? '-' : '+', exponent, abs(d->exponent));
}

void rg__text_number(double value, bool single, int digits, char out[RG__TEXT_NUMBER])
{
    if (!isfinite(value)) {
        strcpy(out, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
        return;
    }
    decimal d;
    const int most = digits < 1 ? 1 : digits > 17 ? 17 : digits;
    const bool whole = decimal_shortest(value, single, most, &d);
    char *end;
    /* Zeros in place of digits that were rounded away would look exact. */
    if (d.exponent < -4 || d.exponent >= (whole ? 7 : most))
        end = decimal_write_scientific(&d, d.count - 1, exponent_digits(&d), out);
    else
        end = decimal_write_fixed(&d, out);
    /* "3." is NumPy's way of saying "float"; in running text it reads as the end of a sentence. */
    char *point = strstr(out, ".e");
    if (point)
        memmove(point, point + 1, strlen(point));
    else if (end[-1] == '.')
        end[-1] = 0;
}

void rg__text_shape(rg_shape shape, char out[RG__TEXT_SHAPE])
{
    size_t used = 0;
    out[used++] = '[';
    for (int i = 0; i < shape.rank && i < RG_MAX_RANK; i++)
        used += (size_t)snprintf(out + used, RG__TEXT_SHAPE - used, i ? ", %" PRId64 : "%" PRId64, shape.dims[i]);
    out[used++] = ']';
    out[used] = 0;
}

int rg__text_columns(const char *text)
{
    int columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xC0) != 0x80;
    return columns;
}

/* ---- what the elements of one tensor share ------------------------------------------------------------------- */

typedef struct layout {
    FILE *out;
    const void *data;
    rg_dtype dtype;
    rg_shape shape;
    bool summarise;
    bool scientific;
    int before, after, exponent; /* columns left and right of the point, digits of the exponent         */
    int width;                   /* of an element                                                       */
    int column;                  /* where the line stands                                               */
    int blanks;                  /* that are due, but are dropped if the line ends before the next word */
} layout;

static double float_at(const layout *l, int64_t i)
{
    return l->dtype == RG_F32 ? (double)((const float *)l->data)[i] : ((const double *)l->data)[i];
}

static int64_t integer_at(const layout *l, int64_t i)
{
    return l->dtype == RG_I32 ? ((const int32_t *)l->data)[i] : ((const int64_t *)l->data)[i];
}

/* Is this index along an axis of the given extent left out? */
static bool left_out(const layout *l, int64_t index, int64_t extent)
{
    return l->summarise && extent > 2 * EDGE && index >= EDGE && index < extent - EDGE;
}

typedef struct measure {
    double largest, smallest; /* magnitudes of the finite elements that are not 0; 0 while there is none */
    bool finite, other, negative_infinity;
    int before, after, exponent;
} measure;

static void measure_float(const layout *l, double value, measure *m)
{
    if (!isfinite(value)) {
        m->other = true;
        m->negative_infinity |= isinf(value) && value < 0;
        return;
    }
    m->finite = true;
    const double magnitude = fabs(value);
    if (magnitude > m->largest)
        m->largest = magnitude;
    if (magnitude > 0 && (m->smallest == 0 || magnitude < m->smallest))
        m->smallest = magnitude;
    decimal d;
    int before, after;
    if (l->scientific) {
        decimal_shortest(value, l->dtype == RG_F32, PRECISION + 1, &d);
        before = d.negative + 1;
        after = d.count - 1;
    } else {
        decimal_fixed(value, l->dtype == RG_F32, &d);
        before = fixed_before(&d);
        after = fixed_after(&d);
    }
    m->before = before > m->before ? before : m->before;
    m->after = after > m->after ? after : m->after;
    m->exponent = exponent_digits(&d) > m->exponent ? exponent_digits(&d) : m->exponent;
}

static int integer_width(int64_t value)
{
    return snprintf(NULL, 0, "%" PRId64, value);
}

/* Shows every element of the axes from `axis` on, the first of which stands at `offset`, to the measure. */
static void measure_axis(layout *l, int axis, int64_t offset, measure *m)
{
    if (axis == l->shape.rank) {
        if (l->dtype == RG_F32 || l->dtype == RG_F64)
            measure_float(l, float_at(l, offset), m);
        else if (l->dtype != RG_BOOL && integer_width(integer_at(l, offset)) > m->before)
            m->before = integer_width(integer_at(l, offset));
        return;
    }
    const int64_t extent = l->shape.dims[axis];
    for (int64_t i = 0; i < extent; i++) {
        if (left_out(l, i, extent))
            i = extent - EDGE;
        measure_axis(l, axis + 1, offset * extent + i, m);
    }
}

/* NumPy's choice: fixed notation would need too many digits. Both sides are compared in the tensor's own dtype. */
static bool needs_scientific(rg_dtype dtype, const measure *m)
{
    if (m->largest == 0)
        return false;
    if (dtype == RG_F32) {
        const float largest = (float)m->largest, smallest = (float)m->smallest;
        return largest >= 1e6f || smallest < 1e-4f || largest / smallest > 1e3f;
    }
    return m->largest >= 1e8 || m->smallest < 1e-4 || m->largest / m->smallest > 1e3;
}

static void choose_layout(layout *l)
{
    measure m = {0};
    measure_axis(l, 0, 0, &m);
    if (l->dtype == RG_BOOL) {
        l->width = l->shape.rank == 0 ? 0 : 5;
        return;
    }
    if (l->dtype == RG_I32 || l->dtype == RG_I64) {
        l->width = m.before;
        return;
    }
    if (needs_scientific(l->dtype, &m)) {
        l->scientific = true;
        m = (measure){0};
        measure_axis(l, 0, 0, &m);
    }
    l->before = m.before;
    l->after = m.after;
    l->exponent = m.exponent;
    const int right = 1 + m.after + (l->scientific ? 2 + m.exponent : 0);
    if (m.other) { /* room for "nan", "inf" or "-inf", which end where the others end */
        const int room = 3 + m.negative_infinity - right;
        l->before = room > l->before ? room : l->before;
    }
    l->width = l->before + right;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

static void put(layout *l, const char *text)
{
    for (; *text; text++) {
        if (*text == ' ') {
            l->blanks++;
        } else {
            fprintf(l->out, "%*s%c", l->blanks, "", *text);
            l->blanks = 0;
        }
        l->column++;
    }
}

static void new_line(layout *l, int count, int indent)
{
    for (int i = 0; i < count; i++)
        fputc('\n', l->out);
    l->blanks = indent;
    l->column = indent;
}

/* Writes one element with the layout's width. */
static void element_text(const layout *l, int64_t i, char *out, size_t size)
{
    char text[64];
    if (l->dtype == RG_BOOL) {
        snprintf(out, size, "%*s", l->width, ((const bool *)l->data)[i] ? "True" : "False");
        return;
    }
    if (l->dtype == RG_I32 || l->dtype == RG_I64) {
        snprintf(out, size, "%*" PRId64, l->width, integer_at(l, i));
        return;
    }
    const double value = float_at(l, i);
    if (!isfinite(value)) {
        snprintf(out, size, "%*s", l->width, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
        return;
    }
    decimal d;
    if (l->scientific) {
        decimal_round(value, l->dtype == RG_F32, l->after + 1, &d);
        decimal_write_scientific(&d, l->after, l->exponent, text);
        snprintf(out, size, "%*s", l->width, text);
    } else {
        decimal_fixed(value, l->dtype == RG_F32, &d);
        decimal_write_fixed(&d, text);
        snprintf(out, size, "%*s%s%*s", l->before - fixed_before(&d), "", text, l->after - fixed_after(&d), "");
    }
}

/* Adds a word to a row that is indented by `indent`; starts a new line where it does not fit and that helps. */
static void put_word(layout *l, const char *word, int indent)
{
    if (l->column + (int)strlen(word) > LINE_WIDTH - l->shape.rank && l->column > indent)
        new_line(l, 1, indent);
    put(l, word);
}

static void print_row(layout *l, int64_t offset)
{
    const int indent = l->shape.rank;
    const int64_t extent = l->shape.dims[indent - 1];
    char word[96];
    for (int64_t i = 0; i < extent; i++) {
        if (i > 0)
            put(l, " ");
        if (left_out(l, i, extent)) {
            put_word(l, "...", indent);
            put(l, " ");
            i = extent - EDGE;
        }
        element_text(l, offset * extent + i, word, sizeof word);
        put_word(l, word, indent);
    }
}

static void print_axis(layout *l, int axis, int64_t offset)
{
    const int rank = l->shape.rank;
    put(l, "[");
    if (axis == rank - 1) {
        print_row(l, offset);
    } else {
        const int64_t extent = l->shape.dims[axis];
        for (int64_t i = 0; i < extent; i++) {
            if (i > 0)
                new_line(l, rank - 1 - axis, axis + 1);
            if (left_out(l, i, extent)) {
                put(l, "...");
                new_line(l, rank - 1 - axis, axis + 1);
                i = extent - EDGE;
            }
            print_axis(l, axis + 1, offset * extent + i);
        }
    }
    put(l, "]");
}

void rg_print(rg_tape *t, rg_tensor x, FILE *out)
{
    if (!out)
        return;
    const int64_t count = rg_numel(t, x);
    const void *data = count > 0 ? rg_data(t, x) : NULL;
    if (rg_failed(t) || (count > 0 && !data)) {
        fprintf(out, "%s\n", rg_tape_error(t));
        return;
    }
    if (count == 0) {
        fputs("[]\n", out);
        return;
    }
    layout l = {.out = out,
                .data = data,
                .dtype = rg_dtype_of(t, x),
                .shape = rg_shape_of(t, x),
                .summarise = count > SHOW_ALL_UP_TO};
    choose_layout(&l);
    if (l.shape.rank == 0) {
        char word[96];
        element_text(&l, 0, word, sizeof word);
        put(&l, word);
    } else {
        print_axis(&l, 0, 0);
    }
    fputc('\n', out);
}
