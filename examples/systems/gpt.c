/* A small GPT that learns to write the bytes of a text: transformer blocks with the normalisation first, each byte looking
 * back at those before it (Radford et al., "Language models are unsupervised multitask learners", 2019). The last tenth of
 * the text is held out, and what the network makes of it is compared with a 3-gram model of the same training part (ngrams.h).
 * Read it top-down. */
#include "ngrams.h"

#include <getopt.h>
#include <retrograd/retrograd.h>
#include <time.h>

typedef struct options {
    int64_t width, layers, heads, context, batch, steps, warmup, seed, threads, sample;
    double lr, weight_decay, dropout, temperature;
    int64_t top_k;
    bool learned, untied;
    int require_below; /* 0: no requirement; 1: the unigram model's loss; 3: the 3-gram model's */
    const char *data, *prompt;
} options;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- the network ------------------------------------------------------------------------------------------------- */

typedef struct network {
    rg_param *embedding;            /* [BYTES, width]                                  */
    rg_param *head;                 /* [BYTES, width]; the embedding itself unless --untied */
    rg_learned_positions positions; /* weight NULL unless --learned                       */
    rg_transformer_encoder blocks;
    double dropout;
} network;

static rg_param *normal(rg_params *ps, const char *name, int64_t width)
{
    rg_param *p = rg_param_new(ps, name, RG_F32, RG_SHAPE(BYTES, width), NULL);
    rg_init_normal(p, 0, 0.02);
    return p;
}

static network network_new(rg_params *ps, const options *o)
{
    const rg_transformer_config config = {.dim_feedforward = 4 * o->width,
                                          .dropout = o->dropout > 0 ? o->dropout : RG_ZERO,
                                          .activation = rg_gelu,
                                          .norm_first = true,
                                          .final_norm = true,
                                          .rotary = !o->learned};
    network net = {.dropout = o->dropout};
    net.embedding = normal(ps, "embedding", o->width);
    net.head = o->untied ? normal(ps, "head", o->width) : net.embedding;
    if (o->learned) {
        net.positions = rg_learned_positions_new(ps, "positions", o->context, o->width);
        rg_init_normal(net.positions.weight, 0, 0.02);
    }
    net.blocks = rg_transformer_encoder_new(ps, "blocks", o->width, o->heads, (int)o->layers, &config);
    /* GPT-2's first values: what is added to the residual stream is small, the more so the more there is of it. */
    for (int i = 0; i < net.blocks.count; i++) {
        const rg_transformer_encoder_layer *const l = &net.blocks.layers[i];
        rg_init_normal(l->self_attn.in_proj_weight, 0, 0.02);
        rg_init_normal(l->linear1.weight, 0, 0.02);
        rg_init_normal(l->self_attn.out_proj.weight, 0, 0.02 / sqrt(2 * (double)o->layers));
        rg_init_normal(l->linear2.weight, 0, 0.02 / sqrt(2 * (double)o->layers));
        rg_init_constant(l->linear1.bias, 0);
        rg_init_constant(l->linear2.bias, 0);
    }
    return net;
}

