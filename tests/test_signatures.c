/* The public table as data: every op is declared in a header under its name, every function of the ops' headers is in the
 * table, and signatures are well formed. The program's argument is the project's root folder. */
#include "table_support.h"

#include "golden/coverage.h"

#include <dirent.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static const char *root;
static int ops;

/* ---- the table and the headers ---- */

static char *read_header(const char *path)
{
    char *text = NULL;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    rewind(file);
    text = calloc((size_t)size + 1, 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    fclose(file);
    return text;
}

/* Calls `each` with the name of every function that a header declares, and with what stands in its parentheses. */
static int each_function(const char *path, void (*each)(const char *path, const char *name, const char *parameters))
{
    char *text = read_header(path);
    int count = 0;
    for (const char *line = text; line; line = strchr(line, '\n'), line += line != NULL) {
        char name[64];
        if (declared_name(line, name)) {
            each(path, name, strchr(line, '(') + 1);
            count++;
        }
    }
    free(text);
    return count;
}

static void in_the_table(const char *path, const char *name, const char *parameters)
{
    rg_op op;
    if (strncmp(parameters, "rg_tape *", 9) == 0 && !rg_op_find(name + 3, &op))
        fail_msg("%s declares %s, which is no op of the table", path, name);
}

static bool *declared;

static void mark_declared(const char *path, const char *name, const char *parameters)
{
    (void)path, (void)parameters;
    rg_op op;
    for (int i = 0; i < ops; i++)
        if (rg_op_at(i, &op) && strcmp(op.name, name + 3) == 0)
            declared[i] = true;
}

/* Every header in a folder below the project's. */
static int each_header(const char *folder, void (*each)(const char *path, const char *name, const char *parameters))
{
    char path[1024];
    int count = 0;
    snprintf(path, sizeof path, "%s/%s", root, folder);
    DIR *dir = opendir(path);
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        const size_t length = strlen(entry->d_name);
        if (length < 3 || strcmp(entry->d_name + length - 2, ".h") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s/%s", root, folder, entry->d_name);
        count += each_function(path, each);
    }
    if (dir)
        closedir(dir);
    return count;
}

static void every_function_of_the_ops_headers_is_in_the_table(void **state)
{
    (void)state;
    char path[1024];
    snprintf(path, sizeof path, "%s/include/retrograd/ops.h", root);
    const int count = each_function(path, in_the_table) + each_header("include/retrograd/ops", in_the_table);
    assert_true(count > 80);
}

static void every_op_of_the_table_is_declared(void **state)
{
    (void)state;
    declared = calloc((size_t)ops, sizeof *declared);
    assert_non_null(declared);
    each_header("include/retrograd", mark_declared);
    each_header("include/retrograd/ops", mark_declared);
    rg_op op;
    for (int i = 0; i < ops; i++)
        if (!declared[i] && rg_op_at(i, &op))
            fail_msg("no header declares rg_%s", op.name);
    free(declared);
}

/* ---- signatures ---- */

static bool is_name(const char *name)
{
    return islower((unsigned char)*name) && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static bool is_number(const char *text, bool whole)
{
    char *end;
    if (whole)
        strtoll(text, &end, 10);
    else
        strtod(text, &end);
    return *text && *end == '\0';
}

static bool is_list(const char *text)
{
    if (*text != '[')
        return is_number(text, true);
    for (text++; *text != ']'; text += strspn(text, ", ")) {
        char *end;
        strtoll(text, &end, 10);
        if (end == text)
            return false;
        text = end;
    }
    return text[1] == '\0';
}

static bool is_word_of(const char *words, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = words; *at; at += strcspn(at, "|"), at += *at == '|')
        if (strcspn(at, "|") == n && strncmp(at, word, n) == 0)
            return true;
    return false;
}

/* Does the default have the form of its type? */
static bool default_fits(const parameter *p)
{
    const bool none = strcmp(p->value, "none") == 0, all = strcmp(p->value, "all") == 0;
    if (strcmp(p->type, "int") == 0 || strcmp(p->type, "real") == 0)
        return none || is_number(p->value, strcmp(p->type, "int") == 0);
    if (strcmp(p->type, "flag") == 0)
        return strcmp(p->value, "true") == 0 || strcmp(p->value, "false") == 0;
    if (strcmp(p->type, "dtype") == 0)
        return is_word_of("f32|f64|i32|i64|bool", p->value);
    if (strcmp(p->type, "ints") == 0)
        return none || all || is_list(p->value);
    return strcmp(p->type, "text") == 0 || is_word_of(p->type, p->value);
}

static void assert_parameter(const rg_op *op, const parameter *p, const signature *s)
{
    static const char *const types[] = {"int", "real", "flag", "dtype", "ints", "text"};
    if (!is_name(p->name))
        fail_msg("%s: '%s' is no name", op->name, p->name);
    int same = 0;
    for (int i = 0; i < s->tensors; i++)
        same += strcmp(s->tensor[i].name, p->name) == 0;
    for (int i = 0; i < s->attributes; i++)
        same += strcmp(s->attribute[i].name, p->name) == 0;
    if (same != 1)
        fail_msg("%s: '%s' is there %d times", op->name, p->name, same);
    if (p->tensor ? p->defaulted : p->optional || p->many)
        fail_msg("%s: '%s' has a mark that it cannot have", op->name, p->name);
    bool known = p->tensor || strchr(p->type, '|');
    for (int i = 0; i < COUNT(types); i++)
        known = known || strcmp(p->type, types[i]) == 0;
    if (!known)
        fail_msg("%s: '%s' has the unknown type '%s'", op->name, p->name, p->type);
    if (p->defaulted && !default_fits(p))
        fail_msg("%s: the default '%s' of '%s' is no %s", op->name, p->value, p->name, p->type);
}

static void every_signature_is_well_formed(void **state)
{
    (void)state;
    rg_op op, found;
    for (int i = 0; i < ops; i++) {
        assert_true(rg_op_at(i, &op));
        assert_true(rg_op_find(op.name, &found));
        assert_ptr_equal(found.name, op.name); /* no other has this name */
        if (!is_name(op.name) || !op.formula || !*op.formula)
            fail_msg("op '%s' has no good name or no formula", op.name);
        const signature s = read_signature(op.signature);
        int least = 0;
        bool many = false;
        for (int k = 0; k < s.tensors; k++) {
            const parameter *p = &s.tensor[k];
            assert_parameter(&op, p, &s);
            if (many || (least < k && !p->optional))
                fail_msg("%s: '%s' stands behind a tensor that may be left out or be many", op.name, p->name);
            least += !p->optional && !p->many;
            many = p->many;
        }
        for (int k = 0; k < s.attributes; k++)
            assert_parameter(&op, &s.attribute[k], &s);
        assert_int_equal(op.least_inputs, least);
        assert_int_equal(op.most_inputs, many ? -1 : s.tensors);
        assert_int_equal(op.results, s.results);
        for (int d = 0; d < RG_DTYPES; d++)
            assert_int_equal(op.dtype[d], s.tensors > 0 && class_has(s.tensor[0].type, d));
    }
    assert_false(rg_op_at(-1, &op));
    assert_false(rg_op_at(ops, &op));
    assert_false(rg_op_find("nonsense", &op));
    assert_false(rg_op_find(NULL, &op));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_of_the_ops_headers_is_in_the_table),
        cmocka_unit_test(every_op_of_the_table_is_declared),
        cmocka_unit_test(every_signature_is_well_formed),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: %s ROOT\n", argv[0]);
        return 2;
    }
    root = argv[1];
    ops = rg_op_count();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
