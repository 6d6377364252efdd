/* Writes the steps of a plan: a group of one kernel as it is, a fused one as a program over blocks. */
#include "exec/build.h"

#include "exec/kernels/vector.h"

#include <string.h>

#define BLOCK       1024  /* elements of a block, so that several stay in the first-level cache */
#define CHUNK       32768 /* elements of a chunk, at least                                      */
#define MOST_CHUNKS 64
#define WIDE        32 /* columns from which on a loop a row pays                            */

/* ---- values ---- */

typedef struct writer {
    rg__build *b;
    uint32_t *value;     /* by id: 1 + value; 0 for none yet */
    uint32_t step, node; /* being written */
    /* of the fused step being written */
    rg__fused *f;
    const rg__group *g;
    uint32_t group;
    rg__operand *operand; /* by id: where a node of the group is */
    uint32_t *uses;       /* by id: readers in the group that are still to come */
    uint32_t *reader;     /* by id: the last of them                            */
    bool *put_off;        /* by id: a product that is computed where it is summed */
    struct slots {
        uint32_t *offset;
        int count, capacity;
    } free[2][3]; /* an element a position or a row; of 1, 4 and 8 bytes */
    struct loaded {
        uint32_t root;
        int64_t offset;
        rg__reading reading;
        int rank;
        const int64_t *dims;
        rg__operand operand;
    } * loaded;
    int loads, load_capacity, instruction_capacity, filling_capacity;
} writer;

static uint32_t value_of(writer *w, uint32_t root)
{
    rg__plan *plan = w->b->plan;
    if (!w->value[root]) {
        const rg__node *n = rg__build_node(w->b, root);
        const size_t bytes = (size_t)n->numel * rg_dtype_size((rg_dtype)n->dtype);
        rg__place_kind kind = RG__WORK;
        if (!w->b->needed[root])
            kind = RG__GIVEN;
        else if (w->b->assign_node[root])
            kind = RG__IN_PLACE;
        else if (w->b->asked[root] || (w->b->assigned[root] && !w->b->demand->last))
            kind = RG__RETAINED;
        plan->value[plan->values] =
            (rg__plan_value){.node = root, .kind = kind, .bytes = bytes, .first = w->step, .reader = w->node};
        if (kind == RG__IN_PLACE)
            plan->value[plan->values].offset = w->b->assign_node[root] - 1;
        w->value[root] = ++plan->values;
    }
    rg__plan_value *v = &plan->value[w->value[root] - 1];
    v->last = w->step;
    return w->value[root] - 1;
}

/* ---- growing lists in the plan's arena ---- */

static void *grown(writer *w, void *list, int count, int *capacity, size_t size)
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

static rg__instruction *add_instruction(writer *w, rg__instruction_kind kind)
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

/* Filled slots are never shared: they are written before the first instruction. */
static uint32_t take_slot(writer *w, size_t size, bool by_row, bool filled)
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

static void give_slot(writer *w, rg__operand o, bool by_row)
{
    struct slots *s = &w->free[by_row][slot_class(o.size)];
    uint32_t *list = grown(w, s->offset, s->count, &s->capacity, sizeof *list);
    if (!list)
        return;
    s->offset = list;
    list[s->count++] = o.at;
}

static rg__operand new_slot(writer *w, rg_dtype dtype, bool by_row)
{
    const size_t size = rg_dtype_size(dtype);
    return (rg__operand){.kind = RG__SLOT, .size = (uint8_t)size, .at = take_slot(w, size, by_row, false)};
}

/* ---- reading ---- */

