/* Folds, stratified parts, draws by weight and weights that balance classes. */
#include "data_support.h"

#include <math.h>
#include <retrograd/random.h>

static void folds_are_runs_or_drawn(void **state)
{
    (void)state;
    int64_t part[11], again[11];
    static const int64_t runs[11] = {0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3}; /* scikit-learn's KFold(4) */
    assert_true(rg_kfold(11, 4, false, 9, part, NULL, 0));
    assert_memory_equal(part, runs, sizeof runs);
    assert_true(rg_kfold(11, 4, true, 9, part, NULL, 0));
    assert_memory_not_equal(part, runs, sizeof runs);
    int64_t sizes[4] = {0};
    for (int i = 0; i < 11; i++)
        sizes[part[i]]++;
    assert_true(sizes[0] == 3 && sizes[1] == 3 && sizes[2] == 3 && sizes[3] == 2);
    assert_true(rg_kfold(11, 4, true, 9, again, NULL, 0));
    assert_memory_equal(part, again, sizeof part);
    assert_true(rg_kfold(11, 4, true, 10, again, NULL, 0));
    assert_memory_not_equal(part, again, sizeof part);
}

static void stratified_folds_are_scikit_learns(void **state)
{
    (void)state;
    /* StratifiedKFold(3), by its rule: sorted by class (classes as they first appear: 2, 0, 1), place p goes to fold p % 3.
     * Class 2 has places 0 to 4: folds get 2, 2, 1. Class 0 places 5 to 8: 1, 1, 2. Class 1 places 9, 10: 1, 1, 0. */
    static const int64_t labels[11] = {2, 0, 2, 1, 0, 2, 2, 0, 0, 1, 2};
    static const int64_t expected[11] = {0, 0, 0, 0, 1, 1, 1, 2, 2, 1, 2};
    int64_t part[11];
    assert_true(rg_kfold_stratified(labels, 11, 3, false, 0, part, NULL, 0));
    assert_memory_equal(part, expected, sizeof expected);
    for (uint64_t seed = 0; seed < 20; seed++) {
        int counts[3][3] = {{0}};
        assert_true(rg_kfold_stratified(labels, 11, 3, true, seed, part, NULL, 0));
        for (int i = 0; i < 11; i++)
            counts[labels[i]][part[i]]++;
        static const int wanted[3][3] = {{1, 1, 2}, {1, 1, 0}, {2, 2, 1}};
        assert_memory_equal(counts, wanted, sizeof wanted);
    }
}

static void stratified_folds_deal_every_class_evenly(void **state)
{
    (void)state;
    enum { COUNT = 997 };
    int64_t labels[COUNT], part[COUNT], other[COUNT];
    rg_rng rng = rg_rng_new(4, 4);
    rg_rng_integers(&rng, labels, COUNT, 0, 60);
    for (int i = 0; i < COUNT; i++)
        labels[i] = labels[i] * labels[i] / 100 + (labels[i] > 50 ? INT64_C(1) << 60 : 0);
    for (int64_t folds = 2; folds < 12; folds += 3) {
        assert_true(rg_kfold_stratified(labels, COUNT, folds, true, 1, part, NULL, 0));
        int64_t sizes[12] = {0};
        for (int i = 0; i < COUNT; i++) {
            int64_t of_class[12] = {0}, least = COUNT, most = 0;
            for (int j = 0; j < COUNT; j++)
                of_class[part[j]] += labels[j] == labels[i];
            for (int f = 0; f < folds; f++) {
                least = of_class[f] < least ? of_class[f] : least;
                most = of_class[f] > most ? of_class[f] : most;
            }
            assert_true(most - least <= 1);
            sizes[part[i]]++;
        }
        for (int f = 0; f < folds; f++)
            assert_true(sizes[f] - COUNT / folds <= 1 && COUNT / folds - sizes[f] <= 1);
        assert_true(rg_kfold_stratified(labels, COUNT, folds, true, 2, other, NULL, 0));
        assert_memory_not_equal(part, other, sizeof part);
    }
}

