/* What the planner makes simpler about shapes: views through copies, reductions of what is repeated. */
#include "simplify_support.h"

#include "autograd/tape.h"

/* ---- views ---- */

#define MATRIX rg_reshape(t, rg_arange(t, RG_F64, 0, 60, 1), RG_SHAPE(3, 4, 5))
static rg_tensor copied(rg_tape *t, rg_tensor x)
{
    return rg_contiguous(t, x);
}

static rg_tensor turned(rg_tape *t, rg_tensor x)
{
    return rg_transpose(t, x, 0, 2);
}

PROGRAM(transposed_twice, READ(turned(t, turned(t, MATRIX))))
PROGRAM(copied_between, READ(copied(t, turned(t, copied(t, turned(t, MATRIX))))))
PROGRAM(copied_twice, READ(copied(t, turned(t, copied(t, copied(t, turned(t, MATRIX)))))))
PROGRAM(sliced_copy, READ(rg_slice(t, turned(t, copied(t, turned(t, MATRIX))), 1, 1, RG_END, 2)))
PROGRAM(flipped_copy, READ(rg_flip(t, copied(t, rg_flip(t, MATRIX, RG_AXES(2))), RG_AXES(0))))
PROGRAM(copied_expansion, READ(copied(t, rg_expand(t, rg_slice(t, MATRIX, 1, 0, 1, 1), RG_SHAPE(3, 4, 5)))))
PROGRAM(copy_of_rows, READ(copied(t, rg_slice(t, MATRIX, 0, 1, RG_END, 1))))
PROGRAM(reshaped_within_axes,
        READ(rg_reshape(t,
                        turned(t, copied(t, turned(t, rg_reshape(t, copied(t, turned(t, MATRIX)), RG_SHAPE(5, 2, 2, 3))))),
                        RG_SHAPE(-1))))
PROGRAM(reshaped_across_axes, READ(rg_reshape(t, turned(t, MATRIX), RG_SHAPE(-1))))
PROGRAM(scattered, READ(copied(t, turned(t, MATRIX))))
PROGRAM(asked_for_itself, copied(t, turned(t, copied(t, turned(t, MATRIX)))))
PROGRAM(multiplied,
        READ(rg_matmul(t, rg_slice(t, rg_reshape(t, MATRIX, RG_SHAPE(10, 6)), 0, 0, 4, 1),
                       copied(t, rg_transpose(t, rg_reshape(t, rg_square(t, MATRIX), RG_SHAPE(10, 6)), 0, 1)))))

static void copies_are_seen_through(void **state)
{
    (void)state;
    static const example list[] = {
        {"a transpose of a transpose", transposed_twice, "copy", 0},
        {"a copy between", copied_between, "copy", 0},
        {"copies between", copied_twice, "copy", 0},
        {"a slice with a step", sliced_copy, "copy", 0},
        {"flips", flipped_copy, "copy", 0},
        {"an expansion", copied_expansion, "copy", 0},
        {"whole rows", copy_of_rows, "copy", 0},
        {"a copy asked for", asked_for_itself, "copy", 1},
        {"axes that were joined", reshaped_across_axes, "copy", 1},
        {"axes that were split", reshaped_within_axes, "copy", 1},
        {"what lies scattered", scattered, "copy", 1},
        {"a factor of a product", multiplied, "copy", 0},
    };
    CHECK(list);
}

/* A new first axis, along which x is repeated. */
static rg_tensor repeated(rg_tape *t, rg_tensor x, int64_t times)
{
    const rg_shape s = rg_shape_of(t, x);
    rg_shape more = {s.rank + 1, {times}};
    memcpy(more.dims + 1, s.dims, (size_t)s.rank * sizeof *s.dims);
    return rg_expand(t, x, more);
}

