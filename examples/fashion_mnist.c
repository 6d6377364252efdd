/* The main job: a network of linear layers with ReLU between them learns to tell ten kinds of clothes apart, from the
 * 60000 pictures of Fashion-MNIST (Xiao et al., arXiv 1708.07747), or, with --data, the digits of MNIST, whose files look
 * the same. Read it top-down from "the network" on: what learns stands first, then how it is trained, what is printed, and
 * last the options. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <retrograd/retrograd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PIXELS = 28 * 28, CLASSES = 10, MAX_LAYERS = 9, MAX_HIDDEN = MAX_LAYERS - 1 };

#define FASHION_MNIST "/usr/share/datasets/fashion-mnist"

/* What the classes are called: clothes in that folder, digits in others. */
static const char *const clothes[CLASSES] = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
};
static const char *const digits[CLASSES] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

typedef enum optimizer { SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM, ADAMW, OPTIMIZERS } optimizer;

/* What --optimizer takes, and the learning rate of the first epoch: found by trying a few with batches of 64 and looking
 * at the test accuracy, which is a little flattered by that. A study would choose by images that are in neither part:
 * see rg_dataset_split. */
static const struct {
    const char *name;
    double lr;
} optimizers[OPTIMIZERS] = {
    [SGD] = {"sgd", 0.3},          [MOMENTUM] = {"momentum", 0.05}, [NESTEROV] = {"nesterov", 0.05},
    [ADAGRAD] = {"adagrad", 0.05}, [RMSPROP] = {"rmsprop", 0.002},  [ADAM] = {"adam", 0.002},
    [ADAMW] = {"adamw", 0.002},
};

typedef struct options {
    int64_t hidden[MAX_HIDDEN]; /* units of each hidden layer, hidden_count of them */
    int hidden_count;
    int64_t epochs, batch, seed, threads, limit;
    optimizer optimizer;
    double lr;        /* 0: the optimizer's of the table above           */
    bool constant_lr; /* or else it falls from epoch to epoch            */
    double require;   /* percent; a final accuracy below it is a failure */
    const char *data;
} options;

/* Says on one line of stderr what went wrong. Returns false, for `return complain(...)`. */
__attribute__((format(printf, 1, 2))) static bool complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("fashion_mnist: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return false;
}

/* ---- the network ------------------------------------------------------------------------------------------------- */

typedef struct network {
    rg_linear layer[MAX_LAYERS];
    int count;
} network;

/* PIXELS - hidden[0] - hidden[1] ... - CLASSES */
static network network_new(rg_params *ps, const options *o)
{
    static const char *const names[MAX_LAYERS] = {"l1", "l2", "l3", "l4", "l5", "l6", "l7", "l8", "l9"};
    network net = {.count = o->hidden_count + 1};
    for (int i = 0; i < net.count; i++) {
        const int64_t in = i > 0 ? o->hidden[i - 1] : PIXELS;
        const int64_t out = i < o->hidden_count ? o->hidden[i] : CLASSES;
        net.layer[i] = rg_linear_new(ps, names[i], in, out);
    }
    return net;
}

/* x [n, PIXELS] -> logits [n, CLASSES]: the larger one is, the more the network believes in that class. */
static rg_tensor network_forward(rg_tape *t, const network *net, rg_tensor x)
{
    for (int i = 0; i < net->count; i++) {
        if (i > 0)
            x = rg_relu(t, x);
        x = rg_linear_forward(t, &net->layer[i], x);
    }
    return x;
}

