/* A member of a group. Two handles: one holds the membership and is told "I took it" with an empty
 * assignment, the other (kafka/fetch.h) reads the partitions that the caller started. librdkafka
 * would begin to fetch at once otherwise, and could take single partitions out of the way only by
 * pausing them. */
#include "kafka/consumer.h"
#include "base/check.h"
#include "kafka/fetch.h"
#include "os/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GROUP_INTERVAL_MS = 10, /* how often the membership is looked after while records flow */
    SLICE_MS = 25,          /* and while none do */
    CLOSE_WAIT_MS = 5000,
    PENDING_MAX = 8,
};

/* What the rebalance callback leaves for the next poll. */
struct rebalance {
    enum kafka_event_type type;
    int32_t *partitions;
    size_t count;
};

struct kafka_consumer {
    struct client group;
    struct fetch fetch;
    char *topic;
    rd_kafka_consumer_group_metadata_t *metadata;
    bool assigned[KAFKA_PARTITIONS_MAX];
    struct rebalance pending[PENDING_MAX]; /* oldest first */
    size_t pending_count;
    struct rebalance
        current; /* whose partitions the last event points to; awaits release where REVOKED, LOST */
    bool cooperative, closing;
    int64_t group_served_ms;
};

static void acknowledge(struct kafka_consumer *consumer, rd_kafka_resp_err_t what)
{
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(1);
    rd_kafka_t *rk = consumer->group.rk;
    rd_kafka_error_t *error = NULL;
    if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && consumer->cooperative)
        error = rd_kafka_incremental_assign(rk, none);
    else if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        rd_kafka_assign(rk, none);
    else if (consumer->cooperative)
        error = rd_kafka_incremental_unassign(rk, none);
    else
        rd_kafka_assign(rk, NULL);
    if (error) rd_kafka_error_destroy(error); /* librdkafka logs it; the group rejoins */
    rd_kafka_topic_partition_list_destroy(none);
}

static void drop_metadata(struct kafka_consumer *consumer)
{
    if (consumer->metadata) rd_kafka_consumer_group_metadata_destroy(consumer->metadata);
    consumer->metadata = NULL;
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t what,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka_consumer *consumer =
        opaque; /* its first member is the client, the handle's opaque */
    bool gains = what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    const char *protocol = rd_kafka_rebalance_protocol(rk); /* NULL: it is closing (2.16) */
    if (protocol) consumer->cooperative = strcmp(protocol, "COOPERATIVE") == 0;
    if ((gains || consumer->cooperative) && !consumer->closing) {
        /* Taken here, of this very generation: metadata asked for later may be of the next one. An
         * eager assignor revokes within the old generation; a cooperative one begins the new and
         * hands over in the next. */
        drop_metadata(consumer);
        consumer->metadata = rd_kafka_consumer_group_metadata(rk);
    }
    if (gains || consumer->closing || list->cnt == 0) acknowledge(consumer, what);
    if (consumer->closing || list->cnt == 0) return;
    CHECK(consumer->pending_count < PENDING_MAX);
    struct rebalance *next = &consumer->pending[consumer->pending_count++];
    next->type = gains ? KAFKA_ASSIGNED : rd_kafka_assignment_lost(rk) ? KAFKA_LOST : KAFKA_REVOKED;
    next->count = (size_t)list->cnt;
    next->partitions = malloc(next->count * sizeof *next->partitions);
    CHECK(next->partitions);
    for (size_t i = 0; i < next->count; i++) next->partitions[i] = list->elems[i].partition;
}

static bool open_group(struct kafka_consumer *consumer, const struct kafka_consumer_config *config,
                       struct error *error)
{
    /* Before 2.10 cooperative-sticky aborts in its assignor and can lose an assignment to a commit.
     */
    bool sticky = rd_kafka_version() >= 0x020a0000;
    const struct client_setting settings[] = {
        {"session.timeout.ms", "10000", false},
        {"heartbeat.interval.ms", "1000", false},
        {"group.id", config->group, true},
        {"partition.assignment.strategy", sticky ? "cooperative-sticky" : "range", true},
        /* Makes committed() wait for stable offsets: the barrier. */
        {"isolation.level", config->read_committed ? "read_committed" : "read_uncommitted", true},
        {"enable.auto.commit", "false", true},
        {"enable.auto.offset.store", "false", true},
        {"auto.offset.reset", "error", true},
        {"allow.auto.create.topics", "false", true},
    };
    rd_kafka_conf_t *conf =
        client_conf(config->kafka, settings, sizeof settings / sizeof *settings, error);
    if (!conf) return false;
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    TRY(client_open(&consumer->group, RD_KAFKA_CONSUMER, config->kafka, conf, error));
    rd_kafka_poll_set_consumer(consumer->group.rk);
    return true;
}

