/* The parameter store: what it keeps, finds, refuses, and the names, random streams and fingerprints of its entries. */
#include "tape_support.h"

/* ---- entries ---- */

static void entries_keep_what_they_were_given(void **state)
{
    (void)state;
    double values[] = {1, 2, 3, 4, 5, 6};
    rg_param *p = rg_param_new(store, "w", RG_F64, RG_SHAPE(2, 3), values);
    rg_param *b = rg_buffer_new(store, "seen", RG_I64, RG_SCALAR, NULL), *e = PARAM("none", RG_SHAPE(0, 3), 0);
    memset(values, 0, sizeof values); /* copied */
    assert_stored(rg_param_data(p), 1, 2, 3, 4, 5, 6);
    assert_int_equal(*(const int64_t *)rg_param_data(b), 0);
    assert_string_equal(rg_param_name(p), "w");
    assert_true(rg_shape_equal(rg_param_shape(p), RG_SHAPE(2, 3)));
    assert_int_equal(rg_param_dtype(b), RG_I64);
    assert_int_equal(rg_param_numel(p), 6);
    assert_int_equal(rg_param_numel(b), 1);
    assert_int_equal(rg_param_numel(e), 0);
    assert_int_equal(rg_param_kind_of(p), RG_PARAM);
    assert_int_equal(rg_param_kind_of(b), RG_BUFFER);
    assert_ptr_equal(rg_param_store(p), store);
    assert_true(rg_param_trainable(p));
    assert_false(rg_param_trainable(b));
    rg_param *whole = rg_param_new(store, "whole", RG_I32, RG_SHAPE(2), NULL);
    assert_false(rg_param_trainable(whole)); /* integers have no gradient */
    rg_param_set_trainable(whole, true);
    assert_store_error(store, RG_ERROR_ARGUMENT, "'whole'");
}

static void entries_are_found_by_name_and_in_order(void **state)
{
    (void)state;
    char name[32];
    const void *data[200];
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "layer.%d.weight", i);
        rg_param *p = rg_param_new(store, name, RG_F32, RG_SHAPE(i % 5), NULL);
        assert_non_null(p);
        data[i] = rg_param_data(p);
    }
    assert_int_equal(rg_params_count(store), 200);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "layer.%d.weight", i);
        rg_param *p = rg_params_at(store, i);
        assert_string_equal(rg_param_name(p), name);
        assert_ptr_equal(rg_params_find(store, name), p);
        assert_ptr_equal(rg_param_data(p), data[i]); /* at the same place for life */
    }
    assert_null(rg_params_find(store, "layer.200.weight"));
    assert_null(rg_params_find(store, ""));
    assert_null(rg_params_at(store, 200));
    assert_int_equal(rg_params_numel(store), 40 * (0 + 1 + 2 + 3 + 4));
    rg_param_set_trainable(rg_params_at(store, 4), false); /* what is frozen does not count */
    assert_int_equal(rg_params_numel(store), 396);
}

static void a_scope_names_what_is_made_in_it(void **state)
{
    (void)state;
    assert_string_equal(rg_params_scope(store), "");
    rg_params_scope_push(store, "encoder");
    rg_params_scope_push(store, "0");
    assert_string_equal(rg_params_scope(store), "encoder.0");
    rg_param *inner = PARAM("weight", RG_SHAPE(1), 1);
    rg_params_scope_pop(store);
    rg_buffer_new(store, "seen", RG_I64, RG_SCALAR, NULL);
    rg_param *state_of = rg_param_state(inner, "adam.m", RG_F64, RG_SHAPE(1), 0);
    rg_params_scope_push(store, NULL);
    assert_string_equal(rg_params_scope(store), "encoder");
    rg_params_scope_pop(store);
    rg_params_scope_pop(store);
    assert_string_equal(rg_param_name(inner), "encoder.0.weight");
    assert_string_equal(rg_param_name(state_of), "encoder.0.weight/adam.m"); /* whatever the scope */
    assert_non_null(rg_params_find(store, "encoder.seen"));
    rg_params_scope_pop(store);
    assert_store_error(store, RG_ERROR_STATE, "params_scope_pop");
}

static void names_are_kept_as_long_as_the_store(void **state)
{
    (void)state;
    char name[] = "attention";
    const char *kept = rg_params_keep_name(store, name);
    name[0] = 'A';
    assert_string_equal(kept, "attention");
    assert_ptr_equal(rg_params_keep_name(store, "attention"), kept);
    assert_null(rg_params_keep_name(store, NULL));
}