static rg_optim *optimizer_new(rg_params *ps, optimizer which, double lr)
{
    switch (which) {
    case SGD: return rg_sgd_new(ps, &(rg_sgd_config){.lr = lr});
    case MOMENTUM: return rg_sgd_new(ps, &(rg_sgd_config){.lr = lr, .momentum = 0.9});
    case NESTEROV: return rg_sgd_new(ps, &(rg_sgd_config){.lr = lr, .momentum = 0.9, .nesterov = true});
    case ADAGRAD: return rg_adagrad_new(ps, &(rg_adagrad_config){.lr = lr});
    case RMSPROP: return rg_rmsprop_new(ps, &(rg_rmsprop_config){.lr = lr});
    case ADAM: return rg_adam_new(ps, &(rg_adam_config){.lr = lr});
    case ADAMW: return rg_adamw_new(ps, &(rg_adam_config){.lr = lr});
    case OPTIMIZERS: break;
    }
    return NULL;
}

/* ---- the data ---------------------------------------------------------------------------------------------------- */

/* One of the two parts, "train" or "t10k", or its first `limit` samples. NULL where it cannot be had. */
static rg_dataset *load_part(const options *o, const char *part)
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

/* ---- training ---------------------------------------------------------------------------------------------------- */

/* Everything that a run holds. */
typedef struct session {
    rg_dataset *train, *test;
    rg_loader *train_batches, *test_batches;
    rg_params *params;
    rg_tape *tape;
    rg_optim *optim;
    rg_confusion *confusion; /* of the test images, after the last epoch so far */
    double lr;               /* of the first epoch */
    network net;
} session;

/* How far an epoch has come. */
typedef struct progress {
    int64_t epoch, epochs; /* counted from 1           */
    int64_t seen, samples; /* of this epoch            */
    double loss;           /* summed over what was seen */
    double began, drawn;   /* in seconds               */
} progress;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void draw_bar(progress *p);

/* One update of all weights. Returns the mean loss of the batch. */
static double train_step(const session *s, const rg_batch *batch)
{
    rg_tape *t = s->tape;
    rg_tape_reset(t);
    rg_tensor x = rg_input_f32(t, RG_SHAPE(batch->count, PIXELS), batch->x);
    rg_tensor y = rg_input_i64(t, RG_SHAPE(batch->count), batch->y);
    rg_tensor loss = rg_cross_entropy(t, network_forward(t, &s->net, x), y, NULL);
    rg_backward(t, loss);
    rg_optim_step(s->optim, t);
    return rg_item(t, loss); /* the first value asked for: forward, backward and update run now */
}

/* Every training image once, in an order of this epoch's own. */
static void train_epoch(const session *s, progress *p)
{
    rg_batch batch;
    rg_loader_start(s->train_batches, p->epoch);
    while (!rg_failed(s->tape) && rg_loader_next(s->train_batches, &batch)) {
        p->loss += train_step(s, &batch) * (double)batch.count;
        p->seen += batch.count;
        draw_bar(p);
    }
}

/* Nothing is learnt here, so nothing is kept for gradients. */
static void evaluate_batch(const session *s, const rg_batch *batch)
{
    rg_tape *t = s->tape;
    rg_tape_reset(t);
    rg_mode_push(t, RG_INFERENCE);
    rg_tensor x = rg_input_f32(t, RG_SHAPE(batch->count, PIXELS), batch->x);
    const int64_t *guess = rg_data_i64(t, rg_argmax(t, network_forward(t, &s->net, x), 1, false));
    if (guess)
        rg_confusion_add(s->confusion, batch->y, guess, batch->count);
    rg_mode_pop(t);
}

/* Test accuracy in percent. */
static double evaluate(const session *s)
{
    rg_batch batch;
    rg_confusion_reset(s->confusion);
    rg_loader_start(s->test_batches, 0);
    while (!rg_failed(s->tape) && rg_loader_next(s->test_batches, &batch))
        evaluate_batch(s, &batch);
    return 100 * rg_confusion_accuracy(s->confusion);
}

/* ---- what is printed --------------------------------------------------------------------------------------------- */

