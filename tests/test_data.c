/* Data sets and the loader: what they hold, who owns it, what repeats, and what is refused. */
#include "data_support.h"

#include <math.h>

#define FASHION_MNIST "/usr/share/datasets/fashion-mnist/"

/* Some tests ask for more memory than there is: let it be refused under the sanitizers, too. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* ---- data sets from files ---- */

static rg_dataset *read_ok(const char *images, const char *labels)
{
    char error[ERROR_SIZE] = "untouched";
    rg_dataset *data = rg_dataset_idx(images, labels, error, sizeof error);
    if (!data)
        fail_msg("%s", error);
    assert_string_equal(error, "untouched");
    return data;
}

static void check_fashion_mnist(const rg_dataset *data, int64_t count, int64_t pixel_sum, const int64_t first[10])
{
    assert_int_equal(data->count, count);
    assert_int_equal(data->features, 28 * 28);
    assert_int_equal(data->classes, 10);
    int64_t per_class[10] = {0}, sum = 0;
    for (int64_t i = 0; i < count; i++) {
        assert_true(data->y[i] >= 0 && data->y[i] < 10);
        per_class[data->y[i]]++;
    }
    for (int k = 0; k < 10; k++)
        assert_int_equal(per_class[k], count / 10);
    assert_memory_equal(data->y, first, 10 * sizeof *first);
    float least = INFINITY, most = -INFINITY;
    for (int64_t i = 0; i < count * data->features; i++) {
        least = fminf(least, data->x[i]);
        most = fmaxf(most, data->x[i]);
        sum += (int64_t)(data->x[i] * 255 + 0.5F);
    }
    assert_true(least == 0 && most == 1);
    assert_int_equal(sum, pixel_sum); /* counted with Python's gzip module */
}

static void fashion_mnist_is_read_whole(void **state)
{
    (void)state;
    static const int64_t training[10] = {9, 0, 0, 3, 0, 2, 7, 2, 5, 5}, test[10] = {9, 2, 1, 1, 6, 1, 4, 6, 5, 7};
    rg_dataset *data = read_ok(FASHION_MNIST "train-images-idx3-ubyte", FASHION_MNIST "train-labels-idx1-ubyte");
    check_fashion_mnist(data, 60000, 3431114169, training);
    rg_dataset_free(data);
    data = read_ok(FASHION_MNIST "t10k-images-idx3-ubyte.gz", FASHION_MNIST "t10k-labels-idx1-ubyte.gz");
    check_fashion_mnist(data, 10000, 573469082, test);
    rg_dataset_free(data);

    rg_idx *idx = rg_idx_read(FASHION_MNIST "t10k-images-idx3-ubyte", NULL, 0);
    assert_non_null(idx);
    assert_int_equal(idx->type, RG_IDX_U8);
    assert_true(rg_shape_equal(idx->shape, RG_SHAPE(10000, 28, 28)));
    rg_idx_free(idx);
}

/* Three images of 2 x 2 and their labels. */
static const unsigned char images[] = {0, 0, 0x08, 3, 0, 0, 0, 3,  0,  0,  0,   2,   0,   0,
                                       0, 2, 0,    1, 2, 3, 4, 50, 51, 52, 200, 253, 254, 255};
static const unsigned char labels[] = {0, 0, 0x08, 1, 0, 0, 0, 3, 4, 0, 6};
static const unsigned char two_labels[] = {0, 0, 0x08, 1, 0, 0, 0, 2, 4, 0};
static const unsigned char wide_labels[] = {0, 0, 0x0B, 1, 0, 0, 0, 3, 0, 4, 0, 0, 0, 6};

static void pixels_become_fractions_and_labels_classes(void **state)
{
    (void)state;
    const char *x = write_plain("images", images, sizeof images);
    rg_dataset *data = read_ok(x, write_gzip("labels.gz", labels, sizeof labels));
    assert_int_equal(data->count, 3);
    assert_int_equal(data->features, 4);
    assert_int_equal(data->classes, 7);
    for (int i = 0; i < 12; i++)
        assert_true(data->x[i] == (float)images[16 + i] / 255);
    assert_true(data->y[0] == 4 && data->y[1] == 0 && data->y[2] == 6);
    rg_dataset_free(data);
    rg_dataset_free(NULL);
}

