/* Every op given what it cannot take: nil, stale and foreign handles, other dtypes, other shapes, axes out of range, no
 * tape. Each is one error that names the op, what was given and the scope; nothing crashes and nothing is recorded
 * after it. */
#include "tape_support.h"

#include "ops/op.h"

/* ---- the calls ---- */

/* Letters for the tensors that a call takes when it succeeds. */
static rg_tensor argument(rg_tape *t, char letter)
{
    static const float numbers[] = {.5f, 1.5f, .25f, 2, .75f, 1.25f, .5f, 1, 2, .5f, 1.5f, 3};
    static const int64_t zeros[6] = {0};
    static const bool bools[] = {true, false, true, true, false, false};
    switch (letter) {
    case 'f': return rg_input_f32(t, RG_SHAPE(2, 3), numbers);
    case 'm': return rg_input_f32(t, RG_SHAPE(3, 2), numbers);
    case 'v': return rg_input_f32(t, RG_SHAPE(3), numbers);
    case 'w': return rg_input_f32(t, RG_SHAPE(4, 3), numbers);
    case 'c': return rg_input_f32(t, RG_SHAPE(4), numbers);
    case 'i': return rg_input_i64(t, RG_SHAPE(2, 3), zeros);
    case 'n': return rg_input_i64(t, RG_SHAPE(4), zeros);
    case 'b': return rg_input_bool(t, RG_SHAPE(2, 3), bools);
    default: fail_msg("no argument '%c'", letter); return RG_NIL;
    }
}

static rg_tensor split_first(rg_tape *t, rg_tensor x, int axis)
{
    rg_tensor part[3] = {{0, 0}};
    const int count = rg_split(t, x, 1, axis, part, 3);
    const int64_t extent = rg_dim(t, x, axis);
    assert_int_equal(count, rg_failed(t) ? 0 : extent > 1 ? extent : 1);
    return count ? part[0] : RG_NIL;
}

static const int64_t some_before[] = {1, 0, 0, 0, 0, 0, 0, 0}, some_after[] = {0, 1, 0, 0, 0, 0, 0, 0};

/* The op's name; the names of ops that it is made of and that may speak for it; its tensors, and what dtypes each takes
 * (Float, Number, Integer, Bool, Any); the call. */
// clang-format off
#define UNARY(C)                                                                                                      \
    C(neg, "", "f", "N", rg_neg(t, x[0]))                                                                             \
    C(abs, "", "f", "N", rg_abs(t, x[0]))                                                                             \
    C(sign, "", "f", "N", rg_sign(t, x[0]))                                                                           \
    C(square, "", "f", "N", rg_square(t, x[0]))                                                                       \
    C(clamp, "", "f", "N", rg_clamp(t, x[0], -1, 1))                                                                  \
    C(sqrt, "", "f", "F", rg_sqrt(t, x[0]))                                                                           \
    C(rsqrt, "", "f", "F", rg_rsqrt(t, x[0]))                                                                         \
    C(reciprocal, "", "f", "F", rg_reciprocal(t, x[0]))                                                               \
    C(exp, "", "f", "F", rg_exp(t, x[0]))                                                                             \
    C(expm1, "", "f", "F", rg_expm1(t, x[0]))                                                                         \
    C(log, "", "f", "F", rg_log(t, x[0]))                                                                             \
    C(log1p, "", "f", "F", rg_log1p(t, x[0]))                                                                         \
    C(sin, "", "f", "F", rg_sin(t, x[0]))                                                                             \
    C(cos, "", "f", "F", rg_cos(t, x[0]))                                                                             \
    C(tan, "", "f", "F", rg_tan(t, x[0]))                                                                             \
    C(tanh, "", "f", "F", rg_tanh(t, x[0]))                                                                           \
    C(erf, "", "f", "F", rg_erf(t, x[0]))                                                                             \
    C(sigmoid, "", "f", "F", rg_sigmoid(t, x[0]))                                                                     \
    C(relu, "", "f", "F", rg_relu(t, x[0]))                                                                           \
    C(leaky_relu, "", "f", "F", rg_leaky_relu(t, x[0], .1))                                                           \
    C(softplus, "", "f", "F", rg_softplus(t, x[0]))                                                                   \
    C(gelu, "", "f", "F", rg_gelu(t, x[0]))                                                                           \
    C(silu, "", "f", "F", rg_silu(t, x[0]))                                                                           \
    C(floor, "", "f", "F", rg_floor(t, x[0]))                                                                         \
    C(ceil, "", "f", "F", rg_ceil(t, x[0]))                                                                           \
    C(round, "", "f", "F", rg_round(t, x[0]))                                                                         \
    C(logical_not, "", "b", "B", rg_logical_not(t, x[0]))                                                             \
    C(cast, "", "f", "A", rg_cast(t, x[0], RG_I32))                                                                   \
    C(add_scalar, "add", "f", "N", rg_add_scalar(t, x[0], 2))                                                                   \
    C(mul_scalar, "mul", "f", "N", rg_mul_scalar(t, x[0], 2))                                                                   \
    C(pow_scalar, "pow", "f", "F", rg_pow_scalar(t, x[0], 2))                                                                   \
    C(zeros_like, "", "f", "A", rg_zeros_like(t, x[0]))                                                                     \
    C(ones_like, "", "f", "A", rg_ones_like(t, x[0]))                                                                      \
    C(full_like, "constant", "f", "A", rg_full_like(t, x[0], 1))                                                           \
    C(rand_like, "", "f", "F", rg_rand_like(t, x[0]))                                                                      \
    C(randn_like, "", "f", "F", rg_randn_like(t, x[0]))                                                                    \
    C(one_hot, "", "i", "I", rg_one_hot(t, x[0], 3, RG_F32))                                                          \
    C(keep, "", "f", "A", rg_keep(t, x[0]))                                                                           \
    C(detach, "", "f", "A", rg_detach(t, x[0]))

