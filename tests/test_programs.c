/* Random programs: thousands of generated tapes, each run by plans and by the reference, on one thread and on two, whole
 * and with values asked for on the way. The plan must give what the reference gives, and the same bits for any number of
 * threads.
 *
 *     test_programs [PROGRAMS [FIRST_SEED]]
 *
 * runs as many as one likes; a failure names the seed that repeats it. */
#include "autograd/samples.h"
#include "test.h"

#include <retrograd/table.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TENSORS = 64, MOST_NUMBERS = 1 << 15, PARAMETERS = 3 };

static int64_t programs = 400, first_seed = 1;

typedef struct program {
    rg_rng rng;
    rg_tape *t;
    rg_params *ps;
    rg_tensor pool[MOST_TENSORS]; /* f64, all */
    int count;
    int64_t drawn;               /* inputs of the sample that is being recorded */
    double number[MOST_NUMBERS]; /* what it gave */
    int numbers;
} program;

static int64_t below(program *p, int64_t n)
{
    int64_t x;
    rg_rng_integers(&p->rng, &x, 1, 0, n);
    return x;
}

static rg_tensor any(program *p)
{
    return p->pool[below(p, p->count)];
}

static void add(program *p, rg_tensor x)
{
    if (!rg_is_nil(x) && rg_numel(p->t, x) <= 65536)
        p->pool[p->count < MOST_TENSORS ? p->count++ : below(p, MOST_TENSORS)] = x;
}

/* ---- what a program is made of ---- */

/* Keeps values within [-1, 1], so that long chains stay comparable. */
static rg_tensor tame(program *p, rg_tensor x)
{
    return below(p, 2) ? rg_tanh(p->t, x) : rg_sin(p->t, x);
}

static rg_tensor unary(program *p)
{
    rg_tape *t = p->t;
    rg_tensor x = any(p);
    switch (below(p, 14)) {
    case 0: return rg_neg(t, x);
    case 1: return rg_square(t, x);
    case 2: return rg_sigmoid(t, x);
    case 3: return rg_exp(t, x);
    case 4: return rg_softplus(t, x);
    case 5: return rg_gelu(t, x);
    case 6: return rg_relu(t, x);
    case 7: return rg_sqrt(t, rg_add_scalar(t, rg_square(t, x), 1));
    case 8: return rg_log1p(t, rg_square(t, x));
    case 9: return rg_mul_scalar(t, x, (double)below(p, 3));
    case 10: return rg_erf(t, x);
    case 11: return rg_cos(t, x);
    case 12: return rg_cast(t, rg_cast(t, x, RG_F32), RG_F64);
    default: return rg_detach(t, x);
    }
}

static bool broadcasts(rg_shape a, rg_shape b)
{
    for (int i = 1; i <= a.rank && i <= b.rank; i++) {
        const int64_t x = a.dims[a.rank - i], y = b.dims[b.rank - i];
        if (x != y && x != 1 && y != 1)
            return false;
    }
    return true;
}

static rg_tensor binary(program *p)
{
    rg_tape *t = p->t;
    rg_tensor a = any(p), b = RG_NIL;
    for (int tries = 0; tries < 8 && rg_is_nil(b); tries++) {
        rg_tensor x = any(p);
        if (broadcasts(rg_shape_of(t, a), rg_shape_of(t, x)))
            b = x;
    }
    if (rg_is_nil(b))
        b = rg_scalar(t, RG_F64, .5);
    /* Values that differ by rounding alone, as x and x c / c, would compare in one way here and in another there. */
    const rg_tensor apart = rg_add_scalar(t, b, .0137);
    switch (below(p, 7)) {
    case 0: return rg_add(t, a, b);
    case 1: return rg_sub(t, a, b);
    case 2: return rg_mul(t, a, b);
    case 3: return rg_div(t, a, rg_add_scalar(t, rg_square(t, b), 1));
    case 4: return rg_maximum(t, a, apart);
    case 5: return rg_where(t, rg_gt(t, a, apart), a, b);
    default: return rg_mul(t, a, rg_cast(t, rg_le(t, apart, a), RG_F64));
    }
}

