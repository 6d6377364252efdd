/* Plans: what is fused, that steps of one structure share one, and that a step in the steady state allocates nothing. The
 * linker sends the library's allocations here. */
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- allocations ---- */

static long allocations;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    allocations++;
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    allocations++;
    return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *block, size_t bytes)
{
    allocations++;
    return __real_realloc(block, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    allocations++;
    return __real_aligned_alloc(alignment, bytes);
}

/* ---- training ---- */

typedef struct model {
    rg_params *ps;
    rg_tape *t;
    rg_linear l1, l2;
    rg_optim *opt;
} model;

static model model_new(int threads)
{
    model m = {.ps = rg_params_new(3), .t = rg_tape_new(&(rg_tape_config){.threads = threads})};
    m.l1 = rg_linear_new(m.ps, "l1", 20, 32);
    m.l2 = rg_linear_new(m.ps, "l2", 32, 5);
    m.opt = rg_adam_new(m.ps, NULL);
    return m;
}

static void model_free(model *m)
{
    rg_optim_free(m->opt);
    rg_tape_free(m->t);
    rg_params_free(m->ps);
}

static double train_batch(model *m, int64_t batch, double lr, bool read)
{
    static float x[16 * 20];
    static int64_t y[16];
    for (int i = 0; i < 16 * 20; i++)
        x[i] = sinf((float)i);
    for (int i = 0; i < 16; i++)
        y[i] = i % 5;
    rg_tape *t = m->t;
    rg_tape_reset(t);
    rg_tensor h = rg_relu(t, rg_linear_forward(t, &m->l1, rg_borrow(t, RG_F32, RG_SHAPE(batch, 20), NULL, x)));
    rg_tensor logits = rg_linear_forward(t, &m->l2, rg_dropout(t, h, .2, true));
    rg_tensor loss = rg_cross_entropy(t, logits, rg_borrow(t, RG_I64, RG_SHAPE(batch), NULL, y), NULL);
    rg_backward(t, loss);
    rg_optim_set_lr(m->opt, lr);
    rg_optim_step(m->opt, t);
    return read ? rg_item(t, loss) : 0;
}

/* Three batches an epoch, the last one smaller; a learning rate of its own for every step; dropout. */
static void epoch(model *m, int number, bool read)
{
    static const int64_t batches[] = {16, 16, 10};
    for (int i = 0; i < 3; i++)
        train_batch(m, batches[i], 1e-3 / (1 + 3 * number + i), read);
}

static void every_plan_is_found_from_the_second_epoch_on(void **state)
{
    (void)state;
    for (int read = 0; read < 2; read++) {
        model m = model_new(1);
        epoch(&m, 0, read);
        epoch(&m, 1, read);
        const rg_tape_counts before = rg_tape_stats(m.t);
        assert_true(before.plans > 0);
        for (int i = 2; i < 12; i++)
            epoch(&m, i, read);
        const rg_tape_counts after = rg_tape_stats(m.t);
        assert_tape_ok(m.t);
        assert_int_equal(after.plans, before.plans);
        assert_int_equal(after.runs - before.runs, 30);
        assert_int_equal(after.hits - before.hits, 30);
        assert_int_equal(after.bytes, before.bytes);
        assert_true(after.running > before.running && after.planning > before.planning);
        model_free(&m);
    }
}

static void a_step_in_the_steady_state_allocates_nothing(void **state)
{
    (void)state;
    for (int read = 0; read < 2; read++) {
        model m = model_new(2);
        for (int i = 0; i < 3; i++)
            epoch(&m, i, read);
        allocations = 0;
        for (int i = 3; i < 6; i++)
            epoch(&m, i, read);
        assert_tape_ok(m.t);
        assert_int_equal(allocations, 0);
        train_batch(&m, 11, 1e-3, read); /* another structure: the counter counts */
        rg_tape_reset(m.t);
        assert_true(allocations > 0);
        model_free(&m);
    }
}

static void a_training_step_is_a_few_steps_and_assigns_in_place(void **state)
{
    (void)state;
    model m = model_new(1);
    train_batch(&m, 16, 1e-3, false);
    rg_plan_counts c;
    assert_true(rg_plan_stats(m.t, &c));
    /* Two moments and the value of each of the four parameters; the step counts are numbers, which are kept. */
    assert_int_equal(c.in_place, 4 * 3);
    assert_true(c.nodes > 3 * c.steps);
    assert_true(c.fused > 4 && c.fused < c.steps);
    assert_true(c.values > 0 && c.scratch > 0);
    const rg_tape_counts before = rg_tape_stats(m.t);
    assert_true(rg_tape_run(m.t)); /* the plan that was asked about */
    assert_int_equal(rg_tape_stats(m.t).plans, before.plans);
    model_free(&m);
}

/* The updates of all parameters are one wave, the numbers that they need another. */
static void all_updates_are_one_wave(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = 2});
    rg_optim *opt = rg_adam_new(ps, NULL);
    enum { PARAMETERS = 20 };
    rg_param *p[PARAMETERS];
    for (int i = 0; i < PARAMETERS; i++) {
        p[i] = rg_param_new(ps, (char[]){'p', (char)('a' + i), 0}, RG_F32, RG_SHAPE(i + 1, 2000), NULL);
        rg_init_uniform(p[i], -1, 1);
    }
    for (int step = 0; step < 3; step++) {
        rg_tensor loss = rg_scalar(t, RG_F32, 0);
        for (int i = 0; i < PARAMETERS; i++)
            loss = rg_add(t, loss, rg_sum(t, rg_square(t, rg_leaf(t, p[i])), RG_ALL, false));
        rg_backward(t, loss);
        rg_optim_step(opt, t);
        rg_plan_counts c;
        assert_true(rg_plan_stats(t, &c));
        assert_tape_ok(t);
        assert_int_equal(c.in_place, 3 * PARAMETERS);
        assert_true(c.fused > 2 * PARAMETERS);
        if (c.waves > 6)
            fail_msg("%lld fused steps are %lld waves", (long long)c.fused, (long long)c.waves);
        rg_tape_reset(t);
    }
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
}

