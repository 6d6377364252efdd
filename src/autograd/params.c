/* The parameter store. See retrograd/params.h. */
#include "autograd/params.h"

#include "core/hash.h"
#include "core/memory.h"
#include "core/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A string of the store's, in a list. */
typedef struct text text;
struct text {
    text *next;
    char text[];
};

struct rg_params {
    rg__error error;
    uint64_t seed;
    rg_dtype dtype;
    rg_param **entry;
    int count, capacity;
    text *scope; /* innermost first: the whole path of each */
    text *names; /* kept for layers                         */
};

/* ---- the store ---- */

rg_params *rg_params_new(uint64_t seed)
{
    rg_params *ps = calloc(1, sizeof *ps);
    if (ps)
        ps->seed = seed;
    return ps;
}

static void free_texts(text *first)
{
    while (first) {
        text *next = first->next;
        free(first);
        first = next;
    }
}

static void free_param(rg_param *p)
{
    if (!p)
        return;
    free_param(p->grad);
    free(p->name);
    free(p->data);
    free(p);
}

void rg_params_free(rg_params *ps)
{
    if (!ps)
        return;
    for (int i = 0; i < ps->count; i++)
        free_param(ps->entry[i]);
    free(ps->entry);
    free_texts(ps->scope);
    free_texts(ps->names);
    free(ps);
}

const char *rg_params_error(const rg_params *ps)
{
    return ps ? ps->error.message : "there is no store: rg_params_new ran out of memory, or NULL was passed";
}

rg_status rg_params_status(const rg_params *ps)
{
    return ps ? ps->error.status : RG_ERROR_MEMORY;
}

void rg_params_clear_error(rg_params *ps)
{
    if (ps)
        ps->error = (rg__error){0};
}

void rg_params_fail(rg_params *ps, rg_status status, const char *format, ...)
{
    if (!ps || status == RG_OK || !format)
        return;
    va_list args;
    va_start(args, format);
    rg__error_setv(&ps->error, status, format, args);
    va_end(args);
}

void rg_params_set_dtype(rg_params *ps, rg_dtype dtype)
{
    if (dtype != RG_F32 && dtype != RG_F64)
        rg_params_fail(ps, RG_ERROR_DTYPE, "params_set_dtype: %s is not a float dtype", rg_dtype_name(dtype));
    else if (ps)
        ps->dtype = dtype;
}

rg_dtype rg_params_dtype(const rg_params *ps)
{
    return ps ? ps->dtype : RG_F32;
}

/* ---- scopes and names ---- */

/* "outer.name" put in front of the list, or either where the other is empty; NULL and an error when out of memory. */
static const char *put_text(rg_params *ps, text **list, const char *outer, const char *name)
{
    const char *dot = *outer && *name ? "." : "";
    const size_t size = strlen(outer) + strlen(name) + 2;
    text *made = malloc(sizeof *made + size);
    if (!made) {
        rg_params_fail(ps, RG_ERROR_MEMORY, "no memory for the name '%s'", name);
        return NULL;
    }
    snprintf(made->text, size, "%s%s%s", outer, dot, name);
    made->next = *list;
    *list = made;
    return made->text;
}

void rg_params_scope_push(rg_params *ps, const char *name)
{
    if (ps)
        put_text(ps, &ps->scope, rg_params_scope(ps), name ? name : "");
}

void rg_params_scope_pop(rg_params *ps)
{
    text *innermost = ps ? ps->scope : NULL;
    if (ps && !innermost)
        rg_params_fail(ps, RG_ERROR_STATE, "params_scope_pop: there is no scope to end");
    if (innermost) {
        ps->scope = innermost->next;
        free(innermost);
    }
}

const char *rg_params_scope(const rg_params *ps)
{
    return ps && ps->scope ? ps->scope->text : "";
}

const char *rg_params_keep_name(rg_params *ps, const char *name)
{
    if (!ps || !name)
        return NULL;
    for (const text *kept = ps->names; kept; kept = kept->next)
        if (strcmp(kept->text, name) == 0)
            return kept->text;
    return put_text(ps, &ps->names, "", name);
}