#define BINARY(C)                                                                                                     \
    C(add, "", "ff", "NN", rg_add(t, x[0], x[1]))                                                                     \
    C(sub, "", "ff", "NN", rg_sub(t, x[0], x[1]))                                                                     \
    C(mul, "", "ff", "NN", rg_mul(t, x[0], x[1]))                                                                     \
    C(div, "", "ff", "FF", rg_div(t, x[0], x[1]))                                                                     \
    C(pow, "", "ff", "FF", rg_pow(t, x[0], x[1]))                                                                     \
    C(maximum, "", "ff", "NN", rg_maximum(t, x[0], x[1]))                                                             \
    C(minimum, "", "ff", "NN", rg_minimum(t, x[0], x[1]))                                                             \
    C(eq, "", "ff", "AA", rg_eq(t, x[0], x[1]))                                                                       \
    C(ne, "", "ff", "AA", rg_ne(t, x[0], x[1]))                                                                       \
    C(lt, "", "ff", "NN", rg_lt(t, x[0], x[1]))                                                                       \
    C(le, "", "ff", "NN", rg_le(t, x[0], x[1]))                                                                       \
    C(gt, "", "ff", "NN", rg_gt(t, x[0], x[1]))                                                                       \
    C(ge, "", "ff", "NN", rg_ge(t, x[0], x[1]))                                                                       \
    C(logical_and, "", "bb", "BB", rg_logical_and(t, x[0], x[1]))                                                     \
    C(logical_or, "", "bb", "BB", rg_logical_or(t, x[0], x[1]))                                                       \
    C(logical_xor, "", "bb", "BB", rg_logical_xor(t, x[0], x[1]))                                                     \
    C(where, "", "bff", "BAA", rg_where(t, x[0], x[1], x[2]))                                                         \
    C(matmul, "", "fm", "FF", rg_matmul(t, x[0], x[1]))                                                               \
    C(outer, "mul", "vc", "FF", rg_outer(t, x[0], x[1]))                                                              \
    C(dot, "matmul", "vv", "FF", rg_dot(t, x[0], x[1]))                                                               \
    C(affine, "matmul", "fw", "FF", rg_affine(t, x[0], x[1], RG_NIL))                                                 \
    C(affine, "matmul add", "fwc", "FFF", rg_affine(t, x[0], x[1], x[2]))                                             \
    C(gather, "", "fi", "AI", rg_gather(t, x[0], -1, x[1]))                                                           \
    C(index_select, "", "fn", "AI", rg_index_select(t, x[0], 0, x[1]))                                                \
    C(take, "gather", "fi", "AI", rg_take(t, x[0], x[1]))                                                             \
    C(scatter_add, "", "fif", "NIN", rg_scatter_add(t, x[0], 0, x[1], x[2]))                                          \
    C(cat, "", "ff", "AA", rg_cat(t, x, 2, 0))                                                                        \
    C(stack, "", "ff", "AA", rg_stack(t, x, 2, -1))

