/* Initialisers: fill a parameter from its own random stream. Constant, uniform, normal, Xavier, He. */
#include <float.h>
#include <math.h>
#include <retrograd/nn.h>
#include <stdlib.h>

double rg_gain(rg_nonlinearity nonlinearity)
{
    switch (nonlinearity) {
    case RG_LINEAR:
    case RG_SIGMOID: return 1;
    case RG_TANH: return 5.0 / 3;
    case RG_RELU: return sqrt(2);
    }
    return 1;
}

typedef enum distribution { CONSTANT, UNIFORM, NORMAL } distribution;

/* Uniform in [a, b), normal of mean a and standard deviation b, or a everywhere. */
static void draw_f32(rg_param *p, distribution kind, float *out, size_t n, float a, float b)
{
    rg_rng rng = rg_param_rng(p);
    switch (kind) {
    case CONSTANT:
        for (size_t i = 0; i < n; i++)
            out[i] = a;
        break;
    case UNIFORM: rg_rng_uniform_f32(&rng, out, n, a, b); break;
    case NORMAL: rg_rng_normal_f32(&rng, out, n, a, b); break;
    }
}

static void draw_f64(rg_param *p, distribution kind, double *out, size_t n, double a, double b)
{
    rg_rng rng = rg_param_rng(p);
    switch (kind) {
    case CONSTANT:
        for (size_t i = 0; i < n; i++)
            out[i] = a;
        break;
    case UNIFORM: rg_rng_uniform_f64(&rng, out, n, a, b); break;
    case NORMAL: rg_rng_normal_f64(&rng, out, n, a, b); break;
    }
}

static bool is_float(const rg_param *p, const char *function)
{
    const rg_dtype dtype = rg_param_dtype(p);
    if (dtype == RG_F32 || dtype == RG_F64)
        return true;
    rg_params_fail(rg_param_store(p), RG_ERROR_DTYPE, "%s: '%s' is %s; it must be f32 or f64", function,
                   rg_param_name(p), rg_dtype_name(dtype));
    return false;
}

static void fill(rg_param *p, const char *function, distribution kind, double a, double b)
{
    if (!is_float(p, function))
        return;
    const rg_dtype dtype = rg_param_dtype(p);
    const size_t n = (size_t)rg_param_numel(p);
    if (n == 0)
        return;
    /* The store holds as many bytes already: the product cannot overflow. */
    const size_t bytes = n * rg_dtype_size(dtype);
    void *values = malloc(bytes);
    if (values == NULL) {
        rg_params_fail(rg_param_store(p), RG_ERROR_MEMORY, "%s: no memory for the %zu bytes of '%s'", function, bytes,
                       rg_param_name(p));
        return;
    }
    if (dtype == RG_F32)
        draw_f32(p, kind, values, n, (float)a, (float)b);
    else
        draw_f64(p, kind, values, n, a, b);
    rg_param_set(p, values, bytes);
    free(values);
}

void rg_init_constant(rg_param *p, double value)
{
    if (p != NULL)
        fill(p, "init_constant", CONSTANT, value, 0);
}

/* The largest magnitude that a random value of p may be asked to have: half the range, so that its width is finite. */
static double magnitude_limit(const rg_param *p)
{
    return (rg_param_dtype(p) == RG_F32 ? FLT_MAX : DBL_MAX) / 2;
}

static void fill_uniform(rg_param *p, const char *function, double low, double high)
{
    const double limit = magnitude_limit(p);
    if (low >= -limit && low <= high && high <= limit)
        fill(p, function, UNIFORM, low, high);
    else
        rg_params_fail(rg_param_store(p), RG_ERROR_ARGUMENT,
                       "%s: the bounds of '%s' are %g and %g; they must be finite, the lower one first", function,
                       rg_param_name(p), low, high);
}

static void fill_normal(rg_param *p, const char *function, double mean, double std)
{
    const double limit = magnitude_limit(p);
    if (fabs(mean) <= limit && std >= 0 && std <= limit)
        fill(p, function, NORMAL, mean, std);
    else
        rg_params_fail(rg_param_store(p), RG_ERROR_ARGUMENT,
                       "%s: mean and standard deviation of '%s' are %g and %g; they must be finite, the latter not "
                       "negative",
                       function, rg_param_name(p), mean, std);
}

void rg_init_uniform(rg_param *p, double low, double high)
{
    if (p != NULL)
        fill_uniform(p, "init_uniform", low, high);
}

void rg_init_normal(rg_param *p, double mean, double std)
{
    if (p != NULL)
        fill_normal(p, "init_normal", mean, std);
}

/* fan_in and fan_out as doubles: only roots of them are needed. False on error or where there is nothing to fill. */
static bool fans(rg_param *p, const char *function, double gain, double *in, double *out)
{
    const rg_shape shape = rg_param_shape(p);
    rg_params *ps = rg_param_store(p);
    if (shape.rank < 2) {
        rg_params_fail(ps, RG_ERROR_SHAPE, "%s: '%s' has rank %d; fan-in and fan-out need 2 or more", function,
                       rg_param_name(p), shape.rank);
        return false;
    }
    if (!(gain >= 0 && isfinite(gain))) {
        rg_params_fail(ps, RG_ERROR_ARGUMENT, "%s: the gain of '%s' is %g; it must be finite and not negative",
                       function, rg_param_name(p), gain);
        return false;
    }
    double window = 1;
    for (int i = 2; i < shape.rank; i++)
        window *= (double)shape.dims[i];
    *out = (double)shape.dims[0] * window;
    *in = (double)shape.dims[1] * window;
    return is_float(p, function) && rg_param_numel(p) > 0;
}

void rg_init_xavier_uniform(rg_param *p, double gain)
{
    double in, out;
    if (p == NULL || !fans(p, "init_xavier_uniform", gain, &in, &out))
        return;
    const double bound = gain * sqrt(6 / (in + out));
    fill_uniform(p, "init_xavier_uniform", -bound, bound);
}

void rg_init_xavier_normal(rg_param *p, double gain)
{
    double in, out;
    if (p != NULL && fans(p, "init_xavier_normal", gain, &in, &out))
        fill_normal(p, "init_xavier_normal", 0, gain * sqrt(2 / (in + out)));
}

void rg_init_he_uniform(rg_param *p, double gain)
{
    double in, out;
    if (p == NULL || !fans(p, "init_he_uniform", gain, &in, &out))
        return;
    const double bound = gain * sqrt(3 / in);
    fill_uniform(p, "init_he_uniform", -bound, bound);
}

void rg_init_he_normal(rg_param *p, double gain)
{
    double in, out;
    if (p != NULL && fans(p, "init_he_normal", gain, &in, &out))
        fill_normal(p, "init_he_normal", 0, gain / sqrt(in));
}
