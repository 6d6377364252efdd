/* Arena and pool: aligned, apart from each other, and the same memory again in the next step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Whole numbers in [low, high], the same at every run. */
static uint64_t state = 1;
static int64_t draw(int64_t low, int64_t high)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return low + (int64_t)((state >> 33) % (uint64_t)(high - low + 1));
}

/* ---- arena ---- */

enum { PIECES = 300 };

/* A step's allocations: small ones, and some that need a chunk of their own. Each is filled with its number. */
static void allocate(rg__arena *arena, unsigned char *piece[PIECES], size_t bytes[PIECES])
{
    state = 7;
    for (int i = 0; i < PIECES; i++) {
        bytes[i] = (size_t)(draw(0, 19) ? draw(0, 3000) : draw(50000, 300000));
        piece[i] = rg__arena_alloc(arena, bytes[i]);
        assert_non_null(piece[i]);
        assert_int_equal((uintptr_t)piece[i] % _Alignof(max_align_t), 0);
        memset(piece[i], i & 0xff, bytes[i]);
    }
}

static void arena_pieces_do_not_overlap_and_come_again_after_a_rewind(void **unused)
{
    (void)unused;
    rg__arena arena = {0};
    unsigned char *piece[PIECES], *again[PIECES];
    size_t bytes[PIECES];
    const rg__arena_mark start = rg__arena_position(&arena);
    allocate(&arena, piece, bytes);
    for (int i = 0; i < PIECES; i++)
        for (size_t k = 0; k < bytes[i]; k++)
            assert_int_equal(piece[i][k], i & 0xff);
    /* The second step lies where the first one lay: nothing new is allocated. */
    rg__arena_rewind(&arena, start);
    allocate(&arena, again, bytes);
    assert_memory_equal(piece, again, sizeof piece);
    rg__arena_free(&arena);
    rg__arena_free(&arena); /* an empty one */
}

static void arena_rewind_keeps_what_came_before_the_mark(void **unused)
{
    (void)unused;
    rg__arena arena = {0};
    unsigned char *before = rg__arena_alloc(&arena, 1000);
    memset(before, 0xab, 1000);
    const rg__arena_mark mark = rg__arena_position(&arena);
    unsigned char *first = rg__arena_alloc(&arena, 100);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 100; i++)
            memset(rg__arena_alloc(&arena, 20000), round, 20000);
        rg__arena_rewind(&arena, mark);
        assert_ptr_equal(rg__arena_alloc(&arena, 100), first);
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(before[i], 0xab);
    assert_null(rg__arena_alloc(&arena, SIZE_MAX));
    assert_non_null(rg__arena_alloc(&arena, 10)); /* a refusal changes nothing */
    rg__arena_free(&arena);
}

/* ---- pool ---- */

static void pool_blocks_are_aligned_and_large_enough(void **unused)
{
    (void)unused;
    rg__pool pool = {{0}, 0};
    for (int round = 0; round < 3; round++) { /* from the second round on, blocks of the first serve other sizes */
        void *block[400];
        size_t bytes[400];
        state = 11 + (uint64_t)round;
        for (int i = 0; i < 400; i++) {
            bytes[i] = (size_t)(i < 300 ? i : draw(300, 200000));
            block[i] = rg__pool_get(&pool, bytes[i]);
            assert_non_null(block[i]);
            assert_int_equal((uintptr_t)block[i] % RG__ALIGN, 0);
            memset(block[i], i & 0xff, bytes[i]);
        }
        for (int i = 0; i < 400; i++) {
            const unsigned char *p = block[i];
            for (size_t k = 0; k < bytes[i]; k++)
                assert_int_equal(p[k], i & 0xff);
            rg__pool_put(&pool, block[i], bytes[i]);
        }
    }
    rg__pool_free(&pool);
}

static void pool_gives_a_block_back_for_its_size(void **unused)
{
    (void)unused;
    rg__pool pool = {{0}, 0};
    static const size_t sizes[] = {0, 1, 64, 65, 100, 4096, 5000, 1 << 20};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        void *first = rg__pool_get(&pool, sizes[i]), *second = rg__pool_get(&pool, sizes[i]);
        assert_ptr_not_equal(first, second);
        rg__pool_put(&pool, first, sizes[i]);
        assert_ptr_equal(rg__pool_get(&pool, sizes[i]), first);
        rg__pool_put(&pool, first, sizes[i]);
        rg__pool_put(&pool, second, sizes[i]);
    }
    const size_t held = pool.bytes;
    for (int step = 0; step < 10; step++)
        for (size_t i = 0; i < COUNT(sizes); i++) {
            void *a = rg__pool_get(&pool, sizes[i]), *b = rg__pool_get(&pool, sizes[i]);
            rg__pool_put(&pool, a, sizes[i]);
            rg__pool_put(&pool, b, sizes[i]);
        }
    assert_int_equal(pool.bytes, held);
    assert_null(rg__pool_get(&pool, SIZE_MAX));
    assert_null(rg__pool_get(&pool, SIZE_MAX - 63));
    rg__pool_free(&pool);
    assert_int_equal(pool.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_pieces_do_not_overlap_and_come_again_after_a_rewind),
        cmocka_unit_test(arena_rewind_keeps_what_came_before_the_mark),
        cmocka_unit_test(pool_blocks_are_aligned_and_large_enough),
        cmocka_unit_test(pool_gives_a_block_back_for_its_size),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
