/* A fused group as a program: instructions over blocks, with slots by liveness. */
#include "exec/write.h"

#include "exec/kernels/vector.h"

#include <string.h>

#define BLOCK       1024  /* elements of a block, so that several stay in the first-level cache */
#define CHUNK       32768 /* elements of a chunk, at least ...                                  */
#define CHUNK_WORK  65536 /* ... or element operations, where no partial results depend on it   */
#define MOST_CHUNKS 64

/* Loops are quick where one of two arguments, or of those that are chosen from, is one element. */
static void read_operands(rg__writer *w, const rg__node *n, rg__instruction *k)
{
    const int first = n->n_in == 3 ? 1 : 0;
    bool array = n->n_in < 2;
    for (int i = n->n_in; i-- > 0;) {
        const bool one = i > first || (i == first && array);
        k->in[i] = rg__read_operand(w, n, i, k->by_row, one && n->n_in > 1 ? RG__MAY_BE_ONE : RG__ARRAY);
        array = array || !(k->in[i].one || k->in[i].spread);
        k->spread = k->spread || k->in[i].spread;
    }
}

/* ---- nodes ---- */

static void done_reading(rg__writer *w, const rg__node *n)
{
    for (int i = 0; i < n->n_in; i++) {
        const uint32_t root = rg__build_root(w->b, n->in[i]);
        if (w->b->needed[root] && w->b->group[root] == w->group && --w->uses[root] == 0 && !w->put_off[root] &&
            w->operand[root].kind == RG__SLOT)
            rg__give_slot(w, w->operand[root], w->b->role[root] == RG__BY_ROW);
    }
}

static rg__operand result_of(rg__writer *w, uint32_t id)
{
    const rg__node *n = rg__build_node(w->b, id);
    if (!w->b->stored[id])
        return rg__new_slot(w, (rg_dtype)n->dtype, w->b->role[id] == RG__BY_ROW);
    const bool full = w->b->role[id] == RG__FULL;
    return (rg__operand){.kind = full ? RG__FULL_OF : RG__ROWS_OF,
                         .size = (uint8_t)rg_dtype_size((rg_dtype)n->dtype),
                         .at = rg__value_of(w, id)};
}

static void write_loop(rg__writer *w, const rg__node *n, rg__instruction *k)
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

rg__operand rg__computed_again(rg__writer *w, uint32_t id)
{
    const rg__node *n = rg__build_node(w->b, id);
    const rg__reading whole = {.kind = RG__READ_FULL};
    const rg__operand *known = rg__find_loaded(w, id, 0, &whole, 0, NULL);
    if (known)
        return *known;
    rg__instruction k = {.kind = RG__APPLY, .n_in = (uint8_t)n->n_in, .dtype = n->dtype, .name = n->op->name};
    write_loop(w, n, &k);
    k.out = rg__new_slot(w, (rg_dtype)n->dtype, false);
    rg__instruction *added = rg__add_instruction(w, k.kind);
    if (added)
        *added = k;
    rg__remember_loaded(w, id, 0, &whole, 0, NULL, k.out);
    return k.out;
}

/* The node with the shape of its first input, as which reductions read that. */
static rg__node shaped_as_input(const rg__writer *w, const rg__node *n)
{
    const rg__node *x = rg__build_node(w->b, n->in[0]);
    rg__node shaped = *n;
    shaped.rank = x->rank;
    shaped.dims = x->dims;
    return shaped;
}

static void write_indexed(rg__writer *w, const rg__node *n, rg__instruction *k)
{
    const bool picks = n->op->at_index == RG__PICKS;
    const rg__node shaped = shaped_as_input(w, n);
    k->kind = picks ? RG__PICK : RG__PLACE;
    k->in[0] = rg__read_operand(w, &shaped, 0, false, RG__ARRAY);
    k->in[1] = rg__read_operand(w, n, 1, picks, RG__ROWS);
    if (!picks)
        k->in[2] = rg__read_operand(w, n, 2, false, RG__ROWS);
}

/* Is this a product of two whole arrays, which one sum along the rows reads, and nothing else? */
static bool can_be_put_off(const rg__writer *w, uint32_t id)
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
        const uint32_t root = rg__build_root(b, n->in[i]);
        if (rg__read_as(b, n->in[i], n->rank, n->dims).kind != RG__READ_FULL || b->overwritten[root])
            return false;
    }
    return true;
}

