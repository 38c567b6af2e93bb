/* The state file of one partition is brought to the end of `recipients`. The mark is asked with
 * read_uncommitted: a read_committed question stops at an open transaction and can miss a committed
 * one behind it. Reading stops at an open transaction too, but goes on by itself once it is
 * settled. */
#include "pipeline/acquire_private.h"
#include "os/metric.h"
#include "pipeline/fault_points.h"
#include "pipeline/mutants.h"

enum {
    READ_SLICE = 2000,
    COMMIT_RECIPIENTS = 50000,
    COMMIT_BYTES = 32 << 20,
    RETRY_MS = 200,
    LONG_MS = 3600 * 1000
};

bool acquire_watermarks(struct acquire_context *context, struct acquire_job *job, const char *topic,
                        int32_t partition, int64_t *low, int64_t *high)
{
    struct error error = {0};
    const struct log_port *log = &context->ports->log;
    if (log->ops->watermarks(log->self, topic, partition, low, high, &error)) return true;
    if (error.code == EXIT_CONFIG) {
        acquire_fail(job, &error);
        return false;
    }
    char quoted[LOG_QUOTE_MAX];
    log_event_limited(&context->trouble_limit, LOG_WARN, "partition.watermarks",
                      "topic=%s partition=%d error=%s", topic, (int)partition,
                      log_quote(span_from(error.text), quoted));
    acquire_retry(context, job, RETRY_MS);
    return false;
}

static void tell_rebuilt(const struct acquire_job *job, const char *why)
{
    if (!why[0]) return;
    metric_add(METRIC_STATE_REBUILDS, 1);
    log_event(LOG_WARN, "state.rebuilt", "partition=%d reason=\"%s\"", (int)job->partition, why);
}

static bool read_store(struct acquire_context *context, struct acquire_job *job,
                       struct error *error)
{
    const struct store_ops *ops = context->ports->store.ops;
    TRY(ops->get_position(job->store, job->position, &job->has_position, error));
    job->place = ops->place(job->store);
    return true;
}

void acquire_open_store(struct acquire_context *context, struct acquire_job *job)
{
    struct error error = {0};
    const struct store_ops *ops = context->ports->store.ops;
    job->opened_ms = port_wall_ms(context->ports);
    if (!job->store) {
        const char *rebuilt = "";
        if (!ops->open(context->ports->store.self, job->partition, &job->store, &rebuilt, &error)) {
            job->store = NULL;
            acquire_fail(job, &error);
            return;
        }
        tell_rebuilt(job, rebuilt);
    }
    if (!read_store(context, job, &error)) {
        acquire_fail(job, &error);
        return;
    }
    job->phase = ACQUIRE_MARK;
}

/* A state file that stayed open while its partition was paused may have grown too old, and the
 * topic may have been cut below its place. */
static bool refresh_store(struct acquire_context *context, struct acquire_job *job,
                          struct error *error)
{
    const struct store_ops *ops = context->ports->store.ops;
    const char *rebuilt = "";
    if (!ops->refresh(job->store, job->low, &rebuilt, error)) {
        ops->close(job->store);
        job->store = NULL;
        return false;
    }
    tell_rebuilt(job, rebuilt);
    return !rebuilt[0] || read_store(context, job, error);
}

void acquire_find_mark(struct acquire_context *context, struct acquire_job *job)
{
    const char *topic = context->setup->config->topics.recipients;
    int64_t high = 0;
    struct error error = {0};
    if (!acquire_watermarks(context, job, topic, job->partition, &job->low, &high)) return;
    if (job->place > high) {
        error_set(
            &error, EXIT_CONFIG,
            "the state file of partition %d was built up to offset %lld of %s, which ends at %lld: "
            "the "
            "topic was made anew or cut; if that is meant, remove the file partition-%d.db from %s",
            (int)job->partition, (long long)job->place, topic, (long long)high, (int)job->partition,
            context->setup->config->state_folder);
        acquire_fail(job, &error);
        return;
    }
    if (!refresh_store(context, job, &error)) {
        acquire_fail(job, &error);
        return;
    }
    if (job->place < job->low) job->place = job->low;
    job->mark = high;
    job->phase = ACQUIRE_READ;
}

