/* Discrete Fourier transforms: tables, passes, Bluestein's transform, and real numbers. See fft.h. */
#include "exec/kernels/fft.h"
#include "exec/kernels/clones.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FACTORS = 64, LARGEST_PRIME = 7 };

struct rg__fft {
    rg__fft_kind kind;
    int64_t n;      /* of the whole transform                                       */
    int64_t length; /* of the complex one inside: n, or half of it                  */
    int factors, factor[MOST_FACTORS];
    double *cos, *sin;           /* e^(-2 pi i k / length), k < length                        */
    double *half_cos, *half_sin; /* e^(-2 pi i k / n), k <= n/2, of packed real numbers */
    /* Bluestein: length is a convolution of length inner->length */
    rg__fft *inner;
    double *chirp_cos, *chirp_sin;   /* e^(-pi i k^2 / length)                          */
    double *filter_cos, *filter_sin; /* the transform of its conjugate, over the length */
};

/* ---- tables ---- */

/* e^(-2 pi i k / n), 0 <= k < n, from angles of at most pi/4: right to the last bit or two, whatever k and n. */
static void root_of(int64_t k, int64_t n, double *c, double *s)
{
    int64_t a = 8 * k; /* the angle is a pi / (4 n) */
    const bool lower = a > 4 * n;
    a = lower ? 8 * n - a : a;
    const bool left = a > 2 * n;
    a = left ? 4 * n - a : a;
    const bool steep = a > n;
    a = steep ? 2 * n - a : a;
    const double angle = M_PI * (double)a / (4 * (double)n), x = cos(angle), y = sin(angle);
    *c = (left ? -1 : 1) * (steep ? y : x);
    *s = (lower ? 1 : -1) * (steep ? x : y);
}

static void roots(int64_t n, int64_t count, double *c, double *s)
{
    for (int64_t k = 0; k < count; k++)
        if (n % 4 == 0 && k > n / 4 && k <= n / 2) { /* a quarter turn further than what is there */
            c[k] = s[k - n / 4];
            s[k] = -c[k - n / 4];
        } else if (k > n - k) {
            c[k] = c[n - k];
            s[k] = -s[n - k];
        } else {
            root_of(k, n, &c[k], &s[k]);
        }
}

/* ---- passes ---- */

/* One pass of radix p, from x to y: of `m` groups of `run` elements each, p at a distance of m run. */
typedef struct pass {
    int64_t m, run, step; /* step: what one group is worth in the table of roots */
    const double *xr, *xi, *cos, *sin;
    double *yr, *yi;
} pass;

/* The roots of group q, for output k. */
#define ROOT(k) (p->step * q * (k))

RG__CLONES static void pass2(const pass *p)
{
    const int64_t run = p->run, apart = p->m * run;
    for (int64_t q = 0; q < p->m; q++) {
        const double c = p->cos[ROOT(1)], s = p->sin[ROOT(1)];
        const double *xr = p->xr + q * run, *xi = p->xi + q * run;
        double *restrict yr = p->yr + 2 * q * run, *restrict yi = p->yi + 2 * q * run;
        for (int64_t r = 0; r < run; r++) {
            const double ar = xr[r], ai = xi[r], br = xr[r + apart], bi = xi[r + apart];
            const double dr = ar - br, di = ai - bi;
            yr[r] = ar + br;
            yi[r] = ai + bi;
            yr[r + run] = dr * c - di * s;
            yi[r + run] = dr * s + di * c;
        }
    }
}

