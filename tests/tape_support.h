/* What the tests of the tape share: a store beside the tape, and looking at whole tensors. */
#ifndef RG__TESTS_TAPE_SUPPORT_H
#define RG__TESTS_TAPE_SUPPORT_H

#include "nn_support.h"

enum { VALUES_MOST = 4096 };

static rg_params *store;

static inline int setup_both(void **state)
{
    unsetenv("RETROGRAD_EAGER"); /* some of the tests look at what is not computed yet */
    store = rg_params_new(3);
    return setup(state) || store == NULL;
}

static inline int teardown_both(void **state)
{
    const int result = teardown(state);
    rg_params_free(store);
    return result;
}
#define TAPE_TEST(name) cmocka_unit_test_setup_teardown(name, setup_both, teardown_both)

/* ---- making ---- */

#define F64(shape, ...)         rg_input_f64(tape, shape, (const double[]){__VA_ARGS__})
#define F32(shape, ...)         rg_input_f32(tape, shape, (const float[]){__VA_ARGS__})
#define I64(shape, ...)         rg_input_i64(tape, shape, (const int64_t[]){__VA_ARGS__})
#define PARAM(name, shape, ...) rg_param_new(store, name, RG_F64, shape, (const double[]){__VA_ARGS__})

static inline rg_tensor total(rg_tensor x)
{
    return rg_sum(tape, x, RG_ALL, false);
}

/* A result that only fails when it is computed: label 3 of 3 classes. */
static inline rg_tensor fails_when_run(void)
{
    return rg_gather(tape, F64(RG_SHAPE(3), 1, 2, 3), 0, I64(RG_SHAPE(1), 3));
}

/* ---- looking ---- */

/* The elements of x as doubles, by rg_read; returns how many. Fails the test when the tape has failed. */
static inline int64_t read_values(rg_tape *t, rg_tensor x, double out[VALUES_MOST])
{
    const rg_dtype dtype = rg_dtype_of(t, x);
    const int64_t n = rg_numel(t, x);
    assert_tape_ok(t);
    assert_in_range(n, 0, VALUES_MOST);
    double raw[VALUES_MOST];
    if (!rg_read(t, x, raw, (size_t)n * rg_dtype_size(dtype)))
        fail_msg("the tape failed: %s", rg_tape_error(t));
    for (int64_t i = 0; i < n; i++)
        out[i] = dtype == RG_F32   ? ((const float *)(const void *)raw)[i]
                 : dtype == RG_F64 ? raw[i]
                 : dtype == RG_I32 ? ((const int32_t *)(const void *)raw)[i]
                 : dtype == RG_I64 ? (double)((const int64_t *)(const void *)raw)[i]
                                   : ((const bool *)(const void *)raw)[i];
    return n;
}

static inline void assert_numbers(const double *actual, int64_t n, const double *expected, int64_t count,
                                  const char *file, int line)
{
    if (n != count) {
        print_error("%s:%d: %lld elements instead of %lld\n", file, line, (long long)n, (long long)count);
        fail();
    }
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(actual[i] - expected[i]) <= 1e-12 * fmax(1, fabs(expected[i])))) {
            print_error("%s:%d: element %lld is %.17g instead of %.17g\n", file, line, (long long)i, actual[i],
                        expected[i]);
            fail();
        }
}

/* The tensor holds these numbers, in row-major order. */
#define assert_values(x, ...)                                                                                        \
    do {                                                                                                             \
        static double values_read[VALUES_MOST];                                                                      \
        const double values_expected[] = {__VA_ARGS__};                                                              \
        const int64_t values_n = read_values(tape, (x), values_read);                                                \
        assert_numbers(values_read, values_n, values_expected, (int64_t)COUNT(values_expected), __FILE__, __LINE__); \
    } while (0)

/* The f64 parameter, or gradient, in memory holds these numbers. */
#define assert_stored(data, ...)                                                                                       \
    do {                                                                                                               \
        const double stored_expected[] = {__VA_ARGS__};                                                                \
        const double *stored_data = (data);                                                                            \
        assert_non_null(stored_data);                                                                                  \
        assert_numbers(stored_data, (int64_t)COUNT(stored_expected), stored_expected, (int64_t)COUNT(stored_expected), \
                       __FILE__, __LINE__);                                                                            \
    } while (0)

#define assert_number(actual, expected)                                            \
    do {                                                                           \
        const double number_a = (actual), number_b = (expected);                   \
        if (!(number_a == number_b))                                               \
            fail_msg("%s is %.17g instead of %.17g", #actual, number_a, number_b); \
    } while (0)

#define assert_shape(x, ...) assert_true(rg_shape_equal(rg_shape_of(tape, (x)), RG_SHAPE(__VA_ARGS__)))

static inline bool is_computed(rg_tensor x)
{
    rg_node node;
    assert_true(rg_tape_node(tape, x, &node));
    return node.computed;
}

/* The handle means nothing any more: an error that says why. */
static inline void assert_stale(rg_tape *t, rg_tensor x, const char *why)
{
    assert_int_equal(rg_numel(t, x), 0);
    assert_error(t, RG_ERROR_HANDLE, WORDS("numel", why));
}

#endif
