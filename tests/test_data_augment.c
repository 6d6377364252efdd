/* Augmentation: what each does, that its draws are functions of seed, epoch and index alone, and what is refused. */
#include "data_support.h"

#include <math.h>
#include <retrograd/random.h>

enum { N = 6, C = 3, H = 5, W = 7, PLANE = H * W, NUMBERS = C * PLANE };

static float original[N * NUMBERS];

static int make_images(void **state)
{
    rg_rng rng = rg_rng_new(11, 11);
    rg_rng_uniform_f32(&rng, original, N * NUMBERS, 0, 1);
    return make_directory(state);
}

static float changed[N * NUMBERS];

/* Fresh images to be changed. */
static rg_augment fresh(uint64_t seed, int64_t epoch)
{
    memcpy(changed, original, sizeof changed);
    return (rg_augment){.count = N, .channels = C, .height = H, .width = W, .x = changed, .seed = seed, .epoch = epoch};
}

static bool apply(const rg_augment *a, int which)
{
    static const float mean[C] = {.1F, .2F, .3F}, std[C] = {1, 2, 3};
    switch (which) {
    case 0: return rg_augment_shift(a, 2, 0, NULL, 0);
    case 1: return rg_augment_flip(a, .5, .5, NULL, 0);
    case 2: return rg_augment_rotate(a, 45, 0, NULL, 0);
    case 3: return rg_augment_brightness(a, .5, NULL, 0);
    case 4: return rg_augment_contrast(a, .5, NULL, 0);
    case 5: return rg_augment_noise(a, .1, NULL, 0);
    case 6: return rg_augment_cutout(a, 3, 9, NULL, 0);
    default: return rg_augment_normalize(a, mean, std, NULL, 0);
    }
}

static void a_result_depends_on_seed_epoch_and_index_alone(void **state)
{
    (void)state;
    static const int64_t order[N] = {4, 2, 0, 5, 1, 3};
    for (int which = 0; which < 8; which++) {
        float all[N * NUMBERS], moved[N * NUMBERS];
        rg_augment a = fresh(5, 2);
        assert_true(apply(&a, which));
        memcpy(all, changed, sizeof all);
        for (int i = 0; i < N; i++)
            memcpy(moved + i * NUMBERS, original + order[i] * NUMBERS, NUMBERS * sizeof *moved);
        /* Another order, in two batches: each image becomes what it was. */
        for (int part = 0; part < 2; part++) {
            rg_augment b = a;
            b.count = part ? N - 2 : 2;
            b.x = moved + (part ? 2 * NUMBERS : 0);
            b.index = order + (part ? 2 : 0);
            assert_true(apply(&b, which));
        }
        for (int i = 0; i < N; i++)
            assert_memory_equal(moved + i * NUMBERS, all + order[i] * NUMBERS, NUMBERS * sizeof *moved);
        for (int k = 0; k < 2 && which < 7; k++) {
            a = fresh(5 + (k == 0), 2 + (k == 1));
            assert_true(apply(&a, which));
            assert_memory_not_equal(changed, all, sizeof all);
        }
    }
}

/* Is image i the original, moved by these pixels, with `fill` around? */
static bool is_moved(const float *x, int i, int down, int right, float fill)
{
    for (int c = 0; c < C; c++)
        for (int r = 0; r < H; r++)
            for (int k = 0; k < W; k++) {
                const int from_r = r + down, from_k = k + right;
                const bool inside = from_r >= 0 && from_r < H && from_k >= 0 && from_k < W;
                if (x[c * PLANE + r * W + k] != (inside ? original[i * NUMBERS + c * PLANE + from_r * W + from_k] : fill))
                    return false;
            }
    return true;
}

static void a_shift_moves_by_every_amount(void **state)
{
    (void)state;
    int seen[3][3] = {{0}};
    for (int64_t epoch = 0; epoch < 60; epoch++) {
        const rg_augment a = fresh(1, epoch);
        assert_true(rg_augment_shift(&a, 1, -1, NULL, 0));
        for (int i = 0; i < N; i++) {
            int found = 0;
            for (int down = -1; down <= 1; down++)
                for (int right = -1; right <= 1; right++)
                    if (is_moved(changed + i * NUMBERS, i, down, right, -1)) {
                        found++;
                        seen[down + 1][right + 1]++;
                    }
            assert_int_equal(found, 1);
        }
    }
    for (int k = 0; k < 9; k++)
        assert_true(seen[k / 3][k % 3] > 15); /* 40 expected */
    const rg_augment a = fresh(1, 0);
    assert_true(rg_augment_shift(&a, 1000000, .5F, NULL, 0)); /* far out: nothing is left */
    assert_true(changed[0] == .5F && changed[N * NUMBERS - 1] == .5F);
    assert_true(rg_augment_shift(&a, 0, 7, NULL, 0));
    assert_true(changed[0] == .5F);
}