static rg_tensor composite(rg_tape *t, rg_tensor x)
{
    return rg_add(t, rg_mul(t, x, rg_sigmoid(t, x)), rg_mul_scalar(t, rg_tanh(t, x), .5));
}

static void assert_fused_steps(rg_tape *t, int64_t expected, const char *what)
{
    rg_plan_counts c;
    assert_true(rg_plan_stats(t, &c));
    assert_tape_ok(t);
    if (c.fused != expected)
        fail_msg("%s takes %lld fused steps, not %lld", what, (long long)c.fused, (long long)expected);
    assert_true(rg_tape_run(t));
}

/* Forward and backward together, in one pass over the rows. */
static void chains_and_rows_are_one_step(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    for (int i = 0; i < 5; i++) {
        rg_tape_reset(t);
        rg_tensor x = rg_rand(t, RG_F32, RG_SHAPE(50, 40)), g = rg_rand(t, RG_F32, RG_SHAPE(50, 40)), dx, y = RG_NIL;
        switch (i) {
        case 0: y = composite(t, x); break;
        case 1: y = rg_softmax(t, x, 1); break;
        case 2: y = rg_log_softmax(t, x, -1); break;
        case 3: y = rg_gelu(t, x); break;
        default: y = rg_div(t, rg_sub(t, x, rg_mean(t, x, RG_AXES(1), true)), rg_std(t, x, RG_AXES(1), 0, true)); break;
        }
        assert_true(rg_grad_with(t, y, g, &x, 1, &dx));
        rg_keep(t, y);
        rg_keep(t, dx);
        static const char *const names[] = {"the composite", "softmax", "log-softmax", "gelu", "normalisation"};
        assert_fused_steps(t, 1, names[i]);
    }
    rg_tape_free(t);
}

