/* L-BFGS: directions from a history of positions and gradients, and the line search along them. What it computes with
 * vectors of all parameters is plain C, in f64; the loss and its gradient come from the tape. */
#include "check.h"
#include "optimizer.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A change of position s that changed the gradient by y. */
typedef struct pair {
    double *y, *s;       /* s lies behind y in one allocation      */
    double share, taken; /* 1/<y, s>; what the first loop took     */
} pair;

/* A point along the line: how far, the loss, its slope along the line, its gradient. */
typedef struct point {
    double at, loss, slope;
    double *g;
} point;

enum { VECTORS = 8 };

typedef struct memory {
    int count, capacity; /* parameters */
    rg_param **param;
    rg_tensor *leaf, *grad;
    int64_t n;     /* elements of all parameters                                  */
    void *numbers; /* one parameter's, in its dtype; the largest may have all the n */
    double *vectors;
    double *x, *d, *g, *before; /* where the line starts; direction; gradient; gradient one iteration before */
    point trial, previous, end[2];
    pair *history; /* oldest first */
    int pairs, history_capacity;
    double taken, diagonal; /* how far the last iteration went along d; the first guess of the inverse Hessian */
    bool begun;
} memory;

static void free_memory(void *data)
{
    memory *m = data;
    if (m == NULL)
        return;
    for (int i = 0; i < m->pairs; i++)
        free(m->history[i].y);
    free(m->history);
    free(m->vectors);
    free(m->numbers);
    free(m->param);
    free(m->leaf);
    free(m->grad);
    free(m);
}

static bool no_memory(rg_tape *t)
{
    rg_tape_fail(t, RG_ERROR_MEMORY, "lbfgs: out of memory");
    return false;
}

/* ---- parameters as one vector ------------------------------------------------------------------------------------ */

/* Room for one parameter more. */
static bool grow(memory *m)
{
    if (m->count < m->capacity)
        return true;
    const int capacity = m->capacity > 0 ? 2 * m->capacity : 16;
    rg_param **param = realloc(m->param, (size_t)capacity * sizeof *param);
    m->param = param != NULL ? param : m->param;
    rg_tensor *leaf = realloc(m->leaf, (size_t)capacity * sizeof *leaf);
    m->leaf = leaf != NULL ? leaf : m->leaf;
    rg_tensor *grad = realloc(m->grad, (size_t)capacity * sizeof *grad);
    m->grad = grad != NULL ? grad : m->grad;
    if (param == NULL || leaf == NULL || grad == NULL)
        return false;
    m->capacity = capacity;
    return true;
}

/* Lists the parameters; returns how many elements they have together, -1 when out of memory. */
static int64_t list_params(const rg_optim *opt, memory *m)
{
    int64_t n = 0;
    m->count = 0;
    for (int i = 0; i < rg_params_count(opt->store); i++) {
        rg_param *p = rg_params_at(opt->store, i);
        if (!rg__optim_takes(opt, p))
            continue;
        if (!grow(m))
            return -1;
        m->param[m->count++] = p;
        n += rg_param_numel(p);
    }
    return n;
}

/* The vectors, at the first step. */
static bool begin(rg_tape *t, memory *m, int64_t n)
{
    if (n > INT64_MAX / (VECTORS * (int64_t)sizeof *m->vectors))
        return no_memory(t);
    m->vectors = calloc((size_t)n * VECTORS, sizeof *m->vectors);
    m->numbers = malloc((size_t)n * sizeof *m->vectors);
    if (m->vectors == NULL || m->numbers == NULL)
        return no_memory(t);
    double **const all[VECTORS] = {&m->x,       &m->d,          &m->g,        &m->before,
                                   &m->trial.g, &m->previous.g, &m->end[0].g, &m->end[1].g};
    for (int i = 0; i < VECTORS; i++)
        *all[i] = m->vectors + (size_t)i * (size_t)n;
    m->n = n;
    m->diagonal = 1;
    return true;
}

