/* Pooling, resampling and sampling of images: against their definitions over random windows, laws that hold of them, threads
 * against each other, and what the public functions refuse. */
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static int64_t below(rg_rng *rng, int64_t n)
{
    int64_t out;
    rg_rng_integers(rng, &out, 1, 0, n);
    return out;
}

/* ---- windows, by definition ---- */

enum { AXES = 3, MOST = 4096 };

typedef struct problem {
    int axes;
    int64_t in[AXES], out[AXES], kernel[AXES], stride[AXES], padding[AXES], dilation[AXES];
    bool ceil_mode;
} problem;

static int64_t span(const problem *p, int i)
{
    return (p->kernel[i] - 1) * p->dilation[i] + 1;
}

/* How many windows there are: as many as fit within the padding; in ceil mode, as begin before the end and behind one that
 * ends before it. */
static int64_t windows(const problem *p, int i)
{
    int64_t n = 0;
    while (p->ceil_mode ? n * p->stride[i] - p->padding[i] < p->in[i] &&
                              (n - 1) * p->stride[i] + span(p, i) < p->in[i] + 2 * p->padding[i]
                        : n * p->stride[i] + span(p, i) <= p->in[i] + 2 * p->padding[i])
        n++;
    return n;
}

static bool any_empty(const problem *p)
{
    for (int i = 0; i < p->axes; i++)
        for (int64_t o = 0; o < p->out[i]; o++) {
            bool found = false;
            for (int64_t k = 0; k < p->kernel[i]; k++) {
                const int64_t at = o * p->stride[i] - p->padding[i] + k * p->dilation[i];
                found = found || (at >= 0 && at < p->in[i]);
            }
            if (!found)
                return true;
        }
    return false;
}

/* False where there is no window. Some windows are much larger than what there is. */
static bool problem_new(problem *p, uint64_t seed, bool dilated)
{
    rg_rng rng = rg_rng_new(seed, 5);
    *p = (problem){.axes = 1 + (int)(seed % AXES), .ceil_mode = below(&rng, 2)};
    for (int i = 0; i < p->axes; i++) {
        const bool huge = below(&rng, 12) == 0;
        p->in[i] = 1 + below(&rng, p->axes == 1 ? 60 : p->axes == 2 ? 14 : 6);
        p->kernel[i] = 1 + below(&rng, huge ? 300 : 5);
        p->stride[i] = 1 + below(&rng, 4);
        p->dilation[i] = dilated ? 1 + below(&rng, 3) : 1;
        p->padding[i] = huge ? span(p, i) / 2 : below(&rng, span(p, i) / 2 + 1);
        p->out[i] = windows(p, i);
        if (p->out[i] == 0)
            return false;
    }
    for (int i = p->axes; i < AXES; i++)
        p->in[i] = p->out[i] = p->kernel[i] = p->stride[i] = p->dilation[i] = 1;
    return !any_empty(p);
}

typedef struct answer {
    double max, sum;
    int64_t at, inside, counted; /* elements there are, and those with the padding that there is */
} answer;

/* Of the window at `o`, element after element: the first of equal ones, and the last NaN. */
static answer of_window(const problem *p, const double *x, const int64_t *o)
{
    answer a = {.at = -1, .inside = 0, .counted = 0};
    for (int64_t d = 0; d < p->kernel[0]; d++)
        for (int64_t h = 0; h < p->kernel[1]; h++)
            for (int64_t w = 0; w < p->kernel[2]; w++) {
                const int64_t k[AXES] = {d, h, w};
                int64_t place = 0;
                bool inside = true, counted = true;
                for (int i = 0; i < AXES; i++) {
                    const int64_t at = o[i] * p->stride[i] - p->padding[i] + k[i] * p->dilation[i];
                    inside = inside && at >= 0 && at < p->in[i];
                    counted = counted && at < p->in[i] + p->padding[i];
                    place = place * p->in[i] + at;
                }
                a.counted += counted;
                if (!inside)
                    continue;
                a.sum += x[place];
                a.inside++;
                if (a.at < 0 || x[place] > a.max || isnan(x[place])) {
                    a.max = x[place];
                    a.at = place;
                }
            }
    return a;
}

static rg_shape list(const int64_t *numbers, int count)
{
    rg_shape s = {count, {0}};
    memcpy(s.dims, numbers, (size_t)count * sizeof *numbers);
    return s;
}

typedef rg_tensor (*pooling)(rg_tape *, rg_tensor, rg_shape, const rg_pool_config *);
typedef rg_tensor (*indexed)(rg_tape *, rg_tensor, rg_shape, const rg_pool_config *, rg_tensor *);
static const pooling max_pool[] = {rg_max_pool1d, rg_max_pool2d, rg_max_pool3d};
static const pooling avg_pool[] = {rg_avg_pool1d, rg_avg_pool2d, rg_avg_pool3d};
static const indexed max_pool_with_indices[] = {rg_max_pool1d_with_indices, rg_max_pool2d_with_indices,
                                                rg_max_pool3d_with_indices};

enum { CHANNELS = 3 };

