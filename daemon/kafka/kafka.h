#ifndef KAFKA_KAFKA_H
#define KAFKA_KAFKA_H
/* librdkafka, and the only place that includes it. Every wait has a time-out; every failure is a
 * sentence. What the pipeline needs of a log is behind pipeline/ports.h; kafka/ports of it are made
 * in pipeline/kafka_*.c from these. A handle belongs to one thread unless said otherwise. */
#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { KAFKA_PROPERTIES_MAX = 64, KAFKA_HEADERS_MAX = 32, KAFKA_PARTITIONS_MAX = 1024 };

struct kafka_property {
    const char *name, *value;
};
/* What all handles share: [kafka] of the configuration, passed on as it is. */
struct kafka_config {
    const struct kafka_property *properties;
    size_t property_count;
    const char *client_id;
};
/* Says whether librdkafka knows the property and takes the value; the error names the nearest valid
 * name. */
bool kafka_property_check(const char *name, const char *value, struct error *error) MUST_USE;
const char *kafka_library_version(void);

struct kafka_header {
    const char *name; /* NUL-terminated */
    struct span value;
};
struct kafka_record { /* spans are valid until kafka_record_done */
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* -1: none */
    struct span key, value;
    bool has_key, has_value; /* false: null */
    void *handle;
};
/* At most `max` headers into out, those of the record's own memory; returns how many. */
unsigned kafka_record_headers(const struct kafka_record *record, struct kafka_header *out,
                              unsigned max);
void kafka_record_done(struct kafka_record *record);

/* ---- admin: topics ---- */
struct kafka_topic {
    const char *name;
    int32_t partitions;
    int32_t replication;
    const struct kafka_property *settings;
    size_t setting_count;
};
struct kafka_admin;
bool kafka_admin_open(const struct kafka_config *config, struct kafka_admin **out,
                      struct error *error) MUST_USE;
void kafka_admin_close(struct kafka_admin *admin);
/* Waits up to timeout_ms for a broker; EXIT_UNAVAILABLE names the servers. cluster: at least 64
 * bytes. */
bool kafka_admin_cluster(struct kafka_admin *admin, int64_t timeout_ms, char *cluster, size_t size,
                         struct error *error) MUST_USE;
/* 0 in *partitions: the topic does not exist. */
bool kafka_admin_partitions(struct kafka_admin *admin, const char *topic, int32_t *partitions,
                            struct error *error) MUST_USE;
/* The same in one try of at most timeout_ms, beside other threads. */
bool kafka_admin_look(struct kafka_admin *admin, const char *topic, int timeout_ms,
                      int32_t *partitions, struct error *error) MUST_USE;
bool kafka_admin_create(struct kafka_admin *admin, const struct kafka_topic *topics, size_t count,
                        struct error *error) MUST_USE;
/* A setting of a topic ("delete.retention.ms"); false in *found where it cannot be known (mock
 * broker). */
bool kafka_admin_setting(struct kafka_admin *admin, const char *topic, const char *name,
                         char *value, size_t size, bool *found, struct error *error) MUST_USE;
/* [low, high) as a read_uncommitted reader sees it: never stops at an open transaction.
 * Thread-safe. */
bool kafka_admin_watermarks(struct kafka_admin *admin, const char *topic, int32_t partition,
                            int64_t timeout_ms, int64_t *low, int64_t *high,
                            struct error *error) MUST_USE;

/* ---- consumer of a group ---- */
enum kafka_event_type {
    KAFKA_NOTHING, /* time-out */
    KAFKA_RECORD,
    KAFKA_EOF,      /* partition, offset: the end, control markers included */
    KAFKA_ASSIGNED, /* partitions: new ones; nothing is fetched from one before kafka_consumer_start
                     */
    KAFKA_REVOKED,  /* partitions: settle them, then kafka_consumer_release */
    KAFKA_LOST,     /* likewise, but they belong to another already: do not commit */
    KAFKA_OUT_OF_RANGE, /* partition, offset: the position is not in the log
                           (auto.offset.reset=error) */
    KAFKA_TROUBLE,      /* text: passing trouble, logged (rate-limited) by the caller */
    KAFKA_FATAL,        /* text: the handle is of no more use */
};
struct kafka_event {
    enum kafka_event_type type;
    struct kafka_record record;
    int32_t partition;
    int64_t offset;
    const int32_t *partitions; /* valid until the next poll */
    size_t partition_count;
    char text[256];
};
struct kafka_consumer_config {
    const struct kafka_config *kafka;
    const char *group, *topic;
    bool read_committed;
    /* The broker gathers up to 16 KiB for up to 20 ms before it answers: for a topic that others
     * write record by record, where each record would be an answer of its own. */
    bool gathers;
};
struct kafka_consumer;
bool kafka_consumer_open(const struct kafka_consumer_config *config, struct kafka_consumer **out,
                         struct error *error) MUST_USE;
/* Leaves the group (waits at most 5 s) and closes. What is assigned must be settled before. */
void kafka_consumer_close(struct kafka_consumer *consumer);
void kafka_consumer_poll(struct kafka_consumer *consumer, int timeout_ms, struct kafka_event *out);
/* The committed offset of each partition, waiting for stable offsets: the barrier. One try of
 * timeout_ms; KAFKA_TRY_AGAIN where the broker could not answer yet. -1: none committed.
 * Thread-safe beside poll. */
