/* Retrograd, viz: the tape as a Graphviz digraph.
 *
 * Nodes are written in the order of the tape. A cluster is opened and closed as the scopes come and go; Graphviz takes
 * a second subgraph of the same name as more of the first, so a scope that is entered again still is one box. */
#include <retrograd/tape.h>
#include <retrograd/viz.h>

#include <inttypes.h>
#include <string.h>

#include "text.h"

static const char prologue[] =
    "digraph tape {\n"
    "    graph [rankdir=TB, ranksep=0.35, nodesep=0.25, fontname=\"Helvetica\", fontsize=11, color=\"#b0b8c0\",\n"
    "           fontcolor=\"#606870\", labeljust=l];\n"
    "    node [fontname=\"Helvetica\", fontsize=10, height=0.3, margin=\"0.12,0.05\", color=\"#404850\"];\n"
    "    edge [color=\"#606870\", arrowsize=0.6];\n";

/* What tells parameters, inputs, constants and ops apart. */
static const char parameter_look[] = "shape=cylinder, style=\"filled%s\", fillcolor=\"#ffe2a8\"";
static const char input_look[] = "shape=house, style=\"filled%s\", fillcolor=\"#cfe4f7\"";
static const char constant_look[] = "shape=ellipse, style=\"filled%s\", fillcolor=\"#eeeeee\"";
static const char op_look[] = "shape=box, style=\"rounded,filled%s\", fillcolor=\"%s\"";
static const char op_with_gradient[] = "#e3f2df", op_without_gradient[] = "#ffffff";

/* Writes `length` bytes of a text as the inside of a quoted Graphviz string. */
static void put_escaped(const char *text, size_t length, FILE *out)
{
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            fputc('\\', out);
        if (c == '\n')
            fputs("\\n", out);
        else
            fputc(c < ' ' || c == 127 ? '?' : c, out);
    }
}

static void put_text(const char *text, FILE *out)
{
    put_escaped(text, strlen(text), out);
}

/* ---- scopes ---------------------------------------------------------------------------------------------------- */

/* Where the next node is written: within the boxes of a scope, forward or backward. Both passes have boxes of their
 * own: a layer's backward nodes are far from its forward nodes, and one box around both would hold everything. */
typedef struct place {
    const char *scope;
    bool backward;
} place;

/* The length of the scope's first `depth` names; the whole where it has no more. */
static size_t prefix_length(const char *scope, int depth)
{
    size_t length = 0;
    for (; scope[length]; length++) {
        if (scope[length] == '.' && --depth == 0)
            break;
    }
    return length;
}

static int depth_of(const char *scope)
{
    int depth = scope[0] != 0;
    for (; *scope; scope++)
        depth += *scope == '.';
    return depth;
}

/* The number of boxes that two places share, of those that are open at the first. */
static int shared_depth(place a, place b)
{
    if (a.backward != b.backward)
        return 0;
    int depth = 0;
    for (const int most = depth_of(a.scope); depth < most && depth < depth_of(b.scope); depth++) {
        const size_t length = prefix_length(a.scope, depth + 1);
        if (length != prefix_length(b.scope, depth + 1) || memcmp(a.scope, b.scope, length) != 0)
            break;
    }
    return depth;
}

static void indent(int depth, FILE *out)
{
    fprintf(out, "%*s", 4 * (depth + 1), "");
}

static void open_box(place p, int depth, FILE *out)
{
    const size_t end = prefix_length(p.scope, depth + 1);
    const size_t begin = depth == 0 ? 0 : prefix_length(p.scope, depth) + 1;
    indent(depth, out);
    fputs(p.backward ? "subgraph \"cluster_backward " : "subgraph \"cluster_forward ", out);
    put_escaped(p.scope, end, out);
    fputs("\" {\n", out);
    indent(depth + 1, out);
    fputs("label=\"", out);
    put_escaped(p.scope + begin, end - begin, out);
    fprintf(out, "\"; style=\"rounded%s\";\n", p.backward ? ",dashed" : "");
}

