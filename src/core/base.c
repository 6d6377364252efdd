/* Dtypes, shapes and the version: the functions of base.h. */
#include "core/shape.h"

const char *rg_version(void)
{
    return RG_VERSION;
}

static const struct {
    const char *name;
    size_t size;
} dtypes[RG_DTYPES] = {
    [RG_F32] = {"f32", sizeof(float)},   [RG_F64] = {"f64", sizeof(double)}, [RG_I32] = {"i32", sizeof(int32_t)},
    [RG_I64] = {"i64", sizeof(int64_t)}, [RG_BOOL] = {"bool", sizeof(bool)},
};

const char *rg_dtype_name(rg_dtype dtype)
{
    return (unsigned)dtype < RG_DTYPES ? dtypes[dtype].name : "?";
}

size_t rg_dtype_size(rg_dtype dtype)
{
    return (unsigned)dtype < RG_DTYPES ? dtypes[dtype].size : 0;
}

bool rg__dtype_holds(rg_dtype dtype, double value)
{
    const double bound = dtype == RG_I32 ? 0x1p31 : 0x1p63;
    if (dtype != RG_I32 && dtype != RG_I64)
        return true;
    return value >= -bound && value < bound && value == (double)(int64_t)value;
}

int64_t rg_shape_numel(rg_shape shape)
{
    if (shape.rank < 0 || shape.rank > RG_MAX_RANK)
        return -1;
    return rg__numel(shape.rank, shape.dims);
}

bool rg_shape_equal(rg_shape a, rg_shape b)
{
    return rg_shape_numel(a) >= 0 && rg_shape_numel(b) >= 0 && rg__dims_equal(a.rank, a.dims, b.rank, b.dims);
}
