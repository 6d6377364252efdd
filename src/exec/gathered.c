/* Work on rows that are gathered from a smaller table, as those of an embedding of few characters and many positions:
 *
 *     T[i] B           = (T B)[i]         the product of the table, gathered
 *     f(T[i], row)     = f(T, row)[i]     element by element, with a row that is the same for all
 *     A^T T[i]         = S^T T            S has a row for each of the table: the sum of A's rows that belong to it
 *     sum of (A B) by i = (sum of A by i) B
 *
 * so that there are as many rows as the table has, not as there are indices. Rows of the table that no index names stay
 * out: nothing may fail for their numbers, and what is infinite must not meet their zeros. Sums are taken by index first,
 * which may round, and overflow, otherwise. */
#include "exec/simplify.h"

#define LEAST 32 /* length of the sums: shorter ones cost less than to gather and scatter */

/* ---- what is gathered ---- */

/* Rows of a table at an index, the same for all columns. */
typedef struct gathering {
    const rg__node *node;
    uint32_t table, index;
    int64_t rows, columns, count; /* of the table; indices */
} gathering;

static bool is_one_index_a_row(const rg__build *b, const rg__node *indexed)
{
    const rg__node *index = rg__build_node(b, indexed->in[1]);
    int64_t strides[RG_MAX_RANK];
    rg__node_strides(index, strides);
    return index->rank == 2 && rg__op_index_axis(indexed) == 0 && strides[1] == 0;
}

static bool is_far_smaller(int64_t rows, int64_t count)
{
    return rows > 0 && rows <= count / 2;
}

/* Is x all of such rows, seen through views? transposed: as columns. */
static bool find_gathering(const rg__build *b, uint32_t x, bool transposed, gathering *out)
{
    const rg__node *n = rg__computed_now(b, x), *view = rg__build_node(b, x);
    if (!n || n->op->at_index != RG__PICKS || n->rank != 2 || view->rank != 2 || !is_one_index_a_row(b, n))
        return false;
    const rg__node *table = rg__build_node(b, n->in[0]);
    int64_t strides[RG_MAX_RANK];
    rg__node_strides(view, strides);
    const int row = transposed ? 1 : 0, column = 1 - row;
    *out = (gathering){n, n->in[0], n->in[1], table->dims[0], n->dims[1], n->dims[0]};
    return table->dims[1] == n->dims[1] && view->offset == 0 && view->dims[row] == n->dims[0] &&
           view->dims[column] == n->dims[1] && strides[row] == n->dims[1] && strides[column] == 1 &&
           is_far_smaller(out->rows, out->count);
}

/* ---- parts ---- */

/* A node of two dims like this one; its op and its arguments are the caller's to set. */
static rg__node matrix_like(rg__build *b, const rg__node *like, int64_t rows, int64_t columns)
{
    rg__node n = *like;
    int64_t *dims = rg__build_alloc(b, 2 * sizeof *dims);
    if (dims) {
        dims[0] = rows;
        dims[1] = columns;
        n.dims = dims;
    }
    n.rank = 2;
    n.numel = rows * columns;
    return n;
}

/* The index for another number of columns. */
static uint32_t index_for(rg__build *b, uint32_t index, int64_t columns)
{
    const rg__node *n = rg__build_node(b, index);
    int64_t strides[RG_MAX_RANK];
    rg__node_strides(n, strides);
    return rg__add_view(b, n->root, 2, (int64_t[]){n->dims[0], columns}, (int64_t[]){strides[0], 0}, n->offset);
}

static uint32_t transposed(rg__build *b, uint32_t x)
{
    const rg__node *n = rg__build_node(b, x);
    int64_t strides[RG_MAX_RANK];
    rg__node_strides(n, strides);
    return rg__add_view(b, n->root, 2, (int64_t[]){n->dims[1], n->dims[0]}, (int64_t[]){strides[1], strides[0]},
                        n->offset);
}

static uint32_t constant_matrix(rg__build *b, rg_dtype dtype, double value, int64_t rows, int64_t columns)
{
    return rg__add_expanded(b, rg__add_constant(b, dtype, value), 2, (int64_t[]){rows, columns});
}