RG__CLONES static void pass4(const pass *p)
{
    const int64_t run = p->run, apart = p->m * run;
    for (int64_t q = 0; q < p->m; q++) {
        const double c1 = p->cos[ROOT(1)], s1 = p->sin[ROOT(1)], c2 = p->cos[ROOT(2)], s2 = p->sin[ROOT(2)];
        const double c3 = p->cos[ROOT(3)], s3 = p->sin[ROOT(3)];
        const double *xr = p->xr + q * run, *xi = p->xi + q * run;
        double *restrict yr = p->yr + 4 * q * run, *restrict yi = p->yi + 4 * q * run;
        for (int64_t r = 0; r < run; r++) {
            const double ar = xr[r] + xr[r + 2 * apart], ai = xi[r] + xi[r + 2 * apart];
            const double br = xr[r] - xr[r + 2 * apart], bi = xi[r] - xi[r + 2 * apart];
            const double cr = xr[r + apart] + xr[r + 3 * apart], ci = xi[r + apart] + xi[r + 3 * apart];
            const double dr = xr[r + apart] - xr[r + 3 * apart], di = xi[r + apart] - xi[r + 3 * apart];
            const double er = br + di, ei = bi - dr, fr = ar - cr, fi = ai - ci, gr = br - di, gi = bi + dr;
            yr[r] = ar + cr;
            yi[r] = ai + ci;
            yr[r + run] = er * c1 - ei * s1;
            yi[r + run] = er * s1 + ei * c1;
            yr[r + 2 * run] = fr * c2 - fi * s2;
            yi[r + 2 * run] = fr * s2 + fi * c2;
            yr[r + 3 * run] = gr * c3 - gi * s3;
            yi[r + 3 * run] = gr * s3 + gi * c3;
        }
    }
}

/* An odd radix: elements j and n - j have conjugate roots, so that their sum and difference need one product each. */
static inline __attribute__((always_inline)) void pass_odd(const pass *p, const int64_t n)
{
    enum { HALF = LARGEST_PRIME / 2 };
    const int64_t run = p->run, apart = p->m * run, half = n / 2, turn = p->step * p->m; /* turn: 1/n of all roots */
    double c[LARGEST_PRIME], s[LARGEST_PRIME];
    for (int64_t j = 0; j < n; j++) {
        c[j] = p->cos[turn * j];
        s[j] = p->sin[turn * j];
    }
    for (int64_t q = 0; q < p->m; q++) {
        const double *xr = p->xr + q * run, *xi = p->xi + q * run;
        double *restrict yr = p->yr + n * q * run, *restrict yi = p->yi + n * q * run;
        for (int64_t r = 0; r < run; r++) {
            double sum_r[HALF], sum_i[HALF], off_r[HALF], off_i[HALF];
            double all_r = xr[r], all_i = xi[r];
            for (int64_t j = 0; j < half; j++) {
                const int64_t one = r + (j + 1) * apart, other = r + (n - 1 - j) * apart;
                sum_r[j] = xr[one] + xr[other];
                sum_i[j] = xi[one] + xi[other];
                off_r[j] = xr[one] - xr[other];
                off_i[j] = xi[one] - xi[other];
                all_r += sum_r[j];
                all_i += sum_i[j];
            }
            yr[r] = all_r;
            yi[r] = all_i;
            for (int64_t k = 1; k <= half; k++) {
                double ar = xr[r], ai = xi[r], br = 0, bi = 0;
                for (int64_t j = 0; j < half; j++) {
                    const int64_t at = (j + 1) * k % n;
                    ar += sum_r[j] * c[at];
                    ai += sum_i[j] * c[at];
                    br += off_r[j] * s[at];
                    bi += off_i[j] * s[at];
                }
                const double c1 = p->cos[ROOT(k)], s1 = p->sin[ROOT(k)], c2 = p->cos[ROOT(n - k)];
                const double s2 = p->sin[ROOT(n - k)], pr = ar - bi, pi = ai + br, mr = ar + bi, mi = ai - br;
                yr[r + k * run] = pr * c1 - pi * s1;
                yi[r + k * run] = pr * s1 + pi * c1;
                yr[r + (n - k) * run] = mr * c2 - mi * s2;
                yi[r + (n - k) * run] = mr * s2 + mi * c2;
            }
        }
    }
}

RG__CLONES static void pass3(const pass *p)
{
    pass_odd(p, 3);
}

RG__CLONES static void pass5(const pass *p)
{
    pass_odd(p, 5);
}

