/* Calls of any op of the public table, made from its signature alone: the grammar of retrograd/table.h is read here a second
 * time, apart from the library. */
#ifndef RG_TESTS_TABLE_SUPPORT_H
#define RG_TESTS_TABLE_SUPPORT_H

#include "test.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 32, MOST_RESULTS = 256, MOST_ELEMENTS = 1 << 13 };

/* ---- signatures ---- */

typedef struct parameter {
    char name[40], type[200], value[100]; /* value: the default */
    bool tensor, optional, many, defaulted;
} parameter;

typedef struct signature {
    parameter tensor[MOST], attribute[MOST];
    int tensors, attributes, results;
} signature;

/* Copies [from, to) without the spaces around it; fails where it is empty or too long. */
static inline void copy_piece(const char *from, const char *to, char *out, size_t size, const char *text)
{
    while (from < to && *from == ' ')
        from++;
    while (to > from && to[-1] == ' ')
        to--;
    if (from == to || (size_t)(to - from) >= size)
        fail_msg("signature '%s': nothing, or too much, at '%.20s'", text, from);
    snprintf(out, size, "%.*s", (int)(to - from), from);
}

/* The first separator in [from, to) outside of brackets, else `to`. */
static inline const char *find_outside(const char *from, const char *to, char separator)
{
    int depth = 0;
    for (; from < to; from++) {
        depth += (*from == '[') - (*from == ']');
        if (depth == 0 && *from == separator)
            return from;
    }
    return to;
}

static inline bool is_dtype_class(const char *type)
{
    static const char *const classes[] = {"any", "number", "float", "integer", "whole", "bool"};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(type, classes[i]) == 0)
            return true;
    return false;
}

static inline bool take_suffix(char *name, const char *suffix)
{
    const size_t n = strlen(name), m = strlen(suffix);
    const bool there = n > m && strcmp(name + n - m, suffix) == 0;
    if (there)
        name[n - m] = '\0';
    return there;
}

static inline parameter read_parameter(const char *from, const char *to, const char *text)
{
    parameter p = {.tensor = false};
    const char *colon = find_outside(from, to, ':'), *equals = find_outside(from, to, '=');
    if (colon == to)
        fail_msg("signature '%s': no type in '%.*s'", text, (int)(to - from), from);
    copy_piece(from, colon, p.name, sizeof p.name, text);
    copy_piece(colon + 1, equals, p.type, sizeof p.type, text);
    p.defaulted = equals < to;
    if (p.defaulted && equals + 1 < to && strspn(equals + 1, " ") < (size_t)(to - equals - 1))
        copy_piece(equals + 1, to, p.value, sizeof p.value, text);
    p.optional = take_suffix(p.name, "?");
    p.many = take_suffix(p.name, "...");
    p.tensor = is_dtype_class(p.type);
    return p;
}

static inline signature read_signature(const char *text)
{
    signature s = {.results = 1};
    const char *arrow = strstr(text, "->"), *end = arrow ? arrow : text + strlen(text);
    for (const char *at = text, *comma; at < end && strspn(at, " ") < (size_t)(end - at); at = comma + (comma < end)) {
        comma = find_outside(at, end, ',');
        const parameter p = read_parameter(at, comma, text);
        if (s.tensors == MOST || s.attributes == MOST)
            fail_msg("signature '%s': too long", text);
        if (p.tensor && s.attributes)
            fail_msg("signature '%s': tensor '%s' behind an attribute", text, p.name);
        if (p.tensor)
            s.tensor[s.tensors++] = p;
        else
            s.attribute[s.attributes++] = p;
    }
    if (arrow && strstr(arrow, "...")) {
        s.results = -1;
    } else if (arrow) {
        s.results = 0;
        for (const char *at = arrow + 2, *comma; *at; at = comma + (*comma == ',')) {
            char name[40];
            comma = find_outside(at, at + strlen(at), ',');
            copy_piece(at, comma, name, sizeof name, text);
            s.results++;
        }
    }
    return s;
}

static inline bool class_has(const char *type, int dtype)
{
    return strcmp(type, "any") == 0 || (strcmp(type, "number") == 0 && dtype != RG_BOOL) ||
           (strcmp(type, "float") == 0 && dtype <= RG_F64) ||
           (strcmp(type, "integer") == 0 && (dtype == RG_I32 || dtype == RG_I64)) ||
           (strcmp(type, "whole") == 0 && dtype >= RG_I32) || (strcmp(type, "bool") == 0 && dtype == RG_BOOL);
}

/* ---- calls ---- */

