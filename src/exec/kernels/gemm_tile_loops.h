/* The body of a micro-kernel, included once for each element type and instruction set. It is given
 *   TYPE, VECTOR, ROWS    the element, a vector of them, the rows of the largest tile: 6 or 12
 *   LOAD, STORE, SPLAT    from any address, to any address, of one element
 *   FMA(x, y, z)          x y + z
 *   EARLY                 steps of k by which the first cache is asked for b before it is read; 0: it is there
 *   TARGET                the attribute of the functions
 *   NAME, DOTS, TAPS, LAGS, OUTER   what they are called */

#define LANES       ((int64_t)(sizeof(VECTOR) / sizeof(TYPE)))
#define JOIN(a, b)  a##b
#define PART(a, b)  JOIN(a, b)
#define SIZED(NAME) PART(NAME, _sized)
#define WHOLE(NAME) PART(NAME, _whole)
#define TOTAL(NAME) PART(NAME, _total)
#define UNROLL      _Pragma("GCC unroll 12") /* or gcc keeps sums in memory */

/* The loops over rows and vectors unroll, for both are constants where this is called. */
TARGET static inline __attribute__((always_inline)) void SIZED(NAME)(const int rows, const int vectors, int64_t k,
                                                                     const TYPE *a, int64_t a_row, int64_t a_column,
                                                                     const TYPE *b, int64_t b_row, TYPE *c,
                                                                     int64_t c_row, bool add, rg__gemm_ahead *ahead)
{
    VECTOR sum[ROWS][2];
    int64_t fetches = rg__gemm_take(ahead);
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < vectors; v++) {
            sum[i][v] = SPLAT(0);
            if (v * sizeof(VECTOR) % RG__GEMM_LINE == 0)
                __builtin_prefetch(c + i * c_row + v * LANES, 1);
        }
    }
    for (; k > 0; k--, a += a_column, b += b_row) {
        const VECTOR b0 = LOAD(b), b1 = vectors > 1 ? LOAD(b + LANES) : b0;
        UNROLL
        for (int v = 0; v < vectors && EARLY > 0; v++)
            __builtin_prefetch(b + EARLY * b_row + v * LANES);
        UNROLL
        for (int i = 0; i < rows; i++) {
            const VECTOR x = SPLAT(a[i * a_row]);
            sum[i][0] = FMA(x, b0, sum[i][0]);
            if (vectors > 1)
                sum[i][1] = FMA(x, b1, sum[i][1]);
        }
        if (k % 4 == 0 && fetches > 0) {
            rg__gemm_fetch(ahead);
            fetches--;
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++, c += c_row) {
        UNROLL
        for (int v = 0; v < vectors; v++) {
            if (add)
                sum[i][v] += LOAD(c + v * LANES);
            STORE(c + v * LANES, sum[i][v]);
        }
    }
}

/* The whole tile of a packed product. Strides that the compiler knows leave it registers; and it is not inlined, for the
 * stores of all tiles would be merged, behind a detour through memory. */
TARGET static __attribute__((noinline)) void WHOLE(NAME)(int64_t k, const TYPE *a, const TYPE *b, TYPE *c,
                                                         int64_t c_row, bool add, rg__gemm_ahead *ahead)
{
    SIZED(NAME)(ROWS, 2, k, a, 1, ROWS, b, 2 * LANES, c, c_row, add, ahead);
}

#define CASE(ROW_COUNT)                                                                       \
    case ROW_COUNT:                                                                           \
        if (half)                                                                             \
            SIZED(NAME)(ROW_COUNT, 1, k, a, a_row, a_column, b, b_row, c, c_row, add, ahead); \
        else                                                                                  \
            SIZED(NAME)(ROW_COUNT, 2, k, a, a_row, a_column, b, b_row, c, c_row, add, ahead); \
        break;

TARGET static void NAME(int rows, bool half, int64_t k, const void *a, int64_t a_row, int64_t a_column, const void *b,
                        int64_t b_row, void *c, int64_t c_row, bool add, rg__gemm_ahead *ahead)
{
    if (rows == ROWS && !half && a_row == 1 && a_column == ROWS && b_row == 2 * LANES) {
        WHOLE(NAME)(k, a, b, c, c_row, add, ahead);
        return;
    }
    switch (rows) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
#if ROWS > 6
        CASE(7)
        CASE(8)
        CASE(9)
        CASE(10)
        CASE(11)
        CASE(12)
#endif
    }
}

/* ---- dot products ---- */

/* Of the lanes, in order. */
TARGET static inline __attribute__((always_inline)) TYPE TOTAL(DOTS)(VECTOR sum)
{
    TYPE lanes[LANES], total = 0;
    STORE(lanes, sum);
    for (int64_t x = 0; x < LANES; x++)
        total += lanes[x];
    return total;
}

