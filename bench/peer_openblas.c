/* OpenBLAS's side of the matrix products, called from C. It is looked for when this program runs; nothing of it is
 * needed to build. */
#include "measure.h"
#include "product.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112 };

typedef void (*sgemm_function)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                               const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);

typedef struct state {
    sgemm_function sgemm;
    product p;
    float *a, *b, *c;
} state;

static void step(void *opaque)
{
    const state *s = opaque;
    const int m = (int)s->p.rows, k = (int)s->p.inner, n = (int)s->p.columns;
    s->sgemm(ROW_MAJOR, s->p.transpose_a ? TRANSPOSE : NO_TRANSPOSE, s->p.transpose_b ? TRANSPOSE : NO_TRANSPOSE, m, n,
             k, 1, s->a, s->p.transpose_a ? m : k, s->b, s->p.transpose_b ? k : n, 0, s->c, n);
}

static const char *no_error(const void *opaque)
{
    (void)opaque;
    return "";
}

static void close_state(void *opaque)
{
    state *s = opaque;
    free(s->a), free(s->b), free(s->c);
}

/* POSIX returns functions as data pointers; C leaves the conversion open. */
static sgemm_function find_sgemm(void *library, int threads)
{
    sgemm_function sgemm = NULL;
    void (*set_threads)(int) = NULL;
    *(void **)&sgemm = dlsym(library, "cblas_sgemm");
    *(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
    if (set_threads)
        set_threads(threads);
    return sgemm;
}

static float *random_matrix(int64_t count)
{
    float *data = aligned_zeros((size_t)count * sizeof *data);
    for (int64_t i = 0; data && i < count; i++)
        data[i] = (float)rand() / (float)RAND_MAX - 0.5f;
    return data;
}

static int complain(const char *what)
{
    printf("{\"error\": \"%s\"}\n", what);
    return 1;
}

/* peer_openblas CASE THREADS */
int main(int argc, char **argv)
{
    state s = {0};
    if (argc != 3 || !product_parse(argv[1], &s.p))
        return complain("usage: peer_openblas mm-CASE THREADS");
    void *library = dlopen("libopenblas.so.0", RTLD_NOW);
    s.sgemm = library ? find_sgemm(library, atoi(argv[2])) : NULL;
    if (!s.sgemm)
        return complain("libopenblas.so.0 is not installed");
    s.a = random_matrix(s.p.rows * s.p.inner);
    s.b = random_matrix(s.p.inner * s.p.columns);
    s.c = random_matrix(s.p.rows * s.p.columns);
    if (!s.a || !s.b || !s.c)
        return complain("out of memory");
    subject measured = {&s, step, no_error, close_state, 1, product_flops(&s.p), product_bytes(&s.p)};
    return serve(&measured);
}
