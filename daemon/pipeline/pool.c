#include "pipeline/pool.h"
#include "base/check.h"
#include "os/thread.h"
#include "pipeline/classifier.h"
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS_MAX = RULESET_WORKERS_MAX - 1, FLIGHT_MAX = 2 * WORKERS_MAX + 2 };

struct worker {
    struct pool *pool;
    unsigned number;
    struct classifier *classifier;
    struct thread *thread;
};
struct pool {
    struct ruleset_holder *holder;
    unsigned workers;
    struct worker *worker; /* at least one: without threads it is the stage's own */
    struct queue *work, *done;
    struct chunk *flight[FLIGHT_MAX]; /* a ring, oldest at `head` */
    size_t head, count, count_max;
};

static void work(struct worker *worker, struct chunk *chunk)
{
    const struct ruleset *set = ruleset_holder_take(worker->pool->holder, worker->number);
    classifier_run(worker->classifier, set, chunk);
    ruleset_holder_release(worker->pool->holder, worker->number);
}

static void run(void *argument)
{
    struct worker *worker = argument;
    struct chunk *chunk;
    while ((chunk = queue_pop(worker->pool->work, -1))) {
        work(worker, chunk);
        CHECK(queue_push(worker->pool->done, chunk, -1));
    }
}

struct pool *pool_new(const struct stage_setup *setup, struct ruleset_holder *holder,
                      unsigned workers)
{
    CHECK(workers <= WORKERS_MAX);
    struct pool *pool = calloc(1, sizeof *pool);
    CHECK(pool);
    pool->holder = holder;
    pool->workers = workers;
    pool->count_max = workers ? 2 * (size_t)workers + 2 : 1;
    pool->work = queue_new(pool->count_max);
    pool->done = queue_new(pool->count_max);
    pool->worker = calloc(workers ? workers : 1, sizeof *pool->worker);
    CHECK(pool->worker);
    for (unsigned i = 0; i < (workers ? workers : 1); i++) {
        struct worker *worker = &pool->worker[i];
        *worker = (struct worker){.pool = pool, .number = i, .classifier = classifier_new(setup)};
    }
    for (unsigned i = 0; i < workers; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "worker-%u", i);
        pool->worker[i].thread = thread_start(name, run, &pool->worker[i]);
    }
    return pool;
}

void pool_free(struct pool *pool)
{
    if (!pool) return;
    CHECK(pool->count == 0);
    queue_close(pool->work);
    for (unsigned i = 0; i < (pool->workers ? pool->workers : 1); i++) {
        if (pool->worker[i].thread) thread_join(pool->worker[i].thread);
        classifier_free(pool->worker[i].classifier);
    }
    queue_free(pool->work);
    queue_free(pool->done);
    free(pool->worker);
    free(pool);
}

bool pool_is_full(const struct pool *pool)
{
    return pool->count == pool->count_max;
}
size_t pool_count(const struct pool *pool)
{
    return pool->count;
}

static void hand_over(struct pool *pool, struct chunk *chunk)
{
    chunk->done = false;
    if (pool->workers == 0) {
        work(&pool->worker[0], chunk);
        chunk->done = true;
        return;
    }
    CHECK(queue_push(pool->work, chunk, 0)); /* has room for all in flight */
}

void pool_submit(struct pool *pool, struct chunk *chunk)
{
    CHECK(!pool_is_full(pool));
    pool->flight[(pool->head + pool->count++) % FLIGHT_MAX] = chunk;
    hand_over(pool, chunk);
}

void pool_resubmit(struct pool *pool, struct chunk *chunk)
{
    CHECK(!pool_is_full(pool));
    pool->head = (pool->head + FLIGHT_MAX - 1) % FLIGHT_MAX;
    pool->flight[pool->head] = chunk;
    pool->count++;
    hand_over(pool, chunk);
}

struct chunk *pool_take(struct pool *pool, bool wait)
{
    if (pool->count == 0) return NULL;
    struct chunk *oldest = pool->flight[pool->head];
    while (!oldest->done) {
        struct chunk *chunk = queue_pop(pool->done, wait ? -1 : 0);
        if (!chunk) return NULL;
        chunk->done = true;
    }
    pool->head = (pool->head + 1) % FLIGHT_MAX;
    pool->count--;
    return oldest;
}
