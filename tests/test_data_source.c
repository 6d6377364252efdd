/* Sources of samples: those of one's own, arrays, data sets, views of them, and loaders over each. */
#include "data_support.h"

#include <retrograd/retrograd.h>

static void assert_says(const char *error, const char *says)
{
    if (!strstr(error, says) || strchr(error, '\n'))
        fail_msg("error \"%s\", expected one line with \"%s\"", error, says);
}

/* ---- a source of one's own: sample i is [i, i + 1], its label i modulo 3 ---- */

typedef struct squares {
    int64_t refuses; /* a sample that cannot be read; -1: none */
    bool silent, closed;
} squares;

static bool get_square(void *user, int64_t i, void *x, void *y, char *error, size_t size)
{
    const squares *s = user;
    if (i == s->refuses) {
        if (!s->silent)
            snprintf(error, size, "square %d: found nothing, expected a square", (int)i);
        return false;
    }
    ((double *)x)[0] = (double)i;
    ((double *)x)[1] = (double)(i + 1);
    *(int64_t *)y = i % 3;
    return true;
}

static rg_source squares_of(squares *s, int64_t count)
{
    return (rg_source){.count = count,
                       .x_shape = RG_SHAPE(2),
                       .x_dtype = RG_F64,
                       .y_dtype = RG_I64,
                       .classes = 3,
                       .get = get_square,
                       .user = s};
}

static void a_source_of_ones_own_goes_through_the_loader(void **state)
{
    (void)state;
    squares s = {.refuses = -1};
    const rg_source source = squares_of(&s, 10);
    rg_loader *loader = rg_loader_new_source(&source, &(rg_loader_config){.batch = 4}, NULL, 0);
    assert_non_null(loader);
    assert_int_equal(rg_loader_batches(loader), 3);
    rg_batch batch;
    rg_tape *t = rg_tape_new(NULL);
    int64_t seen = 0;
    while (rg_loader_next(loader, &batch)) {
        assert_null(batch.x); /* not f32 */
        assert_int_equal(batch.inputs.dtype, RG_F64);
        assert_true(rg_shape_equal(batch.inputs.shape, RG_SHAPE(batch.count, 2)));
        assert_true(rg_shape_equal(batch.labels.shape, RG_SHAPE(batch.count)));
        assert_true(batch.labels.data == batch.y);
        const double *x = rg_data_f64(t, rg_batch_x(t, &batch));
        const int64_t *y = rg_data_i64(t, rg_batch_y(t, &batch));
        for (int64_t i = 0; i < batch.count; i++, seen++) {
            assert_int_equal(batch.index[i], seen);
            assert_true(x[2 * i] == (double)seen && x[2 * i + 1] == (double)(seen + 1));
            assert_int_equal(y[i], seen % 3);
        }
    }
    assert_int_equal(seen, 10);
    assert_string_equal(rg_loader_error(loader), "");
    assert_false(rg_failed(t));
    rg_tape_free(t);
    rg_loader_free(loader);
}

static void a_sample_that_cannot_be_read_ends_the_epoch_with_its_error(void **state)
{
    (void)state;
    for (int silent = 0; silent < 2; silent++) {
        squares s = {.refuses = 5, .silent = silent};
        const rg_source source = squares_of(&s, 10);
        rg_loader *loader = rg_loader_new_source(&source, &(rg_loader_config){.batch = 2}, NULL, 0);
        rg_batch batch;
        assert_true(rg_loader_next(loader, &batch));
        assert_true(rg_loader_next(loader, &batch));
        assert_string_equal(rg_loader_error(loader), "");
        for (int i = 0; i < 2; i++) {
            assert_false(rg_loader_next(loader, &batch));
            assert_int_equal(batch.count, 0);
            assert_says(rg_loader_error(loader), silent ? "sample 5 could not be read" : "square 5: found nothing");
        }
        s.refuses = -1;
        rg_loader_start(loader, 1);
        assert_string_equal(rg_loader_error(loader), "");
        for (int i = 0; i < 5; i++)
            assert_true(rg_loader_next(loader, &batch));
        assert_false(rg_loader_next(loader, &batch));
        assert_string_equal(rg_loader_error(loader), "");
        rg_loader_free(loader);
    }
    assert_string_equal(rg_loader_error(NULL), "");
}

