/* Factors of matrices so small that LAPACK and the BLAS below it take longer to begin than to work: batches of 3 x 3 are common.
 * The same functions as LAPACK's, for one type: include with T and NAME(name). Matrices lie column by column. */

static int NAME(lu)(int n, T *a, int *pivot)
{
    int info = 0;
    for (int j = 0; j < n; j++) {
        T *const column = a + (ptrdiff_t)j * n;
        int best = j;
        for (int i = j + 1; i < n; i++)
            if (NAME(size)(column[i]) > NAME(size)(column[best]))
                best = i;
        pivot[j] = best + 1;
        if (column[best] == 0) {
            info = info ? info : j + 1;
            continue;
        }
        for (int k = 0; k < n && best != j; k++) {
            const T x = a[(ptrdiff_t)k * n + j];
            a[(ptrdiff_t)k * n + j] = a[(ptrdiff_t)k * n + best];
            a[(ptrdiff_t)k * n + best] = x;
        }
        for (int i = j + 1; i < n; i++)
            column[i] /= column[j];
        for (int k = j + 1; k < n; k++)
            for (int i = j + 1; i < n; i++)
                a[(ptrdiff_t)k * n + i] -= column[i] * a[(ptrdiff_t)k * n + j];
    }
    return info;
}

/* x [n] := A^-1 x, or A^-T x, with one triangle of a. */
static void NAME(solve_one)(bool upper, bool unit, bool transposed, int n, const T *a, T *x)
{
    const bool up = upper != transposed; /* from the last number to the first */
    for (int k = 0; k < n; k++) {
        const int i = up ? n - 1 - k : k;
        T sum = x[i];
        for (int j = up ? i + 1 : 0; j < (up ? n : i); j++)
            sum -= (transposed ? a[(ptrdiff_t)i * n + j] : a[(ptrdiff_t)j * n + i]) * x[j];
        x[i] = unit ? sum : sum / a[(ptrdiff_t)i * n + i];
    }
}

static void NAME(exchange)(T *x, int i, int k)
{
    const T was = x[i];
    x[i] = x[k];
    x[k] = was;
}

static void NAME(lu_solve)(bool transposed, int n, int k, const T *lu, const int *pivot, T *b)
{
    for (int c = 0; c < k; c++, b += n) {
        for (int i = 0; i < n && !transposed; i++)
            NAME(exchange)(b, i, pivot[i] - 1);
        NAME(solve_one)(transposed, !transposed, transposed, n, lu, b);
        NAME(solve_one)(!transposed, transposed, transposed, n, lu, b);
        for (int i = n - 1; i >= 0 && transposed; i--)
            NAME(exchange)(b, i, pivot[i] - 1);
    }
}

static int NAME(triangular)(bool upper, bool unit, int n, int k, const T *a, T *b)
{
    for (int i = 0; i < n && !unit; i++)
        if (a[(ptrdiff_t)i * n + i] == 0)
            return i + 1;
    for (int c = 0; c < k; c++, b += n)
        NAME(solve_one)(upper, unit, false, n, a, b);
    return 0;
}

static int NAME(cholesky)(int n, T *a)
{
    for (int j = 0; j < n; j++) {
        T *const column = a + (ptrdiff_t)j * n;
        for (int i = 0; i <= j; i++) {
            const T *const other = a + (ptrdiff_t)i * n;
            T sum = column[i];
            for (int k = 0; k < i; k++)
                sum -= other[k] * column[k];
            if (i == j && !(sum > 0))
                return j + 1;
            column[i] = i == j ? NAME(root)(sum) : sum / other[i];
        }
    }
    return 0;
}

#undef T
#undef NAME
