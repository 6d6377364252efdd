/* Convolution: the kernels against the definition over random shapes, threads against each other, numbers that are not
 * finite, and what the public functions refuse. */
#include "exec/kernels/conv.h"
#include "tape_support.h"

#include <math.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { KINDS = 400 };

typedef struct problem {
    rg__conv_shape s;
    int64_t x_numel, w_numel, y_numel;
    rg__conv_array x, w, y; /* strides of the arrays below */
    double *xd, *wd, *yd;
} problem;

static int64_t below(rg_rng *rng, int64_t n)
{
    int64_t out;
    rg_rng_integers(rng, &out, 1, 0, n);
    return out;
}

/* Row-major, or with its axes stored in the reverse order. */
static void lay_out(rg__conv_array *a, const int64_t *dims, bool reverse)
{
    int64_t stride = 1;
    for (int i = 4; i >= 0; i--) {
        const int axis = reverse ? 4 - i : i;
        a->strides[axis] = stride;
        stride *= dims[axis];
    }
}

static double *random_values(rg_rng *rng, int64_t n)
{
    double *x = calloc((size_t)n + 1, sizeof *x);
    assert_non_null(x);
    rg_rng_uniform_f64(rng, x, (size_t)n, -1, 1);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)x[i];
    return x;
}

/* Random values for p->s; x and w stored in either order. */
static void fill_problem(problem *p, rg_rng *rng, bool x_reverse, bool w_reverse)
{
    const rg__conv_shape *s = &p->s;
    const int64_t x[5] = {s->images, s->groups * s->in, s->x[0], s->x[1], s->x[2]};
    const int64_t w[5] = {s->groups * s->out, s->in, s->k[0], s->k[1], s->k[2]};
    const int64_t y[5] = {s->images, s->groups * s->out, s->y[0], s->y[1], s->y[2]};
    lay_out(&p->x, x, x_reverse);
    lay_out(&p->w, w, w_reverse);
    lay_out(&p->y, y, false);
    p->x_numel = p->w_numel = p->y_numel = 1;
    for (int i = 0; i < 5; i++) {
        p->x_numel *= x[i];
        p->w_numel *= w[i];
        p->y_numel *= y[i];
    }
    p->xd = random_values(rng, p->x_numel);
    p->wd = random_values(rng, p->w_numel);
    p->yd = random_values(rng, p->y_numel);
}

static problem problem_new(uint64_t seed)
{
    rg_rng rng = rg_rng_new(seed, 3);
    problem p = {0};
    rg__conv_shape *s = &p.s;
    s->images = 1 + below(&rng, 3);
    s->groups = 1 + below(&rng, 3);
    s->in = 1 + below(&rng, 4);
    s->out = 1 + below(&rng, 15);
    for (int i = 0; i < RG__CONV_AXES; i++) {
        const bool there = i == 2 || (i == 1 && seed % 4) || (i == 0 && seed % 4 == 3);
        s->x[i] = there ? 1 + below(&rng, i == 2 ? 40 : 8) : 1;
        s->k[i] = there ? 1 + below(&rng, 4) : 1;
        s->stride[i] = there ? 1 + below(&rng, 3) : 1;
        s->dilation[i] = there ? 1 + below(&rng, 3) : 1;
        s->spread[i] = there ? 1 + below(&rng, 3) : 1;
        s->before[i] = there ? below(&rng, 7) - 2 : 0;
        s->y[i] = there ? 1 + below(&rng, i == 2 ? 36 : 7) : 1;
    }
    const bool x_reverse = below(&rng, 2), w_reverse = below(&rng, 2);
    fill_problem(&p, &rng, x_reverse, w_reverse);
    return p;
}

static void problem_free(problem *p)
{
    free(p->xd);
    free(p->wd);
    free(p->yd);
}

