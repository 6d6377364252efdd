/* One program, many ways to run it: eagerly or on demand, with values looked at on the way, on one thread or two, on a
 * tape that ran it before. All must give the same. And the hash of the recorded structure, which says what "one program"
 * is. */
#include "tape_support.h"

/* ---- what a program gave ---- */

/* A number, and how far off another way to compute it may be: sums are in another order. */
typedef struct result {
    double value, tolerance;
} result;

typedef struct sink {
    bool peek; /* look at intermediate values on the way */
    size_t count, capacity;
    result *results;
} sink;

static void put(sink *s, double value, double tolerance)
{
    if (s->count == s->capacity) {
        s->capacity = 2 * s->capacity + 1024;
        s->results = realloc(s->results, s->capacity * sizeof *s->results);
        assert_non_null(s->results);
    }
    s->results[s->count++] = (result){value, tolerance};
}

static double element(const void *data, rg_dtype dtype, size_t i)
{
    switch (dtype) {
    case RG_F32: return ((const float *)data)[i];
    case RG_F64: return ((const double *)data)[i];
    case RG_I32: return ((const int32_t *)data)[i];
    case RG_I64: return (double)((const int64_t *)data)[i];
    default: return ((const bool *)data)[i];
    }
}

/* The value of x is part of the outcome. */
static void take(sink *s, rg_tape *t, rg_tensor x)
{
    const size_t n = (size_t)rg_numel(t, x), bytes = n * rg_dtype_size(rg_dtype_of(t, x));
    const rg_dtype dtype = rg_dtype_of(t, x);
    void *data = malloc(bytes + 1);
    assert_tape_ok(t);
    assert_non_null(data);
    if (!rg_read(t, x, data, bytes))
        fail_msg("the tape failed: %s", rg_tape_error(t));
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(element(data, dtype, i)));
    for (size_t i = 0; i < n; i++)
        put(s, element(data, dtype, i), dtype == RG_F32 ? 4e-6 * largest : dtype == RG_F64 ? 1e-13 * largest : 0);
    free(data);
}

static void peek(const sink *s, rg_tape *t, rg_tensor x)
{
    if (s->peek)
        assert_non_null(rg_data(t, x));
}

static uint64_t data_seed = 5;

/* Normal numbers, the same at every run. */
static rg_tensor some(rg_tape *t, rg_dtype dtype, rg_shape shape, uint64_t stream)
{
    const size_t n = (size_t)rg_shape_numel(shape);
    double *data = malloc((n + 1) * sizeof *data);
    rg_rng rng = rg_rng_new(data_seed, stream);
    if (dtype == RG_F32)
        rg_rng_normal_f32(&rng, (float *)(void *)data, n, 0, 1);
    else
        rg_rng_normal_f64(&rng, data, n, 0, 1);
    const rg_tensor x = rg_input(t, dtype, shape, data);
    free(data);
    return x;
}

static rg_param *weight(rg_params *ps, const char *name, rg_dtype dtype, rg_shape shape)
{
    rg_param *p = rg_params_find(ps, name);
    if (p)
        return p;
    p = rg_param_new(ps, name, dtype, shape, NULL);
    rg_init_normal(p, 0, .5);
    return p;
}

static void take_grads(sink *s, rg_tape *t, rg_params *ps)
{
    for (int i = 0; i < rg_params_count(ps); i++) {
        const rg_tensor g = rg_param_grad(t, rg_params_at(ps, i));
        if (!rg_is_nil(g))
            take(s, t, g);
    }
}

static rg_tensor sum_all(rg_tape *t, rg_tensor x)
{
    return rg_sum(t, x, RG_ALL, false);
}

/* ---- the programs ---- */

