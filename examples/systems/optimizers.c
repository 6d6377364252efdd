/* Four optimizers on the surface f(x, y) = x²/20 + y², a valley twenty times as curved across as along, and on
 * Fashion-MNIST. Gradient descent zigzags across the valley, momentum rolls along it, AdaGrad and Adam scale each direction by
 * its own history. */
#include "common.h"

#include <math.h>

enum { STEPS = 30, WIDTH = 67, HEIGHT = 19, UNITS = 100, LAYERS = 4, BATCH = 128, TEST_BATCH = 1000 };

typedef enum method { SGD, MOMENTUM, ADAGRAD, ADAM, METHODS } method;

static const struct {
    const char *name;
    double surface_lr, lr; /* on the surface; on the pictures */
} methods[METHODS] = {
    [SGD] = {"SGD", 0.95, 0.01},
    [MOMENTUM] = {"momentum", 0.1, 0.01},
    [ADAGRAD] = {"AdaGrad", 1.5, 0.01},
    [ADAM] = {"Adam", 0.3, 0.001},
};

static rg_optim *optimizer_new(rg_params *ps, method which, double lr)
{
    switch (which) {
    case SGD: return rg_sgd_new(ps, &(rg_sgd_config){.lr = lr});
    case MOMENTUM: return rg_sgd_new(ps, &(rg_sgd_config){.lr = lr, .momentum = 0.9});
    case ADAGRAD: return rg_adagrad_new(ps, &(rg_adagrad_config){.lr = lr});
    case ADAM: return rg_adam_new(ps, &(rg_adam_config){.lr = lr});
    case METHODS: break;
    }
    return NULL;
}

/* ---- the surface ------------------------------------------------------------------------------------------------- */

typedef struct path {
    double at[STEPS + 1][2];
} path;

/* x²/20 + y² */
static double height(const double *p)
{
    return p[0] * p[0] / 20 + p[1] * p[1];
}

static bool descend(path *out, method which)
{
    static const double start[2] = {-7, 2}, weights[2] = {1.0 / 20, 1};
    rg_params *ps = rg_params_new(0);
    rg_tape *t = rg_tape_new(NULL);
    rg_param *p = rg_param_new(ps, "p", RG_F64, RG_SHAPE(2), start);
    rg_optim *opt = optimizer_new(ps, which, methods[which].surface_lr);
    memcpy(out->at[0], start, sizeof start);
    for (int step = 1; step <= STEPS && p && !rg_failed(t); step++) {
        rg_backward(t, rg_dot(t, rg_input_f64(t, RG_SHAPE(2), weights), rg_square(t, rg_leaf(t, p))));
        rg_optim_step(opt, t);
        rg_tape_reset(t); /* makes the step */
        memcpy(out->at[step], rg_param_data(p), sizeof start);
    }
    const bool good = all_well(t, ps);
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
    return good;
}

/* x from -8 to 8, y from 3 down to -3; one letter a step: a is the start, + the minimum. */
static void draw(const path *p, method which)
{
    char map[HEIGHT][WIDTH + 1];
    memset(map, ' ', sizeof map);
    map[HEIGHT / 2][WIDTH / 2] = '+';
    for (int step = STEPS; step >= 0; step--) { /* the earlier one stays where two meet */
        const int column = (int)lround((p->at[step][0] + 8) / 16 * (WIDTH - 1));
        const int row = (int)lround((3 - p->at[step][1]) / 6 * (HEIGHT - 1));
        if (column >= 0 && column < WIDTH && row >= 0 && row < HEIGHT)
            map[row][column] = (char)(step < 26 ? 'a' + step : 'A' + step - 26);
    }
    const double *end = p->at[STEPS];
    printf("%s, learning rate %g: (%.3f, %.3f) after %d steps, height %.2g\n", methods[which].name,
           methods[which].surface_lr, end[0], end[1], STEPS, height(end));
    for (int row = 0; row < HEIGHT; row++) {
        map[row][WIDTH] = '\0';
        printf("  |%s|\n", map[row]);
    }
    putchar('\n');
}

/* How often the path changes sides of the valley. */
static int crossings(const path *p)
{
    int count = 0;
    for (int step = 1; step <= STEPS; step++)
        count += p->at[step][1] * p->at[step - 1][1] < 0;
    return count;
}

static bool show_surface(void)
{
    path paths[METHODS];
    for (method m = 0; m < METHODS; m++) {
        if (!descend(&paths[m], m))
            return false;
        draw(&paths[m], m);
    }
    for (method m = 0; m < METHODS; m++) {
        printf("%-9s crosses the valley %2d times\n", methods[m].name, crossings(&paths[m]));
        if (!(height(paths[m].at[STEPS]) < 0.05 * height(paths[m].at[0])))
            return complain("%s does not come down to a twentieth of its first height", methods[m].name);
        if (m != SGD && crossings(&paths[m]) >= crossings(&paths[SGD]))
            return complain("%s crosses the valley as often as SGD does", methods[m].name);
    }
    return true;
}

