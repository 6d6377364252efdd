/* The room core: shapes and strides against index-by-index oracles, first error, hash, threads. */
#include <retrograd/retrograd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/shape.h"
#include "core/strided.h"
#include "core/threads.h"

#define DIMS(...)    ((const int64_t[]){__VA_ARGS__})
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Whole numbers in [low, high], the same at every run. */
static uint64_t state = 1;
static int64_t draw(int64_t low, int64_t high)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return low + (int64_t)((state >> 33) % (uint64_t)(high - low + 1));
}

/* ---- oracles ---- */

/* Element `linear`, in row-major order, of an array of these dims. */
static void unravel(int rank, const int64_t *dims, int64_t linear, int64_t *index)
{
    for (int i = rank - 1; i >= 0; i--) {
        index[i] = linear % dims[i];
        linear /= dims[i];
    }
}

static int64_t offset_of(int rank, const int64_t *dims, const int64_t *strides, int64_t linear)
{
    int64_t index[RG_MAX_RANK], offset = 0;
    unravel(rank, dims, linear, index);
    for (int i = 0; i < rank; i++)
        offset += index[i] * strides[i];
    return offset;
}

/* The smallest and largest offset of any element. */
static void range_of(int rank, const int64_t *dims, const int64_t *strides, int64_t *low, int64_t *high)
{
    *low = *high = 0;
    for (int i = 0; i < rank; i++) {
        const int64_t span = dims[i] > 0 ? (dims[i] - 1) * strides[i] : 0;
        *(span < 0 ? low : high) += span;
    }
}

/* Strides of a dense array whose axes lie in random order, some of them backwards, with gaps: no two elements share a
 * place. */
static void distinct_strides(int rank, const int64_t *dims, int64_t *strides)
{
    int order[RG_MAX_RANK];
    for (int i = 0; i < rank; i++)
        order[i] = i;
    for (int i = rank - 1; i > 0; i--) {
        const int other = (int)draw(0, i), axis = order[i];
        order[i] = order[other];
        order[other] = axis;
    }
    int64_t step = draw(0, 3) ? 1 : draw(2, 3);
    for (int i = 0; i < rank; i++) {
        strides[order[i]] = draw(0, 3) ? step : -step;
        step *= (dims[order[i]] > 0 ? dims[order[i]] : 1) + (draw(0, 3) ? 0 : draw(1, 2));
    }
}

/* ---- counting ---- */

static void numel_is_checked_against_overflow(void **unused)
{
    (void)unused;
    assert_int_equal(rg__numel(0, NULL), 1);
    assert_int_equal(rg__numel(3, DIMS(2, 3, 4)), 24);
    assert_int_equal(rg__numel(3, DIMS(2, 0, 4)), 0);
    assert_int_equal(rg__numel(1, DIMS(RG__MAX_NUMEL)), RG__MAX_NUMEL);
    assert_int_equal(rg__numel(1, DIMS(RG__MAX_NUMEL + 1)), -1);
    assert_int_equal(rg__numel(2, DIMS(RG__MAX_NUMEL / 2, 3)), -1);
    assert_int_equal(rg__numel(2, DIMS(INT64_C(1) << 32, INT64_C(1) << 32)), -1); /* 2^64, which wraps to 0 */
    assert_int_equal(rg__numel(3, DIMS(INT64_C(1) << 40, INT64_C(1) << 40, INT64_C(1) << 48)), -1);
    assert_int_equal(rg__numel(2, DIMS(3, -1)), -1);
    assert_int_equal(rg__numel(2, DIMS(0, -1)), -1);
    assert_int_equal(rg__numel(2, DIMS(-2, -2)), -1);
    /* An extent of 0 does not excuse the others: a reduction over it would have their size. */
    assert_int_equal(rg__numel(3, DIMS(0, INT64_MAX, INT64_MAX)), -1);
}