/* Calls `each` with the places of x, w and y of every product that the definition has. */
static void define(const problem *p, void (*each)(const problem *p, int64_t x, int64_t w, int64_t y, double *out),
                   double *out)
{
    const rg__conv_shape *s = &p->s;
    int64_t k[3], o[3], y = 0;
    for (int64_t n = 0; n < s->images; n++)
        for (int64_t c = 0; c < s->groups * s->out; c++)
            for (o[0] = 0; o[0] < s->y[0]; o[0]++)
                for (o[1] = 0; o[1] < s->y[1]; o[1]++)
                    for (o[2] = 0; o[2] < s->y[2]; o[2]++, y++)
                        for (int64_t i = 0; i < s->in; i++)
                            for (k[0] = 0; k[0] < s->k[0]; k[0]++)
                                for (k[1] = 0; k[1] < s->k[1]; k[1]++)
                                    for (k[2] = 0; k[2] < s->k[2]; k[2]++) {
                                        int64_t x = n * p->x.strides[0] + (c / s->out * s->in + i) * p->x.strides[1];
                                        int64_t w = c * p->w.strides[0] + i * p->w.strides[1];
                                        bool there = true;
                                        for (int a = 0; a < 3; a++) {
                                            const int64_t at = o[a] * s->stride[a] + k[a] * s->dilation[a] - s->before[a];
                                            there = there && at >= 0 && at % s->spread[a] == 0 &&
                                                    at / s->spread[a] < s->x[a];
                                            x += at / s->spread[a] * p->x.strides[2 + a];
                                            w += k[a] * p->w.strides[2 + a];
                                        }
                                        if (there)
                                            each(p, x, w, y, out);
                                    }
}

static void add_result(const problem *p, int64_t x, int64_t w, int64_t y, double *out)
{
    out[y] += p->xd[x] * p->wd[w];
}

static void add_weight(const problem *p, int64_t x, int64_t w, int64_t y, double *out)
{
    out[w] += p->xd[x] * p->yd[y];
}

static float *single(const double *x, int64_t n)
{
    float *out = calloc((size_t)n + 1, sizeof *out);
    assert_non_null(out);
    for (int64_t i = 0; i < n; i++)
        out[i] = (float)x[i];
    return out;
}

/* One of the two maps, in f64 or f32; the result as f64. */
static void run(const problem *p, bool weight, size_t size, int threads, double *out)
{
    rg__pool pool = {0};
    const int64_t n = weight ? p->w_numel : p->y_numel;
    void *x = size == 4 ? (void *)single(p->xd, p->x_numel) : p->xd;
    void *w = size == 4 ? (void *)single(p->wd, p->w_numel) : p->wd;
    void *y = size == 4 ? (void *)single(p->yd, p->y_numel) : p->yd;
    void *result = malloc((size_t)(n + 1) * size);
    assert_non_null(result);
    rg__conv_array ax = p->x, aw = p->w, ay = p->y;
    ax.data = x;
    aw.data = w;
    ay.data = y;
    assert_true(weight ? rg__conv_weight(size, &p->s, ax, ay, result, threads, &pool)
                       : rg__conv(size, &p->s, ax, aw, result, threads, &pool));
    for (int64_t i = 0; i < n; i++)
        out[i] = size == 4 ? (double)((float *)result)[i] : ((double *)result)[i];
    free(result);
    if (size == 4) {
        free(x);
        free(w);
        free(y);
    }
    rg__pool_free(&pool);
}

/* The row-major weights at the places where `define` counts them. */
static double weight_at(const problem *p, const double *row_major, int64_t place)
{
    const int64_t dims[5] = {p->s.groups * p->s.out, p->s.in, p->s.k[0], p->s.k[1], p->s.k[2]};
    int64_t at = 0;
    for (int i = 0; i < 5; i++) {
        const int64_t stride = p->w.strides[i];
        int64_t index = place / stride;
        index %= dims[i]; /* strides are those of a permutation of the axes */
        at = at * dims[i] + index;
    }
    return row_major[at];
}

