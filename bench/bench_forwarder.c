/* The limit that the daemon is measured against: the same two hops through the broker and nothing
 * else. Hop 1 reads raw and writes one record for each to `classified`; hop 2 reads those and
 * writes one to `decisions` and, for so many in a thousand, one to `recipients`. What it writes are
 * real records, sampled from the topics of a run of the daemon, so sizes and compressibility are
 * the same. With transactions it commits by the daemon's rule: as soon as nothing waits, at the
 * latest after 100 ms, 10,000 records or 16 MiB in or out.
 *
 *   bench_forwarder SERVERS GROUP exactly-once|at-least-once PER_MILLE
 *                   RAW CLASSIFIED DECISIONS RECIPIENTS OUT_CLASSIFIED OUT_DECISIONS OUT_RECIPIENTS
 *
 * CLASSIFIED, DECISIONS and RECIPIENTS are the daemon's, to sample from; OUT_… are written. Raw is
 * read from what GROUP.1 has committed, OUT_CLASSIFIED from GROUP.2's. Runs until SIGTERM. */
#include "bench/broker.h"
#include "base/check.h"
#include "os/clock.h"
#include "os/thread.h"
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SAMPLES = 2000,
    SAMPLE_WAIT_MS = 10000,
    TAKE_MAX = 1000,
    PARTITIONS_MAX = 256,
    OUTPUTS_MAX = 2,
    INTERVAL_MS = 100,
    RECORDS_MAX = 10000,
    BYTES_MAX = 16 << 20,
    TIMEOUT_MS = 30000,
};

struct sample {
    char *key, *value;
    size_t key_len, value_len;
};
struct output {
    rd_kafka_topic_t *topic;
    struct sample samples[SAMPLES];
    unsigned count;
    size_t at;
    unsigned per_mille, due;
};
struct hop {
    const char *servers, *input;
    char group[128], id[160];
    bool transactional;
    rd_kafka_t *consumer, *producer;
    rd_kafka_queue_t *queue;
    struct output outputs[OUTPUTS_MAX];
    unsigned output_count;
    int64_t next[PARTITIONS_MAX]; /* of the open batch; -1: not in it */
    unsigned records;
    uint64_t bytes_in, bytes_out;
    bool open;
    int64_t opened_ms;
};

static atomic_bool ending;
static atomic_ullong failed;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&ending, true);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    (void)opaque;
    if (message->err) atomic_fetch_add(&failed, 1);
}

/* ---- samples ---- */

static void keep_sample(struct output *output, const rd_kafka_message_t *message)
{
    const char *key = message->key;
    if (!message->key || !message->payload || key[0] == '#') return; /* a position, a tombstone */
    struct sample *sample = &output->samples[output->count++];
    *sample = (struct sample){malloc(message->key_len), malloc(message->len), message->key_len,
                              message->len};
    CHECK(sample->key && sample->value);
    memcpy(sample->key, message->key, message->key_len);
    memcpy(sample->value, message->payload, message->len);
}

static void take_samples(const char *servers, const char *name, struct output *output)
{
    rd_kafka_t *rk = broker_open(
        RD_KAFKA_CONSUMER, broker_conf(servers, "group.id", "bench-sampler", "enable.auto.commit",
                                       "false", "isolation.level", "read_committed", NULL));
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    /* The last records are those of a state that is full. */
    if (rd_kafka_consume_start(topic, 0, RD_KAFKA_OFFSET_TAIL(2 * SAMPLES)))
        broker_check_code(rd_kafka_last_error(), "consume");
    int64_t end_ms = clock_monotonic_ms() + SAMPLE_WAIT_MS;
    while (output->count < SAMPLES && clock_monotonic_ms() < end_ms) {
        rd_kafka_message_t *message = rd_kafka_consume(topic, 0, 200);
        if (!message && output->count) break;
        if (!message) continue;
        if (!message->err) keep_sample(output, message);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consume_stop(topic, 0);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    if (output->count) return;
    fprintf(stderr, "bench_forwarder: nothing to sample in %s\n", name);
    exit(69);
}

/* ---- one hop ---- */

static void open_consumer(struct hop *hop)
{
    hop->consumer = broker_open(
        RD_KAFKA_CONSUMER,
        broker_conf(hop->servers, "group.id", hop->group, "enable.auto.commit", "false",
                    "enable.auto.offset.store", "false", "auto.offset.reset", "earliest",
                    "isolation.level", "read_committed", "queued.min.messages", "100000",
                    "queued.max.messages.kbytes", "65536", "fetch.message.max.bytes", "2097152",
                    "fetch.max.bytes", "33554432", "fetch.wait.max.ms", "100", NULL));
    rd_kafka_poll_set_consumer(hop->consumer);
    int32_t partitions = broker_partitions(hop->consumer, hop->input);
    CHECK(partitions <= PARTITIONS_MAX);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int32_t p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, hop->input, p)->offset = RD_KAFKA_OFFSET_STORED;
    broker_check_code(rd_kafka_assign(hop->consumer, list), "assign");
    rd_kafka_topic_partition_list_destroy(list);
    hop->queue = rd_kafka_queue_get_consumer(hop->consumer);
}

