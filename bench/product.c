/* The matrix products' names, taken apart. */
#include "product.h"
#include <stdio.h>

bool product_parse(const char *name, product *p)
{
    enum { LARGEST = 1 << 15 };
    int rows = 0, inner = 0, columns = 0, end = 0;
    char a = 'N', b = 'N';
    if (sscanf(name, "mm-%d%n", &rows, &end) == 1)
        inner = columns = rows;
    else if (sscanf(name, "mm-%c%c-%dx%dx%d%n", &a, &b, &rows, &inner, &columns, &end) != 5)
        return false;
    *p = (product){a == 'T', b == 'T', rows, inner, columns};
    const bool kind = (a == 'N' || a == 'T') && (b == 'N' || b == 'T');
    const bool sizes = rows > 0 && inner > 0 && columns > 0 && rows <= LARGEST && inner <= LARGEST && columns <= LARGEST;
    return kind && sizes && name[end] == '\0';
}

double product_flops(const product *p)
{
    return 2.0 * (double)p->rows * (double)p->inner * (double)p->columns;
}

double product_bytes(const product *p)
{
    return 4.0 * (double)(p->rows * p->inner + p->inner * p->columns + p->rows * p->columns);
}