static void agree(uint64_t seed, const char *what, double expected, double found, double tolerance)
{
    if (!(fabs(expected - found) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("seed %llu, %s: %.17g instead of %.17g", (unsigned long long)seed, what, found, expected);
}

static void compare_with_definition(const problem *p, uint64_t seed)
{
    const int64_t n = p->y_numel > p->w_numel ? p->y_numel : p->w_numel;
    double *expected = calloc((size_t)n, sizeof *expected), *found = calloc((size_t)n, sizeof *found);
    define(p, add_result, expected);
    for (size_t size = 4; size <= 8; size += 4) {
        run(p, false, size, 1, found);
        for (int64_t i = 0; i < p->y_numel; i++)
            agree(seed, "result", expected[i], found[i], size == 4 ? 1e-5 : 1e-13);
    }
    memset(expected, 0, (size_t)n * sizeof *expected);
    define(p, add_weight, expected);
    for (size_t size = 4; size <= 8; size += 4) {
        run(p, true, size, 1, found);
        for (int64_t i = 0; i < p->w_numel; i++)
            agree(seed, "weight", expected[i], weight_at(p, found, i), size == 4 ? 1e-4 : 1e-12);
    }
    free(expected);
    free(found);
}

static void kernels_give_what_the_definition_gives(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < KINDS; seed++) {
        problem p = problem_new(seed);
        compare_with_definition(&p, seed);
        problem_free(&p);
    }
}

static const rg__conv_shape WIDE[] = {
    {1, 1, 20, 3, {1, 2, 6001}, {1, 2, 3}, {1, 3, 6003}, {1, 1, 1}, {1, 1, 2}, {1, 1, 1}, {0, 1, 3}},
    {2, 1, 18, 34, {1, 1, 4100}, {1, 1, 3}, {1, 1, 2050}, {1, 1, 2}, {1, 1, 1}, {1, 1, 1}, {0, 0, 1}},
    {1, 2, 40, 1, {1, 1, 3000}, {1, 1, 4}, {1, 1, 5999}, {1, 1, 1}, {1, 1, 1}, {1, 1, 2}, {0, 0, 1}},
    {1, 1, 70, 2, {1, 1, 2000}, {1, 1, 2}, {1, 1, 1400}, {1, 1, 1}, {1, 1, 600}, {1, 1, 1}, {0, 0, 0}},
    {1, 1, 40, 2, {1, 1, 3000}, {1, 1, 3}, {1, 1, 3000}, {1, 1, 2}, {1, 1, 1}, {1, 1, 2}, {0, 0, 1}},
};

static const rg__conv_shape SMALL[] = {
    {70, 1, 20, 24, {1, 4, 4}, {1, 3, 3}, {1, 4, 4}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}},
    {50, 2, 9, 17, {1, 8, 7}, {1, 3, 3}, {1, 4, 4}, {1, 2, 2}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}},
    {40, 1, 18, 20, {1, 4, 3}, {1, 3, 3}, {1, 8, 6}, {1, 1, 1}, {1, 1, 1}, {1, 2, 2}, {0, 1, 1}},
    {3, 1, 24, 12, {1, 460, 5}, {1, 3, 2}, {1, 460, 5}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}},
    {3, 1, 8, 9, {2, 6, 5}, {2, 3, 3}, {3, 5, 4}, {1, 3, 4}, {1, 1, 2}, {1, 2, 6}, {1, 1, 3}},
};

static void compare_all(const rg__conv_shape *shapes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rg_rng rng = rg_rng_new(i, 5);
        problem p = {.s = shapes[i]};
        fill_problem(&p, &rng, i % 2, i % 3);
        compare_with_definition(&p, i);
        problem_free(&p);
    }
}

/* Rows that are computed in parts. */
static void wide_rows_give_what_the_definition_gives(void **state)
{
    (void)state;
    compare_all(WIDE, COUNT(WIDE));
}

/* Rows shorter than a register, of several images at a time or, where these do not stay in a cache, of a part of one; zeros
 * between elements that a stride meets now and then. */
static void small_images_give_what_the_definition_gives(void **state)
{
    (void)state;
    compare_all(SMALL, COUNT(SMALL));
}

/* A copy of a long sequence for each of many threads would fill a machine. */
static void memory_does_not_grow_with_long_rows(void **state)
{
    (void)state;
    const rg__conv_shape s = {1,         1,         128,       128,      {1, 1, 30000}, {1, 1, 3}, {1, 1, 30000},
                              {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 1}};
    rg_rng rng = rg_rng_new(1, 6);
    problem p = {.s = s};
    fill_problem(&p, &rng, false, false);
    float *x = single(p.xd, p.x_numel), *w = single(p.wd, p.w_numel), *y = single(p.yd, p.y_numel);
    for (int weight = 0; weight < 2; weight++) {
        rg__pool pool = {0};
        rg__conv_array ax = p.x, aw = p.w, ay = p.y;
        ax.data = (char *)x;
        aw.data = (char *)w;
        ay.data = (char *)y;
        assert_true(weight ? rg__conv_weight(sizeof *x, &s, ax, ay, w, 16, &pool)
                           : rg__conv(sizeof *x, &s, ax, aw, y, 16, &pool));
        assert_true(pool.bytes < (size_t)p.x_numel * 2 * sizeof *x);
        rg__pool_free(&pool);
    }
    free(x);
    free(w);
    free(y);
    problem_free(&p);
}

