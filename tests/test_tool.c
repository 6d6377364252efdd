/* The program `retrograd`: its tables, what it makes of files, what it refuses, and how it ends. The arguments are the
 * program, and one like it whose gradient checks fail (wrong_check.c). */
#include "data_support.h"

#include "contracts.h"

#include <ctype.h>
#include <math.h>
#include <retrograd/retrograd.h>
#include <sys/wait.h>

static char *tool, *wrong_tool;

/* What a command printed, and its errors; they stay until the next one. */
static char *output, *errors;

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    for (int ch; (ch = getc(file)) != EOF;)
        putc(ch, to);
    fclose(to);
    fclose(file);
    return text;
}

/* Runs it in the directory of the test; the exit status. */
static int run_program(const char *program, const char *arguments)
{
    char command[4096];
    const int n = snprintf(command, sizeof command, "cd '%s' && { '%s' %s; } >output.txt 2>errors.txt", directory,
                           program, arguments);
    assert_true(n < (int)sizeof command);
    const int status = system(command);
    free(output);
    free(errors);
    output = read_text(in_directory("output.txt"));
    errors = read_text(in_directory("errors.txt"));
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int run(const char *arguments)
{
    return run_program(tool, arguments);
}

static void run_ok(const char *arguments)
{
    const int status = run(arguments);
    if (status != 0 || *errors)
        fail_msg("retrograd %s: status %d, %s", arguments, status, errors);
}

static int lines_of(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

/* One line of error that says so, nothing else. */
static void refused(const char *arguments, const char *says)
{
    const int status = run(arguments);
    if (status != 1 || lines_of(errors) != 1 || strncmp(errors, "retrograd: ", 11) != 0 || !strstr(errors, says) ||
        *output)
        fail_msg("retrograd %s: status %d, expected 1 and \"%s\": %s%s", arguments, status, says, errors, output);
}

/* ---- retrograd ops ---- */

/* A JSON value; what follows it, or NULL where it is none. */
static const char *json_value(const char *at);

static const char *json_string(const char *at)
{
    if (*at != '"')
        return NULL;
    for (at++; *at && *at != '"'; at++) {
        if ((unsigned char)*at < ' ')
            return NULL;
        if (*at == '\\' && !strchr("\"\\/bfnrtu", *++at))
            return NULL;
    }
    return *at ? at + 1 : NULL;
}

static const char *json_list(const char *at, char close, bool named)
{
    at += 1 + strspn(at + 1, " \n");
    if (*at == close)
        return at + 1;
    for (;;) {
        if (named) {
            at = json_string(at);
            if (!at || *at != ':')
                return NULL;
            at++;
        }
        at = json_value(at + strspn(at, " \n"));
        if (!at)
            return NULL;
        at += strspn(at, " \n");
        if (*at == close)
            return at + 1;
        if (*at != ',')
            return NULL;
        at += 1 + strspn(at + 1, " \n");
    }
}

static const char *json_value(const char *at)
{
    static const char *const words[] = {"true", "false", "null"};
    if (*at == '"')
        return json_string(at);
    if (*at == '[' || *at == '{')
        return json_list(at, *at == '[' ? ']' : '}', *at == '{');
    for (int i = 0; i < 3; i++)
        if (strncmp(at, words[i], strlen(words[i])) == 0)
            return at + strlen(words[i]);
    const size_t digits = strspn(at, "0123456789");
    return digits > 0 ? at + digits : NULL;
}

static void assert_json(const char *text)
{
    const char *end = json_value(text);
    if (!end || strcmp(end, "\n") != 0)
        fail_msg("this is no JSON: %.300s", text);
}

static void the_table_has_a_line_for_each_op(void **state)
{
    (void)state;
    rg_op op;
    run_ok("ops");
    assert_int_equal(lines_of(output), rg_op_count() + 1);
    assert_int_equal(strncmp(output, "NAME ", 5), 0);
    const size_t kind = (size_t)(strstr(output, "KIND") - output);
    const char *line = strchr(output, '\n') + 1;
    for (int i = 0; rg_op_at(i, &op); i++, line = strchr(line, '\n') + 1) {
        const size_t n = strlen(op.name), length = strcspn(line, "\n");
        assert_int_equal(strncmp(line, op.name, n), 0);
        assert_int_equal(line[n], ' ');
        assert_true(length > kind); /* the columns line up */
        const char *const word = op.primitive ? "primitive" : "composed";
        assert_int_equal(length - kind, strlen(word));
        assert_int_equal(strncmp(line + kind, word, strlen(word)), 0);
        const int order = op.differentiable && rg_op_samples(op.name) > 0 ? 2 : 0;
        assert_int_equal(line[kind - 3], '0' + order);
    }
}

static void the_table_is_json_for_machines(void **state)
{
    (void)state;
    rg_op op;
    run_ok("ops --json");
    assert_json(output);
    for (int i = 0; rg_op_at(i, &op); i++) {
        char name[80];
        snprintf(name, sizeof name, "\"name\": \"%s\"", op.name);
        assert_non_null(strstr(output, name));
    }
    run_ok("ops --json affine");
    assert_json(output);
    assert_non_null(strstr(output, "\"prototype\": \"rg_tensor rg_affine(rg_tape *t, rg_tensor x, "));
    run_ok("ops slice --json");
    assert_json(output);
}

static void one_op_is_described(void **state)
{
    (void)state;
    run_ok("ops std");
    assert_non_null(
        strstr(output, "signature   x: float, axes: ints = all, correction: real = 1, keepdim: flag = false\n"));
    assert_non_null(
        strstr(output, "rg_tensor rg_std(rg_tape *t, rg_tensor x, rg_axes axes, double correction, bool keepdim);"));
    assert_non_null(strstr(output, "contract    sqrt(var); the gradient is 0 where nothing varies."));
    assert_non_null(strstr(output, "section     reductions"));
    assert_non_null(strstr(output, "dtypes      f32 f64\n"));
    run_ok("ops minimum"); /* the comment stands above maximum */
    assert_non_null(strstr(output, "As said of rg_maximum:\n            NaN wins;"));
    run_ok("ops arange");
    assert_non_null(strstr(output, "dtypes      -\n"));
    assert_non_null(strstr(output, "gradient    no\n"));
    refused("ops nonsense", "there is no op 'nonsense'");
}

/* The functions of the headers, as the build found them. */
static void every_op_has_a_prototype_and_a_contract(void **state)
{
    (void)state;
    rg_op op;
    for (int i = 0; rg_op_at(i, &op); i++) {
        const contract *c = NULL;
        for (int k = 0; k < contract_count; k++)
            if (strcmp(contracts[k].name, op.name) == 0) {
                assert_null(c); /* declared once */
                c = &contracts[k];
            }
        if (!c)
            fail_msg("no header declares rg_%s", op.name);
        char start[100];
        snprintf(start, sizeof start, " rg_%s(rg_tape *t, ", op.name);
        if (!strstr(c->prototype, start) || c->prototype[strlen(c->prototype) - 1] != ';')
            fail_msg("%s has the prototype '%s'", op.name, c->prototype);
        if (!*c->comment && !*c->shared && !*c->heading && !*c->about)
            fail_msg("<%s> says nothing of rg_%s", c->header, op.name);
        const char *const texts[] = {c->comment, c->shared, c->heading, c->about, c->prototype};
        for (int k = 0; k < 5; k++)
            if (strstr(texts[k], "/*") || strstr(texts[k], "*/") || strstr(texts[k], "\n*") || strstr(texts[k], "RG_API"))
                fail_msg("%s: marks of comments are left in '%s'", op.name, texts[k]);
        assert_int_equal(*c->shared != 0, *c->beside != 0);
    }
}

/* ---- retrograd apply ---- */

static void write_f32(const char *name, rg_shape shape, const float *values)
{
    char error[ERROR_SIZE];
    if (!rg_npy_write(in_directory(name), RG_F32, shape, values, error, sizeof error))
        fail_msg("%s", error);
}

static void assert_file(const char *name, rg_dtype dtype, rg_shape shape, const double *values)
{
    char error[ERROR_SIZE];
    rg_npy *npy = rg_npy_read(in_directory(name), error, sizeof error);
    if (!npy)
        fail_msg("%s", error);
    assert_int_equal(npy->dtype, dtype);
    assert_true(rg_shape_equal(npy->shape, shape));
    for (int64_t i = 0; i < rg_shape_numel(shape); i++) {
        const double value = dtype == RG_F32   ? (double)((float *)npy->data)[i]
                             : dtype == RG_F64 ? ((double *)npy->data)[i]
                             : dtype == RG_I64 ? (double)((int64_t *)npy->data)[i]
                             : dtype == RG_I32 ? (double)((int32_t *)npy->data)[i]
                                               : (double)((unsigned char *)npy->data)[i];
        if (!(fabs(value - values[i]) <= 1e-6 * fabs(values[i])))
            fail_msg("%s: element %d is %g, expected %g", name, (int)i, value, values[i]);
    }
    rg_npy_free(npy);
}

static bool is_there(const char *name)
{
    return access(in_directory(name), F_OK) == 0;
}

static const float X[] = {1, 2, 3, 4, 5, 6}, ONES[] = {1, 1, 1, 1, 1, 1}, V[] = {.5f, -1, 2};

static void ops_are_applied_to_files(void **state)
{
    (void)state;
    write_f32("x.npy", RG_SHAPE(2, 3), X);
    write_f32("v.npy", RG_SHAPE(3), V);
    run_ok("apply add x.npy v.npy -o y");
    assert_file("y.npy", RG_F32, RG_SHAPE(2, 3), (double[]){1.5, 1, 5, 4.5, 4, 8});
    assert_string_equal(output, "y.npy  f32 [2, 3]\n");
    run_ok("apply sum x.npy axes=1 keepdim=true --output=y.npy");
    assert_file("y.npy", RG_F32, RG_SHAPE(2, 1), (double[]){6, 15});
    run_ok("apply sum axes='[0, 1]' x.npy -o y");
    assert_file("y.npy", RG_F32, RG_SCALAR, (double[]){21});
    run_ok("apply permute x.npy order=[1,0] -o t");
    assert_file("t.npy", RG_F32, RG_SHAPE(3, 2), (double[]){1, 4, 2, 5, 3, 6});
    run_ok("apply matmul x.npy t.npy --dtype f64 -o y");
    assert_file("y.npy", RG_F64, RG_SHAPE(2, 2), (double[]){14, 32, 32, 77});
    run_ok("apply argmax x.npy axis=-1 -o i");
    assert_file("i.npy", RG_I64, RG_SHAPE(2), (double[]){2, 2});
    run_ok("apply take x.npy i.npy -o y");
    assert_file("y.npy", RG_F32, RG_SHAPE(2), (double[]){3, 3});
    run_ok("apply gt x.npy v.npy -o y");
    assert_file("y.npy", RG_BOOL, RG_SHAPE(2, 3), (double[]){1, 1, 1, 1, 1, 1});
    run_ok("apply cast x.npy dtype=i32 -o y");
    assert_file("y.npy", RG_I32, RG_SHAPE(2, 3), (double[]){1, 2, 3, 4, 5, 6});
    run_ok("apply affine x.npy x.npy nil -o y && cp y.npy a=b.npy");
    assert_file("y.npy", RG_F32, RG_SHAPE(2, 2), (double[]){14, 32, 32, 77});
    run_ok("apply neg ./a=b.npy -o y");
    assert_file("y.npy", RG_F32, RG_SHAPE(2, 2), (double[]){-14, -32, -32, -77});
    run_ok("apply arange dtype=f64 start=1 stop=2 step=0.25");
    assert_string_equal(output, "[1.   1.25 1.5  1.75]\n");
}

static void several_results_are_numbered(void **state)
{
    (void)state;
    write_f32("x.npy", RG_SHAPE(2, 3), X);
    run_ok("apply split x.npy size=2 axis=1 -o part");
    assert_file("part.npy", RG_F32, RG_SHAPE(2, 2), (double[]){1, 2, 4, 5});
    assert_file("part.1.npy", RG_F32, RG_SHAPE(2, 1), (double[]){3, 6});
    assert_false(is_there("part.2.npy"));
    assert_string_equal(output, "part.npy  f32 [2, 2]\npart.1.npy  f32 [2, 1]\n");
    run_ok("apply split x.npy size=2 axis=1");
    assert_string_equal(output, "[[1. 2.]\n [4. 5.]]\n1:\n[[3.]\n [6.]]\n");
}

static void gradients_are_those_of_the_result_and_the_cotangent(void **state)
{
    (void)state;
    static const float c[] = {1, 10, 100, 1000};
    write_f32("x.npy", RG_SHAPE(2, 3), X);
    write_f32("w.npy", RG_SHAPE(3, 2), X);
    write_f32("c.npy", RG_SHAPE(2, 2), c);
    write_f32("c1.npy", RG_SHAPE(2, 1), ONES);
    run_ok("apply matmul x.npy w.npy --grad c.npy -o y");
    assert_file("y.npy", RG_F32, RG_SHAPE(2, 2), (double[]){22, 28, 49, 64});
    assert_file("y.grad0.npy", RG_F32, RG_SHAPE(2, 3), (double[]){21, 43, 65, 2100, 4300, 6500});
    assert_file("y.grad1.npy", RG_F32, RG_SHAPE(3, 2), (double[]){401, 4010, 502, 5020, 603, 6030});
    run_ok("apply split x.npy size=2 axis=1 --grad c.npy --grad c1.npy -o s -d f64");
    assert_file("s.grad0.npy", RG_F64, RG_SHAPE(2, 3), (double[]){1, 10, 1, 100, 1000, 1});
    run_ok("apply split x.npy size=2 axis=1 -g - -g c1.npy -o s");
    assert_file("s.grad0.npy", RG_F32, RG_SHAPE(2, 3), (double[]){0, 0, 1, 0, 0, 1});
    run_ok("apply argmax x.npy axis=0 -o i");
    refused("apply gather x.npy i.npy axis=0 --grad c3.npy -o g", "gather: index [3] does not fit");
    refused("apply argmax x.npy axis=0 --grad i.npy -o g", "i64");
    assert_false(is_there("g.npy"));
    run_ok("apply unsqueeze i.npy axis=0 -o j");
    write_f32("c3.npy", RG_SHAPE(1, 3), X);
    run_ok("apply gather x.npy j.npy axis=0 --grad c3.npy -o g");
    assert_file("g.grad0.npy", RG_F32, RG_SHAPE(2, 3), (double[]){0, 0, 0, 1, 2, 3});
    assert_false(is_there("g.grad1.npy")); /* of integers there is none */
    run_ok("apply affine x.npy x.npy - --grad c.npy -o a");
    assert_true(is_there("a.grad0.npy") && is_there("a.grad1.npy") && !is_there("a.grad2.npy"));
}

static void draws_are_those_of_the_seed_for_any_threads(void **state)
{
    (void)state;
    run_ok("apply randn dtype=f32 shape=[100,50] --seed 7 --threads 1 -o one");
    run_ok("apply randn dtype=f32 shape=[100,50] -s 7 -t 2 -o two && cmp one.npy two.npy");
    run_ok("apply randn dtype=f32 shape=[100,50] -o none");
    run_ok("apply randn dtype=f32 shape=[100,50] -s 0 -o zero && cmp none.npy zero.npy");
    run_ok("apply randn dtype=f32 shape=[100,50] -s -8 -o other && ! cmp -s one.npy other.npy");
}

static void what_fails_is_one_line(void **state)
{
    (void)state;
    write_f32("x.npy", RG_SHAPE(2, 3), X);
    write_f32("v.npy", RG_SHAPE(3), V);
    write_plain("bad.npy", "nonsense", 8);
    refused("apply nonsense", "there is no op 'nonsense'");
    refused("apply neg missing.npy -o z", "missing.npy: No such file");
    refused("apply neg bad.npy -o z", "bad.npy: found a file that begins");
    refused("apply neg x.npy -o no/folder", "no/folder.npy: No such file");
    refused("apply neg x.npy --grad missing.npy -o z", "missing.npy: No such file");
    refused("apply neg x.npy --grad v.npy -o z", "[3]");
    refused("apply neg x.npy -g x.npy -g x.npy -o z", "2 cotangents are given by --grad for 1 results");
    refused("apply neg x.npy axis=1 -o z", "neg: attribute 'axis' is unknown");
    refused("apply sum x.npy axes=4 -o z", "sum: axis 4 is out of range for [2, 3]");
    refused("apply sum x.npy keepdim=maybe -o z", "sum: keepdim=maybe is not what is allowed: flag");
    refused("apply sum x.npy axes='[0, 1' -o z", "sum: axes=");
    refused("apply softmax x.npy -o z", "softmax: attribute 'axis' is missing");
    refused("apply neg -o z", "neg: 0 tensors given");
    refused("apply neg x.npy x.npy -o z", "neg: 2 tensors given");
    refused("apply neg nil -o z", "neg: an argument is nil");
    refused("apply add x.npy v.npy x.npy -o z", "add: 3 tensors given");
    refused("apply matmul x.npy x.npy -o z", "matmul: [2, 3] and [2, 3] do not fit");
    refused("apply logical_not x.npy -o z", "logical_not: ");
    refused("apply take x.npy x.npy -o z", "take: f32 of [2, 3] given; i32 or i64 is needed");
    run_ok("apply full dtype=i64 shape=[1] value=99 -o far");
    refused("apply take x.npy far.npy -o z", "99");
    assert_false(is_there("z.npy"));
}

static void wrong_command_lines_end_with_2(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "nonsense",
        "--nonsense",
        "info extra",
        "help extra",
        "ops neg abs",
        "ops --nonsense",
        "apply",
        "apply --nonsense",
        "apply neg x.npy -o",
        "apply neg x.npy --dtype i32",
        "apply neg x.npy --seed x",
        "apply neg x.npy --seed 99999999999999999999",
        "apply neg x.npy --threads 0",
        "apply neg x.npy --threads 99999",
        "gradcheck",
        "gradcheck --all neg",
        "gradcheck --nonsense",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const int status = run(lines[i]);
        if (status != 2 || *output || !strstr(errors, "--help"))
            fail_msg("retrograd %s: status %d, %s", lines[i], status, errors);
    }
}

static void help_is_no_error(void **state)
{
    (void)state;
    static const char *const lines[] = {"--help", "-h",           "help",     "--version", "ops --help",
                                        "ops -h", "apply --help", "apply -h", "info",      "gradcheck --help"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        run_ok(lines[i]);
        assert_true(lines_of(output) > 0);
    }
    assert_int_equal(run("ops >/dev/full"), 1);
    assert_non_null(strstr(errors, "standard output"));
}

/* ---- retrograd gradcheck ---- */

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        count++;
    return count;
}