static rg_tensor reduction(program *p)
{
    rg_tape *t = p->t;
    rg_tensor x = any(p);
    const rg_shape s = rg_shape_of(t, x);
    if (s.rank == 0 || rg_numel(t, x) == 0)
        return tame(p, x);
    const int axis = (int)below(p, s.rank);
    const rg_axes axes = below(p, 3) == 0 ? RG_ALL : RG_AXES(axis);
    const bool keepdim = below(p, 2);
    switch (below(p, 7)) {
    case 0: return rg_sum(t, x, axes, keepdim);
    case 1: return rg_mean(t, x, axes, keepdim);
    case 2: return rg_max(t, x, axes, keepdim);
    case 3: return rg_softmax(t, x, axis);
    case 4: return rg_logsumexp(t, x, axes, keepdim);
    case 5: return rg_var(t, x, axes, 0, keepdim);
    default: return rg_log_softmax(t, x, axis);
    }
}

static rg_tensor view(program *p)
{
    rg_tape *t = p->t;
    rg_tensor x = any(p);
    const rg_shape s = rg_shape_of(t, x);
    if (s.rank == 0)
        return rg_expand(t, x, RG_SHAPE(2, 3));
    const int axis = (int)below(p, s.rank);
    switch (below(p, 7)) {
    case 0: return rg_transpose(t, x, axis, (int)below(p, s.rank));
    case 1: return rg_flip(t, x, RG_AXES(axis));
    case 2: return rg_slice(t, x, axis, below(p, s.dims[axis] + 1), RG_END, 1 + below(p, 2));
    case 3: return rg_reshape(t, x, RG_SHAPE(-1));
    case 4: return s.rank < 4 ? rg_unsqueeze(t, x, axis) : rg_squeeze(t, x, RG_ALL);
    case 5:
        x = rg_cat(t, (rg_tensor[]){x, x}, 2, axis);
        return s.dims[axis] ? rg_select(t, x, axis, below(p, 2 * s.dims[axis])) : x;
    default: return rg_contiguous(t, rg_transpose(t, x, 0, -1));
    }
}

static rg_tensor product(program *p)
{
    rg_tape *t = p->t;
    rg_tensor x = any(p);
    const rg_shape s = rg_shape_of(t, x);
    if (s.rank == 0 || s.dims[s.rank - 1] == 0)
        return tame(p, x);
    return tame(p, rg_matmul(t, x, rg_randn(t, RG_F64, RG_SHAPE(s.dims[s.rank - 1], 1 + below(p, 5)))));
}

static rg_tensor indexing(program *p)
{
    rg_tape *t = p->t;
    rg_tensor x = any(p);
    const rg_shape s = rg_shape_of(t, x);
    if (s.rank == 0 || s.dims[0] == 0)
        return tame(p, x);
    return rg_index_select(t, x, 0, rg_randint(t, RG_SHAPE(1 + below(p, 4)), 0, s.dims[0]));
}

/* x, or nearly: what the planner sees through. */
static rg_tensor detour(program *p, rg_tensor x)
{
    rg_tape *t = p->t;
    const rg_shape s = rg_shape_of(t, x);
    const int axis = s.rank ? (int)below(p, s.rank) : 0;
    switch (below(p, 16)) {
    case 0: return rg_mul(t, x, rg_constant(t, RG_F64, 1));
    case 1: return rg_add(t, rg_constant(t, RG_F64, 0), x);
    case 2: return rg_div(t, rg_sub(t, x, rg_constant(t, RG_F64, 0)), rg_ones_like(t, x));
    case 3: return rg_neg(t, rg_neg(t, x));
    case 4: return rg_maximum(t, x, x);
    case 5: return rg_where(t, rg_le(t, x, rg_scalar(t, RG_F64, .1)), x, x);
    case 6: return rg_mul(t, x, rg_add(t, rg_constant(t, RG_F64, .5), rg_constant(t, RG_F64, (double)below(p, 2))));
    case 7:
        return rg_mul(t, x,
                      rg_cast(t, rg_cast(t, rg_cast(t, rg_gt(t, x, rg_scalar(t, RG_F64, .3)), RG_I32), RG_I64), RG_F64));
    case 8: return rg_cast(t, rg_cast(t, rg_cast(t, rg_cast(t, x, RG_F32), RG_F64), RG_F32), RG_F64);
    case 9: return rg_abs(t, rg_abs(t, x));
    case 10: return rg_mul(t, x, rg_scalar(t, RG_F64, (double)below(p, 2)));
    default: break;
    }
    if (s.rank == 0 || rg_numel(t, x) == 0)
        return rg_relu(t, rg_relu(t, x));
    switch (below(p, 4)) {
    case 0: return rg_contiguous(t, rg_transpose(t, rg_contiguous(t, rg_transpose(t, x, 0, axis)), 0, axis));
    case 1: x = rg_contiguous(t, rg_flip(t, x, RG_AXES(axis))); return rg_slice(t, x, axis, below(p, 2), RG_END, -1);
    case 2: return rg_reshape(t, rg_contiguous(t, rg_transpose(t, x, 0, -1)), RG_SHAPE(s.dims[s.rank - 1], -1));
    default: return rg_flip(t, rg_contiguous(t, rg_neg(t, rg_flip(t, rg_neg(t, x), RG_ALL))), RG_AXES(axis));
    }
}