static void views(rg_tape *t, rg_params *ps, sink *s)
{
    const rg_tensor x = some(t, RG_F32, RG_SHAPE(4, 6), 1), w = rg_leaf(t, weight(ps, "w", RG_F32, RG_SHAPE(6, 4)));
    const rg_tensor turned = rg_flip(t, rg_transpose(t, w, 0, 1), RG_AXES(1));
    peek(s, t, turned);
    const rg_tensor mixed = rg_mul(t, rg_slice(t, x, 1, -1, RG_END, -2), rg_slice(t, turned, 1, 0, RG_END, 2));
    const rg_tensor cube =
        rg_reshape(t, rg_permute(t, rg_reshape(t, mixed, RG_SHAPE(2, 2, 3)), RG_AXES(2, 0, 1)), RG_SHAPE(3, -1));
    peek(s, t, cube);
    rg_tensor parts[2];
    assert_int_equal(rg_split(t, cube, 2, 1, parts, 2), 2);
    const rg_tensor joined = rg_cat(t, (const rg_tensor[]){parts[1], rg_exp(t, parts[0]), cube}, 3, 1);
    const rg_tensor padded = rg_pad(t, joined, (const int64_t[]){1, -1}, (const int64_t[]){0, 2}, .5);
    const rg_tensor stacked = rg_stack(t, (const rg_tensor[]){padded, rg_flip(t, padded, RG_AXES(0))}, 2, 1);
    take(s, t, stacked);
    rg_backward(t, sum_all(t, rg_square(t, stacked)));
    take_grads(s, t, ps);
}

static void chains(rg_tape *t, rg_params *ps, sink *s)
{
    const rg_dtype dtypes[] = {RG_F32, RG_F64};
    for (int i = 0; i < 2; i++) {
        const rg_tensor w = rg_leaf(t, weight(ps, i ? "row64" : "row32", dtypes[i], RG_SHAPE(1, 7)));
        const rg_tensor x = some(t, dtypes[i], RG_SHAPE(5, 1), 2);
        rg_tensor y = rg_add(t, rg_mul(t, x, w), rg_scalar(t, dtypes[i], .25));
        y = rg_add(t, rg_tanh(t, y), rg_sigmoid(t, rg_sin(t, y)));
        peek(s, t, y);
        y = rg_maximum(t, rg_gelu(t, y), rg_leaky_relu(t, rg_neg(t, y), .1));
        y = rg_where(t, rg_gt(t, y, w), rg_softplus(t, y), rg_div(t, y, rg_add_scalar(t, rg_square(t, w), 1)));
        peek(s, t, y);
        y = rg_clamp(t, rg_log1p(t, rg_abs(t, y)), .1, 2);
        take(s, t, y);
        take(s, t, rg_cast(t, rg_mul_scalar(t, y, 100), RG_I32));
        rg_backward(t, rg_mean(t, y, RG_ALL, false));
    }
    take_grads(s, t, ps);
}

static void reductions(rg_tape *t, rg_params *ps, sink *s)
{
    const rg_tensor w = rg_leaf(t, weight(ps, "w", RG_F32, RG_SHAPE(3, 5, 7)));
    const rg_tensor x = rg_permute(t, w, RG_AXES(2, 0, 1));
    rg_tensor loss = rg_mean(t, rg_max(t, x, RG_AXES(0), false), RG_ALL, false);
    take(s, t, rg_argmax(t, x, 1, true));
    loss = rg_add(t, loss, sum_all(t, rg_std(t, x, RG_AXES(0, 2), 1, false)));
    peek(s, t, loss);
    const rg_tensor soft = rg_softmax(t, x, -1);
    take(s, t, soft);
    loss = rg_add(t, loss, sum_all(t, rg_mul(t, soft, rg_log_softmax(t, x, 0))));
    loss = rg_add(t, loss, sum_all(t, rg_logsumexp(t, rg_slice(t, x, 0, 1, 6, 2), RG_AXES(1), false)));
    loss = rg_add(t, loss, sum_all(t, rg_prod(t, rg_slice(t, x, 2, 0, 3, 1), RG_AXES(2), true)));
    take(s, t, rg_all(t, rg_lt(t, x, rg_max(t, x, RG_ALL, false)), RG_AXES(1), false));
    take(s, t, loss);
    rg_backward(t, loss);
    take_grads(s, t, ps);
}