/* Few different numbers, so that many are equal; NaN and infinities among the floats. */
static void fill(double *x, int64_t n, uint64_t seed, rg_dtype dtype)
{
    static const double special[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, -0.0};
    rg_rng rng = rg_rng_new(seed, 9);
    const int64_t mostly = below(&rng, 3);
    for (int64_t i = 0; i < n; i++) {
        x[i] = (double)(below(&rng, 7) - 3);
        if (dtype <= RG_F64 && below(&rng, 9) < mostly * mostly)
            x[i] = special[below(&rng, COUNT(special))];
        if (dtype <= RG_F64 && mostly == 2 && seed % 5 == 0)
            x[i] = -(double)INFINITY;
    }
}

/* The planes of a tensor of [CHANNELS, spatial...], or the same stored with its axes in the reverse order. */
static rg_tensor images(rg_tape *t, const problem *p, const double *x, rg_dtype dtype, bool reversed)
{
    rg_shape s = {1 + p->axes, {CHANNELS, p->in[0], p->in[1], p->in[2]}};
    if (!reversed)
        return rg_cast(t, rg_input_f64(t, s, x), dtype);
    rg_axes back = {s.rank, {0}};
    for (int i = 0; i < s.rank; i++)
        back.axis[i] = s.rank - 1 - i;
    const rg_tensor whole = rg_cast(t, rg_input_f64(t, s, x), dtype);
    return rg_permute(t, rg_contiguous(t, rg_permute(t, whole, back)), back);
}

static void check_max(uint64_t seed, rg_dtype dtype)
{
    static double x[MOST * CHANNELS], value[MOST * CHANNELS];
    static int64_t at[MOST * CHANNELS];
    problem p;
    if (!problem_new(&p, seed, true))
        return;
    const int64_t n = p.in[0] * p.in[1] * p.in[2], m = p.out[0] * p.out[1] * p.out[2];
    assert_true(n <= MOST && m <= MOST);
    fill(x, n * CHANNELS, seed, dtype);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.eager = seed % 7 == 0});
    const rg_pool_config c = {.stride = list(p.stride, p.axes),
                              .padding = list(p.padding, p.axes),
                              .dilation = list(p.dilation, p.axes),
                              .ceil_mode = p.ceil_mode};
    const rg_tensor in = images(t, &p, x, dtype, seed % 2);
    rg_tensor index, with = max_pool_with_indices[p.axes - 1](t, in, list(p.kernel, p.axes), &c, &index);
    const rg_tensor alone = rg_cast(t, max_pool[p.axes - 1](t, in, list(p.kernel, p.axes), &c), RG_F64);
    assert_tape_ok(t);
    assert_int_equal(rg_numel(t, alone), m * CHANNELS);
    assert_true(rg_read(t, alone, value, (size_t)(m * CHANNELS) * sizeof *value));
    assert_true(rg_read(t, index, at, (size_t)(m * CHANNELS) * sizeof *at));
    const double *same = rg_data_f64(t, rg_cast(t, with, RG_F64));
    assert_non_null(same);
    for (int64_t i = 0; i < m * CHANNELS; i++) {
        const int64_t o[] = {i % m / p.out[2] / p.out[1], i / p.out[2] % p.out[1], i % p.out[2]};
        const answer a = of_window(&p, x + i / m * n, o);
        if (at[i] != a.at || (value[i] != a.max && !(isnan(value[i]) && isnan(a.max))) ||
            (signbit(value[i]) != signbit(a.max) && !isnan(a.max)) || memcmp(&value[i], &same[i], sizeof *value) != 0)
            fail_msg("seed %d, %s: %g at %d, by definition %g at %d", (int)seed, rg_dtype_name(dtype), value[i],
                     (int)at[i], a.max, (int)a.at);
    }
    rg_tape_free(t);
}

static void maxima_are_those_of_the_definition(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1200; seed++)
        check_max(seed, (rg_dtype)(seed / 3 % 4));
}

static int check_average(uint64_t seed)
{
    static double x[MOST * CHANNELS];
    problem p;
    if (!problem_new(&p, seed, false))
        return 0;
    const int64_t n = p.in[0] * p.in[1] * p.in[2], m = p.out[0] * p.out[1] * p.out[2];
    assert_true(n <= MOST && m <= MOST);
    rg_rng rng = rg_rng_new(seed, 2);
    rg_rng_uniform_f64(&rng, x, (size_t)(n * CHANNELS), -1, 1);
    rg_tape *t = rg_tape_new(NULL);
    const rg_pool_config c = {.stride = list(p.stride, p.axes),
                              .padding = list(p.padding, p.axes),
                              .ceil_mode = p.ceil_mode,
                              .count_exclude_pad = seed % 2,
                              .divisor_override = seed % 5 == 0 && p.axes > 1 ? 3 : 0};
    const rg_tensor in = images(t, &p, x, RG_F64, seed / 2 % 2);
    const rg_tensor mean = avg_pool[p.axes - 1](t, in, list(p.kernel, p.axes), &c);
    const double *value = rg_data_f64(t, mean);
    assert_tape_ok(t);
    for (int64_t i = 0; i < m * CHANNELS; i++) {
        const int64_t o[] = {i % m / p.out[2] / p.out[1], i / p.out[2] % p.out[1], i % p.out[2]};
        const answer a = of_window(&p, x + i / m * n, o);
        const double divisor = c.divisor_override ? 3 : (double)(c.count_exclude_pad ? a.inside : a.counted);
        if (!(fabs(value[i] - a.sum / divisor) <= 1e-13 * (1 + fabs(a.sum))))
            fail_msg("seed %d: %.17g, by definition %.17g", (int)seed, value[i], a.sum / divisor);
    }
    rg_tape_free(t);
    return 1;
}

