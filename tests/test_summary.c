/* The summary of a recorded model: lines, columns, totals. */
#include "nn_support.h"

int main(void)
{
    return 0;
}
