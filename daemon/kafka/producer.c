/* Transactional and idempotent producers. librdkafka's three flags (fatal, abort, retriable) become
 * three steps; an error with no flag at all is doubt, as is whatever cannot be repeated until it
 * succeeds. */
#include "base/check.h"
#include "kafka/client.h"
#include "kafka/consumer.h"
#include "os/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Waits are cut into slices, between which it is asked whether to give up. */
enum { POLL_EVERY = 128, WARM_TIMEOUT_MS = 10000, TRANSACTION_DEFAULT_MS = 15000, SLICE_MS = 500 };

struct producer_topic {
    rd_kafka_topic_t *handle; /* kept for life: it keeps the metadata warm */
    const char *name;
};

struct kafka_producer {
    struct client client;
    struct producer_topic *topics;
    size_t topic_count;
    int64_t transaction_timeout_ms;
    const _Atomic(int64_t) *give_up_ms;
    bool transactional, open, fenced;
    int64_t begun_ms;
    uint64_t sent, failed; /* failed: since the last flush or abort, told by delivery reports */
    char failure[256];
    int64_t delivered[KAFKA_PARTITIONS_MAX];
};

struct producer_wait {
    int64_t end_ms;
    const _Atomic(int64_t) *give_up_ms;
};

static char tracked; /* its address marks a message */

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    struct kafka_producer *producer =
        opaque; /* its first member is the client, the handle's opaque */
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (producer->failed++ == 0)
            snprintf(producer->failure, sizeof producer->failure, "%s: %s",
                     message->rkt ? rd_kafka_topic_name(message->rkt) : "",
                     rd_kafka_err2str(message->err));
        return;
    }
    if (message->_private != &tracked || message->partition < 0 ||
        message->partition >= KAFKA_PARTITIONS_MAX)
        return;
    if (message->offset > producer->delivered[message->partition])
        producer->delivered[message->partition] = message->offset;
}

/* Another holder of the id took over, or the coordinator ended a transaction that was open for too
 * long: the broker says the same to both, the age of the transaction tells them apart. */
static void note_fence(struct kafka_producer *producer)
{
    char text[64];
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(producer->client.rk, text, sizeof text);
    bool fence = code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
                 code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
    bool timed_out = producer->open &&
                     clock_monotonic_ms() - producer->begun_ms >= producer->transaction_timeout_ms;
    if (fence && !timed_out) producer->fenced = true;
}

/* Takes `failure`. */
static enum kafka_step classify(struct kafka_producer *producer, const char *what,
                                rd_kafka_error_t *failure, struct error *error)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(failure);
    bool fatal = rd_kafka_error_is_fatal(failure) != 0;
    bool abort = !fatal && rd_kafka_error_txn_requires_abort(failure);
    error_set(error, client_exit_code(code), "%s: %s (%s)", what, rd_kafka_error_string(failure),
              rd_kafka_err2name(code));
    rd_kafka_error_destroy(failure);
    note_fence(producer);
    return abort ? KAFKA_STEP_ABORT : KAFKA_STEP_DOUBT;
}

/* When a wait that may last until `end_ms` really ends. */
static int64_t end_of(const struct producer_wait *wait)
{
    if (!wait->give_up_ms) return wait->end_ms;
    int64_t give_up_ms = atomic_load_explicit(wait->give_up_ms, memory_order_relaxed);
    return give_up_ms < wait->end_ms ? give_up_ms : wait->end_ms;
}

static bool is_over(const struct producer_wait *wait)
{
    return clock_monotonic_ms() >= end_of(wait);
}

/* The time for one call: it is also made, briefly, where the wait is over. */
static int slice(const struct producer_wait *wait)
{
    int64_t left = end_of(wait) - clock_monotonic_ms();
    return left < 100 ? 100 : left > SLICE_MS ? SLICE_MS : (int)left;
}

static struct producer_wait wait_for(const struct kafka_producer *producer, int64_t timeout_ms)
{
    return (struct producer_wait){clock_monotonic_ms() + timeout_ms, producer->give_up_ms};
}

/* librdkafka goes on with a call that timed out where it is made again. Frees `failure` where it
 * is to be repeated. */
static bool should_repeat(rd_kafka_error_t *failure, const struct producer_wait *wait)
{
    if (!rd_kafka_error_is_retriable(failure) || rd_kafka_error_is_fatal(failure) ||
        rd_kafka_error_txn_requires_abort(failure) || is_over(wait))
        return false;
    bool timed_out = rd_kafka_error_code(failure) == RD_KAFKA_RESP_ERR__TIMED_OUT;
    rd_kafka_error_destroy(failure);
    if (!timed_out) clock_sleep_ms(20);
    return true;
}