static void averages_are_those_of_the_definition(void **state)
{
    (void)state;
    int checked = 0;
    for (uint64_t seed = 0; seed < 400; seed++)
        checked += check_average(seed);
    assert_true(checked > 200);
}

/* ---- laws ---- */

static rg_tensor random_images(rg_tape *t, rg_dtype dtype, rg_shape s)
{
    return rg_randn(t, dtype, s);
}

static void assert_same(rg_tape *t, rg_tensor a, rg_tensor b, double tolerance)
{
    const rg_tensor x = rg_cast(t, a, RG_F64), y = rg_cast(t, b, RG_F64);
    const int64_t n = rg_numel(t, x);
    assert_true(rg_shape_equal(rg_shape_of(t, x), rg_shape_of(t, y)));
    const double *p = rg_data_f64(t, x), *q = rg_data_f64(t, y);
    assert_tape_ok(t);
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(p[i] - q[i]) <= tolerance))
            fail_msg("element %d is %.17g and %.17g", (int)i, p[i], q[i]);
}

static void constants_stay_constant(void **state)
{
    (void)state;
    static const char *const calls[][2] = {
        {"avg_pool2d", "kernel_size=7"},
        {"avg_pool2d", "kernel_size=3 stride=2 padding=1 count_include_pad=false"},
        {"adaptive_avg_pool2d", "output_size=[5,3]"},
        {"adaptive_avg_pool2d", "output_size=1"},
        {"interpolate", "size=[17,5]"},
        {"interpolate", "size=[17,5] mode=bilinear"},
        {"interpolate", "size=[5,17] mode=bicubic align_corners=true"},
        {"interpolate", "scale_factor=[0.7,2.3] mode=bicubic"},
        {"interpolate", "size=[5,17] mode=area"},
    };
    for (int dtype = RG_F32; dtype <= RG_F64; dtype++)
        for (int i = 0; i < COUNT(calls); i++) {
            rg_tape *t = rg_tape_new(NULL);
            const rg_tensor x = rg_full(t, (rg_dtype)dtype, RG_SHAPE(1, 2, 13, 9), 3);
            rg_tensor y;
            assert_int_equal(rg_apply(t, calls[i][0], &x, 1, calls[i][1], &y, 1), 1);
            assert_same(t, y, rg_full_like(t, y, 3), dtype == RG_F32 ? 2e-6 : 1e-14);
            rg_tape_free(t);
        }
}

/* Averages of few whole numbers are divisions of their sum, not sums of rounded parts. */
static void averages_of_whole_numbers_are_rounded_once(void **state)
{
    (void)state;
    static const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 11};
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor in = rg_input_f32(t, RG_SHAPE(1, 3, 3), x);
    assert_true(rg_data_f32(t, rg_avg_pool2d(t, in, RG_SHAPE(3), NULL))[0] == 47.f / 9);
    const float *row = rg_data_f32(t, rg_avg_pool1d(t, rg_reshape(t, in, RG_SHAPE(1, 9)), RG_SHAPE(7), NULL));
    assert_true(row && row[0] == 4);
    rg_tape_free(t);
}

static void linear_interpolation_keeps_lines(void **state)
{
    (void)state;
    double x[6], line[11];
    for (int i = 0; i < 6; i++)
        x[i] = 3 - 2 * i;
    for (int i = 0; i < 11; i++)
        line[i] = 3 - i;
    rg_tape *t = rg_tape_new(NULL);
    const rg_interpolate_config c = {.mode = RG_INTERPOLATE_LINEAR, .size = RG_SHAPE(11), .align_corners = true};
    assert_same(t, rg_interpolate(t, rg_input_f64(t, RG_SHAPE(1, 1, 6), x), &c),
                rg_input_f64(t, RG_SHAPE(1, 1, 11), line), 1e-14);
    rg_tape_free(t);
}

static void shuffles_and_their_inverses_cancel(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor x = random_images(t, RG_F64, RG_SHAPE(2, 18, 3, 4));
    assert_same(t, rg_pixel_unshuffle(t, rg_pixel_shuffle(t, x, 3), 3), x, 0);
    assert_same(t, rg_channel_shuffle(t, rg_channel_shuffle(t, x, 3), 6), x, 0);
    rg_tape_free(t);
}

