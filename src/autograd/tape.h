/* The tape: nodes in the order of recording, and what belongs to one step. Seen by the rooms autograd and exec. */
#ifndef RG__AUTOGRAD_TAPE_H
#define RG__AUTOGRAD_TAPE_H

#include "core/error.h"
#include "core/memory.h"
#include "ops/op.h"

#define RG__NODES_PER_CHUNK 1024

/* An open scope or section; in the arena. */
typedef struct rg__frame {
    struct rg__frame *outer;
    const char *scope;
    rg_mode mode;
} rg__frame;

/* A place to roll back to. */
typedef struct rg__place {
    uint64_t generation; /* of the mark itself */
    uint64_t events;
    size_t structure; /* bytes */
    uint32_t length;
    rg__arena_mark arena;
    rg__frame *scope, *mode;
} rg__place;

/* What a tape knows of a parameter. */
typedef struct rg__entry {
    rg_param *param; /* NULL: free */
    uint32_t number; /* in the order in which the tape met them */
    rg_tensor leaf;  /* of its present value; nil before the first */
    rg_tensor grad;  /* accumulated so far; nil for none           */
    uint32_t lies;   /* 1 + the node whose value lies in the parameter since it was assigned there; 0 for none */
} rg__entry;

/* A list of node ids. */
typedef struct rg__ids {
    uint32_t *id;
    size_t count, capacity;
} rg__ids;

/* The recorded structure as bytes: of each node the op, what it reads, shape, dtype, attributes; no value, no address. */
typedef struct rg__structure {
    unsigned char *bytes;
    size_t used, capacity;
    size_t hashed; /* whole blocks that `hash` covers */
    uint64_t hash;
} rg__structure;

typedef struct rg__custom rg__custom;

struct rg_tape {
    rg__error error;
    rg__node **chunk;
    size_t chunks;
    uint32_t length;
    uint64_t generation; /* of the nodes recorded now */
    rg__structure structure;
    uint64_t events; /* hash of the runs so far: with the structure it tells what is computed */
    rg__arena arena;
    rg__pool pool;
    char *workspace; /* of plans; grows to the largest */
    size_t workspace_bytes;
    struct rg__plan **plan;
    int plans;
    rg__custom *customs; /* ops of the program's own, wrapped */
    uint64_t clock;      /* of plans used, for the least recent */
    uint64_t runs, hits, made;
    double planning, running, recording, idle_since; /* seconds */
    rg__frame *scope, *mode;                         /* innermost; NULL at the top */
    uint16_t flags;                                  /* given to every node recorded now */
    uint32_t round;                                  /* likewise                         */
    rg__place *place;                                /* place[0]: the empty tape */
    size_t places, place_capacity;
    rg__entry *entry; /* open addressing by address; a power of two */
    size_t entries, entry_capacity;
    rg__ids assigns, keeps; /* not yet run */
    uint64_t seed, counter;
    int threads;
    bool eager;
    bool evaluating; /* layers are told so */
};

static inline rg__node *rg__at(const rg_tape *t, uint32_t id)
{
    return &t->chunk[id / RG__NODES_PER_CHUNK][id % RG__NODES_PER_CHUNK];
}

static inline rg_tensor rg__handle(const rg_tape *t, uint32_t id)
{
    return (rg_tensor){rg__at(t, id)->generation, id};
}

/* The node of a handle, or NULL and an error in the name of `who`. */
rg__node *rg__node_of(rg_tape *t, const char *who, rg_tensor x);

/* The tape's error with name in front and scope behind. */
void rg__fail_named(rg_tape *t, const char *who, rg_status status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void rg__fail_in(rg_tape *t, const char *who, const char *scope, rg_status status, const char *format, va_list args)
    __attribute__((format(printf, 5, 0)));

/* XXH3 over the structure. */
uint64_t rg__structure_hash(rg_tape *t);
/* Appends to it; false and an error when out of memory. */
bool rg__structure_add(rg_tape *t, const void *bytes, size_t n);
/* Forgets all but the first bytes. */
void rg__structure_cut(rg_tape *t, size_t used);

/* Adds an id; false and an error when out of memory. */
bool rg__ids_add(rg_tape *t, rg__ids *ids, uint32_t id);

/* What the tape knows of p, made if need be; NULL and an error when out of memory. */
rg__entry *rg__entry_of(rg_tape *t, rg_param *p);

/* A value that lies in the tape's own pool: x itself, or a copy of what lies in a parameter, which an assignment may
 * overwrite. The copy is recorded once. */
rg_tensor rg__own(rg_tape *t, rg_tensor x);

/* Is the storage of this node a parameter's? */
bool rg__in_parameter(const rg_tape *t, const rg__node *node);

/* What a node has beside what every op has: a value from outside, a slot, a view. */
typedef struct rg__source {
    uint64_t slot; /* the bits of rg__node.slot */
    uint64_t version;
    void *data;
    uint16_t flags;
    const int64_t *strides; /* NULL: row-major */
    int64_t offset;
} rg__source;
rg_tensor rg__record_slot(rg_tape *t, const rg__op *op, const rg_tensor *in, int n_in, rg_dtype dtype, int rank,
                          const int64_t *dims, const void *attr, const rg__source *source);

/* Records a leaf of p: of the value in the store, or of `value`, which was just assigned (nil: the store's). */
rg_tensor rg__record_leaf(rg_tape *t, rg_param *p, rg__entry *e, rg_tensor value);

/* The ops by which values enter and leave a tape. */
extern const rg__op *const rg__op_leaf, *const rg__op_assign;

/* After an assignment in place: the node's value lies in p, as long as that keeps its version. */
void rg__lie_in_parameter(rg_tape *t, uint32_t id, rg_param *p);
/* The value that lies in p, if there is one, gets storage of its own. False and an error when out of memory. */
bool rg__move_out_of_parameter(rg_tape *t, rg_param *p);

/* Gives a leaf a copy of the parameter's value. False and an error when out of memory. */
bool rg__copy_leaf(rg_tape *t, uint32_t id);

/* Ops of the program's own. The identity tells them apart in the structure; false for any other op. */
bool rg__custom_identity(const rg__op *op, uint64_t *identity);
void rg__customs_free(rg_tape *t);

/* rg_grad, or with a cotangent given rg_grad_with, in the name of `who`. */
bool rg__grad(rg_tape *t, const char *who, rg_tensor y, rg_tensor cotangent, bool given, const rg_tensor *x, int count,
              rg_tensor *out);

/* The gradients of the sum of all <y, cotangent>; a nil cotangent is zero. The y are valid, the cotangents like them. */
typedef struct rg__pair {
    rg_tensor y, cotangent;
} rg__pair;
bool rg__grad_of(rg_tape *t, const char *who, const rg__pair *y, int ys, const rg_tensor *x, int count, rg_tensor *out);

/* What a checkpointed function did, recorded again from what it read. */
typedef struct rg__recalled {
    uint32_t first;  /* the node that stands for input 1 of the checkpoint; those for the others follow it */
    uint32_t result; /* stands for input 0 */
} rg__recalled;
extern const rg__op *const rg__op_checkpoint;
bool rg__recall(rg_tape *t, const rg__node *checkpoint, rg__recalled *recalled);

/* Records p := value for a parameter or a stored gradient; returns false on error. */
bool rg__record_assign(rg_tape *t, rg_param *p, rg_tensor value);

/* Assigns the gradients recorded since node `from` to their parameters' stored gradients. */
void rg__store_grads(rg_tape *t, uint32_t from);

#endif
