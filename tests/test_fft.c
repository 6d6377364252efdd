/* Fourier transforms against their definition, of every kind of length; what the golden files are too small to show. */
#include "tape_support.h"

enum { MOST = 4096 };

/* A draw in [-1, 1) that depends on i alone. */
static double draw(int64_t i)
{
    rg_rng rng = rg_rng_new(1, 2);
    double x;
    rng.counter = (uint64_t)i;
    rg_rng_uniform_f64(&rng, &x, 1, -1, 1);
    return x;
}

/* x [n, 2] -> [n, 2] by the definition, with exact angles. */
static void by_definition(int64_t n, int sign, const double *x, double *y)
{
    for (int64_t k = 0; k < n; k++) {
        long double re = 0, im = 0;
        for (int64_t j = 0; j < n; j++) {
            const long double angle =
                2 * 3.14159265358979323846264338327950288L * (long double)(j * k % n) / (long double)n;
            const long double c = cosl(angle), s = (long double)sign * sinl(angle);
            re += x[2 * j] * c - x[2 * j + 1] * s;
            im += x[2 * j] * s + x[2 * j + 1] * c;
        }
        y[2 * k] = (double)re;
        y[2 * k + 1] = (double)im;
    }
}

/* The error relative to the root mean square of what is expected. */
static double error_of(const double *x, const double *expected, int64_t n)
{
    double worst = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs(x[i] - expected[i]));
        squares += expected[i] * expected[i];
    }
    return squares > 0 ? worst / sqrt(squares / (double)n) : worst;
}

static const int64_t OTHERS[] = {81, 97, 100, 121, 125, 128, 169, 211, 243, 256, 343, 360, 500, 509, 512};

static int64_t length_at(int i)
{
    return i < 64 ? i + 1 : OTHERS[i - 64];
}
enum { LENGTHS = 64 + sizeof OTHERS / sizeof *OTHERS };

static void transforms_of_every_length_follow_the_definition(void **state)
{
    (void)state;
    static double x[MOST], expected[MOST], back[MOST];
    for (int i = 0; i < LENGTHS; i++) {
        const int64_t n = length_at(i);
        for (int64_t j = 0; j < 2 * n; j++)
            x[j] = draw(j + 1000 * n);
        const rg_tensor in = rg_input_f64(tape, RG_SHAPE(n, 2), x);
        by_definition(n, -1, x, expected);
        const double *y = rg_data_f64(tape, rg_fft(tape, in, 0, 0, RG_FFT_BACKWARD));
        assert_tape_ok(tape);
        if (!(error_of(y, expected, 2 * n) < 3e-15))
            fail_msg("fft of %lld: error %g", (long long)n, error_of(y, expected, 2 * n));
        by_definition(n, 1, x, back);
        const double *z = rg_data_f64(tape, rg_ifft(tape, in, 0, 0, RG_FFT_FORWARD));
        assert_tape_ok(tape);
        if (!(error_of(z, back, 2 * n) < 3e-15))
            fail_msg("ifft of %lld: error %g", (long long)n, error_of(z, back, 2 * n));
        rg_tape_reset(tape);
    }
}

static void real_transforms_are_halves_of_complex_ones(void **state)
{
    (void)state;
    static double x[MOST], wide[MOST], expected[MOST];
    for (int i = 0; i < LENGTHS; i++) {
        const int64_t n = length_at(i), half = n / 2 + 1;
        for (int64_t j = 0; j < n; j++) {
            x[j] = wide[2 * j] = draw(j + 77 * n);
            wide[2 * j + 1] = 0;
        }
        by_definition(n, -1, wide, expected);
        const rg_tensor in = rg_input_f64(tape, RG_SHAPE(n), x), spectrum = rg_rfft(tape, in, 0, -1, RG_FFT_BACKWARD);
        const double *y = rg_data_f64(tape, spectrum);
        assert_tape_ok(tape);
        assert_int_equal(rg_dim(tape, spectrum, 0), half);
        if (!(error_of(y, expected, 2 * half) < 3e-15))
            fail_msg("rfft of %lld: error %g", (long long)n, error_of(y, expected, 2 * half));
        assert_true(y[1] == 0 && (n % 2 || y[2 * half - 1] == 0));
        const double *back = rg_data_f64(tape, rg_irfft(tape, spectrum, n, -1, RG_FFT_BACKWARD));
        assert_tape_ok(tape);
        if (!(error_of(back, x, n) < 3e-15))
            fail_msg("irfft of %lld: error %g", (long long)n, error_of(back, x, n));
        rg_tape_reset(tape);
    }
}

