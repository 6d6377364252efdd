/* What the files share that write the steps of a plan. */
#ifndef RG__EXEC_WRITE_H
#define RG__EXEC_WRITE_H

#include "exec/build.h"

typedef struct rg__writer {
    rg__build *b;
    uint32_t *value;     /* by id: 1 + value; 0 for none yet */
    uint32_t step, node; /* being written */
    /* of the fused step being written */
    rg__fused *f;
    const rg__group *g;
    uint32_t group;
    rg__operand *operand; /* by id: where a node of the group is */
    uint32_t *uses;       /* by id: readers in the group that are still to come */
    uint32_t *reader;     /* by id: the last of them                            */
    bool *put_off;        /* by id: a product that is computed where it is summed */
    struct slots {
        uint32_t *offset;
        int count, capacity;
    } free[2][3]; /* an element a position or a row; of 1, 4 and 8 bytes */
    struct loaded {
        uint32_t root;
        int64_t offset;
        rg__reading reading;
        int rank;
        const int64_t *dims;
        rg__operand operand;
    } * loaded;
    int loads, load_capacity, instruction_capacity, filling_capacity;
} rg__writer;

/* The plan's value that a node's storage is, which the step that is being written reads or writes. */
uint32_t rg__value_of(rg__writer *w, uint32_t root);

/* ---- operand.c: where a fused step's operands are ----------------------------------------------------------------- */
rg__instruction *rg__add_instruction(rg__writer *w, rg__instruction_kind kind);

/* Slots: scratch memory of a thread, of the size of a block, or of an element a row. Filled slots are never shared: they
 * are written before the first instruction. */
uint32_t rg__take_slot(rg__writer *w, size_t size, bool by_row, bool filled);
void rg__give_slot(rg__writer *w, rg__operand o, bool by_row);
rg__operand rg__new_slot(rg__writer *w, rg_dtype dtype, bool by_row);

/* What was brought into a slot already. */
const rg__operand *rg__find_loaded(const rg__writer *w, uint32_t root, int64_t offset, const rg__reading *r, int rank,
                                   const int64_t *dims);
void rg__remember_loaded(rg__writer *w, uint32_t root, int64_t offset, const rg__reading *r, int rank,
                         const int64_t *dims, rg__operand operand);

/* What is asked of an operand: an array of the block; one element for all or for each row will do; one for each row. */
typedef enum rg__wanted { RG__ARRAY, RG__MAY_BE_ONE, RG__ROWS } rg__wanted;

/* Operand i of node n. */
rg__operand rg__read_operand(rg__writer *w, const rg__node *n, int i, bool by_row, rg__wanted want);

/* ---- program.c: a group as a program over blocks ------------------------------------------------------------------ */
void rg__write_fused(rg__writer *w, uint32_t group);
/* A node of another group, in a slot that keeps it to the end of this one. */
rg__operand rg__computed_again(rg__writer *w, uint32_t id);

#endif