/* ---- entries ---- */

/* An entry of no store yet, zeros; NULL when out of memory. */
static rg_param *new_entry(rg_params *ps, const char *name, rg_dtype dtype, rg_shape shape)
{
    rg_param *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    const size_t size = strlen(name), bytes = (size_t)rg_shape_numel(shape) * rg_dtype_size(dtype);
    const size_t whole = (bytes + RG__ALIGN) / RG__ALIGN * RG__ALIGN;
    p->store = ps;
    p->name = malloc(size + 1);
    p->data = whole > bytes ? rg__block_alloc(whole) : NULL;
    if (!p->name || !p->data) {
        free_param(p);
        return NULL;
    }
    memcpy(p->name, name, size + 1);
    memset(p->data, 0, whole);
    p->name_hash = rg__hash64(name, size, 0);
    p->dtype = dtype;
    p->shape = shape;
    p->numel = rg_shape_numel(shape);
    return p;
}

static rg_param *add(rg_params *ps, rg_param_kind kind, const char *name, rg_dtype dtype, rg_shape shape, const void *data)
{
    if (!ps || ps->error.status != RG_OK)
        return NULL;
    if (!name || !*name)
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "a parameter has no name");
    else if ((unsigned)dtype >= RG_DTYPES)
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "parameter '%s': %d is no dtype", name, (int)dtype);
    else if (rg_shape_numel(shape) < 0)
        rg_params_fail(ps, RG_ERROR_SHAPE,
                       "parameter '%s': %s (rank %d) is not a valid shape: rank 0 to %d, no negative extent, no overflow",
                       name, RG__DIMS_TEXT(shape.rank, shape.dims), shape.rank, RG_MAX_RANK);
    else if (rg_params_find(ps, name))
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "parameter '%s' exists already; names are unique in a store", name);
    if (ps->error.status != RG_OK)
        return NULL;
    if (ps->count == ps->capacity) {
        int capacity = ps->capacity ? 2 * ps->capacity : 16;
        rg_param **more = realloc(ps->entry, (size_t)capacity * sizeof *more);
        if (more) {
            ps->entry = more;
            ps->capacity = capacity;
        }
    }
    rg_param *p = ps->count < ps->capacity ? new_entry(ps, name, dtype, shape) : NULL;
    if (!p) {
        rg_params_fail(ps, RG_ERROR_MEMORY, "parameter '%s': out of memory for %s of %s", name, rg_dtype_name(dtype),
                       RG__DIMS_TEXT(shape.rank, shape.dims));
        return NULL;
    }
    p->kind = kind;
    p->trainable = kind == RG_PARAM && dtype <= RG_F64;
    if (data && p->numel)
        memcpy(p->data, data, (size_t)p->numel * rg_dtype_size(dtype));
    ps->entry[ps->count++] = p;
    return p;
}

/* An entry whose name stands in the scope of the store. */
static rg_param *add_scoped(rg_params *ps, rg_param_kind kind, const char *name, rg_dtype dtype, rg_shape shape,
                            const void *data)
{
    if (!ps || ps->error.status != RG_OK || !ps->scope || !name || !*name)
        return add(ps, kind, name, dtype, shape, data);
    text *path = NULL;
    const char *whole = put_text(ps, &path, rg_params_scope(ps), name);
    rg_param *p = whole ? add(ps, kind, whole, dtype, shape, data) : NULL;
    free(path);
    return p;
}

rg_param *rg_param_new(rg_params *ps, const char *name, rg_dtype dtype, rg_shape shape, const void *data)
{
    return add_scoped(ps, RG_PARAM, name, dtype, shape, data);
}

rg_param *rg_buffer_new(rg_params *ps, const char *name, rg_dtype dtype, rg_shape shape, const void *data)
{
    return add_scoped(ps, RG_BUFFER, name, dtype, shape, data);
}

static void fill(rg_param *p, double value)
{
    for (int64_t i = 0; i < p->numel; i++)
        switch (p->dtype) {
        case RG_F32: ((float *)p->data)[i] = (float)value; break;
        case RG_F64: ((double *)p->data)[i] = value; break;
        case RG_I32: ((int32_t *)p->data)[i] = (int32_t)value; break;
        case RG_I64: ((int64_t *)p->data)[i] = (int64_t)value; break;
        case RG_BOOL: ((bool *)p->data)[i] = value != 0; break;
        }
}