/* Reductions of what is repeated. */
static rg_tensor repeated(program *p)
{
    rg_tape *t = p->t;
    rg_tensor x = any(p);
    const rg_shape s = rg_shape_of(t, x);
    rg_shape more = {s.rank + 1, {1 + below(p, 3)}};
    if (s.rank > 4 || rg_numel(t, x) > 20000)
        return tame(p, x);
    memcpy(more.dims + 1, s.dims, (size_t)s.rank * sizeof *s.dims);
    x = rg_expand(t, x, more);
    const rg_axes axes = s.rank && below(p, 2) ? RG_AXES(0, 1 + (int)below(p, s.rank)) : RG_AXES(0);
    if (axes.count > 1 && more.dims[axes.axis[1]] == 0)
        return tame(p, x);
    switch (below(p, 4)) {
    case 0: return rg_mean(t, x, axes, below(p, 2));
    case 1: return rg_max(t, x, axes, below(p, 2));
    case 2: return rg_mul_scalar(t, rg_sum(t, rg_contiguous(t, x), axes, below(p, 2)), .25);
    default: return tame(p, rg_sum(t, x, axes, below(p, 2)));
    }
}

/* ---- any op of the table, on one of its samples ---- */

enum { MOST_OPS = 1024, OPS_OF_ITS_OWN = 2 };
static struct {
    const rg__op *op;
    int samples, used;
} table[MOST_OPS];
static int table_ops;

static void read_table(void)
{
    for (int i = 0; i < rg__op_count(); i++) {
        const rg__op *op = rg__op_at(i);
        const int samples = rg_op_samples(op->name);
        if (samples == 0)
            continue;
        assert_true(table_ops < MOST_OPS);
        table[table_ops].op = op;
        table[table_ops++].samples = samples;
    }
}

/* Numbers of the domain: mostly drawn, so that none lie so close that rounding could decide between them, and a little of
 * what the program has computed. */
static rg_tensor draw_mixed(rg__draw *draw, rg_shape shape, rg__domain domain)
{
    program *p = draw->user;
    rg_tape *t = p->t;
    const int64_t n = rg_shape_numel(shape), which = p->drawn++;
    const double width = domain.high - domain.low;
    double *base = calloc((size_t)n + 1, sizeof *base);
    int64_t *order = calloc((size_t)n + 1, sizeof *order);
    bool *negative = calloc((size_t)n + 1, sizeof *negative);
    assert_true(base && order && negative);
    rg_rng_uniform_f64(&p->rng, base, (size_t)n, domain.low + .1 * width, domain.high - .1 * width);
    rg_rng_permutation(&p->rng, order, (size_t)n);
    rg_rng_bernoulli(&p->rng, negative, (size_t)n, .5);
    for (int64_t i = 0; i < n; i++) {
        if (domain.kind == RG__DISTINCT)
            base[i] = domain.low + .2 * (double)order[i] + .1 * (double)which;
        else if (domain.kind == RG__SIGNED && negative[i])
            base[i] = -base[i];
    }
    rg_tensor x = rg_input_f64(t, shape, base), mixed = any(p);
    const int64_t m = rg_numel(t, mixed);
    for (int64_t i = 0; i < n && m > 0; i++)
        order[i] = i % m;
    if (n > 0 && m > 0) {
        mixed = rg_tanh(t, rg_take(t, mixed, rg_input_i64(t, shape, order)));
        x = rg_add(t, x, rg_mul_scalar(t, mixed, domain.kind == RG__DISTINCT ? .02 : .09 * width));
    }
    free(base);
    free(order);
    free(negative);
    return x;
}

