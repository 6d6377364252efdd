/* Short-time Fourier transforms: frames are gathered, and added back, at positions that are computed when they are recorded. */
#include "ops/call.h"
#include "ops/family.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES "n: int, hop: int = none, aligned: flag = false, ortho: flag = false, two_sided: flag = false"
#define ROWS(ROW)                                                                                   \
    ROW(stft, 1, RG__THROUGH, RG__COMPOSITE, "fft of x times a window, frame by frame",             \
        RG__CALLED(stft, "x: float, window?: float, " FRAMES))                                      \
    ROW(istft, 1, RG__THROUGH, RG__COMPOSITE, "frames added up, over the squares of their windows", \
        RG__CALLED(istft, "x: float, window?: float, length: int = none, " FRAMES))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_stft[OP_##name])

static bool settle(rg_tape *t, const rg__op *op, const rg__node *x, const rg_stft_config *config, rg_stft_config *c)
{
    *c = config ? *config : (rg_stft_config){0};
    if (c->hop == 0)
        c->hop = c->n < 4 ? 1 : c->n / 4;
    if (c->n < 1 || c->n > INT64_C(1) << 40 || c->hop < 1 || c->hop > INT64_C(1) << 40) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "n is %lld and hop %lld: 1 to 2^40 are allowed", (long long)c->n,
                 (long long)c->hop);
        return false;
    }
    const rg__node *w = rg_is_nil(c->window) ? NULL : rg__arg_of(t, op, c->window, RG__FLOATS);
    if (w && (w->dtype != x->dtype || w->rank != 1 || w->numel < 1 || w->numel > c->n)) {
        rg__fail(t, op, w->dtype != x->dtype ? RG_ERROR_DTYPE : RG_ERROR_SHAPE,
                 "the window is %s of %s; a vector of %s with 1 to %lld elements is needed",
                 rg_dtype_name((rg_dtype)w->dtype), RG__NODE_TEXT(w), rg_dtype_name((rg_dtype)x->dtype), (long long)c->n);
        return false;
    }
    return !rg_failed(t);
}

/* [n], of x's dtype. */
static rg_tensor window_of(rg_tape *t, const rg_stft_config *c, rg_tensor x)
{
    if (rg_is_nil(c->window))
        return rg_expand(t, rg__like(t, x, 1), RG_SHAPE(c->n));
    const int64_t missing = c->n - rg_numel(t, c->window), before = missing / 2, after = missing - before;
    return missing > 0 ? rg_pad(t, c->window, &before, &after, 0) : c->window;
}

/* The positions of all samples of all frames, [frames n]; samples before 0 and from `length` on are reflected there. */
static rg_tensor positions(rg_tape *t, const rg__op *op, const rg_stft_config *c, int64_t frames, int64_t first,
                           int64_t length)
{
    int64_t count, *at = NULL;
    if (!__builtin_mul_overflow(frames, c->n, &count) && count < INT64_MAX / 64)
        at = malloc((size_t)count * sizeof *at + 1);
    if (!at) {
        rg__fail(t, op, RG_ERROR_MEMORY, "no memory for %lld frames of %lld samples", (long long)frames, (long long)c->n);
        return RG_NIL;
    }
    for (int64_t i = 0; i < frames; i++)
        for (int64_t k = 0; k < c->n; k++) {
            const int64_t p = first + i * c->hop + k;
            at[i * c->n + k] = p < 0 ? -p : p >= length ? 2 * (length - 1) - p : p;
        }
    const rg_tensor index = rg_input_i64(t, RG_SHAPE(count), at);
    free(at);
    return index;
}

rg_tensor rg_stft(rg_tape *t, rg_tensor x, const rg_stft_config *config)
{
    const rg__op *op = OP(stft);
    const rg__node *n = rg__arg_of(t, op, x, RG__FLOATS);
    rg_stft_config c;
    if (!n || !settle(t, op, n, config, &c))
        return RG_NIL;
    const int64_t samples = n->rank ? n->dims[n->rank - 1] : 0, around = c.aligned ? 0 : c.n / 2;
    if (n->rank < 1 || n->rank > RG_MAX_RANK - 2 || samples <= around || samples + 2 * around < c.n) {
        rg__fail(t, op, RG_ERROR_SHAPE, "x %s: rank 1 to %d and %lld samples or more are needed for frames of %lld",
                 RG__NODE_TEXT(n), RG_MAX_RANK - 2, (long long)(c.aligned ? c.n : around + 1), (long long)c.n);
        return RG_NIL;
    }
    const int64_t frames = (samples + 2 * around - c.n) / c.hop + 1;
    const rg_tensor index = positions(t, op, &c, frames, -around, samples);
    rg_shape shape = rg_shape_of(t, x);
    rg_tensor framed = rg_index_select(t, x, -1, index);
    shape.dims[shape.rank - 1] = frames;
    shape.dims[shape.rank++] = c.n;
    framed = rg_mul(t, rg_reshape(t, framed, shape), window_of(t, &c, x));
    const rg_fft_norm norm = c.ortho ? RG_FFT_ORTHO : RG_FFT_BACKWARD;
    if (rg_failed(t))
        return RG_NIL;
    rg_tensor y = c.two_sided ? rg_fft(t, rg_complex(t, framed, RG_NIL), 0, -1, norm) : rg_rfft(t, framed, 0, -1, norm);
    return rg_transpose(t, y, -2, -3);
}