static void set_three(rg__node *n, uint32_t x, uint32_t y, uint32_t z)
{
    rg__set_arguments(n, 3, x, y);
    n->small_in[2] = z;
}

/* For each of `rows` rows the sum of those of `source` that an index puts there. indexed: whose attribute says the axis. */
static uint32_t sums_by_index(rg__build *b, const rg__node *like, const rg__node *indexed, rg_dtype dtype, int64_t rows,
                              uint32_t source)
{
    const int64_t columns = rg__build_node(b, source)->dims[1];
    rg__node sums = matrix_like(b, like, rows, columns);
    sums.op = rg__op_scatter_add;
    sums.attr = indexed->attr;
    sums.dtype = (uint8_t)dtype;
    set_three(&sums, constant_matrix(b, dtype, 0, rows, columns), index_for(b, indexed->in[1], columns), source);
    const uint32_t added = rg__add_node(b, &sums);
    if (!b->failed) /* an index out of range is still in the scope of what was recorded with it */
        b->origin[added] = b->origin[indexed->root];
    return added;
}

/* Makes n the rows of x, as many as the table has, with zeros in place of those that no index names. Truths are added as
 * `or`. indexed: may be n itself. */
static void take_named_rows(rg__build *b, rg__node *n, const rg__node *indexed, int64_t count, uint32_t x)
{
    const uint32_t truth = constant_matrix(b, RG_BOOL, 1, count, 1);
    const uint32_t named = b->failed ? 0 : sums_by_index(b, n, indexed, RG_BOOL, n->dims[0], truth);
    const uint32_t each = b->failed ? 0 : rg__add_expanded(b, named, 2, n->dims);
    const uint32_t zero = b->failed ? 0 : constant_matrix(b, (rg_dtype)n->dtype, 0, n->dims[0], n->dims[1]);
    if (b->failed)
        return;
    n->op = rg__op_where;
    n->attr = NULL;
    set_three(n, each, x, zero);
}

/* ---- the rule ---- */

/* T[i] B. */
static void gather_product(rg__build *b, rg__node *n, const gathering *g)
{
    rg__node product = matrix_like(b, n, g->rows, n->dims[1]);
    rg__set_arguments(&product, 2, g->table, n->in[1]);
    const uint32_t added = rg__add_node(b, &product), index = index_for(b, g->index, n->dims[1]);
    n->op = g->node->op;
    n->attr = g->node->attr;
    rg__set_arguments(n, 2, added, index);
    b->origin[b->looked_at] = b->origin[g->node->root];
}

/* A^T T[i], or its transpose T[i]^T A. */
static void multiply_sums(rg__build *b, rg__node *n, const gathering *g, bool turned)
{
    const uint32_t source = turned ? n->in[1] : transposed(b, n->in[0]);
    const uint32_t sums = b->failed ? 0 : sums_by_index(b, n, g->node, (rg_dtype)n->dtype, g->rows, source);
    if (b->failed)
        return;
    rg__node rows = matrix_like(b, n, g->rows, g->columns);
    take_named_rows(b, &rows, g->node, g->count, g->table);
    const uint32_t table = b->failed ? 0 : rg__add_node(b, &rows);
    if (b->failed)
        return;
    if (turned)
        rg__set_arguments(n, 2, transposed(b, table), sums);
    else
        rg__set_arguments(n, 2, transposed(b, sums), table);
}