static void a_batch_that_is_none_is_an_error_of_the_tape(void **state)
{
    (void)state;
    rg_tape *t = rg_tape_new(NULL);
    assert_true(rg_is_nil(rg_batch_x(t, NULL)));
    assert_true(rg_failed(t));
    rg_tape_free(t);
    assert_true(rg_is_nil(rg_batch_y(NULL, NULL)));
}

/* ---- arrays and data sets ---- */

static void arrays_are_borrowed_or_copied(void **state)
{
    (void)state;
    float x[6] = {0, 1, 2, 3, 4, 5};
    int64_t y[3] = {4, 0, 2};
    const rg_array of_x = {RG_F32, RG_SHAPE(3, 1, 2), x}, of_y = {RG_I64, RG_SHAPE(3), y};
    for (int copy = 0; copy < 2; copy++) {
        char error[ERROR_SIZE] = "untouched";
        rg_source *s = rg_source_arrays(&of_x, &of_y, copy, error, sizeof error);
        assert_non_null(s);
        assert_string_equal(error, "untouched");
        assert_int_equal(s->count, 3);
        assert_int_equal(s->classes, 5);
        assert_true(rg_shape_equal(s->x_shape, RG_SHAPE(1, 2)) && s->y_shape.rank == 0);
        x[2] = 77;
        float got[2];
        int64_t label;
        assert_true(s->get(s->user, 1, got, &label, NULL, 0));
        assert_true(got[0] == (copy ? 2.F : 77.F) && got[1] == 3 && label == 0);
        x[2] = 2;
        rg_source_free(s);
    }
    rg_source *s = rg_source_arrays(&of_x, NULL, false, NULL, 0);
    rg_loader *loader = rg_loader_new_source(s, NULL, NULL, 0);
    rg_batch batch;
    assert_true(rg_loader_next(loader, &batch));
    assert_true(batch.count == 3 && batch.x && !batch.y && !batch.labels.data);
    rg_loader_free(loader);
    rg_source_free(s);
    rg_source_free(NULL);
}

static void arrays_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    float x[6] = {0};
    int64_t y[4] = {0};
    char error[ERROR_SIZE];
    const rg_array good = {RG_F32, RG_SHAPE(3, 2), x};
    const rg_array bad[] = {{RG_F32, RG_SCALAR, x},
                            {RG_F32, {RG_MAX_RANK + 1, {1}}, x},
                            {(rg_dtype)99, RG_SHAPE(3), x},
                            {RG_F32, RG_SHAPE(3, -1), x},
                            {RG_F32, RG_SHAPE(3, INT64_MAX), x},
                            {RG_F32, RG_SHAPE(0, INT64_MAX, INT64_MAX), x},
                            {RG_F32, RG_SHAPE(3), NULL}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_null(rg_source_arrays(&bad[i], NULL, false, error, sizeof error));
        assert_error(error, "rg_source_arrays", "found x");
        assert_null(rg_source_arrays(&good, &bad[i], true, error, sizeof error));
        assert_error(error, "rg_source_arrays", "found y");
    }
    const rg_array four = {RG_I64, RG_SHAPE(4), y};
    assert_null(rg_source_arrays(&good, &four, false, error, sizeof error));
    assert_error(error, "rg_source_arrays", "3 samples and y of 4");
    assert_null(rg_source_arrays(NULL, &four, false, error, sizeof error));
    assert_error(error, "rg_source_arrays", "no x");
}

static void a_data_set_with_targets_gives_them_for_labels(void **state)
{
    (void)state;
    float x[8] = {0, 1, 2, 3, 4, 5, 6, 7}, targets[4] = {.5F, 1.5F, 2.5F, 3.5F};
    const rg_dataset data = {.count = 4, .features = 2, .x = x, .targets = 1, .t = targets};
    rg_loader *loader = rg_loader_new(&data, &(rg_loader_config){.batch = 3}, NULL, 0);
    rg_batch batch;
    assert_true(rg_loader_next(loader, &batch));
    assert_true(!batch.y && batch.labels.dtype == RG_F32);
    assert_true(rg_shape_equal(batch.labels.shape, RG_SHAPE(3, 1)));
    assert_memory_equal(batch.labels.data, targets, 3 * sizeof *targets);
    rg_loader_free(loader);
    static const int64_t index[3] = {3, 1, 3};
    rg_dataset *part[3];
    part[0] = rg_dataset_take(&data, index, 3, NULL, 0);
    assert_true(part[0] && !part[0]->y && part[0]->t[0] == 3.5F && part[0]->t[1] == 1.5F && part[0]->x[4] == 6);
    assert_true(rg_dataset_split(&data, .5, 3, &part[1], &part[2], NULL, 0));
    for (int i = 0; i < 3; i++) {
        for (int64_t k = 0; k < part[i]->count; k++)
            assert_true(part[i]->x[2 * k] == 2 * part[i]->t[k] - 1);
        rg_dataset_free(part[i]);
    }
}

