/* Products that share their second matrix, as the steps of a recurrent network do, pack it once: the first of them into a
 * value of the plan, where the others read it. Nothing can be written between them: a value of the workspace is written
 * once, and a parameter after all that reads it. */
#include "exec/build.h"

#include "exec/kernels/gemm.h"

#include <stdlib.h>
#include <string.h>

#define LEAST 3 /* products for which the memory is worth it */

/* A product of two matrices, and what has to be equal for another to read the same packed one. */
typedef struct product {
    uint32_t step, value; /* of b */
    rg_dtype dtype;
    int64_t offset, strides[2], m, n, k;
} product;

/* ---- finding ---- */

static bool product_of(const rg__build *b, uint32_t step, product *out)
{
    const rg__step *s = &b->plan->step[step];
    const rg__node *c = s->fused ? NULL : s->own ? s->own : rg__at(b->t, s->node);
    if (!c || c->op != rg__op_matmul)
        return false;
    const rg__node *x = s->own ? &s->own_in[1] : rg__at(b->t, c->in[1]);
    if (c->rank != 2 || x->rank != 2)
        return false;
    int64_t strides[RG_MAX_RANK];
    rg__node_strides(x, strides);
    *out = (product){.step = step,
                     .value = s->in[1],
                     .dtype = (rg_dtype)x->dtype,
                     .offset = x->offset,
                     .strides = {strides[0], strides[1]},
                     .m = c->dims[0],
                     .n = c->dims[1],
                     .k = x->dims[0]};
    return true;
}

#define COMPARE(a, b)                  \
    do {                               \
        if ((a) != (b))                \
            return (a) < (b) ? -1 : 1; \
    } while (0)

static int by_matrix(const product *x, const product *y)
{
    COMPARE(x->value, y->value);
    COMPARE(x->dtype, y->dtype);
    COMPARE(x->offset, y->offset);
    COMPARE(x->strides[0], y->strides[0]);
    COMPARE(x->strides[1], y->strides[1]);
    COMPARE(x->m, y->m);
    COMPARE(x->n, y->n);
    COMPARE(x->k, y->k);
    return 0;
}

static int by_matrix_and_step(const void *a, const void *b)
{
    const product *const x = a, *const y = b;
    const int order = by_matrix(x, y);
    return order ? order : x->step < y->step ? -1 : x->step > y->step;
}

/* ---- keeping ---- */

/* It lives from the first product to the last, and to the step that works on the rows of that one. A plan has room for a
 * value for each time that a step reads one, and here LEAST steps read the same. */
static void keep(rg__build *b, const product *x, uint32_t count)
{
    rg__plan *plan = b->plan;
    const size_t bytes = rg__gemm_kept_bytes(rg_dtype_size(x->dtype), x->m, x->n, x->k, x->strides[0], x->strides[1]);
    if (bytes == 0)
        return;
    const uint32_t last = x[count - 1].step;
    plan->value[plan->values++] = (rg__plan_value){.node = plan->value[x->value].node,
                                                   .kind = RG__WORK,
                                                   .bytes = bytes,
                                                   .first = x->step,
                                                   .last = last + (plan->step[last].strip > 0)};
    for (uint32_t i = 0; i < count; i++)
        plan->step[x[i].step].kept = plan->values;
    plan->step[x->step].packs = true;
}

void rg__keep_packed(rg__build *b)
{
    product *list = rg__build_alloc(b, ((size_t)b->plan->steps + 1) * sizeof *list);
    uint32_t count = 0;
    for (uint32_t i = 0; list && i < (uint32_t)b->plan->steps; i++)
        count += product_of(b, i, &list[count]);
    if (count > 0)
        qsort(list, count, sizeof *list, by_matrix_and_step);
    for (uint32_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && by_matrix(&list[i], &list[end]) == 0;)
            end++;
        if (end - i >= LEAST)
            keep(b, &list[i], end - i);
    }
}
