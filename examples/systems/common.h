/* What the programs of this folder share: their options, the pictures, and how they say what went wrong. */
#ifndef SYSTEMS_COMMON_H
#define SYSTEMS_COMMON_H

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <retrograd/retrograd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 28 * 28, CLASSES = 10 };
#define FASHION_MNIST "/usr/share/datasets/fashion-mnist"

/* A program gives two sets of defaults: the form that reaches the stated result, and with --short one of a few seconds. */
typedef struct options {
    bool brief;            /* --short was given                                                        */
    int64_t epochs, steps; /* how long to train: a program has one of them, and 0 for the other */
    int64_t seed, threads;
    int64_t limit;               /* use the first samples only; 0: all                                 */
    double require;              /* the result that must be reached, in the unit that the program says */
    const char *data;            /* a folder, or a file, as the program says                           */
    int variant;                 /* place in `variants` of what --variant names                        */
    const char *const *variants; /* what the program can do, up to NULL; NULL for one thing alone */
} options;

/* Says on one line of stderr what went wrong. Returns false, for `return complain(...)`. */
__attribute__((format(printf, 1, 2))) static inline bool complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return false;
}

static inline void print_help(const char *program, const char *about, const options *full, const options *brief)
{
    printf("Usage: %s [OPTION]...\n%s\n\n", program, about);
    puts("                     (default; with --short)");
    printf("      --short        a few seconds instead of the whole\n");
    if (full->epochs > 0)
        printf("      --epochs N     passes over the training data (%" PRId64 "; %" PRId64 ")\n", full->epochs,
               brief->epochs);
    if (full->steps > 0)
        printf("      --steps N      updates of the parameters (%" PRId64 "; %" PRId64 ")\n", full->steps, brief->steps);
    for (int i = 0; full->variants && full->variants[i]; i++)
        printf("      %-14s %s%s\n", i > 0 ? "" : "--variant NAME", full->variants[i],
               i == full->variant ? " (default)" : "");
    if (full->data)
        printf("      --limit N      use the first N samples only, 0: all (%" PRId64 "; %" PRId64 ")\n", full->limit,
               brief->limit);
    printf("      --require X    fail where the result misses this (%g; %g)\n", full->require, brief->require);
    printf("      --seed N       of all that is random (%" PRId64 "; %" PRId64 ")\n", full->seed, brief->seed);
    puts("      --threads N    threads; the result does not depend on it (one a processor)");
    if (full->data && strcmp(full->data, FASHION_MNIST) == 0)
        puts("      --data DIR     the four files of Fashion-MNIST or MNIST, plain or .gz; default:");
    else if (full->data)
        puts("      --data FILE    the text that is learnt from; default:");
    if (full->data)
        printf("                     %s\n", full->data);
    puts("\nExit status: 0 the result was reached, 1 it was not or something failed, 2 wrong options.");
}

static inline int64_t read_integer(const char *option, const char *text, int64_t low)
{
    char *end;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < low) {
        complain("--%s: found '%s', expected an integer from %" PRId64 " on", option, text, low);
        exit(2);
    }
    return value;
}

static inline double read_number(const char *option, const char *text)
{
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || value != value) {
        complain("--%s: found '%s', expected a number", option, text);
        exit(2);
    }
    return value;
}

/* The place of a name in the list. */
static inline int read_variant(const char *text, const char *const *variants)
{
    for (int i = 0; variants && variants[i]; i++)
        if (strcmp(text, variants[i]) == 0)
            return i;
    complain("--variant: found '%s'; --help lists the names", text);
    exit(2);
}

