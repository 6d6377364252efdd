/* Batches prepared ahead by threads: the same batches, whatever the number of threads; clean ends; errors in their place;
 * draws and augmentation by the loader. */
#include "data_support.h"

#include <math.h>
#include <retrograd/retrograd.h>
#include <stdatomic.h>

enum { COUNT = 53, CHANNELS = 2, H = 6, W = 5, NUMBERS = CHANNELS * H * W };

/* Sample i is an image of numbers below 1, its label i modulo 5. */
typedef struct pictures {
    atomic_int inside, reads, most_inside; /* most_inside: 0, or how many threads were in it at once */
    int64_t refuses;
} pictures;

static bool get_picture(void *user, int64_t i, void *x, void *y, char *error, size_t size)
{
    pictures *p = user;
    const int inside = atomic_fetch_add(&p->inside, 1) + 1;
    if (inside > 1)
        atomic_store(&p->most_inside, inside);
    atomic_fetch_add(&p->reads, 1);
    for (int k = 0; k < NUMBERS; k++)
        ((float *)x)[k] = (float)((i * 31 + k * 7) % 101) / 101;
    *(int64_t *)y = i % 5;
    atomic_fetch_sub(&p->inside, 1);
    if (i != p->refuses)
        return true;
    snprintf(error, size, "picture %d: found nothing, expected one", (int)i);
    return false;
}

static rg_source source_of(pictures *p)
{
    return (rg_source){
        .count = COUNT, .x_shape = RG_SHAPE(CHANNELS, H, W), .y_dtype = RG_I64, .classes = 5, .get = get_picture, .user = p};
}

static const rg_augment_config everything = {
    .shift = 1,
    .crop_padding = 2,
    .crop_height = 4,
    .flip_horizontal = .5,
    .flip_vertical = .25,
    .rotation = 30,
    .brightness = .2,
    .contrast = .3,
    .noise = .05,
    .normalize = true,
    .mean = {.4F, .5F},
    .std = {.2F, .3F},
    .cutout = 2,
    .mixup = .4,
    .fill = .1F,
};