static bool restore_position(struct acquire_context *context, struct acquire_job *job,
                             const struct kafka_record *record, struct error *error)
{
    struct wire_read read = {0};
    enum wire_result result = WIRE_MALFORMED;
    if (record->has_value)
        result = wire_position_parse(record->value, &context->arena, &context->position, &read);
    if (result == WIRE_OK) {
        *job->position = context->position;
        job->has_position = true;
        return true;
    }
    const char *topic = context->setup->config->topics.recipients;
    if (result == WIRE_NEWER)
        return error_set(
            error, EXIT_CONFIG,
            "%s, partition %d, offset %lld: the position was written by a newer version: %s", topic,
            (int)job->partition, (long long)record->offset, read.text);
    return error_set(
        error, EXIT_CONFIG,
        "%s, partition %d, offset %lld: the position record cannot be read (%s); something else "
        "writes to this topic, and going on would decide bounces twice",
        topic, (int)job->partition, (long long)record->offset, read.text);
}

static bool restore_recipient(struct acquire_context *context, struct acquire_job *job,
                              const struct kafka_record *record, struct error *error)
{
    const char *topic = context->setup->config->topics.recipients;
    struct span tenant, key;
    struct wire_read read = {0};
    bool known = record->has_key && wire_key_parse(record->key, &tenant, &key);
    if (!known && record->has_key && span_starts(record->key, SPAN("#"))) return true;
    enum wire_result result = WIRE_MALFORMED;
    if (known && !record->has_value) {
        state_init(&context->state);
        result = WIRE_OK;
    } else if (known) {
        result = wire_recipient_parse(record->value, &context->arena, &context->state, &read);
    }
    if (result == WIRE_OK) {
        changes_put(&context->changes, job->partition, tenant, key, &context->state,
                    &STORED_UNKNOWN);
        return true;
    }
    if (result == WIRE_NEWER)
        return error_set(
            error, EXIT_CONFIG,
            "%s, partition %d, offset %lld: a recipient was written by a newer version: %s", topic,
            (int)job->partition, (long long)record->offset, read.text);
    char quoted[LOG_QUOTE_MAX];
    log_event_limited(&context->odd_limit, LOG_WARN, "recipients.foreign",
                      "topic=%s partition=%d offset=%lld error=%s", topic, (int)job->partition,
                      (long long)record->offset, log_quote(span_from(read.text), quoted));
    return true;
}

static bool save(struct acquire_context *context, struct acquire_job *job, bool at_end,
                 struct error *error)
{
    const struct store_ops *ops = context->ports->store.ops;
    uint32_t count = changes_sort(&context->changes);
    for (uint32_t i = 0; i < count; i++)
        TRY(change_write(context->changes.sorted[i], ops, job->store, error));
    changes_clear(&context->changes);
    if (job->has_position) TRY(ops->put_position(job->store, job->position, error));
    int64_t at_ms = MUTANT(YOUNG_FILE) ? port_wall_ms(context->ports) : job->opened_ms;
    TRY(ops->commit(job->store, job->place, at_end, at_ms, error));
    job->store_begun = false;
    return true;
}

static bool restore_record(struct acquire_context *context, struct acquire_job *job,
                           const struct kafka_record *record, struct error *error)
{
    if (record->partition != job->partition || record->offset < job->place) return true;
    arena_reset(&context->arena);
    if (record->has_key && span_equal(record->key, SPAN(WIRE_KEY_POSITION)))
        TRY(restore_position(context, job, record, error));
    else
        TRY(restore_recipient(context, job, record, error));
    job->place = record->offset + 1;
    job->rows++;
    FAULT_POINT("decide", "restoring");
    if (context->changes.count < COMMIT_RECIPIENTS && context->changes.bytes < COMMIT_BYTES)
        return true;
    TRY(save(context, job, false, error));
    TRY(context->ports->store.ops->begin(job->store, error));
    job->store_begun = true;
    return true;
}

void acquire_stop_reading(struct acquire_context *context, struct acquire_job *job)
{
    if (job->store_begun) context->ports->store.ops->rollback(job->store);
    job->store_begun = false;
    if (!job->reading) return;
    job->reading = false;
    if (context->reader_owner == job) context->reader_owner = NULL;
    /* Its memory goes as well: a restore is rare, and much larger than a batch. */
    changes_done(&context->changes);
    changes_init(&context->changes);
}

static bool begin_reading(struct acquire_context *context, struct acquire_job *job,
                          struct error *error)
{
    const struct reader_port *reader = &context->ports->reader;
    TRY(context->ports->store.ops->begin(job->store, error));
    job->store_begun = true;
    job->reading = true;

