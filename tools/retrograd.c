/* The command-line tool: says what this build of Retrograd is, what ops it has, runs them on files and checks their
 * gradients. */
#include "tool.h"

#include <retrograd/retrograd.h>

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_help(FILE *out)
{
    fputs("Usage: retrograd COMMAND [ARGUMENTS]\n"
          "       retrograd [--help | --version]\n"
          "\n"
          "Commands:\n"
          "  ops        list the ops, or say all that there is to know of one\n"
          "  apply      run an op on NumPy files, and its gradients\n"
          "  gradcheck  hold the gradients of ops against differences\n"
          "  info       version, processor and its features, BLIS and the kernels chosen, threads\n"
          "  help       this text\n"
          "\n"
          "retrograd COMMAND --help says more of ops, apply and gradcheck.\n"
          "\n"
          "Options:\n"
          "  -h, --help       this text\n"
          "  -V, --version    the version of the library\n"
          "\n"
          "Exit status: 0 when all went well, 1 when something failed, 2 when the command line is wrong.\n",
          out);
}

int trouble(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("retrograd: ", stderr);
    vfprintf(stderr, format, args);
    fputs("\n", stderr);
    va_end(args);
    return EXIT_TROUBLE;
}

int bad_option(const char *command)
{
    fprintf(stderr, "Try 'retrograd %s--help'.\n", command);
    return EXIT_USAGE;
}

int usage_error(const char *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("retrograd: ", stderr);
    vfprintf(stderr, format, args);
    fputs("\n", stderr);
    va_end(args);
    return bad_option(command);
}

int finish(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_FINE;
    return trouble("standard output: %s", strerror(errno ? errno : EIO));
}

bool read_number(const char *text, int64_t low, int64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0 && *value >= low;
}

static const char *known(const char *text)
{
    return text && *text ? text : "unknown";
}

static void print_info(void)
{
    const rg_info info = rg_info_get();
    printf("version     %s\n", known(info.version));
    printf("processor   %s\n", known(info.processor));
    printf("features    %s\n", known(info.features));
    printf("BLIS        %s\n", known(info.blis));
    printf("kernels     %s, chosen by %s\n", known(info.blis_kernels), known(info.blis_choice));
    printf("threads     %d\n", info.threads);
}

static int run_info(int argc, char **argv)
{
    if (argc > 1)
        return usage_error("", "unexpected argument '%s'", argv[1]);
    print_info();
    return finish();
}

static int run_help(int argc, char **argv)
{
    if (argc > 1)
        return usage_error("", "unexpected argument '%s'", argv[1]);
    print_help(stdout);
    return finish();
}

static int run_command(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {
        {"apply", run_apply}, {"gradcheck", run_gradcheck}, {"help", run_help}, {"info", run_info}, {"ops", run_ops}};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[0], commands[i].name) == 0) {
            optind = 0; /* getopt begins anew */
            return commands[i].run(argc, argv);
        }
    return usage_error("", "unknown command '%s'", argv[0]);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "+hV", options, NULL)) != -1;) {
        switch (option) {
        case 'h': print_help(stdout); return finish();
        case 'V': printf("retrograd %s\n", rg_version()); return finish();
        default: return bad_option("");
        }
    }
    if (optind == argc) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    return run_command(argc - optind, argv + optind);
}
