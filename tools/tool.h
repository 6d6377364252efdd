/* What the commands of the tool share. A command gets its arguments, its own name first, and returns an exit status. */
#ifndef RG_TOOLS_TOOL_H
#define RG_TOOLS_TOOL_H

#include <stdbool.h>
#include <stdint.h>

enum { EXIT_FINE = 0, EXIT_TROUBLE = 1, EXIT_USAGE = 2 };

int run_ops(int argc, char **argv);
int run_apply(int argc, char **argv);
int run_gradcheck(int argc, char **argv);

/* One line on the error stream, "retrograd: ...", and the exit status. */
int trouble(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for what was typed wrongly; it says where help is. */
int usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* After an option that getopt has complained of. */
int bad_option(const char *command);
/* The exit status after printing: text that did not reach its reader is trouble. */
int finish(void);

/* The whole of a text as a number from `low` on. */
bool read_number(const char *text, int64_t low, int64_t *value);

#endif
