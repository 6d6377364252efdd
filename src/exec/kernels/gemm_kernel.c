/* Which micro-kernels the matrix product runs. BLIS's are called through its context, so that they are those of whichever
 * sub-configuration it has chosen. With AVX-512 ours take their place: they fetch memory ahead while they compute, where BLIS's
 * take 7 % longer for the products of a GPT on two threads of a Xeon (in f64, as long). */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* blis.h names pthread_barrier_t */
#endif
#include "exec/kernels/gemm_tile.h"

#include "core/cpu.h"
#include "exec/kernels/blis_arch.h"
#include "exec/kernels/blis_header.h"

#include <pthread.h>
#include <string.h>

/* Written once, before anything is computed. */
static struct {
    pthread_once_t once_own, once_blis;
    const rg__gemm_kernel *own;
    bool own_is_best; /* for large products, too */
    rg__gemm_kernel blis[2];
    cntx_t *context;
    sgemm_ukr_ft f32;
    dgemm_ukr_ft f64;
    bool rows_f32, rows_f64; /* whether tiles of row-major C are computed as they are, not transposed */
} state = {.once_own = PTHREAD_ONCE_INIT, .once_blis = PTHREAD_ONCE_INIT};

/* ---- ours ---- */

static void choose_own(void)
{
    state.own = rg__gemm_base;
#ifdef __x86_64__
    const uint32_t features = rg__cpu_features();
    if ((features & (RG_CPU_AVX2 | RG_CPU_FMA)) == (RG_CPU_AVX2 | RG_CPU_FMA))
        state.own = rg__gemm_avx2;
    if (features & RG_CPU_AVX512F)
        state.own = rg__gemm_avx512;
    state.own_is_best = state.own == rg__gemm_avx512;
#endif
}

const rg__gemm_kernel *rg__gemm_own_kernel(size_t size)
{
    pthread_once(&state.once_own, choose_own);
    return &state.own[size == sizeof(double)];
}

/* ---- BLIS's ---- */

#define DEFINE_TILE(TYPE, suffix)                                                                                    \
    static void blis_##suffix(int rows, bool half, int64_t k, const void *a, int64_t a_row, int64_t a_column,        \
                              const void *b, int64_t b_row, void *c, int64_t c_row, bool add, rg__gemm_ahead *ahead) \
    {                                                                                                                \
        const int columns = state.blis[sizeof(TYPE) == sizeof(double)].columns;                                      \
        TYPE one = 1, beta = add;                                                                                    \
        TYPE *const pa = (TYPE *)(uintptr_t)a, *const pb = (TYPE *)(uintptr_t)b; /* it takes no const, nor writes */ \
        auxinfo_t next = {0};                                                                                        \
        for (int64_t x = rg__gemm_take(ahead); x > 0; x--)                                                           \
            rg__gemm_fetch(ahead);                                                                                   \
        (void)half, (void)a_row, (void)a_column, (void)b_row;                                                        \
        if (state.rows_##suffix) {                                                                                   \
            bli_auxinfo_set_next_ab(pa, pb, &next);                                                                  \
            state.suffix(rows, columns, k, &one, pa, pb, &beta, c, c_row, 1, &next, state.context);                  \
        } else {                                                                                                     \
            bli_auxinfo_set_next_ab(pb, pa, &next);                                                                  \
            state.suffix(columns, rows, k, &one, pb, pa, &beta, c, 1, c_row, &next, state.context);                  \
        }                                                                                                            \
    }
DEFINE_TILE(float, f32)
DEFINE_TILE(double, f64)

/* What BLIS calls rows and columns is swapped for a kernel that prefers C by columns: the tile is computed transposed. */
static rg__gemm_kernel blis_kernel(num_t type, size_t size, rg__gemm_tile *tile, bool as_is)
{
    const bszid_t rows = as_is ? BLIS_MR : BLIS_NR, columns = as_is ? BLIS_NR : BLIS_MR;
    const rg__gemm_kernel kernel = {"blis",
                                    tile,
                                    NULL,
                                    (int)bli_cntx_get_blksz_def_dt(type, rows, state.context),
                                    (int)bli_cntx_get_blksz_def_dt(type, columns, state.context),
                                    (int)bli_cntx_get_blksz_max_dt(type, rows, state.context),
                                    (int)bli_cntx_get_blksz_max_dt(type, columns, state.context),
                                    false,
                                    NULL,
                                    NULL,
                                    NULL,
                                    0};
    const bool fits = kernel.rows > 0 && kernel.columns > 0 &&
                      (size_t)kernel.rows * (size_t)kernel.columns * size <= RG__GEMM_TILE_BYTES;
    return fits ? kernel : *rg__gemm_own_kernel(size);
}

static void choose_blis(void)
{
    rg__blis_start();
    state.context = bli_gks_query_cntx();
    /* ISO C has no cast from an object to a function. */
    void *f32 = bli_cntx_get_l3_nat_ukr_dt(BLIS_FLOAT, BLIS_GEMM_UKR, state.context);
    void *f64 = bli_cntx_get_l3_nat_ukr_dt(BLIS_DOUBLE, BLIS_GEMM_UKR, state.context);
    memcpy(&state.f32, &f32, sizeof f32);
    memcpy(&state.f64, &f64, sizeof f64);
    state.rows_f32 = bli_cntx_l3_nat_ukr_prefers_rows_dt(BLIS_FLOAT, BLIS_GEMM_UKR, state.context);
    state.rows_f64 = bli_cntx_l3_nat_ukr_prefers_rows_dt(BLIS_DOUBLE, BLIS_GEMM_UKR, state.context);
    state.blis[0] = blis_kernel(BLIS_FLOAT, sizeof(float), blis_f32, state.rows_f32);
    state.blis[1] = blis_kernel(BLIS_DOUBLE, sizeof(double), blis_f64, state.rows_f64);
}

const rg__gemm_kernel *rg__gemm_large_kernel(size_t size)
{
    const rg__gemm_kernel *const own = rg__gemm_own_kernel(size);
    if (state.own_is_best)
        return own;
    pthread_once(&state.once_blis, choose_blis);
    return &state.blis[size == sizeof(double)];
}
