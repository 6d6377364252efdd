/* Out of memory is an ordinary error: whole scenarios are run again and again, each time with another allocation of the
 * library failing, alone or with all that follow. Each run must end well or say that memory ran out; nothing leaks, and
 * no step changes a part of the parameters. The linker sends the library's allocations here (--wrap); those of BLIS and
 * of the C library pass by. */
#include "nn_support.h"

#include <stdio.h>
#include <sys/stat.h>

/* ---- the allocator ---- */

static struct {
    bool armed, all; /* all: every one from `countdown` on fails, else that one alone */
    long countdown, failed;
    long live; /* blocks of the library not freed */
} faults;

static bool fails(void)
{
    if (!faults.armed || faults.countdown == 0)
        return false;
    if (--faults.countdown > 0)
        return false;
    faults.failed++;
    if (faults.all)
        faults.countdown = 1;
    return true;
}

static void *counted(void *block)
{
    faults.live += block != NULL;
    return block;
}

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void __real_free(void *block);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
void __wrap_free(void *block);

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : counted(__real_malloc(bytes));
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : counted(__real_calloc(count, bytes));
}

void *__wrap_realloc(void *block, size_t bytes)
{
    if (fails())
        return NULL;
    void *more = __real_realloc(block, bytes);
    return block ? more : counted(more);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails() ? NULL : counted(__real_aligned_alloc(alignment, bytes));
}

void __wrap_free(void *block)
{
    faults.live -= block != NULL;
    __real_free(block);
}

/* ---- what a scenario leaves ---- */

enum { STEPS_MOST = 8, FLOATS_MOST = 1024 };

/* The trained parameters after each step, from a run in which nothing failed. */
static struct {
    float values[STEPS_MOST][FLOATS_MOST];
    int steps;
} reference;
static bool is_reference; /* this run is that one */
static bool eager;

static void values_of(const rg_params *ps, float out[FLOATS_MOST])
{
    size_t n = 0;
    memset(out, 0, FLOATS_MOST * sizeof *out);
    for (int i = 0; i < rg_params_count(ps); i++) {
        const rg_param *p = rg_params_at(ps, i);
        if (rg_param_kind_of(p) != RG_PARAM)
            continue;
        assert_true(n + (size_t)rg_param_numel(p) <= FLOATS_MOST);
        memcpy(out + n, rg_param_data(p), (size_t)rg_param_numel(p) * sizeof *out);
        n += (size_t)rg_param_numel(p);
    }
}

/* The step is over: the parameters are those of after it, or, if it failed, those of before. */
static void step_ends(const rg_tape *t, const rg_params *ps, int step)
{
    static float now[FLOATS_MOST];
    const bool armed = faults.armed;
    faults.armed = false;
    values_of(ps, now);
    if (is_reference) {
        memcpy(reference.values[step], now, sizeof now);
        reference.steps = step + 1;
    }
    const int expected = rg_failed(t) ? step - 1 : step;
    if (memcmp(now, reference.values[expected], sizeof now) != 0)
        fail_msg("the parameters after step %d are not those of step %d: '%s'", step, expected, rg_tape_error(t));
    faults.armed = armed;
}

/* Ended well, or for want of memory. A store or an optimizer that could not be made says so itself. */
static bool ended_as_it_may(const rg_tape *t, const rg_params *ps, bool made)
{
    const rg_status status = rg_tape_status(t);
    if (rg_params_status(ps) != RG_OK && rg_params_status(ps) != RG_ERROR_MEMORY)
        fail_msg("the store says '%s'", rg_params_error(ps));
    if (status != RG_OK && status != RG_ERROR_MEMORY && rg_params_status(ps) == RG_OK && made)
        fail_msg("status %d, '%s'", (int)status, rg_tape_error(t));
    if (status == RG_ERROR_MEMORY && t && !strstr(rg_tape_error(t), "memory"))
        fail_msg("'%s' does not speak of memory", rg_tape_error(t));
    return status == RG_OK && rg_params_status(ps) == RG_OK && made;
}