static void open_producer(struct hop *hop, const char *const *names)
{
    CHECK(hop->output_count <= OUTPUTS_MAX);
    rd_kafka_conf_t *conf =
        broker_conf(hop->servers, "enable.idempotence", "true", "linger.ms", "10", "batch.size",
                    "1000000", "batch.num.messages", "20000", "queue.buffering.max.messages",
                    "200000", "queue.buffering.max.kbytes", "131072", "compression.codec", "lz4",
                    hop->transactional ? "transactional.id" : "client.id", hop->id, NULL);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    hop->producer = broker_open(RD_KAFKA_PRODUCER, conf);
    if (hop->transactional)
        broker_check(rd_kafka_init_transactions(hop->producer, TIMEOUT_MS), "init_transactions");
    for (unsigned i = 0; i < hop->output_count; i++) {
        hop->outputs[i].topic = rd_kafka_topic_new(hop->producer, names[i], NULL);
        (void)broker_partitions(hop->producer, names[i]); /* the first commit need not ask for it */
    }
}

static void forward(struct hop *hop, const rd_kafka_message_t *message)
{
    for (unsigned i = 0; i < hop->output_count; i++) {
        struct output *output = &hop->outputs[i];
        output->due += output->per_mille;
        if (output->due < 1000) continue;
        output->due -= 1000;
        const struct sample *sample = &output->samples[output->at++ % output->count];
        broker_produce(hop->producer, output->topic, message->partition, sample->key,
                       sample->key_len, sample->value, sample->value_len);
        hop->bytes_out += sample->key_len + sample->value_len;
    }
    hop->next[message->partition] = message->offset + 1;
    hop->records++;
    hop->bytes_in += message->key_len + message->len;
}

static void begin(struct hop *hop)
{
    if (hop->open) return;
    hop->open = true;
    hop->opened_ms = clock_monotonic_ms();
    if (hop->transactional) broker_check(rd_kafka_begin_transaction(hop->producer), "begin");
}

static void commit(struct hop *hop)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS_MAX);
    for (int32_t p = 0; p < PARTITIONS_MAX; p++)
        if (hop->next[p] >= 0)
            rd_kafka_topic_partition_list_add(list, hop->input, p)->offset = hop->next[p];
    if (hop->transactional) {
        rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(hop->consumer);
        broker_check(rd_kafka_send_offsets_to_transaction(hop->producer, list, group, TIMEOUT_MS),
                     "send_offsets");
        rd_kafka_consumer_group_metadata_destroy(group);
        broker_check(rd_kafka_commit_transaction(hop->producer, TIMEOUT_MS), "commit");
    } else {
        broker_check_code(rd_kafka_flush(hop->producer, TIMEOUT_MS), "flush");
        broker_check_code(rd_kafka_commit(hop->consumer, list, 0), "commit");
    }
    rd_kafka_topic_partition_list_destroy(list);
    memset(hop->next, 0xff, sizeof hop->next);
    hop->open = false;
    hop->records = 0;
    hop->bytes_in = hop->bytes_out = 0;
}

static bool is_due(const struct hop *hop, bool nothing_waits)
{
    return hop->open &&
           (nothing_waits || hop->records >= RECORDS_MAX || hop->bytes_in >= BYTES_MAX ||
            hop->bytes_out >= BYTES_MAX || clock_monotonic_ms() - hop->opened_ms >= INTERVAL_MS);
}

static void run_hop(void *argument)
{
    struct hop *hop = argument;
    rd_kafka_message_t *taken[TAKE_MAX];
    while (!atomic_load(&ending)) {
        ssize_t count =
            rd_kafka_consume_batch_queue(hop->queue, hop->open ? 0 : 100, taken, TAKE_MAX);
        if (count > 0) begin(hop);
        for (ssize_t i = 0; i < count; i++) {
            if (!taken[i]->err) forward(hop, taken[i]);
            rd_kafka_message_destroy(taken[i]);
        }
        rd_kafka_poll(hop->producer, 0);
        if (is_due(hop, count <= 0)) commit(hop);
    }
    if (hop->open) commit(hop);
    rd_kafka_queue_destroy(hop->queue);
}

static void set_up(struct hop *hop, char **argument, int number)
{
    bool second = number == 2;
    const char *const names[] = {argument[second ? 10 : 9], argument[11]};
    hop->servers = argument[1];
    hop->input = second ? argument[9] : argument[5];
    snprintf(hop->group, sizeof hop->group, "%s.%d", argument[2], number);
    snprintf(hop->id, sizeof hop->id, "%s.%d", argument[2], number);
    hop->transactional = strcmp(argument[3], "exactly-once") == 0;
    hop->output_count = second ? 2 : 1;
    for (unsigned i = 0; i < hop->output_count; i++) {
        hop->outputs[i].per_mille = i == 0 ? 1000 : (unsigned)atoi(argument[4]);
        take_samples(argument[1], argument[second ? 7 + i : 6], &hop->outputs[i]);
    }
    memset(hop->next, 0xff, sizeof hop->next);
    open_consumer(hop);
    open_producer(hop, names);
}

int main(int count, char **argument)
{
    static struct hop hops[2];
    if (count != 12) {
        fputs("usage: bench_forwarder SERVERS GROUP exactly-once|at-least-once PER_MILLE\n"
              "           RAW CLASSIFIED DECISIONS RECIPIENTS"
              " OUT_CLASSIFIED OUT_DECISIONS OUT_RECIPIENTS\n",
              stderr);
        return 64;
    }
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    set_up(&hops[0], argument, 1);
    set_up(&hops[1], argument, 2);
    struct thread *first = thread_start("hop-1", run_hop, &hops[0]);
    struct thread *second = thread_start("hop-2", run_hop, &hops[1]);
    thread_join(first);
    thread_join(second);
    if (atomic_load(&failed)) {
        fprintf(stderr, "bench_forwarder: %llu records were not delivered\n",
                (unsigned long long)atomic_load(&failed));
        return 69;
    }
    fflush(stdout);
    _exit(0); /* what librdkafka still has to close is nothing to measure */
}
