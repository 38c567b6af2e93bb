/* The order of the steps, and the barrier. What committed() answers is not the position of stage 2:
 * it may be gone or old. It is asked because a read_committed group consumer answers only when no
 * transaction of a predecessor is open on that partition's offsets, and each transaction of stage 2
 * sends them. */
#include "pipeline/acquire_private.h"
#include "base/check.h"
#include "pipeline/fault_points.h"
#include "pipeline/mutants.h"
#include <stdlib.h>

enum {
    BARRIER_TRY_MS = 3000,
    BARRIER_PAUSE_MS = 100,
    BARRIER_LONG_MS = 10000,
    LOG_INTERVAL_MS = 10000,
    LONG_INTERVAL_MS = 30000
};

struct acquire_context *acquire_context_new(const struct stage_setup *setup, bool with_state)
{
    struct acquire_context *context = calloc(1, sizeof *context);
    CHECK(context);
    context->setup = setup;
    context->ports = &setup->ports;
    const struct pipeline_topics *topics = &setup->config->topics;
    context->input_topic = with_state ? topics->classified : topics->raw;
    context->with_state = with_state;
    arena_init(&context->arena, 64 * 1024, 4 * 1024 * 1024);
    changes_init(&context->changes);
    for (int i = 0; i < KAFKA_PARTITIONS_MAX; i++) context->raw_high[i] = -1;
    context->barrier_limit.interval_ms = LOG_INTERVAL_MS;
    context->long_limit.interval_ms = LONG_INTERVAL_MS;
    context->trouble_limit.interval_ms = LOG_INTERVAL_MS;
    context->wait_limit.interval_ms = LOG_INTERVAL_MS;
    context->odd_limit.interval_ms = LOG_INTERVAL_MS;
    return context;
}

void acquire_context_free(struct acquire_context *context)
{
    if (!context) return;
    arena_done(&context->arena);
    changes_done(&context->changes);
    free(context);
}

void acquire_job_init(struct acquire_job *job, int32_t partition, void *store,
                      struct position *position)
{
    *job = (struct acquire_job){.partition = partition,
                                .store = store,
                                .position = position,
                                .committed = -1,
                                .began_ms = -1};
    atomic_init(&job->cancelled, false);
}

void acquire_fail(struct acquire_job *job, struct error *error)
{
    job->error = *error;
    job->phase = ACQUIRE_FAILED;
}

void acquire_retry(struct acquire_context *context, struct acquire_job *job, int64_t delay_ms)
{
    job->not_before_ms = port_monotonic_ms(context->ports) + delay_ms;
}

/* For moments it is nothing; longer than any transaction of a predecessor should last, somebody has
 * to know. */
static void say_waiting(struct acquire_context *context, const struct acquire_job *job,
                        const struct error *error)
{
    char quoted[LOG_QUOTE_MAX];
    int64_t waited_ms = port_monotonic_ms(context->ports) - job->began_ms;
    bool is_long = waited_ms >= BARRIER_LONG_MS;
    log_event_limited(
        is_long ? &context->long_limit : &context->barrier_limit, is_long ? LOG_WARN : LOG_INFO,
        "partition.barrier", "topic=%s partition=%d waited_ms=%lld error=%s %s",
        context->input_topic, (int)job->partition, (long long)waited_ms,
        log_quote(span_from(error->text), quoted),
        is_long ? "waits=\"for a transaction that another process left open, or for the group's "
                  "coordinator\" do=\"nothing within run.transaction.timeout of that process; "
                  "after it look for a producer that hangs (kafka-transactions.sh find-hanging) "
                  "and at the brokers\""
                : "waits=\"for an open transaction or the coordinator\"");
}

static void pass_barrier(struct acquire_context *context, struct acquire_job *job)
{
    struct error error = {0};
    const struct source_port *source = &context->ports->source;
    enum kafka_outcome outcome = KAFKA_OK;
    if (!MUTANT(NO_BARRIER) || !context->with_state)
        outcome = source->ops->committed(source->self, &job->partition, 1, BARRIER_TRY_MS,
                                         &job->committed, &error);
    switch (outcome) {
    case KAFKA_OK:
        FAULT_POINT(context->with_state ? "decide" : "classify", "barrier");
        job->phase = context->with_state ? ACQUIRE_OPEN : ACQUIRE_CHECK;
        return;
    case KAFKA_TRY_AGAIN:
        say_waiting(context, job, &error);
        acquire_retry(context, job, BARRIER_PAUSE_MS);
        return;
    case KAFKA_FAILED:
        error_prefix(&error, "%s, partition %d: the committed offset cannot be read",
                     context->input_topic, (int)job->partition);
        acquire_fail(job, &error);
        return;
    }
}

bool acquire_step(struct acquire_context *context, struct acquire_job *job, int timeout_ms)
{
    if (acquire_is_over(job)) return true;
    if (atomic_load_explicit(&job->cancelled, memory_order_relaxed)) {
        acquire_stop_reading(context, job);
        job->phase = ACQUIRE_FAILED; /* nobody looks at why */
        return true;
    }
    int64_t now = port_monotonic_ms(context->ports);
    if (job->began_ms < 0) job->began_ms = now;
    if (now < job->not_before_ms) return false;
    switch (job->phase) {
    case ACQUIRE_BARRIER:
        pass_barrier(context, job);
        return true;
    case ACQUIRE_OPEN:
        acquire_open_store(context, job);
        return true;
    case ACQUIRE_MARK:
        acquire_find_mark(context, job);
        return true;
    case ACQUIRE_READ:
        if (context->reader_owner && context->reader_owner != job) return false;
        acquire_read(context, job, timeout_ms);
        return true;
    case ACQUIRE_CHECK:
        acquire_check(context, job);
        return true;
    case ACQUIRE_DONE:
    case ACQUIRE_FAILED:
        return true;
    }
    return true;
}