static void public_shapes_of_bad_rank_count_nothing_and_equal_nothing(void **unused)
{
    (void)unused;
    rg_shape nine = {.rank = 9}, negative = {.rank = -1}, hole = RG_SHAPE(2, -3);
    assert_int_equal(rg_shape_numel(nine), -1);
    assert_int_equal(rg_shape_numel(negative), -1);
    assert_false(rg_shape_equal(nine, nine));
    assert_false(rg_shape_equal(negative, negative));
    assert_false(rg_shape_equal(hole, hole));
    assert_int_equal(rg_shape_numel(RG_SCALAR), 1);
    assert_true(rg_shape_equal(RG_SHAPE(2, 3), RG_SHAPE(2, 3)));
    assert_true(rg_shape_equal(RG_SCALAR, RG_SCALAR));
    assert_false(rg_shape_equal(RG_SHAPE(2, 3), RG_SHAPE(3, 2)));
    assert_false(rg_shape_equal(RG_SHAPE(2, 3), RG_SHAPE(2, 3, 1)));
}

static void dtypes_have_names_and_sizes(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        size_t size;
    } expected[RG_DTYPES] = {{"f32", 4}, {"f64", 8}, {"i32", 4}, {"i64", 8}, {"bool", 1}};
    for (int i = 0; i < RG_DTYPES; i++) {
        assert_string_equal(rg_dtype_name((rg_dtype)i), expected[i].name);
        assert_int_equal(rg_dtype_size((rg_dtype)i), expected[i].size);
    }
    assert_string_equal(rg_dtype_name((rg_dtype)RG_DTYPES), "?");
    assert_string_equal(rg_dtype_name((rg_dtype)-1), "?");
    assert_int_equal(rg_dtype_size((rg_dtype)77), 0);
    assert_string_equal(rg_version(), RG_VERSION);
}

static void axes_count_from_both_ends(void **unused)
{
    (void)unused;
    for (int rank = 0; rank <= RG_MAX_RANK; rank++)
        for (int axis = -10; axis <= 10; axis++) {
            const int expected = axis >= -rank && axis < rank ? (axis + rank) % rank : -1;
            assert_int_equal(rg__axis(axis, rank), expected);
        }
    assert_int_equal(rg__axis(INT32_MIN, 4), -1);
    assert_int_equal(rg__axis(INT32_MAX, 4), -1);
}

static void shapes_are_printed_as_numpy_does_and_fit_their_buffer(void **unused)
{
    (void)unused;
    assert_string_equal(RG__DIMS_TEXT(0, NULL), "[]");
    assert_string_equal(RG__DIMS_TEXT(1, DIMS(7)), "[7]");
    assert_string_equal(RG__DIMS_TEXT(3, DIMS(2, -1, 0)), "[2, -1, 0]");
    int64_t longest[RG_MAX_RANK];
    for (int i = 0; i < RG_MAX_RANK; i++)
        longest[i] = INT64_MIN;
    const char *text = RG__DIMS_TEXT(RG_MAX_RANK, longest);
    assert_int_equal(strlen(text), RG_MAX_RANK * strlen("-9223372036854775808") + 2 * (RG_MAX_RANK - 1) + 2);
    /* Beyond the largest rank nothing is read. */
    text = RG__DIMS_TEXT(100, longest);
    assert_string_equal(text + strlen(text) - 6, ", ...]");
    assert_string_equal(RG__DIMS_TEXT(-3, longest), "[]");
}

/* ---- layout ---- */

static void row_major_strides_count_elements(void **unused)
{
    (void)unused;
    for (int round = 0; round < 2000; round++) {
        const int rank = (int)draw(0, RG_MAX_RANK);
        int64_t dims[RG_MAX_RANK], strides[RG_MAX_RANK];
        for (int i = 0; i < rank; i++)
            dims[i] = draw(1, 3);
        rg__row_major(rank, dims, strides);
        assert_true(rg__is_row_major(rank, dims, strides));
        for (int64_t i = 0; i < rg__numel(rank, dims); i++)
            assert_int_equal(offset_of(rank, dims, strides, i), i);
    }
}