static void a_data_sets_shape_is_the_batchs(void **state)
{
    (void)state;
    float x[12] = {0};
    int64_t y[2] = {0};
    char error[ERROR_SIZE];
    rg_dataset data = {.count = 2, .features = 6, .classes = 1, .x = x, .y = y, .shape = RG_SHAPE(1, 2, 3)};
    rg_loader *loader = rg_loader_new(&data, NULL, NULL, 0);
    rg_batch batch;
    assert_true(rg_loader_next(loader, &batch));
    assert_true(rg_shape_equal(batch.inputs.shape, RG_SHAPE(2, 1, 2, 3)));
    rg_loader_free(loader);
    data.shape = RG_SHAPE(1, 2, 2);
    assert_null(rg_loader_new(&data, NULL, error, sizeof error));
    assert_error(error, "rg_loader_new", "4 numbers");
    assert_int_equal(rg_dataset_source(&data).count, -1);
    const rg_source none = rg_dataset_source(&data);
    assert_null(rg_loader_new_source(&none, NULL, error, sizeof error));
    assert_error(error, "rg_loader_new", "-1 samples");
}

/* ---- views ---- */

static void a_subset_is_a_view_by_its_list(void **state)
{
    (void)state;
    squares s = {.refuses = -1};
    int64_t index[4] = {9, 0, 9, 4};
    rg_source source = squares_of(&s, 10);
    rg_source *view = rg_source_subset(&source, index, 4, NULL, 0);
    memset(index, 0, sizeof index); /* the list is copied, the source too */
    memset(&source, 0, sizeof source);
    static const int64_t inner[2] = {3, 2};
    rg_source *second = rg_source_subset(view, inner, 2, NULL, 0);
    rg_dataset *data = rg_source_load(second, NULL, 0);
    assert_non_null(data);
    assert_true(data->count == 2 && data->classes == 3 && data->features == 2);
    assert_true(data->x[0] == 4 && data->x[1] == 5 && data->x[2] == 9 && data->y[0] == 1 && data->y[1] == 0);
    rg_dataset_free(data);
    rg_source_free(second);
    rg_source_free(view);

    char error[ERROR_SIZE];
    source = squares_of(&s, 10);
    static const int64_t wrong[2][2] = {{0, 10}, {-1, 0}};
    for (int i = 0; i < 2; i++) {
        assert_null(rg_source_subset(&source, wrong[i], 2, error, sizeof error));
        assert_error(error, "rg_source_subset", i ? "sample -1 at place 0" : "sample 10 at place 1");
    }
    assert_null(rg_source_subset(&source, NULL, 2, error, sizeof error));
    assert_error(error, "rg_source_subset", "without data");
    assert_null(rg_source_subset(&source, wrong[0], -1, error, sizeof error));
    assert_error(error, "rg_source_subset", "-1 samples");
    assert_null(rg_source_subset(NULL, wrong[0], 1, error, sizeof error));
    assert_error(error, "rg_source_subset", "no source");
    rg_source *empty = rg_source_subset(&source, NULL, 0, NULL, 0);
    assert_int_equal(empty->count, 0);
    rg_source_free(empty);
}

static void parts_are_views_in_the_sources_order(void **state)
{
    (void)state;
    squares s = {.refuses = -1};
    const rg_source source = squares_of(&s, 6);
    static const int64_t part[6] = {0, 1, 2, 1, 0, 1};
    rg_source *training, *validation;
    assert_true(rg_source_part(&source, part, 1, &training, &validation, NULL, 0));
    rg_dataset *a = rg_source_load(training, NULL, 0), *b = rg_source_load(validation, NULL, 0);
    assert_true(a->count == 3 && a->x[0] == 0 && a->x[2] == 2 && a->x[4] == 4);
    assert_true(b->count == 3 && b->x[0] == 1 && b->x[2] == 3 && b->x[4] == 5);
    rg_dataset_free(a);
    rg_dataset_free(b);
    rg_source_free(training);
    rg_source_free(validation);
    char error[ERROR_SIZE];
    assert_false(rg_source_part(&source, NULL, 1, &training, &validation, error, sizeof error));
    assert_error(error, "rg_source_part", "no list");
    assert_true(!training && !validation);
    assert_false(rg_source_part(&source, part, 1, NULL, &validation, error, sizeof error));
    assert_error(error, "rg_source_part", "expected two");
    assert_false(rg_source_part(NULL, part, 1, &training, &validation, error, sizeof error));
    assert_error(error, "rg_source_part", "no source");
}