static void gradients_are_checked_in_both_dtypes_and_orders(void **state)
{
    (void)state;
    run_ok("gradcheck tanh eq matmul");
    assert_int_equal(count_of(output, " PASS\n"), 6);
    assert_int_equal(count_of(output, "tanh    f64        1"), 1);
    assert_int_equal(count_of(output, "tanh    f64        2"), 1);
    assert_int_equal(count_of(output, "matmul  f32        1"), 1);
    assert_non_null(strstr(output, "eq      not differentiable\n"));
    assert_non_null(strstr(output, "2 checked, 1 not differentiable; 6 checks: 6 passed, 0 failed\n"));
    refused("gradcheck tanh nonsense", "there is no op 'nonsense'");
}

static void wrong_gradients_fail(void **state)
{
    (void)state;
    assert_int_equal(run_program(wrong_tool, "gradcheck tanh exp sin"), 1);
    assert_int_equal(count_of(output, " PASS\n"), 2);
    assert_int_equal(count_of(output, "tanh  f64        2"), 1);
    assert_non_null(strstr(output, "     0.25  FAIL\n    sample 1: planted\n"));
    assert_int_equal(count_of(output, "    there are no samples\n"), 3);
    assert_int_equal(count_of(output, "    no sample has elements to compare\n"), 3);
    assert_non_null(strstr(output, "3 checked, 0 not differentiable; 9 checks: 2 passed, 7 failed\n"));
    assert_int_equal(run_program(wrong_tool, "gradcheck cos"), 0);
}

