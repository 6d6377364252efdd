/* Ops of the program's own: kernels, rules, errors, plans; and gradients of its own. */
#include "tape_support.h"

#include <pthread.h>

/* ---- y = a x^3 + b, with a rule that may be wrong ---- */

typedef struct cubic_bytes {
    double a, b;
} cubic_bytes;

static int cubic_runs;

static bool cubic_kernel(const rg_custom_run *run)
{
    const cubic_bytes *c = run->attributes;
    const int64_t n = rg_shape_numel(run->shape);
    __atomic_add_fetch(&cubic_runs, 1, __ATOMIC_RELAXED);
    for (int64_t i = 0; i < n; i++)
        if (run->dtype == RG_F64) {
            const double x = ((const double *)run->in[0].data)[i];
            ((double *)run->out)[i] = c->a * x * x * x + c->b;
        } else {
            const float x = ((const float *)run->in[0].data)[i];
            ((float *)run->out)[i] = (float)(c->a * x * x * x + c->b);
        }
    return true;
}

static void cubic_vjp(rg_tape *t, const rg_custom_vjp *v)
{
    const cubic_bytes *c = v->attributes;
    const double *factor = v->user; /* 1 is right */
    rg_tensor slope = rg_mul_scalar(t, rg_square(t, v->in[0]), 3 * c->a * (factor ? *factor : 1));
    assert_true(v->count == 1 && v->wanted[0]);
    v->grad[0] = rg_mul(t, v->cotangent, slope);
}

static const rg_custom cubic = {
    .name = "cubic", .kernel = cubic_kernel, .vjp = cubic_vjp, .attribute_bytes = sizeof(cubic_bytes)};

static rg_tensor cubic_of(rg_tape *t, rg_tensor x, double a, double b)
{
    return rg_custom_op(t, &cubic, &x, 1, &(cubic_bytes){a, b});
}

static void a_custom_op_gives_values_and_gradients_of_any_order(void **state)
{
    (void)state;
    rg_tensor x = F64(RG_SHAPE(2), 2, -1), y = cubic_of(tape, x, 2, 1), g = y;
    assert_values(y, 17, -1);
    const double derivative[3][2] = {{24, 6}, {24, -12}, {12, 12}};
    for (int i = 0; i < 3; i++) {
        assert_true(rg_grad(tape, total(g), &x, 1, &g));
        assert_values(g, derivative[i][0], derivative[i][1]);
    }
}

