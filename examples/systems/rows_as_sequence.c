/* Images as sequences: an LSTM reads a picture of Fashion-MNIST row by row, 28 steps of 28 numbers, and says at the end what
 * it has seen. After Le, Jaitly and Hinton (arXiv 1504.00941), who read MNIST pixel by pixel. */
#include "common.h"

enum { ROWS = 28, COLUMNS = 28, HIDDEN = 128, BATCH = 50, TEST_BATCH = 500 };

typedef struct model {
    rg_lstm rows;
    rg_linear out;
} model;

/* x [n, PIXELS] -> logits [n, CLASSES] */
static rg_tensor forward(rg_tape *t, const model *m, rg_tensor x)
{
    const rg_tensor rows = rg_reshape(t, x, RG_SHAPE(-1, ROWS, COLUMNS));
    const rg_recurrent_result r = rg_recurrent_forward(t, &m->rows, rows, NULL);
    return rg_linear_forward(t, &m->out, rg_select(t, r.h, 0, 0));
}

typedef struct measure {
    double loss, accuracy; /* accuracy in percent */
} measure;

/* One pass over the data, training where there is an optimizer. */
static measure pass(rg_tape *t, rg_params *ps, const model *m, rg_loader *loader, int64_t epoch, rg_optim *opt)
{
    double loss = 0, right = 0;
    int64_t count = 0;
    rg_batch batch;
    rg_loader_start(loader, epoch);
    while (rg_loader_next(loader, &batch) && !rg_failed(t)) {
        rg_tape_reset(t);
        rg_mode_push(t, opt ? RG_GRAD : RG_NO_GRAD);
        const rg_tensor y = rg_input_i64(t, RG_SHAPE(batch.count), batch.y);
        const rg_tensor logits = forward(t, m, rg_input_f32(t, RG_SHAPE(batch.count, PIXELS), batch.x));
        const rg_tensor mean = rg_cross_entropy(t, logits, y, NULL), share = rg_accuracy(t, logits, y);
        rg_mode_pop(t);
        if (opt) {
            rg_backward(t, mean);
            rg_clip_grad_norm(t, ps, 1);
            rg_optim_step(opt, t);
        }
        loss += rg_item(t, mean) * (double)batch.count;
        right += rg_item(t, share) * (double)batch.count;
        count += batch.count;
    }
    rg_tape_reset(t);
    return (measure){loss / (double)count, 100 * right / (double)count};
}

/* Test accuracy in percent after the last epoch. */
static double train(rg_loader *batches, rg_loader *test, const options *o)
{
    double accuracy = 0;
    rg_params *ps = rg_params_new((uint64_t)o->seed);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = (int)o->threads});
    const model m = {rg_lstm_new(ps, "rows", COLUMNS, HIDDEN, &(rg_recurrent_config){.batch_first = true}),
                     rg_linear_new(ps, "out", HIDDEN, CLASSES)};
    rg_optim *opt = rg_adam_new(ps, NULL);
    for (int64_t epoch = 0; epoch < o->epochs && all_well(t, ps); epoch++) {
        rg_optim_set_lr(opt, rg_schedule_cosine(2e-3, 1e-4, epoch, o->epochs));
        const measure training = pass(t, ps, &m, batches, epoch, opt), tested = pass(t, ps, &m, test, 0, NULL);
        accuracy = tested.accuracy;
        printf("epoch %2" PRId64 "/%" PRId64 "  loss %.4f  training %.2f %%  test %.2f %%\n", epoch + 1, o->epochs,
               training.loss, training.accuracy, accuracy);
    }
    if (!all_well(t, ps))
        accuracy = 0;
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
    return accuracy;
}

int main(int argc, char **argv)
{
    static const options full = {.epochs = 3, .seed = 1, .require = 87, .data = FASHION_MNIST};
    static const options brief = {.epochs = 2, .seed = 1, .limit = 4000, .require = 65, .data = FASHION_MNIST};
    const options o = read_options(
        argc, argv, "An LSTM reads pictures row by row.\nThe result is the test accuracy in percent.", &full, &brief);
    rg_dataset *train_set = load_images(&o, "train"), *test_set = load_images(&o, "t10k");
    bool good = false;
    if (train_set && test_set) {
        char error[256] = "";
        const rg_loader_config shuffled = {.batch = BATCH, .shuffle = true, .seed = (uint64_t)o.seed};
        rg_loader *batches = rg_loader_new(train_set, &shuffled, error, sizeof error);
        rg_loader *test = rg_loader_new(test_set, &(rg_loader_config){.batch = TEST_BATCH}, error, sizeof error);
        if (batches && test) {
            const double accuracy = train(batches, test, &o);
            good = accuracy >= o.require || complain("the accuracy is %.2f %%, below %g %%", accuracy, o.require);
        } else {
            complain("%s", error);
        }
        rg_loader_free(batches);
        rg_loader_free(test);
    }
    rg_dataset_free(train_set);
    rg_dataset_free(test_set);
    return good ? 0 : 1;
}
