/* Tables as data sets: which columns, their numbers, labels by number or by name. */
#include "data_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is made of which column. */
typedef struct plan {
    const rg_csv *csv;
    const char *name;     /* of the file, for errors             */
    int64_t *features;    /* columns                             */
    int64_t count;        /* of features                         */
    int64_t *targets;     /* columns                             */
    int64_t label;        /* column; -1: none                    */
    const char **classes; /* where labels are names            */
    int64_t class_count;
    bool missing;
    char *error;
    size_t size;
} plan;

static const char *cell(const plan *p, int64_t row, int64_t column)
{
    return p->csv->cells[row * p->csv->columns + column];
}

/* ---- classes by name ---- */

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of a column that is there, sorted, each once. */
static const char **sorted_names(const rg_csv *csv, int64_t column, int64_t *count)
{
    const char **names = rg__data_alloc(csv->rows, 1, sizeof *names);
    if (!names)
        return NULL;
    for (int64_t i = 0; i < csv->rows; i++)
        names[i] = csv->cells[i * csv->columns + column];
    qsort(names, (size_t)csv->rows, sizeof *names, by_bytes);
    *count = 0;
    for (int64_t i = 0; i < csv->rows; i++)
        if (*count == 0 || strcmp(names[i], names[*count - 1]) != 0)
            names[(*count)++] = names[i];
    return names;
}

const char **rg_csv_classes(const rg_csv *csv, const char *column, int64_t *count)
{
    const int64_t at = rg_csv_column(csv, column);
    if (count)
        *count = 0;
    return at < 0 || !count ? NULL : sorted_names(csv, at, count);
}

/* ---- columns ---- */

static bool find_column(const plan *p, const char *column, int64_t *at)
{
    *at = rg_csv_column(p->csv, column);
    return *at >= 0 || rg__data_fail(p->error, p->size, "%s: found no column '%s', expected it among %lld", p->name,
                                     column ? column : "(NULL)", (long long)p->csv->columns);
}

static bool find_columns(const plan *p, const char *const *columns, int64_t count, const char *what, int64_t **at)
{
    if (count < 0 || (count > 0 && !columns))
        return rg__data_fail(p->error, p->size, "%s: found %lld %s, expected 0 or more with their names", p->name,
                             (long long)count, what);
    *at = rg__data_alloc(count, 1, sizeof **at);
    if (!*at)
        return rg__data_fail(p->error, p->size, "%s: out of memory for its columns", p->name);
    for (int64_t i = 0; i < count; i++)
        if (!find_column(p, columns[i], &(*at)[i]))
            return false;
    return true;
}

/* All columns but the label and the targets. */
static bool take_the_rest(plan *p, int64_t targets)
{
    p->features = rg__data_alloc(p->csv->columns, 1, sizeof *p->features);
    if (!p->features)
        return rg__data_fail(p->error, p->size, "%s: out of memory for its columns", p->name);
    for (int64_t i = 0; i < p->csv->columns; i++) {
        bool other = i == p->label;
        for (int64_t k = 0; k < targets; k++)
            other = other || p->targets[k] == i;
        if (!other)
            p->features[p->count++] = i;
    }
    return true;
}

static bool choose_columns(plan *p, const rg_csv_config *config)
{
    if (config->label && config->target_count > 0)
        return rg__data_fail(p->error, p->size, "%s: found a label and targets, expected one of them", p->name);
    if ((config->label && !find_column(p, config->label, &p->label)) ||
        !find_columns(p, config->targets, config->target_count, "targets", &p->targets))
        return false;
    if (config->label && config->label_names) {
        p->classes = sorted_names(p->csv, p->label, &p->class_count);
        if (!p->classes)
            return rg__data_fail(p->error, p->size, "%s: out of memory for its classes", p->name);
    }
    if (!config->columns)
        return take_the_rest(p, config->target_count);
    p->count = config->column_count;
    return find_columns(p, config->columns, config->column_count, "columns", &p->features);
}

/* ---- values ---- */

static bool is_missing(const char *field)
{
    static const char *const ways[] = {"", "NA", "NaN", "nan", "null", "?"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(field, ways[i]) == 0)
            return true;
    return false;
}

static bool fail_field(const plan *p, int64_t row, int64_t column, const char *expected)
{
    return rg__data_fail(p->error, p->size, "%s, line %lld: found '%.40s' in column '%.40s', expected %s", p->name,
                         (long long)p->csv->line[row], cell(p, row, column), p->csv->names[column], expected);
}

static bool read_numbers(const plan *p, int64_t row, const int64_t *columns, int64_t count, float *to)
{
    for (int64_t i = 0; i < count; i++) {
        const char *field = cell(p, row, columns[i]);
        double number = (double)NAN;
        if (is_missing(field) ? !p->missing : !rg_csv_number(field, &number))
            return fail_field(p, row, columns[i], "a number");
        to[i] = (float)number;
    }
    return true;
}

static bool read_label(const plan *p, int64_t row, int64_t *label)
{
    *label = 0;
    if (p->label < 0)
        return true;
    const char *field = cell(p, row, p->label);
    if (p->classes) {
        const char **found = bsearch(&field, p->classes, (size_t)p->class_count, sizeof *p->classes, by_bytes);
        *label = found - p->classes;
        return true;
    }
    double number;
    if (!rg_csv_number(field, &number) || !(number >= 0 && number <= 9007199254740992.) || number != floor(number))
        return fail_field(p, row, p->label, "a label, 0 to 2^53");
    *label = (int64_t)number;
    return true;
}

static bool fill(const plan *p, rg_dataset *data)
{
    for (int64_t i = 0; i < data->count; i++) {
        if (!read_numbers(p, i, p->features, data->features, data->x + i * data->features))
            return false;
        if (data->targets > 0) {
            if (!read_numbers(p, i, p->targets, data->targets, data->t + i * data->targets))
                return false;
            continue;
        }
        if (!read_label(p, i, &data->y[i]))
            return false;
        if (data->y[i] >= data->classes)
            data->classes = data->y[i] + 1;
    }
    return true;
}

rg_dataset *rg_csv_dataset(const rg_csv *csv, const char *name, const rg_csv_config *config, char *error, size_t size)
{
    static const rg_csv_config defaults;
    config = config ? config : &defaults;
    plan p = {
        .csv = csv, .name = name ? name : "CSV", .label = -1, .missing = config->missing, .error = error, .size = size};
    rg_dataset *data = NULL;
    if (!csv) {
        rg__data_fail(error, size, "%s: found no table, expected one", p.name);
        return NULL;
    }
    bool good = choose_columns(&p, config);
    if (good) {
        data = rg__dataset_new(csv->rows, RG_SHAPE(p.count), config->target_count, error, size);
        good = data && fill(&p, data);
    }
    free(p.features);
    free(p.targets);
    free(p.classes);
    if (good)
        return data;
    rg_dataset_free(data);
    return NULL;
}

rg_dataset *rg_dataset_csv(const char *path, const rg_csv_config *config, char *error, size_t size)
{
    rg_csv *csv = rg_csv_read(path, config, error, size);
    rg_dataset *data = csv ? rg_csv_dataset(csv, path, config, error, size) : NULL;
    rg_csv_free(csv);
    return data;
}
