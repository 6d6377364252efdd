/* Attention of one head, on our own micro-kernels: keys and values are laid out once for each head, then every block of
 * queries has its scores, their softmax and what follows from them while these are in a cache. */
#include "exec/kernels/attend.h"

#include "exec/kernels/clones.h"
#include "exec/kernels/gemm_pack.h"
#include "exec/kernels/gemm_tile.h"
#include "exec/kernels/vector.h"

#include <math.h>
#include <string.h>

enum {
    BLOCK = 48,          /* queries worked on at a time, fewer where there are very many keys */
    BLOCK_LEAST = 12,    /* but no fewer                                                       */
    SCORES = 384 * 1024, /* bytes of a block's scores                                          */
    SHARE = 512,         /* queries of a task                                                  */
    PADDING = 16         /* elements that rows of scores are padded to                         */
};

#define TYPE       float
#define NAME(base) base##_f32
#include "exec/kernels/attend_rows.h"
#undef TYPE
#undef NAME
#define TYPE       double
#define NAME(base) base##_f64
#include "exec/kernels/attend_rows.h"
#undef TYPE
#undef NAME

/* What a thread works with: where its arrays lie in the room, rows padded to whole tiles. */
typedef struct work {
    const rg__attend_shape *s;
    const rg__attend_head *h;
    const rg__gemm_kernel *kernel;
    rg__loop exp;
    int64_t block;                 /* queries                                                     */
    int64_t width, features, keys; /* padded                                                      */
    char *q, *g, *k, *v;           /* copies, by rows: of a block of queries (q scaled), of all keys */
    char *k_panels, *v_panels;     /* of k^T and v^T                                              */
    char *p, *d;                   /* [block, keys]: the attention, the gradient of the scores    */
    char *out, *dq, *dk, *dv;      /* sums                                                        */
    char *room;                    /* NULL while it is only counted                               */
    size_t bytes;
} work;