RG__CLONES static void pass7(const pass *p)
{
    pass_odd(p, 7);
}

/* The n elements of each lane in *x, transformed; *x and *y may have changed places. */
static void transform(const rg__fft *f, int64_t lanes, rg__fft_lanes *x, rg__fft_lanes *y)
{
    int64_t done = 1;
    for (int i = 0; i < f->factors; i++) {
        const int radix = f->factor[i];
        const pass p = {f->length / done / radix, done * lanes, done, x->re, x->im, f->cos, f->sin, y->re, y->im};
        switch (radix) {
        case 2: pass2(&p); break;
        case 3: pass3(&p); break;
        case 4: pass4(&p); break;
        case 5: pass5(&p); break;
        default: pass7(&p); break;
        }
        const rg__fft_lanes swap = *x;
        *x = *y;
        *y = swap;
        done *= radix;
    }
}

/* ---- Bluestein ---- */

/* to[k] := from[k] factor[k]: all lanes of n elements; `sign` -1: by the conjugate. */
RG__CLONES static void multiply(int64_t n, int64_t lanes, rg__fft_lanes to, rg__fft_lanes from, const double *c,
                                const double *s)
{
    for (int64_t k = 0; k < n; k++)
        for (int64_t l = k * lanes; l < (k + 1) * lanes; l++) {
            const double re = from.re[l], im = from.im[l];
            to.re[l] = re * c[k] - im * s[k];
            to.im[l] = re * s[k] + im * c[k];
        }
}

/* jk = (j^2 + k^2 - (k - j)^2)/2 (Bluestein, 1970): a convolution with e^(pi i k^2 / n), by transforms of a smooth length. */
static void chirp_transform(const rg__fft *f, int64_t lanes, rg__fft_lanes *x, rg__fft_lanes *y, double *work)
{
    const int64_t n = f->length, m = f->inner->length;
    rg__fft_lanes a = {work, work + m * lanes}, b = {work + 2 * m * lanes, work + 3 * m * lanes};
    multiply(n, lanes, a, *x, f->chirp_cos, f->chirp_sin);
    memset(a.re + n * lanes, 0, (size_t)((m - n) * lanes) * sizeof *a.re);
    memset(a.im + n * lanes, 0, (size_t)((m - n) * lanes) * sizeof *a.im);
    transform(f->inner, lanes, &a, &b);
    multiply(m, lanes, a, a, f->filter_cos, f->filter_sin);
    rg__fft_lanes turned = {a.im, a.re}, other = {b.im, b.re}; /* backwards: real and imaginary part change places */
    transform(f->inner, lanes, &turned, &other);
    multiply(n, lanes, *y, (rg__fft_lanes){turned.im, turned.re}, f->chirp_cos, f->chirp_sin);
    const rg__fft_lanes swap = *x;
    *x = *y;
    *y = swap;
}

/* ---- plans ---- */

static double *numbers(int64_t count)
{
    return (uint64_t)count < SIZE_MAX / 64 ? malloc((size_t)(count + 1) * sizeof(double)) : NULL;
}

/* Factors of n, 4 before 2; what is left of it when there are none of up to `largest`. */
static int64_t factorise(int64_t n, int largest, int *factor, int *count)
{
    *count = 0;
    for (int p = 4; p <= largest; p = p == 4 ? 2 : p == 2 ? 3 : p + 2)
        while (n % p == 0 && *count < MOST_FACTORS) {
            factor[(*count)++] = p;
            n /= p;
        }
    return n;
}

static rg__fft *complex_plan(int64_t n);