/* ---- scenarios: true where all went well ---- */

static const float features[] = {.1f, -.4f, .7f, 1, -.2f, .3f, 0, .9f, -1, .5f, .6f, -.8f, .2f, .4f, -.3f, .8f};

typedef struct model {
    rg_tape *t;
    rg_params *ps;
    rg_linear l1, l2;
    rg_optim *opt;
} model;

static model model_new(bool adam)
{
    model m = {.ps = rg_params_new(6)};
    m.t = rg_tape_new(&(rg_tape_config){.threads = 1, .seed = 5, .eager = eager});
    m.l1 = rg_linear_new(m.ps, "encoder.1", 4, 9);
    m.l2 = rg_linear_new(m.ps, "2", 9, 3);
    m.opt = adam ? rg_adam_new(m.ps, &(rg_adam_config){.lr = .01, .amsgrad = true})
                 : rg_sgd_new(m.ps, &(rg_sgd_config){.lr = .1, .momentum = .9, .nesterov = true});
    return m;
}

static bool model_ends(model m)
{
    const bool well = ended_as_it_may(m.t, m.ps, m.opt != NULL);
    rg_optim_free(m.opt);
    rg_tape_free(m.t);
    rg_params_free(m.ps);
    return well;
}

static rg_tensor loss_of(model *m, rg_tensor *logits)
{
    const int32_t labels[] = {0, 2, 1, 1};
    const rg_tensor x = rg_input_f32(m->t, RG_SHAPE(4, 4), features);
    const rg_tensor h = rg_tanh(m->t, rg_linear_forward(m->t, &m->l1, x));
    *logits = rg_linear_forward(m->t, &m->l2, h);
    return rg_cross_entropy(m->t, *logits, rg_input_i32(m->t, RG_SHAPE(4), labels), NULL);
}

/* A step fails as a whole and can be done again. */
static bool training(void)
{
    model m = model_new(true);
    const bool usable = m.t && m.opt && rg_params_status(m.ps) == RG_OK;
    if (usable)
        step_ends(m.t, m.ps, 0);
    bool failed = false;
    for (int step = 1; usable && step <= 4; step++) {
        rg_tensor logits;
        const rg_tensor loss = loss_of(&m, &logits);
        rg_backward(m.t, loss);
        const rg_tensor norm = rg_clip_grad_norm(m.t, m.ps, .5);
        rg_optim_step(m.opt, m.t);
        if (step & 1)
            rg_keep(m.t, rg_accuracy(m.t, logits, rg_argmax(m.t, logits, 1, false)));
        if (step > 2)
            (void)(rg_item(m.t, loss) + rg_item(m.t, norm));
        rg_tape_reset(m.t);
        step_ends(m.t, m.ps, step);
        if (rg_failed(m.t)) {
            if (faults.all)
                break;
            failed = true;
            ended_as_it_may(m.t, m.ps, true);
            rg_tape_clear_error(m.t);
            rg_params_clear_error(m.ps);
            step--;
        }
    }
    return model_ends(m) && !failed;
}