/* Those with axes come with the axis as `a`. */
#define WITH_AXIS(C)                                                                                                  \
    C(sum, "", "f", "N", rg_sum(t, x[0], RG_AXES(a), false))                                                          \
    C(mean, "", "f", "F", rg_mean(t, x[0], RG_AXES(a), true))                                                         \
    C(prod, "", "f", "N", rg_prod(t, x[0], RG_AXES(a), false))                                                        \
    C(max, "", "f", "N", rg_max(t, x[0], RG_AXES(a), false))                                                          \
    C(min, "", "f", "N", rg_min(t, x[0], RG_AXES(a), true))                                                           \
    C(var, "", "f", "F", rg_var(t, x[0], RG_AXES(a), 1, false))                                                       \
    C(std, "", "f", "F", rg_std(t, x[0], RG_AXES(a), 0, true))                                                        \
    C(logsumexp, "max", "f", "F", rg_logsumexp(t, x[0], RG_AXES(a), false))                                           \
    C(any, "", "b", "B", rg_any(t, x[0], RG_AXES(a), false))                                                          \
    C(all, "", "b", "B", rg_all(t, x[0], RG_AXES(a), true))                                                           \
    C(argmax, "", "f", "N", rg_argmax(t, x[0], a, false))                                                             \
    C(argmin, "", "f", "N", rg_argmin(t, x[0], a, true))                                                              \
    C(softmax, "", "f", "F", rg_softmax(t, x[0], a))                                                                  \
    C(log_softmax, "", "f", "F", rg_log_softmax(t, x[0], a))                                                          \
    C(transpose, "", "f", "A", rg_transpose(t, x[0], a, 0))                                                           \
    C(transpose, "", "f", "A", rg_transpose(t, x[0], 0, a))                                                           \
    C(squeeze, "", "f", "A", rg_squeeze(t, x[0], RG_AXES(a)))                                                         \
    C(unsqueeze, "", "f", "A", rg_unsqueeze(t, x[0], a))                                                              \
    C(slice, "", "f", "A", rg_slice(t, x[0], a, 0, 1, 1))                                                             \
    C(select, "", "f", "A", rg_select(t, x[0], a, 0))                                                                 \
    C(flip, "", "f", "A", rg_flip(t, x[0], RG_AXES(a)))                                                               \
    C(split, "", "f", "A", split_first(t, x[0], a))                                                                   \
    C(cat, "", "ff", "AA", rg_cat(t, x, 2, a))                                                                        \
    C(stack, "", "ff", "AA", rg_stack(t, x, 2, a))                                                                    \
    C(gather, "", "fi", "AI", rg_gather(t, x[0], a, x[1]))                                                            \
    C(index_select, "", "fn", "AI", rg_index_select(t, x[0], a, x[1]))                                                \
    C(scatter_add, "", "fif", "NIN", rg_scatter_add(t, x[0], a, x[1], x[2]))

#define SHAPED(C)                                                                                                     \
    C(reshape, "", "f", "A", rg_reshape(t, x[0], RG_SHAPE(3, -1)))                                                    \
    C(view, "", "f", "A", rg_view(t, x[0], RG_SHAPE(6)))                                                              \
    C(permute, "", "f", "A", rg_permute(t, x[0], RG_AXES(1, 0)))                                                      \
    C(expand, "", "f", "A", rg_expand(t, x[0], RG_SHAPE(4, 2, 3)))                                                    \
    C(contiguous, "", "f", "A", rg_contiguous(t, x[0]))                                                               \
    C(pad, "", "f", "A", rg_pad(t, x[0], some_before, some_after, 0))

#define CREATION(C)                                                                                                   \
    C(zeros, "", "", "", rg_zeros(t, RG_F32, RG_SHAPE(2)))                                                             \
    C(ones, "", "", "", rg_ones(t, RG_F32, RG_SHAPE(2)))                                                              \
    C(full, "", "", "", rg_full(t, RG_F32, RG_SHAPE(2), 3))                                                           \
    C(arange, "", "", "", rg_arange(t, RG_F32, 0, 3, 1))                                                              \
    C(linspace, "", "", "", rg_linspace(t, RG_F32, 0, 3, 4))                                                          \
    C(eye, "", "", "", rg_eye(t, RG_F32, 3, 3))                                                                       \
    C(rand, "", "", "", rg_rand(t, RG_F32, RG_SHAPE(2)))                                                              \
    C(randn, "", "", "", rg_randn(t, RG_F32, RG_SHAPE(2)))                                                            \
    C(bernoulli, "", "", "", rg_bernoulli(t, RG_SHAPE(2), .5))                                                        \
    C(randint, "", "", "", rg_randint(t, RG_SHAPE(2), 0, 3))                                                          \
    C(randperm, "", "", "", rg_randperm(t, 4))                                                                        \
    C(scalar, "", "", "", rg_scalar(t, RG_F32, 1))                                                                    \
    C(constant, "", "", "", rg_constant(t, RG_F32, 1))                                                                \
    C(input, "", "", "", rg_input_f32(t, RG_SHAPE(1), &(const float){1}))                                             \
    C(input, "", "", "", rg_borrow(t, RG_BOOL, RG_SHAPE(1), NULL, "\1"))