static void state_is_made_once_and_found_again(void **state)
{
    (void)state;
    rg_param *p = PARAM("w", RG_SHAPE(2), 1, 2), *q = PARAM("v", RG_SHAPE(2), 1, 2);
    rg_param *m = rg_param_state(p, "adam.m", RG_F64, RG_SHAPE(2), 0.5);
    assert_string_equal(rg_param_name(m), "w/adam.m");
    assert_int_equal(rg_param_kind_of(m), RG_STATE);
    assert_false(rg_param_trainable(m));
    assert_stored(rg_param_data(m), .5, .5);
    assert_true(rg_param_set(m, (const double[]){7, 8}, 2 * sizeof(double)));
    assert_ptr_equal(rg_param_state(p, "adam.m", RG_F64, RG_SHAPE(2), 0.5), m);
    assert_stored(rg_param_data(m), 7, 8); /* the initial value is for new ones */
    assert_ptr_not_equal(rg_param_state(q, "adam.m", RG_F64, RG_SHAPE(2), 0), m);
    assert_ptr_equal(rg_params_find(store, "w/adam.m"), m);
    assert_int_equal(rg_params_numel(store), 4);
    /* One that stands in the store already, as after loading, is taken. */
    rg_param *loaded = rg_buffer_new(store, "w/adam.v", RG_F64, RG_SHAPE(2), (const double[]){3, 4});
    assert_ptr_equal(rg_param_state(p, "adam.v", RG_F64, RG_SHAPE(2), 0), loaded);
    assert_stored(rg_param_data(loaded), 3, 4);
}

static void an_entry_is_removed_with_its_state(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(1);
    rg_param *a = rg_param_new(ps, "a", RG_F32, RG_SHAPE(2), NULL);
    rg_param *deep = rg_param_new(ps, "a/b", RG_F32, RG_SHAPE(3), NULL);
    rg_param *first = rg_param_state(a, "m", RG_F32, RG_SCALAR, 1);
    rg_param_state(deep, "m", RG_F32, RG_SCALAR, 1);
    rg_param_state(a, "v", RG_F32, RG_SCALAR, 1);
    rg_param *running = rg_buffer_new(ps, "running", RG_F32, RG_SHAPE(1), NULL);
    rg_param_remove(NULL);
    rg_param_remove(first);
    assert_string_equal(rg_params_error(ps), "param_remove: 'a/m' is state; it goes with its parameter");
    rg_params_clear_error(ps);
    assert_int_equal(rg_params_count(ps), 6);
    rg_param_remove(a);
    static const char *const left[] = {"a/b", "a/b/m", "running"};
    assert_int_equal(rg_params_count(ps), 3);
    for (int i = 0; i < 3; i++)
        assert_string_equal(rg_param_name(rg_params_at(ps, i)), left[i]);
    assert_int_equal(rg_params_numel(ps), 3);
    a = rg_param_new(ps, "a", RG_F32, RG_SHAPE(5), NULL); /* the name is free again, and has no state */
    assert_non_null(rg_param_state(a, "m", RG_F32, RG_SHAPE(5), 0));
    rg_param_remove(running);
    rg_param_remove(a);
    rg_param_remove(deep);
    assert_int_equal(rg_params_count(ps), 0);
    assert_string_equal(rg_params_error(ps), "");
    rg_params_free(ps);
}

static void random_streams_depend_on_seed_and_name_alone(void **state)
{
    (void)state;
    rg_params *other = rg_params_new(3), *reseeded = rg_params_new(4);
    PARAM("a", RG_SCALAR, 0);
    PARAM("b", RG_SCALAR, 0);
    float drawn[4][6];
    const rg_param *of[] = {rg_params_find(store, "a"), rg_params_find(store, "b"),
                            rg_param_new(other, "b", RG_F32, RG_SHAPE(3), NULL),
                            rg_param_new(reseeded, "b", RG_F32, RG_SHAPE(3), NULL)};
    for (int i = 0; i < 4; i++) {
        rg_rng rng = rg_param_rng(of[i]);
        rg_rng_uniform_f32(&rng, drawn[i], 6, 0, 1);
    }
    assert_memory_not_equal(drawn[0], drawn[1], sizeof *drawn);
    assert_memory_equal(drawn[1], drawn[2], sizeof *drawn);
    assert_memory_not_equal(drawn[1], drawn[3], sizeof *drawn);
    rg_params_free(other);
    rg_params_free(reseeded);
}