    if (job->place >= job->mark) return true;
    context->reader_owner = job;
    return reader->ops->start(reader->self, job->partition, job->place, error);
}

/* One event; *progress is false where there is none to be had now. */
static bool read_event(struct acquire_context *context, struct acquire_job *job, int timeout_ms,
                       bool *progress, struct error *error)
{
    const struct reader_port *reader = &context->ports->reader;
    struct kafka_event event;
    bool ok = true;
    reader->ops->poll(reader->self, timeout_ms, &event);
    *progress = event.type != KAFKA_NOTHING;
    switch (event.type) {
    case KAFKA_NOTHING:
        break;
    case KAFKA_RECORD:
        if (event.record.partition == job->partition && event.record.offset >= job->mark)
            job->place = job->mark;
        else
            ok = restore_record(context, job, &event.record, error);
        reader->ops->record_done(reader->self, &event.record);
        break;
    case KAFKA_EOF:
        if (event.partition == job->partition && event.offset > job->place)
            job->place = event.offset;
        if (MUTANT(STABLE_END)) job->mark = job->place;
        break;
    case KAFKA_TROUBLE:
    case KAFKA_ASSIGNED:
    case KAFKA_REVOKED:
    case KAFKA_LOST:
        *progress = false;
        break;
    case KAFKA_OUT_OF_RANGE: /* its start moves: looked at anew with the next try */
    case KAFKA_FATAL:
        ok = error_set(error, event.type == KAFKA_FATAL ? EXIT_UNAVAILABLE : EXIT_TEMPORARY,
                       "%s, partition %d cannot be read from offset %lld: %s",
                       context->setup->config->topics.recipients, (int)job->partition,
                       (long long)job->place, event.text);
        break;
    }
    return ok;
}

/* What took so long since the file was looked at (a process that was stopped, a machine that slept)
 * may have a row whose tombstone was removed before it came there. The file says how old it is:
 * looking at it again decides whether that is too old, and what is new meanwhile is read in any
 * case. The clock may have been set back as well. */
static bool is_doubtful(const struct acquire_context *context, const struct acquire_job *job)
{
    int64_t took_ms = port_wall_ms(context->ports) - job->opened_ms;
    return took_ms > LONG_MS || took_ms < -LONG_MS;
}

void acquire_look_again(struct acquire_job *job)
{
    log_event(LOG_WARN, "partition.restore_again", "partition=%d rows=%lld", (int)job->partition,
              (long long)job->rows);
    job->reading = false;
    job->phase = ACQUIRE_BARRIER;
}

static bool read_slice(struct acquire_context *context, struct acquire_job *job, int timeout_ms,
                       struct error *error)
{
    if (!job->reading) TRY(begin_reading(context, job, error));
    bool progress = true;
    for (int i = 0; i < READ_SLICE && progress && job->place < job->mark; i++)
        TRY(read_event(context, job, i == 0 ? timeout_ms : 0, &progress, error));
    if (job->place < job->mark) return true;
    TRY(save(context, job, true, error));
    FAULT_POINT("decide", "restored");
    acquire_stop_reading(context, job);
    metric_add(METRIC_RESTORES, 1);
    metric_add(METRIC_RESTORED_ROWS, (uint64_t)job->rows);
    log_event(LOG_INFO, "partition.restored", "partition=%d rows=%lld ms=%lld", (int)job->partition,
              (long long)job->rows, (long long)(port_monotonic_ms(context->ports) - job->began_ms));
    if (is_doubtful(context, job) && !MUTANT(YOUNG_FILE))
        acquire_look_again(job);
    else
        job->phase = ACQUIRE_CHECK;
    return true;
}

void acquire_read(struct acquire_context *context, struct acquire_job *job, int timeout_ms)
{
    struct error error = {0};
    if (!read_slice(context, job, timeout_ms, &error)) {
        acquire_stop_reading(context, job);
        acquire_fail(job, &error);
        return;
    }
    if (port_monotonic_ms(context->ports) - job->began_ms > 30000 && job->phase == ACQUIRE_READ)
        log_event_limited(&context->wait_limit, LOG_INFO, "partition.restoring",
                          "partition=%d place=%lld mark=%lld rows=%lld", (int)job->partition,
                          (long long)job->place, (long long)job->mark, (long long)job->rows);
}