#define ALL(C) UNARY(C) BINARY(C) WITH_AXIS(C) SHAPED(C) CREATION(C)
// clang-format on

typedef struct call {
    const char *name, *also, *letters, *takes, *text;
} call;

#define ROW(name, also, letters, takes, expression) {#name, also, letters, takes, #expression},
static const call calls[] = {ALL(ROW)};
#define PLUS_ONE(...) +1
enum {
    CALLS = COUNT(calls),
    AXIS_FIRST = 0 UNARY(PLUS_ONE) BINARY(PLUS_ONE),
    AXIS_END = AXIS_FIRST WITH_AXIS(PLUS_ONE),
    TENSORS_MOST = 3,
};

static rg_tensor perform(int number, rg_tape *t, const rg_tensor *x, int a)
{
    int i = 0;
    (void)a;
#define PERFORM(name, also, letters, takes, expression) \
    if (i++ == number)                                  \
        return (expression);
    ALL(PERFORM)
    fail_msg("there is no call %d", number);
    return RG_NIL;
}

static int tensors_of(const call *c)
{
    return (int)strlen(c->letters);
}

static void arguments(const call *c, rg_tape *t, rg_tensor x[TENSORS_MOST])
{
    for (int i = 0; i < tensors_of(c); i++)
        x[i] = argument(t, c->letters[i]);
    assert_tape_ok(t);
}

/* ---- judging ---- */

/* "name: ..." of the op itself or of one that it is made of. */
static bool speaks(const call *c, const char *message)
{
    char names[100], *rest = names;
    snprintf(names, sizeof names, "%s %s", c->name, c->also);
    for (char *name; (name = strtok_r(rest, " ", &rest));) {
        const size_t n = strlen(name);
        if (strncmp(message, name, n) == 0 && message[n] == ':')
            return true;
    }
    return false;
}

/* The call gave nil and one error of this status, which names the op, the scope and every one of the words. */
static void assert_refused(const call *c, rg_tensor result, rg_status status, const char *const *words)
{
    const char *message = rg_tape_error(tape);
    if (!rg_is_nil(result) || rg_tape_status(tape) != status || !speaks(c, message) || !strstr(message, "(in here)"))
        fail_msg("%s: %s, status %d (not %d), '%s'", c->text, rg_is_nil(result) ? "nil" : "a result",
                 (int)rg_tape_status(tape), (int)status, message);
    for (; *words; words++)
        if (!strstr(message, *words))
            fail_msg("%s: '%s' does not say '%s'", c->text, message, *words);
    rg_tape_clear_error(tape);
}

/* The call succeeded and its result can be computed. */
static void assert_taken(const call *c, rg_tensor result)
{
    rg_keep(tape, result);
    if (rg_is_nil(result) || !rg_tape_run(tape))
        fail_msg("%s: '%s'", c->text, rg_tape_error(tape));
}

static int setup_here(void **state)
{
    const int result = setup_both(state);
    rg_scope_push(tape, "here");
    return result;
}
#define HERE_TEST(name) cmocka_unit_test_setup_teardown(name, setup_here, teardown_both)

static void every_call_succeeds_with_what_it_takes(void **state)
{
    (void)state;
    for (int i = 0; i < CALLS; i++) {
        rg_tensor x[TENSORS_MOST];
        arguments(&calls[i], tape, x);
        assert_taken(&calls[i], perform(i, tape, x, 1));
    }
}

/* ---- handles ---- */