static void columns_go_back_as_often_as_windows_overlap(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    const rg_fold_config c = {.padding = RG_SHAPE(1), .stride = RG_SHAPE(2, 1), .dilation = RG_SHAPE(1, 2)};
    const rg_tensor x = random_images(t, RG_F64, RG_SHAPE(2, 3, 7, 6)), ones = rg_ones_like(t, x);
    const rg_tensor back = rg_col2im(t, rg_im2col(t, x, RG_SHAPE(3, 2), &c), RG_SHAPE(7, 6), RG_SHAPE(3, 2), &c);
    const rg_tensor times = rg_col2im(t, rg_im2col(t, ones, RG_SHAPE(3, 2), &c), RG_SHAPE(7, 6), RG_SHAPE(3, 2), &c);
    assert_same(t, back, rg_mul(t, x, times), 1e-13);
    rg_tape_free(t);
}

static void convolution_is_a_product_with_columns(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor x = random_images(t, RG_F64, RG_SHAPE(2, 3, 6, 5)), w = rg_randn(t, RG_F64, RG_SHAPE(4, 3, 3, 2));
    const rg_tensor columns = rg_im2col(t, x, RG_SHAPE(3, 2), &(rg_fold_config){.padding = RG_SHAPE(1)});
    const rg_tensor product = rg_matmul(t, rg_reshape(t, w, RG_SHAPE(4, 18)), columns);
    const rg_tensor y = rg_conv2d(t, x, w, RG_NIL, &(rg_conv_config){.padding = RG_SHAPE(1)});
    assert_same(t, rg_reshape(t, product, rg_shape_of(t, y)), y, 1e-12);
    rg_tape_free(t);
}

static void maxima_come_back_to_where_they_were(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor x = random_images(t, RG_F32, RG_SHAPE(2, 3, 6, 9));
    rg_tensor at;
    const rg_tensor y = rg_max_pool2d_with_indices(t, x, RG_SHAPE(2, 3), NULL, &at);
    const rg_tensor back = rg_max_unpool2d(t, y, at, RG_SHAPE(2, 3), NULL), zero = rg_zeros_like(t, x);
    assert_same(t, back, rg_where(t, rg_eq(t, back, zero), zero, x), 0);
    assert_same(t, rg_sum(t, back, RG_ALL, false), rg_sum(t, y, RG_ALL, false), 1e-4);
    rg_tape_free(t);
}

static void the_identity_grid_gives_the_image(void **state)
{
    (void)state;
    static const double identity[] = {1, 0, 0, 0, 1, 0};
    for (int corners = 0; corners < 2; corners++)
        for (int mode = RG_GRID_BILINEAR; mode <= RG_GRID_BICUBIC; mode++)
            for (int padding = RG_GRID_ZEROS; padding <= RG_GRID_REFLECTION; padding++) {
                rg_tape *t = rg_tape_new(NULL);
                const rg_tensor x = random_images(t, RG_F64, RG_SHAPE(1, 2, 5, 7));
                const rg_tensor theta = rg_input_f64(t, RG_SHAPE(1, 2, 3), identity);
                const rg_tensor grid = rg_affine_grid(t, theta, rg_shape_of(t, x), corners);
                const rg_grid_config c = {(rg_grid_mode)mode, (rg_grid_padding)padding, corners};
                assert_same(t, rg_grid_sample(t, x, grid, &c), x, 1e-13);
                rg_tape_free(t);
            }
}

/* ---- threads ---- */

static void collect(int threads, rg_dtype dtype, const char *op, const char *attributes, rg_shape s, double **out,
                    int64_t *n)
{
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads, .seed = 3});
    rg_tensor x = rg_randn(t, dtype, s), in[2] = {x, RG_NIL}, y[2], grad[2];
    int count = 1;
    if (strcmp(op, "grid_sample") == 0)
        in[count++] = rg_randn(t, dtype, RG_SHAPE(s.dims[0], 30, 30, 2));
    assert_true(rg_apply(t, op, in, count, attributes, y, 2) > 0);
    rg_grad_with(t, y[0], rg_randn_like(t, y[0]), in, count, grad);
    rg_tensor all =
        rg_cat(t, (rg_tensor[]){rg_reshape(t, y[0], RG_SHAPE(-1)), rg_reshape(t, grad[0], RG_SHAPE(-1))}, 2, 0);
    if (count == 2)
        all = rg_cat(t, (rg_tensor[]){all, rg_reshape(t, grad[1], RG_SHAPE(-1))}, 2, 0);
    all = rg_cast(t, all, RG_F64);
    *n = rg_numel(t, all);
    *out = calloc((size_t)*n + 1, sizeof **out);
    assert_non_null(*out);
    rg_read(t, all, *out, (size_t)*n * sizeof **out);
    assert_tape_ok(t);
    rg_tape_free(t);
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    static const struct {
        const char *op, *attributes;
        rg_shape x;
    } cases[] = {
        {"max_pool2d", "kernel_size=2", {4, {5, 7, 40, 40}}},
        {"max_pool2d", "kernel_size=3 stride=2 padding=1", {4, {5, 7, 41, 40}}},
        {"max_pool3d_with_indices", "kernel_size=3 stride=1 padding=1", {5, {2, 3, 12, 13, 14}}},
        {"adaptive_max_pool2d", "output_size=[7,9]", {4, {5, 7, 40, 40}}},
        {"avg_pool2d", "kernel_size=3 stride=2 padding=1 ceil_mode=true", {4, {5, 7, 40, 40}}},
        {"lp_pool2d", "norm_type=2 kernel_size=3", {4, {5, 7, 40, 40}}},
        {"interpolate", "scale_factor=1.7 mode=bicubic", {4, {5, 7, 40, 40}}},
        {"interpolate", "scale_factor=2", {4, {5, 7, 40, 40}}},
        {"im2col", "kernel_size=3 stride=2 padding=1", {4, {5, 7, 40, 40}}},
        {"grid_sample", "", {4, {5, 7, 40, 40}}},
        {"grid_sample", "mode=nearest padding_mode=border", {4, {5, 7, 40, 40}}},
        {"grid_sample", "mode=bicubic padding_mode=reflection", {4, {5, 7, 40, 40}}},
    };
    for (int i = 0; i < COUNT(cases); i++)
        for (int dtype = RG_F32; dtype <= RG_F64; dtype++) {
            double *one, *two;
            int64_t n, m;
            collect(1, (rg_dtype)dtype, cases[i].op, cases[i].attributes, cases[i].x, &one, &n);
            collect(2, (rg_dtype)dtype, cases[i].op, cases[i].attributes, cases[i].x, &two, &m);
            assert_int_equal(n, m);
            if (memcmp(one, two, (size_t)n * sizeof *one) != 0)
                fail_msg("%s %s", cases[i].op, cases[i].attributes);
            free(one);
            free(two);
        }
}

