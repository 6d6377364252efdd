/* CSV: RFC 4180 and what files do beside it, numbers whatever the locale, columns and labels, and errors with their line. */
#include "data_support.h"

#include <locale.h>
#include <math.h>
#include <retrograd/random.h>

static rg_csv *parse_ok(const char *text, const rg_csv_config *config)
{
    char error[ERROR_SIZE] = "untouched";
    rg_csv *csv = rg_csv_parse("table", text, strlen(text), config, error, sizeof error);
    if (!csv)
        fail_msg("%s", error);
    assert_string_equal(error, "untouched");
    return csv;
}

static void assert_table(const char *text, const rg_csv_config *config, int64_t rows, int64_t columns,
                         const char *const *expected)
{
    rg_csv *csv = parse_ok(text, config);
    assert_int_equal(csv->rows, rows);
    assert_int_equal(csv->columns, columns);
    for (int64_t i = 0; i < columns; i++)
        assert_string_equal(csv->names[i], expected[i]);
    for (int64_t i = 0; i < rows * columns; i++)
        assert_string_equal(csv->cells[i], expected[columns + i]);
    rg_csv_free(csv);
}

static void fields_and_quotes_are_rfc_4180s(void **state)
{
    (void)state;
    static const char *const plain[] = {"a", "b", "c", "1", "2", "3", "x y", "", " z "};
    assert_table("a,b,c\n1,2,3\nx y,, z \n", NULL, 2, 3, plain);
    assert_table("a,b,c\r\n1,2,3\r\nx y,, z ", NULL, 2, 3, plain);
    assert_table("\xEF\xBB\xBF\n\na,b,c\r1,2,3\r\r\nx y,, z \n\n", NULL, 2, 3, plain);
    assert_table("a;b;c\n1;2;3\nx y;; z ", &(rg_csv_config){.separator = ';'}, 2, 3, plain);
    static const char *const quoted[] = {"a,1", "say \"hi\"", "", "line\r\none", "\"", "last"};
    assert_table("\"a,1\",\"say \"\"hi\"\"\"\n\"\",\"line\r\none\"\n\"\"\"\",\"last\"", NULL, 2, 2, quoted);
    static const char *const numbered[] = {"0", "1", "a", "b", "", ""};
    assert_table("a\tb\n\t\n", &(rg_csv_config){.separator = '\t', .no_header = true}, 2, 2, numbered);
    static const char *const header_alone[] = {"a", "b"};
    assert_table("a,b", NULL, 0, 2, header_alone);
    static const char *const high[] = {"\xC3\xA4", "\xFF"};
    assert_table("\xC3\xA4\xFE\xFF", &(rg_csv_config){.separator = (char)0xFE}, 0, 2, high);
    rg_csv_free(NULL);
}

static void rows_know_their_line(void **state)
{
    (void)state;
    rg_csv *csv = parse_ok("h\n1\n\n\"2\n3\"\r\n4\r5\n", NULL);
    static const int64_t lines[] = {2, 4, 6, 7};
    assert_int_equal(csv->rows, 4);
    assert_memory_equal(csv->line, lines, sizeof lines);
    assert_int_equal(rg_csv_column(csv, "h"), 0);
    assert_int_equal(rg_csv_column(csv, "x"), -1);
    assert_int_equal(rg_csv_column(csv, NULL), -1);
    assert_int_equal(rg_csv_column(NULL, "h"), -1);
    rg_csv_free(csv);
}

static void tables_that_are_none_are_refused_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
        size_t length;
    } cases[] = {
        {"", "table: found no rows", 0},
        {"\n\r\n", "table: found no rows", 3},
        {"a,b\n1,2\n3\n", "table, line 3: found 1 fields, expected 2", 10},
        {"a,b\n1,\"2\n2\"\n\n3,4,5\n", "table, line 5: found 3 fields", 20},
        {"a\n\"b\nc", "line 2: found a quote that is not closed", 6},
        {"a\n\"b\"c", "line 2: found text behind a closing quote", 6},
        {"a\nb\"c\"", "line 2: found a quote inside", 6},
        {"a\nb\0c", "line 2: found a NUL inside", 5},
        {"a\n\"b\0c\"", "line 2: found a NUL inside", 7},
    };
    char error[ERROR_SIZE];
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        assert_null(rg_csv_parse("table", cases[k].text, cases[k].length, NULL, error, sizeof error));
        assert_error(error, "table", cases[k].says);
    }
    static const char separators[] = {'"', '\n', '\r'};
    for (int k = 0; k < 3; k++) {
        assert_null(rg_csv_parse(NULL, "a", 1, &(rg_csv_config){.separator = separators[k]}, error, sizeof error));
        assert_error(error, "CSV", "found the separator");
    }
    assert_null(rg_csv_parse("table", NULL, 3, NULL, error, sizeof error));
    assert_error(error, "table", "found no text");
    assert_null(rg_csv_read(in_directory("missing.csv"), NULL, error, sizeof error));
    assert_error(error, "missing.csv", "No such file");
    assert_null(rg_csv_read(NULL, NULL, error, sizeof error));
    assert_error(error, "CSV", "no name");
}