/* Closes and opens boxes to get from one place to another. Returns the depth there. */
static int move(place from, place to, FILE *out)
{
    const int shared = shared_depth(from, to), depth = depth_of(to.scope);
    for (int d = depth_of(from.scope); d > shared; d--) {
        indent(d - 1, out);
        fputs("}\n", out);
    }
    for (int d = shared; d < depth; d++)
        open_box(to, d, out);
    return depth;
}

/* ---- nodes and edges --------------------------------------------------------------------------------------------- */

static bool is_input(const rg_node *node)
{
    static const char *const inputs[] = {"input", "borrow", "scalar"};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        if (strcmp(node->op, inputs[i]) == 0)
            return true;
    }
    return false;
}

static void put_look(const rg_node *node, FILE *out)
{
    const char *dashed = node->backward ? ",dashed" : "";
    if (node->input_count > 0)
        fprintf(out, op_look, dashed, node->requires_grad ? op_with_gradient : op_without_gradient);
    else
        fprintf(out, node->name[0] ? parameter_look : is_input(node) ? input_look : constant_look, dashed);
}

static double only_element(const rg_node *node)
{
    switch (node->dtype) {
    case RG_F32: return *(const float *)node->data;
    case RG_F64: return *(const double *)node->data;
    case RG_I32: return *(const int32_t *)node->data;
    case RG_I64: return (double)*(const int64_t *)node->data;
    case RG_BOOL: return *(const bool *)node->data;
    }
    return 0;
}

/* Op or parameter, attributes, shape and dtype, and the value of a single element where it is there. */
static void put_label(const rg_node *node, FILE *out)
{
    char text[RG__TEXT_SHAPE];
    put_text(node->op, out);
    if (node->name[0]) {
        fputc(' ', out);
        put_text(node->name, out);
    }
    if (node->attributes[0]) {
        fputs("\\n", out);
        put_text(node->attributes, out);
    }
    rg__text_shape(node->shape, text);
    fprintf(out, "\\n%s %s", text, rg_dtype_name(node->dtype));
    if (node->computed && node->data && rg_shape_numel(node->shape) == 1) {
        char number[RG__TEXT_NUMBER];
        rg__text_number(only_element(node), node->dtype == RG_F32, 4, number);
        fprintf(out, "\\n= %s", number);
    }
}

static void put_node(int64_t index, const rg_node *node, FILE *out)
{
    fprintf(out, "n%" PRId64 " [label=\"", index);
    put_label(node, out);
    fputs("\", ", out);
    put_look(node, out);
    fputs("];\n", out);
}

static void put_edges(int64_t index, const rg_node *node, FILE *out)
{
    for (int i = 0; i < node->input_count; i++)
        fprintf(out, "    n%" PRIu32 " -> n%" PRId64 "%s;\n", node->inputs[i], index,
                node->backward ? " [style=dashed]" : "");
}

void rg_tape_dot(rg_tape *t, FILE *out)
{
    if (!out)
        return;
    fputs(prologue, out);
    if (rg_failed(t)) {
        fputs("    label=\"", out);
        put_text(rg_tape_error(t), out);
        fputs("\";\n", out);
    }
    const place top = {"", false};
    place here = top;
    rg_node node;
    const int64_t length = rg_tape_length(t);
    for (int64_t i = 0; i < length; i++) {
        if (!rg_tape_node(t, rg_tape_at(t, i), &node))
            continue;
        const place next = {node.scope, node.backward};
        indent(move(here, next, out), out);
        put_node(i, &node, out);
        here = next;
    }
    move(here, top, out);
    for (int64_t i = 0; i < length; i++) {
        if (rg_tape_node(t, rg_tape_at(t, i), &node))
            put_edges(i, &node, out);
    }
    fputs("}\n", out);
}
