#include "pipeline/kafka_ports.h"
#include "base/check.h"
#include "os/clock.h"

enum { OPEN_TIMEOUT_MS = 10000, WATERMARKS_TIMEOUT_MS = 5000, LOOK_TIMEOUT_MS = 1000 };

/* ---- source ---- */

static void source_poll(void *self, int timeout_ms, struct kafka_event *out)
{
    kafka_consumer_poll(self, timeout_ms, out);
}

static unsigned source_headers(void *self, const struct kafka_record *record,
                               struct kafka_header *out, unsigned max)
{
    (void)self;
    return kafka_record_headers(record, out, max);
}

static void record_done(void *self, struct kafka_record *record)
{
    (void)self;
    kafka_record_done(record);
}

static enum kafka_outcome source_committed(void *self, const int32_t *partitions, size_t count,
                                           int64_t timeout_ms, int64_t *offsets,
                                           struct error *error)
{
    return kafka_consumer_committed(self, partitions, count, timeout_ms, offsets, error);
}

static bool source_start(void *self, int32_t partition, int64_t offset, struct error *error)
{
    return kafka_consumer_start(self, partition, offset, error);
}

static bool source_stop(void *self, int32_t partition, struct error *error)
{
    return kafka_consumer_stop(self, partition, error);
}

static void source_release(void *self)
{
    kafka_consumer_release(self);
}

void kafka_source_port(struct kafka_consumer *consumer, struct source_port *out)
{
    static const struct source_ops OPS = {
        .poll = source_poll,
        .headers = source_headers,
        .record_done = record_done,
        .committed = source_committed,
        .start = source_start,
        .stop = source_stop,
        .release = source_release,
    };
    *out = (struct source_port){.self = consumer, .ops = &OPS};
}

/* ---- sink ---- */

static bool sink_open(void *self, struct error *error)
{
    struct kafka_sink *sink = self;
    CHECK(!sink->producer);
    struct kafka_producer_config config = {
        .kafka = sink->kafka,
        .transactional_id = sink->transactional_id,
        .topics = sink->topics,
        .topic_count = sink->topic_count,
        .transaction_timeout_ms = sink->transaction_timeout_ms,
        .give_up_ms = sink->give_up_ms,
    };
    return kafka_producer_open(&config, OPEN_TIMEOUT_MS, &sink->producer, error);
}

static void sink_close(void *self)
{
    struct kafka_sink *sink = self;
    kafka_producer_close(sink->producer);
    sink->producer = NULL;
}

static enum kafka_step sink_begin(void *self, struct error *error)
{
    struct kafka_sink *sink = self;
    sink->offset_count = 0;
    return kafka_producer_begin(sink->producer, error);
}

static enum kafka_step sink_send(void *self, const struct kafka_message *message,
                                 struct error *error)
{
    return kafka_producer_send(((struct kafka_sink *)self)->producer, message, error);
}

static enum kafka_step sink_send_offsets(void *self, const struct kafka_offset *offsets,
                                         size_t count, struct error *error)
{
    struct kafka_sink *sink = self;
    if (sink->transactional_id)
        return kafka_producer_send_offsets(sink->producer, sink->consumer, offsets, count, error);
    for (size_t i = 0; i < count; i++) {
        sink->partitions[i] = offsets[i].partition;
        sink->offsets[i] = offsets[i].next;
    }
    sink->offset_count = count;
    return KAFKA_STEP_OK;
}

static enum kafka_step sink_commit(void *self, struct error *error)
{
    struct kafka_sink *sink = self;
    enum kafka_step step = kafka_producer_commit(sink->producer, error);
    if (step != KAFKA_STEP_OK || sink->transactional_id) return step;
    bool committed = kafka_consumer_commit(sink->consumer, sink->partitions, sink->offsets,
                                           sink->offset_count, error);
    return committed ? KAFKA_STEP_OK : KAFKA_STEP_ABORT;
}

/* What was sent without a transaction stays sent: only a new producer and a restore know where they
 * are. */
