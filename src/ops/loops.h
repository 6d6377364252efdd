/* The loops of element-wise ops. Each op gives the value of one element; these macros make of it a function over n
 * elements, in the versions that are worth their space: every argument an array, or some of them one element that is the
 * same throughout (stride 0), or any strides. The result may lie where an argument does, element for element. */
#ifndef RG__OPS_LOOPS_H
#define RG__OPS_LOOPS_H

#include "exec/kernels/clones.h"

#include "ops/op.h"

#if defined __clang__
#define RG__INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define RG__INDEPENDENT _Pragma("GCC ivdep") _Pragma("GCC unroll 4")
#endif

#define RG__LOOP(name) RG__CLONES static void name(int64_t n, char *const *p, const int64_t *s, const void *attr)

/* Is argument i an array, or one element? */
#define RG__DENSE(i, T) (s[i] == (int64_t)sizeof(T))
#define RG__SAME(i)     (s[i] == 0)
/* Element j of argument i, or the element that stands for all of them. */
#define RG__AT(i, T)       *(const T *)(const void *)(p[i] + j * s[i])
#define RG__PICK(many, q)  ((many) ? (q)[j] : q##0)
#define RG__RESULT(To)     ((To *)(void *)p[0])
#define RG__ARGUMENT(i, T) ((const T *)(const void *)p[i])
#define RG__ANY_RESULT(To) *(To *)(void *)(p[0] + j * s[0])

/* value is of x */
#define RG__LOOP1(name, To, T_, value, attributes) \
    RG__LOOP(name)                                 \
    {                                              \
        typedef T_ T;                              \
        attributes;                                \
        (void)attr;                                \
        if (RG__DENSE(0, To) && RG__DENSE(1, T)) { \
            To *out = RG__RESULT(To);              \
            const T *in = RG__ARGUMENT(1, T);      \
            RG__INDEPENDENT                        \
            for (int64_t j = 0; j < n; j++) {      \
                const T x = in[j];                 \
                out[j] = (To)(value);              \
            }                                      \
            return;                                \
        }                                          \
        for (int64_t j = 0; j < n; j++) {          \
            const T x = RG__AT(1, T);              \
            RG__ANY_RESULT(To) = (To)(value);      \
        }                                          \
    }

/* value is of a and b */
#define RG__OVER2(To, value, many_a, many_b)                                \
    do {                                                                    \
        To *out = RG__RESULT(To);                                           \
        const T *in_a = RG__ARGUMENT(1, T), *in_b = RG__ARGUMENT(2, T);     \
        const T in_a0 = in_a[0], in_b0 = in_b[0];                           \
        (void)in_a0, (void)in_b0;                                           \
        RG__INDEPENDENT                                                     \
        for (int64_t j = 0; j < n; j++) {                                   \
            const T a = RG__PICK(many_a, in_a), b = RG__PICK(many_b, in_b); \
            out[j] = (To)(value);                                           \
        }                                                                   \
        return;                                                             \
    } while (0)
#define RG__LOOP2(name, To, T_, value)                  \
    RG__LOOP(name)                                      \
    {                                                   \
        typedef T_ T;                                   \
        (void)attr;                                     \
        if (n > 0 && RG__DENSE(0, To)) {                \
            if (RG__DENSE(1, T) && RG__DENSE(2, T))     \
                RG__OVER2(To, value, true, true);       \
            if (RG__DENSE(1, T) && RG__SAME(2))         \
                RG__OVER2(To, value, true, false);      \
            if (RG__SAME(1) && RG__DENSE(2, T))         \
                RG__OVER2(To, value, false, true);      \
        }                                               \
        for (int64_t j = 0; j < n; j++) {               \
            const T a = RG__AT(1, T), b = RG__AT(2, T); \
            RG__ANY_RESULT(To) = (To)(value);           \
        }                                               \
    }

/* The same for values that call a function for each element: no version is faster than one loop for any strides. */
#define RG__PLAIN_LOOP1(name, To, T_, value, attributes)                            \
    static void name(int64_t n, char *const *p, const int64_t *s, const void *attr) \
    {                                                                               \
        typedef T_ T;                                                               \
        attributes;                                                                 \
        (void)attr;                                                                 \
        for (int64_t j = 0; j < n; j++) {                                           \
            const T x = RG__AT(1, T);                                               \
            RG__ANY_RESULT(To) = (To)(value);                                       \
        }                                                                           \
    }
#define RG__PLAIN_LOOP2(name, To, T_, value)                                        \
    static void name(int64_t n, char *const *p, const int64_t *s, const void *attr) \
    {                                                                               \
        typedef T_ T;                                                               \
        (void)attr;                                                                 \
        for (int64_t j = 0; j < n; j++) {                                           \
            const T a = RG__AT(1, T), b = RG__AT(2, T);                             \
            RG__ANY_RESULT(To) = (To)(value);                                       \
        }                                                                           \
    }

/* The choice between a and b, by a bool: of unsigned integers of the size of an element, for compilers turn masks into
 * vector code, and choices between floats into branches. */
#define RG__OVER_WHERE(many_a, many_b)                                      \
    do {                                                                    \
        T *out = RG__RESULT(T);                                             \
        const uint8_t *c = RG__ARGUMENT(1, uint8_t); /* 0 or 1 */           \
        const T *in_a = RG__ARGUMENT(2, T), *in_b = RG__ARGUMENT(3, T);     \
        const T in_a0 = in_a[0], in_b0 = in_b[0];                           \
        (void)in_a0, (void)in_b0;                                           \
        RG__INDEPENDENT                                                     \
        for (int64_t j = 0; j < n; j++) {                                   \
            const T a = RG__PICK(many_a, in_a), b = RG__PICK(many_b, in_b); \
            const T mask = (T)(0 - (T)c[j]);                                \
            out[j] = (T)((a & mask) | (b & (T)~mask));                      \
        }                                                                   \
        return;                                                             \
    } while (0)
#define RG__LOOP_WHERE(name, T_)                              \
    RG__LOOP(name)                                            \
    {                                                         \
        typedef T_ T;                                         \
        (void)attr;                                           \
        if (n > 0 && RG__DENSE(0, T) && RG__DENSE(1, bool)) { \
            if (RG__DENSE(2, T) && RG__DENSE(3, T))           \
                RG__OVER_WHERE(true, true);                   \
            if (RG__DENSE(2, T) && RG__SAME(3))               \
                RG__OVER_WHERE(true, false);                  \
            if (RG__SAME(2) && RG__DENSE(3, T))               \
                RG__OVER_WHERE(false, true);                  \
        }                                                     \
        for (int64_t j = 0; j < n; j++) {                     \
            const T a = RG__AT(2, T), b = RG__AT(3, T);       \
            RG__ANY_RESULT(T) = RG__AT(1, bool) ? a : b;      \
        }                                                     \
    }

#endif