/* Two layers with gradients; rows enough for several strips, and inputs whose memory could be used again too early. */
static double two_layers(rg_tape *t, double *sums)
{
    enum { ROWS = 300, COLUMNS = 500 };
    const rg_tensor x = rg_exp(t, rg_rand(t, RG_F64, RG_SHAPE(ROWS, 40)));
    const rg_tensor w = rg_sub(t, rg_rand(t, RG_F64, RG_SHAPE(40, COLUMNS)), rg_rand(t, RG_F64, RG_SHAPE(COLUMNS)));
    const rg_tensor u = rg_rand(t, RG_F64, RG_SHAPE(COLUMNS, COLUMNS)), bias = rg_rand(t, RG_F64, RG_SHAPE(COLUMNS));
    rg_tensor from[] = {w, u, bias}, grad[3];
    const rg_tensor h = rg_relu(t, rg_add(t, rg_matmul(t, x, w), bias));
    const rg_tensor y = rg_tanh(t, rg_mul_scalar(t, rg_matmul(t, h, u), 1e-3));
    const rg_tensor loss = rg_sum(t, rg_mul(t, y, rg_exp(t, y)), RG_ALL, false);
    rg_grad(t, loss, from, 3, grad);
    for (int i = 0; i < 3; i++)
        rg_keep(t, grad[i] = rg_sum(t, rg_abs(t, grad[i]), RG_ALL, false));
    rg_keep(t, loss);
    rg_plan_counts c;
    rg_plan_stats(t, &c);
    rg_tape_run(t);
    sums[0] = rg_item(t, loss);
    for (int i = 0; i < 3; i++)
        sums[1 + i] = rg_item(t, grad[i]);
    return (double)c.epilogues;
}

static void what_follows_a_product_works_on_its_rows(void **state)
{
    (void)state;
    double reference[4], plan[4], other[4];
    for (int threads = 0; threads <= 4; threads++) {
        rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads ? threads : 1, .eager = threads == 0, .seed = 5});
        double *const sums = threads == 0 ? reference : threads == 1 ? plan : other;
        const double epilogues = two_layers(t, sums);
        assert_tape_ok(t);
        if (epilogues != (threads ? 3 : 0))
            fail_msg("%g epilogues", epilogues);
        rg_tape_free(t);
        for (int i = 0; i < 4 && threads > 0; i++)
            if (!(fabs(sums[i] - reference[i]) <= 1e-10 * fabs(reference[i])))
                fail_msg("number %d is %.17g, not %.17g", i, sums[i], reference[i]);
        if (threads > 1)
            assert_memory_equal(other, plan, sizeof plan);
    }
}

static int count(const char *text, const char *words)
{
    int found = 0;
    while ((text = strstr(text, words)) != NULL) {
        text += strlen(words);
        found++;
    }
    return found;
}

/* Five steps with one weight, which changes from run to run. */
static void products_with_one_matrix_pack_it_once(void **state)
{
    (void)state;
    enum { ROWS = 24, WIDTH = 40, RUNS = 3 };
    static double result[3][RUNS][ROWS * WIDTH];
    for (int way = 0; way < 3; way++) {
        rg_params *ps = rg_params_new(9);
        rg_param *w = rg_param_new(ps, "w", RG_F64, RG_SHAPE(WIDTH, WIDTH), NULL);
        rg_init_xavier_uniform(w, 1);
        rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = way ? way : 1, .eager = way == 0, .seed = 5});
        for (int run = 0; run < RUNS; run++) {
            rg_tape_reset(t);
            rg_tensor h = rg_rand(t, RG_F64, RG_SHAPE(ROWS, WIDTH));
            const rg_tensor matrix = rg_transpose(t, rg_leaf(t, w), 0, 1);
            for (int i = 0; i < 5; i++)
                h = rg_tanh(t, rg_matmul(t, h, matrix));
            rg_assign(t, w, rg_mul_scalar(t, rg_leaf(t, w), 1.25));
            rg_keep(t, h);
            if (way > 0) {
                char *text = plan_text(t);
                const int packs = count(text, "packs its second matrix"),
                          packed = count(text, "its second matrix is packed");
                if (packs != 1 || packed != 4)
                    fail_msg("%d products pack and %d read a packed matrix in:\n%s", packs, packed, text);
                free(text);
            }
            assert_true(rg_tape_run(t));
            const double *data = rg_data_f64(t, h);
            assert_non_null(data);
            memcpy(result[way][run], data, sizeof result[way][run]);
        }
        rg_tape_free(t);
        rg_params_free(ps);
    }
    assert_memory_equal(result[1], result[2], sizeof result[1]);
    for (int run = 0; run < RUNS; run++)
        for (int i = 0; i < ROWS * WIDTH; i++)
            assert_true(fabs(result[0][run][i] - result[1][run][i]) <= 1e-12);
}