/* The rows of a product, added to zeros by an index. */
static rg__verdict add_before_product(rg__build *b, rg__node *n)
{
    double first;
    const rg__node *source = rg__build_node(b, n->in[2]), *product = rg__computed_now(b, n->in[2]);
    if (n->rank != 2 || !is_one_index_a_row(b, n) || !rg__is_constant(b, n->in[0], &first) || first != 0 || !product ||
        product->op != rg__op_matmul || product->rank != 2 || source->offset != 0 || source->strides ||
        !rg__dims_equal(2, source->dims, product->rank, product->dims) || n->dims[1] != product->dims[1])
        return RG__LEFT;
    const rg__node *left = rg__build_node(b, product->in[0]);
    if (left->dims[1] < LEAST || !is_far_smaller(n->dims[0], left->dims[0]) ||
        rg__build_node(b, n->in[1])->dims[0] != left->dims[0])
        return RG__LEFT;
    const int64_t count = left->dims[0];
    const uint32_t right = product->in[1];
    rg__node rows = matrix_like(b, n, n->dims[0], n->dims[1]);
    const uint32_t sums = sums_by_index(b, n, n, (rg_dtype)n->dtype, n->dims[0], product->in[0]);
    if (b->failed)
        return RG__LEFT;
    rows.op = rg__op_matmul;
    rows.attr = NULL;
    rg__set_arguments(&rows, 2, sums, right);
    const uint32_t added = rg__add_node(b, &rows);
    if (!b->failed)
        take_named_rows(b, n, n, count, added);
    return RG__CHANGED;
}

/* Is x, broadcast to n's shape, the same for all rows? column: the stride along them. */
static bool is_one_row(const rg__node *n, const rg__node *x, int64_t *column)
{
    int64_t own[RG_MAX_RANK], strides[RG_MAX_RANK];
    rg__node_strides(x, own);
    rg__broadcast_strides(x->rank, x->dims, own, n->rank, n->dims, strides);
    *column = strides[n->rank - 1];
    for (int i = 0; i + 1 < n->rank; i++)
        if (n->dims[i] != 1 && strides[i] != 0)
            return false;
    return true;
}

/* f(T[i], row) or f(row, T[i]). */
static rg__verdict gather_elements(rg__build *b, rg__node *n, uint32_t *equal)
{
    const int rank = n->rank;
    for (int i = 0; i < 2 && rank >= 1; i++) {
        const rg__node *view = rg__build_node(b, n->in[i]), *row = rg__build_node(b, n->in[1 - i]);
        gathering g;
        int64_t column, strides[RG_MAX_RANK];
        if (view->strides || view->offset != 0 || view->dtype != n->dtype ||
            !rg__dims_equal(view->rank, view->dims, rank, n->dims) || !find_gathering(b, view->root, false, &g) ||
            view->numel != g.node->numel || n->dims[rank - 1] != g.columns || !is_one_row(n, row, &column))
            continue;
        rg__node f = matrix_like(b, n, g.rows, g.columns), gathered = matrix_like(b, n, g.count, g.columns);
        const uint32_t rows =
            rg__add_view(b, row->root, 2, (int64_t[]){g.rows, g.columns}, (int64_t[]){0, column}, row->offset);
        rg__set_arguments(&f, 2, i == 0 ? g.table : rows, i == 0 ? rows : g.table);
        gathered.op = g.node->op;
        gathered.attr = g.node->attr;
        rg__set_arguments(&gathered, 2, rg__add_node(b, &f), g.index);
        const uint32_t added = rg__add_node(b, &gathered);
        if (b->failed)
            return RG__LEFT;
        b->origin[added] = b->origin[g.node->root];
        rg__row_major(rank, n->dims, strides);
        *equal = rg__add_view(b, added, rank, n->dims, strides, 0);
        return RG__EQUAL;
    }
    return RG__LEFT;
}

rg__verdict rg__take_from_table(rg__build *b, rg__node *n, uint32_t *equal)
{
    gathering g;
    if (n->op == rg__op_scatter_add)
        return add_before_product(b, n);
    if (n->n_in == 2 && rg__op_has_loops(n->op) && !n->op->random && !n->op->fallible)
        return gather_elements(b, n, equal);
    if (n->op != rg__op_matmul || n->rank != 2)
        return RG__LEFT;
    if (find_gathering(b, n->in[0], false, &g) && g.columns >= LEAST)
        gather_product(b, n, &g);
    else if (find_gathering(b, n->in[1], false, &g) && n->dims[0] >= LEAST)
        multiply_sums(b, n, &g, false);
    else if (find_gathering(b, n->in[0], true, &g) && n->dims[1] >= LEAST)
        multiply_sums(b, n, &g, true);
    else
        return RG__LEFT;
    return RG__CHANGED;
}