/* The planes of one thread could be counted in bytes, those of 32 could not. */
static void more_memory_than_can_be_counted_is_refused(void **state)
{
    (void)state;
    const int64_t high = ((int64_t)1 << 52) + 16383;
    const rg__conv_shape s = {
        1, 1, 1, 1100, {1, 3, 16}, {1, 2, 2}, {1, 4, 16}, {1, 1, 1}, {1, high, 1}, {1, 1, 1}, {0, high / 2, 1}};
    rg_rng rng = rg_rng_new(1, 7);
    problem p = {.s = s};
    fill_problem(&p, &rng, false, false);
    p.x.data = (char *)p.xd;
    p.w.data = (char *)p.wd;
    p.y.data = (char *)p.yd;
    rg__pool pool = {0};
    assert_false(rg__conv(sizeof(double), &s, p.x, p.w, p.yd, 32, &pool));
    assert_false(rg__conv_weight(sizeof(double), &s, p.x, p.y, p.wd, 32, &pool));
    rg__pool_free(&pool);
    problem_free(&p);
}

/* Large enough to be shared out, with one image and with several. */
static void any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    static const rg__conv_shape shapes[] = {
        {1, 1, 5, 14, {1, 40, 41}, {1, 3, 3}, {1, 40, 41}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}},
        {7, 2, 4, 9, {1, 20, 21}, {1, 3, 2}, {1, 10, 11}, {1, 2, 2}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}},
        {3, 64, 1, 1, {1, 14, 14}, {1, 3, 3}, {1, 14, 14}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}},
        {1, 1, 40, 14, {1, 2, 9000}, {1, 1, 3}, {1, 2, 9000}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 1}},
        {2, 1, 130, 70, {1, 24, 24}, {1, 3, 3}, {1, 47, 47}, {1, 1, 1}, {1, 1, 1}, {1, 2, 2}, {0, 1, 1}},
        {70, 1, 40, 70, {1, 4, 4}, {1, 3, 3}, {1, 4, 4}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}},
    };
    for (size_t i = 0; i < COUNT(shapes); i++) {
        rg_rng rng = rg_rng_new(i, 4);
        problem p = {.s = shapes[i]};
        fill_problem(&p, &rng, false, false);
        for (int weight = 0; weight < 2; weight++) {
            const int64_t n = weight ? p.w_numel : p.y_numel;
            double *one = calloc((size_t)n, sizeof *one), *more = calloc((size_t)n, sizeof *more);
            run(&p, weight, 4, 1, one);
            for (int threads = 2; threads <= 5; threads++) {
                run(&p, weight, 4, threads, more);
                assert_memory_equal(one, more, (size_t)n * sizeof *one);
            }
            free(one);
            free(more);
        }
        problem_free(&p);
    }
}

/* An infinity of x reaches the results and weights that it takes part in, and no others. */
static void infinities_stay_where_they_belong(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        problem p = problem_new(seed);
        const int64_t n = p.y_numel > p.w_numel ? p.y_numel : p.w_numel;
        double *expected = calloc((size_t)n, sizeof *expected), *found = calloc((size_t)n, sizeof *found);
        p.xd[seed % (uint64_t)p.x_numel] = INFINITY;
        define(&p, add_result, expected);
        run(&p, false, 8, 1, found);
        for (int64_t i = 0; i < p.y_numel; i++)
            assert_true(isfinite(expected[i]) == isfinite(found[i]));
        memset(expected, 0, (size_t)n * sizeof *expected);
        define(&p, add_weight, expected);
        run(&p, true, 8, 1, found);
        for (int64_t i = 0; i < p.w_numel; i++)
            assert_true(isfinite(expected[i]) == isfinite(weight_at(&p, found, i)));
        free(expected);
        free(found);
        problem_free(&p);
    }
}

/* ---- the public functions ---- */

static rg_tensor zeros(rg_tape *t, rg_shape shape)
{
    return rg_zeros(t, RG_F32, shape);
}

#define REFUSED(call, status, ...)                                              \
    do {                                                                        \
        static const char *const words[] = {__VA_ARGS__};                       \
        assert_true(rg_is_nil(call));                                           \
        assert_int_equal(rg_tape_status(t), status);                            \
        for (size_t i = 0; i < COUNT(words); i++)                               \
            if (!strstr(rg_tape_error(t), words[i]))                            \
                fail_msg("'%s' does not say '%s'", rg_tape_error(t), words[i]); \
        rg_tape_clear_error(t);                                                 \
    } while (0)