static bool join_group(struct kafka_consumer *consumer, struct error *error)
{
    struct fetch_topic *known; /* now, so that a start need not wait for its metadata */
    TRY(fetch_add_topic(&consumer->fetch, consumer->topic, &known, error));
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, consumer->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(consumer->group.rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    return error_set(error, client_exit_code(code), "topic %s cannot be subscribed to: %s",
                     consumer->topic, rd_kafka_err2str(code));
}

bool kafka_consumer_open(const struct kafka_consumer_config *config, struct kafka_consumer **out,
                         struct error *error)
{
    *out = NULL;
    struct kafka_consumer *consumer = calloc(1, sizeof *consumer);
    CHECK(consumer);
    consumer->topic = strdup(config->topic);
    CHECK(consumer->topic);
    const struct fetch_config fetch = {config->kafka, config->read_committed, "24576",
                                       config->gathers};
    if (!fetch_open(&consumer->fetch, &fetch, error)) {
        free(consumer->topic);
        free(consumer);
        return false;
    }
    if (!open_group(consumer, config, error)) {
        fetch_close(&consumer->fetch);
        free(consumer->topic);
        free(consumer);
        return false;
    }
    if (!join_group(consumer, error)) {
        kafka_consumer_close(consumer);
        return false;
    }
    *out = consumer;
    return true;
}

/* A broker that does not answer must not hold up an end for ever; then the group finds out by the
 * session's time-out. */
static void leave_group(struct kafka_consumer *consumer)
{
    rd_kafka_t *rk = consumer->group.rk;
    bool awaited = consumer->current.type == KAFKA_REVOKED || consumer->current.type == KAFKA_LOST;
    for (size_t i = 0; i < consumer->pending_count; i++)
        awaited |= consumer->pending[i].type != KAFKA_ASSIGNED;
    consumer->closing = true;
    if (awaited) acknowledge(consumer, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(rk, queue);
    int64_t end_ms = clock_monotonic_ms() + CLOSE_WAIT_MS;
    while (!error && !rd_kafka_consumer_closed(rk) && clock_monotonic_ms() < end_ms)
        rd_kafka_queue_poll_callback(queue, 50);
    if (error) rd_kafka_error_destroy(error);
    rd_kafka_queue_destroy(queue);
}

void kafka_consumer_close(struct kafka_consumer *consumer)
{
    if (!consumer) return;
    leave_group(consumer);
    drop_metadata(consumer);
    fetch_close(&consumer->fetch);
    client_close(&consumer->group, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    for (size_t i = 0; i < consumer->pending_count; i++) free(consumer->pending[i].partitions);
    free(consumer->current.partitions);
    free(consumer->topic);
    free(consumer);
}

static bool awaits_release(const struct kafka_consumer *consumer)
{
    return consumer->current.type == KAFKA_REVOKED || consumer->current.type == KAFKA_LOST;
}

static void give_event(struct kafka_consumer *consumer, struct kafka_event *out)
{
    free(consumer->current.partitions);
    consumer->current = consumer->pending[0];
    consumer->pending_count--;
    memmove(consumer->pending, consumer->pending + 1,
            consumer->pending_count * sizeof *consumer->pending);
    const struct rebalance *now = &consumer->current;
    out->type = now->type;
    out->partitions = now->partitions;
    out->partition_count = now->count;
    for (size_t i = 0; i < now->count; i++) {
        int32_t partition = now->partitions[i];
        if (partition >= KAFKA_PARTITIONS_MAX) {
            out->type = KAFKA_FATAL;
            snprintf(out->text, sizeof out->text, "topic %s has more than %d partitions",
                     consumer->topic, KAFKA_PARTITIONS_MAX);
            return;
        }
        consumer->assigned[partition] = now->type == KAFKA_ASSIGNED;
        struct error error;
        if (now->type != KAFKA_ASSIGNED &&
            !fetch_stop(&consumer->fetch, consumer->topic, partition, &error)) {
            out->type = KAFKA_FATAL;
            snprintf(out->text, sizeof out->text, "%.*s", (int)sizeof out->text - 1, error.text);
        }
    }
    if (now->type == KAFKA_LOST) drop_metadata(consumer);
}

/* What the group's handle says itself: it has no partitions, so everything is an error. */
static void take_group_message(const rd_kafka_message_t *message, struct kafka_event *out)
{
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
        message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        return;
    out->type = KAFKA_TROUBLE;
    snprintf(out->text, sizeof out->text, "%s", rd_kafka_message_errstr(message));
}

/* True where *out is filled. */
static bool serve_group(struct kafka_consumer *consumer, struct kafka_event *out)
{
    int64_t now_ms = clock_monotonic_ms();
    if (consumer->pending_count == 0 && now_ms - consumer->group_served_ms >= GROUP_INTERVAL_MS) {
        consumer->group_served_ms = now_ms;
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->group.rk, 0);
        if (message) {
            take_group_message(message, out);
            rd_kafka_message_destroy(message);
        }
        if (client_fatal(&consumer->group, out->text, sizeof out->text))
            out->type = KAFKA_FATAL;
        else if (out->type == KAFKA_NOTHING &&
                 client_take_trouble(&consumer->group, out->text, sizeof out->text))
            out->type = KAFKA_TROUBLE;
        if (out->type != KAFKA_NOTHING) return true;
    }
    if (consumer->pending_count == 0 || awaits_release(consumer)) return false;
    give_event(consumer, out);
    return true;
}

void kafka_consumer_poll(struct kafka_consumer *consumer, int timeout_ms, struct kafka_event *out)
{
    int64_t now_ms = clock_monotonic_ms();
    if (fetch_has_taken(&consumer->fetch) &&
        now_ms - consumer->group_served_ms < GROUP_INTERVAL_MS) {
        fetch_poll(&consumer->fetch, 0, out);
        if (out->type != KAFKA_NOTHING) return;
    }
    int64_t end_ms = now_ms + timeout_ms;
    for (;;) {
        event_clear(out);
        if (serve_group(consumer, out)) return;
        int64_t left = end_ms - clock_monotonic_ms();
        int slice = left <= 0 ? 0 : left < SLICE_MS ? (int)left : SLICE_MS;
        fetch_poll(&consumer->fetch, slice, out);
        if (out->type != KAFKA_NOTHING || left <= 0) return;
    }
}

enum kafka_outcome kafka_consumer_committed(struct kafka_consumer *consumer,
                                            const int32_t *partitions, size_t count,
                                            int64_t timeout_ms, int64_t *offsets,
                                            struct error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, consumer->topic, partitions[i]);
    rd_kafka_resp_err_t code = rd_kafka_committed(consumer->group.rk, list, (int)timeout_ms);
    for (size_t i = 0; i < count && !code; i++) {
        code = list->elems[i].err; /* a partition's error leaves the call's at none */
        offsets[i] = list->elems[i].offset < 0 ? -1 : list->elems[i].offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return KAFKA_OK;
    error_set(error, client_exit_code(code), "the committed offsets of %s cannot be read: %s",
              consumer->topic, rd_kafka_err2str(code));
    return client_is_passing(code) ? KAFKA_TRY_AGAIN : KAFKA_FAILED;
}

bool kafka_consumer_start(struct kafka_consumer *consumer, int32_t partition, int64_t offset,
                          struct error *error)
{
    if (partition < 0 || partition >= KAFKA_PARTITIONS_MAX || !consumer->assigned[partition])
        return error_set(error, EXIT_INTERNAL, "partition %d of %s is not assigned to this process",
                         (int)partition, consumer->topic);
    return fetch_start(&consumer->fetch, consumer->topic, partition, offset, error);
}

bool kafka_consumer_stop(struct kafka_consumer *consumer, int32_t partition, struct error *error)
{
    return fetch_stop(&consumer->fetch, consumer->topic, partition, error);
}

void kafka_consumer_release(struct kafka_consumer *consumer)
{
    if (!awaits_release(consumer)) return;
    /* Under an eager assignor nothing is left; a cooperative one keeps its generation until the
     * next callback. */
    if (!consumer->cooperative) drop_metadata(consumer);
    consumer->current.type = KAFKA_NOTHING;
    acknowledge(consumer, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS);
}

bool kafka_consumer_commit(struct kafka_consumer *consumer, const int32_t *partitions,
                           const int64_t *offsets, size_t count, struct error *error)
{
    if (count == 0) return true;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, consumer->topic, partitions[i])->offset =
            offsets[i];
    rd_kafka_resp_err_t code = rd_kafka_commit(consumer->group.rk, list, 0);
    for (size_t i = 0; i < count && !code; i++) code = list->elems[i].err;
    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    return error_set(error, client_exit_code(code), "the offsets of %s cannot be committed: %s",
                     consumer->topic, rd_kafka_err2str(code));
}

const rd_kafka_consumer_group_metadata_t *consumer_metadata(const struct kafka_consumer *consumer)
{
    return consumer->metadata;
}

const char *consumer_topic(const struct kafka_consumer *consumer)
{
    return consumer->topic;
}
