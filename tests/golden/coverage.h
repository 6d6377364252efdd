/* Which functions a header declares, and which of them a text names. */
#ifndef RG__TESTS_GOLDEN_COVERAGE_H
#define RG__TESTS_GOLDEN_COVERAGE_H

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Does a text hold this identifier? */
static inline bool has_identifier(const char *text, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = text; (at = strstr(at, name)) != NULL; at += length) {
        const bool begins = at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
        if (begins && !isalnum((unsigned char)at[length]) && at[length] != '_')
            return true;
    }
    return false;
}

/* The name of the function that a line of a header declares; false where it declares none. */
static inline bool declared_name(const char *line, char name[64])
{
    if (strncmp(line, "RG_API ", 7) != 0)
        return false;
    const char *const open = strchr(line, '(');
    const char *begin = open;
    while (begin != NULL && begin > line && (isalnum((unsigned char)begin[-1]) || begin[-1] == '_'))
        begin--;
    if (begin == NULL || open - begin >= 64 || strncmp(begin, "rg_", 3) != 0)
        return false;
    snprintf(name, 64, "%.*s", (int)(open - begin), begin);
    return true;
}

#endif