static enum kafka_step sink_abort(void *self, struct error *error)
{
    struct kafka_sink *sink = self;
    if (sink->transactional_id) return kafka_producer_abort(sink->producer, error);
    error_set(error, EXIT_TEMPORARY, "without transactions nothing can be taken back");
    return KAFKA_STEP_DOUBT;
}

static int64_t sink_delivered(void *self, int32_t partition, bool reset)
{
    return kafka_producer_delivered(((struct kafka_sink *)self)->producer, partition, reset);
}

static bool sink_was_fenced(void *self)
{
    return kafka_producer_was_fenced(((struct kafka_sink *)self)->producer);
}

void kafka_sink_port(struct kafka_sink *sink, struct sink_port *out)
{
    static const struct sink_ops OPS = {
        .open = sink_open,
        .close = sink_close,
        .begin = sink_begin,
        .send = sink_send,
        .send_offsets = sink_send_offsets,
        .commit = sink_commit,
        .abort = sink_abort,
        .delivered = sink_delivered,
        .was_fenced = sink_was_fenced,
    };
    *out = (struct sink_port){.self = sink, .ops = &OPS};
}

/* ---- log, reader, clock ---- */

static bool log_watermarks(void *self, const char *topic, int32_t partition, int64_t *low,
                           int64_t *high, struct error *error)
{
    return kafka_admin_watermarks(self, topic, partition, WATERMARKS_TIMEOUT_MS, low, high, error);
}

static bool log_partitions(void *self, const char *topic, int32_t *partitions, struct error *error)
{
    return kafka_admin_look(self, topic, LOOK_TIMEOUT_MS, partitions, error);
}

void kafka_log_port(struct kafka_admin *admin, struct log_port *out)
{
    static const struct log_ops OPS = {.watermarks = log_watermarks, .partitions = log_partitions};
    *out = (struct log_port){.self = admin, .ops = &OPS};
}

static bool admin_cluster(void *self, int64_t timeout_ms, char *cluster, size_t size,
                          struct error *error)
{
    return kafka_admin_cluster(self, timeout_ms, cluster, size, error);
}

static bool admin_partitions(void *self, const char *topic, int32_t *partitions,
                             struct error *error)
{
    return kafka_admin_partitions(self, topic, partitions, error);
}

static bool admin_create(void *self, const struct kafka_topic *topics, size_t count,
                         struct error *error)
{
    return kafka_admin_create(self, topics, count, error);
}

static bool admin_setting(void *self, const char *topic, const char *name, char *value, size_t size,
                          bool *found, struct error *error)
{
    return kafka_admin_setting(self, topic, name, value, size, found, error);
}

void kafka_admin_port(struct kafka_admin *admin, struct admin_port *out)
{
    static const struct admin_ops OPS = {.cluster = admin_cluster,
                                         .partitions = admin_partitions,
                                         .create = admin_create,
                                         .setting = admin_setting};
    *out = (struct admin_port){.self = admin, .ops = &OPS};
}

static bool reader_start(void *self, int32_t partition, int64_t offset, struct error *error)
{
    struct kafka_restore *restore = self;
    return kafka_reader_start(restore->reader, restore->topic, partition, offset, error);
}

static void reader_poll(void *self, int timeout_ms, struct kafka_event *out)
{
    kafka_reader_poll(((struct kafka_restore *)self)->reader, timeout_ms, out);
}

void kafka_reader_port(struct kafka_restore *restore, struct reader_port *out)
{
    static const struct reader_ops OPS = {
        .start = reader_start, .poll = reader_poll, .record_done = record_done};
    *out = (struct reader_port){.self = restore, .ops = &OPS};
}

static int64_t wall_ms(void *self)
{
    (void)self;
    return clock_wall_ms();
}

static int64_t monotonic_ms(void *self)
{
    (void)self;
    return clock_monotonic_ms();
}

void machine_clock_port(struct clock_port *out)
{
    static const struct clock_ops OPS = {.wall_ms = wall_ms, .monotonic_ms = monotonic_ms};
    *out = (struct clock_port){.self = NULL, .ops = &OPS};
}
