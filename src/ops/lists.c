/* Lists of a number for each spatial axis. See lists.h. */
#include "ops/lists.h"

bool rg__take_list(rg_tape *t, const rg__op *op, const rg__list *list, int spatial, int64_t *out)
{
    const rg_shape *s = &list->given;
    if (s->rank == 0 && list->standard) {
        for (int i = 0; i < spatial; i++)
            out[i] = list->standard[i];
        return true;
    }
    if (s->rank != 1 && s->rank != spatial) {
        rg__fail(t, op, RG_ERROR_ARGUMENT, "%s has %d numbers; %s%d are needed", list->name, s->rank,
                 spatial > 1 ? "1 or " : "", spatial);
        return false;
    }
    for (int i = 0; i < spatial; i++) {
        out[i] = s->dims[s->rank == 1 ? 0 : i];
        if (out[i] < list->least || out[i] > INT32_MAX) {
            rg__fail(t, op, RG_ERROR_ARGUMENT, "%s is %lld; %lld to %d are allowed", list->name, (long long)out[i],
                     (long long)list->least, INT32_MAX);
            return false;
        }
    }
    return true;
}

const rg__node *rg__image(rg_tape *t, const rg__op *op, rg_tensor x, rg__dtype_class allowed, int spatial)
{
    const rg__node *n = rg__arg_of(t, op, x, allowed);
    bool fits = n && (n->rank == spatial + 1 || n->rank == spatial + 2);
    for (int i = 0; fits && i < spatial; i++)
        fits = rg__extents(n, spatial)[i] > 0;
    if (n && !fits)
        rg__fail(t, op, RG_ERROR_SHAPE, "x is %s; [N, C%s] or [C%s] is needed, none of the last %d of extent 0",
                 RG__NODE_TEXT(n),
                 spatial == 1   ? ", W"
                 : spatial == 2 ? ", H, W"
                                : ", D, H, W",
                 spatial == 1   ? ", W"
                 : spatial == 2 ? ", H, W"
                                : ", D, H, W",
                 spatial);
    return fits ? n : NULL;
}
