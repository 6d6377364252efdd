/* Argument checks that losses, layers and optimizers share. See check.h. */
#include "check.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

const char *rg__nn_shape_text(rg_shape shape, char *text)
{
    size_t length = 0;
    text[length++] = '[';
    for (int i = 0; i < shape.rank && i < RG_MAX_RANK; i++)
        length += (size_t)snprintf(text + length, RG__SHAPE_TEXT_SIZE - length, "%s%" PRId64, i > 0 ? ", " : "",
                                   shape.dims[i]);
    snprintf(text + length, RG__SHAPE_TEXT_SIZE - length, "]");
    return text;
}

static bool check_there(rg_tape *t, const char *function, const char *name, rg_tensor x)
{
    if (rg_is_nil(x))
        rg_tape_fail(t, RG_ERROR_HANDLE, "%s: %s is nil", function, name);
    return !rg_failed(t);
}

bool rg__check_float(rg_tape *t, const char *function, const char *name, rg_tensor x)
{
    if (!check_there(t, function, name, x))
        return false;
    const rg_dtype dtype = rg_dtype_of(t, x);
    if (dtype != RG_F32 && dtype != RG_F64)
        rg_tape_fail(t, RG_ERROR_DTYPE, "%s: %s is %s; it must be f32 or f64", function, name, rg_dtype_name(dtype));
    return !rg_failed(t);
}

bool rg__check_pair(rg_tape *t, const char *function, const char *x_name, rg_tensor x, const char *y_name, rg_tensor y)
{
    if (!rg__check_float(t, function, x_name, x) || !rg__check_float(t, function, y_name, y))
        return false;
    const rg_dtype x_dtype = rg_dtype_of(t, x), y_dtype = rg_dtype_of(t, y);
    const rg_shape x_shape = rg_shape_of(t, x), y_shape = rg_shape_of(t, y);
    if (x_dtype != y_dtype)
        rg_tape_fail(t, RG_ERROR_DTYPE, "%s: %s is %s and %s is %s; they must have one dtype", function, x_name,
                     rg_dtype_name(x_dtype), y_name, rg_dtype_name(y_dtype));
    if (!rg_shape_equal(x_shape, y_shape))
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: %s %s and %s %s have different shapes", function, x_name,
                     RG__SHAPE_TEXT(x_shape), y_name, RG__SHAPE_TEXT(y_shape));
    return !rg_failed(t);
}

bool rg__check_labels(rg_tape *t, const char *function, const char *name, rg_tensor labels, rg_shape expected)
{
    if (!check_there(t, function, name, labels))
        return false;
    const rg_dtype dtype = rg_dtype_of(t, labels);
    const rg_shape shape = rg_shape_of(t, labels);
    if (dtype != RG_I64 && dtype != RG_I32)
        rg_tape_fail(t, RG_ERROR_DTYPE, "%s: %s is %s; class indices must be i64 or i32", function, name,
                     rg_dtype_name(dtype));
    if (!rg_shape_equal(shape, expected))
        rg_tape_fail(t, RG_ERROR_SHAPE, "%s: %s has the shape %s; one class index a row is %s", function, name,
                     RG__SHAPE_TEXT(shape), RG__SHAPE_TEXT(expected));
    return !rg_failed(t);
}

bool rg__check_range(rg_tape *t, const char *function, const char *name, double value, double high, bool open)
{
    if (!(value >= 0 && (open ? value < high : value <= high))) {
        if (isinf(high))
            rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: %s is %g; it must be finite and not negative", function, name, value);
        else
            rg_tape_fail(t, RG_ERROR_ARGUMENT, "%s: %s is %g; it must be in [0, %g%c", function, name, value, high,
                         open ? ')' : ']');
    }
    return !rg_failed(t);
}

double rg__or_default(double value, double otherwise)
{
    return value == 0 ? otherwise : value == RG_ZERO ? 0 : value;
}

const char *rg__layer_open(rg_params *ps, const char *function, const char *name)
{
    if (name == NULL)
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "%s: the name is NULL", function);
    const char *kept = rg_params_keep_name(ps, name);
    if (kept != NULL)
        rg_params_scope_push(ps, name);
    return kept;
}
