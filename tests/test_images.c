/* Images: what PNG and JPEG files become and how they are written, resizing, folders as a source, and files that are cut,
 * damaged or something else. */
#include "data_support.h"

#include <math.h>
#include <png.h>
#include <retrograd/random.h>

#include <jpeglib.h>

/* ---- files ---- */

typedef struct bytes {
    unsigned char *of;
    size_t length;
} bytes;

static bytes read_back(const char *path)
{
    bytes b = {NULL, 0};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    b.length = (size_t)ftell(file);
    rewind(file);
    b.of = malloc(b.length + 8);
    assert_non_null(b.of);
    assert_int_equal(fread(b.of, 1, b.length, file), b.length);
    fclose(file);
    return b;
}

enum { H = 13, W = 17 };
static unsigned char interleaved[H * W * 3];

static void make_pixels(void)
{
    for (int i = 0; i < H * W * 3; i++)
        interleaved[i] = (unsigned char)(i * 7 + i / 50 * 11);
}

/* PNG through libpng's simplified interface, which knows nothing of ours. */
static const char *write_png(const char *name, png_uint_32 format)
{
    const char *path = in_directory(name);
    png_image image = {.version = PNG_IMAGE_VERSION, .width = W, .height = H, .format = format};
    static const png_color colours[2] = {{10, 20, 30}, {200, 100, 50}};
    unsigned char small[H * W];
    for (int i = 0; i < H * W; i++)
        small[i] = interleaved[i] & 1;
    image.colormap_entries = 2;
    const bool palette = format & PNG_FORMAT_FLAG_COLORMAP;
    assert_true(png_image_write_to_file(&image, path, 0, palette ? small : interleaved, 0, colours));
    return path;
}

/* A JPEG of these pixels; the bytes are the caller's. */
static bytes make_jpeg(int channels, bool progressive, J_COLOR_SPACE space)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned long length = 0;
    bytes b = {NULL, 0};
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &b.of, &length);
    jpeg.image_width = 12;
    jpeg.image_height = H;
    jpeg.input_components = channels;
    jpeg.in_color_space = space;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 90, TRUE);
    if (progressive)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (int i = 0; i < H; i++) {
        JSAMPROW row = interleaved + (size_t)i * 12 * (size_t)channels % 400;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    b.length = length;
    return b;
}

static rg_image *read_ok(const char *path, int channels)
{
    char error[ERROR_SIZE] = "untouched";
    rg_image *image = rg_image_read(path, channels, error, sizeof error);
    if (!image)
        fail_msg("%s", error);
    assert_string_equal(error, "untouched");
    return image;
}

/* ---- reading ---- */

static void png_of_every_kind_is_read(void **state)
{
    (void)state;
    rg_image *image = read_ok(write_png("rgb.png", PNG_FORMAT_RGB), 0);
    assert_true(image->channels == 3 && image->height == H && image->width == W);
    for (int i = 0; i < H * W; i++)
        for (int c = 0; c < 3; c++)
            assert_true(image->pixels[c * H * W + i] == (float)interleaved[3 * i + c] / 255);
    rg_image_free(image);

    image = read_ok(write_png("grey.png", PNG_FORMAT_GRAY), 0);
    assert_int_equal(image->channels, 1);
    for (int i = 0; i < H * W; i++)
        assert_true(image->pixels[i] == (float)interleaved[i] / 255);
    rg_image_free(image);

    /* One bit a pixel, by a palette. */
    image = read_ok(write_png("palette.png", PNG_FORMAT_RGB_COLORMAP), 0);
    assert_int_equal(image->channels, 3);
    for (int i = 0; i < H * W; i++)
        assert_true(image->pixels[i] == (interleaved[i] & 1 ? 200.F : 10.F) / 255);
    rg_image_free(image);
    rg_image_free(NULL);
}

static void channels_are_made_as_wanted(void **state)
{
    (void)state;
    rg_image *image = read_ok(write_png("rgb.png", PNG_FORMAT_RGB), 1);
    assert_int_equal(image->channels, 1);
    for (int i = 0; i < H * W; i++) {
        const unsigned char *p = interleaved + 3 * i;
        assert_true(fabs(image->pixels[i] * 255 - (.299 * p[0] + .587 * p[1] + .114 * p[2])) < 1e-3);
    }
    rg_image_free(image);
    image = read_ok(write_png("grey.png", PNG_FORMAT_GRAY), 3);
    assert_int_equal(image->channels, 3);
    assert_memory_equal(image->pixels, image->pixels + 2 * H * W, H * W * sizeof(float));
    rg_image_free(image);
    char error[ERROR_SIZE];
    assert_null(rg_image_read(in_directory("grey.png"), 2, error, sizeof error));
    assert_error(error, "grey.png", "2 channels");
}

