/* An auto-encoder (Hinton and Salakhutdinov, Science 313, 2006): 784-128-32-128-784 learns to draw a picture from 32
 * numbers that it chose itself. The best that can be done with 32 numbers and straight lines alone is principal component
 * analysis; the network bends, and must do better on pictures that neither has seen.
 *
 * Read it top-down: the network, principal components, training, and the pictures. */
#include "common.h"

enum { CODE = 32, HIDDEN = 128, BATCH = 64, SIDE = 28, SHOWN = 12 };

typedef struct network {
    rg_linear in, encode, decode, out;
} network;

static network network_new(rg_params *ps)
{
    return (network){rg_linear_new(ps, "in", PIXELS, HIDDEN), rg_linear_new(ps, "encode", HIDDEN, CODE),
                     rg_linear_new(ps, "decode", CODE, HIDDEN), rg_linear_new(ps, "out", HIDDEN, PIXELS)};
}

/* x [n, PIXELS] -> [n, PIXELS], through CODE numbers. */
static rg_tensor network_forward(rg_tape *t, const network *net, rg_tensor x)
{
    const rg_tensor code = rg_linear_forward(t, &net->encode, rg_relu(t, rg_linear_forward(t, &net->in, x)));
    const rg_tensor h = rg_relu(t, rg_linear_forward(t, &net->decode, code));
    return rg_sigmoid(t, rg_linear_forward(t, &net->out, h));
}

/* ---- principal components: the directions in which the training images vary most -------------------------------------- */

typedef struct components {
    float mean[PIXELS];
    float direction[PIXELS][CODE]; /* orthonormal columns */
} components;

/* Eigenvectors of the covariance for its largest eigenvalues, which stand last. */
static bool components_find(rg_tape *t, const rg_dataset *data, components *c)
{
    rg_tensor w, v;
    rg_tape_reset(t);
    rg_mode_push(t, RG_NO_GRAD);
    const rg_tensor x = rg_borrow(t, RG_F32, RG_SHAPE(data->count, PIXELS), NULL, data->x);
    const rg_tensor mean = rg_mean(t, x, RG_AXES(0), false), centred = rg_sub(t, x, mean);
    const rg_tensor scatter = rg_matmul(t, rg_transpose(t, centred, 0, 1), centred);
    rg_eigh(t, rg_mul_scalar(t, scatter, 1.0 / (double)data->count), false, &w, &v);
    const rg_tensor largest = rg_slice(t, v, 1, PIXELS - CODE, PIXELS, 1);
    const bool good = rg_read(t, mean, c->mean, sizeof c->mean) && rg_read(t, largest, c->direction, sizeof c->direction);
    rg_mode_pop(t);
    return good;
}

/* The nearest point of the plane through the mean along the directions. */
static rg_tensor components_forward(rg_tape *t, const components *c, rg_tensor x)
{
    const rg_tensor mean = rg_input_f32(t, RG_SHAPE(PIXELS), c->mean);
    const rg_tensor v = rg_input_f32(t, RG_SHAPE(PIXELS, CODE), c->direction[0]);
    const rg_tensor code = rg_matmul(t, rg_sub(t, x, mean), v);
    return rg_add(t, mean, rg_matmul(t, code, rg_transpose(t, v, 0, 1)));
}

/* ---- training and the test ----------------------------------------------------------------------------------------------- */

typedef struct session {
    rg_params *ps;
    rg_tape *t;
    rg_dataset *train, *test;
    network net;
    components pca;
} session;

