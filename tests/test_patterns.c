/* Entries of the store by pattern: matching, finding, freezing, counting, copying. */
#include "nn_support.h"

static void patterns_match_whole_names(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } CASES[] = {
        {"*", "encoder.0.weight", true},
        {"*", "", true},
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"?", "", false},
        {"encoder.*", "encoder.0.attn.weight", true}, /* dots are crossed */
        {"encoder.*", "encoder", false},
        {"encoder.*", "decoder.encoder.0", false},
        {"*.bias", "l1.bias", true},
        {"*.bias", "bias", false},
        {"*.bias", "l1.bias2", false},
        {"l?.weight", "l1.weight", true},
        {"l?.weight", "l12.weight", false},
        {"*a*b*c", "xaaybbzc", true},
        {"*a*b*c", "xaaybbz", false},
        {"*aab", "aaaab", true},
        {"a**b", "ab", true},
        {"a*?b", "ab", false},
        {"***", "a", true},
        {"*", "l1.weight/adam.m", false}, /* state has a slash, which must be asked for */
        {"*/*", "l1.weight/adam.m", true},
        {"l1.*/adam.?", "l1.weight/adam.m", true},
        {"l1?weight?adam.m", "l1.weight/adam.m", false},
        {"*adam.m", "l1.weight/adam.m", false},
        {"*/*", "l1.weight", false},
        {"[ab]*", "a", false}, /* all else stands for itself */
        {"[ab]*", "[ab]", true},
    };
    for (size_t i = 0; i < COUNT(CASES); i++)
        if (rg_name_matches(CASES[i].name, CASES[i].pattern) != CASES[i].matches)
            fail_msg("'%s' and '%s'", CASES[i].pattern, CASES[i].name);
    assert_false(rg_name_matches(NULL, "*"));
    assert_false(rg_name_matches("a", NULL));
    /* as many stars as you like take no more than the product of the lengths */
    char name[2001], pattern[201];
    memset(name, 'a', 2000);
    for (int i = 0; i < 200; i += 2)
        memcpy(pattern + i, "*a", 2);
    name[2000] = '\0';
    pattern[199] = 'b';
    pattern[200] = '\0';
    assert_false(rg_name_matches(name, pattern));
}

/* Two linear layers, a batch norm, and Adam's state of one parameter. */
static rg_params *model(uint64_t seed)
{
    rg_params *ps = rg_params_new(seed);
    rg_linear_new(ps, "features.0", 3, 4);
    rg_batch_norm_layer_new(ps, "features.1", 4, NULL);
    rg_linear_new(ps, "head", 4, 2);
    rg_param_state(rg_params_find(ps, "head.bias"), "adam.m", RG_F32, RG_SHAPE(2), 0);
    assert_string_equal(rg_params_error(ps), "");
    return ps;
}

static void entries_are_found_by_pattern_in_order(void **state)
{
    (void)state;
    rg_params *ps = model(1);
    rg_param *found[3] = {NULL, NULL, NULL};
    assert_int_equal(rg_params_find_all(ps, "*.weight", found, 3), 3);
    assert_string_equal(rg_param_name(found[0]), "features.0.weight");
    assert_string_equal(rg_param_name(found[1]), "features.1.weight");
    assert_string_equal(rg_param_name(found[2]), "head.weight");
    found[1] = NULL;
    assert_int_equal(rg_params_find_all(ps, "*", found, 1), 9);
    assert_null(found[1]); /* nothing beyond the capacity */
    assert_int_equal(rg_params_find_all(ps, "*/*", NULL, 0), 1);
    assert_int_equal(rg_params_find_all(ps, "nothing", found, 3), 0);
    assert_int_equal(rg_params_find_all(NULL, "*", found, 3), 0);
    assert_int_equal(rg_params_find_all(ps, NULL, found, 3), 0);
    assert_int_equal(rg_params_find_all(ps, "*", found, -1), 9);
    rg_params_free(ps);
}

