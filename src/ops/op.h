/* The op table: what an op is, what a recorded node is, and how a family records, computes and differentiates.
 *
 * Each family file holds, for every op of it, one row (name, arity, formula, what the checker samples), the shape rule,
 * the reference kernel and the vjp rule. The recording functions declared here are implemented by the tape. */
#ifndef RG__OPS_OP_H
#define RG__OPS_OP_H

#include "core/memory.h"
#include "core/strided.h"

#include <retrograd/ops.h>
#include <retrograd/tape.h>

typedef struct rg__op rg__op;
typedef struct rg__call rg__call;

/* ---- a recorded node --------------------------------------------------------------------------------------------- */
enum {
    RG__VIEW = 1 << 0,         /* the value is a view of input 0's storage                              */
    RG__CUT = 1 << 1,          /* no gradient flows through: no-grad section, detach, op without vjp    */
    RG__TRACKED = 1 << 2,      /* depends on a trainable parameter                                      */
    RG__BACKWARD = 1 << 3,     /* recorded while gradients were taken                                   */
    RG__KEEP = 1 << 4,         /* its value will be asked for                                           */
    RG__INFERENCE = 1 << 5,    /* recorded in an inference section                                      */
    RG__EXTERNAL = 1 << 6,     /* the value lies outside of the tape's pool: borrowed, or in a parameter */
    RG__IN_PARAMETER = 1 << 7, /* it was assigned in place: the value lies in slot.param at `version` */
    RG__PASSING = 1 << 8,      /* of a checkpointed function: not kept for a later backward pass        */
    RG__RESUMED = 1 << 9,      /* what such a function returned: kept, the next one starts there        */
};

typedef struct rg__node {
    const rg__op *op;
    const int64_t *dims;    /* in the arena, or another node's */
    const int64_t *strides; /* in elements; NULL for row-major */
    const uint32_t *in;     /* ids; small_in, or in the arena  */
    const void *attr;       /* op->attr_size bytes, hashed     */
    union {                 /* bound at each run, never hashed */
        double scalar;      /* rg_scalar                       */
        uint64_t counter;   /* random ops: the first draw      */
        rg_param *param;    /* leaf, assign                    */
        const void *given;  /* hook: what is called            */
    } slot;
    uint64_t version; /* leaf: of the parameter when recorded */
    void *data;       /* the value; NULL until computed       */
    const char *scope;
    uint64_t generation;
    int64_t numel;
    int64_t offset;  /* views: in elements, from the root's first */
    uint32_t root;   /* the node that owns the storage; itself for others than views */
    uint32_t copied; /* 1 + the node that holds a copy of this value outside of a parameter; 0: none */
    uint32_t round;  /* of what is computed again: 1 + the first node of it, and it is not computed earlier; else 0 */
    uint32_t small_in[3];
    uint16_t flags;
    uint16_t n_in;
    uint8_t dtype, rank;
} rg__node;

/* ---- kernels ----------------------------------------------------------------------------------------------------- */
/* Element-wise: n elements; p[0] the result, p[1..] the arguments; stride in bytes. */
typedef void (*rg__loop)(int64_t n, char *const *p, const int64_t *stride, const void *attr);

typedef struct rg__array_view {
    void *data;
    const int64_t *dims;
    int64_t strides[RG_MAX_RANK]; /* in elements */
    int rank;
    rg_dtype dtype;
} rg__array_view;

/* What a kernel gets: views of the inputs, and of the result, which is row-major and not initialised. */
typedef struct rg__run {
    rg_tape *t;
    const rg__node *node;
    const rg__array_view *in;
    rg__array_view out;
    int threads;
    rg__pool *pool;                   /* memory for the time of the call, on this thread */
    const struct rg__gemm_rows *rows; /* for ops with `by_rows`: what is to be done to finished rows; NULL: nothing */
    const struct rg__gemm_kept *kept; /* for those as well: the second argument as other products read it; NULL: not kept */
} rg__run;