static void print_task(const session *s, const options *o)
{
    const int64_t threads = o->threads ? o->threads : rg_info_get().threads;
    printf("%" PRId64 " training and %" PRId64 " test images from %s\n", s->train->count, s->test->count, o->data);
    printf("network %d", PIXELS);
    for (int i = 0; i < o->hidden_count; i++)
        printf("-%" PRId64, o->hidden[i]);
    printf("-%d, %" PRId64 " parameters\n", CLASSES, rg_params_numel(s->params));
    printf("%s, learning rate %g%s, batch %" PRId64 ", seed %" PRId64 ", %" PRId64 " thread%s\n\n",
           optimizers[o->optimizer].name, s->lr, o->constant_lr ? "" : " at first", o->batch, o->seed, threads,
           threads > 1 ? "s" : "");
}

/* "epoch  3/10", where both numbers are as wide as the last. */
static void print_epoch_number(const progress *p)
{
    const int width = snprintf(NULL, 0, "%" PRId64, p->epochs);
    printf("epoch %*" PRId64 "/%" PRId64, width, p->epoch, p->epochs);
}

/* On a terminal, ten times a second. */
static void draw_bar(progress *p)
{
    enum { WIDTH = 24 };
    static const char filled[WIDTH + 1] = "========================";
    const double now = seconds();
    if (now - p->drawn < 0.1 || !isatty(STDOUT_FILENO))
        return;
    p->drawn = now;
    const int done = (int)(p->seen * WIDTH / p->samples);
    putchar('\r');
    print_epoch_number(p);
    printf("  [%-*.*s] %3.0f %%  loss %.4f  %6.0f samples/s ", WIDTH, done, filled,
           100 * (double)p->seen / (double)p->samples, p->loss / (double)p->seen, (double)p->seen / (now - p->began));
    fflush(stdout);
}

/* The line that stays, in the place of the bar. */
static void print_epoch(const progress *p, double took, double accuracy)
{
    if (isatty(STDOUT_FILENO))
        printf("\r%79s\r", "");
    print_epoch_number(p);
    printf("  loss %.4f  test accuracy %5.2f %%  %6.0f samples/s\n", p->loss / (double)p->seen, accuracy,
           (double)p->seen / took);
}

static void print_confusion(const rg_confusion *c, const options *o)
{
    const int64_t *count = rg_confusion_counts(c);
    const char *const *class_names = strcmp(o->data, FASHION_MNIST) == 0 ? clothes : digits;
    printf("\nConfusion matrix: a row is what the images show, a column what the network says.\n%-11s", "");
    for (int j = 0; j < CLASSES; j++)
        printf("%6.5s", class_names[j]);
    puts("   right");
    for (int i = 0; i < CLASSES; i++) {
        const rg_class_scores scores = rg_confusion_class(c, i);
        printf("%-11s", class_names[i]);
        for (int j = 0; j < CLASSES; j++)
            printf("%6" PRId64, *count++);
        if (scores.support > 0)
            printf("  %4.1f %%\n", 100 * scores.recall);
        else
            puts("       -");
    }
}

static void print_result(const session *s, double accuracy, const options *o)
{
    char fingerprint[33];
    rg_params_fingerprint(s->params, fingerprint);
    print_confusion(s->confusion, o);
    printf("\ntest accuracy %.2f %% of %" PRId64 " images\n", accuracy, s->test->count);
    printf("parameter fingerprint %s\n", fingerprint);
}

/* ---- a run ------------------------------------------------------------------------------------------------------- */

static bool session_open(session *s, const options *o)
{
    const rg_loader_config train = {.batch = o->batch, .shuffle = true, .seed = (uint64_t)o->seed};
    const rg_loader_config test = {.batch = 1000};
    char error[256] = "";
    s->train = load_part(o, "train");
    s->test = s->train ? load_part(o, "t10k") : NULL;
    if (!s->test)
        return false;
    s->train_batches = rg_loader_new(s->train, &train, error, sizeof error);
    s->test_batches = s->train_batches ? rg_loader_new(s->test, &test, error, sizeof error) : NULL;
    if (!s->test_batches)
        return complain("%s", error);
    s->params = rg_params_new((uint64_t)o->seed);
    s->tape = rg_tape_new(&(rg_tape_config){.threads = (int)o->threads});
    s->net = network_new(s->params, o);
    s->lr = o->lr > 0 ? o->lr : optimizers[o->optimizer].lr;
    s->optim = optimizer_new(s->params, o->optimizer, s->lr);
    s->confusion = rg_confusion_new(CLASSES);
    if (!s->params || !s->tape || !s->optim || !s->confusion)
        return complain("out of memory");
    return rg_params_status(s->params) == RG_OK || complain("%s", rg_params_error(s->params));
}

