/* retrograd apply: any op of the table on NumPy files, and the gradients of its results. */
#include "tool.h"

#include <retrograd/retrograd.h>

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64, MOST_RESULTS = 4096, ATTRIBUTES_SIZE = 8192, ERROR_SIZE = 1024 };

static void print_help(void)
{
    puts("Usage: retrograd apply OP [IN.npy]... [NAME=VALUE]... [OPTION]...\n"
         "\n"
         "Runs an op on tensors from NumPy files. 'retrograd ops OP' shows the tensors and attributes that it takes.\n"
         "\n"
         "  IN.npy      a tensor, in the order of the signature; - or nil for one that is left out. A file whose name has an =\n"
         "              in it is given with its folder, as ./a=b.npy\n"
         "  NAME=VALUE  an attribute: axis=1 keepdim=true size='[2, 3]' equation='ij,jk->ik' dtype=f64\n"
         "\n"
         "Options:\n"
         "  -o, --output OUT         write the first result to OUT.npy, further ones to OUT.1.npy, OUT.2.npy, ... and gradients to\n"
         "                           OUT.grad0.npy, OUT.grad1.npy, ... by the number of the tensor, from 0. A .npy at the end\n"
         "                           of OUT is dropped. Without this, all is printed\n"
         "  -g, --grad C.npy         also take the gradients of the sum over result * C with respect to each float tensor. C has\n"
         "                           the result's shape and dtype. Given again it is for the next result, - or nil for none;\n"
         "                           results without one do not count\n"
         "  -d, --dtype f32|f64      convert float tensors (and C) to this dtype first\n"
         "  -s, --seed N             seed of random ops; 0 unless given. Gradients see the same draws\n"
         "  -t, --threads N          threads; results do not depend on it\n"
         "  -h, --help               this text\n"
         "\n"
         "What is written is listed on standard output. Nothing is written unless all of it could be computed.\n"
         "Exit status: 0 when all went well, 1 when a file or the op failed, 2 when the command line is wrong.");
}

typedef struct job {
    const char *op, *output;
    char attributes[ATTRIBUTES_SIZE];
    const char *in[MOST], *cotangent[MOST]; /* NULL: left out */
    int inputs, cotangents;
    int dtype; /* of float tensors; -1: as they are */
    int64_t seed, threads;
} job;

/* ---- the command line ---- */

static const char *file_or_nil(const char *text)
{
    return strcmp(text, "-") == 0 || strcmp(text, "nil") == 0 ? NULL : text;
}

/* The length of NAME in NAME=VALUE, 0 where the text is none. */
static size_t attribute_name(const char *text)
{
    size_t n = 0;
    while (isalnum((unsigned char)text[n]) || text[n] == '_')
        n++;
    return text[n] == '=' ? n : 0;
}

/* The shell took the quotes away, rg_apply needs them around spaces. */
static bool add_attribute(job *j, const char *text)
{
    const size_t used = strlen(j->attributes), name = attribute_name(text) + 1;
    const char *const value = text + name;
    const size_t n = strlen(value);
    const bool whole = n >= 2 && ((*value == '[' && value[n - 1] == ']') ||
                                  ((*value == '\'' || *value == '"') && value[n - 1] == *value));
    const char *quote = whole || !value[strcspn(value, " \t\n")] ? "" : strchr(value, '\'') ? "\"" : "'";
    const int length = snprintf(j->attributes + used, sizeof j->attributes - used, "%s%.*s%s%s%s", used ? " " : "",
                                (int)name, text, quote, value, quote);
    return (size_t)length < sizeof j->attributes - used;
}

static int take_option(job *j, int option)
{
    switch (option) {
    case 'o': j->output = optarg; return EXIT_FINE;
    case 'g':
        if (j->cotangents == MOST)
            return usage_error("apply ", "more than %d times --grad", MOST);
        j->cotangent[j->cotangents++] = file_or_nil(optarg);
        return EXIT_FINE;
    case 'd':
        j->dtype = strcmp(optarg, "f32") == 0 ? RG_F32 : strcmp(optarg, "f64") == 0 ? RG_F64 : -1;
        return j->dtype >= 0 ? EXIT_FINE : usage_error("apply ", "--dtype is f32 or f64, not '%s'", optarg);
    case 's':
        return read_number(optarg, INT64_MIN, &j->seed)
                   ? EXIT_FINE
                   : usage_error("apply ", "--seed is a whole number, not '%s'", optarg);
    case 't':
        return read_number(optarg, 1, &j->threads) && j->threads <= 1024
                   ? EXIT_FINE
                   : usage_error("apply ", "--threads is a number from 1 to 1024, not '%s'", optarg);
    default: return bad_option("apply ");
    }
}

static int take_arguments(job *j, int count, char **arguments)
{
    if (count == 0)
        return usage_error("apply ", "no op is named");
    j->op = arguments[0];
    for (int i = 1; i < count; i++) {
        if (attribute_name(arguments[i]) > 0) {
            if (!add_attribute(j, arguments[i]))
                return usage_error("apply ", "more than %d characters of attributes", ATTRIBUTES_SIZE);
        } else {
            if (j->inputs == MOST)
                return usage_error("apply ", "more than %d tensors", MOST);
            j->in[j->inputs++] = file_or_nil(arguments[i]);
        }
    }
    return EXIT_FINE;
}

/* ---- files ---- */

static bool read_tensor(rg_tape *t, const job *j, const char *path, rg_tensor *x)
{
    char error[ERROR_SIZE];
    *x = RG_NIL;
    if (!path)
        return true;
    rg_npy *npy = rg_npy_read(path, error, sizeof error);
    if (!npy) {
        trouble("%s", error);
        return false;
    }
    *x = rg_input(t, npy->dtype, npy->shape, npy->data);
    if (j->dtype >= 0 && npy->dtype <= RG_F64)
        *x = rg_cast(t, *x, (rg_dtype)j->dtype);
    rg_npy_free(npy);
    return true;
}

