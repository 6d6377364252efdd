/* Where the operands of a fused step are: in memory, or in a slot that they are brought into. */
#include "exec/write.h"

#include <string.h>

#define WIDE 32 /* columns from which on a loop a row pays */

/* ---- growing lists in the plan's arena ---- */

static void *grown(rg__writer *w, void *list, int count, int *capacity, size_t size)
{
    if (count < *capacity)
        return list;
    int more = *capacity ? 2 * *capacity : 16;
    void *bigger = rg__plan_alloc(w->b, (size_t)more * size);
    if (bigger && count)
        memcpy(bigger, list, (size_t)count * size);
    if (bigger)
        *capacity = more;
    return bigger;
}

rg__instruction *rg__add_instruction(rg__writer *w, rg__instruction_kind kind)
{
    rg__fused *f = w->f;
    rg__instruction *list = grown(w, f->instruction, f->instructions, &w->instruction_capacity, sizeof *list);
    if (!list)
        return NULL;
    f->instruction = list;
    list[f->instructions] = (rg__instruction){.kind = kind, .n_in = 1};
    return &list[f->instructions++];
}

/* ---- slots ---- */

static int slot_class(size_t size)
{
    return size == 1 ? 0 : size == 4 ? 1 : 2;
}

uint32_t rg__take_slot(rg__writer *w, size_t size, bool by_row, bool filled)
{
    struct slots *s = &w->free[by_row][slot_class(size)];
    if (s->count && !filled)
        return s->offset[--s->count];
    const size_t offset = w->f->scratch, elements = (size_t)(by_row ? w->f->block : w->f->block * w->f->columns);
    w->f->scratch += (elements * size + RG__ALIGN - 1) / RG__ALIGN * RG__ALIGN;
    if (w->f->scratch > UINT32_MAX)
        w->b->failed = true;
    return (uint32_t)offset;
}

void rg__give_slot(rg__writer *w, rg__operand o, bool by_row)
{
    struct slots *s = &w->free[by_row][slot_class(o.size)];
    uint32_t *list = grown(w, s->offset, s->count, &s->capacity, sizeof *list);
    if (!list)
        return;
    s->offset = list;
    list[s->count++] = o.at;
}

rg__operand rg__new_slot(rg__writer *w, rg_dtype dtype, bool by_row)
{
    const size_t size = rg_dtype_size(dtype);
    return (rg__operand){.kind = RG__SLOT, .size = (uint8_t)size, .at = rg__take_slot(w, size, by_row, false)};
}

/* ---- reading ---- */

const rg__operand *rg__find_loaded(const rg__writer *w, uint32_t root, int64_t offset, const rg__reading *r, int rank,
                                   const int64_t *dims)
{
    for (int i = w->loads - 1; i >= 0 && i >= w->loads - 32; i--) {
        const struct loaded *l = &w->loaded[i];
        if (l->root == root && l->offset == offset && l->reading.kind == r->kind &&
            (r->kind == RG__READ_ONE || (rg__dims_equal(rank, dims, l->rank, l->dims) &&
                                         memcmp(l->reading.strides, r->strides, (size_t)rank * sizeof *r->strides) == 0)))
            return &l->operand;
    }
    return NULL;
}

void rg__remember_loaded(rg__writer *w, uint32_t root, int64_t offset, const rg__reading *r, int rank,
                         const int64_t *dims, rg__operand operand)
{
    struct loaded *list = grown(w, w->loaded, w->loads, &w->load_capacity, sizeof *list);
    if (!list)
        return;
    w->loaded = list;
    list[w->loads++] = (struct loaded){root, offset, *r, rank, dims, operand};
}

/* A slot that holds one element, or one row, everywhere. */
static rg__operand filled(rg__writer *w, rg__operand from, bool row)
{
    rg__fused *f = w->f;
    rg__operand slot = {.kind = RG__SLOT, .size = from.size, .at = rg__take_slot(w, from.size, false, true)};
    rg__filling *list = grown(w, f->filling, f->fillings, &w->filling_capacity, sizeof *list);
    if (!list)
        return slot;
    f->filling = list;
    list[f->fillings++] = (rg__filling){from, slot.at, row};
    return slot;
}

/* One element a row to all of its columns. */
static rg__operand repeated(rg__writer *w, rg__operand rows, rg_dtype dtype)
{
    rg__operand slot = rg__new_slot(w, dtype, false);
    rg__instruction *k = rg__add_instruction(w, RG__REPEAT);
    if (k) {
        k->out = slot;
        k->in[0] = rows;
    }
    return slot;
}

/* Elements of any strides: one for each position of `dims`, or, by_row, one for each row: `along` is 1 where `dims` are of
 * rows, else the columns. */