static void row_major_is_judged_by_the_elements_alone(void **unused)
{
    (void)unused;
    int yes = 0, no = 0;
    for (int round = 0; round < 20000; round++) {
        const int rank = (int)draw(0, 4);
        int64_t dims[RG_MAX_RANK], strides[RG_MAX_RANK];
        for (int i = 0; i < rank; i++)
            dims[i] = draw(0, 9) ? draw(1, 3) : 0;
        rg__row_major(rank, dims, strides);
        for (int i = 0; i < rank; i++)
            if (draw(0, 3) == 0)
                strides[i] = draw(-3, 9);
        bool expected = true;
        for (int64_t i = 0; i < rg__numel(rank, dims) && expected; i++)
            expected = offset_of(rank, dims, strides, i) == i;
        assert_int_equal(rg__is_row_major(rank, dims, strides), expected);
        *(expected ? &yes : &no) += 1;
    }
    assert_true(yes > 1000 && no > 1000);
}

/* ---- broadcasting ---- */

static void broadcasting_is_numpys(void **unused)
{
    (void)unused;
    int fits = 0, differs = 0;
    for (int round = 0; round < 20000; round++) {
        int rank[2];
        int64_t dims[2][RG_MAX_RANK] = {{0}};
        for (int k = 0; k < 2; k++) {
            rank[k] = (int)draw(0, RG_MAX_RANK);
            for (int i = 0; i < rank[k]; i++)
                dims[k][i] = draw(0, 2) ? 1 : draw(0, 3);
        }
        /* Aligned at the right: equal, or one of them 1, or missing. */
        bool expected = true;
        const int out_rank = rank[0] > rank[1] ? rank[0] : rank[1];
        int64_t out[RG_MAX_RANK];
        for (int i = 1; i <= out_rank; i++) {
            const int64_t a = i <= rank[0] ? dims[0][rank[0] - i] : 1, b = i <= rank[1] ? dims[1][rank[1] - i] : 1;
            expected = expected && (a == b || a == 1 || b == 1);
            out[out_rank - i] = a == 1 ? b : a;
        }
        int joined_rank = rank[0];
        int64_t joined[RG_MAX_RANK];
        memcpy(joined, dims[0], sizeof joined);
        assert_int_equal(rg__broadcast(&joined_rank, joined, rank[1], dims[1]), expected);
        if (expected)
            assert_true(rg__dims_equal(joined_rank, joined, out_rank, out));
        *(expected ? &fits : &differs) += 1;
    }
    assert_true(fits > 1000 && differs > 1000);
}

static void broadcast_strides_repeat_the_right_elements(void **unused)
{
    (void)unused;
    for (int round = 0; round < 5000; round++) {
        const int out_rank = (int)draw(0, 5), rank = (int)draw(0, out_rank);
        int64_t out[RG_MAX_RANK], dims[RG_MAX_RANK], strides[RG_MAX_RANK], seen[RG_MAX_RANK];
        for (int i = 0; i < out_rank; i++)
            out[i] = draw(1, 3);
        for (int i = 0; i < rank; i++) {
            dims[i] = draw(0, 1) ? out[out_rank - rank + i] : 1;
            strides[i] = draw(-5, 5);
        }
        rg__broadcast_strides(rank, dims, strides, out_rank, out, seen);
        for (int64_t k = 0; k < rg__numel(out_rank, out); k++) {
            int64_t index[RG_MAX_RANK], expected = 0;
            unravel(out_rank, out, k, index);
            for (int i = 0; i < rank; i++)
                expected += dims[i] == 1 ? 0 : index[out_rank - rank + i] * strides[i];
            assert_int_equal(offset_of(out_rank, out, seen, k), expected);
        }
    }
}

/* ---- reshape without a copy ---- */

/* A random shape of so many elements, with extents of 1 strewn in. */
static int random_shape_of(int64_t numel, int64_t *dims)
{
    int rank = 0;
    while ((numel > 1 || draw(0, 3) == 0) && rank < RG_MAX_RANK) {
        int64_t part = draw(0, 2) ? draw(1, numel) : 1;
        while (numel % part)
            part--;
        dims[rank++] = part;
        numel /= part;
    }
    if (numel > 1)
        dims[RG_MAX_RANK - 1] *= numel;
    return rank;
}