static void assert_handle_refused(rg_tensor bad, const char *why)
{
    for (int i = 0; i < CALLS; i++)
        for (int at = 0; at < tensors_of(&calls[i]); at++) {
            rg_tensor x[TENSORS_MOST];
            arguments(&calls[i], tape, x);
            if (rg_is_nil(bad) && strcmp(calls[i].letters, "fwc") == 0 && at == 2)
                continue; /* rg_affine: no bias */
            x[at] = bad;
            assert_refused(&calls[i], perform(i, tape, x, 1), RG_ERROR_HANDLE, WORDS(why));
        }
}

static void nil_is_refused_by_every_op_at_every_place(void **state)
{
    (void)state;
    assert_handle_refused(RG_NIL, "nil");
}

static void stale_handles_are_refused_by_every_op_at_every_place(void **state)
{
    (void)state;
    const rg_mark mark = rg_tape_mark(tape);
    const rg_tensor stale = argument(tape, 'f');
    rg_tape_rollback(tape, mark);
    assert_handle_refused(stale, "rollback");
    rg_tape_reset(tape);
    rg_scope_push(tape, "here");
    assert_handle_refused(stale, "reset");
}

static void handles_of_another_tape_are_refused_by_every_op_at_every_place(void **state)
{
    (void)state;
    rg_tape *other = rg_tape_new(NULL);
    const rg_tensor foreign = argument(other, 'f');
    assert_handle_refused(foreign, "another tape");
    rg_tape_free(other);
    assert_handle_refused(foreign, "another tape");
}

static void made_up_handles_are_refused(void **state)
{
    (void)state;
    const rg_tensor x = argument(tape, 'f');
    const rg_tensor made_up[] = {
        {x.generation, UINT64_MAX}, {x.generation, x.id + 1}, {x.generation, UINT64_C(1) << 32 | x.id},
        {x.generation + 1, x.id},   {UINT64_MAX, UINT64_MAX}, {1, x.id},
    };
    for (size_t i = 0; i < COUNT(made_up); i++) {
        assert_true(rg_is_nil(rg_neg(tape, made_up[i])));
        assert_error(tape, RG_ERROR_HANDLE, WORDS("neg", "here"));
    }
}

static void no_tape_gives_nil(void **state)
{
    (void)state;
    rg_tensor x[TENSORS_MOST];
    for (int i = 0; i < CALLS; i++) {
        arguments(&calls[i], tape, x);
        assert_true(rg_is_nil(perform(i, NULL, x, 1)));
    }
    assert_tape_ok(tape);
}

static void a_failed_tape_records_nothing_and_keeps_its_error(void **state)
{
    (void)state;
    for (int i = 0; i < CALLS; i++) {
        rg_tensor x[TENSORS_MOST];
        arguments(&calls[i], tape, x);
        rg_tape_fail(tape, RG_ERROR_VALUE, "the first");
        const int64_t length = rg_tape_length(tape);
        assert_true(rg_is_nil(perform(i, tape, x, 1)));
        assert_true(rg_is_nil(perform(i, tape, (const rg_tensor[TENSORS_MOST]){{0, 0}}, 99)));
        assert_int_equal(rg_tape_length(tape), length);
        assert_string_equal(rg_tape_error(tape), "the first (in here)");
        assert_error(tape, RG_ERROR_VALUE, WORDS("the first"));
    }
}

/* ---- dtypes ---- */

static bool takes(char class, rg_dtype dtype)
{
    switch (class) {
    case 'F': return dtype <= RG_F64;
    case 'N': return dtype != RG_BOOL;
    case 'I': return dtype == RG_I32 || dtype == RG_I64;
    case 'B': return dtype == RG_BOOL;
    default: return true;
    }
}

/* Arguments that must agree in dtype. */
static bool is_grouped(char class)
{
    return class == 'F' || class == 'N' || class == 'A';
}

static void every_op_takes_the_dtypes_that_it_says_and_no_other(void **state)
{
    (void)state;
    for (int i = 0; i < CALLS; i++)
        for (int d = 0; d < RG_DTYPES; d++) {
            const call *c = &calls[i];
            rg_tensor x[TENSORS_MOST];
            bool taken = true;
            arguments(c, tape, x);
            for (int k = 0; k < tensors_of(c); k++)
                if (is_grouped(c->takes[k]) || tensors_of(c) == 1 || c->takes[0] == 'B') {
                    if (c->takes[k] == 'A' && c->takes[0] == 'B')
                        continue; /* of rg_where, the condition alone */
                    x[k] = rg_cast(tape, x[k], (rg_dtype)d);
                    taken = taken && takes(c->takes[k], (rg_dtype)d);
                }
            const rg_tensor result = perform(i, tape, x, 1);
            if (taken)
                assert_taken(c, result);
            else
                assert_refused(c, result, RG_ERROR_DTYPE, WORDS(rg_dtype_name((rg_dtype)d)));
        }
}

