/* A variational auto-encoder (Kingma and Welling, ICLR 2014): pictures are drawn from a few normal numbers z by a network,
 * p(x | z), and a second network says which z a picture may have come from, q(z | x). Both are trained to raise a lower
 * bound of log p(x):  E_q log p(x | z) - KL(q(z | x) || N(0, 1)). A draw from q is mean + std * noise, so that gradients
 * flow through it. A pixel x in [0, 1] is the share of ones of a Bernoulli variable.
 *
 * Read it top-down: the two networks, the bound, training, what is judged, and the pictures. */
#include "common.h"

#include <math.h>

enum { HIDDEN = 256, BATCH = 100, SIDE = 28, GRID = 15, DRAWS = 50, TIGHT = 200, MAX_LATENT = 20 };

typedef struct network {
    rg_linear in, mean, log_var; /* q(z | x) */
    rg_linear decode, out;       /* p(x | z) */
    int64_t latent;
} network;

static network network_new(rg_params *ps, int64_t latent)
{
    return (network){rg_linear_new(ps, "in", PIXELS, HIDDEN),      rg_linear_new(ps, "mean", HIDDEN, latent),
                     rg_linear_new(ps, "log_var", HIDDEN, latent), rg_linear_new(ps, "decode", latent, HIDDEN),
                     rg_linear_new(ps, "out", HIDDEN, PIXELS),     latent};
}

/* x [n, PIXELS] -> mean and log variance [n, latent] of q(z | x) */
static void network_encode(rg_tape *t, const network *net, rg_tensor x, rg_tensor *mean, rg_tensor *log_var)
{
    const rg_tensor h = rg_relu(t, rg_linear_forward(t, &net->in, x));
    *mean = rg_linear_forward(t, &net->mean, h);
    *log_var = rg_linear_forward(t, &net->log_var, h);
}

/* z [n, latent] -> logits [n, PIXELS] */
static rg_tensor network_decode(rg_tape *t, const network *net, rg_tensor z)
{
    return rg_linear_forward(t, &net->out, rg_relu(t, rg_linear_forward(t, &net->decode, z)));
}

/* ---- the bound ------------------------------------------------------------------------------------------------------------ */

static rg_tensor draw(rg_tape *t, rg_tensor mean, rg_tensor log_var)
{
    return rg_draw_normal(t, mean, rg_exp(t, rg_mul_scalar(t, log_var, 0.5)));
}

/* log p(x | z) of each image, [n] */
static rg_tensor log_likelihood(rg_tape *t, const network *net, rg_tensor x, rg_tensor z)
{
    return rg_neg(t, rg_sum(t, rg_bce_with_logits(t, network_decode(t, net, z), x, RG_NONE), RG_AXES(1), false));
}

/* Sum over the images of log p(x | z) for a z drawn from q, and of the divergence (1/2) (mean^2 + var - 1 - log var). */
static void bound(rg_tape *t, const network *net, rg_tensor x, rg_tensor *likelihood, rg_tensor *divergence)
{
    rg_tensor mean, log_var;
    network_encode(t, net, x, &mean, &log_var);
    const rg_tensor spread = rg_sub(t, rg_exp(t, log_var), rg_add_scalar(t, log_var, 1));
    *divergence = rg_mul_scalar(t, rg_sum(t, rg_add(t, rg_square(t, mean), spread), RG_ALL, false), 0.5);
    *likelihood = rg_sum(t, log_likelihood(t, net, x, draw(t, mean, log_var)), RG_ALL, false);
}

/* log p(x) of each image, nearly: the log of the mean of p(x | z) p(z) / q(z | x) over DRAWS of z from q, which is above the
 * bound and reaches log p(x) for many draws (Burda, Grosse and Salakhutdinov, ICLR 2016). */
