/* The life of a tape: new, reset, marks, errors, sections and scopes. */
#include "autograd/tape.h"

#include "autograd/params.h"
#include "core/hash.h"
#include "core/threads.h"
#include "exec/run.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- generations: the tape's number in the process, then how often it was reset ---- */

static uint64_t first_generation(void)
{
    static atomic_uint_fast64_t tapes;
    return (atomic_fetch_add_explicit(&tapes, 1, memory_order_relaxed) + 1) << 40;
}

/* 2^40 resets later a tape takes a new number. */
static uint64_t next_generation(uint64_t generation)
{
    return (generation + 1) & ((UINT64_C(1) << 40) - 1) ? generation + 1 : first_generation();
}

/* ---- life ---- */

rg_tape *rg_tape_new(const rg_tape_config *config)
{
    rg_tape *t = calloc(1, sizeof *t);
    rg__place *bottom = calloc(1, sizeof *bottom);
    if (!t || !bottom) {
        free(t);
        free(bottom);
        return NULL;
    }
    if (config) {
        t->threads = config->threads;
        t->seed = config->seed;
        t->eager = config->eager;
    }
    if (t->threads <= 0)
        t->threads = rg__threads_default();
    const char *eager = getenv("RETROGRAD_EAGER");
    if (eager && *eager && strcmp(eager, "0") != 0)
        t->eager = true;
    t->generation = first_generation();
    t->place = bottom;
    t->places = t->place_capacity = 1;
    rg__exec_start();
    return t;
}

static void release_values(rg_tape *t, uint32_t from)
{
    for (uint32_t id = from; id < t->length; id++)
        rg__release(t, rg__at(t, id));
}

void rg_tape_free(rg_tape *t)
{
    if (!t)
        return;
    release_values(t, 0);
    for (size_t i = 0; i < t->chunks; i++)
        free(t->chunk[i]);
    free(t->chunk);
    free(t->place);
    free(t->entry);
    free(t->assigns.id);
    free(t->keeps.id);
    free(t->structure.bytes);
    rg__plans_free(t);
    rg__customs_free(t);
    rg__pool_free(&t->pool);
    rg__arena_free(&t->arena);
    free(t);
}

static void drop_ids(rg__ids *ids, uint32_t from)
{
    size_t kept = 0;
    for (size_t i = 0; i < ids->count; i++)
        if (ids->id[i] < from)
            ids->id[kept++] = ids->id[i];
    ids->count = kept;
}

/* Runs since the mark may have computed nodes before it, and a plan depends on which are computed. */
static uint64_t rolled_back_events(const rg_tape *t, const rg__place *p)
{
    if (t->events == p->events || p->length == 0)
        return p->events;
    uint64_t h = p->events;
    for (uint32_t id = 0; id < p->length; id++)
        if (rg__at(t, id)->data)
            h = rg__hash64(&id, sizeof id, h);
    return h;
}

/* Ends what was recorded since place[depth]. */
static void roll_back(rg_tape *t, size_t depth)
{
    const uint32_t length = t->place[depth].length;
    rg__store_grads(t, length);
    if (t->assigns.count)
        rg__run_pending(t, &(rg__demand){UINT32_MAX, true, length == 0});
    /* Only now the place is read: the arena's position in it is still the one of then. */
    const rg__place *p = &t->place[depth];
    drop_ids(&t->assigns, length);
    drop_ids(&t->keeps, length);
    for (size_t i = 0; i < t->entry_capacity; i++) {
        rg__entry *e = &t->entry[i];
        if (e->leaf.id >= length)
            e->leaf = RG_NIL;
        if (e->grad.id >= length)
            e->grad = RG_NIL;
        if (e->lies > length)
            e->lies = 0;
    }
    release_values(t, length);
    t->length = length;
    rg__structure_cut(t, p->structure);
    t->events = rolled_back_events(t, p);
    t->scope = p->scope;
    t->mode = p->mode;
    rg__arena_rewind(&t->arena, p->arena);
    t->places = depth + 1;
    t->generation = next_generation(t->generation);
}

void rg_tape_reset(rg_tape *t)
{
    if (!t)
        return;
    roll_back(t, 0);
    if (t->entry)
        memset(t->entry, 0, t->entry_capacity * sizeof *t->entry);
    t->entries = 0;
}

