/* Samples of every op of the table: those that its family gives, and for element-wise ops the standard ones (scalar,
 * vector, matrix, broadcast, transposed, reversed, empty). */
#ifndef RG__AUTOGRAD_SAMPLES_H
#define RG__AUTOGRAD_SAMPLES_H

#include "ops/op.h"

#include <retrograd/autograd.h>
#include <retrograd/random.h>

enum { RG__TRIAL_INPUTS = 8 };

/* One of them, with the values drawn for it. */
typedef struct rg__trial {
    const rg__op *op;
    int index;
    rg_dtype dtype; /* of the float inputs */
    rg_array input[RG__TRIAL_INPUTS];
    int inputs;
    bool failed; /* no memory, or more inputs than there may be */
} rg__trial;

/* Draws the inputs of sample `index` of an op. False where there is no such sample. */
bool rg__trial_new(rg__trial *s, const rg__op *op, int index, rg_dtype dtype);
void rg__trial_free(rg__trial *s);

/* Records it from given inputs; an rg_function whose user is the sample. */
rg_tensor rg__trial_record(rg_tape *t, const rg_tensor *x, int count, void *user);

/* Records it from its own inputs. */
rg_tensor rg__trial_record_inputs(rg_tape *t, rg__trial *s);

/* Has it elements to differentiate by, and a result with elements? */
bool rg__trial_is_empty(const rg__trial *s);

/* Records sample `index` of an op, its inputs from `draw`: nil past the last one. */
rg_tensor rg__sample_of(rg__draw *draw, const rg__op *op, int index);

#endif