enum kafka_outcome { KAFKA_OK, KAFKA_TRY_AGAIN, KAFKA_FAILED };
enum kafka_outcome kafka_consumer_committed(struct kafka_consumer *consumer,
                                            const int32_t *partitions, size_t count,
                                            int64_t timeout_ms, int64_t *offsets,
                                            struct error *error);
/* Begins (or begins again) to fetch an assigned partition at `offset`. */
bool kafka_consumer_start(struct kafka_consumer *consumer, int32_t partition, int64_t offset,
                          struct error *error) MUST_USE;
bool kafka_consumer_stop(struct kafka_consumer *consumer, int32_t partition,
                         struct error *error) MUST_USE; /* no more fetching */
/* Answers REVOKED or LOST: gives the partitions up. */
void kafka_consumer_release(struct kafka_consumer *consumer);
/* At-least-once mode only: commits group offsets. */
bool kafka_consumer_commit(struct kafka_consumer *consumer, const int32_t *partitions,
                           const int64_t *offsets, size_t count, struct error *error) MUST_USE;

/* ---- producer: transactional, or idempotent where transactional_id is NULL ---- */
struct kafka_offset {
    int32_t partition;
    int64_t next;
};
struct kafka_producer_config {
    const struct kafka_config *kafka;
    const char *transactional_id; /* NULL: at-least-once */
    const char *const *topics;    /* that it writes to: their metadata is fetched at the start */
    size_t topic_count;
    int64_t transaction_timeout_ms; /* 0: 15 s; without an id it bounds a delivery */
    /* From this moment (monotonic) on no call waits any longer than a second for the broker: what
     * is not settled then fails as it would at its own time-out. NULL: never. Any thread may set it
     * at any time, also in the middle of a call. Outlives the producer. */
    const _Atomic(int64_t) *give_up_ms;
};
struct kafka_producer;
/* With an id: waits in init_transactions (at most timeout_ms), which settles what a predecessor
 * left open. */
bool kafka_producer_open(const struct kafka_producer_config *config, int64_t timeout_ms,
                         struct kafka_producer **out, struct error *error) MUST_USE;
void kafka_producer_close(
    struct kafka_producer *producer); /* without flush: what was not committed is gone */

struct kafka_message {
    const char *topic; /* one of config.topics */
    int32_t partition;
    struct span key, value;
    bool has_key, has_value;
    const struct kafka_header *headers;
    size_t header_count;
    int64_t timestamp_ms; /* 0: now */
    bool track;           /* its delivered offset counts for kafka_producer_delivered */
};
/* What became of a step. ABORT: abort the transaction, rewind, go on with this producer. DOUBT:
 * roll back, close this producer, open one with the same id, restore. */
enum kafka_step { KAFKA_STEP_OK, KAFKA_STEP_ABORT, KAFKA_STEP_DOUBT };
enum kafka_step kafka_producer_begin(struct kafka_producer *producer, struct error *error);
/* The bytes are copied. Blocks while the queue is full. */
enum kafka_step kafka_producer_send(struct kafka_producer *producer,
                                    const struct kafka_message *message, struct error *error);
/* With the group metadata taken when the assignment in force began (the consumer keeps it). */
enum kafka_step kafka_producer_send_offsets(struct kafka_producer *producer,
                                            struct kafka_consumer *consumer,
                                            const struct kafka_offset *offsets, size_t count,
                                            struct error *error);
enum kafka_step kafka_producer_commit(struct kafka_producer *producer, struct error *error);
enum kafka_step kafka_producer_abort(struct kafka_producer *producer,
                                     struct error *error); /* OK or DOUBT */
/* At-least-once: waits until all is delivered. */
enum kafka_step kafka_producer_flush(struct kafka_producer *producer, int64_t timeout_ms,
                                     struct error *error);
/* The highest delivered offset of tracked messages for `partition` since the last call with reset;
 * -1: none. */
int64_t kafka_producer_delivered(struct kafka_producer *producer, int32_t partition, bool reset);
bool kafka_producer_was_fenced(
    const struct kafka_producer *producer); /* by another holder of the id */

/* ---- reader: partitions by hand, no group (restore, lookup, dead list, demo) ---- */
struct kafka_reader;
bool kafka_reader_open(const struct kafka_config *kafka, bool read_committed,
                       struct kafka_reader **out, struct error *error) MUST_USE;
void kafka_reader_close(struct kafka_reader *reader);
/* From now on that one partition, from offset (KAFKA_FROM_START: the first there is). */
#define KAFKA_FROM_START INT64_C(-2)
bool kafka_reader_start(struct kafka_reader *reader, const char *topic, int32_t partition,
                        int64_t offset, struct error *error) MUST_USE;
/* Several partitions of one topic at once, each from the same kind of offset. */
bool kafka_reader_start_all(struct kafka_reader *reader, const char *topic, int32_t partitions,
                            int64_t offset, struct error *error) MUST_USE;
void kafka_reader_poll(
    struct kafka_reader *reader, int timeout_ms,
    struct kafka_event *out); /* NOTHING, RECORD, EOF, OUT_OF_RANGE, TROUBLE, FATAL */

/* ---- mock cluster inside librdkafka: demo and tests ---- */
struct kafka_mock;
bool kafka_mock_open(struct kafka_mock **out, struct error *error) MUST_USE;
const char *kafka_mock_servers(const struct kafka_mock *mock);
bool kafka_mock_topic(struct kafka_mock *mock, const char *topic, int32_t partitions,
                      struct error *error) MUST_USE;
void kafka_mock_close(struct kafka_mock *mock);
#endif
