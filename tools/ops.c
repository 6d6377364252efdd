/* retrograd ops: the op table as text and as JSON, and all that there is to know of one op. */
#include "contracts.h"
#include "tool.h"

#include <retrograd/retrograd.h>

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static void print_help(void)
{
    puts("Usage: retrograd ops [--json]\n"
         "       retrograd ops [--json] NAME\n"
         "\n"
         "Without a name, lists every op, a line each:\n"
         "  NAME    as 'retrograd apply' and rg_apply call it; the C function is rg_NAME\n"
         "  INPUTS  its tensors; ? marks one that may be left out, ... any number of them\n"
         "  DTYPES  what they may be, for all of them or one by one: any, number (f32, f64, i32, i64),\n"
         "          float (f32, f64), integer (i32, i64), whole (i32, i64, bool), bool; - where there are no tensors\n"
         "  GRAD    whether it is differentiable with respect to its float inputs\n"
         "  ORDER   the order to which the op's samples check its gradients; 0: not at all\n"
         "  KIND    primitive: a node of its own on the tape; composed: recorded as other ops\n"
         "\n"
         "With a name, prints the op's signature with its attributes and their defaults, its formula, the C function and\n"
         "what its header promises.\n"
         "\n"
         "Options:\n"
         "  --json      the same for machines: an array of objects, or one object\n"
         "  -h, --help  this text");
}

/* ---- columns ---- */

enum { TEXT_SIZE = 256 };

/* At most `length` characters of `from`, as far as there is room. */
static void append(char text[TEXT_SIZE], const char *from, size_t length)
{
    const size_t used = strlen(text), left = TEXT_SIZE - 1 - used, n = strnlen(from, length < left ? length : left);
    memcpy(text + used, from, n);
    text[used + n] = '\0';
}

static int trimmed(const char **from, const char *to)
{
    while (*from < to && **from == ' ')
        ++*from;
    while (to > *from && to[-1] == ' ')
        to--;
    return (int)(to - *from);
}

static bool is_class(const char *type, int length)
{
    static const char *const classes[] = {"any", "number", "float", "integer", "whole", "bool"};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if ((int)strlen(classes[i]) == length && strncmp(type, classes[i], (size_t)length) == 0)
            return true;
    return false;
}

/* The tensors of a signature, and their dtypes: one word where all have the same. */
static void read_tensors(const char *signature, char names[TEXT_SIZE], char dtypes[TEXT_SIZE])
{
    const char *first = NULL;
    int first_length = 0;
    bool same = true;
    names[0] = dtypes[0] = '\0';
    for (const char *at = signature; *at;) {
        const char *colon = at + strcspn(at, ":"), *end = colon + strcspn(colon, ",=-"), *type = colon + (*colon == ':');
        const int name_length = trimmed(&at, colon), type_length = trimmed(&type, end);
        if (!is_class(type, type_length))
            break; /* attributes follow the tensors */
        append(names, first ? ", " : "", 2);
        append(names, at, (size_t)name_length);
        append(dtypes, first ? ", " : "", 2);
        append(dtypes, type, (size_t)type_length);
        same = same && (!first || (type_length == first_length && strncmp(type, first, (size_t)type_length) == 0));
        first = first ? first : type;
        first_length = first == type ? type_length : first_length;
        at = end + (*end == ',');
        if (*end == '-')
            break;
    }
    if (first && same)
        snprintf(dtypes, TEXT_SIZE, "%.*s", first_length, first);
    if (!first) {
        append(names, "-", 1);
        append(dtypes, "-", 1);
    }
}

static int checked_order(const rg_op *op)
{
    return op->differentiable && rg_op_samples(op->name) > 0 ? 2 : 0;
}

static void print_table(void)
{
    static const char *const titles[] = {"NAME", "INPUTS", "DTYPES"};
    char names[TEXT_SIZE], dtypes[TEXT_SIZE];
    int width[3];
    rg_op op;
    for (int i = 0; i < 3; i++)
        width[i] = (int)strlen(titles[i]);
    for (int i = 0; rg_op_at(i, &op); i++) {
        read_tensors(op.signature, names, dtypes);
        const size_t lengths[] = {strlen(op.name), strlen(names), strlen(dtypes)};
        for (int k = 0; k < 3; k++)
            width[k] = (int)lengths[k] > width[k] ? (int)lengths[k] : width[k];
    }
    printf("%-*s  %-*s  %-*s  GRAD  ORDER  KIND\n", width[0], titles[0], width[1], titles[1], width[2], titles[2]);
    for (int i = 0; rg_op_at(i, &op); i++) {
        read_tensors(op.signature, names, dtypes);
        printf("%-*s  %-*s  %-*s  %-4s  %5d  %s\n", width[0], op.name, width[1], names, width[2], dtypes,
               op.differentiable ? "yes" : "no", checked_order(&op), op.primitive ? "primitive" : "composed");
    }
}

/* ---- one op ---- */