static memory *memory_of(rg_optim *opt, rg_tape *t)
{
    memory *m = opt->memory != NULL ? opt->memory : calloc(1, sizeof *m);
    opt->memory = m;
    const int64_t n = m != NULL ? list_params(opt, m) : -1;
    if (n < 0)
        no_memory(t);
    else if (n == 0)
        rg_tape_fail(t, RG_ERROR_STATE, "lbfgs: there is nothing to train");
    else if (m->vectors == NULL || m->numbers == NULL) {
        free(m->vectors);
        free(m->numbers);
        begin(t, m, n);
    } else if (n != m->n)
        rg_tape_fail(t, RG_ERROR_STATE, "lbfgs: %lld elements are to be trained; there were %lld at the first step",
                     (long long)n, (long long)m->n);
    return rg_failed(t) ? NULL : m;
}

static double number_at(rg_dtype dtype, const void *data, int64_t i)
{
    return dtype == RG_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

static void load_position(memory *m)
{
    double *x = m->x;
    for (int k = 0; k < m->count; k++)
        for (int64_t i = 0, n = rg_param_numel(m->param[k]); i < n; i++)
            *x++ = number_at(rg_param_dtype(m->param[k]), rg_param_data(m->param[k]), i);
}

/* The parameters := x + distance d */
static void move(memory *m, double distance)
{
    const double *x = m->x, *d = m->d;
    for (int k = 0; k < m->count; k++) {
        const rg_dtype dtype = rg_param_dtype(m->param[k]);
        const int64_t n = rg_param_numel(m->param[k]);
        for (int64_t i = 0; i < n; i++, x++, d++) {
            const double value = distance == 0 ? *x : *x + distance * *d;
            if (dtype == RG_F32)
                ((float *)m->numbers)[i] = (float)value;
            else
                ((double *)m->numbers)[i] = value;
        }
        rg_param_set(m->param[k], m->numbers, (size_t)n * rg_dtype_size(dtype));
    }
}

/* ---- vectors ----------------------------------------------------------------------------------------------------- */

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static double largest_of(const double *a, int64_t n)
{
    double largest = 0;
    for (int64_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(a[i]));
    return largest;
}

static double absolute_sum(const double *a, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += fabs(a[i]);
    return sum;
}

/* y := y + factor x */
static void add_scaled(double *y, double factor, const double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += factor * x[i];
}

static bool all_finite(const double *a, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(a[i]))
            return false;
    return true;
}

/* ---- the loss ---------------------------------------------------------------------------------------------------- */

typedef struct objective {
    rg_tape *t;
    rg_closure closure;
    void *user;
    memory *m;
    int evaluations;
} objective;

/* Reads the gradients, one behind the other. */
static bool read_gradient(const objective *f, double *g)
{
    const memory *m = f->m;
    for (int k = 0; k < m->count; k++) {
        const rg_dtype dtype = rg_param_dtype(m->param[k]);
        const int64_t n = rg_param_numel(m->param[k]);
        if (!rg_read(f->t, m->grad[k], m->numbers, (size_t)n * rg_dtype_size(dtype)))
            return false;
        for (int64_t i = 0; i < n; i++)
            *g++ = number_at(dtype, m->numbers, i);
    }
    return true;
}

/* The loss at the present parameters, and its gradient. False on error. */
static bool evaluate(objective *f, double *loss, double *g)
{
    rg_tape *t = f->t;
    memory *m = f->m;
    const rg_mark mark = rg_tape_mark(t);
    rg_mode_push(t, RG_GRAD);
    const rg_tensor y = rg_keep(t, f->closure(t, f->user));
    for (int k = 0; k < m->count; k++)
        m->leaf[k] = rg_leaf(t, m->param[k]);
    if (rg_grad(t, y, m->leaf, m->count, m->grad))
        for (int k = 0; k < m->count; k++)
            rg_keep(t, m->grad[k]);
    rg_mode_pop(t);
    *loss = rg_item(t, y);
    const bool done = read_gradient(f, g) && !rg_failed(t);
    rg_tape_rollback(t, mark);
    f->evaluations++;
    return done && !rg_failed(t);
}