/* ---- what is refused ---- */

static void refused(const char *op, const char *attributes, rg_shape s, rg_dtype dtype, rg_status status, const char *part)
{
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor x = rg_zeros(t, dtype, s), in[] = {x, rg_zeros(t, RG_I64, s)};
    const bool two = strstr(op, "unpool") != NULL;
    rg_tensor out[2];
    const int results = rg_apply(t, op, in, two ? 2 : 1, attributes, out, 2);
    if (results != 0 || rg_tape_status(t) != status || !strstr(rg_tape_error(t), part) || !strstr(rg_tape_error(t), op))
        fail_msg("%s %s: %d results, status %d, '%s'; wanted %d, '%s'", op, attributes, results, (int)rg_tape_status(t),
                 rg_tape_error(t), (int)status, part);
    rg_tape_free(t);
}

static void wrong_arguments_are_named(void **state)
{
    (void)state;
    const rg_shape image = RG_SHAPE(1, 2, 4, 5), line = RG_SHAPE(1, 2, 4), none = RG_SHAPE(1, 2, 0, 5);
    refused("max_pool2d", "kernel_size=2", line.rank == 3 ? RG_SHAPE(4, 5) : line, RG_F32, RG_ERROR_SHAPE, "x is [4, 5]");
    refused("max_pool2d", "kernel_size=2", none, RG_F32, RG_ERROR_SHAPE, "of extent 0");
    refused("max_pool2d", "kernel_size=2", image, RG_BOOL, RG_ERROR_DTYPE, "bool");
    refused("max_pool2d", "kernel_size=0", image, RG_F32, RG_ERROR_ARGUMENT, "kernel_size is 0; 1 to 2147483647");
    refused("max_pool2d", "kernel_size=-9223372036854775808", image, RG_F32, RG_ERROR_ARGUMENT, "kernel_size is -92");
    refused("max_pool2d", "kernel_size=[2,2,2]", image, RG_F32, RG_ERROR_ARGUMENT, "kernel_size has 3 numbers; 1 or 2");
    refused("max_pool2d", "kernel_size=none", image, RG_F32, RG_ERROR_ARGUMENT, "kernel_size has 0 numbers");
    refused("max_pool2d", "kernel_size=2 stride=0", image, RG_F32, RG_ERROR_ARGUMENT, "stride is 0");
    refused("max_pool2d", "kernel_size=2 padding=-1", image, RG_F32, RG_ERROR_ARGUMENT, "padding is -1");
    refused("max_pool2d", "kernel_size=2 padding=2", image, RG_F32, RG_ERROR_ARGUMENT,
            "padding 2 is more than half of the 2");
    refused("max_pool2d", "kernel_size=2 dilation=9223372036854775807", image, RG_F32, RG_ERROR_ARGUMENT,
            "dilation is 92");
    refused("max_pool2d", "kernel_size=5", image, RG_F32, RG_ERROR_SHAPE, "a window spans 5 elements; there are 4");
    refused("max_pool2d", "kernel_size=2147483647 dilation=2147483647", image, RG_F32, RG_ERROR_SHAPE, "a window spans");
    refused("max_pool1d", "kernel_size=2 dilation=3 padding=2", RG_SHAPE(1, 1), RG_F32, RG_ERROR_ARGUMENT,
            "holds nothing but padding");
    refused("avg_pool2d", "kernel_size=2 divisor_override=0", image, RG_F32, RG_ERROR_ARGUMENT, "divisor_override is 0");
    refused("avg_pool2d", "kernel_size=2", image, RG_I64, RG_ERROR_DTYPE, "i64");
    refused("lp_pool2d", "kernel_size=2 norm_type=0", image, RG_F32, RG_ERROR_ARGUMENT, "norm_type is 0");
    refused("lp_pool2d", "kernel_size=2 norm_type=nan", image, RG_F32, RG_ERROR_ARGUMENT, "norm_type is");
    refused("adaptive_avg_pool2d", "output_size=-2", image, RG_F32, RG_ERROR_ARGUMENT, "output_size is -2; -1 to");
    refused("adaptive_max_pool2d", "output_size=[1,2,3]", image, RG_F32, RG_ERROR_ARGUMENT, "output_size has 3 numbers");
    refused("max_unpool2d", "kernel_size=2 output_size=[6,10]", image, RG_F32, RG_ERROR_ARGUMENT,
            "output_size is 6; from 4");
    refused("max_unpool2d", "kernel_size=2 padding=9", image, RG_F32, RG_ERROR_ARGUMENT, "output_size is -10");
    refused("interpolate", "", image, RG_F32, RG_ERROR_ARGUMENT, "neither of size and scale_factor");
    refused("interpolate", "size=2 scale_factor=2", image, RG_F32, RG_ERROR_ARGUMENT, "both size and scale_factor");
    refused("interpolate", "size=0", image, RG_F32, RG_ERROR_ARGUMENT, "size is 0");
    refused("interpolate", "scale_factor=0.1", image, RG_F32, RG_ERROR_ARGUMENT,
            "scale_factor 0.1 makes 0.4 elements of 4");
    refused("interpolate", "scale_factor=-1", image, RG_F32, RG_ERROR_ARGUMENT, "scale_factor is -1");
    refused("interpolate", "scale_factor=nan", image, RG_F32, RG_ERROR_ARGUMENT, "scale_factor");
    refused("interpolate", "scale_factor=[2,x]", image, RG_F32, RG_ERROR_ARGUMENT, "scale_factor=[2,x]");
    refused("interpolate", "scale_factor=[2,2,2]", image, RG_F32, RG_ERROR_ARGUMENT, "scale_factor=[2,2,2]");
    refused("interpolate", "scale_factor=[2,0]", image, RG_F32, RG_ERROR_ARGUMENT, "scale_factor=[2,0]");
    refused("interpolate", "size=2 mode=linear", image, RG_F32, RG_ERROR_SHAPE, "linear needs [N, C, ...] with 1");
    refused("interpolate", "size=2 mode=bicubic", line, RG_F32, RG_ERROR_SHAPE, "bicubic needs");
    refused("interpolate", "size=2 align_corners=true", image, RG_F32, RG_ERROR_ARGUMENT, "align_corners is for linear");
    refused("interpolate", "size=2", RG_SHAPE(4, 5), RG_F32, RG_ERROR_SHAPE, "x is [4, 5]");
    refused("interpolate", "size=2", none, RG_F32, RG_ERROR_SHAPE, "none of extent 0");
    refused("pixel_shuffle", "upscale_factor=2", image, RG_F32, RG_ERROR_SHAPE, "2 channels are not divided by 4");
    refused("pixel_shuffle", "upscale_factor=0", image, RG_F32, RG_ERROR_ARGUMENT, "upscale_factor is 0");
    refused("pixel_shuffle", "upscale_factor=4294967296", image, RG_F32, RG_ERROR_ARGUMENT,
            "upscale_factor is 4294967296");
    refused("pixel_unshuffle", "downscale_factor=2", image, RG_F32, RG_ERROR_SHAPE, "not divided by downscale_factor 2");
    refused("pixel_unshuffle", "downscale_factor=2", RG_SHAPE(4, 4), RG_F32, RG_ERROR_SHAPE, "[..., C, H, W] is needed");
    refused("channel_shuffle", "groups=3", image, RG_F32, RG_ERROR_ARGUMENT, "groups 3");
    refused("channel_shuffle", "groups=0", image, RG_F32, RG_ERROR_ARGUMENT, "groups 0");
    refused("im2col", "kernel_size=6", image, RG_F32, RG_ERROR_SHAPE, "a window spans 6 elements");
    refused("im2col", "kernel_size=[1,2] padding=2147483647", image, RG_F32, RG_ERROR_SHAPE, "too many");
    refused("col2im", "kernel_size=2 output_size=3", RG_SHAPE(1, 4, 5), RG_F32, RG_ERROR_SHAPE, "[N, C 4, 4]");
    refused("col2im", "kernel_size=2 output_size=3", RG_SHAPE(1, 6, 4), RG_F32, RG_ERROR_SHAPE, "x is [1, 6, 4]");
    refused("col2im", "kernel_size=2 output_size=2147483647 padding=2147483647", RG_SHAPE(1, 4, 4), RG_F32,
            RG_ERROR_SHAPE, "too many");
    refused("affine_grid", "size=[1,1,2]", RG_SHAPE(1, 2, 3), RG_F32, RG_ERROR_SHAPE, "size [1, 1, 2]");
    refused("affine_grid", "size=[2,1,2,2]", RG_SHAPE(1, 2, 3), RG_F32, RG_ERROR_SHAPE, "theta is [1, 2, 3]");
}

