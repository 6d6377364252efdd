/* Retrograd, viz: the tape as an aligned table, a line a node.
 *
 * Two passes over the nodes: the first finds the width of each column and which columns have anything to show, the
 * second writes. Only values that are there already are read, so that looking at a tape runs nothing. */
#include <retrograd/tape.h>
#include <retrograd/viz.h>

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "text.h"

enum {
    CELL = 256,      /* bytes of a cell's text; longer text is cut                       */
    SHOW_INPUTS = 8, /* of an op with more, the last ones are left out                   */
    SHOW_VALUES = 6, /* elements; of more, a summary is shown                            */
    DIGITS = 4,      /* significant digits of a value                                    */
    WIDEST = 44,     /* columns stop growing here; a longer cell pushes its row to the right */
};

typedef enum column { ID, OP, INPUTS, SHAPE, DTYPE, SCOPE, GRAD, PASS, VALUE, COLUMNS } column;

static const char *const headings[COLUMNS] = {
    [ID] = "id",       [OP] = "op",     [INPUTS] = "inputs", [SHAPE] = "shape", [DTYPE] = "dtype",
    [SCOPE] = "scope", [GRAD] = "grad", [PASS] = "pass",     [VALUE] = "value",
};

typedef struct row {
    char cell[COLUMNS][CELL];
} row;

/* Appends to a cell. Control characters of names would break the table, so they become question marks. */
#ifdef __GNUC__
__attribute__((format(printf, 2, 3)))
#endif
static void
add(char *cell, const char *format, ...)
{
    const size_t used = strlen(cell);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(cell + used, CELL - used, format, arguments);
    va_end(arguments);
    for (char *c = cell + used; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
    }
}

/* ---- values ---------------------------------------------------------------------------------------------------- */

static double value_at(rg_dtype dtype, const void *data, int64_t i)
{
    switch (dtype) {
    case RG_F32: return ((const float *)data)[i];
    case RG_F64: return ((const double *)data)[i];
    case RG_I32: return ((const int32_t *)data)[i];
    case RG_I64: return (double)((const int64_t *)data)[i];
    case RG_BOOL: return ((const bool *)data)[i];
    }
    return NAN;
}

static void add_number(char *cell, rg_dtype dtype, double value)
{
    char text[RG__TEXT_NUMBER];
    rg__text_number(value, dtype == RG_F32, DIGITS, text);
    add(cell, "%s", text);
}

/* Integers are shown in full: they are labels and indices. */
static void add_bound(char *cell, rg_dtype dtype, double value)
{
    if (dtype == RG_I32 || dtype == RG_I64)
        add(cell, "%.0f", value);
    else
        add_number(cell, dtype, value);
}

static void add_element(char *cell, const rg_node *node, int64_t at)
{
    if (node->dtype == RG_BOOL)
        add(cell, "%s", ((const bool *)node->data)[at] ? "True" : "False");
    else if (node->dtype == RG_I32)
        add(cell, "%" PRId32, ((const int32_t *)node->data)[at]);
    else if (node->dtype == RG_I64)
        add(cell, "%" PRId64, ((const int64_t *)node->data)[at]);
    else
        add_number(cell, node->dtype, value_at(node->dtype, node->data, at));
}

/* "[[1 2] [3 4]]": all elements of the axes from `axis` on, in one line. */
static void add_elements(char *cell, const rg_node *node, int axis, int64_t at)
{
    if (axis == node->shape.rank) {
        add_element(cell, node, at);
        return;
    }
    add(cell, "[");
    for (int64_t i = 0; i < node->shape.dims[axis]; i++) {
        if (i > 0)
            add(cell, " ");
        add_elements(cell, node, axis + 1, at + i * node->strides[axis]);
    }
    add(cell, "]");
}

typedef struct summary {
    double smallest, largest, sum; /* of the finite elements */
    int64_t finite, other;
} summary;

static void summarise(const rg_node *node, int axis, int64_t at, summary *s)
{
    if (axis < node->shape.rank) {
        for (int64_t i = 0; i < node->shape.dims[axis]; i++)
            summarise(node, axis + 1, at + i * node->strides[axis], s);
        return;
    }
    const double value = value_at(node->dtype, node->data, at);
    if (!isfinite(value)) {
        s->other++;
        return;
    }
    s->smallest = fmin(s->smallest, value);
    s->largest = fmax(s->largest, value);
    s->sum += value;
    s->finite++;
}

