/* Checkpoints: the same bits as the function itself, and less memory. */
#include "tape_support.h"

enum { LAYERS = 16, SEGMENT = 4, ROWS = 32, WIDTH = 24 };

/* ---- a chain of layers, in segments or not ---- */

typedef struct chain {
    rg_param *weight[LAYERS]; /* all the same one where `shared` */
    int first, count;         /* of a segment */
    bool dropout, pointwise;
    int calls;
} chain;

static chain chain_new(bool shared)
{
    chain c = {.count = 0};
    for (int i = 0; i < LAYERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "w%d", i);
        c.weight[i] = shared && i ? c.weight[0] : rg_param_new(store, name, RG_F32, RG_SHAPE(WIDTH, WIDTH), NULL);
        if (!shared || i == 0)
            rg_init_normal(c.weight[i], 0, .3);
    }
    return c;
}

static rg_tensor layer(rg_tape *t, const chain *c, int i, rg_tensor x)
{
    rg_tensor w = rg_leaf(t, c->weight[i]);
    if (c->pointwise) {
        const rg_tensor row = rg_select(t, w, 0, i);
        return rg_tanh(t, rg_add(t, rg_mul(t, rg_softmax(t, x, -1), row), rg_sin(t, x)));
    }
    rg_tensor h = rg_tanh(t, rg_matmul(t, x, w));
    if (c->dropout) {
        const rg_tensor kept = rg_bernoulli(t, RG_SHAPE(ROWS, WIDTH), .8);
        h = rg_where(t, kept, rg_mul_scalar(t, h, 1.25), rg_constant(t, RG_F32, 0));
    }
    return h;
}

static rg_tensor segment(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count;
    chain *c = user;
    c->calls++;
    rg_tensor h = x[0];
    for (int i = 0; i < c->count; i++)
        h = layer(t, c, c->first + i, h);
    return h;
}

/* The segments of a half, each a checkpoint, as a checkpoint. */
static rg_tensor half(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count;
    chain *c = user;
    rg_tensor h = x[0];
    const int end = c->first + LAYERS / 2;
    for (c->count = SEGMENT; c->first < end; c->first += SEGMENT)
        h = rg_checkpoint(t, segment, &h, 1, c);
    return h;
}

typedef enum way { DIRECT, SEGMENTS, NESTED } way_of;

static rg_tensor run_chain(rg_tape *t, chain *c, rg_tensor x, way_of way)
{
    c->calls = 0;
    c->first = 0;
    c->count = way == DIRECT ? LAYERS : SEGMENT;
    if (way == DIRECT)
        return segment(t, &x, 1, c);
    while (c->first < LAYERS)
        if (way == NESTED) {
            x = rg_checkpoint(t, half, &x, 1, c);
        } else {
            x = rg_checkpoint(t, segment, &x, 1, c);
            c->first += SEGMENT;
        }
    return x;
}

static rg_tensor chain_input(rg_tape *t)
{
    static float x[ROWS][WIDTH];
    rg_rng rng = rg_rng_new(5, 0);
    rg_rng_normal_f32(&rng, &x[0][0], ROWS * WIDTH, 0, 1);
    return rg_input_f32(t, RG_SHAPE(ROWS, WIDTH), &x[0][0]);
}

/* The loss, and the gradients of all parameters, as stored; `read` asks for the loss before the backward pass. */
typedef struct outcome {
    float grad[LAYERS][WIDTH * WIDTH];
    double loss;
    rg_plan_counts plan;
} outcome;

static void train_once(chain *c, way_of way, bool eager, bool read, int threads, outcome *o)
{
    rg_tape *t = rg_tape_new(&(rg_tape_config){.seed = 7, .eager = eager, .threads = threads});
    rg_tensor loss = rg_mean(t, rg_square(t, run_chain(t, c, chain_input(t), way)), RG_ALL, false);
    memset(o, 0, sizeof *o);
    rg_params_clear_grads(t, store);
    if (read)
        o->loss = rg_item(t, loss);
    rg_backward(t, loss);
    for (int i = 0; i < LAYERS; i++)
        rg_keep(t, rg_param_grad(t, c->weight[i]));
    rg_plan_stats(t, &o->plan);
    for (int i = 0; i < LAYERS; i++)
        rg_read(t, rg_param_grad(t, c->weight[i]), o->grad[i], sizeof o->grad[i]);
    o->loss = rg_item(t, loss);
    rg_params_clear_grads(t, store);
    assert_tape_ok(t);
    rg_tape_free(t);
}

