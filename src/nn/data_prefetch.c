/* The threads that prepare a loader's batches ahead. They take batch numbers in order, and what a batch holds depends on
 * its number alone: it does not matter which thread takes it, or when. */
#include "data_loader.h"

#include <signal.h>
#include <stdlib.h>

/* A batch may be begun when the one that was in its slot is no longer looked at. */
static bool may_begin(const rg_loader *loader)
{
    const rg__crew *c = &loader->crew;
    return c->running && c->taken < rg_loader_batches(loader) && c->taken - c->released < loader->slots;
}

static void *work(void *user)
{
    rg_loader *loader = user;
    rg__crew *c = &loader->crew;
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!c->closing && !may_begin(loader))
            pthread_cond_wait(&c->work, &c->lock);
        if (c->closing)
            break;
        const int64_t n = c->taken++;
        c->busy++;
        pthread_mutex_unlock(&c->lock);
        rg__loader_fill(loader, n);
        pthread_mutex_lock(&c->lock);
        c->busy--;
        loader->slot[n % loader->slots].ready = n + 1;
        pthread_cond_broadcast(&c->done);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

bool rg__crew_start(rg_loader *loader)
{
    rg__crew *c = &loader->crew;
    const int wanted = loader->config.threads;
    c->threads = calloc((size_t)wanted, sizeof *c->threads);
    if (!c->threads)
        return false;
    /* Signals are for the program's own threads. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (c->count < wanted && pthread_create(&c->threads[c->count], NULL, work, loader) == 0)
        c->count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return c->count == wanted;
}

void rg__crew_halt(rg_loader *loader)
{
    rg__crew *c = &loader->crew;
    if (c->count == 0)
        return;
    pthread_mutex_lock(&c->lock);
    c->running = false;
    atomic_store(&c->abandon, true);
    while (c->busy > 0)
        pthread_cond_wait(&c->done, &c->lock);
    atomic_store(&c->abandon, false);
    c->taken = c->released = 0;
    for (int64_t i = 0; i < loader->slots; i++)
        loader->slot[i].ready = 0;
    pthread_mutex_unlock(&c->lock);
}

void rg__crew_wait(rg_loader *loader, int64_t n)
{
    rg__crew *c = &loader->crew;
    pthread_mutex_lock(&c->lock);
    c->running = true;
    c->released = n;
    pthread_cond_broadcast(&c->work);
    while (loader->slot[n % loader->slots].ready != n + 1)
        pthread_cond_wait(&c->done, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

void rg__crew_end(rg_loader *loader)
{
    rg__crew *c = &loader->crew;
    rg__crew_halt(loader);
    pthread_mutex_lock(&c->lock);
    c->closing = true;
    pthread_cond_broadcast(&c->work);
    pthread_mutex_unlock(&c->lock);
    for (int i = 0; i < c->count; i++)
        pthread_join(c->threads[i], NULL);
    free(c->threads);
}