static void a_stratified_split_takes_of_each_class_its_share(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    int64_t labels[COUNT], part[COUNT], again[COUNT];
    for (int i = 0; i < COUNT; i++)
        labels[i] = i < 50 ? 7 : i < 85 ? 3 : 0; /* 50, 35, 15 */
    int ups[3] = {0};
    for (uint64_t seed = 0; seed < 50; seed++) {
        int64_t held[8] = {0};
        assert_true(rg_split_stratified(labels, COUNT, .25, seed, part, NULL, 0));
        for (int i = 0; i < COUNT; i++)
            held[labels[i]] += part[i];
        /* 12.5, 8.75 and 3.75: the two remainders of .75 go up, 12.5 down. */
        assert_true(held[7] == 12 && held[3] == 9 && held[0] == 4);
        assert_true(rg_split_stratified(labels, COUNT, .5, seed, part, NULL, 0));
        memset(held, 0, sizeof held);
        for (int i = 0; i < COUNT; i++)
            held[labels[i]] += part[i];
        assert_true(held[7] == 25 && held[3] + held[0] == 25 && (held[3] == 17 || held[3] == 18)); /* a tie is drawn */
        ups[held[3] == 17]++;
        assert_true(rg_split_stratified(labels, COUNT, .5, seed, again, NULL, 0));
        assert_memory_equal(part, again, sizeof part);
    }
    assert_true(ups[0] > 5 && ups[1] > 5);
    assert_true(rg_split_stratified(labels, COUNT, 1, 1, part, NULL, 0));
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(part[i], 1);
    assert_true(rg_split_stratified(labels, COUNT, 0, 1, part, NULL, 0));
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(part[i], 0);
    assert_true(rg_split_stratified(NULL, 0, .5, 1, NULL, NULL, 0));
}

static void draws_with_replacement_follow_the_weights(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    static const double weights[6] = {0, 1, 0, 5, 4, 0};
    int64_t index[DRAWS], seen[6] = {0};
    assert_true(rg_sample_weighted(weights, 6, DRAWS, true, 1, index, NULL, 0));
    for (int i = 0; i < DRAWS; i++)
        seen[index[i]]++;
    for (int k = 0; k < 6; k++) {
        const double p = weights[k] / 10, expected = p * DRAWS;
        assert_true(fabs((double)seen[k] - expected) <= 4 * sqrt(expected * (1 - p)));
    }
    assert_true(rg_sample_weighted(NULL, 6, DRAWS, true, 1, index, NULL, 0));
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < DRAWS; i++)
        seen[index[i]]++;
    for (int k = 0; k < 6; k++)
        assert_true(fabs((double)seen[k] - DRAWS / 6.) <= 4 * sqrt(DRAWS * 5 / 36.));
}

static void draws_without_replacement_are_those_of_an_urn(void **state)
{
    (void)state;
    static const double weights[4] = {1, 0, 2, 3};
    int first[4] = {0}, second[4] = {0};
    enum { ROUNDS = 6000 };
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        int64_t index[3];
        assert_true(rg_sample_weighted(weights, 4, 3, false, seed, index, NULL, 0));
        assert_true(index[0] != index[1] && index[1] != index[2] && index[0] != index[2]);
        first[index[0]]++;
        second[index[1]]++;
    }
    /* Second is 0 after 2 (2/6 of 1/4) or after 3 (3/6 of 1/3). */
    const double p[4] = {1 / 6., 0, 2 / 6., 3 / 6.}, q = 2 / 6. / 4 + 3 / 6. / 3;
    for (int k = 0; k < 4; k++)
        assert_true(fabs(first[k] - p[k] * ROUNDS) <= 4 * sqrt(p[k] * (1 - p[k]) * ROUNDS));
    assert_true(fabs(second[0] - q * ROUNDS) <= 4 * sqrt(q * (1 - q) * ROUNDS));
    static const double tiny[3] = {1e-308, 0, 1e-310};
    int64_t index[2];
    assert_true(rg_sample_weighted(tiny, 3, 2, false, 1, index, NULL, 0));
    assert_true(index[0] != 1 && index[1] != 1);
    assert_true(rg_sample_weighted(NULL, 3, 2, false, 1, index, NULL, 0));
    assert_true(index[0] != index[1]);
    assert_true(rg_sample_weighted(NULL, 0, 0, false, 1, NULL, NULL, 0));
}