/* Arguments of one op. Tensors are small, and the same for the same shape and dtype. */
typedef struct call {
    rg_op op;
    signature s;
    int count; /* tensors given; of a last one that may be many two */
    bool nil[MOST];
    rg_dtype dtype[MOST];
    rg_shape shape[MOST];
    const char *value[MOST]; /* of the attributes; NULL: the default */
} call;

static inline const parameter *tensor_of(const call *c, int i)
{
    return &c->s.tensor[i < c->s.tensors ? i : c->s.tensors - 1];
}

/* Floats within (0, 1), so that they are in the domain of most ops; 0 and 1; true and false. */
static inline rg_tensor make_tensor(rg_tape *t, rg_dtype dtype, rg_shape shape)
{
    static double values[MOST_ELEMENTS]; /* of any dtype */
    const int64_t n = rg_shape_numel(shape);
    assert_in_range(n, 0, MOST_ELEMENTS);
    for (int64_t i = 0; i < n; i++)
        switch (dtype) {
        case RG_F32: ((float *)(void *)values)[i] = (float)(37 * i % 61 + 1) / 64; break;
        case RG_F64: values[i] = (double)(37 * i % 61 + 1) / 64; break;
        case RG_I32: ((int32_t *)(void *)values)[i] = (int32_t)(i % 2); break;
        case RG_I64: ((int64_t *)(void *)values)[i] = i % 2; break;
        case RG_BOOL: ((bool *)(void *)values)[i] = i % 2 == 0; break;
        }
    return rg_input(t, dtype, shape, values);
}

static inline void attributes_text(const call *c, char *text, size_t size)
{
    size_t used = 0;
    *text = '\0';
    for (int i = 0; i < c->s.attributes; i++)
        if (c->value[i]) {
            const bool quoted = strcmp(c->s.attribute[i].type, "text") == 0;
            used += (size_t)snprintf(text + used, size - used, quoted ? "%s='%s' " : "%s=%s ", c->s.attribute[i].name,
                                     c->value[i]);
            assert_true(used < size);
        }
}

/* Records it on a tape without an error; x gets the tensors. Returns the number of results. */
static inline int record(rg_tape *t, const call *c, rg_tensor x[MOST], rg_tensor out[MOST_RESULTS])
{
    char text[4096];
    rg_tape_clear_error(t);
    rg_tape_reset(t);
    for (int i = 0; i < c->count; i++)
        x[i] = c->nil[i] ? RG_NIL : make_tensor(t, c->dtype[i], c->shape[i]);
    assert_tape_ok(t);
    attributes_text(c, text, sizeof text);
    return rg_apply(t, c->op.name, x, c->count, text, out, MOST_RESULTS);
}

/* For messages: the op, what it was given, and what it said. */
static inline const char *told(rg_tape *t, const call *c)
{
    static char text[8192];
    size_t used = (size_t)snprintf(text, sizeof text, "%s(", c->op.name);
    for (int i = 0; i < c->count; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, i ? ", %s [" : "%s [",
                                 c->nil[i] ? "nil" : rg_dtype_name(c->dtype[i]));
        for (int k = 0; k < c->shape[i].rank && !c->nil[i]; k++)
            used += (size_t)snprintf(text + used, sizeof text - used, k ? ", %d" : "%d", (int)c->shape[i].dims[k]);
        used += (size_t)snprintf(text + used, sizeof text - used, "]");
    }
    used += (size_t)snprintf(text + used, sizeof text - used, "; ");
    attributes_text(c, text + used, 4096);
    used += strlen(text + used);
    snprintf(text + used, sizeof text - used, "): %s", rg_failed(t) ? rg_tape_error(t) : "no error");
    return text;
}

/* ---- finding a call that succeeds ---- */

/* Where the search below finds none: shapes (text) and attributes that do. */
typedef struct hint {
    const char *op, *shapes, *attributes[MOST]; /* "2 3, 3" is [2, 3] and [3]; in the order of the signature */
} hint;
static const hint HINTS[] = {
    {"affine_grid", "2 2 3", {"[2, 3, 4, 4]"}}, /* one size for all: of the batch, and of the axes */
    {"interpolate", "2 3 4", {"6"}},            /* a size or a factor, neither of them with a default */
    {"index", "2 2, 2, 2", {NULL}},             /* a bool index stands for as many axes as it has */
    {"index_put", "2 2, 1, 2, 2", {NULL}},      /* likewise */
    {NULL, NULL, {NULL}},
};

