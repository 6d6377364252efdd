/* How many threads a tape uses where nobody says. See threads.h. */
#include "core/threads.h"

#include <sched.h>
#include <stdlib.h>

int rg__threads_default(void)
{
    const char *set = getenv("OMP_NUM_THREADS");
    long n = set ? strtol(set, NULL, 10) : 0;
    if (n > 0)
        return n < 1024 ? (int)n : 1024;
    cpu_set_t processors;
    if (sched_getaffinity(0, sizeof processors, &processors) == 0 && CPU_COUNT(&processors) > 0)
        return CPU_COUNT(&processors);
    return 1;
}