static void weights_balance_classes(void **state)
{
    (void)state;
    static const int64_t labels[8] = {0, 0, 0, 3, 1, 0, 0, 1};
    double of_class[5], of_sample[8], sums[4] = {0};
    assert_true(rg_class_weights(labels, 8, 5, of_class, NULL, 0));
    /* 8 / (3 classes * samples), as scikit-learn's compute_class_weight("balanced") of the classes that are there */
    assert_true(of_class[0] == 8 / 15. && of_class[1] == 8 / 6. && of_class[2] == 0 && of_class[3] == 8 / 3.);
    assert_true(rg_sample_weights(labels, 8, 5, of_sample, NULL, 0));
    for (int i = 0; i < 8; i++)
        sums[labels[i]] += of_sample[i];
    assert_true(fabs(sums[0] - sums[1]) < 1e-12 && fabs(sums[0] - sums[3]) < 1e-12);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const int64_t labels[3] = {0, 1, -1}, apart[3] = {0, 1, 2};
    int64_t part[3];
    double weights[3];
    char error[ERROR_SIZE];
    static const int64_t folds[] = {-1, 0, 1, 4};
    for (size_t k = 0; k < 4; k++) {
        assert_false(rg_kfold(3, folds[k], false, 0, part, error, sizeof error));
        assert_error(error, "rg_kfold", "folds of 3 samples");
        assert_false(rg_kfold_stratified(apart, 3, folds[k], false, 0, part, error, sizeof error));
        assert_error(error, "rg_kfold_stratified", "folds of 3 samples");
    }
    assert_false(rg_kfold(3, 2, false, 0, NULL, error, sizeof error));
    assert_error(error, "rg_kfold", "no place");
    assert_false(rg_kfold(INT64_MAX, 2, true, 0, part, error, sizeof error));
    assert_true(strstr(error, "out of memory"));
    assert_false(rg_kfold_stratified(apart, 3, 2, false, 0, part, error, sizeof error));
    assert_error(error, "rg_kfold_stratified", "at most 1 samples");
    assert_false(rg_kfold_stratified(labels, 3, 2, false, 0, part, error, sizeof error));
    assert_error(error, "rg_kfold_stratified", "label -1 of sample 2");
    assert_false(rg_kfold_stratified(NULL, 3, 2, false, 0, part, error, sizeof error));
    assert_error(error, "rg_kfold_stratified", "3 samples");
    assert_false(rg_split_stratified(apart, 3, 1.5, 0, part, error, sizeof error));
    assert_error(error, "rg_split_stratified", "share 1.5");
    assert_false(rg_split_stratified(apart, 3, NAN, 0, part, NULL, 0));
    assert_false(rg_class_weights(apart, 3, 2, weights, error, sizeof error));
    assert_error(error, "rg_class_weights", "label 2 of sample 2, expected 0 to 1");
    assert_false(rg_sample_weights(labels, 3, 2, weights, error, sizeof error));
    assert_error(error, "rg_sample_weights", "label -1");
    static const double bad[][3] = {{1, NAN, 1}, {1, -1, 1}, {1, INFINITY, 1}, {0, 0, 0}, {1e308, 1e308, 1e308}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        assert_false(rg_sample_weighted(bad[k], 3, 1, k & 1, 0, part, error, sizeof error));
        assert_error(error, "rg_sample_weighted", "found");
    }
    assert_false(rg_sample_weighted(NULL, 3, 4, false, 0, part, error, sizeof error));
    assert_error(error, "rg_sample_weighted", "4 draws from 3 samples");
    assert_false(rg_sample_weighted(NULL, 3, -1, true, 0, part, error, sizeof error));
    assert_error(error, "rg_sample_weighted", "-1 draws");
    assert_false(rg_sample_weighted(NULL, 0, 1, true, 0, part, error, sizeof error));
    assert_false(rg_sample_weighted(NULL, 3, 1, true, 0, NULL, error, sizeof error));
    assert_error(error, "rg_sample_weighted", "without place");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_are_runs_or_drawn),
        cmocka_unit_test(stratified_folds_are_scikit_learns),
        cmocka_unit_test(stratified_folds_deal_every_class_evenly),
        cmocka_unit_test(a_stratified_split_takes_of_each_class_its_share),
        cmocka_unit_test(draws_with_replacement_follow_the_weights),
        cmocka_unit_test(draws_without_replacement_are_those_of_an_urn),
        cmocka_unit_test(weights_balance_classes),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
