/* Reads the golden files (format: golden/README.md) and compares arrays with them. */
#ifndef RG__TESTS_GOLDEN_H
#define RG__TESTS_GOLDEN_H

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <retrograd/retrograd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN_ARRAYS 12

struct golden_array {
    rg_dtype dtype;
    rg_shape shape;
    size_t count;
    void *data; /* row-major; NULL: there is no such array */
};

struct golden_case {
    char key[64], variant[64];
    char with[256]; /* attributes, for rg_apply */
    int inputs, outs;
    struct golden_array in[GOLDEN_ARRAYS], out[GOLDEN_ARRAYS];
    struct golden_array cotangent;             /* of out[0]; of several results: all floats of them, flat */
    struct golden_array grad[GOLDEN_ARRAYS];   /* of sum(out * cotangent), by input                      */
    struct golden_array weight[GOLDEN_ARRAYS]; /* cotangents of these gradients                          */
    struct golden_array second[GOLDEN_ARRAYS]; /* gradients of the sum of sum(grad * weight), by input   */
};

struct golden_file {
    char *text, *cursor;
    int line;
    char error[200]; /* "" while all is well */
};

/* The whole of a text file with a NUL behind it; NULL where it cannot be read. The caller frees it. */
static char *golden_slurp(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    char *text = NULL;
    long size = -1;
    if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0 &&
        (text = malloc((size_t)size + 1)) != NULL) {
        if (fread(text, 1, (size_t)size, file) == (size_t)size) {
            text[size] = '\0';
        } else {
            free(text);
            text = NULL;
        }
    }
    fclose(file);
    return text;
}

/* Opens a family's file in the project with this root folder. */
static bool golden_open(struct golden_file *f, const char *root, const char *family)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/golden/%s.txt", root, family);
    *f = (struct golden_file){.text = golden_slurp(path)};
    f->cursor = f->text;
    if (f->text == NULL)
        snprintf(f->error, sizeof f->error, "%.150s: %s", path, strerror(errno));
    return f->text != NULL;
}

static void golden_close(struct golden_file *f)
{
    free(f->text);
    f->text = f->cursor = NULL;
}

static void golden_case_free(struct golden_case *c)
{
    for (int i = 0; i < GOLDEN_ARRAYS; i++) {
        free(c->in[i].data);
        free(c->out[i].data);
        free(c->grad[i].data);
        free(c->weight[i].data);
        free(c->second[i].data);
    }
    free(c->cotangent.data);
    *c = (struct golden_case){0};
}

static bool golden_bad(struct golden_file *f, const char *what)
{
    if (f->error[0] == '\0')
        snprintf(f->error, sizeof f->error, "line %d: %s", f->line, what);
    return false;
}

/* The next word of a line, cut off with a NUL; NULL at its end. */
static char *golden_word(char **rest)
{
    char *word = *rest;
    while (*word == ' ')
        word++;
    if (*word == '\0')
        return NULL;
    char *end = word;
    while (*end != ' ' && *end != '\0')
        end++;
    *rest = *end == ' ' ? end + 1 : end;
    *end = '\0';
    return word;
}

static bool golden_shape(const char *text, rg_shape *shape)
{
    *shape = (rg_shape){0};
    if (*text++ != '[')
        return false;
    while (*text != ']') {
        char *end = NULL;
        if (shape->rank == RG_MAX_RANK)
            return false;
        shape->dims[shape->rank++] = strtoll(text, &end, 10);
        if (end == text || (*end != ',' && *end != ']'))
            return false;
        text = *end == ',' ? end + 1 : end;
    }
    return text[1] == '\0' && rg_shape_numel(*shape) >= 0;
}

static bool golden_store(struct golden_array *a, size_t index, const char *word)
{
    char *end = NULL;
    switch (a->dtype) {
    case RG_F32: ((float *)a->data)[index] = strtof(word, &end); break;
    case RG_F64: ((double *)a->data)[index] = strtod(word, &end); break;
    case RG_I32: ((int32_t *)a->data)[index] = (int32_t)strtol(word, &end, 10); break;
    case RG_I64: ((int64_t *)a->data)[index] = strtoll(word, &end, 10); break;
    case RG_BOOL: ((bool *)a->data)[index] = strtol(word, &end, 10) != 0; break;
    }
    return end != NULL && end != word && *end == '\0';
}

/* "dtype [dims] values", or "dtype [dims] *value" where all are the same. */
static bool golden_array(struct golden_file *f, char *rest, struct golden_array *a)
{
    const char *dtype = golden_word(&rest), *dims = golden_word(&rest);
    int found = -1;
    for (int d = 0; dtype != NULL && d < RG_DTYPES; d++)
        if (strcmp(dtype, rg_dtype_name((rg_dtype)d)) == 0)
            found = d;
    if (a->data != NULL || found < 0 || dims == NULL)
        return golden_bad(f, "an array twice, or without dtype and shape");
    a->dtype = (rg_dtype)found;
    if (!golden_shape(dims, &a->shape))
        return golden_bad(f, "a bad shape");
    a->count = (size_t)rg_shape_numel(a->shape);
    a->data = calloc(a->count + 1, rg_dtype_size(a->dtype));
    if (a->data == NULL)
        return golden_bad(f, "no memory");
    const char *word = golden_word(&rest);
    for (size_t i = 0; i < a->count; i++) {
        const bool repeated = word != NULL && *word == '*';
        if (word == NULL || !golden_store(a, i, word + repeated))
            return golden_bad(f, "too few numbers, or not a number");
        if (!repeated || i + 1 == a->count)
            word = golden_word(&rest);
    }
    return word == NULL || golden_bad(f, "too many numbers");
}