static void dtypes_must_agree(void **state)
{
    (void)state;
    for (int i = 0; i < CALLS; i++)
        for (int at = 0; at < tensors_of(&calls[i]); at++)
            for (int d = 0; d < RG_DTYPES; d++) {
                const call *c = &calls[i];
                rg_tensor x[TENSORS_MOST];
                int grouped = 0;
                arguments(c, tape, x);
                for (int k = 0; k < tensors_of(c); k++)
                    grouped += is_grouped(c->takes[k]);
                const rg_dtype before = rg_dtype_of(tape, x[at]);
                if (before == (rg_dtype)d)
                    continue;
                x[at] = rg_cast(tape, x[at], (rg_dtype)d);
                const rg_tensor result = perform(i, tape, x, 1);
                if (is_grouped(c->takes[at]) ? grouped == 1 && takes(c->takes[at], (rg_dtype)d)
                                             : takes(c->takes[at], (rg_dtype)d))
                    assert_taken(c, result);
                else
                    assert_refused(c, result, RG_ERROR_DTYPE, WORDS(rg_dtype_name((rg_dtype)d)));
            }
}

/* ---- shapes ---- */

/* Every argument in turn with shapes that few ops take. What is refused is refused by shape, and the message shows it;
 * what is taken can be computed, or fails for a value. */
static void other_shapes_are_computed_or_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        rg_shape shape;
        const char *text;
    } odd[] = {
        {{0, {0}}, "[]"},
        {{1, {5}}, "[5]"},
        {{2, {7, 7}}, "[7, 7]"},
        {{1, {0}}, "[0]"},
        {{2, {0, 3}}, "[0, 3]"},
        {{2, {2, 0}}, "[2, 0]"},
        {{3, {4, 1, 9}}, "[4, 1, 9]"},
        {{8, {1, 1, 1, 1, 1, 1, 1, 5}}, "[1, 1, 1, 1, 1, 1, 1, 5]"},
    };
    int refused = 0;
    for (int i = 0; i < CALLS; i++)
        for (int at = 0; at < tensors_of(&calls[i]); at++)
            for (size_t k = 0; k < COUNT(odd); k++) {
                const call *c = &calls[i];
                rg_tensor x[TENSORS_MOST];
                arguments(c, tape, x);
                x[at] = rg_zeros(tape, rg_dtype_of(tape, x[at]), odd[k].shape);
                const rg_tensor result = perform(i, tape, x, 0);
                if (!rg_is_nil(result)) {
                    rg_keep(tape, result);
                    if (!rg_tape_run(tape))
                        assert_error(tape, RG_ERROR_VALUE, WORDS("here", "index"));
                    continue;
                }
                const rg_status status = rg_tape_status(tape);
                assert_refused(c, result, status == RG_ERROR_ARGUMENT ? status : RG_ERROR_SHAPE, WORDS(odd[k].text));
                refused++;
            }
    assert_true(refused > 200);
}