/* Is there a set of strides under which element k of the new shape lies where element k of the old one does? Each
 * stride is known from the element one step along its axis; the rest must follow. */
static bool strides_exist(int rank, const int64_t *dims, const int64_t *strides, int new_rank, const int64_t *new_dims)
{
    int64_t along[RG_MAX_RANK], unit = 1;
    for (int i = new_rank - 1; i >= 0; i--) {
        along[i] = new_dims[i] > 1 ? offset_of(rank, dims, strides, unit) : 0;
        unit *= new_dims[i];
    }
    for (int64_t k = 0; k < unit; k++)
        if (offset_of(new_rank, new_dims, along, k) != offset_of(rank, dims, strides, k))
            return false;
    return true;
}

static void reshape_finds_strides_exactly_where_they_exist(void **unused)
{
    (void)unused;
    int possible = 0, impossible = 0;
    for (int round = 0; round < 50000; round++) {
        static const int64_t sizes[] = {1, 2, 6, 8, 12, 16, 24, 30, 36};
        const int64_t numel = sizes[draw(0, (int64_t)COUNT(sizes) - 1)];
        int64_t dims[RG_MAX_RANK], strides[RG_MAX_RANK], new_dims[RG_MAX_RANK], new_strides[RG_MAX_RANK];
        const int rank = random_shape_of(numel, dims), new_rank = random_shape_of(numel, new_dims);
        if (draw(0, 2))
            rg__row_major(rank, dims, strides);
        else
            distinct_strides(rank, dims, strides);
        if (rank && draw(0, 2) == 0)
            strides[draw(0, rank - 1)] *= draw(-2, 2); /* a slice, a flip, a repeated axis */
        const bool expected = strides_exist(rank, dims, strides, new_rank, new_dims);
        assert_int_equal(rg__reshape_strides(rank, dims, strides, new_rank, new_dims, new_strides), expected);
        for (int64_t k = 0; expected && k < numel; k++)
            assert_int_equal(offset_of(new_rank, new_dims, new_strides, k), offset_of(rank, dims, strides, k));
        *(expected ? &possible : &impossible) += 1;
    }
    assert_true(possible > 5000 && impossible > 5000);
}

static void reshape_of_nothing_is_always_possible(void **unused)
{
    (void)unused;
    int64_t strides[RG_MAX_RANK];
    assert_true(rg__reshape_strides(2, DIMS(0, 3), DIMS(7, -2), 3, DIMS(2, 0, 5), strides));
    assert_true(rg__is_row_major(3, DIMS(2, 0, 5), strides));
}

/* ---- walking ---- */

static void walks_meet_every_element_of_all_arrays_in_order(void **unused)
{
    (void)unused;
    static const size_t sizes[] = {1, 4, 8};
    for (int round = 0; round < 20000; round++) {
        const int rank = (int)draw(0, draw(0, 9) ? 4 : RG_MAX_RANK), arrays = (int)draw(1, RG__WALK_ARRAYS);
        int64_t dims[RG_MAX_RANK], strides[RG__WALK_ARRAYS][RG_MAX_RANK];
        for (int i = 0; i < rank; i++)
            dims[i] = draw(0, 30) ? draw(1, 3) : 0;
        rg__strided array[RG__WALK_ARRAYS];
        static char anywhere[1 << 20]; /* only addresses are compared */
        for (int a = 0; a < arrays; a++) {
            if (draw(0, 1))
                rg__row_major(rank, dims, strides[a]);
            else
                for (int i = 0; i < rank; i++)
                    strides[a][i] = draw(-9, 9) * draw(0, 2);
            array[a] = (rg__strided){anywhere + sizeof anywhere / 2, strides[a], sizes[draw(0, 2)]};
        }
        rg__walk w;
        rg__walk_start(&w, rank, dims, arrays, array);
        int64_t met = 0, runs = 0;
        do {
            for (int64_t i = 0; i < w.run; i++, met++)
                for (int a = 0; a < arrays; a++)
                    assert_ptr_equal(w.p[a] + i * w.step[a],
                                     (char *)array[a].data +
                                         offset_of(rank, dims, strides[a], met) * (int64_t)array[a].size);
            runs++;
        } while (rg__walk_next(&w));
        assert_int_equal(met, rg__numel(rank, dims));
        bool row_major = true;
        for (int a = 0; a < arrays; a++)
            row_major = row_major && rg__is_row_major(rank, dims, strides[a]);
        if (row_major)
            assert_int_equal(runs, 1);
    }
}

