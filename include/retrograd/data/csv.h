/* Retrograd: tables of comma-separated values (RFC 4180). Errors: see data.h; those of a file name the line. */
#ifndef RETROGRAD_DATA_CSV_H
#define RETROGRAD_DATA_CSV_H

#include <retrograd/data/dataset.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rg_csv_config {
    char separator; /* 0: ','; '\t', ';', ... but no quote and no end of a line                              */
    bool no_header; /* the first line holds values, too; columns are then named "0", "1", ...                */
    bool missing;   /* empty fields and "NA", "NaN", "nan", "null", "?" become NaN; otherwise they are errors */
    const char *const *columns; /* features, by name, in this order; NULL: all but label and targets         */
    int64_t column_count;
    const char *label; /* the column of labels; NULL: none, all labels are 0                                 */
    bool label_names;  /* labels are names, whose sorted order (by bytes) numbers the classes; otherwise they are
                          numbers 0, 1, ...                                                                  */
    const char *const *targets; /* columns of numbers to be predicted, in place of a label                   */
    int64_t target_count;
} rg_csv_config;

/* A table as text. */
typedef struct rg_csv {
    int64_t rows, columns;
    char **names;  /* [columns]                                          */
    char **cells;  /* [rows, columns], without quotes; never NULL        */
    int64_t *line; /* [rows]: where the row begins in the file, from 1   */
    char *text;    /* what names and cells point into                    */
    char *numbers; /* what names point into where there was no header    */
} rg_csv;

/* Fields are separated by the separator, rows by LF, CR LF or CR; a field in double quotes may hold all of them, a quote
 * being written twice. Empty lines are left out, a byte order mark too; spaces belong to the field. Every row must have as
 * many fields as the first. Of the configuration, separator and no_header are read; NULL: the defaults. The caller frees. */
RG_API rg_csv *rg_csv_read(const char *path, const rg_csv_config *config, char *error, size_t size);
/* The same of text in memory, which is copied; `name` stands for the file in errors. */
RG_API rg_csv *rg_csv_parse(const char *name, const char *text, size_t length, const rg_csv_config *config, char *error,
                            size_t size);
RG_API void rg_csv_free(rg_csv *csv);
/* The column of this name; -1 where there is none. Of two, the first. */
RG_API int64_t rg_csv_column(const rg_csv *csv, const char *name);
/* The number that a field holds, with spaces around it or without: decimal, as C writes it, with a point whatever the locale
 * says, or inf, infinity, nan. False where it holds no number, or more. */
RG_API bool rg_csv_number(const char *field, double *number);

/* The table as a data set: features, and a label or targets. */
RG_API rg_dataset *rg_dataset_csv(const char *path, const rg_csv_config *config, char *error, size_t size);
RG_API rg_dataset *rg_csv_dataset(const rg_csv *csv, const char *name, const rg_csv_config *config, char *error,
                                  size_t size);
/* The names of the classes of a column of labels, sorted as `label_names` numbers them; each is the csv's, the list is the
 * caller's to free with free(). NULL where there is no such column. */
RG_API const char **rg_csv_classes(const rg_csv *csv, const char *column, int64_t *count);

#ifdef __cplusplus
}
#endif
#endif
