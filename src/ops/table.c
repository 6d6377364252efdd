/* The op table, joined from its families, and the text of attributes. */
#include "ops/family.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FAMILY(name) {rg__ops_##name, &rg__ops_##name##_count},
static const struct {
    const rg__op *op;
    const int *count;
} families[] = {RG__FAMILIES(FAMILY)};
enum { FAMILY_COUNT = sizeof families / sizeof *families };

int rg__op_count(void)
{
    int count = 0;
    for (int i = 0; i < FAMILY_COUNT; i++)
        count += *families[i].count;
    return count;
}

const rg__op *rg__op_at(int index)
{
    for (int i = 0; i < FAMILY_COUNT && index >= 0; i++) {
        if (index < *families[i].count)
            return &families[i].op[index];
        index -= *families[i].count;
    }
    return NULL;
}

uint32_t rg__op_key(const rg__op *op)
{
    uint32_t first = 0;
    for (int i = 0; i < FAMILY_COUNT; i++) {
        if (op >= families[i].op && op < families[i].op + *families[i].count)
            return first + (uint32_t)(op - families[i].op);
        first += (uint32_t)*families[i].count;
    }
    return UINT32_MAX; /* of no family: a test's */
}

const rg__op *rg__op_find(const char *name)
{
    for (int i = 0; i < FAMILY_COUNT && name; i++)
        for (int k = 0; k < *families[i].count; k++)
            if (strcmp(families[i].op[k].name, name) == 0)
                return &families[i].op[k];
    return NULL;
}

/* ---- attributes as text ---- */

typedef struct text {
    char *at;
    size_t left; /* the NUL counted */
} text;

static void append(text *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(text *to, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(to->at, to->left, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n < to->left ? (size_t)n : to->left - 1;
    to->at += used;
    to->left -= used;
}

static void append_field(text *to, const rg__field *field, const char *p, int rank)
{
    const char *comma = "";
    switch (field->kind) {
    case RG__INT: append(to, "%lld", (long long)*(const int64_t *)(const void *)p); break;
    case RG__FLOAT: append(to, "%g", *(const double *)(const void *)p); break;
    case RG__FLAG: append(to, "%s", *(const uint32_t *)(const void *)p ? "true" : "false"); break;
    case RG__DTYPE: append(to, "%s", rg_dtype_name((rg_dtype) * (const int32_t *)(const void *)p)); break;
    case RG__AXIS_SET:
        append(to, "[");
        for (int i = 0; i < RG_MAX_RANK; i++)
            if (*(const uint32_t *)(const void *)p >> i & 1) {
                append(to, "%s%d", comma, i);
                comma = ", ";
            }
        append(to, "]");
        break;
    case RG__AXIS_ORDER:
    case RG__EXTENTS:
        append(to, "[");
        for (int i = 0; i < rank; i++)
            append(to, i ? ", %lld" : "%lld",
                   field->kind == RG__EXTENTS ? (long long)((const int64_t *)(const void *)p)[i]
                                              : (long long)((const int8_t *)p)[i]);
        append(to, "]");
        break;
    }
}

void rg__attributes_text(const rg__node *node, char *buffer, size_t size)
{
    text to = {buffer, size};
    append(&to, "%s", "");
    for (const rg__field *f = node->op->fields; f && f->name; f++) {
        append(&to, "%s%s=", f == node->op->fields ? "" : " ", f->name);
        append_field(&to, f, (const char *)node->attr + f->offset, node->rank);
    }
}