static void session_close(session *s)
{
    rg_confusion_free(s->confusion);
    rg_optim_free(s->optim);
    rg_tape_free(s->tape);
    rg_params_free(s->params);
    rg_loader_free(s->test_batches);
    rg_loader_free(s->train_batches);
    rg_dataset_free(s->test);
    rg_dataset_free(s->train);
}

static bool run_epoch(const session *s, progress *p, double *accuracy)
{
    train_epoch(s, p);
    const double took = seconds() - p->began;
    *accuracy = evaluate(s);
    if (rg_failed(s->tape))
        return complain("%s", rg_tape_error(s->tape));
    print_epoch(p, took, *accuracy);
    return isfinite(p->loss) || complain("the loss is no longer finite; a smaller --lr may help");
}

static bool run(const session *s, const options *o)
{
    double accuracy = 0;
    print_task(s, o);
    for (int64_t epoch = 1; epoch <= o->epochs; epoch++) {
        if (!o->constant_lr)
            rg_optim_set_lr(s->optim, rg_schedule_cosine(s->lr, 0, epoch - 1, o->epochs));
        progress p = {.epoch = epoch, .epochs = o->epochs, .samples = s->train->count, .began = seconds()};
        if (!run_epoch(s, &p, &accuracy))
            return false;
    }
    print_result(s, accuracy, o);
    if (fflush(stdout) != 0 || ferror(stdout))
        return complain("standard output could not be written");
    return accuracy >= o->require || complain("test accuracy %.2f %% is below %g %%", accuracy, o->require);
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static const options defaults = {
    .hidden = {128},
    .hidden_count = 1,
    .epochs = 10,
    .batch = 64,
    .seed = 1,
    .optimizer = ADAM,
    .data = FASHION_MNIST,
};

static void print_help(void)
{
    puts("Usage: fashion_mnist [OPTION]...\n"
         "Trains a network of linear layers and ReLU on Fashion-MNIST, and tests it after each epoch.\n");
    printf("      --hidden N[,N...]  units of the hidden layers, at most %d layers (%" PRId64 ")\n", MAX_HIDDEN,
           defaults.hidden[0]);
    printf("      --epochs N         passes over the training images (%" PRId64 ")\n", defaults.epochs);
    printf("      --batch N          images an update (%" PRId64 ")\n", defaults.batch);
    printf("      --optimizer NAME   one of these (%s), each with its learning rate:\n",
           optimizers[defaults.optimizer].name);
    for (int i = 0; i < OPTIMIZERS; i++)
        printf("                           %-9s %g\n", optimizers[i].name, optimizers[i].lr);
    puts("      --lr RATE          another learning rate, of the first epoch; it then falls along a cosine\n"
         "      --constant-lr      keep the learning rate the same in all epochs");
    printf("      --seed N           of the first weights and the order of the images (%" PRId64 ")\n", defaults.seed);
    puts("      --threads N        threads; the result does not depend on it (one a processor)");
    printf("      --data DIR         the four files of Fashion-MNIST or MNIST, plain or .gz\n"
           "                         (%s)\n",
           defaults.data);
    puts("      --limit N          use the first N training and the first N test images only (all)\n"
         "      --require PERCENT  fail where the final test accuracy is below (0)\n"
         "  -h, --help             this text\n"
         "\n"
         "Exit status: 0 done, 1 something failed, 2 wrong options.");
}

__attribute__((noreturn)) static void refuse(const char *option, const char *found, const char *expected)
{
    complain("--%s: found '%s', expected %s", option, found, expected);
    exit(2);
}

static int64_t read_integer(const char *option, const char *text, int64_t low, int64_t high)
{
    char *end, expected[80];
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < low || value > high) {
        snprintf(expected, sizeof expected, "an integer from %" PRId64 " to %" PRId64, low, high);
        refuse(option, text, expected);
    }
    return value;
}