/* The mask of relu's gradient is computed again where it is used, from the activations that are there anyway. */
static void cheap_work_is_done_again_rather_than_stored(void **state)
{
    (void)state;
    enum { ROWS = 64, COLUMNS = 128 };
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor w = rg_rand(t, RG_F32, RG_SHAPE(COLUMNS, COLUMNS));
    const rg_tensor u = rg_rand(t, RG_F32, RG_SHAPE(COLUMNS, COLUMNS)), x = rg_rand(t, RG_F32, RG_SHAPE(ROWS, COLUMNS));
    rg_keep(t, x), rg_keep(t, w), rg_keep(t, u);
    rg_tape_run(t);
    const rg_tensor h = rg_keep(t, rg_relu(t, rg_matmul(t, x, w)));
    const rg_tensor loss = rg_sum(t, rg_matmul(t, h, u), RG_ALL, false);
    rg_tensor dw;
    assert_true(rg_grad(t, loss, &w, 1, &dw));
    rg_keep(t, dw);
    char *text = plan_text(t);
    int masks = 0, stored = 0;
    for (const char *line = text; (line = strstr(line, "        le ")); line++) {
        masks++;
        stored += line[8 + 13] == '%';
    }
    if (masks != 1 || stored != 0)
        fail_msg("%d masks, %d of them stored, in:\n%s", masks, stored, text);
    free(text);
    assert_true(rg_tape_run(t));
    rg_tape_free(t);
}

/* Two passes over the rows, between them one over the losses: neither the log-probabilities nor a row of zeros for each
 * label is stored. */
/* A step of one instruction works on long blocks, unless it reads one row again and again. */
/* A wide hidden layer with gelu, whose derivative reads the argument, half of it, and the distribution function: the
 * argument alone is stored, and the step of a plan is that of the reference. */
static void of_several_functions_of_an_array_the_array_is_stored(void **state)
{
    (void)state;
    enum { ROWS = 4096, IN = 16, HIDDEN = 256 };
    static float x[ROWS * IN], weights[2][HIDDEN * IN];
    const int64_t array = (int64_t)ROWS * HIDDEN * (int64_t)sizeof(float);
    rg_rng rng = rg_rng_new(4, 0);
    rg_rng_normal_f32(&rng, x, ROWS * IN, 0, 1);
    for (int eager = 0; eager < 2; eager++) {
        rg_tape *t = rg_tape_new(&(rg_tape_config){.eager = eager});
        rg_params *ps = rg_params_new(2);
        const rg_linear l1 = rg_linear_new(ps, "l1", IN, HIDDEN), l2 = rg_linear_new(ps, "l2", HIDDEN, HIDDEN);
        rg_optim *opt = rg_sgd_new(ps, &(rg_sgd_config){.lr = 1});
        const rg_tensor h = rg_gelu(t, rg_linear_forward(t, &l1, rg_borrow(t, RG_F32, RG_SHAPE(ROWS, IN), NULL, x)));
        const rg_tensor loss = rg_keep(t, rg_mean(t, rg_square(t, rg_linear_forward(t, &l2, h)), RG_ALL, false));
        rg_plan_counts before, whole;
        rg_plan_stats(t, &before);
        rg_backward(t, loss);
        rg_optim_step(opt, t);
        rg_plan_stats(t, &whole);
        if (!eager) {
            assert_true(before.retained >= 2 * array); /* both products, for a backward pass */
            assert_true(whole.retained < array);       /* which there is none of after the update */
            assert_true(whole.values < 6 * array);     /* two more without */
        }
        assert_true(rg_tape_run(t));
        memcpy(weights[eager], rg_param_data(l1.weight), sizeof weights[eager]);
        rg_optim_free(opt);
        rg_tape_free(t);
        rg_params_free(ps);
    }
    for (int i = 0; i < HIDDEN * IN; i++)
        assert_true(fabsf(weights[0][i] - weights[1][i]) <= 1e-5F * fabsf(weights[1][i]) + 1e-7F);
}

