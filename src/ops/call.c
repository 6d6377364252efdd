/* Ops by name: reads signatures, fits tensors and attributes to them, and lists the table. See retrograd/table.h. */
#include "ops/call.h"

#include <retrograd/table.h>

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- pieces of text ---- */

typedef struct piece {
    const char *at;
    int length;
} piece;

#define PIECE(p) (p).length, (p).at /* for %.*s */

static bool is(piece p, const char *word)
{
    return (size_t)p.length == strlen(word) && memcmp(p.at, word, (size_t)p.length) == 0;
}

static piece trim(piece p)
{
    while (p.length && isspace((unsigned char)*p.at))
        p.at++, p.length--;
    while (p.length && isspace((unsigned char)p.at[p.length - 1]))
        p.length--;
    return p;
}

/* What lies before the separator, trimmed; *rest is what lies behind it, empty where there is none. */
static piece before(piece *rest, const char *separator)
{
    piece head = *rest;
    const size_t n = strlen(separator);
    for (int i = 0; i + (int)n <= rest->length; i++)
        if (memcmp(rest->at + i, separator, n) == 0) {
            head.length = i;
            rest->at += i + (int)n;
            rest->length -= i + (int)n;
            return trim(head);
        }
    rest->at += rest->length;
    rest->length = 0;
    return trim(head);
}

/* ---- signatures ---- */

enum { MOST_PARAMETERS = 24 };

typedef enum kind { TENSOR, INT, REAL, FLAG, DTYPE, INTS, TEXT, WORDS } kind;

struct rg__argument {
    piece name, type, value; /* value: the default, then what is given; at == NULL: there is none */
    kind kind;
};

typedef struct signature {
    struct rg__argument tensor[MOST_PARAMETERS], attribute[MOST_PARAMETERS];
    int tensors, attributes, results;
    int least; /* tensors that must be there     */
    bool many; /* the last tensor is any number  */
} signature;

static const char *const classes[] = {"any", "number", "float", "integer", "whole", "bool"};

static kind kind_of(piece type)
{
    static const struct {
        const char *word;
        kind kind;
    } kinds[] = {{"int", INT}, {"real", REAL}, {"flag", FLAG}, {"dtype", DTYPE}, {"ints", INTS}, {"text", TEXT}};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (is(type, classes[i]))
            return TENSOR;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (is(type, kinds[i].word))
            return kinds[i].kind;
    return WORDS;
}

static bool ends_with(piece *p, const char *mark)
{
    const int n = (int)strlen(mark);
    if (p->length < n || memcmp(p->at + p->length - n, mark, (size_t)n) != 0)
        return false;
    p->length -= n;
    return true;
}

static signature read_signature(const char *text)
{
    signature s = {.results = 1};
    piece results = {text, (int)strlen(text)}, parameters = before(&results, "->");
    if (results.length) {
        results = trim(results);
        s.results = is(results, "...") ? -1 : 0;
        while (s.results >= 0 && results.length) {
            before(&results, ",");
            s.results++;
        }
    }
    while (parameters.length) {
        piece rest = before(&parameters, ","), name = before(&rest, ":"), type = before(&rest, "=");
        const bool optional = ends_with(&name, "?"), many = ends_with(&name, "...");
        const kind kind = kind_of(type);
        const struct rg__argument one = {name, type, rest.length ? trim(rest) : (piece){NULL, 0}, kind};
        if (kind == TENSOR && s.tensors < MOST_PARAMETERS) {
            s.tensor[s.tensors++] = one;
            s.least += !optional && !many;
            s.many = many;
        } else if (kind != TENSOR && s.attributes < MOST_PARAMETERS) {
            s.attribute[s.attributes++] = one;
        }
    }
    return s;
}

/* ---- values ---- */

/* The whole of a piece, as a number. */
static bool read_int(piece p, int64_t *value)
{
    char text[32], *end;
    if (p.length == 0 || p.length >= (int)sizeof text)
        return false;
    memcpy(text, p.at, (size_t)p.length);
    text[p.length] = '\0';
    errno = 0;
    const long long x = strtoll(text, &end, 10);
    *value = x;
    return errno == 0 && *end == '\0';
}