static void training(rg_tape *t, rg_params *ps, sink *s)
{
    const int64_t labels[] = {0, 2, 1, 2, 0, 1, 1, 2};
    rg_linear l1 = {weight(ps, "1.weight", RG_F32, RG_SHAPE(16, 10)), weight(ps, "1.bias", RG_F32, RG_SHAPE(16)), "1"};
    rg_linear l2 = {weight(ps, "2.weight", RG_F32, RG_SHAPE(3, 16)), NULL, "2"};
    rg_optim *opt = rg_adam_new(ps, &(rg_adam_config){.lr = .05});
    for (int step = 0; step < 5; step++) {
        rg_tape_reset(t);
        const rg_tensor x = some(t, RG_F32, RG_SHAPE(8, 10), 3 + (uint64_t)step);
        const rg_tensor h = rg_dropout(t, rg_relu(t, rg_linear_forward(t, &l1, x)), .25, true);
        peek(s, t, h);
        const rg_tensor logits = rg_linear_forward(t, &l2, h);
        const rg_tensor loss = rg_cross_entropy(t, logits, rg_input_i64(t, RG_SHAPE(8), labels), NULL);
        peek(s, t, loss);
        rg_backward(t, loss);
        peek(s, t, rg_param_grad(t, l1.weight));
        rg_optim_step(opt, t);
        take(s, t, loss);
    }
    rg_tape_reset(t);
    for (int i = 0; i < rg_params_count(ps); i++) { /* Adam divides by small numbers: they part further */
        const rg_param *p = rg_params_at(ps, i);
        for (int64_t k = 0; k < rg_param_numel(p); k++)
            put(s, element(rg_param_data(p), rg_param_dtype(p), (size_t)k), 1e-4);
    }
    rg_optim_free(opt);
}

static void sections(rg_tape *t, rg_params *ps, sink *s)
{
    const rg_tensor w = rg_leaf(t, weight(ps, "w", RG_F64, RG_SHAPE(6, 6))), x = some(t, RG_F64, RG_SHAPE(4, 6), 4);
    rg_mode_push(t, RG_INFERENCE);
    const rg_tensor hidden = rg_tanh(t, rg_matmul(t, x, w)), teacher = rg_softmax(t, rg_matmul(t, hidden, w), 1);
    peek(s, t, teacher);
    rg_mode_pop(t);
    rg_mode_push(t, RG_NO_GRAD);
    const rg_tensor scale = rg_rsqrt(t, rg_add_scalar(t, rg_sum(t, rg_square(t, w), RG_AXES(1), true), 1));
    rg_mode_pop(t);
    const rg_tensor student = rg_log_softmax(t, rg_matmul(t, x, rg_mul(t, w, scale)), 1);
    const rg_tensor loss = rg_neg(t, sum_all(t, rg_mul(t, rg_detach(t, teacher), student)));
    take(s, t, loss);
    rg_backward(t, loss);
    take(s, t, hidden);
    take_grads(s, t, ps);
}

static void indexing(rg_tape *t, rg_params *ps, sink *s)
{
    const int64_t rows[] = {3, 0, 3, 2, 1};
    const int32_t columns[] = {0, 1, 1, 0, 2, 2};
    const rg_tensor table = rg_leaf(t, weight(ps, "table", RG_F32, RG_SHAPE(4, 3)));
    const rg_tensor picked = rg_index_select(t, table, 0, rg_input_i64(t, RG_SHAPE(5), rows));
    peek(s, t, picked);
    const rg_tensor at = rg_input_i32(t, RG_SHAPE(2, 3), columns);
    const rg_tensor gathered = rg_gather(t, rg_transpose(t, picked, 0, 1), 0, at);
    take(s, t, gathered);
    const rg_tensor added = rg_scatter_add(t, picked, 1, at, gathered);
    take(s, t, rg_one_hot(t, at, 4, RG_BOOL));
    rg_backward(t, sum_all(t, rg_mul(t, rg_square(t, added), rg_exp(t, picked))));
    take_grads(s, t, ps);
}

