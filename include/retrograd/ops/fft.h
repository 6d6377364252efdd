/* Retrograd: Fourier transforms, f32 and f64, of any length in O(n log n), computed in f64.
 *
 * A complex tensor is a float tensor with a last axis of 2: real and imaginary part, PyTorch's view_as_real. `axis`, `axes`
 * and shapes count without it: axis -1 of a complex [4, 8, 2] has the extent 8. Gradients are those of the real and imaginary
 * parts, as everywhere; PyTorch's are the same numbers. */
#ifndef RETROGRAD_OPS_FFT_H
#define RETROGRAD_OPS_FFT_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- complex tensors ---- */
RG_API rg_tensor rg_complex(rg_tape *t, rg_tensor re, rg_tensor im); /* [...] and [...], or nil for 0 -> [..., 2] */
RG_API rg_tensor rg_real(rg_tape *t, rg_tensor z);                   /* [..., 2] -> [...], a view                 */
RG_API rg_tensor rg_imag(rg_tape *t, rg_tensor z);
RG_API rg_tensor rg_conj(rg_tape *t, rg_tensor z);
RG_API rg_tensor rg_complex_mul(rg_tape *t, rg_tensor a, rg_tensor b); /* broadcast as others do */

/* ---- along one axis ----
 * sum over j of x[j] e^(-2 pi i j k / n); the inverse with +. */
typedef enum rg_fft_norm {
    RG_FFT_BACKWARD = 0, /* the inverse has the factor 1/n */
    RG_FFT_ORTHO,        /* both have 1/sqrt n             */
    RG_FFT_FORWARD,      /* the forward one has 1/n        */
} rg_fft_norm;
/* Complex to complex. n: the length, to which x is cut or filled with zeros; 0: as long as x is. */
RG_API rg_tensor rg_fft(rg_tape *t, rg_tensor x, int64_t n, int axis, rg_fft_norm norm);
RG_API rg_tensor rg_ifft(rg_tape *t, rg_tensor x, int64_t n, int axis, rg_fft_norm norm);
/* Real [.., n, ..] to the first n/2 + 1 complex numbers; the others are their conjugates. */
RG_API rg_tensor rg_rfft(rg_tape *t, rg_tensor x, int64_t n, int axis, rg_fft_norm norm);
/* The inverse of that: complex, cut or filled to n/2 + 1, to n real numbers. n 0: 2 (extent - 1). The imaginary parts of the
 * first number, and of the last where n is even, are not looked at. */
RG_API rg_tensor rg_irfft(rg_tape *t, rg_tensor x, int64_t n, int axis, rg_fft_norm norm);

/* ---- along several axes ----
 * One after the other. `lengths` as n above, one an axis, -1 or 0 for as they are; rank 0 for all as they are. No axes: the
 * last ones that there are lengths for, else all. The real ones transform the last of the axes as rg_rfft and rg_irfft do. */
RG_API rg_tensor rg_fftn(rg_tape *t, rg_tensor x, rg_shape lengths, rg_axes axes, rg_fft_norm norm);
RG_API rg_tensor rg_ifftn(rg_tape *t, rg_tensor x, rg_shape lengths, rg_axes axes, rg_fft_norm norm);
RG_API rg_tensor rg_rfftn(rg_tape *t, rg_tensor x, rg_shape lengths, rg_axes axes, rg_fft_norm norm);
RG_API rg_tensor rg_irfftn(rg_tape *t, rg_tensor x, rg_shape lengths, rg_axes axes, rg_fft_norm norm);
/* The same over the last two axes. */
RG_API rg_tensor rg_fft2(rg_tape *t, rg_tensor x, rg_fft_norm norm);
RG_API rg_tensor rg_ifft2(rg_tape *t, rg_tensor x, rg_fft_norm norm);

/* ---- around them ---- */
/* [n]: 0, 1, .. (n-1)/2, -n/2, .. -1, divided by n d: the frequencies of rg_fft for samples d apart. n > 0. */
RG_API rg_tensor rg_fftfreq(rg_tape *t, rg_dtype dtype, int64_t n, double d);
RG_API rg_tensor rg_rfftfreq(rg_tape *t, rg_dtype dtype, int64_t n, double d); /* [n/2 + 1]: 0, 1, .. n/2, over n d */
/* Frequency 0 to the middle, and back. Any dtype. Here the axes are those of the tensor: of a complex one give them. */
RG_API rg_tensor rg_fftshift(rg_tape *t, rg_tensor x, rg_axes axes);
RG_API rg_tensor rg_ifftshift(rg_tape *t, rg_tensor x, rg_axes axes);

/* ---- short-time transforms ----
 * Frames of n samples, `hop` apart, each times a window. Griffin and Lim, 1984, for the way back. */
typedef struct rg_stft_config {
    int64_t n;        /* samples of a frame                                                                     */
    int64_t hop;      /* 0: n/4, at least 1                                                                     */
    rg_tensor window; /* nil: ones; else [at most n] of x's dtype: zeros on both sides fill it up               */
    bool aligned;     /* the first frame begins at sample 0. Otherwise it is centred there, and x is reflected at its
                         ends: PyTorch's center = true                                                          */
    bool ortho;       /* divided by sqrt n: PyTorch's normalized                                                */
    bool two_sided;   /* all n frequencies, not the first n/2 + 1 alone                                         */
} rg_stft_config;
/* x [..., samples], real -> [..., frequencies, frames, 2]. Centred, x has more than n/2 samples. */
RG_API rg_tensor rg_stft(rg_tape *t, rg_tensor x, const rg_stft_config *config);
/* [..., frequencies, frames, 2] -> [..., length]: the frames added up in their places, times the window again, and divided by
 * the sum of its squares there, which should be nowhere 0: the inverse of rg_stft. length 0: n + hop (frames - 1), less n where
 * frames are centred; what is longer than that is filled with zeros. Of two-sided frequencies the
 * first n/2 + 1 are looked at, as in PyTorch. */
RG_API rg_tensor rg_istft(rg_tape *t, rg_tensor x, int64_t length, const rg_stft_config *config);

#ifdef __cplusplus
}
#endif
#endif
