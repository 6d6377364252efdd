/* Training steps of networks over sequences: a GPT and a character LSTM, as peers_torch.py defines them. */
#include "cases.h"
#include <retrograd/retrograd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VOCABULARY = 65, BATCHES = 4, LABEL_SETS = 61 };
enum { GPT_BATCH = 16, CONTEXT = 256, WIDTH = 384, HEADS = 6, BLOCKS = 6 };
enum { LSTM_BATCH = 64, STEPS = 64, HIDDEN = 256 };

typedef struct norm {
    rg_param *weight, *bias;
} norm;

typedef struct block {
    norm norm1, norm2;
    rg_linear qkv, projection, up, down;
} block;

typedef struct sequences {
    rg_tape *tape;
    rg_params *params;
    rg_optim *optim;
    int64_t steps, tokens; /* of a batch */
    int64_t *x, *y;
    rg_tensor (*forward)(struct sequences *s, rg_tensor x);
    rg_shape shape;
    rg_param *embedding;
    /* GPT */
    rg_param *position;
    block blocks[BLOCKS];
    norm norm;
    rg_linear head;
    /* LSTM */
    rg_param *w_ih, *w_hh, *b_ih, *b_hh;
} sequences;

static rg_param *matrix(rg_params *ps, const char *name, int64_t rows, int64_t columns, double std)
{
    rg_param *p = rg_param_new(ps, name, RG_F32, RG_SHAPE(rows, columns), NULL);
    rg_init_normal(p, 0, std);
    return p;
}

static norm norm_new(rg_params *ps, const char *name)
{
    rg_params_scope_push(ps, name);
    const norm n = {rg_param_new(ps, "weight", RG_F32, RG_SHAPE(WIDTH), NULL),
                    rg_param_new(ps, "bias", RG_F32, RG_SHAPE(WIDTH), NULL)};
    rg_init_constant(n.weight, 1);
    rg_params_scope_pop(ps);
    return n;
}

static rg_tensor normalise(rg_tape *t, const norm *n, rg_tensor x)
{
    return rg_layer_norm(t, x, RG_SHAPE(WIDTH), rg_leaf(t, n->weight), rg_leaf(t, n->bias), 1e-5);
}

static void gpt_new(sequences *s)
{
    rg_params *ps = s->params;
    s->embedding = matrix(ps, "embedding", VOCABULARY, WIDTH, 1);
    s->position = matrix(ps, "position", CONTEXT, WIDTH, 1);
    for (int i = 0; i < BLOCKS; i++) {
        const char name[] = {'b', (char)('0' + i), '\0'};
        block *b = &s->blocks[i];
        rg_params_scope_push(ps, name);
        b->norm1 = norm_new(ps, "norm1"), b->norm2 = norm_new(ps, "norm2");
        b->qkv = rg_linear_new(ps, "qkv", WIDTH, 3 * WIDTH), b->projection = rg_linear_new(ps, "proj", WIDTH, WIDTH);
        b->up = rg_linear_new(ps, "up", WIDTH, 4 * WIDTH), b->down = rg_linear_new(ps, "down", 4 * WIDTH, WIDTH);
        rg_params_scope_pop(ps);
    }
    s->norm = norm_new(ps, "norm");
    s->head = rg_linear_new(ps, "head", WIDTH, VOCABULARY);
    s->head.bias = NULL;
}

static rg_tensor attend(rg_tape *t, const block *b, rg_tensor x)
{
    const int64_t batch = rg_dim(t, x, 0), length = rg_dim(t, x, 1);
    const rg_tensor all = rg_linear_forward(t, &b->qkv, x);
    rg_tensor part[3];
    for (int i = 0; i < 3; i++) {
        part[i] = rg_slice(t, all, -1, i * WIDTH, (i + 1) * WIDTH, 1);
        part[i] = rg_transpose(t, rg_reshape(t, part[i], RG_SHAPE(batch, length, HEADS, WIDTH / HEADS)), 1, 2);
    }
    const rg_tensor y =
        rg_scaled_dot_product_attention(t, part[0], part[1], part[2], RG_NIL, &(rg_attention_config){.causal = true});
    return rg_linear_forward(t, &b->projection, rg_reshape(t, rg_transpose(t, y, 1, 2), RG_SHAPE(batch, length, WIDTH)));
}

static rg_tensor gpt_forward(sequences *s, rg_tensor ids)
{
    rg_tape *t = s->tape;
    rg_tensor x = rg_add(t, rg_embedding(t, ids, rg_leaf(t, s->embedding), NULL), rg_leaf(t, s->position));
    for (int i = 0; i < BLOCKS; i++) {
        const block *b = &s->blocks[i];
        x = rg_add(t, x, attend(t, b, normalise(t, &b->norm1, x)));
        const rg_tensor up = rg_gelu(t, rg_linear_forward(t, &b->up, normalise(t, &b->norm2, x)));
        x = rg_add(t, x, rg_linear_forward(t, &b->down, up));
    }
    return rg_linear_forward(t, &s->head, normalise(t, &s->norm, x));
}