static inline const char *const *values_of(const parameter *p)
{
    static const char *const ints[] = {"1", "0", "2", "-1", NULL}, *const reals[] = {"1", "0.5", NULL};
    static const char *const flags[] = {"false", "true", NULL}, *const dtypes[] = {"f32", "i64", "bool", NULL};
    static const char *const lists[] = {"1",      "0",      "[1, 1]",    "[0, 0]", "[0, 1]", "[2, 2]",
                                        "[2, 1]", "[1, 0]", "[0, 1, 2]", "[]",     NULL};
    static const char *const texts[] = {"0.5",  "i->i",     "ij,jk->ik",  "ij,ij->ij",    "ijk->jki", "i,j->ij",
                                        "a->a", "a b->b a", "a b -> b a", "a b c->b a c", NULL};
    static const struct {
        const char *type;
        const char *const *values;
    } of[] = {{"int", ints}, {"real", reals}, {"flag", flags}, {"dtype", dtypes}, {"ints", lists}, {"text", texts}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        if (strcmp(p->type, of[i].type) == 0)
            return of[i].values;
    static char words[200];
    static const char *first[] = {words, NULL};
    snprintf(words, sizeof words, "%.*s", (int)strcspn(p->type, "|"), p->type);
    return first;
}

static inline rg_shape cube(int rank, int64_t extent)
{
    rg_shape shape = {rank, {0}};
    for (int i = 0; i < rank; i++)
        shape.dims[i] = extent;
    return shape;
}

/* All values of the attributes that must be given, for these tensors. */
static inline bool search_attributes(rg_tape *t, call *c)
{
    rg_tensor x[MOST], out[MOST_RESULTS];
    int at[MOST] = {0};
    for (;;) {
        for (int i = 0; i < c->s.attributes; i++)
            c->value[i] = c->s.attribute[i].defaulted ? NULL : values_of(&c->s.attribute[i])[at[i]];
        if (record(t, c, x, out) > 0)
            return true;
        int i = 0;
        for (; i < c->s.attributes; i++) {
            if (c->s.attribute[i].defaulted)
                continue;
            if (values_of(&c->s.attribute[i])[++at[i]])
                break;
            at[i] = 0;
        }
        if (i == c->s.attributes)
            return false;
    }
}

/* All ranks up to 5: the same for all tensors; one for the first and one for the others; one for each. */
static inline bool search_ranks(rg_tape *t, call *c, int64_t extent)
{
    enum { RANKS = 6 };
    static const int tries[] = {RANKS, RANKS * RANKS, RANKS * RANKS * RANKS * RANKS};
    for (int pass = 0; pass < 3; pass++)
        for (int code = 0; code < tries[pass]; code++) {
            int rest = code;
            bool first = true;
            for (int i = 0; i < c->count; i++)
                if (!c->nil[i]) {
                    c->shape[i] = cube(rest % RANKS, extent);
                    rest = pass == 2 || (pass == 1 && first) ? rest / RANKS : rest;
                    first = false;
                }
            if (search_attributes(t, c))
                return true;
            if (first || (rest > 0 && pass == 2)) /* there are no tensors, or no more of them */
                break;
        }
    return false;
}

static inline bool take_hint(rg_tape *t, call *c)
{
    rg_tensor x[MOST], out[MOST_RESULTS];
    for (const hint *h = HINTS; h->op; h++)
        if (strcmp(h->op, c->op.name) == 0) {
            const char *at = h->shapes;
            for (int i = 0; i < c->count && !c->nil[i]; i++) {
                char *end;
                c->shape[i].rank = 0;
                for (long extent; extent = strtol(at, &end, 10), end != at; at = end)
                    c->shape[i].dims[c->shape[i].rank++] = extent;
                at += strspn(at, " ,");
            }
            memcpy(c->value, h->attributes, sizeof c->value);
            return record(t, c, x, out) > 0;
        }
    return false;
}

/* A call of the op that is recorded: attributes with a default have it, tensors that may be left out are nil, unless it needs
 * them all the same. */
static inline bool find_call(rg_tape *t, const rg_op *op, call *c)
{
    *c = (call){.op = *op, .s = read_signature(op->signature)};
    c->count = c->s.tensors + (c->s.tensors && c->s.tensor[c->s.tensors - 1].many);
    for (int given = 0; given < 2; given++) {
        for (int i = 0; i < c->count; i++) {
            const parameter *p = tensor_of(c, i);
            c->nil[i] = p->optional && !given;
            c->dtype[i] = class_has(p->type, RG_F32) ? RG_F32 : class_has(p->type, RG_I64) ? RG_I64 : RG_BOOL;
        }
        if (take_hint(t, c) || search_ranks(t, c, 2) || search_ranks(t, c, 3) || search_ranks(t, c, 4))
            return true;
    }
    return false;
}

#endif