/* ---- the pictures ------------------------------------------------------------------------------------------------ */

typedef struct network {
    rg_linear hidden[LAYERS], out;
} network;

static network network_new(rg_params *ps)
{
    static const char *const names[LAYERS] = {"l1", "l2", "l3", "l4"};
    network net;
    for (int i = 0; i < LAYERS; i++) {
        net.hidden[i] = rg_linear_new(ps, names[i], i > 0 ? UNITS : PIXELS, UNITS);
        rg_init_he_normal(net.hidden[i].weight, rg_gain(RG_RELU));
    }
    net.out = rg_linear_new(ps, "out", UNITS, CLASSES);
    return net;
}

static rg_tensor objective(rg_tape *t, void *model, const rg_batch *batch, rg_tensor *accuracy)
{
    const network *net = model;
    rg_tensor h = rg_input_f32(t, RG_SHAPE(batch->count, PIXELS), batch->x);
    const rg_tensor y = rg_input_i64(t, RG_SHAPE(batch->count), batch->y);
    for (int i = 0; i < LAYERS; i++)
        h = rg_relu(t, rg_linear_forward(t, &net->hidden[i], h));
    const rg_tensor logits = rg_linear_forward(t, &net->out, h);
    *accuracy = rg_accuracy(t, logits, y);
    return rg_cross_entropy(t, logits, y, NULL);
}

/* Prints the training loss of each epoch. Returns the test accuracy in percent, NaN on error, and the last loss. */
static double train(method which, rg_loader *batches, rg_loader *test, const options *o, double *loss)
{
    rg_params *ps = rg_params_new((uint64_t)o->seed);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = (int)o->threads});
    network net = network_new(ps);
    rg_optim *opt = optimizer_new(ps, which, methods[which].lr);
    rg_history history;
    rg_score score = {.metric = NAN};
    const rg_fit_config config = {.objective = objective, .model = &net, .train = batches, .epochs = o->epochs};
    if (rg_fit(t, ps, opt, &config, &history) && rg_evaluate(t, objective, &net, test, &score)) {
        printf("%-9s %g", methods[which].name, methods[which].lr);
        for (int64_t i = 0; i < history.epochs; i++)
            printf("  %.3f", *loss = history.epoch[i].training.loss);
        printf("  test %.2f %%\n", 100 * score.metric);
    }
    const bool good = all_well(t, ps);
    rg_history_free(&history);
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
    return good ? 100 * score.metric : NAN;
}

static bool compare(rg_loader *batches, rg_loader *test, const options *o)
{
    double loss[METHODS] = {0};
    bool good = true;
    puts("\nFashion-MNIST, 784-100-100-100-100-10: training loss by epoch, test accuracy");
    for (method m = 0; m < METHODS; m++) {
        const double accuracy = train(m, batches, test, o, &loss[m]);
        if (!(accuracy >= o->require))
            good = complain("%s: the test accuracy is below %g %%", methods[m].name, o->require);
        if (m != SGD && !(loss[m] < loss[SGD]))
            good = complain("%s does not learn faster than SGD", methods[m].name);
    }
    return good;
}

int main(int argc, char **argv)
{
    static const options full = {.epochs = 5, .seed = 1, .limit = 20000, .require = 70, .data = FASHION_MNIST};
    static const options brief = {.epochs = 2, .seed = 1, .limit = 5000, .require = 35, .data = FASHION_MNIST};
    const options o = read_options(argc, argv,
                                   "SGD, momentum, AdaGrad and Adam on a surface and on Fashion-MNIST.\n"
                                   "The result is the lowest test accuracy, in percent.",
                                   &full, &brief);
    if (!show_surface())
        return 1;
    rg_dataset *train_set = load_images(&o, "train"), *test_set = load_images(&o, "t10k");
    bool good = false;
    if (train_set && test_set) {
        char error[256] = "";
        const rg_loader_config shuffled = {.batch = BATCH, .shuffle = true, .seed = (uint64_t)o.seed};
        rg_loader *batches = rg_loader_new(train_set, &shuffled, error, sizeof error);
        rg_loader *test = rg_loader_new(test_set, &(rg_loader_config){.batch = TEST_BATCH}, error, sizeof error);
        good = batches && test ? compare(batches, test, &o) : complain("%s", error);
        rg_loader_free(batches);
        rg_loader_free(test);
    }
    rg_dataset_free(train_set);
    rg_dataset_free(test_set);
    return good ? 0 : 1;
}