/* ---- fingerprints ---- */

static void fingerprints_see_names_dtypes_shapes_and_values(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        rg_dtype dtype;
        rg_shape shape;
        float values[2];
        bool buffer;
    } stores[] = {
        {"w", RG_F32, {1, {2}}, {1, 2}, false},    {"v", RG_F32, {1, {2}}, {1, 2}, false},
        {"w", RG_I32, {1, {2}}, {1, 2}, false},    {"w", RG_F32, {2, {1, 2}}, {1, 2}, false},
        {"w", RG_F32, {2, {2, 1}}, {1, 2}, false}, {"w", RG_F32, {1, {2}}, {1, 2.5f}, false},
        {"w", RG_F32, {1, {2}}, {2, 1}, false},    {"w", RG_F32, {1, {2}}, {1, 2}, true},
        {"ww", RG_F32, {1, {2}}, {1, 2}, false},
    };
    char print[COUNT(stores)][33], again[33];
    for (size_t i = 0; i < COUNT(stores); i++)
        for (int round = 0; round < 2; round++) {
            rg_params *ps = rg_params_new(i + 100 * (size_t)round); /* the seed is no part of it */
            (stores[i].buffer ? rg_buffer_new : rg_param_new)(ps, stores[i].name, stores[i].dtype, stores[i].shape,
                                                              stores[i].values);
            rg_params_fingerprint(ps, round ? again : print[i]);
            rg_params_free(ps);
            if (round)
                assert_string_equal(print[i], again);
            for (size_t k = 0; k < i; k++)
                assert_string_not_equal(print[i], print[k]);
        }
    assert_int_equal(strspn(print[0], "0123456789abcdef"), 32);
}

/* ---- what is refused ---- */

static void no_store_and_no_parameter_are_harmless(void **state)
{
    (void)state;
    const double value = 1;
    char print[33];
    rg_params_free(NULL);
    assert_non_null(strstr(rg_params_error(NULL), "no store"));
    assert_int_equal(rg_params_status(NULL), RG_ERROR_MEMORY);
    rg_params_clear_error(NULL);
    rg_params_fail(NULL, RG_ERROR_VALUE, "nothing");
    rg_params_set_dtype(NULL, RG_F64);
    assert_int_equal(rg_params_dtype(NULL), RG_F32);
    assert_null(rg_param_new(NULL, "p", RG_F64, RG_SCALAR, &value));
    assert_null(rg_buffer_new(NULL, "p", RG_F64, RG_SCALAR, &value));
    assert_null(rg_param_state(NULL, "key", RG_F64, RG_SCALAR, 0));
    assert_int_equal(rg_params_count(NULL), 0);
    assert_null(rg_params_at(NULL, 0));
    assert_null(rg_params_at(store, 0));
    assert_null(rg_params_at(store, -1));
    assert_null(rg_params_find(NULL, "p"));
    assert_null(rg_params_find(store, NULL));
    assert_null(rg_params_find(store, "p"));
    assert_int_equal(rg_params_numel(NULL), 0);
    assert_string_equal(rg_param_name(NULL), "");
    assert_int_equal(rg_param_kind_of(NULL), RG_PARAM);
    assert_int_equal(rg_param_shape(NULL).rank, 0);
    assert_int_equal(rg_param_dtype(NULL), RG_F32);
    assert_int_equal(rg_param_numel(NULL), 0);
    assert_null(rg_param_store(NULL));
    rg_param_set_trainable(NULL, true);
    assert_false(rg_param_trainable(NULL));
    assert_null(rg_param_data(NULL));
    assert_false(rg_param_set(NULL, &value, sizeof value));
    assert_null(rg_param_stored_grad(NULL));
    (void)rg_param_rng(NULL);
    rg_params_fingerprint(NULL, print);
    assert_int_equal(strlen(print), 32);
    rg_params_clear_grads(tape, NULL);
    assert_true(rg_is_nil(rg_leaf(tape, NULL)));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("leaf: ", "NULL", "rg_params_error"));
    rg_assign(tape, NULL, F64(RG_SCALAR, 1));
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("assign: ", "NULL"));
    assert_string_equal(rg_params_error(store), "");
}

