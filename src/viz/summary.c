/* Retrograd, viz: the model that a tape has recorded, a line a scope.
 *
 * There is no registry of layers: lines come from the scopes of the nodes, parameters from the store by name. A scope
 * is a path; the scopes around it are lines, too, and each line knows that of the scope around it. */
#include <retrograd/params.h>
#include <retrograd/tape.h>
#include <retrograd/viz.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum {
    SHOWN_OPS = 3, /* names of ops in a line, before "..." */
    CELL = 256,    /* bytes of a cell's text; longer text is cut */
    WIDEST = 44,   /* columns stop growing here */
};

typedef struct line {
    const char *path; /* not ended by a NUL: `length` bytes */
    size_t length;
    int around;     /* the line of the scope around; -1: none */
    int64_t output; /* the last node that is used outside; -1 */
    int64_t last;   /* the last node that nothing uses; -1   */
    const char *op[SHOWN_OPS + 1];
    int ops;
    int64_t trainable, frozen, buffers, bytes, recorded;
} line;

typedef struct summary {
    line *lines;
    int count, capacity;
    bool no_memory;
    int64_t values, recorded; /* of all lines */
} summary;

/* ---- lines -------------------------------------------------------------------------------------------------------- */

static bool starts_path(const line *l, const char *path, size_t length)
{
    return l->length == 0 || (l->length <= length && memcmp(l->path, path, l->length) == 0 &&
                              (l->length == length || path[l->length] == '.'));
}

static int find_line(const summary *s, const char *path, size_t length)
{
    for (int i = s->count; i-- > 0;)
        if (s->lines[i].length == length && memcmp(s->lines[i].path, path, length) == 0)
            return i;
    return -1;
}

static size_t length_around(const char *path, size_t length)
{
    while (length > 0 && path[length - 1] != '.')
        length--;
    return length > 0 ? length - 1 : 0;
}

static int add_line(summary *s, const char *path, size_t length, int around)
{
    if (s->count == s->capacity) {
        const int capacity = s->capacity > 0 ? 2 * s->capacity : 32;
        line *more = realloc(s->lines, (size_t)capacity * sizeof *more);
        if (more == NULL) {
            s->no_memory = true;
            return -1;
        }
        s->lines = more;
        s->capacity = capacity;
    }
    s->lines[s->count] = (line){.path = path, .length = length, .around = around, .output = -1, .last = -1};
    return s->count++;
}

/* The line of a path, made with those around it if need be; -1 when out of memory. */
static int line_of(summary *s, const char *path, size_t length)
{
    int found = find_line(s, path, length);
    while (found < 0 && !s->no_memory) {
        /* the outermost that is missing comes first */
        size_t missing = length, around = length_around(path, length);
        while (missing > 0 && find_line(s, path, around) < 0) {
            missing = around;
            around = length_around(path, around);
        }
        add_line(s, path, missing, missing > 0 ? find_line(s, path, around) : -1);
        found = find_line(s, path, length);
    }
    return s->no_memory ? -1 : found;
}

/* ---- nodes -------------------------------------------------------------------------------------------------------- */

/* Of the forward pass: neither of gradients nor of an optimizer. */
static bool is_forward(const rg_node *node)
{
    return !node->backward &&
           !(strncmp(node->scope, "optim", 5) == 0 && (node->scope[5] == '\0' || node->scope[5] == '.'));
}

/* A value that a layer may have for its result. */
static bool is_value(const rg_node *node)
{
    return node->input_count > 0 && strcmp(node->op, "leaf") != 0 && strcmp(node->op, "assign") != 0;
}

/* Values that take room of their own; parameters and inputs are counted elsewhere or belong to the caller. */
static bool takes_room(const rg_node *node)
{
    return !node->is_view && strcmp(node->op, "leaf") != 0 && strcmp(node->op, "assign") != 0 &&
           strcmp(node->op, "input") != 0 && strcmp(node->op, "borrow") != 0 && node->shape.rank + node->input_count > 0;
}

static void note_op(line *l, const rg_node *node)
{
    if (!is_value(node) || node->is_view)
        return;
    for (int i = 0; i < l->ops; i++)
        if (strcmp(l->op[i], node->op) == 0)
            return;
    if (l->ops <= SHOWN_OPS)
        l->op[l->ops++] = node->op;
}

