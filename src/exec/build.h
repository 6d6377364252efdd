/* What the passes that make a plan share. */
#ifndef RG__EXEC_BUILD_H
#define RG__EXEC_BUILD_H

#include "exec/plan.h"

/* What a node is within its group's space of rows and columns. */
typedef enum rg__role {
    RG__FULL,      /* an element for each position                      */
    RG__BY_ROW,    /* an element for each row                           */
    RG__BY_COLUMN, /* a fold over the rows: there when the group is done */
    RG__WHOLE,     /* a fold over everything: likewise                  */
} rg__role;

/* Nodes that one step computes. Groups run in their order. */
typedef struct rg__group {
    bool fused;
    int64_t numel;   /* of the space */
    int64_t columns; /* 0: any so far */
    uint32_t *node;
    int nodes, capacity;
    const char *ended; /* why the first node that might have joined did not */
} rg__group;

#define RG__NO_GROUP UINT32_MAX

/* Nodes have the ids of the tape; those that simplifying adds have the ids from the tape's length on. A node of the tape is
 * never changed: the build has a rewritten one in its place. */
typedef struct rg__build {
    rg_tape *t;
    const rg__demand *demand;
    rg__arena arena;       /* ends with the build */
    uint32_t length;       /* nodes, the added ones too */
    uint32_t capacity;     /* of the lists by id up to `equal` */
    const rg__node **node; /* by id: as it is computed */
    uint32_t *origin;      /* by id: the node of the tape that it was added for, or itself */
    uint32_t looked_at;    /* the node of the tape that is being simplified */
    bool *needed;          /* by id: has to be computed */
    bool *asked;           /* by id: its value must be there after the run */
    bool *fixed;           /* by id: has to be in storage of its own: asked for or assigned */
    bool *saved;           /* by id, leaves: the old value must outlive an assignment */
    bool *plus;            /* by id: no element is -0.0 */
    uint32_t *equal;       /* by id: 1 + a node that has the same elements, be it a view; 0 for none */
    uint32_t *seen;        /* by id, views: 1 + the same view of what its root is equal to; 0 for not known yet */
    uint32_t *order;       /* the needed ones as they are computed; in it may be some that are not needed any more */
    uint32_t ordered, order_capacity;
    uint32_t *same;        /* by id: the node that computes the same, or itself */
    uint32_t *group;       /* by id */
    uint8_t *role;         /* by id */
    bool *stored;          /* by id: its value goes to memory */
    bool *again;           /* by id: groups that read it compute it themselves */
    bool *assigned;        /* by id: it is the value of an assignment */
    uint32_t *assign_node; /* by id: 1 + the assignment whose parameter it is written into; 0 for none */
    bool *overwritten;     /* by id, leaves: such a value is written over theirs */
    rg__group *groups;
    uint32_t group_count, group_capacity;
    rg__plan *plan;
    bool failed; /* out of memory */
} rg__build;

void *rg__build_alloc(rg__build *b, size_t bytes); /* zeros, in the build's arena; NULL sets failed */
void *rg__plan_alloc(rg__build *b, size_t bytes);  /* zeros, in the plan's arena */

/* The node as it is computed, which may not be as it was recorded. */
static inline const rg__node *rg__build_node(const rg__build *b, uint32_t id)
{
    return b->node[id];
}

/* Gives the step its node, where the tape does not have it as it is computed. */
void rg__bring_along(rg__build *b, rg__step *step, uint32_t id);

/* The node whose storage a value lies in, after merging. */
uint32_t rg__build_root(const rg__build *b, uint32_t id);

/* How an operand is read in a space of `rank` dims. */
typedef enum rg__reading_kind {
    RG__READ_FULL,    /* contiguous, an element for each position */
    RG__READ_ROWS,    /* the same along the trailing axes         */
    RG__READ_COLUMNS, /* the same along the leading axes          */
    RG__READ_ONE,     /* one element                              */
    RG__READ_ANY,     /* any strides                              */
} rg__reading_kind;
typedef struct rg__reading {
    rg__reading_kind kind;
    int64_t columns; /* rows, columns: how many elements the trailing axes have */
    bool whole;      /* all of the root, in its order */
    int64_t strides[RG_MAX_RANK];
} rg__reading;
rg__reading rg__read_as(const rg__build *b, uint32_t operand, int rank, const int64_t *dims);

/* Does the op read, or add to, one element of each row at an index? Then a fused step can do it. columns: of a row. */
bool rg__indexes_rows(const rg__build *b, const rg__node *n, int64_t *columns);

/* Passes, in this order. */
void rg__find_needed(rg__build *b); /* what is demanded, and what must outlive the run */
void rg__simplify(rg__build *b);    /* algebra                */
void rg__find_read(rg__build *b);   /* what is still needed   */
void rg__merge_same(rg__build *b);  /* common sub-expressions */
void rg__form_groups(rg__build *b); /* fusion                 */
void rg__assign_in_place(rg__build *b);
void rg__settle_stored(rg__build *b);  /* what goes to memory            */
void rg__write_steps(rg__build *b);    /* groups to steps                */
void rg__schedule_steps(rg__build *b); /* steps that run at once         */
void rg__keep_packed(rg__build *b);    /* what several products pack */
void rg__place_values(rg__build *b);   /* liveness to offsets    */

#endif