static rg_tensor from_table(program *p, int64_t which)
{
    rg_tape *t = p->t;
    p->drawn = 0;
    table[which].used++;
    rg_tensor y = rg__sample_of(&(rg__draw){draw_mixed, t, p}, table[which].op, (int)below(p, table[which].samples));
    return rg_dtype_of(t, y) == RG_F64 ? y : rg_cast(t, y, RG_F64);
}

static rg_tensor step(program *p)
{
    switch (below(p, 22)) {
    case 16:
    case 17:
    case 18:
    case 19:
    case 20:
    case 21: return from_table(p, below(p, table_ops));
    case 12:
    case 13:
    case 14: return detour(p, any(p));
    case 15: return repeated(p);
    case 0:
    case 1:
    case 2: return unary(p);
    case 3:
    case 4:
    case 5: return binary(p);
    case 6:
    case 7: return reduction(p);
    case 8:
    case 9: return view(p);
    case 10: return product(p);
    default: return indexing(p);
    }
}

/* ---- one program ---- */

static void take(program *p, rg_tensor x)
{
    const int64_t n = rg_numel(p->t, x);
    if (rg_is_nil(x) || p->numbers + n > MOST_NUMBERS)
        return;
    assert_true(rg_read(p->t, x, p->number + p->numbers, (size_t)n * sizeof(double)) || rg_failed(p->t));
    p->numbers += (int)n;
}

static rg_tensor loss_of(program *p)
{
    rg_tensor loss = rg_scalar(p->t, RG_F64, 0);
    for (int i = 0; i < 4; i++)
        loss = rg_add(p->t, loss, rg_mean(p->t, rg_tanh(p->t, rg_reshape(p->t, any(p), RG_SHAPE(-1, 1))), RG_ALL, false));
    for (int i = 0; i < PARAMETERS; i++) /* every program depends on them */
        loss = rg_add(p->t, loss, rg_sum(p->t, rg_square(p->t, rg_leaf(p->t, rg_params_at(p->ps, i))), RG_ALL, false));
    return loss;
}

static rg_tensor nonempty_loss(program *p)
{
    for (int i = 0; i < p->count; i++)
        if (rg_numel(p->t, p->pool[i]) == 0)
            p->pool[i] = rg_leaf(p->t, rg_params_at(p->ps, 0));
    return loss_of(p);
}

/* One step of training; the second time the plan comes from the cache. */
static void train(program *p, uint64_t seed, bool peek)
{
    rg_tape *t = p->t;
    p->rng = rg_rng_new(seed, 1);
    p->count = 0;
    for (int i = 0; i < PARAMETERS; i++)
        add(p, rg_leaf(t, rg_params_at(p->ps, i)));
    add(p, rg_rand(t, RG_F64, RG_SHAPE(3, 4)));
    add(p, rg_randn(t, RG_F64, RG_SHAPE(2, 1, 4)));
    if (seed % 8 == 0) /* large enough that threads share the work */
        add(p, rg_randn(t, RG_F64, RG_SHAPE(9000, 4)));
    for (uint64_t i = 0; i < OPS_OF_ITS_OWN; i++) /* consecutive programs call all ops in turn */
        add(p, from_table(p, (int64_t)((OPS_OF_ITS_OWN * seed + i) % (uint64_t)table_ops)));
    const int steps = 4 + (int)below(p, 40);
    for (int i = 0; i < steps; i++) {
        const int64_t section = below(p, 12);
        if (section == 0)
            rg_mode_push(t, RG_NO_GRAD);
        rg_tensor x = step(p);
        add(p, below(p, 3) ? x : tame(p, x));
        if (section == 0)
            rg_mode_pop(t);
        const rg_tensor seen = section == 1 ? any(p) : RG_NIL;
        if (peek && !rg_is_nil(seen)) /* looked at and forgotten */
            assert_true(rg_data(t, seen) || rg_failed(t));
    }
    rg_tensor loss = nonempty_loss(p);
    if (below(p, 2))
        take(p, loss);
    rg_backward(t, loss);
    if (below(p, 4) == 0)
        rg_backward(t, rg_mul_scalar(t, loss, .5));
    if (below(p, 4) == 0) { /* second order */
        rg_tensor w = rg_leaf(t, rg_params_at(p->ps, 0)), g;
        if (rg_grad(t, loss, &w, 1, &g))
            rg_backward(t, rg_sum(t, rg_tanh(t, g), RG_ALL, false));
    }
    for (int i = 0; i < PARAMETERS; i++) {
        rg_param *w = rg_params_at(p->ps, i);
        rg_tensor g = rg_tanh(t, rg_param_grad(t, w));
        if (below(p, 2))
            take(p, g);
        rg_assign(t, w, rg_sub(t, rg_leaf(t, w), rg_mul(t, g, rg_scalar(t, RG_F64, .05))));
    }
    rg_params_clear_grads(t, p->ps);
    if (below(p, 2))
        take(p, loss);
    take(p, rg_leaf(t, rg_params_at(p->ps, 1)));
}

