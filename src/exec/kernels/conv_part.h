/* What the two maps of a convolution share: the parts of the problem, planes of shifted rows, and tasks.
 *
 * Of each image, a part is copied into planes of rows that hold its zeros around, the elements that one position of the kernel
 * meets next to each other. A position of the kernel is then a shift: what it meets for consecutive results are consecutive
 * elements, wherever the kernel stands, so that registers are loaded without gathering. */
#ifndef RG__EXEC_KERNELS_CONV_PART_H
#define RG__EXEC_KERNELS_CONV_PART_H

#include "core/shape.h"
#include "exec/kernels/conv.h"
#include "exec/kernels/gemm_tile.h"

/* One axis of a part of the problem: results first, first + step, ... (count of them), and the positions of the kernel that
 * meet them. Position i reads plane row[i], shifted by shift[i]; element e of plane row r is x[(start + r's phase + e
 * every) / divisor], zero where that is none. */
typedef struct rg__conv_axis {
    int64_t count, first, step;
    int64_t positions, phases, length; /* length: of a plane, for all results of the axis */
    int64_t start, every, divisor;
    int64_t *index, *shift, *slot; /* by position: of the kernel, shift, phase's slot */
    int64_t *phase;                /* by slot */
} rg__conv_axis;

/* What is copied for some rows of the results: one plane for each channel, position of the kernel along the depth, and phase
 * of the two other axes. */
typedef struct rg__conv_part {
    const rg__conv_shape *s;
    size_t size;
    rg__conv_axis depth, height, width;
    int64_t rows, columns;            /* results of the height and of the width that are computed at a time */
    int64_t line, plane, planes, all; /* elements: of a row, a plane; planes of a channel; elements in all */
    int64_t places;                   /* consecutive places of `rows` rows of `columns` */
    int64_t terms;                    /* channels times positions */
    int64_t *offset;                  /* by term: where its shifted plane begins */
    int64_t *weight;                  /* by term: which of the weights of an output channel it has */
} rg__conv_part;

/* Where zeros stand between the elements of x, results are of as many kinds as meet other positions of the kernel: parts. */
int64_t rg__conv_parts(const rg__conv_shape *s);
int64_t rg__conv_numbers(const rg__conv_shape *s); /* that a part needs room for */
rg__conv_part rg__conv_part_of(size_t size, const rg__conv_shape *s, int64_t which, int64_t *numbers);

/* Bytes of the planes; kernels read a little past the places that they are asked for. SIZE_MAX, which no pool has, for more
 * than can be counted. */
size_t rg__conv_bytes(const rg__conv_part *p);

/* count times bytes, and bytes more; SIZE_MAX for more than can be counted. */
size_t rg__conv_room(int64_t count, size_t bytes, size_t more);

/* n elements, so many apart. */
void rg__conv_copy(size_t size, int64_t n, char *to, int64_t to_step, const char *from, int64_t from_step);

/* A task: some columns of some rows of results, at a place of the depth, of an image and a group. */
typedef struct rg__conv_tasks {
    int64_t blocks, across, count; /* of rows; of columns; in all */
} rg__conv_tasks;
typedef struct rg__conv_task {
    int64_t image, group, place, row, rows, column, columns;
} rg__conv_task;
rg__conv_tasks rg__conv_tasks_of(const rg__conv_part *p);
rg__conv_task rg__conv_task_at(const rg__conv_part *p, const rg__conv_tasks *t, int64_t number);
enum { RG__CONV_TASKS = 32 }; /* enough for the threads that there may be, and a function of the shape alone */

/* Fills the planes for a task. */
void rg__conv_fill(const rg__conv_part *p, const rg__conv_array *x, const rg__conv_task *k, char *planes);

bool rg__conv_worth_threads(const rg__conv_part *p);

#endif
