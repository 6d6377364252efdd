/* Sorting and selecting items of one width. Included by items.c with ITEM, KEY_BYTES, NAME(x), LESS(a, b), KEY(a), INDEX(a)
 * and MAKE(key, index). */

#define DIGIT(item, p) ((KEY(item) >> (8 * (p))) & 255)

static void NAME(insertion)(ITEM *a, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        const ITEM x = a[i];
        int64_t j = i;
        for (; j > 0 && LESS(x, a[j - 1]); j--)
            a[j] = a[j - 1];
        a[j] = x;
    }
}

/* Two neighbouring sorted runs, a[first..middle) and a[middle..end), into `out`. */
static void NAME(merge)(const ITEM *a, int64_t first, int64_t middle, int64_t end, ITEM *out)
{
    int64_t i = first, j = middle, k = first;
    while (i < middle && j < end) {
        const bool right = LESS(a[j], a[i]);
        out[k++] = right ? a[j] : a[i];
        j += right;
        i += !right;
    }
    memcpy(out + k, a + i, (size_t)(middle - i) * sizeof *a);
    memcpy(out + k + (middle - i), a + j, (size_t)(end - j) * sizeof *a);
}

static void NAME(merge_sort)(ITEM *a, ITEM *spare, int64_t n)
{
    ITEM *from = a, *to = spare;
    for (int64_t i = 0; i < n; i += RUN)
        NAME(insertion)(a + i, n - i < RUN ? n - i : RUN);
    for (int64_t width = RUN; width < n; width *= 2) {
        for (int64_t i = 0; i < n; i += 2 * width) {
            const int64_t middle = n - i < width ? n : i + width, end = n - i < 2 * width ? n : i + 2 * width;
            NAME(merge)(from, i, middle, end, to);
        }
        ITEM *other = from;
        from = to;
        to = other;
    }
    if (from != a)
        memcpy(a, from, (size_t)n * sizeof *a);
}

/* Counts become places: of each digit's first item. */
static void NAME(places)(int64_t *count)
{
    int64_t at = 0;
    for (int d = 0; d < 256; d++) {
        const int64_t c = count[d];
        count[d] = at;
        at += c;
    }
}

/* By the lowest digit first: each pass keeps the order of those that agree in it. */
static void NAME(radix_sort)(ITEM *a, ITEM *spare, int64_t n)
{
    int64_t count[KEY_BYTES][256] = {{0}};
    for (int64_t i = 0; i < n; i++)
        for (int p = 0; p < KEY_BYTES; p++)
            count[p][DIGIT(a[i], p)]++;
    ITEM *from = a, *to = spare;
    for (int p = 0; p < KEY_BYTES; p++) {
        int64_t *place = count[p];
        if (place[DIGIT(from[0], p)] == n)
            continue;
        NAME(places)(place);
        for (int64_t i = 0; i < n; i++)
            to[place[DIGIT(from[i], p)]++] = from[i];
        ITEM *other = from;
        from = to;
        to = other;
    }
    if (from != a)
        memcpy(a, from, (size_t)n * sizeof *a);
}

static void NAME(sort)(void *items, void *spare, int64_t n)
{
    if (n < RADIX_FROM)
        NAME(merge_sort)(items, spare, n);
    else
        NAME(radix_sort)(items, spare, n);
}

/* Each thread counts and moves a part of its own; its items of a digit go behind those of the parts before it. */
static void NAME(sort_together)(void *items, void *spare, int64_t n, int threads, int64_t *counts)
{
    ITEM *from = items, *to = spare;
    for (int p = 0; p < KEY_BYTES; p++) {
#pragma omp parallel for num_threads(threads) schedule(static)
        for (int part = 0; part < threads; part++) {
            int64_t *count = counts + 256 * part;
            memset(count, 0, 256 * sizeof *count);
            for (int64_t i = PART_FROM(n, part, threads); i < PART_FROM(n, part + 1, threads); i++)
                count[DIGIT(from[i], p)]++;
        }
        int64_t at = 0;
        for (int d = 0; d < 256; d++)
            for (int part = 0; part < threads; part++) {
                const int64_t c = counts[256 * part + d];
                counts[256 * part + d] = at;
                at += c;
            }
#pragma omp parallel for num_threads(threads) schedule(static)
        for (int part = 0; part < threads; part++) {
            int64_t *place = counts + 256 * part;
            for (int64_t i = PART_FROM(n, part, threads); i < PART_FROM(n, part + 1, threads); i++)
                to[place[DIGIT(from[i], p)]++] = from[i];
        }
        ITEM *other = from;
        from = to;
        to = other;
    }
    /* An even number of passes ends where it began. */
}

