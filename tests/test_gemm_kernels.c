/* The micro-kernels of the matrix product, for each instruction set that this processor has. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/cpu.h"
#include "exec/kernels/gemm_pack.h"
#include "exec/kernels/gemm_tile.h"
#include "gemm_support.h"

static void check_tile(const rg__gemm_kernel *kernel, int rows, bool half, bool add, layout la, layout lb, int64_t k,
                       size_t size)
{
    const int64_t columns = half ? kernel->columns / 2 : kernel->columns;
    matrix a = whole_numbers(la, rows, k, size), b = whole_numbers(lb, k, kernel->columns, size);
    matrix c = filled(PADDED, rows, kernel->columns, size, add ? 3 : NAN);
    rg__gemm_ahead ahead = {.data = c.data, .end = c.data + RG__GEMM_LINE, .left = 3, .gap = -RG__GEMM_LINE, .share = 2};
    kernel->tile(rows, half, k, a.data, a.row, a.column, b.data, b.row, c.data, c.row, add, &ahead);
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) {
            double sum = add ? 3 : 0;
            for (int64_t p = 0; p < k; p++)
                sum += get(&a, i, p) * get(&b, p, j);
            assert_true(get(&c, i, j) == sum);
        }
    }
    free(a.buffer), free(b.buffer), free(c.buffer);
}

/* Lines are fetched run by run, a share of them at each tile; what a kernel computes does not depend on it. */
static void lines_ahead_are_taken_in_turn(void **state)
{
    (void)state;
    enum { LINES = 3, RUNS = 4, STEP = 1024 };
    static char memory[RUNS * STEP];
    rg__gemm_ahead ahead = {.data = memory,
                            .end = memory + LINES * RG__GEMM_LINE,
                            .left = LINES * RUNS,
                            .gap = STEP - LINES * RG__GEMM_LINE,
                            .step = STEP,
                            .share = 5};
    for (int64_t done = 0, share; done < LINES * RUNS; done += share) {
        share = rg__gemm_take(&ahead);
        assert_int_equal(share, done < 10 ? 5 : 2);
        for (int64_t i = done; i < done + share; i++) {
            assert_ptr_equal(ahead.data, memory + i / LINES * STEP + i % LINES * RG__GEMM_LINE);
            rg__gemm_fetch(&ahead);
        }
    }
    assert_int_equal(rg__gemm_take(&ahead), 0);
}

static void check_dots(const rg__gemm_kernel *kernel, int rows, int64_t columns, int64_t k, size_t size)
{
    matrix a = whole_numbers(PADDED, rows, k, size), b = whole_numbers(COLUMNS, k, columns, size);
    matrix c = filled(GENERAL, rows, columns, size, NAN);
    kernel->dots(rows, columns, k, a.data, a.row, b.data, b.column, c.data, c.row, c.column);
    check_against_definition(&a, &b, &c);
    free(a.buffer), free(b.buffer), free(c.buffer);
}

static void the_kernels_of_each_instruction_set_are_right(void **state)
{
    (void)state;
    const rg__gemm_kernel *kernels[3] = {rg__gemm_base};
    int n_kernels = 1;
#ifdef __x86_64__
    const uint32_t features = rg__cpu_features();
    if ((features & (RG_CPU_AVX2 | RG_CPU_FMA)) == (RG_CPU_AVX2 | RG_CPU_FMA))
        kernels[n_kernels++] = rg__gemm_avx2;
    if (features & RG_CPU_AVX512F)
        kernels[n_kernels++] = rg__gemm_avx512;
#endif
    for (int i = 0; i < n_kernels; i++) {
        for (size_t size = sizeof(float); size <= sizeof(double); size *= 2) {
            const rg__gemm_kernel *const kernel = &kernels[i][size == sizeof(double)];
            for (int rows = 1; rows <= kernel->rows; rows++) {
                for (int how = 0; how < 16; how++) /* by columns and rows without a gap: packed */
                    check_tile(kernel, rows, how & 1, how & 2, how & 4 ? COLUMNS : PADDED, how & 8 ? ROWS : PADDED,
                               rows + how * 9, size);
            }
            for (int rows = 1; rows <= RG__GEMM_DOT_ROWS; rows++) {
                for (int64_t columns = 1; columns < 10; columns++)
                    check_dots(kernel, rows, columns, 7 * columns + rows, size);
            }
        }
    }
}

/* Panels of every width, from a source with contiguous rows, contiguous columns and neither; what lies beyond the panel's
 * last row is not touched. */
static void check_pack(layout how, int64_t width, int64_t stride, int64_t length, size_t size)
{
    matrix source = fractions(how, width, length, size), panel = filled(ROWS, length + 1, stride, size, NAN);
    rg__gemm_pack(size, panel.data, stride, width, length, source.data, source.row, source.column);
    for (int64_t p = 0; p <= length; p++) {
        for (int64_t i = 0; i < stride; i++) {
            if (p == length)
                assert_true(isnan(get(&panel, p, i)));
            else
                assert_true(get(&panel, p, i) == (i < width ? get(&source, i, p) : 0));
        }
    }
    free(source.buffer), free(panel.buffer);
}

static void panels_hold_what_the_kernels_read(void **state)
{
    (void)state;
    static const int64_t strides[] = {1, 4, 6, 8, 12, 14, 16, 32};
    for (size_t s = 0; s < sizeof strides / sizeof *strides; s++) {
        for (int64_t width = 1; width <= strides[s]; width++) {
            for (int64_t length = 0; length < 10; length++) {
                for (int how = 0; how < LAYOUTS; how++) {
                    check_pack((layout)how, width, strides[s], length, sizeof(float));
                    check_pack((layout)how, width, strides[s], length, sizeof(double));
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernels_of_each_instruction_set_are_right),
        cmocka_unit_test(lines_ahead_are_taken_in_turn),
        cmocka_unit_test(panels_hold_what_the_kernels_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
