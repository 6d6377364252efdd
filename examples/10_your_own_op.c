/* 10. An op of your own: a kernel in C and a rule for its gradient, where the ops of the library do not reach.
 *
 * This one solves A x = b for a tridiagonal matrix A, row by row, by the algorithm of Thomas: each step needs the one
 * before, which element-wise ops and matrix products cannot say.
 *
 *     lower[i] x[i-1] + diagonal[i] x[i] + upper[i] x[i+1] = b[i]
 *
 * Its gradient is one more solution, with the transposed matrix: with y = A^-T g, d b = y and d A[i, j] = -y[i] x[j].
 * Heat flows along a rod, whose conductivity is learnt from temperatures: each step in time is such a system. */
#include <math.h>
#include <retrograd/retrograd.h>
#include <stdio.h>

enum { LOWER, DIAGONAL, UPPER, RIGHT, INPUTS };

/* All four are [n]; the first of `lower` and the last of `upper` are not read. The result is x, [n]. */
static bool solve(const rg_custom_run *run)
{
    const double *lower = run->in[LOWER].data, *diagonal = run->in[DIAGONAL].data, *upper = run->in[UPPER].data;
    const double *b = run->in[RIGHT].data;
    const int64_t n = run->shape.dims[0];
    double *x = run->out, ratio[512], pivot = 0;
    if (n > 512)
        return rg_custom_fail(run, "%lld unknowns; 512 are allowed", (long long)n);
    for (int64_t i = 0; i < n; i++) {
        pivot = i ? diagonal[i] - lower[i] * ratio[i - 1] : diagonal[i];
        if (pivot == 0)
            return rg_custom_fail(run, "the pivot of row %lld is 0", (long long)i);
        ratio[i] = upper[i] / pivot;
        x[i] = (b[i] - (i ? lower[i] * x[i - 1] : 0)) / pivot;
    }
    for (int64_t i = n - 2; i >= 0; i--)
        x[i] -= ratio[i] * x[i + 1];
    return true;
}

static rg_tensor tridiagonal(rg_tape *t, const rg_tensor in[INPUTS]);

/* out[i] = x[i - by], and 0 where there is none. */
static rg_tensor shifted(rg_tape *t, rg_tensor x, int64_t by)
{
    return rg_pad(t, x, &by, &(int64_t){-by}, 0);
}

/* The rule is written in ops, the op itself among them: so it can be differentiated again, as often as you like. */
static void solve_vjp(rg_tape *t, const rg_custom_vjp *v)
{
    const rg_tensor transposed[INPUTS] = {shifted(t, v->in[UPPER], 1), v->in[DIAGONAL], shifted(t, v->in[LOWER], -1),
                                          v->cotangent};
    rg_tensor y = tridiagonal(t, transposed), minus = rg_neg(t, y);
    v->grad[LOWER] = rg_mul(t, minus, shifted(t, v->out, 1));
    v->grad[DIAGONAL] = rg_mul(t, minus, v->out);
    v->grad[UPPER] = rg_mul(t, minus, shifted(t, v->out, -1));
    v->grad[RIGHT] = y;
}

static const rg_custom tridiagonal_op = {.name = "tridiagonal", .kernel = solve, .vjp = solve_vjp};

static rg_tensor tridiagonal(rg_tape *t, const rg_tensor in[INPUTS])
{
    return rg_custom_op(t, &tridiagonal_op, in, INPUTS, NULL);
}

/* A rod of n points, its ends at 0: one step of implicit Euler. conductivity [n + 1] lies between the points. */
static rg_tensor step(rg_tape *t, rg_tensor heat, rg_tensor conductivity)
{
    rg_tensor left = rg_slice(t, conductivity, 0, 0, -1, 1), right = rg_slice(t, conductivity, 0, 1, RG_END, 1);
    const rg_tensor in[INPUTS] = {rg_neg(t, left), rg_add_scalar(t, rg_add(t, left, right), 1), rg_neg(t, right), heat};
    return tridiagonal(t, in);
}