static void a_crop_is_a_part_of_the_padded_image(void **state)
{
    (void)state;
    float out[N * C * 4 * 9];
    int corners = 0;
    for (int64_t epoch = 0; epoch < 40; epoch++) {
        const rg_augment a = fresh(2, epoch);
        assert_true(rg_augment_crop(&a, 1, 4, 9, -1, out, NULL, 0)); /* as wide as it can be */
        assert_memory_equal(changed, original, sizeof original);
        for (int i = 0; i < N; i++) {
            int found = 0;
            for (int top = -1; top <= 2; top++) {
                bool same = true;
                for (int c = 0; c < C; c++)
                    for (int r = 0; r < 4; r++)
                        for (int k = 0; k < 9; k++) {
                            const int from_r = r + top, from_k = k - 1;
                            const bool inside = from_r >= 0 && from_r < H && from_k >= 0 && from_k < W;
                            const float expected = inside ? original[i * NUMBERS + c * PLANE + from_r * W + from_k] : -1;
                            same = same && out[((i * C + c) * 4 + r) * 9 + k] == expected;
                        }
                found += same;
                corners += same && (top == -1 || top == 2);
            }
            assert_int_equal(found, 1);
        }
    }
    assert_true(corners > 80 && corners < 160); /* of 240, two places of four */
}

static void flips_mirror_with_their_probabilities(void **state)
{
    (void)state;
    int across = 0, down = 0;
    for (int64_t epoch = 0; epoch < 100; epoch++) {
        const rg_augment a = fresh(3, epoch);
        assert_true(rg_augment_flip(&a, .25, .75, NULL, 0));
        for (int i = 0; i < N; i++) {
            const float *x = changed + i * NUMBERS, *y = original + i * NUMBERS;
            const bool left = x[0] == y[W - 1] || x[0] == y[PLANE - 1],
                       bottom = x[0] == y[PLANE - W] || x[0] == y[PLANE - 1];
            for (int c = 0; c < C; c++)
                for (int r = 0; r < H; r++)
                    for (int k = 0; k < W; k++)
                        assert_true(x[c * PLANE + r * W + k] ==
                                    y[c * PLANE + (bottom ? H - 1 - r : r) * W + (left ? W - 1 - k : k)]);
            across += left;
            down += bottom;
        }
    }
    assert_true(across > 107 && across < 193 && down > 407 && down < 493); /* 4 standard deviations about 150 and 450 */
}

static void a_rotation_turns_about_the_centre(void **state)
{
    (void)state;
    /* A bright pixel right of the centre of a square: its angle after the turn is the turn. */
    enum { SIDE = 41 };
    static float x[64 * SIDE * SIDE];
    int up = 0;
    const rg_augment a = {.count = 64, .channels = 1, .height = SIDE, .width = SIDE, .x = x, .seed = 4};
    for (int i = 0; i < 64; i++)
        x[(i * SIDE + SIDE / 2) * SIDE + SIDE - 3] = 1;
    assert_true(rg_augment_rotate(&a, 90, 0, NULL, 0));
    double least = 0, most = 0;
    for (int i = 0; i < 64; i++) {
        double row = 0, column = 0, mass = 0;
        for (int r = 0; r < SIDE; r++)
            for (int k = 0; k < SIDE; k++) {
                const double value = x[(i * SIDE + r) * SIDE + k];
                row += value * (r - SIDE / 2);
                column += value * (k - SIDE / 2);
                mass += value;
            }
        row /= mass;
        column /= mass;
        assert_true(fabs(hypot(row, column) - (SIDE / 2 - 2)) < .5 && mass > .5 && mass < 1.5);
        const double angle = atan2(-row, column) * 180 / 3.14159265358979323846;
        up += angle > 0;
        least = fmin(least, angle);
        most = fmax(most, angle);
        assert_true(fabs(angle) < 91);
    }
    assert_true(least < -60 && most > 60 && up > 15 && up < 49);
    /* A constant image stays what it is inside. */
    const rg_augment b = {.count = 1, .channels = 1, .height = SIDE, .width = SIDE, .x = x, .seed = 5};
    for (int i = 0; i < SIDE * SIDE; i++)
        x[i] = .25F;
    assert_true(rg_augment_rotate(&b, 45, .25F, NULL, 0));
    for (int i = 0; i < SIDE * SIDE; i++)
        assert_true(fabsf(x[i] - .25F) < 1e-6F);
}

