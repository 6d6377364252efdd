/* Retrograd: tensors and tapes as text. The only part of the library that writes to a stream, the one it is given. */
#ifndef RETROGRAD_VIZ_H
#define RETROGRAD_VIZ_H

#include <retrograd/base.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The value of x as NumPy 2.4's array2string gives it at precision 4, with a newline behind: nested brackets,
 * columns that line up, lines of at most 75 characters, three elements of each end beyond 1000 elements. Floats take
 * as few digits after the point as tell them apart, at most 4; all are in scientific notation where one is below 1e-4
 * or from 1e8 (f32: 1e6) on in magnitude, or they differ by more than a factor of 1000. No elements are "[]".
 * Runs what it needs. A failed tape prints its error instead. */
RG_API void rg_print(rg_tape *t, rg_tensor x, FILE *out);

/* The tape as an aligned table, a line a node: index, op with its attributes, inputs, shape, dtype, scope, whether it
 * requires a gradient, whether it is of the backward pass, and the value (few elements) or a summary (minimum, mean,
 * maximum) where it is computed. Columns with nothing to show are left out. Computes nothing. A failed tape ends with
 * its error. */
RG_API void rg_tape_print(rg_tape *t, FILE *out);

/* The model that was recorded, as an aligned table, a line a scope (layers record in the scope of their name) in order of
 * first use: its path; the first ops of its own; the shape of its output, the last value in it that is used outside of it; its own
 * parameters and buffers, in elements, and their bytes; the bytes of the values that it records itself. An entry of the store
 * counts once, in the scope that its name begins with or, where there is no such scope, that used it first; entries that
 * nothing used have lines at the end. Columns with nothing to show are left out. Then the totals: trainable and frozen
 * parameters, buffers and optimizer state of the store, and what was recorded. Those bytes are what the forward pass would
 * take if every value but the views were stored; a plan fuses and reuses, and stores less. The backward pass and what
 * optimizers record (scope "optim") are left out. ps may be NULL. Computes nothing. A failed tape ends with its error. */
RG_API void rg_summary_print(rg_tape *t, const rg_params *ps, FILE *out);

/* The tape as a Graphviz digraph: parameters, inputs, constants and ops in different shapes, scopes as nested
 * clusters, backward nodes dashed. Computes nothing. `dot -Tsvg` draws it. */
RG_API void rg_tape_dot(rg_tape *t, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
