/* Around Fourier transforms: complex tensors, frequencies, shifts. */
#include "ops/call.h"
#include "ops/family.h"

#include <math.h>

#define ROWS(ROW)                                                                                          \
    ROW(complex, 2, RG__THROUGH, RG__COMPOSITE, "re + i im", RG__CALLED(complex, "re: float, im?: float")) \
    ROW(real, 1, RG__THROUGH, RG__COMPOSITE, "re z", RG__CALLED(real, "z: float"))                         \
    ROW(imag, 1, RG__THROUGH, RG__COMPOSITE, "im z", RG__CALLED(imag, "z: float"))                         \
    ROW(conj, 1, RG__THROUGH, RG__COMPOSITE, "re z - i im z", RG__CALLED(conj, "z: float"))                \
    ROW(complex_mul, 2, RG__THROUGH, RG__COMPOSITE, "a b", RG__CALLED(complex_mul, "a: float, b: float"))  \
    ROW(fftfreq, 0, RG__NODIFF, RG__COMPOSITE, "the frequencies of fft",                                   \
        RG__CALLED(fftfreq, "dtype: dtype = f32, n: int, d: real = 1"))                                    \
    ROW(rfftfreq, 0, RG__NODIFF, RG__COMPOSITE, "the frequencies of rfft",                                 \
        RG__CALLED(rfftfreq, "dtype: dtype = f32, n: int, d: real = 1"))                                   \
    ROW(fftshift, 1, RG__THROUGH, RG__COMPOSITE, "x turned round by n/2",                                  \
        RG__CALLED(fftshift, "x: any, axes: ints = all"))                                                  \
    ROW(ifftshift, 1, RG__THROUGH, RG__COMPOSITE, "x turned round by -(n/2)",                              \
        RG__CALLED(ifftshift, "x: any, axes: ints = all"))

enum { ROWS(RG__ENUM) };
#define OP(name) (&rg__ops_frequency[OP_##name])

/* ---- complex tensors ---- */

rg_tensor rg_complex(rg_tape *t, rg_tensor re, rg_tensor im)
{
    const rg__op *op = OP(complex);
    const rg__node *n = rg__arg_of(t, op, re, RG__FLOATS);
    if (!n)
        return RG_NIL;
    if (n->rank == RG_MAX_RANK) {
        rg__fail(t, op, RG_ERROR_SHAPE, "%s has no room for an axis of parts", RG__NODE_TEXT(n));
        return RG_NIL;
    }
    return rg_stack(t, (rg_tensor[]){re, rg_is_nil(im) ? rg_zeros_like(t, re) : im}, 2, -1);
}

rg_tensor rg_real(rg_tape *t, rg_tensor z)
{
    return rg__complex_arg(t, OP(real), z) ? rg_select(t, z, -1, 0) : RG_NIL;
}

rg_tensor rg_imag(rg_tape *t, rg_tensor z)
{
    return rg__complex_arg(t, OP(imag), z) ? rg_select(t, z, -1, 1) : RG_NIL;
}

rg_tensor rg_conj(rg_tape *t, rg_tensor z)
{
    return rg__complex_arg(t, OP(conj), z) ? rg_complex(t, rg_real(t, z), rg_neg(t, rg_imag(t, z))) : RG_NIL;
}

rg_tensor rg_complex_mul(rg_tape *t, rg_tensor a, rg_tensor b)
{
    if (!rg__complex_arg(t, OP(complex_mul), a) || !rg__complex_arg(t, OP(complex_mul), b))
        return RG_NIL;
    const rg_tensor ar = rg_real(t, a), ai = rg_imag(t, a), br = rg_real(t, b), bi = rg_imag(t, b);
    return rg_complex(t, rg_sub(t, rg_mul(t, ar, br), rg_mul(t, ai, bi)),
                      rg_add(t, rg_mul(t, ar, bi), rg_mul(t, ai, br)));
}

/* ---- frequencies ---- */

static bool check_frequencies(rg_tape *t, const rg__op *op, rg_dtype dtype, int64_t n, double d)
{
    if ((dtype != RG_F32 && dtype != RG_F64) || n < 1 || !isfinite(d) || d == 0)
        rg__fail(t, op, RG_ERROR_ARGUMENT,
                 "%lld frequencies of %s for a distance of %g: 1 or more, a float dtype and a "
                 "number that is not 0 are needed",
                 (long long)n, rg_dtype_name(dtype), d);
    return !rg_failed(t);
}