static void brightness_and_contrast_are_affine_and_clamped(void **state)
{
    (void)state;
    rg_augment a = fresh(6, 0);
    assert_true(rg_augment_brightness(&a, .5, NULL, 0));
    float factors[N];
    for (int i = 0; i < N; i++) {
        int small = 0; /* a value that is not clamped */
        while (original[i * NUMBERS + small] > .6F || original[i * NUMBERS + small] < .3F)
            small++;
        factors[i] = changed[i * NUMBERS + small] / original[i * NUMBERS + small];
        assert_true(factors[i] > .5F && factors[i] < 1.5F);
        for (int k = 0; k < NUMBERS; k++)
            assert_true(fabsf(changed[i * NUMBERS + k] - fminf(1, factors[i] * original[i * NUMBERS + k])) < 1e-5F);
    }
    assert_true(factors[0] != factors[1]);
    a = fresh(6, 0);
    assert_true(rg_augment_contrast(&a, .5, NULL, 0));
    for (int i = 0; i < N; i++) {
        const float *x = original + i * NUMBERS, *y = changed + i * NUMBERS;
        double mean = 0;
        for (int k = 0; k < PLANE; k++)
            mean += (.299 * x[k] + .587 * x[PLANE + k] + .114 * x[2 * PLANE + k]) / PLANE;
        int inner = 0;
        while (fabs(x[inner] - mean) > .2 || fabs(x[inner] - mean) < .1)
            inner++;
        const double factor = (y[inner] - mean) / (x[inner] - mean);
        assert_true(factor > .5 && factor < 1.5);
        for (int k = 0; k < NUMBERS; k++)
            assert_true(fabs(y[k] - fmin(1, fmax(0, mean + factor * (x[k] - mean)))) < 1e-4);
    }
}

static void noise_is_normal_and_normalising_is_its_formula(void **state)
{
    (void)state;
    static const float mean[C] = {.1F, .2F, .3F}, std[C] = {1, 2, 3};
    double sum = 0, squares = 0;
    for (int64_t epoch = 0; epoch < 20; epoch++) {
        const rg_augment a = fresh(7, epoch);
        assert_true(rg_augment_noise(&a, .1, NULL, 0));
        for (int i = 0; i < N * NUMBERS; i++) {
            const double noise = (double)changed[i] - original[i];
            sum += noise;
            squares += noise * noise;
        }
    }
    const double n = 20. * N * NUMBERS;
    assert_true(fabs(sum / n) < 4 * .1 / sqrt(n) && fabs(squares / n - .01) < 4 * .01 * sqrt(2 / n));
    const rg_augment a = fresh(7, 0);
    assert_true(rg_augment_normalize(&a, mean, std, NULL, 0));
    for (int i = 0; i < N * NUMBERS; i++) {
        const int c = i / PLANE % C;
        assert_true(changed[i] == (original[i] - mean[c]) / std[c]);
    }
}

static void cutout_clears_a_square_that_may_hang_over(void **state)
{
    (void)state;
    int whole = 0, cut = 0;
    for (int64_t epoch = 0; epoch < 30; epoch++) {
        const rg_augment a = fresh(8, epoch);
        assert_true(rg_augment_cutout(&a, 3, -5, NULL, 0));
        for (int i = 0; i < N; i++) {
            int top = H, left = W, bottom = -1, right = -1, cleared = 0;
            for (int k = 0; k < PLANE; k++) {
                const float value = changed[i * NUMBERS + k];
                assert_true(value == -5 || value == original[i * NUMBERS + k]);
                for (int c = 1; c < C; c++)
                    assert_true((changed[i * NUMBERS + c * PLANE + k] == -5) == (value == -5));
                if (value == -5) {
                    top = k / W < top ? k / W : top;
                    bottom = k / W > bottom ? k / W : bottom;
                    left = k % W < left ? k % W : left;
                    right = k % W > right ? k % W : right;
                    cleared++;
                }
            }
            assert_true(cleared == (bottom - top + 1) * (right - left + 1) && cleared >= 4 && cleared <= 9);
            whole += cleared == 9;
            cut += cleared < 9;
        }
    }
    /* The centre is inside by one pixel in 15 of 35 places. */
    assert_true(whole > 50 && cut > 70);
}