static int64_t pad(int64_t n, int64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Reserves rows * columns elements and returns where they are, if there is room yet; the size of all is too large to count
 * once `bytes` is SIZE_MAX. */
static char *reserve(work *w, int64_t rows, int64_t columns)
{
    const size_t at = w->bytes;
    int64_t n, bytes;
    if (at == SIZE_MAX || __builtin_mul_overflow(rows, columns, &n) ||
        __builtin_mul_overflow(n, (int64_t)w->s->size, &bytes) || bytes > INT64_MAX / 64) {
        w->bytes = SIZE_MAX;
        return NULL;
    }
    w->bytes += ((size_t)bytes + RG__GEMM_SLACK + RG__ALIGN - 1) / RG__ALIGN * RG__ALIGN;
    return w->room ? w->room + at : NULL;
}

static work lay_out(const rg__attend_shape *s, bool gradient, char *room)
{
    work w = {.s = s, .kernel = rg__gemm_own_kernel(s->size), .room = room};
    const int64_t unit = w.kernel->columns > PADDING ? w.kernel->columns : PADDING;
    const int64_t most = INT64_MAX / 64;
    if (s->queries > most || s->keys > most || s->width > most || s->features > most) {
        w.bytes = SIZE_MAX;
        return w;
    }
    w.width = pad(s->width, unit), w.features = pad(s->features, unit), w.keys = pad(s->keys > 0 ? s->keys : 1, unit);
    w.block = SCORES / (w.keys * (int64_t)s->size) / BLOCK_LEAST * BLOCK_LEAST;
    w.block = w.block < BLOCK_LEAST ? BLOCK_LEAST : w.block > BLOCK ? BLOCK : w.block;
    w.q = reserve(&w, w.block, w.width), w.p = reserve(&w, w.block, w.keys);
    w.k_panels = reserve(&w, w.keys, s->width), w.v = reserve(&w, s->keys, w.features);
    w.out = reserve(&w, w.block, w.features);
    if (gradient) {
        w.g = reserve(&w, w.block, w.features), w.d = reserve(&w, w.block, w.keys);
        w.v_panels = reserve(&w, w.keys, s->features), w.k = reserve(&w, s->keys, w.width);
        w.dq = reserve(&w, w.block, w.width), w.dk = reserve(&w, w.keys, w.width);
        w.dv = reserve(&w, w.keys, w.features);
    }
    return w;
}

size_t rg__attend_room(const rg__attend_shape *s, bool gradient)
{
    const size_t bytes = lay_out(s, gradient, NULL).bytes;
    return bytes == SIZE_MAX ? 0 : bytes;
}

int64_t rg__attend_share(const rg__attend_shape *s)
{
    const int64_t block = lay_out(s, false, NULL).block;
    return pad(SHARE, block);
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

/* c [m, n] = a b, or c += a b. Rows of b and c hold whole tiles; b_panel: the distance of b's tiles, in elements. */
static void multiply(const work *w, int64_t m, int64_t n, int64_t k, const char *a, int64_t a_row, int64_t a_column,
                     const char *b, int64_t b_row, int64_t b_panel, char *c, int64_t c_row, bool add)
{
    const int64_t size = (int64_t)w->s->size, rows = w->kernel->rows, columns = w->kernel->columns;
    rg__gemm_ahead ahead = {0};
    for (int64_t j = 0; j < n; j += columns, b += b_panel * size, c += columns * size) {
        for (int64_t i = 0; i < m; i += rows) {
            const int64_t count = m - i < rows ? m - i : rows;
            w->kernel->tile((int)count, 2 * (n - j) <= columns, k, a + i * a_row * size, a_row, a_column, b, b_row,
                            c + i * c_row * size, c_row, add, &ahead);
        }
    }
}

/* The same with b by rows: the tiles lie side by side. */
static void multiply_rows(const work *w, int64_t m, int64_t n, int64_t k, const char *a, int64_t a_row,
                          int64_t a_column, const char *b, int64_t b_row, char *c, int64_t c_row, bool add)
{
    multiply(w, m, n, k, a, a_row, a_column, b, b_row, w->kernel->columns, c, c_row, add);
}

/* ---- parts of both passes ---------------------------------------------------------------------------------------- */

static void copy_rows(const work *w, int64_t rows, int64_t columns, int64_t padded, double scale, rg__attend_matrix x,
                      char *to)
{
    if (w->s->size == sizeof(float))
        copy_rows_f32(rows, columns, padded, (float)scale, &x, (float *)(void *)to);
    else
        copy_rows_f64(rows, columns, padded, scale, &x, (double *)(void *)to);
}

static void put_rows(const work *w, int64_t rows, int64_t columns, int64_t padded, double scale, const char *from,
                     char *to)
{
    if (w->s->size == sizeof(float))
        put_rows_f32(rows, columns, padded, (float)scale, (const float *)(const void *)from, (float *)(void *)to);
    else
        put_rows_f64(rows, columns, padded, scale, (const double *)(const void *)from, (double *)(void *)to);
}

/* x^T in panels, x [keys, columns]. */
static void pack_panels(const work *w, const rg__attend_matrix *x, int64_t columns, char *to)
{
    const int64_t size = (int64_t)w->s->size, wide = w->kernel->columns;
    for (int64_t j = 0; j < w->s->keys; j += wide, to += wide * columns * size) {
        const int64_t count = w->s->keys - j < wide ? w->s->keys - j : wide;
        rg__gemm_pack(w->s->size, to, wide, count, columns, x->data + j * x->row * size, x->row, x->column);
    }
}

static rg__attend_matrix rows_from(const work *w, rg__attend_matrix x, int64_t first)
{
    x.data += first * x.row * (int64_t)w->s->size;
    return x;
}

/* How many keys the queries up to `end` see, and the same in whole groups of what loops over rows take. */
static int64_t seen(const work *w, int64_t end)
{
    return w->s->causal && end < w->s->keys ? end : w->s->keys;
}

/* The attention of queries [first, first + rows) in w->p. */
static void compute_attention(const work *w, int64_t first, int64_t rows)
{
    const rg__attend_shape *s = w->s;
    const int64_t keys = seen(w, first + rows), padded = pad(keys, PADDING), size = (int64_t)s->size;
    copy_rows(w, rows, s->width, w->width, s->scale, rows_from(w, w->h->q, first), w->q);
    multiply(w, rows, keys, s->width, w->q, w->width, 1, w->k_panels, w->kernel->columns, w->kernel->columns * s->width,
             w->p, w->keys, false);
    for (int64_t i = 0; i < rows; i++) {
        char *row = w->p + i * w->keys * size;
        char *const p[2] = {row, row};
        const int64_t stride[2] = {size, size};
        if (size == sizeof(float)) {
            cover_f32(s, w->h, first + i, keys, padded, (float *)(void *)row);
            rg__attend_lower_f32(padded, (float *)(void *)row);
            w->exp(padded, p, stride, NULL);
            rg__attend_share_out_f32(padded, (float *)(void *)row);
        } else {
            cover_f64(s, w->h, first + i, keys, padded, (double *)(void *)row);
            rg__attend_lower_f64(padded, (double *)(void *)row);
            w->exp(padded, p, stride, NULL);
            rg__attend_share_out_f64(padded, (double *)(void *)row);
        }
    }
}

static rg__loop exponential(size_t size)
{
    return rg__vector_loop(rg__op_find("exp"), size == sizeof(float) ? RG_F32 : RG_F64);
}

/* ---- the passes -------------------------------------------------------------------------------------------------- */

void rg__attend(const rg__attend_shape *s, const rg__attend_head *h, int64_t first, int64_t end, char *room)
{
    work w = lay_out(s, false, room);
    w.h = h, w.exp = exponential(s->size);
    pack_panels(&w, &h->k, s->width, w.k_panels);
    copy_rows(&w, s->keys, s->features, w.features, 1, h->v, w.v);
    for (int64_t i = first; i < end; i += w.block) {
        const int64_t rows = end - i < w.block ? end - i : w.block;
        compute_attention(&w, i, rows);
        multiply_rows(&w, rows, s->features, seen(&w, i + rows), w.p, w.keys, 1, w.v, w.features, w.out, w.features,
                      false);
        put_rows(&w, rows, s->features, w.features, 1, w.out, h->out + i * s->features * (int64_t)s->size);
    }
}

/* With p the attention and a the scores: dv = p^T g; dp = g v^T; da = p (dp - sum p dp); dq = scale da k; dk = da^T q,
 * q being scaled. */
static void descend_block(const work *w, int64_t first, int64_t rows)
{
    const rg__attend_shape *s = w->s;
    const int64_t keys = seen(w, first + rows), padded = pad(keys, PADDING), size = (int64_t)s->size;
    compute_attention(w, first, rows);
    copy_rows(w, rows, s->features, w->features, 1, rows_from(w, w->h->g, first), w->g);
    multiply(w, rows, keys, s->features, w->g, w->features, 1, w->v_panels, w->kernel->columns,
             w->kernel->columns * s->features, w->d, w->keys, false);
    for (int64_t i = 0; i < rows; i++) {
        const char *p = w->p + i * w->keys * size;
        char *d = w->d + i * w->keys * size;
        memset(d + keys * size, 0, (size_t)((padded - keys) * size));
        if (size == sizeof(float))
            rg__attend_descend_f32(padded, (const float *)(const void *)p, (float *)(void *)d);
        else
            rg__attend_descend_f64(padded, (const double *)(const void *)p, (double *)(void *)d);
    }
    multiply_rows(w, keys, s->features, rows, w->p, 1, w->keys, w->g, w->features, w->dv, w->features, true);
    multiply_rows(w, keys, s->width, rows, w->d, 1, w->keys, w->q, w->width, w->dk, w->width, true);
    multiply_rows(w, rows, s->width, keys, w->d, w->keys, 1, w->k, w->width, w->dq, w->width, false);
    put_rows(w, rows, s->width, w->width, s->scale, w->dq, w->h->dq + first * s->width * size);
}

void rg__attend_gradient(const rg__attend_shape *s, const rg__attend_head *h, char *room)
{
    work w = lay_out(s, true, room);
    w.h = h, w.exp = exponential(s->size);
    pack_panels(&w, &h->k, s->width, w.k_panels);
    pack_panels(&w, &h->v, s->features, w.v_panels);
    copy_rows(&w, s->keys, s->width, w.width, 1, h->k, w.k);
    memset(w.dk, 0, (size_t)(w.keys * w.width) * s->size);
    memset(w.dv, 0, (size_t)(w.keys * w.features) * s->size);
    for (int64_t i = 0; i < s->queries; i += w.block)
        descend_block(&w, i, s->queries - i < w.block ? s->queries - i : w.block);
    put_rows(&w, s->keys, s->width, w.width, 1, w.dk, h->dk);
    put_rows(&w, s->keys, s->features, w.features, 1, w.dv, h->dv);
}