static rd_kafka_conf_t *producer_conf(const struct kafka_producer_config *config,
                                      int64_t timeout_ms, struct error *error)
{
    char transaction_ms[24], message_ms[24];
    /* A message that cannot be delivered must show before the coordinator gives the transaction up.
     */
    snprintf(transaction_ms, sizeof transaction_ms, "%lld", (long long)timeout_ms);
    snprintf(message_ms, sizeof message_ms, "%lld", (long long)timeout_ms * 2 / 3);
    const struct client_setting settings[] = {
        {"linger.ms", "10", false},               /* a commit does not wait for it */
        {"retry.backoff.ms", "2", false},         /* nearly each transaction begins with a repeat */
        {"message.max.bytes", "16777216", false}, /* the topic's limit decides */
        {"batch.size", "1000000", false},
        {"batch.num.messages", "20000", false},
        {"queue.buffering.max.messages", "100000", false},
        {"queue.buffering.max.kbytes", "65536", false},
        {"compression.codec", "lz4", false},
        {"enable.idempotence", "true", true},
        {"message.timeout.ms", message_ms, true},
        {"transactional.id", config->transactional_id, true},
        {"transaction.timeout.ms", transaction_ms, true},
    };
    size_t count = sizeof settings / sizeof *settings - (config->transactional_id ? 0 : 2);
    return client_conf(config->kafka, settings, count, error);
}

static bool init_transactions(struct kafka_producer *producer, const char *id,
                              const struct producer_wait *wait, struct error *error)
{
    rd_kafka_error_t *failure;
    do {
        failure = rd_kafka_init_transactions(producer->client.rk, slice(wait));
        if (!failure) return true;
    } while (should_repeat(failure, wait));
    rd_kafka_resp_err_t code = rd_kafka_error_code(failure);
    char trouble[256];
    client_last_trouble(&producer->client, trouble, sizeof trouble);
    error_set(error, client_exit_code(code),
              "the transactional producer %s cannot begin at %s: %s%s%s", id,
              producer->client.servers, rd_kafka_error_string(failure), *trouble ? "; " : "",
              trouble);
    rd_kafka_error_destroy(failure);
    note_fence(producer);
    return false;
}

/* The first commit to a topic that the handle has not seen takes a second; its metadata beforehand
 * takes 12 ms. */
static bool warm_topics(struct kafka_producer *producer, const struct kafka_producer_config *config,
                        struct error *error)
{
    producer->topics =
        calloc(config->topic_count ? config->topic_count : 1, sizeof *producer->topics);
    CHECK(producer->topics);
    for (size_t i = 0; i < config->topic_count; i++) {
        rd_kafka_topic_t *handle = rd_kafka_topic_new(producer->client.rk, config->topics[i], NULL);
        if (!handle)
            return error_set(error, EXIT_CONFIG, "%s is no name of a topic: %s", config->topics[i],
                             rd_kafka_err2str(rd_kafka_last_error()));
        producer->topics[producer->topic_count++] =
            (struct producer_topic){handle, rd_kafka_topic_name(handle)};
        struct producer_wait wait = wait_for(producer, WARM_TIMEOUT_MS);
        int64_t left_ms = end_of(&wait) - clock_monotonic_ms();
        TRY(client_warm_topic(&producer->client, handle, left_ms, error));
    }
    return true;
}

static void free_producer(struct kafka_producer *producer)
{
    for (size_t i = 0; i < producer->topic_count; i++)
        rd_kafka_topic_destroy(producer->topics[i].handle);
    client_close(&producer->client, 0);
    free(producer->topics);
    free(producer);
}

bool kafka_producer_open(const struct kafka_producer_config *config, int64_t timeout_ms,
                         struct kafka_producer **out, struct error *error)
{
    *out = NULL;
    int64_t transaction_ms = config->transaction_timeout_ms > 0 ? config->transaction_timeout_ms
                                                                : TRANSACTION_DEFAULT_MS;
    rd_kafka_conf_t *conf = producer_conf(config, transaction_ms, error);
    if (!conf) return false;
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    struct kafka_producer *producer = calloc(1, sizeof *producer);
    CHECK(producer);
    producer->transactional = config->transactional_id != NULL;
    producer->transaction_timeout_ms = transaction_ms;
    producer->give_up_ms = config->give_up_ms;
    struct producer_wait wait = wait_for(producer, timeout_ms);
    for (int i = 0; i < KAFKA_PARTITIONS_MAX; i++) producer->delivered[i] = -1;
    if (!client_open(&producer->client, RD_KAFKA_PRODUCER, config->kafka, conf, error)) {
        free(producer);
        return false;
    }
    bool ready = !producer->transactional ||
                 init_transactions(producer, config->transactional_id, &wait, error);
    if (!ready || !warm_topics(producer, config, error)) {
        free_producer(producer);
        return false;
    }
    *out = producer;
    return true;
}