static void second_order(rg_tape *t, rg_params *ps, sink *s)
{
    const rg_tensor w = rg_leaf(t, weight(ps, "w", RG_F64, RG_SHAPE(5, 5))), x = some(t, RG_F64, RG_SHAPE(5), 6);
    rg_tensor slope, curve;
    assert_true(rg_grad(t, sum_all(t, rg_tanh(t, rg_matmul(t, w, x))), &x, 1, &slope));
    peek(s, t, slope);
    assert_true(rg_grad_with(t, slope, some(t, RG_F64, RG_SHAPE(5), 7), &w, 1, &curve));
    take(s, t, curve);
    rg_backward(t, sum_all(t, rg_square(t, slope)));
    take_grads(s, t, ps);
}

static void inner_loop(rg_tape *t, rg_params *ps, sink *s)
{
    rg_param *p = weight(ps, "p", RG_F32, RG_SHAPE(20));
    const rg_tensor target = rg_exp(t, some(t, RG_F32, RG_SHAPE(20), 8));
    const rg_mark mark = rg_tape_mark(t);
    for (int i = 0; i < 6; i++) {
        const rg_tensor w = rg_leaf(t, p), loss = sum_all(t, rg_square(t, rg_sub(t, w, target)));
        peek(s, t, loss);
        rg_backward(t, loss);
        rg_assign(t, p, rg_sub(t, w, rg_mul(t, rg_param_grad(t, p), rg_scalar(t, RG_F32, .1))));
        rg_params_clear_grads(t, ps);
        rg_tape_rollback(t, mark);
    }
    take(s, t, rg_leaf(t, p));
    take(s, t, target);
}

/* Large enough that two threads share the work, one way and the other. */
static void products(rg_tape *t, rg_params *ps, sink *s)
{
    const rg_tensor w = rg_leaf(t, weight(ps, "w", RG_F32, RG_SHAPE(260, 270)));
    const rg_tensor x = some(t, RG_F32, RG_SHAPE(280, 260), 9), y = rg_matmul(t, x, w);
    take(s, t, y);
    const rg_tensor tall = some(t, RG_F64, RG_SHAPE(3000, 40), 10);
    take(s, t, rg_matmul(t, rg_transpose(t, tall, 0, 1), tall));
    take(s, t, rg_matmul(t, tall, some(t, RG_F64, RG_SHAPE(40, 9), 11)));
    rg_backward(t, rg_mean(t, rg_square(t, y), RG_ALL, false));
    take_grads(s, t, ps);
}

typedef struct program {
    const char *name;
    void (*run)(rg_tape *t, rg_params *ps, sink *s);
} program;
static const program programs[] = {
    {"views", views},       {"chains", chains},     {"reductions", reductions},     {"training", training},
    {"sections", sections}, {"indexing", indexing}, {"second_order", second_order}, {"inner_loop", inner_loop},
    {"products", products},
};

static sink outcome(const program *p, rg_tape_config config, bool peeking)
{
    sink s = {.peek = peeking};
    config.seed = 21;
    rg_tape *t = rg_tape_new(&config);
    rg_params *ps = rg_params_new(4);
    assert_true(t && ps);
    p->run(t, ps, &s);
    assert_tape_ok(t);
    assert_string_equal(rg_params_error(ps), "");
    assert_true(s.count > 0);
    rg_tape_free(t);
    rg_params_free(ps);
    return s;
}

