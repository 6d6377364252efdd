/* Entries of a parameter store by patterns of their names: finding, freezing, counting, copying. Needs the public store
 * alone. See retrograd/params.h. */
#include <retrograd/params.h>

/* The text of the last '*' may be made longer, character by character, whenever the rest does not match; earlier ones need
 * no second try. A slash ends it. */
bool rg_name_matches(const char *name, const char *pattern)
{
    if (name == NULL || pattern == NULL)
        return false;
    const char *star = NULL, *rest = NULL; /* behind the last '*', and where its text ends */
    while (*name != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            rest = name;
        } else if (*pattern == *name || (*pattern == '?' && *name != '/')) {
            pattern++;
            name++;
        } else if (star != NULL && *rest != '/') {
            name = ++rest;
            pattern = star;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

/* The next entry from *index on that matches, or NULL; *index is then behind it. */
static rg_param *next_match(const rg_params *ps, const char *pattern, int *index)
{
    while (*index < rg_params_count(ps)) {
        rg_param *p = rg_params_at(ps, (*index)++);
        if (rg_name_matches(rg_param_name(p), pattern))
            return p;
    }
    return NULL;
}

int rg_params_find_all(const rg_params *ps, const char *pattern, rg_param **found, int capacity)
{
    int count = 0, index = 0;
    for (rg_param *p; (p = next_match(ps, pattern, &index)) != NULL; count++)
        if (found != NULL && count < capacity)
            found[count] = p;
    return count;
}

int rg_params_set_trainable(rg_params *ps, const char *pattern, bool trainable)
{
    int count = 0, index = 0;
    for (rg_param *p; (p = next_match(ps, pattern, &index)) != NULL;) {
        if (rg_param_kind_of(p) != RG_PARAM || (rg_param_dtype(p) != RG_F32 && rg_param_dtype(p) != RG_F64))
            continue;
        rg_param_set_trainable(p, trainable);
        count++;
    }
    if (count == 0)
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "params_set_trainable: no parameter matches '%s'",
                       pattern != NULL ? pattern : "NULL");
    return count;
}

rg_params_total rg_params_count_matching(const rg_params *ps, const char *pattern)
{
    rg_params_total total = {0};
    int index = 0;
    for (const rg_param *p; (p = next_match(ps, pattern, &index)) != NULL; total.entries++) {
        const int64_t numel = rg_param_numel(p), bytes = numel * (int64_t)rg_dtype_size(rg_param_dtype(p));
        switch (rg_param_kind_of(p)) {
        case RG_PARAM:
            *(rg_param_trainable(p) ? &total.trainable : &total.frozen) += numel;
            total.param_bytes += bytes;
            break;
        case RG_BUFFER:
            total.buffers += numel;
            total.buffer_bytes += bytes;
            break;
        case RG_STATE:
            total.state += numel;
            total.state_bytes += bytes;
            break;
        }
    }
    return total;
}

/* ---- copying ------------------------------------------------------------------------------------------------------ */

static bool check_source(rg_params *to, const rg_param *p, const rg_param *source)
{
    const char *const name = rg_param_name(p);
    if (source == NULL)
        rg_params_fail(to, RG_ERROR_ARGUMENT, "params_copy: there is no '%s' to copy from", name);
    else if (rg_param_dtype(source) != rg_param_dtype(p))
        rg_params_fail(to, RG_ERROR_DTYPE, "params_copy: '%s' is %s, and %s where it is copied from", name,
                       rg_dtype_name(rg_param_dtype(p)), rg_dtype_name(rg_param_dtype(source)));
    else if (!rg_shape_equal(rg_param_shape(source), rg_param_shape(p)))
        rg_params_fail(to, RG_ERROR_SHAPE,
                       "params_copy: '%s' has another shape (%lld elements) where it is copied from (%lld)", name,
                       (long long)rg_param_numel(p), (long long)rg_param_numel(source));
    return rg_params_status(to) == RG_OK;
}

static bool copy_values(rg_param *to, const rg_param *from)
{
    return rg_param_set(to, rg_param_data(from), (size_t)rg_param_numel(from) * rg_dtype_size(rg_param_dtype(from)));
}

int rg_params_copy(rg_params *to, const rg_params *from, const char *pattern)
{
    int count = 0, index = 0;
    if (to == NULL || rg_params_status(to) != RG_OK)
        return 0;
    if (from == NULL) {
        rg_params_fail(to, RG_ERROR_ARGUMENT, "params_copy: the store to copy from is NULL");
        return 0;
    }
    for (rg_param *p; (p = next_match(to, pattern, &index)) != NULL;)
        if (!check_source(to, p, rg_params_find(from, rg_param_name(p))))
            return 0;
    index = 0;
    for (rg_param *p; (p = next_match(to, pattern, &index)) != NULL; count++)
        copy_values(p, rg_params_find(from, rg_param_name(p)));
    return count;
}

rg_params *rg_params_clone(const rg_params *ps, const char *pattern)
{
    rg_params *clone = ps != NULL ? rg_params_new(0) : NULL;
    if (clone == NULL)
        return NULL;
    rg_params_set_dtype(clone, rg_params_dtype(ps));
    int index = 0;
    for (const rg_param *p; (p = next_match(ps, pattern, &index)) != NULL;) {
        const rg_param_kind kind = rg_param_kind_of(p);
        if (kind == RG_STATE)
            continue;
        rg_param *copy = (kind == RG_PARAM ? rg_param_new : rg_buffer_new)(clone, rg_param_name(p), rg_param_dtype(p),
                                                                           rg_param_shape(p), rg_param_data(p));
        if (copy == NULL) {
            rg_params_free(clone);
            return NULL;
        }
        if (kind == RG_PARAM && !rg_param_trainable(p))
            rg_param_set_trainable(copy, false);
    }
    return clone;
}
