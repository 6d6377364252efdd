/* Retrograd: tensors and tapes as text. The only part of the library that writes to a stream, the one it is given. */
#ifndef RETROGRAD_VIZ_H
#define RETROGRAD_VIZ_H

#include <retrograd/base.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The value of x as NumPy prints it: nested brackets, aligned columns, 4 digits, three dots beyond 1000 elements. Runs what
 * it needs. A failed tape prints its error instead. */
RG_API void rg_print(rg_tape *t, rg_tensor x, FILE *out);

/* The tape as an aligned table, a line a node: index, op with its attributes, inputs, shape, dtype, scope, whether it requires
 * a gradient, and the value (few elements) or a summary (minimum, mean, maximum) where it is computed. Computes nothing. */
RG_API void rg_tape_print(rg_tape *t, FILE *out);

/* The tape as a Graphviz digraph: leaves, inputs and ops in different shapes, scopes as clusters, backward nodes dashed. */
RG_API void rg_tape_dot(rg_tape *t, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