static void an_empty_file_is_an_empty_data_set(void **state)
{
    (void)state;
    const char *x = write_plain("images", "\0\0\x08\3\0\0\0\0\0\0\0\2\0\0\0\2", 16);
    rg_dataset *data = read_ok(x, write_plain("labels", "\0\0\x08\1\0\0\0\0", 8));
    assert_true(data->count == 0 && data->features == 4 && data->classes == 0);
    rg_dataset_free(data);
}

static void assert_refused(const char *x, const char *y, const char *names, const char *says)
{
    char error[ERROR_SIZE] = "";
    rg_dataset *data = rg_dataset_idx(x, y, error, sizeof error);
    if (data)
        fail_msg("%s and %s were read, expected an error with \"%s\"", x, y, says);
    assert_error(error, names, says);
}

static void files_that_do_not_make_a_data_set_are_refused(void **state)
{
    (void)state;
    const char *x = write_plain("images", images, sizeof images);
    const char *y = write_plain("labels", labels, sizeof labels);
    assert_refused(in_directory("missing"), y, "/missing", "neither");
    assert_refused(x, in_directory("missing"), "/missing", "neither");
    assert_refused(NULL, y, "IDX", "no name");
    assert_refused(x, NULL, "IDX", "no name");
    assert_refused(y, x, y, "rank 1, expected images");
    assert_refused(x, x, x, "rank 3, expected labels");
    assert_refused(x, write_plain("two", two_labels, sizeof two_labels), "/two", "2 labels, expected 3");
    assert_refused(x, write_plain("wide", wide_labels, sizeof wide_labels), "/wide", "type 0b of rank 1");
    assert_refused(write_plain("signed", "\0\0\x09\2\0\0\0\1\0\0\0\1\0", 13), y, "/signed", "type 09 of rank 2");
    assert_refused(write_plain("cut", images, sizeof images - 1), y, "/cut", "found 11 bytes of data, expected 12");
    assert_null(rg_dataset_idx(x, in_directory("missing"), NULL, 0));
    /* No images, each of more values than can be counted. */
    static const unsigned char endless[] = {0,    0,    0x08, 4,    0,    0,    0,    0,    0xFF, 0xFF,
                                            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    const char *none = write_plain("none", "\0\0\x08\1\0\0\0\0", 8);
    assert_refused(write_plain("endless", endless, sizeof endless), none, "/endless", "4294967295");
}

/* ---- parts ---- */

#define COUNT    103
#define FEATURES 3

/* Sample i has features 10 i, 10 i + 1, 10 i + 2 and label i modulo 7. */
static float sample_x[COUNT * FEATURES];
static int64_t sample_y[COUNT];
static const rg_dataset samples = {.count = COUNT, .features = FEATURES, .classes = 7, .x = sample_x, .y = sample_y};

static int make_samples(void **state)
{
    for (int i = 0; i < COUNT; i++) {
        sample_y[i] = i % 7;
        for (int k = 0; k < FEATURES; k++)
            sample_x[i * FEATURES + k] = (float)(10 * i + k);
    }
    return make_directory(state);
}

static void assert_is_sample(const float *x, int64_t y, int64_t i)
{
    assert_memory_equal(x, sample_x + i * FEATURES, FEATURES * sizeof *x);
    assert_int_equal(y, sample_y[i]);
}

static void a_slice_is_a_copy(void **state)
{
    (void)state;
    static const int64_t parts[][2] = {{0, COUNT}, {0, 1}, {COUNT - 1, 1}, {17, 40}, {0, 0}, {COUNT, 0}, {5, 0}};
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        char error[ERROR_SIZE] = "untouched";
        rg_dataset *slice = rg_dataset_slice(&samples, parts[p][0], parts[p][1], error, sizeof error);
        assert_string_equal(error, "untouched");
        assert_non_null(slice);
        assert_int_equal(slice->count, parts[p][1]);
        assert_int_equal(slice->features, FEATURES);
        assert_int_equal(slice->classes, 7); /* of the whole, whichever the part holds */
        assert_true(slice->x != sample_x && slice->y != sample_y);
        for (int64_t i = 0; i < slice->count; i++)
            assert_is_sample(slice->x + i * FEATURES, slice->y[i], parts[p][0] + i);
        rg_dataset_free(slice);
    }
}