#define WITH(...)     \
    &(rg_conv_config) \
    {                 \
        __VA_ARGS__   \
    }

static void bad_arguments_are_refused_with_words(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor x = zeros(t, RG_SHAPE(2, 4, 5, 5)), w = zeros(t, RG_SHAPE(6, 4, 3, 3)), b = zeros(t, RG_SHAPE(6));
    REFUSED(rg_conv2d(t, zeros(t, RG_SHAPE(5, 5)), w, b, NULL), RG_ERROR_SHAPE, "conv2d: ", "[5, 5]", "rank 4");
    REFUSED(rg_conv1d(t, x, w, b, NULL), RG_ERROR_SHAPE, "conv1d: ", "rank 3");
    REFUSED(rg_conv2d(t, x, zeros(t, RG_SHAPE(6, 3, 3, 3)), b, NULL), RG_ERROR_SHAPE, "[6, 3, 3, 3]", "4 channels");
    REFUSED(rg_conv2d(t, x, w, zeros(t, RG_SHAPE(5)), NULL), RG_ERROR_SHAPE, "bias [5]", "[6] is needed");
    REFUSED(rg_conv2d(t, x, w, b, WITH(.groups = 3)), RG_ERROR_SHAPE, "3 groups");
    REFUSED(rg_conv2d(t, x, w, b, WITH(.groups = -1)), RG_ERROR_SHAPE, "-1 groups");
    REFUSED(rg_conv2d(t, x, w, b, WITH(.stride = RG_SHAPE(0))), RG_ERROR_ARGUMENT, "stride is 0", "1 to");
    REFUSED(rg_conv2d(t, x, w, b, WITH(.stride = RG_SHAPE(1, 1, 1))), RG_ERROR_ARGUMENT, "3 numbers",
            "1 or 2 are needed");
    REFUSED(rg_conv2d(t, x, w, b, WITH(.padding = RG_SHAPE(-1))), RG_ERROR_ARGUMENT, "padding is -1", "0 to");
    REFUSED(rg_conv2d(t, x, w, b, WITH(.dilation = RG_SHAPE(INT64_MAX))), RG_ERROR_ARGUMENT, "dilation");
    REFUSED(rg_conv2d(t, x, w, b, WITH(.stride = {-1, {0}})), RG_ERROR_ARGUMENT, "stride");
    REFUSED(rg_conv2d(t, x, w, b, WITH(.dilation = RG_SHAPE(3))), RG_ERROR_SHAPE, "[2, 4, 5, 5]", "no place");
    REFUSED(rg_conv2d(t, x, w, b, WITH(.same = true, .stride = RG_SHAPE(2))), RG_ERROR_ARGUMENT, "same", "stride 2");
    REFUSED(rg_conv2d(t, x, w, b, WITH(.mode = (rg_pad_kind)4)), RG_ERROR_ARGUMENT, "mode 4");
    REFUSED(rg_conv2d(t, x, w, b, WITH(.mode = RG_PAD_REFLECT, .padding = RG_SHAPE(5))), RG_ERROR_ARGUMENT, "padding 5",
            "at most 4");
    REFUSED(rg_conv2d(t, x, zeros(t, RG_SHAPE(6, 4, 0, 3)), b, NULL), RG_ERROR_SHAPE, "[6, 4, 0, 3]");
    REFUSED(rg_conv2d(t, rg_cast(t, x, RG_F64), w, b, NULL), RG_ERROR_DTYPE, "f64", "f32");
    REFUSED(rg_conv2d(t, rg_cast(t, x, RG_I32), w, b, NULL), RG_ERROR_DTYPE, "i32");
    REFUSED(rg_conv2d(t, x, w, rg_cast(t, b, RG_F64), NULL), RG_ERROR_DTYPE, "bias f64");
    REFUSED(rg_conv_transpose2d(t, x, w, b, NULL), RG_ERROR_SHAPE, "conv_transpose2d: ", "[in, out / groups, ...]");
    const rg_tensor v = zeros(t, RG_SHAPE(4, 6, 3, 3));
    REFUSED(rg_conv_transpose2d(t, x, v, b, WITH(.output_padding = RG_SHAPE(1))), RG_ERROR_ARGUMENT, "output_padding 1");
    REFUSED(rg_conv_transpose2d(t, x, v, b, WITH(.padding = RG_SHAPE(4))), RG_ERROR_SHAPE,
            "the result's extents [-1, -1]", "no place");
    REFUSED(rg_conv_transpose2d(t, zeros(t, RG_SHAPE(2, 4, 0, 5)), v, b, NULL), RG_ERROR_SHAPE, "x [2, 4, 0, 5]",
            "without elements");
    const rg_tensor unbatched = zeros(t, RG_SHAPE(4, 5, 2));
    REFUSED(rg_conv2d(t, unbatched, w, b, NULL), RG_ERROR_SHAPE, "x [4, 5, 2]", "no place");
    const rg_tensor one = zeros(t, RG_SHAPE(1, 1, 1)),
                    long_kernel = rg_expand(t, one, RG_SHAPE(1, 1, ((int64_t)1 << 34) + 1));
    REFUSED(rg_conv1d(t, one, long_kernel, RG_NIL, WITH(.dilation = RG_SHAPE(1 << 30))), RG_ERROR_SHAPE,
            "too large a kernel");
    REFUSED(rg_conv_transpose1d(t, rg_expand(t, one, RG_SHAPE(1, 1, (int64_t)1 << 50)), one, RG_NIL,
                                WITH(.stride = RG_SHAPE(1 << 30))),
            RG_ERROR_SHAPE, "too large a result");
    REFUSED(rg_conv_transpose2d(t, x, v, b, WITH(.same = true)), RG_ERROR_ARGUMENT, "same");
    REFUSED(rg_conv_transpose2d(t, x, v, b, WITH(.stride = RG_SHAPE(1 << 30))), RG_ERROR_SHAPE, "too large");
    rg_tape_free(t);
}