static void one_row_serves_all_rows(void **state)
{
    (void)state;
    enum { ROWS = 4, COLUMNS = 9000 };
    static double row[COLUMNS], out[ROWS * COLUMNS];
    const double column[ROWS] = {1, -2, 3, .5};
    for (int c = 0; c < COLUMNS; c++)
        row[c] = c - 4500;
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor a = rg_input_f64(t, RG_SHAPE(ROWS, 1), column), b = rg_input_f64(t, RG_SHAPE(COLUMNS), row);
    assert_true(rg_read(t, rg_mul(t, a, b), out, sizeof out));
    for (int i = 0; i < ROWS * COLUMNS; i++)
        assert_true(out[i] == column[i / COLUMNS] * row[i % COLUMNS]);
    rg_tape_free(t);
}

/* The first cast is done again by the reader of both, and nothing is left for the step that it was in. */
static void no_step_is_without_work(void **state)
{
    (void)state;
    static const int64_t numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor x = rg_cast(t, rg_input_i64(t, RG_SHAPE(9), numbers), RG_F32);
    const rg_tensor one = rg_cast(t, rg_scalar(t, RG_F64, 1), RG_F32);
    const rg_tensor y = rg_where(t, rg_input_bool(t, RG_SHAPE(1), &(bool){true}), x, one);
    rg_keep(t, y);
    rg_plan_counts c;
    assert_true(rg_plan_stats(t, &c));
    assert_int_equal(c.steps, 3); /* the scalar, its cast, and the rest */
    float out[9];
    assert_true(rg_read(t, y, out, sizeof out));
    assert_true(out[0] == 1 && out[8] == 9);
    rg_tape_free(t);
}

static void cross_entropy_picks_and_places_within_its_rows(void **state)
{
    (void)state;
    enum { ROWS = 300, CLASSES = 50 };
    static int64_t label[ROWS];
    for (int i = 0; i < ROWS; i++)
        label[i] = i * 7 % CLASSES;
    rg_tape *t = rg_tape_new(NULL);
    rg_tensor x = rg_rand(t, RG_F32, RG_SHAPE(ROWS, CLASSES)), dx;
    rg_tensor loss = rg_cross_entropy(t, x, rg_input_i64(t, RG_SHAPE(ROWS), label), NULL);
    assert_true(rg_grad(t, loss, &x, 1, &dx));
    rg_keep(t, dx);
    rg_plan_counts c;
    assert_true(rg_plan_stats(t, &c));
    assert_int_equal(c.fused, 3);
    assert_true(c.values < 2 * ROWS * CLASSES * 4 + 64 * ROWS); /* x, the exponentials, and what there is for each row */
    assert_true(rg_tape_run(t));
    rg_tape_free(t);
}

