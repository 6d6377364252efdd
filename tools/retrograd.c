/* The command-line tool: says what this build of Retrograd is and what it runs on. */
#include <retrograd/retrograd.h>

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_FINE = 0, EXIT_TROUBLE = 1, EXIT_USAGE = 2 };

static void print_help(FILE *out)
{
    fputs("Usage: retrograd COMMAND\n"
          "       retrograd [--help | --version]\n"
          "\n"
          "Commands:\n"
          "  info    version, processor and its features, BLIS and the kernels chosen, threads\n"
          "  help    this text\n"
          "\n"
          "Options:\n"
          "  -h, --help       this text\n"
          "  -V, --version    the version of the library\n",
          out);
}

static int usage_error(const char *problem, const char *subject)
{
    fprintf(stderr, "retrograd: %s '%s'\nTry 'retrograd --help'.\n", problem, subject);
    return EXIT_USAGE;
}

/* Text that did not reach its reader (a full disk, a closed pipe) is trouble. */
static int finish(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_FINE;
    perror("retrograd: standard output");
    return EXIT_TROUBLE;
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

static int run_command(const char *command, int extra, char **arguments)
{
    const bool info = strcmp(command, "info") == 0, help = strcmp(command, "help") == 0;
    if (!info && !help)
        return usage_error("unknown command", command);
    if (extra > 0)
        return usage_error("unexpected argument", arguments[0]);
    if (info)
        print_info();
    else
        print_help(stdout);
    return finish();
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "hV", options, NULL)) != -1;) {
        switch (option) {
        case 'h': print_help(stdout); return finish();
        case 'V': printf("retrograd %s\n", rg_version()); return finish();
        default: fputs("Try 'retrograd --help'.\n", stderr); return EXIT_USAGE;
        }
    }
    if (optind == argc) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    return run_command(argv[optind], argc - optind - 1, argv + optind + 1);
}
