/* Identities, bit for bit: what adds -0.0, multiplies by 1, negates twice, copies. The ops' laws (ops/op.h) say which. */
#include "exec/simplify.h"

#include <math.h>
#include <string.h>

/* ---- zeros ---- */

bool rg__has_no_minus_zero(const rg__build *b, uint32_t x)
{
    const uint32_t id = rg__build_node(b, x)->root;
    const rg__node *root = rg__build_node(b, id);
    double value;
    if (rg__is_constant(b, x, &value))
        return value != 0 || !signbit(value);
    return b->plus[id] || root->dtype > RG_F64 || (root->op->laws && root->op->laws->zero == RG__ZERO_PLUS);
}

bool rg__gives_no_minus_zero(const rg__build *b, const rg__node *n)
{
    if (n->dtype > RG_F64)
        return true;
    if (n->op == rg__op_cast) /* a narrower one may round to zero */
        return n->dtype == RG_F64 ? rg__has_no_minus_zero(b, n->in[0]) : rg__build_node(b, n->in[0])->dtype > RG_F64;
    switch (n->op->laws ? n->op->laws->zero : RG__ZERO_ANY) {
    case RG__ZERO_ANY: return false;
    case RG__ZERO_PLUS: return true;
    case RG__ZERO_FIRST: return rg__has_no_minus_zero(b, n->in[0]);
    case RG__ZERO_ALL: return rg__has_no_minus_zero(b, n->in[0]) || rg__has_no_minus_zero(b, n->in[n->n_in - 1]);
    case RG__ZERO_LAST:
        return rg__has_no_minus_zero(b, n->in[n->n_in - 1]) && rg__has_no_minus_zero(b, n->in[n->n_in - 2]);
    }
    return false;
}

/* ---- identities ---- */

static bool same_operand(const rg__build *b, uint32_t x, uint32_t y)
{
    const rg__node *m = rg__build_node(b, x), *n = rg__build_node(b, y);
    int64_t sm[RG_MAX_RANK], sn[RG_MAX_RANK];
    if (m->root != n->root || m->offset != n->offset || !rg__dims_equal(m->rank, m->dims, n->rank, n->dims))
        return false;
    rg__node_strides(m, sm);
    rg__node_strides(n, sn);
    return memcmp(sm, sn, m->rank * sizeof *sm) == 0;
}

/* Does argument i leave the other one, x, as it is? A zero of the other sign will do for what is never -0.0. */
static bool is_unit(const rg__build *b, const rg__node *n, int i, uint32_t x)
{
    double value;
    return rg__is_constant(b, n->in[i], &value) && value == n->op->laws->unit &&
           (!signbit(value) == !signbit(n->op->laws->unit) || rg__has_no_minus_zero(b, x));
}

static rg__verdict binary(rg__build *b, const rg__node *n, uint32_t *equal)
{
    const rg__laws *laws = n->op->laws;
    uint32_t x;
    if (laws->right && is_unit(b, n, 1, n->in[0]))
        x = n->in[0];
    else if (laws->left && is_unit(b, n, 0, n->in[1]))
        x = n->in[1];
    else if (laws->idempotent && same_operand(b, n->in[0], n->in[1]))
        x = n->in[0];
    else
        return RG__LEFT;
    *equal = rg__add_expanded(b, x, n->rank, n->dims);
    return RG__EQUAL;
}

/* An op that undoes itself, or does nothing the second time. */
static rg__verdict unary(rg__build *b, const rg__node *n, uint32_t *equal)
{
    const rg__node *x = rg__build_node(b, rg__build_node(b, n->in[0])->root);
    if (x->op != n->op)
        return RG__LEFT;
    if (n->op->laws->idempotent) {
        *equal = n->in[0];
        return RG__EQUAL;
    }
    x = n->op->laws->involution ? rg__computed_now(b, n->in[0]) : NULL;
    return x && rg__view_through(b, n->in[0], x->rank, x->dims, x->in[0], equal) ? RG__EQUAL : RG__LEFT;
}

static rg__verdict selection(rg__build *b, const rg__node *n, uint32_t *equal)
{
    double condition;
    uint32_t x = n->in[1];
    if (n->op == rg__op_where && rg__is_constant(b, n->in[0], &condition))
        x = condition ? n->in[1] : n->in[2];
    else if (!n->op->laws->idempotent || !same_operand(b, n->in[1], n->in[2]))
        return RG__LEFT;
    *equal = rg__add_expanded(b, x, n->rank, n->dims);
    return RG__EQUAL;
}

rg__verdict rg__drop_identity(rg__build *b, rg__node *n, uint32_t *equal)
{
    if (n->op == rg__op_copy) {
        *equal = n->in[0];
        return RG__EQUAL;
    }
    if (!n->op->laws || n->op->kernel)
        return RG__LEFT;
    switch (n->n_in) {
    case 1: return unary(b, n, equal);
    case 2: return binary(b, n, equal);
    case 3: return selection(b, n, equal);
    }
    return RG__LEFT;
}