static void mixup_mixes_pairs_by_lambda(void **state)
{
    (void)state;
    int64_t partner[N];
    double sum = 0, squares = 0, lambda;
    enum { ROUNDS = 4000 };
    for (int64_t epoch = 0; epoch < ROUNDS; epoch++) {
        rg_augment a = fresh(9, epoch);
        if (epoch > 3)
            a.height = 1, a.width = 1, a.channels = 1;
        assert_true(rg_augment_mixup(&a, .4, partner, &lambda, NULL, 0));
        assert_true(lambda >= 0 && lambda <= 1);
        sum += lambda;
        squares += (lambda - .5) * (lambda - .5);
        int seen[N] = {0};
        for (int i = 0; i < N; i++)
            assert_int_equal(seen[partner[i]]++, 0);
        const float own = (float)lambda;
        for (int i = 0; epoch <= 3 && i < N * NUMBERS; i++) {
            const float mixed = own * original[i] + (1 - own) * original[partner[i / NUMBERS] * NUMBERS + i % NUMBERS];
            assert_true(fabsf(changed[i] - mixed) < 1e-6F);
        }
    }
    /* Beta(a, a): mean 1/2, variance 1 / (4 (2 a + 1)) = .1389, of which the variance's own deviation is below .09. */
    assert_true(fabs(sum / ROUNDS - .5) < 4 * sqrt(.1389 / ROUNDS));
    assert_true(fabs(squares / ROUNDS - .1389) < 4 * .09 / sqrt(ROUNDS));
    static const double alphas[] = {1e-6, 1, 50, 1e6};
    for (size_t k = 0; k < 4; k++) {
        const rg_augment a = fresh(9, (int64_t)k);
        assert_true(rg_augment_mixup(&a, alphas[k], partner, &lambda, NULL, 0));
        assert_true(lambda >= 0 && lambda <= 1 && (k != 3 || fabs(lambda - .5) < .01));
    }
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    char error[ERROR_SIZE];
    const rg_augment good = fresh(1, 1);
    rg_augment bad[6];
    for (int i = 0; i < 6; i++)
        bad[i] = good;
    static const int64_t negative[N] = {0, 1, -1};
    bad[0].count = -1;
    bad[1].height = -1;
    bad[2].x = NULL;
    bad[3].index = negative;
    bad[4].channels = INT64_MAX;
    bad[5].width = INT64_MAX;
    int64_t partner[N];
    double lambda;
    static const float ones[C] = {1, 1, 1}, zeros[C] = {0}, nans[C] = {NAN, 1, 1};
    for (int i = 0; i < 7; i++) {
        const rg_augment *a = i < 6 ? &bad[i] : NULL;
        for (int which = 0; which < 8; which++)
            assert_false(apply(a, which));
        assert_false(rg_augment_crop(a, 0, 1, 1, 0, changed, error, sizeof error));
        assert_error(error, "rg_augment_crop", "found");
        assert_false(rg_augment_mixup(a, 1, partner, &lambda, error, sizeof error));
        assert_error(error, "rg_augment_mixup", "found");
    }
    static const double amounts[] = {-1, NAN, INFINITY};
    for (size_t k = 0; k < 3; k++) {
        assert_false(rg_augment_rotate(&good, amounts[k], 0, error, sizeof error));
        assert_error(error, "rg_augment_rotate", "degrees");
        assert_false(rg_augment_flip(&good, amounts[k], 0, error, sizeof error));
        assert_error(error, "rg_augment_flip", "probability");
        assert_false(rg_augment_brightness(&good, amounts[k], error, sizeof error));
        assert_false(rg_augment_contrast(&good, amounts[k], error, sizeof error));
        assert_false(rg_augment_noise(&good, amounts[k], error, sizeof error));
        assert_false(rg_augment_mixup(&good, amounts[k], partner, &lambda, error, sizeof error));
        assert_error(error, "rg_augment_mixup", "alpha");
    }
    assert_false(rg_augment_mixup(&good, 1, NULL, &lambda, error, sizeof error));
    assert_false(rg_augment_shift(&good, -1, 0, error, sizeof error));
    assert_error(error, "rg_augment_shift", "-1 pixels");
    assert_false(rg_augment_shift(&good, INT64_MAX, 0, error, sizeof error));
    assert_false(rg_augment_cutout(&good, -1, 0, error, sizeof error));
    assert_false(rg_augment_crop(&good, 0, H + 1, W, 0, changed, error, sizeof error));
    assert_error(error, "rg_augment_crop", "6 x 7");
    assert_false(rg_augment_crop(&good, 0, H, W, 0, NULL, error, sizeof error));
    assert_false(rg_augment_normalize(&good, ones, zeros, error, sizeof error));
    assert_error(error, "rg_augment_normalize", "deviation 0 of channel 0");
    assert_false(rg_augment_normalize(&good, nans, ones, error, sizeof error));
    assert_false(rg_augment_normalize(&good, NULL, ones, error, sizeof error));
    assert_memory_equal(changed, original, sizeof original); /* nothing was touched */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_depends_on_seed_epoch_and_index_alone),
        cmocka_unit_test(a_shift_moves_by_every_amount),
        cmocka_unit_test(a_crop_is_a_part_of_the_padded_image),
        cmocka_unit_test(flips_mirror_with_their_probabilities),
        cmocka_unit_test(a_rotation_turns_about_the_centre),
        cmocka_unit_test(brightness_and_contrast_are_affine_and_clamped),
        cmocka_unit_test(noise_is_normal_and_normalising_is_its_formula),
        cmocka_unit_test(cutout_clears_a_square_that_may_hang_over),
        cmocka_unit_test(mixup_mixes_pairs_by_lambda),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, make_images, remove_directory);
}