/* Ends the program for --help and for options that are wrong. */
static inline options read_options(int argc, char **argv, const char *about, const options *full, const options *brief)
{
    static const struct option known[] = {
        {"short", no_argument, NULL, 'S'},
        {"epochs", required_argument, NULL, 'e'},
        {"steps", required_argument, NULL, 'n'},
        {"variant", required_argument, NULL, 'v'},
        {"limit", required_argument, NULL, 'l'},
        {"require", required_argument, NULL, 'R'},
        {"seed", required_argument, NULL, 's'},
        {"data", required_argument, NULL, 'd'},
        {"threads", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    options o = *full;
    for (int i = 1; i < argc; i++) /* whatever its place, it changes no more than the defaults */
        if (strcmp(argv[i], "--short") == 0)
            o = *brief;
    for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        switch (option) {
        case 'S': o.brief = true; break;
        case 'e': o.epochs = read_integer("epochs", optarg, 1); break;
        case 'n': o.steps = read_integer("steps", optarg, 1); break;
        case 'v': o.variant = read_variant(optarg, o.variants); break;
        case 'l': o.limit = read_integer("limit", optarg, 0); break;
        case 'R': o.require = read_number("require", optarg); break;
        case 's': o.seed = read_integer("seed", optarg, 0); break;
        case 't': o.threads = read_integer("threads", optarg, 1); break;
        case 'd': o.data = optarg; break;
        case 'h': print_help(argv[0], about, full, brief); exit(0);
        default: exit(2); /* getopt_long has said why */
        }
    }
    if (optind < argc) {
        complain("found '%s', expected options only; --help lists them", argv[optind]);
        exit(2);
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* each line is seen at once, through a pipe too */
    return o;
}

/* The same where each variant has defaults of its own: those of variant v are full[v] and brief[v]. `variant` is the one
 * that runs where none is named. */
static inline options read_variant_options(int argc, char **argv, const char *about, const options *full,
                                           const options *brief, int variant)
{
    options o = {.variant = variant};
    for (int pass = 0; pass < 2; pass++) { /* the first finds out which variant it is */
        options whole = full[o.variant], part = brief[o.variant];
        whole.variant = part.variant = o.variant;
        optind = 1;
        o = read_options(argc, argv, about, &whole, &part);
    }
    return o;
}

/* One of the two parts, "train" or "t10k", or its first `limit` samples: x [count, PIXELS] in [0, 1]. The original MNIST has
 * the same file names and sizes. NULL, with the reason on stderr, where it cannot be had. */
static inline rg_dataset *load_images(const options *o, const char *part)
{
    char images[4096], labels[4096], error[9000];
    snprintf(images, sizeof images, "%s/%s-images-idx3-ubyte", o->data, part);
    snprintf(labels, sizeof labels, "%s/%s-labels-idx1-ubyte", o->data, part);
    rg_dataset *data = rg_dataset_idx(images, labels, error, sizeof error);
    if (!data) {
        complain("%s (Debian's package dataset-fashion-mnist carries the data; --data DIR says where)", error);
        return NULL;
    }
    if (data->count == 0 || data->features != PIXELS || data->classes > CLASSES) {
        complain("%s: found %" PRId64 " images of %" PRId64 " pixels in %" PRId64 " classes, expected some of %d in %d",
                 images, data->count, data->features, data->classes, PIXELS, CLASSES);
        rg_dataset_free(data);
        return NULL;
    }
    if (o->limit > 0 && o->limit < data->count)
        data->count = o->limit;
    return data;
}

/* What the pictures of a class show: clothes in the folder that is the default, digits in others. */
static inline const char *class_name(const options *o, int class)
{
    static const char *const clothes[CLASSES] = {
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    };
    static const char *const digits[CLASSES] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    return strcmp(o->data, FASHION_MNIST) == 0 ? clothes[class] : digits[class];
}

/* What went wrong on the tape or in the store, if anything did. */
static inline bool all_well(const rg_tape *t, const rg_params *ps)
{
    if (!t || !ps)
        return complain("out of memory");
    if (rg_params_status(ps) != RG_OK)
        return complain("%s", rg_params_error(ps));
    return !rg_failed(t) || complain("%s", rg_tape_error(t));
}

#endif
