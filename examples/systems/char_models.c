/* Language models of characters: Elman's network, LSTM and GRU read a text byte by byte and say which byte comes next, after
 * Karpathy, "The Unreasonable Effectiveness of Recurrent Neural Networks" (2015). Back-propagation is truncated: the text is
 * read in segments, states go on from one to the next, gradients do not. The last tenth of the text is held out. */
#include "common.h"

#include <math.h>

enum { STEPS = 32, BATCH = 16, HIDDEN = 128, SAMPLE = 240 };

/* ---- the text ---------------------------------------------------------------------------------------------------- */

typedef struct text {
    int64_t count, held_out; /* the last so many are not trained on */
    int64_t *id;             /* [count], which byte of the vocabulary */
    int64_t vocabulary;
    unsigned char byte[256]; /* of each id */
} text;

static bool text_read(const options *o, text *out)
{
    FILE *file = fopen(o->data, "rb");
    if (!file)
        return complain("%s: %s", o->data, strerror(errno));
    int64_t room = 0;
    int of_byte[256];
    memset(of_byte, -1, sizeof of_byte);
    bool good = true;
    for (int byte; good && (o->limit == 0 || out->count < o->limit) && (byte = getc(file)) != EOF;) {
        if (out->count == room) {
            room = 2 * room + 4096;
            int64_t *more = realloc(out->id, (size_t)room * sizeof *more);
            good = more ? true : complain("%s: no memory for %" PRId64 " bytes", o->data, room);
            out->id = more ? more : out->id;
        }
        if (of_byte[byte] < 0) {
            out->byte[out->vocabulary] = (unsigned char)byte;
            of_byte[byte] = (int)out->vocabulary++;
        }
        if (good)
            out->id[out->count++] = of_byte[byte];
    }
    fclose(file);
    out->held_out = out->count / 10;
    if (good && out->held_out < BATCH * (STEPS + 1))
        good =
            complain("%s: found %" PRId64 " bytes, expected %d or more", o->data, out->count, 10 * BATCH * (STEPS + 1));
    return good;
}

/* What a model pays for each byte that knows nothing but how often each occurs: their entropy, in nats. */
static double unigram_entropy(const text *text)
{
    int64_t count[256] = {0};
    for (int64_t i = 0; i < text->count; i++)
        count[text->id[i]]++;
    double entropy = 0;
    for (int64_t v = 0; v < text->vocabulary; v++) {
        const double p = (double)count[v] / (double)text->count;
        entropy -= p * log(p);
    }
    return entropy;
}

/* ---- the model --------------------------------------------------------------------------------------------------- */

typedef struct model {
    rg_recurrent cell;
    rg_linear out;
    rg_param *h, *c; /* the states after the last segment, [1, BATCH, HIDDEN] */
    int64_t vocabulary;
} model;

static model model_new(rg_params *ps, int kind, int64_t vocabulary)
{
    return (model){
        .cell = kind == 0   ? rg_rnn_new(ps, "rnn", vocabulary, HIDDEN, NULL)
                : kind == 1 ? rg_gru_new(ps, "gru", vocabulary, HIDDEN, NULL)
                            : rg_lstm_new(ps, "lstm", vocabulary, HIDDEN, NULL),
        .out = rg_linear_new(ps, "out", HIDDEN, vocabulary),
        .h = rg_buffer_new(ps, "h", RG_F32, RG_SHAPE(1, BATCH, HIDDEN), NULL),
        .c = kind == 2 ? rg_buffer_new(ps, "c", RG_F32, RG_SHAPE(1, BATCH, HIDDEN), NULL) : NULL,
        .vocabulary = vocabulary,
    };
}

/* ids [T, B] -> logits [T B, vocabulary]; *states are those at first, then those at last. */
static rg_tensor logits_of(rg_tape *t, const model *m, rg_tensor ids, rg_recurrent_given *states)
{
    const rg_tensor x = rg_one_hot(t, ids, m->vocabulary, RG_F32);
    const rg_recurrent_result r = rg_recurrent_forward(t, &m->cell, x, states);
    states->h = r.h;
    states->c = r.c;
    return rg_linear_forward(t, &m->out, rg_reshape(t, r.output, RG_SHAPE(-1, HIDDEN)));
}

/* The loss of a segment, after which the states are those at its end. */
static rg_tensor segment_loss(rg_tape *t, const model *m, const int64_t *ids, const int64_t *next)
{
    rg_recurrent_given states = {.h = rg_leaf(t, m->h), .c = m->c ? rg_leaf(t, m->c) : RG_NIL};
    const rg_tensor logits = logits_of(t, m, rg_input_i64(t, RG_SHAPE(STEPS, BATCH), ids), &states);
    rg_assign(t, m->h, states.h);
    if (m->c)
        rg_assign(t, m->c, states.c);
    return rg_cross_entropy(t, logits, rg_input_i64(t, RG_SHAPE(STEPS * BATCH), next), NULL);
}

