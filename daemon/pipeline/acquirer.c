/* One thread (or none) that takes the jobs round and round: one that waits for a barrier does not
 * hold up the others. Stage thread and this thread share nothing but the two queues and the jobs'
 * cancelled flags. */
#include "pipeline/acquirer.h"
#include "base/check.h"
#include "os/thread.h"
#include <stdlib.h>

enum { JOBS_MAX = KAFKA_PARTITIONS_MAX, IDLE_WAIT_MS = 200, REST_MS = 20, READ_WAIT_MS = 50 };

struct acquirer {
    struct acquire_context *context;
    struct queue *submitted, *over;
    struct thread *thread; /* NULL: acquirer_step does its work */
    atomic_bool stopped;
    struct acquire_job *jobs[JOBS_MAX]; /* in hand; owned by the thread that steps */
    size_t count, at;
};

static void add_job(struct acquirer *acquirer, struct acquire_job *job)
{
    CHECK(acquirer->count < JOBS_MAX);
    acquirer->jobs[acquirer->count++] = job;
}

/* False where that job could not go on now. */
static bool step_one(struct acquirer *acquirer, int timeout_ms)
{
    if (acquirer->at >= acquirer->count) acquirer->at = 0;
    struct acquire_job *job = acquirer->jobs[acquirer->at];
    bool progress = acquire_step(acquirer->context, job, timeout_ms);
    if (!acquire_is_over(job)) {
        acquirer->at++;
        return progress;
    }
    acquirer->jobs[acquirer->at] = acquirer->jobs[--acquirer->count];
    CHECK(queue_push(acquirer->over, job, 0)); /* has room for every partition */
    return true;
}

static void run(void *argument)
{
    struct acquirer *acquirer = argument;
    size_t fruitless = 0; /* steps in a row: a whole round of them is a reason to rest */
    while (!atomic_load_explicit(&acquirer->stopped, memory_order_relaxed)) {
        int64_t wait_ms = 0;
        if (acquirer->count == 0)
            wait_ms = IDLE_WAIT_MS;
        else if (fruitless >= acquirer->count)
            wait_ms = REST_MS;
        struct acquire_job *job = queue_pop(acquirer->submitted, wait_ms);
        if (job) add_job(acquirer, job);
        if (wait_ms) fruitless = 0;
        if (acquirer->count) fruitless = step_one(acquirer, READ_WAIT_MS) ? 0 : fruitless + 1;
    }
}

struct acquirer *acquirer_new(const struct stage_setup *setup, bool with_state)
{
    struct acquirer *acquirer = calloc(1, sizeof *acquirer);
    CHECK(acquirer);
    acquirer->context = acquire_context_new(setup, with_state);
    acquirer->submitted = queue_new(JOBS_MAX);
    acquirer->over = queue_new(JOBS_MAX);
    atomic_init(&acquirer->stopped, false);
    if (setup->threaded)
        acquirer->thread = thread_start(with_state ? "restore" : "position", run, acquirer);
    return acquirer;
}

void acquirer_free(struct acquirer *acquirer)
{
    if (!acquirer) return;
    atomic_store_explicit(&acquirer->stopped, true, memory_order_relaxed);
    queue_close(acquirer->submitted);
    if (acquirer->thread) thread_join(acquirer->thread);
    CHECK(acquirer->count == 0);
    queue_free(acquirer->submitted);
    queue_free(acquirer->over);
    acquire_context_free(acquirer->context);
    free(acquirer);
}

void acquirer_submit(struct acquirer *acquirer, struct acquire_job *job)
{
    if (acquirer->thread)
        CHECK(queue_push(acquirer->submitted, job, 0));
    else
        add_job(acquirer, job);
}

void acquirer_step(struct acquirer *acquirer)
{
    if (!acquirer->thread && acquirer->count) step_one(acquirer, 0);
}

struct acquire_job *acquirer_take(struct acquirer *acquirer, int64_t timeout_ms)
{
    return queue_pop(acquirer->over, acquirer->thread ? timeout_ms : 0);
}