rg_tensor rg_fftfreq(rg_tape *t, rg_dtype dtype, int64_t n, double d)
{
    if (!check_frequencies(t, OP(fftfreq), dtype, n, d))
        return RG_NIL;
    const double unit = 1 / ((double)n * d);
    const rg_tensor low = rg_arange(t, dtype, 0, (double)((n - 1) / 2 + 1), 1);
    const rg_tensor high = rg_arange(t, dtype, -(double)(n / 2), 0, 1);
    return rg_mul_scalar(t, rg_cat(t, (rg_tensor[]){low, high}, 2, 0), unit);
}

rg_tensor rg_rfftfreq(rg_tape *t, rg_dtype dtype, int64_t n, double d)
{
    if (!check_frequencies(t, OP(rfftfreq), dtype, n, d))
        return RG_NIL;
    return rg_mul_scalar(t, rg_arange(t, dtype, 0, (double)(n / 2 + 1), 1), 1 / ((double)n * d));
}

static rg_tensor shifted(rg_tape *t, const rg__op *op, rg_tensor x, rg_axes axes, bool back)
{
    const rg__node *n = rg__arg(t, op, x);
    uint32_t set;
    if (!n || !rg__axis_set(t, op, n, axes, &set))
        return RG_NIL;
    for (int i = 0; i < n->rank; i++) {
        const int64_t extent = n->dims[i], cut = back ? extent / 2 : extent - extent / 2;
        if (set >> i & 1 && extent > 1)
            x = rg_cat(t, (rg_tensor[]){rg_slice(t, x, i, cut, extent, 1), rg_slice(t, x, i, 0, cut, 1)}, 2, i);
    }
    return x;
}

rg_tensor rg_fftshift(rg_tape *t, rg_tensor x, rg_axes axes)
{
    return shifted(t, OP(fftshift), x, axes, false);
}

rg_tensor rg_ifftshift(rg_tape *t, rg_tensor x, rg_axes axes)
{
    return shifted(t, OP(ifftshift), x, axes, true);
}

/* ---- by name ---- */

RG__CALL(complex, rg_complex(t, in[0], in[1]))
RG__CALL(real, rg_real(t, in[0]))
RG__CALL(imag, rg_imag(t, in[0]))
RG__CALL(conj, rg_conj(t, in[0]))
RG__CALL(complex_mul, rg_complex_mul(t, in[0], in[1]))
RG__CALL(fftfreq, rg_fftfreq(t, RG__DTYPE_OF(dtype), RG__INT_OF(n), RG__REAL_OF(d)))
RG__CALL(rfftfreq, rg_rfftfreq(t, RG__DTYPE_OF(dtype), RG__INT_OF(n), RG__REAL_OF(d)))
RG__CALL(fftshift, rg_fftshift(t, in[0], RG__AXES_OF(axes)))
RG__CALL(ifftshift, rg_ifftshift(t, in[0], RG__AXES_OF(axes)))

/* ---- samples ---- */

#define DRAW(...) RG__DRAW(draw, RG_SHAPE(__VA_ARGS__), RG__REAL)

#define SAMPLE(name, n, ...)                                  \
    static rg_tensor sample_##name(rg__draw *draw, int index) \
    {                                                         \
        rg_tape *t = draw->t;                                 \
        (void)t;                                              \
        return index < (n) ? (__VA_ARGS__) : RG_NIL;          \
    }
SAMPLE(real, 1, rg_real(t, DRAW(3, 2)))
SAMPLE(imag, 1, rg_imag(t, DRAW(2, 3, 2)))
SAMPLE(conj, 1, rg_conj(t, DRAW(2, 3, 2)))
SAMPLE(fftfreq, 4, rg_fftfreq(t, RG_F64, index + 1, .5))
SAMPLE(rfftfreq, 4, rg_rfftfreq(t, RG_F64, index + 1, .5))
SAMPLE(fftshift, 3, rg_fftshift(t, DRAW(2, 5), index ? RG_AXES(index - 2) : RG_ALL))
SAMPLE(ifftshift, 3, rg_ifftshift(t, DRAW(5, 4), index ? RG_AXES(index - 2) : RG_ALL))

static rg_tensor sample_complex(rg__draw *draw, int index)
{
    rg_tensor re = index < 2 ? DRAW(2, 3) : RG_NIL;
    return index < 2 ? rg_complex(draw->t, re, index ? RG_NIL : DRAW(2, 3)) : RG_NIL;
}

static rg_tensor sample_complex_mul(rg__draw *draw, int index)
{
    rg_tensor a = index < 2 ? DRAW(3, 2) : RG_NIL;
    return index < 2 ? rg_complex_mul(draw->t, a, index ? DRAW(2, 1, 2) : DRAW(3, 2)) : RG_NIL;
}

RG__FAMILY(frequency, ROWS(RG__ROW))