/* The state of that name, made if need be. */
static rg_param *state_named(rg_param *p, const char *name, rg_dtype dtype, rg_shape shape, double initial)
{
    rg_param *s = rg_params_find(p->store, name);
    if (s && s->kind == RG_PARAM) {
        rg_params_fail(p->store, RG_ERROR_ARGUMENT, "state '%s': that is the name of a parameter", name);
        return NULL;
    }
    if (!s && (s = add(p->store, RG_STATE, name, dtype, shape, NULL)) && initial != 0)
        fill(s, initial);
    return s;
}

rg_param *rg_param_state(rg_param *p, const char *key, rg_dtype dtype, rg_shape shape, double initial)
{
    if (!p)
        return NULL;
    if (!key || !*key) {
        rg_params_fail(p->store, RG_ERROR_ARGUMENT, "a state of '%s' has no key", p->name);
        return NULL;
    }
    rg_param *s = p->state;
    while (s && strcmp(s->key, key) != 0)
        s = s->next;
    if (!s) { /* new, or loaded */
        const size_t length = strlen(p->name), size = length + strlen(key) + 2;
        char *name = malloc(size);
        if (!name) {
            rg_params_fail(p->store, RG_ERROR_MEMORY, "state '%s' of '%s': out of memory", key, p->name);
            return NULL;
        }
        snprintf(name, size, "%s/%s", p->name, key);
        s = state_named(p, name, dtype, shape, initial);
        free(name);
        if (!s)
            return NULL;
        s->key = s->name + length + 1;
        s->next = p->state;
        p->state = s;
    }
    if (s->dtype == dtype && rg_shape_equal(s->shape, shape))
        return s;
    rg_params_fail(p->store, RG_ERROR_SHAPE, "state '%s' is %s of %s; %s of %s is needed", s->name,
                   rg_dtype_name(s->dtype), RG__DIMS_TEXT(s->shape.rank, s->shape.dims), rg_dtype_name(dtype),
                   RG__DIMS_TEXT(shape.rank, shape.dims));
    return NULL;
}

static bool is_listed(const rg_param *state, const rg_param *e)
{
    while (state && state != e)
        state = state->next;
    return state;
}

/* Is e p or its state? That which was loaded need not be in p's list. */
static bool belongs_to(const rg_param *e, const rg_param *p)
{
    const size_t length = strlen(p->name);
    return e == p || is_listed(p->state, e) ||
           (e->kind == RG_STATE && strncmp(e->name, p->name, length) == 0 && e->name[length] == '/' &&
            !strchr(e->name + length + 1, '/'));
}

void rg_param_remove(rg_param *p)
{
    if (!p)
        return;
    rg_params *const ps = p->store;
    if (p->kind == RG_STATE) {
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "param_remove: '%s' is state; it goes with its parameter", p->name);
        return;
    }
    int kept = ps->count; /* what belongs to p is sorted behind the others before any of it ends */
    for (int i = ps->count - 1; i >= 0; i--) {
        rg_param *const e = ps->entry[i];
        if (!belongs_to(e, p))
            continue;
        kept--;
        memmove(&ps->entry[i], &ps->entry[i + 1], (size_t)(kept - i) * sizeof(rg_param *));
        ps->entry[kept] = e;
    }
    for (int i = kept; i < ps->count; i++)
        free_param(ps->entry[i]);
    ps->count = kept;
}

void rg__param_written(rg_param *p)
{
    p->version++;
    if (p->grad_of)
        p->grad_of->has_grad = true;
}

rg_param *rg__param_grad_storage(rg_param *p)
{
    if (!p->grad) {
        p->grad = new_entry(p->store, p->name, p->dtype, p->shape);
        if (p->grad)
            p->grad->grad_of = p;
        else
            rg_params_fail(p->store, RG_ERROR_MEMORY, "gradient of '%s': out of memory", p->name);
    }
    return p->grad;
}