static void a_slice_out_of_range_is_refused(void **state)
{
    (void)state;
    static const int64_t parts[][2] = {{-1, 1},        {0, -1},        {0, COUNT + 1},         {COUNT, 1},
                                       {COUNT + 1, 0}, {INT64_MAX, 1}, {INT64_MAX, INT64_MAX}, {1, INT64_MAX},
                                       {INT64_MIN, 1}, {1, INT64_MIN}};
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        char error[ERROR_SIZE] = "";
        assert_null(rg_dataset_slice(&samples, parts[p][0], parts[p][1], error, sizeof error));
        assert_error(error, "rg_dataset_slice", "a part of 103");
    }
    assert_null(rg_dataset_slice(&samples, 0, COUNT + 1, NULL, 0));
}

/* Each sample stands in one of the two parts, once. */
static void check_split(double share, uint64_t seed, int64_t held_out)
{
    char error[ERROR_SIZE] = "untouched";
    rg_dataset *part[2];
    assert_true(rg_dataset_split(&samples, share, seed, &part[0], &part[1], error, sizeof error));
    assert_string_equal(error, "untouched");
    assert_int_equal(part[0]->count, COUNT - held_out);
    assert_int_equal(part[1]->count, held_out);
    int seen[COUNT] = {0};
    for (int p = 0; p < 2; p++) {
        assert_true(part[p]->features == FEATURES && part[p]->classes == 7);
        for (int64_t i = 0; i < part[p]->count; i++) {
            const int64_t which = (int64_t)part[p]->x[i * FEATURES] / 10;
            assert_is_sample(part[p]->x + i * FEATURES, part[p]->y[i], which);
            seen[which]++;
        }
        rg_dataset_free(part[p]);
    }
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(seen[i], 1);
}

static void a_split_parts_all_samples(void **state)
{
    (void)state;
    check_split(0, 1, 0);
    check_split(1, 1, COUNT);
    check_split(0.1, 1, 10);
    check_split(0.1, 2, 10);
    check_split(0.5, 3, 52); /* 51.5, rounded away from 0 */
    check_split(0.004, 1, 0);
    check_split(0.999, 1, COUNT);
}

static void a_split_repeats_with_its_seed_and_only_then(void **state)
{
    (void)state;
    rg_dataset *rest[3], *held[3];
    static const uint64_t seeds[3] = {5, 5, 6};
    for (int k = 0; k < 3; k++)
        assert_true(rg_dataset_split(&samples, 0.4, seeds[k], &rest[k], &held[k], NULL, 0));
    const size_t bytes = (size_t)held[0]->count * FEATURES * sizeof(float);
    assert_memory_equal(held[0]->x, held[1]->x, bytes);
    assert_memory_not_equal(held[0]->x, held[2]->x, bytes);
    for (int k = 0; k < 3; k++) {
        rg_dataset_free(rest[k]);
        rg_dataset_free(held[k]);
    }
}

static void a_split_that_cannot_be_is_refused(void **state)
{
    (void)state;
    char error[ERROR_SIZE];
    static const double shares[] = {-0.01, 1.01, NAN, INFINITY, -INFINITY};
    for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
        rg_dataset *rest = (rg_dataset *)&samples, *held = rest;
        error[0] = 0;
        assert_false(rg_dataset_split(&samples, shares[k], 1, &rest, &held, error, sizeof error));
        assert_error(error, "rg_dataset_split", "0 to 1");
        assert_true(!rest && !held);
    }
    rg_dataset *rest;
    assert_false(rg_dataset_split(&samples, 0.5, 1, &rest, NULL, error, sizeof error));
    assert_error(error, "rg_dataset_split", "two");
    assert_null(rest);
    assert_false(rg_dataset_split(&samples, 0.5, 1, NULL, NULL, NULL, 0));
}