/* False after rg__run_fail: a value that the op does not allow, or no memory. */
typedef bool (*rg__kernel)(const rg__run *run);
bool rg__run_fail(const rg__run *run, rg_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The op's loop over all elements: for kernels that look at their inputs first. */
bool rg__run_loop(const rg__run *run);

/* ---- gradients --------------------------------------------------------------------------------------------------- */
/* A vjp rule records, for each wanted input, the gradient of <result, g>. It may have the broadcast shape: the engine
 * sums it back, accumulates and checks. An input left nil has no gradient. */
typedef struct rg__vjp {
    rg_tape *t;
    const rg__node *node;
    const rg_tensor *in;
    rg_tensor out, g;
    const void *attr;
    const bool *wanted;
    rg_tensor *grad;
} rg__vjp;
typedef void (*rg__vjp_rule)(const rg__vjp *v);

/* x summed back to the shape of input i, for rules that go on with what is left. */
rg_tensor rg__fit(const rg__vjp *v, int i, rg_tensor x);

/* Records the expression only if the gradient of input i is wanted. */
#define RG__GRAD(v, i, expression)       \
    do {                                 \
        if ((v)->wanted[i])              \
            (v)->grad[i] = (expression); \
    } while (0)

/* ---- samples: what the gradient checks, the random programs and the executors are run on ------------------------- */
typedef enum rg__domain_kind {
    RG__INTERVAL, /* in [low, high]                                           */
    RG__SIGNED,   /* magnitude in [low, high], either sign                    */
    RG__DISTINCT, /* distinct values 0.1 apart or more, from low upwards, in random order; several draws are apart, too */
} rg__domain_kind;
typedef struct rg__domain {
    rg__domain_kind kind;
    double low, high;
} rg__domain;
#define RG__REAL ((rg__domain){RG__INTERVAL, -2, 2})

typedef struct rg__draw rg__draw;
struct rg__draw {
    rg_tensor (*next)(rg__draw *draw, rg_shape shape, rg__domain domain); /* the next float input of the sample */
    rg_tape *t;
    void *user;
};
#define RG__DRAW(draw, shape, domain) ((draw)->next((draw), (shape), (domain)))

/* Records sample `index` of an op on draw->t; nil past the last one. Element-wise ops need none. */
typedef rg_tensor (*rg__sample)(rg__draw *draw, int index);

/* ---- laws: what holds of an op bit for bit, for infinities and both zeros, too, and of NaN that it is one --------- */
/* When a result may be -0.0. */
typedef enum rg__zero {
    RG__ZERO_ANY = 0, /* who knows                                     */
    RG__ZERO_PLUS,    /* never                                         */
    RG__ZERO_FIRST,   /* only where the first argument may be          */
    RG__ZERO_ALL,     /* only where all arguments may be               */
    RG__ZERO_LAST,    /* only where one of the last two arguments may be */
} rg__zero;
typedef struct rg__laws {
    bool left, right; /* unit op x = x; x op unit = x */
    double unit;
    bool involution; /* op(op(x)) = x */
    bool idempotent; /* op(x, x) = x, be it of a condition, too; of one argument: op(op(x)) = op(x) */
    rg__zero zero;
} rg__laws;

/* ---- the row ----------------------------------------------------------------------------------------------------- */
typedef enum rg__op_kind {
    RG__PRIMITIVE = 0, /* appears on tapes                           */
    RG__COMPOSED,      /* a function of other ops, listed for checks */
} rg__op_kind;

/* How attributes are printed, and named for callers that know them by name. */
typedef enum rg__field_kind {
    RG__INT,
    RG__FLOAT,
    RG__FLAG,
    RG__DTYPE,
    RG__AXIS_SET,
    RG__AXIS_ORDER,
    RG__EXTENTS
} rg__field_kind;
typedef struct rg__field {
    const char *name;
    rg__field_kind kind;
    uint16_t offset;
} rg__field;
// clang-format off
#define RG__FIELD(type, member, kind) {#member, kind, offsetof(type, member)}
// clang-format on

/* in[1] is the index */
typedef enum rg__at_index {
    RG__NOT_INDEXED,
    RG__PICKS,  /* reads in[0] there                  */
    RG__PLACES, /* in[0] with in[2] added to it there */
} rg__at_index;

struct rg__op {
    const char *name;
    const char *formula;
    rg__op_kind kind;
    int8_t arity;        /* -1: any number                                     */
    bool differentiable; /* false: no gradient, by declaration                 */
    bool random;         /* draws from slot.counter on                         */
    bool bool_result;    /* element-wise: the result is bool                   */
    bool fallible;       /* the kernel may fail: on a value, or for memory     */
    bool by_rows;        /* of a matrix, the kernel can hand over finished rows */
    uint16_t attr_size;
    const rg__field *fields;  /* ends with a NULL name; NULL: none                */
    rg__loop loop[RG_DTYPES]; /* element-wise kernel by dtype of the last input   */
    rg__kernel kernel;        /* any other; neither: a view or a value from outside */
    rg__vjp_rule vjp;
    rg_tensor (*again)(rg_tape *t, rg_tensor x, const rg__node *like); /* views: the same of another x */
    rg__domain domain[3]; /* element-wise: of each argument                    */
    rg__sample sample;
    const char *no_sample; /* why there is none */
    const char *signature; /* NULL: not called by name. See call.h      */
    int (*call)(const rg__call *call, rg_tensor *out);
    uint8_t fold;          /* 1 + rg__fold, for reductions that can be folded block by block */
    rg__at_index at_index; /* what it does at computed positions, for those that can be done row by row */
    const rg__laws *laws;  /* NULL: none are known */
};

/* The table, family by family: the public ops, and those that only other ops record. */
int rg__op_count(void);
const rg__op *rg__op_at(int index);
const rg__op *rg__op_find(const char *name); /* NULL where there is none */

/* Is it element-wise? */
static inline bool rg__op_has_loops(const rg__op *op)
{
    return op->loop[RG_F32] || op->loop[RG_I32] || op->loop[RG_BOOL];
}

/* The op's place in the table. */
uint32_t rg__op_key(const rg__op *op);

/* Reductions: how they fold, false for other ops; and the reduced axes as bits. */
typedef enum rg__fold { RG__FOLD_SUM, RG__FOLD_MAX, RG__FOLD_MIN } rg__fold;
bool rg__op_fold(const rg__op *op, rg__fold *fold);
uint32_t rg__op_axes(const rg__node *node);
void rg__op_set_axes(void *attr, uint32_t axes);

/* Ops that the planner writes itself. The attribute of a constant is its number, a double. */
extern const rg__op *const rg__op_constant, *const rg__op_add, *const rg__op_where;
extern const rg__op *const rg__op_cast, *const rg__op_sum, *const rg__op_expand, *const rg__op_matmul;
extern const rg__op *const rg__op_scatter_add;

/* One element of the dtype, as a constant stores it. */
void rg__store_number(rg_dtype dtype, void *out, double value);

/* The axis that an op with at_index goes along. */
int rg__op_index_axis(const rg__node *node);

/* "axes=[1] keepdim=true" */
void rg__attributes_text(const rg__node *node, char *text, size_t size);

/* ---- recording (implemented by the tape) ------------------------------------------------------------------------- */
/* The node of an argument, or NULL and an error that names the op. A nil argument of a failed tape is no new error. */
const rg__node *rg__arg(rg_tape *t, const rg__op *op, rg_tensor x);
/* An argument that must be float, number, integer or bool. */
typedef enum rg__dtype_class { RG__ANY, RG__NUMBER, RG__FLOATS, RG__INTEGER, RG__BOOLS } rg__dtype_class;
const rg__node *rg__arg_of(rg_tape *t, const rg__op *op, rg_tensor x, rg__dtype_class allowed);

/* Any op whose result owns its storage. */
rg_tensor rg__record(rg_tape *t, const rg__op *op, const rg_tensor *in, int n_in, rg_dtype dtype, int rank,
                     const int64_t *dims, const void *attr);
/* A view of x: strides and offset within x's root. */
rg_tensor rg__record_view(rg_tape *t, const rg__op *op, rg_tensor x, int rank, const int64_t *dims,
                          const int64_t *strides, int64_t offset, const void *attr);
/* An element-wise op: checks dtypes and broadcasts. */
rg_tensor rg__record_pointwise(rg_tape *t, const rg__op *op, const rg_tensor *in, int n_in, const void *attr);
/* A random op: reserves a counter for each element. */
rg_tensor rg__record_random(rg_tape *t, const rg__op *op, rg_dtype dtype, int rank, const int64_t *dims,
                            const void *attr);
/* The same of an op with inputs. */
rg_tensor rg__record_draw(rg_tape *t, const rg__op *op, const rg_tensor *in, int n_in, rg_dtype dtype, int rank,
                          const int64_t *dims, const void *attr);
uint64_t rg__tape_seed(const rg_tape *t);

/* The tape's error: op, message, scope. */
void rg__fail(rg_tape *t, const rg__op *op, rg_status status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Puts the op before an error that another one gave, as a part of it. */
void rg__fail_within(rg_tape *t, const rg__op *op);

/* ---- shared by the families -------------------------------------------------------------------------------------- */
/* x in storage of its own. */
rg_tensor rg__copy_of(rg_tape *t, rg_tensor x);
extern const rg__op *const rg__op_copy;

/* Products that a sum can take in as it goes. */
extern const rg__op *const rg__op_mul, *const rg__op_square;

/* The node of a complex tensor, whose last axis is 2 long, or NULL and an error. */
const rg__node *rg__complex_arg(rg_tape *t, const rg__op *op, rg_tensor z);

/* A constant scalar of x's dtype. */
rg_tensor rg__like(rg_tape *t, rg_tensor x, double value);

/* Strides of a node, written out. */
void rg__node_strides(const rg__node *node, int64_t *strides);

/* The axes as bits, all of them where none is given; false and an error where one is out of range or there twice. As in
 * PyTorch, a scalar may be reduced along axis 0 or -1. */
bool rg__axis_set(rg_tape *t, const rg__op *op, const rg__node *x, rg_axes axes, uint32_t *set);

/* An axis of x counted from 0, or -1 and an error. */
int rg__axis_of(rg_tape *t, const rg__op *op, const rg__node *x, int axis);

/* How many elements start:stop:step takes of an axis, as rg_slice reads it; *start becomes the first of them. */
int64_t rg__slice_range(int64_t extent, int64_t *start, int64_t stop, int64_t step);

static inline rg__strided rg__strided_of(const rg__array_view *v)
{
    return (rg__strided){v->data, v->strides, rg_dtype_size(v->dtype)};
}

/* pad with `interior` elements between each two of x along an axis: the gradient of slice. */
rg_tensor rg__pad(rg_tape *t, rg_tensor x, const int64_t *before, const int64_t *after, const int64_t *interior,
                  double value);
/* Is it a pad with zeros along one axis? Then which, and where its argument begins there. */
bool rg__pad_part(const rg__node *node, int *axis, int64_t *first);
#define RG__NODE_TEXT(node) RG__DIMS_TEXT((node)->rank, (node)->dims)

#endif