/* Of a tape that ran the same program before, on other numbers and parameters. */
static sink outcome_again(const program *p)
{
    sink s = {.peek = false}, other = {.peek = false};
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = 1, .seed = 21});
    rg_params *before = rg_params_new(77), *ps = rg_params_new(4);
    data_seed = 6;
    p->run(t, before, &other);
    data_seed = 5;
    rg_tape_reset(t);
    p->run(t, ps, &s);
    assert_tape_ok(t);
    rg_tape_free(t);
    rg_params_free(before);
    rg_params_free(ps);
    free(other.results);
    return s;
}

static void assert_same_outcome(const program *p, sink *a, sink *b, bool exactly, const char *how)
{
    if (a->count != b->count)
        fail_msg("program '%s' gives %zu numbers, and %zu %s", p->name, a->count, b->count, how);
    for (size_t i = 0; i < a->count; i++) {
        const double x = a->results[i].value, y = b->results[i].value;
        const bool same = memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y));
        if (!same && (exactly || !(fabs(x - y) <= a->results[i].tolerance)))
            fail_msg("program '%s', number %zu: %.17g, and %.17g %s", p->name, i, x, y, how);
    }
    free(b->results);
}

/* ---- the ways to run them ---- */

static void every_way_to_run_a_program_gives_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(programs); i++) {
        const program *p = &programs[i];
        sink lazy = outcome(p, (rg_tape_config){.threads = 1}, false);
        sink again = outcome(p, (rg_tape_config){.threads = 1}, false);
        assert_same_outcome(p, &lazy, &again, true, "the second time");
        if (p->run != training) { /* its draws go on from where they were */
            sink warm = outcome_again(p);
            assert_same_outcome(p, &lazy, &warm, true, "on a tape that ran it before");
        }
        sink peeked = outcome(p, (rg_tape_config){.threads = 1}, true);
        assert_same_outcome(p, &lazy, &peeked, true, "when values are asked for on the way");
        sink two = outcome(p, (rg_tape_config){.threads = 2}, false);
        assert_same_outcome(p, &lazy, &two, true, "on two threads");
        sink seven = outcome(p, (rg_tape_config){.threads = 7}, true);
        assert_same_outcome(p, &lazy, &seven, true, "on seven threads");
        sink eager = outcome(p, (rg_tape_config){.threads = 1, .eager = true}, false);
        assert_same_outcome(p, &lazy, &eager, false, "eagerly");
        setenv("RETROGRAD_EAGER", "1", 1);
        sink set = outcome(p, (rg_tape_config){.threads = 2}, true);
        unsetenv("RETROGRAD_EAGER");
        assert_same_outcome(p, &lazy, &set, false, "with RETROGRAD_EAGER=1");
        free(lazy.results);
    }
}

static void an_eager_tape_computes_as_it_records(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool eager;
    } cases[] = {{"1", true}, {"yes", true}, {"0", false}, {"", false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        setenv("RETROGRAD_EAGER", cases[i].value, 1);
        rg_tape *t = rg_tape_new(NULL);
        unsetenv("RETROGRAD_EAGER");
        const rg_tensor y = rg_exp(t, some(t, RG_F32, RG_SHAPE(3), 1));
        rg_node node;
        assert_true(rg_tape_node(t, y, &node));
        assert_int_equal(node.computed, cases[i].eager);
        /* A bad index is found where the op is called. */
        rg_scope_push(t, "here");
        const int64_t index = 5;
        const rg_tensor bad = rg_gather(t, y, 0, rg_input_i64(t, RG_SHAPE(1), &index));
        assert_int_equal(rg_is_nil(bad), cases[i].eager);
        if (cases[i].eager)
            assert_error(t, RG_ERROR_VALUE, WORDS("gather", "5", "here"));
        assert_tape_ok(t);
        rg_tape_free(t);
    }
}

/* ---- the hash ---- */

/* What may differ between two runs of one program. */
typedef struct setting {
    double rate;
    uint64_t stream;
    const char *scope;
    rg_param *p, *q;
} setting;

