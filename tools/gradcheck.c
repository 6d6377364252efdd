/* retrograd gradcheck: the gradients of ops on their samples, in f64 to first and second order against differences, and in
 * f32 against those in f64. */
#include "tool.h"

#include <retrograd/retrograd.h>

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static void print_help(void)
{
    puts("Usage: retrograd gradcheck OP...\n"
         "       retrograd gradcheck --all\n"
         "\n"
         "Checks the gradients of ops on each of their samples (plain, broadcast, strided, empty arguments) and prints a line for\n"
         "each op, dtype and order:\n"
         "  SAMPLES   how many were checked\n"
         "  COMPARED  how many numbers were compared on them; samples without elements have none\n"
         "  ERROR     the largest difference that was found\n"
         "\n"
         "In f64, gradients (order 1) and gradients of gradients (order 2) are held against central differences, along random\n"
         "directions; in f32, gradients are held against those in f64. What does not agree within rounding is a FAIL, and so\n"
         "is an op that has no samples or none with elements; the first sample that fails is described on the next line.\n"
         "\n"
         "Options:\n"
         "  -a, --all   every op of the table. Those without a gradient are counted in the summary\n"
         "  -h, --help  this text\n"
         "\n"
         "Exit status: 0 when all passed, 1 when one failed or there is no such op, 2 when the command line is wrong.");
}

typedef struct totals {
    int ops, checks, failed;
    int without; /* not differentiable */
} totals;

/* One line: the op's samples in a dtype, to an order. */
static bool check_line(const rg_op *op, int width, rg_dtype dtype, int order)
{
    const int samples = rg_op_samples(op->name);
    int64_t compared = 0;
    double worst = 0;
    int failed = -1;
    char message[sizeof((rg_gradcheck_report *)0)->message] = "";
    for (int i = 0; i < samples; i++) {
        rg_gradcheck_report report;
        const bool passed = rg_op_check(op->name, i, dtype, order, &report);
        compared += report.compared;
        if (report.compared > 0 && !(report.error <= worst))
            worst = report.error;
        if (!passed && failed < 0) {
            failed = i;
            snprintf(message, sizeof message, "%s", report.message);
        }
    }
    const bool passed = failed < 0 && compared > 0;
    printf("%-*s  %-5s  %5d  %7d  %8lld  %9.2g  %s\n", width, op->name, rg_dtype_name(dtype), order, samples,
           (long long)compared, worst, passed ? "PASS" : "FAIL");
    if (failed >= 0)
        printf("    sample %d: %s\n", failed, message);
    else if (!passed)
        printf("    %s\n", samples ? "no sample has elements to compare" : "there are no samples");
    fflush(stdout);
    return passed;
}

static void check_op(const rg_op *op, int width, totals *sum)
{
    static const struct {
        rg_dtype dtype;
        int order;
    } lines[] = {{RG_F64, 1}, {RG_F64, 2}, {RG_F32, 1}};
    if (!op->differentiable) {
        sum->without++;
        return;
    }
    sum->ops++;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        sum->checks++;
        sum->failed += !check_line(op, width, lines[i].dtype, lines[i].order);
    }
}

/* The i-th of the names, or of the table where there are none. */
static bool op_at(char **names, int i, rg_op *op)
{
    return names ? names[i] && rg_op_find(names[i], op) : rg_op_at(i, op);
}

static int check(char **names)
{
    totals sum = {0, 0, 0, 0};
    rg_op op;
    int width = (int)strlen("OP"), count = 0;
    for (; op_at(names, count, &op); count++)
        width = (int)strlen(op.name) > width ? (int)strlen(op.name) : width;
    if (names && names[count])
        return trouble("there is no op '%s'; 'retrograd ops' lists them", names[count]);
    printf("%-*s  DTYPE  ORDER  SAMPLES  COMPARED      ERROR\n", width, "OP");
    for (int i = 0; i < count && op_at(names, i, &op); i++) {
        check_op(&op, width, &sum);
        if (names && !op.differentiable)
            printf("%-*s  not differentiable\n", width, op.name);
    }
    printf("%d checked, %d not differentiable; %d checks: %d passed, %d failed\n", sum.ops, sum.without, sum.checks,
           sum.checks - sum.failed, sum.failed);
    const int status = finish();
    return sum.failed ? EXIT_TROUBLE : status;
}

int run_gradcheck(int argc, char **argv)
{
    static const struct option options[] = {
        {"all", no_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool all = false;
    for (int option; (option = getopt_long(argc, argv, "ah", options, NULL)) != -1;)
        switch (option) {
        case 'a': all = true; break;
        case 'h': print_help(); return finish();
        default: return bad_option("gradcheck ");
        }
    if (all && optind < argc)
        return usage_error("gradcheck ", "unexpected argument '%s'", argv[optind]);
    if (!all && optind == argc)
        return usage_error("gradcheck ", "no op is named; --all checks every one");
    return check(all ? NULL : argv + optind);
}