/* ---- looking ---- */

int rg_params_count(const rg_params *ps)
{
    return ps ? ps->count : 0;
}

rg_param *rg_params_at(const rg_params *ps, int index)
{
    return ps && index >= 0 && index < ps->count ? ps->entry[index] : NULL;
}

rg_param *rg_params_find(const rg_params *ps, const char *name)
{
    if (!ps || !name)
        return NULL;
    uint64_t hash = rg__hash64(name, strlen(name), 0);
    for (int i = 0; i < ps->count; i++)
        if (ps->entry[i]->name_hash == hash && strcmp(ps->entry[i]->name, name) == 0)
            return ps->entry[i];
    return NULL;
}

int64_t rg_params_numel(const rg_params *ps)
{
    int64_t numel = 0;
    for (int i = 0; ps && i < ps->count; i++)
        if (ps->entry[i]->kind == RG_PARAM && ps->entry[i]->trainable)
            numel += ps->entry[i]->numel;
    return numel;
}

const char *rg_param_name(const rg_param *p)
{
    return p ? p->name : "";
}

rg_param_kind rg_param_kind_of(const rg_param *p)
{
    return p ? p->kind : RG_PARAM;
}

rg_shape rg_param_shape(const rg_param *p)
{
    return p ? p->shape : RG_SCALAR;
}

rg_dtype rg_param_dtype(const rg_param *p)
{
    return p ? p->dtype : RG_F32;
}

int64_t rg_param_numel(const rg_param *p)
{
    return p ? p->numel : 0;
}

rg_params *rg_param_store(const rg_param *p)
{
    return p ? p->store : NULL;
}

void rg_param_set_trainable(rg_param *p, bool trainable)
{
    if (!p)
        return;
    if (trainable && (p->kind != RG_PARAM || p->dtype > RG_F64))
        rg_params_fail(p->store, RG_ERROR_ARGUMENT, "'%s' cannot be trained: it is %s%s", p->name,
                       p->kind == RG_PARAM ? "of " : "no parameter", p->kind == RG_PARAM ? rg_dtype_name(p->dtype) : "");
    else
        p->trainable = trainable;
}

bool rg_param_trainable(const rg_param *p)
{
    return p && p->trainable;
}

const void *rg_param_data(const rg_param *p)
{
    return p ? p->data : NULL;
}

bool rg_param_set(rg_param *p, const void *data, size_t bytes)
{
    if (!p)
        return false;
    const size_t whole = (size_t)p->numel * rg_dtype_size(p->dtype);
    if (bytes != whole || (!data && whole)) {
        rg_params_fail(p->store, RG_ERROR_ARGUMENT, "param_set: '%s' has %zu bytes; %zu%s given", p->name, whole, bytes,
                       data ? "" : " at NULL");
        return false;
    }
    if (whole)
        memmove(p->data, data, whole);
    p->version++;
    p->sets++;
    return true;
}

const void *rg_param_stored_grad(const rg_param *p)
{
    return p && p->has_grad ? p->grad->data : NULL;
}

rg_rng rg_param_rng(const rg_param *p)
{
    return rg_rng_new(p ? p->store->seed : 0, p ? p->name_hash : 0);
}

void rg_params_fingerprint(const rg_params *ps, char out[33])
{
    rg__hasher *hasher = ps ? rg__hasher_new() : NULL;
    if (!hasher) {
        memset(out, '0', 32);
        out[32] = '\0';
        return;
    }
    for (int i = 0; i < ps->count; i++) {
        const rg_param *p = ps->entry[i];
        const int64_t head[3] = {p->dtype, p->shape.rank, (int64_t)p->kind};
        rg__hasher_add(hasher, p->name, strlen(p->name) + 1);
        rg__hasher_add(hasher, head, sizeof head);
        rg__hasher_add(hasher, p->shape.dims, (size_t)p->shape.rank * sizeof *p->shape.dims);
        rg__hasher_add(hasher, p->data, (size_t)p->numel * rg_dtype_size(p->dtype));
    }
    rg__hasher_finish(hasher, out);
}
