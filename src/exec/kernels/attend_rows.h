/* Loops over rows of scores, included once for each element type. It is given TYPE, and NAME(base), which makes the
 * names of that type. Rows are padded to whole groups of LANES elements: sums run in as many lanes, in an order that
 * does not depend on the instruction set. */

enum { NAME(LANES) = 16 };

/* Subtracts the largest element, which is returned; nothing where all are -infinity. NaN are passed over, to come out of
 * the exponentials. */
RG__CLONES static void NAME(rg__attend_lower)(int64_t n, TYPE *x)
{
    TYPE lane[NAME(LANES)], top = -(TYPE)INFINITY;
    for (int i = 0; i < NAME(LANES); i++)
        lane[i] = -(TYPE)INFINITY;
    for (int64_t j = 0; j < n; j += NAME(LANES))
        for (int i = 0; i < NAME(LANES); i++)
            lane[i] = x[j + i] > lane[i] ? x[j + i] : lane[i];
    for (int i = 0; i < NAME(LANES); i++)
        top = lane[i] > top ? lane[i] : top;
    if (top == -(TYPE)INFINITY)
        top = 0;
    for (int64_t j = 0; j < n; j++)
        x[j] -= top;
}

/* Divides by the sum; leaves zeros as they are. */
RG__CLONES static void NAME(rg__attend_share_out)(int64_t n, TYPE *x)
{
    TYPE lane[NAME(LANES)] = {0}, sum = 0;
    for (int64_t j = 0; j < n; j += NAME(LANES))
        for (int i = 0; i < NAME(LANES); i++)
            lane[i] += x[j + i];
    for (int i = 0; i < NAME(LANES); i++)
        sum += lane[i];
    const TYPE share = sum == 0 ? 1 : 1 / sum;
    for (int64_t j = 0; j < n; j++)
        x[j] *= share;
}

/* d := p (d - sum p d), the gradient of the scores from that of their softmax p. */
RG__CLONES static void NAME(rg__attend_descend)(int64_t n, const TYPE *p, TYPE *d)
{
    TYPE lane[NAME(LANES)] = {0}, sum = 0;
    for (int64_t j = 0; j < n; j += NAME(LANES))
        for (int i = 0; i < NAME(LANES); i++)
            lane[i] += p[j + i] * d[j + i];
    for (int i = 0; i < NAME(LANES); i++)
        sum += lane[i];
    for (int64_t j = 0; j < n; j++)
        d[j] = p[j] * (d[j] - sum);
}

/* Applies the mask to a row, -infinity behind what is seen up to the padded length. */
static void NAME(cover)(const rg__attend_shape *s, const rg__attend_head *h, int64_t query, int64_t keys,
                        int64_t padded, TYPE *x)
{
    const char *at = s->masked ? h->mask.data + query * h->mask.row * (s->adds ? (int64_t)sizeof(TYPE) : 1) : NULL;
    if (s->masked && s->adds)
        for (int64_t j = 0; j < keys; j++)
            x[j] += ((const TYPE *)(const void *)at)[j * h->mask.column];
    else if (s->masked)
        for (int64_t j = 0; j < keys; j++)
            if (!at[j * h->mask.column])
                x[j] = -(TYPE)INFINITY;
    for (int64_t j = s->causal && query + 1 < keys ? query + 1 : keys; j < padded; j++)
        x[j] = -(TYPE)INFINITY;
}

/* to[i * to_row + j] = scale x[i, j], zeros up to `padded` columns. */
static void NAME(copy_rows)(int64_t rows, int64_t columns, int64_t padded, TYPE scale, const rg__attend_matrix *x,
                            TYPE *to)
{
    const TYPE *from = (const TYPE *)(const void *)x->data;
    for (int64_t i = 0; i < rows; i++, to += padded) {
        const TYPE *row = from + i * x->row;
        if (x->column == 1)
            for (int64_t j = 0; j < columns; j++)
                to[j] = scale * row[j];
        else
            for (int64_t j = 0; j < columns; j++)
                to[j] = scale * row[j * x->column];
        for (int64_t j = columns; j < padded; j++)
            to[j] = 0;
    }
}

/* The rows of a padded matrix, scaled, without padding. */
static void NAME(put_rows)(int64_t rows, int64_t columns, int64_t padded, TYPE scale, const TYPE *from, TYPE *to)
{
    for (int64_t i = 0; i < rows; i++, from += padded, to += columns)
        for (int64_t j = 0; j < columns; j++)
            to[j] = scale * from[j];
}