static void copies_move_every_element_and_touch_no_other(void **unused)
{
    (void)unused;
    static const size_t sizes[] = {1, 4, 8};
    for (int round = 0; round < 20000; round++) {
        const int rank = (int)draw(0, draw(0, 9) ? 4 : RG_MAX_RANK);
        const size_t size = sizes[draw(0, 2)];
        int64_t dims[RG_MAX_RANK], from[RG_MAX_RANK], to[RG_MAX_RANK], low, high, from_low, from_high;
        for (int i = 0; i < rank; i++)
            dims[i] = draw(0, 30) ? draw(1, 3) : 0;
        distinct_strides(rank, dims, to);
        for (int i = 0; i < rank; i++)
            from[i] = draw(-4, 4) * draw(0, 1);
        if (draw(0, 2) == 0)
            rg__row_major(rank, dims, from);
        range_of(rank, dims, to, &low, &high);
        range_of(rank, dims, from, &from_low, &from_high);
        const size_t bytes = (size_t)(high - low + 1) * size, from_bytes = (size_t)(from_high - from_low + 1) * size;
        /* Exactly as large as the elements reach, so that the address sanitizer sees a step too far. */
        char *out = malloc(bytes), *expected = malloc(bytes), *in = malloc(from_bytes);
        assert_true(out && expected && in);
        memset(out, 0x55, bytes);
        memset(expected, 0x55, bytes);
        for (size_t i = 0; i < from_bytes; i++)
            in[i] = (char)draw(0, 255);
        char *out_first = out - low * (int64_t)size, *in_first = in - from_low * (int64_t)size;
        for (int64_t k = 0; k < rg__numel(rank, dims); k++)
            memcpy(expected + (offset_of(rank, dims, to, k) - low) * (int64_t)size,
                   in_first + offset_of(rank, dims, from, k) * (int64_t)size, size);
        rg__copy(rank, dims, (rg__strided){out_first, to, size}, (rg__strided){in_first, from, size});
        assert_memory_equal(out, expected, bytes);
        free(out);
        free(expected);
        free(in);
    }
}

/* ---- the rest ---- */

static void the_first_error_stays(void **unused)
{
    (void)unused;
    rg__error error = {RG_OK, ""};
    rg__error_set(&error, RG_ERROR_SHAPE, "%s and %d", "one", 2);
    rg__error_set(&error, RG_ERROR_MEMORY, "another");
    assert_int_equal(error.status, RG_ERROR_SHAPE);
    assert_string_equal(error.message, "one and 2");
    error = (rg__error){RG_OK, ""};
    char text[4000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    rg__error_set(&error, RG_ERROR_FILE, "%s", text);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
}

static void hashes_depend_on_every_byte_and_the_seed(void **unused)
{
    (void)unused;
    unsigned char data[300] = {0};
    const uint64_t h = rg__hash64(data, sizeof data, 5);
    assert_true(h == rg__hash64(data, sizeof data, 5));
    assert_true(h != rg__hash64(data, sizeof data, 6));
    assert_true(h != rg__hash64(data, sizeof data - 1, 5));
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] ^= 1;
        assert_true(h != rg__hash64(data, sizeof data, 5));
        data[i] ^= 1;
    }
}

