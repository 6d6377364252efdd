/* Retrograd: what every other header rests on: linkage, versions, dtypes, shapes, status codes. */
#ifndef RETROGRAD_BASE_H
#define RETROGRAD_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined _WIN32
#define RG_API
#else
#define RG_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define RG_VERSION "0.1.0"

/* The version of the library that runs (RG_VERSION is the one compiled against). */
RG_API const char *rg_version(void);

/* ---- errors -------------------------------------------------------------------------------------------------
 * A tape and a parameter store each keep the FIRST error that happened on them; later calls record nothing and
 * return nil. Nothing is printed, nothing aborts. */
typedef enum rg_status {
    RG_OK = 0,
    RG_ERROR_ARGUMENT, /* a value outside of what the call allows              */
    RG_ERROR_SHAPE,    /* shapes, ranks or axes that do not fit                */
    RG_ERROR_DTYPE,    /* dtypes that do not fit                               */
    RG_ERROR_HANDLE,   /* nil, stale or foreign tensor                         */
    RG_ERROR_STATE,    /* the right call at the wrong time                     */
    RG_ERROR_VALUE,    /* found while running: an index out of range, say      */
    RG_ERROR_MEMORY,   /* an allocation failed                                 */
    RG_ERROR_FILE,     /* a file is missing, truncated or not what it claims   */
} rg_status;

/* ---- dtypes ------------------------------------------------------------------------------------------------- */
typedef enum rg_dtype {
    RG_F32 = 0, /* float   */
    RG_F64,     /* double  */
    RG_I32,     /* int32_t */
    RG_I64,     /* int64_t */
    RG_BOOL,    /* one byte, 0 or 1 */
} rg_dtype;
#define RG_DTYPES 5

RG_API const char *rg_dtype_name(rg_dtype dtype); /* "f32", ...; "?" for no dtype */
RG_API size_t rg_dtype_size(rg_dtype dtype);      /* bytes of one element; 0 for no dtype */

/* ---- shapes ------------------------------------------------------------------------------------------------- */
#define RG_MAX_RANK 8

/* Extents, outermost first, as NumPy prints them. Rank 0 is a scalar; an extent may be 0. */
typedef struct rg_shape {
    int rank;
    int64_t dims[RG_MAX_RANK];
} rg_shape;

/* A set of axes; negative ones count from the end. None given means all of them. */
typedef struct rg_axes {
    int count;
    int axis[RG_MAX_RANK];
} rg_axes;

/* Says "zero itself" in a configuration, where 0 is the default. */
#define RG_ZERO (-0x1p-1000)

/* An array in memory: row-major, of the given dtype. Whose memory it is, and until when, each call says. */
typedef struct rg_array {
    rg_dtype dtype;
    rg_shape shape;
    const void *data;
} rg_array;

/* How a loss is reduced. */
typedef enum rg_reduction { RG_MEAN = 0, RG_SUM, RG_NONE } rg_reduction;

/* A recorded value: small, passed by value, never freed. {0} is nil. `generation` is unique in the process, so a
 * handle that outlives its tape's reset, or comes from another tape, is recognised. */
typedef struct rg_tensor {
    uint64_t generation;
    uint64_t id;
} rg_tensor;

static inline bool rg_is_nil(rg_tensor x)
{
    return x.generation == 0;
}

/* The number of elements; -1 where the rank or an extent is invalid or the product overflows. */
RG_API int64_t rg_shape_numel(rg_shape shape);
RG_API bool rg_shape_equal(rg_shape a, rg_shape b);

#ifdef __cplusplus
} /* extern "C" */
template <typename... T> inline rg_shape rg__shape(T... dims)
{
    return rg_shape{int(sizeof...(dims)), {int64_t(dims)...}};
}
template <typename... T> inline rg_axes rg__axes(T... axes)
{
    return rg_axes{int(sizeof...(axes)), {int(axes)...}};
}
#define RG_SHAPE(...) rg__shape(__VA_ARGS__)
#define RG_AXES(...)  rg__axes(__VA_ARGS__)
#define RG_SCALAR     rg__shape()
#define RG_ALL        rg__axes()
#define RG_NIL        (rg_tensor{0, 0})
#else
/* RG_SHAPE(4, 2) is the shape [4, 2]; RG_AXES(0, -1) the first and the last axis. */
#define RG_SHAPE(...) ((rg_shape){(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})
#define RG_AXES(...)  ((rg_axes){(int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), {__VA_ARGS__}})
#define RG_SCALAR     ((rg_shape){0, {0}})
#define RG_ALL        ((rg_axes){0, {0}})
#define RG_NIL        ((rg_tensor){0, 0})
#endif

typedef struct rg_tape rg_tape;     /* one step: everything recorded on it lives until its reset       */
typedef struct rg_params rg_params; /* the long-lived store of parameters, gradients, optimizer state  */
typedef struct rg_param rg_param;   /* one named entry of a store; owned by it                         */

#endif
