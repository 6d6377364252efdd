/* The summary of a recorded model: lines, columns, totals. */
#include "nn_support.h"

/* What is printed, at most 8191 bytes of it; free it. */
static char *summary_of(rg_tape *t, const rg_params *ps)
{
    FILE *file = tmpfile();
    char *text = calloc(1, 8192);
    assert_non_null(file);
    assert_non_null(text);
    rg_summary_print(t, ps, file);
    rewind(file);
    assert_true(fread(text, 1, 8191, file) < 8191);
    fclose(file);
    return text;
}

static void assert_summary(rg_tape *t, const rg_params *ps, const char *expected)
{
    char *text = summary_of(t, ps);
    if (strcmp(text, expected) != 0)
        fail_msg("printed:\n%s\ninstead of:\n%s", text, expected);
    free(text);
}

/* The line that begins with this path, without the path; "" where there is none. */
static void line_of(rg_tape *t, const rg_params *ps, const char *path, char out[256])
{
    char *text = summary_of(t, ps);
    const size_t length = strlen(path);
    out[0] = '\0';
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        if (strncmp(line, path, length) == 0 && (line[length] == ' ' || line[length] == '\0'))
            snprintf(out, 256, "%s", line + length + strspn(line + length, " "));
    free(text);
}

#define assert_line(ps, path, expected)      \
    do {                                     \
        char line[256];                      \
        line_of(tape, ps, path, line);       \
        assert_string_equal(line, expected); \
    } while (0)

struct net {
    rg_params *ps;
    rg_conv_layer conv;
    rg_batch_norm_layer norm;
    rg_linear head;
};

static struct net net_new(void)
{
    struct net net = {.ps = rg_params_new(1)};
    rg_params_scope_push(net.ps, "features");
    net.conv = rg_conv_layer_new(net.ps, "0", 1, 2, RG_SHAPE(3, 3), &(rg_conv_layer_config){.padding = RG_SHAPE(1)});
    net.norm = rg_batch_norm_layer_new(net.ps, "1", 2, NULL);
    rg_params_scope_pop(net.ps);
    net.head = rg_linear_new(net.ps, "head", 32, 3);
    assert_string_equal(rg_params_error(net.ps), "");
    return net;
}

static rg_tensor net_forward(const struct net *net)
{
    const rg_tensor x = rg_zeros(tape, RG_F32, RG_SHAPE(5, 1, 4, 4));
    rg_scope_push(tape, "features");
    rg_tensor y = rg_batch_norm_layer_forward(tape, &net->norm, rg_conv_layer_forward(tape, &net->conv, x));
    y = rg_relu(tape, y);
    rg_scope_pop(tape);
    return rg_linear_forward(tape, &net->head, rg_reshape(tape, y, RG_SHAPE(5, 32)));
}

static void a_model_is_a_line_a_scope_and_totals(void **state)
{
    (void)state;
    struct net net = net_new();
    rg_set_training(tape, false);
    net_forward(&net);
    assert_summary(tape, net.ps,
                   "layer       ops                output        parameters  buffers  bytes  recorded\n"
                   "features    relu               [5, 2, 4, 4]                                   640\n"
                   "features.0  conv add           [5, 2, 4, 4]          20              80      1280\n"
                   "features.1  add rsqrt mul ...  [5, 2, 4, 4]           4        5     40      1944\n"
                   "head        matmul add         [5, 3]                99             396       120\n"
                   "parameters: 123 trainable, 0 frozen, 492 bytes\n"
                   "buffers: 5, 24 bytes\n"
                   "recorded: 11 values, 3984 bytes\n");
    rg_params_free(net.ps);
}

static void gradients_and_optimizers_are_left_out(void **state)
{
    (void)state;
    struct net net = net_new();
    rg_optim *opt = rg_adam_new(net.ps, NULL);
    const rg_tensor loss = rg_mean(tape, rg_square(tape, net_forward(&net)), RG_ALL, false);
    char *before = summary_of(tape, net.ps);
    rg_backward(tape, loss);
    rg_optim_step(opt, tape);
    char *after = summary_of(tape, net.ps);
    /* all that is new is what the store keeps for the optimizer: two moments of 123 and six counts */
    const char *const state_line = "optimizer state: 252, 1032 bytes\n";
    char *const at = strstr(after, state_line);
    assert_non_null(at);
    memmove(at, at + strlen(state_line), strlen(at + strlen(state_line)) + 1);
    assert_string_equal(after, before);
    /* the updated running statistics are not the result of the layer */
    assert_non_null(strstr(before, "features.1  sum div sub ...  [5, 2, 4, 4]           4        5"));
    free(before);
    free(after);
    rg_optim_free(opt);
    rg_tape_reset(tape);
    rg_params_free(net.ps);
}