static bool train(const session *s, const options *o)
{
    rg_optim *const opt = rg_adam_new(s->ps, NULL);
    rg_loader *const loader =
        rg_loader_new(s->train, &(rg_loader_config){.batch = BATCH, .shuffle = true, .seed = (uint64_t)o->seed}, NULL, 0);
    for (int64_t epoch = 0; loader && epoch < o->epochs && !rg_failed(s->t); epoch++) {
        rg_batch batch;
        double sum = 0;
        rg_optim_set_lr(opt, rg_schedule_cosine(2e-3, 1e-5, epoch, o->epochs));
        rg_loader_start(loader, epoch);
        while (!rg_failed(s->t) && rg_loader_next(loader, &batch)) {
            rg_tape_reset(s->t);
            const rg_tensor x = rg_input_f32(s->t, RG_SHAPE(batch.count, PIXELS), batch.x);
            const rg_tensor loss = rg_mse_loss(s->t, network_forward(s->t, &s->net, x), x, RG_MEAN);
            rg_backward(s->t, loss);
            rg_optim_step(opt, s->t);
            sum += rg_item(s->t, loss) * (double)batch.count;
        }
        printf("epoch %2" PRId64 "  mean squared error %.5f\n", epoch + 1, sum / (double)s->train->count);
    }
    rg_loader_free(loader);
    rg_optim_free(opt);
    return loader && all_well(s->t, s->ps);
}

/* Mean squared error a pixel on the test images, of the network and of the components; draws the first images above what
 * the network and the components make of them. */
static bool judge(const session *s, double *network_error, double *pca_error, float shown[3][SHOWN][PIXELS])
{
    rg_tape *const t = s->t;
    rg_tape_reset(t);
    rg_mode_push(t, RG_NO_GRAD);
    const rg_tensor x = rg_borrow(t, RG_F32, RG_SHAPE(s->test->count, PIXELS), NULL, s->test->x);
    const rg_tensor row[3] = {x, network_forward(t, &s->net, x), components_forward(t, &s->pca, x)};
    *network_error = rg_item(t, rg_mse_loss(t, row[1], x, RG_MEAN));
    *pca_error = rg_item(t, rg_mse_loss(t, row[2], x, RG_MEAN));
    for (int i = 0; i < 3; i++) {
        const float *image = rg_data_f32(t, row[i]);
        for (int j = 0; image && j < SHOWN; j++)
            memcpy(shown[i][j], image + j * PIXELS, sizeof shown[i][j]);
    }
    rg_mode_pop(t);
    return all_well(t, s->ps);
}

static bool run(session *s, const options *o)
{
    static float shown[3][SHOWN][PIXELS];
    char error[300];
    double by_network = 0, by_pca = 0;
    s->ps = rg_params_new((uint64_t)o->seed);
    s->t = rg_tape_new(&(rg_tape_config){.threads = (int)o->threads});
    s->net = network_new(s->ps);
    s->train = load_images(o, "train");
    s->test = s->train ? load_images(o, "t10k") : NULL;
    if (!s->test || !all_well(s->t, s->ps))
        return false;
    if (s->test->count < SHOWN)
        return complain("found %" PRId64 " test images, expected %d or more", s->test->count, SHOWN);
    if (!components_find(s->t, s->train, &s->pca) || !train(s, o) || !judge(s, &by_network, &by_pca, shown))
        return all_well(s->t, s->ps) && false;
    printf("%d numbers an image: mean squared error %.5f by the network, %.5f by principal components: %.3f of it\n",
           CODE, by_network, by_pca, by_network / by_pca);
    if (!rg_image_write_grid("autoencoder.png", shown[0][0], 3L * SHOWN, 1, SIDE, SIDE, SHOWN, error, sizeof error))
        return complain("%s", error);
    return by_network <= o->require * by_pca || complain("%.3f is above %g", by_network / by_pca, o->require);
}

int main(int argc, char **argv)
{
    const options full = {.epochs = 20, .seed = 1, .require = 0.65, .data = FASHION_MNIST};
    /* So little training leaves it behind principal components; untrained it has 11 times their error. */
    const options brief = {.epochs = 6, .limit = 10000, .seed = 1, .require = 1.25, .data = FASHION_MNIST};
    const options o = read_options(argc, argv,
                                   "Learns to draw clothes from 32 numbers, and compares with principal components.\n"
                                   "Writes autoencoder.png: images, the network's, the components'.\n"
                                   "--require: largest quotient of the two errors.",
                                   &full, &brief);
    session s = {0};
    const bool good = run(&s, &o);
    rg_tape_free(s.t);
    rg_params_free(s.ps);
    rg_dataset_free(s.test);
    rg_dataset_free(s.train);
    return good ? 0 : 1;
}