static void assert_same(const outcome *a, const outcome *b, const char *what)
{
    if (memcmp(a->grad, b->grad, sizeof a->grad) != 0 || memcmp(&a->loss, &b->loss, sizeof a->loss) != 0)
        fail_msg("%s: other bits than those of the function itself", what);
}

static void compare_ways(chain *c, bool eager)
{
    static outcome direct, other;
    char what[64];
    for (int read = 0; read < 2; read++)
        for (int threads = 1; threads <= 2; threads++) {
            train_once(c, DIRECT, eager, read, threads, &direct);
            assert_true(direct.grad[0][0] != 0);
            for (way_of way = SEGMENTS; way <= NESTED; way++) {
                train_once(c, way, eager, read, threads, &other);
                snprintf(what, sizeof what, "way %d, read %d, threads %d, eager %d", (int)way, read, threads, eager);
                assert_same(&direct, &other, what);
            }
        }
}

static void gradients_are_bit_for_bit_those_of_the_function(void **state)
{
    (void)state;
    chain c = chain_new(false);
    compare_ways(&c, false);
    compare_ways(&c, true);
}

static void draws_are_the_same_when_recorded_again(void **state)
{
    (void)state;
    chain c = chain_new(false);
    c.dropout = true;
    compare_ways(&c, false);
    compare_ways(&c, true);
}

static void a_shared_parameter_sums_its_gradients_in_the_same_order(void **state)
{
    (void)state;
    chain c = chain_new(true);
    compare_ways(&c, false);
    compare_ways(&c, true);
}

static void chains_without_products_have_the_same_bits(void **state)
{
    (void)state;
    chain c = chain_new(false);
    c.pointwise = true;
    compare_ways(&c, false);
}

/* ---- memory ---- */

static int64_t peak(const outcome *o)
{
    return o->plan.values + o->plan.retained;
}

/* What a plan holds beside the gradients, in values of one layer. */
static double layers_held(const outcome *o)
{
    return (double)(peak(o) - LAYERS * WIDTH * WIDTH * (int64_t)sizeof(float)) / (ROWS * WIDTH * sizeof(float));
}

static void the_peak_falls(void **state)
{
    (void)state;
    static outcome direct, segments, nested;
    chain c = chain_new(false);
    for (int read = 0; read < 2; read++)
        for (int dropout = 0; dropout < 2; dropout++) {
            c.dropout = dropout;
            train_once(&c, DIRECT, false, read, 1, &direct);
            train_once(&c, SEGMENTS, false, read, 1, &segments);
            train_once(&c, NESTED, false, read, 1, &nested);
            const double before = layers_held(&direct), after = layers_held(&segments), twice = layers_held(&nested);
            print_message("%s, dropout %d: values of %.0f layers, in segments %.0f, nested %.0f\n",
                          read ? "loss read first" : "at once", dropout, before, after, twice);
            assert_true(before >= LAYERS);
            assert_true(after <= before / 2);
            assert_true(twice <= before / 2);
        }
}

/* The memory of whole training steps. */
static int64_t bytes_of_training(way_of way)
{
    chain c = chain_new(false);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = 1});
    rg_optim *opt = rg_sgd_new(store, &(rg_sgd_config){.lr = .1});
    for (int step = 0; step < 3; step++) {
        rg_tensor loss = rg_mean(t, rg_square(t, run_chain(t, &c, chain_input(t), way)), RG_ALL, false);
        rg_backward(t, loss);
        rg_optim_step(opt, t);
        rg_tape_reset(t);
    }
    assert_tape_ok(t);
    const rg_tape_counts counts = rg_tape_stats(t);
    assert_int_equal(counts.plans, 1); /* the second step finds the plan of the first */
    assert_int_equal(counts.hits, 2);
    rg_tape_free(t);
    rg_optim_free(opt);
    return counts.bytes;
}

static void a_training_step_holds_less_memory(void **state)
{
    const int64_t direct = bytes_of_training(DIRECT);
    teardown_both(state);
    setup_both(state);
    const int64_t segments = bytes_of_training(SEGMENTS);
    print_message("%lld bytes, with checkpoints %lld\n", (long long)direct, (long long)segments);
    assert_true(segments < direct * 3 / 4);
}

/* ---- what f may do ---- */

/* x w + captured, with an input made here, and one result looked at while it is recorded. */
typedef struct mixed {
    rg_param *w, *buffer;
    rg_tensor captured, handed_out;
    int calls;
} mixed;