static rg_tensor tight_bound(rg_tape *t, const network *net, rg_tensor x)
{
    rg_tensor mean, log_var, each[DRAWS];
    network_encode(t, net, x, &mean, &log_var);
    for (int i = 0; i < DRAWS; i++) {
        const rg_tensor z = draw(t, mean, log_var);
        const rg_tensor q = rg_mul(t, rg_square(t, rg_sub(t, z, mean)), rg_exp(t, rg_neg(t, log_var)));
        const rg_tensor ratio = rg_sub(t, rg_add(t, q, log_var), rg_square(t, z)); /* 2 log p(z) / q(z | x), a part */
        const rg_tensor prior = rg_mul_scalar(t, rg_sum(t, ratio, RG_AXES(1), false), 0.5);
        each[i] = rg_add(t, log_likelihood(t, net, x, z), prior);
    }
    const rg_tensor sum = rg_logsumexp(t, rg_stack(t, each, DRAWS, 0), RG_AXES(0), false);
    return rg_sub(t, sum, rg_constant(t, RG_F32, log(DRAWS)));
}

/* ---- training and the test ------------------------------------------------------------------------------------------------ */

typedef struct session {
    rg_params *ps;
    rg_tape *t;
    rg_dataset *train, *test;
    network net;
} session;

static bool train(const session *s, const options *o)
{
    rg_optim *const opt = rg_adam_new(s->ps, NULL);
    rg_loader *const loader =
        rg_loader_new(s->train, &(rg_loader_config){.batch = BATCH, .shuffle = true, .seed = (uint64_t)o->seed}, NULL, 0);
    for (int64_t epoch = 0; loader && epoch < o->epochs && !rg_failed(s->t); epoch++) {
        rg_batch batch;
        double likelihood = 0, divergence = 0;
        rg_optim_set_lr(opt, rg_schedule_cosine(2e-3, 1e-5, epoch, o->epochs));
        rg_loader_start(loader, epoch);
        while (!rg_failed(s->t) && rg_loader_next(loader, &batch)) {
            rg_tensor fit, far;
            rg_tape_reset(s->t);
            bound(s->t, &s->net, rg_input_f32(s->t, RG_SHAPE(batch.count, PIXELS), batch.x), &fit, &far);
            rg_backward(s->t, rg_mul_scalar(s->t, rg_sub(s->t, far, fit), 1.0 / (double)batch.count));
            rg_optim_step(opt, s->t);
            likelihood += rg_item(s->t, fit);
            divergence += rg_item(s->t, far);
        }
        const double n = (double)s->train->count;
        printf("epoch %2" PRId64 "  bound %.2f nats an image: likelihood %.2f, divergence %.2f\n", epoch + 1,
               (likelihood - divergence) / n, likelihood / n, divergence / n);
    }
    rg_loader_free(loader);
    rg_optim_free(opt);
    return loader && all_well(s->t, s->ps);
}

/* The bound on the test images, an image, and the tight bound on the first of them. */
static double judge(const session *s)
{
    rg_tape *const t = s->t;
    rg_tensor fit, far;
    double total = 0, tight = 0;
    for (int64_t i = 0; i < s->test->count; i += BATCH) {
        const int64_t n = s->test->count - i < BATCH ? s->test->count - i : BATCH;
        rg_tape_reset(t);
        rg_mode_push(t, RG_INFERENCE);
        const rg_tensor x = rg_input_f32(t, RG_SHAPE(n, PIXELS), s->test->x + i * PIXELS);
        bound(t, &s->net, x, &fit, &far);
        total += rg_item(t, rg_sub(t, fit, far));
        if (i < TIGHT)
            tight += rg_item(t, rg_sum(t, tight_bound(t, &s->net, x), RG_ALL, false));
        rg_mode_pop(t);
    }
    const int64_t tried = s->test->count < TIGHT ? s->test->count : TIGHT;
    printf("test: bound %.2f nats an image; log p(x) of the first %" PRId64 " by %d draws each %.2f\n",
           total / (double)s->test->count, tried, DRAWS, tight / (double)tried);
    return total / (double)s->test->count;
}