static void loading_turns_numbers_into_features_and_targets(void **state)
{
    (void)state;
    static const int32_t x[4] = {1, -2, 3, 4};
    static const double targets[2] = {.25, .75};
    const rg_array of_x = {RG_I32, RG_SHAPE(2, 2), x}, of_y = {RG_F64, RG_SHAPE(2), targets};
    rg_source *s = rg_source_arrays(&of_x, &of_y, false, NULL, 0);
    rg_dataset *data = rg_source_load(s, NULL, 0);
    assert_true(data && data->targets == 1 && data->t[1] == .75F && data->x[1] == -2 && !data->y);
    rg_dataset_free(data);
    rg_source_free(s);
    char error[ERROR_SIZE];
    static const int64_t negative[2] = {0, -1};
    const rg_array labels = {RG_I64, RG_SHAPE(2), negative};
    s = rg_source_arrays(&of_x, &labels, false, NULL, 0);
    assert_int_equal(s->classes, 0);
    assert_null(rg_source_load(s, error, sizeof error));
    assert_error(error, "rg_source_load", "label -1 of sample 1");
    rg_source_free(s);
    squares failing = {.refuses = 1};
    const rg_source own = squares_of(&failing, 2);
    assert_null(rg_source_load(&own, error, sizeof error));
    assert_error(error, "square 1", "found nothing");
    failing.silent = true;
    assert_null(rg_source_load(&own, error, sizeof error));
    assert_error(error, "sample 1", "could not be read");
    assert_null(rg_source_load(&own, NULL, 0));
}

static void a_source_that_is_none_is_refused(void **state)
{
    (void)state;
    squares s = {.refuses = -1};
    char error[ERROR_SIZE];
    const rg_source good = squares_of(&s, 3);
    rg_source bad[7];
    for (int i = 0; i < 7; i++)
        bad[i] = good;
    bad[0].count = -1;
    bad[1].get = NULL;
    bad[2].x_dtype = (rg_dtype)77;
    bad[3].y_dtype = (rg_dtype)-1;
    bad[4].x_shape.rank = RG_MAX_RANK;
    bad[5].y_shape = RG_SHAPE(-3);
    bad[6].x_shape = RG_SHAPE(INT64_MAX, INT64_MAX);
    static const char *const says[7] = {"-1 samples", "without get",        "dtypes 77", "and -1, expected",
                                        "ranks 8",    "elements, expected", "extents"};
    for (int i = 0; i < 7; i++) {
        assert_null(rg_loader_new_source(&bad[i], NULL, error, sizeof error));
        assert_error(error, "rg_loader_new", says[i]);
        assert_null(rg_source_load(&bad[i], error, sizeof error));
        assert_error(error, "rg_source_load", says[i]);
    }
    assert_null(rg_loader_new_source(NULL, NULL, error, sizeof error));
    assert_error(error, "rg_loader_new", "no source");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_of_ones_own_goes_through_the_loader),
        cmocka_unit_test(a_sample_that_cannot_be_read_ends_the_epoch_with_its_error),
        cmocka_unit_test(a_batch_that_is_none_is_an_error_of_the_tape),
        cmocka_unit_test(arrays_are_borrowed_or_copied),
        cmocka_unit_test(arrays_that_do_not_fit_are_refused),
        cmocka_unit_test(a_data_set_with_targets_gives_them_for_labels),
        cmocka_unit_test(a_data_sets_shape_is_the_batchs),
        cmocka_unit_test(a_subset_is_a_view_by_its_list),
        cmocka_unit_test(parts_are_views_in_the_sources_order),
        cmocka_unit_test(loading_turns_numbers_into_features_and_targets),
        cmocka_unit_test(a_source_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