static rg_tensor mixed_function(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    mixed *m = user;
    (void)count;
    m->calls++;
    rg_tensor h = rg_mul(t, x[0], rg_leaf(t, m->w));
    rg_assign(t, m->buffer, rg_add(t, rg_leaf(t, m->buffer), rg_detach(t, h)));
    rg_tensor index = rg_add_scalar(t, x[1], 1);
    h = rg_gather(t, rg_add(t, h, m->captured), 0, index);
    m->handed_out = rg_exp(t, h);
    if (rg_item(t, rg_sum(t, h, RG_ALL, false)) > 1e6)
        return h;
    return rg_mul(t, rg_mul(t, m->handed_out, h), F64(RG_SHAPE(3), 1, 2, 3));
}

static void run_mixed(bool checkpoint, double grad[5][3], double second[3], double stored[3])
{
    static int number;
    char name[2][16];
    snprintf(name[0], sizeof *name, "w%d", number);
    snprintf(name[1], sizeof *name, "b%d", number++);
    mixed m = {.w = PARAM(name[0], RG_SHAPE(3), .5, -1, 2)};
    m.buffer = rg_buffer_new(store, name[1], RG_F64, RG_SHAPE(3), (const double[]){1, 1, 1});
    rg_tensor base = F64(RG_SHAPE(3), .1, .2, .3);
    m.captured = rg_square(tape, base);
    rg_tensor x[2] = {F64(RG_SHAPE(3), 1, 2, .5), I64(RG_SHAPE(3), 1, 0, -1)};
    rg_tensor y = checkpoint ? rg_checkpoint(tape, mixed_function, x, 2, &m) : mixed_function(tape, x, 2, &m);
    rg_tensor total_y = total(rg_add(tape, rg_square(tape, y), m.handed_out));
    rg_tensor by[4] = {x[0], rg_leaf(tape, m.w), m.captured, base}, g[4], gg[1];
    assert_true(rg_grad(tape, total_y, by, 4, g));
    rg_backward(tape, total_y);
    assert_int_equal(m.calls, 1);
    for (int i = 0; i < 4; i++)
        assert_true(rg_read(tape, g[i], grad[i], sizeof grad[i]));
    assert_true(rg_read(tape, rg_param_grad(tape, m.w), grad[4], sizeof grad[4]));
    assert_true(rg_grad(tape, total(rg_mul(tape, g[0], g[1])), x, 1, gg));
    assert_true(rg_read(tape, gg[0], second, 3 * sizeof *second));
    rg_tape_run(tape);
    memcpy(stored, rg_param_data(m.buffer), 3 * sizeof *stored);
    rg_params_clear_grads(tape, store);
    rg_tape_reset(tape);
    assert_tape_ok(tape);
}

static void a_function_may_use_parameters_captures_inputs_and_buffers(void **state)
{
    (void)state;
    double grad[2][5][3], second[2][3], stored[2][3];
    for (int checkpoint = 0; checkpoint < 2; checkpoint++)
        run_mixed(checkpoint, grad[checkpoint], second[checkpoint], stored[checkpoint]);
    for (int k = 0; k < 5; k++) /* what was handed out has a gradient of its own: another order of sums */
        for (int i = 0; i < 3; i++)
            assert_near(grad[0][k][i], grad[1][k][i], 1e-14);
    assert_memory_equal(stored[0], stored[1], sizeof stored[0]);
    assert_true(stored[0][0] == 1.5 && grad[0][3][0] != 0);
    for (int i = 0; i < 3; i++)
        assert_near(second[0][i], second[1][i], 1e-13);
}

static rg_tensor cubes(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    const int *depth = user;
    if (depth && *depth > 0)
        return rg_checkpoint(t, cubes, (const rg_tensor[]){rg_mul(t, x[0], x[1])}, 1, &(int){*depth - 1});
    (void)count;
    return rg_mul(t, rg_square(t, x[0]), rg_sin(t, x[0]));
}

static rg_tensor checked(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    return rg_checkpoint(t, cubes, x, count, user);
}

static void gradients_of_gradients_agree_with_differences(void **state)
{
    (void)state;
    const double x[] = {.3, -.8, 1.2}, w[] = {1.1, .7, -.4};
    const rg_array in[] = {{RG_F64, RG_SHAPE(3), x}, {RG_F64, RG_SHAPE(3), w}};
    for (int depth = 0; depth < 2; depth++) {
        rg_gradcheck_report r;
        if (!rg_gradcheck(checked, &depth, in, depth + 1, NULL, &r) ||
            !rg_gradcheck2(checked, &depth, in, depth + 1, NULL, &r))
            fail_msg("depth %d: %s", depth, r.message);
    }
}