static bool make_chirp(rg__fft *f)
{
    const int64_t n = f->length;
    int factor[MOST_FACTORS], count;
    int64_t m = 2 * n - 1;
    while (factorise(m, 5, factor, &count) != 1)
        m++;
    f->inner = complex_plan(m);
    f->chirp_cos = numbers(n);
    f->chirp_sin = numbers(n);
    f->filter_cos = numbers(m);
    f->filter_sin = numbers(m);
    double *work = numbers(2 * m);
    bool ok = f->inner && f->chirp_cos && f->chirp_sin && f->filter_cos && f->filter_sin && work;
    if (ok) {
        memset(f->filter_cos, 0, (size_t)m * sizeof(double));
        memset(f->filter_sin, 0, (size_t)m * sizeof(double));
        for (int64_t k = 0, square = 0; k < n; square = (square + 2 * k + 1) % (2 * n), k++) { /* k^2 mod 2n */
            root_of(square, 2 * n, &f->chirp_cos[k], &f->chirp_sin[k]);
            f->filter_cos[k] = f->filter_cos[(m - k) % m] = f->chirp_cos[k] / (double)m;
            f->filter_sin[k] = f->filter_sin[(m - k) % m] = -f->chirp_sin[k] / (double)m;
        }
        rg__fft_lanes x = {f->filter_cos, f->filter_sin}, y = {work, work + m};
        transform(f->inner, 1, &x, &y);
        if (x.re != f->filter_cos) {
            memcpy(f->filter_cos, x.re, (size_t)m * sizeof(double));
            memcpy(f->filter_sin, x.im, (size_t)m * sizeof(double));
        }
    }
    free(work);
    return ok;
}

/* The transform of `length` complex numbers. */
static rg__fft *complex_plan(int64_t length)
{
    rg__fft *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->kind = RG__FFT_COMPLEX;
    f->n = f->length = length;
    bool ok;
    if (factorise(length, LARGEST_PRIME, f->factor, &f->factors) == 1) {
        f->cos = numbers(length);
        f->sin = numbers(length);
        ok = f->cos && f->sin;
        if (ok)
            roots(length, length, f->cos, f->sin);
    } else {
        ok = make_chirp(f);
    }
    if (!ok) {
        rg__fft_free(f);
        return NULL;
    }
    return f;
}

rg__fft *rg__fft_new(rg__fft_kind kind, int64_t n)
{
    enum { LONGEST = 40 }; /* 2^40: angles, squares and sizes stay far from overflow */
    const bool packed = kind != RG__FFT_COMPLEX && n % 2 == 0;
    rg__fft *f = n >= 1 && n <= INT64_C(1) << LONGEST ? complex_plan(packed ? n / 2 : n) : NULL;
    if (!f)
        return NULL;
    f->kind = kind;
    f->n = n;
    if (packed) {
        f->half_cos = numbers(n / 2 + 1);
        f->half_sin = numbers(n / 2 + 1);
        if (!f->half_cos || !f->half_sin) {
            rg__fft_free(f);
            return NULL;
        }
        roots(n, n / 2 + 1, f->half_cos, f->half_sin);
    }
    return f;
}

void rg__fft_free(rg__fft *f)
{
    if (!f)
        return;
    rg__fft_free(f->inner);
    double *const tables[] = {f->cos,       f->sin,       f->half_cos,   f->half_sin,
                              f->chirp_cos, f->chirp_sin, f->filter_cos, f->filter_sin};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        free(tables[i]);
    free(f);
}

/* ---- real numbers ---- */

/* Elements that the arrays have room for: of packed numbers one more than there are in the transform. */
static int64_t room(const rg__fft *f)
{
    return f->length + 1;
}

/* Of z[j] = x[2j] + i x[2j+1]: X[k] = (Z[k] + Z*[h-k])/2 - i w^k (Z[k] - Z*[h-k])/2, with Z[h] = Z[0]. */
RG__CLONES static void unpack(const rg__fft *f, int64_t lanes, rg__fft_lanes z, rg__fft_lanes out)
{
    const int64_t h = f->length;
    for (int64_t k = 0; k <= h; k++) {
        const double c = f->half_cos[k], s = f->half_sin[k];
        const int64_t here = k % h * lanes, there = (h - k) % h * lanes;
        for (int64_t l = 0; l < lanes; l++) {
            const double er = .5 * (z.re[here + l] + z.re[there + l]), ei = .5 * (z.im[here + l] - z.im[there + l]);
            const double fr = .5 * (z.im[here + l] + z.im[there + l]), fi = .5 * (z.re[there + l] - z.re[here + l]);
            out.re[k * lanes + l] = er + (fr * c - fi * s);
            out.im[k * lanes + l] = ei + (fr * s + fi * c);
        }
    }
}