/* Checks one call of a C function: it gives nil, and the error has this status. */
static void gone(rg_tape *t, rg_tensor y, rg_status status)
{
    assert_true(rg_is_nil(y));
    assert_int_equal(rg_tape_status(t), status);
    rg_tape_clear_error(t);
}

static void wrong_arguments_of_the_functions_are_errors(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor x = rg_zeros(t, RG_F32, RG_SHAPE(1, 2, 4, 5)), grid = rg_zeros(t, RG_F32, RG_SHAPE(1, 3, 3, 2));
    const rg_shape bad = {1 << 20, {0}}, two = RG_SHAPE(2);
    rg_tensor at;
    gone(t, rg_max_pool2d(t, x, bad, NULL), RG_ERROR_ARGUMENT);
    gone(t, rg_max_pool2d(t, x, (rg_shape){-1, {0}}, NULL), RG_ERROR_ARGUMENT);
    gone(t, rg_max_pool2d(t, x, two, &(rg_pool_config){.stride = bad}), RG_ERROR_ARGUMENT);
    gone(t, rg_max_pool2d(t, x, two, &(rg_pool_config){.count_exclude_pad = true}), RG_ERROR_ARGUMENT);
    gone(t, rg_avg_pool2d(t, x, two, &(rg_pool_config){.dilation = two}), RG_ERROR_ARGUMENT);
    gone(t, rg_avg_pool1d(t, rg_zeros(t, RG_F32, RG_SHAPE(1, 4)), two, &(rg_pool_config){.divisor_override = 2}),
         RG_ERROR_ARGUMENT);
    gone(t, rg_lp_pool2d(t, x, 2, two, &(rg_pool_config){.padding = two}), RG_ERROR_ARGUMENT);
    gone(t, rg_max_pool2d_with_indices(t, x, two, NULL, NULL), RG_ERROR_ARGUMENT);
    gone(t, rg_adaptive_max_pool2d_with_indices(t, x, two, NULL), RG_ERROR_ARGUMENT);
    gone(t, rg_max_pool2d_with_indices(t, x, bad, NULL, &at), RG_ERROR_ARGUMENT);
    assert_true(rg_is_nil(at));
    gone(t, rg_max_unpool2d(t, x, x, two, NULL), RG_ERROR_DTYPE);
    gone(t, rg_max_unpool2d(t, x, rg_zeros(t, RG_I64, RG_SHAPE(1, 2, 4, 4)), two, NULL), RG_ERROR_SHAPE);
    gone(t, rg_interpolate(t, x, NULL), RG_ERROR_ARGUMENT);
    gone(t, rg_interpolate(t, x, &(rg_interpolate_config){.mode = (rg_interpolation)99, .size = two}), RG_ERROR_ARGUMENT);
    gone(t, rg_interpolate(t, x, &(rg_interpolate_config){.scale_factor = {0, 2}}), RG_ERROR_ARGUMENT);
    gone(t, rg_interpolate(t, x, &(rg_interpolate_config){.scale_factor = {1e300}}), RG_ERROR_ARGUMENT);
    gone(t, rg_interpolate(t, x, &(rg_interpolate_config){.size = bad}), RG_ERROR_ARGUMENT);
    gone(t, rg_pixel_shuffle(t, x, INT64_MIN), RG_ERROR_ARGUMENT);
    gone(t, rg_channel_shuffle(t, x, INT64_MIN), RG_ERROR_ARGUMENT);
    gone(t, rg_im2col(t, x, bad, NULL), RG_ERROR_ARGUMENT);
    gone(t, rg_col2im(t, x, two, two, NULL), RG_ERROR_SHAPE);
    gone(t, rg_grid_sample(t, x, grid, &(rg_grid_config){.mode = (rg_grid_mode)3}), RG_ERROR_ARGUMENT);
    gone(t, rg_grid_sample(t, x, grid, &(rg_grid_config){.padding_mode = (rg_grid_padding)-1}), RG_ERROR_ARGUMENT);
    gone(t, rg_grid_sample(t, x, rg_cast(t, grid, RG_F64), NULL), RG_ERROR_DTYPE);
    gone(t, rg_grid_sample(t, x, x, NULL), RG_ERROR_SHAPE);
    gone(t,
         rg_grid_sample(t, rg_zeros(t, RG_F32, RG_SHAPE(1, 1, 2, 2, 2)), rg_zeros(t, RG_F32, RG_SHAPE(1, 1, 1, 1, 3)),
                        &(rg_grid_config){.mode = RG_GRID_BICUBIC}),
         RG_ERROR_ARGUMENT);
    gone(t, rg_affine_grid(t, rg_zeros(t, RG_F32, RG_SHAPE(1, 2, 3)), bad, false), RG_ERROR_SHAPE);
    gone(t, rg_affine_grid(t, grid, RG_SHAPE(1, 1, 2, 2), false), RG_ERROR_SHAPE);
    gone(t, rg_max_pool2d(t, RG_NIL, two, NULL), RG_ERROR_HANDLE);
    gone(t, rg_grid_sample(t, x, RG_NIL, NULL), RG_ERROR_HANDLE);
    assert_true(rg_is_nil(rg_max_pool2d(NULL, x, two, NULL)));
    rg_tape_free(t);
}