/* A third derivative: what was recorded again is differentiated twice. */
static void third_derivatives_are_right(void **state)
{
    (void)state;
    rg_tensor x = F64(RG_SCALAR, .7), y = rg_checkpoint(tape, cubes, &x, 1, NULL);
    for (int i = 0; i < 3; i++)
        assert_true(rg_grad(tape, y, &x, 1, &y));
    /* x^2 sin x: 6 cos x - 6 x sin x - x^2 cos x */
    assert_near(rg_item(tape, y), 6 * cos(.7) - 6 * .7 * sin(.7) - .49 * cos(.7), 1e-13);
}

/* ---- what it may return, and errors ---- */

static rg_tensor first(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)t, (void)count, (void)user;
    return x[0];
}

static rg_tensor nothing(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)t, (void)x, (void)count, (void)user;
    return RG_NIL;
}

static rg_tensor seven(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)x, (void)count, (void)user;
    return rg_constant(t, RG_F64, 7);
}

static rg_tensor largest(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_argmax(t, x[0], 0, false);
}

static rg_tensor shown(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_transpose(t, x[0], 0, 1);
}

static void results_of_all_kinds_come_through(void **state)
{
    (void)state;
    rg_tensor x = F64(RG_SHAPE(2, 2), 1, 5, 2, 3), g;
    assert_values(rg_checkpoint(tape, first, &x, 1, NULL), 1, 5, 2, 3);
    assert_values(rg_checkpoint(tape, seven, NULL, 0, NULL), 7);
    assert_values(rg_checkpoint(tape, largest, &x, 1, NULL), 1, 0);
    rg_tensor y = rg_checkpoint(tape, shown, &x, 1, NULL);
    assert_values(y, 1, 2, 5, 3);
    assert_true(rg_grad(tape, total(rg_mul(tape, y, F64(RG_SHAPE(2, 2), 1, 2, 3, 4))), &x, 1, &g));
    assert_values(g, 1, 3, 2, 4);
    rg_mode_push(tape, RG_NO_GRAD);
    y = rg_checkpoint(tape, cubes, &x, 1, NULL);
    rg_mode_pop(tape);
    assert_true(rg_grad(tape, total(y), &x, 1, &g));
    assert_values(g, 0, 0, 0, 0);
    x = rg_zeros(tape, RG_F64, RG_SHAPE(0, 3));
    assert_true(rg_grad(tape, total(rg_checkpoint(tape, cubes, &x, 1, NULL)), &x, 1, &g));
    assert_shape(g, 0, 3);
}

static void bad_calls_are_errors(void **state)
{
    (void)state;
    rg_tensor x = F64(RG_SHAPE(2), 1, 2);
    assert_true(rg_is_nil(rg_checkpoint(tape, NULL, &x, 1, NULL)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("checkpoint", "no function"));
    assert_true(rg_is_nil(rg_checkpoint(tape, first, NULL, 1, NULL)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("checkpoint", "NULL"));
    assert_true(rg_is_nil(rg_checkpoint(tape, first, &x, -1, NULL)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("checkpoint", "-1"));
    assert_true(rg_is_nil(rg_checkpoint(tape, nothing, &x, 1, NULL)));
    assert_error(tape, RG_ERROR_STATE, WORDS("checkpoint", "returned no tensor"));
    assert_true(rg_is_nil(rg_checkpoint(tape, shown, &x, 1, NULL)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("transpose"));
    assert_true(rg_is_nil(rg_checkpoint(NULL, first, &x, 1, NULL)));
    /* f's own error, seen while it is computed again, too */
    rg_tensor in[2] = {F64(RG_SHAPE(2), 1, 2), I64(RG_SHAPE(1), 5)};
    mixed m = {.w = PARAM("w", RG_SHAPE(2), 1, 2)};
    m.buffer = rg_buffer_new(store, "b", RG_F64, RG_SHAPE(2), NULL);
    m.captured = x;
    rg_checkpoint(tape, mixed_function, in, 2, &m);
    assert_error(tape, RG_ERROR_VALUE, WORDS("gather", "6"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(gradients_are_bit_for_bit_those_of_the_function),
        TAPE_TEST(draws_are_the_same_when_recorded_again),
        TAPE_TEST(a_shared_parameter_sums_its_gradients_in_the_same_order),
        TAPE_TEST(chains_without_products_have_the_same_bits),
        TAPE_TEST(the_peak_falls),
        TAPE_TEST(a_training_step_holds_less_memory),
        TAPE_TEST(a_function_may_use_parameters_captures_inputs_and_buffers),
        TAPE_TEST(gradients_of_gradients_agree_with_differences),
        TAPE_TEST(third_derivatives_are_right),
        TAPE_TEST(results_of_all_kinds_come_through),
        TAPE_TEST(bad_calls_are_errors),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