/* x [n, time] of bytes -> logits [n, time, BYTES] of the bytes that follow. positions: nil, or where the first one stands. */
static rg_tensor network_forward(rg_tape *t, const network *net, rg_tensor x, rg_tensor positions,
                                 const rg_attention_masks *masks)
{
    rg_tensor h = rg_embedding(t, x, rg_leaf(t, net->embedding), NULL);
    if (net->positions.weight)
        h = rg_learned_positions_forward(t, &net->positions, h, positions);
    h = rg_dropout(t, h, net->dropout, rg_training(t));
    h = rg_transformer_encoder_forward(t, &net->blocks, h, masks);
    return rg_affine(t, h, rg_leaf(t, net->head), RG_NIL);
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

typedef struct session {
    text text;
    rg_params *params, *caches; /* what is learnt; what a sample remembers */
    rg_tape *tape;
    rg_optim *optim;
    network net;
    rg_rng rng;
    int64_t *x, *y;   /* a batch                                          */
    int64_t *counted; /* of each window, in how many places its loss counts */
} session;

/* The bytes from `begin` on, and those that follow each of them. */
static void put_window(const session *s, int64_t row, int64_t begin, int64_t context)
{
    for (int64_t i = 0; i < context; i++) {
        s->x[row * context + i] = s->text.bytes[begin + i];
        s->y[row * context + i] = s->text.bytes[begin + i + 1];
    }
}

static rg_tensor logits_of_windows(const session *s, const options *o, int64_t rows)
{
    const rg_attention_masks look_back = {.causal = true};
    const rg_tensor x = rg_input_i64(s->tape, RG_SHAPE(rows, o->context), s->x);
    const rg_tensor logits = network_forward(s->tape, &s->net, x, RG_NIL, &look_back);
    return rg_reshape(s->tape, logits, RG_SHAPE(-1, BYTES));
}

/* Linear warm-up, then a cosine down to a tenth. */
static double rate_of(const options *o, int64_t step)
{
    if (step < o->warmup)
        return rg_schedule_warmup(o->lr, step, o->warmup);
    return rg_schedule_cosine(o->lr, 0.1 * o->lr, step - o->warmup, o->steps - o->warmup);
}

/* Returns the loss of the batch. */
static double train_step(session *s, const options *o, int64_t step)
{
    rg_tape *t = s->tape;
    for (int64_t row = 0; row < o->batch; row++) {
        int64_t begin;
        rg_rng_integers(&s->rng, &begin, 1, 0, s->text.training - o->context);
        put_window(s, row, begin, o->context);
    }
    rg_tape_reset(t);
    const rg_tensor logits = logits_of_windows(s, o, o->batch);
    const rg_tensor y = rg_input_i64(t, RG_SHAPE(o->batch * o->context), s->y);
    const rg_tensor loss = rg_cross_entropy(t, logits, y, NULL);
    rg_backward(t, loss);
    rg_clip_grad_norm(t, s->params, 1);
    rg_optim_set_lr(s->optim, rate_of(o, step));
    rg_optim_step(s->optim, t);
    return rg_item(t, loss);
}

/* The window in which the loss of byte `next`, and of those that follow, counts: half a context stands before it. */
static int64_t window_of(const session *s, const options *o, int64_t next)
{
    const int64_t begin = next == s->text.training ? next - 1 : next - 1 - o->context / 2;
    return begin + o->context < s->text.count ? begin : s->text.count - 1 - o->context;
}

/* Nats a byte of the whole held-out part. Windows overlap by half, and all but the first count in their second half, so that no
 * byte is guessed from less. */
static double evaluate(const session *s, const options *o)
{
    const int64_t begin = s->text.training, end = s->text.count;
    double sum = 0;
    rg_set_training(s->tape, false);
    for (int64_t next = begin; next < end && !rg_failed(s->tape);) {
        int64_t rows = 0;
        for (; rows < o->batch && next < end; rows++) {
            const int64_t window = window_of(s, o, next);
            put_window(s, rows, window, o->context);
            s->counted[rows] = window + o->context + 1 - next; /* so many of its last bytes */
            next = window + o->context + 1;
        }
        rg_tape_reset(s->tape);
        rg_mode_push(s->tape, RG_INFERENCE);
        const rg_tensor y = rg_input_i64(s->tape, RG_SHAPE(rows * o->context), s->y);
        const rg_cross_entropy_config each = {.reduction = RG_NONE};
        const float *loss = rg_data_f32(s->tape, rg_cross_entropy(s->tape, logits_of_windows(s, o, rows), y, &each));
        rg_mode_pop(s->tape);
        for (int64_t row = 0; loss && row < rows; row++)
            for (int64_t i = o->context - s->counted[row]; i < o->context; i++)
                sum += (double)loss[row * o->context + i];
    }
    rg_set_training(s->tape, true);
    return sum / (double)(end - begin);
}

/* ---- sampling ---------------------------------------------------------------------------------------------------- */

/* One byte, from the top_k likeliest, with logits divided by the temperature. */
static unsigned char draw_byte(const options *o, const float *logits, rg_rng *rng)
{
    double weight[BYTES], sum = 0, u;
    for (int i = 0; i < BYTES; i++) {
        int above = 0;
        for (int k = 0; k < BYTES; k++)
            above += logits[k] > logits[i] || (logits[k] == logits[i] && k < i);
        weight[i] = o->top_k == 0 || above < o->top_k ? exp((double)logits[i] / o->temperature) : 0;
    }
    for (int i = 0; i < BYTES; i++)
        sum += weight[i];
    rg_rng_uniform_f64(rng, &u, 1, 0, sum);
    int chosen = 0, last = 0;
    for (; chosen < BYTES && u >= 0; chosen++)
        if (weight[chosen] > 0) {
            u -= weight[chosen];
            last = chosen;
        }
    return (unsigned char)last;
}

/* Reads `count` bytes that stand at `position` of the window; returns the logits behind the last. */
static const float *read_on(const session *s, const rg_attention_cache *caches, const unsigned char *bytes,
                            int64_t count, int64_t position)
{
    rg_tape *t = s->tape;
    for (int64_t i = 0; i < count; i++)
        s->x[i] = bytes[i];
    rg_tape_reset(t);
    rg_mode_push(t, RG_INFERENCE);
    const rg_attention_masks masks = {.cache = caches, .position = position};
    const rg_tensor x = rg_input_i64(t, RG_SHAPE(1, count), s->x), first = rg_scalar(t, RG_I64, (double)position);
    const rg_tensor places = rg_add(t, rg_arange(t, RG_I64, 0, (double)count, 1), first);
    const float *logits = rg_data_f32(t, rg_select(t, network_forward(t, &s->net, x, places, &masks), 1, -1));
    rg_mode_pop(t);
    return logits;
}

/* Writes on from the prompt. Each step reads one byte: what it needs of those before is in the caches. When the window is full,
 * its second half is read again as the beginning of the next one. */
static bool print_sample(session *s, const options *o)
{
    rg_attention_cache caches[RG_TRANSFORMER_LAYERS];
    const int64_t prompt = (int64_t)strlen(o->prompt);
    unsigned char *window = malloc((size_t)o->context);
    rg_rng rng = rg_rng_new((uint64_t)o->seed, 2);
    for (int i = 0; i < s->net.blocks.count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        caches[i] = rg_attention_cache_new(s->caches, name, &s->net.blocks.layers[i].self_attn, 1, o->context);
    }
    if (!window)
        return complain("out of memory");
    int64_t filled = prompt < o->context ? prompt : o->context / 2, unread = filled;
    memcpy(window, o->prompt + prompt - filled, (size_t)filled);
    rg_set_training(s->tape, false);
    printf("%s", o->prompt);
    for (int64_t i = 0; i < o->sample; i++) {
        const float *logits = read_on(s, caches, window + filled - unread, unread, filled - unread);
        if (!logits)
            break;
        const unsigned char next = draw_byte(o, logits, &rng);
        putchar(next);
        unread = 1;
        if (filled == o->context) {
            filled = o->context / 2;
            memmove(window, window + o->context - filled, (size_t)filled);
            unread = filled + 1;
        }
        window[filled++] = next;
    }
    putchar('\n');
    rg_tape_reset(s->tape);
    free(window);
    return !rg_failed(s->tape) || complain("%s", rg_tape_error(s->tape));
}

/* ---- a run ------------------------------------------------------------------------------------------------------- */

static bool session_open(session *s, const options *o)
{
    if (!text_read(&s->text, o->data, o->context))
        return false;
    s->params = rg_params_new((uint64_t)o->seed);
    s->caches = rg_params_new(0);
    s->tape = rg_tape_new(&(rg_tape_config){.threads = (int)o->threads, .seed = (uint64_t)o->seed});
    s->net = network_new(s->params, o);
    s->optim = rg_adamw_new(s->params, &(rg_adam_config){.beta2 = 0.99, .weight_decay = o->weight_decay});
    s->rng = rg_rng_new((uint64_t)o->seed, 1);
    const size_t places = (size_t)(o->batch * o->context);
    s->x = malloc(places * sizeof *s->x);
    s->y = malloc(places * sizeof *s->y);
    s->counted = malloc((size_t)o->batch * sizeof *s->counted);
    if (!s->params || !s->caches || !s->tape || !s->optim || !s->x || !s->y || !s->counted)
        return complain("out of memory");
    return rg_params_status(s->params) == RG_OK || complain("%s", rg_params_error(s->params));
}

static void session_close(session *s)
{
    rg_optim_free(s->optim);
    rg_tape_free(s->tape);
    rg_params_free(s->caches);
    rg_params_free(s->params);
    free(s->x);
    free(s->y);
    free(s->counted);
    free(s->text.bytes);
}

static void print_task(const session *s, const options *o, double unigram, double trigram)
{
    printf("%" PRId64 " bytes to learn from, %" PRId64 " held out, from %s\n", s->text.training,
           s->text.count - s->text.training, o->data);
    printf("GPT: %" PRId64 " layers, %" PRId64 " heads, width %" PRId64 ", context %" PRId64 ", %s positions, %" PRId64
           " parameters\n",
           o->layers, o->heads, o->width, o->context, o->learned ? "learned" : "rotary", rg_params_numel(s->params));
    printf("%" PRId64 " steps of %" PRId64 " windows; learning rate %g, seed %" PRId64 "\n\n", o->steps, o->batch,
           o->lr, o->seed);
    printf("held-out loss in nats a byte: unigram model %.4f, 3-gram model %.4f\n", unigram, trigram);
}

static bool train(session *s, const options *o, double *loss)
{
    const double began = seconds();
    const int64_t every = o->steps < 10 ? 1 : o->steps / 10;
    double sum = 0;
    int64_t summed = 0;
    for (int64_t step = 0; step < o->steps; step++, summed++) {
        sum += train_step(s, o, step);
        if (rg_failed(s->tape))
            return complain("%s", rg_tape_error(s->tape));
        if (!isfinite(sum))
            return complain("the loss is no longer finite; a smaller --lr may help");
        if ((step + 1) % every != 0 && step + 1 != o->steps)
            continue;
        *loss = evaluate(s, o);
        printf("step %5" PRId64 "  training %.4f  held out %.4f  %5.1f s\n", step + 1, sum / (double)(summed + 1),
               *loss, seconds() - began);
        sum = 0;
        summed = -1;
    }
    return !rg_failed(s->tape) || complain("%s", rg_tape_error(s->tape));
}

static bool run(session *s, const options *o)
{
    double unigram = NAN, trigram = NAN, loss = NAN;
    if (!ngrams_fit(&s->text, &unigram, &trigram))
        return false;
    print_task(s, o, unigram, trigram);
    if (!train(s, o, &loss))
        return false;
    printf("\nheld-out loss %.4f nats a byte, perplexity %.3f; 3-gram model %.4f, %.3f\n", loss, exp(loss), trigram,
           exp(trigram));
    if (o->sample > 0) {
        printf("\nA sample, temperature %g, of the %" PRId64 " likeliest bytes:\n\n", o->temperature,
               o->top_k > 0 ? o->top_k : BYTES);
        if (!print_sample(s, o))
            return false;
    }
    const double limit = o->require_below == 3 ? trigram : o->require_below == 1 ? unigram : INFINITY;
    return loss < limit || complain("the loss %.4f is not below %.4f", loss, limit);
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static const options full = {
    .width = 128,
    .layers = 4,
    .heads = 4,
    .context = 64,
    .batch = 16,
    .steps = 1200,
    .warmup = 100,
    .seed = 1,
    .sample = 600,
    .lr = 2e-3,
    .weight_decay = 0.1,
    .dropout = 0.1,
    .temperature = 0.8,
    .top_k = 40,
    .require_below = 3,
    .data = "/usr/share/common-licenses",
    .prompt = "\n",
};

/* A network and a training of a few seconds, which must learn more than how often each byte occurs. */
static options shortened(void)
{
    options o = full;
    o.width = 32;
    o.layers = 2;
    o.heads = 2;
    o.context = 32;
    o.batch = 8;
    o.steps = 300;
    o.warmup = 20;
    o.lr = 5e-3;
    o.dropout = 0;
    o.sample = 120;
    o.require_below = 1;
    return o;
}

static void print_help(void)
{
    puts("Usage: gpt [OPTION]...\n"
         "Trains a small GPT on the bytes of a text, compares it with a 3-gram model, and prints a sample.\n");
    printf("      --data PATH    a file, or a folder of which all files are read\n"
           "                     (%s)\n",
           full.data);
    printf("      --width N      of the residual stream (%" PRId64 ")\n", full.width);
    printf("      --layers N     (%" PRId64 ")\n", full.layers);
    printf("      --heads N      (%" PRId64 ")\n", full.heads);
    printf("      --context N    bytes that are seen at once (%" PRId64 ")\n", full.context);
    printf("      --batch N      windows a step (%" PRId64 ")\n", full.batch);
    printf("      --steps N      (%" PRId64 ")\n", full.steps);
    printf("      --lr RATE      after the warm-up; it then falls along a cosine to a tenth (%g)\n", full.lr);
    printf("      --dropout P    (%g)\n", full.dropout);
    printf("      --seed N       of all that is random (%" PRId64 ")\n", full.seed);
    puts("      --threads N    threads; the result does not depend on it (one a processor)\n"
         "      --learned      learned positions instead of rotary ones\n"
         "      --untied       a head of its own instead of the embedding, transposed");
    printf("      --sample N     bytes to write at the end (%" PRId64 ")\n", full.sample);
    puts("      --prompt TEXT  what the sample begins with (a line feed)");
    printf("      --temperature T  of the sample (%g)\n", full.temperature);
    printf("      --top-k N      draw from so many bytes, 0: all (%" PRId64 ")\n", full.top_k);
    puts("      --short        a small network for a few seconds, which must fall below the unigram model\n"
         "      --require-below-trigram  fail where the loss is not below the 3-gram model's (so unless --short)\n"
         "      --require-nothing        succeed with any loss\n"
         "  -h, --help         this text\n"
         "\n"
         "Exit status: 0 done, 1 something failed or the loss is too high, 2 wrong options.");
}

static int64_t read_integer(const char *option, const char *given, int64_t low, int64_t high)
{
    char *end;
    errno = 0;
    const long long value = strtoll(given, &end, 10);
    if (end == given || *end != '\0' || errno != 0 || value < low || value > high) {
        complain("--%s: found '%s', expected an integer from %" PRId64 " to %" PRId64, option, given, low, high);
        exit(2);
    }
    return value;
}

static double read_number(const char *option, const char *given, double low, double high)
{
    char *end;
    const double value = strtod(given, &end);
    if (end == given || *end != '\0' || !(value >= low && value <= high)) { /* a NaN is neither */
        complain("--%s: found '%s', expected a number from %g to %g", option, given, low, high);
        exit(2);
    }
    return value;
}

static options read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"data", required_argument, NULL, 'd'},
        {"width", required_argument, NULL, 'w'},
        {"layers", required_argument, NULL, 'l'},
        {"heads", required_argument, NULL, 'H'},
        {"context", required_argument, NULL, 'c'},
        {"batch", required_argument, NULL, 'b'},
        {"steps", required_argument, NULL, 'n'},
        {"lr", required_argument, NULL, 'r'},
        {"dropout", required_argument, NULL, 'p'},
        {"seed", required_argument, NULL, 's'},
        {"threads", required_argument, NULL, 't'},
        {"learned", no_argument, NULL, 'R'},
        {"untied", no_argument, NULL, 'u'},
        {"sample", required_argument, NULL, 'S'},
        {"prompt", required_argument, NULL, 'P'},
        {"temperature", required_argument, NULL, 'T'},
        {"top-k", required_argument, NULL, 'k'},
        {"short", no_argument, NULL, 'q'},
        {"require-below-trigram", no_argument, NULL, '3'},
        {"require-nothing", no_argument, NULL, '0'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    options o = full;
    for (int i = 1; i < argc; i++) /* whatever its place, it changes no more than the defaults */
        if (strcmp(argv[i], "--short") == 0)
            o = shortened();
    for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        switch (option) {
        case 'd': o.data = optarg; break;
        case 'w': o.width = read_integer("width", optarg, 1, 1 << 16); break;
        case 'l': o.layers = read_integer("layers", optarg, 1, RG_TRANSFORMER_LAYERS); break;
        case 'H': o.heads = read_integer("heads", optarg, 1, 1 << 16); break;
        case 'c': o.context = read_integer("context", optarg, 2, 1 << 16); break;
        case 'b': o.batch = read_integer("batch", optarg, 1, 1 << 14); break;
        case 'n': o.steps = read_integer("steps", optarg, 1, INT32_MAX); break;
        case 'r': o.lr = read_number("lr", optarg, 1e-9, 1e6); break;
        case 'p': o.dropout = read_number("dropout", optarg, 0, 1); break;
        case 's': o.seed = read_integer("seed", optarg, 0, INT64_MAX); break;
        case 't': o.threads = read_integer("threads", optarg, 1, 1024); break;
        case 'R': o.learned = true; break;
        case 'u': o.untied = true; break;
        case 'S': o.sample = read_integer("sample", optarg, 0, INT32_MAX); break;
        case 'P': o.prompt = optarg; break;
        case 'T': o.temperature = read_number("temperature", optarg, 1e-3, 1e3); break;
        case 'k': o.top_k = read_integer("top-k", optarg, 0, BYTES); break;
        case 'q': break;
        case '3': o.require_below = 3; break;
        case '0': o.require_below = 0; break;
        case 'h': print_help(); exit(0);
        default: exit(2); /* getopt_long has said why */
        }
    }
    if (optind < argc || *o.prompt == '\0') {
        complain("found '%s', expected options only, and a prompt that is not empty; --help lists them",
                 optind < argc ? argv[optind] : "");
        exit(2);
    }
    return o;
}

int main(int argc, char **argv)
{
    const options o = read_options(argc, argv);
    static session s;
    setvbuf(stdout, NULL, _IOLBF, 0); /* each line is seen at once, through a pipe too */
    const bool good = session_open(&s, &o) && run(&s, &o);
    session_close(&s);
    return good ? 0 : 1;
}
