/* What this build runs on. See retrograd/info.h. */
#include "core/cpu.h"
#include "core/threads.h"
#include "exec/kernels/blis_arch.h"

#include <retrograd/info.h>

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char processor[128], features[512]; /* written once, by describe */

static void describe(void)
{
    rg__cpu_brand(processor, sizeof processor);
    rg__cpu_feature_names(rg__cpu_features(), features, sizeof features);
}

rg_info rg_info_get(void)
{
    pthread_once(&once, describe);
    return (rg_info){
        .version = rg_version(),
        .processor = processor,
        .features = features,
        .blis = rg__blis_version(),
        .blis_kernels = rg__blis_kernels(),
        .blis_choice = rg__blis_choice(),
        .threads = rg__threads_default(),
    };
}