static bool read_real(piece p, double *value)
{
    char text[64], zero[16], *end;
    if (p.length == 0 || p.length + (int)sizeof zero >= (int)sizeof text)
        return false;
    /* strtod reads numbers as the program's locale writes them: "0,5" in some. */
    snprintf(zero, sizeof zero, "%.1f", 0.);
    zero[strlen(zero) - 1] = '\0';
    const char *const point = memchr(p.at, '.', (size_t)p.length);
    const int head = point ? (int)(point - p.at) : p.length;
    snprintf(text, sizeof text, "%.*s%s%.*s", head, p.at, point ? zero + 1 : "", p.length - head - (point != NULL),
             point ? point + 1 : "");
    *value = strtod(text, &end);
    return *end == '\0';
}

/* A list of numbers, with or without brackets; how many there are, -1 where it is none. */
static int read_ints(piece p, int64_t *out, int capacity)
{
    if (is(p, "none") || is(p, "all"))
        return 0;
    if (p.length >= 2 && p.at[0] == '[' && p.at[p.length - 1] == ']')
        p = trim((piece){p.at + 1, p.length - 2});
    int count = 0;
    while (p.length) {
        int64_t value;
        if (!read_int(before(&p, ","), &value))
            return -1;
        if (count < capacity)
            out[count] = value;
        count++;
    }
    return count;
}

static int read_dtype(piece p)
{
    for (int i = 0; i < RG_DTYPES; i++)
        if (is(p, rg_dtype_name((rg_dtype)i)))
            return i;
    return -1;
}

static int read_word(piece words, piece value)
{
    for (int i = 0; words.length; i++) {
        const piece word = before(&words, "|");
        if (word.length == value.length && memcmp(word.at, value.at, (size_t)word.length) == 0)
            return i;
    }
    return -1;
}

/* Does the value have the form that its kind asks for? A number may be `none` where that is the default. */
static bool well_formed(const struct rg__argument *a, bool none)
{
    int64_t whole, list[1];
    double real;
    switch (a->kind) {
    case INT: return (none && is(a->value, "none")) || read_int(a->value, &whole);
    case REAL: return (none && is(a->value, "none")) || read_real(a->value, &real);
    case FLAG: return is(a->value, "true") || is(a->value, "false");
    case DTYPE: return read_dtype(a->value) >= 0;
    case INTS: return read_ints(a->value, list, 1) >= 0;
    case WORDS: return read_word(a->type, a->value) >= 0;
    case TEXT:
    case TENSOR: break;
    }
    return true;
}

/* ---- what a call finds there ---- */

static const struct rg__argument *find(const rg__call *c, const char *name)
{
    for (int i = 0; i < c->arguments; i++)
        if (is(c->of[i].name, name))
            return &c->of[i];
    rg__fail(c->t, c->op, RG_ERROR_STATE, "its signature has no '%s'", name);
    return NULL;
}

int64_t rg__call_int(const rg__call *c, const char *name)
{
    const struct rg__argument *a = find(c, name);
    int64_t value = 0;
    return a && read_int(a->value, &value) ? value : 0;
}

double rg__call_real(const rg__call *c, const char *name)
{
    const struct rg__argument *a = find(c, name);
    double value = 0;
    return a && read_real(a->value, &value) ? value : 0;
}

bool rg__call_flag(const rg__call *c, const char *name)
{
    const struct rg__argument *a = find(c, name);
    return a && is(a->value, "true");
}

rg_dtype rg__call_dtype(const rg__call *c, const char *name)
{
    const struct rg__argument *a = find(c, name);
    return a ? (rg_dtype)read_dtype(a->value) : RG_F32;
}

int rg__call_word(const rg__call *c, const char *name)
{
    const struct rg__argument *a = find(c, name);
    return a ? read_word(a->type, a->value) : 0;
}

const char *rg__call_text(const rg__call *c, const char *name, char *buffer, size_t size)
{
    const struct rg__argument *a = find(c, name);
    snprintf(buffer, size, "%.*s", a ? a->value.length : 0, a ? a->value.at : "");
    if (a && (size_t)a->value.length >= size)
        rg__fail(c->t, c->op, RG_ERROR_ARGUMENT, "%s is %d characters long; less than %d are allowed", name,
                 a->value.length, (int)size);
    return buffer;
}