rg_mark rg_tape_mark(rg_tape *t)
{
    rg_mark nothing = {0, 0};
    if (!t)
        return nothing;
    if (t->places == t->place_capacity) {
        rg__place *more = realloc(t->place, 2 * t->place_capacity * sizeof *more);
        if (!more) {
            rg__fail_named(t, "mark", RG_ERROR_MEMORY, "out of memory");
            return nothing;
        }
        t->place = more;
        t->place_capacity *= 2;
    }
    t->generation = next_generation(t->generation); /* the mark's own, and a new one for the nodes behind it */
    t->place[t->places] = (rg__place){
        t->generation, t->events, t->structure.used, t->length, rg__arena_position(&t->arena), t->scope, t->mode};
    return (rg_mark){t->generation, t->places++};
}

void rg_tape_rollback(rg_tape *t, rg_mark mark)
{
    if (!t)
        return;
    if (mark.depth == 0 || mark.depth >= t->places || t->place[mark.depth].generation != mark.generation) {
        rg__fail_named(t, "rollback", RG_ERROR_HANDLE,
                       "the mark is from another tape, or from before a reset or rollback");
        return;
    }
    roll_back(t, (size_t)mark.depth);
}

/* ---- errors ---- */

bool rg_failed(const rg_tape *t)
{
    return !t || t->error.status != RG_OK;
}

rg_status rg_tape_status(const rg_tape *t)
{
    return t ? t->error.status : RG_ERROR_MEMORY;
}

const char *rg_tape_error(const rg_tape *t)
{
    return t ? t->error.message : "there is no tape: rg_tape_new ran out of memory, or NULL was passed";
}

/* What was pending when the error happened ends with it: it may be half of an update, or fail again at every run. */
static void drop_pending(rg_tape *t)
{
    static const char event[] = "dropped"; /* plans of what was pending serve no more */
    t->events = rg__hash64(event, sizeof event, t->events);
    for (size_t i = 0; i < t->keeps.count; i++)
        rg__at(t, t->keeps.id[i])->flags &= (uint16_t)~RG__KEEP;
    t->keeps.count = t->assigns.count = 0;
    for (size_t i = 0; i < t->entry_capacity; i++)
        t->entry[i].leaf = t->entry[i].grad = RG_NIL;
}

void rg_tape_clear_error(rg_tape *t)
{
    if (!t || t->error.status == RG_OK)
        return;
    drop_pending(t);
    t->error = (rg__error){0};
}

void rg_tape_fail(rg_tape *t, rg_status status, const char *format, ...)
{
    if (!t || status == RG_OK || !format)
        return;
    va_list args;
    va_start(args, format);
    rg__fail_in(t, NULL, rg_scope(t), status, format, args);
    va_end(args);
}

void rg__fail_in(rg_tape *t, const char *who, const char *scope, rg_status status, const char *format, va_list args)
{
    char message[400];
    if (t->error.status != RG_OK)
        return;
    vsnprintf(message, sizeof message, format, args);
    rg__error_set(&t->error, status, "%s%s%s%s%.100s%s", who ? who : "", who ? ": " : "", message,
                  *scope ? " (in " : "", scope, *scope ? ")" : "");
}

void rg__fail_named(rg_tape *t, const char *who, rg_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rg__fail_in(t, who, rg_scope(t), status, format, args);
    va_end(args);
}

void rg__fail(rg_tape *t, const rg__op *op, rg_status status, const char *format, ...)
{
    if (!t)
        return;
    va_list args;
    va_start(args, format);
    rg__fail_in(t, op->name, rg_scope(t), status, format, args);
    va_end(args);
}

void rg__fail_within(rg_tape *t, const rg__op *op)
{
    rg__error inner = t->error;
    const size_t length = strlen(op->name);
    if (inner.status == RG_OK || (strncmp(inner.message, op->name, length) == 0 && inner.message[length] == ':'))
        return;
    t->error.status = RG_OK;
    rg__error_set(&t->error, inner.status, "%s: %s", op->name, inner.message);
}

/* ---- sections and scopes ---- */

static rg__frame *push(rg_tape *t, const char *who, rg__frame *outer)
{
    rg__frame *f = rg__arena_alloc(&t->arena, sizeof *f);
    if (!f)
        rg__fail_named(t, who, RG_ERROR_MEMORY, "out of memory");
    else
        *f = (rg__frame){outer, "", RG_GRAD};
    return f;
}