/* "min -1  mean 0.25  max 2" of the finite elements; "3 of 40 true" for bool. */
static void add_summary(char *cell, const rg_node *node)
{
    summary s = {.smallest = INFINITY, .largest = -INFINITY};
    summarise(node, 0, 0, &s);
    if (node->dtype == RG_BOOL) {
        add(cell, "%.0f of %" PRId64 " true", s.sum, s.finite);
        return;
    }
    if (s.finite > 0) {
        add(cell, "min ");
        add_bound(cell, node->dtype, s.smallest);
        add(cell, "  mean ");
        add_number(cell, RG_F64, s.sum / (double)s.finite);
        add(cell, "  max ");
        add_bound(cell, node->dtype, s.largest);
    }
    if (s.other > 0)
        add(cell, "%s%" PRId64 " not finite", s.finite > 0 ? "  " : "", s.other);
}

/* Only what lies in memory already: asking the tape would run what is pending. */
static void add_value(const rg_node *node, char *cell)
{
    if (!node->computed || !node->data)
        return;
    const int64_t count = rg_shape_numel(node->shape);
    if (count == 0)
        add(cell, "[]");
    else if (count <= SHOW_VALUES)
        add_elements(cell, node, 0, 0);
    else
        add_summary(cell, node);
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

static void add_inputs(char *cell, const rg_node *node)
{
    for (int i = 0; i < node->input_count; i++) {
        if (i == SHOW_INPUTS) {
            add(cell, " and %d more", node->input_count - SHOW_INPUTS);
            return;
        }
        add(cell, "%s%%%" PRIu32, i ? " " : "", node->inputs[i]);
    }
}

/* Everything about a node but its value. False where the tape does not describe it. */
static bool describe(rg_tape *t, int64_t index, rg_node *node, row *r)
{
    for (int c = 0; c < COLUMNS; c++)
        r->cell[c][0] = 0;
    if (!rg_tape_node(t, rg_tape_at(t, index), node))
        return false;
    add(r->cell[ID], "%%%" PRId64, index);
    add(r->cell[OP], "%s", node->op);
    if (node->name[0])
        add(r->cell[OP], " %s", node->name);
    if (node->attributes[0])
        add(r->cell[OP], " %s", node->attributes);
    add_inputs(r->cell[INPUTS], node);
    char shape[RG__TEXT_SHAPE];
    rg__text_shape(node->shape, shape);
    add(r->cell[SHAPE], "%s", shape);
    add(r->cell[DTYPE], "%s", rg_dtype_name(node->dtype));
    add(r->cell[SCOPE], "%s", node->scope);
    add(r->cell[GRAD], "%s", node->requires_grad ? "yes" : "");
    add(r->cell[PASS], "%s", node->backward ? "backward" : "");
    return true;
}

static void heading_row(row *r)
{
    for (int c = 0; c < COLUMNS; c++) {
        r->cell[c][0] = 0;
        add(r->cell[c], "%s", headings[c]);
    }
}

/* The width of each column; 0 for one that has nothing to show. */
static void measure_columns(rg_tape *t, int width[COLUMNS])
{
    row r;
    rg_node node;
    for (int c = 0; c < COLUMNS; c++)
        width[c] = 0;
    const int64_t length = rg_tape_length(t);
    for (int64_t i = 0; i < length; i++) {
        if (!describe(t, i, &node, &r))
            continue;
        for (int c = 0; c < COLUMNS; c++) {
            const int used = rg__text_columns(r.cell[c]);
            if (used > width[c])
                width[c] = used < WIDEST ? used : WIDEST;
        }
        if (node.computed)
            width[VALUE] = (int)strlen(headings[VALUE]);
    }
    for (int c = 0; c < COLUMNS; c++) {
        const int heading = (int)strlen(headings[c]);
        const bool optional = c == SCOPE || c == PASS || c == VALUE;
        if (width[c] < heading && !(optional && width[c] == 0))
            width[c] = heading;
    }
}

/* Ids to the right, all else to the left; nothing trails. */
static void print_row(const row *r, const int width[COLUMNS], FILE *out)
{
    int owed = 0;
    for (int c = 0; c < COLUMNS; c++) {
        const char *text = r->cell[c];
        const int used = rg__text_columns(text), rest = used < width[c] ? width[c] - used : 0;
        if (width[c] == 0)
            continue;
        if (used > 0)
            fprintf(out, "%*s%s", owed + (c == ID ? rest : 0), "", text);
        owed = used > 0 ? 2 + (c == ID ? 0 : rest) : owed + width[c] + 2;
    }
    fputc('\n', out);
}

void rg_tape_print(rg_tape *t, FILE *out)
{
    if (!out)
        return;
    int width[COLUMNS];
    measure_columns(t, width);
    row r;
    rg_node node;
    heading_row(&r);
    print_row(&r, width, out);
    const int64_t length = rg_tape_length(t);
    for (int64_t i = 0; i < length; i++) {
        if (describe(t, i, &node, &r)) {
            add_value(&node, r.cell[VALUE]);
            print_row(&r, width, out);
        }
    }
    if (rg_failed(t))
        fprintf(out, "error: %s\n", rg_tape_error(t));
}