static void sixteen_bits_keep_their_precision_and_transparency_goes(void **state)
{
    (void)state;
    /* 2 x 1, 16 bits, grey with alpha: 0x1234, 0xFFFF; alpha 0 and 0x8000. Interlaced. */
    const char *path = in_directory("deep.png");
    FILE *file = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_IHDR(png, info, 2, 1, 16, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_INTERLACE_ADAM7, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    unsigned char row[8] = {0x12, 0x34, 0, 0, 0xFF, 0xFF, 0x80, 0};
    png_bytep rows[1] = {row};
    png_write_image(png, rows);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(file);
    rg_image *image = read_ok(path, 0);
    assert_true(image->channels == 1 && image->width == 2 && image->height == 1);
    assert_true(image->pixels[0] == (float)0x1234 / 65535 && image->pixels[1] == 1);
    rg_image_free(image);
}

static void jpeg_is_what_libjpeg_makes_of_it(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        const int channels = kind & 1 ? 3 : 1;
        bytes b = make_jpeg(channels, kind & 2, channels == 3 ? JCS_RGB : JCS_GRAYSCALE);
        rg_image *image = read_ok(write_plain("a.jpg", b.of, b.length), 0);
        assert_true(image->channels == channels && image->height == H && image->width == 12);
        struct jpeg_decompress_struct jpeg;
        struct jpeg_error_mgr errors;
        jpeg.err = jpeg_std_error(&errors);
        jpeg_create_decompress(&jpeg);
        jpeg_mem_src(&jpeg, b.of, b.length);
        jpeg_read_header(&jpeg, TRUE);
        jpeg_start_decompress(&jpeg);
        for (int i = 0; i < H; i++) {
            unsigned char line[36];
            JSAMPROW row = line;
            jpeg_read_scanlines(&jpeg, &row, 1);
            for (int k = 0; k < 12 * channels; k++)
                assert_true(image->pixels[(k % channels * H + i) * 12 + k / channels] == (float)line[k] / 255);
        }
        jpeg_finish_decompress(&jpeg);
        jpeg_destroy_decompress(&jpeg);
        rg_image_free(image);
        free(b.of);
    }
}

static void assert_refused(const char *name, const void *file, size_t length, const char *says)
{
    char error[ERROR_SIZE] = "";
    rg_image *image = rg_image_read(write_plain(name, file, length), 0, error, sizeof error);
    if (image)
        fail_msg("%s was read, expected an error with \"%s\"", name, says);
    assert_error(error, name, says);
}

