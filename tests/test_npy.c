/* The .npy reader and writer: every type, order, version and rank, held against files made by NumPy, and every way in
 * which a file can be something else. */
#include "data_support.h"

#include <math.h>
#include <retrograd/npy.h>
#include <retrograd/random.h>

#include "golden/npy_files.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- what is read ---- */

static rg_npy *read_ok(const char *path)
{
    char error[ERROR_SIZE] = "untouched";
    rg_npy *npy = rg_npy_read(path, error, sizeof error);
    if (!npy)
        fail_msg("%s", error);
    assert_string_equal(error, "untouched");
    return npy;
}

static bool same_double(double a, double b)
{
    return (isnan(a) && isnan(b)) || (a == b && !signbit(a) == !signbit(b));
}

/* Is element i what the text begins with? *text moves behind it. */
static bool is_value(const rg_npy *npy, int64_t i, char **text)
{
    if (npy->dtype == RG_F32)
        return same_double(((const float *)npy->data)[i], strtof(*text, text));
    if (npy->dtype == RG_F64)
        return same_double(((const double *)npy->data)[i], strtod(*text, text));
    const long long value = strtoll(*text, text, 10);
    switch (npy->dtype) {
    case RG_I32: return ((const int32_t *)npy->data)[i] == value;
    case RG_I64: return ((const int64_t *)npy->data)[i] == value;
    default: return ((const unsigned char *)npy->data)[i] == value;
    }
}

static void assert_holds(const rg_npy *npy, const struct npy_file *file)
{
    char *text = (char *)(uintptr_t)file->values;
    if (npy->dtype != file->dtype || !rg_shape_equal(npy->shape, file->shape))
        fail_msg("%s: dtype %s, rank %d", file->name, rg_dtype_name(npy->dtype), npy->shape.rank);
    for (int64_t i = 0; i < rg_shape_numel(npy->shape); i++)
        if (!is_value(npy, i, &text))
            fail_msg("%s: element %lld is wrong", file->name, (long long)i);
    assert_string_equal(text, "");
}

static void reads_what_numpy_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(npy_files); i++) {
        rg_npy *npy = read_ok(write_plain("numpy", npy_files[i].bytes, npy_files[i].size));
        assert_holds(npy, &npy_files[i]);
        assert_non_null(npy->data);
        rg_npy_free(npy);
    }
    rg_npy_free(NULL);
}

static size_t read_back(const char *path, unsigned char *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t size = fread(bytes, 1, room, file);
    fclose(file);
    return size;
}

/* Where our type and order are the file's, so are the bytes. */
static void writes_what_numpy_writes(void **state)
{
    (void)state;
    char error[ERROR_SIZE] = "untouched";
    int same = 0;
    for (size_t i = 0; i < COUNT(npy_files); i++) {
        const struct npy_file *file = &npy_files[i];
        rg_npy *npy = read_ok(write_plain("numpy", file->bytes, file->size));
        const char *path = in_directory("ours");
        assert_true(rg_npy_write(path, npy->dtype, npy->shape, npy->data, error, sizeof error));
        rg_npy *again = read_ok(path);
        assert_holds(again, file);
        unsigned char bytes[1024];
        const size_t size = read_back(path, bytes, sizeof bytes);
        const char *kind = strstr(file->name, "<f4") || strstr(file->name, "<f8") || strstr(file->name, "<i4") ||
                                   strstr(file->name, "<i8") || strstr(file->name, "|b1") ||
                                   strcmp(file->name, "empty") == 0 || strlen(file->name) == strlen("rank 0")
                               ? file->name
                               : NULL;
        if (kind && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
            assert_int_equal(size, file->size);
            assert_memory_equal(bytes, file->bytes, size);
            same++;
        }
        rg_npy_free(npy);
        rg_npy_free(again);
    }
    assert_true(same == 15 || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__);
    assert_string_equal(error, "untouched");
}

/* Several pieces of reading, and a size that is no multiple of one. */
static void reads_and_writes_what_is_larger_than_a_buffer(void **state)
{
    (void)state;
    char error[ERROR_SIZE];
    const int64_t count = 1234567;
    double *x = malloc((size_t)count * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < count; i++)
        x[i] = (double)i / 3;
    const char *path = in_directory("large");
    assert_true(rg_npy_write(path, RG_F64, RG_SHAPE(count), x, error, sizeof error));
    rg_npy *npy = read_ok(path);
    assert_true(rg_shape_equal(npy->shape, RG_SHAPE(count)));
    assert_memory_equal(npy->data, x, (size_t)count * sizeof *x);
    rg_npy_free(npy);
    free(x);
}