/* Reads a part of the text once, BATCH places of it at a time, and trains where there is an optimizer. Gives the mean loss. */
static double read_part(rg_tape *t, rg_params *ps, const model *m, const int64_t *ids, int64_t count, rg_optim *opt)
{
    static const float zeros[BATCH * HIDDEN];
    static int64_t x[STEPS * BATCH], next[STEPS * BATCH];
    const int64_t lane = (count - 1) / BATCH, segments = lane / STEPS;
    double sum = 0;
    rg_tape_reset(t);
    rg_param_set(m->h, zeros, sizeof zeros);
    if (m->c)
        rg_param_set(m->c, zeros, sizeof zeros);
    for (int64_t s = 0; s < segments && !rg_failed(t); s++) {
        for (int64_t i = 0; i < STEPS * BATCH; i++) {
            const int64_t at = i % BATCH * lane + s * STEPS + i / BATCH;
            x[i] = ids[at];
            next[i] = ids[at + 1];
        }
        rg_mode_push(t, opt ? RG_GRAD : RG_NO_GRAD);
        const rg_tensor loss = segment_loss(t, m, x, next);
        rg_mode_pop(t);
        if (opt) {
            rg_backward(t, loss);
            rg_clip_grad_norm(t, ps, 1);
            rg_optim_step(opt, t);
        }
        sum += rg_item(t, loss);
        rg_tape_reset(t);
    }
    return sum / (double)segments;
}

/* Lets the model go on by itself: each byte is drawn from what it expects, and read next. */
static void print_sample(rg_tape *t, const model *m, const text *text)
{
    static float h[HIDDEN], c[HIDDEN];
    memset(h, 0, sizeof h);
    memset(c, 0, sizeof c);
    int64_t id = text->id[0];
    printf("      ");
    for (int i = 0; i < SAMPLE && !rg_failed(t); i++) {
        rg_mode_push(t, RG_NO_GRAD);
        rg_recurrent_given states = {.h = rg_input_f32(t, RG_SHAPE(1, 1, HIDDEN), h),
                                     .c = m->c ? rg_input_f32(t, RG_SHAPE(1, 1, HIDDEN), c) : RG_NIL};
        const rg_tensor logits = logits_of(t, m, rg_input_i64(t, RG_SHAPE(1, 1), &id), &states);
        const rg_tensor drawn = rg_draw_categorical(t, rg_reshape(t, logits, RG_SHAPE(m->vocabulary)));
        id = (int64_t)rg_item(t, drawn);
        rg_read(t, states.h, h, sizeof h);
        if (m->c)
            rg_read(t, states.c, c, sizeof c);
        rg_mode_pop(t);
        rg_tape_reset(t);
        const unsigned char byte = rg_failed(t) ? ' ' : text->byte[id];
        if (byte == '\n')
            printf("\n      ");
        else
            putchar(byte >= 32 && byte < 127 ? byte : '?');
    }
    printf("\n\n");
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

static const char *const kinds[] = {"RNN", "GRU", "LSTM"};

/* The loss on what is held out, in nats a byte; NaN on error. */
static double train(int kind, const text *text, const options *o)
{
    rg_params *ps = rg_params_new((uint64_t)o->seed);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = (int)o->threads, .seed = (uint64_t)o->seed});
    const model m = model_new(ps, kind, text->vocabulary);
    rg_optim *opt = rg_adam_new(ps, NULL);
    const int64_t seen = text->count - text->held_out;
    double training = NAN, held_out = NAN;
    for (int64_t epoch = 0; epoch < o->epochs && all_well(t, ps); epoch++) {
        rg_optim_set_lr(opt, rg_schedule_cosine(4e-3, 4e-4, epoch, o->epochs));
        training = read_part(t, ps, &m, text->id, seen, opt);
    }
    if (all_well(t, ps)) {
        held_out = read_part(t, ps, &m, text->id + seen, text->held_out, NULL);
        printf("%-4s  loss %.3f, on the held-out tenth %.3f nats a byte (%.3f bits); %" PRId64 " parameters\n",
               kinds[kind], training, held_out, held_out / log(2), rg_params_numel(ps));
        print_sample(t, &m, text);
    }
    if (!all_well(t, ps))
        held_out = NAN;
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
    return held_out;
}

int main(int argc, char **argv)
{
    static const options full = {.epochs = 25, .seed = 1, .require = 2.15, .data = "/usr/share/common-licenses/GPL-3"};
    static const options brief = {.epochs = 4, .seed = 1, .require = 2.9, .data = "/usr/share/common-licenses/GPL-3"};
    const options o =
        read_options(argc, argv,
                     "RNN, GRU and LSTM learn to write a text byte by byte.\n"
                     "The result is the highest loss of the three on the last tenth of the text, in nats a byte;\n"
                     "it must be below --require, and below the entropy of the text's bytes.",
                     &full, &brief);
    text text = {0};
    bool good = text_read(&o, &text);
    if (good) {
        const double entropy = unigram_entropy(&text);
        printf("%" PRId64 " bytes, %" PRId64 " different ones, entropy %.3f nats a byte\n\n", text.count,
               text.vocabulary, entropy);
        for (int kind = 0; kind < 3; kind++) {
            const double loss = train(kind, &text, &o);
            if (!(loss < o.require && loss < entropy))
                good = complain("%s: the loss is %.3f; it must be below %g and %.3f", kinds[kind], loss, o.require,
                                entropy);
        }
    }
    free(text.id);
    return good ? 0 : 1;
}