/* A convolution is the product with the matrix of its windows, which is what a kernel as large as x shows. */
static void a_kernel_as_large_as_x_is_a_product(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    rg_tensor x = rg_randn(t, RG_F64, RG_SHAPE(3, 4, 5, 6)), w = rg_randn(t, RG_F64, RG_SHAPE(7, 4, 5, 6));
    rg_tensor y = rg_reshape(t, rg_conv2d(t, x, w, RG_NIL, NULL), RG_SHAPE(3, 7));
    rg_tensor product =
        rg_matmul(t, rg_reshape(t, x, RG_SHAPE(3, 120)), rg_transpose(t, rg_reshape(t, w, RG_SHAPE(7, 120)), 0, 1));
    assert_true(rg_item(t, rg_max(t, rg_abs(t, rg_sub(t, y, product)), RG_ALL, false)) < 1e-12);
    rg_tape_free(t);
}

/* A stride far beyond x: what there is to compute does not grow with it. */
static void strides_beyond_x_cost_nothing(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    rg_tensor x = rg_ones(t, RG_F64, RG_SHAPE(1, 1, 2, 2)), w = rg_full(t, RG_F64, RG_SHAPE(1, 1, 1, 1), 3), grad[2];
    rg_tensor y = rg_conv2d(t, x, w, RG_NIL, WITH(.stride = RG_SHAPE(1 << 30)));
    assert_true(rg_grad(t, rg_sum(t, y, RG_ALL, false), (rg_tensor[]){x, w}, 2, grad));
    const double *dx = rg_data_f64(t, grad[0]), *dw = rg_data_f64(t, grad[1]);
    assert_non_null(dx);
    assert_non_null(dw);
    assert_true(dx[0] == 3 && dx[1] == 0 && dx[2] == 0 && dx[3] == 0 && dw[0] == 1);
    rg_tape_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_give_what_the_definition_gives),
        cmocka_unit_test(wide_rows_give_what_the_definition_gives),
        cmocka_unit_test(small_images_give_what_the_definition_gives),
        cmocka_unit_test(memory_does_not_grow_with_long_rows),
        cmocka_unit_test(more_memory_than_can_be_counted_is_refused),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(infinities_stay_where_they_belong),
        cmocka_unit_test(bad_arguments_are_refused_with_words),
        cmocka_unit_test(a_kernel_as_large_as_x_is_a_product),
        cmocka_unit_test(strides_beyond_x_cost_nothing),
    };
    return cmocka_run_group_tests_name("conv", tests, NULL, NULL);
}