static void frozen_unused_and_shared_parameters(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    const int64_t index[] = {1, 0};
    const rg_embedding_layer table = rg_embedding_layer_new(ps, "table", 4, 3, NULL);
    rg_linear out = rg_linear_new(ps, "out", 3, 4);
    rg_linear_new(ps, "spare.0", 2, 2);
    rg_param_remove(out.weight);
    out.weight = table.weight; /* counted once, where its name stands */
    rg_params_set_trainable(ps, "table.*", false);
    const rg_tensor h = rg_embedding_layer_forward(tape, &table, rg_input_i64(tape, RG_SHAPE(2), index));
    rg_linear_forward(tape, &out, h);
    assert_line(ps, "table", "gather      [2, 3]          12      12     48        24");
    assert_line(ps, "out", "matmul add  [2, 4]           4             16        64");
    assert_line(ps, "spare.0", "6             24");
    assert_line(ps, "parameters:", "10 trainable, 12 frozen, 88 bytes");
    rg_params_free(ps);
}

/* The tape's scopes need not be the store's: then parameters stand where they are first used. */
static void parameters_are_found_where_they_are_used(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    const rg_linear layer = rg_linear_new(ps, "cell", 2, 2);
    rg_tensor h = rg_ones(tape, RG_F32, RG_SHAPE(7, 2));
    for (int step = 0; step < 3; step++) {
        rg_scope_push(tape, "rnn");
        h = rg_tanh(tape, rg_linear_forward(tape, &layer, h));
        rg_scope_pop(tape);
    }
    assert_line(ps, "rnn.cell", "matmul add  [7, 2]           6     24       336"); /* three times in one line */
    assert_line(ps, "rnn", "tanh        [7, 2]                          168");
    assert_line(ps, "cell", "");
    rg_params_free(ps);
}

static void nothing_fails_where_there_is_nothing(void **state)
{
    (void)state;
    assert_summary(tape, NULL, "layer  ops\nparameters: 0 trainable, 0 frozen, 0 bytes\nrecorded: 0 values, 0 bytes\n");
    rg_exp(tape, rg_input_f32(tape, RG_SHAPE(2), (const float[]){1, 2}));
    assert_summary(tape, NULL,
                   "layer  ops  recorded\n(top)  exp         8\n"
                   "parameters: 0 trainable, 0 frozen, 0 bytes\nrecorded: 1 values, 8 bytes\n");
    rg_summary_print(tape, NULL, NULL);
    assert_tape_ok(tape);
    rg_add(tape, RG_NIL, RG_NIL);
    char *text = summary_of(tape, NULL);
    assert_non_null(strstr(text, "\nerror: add"));
    free(text);
    text = summary_of(NULL, NULL);
    assert_non_null(strstr(text, "\nerror: "));
    free(text);
    rg_tape_clear_error(tape);
}

static void hostile_names_do_not_break_the_table(void **state)
{
    (void)state;
    char name[600];
    rg_params *ps = rg_params_new(1);
    rg_param_new(ps, "..", RG_F32, RG_SHAPE(1), NULL);
    rg_param_new(ps, "a\nb.w", RG_F32, RG_SHAPE(1), NULL);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 3] = '.';
    name[sizeof name - 1] = '\0';
    rg_param_new(ps, name, RG_F32, RG_SHAPE(1), NULL);
    rg_scope_push(tape, ".");
    rg_scope_push(tape, "a..b.");
    rg_exp(tape, rg_leaf(tape, rg_params_at(ps, 0)));
    rg_scope_pop(tape);
    rg_scope_pop(tape);
    char *text = summary_of(tape, ps);
    int lines = 0;
    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    assert_null(strstr(text, "a\nb"));
    assert_non_null(strstr(text, "a?b"));
    assert_non_null(strstr(text, "parameters: 3 trainable"));
    assert_true(lines >= 6);
    free(text);
    assert_tape_ok(tape);
    rg_tape_reset(tape);
    rg_params_free(ps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_model_is_a_line_a_scope_and_totals), TEST(gradients_and_optimizers_are_left_out),
        TEST(frozen_unused_and_shared_parameters),  TEST(parameters_are_found_where_they_are_used),
        TEST(nothing_fails_where_there_is_nothing), TEST(hostile_names_do_not_break_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
