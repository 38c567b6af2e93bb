#ifndef KAFKA_FETCH_H
#define KAFKA_FETCH_H
/* Private to the module: a handle that reads partitions by hand into one queue. Consumer and reader
 * both stand on it: the group's handle then does nothing but membership, so that each partition can
 * be started, stopped and rewound by itself under an assignor that gives and takes all at once. One
 * thread. */
#include "kafka/client.h"

struct fetch_topic {
    rd_kafka_topic_t *handle;
    const char *name; /* the handle's */
    /* By partition: the offset that is expected (what is below belongs to an older start), or
     * FETCH_STOPPED. */
    int64_t *next;
};
#define FETCH_STOPPED INT64_C(-1)
enum { FETCH_TOPICS_MAX = 8, FETCH_TAKEN_MAX = 32 };
/* How full librdkafka's queue was and is, in bytes; it tells only the count. */
struct fetch_backlog {
    uint64_t size_max;       /* queued.max.messages.kbytes */
    uint64_t most;           /* at a look, since the last nudge */
    uint64_t average;        /* of a record, moving; times 64 */
    uint64_t taken, records; /* since the last look */
};
struct fetch {
    struct client client;
    rd_kafka_queue_t *queue;
    /* Taken from the queue at one go, not polled yet; oldest at `taken_at`. NULL: of a partition
     * that was stopped since. */
    rd_kafka_message_t *taken[FETCH_TAKEN_MAX];
    size_t taken_at, taken_count;
    struct fetch_topic topics[FETCH_TOPICS_MAX];
    uint32_t topic_count;
    int64_t served_ms; /* when the handle's own callbacks were served last */
    struct fetch_backlog backlog;
};

/* What distinguishes a backlog's reader from a quick look. */
struct fetch_config {
    const struct kafka_config *kafka;
    bool read_committed;
    const char *queue_kbytes; /* bound of what is fetched ahead */
    bool gathers;             /* see kafka_consumer_config */
};
bool fetch_open(struct fetch *fetch, const struct fetch_config *config,
                struct error *error) MUST_USE;
void fetch_close(struct fetch *fetch);
/* Makes the topic known, so that a start need not wait for metadata. */
bool fetch_add_topic(struct fetch *fetch, const char *topic, struct fetch_topic **out,
                     struct error *error) MUST_USE;
bool fetch_start(struct fetch *fetch, const char *topic, int32_t partition, int64_t offset,
                 struct error *error) MUST_USE;
/* True as well where it was not started. */
bool fetch_stop(struct fetch *fetch, const char *topic, int32_t partition,
                struct error *error) MUST_USE;
bool fetch_stop_all(struct fetch *fetch, struct error *error) MUST_USE;
/* True where the next poll has something in hand: it does not wait. */
bool fetch_has_taken(const struct fetch *fetch);
/* NOTHING, RECORD, EOF, OUT_OF_RANGE, TROUBLE, FATAL */
void fetch_poll(struct fetch *fetch, int timeout_ms, struct kafka_event *out);
void event_clear(struct kafka_event *event);
#endif
