/* Samples of every op of the table: those that its family gives, and for element-wise ops the standard ones (scalar,
 * vector, matrix, broadcast, transposed, reversed, empty). */
#ifndef RG_TESTS_SAMPLES_H
#define RG_TESTS_SAMPLES_H

#include "ops/op.h"

#include <retrograd/autograd.h>
#include <retrograd/random.h>

enum { SAMPLE_INPUTS = 4 };

typedef struct sample {
    const rg__op *op;
    int index;
    rg_dtype dtype; /* of the float inputs */
    rg_array input[SAMPLE_INPUTS];
    int inputs;
} sample;

/* Draws the inputs of sample `index` of an op. False where there is no such sample. */
bool sample_new(sample *s, const rg__op *op, int index, rg_dtype dtype);
void sample_free(sample *s);

/* Records it from given inputs; an rg_function whose user is the sample. */
rg_tensor sample_record(rg_tape *t, const rg_tensor *x, int count, void *user);

/* Records it from its own inputs. */
rg_tensor sample_record_inputs(rg_tape *t, sample *s);

/* Has it elements to differentiate by, and a result with elements? */
bool sample_is_empty(const sample *s);

#endif