int rg__call_ints(const rg__call *c, const char *name, int64_t *out, int capacity)
{
    const struct rg__argument *a = find(c, name);
    const int count = a ? read_ints(a->value, out, capacity) : 0;
    if (count > capacity)
        rg__fail(c->t, c->op, RG_ERROR_ARGUMENT, "%s=%.*s has %d numbers; at most %d are allowed", name,
                 PIECE(a->value), count, capacity);
    return count > capacity ? capacity : count;
}

void rg__call_each(const rg__call *c, const char *name, int n, int64_t *out)
{
    const int count = rg__call_ints(c, name, out, n);
    for (int i = 0; i < n; i++)
        if (i >= count)
            out[i] = count ? out[0] : 0;
    if (count != n && count != 1)
        rg__fail(c->t, c->op, RG_ERROR_ARGUMENT, "%s has %d numbers; 1 or %d are needed", name, count, n);
}

rg_axes rg__call_axes(const rg__call *c, const char *name)
{
    int64_t list[RG_MAX_RANK];
    rg_axes axes = {rg__call_ints(c, name, list, RG_MAX_RANK), {0}};
    for (int i = 0; i < axes.count; i++)
        axes.axis[i] = list[i] < INT16_MIN ? INT16_MIN : list[i] > INT16_MAX ? INT16_MAX : (int)list[i];
    return axes;
}

rg_shape rg__call_shape(const rg__call *c, const char *name)
{
    rg_shape shape = {0, {0}};
    shape.rank = rg__call_ints(c, name, shape.dims, RG_MAX_RANK);
    return shape;
}

bool rg__call_given(const rg__call *c, const char *name)
{
    const struct rg__argument *a = find(c, name);
    return a && !is(a->value, "none");
}

int rg__call_pointwise(const rg__call *c, rg_tensor *out)
{
    out[0] = rg__record_pointwise(c->t, c->op, c->in, c->count, NULL);
    return 1;
}

/* ---- fitting what is given to the signature ---- */

/* The next "name=value" of the text. The value ends at a space outside of brackets and quotes. */
static bool next_attribute(piece *rest, piece *name, piece *value)
{
    *rest = trim(*rest);
    int i = 0, depth = 0;
    char quote = '\0';
    for (; i < rest->length && (depth > 0 || quote || !isspace((unsigned char)rest->at[i])); i++) {
        const char ch = rest->at[i];
        if (quote)
            quote = ch == quote ? '\0' : quote;
        else if (ch == '\'' || ch == '"')
            quote = ch;
        else
            depth += (ch == '[') - (ch == ']');
    }
    *value = (piece){rest->at, i};
    rest->at += i;
    rest->length -= i;
    const bool whole = i > 0 && memchr(value->at, '=', (size_t)i) != NULL;
    *name = before(value, "=");
    if (value->length >= 2 && (*value->at == '\'' || *value->at == '"') && value->at[value->length - 1] == *value->at)
        *value = (piece){value->at + 1, value->length - 2};
    return whole;
}

static bool take_attributes(rg_tape *t, const rg__op *op, signature *s, const char *text)
{
    bool given[MOST_PARAMETERS] = {false};
    piece rest = trim((piece){text ? text : "", text ? (int)strnlen(text, INT_MAX / 2) : 0}), name, value;
    while (rest.length) {
        if (!next_attribute(&rest, &name, &value)) {
            rg__fail(t, op, RG_ERROR_ARGUMENT, "'%.*s' is no attribute: name=value is needed", PIECE(name));
            return false;
        }
        int at = 0;
        while (at < s->attributes && !(s->attribute[at].name.length == name.length &&
                                       memcmp(s->attribute[at].name.at, name.at, (size_t)name.length) == 0))
            at++;
        if (at == s->attributes || given[at]) {
            rg__fail(t, op, RG_ERROR_ARGUMENT, "attribute '%.*s' is %s; the signature is (%s)", PIECE(name),
                     at == s->attributes ? "unknown" : "given twice", op->signature);
            return false;
        }
        given[at] = true;
        const bool none = is(s->attribute[at].value, "none");
        s->attribute[at].value = value;
        if (!well_formed(&s->attribute[at], none)) {
            rg__fail(t, op, RG_ERROR_ARGUMENT, "%.*s=%.*s is not what is allowed: %.*s", PIECE(name), PIECE(value),
                     PIECE(s->attribute[at].type));
            return false;
        }
    }
    for (int i = 0; i < s->attributes; i++)
        if (!s->attribute[i].value.at) {
            rg__fail(t, op, RG_ERROR_ARGUMENT, "attribute '%.*s' is missing; the signature is (%s)",
                     PIECE(s->attribute[i].name), op->signature);
            return false;
        }
    return true;
}