static program *run(uint64_t seed, rg_tape_config config, bool peek)
{
    static const rg_shape shapes[PARAMETERS] = {{2, {3, 4}}, {1, {4}}, {2, {4, 1}}};
    program *p = calloc(1, sizeof *p);
    assert_non_null(p);
    config.seed = seed;
    p->t = rg_tape_new(&config);
    p->ps = rg_params_new(seed);
    for (int i = 0; i < PARAMETERS; i++) {
        char name[8];
        snprintf(name, sizeof name, "w%d", i);
        rg_init_normal(rg_param_new(p->ps, name, RG_F64, shapes[i], NULL), 0, .5);
    }
    for (int i = 0; i < 2; i++) {
        train(p, seed, peek);
        rg_tape_reset(p->t);
    }
    for (int i = 0; i < PARAMETERS; i++) {
        const rg_param *w = rg_params_at(p->ps, i);
        memcpy(p->number + p->numbers, rg_param_data(w), (size_t)rg_param_numel(w) * sizeof(double));
        p->numbers += (int)rg_param_numel(w);
    }
    if (rg_failed(p->t))
        fail_msg("seed %llu%s: %s", (unsigned long long)seed, config.eager ? ", eager" : "", rg_tape_error(p->t));
    return p;
}

static void finish(program *p)
{
    rg_tape_free(p->t);
    rg_params_free(p->ps);
    free(p);
}

static void compare(uint64_t seed, const program *a, const program *b, double tolerance, const char *what)
{
    if (a->numbers != b->numbers)
        fail_msg("seed %llu: %s: %d and %d numbers", (unsigned long long)seed, what, a->numbers, b->numbers);
    for (int i = 0; i < a->numbers; i++) {
        const double x = a->number[i], y = b->number[i];
        const bool same = memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y));
        if (!same && !(fabs(x - y) <= tolerance * fmax(1, fabs(x))))
            fail_msg("seed %llu: %s: number %d of %d is %.17g and %.17g", (unsigned long long)seed, what, i, a->numbers,
                     x, y);
    }
}

static void plans_give_what_the_reference_gives(void **state)
{
    (void)state;
    int64_t compared = 0;
    read_table();
    for (int64_t i = 0; i < programs; i++) {
        const uint64_t seed = (uint64_t)(first_seed + i);
        program *plan = run(seed, (rg_tape_config){.threads = 1}, false);
        program *reference = run(seed, (rg_tape_config){.threads = 1, .eager = true}, false);
        program *two = run(seed, (rg_tape_config){.threads = 2}, false);
        program *peeked = run(seed, (rg_tape_config){.threads = 1}, true);
        compare(seed, plan, two, 0, "1 and 2 threads");
        compare(seed, plan, reference, 1e-7, "plan and reference");
        compare(seed, plan, peeked, 1e-7, "looked at on the way or not");
        compared += plan->numbers;
        finish(plan);
        finish(reference);
        finish(two);
        finish(peeked);
    }
    int unused = 0;
    for (int i = 0; i < table_ops; i++)
        unused += table[i].used == 0;
    print_message("%d ops, %d of them in no program\n", table_ops, unused);
    assert_true(unused == 0 || OPS_OF_ITS_OWN * programs < table_ops);
    print_message("seeds %lld to %lld, %lld numbers\n", (long long)first_seed, (long long)(first_seed + programs - 1),
                  (long long)compared);
    assert_true(compared > 10 * programs);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        programs = atoll(argv[1]);
    if (argc > 2)
        first_seed = atoll(argv[2]);
    const struct CMUnitTest tests[] = {cmocka_unit_test(plans_give_what_the_reference_gives)};
    return cmocka_run_group_tests_name("programs", tests, NULL, NULL);
}