static void files_that_are_no_images_are_refused(void **state)
{
    (void)state;
    char error[ERROR_SIZE];
    assert_refused("empty", "", 0, "neither PNG nor JPEG in 0 bytes");
    assert_refused("text", "hello", 5, "neither PNG nor JPEG in 5 bytes");
    assert_refused("short.png", "\x89PNG", 4, "too early");
    assert_refused("short.jpg", "\xFF\xD8", 2, "intact JPEG");
    bytes cmyk = make_jpeg(4, false, JCS_CMYK);
    assert_refused("cmyk.jpg", cmyk.of, cmyk.length, "4 components");
    free(cmyk.of);
    assert_null(rg_image_read(in_directory("missing.png"), 0, error, sizeof error));
    assert_error(error, "missing.png", "No such file");
    assert_null(rg_image_read(directory, 0, error, sizeof error));
    assert_error(error, directory, "directory");
    assert_null(rg_image_read(NULL, 0, error, sizeof error));
    assert_error(error, "data", "no name");
    assert_null(rg_image_decode(NULL, NULL, 9, 0, error, sizeof error));
    assert_error(error, "image", "neither");
    /* 65535 x 65535 announced in the header. */
    static const unsigned char huge[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff\x08\0\0\0\0";
    unsigned char with_crc[sizeof huge - 1 + 4];
    memcpy(with_crc, huge, sizeof huge - 1);
    const unsigned long crc = crc32(0, huge + 12, sizeof huge - 1 - 12);
    for (int i = 0; i < 4; i++)
        with_crc[sizeof huge - 1 + (size_t)i] = (unsigned char)(crc >> (24 - 8 * i));
    /* The header alone is not enough for libpng: it looks for the first data. */
    unsigned char whole[sizeof with_crc + 12] = {0};
    memcpy(whole, with_crc, sizeof with_crc);
    memcpy(whole + sizeof with_crc + 4, "IDAT\x35\xaf\x06\x1e", 8);
    assert_refused("huge.png", whole, sizeof whole, "65535 x 65535 pixels");
}

static void every_cut_is_an_error(void **state)
{
    (void)state;
    const bytes files[] = {read_back(write_png("rgb.png", PNG_FORMAT_RGB)), make_jpeg(3, false, JCS_RGB),
                           make_jpeg(3, true, JCS_RGB), make_jpeg(1, false, JCS_GRAYSCALE)};
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        /* A JPEG may lack its last two bytes, the mark of the end. */
        const size_t least = files[k].length - (k > 0 ? 2 : 0);
        for (size_t length = 0; length < least; length++) {
            char error[ERROR_SIZE] = "";
            unsigned char *cut = malloc(length + 1); /* so that a sanitizer sees what reads behind it */
            memcpy(cut, files[k].of, length);
            rg_image *image = rg_image_decode("cut", cut, length, 0, error, sizeof error);
            if (image)
                fail_msg("file %zu cut to %zu of %zu bytes was read", k, length, files[k].length);
            assert_error(error, "cut", "expected");
            free(cut);
        }
        free(files[k].of);
    }
}

/* Makes the checksums of a PNG's chunks right again, so that what was changed inside is read. */
static void mend_png(unsigned char *file, size_t length)
{
    for (size_t at = 8; at + 12 <= length;) {
        const size_t size =
            (size_t)file[at] << 24 | (size_t)file[at + 1] << 16 | (size_t)file[at + 2] << 8 | file[at + 3];
        if (size > length - at - 12)
            return;
        const unsigned long crc = crc32(0, file + at + 4, (unsigned)size + 4);
        for (size_t i = 0; i < 4; i++)
            file[at + 8 + size + i] = (unsigned char)(crc >> (24 - 8 * i));
        at += 12 + size;
    }
}

static void damaged_files_never_crash(void **state)
{
    (void)state;
    const bytes files[] = {read_back(write_png("rgb.png", PNG_FORMAT_RGB)),
                           read_back(write_png("palette.png", PNG_FORMAT_RGB_COLORMAP)), make_jpeg(3, false, JCS_RGB),
                           make_jpeg(3, true, JCS_RGB)};
    rg_rng rng = rg_rng_new(1, 2);
    int64_t read = 0, refused = 0;
    for (size_t k = 0; k < sizeof files / sizeof *files; k++)
        for (int round = 0; round < 3000; round++) {
            int64_t draw[9];
            rg_rng_integers(&rng, draw, 9, 0, 1 << 20);
            unsigned char *file = malloc(files[k].length);
            memcpy(file, files[k].of, files[k].length);
            for (int64_t i = 0; i <= draw[0] % 4; i++)
                file[(size_t)draw[1 + 2 * i] % files[k].length] = (unsigned char)draw[2 + 2 * i];
            /* Sizes are left as they were: an image of 60000 x 1000 is none of the small files this is about. */
            if (k < 2) {
                memcpy(file + 16, files[k].of + 16, 8);
                if (round % 2)
                    mend_png(file, files[k].length);
            }
            char error[ERROR_SIZE] = "";
            rg_image *image = rg_image_decode("damaged", file, files[k].length, 0, error, sizeof error);
            read += image != NULL;
            refused += image == NULL;
            if (!image)
                assert_error(error, "damaged", "expected");
            rg_image_free(image);
            free(file);
        }
    assert_true(read > 0 && refused > 1000);
    for (size_t k = 0; k < sizeof files / sizeof *files; k++)
        free(files[k].of);
}

/* ---- resizing ---- */

