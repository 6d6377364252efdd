/* What this machine can do at best: the measure of all shares. */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

/* Fused multiply-adds on registers, f32, in GF/s; copying large arrays, reads and writes counted, in GB/s. */
double peak_gflops(int threads);
double peak_copy_gbs(int threads);

#endif