static void the_store_refuses_what_it_cannot_keep(void **state)
{
    (void)state;
    rg_param *p = PARAM("layer.w", RG_SHAPE(2), 1, 2);
    const double values[3] = {5, 6, 7};
    assert_null(PARAM("layer.w", RG_SHAPE(2), 1, 2));
    assert_store_error(store, RG_ERROR_ARGUMENT, "'layer.w' exists");
    assert_null(rg_param_new(store, NULL, RG_F64, RG_SHAPE(1), values));
    assert_store_error(store, RG_ERROR_ARGUMENT, "no name");
    assert_null(rg_param_new(store, "", RG_F64, RG_SHAPE(1), values));
    assert_store_error(store, RG_ERROR_ARGUMENT, "no name");
    assert_null(rg_param_new(store, "d", (rg_dtype)17, RG_SHAPE(1), values));
    assert_store_error(store, RG_ERROR_ARGUMENT, "17 is no dtype");
    rg_params_set_dtype(store, RG_I32);
    assert_store_error(store, RG_ERROR_DTYPE, "i32");
    assert_int_equal(rg_params_dtype(store), RG_F32);
    assert_false(rg_param_set(p, values, sizeof values));
    assert_store_error(store, RG_ERROR_ARGUMENT, "'layer.w' has 16 bytes; 24");
    assert_false(rg_param_set(p, NULL, 16));
    assert_store_error(store, RG_ERROR_ARGUMENT, "NULL");
    assert_non_null(rg_param_state(p, "m", RG_F64, RG_SHAPE(2), 0));
    assert_null(rg_param_state(p, "m", RG_F32, RG_SHAPE(2), 0));
    assert_store_error(store, RG_ERROR_SHAPE, "layer.w/m");
    assert_null(rg_param_state(p, "m", RG_F64, RG_SHAPE(3), 0));
    assert_store_error(store, RG_ERROR_SHAPE, "[3]");
    assert_null(rg_param_state(p, NULL, RG_F64, RG_SHAPE(2), 0));
    assert_store_error(store, RG_ERROR_ARGUMENT, "'layer.w' has no key");
    assert_null(rg_param_state(p, "", RG_F64, RG_SHAPE(2), 0));
    assert_store_error(store, RG_ERROR_ARGUMENT, "'layer.w' has no key");
    assert_non_null(PARAM("layer.w/v", RG_SHAPE(2), 1, 2));
    assert_null(rg_param_state(p, "v", RG_F64, RG_SHAPE(2), 0)); /* that one is trained */
    assert_store_error(store, RG_ERROR_ARGUMENT, "'layer.w/v'");
    rg_params_fail(store, RG_ERROR_VALUE, "%s", "mine");
    rg_params_fail(store, RG_ERROR_SHAPE, "another");
    assert_null(PARAM("fine", RG_SHAPE(1), 1)); /* the first error stays */
    assert_store_error(store, RG_ERROR_VALUE, "mine");
    assert_non_null(PARAM("fine", RG_SHAPE(1), 1));
    assert_stored(rg_param_data(p), 1, 2);
    /* An assignment names the parameter and both shapes or dtypes. */
    rg_assign(tape, p, F64(RG_SHAPE(2, 1), 1, 2));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("assign: ", "'layer.w'", "[2]", "[2, 1]"));
    rg_assign(tape, p, F32(RG_SHAPE(2), 1, 2));
    assert_error(tape, RG_ERROR_DTYPE, WORDS("assign: ", "'layer.w'", "f64", "f32"));
    rg_assign(tape, p, RG_NIL);
    assert_error(tape, RG_ERROR_HANDLE, WORDS("assign: ", "nil"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(entries_keep_what_they_were_given),
        TAPE_TEST(entries_are_found_by_name_and_in_order),
        TAPE_TEST(a_scope_names_what_is_made_in_it),
        TAPE_TEST(names_are_kept_as_long_as_the_store),
        TAPE_TEST(state_is_made_once_and_found_again),
        TAPE_TEST(an_entry_is_removed_with_its_state),
        TAPE_TEST(random_streams_depend_on_seed_and_name_alone),
        TAPE_TEST(fingerprints_see_names_dtypes_shapes_and_values),
        TAPE_TEST(no_store_and_no_parameter_are_harmless),
        TAPE_TEST(the_store_refuses_what_it_cannot_keep),
    };
    return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
