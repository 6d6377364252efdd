/* Our side of the benchmarks: one case a process. run.py drives it, and PyTorch's side, in turns. */
#include "cases.h"
#include "peak.h"
#include <retrograd/retrograd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(void)
{
    fputs("usage: bench list | bench machine THREADS | bench CASE THREADS\n", stderr);
    return 2;
}

/* What the shares and the table's head need, as JSON. */
static int describe_machine(int threads)
{
    const rg_info info = rg_info_get();
    printf("{\"version\": \"%s\", \"processor\": \"%s\", \"features\": \"%s\", \"blis\": \"%s\", \"blis_kernels\": \"%s\", ",
           info.version, info.processor, info.features, info.blis, info.blis_kernels);
    printf("\"gflops_1\": %.1f, \"gflops\": %.1f, \"copy_gbs_1\": %.1f, \"copy_gbs\": %.1f}\n", peak_gflops(1),
           peak_gflops(threads), peak_copy_gbs(1), peak_copy_gbs(threads));
    return 0;
}

static int run_case(const char *name, int threads)
{
    subject s;
    warm_up(threads);
    if (open_op(name, threads, &s) || open_training(name, threads, &s) || open_images(name, threads, &s) ||
        open_sequences(name, threads, &s))
        return serve(&s);
    puts("{\"error\": \"no such case, or out of memory\"}");
    return 1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        list_ops();
        list_training();
        list_images();
        list_sequences();
        return 0;
    }
    const int threads = argc == 3 ? atoi(argv[2]) : 0;
    if (threads < 1)
        return usage();
    return strcmp(argv[1], "machine") == 0 ? describe_machine(threads) : run_case(argv[1], threads);
}