/* A file around this dictionary; version 1 where `version` is 0. */
static const char *with_header(const char *dictionary, const void *data, size_t size)
{
    unsigned char file[4096] = "\x93NUMPY\1\0";
    const size_t length = strlen(dictionary);
    assert_true(10 + length + size <= sizeof file);
    file[8] = length & 255;
    file[9] = (unsigned char)(length >> 8);
    memcpy(file + 10, dictionary, length);
    if (size)
        memcpy(file + 10 + length, data, size);
    return write_plain("header", file, 10 + length + size);
}

static void reads_headers_that_others_write(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{'descr':'|i1','fortran_order':False,'shape':(2,3)}",
        "{\"shape\": (2, 3), \"fortran_order\": False, \"descr\": \"|i1\"}\n",
        " {\n'descr' : '<i1' ,\t'fortran_order' : False , 'shape' : ( 2 , 3 , ) , } \n",
        "{'descr': '>i1', 'fortran_order': False, 'shape': (2L, 3L), }\n",
    };
    for (size_t i = 0; i < COUNT(headers); i++) {
        rg_npy *npy = read_ok(with_header(headers[i], "\1\2\3\4\5\376", 6));
        assert_true(rg_shape_equal(npy->shape, RG_SHAPE(2, 3)));
        assert_int_equal(((const int32_t *)npy->data)[5], -2);
        rg_npy_free(npy);
    }
}

/* ---- what is refused ---- */

static void assert_refused(const char *path, const char *says)
{
    char error[ERROR_SIZE] = "";
    rg_npy *npy = rg_npy_read(path, error, sizeof error);
    if (npy)
        fail_msg("%s was read, expected an error with \"%s\"", path, says);
    assert_error(error, path, says);
}

static void refuses_files_that_are_not_there_or_no_files(void **state)
{
    (void)state;
    char error[ERROR_SIZE];
    assert_refused(in_directory("missing"), "No such file");
    const char *folder = in_directory("folder");
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_refused(folder, "directory");
    assert_false(rg_npy_write(folder, RG_F32, RG_SHAPE(0), NULL, error, sizeof error));
    assert_error(error, folder, "directory");
    assert_int_equal(rmdir(folder), 0);
    assert_null(rg_npy_read(NULL, error, sizeof error));
    assert_error(error, ".npy", "no name");
    assert_null(rg_npy_read("", error, sizeof error));
    assert_error(error, ".npy", "no name");
}

static void refuses_what_is_not_a_npy_file(void **state)
{
    (void)state;
    assert_refused(write_plain("bad", "", 0), "found 0 bytes");
    assert_refused(write_plain("bad", "\x93NUM", 4), "found 4 bytes");
    assert_refused(write_plain("bad", "\x89PNG\r\n\x1a\n", 8), "begins 89 50");
    assert_refused(write_plain("bad", "PK\3\4", 4), "begins 50 4b");
    assert_refused(write_plain("bad", "\x93NUMPY\0\0xxxx", 12), "version 0.0");
    assert_refused(write_plain("bad", "\x93NUMPY\4\0xxxx", 12), "version 4.0");
    assert_refused(write_plain("bad", "\x93NUMPY\1\1xxxx", 12), "version 1.1");
    assert_refused(write_plain("bad", "\x93NUMPY\1\0x", 9), "before the header's length");
    assert_refused(write_plain("bad", "\x93NUMPY\2\0xxx", 11), "before the header's length");
    assert_refused(write_plain("bad", "\x93NUMPY\1\0\xff\xff{}", 12), "header of 65535 bytes");
    assert_refused(write_plain("bad", "\x93NUMPY\2\0\xff\xff\xff\xff{}", 14), "header of 4294967295 bytes");
    assert_refused(write_plain("bad", "\x93NUMPY\1\0\x20\0{}", 12), "2 bytes of header, expected 32");
    assert_refused(write_plain("bad", "\x93NUMPY\1\0\2\0{\0", 12), "zero byte");
}

