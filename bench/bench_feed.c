/* What drives the end-to-end bench from outside: puts raw records on the broker beforehand, or at a
 * steady rate while it waits for their decisions.
 *
 *   bench_feed preload SERVERS TOPIC json|mail FIRST COUNT RECIPIENTS [each]
 *   bench_feed latency SERVERS RAW DECISIONS json|mail RATE SECONDS RECIPIENTS
 *
 * Both print one JSON object. A latency is the time from rd_kafka_produce of a raw record to the
 * moment at which a reader of committed records has its decision in hand. */
#include "bench/broker.h"
#include "bench/raw_records.h"
#include "base/check.h"
#include "os/clock.h"
#include "os/thread.h"
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FLUSH_MS = 60000, SETTLE_MS = 15000, WARM_SECONDS = 2 };

static uint64_t parse_number(const char *text)
{
    char *end;
    uint64_t number = strtoull(text, &end, 10);
    if (*end == '\0' && end != text) return number;
    fprintf(stderr, "bench_feed: %s is not a number\n", text);
    exit(64);
}

static enum raw_kind parse_kind(const char *text)
{
    enum raw_kind kind;
    if (raw_kind_parse(text, &kind)) return kind;
    fprintf(stderr, "bench_feed: %s: json or mail\n", text);
    exit(64);
}

/* ---- preload ---- */

static int preload(char **argument, int count)
{
    struct raw_plan plan = {.kind = parse_kind(argument[2]),
                            .recipients = parse_number(argument[5]),
                            .each_once = count > 6,
                            .mark = "bench-"};
    uint64_t first = parse_number(argument[3]), end = first + parse_number(argument[4]);
    uint64_t bytes = 0;
    char record[RAW_RECORD_MAX];
    rd_kafka_t *rk = broker_open(
        RD_KAFKA_PRODUCER, broker_conf(argument[0], "enable.idempotence", "true", "linger.ms", "20",
                                       "batch.size", "1000000", "compression.codec", "lz4",
                                       "queue.buffering.max.messages", "200000", NULL));
    int32_t partitions = broker_partitions(rk, argument[1]);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, argument[1], NULL);
    for (uint64_t i = first; i < end; i++) {
        size_t len = raw_record_make(&plan, i, record);
        broker_produce(rk, topic, (int32_t)(i % (uint64_t)partitions), NULL, 0, record, len);
        bytes += len;
        if (i % 256 == 0) rd_kafka_poll(rk, 0);
    }
    broker_check_code(rd_kafka_flush(rk, FLUSH_MS), "flush");
    printf("{\"records\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n", end - first, bytes);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    return 0;
}

/* ---- latency ---- */

struct probe {
    const char *servers, *decisions;
    char mark[32]; /* of this run: what another left behind is not taken for its own */
    rd_kafka_t *reader;
    rd_kafka_queue_t *queue;
    uint64_t count;
    _Atomic int64_t *sent_ns; /* by number; 0: not sent */
    int64_t *seen_ns;         /* 0: not seen */
    _Atomic uint64_t seen;
    atomic_bool ending;
};

static int64_t now_ns(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void take_decision(struct probe *probe, const rd_kafka_message_t *message)
{
    size_t mark_len = strlen(probe->mark);
    const char *mark = memmem(message->payload, message->len, probe->mark, mark_len);
    if (!mark) return;
    const char *digits = mark + mark_len;
    uint64_t number = strtoull(digits, NULL, 10); /* the JSON goes on after it */
    if (number >= probe->count || probe->seen_ns[number] || !probe->sent_ns[number]) return;
    probe->seen_ns[number] = now_ns();
    probe->seen++;
}

static void run_reader(void *argument)
{
    struct probe *probe = argument;
    while (!atomic_load(&probe->ending) && probe->seen < probe->count) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(probe->queue, 100);
        if (!message) continue;
        if (!message->err) take_decision(probe, message);
        rd_kafka_message_destroy(message);
    }
}

static void open_reader(struct probe *probe)
{
    probe->reader =
        broker_open(RD_KAFKA_CONSUMER,
                    broker_conf(probe->servers, "group.id", "bench-probe", "enable.auto.commit",
                                "false", "isolation.level", "read_committed", NULL));
    probe->queue = rd_kafka_queue_new(probe->reader);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(probe->reader, probe->decisions, NULL);
    int32_t partitions = broker_partitions(probe->reader, probe->decisions);
    for (int32_t p = 0; p < partitions; p++)
        if (rd_kafka_consume_start_queue(topic, p, RD_KAFKA_OFFSET_END, probe->queue))
            broker_check_code(rd_kafka_last_error(), "consume");
    clock_sleep_ms(1000); /* the ends are looked up before anything is sent */
}

