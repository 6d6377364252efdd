/* The memory layouts that the inputs of a golden case are tried in. The values are the same in all of them. */
#ifndef RG__TESTS_GOLDEN_LAYOUT_H
#define RG__TESTS_GOLDEN_LAYOUT_H

#include "../golden.h"

enum layout {
    ROW_MAJOR,
    TRANSPOSED, /* axes stored in the reverse order, and permuted                        */
    FLIPPED,    /* stored backwards, and flipped: negative strides                       */
    SLICED,     /* every second element of longer rows, NaN between                      */
    BORROWED,   /* the same in the caller's memory, every second axis backwards          */
    PARAMETERS, /* leaves of a store: first gradients come from rg_backward_with         */
    LAYOUTS
};
static const char *const LAYOUT_NAMES[LAYOUTS] = {"row-major", "transposed", "flipped",
                                                  "sliced",    "borrowed",   "parameters"};

/* Writes a's elements into a buffer, element [i, j, ...] at start + i strides[0] + j strides[1] ... */
static void spread(const struct golden_array *a, char *buffer, int64_t start, const int64_t *strides)
{
    const size_t size = rg_dtype_size(a->dtype);
    int64_t index[RG_MAX_RANK] = {0};
    for (size_t n = 0; n < a->count; n++) {
        int64_t offset = start;
        for (int i = 0; i < a->shape.rank; i++)
            offset += index[i] * strides[i];
        memcpy(buffer + (size_t)offset * size, (const char *)a->data + n * size, size);
        for (int i = a->shape.rank - 1; i >= 0 && ++index[i] == a->shape.dims[i]; i--)
            index[i] = 0;
    }
}

static void row_major_strides(rg_shape shape, int64_t *strides)
{
    int64_t stride = 1;
    for (int i = shape.rank - 1; i >= 0; i--) {
        strides[i] = stride;
        stride *= shape.dims[i];
    }
}

/* How `shape` lies in memory: the shape that is stored there, and where its elements stand in it. */
static void lay_out(rg_shape shape, enum layout layout, rg_shape *stored, int64_t *start, int64_t *strides)
{
    const int last = shape.rank - 1;
    const bool gaps = (layout == SLICED || layout == BORROWED) && last >= 0;
    int64_t of_stored[RG_MAX_RANK];
    *stored = shape;
    *start = gaps ? 1 : 0;
    if (gaps)
        stored->dims[last] = 2 * shape.dims[last] + 1;
    for (int i = 0; i <= last && layout == TRANSPOSED; i++)
        stored->dims[i] = shape.dims[last - i];
    row_major_strides(*stored, of_stored);
    for (int i = 0; i <= last; i++) {
        strides[i] = of_stored[layout == TRANSPOSED ? last - i : i] * (gaps && i == last ? 2 : 1);
        if (layout == FLIPPED || (layout == BORROWED && i % 2 == 0)) {
            *start += shape.dims[i] > 0 ? strides[i] * (shape.dims[i] - 1) : 0;
            strides[i] = -strides[i];
        }
    }
}

/* a as a tensor in the given layout; nil where there is no memory. *buffer must outlive the tape: free it then. */
static rg_tensor place(rg_tape *t, const struct golden_array *a, enum layout layout, void **buffer)
{
    const size_t size = rg_dtype_size(a->dtype);
    rg_shape stored;
    int64_t start, strides[RG_MAX_RANK] = {0};
    lay_out(a->shape, layout, &stored, &start, strides);
    const size_t bytes = (size_t)(rg_shape_numel(stored) + 2) * size;
    char *const data = *buffer = malloc(bytes);
    if (data == NULL)
        return RG_NIL;
    memset(data, a->dtype == RG_BOOL ? 1 : 0xff, bytes); /* floats: NaN */
    spread(a, data, start, strides);
    if (layout == BORROWED)
        return rg_borrow(t, a->dtype, a->shape, strides, data + (size_t)start * size);

    const rg_tensor x = rg_input(t, a->dtype, stored, data);
    rg_axes order = {.count = a->shape.rank};
    for (int i = 0; i < order.count; i++)
        order.axis[i] = order.count - 1 - i;
    switch (layout) {
    case TRANSPOSED: return rg_permute(t, x, order);
    case FLIPPED: return rg_flip(t, x, RG_ALL);
    case SLICED: return a->shape.rank > 0 ? rg_slice(t, x, -1, 1, RG_END, 2) : x;
    default: return x;
    }
}

#endif
