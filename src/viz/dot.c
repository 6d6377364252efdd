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

/* What tells parameters, inputs, constants and ops apart. Of the ops, those that gradients flow through are green, those
 * of the backward pass violet. */
static const char parameter_look[] = "shape=cylinder, fillcolor=\"#ffe2a8\", style=\"filled";
static const char input_look[] = "shape=house, fillcolor=\"#cfe4f7\", style=\"filled";
static const char constant_look[] = "shape=ellipse, fillcolor=\"#eeeeee\", style=\"filled";
static const char plain_op_look[] = "shape=box, fillcolor=\"#ffffff\", style=\"rounded,filled";
static const char gradient_op_look[] = "shape=box, fillcolor=\"#e3f2df\", style=\"rounded,filled";
static const char backward_op_look[] = "shape=box, fillcolor=\"#f1ecf9\", style=\"rounded,filled";

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

static bool is_op(const rg_node *node, const char *name)
{
    return strcmp(node->op, name) == 0;
}

static const char *look_of(const rg_node *node)
{
    if (is_op(node, "leaf"))
        return parameter_look;
    if (is_op(node, "input") || is_op(node, "scalar"))
        return input_look;
    if (node->input_count == 0)
        return constant_look;
    return node->backward ? backward_op_look : node->requires_grad ? gradient_op_look : plain_op_look;
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

/* A parameter's name, a constant's value or the op; attributes; shape and dtype; the value of a single element that is
 * there. */
static void put_label(const rg_node *node, FILE *out)
{
    static const char value[] = "value=";
    const size_t skip = sizeof value - 1;
    char text[RG__TEXT_SHAPE];
    const bool leaf = is_op(node, "leaf");
    const bool constant = is_op(node, "constant") && strncmp(node->attributes, value, skip) == 0;
    put_text(leaf ? node->name : constant ? node->attributes + skip : node->op, out);
    if (node->name[0] && !leaf) {
        fputc(' ', out);
        put_text(node->name, out);
    }
    if (node->attributes[0] && !constant) {
        fputs("\\n", out);
        put_text(node->attributes, out);
    }
    rg__text_shape(node->shape, text);
    fprintf(out, "\\n%s %s", text, rg_dtype_name(node->dtype));
    if (!constant && node->computed && node->data && rg_shape_numel(node->shape) == 1) {
        char number[RG__TEXT_NUMBER];
        rg__text_number(only_element(node), node->dtype == RG_F32, 4, number);
        fprintf(out, "\\n= %s", number);
    }
}

static void put_node(int64_t index, const rg_node *node, FILE *out)
{
    fprintf(out, "n%" PRId64 " [label=\"", index);
    put_label(node, out);
    fprintf(out, "\", %s%s\"];\n", look_of(node), node->backward ? ",dashed" : "");
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