/* There and back again: the error grows with the logarithm of the length. */
static void long_transforms_stay_accurate(void **state)
{
    (void)state;
    static const int64_t lengths[] = {65536, 65537, 50653, 60000, 65521};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        const int64_t n = lengths[i];
        double *x = malloc((size_t)n * 2 * sizeof *x);
        assert_non_null(x);
        for (int64_t j = 0; j < 2 * n; j++)
            x[j] = draw(j);
        const rg_tensor y = rg_fft(tape, rg_input_f64(tape, RG_SHAPE(n, 2), x), 0, 0, RG_FFT_ORTHO);
        const double *back = rg_data_f64(tape, rg_ifft(tape, y, 0, 0, RG_FFT_ORTHO));
        assert_tape_ok(tape);
        assert_true(error_of(back, x, 2 * n) < 1e-14);
        double before = 0, after = 0; /* Parseval */
        const double *spectrum = rg_data_f64(tape, y);
        for (int64_t j = 0; j < 2 * n; j++) {
            before += x[j] * x[j];
            after += spectrum[j] * spectrum[j];
        }
        assert_near(after, before, 1e-13);
        rg_tape_reset(tape);
        free(x);
    }
}

static void single_precision_is_rounded_once(void **state)
{
    (void)state;
    static double x[MOST], expected[MOST];
    static float single[MOST];
    for (int64_t n = 1; n < 40; n++) {
        for (int64_t j = 0; j < 2 * n; j++)
            x[j] = single[j] = (float)draw(j + n);
        by_definition(n, -1, x, expected);
        const float *y =
            rg_data_f32(tape, rg_fft(tape, rg_input_f32(tape, RG_SHAPE(n, 2), single), 0, 0, RG_FFT_BACKWARD));
        assert_tape_ok(tape);
        for (int64_t j = 0; j < 2 * n; j++)
            assert_true(fabs(y[j] - expected[j]) <= 0x1p-24 * fabs(expected[j]) + 1e-14);
        rg_tape_reset(tape);
    }
}

/* Many lines are transformed side by side: each as it would be alone, on any number of threads. */
static void bits_depend_neither_on_neighbours_nor_on_threads(void **state)
{
    (void)state;
    enum { LINES = 37 };
    static const int64_t lengths[] = {1, 6, 64, 120, 127, 1001};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        const int64_t n = lengths[i];
        const size_t bytes = (size_t)(2 * n * LINES) * sizeof(double);
        double *x = malloc(bytes), *one = malloc(bytes), *two = malloc(bytes), *single = malloc(bytes);
        assert_true(x && one && two && single);
        for (int64_t j = 0; j < 2 * n * LINES; j++)
            x[j] = draw(j);
        for (int threads = 1; threads <= 3; threads++) {
            rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = threads});
            /* along the first axis, too: lines that are strided */
            rg_tensor y = rg_fft(t, rg_input_f64(t, RG_SHAPE(LINES, n, 2), x), 0, 1, RG_FFT_BACKWARD);
            assert_true(rg_read(t, y, threads == 1 ? one : two, bytes));
            if (threads > 1)
                assert_memory_equal(one, two, bytes);
            y = rg_fft(t, rg_transpose(t, rg_input_f64(t, RG_SHAPE(LINES, n, 2), x), 0, 1), 0, 0, RG_FFT_BACKWARD);
            assert_true(rg_read(t, rg_contiguous(t, rg_transpose(t, y, 0, 1)), two, bytes));
            assert_memory_equal(one, two, bytes);
            rg_tape_free(t);
        }
        for (int64_t k = 0; k < LINES; k++) {
            const rg_tensor y = rg_fft(tape, rg_input_f64(tape, RG_SHAPE(n, 2), x + 2 * n * k), 0, 0, RG_FFT_BACKWARD);
            assert_true(rg_read(tape, y, single, (size_t)n * 16));
            assert_memory_equal(single, one + 2 * n * k, (size_t)n * 16);
        }
        rg_tape_reset(tape);
        free(x), free(one), free(two), free(single);
    }
}