/* Layers with buffers and tables, a copy of their values, the summary. */
static bool model_of_layers(void)
{
    static const int64_t padding = 2, index[] = {0, 2, 1, 3};
    model m = model_new(false);
    const rg_embedding_layer table =
        rg_embedding_layer_new(m.ps, "table", 4, 4, &(rg_embedding_config){.padding = &padding, .max_norm = 1});
    const rg_conv_layer conv = rg_conv_layer_new(m.ps, "conv", 1, 2, RG_SHAPE(3), NULL);
    const rg_batch_norm_layer norm =
        rg_batch_norm_layer_new(m.ps, "norm", 2, &(rg_batch_norm_config){.cumulative = true});
    const rg_bilinear_layer last = rg_bilinear_layer_new(m.ps, "last", 4, 4, 2, false);
    rg_params *before = rg_params_clone(m.ps, "*");
    char text[4096] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    for (int step = 0; step < 2 && m.opt; step++) {
        const rg_tensor x = rg_embedding_layer_forward(m.t, &table, rg_input_i64(m.t, RG_SHAPE(4), index));
        rg_tensor y = rg_conv_layer_forward(m.t, &conv, rg_unsqueeze(m.t, x, 1));
        y = rg_reshape(m.t, rg_batch_norm_layer_forward(m.t, &norm, y), RG_SHAPE(4, 4));
        rg_backward(m.t, rg_sum(m.t, rg_bilinear_layer_forward(m.t, &last, x, y), RG_ALL, false));
        rg_optim_step(m.opt, m.t);
        rg_summary_print(m.t, m.ps, out);
        rg_tape_reset(m.t);
    }
    const bool made = before != NULL && m.opt != NULL;
    if (made)
        rg_params_copy(m.ps, before, "*");
    fclose(out);
    rg_params_free(before);
    const bool printed = strstr(text, "no memory") == NULL;
    return model_ends(m) && made && printed;
}

static bool accumulation(void)
{
    model m = model_new(false);
    for (int micro = 0; micro < 6 && m.opt; micro++) {
        rg_tensor logits;
        rg_backward(m.t, loss_of(&m, &logits));
        rg_backward(m.t, rg_mean(m.t, rg_square(m.t, logits), RG_ALL, false));
        if (micro % 3 == 2)
            rg_optim_step(m.opt, m.t);
        rg_tape_reset(m.t);
    }
    return model_ends(m);
}

static rg_tensor closure(rg_tape *t, void *user)
{
    rg_tensor logits;
    (void)t;
    return loss_of(user, &logits);
}

/* L-BFGS, another optimizer with groups of parameters, and averages of the weights. */
static bool averages(void)
{
    model m = model_new(true);
    rg_average *average = rg_average_new(m.ps, NULL);
    rg_optim *lbfgs = rg_lbfgs_new(m.ps, &(rg_lbfgs_config){.strong_wolfe = true, .max_iter = 3});
    rg_optim_only(m.opt, "encoder.*");
    rg_optim_group(m.opt, "*.bias", &(rg_group){.lr_factor = .5});
    const bool made = m.opt && average && lbfgs;
    for (int step = 0; step < 3 && made; step++) {
        rg_tensor logits;
        (void)rg_lbfgs_step(lbfgs, m.t, closure, &m);
        rg_backward(m.t, loss_of(&m, &logits));
        rg_optim_step(m.opt, m.t);
        rg_average_update(average, m.t);
        rg_tape_reset(m.t);
    }
    if (made)
        rg_average_swap(average, m.t);
    rg_tape_reset(m.t);
    rg_average_free(average);
    rg_optim_free(lbfgs);
    return model_ends(m) && made;
}

static bool inner_loops(void)
{
    model m = model_new(false);
    const rg_mark outer = rg_tape_mark(m.t);
    for (int i = 0; i < 3; i++) {
        rg_tensor logits, grad[2];
        rg_scope_push(m.t, "outer");
        const rg_tensor x = rg_randn(m.t, RG_F32, RG_SHAPE(2, 4));
        for (int depth = 0; depth < 5; depth++)
            rg_tape_mark(m.t);
        const rg_mark inner = rg_tape_mark(m.t);
        for (int k = 0; k < 3; k++) {
            rg_mode_push(m.t, RG_GRAD);
            rg_backward(m.t, loss_of(&m, &logits));
            if (k == 1)
                rg_param_set_grad(m.t, m.l1.bias, rg_mul_scalar(m.t, rg_param_grad(m.t, m.l1.bias), .5));
            rg_optim_step(m.opt, m.t);
            rg_tape_rollback(m.t, inner);
        }
        rg_mode_push(m.t, RG_INFERENCE);
        const rg_tensor y = rg_softmax(m.t, rg_linear_forward(m.t, &m.l1, x), 1);
        rg_mode_pop(m.t);
        rg_scope_pop(m.t);
        if (rg_grad(m.t, rg_sum(m.t, rg_mul(m.t, x, rg_sin(m.t, x)), RG_ALL, false), &x, 1, grad))
            rg_grad_with(m.t, grad[0], rg_ones_like(m.t, x), &x, 1, grad + 1);
        (void)rg_data(m.t, grad[1]);
        (void)rg_data_f32(m.t, rg_transpose(m.t, y, 0, 1));
        rg_tape_rollback(m.t, outer);
    }
    return model_ends(m);
}