/* One recorded program a line; x and y are [2, 3] inputs, w a parameter of that shape. No two may have one hash. */
#define VARIANTS(V)                                                       \
    V(rg_add(t, x, y))                                                    \
    V(rg_sub(t, x, y))                                                    \
    V(rg_add(t, y, x))                                                    \
    V(rg_add(t, x, x))                                                    \
    V(rg_add(t, x, w))                                                    \
    V((rg_exp(t, x), rg_add(t, x, y)))                                    \
    V((rg_exp(t, y), rg_add(t, x, y)))                                    \
    V(rg_add(t, rg_add(t, x, y), x))                                      \
    V(rg_add_scalar(t, x, 2))                                             \
    V(rg_add_scalar(t, x, 3))                                             \
    V(rg_add(t, x, rg_scalar(t, RG_F32, s->rate)))                        \
    V(rg_sum(t, x, RG_AXES(0), false))                                    \
    V(rg_sum(t, x, RG_AXES(1), false))                                    \
    V(rg_sum(t, x, RG_AXES(1), true))                                     \
    V(rg_sum(t, x, RG_ALL, false))                                        \
    V(rg_max(t, x, RG_AXES(1), true))                                     \
    V(rg_argmax(t, x, 1, true))                                           \
    V(rg_argmin(t, x, 1, true))                                           \
    V(rg_reshape(t, x, RG_SHAPE(3, 2)))                                   \
    V(rg_transpose(t, x, 0, 1))                                           \
    V(rg_reshape(t, x, RG_SHAPE(6)))                                      \
    V(rg_slice(t, x, 1, 0, 2, 1))                                         \
    V(rg_slice(t, x, 1, 1, 3, 1))                                         \
    V(rg_slice(t, x, 1, 0, 3, 2))                                         \
    V(rg_flip(t, x, RG_AXES(0)))                                          \
    V(rg_flip(t, x, RG_AXES(1)))                                          \
    V(rg_expand(t, x, RG_SHAPE(2, 2, 3)))                                 \
    V(rg_expand(t, x, RG_SHAPE(4, 2, 3)))                                 \
    V(rg_cat(t, (const rg_tensor[]){x, y}, 2, 0))                         \
    V(rg_cat(t, (const rg_tensor[]){x, y}, 2, 1))                         \
    V(rg_cat(t, (const rg_tensor[]){y, x}, 2, 1))                         \
    V(rg_clamp(t, x, -1, 1))                                              \
    V(rg_clamp(t, x, -1, 2))                                              \
    V(rg_leaky_relu(t, x, .1))                                            \
    V(rg_leaky_relu(t, x, .2))                                            \
    V(rg_cast(t, x, RG_F64))                                              \
    V(rg_cast(t, x, RG_I64))                                              \
    V(rg_pad(t, x, (const int64_t[]){1, 0}, (const int64_t[]){0, 0}, 0))  \
    V(rg_pad(t, x, (const int64_t[]){0, 0}, (const int64_t[]){1, 0}, 0))  \
    V(rg_pad(t, x, (const int64_t[]){0, 0}, (const int64_t[]){1, 0}, 1))  \
    V(rg_zeros(t, RG_F32, RG_SHAPE(3)))                                   \
    V(rg_zeros(t, RG_F64, RG_SHAPE(3)))                                   \
    V(rg_zeros(t, RG_F32, RG_SHAPE(4)))                                   \
    V(rg_arange(t, RG_F32, 0, 3, 1))                                      \
    V(rg_arange(t, RG_F32, 1, 4, 1))                                      \
    V(rg_rand(t, RG_F32, RG_SHAPE(3)))                                    \
    V(rg_randn(t, RG_F32, RG_SHAPE(3)))                                   \
    V(rg_randint(t, RG_SHAPE(3), 0, 5))                                   \
    V(rg_randint(t, RG_SHAPE(3), 0, 6))                                   \
    V(rg_bernoulli(t, RG_SHAPE(3), .5))                                   \
    V(rg_bernoulli(t, RG_SHAPE(3), .6))                                   \
    V(rg_keep(t, rg_exp(t, x)))                                           \
    V(rg_exp(t, x))                                                       \
    V(rg_exp(t, w))                                                       \
    V(rg_exp(t, rg_detach(t, w)))                                         \
    V((rg_mode_push(t, RG_NO_GRAD), rg_exp(t, w)))                        \
    V((rg_mode_push(t, RG_INFERENCE), rg_exp(t, w)))                      \
    V((rg_param_set_trainable(s->p, false), rg_exp(t, rg_leaf(t, s->p)))) \
    V((rg_assign(t, s->p, y), w))                                         \
    V((rg_assign(t, s->q, y), w))                                         \
    V((rg_assign(t, s->p, y), rg_assign(t, s->q, y), w))                  \
    V((rg_assign(t, s->q, y), rg_assign(t, s->p, y), w))                  \
    V(rg_add(t, rg_leaf(t, s->q), rg_leaf(t, s->q)))                      \
    V(rg_add(t, rg_leaf(t, s->q), w))                                     \
    V(rg_exp(t, rg_borrow(t, RG_F32, RG_SHAPE(2, 2), NULL, cells)))       \
    V(rg_exp(t, rg_borrow(t, RG_F32, RG_SHAPE(2, 2), rows, cells)))       \
    V(rg_exp(t, rg_borrow(t, RG_F32, RG_SHAPE(2, 2), columns, cells)))    \
    V((rg_assign(t, s->p, x), w))                                         \
    V((rg_backward(t, rg_sum(t, w, RG_ALL, false)), w))

