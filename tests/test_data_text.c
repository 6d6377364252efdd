/* Text as tokens: bytes and characters, there and back, windows with the next tokens, and what is no UTF-8. */
#include "data_support.h"

#include <retrograd/random.h>

static const char sample[] = "n\xC3\xA4h \xE2\x82\xAC\xF0\x9F\x98\x80 n\n"; /* "näh €😀 n" */

static rg_text *text_ok(const char *text, size_t length, rg_text_unit unit)
{
    char error[ERROR_SIZE] = "untouched";
    rg_text *made = rg_text_new(text, length, unit, error, sizeof error);
    if (!made)
        fail_msg("%s", error);
    assert_string_equal(error, "untouched");
    return made;
}

static void bytes_are_their_own_tokens(void **state)
{
    (void)state;
    char all[256], back[300];
    for (int i = 0; i < 256; i++)
        all[i] = (char)(255 - i);
    rg_text *text = text_ok(all, 256, RG_BYTES);
    assert_true(text->count == 256 && text->vocabulary == 256 && !text->characters);
    for (int i = 0; i < 256; i++)
        assert_int_equal(text->tokens[i], 255 - i);
    assert_int_equal(rg_text_decode(text, text->tokens, 256, back, sizeof back), 256);
    assert_memory_equal(back, all, 256);
    rg_text_free(text);
    rg_text_free(NULL);
}

static void characters_are_numbered_by_code_point(void **state)
{
    (void)state;
    static const uint32_t characters[] = {'\n', ' ', 'h', 'n', 0xE4, 0x20AC, 0x1F600};
    static const int64_t tokens[] = {3, 4, 2, 1, 5, 6, 1, 3, 0};
    rg_text *text = rg_text_read(write_plain("sample.txt", sample, sizeof sample - 1), RG_CHARACTERS, NULL, 0);
    assert_true(text && text->count == 9 && text->vocabulary == 7);
    assert_memory_equal(text->characters, characters, sizeof characters);
    assert_memory_equal(text->tokens, tokens, sizeof tokens);
    char back[64];
    assert_int_equal(rg_text_decode(text, tokens, 9, back, sizeof back), sizeof sample - 1);
    assert_string_equal(back, sample);
    /* What does not fit is left out, whole characters at a time; the length is told. */
    assert_int_equal(rg_text_decode(text, tokens, 9, back, 3), sizeof sample - 1);
    assert_string_equal(back, "n");
    assert_int_equal(rg_text_decode(text, tokens, 9, NULL, 0), sizeof sample - 1);
    int64_t more[4] = {-1, -1, -1, -1};
    assert_int_equal(rg_text_encode(text, "hn\xC3\xA4", 4, more, 2, NULL, 0), 3);
    assert_true(more[0] == 2 && more[1] == 3 && more[2] == -1);
    char error[ERROR_SIZE];
    assert_int_equal(rg_text_encode(text, "nx", 2, more, 4, error, sizeof error), -1);
    assert_error(error, "rg_text_encode", "byte 1 (78) another");
    assert_int_equal(rg_text_encode(text, "n\xC3", 2, more, 4, error, sizeof error), -1);
    assert_error(error, "rg_text_encode", "byte 1 (c3) no UTF-8");
    assert_int_equal(rg_text_encode(NULL, "n", 1, more, 4, error, sizeof error), -1);
    assert_error(error, "rg_text_encode", "no vocabulary");
    more[0] = 7;
    assert_int_equal(rg_text_decode(text, more, 1, back, sizeof back), -1);
    more[0] = -1;
    assert_int_equal(rg_text_decode(text, more, 1, back, sizeof back), -1);
    assert_int_equal(rg_text_decode(NULL, more, 1, back, sizeof back), -1);
    assert_int_equal(rg_text_decode(text, NULL, 1, back, sizeof back), -1);
    rg_text_free(text);
}

