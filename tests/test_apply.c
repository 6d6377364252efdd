/* Ops by name: attributes that are not what the signature says are refused in words, and no text breaks anything. */
#include "tape_support.h"

#include <retrograd/table.h>

#include <math.h>

static rg_tensor result;

static int apply(const char *name, const rg_tensor *in, int count, const char *attributes)
{
    result = RG_NIL;
    return rg_apply(tape, name, in, count, attributes, &result, 1);
}

#define REFUSED(name, in, count, attributes, ...)                  \
    do {                                                           \
        assert_int_equal(apply(name, in, count, attributes), 0);   \
        assert_error(tape, RG_ERROR_ARGUMENT, WORDS(__VA_ARGS__)); \
    } while (0)

static void attributes_that_do_not_fit_are_refused_in_words(void **state)
{
    (void)state;
    const rg_tensor x[3] = {rg_ones(tape, RG_F32, RG_SHAPE(1, 2, 3, 3)), rg_ones(tape, RG_F32, RG_SHAPE(2, 2, 1, 1))};
    REFUSED("convolution", x, 2, NULL, "there is no op 'convolution'");
    REFUSED(NULL, x, 2, NULL, "NULL");
    REFUSED("conv2d", x, 1, NULL, "conv2d: 1 tensors given", "x: float, weight: float");
    REFUSED("conv2d", x, 4, NULL, "4 tensors given");
    REFUSED("conv2d", x, -1, NULL, "-1 tensors given");
    REFUSED("conv2d", NULL, 2, NULL, "2 tensors given");
    REFUSED("conv2d", x, 2, "strides=2", "'strides' is unknown", "stride: ints = 1");
    REFUSED("conv2d", x, 2, "stride=2 stride=2", "'stride' is given twice");
    REFUSED("conv2d", x, 2, "stride", "'stride' is no attribute", "name=value");
    REFUSED("conv2d", x, 2, "=", "''");
    REFUSED("conv2d", x, 2, "stride=[1", "stride=[1 ");
    REFUSED("conv2d", x, 2, "stride=1,,2", "stride=1,,2 ");
    REFUSED("conv2d", x, 2, "stride=1.5", "stride=1.5 ");
    REFUSED("conv2d", x, 2, "stride=99999999999999999999", "stride=99999999999999999999 ");
    REFUSED("conv2d", x, 2, "stride=[1,1,1,1,1,1,1,1,1]", "9 numbers", "at most 8");
    REFUSED("conv2d", x, 2, "same=yes", "same=yes ", "flag");
    REFUSED("conv2d", x, 2, "mode=mirror", "mode=mirror ", "zeros|reflect|replicate|circular");
    REFUSED("conv2d", x, 2, "groups=0", "0 groups");
    REFUSED("conv2d", x, 2, "groups=none", "groups=none ", "int");
    REFUSED("softmax", x, 1, "axis=none", "axis=none ", "int");
    REFUSED("softmax", x, 1, "", "'axis' is missing");
    assert_int_equal(rg_apply(tape, "conv2d", x, 2, NULL, &result, 0), 0);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("room for 0 results", "1 needed"));
    assert_int_equal(apply("slice", x, 1, "axis=-1 start=none stop=2"), 1);
    assert_int_equal(rg_dim(tape, result, -1), 2);
}

static const char *const words[] = {"axis",
                                    "stride",
                                    "padding",
                                    "mode",
                                    "shape",
                                    "keepdim",
                                    "axes",
                                    "equation",
                                    "start",
                                    "=",
                                    "=",
                                    "=",
                                    " ",
                                    " ",
                                    "[",
                                    "]",
                                    "'",
                                    "\"",
                                    ",",
                                    "-1",
                                    "0",
                                    "1",
                                    "2",
                                    "none",
                                    "all",
                                    "true",
                                    "nan",
                                    "1e999",
                                    "0x1p3",
                                    "zeros",
                                    ".",
                                    "9223372036854775807",
                                    "-9223372036854775808",
                                    "\xff",
                                    "%s%n"};

/* Of every op, with its own attributes and others, in any order. */
static void no_text_breaks_anything(void **state)
{
    (void)state;
    rg_rng rng = rg_rng_new(7, 7);
    int taken = 0, refused = 0;
    for (int i = 0; i < 200 * rg_op_count(); i++) {
        rg_op op;
        assert_true(rg_op_at(i % rg_op_count(), &op));
        char text[600] = "";
        int64_t draw[12];
        rg_rng_integers(&rng, draw, 12, 0, COUNT(words));
        const char *own = strchr(op.signature, '='); /* an attribute with its default, if there is one */
        while (own && own > op.signature && own[-1] != ',')
            own--;
        if (own && draw[0] % 3)
            snprintf(text, sizeof text, "%.*s=", (int)strcspn(own + (*own == ' '), ":"), own + (*own == ' '));
        for (int64_t k = 0; k < draw[1] % 10; k++)
            strcat(text, words[draw[2 + k]]);
        const rg_tensor x = rg_ones(tape, (rg_dtype)(draw[11] % RG_DTYPES), RG_SHAPE(2, 2, 2));
        const rg_tensor in[4] = {x, x, x, x};
        rg_tensor out[4];
        const int count = op.least_inputs > 4 ? 4 : op.least_inputs ? op.least_inputs : (int)(draw[10] % 3);
        const bool ok = rg_apply(tape, op.name, in, count, text, out, 4) > 0;
        assert_true(ok == !rg_failed(tape));
        taken += ok;
        refused += !ok;
        if (!ok && strstr(rg_tape_error(tape), op.name) == NULL)
            fail_msg("%s(%s): '%s' does not name the op", op.name, text, rg_tape_error(tape));
        rg_tape_clear_error(tape);
        if (i % 100 == 0)
            rg_tape_reset(tape);
    }
    assert_true(taken > 100 && refused > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(attributes_that_do_not_fit_are_refused_in_words),
        TAPE_TEST(no_text_breaks_anything),
    };
    return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