#define VARIANT_COUNTER(expression) +1
enum { VARIANT_COUNT = 0 VARIANTS(VARIANT_COUNTER) };

static uint64_t hash_of_variant(int number, const setting *s)
{
    static const float cells[4] = {1, 2, 3, 4};
    static const int64_t rows[] = {0, 1}, columns[] = {1, 2};
    rg_tape *t = rg_tape_new(&(rg_tape_config){.seed = s->stream});
    rg_scope_push(t, s->scope);
    rg_param_set_trainable(s->p, true);
    const rg_tensor x = some(t, RG_F32, RG_SHAPE(2, 3), s->stream), y = some(t, RG_F32, RG_SHAPE(2, 3), s->stream + 1);
    const rg_tensor w = rg_leaf(t, s->p);
    rg_tensor made = RG_NIL;
    int i = 0;
#define VARIANT_RECORD(expression) \
    if (i++ == number)             \
        made = (expression);
    VARIANTS(VARIANT_RECORD)
    assert_tape_ok(t);
    assert_false(rg_is_nil(made));
    const uint64_t hash = rg_tape_hash(t);
    rg_tape_free(t);
    return hash;
}

static void the_hash_tells_programs_apart_and_nothing_else(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    const float w[] = {1, 2, 3, 4, 5, 6};
    rg_param *p[4];
    for (int i = 0; i < 4; i++)
        p[i] = rg_param_new(ps, (const char *[]){"a", "b", "c", "d"}[i], RG_F32, RG_SHAPE(2, 3), i & 1 ? w : NULL);
    const setting first = {.1, 1, "a", p[0], p[1]}, second = {.2, 30, "another.scope", p[3], p[2]};
    static uint64_t hash[VARIANT_COUNT];
    for (int i = 0; i < VARIANT_COUNT; i++) {
        hash[i] = hash_of_variant(i, &first);
        /* Other values, learning rate, seed, scope and parameter: the same program. */
        if (hash_of_variant(i, &second) != hash[i])
            fail_msg("variant %d has two hashes", i);
        for (int k = 0; k < i; k++)
            if (hash[k] == hash[i])
                fail_msg("variants %d and %d have one hash", k, i);
    }
    rg_params_free(ps);
}