static void resizing_is_pytorchs(void **state)
{
    (void)state;
    /* torch.nn.functional.interpolate(x, size, mode="bilinear", antialias=True), PyTorch 2.13 */
    static float pixels[12] = {0, .5F, .25F, 1, .75F, .125F, .875F, .375F, .625F, 1, 0, .0625F};
    const rg_image image = {1, 3, 4, pixels};
    static const struct {
        int64_t height, width;
        float expected[35];
    } cases[] = {
        {3, 4, {0, 0.5F, 0.25F, 1, 0.75F, 0.125F, 0.875F, 0.375F, 0.625F, 1, 0, 0.0625F}},
        {1, 1, {0.47172619F}},
        {2, 2, {0.34375F, 0.587053571F, 0.622767857F, 0.313616071F}},
        {2, 3, {0.3046875F, 0.421875F, 0.68125F, 0.671875F, 0.5F, 0.22421875F}},
        {5, 7, {0,      0.178571429F, 0.464285714F, 0.375F, 0.303571429F,   0.732142857F,  1,
                0.3F,   0.317857143F, 0.346428571F, 0.425F, 0.517857143F,   0.660714286F,  0.75F,
                0.75F,  0.526785714F, 0.169642857F, 0.5F,   0.839285714F,   0.553571429F,  0.375F,
                0.675F, 0.666071429F, 0.651785714F, 0.5F,   0.338392857F,   0.245535714F,  0.1875F,
                0.625F, 0.758928571F, 0.973214286F, 0.5F,   0.00446428571F, 0.0401785714F, 0.0625F}},
        {1, 6, {0.5F, 0.491071429F, 0.476190476F, 0.452380952F, 0.455357143F, 0.464285714F}},
        {3, 2, {0.25F, 0.607142857F, 0.5F, 0.553571429F, 0.696428571F, 0.169642857F}},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        rg_image *resized = rg_image_resize(&image, cases[k].height, cases[k].width, NULL, 0);
        assert_non_null(resized);
        assert_true(resized->height == cases[k].height && resized->width == cases[k].width && resized->channels == 1);
        for (int64_t i = 0; i < resized->height * resized->width; i++)
            if (fabsf(resized->pixels[i] - cases[k].expected[i]) > 1e-6F)
                fail_msg("size %zu, place %d: %.9g, expected %.9g", k, (int)i, (double)resized->pixels[i],
                         (double)cases[k].expected[i]);
        rg_image_free(resized);
    }
}

static void sizes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    float pixels[3] = {0};
    char error[ERROR_SIZE];
    const rg_image image = {3, 1, 1, pixels}, empty = {1, 1, 1, NULL};
    static const int64_t sizes[][2] = {{0, 1}, {1, -1}, {INT64_MAX, 1}, {1 << 20, 1 << 20}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        assert_null(rg_image_resize(&image, sizes[k][0], sizes[k][1], error, sizeof error));
        assert_error(error, "rg_image_resize", "pixels");
        assert_false(rg_image_write(in_directory("no.png"), pixels, 3, sizes[k][0], sizes[k][1], error, sizeof error));
        assert_error(error, "rg_image_write", "pixels");
        assert_false(rg_image_write_grid(in_directory("no.png"), pixels, 1, 3, sizes[k][0], sizes[k][1], 0, error,
                                         sizeof error));
        assert_error(error, "rg_image_write_grid", "pixels");
    }
    assert_null(rg_image_resize(&empty, 1, 1, error, sizeof error));
    assert_error(error, "rg_image_resize", "no pixels");
    assert_null(rg_image_resize(NULL, 1, 1, error, sizeof error));
    assert_error(error, "rg_image_resize", "no image");
    assert_false(rg_image_write(in_directory("no.png"), pixels, 2, 1, 1, error, sizeof error));
    assert_error(error, "rg_image_write", "2 x 1 x 1");
    assert_false(rg_image_write(NULL, pixels, 3, 1, 1, error, sizeof error));
    assert_error(error, "rg_image_write", "no name");
    assert_false(rg_image_write(in_directory("no/such/folder.png"), pixels, 3, 1, 1, error, sizeof error));
    assert_error(error, "folder.png", "No such file");
    assert_false(rg_image_write_grid(in_directory("no.png"), pixels, 0, 3, 1, 1, 0, error, sizeof error));
    assert_error(error, "rg_image_write_grid", "0 images");
    assert_false(rg_image_write_grid(in_directory("no.png"), pixels, 1, 3, 1, 1, -1, error, sizeof error));
    assert_error(error, "rg_image_write_grid", "-1 columns");
    assert_false(
        rg_image_write_grid(in_directory("no.png"), pixels, 1 << 26, 3, 1 << 13, 1 << 13, 1, error, sizeof error));
    assert_error(error, "rg_image_write_grid", "pixels");
}