/* The array of a case that a line's first word (and the number behind it) names; NULL: none. */
static struct golden_array *golden_slot(struct golden_case *c, const char *word, char **rest)
{
    if (strcmp(word, "in") == 0)
        return c->inputs < GOLDEN_ARRAYS ? &c->in[c->inputs++] : NULL;
    if (strcmp(word, "out") == 0)
        return c->outs < GOLDEN_ARRAYS ? &c->out[c->outs++] : NULL;
    if (!isdigit((unsigned char)**rest))
        return strcmp(word, "cotangent") == 0 ? &c->cotangent : NULL;
    const long index = strtol(*rest, rest, 10);
    struct golden_array *const slots = strcmp(word, "grad") == 0        ? c->grad
                                       : strcmp(word, "cotangent") == 0 ? c->weight
                                       : strcmp(word, "second") == 0    ? c->second
                                                                        : NULL;
    return slots != NULL && index < c->inputs ? slots + index : NULL;
}

/* Reads the next case; free it with golden_case_free. False at the end of the file and on error. */
static bool golden_next(struct golden_file *f, struct golden_case *c)
{
    *c = (struct golden_case){0};
    while (*f->cursor != '\0' && f->error[0] == '\0') {
        char *rest = f->cursor;
        if (c->key[0] != '\0' && strncmp(rest, "case ", 5) == 0)
            return true; /* that is the next one */
        char *const end = strchr(rest, '\n');
        if (end == NULL)
            return golden_bad(f, "the file is cut off");
        *end = '\0';
        f->cursor = end + 1;
        f->line++;
        const char *const word = *rest == '#' ? NULL : golden_word(&rest);
        if (word == NULL)
            continue;
        if (strcmp(word, "with") == 0) {
            if (strlen(rest) >= sizeof c->with)
                return golden_bad(f, "attributes too long");
            snprintf(c->with, sizeof c->with, "%s", rest);
            continue;
        }
        if (strcmp(word, "case") == 0) {
            if (sscanf(rest, "%63s %63s", c->key, c->variant) != 2)
                return golden_bad(f, "a case without a name");
            continue;
        }
        if (strcmp(word, "in") == 0 && strcmp(rest, "nil") == 0 && c->inputs < GOLDEN_ARRAYS) {
            c->inputs++; /* left out: without data */
            continue;
        }
        struct golden_array *const a = golden_slot(c, word, &rest);
        if (a == NULL)
            return golden_bad(f, "an unknown word, or an array too many");
        golden_array(f, rest, a);
    }
    return f->error[0] == '\0' && c->key[0] != '\0';
}

/* ---- comparing ------------------------------------------------------------------------------------------------ */

static double golden_value(rg_dtype dtype, const void *data, size_t index)
{
    return dtype == RG_F64 ? ((const double *)data)[index] : (double)((const float *)data)[index];
}

static bool golden_is_float(const struct golden_array *a)
{
    return a->dtype == RG_F32 || a->dtype == RG_F64;
}

/* How far `data` (of a's dtype and shape) is from a, relative to each element, or to `floor` times the largest finite
 * magnitude in a (or times `cap`, if that is less) where that is more; exact for integers and bools. NaN equals NaN; infinity where there is none, or
 * the reverse, is infinitely far, and so is the wrong sign of a zero if `signs`. *where is the worst element. */
static inline double golden_distance(const struct golden_array *a, const void *data, double floor, double cap,
                                     bool signs, size_t *where)
{
    double largest = 0, worst = 0;
    *where = 0;
    for (size_t i = 0; golden_is_float(a) && i < a->count; i++) {
        const double e = fabs(golden_value(a->dtype, a->data, i));
        largest = e > largest && e < INFINITY ? e : largest;
    }
    const size_t size = rg_dtype_size(a->dtype);
    for (size_t i = 0; i < a->count; i++) {
        double d = 0;
        if (!golden_is_float(a)) {
            d = memcmp((const char *)a->data + i * size, (const char *)data + i * size, size) == 0 ? 0 : INFINITY;
        } else {
            const double e = golden_value(a->dtype, a->data, i), x = golden_value(a->dtype, data, i);
            if (isnan(e) || isnan(x))
                d = isnan(e) && isnan(x) ? 0 : INFINITY;
            else if (signs && e == 0 && x == 0)
                d = signbit(e) == signbit(x) ? 0 : INFINITY;
            else if (e != x)
                d = isinf(e) || isinf(x) ? INFINITY : fabs(x - e) / fmax(fabs(e), floor * fmin(largest, cap));
        }
        if (d > worst) {
            worst = d;
            *where = i;
        }
    }
    return worst;
}

/* An element as text, for messages. */
static inline void golden_text(rg_dtype dtype, const void *data, size_t index, char out[40])
{
    switch (dtype) {
    case RG_F32: snprintf(out, 40, "%.9g", (double)((const float *)data)[index]); break;
    case RG_F64: snprintf(out, 40, "%.17g", ((const double *)data)[index]); break;
    case RG_I32: snprintf(out, 40, "%ld", (long)((const int32_t *)data)[index]); break;
    case RG_I64: snprintf(out, 40, "%lld", (long long)((const int64_t *)data)[index]); break;
    case RG_BOOL: snprintf(out, 40, "%d", ((const unsigned char *)data)[index]); break;
    }
}

/* "f64 [2,3]", for messages. */
static inline void golden_shape_text(rg_dtype dtype, rg_shape shape, char out[80])
{
    int length = snprintf(out, 80, "%s [", rg_dtype_name(dtype));
    for (int i = 0; i < shape.rank && length < 60; i++)
        length += snprintf(out + length, 80 - (size_t)length, "%s%ld", i > 0 ? "," : "", (long)shape.dims[i]);
    snprintf(out + length, 80 - (size_t)length, "]");
}

#endif