/* The trial point: x + distance d. What is not finite counts as infinitely high. */
static bool try_point(objective *f, double distance)
{
    memory *m = f->m;
    m->trial.at = distance;
    move(m, distance);
    const bool done = evaluate(f, &m->trial.loss, m->trial.g);
    if (!isfinite(m->trial.loss) || !all_finite(m->trial.g, m->n))
        m->trial.loss = INFINITY;
    m->trial.slope = dot(m->trial.g, m->d, m->n);
    return done;
}

/* ---- line search: Nocedal and Wright, algorithms 3.5 and 3.6 ----------------------------------------------------- */

static void copy_point(point *to, const point *from, int64_t n)
{
    double *g = to->g;
    memcpy(g, from->g, (size_t)n * sizeof *g);
    *to = *from;
    to->g = g;
}

/* The minimum within [low, high] of the cubic through two points; the middle where it has none. */
static double cubic_minimum(const point *a, const point *b, double low, double high)
{
    if (a->at > b->at) {
        const point *swapped = a;
        a = b;
        b = swapped;
    }
    const double d1 = a->slope + b->slope - 3 * (a->loss - b->loss) / (a->at - b->at);
    const double square = d1 * d1 - a->slope * b->slope, d2 = sqrt(square);
    const double found = b->at - (b->at - a->at) * ((b->slope + d2 - d1) / (b->slope - a->slope + 2 * d2));
    if (!(square >= 0) || !isfinite(found))
        return (low + high) / 2;
    return fmin(fmax(found, low), high);
}

static const double ARMIJO = 1e-4, CURVATURE = 0.9, NARROW = 1e-9;

/* Goes out from the start until the interval between end[0] and end[1] holds a point that fulfils the conditions. Is
 * end[0] such a point itself, *done is true. */
static bool find_bracket(objective *f, const point *start, double first, int most, int *tries, bool *done)
{
    memory *m = f->m;
    point *now = &m->trial, *previous = &m->previous;
    copy_point(previous, start, m->n);
    if (!try_point(f, first))
        return false;
    for (; *tries < most; ++*tries) {
        *done = !(now->loss > start->loss + ARMIJO * now->at * start->slope) &&
                !(*tries > 1 && now->loss >= previous->loss) && fabs(now->slope) <= -CURVATURE * start->slope;
        if (*done || now->loss > start->loss + ARMIJO * now->at * start->slope ||
            (*tries > 1 && now->loss >= previous->loss) || now->slope >= 0) {
            copy_point(&m->end[0], *done ? now : previous, m->n);
            copy_point(&m->end[1], now, m->n);
            return true;
        }
        const double least = now->at + 0.01 * (now->at - previous->at), far = now->at * 10;
        const double next = cubic_minimum(previous, now, least, far);
        copy_point(previous, now, m->n);
        if (!try_point(f, next))
            return false;
    }
    copy_point(&m->end[0], start, m->n);
    copy_point(&m->end[1], now, m->n);
    return true;
}

/* Where to look in the interval: the cubic's minimum, but away from the ends if that was too near to them twice. */
static double next_trial(const memory *m, bool *stuck)
{
    const double low = fmin(m->end[0].at, m->end[1].at), high = fmax(m->end[0].at, m->end[1].at);
    const double margin = 0.1 * (high - low), at = cubic_minimum(&m->end[0], &m->end[1], low, high);
    if (!(fmin(high - at, at - low) < margin)) {
        *stuck = false;
        return at;
    }
    if (!*stuck && at < high && at > low) {
        *stuck = true;
        return at;
    }
    *stuck = false;
    return fabs(at - high) < fabs(at - low) ? high - margin : low + margin;
}

/* Narrows the interval; returns which end is the lower one, -1 on error. */
static int narrow(objective *f, const point *start, int most, int tries)
{
    memory *m = f->m;
    const point *now = &m->trial;
    const double reach = largest_of(m->d, m->n);
    bool stuck = false, done = false;
    int low = m->end[0].loss <= m->end[1].loss ? 0 : 1;
    for (; !done && tries < most && fabs(m->end[1].at - m->end[0].at) * reach >= NARROW; tries++) {
        const int high = 1 - low;
        if (!try_point(f, next_trial(m, &stuck)))
            return -1;
        if (now->loss > start->loss + ARMIJO * now->at * start->slope || now->loss >= m->end[low].loss) {
            copy_point(&m->end[high], now, m->n);
            low = m->end[0].loss <= m->end[1].loss ? 0 : 1;
            continue;
        }
        done = fabs(now->slope) <= -CURVATURE * start->slope;
        if (!done && now->slope * (m->end[high].at - m->end[low].at) >= 0)
            copy_point(&m->end[high], &m->end[low], m->n);
        copy_point(&m->end[low], now, m->n);
    }
    return low;
}

