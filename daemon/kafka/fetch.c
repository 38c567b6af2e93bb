#include "kafka/fetch.h"
#include "base/check.h"
#include "os/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SERVE_INTERVAL_MS = 100,
    LOOK_EVERY = 64,       /* records between two looks at the backlog */
    RECORD_OVERHEAD = 256, /* what librdkafka needs for a record besides its bytes, about */
    NUDGE_MS = 100,
};

void event_clear(struct kafka_event *event)
{
    memset(event, 0, offsetof(struct kafka_event, text));
    event->text[0] = '\0';
    event->type = KAFKA_NOTHING;
    event->partition = -1;
    event->offset = -1;
}

/* The operator may have set another than ours. */
static void read_size_max(struct fetch *fetch)
{
    char text[32];
    size_t size = sizeof text;
    const rd_kafka_conf_t *conf = rd_kafka_conf(fetch->client.rk);
    CHECK(rd_kafka_conf_get(conf, "queued.max.messages.kbytes", text, &size) == RD_KAFKA_CONF_OK);
    fetch->backlog.size_max = strtoull(text, NULL, 10) * 1024;
}

static bool has_queue_backoff(void)
{
    char text[64];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool has = rd_kafka_conf_set(conf, "fetch.queue.backoff.ms", "10", text, sizeof text) ==
               RD_KAFKA_CONF_OK;
    rd_kafka_conf_destroy(conf);
    return has;
}

bool fetch_open(struct fetch *fetch, const struct fetch_config *config, struct error *error)
{
    memset(fetch, 0, sizeof *fetch);
    /* A large queued.min.messages, since a full partition is looked at again only once a second.
     * The bound is kbytes; it counts all partitions, since they share a queue. It is overshot by
     * one answer, decompressed: text that repeats itself is a hundred times what was fetched.
     * Hence the small answers; a batch that is larger comes alone. */
    const struct client_setting settings[] = {
        {"queued.min.messages", "100000", false},
        {"queued.max.messages.kbytes", config->queue_kbytes, false},
        {"message.max.bytes", "1000",
         true}, /* limits nothing here, but fetch.max.bytes must not be less */
        {"fetch.message.max.bytes", "32768", false},
        {"fetch.max.bytes", "65536", false},
        {"fetch.wait.max.ms", config->gathers ? "20" : "100", false},
        {"fetch.min.bytes", config->gathers ? "16384" : "1", false},
        {"fetch.error.backoff.ms", "100", false},
        {"isolation.level", config->read_committed ? "read_committed" : "read_uncommitted", true},
        {"auto.offset.reset", "error", true},
        {"enable.partition.eof", "true", true},
        {"enable.auto.commit", "false", true},
        {"enable.auto.offset.store", "false", true},
        {"allow.auto.create.topics", "false", true},
        {"fetch.queue.backoff.ms", "10", false}, /* last: 2.0.2 has no such property */
    };
    rd_kafka_conf_t *conf = client_conf(
        config->kafka, settings, sizeof settings / sizeof *settings - !has_queue_backoff(), error);
    if (!conf) return false;
    TRY(client_open(&fetch->client, RD_KAFKA_CONSUMER, config->kafka, conf, error));
    fetch->queue = rd_kafka_queue_new(fetch->client.rk);
    CHECK(fetch->queue);
    read_size_max(fetch);
    return true;
}

bool fetch_has_taken(const struct fetch *fetch)
{
    return fetch->taken_at < fetch->taken_count;
}

/* NULL: it was dropped. */
static rd_kafka_message_t *next_taken(struct fetch *fetch)
{
    return fetch->taken[fetch->taken_at++];
}

/* librdkafka drops what it fetched for an older start by itself, but not what is in our hands: a
 * record of it may lie ahead of the new offset and would be taken for the next one. */
static void drop_taken(struct fetch *fetch, const struct fetch_topic *topic, int32_t partition)
{
    for (size_t i = fetch->taken_at; i < fetch->taken_count; i++) {
        rd_kafka_message_t *message = fetch->taken[i];
        if (!message || !message->rkt || message->partition != partition ||
            strcmp(rd_kafka_topic_name(message->rkt), topic->name) != 0)
            continue;
        rd_kafka_message_destroy(message);
        fetch->taken[i] = NULL;
    }
}

void fetch_close(struct fetch *fetch)
{
    struct error ignored; /* the handle goes away with whatever could not be stopped */
    (void)!fetch_stop_all(fetch, &ignored);
    while (fetch_has_taken(fetch)) {
        rd_kafka_message_t *message = next_taken(fetch);
        if (message) rd_kafka_message_destroy(message);
    }
    rd_kafka_queue_destroy(fetch->queue);
    for (uint32_t i = 0; i < fetch->topic_count; i++) {
        rd_kafka_topic_destroy(fetch->topics[i].handle);
        free(fetch->topics[i].next);
    }
    client_close(&fetch->client, 0);
}

