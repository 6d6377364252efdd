/* The first error of a tape or a store. See error.h. */
#include "core/error.h"

#include <stdio.h>

void rg__error_setv(rg__error *error, rg_status status, const char *format, va_list args)
{
    if (error->status != RG_OK)
        return;
    error->status = status;
    vsnprintf(error->message, sizeof error->message, format, args);
}

void rg__error_set(rg__error *error, rg_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rg__error_setv(error, status, format, args);
    va_end(args);
}