int rg_apply(rg_tape *t, const char *name, const rg_tensor *in, int count, const char *attributes, rg_tensor *out,
             int capacity)
{
    enum { FEW = 8 };
    if (rg_failed(t))
        return 0;
    const rg__op *op = rg__op_find(name);
    if (!op || !op->call) {
        const rg__op unknown = {.name = "apply"};
        rg__fail(t, &unknown, RG_ERROR_ARGUMENT, "there is no op '%.60s'", name ? name : "NULL");
        return 0;
    }
    signature s = read_signature(op->signature);
    if (count < s.least || (count > s.tensors && !s.many) || (count > 0 && !in)) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%d tensors given; the signature is (%s)", count, op->signature);
        return 0;
    }
    if (!take_attributes(t, op, &s, attributes))
        return 0;
    if (!out || capacity < 1 || capacity < s.results) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "room for %d results given; %d needed", out ? capacity : 0,
                 s.results < 1 ? 1 : s.results);
        return 0;
    }
    rg_tensor fitted[MOST_PARAMETERS] = {{0, 0}}; /* those left out are nil */
    if (count < s.tensors && !s.many) {
        for (int i = 0; i < count; i++)
            fitted[i] = in[i];
        in = fitted;
        count = s.tensors;
    }
    const rg__call call = {t, op, in, count, capacity, s.attribute, s.attributes};
    const int results = op->call(&call, out);
    if (rg_failed(t))
        rg__fail_within(t, op);
    for (int i = 0; rg_failed(t) && i < results && i < capacity; i++)
        out[i] = RG_NIL;
    return rg_failed(t) ? 0 : results;
}

/* ---- the table ---- */

static void describe(const rg__op *op, rg_op *out)
{
    const signature s = read_signature(op->signature);
    *out = (rg_op){
        .name = op->name,
        .formula = op->formula,
        .signature = op->signature,
        .least_inputs = s.least,
        .most_inputs = s.many ? -1 : s.tensors,
        .results = s.results,
        .differentiable = op->differentiable,
        .random = op->random,
        .primitive = op->kind == RG__PRIMITIVE,
    };
    const piece type = s.tensors ? s.tensor[0].type : (piece){"", 0};
    for (int i = 0; i < RG_DTYPES; i++)
        out->dtype[i] = is(type, "any") || (is(type, "number") && i != RG_BOOL) || (is(type, "float") && i <= RG_F64) ||
                        ((is(type, "integer") || is(type, "whole")) && (i == RG_I32 || i == RG_I64)) ||
                        ((is(type, "bool") || is(type, "whole")) && i == RG_BOOL);
}

int rg_op_count(void)
{
    int count = 0;
    for (int i = 0; i < rg__op_count(); i++)
        count += rg__op_at(i)->signature != NULL;
    return count;
}

bool rg_op_at(int index, rg_op *op)
{
    for (int i = 0; i < rg__op_count() && index >= 0; i++)
        if (rg__op_at(i)->signature && index-- == 0) {
            describe(rg__op_at(i), op);
            return true;
        }
    return false;
}

bool rg_op_find(const char *name, rg_op *op)
{
    const rg__op *found = rg__op_find(name);
    if (!found || !found->signature)
        return false;
    describe(found, op);
    return true;
}