void kafka_producer_close(struct kafka_producer *producer)
{
    if (!producer) return;
    rd_kafka_purge(producer->client.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    free_producer(producer);
}

enum kafka_step kafka_producer_begin(struct kafka_producer *producer, struct error *error)
{
    CHECK(!producer->open);
    producer->begun_ms = clock_monotonic_ms();
    rd_kafka_error_t *failure =
        producer->transactional ? rd_kafka_begin_transaction(producer->client.rk) : NULL;
    producer->open = true;
    return failure ? classify(producer, "a transaction cannot begin", failure, error)
                   : KAFKA_STEP_OK;
}

static rd_kafka_topic_t *find_topic(const struct kafka_producer *producer, const char *name)
{
    for (size_t i = 0; i < producer->topic_count; i++)
        if (producer->topics[i].name == name || strcmp(producer->topics[i].name, name) == 0)
            return producer->topics[i].handle;
    return NULL;
}

static rd_kafka_headers_t *make_headers(const struct kafka_message *message)
{
    if (message->header_count == 0) return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(message->header_count);
    for (size_t i = 0; i < message->header_count; i++) {
        const struct kafka_header *header = &message->headers[i];
        rd_kafka_header_add(headers, header->name, -1, header->value.ptr ? header->value.ptr : "",
                            (ssize_t)header->value.len);
    }
    return headers;
}

/* An empty value that is not null needs an address; librdkafka copies the bytes and writes nothing
 * to them. */
static void *address_of(struct span bytes, bool present)
{
    union {
        const char *given;
        void *taken;
    } address = {.given = bytes.ptr ? bytes.ptr : ""};
    return present ? address.taken : NULL;
}

static rd_kafka_error_t *produce(struct kafka_producer *producer, rd_kafka_topic_t *topic,
                                 const struct kafka_message *message, rd_kafka_headers_t *headers)
{
    rd_kafka_vu_t fields[9];
    size_t count = 0;
    fields[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic};
    fields[count++] =
        (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = message->partition};
    fields[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY};
    fields[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_KEY,
                                      .u.mem = {address_of(message->key, message->has_key),
                                                message->has_key ? message->key.len : 0}};
    fields[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_VALUE,
                                      .u.mem = {address_of(message->value, message->has_value),
                                                message->has_value ? message->value.len : 0}};
    if (message->timestamp_ms)
        fields[count++] =
            (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = message->timestamp_ms};
    if (headers)
        fields[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers};
    if (message->track)
        fields[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = &tracked};
    return rd_kafka_produceva(producer->client.rk, fields, count);
}

enum kafka_step kafka_producer_send(struct kafka_producer *producer,
                                    const struct kafka_message *message, struct error *error)
{
    rd_kafka_topic_t *topic = find_topic(producer, message->topic);
    CHECK(topic);
    rd_kafka_headers_t *headers = make_headers(message);
    rd_kafka_error_t *failure = produce(producer, topic, message, headers);
    struct producer_wait wait = {0};
    if (failure) wait = wait_for(producer, producer->transaction_timeout_ms); /* asks the clock */
    while (failure && rd_kafka_error_code(failure) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           !is_over(&wait)) {
        rd_kafka_error_destroy(failure);
        rd_kafka_poll(producer->client.rk, 10);
        failure = produce(producer, topic, message, headers);
    }
    if (!failure) {
        if (++producer->sent % POLL_EVERY == 0) rd_kafka_poll(producer->client.rk, 0);
        return KAFKA_STEP_OK;
    }
    if (headers) rd_kafka_headers_destroy(headers);
    rd_kafka_resp_err_t code = rd_kafka_error_code(failure);
    error_set(error, client_exit_code(code), "a record for %s is refused: %s", message->topic,
              rd_kafka_error_string(failure));
    rd_kafka_error_destroy(failure);
    note_fence(producer);
    char text[64];
    return rd_kafka_fatal_error(producer->client.rk, text, sizeof text) ? KAFKA_STEP_DOUBT
                                                                        : KAFKA_STEP_ABORT;
}

enum kafka_step kafka_producer_send_offsets(struct kafka_producer *producer,
                                            struct kafka_consumer *consumer,
                                            const struct kafka_offset *offsets, size_t count,
                                            struct error *error)
{
    CHECK(producer->transactional);
    if (count == 0) return KAFKA_STEP_OK;
    const rd_kafka_consumer_group_metadata_t *metadata = consumer_metadata(consumer);
    if (!metadata) { /* never without: Kafka takes metadata without a generation unchecked */
        error_set(error, EXIT_TEMPORARY, "the partitions of %s were taken away",
                  consumer_topic(consumer));
        return KAFKA_STEP_ABORT;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, consumer_topic(consumer), offsets[i].partition)
            ->offset = offsets[i].next;
    struct producer_wait wait = wait_for(producer, producer->transaction_timeout_ms);
    rd_kafka_error_t *failure;
    do { /* not in slices: a call that times out is begun anew, not gone on with */
        int64_t left_ms = end_of(&wait) - clock_monotonic_ms();
        failure = rd_kafka_send_offsets_to_transaction(producer->client.rk, list, metadata,
                                                       left_ms < 100 ? 100 : (int)left_ms);
    } while (failure && should_repeat(failure, &wait));
    rd_kafka_topic_partition_list_destroy(list);
    return failure ? classify(producer, "the input offsets are refused", failure, error)
                   : KAFKA_STEP_OK;
}

enum kafka_step kafka_producer_commit(struct kafka_producer *producer, struct error *error)
{
    if (!producer->transactional)
        return kafka_producer_flush(producer, producer->transaction_timeout_ms, error);
    /* No shorter than the transaction may last: giving up earlier would make doubt out of a slow
     * broker. */
    struct producer_wait wait = wait_for(producer, producer->transaction_timeout_ms + 1000);
    rd_kafka_error_t *failure;
    do {
        failure = rd_kafka_commit_transaction(producer->client.rk, slice(&wait));
    } while (failure && should_repeat(failure, &wait));
    if (failure) return classify(producer, "the transaction cannot be committed", failure, error);
    producer->open = false;
    producer->failed = 0;
    return KAFKA_STEP_OK;
}

enum kafka_step kafka_producer_abort(struct kafka_producer *producer, struct error *error)
{
    rd_kafka_error_t *failure = NULL;
    struct producer_wait wait = wait_for(producer, producer->transaction_timeout_ms);
    do {
        if (producer->transactional && producer->open)
            failure = rd_kafka_abort_transaction(producer->client.rk, slice(&wait));
    } while (failure && should_repeat(failure, &wait));
    if (!producer->transactional) {
        rd_kafka_purge(producer->client.rk, RD_KAFKA_PURGE_F_QUEUE);
        rd_kafka_flush(producer->client.rk, (int)producer->transaction_timeout_ms);
    }
    if (failure) {
        classify(producer, "the transaction cannot be aborted", failure, error);
        return KAFKA_STEP_DOUBT;
    }
    producer->open = false;
    producer->failed = 0;
    for (int i = 0; i < KAFKA_PARTITIONS_MAX; i++) producer->delivered[i] = -1;
    return KAFKA_STEP_OK;
}

enum kafka_step kafka_producer_flush(struct kafka_producer *producer, int64_t timeout_ms,
                                     struct error *error)
{
    struct producer_wait wait = wait_for(producer, timeout_ms);
    rd_kafka_resp_err_t code;
    do {
        code = rd_kafka_flush(producer->client.rk, slice(&wait));
    } while (code == RD_KAFKA_RESP_ERR__TIMED_OUT && !is_over(&wait));
    char text[256];
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(producer->client.rk, text, sizeof text);
    if (fatal) { /* an idempotent producer may end so after a broker's crash */
        error_set(error, client_exit_code(fatal), "the producer is of no more use: %s", text);
        return KAFKA_STEP_DOUBT;
    }
    if (code) {
        error_set(error, client_exit_code(code), "not all records were taken within %lld ms: %s",
                  (long long)timeout_ms, rd_kafka_err2str(code));
        return KAFKA_STEP_DOUBT;
    }
    if (producer->failed) {
        error_set(error, EXIT_UNAVAILABLE, "%llu records were not delivered; the first: %s",
                  (unsigned long long)producer->failed, producer->failure);
        return KAFKA_STEP_ABORT;
    }
    producer->open = false;
    return KAFKA_STEP_OK;
}

int64_t kafka_producer_delivered(struct kafka_producer *producer, int32_t partition, bool reset)
{
    if (partition < 0 || partition >= KAFKA_PARTITIONS_MAX) return -1;
    int64_t offset = producer->delivered[partition];
    if (reset) producer->delivered[partition] = -1;
    return offset;
}

bool kafka_producer_was_fenced(const struct kafka_producer *producer)
{
    return producer->fenced;
}