static void send_at_rate(struct probe *probe, const char *raw, const struct raw_plan *plan,
                         uint64_t rate)
{
    char record[RAW_RECORD_MAX];
    rd_kafka_t *rk = broker_open(RD_KAFKA_PRODUCER,
                                 broker_conf(probe->servers, "enable.idempotence", "true",
                                             "linger.ms", "0", "compression.codec", "lz4", NULL));
    int32_t partitions = broker_partitions(rk, raw);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, raw, NULL);
    int64_t start = now_ns();
    for (uint64_t i = 0; i < probe->count; i++) {
        int64_t due = start + (int64_t)(i * UINT64_C(1000000000) / rate);
        while (now_ns() < due) rd_kafka_poll(rk, 1);
        size_t len = raw_record_make(plan, i, record);
        atomic_store(&probe->sent_ns[i], now_ns());
        broker_produce(rk, topic, (int32_t)(i % (uint64_t)partitions), NULL, 0, record, len);
    }
    broker_check_code(rd_kafka_flush(rk, FLUSH_MS), "flush");
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
}

/* Nanoseconds, ascending, as milliseconds. */
static double percentile(const int64_t *waits, uint64_t count, uint64_t percent)
{
    uint64_t at = count * percent / 100;
    return (double)waits[at < count ? at : count - 1] / 1e6;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The first two seconds are not counted: the producers' first transactions belong to them. */
static void print_latency(const struct probe *probe, uint64_t rate)
{
    int64_t *waits = malloc(probe->count * sizeof *waits);
    CHECK(waits);
    uint64_t count = 0, first = rate * WARM_SECONDS < probe->count ? rate * WARM_SECONDS : 0;
    for (uint64_t i = first; i < probe->count; i++)
        if (probe->seen_ns[i]) waits[count++] = probe->seen_ns[i] - probe->sent_ns[i];
    qsort(waits, count, sizeof *waits, compare);
    printf("{\"sent\":%" PRIu64 ",\"seen\":%" PRIu64, probe->count, probe->seen);
    if (count)
        printf(",\"p50_ms\":%.1f,\"p90_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f",
               percentile(waits, count, 50), percentile(waits, count, 90),
               percentile(waits, count, 99), percentile(waits, count, 100));
    printf("}\n");
    free(waits);
}

static int latency(char **argument)
{
    uint64_t rate = parse_number(argument[4]);
    struct probe probe = {.servers = argument[0],
                          .decisions = argument[2],
                          .count = rate * parse_number(argument[5])};
    snprintf(probe.mark, sizeof probe.mark, "probe-%d-", (int)getpid());
    struct raw_plan plan = {.kind = parse_kind(argument[3]),
                            .recipients = parse_number(argument[6]),
                            .mark = probe.mark};
    probe.sent_ns = calloc(probe.count, sizeof *probe.sent_ns);
    probe.seen_ns = calloc(probe.count, sizeof *probe.seen_ns);
    CHECK(rate && probe.sent_ns && probe.seen_ns);
    open_reader(&probe);
    struct thread *thread = thread_start("reader", run_reader, &probe);
    send_at_rate(&probe, argument[1], &plan, rate);
    int64_t end_ms = clock_monotonic_ms() + SETTLE_MS;
    uint64_t before = 0;
    while (clock_monotonic_ms() < end_ms && probe.seen < probe.count) {
        if (probe.seen != before) end_ms = clock_monotonic_ms() + SETTLE_MS;
        before = probe.seen;
        clock_sleep_ms(50);
    }
    atomic_store(&probe.ending, true);
    thread_join(thread);
    print_latency(&probe, rate);
    return probe.seen == probe.count ? 0 : 1;
}

int main(int count, char **argument)
{
    if (count >= 8 && count <= 9 && strcmp(argument[1], "preload") == 0)
        return preload(argument + 2, count - 2);
    if (count == 9 && strcmp(argument[1], "latency") == 0) return latency(argument + 2);
    fputs("usage: bench_feed preload SERVERS TOPIC json|mail FIRST COUNT RECIPIENTS [each]\n"
          "       bench_feed latency SERVERS RAW DECISIONS json|mail RATE SECONDS RECIPIENTS\n",
          stderr);
    return 64;
}