/* ---- the loader ---- */

static rg_loader *loader_of(const rg_dataset *data, rg_loader_config config)
{
    char error[ERROR_SIZE] = "untouched";
    rg_loader *loader = rg_loader_new(data, &config, error, sizeof error);
    assert_string_equal(error, "untouched");
    assert_non_null(loader);
    return loader;
}

/* Goes through one epoch, checks every batch against the samples it names, writes the order and returns how many samples
 * there were. */
static int64_t run_epoch(rg_loader *loader, int64_t epoch, int64_t batch_size, int64_t order[COUNT])
{
    rg_batch batch;
    int64_t count = 0, batches = 0;
    rg_loader_start(loader, epoch);
    while (rg_loader_next(loader, &batch)) {
        assert_true(batch.count >= 1 && batch.count <= batch_size && count + batch.count <= COUNT);
        for (int64_t i = 0; i < batch.count; i++) {
            assert_is_sample(batch.x + i * FEATURES, batch.y[i], batch.index[i]);
            order[count++] = batch.index[i];
        }
        batches++;
    }
    assert_int_equal(batch.count, 0);
    assert_false(rg_loader_next(loader, &batch)); /* and stays at its end */
    assert_int_equal(batches, rg_loader_batches(loader));
    return count;
}

static void assert_permutation(const int64_t order[COUNT])
{
    int seen[COUNT] = {0};
    for (int i = 0; i < COUNT; i++) {
        assert_true(order[i] >= 0 && order[i] < COUNT);
        seen[order[i]]++;
    }
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(seen[i], 1);
}

static void an_epoch_shows_every_sample_once(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 2, 10, 64, COUNT - 1, COUNT, COUNT + 1, INT64_MAX};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int shuffle = 0; shuffle < 2; shuffle++) {
            rg_loader *loader = loader_of(&samples, (rg_loader_config){.batch = sizes[s], .shuffle = shuffle});
            for (int64_t epoch = 0; epoch < 3; epoch++) {
                int64_t order[COUNT];
                assert_int_equal(run_epoch(loader, epoch, sizes[s], order), COUNT);
                assert_permutation(order);
                for (int i = 0; i < COUNT && !shuffle; i++)
                    assert_int_equal(order[i], i);
            }
            rg_loader_free(loader);
        }
    rg_loader_free(NULL);
}

static void the_last_smaller_batch_is_dropped_on_request(void **state)
{
    (void)state;
    static const int64_t cases[][3] = {{10, 11, 10}, {103, 1, 1}, {104, 1, 0}, {1, 103, 103}, {52, 2, 1}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        int64_t order[COUNT];
        rg_loader *all = loader_of(&samples, (rg_loader_config){.batch = cases[k][0]});
        rg_loader *whole = loader_of(&samples, (rg_loader_config){.batch = cases[k][0], .drop_last = true});
        assert_int_equal(rg_loader_batches(all), cases[k][1]);
        assert_int_equal(rg_loader_batches(whole), cases[k][2]);
        assert_int_equal(run_epoch(all, 0, cases[k][0], order), COUNT);
        assert_int_equal(run_epoch(whole, 0, cases[k][0], order), cases[k][0] * cases[k][2]);
        rg_loader_free(all);
        rg_loader_free(whole);
    }
}

static void no_configuration_means_batches_of_64_in_order(void **state)
{
    (void)state;
    rg_loader *loader = rg_loader_new(&samples, NULL, NULL, 0);
    assert_non_null(loader);
    rg_batch batch;
    assert_true(rg_loader_next(loader, &batch)); /* a new loader stands before epoch 0 */
    assert_int_equal(batch.count, 64);
    assert_int_equal(batch.index[0], 0);
    assert_true(rg_loader_next(loader, &batch));
    assert_int_equal(batch.count, COUNT - 64);
    assert_int_equal(batch.index[0], 64);
    assert_false(rg_loader_next(loader, &batch));
    rg_loader_free(loader);
}