/* Views and copies in any order, and axes split and joined: whatever is seen through, it is the same elements. */
static rg_tensor wander(rg_tape *t, rg_rng rng, int steps)
{
    rg_tensor x = rg_reshape(t, rg_arange(t, RG_I64, 0, 120, 1), RG_SHAPE(2, 3, 4, 5));
    for (int i = 0; i < steps; i++) {
        const rg_shape s = rg_shape_of(t, x);
        int64_t r[4];
        rg_rng_integers(&rng, r, 4, 0, 1 << 20);
        const int axis = (int)(r[1] % s.rank), other = (int)(r[2] % s.rank);
        const bool grows = s.rank < 6 && rg_numel(t, x) < 250;
        switch (r[0] % 9) {
        case 0: x = rg_transpose(t, x, axis, other); break;
        case 1: x = rg_flip(t, x, RG_AXES(axis)); break;
        case 2: x = rg_slice(t, x, axis, r[2] % (1 + s.dims[axis] / 2), RG_END, 1 + r[3] % 3); break;
        case 3: x = rg_slice(t, x, axis, -1, RG_END, -1 - r[3] % 2); break;
        case 4: x = rg_reshape(t, x, RG_SHAPE(s.dims[0], rg_numel(t, x) / s.dims[0])); break;
        case 5: x = rg_numel(t, x) % 2 ? x : rg_reshape(t, x, RG_SHAPE(2, 1, rg_numel(t, x) / 2)); break;
        case 6: x = grows ? repeated(t, x, 2) : x; break;
        default: x = rg_contiguous(t, x); break;
        }
    }
    return x;
}

static int recorded_copies(const rg_tape *t)
{
    int copies = 0;
    for (uint32_t id = 0; id < t->length; id++)
        copies += rg__at(t, id)->op == rg__op_copy;
    return copies;
}

static void any_chain_of_views_and_copies_keeps_its_elements(void **state)
{
    (void)state;
    int recorded = 0, computed = 0;
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        rg_tape *tape[2] = {rg_tape_new(NULL), rg_tape_new(&(rg_tape_config){.eager = true})};
        outcome o[2];
        for (int i = 0; i < 2; i++) {
            rg_tape *t = tape[i];
            const rg_tensor x = wander(t, rg_rng_new(seed, 7), 4 + (int)(seed % 12));
            const rg_tensor y = rg_add(t, x, rg_sum(t, x, RG_AXES(-1), true));
            rg_keep(t, y);
            recorded += recorded_copies(t);
            computed += i == 0 ? times(t, "copy") : 0;
            o[i] = read_all(t, y);
        }
        if (!same_outcomes(&o[0], &o[1]))
            fail_msg("seed %llu: not the same elements", (unsigned long long)seed);
        rg_tape_free(tape[0]);
        rg_tape_free(tape[1]);
    }
    print_message("%d copies recorded, %d computed\n", recorded, computed);
    assert_true(computed > 0 && 2 * computed < recorded);
}

/* ---- repeats ---- */

#define ROWS     rg_slice(t, S64, 0, 0, 4, 1)
#define SEVEN    rg_input_f64(t, RG_SHAPE(7, 1), (const double[]){1, -2, 3.5, -0., 0, 1024, -.125})
#define WIDE(x)  rg_expand(t, x, RG_SHAPE(7, 24))
#define TALL(x)  rg_expand(t, rg_reshape(t, x, RG_SHAPE(1, 7, 1)), RG_SHAPE(5, 7, 3))
#define SPECIALS rg_expand(t, rg_unsqueeze(t, S64, 1), RG_SHAPE(COUNT(special_f64), 3))
#define SINGLES  rg_expand(t, rg_unsqueeze(t, S32, 1), RG_SHAPE(COUNT(special_f32), 8))