static void the_hash_sees_shapes_and_dtypes_of_what_comes_in(void **state)
{
    (void)state;
    static const struct {
        rg_dtype dtype;
        rg_shape shape;
    } in[] = {
        {RG_F32, {1, {6}}},    {RG_F32, {2, {2, 3}}}, {RG_F32, {2, {3, 2}}},    {RG_F32, {2, {1, 6}}},
        {RG_F32, {1, {7}}},    {RG_F64, {1, {6}}},    {RG_F64, {2, {2, 3}}},    {RG_F64, {3, {2, 3, 1}}},
        {RG_F32, {0, {0}}},    {RG_F64, {0, {0}}},    {RG_F32, {3, {1, 2, 3}}}, {RG_F32, {3, {2, 1, 3}}},
        {RG_F32, {2, {0, 6}}}, {RG_F32, {2, {6, 0}}},
    };
    uint64_t hash[2][COUNT(in)];
    for (size_t i = 0; i < COUNT(in); i++) {
        rg_tape *t = rg_tape_new(NULL);
        const uint64_t empty = rg_tape_hash(t);
        for (int round = 0; round < 2; round++) {
            rg_square(t, some(t, in[i].dtype, in[i].shape, (uint64_t)round));
            hash[round][i] = rg_tape_hash(t);
            assert_true(hash[round][i] != empty);
            rg_tape_reset(t);
            assert_true(rg_tape_hash(t) == empty);
        }
        assert_true(hash[0][i] == hash[1][i]);
        for (size_t k = 0; k < i; k++)
            assert_true(hash[0][k] != hash[0][i]);
        rg_tape_free(t);
    }
}

static uint64_t hash_of_step(rg_tape *t, rg_params *ps, rg_optim *opt, int step)
{
    rg_linear layer = {rg_params_find(ps, "l.weight"), rg_params_find(ps, "l.bias"), "l"};
    rg_tape_reset(t);
    const rg_tensor x = rg_dropout(t, some(t, RG_F32, RG_SHAPE(8, 5), (uint64_t)step), .5, true);
    rg_backward(t, rg_mean(t, rg_square(t, rg_linear_forward(t, &layer, x)), RG_ALL, false));
    rg_optim_set_lr(opt, .1 / (step + 1));
    rg_optim_step(opt, t);
    const uint64_t hash = rg_tape_hash(t);
    assert_true(rg_tape_run(t));
    return hash;
}

static void every_training_step_is_the_same_program(void **state)
{
    (void)state;
    for (int kind = 0; kind < 5; kind++) {
        rg_tape *t = rg_tape_new(NULL);
        rg_params *ps = rg_params_new(2);
        rg_linear_new(ps, "l", 5, 3);
        rg_optim *opt = kind == 0   ? rg_sgd_new(ps, NULL)
                        : kind == 1 ? rg_sgd_new(ps, &(rg_sgd_config){.momentum = .9, .dampening = .1})
                        : kind == 2 ? rg_adagrad_new(ps, &(rg_adagrad_config){.lr_decay = .1})
                        : kind == 3 ? rg_rmsprop_new(ps, &(rg_rmsprop_config){.momentum = .9, .centered = true})
                                    : rg_adamw_new(ps, &(rg_adam_config){.amsgrad = true});
        const uint64_t first = hash_of_step(t, ps, opt, 0);
        for (int step = 1; step < 4; step++)
            assert_true(hash_of_step(t, ps, opt, step) == first);
        assert_tape_ok(t);
        rg_optim_free(opt);
        rg_tape_free(t);
        rg_params_free(ps);
    }
}

int main(void)
{
    unsetenv("RETROGRAD_EAGER");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_run_a_program_gives_the_same),
        cmocka_unit_test(an_eager_tape_computes_as_it_records),
        cmocka_unit_test(the_hash_tells_programs_apart_and_nothing_else),
        cmocka_unit_test(the_hash_sees_shapes_and_dtypes_of_what_comes_in),
        cmocka_unit_test(every_training_step_is_the_same_program),
    };
    return cmocka_run_group_tests_name("runs", tests, NULL, NULL);
}