static void shapes_that_do_not_fit_are_both_named(void **state)
{
    (void)state;
    const rg_tensor m23 = rg_zeros(tape, RG_F32, RG_SHAPE(2, 3)), m45 = rg_zeros(tape, RG_F32, RG_SHAPE(4, 5));
    const rg_tensor v5 = rg_zeros(tape, RG_F32, RG_SHAPE(5)), index = rg_zeros(tape, RG_I64, RG_SHAPE(3, 3));
    const rg_tensor rows = rg_zeros(tape, RG_I64, RG_SHAPE(2)), t23 = rg_transpose(tape, argument(tape, 'f'), 0, 1);
    const rg_tensor condition = rg_zeros(tape, RG_BOOL, RG_SHAPE(7, 1, 2));
#define REFUSED(expression, status, ...)                             \
    do {                                                             \
        assert_true(rg_is_nil(expression));                          \
        assert_error(tape, status, WORDS(__VA_ARGS__, "(in here)")); \
    } while (0)
    REFUSED(rg_add(tape, m23, m45), RG_ERROR_SHAPE, "add: ", "[2, 3]", "[4, 5]");
    REFUSED(rg_lt(tape, m23, v5), RG_ERROR_SHAPE, "lt: ", "[2, 3]", "[5]");
    REFUSED(rg_where(tape, condition, m23, m23), RG_ERROR_SHAPE, "where: ", "[7, 1, 2]", "[2, 3]");
    REFUSED(rg_matmul(tape, m23, m45), RG_ERROR_SHAPE, "matmul: ", "[2, 3]", "[4, 5]", "[..., k, n]");
    REFUSED(rg_matmul(tape, v5, m23), RG_ERROR_SHAPE, "matmul: ", "[5]", "[2, 3]");
    REFUSED(rg_matmul(tape, rg_zeros(tape, RG_F32, RG_SHAPE(2, 4, 5)), rg_zeros(tape, RG_F32, RG_SHAPE(3, 5, 6))),
            RG_ERROR_SHAPE, "matmul: ", "[2, 4, 5]", "[3, 5, 6]");
    REFUSED(rg_matmul(tape, rg_scalar(tape, RG_F32, 1), m23), RG_ERROR_SHAPE, "matmul: ", "[]", "[2, 3]");
    REFUSED(rg_outer(tape, m23, v5), RG_ERROR_SHAPE, "outer: ", "[2, 3]", "[5]", "vectors");
    REFUSED(rg_dot(tape, v5, m23), RG_ERROR_SHAPE, "dot: ", "[5]", "[2, 3]", "vectors");
    REFUSED(rg_affine(tape, m23, m45, RG_NIL), RG_ERROR_SHAPE, "affine: ", "[2, 3]", "[4, 5]", "[out, in]");
    REFUSED(rg_affine(tape, rg_zeros(tape, RG_F32, RG_SHAPE(9, 5)), m45, v5), RG_ERROR_SHAPE, "affine: ", "[5]",
            "[4, 5]", "bias");
    REFUSED(rg_cat(tape, (const rg_tensor[]){m23, m45}, 2, 0), RG_ERROR_SHAPE, "cat: ", "[2, 3]", "[4, 5]", "axis 0");
    REFUSED(rg_stack(tape, (const rg_tensor[]){m23, v5}, 2, 0), RG_ERROR_SHAPE, "stack: ", "[2, 3]", "[5]");
    REFUSED(rg_gather(tape, m23, 1, index), RG_ERROR_SHAPE, "gather: ", "[3, 3]", "[2, 3]", "axis 1");
    REFUSED(rg_gather(tape, m23, 0, rows), RG_ERROR_SHAPE, "gather: ", "[2]", "[2, 3]");
    REFUSED(rg_index_select(tape, m23, 0, index), RG_ERROR_SHAPE, "index_select: ", "[3, 3]", "vector");
    REFUSED(rg_scatter_add(tape, m23, 0, index, m23), RG_ERROR_SHAPE, "scatter_add: ", "[2, 3]", "[3, 3]");
    REFUSED(rg_reshape(tape, m23, RG_SHAPE(4, 2)), RG_ERROR_SHAPE, "reshape: ", "[2, 3]", "[4, 2]");
    REFUSED(rg_reshape(tape, m23, RG_SHAPE(4, -1)), RG_ERROR_SHAPE, "reshape: ", "[2, 3]", "[4, -1]");
    REFUSED(rg_reshape(tape, m23, RG_SHAPE(-1, -1)), RG_ERROR_SHAPE, "reshape: ", "[2, 3]", "[-1, -1]");
    REFUSED(rg_view(tape, t23, RG_SHAPE(6)), RG_ERROR_SHAPE, "view: ", "[3, 2]", "[6]", "copy");
    REFUSED(rg_expand(tape, m23, RG_SHAPE(2, 4)), RG_ERROR_SHAPE, "expand: ", "[2, 3]", "[2, 4]");
    REFUSED(rg_expand(tape, m23, RG_SHAPE(3)), RG_ERROR_SHAPE, "expand: ", "[2, 3]", "[3]");
    REFUSED(rg_permute(tape, m23, RG_AXES(0)), RG_ERROR_SHAPE, "permute: ", "[2, 3]");
    REFUSED(rg_permute(tape, m23, RG_AXES(0, 0)), RG_ERROR_SHAPE, "permute: ", "[2, 3]", "twice");
    REFUSED(rg_max(tape, rg_zeros(tape, RG_F32, RG_SHAPE(2, 0)), RG_AXES(1), false), RG_ERROR_SHAPE, "max: ", "[2, 0]");
    REFUSED(rg_argmin(tape, rg_zeros(tape, RG_I64, RG_SHAPE(0)), 0, false), RG_ERROR_SHAPE, "argmin: ", "[0]");
}