static double read_number(const char *option, const char *text, double low, double high)
{
    char *end, expected[80];
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= low && value <= high)) { /* a NaN is neither */
        snprintf(expected, sizeof expected, "a number from %g to %g", low, high);
        refuse(option, text, expected);
    }
    return value;
}

static optimizer read_optimizer(const char *option, const char *text)
{
    char expected[160] = "one of";
    for (int i = 0; i < OPTIMIZERS; i++) {
        if (strcmp(text, optimizers[i].name) == 0)
            return (optimizer)i;
        const size_t used = strlen(expected);
        snprintf(expected + used, sizeof expected - used, "%s %s", i > 0 ? "," : "", optimizers[i].name);
    }
    refuse(option, text, expected);
}

/* "512,256": one number a layer. */
static void read_hidden(const char *option, const char *text, options *o)
{
    const char *at = text;
    for (o->hidden_count = 0; o->hidden_count < MAX_HIDDEN; at++) {
        char *end;
        const long long units = strtoll(at, &end, 10);
        if (end == at || units < 1 || units > INT32_MAX)
            break;
        o->hidden[o->hidden_count++] = units;
        at = end;
        if (*at == '\0')
            return;
        if (*at != ',')
            break;
    }
    refuse(option, text, "up to eight positive integers, with commas between them");
}

static options read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"hidden", required_argument, NULL, 'H'},
        {"epochs", required_argument, NULL, 'e'},
        {"batch", required_argument, NULL, 'b'},
        {"lr", required_argument, NULL, 'r'},
        {"optimizer", required_argument, NULL, 'o'},
        {"seed", required_argument, NULL, 's'},
        {"threads", required_argument, NULL, 't'},
        {"data", required_argument, NULL, 'd'},
        {"limit", required_argument, NULL, 'l'},
        {"require", required_argument, NULL, 'R'},
        {"constant-lr", no_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    options o = defaults;
    for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        switch (option) {
        case 'H': read_hidden("hidden", optarg, &o); break;
        case 'e': o.epochs = read_integer("epochs", optarg, 1, 1000000); break;
        case 'b': o.batch = read_integer("batch", optarg, 1, INT32_MAX); break;
        case 'r': o.lr = read_number("lr", optarg, 1e-9, 1e6); break;
        case 'o': o.optimizer = read_optimizer("optimizer", optarg); break;
        case 's': o.seed = read_integer("seed", optarg, 0, INT64_MAX); break;
        case 't': o.threads = read_integer("threads", optarg, 1, 1024); break;
        case 'd': o.data = optarg; break;
        case 'l': o.limit = read_integer("limit", optarg, 1, INT64_MAX); break;
        case 'c': o.constant_lr = true; break;
        case 'R': o.require = read_number("require", optarg, 0, 100); break;
        case 'h': print_help(); exit(0);
        default: exit(2); /* getopt_long has said why */
        }
    }
    if (optind < argc) {
        complain("found '%s', expected options only; --help lists them", argv[optind]);
        exit(2);
    }
    return o;
}

int main(int argc, char **argv)
{
    const options o = read_options(argc, argv);
    session s = {0};
    setvbuf(stdout, NULL, _IOLBF, 0); /* each epoch's line is seen at once, through a pipe too */
    const bool good = session_open(&s, &o) && run(&s, &o);
    session_close(&s);
    return good ? 0 : 1;
}