/* The bound that pixels without any network give: each is 1 with its mean over the training images. */
static double without_network(const session *s)
{
    rg_tape *const t = s->t;
    rg_tape_reset(t);
    rg_mode_push(t, RG_INFERENCE);
    const rg_tensor x = rg_borrow(t, RG_F32, RG_SHAPE(s->train->count, PIXELS), NULL, s->train->x);
    const rg_tensor test = rg_borrow(t, RG_F32, RG_SHAPE(s->test->count, PIXELS), NULL, s->test->x);
    const rg_tensor p = rg_clamp(t, rg_mean(t, x, RG_AXES(0), false), 1e-6, 1 - 1e-6);
    const rg_tensor logit = rg_sub(t, rg_log(t, p), rg_log1p(t, rg_neg(t, p)));
    const rg_tensor logits = rg_expand(t, logit, RG_SHAPE(s->test->count, PIXELS));
    const double loss = rg_item(t, rg_sum(t, rg_bce_with_logits(t, logits, test, RG_NONE), RG_ALL, false));
    rg_mode_pop(t);
    return -loss / (double)s->test->count;
}

/* Draws GRID x GRID pictures: for random z, or, of two latent numbers, for z at even quantiles of the normal. */
static bool draw_pictures(const session *s)
{
    char error[300];
    float z[GRID * GRID][MAX_LATENT];
    rg_tape *const t = s->t;
    rg_tape_reset(t);
    rg_rng rng = rg_rng_new(1, 0);
    rg_rng_normal_f32(&rng, z[0], (size_t)GRID * GRID * MAX_LATENT, 0, 1);
    for (int i = 0; i < GRID * GRID && s->net.latent == 2; i++) { /* the logistic quantile, scaled: near the normal's */
        const double u = (i % GRID + 0.5) / GRID, v = (i / GRID + 0.5) / GRID;
        z[i][0] = (float)(log(u / (1 - u)) / 1.702);
        z[i][1] = (float)(log(v / (1 - v)) / 1.702);
    }
    const int64_t strides[2] = {MAX_LATENT, 1};
    const rg_tensor at = rg_borrow(t, RG_F32, RG_SHAPE(GRID * GRID, s->net.latent), strides, z);
    const float *images = rg_data_f32(t, rg_sigmoid(t, network_decode(t, &s->net, at)));
    const char *const path = s->net.latent == 2 ? "vae-plane.png" : "vae.png";
    const int64_t count = (int64_t)GRID * GRID;
    const bool good =
        all_well(t, s->ps) &&
        (rg_image_write_grid(path, images, count, 1, SIDE, SIDE, GRID, error, sizeof error) || complain("%s", error));
    rg_tape_reset(t); /* it borrows z */
    return good;
}

static bool run(session *s, const options *o)
{
    s->ps = rg_params_new((uint64_t)o->seed);
    s->t = rg_tape_new(&(rg_tape_config){.threads = (int)o->threads, .seed = (uint64_t)o->seed});
    s->net = network_new(s->ps, o->variant == 0 ? MAX_LATENT : 2);
    s->train = load_images(o, "train");
    s->test = s->train ? load_images(o, "t10k") : NULL;
    if (!s->test || !all_well(s->t, s->ps) || !train(s, o))
        return false;
    const double reached = judge(s), alone = without_network(s);
    printf("without a network, each pixel by its mean: %.2f\n", alone);
    if (!all_well(s->t, s->ps) || !draw_pictures(s))
        return false;
    return reached >= o->require || complain("the bound %.2f is below %g", reached, o->require);
}

int main(int argc, char **argv)
{
    static const char *const variants[] = {"20", "2", NULL};
    const options full[] = {
        {.epochs = 15, .seed = 1, .require = -245, .data = FASHION_MNIST, .variants = variants},
        {.epochs = 15, .seed = 1, .require = -265, .data = FASHION_MNIST, .variants = variants},
    };
    const options brief[] = {
        {.epochs = 3, .limit = 6000, .seed = 1, .require = -290, .data = FASHION_MNIST, .variants = variants},
        {.epochs = 3, .limit = 6000, .seed = 1, .require = -300, .data = FASHION_MNIST, .variants = variants},
    };
    const options o = read_variant_options(argc, argv,
                                           "Learns to draw clothes from 20 or 2 normal numbers; --variant says how many.\n"
                                           "Writes vae.png: samples, or vae-plane.png: the plane of the two numbers.\n"
                                           "--require: smallest bound of log p(x), in nats a test image.",
                                           full, brief, 0);
    session s = {0};
    const bool good = run(&s, &o);
    rg_tape_free(s.t);
    rg_params_free(s.ps);
    rg_dataset_free(s.test);
    rg_dataset_free(s.train);
    return good ? 0 : 1;
}