static rg__operand gathered(rg__writer *w, rg__operand value, const rg__reading *r, int rank, const int64_t *dims,
                            rg_dtype dtype, bool by_row, int64_t along)
{
    /* Neighbouring axes that lie one behind the other are walked as one; a scalar space has one axis. */
    int64_t *d = rg__plan_alloc(w->b, 2 * RG_MAX_RANK * sizeof *d), *s = d ? d + RG_MAX_RANK : NULL;
    rg__operand slot = rg__new_slot(w, dtype, by_row);
    rg__instruction *k = rg__add_instruction(w, RG__GATHER);
    if (!d || !k)
        return slot;
    int n = 0;
    for (int i = 0; i < rank; i++) {
        if (dims[i] == 1)
            continue;
        if (n > 0 && s[n - 1] == r->strides[i] * dims[i]) {
            d[n - 1] *= dims[i];
            s[n - 1] = r->strides[i];
        } else {
            d[n] = dims[i];
            s[n++] = r->strides[i];
        }
    }
    if (n == 0) {
        d[0] = 1;
        n = 1;
    }
    d[n - 1] /= along; /* the last axis is what is the same along rows, and as long as they are or a multiple of that */
    k->by_row = by_row;
    k->out = slot;
    k->in[0] = value;
    k->rank = n;
    k->dims = d;
    k->strides = s;
    return slot;
}

/* Rows in another order, or the same for several: their elements are gathered, and then read as elements of rows are. */
static rg__operand gathered_rows(rg__writer *w, rg__operand value, rg__reading r, uint32_t root, const rg__node *n,
                                 rg_dtype dtype)
{
    r.kind = RG__READ_COLUMNS; /* which these strides never are: no other operand is found in its place */
    const rg__operand *known = rg__find_loaded(w, root, value.offset, &r, n->rank, n->dims);
    if (known)
        return *known;
    const rg__operand slot = gathered(w, value, &r, n->rank, n->dims, dtype, true, w->f->columns);
    rg__remember_loaded(w, root, value.offset, &r, n->rank, n->dims, slot);
    return slot;
}

rg__operand rg__read_operand(rg__writer *w, const rg__node *n, int i, bool by_row, rg__wanted want)
{
    rg__build *b = w->b;
    const rg__node *in = rg__build_node(b, n->in[i]);
    const rg_dtype dtype = (rg_dtype)in->dtype;
    const uint32_t root = rg__build_root(b, n->in[i]);
    const rg__reading r = rg__read_as(b, n->in[i], n->rank, n->dims);
    const bool inside = b->needed[root] && b->group[root] == w->group, along_rows = !inside && !by_row;
    if (inside && (by_row || b->role[root] == RG__FULL))
        return w->operand[root];
    if (!inside && b->needed[root] && b->again[root])
        return rg__computed_again(w, root);
    rg__operand value = inside ? w->operand[root]
                               : (rg__operand){.kind = RG__FULL_OF,
                                               .size = (uint8_t)rg_dtype_size(dtype),
                                               .at = rg__value_of(w, root),
                                               .offset = in->offset};
    if (!inside && r.kind == RG__READ_FULL) {
        value.kind = by_row ? RG__ROWS_OF : RG__FULL_OF;
        return value;
    }
    if (!inside && r.kind == RG__READ_ONE && want == RG__MAY_BE_ONE) {
        value.kind = RG__SAME_OF;
        value.one = true;
        return value;
    }
    if (along_rows && r.kind == RG__READ_COLUMNS && r.columns == w->f->columns && w->f->block == 1) {
        value.kind = RG__SAME_OF;
        return value;
    }
    const int64_t columns = w->f->columns, offset = inside ? 0 : in->offset;
    const bool each = along_rows && r.kind == RG__READ_ROWS && r.columns == columns;
    const bool strewn = along_rows && !each && (r.kind == RG__READ_ANY || r.kind == RG__READ_ROWS) && columns > 1 &&
                        r.columns % columns == 0;
    const bool rows = inside || each || strewn;
    if (strewn)
        value = gathered_rows(w, value, r, root, n, dtype);
    else if (!inside && rows)
        value.kind = RG__ROWS_OF;
    if (rows && (want == RG__ROWS || (want == RG__MAY_BE_ONE && columns >= WIDE))) {
        value.spread = true;
        return value;
    }
    const rg__operand *known = rg__find_loaded(w, root, offset, &r, n->rank, n->dims);
    if (known)
        return *known;
    rg__operand slot;
    if (rows)
        slot = repeated(w, value, dtype);
    else if (r.kind == RG__READ_ONE)
        slot = filled(w, value, false);
    else if (along_rows && r.kind == RG__READ_COLUMNS && r.columns == columns)
        slot = filled(w, value, true);
    else
        slot = gathered(w, value, &r, n->rank, n->dims, dtype, by_row, 1);
    rg__remember_loaded(w, root, offset, &r, n->rank, n->dims, slot);
    return slot;
}