/* The value that a node reads is a result of every scope that it is in and the node is not. */
static void note_use(rg_tape *t, summary *s, const rg_node *user, uint32_t used)
{
    rg_node node;
    if (!rg_tape_node(t, rg_tape_at(t, used), &node) || !is_forward(&node) || !is_value(&node))
        return;
    const size_t length = strlen(user->scope);
    for (int i = find_line(s, node.scope, strlen(node.scope)); i >= 0; i = s->lines[i].around) {
        line *const l = &s->lines[i];
        if (starts_path(l, user->scope, length))
            break;
        if (l->output < (int64_t)used)
            l->output = (int64_t)used;
    }
}

static void add_nodes(rg_tape *t, summary *s)
{
    const int64_t length = rg_tape_length(t);
    bool *used = calloc((size_t)length + 1, sizeof *used);
    rg_node node;
    s->no_memory |= used == NULL;
    for (int64_t i = 0; i < length && !s->no_memory; i++) {
        if (!rg_tape_node(t, rg_tape_at(t, i), &node) || !is_forward(&node))
            continue;
        const int at = line_of(s, node.scope, strlen(node.scope));
        if (at < 0)
            break;
        note_op(&s->lines[at], &node);
        if (takes_room(&node)) {
            const int64_t bytes = rg_shape_numel(node.shape) * (int64_t)rg_dtype_size(node.dtype);
            s->lines[at].recorded += bytes;
            s->recorded += bytes;
            s->values++;
        }
        for (int k = 0; k < node.input_count; k++) {
            note_use(t, s, &node, node.inputs[k]);
            used[node.inputs[k]] = true;
        }
    }
    for (int64_t i = 0; i < length && !s->no_memory; i++)
        if (!used[i] && rg_tape_node(t, rg_tape_at(t, i), &node) && is_forward(&node) && is_value(&node))
            for (int at = find_line(s, node.scope, strlen(node.scope)); at >= 0; at = s->lines[at].around)
                s->lines[at].last = i;
    free(used);
}

/* ---- entries of the store ------------------------------------------------------------------------------------------- */

/* The scope in which a parameter was first put on the tape; NULL where it was not. */
static const char *first_use(rg_tape *t, const char *name)
{
    rg_node node;
    const int64_t length = rg_tape_length(t);
    for (int64_t i = 0; i < length; i++)
        if (rg_tape_node(t, rg_tape_at(t, i), &node) && is_forward(&node) && strcmp(node.op, "leaf") == 0 &&
            strcmp(node.name, name) == 0)
            return node.scope;
    return NULL;
}

static void add_entries(rg_tape *t, const rg_params *ps, summary *s)
{
    for (int i = 0; i < rg_params_count(ps); i++) {
        const rg_param *p = rg_params_at(ps, i);
        const char *const name = rg_param_name(p), *scope;
        if (rg_param_kind_of(p) == RG_STATE)
            continue;
        const size_t length = length_around(name, strlen(name));
        int at = find_line(s, name, length);
        if (at < 0 && (scope = first_use(t, name)) != NULL)
            at = find_line(s, scope, strlen(scope));
        if (at < 0)
            at = line_of(s, name, length);
        if (at < 0)
            return;
        line *const l = &s->lines[at];
        const int64_t numel = rg_param_numel(p);
        *(rg_param_kind_of(p) == RG_BUFFER ? &l->buffers : rg_param_trainable(p) ? &l->trainable : &l->frozen) += numel;
        l->bytes += numel * (int64_t)rg_dtype_size(rg_param_dtype(p));
    }
}

/* ---- text ----------------------------------------------------------------------------------------------------------- */

typedef enum column { LAYER, OPS, OUTPUT, PARAMETERS, FROZEN, BUFFERS, BYTES, RECORDED, COLUMNS } column;

static const char *const headings[COLUMNS] = {"layer",  "ops",     "output", "parameters",
                                              "frozen", "buffers", "bytes",  "recorded"};

typedef struct row {
    char cell[COLUMNS][CELL];
} row;

static void number_cell(char *cell, int64_t value)
{
    cell[0] = '\0';
    if (value != 0)
        snprintf(cell, CELL, "%" PRId64, value);
}

static void ops_cell(char *cell, const line *l)
{
    size_t used = 0;
    cell[0] = '\0';
    for (int i = 0; i < l->ops && used < CELL; i++)
        used += (size_t)snprintf(cell + used, CELL - used, "%s%s", i > 0 ? " " : "", i < SHOWN_OPS ? l->op[i] : "...");
}