/* The other way: Z[k] = (X[k] + X*[h-k]) + i w^-k (X[k] - X*[h-k]), real and imaginary part exchanged. */
RG__CLONES static void pack(const rg__fft *f, int64_t lanes, rg__fft_lanes x, rg__fft_lanes turned)
{
    const int64_t h = f->length;
    for (int64_t k = 0; k < h; k++) {
        const double c = f->half_cos[k], s = -f->half_sin[k];
        const int64_t here = k * lanes, there = (h - k) * lanes;
        for (int64_t l = 0; l < lanes; l++) {
            const double er = x.re[here + l] + x.re[there + l], ei = x.im[here + l] - x.im[there + l];
            const double fr = x.re[here + l] - x.re[there + l], fi = x.im[here + l] + x.im[there + l];
            turned.im[here + l] = er - (fr * s + fi * c);
            turned.re[here + l] = ei + (fr * c - fi * s);
        }
    }
}

/* An odd number of them: the conjugates are written out, and a half of the transform is not looked at. */
static void mirror(const rg__fft *f, int64_t lanes, rg__fft_lanes x)
{
    for (int64_t k = f->n / 2 + 1; k < f->n; k++)
        for (int64_t l = 0; l < lanes; l++) {
            x.re[k * lanes + l] = x.re[(f->n - k) * lanes + l];
            x.im[k * lanes + l] = -x.im[(f->n - k) * lanes + l];
        }
}

/* ---- running ---- */

bool rg__fft_packed(const rg__fft *f)
{
    return f->half_cos != NULL;
}

int64_t rg__fft_work(const rg__fft *f)
{
    return 4 * room(f) + (f->inner ? 4 * f->inner->length : 0);
}

static rg__fft_lanes block(const rg__fft *f, int64_t lanes, double *work, int which)
{
    double *const at = work + 2 * which * room(f) * lanes;
    return (rg__fft_lanes){at, at + room(f) * lanes};
}

rg__fft_lanes rg__fft_input(const rg__fft *f, int64_t lanes, double *work)
{
    return block(f, lanes, work, 0);
}

rg__fft_lanes rg__fft_run(const rg__fft *f, int64_t lanes, double *work)
{
    rg__fft_lanes x = block(f, lanes, work, 0), y = block(f, lanes, work, 1);
    double *const rest = work + 4 * room(f) * lanes;
    const bool back = f->kind == RG__FFT_TO_REAL, packed = rg__fft_packed(f);
    if (back) { /* backwards: real and imaginary part change places */
        memset(x.im, 0, (size_t)lanes * sizeof *x.im);
        if (packed) {
            memset(x.im + f->length * lanes, 0, (size_t)lanes * sizeof *x.im);
            pack(f, lanes, x, y);
            const rg__fft_lanes free_now = x;
            x = y;
            y = free_now;
        } else {
            mirror(f, lanes, x);
            x = (rg__fft_lanes){x.im, x.re};
        }
    }
    if (f->inner)
        chirp_transform(f, lanes, &x, &y, rest);
    else
        transform(f, lanes, &x, &y);
    if (back)
        return (rg__fft_lanes){x.im, x.re};
    if (f->kind == RG__FFT_FROM_REAL) { /* sums of real numbers with signs alone are real */
        if (packed) {
            unpack(f, lanes, x, y);
            x = y;
            memset(x.im + f->length * lanes, 0, (size_t)lanes * sizeof *x.im);
        }
        memset(x.im, 0, (size_t)lanes * sizeof *x.im);
    }
    return x;
}