/* One of every op that allocates by itself, many inputs, strided products, a tape long enough for several chunks. */
static bool many_ops(void)
{
    model m = model_new(false);
    rg_tape *t = m.t;
    rg_tensor rows[20], parts[10];
    const rg_tensor w = rg_leaf(t, m.l1.weight), flipped = rg_flip(t, w, RG_ALL);
    for (int i = 0; i < 20; i++)
        rows[i] = rg_mul_scalar(t, rg_select(t, w, 1, i % 4), i);
    const rg_tensor tall = rg_cat(t, rows, 20, 0), wide = rg_stack(t, rows, 20, 1);
    if (rg_split(t, wide, 2, 1, parts, 10) == 10)
        rows[0] = rg_matmul(t, rg_transpose(t, parts[3], 0, 1), parts[4]);
    const rg_tensor ordered = rg_index_select(t, tall, 0, rg_randperm(t, 180));
    rg_tensor y = rg_prod(t, rg_add_scalar(t, flipped, 2), RG_AXES(1), true);
    y = rg_add(t, rg_matmul(t, flipped, rg_expand(t, rg_arange(t, RG_F32, 0, 4, 1), RG_SHAPE(200, 4, 4))), y);
    y = rg_add(t, rg_sum(t, y, RG_ALL, false), rg_logsumexp(t, ordered, RG_ALL, false));
    rg_tensor turned = w;
    for (int i = 0; i < 2500; i++)
        turned = rg_transpose(t, turned, 0, 1);
    rg_backward(t, rg_sum(t, rg_mul(t, turned, y), RG_ALL, false));
    (void)rg_data(t, rows[0]);
    (void)rg_data(t, rg_param_grad(t, m.l1.weight));
    (void)rg_data(t, rg_one_hot(t, rg_argmax(t, wide, 1, false), 20, RG_BOOL));
    return model_ends(m);
}

/* More nodes than were recorded: those that the planner adds. */
static bool simplifying(void)
{
    model m = model_new(false);
    rg_tape *t = m.t;
    const rg_tensor w = rg_leaf(t, m.l1.weight);
    rg_tensor x = w;
    for (int i = 0; i < 300; i++) {
        const rg_tensor wide = rg_expand(t, x, RG_SHAPE(2 + i % 3, rg_dim(t, w, 0), rg_dim(t, w, 1)));
        x = rg_add(t, rg_tanh(t, rg_sum(t, wide, RG_AXES(0), false)), rg_constant(t, RG_F32, 0));
        x = rg_contiguous(t, rg_transpose(t, rg_contiguous(t, rg_transpose(t, x, 0, 1)), 0, 1));
        x = rg_mul(t, x, rg_mul_scalar(t, rg_constant(t, RG_F32, i), .001));
    }
    (void)rg_data(t, rg_cast(t, rg_cast(t, x, RG_F64), RG_F32));
    return model_ends(m);
}

static rg_tensor cubic(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    (void)count;
    (void)user;
    return rg_mul(t, rg_matmul(t, x[0], x[1]), rg_tanh(t, x[1]));
}

static bool halve(const rg_custom_run *run)
{
    for (int64_t i = 0; i < rg_shape_numel(run->shape); i++)
        ((float *)run->out)[i] = ((const float *)run->in[0].data)[i] / 2;
    return true;
}

static void halve_vjp(rg_tape *t, const rg_custom_vjp *v)
{
    v->grad[0] = rg_mul_scalar(t, v->cotangent, .5);
}

