/* The first error of a tape or a store. */
#ifndef RG__CORE_ERROR_H
#define RG__CORE_ERROR_H

#include <retrograd/base.h>
#include <stdarg.h>

typedef struct rg__error {
    rg_status status;
    char message[512];
} rg__error;

/* Keeps the message unless there is one already. */
void rg__error_set(rg__error *error, rg_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
void rg__error_setv(rg__error *error, rg_status status, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

#endif