/* A weight for each sample is the same for several rows that are added to, and so may an index be. */
static void one_weight_or_index_serves_several_rows(void **state)
{
    (void)state;
    enum { SAMPLES = 5, STEPS = 6, CLASSES = 7, ALL = SAMPLES * STEPS * CLASSES };
    static int64_t label[SAMPLES * STEPS];
    static double result[2][2][ALL];
    for (int i = 0; i < SAMPLES * STEPS; i++)
        label[i] = i * 3 % CLASSES;
    for (int eager = 0; eager < 2; eager++) {
        rg_tape *t = rg_tape_new(&(rg_tape_config){.eager = eager});
        const rg_tensor x = rg_rand(t, RG_F64, RG_SHAPE(SAMPLES, STEPS, CLASSES));
        const rg_tensor picked = rg_gather(t, x, 2, rg_input_i64(t, RG_SHAPE(SAMPLES, STEPS, 1), label));
        const rg_tensor each = rg_mean(t, picked, RG_AXES(1, 2), false), weight = rg_arange(t, RG_F64, 1, SAMPLES + 1, 1);
        rg_tensor dx;
        assert_true(rg_grad(t, rg_sum(t, rg_mul(t, each, weight), RG_ALL, false), &x, 1, &dx));
        assert_true(rg_read(t, rg_mul_scalar(t, dx, 2), result[eager][0], sizeof result[eager][0]));
        const rg_tensor index =
            rg_expand(t, rg_input_i64(t, RG_SHAPE(SAMPLES, 1, 1), label), RG_SHAPE(SAMPLES, STEPS, 1));
        const rg_tensor source = rg_slice(t, x, 2, 0, 1, 1);
        const rg_tensor sums = rg_scatter_add(t, rg_square(t, x), 2, index, source);
        assert_true(rg_read(t, rg_mul_scalar(t, sums, 2), result[eager][1], sizeof result[eager][1]));
        rg_tape_free(t);
    }
    assert_memory_equal(result[0], result[1], sizeof result[0]);
}

/* What is the same along a row is worked on in the pass over the rows, also where it is itself repeated; and what is cheap to
 * compute from a parameter is computed again, unless an assignment has written over that by then. */
static void batch_norm_and_its_gradient_store_no_array(void **state)
{
    (void)state;
    enum { N = 4, C = 8, SIDE = 32, ALL = N * C * SIDE * SIDE };
    static float result[2][2][ALL], cotangent[ALL];
    for (int i = 0; i < ALL; i++)
        cotangent[i] = (float)(i % 11) - 5;
    for (int assigned = 0; assigned < 2; assigned++) {
        for (int eager = 0; eager < 2; eager++) {
            rg_params *ps = rg_params_new(1);
            rg_param *p = rg_param_new(ps, "x", RG_F32, RG_SHAPE(N, C, SIDE, SIDE), NULL);
            rg_init_normal(p, 1, 2);
            rg_tape *t = rg_tape_new(&(rg_tape_config){.eager = eager});
            const rg_tensor x = rg_leaf(t, p), dy = rg_input_f32(t, rg_shape_of(t, x), cotangent);
            const rg_tensor y = rg_batch_norm(t, x, NULL, rg_ones(t, RG_F32, RG_SHAPE(C)), RG_NIL, true, .1, 1e-5);
            rg_tensor dx;
            assert_true(rg_grad_with(t, y, dy, &x, 1, &dx));
            if (assigned)
                rg_assign(t, p, rg_sub(t, x, dx));
            else
                rg_keep(t, dx);
            rg_plan_counts c;
            if (!eager && !assigned) {
                assert_true(rg_plan_stats(t, &c));
                assert_true(c.values < ALL * (int64_t)sizeof(float) / 16); /* of each row, and of each channel */
            }
            assert_true(rg_tape_run(t));
            if (assigned)
                memcpy(result[assigned][eager], rg_param_data(p), sizeof result[0][0]);
            else
                assert_true(rg_read(t, dx, result[assigned][eager], sizeof result[0][0]));
            rg_tape_free(t);
            rg_params_free(ps);
        }
        for (int i = 0; i < ALL; i++)
            assert_true(fabsf(result[assigned][0][i] - result[assigned][1][i]) < 1e-5F);
    }
}