static void what_is_frozen_gets_no_gradient_and_no_step(void **state)
{
    (void)state;
    rg_params *ps = model(1);
    assert_int_equal(rg_params_set_trainable(ps, "features.*", false), 4); /* not the buffers */
    assert_false(rg_param_trainable(rg_params_find(ps, "features.0.bias")));
    assert_true(rg_param_trainable(rg_params_find(ps, "head.bias")));
    assert_int_equal(rg_params_numel(ps), 10);
    const rg_tensor x = rg_ones(tape, RG_F32, RG_SHAPE(1, 3));
    const rg_tensor h = rg_affine(tape, x, rg_leaf(tape, rg_params_find(ps, "features.0.weight")), RG_NIL);
    const rg_tensor y = rg_affine(tape, h, rg_leaf(tape, rg_params_find(ps, "head.weight")), RG_NIL);
    rg_backward(tape, rg_sum(tape, y, RG_ALL, false));
    assert_true(rg_is_nil(rg_param_grad(tape, rg_params_find(ps, "features.0.weight"))));
    assert_false(rg_is_nil(rg_param_grad(tape, rg_params_find(ps, "head.weight"))));
    assert_tape_ok(tape);
    rg_tape_reset(tape);
    assert_int_equal(rg_params_set_trainable(ps, "*", true), 6);
    assert_int_equal(rg_params_numel(ps), 34);
    assert_string_equal(rg_params_error(ps), "");

    assert_int_equal(rg_params_set_trainable(ps, "featuers.*", false), 0);
    assert_store_error(ps, RG_ERROR_ARGUMENT, "'featuers.*'");
    assert_int_equal(rg_params_set_trainable(ps, "*.running_mean", false), 0);
    assert_store_error(ps, RG_ERROR_ARGUMENT, "no parameter");
    assert_int_equal(rg_params_set_trainable(ps, NULL, false), 0);
    assert_store_error(ps, RG_ERROR_ARGUMENT, "NULL");
    assert_int_equal(rg_params_set_trainable(NULL, "*", false), 0);
    rg_params_free(ps);
}

static void elements_and_bytes_are_counted_by_kind(void **state)
{
    (void)state;
    rg_params *ps = model(1);
    rg_params_set_trainable(ps, "head.*", false);
    const rg_params_total all = rg_params_count_matching(ps, "*");
    assert_int_equal(all.entries, 9);
    assert_int_equal(all.trainable, 12 + 4 + 4 + 4);
    assert_int_equal(all.frozen, 8 + 2);
    assert_int_equal(all.param_bytes, 34 * 4);
    assert_int_equal(all.buffers, 4 + 4 + 1);
    assert_int_equal(all.buffer_bytes, 8 * 4 + 8);
    assert_int_equal(all.state, 0);
    const rg_params_total state_alone = rg_params_count_matching(ps, "head*/*");
    assert_int_equal(state_alone.entries, 1);
    assert_int_equal(state_alone.state, 2);
    assert_int_equal(state_alone.state_bytes, 8);
    assert_int_equal(state_alone.param_bytes + state_alone.buffers, 0);
    assert_int_equal(rg_params_count_matching(NULL, "*").entries, 0);
    assert_int_equal(rg_params_count_matching(ps, NULL).entries, 0);
    rg_params_free(ps);
}

static bool same_values(const rg_params *a, const rg_params *b, const char *name)
{
    const rg_param *p = rg_params_find(a, name), *q = rg_params_find(b, name);
    assert_true(p != NULL && q != NULL);
    return memcmp(rg_param_data(p), rg_param_data(q), (size_t)rg_param_numel(p) * rg_dtype_size(rg_param_dtype(p))) == 0;
}

static void values_are_copied_by_name(void **state)
{
    (void)state;
    rg_params *from = model(1), *to = model(2);
    rg_init_constant(rg_params_find(from, "features.1.running_mean"), 3);
    assert_false(same_values(to, from, "features.0.weight"));
    assert_int_equal(rg_params_copy(to, from, "features.*"), 7);
    assert_true(same_values(to, from, "features.0.weight"));
    assert_true(same_values(to, from, "features.1.running_mean"));
    assert_false(same_values(to, from, "head.weight"));
    assert_int_equal(rg_params_copy(to, from, "nothing"), 0);
    assert_string_equal(rg_params_error(to), "");
    assert_int_equal(rg_params_copy(to, to, "*"), 9);
    assert_string_equal(rg_params_error(to), "");
    rg_params_free(from);
    rg_params_free(to);
}