static void numbers_are_read_whatever_the_locale_says(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        double number;
    } good[] = {
        {"1", 1},          {"-1.5", -1.5},           {"+.25", .25},       {"3.", 3},  {" 1e3\t", 1000}, {"1E-2", .01},
        {"inf", INFINITY}, {"-Infinity", -INFINITY}, {"1e999", INFINITY}, {"007", 7}, {"-0", -0.}};
    static const char *const bad[] = {"",
                                      " ",
                                      "x",
                                      "1x",
                                      "1 2",
                                      "0x10",
                                      "1e",
                                      "1e+",
                                      ".",
                                      "-",
                                      "+-1",
                                      "1,5",
                                      "1.2.3",
                                      "in",
                                      "nano",
                                      "infin",
                                      "--inf",
                                      "1e5.5",
                                      "e5",
                                      ("\xC2\xA0"
                                       "1")};
    /* With a comma for a point where the system has such a locale; the tests hold in either case. */
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8"))
        setlocale(LC_NUMERIC, "fr_FR.UTF-8");
    double number;
    for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
        assert_true(rg_csv_number(good[k].field, &number));
        assert_true(number == good[k].number);
    }
    assert_true(rg_csv_number("NaN", &number) && isnan(number));
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        if (rg_csv_number(bad[k], &number))
            fail_msg("'%s' was read as %g", bad[k], number);
    char digits[1000];
    memset(digits, '1', sizeof digits);
    digits[999] = '\0';
    assert_false(rg_csv_number(digits, &number));
    assert_false(rg_csv_number(NULL, &number));
    assert_false(rg_csv_number("1", NULL));
    setlocale(LC_NUMERIC, "C");
}

/* ---- data sets ---- */

static const char iris[] = "length,width,kind,size\n5.1,3.5,setosa,2\n4.9,3,versicolor,0\n6,2.5,setosa,1\n";

static void columns_become_features_labels_and_targets(void **state)
{
    (void)state;
    const char *path = write_plain("iris.csv", iris, sizeof iris - 1);
    static const char *const chosen[] = {"width", "length"}, *const target[] = {"size", "width"};
    char error[ERROR_SIZE] = "untouched";
    rg_csv_config config = {.columns = chosen, .column_count = 2, .label = "kind", .label_names = true};
    rg_dataset *data = rg_dataset_csv(path, &config, error, sizeof error);
    assert_string_equal(error, "untouched");
    assert_true(data && data->count == 3 && data->features == 2 && data->classes == 2);
    assert_true(data->x[0] == 3.5F && data->x[1] == 5.1F && data->x[4] == 2.5F);
    assert_true(data->y[0] == 0 && data->y[1] == 1 && data->y[2] == 0);
    rg_dataset_free(data);

    config = (rg_csv_config){.columns = chosen, .column_count = 1, .label = "size"};
    data = rg_dataset_csv(path, &config, NULL, 0);
    assert_true(data && data->features == 1 && data->classes == 3 && data->y[0] == 2 && data->y[1] == 0);
    rg_dataset_free(data);

    rg_csv *csv = rg_csv_read(path, NULL, NULL, 0);
    int64_t count;
    const char **classes = rg_csv_classes(csv, "kind", &count);
    assert_int_equal(count, 2);
    assert_string_equal(classes[0], "setosa");
    assert_string_equal(classes[1], "versicolor");
    free(classes);
    assert_null(rg_csv_classes(csv, "none", &count));
    rg_csv_free(csv);

    static const char numbers[] = "1,2,3\n4,5,6\n";
    config = (rg_csv_config){.no_header = true, .targets = (const char *const[]){"1"}, .target_count = 1};
    csv = parse_ok(numbers, &config);
    data = rg_csv_dataset(csv, NULL, &config, NULL, 0);
    assert_true(data && data->features == 2 && data->targets == 1 && !data->y);
    assert_true(data->x[0] == 1 && data->x[1] == 3 && data->t[0] == 2 && data->x[3] == 6 && data->t[1] == 5);
    rg_dataset_free(data);
    data = rg_csv_dataset(csv, NULL, NULL, NULL, 0);
    assert_true(data && data->features == 3 && data->y[1] == 0 && data->classes == 1);
    rg_dataset_free(data);
    rg_csv_free(csv);

    config = (rg_csv_config){.columns = chosen, .column_count = 2, .targets = target, .target_count = 2};
    data = rg_dataset_csv(path, &config, NULL, 0);
    assert_true(data && data->targets == 2 && data->t[0] == 2 && data->t[1] == 3.5F);
    rg_dataset_free(data);
}