/* An index out of range is the same error fused as not, and of the first row that has one, for any number of threads. */
static void an_index_out_of_range_is_an_error_in_a_fused_step(void **state)
{
    (void)state;
    enum { ROWS = 3000, CLASSES = 40 };
    static int64_t label[ROWS];
    char expected[400] = "";
    for (int kind = 0; kind < 2; kind++) {
        for (int threads = 0; threads <= 3; threads++) {
            memset(label, 0, sizeof label);
            label[1700] = CLASSES;
            label[2900] = -1;
            rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads ? threads : 1, .eager = threads == 0});
            const rg_tensor x = rg_rand(t, RG_F32, RG_SHAPE(ROWS, CLASSES));
            const rg_tensor index = rg_input_i64(t, RG_SHAPE(ROWS, 1), label);
            const rg_tensor ones = rg_ones(t, RG_F32, RG_SHAPE(ROWS, 1));
            rg_keep(t, kind ? rg_exp(t, rg_scatter_add(t, rg_exp(t, x), 1, index, rg_exp(t, ones)))
                            : rg_exp(t, rg_gather(t, rg_exp(t, x), 1, index)));
            assert_false(rg_tape_run(t));
            if (threads == 0)
                snprintf(expected, sizeof expected, "%s", rg_tape_error(t));
            assert_string_equal(rg_tape_error(t), expected);
            assert_non_null(strstr(expected, "index 40 is out of range 0 to 39"));
            rg_tape_free(t);
        }
    }
}

/* Whichever of the two is recorded first, and whether the parameter has the rows of the step that fails or others. */
static void an_index_out_of_range_leaves_the_parameters_as_they_were(void **state)
{
    (void)state;
    enum { ROWS = 3000, CLASSES = 40 };
    static int64_t label[ROWS];
    static float ones[ROWS * CLASSES];
    for (int i = 0; i < ROWS * CLASSES; i++)
        ones[i] = 1;
    label[1700] = CLASSES;
    for (int kind = 0; kind < 8; kind++) {
        const int64_t rows = kind & 2 ? ROWS : 7;
        rg_params *ps = rg_params_new(1);
        rg_param *p = rg_param_new(ps, "p", RG_F32, RG_SHAPE(rows, CLASSES), ones);
        rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = 1 + (kind >> 2)});
        const rg_tensor halved = rg_mul_scalar(t, rg_leaf(t, p), .5);
        if (kind & 1)
            rg_assign(t, p, halved);
        const rg_tensor x = rg_rand(t, RG_F32, RG_SHAPE(ROWS, CLASSES));
        rg_keep(t, rg_gather(t, rg_exp(t, x), 1, rg_input_i64(t, RG_SHAPE(ROWS, 1), label)));
        if (!(kind & 1))
            rg_assign(t, p, halved);
        assert_false(rg_tape_run(t));
        assert_memory_equal(rg_param_data(p), ones, (size_t)rows * CLASSES * sizeof *ones);
        rg_tape_free(t);
        rg_params_free(ps);
    }
}

/* Long f32 columns next to other work: what is summed in f32 on the way is short. */
static void sums_down_long_columns_stay_exact(void **state)
{
    (void)state;
    enum { ROWS = 20000, COLUMNS = 1500 };
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = 2});
    const rg_tensor x = rg_rand(t, RG_F32, RG_SHAPE(ROWS, COLUMNS)), y = rg_add_scalar(t, x, 100);
    const rg_tensor sum = rg_sum(t, y, RG_AXES(0), false), row = rg_sum(t, y, RG_AXES(1), false);
    const rg_tensor exact = rg_sum(t, rg_cast(t, y, RG_F64), RG_AXES(0), false);
    const rg_tensor error =
        rg_max(t, rg_abs(t, rg_sub(t, rg_div(t, rg_cast(t, sum, RG_F64), exact), rg_ones_like(t, exact))), RG_ALL, false);
    rg_keep(t, row);
    const double worst = rg_item(t, error);
    assert_tape_ok(t);
    if (!(worst < 1.5e-7))
        fail_msg("off by %g of itself", worst);
    rg_tape_free(t);
}