static rg_tensor unchanged(rg_tape *t, rg_tensor cotangent, void *user)
{
    (void)t, (void)cotangent, (void)user;
    return RG_NIL;
}

/* Reads many tensors from outside, and draws. */
static rg_tensor layers(rg_tape *t, const rg_tensor *x, int count, void *user)
{
    const rg_custom halves = {.name = "halve", .kernel = halve, .vjp = halve_vjp};
    rg_tensor many[12], h = rg_hook(t, rg_transpose(t, x[0], 0, 1), unchanged, NULL);
    h = rg_straight_through(t, rg_round(t, rg_custom_op(t, &halves, &h, 1, NULL)), h);
    h = rg_add(t, h, rg_draw_gamma(t, rg_exp(t, h), RG_NIL));
    for (int i = 0; i < 12; i++)
        many[i] = i < count ? h : rg_mul(t, h, ((const rg_tensor *)user)[i]);
    return rg_cat(t, many, 12, 0);
}

/* Checkpoints, ops of the program's own, draws, and derivatives as tensors. */
static bool derivatives(void)
{
    model m = model_new(false);
    rg_tape *t = m.t;
    const rg_tensor w = rg_leaf(t, m.l1.weight), weights = rg_softmax(t, w, 1);
    rg_tensor outside[12], out[4];
    for (int i = 0; i < 12; i++)
        outside[i] = rg_full(t, RG_F32, RG_SHAPE(1), i);
    const rg_tensor y = rg_checkpoint(t, layers, &w, 1, outside);
    rg_backward(t, rg_mean(t, rg_square(t, y), RG_ALL, false));
    (void)rg_data(t, rg_param_grad(t, m.l1.weight));
    (void)rg_data(t, rg_draw_multinomial(t, weights, 3, false));
    const rg_tensor b = rg_leaf(t, m.l2.bias), s = rg_sum(t, rg_exp(t, rg_tanh(t, b)), RG_ALL, false);
    if (rg_jacobian(t, rg_sin(t, b), &b, 1, out) && rg_hessian(t, s, &b, 1, out + 1) && rg_hvp(t, s, &b, 1, &b, out + 2))
        (void)rg_data(t, rg_matmul(t, rg_matmul(t, out[0], out[1]), out[2]));
    (void)rg_data(t, rg_jvp(t, s, &b, 1, &b));
    return model_ends(m);
}

static bool checking(void)
{
    const double a[] = {.5, 1, -.25, .75}, b[] = {.1, .6, .3, -.2};
    const rg_array in[] = {{RG_F64, RG_SHAPE(2, 2), a}, {RG_F64, RG_SHAPE(2, 2), b}};
    rg_gradcheck_report report;
    bool well = rg_gradcheck(cubic, NULL, in, 2, NULL, &report);
    if (!well && !strstr(report.message, "memory"))
        fail_msg("gradcheck: '%s'", report.message);
    if (well && !(well = rg_gradcheck2(cubic, NULL, in, 2, NULL, &report)) && !strstr(report.message, "memory"))
        fail_msg("gradcheck2: '%s'", report.message);
    return well;
}

static bool data_sets(void)
{
    int64_t y[] = {0, 1, 2, 0};
    float x[16];
    memcpy(x, features, sizeof x);
    const rg_dataset all = {.count = 4, .features = 4, .classes = 3, .x = x, .y = y};
    char error[200] = "";
    rg_dataset *train = NULL, *rest = NULL, *slice = rg_dataset_slice(&all, 1, 3, error, sizeof error);
    const bool split = slice && rg_dataset_split(slice, .34, 1, &train, &rest, error, sizeof error);
    rg_loader *loader =
        split ? rg_loader_new(train, &(rg_loader_config){.batch = 2, .shuffle = true}, error, sizeof error) : NULL;
    rg_batch batch;
    int64_t seen = 0;
    if (loader) {
        rg_loader_start(loader, 0);
        while (rg_loader_next(loader, &batch))
            seen += batch.count;
        assert_int_equal(seen, 2);
    } else if (!strstr(error, "memory")) {
        fail_msg("data: '%s'", error);
    }
    rg_loader_free(loader);
    rg_dataset_free(train);
    rg_dataset_free(rest);
    rg_dataset_free(slice);
    return loader != NULL;
}