static void what_is_no_utf_8_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",     /* begins with what goes on      */
        "\xC3",     /* is cut                        */
        "\xC3(",    /* goes on with something else   */
        "\xC0\x80", /* longer than needed            */
        "\xC1\xBF",
        "\xE0\x9F\xBF",
        "\xF0\x8F\xBF\xBF",
        "\xED\xA0\x80",     /* a surrogate                   */
        "\xF4\x90\x80\x80", /* above 10FFFF                  */
        "\xF5\x80\x80\x80",
        "\xFF",
    };
    char error[ERROR_SIZE], text[8] = "ab";
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        strcpy(text + 2, bad[k]);
        const char *path = write_plain("bad.txt", text, strlen(text));
        assert_null(rg_text_read(path, RG_CHARACTERS, error, sizeof error));
        assert_error(error, "bad.txt", "no character of UTF-8 at byte 2");
    }
    static const char *const good[] = {"\xC2\x80",     "\xE0\xA0\x80",     "\xED\x9F\xBF",
                                       "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"};
    for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
        rg_text *one = text_ok(good[k], strlen(good[k]), RG_CHARACTERS);
        char back[8];
        assert_int_equal(rg_text_decode(one, one->tokens, 1, back, sizeof back), strlen(good[k]));
        assert_string_equal(back, good[k]);
        rg_text_free(one);
    }
    assert_null(rg_text_new("a", 1, (rg_text_unit)7, error, sizeof error));
    assert_error(error, "rg_text_new", "unit 7");
    assert_null(rg_text_new(NULL, 1, RG_BYTES, error, sizeof error));
    assert_error(error, "rg_text_new", "without text");
    assert_null(rg_text_read(in_directory("missing.txt"), RG_BYTES, error, sizeof error));
    assert_error(error, "missing.txt", "No such file");
    rg_rng rng = rg_rng_new(1, 1);
    for (int round = 0; round < 300; round++) {
        int64_t draw[20];
        char any[20];
        rg_rng_integers(&rng, draw, 20, 0, 256);
        for (int i = 0; i < 20; i++)
            any[i] = (char)(round % 2 ? draw[i] : draw[i] % 3 ? 'a' : draw[i]);
        rg_text_free(rg_text_new(any, (size_t)round % 20, RG_CHARACTERS, NULL, 0));
    }
}

static void windows_are_followed_by_their_next_tokens(void **state)
{
    (void)state;
    rg_text *text = text_ok("0123456789", 10, RG_BYTES);
    static const struct {
        int64_t first, count, length, stride, windows;
    } cases[] = {{0, 10, 3, 0, 3},         {0, 10, 3, 1, 7},        {2, 7, 2, 4, 2}, {0, 10, 9, 0, 1},
                 {0, 10, 10, 0, 0},        {10, 0, 1, 1, 0},        {0, 9, 4, 0, 2}, {0, 2, 1, 0, 1},
                 {0, 10, INT64_MAX, 0, 0}, {0, 10, 2, INT64_MAX, 1}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        rg_source *s = rg_text_windows(text, cases[k].first, cases[k].count, cases[k].length, cases[k].stride, NULL, 0);
        assert_non_null(s);
        assert_int_equal(s->count, cases[k].windows);
        assert_int_equal(s->classes, 256);
        const int64_t stride = cases[k].stride ? cases[k].stride : cases[k].length;
        for (int64_t i = 0; i < s->count; i++) {
            int64_t x[9], y[9];
            assert_true(s->get(s->user, i, x, y, NULL, 0));
            for (int64_t j = 0; j < cases[k].length; j++) {
                assert_int_equal(x[j], '0' + cases[k].first + i * stride + j);
                assert_int_equal(y[j], x[j] + 1);
                assert_true(y[j] < '0' + cases[k].first + cases[k].count);
            }
        }
        rg_source_free(s);
    }
    rg_source *s = rg_text_windows(text, 0, 10, 3, 1, NULL, 0);
    rg_loader *loader = rg_loader_new_source(s, &(rg_loader_config){.batch = 4, .draws = 8, .prefetch = 2}, NULL, 0);
    rg_batch b;
    for (int i = 0; i < 2; i++) {
        assert_true(rg_loader_next(loader, &b));
        assert_true(!b.x && b.y && rg_shape_equal(b.inputs.shape, RG_SHAPE(4, 3)));
        assert_true(rg_shape_equal(b.labels.shape, RG_SHAPE(4, 3)) && b.inputs.dtype == RG_I64);
        for (int j = 0; j < 12; j++)
            assert_int_equal(((const int64_t *)b.inputs.data)[j] + 1, b.y[j]);
    }
    assert_false(rg_loader_next(loader, &b));
    rg_loader_free(loader);
    rg_source_free(s);
    static const int64_t bad[][4] = {{-1, 5, 2, 1}, {0, 11, 2, 1},  {5, 6, 2, 1},
                                     {0, 10, 0, 1}, {0, 10, 2, -1}, {0, -1, 2, 1}};
    char error[ERROR_SIZE];
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        assert_null(rg_text_windows(text, bad[k][0], bad[k][1], bad[k][2], bad[k][3], error, sizeof error));
        assert_error(error, "rg_text_windows", "a part of 10 tokens");
    }
    assert_null(rg_text_windows(NULL, 0, 0, 1, 1, error, sizeof error));
    rg_text_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_their_own_tokens),
        cmocka_unit_test(characters_are_numbered_by_code_point),
        cmocka_unit_test(what_is_no_utf_8_is_refused),
        cmocka_unit_test(windows_are_followed_by_their_next_tokens),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