/* Adds a batch to a fingerprint. */
static uint64_t add_bytes(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

static uint64_t epoch_hash(rg_loader *loader, int64_t epoch, int64_t numbers)
{
    rg_batch b;
    uint64_t hash = 1;
    int64_t batches = 0;
    rg_loader_start(loader, epoch);
    while (rg_loader_next(loader, &b)) {
        hash = add_bytes(hash, b.x, (size_t)(b.count * numbers) * sizeof *b.x);
        hash = add_bytes(hash, b.y, (size_t)b.count * sizeof *b.y);
        hash = add_bytes(hash, b.index, (size_t)b.count * sizeof *b.index);
        hash = add_bytes(hash, b.mixed_labels.data, (size_t)b.count * sizeof *b.y);
        hash = add_bytes(hash, &b.lambda, sizeof b.lambda);
        batches++;
    }
    assert_string_equal(rg_loader_error(loader), "");
    assert_int_equal(batches, rg_loader_batches(loader));
    return hash;
}

static void threads_change_no_batch(void **state)
{
    (void)state;
    static const int ways[][2] = {{0, 0}, {1, 0}, {1, 1}, {3, 2}, {8, 4}, {100, 7}, {2, 5}};
    double weights[COUNT];
    for (int i = 0; i < COUNT; i++)
        weights[i] = i % 4;
    for (int kind = 0; kind < 6; kind++) {
        uint64_t first[3] = {0};
        for (size_t k = 0; k < sizeof ways / sizeof *ways; k++)
            for (int concurrent = 0; concurrent < 2; concurrent++) {
                pictures p = {.refuses = -1};
                rg_source source = source_of(&p);
                source.concurrent = concurrent;
                rg_loader_config config = {.batch = 7, .seed = 3, .prefetch = ways[k][0], .threads = ways[k][1]};
                config.shuffle = kind & 1;
                config.drop_last = kind == 2;
                config.augment = kind > 2 ? &everything : NULL;
                config.weights = kind == 4 || kind == 5 ? weights : NULL;
                config.draws = kind == 5 ? 20 : kind == 2 ? 200 : 0;
                config.no_replacement = kind == 5;
                char error[ERROR_SIZE] = "";
                rg_loader *loader = rg_loader_new_source(&source, &config, error, sizeof error);
                if (!loader)
                    fail_msg("%s", error);
                for (int64_t epoch = 0; epoch < 3; epoch++) {
                    const uint64_t hash = epoch_hash(loader, epoch, kind > 2 ? CHANNELS * 4 * W : NUMBERS);
                    if (k == 0 && !concurrent)
                        first[epoch] = hash;
                    assert_true(hash == first[epoch]);
                }
                rg_loader_free(loader);
                assert_true(concurrent || atomic_load(&p.most_inside) == 0); /* threads take turns */
            }
        if (kind != 0)
            assert_true(first[0] != first[1] && first[1] != first[2]);
        else
            assert_true(first[0] == first[1]);
    }
}

static void a_loader_ends_at_any_time(void **state)
{
    (void)state;
    for (int steps = 0; steps < 9; steps++)
        for (int threads = 1; threads < 4; threads++) {
            pictures p = {.refuses = -1};
            const rg_source source = source_of(&p);
            const rg_loader_config config = {.batch = 7, .shuffle = true, .prefetch = 3, .threads = threads};
            rg_loader *loader = rg_loader_new_source(&source, &config, NULL, 0);
            rg_batch b;
            for (int i = 0; i < steps; i++)
                assert_int_equal(rg_loader_next(loader, &b), i < 8);
            if (steps % 2) { /* begin again in the middle, and leave again */
                rg_loader_start(loader, 5);
                assert_true(rg_loader_next(loader, &b));
                rg_loader_start(loader, 6);
            }
            rg_loader_free(loader);
        }
}

static void nothing_is_read_before_it_is_asked_for_nor_too_far_ahead(void **state)
{
    (void)state;
    pictures p = {.refuses = -1};
    const rg_source source = source_of(&p);
    rg_loader *loader =
        rg_loader_new_source(&source, &(rg_loader_config){.batch = 5, .prefetch = 2, .threads = 2}, NULL, 0);
    rg_loader_start(loader, 1);
    assert_int_equal(atomic_load(&p.reads), 0);
    rg_batch b;
    assert_true(rg_loader_next(loader, &b));
    const float kept = b.x[0];
    usleep(20000);
    assert_true(atomic_load(&p.reads) <= 3 * 5); /* this one and two ahead */
    assert_true(b.x[0] == kept);
    rg_loader_free(loader);
}

static void an_error_comes_in_its_place(void **state)
{
    (void)state;
    for (int threads = 0; threads < 4; threads++) {
        pictures p = {.refuses = 30};
        const rg_source source = source_of(&p);
        const rg_loader_config config = {.batch = 7, .prefetch = threads ? 5 : 0, .threads = threads};
        rg_loader *loader = rg_loader_new_source(&source, &config, NULL, 0);
        rg_batch b;
        for (int i = 0; i < 4; i++)
            assert_true(rg_loader_next(loader, &b));
        assert_string_equal(rg_loader_error(loader), "");
        for (int i = 0; i < 3; i++) {
            assert_false(rg_loader_next(loader, &b));
            assert_error(rg_loader_error(loader), "picture 30", "found nothing");
        }
        rg_loader_start(loader, 1);
        assert_string_equal(rg_loader_error(loader), "");
        assert_true(rg_loader_next(loader, &b));
        rg_loader_free(loader);
    }
}

static void draws_are_by_weight_and_the_weights_a_copy(void **state)
{
    (void)state;
    pictures p = {.refuses = -1};
    const rg_source source = source_of(&p);
    double weights[COUNT] = {[3] = 1, [11] = 3};
    rg_loader_config config = {.batch = 100, .weights = weights, .draws = 4000};
    rg_loader *loader = rg_loader_new_source(&source, &config, NULL, 0);
    memset(weights, 0, sizeof weights);
    rg_batch b;
    int64_t three = 0, batches = 0;
    for (; rg_loader_next(loader, &b); batches++)
        for (int64_t i = 0; i < b.count; i++) {
            assert_true(b.index[i] == 3 || b.index[i] == 11);
            three += b.index[i] == 3;
        }
    assert_int_equal(batches, 40);
    assert_true(three > 1000 - 110 && three < 1000 + 110); /* 4 standard deviations */
    rg_loader_free(loader);

    /* All alike and no sample twice: the first of a permutation. */
    config = (rg_loader_config){.draws = 20, .no_replacement = true};
    loader = rg_loader_new_source(&source, &config, NULL, 0);
    assert_true(rg_loader_next(loader, &b) && b.count == 20);
    int seen[COUNT] = {0};
    for (int i = 0; i < 20; i++)
        assert_int_equal(seen[b.index[i]]++, 0);
    rg_loader_free(loader);
}

static void mixed_batches_go_to_the_tape(void **state)
{
    (void)state;
    pictures p = {.refuses = -1};
    const rg_source source = source_of(&p);
    const rg_augment_config mixup = {.mixup = 1};
    rg_loader *loader = rg_loader_new_source(&source, &(rg_loader_config){.augment = &mixup}, NULL, 0);
    rg_batch b;
    assert_true(rg_loader_next(loader, &b));
    assert_true(b.lambda > 0 && b.lambda < 1);
    rg_tape *t = rg_tape_new(NULL);
    const rg_tensor x = rg_batch_x(t, &b), y = rg_batch_y(t, &b), z = rg_batch_mixed_y(t, &b);
    assert_true(rg_shape_equal(rg_shape_of(t, x), RG_SHAPE(COUNT, CHANNELS, H, W)));
    assert_memory_equal(rg_data_i64(t, y), b.y, COUNT * sizeof *b.y);
    assert_memory_equal(rg_data_i64(t, z), b.mixed_labels.data, COUNT * sizeof *b.y);
    assert_memory_not_equal(b.mixed_labels.data, b.y, COUNT * sizeof *b.y);
    rg_tape_free(t);
    rg_loader_free(loader);
}

static void configurations_that_cannot_be_are_refused(void **state)
{
    (void)state;
    pictures p = {.refuses = -1};
    rg_source source = source_of(&p);
    const double negative[COUNT] = {[7] = -1}, none[COUNT] = {0}, few[COUNT] = {1, 1};
    const rg_augment_config wrong[] = {{.shift = -1},      {.crop_height = 7}, {.crop_padding = -1},
                                       {.rotation = NAN},  {.noise = -1},      {.normalize = true},
                                       {.cutout = -2},     {.mixup = -1},      {.flip_vertical = 1.5},
                                       {.crop_width = -1}, {.brightness = -1}, {.contrast = INFINITY}};
    const struct {
        rg_loader_config config;
        const char *says;
    } cases[] = {
        {{.prefetch = -1}, "-1 batches ahead"},
        {{.prefetch = 1, .threads = 5000}, "5000 threads"},
        {{.draws = -1}, "-1 draws"},
        {{.weights = negative}, "weight -1 of sample 7"},
        {{.weights = none}, "from 0 samples"},
        {{.weights = few, .draws = 3, .no_replacement = true}, "3 draws from 2 samples"},
        {{.draws = COUNT + 1, .no_replacement = true}, "54 draws from 53 samples"},
    };
    char error[ERROR_SIZE];
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        assert_null(rg_loader_new_source(&source, &cases[k].config, error, sizeof error));
        assert_error(error, "rg_loader_new", cases[k].says);
    }
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        assert_null(rg_loader_new_source(&source, &(rg_loader_config){.augment = &wrong[k]}, error, sizeof error));
        assert_error(error, "rg_", "found");
    }
    source.x_shape = RG_SHAPE(NUMBERS);
    assert_null(rg_loader_new_source(&source, &(rg_loader_config){.augment = &everything}, error, sizeof error));
    assert_error(error, "rg_loader_new", "rank 1");
    source.x_shape = RG_SHAPE(CHANNELS, H, W);
    source.x_dtype = RG_F64;
    assert_null(rg_loader_new_source(&source, &(rg_loader_config){.augment = &everything}, error, sizeof error));
    assert_error(error, "rg_loader_new", "f64");
    source.x_dtype = RG_F32;
    source.x_shape = RG_SHAPE(5, H, W);
    assert_null(rg_loader_new_source(&source, &(rg_loader_config){.augment = &everything}, error, sizeof error));
    assert_error(error, "rg_loader_new", "5 channels");
    const rg_source empty = {.x_shape = RG_SHAPE(1, 2, 2), .get = get_picture};
    assert_null(rg_loader_new_source(&empty, &(rg_loader_config){.draws = 1}, error, sizeof error));
    assert_error(error, "rg_loader_new", "1 draws from 0 samples");
    rg_loader *loader = rg_loader_new_source(&empty, &(rg_loader_config){.prefetch = 2}, NULL, 0);
    rg_batch b;
    assert_false(rg_loader_next(loader, &b));
    rg_loader_free(loader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_change_no_batch),
        cmocka_unit_test(a_loader_ends_at_any_time),
        cmocka_unit_test(nothing_is_read_before_it_is_asked_for_nor_too_far_ahead),
        cmocka_unit_test(an_error_comes_in_its_place),
        cmocka_unit_test(draws_are_by_weight_and_the_weights_a_copy),
        cmocka_unit_test(mixed_batches_go_to_the_tape),
        cmocka_unit_test(configurations_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