static void an_index_outside_of_the_plane_is_an_error_of_the_run(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 2; threads++)
        for (int64_t bad = -1; bad <= 16; bad += 17) {
            rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads});
            const int64_t at[] = {0, 5, bad, 3};
            const rg_tensor x = rg_ones(t, RG_F32, RG_SHAPE(1, 2, 2)), index = rg_input_i64(t, RG_SHAPE(1, 2, 2), at);
            const rg_tensor y = rg_max_unpool2d(t, x, index, RG_SHAPE(2), NULL);
            assert_false(rg_failed(t));
            assert_null(rg_data(t, y));
            assert_int_equal(rg_tape_status(t), RG_ERROR_VALUE);
            assert_non_null(strstr(rg_tape_error(t),
                                   bad < 0 ? "index -1 is out of range 0 to 15" : "index 16 is out of range 0 to 15"));
            rg_tape_free(t);
        }
}

static void repeated_indices_leave_the_last(void **state)
{
    (void)state;
    static const int64_t at[] = {3, 1, 3, 3};
    static const float x[] = {1, 2, 3, 4};
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor in = rg_input_f32(t, RG_SHAPE(1, 4), x);
    const rg_tensor y = rg_max_unpool1d(t, in, rg_input_i64(t, RG_SHAPE(1, 4), at), RG_SHAPE(1), NULL);
    const float *out = rg_data_f32(t, y);
    assert_tape_ok(t);
    assert_true(out[0] == 0 && out[1] == 2 && out[2] == 0 && out[3] == 4);
    rg_tape_free(t);
}