static void lstm_new(sequences *s)
{
    rg_params *ps = s->params;
    s->embedding = matrix(ps, "embedding", VOCABULARY, HIDDEN, 1);
    s->w_ih = matrix(ps, "w_ih", 4 * HIDDEN, HIDDEN, .05);
    s->w_hh = matrix(ps, "w_hh", 4 * HIDDEN, HIDDEN, .05);
    s->b_ih = rg_param_new(ps, "b_ih", RG_F32, RG_SHAPE(4 * HIDDEN), NULL);
    s->b_hh = rg_param_new(ps, "b_hh", RG_F32, RG_SHAPE(4 * HIDDEN), NULL);
    s->head = rg_linear_new(ps, "head", HIDDEN, VOCABULARY);
}

static rg_tensor lstm_forward(sequences *s, rg_tensor ids)
{
    rg_tape *t = s->tape;
    const rg_tensor x = rg_embedding(t, ids, rg_leaf(t, s->embedding), NULL);
    const rg_tensor bias = rg_add(t, rg_leaf(t, s->b_ih), rg_leaf(t, s->b_hh));
    const rg_tensor in = rg_affine(t, x, rg_leaf(t, s->w_ih), bias);
    const rg_tensor w = rg_transpose(t, rg_leaf(t, s->w_hh), 0, 1);
    rg_tensor step[STEPS], out[STEPS];
    rg_tensor h = rg_zeros(t, RG_F32, RG_SHAPE(LSTM_BATCH, HIDDEN)), c = h;
    rg_unbind(t, in, 0, step, STEPS);
    for (int i = 0; i < STEPS; i++) {
        const rg_tensor gates = rg_add(t, step[i], rg_matmul(t, h, w));
        rg_tensor g[4];
        rg_chunk(t, gates, 4, 1, g, 4);
        c = rg_add(t, rg_mul(t, rg_sigmoid(t, g[1]), c), rg_mul(t, rg_sigmoid(t, g[0]), rg_tanh(t, g[2])));
        h = rg_mul(t, rg_sigmoid(t, g[3]), rg_tanh(t, c));
        out[i] = h;
    }
    return rg_linear_forward(t, &s->head, rg_stack(t, out, STEPS, 0));
}

static void step(void *opaque)
{
    sequences *s = opaque;
    rg_tape *t = s->tape;
    const int64_t at = s->steps++;
    rg_tape_reset(t);
    rg_tensor x = rg_borrow(t, RG_I64, s->shape, NULL, s->x + at % BATCHES * s->tokens);
    rg_tensor y = rg_borrow(t, RG_I64, RG_SHAPE(s->tokens), NULL, s->y + at % LABEL_SETS * s->tokens);
    rg_tensor logits = rg_reshape(t, s->forward(s, x), RG_SHAPE(s->tokens, VOCABULARY));
    rg_tensor loss = rg_keep(t, rg_cross_entropy(t, logits, y, NULL));
    rg_backward(t, loss);
    rg_optim_step(s->optim, t);
    rg_tape_run(t);
}

static const char *error(const void *opaque)
{
    const sequences *s = opaque;
    const char *store = rg_params_error(s->params);
    return *store ? store : rg_tape_error(s->tape);
}

static void close_sequences(void *opaque)
{
    sequences *s = opaque;
    rg_optim_free(s->optim);
    rg_tape_free(s->tape);
    rg_params_free(s->params);
    free(s->x), free(s->y);
    free(s);
}

bool open_sequences(const char *name, int threads, subject *out)
{
    const bool gpt = strcmp(name, "d5") == 0;
    sequences *s = gpt || strcmp(name, "d6") == 0 ? calloc(1, sizeof *s) : NULL;
    if (!s)
        return false;
    s->tape = rg_tape_new(&(rg_tape_config){.threads = threads, .seed = 1});
    s->params = rg_params_new(1);
    s->shape = gpt ? RG_SHAPE(GPT_BATCH, CONTEXT) : RG_SHAPE(STEPS, LSTM_BATCH);
    s->tokens = rg_shape_numel(s->shape);
    s->forward = gpt ? gpt_forward : lstm_forward;
    (gpt ? gpt_new : lstm_new)(s);
    if (gpt)
        s->optim = rg_adamw_new(s->params, &(rg_adam_config){.lr = 1e-6, .beta2 = .99, .weight_decay = .1});
    else
        s->optim = rg_adam_new(s->params, &(rg_adam_config){.lr = 2e-6});
    s->x = aligned_zeros((size_t)(BATCHES * s->tokens) * sizeof *s->x);
    s->y = aligned_zeros((size_t)(LABEL_SETS * s->tokens) * sizeof *s->y);
    if (!s->tape || !s->params || !s->optim || !s->x || !s->y) {
        close_sequences(s);
        return false;
    }
    rg_rng rng = rg_rng_new(2, 0);
    rg_rng_integers(&rng, s->x, (size_t)(BATCHES * s->tokens), 0, VOCABULARY);
    rg_rng_integers(&rng, s->y, (size_t)(LABEL_SETS * s->tokens), 0, VOCABULARY);
    *out = (subject){s, step, error, close_sequences, .per = 1};
    return true;
}

void list_sequences(void)
{
    printf("d5\ttraining step, GPT of 6 layers, 6 heads, width 384, context 256, batch 16, AdamW\n");
    printf("d6\ttraining step, LSTM 256, 64 steps, batch 64, vocabulary 65, Adam\n");
}