static void fingerprints_do_not_depend_on_how_the_pieces_are_cut(void **unused)
{
    (void)unused;
    unsigned char data[1000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)draw(0, 255);
    char whole[33], pieces[33];
    rg__hasher *hasher = rg__hasher_new();
    rg__hasher_add(hasher, data, sizeof data);
    rg__hasher_finish(hasher, whole);
    hasher = rg__hasher_new();
    for (size_t at = 0, n; at < sizeof data; at += n) {
        n = (size_t)draw(0, 50);
        n = n < sizeof data - at ? n : sizeof data - at;
        rg__hasher_add(hasher, data + at, n);
    }
    rg__hasher_finish(hasher, pieces);
    assert_string_equal(whole, pieces);
    assert_int_equal(strspn(whole, "0123456789abcdef"), 32);
}

static void threads_follow_the_environment_within_reason(void **unused)
{
    (void)unused;
    const char *set = getenv("OMP_NUM_THREADS");
    char *before = set ? strdup(set) : NULL;
    setenv("OMP_NUM_THREADS", "3", 1);
    assert_int_equal(rg__threads_default(), 3);
    setenv("OMP_NUM_THREADS", "1000000", 1);
    assert_in_range(rg__threads_default(), 3, 1024);
    unsetenv("OMP_NUM_THREADS");
    const int own = rg__threads_default();
    assert_in_range(own, 1, 1 << 20);
    static const char *const nonsense[] = {"", "0", "-4", "many"};
    for (size_t i = 0; i < COUNT(nonsense); i++) {
        setenv("OMP_NUM_THREADS", nonsense[i], 1);
        assert_int_equal(rg__threads_default(), own);
    }
    unsetenv("OMP_NUM_THREADS");
    if (before)
        setenv("OMP_NUM_THREADS", before, 1);
    free(before);
}

/* Large enough for the tiles of transposed matrices, with edges that no tile fills, in stacks of them. */
static void large_transposed_matrices_are_copied_right(void **state)
{
    (void)state;
    enum { STACK = 3, ROWS = 37, COLUMNS = 53 };
    static const int64_t dims[] = {STACK, COLUMNS, ROWS}, from[] = {ROWS * COLUMNS, 1, COLUMNS},
                         to[] = {ROWS * COLUMNS, ROWS, 1};
    static const size_t sizes[] = {1, 4, 8};
    static unsigned char in[STACK * ROWS * COLUMNS * 8], out[sizeof in];
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (unsigned char)(i * 2654435761u >> 13);
    for (size_t k = 0; k < 3; k++) {
        memset(out, 0, sizeof out);
        rg__copy(3, dims, (rg__strided){out, to, sizes[k]}, (rg__strided){in, from, sizes[k]});
        for (int64_t s = 0; s < STACK; s++)
            for (int64_t r = 0; r < ROWS; r++)
                for (int64_t c = 0; c < COLUMNS; c++)
                    assert_memory_equal(out + (size_t)(s * to[0] + c * to[1] + r) * sizes[k],
                                        in + (size_t)(s * from[0] + r * COLUMNS + c) * sizes[k], sizes[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numel_is_checked_against_overflow),
        cmocka_unit_test(public_shapes_of_bad_rank_count_nothing_and_equal_nothing),
        cmocka_unit_test(dtypes_have_names_and_sizes),
        cmocka_unit_test(axes_count_from_both_ends),
        cmocka_unit_test(shapes_are_printed_as_numpy_does_and_fit_their_buffer),
        cmocka_unit_test(row_major_strides_count_elements),
        cmocka_unit_test(row_major_is_judged_by_the_elements_alone),
        cmocka_unit_test(broadcasting_is_numpys),
        cmocka_unit_test(broadcast_strides_repeat_the_right_elements),
        cmocka_unit_test(reshape_finds_strides_exactly_where_they_exist),
        cmocka_unit_test(reshape_of_nothing_is_always_possible),
        cmocka_unit_test(walks_meet_every_element_of_all_arrays_in_order),
        cmocka_unit_test(copies_move_every_element_and_touch_no_other),
        cmocka_unit_test(the_first_error_stays),
        cmocka_unit_test(hashes_depend_on_every_byte_and_the_seed),
        cmocka_unit_test(fingerprints_do_not_depend_on_how_the_pieces_are_cut),
        cmocka_unit_test(threads_follow_the_environment_within_reason),
        cmocka_unit_test(large_transposed_matrices_are_copied_right),
    };
    return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