static void write_fold(rg__writer *w, const rg__node *n, rg__instruction *k, rg__role role)
{
    const uint32_t root = rg__build_root(w->b, n->in[0]);
    const rg__node shaped = shaped_as_input(w, n), *product = rg__build_node(w->b, root);
    rg__op_fold(n->op, &k->fold);
    if (w->b->group[root] == w->group && w->put_off[root]) {
        k->kind = RG__FOLD_PRODUCTS;
        k->n_in = 2;
        for (int i = 0; i < 2; i++)
            k->in[i] = rg__read_operand(w, product, product->n_in == 2 ? i : 0, false, RG__ARRAY);
        done_reading(w, product);
        return;
    }
    k->in[0] = rg__read_operand(w, &shaped, 0, false, RG__ARRAY);
    k->kind = role == RG__BY_ROW ? RG__FOLD_ROW : role == RG__BY_COLUMN ? RG__FOLD_COLUMN : RG__FOLD_ALL;
    if (role == RG__BY_ROW)
        return;
    const int64_t results = k->kind == RG__FOLD_ALL ? 1 : w->f->columns;
    k->partial = w->f->partial;
    w->f->partial += ((size_t)results * sizeof(double) + RG__ALIGN - 1) / RG__ALIGN * RG__ALIGN;
    k->buffered = k->kind == RG__FOLD_COLUMN && n->dtype == RG_F32 && w->f->block == 1 && w->g->nodes > 1;
    if (k->buffered) /* for the whole step, so it is not shared */
        k->in[1] =
            (rg__operand){.kind = RG__SLOT, .size = sizeof(float), .at = rg__take_slot(w, sizeof(float), false, true)};
}

static void write_node(rg__writer *w, uint32_t id)
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
    rg__instruction *added = rg__add_instruction(w, k.kind);
    if (added)
        *added = k;
    if (w->uses[id] == 0 && k.out.kind == RG__SLOT)
        rg__give_slot(w, k.out, role == RG__BY_ROW);
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

/* What a chunk consists of: blocks, or whole rows of a product, which it can follow as its rows are finished. */
static int64_t chunk_unit(const rg__build *b, const rg__fused *f, const rg__group *g)
{
    const int64_t product = f->columns == 1 ? product_columns(b, g) : 1;
    return product > 1 ? product : f->block;
}

static void cut(rg__fused *f, int64_t rows, int64_t unit)
{
    f->chunk = (rows + unit - 1) / unit * unit;
    f->chunks = (f->rows + f->chunk - 1) / f->chunk;
}

/* Rows of `least` elements or more. */
static int64_t rows_of(const rg__fused *f, const rg__group *g, int64_t least)
{
    const int64_t elements = g->numel / MOST_CHUNKS > least ? g->numel / MOST_CHUNKS : least;
    return (elements + f->columns - 1) / f->columns;
}

static void shape_space(const rg__build *b, rg__fused *f, const rg__group *g)
{
    f->columns = g->columns > 0 ? g->columns : 1;
    f->rows = g->numel / f->columns;
    f->block = BLOCK / f->columns > 1 ? BLOCK / f->columns : 1;
    f->block = f->block < f->rows ? f->block : f->rows;
    cut(f, rows_of(f, g, CHUNK), chunk_unit(b, f, g));
}

/* Long programs are worth threads for fewer elements: even chunks, where no partial results depend on them. */
static void cut_finer(const rg__build *b, rg__fused *f, const rg__group *g)
{
    if (f->partial > 0 || f->instructions <= CHUNK_WORK / CHUNK)
        return;
    const int64_t unit = chunk_unit(b, f, g);
    cut(f, rows_of(f, g, CHUNK_WORK / f->instructions), unit);
    cut(f, (f->rows + f->chunks - 1) / f->chunks, unit);
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
static void find_streams(rg__writer *w)
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

/* One row that all rows are computed with can be read where it is only while a block is a row. */
static bool has_row_of_all(const rg__fused *f)
{
    for (int i = 0; i < f->instructions; i++)
        for (int k = 0; k < f->instruction[i].n_in; k++)
            if (f->instruction[i].in[k].kind == RG__SAME_OF && !f->instruction[i].in[k].one)
                return true;
    return false;
}

void rg__write_fused(rg__writer *w, uint32_t group)
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
    cut_finer(b, f, g);
    if (f->instructions == 1 && f->scratch == 0 && !has_row_of_all(f)) /* nothing has to stay in the cache */
        f->block = f->chunk;
    find_streams(w);
    if (f->scratch > b->plan->scratch)
        b->plan->scratch = f->scratch;
    rg__step *step = &b->plan->step[w->step];
    step->fused = f;
    step->nodes = g->nodes;
    step->ended = g->ended ? g->ended : "nothing more fitted";
}