static void an_order_is_a_function_of_seed_and_epoch_alone(void **state)
{
    (void)state;
    int64_t first[4][COUNT], again[COUNT];
    rg_loader *a = loader_of(&samples, (rg_loader_config){.batch = 7, .shuffle = true, .seed = 1});
    rg_loader *b = loader_of(&samples, (rg_loader_config){.batch = 31, .shuffle = true, .seed = 1});
    rg_loader *other = loader_of(&samples, (rg_loader_config){.batch = 7, .shuffle = true, .seed = 2});
    for (int64_t epoch = 0; epoch < 4; epoch++)
        run_epoch(a, epoch, 7, first[epoch]);
    for (int64_t epoch = 3; epoch >= 0; epoch--) {
        rg_batch batch;
        rg_loader_start(b, epoch); /* left half-way */
        assert_true(rg_loader_next(b, &batch));
        run_epoch(b, epoch, 31, again);
        assert_memory_equal(again, first[epoch], sizeof again);
        run_epoch(other, epoch, 7, again);
        assert_memory_not_equal(again, first[epoch], sizeof again);
        for (int64_t earlier = 0; earlier < epoch; earlier++)
            assert_memory_not_equal(first[earlier], first[epoch], sizeof again);
    }
    rg_loader_free(a);
    rg_loader_free(b);
    rg_loader_free(other);
}

/* From the Python model that test_random.c names: seeds keep their meaning from version to version. */
static void orders_are_the_known_ones(void **state)
{
    (void)state;
    static const int64_t split[8] = {3, 0, 2, 6, 1, 5, 4, 7};
    static const int64_t epoch_0[8] = {2, 1, 0, 7, 6, 5, 3, 4}, epoch_3[8] = {2, 4, 0, 3, 6, 1, 5, 7};
    rg_dataset eight = samples, *rest, *held;
    eight.count = 8;
    assert_true(rg_dataset_split(&eight, 1, 1, &rest, &held, NULL, 0));
    for (int i = 0; i < 8; i++)
        assert_is_sample(held->x + i * FEATURES, held->y[i], split[i]);
    rg_dataset_free(rest);
    rg_dataset_free(held);
    rg_loader *loader = loader_of(&eight, (rg_loader_config){.shuffle = true, .seed = 1});
    rg_batch batch;
    rg_loader_start(loader, 0);
    assert_true(rg_loader_next(loader, &batch));
    assert_memory_equal(batch.index, epoch_0, sizeof epoch_0);
    rg_loader_start(loader, 3);
    assert_true(rg_loader_next(loader, &batch));
    assert_memory_equal(batch.index, epoch_3, sizeof epoch_3);
    rg_loader_free(loader);
}

static void a_batch_is_the_loaders_own_copy(void **state)
{
    (void)state;
    rg_loader *loader = loader_of(&samples, (rg_loader_config){.batch = 4});
    rg_batch batch;
    assert_true(rg_loader_next(loader, &batch));
    sample_x[0] = -1;
    sample_y[0] = -1;
    assert_true(batch.x[0] == 0 && batch.y[0] == 0);
    sample_x[0] = 0;
    sample_y[0] = 0;
    rg_loader_free(loader);
}

static void an_empty_data_set_has_no_batches(void **state)
{
    (void)state;
    const rg_dataset empty = {.features = 3};
    rg_loader *loader = loader_of(&empty, (rg_loader_config){.shuffle = true});
    rg_batch batch = {.count = 9};
    assert_int_equal(rg_loader_batches(loader), 0);
    rg_loader_start(loader, 0);
    assert_false(rg_loader_next(loader, &batch));
    assert_int_equal(batch.count, 0);
    rg_loader_free(loader);
    rg_dataset *rest, *held;
    assert_true(rg_dataset_split(&empty, 0.5, 1, &rest, &held, NULL, 0));
    assert_true(rest->count == 0 && held->count == 0);
    rg_dataset_free(rest);
    rg_dataset_free(held);
}

