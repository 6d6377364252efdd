/* Einstein's summation: reads the equation, and takes diagonals where an operand has an index twice. */
#include "ops/call.h"
#include "ops/contraction.h"
#include "ops/factor.h"
#include "ops/family.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(ROW)                                                                                         \
    ROW(einsum, -1, RG__THROUGH, RG__COMPOSITE, "sum of products over the indices that the result lacks", \
        RG__CALLED(einsum, "operands...: float, equation: text"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_einsum[OP_##name])

/* ---- the equation ---- */

/* The indices between two places: letters, of which "..." may stand for some in between. */
typedef struct subscripts {
    int count, at[RG_MAX_RANK]; /* where each letter stands, in characters */
    uint8_t index[RG_MAX_RANK];
    int ellipsis; /* how many letters stand before it; -1: there is none   */
    int end;      /* where they end                                        */
} subscripts;

typedef struct equation {
    rg_tape *t;
    const char *text;
    rg__contraction c;
    int dots;                  /* the most axes that "..." stands for */
    int times[RG__LETTERS];    /* how often a letter occurs           */
    int first_at[RG__INDICES]; /* the operand that gave the extent   */
} equation;

static bool wrong(const equation *e, int at, const char *format, ...) __attribute__((format(printf, 3, 4)));

static bool wrong(const equation *e, int at, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    rg__fail(e->t, OP(einsum), RG_ERROR_ARGUMENT, "equation '%.100s', character %d: %s", e->text, at + 1, text);
    return false;
}

static int index_of(char letter)
{
    return letter >= 'a' && letter <= 'z' ? letter - 'a' + 26 : letter >= 'A' && letter <= 'Z' ? letter - 'A' : -1;
}

static char letter_of(int index)
{
    return (char)(index < 26 ? 'A' + index : 'a' + index - 26);
}

/* Reads up to a comma, an arrow or the end. */
static bool read_subscripts(const equation *e, int from, subscripts *s)
{
    *s = (subscripts){.ellipsis = -1};
    int i = from;
    for (; e->text[i] != '\0' && e->text[i] != ',' && e->text[i] != '-'; i++) {
        const char ch = e->text[i];
        if (ch == ' ')
            continue;
        if (ch == '.') {
            if (strncmp(e->text + i, "...", 3) != 0)
                return wrong(e, i, "three dots are needed");
            if (s->ellipsis >= 0)
                return wrong(e, i, "a second '...'");
            s->ellipsis = s->count;
            i += 2;
            continue;
        }
        if (index_of(ch) < 0)
            return wrong(e, i, "'%c' is no index: letters, '...', ',' and '->' are allowed",
                         ch >= ' ' && ch < 127 ? ch : '?');
        if (s->count == RG_MAX_RANK)
            return wrong(e, i, "more than %d indices", RG_MAX_RANK);
        s->at[s->count] = i;
        s->index[s->count++] = (uint8_t)index_of(ch);
    }
    s->end = i;
    if (e->text[i] == '-' && e->text[i + 1] != '>')
        return wrong(e, i, "'-' without '>'");
    return true;
}

/* ---- operands ---- */

/* The n axes that "..." stands for, the last one of them always of one index. */
static int dots_index(int i, int n)
{
    return RG__INDICES - n + i;
}

static bool meet_extent(equation *e, int operand, int index, int64_t extent, int at)
{
    int64_t *known = &e->c.extent[index];
    if (*known < 0 || *known == 1) {
        *known = extent;
        e->first_at[index] = operand;
    }
    if (extent == 1 || extent == *known)
        return true;
    if (index >= RG__LETTERS)
        return wrong(e, at, "'...' has an extent of %lld here and of %lld in operand %d", (long long)extent,
                     (long long)*known, e->first_at[index]);
    return wrong(e, at, "'%c' is %lld here and %lld in operand %d", letter_of(index), (long long)extent,
                 (long long)*known, e->first_at[index]);
}

/* x with the axes i and k, of one extent, as one: its diagonal, the last axis. */
static void take_diagonal(rg_tape *t, rg__term *x, int i, int k)
{
    rg_axes order = {0, {0}};
    const uint8_t index = x->index[i];
    int rank = 0;
    for (int axis = 0; axis < x->rank; axis++)
        if (axis != i && axis != k) {
            order.axis[order.count++] = axis;
            x->index[rank++] = x->index[axis];
        }
    order.axis[order.count++] = i;
    order.axis[order.count++] = k;
    x->index[rank++] = index;
    x->rank = rank;
    x->x = rg__diagonal(t, rg_permute(t, x->x, order));
}

static bool without_repetition(equation *e, const subscripts *s, rg__term *x)
{
    for (int i = 0; i < x->rank; i++)
        for (int k = i + 1; k < x->rank; k++)
            if (x->index[i] == x->index[k]) {
                const rg_shape shape = rg_shape_of(e->t, x->x);
                if (shape.dims[i] != shape.dims[k])
                    return wrong(e, s->end - 1, "'%c' is %lld and %lld in this operand", letter_of(x->index[i]),
                                 (long long)shape.dims[i], (long long)shape.dims[k]);
                take_diagonal(e->t, x, i, k);
                return without_repetition(e, s, x);
            }
    return true;
}

static bool read_operand(equation *e, int operand, int from, subscripts *s, rg_tensor x, rg__term *term)
{
    if (!read_subscripts(e, from, s))
        return false;
    const rg__node *n = rg__arg_of(e->t, OP(einsum), x, RG__FLOATS);
    if (!n)
        return false;
    const int dots = n->rank - s->count;
    if (dots < 0 || (dots > 0 && s->ellipsis < 0))
        return wrong(e, from, "%d indices%s for operand %d, %s", s->count, s->ellipsis < 0 ? "" : " and '...'", operand,
                     RG__NODE_TEXT(n));
    *term = (rg__term){.x = x, .rank = n->rank};
    e->dots = dots > e->dots ? dots : e->dots;
    for (int i = 0; i < n->rank; i++) {
        const int letter = s->ellipsis < 0 || i < s->ellipsis ? i : i - dots;
        const bool dotted = s->ellipsis >= 0 && i >= s->ellipsis && i < s->ellipsis + dots;
        term->index[i] = dotted ? (uint8_t)dots_index(i - s->ellipsis, dots) : s->index[letter];
        if (!meet_extent(e, operand, term->index[i], n->dims[i], dotted ? from : s->at[letter]))
            return false;
    }
    for (int i = 0; i < s->count; i++)
        e->times[s->index[i]]++;
    return without_repetition(e, s, term);
}

/* All of them; *end is where the last one ends. */
static bool read_operands(equation *e, const rg_tensor *operands, int count, rg__term *terms, int *end)
{
    subscripts s;
    int from = 0;
    for (int i = 0; i < count; i++) {
        if (!read_operand(e, i, from, &s, operands[i], &terms[i]))
            return false;
        const bool more = e->text[s.end] == ',';
        if (more != (i + 1 < count))
            return wrong(e, s.end, more ? "more operands than the %d given" : "fewer operands than the %d given", count);
        from = s.end + 1;
    }
    *end = s.end;
    for (int i = 1; i < count; i++)
        if (rg_dtype_of(e->t, operands[i]) != rg_dtype_of(e->t, operands[0])) {
            rg__fail(e->t, OP(einsum), RG_ERROR_DTYPE, "operand %d is %s and operand 0 is %s", i,
                     rg_dtype_name(rg_dtype_of(e->t, operands[i])), rg_dtype_name(rg_dtype_of(e->t, operands[0])));
            return false;
        }
    return true;
}

/* ---- the result ---- */

static bool put_index(equation *e, int at, int index)
{
    if (e->c.rank == RG_MAX_RANK)
        return wrong(e, at, "a result of more than %d axes", RG_MAX_RANK);
    e->c.index[e->c.rank++] = (uint8_t)index;
    return true;
}

static bool put_dots(equation *e, int at)
{
    for (int i = 0; i < e->dots; i++)
        if (!put_index(e, at, dots_index(i, e->dots)))
            return false;
    return true;
}

static bool implied_result(equation *e, int at)
{
    if (!put_dots(e, at))
        return false;
    for (int i = 0; i < RG__LETTERS; i++)
        if (e->times[i] == 1 && !put_index(e, at, i))
            return false;
    return true;
}

static bool read_result(equation *e, int from)
{
    subscripts s;
    if (!read_subscripts(e, from, &s))
        return false;
    if (e->text[s.end] != '\0')
        return wrong(e, s.end, "'%c' in the result", e->text[s.end]);
    for (int i = 0; i < s.count; i++) {
        if (i == s.ellipsis && !put_dots(e, from))
            return false;
        if (e->times[s.index[i]] == 0)
            return wrong(e, s.at[i], "no operand has '%c'", letter_of(s.index[i]));
        for (int k = 0; k < i; k++)
            if (s.index[k] == s.index[i])
                return wrong(e, s.at[i], "'%c' is in the result twice", letter_of(s.index[i]));
        if (!put_index(e, s.at[i], s.index[i]))
            return false;
    }
    return s.ellipsis < s.count || put_dots(e, from);
}

static rg_tensor run(equation *e, const rg_tensor *operands, int count, rg__term *terms)
{
    int end = 0;
    if (!read_operands(e, operands, count, terms, &end))
        return RG_NIL;
    if (!(e->text[end] == '-' ? read_result(e, end + 2) : implied_result(e, end)))
        return RG_NIL;
    for (int i = 0; i < count; i++)
        terms[i] = rg__term_fitted(e->t, &e->c, terms[i]);
    return rg__contract(e->t, &e->c, terms, count);
}

rg_tensor rg_einsum(rg_tape *t, const char *text, const rg_tensor *operands, int count)
{
    enum { FEW = 8 };
    const rg__op *op = OP(einsum);
    rg__term few[FEW], *terms = few;
    if (rg_failed(t))
        return RG_NIL;
    if (!text || count < 1 || !operands || strnlen(text, INT16_MAX) == INT16_MAX) {
        rg__fail(t, op, RG_ERROR_ARGUMENT,
                 "%s and %d operands: an equation of at most %d characters and 1 operand or more are needed",
                 text ? "an equation" : "no equation", operands ? count : 0, INT16_MAX - 1);
        return RG_NIL;
    }
    if (count > FEW && !(terms = calloc((size_t)count, sizeof *terms))) {
        rg__fail(t, op, RG_ERROR_MEMORY, "out of memory");
        return RG_NIL;
    }
    equation e = {.t = t, .text = text, .c = {.op = op}};
    for (int i = 0; i < RG__INDICES; i++)
        e.c.extent[i] = -1;
    const rg_tensor y = run(&e, operands, count, terms);
    if (terms != few)
        free(terms);
    return y;
}

/* ---- by name ---- */

static int call_einsum(const rg__call *c, rg_tensor *out)
{
    char text[1024];
    rg__call_text(c, "equation", text, sizeof text);
    out[0] = rg_einsum(c->t, text, c->in, c->count);
    return 1;
}

/* ---- samples ---- */

static rg_tensor sample_einsum(rg__draw *draw, int index)
{
    static const struct {
        const char *text;
        int count;
        rg_shape shape[3];
    } samples[] = {
        {"ij,jk->ik", 2, {{2, {2, 3}}, {2, {3, 4}}}},
        {"bij,bjk->bik", 2, {{3, {2, 2, 3}}, {3, {2, 3, 2}}}},
        {"ii->i", 1, {{2, {3, 3}}}},
        {"ii", 1, {{2, {3, 3}}}},
        {"...ij->...ji", 1, {{3, {2, 3, 2}}}},
        {"i,j->ji", 2, {{1, {2}}, {1, {3}}}},
        {"ij,ij->", 2, {{2, {2, 3}}, {2, {2, 3}}}},
        {"ij,kj,kl->il", 3, {{2, {2, 3}}, {2, {4, 3}}, {2, {4, 2}}}},
        {"...i,i...->...", 2, {{2, {2, 3}}, {2, {3, 2}}}},
        {"iij,jk", 2, {{3, {2, 2, 3}}, {2, {3, 2}}}},
        {"ij,jk->ik", 2, {{2, {2, 0}}, {2, {0, 3}}}},
        {"b i, b -> i", 2, {{2, {3, 2}}, {1, {1}}}},
        {",i->i", 2, {{0, {0}}, {1, {3}}}},
        {"ijk,jil,kl->", 3, {{3, {2, 3, 2}}, {3, {3, 2, 2}}, {2, {2, 2}}}},
    };
    if (index >= (int)(sizeof samples / sizeof *samples))
        return RG_NIL;
    rg_tensor x[3] = {{0, 0}};
    for (int i = 0; i < samples[index].count; i++)
        x[i] = RG__DRAW(draw, samples[index].shape[i], RG__REAL);
    return rg_einsum(draw->t, samples[index].text, x, samples[index].count);
}

RG__FAMILY(einsum, ROWS(RG__ROW))
