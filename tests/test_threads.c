/* Tapes in several threads of a program at once: each gives what it gives alone. With one thread to each tape, so that
 * the thread sanitizer, which does not know OpenMP's barriers, can watch. */
#include <pthread.h>
#include <retrograd/retrograd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { THREADS = 3, STEPS = 20, IN = 30, OUT = 12 };

typedef struct worker {
    rg_params *ps; /* shared; NULL: one of its own */
    pthread_barrier_t *start;
    double loss[STEPS];
    float grad[STEPS][OUT * IN];
    char print[33];
    bool ok;
} worker;

static rg_tensor loss_of(rg_tape *t, const rg_linear *layer)
{
    const rg_tensor h = rg_linear_forward(t, layer, rg_randn(t, RG_F32, RG_SHAPE(16, IN)));
    return rg_mean(t, rg_square(t, rg_tanh(t, h)), RG_ALL, false);
}

/* Reads the shared store over and over: the gradients are tensors, which are this tape's own. */
static void *read_store(void *argument)
{
    worker *w = argument;
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = 1, .seed = 9});
    const rg_linear layer = {rg_params_find(w->ps, "l.weight"), rg_params_find(w->ps, "l.bias"), "l"};
    if (w->start)
        pthread_barrier_wait(w->start);
    w->ok = true;
    for (int step = 0; step < STEPS; step++) {
        const rg_tensor loss = loss_of(t, &layer), weight = rg_leaf(t, layer.weight);
        rg_tensor grad;
        w->ok = w->ok && rg_grad(t, loss, &weight, 1, &grad);
        w->loss[step] = rg_item(t, loss);
        w->ok = w->ok && rg_read(t, grad, w->grad[step], sizeof w->grad[step]);
        rg_tape_reset(t);
    }
    rg_backward(t, loss_of(t, &layer)); /* dropped with the tape */
    w->ok = w->ok && !rg_failed(t);
    rg_tape_free(t);
    return NULL;
}

/* Trains a model of its own from the first call of the library on. */
static void *train(void *argument)
{
    worker *w = argument;
    if (w->start)
        pthread_barrier_wait(w->start);
    rg_tape *t = rg_tape_new(&(rg_tape_config){.threads = 1, .seed = 9});
    rg_params *ps = rg_params_new(8);
    const rg_linear layer = rg_linear_new(ps, "l", IN, OUT);
    rg_optim *opt = rg_adam_new(ps, NULL);
    for (int step = 0; step < STEPS; step++) {
        const rg_tensor loss = loss_of(t, &layer);
        rg_backward(t, loss);
        rg_optim_step(opt, t);
        w->loss[step] = rg_item(t, loss);
        rg_tape_reset(t);
    }
    rg_params_fingerprint(ps, w->print);
    w->ok = !rg_failed(t) && rg_info_get().threads > 0;
    rg_optim_free(opt);
    rg_tape_free(t);
    rg_params_free(ps);
    return NULL;
}

static void assert_same_as_alone(void *(*work)(void *), rg_params *ps)
{
    static worker alone, all[THREADS];
    pthread_barrier_t start;
    pthread_t thread[THREADS];
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        all[i] = (worker){.ps = ps, .start = &start};
        assert_int_equal(pthread_create(&thread[i], NULL, work, &all[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&start);
    alone = (worker){.ps = ps};
    work(&alone);
    assert_true(alone.ok);
    for (int i = 0; i < THREADS; i++) {
        assert_true(all[i].ok);
        assert_memory_equal(all[i].loss, alone.loss, sizeof alone.loss);
        assert_memory_equal(all[i].grad, alone.grad, sizeof alone.grad);
        assert_string_equal(all[i].print, alone.print);
    }
}

static void tapes_in_several_threads_train_models_of_their_own(void **state)
{
    (void)state;
    assert_same_as_alone(train, NULL);
}

static void tapes_in_several_threads_read_one_store(void **state)
{
    (void)state;
    rg_params *ps = rg_params_new(8);
    rg_linear_new(ps, "l", IN, OUT);
    assert_same_as_alone(read_store, ps);
    rg_params_free(ps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tapes_in_several_threads_train_models_of_their_own),
        cmocka_unit_test(tapes_in_several_threads_read_one_store),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