static void bad_arguments_of_a_loader_are_refused(void **state)
{
    (void)state;
    char error[ERROR_SIZE];
    rg_batch batch = {.count = 9};
    assert_null(rg_loader_new(&samples, &(rg_loader_config){.batch = -1}, error, sizeof error));
    assert_error(error, "rg_loader_new", "batch of -1");
    assert_false(rg_loader_next(NULL, &batch));
    assert_int_equal(batch.count, 0);
    assert_int_equal(rg_loader_batches(NULL), 0);
    rg_loader_start(NULL, 0);
    rg_loader *loader = loader_of(&samples, (rg_loader_config){0});
    assert_false(rg_loader_next(loader, NULL));
    rg_loader_free(loader);
}

/* ---- data sets that are none, and memory that is not there ---- */

static void assert_no_part_and_no_loader(const rg_dataset *data, const char *says)
{
    char error[ERROR_SIZE] = "";
    rg_dataset *rest, *held;
    assert_null(rg_dataset_slice(data, 0, 1, error, sizeof error));
    if (!strstr(error, says))
        fail_msg("error \"%s\", expected \"%s\" in it", error, says);
    error[0] = 0;
    assert_false(rg_dataset_split(data, 0.5, 1, &rest, &held, error, sizeof error));
    assert_true(!rest && !held && strstr(error, says));
    error[0] = 0;
    assert_null(rg_loader_new(data, NULL, error, sizeof error));
    assert_true(strstr(error, says));
    assert_null(rg_loader_new(data, NULL, NULL, 0));
}

static void a_data_set_that_is_none_is_refused(void **state)
{
    (void)state;
    rg_dataset bad = samples;
    assert_no_part_and_no_loader(NULL, "no data set");
    bad.count = -1;
    assert_no_part_and_no_loader(&bad, "-1 samples");
    bad.count = COUNT;
    bad.features = -1;
    assert_no_part_and_no_loader(&bad, "-1 features");
    bad.features = FEATURES;
    bad.x = NULL;
    assert_no_part_and_no_loader(&bad, "without data");
    bad.x = sample_x;
    bad.y = NULL;
    assert_no_part_and_no_loader(&bad, "without data");
}

static void memory_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    rg_dataset huge = samples;
    /* Refused by the allocator, and by our own count of bytes. */
    static const int64_t features[] = {(int64_t)1 << 58, INT64_MAX / 4, INT64_MAX};
    for (size_t k = 0; k < sizeof features / sizeof *features; k++) {
        huge.features = features[k];
        assert_no_part_and_no_loader(&huge, "out of memory");
    }
    huge.features = 0;
    huge.count = INT64_MAX;
    assert_null(rg_loader_new(&huge, NULL, NULL, 0));
    rg_dataset *rest, *held;
    for (int k = 0; k <= 2; k++)
        assert_false(rg_dataset_split(&huge, k / 2.0, 1, &rest, &held, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fashion_mnist_is_read_whole),
        cmocka_unit_test(pixels_become_fractions_and_labels_classes),
        cmocka_unit_test(an_empty_file_is_an_empty_data_set),
        cmocka_unit_test(files_that_do_not_make_a_data_set_are_refused),
        cmocka_unit_test(a_slice_is_a_copy),
        cmocka_unit_test(a_slice_out_of_range_is_refused),
        cmocka_unit_test(a_split_parts_all_samples),
        cmocka_unit_test(a_split_repeats_with_its_seed_and_only_then),
        cmocka_unit_test(a_split_that_cannot_be_is_refused),
        cmocka_unit_test(an_epoch_shows_every_sample_once),
        cmocka_unit_test(the_last_smaller_batch_is_dropped_on_request),
        cmocka_unit_test(no_configuration_means_batches_of_64_in_order),
        cmocka_unit_test(an_order_is_a_function_of_seed_and_epoch_alone),
        cmocka_unit_test(orders_are_the_known_ones),
        cmocka_unit_test(a_batch_is_the_loaders_own_copy),
        cmocka_unit_test(an_empty_data_set_has_no_batches),
        cmocka_unit_test(bad_arguments_of_a_loader_are_refused),
        cmocka_unit_test(a_data_set_that_is_none_is_refused),
        cmocka_unit_test(memory_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_samples, remove_directory);
}
