/* Shapes and strides: counting, comparing, broadcasting, printing. Dims are arrays of `rank` extents. */
#ifndef RG__CORE_SHAPE_H
#define RG__CORE_SHAPE_H

#include <retrograd/base.h>

/* No tensor has more elements: any of them, of any dtype, can be counted in bytes without overflow. */
#define RG__MAX_NUMEL (INT64_MAX / 64)

/* Of extents. */
static inline int64_t rg__smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t rg__larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline int64_t rg__divide_up(int64_t a, int64_t b)
{
    return a / b + (a % b != 0);
}

/* Number of elements; -1 where an extent is negative or the product exceeds RG__MAX_NUMEL. */
int64_t rg__numel(int rank, const int64_t *dims);

bool rg__dims_equal(int rank_a, const int64_t *a, int rank_b, const int64_t *b);

/* Row-major strides in elements. */
void rg__row_major(int rank, const int64_t *dims, int64_t *strides);
bool rg__is_row_major(int rank, const int64_t *dims, const int64_t *strides);

/* Joins `dims` into the result of broadcasting so far (`out` of *out_rank); false where they do not fit. */
bool rg__broadcast(int *out_rank, int64_t *out, int rank, const int64_t *dims);

/* Strides for reading an array as if it had the larger shape it broadcasts to: 0 along the repeated axes. */
void rg__broadcast_strides(int rank, const int64_t *dims, const int64_t *strides, int out_rank, const int64_t *out,
                           int64_t *out_strides);

/* Strides of the same elements in another shape without a copy; false where there are none. */
bool rg__reshape_strides(int rank, const int64_t *dims, const int64_t *strides, int new_rank, const int64_t *new_dims,
                         int64_t *new_strides);

/* Can the dtype hold the number? An integer holds the whole numbers of its range; the others, whatever they round to. */
bool rg__dtype_holds(rg_dtype dtype, double value);

/* Axis counted from 0, or -1 where it is out of range. */
int rg__axis(int axis, int rank);

/* "[2, 3]" into text, which is returned. RG__SHAPE_TEXT lives until the end of the enclosing block. */
#define RG__TEXT_SIZE 200
const char *rg__shape_text(char *text, int rank, const int64_t *dims);
#define RG__DIMS_TEXT(rank, dims) rg__shape_text((char[RG__TEXT_SIZE]){0}, (rank), (dims))

#endif