static void a_copy_is_whole_or_does_not_happen(void **state)
{
    (void)state;
    rg_params *from = model(1), *to = model(2);
    char before[33], after[33];
    rg_param_new(to, "z", RG_F32, RG_SHAPE(1), NULL);
    rg_params_fingerprint(to, before);
    assert_int_equal(rg_params_copy(to, from, "*"), 0);
    assert_store_error(to, RG_ERROR_ARGUMENT, "'z'");
    rg_param_new(from, "z", RG_F64, RG_SHAPE(1), NULL);
    assert_int_equal(rg_params_copy(to, from, "*"), 0);
    assert_store_error(to, RG_ERROR_DTYPE, "'z'");
    rg_params_fingerprint(to, after);
    assert_string_equal(before, after);
    rg_params *other = rg_params_new(1);
    rg_linear_new(other, "head", 4, 3);
    assert_int_equal(rg_params_copy(to, other, "head.*"), 0);
    assert_store_error(to, RG_ERROR_SHAPE, "'head.weight'");
    assert_int_equal(rg_params_copy(to, NULL, "*"), 0);
    assert_store_error(to, RG_ERROR_ARGUMENT, "NULL");
    assert_int_equal(rg_params_copy(NULL, from, "*"), 0);
    rg_params_free(from);
    rg_params_free(to);
    rg_params_free(other);
}

/* What was recorded before a copy must not pass for the new values. */
static void a_copy_is_seen_by_tapes(void **state)
{
    (void)state;
    rg_params *from = model(1), *to = model(2);
    const rg_tensor y = rg_sum(tape, rg_leaf(tape, rg_params_find(to, "head.weight")), RG_ALL, false);
    rg_params_copy(to, from, "head.*");
    rg_item(tape, y);
    assert_error(tape, RG_ERROR_STATE, WORDS("head.weight"));
    rg_tape_reset(tape);
    rg_params_free(from);
    rg_params_free(to);
}

static void a_clone_keeps_values_kinds_and_what_is_frozen(void **state)
{
    (void)state;
    rg_params *ps = model(1);
    rg_params_set_trainable(ps, "head.*", false);
    rg_params *best = rg_params_clone(ps, "*");
    assert_non_null(best);
    assert_int_equal(rg_params_count(best), 9); /* without state */
    for (int i = 0; i < 9; i++) {
        const rg_param *p = rg_params_at(best, i), *q = rg_params_find(ps, rg_param_name(p));
        assert_int_equal(rg_param_kind_of(p), rg_param_kind_of(q));
        assert_int_equal(rg_param_trainable(p), rg_param_trainable(q));
        assert_true(same_values(best, ps, rg_param_name(p)));
    }
    rg_init_constant(rg_params_find(ps, "head.weight"), 9);
    assert_false(same_values(best, ps, "head.weight"));
    assert_int_equal(rg_params_copy(ps, best, "*"), 9);
    assert_true(same_values(best, ps, "head.weight"));
    rg_params *part = rg_params_clone(ps, "head.*");
    assert_int_equal(rg_params_count(part), 2);
    assert_null(rg_params_clone(NULL, "*"));
    rg_params_free(part);
    rg_params_free(best);
    rg_params_free(ps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(patterns_match_whole_names),
        TEST(entries_are_found_by_pattern_in_order),
        TEST(what_is_frozen_gets_no_gradient_and_no_step),
        TEST(elements_and_bytes_are_counted_by_kind),
        TEST(values_are_copied_by_name),
        TEST(a_copy_is_whole_or_does_not_happen),
        TEST(a_copy_is_seen_by_tapes),
        TEST(a_clone_keeps_values_kinds_and_what_is_frozen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
