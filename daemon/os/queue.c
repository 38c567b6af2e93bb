/* A ring under one mutex. Waiting is against the monotonic clock, so that a jump of the wall clock
 * wakes nobody. */
#include "os/thread.h"
#include "base/check.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t not_full, not_empty;
    size_t size, first, count;
    bool closed;
    void *items[];
};

struct queue *queue_new(size_t size_max)
{
    CHECK(size_max > 0 && size_max < SIZE_MAX / sizeof(void *) / 2);
    struct queue *queue = calloc(1, sizeof *queue + size_max * sizeof(void *));
    CHECK(queue != NULL);
    queue->size = size_max;
    pthread_condattr_t monotonic;
    CHECK(pthread_condattr_init(&monotonic) == 0);
    CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&queue->not_full, &monotonic) == 0);
    CHECK(pthread_cond_init(&queue->not_empty, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
    CHECK(pthread_mutex_init(&queue->lock, NULL) == 0);
    return queue;
}

void queue_free(struct queue *queue)
{
    if (!queue) return;
    pthread_cond_destroy(&queue->not_full);
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

static struct timespec deadline_in(int64_t timeout_ms)
{
    struct timespec at;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &at) == 0);
    at.tv_sec += (time_t)(timeout_ms / 1000);
    at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

/* Waits, with the lock held, while the queue's count is `count`; false once the time is over or it
 * is closed. */
static bool wait_while(struct queue *queue, pthread_cond_t *condition, size_t count,
                       int64_t timeout_ms)
{
    struct timespec deadline = {0};
    if (timeout_ms > 0 && queue->count == count) deadline = deadline_in(timeout_ms);
    while (queue->count == count && !queue->closed) {
        if (timeout_ms == 0) return false;
        int result = timeout_ms < 0 ? pthread_cond_wait(condition, &queue->lock)
                                    : pthread_cond_timedwait(condition, &queue->lock, &deadline);
        if (result == ETIMEDOUT) return queue->count != count;
        CHECK(result == 0);
    }
    return queue->count != count;
}

bool queue_push(struct queue *queue, void *item, int64_t timeout_ms)
{
    CHECK(item != NULL);
    pthread_mutex_lock(&queue->lock);
    bool pushed = wait_while(queue, &queue->not_full, queue->size, timeout_ms) && !queue->closed;
    if (pushed) {
        queue->items[(queue->first + queue->count) % queue->size] = item;
        queue->count++;
        pthread_cond_signal(&queue->not_empty);
    }
    pthread_mutex_unlock(&queue->lock);
    return pushed;
}

void *queue_pop(struct queue *queue, int64_t timeout_ms)
{
    void *item = NULL;
    pthread_mutex_lock(&queue->lock);
    if (wait_while(queue, &queue->not_empty, 0, timeout_ms)) {
        item = queue->items[queue->first];
        queue->first = (queue->first + 1) % queue->size;
        queue->count--;
        pthread_cond_signal(&queue->not_full);
    }
    pthread_mutex_unlock(&queue->lock);
    return item;
}

size_t queue_count(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t count = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->not_full);
    pthread_cond_broadcast(&queue->not_empty);
    pthread_mutex_unlock(&queue->lock);
}
