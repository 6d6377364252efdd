/* Recurrent layers against PyTorch's results: golden/recurrent.txt. The program's argument is the project's root folder. */
#include "golden.h"
#include "nn_support.h"

static const char *root = ".";

enum { X, FLAT, H, C, LENGTHS };

static bool option(const struct golden_case *c, const char *name)
{
    const char *at = strstr(c->with, name);
    return at != NULL && strncmp(at + strlen(name), "=0", 2) != 0;
}

static rg_recurrent layer_of(rg_params *ps, const struct golden_case *c)
{
    const bool relu = strcmp(c->key, "relu") == 0;
    const rg_recurrent_config config = {.layers = option(c, "num_layers") ? 2 : 0,
                                        .relu = relu,
                                        .no_bias = strstr(c->with, "bias=0") != NULL,
                                        .batch_first = option(c, "batch_first"),
                                        .bidirectional = option(c, "bidirectional"),
                                        .proj_size = strcmp(c->key, "lstm_proj") == 0 ? 1 : 0};
    if (relu || strcmp(c->key, "rnn") == 0)
        return rg_rnn_new(ps, "net", 2, 2, &config);
    return strcmp(c->key, "gru") == 0 ? rg_gru_new(ps, "net", 2, 2, &config) : rg_lstm_new(ps, "net", 2, 2, &config);
}

/* The parameters of the layer are the vector, one behind the other; returns how many numbers that are. */
static size_t fill(rg_params *ps, int count, const struct golden_array *flat)
{
    const size_t size = rg_dtype_size(flat->dtype);
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        rg_param *p = rg_params_at(ps, i);
        const size_t n = (size_t)rg_param_numel(p);
        assert_true(at + n <= flat->count);
        assert_true(rg_param_set(p, (const char *)flat->data + at * size, n * size));
        at += n;
    }
    return at;
}

static void compare(const struct golden_case *c, const char *what, const struct golden_array *expected, rg_tape *t,
                    rg_tensor x)
{
    size_t where;
    assert_tape_ok(t);
    if (!rg_shape_equal(rg_shape_of(t, x), expected->shape) || rg_dtype_of(t, x) != expected->dtype) {
        char ours[80], theirs[80];
        golden_shape_text(rg_dtype_of(t, x), rg_shape_of(t, x), ours);
        golden_shape_text(expected->dtype, expected->shape, theirs);
        fail_msg("%s %s: %s is %s, PyTorch has %s", c->key, c->variant, what, ours, theirs);
    }
    const double error = golden_distance(expected, rg_data(t, x), 1, INFINITY, false, &where);
    if (!(error <= (expected->dtype == RG_F32 ? 2e-6 : 1e-12))) {
        char ours[40], theirs[40];
        golden_text(expected->dtype, rg_data(t, x), where, ours);
        golden_text(expected->dtype, expected->data, where, theirs);
        fail_msg("%s %s: %s, element %zu is %s, PyTorch has %s", c->key, c->variant, what, where, ours, theirs);
    }
}

static rg_tensor flat(rg_tape *t, rg_tensor x)
{
    return rg_reshape(t, x, RG_SHAPE(-1));
}

/* The gradients of the layer's parameters as PyTorch's vector. */
static rg_tensor joined_gradients(rg_tape *t, rg_params *ps, int count)
{
    rg_tensor g[40];
    assert_true(count <= (int)COUNT(g));
    for (int i = 0; i < count; i++)
        g[i] = flat(t, rg_param_grad(t, rg_params_at(ps, i)));
    return rg_cat(t, g, count, 0);
}

static void check_case(const struct golden_case *c, bool eager)
{
    rg_tape *t = rg_tape_new(&(rg_tape_config){.eager = eager});
    rg_params *ps = rg_params_new(1);
    rg_params_set_dtype(ps, c->in[FLAT].dtype);
    const rg_recurrent layer = layer_of(ps, c);
    const int count = rg_params_count(ps);
    assert_string_equal(rg_params_error(ps), "");
    assert_int_equal(fill(ps, count, &c->in[FLAT]), c->in[FLAT].count);
    rg_param *p[C + 1] = {NULL};
    rg_tensor in[LENGTHS + 1] = {{0}};
    for (int i = 0; i <= LENGTHS; i++) {
        const struct golden_array *a = &c->in[i];
        if (i == FLAT || a->data == NULL)
            continue;
        if (i <= C) {
            p[i] = rg_param_new(ps, (const char *[]){"x", "", "h", "c"}[i], a->dtype, a->shape, a->data);
            in[i] = rg_leaf(t, p[i]);
        } else {
            in[i] = rg_input(t, a->dtype, a->shape, a->data);
        }
    }
    const rg_recurrent_given given = {.h = in[H], .c = in[C], .lengths = in[LENGTHS]};
    const rg_recurrent_result r = rg_recurrent_forward(t, &layer, in[X], &given);
    const rg_tensor out[3] = {r.output, r.h, r.c};
    rg_tensor joined[3];
    for (int i = 0; i < c->outs; i++) {
        compare(c, "a result", &c->out[i], t, out[i]);
        joined[i] = flat(t, out[i]);
    }
    assert_true(rg_is_nil(r.c) == (c->outs == 2));
    rg_backward_with(t, rg_cat(t, joined, c->outs, 0),
                     rg_input(t, c->cotangent.dtype, c->cotangent.shape, c->cotangent.data));
    compare(c, "the gradient of the parameters", &c->grad[FLAT], t, joined_gradients(t, ps, count));
    for (int i = 0; i <= C; i++)
        if (p[i] != NULL)
            compare(c, "the gradient of x or a state", &c->grad[i], t, rg_param_grad(t, p[i]));
    rg_tape_free(t);
    rg_params_free(ps);
}

static void layers_agree_with_pytorch(void **state)
{
    (void)state;
    struct golden_file f;
    struct golden_case c;
    int cases = 0;
    if (!golden_open(&f, root, "recurrent"))
        fail_msg("%s (the project's root folder is the program's argument)", f.error);
    for (; golden_next(&f, &c); golden_case_free(&c), cases++)
        for (int eager = 0; eager < 2; eager++)
            check_case(&c, eager != 0);
    golden_case_free(&c);
    assert_string_equal(f.error, "");
    golden_close(&f);
    assert_true(cases > 30);
}

int main(int argc, char **argv)
{
    root = argc > 1 ? argv[1] : root;
    const struct CMUnitTest tests[] = {
        TEST(layers_agree_with_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