static void refuses_wrong_headers_and_says_where(void **state)
{
    (void)state;
#define START "{'descr': '<f4', 'fortran_order': False, 'shape': "
    static const struct {
        const char *header, *says;
    } bad[] = {
        {"", "its end"},
        {"[]", "found a header with []"},
        {"{}", "without 'descr'"},
        {"{'descr': '<f4', 'fortran_order': False}", "without 'shape'"},
        {"{'descr': '<f4', 'shape': (1,)}", "without 'fortran_order'"},
        {"{'descr' '<f4'}", "a colon"},
        {"{'descr': '<f4' 'shape': (1,)}", "comma or '}'"},
        {"{'descr': '<f4', 'descr': '<f4'}", "each once"},
        {"{'extra': 1}", "'extra'"},
        {"{descr: 1}", "expected a key"},
        {"{'descr': '<c8'}", "'<c8'"},
        {"{'descr': '<u8'}", "'<u8'"},
        {"{'descr': '|O'}", "'|O'"},
        {"{'descr': '<U3'}", "'<U3'"},
        {"{'descr': '|f4'}", "'|f4'"},
        {"{'descr': 'f4'}", "'f4'"},
        {"{'descr': '<f4x'}", "'<f4x'"},
        {"{'descr': '<f16'}", "'<f16'"},
        {"{'descr': [('a', '<f4')]}", "[('a', '<f4')]"},
        {"{'descr': '<f4", "'<f4"},
        {"{'descr': '<f\\x34'}", "as '<f4'"},
        {"{'descr': '<f4', 'fortran_order': 0}", "True or False"},
        {"{'descr': '<f4', 'fortran_order': true}", "True or False"},
        {START "3}", "a tuple"},
        {START "(3)}", "a comma in the shape of rank 1"},
        {START "(3 4)}", "comma or ')'"},
        {START "(,)}", "extents of 0 or more"},
        {START "(3,,4)}", "extents of 0 or more"},
        {START "(-1,)}", "found a header with -1,)}"},
        {START "(+1,)}", "extents of 0 or more"},
        {START "(1.0,)}", "comma or ')'"},
        {START "(03,)}", "extents of 0 or more"},
        {START "(0x3,)}", "comma or ')'"},
        {START "(1,1,1,1,1,1,1,1,1)}", "rank 0 to 8"},
        {START "(9223372036854775808,)}", "that memory can address"},
        {START "(99999999999999999999999999,)}", "that memory can address"},
        {START "(9223372036854775807,)}", "[9223372036854775807]"},
        {START "(4294967296, 4294967296)}", "f4 [4294967296, 4294967296]"},
        {START "(4611686018427387904,)}", "f4 [4611686018427387904]"},
        {START "(1,)", "comma or '}'"},
        {START "(1,", "its end"},
        {START "(1,)} x", "nothing but spaces"},
        {START "(1,)}}", "nothing but spaces"},
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_refused(with_header(bad[i].header, "\0\0\0\0", 4), bad[i].says);
    assert_refused(with_header("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", "\0\1\2", 3),
                   "byte 02 for element 2, expected 00 or 01");
}

static void refuses_a_file_that_is_shorter_or_longer_than_its_header_says(void **state)
{
    (void)state;
    rg_npy_free(read_ok(with_header(START "(1,)}", "\0\0\0\0", 4)));
    assert_refused(with_header(START "(1,)}", "\0\0\0\0\0", 5), "more data than 4 bytes, expected so many for f4 [1]");
    assert_refused(with_header(START "(1,)}", "\0\0\0", 3), "found 3 bytes of data, expected 4 for f4 [1]");
    assert_refused(with_header(START "(0,)}", "\0", 1), "more data than 0 bytes");
    /* A terabyte is not allocated on a header's word. */
    assert_refused(with_header(START "(262144, 1048576)}", "\0\0\0\0", 4),
                   "found 4 bytes of data, expected 1099511627776 for f4 [262144, 1048576]");
    assert_refused(with_header(START "(281474976710656,)}", "\0\0\0\0", 4), "expected 1125899906842624");
}

static void refuses_to_write_what_is_no_array(void **state)
{
    (void)state;
    char error[ERROR_SIZE];
    const float x = 1;
    const char *path = in_directory("new");
    static const rg_shape shapes[] = {{-1, {0}}, {9, {1}}, {1, {-1}}, {2, {INT64_MAX, 2}}};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        assert_false(rg_npy_write(path, RG_F32, shapes[i], &x, error, sizeof error));
        assert_error(error, path, "no valid shape");
    }
    assert_false(rg_npy_write(path, (rg_dtype)77, RG_SCALAR, &x, error, sizeof error));
    assert_error(error, path, "no dtype");
    assert_false(rg_npy_write(path, RG_F32, RG_SHAPE(1), NULL, error, sizeof error));
    assert_error(error, path, "no data");
    assert_int_not_equal(access(path, F_OK), 0); /* nothing was begun */
    assert_false(rg_npy_write(NULL, RG_F32, RG_SCALAR, &x, error, sizeof error));
    assert_error(error, ".npy", "no name");
    assert_false(rg_npy_write(in_directory("no/folder"), RG_F32, RG_SCALAR, &x, error, sizeof error));
    assert_error(error, "no/folder", "No such file");
    assert_false(rg_npy_write("/dev/full", RG_F32, RG_SCALAR, &x, error, sizeof error));
    assert_error(error, "/dev/full", "No space");
    char small[16];
    memset(small, 'x', sizeof small);
    assert_null(rg_npy_read(in_directory("missing"), small, 8));
    assert_int_equal(strlen(small), 7);
    assert_int_equal(small[8], 'x');
    assert_null(rg_npy_read(in_directory("missing"), NULL, 100));
}

/* ---- any bytes at all ---- */

