/* Our side of the cases. Their names are those of peers_torch.py, which defines the same work. */
#ifndef BENCH_CASES_H
#define BENCH_CASES_H

#include "measure.h"
#include <stdbool.h>

/* One line a case: name, tab, what it is. */
void list_ops(void);
void list_training(void);
void list_images(void);
void list_sequences(void);

/* Make the case ready for its first step. False where no case has this name, or where memory is lacking. */
bool open_op(const char *name, int threads, subject *s);
bool open_training(const char *name, int threads, subject *s);
bool open_images(const char *name, int threads, subject *s);
bool open_sequences(const char *name, int threads, subject *s);

/* A tiny training run: what a runtime makes once, threads and the like, is then there before the first step and is not
 * counted as the case's memory. */
void warm_up(int threads);

#endif
