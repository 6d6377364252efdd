/* For a tool whose checks fail: gradients of second order of tanh's sample 1 are said to be wrong, those of sin to
 * have compared nothing, and exp to have no samples. Everything else is the library's. */
#include <retrograd/retrograd.h>

#include <stdio.h>
#include <string.h>

int __real_rg_op_samples(const char *name);
int __wrap_rg_op_samples(const char *name);
int __wrap_rg_op_samples(const char *name)
{
    return strcmp(name, "exp") == 0 ? 0 : __real_rg_op_samples(name);
}

bool __real_rg_op_check(const char *name, int sample, rg_dtype dtype, int order, rg_gradcheck_report *report);
bool __wrap_rg_op_check(const char *name, int sample, rg_dtype dtype, int order, rg_gradcheck_report *report);
bool __wrap_rg_op_check(const char *name, int sample, rg_dtype dtype, int order, rg_gradcheck_report *report)
{
    const bool passed = __real_rg_op_check(name, sample, dtype, order, report);
    if (strcmp(name, "sin") == 0)
        report->compared = 0;
    if (strcmp(name, "tanh") != 0 || sample != 1 || order != 2)
        return passed;
    report->error = 0.25;
    snprintf(report->message, sizeof report->message, "planted");
    return false;
}
