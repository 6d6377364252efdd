/* Discrete Fourier transforms of any length in O(n log n), several at a time, in f64.
 *
 * Stockham's mixed-radix passes for lengths of small primes; Bluestein's chirp z transform for the others. The transforms of a
 * call lie side by side: element j of transform l is at j lanes + l, real and imaginary parts apart, so that every pass is
 * vector arithmetic. The bits of a transform do not depend on how many are done together. */
#ifndef RG__EXEC_KERNELS_FFT_H
#define RG__EXEC_KERNELS_FFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rg__fft rg__fft; /* what is the same for all transforms of a length; shared by threads */

typedef enum rg__fft_kind {
    RG__FFT_COMPLEX,   /* n complex to n complex: sum over j of x[j] e^(-2 pi i j k / n)                         */
    RG__FFT_FROM_REAL, /* n real to the first n/2 + 1 of those                                                   */
    RG__FFT_TO_REAL,   /* n/2 + 1 complex, of which the others are the conjugates, to n real, with e^(+2 pi i ..) */
} rg__fft_kind;

rg__fft *rg__fft_new(rg__fft_kind kind, int64_t n); /* n >= 1; NULL: out of memory */
void rg__fft_free(rg__fft *plan);

/* Doubles that one lane's transform needs, its input and output among them. */
int64_t rg__fft_work(const rg__fft *plan);

/* Where the caller writes the input before the run, and finds the output after it. Where rg__fft_packed says so, n real
 * numbers are n/2 elements: number 2j is the real part of element j, number 2j + 1 the imaginary part. */
typedef struct rg__fft_lanes {
    double *re, *im;
} rg__fft_lanes;
bool rg__fft_packed(const rg__fft *plan);
rg__fft_lanes rg__fft_input(const rg__fft *plan, int64_t lanes, double *work);
rg__fft_lanes rg__fft_run(const rg__fft *plan, int64_t lanes, double *work);

#endif