/* For the check of the gradient: x[0] is the heat, x[1] the logarithm of the conductivity. */
static rg_tensor two_steps(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count, (void)user;
    rg_tensor conductivity = rg_exp(t, x[1]);
    return step(t, step(t, x[0], conductivity), conductivity);
}

static bool check(void)
{
    enum { N = 6 };
    double heat[N], logarithm[N + 1];
    rg_rng rng = rg_rng_new(1, 0);
    rg_rng_normal_f64(&rng, heat, N, 0, 1);
    rg_rng_normal_f64(&rng, logarithm, N + 1, 0, 1);
    const rg_array in[] = {{RG_F64, RG_SHAPE(N), heat}, {RG_F64, RG_SHAPE(N + 1), logarithm}};
    rg_gradcheck_report first, second;
    bool ok = rg_gradcheck(two_steps, NULL, in, 2, NULL, &first);
    ok = rg_gradcheck2(two_steps, NULL, in, 2, NULL, &second) && ok;
    printf("%s\n%s\n", first.message, second.message);
    return ok;
}

/* A kernel's error is an error like any other. */
static bool reports_a_singular_matrix(rg_tape *t)
{
    rg_tape_reset(t);
    const rg_tensor zeros = rg_zeros(t, RG_F64, RG_SHAPE(3)), in[INPUTS] = {zeros, zeros, zeros, zeros};
    rg_data(t, tridiagonal(t, in));
    printf("a singular matrix says: %s\n", rg_tape_error(t));
    const bool reported = rg_tape_status(t) == RG_ERROR_VALUE;
    rg_tape_clear_error(t);
    return reported;
}

int main(void)
{
    enum { N = 32, TIMES = 4, STEPS = 300 };
    const bool checked = check();
    rg_params *ps = rg_params_new(1);
    rg_tape *t = rg_tape_new(NULL);
    rg_param *p = rg_param_new(ps, "log conductivity", RG_F64, RG_SHAPE(N + 1), NULL);
    rg_optim *opt = rg_adam_new(ps, &(rg_adam_config){.lr = 5e-2});

    /* What is measured: the temperatures of a rod whose right half conducts four times as well as the left. */
    double start[N], truth[N + 1], measured[TIMES][N];
    for (int i = 0; i < N; i++)
        start[i] = 1 + sin(i * 0.9) + sin(i * 0.37);
    for (int i = 0; i <= N; i++)
        truth[i] = i <= N / 2 ? 0.5 : 2;
    rg_tensor heat = rg_input_f64(t, RG_SHAPE(N), start), known = rg_input_f64(t, RG_SHAPE(N + 1), truth);
    for (int time = 0; time < TIMES; time++)
        rg_read(t, heat = step(t, heat, known), measured[time], sizeof measured[time]);

    double loss = 0;
    for (int i = 0; i <= STEPS && !rg_failed(t); i++) {
        rg_tape_reset(t);
        rg_tensor conductivity = rg_exp(t, rg_leaf(t, p)), error = rg_constant(t, RG_F64, 0);
        heat = rg_input_f64(t, RG_SHAPE(N), start);
        for (int time = 0; time < TIMES; time++) {
            heat = step(t, heat, conductivity);
            rg_tensor there = rg_input_f64(t, RG_SHAPE(N), measured[time]);
            error = rg_add(t, error, rg_sum(t, rg_square(t, rg_sub(t, heat, there)), RG_ALL, false));
        }
        rg_backward(t, error);
        rg_optim_step(opt, t);
        loss = rg_item(t, error);
        if (i % 100 == 0)
            printf("%3d  loss %.2e\n", i, loss);
    }
    rg_tape_reset(t);
    const double *found = rg_param_data(p), left = exp(found[N / 4]), right = exp(found[3 * N / 4]);
    printf("conductivity: %.2f on the left, %.2f on the right\n", left, right);
    const bool failed = rg_failed(t);
    if (failed)
        fprintf(stderr, "%s\n", rg_tape_error(t));
    const bool reported = reports_a_singular_matrix(t);
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
    return failed || !checked || !reported || loss > 1e-2 || fabs(left - 0.5) > 0.1 || fabs(right - 2) > 0.4;
}