PROGRAM(sum_of_wide, READ(rg_sum(t, WIDE(SEVEN), RG_AXES(1), false)))
PROGRAM(sum_of_specials, READ(rg_sum(t, SPECIALS, RG_AXES(-1), true)))
PROGRAM(sum_of_singles, READ(rg_sum(t, SINGLES, RG_AXES(1), false)))
PROGRAM(sum_of_integers, READ(rg_sum(t, rg_expand(t, I32, RG_SHAPE(6, COUNT(special_i32))), RG_AXES(0), false)))
PROGRAM(sum_of_long, READ(rg_sum(t, rg_expand(t, I64, RG_SHAPE(3, COUNT(special_i64))), RG_AXES(0), true)))
PROGRAM(sum_of_squares, READ(rg_sum(t, WIDE(rg_square(t, SEVEN)), RG_AXES(1), false)))
PROGRAM(sum_over_both, READ(rg_sum(t, WIDE(SEVEN), RG_ALL, false)))
PROGRAM(sum_in_the_middle, READ(rg_sum(t, TALL(SEVEN), RG_AXES(1, 2), false)))
PROGRAM(sum_beside, READ(rg_sum(t, TALL(SEVEN), RG_AXES(0, 2), true)))
PROGRAM(sum_along, READ(rg_sum(t, TALL(SEVEN), RG_AXES(1), false)))
PROGRAM(sum_of_copy, READ(rg_sum(t, rg_contiguous(t, WIDE(SEVEN)), RG_AXES(1), false)))
PROGRAM(sum_of_one, READ(rg_sum(t, rg_square(t, SEVEN), RG_AXES(1), false)))
PROGRAM(sum_of_minus_zero, READ(rg_sum(t, SEVEN, RG_AXES(1), false)))
PROGRAM(sum_of_nothing, READ(rg_sum(t, rg_expand(t, S64, RG_SHAPE(0, COUNT(special_f64))), RG_AXES(0), false)))
PROGRAM(sum_of_too_many, READ(rg_sum(t, rg_expand(t, rg_scalar(t, RG_F32, .5), RG_SHAPE(4097, 4097)), RG_ALL, false)))
PROGRAM(max_of_specials, READ(rg_max(t, SPECIALS, RG_AXES(1), false)))
PROGRAM(min_of_singles, READ(rg_min(t, SINGLES, RG_AXES(1), true)))
PROGRAM(max_over_both, READ(rg_max(t, TALL(SEVEN), RG_ALL, false)))
PROGRAM(any_of_repeated, READ(rg_any(t, rg_expand(t, TRUTHS, RG_SHAPE(4, 3)), RG_AXES(0), false)))
PROGRAM(product_of_repeated, READ(rg_prod(t, WIDE(SEVEN), RG_AXES(1), false)))
PROGRAM(first_of_repeated, READ(rg_cast(t, rg_argmax(t, WIDE(SEVEN), 1, false), RG_F64)))

static void reductions_of_what_is_repeated_do_not_repeat_it(void **state)
{
    (void)state;
    static const example list[] = {
        {"sum", sum_of_wide, "sum", 0},
        {"sum", sum_of_wide, "mul", 1},
        {"sum of specials", sum_of_specials, "mul", 1},
        {"the zero of a sum", sum_of_specials, "add", 1},
        {"the zero of a sum of squares", sum_of_squares, "add", 0},
        {"sum of f32", sum_of_singles, "mul", 1},
        {"sum of i32", sum_of_integers, "mul", 1},
        {"sum of i64", sum_of_long, "mul", 1},
        {"sum over everything", sum_over_both, "mul", 1},
        {"sum along and beside", sum_in_the_middle, "mul", 1},
        {"sum beside", sum_beside, "mul", 1},
        {"sum along alone", sum_along, "mul", 0},
        {"sum of a copy", sum_of_copy, "copy", 0},
        {"sum of a copy", sum_of_copy, "mul", 1},
        {"sum of one", sum_of_one, NULL, 3},
        {"sum of one that may be -0", sum_of_minus_zero, NULL, 3},
        {"sum of nothing", sum_of_nothing, "mul", 0},
        {"max of specials", max_of_specials, NULL, 2},
        {"min of f32", min_of_singles, NULL, 3},
        {"max over everything", max_over_both, NULL, 3},
        {"max over what is left", max_over_both, "max", 0},
        {"any", any_of_repeated, "any", 0},
        {"prod", product_of_repeated, "prod", 1},
        {"argmax", first_of_repeated, "argmax", 1},
    };
    CHECK(list);
}

/* f32 has no 4097^2, i32 no 2^31. They are only planned. */
static void a_count_that_the_dtype_lacks_is_no_factor(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    rg_keep(t, sum_of_too_many(t));
    assert_int_equal(times(t, "mul"), 0);
    rg_tape_reset(t);
    rg_keep(t, rg_sum(t, rg_expand(t, rg_scalar(t, RG_F32, .5), RG_SHAPE(4096, 4096)), RG_ALL, false));
    assert_int_equal(times(t, "mul"), 1);
    rg_tape_reset(t);
    rg_keep(t, rg_sum(t, rg_expand(t, rg_scalar(t, RG_I32, 1), RG_SHAPE(INT32_MAX + INT64_C(1))), RG_ALL, false));
    assert_int_equal(times(t, "mul"), 0);
    rg_tape_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_seen_through),
        cmocka_unit_test(any_chain_of_views_and_copies_keeps_its_elements),
        cmocka_unit_test(reductions_of_what_is_repeated_do_not_repeat_it),
        cmocka_unit_test(a_count_that_the_dtype_lacks_is_no_factor),
    };
    return cmocka_run_group_tests_name("simplify shapes", tests, NULL, NULL);
}