static struct fetch_topic *find_topic(struct fetch *fetch, const char *name)
{
    for (uint32_t i = 0; i < fetch->topic_count; i++)
        if (strcmp(fetch->topics[i].name, name) == 0) return &fetch->topics[i];
    return NULL;
}

bool fetch_add_topic(struct fetch *fetch, const char *topic, struct fetch_topic **out,
                     struct error *error)
{
    *out = find_topic(fetch, topic);
    if (*out) return true;
    if (fetch->topic_count == FETCH_TOPICS_MAX)
        return error_set(error, EXIT_INTERNAL, "one handle reads at most %d topics",
                         FETCH_TOPICS_MAX);
    rd_kafka_topic_t *handle = rd_kafka_topic_new(fetch->client.rk, topic, NULL);
    if (!handle)
        return error_set(error, EXIT_CONFIG, "%s is no name of a topic: %s", topic,
                         rd_kafka_err2str(rd_kafka_last_error()));
    int64_t *next = malloc(KAFKA_PARTITIONS_MAX * sizeof *next);
    CHECK(next);
    for (int32_t i = 0; i < KAFKA_PARTITIONS_MAX; i++) next[i] = FETCH_STOPPED;
    *out = &fetch->topics[fetch->topic_count++];
    **out = (struct fetch_topic){handle, rd_kafka_topic_name(handle), next};
    return true;
}

/* librdkafka versions every start and stop: what was fetched before is dropped when the queue is
 * polled. */
static bool stop_one(struct fetch *fetch, struct fetch_topic *topic, int32_t partition,
                     struct error *error)
{
    topic->next[partition] = FETCH_STOPPED;
    drop_taken(fetch, topic, partition);
    if (rd_kafka_consume_stop(topic->handle, partition) == 0) return true;
    return error_set(error, EXIT_INTERNAL, "partition %d of %s cannot be stopped: %s",
                     (int)partition, topic->name, rd_kafka_err2str(rd_kafka_last_error()));
}

bool fetch_start(struct fetch *fetch, const char *name, int32_t partition, int64_t offset,
                 struct error *error)
{
    struct fetch_topic *topic;
    TRY(fetch_add_topic(fetch, name, &topic, error));
    if (partition < 0 || partition >= KAFKA_PARTITIONS_MAX)
        return error_set(error, EXIT_CONFIG, "partition %d of %s: only 0 to %d can be read",
                         (int)partition, name, KAFKA_PARTITIONS_MAX - 1);
    bool first = offset == KAFKA_FROM_START;
    if (offset < 0 && !first)
        return error_set(error, EXIT_INTERNAL, "partition %d of %s has no offset %lld",
                         (int)partition, name, (long long)offset);
    if (topic->next[partition] != FETCH_STOPPED) TRY(stop_one(fetch, topic, partition, error));
    if (rd_kafka_consume_start_queue(topic->handle, partition,
                                     first ? RD_KAFKA_OFFSET_BEGINNING : offset, fetch->queue))
        return error_set(error, EXIT_INTERNAL, "partition %d of %s cannot be read: %s",
                         (int)partition, name, rd_kafka_err2str(rd_kafka_last_error()));
    topic->next[partition] = first ? 0 : offset;
    return true;
}

bool fetch_stop(struct fetch *fetch, const char *name, int32_t partition, struct error *error)
{
    struct fetch_topic *topic = find_topic(fetch, name);
    bool started = topic && partition >= 0 && partition < KAFKA_PARTITIONS_MAX &&
                   topic->next[partition] != FETCH_STOPPED;
    return !started || stop_one(fetch, topic, partition, error);
}

bool fetch_stop_all(struct fetch *fetch, struct error *error)
{
    bool all = true;
    for (uint32_t i = 0; i < fetch->topic_count; i++)
        for (int32_t p = 0; p < KAFKA_PARTITIONS_MAX; p++)
            if (fetch->topics[i].next[p] != FETCH_STOPPED)
                all = stop_one(fetch, &fetch->topics[i], p, error) && all;
    return all;
}

static void take_record(rd_kafka_message_t *message, const char *topic, struct kafka_event *out)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    out->type = KAFKA_RECORD;
    out->record = (struct kafka_record){
        .topic = topic,
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp_ms,
        .key = span_of(message->key, message->key ? message->key_len : 0),
        .value = span_of(message->payload, message->payload ? message->len : 0),
        .has_key = message->key != NULL,
        .has_value = message->payload != NULL,
        .handle = message,
    };
}