static void missing_values_are_nan_or_errors(void **state)
{
    (void)state;
    const char *path = write_plain("holes.csv", "a,b\n1,\nNA,2\n?,null\nnan,NaN\n", 27);
    rg_dataset *data = rg_dataset_csv(path, &(rg_csv_config){.missing = true}, NULL, 0);
    assert_true(data && data->count == 4 && data->x[0] == 1 && data->x[3] == 2);
    for (int k = 0; k < 8; k++)
        assert_true(isnan(data->x[k]) || k == 0 || k == 3);
    rg_dataset_free(data);
    char error[ERROR_SIZE];
    assert_null(rg_dataset_csv(path, NULL, error, sizeof error));
    assert_error(error, "holes.csv, line 2", "found '' in column 'b', expected a number");
}

static void data_sets_that_cannot_be_are_refused(void **state)
{
    (void)state;
    const char *path = write_plain("iris.csv", iris, sizeof iris - 1);
    static const char *const none[] = {"depth"}, *const null[] = {NULL};
    const struct {
        rg_csv_config config;
        const char *says;
    } cases[] = {
        {{.label = "depth"}, "found no column 'depth'"},
        {{.columns = none, .column_count = 1}, "found no column 'depth'"},
        {{.columns = null, .column_count = 1}, "found no column '(NULL)'"},
        {{.targets = none, .target_count = 1}, "found no column 'depth'"},
        {{.targets = NULL, .target_count = 1}, "found 1 targets"},
        {{.columns = none, .column_count = -1}, "found -1 columns"},
        {{.label = "kind", .targets = none, .target_count = 1}, "found a label and targets"},
        {{.label = "size"}, "line 2: found 'setosa' in column 'kind', expected a number"},
        {{.label = "kind"}, "line 2: found 'setosa' in column 'kind', expected a label"},
        {{.label = "length", .columns = none, .column_count = 0},
         "line 2: found '5.1' in column 'length', expected a label"},
    };
    char error[ERROR_SIZE];
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        rg_csv_config config = cases[k].config;
        static const char *const size_only[] = {"size"};
        if (k == 8) {
            config.columns = size_only;
            config.column_count = 1;
        }
        assert_null(rg_dataset_csv(path, &config, error, sizeof error));
        assert_error(error, "iris.csv", cases[k].says);
    }
    assert_null(rg_csv_dataset(NULL, NULL, NULL, error, sizeof error));
    assert_error(error, "CSV", "no table");
    assert_null(rg_dataset_csv(in_directory("missing.csv"), NULL, error, sizeof error));
    assert_error(error, "missing.csv", "expected a CSV file");
}

static void damaged_tables_never_crash(void **state)
{
    (void)state;
    static const char alphabet[] = ",\"\n\r\0a1.-;\xEF\xBB\xBF";
    rg_rng rng = rg_rng_new(3, 3);
    int64_t read = 0, refused = 0;
    for (int round = 0; round < 20000; round++) {
        int64_t draw[64];
        rg_rng_integers(&rng, draw, 64, 0, 1 << 20);
        size_t length = (size_t)draw[0] % 60;
        char *text = malloc(length + 1);
        if (round % 2) { /* a good table with some bytes changed, or anything */
            length = length < sizeof iris ? length : sizeof iris - 1;
            memcpy(text, iris, length);
            for (int k = 1; k < 4 && length > 0; k++)
                text[(size_t)draw[k] % length] = alphabet[draw[k + 10] % 13];
        } else {
            for (size_t k = 0; k < length; k++)
                text[k] = alphabet[draw[k + 1] % 13];
        }
        char error[ERROR_SIZE] = "";
        const rg_csv_config config = {.no_header = draw[61] & 1, .missing = draw[62] & 1};
        rg_csv *csv = rg_csv_parse("damaged", text, length, &config, error, sizeof error);
        free(text);
        if (csv) {
            int64_t characters = 0;
            for (int64_t i = 0; i < csv->rows * csv->columns; i++)
                characters += (int64_t)strlen(csv->cells[i]);
            assert_true(characters <= (int64_t)length);
            rg_dataset_free(rg_csv_dataset(csv, NULL, &config, error, sizeof error));
            read++;
        } else {
            assert_error(error, "damaged", "expected");
            refused++;
        }
        rg_csv_free(csv);
    }
    assert_true(read > 1000 && refused > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_and_quotes_are_rfc_4180s),
        cmocka_unit_test(rows_know_their_line),
        cmocka_unit_test(tables_that_are_none_are_refused_with_their_line),
        cmocka_unit_test(numbers_are_read_whatever_the_locale_says),
        cmocka_unit_test(columns_become_features_labels_and_targets),
        cmocka_unit_test(missing_values_are_nan_or_errors),
        cmocka_unit_test(data_sets_that_cannot_be_are_refused),
        cmocka_unit_test(damaged_tables_never_crash),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