static void the_cache_is_bounded_and_lets_the_oldest_go(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    for (int64_t n = 1; n <= 200; n++) {
        rg_tape_reset(t);
        assert_true(rg_item(t, rg_sum(t, rg_exp(t, rg_zeros(t, RG_F64, RG_SHAPE(n))), RG_ALL, false)) == (double)n);
    }
    rg_tape_counts c = rg_tape_stats(t);
    assert_int_equal(c.plans, 200);
    assert_true(c.cached <= 64);
    const int64_t hits = c.hits;
    rg_tape_reset(t);
    rg_item(t, rg_sum(t, rg_exp(t, rg_zeros(t, RG_F64, RG_SHAPE(200))), RG_ALL, false));
    assert_int_equal(rg_tape_stats(t).hits, hits + 1);
    rg_tape_reset(t);
    rg_item(t, rg_sum(t, rg_exp(t, rg_zeros(t, RG_F64, RG_SHAPE(1))), RG_ALL, false));
    assert_int_equal(rg_tape_stats(t).hits, hits + 1);
    rg_tape_free(t);
}

static void an_inner_loop_hits_from_its_second_round_on(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor x = rg_rand(t, RG_F64, RG_SHAPE(10)), y = rg_exp(t, x);
    const rg_mark mark = rg_tape_mark(t);
    for (int i = 0; i < 10; i++) {
        const double sum = rg_item(t, rg_sum(t, rg_mul(t, y, rg_scalar(t, RG_F64, i)), RG_ALL, false));
        assert_true(i == 0 ? sum == 0 : sum > 0);
        rg_tape_rollback(t, mark);
    }
    const rg_tape_counts c = rg_tape_stats(t);
    assert_tape_ok(t);
    assert_int_equal(c.runs, 10);
    assert_true(c.hits >= 8);
    rg_tape_free(t);
}

static void a_plan_can_be_printed(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor x = rg_rand(t, RG_F32, RG_SHAPE(8, 4));
    rg_keep(t, rg_sum(t, rg_exp(t, x), RG_AXES(0), false));
    rg_keep(t, rg_matmul(t, rg_tanh(t, x), rg_rand(t, RG_F32, RG_SHAPE(4, 2))));
    char *text = plan_text(t);
    static const char *const parts[] = {"plan ",    "fused over 8 rows of 4", "exp", "fold column", "tanh", "matmul",
                                        "retained", "ended: matmul"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(text, parts[i]))
            fail_msg("'%s' is not in:\n%s", parts[i], text);
    free(text);
    rg_plan_print(t, NULL);
    rg_plan_print(NULL, stderr);
    assert_false(rg_plan_stats(NULL, &(rg_plan_counts){0}));
    assert_int_equal(rg_tape_stats(NULL).nodes, 0);
    rg_tape_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plan_is_found_from_the_second_epoch_on),
        cmocka_unit_test(a_step_in_the_steady_state_allocates_nothing),
        cmocka_unit_test(a_training_step_is_a_few_steps_and_assigns_in_place),
        cmocka_unit_test(all_updates_are_one_wave),
        cmocka_unit_test(chains_and_rows_are_one_step),
        cmocka_unit_test(what_follows_a_product_works_on_its_rows),
        cmocka_unit_test(products_with_one_matrix_pack_it_once),
        cmocka_unit_test(cheap_work_is_done_again_rather_than_stored),
        cmocka_unit_test(of_several_functions_of_an_array_the_array_is_stored),
        cmocka_unit_test(no_step_is_without_work),
        cmocka_unit_test(one_row_serves_all_rows),
        cmocka_unit_test(cross_entropy_picks_and_places_within_its_rows),
        cmocka_unit_test(one_weight_or_index_serves_several_rows),
        cmocka_unit_test(batch_norm_and_its_gradient_store_no_array),
        cmocka_unit_test(an_index_out_of_range_is_an_error_in_a_fused_step),
        cmocka_unit_test(an_index_out_of_range_leaves_the_parameters_as_they_were),
        cmocka_unit_test(sums_down_long_columns_stay_exact),
        cmocka_unit_test(the_cache_is_bounded_and_lets_the_oldest_go),
        cmocka_unit_test(an_inner_loop_hits_from_its_second_round_on),
        cmocka_unit_test(a_plan_can_be_printed),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
