/* How an op is called by name: its signature, as text in its row, and a function that takes its attributes from there.
 *
 * A family writes, for each op of it that is public,
 *
 *     ROW(gather, ..., RG__CALLED(gather, "x: any, index: integer, axis: int"))
 *     RG__CALL(gather, rg_gather(t, in[0], RG__AXIS_OF(axis), in[1]))
 *
 * The grammar of signatures is in retrograd/table.h. Tensors that are left out are nil in in[]. rg_apply checks names and
 * forms before the function is called, so that the getters below only read. */
#ifndef RG__OPS_CALL_H
#define RG__OPS_CALL_H

#include "ops/op.h"

struct rg__call {
    rg_tape *t;
    const rg__op *op;
    const rg_tensor *in; /* all tensors of the signature; of `x...` as many as there are */
    int count;
    int capacity;                  /* of the results                          */
    const struct rg__argument *of; /* the attributes, by place of the signature */
    int arguments;
};

/* Attributes by name. The values are what the signature says; those that are out of range are the op's to refuse. */
int64_t rg__call_int(const rg__call *c, const char *name);
double rg__call_real(const rg__call *c, const char *name);
bool rg__call_flag(const rg__call *c, const char *name);
rg_dtype rg__call_dtype(const rg__call *c, const char *name);
int rg__call_word(const rg__call *c, const char *name); /* which of the words, from 0 */
const char *rg__call_text(const rg__call *c, const char *name, char *buffer, size_t size);
/* A list: how many numbers there are (`all` and `none` are 0 of them), at most `capacity` of them in out. */
int rg__call_ints(const rg__call *c, const char *name, int64_t *out, int capacity);
/* The same, one number standing for n of them. An error where there are others than n. */
void rg__call_each(const rg__call *c, const char *name, int n, int64_t *out);
rg_axes rg__call_axes(const rg__call *c, const char *name);
rg_shape rg__call_shape(const rg__call *c, const char *name);
bool rg__call_given(const rg__call *c, const char *name); /* is it other than `none`? */

#define RG__CALLED(name_, signature_) .signature = signature_, .call = call_##name_

/* One result, written with the names that follow. They hold in the expression alone. */
#define RG__CALL(name, ...)                                   \
    static int call_##name(const rg__call *c, rg_tensor *out) \
    {                                                         \
        rg_tape *t = c->t;                                    \
        const rg_tensor *in = c->in;                          \
        (void)in;                                             \
        out[0] = (__VA_ARGS__);                               \
        return 1;                                             \
    }
#define RG__INT_OF(name)   rg__call_int(c, #name)
#define RG__REAL_OF(name)  rg__call_real(c, #name)
#define RG__FLAG_OF(name)  rg__call_flag(c, #name)
#define RG__DTYPE_OF(name) rg__call_dtype(c, #name)
#define RG__WORD_OF(name)  rg__call_word(c, #name)
#define RG__AXIS_OF(name)  rg__call_axis(c, #name)
#define RG__AXES_OF(name)  rg__call_axes(c, #name)
#define RG__SHAPE_OF(name) rg__call_shape(c, #name)

/* An axis: what lies beyond int is as wrong as any other number that no tensor has. */
static inline int rg__call_axis(const rg__call *c, const char *name)
{
    const int64_t axis = rg__call_int(c, name);
    return axis < INT16_MIN ? INT16_MIN : axis > INT16_MAX ? INT16_MAX : (int)axis;
}

/* Element-wise ops without attributes. */
int rg__call_pointwise(const rg__call *c, rg_tensor *out);

#endif