/* OUT.npy, OUT.1.npy or OUT.grad1.npy; prints it where there is no OUT. */
static bool put_tensor(rg_tape *t, const job *j, const char *suffix, rg_tensor x)
{
    char path[4096], error[ERROR_SIZE];
    const char *const output = j->output ? j->output : "";
    const size_t n = strlen(output);
    const int stem = (int)(n > 4 && strcmp(output + n - 4, ".npy") == 0 ? n - 4 : n);
    if (!j->output) {
        if (*suffix)
            printf("%s:\n", suffix + 1);
        rg_print(t, x, stdout);
        return true;
    }
    if (snprintf(path, sizeof path, "%.*s%s.npy", stem, output, suffix) >= (int)sizeof path) {
        trouble("%.40s...: the name is too long", output);
        return false;
    }
    const rg_shape shape = rg_shape_of(t, x);
    if (!rg_npy_write(path, rg_dtype_of(t, x), shape, rg_data(t, x), error, sizeof error)) {
        trouble("%s", error);
        return false;
    }
    printf("%s  %s [", path, rg_dtype_name(rg_dtype_of(t, x)));
    for (int i = 0; i < shape.rank; i++)
        printf(i ? ", %lld" : "%lld", (long long)shape.dims[i]);
    printf("]\n");
    return true;
}

/* ---- the work ---- */

typedef struct values {
    rg_tensor in[MOST], grad[MOST], *out; /* grad: nil where there is none */
    int results;
} values;

/* The gradients of the sum over all cotangents, with respect to the float tensors that are there. */
static bool take_gradients(rg_tape *t, const job *j, values *v)
{
    rg_tensor wanted[MOST], grad[MOST], cotangent;
    int place[MOST], count = 0;
    for (int i = 0; i < j->inputs; i++)
        if (!rg_is_nil(v->in[i]) && rg_dtype_of(t, v->in[i]) <= RG_F64) {
            place[count] = i;
            wanted[count++] = v->in[i];
        }
    if (j->cotangents > v->results) {
        trouble("%s: %d cotangents are given by --grad for %d results", j->op, j->cotangents, v->results);
        return false;
    }
    for (int k = 0; k < j->cotangents && !rg_failed(t); k++) {
        if (!read_tensor(t, j, j->cotangent[k], &cotangent))
            return false;
        if (rg_is_nil(cotangent) || count == 0 || !rg_grad_with(t, v->out[k], cotangent, wanted, count, grad))
            continue;
        for (int i = 0; i < count; i++) {
            rg_tensor *sum = &v->grad[place[i]];
            *sum = rg_is_nil(*sum) ? grad[i] : rg_add(t, *sum, grad[i]);
        }
    }
    return true;
}

/* All of them at once, so that random ops are drawn for all. */
static bool compute(rg_tape *t, const job *j, const values *v)
{
    for (int i = 0; i < v->results; i++)
        rg_keep(t, v->out[i]);
    for (int i = 0; i < j->inputs; i++)
        if (!rg_is_nil(v->grad[i]))
            rg_keep(t, v->grad[i]);
    if (!rg_failed(t))
        rg_tape_run(t);
    for (int i = 0; i < v->results && !rg_failed(t); i++)
        rg_data(t, v->out[i]);
    return !rg_failed(t);
}

static bool put_all(rg_tape *t, const job *j, const values *v)
{
    char suffix[32];
    for (int i = 0; i < v->results; i++) {
        snprintf(suffix, sizeof suffix, ".%d", i);
        if (!put_tensor(t, j, i ? suffix : "", v->out[i]))
            return false;
    }
    for (int i = 0; i < j->inputs; i++) {
        snprintf(suffix, sizeof suffix, ".grad%d", i);
        if (!rg_is_nil(v->grad[i]) && !put_tensor(t, j, suffix, v->grad[i]))
            return false;
    }
    return true;
}

static int apply(rg_tape *t, const job *j, values *v)
{
    for (int i = 0; i < j->inputs; i++)
        if (!read_tensor(t, j, j->in[i], &v->in[i]))
            return EXIT_TROUBLE;
    v->results = rg_apply(t, j->op, v->in, j->inputs, j->attributes, v->out, MOST_RESULTS);
    if (!rg_failed(t) && !take_gradients(t, j, v))
        return EXIT_TROUBLE;
    if (!compute(t, j, v))
        return trouble("%s", rg_tape_error(t));
    if (!put_all(t, j, v))
        return EXIT_TROUBLE;
    return rg_failed(t) ? trouble("%s", rg_tape_error(t)) : finish();
}

int run_apply(int argc, char **argv)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"grad", required_argument, NULL, 'g'},
        {"dtype", required_argument, NULL, 'd'},
        {"seed", required_argument, NULL, 's'},
        {"threads", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    job j = {.dtype = -1};
    for (int option; (option = getopt_long(argc, argv, "o:g:d:s:t:h", options, NULL)) != -1;) {
        if (option == 'h') {
            print_help();
            return finish();
        }
        const int status = take_option(&j, option);
        if (status != EXIT_FINE)
            return status;
    }
    int status = take_arguments(&j, argc - optind, argv + optind);
    if (status != EXIT_FINE)
        return status;
    values v = {.out = calloc(MOST_RESULTS, sizeof *v.out)};
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = (int)j.threads, .seed = (uint64_t)j.seed});
    status = v.out && t ? apply(t, &j, &v) : trouble("out of memory");
    rg_tape_free(t);
    free(v.out);
    return status;
}