/* Rows i of a times columns j of b, both contiguous. An element is summed in the same order wherever it lies: each lane
 * on its own, then the lanes, then what is left of k. */
TARGET static inline __attribute__((always_inline)) void SIZED(DOTS)(const int rows, const int columns, int64_t k,
                                                                     const TYPE *a, int64_t a_row, const TYPE *b,
                                                                     int64_t b_column, TYPE *c, int64_t c_row,
                                                                     int64_t c_column)
{
    VECTOR sum[4][4];
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < columns; j++)
            sum[i][j] = SPLAT(0);
    }
    const int64_t whole = k / LANES * LANES;
    for (int64_t p = 0; p < whole; p += LANES) {
        UNROLL
        for (int j = 0; j < columns; j++) {
            const VECTOR y = LOAD(b + j * b_column + p);
            UNROLL
            for (int i = 0; i < rows; i++)
                sum[i][j] = FMA(LOAD(a + i * a_row + p), y, sum[i][j]);
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < columns; j++) {
            TYPE total = TOTAL(DOTS)(sum[i][j]);
            for (int64_t p = whole; p < k; p++)
                total += a[i * a_row + p] * b[j * b_column + p];
            c[i * c_row + j * c_column] = total;
        }
    }
}

#define CASE_DOTS(ROW_COUNT, COLUMN_COUNT)                                                        \
    case ROW_COUNT:                                                                               \
        for (; columns >= COLUMN_COUNT;                                                           \
             columns -= COLUMN_COUNT, y += COLUMN_COUNT * b_column, z += COLUMN_COUNT * c_column) \
            SIZED(DOTS)(ROW_COUNT, COLUMN_COUNT, k, a, a_row, y, b_column, z, c_row, c_column);   \
        for (; columns > 0; columns--, y += b_column, z += c_column)                              \
            SIZED(DOTS)(ROW_COUNT, 1, k, a, a_row, y, b_column, z, c_row, c_column);              \
        break;

TARGET static void DOTS(int rows, int64_t columns, int64_t k, const void *a, int64_t a_row, const void *b,
                        int64_t b_column, void *c, int64_t c_row, int64_t c_column)
{
    const TYPE *y = b;
    TYPE *z = c;
    switch (rows) {
        CASE_DOTS(1, 4)
        CASE_DOTS(2, 4)
        CASE_DOTS(3, 2)
        CASE_DOTS(4, 2)
    }
}

/* ---- convolutions ---- */

TARGET static inline __attribute__((always_inline)) void SIZED(TAPS)(const int rows, const int vectors, int64_t k,
                                                                     const TYPE *a, int64_t a_step, const TYPE *b,
                                                                     const int64_t *offset, TYPE *c, int64_t c_row)
{
    VECTOR sum[ROWS][8];
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            sum[i][v] = SPLAT(0);
    }
    for (int64_t p = 0; p < k; p++, a += a_step) {
        const TYPE *const y = b + offset[p];
        VECTOR x[8];
        UNROLL
        for (int v = 0; v < vectors; v++)
            x[v] = LOAD(y + v * LANES);
        UNROLL
        for (int i = 0; i < rows; i++) {
            const VECTOR w = SPLAT(a[i]);
            UNROLL
            for (int v = 0; v < vectors; v++)
                sum[i][v] = FMA(w, x[v], sum[i][v]);
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            STORE(c + i * c_row + v * LANES, sum[i][v]);
    }
}

#define CASE_TAPS(ROW_COUNT) \
    case ROW_COUNT: SIZED(TAPS)(ROW_COUNT, 2, k, a, a_step, b, offset, c, c_row); break;

TARGET static void TAPS(int rows, int wider, int64_t k, const void *a, int64_t a_step, const void *b,
                        const int64_t *offset, void *c, int64_t c_row)
{
    if (wider == 4) {
        SIZED(TAPS)(1, 8, k, a, a_step, b, offset, c, c_row);
        return;
    }
    if (wider == 2) {
        if (rows == 2)
            SIZED(TAPS)(2, 4, k, a, a_step, b, offset, c, c_row);
        else
            SIZED(TAPS)(3, 4, k, a, a_step, b, offset, c, c_row);
        return;
    }
    switch (rows) {
        CASE_TAPS(1)
        CASE_TAPS(2)
        CASE_TAPS(3)
        CASE_TAPS(4)
        CASE_TAPS(5)
        CASE_TAPS(6)
#if ROWS > 6
        CASE_TAPS(7)
        CASE_TAPS(8)
        CASE_TAPS(9)
        CASE_TAPS(10)
        CASE_TAPS(11)
        CASE_TAPS(12)
#endif
    }
}