/* ---- writing ---- */

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const float pixels[2][6] = {{0, 1, .5F, -3, 7, .2F}, {NAN, INFINITY, -INFINITY, 1 / 255.F, 254.6F / 255, .1F}};
    static const unsigned char expected[2][6] = {{0, 255, 128, 0, 255, 51}, {0, 255, 0, 1, 255, 26}};
    for (int k = 0; k < 2; k++) {
        assert_true(rg_image_write(in_directory("out.png"), pixels[k], 3, 1, 2, NULL, 0));
        rg_image *image = read_ok(in_directory("out.png"), 0);
        assert_true(image->channels == 3 && image->height == 1 && image->width == 2);
        for (int i = 0; i < 6; i++)
            assert_true(image->pixels[i] == (float)expected[k][i] / 255);
        rg_image_free(image);
        assert_true(rg_image_write_u8(in_directory("out.png"), expected[k], 1, 3, 2, NULL, 0));
        image = read_ok(in_directory("out.png"), 0);
        assert_true(image->channels == 1 && image->height == 3 && image->width == 2);
        for (int i = 0; i < 6; i++)
            assert_true(image->pixels[i] == (float)expected[k][i] / 255);
        rg_image_free(image);
    }
}

/* libpng itself allows a million. */
static void wide_images_are_written_and_read(void **state)
{
    (void)state;
    enum { WIDTH = 1000001 };
    unsigned char *pixels = calloc(WIDTH, 1);
    assert_non_null(pixels);
    pixels[WIDTH - 1] = 255;
    assert_true(rg_image_write_u8(in_directory("wide.png"), pixels, 1, 1, WIDTH, NULL, 0));
    rg_image *image = read_ok(in_directory("wide.png"), 0);
    assert_true(image->width == WIDTH && image->pixels[0] == 0 && image->pixels[WIDTH - 1] == 1);
    rg_image_free(image);
    free(pixels);
}

static void a_grid_holds_images_row_by_row(void **state)
{
    (void)state;
    float pixels[5 * 2 * 3];
    for (int i = 0; i < 30; i++)
        pixels[i] = (float)(i + 1) / 255;
    assert_true(rg_image_write_grid(in_directory("grid.png"), pixels, 5, 1, 2, 3, 2, NULL, 0));
    rg_image *grid = read_ok(in_directory("grid.png"), 0);
    assert_true(grid->height == 3 * (2 + 2) + 2 && grid->width == 2 * (3 + 2) + 2);
    float sum = 0;
    for (int i = 0; i < 30; i++) {
        const int image = i / 6, row = 2 + image / 2 * 4 + i % 6 / 3, column = 2 + image % 2 * 5 + i % 3;
        assert_true(grid->pixels[row * grid->width + column] == pixels[i]);
    }
    for (int64_t i = 0; i < grid->height * grid->width; i++)
        sum += grid->pixels[i];
    assert_true(fabsf(sum - 465 / 255.F) < 1e-4F); /* black elsewhere */
    rg_image_free(grid);
    assert_true(rg_image_write_grid(in_directory("grid.png"), pixels, 10, 3, 1, 1, 0, NULL, 0));
    grid = read_ok(in_directory("grid.png"), 0);
    assert_true(grid->channels == 3 && grid->width == 8 * 3 + 2 && grid->height == 2 * 3 + 2);
    rg_image_free(grid);
}

/* ---- folders ---- */

static void folder(const char *name)
{
    assert_int_equal(mkdir(in_directory(name), 0700), 0);
}

static void grey_image(const char *name, int value, int64_t height, int64_t width)
{
    unsigned char pixels[64];
    memset(pixels, value, sizeof pixels);
    assert_true(rg_image_write_u8(in_directory(name), pixels, 1, height, width, NULL, 0));
}

