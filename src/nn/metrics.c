/* Metrics of rows of scores: accuracy, recorded but without gradient, and the k best. */
#include "check.h"

#include <inttypes.h>
#include <math.h>

/* logits [n, classes] of floats, labels [n]. */
static bool check_rows(rg_tape *t, const char *function, rg_tensor logits, rg_tensor labels)
{
    if (!rg__check_float(t, function, "logits", logits))
        return false;
    const rg_shape shape = rg_shape_of(t, logits);
    if (shape.rank != 2)
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: logits has the shape %s; it must be [n, classes]", function,
                     RG__SHAPE_TEXT(shape));
    return !rg_failed(t) && rg__check_labels(t, function, "labels", labels, RG_SHAPE(shape.dims[0]));
}

rg_tensor rg_accuracy(rg_tape *t, rg_tensor logits, rg_tensor labels)
{
    if (!check_rows(t, "accuracy", logits, labels))
        return RG_NIL;
    if (rg_dtype_of(t, labels) != RG_I64)
        labels = rg_cast(t, labels, RG_I64);
    const rg_tensor hits = rg_eq(t, rg_argmax(t, logits, 1, false), labels);
    return rg_mean(t, rg_cast(t, hits, RG_F32), RG_ALL, false);
}

rg_tensor rg_top_k_accuracy(rg_tape *t, rg_tensor logits, rg_tensor labels, int64_t k)
{
    const char *const function = "top_k_accuracy";
    if (!check_rows(t, function, logits, labels))
        return RG_NIL;
    const int64_t classes = rg_dim(t, logits, 1);
    if (k < 1 || k > classes)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: k is %" PRId64 "; it must be in [1, %" PRId64 "], the classes",
                     function, k, classes);
    if (rg_dtype_of(t, labels) != RG_I64)
        labels = rg_cast(t, labels, RG_I64);
    rg_tensor best = RG_NIL;
    rg_topk(t, rg_detach(t, logits), k, 1, true, false, &best);
    const rg_tensor hits = rg_any(t, rg_eq(t, best, rg_unsqueeze(t, labels, 1)), RG_AXES(1), false);
    return rg_mean(t, rg_cast(t, hits, RG_F32), RG_ALL, false);
}

int64_t rg_top_k_hits(const float *scores, const int64_t *labels, int64_t n, int64_t classes, int64_t k)
{
    if (n < 0 || k < 1 || k > classes || (n > 0 && (scores == NULL || labels == NULL)))
        return -1;
    int64_t hits = 0;
    for (int64_t i = 0; i < n; i++) {
        const float *const row = scores + i * classes;
        if (labels[i] < 0 || labels[i] >= classes)
            return -1;
        const float own = row[labels[i]];
        int64_t before = 0; /* those that come first when the row is sorted, best first and stably */
        for (int64_t j = 0; j < classes; j++) {
            const bool equal = row[j] == own || (isnan(row[j]) && isnan(own));
            const bool above = row[j] > own || (isnan(row[j]) && !isnan(own));
            before += above || (equal && j < labels[i]);
        }
        hits += before < k;
    }
    return hits;
}