/* A class of two grey images on disk, made once. */
static const char *image_folder(void)
{
    static char path[64];
    if (!*path) {
        char name[128];
        static const float pixels[6];
        const bool armed = faults.armed;
        faults.armed = false;
        strcpy(path, "/tmp/retrograd-faults-XXXXXX");
        assert_non_null(mkdtemp(path));
        snprintf(name, sizeof name, "%s/a", path);
        assert_int_equal(mkdir(name, 0700), 0);
        for (int i = 0; i < 2; i++) {
            snprintf(name, sizeof name, "%s/a/%d.png", path, i);
            assert_true(rg_image_write(name, pixels, 1, 2, 3, NULL, 0));
        }
        faults.armed = armed;
    }
    return path;
}

static int remove_image_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"/a/0.png", "/a/1.png", "/a", ""};
    for (int i = 0; i < 4; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", image_folder(), names[i]);
        assert_int_equal(remove(name), 0);
    }
    return 0;
}

/* One epoch of augmented batches; false and the error where memory ran out. */
static bool run_loader(const rg_source *source, char *error, size_t size)
{
    const double weights[2] = {1, 2};
    const rg_augment_config augment = {.shift = 1, .rotation = 10, .crop_padding = 1, .mixup = 1};
    const rg_loader_config config = {.batch = 2, .augment = &augment, .weights = weights, .no_replacement = true};
    rg_loader *loader = rg_loader_new_source(source, &config, error, size);
    rg_batch batch;
    const bool well = loader && rg_loader_next(loader, &batch);
    if (loader && !well)
        snprintf(error, size, "%s", rg_loader_error(loader));
    rg_loader_free(loader);
    return well;
}

static bool sources(void)
{
    static const int64_t index[3] = {1, 0, 1}, labels[4] = {0, 1, 0, 1};
    char error[200] = "";
    int64_t part[4], drawn[2];
    rg_source *folder = rg_image_folder(image_folder(), &(rg_image_folder_config){.width = 4}, error, sizeof error);
    rg_source *view = folder ? rg_source_subset(folder, index, 2, error, sizeof error) : NULL;
    rg_source *training = NULL, *validation = NULL;
    rg_dataset *data = NULL;
    const bool well = view && run_loader(view, error, sizeof error) &&
                      rg_source_part(folder, labels, 1, &training, &validation, error, sizeof error) &&
                      (data = rg_source_load(folder, error, sizeof error)) &&
                      rg_kfold(4, 2, true, 1, part, error, sizeof error) &&
                      rg_kfold_stratified(labels, 4, 2, true, 1, part, error, sizeof error) &&
                      rg_split_stratified(labels, 4, .5, 1, part, error, sizeof error) &&
                      rg_sample_weighted(NULL, 4, 2, true, 1, drawn, error, sizeof error);
    if (!well && !strstr(error, "memory"))
        fail_msg("sources: '%s'", error);
    rg_dataset_free(data);
    rg_source_free(training);
    rg_source_free(validation);
    rg_source_free(view);
    rg_source_free(folder);
    return well;
}

