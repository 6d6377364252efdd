/* Shapes and strides. See shape.h. */
#include "core/shape.h"

#include <inttypes.h>
#include <stdio.h>

int64_t rg__numel(int rank, const int64_t *dims)
{
    int64_t numel = 1;
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0)
            return -1;
        if (dims[i] == 0)
            empty = true;
        else if (__builtin_mul_overflow(numel, dims[i], &numel) || numel > RG__MAX_NUMEL)
            return -1;
    }
    return empty ? 0 : numel;
}

bool rg__dims_equal(int rank_a, const int64_t *a, int rank_b, const int64_t *b)
{
    if (rank_a != rank_b)
        return false;
    for (int i = 0; i < rank_a; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

void rg__row_major(int rank, const int64_t *dims, int64_t *strides)
{
    int64_t step = 1;
    for (int i = rank - 1; i >= 0; i--) {
        strides[i] = step;
        step *= dims[i] > 0 ? dims[i] : 1;
    }
}

bool rg__is_row_major(int rank, const int64_t *dims, const int64_t *strides)
{
    int64_t step = 1;
    bool in_order = true;
    for (int i = rank - 1; i >= 0; i--) {
        if (dims[i] == 0)
            return true;
        in_order = in_order && (dims[i] == 1 || strides[i] == step);
        step *= dims[i];
    }
    return in_order;
}

bool rg__broadcast(int *out_rank, int64_t *out, int rank, const int64_t *dims)
{
    if (rank > *out_rank) {
        int shift = rank - *out_rank;
        for (int i = *out_rank - 1; i >= 0; i--)
            out[i + shift] = out[i];
        for (int i = 0; i < shift; i++)
            out[i] = 1;
        *out_rank = rank;
    }
    for (int i = 0; i < rank; i++) {
        int64_t *o = &out[*out_rank - rank + i];
        if (*o == 1)
            *o = dims[i];
        else if (dims[i] != 1 && dims[i] != *o)
            return false;
    }
    return true;
}

void rg__broadcast_strides(int rank, const int64_t *dims, const int64_t *strides, int out_rank, const int64_t *out,
                           int64_t *out_strides)
{
    int shift = out_rank - rank;
    for (int i = 0; i < out_rank; i++)
        out_strides[i] = i < shift || (dims[i - shift] == 1 && out[i] != 1) ? 0 : strides[i - shift];
}

/* Works through groups of old and new axes that cover the same number of elements: inside a group the old axes must be
 * laid out like one. */
bool rg__reshape_strides(int rank, const int64_t *dims, const int64_t *strides, int new_rank, const int64_t *new_dims,
                         int64_t *new_strides)
{
    if (rg__numel(rank, dims) == 0 || rg__is_row_major(rank, dims, strides)) {
        rg__row_major(new_rank, new_dims, new_strides);
        return true;
    }
    int64_t old_dims[RG_MAX_RANK], old_strides[RG_MAX_RANK];
    int old_rank = 0;
    for (int i = 0; i < rank; i++)
        if (dims[i] != 1) {
            old_dims[old_rank] = dims[i];
            old_strides[old_rank++] = strides[i];
        }
    int o = 0, n = 0;
    while (o < old_rank && n < new_rank) {
        int o_end = o + 1, n_end = n + 1;
        int64_t old_count = old_dims[o], new_count = new_dims[n];
        while (old_count != new_count)
            if (old_count < new_count)
                old_count *= old_dims[o_end++];
            else
                new_count *= new_dims[n_end++];
        for (int i = o; i < o_end - 1; i++)
            if (old_strides[i] != old_dims[i + 1] * old_strides[i + 1])
                return false;
        new_strides[n_end - 1] = old_strides[o_end - 1];
        for (int i = n_end - 1; i > n; i--)
            new_strides[i - 1] = new_strides[i] * new_dims[i];
        o = o_end;
        n = n_end;
    }
    for (int64_t last = n > 0 ? new_strides[n - 1] : 1; n < new_rank; n++) /* what remains has extent 1 */
        new_strides[n] = last;
    return true;
}

int rg__axis(int axis, int rank)
{
    if (axis < 0)
        axis += rank;
    return axis >= 0 && axis < rank ? axis : -1;
}

const char *rg__shape_text(char *text, int rank, const int64_t *dims)
{
    int used = snprintf(text, RG__TEXT_SIZE, "[");
    for (int i = 0; i < rank && i < RG_MAX_RANK; i++)
        used += snprintf(text + used, (size_t)(RG__TEXT_SIZE - used), i ? ", %" PRId64 : "%" PRId64, dims[i]);
    snprintf(text + used, (size_t)(RG__TEXT_SIZE - used), rank > RG_MAX_RANK ? ", ...]" : "]");
    return text;
}