/* Reads it; where it is read, every byte of the result is, and the sizes agree. Returns whether it was. */
static bool survives(const char *path)
{
    char error[ERROR_SIZE] = "";
    rg_npy *npy = rg_npy_read(path, error, sizeof error);
    if (!npy) {
        assert_error(error, path, "");
        return false;
    }
    assert_string_equal(error, "");
    const int64_t numel = rg_shape_numel(npy->shape);
    assert_true(numel >= 0);
    unsigned sum = 0;
    for (size_t i = 0; i < (size_t)numel * rg_dtype_size(npy->dtype); i++)
        sum += ((const unsigned char *)npy->data)[i];
    assert_true(sum <= 255u * (size_t)numel * rg_dtype_size(npy->dtype));
    rg_npy_free(npy);
    return true;
}

static void every_truncation_and_extension_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(npy_files); i++) {
        const struct npy_file *file = &npy_files[i];
        for (size_t size = 0; size < file->size; size++)
            assert_false(survives(write_plain("truncated", file->bytes, size)));
        unsigned char longer[1024] = {0};
        memcpy(longer, file->bytes, file->size);
        assert_false(survives(write_plain("longer", longer, file->size + 1)));
    }
}

/* Every byte of a header with other values. What is left means as many bytes: >f4, <i4 and <u4; a space for the comma that
 * is not needed; other white space for spaces. NumPy reads these, too. */
static void every_changed_byte_is_refused_or_means_the_same_size(void **state)
{
    (void)state;
    static const char space[] = " \t\n\r\f";
    const struct npy_file *file = &npy_files[0];
    const size_t end = 2 + (size_t)(strchr(file->bytes + 10, '}') - file->bytes);
    unsigned char bytes[256];
    memcpy(bytes, file->bytes, file->size);
    int read = 0;
    for (size_t at = 0; at < end; at++) {
        const unsigned char before = bytes[at];
        for (int value = 0; value < 256; value += value < 128 ? 1 : 31) {
            bytes[at] = (unsigned char)value;
            if (value == before || (memchr(space, before, 5) && memchr(space, value, 5)))
                continue;
            if (survives(write_plain("changed", bytes, file->size)))
                read++;
        }
        bytes[at] = before;
    }
    assert_int_equal(read, 3 + 5);
}

/* Changes a few bytes, and sometimes the length. */
static size_t mutate(rg_rng *rng, unsigned char *bytes, size_t size, size_t room)
{
    static const char words[] = "(),:'{}<>|TF0123456789Lfiub ";
    int64_t draw[4];
    rg_rng_integers(rng, draw, 2, 0, 3);
    for (int64_t i = 0; i <= draw[0]; i++) {
        int64_t at, value, kind;
        rg_rng_integers(rng, &at, 1, 0, i % 2 ? 70 : (int64_t)size);
        rg_rng_integers(rng, &value, 1, 0, 256);
        rg_rng_integers(rng, &kind, 1, 0, 3);
        if (kind == 0)
            bytes[at] = (unsigned char)value;
        else if (kind == 1)
            bytes[at] ^= (unsigned char)(1 << (value & 7));
        else
            bytes[at] = (unsigned char)words[(size_t)value % (sizeof words - 1)];
    }
    if (draw[1] == 0) {
        rg_rng_integers(rng, draw + 2, 1, 0, (int64_t)room);
        for (size_t i = size; i < (size_t)draw[2]; i++)
            bytes[i] = (unsigned char)i;
        size = (size_t)draw[2];
    }
    return size;
}

static void mutated_files_never_crash(void **state)
{
    (void)state;
    rg_rng rng = rg_rng_new(2026, 0);
    int read = 0;
    for (int i = 0; i < 3000; i++) {
        const struct npy_file *file = &npy_files[(size_t)i % COUNT(npy_files)];
        unsigned char bytes[512];
        memcpy(bytes, file->bytes, file->size);
        read += survives(write_plain("mutated", bytes, mutate(&rng, bytes, file->size, sizeof bytes)));
    }
    assert_true(read > 100 && read < 2900); /* both outcomes were met */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_numpy_writes),
        cmocka_unit_test(writes_what_numpy_writes),
        cmocka_unit_test(reads_and_writes_what_is_larger_than_a_buffer),
        cmocka_unit_test(reads_headers_that_others_write),
        cmocka_unit_test(refuses_files_that_are_not_there_or_no_files),
        cmocka_unit_test(refuses_what_is_not_a_npy_file),
        cmocka_unit_test(refuses_wrong_headers_and_says_where),
        cmocka_unit_test(refuses_a_file_that_is_shorter_or_longer_than_its_header_says),
        cmocka_unit_test(refuses_to_write_what_is_no_array),
        cmocka_unit_test(every_truncation_and_extension_is_an_error),
        cmocka_unit_test(every_changed_byte_is_refused_or_means_the_same_size),
        cmocka_unit_test(mutated_files_never_crash),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
