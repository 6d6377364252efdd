/* Verification of gradients by central differences. See retrograd/autograd.h. */
#include "autograd/params.h"
#include "autograd/tape.h"

#include <retrograd/autograd.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is differentiated by: an f64 input, or a trainable f64 parameter. */
typedef struct variable {
    int number;      /* as the report counts them                 */
    int input;       /* index of the input; -1 for a parameter    */
    rg_param *param; /* NULL for an input                         */
    int64_t numel;
    double *at;        /* where the check is done                 */
    double *moved;     /* where the function is evaluated         */
    double *direction; /* along which it is moved                 */
    double *grad;      /* analytic gradient of <f, cotangent>     */
} variable;

typedef struct check {
    rg_function f;
    void *user;
    const rg_array *input;
    int inputs;
    rg_gradcheck_config config;
    rg_gradcheck_report *report;
    rg_tape *t;
    variable *v;
    int variables;
    rg_tensor *x;      /* the inputs on the tape, then the variables */
    rg_tensor *grad;   /* one a variable */
    double *cotangent; /* of the result; outputs of them */
    double *result;
    int64_t outputs;
    rg_shape shape; /* of the result */
} check;

static bool fail(check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(check *c, const char *format, ...)
{
    if (c->report->message[0])
        return false;
    va_list args;
    va_start(args, format);
    vsnprintf(c->report->message, sizeof c->report->message, format, args);
    va_end(args);
    return false;
}

static bool out_of_memory(check *c)
{
    return fail(c, "out of memory");
}

/* ---- setting up ---- */

static double *doubles(int64_t n)
{
    return calloc((size_t)n + 1, sizeof(double));
}

static bool add_variable(check *c, int number, int input, rg_param *p, const double *data, int64_t numel)
{
    variable *v = &c->v[c->variables];
    *v = (variable){number, input, p, numel, doubles(numel), doubles(numel), doubles(numel), doubles(numel)};
    c->variables++;
    if (!v->at || !v->moved || !v->direction || !v->grad)
        return out_of_memory(c);
    if (numel)
        memcpy(v->at, data, (size_t)numel * sizeof *data);
    return true;
}

static bool set_up(check *c)
{
    const int entries = rg_params_count(c->config.params);
    c->t = rg_tape_new(&(rg_tape_config){.seed = c->config.seed});
    c->v = calloc((size_t)(c->inputs + entries) + 1, sizeof *c->v);
    c->x = calloc((size_t)(2 * c->inputs + entries) + 1, sizeof *c->x);
    c->grad = calloc((size_t)(c->inputs + entries) + 1, sizeof *c->grad);
    if (!c->t || !c->v || !c->x || !c->grad)
        return out_of_memory(c);
    int64_t elements = 0;
    for (int i = 0; i < c->inputs; i++) {
        const rg_array *a = &c->input[i];
        int64_t numel = rg_shape_numel(a->shape);
        if (numel < 0 || (unsigned)a->dtype >= RG_DTYPES || (!a->data && numel))
            return fail(c, "input %d has no valid dtype, shape and data", i);
        if (a->dtype == RG_F64 && !add_variable(c, i, i, NULL, a->data, numel))
            return false;
        elements += a->dtype == RG_F64 ? numel : 0;
    }
    int parameter = 0;
    for (int i = 0; i < entries; i++) {
        rg_param *p = rg_params_at(c->config.params, i);
        if (!rg_param_trainable(p) || p->dtype != RG_F64)
            continue;
        if (!add_variable(c, c->inputs + parameter++, -1, p, p->data, p->numel))
            return false;
        elements += p->numel;
    }
    return elements > 0 || fail(c, "nothing to compare: no f64 input and no trainable f64 parameter has elements");
}

static void tear_down(check *c)
{
    for (int k = 0; k < c->variables; k++) {
        variable *v = &c->v[k];
        if (v->param && v->at)
            rg_param_set(v->param, v->at, (size_t)v->numel * sizeof *v->at);
        free(v->at);
        free(v->moved);
        free(v->direction);
        free(v->grad);
    }
    free(c->v);
    free(c->x);
    free(c->grad);
    free(c->cotangent);
    free(c->result);
    rg_tape_free(c->t);
}

/* ---- evaluating ---- */

/* Records f at the point moved by `distance` along the directions. The same random draws each time. */
static rg_tensor record(check *c, double distance)
{
    rg_tape *t = c->t;
    rg_tape_reset(t);
    t->counter = 0;
    for (int k = 0; k < c->variables; k++) {
        variable *v = &c->v[k];
        for (int64_t i = 0; i < v->numel; i++)
            v->moved[i] = v->at[i] + distance * v->direction[i];
        if (v->param)
            rg_param_set(v->param, v->moved, (size_t)v->numel * sizeof *v->moved);
        else
            c->x[v->input] = rg_input_f64(t, c->input[v->input].shape, v->moved);
    }
    for (int i = 0; i < c->inputs; i++)
        if (c->input[i].dtype != RG_F64)
            c->x[i] = rg_input(t, c->input[i].dtype, c->input[i].shape, c->input[i].data);
    for (int k = 0; k < c->variables; k++)
        c->x[c->inputs + k] = c->v[k].param ? rg_leaf(t, c->v[k].param) : c->x[c->v[k].input];
    return c->f(t, c->x, c->inputs, c->user);
}

static bool tape_ok(check *c)
{
    return !rg_failed(c->t) || fail(c, "%s", rg_tape_error(c->t));
}

/* The result at the moved point, into c->result. */
static bool evaluate(check *c, double distance)
{
    rg_tensor y = record(c, distance);
    if (rg_is_nil(y) && !rg_failed(c->t))
        return fail(c, "the function returned no tensor");
    return rg_read(c->t, y, c->result, (size_t)c->outputs * sizeof *c->result) || tape_ok(c);
}

/* Makes room for the result, draws a cotangent for it, and makes sure that the function repeats itself. */
static bool first_evaluation(check *c)
{
    rg_tensor y = record(c, 0);
    if (!tape_ok(c))
        return false;
    if (rg_is_nil(y))
        return fail(c, "the function returned no tensor");
    if (rg_dtype_of(c->t, y) != RG_F64)
        return tape_ok(c) &&
               fail(c, "the function's result is %s; differences need f64", rg_dtype_name(rg_dtype_of(c->t, y)));
    c->shape = rg_shape_of(c->t, y);
    c->outputs = rg_numel(c->t, y);
    c->cotangent = doubles(c->outputs);
    c->result = doubles(c->outputs);
    double *again = doubles(c->outputs);
    bool ok = c->cotangent && c->result && again ? true : out_of_memory(c);
    ok = ok && (c->outputs > 0 || fail(c, "nothing to compare: the function's result has no elements"));
    ok = ok && evaluate(c, 0);
    if (ok) {
        memcpy(again, c->result, (size_t)c->outputs * sizeof *again);
        ok = evaluate(c, 0);
    }
    if (ok && memcmp(again, c->result, (size_t)c->outputs * sizeof *again) != 0)
        ok = fail(c, "the function is not deterministic: two evaluations at one point differ");
    free(again);
    return ok;
}

/* Analytic gradients of <f, cotangent>, into every variable's grad. */
static bool differentiate(check *c, const double *cotangent)
{
    rg_tape *t = c->t;
    rg_tensor y = record(c, 0);
    rg_tensor w = rg_input_f64(t, c->shape, cotangent);
    if (rg_grad_with(t, y, w, c->x + c->inputs, c->variables, c->grad))
        for (int k = 0; k < c->variables; k++)
            rg_read(t, c->grad[k], c->v[k].grad, (size_t)c->v[k].numel * sizeof(double));
    return tape_ok(c);
}

/* ---- central differences, extrapolated: Ridders, Advances in Engineering Software 4 (1982) ---- */

#define HALVINGS 7

/* Derivative along the directions of <f, cotangent>, or of output `only` (-1: all), and an estimate of its error. */
static bool difference(check *c, const double *cotangent, int64_t only, double *value, double *error)
{
    double table[HALVINGS][HALVINGS];
    *value = NAN;
    *error = DBL_MAX;
    double step = c->config.step;
    for (int n = 0; n < HALVINGS; n++, step /= 2) {
        double side[2] = {0, 0};
        for (int s = 0; s < 2; s++) {
            if (!evaluate(c, s ? step : -step))
                return false;
            if (only >= 0)
                side[s] = c->result[only];
            else
                for (int64_t i = 0; i < c->outputs; i++)
                    side[s] += cotangent[i] * c->result[i];
        }
        table[n][0] = (side[1] - side[0]) / (2 * step);
        if (n == 0)
            *value = table[0][0];
        double factor = 4;
        for (int k = 1; k <= n; k++, factor *= 4) {
            table[n][k] = (factor * table[n][k - 1] - table[n - 1][k - 1]) / (factor - 1);
            double e = fmax(fabs(table[n][k] - table[n][k - 1]), fabs(table[n][k] - table[n - 1][k - 1]));
            if (e <= *error) {
                *error = e;
                *value = table[n][k];
            }
        }
        if (n > 1 && fabs(table[n][n] - table[n - 1][n - 1]) >= 2 * *error)
            break; /* rounding has taken over */
    }
    return true;
}

/* ---- comparing ---- */

typedef struct place {
    int input;
    int64_t index, output;
} place;

/* Counts the comparison; keeps it in the report if it is the worst so far. True if the two agree. */
static bool compare(check *c, double analytic, double numeric, double estimate, place where)
{
    rg_gradcheck_report *r = c->report;
    const double error = fabs(analytic - numeric);
    const double allowed = c->config.atol + c->config.rtol * fmax(fabs(analytic), fabs(numeric));
    const bool agree = error <= allowed; /* false for NaN */
    const bool worse = r->compared == 0 || !(error <= r->error);
    r->compared++;
    if (!isnan(r->error) && (worse || isnan(error))) {
        r->input = where.input;
        r->index = where.index;
        r->output = where.output;
        r->analytic = analytic;
        r->numeric = numeric;
        r->error = error;
    }
    if (!agree && estimate > allowed)
        fail(c, "the differences do not converge (estimated error %g): is the function smooth here?", estimate);
    return agree;
}

static void draw(rg_rng *rng, double *out, int64_t n)
{
    rg_rng_uniform_f64(rng, out, (size_t)n, -1, 1);
}

static void clear_directions(check *c)
{
    for (int k = 0; k < c->variables; k++)
        memset(c->v[k].direction, 0, (size_t)c->v[k].numel * sizeof(double));
}

/* Random directions, a random cotangent each. */
static bool check_directions(check *c, rg_rng *rng)
{
    bool agree = true;
    for (int d = 0; d < c->config.directions && agree; d++) {
        double analytic = 0, numeric, estimate;
        draw(rng, c->cotangent, c->outputs);
        if (!differentiate(c, c->cotangent))
            return false;
        for (int k = 0; k < c->variables; k++) {
            variable *v = &c->v[k];
            draw(rng, v->direction, v->numel);
            for (int64_t i = 0; i < v->numel; i++)
                analytic += v->grad[i] * v->direction[i];
        }
        if (!difference(c, c->cotangent, -1, &numeric, &estimate))
            return false;
        agree = compare(c, analytic, numeric, estimate, (place){c->v[0].number, -1, -1});
    }
    clear_directions(c);
    return agree;
}

/* Each element of the gradient that `differentiate` left; at most `most` of them, spread evenly. */
static bool check_elements(check *c, const double *cotangent, int64_t output, int64_t most)
{
    int64_t total = 0, position = 0;
    for (int k = 0; k < c->variables; k++)
        total += c->v[k].numel;
    const int64_t every = total > most ? (total + most - 1) / most : 1;
    bool agree = true;
    for (int k = 0; k < c->variables; k++) {
        variable *v = &c->v[k];
        for (int64_t i = 0; i < v->numel; i++, position++) {
            double numeric, estimate;
            if (position % every)
                continue;
            v->direction[i] = 1;
            bool ok = difference(c, cotangent, output, &numeric, &estimate);
            v->direction[i] = 0;
            if (!ok)
                return false;
            agree = compare(c, v->grad[i], numeric, estimate, (place){v->number, i, output}) && agree;
        }
    }
    return agree;
}

static bool check_jacobian(check *c)
{
    bool agree = true;
    double *row = doubles(c->outputs);
    for (int64_t o = 0; row && o < c->outputs && !c->report->message[0]; o++) {
        row[o] = 1;
        agree = differentiate(c, row) && check_elements(c, row, o, INT64_MAX) && agree;
        row[o] = 0;
    }
    free(row);
    return row ? agree : out_of_memory(c);
}

/* ---- naming the culprit: each op of the function is checked on its own ---- */

static rg_tensor apply_again(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    const rg__node *n = user;
    if (n->op->again)
        return n->op->again(t, x[0], n);
    return rg__record(t, n->op, x, count, (rg_dtype)n->dtype, n->rank, n->dims, n->attr);
}

static bool run_check(check *c, bool blame);

/* Does the op's own rule disagree at this node? */
static bool is_wrong(check *c, const rg__node *n)
{
    rg_array *input = calloc(n->n_in, sizeof *input);
    bool ready = input != NULL, wrong = false;
    for (int i = 0; ready && i < n->n_in; i++) {
        const rg__node *in = rg__at(c->t, n->in[i]);
        const size_t bytes = (size_t)in->numel * rg_dtype_size((rg_dtype)in->dtype);
        void *values = malloc(bytes + 1);
        input[i] = (rg_array){(rg_dtype)in->dtype, rg_shape_of(c->t, rg__handle(c->t, n->in[i])), values};
        ready = values && rg_read(c->t, rg__handle(c->t, n->in[i]), values, bytes);
    }
    if (ready) {
        rg_gradcheck_report own = {0};
        check sub = {.f = apply_again,
                     .user = (void *)(uintptr_t)n,
                     .input = input,
                     .inputs = n->n_in,
                     .config = c->config,
                     .report = &own};
        sub.config.params = NULL;
        sub.config.jacobian = false;
        wrong = !run_check(&sub, false) && own.compared > 0;
    }
    for (int i = 0; input && i < n->n_in; i++)
        free((void *)(uintptr_t)input[i].data);
    free(input);
    return wrong;
}

static void name_culprit(check *c)
{
    rg_tensor y = record(c, 0);
    if (rg_failed(c->t))
        return;
    for (uint32_t id = 0; id <= y.id && !rg_failed(c->t); id++) {
        const rg__node *n = rg__at(c->t, id);
        if (n->dtype != RG_F64 || n->n_in == 0 || !n->op->vjp || (n->flags & RG__CUT) || !is_wrong(c, n))
            continue;
        snprintf(c->report->op, sizeof c->report->op, "%s", n->op->name);
        return;
    }
}

/* ---- the checks ---- */

static bool run_check(check *c, bool blame)
{
    rg_rng rng = rg_rng_new(c->config.seed, 1);
    bool passed = set_up(c) && first_evaluation(c);
    if (passed && c->config.jacobian) {
        passed = check_jacobian(c);
    } else if (passed) {
        passed = check_directions(c, &rng);
        if (!passed && blame && !c->report->message[0]) { /* which element is it? */
            *c->report = (rg_gradcheck_report){.compared = 0};
            if (differentiate(c, c->cotangent))
                check_elements(c, c->cotangent, -1, 4096);
        }
    }
    if (passed && c->report->compared == 0)
        passed = fail(c, "nothing was compared");
    if (!passed && blame && c->report->compared > 0)
        name_culprit(c);
    tear_down(c);
    c->report->passed = passed;
    return passed;
}

static void describe(rg_gradcheck_report *r, const char *order)
{
    char what[sizeof r->message], where[96] = "";
    if (r->passed)
        snprintf(r->message, sizeof r->message, "%s gradient: %lld numbers compared, largest error %.3g", order,
                 (long long)r->compared, r->error);
    if (r->passed || r->compared == 0)
        return;
    snprintf(what, sizeof what, "%s", r->message);
    if (r->index >= 0)
        snprintf(where, sizeof where, " at element %lld of input %d", (long long)r->index, r->input);
    snprintf(r->message, sizeof r->message, "%s gradient%s: analytic %.10g, numeric %.10g, error %.3g%s%s%s%s%.200s",
             order, where, r->analytic, r->numeric, r->error, r->op[0] ? "; the rule of '" : "", r->op,
             r->op[0] ? "' disagrees" : "", what[0] ? "; " : "", what);
}

static rg_gradcheck_config complete(const rg_gradcheck_config *config)
{
    rg_gradcheck_config c = config ? *config : (rg_gradcheck_config){0};
    c.step = c.step > 0 ? c.step : 1e-2;
    c.rtol = c.rtol > 0 ? c.rtol : 1e-6;
    c.atol = c.atol > 0 ? c.atol : 1e-8;
    c.directions = c.directions > 0 ? c.directions : 2;
    return c;
}

static bool gradcheck(rg_function f, void *user, const rg_array *inputs, int count, const rg_gradcheck_config *config,
                      rg_gradcheck_report *report, const char *order)
{
    rg_gradcheck_report unread;
    check c = {.f = f,
               .user = user,
               .input = inputs,
               .inputs = count,
               .config = complete(config),
               .report = report ? report : &unread};
    *c.report = (rg_gradcheck_report){.index = -1, .output = -1};
    if (!f || count < 0 || (count > 0 && !inputs))
        return fail(&c, "no function, or no inputs");
    bool passed = run_check(&c, true);
    describe(c.report, order);
    return passed;
}

bool rg_gradcheck(rg_function f, void *user, const rg_array *inputs, int count, const rg_gradcheck_config *config,
                  rg_gradcheck_report *report)
{
    return gradcheck(f, user, inputs, count, config, report, "first-order");
}

/* ---- second order ---- */

typedef struct gradient_of {
    rg_function f;
    void *user;
    rg_params *params;
} gradient_of;

/* All first-order gradients of <f(x), last x>, one after the other in a vector. */
static rg_tensor gradients(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    const gradient_of *g = user;
    const int entries = rg_params_count(g->params);
    rg_tensor *by = calloc(2 * ((size_t)count + (size_t)entries), sizeof *by);
    if (!by) {
        rg_tape_fail(t, RG_ERROR_MEMORY, "gradcheck: out of memory");
        return RG_NIL;
    }
    int n = 0;
    for (int i = 0; i < count - 1; i++)
        if (rg_dtype_of(t, x[i]) == RG_F64)
            by[n++] = x[i];
    for (int i = 0; i < entries; i++) {
        rg_param *p = rg_params_at(g->params, i);
        if (rg_param_trainable(p) && p->dtype == RG_F64)
            by[n++] = rg_leaf(t, p);
    }
    rg_tensor *grad = by + count + entries, all = RG_NIL;
    if (rg_grad_with(t, g->f(t, x, count - 1, g->user), x[count - 1], by, n, grad)) {
        for (int i = 0; i < n; i++)
            grad[i] = rg_reshape(t, grad[i], RG_SHAPE(-1));
        all = rg_cat(t, grad, n, 0);
    }
    free(by);
    return all;
}

/* The shape of f's result. */
static bool result_shape(rg_function f, void *user, const rg_array *inputs, int count,
                         const rg_gradcheck_config *config, rg_gradcheck_report *report, rg_shape *shape)
{
    check c = {.f = f, .user = user, .input = inputs, .inputs = count, .config = complete(config), .report = report};
    bool ok = set_up(&c) && first_evaluation(&c);
    *shape = c.shape;
    tear_down(&c);
    return ok;
}

bool rg_gradcheck2(rg_function f, void *user, const rg_array *inputs, int count, const rg_gradcheck_config *config,
                   rg_gradcheck_report *report)
{
    rg_gradcheck_report unread;
    report = report ? report : &unread;
    *report = (rg_gradcheck_report){.index = -1, .output = -1};
    if (!f || count < 0 || (count > 0 && !inputs))
        return rg_gradcheck(NULL, NULL, NULL, 0, NULL, report);
    rg_shape shape;
    if (!result_shape(f, user, inputs, count, config, report, &shape))
        return false;
    rg_rng rng = rg_rng_new(complete(config).seed, 2);
    rg_array *more = calloc((size_t)count + 1, sizeof *more);
    double *cotangent = doubles(rg_shape_numel(shape));
    bool passed = false;
    if (more && cotangent) {
        draw(&rng, cotangent, rg_shape_numel(shape));
        if (count)
            memcpy(more, inputs, (size_t)count * sizeof *more);
        more[count] = (rg_array){RG_F64, shape, cotangent};
        gradient_of g = {f, user, config ? config->params : NULL};
        passed = gradcheck(gradients, &g, more, count + 1, config, report, "second-order");
    } else {
        snprintf(report->message, sizeof report->message, "out of memory");
    }
    free(more);
    free(cotangent);
    return passed;
}
