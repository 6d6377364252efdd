/* The public headers as C11. Compiled with -DRG_HEADER='<retrograd/x.h>' it holds that a header stands alone and may be
 * included twice; without, it includes all of them and runs what they define themselves: macros and inline functions. */
#ifdef RG_HEADER

#include RG_HEADER
#include RG_HEADER

/* Included before anything else, a header must bring what it needs, this type at least. */
extern rg_tensor test_header_handle;

#else

#include <retrograd/retrograd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void shapes_are_written_with_their_extents(void **state)
{
    (void)state;
    const rg_shape shape = RG_SHAPE(4, 2);
    assert_int_equal(shape.rank, 2);
    assert_int_equal(shape.dims[0], 4);
    assert_int_equal(shape.dims[1], 2);
    assert_int_equal(shape.dims[2], 0);
    assert_int_equal(RG_SHAPE(1, 2, 3, 4, 5, 6, 7, 8).rank, RG_MAX_RANK);
    assert_int_equal(RG_SHAPE(INT64_MAX).dims[0], INT64_MAX);
    assert_int_equal(RG_SCALAR.rank, 0);
    assert_int_equal(rg_shape_numel(RG_SCALAR), 1);
}

static void axes_may_be_negative_or_none(void **state)
{
    (void)state;
    const rg_axes axes = RG_AXES(0, -1);
    assert_int_equal(axes.count, 2);
    assert_int_equal(axes.axis[0], 0);
    assert_int_equal(axes.axis[1], -1);
    assert_int_equal(RG_ALL.count, 0);
}

static void a_zeroed_handle_is_nil(void **state)
{
    (void)state;
    rg_tensor zeroed;
    memset(&zeroed, 0, sizeof zeroed);
    assert_true(rg_is_nil(zeroed));
    assert_true(rg_is_nil(RG_NIL));
    assert_false(rg_is_nil((rg_tensor){1, 0}));
}

static void the_library_has_the_version_of_its_headers(void **state)
{
    (void)state;
    assert_string_equal(rg_version(), RG_VERSION);
}

static void every_dtype_has_a_name_and_the_size_of_its_c_type(void **state)
{
    (void)state;
    static const struct {
        rg_dtype dtype;
        const char *name;
        size_t size;
    } expected[RG_DTYPES] = {
        {RG_F32, "f32", sizeof(float)},   {RG_F64, "f64", sizeof(double)}, {RG_I32, "i32", sizeof(int32_t)},
        {RG_I64, "i64", sizeof(int64_t)}, {RG_BOOL, "bool", sizeof(bool)},
    };
    for (int i = 0; i < RG_DTYPES; i++) {
        assert_string_equal(rg_dtype_name(expected[i].dtype), expected[i].name);
        assert_int_equal(rg_dtype_size(expected[i].dtype), expected[i].size);
    }
    assert_string_equal(rg_dtype_name((rg_dtype)RG_DTYPES), "?");
    assert_int_equal(rg_dtype_size((rg_dtype)RG_DTYPES), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_are_written_with_their_extents),
        cmocka_unit_test(axes_may_be_negative_or_none),
        cmocka_unit_test(a_zeroed_handle_is_nil),
        cmocka_unit_test(the_library_has_the_version_of_its_headers),
        cmocka_unit_test(every_dtype_has_a_name_and_the_size_of_its_c_type),
    };
    return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}

#endif