static void the_whole_table_is_checked(void **state)
{
    (void)state;
    rg_op op;
    int without = 0;
    for (int i = 0; rg_op_at(i, &op); i++)
        without += !op.differentiable;
    const int with = rg_op_count() - without;
    char summary[200];
    snprintf(summary, sizeof summary, "%d checked, %d not differentiable; %d checks: %d passed, 0 failed\n", with,
             without, 3 * with, 3 * with);
    if (run("gradcheck --all") != 0 || !strstr(output, summary))
        fail_msg("%s", output);
    assert_int_equal(count_of(output, " PASS\n"), 3 * with);
}

static int clean_up(void **state)
{
    free(output);
    free(errors);
    free(tool);
    free(wrong_tool);
    return remove_directory(state);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_a_line_for_each_op),
        cmocka_unit_test(the_table_is_json_for_machines),
        cmocka_unit_test(one_op_is_described),
        cmocka_unit_test(every_op_has_a_prototype_and_a_contract),
        cmocka_unit_test(ops_are_applied_to_files),
        cmocka_unit_test(several_results_are_numbered),
        cmocka_unit_test(gradients_are_those_of_the_result_and_the_cotangent),
        cmocka_unit_test(draws_are_those_of_the_seed_for_any_threads),
        cmocka_unit_test(what_fails_is_one_line),
        cmocka_unit_test(wrong_command_lines_end_with_2),
        cmocka_unit_test(help_is_no_error),
        cmocka_unit_test(gradients_are_checked_in_both_dtypes_and_orders),
        cmocka_unit_test(wrong_gradients_fail),
        cmocka_unit_test(the_whole_table_is_checked),
    };
    if (argc != 3) {
        fprintf(stderr, "usage: %s TOOL WRONG-TOOL\n", argv[0]);
        return 2;
    }
    tool = realpath(argv[1], NULL);
    wrong_tool = realpath(argv[2], NULL);
    return !tool || !wrong_tool ? 2 : cmocka_run_group_tests(tests, make_directory, clean_up);
}
