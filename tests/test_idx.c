/* The IDX reader: every type and rank, plain and gzip, and every way in which a file can be something else. */
#include "data_support.h"

#include <retrograd/random.h>

/* ---- what is read ---- */

static rg_idx *read_ok(const char *path)
{
    char error[ERROR_SIZE] = "untouched";
    rg_idx *idx = rg_idx_read(path, error, sizeof error);
    if (!idx)
        fail_msg("%s", error);
    assert_string_equal(error, "untouched");
    return idx;
}

static void reads_every_type_in_machine_order(void **state)
{
    (void)state;
    static const unsigned char u8[] = {0, 0, 0x08, 1, 0, 0, 0, 2, 0x00, 0xFF};
    static const unsigned char i8[] = {0, 0, 0x09, 1, 0, 0, 0, 2, 0x7F, 0x80};
    static const unsigned char i16[] = {0, 0, 0x0B, 1, 0, 0, 0, 2, 0x01, 0x02, 0xFF, 0xFE};
    static const unsigned char i32[] = {0, 0, 0x0C, 1, 0, 0, 0, 2, 0x01, 0x02, 0x03, 0x04, 0x80, 0x00, 0x00, 0x00};
    static const unsigned char f32[] = {0, 0, 0x0D, 1, 0, 0, 0, 2, 0x3F, 0x80, 0x00, 0x00, 0xC0, 0x49, 0x0F, 0xDB};
    static const unsigned char f64[] = {0,    0,    0x0E, 1,    0,    0,    0,    2,    0x3F, 0xF0, 0x00, 0x00,
                                        0x00, 0x00, 0x00, 0x00, 0xC0, 0x09, 0x21, 0xFB, 0x54, 0x44, 0x2D, 0x18};
    static const uint8_t u8_values[] = {0, 255};
    static const int8_t i8_values[] = {127, -128};
    static const int16_t i16_values[] = {258, -2};
    static const int32_t i32_values[] = {16909060, INT32_MIN};
    static const float f32_values[] = {1, -3.14159274F};
    static const double f64_values[] = {1, -3.141592653589793};
    static const struct {
        rg_idx_type type;
        const unsigned char *file;
        size_t file_size;
        const void *values;
        size_t size;
    } types[] = {
        {RG_IDX_U8, u8, sizeof u8, u8_values, sizeof u8_values},
        {RG_IDX_I8, i8, sizeof i8, i8_values, sizeof i8_values},
        {RG_IDX_I16, i16, sizeof i16, i16_values, sizeof i16_values},
        {RG_IDX_I32, i32, sizeof i32, i32_values, sizeof i32_values},
        {RG_IDX_F32, f32, sizeof f32, f32_values, sizeof f32_values},
        {RG_IDX_F64, f64, sizeof f64, f64_values, sizeof f64_values},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (int gzip = 0; gzip < 2; gzip++) {
            const char *path = gzip ? write_gzip("types.gz", types[i].file, types[i].file_size)
                                    : write_plain("types", types[i].file, types[i].file_size);
            rg_idx *idx = read_ok(path);
            assert_int_equal(idx->type, types[i].type);
            assert_true(rg_shape_equal(idx->shape, RG_SHAPE(2)));
            assert_memory_equal(idx->data, types[i].values, types[i].size);
            rg_idx_free(idx);
        }
}

static void reads_rank_1_to_8_in_row_major_order(void **state)
{
    (void)state;
    for (unsigned char rank = 1; rank <= 8; rank++) {
        unsigned char file[4 + 4 * 8 + 256 + 2] = {0, 0, 0x08, rank};
        size_t numel = 1;
        for (size_t i = 0; i < rank; i++) {
            file[4 + 4 * i + 3] = i == 0 ? 3 : i < 7 ? 2 : 1;
            numel *= file[4 + 4 * i + 3];
        }
        for (size_t i = 0; i < numel; i++)
            file[4 + 4 * rank + i] = (unsigned char)(7 * i);
        rg_idx *idx = read_ok(write_plain("ranks", file, 4 + 4 * (size_t)rank + numel));
        assert_int_equal(idx->shape.rank, rank);
        assert_int_equal(rg_shape_numel(idx->shape), numel);
        assert_int_equal(idx->shape.dims[0], 3);
        assert_memory_equal(idx->data, file + 4 + 4 * rank, numel);
        rg_idx_free(idx);
    }
}

static void reads_an_empty_array(void **state)
{
    (void)state;
    static const unsigned char file[] = {0, 0, 0x0D, 3, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 7};
    rg_idx *idx = read_ok(write_plain("empty", file, sizeof file));
    assert_true(rg_shape_equal(idx->shape, RG_SHAPE(5, 0, 7)));
    assert_non_null(idx->data);
    rg_idx_free(idx);
    rg_idx_free(NULL);
}

/* Several pieces of reading, and a size that is no multiple of one. */
static void reads_what_is_larger_than_a_buffer(void **state)
{
    (void)state;
    const uint32_t count = 3500001;
    const size_t size = 8 + (size_t)count;
    unsigned char *file = malloc(size);
    assert_non_null(file);
    const unsigned char header[] = {0, 0, 0x09, 1, count >> 24, count >> 16 & 255, count >> 8 & 255, count & 255};
    memcpy(file, header, sizeof header);
    uint32_t noise = 1;
    for (size_t i = 8; i < size; i++) {
        noise = noise * 1664525 + 1013904223;
        file[i] = noise >> 30; /* compresses, but not away */
    }
    for (int gzip = 0; gzip < 2; gzip++) {
        rg_idx *idx = read_ok(gzip ? write_gzip("large.gz", file, size) : write_plain("large", file, size));
        assert_true(rg_shape_equal(idx->shape, RG_SHAPE(count)));
        assert_memory_equal(idx->data, file + 8, count);
        rg_idx_free(idx);
    }
    free(file);
}

static const unsigned char one[] = {0, 0, 0x08, 1, 0, 0, 0, 1, 11};
static const unsigned char two[] = {0, 0, 0x08, 1, 0, 0, 0, 1, 22};

static void tries_gz_where_the_name_does_not_exist(void **state)
{
    (void)state;
    write_gzip("labels.gz", two, sizeof two);
    rg_idx *idx = read_ok(in_directory("labels"));
    assert_int_equal(*(unsigned char *)idx->data, 22);
    rg_idx_free(idx);
    write_plain("labels", one, sizeof one);
    idx = read_ok(in_directory("labels"));
    assert_int_equal(*(unsigned char *)idx->data, 11);
    rg_idx_free(idx);
}

static void reads_gzip_under_any_name_and_in_several_members(void **state)
{
    (void)state;
    rg_idx *idx = read_ok(write_gzip("no-suffix", two, sizeof two));
    assert_int_equal(*(unsigned char *)idx->data, 22);
    rg_idx_free(idx);
    const char *path = write_gzip("members.gz", two, 6);
    gzFile more = gzopen(path, "ab");
    assert_int_equal(gzwrite(more, two + 6, sizeof two - 6), sizeof two - 6);
    assert_int_equal(gzclose(more), Z_OK);
    idx = read_ok(path);
    assert_int_equal(*(unsigned char *)idx->data, 22);
    rg_idx_free(idx);
}

/* ---- what is not ---- */

static void assert_refused(const char *path, const char *says)
{
    char error[ERROR_SIZE] = "";
    rg_idx *idx = rg_idx_read(path, error, sizeof error);
    if (idx)
        fail_msg("%s was read, expected an error with \"%s\"", path, says);
    assert_error(error, path, says);
}

static void refuses_a_missing_file_and_names_both_that_it_tried(void **state)
{
    (void)state;
    char error[ERROR_SIZE], both[PATH_SIZE];
    const char *path = in_directory("missing");
    assert_null(rg_idx_read(path, error, sizeof error));
    snprintf(both, sizeof both, "%s.gz", path);
    assert_error(error, path, both);
    assert_refused(in_directory("no/such/directory"), "neither");
    assert_null(rg_idx_read(NULL, error, sizeof error));
    assert_error(error, "IDX", "no name");
    assert_null(rg_idx_read("", error, sizeof error));
    assert_error(error, "IDX", "no name");
}

static void refuses_a_directory(void **state)
{
    (void)state;
    const char *path = in_directory("folder");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(path, "directory");
    const char *gz = in_directory("folder.gz");
    assert_int_equal(rename(path, gz), 0);
    assert_refused(gz, "directory");
    assert_int_equal(rmdir(gz), 0);
    write_plain("file", one, sizeof one);
    assert_refused(in_directory("file/below"), "directory"); /* "Not a directory" */
}

static void refuses_what_is_not_an_idx_header(void **state)
{
    (void)state;
    assert_refused(write_plain("bad", "", 0), "0 bytes");
    assert_refused(write_plain("bad", "\0\0\x08", 3), "3 bytes");
    assert_refused(write_plain("bad", "\x89PNG\r\n\x1a\n", 8), "89 50 4e 47");
    assert_refused(write_plain("bad", "\0\1\x08\1\0\0\0\1\5", 9), "00 01 08 01");
    assert_refused(write_plain("bad", "\x08\0\0\0\1\0\0\0", 8), "08 00 00 00");
    assert_refused(write_plain("bad", "\0\0\x08\0\5", 5), "rank 0");
    assert_refused(write_plain("bad", "\0\0\x08\x09\0\0\0\1\5", 9), "rank 9");
    assert_refused(write_plain("bad", "\0\0\x08\xFF\0\0\0\1\5", 9), "rank 255");
    assert_refused(write_plain("bad", "\0\0\x08\2\0\0\0\1\0", 9), "9 bytes, expected 12");
    for (int type = 0; type < 256; type++) {
        const unsigned char file[] = {0, 0, (unsigned char)type, 1, 0, 0, 0, 0};
        char says[32];
        snprintf(says, sizeof says, "type %02x", type);
        if ((type < 0x08 || type > 0x0E) || type == 0x0A)
            assert_refused(write_plain("bad", file, sizeof file), says);
        else
            rg_idx_free(read_ok(write_plain("bad", file, sizeof file)));
    }
}

static void refuses_a_file_that_is_shorter_or_longer_than_its_header_says(void **state)
{
    (void)state;
    static const unsigned char file[] = {0, 0, 0x0B, 2, 0, 0, 0, 2, 0,  0,  0,  3, 1,
                                         2, 3, 4,    5, 6, 7, 8, 9, 10, 11, 12, 13};
    rg_idx_free(read_ok(write_plain("lying", file, sizeof file - 1)));
    assert_refused(write_plain("lying", file, sizeof file), "more data than 12 bytes, expected so many for i16 [2, 3]");
    assert_refused(write_plain("lying", file, sizeof file - 2), "found 11 bytes of data, expected 12 for i16 [2, 3]");
    assert_refused(write_gzip("lying.gz", file, sizeof file), "more data than 12 bytes");
    assert_refused(write_gzip("lying.gz", file, sizeof file - 2), "found 11 bytes of data, expected 12");
}

static void refuses_absurd_sizes_without_allocating_them(void **state)
{
    (void)state;
    /* 2^40 bytes, and 2^56, which no address space holds: the answer is about the file, not about memory. */
    assert_refused(write_plain("absurd", "\0\0\x08\3\0\1\0\0\0\1\0\0\0\0\1\0abcd", 20),
                   "found 4 bytes of data, expected 1099511627776 for u8 [65536, 65536, 256]");
    assert_refused(write_plain("absurd", "\0\0\x08\2\x10\0\0\0\x10\0\0\0abcd", 16),
                   "found 4 bytes of data, expected 72057594037927936");
    assert_refused(write_gzip("absurd.gz", "\0\0\x0E\2\x10\0\0\0\x02\0\0\0abcd", 16),
                   "found 4 bytes of data, expected 72057594037927936");
    /* Past 2^63, as elements and as bytes. */
    assert_refused(write_plain("absurd", "\0\0\x08\2\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12), "[4294967295, 4294967295]");
    assert_refused(write_plain("absurd", "\0\0\x0E\2\x7F\xFF\xFF\xFF\x7F\xFF\xFF\xFF", 12),
                   "f64 [2147483647, 2147483647]");
    unsigned char all_ones[36];
    memset(all_ones, 0xFF, sizeof all_ones);
    memcpy(all_ones, "\0\0\x08\x08", 4);
    assert_refused(write_plain("absurd", all_ones, sizeof all_ones), "4294967295");
}

static void refuses_a_name_in_gz_that_is_not_gzip(void **state)
{
    (void)state;
    assert_refused(write_plain("plain.gz", one, sizeof one), "begins 00 00, expected gzip");
    assert_refused(write_plain("plain.gz", "<html>", 6), "begins 3c 68, expected gzip");
    assert_refused(write_plain("plain.gz", "", 0), "length 0, expected gzip");
    assert_refused(write_plain("plain.gz", "\x1f", 1), "length 1, expected gzip");
    /* Found by way of the name without .gz, the message names the file that was opened. */
    char error[ERROR_SIZE];
    assert_null(rg_idx_read(in_directory("plain"), error, sizeof error));
    assert_error(error, "plain.gz", "expected gzip");
}

/* The bytes of a small valid file, compressed. */
static size_t gzip_bytes(unsigned char *bytes, size_t room)
{
    static const unsigned char file[] = {0, 0, 0x0B, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    FILE *compressed = fopen(write_gzip("whole.gz", file, sizeof file), "rb");
    assert_non_null(compressed);
    const size_t size = fread(bytes, 1, room, compressed);
    fclose(compressed);
    assert_true(size > 18 && size < room);
    return size;
}

static void refuses_gzip_that_is_cut_or_corrupt(void **state)
{
    (void)state;
    unsigned char bytes[256];
    const size_t size = gzip_bytes(bytes, sizeof bytes);
    for (size_t cut = 2; cut < size; cut++)
        assert_refused(write_plain("cut.gz", bytes, cut), "end of file, expected whole and intact gzip");
    bytes[size - 5] ^= 1; /* the checksum */
    assert_refused(write_plain("corrupt.gz", bytes, size), "data check, expected whole and intact gzip");
    bytes[size - 5] ^= 1;
    bytes[size - 1] ^= 1; /* the length */
    assert_refused(write_plain("corrupt.gz", bytes, size), "length check, expected whole and intact gzip");
    bytes[size - 1] ^= 1;
    bytes[2] = 7; /* the method */
    assert_refused(write_plain("corrupt.gz", bytes, size), "expected whole and intact gzip");
    bytes[2] = 8;
    bytes[10] |= 6; /* the block type */
    assert_refused(write_plain("corrupt.gz", bytes, size), "expected whole and intact gzip");
}

static void writes_no_further_than_the_error_buffer(void **state)
{
    (void)state;
    char error[16];
    memset(error, 'x', sizeof error);
    assert_null(rg_idx_read(in_directory("missing"), error, 8));
    assert_int_equal(error[7], 0);
    assert_int_equal(error[8], 'x');
    assert_int_equal(strlen(error), 7);
    assert_null(rg_idx_read(in_directory("missing"), error, 0));
    assert_int_equal(strlen(error), 7);
    assert_null(rg_idx_read(in_directory("missing"), NULL, 0));
    assert_null(rg_idx_read(in_directory("missing"), NULL, 100));
}

/* ---- any bytes at all ---- */

/* Is this a valid file, by the format's own rule? Written apart from the reader. */
static bool valid(const unsigned char *file, size_t size)
{
    static const size_t sizes[256] = {[0x08] = 1, [0x09] = 1, [0x0B] = 2, [0x0C] = 4, [0x0D] = 4, [0x0E] = 8};
    if (size < 4 || file[0] || file[1] || !sizes[file[2]] || file[3] < 1 || file[3] > 8 || size < 4 + 4u * file[3])
        return false;
    double bytes = (double)sizes[file[2]]; /* exact where it matters: below 2^53 */
    for (size_t i = 1; i <= file[3]; i++)
        bytes *= file[4 * i] * 0x1p24 + file[4 * i + 1] * 0x1p16 + file[4 * i + 2] * 0x1p8 + file[4 * i + 3];
    return bytes == (double)(size - 4 - 4 * (size_t)file[3]);
}

/* Reads it; where it is read, reads every byte of the result. Returns whether it was. */
static bool survives(const char *path)
{
    char error[ERROR_SIZE] = "";
    rg_idx *idx = rg_idx_read(path, error, sizeof error);
    if (!idx) {
        assert_error(error, path, "");
        return false;
    }
    assert_string_equal(error, "");
    const size_t width = idx->type == RG_IDX_F64 ? 8 : idx->type == RG_IDX_I16 ? 2 : idx->type >= RG_IDX_I32 ? 4 : 1;
    const int64_t numel = rg_shape_numel(idx->shape);
    assert_true(numel >= 0);
    unsigned sum = 0;
    for (size_t i = 0; i < (size_t)numel * width; i++)
        sum += ((const unsigned char *)idx->data)[i];
    assert_true(sum <= 255u * (size_t)numel * width);
    rg_idx_free(idx);
    return true;
}

static const unsigned char seed_file[] = {0, 0, 0x0B, 3, 0, 0, 0, 2, 0, 0, 0, 1,  0,  0,
                                          0, 3, 1,    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static void every_truncation_is_an_error(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof seed_file; size++)
        assert_false(survives(write_plain("truncated", seed_file, size)));
    assert_true(survives(write_plain("truncated", seed_file, sizeof seed_file)));
}

/* Changes a few bytes, and sometimes the length. */
static size_t mutate(rg_rng *rng, unsigned char *bytes, size_t size, size_t room)
{
    int64_t draw[3];
    rg_rng_integers(rng, draw, 2, 0, 4);
    for (int64_t i = 0; i <= draw[0]; i++) {
        int64_t at, value, kind;
        rg_rng_integers(rng, &at, 1, 0, (int64_t)size);
        rg_rng_integers(rng, &value, 1, 0, 256);
        rg_rng_integers(rng, &kind, 1, 0, 3);
        if (kind == 0)
            bytes[at] = (unsigned char)value;
        else if (kind == 1)
            bytes[at] ^= (unsigned char)(1 << (value & 7));
        else
            bytes[at] = (unsigned char)(bytes[at] + (value & 1 ? 1 : -1));
    }
    if (draw[1] == 0) {
        rg_rng_integers(rng, draw + 2, 1, 0, (int64_t)room);
        for (size_t i = size; i < (size_t)draw[2]; i++)
            bytes[i] = (unsigned char)i;
        size = (size_t)draw[2];
    }
    return size;
}

static void mutated_files_are_read_exactly_where_they_are_valid(void **state)
{
    (void)state;
    rg_rng rng = rg_rng_new(2024, 0);
    int read = 0;
    for (int i = 0; i < 2000; i++) {
        unsigned char bytes[64];
        memcpy(bytes, seed_file, sizeof seed_file);
        const size_t size = mutate(&rng, bytes, sizeof seed_file, sizeof bytes);
        const bool expected = valid(bytes, size);
        assert_int_equal(survives(write_plain("mutated", bytes, size)), expected);
        read += expected;
    }
    assert_true(read > 200 && read < 1800); /* both outcomes were met */
}

static void mutated_gzip_files_never_crash(void **state)
{
    (void)state;
    unsigned char whole[256];
    const size_t whole_size = gzip_bytes(whole, sizeof whole);
    rg_rng rng = rg_rng_new(2025, 0);
    int read = 0;
    for (int i = 0; i < 2000; i++) {
        unsigned char bytes[sizeof whole];
        memcpy(bytes, whole, sizeof whole);
        read += survives(write_plain("mutated.gz", bytes, mutate(&rng, bytes, whole_size, 2 * whole_size)));
    }
    assert_true(read > 0 && read < 1000); /* what gzip does not check: times, flags, what follows its end */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type_in_machine_order),
        cmocka_unit_test(reads_rank_1_to_8_in_row_major_order),
        cmocka_unit_test(reads_an_empty_array),
        cmocka_unit_test(reads_what_is_larger_than_a_buffer),
        cmocka_unit_test(tries_gz_where_the_name_does_not_exist),
        cmocka_unit_test(reads_gzip_under_any_name_and_in_several_members),
        cmocka_unit_test(refuses_a_missing_file_and_names_both_that_it_tried),
        cmocka_unit_test(refuses_a_directory),
        cmocka_unit_test(refuses_what_is_not_an_idx_header),
        cmocka_unit_test(refuses_a_file_that_is_shorter_or_longer_than_its_header_says),
        cmocka_unit_test(refuses_absurd_sizes_without_allocating_them),
        cmocka_unit_test(refuses_a_name_in_gz_that_is_not_gzip),
        cmocka_unit_test(refuses_gzip_that_is_cut_or_corrupt),
        cmocka_unit_test(writes_no_further_than_the_error_buffer),
        cmocka_unit_test(every_truncation_is_an_error),
        cmocka_unit_test(mutated_files_are_read_exactly_where_they_are_valid),
        cmocka_unit_test(mutated_gzip_files_never_crash),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