static void take_trouble(struct fetch_topic *topic, const rd_kafka_message_t *message,
                         struct kafka_event *out)
{
    bool stale = topic && message->offset >= 0 && message->offset < topic->next[message->partition];
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && topic) {
        out->type = KAFKA_EOF;
    } else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && topic) {
        if (!stale) out->type = KAFKA_OUT_OF_RANGE; /* else it speaks of an earlier start */
    } else {
        out->type = KAFKA_TROUBLE;
        snprintf(out->text, sizeof out->text, "%s", rd_kafka_message_errstr(message));
    }
}

/* Fills *out; true where the message itself is handed on. */
static bool take_message(struct fetch *fetch, rd_kafka_message_t *message, struct kafka_event *out)
{
    struct fetch_topic *topic =
        message->rkt ? find_topic(fetch, rd_kafka_topic_name(message->rkt)) : NULL;
    int32_t partition = message->partition;
    if (topic && (partition < 0 || partition >= KAFKA_PARTITIONS_MAX)) topic = NULL;
    if (topic && topic->next[partition] == FETCH_STOPPED) return false; /* meanwhile */
    out->partition = partition;
    out->offset = message->offset;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        take_trouble(topic, message, out);
        return false;
    }
    if (!topic || message->offset < topic->next[partition]) return false;
    topic->next[partition] = message->offset + 1;
    take_record(message, topic->name, out);
    return true;
}

/* Log and error callbacks arrive on the handle's main queue, not on ours. */
static void serve(struct fetch *fetch, struct kafka_event *out)
{
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - fetch->served_ms < SERVE_INTERVAL_MS) return;
    fetch->served_ms = now_ms;
    rd_kafka_poll(fetch->client.rk, 0);
    if (client_fatal(&fetch->client, out->text, sizeof out->text))
        out->type = KAFKA_FATAL;
    else if (client_take_trouble(&fetch->client, out->text, sizeof out->text))
        out->type = KAFKA_TROUBLE;
}

/* Once its queue is full, librdkafka looks at it again only when something else wakes the thread
 * that fetches, or after a second: a quick consumer would find it empty by then and wait. A
 * question to the broker wakes it. */
static void nudge(struct fetch *fetch, const struct kafka_record *record)
{
    int64_t low, high;
    (void)rd_kafka_query_watermark_offsets(fetch->client.rk, record->topic, record->partition, &low,
                                           &high, NUDGE_MS);
}

static void look_after_backlog(struct fetch *fetch, const struct kafka_record *record)
{
    struct fetch_backlog *backlog = &fetch->backlog;
    uint64_t bytes = record->key.len + record->value.len + RECORD_OVERHEAD;
    backlog->average =
        backlog->average ? backlog->average + bytes - backlog->average / 64 : bytes * 64;
    backlog->taken += bytes;
    if (++backlog->records < LOOK_EVERY && backlog->taken < backlog->size_max / 16) return;
    backlog->records = 0;
    backlog->taken = 0;
    uint64_t queued = rd_kafka_queue_length(fetch->queue) * (backlog->average / 64);
    if (queued > backlog->most) backlog->most = queued;
    bool was_full = backlog->most >= backlog->size_max / 4 * 3;
    if (!was_full || queued >= backlog->size_max / 2) return;
    backlog->most = 0;
    nudge(fetch, record);
}

/* Takes all that is there, at most FETCH_TAKEN_MAX; waits only where there is nothing: librdkafka
 * would wait until it has them all. */
static void take_messages(struct fetch *fetch, int timeout_ms)
{
    ssize_t count = rd_kafka_consume_batch_queue(fetch->queue, 0, fetch->taken, FETCH_TAKEN_MAX);
    fetch->taken_at = 0;
    fetch->taken_count = count > 0 ? (size_t)count : 0;
    if (count > 0 || timeout_ms <= 0) return;
    fetch->taken[0] = rd_kafka_consume_queue(fetch->queue, timeout_ms);
    fetch->taken_count = fetch->taken[0] ? 1 : 0;
}

void fetch_poll(struct fetch *fetch, int timeout_ms, struct kafka_event *out)
{
    event_clear(out);
    if (!fetch_has_taken(fetch)) {
        serve(fetch, out);
        if (out->type != KAFKA_NOTHING) return;
        take_messages(fetch, timeout_ms);
    }
    while (fetch_has_taken(fetch) && out->type == KAFKA_NOTHING) {
        rd_kafka_message_t *message = next_taken(fetch);
        if (message && !take_message(fetch, message, out)) rd_kafka_message_destroy(message);
    }
    if (out->type == KAFKA_RECORD) look_after_backlog(fetch, &out->record);
}