/* Frames [rows, frames n] added up: [rows, length]. */
static rg_tensor overlapped(rg_tape *t, rg_tensor frames, rg_tensor index, int64_t length)
{
    const rg_shape s = rg_shape_of(t, frames);
    if (rg_failed(t))
        return RG_NIL;
    const rg_tensor zeros = rg_zeros(t, rg_dtype_of(t, frames), RG_SHAPE(s.dims[0], length));
    return rg_scatter_add(t, zeros, 1, rg_expand(t, index, s), frames);
}

rg_tensor rg_istft(rg_tape *t, rg_tensor x, int64_t length, const rg_stft_config *config)
{
    const rg__op *op = OP(istft);
    const rg__node *n = rg__complex_arg(t, op, x);
    rg_stft_config c;
    if (!n || !settle(t, op, n, config, &c))
        return RG_NIL;
    const int64_t frequencies = c.two_sided ? c.n : c.n / 2 + 1, frames = n->rank > 2 ? n->dims[n->rank - 2] : 0;
    if (n->rank < 3 || n->dims[n->rank - 3] != frequencies || frames < 1 || length < 0 || length > INT64_C(1) << 40) {
        rg__fail(t, op, RG_ERROR_SHAPE,
                 "x %s and length %lld: [..., %lld, frames, 2] and a length of 0 to 2^40 are "
                 "needed for frames of %lld",
                 RG__NODE_TEXT(n), (long long)length, (long long)frequencies, (long long)c.n);
        return RG_NIL;
    }
    const int64_t around = c.aligned ? 0 : c.n / 2, whole = c.n + c.hop * (frames - 1);
    const rg_fft_norm norm = c.ortho ? RG_FFT_ORTHO : RG_FFT_BACKWARD;
    rg_tensor y = rg_transpose(t, x, -2, -3);
    y = rg_irfft(t, y, c.n, -1, norm); /* of what is two-sided, the half that there always is */
    const rg_tensor window = window_of(t, &c, x), index = positions(t, op, &c, frames, 0, whole);
    rg_shape shape = rg_shape_of(t, y);
    if (rg_failed(t))
        return RG_NIL;
    y = rg_reshape(t, rg_mul(t, y, window), RG_SHAPE(-1, frames * c.n));
    const rg_tensor square = rg_expand(t, rg_square(t, window), RG_SHAPE(1, frames, c.n));
    const rg_tensor envelope = overlapped(t, rg_reshape(t, square, RG_SHAPE(1, frames * c.n)), index, whole);
    const int64_t end = length ? around + length : whole - around;
    y = rg_slice(t, overlapped(t, y, index, whole), 1, around, end, 1);
    y = rg_div(t, y, rg_slice(t, envelope, 1, around, end, 1));
    const int64_t there = end < whole ? end - around : whole - around, more[2] = {0, end - around - there};
    if (more[1] > 0)
        y = rg_pad(t, y, (int64_t[]){0, 0}, more, 0);
    shape.dims[shape.rank - 2] = end - around;
    shape.rank--;
    return rg_reshape(t, y, shape);
}

/* ---- by name ---- */

#define CONFIG                                                                                         \
    &((rg_stft_config){.n = RG__INT_OF(n),                                                             \
                       .hop = rg__call_given(c, "hop") && RG__INT_OF(hop) == 0 ? -1 : RG__INT_OF(hop), \
                       .window = in[1],                                                                \
                       .aligned = RG__FLAG_OF(aligned),                                                \
                       .ortho = RG__FLAG_OF(ortho),                                                    \
                       .two_sided = RG__FLAG_OF(two_sided)})
RG__CALL(stft, rg_stft(t, in[0], CONFIG))
RG__CALL(istft, rg_istft(t, in[0], RG__INT_OF(length), CONFIG))

/* ---- samples ---- */

#define DRAW(...) RG__DRAW(draw, RG_SHAPE(__VA_ARGS__), RG__REAL)
static const rg__domain positive = {RG__INTERVAL, .5, 1.5};

static rg_stft_config config_at(rg__draw *draw, int index)
{
    rg_stft_config c = {.n = 4, .hop = 2, .aligned = index == 1, .ortho = index == 2, .two_sided = index == 2};
    if (index > 0)
        c.window = RG__DRAW(draw, RG_SHAPE(index == 2 ? 3 : 4), positive);
    return c;
}

static rg_tensor sample_stft(rg__draw *draw, int index)
{
    if (index > 2)
        return RG_NIL;
    const rg_tensor x = index == 1 ? DRAW(2, 9) : DRAW(7);
    return rg_stft(draw->t, x, &(rg_stft_config[]){config_at(draw, index)}[0]);
}

static rg_tensor sample_istft(rg__draw *draw, int index)
{
    if (index > 2)
        return RG_NIL;
    const rg_tensor x = index == 1 ? DRAW(2, 3, 3, 2) : DRAW(index == 2 ? 4 : 3, 4, 2);
    return rg_istft(draw->t, x, index == 2 ? 5 : 0, &(rg_stft_config[]){config_at(draw, index)}[0]);
}

RG__FAMILY(stft, ROWS(RG__ROW))