static bool tables_and_texts(void)
{
    static const char table[] = "a,b\n1,x\n2,y\n";
    static const float values[4] = {1, 2, 3, 4};
    const rg_array array = {RG_F32, RG_SHAPE(2, 2), values};
    const rg_csv_config config = {.label = "b", .label_names = true}, bare = {.no_header = true};
    char error[200] = "";
    rg_csv *csv = rg_csv_parse("table", table, sizeof table - 1, &config, error, sizeof error);
    rg_csv *second = csv ? rg_csv_parse("table", table, sizeof table - 1, &bare, error, sizeof error) : NULL;
    rg_dataset *data = second ? rg_csv_dataset(csv, "table", &config, error, sizeof error) : NULL;
    rg_text *text = data ? rg_text_new(table, sizeof table - 1, RG_CHARACTERS, error, sizeof error) : NULL;
    rg_source *windows = text ? rg_text_windows(text, 0, text->count, 2, 1, error, sizeof error) : NULL;
    rg_source *arrays = windows ? rg_source_arrays(&array, &array, true, error, sizeof error) : NULL;
    if (!arrays && !strstr(error, "memory"))
        fail_msg("tables: '%s'", error);
    const bool well = arrays != NULL;
    rg_source_free(arrays);
    rg_source_free(windows);
    rg_text_free(text);
    rg_dataset_free(data);
    rg_csv_free(second);
    rg_csv_free(csv);
    return well;
}

/* ---- the tests ---- */

/* Runs the scenario with the first, the second, ... allocation failing until none is left to fail. */
static void assert_survives(bool (*scenario)(void), long at_least)
{
    for (int mode = 0; mode < 4; mode++) {
        eager = mode & 1;
        memset(&faults, 0, sizeof faults);
        is_reference = true;
        assert_true(scenario());
        is_reference = false;
        const long live = faults.live;
        faults.all = mode & 2;
        long n = 1;
        for (;; n++) {
            faults.countdown = n;
            faults.failed = 0;
            faults.armed = true;
            const bool well = scenario();
            faults.armed = false;
            if (faults.live != live)
                fail_msg("allocation %ld failing leaks %ld blocks", n, faults.live - live);
            if (faults.failed == 0) {
                assert_true(well);
                break;
            }
            if (well)
                fail_msg("allocation %ld failed and nobody noticed", n);
        }
        if (n <= at_least)
            fail_msg("only %ld allocations were tried", n - 1);
    }
}

static void a_training_step_fails_as_a_whole_and_can_be_repeated(void **state)
{
    (void)state;
    assert_survives(training, 60);
}

static void accumulating_gradients_survives(void **state)
{
    (void)state;
    assert_survives(accumulation, 60);
}

static void averages_and_line_searches_survive(void **state)
{
    (void)state;
    assert_survives(averages, 60);
}

static void layers_survive(void **state)
{
    (void)state;
    assert_survives(model_of_layers, 60);
}

static void inner_loops_survive(void **state)
{
    (void)state;
    assert_survives(inner_loops, 60);
}

static void many_ops_survive(void **state)
{
    (void)state;
    assert_survives(many_ops, 60);
}

static void simplification_survives(void **state)
{
    (void)state;
    assert_survives(simplifying, 60);
}

static void derivatives_and_own_ops_survive(void **state)
{
    (void)state;
    assert_survives(derivatives, 60);
}

static void gradient_checks_survive(void **state)
{
    (void)state;
    assert_survives(checking, 60);
}

static void data_sets_survive(void **state)
{
    (void)state;
    assert_survives(data_sets, 5);
}

static void sources_survive(void **state)
{
    (void)state;
    assert_survives(sources, 30);
}

static void tables_and_texts_survive(void **state)
{
    (void)state;
    assert_survives(tables_and_texts, 20);
}

int main(void)
{
    unsetenv("RETROGRAD_EAGER");
    rg_tape_free(rg_tape_new(NULL)); /* what is allocated once a process */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_training_step_fails_as_a_whole_and_can_be_repeated),
        cmocka_unit_test(accumulating_gradients_survives),
        cmocka_unit_test(averages_and_line_searches_survive),
        cmocka_unit_test(layers_survive),
        cmocka_unit_test(inner_loops_survive),
        cmocka_unit_test(many_ops_survive),
        cmocka_unit_test(simplification_survives),
        cmocka_unit_test(derivatives_and_own_ops_survive),
        cmocka_unit_test(gradient_checks_survive),
        cmocka_unit_test(data_sets_survive),
        cmocka_unit_test_teardown(sources_survive, remove_image_folder),
        cmocka_unit_test(tables_and_texts_survive),
    };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