/* No more than a kernel's worth of work or memory, whatever the numbers say. */
static void huge_windows_cost_what_there_is(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor x = rg_ones(t, RG_F32, RG_SHAPE(1, 1, 3));
    const int64_t most = INT32_MAX;
    const rg_pool_config c = {.stride = RG_SHAPE(most), .padding = RG_SHAPE(most / 2), .ceil_mode = true};
    const float *y = rg_data_f32(t, rg_max_pool1d(t, x, RG_SHAPE(most), &c));
    assert_tape_ok(t);
    assert_true(y[0] == 1);
    y = rg_data_f32(
        t, rg_avg_pool1d(
               t, x, RG_SHAPE(most),
               &(rg_pool_config){.stride = RG_SHAPE(most), .padding = RG_SHAPE(most / 2), .count_exclude_pad = true}));
    assert_tape_ok(t);
    assert_true(y[0] == 1);
    rg_tape_free(t);
}

static void empty_results_and_batches_are_allowed(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor x = rg_ones(t, RG_F32, RG_SHAPE(2, 3, 4, 4));
    rg_tensor grad;
    const rg_tensor y = rg_adaptive_avg_pool2d(t, x, RG_SHAPE(0, 2)), z = rg_adaptive_max_pool2d(t, x, RG_SHAPE(2, 0));
    assert_int_equal(rg_numel(t, y), 0);
    assert_int_equal(rg_numel(t, z), 0);
    assert_true(rg_grad_with(t, y, rg_ones_like(t, y), &x, 1, &grad));
    assert_same(t, grad, rg_zeros_like(t, x), 0);
    assert_true(rg_grad_with(t, z, rg_ones_like(t, z), &x, 1, &grad));
    assert_same(t, grad, rg_zeros_like(t, x), 0);
    const rg_tensor none = rg_ones(t, RG_F32, RG_SHAPE(2, 0, 4, 4));
    assert_int_equal(rg_dim(t, rg_max_pool2d(t, none, RG_SHAPE(2), NULL), 2), 2);
    assert_non_null(rg_data(t, rg_max_pool2d(t, none, RG_SHAPE(2), NULL)));
    assert_tape_ok(t);
    rg_tape_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maxima_are_those_of_the_definition),
        cmocka_unit_test(averages_are_those_of_the_definition),
        cmocka_unit_test(constants_stay_constant),
        cmocka_unit_test(averages_of_whole_numbers_are_rounded_once),
        cmocka_unit_test(linear_interpolation_keeps_lines),
        cmocka_unit_test(shuffles_and_their_inverses_cancel),
        cmocka_unit_test(columns_go_back_as_often_as_windows_overlap),
        cmocka_unit_test(convolution_is_a_product_with_columns),
        cmocka_unit_test(maxima_come_back_to_where_they_were),
        cmocka_unit_test(the_identity_grid_gives_the_image),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(wrong_arguments_are_named),
        cmocka_unit_test(wrong_arguments_of_the_functions_are_errors),
        cmocka_unit_test(an_index_outside_of_the_plane_is_an_error_of_the_run),
        cmocka_unit_test(repeated_indices_leave_the_last),
        cmocka_unit_test(huge_windows_cost_what_there_is),
        cmocka_unit_test(empty_results_and_batches_are_allowed),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
