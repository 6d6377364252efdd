/* The matrix products' names: "mm-N" is the cube, "mm-KIND-ROWSxINNERxCOLUMNS" a result of ROWS x COLUMNS. */
#ifndef BENCH_PRODUCT_H
#define BENCH_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

/* KIND: "NN" as written, "TN" with the left operand stored [inner, rows] and read transposed, as in the gradient of a
 * weight, "NT" with the right one stored [columns, inner], as in the gradient of an input. */
typedef struct product {
    bool transpose_a, transpose_b;
    int64_t rows, inner, columns;
} product;

bool product_parse(const char *name, product *p);
double product_flops(const product *p);
double product_bytes(const product *p);

#endif