void rg_mode_push(rg_tape *t, rg_mode mode)
{
    if (!t)
        return;
    if ((unsigned)mode > RG_INFERENCE) {
        rg__fail_named(t, "mode_push", RG_ERROR_ARGUMENT, "%d is no mode", (int)mode);
        mode = RG_GRAD;
    }
    rg__frame *f = push(t, "mode_push", t->mode);
    if (f) {
        f->mode = mode;
        t->mode = f;
    }
}

void rg_mode_pop(rg_tape *t)
{
    if (!t)
        return;
    if (t->mode)
        t->mode = t->mode->outer;
    else
        rg__fail_named(t, "mode_pop", RG_ERROR_STATE, "there is no section to end");
}

rg_mode rg_mode_of(const rg_tape *t)
{
    return t && t->mode ? t->mode->mode : RG_GRAD;
}

void rg_set_training(rg_tape *t, bool training)
{
    if (t)
        t->evaluating = !training;
}

bool rg_training(const rg_tape *t)
{
    return !t || !t->evaluating;
}

void rg_scope_push(rg_tape *t, const char *name)
{
    if (!t)
        return;
    const char *outer = rg_scope(t);
    size_t outer_length = strlen(outer), length = name ? strlen(name) : 0;
    rg__frame *f = push(t, "scope_push", t->scope);
    char *path = rg__arena_alloc(&t->arena, outer_length + length + 2);
    if (!f || !path) {
        rg__fail_named(t, "scope_push", RG_ERROR_MEMORY, "out of memory");
        return;
    }
    memcpy(path, outer, outer_length);
    if (outer_length && length)
        path[outer_length++] = '.';
    if (length)
        memcpy(path + outer_length, name, length);
    path[outer_length + length] = '\0';
    f->scope = path;
    t->scope = f;
}

void rg_scope_pop(rg_tape *t)
{
    if (!t)
        return;
    if (t->scope)
        t->scope = t->scope->outer;
    else
        rg__fail_named(t, "scope_pop", RG_ERROR_STATE, "there is no scope to end");
}

const char *rg_scope(const rg_tape *t)
{
    return t && t->scope ? t->scope->scope : "";
}

/* ---- what the tape keeps beside its nodes ---- */

bool rg__ids_add(rg_tape *t, rg__ids *ids, uint32_t id)
{
    if (ids->count == ids->capacity) {
        size_t capacity = ids->capacity ? 2 * ids->capacity : 64;
        uint32_t *more = realloc(ids->id, capacity * sizeof *more);
        if (!more) {
            rg__fail_named(t, "tape", RG_ERROR_MEMORY, "out of memory");
            return false;
        }
        ids->id = more;
        ids->capacity = capacity;
    }
    ids->id[ids->count++] = id;
    return true;
}

static rg__entry *find_entry(rg__entry *entry, size_t capacity, const rg_param *p)
{
    size_t i = (size_t)(((uintptr_t)p >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 32);
    for (;; i++) {
        rg__entry *e = &entry[i & (capacity - 1)];
        if (e->param == p || !e->param)
            return e;
    }
}

rg__entry *rg__entry_of(rg_tape *t, rg_param *p)
{
    rg__entry *e = t->entry ? find_entry(t->entry, t->entry_capacity, p) : NULL;
    if (e && e->param) /* asking for a known one moves nothing and cannot fail */
        return e;
    if (2 * (t->entries + 1) > t->entry_capacity) {
        size_t capacity = t->entry_capacity ? 2 * t->entry_capacity : 64;
        rg__entry *more = calloc(capacity, sizeof *more);
        if (!more) {
            rg__fail_named(t, "leaf", RG_ERROR_MEMORY, "out of memory");
            return NULL;
        }
        for (size_t i = 0; i < t->entry_capacity; i++)
            if (t->entry[i].param)
                *find_entry(more, capacity, t->entry[i].param) = t->entry[i];
        free(t->entry);
        t->entry = more;
        t->entry_capacity = capacity;
    }
    e = find_entry(t->entry, t->entry_capacity, p);
    e->param = p;
    e->number = (uint32_t)t->entries++;
    return e;
}