static void describe(rg_tape *t, const line *l, row *r)
{
    rg_node node;
    const int64_t output = l->output >= 0 ? l->output : l->last;
    /* The top is no layer, and has no output. */
    snprintf(r->cell[LAYER], CELL, "%.*s", l->length > 0 ? (int)(l->length < CELL ? l->length : CELL) : 5,
             l->length > 0 ? l->path : "(top)");
    for (char *c = r->cell[LAYER]; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 127) /* would break the table */
            *c = '?';
    ops_cell(r->cell[OPS], l);
    r->cell[OUTPUT][0] = '\0';
    if (l->length > 0 && output >= 0 && rg_tape_node(t, rg_tape_at(t, output), &node))
        rg__text_shape(node.shape, r->cell[OUTPUT]);
    number_cell(r->cell[PARAMETERS], l->trainable + l->frozen);
    number_cell(r->cell[FROZEN], l->frozen);
    number_cell(r->cell[BUFFERS], l->buffers);
    number_cell(r->cell[BYTES], l->bytes);
    number_cell(r->cell[RECORDED], l->recorded);
}

/* Text to the left, numbers to the right; nothing trails. Columns of width 0 are left out. */
static void print_row(const row *r, const int width[COLUMNS], FILE *out)
{
    int owed = 0;
    for (int c = 0; c < COLUMNS; c++) {
        const int used = rg__text_columns(r->cell[c]), rest = used < width[c] ? width[c] - used : 0;
        if (width[c] == 0)
            continue;
        if (used > 0)
            fprintf(out, "%*s%s", owed + (c >= PARAMETERS ? rest : 0), "", r->cell[c]);
        owed = used > 0 ? 2 + (c >= PARAMETERS ? 0 : rest) : owed + width[c] + 2;
    }
    fputc('\n', out);
}

static bool has_something(const line *l)
{
    return l->length > 0 || l->ops > 0 || l->recorded > 0 || l->bytes > 0;
}

static void print_lines(rg_tape *t, const summary *s, FILE *out)
{
    int width[COLUMNS] = {0};
    row r;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = -1; i < s->count; i++) {
            if (i >= 0 && !has_something(&s->lines[i]))
                continue;
            if (i >= 0)
                describe(t, &s->lines[i], &r);
            else
                for (int c = 0; c < COLUMNS; c++)
                    snprintf(r.cell[c], CELL, "%s", pass == 0 && c > OPS ? "" : headings[c]);
            if (pass == 1)
                print_row(&r, width, out);
            for (int c = 0; c < COLUMNS && pass == 0; c++) {
                const int used = rg__text_columns(r.cell[c]);
                width[c] = used > width[c] ? used < WIDEST ? used : WIDEST : width[c];
            }
        }
        for (int c = 0; c < COLUMNS; c++) /* a heading alone makes no column */
            if (width[c] > 0 && width[c] < (int)strlen(headings[c]))
                width[c] = (int)strlen(headings[c]);
    }
}

static void print_totals(const rg_params *ps, const summary *s, FILE *out)
{
    const rg_params_total total = rg_params_count_matching(ps, "*"), state = rg_params_count_matching(ps, "*/*");
    fprintf(out, "parameters: %" PRId64 " trainable, %" PRId64 " frozen, %" PRId64 " bytes\n", total.trainable,
            total.frozen, total.param_bytes);
    if (total.buffers > 0)
        fprintf(out, "buffers: %" PRId64 ", %" PRId64 " bytes\n", total.buffers, total.buffer_bytes);
    if (state.state > 0)
        fprintf(out, "optimizer state: %" PRId64 ", %" PRId64 " bytes\n", state.state, state.state_bytes);
    fprintf(out, "recorded: %" PRId64 " values, %" PRId64 " bytes\n", s->values, s->recorded);
}

void rg_summary_print(rg_tape *t, const rg_params *ps, FILE *out)
{
    if (!out)
        return;
    summary s = {0};
    add_nodes(t, &s);
    add_entries(t, ps, &s);
    if (s.no_memory) {
        fputs("error: no memory for the summary\n", out);
    } else {
        print_lines(t, &s, out);
        print_totals(ps, &s, out);
    }
    if (rg_failed(t))
        fprintf(out, "error: %s\n", rg_tape_error(t));
    free(s.lines);
}
