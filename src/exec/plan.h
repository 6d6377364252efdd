/* A plan: how the pending part of a tape is run. It names nodes by id and owns all its memory, so it outlives the tape's
 * resets; running it binds it to the values of the tape that has the same structure. */
#ifndef RG__EXEC_PLAN_H
#define RG__EXEC_PLAN_H

#include "exec/run.h"

#include <stdio.h>

/* ---- values: storage that steps read or write -------------------------------------------------------------------- */
typedef enum rg__place_kind {
    RG__GIVEN,    /* computed before, an input or a parameter: where the node says */
    RG__WORK,     /* in the workspace, at `offset`                                  */
    RG__RETAINED, /* in a block of the pool, which the node keeps                   */
    RG__IN_PLACE, /* in a parameter, whose assignment this is                       */
} rg__place_kind;

typedef struct rg__plan_value {
    uint32_t node;
    rg__place_kind kind;
    size_t bytes, offset;
    uint32_t first, last; /* steps that write and last read it */
    uint32_t reader;      /* a node that reads it: the first   */
} rg__plan_value;

/* ---- fused steps ---------------------------------------------------------------------------------------------------
 * A fused step works on a space of `rows` rows of `columns` elements, block by block. Everything in it is an array of a
 * block: full (an element for each position) or one element a row. */
typedef enum rg__operand_kind {
    RG__SLOT,    /* scratch memory of the thread, at `at`            */
    RG__FULL_OF, /* value `at`, an element for each position         */
    RG__ROWS_OF, /* value `at`, an element for each row              */
    RG__SAME_OF, /* value `at`, the same for every block         */
} rg__operand_kind;

typedef struct rg__operand {
    rg__operand_kind kind;
    uint8_t size;   /* bytes of an element               */
    bool one;       /* one element for all positions     */
    bool spread;    /* one element a row, for all of its columns */
    uint32_t at;    /* slot: offset in bytes; else value */
    int64_t offset; /* elements from the value's first   */
} rg__operand;

typedef enum rg__instruction_kind {
    RG__APPLY,         /* an element-wise kernel                             */
    RG__REPEAT,        /* one element a row to all of its columns, for short rows */
    RG__GATHER,        /* a value of any strides into a slot                 */
    RG__PICK,          /* an element of each row, at an index                */
    RG__PLACE,         /* an element of each row added to, at an index       */
    RG__FOLD_ROW,      /* full to one element a row                          */
    RG__FOLD_PRODUCTS, /* the products of two full ones, likewise */
    RG__FOLD_COLUMN,   /* full to one element a column, through partial sums */
    RG__FOLD_ALL,      /* full to one element, through partial sums          */
} rg__instruction_kind;

typedef struct rg__instruction {
    rg__instruction_kind kind;
    bool by_row; /* one element a row instead of a column */
    bool spread; /* an operand is                         */
    uint8_t n_in, dtype;
    rg__fold fold;
    rg__loop loop;
    uint32_t node;    /* pick, place: whose failure it is */
    const char *name; /* of the op */
    const void *attr;
    rg__operand out, in[3];
    /* gather: the shape that is walked and the strides of the value in it; folds: where the partial results are */
    int rank;
    const int64_t *dims, *strides;
    size_t partial; /* bytes into the step's partial results */
    bool buffered;  /* fold of columns: a few rows are summed in the slot in[1] first */
} rg__instruction;

/* Filled once a thread: a scalar, or a row that is the same for all. */
typedef struct rg__filling {
    rg__operand from; /* a value of one element, or of one row */
    uint32_t slot;
    bool row;
} rg__filling;

/* An array that is read or written block by block. */
typedef struct rg__stream {
    uint32_t value;
    int64_t offset; /* elements from the value's first */
    uint8_t size;   /* bytes of an element             */
} rg__stream;

typedef struct rg__fused {
    int64_t rows, columns;
    int64_t block; /* rows of a block */
    int64_t chunk; /* rows of a chunk: the unit of work, and of partial results; by the shape alone */
    int64_t chunks;
    rg__instruction *instruction;
    int instructions;
    rg__filling *filling;
    int fillings;
    rg__stream *stream; /* whose next block is fetched while one is worked on */
    int streams;
    size_t scratch, partial; /* bytes: of a thread, of a chunk                    */
    size_t results;          /* where its partial results are among those of its wave */
} rg__fused;

typedef struct rg__step {
    rg__fused *fused;       /* NULL: the node's own kernel */
    uint32_t node, out;     /* of the tape: what is computed, or what it is computed for */
    const rg__node *own;    /* what is computed, where that is not as recorded; else NULL */
    const rg__node *own_in; /* and its arguments */
    const uint32_t *in;     /* values */
    int n_in;
    int nodes;      /* that it computes */
    uint32_t round; /* rg__node.round of what it computes */
    int wave;       /* the first of a wave of fused steps, which run at once: how many they are */
    bool parallel;  /* the wave is worth more than one thread                                  */
    int64_t strip;  /* a product: the next step works on so many rows of it when they are finished; 0: none does */
    uint32_t kept; /* a product: 1 + the value that its second argument is packed into, for all that read it; 0: none */
    bool packs;    /* the first of them, which fills it                                                             */
    const char *ended; /* why the group took no more */
} rg__step;

typedef struct rg__plan {
    rg__arena arena; /* owns everything below */
    rg__plan_value *value;
    uint32_t values;
    rg__step *step;
    int steps;
    uint32_t *assign; /* assign nodes to carry out by copying, and what they copy */
    uint32_t *assigned;
    int assigns;
    uint32_t *save; /* leaves whose value is copied before it is overwritten */
    int saves;
    size_t workspace; /* bytes, scratch of one thread included */
    size_t scratch, partial, retained;
    /* the cache's */
    uint64_t key, events;
    rg__demand demand;
    void *structure;
    size_t structure_bytes;
    uint64_t used;
} rg__plan;

/* NULL and an error on the tape when out of memory. */
rg__plan *rg__plan_new(rg_tape *t, const rg__demand *demand);
void rg__plan_free(rg__plan *plan);

/* Finds the plan for what is pending in the tape's cache, or makes it. NULL on error. */
rg__plan *rg__plan_for(rg_tape *t, const rg__demand *demand);

void rg__plan_describe(const rg_tape *t, const rg__plan *plan, FILE *out);

/* Runs it on a tape of the structure that it was made for. */
bool rg__plan_run(rg_tape *t, const rg__plan *plan, const rg__demand *demand);

/* The first index of a wave that is out of range. */
typedef struct rg__bad_index {
    int step; /* of the wave */
    int64_t row, index, extent;
    uint32_t node;
} rg__bad_index;

/* A fused step that works on a product's rows while they are in a cache: a chunk for each strip of them. */
typedef struct rg__epilogue {
    const rg__fused *fused;
    char *const *address;
    char *scratch, *partial;
    size_t scratch_stride;
    int64_t strip;
    bool *ready; /* by thread: what is the same for every block is there */
    rg__bad_index bad;
} rg__epilogue;
void rg__epilogue_strip(void *epilogue, int64_t first_row, int64_t rows, int thread);
/* After the last strip. False, and `bad`, where an index was out of range. */
bool rg__epilogue_end(rg__epilogue *epilogue);

/* Runs the fused steps of a wave. address[v]: of value v's first element. False, and `bad`, where an index is out of
 * range. */
bool rg__wave_run(const rg__step *wave, char *const *address, char *scratch, size_t scratch_stride, char *partial,
                  int threads, rg__bad_index *bad);

#endif