static void folders_are_classes(void **state)
{
    (void)state;
    folder("set");
    folder("set/b");
    folder("set/a");
    folder("set/.hidden");
    folder("set/a/inner.png");
    grey_image("set/b/2.png", 20, 2, 3);
    grey_image("set/b/10.PNG", 10, 4, 6);
    grey_image("set/a/z.png", 30, 2, 3);
    grey_image("set/a/.dot.png", 40, 2, 3);
    write_plain("set/a/notes.txt", "x", 1);
    write_plain("set/readme.png", "x", 1);
    bytes jpeg = make_jpeg(3, false, JCS_RGB);
    write_plain("set/b/3.jpeg", jpeg.of, jpeg.length);
    free(jpeg.of);

    char error[ERROR_SIZE] = "untouched";
    rg_source *source = rg_image_folder(in_directory("set"), NULL, error, sizeof error);
    assert_string_equal(error, "untouched");
    assert_true(source && source->count == 4 && source->classes == 2 && source->concurrent);
    assert_string_equal(source->class_names[0], "a");
    assert_string_equal(source->class_names[1], "b");
    assert_true(rg_shape_equal(source->x_shape, RG_SHAPE(1, 2, 3))); /* the first image's: a/z.png */
    rg_dataset *data = rg_source_load(source, error, sizeof error);
    assert_non_null(data);
    static const int64_t labels[4] = {0, 1, 1, 1};
    static const int values[3] = {30, 10, 20}; /* z, 10, 2, then 3.jpeg */
    assert_memory_equal(data->y, labels, sizeof labels);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 6; i++)
            assert_true(fabsf(data->x[6 * k + i] - (float)values[k] / 255) < 1e-6F);
    assert_true(rg_shape_equal(data->shape, RG_SHAPE(1, 2, 3)) && data->classes == 2);
    rg_dataset_free(data);
    rg_source_free(source);

    const rg_image_folder_config config = {.channels = 3, .height = 5, .width = 4};
    source = rg_image_folder(in_directory("set"), &config, error, sizeof error);
    assert_true(source && rg_shape_equal(source->x_shape, RG_SHAPE(3, 5, 4)));
    write_plain("set/b/2.png", "no image", 8); /* it was found, but is one no more */
    rg_loader *loader = rg_loader_new_source(source, &(rg_loader_config){.batch = 1}, NULL, 0);
    rg_batch batch;
    assert_true(rg_loader_next(loader, &batch) && rg_loader_next(loader, &batch));
    assert_true(rg_shape_equal(batch.inputs.shape, RG_SHAPE(1, 3, 5, 4)) && batch.y[0] == 1);
    assert_false(rg_loader_next(loader, &batch));
    assert_error(rg_loader_error(loader), "set/b/2.png", "neither PNG nor JPEG");
    rg_loader_free(loader);
    rg_source_free(source);

    assert_null(rg_image_folder(in_directory("set/a"), NULL, error, sizeof error));
    assert_error(error, "inner.png", "found no images");
    assert_null(rg_image_folder(in_directory("set/b"), NULL, error, sizeof error));
    assert_error(error, "set/b", "found no folders");
    assert_null(rg_image_folder(in_directory("set/none"), NULL, error, sizeof error));
    assert_error(error, "set/none", "No such file");
    assert_null(rg_image_folder(NULL, NULL, error, sizeof error));
    assert_error(error, "rg_image_folder", "expected a name");
    assert_null(rg_image_folder(in_directory("set"), &(rg_image_folder_config){.channels = 4}, error, sizeof error));
    assert_error(error, "rg_image_folder", "4 channels");
    static const char *const made[] = {"set/b/2.png", "set/b/10.PNG",   "set/b/3.jpeg",    "set/b",
                                       "set/a/z.png", "set/a/.dot.png", "set/a/notes.txt", "set/a/inner.png",
                                       "set/a",       "set/readme.png", "set/.hidden",     "set"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        assert_int_equal(remove(in_directory(made[i])), 0);
}

static int set_up(void **state)
{
    make_pixels();
    return make_directory(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_of_every_kind_is_read),
        cmocka_unit_test(channels_are_made_as_wanted),
        cmocka_unit_test(sixteen_bits_keep_their_precision_and_transparency_goes),
        cmocka_unit_test(jpeg_is_what_libjpeg_makes_of_it),
        cmocka_unit_test(files_that_are_no_images_are_refused),
        cmocka_unit_test(every_cut_is_an_error),
        cmocka_unit_test(damaged_files_never_crash),
        cmocka_unit_test(resizing_is_pytorchs),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(wide_images_are_written_and_read),
        cmocka_unit_test(a_grid_holds_images_row_by_row),
        cmocka_unit_test(folders_are_classes),
    };
    return cmocka_run_group_tests(tests, set_up, remove_directory);
}