/* Goes along d from x to a point that fulfils the strong Wolfe conditions, or the best one that `most` tries found;
 * changes loss, gradient and parameters to it. */
static bool search(objective *f, double *loss, double slope, int most)
{
    memory *m = f->m;
    const point start = {0, *loss, slope, m->g};
    bool done = false;
    int tries = 0;
    int low = find_bracket(f, &start, m->taken, most, &tries, &done) ? 0 : -1;
    if (low == 0 && !done)
        low = narrow(f, &start, most, tries);
    m->taken = low >= 0 ? m->end[low].at : 0;
    move(m, m->taken);
    if (low < 0)
        return false;
    *loss = m->end[low].loss;
    memcpy(m->g, m->end[low].g, (size_t)m->n * sizeof *m->g);
    return true;
}

/* ---- directions -------------------------------------------------------------------------------------------------- */

/* Room at the end of the history; the oldest pair makes it once there are `size`. */
static pair *new_pair(memory *m, int size)
{
    if (m->pairs == size) {
        const pair oldest = m->history[0];
        memmove(m->history, m->history + 1, (size_t)(size - 1) * sizeof oldest);
        m->history[size - 1] = oldest;
        return &m->history[size - 1];
    }
    if (m->pairs == m->history_capacity) {
        const int capacity = m->history_capacity > 0 ? 2 * m->history_capacity : 16;
        pair *more = realloc(m->history, (size_t)capacity * sizeof *more);
        if (more == NULL)
            return NULL;
        m->history = more;
        m->history_capacity = capacity;
    }
    pair *made = &m->history[m->pairs];
    made->y = malloc((size_t)m->n * 2 * sizeof *made->y);
    if (made->y == NULL)
        return NULL;
    made->s = made->y + m->n;
    m->pairs++;
    return made;
}

/* Remembers what the last iteration did, where the loss is convex along it. */
static bool remember(memory *m, int size)
{
    double curvature = 0, square = 0;
    for (int64_t i = 0; i < m->n; i++) {
        const double y = m->g[i] - m->before[i];
        curvature += y * (m->d[i] * m->taken);
        square += y * y;
    }
    if (!(curvature > 1e-10))
        return true;
    pair *last = new_pair(m, size);
    if (last == NULL)
        return false;
    for (int64_t i = 0; i < m->n; i++) {
        last->y[i] = m->g[i] - m->before[i];
        last->s[i] = m->d[i] * m->taken;
    }
    last->share = 1 / curvature;
    m->diagonal = curvature / square;
    return true;
}

/* d := -H g by two loops over the history */
static void find_direction(memory *m)
{
    for (int64_t i = 0; i < m->n; i++)
        m->d[i] = -m->g[i];
    for (int k = m->pairs; k-- > 0;) {
        pair *h = &m->history[k];
        h->taken = dot(h->s, m->d, m->n) * h->share;
        add_scaled(m->d, -h->taken, h->y, m->n);
    }
    for (int64_t i = 0; i < m->n; i++)
        m->d[i] *= m->diagonal;
    for (int k = 0; k < m->pairs; k++) {
        const pair *h = &m->history[k];
        add_scaled(m->d, h->taken - dot(h->y, m->d, m->n) * h->share, h->s, m->n);
    }
}

/* ---- the step ---------------------------------------------------------------------------------------------------- */

static bool check(const rg_optim *opt, rg_tape *t)
{
    const rg_lbfgs_config *c = &opt->config.lbfgs;
    const char *const names[] = {"max_iter", "max_eval", "history_size"};
    const int values[] = {c->max_iter, c->max_eval, c->history_size};
    for (int i = 0; i < 3; i++)
        if (values[i] < 1)
            rg_tape_fail(t, RG_ERROR_ARGUMENT, "lbfgs: %s is %d; it must be at least 1", names[i], values[i]);
    if (opt->groups != NULL)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "lbfgs: it has no parameter groups");
    return rg__check_range(t, "lbfgs", "tolerance_grad", c->tolerance_grad, INFINITY, true) &&
           rg__check_range(t, "lbfgs", "tolerance_change", c->tolerance_change, INFINITY, true);
}

