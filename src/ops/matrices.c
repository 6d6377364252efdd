/* What the families of linear algebra share. See factor.h. */
#include "ops/factor.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* ---- arguments ---- */

const rg__node *rg__matrix_arg(rg_tape *t, const rg__op *op, rg_tensor x)
{
    const rg__node *n = rg__arg_of(t, op, x, RG__FLOATS);
    if (!n)
        return NULL;
    if (n->rank < 2) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s is no matrix: [..., m, n] is needed", RG__NODE_TEXT(n));
        return NULL;
    }
    if (rg__rows(n) > RG__LAPACK_MOST || rg__columns(n) > RG__LAPACK_MOST) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s is too large: at most %d rows and columns are allowed", RG__NODE_TEXT(n),
                 RG__LAPACK_MOST);
        return NULL;
    }
    return n;
}

const rg__node *rg__square_arg(rg_tape *t, const rg__op *op, rg_tensor x)
{
    const rg__node *n = rg__matrix_arg(t, op, x);
    if (!n || rg__rows(n) == rg__columns(n))
        return n;
    rg__fail(t, op, RG_ERROR_SHAPE, "%s is not square: [..., n, n] is needed", RG__NODE_TEXT(n));
    return NULL;
}

int rg__lead_of(rg_tape *t, const rg__op *op, const rg__node *a, const rg__node *b, int64_t *dims)
{
    int lead = 0;
    if (a->dtype != b->dtype) {
        rg__fail(t, op, RG_ERROR_DTYPE, "the first is %s and the second is %s", rg_dtype_name((rg_dtype)a->dtype),
                 rg_dtype_name((rg_dtype)b->dtype));
        return -1;
    }
    if (rg__broadcast(&lead, dims, a->rank - 2, a->dims) && rg__broadcast(&lead, dims, b->rank - 2, b->dims))
        return lead;
    rg__fail(t, op, RG_ERROR_SHAPE, "the leading axes of %s and %s do not fit", RG__NODE_TEXT(a), RG__NODE_TEXT(b));
    return -1;
}

/* ---- kernels ---- */

/* How a batch lies in memory. */
typedef struct layout {
    int lead, inputs;
    const int64_t *dims; /* leading extents of the result */
    int64_t count;       /* matrices                      */
    int64_t strides[3][RG_MAX_RANK];
    size_t out; /* bytes of one result */
} layout;

static layout layout_of(const rg__batch *b)
{
    const rg__run *run = b->run;
    layout l = {.lead = run->out.rank - b->out_core, .inputs = run->node->n_in, .dims = run->out.dims};
    l.count = rg__numel(l.lead, l.dims);
    l.out = (size_t)rg__numel(b->out_core, run->out.dims + l.lead) * rg_dtype_size(run->out.dtype);
    for (int k = 0; k < l.inputs; k++) {
        const rg__array_view *v = &run->in[k];
        rg__broadcast_strides(v->rank - b->core[k], v->dims, v->strides, l.lead, l.dims, l.strides[k]);
    }
    return l;
}

static rg__place place_of(const rg__batch *b, const layout *l, int64_t index, char *scratch)
{
    rg__place p = {.out = (char *)b->run->out.data + (size_t)index * l->out, .scratch = scratch};
    int64_t at[3] = {0};
    for (int axis = l->lead - 1; axis >= 0; axis--) {
        const int64_t i = index % l->dims[axis];
        index /= l->dims[axis];
        for (int k = 0; k < l->inputs; k++)
            at[k] += i * l->strides[k][axis];
    }
    for (int k = 0; k < l->inputs; k++)
        p.in[k] = (const char *)b->run->in[k].data + at[k] * (int64_t)rg_dtype_size(b->run->in[k].dtype);
    return p;
}

static bool report(const rg__batch *b, const layout *l, int64_t index, int info)
{
    int64_t at[RG_MAX_RANK] = {0};
    char text[80], where[RG__TEXT_SIZE];
    if (info == RG__NO_MEMORY)
        return rg__run_fail(b->run, RG_ERROR_MEMORY, "out of memory");
    for (int axis = l->lead - 1; axis >= 0; axis--) {
        at[axis] = index % l->dims[axis];
        index /= l->dims[axis];
    }
    return rg__run_fail(b->run, RG_ERROR_VALUE, "the matrix%s%s %s", l->lead ? " at " : "",
                        l->lead ? rg__shape_text(where, l->lead, at) : "",
                        info == RG__NOT_FINITE ? "holds NaN or infinity" : b->trouble(info, text));
}