static void strided_and_empty_inputs_arrive_row_major(void **state)
{
    (void)state;
    rg_tensor x = F64(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    assert_values(cubic_of(tape, rg_transpose(tape, x, 0, 1), 1, 0), 1, 64, 8, 125, 27, 216);
    assert_values(cubic_of(tape, rg_flip(tape, x, RG_AXES(1)), 1, 0), 27, 8, 1, 216, 125, 64);
    assert_values(cubic_of(tape, rg_expand(tape, rg_select(tape, x, 0, 1), RG_SHAPE(2, 3)), 1, 0), 64, 125, 216, 64,
                  125, 216);
    rg_tensor summed =
        rg_sum(tape, cubic_of(tape, rg_slice(tape, rg_relu(tape, x), 1, RG_END, RG_END, -2), 1, 0), RG_AXES(0), false);
    assert_int_equal(rg_numel(tape, summed), 0);
    assert_shape(cubic_of(tape, rg_zeros(tape, RG_F64, RG_SHAPE(0, 3)), 1, 0), 0, 3);
    assert_tape_ok(tape);
}

/* ---- a result of another shape and dtype: where each row of x exceeds each limit, counted ---- */

static bool count_result(rg_tape *t, const rg_array *in, int count, const void *attributes, void *user, rg_dtype *dtype,
                         rg_shape *shape)
{
    (void)attributes, (void)user;
    if (count != 2 || in[0].shape.rank != 2 || in[1].shape.rank != 1 || in[0].data) {
        rg_tape_fail(t, RG_ERROR_SHAPE, "count_above: x [n, m] and limits [k] are needed");
        return false;
    }
    *dtype = RG_I64;
    *shape = RG_SHAPE(in[0].shape.dims[0], in[1].shape.dims[0]);
    return true;
}

static bool count_kernel(const rg_custom_run *run)
{
    const double *x = run->in[0].data, *limit = run->in[1].data;
    const int64_t n = run->in[0].shape.dims[0], m = run->in[0].shape.dims[1], k = run->in[1].shape.dims[0];
    int64_t *out = run->out;
    for (int64_t i = 0; i < n; i++)
        for (int64_t l = 0; l < k; l++) {
            out[i * k + l] = 0;
            for (int64_t j = 0; j < m; j++)
                out[i * k + l] += x[i * m + j] > limit[l];
        }
    return true;
}

static const rg_custom count_above = {.name = "count_above", .result = count_result, .kernel = count_kernel};

static void an_op_says_its_results_shape_and_dtype_and_has_no_gradient(void **state)
{
    (void)state;
    rg_tensor in[2] = {F64(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), F64(RG_SHAPE(2), 1.5, 4.5)}, g;
    rg_tensor y = rg_custom_op(tape, &count_above, in, 2, NULL);
    assert_values(y, 2, 0, 3, 2);
    assert_int_equal(rg_dtype_of(tape, y), RG_I64);
    assert_true(rg_grad(tape, total(rg_mul(tape, rg_cast(tape, y, RG_F64), in[1])), in, 1, &g));
    assert_values(g, 0, 0, 0, 0, 0, 0);
    assert_true(rg_is_nil(rg_custom_op(tape, &count_above, in, 1, NULL)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("count_above: x [n, m]"));
}

/* ---- errors ---- */

static bool picky_kernel(const rg_custom_run *run)
{
    const double x = *(const double *)run->in[0].data;
    if (x < 0)
        return rg_custom_fail(run, "%g is negative", x);
    *(double *)run->out = x;
    return x < 100;
}

static bool refuses(rg_tape *t, const rg_array *in, int count, const void *attributes, void *user, rg_dtype *dtype,
                    rg_shape *shape)
{
    (void)t, (void)in, (void)count, (void)attributes, (void)dtype;
    shape->rank = user ? 99 : 0;
    return user != NULL;
}

static void a_kernel_that_fails_is_an_error_with_name_and_scope(void **state)
{
    (void)state;
    static const rg_custom picky = {.name = "picky", .kernel = picky_kernel};
    for (int eager = 0; eager < 2; eager++) {
        rg_tape *t = rg_tape_new(&(rg_tape_config){.eager = eager});
        const double values[] = {5, -2, 200};
        const char *const words[] = {"", "-2 is negative", "the kernel failed"};
        for (int i = 0; i < 3; i++) {
            rg_tape_reset(t);
            rg_scope_push(t, "gate");
            rg_tensor y = rg_custom_op(t, &picky, (const rg_tensor[]){rg_input_f64(t, RG_SCALAR, &values[i])}, 1, NULL);
            rg_scope_pop(t);
            rg_item(t, y);
            if (i)
                assert_error(t, RG_ERROR_VALUE, WORDS("picky", words[i], "gate"));
            assert_tape_ok(t);
        }
        rg_tape_free(t);
    }
}

static void bad_definitions_and_calls_are_errors(void **state)
{
    (void)state;
    const cubic_bytes bytes = {1, 0};
    rg_tensor x = F64(RG_SHAPE(2), 1, 2);
    const struct {
        rg_custom op;
        int count;
        bool inputs, bytes;
        const char *word;
    } bad[] = {
        {{.name = NULL, .kernel = cubic_kernel}, 1, true, true, "name"},
        {{.name = "", .kernel = cubic_kernel}, 1, true, true, "name"},
        {{.name = "two words", .kernel = cubic_kernel}, 1, true, true, "name"},
        {{.name = "a_name_that_is_longer_than_is_allowed", .kernel = cubic_kernel}, 1, true, true, "name"},
        {{.name = "no_kernel"}, 1, true, true, "no_kernel: the kernel is NULL"},
        {{.name = "many_bytes", .kernel = cubic_kernel, .attribute_bytes = 65536}, 1, true, true, "65535"},
        {{.name = "bytes", .kernel = cubic_kernel, .attribute_bytes = 16}, 1, true, false, "bytes: the attributes are NULL"},
        {{.name = "less", .kernel = cubic_kernel}, -1, true, true, "less: 0 to 65535 inputs"},
        {{.name = "more", .kernel = cubic_kernel}, 65536, true, true, "more: 0 to 65535 inputs"},
        {{.name = "null", .kernel = cubic_kernel}, 1, false, true, "NULL"},
        {{.name = "none", .kernel = cubic_kernel}, 0, false, true, "none: without inputs"},
        {{.name = "no", .kernel = cubic_kernel, .result = refuses}, 1, true, true, "no: its function `result` refused"},
        {{.name = "odd", .kernel = cubic_kernel, .result = refuses, .user = &x},
         1,
         true,
         true,
         "odd: its function `result` gave no valid"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_true(rg_is_nil(
            rg_custom_op(tape, &bad[i].op, bad[i].inputs ? &x : NULL, bad[i].count, bad[i].bytes ? &bytes : NULL)));
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS(bad[i].word));
    }
    assert_true(rg_is_nil(rg_custom_op(tape, NULL, &x, 1, NULL)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("the op is NULL"));
    assert_true(rg_is_nil(rg_custom_op(tape, &cubic, &RG_NIL, 1, &bytes)));
    assert_error(tape, RG_ERROR_HANDLE, WORDS("cubic", "nil"));
    assert_true(rg_is_nil(rg_custom_op(NULL, &cubic, &x, 1, &bytes)));
    assert_false(rg_custom_fail(NULL, "x"));
}

/* A rule whose gradient does not fit its input. */
static void misshapen_vjp(rg_tape *t, const rg_custom_vjp *v)
{
    v->grad[0] = rg_zeros(t, RG_F64, RG_SHAPE(7));
}

static void a_gradient_of_the_wrong_shape_is_an_error_of_the_op(void **state)
{
    (void)state;
    const rg_custom op = {.name = "misshapen", .kernel = picky_kernel, .vjp = misshapen_vjp};
    rg_tensor x = F64(RG_SHAPE(2), 1, 2), g;
    assert_false(rg_grad(tape, total(rg_custom_op(tape, &op, &x, 1, NULL)), &x, 1, &g));
    assert_error(tape, RG_ERROR_STATE, WORDS("misshapen", "vjp rule", "[7]", "[2]"));
}

/* ---- checked by the same tools ---- */

static rg_tensor with_cubic(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    rg_custom op = cubic; /* needs to live no longer than this call */
    char name[] = "cubic";
    (void)count;
    op.user = user;
    op.name = name;
    rg_tensor h = rg_tanh(t, rg_transpose(t, x[0], 0, 1));
    rg_tensor y = rg_exp(t, rg_custom_op(t, &op, &h, 1, &(cubic_bytes){.5, -1}));
    memset(name, 'x', sizeof name - 1);
    memset(&op, 0, sizeof op);
    return y;
}

static void gradcheck_passes_right_rules_and_names_wrong_ones(void **state)
{
    (void)state;
    const double x[] = {.3, -.8, 1.2, .1, .9, -.4};
    const rg_array in = {RG_F64, RG_SHAPE(2, 3), x};
    double factor = 1;
    rg_gradcheck_report r;
    if (!rg_gradcheck(with_cubic, &factor, &in, 1, NULL, &r) || !rg_gradcheck2(with_cubic, &factor, &in, 1, NULL, &r))
        fail_msg("%s", r.message);
    const double wrong[] = {-1, 1.001, 0};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        factor = wrong[i];
        assert_false(rg_gradcheck(with_cubic, &factor, &in, 1, NULL, &r));
        assert_string_equal(r.op, "cubic");
        assert_non_null(strstr(r.message, "the rule of 'cubic' disagrees"));
    }
}

/* ---- plans ---- */

static char *text_of(rg_tape *t, void (*print)(rg_tape *t, FILE *out))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    print(t, out);
    fclose(out);
    return text;
}

static void plans_and_pictures_show_the_name(void **state)
{
    (void)state;
    rg_keep(tape, cubic_of(tape, rg_exp(tape, F64(RG_SHAPE(2), 1, 2)), 1, 2));
    char *plan = text_of(tape, rg_plan_print), *dot = text_of(tape, rg_tape_dot);
    assert_non_null(strstr(plan, "cubic"));
    assert_non_null(strstr(dot, "cubic"));
    free(plan);
    free(dot);
    rg_node node;
    rg_tape_node(tape, rg_tape_at(tape, rg_tape_length(tape) - 1), &node);
    assert_string_equal(node.op, "cubic");
}

/* The plan of an earlier step serves where the op and its bytes are the same, and nowhere else. */
static void plans_tell_ops_apart_by_what_they_are(void **state)
{
    (void)state;
    double one = 1, two = 2;
    rg_custom other = cubic, renamed = cubic, third = cubic;
    other.user = &two;
    third.user = &one;
    renamed.name = "cube";
    const rg_custom *const ops[] = {&cubic, &cubic, &other, &renamed, &third, &cubic};
    const double a[] = {1, 1, 1, 1, 1, 3};
    const int64_t plans[] = {1, 1, 2, 3, 4, 5};
    uint64_t hash[COUNT(plans)];
    for (size_t i = 0; i < COUNT(plans); i++) {
        rg_tape_reset(tape);
        rg_tensor x = F64(RG_SHAPE(2), 1, 2);
        rg_tensor y = rg_custom_op(tape, ops[i], &x, 1, &(cubic_bytes){a[i], 0});
        hash[i] = rg_tape_hash(tape);
        assert_values(y, a[i], 8 * a[i]);
        assert_int_equal(rg_tape_stats(tape).plans, plans[i]);
        for (size_t k = 0; k < i; k++)
            assert_true((hash[k] == hash[i]) == (plans[k] == plans[i]));
    }
    /* another tape has the same hash for the same program */
    rg_tape *t = rg_tape_new(NULL);
    rg_tensor x = rg_input_f64(t, RG_SHAPE(2), (const double[]){5, 6});
    cubic_of(t, x, 1, 0);
    assert_true(rg_tape_hash(t) == hash[0]);
    rg_tape_free(t);
}

static void equal_calls_of_a_plan_run_once(void **state)
{
    (void)state;
    rg_tensor x = F64(RG_SHAPE(2), 1, 2);
    cubic_runs = 0;
    rg_mode_push(tape, RG_NO_GRAD);
    rg_tensor y = rg_add(tape, cubic_of(tape, x, 1, 0), rg_add(tape, cubic_of(tape, x, 1, 0), cubic_of(tape, x, 2, 0)));
    rg_mode_pop(tape);
    assert_values(y, 4, 32);
    assert_int_equal(cubic_runs, 2);
}

static bool sum_kernel(const rg_custom_run *run)
{
    double *out = run->out;
    *out = 0;
    for (int i = 0; i < run->count; i++)
        *out += ((const double *)run->in[i].data)[0] * ((const unsigned char *)run->attributes)[i];
    return true;
}

static bool number_result(rg_tape *t, const rg_array *in, int count, const void *attributes, void *user,
                          rg_dtype *dtype, rg_shape *shape)
{
    (void)t, (void)in, (void)count, (void)attributes, (void)user;
    *dtype = RG_F64;
    *shape = RG_SCALAR;
    return true;
}

static void sum_vjp(rg_tape *t, const rg_custom_vjp *v)
{
    for (int i = 0; i < v->count; i++)
        if (v->wanted[i])
            v->grad[i] = rg_mul_scalar(t, v->cotangent, ((const unsigned char *)v->attributes)[i]);
}

static void many_inputs_and_many_bytes_go_through(void **state)
{
    (void)state;
    enum { MANY = 300 };
    unsigned char bytes[MANY];
    rg_tensor x[MANY], g[MANY];
    const rg_custom op = {
        .name = "weighted.sum", .result = number_result, .kernel = sum_kernel, .vjp = sum_vjp, .attribute_bytes = MANY};
    double expected = 0;
    for (int i = 0; i < MANY; i++) {
        bytes[i] = (unsigned char)(i % 7);
        x[i] = F64(RG_SHAPE(1, 2), i, 0);
        x[i] = i % 2 ? rg_slice(tape, x[i], 1, RG_END, RG_END, 1) : x[i];
        expected += i * (i % 7);
    }
    rg_tensor y = rg_custom_op(tape, &op, x, MANY, bytes);
    assert_number(rg_item(tape, y), expected);
    assert_true(rg_grad(tape, y, x, MANY, g));
    assert_values(g[13], 6, 6);
    bytes[MANY - 1]++;
    assert_number(rg_item(tape, rg_custom_op(tape, &op, x, MANY, bytes)), expected + MANY - 1);
    rg_tensor nothing = rg_custom_op(tape, &op, NULL, 0, bytes);
    assert_values(nothing, 0);
}

static rg_tensor cubic_segment(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_tanh(t, cubic_of(t, x[0], .5, 1));
}

static void custom_ops_work_in_checkpoints_and_inference(void **state)
{
    (void)state;
    rg_tensor x = F64(RG_SHAPE(2), .5, -1), g[2];
    assert_true(rg_grad(tape, total(cubic_segment(tape, &x, 1, NULL)), &x, 1, &g[0]));
    assert_true(rg_grad(tape, total(rg_checkpoint(tape, cubic_segment, &x, 1, NULL)), &x, 1, &g[1]));
    assert_memory_equal(rg_data(tape, g[0]), rg_data(tape, g[1]), 2 * sizeof(double));
    rg_mode_push(tape, RG_INFERENCE);
    assert_values(cubic_of(tape, x, 2, 0), .25, -2);
    rg_mode_pop(tape);
}

/* ---- threads: tapes of several threads use one op at once ---- */

static void *work(void *argument)
{
    double *out = argument;
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = 1});
    for (int step = 0; step < 50; step++) {
        rg_tape_reset(t);
        rg_tensor x = rg_input_f64(t, RG_SHAPE(2), (const double[]){1, step}), g;
        rg_tensor y = cubic_of(t, x, 1, 0);
        if (!rg_grad(t, rg_sum(t, y, RG_ALL, false), &x, 1, &g))
            break;
        out[step] = rg_item(t, rg_sum(t, g, RG_ALL, false));
    }
    rg_tape_free(t);
    return NULL;
}