static const rg__operand *find_loaded(const writer *w, uint32_t root, int64_t offset, const rg__reading *r, int rank,
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

static void remember(writer *w, uint32_t root, int64_t offset, const rg__reading *r, int rank, const int64_t *dims,
                     rg__operand operand)
{
    struct loaded *list = grown(w, w->loaded, w->loads, &w->load_capacity, sizeof *list);
    if (!list)
        return;
    w->loaded = list;
    list[w->loads++] = (struct loaded){root, offset, *r, rank, dims, operand};
}

/* A slot that holds one element, or one row, everywhere. */
static rg__operand filled(writer *w, rg__operand from, bool row)
{
    rg__fused *f = w->f;
    rg__operand slot = {.kind = RG__SLOT, .size = from.size, .at = take_slot(w, from.size, false, true)};
    rg__filling *list = grown(w, f->filling, f->fillings, &w->filling_capacity, sizeof *list);
    if (!list)
        return slot;
    f->filling = list;
    list[f->fillings++] = (rg__filling){from, slot.at, row};
    return slot;
}

/* One element a row to all of its columns. */
static rg__operand repeated(writer *w, rg__operand rows, rg_dtype dtype)
{
    rg__operand slot = new_slot(w, dtype, false);
    rg__instruction *k = add_instruction(w, RG__REPEAT);
    if (k) {
        k->out = slot;
        k->in[0] = rows;
    }
    return slot;
}

static rg__operand gathered(writer *w, rg__operand value, const rg__reading *r, int rank, const int64_t *dims,
                            rg_dtype dtype)
{
    /* Neighbouring axes that lie one behind the other are walked as one; a scalar space has one axis. */
    int64_t *d = rg__plan_alloc(w->b, 2 * RG_MAX_RANK * sizeof *d), *s = d ? d + RG_MAX_RANK : NULL;
    rg__operand slot = new_slot(w, dtype, false);
    rg__instruction *k = add_instruction(w, RG__GATHER);
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
    k->out = slot;
    k->in[0] = value;
    k->rank = n;
    k->dims = d;
    k->strides = s;
    return slot;
}

/* What is asked of an operand: an array of the block; one element for all or for each row will do; one for each row. */
typedef enum wanted { ARRAY, MAY_BE_ONE, ROWS } wanted;

static rg__operand computed_again(writer *w, uint32_t id);

static rg__operand read_operand(writer *w, const rg__node *n, int i, bool by_row, wanted want)
{
    rg__build *b = w->b;
    const rg__node *in = rg__build_node(b, n->in[i]);
    const rg_dtype dtype = (rg_dtype)in->dtype;
    const uint32_t root = rg__build_root(b, n->in[i]);
    const rg__reading r = rg__read_as(b, n->in[i], n->rank, n->dims);
    const bool inside = b->needed[root] && b->group[root] == w->group;
    if (inside && (by_row || b->role[root] == RG__FULL))
        return w->operand[root];
    if (!inside && b->needed[root] && b->again[root])
        return computed_again(w, root);
    rg__operand value = inside ? w->operand[root]
                               : (rg__operand){.kind = RG__FULL_OF,
                                               .size = (uint8_t)rg_dtype_size(dtype),
                                               .at = value_of(w, root),
                                               .offset = in->offset};
    if (!inside && r.kind == RG__READ_FULL) {
        value.kind = by_row ? RG__ROWS_OF : RG__FULL_OF;
        return value;
    }
    if (!inside && r.kind == RG__READ_ONE && want == MAY_BE_ONE) {
        value.kind = RG__SAME_OF;
        value.one = true;
        return value;
    }
    if (!inside && r.kind == RG__READ_COLUMNS && r.columns == w->f->columns && w->f->block == 1) {
        value.kind = RG__SAME_OF;
        return value;
    }
    const bool rows = inside || (r.kind == RG__READ_ROWS && r.columns == w->f->columns);
    if (!inside && rows)
        value.kind = RG__ROWS_OF;
    if (rows && (want == ROWS || (want == MAY_BE_ONE && w->f->columns >= WIDE))) {
        value.spread = true;
        return value;
    }
    const int64_t offset = inside ? 0 : in->offset;
    const rg__operand *known = find_loaded(w, root, offset, &r, n->rank, n->dims);
    if (known)
        return *known;
    rg__operand slot;
    if (rows)
        slot = repeated(w, value, dtype);
    else if (r.kind == RG__READ_ONE)
        slot = filled(w, value, false);
    else if (r.kind == RG__READ_COLUMNS && r.columns == w->f->columns)
        slot = filled(w, value, true);
    else
        slot = gathered(w, value, &r, n->rank, n->dims, dtype);
    remember(w, root, offset, &r, n->rank, n->dims, slot);
    return slot;
}

/* Loops are quick where one of two arguments, or of those that are chosen from, is one element. */
static void read_operands(writer *w, const rg__node *n, rg__instruction *k)
{
    const int first = n->n_in == 3 ? 1 : 0;
    bool array = n->n_in < 2;
    for (int i = n->n_in; i-- > 0;) {
        const bool one = i > first || (i == first && array);
        k->in[i] = read_operand(w, n, i, k->by_row, one && n->n_in > 1 ? MAY_BE_ONE : ARRAY);
        array = array || !(k->in[i].one || k->in[i].spread);
        k->spread = k->spread || k->in[i].spread;
    }
}

/* ---- nodes ---- */

static void done_reading(writer *w, const rg__node *n)
{
    for (int i = 0; i < n->n_in; i++) {
        const uint32_t root = rg__build_root(w->b, n->in[i]);
        if (w->b->needed[root] && w->b->group[root] == w->group && --w->uses[root] == 0 && !w->put_off[root] &&
            w->operand[root].kind == RG__SLOT)
            give_slot(w, w->operand[root], w->b->role[root] == RG__BY_ROW);
    }
}

static rg__operand result_of(writer *w, uint32_t id)
{
    const rg__node *n = rg__build_node(w->b, id);
    if (!w->b->stored[id])
        return new_slot(w, (rg_dtype)n->dtype, w->b->role[id] == RG__BY_ROW);
    const bool full = w->b->role[id] == RG__FULL;
    return (rg__operand){.kind = full ? RG__FULL_OF : RG__ROWS_OF,
                         .size = (uint8_t)rg_dtype_size((rg_dtype)n->dtype),
                         .at = value_of(w, id)};
}

static void write_loop(writer *w, const rg__node *n, rg__instruction *k)
{
    read_operands(w, n, k);
    const rg_dtype dtype = (rg_dtype)rg__build_node(w->b, n->in[n->n_in - 1])->dtype;
    k->loop = rg__vector_loop(n->op, dtype);
    if (!k->loop)
        k->loop = n->op->loop[dtype];
    if (n->op->attr_size) {
        void *attr = rg__plan_alloc(w->b, n->op->attr_size);
        if (attr)
            memcpy(attr, n->attr, n->op->attr_size);
        k->attr = attr;
    }
}

/* A node of another group, in a slot that keeps it to the end of this one. */
static rg__operand computed_again(writer *w, uint32_t id)
{
    const rg__node *n = rg__build_node(w->b, id);
    const rg__reading whole = {.kind = RG__READ_FULL};
    const rg__operand *known = find_loaded(w, id, 0, &whole, 0, NULL);
    if (known)
        return *known;
    rg__instruction k = {.kind = RG__APPLY, .n_in = (uint8_t)n->n_in, .dtype = n->dtype, .name = n->op->name};
    write_loop(w, n, &k);
    k.out = new_slot(w, (rg_dtype)n->dtype, false);
    rg__instruction *added = add_instruction(w, k.kind);
    if (added)
        *added = k;
    remember(w, id, 0, &whole, 0, NULL, k.out);
    return k.out;
}

/* The node with the shape of its first input, as which reductions read that. */
static rg__node shaped_as_input(const writer *w, const rg__node *n)
{
    const rg__node *x = rg__build_node(w->b, n->in[0]);
    rg__node shaped = *n;
    shaped.rank = x->rank;
    shaped.dims = x->dims;
    return shaped;
}

static void write_indexed(writer *w, const rg__node *n, rg__instruction *k)
{
    const bool picks = n->op->at_index == RG__PICKS;
    const rg__node shaped = shaped_as_input(w, n);
    k->kind = picks ? RG__PICK : RG__PLACE;
    k->in[0] = read_operand(w, &shaped, 0, false, ARRAY);
    k->in[1] = read_operand(w, n, 1, picks, ROWS);
    if (!picks)
        k->in[2] = read_operand(w, n, 2, false, ROWS);
}

/* Is this a product of two whole arrays, which one sum along the rows reads, and nothing else? */
static bool can_be_put_off(const writer *w, uint32_t id)
{
    const rg__build *b = w->b;
    const rg__node *n = rg__build_node(b, id);
    rg__fold fold;
    if ((n->op != rg__op_mul && n->op != rg__op_square) || n->dtype > RG_F64 || b->role[id] != RG__FULL ||
        b->stored[id] || b->again[id] || w->uses[id] != 1)
        return false;
    const uint32_t reader = w->reader[id];
    if (b->role[reader] != RG__BY_ROW || !rg__op_fold(rg__build_node(b, reader)->op, &fold) || fold != RG__FOLD_SUM)
        return false;
    for (int i = 0; i < n->n_in; i++) {
        const rg__node *x = rg__build_node(b, rg__build_root(b, n->in[i]));
        if (rg__read_as(b, n->in[i], n->rank, n->dims).kind != RG__READ_FULL ||
            (b->demand->assign && x->op == rg__op_leaf))
            return false; /* a parameter may be overwritten until then */
    }
    return true;
}

static void write_fold(writer *w, const rg__node *n, rg__instruction *k, rg__role role)
{
    const uint32_t root = rg__build_root(w->b, n->in[0]);
    const rg__node shaped = shaped_as_input(w, n), *product = rg__build_node(w->b, root);
    rg__op_fold(n->op, &k->fold);
    if (w->b->group[root] == w->group && w->put_off[root]) {
        k->kind = RG__FOLD_PRODUCTS;
        k->n_in = 2;
        for (int i = 0; i < 2; i++)
            k->in[i] = read_operand(w, product, product->n_in == 2 ? i : 0, false, ARRAY);
        done_reading(w, product);
        return;
    }
    k->in[0] = read_operand(w, &shaped, 0, false, ARRAY);
    k->kind = role == RG__BY_ROW ? RG__FOLD_ROW : role == RG__BY_COLUMN ? RG__FOLD_COLUMN : RG__FOLD_ALL;
    if (role == RG__BY_ROW)
        return;
    const int64_t results = k->kind == RG__FOLD_ALL ? 1 : w->f->columns;
    k->partial = w->f->partial;
    w->f->partial += ((size_t)results * sizeof(double) + RG__ALIGN - 1) / RG__ALIGN * RG__ALIGN;
    k->buffered = k->kind == RG__FOLD_COLUMN && n->dtype == RG_F32 && w->f->block == 1 && w->g->nodes > 1;
    if (k->buffered) /* for the whole step, so it is not shared */
        k->in[1] = (rg__operand){.kind = RG__SLOT, .size = sizeof(float), .at = take_slot(w, sizeof(float), false, true)};
}

static void write_node(writer *w, uint32_t id)
{
    const rg__node *n = rg__build_node(w->b, id);
    const rg__role role = (rg__role)w->b->role[id];
    rg__instruction k = {.kind = RG__APPLY,
                         .by_row = role == RG__BY_ROW,
                         .n_in = (uint8_t)n->n_in,
                         .dtype = n->dtype,
                         .node = w->b->origin[id],
                         .name = n->op->name};
    w->node = k.node;
    if (w->b->again[id] && w->uses[id] == 0) { /* only other groups read it */
        done_reading(w, n);
        return;
    }
    w->put_off[id] = can_be_put_off(w, id);
    if (w->put_off[id])
        return;
    if (n->op->at_index)
        write_indexed(w, n, &k);
    else if (n->op->kernel)
        write_fold(w, n, &k, role);
    else
        write_loop(w, n, &k);
    done_reading(w, n); /* the result may lie where an argument that is not read again was */
    k.out = result_of(w, id);
    w->operand[id] = k.out;
    rg__instruction *added = add_instruction(w, k.kind);
    if (added)
        *added = k;
    if (w->uses[id] == 0 && k.out.kind == RG__SLOT)
        give_slot(w, k.out, role == RG__BY_ROW);
}

/* ---- groups ---- */

/* The columns of a matrix product that the group reads element by element; 1 where there is none. */
static int64_t product_columns(const rg__build *b, const rg__group *g)
{
    for (int i = 0; i < g->nodes; i++) {
        const rg__node *n = rg__build_node(b, g->node[i]);
        for (int k = 0; k < n->n_in; k++) {
            const uint32_t root = rg__build_root(b, n->in[k]);
            const rg__node *x = rg__build_node(b, root);
            if (b->needed[root] && x->op->by_rows && x->rank == 2 && x->numel == g->numel)
                return x->dims[1];
        }
    }
    return 1;
}

/* Chunks of whole rows of a product can follow it as its rows are finished. */
static void shape_space(const rg__build *b, rg__fused *f, const rg__group *g)
{
    f->columns = g->columns > 0 ? g->columns : 1;
    f->rows = g->numel / f->columns;
    f->block = BLOCK / f->columns > 1 ? BLOCK / f->columns : 1;
    f->block = f->block < f->rows ? f->block : f->rows;
    int64_t elements = g->numel / MOST_CHUNKS > CHUNK ? g->numel / MOST_CHUNKS : CHUNK;
    int64_t rows = (elements + f->columns - 1) / f->columns;
    const int64_t product = f->columns == 1 ? product_columns(b, g) : 1, unit = product > 1 ? product : f->block;
    f->chunk = (rows + unit - 1) / unit * unit;
    f->chunks = (f->rows + f->chunk - 1) / f->chunk;
}

static void add_stream(rg__fused *f, const rg__operand *o)
{
    if (o->kind != RG__FULL_OF)
        return;
    for (int i = 0; i < f->streams; i++)
        if (f->stream[i].value == o->at && f->stream[i].offset == o->offset)
            return;
    f->stream[f->streams++] = (rg__stream){o->at, o->offset, o->size};
}

/* Fetching ahead pays where a block is worked on for a while. */
static void find_streams(writer *w)
{
    rg__fused *f = w->f;
    if (f->instructions < 4 || f->instructions > 100 || f->block * f->columns < 256 ||
        !(f->stream = rg__plan_alloc(w->b, 4 * (size_t)f->instructions * sizeof *f->stream)))
        return;
    for (int i = 0; i < f->instructions; i++) {
        const rg__instruction *k = &f->instruction[i];
        for (int j = 0; j < k->n_in; j++)
            add_stream(f, &k->in[j]);
        add_stream(f, &k->out);
    }
}

static void write_fused(writer *w, uint32_t group)
{
    rg__build *b = w->b;
    rg__fused *f = rg__plan_alloc(b, sizeof *f);
    if (!f)
        return;
    const rg__group *g = &b->groups[group];
    w->f = f;
    w->g = g;
    w->group = group;
    w->loaded = NULL;
    w->loads = w->load_capacity = w->instruction_capacity = w->filling_capacity = 0;
    memset(w->free, 0, sizeof w->free);
    shape_space(b, f, g);
    for (int i = 0; i < g->nodes; i++) {
        const rg__node *n = rg__build_node(b, g->node[i]);
        for (int k = 0; k < n->n_in; k++) {
            const uint32_t root = rg__build_root(b, n->in[k]);
            w->uses[root]++;
            w->reader[root] = g->node[i];
        }
    }
    for (int i = 0; i < g->nodes && !b->failed; i++)
        write_node(w, g->node[i]);
    for (int i = 0; i < g->nodes; i++) {
        const rg__node *n = rg__build_node(b, g->node[i]);
        for (int k = 0; k < n->n_in; k++)
            w->uses[rg__build_root(b, n->in[k])] = 0;
    }
    if (f->instructions == 1 && f->scratch == 0) /* nothing has to stay in the cache */
        f->block = f->chunk;
    find_streams(w);
    if (f->scratch > b->plan->scratch)
        b->plan->scratch = f->scratch;
    rg__step *step = &b->plan->step[w->step];
    step->fused = f;
    step->nodes = g->nodes;
    step->ended = g->ended ? g->ended : "nothing more fitted";
}

static void write_kernel(writer *w, uint32_t id)
{
    w->node = w->b->origin[id];
    const rg__node *n = rg__build_node(w->b, id);
    rg__step *step = &w->b->plan->step[w->step];
    uint32_t *in = rg__plan_alloc(w->b, (size_t)n->n_in * sizeof *in);
    if (!in)
        return;
    for (int i = 0; i < n->n_in; i++)
        in[i] = value_of(w, rg__build_root(w->b, n->in[i]));
    *step = (rg__step){.node = w->node, .out = value_of(w, id), .in = in, .n_in = n->n_in, .nodes = 1};
    rg__bring_along(w->b, step, id);
}

/* The leaves to be copied: those of the parameters that are assigned. */
static void write_saves(rg__build *b)
{
    b->plan->save = rg__plan_alloc(b, (b->t->assigns.count + 1) * sizeof *b->plan->save);
    for (uint32_t id = 0; id < b->t->length && !b->failed; id++) {
        const rg__node *n = rg__at(b->t, id);
        if (!b->saved[id] || n->n_in || n->data)
            continue;
        bool assigned = false;
        for (size_t i = 0; i < b->t->assigns.count && !assigned; i++)
            assigned = rg__at(b->t, b->t->assigns.id[i])->slot.param == n->slot.param;
        if (assigned && b->plan->saves < (int)b->t->assigns.count)
            b->plan->save[b->plan->saves++] = id;
    }
}

void rg__write_steps(rg__build *b)
{
    const uint32_t length = b->length;
    rg__plan *plan = b->plan;
    writer w = {.b = b};
    uint32_t most = 0; /* values: every needed node and what it reads */
    for (uint32_t k = 0; k < b->ordered; k++)
        if (b->needed[b->order[k]])
            most += 1 + rg__build_node(b, b->order[k])->n_in;
    most += (uint32_t)b->t->assigns.count;
    w.value = rg__build_alloc(b, length * sizeof *w.value);
    w.operand = rg__build_alloc(b, length * sizeof *w.operand);
    w.uses = rg__build_alloc(b, length * sizeof *w.uses);
    w.reader = rg__build_alloc(b, length * sizeof *w.reader);
    w.put_off = rg__build_alloc(b, length * sizeof *w.put_off);
    b->assigned = rg__build_alloc(b, length * sizeof *b->assigned);
    plan->value = rg__plan_alloc(b, most * sizeof *plan->value);
    plan->step = rg__plan_alloc(b, b->group_count * sizeof *plan->step);
    if (b->failed)
        return;
    for (size_t i = 0; i < b->t->assigns.count; i++)
        b->assigned[rg__build_root(b, rg__at(b->t, b->t->assigns.id[i])->in[0])] = true;
    for (uint32_t group = 0; group < b->group_count && !b->failed; group++) {
        if (b->groups[group].fused)
            write_fused(&w, group);
        else
            write_kernel(&w, b->groups[group].node[0]);
        const rg__fused *f = plan->step[w.step].fused;
        if (!f || f->instructions > 0) /* else others compute all of it themselves */
            w.step++;
    }
    plan->steps = (int)w.step;
    if (!b->demand->assign)
        return;
    write_saves(b);
    plan->assign = rg__plan_alloc(b, b->t->assigns.count * sizeof *plan->assign);
    plan->assigned = rg__plan_alloc(b, b->t->assigns.count * sizeof *plan->assigned);
    for (size_t i = 0; i < b->t->assigns.count && !b->failed; i++) {
        plan->assign[i] = b->t->assigns.id[i];
        plan->assigned[i] = value_of(&w, rg__build_root(b, rg__at(b->t, b->t->assigns.id[i])->in[0]));
        plan->assigns++;
    }
}