/* By the highest digit first: what cannot be item k is dropped, and the rest stays in order of the indices. */
static ITEM NAME(pick)(ITEM *a, int64_t n, int64_t k)
{
    for (int p = KEY_BYTES - 1; p >= 0 && n > RUN; p--) {
        int64_t count[256] = {0};
        for (int64_t i = 0; i < n; i++)
            count[DIGIT(a[i], p)]++;
        unsigned digit = 0;
        for (; k >= count[digit]; digit++)
            k -= count[digit];
        if (count[digit] == n)
            continue;
        int64_t kept = 0;
        for (int64_t i = 0; i < n; i++) {
            a[kept] = a[i]; /* kept <= i, and overwritten where it is not to stay */
            kept += DIGIT(a[i], p) == digit;
        }
        n = kept;
    }
    if (n <= RUN)
        NAME(insertion)(a, n);
    return a[k]; /* more than RUN: all of one value, in order of the indices */
}

static int64_t NAME(select)(void *items, int64_t n, int64_t k)
{
    return (int64_t)INDEX(NAME(pick)(items, n, k));
}

static void NAME(least)(void *items, void *spare, int64_t n, int64_t k, bool sorted)
{
    ITEM *a = items;
    if (k <= FEW_LEAST) { /* the best so far, in order */
        NAME(insertion)(a, k);
        for (int64_t i = k; i < n && k > 0; i++) {
            if (!LESS(a[i], a[k - 1]))
                continue;
            const ITEM x = a[i];
            int64_t j = k - 1;
            for (; j > 0 && LESS(x, a[j - 1]); j--)
                a[j] = a[j - 1];
            a[j] = x;
        }
    } else if (k < n) {
        memcpy(spare, items, (size_t)n * sizeof *a);
        const ITEM last = NAME(pick)(spare, n, k - 1);
        int64_t kept = 0;
        for (int64_t i = 0; kept < k; i++)
            if (!LESS(last, a[i]))
                a[kept++] = a[i];
        if (sorted)
            NAME(sort)(items, spare, k);
        return;
    } else if (sorted) {
        NAME(sort)(items, spare, k);
        return;
    }
    for (int64_t i = 1; i < k && k <= FEW_LEAST && !sorted; i++) { /* back in the order of the indices */
        const ITEM x = a[i];
        int64_t j = i;
        for (; j > 0 && INDEX(x) < INDEX(a[j - 1]); j--)
            a[j] = a[j - 1];
        a[j] = x;
    }
}

static int64_t NAME(mode)(const void *items, int64_t n)
{
    const ITEM *a = items;
    int64_t best = 0, most = 0;
    for (int64_t i = 0, start = 0; i < n; i++)
        if (i + 1 == n || KEY(a[i]) != KEY(a[i + 1])) {
            if (i + 1 - start > most) {
                most = i + 1 - start;
                best = i;
            }
            start = i + 1;
        }
    return (int64_t)INDEX(a[best]);
}

static int64_t NAME(index)(const void *items, int64_t i)
{
    return (int64_t)INDEX(((const ITEM *)items)[i]);
}

static int64_t NAME(nans)(const void *items, int64_t n, int64_t *first)
{
    const ITEM *a = items;
    int64_t count = 0;
    *first = 0;
    for (int64_t i = 0; i < n; i++)
        count += KEY(a[i]) == NAN_KEY;
    for (int64_t i = 0; count && *first == 0 && i < n; i++)
        if (KEY(a[i]) == NAN_KEY) {
            *first = (int64_t)INDEX(a[i]);
            break;
        }
    return count;
}

static void NAME(store)(const void *items, int64_t first, int64_t end, int64_t *out)
{
    const ITEM *a = items;
    for (int64_t i = first; i < end; i++)
        out[i] = (int64_t)INDEX(a[i]);
}

#undef DIGIT
#undef ITEM
#undef KEY_BYTES
#undef NAME
#undef LESS
#undef KEY
#undef INDEX
#undef NAN_KEY