static void a_line_with_nan_leaves_the_others_alone(void **state)
{
    (void)state;
    double x[3][10];
    for (int64_t i = 0; i < 30; i++)
        x[i / 10][i % 10] = draw(i);
    x[1][4] = NAN;
    const rg_tensor y = rg_rfft(tape, rg_input_f64(tape, RG_SHAPE(3, 10), &x[0][0]), 0, -1, RG_FFT_BACKWARD);
    const double *v = rg_data_f64(tape, y);
    assert_tape_ok(tape);
    for (int i = 0; i < 36; i++)
        assert_true((isnan(v[i]) != 0) == (i >= 12 && i < 24 && i != 13 && i != 23));
}

static void products_of_spectra_are_convolutions(void **state)
{
    (void)state;
    const rg_tensor a = F64(RG_SHAPE(4), 1, 2, 3, 4), b = F64(RG_SHAPE(3), 5, -1, 2);
    const rg_tensor product =
        rg_complex_mul(tape, rg_rfft(tape, a, 6, -1, RG_FFT_BACKWARD), rg_rfft(tape, b, 6, -1, RG_FFT_BACKWARD));
    assert_values(rg_irfft(tape, product, 6, -1, RG_FFT_BACKWARD), 5, 9, 15, 21, 2, 8);
    assert_values(rg_fftshift(tape, rg_fftfreq(tape, RG_F64, 5, .5), RG_ALL), -.8, -.4, 0, .4, .8);
}

static void frames_put_together_again_are_what_they_were_cut_from(void **state)
{
    (void)state;
    for (int index = 0; index < 8; index++) {
        rg_stft_config c = {.n = 16, .hop = 5, .ortho = index & 1, .two_sided = index & 2, .aligned = index & 4};
        c.window = rg_add_scalar(tape, rg_rand(tape, RG_F64, RG_SHAPE(c.aligned ? 16 : 13)), .5);
        const rg_tensor x = rg_rand(tape, RG_F64, RG_SHAPE(2, 3, 16 + 5 * 9)), y = rg_stft(tape, x, &c);
        const rg_tensor back = rg_istft(tape, y, c.aligned ? 0 : 61, &c);
        assert_tape_ok(tape);
        assert_true(rg_shape_equal(rg_shape_of(tape, back), rg_shape_of(tape, x)));
        const rg_tensor apart = rg_abs(tape, rg_sub(tape, back, x));
        assert_true(rg_item(tape, rg_max(tape, apart, RG_ALL, false)) < 1e-14);
    }
}

static void bad_frames_are_errors(void **state)
{
    (void)state;
    const rg_tensor x = rg_rand(tape, RG_F64, RG_SHAPE(8)), z = rg_rand(tape, RG_F64, RG_SHAPE(3, 4, 2));
    rg_stft(tape, x, NULL);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("stft", "n is 0"));
    rg_stft(tape, x, &(rg_stft_config){.n = 4, .hop = -1});
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("hop -1"));
    rg_stft(tape, x, &(rg_stft_config){.n = 16});
    assert_error(tape, RG_ERROR_SHAPE, WORDS("stft", "[8]", "16"));
    rg_stft(tape, x, &(rg_stft_config){.n = 9, .aligned = true});
    assert_error(tape, RG_ERROR_SHAPE, WORDS("stft", "9 samples"));
    rg_stft(tape, rg_rand(tape, RG_F64, RG_SHAPE(1, 1, 1, 1, 1, 1, 8)), &(rg_stft_config){.n = 4});
    assert_error(tape, RG_ERROR_SHAPE, WORDS("stft", "rank 1 to 6"));
    rg_stft(tape, x, &(rg_stft_config){.n = 4, .window = x});
    assert_error(tape, RG_ERROR_SHAPE, WORDS("window", "[8]"));
    rg_stft(tape, x, &(rg_stft_config){.n = 8, .window = rg_cast(tape, x, RG_F32)});
    assert_error(tape, RG_ERROR_DTYPE, WORDS("window", "f32"));
    rg_istft(tape, z, 0, &(rg_stft_config){.n = 6});
    assert_error(tape, RG_ERROR_SHAPE, WORDS("istft", "[..., 4, frames, 2]"));
    rg_istft(tape, z, -1, &(rg_stft_config){.n = 4});
    assert_error(tape, RG_ERROR_SHAPE, WORDS("istft", "length -1"));
    rg_istft(tape, x, 0, &(rg_stft_config){.n = 4});
    assert_error(tape, RG_ERROR_SHAPE, WORDS("istft", "not complex"));
    rg_istft(tape, z, INT64_MAX, &(rg_stft_config){.n = 4});
    assert_error(tape, RG_ERROR_SHAPE, WORDS("istft"));
}