/* One iteration from loss and m->g; *more says whether another one is worth it. False on error. */
static bool iterate(const rg_optim *opt, objective *f, double *loss, bool last, bool *more)
{
    const rg_lbfgs_config *c = &opt->config.lbfgs;
    memory *m = f->m;
    *more = false;
    if (m->begun && !remember(m, c->history_size))
        return no_memory(f->t);
    find_direction(m);
    memcpy(m->before, m->g, (size_t)m->n * sizeof *m->g);
    m->taken = opt->common.lr * (m->begun ? 1 : fmin(1, 1 / absolute_sum(m->g, m->n)));
    m->begun = true;
    const double slope = dot(m->g, m->d, m->n), loss_before = *loss;
    if (!(slope <= -c->tolerance_change))
        return true;
    load_position(m);
    if (c->strong_wolfe) {
        if (!search(f, loss, slope, c->max_eval - f->evaluations))
            return false;
    } else {
        move(m, m->taken);
        if (!last && !evaluate(f, loss, m->g)) {
            move(m, 0);
            return false;
        }
    }
    *more = !last && f->evaluations < c->max_eval && largest_of(m->g, m->n) > c->tolerance_grad &&
            fabs(m->taken) * largest_of(m->d, m->n) > c->tolerance_change &&
            fabs(*loss - loss_before) >= c->tolerance_change && all_finite(m->g, m->n);
    return true;
}

static const rg__optim_kind lbfgs = {.name = "lbfgs", .check = check, .free = free_memory};

double rg_lbfgs_step(rg_optim *opt, rg_tape *t, rg_closure closure, void *user)
{
    if (opt == NULL || closure == NULL)
        rg_tape_fail(t, RG_ERROR_ARGUMENT, "lbfgs_step: the %s is NULL", opt == NULL ? "optimizer" : "closure");
    else if (opt->kind != &lbfgs)
        rg_tape_fail(t, RG_ERROR_STATE, "lbfgs_step: the optimizer is %s; its steps are rg_optim_step", opt->kind->name);
    if (rg_failed(t) || !rg__optim_check(opt, t))
        return NAN;
    memory *m = memory_of(opt, t);
    objective f = {t, closure, user, m, 0};
    double first = NAN;
    if (m == NULL || !evaluate(&f, &first, m->g))
        return NAN;
    double loss = first;
    bool more = isfinite(loss) && all_finite(m->g, m->n) && largest_of(m->g, m->n) > opt->config.lbfgs.tolerance_grad;
    for (int i = 1; more; i++)
        if (!iterate(opt, &f, &loss, i == opt->config.lbfgs.max_iter, &more))
            return NAN;
    return first;
}

rg_optim *rg_lbfgs_new(rg_params *ps, const rg_lbfgs_config *config)
{
    const rg_lbfgs_config c = config != NULL ? *config : (rg_lbfgs_config){0};
    rg_optim *opt = rg__optim_new(ps, &lbfgs, (rg__optim_common){.lr = rg__or_default(c.lr, 1)});
    if (opt == NULL)
        return NULL;
    const int max_iter = c.max_iter != 0 ? c.max_iter : 20;
    const int64_t max_eval = (int64_t)max_iter * 5 / 4;
    opt->config.lbfgs = (rg_lbfgs_config){
        .max_iter = max_iter,
        .max_eval = c.max_eval != 0      ? c.max_eval
                    : max_eval < INT_MAX ? (int)max_eval
                                         : INT_MAX,
        .tolerance_grad = rg__or_default(c.tolerance_grad, 1e-7),
        .tolerance_change = rg__or_default(c.tolerance_change, 1e-9),
        .history_size = c.history_size != 0 ? c.history_size : 100,
        .strong_wolfe = c.strong_wolfe,
    };
    return opt;
}