TARGET static inline __attribute__((always_inline)) void SIZED(LAGS)(const int rows, const int columns, int64_t n,
                                                                     const TYPE *a, int64_t a_row, const TYPE *b,
                                                                     const int64_t *offset, TYPE *c, int64_t c_row)
{
    VECTOR sum[4][3];
    const TYPE *y[3];
    UNROLL
    for (int j = 0; j < columns; j++) {
        y[j] = b + offset[j];
        UNROLL
        for (int i = 0; i < rows; i++)
            sum[i][j] = SPLAT(0);
    }
    for (int64_t p = 0; p < n; p += LANES) {
        VECTOR x[4];
        UNROLL
        for (int i = 0; i < rows; i++)
            x[i] = LOAD(a + i * a_row + p);
        UNROLL
        for (int j = 0; j < columns; j++) {
            const VECTOR z = LOAD(y[j] + p);
            UNROLL
            for (int i = 0; i < rows; i++)
                sum[i][j] = FMA(x[i], z, sum[i][j]);
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < columns; j++)
            c[i * c_row + j] = TOTAL(DOTS)(sum[i][j]);
    }
}

#define CASE_LAGS(ROW_COUNT)                                             \
    case ROW_COUNT:                                                      \
        if (columns == 3)                                                \
            SIZED(LAGS)(ROW_COUNT, 3, n, a, a_row, b, offset, c, c_row); \
        else if (columns == 2)                                           \
            SIZED(LAGS)(ROW_COUNT, 2, n, a, a_row, b, offset, c, c_row); \
        else                                                             \
            SIZED(LAGS)(ROW_COUNT, 1, n, a, a_row, b, offset, c, c_row); \
        break;

TARGET static void LAGS(int rows, int columns, int64_t n, const void *a, int64_t a_row, const void *b,
                        const int64_t *offset, void *c, int64_t c_row)
{
    switch (rows) {
        CASE_LAGS(1)
        CASE_LAGS(2)
        CASE_LAGS(3)
        CASE_LAGS(4)
    }
}

TARGET static inline __attribute__((always_inline)) void SIZED(OUTER)(const int rows, int64_t lines, int64_t columns,
                                                                      const TYPE *a, const int64_t *offset,
                                                                      int64_t a_line, const TYPE *b, TYPE *c,
                                                                      const int64_t *place)
{
    VECTOR sum[6][2];
    const TYPE *x[6];
    UNROLL
    for (int i = 0; i < rows; i++) {
        x[i] = a + offset[i];
        sum[i][0] = sum[i][1] = SPLAT(0);
    }
    for (; lines > 0; lines--) {
        for (int64_t p = 0; p < columns; p++, b += 2 * LANES) {
            const VECTOR b0 = LOAD(b), b1 = LOAD(b + LANES);
            UNROLL
            for (int i = 0; i < rows; i++) {
                const VECTOR y = SPLAT(x[i][p]);
                sum[i][0] = FMA(y, b0, sum[i][0]);
                sum[i][1] = FMA(y, b1, sum[i][1]);
            }
        }
        UNROLL
        for (int i = 0; i < rows; i++)
            x[i] += a_line;
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        TYPE *const to = c + place[i] * 2 * LANES;
        STORE(to, LOAD(to) + sum[i][0]);
        STORE(to + LANES, LOAD(to + LANES) + sum[i][1]);
    }
}

#define CASE_OUTER(ROW_COUNT) \
    case ROW_COUNT: SIZED(OUTER)(ROW_COUNT, lines, columns, a, offset, a_line, b, c, place); break;

TARGET static void OUTER(int rows, int64_t lines, int64_t columns, const void *a, const int64_t *offset, int64_t a_line,
                         const void *b, void *c, const int64_t *place)
{
    switch (rows) {
        CASE_OUTER(1)
        CASE_OUTER(2)
        CASE_OUTER(3)
        CASE_OUTER(4)
        CASE_OUTER(5)
        CASE_OUTER(6)
    }
}

#undef LANES
#undef JOIN
#undef PART
#undef SIZED
#undef WHOLE
#undef TOTAL
#undef UNROLL
#undef CASE
#undef CASE_DOTS
#undef CASE_TAPS
#undef CASE_LAGS
#undef TAPS
#undef LAGS
#undef CASE_OUTER
#undef OUTER
#undef TYPE
#undef VECTOR
#undef LOAD
#undef STORE
#undef SPLAT
#undef FMA
#undef NAME
#undef DOTS