static void several_threads_use_one_op(void **state)
{
    (void)state;
    enum { THREADS = 3 };
    double out[THREADS][50];
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, work, out[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    for (int i = 0; i < THREADS; i++)
        for (int step = 0; step < 50; step++)
            assert_number(out[i][step], 3 + 3.0 * step * step);
}

/* ---- gradients of one's own ---- */

typedef struct seen {
    int calls;
    double first;
    rg_tensor kept;
} seen;

static rg_tensor halve(rg_tape *t, rg_tensor cotangent, void *user)
{
    seen *s = user;
    s->calls++;
    s->kept = cotangent;
    return rg_mul_scalar(t, cotangent, .5);
}

static rg_tensor look(rg_tape *t, rg_tensor cotangent, void *user)
{
    (void)t;
    seen *s = user;
    s->calls++;
    s->kept = cotangent;
    return RG_NIL;
}

static rg_tensor misfit(rg_tape *t, rg_tensor cotangent, void *user)
{
    (void)cotangent, (void)user;
    return rg_zeros(t, RG_F64, RG_SHAPE(5));
}

static void hooks_see_and_change_the_whole_cotangent(void **state)
{
    (void)state;
    seen s = {0}, u = {0};
    rg_tensor x = F64(RG_SHAPE(2), 1, 2), g;
    rg_tensor h = rg_hook(tape, rg_hook(tape, x, halve, &s), look, &u);
    rg_tensor y = rg_add(tape, rg_mul_scalar(tape, h, 3), rg_square(tape, h));
    assert_values(y, 4, 10);
    assert_int_equal(s.calls, 0);
    assert_true(rg_grad(tape, total(y), &x, 1, &g));
    assert_values(g, 2.5, 3.5);
    assert_values(s.kept, 5, 7);
    assert_values(u.kept, 5, 7);
    assert_int_equal(s.calls, 1);
    assert_true(rg_grad(tape, total(rg_square(tape, y)), &x, 1, &g));
    assert_int_equal(s.calls, 2);
    rg_tensor bad = rg_hook(tape, x, misfit, NULL);
    assert_false(rg_grad(tape, total(bad), &x, 1, &g));
    assert_error(tape, RG_ERROR_STATE, WORDS("hook", "[5]", "[2]"));
    assert_true(rg_is_nil(rg_hook(tape, x, NULL, NULL)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("hook", "NULL"));
    assert_true(rg_is_nil(rg_hook(tape, I64(RG_SHAPE(1), 3), look, &u)));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("hook", "i64"));
}

static rg_tensor hooked(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count;
    return rg_square(t, rg_hook(t, x[0], halve, user));
}

static void hooks_of_parameters_and_within_checkpoints_are_called_once(void **state)
{
    (void)state;
    seen s = {0};
    rg_param *p = PARAM("p", RG_SHAPE(2), 3, 4);
    rg_tensor w = rg_leaf(tape, p);
    rg_backward(tape, total(rg_checkpoint(tape, hooked, &w, 1, &s)));
    assert_values(rg_param_grad(tape, p), 3, 4);
    assert_int_equal(s.calls, 1);
}

static void bad_arguments_of_gradient_ops_are_errors(void **state)
{
    (void)state;
    rg_tensor x = F64(RG_SHAPE(2), 1, 2), single = F32(RG_SHAPE(2), 1, 2), row = F64(RG_SHAPE(1, 2), 1, 2);
    assert_true(rg_is_nil(rg_straight_through(tape, x, single)));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("straight_through", "f64", "f32"));
    assert_true(rg_is_nil(rg_straight_through(tape, x, row)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("straight_through", "[2]", "[1, 2]"));
    assert_true(rg_is_nil(rg_grad_clip(tape, x, 1, -1)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("grad_clip", "[1, -1]"));
    assert_true(rg_is_nil(rg_grad_clip(tape, x, NAN, 1)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("grad_clip"));
    assert_true(rg_is_nil(rg_grad_scale(tape, I64(RG_SHAPE(1), 1), 2)));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("grad_scale", "i64"));
    assert_true(rg_is_nil(rg_grad_reverse(tape, I64(RG_SHAPE(1), 1), 2)));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("grad_reverse", "i64"));
}

static rg_tensor rounded(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    return rg_square(t, rg_straight_through(t, rg_round(t, x[0]), x[0]));
}

static void a_check_names_what_changes_the_gradient(void **state)
{
    (void)state;
    const double x[] = {.3, 1.2};
    rg_gradcheck_report r;
    assert_false(rg_gradcheck(rounded, NULL, &(const rg_array){RG_F64, RG_SHAPE(2), x}, 1, NULL, &r));
    assert_string_equal(r.op, "straight_through");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(a_custom_op_gives_values_and_gradients_of_any_order),
        TAPE_TEST(strided_and_empty_inputs_arrive_row_major),
        TAPE_TEST(an_op_says_its_results_shape_and_dtype_and_has_no_gradient),
        TAPE_TEST(a_kernel_that_fails_is_an_error_with_name_and_scope),
        TAPE_TEST(bad_definitions_and_calls_are_errors),
        TAPE_TEST(a_gradient_of_the_wrong_shape_is_an_error_of_the_op),
        TAPE_TEST(gradcheck_passes_right_rules_and_names_wrong_ones),
        TAPE_TEST(plans_and_pictures_show_the_name),
        TAPE_TEST(plans_tell_ops_apart_by_what_they_are),
        TAPE_TEST(equal_calls_of_a_plan_run_once),
        TAPE_TEST(many_inputs_and_many_bytes_go_through),
        TAPE_TEST(custom_ops_work_in_checkpoints_and_inference),
        TAPE_TEST(several_threads_use_one_op),
        TAPE_TEST(hooks_see_and_change_the_whole_cotangent),
        TAPE_TEST(hooks_of_parameters_and_within_checkpoints_are_called_once),
        TAPE_TEST(bad_arguments_of_gradient_ops_are_errors),
        TAPE_TEST(a_check_names_what_changes_the_gradient),
    };
    return cmocka_run_group_tests_name("custom", tests, NULL, NULL);
}