/* ---- axes ---- */

static void every_axis_in_range_is_taken_and_no_other(void **state)
{
    (void)state;
    static const int in_range[] = {-2, -1, 0, 1}, out_of_range[] = {3, -4, 8, 31, 64, -1000, INT32_MAX, INT32_MIN};
    for (int i = AXIS_FIRST; i < AXIS_END; i++) {
        rg_tensor x[TENSORS_MOST];
        arguments(&calls[i], tape, x);
        for (size_t k = 0; k < COUNT(in_range); k++)
            assert_taken(&calls[i], perform(i, tape, x, in_range[k]));
        for (size_t k = 0; k < COUNT(out_of_range); k++) {
            char text[32];
            snprintf(text, sizeof text, "axis %d ", out_of_range[k]);
            assert_refused(&calls[i], perform(i, tape, x, out_of_range[k]), RG_ERROR_SHAPE, WORDS(text, "[2, 3]"));
        }
    }
}

static void sets_of_axes_are_checked(void **state)
{
    (void)state;
    typedef rg_tensor (*reduction)(rg_tape *, rg_tensor, rg_axes, bool);
    static const struct {
        const char *name;
        reduction call;
    } of[] = {{"sum", rg_sum}, {"mean", rg_mean}, {"prod", rg_prod},
              {"max", rg_max}, {"min", rg_min},   {"logsumexp", rg_logsumexp}};
    const rg_tensor x = argument(tape, 'f');
    for (size_t i = 0; i < COUNT(of); i++) {
        REFUSED(of[i].call(tape, x, RG_AXES(0, 0), false), RG_ERROR_SHAPE, of[i].name, "axis 0", "[2, 3]", "twice");
        REFUSED(of[i].call(tape, x, RG_AXES(1, -1), true), RG_ERROR_SHAPE, of[i].name, "axis -1", "[2, 3]", "twice");
        REFUSED(of[i].call(tape, x, RG_AXES(0, 2), true), RG_ERROR_SHAPE, of[i].name, "axis 2", "[2, 3]");
        REFUSED(of[i].call(tape, x, (rg_axes){9, {0}}, true), RG_ERROR_ARGUMENT, of[i].name, "9 axes");
        REFUSED(of[i].call(tape, x, (rg_axes){-1, {0}}, true), RG_ERROR_ARGUMENT, of[i].name, "-1 axes");
    }
    REFUSED(rg_flip(tape, x, RG_AXES(0, -2)), RG_ERROR_SHAPE, "flip: ", "axis -2", "twice");
    REFUSED(rg_squeeze(tape, x, (rg_axes){INT32_MAX, {0}}), RG_ERROR_ARGUMENT, "squeeze: ", "2147483647 axes");
    REFUSED(rg_permute(tape, x, (rg_axes){9, {0}}), RG_ERROR_SHAPE, "permute: ", "9 axes", "[2, 3]");
    REFUSED(rg_permute(tape, x, (rg_axes){-2, {0}}), RG_ERROR_SHAPE, "permute: ", "-2 axes", "[2, 3]");
    /* A scalar may be reduced along axis 0 or -1, as in PyTorch, and along no other. */
    const rg_tensor scalar = rg_scalar(tape, RG_F32, 3);
    assert_number(rg_item(tape, rg_sum(tape, scalar, RG_AXES(-1), false)), 3);
    REFUSED(rg_sum(tape, scalar, RG_AXES(1), false), RG_ERROR_SHAPE, "sum: ", "axis 1", "[]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HERE_TEST(every_call_succeeds_with_what_it_takes),
        HERE_TEST(nil_is_refused_by_every_op_at_every_place),
        HERE_TEST(stale_handles_are_refused_by_every_op_at_every_place),
        HERE_TEST(handles_of_another_tape_are_refused_by_every_op_at_every_place),
        HERE_TEST(made_up_handles_are_refused),
        HERE_TEST(no_tape_gives_nil),
        HERE_TEST(a_failed_tape_records_nothing_and_keeps_its_error),
        HERE_TEST(every_op_takes_the_dtypes_that_it_says_and_no_other),
        HERE_TEST(dtypes_must_agree),
        HERE_TEST(other_shapes_are_computed_or_refused_by_name),
        HERE_TEST(shapes_that_do_not_fit_are_both_named),
        HERE_TEST(every_axis_in_range_is_taken_and_no_other),
        HERE_TEST(sets_of_axes_are_checked),
    };
    return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