/* Every matrix is worked on by one thread, so that the result is the same for any number of them. */
bool rg__each_matrix(const rg__batch *b)
{
    enum { WORTH_THREADS = 200000 }; /* multiplications */
    const rg__run *run = b->run;
    const layout l = layout_of(b);
    const bool share = run->threads > 1 && l.count > 1 && b->work * (double)l.count >= WORTH_THREADS;
    const int team = !share ? 1 : l.count < run->threads ? (int)l.count : run->threads;
    const size_t each = rg__room((int64_t)b->scratch, 1);
    size_t bytes;
    char *scratch = __builtin_mul_overflow(each, (size_t)team, &bytes) ? NULL : rg__pool_get(run->pool, bytes + 1);
    if (!scratch)
        return rg__run_fail(run, RG_ERROR_MEMORY, "out of memory");
    int64_t first = l.count;
    int trouble = 0;
#pragma omp parallel num_threads(team) if (team > 1)
    {
        const rg__lapack_team before = rg__lapack_begin();
        char *own = scratch + (size_t)omp_get_thread_num() * each;
#pragma omp for schedule(dynamic)
        for (int64_t i = 0; i < l.count; i++) {
            const rg__place p = place_of(b, &l, i, own);
            const int info = b->one(b, &p);
            if (info != 0) {
#pragma omp critical(rg__matrix_trouble)
                if (i < first) {
                    first = i;
                    trouble = info;
                }
            }
        }
        rg__lapack_end(before);
    }
    rg__pool_put(run->pool, scratch, bytes + 1);
    return first == l.count || report(b, &l, first, trouble);
}

void rg__to_columns(const rg__array_view *v, const char *at, void *out)
{
    const int64_t *dims = v->dims + v->rank - 2, *strides = v->strides + v->rank - 2;
    const size_t size = rg_dtype_size(v->dtype);
    rg__copy(2, (int64_t[]){dims[1], dims[0]}, (rg__strided){out, (int64_t[]){dims[0], 1}, size},
             (rg__strided){(void *)(uintptr_t)at, (int64_t[]){strides[1], strides[0]}, size});
}

void rg__from_columns(size_t size, int64_t rows, int64_t columns, const void *in, void *out)
{
    rg__copy(2, (int64_t[]){rows, columns}, (rg__strided){out, (int64_t[]){columns, 1}, size},
             (rg__strided){(void *)(uintptr_t)in, (int64_t[]){1, rows}, size});
}

bool rg__is_finite(size_t size, int64_t n, const void *x)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(rg__get(size, x, i)))
            return false;
    return true;
}

/* ---- recording ---- */

rg_tensor rg__transposed(rg_tape *t, rg_tensor x)
{
    return rg_transpose(t, x, -2, -1);
}

rg_tensor rg__part(rg_tape *t, rg_tensor packed, int64_t from, int64_t rows, int64_t columns)
{
    rg_shape shape = rg_shape_of(t, packed);
    rg_tensor part = rg_slice(t, packed, -1, from, from + rows * columns, 1);
    if (rg_is_nil(part))
        return RG_NIL;
    shape.dims[shape.rank - 1] = columns;
    shape.dims[shape.rank++] = rows;
    return rg__transposed(t, rg_reshape(t, part, shape));
}

rg_tensor rg__part_vector(rg_tape *t, rg_tensor packed, int64_t from, int64_t n)
{
    return rg_slice(t, packed, -1, from, from + n, 1);
}

rg_tensor rg__triangle(rg_tape *t, rg_tensor x, bool upper, bool strict)
{
    const rg_shape s = rg_shape_of(t, x);
    if (s.rank < 2)
        return RG_NIL;
    rg_tensor row = rg_unsqueeze(t, rg_arange(t, RG_I64, 0, (double)s.dims[s.rank - 2], 1), 1);
    rg_tensor column = rg_arange(t, RG_I64, 0, (double)s.dims[s.rank - 1], 1);
    rg_tensor low = upper ? row : column, high = upper ? column : row;
    return rg_where(t, strict ? rg_lt(t, low, high) : rg_le(t, low, high), x, rg__like(t, x, 0));
}

/* Every (n + 1)-th element of the rows, joined. */
rg_tensor rg__diagonal(rg_tape *t, rg_tensor x)
{
    rg_shape s = rg_shape_of(t, x);
    if (s.rank < 2)
        return RG_NIL;
    const int64_t columns = s.dims[s.rank - 1], rows = s.dims[s.rank - 2] < columns ? s.dims[s.rank - 2] : columns;
    rg_tensor square = rg_slice(t, x, -2, 0, rows, 1);
    s.rank--;
    s.dims[s.rank - 1] = rows * columns;
    return rg_slice(t, rg_reshape(t, square, s), -1, 0, RG_END, columns + 1);
}

rg_tensor rg__identity(rg_tape *t, rg_tensor like, int64_t n)
{
    return rg_eye(t, rg_dtype_of(t, like), n, n);
}

rg_tensor rg__spread(rg_tape *t, rg_tensor x, double first, double step)
{
    const rg_shape s = rg_shape_of(t, x);
    if (s.rank < 2)
        return RG_NIL;
    const rg_dtype dtype = rg_dtype_of(t, x);
    const int64_t n = s.dims[s.rank - 1];
    rg_tensor values = rg_arange(t, dtype, first, first + step * (double)n - step / 2, step);
    return rg_add(t, x, rg_mul(t, rg_eye(t, dtype, s.dims[s.rank - 2], n), values));
}