static const contract *contract_of(const char *name)
{
    for (int i = 0; i < contract_count; i++)
        if (strcmp(contracts[i].name, name) == 0)
            return &contracts[i];
    return NULL;
}

/* Every line behind the same margin; a title before the first one. */
static void print_lines(const char *title, const char *text)
{
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        const int length = (int)strcspn(at, "\n");
        printf("%-11s%s%.*s\n", at == text ? title : "", length ? " " : "", length, at);
    }
}

static void print_contract(const contract *c)
{
    char include[TEXT_SIZE], beside[TEXT_SIZE];
    snprintf(include, sizeof include, "#include <%s>", c->header);
    snprintf(beside, sizeof beside, "As said of %s:", c->beside);
    print_lines("C", include);
    print_lines("", c->prototype);
    puts("");
    print_lines("contract", c->comment);
    if (*c->shared)
        print_lines(*c->comment ? "" : "contract", beside);
    print_lines("", c->shared);
    print_lines("section", c->heading);
    print_lines("header", c->about);
    if (*c->types) {
        puts("");
        print_lines("types", c->types);
    }
}

static void print_op(const rg_op *op)
{
    const contract *c = contract_of(op->name);
    char dtypes[TEXT_SIZE] = "";
    for (int i = 0; i < RG_DTYPES; i++)
        if (op->dtype[i]) {
            append(dtypes, " ", *dtypes != '\0');
            append(dtypes, rg_dtype_name((rg_dtype)i), TEXT_SIZE);
        }
    print_lines("name", op->name);
    print_lines("signature", *op->signature ? op->signature : "()");
    print_lines("formula", op->formula);
    print_lines("dtypes", *dtypes ? dtypes : "-");
    print_lines("gradient", op->differentiable ? "yes, with respect to its float inputs" : "no");
    printf("%-12s%d", "samples", rg_op_samples(op->name));
    printf(checked_order(op) ? ", gradients checked to order 2\n" : "\n");
    print_lines("kind", op->primitive ? (op->random ? "primitive, random" : "primitive")
                                      : (op->random ? "composed, random" : "composed"));
    if (c)
        print_contract(c);
}

/* ---- JSON ---- */

static void put_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        const unsigned char ch = (unsigned char)*text;
        if (ch == '"' || ch == '\\')
            printf("\\%c", ch);
        else if (ch == '\n')
            printf("\\n");
        else if (ch < ' ')
            printf("\\u%04x", ch);
        else
            putchar(ch);
    }
    putchar('"');
}

static void put_field(const char *name, const char *text)
{
    printf(", \"%s\": ", name);
    put_string(text);
}

static void put_op(const rg_op *op, bool whole)
{
    const contract *c = contract_of(op->name);
    const char *comma = "";
    printf("{\"name\": ");
    put_string(op->name);
    put_field("signature", op->signature);
    put_field("formula", op->formula);
    printf(", \"least_inputs\": %d, \"most_inputs\": ", op->least_inputs);
    printf(op->most_inputs < 0 ? "null" : "%d", op->most_inputs);
    printf(", \"results\": ");
    printf(op->results < 0 ? "null" : "%d", op->results);
    printf(", \"dtypes\": [");
    for (int i = 0; i < RG_DTYPES; i++)
        if (op->dtype[i]) {
            printf("%s\"%s\"", comma, rg_dtype_name((rg_dtype)i));
            comma = ", ";
        }
    printf("], \"differentiable\": %s, \"order\": %d, \"samples\": %d, \"random\": %s, \"primitive\": %s",
           op->differentiable ? "true" : "false", checked_order(op), rg_op_samples(op->name),
           op->random ? "true" : "false", op->primitive ? "true" : "false");
    if (c && whole) {
        put_field("header", c->header);
        put_field("prototype", c->prototype);
        put_field("comment", c->comment);
        put_field("beside", c->beside);
        put_field("shared", c->shared);
        put_field("section", c->heading);
        put_field("about", c->about);
        put_field("types", c->types);
    }
    putchar('}');
}

static void put_table(void)
{
    rg_op op;
    printf("[");
    for (int i = 0; rg_op_at(i, &op); i++) {
        printf(i ? ",\n " : "\n ");
        put_op(&op, false);
    }
    printf("\n]\n");
}

int run_ops(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool json = false;
    rg_op op;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;)
        switch (option) {
        case 'j': json = true; break;
        case 'h': print_help(); return finish();
        default: return bad_option("ops ");
        }
    if (argc - optind > 1)
        return usage_error("ops ", "unexpected argument '%s'", argv[optind + 1]);
    if (optind == argc) {
        (json ? put_table : print_table)();
        return finish();
    }
    if (!rg_op_find(argv[optind], &op))
        return trouble("there is no op '%s'; 'retrograd ops' lists them", argv[optind]);
    if (json) {
        put_op(&op, true);
        putchar('\n');
    } else {
        print_op(&op);
    }
    return finish();
}