static void bad_arguments_are_errors(void **state)
{
    (void)state;
    const rg_tensor real = F64(RG_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), complex = F64(RG_SHAPE(2, 2), 1, 2, 3, 4);
    const rg_axes twice = RG_AXES(0, -1), many = {99, {0}};
    assert_true(rg_is_nil(rg_fft(tape, real, 0, 0, RG_FFT_BACKWARD)));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("fft", "[2, 3]", "not complex"));
    rg_fft(tape, complex, 0, 1, RG_FFT_BACKWARD);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("fft", "axis 1", "[2, 2]"));
    rg_rfft(tape, real, 0, INT32_MIN, RG_FFT_BACKWARD);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("rfft", "axis"));
    rg_ifft(tape, complex, -3, 0, RG_FFT_BACKWARD);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("ifft", "-3", "length"));
    rg_fft(tape, complex, INT64_MAX, 0, RG_FFT_BACKWARD);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("fft", "9223372036854775807"));
    rg_fft(tape, complex, 0, 0, (rg_fft_norm)7);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("norm 7"));
    rg_irfft(tape, rg_slice(tape, complex, 0, 0, 1, 1), 0, 0, RG_FFT_BACKWARD);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("irfft"));
    rg_rfft(tape, rg_slice(tape, real, 1, 0, 0, 1), 0, -1, RG_FFT_BACKWARD);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("rfft"));
    rg_fftn(tape, complex, RG_SCALAR, twice, RG_FFT_BACKWARD);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("fftn", "axes"));
    rg_fftn(tape, complex, RG_SCALAR, many, RG_FFT_BACKWARD);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("fftn", "99"));
    rg_rfftn(tape, real, RG_SHAPE(2, 2, 2), RG_ALL, RG_FFT_BACKWARD);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("rfftn", "3 lengths"));
    rg_fft2(tape, complex, RG_FFT_BACKWARD);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("fft2"));
    rg_fftn(tape, F64(RG_SHAPE(2), 1, 2), RG_SCALAR, RG_ALL, RG_FFT_BACKWARD);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("fftn"));
    rg_fft(tape, I64(RG_SHAPE(2, 2), 1, 2, 3, 4), 0, 0, RG_FFT_BACKWARD);
    assert_error(tape, RG_ERROR_DTYPE, WORDS("fft"));
    rg_fftfreq(tape, RG_I64, 3, 1);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("fftfreq", "i64"));
    rg_rfftfreq(tape, RG_F32, 0, 1);
    assert_error(tape, RG_ERROR_ARGUMENT, WORDS("rfftfreq"));
    rg_complex(tape, real, complex);
    assert_error(tape, RG_ERROR_SHAPE, WORDS("[2, 3]", "[2, 2]"));
    rg_real(tape, F64(RG_SCALAR, 1));
    assert_error(tape, RG_ERROR_SHAPE, WORDS("real"));
    rg_fft(tape, RG_NIL, 0, 0, RG_FFT_BACKWARD);
    assert_error(tape, RG_ERROR_HANDLE, WORDS("fft"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAPE_TEST(transforms_of_every_length_follow_the_definition),
        TAPE_TEST(real_transforms_are_halves_of_complex_ones),
        TAPE_TEST(long_transforms_stay_accurate),
        TAPE_TEST(single_precision_is_rounded_once),
        TAPE_TEST(bits_depend_neither_on_neighbours_nor_on_threads),
        TAPE_TEST(a_line_with_nan_leaves_the_others_alone),
        TAPE_TEST(products_of_spectra_are_convolutions),
        TAPE_TEST(frames_put_together_again_are_what_they_were_cut_from),
        TAPE_TEST(bad_frames_are_errors),
        TAPE_TEST(bad_arguments_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
