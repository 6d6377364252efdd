/* Metrics: what a model is judged by, recorded but without gradient. */
#include "check.h"

rg_tensor rg_accuracy(rg_tape *t, rg_tensor logits, rg_tensor labels)
{
    const char *const function = "accuracy";
    if (!rg__check_float(t, function, "logits", logits))
        return RG_NIL;
    const rg_shape shape = rg_shape_of(t, logits);
    if (shape.rank != 2)
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: logits has the shape %s; it must be [n, classes]", function,
                     RG__SHAPE_TEXT(shape));
    if (rg_failed(t) || !rg__check_labels(t, function, "labels", labels, RG_SHAPE(shape.dims[0])))
        return RG_NIL;
    if (rg_dtype_of(t, labels) != RG_I64)
        labels = rg_cast(t, labels, RG_I64);
    const rg_tensor hits = rg_eq(t, rg_argmax(t, logits, 1, false), labels);
    return rg_mean(t, rg_cast(t, hits, RG_F32), RG_ALL, false);
}
